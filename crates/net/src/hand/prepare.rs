//! From a packet as written to bytes and a plan: names, route, port, build, plan, next hop.

use core::net::IpAddr;

use wirewright_craft::{Built, Context, Family, Host, Packet, Setting, fragment};
use wirewright_hand::{Facts, MacAddr, Neighbor, NeighborState, Outgoing, Plan, RouteAnswer, Wishes, plan_fragments};
use wirewright_link::netlink::{Interface, Netlink};
use wirewright_link::sys::Kernel;
use wirewright_link::{GuardError, Operation, OsError};

use super::{Options, facts};
use crate::error::Error;
use crate::names::look_up;
use crate::tcp_error::StreamError;

/// A packet ready to leave, but for what its plan still needs.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The packet, its names resolved.
    pub packet: Packet,
    /// Its bytes.
    pub built: Built,
    /// What would happen to it; to its first fragment where it is cut.
    pub plan: Plan,
    /// The fragments in which it leaves, in order; empty where it leaves whole.
    pub fragments: Vec<Fragment>,
    pub(super) context: Context,
    pub(super) facts: Facts,
    wishes: Wishes,
    limit: Option<usize>,
}

/// One fragment of a packet.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// Its bytes.
    pub built: Built,
    /// What would happen to it.
    pub plan: Plan,
}

/// Replaces names by addresses: those of the packet, and `--to`.
///
/// # Errors
/// When a name gives no address that fits.
pub(super) fn resolve(packet: &mut Packet, options: &Options) -> Result<Option<IpAddr>, Error> {
    crate::names::resolve(packet, options.names.as_ref(), options.families)?;
    handed_to(options)
}

/// The address of `--to`.
///
/// # Errors
/// When a name gives no address that fits.
pub(super) fn handed_to(options: &Options) -> Result<Option<IpAddr>, Error> {
    match &options.to {
        None => Ok(None),
        Some(Host::Address(address)) => Ok(Some(*address)),
        Some(Host::Name(name)) => Ok(Some(look_up(options.names.as_ref(), name, Family::Either, options.families)?)),
    }
}

/// Asks the kernel's tables about the way of a packet to `destination`, or to the one that `--to` names.
///
/// # Errors
/// When the kernel does not answer.
pub(super) fn gather(
    destination: Option<IpAddr>,
    to: Option<IpAddr>,
    options: &Options,
    netlink: &mut Netlink,
    interfaces: &[Interface],
) -> Result<(Facts, Wishes), Error> {
    let destination = to.or(destination);
    let facts = facts::gather(netlink, interfaces, destination, options.interface.as_deref())?;
    let wishes =
        Wishes { to, interface: options.interface.clone(), way: options.way, allow_rewrites: options.allow_rewrites };
    Ok((facts, wishes))
}

/// Builds a packet for its way and plans it. `context` brings the source port and entropy; what is larger than `limit` is cut.
///
/// # Errors
/// When it cannot be built or cut, or no way carries it.
pub(super) fn prepare(
    packet: Packet,
    mut context: Context,
    facts: Facts,
    wishes: Wishes,
    limit: Option<usize>,
) -> Result<Prepared, Error> {
    fill_addresses(&mut context, &facts, &wishes);
    let Made { built, plan, fragments } = make(&packet, &context, &facts, &wishes, limit)?;
    let mut prepared = Prepared { packet, built, plan, fragments, context, facts, wishes, limit };
    if let Some(mac) = prepared.plan.next_hop.and_then(|hop| hop.mac) {
        prepared.rebuild(mac)?;
    }
    Ok(prepared)
}

/// A packet as bytes, planned, in fragments where it is too large.
struct Made {
    built: Built,
    plan: Plan,
    fragments: Vec<Fragment>,
}

fn make(
    packet: &Packet,
    context: &Context,
    facts: &Facts,
    wishes: &Wishes,
    limit: Option<usize>,
) -> Result<Made, Error> {
    let built = packet.build(context)?;
    let pieces = limit.map_or(Ok(Vec::new()), |limit| fragment(packet, &built.bytes, limit))?;
    let whole = Outgoing::new(packet, &built);
    if pieces.is_empty() {
        let plan = wirewright_hand::plan(&whole, wishes, facts)?;
        return Ok(Made { built, plan, fragments: Vec::new() });
    }
    let builts = pieces.iter().map(|piece| piece.build(context)).collect::<Result<Vec<_>, _>>()?;
    let outgoing: Vec<_> = pieces.iter().zip(&builts).map(|(piece, built)| Outgoing::new(piece, built)).collect();
    let plans = plan_fragments(&whole, &outgoing, wishes, facts)?;
    // Cutting gives two fragments or more.
    let plan = plans[0].clone();
    let fragments = builts.into_iter().zip(plans).map(|(built, plan)| Fragment { built, plan }).collect();
    Ok(Made { built, plan, fragments })
}

