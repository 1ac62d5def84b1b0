//! One host: what comes goes to whom it is for, what its users do goes out, and time passes.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_tcp::{self as tcp, IsnGenerator, Next, Outgoing, Segment};
use wirewright_units::Instant;
use wirewright_wire::SeqNum;

use crate::checksum::Good;
use crate::config::{ANSWERS_MAX, HostConfig, Link, Ownership, TIME_WAITS_MAX};
use crate::demux::{Connected, ConnectionId, Demux, FourTuple, Keyed, Lingering};
use crate::egress::{Egress, Send, whole};
use crate::event::Event;
use crate::udp::UdpSockets;
use crate::verdict::{Counters, Discard, Verdict};

/// One host, sans-IO. After any input or user call, poll [`poll_transmit`](Self::poll_transmit) and
/// [`poll_event`](Self::poll_event) until they are empty, and ask [`poll_timeout`](Self::poll_timeout) when to come back.
#[derive(Debug)]
pub struct Host {
    pub(crate) link: Link,
    pub(crate) mtu: u16,
    ownership: Ownership,
    pub(crate) tcp_v4: Arc<tcp::Config>,
    pub(crate) tcp_v6: Arc<tcp::Config>,
    pub(crate) isn: IsnGenerator,
    pub(crate) ports: Keyed,
    pub(crate) demux: Demux,
    pub(crate) egress: Egress,
    pub(crate) udp: UdpSockets,
    answers: VecDeque<Answer>,
    senders: VecDeque<Sender>,
    tellers: VecDeque<ConnectionId>,
    events: VecDeque<Event>,
    timers: BTreeSet<(Instant, Timed)>,
    time_wait_order: VecDeque<FourTuple>,
}

/// Something to send that belongs to no connection.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A segment.
    Segment(FourTuple, Outgoing<'static>),
    /// An upper layer, whole.
    Upper { source: IpAddr, destination: IpAddr, protocol: u8, upper: Vec<u8> },
    /// A frame, whole.
    Frame(Vec<u8>),
}

/// Who may have something to send.
#[derive(Clone, Copy, Debug)]
enum Sender {
    Connection(ConnectionId),
    HalfOpen(FourTuple),
    TimeWait(FourTuple),
}

/// For whom a timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timed {
    Connection(ConnectionId),
    HalfOpen(FourTuple),
    TimeWait(FourTuple),
}

impl From<tcp::Verdict> for Verdict {
    fn from(verdict: tcp::Verdict) -> Self {
        match verdict {
            tcp::Verdict::Accepted => Self::Accepted,
            tcp::Verdict::Discarded(reason) => Self::Discarded(Discard::Tcp(reason)),
        }
    }
}

impl Host {
    /// A host on which nothing is open.
    #[must_use]
    pub fn new(config: &HostConfig) -> Self {
        let cut = |settings: &Arc<tcp::Config>, headers: u16| {
            let mss = config.mtu.saturating_sub(headers);
            if settings.mss <= mss { settings.clone() } else { Arc::new(tcp::Config { mss, ..(**settings).clone() }) }
        };
        Self {
            link: config.link,
            mtu: config.mtu,
            ownership: config.ownership,
            tcp_v4: cut(&config.tcp_v4, 40),
            tcp_v6: cut(&config.tcp_v6, 60),
            isn: IsnGenerator::new(config.secret.key(0)),
            ports: Keyed::new(config.secret.key(5)),
            demux: Demux::new(Keyed::new(config.secret.key(1))),
            egress: Egress::new(config),
            udp: UdpSockets::default(),
            answers: VecDeque::new(),
            senders: VecDeque::new(),
            tellers: VecDeque::new(),
            events: VecDeque::new(),
            timers: BTreeSet::new(),
            time_wait_order: VecDeque::new(),
        }
    }

    /// What its frames begin with.
    #[must_use]
    pub const fn link(&self) -> Link {
        self.link
    }

