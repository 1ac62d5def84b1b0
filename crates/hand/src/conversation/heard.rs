//! RFC 9293 §3.10.7, RFC 5961: what the peer did by a segment, and what that changes.

use wirewright_wire::{SeqLen, SeqNum};

use super::segment::Segment;
use super::{AHEAD_MAX, Conversation, Mistake, State, state};

/// What was done by a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum What {
    /// A SYN: a connection is asked for.
    Syn,
    /// The same SYN again.
    SynAgain,
    /// A SYN that acknowledges the other.
    SynAck,
    /// A SYN-ACK that acknowledges what was never sent.
    SynAckWrong,
    /// The same SYN-ACK again.
    SynAckAgain,
    /// An acknowledgment of something new.
    Ack,
    /// An acknowledgment that says nothing new.
    DuplicateAck,
    /// RFC 5961: prove that you are there.
    ChallengeAck,
    /// Another window.
    WindowUpdate,
    /// A question whether the window is open again.
    ZeroWindowProbe,
    /// A question whether anybody is there.
    KeepAlive,
    /// New data.
    Data,
    /// Data, SYN or FIN that was sent before.
    DataAgain,
    /// Data behind a hole.
    DataAhead,
    /// The end of the sender's data.
    Fin,
    /// A reset that answers a SYN: nobody listens.
    Refused,
    /// A reset that counts: exactly at the next number.
    Reset,
    /// A reset that answers an acknowledgment which the peer cannot place.
    ResetToAck,
    /// A reset inside the window but not exact: to be challenged.
    ResetInWindow,
    /// An acknowledgment of what was never sent: to be answered, and dropped.
    AckOfUnsent,
    /// A segment without ACK: dropped.
    WithoutAck,
    /// A segment with a wrong checksum.
    BadSum,
    /// A segment of ours that is other than right.
    Odd,
    /// A segment that has no place in this conversation.
    Stray,
}

impl What {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Syn,
        Self::SynAgain,
        Self::SynAck,
        Self::SynAckWrong,
        Self::SynAckAgain,
        Self::Ack,
        Self::DuplicateAck,
        Self::ChallengeAck,
        Self::WindowUpdate,
        Self::ZeroWindowProbe,
        Self::KeepAlive,
        Self::Data,
        Self::DataAgain,
        Self::DataAhead,
        Self::Fin,
        Self::Refused,
        Self::Reset,
        Self::ResetToAck,
        Self::ResetInWindow,
        Self::AckOfUnsent,
        Self::WithoutAck,
        Self::BadSum,
        Self::Odd,
        Self::Stray,
    ];

    /// Its stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Syn => "syn",
            Self::SynAgain => "syn-again",
            Self::SynAck => "syn-ack",
            Self::SynAckWrong => "syn-ack-wrong",
            Self::SynAckAgain => "syn-ack-again",
            Self::Ack => "ack",
            Self::DuplicateAck => "duplicate-ack",
            Self::ChallengeAck => "challenge-ack",
            Self::WindowUpdate => "window-update",
            Self::ZeroWindowProbe => "zero-window-probe",
            Self::KeepAlive => "keep-alive",
            Self::Data => "data",
            Self::DataAgain => "again",
            Self::DataAhead => "data-ahead",
            Self::Fin => "fin",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::ResetToAck => "reset-to-ack",
            Self::ResetInWindow => "reset-in-window",
            Self::AckOfUnsent => "ack-of-unsent",
            Self::WithoutAck => "without-ack",
            Self::BadSum => "bad-sum",
            Self::Odd => "odd",
            Self::Stray => "stray",
        }
    }
}

impl What {
    /// Nothing of such a segment is taken, its data neither.
    #[must_use]
    pub const fn is_dropped(self) -> bool {
        matches!(self, Self::BadSum | Self::AckOfUnsent | Self::WithoutAck | Self::ResetInWindow | Self::Stray)
    }
}

impl Conversation {
    /// What the peer did by a segment.
    pub(super) fn classify(&self, segment: &Segment) -> What {
        let flags = segment.flags;
        if !segment.sum_is_right {
            return What::BadSum;
        }
        if flags.rst() {
            return self.classify_reset(segment);
        }
        match self.us {
            State::Listen if flags.syn() && !flags.ack() => match self.irs {
                Some(_) => What::SynAgain,
                None => What::Syn,
            },
            State::Listen | State::Closed => What::Stray,
            State::SynSent => self.classify_in_syn_sent(segment),
            _ if flags.syn() => {
                let same = self.irs == Some(segment.seq);
                match (same, flags.ack()) {
                    (true, true) => What::SynAckAgain,
                    (true, false) => What::SynAgain,
                    _ => What::Stray,
                }
            }
            // RFC 9293 §3.10.7.4, fifth check.
            _ if !flags.ack() => What::WithoutAck,
            us if us.is_synchronized() && segment.ack.after(self.snd_far) => What::AckOfUnsent,
            _ if segment.is_empty() => self.classify_empty(segment),
            _ => self.classify_data(segment),
        }
    }

