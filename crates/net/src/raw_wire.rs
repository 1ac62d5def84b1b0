//! Raw IP sockets beside the kernel, under the guard: what leaves by them is seen by connection tracking, as what comes is.

use core::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use arrayvec::ArrayVec;
use wirewright_link::netlink::{Netlink, Refusal, RouteAnswer, RouteQuery};
use wirewright_link::sys::{BATCH_MAX, Kernel};
use wirewright_link::{Filter, Guard, OsError, RawIpv4, RawIpv6, RawReceiver, Rung, SenderConfig, Wanted, What};
use wirewright_stack::{Host, HostConfig, Link, Misuse, Offload, Ownership, Prefix, Transmit};
use wirewright_tcp::Config;

use crate::driver::{Receiver, Take, Transmitter};
use crate::guard_wish::GuardWish;
use crate::settings;
use crate::tcp_error::StreamError;

/// TCP and ICMP's protocol numbers (IANA).
const TCP: u8 = 6;
const ICMPV4: u8 = 1;
const ICMPV6: u8 = 58;

/// A wire, ready to be started.
pub(crate) struct RawWire {
    pub(crate) host: Host,
    pub(crate) local: SocketAddr,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receivers,
}

/// Sends, and holds the guard for as long as the engine runs.
pub(crate) struct Sender {
    socket: Socket,
    /// Packets that were not handed over yet, one behind the other.
    bytes: Vec<u8>,
    /// Where each ends, and where it goes.
    kept: Vec<(usize, IpAddr)>,
    scope: u32,
    guard: Guard,
}

enum Socket {
    V4(RawIpv4),
    V6(RawIpv6),
}

/// Receives segments, and the ICMP errors about ours.
pub(crate) struct Receivers {
    tcp: RawReceiver,
    icmp: RawReceiver,
}

impl RawWire {
    /// A wire for one connection to `remote`: its source as wished for or by the kernel's route, a free port under the guard.
    pub(crate) fn to(kernel: &Arc<dyn Kernel>, remote: SocketAddr, wish: &GuardWish) -> Result<Self, StreamError> {
        let mut netlink = Netlink::open(kernel.clone())?;
        if wish.source.is_some_and(|source| source.is_ipv4() != remote.is_ipv4()) {
            return Err(StreamError::Misuse(Misuse::OtherVersion));
        }
        let query = RouteQuery { interface: scope_of(remote), source: wish.source, ..RouteQuery::to(remote.ip()) };
        let route = match netlink.route_to(&query)? {
            RouteAnswer::Via(route) => route,
            RouteAnswer::Refused(refusal) => return Err(StreamError::NoRoute { prohibited: is_prohibited(refusal) }),
        };
        let source = wish.source.or(route.source).ok_or(StreamError::NoRoute { prohibited: false })?;
        let interfaces = netlink.interfaces()?;
        let link = interfaces.iter().find(|it| it.index == route.interface).map(|it| it.mtu);
        let mtu = route.mtu.or(link).unwrap_or(1500);
        let guard = wish.tcp(kernel, with_scope(source, 0, route.interface))?;
        let local = SocketAddr::new(source, guard.port());
        let segments = Wanted {
            source: Some(remote.ip()),
            destination: Some(source),
            what: What::Tcp { source_port: Some(remote.port()), destination_port: Some(guard.port()) },
        };
        Self::open(kernel, guard, local, &[source], mtu, segments, route.interface)
    }

    /// A wire for a listener on `local`, whose address may be unspecified.
    pub(crate) fn at(kernel: &Arc<dyn Kernel>, local: SocketAddr) -> Result<Self, StreamError> {
        let mut netlink = Netlink::open(kernel.clone())?;
        let interfaces = netlink.interfaces()?;
        let fits = |address: IpAddr| {
            address.is_ipv4() == local.is_ipv4() && (local.ip().is_unspecified() || address == local.ip())
        };
        let mut addresses = Vec::new();
        let mut mtu = u32::from(u16::MAX);
        let mut index = 0;
        for interface in &interfaces {
            let own = interface.addresses.iter().map(|it| it.address).filter(|&address| fits(address));
            let before = addresses.len();
            addresses.extend(own);
            if addresses.len() > before {
                mtu = mtu.min(interface.mtu);
                index = interface.index;
            }
        }
        let guard = Guard::tcp(kernel, local)?;
        let local = SocketAddr::new(local.ip(), guard.port());
        let segments = Wanted {
            source: None,
            destination: Some(local.ip()).filter(|address| !address.is_unspecified()),
            what: What::Tcp { source_port: None, destination_port: Some(local.port()) },
        };
        if addresses.is_empty() {
            // 127.0.0.2: of this machine, though no interface names it; the guard stands, so the kernel takes it.
            addresses.push(local.ip());
        }
        Self::open(kernel, guard, local, &addresses, mtu, segments, index)
    }

