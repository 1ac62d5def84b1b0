//! RFC 4443: ICMP for IPv6: type, code, checksum, and a body chosen by the type; RFC 4861: neighbour discovery.
//!
//! In: the upper layer of an IPv6 packet.
//! Out: type, code, and the body as an enum; for errors the packet that they quote.
//! Above: craft, stack, hand, inspect. Below: the tables' macros.
//! Not here: whether an error or an advertisement is believed (stack).

use crate::{Auto, Layer, LimitedBy, Name, ParseError, SumOver};

pub mod body;
pub mod extended_echo;
pub mod mld;
pub mod mobile;
pub mod multicast_router;
pub mod ndp;
pub mod node_information;

pub use body::{Body, VARIANTS};

header! {
    "icmp6" 4 bytes "Internet Control Message Protocol for IPv6" "RFC 4443 §2.1"
        => variants(VARIANTS) => shark("icmpv6") => also(&["icmpv6", "icmpv6echorequest", "icmpv6echoreply", "ping6", "ipv6_icmp", "ndp", "nd"]);
    /// What kind of message it is; it chooses the body.
    message_type: u8 = 8 bits "type" .default(128).selects_next().names(TYPES).shark("icmpv6.type")
        .also(&["icmp_type", "icmpv6_type", "icmp6_type", "icmptype", "message_type", "kind"]);
    /// What it says more precisely; its meaning depends on the type.
    code: u8 = 8 bits "code" .shark("icmpv6.code").also(&["icmp_code", "icmpv6_code", "icmp6_code", "icmpcode", "reason"]);
    /// The checksum of pseudo-header and message.
    checksum: u16 = 16 bits "sum" .hex().auto(Auto::Checksum(SumOver::PseudoHeaderAndMessage)).shark("icmpv6.checksum")
        .also(&["chksum", "csum", "checksum", "cksum", "check", "icmp6_cksum", "badsum", "badcksum", "crc"]);
}

/// Message types (IANA).
pub mod message_type {
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 1;
    /// Packet too big.
    pub const TOO_BIG: u8 = 2;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 3;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 4;
    /// Echo request.
    pub const ECHO: u8 = 128;
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 129;
    /// Router solicitation.
    pub const ROUTER_SOLICITATION: u8 = 133;
    /// Router advertisement.
    pub const ROUTER_ADVERTISEMENT: u8 = 134;
    /// Neighbour solicitation.
    pub const NEIGHBOR_SOLICITATION: u8 = 135;
    /// Neighbour advertisement.
    pub const NEIGHBOR_ADVERTISEMENT: u8 = 136;
    /// Redirect.
    pub const REDIRECT: u8 = 137;
}

/// Codes of destination unreachable (RFC 4443 §3.1).
pub mod unreachable_code {
    /// No route to destination.
    pub const NO_ROUTE: u8 = 0;
    /// Communication administratively prohibited.
    pub const ADMIN_PROHIBITED: u8 = 1;
    /// Beyond scope of source address.
    pub const BEYOND_SCOPE: u8 = 2;
    /// Address unreachable.
    pub const ADDRESS: u8 = 3;
    /// Port unreachable.
    pub const PORT: u8 = 4;
    /// Source address failed ingress or egress policy.
    pub const POLICY: u8 = 5;
    /// Reject route to destination.
    pub const REJECT_ROUTE: u8 = 6;
}

/// Types below this are errors (RFC 4443 §2.1).
pub const INFORMATIONAL_MIN: u8 = 128;

