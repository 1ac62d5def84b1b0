//! Which number says which layer follows, and which Ethernet address a group has.

use wirewright_wire::next::{self, protocol};
use wirewright_wire::{HeaderDesc, Kind, MacAddr};

use crate::packet::{Packet, Setting};

/// EtherType of what no layer names: local experimental, IEEE 802-2014 §9.2.4.
const ETHER_TYPE_EXPERIMENTAL: u16 = 0x88b5;
/// IP protocol of what no layer names: for experiments and tests, RFC 3692 §2.1.
const PROTOCOL_EXPERIMENTAL: u8 = 253;
/// IP protocol of Ethernet within IP, RFC 3378.
const PROTOCOL_ETHERNET: u8 = 97;

/// The number that announces `next` behind `below`, in the number space of the field that says so.
/// `nothing`: the packet ends with `below`.
pub(crate) fn next_number(below: &HeaderDesc, next: Option<&'static HeaderDesc>, nothing: bool) -> u64 {
    if let Some(number) = next.and_then(|next| next::number_for(below, next)) {
        return number;
    }
    let ethernet = next.is_some_and(|next| next.key == "eth");
    match below.selector().map_or(8, |field| field.bits) {
        1 => 1,
        16 => ETHER_TYPE_EXPERIMENTAL.into(),
        _ if ethernet => PROTOCOL_ETHERNET.into(),
        _ if nothing && below.key != "ip" => protocol::NO_NEXT.into(),
        _ => PROTOCOL_EXPERIMENTAL.into(),
    }
}

/// The protocol number that a layer's own pseudo-header carries.
pub(crate) fn own_protocol(desc: &'static HeaderDesc) -> u8 {
    next::protocol_of(desc).unwrap_or(PROTOCOL_EXPERIMENTAL)
}

/// The Ethernet address of the group that the layers above `index` are for, if it needs no neighbour to be asked:
/// an ARP request or an IPv4 broadcast goes to everybody, multicast to its group (RFC 1112 §6.4, RFC 2464 §7).
pub(crate) fn group_mac(packet: &Packet, index: usize) -> Option<MacAddr> {
    let above = packet.layers[index + 1..].iter().find(|layer| !layer.is_tag())?;
    if above.key() == "arp" {
        return (above.value_or_default("op") == Some(1)).then_some(MacAddr::BROADCAST);
    }
    let place = above.place("dst")?;
    let Setting::Exactly(destination) = above.setting(place) else { return None };
    match above.field(place)?.kind {
        Kind::Ipv4 if destination == 0xffff_ffff => Some(MacAddr::BROADCAST),
        Kind::Ipv4 if destination >> 28 == 0xe => {
            Some(MacAddr::from_u64(0x0100_5e00_0000 | (destination as u64 & 0x7f_ffff)))
        }
        Kind::Ipv6 if destination >> 120 == 0xff => {
            Some(MacAddr::from_u64(0x3333_0000_0000 | (destination as u64 & 0xffff_ffff)))
        }
        _ => None,
    }
}
