//! Seventh: the segment text (RFC 9293 §3.10.7.4), and when it is acknowledged.

use super::Arrival;
use crate::event::Events;
use crate::position::Pos;
use crate::timers::Timer;
use crate::{Connection, Discard, Ended};

pub(super) fn accept_text(conn: &mut Connection, arrival: &Arrival<'_>) -> Result<(), Discard> {
    if !conn.tcb.state.may_receive() {
        // After the peer's FIN: "This should not occur. Ignore the segment text."
        return Ok(());
    }
    if arrival.text.is_empty() {
        if arrival.was_duplicate {
            conn.tcb.due.ack = true;
        }
        return Ok(());
    }
    if conn.tcb.is_released {
        // RFC 9293 §3.6.1: data for a user who has closed both ways is lost, and the peer must hear of it.
        conn.end_with_reset(Ended::DataLost);
        return Err(Discard::UserGone);
    }
    let tcb = &mut conn.tcb;
    if tcb.rcv.fin < arrival.at.plus(arrival.text.len() as u64) {
        // A FIN that was noted behind a hole is none: its sender goes on behind it.
        tcb.rcv.fin = Pos::NONE;
    }
    let inserted = tcb.rcv.buffer.insert(tcb.rcv.nxt, arrival.at, arrival.text);
    let arrived = inserted.nxt.steps_since(tcb.rcv.nxt);
    tcb.rcv.nxt = inserted.nxt;
    if arrived > 0 {
        tcb.events.raise(Events::READABLE);
    }
    let segment_size = arrival.seg.meta.segment_size.unwrap_or(u16::MAX).min(conn.config.mss);
    let one_segment = u16::try_from(arrival.text.len()).unwrap_or(u16::MAX).min(segment_size);
    // RFC 5681 §4.2: out of order, filling a hole, or again: acknowledge at once.
    if tcb.rcv.delayed_ack.on_text(arrived, one_segment) || inserted.out_of_order || arrival.was_duplicate {
        tcb.due.ack = true;
    } else {
        tcb.timers.set_if_idle(Timer::DelayedAck, conn.config.ack_delay_max);
    }
    Ok(())
}
