//! RFC 9293 §3.3.2: the states of a connection, of both sides.
//!
//! ```text
//!              S                 SA heard            FA              A heard
//!   CLOSED ─────── SYN-SENT ───────────── ESTABLISHED ─── FIN-WAIT-1 ─────── FIN-WAIT-2
//!     │               │ S heard, SA          │ │  F heard      │ F heard          │ F heard
//!   LISTEN ───── SYN-RECEIVED ───────────────┘ CLOSE-WAIT   CLOSING ───────── TIME-WAIT
//!       S heard, SA       A heard                  └─ FA ─ LAST-ACK ─── CLOSED
//! ```

use core::fmt;

/// A state of RFC 9293 §3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// There is no connection.
    Closed,
    /// Waiting for a SYN.
    Listen,
    /// A SYN was sent.
    SynSent,
    /// SYNs went both ways; the last acknowledgment is missing.
    SynReceived,
    /// Data may flow both ways.
    Established,
    /// A FIN was sent and not acknowledged yet.
    FinWait1,
    /// The FIN was acknowledged; the other side may go on sending.
    FinWait2,
    /// The other side ended; this one may go on sending.
    CloseWait,
    /// FINs crossed; one's own is not acknowledged yet.
    Closing,
    /// Both ended; one's own FIN, the later, is not acknowledged yet.
    LastAck,
    /// Both ended and acknowledged; old segments are waited out.
    TimeWait,
}

impl State {
    /// The RFC's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        }
    }

    /// A side in this state holds a connection, which a peer that goes away silently would leave behind.
    #[must_use]
    pub const fn holds(self) -> bool {
        !matches!(self, Self::Closed | Self::Listen | Self::TimeWait)
    }

    /// This side has sent its FIN.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::FinWait1 | Self::FinWait2 | Self::Closing | Self::LastAck | Self::TimeWait)
    }

    /// This side may send data.
    #[must_use]
    pub const fn may_send(self) -> bool {
        matches!(self, Self::Established | Self::CloseWait)
    }

    /// A FIN of this side left.
    pub(super) const fn after_own_fin(self) -> Self {
        match self {
            Self::SynReceived | Self::Established => Self::FinWait1,
            Self::CloseWait => Self::LastAck,
            other => other,
        }
    }

    /// The FIN of this side was acknowledged.
    pub(super) const fn after_ack_of_fin(self) -> Self {
        match self {
            Self::FinWait1 => Self::FinWait2,
            Self::Closing => Self::TimeWait,
            Self::LastAck => Self::Closed,
            other => other,
        }
    }

    /// A FIN of the other side came, with all before it.
    pub(super) const fn after_their_fin(self) -> Self {
        match self {
            Self::SynReceived | Self::Established => Self::CloseWait,
            Self::FinWait1 => Self::Closing,
            Self::FinWait2 => Self::TimeWait,
            other => other,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
