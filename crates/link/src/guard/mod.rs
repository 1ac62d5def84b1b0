//! The guard: the local kernel is kept quiet about a port whose segments are made by hand.
//!
//! In: a local address and a port, or any free one.
//! Out: a [`Guard`] that lives as long as the port is to be ours, and says by which rung; nothing is left when the process dies.
//! Above: net, cli. Below: ordinary sockets through `sys`; no capability is needed.
//! Not here: any firewall rule.
//!
//! Without it the kernel answers a SYN-ACK for a port that no socket owns with RST (within 10 µs), and a datagram with
//! port unreachable. The rungs are tried from the first; each has a file of its own.

mod md5_listener;
mod udp_port;

#[cfg(test)]
mod tests;

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use crate::error::{Call, Operation, OsError};
use crate::sys::{Address, Errno, Family, Kernel, Kind, SocketOption};

/// Keeps the kernel quiet about one port, and reserves it, until it is dropped.
#[derive(Debug)]
pub struct Guard {
    local: SocketAddr,
    rung: Rung,
    kernel: Arc<dyn Kernel>,
    socket: OwnedFd,
}

/// `SK_MEMINFO_DROPS` of linux/sock_diag.h: where the count of what was dropped stands among the words of `SO_MEMINFO`.
const DROPS_WORD: usize = 8;
/// `SK_MEMINFO_VARS`.
const MEMINFO_WORDS: usize = 9;

/// How a guard works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rung {
    /// A listener with a TCP-MD5 key for any peer: segments without the option are dropped in silence.
    Md5Listener,
    /// A UDP socket bound to the port.
    UdpPort,
}

impl Rung {
    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Md5Listener => "md5-listener",
            Self::UdpPort => "udp-port",
        }
    }
}

/// Why there is no guard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuardError {
    /// The address is none of this machine's: the kernel answers nothing there, and no guard is needed.
    AddressNotLocal {
        /// The address.
        address: IpAddr,
    },
    /// The port cannot be reserved: in use, or below 1024 without the right.
    Port(OsError),
    /// No rung works here.
    Unavailable {
        /// What was tried, and what the kernel said.
        tried: Vec<(Rung, OsError)>,
    },
}

impl Guard {
    /// Guards TCP on `local`; port 0 takes any free one. It serves both roles: a hand-made client, and a hand-made server.
    ///
    /// **Errors**: see [`GuardError`].
    pub fn tcp(kernel: &Arc<dyn Kernel>, local: SocketAddr) -> Result<Self, GuardError> {
        let socket = reserve(&**kernel, Kind::Stream, local)?;
        match md5_listener::arm(&**kernel, socket.as_fd(), local.ip()) {
            Ok(()) => Self::new(kernel, socket, local, Rung::Md5Listener),
            // Between bind and listen another listener may have taken the port.
            Err(error) if error.errno == Errno::EADDRINUSE => Err(GuardError::Port(error.at_address(local))),
            Err(error) => Err(GuardError::Unavailable { tried: vec![(Rung::Md5Listener, error.at_address(local))] }),
        }
    }

    /// Guards UDP on `local`; port 0 takes any free one.
    ///
    /// **Errors**: see [`GuardError`].
    pub fn udp(kernel: &Arc<dyn Kernel>, local: SocketAddr) -> Result<Self, GuardError> {
        let socket = reserve(&**kernel, Kind::Datagram, local)?;
        udp_port::arm(&**kernel, socket.as_fd());
        Self::new(kernel, socket, local, Rung::UdpPort)
    }

    fn new(kernel: &Arc<dyn Kernel>, socket: OwnedFd, local: SocketAddr, rung: Rung) -> Result<Self, GuardError> {
        let bound = kernel.local_address(socket.as_fd());
        let bound = bound.map_err(|errno| failed("getsockname", local, errno))?;
        Ok(Self { local: bound.ip().unwrap_or(local), rung, kernel: Arc::clone(kernel), socket })
    }

    /// The address and port that are guarded.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// The port that is guarded.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.local.port()
    }

    /// How it works.
    #[must_use]
    pub const fn rung(&self) -> Rung {
        self.rung
    }

    /// How many segments or datagrams the kernel has dropped at this guard so far instead of answering them; it wraps.
    /// `None` where the kernel does not tell.
    #[must_use]
    pub fn dropped(&self) -> Option<u32> {
        let mut words = [0; MEMINFO_WORDS * 4];
        let len = self.kernel.option(self.socket.as_fd(), SocketOption::SO_MEMINFO, &mut words).ok()?;
        let word = words[..len.min(words.len())].chunks_exact(4).nth(DROPS_WORD)?;
        Some(u32::from_ne_bytes(word.try_into().ok()?))
    }
}

/// A socket bound to `local`, of its family only.
fn reserve(kernel: &dyn Kernel, kind: Kind, local: SocketAddr) -> Result<OwnedFd, GuardError> {
    let family = if local.is_ipv4() { Family::V4 } else { Family::V6 };
    let socket = kernel.socket(family, kind, 0).map_err(|errno| failed("socket", local, errno))?;
    let on = 1i32.to_ne_bytes();
    let set = |option: SocketOption| kernel.set_option(socket.as_fd(), option, &on);
    if family == Family::V6 {
        // With one key a listener for both families would let the kernel answer the other one.
        set(SocketOption::IPV6_V6ONLY).map_err(|errno| option_failed(SocketOption::IPV6_V6ONLY, local, errno))?;
    }
    if kind == Kind::Stream && local.port() != 0 {
        // What an earlier conversation left in TIME-WAIT does not keep the port. A listener still does.
        set(SocketOption::SO_REUSEADDR).map_err(|errno| option_failed(SocketOption::SO_REUSEADDR, local, errno))?;
    }
    match kernel.bind(socket.as_fd(), &Address::Ip(local)) {
        Ok(()) => Ok(socket),
        Err(Errno::EADDRNOTAVAIL) => Err(GuardError::AddressNotLocal { address: local.ip() }),
        Err(errno) => Err(failed("bind", local, errno)),
    }
}

fn failed(call: &'static str, local: SocketAddr, errno: Errno) -> GuardError {
    GuardError::Port(OsError::new(Operation::ReservePort, call, errno).at_address(local))
}

fn option_failed(option: SocketOption, local: SocketAddr, errno: Errno) -> GuardError {
    GuardError::Port(OsError::option(Operation::ReservePort, option.name(), errno).at_address(local))
}

impl fmt::Display for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressNotLocal { address } => write!(f, "{address} is none of this machine's addresses"),
            Self::Port(error) => error.fmt(f),
            Self::Unavailable { tried } => {
                f.write_str("no guard")?;
                for (rung, error) in tried {
                    write!(f, "; {}: {error}", rung.code())?;
                }
                Ok(())
            }
        }
    }
}

impl core::error::Error for GuardError {}

/// The error of a call that is not about an option.
fn call_failed(call: &'static str, errno: Errno) -> OsError {
    let at = crate::error::Circumstances::default();
    OsError::about(Operation::OpenGuard, Call { name: call, option: None }, errno, at)
}
