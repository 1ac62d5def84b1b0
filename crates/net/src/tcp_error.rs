//! Why a stream or a listener failed; inside `std::io::Error`, so that both programs and people get what they need.

use core::fmt;
use core::net::IpAddr;
use std::io;

use wirewright_hand::MacAddr;
use wirewright_link::{GuardError, OsError};
use wirewright_stack::{Discard, Misuse, Trouble};
use wirewright_tcp::Ended;

/// The reason inside the [`io::Error`] of a [`TcpStream`](crate::TcpStream) or a [`TcpListener`](crate::TcpListener).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// The operating system refused.
    Os(OsError),
    /// The port cannot be guarded.
    Guard(GuardError),
    /// The kernel has no route there, or one that refuses.
    NoRoute {
        /// A rule forbids it.
        prohibited: bool,
    },
    /// There is no interface of this name.
    NoInterface {
        /// The name.
        name: String,
    },
    /// The interface has no Ethernet address.
    NotEthernet {
        /// Its name.
        name: String,
    },
    /// The address that was to be ours is no single host's: the network's own, or that of everybody on it.
    AddressOfAll {
        /// The address.
        address: IpAddr,
    },
    /// The address that was to be ours lies in no network of the interface: nobody would look for it there.
    AddressElsewhere {
        /// The address.
        address: IpAddr,
        /// The interface's name.
        name: String,
    },
    /// The interface has no network with an address that is free.
    NoFreeAddress {
        /// Its name.
        name: String,
    },
    /// Somebody on the link has the address that was to be ours.
    AddressTaken {
        /// The address.
        address: IpAddr,
        /// Who; `None`: this machine's kernel.
        by: Option<MacAddr>,
    },
    /// The caller's fault.
    Misuse(Misuse),
    /// The connection ended.
    Ended(Ended),
    /// A router or the peer said by ICMP that it cannot be reached.
    Unreachable(Trouble),
    /// The caller's own time-out.
    TimedOut {
        /// Why the last packet that came could not be taken; `None` where none came, or the last one was taken.
        last: Option<Discard>,
    },
    /// The engine's thread has ended.
    EngineGone,
}

impl StreamError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Os(error) => error.next.code(),
            Self::Guard(GuardError::Port(error)) => error.next.code(),
            Self::Guard(_) => "no-guard",
            Self::NoRoute { .. } => "no-route",
            Self::NoInterface { .. } => "no-interface",
            Self::NotEthernet { .. } => "not-ethernet",
            Self::AddressElsewhere { .. } => "address-elsewhere",
            Self::AddressOfAll { .. } => "address-of-all",
            Self::NoFreeAddress { .. } => "no-free-address",
            Self::AddressTaken { .. } => "address-taken",
            Self::Misuse(_) => "misuse",
            Self::Ended(Ended::Refused) => "refused",
            Self::Ended(Ended::ResetByPeer) => "reset-by-peer",
            Self::Ended(Ended::TimedOut) | Self::TimedOut { .. } => "timed-out",
            Self::Ended(Ended::Unreachable) => "unreachable",
            Self::Ended(_) => "ended",
            Self::Unreachable(trouble) => trouble.kind.code(),
            Self::EngineGone => "engine-gone",
        }
    }

    /// The reason inside an error of a stream or listener.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Os(error) | Self::Guard(GuardError::Port(error)) => {
                io::Error::from_raw_os_error(error.errno.raw()).kind()
            }
            Self::Guard(GuardError::AddressNotLocal { .. }) => io::ErrorKind::AddrNotAvailable,
            Self::Guard(_) => io::ErrorKind::Unsupported,
            Self::NoRoute { prohibited: true } => io::ErrorKind::PermissionDenied,
            Self::NoRoute { .. } => io::ErrorKind::NetworkUnreachable,
            Self::NoInterface { .. } => io::ErrorKind::NotFound,
            Self::NotEthernet { .. } => io::ErrorKind::Unsupported,
            Self::NoFreeAddress { .. } | Self::AddressElsewhere { .. } | Self::AddressOfAll { .. } => {
                io::ErrorKind::AddrNotAvailable
            }
            Self::AddressTaken { .. } => io::ErrorKind::AddrInUse,
            Self::Misuse(Misuse::PortInUse) => io::ErrorKind::AddrInUse,
            Self::Misuse(Misuse::NoSuchSocket | Misuse::Tcp(_)) => io::ErrorKind::NotConnected,
            Self::Misuse(_) => io::ErrorKind::InvalidInput,
            Self::Ended(Ended::Refused) => io::ErrorKind::ConnectionRefused,
            Self::Ended(Ended::ResetByPeer) => io::ErrorKind::ConnectionReset,
            Self::Ended(Ended::TimedOut) | Self::TimedOut { .. } => io::ErrorKind::TimedOut,
            Self::Ended(Ended::Unreachable) | Self::Unreachable(_) => io::ErrorKind::HostUnreachable,
            Self::Ended(_) => io::ErrorKind::ConnectionAborted,
            Self::EngineGone => io::ErrorKind::Other,
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Os(error) => error.fmt(f),
            Self::Guard(error) => error.fmt(f),
            Self::NoRoute { prohibited: true } => f.write_str("a route forbids it"),
            Self::NoRoute { .. } => f.write_str("there is no route there"),
            Self::NoInterface { name } => write!(f, "there is no interface {name}"),
            Self::NotEthernet { name } => write!(f, "{name} has no Ethernet address"),
            Self::AddressElsewhere { address, name } => write!(f, "{address} lies in no network of {name}"),
            Self::AddressOfAll { address } => write!(f, "{address} is the address of no single host"),
            Self::NoFreeAddress { name } => write!(f, "{name} has no network with a free address"),
            Self::AddressTaken { address, by: Some(mac) } => write!(f, "{address} is taken: {mac} answers for it"),
            Self::AddressTaken { address, by: None } => write!(f, "{address} is taken: this machine's kernel has it"),
            Self::Misuse(error) => error.fmt(f),
            Self::Ended(ended) => wirewright_tcp::CallError::Ended(*ended).fmt(f),
            Self::Unreachable(trouble) => write!(f, "{} says: {}", trouble.from, trouble.kind.code()),
            Self::TimedOut { last: None } => f.write_str("nothing came in time"),
            Self::TimedOut { last: Some(reason) } => write!(f, "nothing of use came in time: {}", reason.code()),
            Self::EngineGone => f.write_str("the thread that carries its packets has ended"),
        }
    }
}

impl core::error::Error for StreamError {}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        Self::new(error.kind(), error)
    }
}

impl From<OsError> for StreamError {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl From<GuardError> for StreamError {
    fn from(error: GuardError) -> Self {
        Self::Guard(error)
    }
}

impl From<Misuse> for StreamError {
    fn from(error: Misuse) -> Self {
        match error {
            Misuse::Tcp(wirewright_tcp::CallError::Ended(ended)) => Self::Ended(ended),
            error => Self::Misuse(error),
        }
    }
}