    /// RFC 9293 §3.10.7.3.
    fn classify_in_syn_sent(&self, segment: &Segment) -> What {
        let flags = segment.flags;
        let acceptable = segment.ack.after(self.iss) && segment.ack.at_or_before(self.snd_max);
        match (flags.syn(), flags.ack()) {
            (true, true) if acceptable => What::SynAck,
            (true, true) => What::SynAckWrong,
            (true, false) => What::Syn,
            (false, true) if !acceptable => What::ChallengeAck,
            _ => What::Stray,
        }
    }

    /// RFC 9293 §3.10.7.3, §3.10.7.4, second check; RFC 5961 §3.2.
    fn classify_reset(&self, segment: &Segment) -> What {
        let acceptable = segment.flags.ack() && segment.ack.after(self.iss) && segment.ack.at_or_before(self.snd_max);
        match self.us {
            State::Closed | State::Listen => return What::Stray,
            State::SynSent if acceptable => return What::Refused,
            State::SynSent => return What::Stray,
            _ => {}
        }
        if self.suspicion == Some(Mistake::AckNotPlusOne) || self.suspicion == Some(Mistake::AckTooHigh) {
            return What::ResetToAck;
        }
        if segment.seq == self.rcv_nxt {
            return What::Reset;
        }
        let window = SeqLen::new(self.rcv_wnd.get());
        if segment.seq.in_window(self.rcv_nxt, window) { What::ResetInWindow } else { What::Stray }
    }

    fn classify_empty(&self, segment: &Segment) -> What {
        if segment.seq == self.rcv_nxt - SeqLen::ONE && self.them != State::SynReceived {
            return if self.rcv_wnd.get() == 0 { What::ZeroWindowProbe } else { What::KeepAlive };
        }
        if segment.ack.after(self.snd_max) {
            return What::Stray;
        }
        if segment.ack.after(self.snd_una) {
            return What::Ack;
        }
        match self.suspicion {
            Some(Mistake::SameFourTuple | Mistake::RstNotExact | Mistake::AckTooHigh) => What::ChallengeAck,
            Some(Mistake::SeqNotAdvanced | Mistake::SeqTooHigh) => What::DuplicateAck,
            _ if segment.ack == self.snd_una && self.scaled(segment, self.their_scale) != self.snd_wnd => {
                What::WindowUpdate
            }
            _ => What::DuplicateAck,
        }
    }

    fn classify_data(&self, segment: &Segment) -> What {
        if segment.seq.after(self.rcv_nxt) {
            return What::DataAhead;
        }
        let probes = segment.data.len() == 1 && !segment.flags.fin();
        if probes && self.rcv_wnd.get() == 0 {
            return What::ZeroWindowProbe;
        }
        if segment.end().at_or_before(self.rcv_nxt) {
            return if probes && segment.end() == self.rcv_nxt { What::KeepAlive } else { What::DataAgain };
        }
        if segment.flags.fin() { What::Fin } else { What::Data }
    }

    /// What a segment of the peer changes.
    pub(super) fn apply_heard(&mut self, segment: &Segment, what: What) {
        match what {
            What::BadSum | What::Stray | What::WithoutAck | What::ResetToAck | What::Odd => {}
            What::ResetInWindow | What::AckOfUnsent => self.challenge_is_due = true,
            What::Reset | What::Refused => {
                self.was_reset = true;
                self.us = State::Closed;
                self.them = State::Closed;
            }
            What::Syn => self.take_syn(segment),
            What::SynAck => {
                self.take_syn(segment);
                self.snd_una = self.iss + SeqLen::ONE;
                if segment.ack.after(self.snd_una) {
                    self.snd_una = segment.ack;
                    self.snd_nxt = segment.ack;
                }
                self.us = State::Established;
                self.them = State::SynReceived;
            }
            What::SynAgain | What::SynAckAgain => self.ack_is_due = true,
            What::SynAckWrong => self.reset_at = Some(segment.ack),
            What::ChallengeAck if self.us == State::SynSent => self.reset_at = Some(segment.ack),
            _ => self.take(segment, what),
        }
    }

