//! The guard: the local kernel is kept quiet about a port whose segments are made by hand.
//!
//! In: a local address and a port, or any free one.
//! Out: a [`Guard`] that lives as long as the port is to be ours, and says by which rung; nothing is left when the process dies.
//! Above: net, cli. Below: ordinary sockets through `sys`; the first two rungs need no capability.
//! Not here: an address of our own, which needs no guard (net).
//!
//! Without it the kernel answers a SYN-ACK for a port that no socket owns with RST (within 10 µs), and a datagram with
//! port unreachable. The rungs are tried from the first; each has a file of its own.

mod drop_filter;
mod md5_listener;
mod min_ttl;
mod nft_owner;
mod rung;
mod udp_port;

#[cfg(test)]
mod tests;

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

pub use rung::Rung;

use crate::error::{Call, Operation, OsError};
use crate::netlink::Netlink;
use crate::sys::{Address, Errno, Family, Kernel, Kind, SocketOption};

/// Keeps the kernel quiet about one port, and reserves it, until it is dropped.
#[derive(Debug)]
pub struct Guard {
    local: SocketAddr,
    rung: Rung,
    kernel: Arc<dyn Kernel>,
    /// Who owns the table of [`Rung::NftOwner`]; it goes before the port does.
    _table: Option<Netlink>,
    socket: OwnedFd,
}

/// `SK_MEMINFO_DROPS` of linux/sock_diag.h: where the count of what was dropped stands among the words of `SO_MEMINFO`.
const DROPS_WORD: usize = 8;
/// `SK_MEMINFO_VARS`.
const MEMINFO_WORDS: usize = 9;

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
    /// This rung guards no TCP port of the kernel.
    NotOfAPort {
        /// The rung.
        rung: Rung,
    },
}

impl Guard {
    /// Guards TCP on `local` by the first rung that works; port 0 takes any free one. It serves both roles: a hand-made
    /// client, and a hand-made server.
    ///
    /// A rung that does not cover every peer is taken only where none behind it works.
    ///
    /// **Errors**: see [`GuardError`].
    pub fn tcp(kernel: &Arc<dyn Kernel>, local: SocketAddr) -> Result<Self, GuardError> {
        let socket = reserve(&**kernel, Kind::Stream, local, Sharing::WithTimeWait)?;
        let mut tried = Vec::new();
        let mut partial = None;
        for rung in [Rung::Md5Listener, Rung::MinTtl, Rung::DropFilter] {
            match set(&**kernel, socket.as_fd(), local.ip(), rung) {
                Ok(()) if rung.covers_every_peer() => return Self::listening(kernel, socket, local, rung),
                Ok(()) => partial = Some(rung),
                Err(error) => tried.push((rung, error.at_address(local))),
            }
        }
        let bound = bound(&**kernel, socket.as_fd(), local)?;
        match (partial, nft_owner::raise(kernel, bound)) {
            (_, Ok(table)) => {
                // This rung shares the port with nobody, and takes it anew.
                drop(socket);
                let socket = reserve(&**kernel, Kind::Stream, bound, Sharing::WithNobody)?;
                Self::new(kernel, socket, bound, Rung::NftOwner, Some(table))
            }
            (Some(rung), Err(_)) => Self::listening(kernel, socket, local, rung),
            (None, Err(error)) => {
                tried.push((Rung::NftOwner, error.at_address(bound)));
                Err(GuardError::Unavailable { tried })
            }
        }
    }

    /// As [`tcp`](Self::tcp), by this rung and no other.
    ///
    /// **Errors**: see [`GuardError`].
    pub fn tcp_by(kernel: &Arc<dyn Kernel>, local: SocketAddr, rung: Rung) -> Result<Self, GuardError> {
        let refused = |error: OsError| GuardError::Unavailable { tried: vec![(rung, error.at_address(local))] };
        match rung {
            Rung::Md5Listener | Rung::MinTtl | Rung::DropFilter => {
                let socket = reserve(&**kernel, Kind::Stream, local, Sharing::WithTimeWait)?;
                set(&**kernel, socket.as_fd(), local.ip(), rung).map_err(refused)?;
                Self::listening(kernel, socket, local, rung)
            }
            Rung::NftOwner => {
                let socket = reserve(&**kernel, Kind::Stream, local, Sharing::WithNobody)?;
                let bound = bound(&**kernel, socket.as_fd(), local)?;
                let table = nft_owner::raise(kernel, bound).map_err(refused)?;
                Self::new(kernel, socket, bound, rung, Some(table))
            }
            Rung::OwnAddress | Rung::UdpPort => Err(GuardError::NotOfAPort { rung }),
        }
    }

