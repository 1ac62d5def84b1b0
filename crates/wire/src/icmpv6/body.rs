//! The bodies of ICMPv6 messages: what stands behind type, code and checksum.

use super::{extended_echo, message_type as types, mld, mobile, multicast_router, ndp, node_information};
use crate::icmp::EXTENDED_REPLY_CODES;
use crate::{Name, ParseError, Variant};

/// Echo request and reply (RFC 4443 §4).
pub mod echo {
    use crate::Auto;

    header! {
        "icmp6.echo" 4 bytes "Echo" "RFC 4443 §4.1";
        /// Tells one asker from another.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmpv6.echo.identifier")
            .also(&["icmp6_id", "ident", "identifier", "icmp_id", "icmpv6_id", "icmpid", "echo_id"]);
        /// Tells one question from another.
        sequence: u16 = 16 bits "seq" .shark("icmpv6.echo.sequence_number")
            .also(&["icmp6_seq", "sequence", "sequence_number", "icmp_seq", "icmpv6_seq", "icmpseq", "seqno"]);
    }
}

/// Destination unreachable (RFC 4443 §3.1, RFC 4884).
pub mod unreachable {
    header! {
        "icmp6.unreach" 4 bytes "Destination unreachable" "RFC 4443 §3.1";
        /// Length of the quoted packet in units of 8 bytes; 0 unless extensions follow it.
        length: u8 = 8 bits "qlen" .reserved().also(&["length", "len", "quote_length"]).rfc("RFC 4884 §4.4");
        /// Unused.
        unused: u32 = 24 bits "unused" .hex().reserved().also(&["reserved"]);
    }
}

/// Packet too big (RFC 4443 §3.2).
pub mod too_big {
    header! {
        "icmp6.toobig" 4 bytes "Packet too big" "RFC 4443 §3.2";
        /// The next hop's MTU in bytes.
        mtu: u32 = 32 bits "mtu" .default(1280).shark("icmpv6.mtu").also(&["icmp6_mtu", "nexthopmtu", "next_hop_mtu", "pmtu"]);
    }
}

/// Time exceeded (RFC 4443 §3.3, RFC 4884).
pub mod time_exceeded {
    header! {
        "icmp6.exceeded" 4 bytes "Time exceeded" "RFC 4443 §3.3";
        /// Length of the quoted packet in units of 8 bytes; 0 unless extensions follow it.
        length: u8 = 8 bits "qlen" .reserved().also(&["length", "len", "quote_length"]).rfc("RFC 4884 §4.5");
        /// Unused.
        unused: u32 = 24 bits "unused" .hex().reserved().also(&["reserved"]);
    }
}

/// Parameter problem (RFC 4443 §3.4).
pub mod parameter_problem {
    header! {
        "icmp6.paramprob" 4 bytes "Parameter problem" "RFC 4443 §3.4";
        /// The offending byte of the quoted packet.
        pointer: u32 = 32 bits "ptr" .shark("icmpv6.pointer").also(&["icmp6_pptr", "pointer"]);
    }
}

/// Words for the codes of destination unreachable (IANA).
pub static UNREACHABLE_CODES: &[Name] = &[
    Name::new(0, "noroute", "no route to destination").also(&["no_route", "net", "net_unreachable"]),
    Name::new(1, "adminprohib", "communication administratively prohibited").also(&[
        "communication_prohibited",
        "admin_prohibited",
        "prohib",
        "prohibited",
    ]),
    Name::new(2, "scope", "beyond scope of source address").also(&["beyond_scope", "beyondscope", "scope_mismatch"]),
    Name::new(3, "addr", "address unreachable").also(&[
        "address_unreachable",
        "addr_unreachable",
        "host",
        "host_unreachable",
    ]),
    Name::new(4, "port", "port unreachable").also(&["port_unreachable"]),
    Name::new(5, "policy", "source address failed policy").also(&["failed_policy", "policy_fail"]),
    Name::new(6, "reject", "reject route to destination").also(&["reject_route"]),
    Name::new(7, "srcroute", "error in source routing header").also(&["source_routing_header"]),
];

/// Words for the codes of time exceeded.
pub static EXCEEDED_CODES: &[Name] = &[
    Name::new(0, "hops", "hop limit exceeded in transit").also(&[
        "ttl_zero_during_transit",
        "hop_limit",
        "ttl",
        "transit",
    ]),
    Name::new(1, "reassembly", "fragment reassembly time exceeded").also(&["ttl_zero_during_reassembly", "reassem"]),
];

