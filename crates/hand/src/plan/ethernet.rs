//! The Ethernet way: with the packet's own link header, or one that we put before it.

use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::MacAddr;

use super::raw::next_hop;
use super::{
    Framing, Need, NextHop, NextHopBy, Note, Objection, Plan, Reason, Refused, Wishes, leaving, needs_and_notes,
    refused, route,
};
use crate::facts::{Facts, Interface, NeighborState, Route, RouteAnswer};
use crate::outgoing::Outgoing;
use crate::ways::{self, Effect, Subject, Way, When};

/// Bytes of an Ethernet header.
const HEADER: usize = 14;
/// Bytes of an 802.1Q tag, by which a frame may exceed the MTU.
const TAG: usize = 4;
/// The EtherType of 802.1Q, which earns a frame those bytes.
const TPID: [u8; 2] = [0x81, 0x00];

/// Plans a frame that begins with its own Ethernet header.
pub(super) fn explicit(packet: &Outgoing<'_>, wishes: &Wishes, facts: &Facts) -> Result<Plan, Refused> {
    if let Some(way) = wishes.way.filter(|&way| way != Way::Ethernet) {
        return Err(Refused::WrongFamily { way });
    }
    let asked = match (&facts.route, packet.ip()) {
        (Some(RouteAnswer::Route(answer)), _) => Some(answer),
        // With an interface and a next hop of its own, a frame needs no route.
        (_, Some(ip)) if wishes.interface.is_none() => Some(route(wishes, facts, ip.destination)?),
        _ => None,
    };
    let interface = leaving(wishes, facts, asked.filter(|_| wishes.interface.is_none()))?;
    let objections = objections(packet, interface);
    if !objections.is_empty() {
        return Err(refused::one_way(Way::Ethernet, objections, interface));
    }
    let mac = packet.bytes.first_chunk::<6>().map(|&bytes| MacAddr(bytes));
    let hop = match (asked, packet.arp_target()) {
        _ if packet.link_destination_is_set() => NextHop { address: None, mac, by: NextHopBy::Set },
        (_, Some(_)) => NextHop { address: None, mac: Some(MacAddr::BROADCAST), by: NextHopBy::Broadcast },
        (Some(route), None) => hop_to(facts, route, interface),
        (None, None) => NextHop { address: None, mac, by: NextHopBy::Set },
    };
    Ok(finish(packet, facts, asked, interface, Reason::EthernetLayer, hop, None))
}

/// Plans an IP packet before which we put an Ethernet header.
pub(super) fn implied(
    packet: &Outgoing<'_>,
    facts: &Facts,
    route: &Route,
    interface: &Interface,
    reason: Reason,
) -> Result<Plan, Vec<Objection>> {
    let mut against = against_interface(packet, interface);
    let mtu = usize::try_from(interface.mtu).unwrap_or(usize::MAX);
    if packet.bytes.len() > mtu {
        against.push(Objection::TooLarge { size: packet.bytes.len(), mtu });
    }
    let source = interface.mac.or(interface.loopback.then_some(MacAddr::ZERO));
    let (Some(source), Some(ip), true) = (source, packet.ip(), against.is_empty()) else {
        return Err(against);
    };
    let hop = hop_to(facts, route, interface);
    let framing = Framing { destination: hop.mac, source, ether_type: ip.ether_type() };
    Ok(finish(packet, facts, Some(route), interface, reason, hop, Some(framing)))
}

/// Who gets frames of a route. On the loopback that is this host, whose address there is all zeros.
fn hop_to(facts: &Facts, route: &Route, interface: &Interface) -> NextHop {
    let hop = next_hop(facts, route, interface);
    if interface.loopback { NextHop { mac: Some(MacAddr::ZERO), ..hop } } else { hop }
}

/// The Ethernet address of a group: RFC 1112 §6.4 (IPv4), RFC 2464 §7 (IPv6).
pub(super) fn group_mac(group: IpAddr) -> MacAddr {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            MacAddr([0x01, 0x00, 0x5e, b & 0x7f, c, d])
        }
        IpAddr::V6(group) => {
            let o = group.octets();
            MacAddr([0x33, 0x33, o[12], o[13], o[14], o[15]])
        }
    }
}

fn finish(
    packet: &Outgoing<'_>,
    facts: &Facts,
    route: Option<&Route>,
    interface: &Interface,
    reason: Reason,
    hop: NextHop,
    framing: Option<Framing>,
) -> Plan {
    let link = if framing.is_some() { 0 } else { HEADER };
    let mut plan = Plan {
        way: Way::Ethernet,
        reason,
        destination: route.map(|route| route.destination),
        source: packet.ip().map(|ip| ip.source),
        route: route.cloned(),
        interface: interface.clone(),
        next_hop: Some(hop),
        framing,
        size: packet.bytes.len() - link,
        mtu: usize::try_from(interface.mtu).unwrap_or(usize::MAX),
        touches: Vec::new(),
        needs: Vec::new(),
        notes: Vec::new(),
    };
    if let NextHop { address: Some(address), mac: None, .. } = hop {
        plan.needs.push(Need::Resolve(address));
        let failed = |n: &&crate::facts::Neighbor| {
            n.interface == interface.index && n.address == address && n.state == NeighborState::Failed
        };
        if facts.neighbors.iter().find(failed).is_some() {
            plan.notes.push(Note::NeighborFailed { address });
        }
    }
    needs_and_notes(packet, facts, route.map(|route| route.destination), &mut plan);
    plan
}

/// What the table says against a frame with its own link header.
fn objections(packet: &Outgoing<'_>, interface: &Interface) -> Vec<Objection> {
    let frame = packet.bytes;
    let mut against = against_interface(packet, interface);
    let mtu = usize::try_from(interface.mtu).unwrap_or(usize::MAX);
    let tag = if frame.get(12..14) == Some(&TPID) { TAG } else { 0 };
    for row in ways::rows(Way::Ethernet).filter(|row| row.subject == Subject::Packet) {
        match row.when {
            When::ShorterThan(need) if frame.len() < need => {
                against.push(Objection::HeaderShape { claimed: need, have: frame.len(), need });
            }
            When::LargerThanMtu if frame.len() > HEADER.saturating_add(mtu).saturating_add(tag) => {
                against.push(Objection::TooLarge { size: frame.len() - HEADER, mtu });
            }
            _ => {}
        }
    }
    against
}

/// What the table says against the interface.
fn against_interface(packet: &Outgoing<'_>, interface: &Interface) -> Vec<Objection> {
    let mut against = Vec::new();
    let ip = packet.ip();
    let arrives = ip.is_some_and(|ip| ip.is_v6() || interface.takes_ipv4_frames);
    for row in ways::rows(Way::Ethernet) {
        match (row.when, row.effect) {
            (When::OnDeafLoopback, Effect::Lost) if interface.loopback && !arrives => {
                against.push(if ip.is_some() { Objection::LoopbackDropsIpv4 } else { Objection::Loopback });
            }
            (When::NotEthernet, Effect::Impossible) if interface.mac.is_none() && !interface.loopback => {
                against.push(Objection::NotEthernet);
            }
            _ => {}
        }
    }
    against
}
