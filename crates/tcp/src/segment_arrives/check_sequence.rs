//! First: the sequence number (RFC 9293 §3.10.7.4), and before it PAWS (RFC 7323 §5).

use core::time::Duration;

use wirewright_units::Instant;

use super::Arrival;
use crate::connection::Tcb;
use crate::position::Pos;
use crate::rcv::Rcv;
use crate::ticks::Tick;
use crate::{Discard, Segment};

/// RFC 7323 §5.5: after this long without a segment, TS.Recent means nothing any more.
const TS_RECENT_AGE_MAX: Duration = Duration::from_secs(24 * 24 * 3600);

/// Judges where the segment lies and cuts it to the window.
pub(super) fn check_sequence<'s>(tcb: &mut Tcb, now: Instant, seg: &'s Segment<'s>) -> Result<Arrival<'s>, Discard> {
    check_timestamps(tcb, now, seg)?;
    let place = Place::of(&tcb.rcv, seg);
    if place.is_acceptable(&tcb.rcv) {
        return Ok(cut(&tcb.rcv, seg, place));
    }
    if seg.flags.rst() {
        // RFC 5961 §3.2: a reset outside the window is dropped in silence.
        return Err(Discard::OutOfWindow);
    }
    tcb.reply_to_invalid(now, !seg.text.is_empty() || seg.flags.fin());
    let only_ack =
        |reason| Arrival { seg, at: tcb.rcv.nxt, text: &[], fin: None, was_duplicate: false, only_ack: Some(reason) };
    if place.start == tcb.rcv.nxt {
        // "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to accept valid
        // ACKs, URGs, and RSTs."
        return Ok(only_ack(Discard::WindowClosed));
    }
    if place.end == tcb.rcv.nxt && seg.flags.ack() {
        // The last segment once more, but perhaps with a newer acknowledgment. If both ends refused that, two of them
        // in the same situation would answer each other for ever (draft-gont-tcpm-tcp-seq-validation): SYN,ACKs that
        // crossed, FINs that crossed, window probes that crossed.
        return Ok(only_ack(Discard::OutOfWindow));
    }
    Err(Discard::OutOfWindow)
}

/// RFC 7323 §5.3 R1, and §3.2 for a segment without the option.
fn check_timestamps(tcb: &mut Tcb, now: Instant, seg: &Segment<'_>) -> Result<(), Discard> {
    if !tcb.timestamps || seg.flags.rst() {
        return Ok(());
    }
    let Some(stamps) = seg.options.timestamps else {
        return Err(Discard::TimestampMissing);
    };
    let is_older = (stamps.value.wrapping_sub(tcb.rcv.ts_recent) as i32) < 0;
    if is_older && !is_ts_recent_stale(&tcb.rcv, now) {
        tcb.reply_to_invalid(now, !seg.is_empty());
        return Err(Discard::OldTimestamp);
    }
    Ok(())
}

/// RFC 7323 §4.3 (2): only a segment that the last acknowledgment called for moves TS.Recent. Done when the segment has
/// passed all checks: a forged one that RFC 5961 §5 refuses does not leave its timestamp behind.
pub(super) fn note_timestamp(tcb: &mut Tcb, now: Instant, seg: &Segment<'_>) {
    if let Some(stamps) = seg.options.timestamps.filter(|_| tcb.timestamps) {
        // That it is not older was checked.
        if tcb.rcv.nxt.near(seg.seq) <= tcb.rcv.acked {
            tcb.rcv.ts_recent = stamps.value;
            tcb.rcv.ts_recent_at = Tick::at(now);
        }
    }
}

fn is_ts_recent_stale(rcv: &Rcv, now: Instant) -> bool {
    Tick::at(now).elapsed_since(rcv.ts_recent_at) > TS_RECENT_AGE_MAX || Tick::at(now).since(rcv.ts_recent_at) < 0
}

/// Where a segment lies: from its first number (of the SYN, if it has one) to behind its last.
#[derive(Clone, Copy)]
struct Place {
    start: Pos,
    end: Pos,
}

impl Place {
    fn of(rcv: &Rcv, seg: &Segment<'_>) -> Self {
        let start = rcv.nxt.near(seg.seq);
        Self { start, end: start.plus(seg.len().get().into()) }
    }

    /// Table 6 of RFC 9293, with one thing added: a segment that reaches over both edges of the window is acceptable
    /// too, as a coalesced super-segment can be.
    fn is_acceptable(self, rcv: &Rcv) -> bool {
        match (self.end > self.start, rcv.wnd() > 0) {
            (false, false) => self.start == rcv.nxt,
            (false, true) => rcv.nxt <= self.start && self.start < rcv.edge,
            (true, false) => false,
            (true, true) => self.start < rcv.edge && rcv.nxt < self.end,
        }
    }
}

/// "Trimming off any portions that lie outside the window (including SYN and FIN)."
fn cut<'s>(rcv: &Rcv, seg: &'s Segment<'s>, place: Place) -> Arrival<'s> {
    let text_start = place.start.plus(u64::from(seg.flags.syn()));
    let text_end = text_start.plus(seg.text.len() as u64);
    let old = rcv.nxt.since(text_start) as usize;
    let beyond = text_end.since(rcv.edge) as usize;
    let kept_end = seg.text.len().saturating_sub(beyond);
    let text = &seg.text[old.min(kept_end)..kept_end];
    let fin = (seg.flags.fin() && text_end < rcv.edge && text_end >= rcv.nxt).then_some(text_end);
    Arrival { seg, at: text_start.max(rcv.nxt), text, fin, was_duplicate: old > 0 && !seg.is_empty(), only_ack: None }
}
