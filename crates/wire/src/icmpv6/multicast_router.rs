//! RFC 4286: multicast router discovery: the advertisement; solicitation and termination have no body.

header! {
    "icmp6.mradvert" 4 bytes "Multicast router advertisement" "RFC 4286 §3";
    /// Seconds between the router's general queries.
    query_interval: u16 = 16 bits "interval" .default(125).shark("icmpv6.mcast_ra.query_interval").also(&["query_interval"]);
    /// How many lost packets the router's timers allow for.
    robustness: u16 = 16 bits "robustness" .default(2).shark("icmpv6.mcast_ra.robustness_variable").also(&["robustness_variable"]);
}

/// All its messages are for the link alone (RFC 4286 §3).
pub const HOP_LIMIT: u8 = 1;
