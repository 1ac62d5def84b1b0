//! Second: the RST bit (RFC 9293 §3.10.7.4 with RFC 5961 §3).

use wirewright_units::Instant;

use super::Arrival;
use crate::connection::State;
use crate::{Connection, Discard, Ended};

pub(super) fn check_rst(conn: &mut Connection, now: Instant, arrival: &Arrival<'_>) -> Result<(), Discard> {
    if !arrival.seg.flags.rst() {
        return Ok(());
    }
    let tcb = &mut conn.tcb;
    if arrival.seg.seq != tcb.rcv.nxt.seq() {
        // RFC 5961 §3.2, 3): in the window but not at its edge: challenge.
        tcb.reply_to_invalid(now, false);
        return Err(Discard::ResetNotExact);
    }
    let ended = match tcb.state {
        // Only an active opening gets here in SYN-RECEIVED; the passive one is a HalfOpen.
        State::SynReceived => Ended::Refused,
        // Both have closed; the peer does not wait for the end.
        State::Closing | State::LastAck => Ended::Finished,
        _ => Ended::ResetByPeer,
    };
    conn.end(ended);
    Ok(())
}
