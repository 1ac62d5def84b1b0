//! What a connection tells its user.

/// Something the user may want to act on. Each kind is reported once until it happens again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is complete.
    Connected,
    /// There is something to read.
    Readable,
    /// There is room to write again.
    Writable,
    /// The peer has sent its FIN: after what is buffered, nothing more comes.
    PeerClosing,
    /// Urgent data lies ahead, or more of it than was known: ask [`urgent_ahead`](crate::Connection::urgent_ahead).
    Urgent,
    /// Retransmissions have gone unanswered three times (R1 of RFC 9293 §3.8.3): perhaps the route is broken.
    DeliveryProblem,
    /// An ICMP error says that the peer may be out of reach; nothing is given up (RFC 9293 MUST-47, MUST-56).
    SoftError,
    /// The connection is over, for this reason.
    Ended(Ended),
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Both sides closed, and both FINs were acknowledged.
    Finished,
    /// The peer reset it.
    ResetByPeer,
    /// The peer refused it: a reset answered our SYN.
    Refused,
    /// The peer stayed silent until the time-out (R2 of RFC 9293 §3.8.3, or the user's).
    TimedOut,
    /// The user aborted it, or closed it before it was open.
    AbortedByUser,
    /// The network said that the peer cannot be reached, while connecting (RFC 9293 §3.9.2.2).
    Unreachable,
    /// The user had gone while data still came: it was reset, and the data is lost.
    DataLost,
}

/// Which events wait to be reported.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Events(u8);

impl Events {
    pub(crate) const CONNECTED: u8 = 1;
    pub(crate) const READABLE: u8 = 2;
    pub(crate) const WRITABLE: u8 = 4;
    pub(crate) const PEER_CLOSING: u8 = 8;
    pub(crate) const URGENT: u8 = 16;
    pub(crate) const DELIVERY_PROBLEM: u8 = 32;
    pub(crate) const SOFT_ERROR: u8 = 64;
    pub(crate) const ENDED: u8 = 128;

    pub(crate) const fn raise(&mut self, event: u8) {
        self.0 |= event;
    }

    /// Takes the first waiting event.
    pub(crate) fn take(&mut self, ended: Option<Ended>) -> Option<Event> {
        let first = self.0 & self.0.wrapping_neg();
        self.0 &= !first;
        match first {
            Self::CONNECTED => Some(Event::Connected),
            Self::READABLE => Some(Event::Readable),
            Self::WRITABLE => Some(Event::Writable),
            Self::PEER_CLOSING => Some(Event::PeerClosing),
            Self::URGENT => Some(Event::Urgent),
            Self::DELIVERY_PROBLEM => Some(Event::DeliveryProblem),
            Self::SOFT_ERROR => Some(Event::SoftError),
            Self::ENDED => ended.map(Event::Ended),
            _ => None,
        }
    }
}
