//! RFC 9293 §3.10.7.3: SYN-SENT.

use wirewright_units::Instant;
use wirewright_wire::WindowScale;

use super::{Arrival, text_and_fin};
use crate::connection::State;
use crate::position::Pos;
use crate::rcv::Rcv;
use crate::timers::Timer;
use crate::{Connection, Discard, Ended, Segment};

/// An answer to something older than our SYN is followed at once by a new SYN, so often at most. (The peer holds an old
/// connection with our 4-tuple; our reset frees it. Without the repetition that would cost a time-out.)
const SYN_REPEATS_MAX: u8 = 3;

pub(super) fn process(conn: &mut Connection, now: Instant, seg: &Segment<'_>) -> Result<(), Discard> {
    let ack = check_ack(conn, seg)?;
    check_rst(conn, seg, ack)?;
    if conn.tcb.state == State::Closed {
        return Ok(());
    }
    if !seg.flags.syn() {
        // Fifth.
        return Err(Discard::NeitherSynNorRst);
    }
    synchronize(conn, now, seg);
    match ack {
        Some(ack) => open(conn, now, seg, ack),
        None => {
            // SYNs crossed: SYN-RECEIVED, <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>. Text that came along is sent again.
            conn.tcb.state = State::SynReceived;
            conn.tcb.due.syn = true;
            Ok(())
        }
    }
}

/// First: the ACK bit. Returns the acknowledged place when it is acceptable, `None` without ACK.
fn check_ack(conn: &mut Connection, seg: &Segment<'_>) -> Result<Option<Pos>, Discard> {
    if !seg.flags.ack() {
        return Ok(None);
    }
    let tcb = &mut conn.tcb;
    let ack = tcb.snd.una.near(seg.ack);
    if tcb.snd.una < ack && ack <= tcb.snd.nxt {
        return Ok(Some(ack));
    }
    if seg.flags.rst() {
        return Err(Discard::ResetNotForUs);
    }
    tcb.due.reset = Some(seg.ack);
    if tcb.syn_repeats < SYN_REPEATS_MAX {
        tcb.syn_repeats += 1;
        tcb.due.syn = true;
    }
    Err(Discard::AckNotOfOurSyn)
}

/// Second: the RST bit.
fn check_rst(conn: &mut Connection, seg: &Segment<'_>, ack: Option<Pos>) -> Result<(), Discard> {
    match (seg.flags.rst(), ack) {
        (false, _) => Ok(()),
        (true, Some(_)) => {
            conn.end(Ended::Refused);
            Ok(())
        }
        (true, None) => Err(Discard::ResetNotForUs),
    }
}

/// Fourth: the SYN bit. IRS, RCV.NXT, the options, and the window, which a SYN never scales.
fn synchronize(conn: &mut Connection, now: Instant, seg: &Segment<'_>) {
    let agreed = crate::connection::Agreed::new(&conn.config, &seg.options);
    conn.tcb.rcv = Rcv::synchronized(seg.seq, conn.config.receive_bytes_max);
    conn.agree(now, agreed, seg.options.timestamps.map_or(0, |stamps| stamps.value));
    conn.tcb.snd.set_window(seg.wnd << WindowScale::ZERO, seg.seq, seg.ack);
}

/// Our SYN was acknowledged: ESTABLISHED, and the rest of the segment.
fn open(conn: &mut Connection, now: Instant, seg: &Segment<'_>, ack: Pos) -> Result<(), Discard> {
    let tcb = &mut conn.tcb;
    let syn_was_lost = tcb.rto.expiries > 0;
    tcb.snd.on_ack(ack);
    // No echo: where the SYN went twice, a listener may echo the first one's stamp, which would measure our time-out
    // (RFC 7323 §4.3, Karn).
    tcb.rto.on_ack(now, ack, None, &conn.config);
    tcb.timers.stop(Timer::Retransmit);
    tcb.due.syn = false;
    tcb.due.ack = true;
    let at = tcb.rcv.nxt;
    let room = tcb.rcv.wnd() as usize;
    let text = &seg.text[..seg.text.len().min(room)];
    let is_whole = text.len() == seg.text.len();
    let fin = (seg.flags.fin() && is_whole).then(|| at.plus(text.len() as u64));
    conn.enter_established(now, syn_was_lost);
    let arrival = Arrival { seg, at, text, fin, was_duplicate: false, only_ack: None };
    text_and_fin(conn, &arrival)
}
