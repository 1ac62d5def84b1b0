//! RFC 9293 §3.3.2: how the states of both sides move.
//!
//! ```text
//!              S                 SA heard            FA              A heard
//!   CLOSED ─────── SYN-SENT ───────────── ESTABLISHED ─── FIN-WAIT-1 ─────── FIN-WAIT-2
//!     │               │ S heard, SA          │ │  F heard      │ F heard          │ F heard
//!   LISTEN ───── SYN-RECEIVED ───────────────┘ CLOSE-WAIT   CLOSING ───────── TIME-WAIT
//!       S heard, SA       A heard                  └─ FA ─ LAST-ACK ─── CLOSED
//! ```

use wirewright_wire::tcp::State;

/// A FIN of this side left.
pub(super) const fn after_own_fin(state: State) -> State {
    match state {
        State::SynReceived | State::Established => State::FinWait1,
        State::CloseWait => State::LastAck,
        other => other,
    }
}

/// The FIN of this side was acknowledged.
pub(super) const fn after_ack_of_fin(state: State) -> State {
    match state {
        State::FinWait1 => State::FinWait2,
        State::Closing => State::TimeWait,
        State::LastAck => State::Closed,
        other => other,
    }
}

/// A FIN of the other side came, with all before it.
pub(super) const fn after_their_fin(state: State) -> State {
    match state {
        State::SynReceived | State::Established => State::CloseWait,
        State::FinWait1 => State::Closing,
        State::FinWait2 => State::TimeWait,
        other => other,
    }
}
