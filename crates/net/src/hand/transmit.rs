//! The sockets that send, each opened when its way is first taken.

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use wirewright_hand::{Need, Plan, Way, ether_types, protocols};
use wirewright_link::netlink::Interface;
use wirewright_link::sys::Kernel;
use wirewright_link::sys::ethtool::stamps_what_leaves;
use wirewright_link::{
    Filter, OsError, PacketConfig, PacketSocket, RawIpv4, RawIpv6, Receive, SenderConfig, SentCopy, SentId, Tap,
    Transmit, Wanted, What,
};
use wirewright_units::Instant;

use super::next_hop;
use super::prepare::Prepared;
use crate::error::Error;

/// The sending sockets of a session.
#[derive(Debug)]
pub(super) struct Senders {
    kernel: Arc<dyn Kernel>,
    interface: Option<String>,
    raw_v4: Option<RawIpv4>,
    raw_v6: Option<RawIpv6>,
    frames: Option<Frames>,
    /// For an interface whose driver does not tell when it was given a frame.
    tap: Option<(u32, Tap)>,
    /// What leaves is read back.
    copies: bool,
}

/// Where a batch goes, all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    way: Way,
    destination: Option<IpAddr>,
    interface: u32,
}

impl Target {
    pub(super) fn of(plan: &Plan) -> Self {
        // A frame's destination stands in it.
        let destination = plan.destination.filter(|_| plan.way != Way::Ethernet);
        Self { way: plan.way, destination, interface: plan.interface.index }
    }

    fn scope_of(self, to: Ipv6Addr) -> u32 {
        // Link-local and group addresses mean nothing without their link.
        let scoped = to.is_multicast() || to.segments()[0] & 0xffc0 == 0xfe80;
        if scoped { self.interface } else { 0 }
    }
}

/// How long a tap is looked at for a frame that came to the queue: it sees what leaves before the driver does.
const TAP_WAIT: Duration = Duration::from_millis(5);

/// The one packet socket: closing one costs the process 10 ms and more.
#[derive(Debug)]
struct Frames {
    socket: PacketSocket,
    index: u32,
    hears: Hears,
}

/// What the packet socket hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hears {
    /// Nothing.
    Nothing,
    /// Answers of neighbours.
    Neighbors,
    /// Everything.
    Everything,
}

/// A packet that was handed to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    way: Way,
    id: SentId,
}

impl Senders {
    pub(super) fn new(kernel: Arc<dyn Kernel>, interface: Option<String>) -> Self {
        Self { kernel, interface, raw_v4: None, raw_v6: None, frames: None, tap: None, copies: true }
    }

    /// The same, and nothing is read back.
    pub(super) fn without_copies(kernel: Arc<dyn Kernel>, interface: Option<String>) -> Self {
        Self { copies: false, ..Self::new(kernel, interface) }
    }

    /// Opens what the plan's way needs, so that nothing is reserved for a packet that may not be sent at all.
    ///
    /// # Errors
    /// No permission, no such interface.
    pub(super) fn open(&mut self, plan: &Plan, interfaces: &[Interface], hears: Hears) -> Result<(), Error> {
        let config = SenderConfig {
            broadcast: true,
            interface: self.interface.clone(),
            read_back: self.copies,
            ..SenderConfig::default()
        };
        match plan.way {
            Way::RawIpv4 if self.raw_v4.is_none() => {
                self.raw_v4 = Some(RawIpv4::open(self.kernel.clone(), &config)?);
            }
            Way::RawIpv6 if self.raw_v6.is_none() => {
                self.raw_v6 = Some(RawIpv6::open(self.kernel.clone(), &config)?);
            }
            _ => {}
        }
        let resolves = plan.needs.iter().any(|need| matches!(need, Need::Resolve(_)));
        let hears = if resolves { hears.max(Hears::Neighbors) } else { hears };
        if plan.way == Way::Ethernet || hears != Hears::Nothing {
            self.open_frames(plan.interface.index, interfaces, hears)?;
        }
        if self.copies { self.open_tap(plan.interface.index, interfaces) } else { Ok(()) }
    }

    /// Finds the next hops that the plan needs, by our own ARP or neighbour discovery.
    ///
    /// # Errors
    /// When one is silent or cannot be asked for.
    pub(super) fn find_next_hop(&mut self, prepared: &mut Prepared) -> Result<(), Error> {
        let needed = prepared.plan.needs.iter().find_map(|need| match need {
            Need::Resolve(address) => Some(*address),
            Need::Guard { .. } => None,
        });
        let (Some(address), Some(frames)) = (needed, &mut self.frames) else { return Ok(()) };
        let mac = next_hop::ask(&*self.kernel, &mut frames.socket, &prepared.plan.interface, address)?;
        prepared.found(address, mac)
    }

