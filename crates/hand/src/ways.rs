//! What each way onto the wire does to each part of a packet: `reference/kernel-facts.md` §1 as data.
//!
//! Every row was measured on Linux and is a test against the running kernel; [`rows`] is what [`plan`](crate::plan) and
//! `ww plan` predict with. The first row of a subject that applies decides.

use core::fmt;

/// A way onto the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// A raw socket, `IPPROTO_RAW` with `IP_HDRINCL`: the packet begins with an IPv4 header.
    RawIpv4,
    /// A raw socket, `IPPROTO_RAW` of IPv6: the packet begins with an IPv6 header.
    RawIpv6,
    /// A packet socket: the frame begins with an Ethernet header.
    Ethernet,
}

impl Way {
    /// The word for it in output and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RawIpv4 => "raw-ipv4",
            Self::RawIpv6 => "raw-ipv6",
            Self::Ethernet => "ethernet",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One fact: what happens to a part of the packet under a condition.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// On this way.
    pub way: Way,
    /// To this part.
    pub subject: Subject,
    /// Under this condition.
    pub when: When,
    /// This happens.
    pub effect: Effect,
}

/// The part of a packet that a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A field of the IP header, by its key.
    Field(&'static str),
    /// The options of the IP header.
    Options,
    /// What stands behind the IP header.
    Payload,
    /// The packet as a whole.
    Packet,
}

/// The condition of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// None.
    Always,
    /// The field is 0.
    Zero,
    /// The field is 0 and DF is clear.
    ZeroAndDfClear,
    /// The packet ends before a whole fixed header, the IHL is below 5, or it reaches behind the packet.
    HeaderBroken,
    /// The packet ends before a whole fixed header.
    ShorterThan(usize),
    /// The header's destination is a group of this node or less (RFC 4291 §2.7, scope 1 or 0), and the interface not the
    /// loopback.
    NodeLocalGroup,
    /// The packet (on [`Way::Ethernet`] what stands behind the link header) is larger than the MTU.
    LargerThanMtu,
    /// The interface is the loopback, and what the frame carries is not IPv6, nor IPv4 that the loopback's settings let in
    /// ([`takes_ipv4_frames`](crate::Interface::takes_ipv4_frames)).
    OnDeafLoopback,
    /// The interface is down or has lost its carrier.
    LinkDown,
    /// The interface is not an Ethernet.
    NotEthernet,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It leaves as given.
    AsGiven,
    /// The kernel writes this over it.
    Written(Writing),
    /// The system call fails, nothing leaves.
    Refused(Errno),
    /// The system call succeeds and nobody gets it.
    Lost,
    /// The way does not exist there.
    Impossible,
}

/// What the kernel writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// The number of bytes handed over.
    TotalLength,
    /// The right sum of the header as it leaves.
    HeaderChecksum,
    /// A number of its own choice.
    AnyIdentification,
    /// The source address of the route.
    RouteSource,
}

/// The errors that the table predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// Invalid argument.
    Einval,
    /// Message too long.
    Emsgsize,
    /// Network is down.
    Enetdown,
}

impl Errno {
    /// The name in `errno.h`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Einval => "EINVAL",
            Self::Emsgsize => "EMSGSIZE",
            Self::Enetdown => "ENETDOWN",
        }
    }

    /// Linux's number on every architecture that Rust's standard library runs on but MIPS and SPARC.
    #[must_use]
    pub const fn linux_number(self) -> i32 {
        match self {
            Self::Einval => 22,
            Self::Emsgsize => 90,
            Self::Enetdown => 100,
        }
    }
}

const fn row(way: Way, subject: Subject, when: When, effect: Effect) -> Row {
    Row { way, subject, when, effect }
}

/// The table. Rows of one way stand together; of one subject, the narrower condition stands first.
pub static TABLE: &[Row] = {
    use Effect::{AsGiven, Impossible, Lost, Refused, Written};
    use Subject::{Field, Options, Packet, Payload};
    use Way::{Ethernet, RawIpv4, RawIpv6};
    use When::{
        Always, HeaderBroken, LargerThanMtu, LinkDown, NodeLocalGroup, NotEthernet, OnDeafLoopback, ShorterThan, Zero,
        ZeroAndDfClear,
    };
    &[
        row(RawIpv4, Packet, HeaderBroken, Refused(Errno::Einval)),
        row(RawIpv4, Packet, LargerThanMtu, Refused(Errno::Emsgsize)),
        row(RawIpv4, Field("ver"), Always, AsGiven),
        row(RawIpv4, Field("ihl"), Always, AsGiven),
        row(RawIpv4, Field("tos"), Always, AsGiven),
        row(RawIpv4, Field("len"), Always, Written(Writing::TotalLength)),
        row(RawIpv4, Field("id"), ZeroAndDfClear, Written(Writing::AnyIdentification)),
        row(RawIpv4, Field("id"), Always, AsGiven),
        row(RawIpv4, Field("evil"), Always, AsGiven),
        row(RawIpv4, Field("df"), Always, AsGiven),
        row(RawIpv4, Field("mf"), Always, AsGiven),
        row(RawIpv4, Field("off"), Always, AsGiven),
        row(RawIpv4, Field("ttl"), Always, AsGiven),
        row(RawIpv4, Field("proto"), Always, AsGiven),
        row(RawIpv4, Field("sum"), Always, Written(Writing::HeaderChecksum)),
        row(RawIpv4, Field("src"), Zero, Written(Writing::RouteSource)),
        row(RawIpv4, Field("src"), Always, AsGiven),
        row(RawIpv4, Field("dst"), Always, AsGiven),
        row(RawIpv4, Options, Always, AsGiven),
        row(RawIpv4, Payload, Always, AsGiven),
        row(RawIpv6, Packet, ShorterThan(40), Refused(Errno::Einval)),
        row(RawIpv6, Packet, LargerThanMtu, Refused(Errno::Emsgsize)),
        row(RawIpv6, Packet, NodeLocalGroup, Lost),
        row(RawIpv6, Field("ver"), Always, AsGiven),
        row(RawIpv6, Field("tc"), Always, AsGiven),
        row(RawIpv6, Field("flow"), Always, AsGiven),
        row(RawIpv6, Field("len"), Always, AsGiven),
        row(RawIpv6, Field("nh"), Always, AsGiven),
        row(RawIpv6, Field("hlim"), Always, AsGiven),
        row(RawIpv6, Field("src"), Always, AsGiven),
        row(RawIpv6, Field("dst"), Always, AsGiven),
        row(RawIpv6, Payload, Always, AsGiven),
        row(Ethernet, Packet, NotEthernet, Impossible),
        row(Ethernet, Packet, OnDeafLoopback, Lost),
        row(Ethernet, Packet, LinkDown, Refused(Errno::Enetdown)),
        row(Ethernet, Packet, ShorterThan(14), Refused(Errno::Einval)),
        row(Ethernet, Packet, LargerThanMtu, Refused(Errno::Emsgsize)),
        row(Ethernet, Payload, Always, AsGiven),
    ]
};

/// The rows of one way.
pub fn rows(way: Way) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.way == way)
}
