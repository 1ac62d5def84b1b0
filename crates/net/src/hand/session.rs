//! One session: packets started, their copies and answers awaited.

use std::collections::VecDeque;
use std::sync::Arc;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::os::fd::BorrowedFd;

use wirewright_craft::{Built, Context, First, Packet, walk};
use wirewright_hand::probes::{AnswerKind, Asked, Order, ProbeId, Probes};
use wirewright_hand::reassembly::{Arrival, Reassembly, is_fragment};
use wirewright_hand::{Facts, NeighborState, NextHop, NextHopBy, Plan, RouteAnswer, Way, Wishes, closing_reset};
use wirewright_link::netlink::{Interface, Netlink};
use wirewright_link::sys::{Kernel, Poll};
use wirewright_link::{OsError, Rung, SentCopy, Woken, wait};
use wirewright_units::Instant;

use super::Options;
use super::as_it_is::Ways;
use super::batches::Batches;
use super::listen::{AnswerFragment, Heard, HeardAnswer, Listeners};
use super::own_ear::{OwnEars, set_source, source};
use super::ports::{Guarding, Ports};
use super::prepare::{self, Prepared};
use super::sent::{Fate, Held, Left, Part, Role, Sent};
use super::transmit::{Handle, Hears, Senders};
use crate::error::Error;
use crate::guard_wish::Source;

/// How long a call waits for the copy of a packet that it has just handed over. Where the neighbour is known the copy is
/// there at once; where the kernel asks for it, the copy comes later and wakes the session.
const COPY_AT_ONCE: Duration = Duration::from_millis(1);
/// How long the kernel asks for a neighbour at most: `mcast_solicit` 3 times `retrans_time` 1 s, and a little.
pub(super) const HELD_MAX: Duration = Duration::from_millis(3_300);
/// Packets handled before looking at the clock and at the copies again.
const HEARD_A_TURN: usize = 64;

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A packet left, or its copy is not awaited any longer.
    Sent(Box<Sent>),
    /// An answer came.
    Answer(Box<HeardAnswer>),
    /// Nobody answered in time.
    TimedOut {
        /// The probe.
        probe: ProbeId,
    },
    /// A signal came: the caller decides whether to go on.
    Interrupted,
}

/// Packets sent by hand, and their answers.
pub struct Session {
    pub(super) options: Options,
    pub(super) kernel: Arc<dyn Kernel>,
    netlink: Option<Netlink>,
    pub(super) interfaces: Vec<Interface>,
    pub(super) senders: Senders,
    listeners: Listeners,
    pub(super) ports: Ports,
    own: OwnEars,
    probes: Probes,
    reassembly: Reassembly<AnswerFragment>,
    pub(super) pending: Vec<Pending>,
    started: VecDeque<(ProbeId, Prepared)>,
    events: VecDeque<Event>,
    next_id: ProbeId,
    packets: u64,
    /// Of frames that leave as they are.
    pub(super) ways: Ways,
}

/// A packet whose copy is awaited.
pub(super) struct Pending {
    id: ProbeId,
    role: Role,
    part: Option<Part>,
    built: Built,
    plan: Plan,
    guard: Guarding,
    handle: Handle,
    pub(super) deadline: Instant,
}

/// The most probes whose packets are kept for closing what they half-opened; more are not half-open at once.
const STARTED_MAX: usize = 2048;

impl Session {
    /// A session. Nothing is opened before the first packet.
    #[must_use]
    pub fn open(options: Options) -> Self {
        let kernel = options.kernel.clone();
        Self {
            senders: Senders::new(kernel.clone(), options.interface.clone()),
            listeners: Listeners::new(kernel.clone()),
            ports: Ports::new(kernel.clone()),
            own: OwnEars::default(),
            netlink: None,
            interfaces: Vec::new(),
            probes: Probes::new(),
            reassembly: Reassembly::default(),
            pending: Vec::new(),
            started: VecDeque::new(),
            events: VecDeque::new(),
            next_id: 0,
            packets: 0,
            ways: Ways::default(),
            kernel,
            options,
        }
    }