    /// Hands a packet to the kernel by the plan's way.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn send(&mut self, plan: &Plan, bytes: &[u8]) -> Result<Handle, OsError> {
        let id = match (plan.way, plan.destination) {
            (Way::RawIpv4, Some(IpAddr::V4(to))) => self.raw_v4.as_mut().map(|socket| socket.send(bytes, to)),
            (Way::RawIpv6, Some(IpAddr::V6(to))) => {
                let scope = Target::of(plan).scope_of(to);
                self.raw_v6.as_mut().map(|socket| socket.send(bytes, to, scope))
            }
            _ => self.frames.as_mut().map(|frames| {
                let framed = plan.framing.as_ref().and_then(|framing| framing.frame(bytes));
                frames.socket.send(&Transmit::packet(framed.as_deref().unwrap_or(bytes)))
            }),
        };
        // `open` came before, with this very plan.
        let id = id.unwrap_or(Ok(SentId(u64::MAX)))?;
        Ok(Handle { way: plan.way, id })
    }

    /// Hands as many of `packets`, framed where their way needs it, to the kernel as one call takes; how many.
    ///
    /// # Errors
    /// What the kernel says of the first.
    pub(super) fn send_batch(&mut self, target: Target, packets: &[IoSlice<'_>]) -> Result<usize, OsError> {
        let handed = match (target.way, target.destination) {
            (Way::RawIpv4, Some(IpAddr::V4(to))) => self.raw_v4.as_mut().map(|socket| socket.send_batch(packets, to)),
            (Way::RawIpv6, Some(IpAddr::V6(to))) => {
                let scope = target.scope_of(to);
                self.raw_v6.as_mut().map(|socket| socket.send_batch(packets, to, scope))
            }
            _ => self.frames.as_mut().map(|frames| frames.socket.send_batch(packets)),
        };
        // `open` came before, with the plan of this very target.
        handed.unwrap_or(Ok(packets.len()))
    }

    /// The copy of a sent packet, once the driver was given it; `None` when by `deadline` none came.
    ///
    /// # Errors
    /// Waiting failed.
    pub(super) fn read_back(&mut self, handle: Handle, deadline: Instant) -> Result<Option<SentCopy>, OsError> {
        let copy = match handle.way {
            Way::RawIpv4 => self.raw_v4.as_mut().map(|socket| socket.read_back(handle.id, deadline)),
            Way::RawIpv6 => self.raw_v6.as_mut().map(|socket| socket.read_back(handle.id, deadline)),
            Way::Ethernet => self.frames.as_mut().map(|frames| frames.socket.read_back(handle.id, deadline)),
        };
        let mut copy = copy.unwrap_or(Ok(None))?;
        if let (Some((_, tap)), Some(copy)) = (&mut self.tap, copy.as_mut().filter(|copy| copy.is_lost())) {
            let seen_by = self.kernel.now() + TAP_WAIT;
            tap.confirm(copy, seen_by)?;
        }
        Ok(copy)
    }

    /// The socket whose error queue tells of this packet.
    pub(super) fn fd_of(&self, handle: Handle) -> Option<BorrowedFd<'_>> {
        match handle.way {
            Way::RawIpv4 => self.raw_v4.as_ref().map(AsFd::as_fd),
            Way::RawIpv6 => self.raw_v6.as_ref().map(AsFd::as_fd),
            Way::Ethernet => self.frames.as_ref().map(|frames| frames.socket.as_fd()),
        }
    }

    /// The packet socket, when answers are heard on it.
    pub(super) fn ear(&mut self) -> Option<&mut PacketSocket> {
        self.frames.as_mut().filter(|frames| frames.hears == Hears::Everything).map(|frames| &mut frames.socket)
    }

    /// Its descriptor.
    pub(super) fn ear_fd(&self) -> Option<BorrowedFd<'_>> {
        self.frames.as_ref().filter(|frames| frames.hears == Hears::Everything).map(|frames| frames.socket.as_fd())
    }

    /// Opens a tap where the driver of the interface gives no stamp of its own. Nearly every driver does, and a tap costs the
    /// process 10 ms and more at its end.
    fn open_tap(&mut self, index: u32, interfaces: &[Interface]) -> Result<(), Error> {
        if self.tap.as_ref().is_some_and(|(known, _)| *known == index) {
            return Ok(());
        }
        self.tap = None;
        let Some(interface) = interfaces.iter().find(|interface| interface.index == index) else { return Ok(()) };
        let raw = self.raw_v4.as_ref().map(AsFd::as_fd).or(self.raw_v6.as_ref().map(AsFd::as_fd));
        let Some(socket) = raw.or(self.frames.as_ref().map(|frames| frames.socket.as_fd())) else { return Ok(()) };
        // What cannot be asked is believed to stamp: only then a copy without its second stamp is called lost.
        if !stamps_what_leaves(socket, &interface.name).unwrap_or(true) {
            self.tap = Some((index, Tap::open(self.kernel.clone(), interface, &Filter::all())?));
        }
        Ok(())
    }

    fn open_frames(&mut self, index: u32, interfaces: &[Interface], hears: Hears) -> Result<(), Error> {
        let open = self.frames.as_ref().filter(|frames| frames.index == index);
        let heard = open.map_or(Hears::Nothing, |frames| frames.hears);
        if open.is_some() && hears <= heard {
            return Ok(());
        }
        let hears = hears.max(heard);
        let Some(interface) = interfaces.iter().find(|interface| interface.index == index) else {
            return Err(Error::Refused(wirewright_hand::Refused::InterfaceNeeded));
        };
        let neighbors =
            [Wanted::anywhere(What::EtherType(ether_types::ARP)), Wanted::anywhere(What::Protocol(protocols::ICMPV6))];
        let config = PacketConfig {
            receive: if hears == Hears::Nothing { Receive::Nothing } else { Receive::Incoming },
            filter: if hears == Hears::Neighbors { Filter::any_of(&neighbors) } else { Filter::all() },
            // Answers to an address that is not ours, where it stands on this link.
            promiscuous: hears == Hears::Everything,
            all_multicast: false,
            read_back: self.copies,
            segmentation: false,
            room: 0,
        };
        let socket = PacketSocket::open(self.kernel.clone(), interface, &config)?;
        self.frames = Some(Frames { socket, index, hears });
        Ok(())
    }
}
