//! RFC 768: UDP.

use crate::ports::PORTS;
use crate::{Auto, Layer, LengthOf, LimitedBy, ParseError, SumOver};

header! {
    "udp" 8 bytes "User Datagram Protocol" "RFC 768" => shark("udp") => also(&["udp4", "udp6", "datagram", "udplite"]);
    /// The sender's port.
    source_port: u16 = 16 bits "sport" .auto(Auto::SourcePort).names(PORTS).shark("udp.srcport")
        .also(&["srcport", "source_port", "src_port", "uh_sport", "baseport", "g", "src", "source"]);
    /// The receiver's port.
    destination_port: u16 = 16 bits "dport" .auto(Auto::Required).names(PORTS).shark("udp.dstport")
        .also(&["dstport", "dest_port", "dst_port", "destination_port", "uh_dport", "destport", "port", "p"]);
    /// Length of header and data in bytes.
    length: u16 = 16 bits "len" .auto(Auto::Length(LengthOf::Whole)).shark("udp.length")
        .also(&["length", "ulen", "uh_ulen", "udplen", "size"]);
    /// Checksum over pseudo-header, header and data; 0: none was computed.
    checksum: u16 = 16 bits "sum" .hex().auto(Auto::Checksum(SumOver::PseudoHeaderAndMessage)).shark("udp.checksum")
        .also(&["bad_cksum", "chksum", "csum", "checksum", "cksum", "check", "uh_sum", "badsum", "badcksum", "crc"]);
}

/// A UDP datagram, its length judged.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The header.
    pub header: View<'a>,
    /// The data that the length allows.
    pub payload: &'a [u8],
    /// Bytes behind the datagram's own length, within the IP payload: no layer accounts for them.
    pub surplus: &'a [u8],
}

/// Reads a UDP datagram from the payload of an IP packet.
///
/// # Errors
/// When there are fewer than 8 bytes, or the length is below 8 or beyond the bytes. The checksum is not judged here.
pub fn parse(bytes: &[u8]) -> Result<Datagram<'_>, ParseError> {
    let error = |offset, need, have, limited_by| ParseError { layer: Layer::Udp, offset, need, have, limited_by };
    let Some((header, _)) = View::split(bytes) else {
        return Err(error(0, LEN, bytes.len(), LimitedBy::Bytes));
    };
    let length = usize::from(header.length());
    if length < LEN {
        return Err(error(4, LEN, length, LimitedBy::OwnLength));
    }
    if length > bytes.len() {
        return Err(error(4, length, bytes.len(), LimitedBy::LowerLength));
    }
    Ok(Datagram { header, payload: &bytes[LEN..length], surplus: &bytes[length..] })
}
