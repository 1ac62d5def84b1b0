//! The shape of a lab: how many routers, whether the path splits, and what follows from it: hosts, wires, routes, names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::map::{
    CLIENT, CLOSED, FURTHER, Family, Host, HostEntry, LINKS, Port, ROUTER_FAR, ROUTER_NEAR, SERVER, SILENT,
};

/// How many routers stand between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    routers: u8,
    split: bool,
}

/// The routers of a chain, in their order.
const CHAIN: [Host; 8] = [
    Host::Router,
    Host::Router2,
    Host::Router3,
    Host::Router4,
    Host::Router5,
    Host::Router6,
    Host::Router7,
    Host::Router8,
];

/// The first of the four wires around `router2a` and `router2b` among those between routers.
const SPLIT_FIRST: usize = 7;

impl Default for Shape {
    fn default() -> Self {
        Self::ONE
    }
}

impl Shape {
    /// One router.
    pub const ONE: Self = Self { routers: 1, split: false };

    /// The most routers on a path: each costs a network namespace, and a trace of eight hops shows all that one can show.
    pub const ROUTERS_MAX: u8 = 8;

    /// The fewest routers on each path of a split lab: one where it splits, one of each path, one where they meet.
    pub const SPLIT_ROUTERS_MIN: u8 = 3;

    /// A chain of `routers`; with `split` there are two second routers, and each flow takes one of the two paths. `None`
    /// where it is not 1 to [`Shape::ROUTERS_MAX`] routers, or fewer than [`Shape::SPLIT_ROUTERS_MIN`] for a split.
    #[must_use]
    pub const fn new(routers: u8, split: bool) -> Option<Self> {
        let min = if split { Self::SPLIT_ROUTERS_MIN } else { 1 };
        if routers < min || routers > Self::ROUTERS_MAX { None } else { Some(Self { routers, split }) }
    }

    /// How many routers a packet crosses.
    #[must_use]
    pub const fn routers(self) -> u8 {
        self.routers
    }

    /// Whether there are two paths.
    #[must_use]
    pub const fn is_split(self) -> bool {
        self.split
    }

    /// The hosts, along the way of a packet.
    #[must_use]
    pub fn hosts(self) -> Vec<Host> {
        Host::ALL.into_iter().filter(|host| self.stage(*host).is_some()).collect()
    }

    /// How many hosts are before it on the way from the client; `None`: this lab has no such host.
    pub(crate) fn stage(self, host: Host) -> Option<usize> {
        let routers = usize::from(self.routers);
        match host {
            Host::Client => Some(0),
            Host::Server => Some(routers + 1),
            Host::Router2a | Host::Router2b => self.split.then_some(2),
            Host::Router2 if self.split => None,
            router => CHAIN[..routers].iter().position(|one| *one == router).map(|at| at + 1),
        }
    }

    /// The wires, each with its end towards the client first, along the way of a packet.
    #[must_use]
    pub fn wires(self) -> Vec<[&'static Port; 2]> {
        let link = |link: usize| [&FURTHER[2 * link], &FURTHER[2 * link + 1]];
        let routers = usize::from(self.routers);
        let mut wires = vec![[CLIENT, ROUTER_NEAR]];
        let mut chain = 0;
        if self.split {
            wires.extend((SPLIT_FIRST..LINKS).map(link));
            chain = 2;
        }
        wires.extend((chain..routers - 1).map(link));
        wires.push([self.far(), SERVER]);
        wires
    }

