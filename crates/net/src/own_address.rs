//! Addresses of our own on a link: a host beside the kernel's, with a stack of ours alone, on one packet socket.
//!
//! The kernel does not have these addresses, so it answers nothing for them and needs no guard; any port is free. The host
//! answers ARP and neighbour discovery with the interface's Ethernet address, and asks for its neighbours itself. Segments
//! cross the socket whole, up to 64 KiB a call, with partial checksums (`PACKET_VNET_HDR`). What leaves this way is seen by
//! no firewall of this machine.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use wirewright_hand::{MacAddr, ether_types, protocols};
use wirewright_link::netlink::{Interface, Netlink};
use wirewright_link::sys::{self, Kernel};
use wirewright_link::{self as link, Filter, OsError, PacketConfig, PacketSocket, Receive, Wanted, What};
use wirewright_stack::neighbors::{Event, Resolution};
use wirewright_stack::{
    Backlog, Host, HostConfig, Link, Neighbors, Offload, Own, Ownership, Prefix, Route, Transmit, TransmitChecksum,
};
use wirewright_tcp::Config;

use crate::blocking::{TcpListener, TcpStream};
use crate::breaker::Breaker;
use crate::driver::{Engine, Receiver, Take, Transmitter, Waker, Watch};
use crate::settings;
use crate::tcp_error::StreamError;

/// How long the link is listened to before an address is taken. RFC 5227 §1.1 and RFC 4862 §5.4 wait for seconds, for hosts
/// that stay; a machine on the same link answers in well under a millisecond.
const PROBE_WAIT: Duration = Duration::from_millis(250);

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
        let (interface, mac) = ethernet(&kernel, &config.interface)?;
        let addresses: Vec<IpAddr> = config.addresses.iter().map(|prefix| prefix.address).collect();
        let mut socket = open_socket(&kernel, &interface, &addresses)?;
        probe(&*kernel, &mut socket, mac, &addresses)?;
        let room = settings::receive_room(&*kernel, socket.as_fd());
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
            secret: settings::secret(&*kernel).map_err(StreamError::from)?,
        });
        let fd = socket.as_fd().try_clone_to_owned()?;
        let socket = Arc::new(Mutex::new(socket));
        let down = Down { socket: socket.clone(), refused: Vec::new() };
        let engine = Engine::start(host, Box::new(down), Box::new(Up { socket, fd }), watch, Waker::new()?)?;
        Ok(Self { engine: Arc::new(engine), addresses })
    }

    /// Connects from the address of the peer's IP version.
    ///
    /// # Errors
    /// As [`TcpStream::connect`].
    pub fn connect(&self, peer: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        let own = self.addresses.iter().find(|address| address.is_ipv4() == peer.is_ipv4());
        let own = own.ok_or(StreamError::NoRoute { prohibited: false })?;
        Ok(TcpStream::open(self.engine.clone(), SocketAddr::new(*own, 0), peer, timeout, &Breaker::new())?)
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

/// The interface, and its Ethernet address.
fn ethernet(kernel: &Arc<dyn Kernel>, name: &str) -> Result<(Interface, MacAddr), StreamError> {
    let interfaces = Netlink::open(kernel.clone())?.interfaces()?;
    let found = interfaces.into_iter().find(|interface| interface.name == name);
    let interface = found.ok_or_else(|| StreamError::NoInterface { name: name.to_owned() })?;
    match interface.mac.filter(|mac| *mac != MacAddr::ZERO) {
        Some(mac) => Ok((interface, mac)),
        None => Err(StreamError::NotEthernet { name: name.to_owned() }),
    }
}

/// A packet socket for what is sent to these addresses, and for what finds neighbours.
fn open_socket(
    kernel: &Arc<dyn Kernel>,
    interface: &Interface,
    addresses: &[IpAddr],
) -> Result<PacketSocket, StreamError> {
    if let Some(kernels) = interface.addresses.iter().map(|own| own.address).find(|own| addresses.contains(own)) {
        return Err(StreamError::AddressTaken { address: kernels, by: None });
    }
    let mut wanted = vec![
        Wanted::anywhere(What::EtherType(ether_types::ARP)),
        // Solicitations go to a group.
        Wanted::anywhere(What::Protocol(protocols::ICMPV6)),
    ];
    for &address in addresses {
        let icmp = if address.is_ipv4() { protocols::ICMPV4 } else { protocols::ICMPV6 };
        wanted.extend(
            [protocols::TCP, protocols::UDP, icmp]
                .map(|number| Wanted { destination: Some(address), ..Wanted::anywhere(What::Protocol(number)) }),
        );
    }
    let config = PacketConfig {
        receive: Receive::Incoming,
        filter: Filter::any_of(&wanted),
        all_multicast: true,
        segmentation: true,
        ..PacketConfig::default()
    };
    Ok(PacketSocket::open(kernel.clone(), interface, &config)?)
}

/// Asks the link who has these addresses: ARP probes (RFC 5227 §1.1), solicitations from nobody (RFC 4862 §5.4).
fn probe(
    kernel: &dyn Kernel,
    socket: &mut PacketSocket,
    mac: MacAddr,
    addresses: &[IpAddr],
) -> Result<(), StreamError> {
    let nobody = Own { mac, ipv4: None, ipv6: Some(Ipv6Addr::UNSPECIFIED) };
    let mut neighbors = Neighbors::new(nobody);
    let begun = kernel.now();
    for &address in addresses {
        if neighbors.resolve(begun, address) != Resolution::Asking {
            return Err(StreamError::Misuse(wirewright_stack::Misuse::NoPeer));
        }
    }
    while let Some(frame) = neighbors.poll_transmit(begun) {
        socket.send(&link::Transmit::packet(&frame))?;
    }
    while let Some(received) = socket.recv(begun + PROBE_WAIT)? {
        neighbors.handle_frame(received.at, received.bytes);
        if let Some(Event::Resolved { address, mac }) = neighbors.poll_event() {
            return Err(StreamError::AddressTaken { address, by: Some(mac) });
        }
    }
    Ok(())
}
