//! RFC 9293 §3.10.7.1: CLOSED, and what a reset looks like.

use wirewright_wire::SeqNum;
use wirewright_wire::tcp::Flags;

use crate::{Outgoing, Segment};

/// The reset that answers a segment for which there is no connection; `None` when it is a reset itself.
#[must_use]
pub fn reset_for(seg: &Segment<'_>) -> Option<Outgoing<'static>> {
    if seg.flags.rst() {
        return None;
    }
    Some(if seg.flags.ack() {
        // <SEQ=SEG.ACK><CTL=RST>
        Outgoing::reset(seg.ports, seg.ack, None)
    } else {
        // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
        Outgoing::reset(seg.ports, SeqNum::new(0), Some(seg.seq + seg.len()))
    })
    .filter(|reset| reset.flags().contains(Flags::RST))
}