    fn open(
        kernel: &Arc<dyn Kernel>,
        guard: Guard,
        local: SocketAddr,
        addresses: &[IpAddr],
        mtu: u32,
        segments: Wanted,
        interface: u32,
    ) -> Result<Self, StreamError> {
        let receiver = Receivers::open(kernel, local.is_ipv4(), segments)?;
        let config = SenderConfig { read_back: false, ..SenderConfig::default() };
        let socket = if local.is_ipv4() {
            Socket::V4(RawIpv4::open(kernel.clone(), &config)?)
        } else {
            Socket::V6(RawIpv6::open(kernel.clone(), &config)?)
        };
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        let room = settings::receive_room(&**kernel, receiver.tcp.as_fd());
        let host = Host::new(&HostConfig {
            // Every destination is "on the link": the kernel's routes decide.
            addresses: addresses.iter().map(|&address| Prefix::new(address, 0)).collect(),
            routes: Vec::new(),
            link: Link::Ip,
            mtu,
            offload: Offload::default(),
            ownership: Ownership::SharedWithKernel,
            tcp_v4: settings::tcp(&Config::IPV4, mtu, 40, room),
            tcp_v6: settings::tcp(&Config::IPV6, mtu, 60, room),
            secret: settings::secret(&**kernel)?,
        });
        let sender = Sender { socket, bytes: Vec::new(), kept: Vec::new(), scope: interface, guard };
        Ok(Self { host, local, sender, receiver })
    }
}

impl Sender {
    /// How the kernel is kept quiet.
    pub(crate) const fn rung(&self) -> Rung {
        self.guard.rung()
    }
}

impl Transmitter for Sender {
    fn send(&mut self, packet: &Transmit<'_>) {
        // A host without a link layer sends nothing but packets of its one version.
        if let Some(to) = packet.destination {
            packet.append_to(&mut self.bytes);
            self.kept.push((self.bytes.len(), to));
        }
    }

    fn flush(&mut self, refused: &mut dyn FnMut(OsError, IpAddr)) {
        let (mut next, mut start) = (0, 0);
        while let Some(&(_, to)) = self.kept.get(next) {
            let mut packets: ArrayVec<IoSlice<'_>, BATCH_MAX> = ArrayVec::new();
            let mut begin = start;
            for &(end, _) in self.kept[next..].iter().take_while(|kept| kept.1 == to).take(BATCH_MAX) {
                packets.push(IoSlice::new(&self.bytes[begin..end]));
                begin = end;
            }
            let sent = match (&mut self.socket, to) {
                (Socket::V4(socket), IpAddr::V4(to)) => socket.send_batch(&packets, to),
                (Socket::V6(socket), IpAddr::V6(to)) => {
                    socket.send_batch(&packets, to, if is_link_local(to) { self.scope } else { 0 })
                }
                _ => Ok(packets.len()),
            };
            // The one that was refused is not tried again.
            let done = sent.unwrap_or_else(|error| {
                refused(error, to);
                1
            });
            next += done.max(1);
            start = self.kept.get(next - 1).map_or(self.bytes.len(), |kept| kept.0);
        }
        self.bytes.clear();
        self.kept.clear();
    }
}

impl Receivers {
    fn open(kernel: &Arc<dyn Kernel>, is_ipv4: bool, segments: Wanted) -> Result<Self, OsError> {
        let tcp = Filter::any_of(&[segments]);
        let errors = Filter::any_of(&[Wanted { source: None, ..Wanted::anywhere(What::IcmpErrors) }]);
        Ok(Self {
            tcp: RawReceiver::bulk(kernel.clone(), !is_ipv4, TCP, &tcp)?,
            icmp: RawReceiver::bulk(kernel.clone(), !is_ipv4, if is_ipv4 { ICMPV4 } else { ICMPV6 }, &errors)?,
        })
    }
}

impl Receiver for Receivers {
    fn receive(&mut self, take: Take<'_>) -> Result<usize, OsError> {
        let take = &mut |frame: &wirewright_link::Received<'_>| take(Some(frame.at), &settings::lifted(frame));
        match self.tcp.try_recv_batch(take)? {
            // Errors about segments are rare, and come when little else does.
            0 => self.icmp.try_recv_batch(take),
            count => Ok(count),
        }
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.tcp.as_fd(), self.icmp.as_fd()]
    }
}

const fn is_prohibited(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Prohibit)
}

const fn is_link_local(address: core::net::Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

/// The interface that a scope names.
fn scope_of(address: SocketAddr) -> Option<u32> {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => Some(v6.scope_id()),
        _ => None,
    }
}

/// A link-local address means nothing without its link.
fn with_scope(address: IpAddr, port: u16, interface: u32) -> SocketAddr {
    match address {
        IpAddr::V6(v6) if is_link_local(v6) => SocketAddrV6::new(v6, port, 0, interface).into(),
        _ => SocketAddr::new(address, port),
    }
}
