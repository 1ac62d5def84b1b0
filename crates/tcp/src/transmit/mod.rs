//! What goes out, when, and how much at once.
//!
//! In: what is due, the windows, the buffers.
//! Out: one [`Outgoing`] a call: header template, slices, segment size.
//! Above: stack, hand. Below: `snd`, `rcv`, `congestion`.
//! Not here: why something is due (`segment_arrives`, `timeouts`, `user_calls`).

mod data;
pub(crate) mod hook;
mod outgoing;

use wirewright_units::Instant;
use wirewright_wire::tcp::{Flags, OptionsBuf, Timestamps};
use wirewright_wire::{SeqNum, WindowScale};

pub use outgoing::{Outgoing, SUPER_SEGMENT_BYTES_MAX};

use crate::connection::{State, Tcb};
use crate::position::Pos;
use crate::rcv::Rcv;
use crate::ticks::Tick;
use crate::timers::Timer;
use crate::{Config, Connection};

/// One segment or super-segment of this connection, decided and not yet written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seq: Pos,
    pub(crate) text_len: u32,
    pub(crate) flags: Flags,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Syn,
    /// From `rxt` on: new, or again after a time-out.
    Data,
    /// The first unacknowledged segment again.
    Head,
    /// Into a closed window.
    Probe,
    /// `<SEQ=SND.NXT-1>` without text.
    Keepalive,
    Ack,
}

impl Plan {
    /// Behind the sequence space that it takes.
    fn end(&self) -> Pos {
        let controls = u64::from(self.flags.syn()) + u64::from(self.flags.fin());
        self.seq.plus(u64::from(self.text_len) + controls)
    }
}

impl Connection {
    /// The next segment to send, until there is none. The connection counts it as sent.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing<'_>> {
        let now = self.tcb.timers.advance(now);
        if let Some(seq) = self.tcb.due.reset.take() {
            return Some(Outgoing::reset(self.ports, seq, None));
        }
        let Some(plan) = choose(&mut self.tcb, &self.config, now) else {
            arm_persist(&mut self.tcb, &self.config);
            return None;
        };
        note_sent(&mut self.tcb, &self.config, now, &plan);
        Some(self.outgoing(now, &plan))
    }

    fn outgoing(&mut self, now: Instant, plan: &Plan) -> Outgoing<'_> {
        let options = options(&self.tcb, &self.config, now, plan);
        let window = if plan.flags.syn() {
            Rcv::window_of_syn(self.config.receive_bytes_max)
        } else {
            self.tcb.rcv.offer(self.config.mss)
        };
        let tcb = &self.tcb;
        let ack = if plan.flags.ack() { tcb.rcv.nxt.seq() } else { SeqNum::new(0) };
        let mut out = Outgoing::control(self.ports, plan.seq.seq(), ack, plan.flags, window, options);
        if tcb.snd.up > plan.seq && plan.text_len > 0 {
            out.set_urgent(tcb.snd.up.since(plan.seq));
        }
        out.with_text(tcb.snd.buffer.slices(plan.seq, plan.text_len), tcb.segment_size())
    }
}

/// What is most pressing.
fn choose(tcb: &mut Tcb, config: &Config, now: Instant) -> Option<Plan> {
    let ack = |tcb: &Tcb| Plan { seq: tcb.ack_seq(), text_len: 0, flags: Flags::ACK, kind: Kind::Ack };
    match tcb.state {
        State::Closed | State::TimeWait => return None,
        State::SynSent | State::SynReceived => {
            if core::mem::take(&mut tcb.due.syn) {
                let flags = if tcb.state == State::SynSent { Flags::SYN } else { Flags::SYN | Flags::ACK };
                return Some(Plan { seq: tcb.snd.una, text_len: 0, flags, kind: Kind::Syn });
            }
            let answers = tcb.state == State::SynReceived && tcb.due.ack;
            return answers.then(|| ack(tcb));
        }
        _ => {}
    }
    if core::mem::take(&mut tcb.due.head)
        && let Some(plan) = data::plan_head(tcb)
    {
        return Some(plan);
    }
    if core::mem::take(&mut tcb.due.probe)
        && let Some(plan) = data::plan_probe(tcb)
    {
        return Some(plan);
    }
    data::restart_after_idle(tcb, config, now);
    if let Some(plan) = data::plan_data(tcb, config) {
        tcb.due.small = false;
        return Some(plan);
    }
    if core::mem::take(&mut tcb.due.keepalive) {
        let seq = tcb.snd.nxt.minus(1);
        return Some(Plan { seq, text_len: 0, flags: Flags::ACK, kind: Kind::Keepalive });
    }
    let window_opens = tcb.state.may_receive() && tcb.rcv.is_update_due(config.mss);
    (tcb.due.ack || window_opens).then(|| ack(tcb))
}