    /// The port of the last router towards the server.
    fn far(self) -> &'static Port {
        match usize::from(self.routers) {
            1 => ROUTER_FAR,
            routers => &FURTHER[2 * LINKS + routers - 2],
        }
    }

    /// The last router.
    pub(crate) fn last_router(self) -> Host {
        self.far().host
    }

    /// The ports, along the way of a packet.
    #[must_use]
    pub fn ports(self) -> Vec<&'static Port> {
        self.wires().concat()
    }

    /// The ports of a host, those towards the client first.
    pub fn ports_of(self, host: Host) -> impl Iterator<Item = &'static Port> {
        self.ports().into_iter().filter(move |port| port.host == host)
    }

    /// The wire in which a relay stands: the first behind the first router that every packet crosses.
    #[must_use]
    pub fn relay_wire(self) -> [&'static Port; 2] {
        self.wires()[if self.split { 1 + LINKS - SPLIT_FIRST } else { 1 }]
    }

    /// The name of a host's view in a recording: the host and its interfaces.
    #[must_use]
    pub fn view(self, host: Host) -> &'static str {
        match host {
            Host::Client => "client eth0",
            Host::Router if self.split => "router eth0 eth1 eth2",
            Host::Router => "router eth0 eth1",
            Host::Router2 => "router2 eth0 eth1",
            Host::Router2a => "router2a eth0 eth1",
            Host::Router2b => "router2b eth0 eth1",
            Host::Router3 if self.split => "router3 eth0 eth1 eth2",
            Host::Router3 => "router3 eth0 eth1",
            Host::Router4 => "router4 eth0 eth1",
            Host::Router5 => "router5 eth0 eth1",
            Host::Router6 => "router6 eth0 eth1",
            Host::Router7 => "router7 eth0 eth1",
            Host::Router8 => "router8 eth0 eth1",
            Host::Server => "server eth0",
        }
    }

    /// The names of this lab. A router's address is the one that its answers to the client come from.
    #[must_use]
    pub fn entries(self) -> Vec<HostEntry> {
        let entry = |name, host, v4, v6| HostEntry { name, host, v4, v6: Some(v6) };
        let mut entries = vec![entry("client", Host::Client, CLIENT.v4, CLIENT.v6)];
        let wires = self.wires();
        for router in self.hosts().into_iter().filter(|host| host.is_router()) {
            entries.extend(
                wires
                    .iter()
                    .find(|[_, far]| far.host == router)
                    .map(|[_, near]| entry(router.name(), router, near.v4, near.v6)),
            );
        }
        entries.push(entry("server", Host::Server, SERVER.v4, SERVER.v6));
        entries.push(entry("closed", Host::Server, CLOSED.0, CLOSED.1));
        entries.push(entry("silent", Host::Server, SILENT.0, SILENT.1));
        entries
    }

    /// Every host's routes.
    ///
    /// A router sends what it does not know towards the server, the last one refuses it. Towards the client go the client's
    /// network, the wires on that side, and [`Net::Lent`], which the first router refuses: nobody is there, but a relay that
    /// rewrites sources to such an address gets the answers.
    pub(crate) fn routes(self) -> Vec<Route> {
        let wires = self.wires();
        let stage = |host| self.stage(host).unwrap_or_default();
        let mut routes = Vec::new();
        for host in self.hosts() {
            let right: Vec<_> = wires.iter().filter(|[near, _]| near.host == host).map(|[_, far]| *far).collect();
            let left: Vec<_> = wires.iter().filter(|[_, far]| far.host == host).map(|[near, _]| *near).collect();
            let mut add = |net, via: &[&'static Port]| routes.push(Route { host, net, via: via.to_vec() });
            if host == Host::Server {
                add(Net::Everything, &left);
                continue;
            }
            if host == self.last_router() {
                add(Net::Silent, &right);
            } else {
                add(Net::Everything, &right);
            }
            if host == Host::Router && self.routers > 1 {
                add(Net::Lent, &[]);
            }
            if stage(host) < 2 {
                continue;
            }
            add(Net::Of(CLIENT), &left);
            add(Net::Lent, &left);
            for [_, end] in wires.iter().filter(|[_, far]| (2..stage(host)).contains(&stage(far.host))) {
                // By the neighbour that is at its end, where one is.
                let near: Vec<_> = left.iter().copied().filter(|port| port.host == end.host).collect();
                add(Net::Of(end), if near.is_empty() { &left } else { &near });
            }
        }
        routes
    }
}

/// One route of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Whose.
    pub(crate) host: Host,
    /// Where to.
    pub(crate) net: Net,
    /// The ports of the neighbours that forward it; with more than one, each flow takes one of them. None: it is refused.
    pub(crate) via: Vec<&'static Port>,
}

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    /// All that no other route is for.
    Everything,
    /// The network of a port.
    Of(&'static Port),
    /// Addresses that nobody has, for a relay that rewrites sources: 203.0.113.0/25 and 2001:db8:2::/48.
    Lent,
    /// The silent address.
    Silent,
}

