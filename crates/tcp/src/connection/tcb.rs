//! The transmission control block: what a connection must remember (RFC 9293 §3.3.1).

use core::time::Duration;

use wirewright_units::Instant;
use wirewright_wire::SeqNum;
use wirewright_wire::tcp::Timestamps;

use super::State;
use crate::congestion::Congestion;
use crate::event::Events;
use crate::position::Pos;
use crate::rcv::Rcv;
use crate::recovery::{NewReno, Rto};
use crate::segment_arrives::INVALID_REPLY_INTERVAL;
use crate::snd::Snd;
use crate::ticks::Tick;
use crate::timers::{Timer, Timers};
use crate::{Config, Ended, InitialNumbers};

/// The hot state of one connection: everything a segment in order touches, buffers apart.
#[derive(Debug)]
pub(crate) struct Tcb {
    pub(crate) snd: Snd,
    pub(crate) rcv: Rcv,
    pub(crate) rto: Rto,
    pub(crate) recovery: NewReno,
    pub(crate) congestion: Congestion,
    pub(crate) timers: Timers,
    pub(crate) due: Due,
    /// The most that was in flight until `usage_end` was acknowledged: how far the congestion window is used.
    pub(crate) flight_max: u32,
    pub(crate) usage_end: Pos,
    pub(crate) timestamp_offset: u32,
    /// Since when nothing new was acknowledged although something was sent.
    pub(crate) stalled_since: Tick,
    pub(crate) last_heard: Tick,
    pub(crate) last_sent: Tick,
    /// When a segment without data last got an ACK only because it was wrong.
    pub(crate) last_invalid_reply: Option<Tick>,
    pub(crate) state: State,
    pub(crate) ended: Option<Ended>,
    pub(crate) events: Events,
    /// Timestamps were agreed (or, before that, are offered).
    pub(crate) timestamps: bool,
    /// Window scaling was agreed (or is offered).
    pub(crate) scales: bool,
    /// Selective acknowledgments were agreed (or are offered).
    pub(crate) sack: bool,
    /// CLOSE came before the handshake was complete.
    pub(crate) close_requested: bool,
    /// The user has gone: nobody will read.
    pub(crate) is_released: bool,
    /// How often the SYN was repeated at once after an answer to an old connection.
    pub(crate) syn_repeats: u8,
    pub(crate) keepalives_unanswered: u8,
}

const _: () = assert!(size_of::<Tcb>() <= 384, "the control block has a budget (DESIGN.md)");

/// What is to be sent beside data.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Due {
    /// A reset with this sequence number.
    pub(crate) reset: Option<SeqNum>,
    /// The SYN, or in SYN-RECEIVED the SYN,ACK.
    pub(crate) syn: bool,
    /// An acknowledgment that may not wait.
    pub(crate) ack: bool,
    /// The first unacknowledged segment again.
    pub(crate) head: bool,
    /// One octet, or the FIN, into a closed window.
    pub(crate) probe: bool,
    /// What the silly window rule holds back (its override timer expired).
    pub(crate) small: bool,
    /// A keep-alive probe.
    pub(crate) keepalive: bool,
}

impl Due {
    pub(crate) fn only_reset(self) -> Self {
        Self { reset: self.reset, ..Self::default() }
    }
}

impl Tcb {
    pub(crate) fn new(now: Instant, config: &Config, state: State, numbers: InitialNumbers) -> Self {
        let snd = Snd::new(numbers.iss, config.mss.min(config.mss_default), config.send_bytes_max);
        let tick = Tick::at(now);
        Self {
            recovery: NewReno::new(snd.una),
            congestion: Congestion::new(snd.mss.into()),
            rcv: Rcv::unsynchronized(config.receive_bytes_max),
            rto: Rto::new(config),
            timers: Timers::new(now),
            due: Due::default(),
            flight_max: 0,
            usage_end: snd.una,
            timestamp_offset: numbers.timestamp_offset,
            snd,
            stalled_since: tick,
            last_heard: tick,
            last_sent: tick,
            last_invalid_reply: None,
            state,
            ended: None,
            events: Events::default(),
            timestamps: config.timestamps,
            scales: config.window_scale,
            sack: config.sack,
            close_requested: false,
            is_released: false,
            syn_repeats: 0,
            keepalives_unanswered: 0,
        }
    }

