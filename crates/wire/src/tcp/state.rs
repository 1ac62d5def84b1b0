//! RFC 9293 §3.3.2: the states.

use core::fmt;

/// The state of one end of a connection.
///
/// ```text
///                            CLOSED ──────────────────────────┐ active OPEN, SYN
///                     passive │ OPEN                          ▼
///      SYN, SYN+ACK        LISTEN ─────────────────────▶ SYN-SENT
///    ┌───────────────────────┘                                │ SYN+ACK, ACK
///    ▼                        SYN, SYN+ACK (simultaneous)     │
/// SYN-RECEIVED ◀──────────────────────────────────────────────┤
///    │ ACK                                                    ▼
///    └───────────────────────────────────────────────▶ ESTABLISHED
///                              CLOSE, FIN ┌────────────────┴───────────┐ FIN, ACK
///                                         ▼                            ▼
///                 FIN, ACK           FIN-WAIT-1                   CLOSE-WAIT
///              ┌──────────────────────────┤ ACK of FIN                 │ CLOSE, FIN
///              ▼                          ▼                            ▼
///           CLOSING                  FIN-WAIT-2                    LAST-ACK
///              │ ACK of FIN               │ FIN, ACK                   │ ACK of FIN
///              ▼                          ▼                            ▼
///           TIME-WAIT ◀───────────────────┘                         CLOSED
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// There is no connection, or none any more.
    #[default]
    Closed,
    /// Waiting for a SYN.
    Listen,
    /// A SYN was sent.
    SynSent,
    /// SYNs went both ways; one's own is not acknowledged.
    SynReceived,
    /// Data flows.
    Established,
    /// This end has closed; its FIN is not acknowledged.
    FinWait1,
    /// This end has closed, and the other knows; the other may go on sending.
    FinWait2,
    /// The other end has closed; this one may go on sending.
    CloseWait,
    /// Both have closed at once; one's own FIN is not acknowledged.
    Closing,
    /// The other end had closed, now this one has; its FIN is not acknowledged.
    LastAck,
    /// Both have closed; old segments may still be under way.
    TimeWait,
}

impl State {
    /// Every state, in the order of the RFC.
    pub const ALL: [Self; 11] = [
        Self::Closed,
        Self::Listen,
        Self::SynSent,
        Self::SynReceived,
        Self::Established,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
    ];

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

    /// Both ends know each other's sequence numbers (RFC 9293 §3.5.2).
    #[must_use]
    pub const fn is_synchronized(self) -> bool {
        !matches!(self, Self::Closed | Self::Listen | Self::SynSent | Self::SynReceived)
    }

    /// This end holds a connection, which a peer that goes away silently would leave behind.
    #[must_use]
    pub const fn holds(self) -> bool {
        !matches!(self, Self::Closed | Self::Listen | Self::TimeWait)
    }

    /// This end has sent its FIN.
    #[must_use]
    pub const fn has_closed(self) -> bool {
        matches!(self, Self::FinWait1 | Self::FinWait2 | Self::Closing | Self::LastAck | Self::TimeWait)
    }

    /// SEND is allowed: this end has not closed (RFC 9293 §3.10.2).
    #[must_use]
    pub const fn may_send(self) -> bool {
        matches!(self, Self::Established | Self::CloseWait)
    }

    /// New data may still come from the other end (RFC 9293 §3.10.7.4).
    #[must_use]
    pub const fn may_receive(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