    /// Says what would happen to a packet: names are looked up and the kernel's tables read, nothing is sent, reserved or
    /// opened.
    ///
    /// # Errors
    /// [`Error::Misuse`], [`Error::Refused`], or the tables cannot be read.
    pub fn plan(&mut self, packet: &Packet) -> Result<Prepared, Error> {
        self.prepare(packet.clone())
    }

    /// Sends a packet, waits until it left, and awaits no answer. Of one that is cut the last fragment is told.
    ///
    /// # Errors
    /// All of [`Error`].
    ///
    /// # Panics
    /// Never: a packet leaves as one frame or more.
    pub fn send(&mut self, packet: &Packet) -> Result<Sent, Error> {
        Ok(self.send_each(packet)?.pop().expect("what leaves is never nothing"))
    }

    /// The same, and each fragment is told, in order; one where nothing was cut.
    ///
    /// # Errors
    /// All of [`Error`].
    pub fn send_each(&mut self, packet: &Packet) -> Result<Vec<Sent>, Error> {
        let (mut prepared, guard) = self.make_ready(packet, Hears::Nothing)?;
        self.senders.find_next_hop(&mut prepared)?;
        let id = self.take_id();
        let mut sent = Vec::new();
        let mut deadline = self.kernel.now() + HELD_MAX;
        for mut pending in self.hand_over(id, &prepared, &guard)? {
            pending.deadline = deadline;
            let copy = self.await_copy(&pending)?;
            if copy.is_none() {
                // What holds one fragment holds them all.
                deadline = self.kernel.now();
            }
            sent.push(self.told(pending, copy));
        }
        Ok(sent)
    }

    /// Sends a packet and awaits its answer: [`next_event`](Self::next_event) tells what comes of it.
    ///
    /// # Errors
    /// All of [`Error`].
    pub fn start(&mut self, packet: &Packet) -> Result<ProbeId, Error> {
        self.hear()?;
        let (mut prepared, guard) = self.make_ready(packet, Hears::Everything)?;
        self.senders.find_next_hop(&mut prepared)?;
        let id = self.take_id();
        let before = self.kernel.now();
        let leaving = self.hand_over(id, &prepared, &guard)?;
        let bytes = &prepared.built.bytes;
        let by = prepared.plan.next_hop.map(|hop: NextHop| hop.by);
        let to_many = matches!(by, Some(NextHopBy::Group | NextHopBy::Broadcast)) && prepared.plan.source.is_some();
        let asked = Asked { bytes, first: prepared.built.first, to_many };
        self.probes.sent(before, id, &asked, self.options.wait);
        self.remember(id, &prepared);
        for pending in leaving {
            self.await_soon(pending)?;
        }
        Ok(id)
    }

