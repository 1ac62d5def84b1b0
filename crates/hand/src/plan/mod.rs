//! The plan: which way onto the wire keeps what was set, and what would happen on it.
//!
//! In: a built packet, the person's wishes, and the [`Facts`] of the machine.
//! Out: a [`Plan`] (route, next hop, way, what the kernel would touch, what is still to be done), or [`Refused`].
//! Above: net, render, the command. Below: wire, craft.
//! Not here: asking the kernel (net), sending (link).

mod ethernet;
mod fragments;
mod raw;
mod refused;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::{FieldDesc, MacAddr};

pub use fragments::plan_fragments;
pub use raw::raw_way;
pub use refused::{Objection, Refused};

use crate::facts::{Facts, Interface, Route, RouteAnswer, RouteKind};
use crate::outgoing::Outgoing;
use crate::ways::{Way, Writing};

/// What the person asks for beside the packet itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `--to`: the address given to the kernel, or the next hop, instead of the header's destination.
    pub to: Option<IpAddr>,
    /// `--iface`: the interface to leave by.
    pub interface: Option<String>,
    /// This way and no other.
    pub way: Option<Way>,
    /// The kernel may rewrite what was set: to show that it does. Never on by itself.
    pub allow_rewrites: bool,
}

/// What would happen to a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The way onto the wire.
    pub way: Way,
    /// Why this way.
    pub reason: Reason,
    /// The address given to the kernel, or whose next hop is taken; `None` for a frame that carries no IP packet.
    pub destination: Option<IpAddr>,
    /// The source address in the header, where it has one.
    pub source: Option<IpAddr>,
    /// The route, where one was asked for.
    pub route: Option<Route>,
    /// The interface it leaves by.
    pub interface: Interface,
    /// Who gets the frame.
    pub next_hop: Option<NextHop>,
    /// The Ethernet header put before the packet, when the way needs one and the packet brings none.
    pub framing: Option<Framing>,
    /// Bytes of the IP packet, or behind the Ethernet header.
    pub size: usize,
    /// The largest that the way takes, in the same measure.
    pub mtu: usize,
    /// What the kernel will change; empty unless the change means the same as what was left unset, or was allowed.
    pub touches: Vec<Touch>,
    /// What must be done before it can leave.
    pub needs: Vec<Need>,
    /// What the person should know.
    pub notes: Vec<Note>,
}

/// Why a way was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A raw socket keeps everything that was set.
    KeepsAll,
    /// The packet begins with an Ethernet header.
    EthernetLayer,
    /// A raw socket would not carry it as set.
    RawWould(Vec<Objection>),
    /// It was asked for.
    Asked,
}

/// A field that somebody else writes.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    /// The field, of the outermost IP header.
    pub field: &'static FieldDesc,
    /// The value in the packet as built.
    pub built: u128,
    /// The value on the wire; `None` when it cannot be foretold.
    pub wire: Option<u128>,
    /// It was set by the person, not filled by us.
    pub was_set: bool,
    /// Who writes it.
    pub who: Who,
    /// What is written.
    pub writing: Writing,
}

impl PartialEq for Touch {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.field, other.field)
            && (self.built, self.wire, self.was_set, self.who, self.writing)
                == (other.built, other.wire, other.was_set, other.who, other.writing)
    }
}

impl Eq for Touch {}

/// Who changes a field after us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The kernel, as `ways.rs` says.
    Kernel,
    /// Something between us and the wire that no table foretells: a firewall rule, address translation.
    Unforetold,
}

impl Who {
    /// The word in a sent line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Unforetold => "unforetold",
        }
    }
}

/// Who gets the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// Its IP address; `None` when only its Ethernet address was given.
    pub address: Option<IpAddr>,
    /// Its Ethernet address, where known already.
    pub mac: Option<MacAddr>,
    /// How it was found.
    pub by: NextHopBy,
}

/// How a next hop was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextHopBy {
    /// The destination is on the link.
    OnLink,
    /// The route has a gateway.
    Gateway,
    /// The destination is a group: its Ethernet address follows from it (RFC 1112 §6.4, RFC 2464 §7).
    Group,
    /// The destination is everybody on the link.
    Broadcast,
    /// The packet's own Ethernet layer names it.
    Set,
    /// The destination is this machine.
    Here,
}

