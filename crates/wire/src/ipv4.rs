//! RFC 791 §3.1: the IPv4 header.

use core::net::Ipv4Addr;

use crate::{Auto, LengthOf, LimitedBy, Layer, Name, ParseError, SumOver};

header! {
    "ip" 20 bytes "Internet Protocol, version 4" "RFC 791 §3.1" => options(&OPTIONS);
    /// The version of the header: 4.
    version: u8 = 4 bits "ver" .default(4).shark("ip.version").also(&["version"]);
    /// Internet header length in units of 4 bytes: 5 without options.
    ihl: u8 = 4 bits "ihl" .auto(Auto::Length(LengthOf::HeaderWords)).shark("ip.hdr_len").also(&["hlen", "hl", "hdr_len"]);
    /// Type of service: DSCP in the high six bits (RFC 2474), ECN in the low two (RFC 3168).
    tos: u8 = 8 bits "tos" .hex().names(TOS).shark("ip.dsfield").also(&["dscp", "dsfield", "ds"]);
    /// Total length of the packet in bytes, header included.
    total_length: u16 = 16 bits "len" .auto(Auto::Length(LengthOf::Whole)).shark("ip.len").also(&["tot_len", "length", "total_length", "tlen"]);
    /// Identification: the same in all fragments of one datagram.
    identification: u16 = 16 bits "id" .auto(Auto::Random).shark("ip.id").also(&["ident", "identification", "ipid"]);
    /// The reserved bit, RFC 3514's evil bit.
    evil: bool = 1 bits "evil" .bare().reserved().shark("ip.flags.rb").also(&["rb", "reserved"]).rfc("RFC 3514");
    /// Do not fragment.
    df: bool = 1 bits "df" .bare().default(1).shark("ip.flags.df").also(&["dontfrag", "dont_fragment"]);
    /// More fragments follow.
    mf: bool = 1 bits "mf" .bare().shark("ip.flags.mf").also(&["morefrag", "more_fragments"]);
    /// Fragment offset in units of 8 bytes.
    fragment_offset: u16 = 13 bits "off" .shark("ip.frag_offset").also(&["frag", "fragoff", "frag_off", "fragment_offset"]);
    /// Time to live, in hops.
    ttl: u8 = 8 bits "ttl" .default(64).shark("ip.ttl").also(&["time_to_live"]);
    /// The protocol of the payload.
    protocol: u8 = 8 bits "proto" .auto(Auto::Next).selects_next().names(PROTOCOLS).shark("ip.proto").also(&["protocol", "p"]);
    /// The checksum of this header.
    checksum: u16 = 16 bits "sum" .hex().auto(Auto::Checksum(SumOver::Header)).shark("ip.checksum").also(&["chksum", "csum", "checksum", "cksum", "check"]);
    /// The source address.
    source: Ipv4Addr = 32 bits "src" .auto(Auto::Source).shark("ip.src").also(&["saddr", "source", "spoof", "sip"]);
    /// The destination address.
    destination: Ipv4Addr = 32 bits "dst" .auto(Auto::Required).shark("ip.dst").also(&["daddr", "destination", "dip"]);
}

/// Words for the type of service: RFC 2474 and its successors' code points, and the ECN marks of RFC 3168.
pub static TOS: &[Name] = &[
    Name::new(0x00, "cs0", "CS0, best effort"),
    Name::new(0x01, "ect1", "ECT(1)"),
    Name::new(0x02, "ect0", "ECT(0)"),
    Name::new(0x03, "ce", "CE, congestion experienced"),
    Name::new(0x04, "le", "lower effort"),
    Name::new(0x20, "cs1", "CS1"),
    Name::new(0x28, "af11", "AF11"),
    Name::new(0x30, "af12", "AF12"),
    Name::new(0x38, "af13", "AF13"),
    Name::new(0x40, "cs2", "CS2"),
    Name::new(0x48, "af21", "AF21"),
    Name::new(0x50, "af22", "AF22"),
    Name::new(0x58, "af23", "AF23"),
    Name::new(0x60, "cs3", "CS3"),
    Name::new(0x68, "af31", "AF31"),
    Name::new(0x70, "af32", "AF32"),
    Name::new(0x78, "af33", "AF33"),
    Name::new(0x80, "cs4", "CS4"),
    Name::new(0x88, "af41", "AF41"),
    Name::new(0x90, "af42", "AF42"),
    Name::new(0x98, "af43", "AF43"),
    Name::new(0xa0, "cs5", "CS5"),
    Name::new(0xb0, "va", "voice admit"),
    Name::new(0xb8, "ef", "EF, expedited forwarding"),
    Name::new(0xc0, "cs6", "CS6"),
    Name::new(0xe0, "cs7", "CS7"),
];

