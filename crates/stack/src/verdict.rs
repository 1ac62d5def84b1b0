//! What became of a frame, and how often.

use alloc::collections::BTreeMap;

use wirewright_tcp as tcp;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was processed to its end.
    Accepted,
    /// It was dropped, for this reason.
    Discarded(Discard),
}

/// Why a frame was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Discard {
    /// It ends inside a header, or a length in it leads beyond its end.
    Malformed,
    /// Its Ethernet address is not ours.
    ForAnotherMac,
    /// It is neither IP nor ARP.
    UnknownEtherType,
    /// Its IP version is neither 4 nor 6.
    UnknownVersion,
    /// The checksum of its IPv4 header is wrong.
    HeaderChecksum,
    /// Its IP address is not ours.
    ForAnotherHost,
    /// Its source is no address of one host.
    StrangeSource,
    /// It is a fragment; fragments are joined below, or not at all.
    Fragment,
    /// Its upper protocol is none of ours.
    UnknownProtocol,
    /// The checksum of its segment, datagram or message is wrong.
    Checksum,
    /// A segment that belongs to nothing; reset.
    NoSuchConnection,
    /// A connection attempt, and the listener has as many to be accepted as it may.
    AcceptQueueFull,
    /// A connection attempt, and the host has as many connections as it may.
    TooManyConnections,
    /// A datagram to a port that nobody has.
    NoSuchPort,
    /// A datagram, and its socket has as many unread as it may.
    ReceiveQueueFull,
    /// An ICMP message that is none of ours to act on.
    IgnoredIcmp,
    /// An ICMP error whose quote is of nothing that we sent.
    QuoteOfNothing,
    /// TCP's reason.
    Tcp(tcp::Discard),
}

impl Discard {
    /// A stable code for counters and output.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::ForAnotherMac => "for-another-mac",
            Self::UnknownEtherType => "unknown-ether-type",
            Self::UnknownVersion => "unknown-ip-version",
            Self::HeaderChecksum => "bad-header-checksum",
            Self::ForAnotherHost => "for-another-host",
            Self::StrangeSource => "strange-source",
            Self::Fragment => "fragment",
            Self::UnknownProtocol => "unknown-protocol",
            Self::Checksum => "bad-checksum",
            Self::NoSuchConnection => "no-such-connection",
            Self::AcceptQueueFull => "accept-queue-full",
            Self::TooManyConnections => "too-many-connections",
            Self::NoSuchPort => "no-such-port",
            Self::ReceiveQueueFull => "receive-queue-full",
            Self::IgnoredIcmp => "ignored-icmp",
            Self::QuoteOfNothing => "quote-of-nothing",
            Self::Tcp(reason) => reason.code(),
        }
    }
}

/// What a host has counted since it was made.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Frames processed to their end.
    pub accepted: u64,
    /// Segments and datagrams whose checksum was right, by our own sum or the link's word.
    pub sums_right: u64,
    /// Segments and datagrams whose checksum field held the folded pseudo-header.
    pub sums_partial: u64,
    /// Half-open connections that were forgotten for newer ones.
    pub half_open_forgotten: u64,
    /// Packets that had no route, no neighbour, or no room to wait.
    pub unsent: u64,
    /// Packets sent; a super-segment counts as one where the link cuts it.
    pub sent: u64,
    discarded: BTreeMap<Discard, u64>,
}

impl Counters {
    /// Frames dropped for this reason.
    #[must_use]
    pub fn discarded(&self, reason: Discard) -> u64 {
        self.discarded.get(&reason).copied().unwrap_or(0)
    }

    /// Each reason for which a frame was dropped, and how often.
    pub fn all_discarded(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        self.discarded.iter().map(|(&reason, &count)| (reason, count))
    }

    pub(crate) fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Accepted => self.accepted += 1,
            Verdict::Discarded(reason) => *self.discarded.entry(reason).or_default() += 1,
        }
    }
}
