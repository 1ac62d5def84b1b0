//! TIME-WAIT: RFC 9293 §3.10.7.4, RFC 1337, RFC 6191. Small, because a busy host has very many.

use wirewright_units::Instant;
use wirewright_wire::tcp::{Flags, OptionsBuf, Timestamps};
use wirewright_wire::{SeqLen, SeqNum, WindowField};

use crate::segment_arrives::INVALID_REPLY_INTERVAL;
use crate::ticks::Tick;
use crate::{Connection, Discard, Next, Outgoing, Ports, Segment, Verdict};

/// A 4-tuple that waits until the segments of its last connection have died out.
#[derive(Debug)]
pub struct TimeWait {
    clock: Instant,
    deadline: Tick,
    /// 2 MSL, in milliseconds.
    lasts_ms: u32,
    ports: Ports,
    snd_nxt: SeqNum,
    rcv_nxt: SeqNum,
    ts_recent: u32,
    timestamp_offset: u32,
    window: WindowField,
    timestamps: bool,
    ack_due: bool,
    last_invalid_reply: Option<Tick>,
}

const _: () = assert!(size_of::<TimeWait>() <= 64, "TIME-WAIT has a budget (DESIGN.md)");

impl TimeWait {
    /// What a connection leaves behind.
    pub(crate) fn new(now: Instant, conn: &mut Connection) -> Self {
        let window = conn.tcb.rcv.offer(conn.config.mss);
        let tcb = &conn.tcb;
        let lasts = conn.config.msl.saturating_mul(2);
        Self {
            clock: now,
            deadline: Tick::after(now, lasts),
            lasts_ms: u32::try_from(lasts.as_millis()).unwrap_or(u32::MAX),
            ports: conn.ports,
            snd_nxt: tcb.snd.nxt.seq(),
            rcv_nxt: tcb.rcv.nxt.seq(),
            ts_recent: tcb.rcv.ts_recent,
            timestamp_offset: tcb.timestamp_offset,
            window,
            timestamps: tcb.timestamps,
            ack_due: tcb.due.ack,
            last_invalid_reply: None,
        }
    }

    /// SEGMENT ARRIVES in TIME-WAIT.
    pub fn handle_segment(&mut self, now: Instant, seg: &Segment<'_>) -> (Verdict, Next) {
        let now = self.advance(now);
        if seg.flags.rst() {
            // RFC 1337, fix (F1): a reset does not end TIME-WAIT.
            return (Verdict::Discarded(Discard::ResetInTimeWait), Next::Stay);
        }
        if seg.flags.syn() && !seg.flags.ack() && self.is_new_incarnation(seg) {
            // RFC 9293 MAY-2: the new initial number lies beyond all of the old connection's.
            return (Verdict::Accepted, Next::Reopen { iss_min: self.snd_nxt + SeqLen::new(1 << 16) });
        }
        if !seg.flags.syn() && self.is_paws_failure(seg) {
            self.reply(now, !seg.is_empty());
            return (Verdict::Discarded(Discard::OldTimestamp), Next::Stay);
        }
        if seg.flags.fin() && seg.seq + seg.len() == self.rcv_nxt {
            // "The only thing that can arrive in this state is a retransmission of the remote FIN. Acknowledge it, and
            // restart the 2 MSL timeout."
            self.deadline = Tick::after(now, core::time::Duration::from_millis(self.lasts_ms.into()));
            self.ack_due = true;
            return (Verdict::Accepted, Next::Stay);
        }
        if seg.is_empty() && seg.seq == self.rcv_nxt {
            // An acknowledgment of what we know to have arrived.
            return (Verdict::Accepted, Next::Stay);
        }
        self.reply(now, !seg.text.is_empty());
        (Verdict::Discarded(Discard::OutOfWindow), Next::Stay)
    }

    /// 2 MSL have passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Next {
        let now = self.advance(now);
        if Tick::at(now).since(self.deadline) >= 0 { Next::Gone } else { Next::Stay }
    }

    /// The acknowledgment that is due: `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing<'static>> {
        let now = self.advance(now);
        if !core::mem::take(&mut self.ack_due) {
            return None;
        }
        let mut options = OptionsBuf::new();
        if self.timestamps {
            let value = (now.as_millis() as u32).wrapping_add(self.timestamp_offset);
            options.timestamps(Timestamps { value, echo: self.ts_recent });
        }
        Some(Outgoing::control(self.ports, self.snd_nxt, self.rcv_nxt, Flags::ACK, self.window, options))
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
        assert!(self.deadline.since(Tick::at(self.clock)) <= self.lasts_ms as i32 + 1, "longer than 2 MSL");
    }

    /// RFC 6191: a SYN with a newer timestamp, or without timestamps one whose number lies beyond all received.
    fn is_new_incarnation(&self, seg: &Segment<'_>) -> bool {
        match seg.options.timestamps.filter(|_| self.timestamps) {
            Some(stamps) => {
                let newer = stamps.value.wrapping_sub(self.ts_recent) as i32;
                newer > 0 || (newer == 0 && seg.seq.after(self.rcv_nxt))
            }
            None => seg.seq.after(self.rcv_nxt),
        }
    }

    fn is_paws_failure(&self, seg: &Segment<'_>) -> bool {
        self.timestamps
            && seg.options.timestamps.is_some_and(|stamps| (stamps.value.wrapping_sub(self.ts_recent) as i32) < 0)
    }

    fn reply(&mut self, now: Instant, carries_data: bool) {
        let tick = Tick::at(now);
        let is_soon = self.last_invalid_reply.is_some_and(|last| tick.elapsed_since(last) < INVALID_REPLY_INTERVAL);
        if carries_data || !is_soon {
            self.last_invalid_reply = Some(tick);
            self.ack_due = true;
        }
    }

    fn advance(&mut self, now: Instant) -> Instant {
        self.clock = self.clock.max(now);
        self.clock
    }
}
