//! The raw ways: what the kernel would do to the packet, by the table of `ways.rs`.

use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::checksum::Sum;

use super::{NextHop, NextHopBy, Note, Objection, Plan, Reason, Touch, Who, Wishes, needs_and_notes};
use crate::facts::{Facts, Interface, NeighborState, Route, RouteKind};
use crate::outgoing::{Ip, Outgoing};
use crate::ways::{self, Effect, Row, Subject, Way, When, Writing};

/// What the kernel would write that means the same as what was left unset; `Err` with all that stands against this way.
pub(super) fn check(
    packet: &Outgoing<'_>,
    way: Way,
    wishes: &Wishes,
    route: &Route,
    interface: &Interface,
) -> Result<Vec<Touch>, Vec<Objection>> {
    let Some(ip) = packet.ip() else { return Err(Vec::new()) };
    let mut objections = Vec::new();
    if route.destination.is_ipv4() != (way == Way::RawIpv4) {
        objections.push(Objection::OtherFamily { to: route.destination });
    }
    let mtu = mtu(route, interface);
    let node_local = is_node_local(ip.destination);
    for row in ways::rows(way).filter(|row| row.subject == Subject::Packet) {
        objections.extend(objection(row, packet.bytes, mtu, node_local && !interface.loopback));
    }
    if !objections.is_empty() {
        return Err(objections);
    }
    let touches = touches(packet, &ip, way, route);
    for touch in &touches {
        if touch.was_set && !wishes.allow_rewrites {
            objections.push(Objection::Rewrites(*touch));
        }
    }
    if objections.is_empty() { Ok(touches) } else { Err(objections) }
}

/// The raw socket that puts exactly these bytes on the wire, whatever the route; `Err` with all that stands against it, also
/// what a [`Plan`] would let the kernel fill in because nobody set it. For a program that is written now and run elsewhere.
///
/// # Errors
/// What the kernel would write or refuse; nothing for what is no IP packet.
pub fn raw_way(packet: &Outgoing<'_>) -> Result<Way, Vec<Objection>> {
    let Some(ip) = packet.ip().filter(|ip| ip.at == 0) else { return Err(Vec::new()) };
    let way = ip.raw_way();
    let node_local = is_node_local(ip.destination);
    let packet_rows = ways::rows(way).filter(|row| row.subject == Subject::Packet);
    let mut objections: Vec<_> =
        packet_rows.filter_map(|row| objection(row, packet.bytes, usize::MAX, node_local)).collect();
    if objections.is_empty() {
        let route = Route {
            destination: ip.destination,
            kind: RouteKind::Unicast,
            interface: 0,
            source: None,
            gateway: None,
            mtu: None,
        };
        objections.extend(touches(packet, &ip, way, &route).into_iter().map(Objection::Rewrites));
    }
    if objections.is_empty() { Ok(way) } else { Err(objections) }
}

/// The plan of a packet that a raw socket carries.
pub(super) fn plan(
    packet: &Outgoing<'_>,
    facts: &Facts,
    route: &Route,
    interface: &Interface,
    reason: Reason,
    touches: Vec<Touch>,
) -> Plan {
    let next_hop = next_hop(facts, route, interface);
    let mut plan = Plan {
        way: if route.destination.is_ipv4() { Way::RawIpv4 } else { Way::RawIpv6 },
        reason,
        destination: Some(route.destination),
        source: packet.ip().map(|ip| ip.source),
        route: Some(route.clone()),
        interface: interface.clone(),
        next_hop: Some(next_hop),
        framing: None,
        size: packet.bytes.len(),
        mtu: mtu(route, interface),
        touches,
        needs: vec![],
        notes: vec![],
    };
    if let Some(address) = next_hop.address
        && facts
            .neighbors
            .iter()
            .any(|n| n.interface == interface.index && n.address == address && n.state == NeighborState::Failed)
    {
        plan.notes.push(Note::NeighborFailed { address });
    }
    needs_and_notes(packet, facts, Some(route.destination), &mut plan);
    plan
}

/// The largest packet that goes by a route.
pub(super) fn mtu(route: &Route, interface: &Interface) -> usize {
    let mtu = route.mtu.filter(|&mtu| mtu != 0).unwrap_or(interface.mtu).min(interface.mtu);
    usize::try_from(mtu).unwrap_or(usize::MAX)
}

