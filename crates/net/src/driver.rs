//! Clock, link and host together: packets are carried between a [`Host`] and its wire for as long as its users or its peers
//! need it.
//!
//! Whoever waits does the work: a user's thread that waits for its host takes the lead, waits for the wire, and goes on with
//! what came, without waking another thread. The engine's own thread does the same while no user waits.

use core::net::IpAddr;
use core::time::Duration;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use wirewright_link::sys::{self, Errno, Kernel, Poll};
use wirewright_link::{Direction, OsError, wait};
use wirewright_stack::{Discard, Host, Link, Received, Transmit, Verdict};
use wirewright_units::Instant;

use crate::tcp_error::StreamError;

/// So many frames are taken from the wire before others have their turn: some hundred kilobytes, which the nearer caches
/// still hold when the user reads them.
const FRAMES_A_TURN: usize = 128;
/// So many packets or super-segments are sent before the wire is read again: acknowledgments are due meanwhile.
const PACKETS_A_TURN: usize = 64;
/// How long a guard, and with it the process that drops the last handle, waits for peers to finish. Then they are reset,
/// so that they hold nothing.
const LINGER_MAX: Duration = Duration::from_secs(3);
/// Who closed first keeps its port quiet for one retransmission time-out of its peer, and at least so long: the last FIN may
/// come again.
const TIME_WAIT_MIN: Duration = Duration::from_millis(200);
/// A peer that got no answer for so long may have sent its last segments again (Linux's tail loss probe: twice the round trip
/// and 2 ms, RFC 8985 §7.2): a copy may still come when all is over.
const LATE: Duration = Duration::from_millis(2);
/// After a late answer the port is kept quiet for so long: the copy comes as late as the segment did, which is some
/// scheduler's turns.
pub(crate) const QUIET_AFTER_LATE: Duration = Duration::from_millis(50);
/// A user who waits drives the host himself, and soon comes back: for so long the engine's thread leaves the wire to its
/// users. What comes meanwhile waits no longer than this, which is little beside any timer of TCP.
const LEASE: Duration = Duration::from_millis(2);
/// A user who has not had to wait for so long takes a turn all the same, so that the lease does not end under his hands.
const TURN_EVERY: Duration = Duration::from_millis(1);
/// So many turns at most follow a user's call, when it has much to send.
const TURNS_A_CALL: usize = 16;

/// Bytes of an Ethernet header, and the EtherTypes of IPv4 and IPv6 at its end.
const ETHERNET_LEN: usize = 14;
const IP_ETHER_TYPES: [[u8; 2]; 2] = [[0x08, 0x00], [0x86, 0xdd]];

/// Sees each packet that goes and comes: its moment, its direction, its bytes from the IP header on.
pub type Watch = Box<dyn FnMut(Instant, Direction, &[u8]) + Send>;