/// Words for message types.
pub static TYPES: &[Name] = &[
    Name::new(1, "unreach", "destination unreachable").also(&[
        "dest_unreach",
        "destination_unreachable",
        "unreachable",
        "dest_unreachable",
        "destunreach",
    ]),
    Name::new(2, "toobig", "packet too big").also(&["packet_too_big", "too_big", "packettoobig", "ptb", "pkttoobig"]),
    Name::new(3, "exceeded", "time exceeded").also(&[
        "time_exceeded",
        "ttl_exceeded",
        "timexceeded",
        "timxceed",
        "hop_limit_exceeded",
        "timex",
    ]),
    Name::new(4, "paramprob", "parameter problem").also(&[
        "parameter_problem",
        "param_problem",
        "parameterproblem",
        "paramproblem",
    ]),
    Name::new(128, "echo", "echo request").also(&[
        "echo_request",
        "echorequest",
        "ping",
        "ping6",
        "request",
        "echo_req",
    ]),
    Name::new(129, "reply", "echo reply").also(&["echo_reply", "echoreply", "pong"]),
    Name::new(130, "mldquery", "multicast listener query").also(&["mld_query", "mld_listener_query", "listener_query"]),
    Name::new(131, "mldreport", "multicast listener report").also(&[
        "mld_report",
        "mld_listener_report",
        "listener_report",
    ]),
    Name::new(132, "mlddone", "multicast listener done").also(&[
        "mld_done",
        "mld_listener_done",
        "mld_listener_reduction",
    ]),
    Name::new(133, "rs", "router solicitation").also(&[
        "router_solicitation",
        "router_solicit",
        "routersolicit",
        "nd_router_solicit",
        "nd_rs",
        "solicit",
    ]),
    Name::new(134, "ra", "router advertisement").also(&[
        "router_advertisement",
        "router_advert",
        "routeradvert",
        "nd_router_advert",
        "nd_ra",
        "advert",
    ]),
    Name::new(135, "ns", "neighbour solicitation").also(&[
        "neighbor_solicitation",
        "neighbour_solicitation",
        "neighbor_solicit",
        "nd_neighbor_solicit",
        "nd_ns",
    ]),
    Name::new(136, "na", "neighbour advertisement").also(&[
        "neighbor_advertisement",
        "neighbour_advertisement",
        "neighbor_advert",
        "nd_neighbor_advert",
        "nd_na",
    ]),
    Name::new(137, "redirect", "redirect").also(&["nd_redirect"]),
    Name::new(138, "renumber", "router renumbering").also(&["router_renumbering"]),
    Name::new(139, "nodequery", "node information query").also(&["node_information_query", "ni_query", "niquery"]),
    Name::new(140, "nodereply", "node information reply").also(&["node_information_reply", "ni_reply", "nireply"]),
    Name::new(141, "indsolicit", "inverse neighbour discovery solicitation").also(&["ind_sol", "ind_solicitation"]),
    Name::new(142, "indadvert", "inverse neighbour discovery advertisement").also(&["ind_adv", "ind_advertisement"]),
    Name::new(143, "mld2report", "multicast listener report, version 2")
        .also(&["mldv2_report", "mld2_listener_report"]),
    Name::new(144, "haquery", "home agent address discovery request").also(&["haad_request", "haadrequest"]),
    Name::new(145, "hareply", "home agent address discovery reply").also(&["haad_reply", "haadreply"]),
    Name::new(146, "mpsolicit", "mobile prefix solicitation").also(&["mobile_prefix_solicitation", "mps"]),
    Name::new(147, "mpadvert", "mobile prefix advertisement").also(&["mobile_prefix_advertisement", "mpa"]),
    Name::new(148, "certsolicit", "certification path solicitation").also(&["cps"]),
    Name::new(149, "certadvert", "certification path advertisement").also(&["cpa"]),
    Name::new(151, "mradvert", "multicast router advertisement").also(&["mrd_advertisement", "mrd_advert"]),
    Name::new(152, "mrsolicit", "multicast router solicitation").also(&["mrd_solicitation", "mrd_solicit"]),
    Name::new(153, "mrend", "multicast router termination").also(&["mrd_termination"]),
    Name::new(155, "rpl", "RPL control message"),
    Name::new(157, "dupquery", "duplicate address request"),
    Name::new(158, "dupreply", "duplicate address confirmation"),
    Name::new(160, "extecho", "extended echo request").also(&["extended_echo_request", "probe"]),
    Name::new(161, "extreply", "extended echo reply").also(&["extended_echo_reply"]),
];

icmp_message!(Icmpv6);
