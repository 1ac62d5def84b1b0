//! What RFC 9293 expects of the person now.

use super::{Conversation, Role, State};

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Due {
    /// Begin: a SYN.
    Open,
    /// Wait for a SYN.
    AwaitSyn,
    /// Answer the SYN with SYN and ACK.
    AnswerSyn,
    /// Wait for the SYN-ACK.
    AwaitSynAck,
    /// Acknowledge the SYN-ACK.
    AckSynAck,
    /// Wait for the acknowledgment of the SYN-ACK.
    AwaitAckOfSyn,
    /// The peer speaks of another connection: reset that one, then begin again.
    ResetOther,
    /// Acknowledge what came.
    AckData,
    /// Acknowledge the FIN.
    AckFin,
    /// Say where the connection stands: what came does not count.
    Challenge,
    /// Open the window again.
    OpenWindow,
    /// The peer's window is closed: wait, or ask with one byte.
    ProbeWindow,
    /// Wait for the acknowledgment of what was sent.
    AwaitAck,
    /// Both may speak.
    Talk,
    /// The peer has ended: say what is left, then end too.
    EndToo,
    /// Wait for the peer's end.
    AwaitFin,
    /// Wait for the acknowledgment of the FIN.
    AwaitAckOfFin,
    /// Nothing: the conversation is over.
    Over,
}

impl Due {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Open,
        Self::AwaitSyn,
        Self::AnswerSyn,
        Self::AwaitSynAck,
        Self::AckSynAck,
        Self::AwaitAckOfSyn,
        Self::ResetOther,
        Self::AckData,
        Self::AckFin,
        Self::Challenge,
        Self::OpenWindow,
        Self::ProbeWindow,
        Self::AwaitAck,
        Self::Talk,
        Self::EndToo,
        Self::AwaitFin,
        Self::AwaitAckOfFin,
        Self::Over,
    ];

    /// Its stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::AwaitSyn => "await-syn",
            Self::AnswerSyn => "answer-syn",
            Self::AwaitSynAck => "await-syn-ack",
            Self::AckSynAck => "ack-syn-ack",
            Self::AwaitAckOfSyn => "await-ack-of-syn",
            Self::ResetOther => "reset-other",
            Self::AckData => "ack-data",
            Self::AckFin => "ack-fin",
            Self::Challenge => "challenge",
            Self::OpenWindow => "open-window",
            Self::ProbeWindow => "probe-window",
            Self::AwaitAck => "await-ack",
            Self::Talk => "talk",
            Self::EndToo => "end-too",
            Self::AwaitFin => "await-fin",
            Self::AwaitAckOfFin => "await-ack-of-fin",
            Self::Over => "over",
        }
    }

    /// Where it is said.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Open | Self::AwaitSyn => "RFC 9293 §3.10.1",
            Self::AnswerSyn => "RFC 9293 §3.10.7.2",
            Self::AwaitSynAck | Self::AckSynAck | Self::ResetOther => "RFC 9293 §3.10.7.3",
            Self::AwaitAckOfSyn | Self::AwaitAckOfFin | Self::AwaitFin | Self::Challenge => "RFC 9293 §3.10.7.4",
            Self::AckData => "RFC 9293 §3.8.6.3",
            Self::AckFin => "RFC 9293 §3.6",
            Self::OpenWindow => "RFC 9293 §3.8.6",
            Self::ProbeWindow => "RFC 9293 §3.8.6.1",
            Self::AwaitAck => "RFC 9293 §3.8.1",
            Self::Talk => "RFC 9293 §3.10.2",
            Self::EndToo => "RFC 9293 §3.10.4",
            Self::Over => "RFC 9293 §3.3.2",
        }
    }

    /// The segment that does it, as it is typed; `None` where there is nothing to send.
    #[must_use]
    pub const fn line(self) -> Option<&'static str> {
        match self {
            Self::Open => Some("S"),
            Self::AnswerSyn => Some("SA"),
            Self::ResetOther => Some("R"),
            Self::AckSynAck | Self::AckData | Self::AckFin | Self::Challenge | Self::OpenWindow => Some("A"),
            Self::EndToo => Some("FA"),
            _ => None,
        }
    }
}

impl Conversation {
    /// What RFC 9293 expects of the person now.
    #[must_use]
    pub fn due(&self) -> Due {
        let owes = self.irs.is_some() && (self.rcv_nxt != self.rcv_acked || self.ack_is_due);
        match self.us {
            State::Closed if self.begun.is_none() && self.role == Role::Client => Due::Open,
            State::Closed => Due::Over,
            State::Listen if self.irs.is_some() => Due::AnswerSyn,
            State::Listen => Due::AwaitSyn,
            State::SynSent if self.reset_at.is_some() => Due::ResetOther,
            State::SynSent if self.irs.is_some() => Due::AnswerSyn,
            State::SynSent => Due::AwaitSynAck,
            State::SynReceived if self.ack_is_due => Due::AnswerSyn,
            State::SynReceived => Due::AwaitAckOfSyn,
            State::Established if self.them == State::SynReceived => Due::AckSynAck,
            _ if self.challenge_is_due => Due::Challenge,
            _ if owes && self.us_heard_fin() => Due::AckFin,
            _ if self.rcv_wnd.get() == 0 && !self.us_heard_fin() => Due::OpenWindow,
            _ if owes => Due::AckData,
            State::TimeWait => Due::Over,
            State::FinWait1 | State::Closing | State::LastAck => Due::AwaitAckOfFin,
            State::FinWait2 => Due::AwaitFin,
            _ if self.snd_una != self.snd_nxt => Due::AwaitAck,
            _ if self.snd_wnd.get() == 0 => Due::ProbeWindow,
            State::CloseWait => Due::EndToo,
            State::Established => Due::Talk,
        }
    }

    /// The next right segment as it is typed; `None` where it is the peer's turn, or nobody's.
    #[must_use]
    pub fn next_right(&self) -> Option<&'static str> {
        self.due().line()
    }

    /// The next right segment when nothing more is to be said: as [`next_right`](Self::next_right), and where both may
    /// speak, the end.
    #[must_use]
    pub fn next_towards_end(&self) -> Option<&'static str> {
        match self.due() {
            Due::Talk => Some("FA"),
            due => due.line(),
        }
    }
}
