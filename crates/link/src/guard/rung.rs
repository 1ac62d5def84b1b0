//! The rungs of the ladder by their stable codes, in the order in which they are tried.

/// How a guard works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rung {
    /// A listener with a TCP-MD5 key for any peer: segments without the option are dropped in silence.
    Md5Listener,
    /// A listener that takes nothing below TTL 255. A peer whose segments arrive with TTL 255 is not covered.
    MinTtl,
    /// A listener with a socket filter that lets nothing in.
    DropFilter,
    /// An address that the kernel does not have, on the link of one of its interfaces.
    OwnAddress,
    /// An nftables table of ours that drops the kernel's resets, and goes with our socket.
    NftOwner,
    /// A UDP socket bound to the port.
    UdpPort,
}

impl Rung {
    /// Those that keep the kernel quiet about a TCP conversation, in the order of the ladder.
    pub const LADDER: [Self; 5] = [Self::Md5Listener, Self::MinTtl, Self::DropFilter, Self::OwnAddress, Self::NftOwner];

    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Md5Listener => "md5-listener",
            Self::MinTtl => "min-ttl",
            Self::DropFilter => "drop-filter",
            Self::OwnAddress => "own-address",
            Self::NftOwner => "nft-owner",
            Self::UdpPort => "udp-port",
        }
    }

    /// The rung of the ladder with this code.
    #[must_use]
    pub fn with_code(code: &str) -> Option<Self> {
        Self::LADDER.into_iter().find(|rung| rung.code() == code)
    }

    /// Whether it keeps the kernel quiet whatever the peer sends.
    #[must_use]
    pub const fn covers_every_peer(self) -> bool {
        !matches!(self, Self::MinTtl)
    }
}
