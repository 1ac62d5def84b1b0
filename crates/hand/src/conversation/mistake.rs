//! The mistakes that a peer's answer, or its silence, gives away.

use wirewright_wire::SeqLen;

use super::segment::Segment;
use super::{Conversation, Role, State, What};

/// A mistake in what was sent. Its code is never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mistake {
    /// The acknowledgment of a SYN is not its sequence number plus one.
    AckNotPlusOne,
    /// What followed the SYN has the sequence number of the SYN.
    SeqNotAdvanced,
    /// A sequence number that leaves a hole behind what the peer has.
    SeqTooHigh,
    /// A segment without ACK, although the connection has begun.
    NoAckFlag,
    /// A window of 0: the peer may send nothing.
    WindowZero,
    /// A SYN between ends that have a connection already.
    SameFourTuple,
    /// A SYN-ACK that was never acknowledged.
    SynAckNotAcknowledged,
    /// A checksum that is not right.
    BadChecksum,
    /// A reset that is not exactly at the next sequence number.
    RstNotExact,
    /// An acknowledgment of what was never sent.
    AckTooHigh,
}

impl Mistake {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::AckNotPlusOne,
        Self::SeqNotAdvanced,
        Self::SeqTooHigh,
        Self::NoAckFlag,
        Self::WindowZero,
        Self::SameFourTuple,
        Self::SynAckNotAcknowledged,
        Self::BadChecksum,
        Self::RstNotExact,
        Self::AckTooHigh,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AckNotPlusOne => "ack-not-plus-one",
            Self::SeqNotAdvanced => "seq-not-advanced",
            Self::SeqTooHigh => "seq-too-high",
            Self::NoAckFlag => "no-ack-flag",
            Self::WindowZero => "window-zero",
            Self::SameFourTuple => "same-4-tuple",
            Self::SynAckNotAcknowledged => "synack-not-acknowledged",
            Self::BadChecksum => "bad-checksum",
            Self::RstNotExact => "rst-not-exact",
            Self::AckTooHigh => "ack-too-high",
        }
    }

    /// Where it is said what was expected.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            // Figure 6, and the reset of an acknowledgment that is not acceptable.
            Self::AckNotPlusOne => "RFC 9293 §3.5",
            // The SYN takes a sequence number of its own.
            Self::SeqNotAdvanced => "RFC 9293 §3.4",
            // The first check: only what begins at RCV.NXT is processed, the rest is kept.
            Self::SeqTooHigh => "RFC 9293 §3.10.7.4",
            // The fifth check: if the ACK bit is off, drop the segment.
            Self::NoAckFlag => "RFC 9293 §3.10.7.4",
            Self::WindowZero => "RFC 9293 §3.8.6.1",
            Self::SameFourTuple => "RFC 5961 §4.2",
            Self::SynAckNotAcknowledged => "RFC 9293 §3.5",
            Self::BadChecksum => "RFC 9293 §3.1",
            Self::RstNotExact => "RFC 5961 §3.2",
            Self::AckTooHigh => "RFC 5961 §5.2",
        }
    }

    /// A peer that keeps the RFC says nothing to it.
    #[must_use]
    pub const fn is_met_by_silence(self) -> bool {
        matches!(self, Self::NoAckFlag | Self::BadChecksum)
    }

    /// This is what such a mistake is answered with.
    pub(super) const fn is_shown_by(self, what: What) -> bool {
        match self {
            Self::AckNotPlusOne => matches!(what, What::ResetToAck | What::Reset | What::SynAckAgain),
            Self::SeqNotAdvanced | Self::SeqTooHigh | Self::SameFourTuple | Self::RstNotExact | Self::AckTooHigh => {
                matches!(what, What::DuplicateAck | What::ChallengeAck | What::ResetToAck)
            }
            Self::NoAckFlag | Self::BadChecksum => matches!(what, What::SynAckAgain | What::DataAgain),
            Self::WindowZero => matches!(what, What::Ack | What::DuplicateAck | What::ZeroWindowProbe),
            Self::SynAckNotAcknowledged => matches!(what, What::SynAckAgain),
        }
    }
}

impl Conversation {
    /// What is wrong with a segment that is about to count as sent: looked at before it changes anything.
    pub(super) fn mistake_in(&self, segment: &Segment) -> Option<Mistake> {
        if !segment.sum_is_right {
            return Some(Mistake::BadChecksum);
        }
        let flags = segment.flags;
        let irs = self.irs?;
        if flags.rst() {
            // RFC 5961 §3.2 of a peer that has our SYN. What is not acknowledged may not have come.
            let inexact = self.them.holds() && segment.seq != self.snd_nxt && segment.seq != self.snd_una;
            return inexact.then_some(Mistake::RstNotExact);
        }
        let synack_is_due = self.role == Role::Server && self.us == State::Listen;
        if flags.syn() && !flags.ack() {
            return (self.them.holds() && !synack_is_due).then_some(Mistake::SameFourTuple);
        }
        if !flags.ack() {
            return Some(Mistake::NoAckFlag);
        }
        let awaits_ack_of_syn = self.them == State::SynReceived || synack_is_due || self.us == State::SynReceived;
        if awaits_ack_of_syn && segment.ack != irs + SeqLen::ONE && !segment.ack.after(irs + SeqLen::ONE) {
            return Some(Mistake::AckNotPlusOne);
        }
        if segment.ack.after(self.rcv_nxt) {
            return Some(if awaits_ack_of_syn { Mistake::AckNotPlusOne } else { Mistake::AckTooHigh });
        }
        if flags.syn() {
            return None;
        }
        if segment.seq.after(self.snd_nxt) {
            return Some(Mistake::SeqTooHigh);
        }
        // A probe repeats the last number, also that of the SYN.
        if segment.seq.at_or_before(self.iss) && !self.asks_for_window(segment) {
            return Some(Mistake::SeqNotAdvanced);
        }
        (segment.window.to_raw() == 0).then_some(Mistake::WindowZero)
    }
}
