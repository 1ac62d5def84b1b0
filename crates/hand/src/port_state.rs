//! What an answer, or none, says of a port.

use crate::probes::AnswerKind;

/// What a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortState {
    /// A program has it.
    Open,
    /// The host is there, and no program has it.
    Closed,
    /// Somebody on the way, or a firewall of the host, lets nothing through.
    Filtered,
    /// Nobody says anything: a program that has nothing to say, or a filter (UDP).
    OpenOrFiltered,
    /// The host answers, and does not tell: to a segment other than a SYN.
    Unfiltered,
}

impl PortState {
    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Filtered => "filtered",
            Self::OpenOrFiltered => "open-or-filtered",
            Self::Unfiltered => "unfiltered",
        }
    }
}

/// What a port is, by the answer to a probe of TCP or UDP (`is_udp`); `None`: silence. `by_host`: the host itself answered.
#[must_use]
pub fn port_state(is_udp: bool, answer: Option<&AnswerKind>, by_host: bool) -> PortState {
    match answer {
        None if is_udp => PortState::OpenOrFiltered,
        None => PortState::Filtered,
        Some(AnswerKind::SynAck { .. } | AnswerKind::UdpReply { .. }) => PortState::Open,
        Some(AnswerKind::Rst { .. }) => PortState::Closed,
        // RFC 1122 §3.2.2.1 code 3, RFC 4443 §3.1 code 4: from the host it means that no program has the port.
        Some(AnswerKind::IcmpError(error)) if by_host && is_udp => {
            let port = if error.v6 { (1, 4) } else { (3, 3) };
            if (error.kind, error.code) == port { PortState::Closed } else { PortState::Filtered }
        }
        Some(AnswerKind::IcmpError(_)) => PortState::Filtered,
        Some(_) => PortState::Unfiltered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::IcmpError;

    const fn unreachable(v6: bool, code: u8) -> AnswerKind {
        AnswerKind::IcmpError(IcmpError { v6, kind: if v6 { 1 } else { 3 }, code, mtu: 0 })
    }

    #[test]
    fn each_answer_has_its_verdict() {
        let syn_ack = AnswerKind::SynAck { seq: 1, ack: 2 };
        assert_eq!(port_state(false, Some(&syn_ack), true), PortState::Open);
        assert_eq!(port_state(false, None, false), PortState::Filtered);
        assert_eq!(port_state(true, None, false), PortState::OpenOrFiltered);
        assert_eq!(port_state(true, Some(&AnswerKind::UdpReply { data: 3 }), true), PortState::Open);
        assert_eq!(port_state(true, Some(&unreachable(false, 3)), true), PortState::Closed);
        assert_eq!(port_state(true, Some(&unreachable(true, 4)), true), PortState::Closed);
        assert_eq!(port_state(true, Some(&unreachable(false, 3)), false), PortState::Filtered);
        assert_eq!(port_state(true, Some(&unreachable(false, 13)), true), PortState::Filtered);
        // A firewall that refuses TCP by "port unreachable".
        assert_eq!(port_state(false, Some(&unreachable(false, 3)), true), PortState::Filtered);
        let challenge = AnswerKind::ChallengeAck { seq: 1, ack: 2 };
        assert_eq!(port_state(false, Some(&challenge), true), PortState::Unfiltered);
    }
}