/// Words for the codes of parameter problem.
pub static PROBLEM_CODES: &[Name] = &[
    Name::new(0, "field", "erroneous header field").also(&["bad_header", "header_field", "hdr_field"]),
    Name::new(1, "nexthdr", "unrecognized next header").also(&["unknown_header_type", "next_header", "nxt_hdr"]),
    Name::new(2, "option", "unrecognized IPv6 option").also(&["unknown_option", "opt"]),
    Name::new(3, "chain", "first fragment has incomplete header chain").also(&["incomplete_chain"]),
];

/// The bodies by message type.
pub static VARIANTS: &[Variant] = &[
    Variant::new(&[1], &unreachable::DESC).quotes().codes(UNREACHABLE_CODES),
    Variant::new(&[2], &too_big::DESC).quotes(),
    Variant::new(&[3], &time_exceeded::DESC).quotes().codes(EXCEEDED_CODES),
    Variant::new(&[4], &parameter_problem::DESC).quotes().codes(PROBLEM_CODES),
    Variant::new(&[128, 129], &echo::DESC),
    // RFC 3810 §8.1: a query of 28 bytes and more is one of version 2.
    Variant::new(&[130], &mld::query::DESC).hop_limit(mld::HOP_LIMIT).whole().least(mld::query::LEN),
    Variant::new(&[130], &mld::QUERY_V1).hop_limit(mld::HOP_LIMIT).short(),
    Variant::new(&[131, 132], &mld::DESC).hop_limit(mld::HOP_LIMIT),
    Variant::new(&[133], &ndp::rs::DESC).hop_limit(ndp::HOP_LIMIT),
    Variant::new(&[134], &ndp::ra::DESC).hop_limit(ndp::HOP_LIMIT),
    Variant::new(&[135], &ndp::ns::DESC).hop_limit(ndp::HOP_LIMIT),
    Variant::new(&[136], &ndp::na::DESC).hop_limit(ndp::HOP_LIMIT),
    Variant::new(&[137], &ndp::redirect::DESC).hop_limit(ndp::HOP_LIMIT),
    Variant::new(&[139], &node_information::DESC).codes(node_information::QUERY_CODES),
    Variant::new(&[140], &node_information::DESC).codes(node_information::REPLY_CODES),
    Variant::new(&[143], &mld::report::DESC).hop_limit(mld::HOP_LIMIT),
    Variant::new(&[144, 145, 146], &mobile::discovery::DESC),
    Variant::new(&[147], &mobile::prefix::DESC),
    Variant::new(&[151], &multicast_router::DESC).hop_limit(multicast_router::HOP_LIMIT),
    Variant::new(&[160], &extended_echo::request::DESC),
    Variant::new(&[161], &extended_echo::reply::DESC).codes(EXTENDED_REPLY_CODES),
];

/// The body of a message, by its type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Body<'a> {
    /// Destination unreachable, and the quoted packet.
    Unreachable(unreachable::View<'a>, &'a [u8]),
    /// Packet too big, and the quoted packet.
    TooBig(too_big::View<'a>, &'a [u8]),
    /// Time exceeded, and the quoted packet.
    TimeExceeded(time_exceeded::View<'a>, &'a [u8]),
    /// Parameter problem, and the quoted packet.
    ParameterProblem(parameter_problem::View<'a>, &'a [u8]),
    /// Echo request or reply, and its data.
    Echo(echo::View<'a>, &'a [u8]),
    /// Router solicitation, and its options.
    RouterSolicitation(ndp::rs::View<'a>, &'a [u8]),
    /// Router advertisement, and its options.
    RouterAdvertisement(ndp::ra::View<'a>, &'a [u8]),
    /// Neighbour solicitation, and its options.
    NeighborSolicitation(ndp::ns::View<'a>, &'a [u8]),
    /// Neighbour advertisement, and its options.
    NeighborAdvertisement(ndp::na::View<'a>, &'a [u8]),
    /// Redirect, and its options.
    Redirect(ndp::redirect::View<'a>, &'a [u8]),
    /// Any other type: all behind the checksum.
    Other(&'a [u8]),
}

icmp_bodies! {
    UNREACHABLE => Unreachable(unreachable),
    TOO_BIG => TooBig(too_big),
    TIME_EXCEEDED => TimeExceeded(time_exceeded),
    PARAMETER_PROBLEM => ParameterProblem(parameter_problem),
    ECHO | ECHO_REPLY => Echo(echo),
    ROUTER_SOLICITATION => RouterSolicitation(ndp::rs),
    ROUTER_ADVERTISEMENT => RouterAdvertisement(ndp::ra),
    NEIGHBOR_SOLICITATION => NeighborSolicitation(ndp::ns),
    NEIGHBOR_ADVERTISEMENT => NeighborAdvertisement(ndp::na),
    REDIRECT => Redirect(ndp::redirect),
}
