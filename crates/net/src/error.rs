//! Why something could not be done, by whose fault it is.

use core::fmt;

use wirewright_craft::{BuildError, FragmentError};
use wirewright_hand::Refused;
use wirewright_link::{GuardError, OsError};

use crate::names::NameError;
use crate::tcp_error::StreamError;

/// Why a session could not do what it was asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The caller's fault: a name that does not resolve, a packet that cannot be built.
    Misuse(Misuse),
    /// No way carries the packet as it was set.
    Refused(Refused),
    /// The operating system refused.
    Os(OsError),
    /// The rung of the guard that was wished for does not stand.
    Guard(GuardError),
    /// There is no address of our own to be had.
    OwnAddress(Box<StreamError>),
    /// The next hop did not answer our ARP or neighbour discovery.
    NextHopSilent {
        /// Its address.
        address: core::net::IpAddr,
        /// The interface's name.
        interface: String,
    },
    /// The next hop cannot be asked for: the interface has no address of its IP version.
    NextHopCannotBeAsked {
        /// Its address.
        address: core::net::IpAddr,
        /// The interface's name.
        interface: String,
    },
}

/// The caller's fault.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Misuse {
    /// A name gave no address.
    Name(NameError),
    /// The packet cannot be built.
    Build(BuildError),
    /// The packet cannot be cut.
    Fragment(FragmentError),
    /// A conversation begins with a TCP segment to a port, and this is none.
    NoSegment,
}

impl Error {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Misuse(Misuse::Name(NameError::Unknown { .. })) => "name-unknown",
            Self::Misuse(Misuse::Name(NameError::OtherFamily { .. } | NameError::NotAllowed { .. })) => {
                "name-other-family"
            }
            Self::Misuse(Misuse::Build(_)) => "build",
            Self::Misuse(Misuse::Fragment(error)) => error.code(),
            Self::Misuse(Misuse::NoSegment) => "no-segment",
            Self::Refused(refused) => refused.code(),
            Self::Os(error) => error.next.code(),
            Self::Guard(_) => "no-guard",
            Self::OwnAddress(error) => error.code(),
            Self::NextHopSilent { .. } => "next-hop-silent",
            Self::NextHopCannotBeAsked { .. } => "next-hop-cannot-be-asked",
        }
    }
}

impl fmt::Display for Error {
    /// The code and the facts; sentences for people are the catalogue's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misuse(Misuse::Name(error)) => write!(f, "{}: {error:?}", self.code()),
            Self::Misuse(Misuse::Build(error)) => error.fmt(f),
            Self::Misuse(Misuse::Fragment(error)) => error.fmt(f),
            Self::Misuse(Misuse::NoSegment) => f.write_str(self.code()),
            Self::Refused(refused) => write!(f, "{}: {refused:?}", refused.code()),
            Self::Os(error) => error.fmt(f),
            Self::Guard(error) => error.fmt(f),
            Self::OwnAddress(error) => error.fmt(f),
            Self::NextHopSilent { address, interface } | Self::NextHopCannotBeAsked { address, interface } => {
                write!(f, "{}: {address} on {interface}", self.code())
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<OsError> for Error {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Misuse(Misuse::Name(error))
    }
}

impl From<FragmentError> for Error {
    fn from(error: FragmentError) -> Self {
        match error {
            FragmentError::Build(error) => error.into(),
            error => Self::Misuse(Misuse::Fragment(error)),
        }
    }
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        Self::Misuse(Misuse::Build(error))
    }
}
