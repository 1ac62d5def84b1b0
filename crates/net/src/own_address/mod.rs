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
//!
//! Or at the far end of a TUN device whose near end the kernel has: then IP packets cross in the same way, the kernel is
//! their router, and its firewall sees them forwarded.

mod choose;
mod claim;
mod ground;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use wirewright_hand::MacAddr;
use wirewright_link::netlink::Interface;
use wirewright_link::sys::{self, Kernel};
use wirewright_link::{PacketSocket, Tun, TunConfig};
use wirewright_stack::{Backlog, Host, HostConfig, Link, Offload, Ownership, Prefix, Route};
use wirewright_tcp::Config;

pub(crate) use choose::{Claimed, Wanted, claim_towards};
pub(crate) use claim::Hears;
use ground::Ground;

use crate::blocking::{TcpListener, TcpStream};
use crate::breaker::Breaker;
use crate::driver::{Engine, Waker, Watch};
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

/// What a host is told of its ground.
struct Wire {
    link: Link,
    mtu: u32,
    offload: Offload,
    /// The window to be offered, in bytes.
    room: u32,
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
        let socket = claim::claim(&kernel, &interface, mac, &addresses, Hears::Segments)?;
        Self::start(&kernel, (&interface, mac), socket, config, watch)
    }

    /// A host for one peer: on the interface towards it, at `source` or at an address that is free.
    ///
    /// # Errors
    /// As [`open`](Self::open); no route there; no free address.
    pub fn towards(peer: IpAddr, source: Option<IpAddr>, watch: Option<Watch>) -> io::Result<Self> {
        let kernel = sys::system();
        let hears = Hears::Segments;
        let wanted = Wanted { peer: Some(peer), is_ipv4: peer.is_ipv4(), interface: None, source, hears };
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
        interface: (&Interface, MacAddr),
        socket: PacketSocket,
        config: &OwnConfig,
        watch: Option<Watch>,
    ) -> io::Result<Self> {
        let (interface, mac) = interface;
        let room = settings::receive_room(&**kernel, socket.as_fd());
        let offload = Offload { segmentation: true, checksum: true };
        let wire = Wire { link: Link::Ethernet { mac }, mtu: interface.mtu, offload, room };
        Self::over(kernel, Ground::Packets(socket), &wire, (&config.addresses, &config.routes), watch)
    }

    /// A host at the far end of a TUN device of its own: the kernel at the near end is its only neighbour, and its router
    /// where the kernel forwards. The device goes with the host.
    ///
    /// # Errors
    /// With a [`StreamError`] inside: no `/dev/net/tun`, no `CAP_NET_ADMIN`; the name, or an address, is taken.
    pub fn on_tun(config: &TunConfig, watch: Option<Watch>) -> io::Result<Self> {
        let kernel = sys::system();
        let tun = Tun::open(kernel.clone(), config).map_err(StreamError::from)?;
        let can = tun.capabilities();
        let room = u32::try_from(can.receive_room.get()).unwrap_or(u32::MAX);
        let wire = Wire {
            link: Link::Ip,
            mtu: can.mtu,
            offload: Offload { segmentation: can.segmentation, checksum: can.checksum },
            room: settings::window(room),
        };
        // Everybody is behind the one neighbour.
        let addresses: Vec<Prefix> = config.ends.iter().map(|&(_, far)| Prefix::new(far, 0)).collect();
        Self::over(&kernel, Ground::Tun(tun), &wire, (&addresses, &[]), watch)
    }

    fn over(
        kernel: &Arc<dyn Kernel>,
        ground: Ground,
        wire: &Wire,
        (addresses, routes): (&[Prefix], &[Route]),
        watch: Option<Watch>,
    ) -> io::Result<Self> {
        let mtu = u16::try_from(wire.mtu).unwrap_or(u16::MAX);
        let host = Host::new(&HostConfig {
            addresses: addresses.to_vec(),
            routes: routes.to_vec(),
            link: wire.link,
            mtu,
            offload: wire.offload,
            ownership: Ownership::Own,
            tcp_v4: settings::tcp(&Config::IPV4, mtu, 40, wire.room),
            tcp_v6: settings::tcp(&Config::IPV6, mtu, 60, wire.room),
            secret: settings::secret(&**kernel).map_err(StreamError::from)?,
        });
        let (down, up) = ground::halves(ground)?;
        let engine = Engine::start(host, Box::new(down), Box::new(up), watch, Waker::new()?)?;
        let addresses = addresses.iter().map(|prefix| prefix.address).collect();
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
