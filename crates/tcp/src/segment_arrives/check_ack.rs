//! Fifth: the ACK field (RFC 9293 §3.10.7.4 with RFC 5961 §5).

use wirewright_units::Instant;
use wirewright_wire::{Window, WindowScale};

use super::Arrival;
use crate::connection::{State, Tcb};
use crate::event::Events;
use crate::position::Pos;
use crate::ticks::Tick;
use crate::timers::Timer;
use crate::{Config, Connection, Discard, Ended, Segment};

pub(super) fn check_ack(conn: &mut Connection, now: Instant, arrival: &Arrival<'_>) -> Result<(), Discard> {
    let seg = arrival.seg;
    if !seg.flags.ack() {
        return Err(Discard::AckMissing);
    }
    let ack = conn.tcb.snd.una.near(seg.ack);
    if conn.tcb.state == State::SynReceived {
        return complete_handshake(conn, now, seg, ack);
    }
    check_range(&mut conn.tcb, now, seg, ack)?;
    let advances = ack > conn.tcb.snd.una;
    if advances {
        on_new_ack(&mut conn.tcb, now, &conn.config, seg, ack);
    } else if is_duplicate(&conn.tcb, arrival, ack) {
        on_duplicate_ack(&mut conn.tcb);
    }
    update_window(&mut conn.tcb, now, seg, ack, advances);
    if conn.tcb.snd.is_fin_acked() {
        on_fin_acked(conn);
    }
    Ok(())
}

/// SYN-RECEIVED: only an acknowledgment of our SYN leads on.
fn complete_handshake(conn: &mut Connection, now: Instant, seg: &Segment<'_>, ack: Pos) -> Result<(), Discard> {
    let tcb = &mut conn.tcb;
    if !(tcb.snd.una < ack && ack <= tcb.snd.nxt) {
        // <SEQ=SEG.ACK><CTL=RST>
        tcb.due.reset = Some(seg.ack);
        return Err(Discard::AckNotOfOurSyn);
    }
    let syn_was_lost = tcb.rto.expiries > 0;
    tcb.snd.on_ack(ack);
    // No echo: where the SYN went twice, a listener may echo the first one's stamp, which would measure our time-out
    // (RFC 7323 §4.3, Karn).
    tcb.rto.on_ack(now, ack, None, &conn.config);
    tcb.timers.stop(Timer::Retransmit);
    tcb.due.syn = false;
    let wnd = scaled_window(tcb, seg);
    tcb.snd.set_window(wnd, seg.seq, seg.ack);
    conn.enter_established(now, syn_was_lost);
    Ok(())
}

/// RFC 5961 §5.2: SND.UNA − MAX.SND.WND ≤ SEG.ACK ≤ SND.NXT.
fn check_range(tcb: &mut Tcb, now: Instant, seg: &Segment<'_>, ack: Pos) -> Result<(), Discard> {
    let reason = if ack > tcb.snd.nxt {
        Discard::AckOfUnsent
    } else if tcb.snd.una.since(ack) > u64::from(tcb.snd.wnd_max.get()) {
        Discard::AckTooOld
    } else {
        return Ok(());
    };
    tcb.reply_to_invalid(now, !seg.text.is_empty());
    Err(reason)
}

/// SND.UNA moves on.
fn on_new_ack(tcb: &mut Tcb, now: Instant, config: &Config, seg: &Segment<'_>, ack: Pos) {
    let mss = u32::from(tcb.snd.mss);
    // A sender that had not filled half of its window learns nothing about it (RFC 7661). What counts is what flew, not
    // what still flies: acknowledgments come in batches.
    let was_limited = tcb.flight_max >= tcb.congestion.cwnd() / 2;
    let acked = ack.steps_since(tcb.snd.una);
    let had_room = tcb.snd.buffer.room() > 0;
    let echo = tcb.echo_rtt(now, seg.options.timestamps);

    tcb.snd.on_ack(ack);
    tcb.rto.on_ack(now, ack, echo, config);
    tcb.stalled_since = Tick::at(now);
    let wanted = tcb.recovery.on_ack(acked, tcb.snd.una, tcb.snd.nxt, mss, was_limited, &mut tcb.congestion);
    tcb.due.head = wanted.retransmit_head;
    if tcb.snd.flight() == 0 {
        // RFC 6298 §5.2.
        tcb.timers.stop(Timer::Retransmit);
    } else if wanted.restart_timer && tcb.timers.is_set(Timer::Retransmit) {
        // RFC 6298 §5.3.
        let rto = tcb.rto.current(config);
        tcb.timers.set(Timer::Retransmit, rto);
    }
    if !had_room && tcb.snd.buffer.room() > 0 {
        tcb.events.raise(Events::WRITABLE);
    }
}

/// RFC 5681 §2: data is outstanding, no text, no SYN or FIN, the same acknowledgment, the same window.
fn is_duplicate(tcb: &Tcb, arrival: &Arrival<'_>, ack: Pos) -> bool {
    let seg = arrival.seg;
    ack == tcb.snd.una
        && tcb.snd.flight() > 0
        && seg.is_empty()
        && tcb.snd.wnd > Window::ZERO
        && scaled_window(tcb, seg) == tcb.snd.wnd
}

fn on_duplicate_ack(tcb: &mut Tcb) {
    let mss = u32::from(tcb.snd.mss);
    if tcb.recovery.on_duplicate_ack(tcb.snd.una, tcb.snd.nxt, mss, &mut tcb.congestion) {
        tcb.due.head = true;
    }
}

/// SND.WND, unless the segment is older than the one that last set it.
///
/// Beside the RFC's test on SEG.SEQ and SEG.ACK, an acknowledgment that moves SND.UNA always counts: SND.WND is an offset
/// from SND.UNA, and the old one from the new place would reach further than the peer ever allowed. Linux does the same.
fn update_window(tcb: &mut Tcb, now: Instant, seg: &Segment<'_>, ack: Pos, advances: bool) {
    if tcb.timers.is_set(Timer::Persist) {
        // RFC 9293 MUST-37: while the peer answers, its window may stay closed.
        tcb.rto.on_sign_of_life();
        tcb.stalled_since = Tick::at(now);
    }
    let snd = &tcb.snd;
    let is_newer = snd.wl1.before(seg.seq) || (snd.wl1 == seg.seq && snd.wl2.at_or_before(seg.ack));
    if ack < snd.una || !(is_newer || advances) {
        return;
    }
    let wnd = scaled_window(tcb, seg);
    tcb.snd.set_window(wnd, seg.seq, seg.ack);
    if wnd > Window::ZERO && tcb.timers.is_set(Timer::Persist) {
        // What went into the closed window was probably thrown away: it is sent again.
        tcb.timers.stop(Timer::Persist);
        tcb.snd.rxt = tcb.snd.una;
        tcb.due.probe = false;
    }
}

fn scaled_window(tcb: &Tcb, seg: &Segment<'_>) -> Window {
    let scale = if seg.flags.syn() { WindowScale::ZERO } else { tcb.snd.scale };
    seg.wnd << scale
}

/// Our FIN is acknowledged.
fn on_fin_acked(conn: &mut Connection) {
    match conn.tcb.state {
        State::FinWait1 => {
            conn.tcb.state = State::FinWait2;
            if conn.tcb.is_released {
                conn.tcb.timers.set(Timer::FinWait2, conn.config.fin_wait_2_max);
            }
        }
        State::Closing => conn.enter_time_wait(),
        State::LastAck => conn.end(Ended::Finished),
        _ => {}
    }
}
