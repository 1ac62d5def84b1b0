//! The passive SYN-RECEIVED: a SYN has come, our SYN,ACK is not acknowledged. As small as can be, because anybody can
//! make one.

use alloc::sync::Arc;
use core::time::Duration;

use wirewright_units::Instant;
use wirewright_wire::tcp::{Flags, OptionsBuf, Timestamps};
use wirewright_wire::{SeqLen, SeqNum, WindowField, WindowScale};

use crate::connection::Agreed;
use crate::rcv::Rcv;
use crate::ticks::{Micros, Tick};
use crate::{Config, Connection, Discard, InitialNumbers, Next, Outgoing, Ports, Segment, Verdict};

/// After so many time-outs in a row the half-open is gone: with a first one of one second 63 s, as in Linux.
const EXPIRIES_MAX: u8 = 6;

/// A connection that a peer has begun and not yet confirmed.
#[derive(Debug)]
pub struct HalfOpen {
    config: Arc<Config>,
    /// The latest time seen, and the time-out read against it.
    clock: Instant,
    deadline: Tick,
    sent_at: Micros,
    ports: Ports,
    iss: SeqNum,
    irs: SeqNum,
    ts_recent: u32,
    timestamp_offset: u32,
    agreed: Agreed,
    /// The SYN,ACK was sent more than once: its round trip is ambiguous.
    was_repeated: bool,
    was_sent: bool,
    /// Time-outs so far.
    expiries: u8,
    due: Due,
    /// The acknowledgment that a reset answers, while `due` says so.
    reset_seq: SeqNum,
    window: WindowField,
}

const _: () = assert!(size_of::<HalfOpen>() <= 96, "a half-open connection has a budget (DESIGN.md)");

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    SynAck,
    Ack,
    Reset,
}

impl HalfOpen {
    /// What a SYN becomes.
    pub(crate) fn new(now: Instant, config: Arc<Config>, syn: &Segment<'_>, numbers: InitialNumbers) -> Self {
        Self {
            agreed: Agreed::new(&config, &syn.options),
            clock: now,
            deadline: Tick::after(now, config.rto_initial),
            sent_at: Micros::at(now),
            ports: syn.ports,
            iss: numbers.iss,
            irs: syn.seq,
            ts_recent: syn.options.timestamps.map_or(0, |stamps| stamps.value),
            timestamp_offset: numbers.timestamp_offset,
            was_repeated: false,
            was_sent: false,
            expiries: 0,
            due: Due::SynAck,
            reset_seq: SeqNum::default(),
            window: syn.wnd,
            config,
        }
    }

    /// SEGMENT ARRIVES in SYN-RECEIVED (RFC 9293 §3.10.7.4).
    ///
    /// An acceptable ACK returns [`Next::Promote`]: the connection has processed the rest of the segment.
    pub fn handle_segment(&mut self, now: Instant, seg: &Segment<'_>) -> (Verdict, Next) {
        let now = self.advance(now);
        match self.checks(seg) {
            Ok(Step::Promote) => self.promote(now, seg),
            Ok(Step::BackToListen) => (Verdict::Accepted, Next::Gone),
            Err(reason) => (Verdict::Discarded(reason), Next::Stay),
        }
    }

    /// The checks in the RFC's order.
    fn checks(&mut self, seg: &Segment<'_>) -> Result<Step, Discard> {
        let flags = seg.flags;
        if seg.seq == self.irs && flags.syn() && !flags.ack() && !flags.rst() {
            // The SYN once more: our SYN,ACK was lost. The peer is there, so the time starts anew; and what it sent last
            // is what it wants echoed.
            self.due = Due::SynAck;
            self.deadline = Tick::after(self.clock, self.time_out());
            if let Some(stamps) = seg.options.timestamps {
                self.ts_recent = stamps.value;
            }
            return Err(Discard::DuplicateSyn);
        }
        let nxt = self.irs + SeqLen::ONE;
        let start = seg.seq.offset_from(nxt);
        let end = i64::from(start) + i64::from(seg.len().get());
        let window = i64::from(Rcv::window_of_syn(self.config.receive_bytes_max).to_raw());
        let is_inside = i64::from(start) < window && (end > 0 || start == 0);
        if !is_inside {
            if !flags.rst() {
                self.due = Due::Ack;
            }
            return Err(Discard::OutOfWindow);
        }
        if flags.rst() {
            if start != 0 {
                self.due = Due::Ack;
                return Err(Discard::ResetNotExact);
            }
            // Passive: back to LISTEN; "the user need not be informed".
            return Ok(Step::BackToListen);
        }
        if flags.syn() {
            // "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN state."
            return Ok(Step::BackToListen);
        }
        if !flags.ack() {
            return Err(Discard::AckMissing);
        }
        if seg.ack != self.iss + SeqLen::ONE {
            // <SEQ=SEG.ACK><CTL=RST>
            self.due = Due::Reset;
            self.reset_seq = seg.ack;
            return Err(Discard::AckNotOfOurSyn);
        }
        Ok(Step::Promote)
    }