/// The Ethernet header that we put before an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// The next hop; `None` until it was asked for.
    pub destination: Option<MacAddr>,
    /// The interface's own address.
    pub source: MacAddr,
    /// 0x0800 or 0x86dd.
    pub ether_type: u16,
}

impl Framing {
    /// The frame: the header, then the packet. `None` while the next hop is not known.
    #[must_use]
    pub fn frame(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let destination = self.destination?;
        let mut frame = Vec::with_capacity(14 + packet.len());
        frame.extend_from_slice(&destination.0);
        frame.extend_from_slice(&self.source.0);
        frame.extend_from_slice(&self.ether_type.to_be_bytes());
        frame.extend_from_slice(packet);
        Some(frame)
    }
}

/// What must be done before a packet can leave, or so that its answer can live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The Ethernet address of this next hop.
    Resolve(IpAddr),
    /// A guard on this address and port, or our own kernel would reset what comes back.
    Guard {
        /// The transport.
        transport: Transport,
        /// The packet's source.
        address: IpAddr,
        /// The packet's source port.
        port: u16,
    },
}

/// The transports whose ports can be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What the person should know about a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The source is not this machine's: the answer goes to its owner, and no guard is needed.
    ForeignSource {
        /// The source in the header.
        source: IpAddr,
    },
    /// The source is the unspecified address: nobody can answer.
    NoSource,
    /// Handed to one address, addressed to another.
    AddressedElsewhere {
        /// The header's destination.
        header: IpAddr,
        /// The address given to the kernel.
        to: IpAddr,
    },
    /// TTL or hop limit 0: the first host that reads it drops it.
    TtlZero,
    /// The next hop failed to answer the kernel's ARP or neighbour discovery of late.
    NeighborFailed {
        /// The next hop.
        address: IpAddr,
    },
    /// On the loopback: own packets are seen twice.
    Loopback,
    /// It is cut although DF is set, because the person set DF: whoever reads the bit and cannot pass it on drops it.
    DontFragmentSet,
    /// Connection tracking on this machine may hold a fragment until the last has come. Only of IPv6 on its raw way: the raw
    /// socket of IPv4 tells it not to (`IP_NODEFRAG`), and what goes by Ethernet does not pass it.
    Fragment,
}

/// Says what would happen to a packet: a pure function.
///
/// # Errors
/// When no way carries the packet as it was set; the reason says what each way would do.
pub fn plan(packet: &Outgoing<'_>, wishes: &Wishes, facts: &Facts) -> Result<Plan, Refused> {
    if packet.begins_with_ethernet() {
        return ethernet::explicit(packet, wishes, facts);
    }
    let ip = packet.ip().ok_or(Refused::NotIp)?;
    // Before the route: by an interface that is down or not there the kernel knows none, which would be half the truth.
    named(wishes, facts)?;
    let raw_way = ip.raw_way();
    let route = route(wishes, facts, ip.destination)?;
    let interface = leaving(wishes, facts, Some(route))?;
    let raw = raw::check(packet, raw_way, wishes, route, interface);
    match (raw, wishes.way) {
        (Ok(touches), None) => Ok(raw::plan(packet, facts, route, interface, Reason::KeepsAll, touches)),
        (Ok(touches), Some(way)) if way == raw_way => {
            Ok(raw::plan(packet, facts, route, interface, Reason::Asked, touches))
        }
        (Err(objections), Some(way)) if way == raw_way => Err(refused::one_way(way, objections, interface)),
        (Ok(_), Some(Way::Ethernet)) => ethernet::implied(packet, facts, route, interface, Reason::Asked)
            .map_err(|objections| refused::one_way(Way::Ethernet, objections, interface)),
        (_, Some(way)) if way != Way::Ethernet => Err(Refused::WrongFamily { way }),
        (Err(raw), _) => ethernet::implied(packet, facts, route, interface, Reason::RawWould(raw.clone()))
            .map_err(|ethernet| refused::both_ways(raw_way, raw, ethernet, interface)),
        (Ok(touches), Some(_)) => Ok(raw::plan(packet, facts, route, interface, Reason::KeepsAll, touches)),
    }
}

