//! Fourth: the SYN bit (RFC 9293 §3.10.7.4 with RFC 5961 §4).

use wirewright_units::Instant;

use super::Arrival;
use crate::Discard;
use crate::connection::Tcb;

/// RFC 5961 §4.2: whatever its sequence number, a SYN in a synchronized state is challenged. (If the peer restarted, it
/// answers with a reset that is exact.)
pub(super) fn check_syn(tcb: &mut Tcb, now: Instant, arrival: &Arrival<'_>) -> Result<(), Discard> {
    if !arrival.seg.flags.syn() || arrival.only_ack.is_some() {
        return Ok(());
    }
    tcb.reply_to_invalid(now, false);
    Err(Discard::SynInConnection)
}
