//! The layers, by their words and by what they are.

use wirewright_wire::{
    HeaderDesc, arp, dhcp, dhcp6, dns, ethernet, icmpv4, icmpv6, ipv4, ipv6, mpls, tcp, udp, vlan, vxlan,
};

/// The table with this word.
#[must_use]
pub(crate) fn known(word: &str) -> Option<&'static HeaderDesc> {
    wirewright_wire::LAYERS.iter().find(|desc| desc.key == word).copied()
}

/// Whether a layer stands between Ethernet and the network: a VLAN tag, an MPLS label.
pub(crate) fn is_tag(desc: &HeaderDesc) -> bool {
    vlan::is_tag(desc) || desc.key == mpls::DESC.key
}

/// Whether a layer carries no address of the network: Ethernet and its tags, below every other.
pub(crate) fn is_link(desc: &HeaderDesc) -> bool {
    desc.key == "eth" || is_tag(desc)
}

/// Whether a layer stands between IPv6 and what it carries.
pub(crate) fn is_extension(desc: &HeaderDesc) -> bool {
    matches!(desc.key, "hopopt" | "route" | "frag" | "dstopt")
}

pub(crate) fn eth() -> &'static HeaderDesc {
    &ethernet::DESC
}
pub(crate) fn vlan() -> &'static HeaderDesc {
    &vlan::DESC
}
pub(crate) fn qinq() -> &'static HeaderDesc {
    &vlan::service::DESC
}
pub(crate) fn arp() -> &'static HeaderDesc {
    &arp::DESC
}
pub(crate) fn ip() -> &'static HeaderDesc {
    &ipv4::DESC
}
pub(crate) fn ip6() -> &'static HeaderDesc {
    &ipv6::DESC
}
pub(crate) fn icmp() -> &'static HeaderDesc {
    &icmpv4::DESC
}
pub(crate) fn icmp6() -> &'static HeaderDesc {
    &icmpv6::DESC
}
pub(crate) fn tcp() -> &'static HeaderDesc {
    &tcp::DESC
}
pub(crate) fn udp() -> &'static HeaderDesc {
    &udp::DESC
}
pub(crate) fn dhcp() -> &'static HeaderDesc {
    &dhcp::DESC
}
pub(crate) fn dhcp6() -> &'static HeaderDesc {
    &dhcp6::DESC
}
pub(crate) fn dns_length() -> &'static HeaderDesc {
    &dns::tcp::DESC
}
pub(crate) fn dns() -> &'static HeaderDesc {
    &dns::DESC
}
pub(crate) fn vxlan() -> &'static HeaderDesc {
    &vxlan::DESC
}
