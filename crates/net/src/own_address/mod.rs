//! Addresses of our own on a link: a host beside the kernel's, with a stack of ours alone, on one packet socket.
//!
//! In: an interface and addresses, or the peer that one is wanted for.
//! Out: [`OwnAddress`], with streams and listeners; for conversations by hand the socket that hears for such an address.
//! Above: `blocking`, `hand/own_ear.rs`. Below: link (packet socket, tables), stack (the host, its neighbours).
//! Not here: the guard of a port of the kernel's (link).
//!
//! The kernel does not have these addresses, so it answers nothing for them and needs no guard; any port is free. The host
//! answers ARP and neighbour discovery with the interface's Ethernet address, and asks for its neighbours itself. Segments
//! cross the socket whole, up to 64 KiB a call, with partial checksums (`PACKET_VNET_HDR`). What leaves this way is seen by
//! no firewall of this machine.

mod choose;
mod claim;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use wirewright_hand::MacAddr;
use wirewright_link::netlink::Interface;
use wirewright_link::sys::{self, Kernel};
use wirewright_link::{self as link, OsError, PacketSocket};
use wirewright_stack::{
    Backlog, Host, HostConfig, Link, Offload, Ownership, Prefix, Route, Transmit, TransmitChecksum,
};
use wirewright_tcp::Config;

pub(crate) use choose::{Claimed, Wanted, claim_towards};

use crate::blocking::{TcpListener, TcpStream};
use crate::breaker::Breaker;
use crate::driver::{Engine, Receiver, Take, Transmitter, Waker, Watch};
use crate::settings;
use crate::tcp_error::StreamError;

/// A host of our own on an interface, which lives as long as its handles, its streams and its listeners.
#[derive(Clone)]
pub struct OwnAddress {
    engine: Arc<Engine>,
    addresses: Vec<IpAddr>,
}

/// Where a host of our own is.
#[derive(Clone, Debug, Default)]
pub struct OwnConfig {
    /// The interface: Ethernet, and up.
    pub interface: String,
    /// The addresses, at most one of each IP version, with the prefix that is reached without a router.
    pub addresses: Vec<Prefix>,
    /// Routes beside those of the prefixes.
    pub routes: Vec<Route>,
}

impl OwnAddress {
    /// Asks the link whether the addresses are free, and takes them.
    ///
    /// # Errors
    /// With a [`StreamError`] inside: no `CAP_NET_RAW`, no such interface, no Ethernet; an address that somebody on the
    /// link or this machine's kernel has.
    pub fn open(config: &OwnConfig) -> io::Result<Self> {
        Self::open_watched(config, None)
    }