/// Data waits and cannot go: a timer will probe the window, or overrule the silly window rule (RFC 9293 §3.8.6.1,
/// §3.8.6.2.1). While the window is closed it takes the place of the retransmission timer, also for data in flight.
fn arm_persist(tcb: &mut Tcb, config: &Config) {
    if !tcb.may_transmit() || !tcb.snd.has_unfinished() {
        tcb.timers.stop(Timer::Persist);
        return;
    }
    let is_closed = tcb.snd.wnd.get() == 0;
    if !is_closed && tcb.snd.flight() > 0 {
        return;
    }
    if is_closed {
        tcb.timers.stop(Timer::Retransmit);
    }
    if !tcb.timers.is_set(Timer::Persist) {
        if tcb.snd.flight() == 0 {
            tcb.stalled_since = tcb.last_heard;
        }
        let rto = tcb.rto.current(config);
        tcb.timers.set(Timer::Persist, rto);
    }
}

/// Counts a segment as sent.
fn note_sent(tcb: &mut Tcb, config: &Config, now: Instant, plan: &Plan) {
    let end = plan.end();
    if end > plan.seq {
        if plan.seq < tcb.snd.nxt {
            tcb.rto.on_retransmitted(plan.seq);
        } else {
            tcb.rto.on_sent(now, end);
        }
        if tcb.snd.flight() == 0 && !tcb.timers.is_set(Timer::Persist) {
            tcb.stalled_since = Tick::at(now);
        }
        tcb.snd.nxt = tcb.snd.nxt.max(end);
        let flight = tcb.snd.flight();
        if tcb.snd.una >= tcb.usage_end || flight > tcb.flight_max {
            tcb.flight_max = flight;
            tcb.usage_end = tcb.snd.nxt;
        }
        match plan.kind {
            Kind::Data => tcb.snd.rxt = end,
            Kind::Syn => tcb.snd.rxt = tcb.snd.nxt,
            _ => {}
        }
        tcb.last_sent = Tick::at(now);
        // RFC 6298 §5.1. A probe has the persist timer.
        if plan.kind != Kind::Probe {
            tcb.timers.stop(Timer::Persist);
            let rto = tcb.rto.current(config);
            tcb.timers.set_if_idle(Timer::Retransmit, rto);
        }
    }
    if plan.flags.ack() {
        tcb.due.ack = false;
        tcb.rcv.acked = tcb.rcv.nxt;
        tcb.rcv.delayed_ack.on_acked();
        tcb.timers.stop(Timer::DelayedAck);
    }
}

fn options(tcb: &Tcb, config: &Config, now: Instant, plan: &Plan) -> OptionsBuf {
    let mut options = OptionsBuf::new();
    let stamps =
        Timestamps { value: tcb.timestamp_clock(now), echo: if plan.flags.ack() { tcb.rcv.ts_recent } else { 0 } };
    if plan.kind == Kind::Syn {
        options.mss(config.mss);
        match (tcb.sack, tcb.timestamps) {
            (true, true) => options.sack_permitted_and_timestamps(stamps),
            (true, false) => options.sack_permitted(),
            (false, true) => options.timestamps(stamps),
            (false, false) => true,
        };
        // RFC 7323 §2.2: in the SYN,ACK only when the SYN had it.
        if tcb.scales {
            options.window_scale(WindowScale::clamped(config.receive_scale()));
        }
        return options;
    }
    if tcb.timestamps {
        options.timestamps(stamps);
    }
    if tcb.sack
        && let Some(ranges) = tcb.rcv.buffer.out_of_order()
    {
        options.sack(&ranges.sack_blocks(crate::SACK_BLOCKS_MAX));
    }
    options
}

impl Tcb {
    /// The sequence number of an acknowledgment without text.
    fn ack_seq(&self) -> Pos {
        match self.state {
            // The peer's window is not known yet, or is that of its SYN.
            State::SynSent | State::SynReceived => self.snd.nxt,
            _ => self.snd.acceptable(),
        }
    }

    /// Eff.snd.MSS (RFC 9293 §3.7.1, RFC 6691): what one segment carries, the options that it carries taken off.
    pub(crate) fn segment_size(&self) -> u16 {
        let stamps = if self.timestamps { 12 } else { 0 };
        let sack = match self.rcv.buffer.out_of_order().filter(|_| self.sack) {
            Some(ranges) => 4 + 8 * ranges.len().min(if self.timestamps { 3 } else { 4 }) as u16,
            None => 0,
        };
        self.snd.mss.saturating_sub(stamps + sack).max(1)
    }
}