    /// The next thing that happens; `None` when no answer and no copy is awaited any more.
    ///
    /// # Errors
    /// The operating system's.
    pub fn next_event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            self.hear()?;
            self.expire()?;
            if !self.events.is_empty() {
                continue;
            }
            if self.probes.awaited() == 0 && self.pending.is_empty() {
                return Ok(None);
            }
            match self.sleep()? {
                Woken::Interrupted => return Ok(Some(Event::Interrupted)),
                Woken::Ready => self.read_copies()?,
                Woken::TimedOut => {}
            }
        }
    }

    /// Waits until `deadline` for anything to happen, answered probes included: late and repeated answers.
    ///
    /// # Errors
    /// The operating system's.
    pub fn listen_until(&mut self, deadline: Instant) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            self.hear()?;
            self.expire()?;
            if !self.events.is_empty() {
                continue;
            }
            match self.sleep_until(self.wake().min(deadline))? {
                Woken::Interrupted => return Ok(Some(Event::Interrupted)),
                Woken::Ready => self.read_copies()?,
                Woken::TimedOut if self.kernel.now() >= deadline => return Ok(None),
                Woken::TimedOut => {}
            }
        }
    }

    /// A run of packets, to be sent in batches and not read back. `first` is one of them, and `differ_from_layer` the outermost
    /// layer in which they differ ([`Template::differs_from_layer`](wirewright_craft::Template::differs_from_layer)); no layer
    /// of them may be of another length.
    ///
    /// # Errors
    /// All of [`Error`], of the first packet.
    pub fn batches(
        &mut self,
        first: &Packet,
        differ_from_layer: Option<usize>,
        seed: [u8; 32],
    ) -> Result<Batches, Error> {
        let senders = Senders::without_copies(self.kernel.clone(), self.options.interface.clone());
        Batches::begin(self, first, differ_from_layer, seed, senders)
    }

    /// Packets that arrived and were lost because they were not fetched in time.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.listeners.lost()
    }

    /// The source port that a probe left with; `None`: it has none, or is long forgotten.
    #[must_use]
    pub fn source_port_of(&self, probe: ProbeId) -> Option<u16> {
        let (_, prepared) = self.started.iter().rev().find(|(id, _)| *id == probe)?;
        let (bytes, first) = (&prepared.built.bytes, prepared.built.first);
        let chain = walk(bytes, first);
        let transport = chain.iter().find(|layer| matches!(layer.desc.key, "tcp" | "udp"))?;
        transport.value(bytes, "sport").and_then(|port| u16::try_from(port).ok())
    }

    /// The moment, by the clock that events are stamped with.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.kernel.now()
    }

    // From here on: the steps.

    pub(super) fn prepare(&mut self, mut packet: Packet) -> Result<Prepared, Error> {
        let (facts, wishes) = self.facts_of(&mut packet)?;
        self.planned(packet, facts, wishes)
    }

    fn planned(&mut self, packet: Packet, facts: Facts, wishes: Wishes) -> Result<Prepared, Error> {
        let context = Context { entropy: self.entropy()?, ..Context::default() };
        prepare::prepare(packet, context, facts, wishes, self.options.limit)
    }

    /// What the kernel's tables say of a packet's way, its names resolved.
    pub(super) fn facts_of(&mut self, packet: &mut Packet) -> Result<(Facts, Wishes), Error> {
        let to = prepare::resolve(packet, &self.options)?;
        let asked = self.ask_tables(prepare::destination(packet), to)?;
        if let Source::Kernels(source) = self.options.wish.comes_from(&self.interfaces) {
            prepare::check_source(source, &asked.0)?;
            set_source(packet, source)?;
        }
        Ok(asked)
    }

    pub(super) fn ask_tables(
        &mut self,
        destination: Option<IpAddr>,
        to: Option<IpAddr>,
    ) -> Result<(Facts, Wishes), Error> {
        let netlink = match &mut self.netlink {
            Some(netlink) => netlink,
            None => self.netlink.insert(Netlink::open(self.kernel.clone())?),
        };
        if self.interfaces.is_empty() {
            self.interfaces = netlink.interfaces()?;
        }
        prepare::gather(destination, to, &self.options, netlink, &self.interfaces)
    }

    /// Plans, opens the sockets, reserves the port.
    fn make_ready(&mut self, packet: &Packet, wants: Hears) -> Result<(Prepared, Guarding), Error> {
        let mut packet = packet.clone();
        let (mut facts, mut wishes) = self.facts_of(&mut packet)?;
        let own = self.take_address(&mut packet, &mut facts, &mut wishes)?;
        let mut prepared = self.planned(packet, facts, wishes)?;
        if let Some(address) = own {
            self.senders.open(&prepared.plan, &self.interfaces, Hears::Nothing)?;
            let local = SocketAddr::new(address, 0);
            return Ok((prepared, Guarding::Held { local, rung: Rung::OwnAddress }));
        }
        // The kernel puts together what raw sockets hear; where the question left in fragments, they are shown in the answer.
        let raw = Listeners::suit(&prepared) && prepared.fragments.is_empty();
        let hears = if raw { Hears::Nothing } else { wants };
        self.senders.open(&prepared.plan, &self.interfaces, hears)?;
        let guard = self.ports.hold(&mut prepared, self.options.guard, &self.options.wish)?;
        if raw && wants == Hears::Everything {
            self.listeners.open(&prepared)?;
        }
        Ok((prepared, guard))
    }

    /// Where packets are to come from an address of our own: takes it, sets it in the packet, and has it leave by Ethernet.
    fn take_address(
        &mut self,
        packet: &mut Packet,
        facts: &mut Facts,
        wishes: &mut Wishes,
    ) -> Result<Option<IpAddr>, Error> {
        let Source::Own(named) = self.options.wish.comes_from(&self.interfaces) else { return Ok(None) };
        // What has no IP address has none of ours.
        let Some(peer) = prepare::destination(packet) else { return Ok(None) };
        let routed = match &facts.route {
            Some(RouteAnswer::Route(route)) => Some(route.interface),
            _ => None,
        };
        // What the packet itself says holds.
        let named = source(packet).or(named);
        let address = self.own.towards((&self.kernel, &self.options), (peer, routed), named)?;
        set_source(packet, address)?;
        wishes.way = Some(Way::Ethernet);
        facts.own = Some(address);
        Ok(Some(address))
    }

    fn entropy(&mut self) -> Result<[u8; 32], OsError> {
        let mut entropy = self.options.seed.unwrap_or_default();
        match self.options.seed {
            // Each packet of a repeated run has its own bytes, the same in each run.
            Some(_) => {
                for (byte, count) in entropy.iter_mut().zip(self.packets.to_le_bytes()) {
                    *byte ^= count;
                }
            }
            None => {
                let failed = |errno| OsError::new(wirewright_link::Operation::AskTables, "getrandom", errno);
                self.kernel.random(&mut entropy).map_err(failed)?;
            }
        }
        self.packets += 1;
        Ok(entropy)
    }

    pub(super) fn take_id(&mut self) -> ProbeId {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        id
    }

    fn remember(&mut self, id: ProbeId, prepared: &Prepared) {
        if self.started.len() == STARTED_MAX {
            self.started.pop_front();
        }
        self.started.push_back((id, prepared.clone()));
    }

    /// Hands a packet, or each of its fragments, to the kernel.
    pub(super) fn hand_over(
        &mut self,
        id: ProbeId,
        prepared: &Prepared,
        guard: &Guarding,
    ) -> Result<Vec<Pending>, Error> {
        let leaving = prepared.leaving();
        let of = leaving.len();
        let deadline = self.kernel.now() + self.options.wait;
        let mut pending = Vec::with_capacity(of);
        for (number, (built, plan)) in (1..).zip(leaving) {
            let handle = self.senders.send(plan, &built.bytes)?;
            let part = (of > 1).then_some(Part { number, of });
            let (built, plan, guard) = (built.clone(), plan.clone(), guard.clone());
            pending.push(Pending { id, role: Role::Probe, part, built, plan, guard, handle, deadline });
        }
        Ok(pending)
    }

    /// Looks for the copy at once, and keeps the packet when there is none yet.
    pub(super) fn await_soon(&mut self, pending: Pending) -> Result<(), Error> {
        let at_once = self.kernel.now() + COPY_AT_ONCE;
        match self.senders.read_back(pending.handle, at_once)? {
            Some(copy) => self.tell(pending, Some(copy)),
            None => self.pending.push(pending),
        }
        Ok(())
    }

    /// Waits for a copy as long as the kernel may still be asking for the neighbour.
    fn await_copy(&mut self, pending: &Pending) -> Result<Option<SentCopy>, Error> {
        /// How often the kernel's table is asked whether it gave the neighbour up.
        const LOOK: Duration = Duration::from_millis(250);
        loop {
            let now = self.kernel.now();
            let until = (now + LOOK).min(pending.deadline);
            if let Some(copy) = self.senders.read_back(pending.handle, until)? {
                return Ok(Some(copy));
            }
            let gone = self.held(&pending.plan).neighbor == Some(NeighborState::Failed);
            if gone || self.kernel.now() >= pending.deadline {
                return Ok(None);
            }
        }
    }

    /// What the kernel's table says of a packet that did not leave.
    fn held(&mut self, plan: &Plan) -> Held {
        let next_hop = plan.next_hop.and_then(|hop| hop.address);
        let index = plan.interface.index;
        let entry = match (&mut self.netlink, next_hop) {
            (Some(netlink), Some(address)) => netlink.neighbor(index, address).ok().flatten(),
            _ => None,
        };
        Held { next_hop, neighbor: entry.map(|entry| super::facts::neighbor_state(entry.state)) }
    }

    /// Reads the copies of what is awaited.
    pub(super) fn read_copies(&mut self) -> Result<(), Error> {
        let mut index = 0;
        while index < self.pending.len() {
            let soon = self.kernel.now();
            match self.senders.read_back(self.pending[index].handle, soon)? {
                Some(copy) => {
                    let pending = self.pending.remove(index);
                    self.tell(pending, Some(copy));
                }
                None => index += 1,
            }
        }
        Ok(())
    }

    /// A packet's fate is known: an event, and the moment from which round-trip time counts.
    fn tell(&mut self, pending: Pending, copy: Option<SentCopy>) {
        let sent = self.told(pending, copy);
        self.events.push_back(Event::Sent(Box::new(sent)));
    }

    fn told(&mut self, pending: Pending, copy: Option<SentCopy>) -> Sent {
        let Pending { id, role, part, built, plan, guard, .. } = pending;
        let fate = match copy {
            Some(copy) => {
                let left = Left::new(copy, &built, &plan);
                if let (Role::Probe, Some(stamp)) = (role, left.at) {
                    self.probes.left(id, stamp.at);
                }
                Fate::Left(left)
            }
            None => match self.held(&plan) {
                held @ Held { neighbor: Some(NeighborState::Asking | NeighborState::Failed), .. } => Fate::Held(held),
                _ => Fate::Unread,
            },
        };
        Sent { id, role, part, built, plan, guard, fate }
    }

    /// Takes what arrived, copies first: a packet left before it was answered.
    fn hear(&mut self) -> Result<(), Error> {
        for _ in 0..HEARD_A_TURN {
            let heard = match self.listeners.hear()? {
                Some(heard) => heard,
                None => match self.hear_frame()? {
                    // It comes by a raw socket as well, and would be told twice.
                    Some(heard) if self.listeners.hear_too(&heard, &self.interfaces) => continue,
                    Some(heard) => heard,
                    None => match self.own.hear()? {
                        Some(heard) => heard,
                        None => return Ok(()),
                    },
                },
            };
            if !self.pending.is_empty() {
                self.read_copies()?;
            }
            self.handle(heard)?;
        }
        Ok(())
    }

    fn hear_frame(&mut self) -> Result<Option<Heard>, OsError> {
        let Some(ear) = self.senders.ear() else { return Ok(None) };
        // Not `try_recv`: this takes copies that nobody awaits off the error queue, which would end every sleep at once.
        Ok(ear.recv(Instant::ORIGIN)?.as_ref().and_then(Heard::new))
    }

    fn handle(&mut self, heard: Heard) -> Result<(), Error> {
        let Some((heard, fragments)) = self.put_together(heard) else { return Ok(()) };
        let Some(answer) = self.probes.handle_received(heard.at, &heard.bytes, heard.first) else { return Ok(()) };
        // What is answered has left, whether its copy was read or not.
        while let Some(index) = self.pending.iter().position(|p| p.id == answer.probe && p.role == Role::Probe) {
            let pending = self.pending.remove(index);
            let at_once = self.kernel.now() + COPY_AT_ONCE;
            let copy = self.senders.read_back(pending.handle, at_once)?;
            self.tell(pending, copy);
        }
        let (probe, order, kind) = (answer.probe, answer.order, answer.kind);
        let Heard { bytes, first, wall, rebuilt, .. } = heard;
        self.events.push_back(Event::Answer(Box::new(HeardAnswer { answer, bytes, first, wall, rebuilt, fragments })));
        if let (AnswerKind::SynAck { ack, .. }, Order::First | Order::Late, false) = (kind, order, self.options.leave) {
            self.close(probe, ack)?;
        }
        Ok(())
    }

    /// The packet, or the datagram that it is the last fragment of; `None` while others are missing.
    fn put_together(&mut self, heard: Heard) -> Option<(Heard, Vec<AnswerFragment>)> {
        if !is_fragment(&heard.bytes, heard.first) {
            return Some((heard, Vec::new()));
        }
        let kept = AnswerFragment { bytes: heard.bytes.clone(), first: heard.first, wall: heard.wall };
        match self.reassembly.handle_received(heard.at, &heard.bytes, heard.first, kept) {
            Arrival::Complete(whole) => {
                let heard = Heard { bytes: whole.packet, first: First::Ip, ..heard };
                Some((heard, whole.fragments))
            }
            Arrival::Whole(_) => Some((heard, Vec::new())),
            Arrival::Held | Arrival::Dropped(_) => None,
        }
    }

    /// Answers a SYN-ACK by one reset.
    fn close(&mut self, probe: ProbeId, ack: u32) -> Result<(), Error> {
        let Some((_, opened)) = self.started.iter().rev().find(|(id, _)| *id == probe) else { return Ok(()) };
        let Some(packet) = closing_reset(&opened.packet, &opened.built, ack) else { return Ok(()) };
        let prepared = opened.follow_up(packet, self.kernel.as_ref())?;
        let id = self.take_id();
        for pending in self.hand_over(id, &prepared, &Guarding::of_probe(probe))? {
            self.await_soon(Pending { role: Role::Close { probe }, ..pending })?;
        }
        Ok(())
    }

    fn expire(&mut self) -> Result<(), Error> {
        let now = self.kernel.now();
        while let Some(index) = self.pending.iter().position(|pending| pending.deadline <= now) {
            let pending = self.pending.remove(index);
            let copy = self.senders.read_back(pending.handle, now)?;
            self.tell(pending, copy);
        }
        while let Some(probe) = self.probes.poll_expired(now) {
            self.events.push_back(Event::TimedOut { probe });
        }
        Ok(())
    }

    fn ears(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.listeners.fds().chain(self.senders.ear_fd()).chain(self.own.fds())
    }

    fn wake(&self) -> Instant {
        let copies = self.pending.iter().map(|pending| pending.deadline).min();
        copies.into_iter().chain(self.probes.poll_timeout()).min().unwrap_or(Instant::NEVER)
    }

    fn sleep(&self) -> Result<Woken, Error> {
        self.sleep_until(self.wake())
    }

    fn sleep_until(&self, deadline: Instant) -> Result<Woken, Error> {
        let mut polls: Vec<Poll<'_>> = self.ears().map(Poll::reading).collect();
        for way in [Way::RawIpv4, Way::RawIpv6, Way::Ethernet] {
            let awaited = self.pending.iter().find(|pending| pending.plan.way == way);
            polls.extend(awaited.and_then(|pending| self.senders.fd_of(pending.handle)).map(Poll::errors));
        }
        let failed = |errno| OsError::new(wirewright_link::Operation::Receive, "poll", errno);
        Ok(wait(self.kernel.as_ref(), &mut polls, deadline).map_err(failed)?)
    }
}
