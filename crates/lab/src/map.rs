//! The map: hosts, ports, addresses. Written down once; everything else asks here.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host with a network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// Where this process stands.
    Client,
    /// The first router; it forwards, as the others do.
    Router,
    /// The second router of a chain.
    Router2,
    /// The second router of a split lab, on one of its two paths.
    Router2a,
    /// The second router of a split lab, on the other path.
    Router2b,
    /// The third router.
    Router3,
    /// The fourth router.
    Router4,
    /// The fifth router.
    Router5,
    /// The sixth router.
    Router6,
    /// The seventh router.
    Router7,
    /// The eighth router.
    Router8,
    /// Where the services are.
    Server,
}

impl Host {
    /// Every host that a lab may have, along the way of a packet; [`Shape::hosts`](crate::Shape::hosts) says which one has.
    pub const ALL: [Self; 12] = [
        Self::Client,
        Self::Router,
        Self::Router2,
        Self::Router2a,
        Self::Router2b,
        Self::Router3,
        Self::Router4,
        Self::Router5,
        Self::Router6,
        Self::Router7,
        Self::Router8,
        Self::Server,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Router => "router",
            Self::Router2 => "router2",
            Self::Router2a => "router2a",
            Self::Router2b => "router2b",
            Self::Router3 => "router3",
            Self::Router4 => "router4",
            Self::Router5 => "router5",
            Self::Router6 => "router6",
            Self::Router7 => "router7",
            Self::Router8 => "router8",
            Self::Server => "server",
        }
    }

    /// Whether it forwards.
    #[must_use]
    pub const fn is_router(self) -> bool {
        !matches!(self, Self::Client | Self::Server)
    }

    pub(crate) fn index(self) -> usize {
        Self::ALL.iter().position(|host| *host == self).expect("every host is in the list of all")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// One end of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Whose.
    pub host: Host,
    /// The interface's name.
    pub interface: &'static str,
    /// The interface's number, different at the two ends of a wire (`link::netlink::create::End::index` says why).
    pub index: u32,
    /// Its MAC: `02:00` (locally administered) and the IPv4 address.
    pub mac: [u8; 6],
    /// Its IPv4 address; the network is a /24, between two routers a /30.
    pub v4: Ipv4Addr,
    /// Its IPv6 address; the network is a /64.
    pub v6: Ipv6Addr,
    /// Its link-local address.
    pub link_local: Ipv6Addr,
}

impl Port {
    /// Its address of one family.
    #[must_use]
    pub const fn address(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(self.v4),
            Family::V6 => IpAddr::V6(self.v6),
        }
    }
}

impl Port {
    /// How many bits of its address of one family are its network's.
    #[must_use]
    pub fn prefix_len(&self, family: Family) -> u8 {
        match family {
            Family::V6 => 64,
            Family::V4 if self.v4.octets()[0] == 203 => 30,
            Family::V4 => 24,
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.host, self.interface)
    }
}

const fn port(host: Host, interface: &'static str, index: u32, v4: [u8; 4], v6: [u16; 8], local: u16) -> Port {
    let [a, b, c, d] = v4;
    let [s, t, u, v, w, x, y, z] = v6;
    Port {
        host,
        interface,
        index,
        mac: [0x02, 0, a, b, c, d],
        v4: Ipv4Addr::new(a, b, c, d),
        v6: Ipv6Addr::new(s, t, u, v, w, x, y, z),
        link_local: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, local),
    }
}