    /// The peer's SYN: its numbers and its options.
    fn take_syn(&mut self, segment: &Segment) {
        self.local = Some(segment.destination);
        self.remote = Some(segment.source);
        self.irs = Some(segment.seq);
        self.rcv_nxt = segment.seq + SeqLen::ONE;
        self.rcv_acked = segment.seq;
        self.their_scale = segment.scale();
        self.their_stamps = segment.timestamps().is_some();
        self.ts_recent = segment.timestamps().map_or(0, |stamps| stamps.value);
        self.snd_wnd = self.scaled(segment, None);
        let edge_at = if segment.flags.ack() { segment.ack } else { self.iss + SeqLen::ONE };
        self.snd_edge = edge_at + SeqLen::new(self.snd_wnd.get());
        self.reset_at = None;
        self.them = State::SynSent;
    }

    /// A segment between two that are connected: first what it acknowledges, then what it brings.
    fn take(&mut self, segment: &Segment, what: What) {
        if segment.flags.ack() && segment.ack.at_or_before(self.snd_max) {
            self.take_ack(segment);
        }
        if let Some(stamps) = segment.timestamps()
            && segment.seq.at_or_before(self.rcv_nxt)
        {
            self.ts_recent = stamps.value;
        }
        match what {
            What::Data | What::Fin => self.take_data(segment),
            What::DataAhead => self.take_ahead(segment),
            What::DataAgain | What::ZeroWindowProbe | What::KeepAlive => self.ack_is_due = true,
            _ => {}
        }
    }

    fn take_ack(&mut self, segment: &Segment) {
        let window = self.scaled(segment, self.their_scale);
        if segment.ack.at_or_after(self.snd_una) {
            self.snd_wnd = window;
            let edge = segment.ack + SeqLen::new(window.get());
            if edge.after(self.snd_edge) {
                self.snd_edge = edge;
            }
        }
        if !segment.ack.after(self.snd_una) {
            return;
        }
        self.snd_una = segment.ack;
        self.unacked.forget(segment.ack);
        if segment.ack.after(self.snd_nxt) {
            self.snd_nxt = segment.ack;
        }
        if self.us == State::SynReceived {
            self.us = State::Established;
            self.them = State::Established;
        }
        let fin_is_acked = self.fin_sent.is_some_and(|fin| self.snd_una.after(fin));
        if fin_is_acked && matches!(self.us, State::FinWait1 | State::Closing | State::LastAck) {
            self.us = state::after_ack_of_fin(self.us);
            self.them = state::after_their_fin(self.them);
        }
    }

    fn take_data(&mut self, segment: &Segment) {
        self.rcv_nxt = segment.data_end();
        self.join_ahead();
        let fin = if segment.flags.fin() { Some(segment.data_end()) } else { self.fin_ahead };
        if fin == Some(self.rcv_nxt) {
            self.rcv_nxt += SeqLen::ONE;
            self.fin_ahead = None;
            self.us = state::after_their_fin(self.us);
            self.them = state::after_own_fin(self.them);
        }
    }

    fn take_ahead(&mut self, segment: &Segment) {
        self.ack_is_due = true;
        if segment.flags.fin() {
            self.fin_ahead = Some(segment.data_end());
        }
        if self.ahead.len() < AHEAD_MAX && !segment.data.is_empty() {
            self.ahead.push((segment.seq, segment.data_end()));
        }
    }

    /// What came ahead and now follows.
    fn join_ahead(&mut self) {
        let follows = |from: SeqNum, next: SeqNum| from.at_or_before(next);
        while let Some(index) = self.ahead.iter().position(|&(from, _)| follows(from, self.rcv_nxt)) {
            let (_, to) = self.ahead.swap_remove(index);
            if to.after(self.rcv_nxt) {
                self.rcv_nxt = to;
            }
        }
    }

    /// What came leaves the last segment of ours unanswered.
    pub(super) fn still_asks(&self, what: What) -> bool {
        let unanswered = self.snd_una != self.snd_max;
        let says_nothing = matches!(what, What::Stray | What::KeepAlive | What::DataAgain | What::WindowUpdate);
        // It is our turn to answer, with what is not acknowledged still under way.
        if self.challenge_is_due {
            return false;
        }
        (unanswered && self.suspicion.is_none() || says_nothing) && !self.was_reset
    }
}
