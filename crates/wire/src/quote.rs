//! The packet that an ICMP error quotes (RFC 792, RFC 1812 §4.3.2.3, RFC 4443 §2.4): cut short, and yet to be recognised.

use core::net::IpAddr;

use crate::next::protocol;
use crate::{Layer, LimitedBy, ParseError, SeqNum, ipv4, ipv6};

/// What a quote tells of the packet that caused the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote<'a> {
    /// Its source: who sent it.
    pub source: IpAddr,
    /// Its destination.
    pub destination: IpAddr,
    /// Its upper protocol, behind any IPv6 extension headers.
    pub protocol: u8,
    /// TTL or hop limit, as the router saw it.
    pub hops: u8,
    /// IPv4's identification.
    pub identification: Option<u16>,
    /// As much of its upper layer as is quoted; empty in fragments that do not begin with it.
    pub upper: &'a [u8],
}

impl Quote<'_> {
    /// The ports, source first, of TCP, UDP and what is built like them; `None` when they are not quoted.
    #[must_use]
    pub fn ports(&self) -> Option<(u16, u16)> {
        if !matches!(self.protocol, protocol::TCP | protocol::UDP | UDP_LITE | SCTP | DCCP) {
            return None;
        }
        let [a, b, c, d] = *self.upper.first_chunk()?;
        Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// TCP's sequence number, which the eight bytes of RFC 792 hold; `None` for other protocols.
    #[must_use]
    pub fn sequence(&self) -> Option<SeqNum> {
        let [_, _, _, _, a, b, c, d] = *self.upper.first_chunk()?;
        (self.protocol == protocol::TCP).then(|| SeqNum::new(u32::from_be_bytes([a, b, c, d])))
    }

    /// Identifier and sequence number of an ICMP echo of either version; `None` for anything else.
    #[must_use]
    pub fn echo(&self) -> Option<(u16, u16)> {
        let [message_type, _, _, _, a, b, c, d] = *self.upper.first_chunk()?;
        let is_echo = match self.protocol {
            protocol::ICMPV4 => {
                matches!(message_type, crate::icmpv4::message_type::ECHO | crate::icmpv4::message_type::ECHO_REPLY)
            }
            protocol::ICMPV6 => {
                matches!(message_type, crate::icmpv6::message_type::ECHO | crate::icmpv6::message_type::ECHO_REPLY)
            }
            _ => false,
        };
        is_echo.then(|| (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }
}

const DCCP: u8 = 33;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// Reads a quoted packet, from its IP header on. Lengths that reach beyond the quote are no fault: it was cut.
///
/// # Errors
/// When the version is neither 4 nor 6, the IP header is not whole, or IPv6 extension headers are cut off before the
/// upper layer.
pub fn read(bytes: &[u8]) -> Result<Quote<'_>, ParseError> {
    match bytes.first().map(|first| first >> 4) {
        Some(6) => read_v6(bytes),
        Some(4) => read_v4(bytes),
        version => Err(ParseError {
            layer: Layer::Ipv4,
            offset: 0,
            need: 4,
            have: version.map_or(0, usize::from),
            limited_by: if version.is_some() { LimitedBy::Rule } else { LimitedBy::Bytes },
        }),
    }
}

fn read_v4(bytes: &[u8]) -> Result<Quote<'_>, ParseError> {
    let error = |offset, need, have, limited_by| ParseError { layer: Layer::Ipv4, offset, need, have, limited_by };
    let Some((header, _)) = ipv4::View::split(bytes) else {
        return Err(error(0, ipv4::LEN, bytes.len(), LimitedBy::Bytes));
    };
    let header_len = usize::from(header.ihl()) * 4;
    if header_len < ipv4::LEN {
        return Err(error(0, 5, usize::from(header.ihl()), LimitedBy::Rule));
    }
    // Some systems write the total length of the quote in their own byte order, or less the header: it is not trusted.
    let upper = bytes.get(header_len..).ok_or_else(|| error(0, header_len, bytes.len(), LimitedBy::Bytes))?;
    Ok(Quote {
        source: IpAddr::V4(header.source()),
        destination: IpAddr::V4(header.destination()),
        protocol: header.protocol(),
        hops: header.ttl(),
        identification: Some(header.identification()),
        upper: if header.fragment_offset() == 0 { upper } else { &[] },
    })
}

fn read_v6(bytes: &[u8]) -> Result<Quote<'_>, ParseError> {
    let Some((header, rest)) = ipv6::View::split(bytes) else {
        return Err(ParseError {
            layer: Layer::Ipv6,
            offset: 0,
            need: ipv6::LEN,
            have: bytes.len(),
            limited_by: LimitedBy::Bytes,
        });
    };
    let upper = ipv6::Extensions::new(header.next_header(), rest).upper()?;
    let begins = upper.fragment.is_none_or(|fragment| fragment.offset == 0);
    Ok(Quote {
        source: IpAddr::V6(header.source()),
        destination: IpAddr::V6(header.destination()),
        protocol: upper.protocol,
        hops: header.hop_limit(),
        identification: None,
        upper: if begins { upper.bytes } else { &[] },
    })
}