/// The four ports of the lab with one router, along the way of a packet from the client: wires join the first two and the
/// last two.
///
/// The server's network is 192.0.2.0/24 and 2001:db8::/64, so the examples of the manual (`ww ask tcp 192.0.2.2:80 S`) can be
/// typed here as they are printed.
pub static PORTS: [Port; 4] = [
    port(Host::Client, "eth0", 2, [198, 51, 100, 2], [0x2001, 0xdb8, 1, 0, 0, 0, 0, 2], 2),
    port(Host::Router, "eth0", 3, [198, 51, 100, 1], [0x2001, 0xdb8, 1, 0, 0, 0, 0, 1], 1),
    port(Host::Router, "eth1", 4, [192, 0, 2, 1], [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 1),
    port(Host::Server, "eth0", 5, [192, 0, 2, 2], [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2], 2),
];

/// The port of the client.
pub(crate) static CLIENT: &Port = &PORTS[0];
/// The router's port towards the client.
pub(crate) static ROUTER_NEAR: &Port = &PORTS[1];
/// The router's port towards the server.
pub(crate) static ROUTER_FAR: &Port = &PORTS[2];
/// The port of the server.
pub(crate) static SERVER: &Port = &PORTS[3];

/// One end of a wire between two routers: wire `link`, its end 1 towards the client or 2 towards the server. Its networks are
/// the /30s from 203.0.113.128 on, and 2001:db8:ff00+`link`::/64.
const fn middle(host: Host, interface: &'static str, link: u8, end: u8) -> Port {
    let index = 8 + 2 * link as u32 + end as u32;
    let v6 = [0x2001, 0xdb8, 0xff00 + link as u16, 0, 0, 0, 0, end as u16];
    port(host, interface, index, [203, 0, 113, 128 + 4 * link + end], v6, end as u16)
}

/// The port towards the server of whichever router is the last.
const fn far(host: Host) -> Port {
    port(host, "eth1", 4, [192, 0, 2, 1], [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 1)
}

/// Wires between routers in [`FURTHER`].
pub(crate) const LINKS: usize = 11;

/// The ports of labs with more routers: the two ends of each wire between routers, seven of a chain, then four around
/// `router2a` and `router2b`; behind them the port to the server of every router but the first.
pub(crate) static FURTHER: [Port; 2 * LINKS + 7] = [
    middle(Host::Router, "eth1", 1, 1),
    middle(Host::Router2, "eth0", 1, 2),
    middle(Host::Router2, "eth1", 2, 1),
    middle(Host::Router3, "eth0", 2, 2),
    middle(Host::Router3, "eth1", 3, 1),
    middle(Host::Router4, "eth0", 3, 2),
    middle(Host::Router4, "eth1", 4, 1),
    middle(Host::Router5, "eth0", 4, 2),
    middle(Host::Router5, "eth1", 5, 1),
    middle(Host::Router6, "eth0", 5, 2),
    middle(Host::Router6, "eth1", 6, 1),
    middle(Host::Router7, "eth0", 6, 2),
    middle(Host::Router7, "eth1", 7, 1),
    middle(Host::Router8, "eth0", 7, 2),
    middle(Host::Router, "eth1", 8, 1),
    middle(Host::Router2a, "eth0", 8, 2),
    middle(Host::Router, "eth2", 9, 1),
    middle(Host::Router2b, "eth0", 9, 2),
    middle(Host::Router2a, "eth1", 10, 1),
    middle(Host::Router3, "eth0", 10, 2),
    middle(Host::Router2b, "eth1", 11, 1),
    middle(Host::Router3, "eth2", 11, 2),
    far(Host::Router2),
    far(Host::Router3),
    far(Host::Router4),
    far(Host::Router5),
    far(Host::Router6),
    far(Host::Router7),
    far(Host::Router8),
];

/// Every port of every lab, by its number on the line between builder and caller.
pub(crate) fn every_port() -> impl Iterator<Item = &'static Port> {
    PORTS.iter().chain(&FURTHER)
}

/// A second address of the server on which nobody listens: its kernel answers with a reset or a port unreachable.
pub(crate) const CLOSED: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(192, 0, 2, 3), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 3));

/// An address that the last router sends to the server although the server does not have it. A host that does not forward drops
/// such packets without a word, so they arrive there, can be seen there, and nobody answers.
pub(crate) const SILENT: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(192, 0, 2, 4), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 4));

/// A name of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostEntry {
    /// What people write.
    pub name: &'static str,
    /// The host whose network receives what is sent there.
    pub host: Host,
    /// Its IPv4 address.
    pub v4: Ipv4Addr,
    /// Its IPv6 address; `None` where there is no IPv6 or no such address.
    pub v6: Option<Ipv6Addr>,
}

/// The names where the lab is this machine's loopback: there is no router, and nobody on it is silent.
pub(crate) fn loopback_hosts(with_v6: bool) -> Vec<HostEntry> {
    let v6 = with_v6.then_some(Ipv6Addr::LOCALHOST);
    vec![
        HostEntry { name: "client", host: Host::Client, v4: Ipv4Addr::LOCALHOST, v6 },
        HostEntry { name: "server", host: Host::Server, v4: LOOPBACK_SERVER, v6 },
        HostEntry { name: "closed", host: Host::Server, v4: Ipv4Addr::new(127, 0, 0, 3), v6: None },
    ]
}

/// The server's address on loopback: all of 127.0.0.0/8 is this machine, and 127.0.0.1 is where its own services are.
pub(crate) const LOOPBACK_SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_wire_have_one_network_and_two_numbers() {
        let links = FURTHER[..2 * LINKS].chunks_exact(2).map(|ends| [&ends[0], &ends[1]]);
        for [near, far] in [[CLIENT, ROUTER_NEAR], [ROUTER_FAR, SERVER]].into_iter().chain(links) {
            assert_ne!(near.index, far.index);
            assert_eq!(near.v4.octets()[..3], far.v4.octets()[..3]);
            assert_eq!(near.v6.segments()[..4], far.v6.segments()[..4]);
            assert_ne!(near.mac, far.mac);
        }
    }

    #[test]
    fn every_address_is_for_documentation() {
        for port in every_port() {
            assert!(port.v4.is_documentation(), "{port}: {}", port.v4);
            assert_eq!(port.v6.segments()[..2], [0x2001, 0xdb8], "{port}");
        }
    }
}
