//! A connection, from the active SYN or the completed handshake to the moment at which its 4-tuple is free.
//!
//! In: segments, user calls, time.
//! Out: segments, events, the next deadline, the move to TIME-WAIT.
//! Above: stack, hand. Below: every other folder of this crate; this one only holds the state.
//! Not here: the checks on a segment (`segment_arrives`), the calls (`user_calls`), the sending (`transmit`).

mod negotiate;
mod status;
mod tcb;

use alloc::sync::Arc;

use wirewright_units::Instant;
use wirewright_wire::SeqNum;

pub(crate) use negotiate::Agreed;
pub use status::Status;
pub(crate) use tcb::Tcb;
pub use wirewright_wire::tcp::State;

use crate::event::Events;
use crate::segment_arrives::segment_arrives;
use crate::ticks::Tick;
use crate::timers::Timer;
use crate::{Config, Ended, Event, InitialNumbers, Next, Ports, Segment, TimeWait, Verdict};

/// One connection: SYN-SENT, active SYN-RECEIVED, and every synchronized state but TIME-WAIT, which is a
/// [`TimeWait`].
///
/// After [`handle_segment`](Self::handle_segment), [`handle_timeout`](Self::handle_timeout) or a user call, poll
/// [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event) until they are empty, and ask
/// [`poll_timeout`](Self::poll_timeout) when to come back.
#[derive(Debug)]
pub struct Connection {
    pub(crate) config: Arc<Config>,
    pub(crate) ports: Ports,
    pub(crate) tcb: Tcb,
}

impl Connection {
    /// OPEN, active (RFC 9293 §3.10.1): a connection in SYN-SENT whose SYN waits to be polled.
    #[must_use]
    pub fn open(now: Instant, config: Arc<Config>, ports: Ports, numbers: InitialNumbers) -> Self {
        let mut tcb = Tcb::new(now, &config, State::SynSent, numbers);
        tcb.due.syn = true;
        Self { config, ports, tcb }
    }

    /// SEGMENT ARRIVES (RFC 9293 §3.10.7).
    pub fn handle_segment(&mut self, now: Instant, seg: &Segment<'_>) -> (Verdict, Next) {
        let now = self.tcb.timers.advance(now);
        let was_over = !self.tcb.state.holds();
        let verdict = match segment_arrives(self, now, seg) {
            Ok(()) => Verdict::Accepted,
            Err(discard) => Verdict::Discarded(discard),
        };
        (verdict, self.next(now, was_over))
    }

    /// What an input led to; `was_over` before it.
    pub(crate) fn next(&mut self, now: Instant, was_over: bool) -> Next {
        match self.tcb.state {
            _ if was_over => Next::Stay,
            State::TimeWait => Next::Linger(TimeWait::new(now, self)),
            State::Closed => Next::Gone,
            _ => Next::Stay,
        }
    }

    /// The next event for the user.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.tcb.events.take(self.tcb.ended)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.tcb.timers.next_timeout()
    }

    /// The ports.
    #[must_use]
    pub const fn ports(&self) -> Ports {
        self.ports
    }

    /// The state (RFC 9293 §3.3.2). [`State::TimeWait`] means that a [`TimeWait`] has taken the 4-tuple over.
    #[must_use]
    pub const fn state(&self) -> State {
        self.tcb.state
    }

    /// Nothing is left to send or receive: once the user has read what is there, the connection can be dropped.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        !self.tcb.state.holds() && self.tcb.due.reset.is_none()
    }

    /// Panics when something about the connection cannot be. Simulations call it after every step.
    ///
    /// # Panics
    /// On a bug of this crate.
    pub fn check_invariants(&self) {
        self.tcb.check_invariants(&self.config);
    }

    /// The last step: the 4-tuple is free, for this reason. Queues are flushed, timers stopped (RFC 9293 §3.10.8).
    pub(crate) fn end(&mut self, ended: Ended) {
        let tcb = &mut self.tcb;
        tcb.state = State::Closed;
        tcb.ended = Some(ended);
        tcb.timers.stop_all();
        tcb.due = tcb.due.only_reset();
        tcb.snd.buffer.clear();
        tcb.events.raise(Events::ENDED);
        if ended != Ended::Finished {
            // RFC 9293 §3.10.7.4: all segment queues are flushed. What came in order before an orderly end stays.
            tcb.rcv.buffer.clear(tcb.rcv.nxt);
        }
    }

    /// Both directions are closed: a [`TimeWait`] takes over. What was received can still be read.
    pub(crate) fn enter_time_wait(&mut self) {
        let tcb = &mut self.tcb;
        tcb.state = State::TimeWait;
        tcb.ended = Some(Ended::Finished);
        tcb.timers.stop_all();
        tcb.snd.buffer.clear();
        tcb.events.raise(Events::ENDED);
    }

    /// Ends the connection with a reset for the peer: `<SEQ=SND.NXT><CTL=RST>`.
    pub(crate) fn end_with_reset(&mut self, ended: Ended) {
        let snd = &self.tcb.snd;
        let seq = if self.tcb.state == State::SynReceived { snd.nxt } else { snd.acceptable() };
        self.tcb.due.reset = Some(seq.seq());
        self.end(ended);
    }

    /// The handshake is complete (active side, and simultaneous open).
    pub(crate) fn enter_established(&mut self, now: Instant, syn_was_lost: bool) {
        let tcb = &mut self.tcb;
        tcb.state = State::Established;
        tcb.events.raise(Events::CONNECTED);
        if tcb.snd.buffer.room() > 0 {
            tcb.events.raise(Events::WRITABLE);
        }
        if syn_was_lost {
            tcb.rto.on_open_after_lost_syn();
        }
        tcb.congestion.on_open(tcb.snd.mss.into(), syn_was_lost);
        tcb.last_heard = Tick::at(now);
        if let Some(keepalive) = self.config.keepalive {
            tcb.timers.set(Timer::Keepalive, keepalive.idle);
        }
        // RFC 9293 §3.10.4: a CLOSE that came in SYN-RECEIVED was queued until now.
        if tcb.close_requested {
            tcb.snd.fin = true;
            tcb.state = State::FinWait1;
        }
    }

    /// A connection out of a half-open one: its SYN,ACK was acknowledged, in a segment still to be processed.
    pub(crate) fn from_half_open(
        now: Instant,
        config: Arc<Config>,
        ports: Ports,
        numbers: InitialNumbers,
        irs: SeqNum,
    ) -> Self {
        let mut tcb = Tcb::new(now, &config, State::SynReceived, numbers);
        tcb.rcv = crate::rcv::Rcv::synchronized(irs, config.receive_bytes_max);
        tcb.snd.nxt = tcb.snd.una.plus(1);
        tcb.snd.rxt = tcb.snd.nxt;
        Self { config, ports, tcb }
    }
}
