//! What the plan has to know of the machine: routes, interfaces, neighbours, as data.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::MacAddr;

/// The machine as the plan sees it. `net` fills it by netlink, tests by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the kernel answered for the destination: `None` when it was not asked (a frame with an interface named).
    pub route: Option<RouteAnswer>,
    /// The interfaces.
    pub interfaces: Vec<Interface>,
    /// The kernel's neighbour table.
    pub neighbors: Vec<Neighbor>,
    /// An address that the kernel lacks, at which we hear the answers ourselves.
    pub own: Option<IpAddr>,
}

impl Facts {
    /// The interface with this index.
    #[must_use]
    pub fn interface(&self, index: u32) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.index == index)
    }

    /// The interface with this name.
    #[must_use]
    pub fn interface_named(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// The address belongs to this machine: its kernel answers for it. All of 127.0.0.0/8 does.
    #[must_use]
    pub fn is_own(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.interfaces.iter().any(|i| i.addresses.contains(&address))
    }

    /// The MAC that the kernel's table holds for a next hop.
    #[must_use]
    pub fn mac_of(&self, interface: u32, address: IpAddr) -> Option<MacAddr> {
        let neighbor = self.neighbors.iter().find(|n| n.interface == interface && n.address == address)?;
        neighbor.mac.filter(|_| neighbor.state == NeighborState::Usable)
    }
}

/// The kernel's answer to the question for a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteAnswer {
    /// This route.
    Route(Route),
    /// None (ENETUNREACH).
    None {
        /// The destination asked for.
        destination: IpAddr,
    },
}

/// A route to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination asked for.
    pub destination: IpAddr,
    /// What the kernel does with packets for it.
    pub kind: RouteKind,
    /// The index of the interface they leave by.
    pub interface: u32,
    /// The source address that the kernel would choose.
    pub source: Option<IpAddr>,
    /// The gateway; `None` when the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// The path's or the route's own MTU where it has one.
    pub mtu: Option<u32>,
}

/// What the kernel does with packets of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteKind {
    /// Sends them to one host.
    Unicast,
    /// Delivers them here.
    Local,
    /// Sends them to all on the link.
    Broadcast,
    /// Sends them to a group.
    Multicast,
    /// Drops them; a raw socket gets EINVAL.
    Blackhole,
    /// Refuses them with EHOSTUNREACH.
    Unreachable,
    /// Refuses them with EACCES.
    Prohibit,
}

impl RouteKind {
    /// The word of `ip route`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Local => "local",
            Self::Broadcast => "broadcast",
            Self::Multicast => "multicast",
            Self::Blackhole => "blackhole",
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
        }
    }

    /// Packets of this route leave or are delivered.
    #[must_use]
    pub const fn carries(self) -> bool {
        !matches!(self, Self::Blackhole | Self::Unreachable | Self::Prohibit)
    }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its Ethernet address; `None` where it has no link header (tunnels) and on the loopback.
    pub mac: Option<MacAddr>,
    /// The largest IP packet it takes, in bytes.
    pub mtu: u32,
    /// It is up.
    pub up: bool,
    /// It is the loopback.
    pub loopback: bool,
    /// On the loopback: IPv4 that a packet socket sends there arrives, because its settings `route_localnet` and
    /// `accept_local` are both on. IPv6 arrives in any case.
    pub takes_ipv4_frames: bool,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// A row of the neighbour table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// The index of the interface.
    pub interface: u32,
    /// The neighbour.
    pub address: IpAddr,
    /// Its Ethernet address, where known.
    pub mac: Option<MacAddr>,
    /// Whether the kernel would send to it.
    pub state: NeighborState,
}

/// What the kernel thinks of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighborState {
    /// REACHABLE, STALE, DELAY, PROBE, PERMANENT, NOARP: it has an address to send to.
    Usable,
    /// INCOMPLETE: being asked for.
    Asking,
    /// FAILED: did not answer.
    Failed,
}
