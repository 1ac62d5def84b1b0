//! The bodies of ICMPv4 messages: what stands behind type, code and checksum.

use super::{extended_echo, message_type as types};
use crate::icmp::EXTENDED_REPLY_CODES;
use crate::{Name, ParseError, Variant};

/// Echo request and reply (RFC 792).
pub mod echo {
    use crate::Auto;

    header! {
        "icmp.echo" 4 bytes "Echo" "RFC 792";
        /// Tells one asker from another.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmp.ident")
            .also(&["icmp_ipid", "ident", "identifier", "icmp_id", "icmpid", "echo_id"]);
        /// Tells one question from another.
        sequence: u16 = 16 bits "seq" .shark("icmp.seq").also(&["icmp_ipseq", "sequence", "icmp_seq", "icmpseq", "seqno", "sequence_number"]);
    }
}

/// Destination unreachable (RFC 792, RFC 1191, RFC 4884).
pub mod unreachable {
    header! {
        "icmp.unreach" 4 bytes "Destination unreachable" "RFC 792";
        /// Unused.
        unused: u8 = 8 bits "unused" .reserved().shark("icmp.unused").also(&["reserved"]);
        /// Length of the quoted packet in units of 4 bytes; 0 unless extensions follow it.
        length: u8 = 8 bits "qlen" .reserved().shark("icmp.length").also(&["length", "len", "quote_length"]).rfc("RFC 4884 §4.1");
        /// The next hop's MTU in bytes, where fragmentation was needed.
        mtu: u16 = 16 bits "mtu" .shark("icmp.mtu").also(&["icmp_nextmtu", "nexthopmtu", "next_hop_mtu", "pmtu"]).rfc("RFC 1191 §4");
    }
}

/// Messages whose four bytes are unused: source quench, router solicitation.
pub mod unused {
    header! {
        "icmp.unused" 4 bytes "Unused" "RFC 792";
        /// Unused.
        unused: u32 = 32 bits "unused" .hex().reserved().also(&["reserved"]);
    }
}

/// Redirect (RFC 792).
pub mod redirect {
    use core::net::Ipv4Addr;

    header! {
        "icmp.redirect" 4 bytes "Redirect" "RFC 792";
        /// The router to use instead.
        gateway: Ipv4Addr = 32 bits "gw" .shark("icmp.redir_gw")
            .also(&["gateway", "redir_gw", "icmp_gw", "icmp_redirect_addr", "router"]);
    }
}

/// Router advertisement (RFC 1256); the routers' addresses and preferences follow.
pub mod router_advertisement {
    use crate::Auto;

    tlv! {
        /// The routers, each with how much it is preferred.
        ROUTERS "routers" Entries align 1 max 2040 "RFC 1256 §3" "icmp";
        0 "router" "Router" Entry(8) "" "RFC 1256 §3" also ["icmp_advert_addr", "raddr"] {
            address: core::net::Ipv4Addr = 32 bits "address" .also(&["router_address"]);
            preference: u32 = 32 bits "pref" .also(&["preference", "preference_level"]);
        }
    }

    header! {
        "icmp.advert" 4 bytes "Router advertisement" "RFC 1256 §3" => options(&ROUTERS);
        /// How many addresses follow.
        count: u8 = 8 bits "count" .auto(Auto::Entries(8)).shark("icmp.num_addrs").also(&["num_addrs", "addrs", "icmp_advert_entry"]);
        /// Size of an entry in units of 4 bytes: 2.
        entry_size: u8 = 8 bits "size" .default(2).shark("icmp.addr_entry_size").also(&["entry_size", "addr_entry_size"]);
        /// For how many seconds the addresses hold.
        lifetime: u16 = 16 bits "life" .default(1800).shark("icmp.lifetime").also(&["lifetime", "icmp_advert_lifetime"]);
    }
}

/// Time exceeded (RFC 792, RFC 4884).
pub mod time_exceeded {
    header! {
        "icmp.exceeded" 4 bytes "Time exceeded" "RFC 792";
        /// Unused.
        unused: u8 = 8 bits "unused" .reserved().shark("icmp.unused").also(&["reserved"]);
        /// Length of the quoted packet in units of 4 bytes; 0 unless extensions follow it.
        length: u8 = 8 bits "qlen" .reserved().shark("icmp.length").also(&["length", "len", "quote_length"]).rfc("RFC 4884 §4.2");
        /// Unused.
        unused_too: u16 = 16 bits "unused2" .reserved().shark("icmp.unused");
    }
}

/// Parameter problem (RFC 792, RFC 4884).
pub mod parameter_problem {
    header! {
        "icmp.paramprob" 4 bytes "Parameter problem" "RFC 792";
        /// The offending byte of the quoted packet.
        pointer: u8 = 8 bits "ptr" .shark("icmp.pointer").also(&["pointer", "icmp_param_pointer"]);
        /// Length of the quoted packet in units of 4 bytes; 0 unless extensions follow it.
        length: u8 = 8 bits "qlen" .reserved().shark("icmp.length").also(&["length", "len", "quote_length"]).rfc("RFC 4884 §4.3");
        /// Unused.
        unused: u16 = 16 bits "unused" .reserved().shark("icmp.unused").also(&["reserved"]);
    }
}