    fn promote(&mut self, now: Instant, seg: &Segment<'_>) -> (Verdict, Next) {
        let numbers = InitialNumbers { iss: self.iss, timestamp_offset: self.timestamp_offset };
        let mut conn = Connection::from_half_open(now, self.config.clone(), self.ports, numbers, self.irs);
        conn.agree(now, self.agreed, self.ts_recent);
        conn.tcb.snd.set_window(self.window << WindowScale::ZERO, self.irs, self.iss);
        if self.was_repeated {
            // Its round trip is ambiguous, and RFC 6298 §5.7 and RFC 5681 §3.1 want to know.
            conn.tcb.rto.on_expiry();
        } else {
            conn.tcb.rto.sample(Micros::at(now).since(self.sent_at), &self.config);
        }
        let (verdict, next) = conn.handle_segment(now, seg);
        match next {
            Next::Gone => (verdict, Next::Gone),
            _ if conn.state() == crate::State::SynReceived => (verdict, Next::Stay),
            _ => (verdict, Next::Promote(conn)),
        }
    }

    /// The time-out has come: the SYN,ACK once more, or the end.
    pub fn handle_timeout(&mut self, now: Instant) -> Next {
        let now = self.advance(now);
        if Tick::at(now).since(self.deadline) < 0 {
            return Next::Stay;
        }
        self.expiries += 1;
        if self.expiries >= EXPIRIES_MAX {
            return Next::Gone;
        }
        self.due = Due::SynAck;
        self.deadline = Tick::after(now, self.time_out());
        Next::Stay
    }

    /// The next segment to send.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing<'static>> {
        let now = self.advance(now);
        let due = core::mem::replace(&mut self.due, Due::Nothing);
        let after_syn = self.iss + SeqLen::ONE;
        let irs_next = self.irs + SeqLen::ONE;
        match due {
            Due::Nothing => None,
            Due::Reset => Some(Outgoing::reset(self.ports, self.reset_seq, None)),
            Due::Ack => {
                let mut options = OptionsBuf::new();
                if self.agreed.timestamps {
                    options.timestamps(self.stamps(now));
                }
                Some(Outgoing::control(self.ports, after_syn, irs_next, Flags::ACK, self.our_window(), options))
            }
            Due::SynAck => {
                self.was_repeated = self.was_sent;
                if !self.was_sent {
                    self.was_sent = true;
                    self.sent_at = Micros::at(now);
                    self.deadline = Tick::after(now, self.config.rto_initial);
                }
                let options = self.syn_options(now);
                let flags = Flags::SYN | Flags::ACK;
                Some(Outgoing::control(self.ports, self.iss, irs_next, flags, self.our_window(), options))
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline.to_instant(self.clock))
    }

    /// The ports.
    #[must_use]
    pub const fn ports(&self) -> Ports {
        self.ports
    }

    /// Panics when something cannot be.
    ///
    /// # Panics
    /// On a bug of this crate.
    pub fn check_invariants(&self) {
        assert!(self.expiries < EXPIRIES_MAX, "given up and still here");
    }

    fn syn_options(&self, now: Instant) -> OptionsBuf {
        let mut options = OptionsBuf::new();
        options.mss(self.config.mss);
        match (self.agreed.sack, self.agreed.timestamps) {
            (true, true) => {
                options.sack_permitted_and_timestamps(self.stamps(now));
            }
            (true, false) => {
                options.sack_permitted();
            }
            (false, true) => {
                options.timestamps(self.stamps(now));
            }
            (false, false) => {}
        }
        // RFC 7323 §2.2: only when the SYN had it.
        if self.agreed.scale.is_some() {
            options.window_scale(WindowScale::clamped(self.config.receive_scale()));
        }
        options
    }

    fn stamps(&self, now: Instant) -> Timestamps {
        Timestamps { value: (now.as_millis() as u32).wrapping_add(self.timestamp_offset), echo: self.ts_recent }
    }

    fn our_window(&self) -> WindowField {
        Rcv::window_of_syn(self.config.receive_bytes_max)
    }

    /// RFC 6298 §5.5: doubled each time.
    fn time_out(&self) -> Duration {
        self.config.rto_initial.saturating_mul(1 << self.expiries.min(10)).min(self.config.rto_max)
    }

    fn advance(&mut self, now: Instant) -> Instant {
        self.clock = self.clock.max(now);
        self.clock
    }
}

/// What an acceptable segment leads to.
enum Step {
    Promote,
    BackToListen,
}