impl Prepared {
    /// What leaves, each with its plan: the packet, or its fragments.
    pub(super) fn leaving(&self) -> Vec<(&Built, &Plan)> {
        if self.fragments.is_empty() {
            return vec![(&self.built, &self.plan)];
        }
        self.fragments.iter().map(|fragment| (&fragment.built, &fragment.plan)).collect()
    }

    /// The next hop was found: build and plan again with its address.
    pub(super) fn found(&mut self, address: IpAddr, mac: MacAddr) -> Result<(), Error> {
        let interface = self.plan.interface.index;
        self.facts.neighbors.retain(|n| (n.interface, n.address) != (interface, address));
        self.facts.neighbors.push(Neighbor { interface, address, mac: Some(mac), state: NeighborState::Usable });
        self.rebuild(mac)
    }

    /// A source port was reserved: build and plan again with it.
    pub(super) fn with_port(&mut self, port: u16) -> Result<(), Error> {
        self.context.source_port = Some(port);
        self.again()
    }

    /// Another packet by the same way: to the same next hop, with entropy of its own.
    pub(super) fn follow_up(&self, packet: Packet, kernel: &dyn Kernel) -> Result<Self, Error> {
        let mut next = Self { packet, ..self.clone() };
        let random = kernel.random(&mut next.context.entropy);
        random.map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))?;
        next.again()?;
        Ok(next)
    }

    fn rebuild(&mut self, next_hop: MacAddr) -> Result<(), Error> {
        self.context.next_hop_mac = Some(next_hop);
        self.again()
    }

    fn again(&mut self) -> Result<(), Error> {
        let made = make(&self.packet, &self.context, &self.facts, &self.wishes, self.limit)?;
        (self.built, self.plan, self.fragments) = (made.built, made.plan, made.fragments);
        Ok(())
    }
}

/// The destination that a packet names: of its outermost IP layer, or the target of its ARP layer.
pub(super) fn destination(packet: &Packet) -> Option<IpAddr> {
    packet.layers.iter().find_map(|layer| {
        let value = |key| match layer.get(key) {
            Some(Setting::Exactly(value)) => Some(value),
            _ => None,
        };
        match layer.key() {
            "ip" => value("dst").and_then(|bits| u32::try_from(bits).ok()).map(|bits| IpAddr::V4(bits.into())),
            "ip6" => value("dst").map(|bits| IpAddr::V6(bits.into())),
            "arp" => value("tpa").and_then(|bits| u32::try_from(bits).ok()).map(|bits| IpAddr::V4(bits.into())),
            _ => None,
        }
    })
}

/// Whether an answer can come to a source on the way of a packet.
///
/// # Errors
/// A loopback address, on a link to others; one that the kernel lacks, for which only an address of our own could be taken.
pub(super) fn check_source(source: IpAddr, facts: &Facts) -> Result<(), Error> {
    if !facts.is_own(source) {
        return Err(Error::Guard(GuardError::AddressNotLocal { address: source }));
    }
    let Some(RouteAnswer::Route(route)) = &facts.route else { return Ok(()) };
    match facts.interface(route.interface) {
        Some(interface) if source.is_loopback() && !interface.loopback => {
            let name = interface.name.clone();
            Err(Error::OwnAddress(Box::new(StreamError::AddressElsewhere { address: source, name })))
        }
        _ => Ok(()),
    }
}

/// This host's addresses on the way.
fn fill_addresses(context: &mut Context, facts: &Facts, wishes: &Wishes) {
    let route = match &facts.route {
        Some(RouteAnswer::Route(route)) => Some(route),
        _ => None,
    };
    match route.and_then(|route| route.source) {
        Some(IpAddr::V4(source)) => context.source_v4 = Some(source),
        Some(IpAddr::V6(source)) => context.source_v6 = Some(source),
        None => {}
    }
    let named = wishes.interface.as_deref().and_then(|name| facts.interface_named(name));
    let Some(interface) = named.or_else(|| facts.interface(route?.interface)) else { return };
    context.source_mac = interface.mac;
    // Where the route gives no source of a version (IPv4 handed to an IPv6 next hop), the interface does.
    for address in &interface.addresses {
        match *address {
            IpAddr::V4(v4) if context.source_v4.is_none() => context.source_v4 = Some(v4),
            IpAddr::V6(v6) if context.source_v6.is_none() => context.source_v6 = Some(v6),
            _ => {}
        }
    }
}
