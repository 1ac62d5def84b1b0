//! How much data may go now: the windows, Nagle (RFC 9293 §3.7.4), the sender's side of the silly window rule (§3.8.6.2.1).

use wirewright_units::Instant;
use wirewright_wire::tcp::Flags;

use super::{Kind, Plan, SUPER_SEGMENT_BYTES_MAX};
use crate::Config;
use crate::connection::Tcb;
use crate::ticks::Tick;

/// The next data from `rxt` on, as one segment or a super-segment; the FIN behind it, when it is its turn.
pub(super) fn plan_data(tcb: &Tcb, config: &Config) -> Option<Plan> {
    if !tcb.may_transmit() {
        return None;
    }
    let snd = &tcb.snd;
    let mss = u32::from(tcb.segment_size());
    let allowance = tcb.congestion.cwnd().saturating_add(tcb.recovery.limited_transmit(mss));
    let edge = snd.edge().min(snd.una.plus(allowance.into()));
    let usable = edge.steps_since(snd.rxt);
    let waiting = snd.buffer.end().steps_since(snd.rxt);
    let most = SUPER_SEGMENT_BYTES_MAX / mss * mss;
    let fits = waiting.min(usable).min(most.max(mss));
    let text_len = whole_segments(tcb, config, fits, waiting, mss);
    let is_all = text_len == waiting;
    let sends_fin = snd.fin && is_all && snd.rxt <= snd.buffer.end() && usable > text_len;
    if text_len == 0 && !sends_fin {
        return None;
    }
    let mut flags = Flags::ACK;
    if is_all && text_len > 0 {
        // RFC 9293 MUST-61: the last of what was written carries PSH.
        flags |= Flags::PSH;
    }
    if sends_fin {
        flags |= Flags::FIN;
    }
    Some(Plan { seq: snd.rxt, text_len, flags, kind: Kind::Data })
}

/// Cuts `fits` to what may go: whole segments always; a smaller rest only when a rule lets it.
fn whole_segments(tcb: &Tcb, config: &Config, fits: u32, waiting: u32, mss: u32) -> u32 {
    let rest = fits % mss;
    if rest == 0 {
        return fits;
    }
    let snd = &tcb.snd;
    let is_idle = snd.rxt == snd.una;
    let may_go = if snd.rxt < snd.nxt {
        // It was sent before: both rules are about new data.
        true
    } else if fits == waiting {
        // The end of the data. Nagle: not while something is in flight, unless it is the very end.
        !config.nagle || is_idle || snd.fin
    } else {
        // The window ends here. Not for less than half of the largest window ever offered.
        fits < mss && is_idle && u64::from(fits) * 2 >= u64::from(snd.wnd_max.get())
    };
    if may_go || (tcb.due.small && is_idle) { fits } else { fits - rest }
}

/// The first unacknowledged segment once more; never anything that was not sent.
pub(super) fn plan_head(tcb: &Tcb) -> Option<Plan> {
    let snd = &tcb.snd;
    if !tcb.may_transmit() {
        return None;
    }
    let sent = snd.nxt.steps_since(snd.una);
    let text_len = snd.buffer.end().steps_since(snd.una).min(sent).min(tcb.segment_size().into());
    let is_end = snd.una.plus(text_len.into()) == snd.buffer.end();
    let sends_fin = snd.fin && is_end && sent > text_len;
    if text_len == 0 && !sends_fin {
        return None;
    }
    let flags = if sends_fin { Flags::ACK | Flags::FIN } else { Flags::ACK };
    Some(Plan { seq: snd.una, text_len, flags, kind: Kind::Head })
}

/// RFC 9293 §3.8.6.1: at least one octet of new data, or the FIN, into the closed window.
pub(super) fn plan_probe(tcb: &Tcb) -> Option<Plan> {
    let snd = &tcb.snd;
    if !tcb.may_transmit() || !snd.has_unfinished() {
        return None;
    }
    let text_len = u32::from(snd.una < snd.buffer.end());
    let flags = if text_len == 0 { Flags::ACK | Flags::FIN } else { Flags::ACK };
    Some(Plan { seq: snd.una, text_len, flags, kind: Kind::Probe })
}

/// RFC 5681 §4.1: after an idle time of one time-out, the window is at most the initial one.
pub(super) fn restart_after_idle(tcb: &mut Tcb, config: &Config, now: Instant) {
    if tcb.snd.flight() == 0 && tcb.snd.has_unfinished() {
        let idle = Tick::at(now).elapsed_since(tcb.last_sent);
        if idle > tcb.rto.current(config) {
            tcb.congestion.on_idle(tcb.snd.mss.into());
        }
    }
}
