//! Sixth: the URG bit (RFC 9293 §3.10.7.4; RFC 6093: the pointer shows behind the urgent data).

use wirewright_wire::tcp::Flags;

use super::Arrival;
use crate::connection::Tcb;
use crate::event::Events;

/// RCV.UP ← max(RCV.UP, SEG.UP). The pointer is only ever told to the user; no length is taken from it.
pub(super) fn check_urg(tcb: &mut Tcb, arrival: &Arrival<'_>) {
    if !arrival.seg.flags.contains(Flags::URG) || !tcb.state.may_receive() {
        return;
    }
    let up = tcb.rcv.nxt.near(arrival.seg.seq).plus(arrival.seg.up.into());
    if up > tcb.rcv.up && up > tcb.rcv.buffer.read_at() {
        // RFC 9293 MUST-32: told when it begins to be pending, and when its end moves forward.
        tcb.rcv.up = up;
        tcb.events.raise(Events::URGENT);
    }
}
