//! A conversation by hand on a real link: segments typed, sent, read back; the peer's heard; the guard up all the while.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use wirewright_craft::{Context, First, Packet};
use wirewright_hand::conversation::{Conversation, Segment, Silence, Step, TypedError};
use wirewright_hand::probes::{Asked, Probes};
use wirewright_hand::{NeighborState, SeqNum, Way, protocols};
use wirewright_link::netlink::{Interface, Netlink};
use wirewright_link::sys::{Kernel, Poll};
use wirewright_link::{Filter, Guard, GuardError, Operation, OsError, RawReceiver, Rung, Wanted, What, Woken, wait};
use wirewright_units::{Instant, UnixTime};

use super::Options;
use super::listen::{Heard, HeardAnswer};
use super::own_ear::{OwnEar, set_source, source};
use super::ports::{Guarding, NoGuard, Ports};
use super::prepare::{self, Prepared};
use super::sent::{Fate, Held, Left, Role, Sent};
use super::transmit::{Hears, Senders};
use crate::error::Error;
use crate::guard_wish::Source;
use crate::names::Families;

/// How long the copy of a segment is waited for: the kernel may be asking for the neighbour, three times at most.
const COPY_WAIT: core::time::Duration = core::time::Duration::from_millis(3_300);

/// The same on a link that gave no copy before.
const COPY_WAIT_AGAIN: core::time::Duration = core::time::Duration::from_millis(20);

/// A conversation by hand.
pub struct Dialogue {
    options: Options,
    kernel: Arc<dyn Kernel>,
    netlink: Netlink,
    interfaces: Vec<Interface>,
    senders: Senders,
    ports: Ports,
    /// The guards of a server, one a family.
    guards: Vec<Guard>,
    guard: Guarding,
    receivers: Vec<RawReceiver>,
    /// Errors that quote what was sent.
    errors: Vec<RawReceiver>,
    /// In their place, where the address is our own.
    own: Option<OwnEar>,
    probes: Probes,
    way: Option<Prepared>,
    conversation: Conversation,
    segments: u32,
    /// The link gives copies of what is sent, as far as is known.
    copies_come: bool,
}

/// A segment that was handed to the kernel.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// The packet as it left, or why it did not.
    pub sent: Sent,
    /// What it means; `None` when it did not leave.
    pub step: Option<Step>,
}

/// A segment that came.
#[derive(Clone, Debug)]
pub struct Listened {
    /// What it means.
    pub step: Step,
    /// The packet.
    pub bytes: Vec<u8>,
    /// When it arrived, by the wall clock.
    pub wall: UnixTime,
    /// The IPv6 header was rebuilt from control data.
    pub rebuilt: bool,
}

/// What happened while waiting.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Happened {
    /// The peer sent a segment.
    Segment(Box<Listened>),
    /// A router or host sent an ICMP error about a segment of ours.
    Error(Box<HeardAnswer>),
    /// One of the caller's own descriptors can be read.
    Other,
    /// The moment came.
    TimedOut,
    /// A signal came.
    Interrupted,
}

impl Dialogue {
    /// A conversation that we begin. `opening` is a SYN with the destination; its source port is reserved and guarded, its
    /// sequence number becomes the initial one. Nothing is sent.
    ///
    /// # Errors
    /// All of [`Error`].
    pub fn client(options: Options, opening: &Packet) -> Result<Self, Error> {
        let mut it = Self::open(options, Conversation::server(SeqNum::new(0)))?;
        let mut opening = opening.clone();
        let comes_from = it.options.wish.comes_from(&it.interfaces);
        match comes_from {
            Source::Own(named) => return it.client_of_our_own(opening, named),
            Source::Kernels(source) => set_source(&mut opening, source)?,
            Source::Route => {}
        }
        let mut prepared = it.prepare(opening)?;
        if let Source::Kernels(source) = comes_from {
            prepare::check_source(source, &prepared.facts)?;
        }
        it.senders.open(&prepared.plan, &it.interfaces, Hears::Nothing)?;
        it.guard = it.ports.hold(&mut prepared, it.options.guard, &it.options.wish)?;
        if let Some(segment) = Segment::read(&prepared.built.bytes) {
            it.conversation = Conversation::client(segment.source, segment.destination, segment.seq);
            let ends = (Some(segment.destination.0), Some(segment.source.0));
            let ports = (Some(segment.destination.1), Some(segment.source.1));
            it.hear(segment.source.0.is_ipv4(), ends, ports)?;
        }
        it.way = Some(prepared);
        Ok(it)
    }

