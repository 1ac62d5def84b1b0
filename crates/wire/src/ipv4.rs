//! RFC 791 §3.1: the IPv4 header.

use core::net::Ipv4Addr;

use crate::{Auto, FieldDesc, Kind, Layer, LengthOf, LimitedBy, Name, ParseError, SumOver};

header! {
    "ip" 20 bytes "Internet Protocol, version 4" "RFC 791 §3.1"
        => options(&OPTIONS) => shark("ip") => also(&["ipv4", "ip4", "inet"]);
    /// The version of the header: 4.
    version: u8 = 4 bits "ver" .default(4).shark("ip.version").also(&["ip_v", "version", "v", "ip_version"]);
    /// Internet header length in units of 4 bytes: 5 without options.
    ihl: u8 = 4 bits "ihl" .auto(Auto::Length(LengthOf::HeaderWords)).shark("ip.hdr_len")
        .also(&["hlen", "hl", "hdr_len", "header_length", "headerlen", "ip_hl"]);
    /// Type of service: DSCP in the high six bits (RFC 2474), ECN in the low two (RFC 3168).
    tos: u8 = 8 bits "tos" .hex().names(TOS).shark("ip.dsfield")
        .also(&["dscp", "dsfield", "ds", "ecn", "tc", "tclass", "type_of_service", "ip_tos", "diffserv"]);
    /// Total length of the packet in bytes, header included.
    total_length: u16 = 16 bits "len" .auto(Auto::Length(LengthOf::Whole)).shark("ip.len")
        .also(&["iplen", "tot_len", "length", "total_length", "totlen", "tlen", "ip_len", "plen"]);
    /// Identification: the same in all fragments of one datagram.
    identification: u16 = 16 bits "id" .auto(Auto::Random).shark("ip.id")
        .also(&["ident", "identification", "ipid", "ip_id", "identifier"]);
    /// The reserved bit, RFC 3514's evil bit.
    evil: bool = 1 bits "evil" .bare().reserved().shark("ip.flags.rb").also(&["rb", "reserved", "rf", "ce"]).rfc("RFC 3514");
    /// Do not fragment.
    df: bool = 1 bits "df" .bare().default(1).shark("ip.flags.df")
        .also(&["dontfrag", "dont_fragment", "dont_frag", "dontfragment", "no_frag", "nofrag", "flags", "ip_flags"]);
    /// More fragments follow.
    mf: bool = 1 bits "mf" .bare().shark("ip.flags.mf")
        .also(&["morefrag", "more_fragments", "more_frag", "morefragments", "more", "frags"]);
    /// Fragment offset in units of 8 bytes.
    fragment_offset: u16 = 13 bits "off" .shark("ip.frag_offset")
        .also(&["frag", "fragoff", "frag_off", "frag_offset", "fragment_offset", "fragment", "offset", "ip_off"]);
    /// Time to live, in hops.
    ttl: u8 = 8 bits "ttl" .default(64).shark("ip.ttl")
        .also(&["time_to_live", "timetolive", "hlim", "hop_limit", "hoplimit", "hops", "ip_ttl"]);
    /// The protocol of the payload.
    protocol: u8 = 8 bits "proto" .auto(Auto::Next).selects_next().names(PROTOCOLS).shark("ip.proto")
        .also(&["protocol", "p", "ip_p", "ipproto", "ip_proto", "nh", "nxt", "next_header"]);
    /// The checksum of this header.
    checksum: u16 = 16 bits "sum" .hex().auto(Auto::Checksum(SumOver::Header)).shark("ip.checksum")
        .also(&["bad_cksum", "chksum", "csum", "checksum", "cksum", "check", "ip_sum", "badsum", "badsum_ip", "crc"]);
    /// The source address.
    source: Ipv4Addr = 32 bits "src" .auto(Auto::Source).shark("ip.src")
        .also(&["spoof_ip", "saddr", "source", "spoof", "sip", "source_ip", "src_ip", "srcip", "ip_src", "from", "rand_source"]);
    /// The destination address.
    destination: Ipv4Addr = 32 bits "dst" .auto(Auto::Required).shark("ip.dst")
        .also(&["daddr", "destination", "dip", "dest_ip", "dst_ip", "dstip", "ip_dst", "dest", "to", "target", "host", "rand_dest"]);
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
    Name::new(0, "hopopt", "IPv6 hop-by-hop options").also(&["hbh", "hop_by_hop", "hopbyhop", "ip"]),
    Name::new(1, "icmp", "ICMP").also(&["icmpv4", "icmp4"]),
    Name::new(2, "igmp", "IGMP"),
    Name::new(4, "ipip", "IPv4 in IP").also(&["ipencap", "ip_in_ip", "ip4", "ipv4"]),
    Name::new(6, "tcp", "TCP"),
    Name::new(17, "udp", "UDP"),
    Name::new(41, "ipv6", "IPv6 in IP").also(&["ip6", "6in4", "sit"]),
    Name::new(43, "route", "IPv6 routing header").also(&["ipv6_route", "routing", "rh"]),
    Name::new(44, "frag", "IPv6 fragment header").also(&["ipv6_frag", "fragment"]),
    Name::new(47, "gre", "GRE"),
    Name::new(50, "esp", "ESP").also(&["ipsec"]),
    Name::new(51, "ah", "AH"),
    Name::new(58, "icmp6", "ICMPv6").also(&["icmpv6", "ipv6_icmp"]),
    Name::new(59, "nonext", "no next header").also(&["ipv6_nonxt", "none", "no_next"]),
    Name::new(60, "dstopt", "IPv6 destination options").also(&["ipv6_opts", "dstopts", "destopt"]),
    Name::new(89, "ospf", "OSPF").also(&["ospfigp"]),
    Name::new(103, "pim", "PIM"),
    Name::new(112, "vrrp", "VRRP").also(&["carp"]),
    Name::new(132, "sctp", "SCTP"),
    Name::new(136, "udplite", "UDP-Lite"),
    Name::new(255, "reserved", "reserved").also(&["raw"]),
];

