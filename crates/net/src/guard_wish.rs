//! Which rung of the guard is wished for.

use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use wirewright_link::sys::Kernel;
use wirewright_link::{Guard, GuardError, Rung};

/// How our own kernel is to be kept quiet. The default is the first rung that works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuardWish {
    /// This rung and no other; `None`: the first that works for a port.
    pub rung: Option<Rung>,
    /// With [`Rung::OwnAddress`]: the address; `None`: one that is free, out of the interface's network.
    pub source: Option<IpAddr>,
}

impl GuardWish {
    /// This rung and no other.
    #[must_use]
    pub const fn by(rung: Rung) -> Self {
        Self { rung: Some(rung), source: None }
    }

    /// An address of our own is wished for, rather than a port of the kernel.
    pub(crate) fn is_own_address(&self) -> bool {
        self.rung == Some(Rung::OwnAddress)
    }

    /// Guards a port of TCP.
    ///
    /// # Errors
    /// As [`Guard::tcp`] and [`Guard::tcp_by`].
    pub(crate) fn tcp(&self, kernel: &Arc<dyn Kernel>, local: SocketAddr) -> Result<Guard, GuardError> {
        match self.rung {
            Some(rung) => Guard::tcp_by(kernel, local, rung),
            None => Guard::tcp(kernel, local),
        }
    }
}