    /// The same from an address that the kernel does not have: this one, the SYN's, or one that is free.
    fn client_of_our_own(mut self, opening: Packet, named: Option<IpAddr>) -> Result<Self, Error> {
        // The SYN from the kernel's own address says where the peer is.
        let Prepared { mut packet, plan, .. } = self.prepare(opening)?;
        let peer = plan.destination;
        let is_ipv4 = peer.is_none_or(|peer| peer.is_ipv4());
        let address = self.take_address((peer, source(&packet).or(named)), is_ipv4)?;
        set_source(&mut packet, address)?;
        let prepared = self.prepare(packet)?;
        self.senders.open(&prepared.plan, &self.interfaces, Hears::Nothing)?;
        if let Some(segment) = Segment::read(behind_ethernet(&prepared.built.bytes, prepared.built.first)) {
            self.conversation = Conversation::client(segment.source, segment.destination, segment.seq);
            self.hold_own(segment.source.1);
        }
        self.way = Some(prepared);
        Ok(self)
    }

    /// A conversation that somebody else begins, on `port` of `address`, or of all addresses.
    ///
    /// # Errors
    /// The port is in use, or may not be used; no `CAP_NET_RAW`.
    pub fn server(options: Options, address: Option<IpAddr>, port: u16) -> Result<Self, Error> {
        let mut entropy = [0; 4];
        let random = options.kernel.random(&mut entropy);
        random.map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))?;
        let iss = SeqNum::new(u32::from_ne_bytes(entropy));
        let mut it = Self::open(options, Conversation::server(iss))?;
        let comes_from = it.options.wish.comes_from(&it.interfaces);
        if let Source::Own(source) = comes_from {
            let source = source.or(address);
            let is_ipv4 = source.map_or(it.options.families != Families::V6, |source| source.is_ipv4());
            it.take_address((None, source), is_ipv4)?;
            it.hold_own(port);
            return Ok(it);
        }
        let address = match comes_from {
            Source::Kernels(source) => address.or(Some(source)),
            _ => address,
        };
        let all = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let mut locals = address.map_or_else(|| all.to_vec(), |address| vec![address]);
        locals.retain(|local| it.options.families.allows(*local));
        for (index, local) in locals.into_iter().enumerate() {
            match it.hear(local.is_ipv4(), (None, address), (None, Some(port))) {
                // A machine without IPv6 serves the other version.
                Err(_) if index > 0 => break,
                other => other?,
            }
            if it.options.guard {
                it.hold(SocketAddr::new(local, port))?;
            }
        }
        Ok(it)
    }

    fn open(options: Options, conversation: Conversation) -> Result<Self, Error> {
        let kernel = options.kernel.clone();
        let mut netlink = Netlink::open(kernel.clone())?;
        let interfaces = netlink.interfaces()?;
        Ok(Self {
            senders: Senders::new(kernel.clone(), options.interface.clone()),
            ports: Ports::new(kernel.clone()),
            guards: Vec::new(),
            guard: Guarding::Without(NoGuard::Off),
            receivers: Vec::new(),
            errors: Vec::new(),
            own: None,
            probes: Probes::new(),
            way: None,
            netlink,
            interfaces,
            conversation,
            segments: 0,
            copies_come: true,
            kernel,
            options,
        })
    }

    /// What is known of the conversation.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// How the port is held.
    #[must_use]
    pub const fn guard(&self) -> &Guarding {
        &self.guard
    }

    /// The moment, by the clock that steps are stamped with.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.kernel.now()
    }

    /// The packet that a line stands for now; names and files of its payload are the caller's business.
    ///
    /// # Errors
    /// [`TypedError`].
    pub fn typed(&self, line: &str) -> Result<Packet, TypedError> {
        self.conversation.typed(self.kernel.now(), line)
    }

    /// Sends a segment and reads it back.
    ///
    /// # Errors
    /// No way carries it as it was set, or the kernel refuses it.
    pub fn say(&mut self, packet: Packet) -> Result<Spoken, Error> {
        let mut prepared = match &self.way {
            Some(way) => way.follow_up(packet, self.kernel.as_ref())?,
            None => self.prepare(packet)?,
        };
        self.senders.open(&prepared.plan, &self.interfaces, Hears::Nothing)?;
        self.senders.find_next_hop(&mut prepared)?;
        let before = self.kernel.now();
        let handle = self.senders.send(&prepared.plan, &prepared.built.bytes)?;
        let id = self.segments;
        self.segments = self.segments.wrapping_add(1);
        let asked = Asked::new(&prepared.built.bytes, prepared.built.first);
        self.probes.sent(before, id, &asked, self.options.wait);
        let wait = if self.copies_come { COPY_WAIT } else { COPY_WAIT_AGAIN };
        let copy = self.senders.read_back(handle, before + wait)?;
        if self.way.is_none() {
            self.way = Some(prepared.clone());
        }
        let first = prepared.built.first;
        let fate = match copy {
            Some(copy) => Fate::Left(Left::new(copy, &prepared.built, &prepared.plan)),
            None => self.fate_without_copy(&prepared),
        };
        let step = match &fate {
            Fate::Left(left) if !left.lost_in_queue => {
                let at = left.at.map_or(before, |stamp| stamp.at);
                self.conversation.handle_sent(at, behind_ethernet(left.packet_bytes(), first))
            }
            // On a link without copies what was handed over is all that is known.
            Fate::Unread => self.conversation.handle_sent(before, behind_ethernet(&prepared.built.bytes, first)),
            _ => None,
        };
        let (built, plan) = (prepared.built, prepared.plan);
        Ok(Spoken {
            sent: Sent { id, role: Role::Probe, part: None, built, plan, guard: self.guard.clone(), fate },
            step,
        })
    }

    /// Waits until `deadline` for the peer, and for the caller's own descriptors.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&mut self, deadline: Instant, also: &[BorrowedFd<'_>]) -> Result<Happened, Error> {
        loop {
            if let Some(happened) = self.take_heard()? {
                return Ok(happened);
            }
            let fds = self.receivers.iter().chain(&self.errors).map(AsFd::as_fd);
            let fds = fds.chain(self.own.iter().map(AsFd::as_fd));
            let mut polls: Vec<Poll<'_>> = fds.map(Poll::reading).collect();
            let own = polls.len();
            polls.extend(also.iter().map(|&fd| Poll::reading(fd)));
            let failed = |errno| OsError::new(Operation::Receive, "poll", errno);
            match wait(self.kernel.as_ref(), &mut polls, deadline).map_err(failed)? {
                Woken::TimedOut => return Ok(Happened::TimedOut),
                Woken::Interrupted => return Ok(Happened::Interrupted),
                // What came from the peer before a key was hit is told before it.
                Woken::Ready if polls[..own].iter().any(|poll| poll.ready.any()) => {}
                Woken::Ready => return Ok(Happened::Other),
            }
        }
    }

    /// Nothing came for as long as the caller waited.
    pub fn silence(&mut self) -> Option<Silence> {
        self.conversation.handle_silence(self.kernel.now())
    }

    // From here on: the steps.

    fn take_heard(&mut self) -> Result<Option<Happened>, Error> {
        while let Some(heard) = next_heard(&mut self.receivers)? {
            if let Some(segment) = self.segment(&heard) {
                return Ok(Some(segment));
            }
        }
        while let Some(heard) = next_heard(&mut self.errors)? {
            if let Some(error) = self.error(heard) {
                return Ok(Some(error));
            }
        }
        while let Some(heard) = self.own.as_mut().map_or(Ok(None), OwnEar::hear)? {
            // One socket hears both, and frames.
            if let Some(happened) = self.segment(&heard).or_else(|| self.error(heard)) {
                return Ok(Some(happened));
            }
        }
        Ok(None)
    }

    fn segment(&mut self, heard: &Heard) -> Option<Happened> {
        let Heard { bytes, first, at, wall, rebuilt } = heard;
        let packet = behind_ethernet(bytes, *first);
        let step = self.conversation.handle_received(*at, packet)?;
        let listened = Listened { step, bytes: packet.to_vec(), wall: *wall, rebuilt: *rebuilt };
        Some(Happened::Segment(Box::new(listened)))
    }

    fn error(&mut self, heard: Heard) -> Option<Happened> {
        let Heard { bytes, first, at, wall, rebuilt } = heard;
        let answer = self.probes.handle_received(at, &bytes, first)?;
        Some(Happened::Error(Box::new(HeardAnswer { answer, bytes, first, wall, rebuilt, fragments: Vec::new() })))
    }

    /// Takes an address of our own; from now on segments leave by Ethernet.
    fn take_address(
        &mut self,
        (peer, source): (Option<IpAddr>, Option<IpAddr>),
        is_ipv4: bool,
    ) -> Result<IpAddr, Error> {
        let own = OwnEar::open(&self.kernel, &self.options, (peer, source), is_ipv4)?;
        let address = own.address();
        self.own = Some(own);
        self.options.way = Some(Way::Ethernet);
        Ok(address)
    }

    /// No port of the kernel has to be held for it.
    fn hold_own(&mut self, port: u16) {
        if let Some(own) = &self.own {
            let local = SocketAddr::new(own.address(), port);
            self.guard = Guarding::Held { local, rung: Rung::OwnAddress };
        }
    }

    /// No copy came: the neighbour is silent, or the link gives none.
    fn fate_without_copy(&mut self, prepared: &Prepared) -> Fate {
        let next_hop = prepared.plan.next_hop.and_then(|hop| hop.address);
        let index = prepared.plan.interface.index;
        let entry = next_hop.and_then(|address| self.netlink.neighbor(index, address).ok().flatten());
        match entry.map(|entry| super::facts::neighbor_state(entry.state)) {
            neighbor @ Some(NeighborState::Asking | NeighborState::Failed) => Fate::Held(Held { next_hop, neighbor }),
            _ => {
                self.copies_come = false;
                Fate::Unread
            }
        }
    }

    fn prepare(&mut self, mut packet: Packet) -> Result<Prepared, Error> {
        let to = prepare::resolve(&mut packet, &self.options)?;
        let (facts, wishes) =
            prepare::gather(prepare::destination(&packet), to, &self.options, &mut self.netlink, &self.interfaces)?;
        let mut entropy = self.options.seed.unwrap_or_default();
        if self.options.seed.is_none() {
            let random = self.kernel.random(&mut entropy);
            random.map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))?;
        }
        prepare::prepare(packet, Context { entropy, ..Context::default() }, facts, wishes, None)
    }

    /// Opens what the peer's segments come by, and errors about ours. Shape: remote before local.
    fn hear(
        &mut self,
        v4: bool,
        (source, destination): (Option<IpAddr>, Option<IpAddr>),
        (source_port, destination_port): (Option<u16>, Option<u16>),
    ) -> Result<(), Error> {
        let open = if v4 { RawReceiver::ipv4 } else { RawReceiver::ipv6 };
        let segments = Wanted { source, destination, what: What::Tcp { source_port, destination_port } };
        let errors = Wanted { source: None, destination, what: What::IcmpErrors };
        let icmp = if v4 { protocols::ICMPV4 } else { protocols::ICMPV6 };
        let kernel = || self.kernel.clone();
        self.receivers.push(open(kernel(), protocols::TCP, &Filter::any_of(&[segments]))?);
        self.errors.push(open(kernel(), icmp, &Filter::any_of(&[errors]))?);
        Ok(())
    }

    /// Guards a port of a server.
    fn hold(&mut self, local: SocketAddr) -> Result<(), Error> {
        match self.options.wish.tcp(&self.kernel, local) {
            Ok(guard) => {
                self.guard = Guarding::Held { local: guard.local(), rung: guard.rung() };
                self.guards.push(guard);
                Ok(())
            }
            Err(GuardError::Port(error)) => Err(Error::Os(error)),
            Err(error) if self.options.wish.rung.is_some() => Err(Error::Guard(error)),
            Err(error) => {
                self.guard = Guarding::Without(NoGuard::Failed(error));
                Ok(())
            }
        }
    }
}

/// The IP packet of a packet that may bring its own link header.
fn behind_ethernet(packet: &[u8], first: First) -> &[u8] {
    /// Bytes of an Ethernet header.
    const ETHERNET: usize = 14;
    match first {
        First::Ethernet => packet.get(ETHERNET..).unwrap_or_default(),
        _ => packet,
    }
}

fn next_heard(receivers: &mut [RawReceiver]) -> Result<Option<Heard>, Error> {
    for receiver in receivers {
        if let Some(received) = receiver.try_recv()? {
            return Ok(Heard::new(&received));
        }
    }
    Ok(None)
}
