//! Why no way carries a packet.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::Touch;
use crate::facts::{Interface, RouteKind};
use crate::ways::{Errno, Way};

/// What one way would do to a packet that it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Objection {
    /// The kernel would change a field that was set.
    Rewrites(Touch),
    /// The packet is larger than the way takes.
    TooLarge {
        /// Its bytes (behind the link header).
        size: usize,
        /// The largest that goes.
        mtu: usize,
    },
    /// The header's length field or the packet's length is one that the kernel refuses with EINVAL.
    HeaderShape {
        /// The header length that the packet claims, in bytes.
        claimed: usize,
        /// The bytes that there are.
        have: usize,
        /// The least that the kernel takes.
        need: usize,
    },
    /// The address given to the kernel is of the other IP version.
    OtherFamily {
        /// That address.
        to: IpAddr,
    },
    /// The kernel drops what is addressed to a group of this node alone.
    NodeLocalGroup,
    /// What leaves by a packet socket on the loopback reaches nobody, unless it is IP.
    Loopback,
    /// IPv4 that leaves by a packet socket on the loopback reaches nobody while its settings `route_localnet` and
    /// `accept_local` are not both on.
    LoopbackDropsIpv4,
    /// The interface has no Ethernet address.
    NotEthernet,
}

impl Objection {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rewrites(_) => "kernel-rewrites",
            Self::TooLarge { .. } => "too-large",
            Self::HeaderShape { .. } => "header-shape",
            Self::OtherFamily { .. } => "other-family",
            Self::NodeLocalGroup => "node-local-group",
            Self::Loopback => "packet-socket-on-loopback",
            Self::LoopbackDropsIpv4 => "ipv4-frame-on-loopback",
            Self::NotEthernet => "not-ethernet",
        }
    }

    /// The errno that the system call would return, where it would return one.
    #[must_use]
    pub const fn errno(&self) -> Option<Errno> {
        match self {
            Self::TooLarge { .. } => Some(Errno::Emsgsize),
            Self::HeaderShape { .. } => Some(Errno::Einval),
            _ => None,
        }
    }
}

/// Why a packet is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The bytes begin neither with an Ethernet nor with an IP header.
    NotIp,
    /// There is no route.
    NoRoute {
        /// The destination.
        destination: IpAddr,
    },
    /// The route drops or refuses.
    RouteRefuses {
        /// The destination.
        destination: IpAddr,
        /// Its kind.
        kind: RouteKind,
    },
    /// No interface has this name.
    NoInterface {
        /// The name.
        name: String,
    },
    /// Nothing says which interface the frame leaves by: `-i` must.
    InterfaceNeeded,
    /// The interface is down.
    InterfaceDown {
        /// Its name.
        name: String,
    },
    /// Sent by the loopback, a packet for another host goes nowhere.
    LoopbackElsewhere {
        /// The destination.
        destination: IpAddr,
    },
    /// Larger than anything that leaves the interface.
    TooLarge {
        /// The packet's bytes.
        size: usize,
        /// The largest that goes.
        mtu: usize,
        /// The interface.
        interface: String,
    },
    /// The way that was asked for is of the other IP version.
    WrongFamily {
        /// That way.
        way: Way,
    },
    /// The way that was asked for does not carry it.
    WayWould {
        /// That way.
        way: Way,
        /// What it would do.
        objections: Vec<Objection>,
        /// The interface.
        interface: String,
    },
    /// No way carries it.
    NoWay {
        /// The raw way.
        raw_way: Way,
        /// What the raw way would do.
        raw: Vec<Objection>,
        /// What the Ethernet way would do.
        ethernet: Vec<Objection>,
        /// The interface.
        interface: String,
    },
}

impl Refused {
    /// The stable code; `render`'s catalogue holds the sentence `refused.CODE`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotIp => "not-ip",
            Self::NoRoute { .. } => "no-route",
            Self::RouteRefuses { .. } => "route-refuses",
            Self::NoInterface { .. } => "no-interface",
            Self::InterfaceNeeded => "interface-needed",
            Self::InterfaceDown { .. } => "interface-down",
            Self::LoopbackElsewhere { .. } => "loopback-elsewhere",
            Self::TooLarge { .. } => "too-large",
            Self::WrongFamily { .. } => "wrong-family",
            Self::WayWould { .. } => "way-would",
            Self::NoWay { .. } => "no-way",
        }
    }
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.code())
    }
}

impl core::error::Error for Refused {}

/// The refusal when only one way was allowed.
pub(super) fn one_way(way: Way, objections: Vec<Objection>, interface: &Interface) -> Refused {
    too_large(&objections, interface).unwrap_or_else(|| Refused::WayWould {
        way,
        objections,
        interface: interface.name.clone(),
    })
}

/// The refusal when both ways object.
pub(super) fn both_ways(raw_way: Way, raw: Vec<Objection>, ethernet: Vec<Objection>, interface: &Interface) -> Refused {
    let size = too_large(&raw, interface).or_else(|| too_large(&ethernet, interface));
    size.unwrap_or_else(|| Refused::NoWay { raw_way, raw, ethernet, interface: interface.name.clone() })
}

/// A packet that is simply too large for the interface is refused as that.
fn too_large(objections: &[Objection], interface: &Interface) -> Option<Refused> {
    objections.iter().find_map(|objection| match *objection {
        Objection::TooLarge { size, mtu } => Some(Refused::TooLarge { size, mtu, interface: interface.name.clone() }),
        _ => None,
    })
}