/// Timestamp and timestamp reply (RFC 792).
pub mod timestamp {
    use crate::Auto;

    header! {
        "icmp.tstamp" 16 bytes "Timestamp" "RFC 792";
        /// Tells one asker from another.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmp.ident").also(&["ident", "identifier", "icmp_id", "icmpid"]);
        /// Tells one question from another.
        sequence: u16 = 16 bits "seq" .shark("icmp.seq").also(&["sequence", "icmp_seq", "icmpseq", "seqno"]);
        /// When the asker sent it, in milliseconds since midnight UT.
        originate: u32 = 32 bits "orig" .shark("icmp.originate_timestamp")
            .also(&["icmp_otime", "ts_ori", "originate", "originate_timestamp", "icmp_orig_time", "otime"]);
        /// When the answerer received it.
        receive: u32 = 32 bits "recv" .shark("icmp.receive_timestamp")
            .also(&["icmp_rtime", "ts_rx", "receive", "receive_timestamp", "icmp_recv_time", "rtime"]);
        /// When the answerer sent it back.
        transmit: u32 = 32 bits "trans" .shark("icmp.transmit_timestamp")
            .also(&["icmp_ttime", "ts_tx", "transmit", "transmit_timestamp", "icmp_trans_time", "ttime"]);
    }
}

/// Information request and reply (RFC 792).
pub mod information {
    use crate::Auto;

    header! {
        "icmp.info" 4 bytes "Information" "RFC 792";
        /// Tells one asker from another.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmp.ident").also(&["ident", "identifier", "icmp_id", "icmpid"]);
        /// Tells one question from another.
        sequence: u16 = 16 bits "seq" .shark("icmp.seq").also(&["sequence", "icmp_seq", "icmpseq", "seqno"]);
    }
}

/// Address mask request and reply (RFC 950).
pub mod mask {
    use core::net::Ipv4Addr;

    use crate::Auto;

    header! {
        "icmp.mask" 8 bytes "Address mask" "RFC 950 Appendix I";
        /// Tells one asker from another.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmp.ident").also(&["ident", "identifier", "icmp_id", "icmpid"]);
        /// Tells one question from another.
        sequence: u16 = 16 bits "seq" .shark("icmp.seq").also(&["sequence", "icmp_seq", "icmpseq", "seqno"]);
        /// The mask.
        address_mask: Ipv4Addr = 32 bits "mask" .shark("icmp.address_mask").also(&["icmp_mask", "addr_mask", "address_mask", "netmask"]);
    }
}

/// Traceroute, deprecated by RFC 6918: what a router said of a packet that carried the traceroute option.
pub mod traceroute {
    use crate::Auto;

    header! {
        "icmp.trace" 16 bytes "Traceroute" "RFC 1393";
        /// The number in the option of the packet that this is about.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).also(&["ident", "identifier", "id_number"]);
        /// Unused.
        unused: u16 = 16 bits "unused" .reserved().also(&["reserved"]);
        /// How many routers the packet has passed.
        outbound_hops: u16 = 16 bits "out" .also(&["ohc", "outbound_hop_count"]);
        /// How many routers the answer to it has passed.
        return_hops: u16 = 16 bits "back" .also(&["rhc", "return_hop_count"]);
        /// Speed of the link that it leaves by, in bytes per second.
        speed: u32 = 32 bits "speed" .also(&["output_link_speed"]);
        /// MTU of that link in bytes.
        mtu: u32 = 32 bits "mtu" .also(&["output_link_mtu"]);
    }
}

/// Words for the codes of destination unreachable (IANA).
pub static UNREACHABLE_CODES: &[Name] = &[
    Name::new(0, "net", "network unreachable").also(&["network_unreachable", "net_unreachable", "network"]),
    Name::new(1, "host", "host unreachable").also(&["host_unreachable"]),
    Name::new(2, "proto", "protocol unreachable").also(&["protocol_unreachable", "proto_unreachable", "protocol"]),
    Name::new(3, "port", "port unreachable").also(&["port_unreachable"]),
    Name::new(4, "fragneeded", "fragmentation needed").also(&[
        "fragmentation_needed",
        "frag_needed",
        "needfrag",
        "need_fragmentation",
        "needfragment",
        "toobig",
    ]),
    Name::new(5, "srcroute", "source route failed").also(&["source_route_failed", "srcfail"]),
    Name::new(6, "netunknown", "network unknown").also(&["network_unknown"]),
    Name::new(7, "hostunknown", "host unknown").also(&["host_unknown"]),
    Name::new(8, "isolated", "source host isolated").also(&["host_isolated", "source_host_isolated"]),
    Name::new(9, "netprohib", "network prohibited").also(&["network_prohibited", "net_prohibited", "prohibnet"]),
    Name::new(10, "hostprohib", "host prohibited").also(&["host_prohibited", "prohibhost"]),
    Name::new(11, "nettos", "network unreachable for this TOS").also(&["tos_network_unreachable", "tosnet"]),
    Name::new(12, "hosttos", "host unreachable for this TOS").also(&["tos_host_unreachable", "toshost"]),
    Name::new(13, "adminprohib", "communication administratively prohibited").also(&[
        "communication_prohibited",
        "admin_prohibited",
        "prohib",
        "prohibcomm",
        "filterprohib",
    ]),
    Name::new(14, "precviolation", "host precedence violation").also(&["host_precedence_violation", "hostprec"]),
    Name::new(15, "preccutoff", "precedence cut-off").also(&["precedence_cutoff", "cutoffprec"]),
];