/// Words for IP protocol numbers (IANA), shared by IPv4's protocol and IPv6's next header.
pub static PROTOCOLS: &[Name] = &[
    Name::new(0, "hopopt", "IPv6 hop-by-hop options"),
    Name::new(1, "icmp", "ICMP"),
    Name::new(2, "igmp", "IGMP"),
    Name::new(4, "ipip", "IPv4 in IP"),
    Name::new(6, "tcp", "TCP"),
    Name::new(17, "udp", "UDP"),
    Name::new(41, "ipv6", "IPv6 in IP"),
    Name::new(43, "route", "IPv6 routing header"),
    Name::new(44, "frag", "IPv6 fragment header"),
    Name::new(47, "gre", "GRE"),
    Name::new(50, "esp", "ESP"),
    Name::new(51, "ah", "AH"),
    Name::new(58, "icmp6", "ICMPv6"),
    Name::new(59, "nonext", "no next header"),
    Name::new(60, "dstopt", "IPv6 destination options"),
    Name::new(89, "ospf", "OSPF"),
    Name::new(112, "vrrp", "VRRP"),
    Name::new(132, "sctp", "SCTP"),
    Name::new(136, "udplite", "UDP-Lite"),
    Name::new(255, "reserved", "reserved"),
];

tlv! {
    /// The options of the IPv4 header.
    OPTIONS "IPv4 options" WholeBytes align 4 max 40 "RFC 791 §3.1" "ip";
    0 "eol" "End of option list" Single "" "RFC 791 §3.1" {}
    1 "nop" "No operation" Single "" "RFC 791 §3.1" {}
    7 "rr" "Record route" Variable "" "RFC 791 §3.1" { pointer: u8 = 8 bits "pointer" .default(4); }
    148 "ra" "Router alert" Value(2) "ip.opt.ra" "RFC 2113 §2.1" { value: u16 = 16 bits "value"; }
}

/// An IPv4 packet, its lengths judged.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The fixed header.
    pub header: View<'a>,
    /// The options, padding included: 0 to 40 bytes.
    pub options: &'a [u8],
    /// What the total length says is the payload.
    pub payload: &'a [u8],
}

/// Reads an IPv4 packet. Bytes behind its total length (Ethernet padding) are left out.
///
/// # Errors
/// When the bytes end in the header, the IHL is below 5 or beyond the bytes, or the total length is below the header
/// or beyond the bytes. The version and the checksum are not judged here.
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, ParseError> {
    let error = |offset, need, have, limited_by| ParseError { layer: Layer::Ipv4, offset, need, have, limited_by };
    let Some((header, _)) = View::split(bytes) else {
        return Err(error(0, LEN, bytes.len(), LimitedBy::Bytes));
    };
    let header_len = usize::from(header.ihl()) * 4;
    if header_len < LEN {
        return Err(error(0, 5, usize::from(header.ihl()), LimitedBy::Rule));
    }
    if header_len > bytes.len() {
        return Err(error(LEN, header_len, bytes.len(), LimitedBy::Bytes));
    }
    let total = usize::from(header.total_length());
    if total < header_len {
        return Err(error(2, header_len, total, LimitedBy::OwnLength));
    }
    if total > bytes.len() {
        return Err(error(2, total, bytes.len(), LimitedBy::Bytes));
    }
    Ok(Packet { header, options: &bytes[LEN..header_len], payload: &bytes[header_len..total] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginner's packet: TOS 1, length 0, id 54321, TTL 255, protocol TCP.
    const BEGINNERS: [u8; 20] = [
        0x45, 0x01, 0x00, 0x00, 0xd4, 0x31, 0x00, 0x00, 0xff, 0x06, 0x0c, 0x64, 192, 168, 1, 103, 192, 168, 1, 1,
    ];

    #[test]
    fn a_view_reads_every_field() {
        let v = View::new(&BEGINNERS);
        assert_eq!((v.version(), v.ihl(), v.tos(), v.total_length(), v.identification()), (4, 5, 1, 0, 54321));
        assert_eq!((v.evil(), v.df(), v.mf(), v.fragment_offset(), v.ttl()), (false, false, false, 0, 255));
        assert_eq!((v.protocol(), v.checksum()), (6, 0x0c64));
        assert_eq!((v.source(), v.destination()), (Ipv4Addr::new(192, 168, 1, 103), Ipv4Addr::new(192, 168, 1, 1)));
    }

    #[test]
    fn value_emits_what_it_parsed() {
        let header = Header::parse(&BEGINNERS);
        assert_eq!(header.to_bytes(), BEGINNERS);
        let mut bytes = BEGINNERS;
        ViewMut::new(&mut bytes).mf(true).fragment_offset(0x1fff).ttl(1);
        assert_eq!((bytes[6], bytes[7], bytes[8]), (0x3f, 0xff, 1));
        assert!(!View::new(&bytes).df());
    }

    #[test]
    fn lengths_are_judged_and_the_error_says_where() {
        let fault = |bytes: &[u8]| parse(bytes).map(|_| ()).unwrap_err();
        assert_eq!(fault(&BEGINNERS[..19]).need, 20);
        assert_eq!((fault(&BEGINNERS).offset, fault(&BEGINNERS).limited_by), (2, LimitedBy::OwnLength));
        let mut good = BEGINNERS;
        ViewMut::new(&mut good).total_length(20);
        assert_eq!(parse(&good).unwrap().payload, b"");
        ViewMut::new(&mut good).ihl(4);
        assert_eq!(fault(&good).limited_by, LimitedBy::Rule);
        ViewMut::new(&mut good).ihl(6);
        assert_eq!((fault(&good).need, fault(&good).have), (24, 20));
    }
}
