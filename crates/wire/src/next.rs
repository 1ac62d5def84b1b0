//! Which layer follows: EtherTypes, IP protocol numbers and link types to tables, and back.

use crate::{HeaderDesc, arp, ethernet, gre, icmpv4, icmpv6, igmp, ipv4, ipv6, mpls, tcp, udp, vlan};

/// EtherTypes (IEEE registry) of the layers here.
pub mod ether_type {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// IEEE 802.1Q: a VLAN tag.
    pub const VLAN: u16 = 0x8100;
    /// IEEE 802.1ad: a provider's outer VLAN tag.
    pub const SERVICE_VLAN: u16 = 0x88a8;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
    /// MPLS, unicast.
    pub const MPLS: u16 = 0x8847;
    /// Transparent Ethernet bridging: a whole frame.
    pub const ETHERNET: u16 = 0x6558;
}

/// IP protocol numbers (IANA) of the layers here.
pub mod protocol {
    /// IPv6 hop-by-hop options.
    pub const HOP_BY_HOP: u8 = 0;
    /// ICMPv4.
    pub const ICMPV4: u8 = 1;
    /// IGMP.
    pub const IGMP: u8 = 2;
    /// IPv4 in IP.
    pub const IPV4: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 in IP.
    pub const IPV6: u8 = 41;
    /// IPv6 routing header.
    pub const ROUTING: u8 = 43;
    /// IPv6 fragment header.
    pub const FRAGMENT: u8 = 44;
    /// GRE.
    pub const GRE: u8 = 47;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// Nothing follows.
    pub const NO_NEXT: u8 = 59;
    /// IPv6 destination options.
    pub const DESTINATION: u8 = 60;
}

const ETHER_TYPES: &[(u16, &HeaderDesc)] = &[
    (ether_type::IPV4, &ipv4::DESC),
    (ether_type::ARP, &arp::DESC),
    (ether_type::VLAN, &vlan::DESC),
    (ether_type::SERVICE_VLAN, &vlan::service::DESC),
    (ether_type::IPV6, &ipv6::DESC),
    (ether_type::MPLS, &mpls::DESC),
    (ether_type::ETHERNET, &ethernet::DESC),
];

const PROTOCOLS: &[(u8, &HeaderDesc)] = &[
    (protocol::HOP_BY_HOP, &ipv6::ext::hop_by_hop::DESC),
    (protocol::ICMPV4, &icmpv4::DESC),
    (protocol::IGMP, &igmp::DESC),
    (protocol::IPV4, &ipv4::DESC),
    (protocol::TCP, &tcp::DESC),
    (protocol::UDP, &udp::DESC),
    (protocol::IPV6, &ipv6::DESC),
    (protocol::ROUTING, &ipv6::ext::routing::DESC),
    (protocol::FRAGMENT, &ipv6::ext::fragment::DESC),
    (protocol::GRE, &gre::DESC),
    (protocol::ICMPV6, &icmpv6::DESC),
    (protocol::DESTINATION, &ipv6::ext::destination::DESC),
];

/// The layer that an EtherType announces.
#[must_use]
pub fn ether_type(number: u16) -> Option<&'static HeaderDesc> {
    ETHER_TYPES.iter().find(|(n, _)| *n == number).map(|&(_, desc)| desc)
}

/// The EtherType that announces a layer.
#[must_use]
pub fn ether_type_of(desc: &HeaderDesc) -> Option<u16> {
    ETHER_TYPES.iter().find(|(_, d)| core::ptr::eq(*d, desc)).map(|&(number, _)| number)
}

/// The layer that an IP protocol number announces, whichever version the IP header has.
#[must_use]
pub fn protocol(number: u8) -> Option<&'static HeaderDesc> {
    PROTOCOLS.iter().find(|(n, _)| *n == number).map(|&(_, desc)| desc)
}

/// The IP protocol number that announces a layer.
#[must_use]
pub fn protocol_of(desc: &HeaderDesc) -> Option<u8> {
    PROTOCOLS.iter().find(|(_, d)| core::ptr::eq(*d, desc)).map(|&(number, _)| number)
}

/// The IP layer whose version stands in the high half of a packet's first byte.
#[must_use]
pub const fn ip_version(first_byte: u8) -> Option<&'static HeaderDesc> {
    match first_byte >> 4 {
        4 => Some(&ipv4::DESC),
        6 => Some(&ipv6::DESC),
        _ => None,
    }
}

/// The layer that follows a header, by the value of its selecting field. `None` when the value announces no layer known
/// here, when the header selects none (TCP, UDP), or a body of its own (ICMP).
#[must_use]
pub fn after(desc: &HeaderDesc, value: u128) -> Option<&'static HeaderDesc> {
    if desc.selects_body() {
        return None;
    }
    match desc.selector()?.bits {
        // The bottom of a label stack says only that no further entry follows.
        1 => (value == 0).then_some(&mpls::DESC),
        16 => ether_type(u16::try_from(value).ok()?),
        _ => protocol(u8::try_from(value).ok()?),
    }
}

/// The value of `below`'s selecting field that announces `layer`, in the number space of that field.
#[must_use]
pub fn number_for(below: &HeaderDesc, layer: &HeaderDesc) -> Option<u64> {
    if below.selects_body() {
        return None;
    }
    match below.selector()?.bits {
        1 => Some(u64::from(layer.key != mpls::DESC.key)),
        16 => ether_type_of(layer).map(u64::from),
        _ => protocol_of(layer).map(u64::from),
    }
}

/// Link types of captures (tcpdump.org's registry).
pub mod link_type {
    /// BSD loopback: four bytes of address family in host order, then IP.
    pub const NULL: u32 = 0;
    /// Ethernet.
    pub const ETHERNET: u32 = 1;
    /// IP, its version in the first byte.
    pub const RAW: u32 = 101;
    /// Linux cooked capture.
    pub const LINUX_SLL: u32 = 113;
    /// IPv4.
    pub const IPV4: u32 = 228;
    /// IPv6.
    pub const IPV6: u32 = 229;
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: u32 = 276;
}

/// The layer that a frame of a capture begins with; `first_byte` is looked at for [`link_type::RAW`]. `None` for link
/// types whose own header has no table here.
#[must_use]
pub const fn link_type(number: u32, first_byte: u8) -> Option<&'static HeaderDesc> {
    match number {
        link_type::ETHERNET => Some(&ethernet::DESC),
        link_type::RAW => ip_version(first_byte),
        link_type::IPV4 => Some(&ipv4::DESC),
        link_type::IPV6 => Some(&ipv6::DESC),
        _ => None,
    }
}
