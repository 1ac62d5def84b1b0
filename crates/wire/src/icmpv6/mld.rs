//! RFC 2710: multicast listener discovery, version 1.

use core::net::Ipv6Addr;

/// Its messages go no further than the link, and routers believe only hop limit 1 (RFC 2710 §3).
pub const HOP_LIMIT: u8 = 1;

header! {
    "icmp6.mld" 20 bytes "Multicast listener discovery" "RFC 2710 §3";
    /// Within how many milliseconds a report must come (queries only).
    maximum_delay: u16 = 16 bits "delay" .shark("icmpv6.mld.maximum_response_delay").also(&["mrd", "max_delay"]);
    /// Reserved.
    reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.reserved").also(&["reserved"]);
    /// The multicast address; `::` in a general query.
    group: Ipv6Addr = 128 bits "group" .shark("icmpv6.mld.multicast_address").also(&["mladdr", "multicast_address"]);
}
