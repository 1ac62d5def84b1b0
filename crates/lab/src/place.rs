//! Acting on a host of the lab: sockets opened there, commands run there.

use core::fmt;
use std::io;
use std::os::fd::AsFd;
use std::panic;
use std::process::{Child, Command, ExitStatus};
use std::thread;

use wirewright_link::sys::namespace::{self, Namespace};

use crate::enter::Lab;
use crate::map::Host;
use crate::rung::Rung;

/// Why nothing could be done on a host.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlaceError {
    /// This rung has no such host, or none that is fenced off from the machine.
    NoSuchHost {
        /// The host.
        host: Host,
        /// The rung.
        rung: Rung,
    },
    /// The system refused.
    Os {
        /// The host.
        host: Host,
        /// What it said.
        error: io::Error,
    },
}

impl Lab {
    /// Runs `act` in the network of `host`: what it opens stays there, wherever it is used afterwards.
    ///
    /// `act` runs on a thread made for it. A panic in it goes on in the caller.
    ///
    /// **Errors**: [`PlaceError::NoSuchHost`] for a host that this lab does not have: routers on loopback, every host in process.
    pub fn on<T: Send>(&self, host: Host, act: impl FnOnce() -> T + Send) -> Result<T, PlaceError> {
        let has_host = match self.rung() {
            Rung::UserNamespace | Rung::NetworkNamespace => self.shape().stage(host).is_some(),
            Rung::Loopback => !host.is_router(),
            Rung::InProcess => false,
        };
        if !has_host {
            return Err(PlaceError::NoSuchHost { host, rung: self.rung() });
        }
        let network = self.network(host);
        let run = move || -> io::Result<T> {
            if let Some(network) = network {
                namespace::enter(network, Namespace::Network)?;
            }
            Ok(act())
        };
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, run)?;
            thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
        })
        .map_err(|error| PlaceError::Os { host, error })
    }

    /// Starts a command in the network of `host`. It ends with the lab at the latest, and so does all that it starts.
    ///
    /// In it `/etc/hosts` has the names of the lab and `/proc` the lab's processes, unless [`Lab::notes`] says otherwise.
    ///
    /// **Errors**: [`PlaceError::NoSuchHost`] where the lab has no networks of its own: what a command sends could leave the
    /// machine there.
    pub fn spawn(&self, host: Host, command: Command) -> Result<Child, PlaceError> {
        let Some(network) = self.network(host) else {
            return Err(PlaceError::NoSuchHost { host, rung: self.rung() });
        };
        let place = namespace::Place { network, pid: self.pids(), mount: self.mounts() };
        let start = move || namespace::spawn_in(command, place);
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, start)?;
            thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
        })
        .map_err(|error| PlaceError::Os { host, error })
    }

    /// Runs a command in the network of `host` to its end. From now on `^C` and `^\` are for commands, not for this process.
    ///
    /// **Errors**: as [`Lab::spawn`].
    pub fn run(&self, host: Host, command: Command) -> Result<ExitStatus, PlaceError> {
        let mut child = self.spawn(host, command)?;
        let wait = |child: &mut Child| {
            namespace::ignore_interrupts()?;
            child.wait()
        };
        wait(&mut child).map_err(|error| PlaceError::Os { host, error })
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchHost { host, rung } => write!(f, "the lab stands on {rung}: it has no {host} of its own"),
            Self::Os { host, error } => write!(f, "on {host}: {error}"),
        }
    }
}

impl std::error::Error for PlaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoSuchHost { .. } => None,
            Self::Os { error, .. } => Some(error),
        }
    }
}

/// The descriptors of the lab, lent.
impl Lab {
    fn network(&self, host: Host) -> Option<std::os::fd::BorrowedFd<'_>> {
        let at = self.shape().hosts().iter().position(|one| *one == host)?;
        self.networks.as_ref().and_then(|networks| networks.get(at)).map(AsFd::as_fd)
    }

    fn pids(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        self.pids.as_ref().map(AsFd::as_fd)
    }

    fn mounts(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        self.mounts.as_ref().map(AsFd::as_fd)
    }
}
