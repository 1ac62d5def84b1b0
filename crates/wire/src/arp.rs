//! RFC 826: ARP, as it is for IPv4 over Ethernet.

use core::net::Ipv4Addr;

use crate::ethernet::ETHER_TYPES;
use crate::{Auto, Layer, LimitedBy, MacAddr, Name, ParseError};

header! {
    "arp" 28 bytes "Address Resolution Protocol" "RFC 826" => shark("arp") => also(&["rarp"]);
    /// The kind of hardware: 1, Ethernet.
    hardware_type: u16 = 16 bits "htype" .default(1).names(HARDWARE).shark("arp.hw.type")
        .also(&["hwtype", "hrd", "ar_hrd", "hw_type", "hardware_type", "arp_hw_type"]);
    /// The protocol whose addresses are resolved, as an EtherType: 0x0800, IPv4.
    protocol_type: u16 = 16 bits "ptype" .hex().default(0x0800).names(ETHER_TYPES).shark("arp.proto.type")
        .also(&["pro", "ar_pro", "proto_type", "protocol_type", "proto"]);
    /// Length of a hardware address in bytes: 6.
    hardware_length: u8 = 8 bits "hlen" .default(6).shark("arp.hw.size")
        .also(&["hwlen", "hln", "ar_hln", "hw_size", "hardware_length", "hardware_size"]);
    /// Length of a protocol address in bytes: 4.
    protocol_length: u8 = 8 bits "plen" .default(4).shark("arp.proto.size")
        .also(&["pln", "ar_pln", "proto_size", "protocol_length", "protocol_size"]);
    /// The operation: 1 asks, 2 answers.
    operation: u16 = 16 bits "op" .default(1).names(OPERATIONS).shark("arp.opcode")
        .also(&["opcode", "oper", "ar_op", "operation", "type", "arp_type"]);
    /// The sender's hardware address.
    sender_hardware: MacAddr = 48 bits "sha" .auto(Auto::Source).shark("arp.src.hw_mac")
        .also(&["hwsrc", "ar_sha", "sender_mac", "smac", "src_mac", "src_hw", "sender_hw", "arp_sender_mac"]);
    /// The sender's IPv4 address.
    sender_protocol: Ipv4Addr = 32 bits "spa" .auto(Auto::Source).shark("arp.src.proto_ipv4")
        .also(&["psrc", "ar_spa", "sender_ip", "sip", "src_ip", "src_proto", "arp_sender_ip", "src"]);
    /// The target's hardware address: unknown, hence zero, in a request.
    target_hardware: MacAddr = 48 bits "tha" .shark("arp.dst.hw_mac")
        .also(&["hwdst", "ar_tha", "target_mac", "dst_mac", "tmac", "dst_hw", "target_hw", "arp_target_mac"]);
    /// The target's IPv4 address: whose hardware address is asked for.
    target_protocol: Ipv4Addr = 32 bits "tpa" .auto(Auto::Required).shark("arp.dst.proto_ipv4")
        .also(&["pdst", "ar_tpa", "target_ip", "tip", "dst_ip", "dst_proto", "arp_target_ip", "dst", "who_has"]);
}

/// Words for hardware types (IANA).
pub static HARDWARE: &[Name] = &[
    Name::new(1, "ether", "Ethernet").also(&["ethernet", "eth"]),
    Name::new(6, "ieee802", "IEEE 802 networks"),
    Name::new(32, "infiniband", "InfiniBand"),
];

/// Words for operations (IANA).
pub static OPERATIONS: &[Name] = &[
    Name::new(1, "request", "request").also(&["who_has", "whohas", "ask", "arp_request"]),
    Name::new(2, "reply", "reply").also(&["is_at", "isat", "answer", "response", "arp_reply"]),
    Name::new(3, "rarpreq", "RARP request").also(&["rarp_request"]),
    Name::new(4, "rarprep", "RARP reply").also(&["rarp_reply"]),
    Name::new(8, "inarpreq", "InARP request").also(&["inarp_request"]),
    Name::new(9, "inarprep", "InARP reply").also(&["inarp_reply"]),
];

/// The operation that asks.
pub const REQUEST: u16 = 1;
/// The operation that answers.
pub const REPLY: u16 = 2;

/// An ARP packet and what is behind it (Ethernet padding).
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The packet.
    pub header: View<'a>,
    /// Bytes behind it.
    pub rest: &'a [u8],
}

/// Reads an ARP packet for IPv4 over Ethernet.
///
/// # Errors
/// When there are fewer than 28 bytes, or the address lengths are not 6 and 4: then the fields lie elsewhere
/// ([`LimitedBy::Rule`], with the length wanted and found). Types and operation are not judged.
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, ParseError> {
    let error = |offset, need, have, limited_by| ParseError { layer: Layer::Arp, offset, need, have, limited_by };
    let Some((header, rest)) = View::split(bytes) else {
        return Err(error(0, LEN, bytes.len(), LimitedBy::Bytes));
    };
    for (offset, need, have) in [(4, 6, header.hardware_length()), (5, 4, header.protocol_length())] {
        if have != need {
            return Err(error(offset, usize::from(need), usize::from(have), LimitedBy::Rule));
        }
    }
    Ok(Packet { header, rest })
}