/// Words for the classification levels of the security option (RFC 1108 §2.3).
pub static LEVELS: &[Name] = &[
    Name::new(0x3d, "topsecret", "top secret").also(&["top_secret"]),
    Name::new(0x5a, "secret", "secret"),
    Name::new(0x96, "confidential", "confidential"),
    Name::new(0xab, "unclassified", "unclassified"),
];

/// The places of a recorded or given route.
const ADDRESSES: &[FieldDesc] = &[FieldDesc::new("address", "address", "ip.rr.address", 0, 32, Kind::Ipv4)];
/// The times of the timestamp option; with flags 1 and 3 each stands behind the address of who wrote it.
const TIMES: &[FieldDesc] = &[FieldDesc::new("time", "time", "ip.ts.time", 0, 32, Kind::Number)];

tlv! {
    /// The options of the IPv4 header.
    OPTIONS "IPv4 options" WholeBytes align 4 max 40 "RFC 791 §3.1" "ip";
    0 "eol" "End of option list" Single "" "RFC 791 §3.1" also ["end", "eool"] {}
    1 "nop" "No operation" Single "" "RFC 791 §3.1" also ["noop", "pad"] {}
    7 "rr" "Record route" Variable "" "RFC 791 §3.1" also ["record_route", "recordroute"] then ADDRESSES {
        pointer: u8 = 8 bits "pointer" .default(4).shark("ip.opt.ptr");
    }
    11 "mtup" "MTU probe" Value(2) "" "RFC 1063 §3.1" also ["mtu_probe", "probe_mtu"] {
        mtu: u16 = 16 bits "mtu" .default(1500).shark("ip.opt.mtu");
    }
    12 "mtur" "MTU reply" Value(2) "" "RFC 1063 §3.1" also ["mtu_reply", "reply_mtu"] {
        mtu: u16 = 16 bits "mtu" .default(1500).shark("ip.opt.mtu");
    }
    25 "qs" "Quick-Start" Value(6) "" "RFC 4782 §3.1" also ["quick_start", "quickstart"] {
        function: u8 = 4 bits "func" .shark("ip.opt.qs_func").also(&["function"]);
        rate: u8 = 4 bits "rate" .shark("ip.opt.qs_rate");
        ttl: u8 = 8 bits "ttl" .shark("ip.opt.qs_ttl");
        nonce: u32 = 30 bits "nonce" .hex().shark("ip.opt.qs_nonce");
        reserved: u8 = 2 bits "res" .reserved().shark("ip.opt.qs_reserved").also(&["reserved"]);
    }
    68 "ts" "Internet timestamp" Variable "" "RFC 791 §3.1" also ["timestamp", "tstamp"] then TIMES {
        pointer: u8 = 8 bits "pointer" .default(5).shark("ip.opt.ptr");
        overflow: u8 = 4 bits "overflow" .shark("ip.opt.overflow");
        flag: u8 = 4 bits "flag" .shark("ip.opt.flag");
    }
    82 "tr" "Traceroute" Value(10) "" "RFC 1393" also ["traceroute", "trace_route"] {
        identifier: u16 = 16 bits "id" .shark("ip.opt.id_number").also(&["id_number"]);
        outbound_hops: u16 = 16 bits "out" .shark("ip.opt.ohc").also(&["ohc"]);
        return_hops: u16 = 16 bits "back" .default(65_535).shark("ip.opt.rhc").also(&["rhc"]);
        originator: Ipv4Addr = 32 bits "from" .shark("ip.opt.originator").also(&["originator"]);
    }
    130 "sec" "Security" Variable "" "RFC 1108 §2" also ["security", "basic_security"] {
        level: u8 = 8 bits "level" .default(0xab).names(LEVELS).also(&["classification"]);
    }
    131 "lsrr" "Loose source and record route" Variable "" "RFC 791 §3.1" also ["loose", "loose_source_route"] then ADDRESSES {
        pointer: u8 = 8 bits "pointer" .default(4).shark("ip.opt.ptr");
    }
    133 "esec" "Extended security" Variable "" "RFC 1108 §3" also ["extended_security", "e_sec"] {
        format: u8 = 8 bits "format" .shark("ip.opt.ext_sec_add_sec_info_format_code").also(&["format_code"]);
    }
    134 "cipso" "Commercial security" Variable "" "FIPS 188" also ["commercial_security", "c_sec"] {
        domain: u32 = 32 bits "doi" .default(1).also(&["domain"]);
    }
    136 "sid" "Stream identifier" Value(2) "ip.opt.sid" "RFC 791 §3.1" also ["stream_id", "satid"] {
        stream: u16 = 16 bits "stream" .shark("ip.opt.sid");
    }
    137 "ssrr" "Strict source and record route" Variable "" "RFC 791 §3.1" also ["strict", "strict_source_route"] then ADDRESSES {
        pointer: u8 = 8 bits "pointer" .default(4).shark("ip.opt.ptr");
    }
    148 "ra" "Router alert" Value(2) "ip.opt.ra" "RFC 2113 §2.1" also ["router_alert", "rtralert"] {
        value: u16 = 16 bits "value" .shark("ip.opt.ra");
    }
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
    const BEGINNERS: [u8; 20] =
        [0x45, 0x01, 0x00, 0x00, 0xd4, 0x31, 0x00, 0x00, 0xff, 0x06, 0x0c, 0x64, 192, 168, 1, 103, 192, 168, 1, 1];

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
