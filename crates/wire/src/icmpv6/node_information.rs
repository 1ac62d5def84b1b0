//! RFC 4620: node information: a node is asked for its names and addresses.

use crate::{Auto, Name};

header! {
    "icmp6.node" 12 bytes "Node information" "RFC 4620 §4";
    /// What is asked for.
    qtype: u16 = 16 bits "qtype" .names(QTYPES).shark("icmpv6.ni.qtype").also(&["query_type"]);
    /// Flags whose meaning depends on what is asked for.
    flags: u16 = 16 bits "qflags" .hex().shark("icmpv6.ni.flag").also(&["flags"]);
    /// Any number; the reply carries it back.
    nonce: u64 = 64 bits "nonce" .hex().auto(Auto::Random).shark("icmpv6.ni.nonce");
}
/// Words for what is asked for (RFC 4620 §6).
pub static QTYPES: &[Name] = &[
    Name::new(0, "noop", "nothing"),
    Name::new(2, "name", "the node's name").also(&["node_name"]),
    Name::new(3, "addresses", "IPv6 addresses").also(&["node_addresses"]),
    Name::new(4, "ipv4", "IPv4 addresses").also(&["ipv4_addresses"]),
];

/// Words for the codes of a query: what its data is.
pub static QUERY_CODES: &[Name] = &[
    Name::new(0, "ipv6", "about an IPv6 address").also(&["subject_ipv6"]),
    Name::new(1, "name", "about a name").also(&["subject_name"]),
    Name::new(2, "ipv4", "about an IPv4 address").also(&["subject_ipv4"]),
];

/// Words for the codes of a reply.
pub static REPLY_CODES: &[Name] = &[
    Name::new(0, "success", "answered"),
    Name::new(1, "refused", "refused"),
    Name::new(2, "unknown", "unknown query").also(&["unknown_qtype"]),
];
