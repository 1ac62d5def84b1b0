//! Clock, link and host together: one thread that carries packets between a [`Host`] and its wire, for as long as its
//! users or its peers need it.

use core::time::Duration;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use wirewright_link::sys::{self, Errno, Kernel, Poll};
use wirewright_link::{Direction, OsError, wait};
use wirewright_stack::{Discard, Host, Received, Transmit, Verdict};
use wirewright_units::Instant;

use crate::tcp_error::StreamError;

/// So many frames are taken from the wire before others have their turn: a millisecond of a fast link.
const FRAMES_A_TURN: usize = 256;
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
/// So many frames wait between two hosts in one process; what comes beyond is lost, as on any wire.
const MEMORY_FRAMES_MAX: usize = 1024;

/// Sees each packet that goes and comes: its moment, its direction, its bytes from the IP header on.
pub type Watch = Box<dyn FnMut(Instant, Direction, &[u8]) + Send>;

/// The way down.
pub(crate) trait Transmitter: Send {
    /// Sends one packet.
    fn send(&mut self, packet: &Transmit<'_>) -> Result<(), OsError>;
}

/// What takes a packet, and the moment at which it arrived.
pub(crate) type Take<'a> = &'a mut dyn FnMut(Option<Instant>, &Received<'_>);

/// The way up.
pub(crate) trait Receiver: Send {
    /// Takes one packet that is there, and when it arrived, where that is known; `false` where none is.
    fn receive(&mut self, take: Take<'_>) -> Result<bool, OsError>;
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
    changed: Condvar,
    waker: Waker,
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
    watch: Option<Watch>,
    /// The thread sleeps until then.
    deadline: Instant,
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
        let state = State {
            host,
            send_error: None,
            last_discard: None,
            rto_max: Duration::ZERO,
            wire,
            watch,
            deadline: Instant::ORIGIN,
            closing: None,
            over_since: None,
            late: None,
            is_dead: false,
        };
        let shared =
            Arc::new(Shared { kernel: sys::system(), state: Mutex::new(state), changed: Condvar::new(), waker });
        let of_thread = shared.clone();
        let builder = std::thread::Builder::new().name("ww-tcp".to_owned());
        let thread = builder.spawn(move || of_thread.run(receiver, &woken))?;
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
        let mut state = self.shared.lock();
        loop {
            let now = self.now();
            let result = act(&mut state, now);
            self.shared.after_call(&mut state, now);
            if let Some(result) = result {
                return Ok(result);
            }
            if state.is_dead {
                return Err(state.send_error.clone().map_or(StreamError::EngineGone, StreamError::Os));
            }
            if now >= deadline {
                return Err(StreamError::TimedOut { last: state.last_discard });
            }
            state = if deadline == Instant::NEVER {
                self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                let waited = self.shared.changed.wait_timeout(state, deadline.since(now));
                waited.unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }
}

impl Drop for Engine {
    /// Waits until no peer counts on us any more, [`LINGER_MAX`] at most.
    fn drop(&mut self) {
        self.shared.lock().closing = Some(self.now());
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
        let mut state = self.lock();
        let now = self.kernel.now();
        let result = act(&mut state, now);
        self.after_call(&mut state, now);
        result
    }

    /// What a user did is sent from the user's own thread; the engine's is woken when it would sleep too long.
    fn after_call(&self, state: &mut State, now: Instant) {
        let more = state.transmit(now);
        let due = if more { now } else { state.host.poll_timeout().unwrap_or(Instant::NEVER) };
        if due < state.deadline {
            state.deadline = due;
            self.waker.wake();
        }
    }

    fn run(&self, mut receiver: Box<dyn Receiver>, woken: &UnixStream) {
        while let Some(deadline) = self.turn(&mut *receiver) {
            if deadline > self.kernel.now() {
                let mut polls: Vec<_> = receiver.sources().into_iter().map(Poll::reading).collect();
                polls.push(Poll::reading(woken.as_fd()));
                // A failed wait ends in another turn, which waits again.
                let _ = wait(&*self.kernel, &mut polls, deadline);
                let mut bytes = [0; 64];
                while (&*woken).read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
            }
        }
        self.lock().is_dead = true;
        self.changed.notify_all();
    }

    /// Takes what came, lets time pass, sends. Returns when the next turn is; `None`: there is none.
    fn turn(&self, receiver: &mut dyn Receiver) -> Option<Instant> {
        let mut state = self.lock();
        let now = self.kernel.now();
        let is_quiet = state.is_quiet();
        let (mut taken, mut newest) = (0, None);
        while taken < FRAMES_A_TURN {
            let State { host, watch, last_discard, .. } = &mut *state;
            let came = receiver.receive(&mut |at, frame| {
                if let Some(watch) = watch {
                    watch(now, Direction::Incoming, frame.bytes);
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
                Ok(true) => taken += 1,
                Ok(false) => break,
                Err(error) => {
                    state.send_error = Some(error);
                    taken += 1;
                }
            }
        }
        state.host.handle_timeout(now);
        let more = state.transmit(now) || taken == FRAMES_A_TURN;
        if let Some(arrived) = newest {
            let answered = self.kernel.now();
            if answered.since(arrived) >= LATE {
                state.late = Some(answered);
            }
        }
        // Users look at the host itself.
        while state.host.poll_event().is_some() {}
        self.changed.notify_all();
        let next = if more { now } else { state.host.poll_timeout().unwrap_or(Instant::NEVER) };
        let next = match state.end_of(now) {
            Some(end) if end <= now => return None,
            Some(end) => next.min(end),
            None => next,
        };
        state.deadline = next;
        Some(next)
    }
}

impl State {
    /// Sends what is due; `true` when the turn ended before that.
    fn transmit(&mut self, now: Instant) -> bool {
        for _ in 0..PACKETS_A_TURN {
            let Self { host, wire, watch, send_error, .. } = self;
            let mut too_large = None;
            let did = host.poll_transmit(now, &mut |packet| {
                if let Some(watch) = watch {
                    let mut bytes = Vec::with_capacity(packet.len());
                    packet.append_to(&mut bytes);
                    watch(now, Direction::Outgoing, &bytes);
                }
                match wire.send(packet) {
                    Ok(()) => {}
                    Err(error) if error.errno == Errno::EMSGSIZE => too_large = packet.destination.zip(error.mtu),
                    // A full queue is a loss like any other.
                    Err(error) if error.errno == Errno::ENOBUFS => {}
                    Err(error) => *send_error = Some(error),
                }
            });
            if let Some((destination, mtu)) = too_large {
                self.host.handle_too_large(now, destination, mtu);
            }
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

/// Ends the sleep of an engine's thread.
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

    fn wake(&self) {
        // Where there is no room there are enough bytes to wake it.
        let _ = (&*self.0).write(&[0]);
    }
}

/// One end of a wire inside this process.
pub(crate) struct MemoryEnd {
    queue: Arc<Mutex<VecDeque<Vec<u8>>>>,
    other: Option<Waker>,
}

/// A wire inside this process: sender and receiver of one side each, to whose engines the wakers belong.
pub(crate) fn memory(wakers: [&Waker; 2]) -> [(MemoryEnd, MemoryEnd); 2] {
    let [to_first, to_second] = [(); 2].map(|()| Arc::new(Mutex::new(VecDeque::new())));
    let sender = |queue: &Arc<_>, waker: &Waker| MemoryEnd { queue: Arc::clone(queue), other: Some(waker.clone()) };
    let receiver = |queue: &Arc<_>| MemoryEnd { queue: Arc::clone(queue), other: None };
    [(sender(&to_second, wakers[1]), receiver(&to_first)), (sender(&to_first, wakers[0]), receiver(&to_second))]
}

impl Transmitter for MemoryEnd {
    fn send(&mut self, packet: &Transmit<'_>) -> Result<(), OsError> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() < MEMORY_FRAMES_MAX {
            let mut bytes = Vec::with_capacity(packet.len());
            packet.append_to(&mut bytes);
            queue.push_back(bytes);
        }
        if let Some(waker) = &self.other {
            waker.wake();
        }
        Ok(())
    }
}

impl Receiver for MemoryEnd {
    fn receive(&mut self, take: Take<'_>) -> Result<bool, OsError> {
        let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(bytes) = &next {
            take(None, &Received::new(bytes));
        }
        Ok(next.is_some())
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
}
