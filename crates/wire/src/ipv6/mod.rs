//! RFC 8200 §3: the IPv6 header, and behind it the chain of extension headers.
//!
//! In: the bytes of an IPv6 packet.
//! Out: its fixed header, its payload, each extension header, and the upper layer with where it starts.
//! Above: craft, stack, inspect, link. Below: the tables' macros.
//! Not here: reassembly (stack), what an option does.

use core::net::Ipv6Addr;

use crate::ipv4::{PROTOCOLS, TOS};
use crate::{Auto, Layer, LengthOf, LimitedBy, ParseError};

pub mod ext;

pub use ext::{Extension, Extensions, Upper};

header! {
    "ip6" 40 bytes "Internet Protocol, version 6" "RFC 8200 §3" => shark("ipv6") => also(&["ipv6", "inet6", "ip_v6"]);
    /// The version of the header: 6.
    version: u8 = 4 bits "ver" .default(6).shark("ipv6.version").also(&["version", "v"]);
    /// Traffic class: DSCP in the high six bits (RFC 2474), ECN in the low two (RFC 3168).
    traffic_class: u8 = 8 bits "tc" .hex().names(TOS).shark("ipv6.tclass")
        .also(&["priority", "tclass", "class", "traffic_class", "tos", "dscp", "dsfield", "ecn"]);
    /// Flow label: the same for all packets of one flow (RFC 6437).
    flow_label: u32 = 20 bits "flow" .hex().auto(Auto::Random).shark("ipv6.flow")
        .also(&["flow_lbl", "fl", "flow_label", "flowlabel", "flowinfo", "flow_id", "label"]).rfc("RFC 6437");
    /// Length of all that follows this header in bytes, extension headers included.
    payload_length: u16 = 16 bits "len" .auto(Auto::Length(LengthOf::Behind)).shark("ipv6.plen")
        .also(&["plen", "payload_length", "payload_len", "length", "ip6_plen"]);
    /// The protocol of what follows: an extension header or the upper layer.
    next_header: u8 = 8 bits "nh" .auto(Auto::Next).selects_next().names(PROTOCOLS).shark("ipv6.nxt")
        .also(&["nxt", "next_header", "nexthdr", "next", "next_hdr", "proto", "protocol", "ip6_nxt", "ipproto"]);
    /// Hop limit.
    hop_limit: u8 = 8 bits "hlim" .default(64).shark("ipv6.hlim")
        .also(&["ip6_hops", "hoplimit", "hop_limit", "hops", "hl", "ttl", "ip6_hlim", "time_to_live"]);
    /// The source address.
    source: Ipv6Addr = 128 bits "src" .auto(Auto::Source).shark("ipv6.src")
        .also(&["saddr", "source", "spoof", "sip", "source_ip", "src_ip", "ip6_src", "from"]);
    /// The destination address.
    destination: Ipv6Addr = 128 bits "dst" .auto(Auto::Required).shark("ipv6.dst")
        .also(&["daddr", "destination", "dip", "dest_ip", "dst_ip", "ip6_dst", "dest", "to", "target", "host"]);
}

/// An IPv6 packet, its length judged.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The fixed header.
    pub header: View<'a>,
    /// What the payload length says follows it: extension headers and the upper layer.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The extension headers, one after the other.
    #[must_use]
    pub const fn extensions(&self) -> Extensions<'a> {
        Extensions::new(self.header.bytes()[6], self.payload)
    }

    /// What stands behind the last extension header.
    ///
    /// # Errors
    /// When an extension header is cut off, or there are more than [`ext::EXTENSIONS_MAX`].
    pub fn upper(&self) -> Result<Upper<'a>, ParseError> {
        self.extensions().upper()
    }
}

/// Reads an IPv6 packet. Bytes behind its payload length (Ethernet padding) are left out; jumbograms (RFC 2675) are not
/// known and have an empty payload.
///
/// # Errors
/// When the bytes end in the header, or the payload length is beyond the bytes. The version and the extension headers
/// are not judged here.
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, ParseError> {
    let error =
        |offset, need, have| ParseError { layer: Layer::Ipv6, offset, need, have, limited_by: LimitedBy::Bytes };
    let Some((header, rest)) = View::split(bytes) else {
        return Err(error(0, LEN, bytes.len()));
    };
    let length = usize::from(header.payload_length());
    match rest.get(..length) {
        Some(payload) => Ok(Packet { header, payload }),
        None => Err(error(4, LEN + length, bytes.len())),
    }
}
