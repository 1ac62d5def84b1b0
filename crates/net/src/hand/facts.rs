//! The kernel's tables as the plan's facts.

use core::net::IpAddr;

use wirewright_hand::{Facts, Interface, Neighbor, NeighborState, Route, RouteAnswer, RouteKind};
use wirewright_link::OsError;
use wirewright_link::netlink::{self, Netlink, Refusal, RouteQuery};

/// What the plan has to know for packets to `destination` by `interface`, where one was named.
///
/// # Errors
/// When the kernel does not answer the questions; that it has no route is an answer.
pub(super) fn gather(
    netlink: &mut Netlink,
    interfaces: &[netlink::Interface],
    destination: Option<IpAddr>,
    interface: Option<&str>,
) -> Result<Facts, OsError> {
    let interfaces: Vec<_> = interfaces.iter().map(interface_fact).collect();
    let named = interface.and_then(|name| interfaces.iter().find(|i| i.name == name)).map(|i| i.index);
    let mut facts = Facts { interfaces, ..Facts::default() };
    if interface.is_some() && named.is_none() {
        // The plan says that there is no such interface.
        return Ok(facts);
    }
    let Some(destination) = destination else { return Ok(facts) };
    facts.route = Some(route(netlink, destination, named)?);
    ask_loopback(&mut facts, named);
    if let Some(RouteAnswer::Route(route)) = &facts.route
        && route.kind != RouteKind::Local
    {
        let next_hop = route.gateway.unwrap_or(destination);
        let neighbor = netlink.neighbor(route.interface, next_hop)?;
        facts.neighbors.extend(neighbor.map(neighbor_fact));
    }
    Ok(facts)
}

/// Where the packet leaves by the loopback: does that take IPv4 in frames?
fn ask_loopback(facts: &mut Facts, named: Option<u32>) {
    let routed = match &facts.route {
        Some(RouteAnswer::Route(route)) => Some(route.interface),
        _ => None,
    };
    let leaving = named.or(routed);
    if let Some(lo) = facts.interfaces.iter_mut().find(|it| it.loopback && Some(it.index) == leaving) {
        lo.takes_ipv4_frames = ["route_localnet", "accept_local"].iter().all(|setting| is_on(&lo.name, setting));
    }
}

/// A setting of IPv4 is on for this interface: for it alone, or for all. One that cannot be read is off, as it is by default.
fn is_on(interface: &str, setting: &str) -> bool {
    [interface, "all"].iter().any(|of| {
        let value = std::fs::read_to_string(format!("/proc/sys/net/ipv4/conf/{of}/{setting}"));
        value.is_ok_and(|value| value.trim() != "0")
    })
}

fn route(netlink: &mut Netlink, destination: IpAddr, interface: Option<u32>) -> Result<RouteAnswer, OsError> {
    let query = RouteQuery { interface, ..RouteQuery::to(destination) };
    let refused =
        |kind| RouteAnswer::Route(Route { destination, kind, interface: 0, source: None, gateway: None, mtu: None });
    Ok(match netlink.route_to(&query)? {
        netlink::RouteAnswer::Via(route) => RouteAnswer::Route(Route {
            destination,
            kind: route_kind(route.kind),
            interface: route.interface,
            source: route.source,
            gateway: route.gateway,
            mtu: route.mtu,
        }),
        netlink::RouteAnswer::Refused(Refusal::Blackhole) => refused(RouteKind::Blackhole),
        netlink::RouteAnswer::Refused(Refusal::Unreachable) => refused(RouteKind::Unreachable),
        netlink::RouteAnswer::Refused(Refusal::Prohibit) => refused(RouteKind::Prohibit),
        netlink::RouteAnswer::Refused(_) => RouteAnswer::None { destination },
    })
}

const fn route_kind(kind: netlink::RouteKind) -> RouteKind {
    match kind {
        netlink::RouteKind::Local | netlink::RouteKind::Anycast => RouteKind::Local,
        netlink::RouteKind::Broadcast => RouteKind::Broadcast,
        netlink::RouteKind::Multicast => RouteKind::Multicast,
        _ => RouteKind::Unicast,
    }
}

fn interface_fact(interface: &netlink::Interface) -> Interface {
    let loopback = interface.flags.is_loopback();
    Interface {
        index: interface.index,
        name: interface.name.clone(),
        // `ARPHRD_ETHER`: other links with an address of six bytes have another header.
        mac: interface.mac.filter(|_| interface.hardware == ETHERNET && !loopback),
        mtu: interface.mtu,
        up: interface.flags.is_up(),
        loopback,
        takes_ipv4_frames: false,
        addresses: interface.addresses.iter().map(|address| address.address).collect(),
    }
}

/// `ARPHRD_ETHER`.
const ETHERNET: u16 = 1;

fn neighbor_fact(neighbor: netlink::Neighbor) -> Neighbor {
    let state = neighbor_state(neighbor.state);
    Neighbor { interface: neighbor.interface, address: neighbor.address, mac: neighbor.mac, state }
}

pub(super) const fn neighbor_state(state: netlink::NeighborState) -> NeighborState {
    match state {
        state if state.is_valid() => NeighborState::Usable,
        netlink::NeighborState::Failed => NeighborState::Failed,
        _ => NeighborState::Asking,
    }
}