/// Words for the codes of redirect.
pub static REDIRECT_CODES: &[Name] = &[
    Name::new(0, "net", "redirect for the network").also(&["network_redirect", "redirect_net"]),
    Name::new(1, "host", "redirect for the host").also(&["host_redirect", "redirect_host"]),
    Name::new(2, "nettos", "redirect for TOS and network").also(&["tos_network_redirect"]),
    Name::new(3, "hosttos", "redirect for TOS and host").also(&["tos_host_redirect"]),
];

/// Words for the codes of time exceeded.
pub static EXCEEDED_CODES: &[Name] = &[
    Name::new(0, "ttl", "TTL exceeded in transit").also(&[
        "ttl_zero_during_transit",
        "transit",
        "ttl_exceeded",
        "intransit",
    ]),
    Name::new(1, "reassembly", "fragment reassembly time exceeded").also(&[
        "ttl_zero_during_reassembly",
        "reassem",
        "frag_time",
        "inreassembly",
    ]),
];

/// Words for the codes of parameter problem.
pub static PROBLEM_CODES: &[Name] = &[
    Name::new(0, "pointer", "the pointer indicates the error").also(&[
        "ip_header_bad",
        "pointer_indicates_error",
        "erratptr",
    ]),
    Name::new(1, "missing", "required option missing").also(&["required_option_missing", "optabsent", "optmiss"]),
    Name::new(2, "length", "bad length").also(&["bad_length", "badlen"]),
];

/// The bodies by message type.
pub static VARIANTS: &[Variant] = &[
    Variant::new(&[0, 8], &echo::DESC),
    Variant::new(&[3], &unreachable::DESC).quotes().codes(UNREACHABLE_CODES),
    Variant::new(&[4], &unused::DESC).quotes(),
    Variant::new(&[5], &redirect::DESC).quotes().codes(REDIRECT_CODES),
    Variant::new(&[9], &router_advertisement::DESC),
    Variant::new(&[10], &unused::DESC),
    Variant::new(&[11], &time_exceeded::DESC).quotes().codes(EXCEEDED_CODES),
    Variant::new(&[12], &parameter_problem::DESC).quotes().codes(PROBLEM_CODES),
    Variant::new(&[13, 14], &timestamp::DESC),
    Variant::new(&[15, 16], &information::DESC),
    Variant::new(&[17, 18], &mask::DESC),
    Variant::new(&[30], &traceroute::DESC),
    Variant::new(&[42], &extended_echo::request::DESC),
    Variant::new(&[43], &extended_echo::reply::DESC).codes(EXTENDED_REPLY_CODES),
];

/// The body of a message, by its type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Body<'a> {
    /// Echo request or reply, and its data.
    Echo(echo::View<'a>, &'a [u8]),
    /// Destination unreachable, and the quoted packet.
    Unreachable(unreachable::View<'a>, &'a [u8]),
    /// Source quench, and the quoted packet.
    SourceQuench(unused::View<'a>, &'a [u8]),
    /// Redirect, and the quoted packet.
    Redirect(redirect::View<'a>, &'a [u8]),
    /// Time exceeded, and the quoted packet.
    TimeExceeded(time_exceeded::View<'a>, &'a [u8]),
    /// Parameter problem, and the quoted packet.
    ParameterProblem(parameter_problem::View<'a>, &'a [u8]),
    /// Timestamp or its reply, and what follows.
    Timestamp(timestamp::View<'a>, &'a [u8]),
    /// Any other type: all behind the checksum.
    Other(&'a [u8]),
}

icmp_bodies! {
    ECHO | ECHO_REPLY => Echo(echo),
    UNREACHABLE => Unreachable(unreachable),
    SOURCE_QUENCH => SourceQuench(unused),
    REDIRECT => Redirect(redirect),
    TIME_EXCEEDED => TimeExceeded(time_exceeded),
    PARAMETER_PROBLEM => ParameterProblem(parameter_problem),
    TIMESTAMP | TIMESTAMP_REPLY => Timestamp(timestamp),
}
