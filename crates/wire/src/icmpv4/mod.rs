//! RFC 792: ICMP for IPv4: type, code, checksum, and a body chosen by the type.
//!
//! In: the payload of an IPv4 packet.
//! Out: type, code, and the body as an enum; for errors the packet that they quote.
//! Above: craft, stack, hand, inspect. Below: the tables' macros.
//! Not here: whether an error is believed (stack), what a quote belongs to (hand).

use crate::{Auto, Layer, LimitedBy, Name, ParseError, SumOver};

pub mod body;
pub mod extended_echo;

pub use body::{Body, VARIANTS};

header! {
    "icmp" 4 bytes "Internet Control Message Protocol" "RFC 792"
        => variants(VARIANTS) => shark("icmp") => also(&["icmpv4", "icmp4", "ping"]);
    /// What kind of message it is; it chooses the body.
    message_type: u8 = 8 bits "type" .default(8).selects_next().names(TYPES).shark("icmp.type")
        .also(&["icmp_type", "icmptype", "message_type", "icmp_message", "kind"]);
    /// What it says more precisely; its meaning depends on the type.
    code: u8 = 8 bits "code" .shark("icmp.code").also(&["icmp_code", "icmpcode", "subtype", "reason"]);
    /// The checksum of the whole message.
    checksum: u16 = 16 bits "sum" .hex().auto(Auto::Checksum(SumOver::Message)).shark("icmp.checksum")
        .also(&["chksum", "csum", "checksum", "cksum", "check", "icmp_cksum", "badsum", "badcksum", "crc"]);
}

/// Message types (IANA).
pub mod message_type {
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 0;
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 3;
    /// Source quench, deprecated by RFC 6633.
    pub const SOURCE_QUENCH: u8 = 4;
    /// Redirect.
    pub const REDIRECT: u8 = 5;
    /// Echo request.
    pub const ECHO: u8 = 8;
    /// Router advertisement (RFC 1256).
    pub const ROUTER_ADVERTISEMENT: u8 = 9;
    /// Router solicitation (RFC 1256).
    pub const ROUTER_SOLICITATION: u8 = 10;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 11;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 12;
    /// Timestamp request.
    pub const TIMESTAMP: u8 = 13;
    /// Timestamp reply.
    pub const TIMESTAMP_REPLY: u8 = 14;
    /// Address mask request, deprecated by RFC 6918.
    pub const MASK: u8 = 17;
    /// Address mask reply, deprecated by RFC 6918.
    pub const MASK_REPLY: u8 = 18;
}

/// Codes of destination unreachable (IANA).
pub mod unreachable_code {
    /// Network unreachable.
    pub const NET: u8 = 0;
    /// Host unreachable.
    pub const HOST: u8 = 1;
    /// Protocol unreachable.
    pub const PROTOCOL: u8 = 2;
    /// Port unreachable.
    pub const PORT: u8 = 3;
    /// Fragmentation needed and DF set.
    pub const FRAGMENTATION_NEEDED: u8 = 4;
    /// Communication administratively prohibited.
    pub const ADMIN_PROHIBITED: u8 = 13;
}

/// Words for message types.
pub static TYPES: &[Name] = &[
    Name::new(0, "reply", "echo reply").also(&["echo_reply", "echoreply", "pong"]),
    Name::new(3, "unreach", "destination unreachable").also(&[
        "dest_unreach",
        "destination_unreachable",
        "unreachable",
        "dest_unreachable",
        "destunreach",
        "du",
    ]),
    Name::new(4, "quench", "source quench").also(&["source_quench", "sourcequench", "sour_que", "sq"]),
    Name::new(5, "redirect", "redirect").also(&["redi", "icmp_redirect"]),
    Name::new(8, "echo", "echo request").also(&["echo_request", "echorequest", "ping", "request", "echo_req"]),
    Name::new(9, "advert", "router advertisement").also(&[
        "router_advertisement",
        "router_advert",
        "rout_adv",
        "routeradvert",
        "ra",
    ]),
    Name::new(10, "solicit", "router solicitation").also(&[
        "router_solicitation",
        "router_solicit",
        "rout_sol",
        "routersolicit",
        "rs",
    ]),
    Name::new(11, "exceeded", "time exceeded").also(&[
        "time_exceeded",
        "timxceed",
        "timexceeded",
        "ttl_exceeded",
        "time_exc",
        "timex",
        "te",
    ]),
    Name::new(12, "paramprob", "parameter problem").also(&[
        "parameter_problem",
        "param_problem",
        "parameterproblem",
        "paramproblem",
        "param_pro",
        "pp",
    ]),
    Name::new(13, "tstamp", "timestamp request").also(&["timestamp_request", "timestamp", "timest", "tstampreq", "tm"]),
    Name::new(14, "tsreply", "timestamp reply").also(&["timestamp_reply", "timest_rep", "tstampreply", "tmr"]),
    Name::new(15, "info", "information request").also(&["information_request", "ireq", "information"]),
    Name::new(16, "inforeply", "information reply").also(&["information_response", "information_reply", "ireqreply"]),
    Name::new(17, "mask", "address mask request").also(&[
        "address_mask_request",
        "maskreq",
        "address_mask",
        "mask_request",
        "netmask",
        "mas",
    ]),
    Name::new(18, "maskreply", "address mask reply").also(&["address_mask_reply", "mask_reply", "mas_rep"]),
    Name::new(30, "traceroute", "traceroute").also(&["trace"]),
    Name::new(42, "extecho", "extended echo request").also(&["extended_echo_request", "probe"]),
    Name::new(43, "extreply", "extended echo reply").also(&["extended_echo_reply"]),
];

icmp_message!(Icmpv4);
