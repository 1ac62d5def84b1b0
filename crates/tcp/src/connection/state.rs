//! RFC 9293 §3.3.2: the states.

/// The state of a connection.
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
///
/// LISTEN is a [`Listener`](crate::Listener), the passive SYN-RECEIVED a [`HalfOpen`](crate::HalfOpen).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// There is no connection any more.
    Closed,
    /// A SYN was sent.
    SynSent,
    /// SYNs crossed: both were sent and received, ours is not acknowledged.
    SynReceived,
    /// Data flows.
    Established,
    /// We have closed; our FIN is not acknowledged.
    FinWait1,
    /// We have closed, and the peer knows; it may still send.
    FinWait2,
    /// The peer has closed; we may still send.
    CloseWait,
    /// Both have closed at once; our FIN is not acknowledged.
    Closing,
    /// The peer had closed, now we have; our FIN is not acknowledged.
    LastAck,
    /// Both have closed; old segments may still be under way.
    TimeWait,
}

impl State {
    /// Every state of [`Connection`](crate::Connection), for tests that must have seen them all.
    pub const ALL: [Self; 10] = [
        Self::Closed,
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

    /// The name in RFC 9293.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
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

    /// The connection itself has nothing to do any more.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::TimeWait)
    }

    /// The handshake is complete, and the connection not over.
    pub(crate) const fn is_open(self) -> bool {
        !matches!(self, Self::SynSent | Self::SynReceived) && !self.is_over()
    }

    /// Data may still come from the peer.
    pub(crate) const fn may_receive(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }

    /// Data, or the FIN, may still have to be sent.
    pub(crate) const fn may_send(self) -> bool {
        matches!(self, Self::Established | Self::CloseWait | Self::FinWait1 | Self::Closing | Self::LastAck)
    }
}