    /// Guards UDP on `local`; port 0 takes any free one.
    ///
    /// **Errors**: see [`GuardError`].
    pub fn udp(kernel: &Arc<dyn Kernel>, local: SocketAddr) -> Result<Self, GuardError> {
        let socket = reserve(&**kernel, Kind::Datagram, local, Sharing::WithNobody)?;
        udp_port::arm(&**kernel, socket.as_fd());
        Self::new(kernel, socket, local, Rung::UdpPort, None)
    }

    /// The socket is armed: from now on the kernel finds it.
    fn listening(kernel: &Arc<dyn Kernel>, socket: OwnedFd, local: SocketAddr, rung: Rung) -> Result<Self, GuardError> {
        match kernel.listen(socket.as_fd(), 0).map_err(|errno| call_failed("listen", errno).at_address(local)) {
            Ok(()) => Self::new(kernel, socket, local, rung, None),
            // Between bind and listen another listener may have taken the port.
            Err(error) if error.errno == Errno::EADDRINUSE => Err(GuardError::Port(error)),
            Err(error) => Err(GuardError::Unavailable { tried: vec![(rung, error)] }),
        }
    }

    fn new(
        kernel: &Arc<dyn Kernel>,
        socket: OwnedFd,
        local: SocketAddr,
        rung: Rung,
        table: Option<Netlink>,
    ) -> Result<Self, GuardError> {
        let local = bound(&**kernel, socket.as_fd(), local)?;
        Ok(Self { local, rung, kernel: Arc::clone(kernel), _table: table, socket })
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
        if self.rung == Rung::NftOwner {
            // What is dropped there are the kernel's own answers, and no socket counts them.
            return None;
        }
        let mut words = [0; MEMINFO_WORDS * 4];
        let len = self.kernel.option(self.socket.as_fd(), SocketOption::SO_MEMINFO, &mut words).ok()?;
        let word = words[..len.min(words.len())].chunks_exact(4).nth(DROPS_WORD)?;
        Some(u32::from_ne_bytes(word.try_into().ok()?))
    }
}

/// Who else may have the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    /// Nobody: without a listener only this keeps others off.
    WithNobody,
    /// What an earlier conversation left in TIME-WAIT. Another listener may not.
    WithTimeWait,
}

/// Makes a bound socket one at which the kernel drops what comes, once it listens.
fn set(kernel: &dyn Kernel, socket: BorrowedFd<'_>, local: IpAddr, rung: Rung) -> Result<(), OsError> {
    match rung {
        Rung::MinTtl => min_ttl::set(kernel, socket, local),
        Rung::DropFilter => drop_filter::set(kernel, socket),
        _ => md5_listener::set(kernel, socket, local),
    }
}

/// The address that a socket is bound to.
fn bound(kernel: &dyn Kernel, socket: BorrowedFd<'_>, local: SocketAddr) -> Result<SocketAddr, GuardError> {
    let bound = kernel.local_address(socket).map_err(|errno| failed("getsockname", local, errno))?;
    Ok(bound.ip().unwrap_or(local))
}

/// A socket bound to `local`, of its family only.
fn reserve(kernel: &dyn Kernel, kind: Kind, local: SocketAddr, sharing: Sharing) -> Result<OwnedFd, GuardError> {
    let family = if local.is_ipv4() { Family::V4 } else { Family::V6 };
    let socket = kernel.socket(family, kind, 0).map_err(|errno| failed("socket", local, errno))?;
    let on = 1i32.to_ne_bytes();
    let set = |option: SocketOption| kernel.set_option(socket.as_fd(), option, &on);
    if family == Family::V6 {
        // With one key a listener for both families would let the kernel answer the other one.
        set(SocketOption::IPV6_V6ONLY).map_err(|errno| option_failed(SocketOption::IPV6_V6ONLY, local, errno))?;
    }
    if sharing == Sharing::WithTimeWait && local.port() != 0 {
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
            Self::NotOfAPort { rung } => write!(f, "{} guards no TCP port of the kernel", rung.code()),
        }
    }
}

impl core::error::Error for GuardError {}

/// The error of a call that is not about an option.
fn call_failed(call: &'static str, errno: Errno) -> OsError {
    let at = crate::error::Circumstances::default();
    OsError::about(Operation::OpenGuard, Call { name: call, option: None }, errno, at)
}
