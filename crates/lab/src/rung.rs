//! The rungs of the lab: what it can stand on, best first.

use core::fmt;

/// What the lab stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// A user namespace and a network namespace a host: no privilege needed, nothing of the machine can be touched.
    UserNamespace,
    /// A network namespace a host: needs root.
    NetworkNamespace,
    /// This machine's loopback with `CAP_NET_RAW`: no router, no silent host.
    Loopback,
    /// Nothing is sent at all.
    InProcess,
}

impl Rung {
    /// All rungs, best first.
    pub const ALL: [Self; 4] = [Self::UserNamespace, Self::NetworkNamespace, Self::Loopback, Self::InProcess];

    /// Whether client, routers and server have networks of their own.
    #[must_use]
    pub const fn has_networks(self) -> bool {
        matches!(self, Self::UserNamespace | Self::NetworkNamespace)
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserNamespace => "user and network namespaces",
            Self::NetworkNamespace => "network namespaces",
            Self::Loopback => "this machine's loopback",
            Self::InProcess => "in process",
        })
    }
}