/// The way down.
pub(crate) trait Transmitter: Send {
    /// Takes one packet; a wire may keep some until [`flush`](Self::flush), to send them at once.
    fn send(&mut self, packet: &Transmit<'_>);
    /// Sends what it kept; whatever the operating system says against one of the packets, and for whom that was.
    fn flush(&mut self, refused: &mut dyn FnMut(OsError, IpAddr));
}

/// What takes a packet, and the moment at which it arrived.
pub(crate) type Take<'a> = &'a mut dyn FnMut(Option<Instant>, &Received<'_>);

/// The way up.
pub(crate) trait Receiver: Send {
    /// Takes some packets that are there, each with the moment at which it arrived, where that is known; how many, 0 where
    /// none is.
    fn receive(&mut self, take: Take<'_>) -> Result<usize, OsError>;
    /// What to wait on for the next one.
    fn sources(&self) -> Vec<BorrowedFd<'_>>;
}

/// A host that runs.
pub(crate) struct Engine {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the engine's thread and its handles hold together.
pub(crate) struct Shared {
    kernel: Arc<dyn Kernel>,
    state: Mutex<State>,
    /// Users wait here while another leads.
    changed: Condvar,
    /// The engine's thread waits here while users lead.
    idle: Condvar,
    /// So many users are about to call.
    callers: AtomicUsize,
    waker: Waker,
    woken: UnixStream,
    /// What the receiver has to be waited on by.
    sources: Vec<OwnedFd>,
}

/// What the engine's thread and its users share.
pub(crate) struct State {
    /// The host.
    pub(crate) host: Host,
    /// The last thing that the operating system said against a packet of ours.
    pub(crate) send_error: Option<OsError>,
    /// Why the last packet that came could not be taken, if it could not.
    pub(crate) last_discard: Option<Discard>,
    /// The longest time-out of a connection that was let go.
    pub(crate) rto_max: Duration,
    wire: Box<dyn Transmitter>,
    receiver: Box<dyn Receiver>,
    watch: Option<Watch>,
    /// A user's thread waits for the wire, and is the one who takes what comes.
    leader: Option<Leader>,
    /// Until then the engine's thread leaves the wire to its users.
    leased_until: Instant,
    /// The engine's thread waits for the wire, until then. While a user leads it has no part in what comes.
    thread_until: Option<Instant>,
    /// The engine's thread sleeps until it is told.
    thread_sleeps: bool,
    /// So many users wait while another leads.
    waiting: usize,
    /// No user is left since then.
    closing: Option<Instant>,
    /// Since when all connections are over.
    over_since: Option<Instant>,
    /// When something was last answered [`LATE`] after it had arrived.
    late: Option<Instant>,
    is_dead: bool,
}

impl Engine {
    /// Starts a host on a wire.
    ///
    /// # Errors
    /// When there are no more descriptors or threads.
    pub(crate) fn start(
        host: Host,
        wire: Box<dyn Transmitter>,
        receiver: Box<dyn Receiver>,
        watch: Option<Watch>,
        waker: (Waker, UnixStream),
    ) -> std::io::Result<Self> {
        let (waker, woken) = waker;
        let sources = receiver.sources().into_iter().map(|fd| fd.try_clone_to_owned());
        let sources = sources.collect::<std::io::Result<Vec<_>>>()?;
        let state = State {
            host,
            send_error: None,
            last_discard: None,
            rto_max: Duration::ZERO,
            wire,
            receiver,
            watch,
            leader: None,
            leased_until: Instant::ORIGIN,
            thread_until: None,
            thread_sleeps: false,
            waiting: 0,
            closing: None,
            over_since: None,
            late: None,
            is_dead: false,
        };
        let (changed, idle, callers) = (Condvar::new(), Condvar::new(), AtomicUsize::new(0));
        let state = Mutex::new(state);
        let shared = Arc::new(Shared { kernel: sys::system(), state, changed, idle, callers, waker, woken, sources });
        let of_thread = shared.clone();
        let builder = std::thread::Builder::new().name("ww-tcp".to_owned());
        let thread = builder.spawn(move || of_thread.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The time.
    pub(crate) fn now(&self) -> Instant {
        self.shared.kernel.now()
    }

    /// What another thread may hold on to without keeping the engine.
    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Acts on the host, and sends what comes of it.
    pub(crate) fn act<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        self.shared.act(act)
    }

    /// Acts on the host again and again, whenever something happened, until there is a result or `deadline`.
    pub(crate) fn wait<T>(
        &self,
        deadline: Instant,
        mut act: impl FnMut(&mut State, Instant) -> Option<T>,
    ) -> Result<T, StreamError> {
        let mut state = self.shared.lock_for_user();
        loop {
            let now = self.now();
            let result = act(&mut state, now);
            let went_on = self.shared.after_call(&mut state, now);
            if let Some(result) = result {
                return Ok(result);
            }
            if state.is_dead {
                return Err(state.send_error.clone().map_or(StreamError::EngineGone, StreamError::Os));
            }
            if now >= deadline {
                return Err(StreamError::TimedOut { last: state.last_discard });
            }
            if went_on {
                // What came behind the look at the host may be the last that comes: it is looked at again before waiting.
                continue;
            }
            state = match state.leader {
                None => self.shared.lead(state, deadline),
                Some(_) => self.shared.follow(state, deadline),
            };
        }
    }
}

impl Drop for Engine {
    /// Waits until no peer counts on us any more, [`LINGER_MAX`] at most.
    fn drop(&mut self) {
        self.shared.lock().closing = Some(self.now());
        self.shared.idle.notify_one();
        self.shared.waker.wake();
        if let Some(thread) = self.thread.take() {
            // It has no result; that it panicked was printed.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts on the host, and sends what comes of it.
    pub(crate) fn act<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.lock_for_user();
        let now = self.kernel.now();
        let result = act(&mut state, now);
        self.after_call(&mut state, now);
        result
    }

    /// The same for a user, whom the engine's thread lets go first: a mutex is not fair.
    fn lock_for_user(&self) -> MutexGuard<'_, State> {
        self.callers.fetch_add(1, Ordering::Relaxed);
        let state = self.lock();
        self.callers.fetch_sub(1, Ordering::Relaxed);
        state
    }

    /// What a user did is sent from the user's own thread; who waits for the wire is woken when it would wait too long. Whether
    /// turns were taken.
    fn after_call(&self, state: &mut State, now: Instant) -> bool {
        let more = state.transmit(now);
        let due = if more { now } else { state.host.poll_timeout().unwrap_or(Instant::NEVER) };
        if let Some(until) = state.waiter_until() {
            if due < *until {
                *until = due;
                self.waker.wake();
            }
            false
        } else {
            let is_due = more || now + (LEASE - TURN_EVERY) >= state.leased_until;
            if is_due {
                self.turns(state);
            }
            is_due
        }
    }

    /// A user takes turns until nothing is due.
    fn turns(&self, state: &mut State) {
        for _ in 0..TURNS_A_CALL {
            let now = self.kernel.now();
            if self.user_turn(state, now).next.is_none_or(|next| next > now) {
                break;
            }
        }
    }

    /// A turn of a user's thread, which will come back soon.
    fn user_turn(&self, state: &mut State, now: Instant) -> Turn {
        let turn = self.turn(state, now);
        state.leased_until = self.kernel.now() + LEASE;
        turn
    }

    /// A user takes what is there, or waits for the wire: until something comes, a timer is due, or the user's own deadline.
    fn lead<'a>(&'a self, mut state: MutexGuard<'a, State>, deadline: Instant) -> MutexGuard<'a, State> {
        let now = self.kernel.now();
        let turn = self.user_turn(&mut state, now);
        let next = turn.next.unwrap_or(now);
        if turn.taken > 0 || next <= now {
            return state;
        }
        let until = next.min(deadline);
        state.leader = Some(Leader { since: now, until });
        drop(state);
        self.wait_for_wire(until);
        let mut state = self.lock();
        state.leader = None;
        if state.thread_sleeps {
            self.idle.notify_one();
        }
        self.user_turn(&mut state, self.kernel.now());
        state
    }

    /// A user waits while another leads.
    fn follow<'a>(&'a self, mut state: MutexGuard<'a, State>, deadline: Instant) -> MutexGuard<'a, State> {
        state.waiting += 1;
        let mut state = if deadline == Instant::NEVER {
            self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
        } else {
            let waited = self.changed.wait_timeout(state, deadline.since(self.kernel.now()));
            waited.unwrap_or_else(PoisonError::into_inner).0
        };
        state.waiting -= 1;
        state
    }

    /// The engine's own thread.
    fn run(&self) {
        let mut state = self.lock();
        loop {
            state = self.leave_to_users(state);
            let now = self.kernel.now();
            let Some(next) = self.turn(&mut state, now).next else { break };
            if next > now {
                state.thread_until = Some(next);
                drop(state);
                self.wait_for_wire(next);
                state = self.lock();
                state.thread_until = None;
                if state.leader.is_some() {
                    // Both wait on one waker, and the call that was taken here may have been for who leads.
                    self.waker.wake();
                }
            } else if self.callers.load(Ordering::Relaxed) > 0 {
                state.leased_until = now + LEASE;
            }
        }
        state.is_dead = true;
        self.changed.notify_all();
    }

    /// Waits until no user leads any more.
    fn leave_to_users<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        loop {
            let now = self.kernel.now();
            let is_long = state.leader.is_some_and(|leader| now.since(leader.since) >= LEASE);
            if state.closing.is_some() || (state.leader.is_none() && state.leased_until <= now) {
                return state;
            }
            if is_long {
                state.thread_sleeps = true;
                state = self.idle.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.thread_sleeps = false;
            } else {
                state = self.idle.wait_timeout(state, LEASE).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Waits for a frame, a call of the waker, or the deadline.
    fn wait_for_wire(&self, deadline: Instant) {
        let mut polls: Vec<_> = self.sources.iter().map(|fd| Poll::reading(fd.as_fd())).collect();
        polls.push(Poll::reading(self.woken.as_fd()));
        // A failed wait ends in another turn, which waits again.
        let _ = wait(&*self.kernel, &mut polls, deadline);
        if polls.last().is_some_and(|woken| woken.ready.any()) {
            let mut bytes = [0; 64];
            while (&self.woken).read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
        }
    }

    /// Takes what came, lets time pass, sends.
    fn turn(&self, state: &mut State, now: Instant) -> Turn {
        let (taken, newest) = state.receive(now);
        state.host.handle_timeout(now);
        let more = state.transmit(now) || taken >= FRAMES_A_TURN;
        if let Some(arrived) = newest {
            let answered = self.kernel.now();
            if answered.since(arrived) >= LATE {
                state.late = Some(answered);
            }
        }
        // Users look at the host itself.
        while state.host.poll_event().is_some() {}
        if state.waiting > 0 {
            self.changed.notify_all();
        }
        let next = if more { now } else { state.host.poll_timeout().unwrap_or(Instant::NEVER) };
        let next = match state.end_of(now) {
            Some(end) if end <= now => return Turn { taken, next: None },
            Some(end) => next.min(end),
            None => next,
        };
        Turn { taken, next: Some(next) }
    }
}

/// A user's thread that waits for the wire.
#[derive(Clone, Copy)]
struct Leader {
    since: Instant,
    until: Instant,
}

/// What came of a turn.
struct Turn {
    /// So many frames were taken.
    taken: usize,
    /// When the next turn is; `None`: there is none.
    next: Option<Instant>,
}

impl State {
    /// Until when whoever is to take what comes waits: who leads; without one, the engine's thread; `None` where nobody waits.
    fn waiter_until(&mut self) -> Option<&mut Instant> {
        match &mut self.leader {
            Some(leader) => Some(&mut leader.until),
            None => self.thread_until.as_mut(),
        }
    }

    /// Takes what is there; how many frames, or failures to take one, and when the newest frame had arrived.
    fn receive(&mut self, now: Instant) -> (usize, Option<Instant>) {
        let is_quiet = self.is_quiet();
        let (mut taken, mut newest) = (0, None);
        while taken < FRAMES_A_TURN {
            let Self { host, watch, receiver, send_error, last_discard, .. } = self;
            let came = receiver.receive(&mut |at, frame| {
                if let Some(watch) = watch {
                    show(watch, host.link(), at.unwrap_or(now), Direction::Incoming, frame.bytes);
                }
                if is_quiet {
                    return;
                }
                newest = at.or(newest);
                *last_discard = match host.handle_frame(now, frame) {
                    Verdict::Accepted => None,
                    Verdict::Discarded(reason) => Some(reason),
                };
            });
            match came {
                Ok(0) => break,
                Ok(count) => taken += count,
                Err(error) => {
                    *send_error = Some(error);
                    taken += 1;
                }
            }
        }
        (taken, newest)
    }

    /// Sends what is due; `true` when the turn ended before that.
    fn transmit(&mut self, now: Instant) -> bool {
        for _ in 0..PACKETS_A_TURN {
            let Self { host, wire, watch, send_error, .. } = self;
            let link = host.link();
            let did = host.poll_transmit(now, &mut |packet| {
                if let Some(watch) = watch {
                    let mut bytes = Vec::with_capacity(packet.len());
                    packet.append_to(&mut bytes);
                    show(watch, link, now, Direction::Outgoing, &bytes);
                }
                wire.send(packet);
            });
            wire.flush(&mut |error, destination| match (error.errno, error.mtu) {
                (Errno::EMSGSIZE, Some(mtu)) => host.handle_too_large(now, destination, mtu),
                // A full queue is a loss like any other; without an MTU there is nothing to learn.
                (Errno::EMSGSIZE | Errno::ENOBUFS, _) => {}
                _ => *send_error = Some(error),
            });
            if !did {
                return false;
            }
        }
        true
    }

    /// When the engine ends, if nothing more happens: once nobody uses it and no peer counts on it.
    fn end_of(&mut self, now: Instant) -> Option<Instant> {
        let closing = self.closing?;
        if self.host.open_count() > 0 {
            self.over_since = None;
            if now >= closing + LINGER_MAX {
                self.host.abort_all(now);
                self.transmit(now);
                return Some(now);
            }
            return Some(closing + LINGER_MAX);
        }
        let over_since = *self.over_since.get_or_insert(now);
        let was_late = self.late.is_some_and(|late| late + QUIET_AFTER_LATE > over_since);
        let quiet = match self.host.time_wait_count() {
            0 if was_late => QUIET_AFTER_LATE,
            0 => Duration::ZERO,
            _ => self.rto_max.max(TIME_WAIT_MIN).min(LINGER_MAX),
        };
        Some(over_since + quiet)
    }

    /// All is over for both ends, and the guard stands for what may come again. To that nothing is said: a reset would tell
    /// its sender, which is in TIME-WAIT, nothing (RFC 1337 §2).
    fn is_quiet(&self) -> bool {
        self.over_since.is_some() && self.host.open_count() == 0 && self.host.time_wait_count() == 0
    }
}

/// Shows the IP packet of a frame; other frames are not shown.
fn show(watch: &mut Watch, link: Link, now: Instant, direction: Direction, frame: &[u8]) {
    match (link, frame.split_at_checked(ETHERNET_LEN)) {
        (Link::Ip, _) => watch(now, direction, frame),
        (Link::Ethernet { .. }, Some((header, packet))) if IP_ETHER_TYPES.contains(&[header[12], header[13]]) => {
            watch(now, direction, packet);
        }
        _ => {}
    }
}

/// Ends the wait of whoever waits for the wire of an engine.
#[derive(Clone)]
pub(crate) struct Waker(Arc<UnixStream>);

impl Waker {
    /// A waker, and what it wakes.
    pub(crate) fn new() -> std::io::Result<(Self, UnixStream)> {
        let (waker, woken) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        Ok((Self(Arc::new(waker)), woken))
    }

    pub(crate) fn wake(&self) {
        // Where there is no room there are enough bytes to wake it.
        let _ = (&*self.0).write(&[0]);
    }
}