    /// The time that [`poll_timeout`](Self::poll_timeout) named has come. Too early does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(neighbors) = &mut self.egress.neighbors {
            neighbors.handle_timeout(now);
        }
        while let Some(&(at, timed)) = self.timers.first().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, timed));
            match timed {
                Timed::Connection(id) => self.connection_timeout(now, id),
                Timed::HalfOpen(tuple) => self.half_open_timeout(now, tuple),
                Timed::TimeWait(tuple) => self.time_wait_timeout(now, tuple),
            }
        }
    }

    /// Hands the next packet to `send`, or all packets of one super-segment where the link cuts none. `false`: there is
    /// nothing to send.
    pub fn poll_transmit(&mut self, now: Instant, send: Send<'_>) -> bool {
        if self.egress.poll_neighbors(now, send) || self.egress.send_hooked(now, send) {
            return true;
        }
        if let Some(answer) = self.answers.pop_front() {
            match answer {
                Answer::Segment(tuple, out) => self.egress.send_tcp(now, &tuple, &out, send),
                Answer::Upper { source, destination, protocol, upper } => {
                    self.egress.send_upper(now, source, destination, protocol, &upper, send);
                }
                Answer::Frame(frame) => send(&whole(&frame)),
            }
            return true;
        }
        while let Some(sender) = self.senders.pop_front() {
            let did = match sender {
                Sender::Connection(id) => self.send_connection(now, id, send),
                Sender::HalfOpen(tuple) => self.send_half_open(now, tuple, send),
                Sender::TimeWait(tuple) => self.send_time_wait(now, tuple, send),
            };
            if did {
                self.senders.push_back(sender);
                return true;
            }
        }
        // What was just sent may wait for a neighbour who has to be asked for.
        self.egress.poll_neighbors(now, send)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = self.timers.first().map(|(at, _)| *at);
        let neighbors = self.egress.neighbors.as_ref().and_then(crate::Neighbors::poll_timeout);
        let held = self.egress.hooked.as_ref().and_then(tcp::Hooked::poll_timeout);
        [timers, neighbors, held].into_iter().flatten().min()
    }

    /// The next thing for the user.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        while let Some(&id) = self.tellers.front() {
            let event = self.demux.get_mut(id).and_then(|held| {
                let event = held.conn.poll_event();
                held.may_tell = event.is_some();
                event
            });
            match event {
                Some(event) => return Some(Event::Tcp(id, event)),
                None => self.tellers.pop_front(),
            };
        }
        None
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.egress.counters
    }

    /// How many 4-tuples are half-open or have a connection: while there are any, peers count on us.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.demux.connections.len() + self.demux.half_open.len()
    }

    /// How many 4-tuples are in TIME-WAIT.
    #[must_use]
    pub fn time_wait_count(&self) -> usize {
        self.demux.time_wait.len()
    }

    /// Panics when something cannot be.
    ///
    /// # Panics
    /// On a bug of this crate.
    pub fn check_invariants(&self) {
        assert!(self.answers.len() <= ANSWERS_MAX && self.demux.time_wait.len() <= TIME_WAITS_MAX);
        for held in self.demux.all() {
            held.conn.check_invariants();
            assert_eq!(held.is_in_table, self.demux.connections.get(&held.tuple) == Some(&held.id.index));
            let due = held.conn.poll_timeout().filter(|_| held.is_in_table);
            assert!(due.is_none() || held.armed.is_some_and(|at| Some(at) <= due), "a connection waits for no timer");
        }
    }

    // Below: what the other files of this crate use.

    pub(crate) const fn shares_addresses(&self) -> bool {
        matches!(self.ownership, Ownership::SharedWithKernel)
    }

    pub(crate) fn answer(&mut self, answer: Answer) {
        if self.answers.len() < ANSWERS_MAX {
            self.answers.push_back(answer);
        } else {
            self.egress.counters.unsent += 1;
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(crate) const fn count_sum(&mut self, good: Option<Good>) {
        match good {
            Some(Good::Right) => self.egress.counters.sums_right += 1,
            Some(Good::Partial) => self.egress.counters.sums_partial += 1,
            None => {}
        }
    }

    /// A segment with a right checksum, for an address of ours.
    pub(crate) fn tcp(&mut self, now: Instant, tuple: FourTuple, seg: &Segment<'_>) -> Verdict {
        if let Some(held) = self.demux.by_tuple_mut(&tuple) {
            let id = held.id;
            let (verdict, next) = held.conn.handle_segment(now, seg);
            self.follow(now, id, next);
            return verdict.into();
        }
        if self.demux.half_open.contains_key(&tuple) {
            return self.half_open_segment(now, tuple, seg);
        }
        let mut iss_min = None;
        if let Some(lingering) = self.demux.time_wait.get_mut(&tuple) {
            let (verdict, next) = lingering.time_wait.handle_segment(now, seg);
            let Next::Reopen { iss_min: least } = next else {
                self.touch_time_wait(tuple);
                return verdict.into();
            };
            self.end_time_wait(&tuple);
            iss_min = Some(least);
        }
        self.stranger(now, tuple, seg, iss_min)
    }

    /// What an input to a connection led to.
    pub(crate) fn follow(&mut self, now: Instant, id: ConnectionId, next: Next) {
        match next {
            Next::Linger(time_wait) => {
                let Some(tuple) = self.demux.get(id).map(|held| held.tuple) else { return };
                self.demux.leave_table(id);
                self.begin_time_wait(tuple, Lingering { time_wait, may_send: false, armed: None });
            }
            Next::Gone => self.demux.leave_table(id),
            _ => {}
        }
        let _ = now;
        self.touch(id);
    }

    /// A segment that belongs to no connection: perhaps a listener's.
    fn stranger(&mut self, now: Instant, tuple: FourTuple, seg: &Segment<'_>, iss_min: Option<SeqNum>) -> Verdict {
        let Some(listener) = self.demux.listener_of(tuple.local) else {
            if let Some(reset) = tcp::reset_for(seg) {
                self.answer(Answer::Segment(tuple, reset));
            }
            return Verdict::Discarded(Discard::NoSuchConnection);
        };
        let mut numbers = self.isn.initial(now, tuple.local, tuple.remote);
        if let Some(least) = iss_min.filter(|least| numbers.iss.before(*least)) {
            numbers.iss = least;
        }
        let Some(listening) = self.demux.listening_mut(listener) else {
            return Verdict::Discarded(Discard::NoSuchConnection);
        };
        let (verdict, next) = listening.listener.handle_segment(now, seg, numbers);
        if let Some(reset) = listening.listener.poll_transmit(now) {
            self.answer(Answer::Segment(tuple, reset));
        }
        if let Next::Answer(half_open) = next {
            if let Some((oldest, halfway)) = self.demux.forget_oldest_half_open(listener) {
                self.egress.counters.half_open_forgotten += 1;
                self.disarm(halfway.armed, Timed::HalfOpen(oldest));
            }
            self.demux.begin_half_open(tuple, half_open, listener);
            self.touch_half_open(tuple);
        }
        verdict.into()
    }

    fn half_open_segment(&mut self, now: Instant, tuple: FourTuple, seg: &Segment<'_>) -> Verdict {
        let is_room = self.demux.len() < crate::config::CONNECTIONS_MAX;
        let Some(halfway) = self.demux.half_open.get(&tuple) else {
            return Verdict::Discarded(Discard::NoSuchConnection);
        };
        let listener = halfway.listener;
        let is_full = self.demux.listening(listener).is_none_or(|it| it.accept.len() >= it.accept_max);
        if seg.flags.ack() && !seg.flags.rst() && (is_full || !is_room) {
            // It stays half-open, and its peer repeats what it sends; as Linux does.
            let reason = if is_room { Discard::AcceptQueueFull } else { Discard::TooManyConnections };
            return Verdict::Discarded(reason);
        }
        let Some(halfway) = self.demux.half_open.get_mut(&tuple) else {
            return Verdict::Discarded(Discard::NoSuchConnection);
        };
        let (verdict, next) = halfway.half_open.handle_segment(now, seg);
        match next {
            Next::Promote(conn) => {
                self.end_half_open(&tuple);
                let id = self.demux.insert(conn, tuple);
                if let Some(listening) = self.demux.listening_mut(listener) {
                    listening.accept.push_back(id);
                    if core::mem::take(&mut listening.must_tell) {
                        self.events.push_back(Event::Incoming(listener));
                    }
                }
                self.touch(id);
            }
            Next::Gone => self.end_half_open(&tuple),
            _ => self.touch_half_open(tuple),
        }
        verdict.into()
    }

    fn connection_timeout(&mut self, now: Instant, id: ConnectionId) {
        let Some(held) = self.demux.get_mut(id) else { return };
        held.armed = None;
        // The timer is lazy: it may stand for a time that has moved on.
        if held.conn.poll_timeout().is_some_and(|at| at <= now) {
            let next = held.conn.handle_timeout(now);
            self.follow(now, id, next);
        } else {
            self.arm(id);
        }
    }

    fn half_open_timeout(&mut self, now: Instant, tuple: FourTuple) {
        let Some(halfway) = self.demux.half_open.get_mut(&tuple) else { return };
        halfway.armed = None;
        match halfway.half_open.handle_timeout(now) {
            Next::Gone => self.end_half_open(&tuple),
            _ => self.touch_half_open(tuple),
        }
    }

    fn time_wait_timeout(&mut self, now: Instant, tuple: FourTuple) {
        let Some(lingering) = self.demux.time_wait.get_mut(&tuple) else { return };
        lingering.armed = None;
        match lingering.time_wait.handle_timeout(now) {
            Next::Gone => self.end_time_wait(&tuple),
            _ => self.touch_time_wait(tuple),
        }
    }

    fn send_connection(&mut self, now: Instant, id: ConnectionId, send: Send<'_>) -> bool {
        let Some(held) = self.demux.get_mut(id) else { return false };
        let tuple = held.tuple;
        let did = match held.conn.poll_transmit(now) {
            Some(out) => {
                self.egress.send_tcp(now, &tuple, &out, send);
                true
            }
            None => {
                held.may_send = false;
                false
            }
        };
        self.arm(id);
        if !did {
            self.forget_if_over(id);
        }
        did
    }

    fn send_half_open(&mut self, now: Instant, tuple: FourTuple, send: Send<'_>) -> bool {
        let Some(halfway) = self.demux.half_open.get_mut(&tuple) else { return false };
        match halfway.half_open.poll_transmit(now) {
            Some(out) => {
                self.egress.send_tcp(now, &tuple, &out, send);
                self.arm_half_open(tuple);
                true
            }
            None => {
                halfway.may_send = false;
                false
            }
        }
    }

    fn send_time_wait(&mut self, now: Instant, tuple: FourTuple, send: Send<'_>) -> bool {
        let Some(lingering) = self.demux.time_wait.get_mut(&tuple) else { return false };
        match lingering.time_wait.poll_transmit(now) {
            Some(out) => {
                self.egress.send_tcp(now, &tuple, &out, send);
                true
            }
            None => {
                lingering.may_send = false;
                false
            }
        }
    }

    /// Something was done to a connection: it may have something to send and to tell, and its deadline may have moved.
    pub(crate) fn touch(&mut self, id: ConnectionId) {
        let Some(held) = self.demux.get_mut(id) else { return };
        if !core::mem::replace(&mut held.may_send, true) {
            self.senders.push_back(Sender::Connection(id));
        }
        if !core::mem::replace(&mut held.may_tell, true) {
            self.tellers.push_back(id);
        }
        self.arm(id);
    }

    fn touch_half_open(&mut self, tuple: FourTuple) {
        let Some(halfway) = self.demux.half_open.get_mut(&tuple) else { return };
        if !core::mem::replace(&mut halfway.may_send, true) {
            self.senders.push_back(Sender::HalfOpen(tuple));
        }
        self.arm_half_open(tuple);
    }

    fn touch_time_wait(&mut self, tuple: FourTuple) {
        let Some(lingering) = self.demux.time_wait.get_mut(&tuple) else { return };
        if !core::mem::replace(&mut lingering.may_send, true) {
            self.senders.push_back(Sender::TimeWait(tuple));
        }
        let due = lingering.time_wait.poll_timeout();
        let before = core::mem::replace(&mut lingering.armed, due);
        self.move_timer(before, due, Timed::TimeWait(tuple));
    }

    /// One entry a connection, moved only when it is needed sooner.
    fn arm(&mut self, id: ConnectionId) {
        let Some(held) = self.demux.get_mut(id) else { return };
        let Some(due) = held.conn.poll_timeout() else { return };
        if held.armed.is_some_and(|at| at <= due) {
            return;
        }
        let before = held.armed.replace(due);
        self.move_timer(before, Some(due), Timed::Connection(id));
    }

    fn arm_half_open(&mut self, tuple: FourTuple) {
        let Some(halfway) = self.demux.half_open.get_mut(&tuple) else { return };
        let due = halfway.half_open.poll_timeout();
        let before = core::mem::replace(&mut halfway.armed, due);
        self.move_timer(before, due, Timed::HalfOpen(tuple));
    }

    fn move_timer(&mut self, before: Option<Instant>, due: Option<Instant>, timed: Timed) {
        if before == due {
            return;
        }
        self.disarm(before, timed);
        if let Some(due) = due {
            self.timers.insert((due, timed));
        }
    }

    fn disarm(&mut self, armed: Option<Instant>, timed: Timed) {
        if let Some(at) = armed {
            self.timers.remove(&(at, timed));
        }
    }

    pub(crate) fn end_half_open(&mut self, tuple: &FourTuple) {
        if let Some(halfway) = self.demux.end_half_open(tuple) {
            self.disarm(halfway.armed, Timed::HalfOpen(*tuple));
        }
    }

    fn begin_time_wait(&mut self, tuple: FourTuple, lingering: Lingering) {
        if self.demux.time_wait.len() >= TIME_WAITS_MAX {
            while let Some(oldest) = self.time_wait_order.pop_front() {
                if self.demux.time_wait.contains_key(&oldest) {
                    self.end_time_wait(&oldest);
                    break;
                }
            }
        }
        self.demux.time_wait.insert(tuple, lingering);
        self.time_wait_order.push_back(tuple);
        if self.time_wait_order.len() > 2 * TIME_WAITS_MAX {
            self.time_wait_order.retain(|tuple| self.demux.time_wait.contains_key(tuple));
        }
        self.touch_time_wait(tuple);
    }

    fn end_time_wait(&mut self, tuple: &FourTuple) {
        if let Some(lingering) = self.demux.time_wait.remove(tuple) {
            self.disarm(lingering.armed, Timed::TimeWait(*tuple));
        }
    }

    /// A connection whose user has gone, and which is over, is forgotten.
    pub(crate) fn forget_if_over(&mut self, id: ConnectionId) {
        let is_done = |held: &Connected| held.is_released && held.conn.is_over();
        if let Some(held) = self.demux.get(id).filter(|held| is_done(held)) {
            let armed = held.armed;
            self.disarm(armed, Timed::Connection(id));
            self.demux.remove(id);
        }
    }
}
