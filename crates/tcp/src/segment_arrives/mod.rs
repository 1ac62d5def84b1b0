//! RFC 9293 §3.10.7: SEGMENT ARRIVES. One check a file, in the RFC's order.
//!
//! In: a segment for this connection.
//! Out: the connection's new state; what is due to be sent; the name of the check that refused it.
//! Above: `Connection::handle_segment`. Below: `snd`, `rcv`, `recovery`.
//! Not here: the sending itself (`transmit`), TIME-WAIT (`time_wait`), the passive SYN-RECEIVED (`half_open`).

mod accept_text;
mod check_ack;
mod check_fin;
mod check_rst;
mod check_sequence;
mod check_syn;
mod check_urg;
mod closed;
pub(crate) mod listen;
mod syn_sent;

use core::time::Duration;

use wirewright_units::Instant;

pub use closed::reset_for;

use crate::connection::State;
use crate::position::Pos;
use crate::ticks::Tick;
use crate::{Connection, Discard, Segment};

/// A segment without data that is wrong gets an ACK at most this often. Linux has the same half second.
pub(crate) const INVALID_REPLY_INTERVAL: Duration = Duration::from_millis(500);

/// A segment as the later checks see it: cut to what lies in the receive window.
#[derive(Debug)]
pub(crate) struct Arrival<'s> {
    pub(crate) seg: &'s Segment<'s>,
    /// Where `text` begins: at RCV.NXT or behind it.
    pub(crate) at: Pos,
    pub(crate) text: &'s [u8],
    /// Where its FIN stands, if it has one inside the window.
    pub(crate) fin: Option<Pos>,
    /// Octets in front of RCV.NXT were cut off: it is, in part, a duplicate.
    pub(crate) was_duplicate: bool,
    /// Only the control bits and the acknowledgment count, for this reason.
    pub(crate) only_ack: Option<Discard>,
}

/// What becomes of a segment in each state.
pub(crate) fn segment_arrives(conn: &mut Connection, now: Instant, seg: &Segment<'_>) -> Result<(), Discard> {
    conn.tcb.last_heard = Tick::at(now);
    conn.tcb.keepalives_unanswered = 0;
    match conn.tcb.state {
        State::Closed | State::TimeWait => Err(Discard::ConnectionGone),
        State::SynSent => syn_sent::process(conn, now, seg),
        _ => other_states(conn, now, seg),
    }
}

/// RFC 9293 §3.10.7.4. The third check, on security compartments, is an exception of the ledger: nobody has them.
fn other_states(conn: &mut Connection, now: Instant, seg: &Segment<'_>) -> Result<(), Discard> {
    let arrival = check_sequence::check_sequence(&mut conn.tcb, now, seg)?;
    check_rst::check_rst(conn, now, &arrival)?;
    if conn.tcb.state == State::Closed {
        return Ok(());
    }
    check_syn::check_syn(&mut conn.tcb, now, &arrival)?;
    check_ack::check_ack(conn, now, &arrival)?;
    if conn.tcb.state == State::Closed {
        return Ok(());
    }
    if let Some(reason) = arrival.only_ack {
        return Err(reason);
    }
    check_sequence::note_timestamp(&mut conn.tcb, now, seg);
    text_and_fin(conn, &arrival)
}

/// From the sixth check on; a SYN,ACK with text comes here too.
fn text_and_fin(conn: &mut Connection, arrival: &Arrival<'_>) -> Result<(), Discard> {
    check_urg::check_urg(&mut conn.tcb, arrival);
    accept_text::accept_text(conn, arrival)?;
    check_fin::check_fin(conn, arrival);
    Ok(())
}
