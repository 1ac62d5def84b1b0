//! What became of a segment, and where its owner goes next.

use crate::{Connection, HalfOpen, TimeWait};

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was processed to its end.
    Accepted,
    /// It was dropped, or only its acknowledgment was used; the reason is named.
    Discarded(Discard),
}

/// Why a segment was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Discard {
    /// There is no connection here any more.
    ConnectionGone,
    /// It lies outside the receive window (RFC 9293 §3.10.7.4, first check).
    OutOfWindow,
    /// It carries text, and the receive window is closed; its control bits and acknowledgment were used.
    WindowClosed,
    /// Its timestamp is older than one seen before (RFC 7323 §5.3).
    OldTimestamp,
    /// Timestamps were agreed and it has none (RFC 7323 §3.2).
    TimestampMissing,
    /// It has neither SYN nor RST where one is needed.
    NeitherSynNorRst,
    /// It has no ACK (RFC 9293 §3.10.7.4, fifth check).
    AckMissing,
    /// It acknowledges what was never sent.
    AckOfUnsent,
    /// Its acknowledgment is older than the largest window ever offered (RFC 5961 §5.2).
    AckTooOld,
    /// An ACK came to a listener: it belongs to no connection; reset.
    AckToListener,
    /// An ACK that does not acknowledge our SYN; reset.
    AckNotOfOurSyn,
    /// A reset for something that was never sent.
    ResetNotForUs,
    /// A reset inside the window, but not at its edge (RFC 5961 §3.2): challenged.
    ResetNotExact,
    /// A SYN in a synchronized state (RFC 5961 §4.2): challenged.
    SynInConnection,
    /// A reset in TIME-WAIT (RFC 1337).
    ResetInTimeWait,
    /// Text for a user who has gone: reset (RFC 9293 §3.6.1).
    UserGone,
    /// A SYN to a listener that came with FIN or RST, or from port 0: not an opening.
    StrangeSyn,
    /// A repeated SYN of a half-open connection.
    DuplicateSyn,
    /// An ICMP error that quotes nothing in flight (RFC 5927 §4.1).
    QuoteNotInFlight,
}

impl Discard {
    /// A stable code for counters and output.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ConnectionGone => "connection-gone",
            Self::OutOfWindow => "out-of-window",
            Self::WindowClosed => "window-closed",
            Self::OldTimestamp => "old-timestamp",
            Self::TimestampMissing => "timestamp-missing",
            Self::NeitherSynNorRst => "neither-syn-nor-rst",
            Self::AckMissing => "ack-missing",
            Self::AckOfUnsent => "ack-of-unsent",
            Self::AckTooOld => "ack-too-old",
            Self::AckToListener => "ack-to-listener",
            Self::AckNotOfOurSyn => "ack-not-of-our-syn",
            Self::ResetNotForUs => "reset-not-for-us",
            Self::ResetNotExact => "reset-not-exact",
            Self::SynInConnection => "syn-in-connection",
            Self::ResetInTimeWait => "reset-in-time-wait",
            Self::UserGone => "user-gone",
            Self::StrangeSyn => "strange-syn",
            Self::DuplicateSyn => "duplicate-syn",
            Self::QuoteNotInFlight => "quote-not-in-flight",
        }
    }
}

/// Where the owner of a 4-tuple goes after an input.
#[derive(Debug)]
#[must_use]
#[expect(clippy::large_enum_variant, reason = "moved once a connection, straight into its table")]
pub enum Next {
    /// Nowhere.
    Stay,
    /// A listener got a SYN: this stands at the 4-tuple from now on.
    Answer(HalfOpen),
    /// The handshake is complete: this takes the half-open's place.
    Promote(Connection),
    /// Both directions are closed: this takes the connection's place at the 4-tuple. The connection itself sends
    /// nothing more; the user may still read what it holds.
    Linger(TimeWait),
    /// A SYN for a new incarnation came to TIME-WAIT (RFC 6191): it is gone; offer the segment to the listener, with an
    /// initial sequence number at or behind this one.
    Reopen {
        /// The least initial sequence number for the new incarnation.
        iss_min: wirewright_wire::SeqNum,
    },
    /// The 4-tuple is free. A connection may still have a reset to send (poll until empty) and data to read.
    Gone,
}
