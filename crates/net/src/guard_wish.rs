//! Which rung of the guard is wished for, and from which address packets are to come.

use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use wirewright_link::netlink::Interface;
use wirewright_link::sys::Kernel;
use wirewright_link::{Guard, GuardError, Rung};

/// How our own kernel is to be kept quiet. The default is the first rung that works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuardWish {
    /// This rung and no other; `None`: the first that works for a port.
    pub rung: Option<Rung>,
    /// The source address. One that no interface of this machine has is taken as an address of our own, as by
    /// [`Rung::OwnAddress`]. `None`: the route's; with that rung one that is free, out of the interface's network.
    pub source: Option<IpAddr>,
}

/// Where packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The address that the route gives.
    Route,
    /// This address of the kernel's.
    Kernels(IpAddr),
    /// An address of our own: this one, or one that is free.
    Own(Option<IpAddr>),
}

impl GuardWish {
    /// This rung and no other.
    #[must_use]
    pub const fn by(rung: Rung) -> Self {
        Self { rung: Some(rung), source: None }
    }

    /// Where packets come from on a machine with these interfaces.
    pub(crate) fn comes_from(&self, interfaces: &[Interface]) -> Source {
        let kernels = |address: IpAddr| {
            address.is_loopback() || interfaces.iter().flat_map(|it| &it.addresses).any(|own| own.address == address)
        };
        match (self.rung, self.source) {
            (Some(Rung::OwnAddress), source) => Source::Own(source),
            (None, Some(address)) if !kernels(address) => Source::Own(Some(address)),
            (_, Some(address)) => Source::Kernels(address),
            (_, None) => Source::Route,
        }
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
