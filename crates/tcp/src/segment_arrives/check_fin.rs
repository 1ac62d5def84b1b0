//! Eighth: the FIN bit (RFC 9293 §3.10.7.4).

use super::Arrival;
use crate::Connection;
use crate::connection::State;
use crate::event::Events;

pub(super) fn check_fin(conn: &mut Connection, arrival: &Arrival<'_>) {
    let tcb = &mut conn.tcb;
    if !tcb.state.may_receive() {
        // In CLOSE-WAIT, CLOSING and LAST-ACK a FIN changes nothing.
        return;
    }
    if let Some(fin) = arrival.fin {
        // It may stand behind a hole; it counts when everything before it has come. In front of text that has come it
        // contradicts its own sender, and is passed over.
        if fin >= tcb.rcv.nxt && !tcb.rcv.buffer.has_beyond(fin) {
            tcb.rcv.fin = fin;
        }
        tcb.due.ack = true;
    }
    if tcb.rcv.fin != tcb.rcv.nxt {
        return;
    }
    tcb.rcv.nxt = tcb.rcv.nxt.plus(1);
    tcb.rcv.edge = tcb.rcv.edge.max(tcb.rcv.nxt);
    tcb.due.ack = true;
    tcb.events.raise(Events::PEER_CLOSING);
    match tcb.state {
        State::Established => tcb.state = State::CloseWait,
        // Our FIN is not acknowledged, or the fifth check would have moved us on.
        State::FinWait1 => tcb.state = State::Closing,
        State::FinWait2 => conn.enter_time_wait(),
        _ => {}
    }
}
