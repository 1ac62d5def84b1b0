//! RFC 9293 §3.10.7.2: LISTEN.

use crate::{Discard, Segment};

/// What a listener does with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnListen {
    /// Nothing.
    Ignore(Discard),
    /// A reset: `<SEQ=SEG.ACK><CTL=RST>`.
    Reset(Discard),
    /// A connection begins.
    Open,
}

/// First RST, second ACK, third SYN, fourth everything else.
pub(crate) fn on_listen(seg: &Segment<'_>) -> OnListen {
    let flags = seg.flags;
    if flags.rst() {
        // A SYN with RST is no opening either.
        return OnListen::Ignore(if flags.syn() { Discard::StrangeSyn } else { Discard::ResetNotForUs });
    }
    if flags.ack() {
        return OnListen::Reset(Discard::AckToListener);
    }
    if !flags.syn() {
        return OnListen::Ignore(Discard::NeitherSynNorRst);
    }
    // A SYN with FIN opens and closes at once: nobody sends it but scanners. Port 0 cannot be answered.
    if flags.fin() || seg.ports.remote == 0 {
        return OnListen::Ignore(Discard::StrangeSyn);
    }
    OnListen::Open
}