/// The route that was asked for, if it carries anything.
fn route<'f>(wishes: &Wishes, facts: &'f Facts, header: IpAddr) -> Result<&'f Route, Refused> {
    let destination = wishes.to.unwrap_or(header);
    match &facts.route {
        Some(RouteAnswer::Route(route)) if !route.kind.carries() => {
            Err(Refused::RouteRefuses { destination: route.destination, kind: route.kind })
        }
        Some(RouteAnswer::Route(route)) => Ok(route),
        Some(RouteAnswer::None { destination }) => Err(why_no_route(wishes, facts, *destination)),
        None => Err(why_no_route(wishes, facts, destination)),
    }
}

/// Routes go with their interface: one that is not there, or is down, is the reason behind a route that is missing.
fn why_no_route(wishes: &Wishes, facts: &Facts, destination: IpAddr) -> Refused {
    let down = |interface: &&Interface| !interface.up && !interface.loopback;
    let all_down = facts.interfaces.iter().all(|interface| !interface.up || interface.loopback);
    let named = wishes.interface.as_deref();
    match (named, named.and_then(|name| facts.interface_named(name))) {
        (Some(name), None) => Refused::NoInterface { name: name.into() },
        (Some(_), Some(interface)) if !interface.up => Refused::InterfaceDown { name: interface.name.clone() },
        (None, _) if all_down => match facts.interfaces.iter().find(down) {
            Some(interface) => Refused::InterfaceDown { name: interface.name.clone() },
            None => Refused::NoRoute { destination },
        },
        _ => Refused::NoRoute { destination },
    }
}

/// The interface that was named, which must be there and up.
fn named<'f>(wishes: &Wishes, facts: &'f Facts) -> Result<Option<&'f Interface>, Refused> {
    let Some(name) = &wishes.interface else { return Ok(None) };
    let interface = facts.interface_named(name).ok_or_else(|| Refused::NoInterface { name: name.clone() })?;
    is_up(interface)?;
    Ok(Some(interface))
}

fn is_up(interface: &Interface) -> Result<(), Refused> {
    if interface.up { Ok(()) } else { Err(Refused::InterfaceDown { name: interface.name.clone() }) }
}

/// The interface that the packet leaves by, which must be up.
fn leaving<'f>(wishes: &Wishes, facts: &'f Facts, route: Option<&Route>) -> Result<&'f Interface, Refused> {
    let interface = match (named(wishes, facts)?, route) {
        (Some(interface), _) => interface,
        (None, Some(route)) => facts.interface(route.interface).ok_or(Refused::InterfaceNeeded)?,
        (None, None) => return Err(Refused::InterfaceNeeded),
    };
    is_up(interface)?;
    if let Some(route) = route
        && interface.loopback
        && !matches!(route.kind, RouteKind::Local | RouteKind::Broadcast | RouteKind::Multicast)
    {
        return Err(Refused::LoopbackElsewhere { destination: route.destination });
    }
    Ok(interface)
}

/// The guard without which our own kernel would answer what comes back.
fn guard_need(packet: &Outgoing<'_>, facts: &Facts) -> Option<Need> {
    let address = packet.ip()?.source;
    let (transport, port) = packet.answered_port()?;
    facts.is_own(address).then_some(Need::Guard { transport, address, port })
}

/// Guards and notes, which no way changes.
fn needs_and_notes(packet: &Outgoing<'_>, facts: &Facts, to: Option<IpAddr>, plan: &mut Plan) {
    let Some(ip) = packet.ip() else { return };
    // RFC 2131 §4.1: a client without an address is answered at the one that it gets, or with everybody.
    let asks_for_one = packet.layers.iter().any(|layer| layer.desc.key == "dhcp");
    if ip.source.is_unspecified() && !asks_for_one {
        plan.notes.push(Note::NoSource);
    } else if !ip.source.is_unspecified() && !facts.is_own(ip.source) && facts.own != Some(ip.source) {
        plan.notes.push(Note::ForeignSource { source: ip.source });
    }
    plan.needs.extend(guard_need(packet, facts));
    if let Some(to) = to
        && to != ip.destination
    {
        plan.notes.push(Note::AddressedElsewhere { header: ip.destination, to });
    }
    if ip.hops == 0 {
        plan.notes.push(Note::TtlZero);
    }
    if plan.interface.loopback {
        plan.notes.push(Note::Loopback);
    }
    if ip.is_fragment && plan.way == Way::RawIpv6 {
        plan.notes.push(Note::Fragment);
    }
}

#[cfg(test)]
mod tests;