    /// As [`open`](Self::open), with each IP packet shown to `watch`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_watched(config: &OwnConfig, watch: Option<Watch>) -> io::Result<Self> {
        let kernel = sys::system();
        let (interface, mac) = claim::ethernet(&kernel, &config.interface)?;
        let addresses: Vec<IpAddr> = config.addresses.iter().map(|prefix| prefix.address).collect();
        let socket = claim::claim(&kernel, &interface, mac, &addresses)?;
        Self::start(&kernel, (&interface, mac), socket, config, watch)
    }

    /// A host for one peer: on the interface towards it, at `source` or at an address that is free.
    ///
    /// # Errors
    /// As [`open`](Self::open); no route there; no free address.
    pub fn towards(peer: IpAddr, source: Option<IpAddr>, watch: Option<Watch>) -> io::Result<Self> {
        let kernel = sys::system();
        let wanted = Wanted { peer: Some(peer), is_ipv4: peer.is_ipv4(), interface: None, source };
        let Claimed { socket, interface, mac, address, route } = claim_towards(&kernel, &wanted)?;
        let config = OwnConfig {
            interface: interface.name.clone(),
            addresses: vec![address],
            routes: route.into_iter().collect(),
        };
        Self::start(&kernel, (&interface, mac), socket, &config, watch)
    }

    fn start(
        kernel: &Arc<dyn Kernel>,
        (interface, mac): (&Interface, MacAddr),
        socket: PacketSocket,
        config: &OwnConfig,
        watch: Option<Watch>,
    ) -> io::Result<Self> {
        let room = settings::receive_room(&**kernel, socket.as_fd());
        let mtu = u16::try_from(interface.mtu).unwrap_or(u16::MAX);
        let host = Host::new(&HostConfig {
            addresses: config.addresses.clone(),
            routes: config.routes.clone(),
            link: Link::Ethernet { mac },
            mtu,
            offload: Offload { segmentation: true, checksum: true },
            ownership: Ownership::Own,
            tcp_v4: settings::tcp(&Config::IPV4, mtu, 40, room),
            tcp_v6: settings::tcp(&Config::IPV6, mtu, 60, room),
            secret: settings::secret(&**kernel).map_err(StreamError::from)?,
        });
        let fd = socket.as_fd().try_clone_to_owned()?;
        let socket = Arc::new(Mutex::new(socket));
        let down = Down { socket: socket.clone(), refused: Vec::new() };
        let engine = Engine::start(host, Box::new(down), Box::new(Up { socket, fd }), watch, Waker::new()?)?;
        let addresses = config.addresses.iter().map(|prefix| prefix.address).collect();
        Ok(Self { engine: Arc::new(engine), addresses })
    }

    /// Its addresses.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Connects from the address of the peer's IP version.
    ///
    /// # Errors
    /// As [`TcpStream::connect`].
    pub fn connect(&self, peer: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        self.connect_breakable(peer, timeout, &Breaker::new())
    }

    /// As [`connect`](Self::connect), and `breaker` can end it from now on.
    ///
    /// # Errors
    /// As [`TcpStream::connect_breakable`].
    pub fn connect_breakable(&self, peer: SocketAddr, timeout: Duration, breaker: &Breaker) -> io::Result<TcpStream> {
        let own = self.addresses.iter().find(|address| address.is_ipv4() == peer.is_ipv4());
        let own = own.ok_or(StreamError::NoRoute { prohibited: false })?;
        Ok(TcpStream::open(self.engine.clone(), SocketAddr::new(*own, 0), peer, timeout, breaker)?)
    }

    /// Listens on one of the addresses.
    ///
    /// # Errors
    /// When the port is taken, or 0.
    pub fn listen(&self, local: SocketAddr) -> io::Result<TcpListener> {
        let listening = self.engine.act(|state, _| state.host.listen(local, Backlog::default()));
        Ok(TcpListener::of(self.engine.clone(), listening.map_err(StreamError::from)?, local))
    }
}

/// Sends by the socket.
struct Down {
    socket: Arc<Mutex<PacketSocket>>,
    refused: Vec<(OsError, IpAddr)>,
}

/// Receives by the same socket, of which it has a descriptor of its own to wait on.
struct Up {
    socket: Arc<Mutex<PacketSocket>>,
    fd: OwnedFd,
}

impl Transmitter for Down {
    fn send(&mut self, packet: &Transmit<'_>) {
        let checksum = match packet.checksum {
            TransmitChecksum::Done => link::TransmitChecksum::Done,
            TransmitChecksum::Partial { start, offset } => link::TransmitChecksum::Partial { start, offset },
        };
        let transmit = link::Transmit {
            header: packet.header,
            slices: &packet.slices,
            segment_size: packet.segment_size,
            checksum,
        };
        let sent = self.socket.lock().unwrap_or_else(PoisonError::into_inner).send(&transmit);
        if let (Err(error), Some(to)) = (sent, packet.destination) {
            self.refused.push((error, to));
        }
    }

    fn flush(&mut self, refused: &mut dyn FnMut(OsError, IpAddr)) {
        for (error, to) in self.refused.drain(..) {
            refused(error, to);
        }
    }
}

impl Receiver for Up {
    fn receive(&mut self, take: Take<'_>) -> Result<usize, OsError> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(usize::from(socket.try_recv()?.inspect(|frame| take(Some(frame.at), &settings::lifted(frame))).is_some()))
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.fd.as_fd()]
    }
}