impl Net {
    /// Its address and the bits of it that count.
    pub(crate) fn prefix(self, family: Family) -> (IpAddr, u8) {
        match (self, family) {
            (Self::Everything, Family::V4) => (Ipv4Addr::UNSPECIFIED.into(), 0),
            (Self::Everything, Family::V6) => (Ipv6Addr::UNSPECIFIED.into(), 0),
            (Self::Lent, Family::V4) => (Ipv4Addr::new(203, 0, 113, 0).into(), 25),
            (Self::Lent, Family::V6) => (Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 0).into(), 48),
            (Self::Silent, Family::V4) => (SILENT.0.into(), 32),
            (Self::Silent, Family::V6) => (SILENT.1.into(), 128),
            (Self::Of(port), Family::V4) => {
                let len = port.prefix_len(Family::V4);
                (Ipv4Addr::from_bits(port.v4.to_bits() & u32::MAX << (32 - len)).into(), len)
            }
            (Self::Of(port), Family::V6) => {
                let len = port.prefix_len(Family::V6);
                (Ipv6Addr::from_bits(port.v6.to_bits() & u128::MAX << (128 - len)).into(), len)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::map::PORTS;

    fn all() -> impl Iterator<Item = Shape> {
        (1..=8).flat_map(|routers| [false, true].into_iter().filter_map(move |split| Shape::new(routers, split)))
    }

    fn holds(net: Net, family: Family, address: IpAddr) -> Option<u8> {
        let (prefix, len) = net.prefix(family);
        let same = match (prefix, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => return None,
        };
        (same >= u32::from(len)).then_some(len)
    }

    /// Where a host sends a packet; empty where it refuses.
    fn next(shape: Shape, host: Host, family: Family, to: IpAddr) -> Vec<Host> {
        let ports = shape.ports();
        if let Some(port) = ports.iter().find(|port| port.address(family) == to) {
            let shared = |wire: &[&Port; 2]| wire.contains(port) && wire.iter().any(|end| end.host == host);
            if shape.wires().iter().any(shared) {
                return vec![port.host];
            }
        }
        let routes = shape.routes();
        let fitting = routes.iter().filter(|route| route.host == host);
        let best = fitting.filter_map(|route| Some((holds(route.net, family, to)?, route))).max_by_key(|(len, _)| *len);
        best.map(|(_, route)| route.via.iter().map(|port| port.host).collect()).unwrap_or_default()
    }

    #[test]
    fn the_lab_with_one_router_has_the_four_ports() {
        assert!(Shape::ONE.ports().into_iter().eq(&PORTS));
        assert_eq!(Shape::ONE.hosts(), [Host::Client, Host::Router, Host::Server]);
        assert_eq!(Shape::new(0, false), None);
        assert_eq!(Shape::new(9, false), None);
        assert_eq!(Shape::new(2, true), None);
    }

    #[test]
    fn every_host_reaches_every_address_on_every_path() {
        for shape in all() {
            for family in Family::ALL {
                for from in shape.hosts() {
                    for to in shape.ports() {
                        let mut at = vec![from];
                        for _hop in 0..10 {
                            at.retain(|host| *host != to.host);
                            at = at
                                .iter()
                                .flat_map(|host| {
                                    let next = next(shape, *host, family, to.address(family));
                                    assert!(!next.is_empty(), "{shape:?}: {host} has no way to {to}");
                                    next
                                })
                                .collect();
                        }
                        assert!(at.is_empty(), "{shape:?}: from {from} to {to} in a circle: {at:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_nobody_has_is_refused_by_one_of_the_routers() {
        for shape in all() {
            for (family, address) in
                [(Family::V4, "203.0.113.9"), (Family::V4, "10.0.0.1"), (Family::V6, "2001:db8:2::9")]
            {
                let mut at = Host::Client;
                for _hop in 0..10 {
                    let Some(next) = next(shape, at, family, address.parse().unwrap()).first().copied() else { break };
                    at = next;
                }
                assert!(at.is_router(), "{shape:?}: {address} ends at {at}");
                assert!(next(shape, at, family, address.parse().unwrap()).is_empty(), "{shape:?}: {address} circles");
            }
        }
    }

    #[test]
    fn numbers_and_interfaces_are_unique_in_each_host() {
        for shape in all() {
            let mut seen = BTreeMap::new();
            for port in shape.ports() {
                assert_eq!(seen.insert((port.host, port.index), port), None, "{shape:?}: {port}");
                assert_eq!(
                    seen.insert(
                        (port.host, port.interface.len() as u32 + 1000 + u32::from(port.interface.as_bytes()[3])),
                        port
                    ),
                    None
                );
            }
            assert!(shape.hosts().iter().all(|host| {
                let ports = shape.ports().iter().filter(|port| port.host == *host).count();
                shape.view(*host).split(' ').count() == ports + 1
            }));
        }
    }

    #[test]
    fn a_split_lab_sends_flows_on_two_ways_in_both_directions() {
        let shape = Shape::new(4, true).unwrap();
        let of = |host, to: &str| next(shape, host, Family::V4, to.parse().unwrap());
        assert_eq!(of(Host::Router, "192.0.2.2"), [Host::Router2a, Host::Router2b]);
        assert_eq!(of(Host::Router3, "198.51.100.2"), [Host::Router2a, Host::Router2b]);
        assert_eq!(shape.relay_wire().map(|port| port.host), [Host::Router3, Host::Router4]);
        let names: Vec<_> = shape.entries().iter().map(|entry| entry.name).collect();
        let expected = ["client", "router", "router2a", "router2b", "router3", "router4", "server", "closed", "silent"];
        assert_eq!(names, expected);
    }
}