/// Who gets packets of a route, as far as the kernel's table tells.
pub(super) fn next_hop(facts: &Facts, route: &Route, interface: &Interface) -> NextHop {
    let known = |address| facts.mac_of(interface.index, address);
    let to = route.destination;
    let (address, by) = match (route.kind, route.gateway) {
        _ if interface.loopback || route.kind == RouteKind::Local => (to, NextHopBy::Here),
        (RouteKind::Broadcast, _) => (to, NextHopBy::Broadcast),
        (RouteKind::Multicast, _) => (to, NextHopBy::Group),
        _ if to.is_multicast() => (to, NextHopBy::Group),
        (_, Some(gateway)) => (gateway, NextHopBy::Gateway),
        (_, None) => (to, NextHopBy::OnLink),
    };
    let mac = match by {
        NextHopBy::Broadcast => Some(wirewright_wire::MacAddr::BROADCAST),
        NextHopBy::Group => Some(super::ethernet::group_mac(to)),
        NextHopBy::Here => None,
        _ => known(address),
    };
    NextHop { address: Some(address), mac, by }
}

/// A group of this node or less (RFC 4291 §2.7, scope 1 or 0).
fn is_node_local(destination: IpAddr) -> bool {
    matches!(destination, IpAddr::V6(group) if group.is_multicast() && group.octets()[1] & 0x0f <= 1)
}

/// What a row about the whole packet says against it.
fn objection(row: &Row, bytes: &[u8], mtu: usize, node_local: bool) -> Option<Objection> {
    let claimed = bytes.first().map_or(0, |&b| usize::from(b & 0x0f) * 4);
    let have = bytes.len();
    match row.when {
        When::LargerThanMtu if have > mtu => Some(Objection::TooLarge { size: have, mtu }),
        When::HeaderBroken if have < 20 || claimed < 20 || claimed > have => {
            Some(Objection::HeaderShape { claimed, have, need: 20 })
        }
        When::NodeLocalGroup if node_local => Some(Objection::NodeLocalGroup),
        When::ShorterThan(need) if have < need => Some(Objection::HeaderShape { claimed: need, have, need }),
        _ => None,
    }
}

/// The fields that the kernel would change.
fn touches(packet: &Outgoing<'_>, ip: &Ip, way: Way, route: &Route) -> Vec<Touch> {
    let header = &packet.bytes[ip.at..];
    let mut touches: Vec<Touch> = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for row in ways::rows(way) {
        let Subject::Field(key) = row.subject else { continue };
        let Some(field) = ip.desc.field(key) else { continue };
        let Some(built) = field.read(header) else { continue };
        let applies = match row.when {
            When::Zero => built == 0,
            When::ZeroAndDfClear => built == 0 && !ip.dont_fragment,
            _ => true,
        };
        if !applies || done.contains(&key) {
            continue;
        }
        done.push(key);
        let Effect::Written(writing) = row.effect else { continue };
        if writing == Writing::HeaderChecksum {
            continue;
        }
        let wire = written(writing, header.len(), route);
        if wire != Some(built) {
            touches.push(Touch { field, built, wire, was_set: packet.is_set(key), who: Who::Kernel, writing });
        }
    }
    touches.extend(checksum_touch(packet, ip, way, header, &touches));
    touches
}

/// The header checksum is written over the header as it leaves, other changes included.
fn checksum_touch(packet: &Outgoing<'_>, ip: &Ip, way: Way, header: &[u8], others: &[Touch]) -> Option<Touch> {
    let writes = |row: &&Row| row.effect == Effect::Written(Writing::HeaderChecksum);
    let row = ways::rows(way).find(writes)?;
    let Subject::Field(key) = row.subject else { return None };
    let field = ip.desc.field(key)?;
    let built = field.read(header)?;
    let len = usize::from(header.first()? & 0x0f) * 4;
    let mut leaving = header.get(..len)?.to_vec();
    let mut foretold = true;
    for touch in others {
        match touch.wire {
            Some(value) => foretold &= touch.field.write(&mut leaving, value),
            None => foretold = false,
        }
    }
    foretold &= field.write(&mut leaving, 0);
    let wire = foretold.then(|| u128::from(Sum::new().add(&leaving).finish()));
    let touch = |was_set| Touch { field, built, wire, was_set, who: Who::Kernel, writing: Writing::HeaderChecksum };
    // A sum that only follows another field's change was not set itself.
    let set = packet.is_set(key);
    (wire != Some(built)).then(|| touch(set))
}

/// The value that the kernel writes, where it can be foretold.
fn written(writing: Writing, len: usize, route: &Route) -> Option<u128> {
    match writing {
        // The field has 16 bits; a packet of more bytes never passes the MTU.
        Writing::TotalLength => Some((len & 0xffff) as u128),
        Writing::RouteSource => match route.source? {
            IpAddr::V4(source) => Some(u128::from(source.to_bits())),
            IpAddr::V6(source) => Some(source.to_bits()),
        },
        Writing::AnyIdentification | Writing::HeaderChecksum => None,
    }
}
