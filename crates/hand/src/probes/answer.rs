//! What an answer is.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use wirewright_units::Instant;
use wirewright_wire::MacAddr;
use wirewright_wire::tcp::Flags;

use super::ProbeId;

/// An answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The probe that it answers.
    pub probe: ProbeId,
    /// What it says.
    pub kind: AnswerKind,
    /// Who says it, through a tunnel the one at its end; `None` where the packet has no IP source (ARP names it in [`AnswerKind::ArpReply`]).
    pub from: Option<IpAddr>,
    /// When it arrived.
    pub at: Instant,
    /// From the moment the probe left until this arrived.
    pub rtt: Duration,
    /// The first answer, or one more.
    pub order: Order,
    /// What somebody on the way rewrote in the packet that an ICMP error quotes.
    pub rewritten: Vec<Rewritten>,
}

/// The place of an answer among those to its probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// The first, in time.
    First,
    /// One more by another host, to a probe that went to many.
    Another,
    /// One more.
    Duplicate,
    /// The probe's time was over.
    Late,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerKind {
    /// A SYN-ACK that acknowledges the probe's SYN: the port is open.
    SynAck {
        /// Its sequence number.
        seq: u32,
        /// Its acknowledgement number.
        ack: u32,
    },
    /// A reset made for this probe (RFC 9293 §3.5.2).
    Rst {
        /// All its flags.
        flags: Flags,
    },
    /// A bare ACK to a SYN: the peer holds this 4-tuple already (a challenge ACK, RFC 5961 §4).
    ChallengeAck {
        /// Its sequence number.
        seq: u32,
        /// Its acknowledgement number.
        ack: u32,
    },
    /// Any other segment of the probe's connection.
    Segment {
        /// Its flags.
        flags: Flags,
        /// Its sequence number.
        seq: u32,
        /// Its acknowledgement number.
        ack: u32,
        /// It acknowledges the whole probe.
        acknowledges: bool,
        /// Bytes of data in it.
        data: usize,
    },
    /// A datagram from the port that was asked.
    UdpReply {
        /// Its bytes of data.
        data: usize,
    },
    /// The echo reply to an echo request: same id, sequence number and data.
    EchoReply {
        /// Id.
        id: u16,
        /// Sequence number.
        seq: u16,
        /// Bytes of data.
        data: usize,
    },
    /// The reply to another ICMP question (timestamp, address mask, router solicitation).
    IcmpReply {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
    /// An ICMP error that quotes the probe.
    IcmpError(IcmpError),
    /// An ARP reply for the address that was asked.
    ArpReply {
        /// Whose.
        address: core::net::Ipv4Addr,
        /// Where it is.
        mac: MacAddr,
    },
    /// A neighbour advertisement for the address that was asked.
    NdpAdvert {
        /// Whose.
        address: core::net::Ipv6Addr,
        /// Where it is, if it says so.
        mac: Option<MacAddr>,
    },
    /// A packet of the same protocol from the host that was asked.
    Other {
        /// The protocol.
        protocol: u8,
    },
}

impl AnswerKind {
    /// The stable word, in JSON and as the catalogue's key `answer.WORD`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SynAck { .. } => "syn-ack",
            Self::Rst { .. } => "rst",
            Self::ChallengeAck { .. } => "challenge-ack",
            Self::Segment { .. } => "segment",
            Self::UdpReply { .. } => "udp-reply",
            Self::EchoReply { .. } => "echo-reply",
            Self::IcmpReply { .. } => "icmp-reply",
            Self::IcmpError(_) => "icmp-error",
            Self::ArpReply { .. } => "arp-reply",
            Self::NdpAdvert { .. } => "ndp-advert",
            Self::Other { .. } => "other",
        }
    }

    /// The flags, where the answer is a TCP segment.
    #[must_use]
    pub const fn tcp_flags(&self) -> Option<Flags> {
        match *self {
            Self::SynAck { .. } => Some(Flags::SYN.union(Flags::ACK)),
            Self::ChallengeAck { .. } => Some(Flags::ACK),
            Self::Rst { flags } | Self::Segment { flags, .. } => Some(flags),
            _ => None,
        }
    }

    /// After it no other answer is awaited. A redirect and a source quench leave the packet on its way.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::IcmpError(IcmpError { v6: false, kind: 4 | 5, .. }))
    }
}

/// An ICMP error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// ICMPv6, not ICMPv4.
    pub v6: bool,
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// The next hop's MTU, where the message carries one: 0 says nothing.
    pub mtu: u32,
}

impl IcmpError {
    /// The types of ICMPv4 that are errors: unreachable, source quench, redirect, time exceeded, parameter problem. In ICMPv6
    /// all below 128 are.
    pub const V4: [u8; 5] = [3, 4, 5, 11, 12];
}

/// A field of a quoted packet that is not as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rewritten {
    /// The source address.
    Source,
    /// The destination address.
    Destination,
    /// The source port, or the id of an echo.
    SourcePort,
    /// The destination port.
    DestinationPort,
    /// The identification or the flow label.
    Identification,
    /// The TCP sequence number.
    Sequence,
}

/// What a comparison found.
pub(super) struct Match {
    pub(super) kind: AnswerKind,
    pub(super) rewritten: Vec<Rewritten>,
    /// How much of a quote agrees, in bits; 0 where nothing is quoted.
    pub(super) likeness: u32,
    /// No other probe is more alike.
    pub(super) is_whole: bool,
    /// Who says it, where that is not the source of the packet: it came through a tunnel.
    pub(super) from: Option<IpAddr>,
}
