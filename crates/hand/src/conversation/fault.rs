//! What the peer did otherwise than RFC 9293 expects of it, or what may look so: judged by what came alone.

use wirewright_wire::SeqLen;

use super::segment::Segment;
use super::{Conversation, State, What};

/// Something that the peer did. Its code is never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// It offers no window: nothing may be sent but a probe. A peer may do that.
    WindowZero,
    /// It takes back a part of the window that it had offered.
    WindowShrunk,
    /// It acknowledges what was never sent.
    AckOfUnsent,
    /// A reset that is inside the window and not exactly at the next number.
    ResetNotExact,
    /// It gives up a connection in which nothing was wrong. A peer may do that.
    Reset,
    /// A segment with a wrong checksum.
    BadChecksum,
    /// A segment without ACK, although the connection has begun.
    NoAckFlag,
    /// It does not acknowledge what was sent.
    Silent,
}

impl Fault {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::WindowZero,
        Self::WindowShrunk,
        Self::AckOfUnsent,
        Self::ResetNotExact,
        Self::Reset,
        Self::BadChecksum,
        Self::NoAckFlag,
        Self::Silent,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WindowZero => "peer-window-zero",
            Self::WindowShrunk => "peer-window-shrunk",
            Self::AckOfUnsent => "peer-ack-of-unsent",
            Self::ResetNotExact => "peer-reset-not-exact",
            Self::Reset => "peer-reset",
            Self::BadChecksum => "peer-bad-checksum",
            Self::NoAckFlag => "peer-no-ack-flag",
            Self::Silent => "peer-silent",
        }
    }

    /// Where it is said what a peer has to do, or what to do with such a peer.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::WindowZero => "RFC 9293 §3.8.6.1",
            // SHLD-14 and MUST-34.
            Self::WindowShrunk => "RFC 9293 §3.8.6",
            // The fifth check: an ACK of something not yet sent is answered and dropped; without ACK a segment is dropped.
            Self::AckOfUnsent | Self::NoAckFlag => "RFC 9293 §3.10.7.4",
            Self::ResetNotExact => "RFC 5961 §3.2",
            Self::Reset => "RFC 9293 §3.10.5",
            Self::BadChecksum => "RFC 9293 §3.1",
            // MUST-40: an acknowledgment is not delayed by half a second.
            Self::Silent => "RFC 9293 §3.8.6.3",
        }
    }

    /// A peer may do it.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::WindowZero | Self::Reset)
    }
}

impl Conversation {
    /// What is odd about a segment of the peer: looked at before it changes anything.
    pub(super) fn fault_in(&self, segment: &Segment, what: What) -> Option<Fault> {
        match what {
            What::BadSum => return Some(Fault::BadChecksum),
            What::ResetInWindow => return Some(Fault::ResetNotExact),
            What::Reset => return self.suspicion.is_none().then_some(Fault::Reset),
            What::AckOfUnsent => return Some(Fault::AckOfUnsent),
            What::WithoutAck => return Some(Fault::NoAckFlag),
            What::Syn | What::SynAck => return (segment.window.to_raw() == 0).then_some(Fault::WindowZero),
            What::Ack
            | What::DuplicateAck
            | What::ChallengeAck
            | What::WindowUpdate
            | What::Data
            | What::DataAhead
            | What::Fin => {}
            _ => return None,
        }
        // Whoever has said its last word needs no window.
        let may_send = self.us.may_send() || self.us == State::SynReceived;
        if !may_send || segment.ack.before(self.snd_una) {
            return None;
        }
        let window = self.scaled(segment, self.their_scale);
        // RFC 7323 §2.4: what a scaled window cannot say may be lost at its edge.
        let unit = SeqLen::new(1 << self.their_scale.map_or(0, |scale| scale.get()));
        let edge = segment.ack + SeqLen::new(window.get());
        match () {
            () if (edge + unit).at_or_before(self.snd_edge) => Some(Fault::WindowShrunk),
            () if window.get() == 0 => Some(Fault::WindowZero),
            () => None,
        }
    }

    /// What the peer's silence is: something that was sent has to be acknowledged, and is not.
    pub(super) fn fault_of_silence(&self) -> Option<Fault> {
        let connects = matches!(self.us, State::Closed | State::Listen | State::SynSent);
        (!connects && self.snd_una != self.snd_nxt).then_some(Fault::Silent)
    }
}
