//! The map: hosts, ports, addresses. Written down once; everything else asks here.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host with a network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// Where this process stands.
    Client,
    /// Between the two others; it forwards.
    Router,
    /// Where the services are.
    Server,
}

impl Host {
    /// All hosts, along the way of a packet.
    pub const ALL: [Self; 3] = [Self::Client, Self::Router, Self::Server];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Router => "router",
            Self::Server => "server",
        }
    }

    /// Its ports, in order of their numbers.
    pub fn ports(self) -> impl Iterator<Item = &'static Port> {
        PORTS.iter().filter(move |port| port.host == self)
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Router => 1,
            Self::Server => 2,
        }
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
    /// Its IPv4 address; the network is a /24.
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

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.host, self.interface)
    }
}

/// How many bits of an address of one family are its network's.
pub(crate) const fn prefix_len(family: Family) -> u8 {
    match family {
        Family::V4 => 24,
        Family::V6 => 64,
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

/// The four ports, along the way of a packet from the client: wires join the first two and the last two.
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

/// A second address of the server on which nobody listens: its kernel answers with a reset or a port unreachable.
pub(crate) const CLOSED: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(192, 0, 2, 3), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 3));

/// An address that the router sends to the server although the server does not have it. A host that does not forward drops
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

/// The names of the lab where it has networks of its own.
#[must_use]
pub fn hosts() -> Vec<HostEntry> {
    let entry = |name, host, v4, v6| HostEntry { name, host, v4, v6: Some(v6) };
    vec![
        entry("client", Host::Client, CLIENT.v4, CLIENT.v6),
        entry("router", Host::Router, ROUTER_NEAR.v4, ROUTER_NEAR.v6),
        entry("server", Host::Server, SERVER.v4, SERVER.v6),
        entry("closed", Host::Server, CLOSED.0, CLOSED.1),
        entry("silent", Host::Server, SILENT.0, SILENT.1),
    ]
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
        for [near, far] in [[CLIENT, ROUTER_NEAR], [ROUTER_FAR, SERVER]] {
            assert_ne!(near.index, far.index);
            assert_eq!(near.v4.octets()[..3], far.v4.octets()[..3]);
            assert_eq!(near.v6.segments()[..4], far.v6.segments()[..4]);
            assert_ne!(near.mac, far.mac);
        }
    }

    #[test]
    fn every_address_is_for_documentation() {
        for host in hosts() {
            assert!(host.v4.is_documentation(), "{}", host.v4);
            assert_eq!(host.v6.map(|v6| v6.segments()[..2].to_vec()), Some(vec![0x2001, 0xdb8]));
        }
    }
}