    /// The handshake is complete, and the connection not over.
    pub(crate) const fn is_open(&self) -> bool {
        self.state.is_synchronized() && self.state.holds()
    }

    /// Data, or the FIN, may still have to be sent, or sent again.
    pub(crate) const fn may_transmit(&self) -> bool {
        self.state.may_send() || matches!(self.state, State::FinWait1 | State::Closing | State::LastAck)
    }

    /// TSval: our clock in milliseconds, moved by the connection's offset (RFC 7323 §5.4).
    pub(crate) fn timestamp_clock(&self, now: Instant) -> u32 {
        (now.as_millis() as u32).wrapping_add(self.timestamp_offset)
    }

    /// The round trip that an echoed timestamp tells (RFC 7323 §4.1).
    pub(crate) fn echo_rtt(&self, now: Instant, stamps: Option<Timestamps>) -> Option<Duration> {
        let echo = stamps.filter(|stamps| self.timestamps && stamps.echo != 0)?.echo;
        let millis = self.timestamp_clock(now).wrapping_sub(echo);
        // An echo from the future, or older than any segment can be, is no round trip.
        (millis < 1 << 24).then(|| Duration::from_millis(millis.into()))
    }

    /// Owes the peer an ACK because a segment was wrong, or to challenge it. Segments without data get at most one in
    /// [`INVALID_REPLY_INTERVAL`], counted for this connection alone (RFC 5961 §7, CVE-2016-5696), so that two
    /// desynchronized ends do not answer each other for ever.
    pub(crate) fn reply_to_invalid(&mut self, now: Instant, carries_data: bool) {
        if !carries_data {
            let tick = Tick::at(now);
            if self.last_invalid_reply.is_some_and(|last| tick.elapsed_since(last) < INVALID_REPLY_INTERVAL) {
                return;
            }
            self.last_invalid_reply = Some(tick);
        }
        self.due.ack = true;
    }

    pub(crate) fn check_invariants(&self, config: &Config) {
        if self.state.holds() {
            self.snd.check_invariants();
        }
        self.rto.check_invariants(config);
        self.recovery.check_invariants(self.snd.una, self.snd.nxt);
        self.congestion.check_invariants(self.snd.mss.into());
        match self.state {
            State::Closed | State::TimeWait => {
                assert!(self.timers.next_timeout().is_none(), "a timer runs in {:?}", self.state);
                assert!(self.state == State::TimeWait || self.ended.is_some(), "closed without a reason");
            }
            State::SynSent | State::SynReceived => {
                assert!(!self.snd.fin, "a FIN before the connection is open");
                assert!(self.due.syn || self.timers.is_set(Timer::Retransmit), "a SYN without a timer");
            }
            _ => {
                self.rcv.check_invariants();
                self.check_no_silence();
            }
        }
        let has_closed = self.state.has_closed();
        assert!(has_closed == self.snd.fin || self.state == State::Closed, "FIN and {:?} disagree", self.state);
        assert!(self.state != State::FinWait2 || self.snd.is_fin_acked(), "FIN-WAIT-2 with an unacknowledged FIN");
        assert!(self.state != State::FinWait1 || !self.snd.is_fin_acked(), "FIN-WAIT-1 with an acknowledged FIN");
    }

    /// What is sent and unacknowledged always has a timer: no connection waits for ever for nothing.
    fn check_no_silence(&self) {
        let waits = self.snd.flight() > 0;
        let has_timer = self.timers.is_set(Timer::Retransmit) || self.timers.is_set(Timer::Persist);
        assert!(!waits || has_timer, "in flight without a timer: {self:?}");
    }
}
