//! The senders: `SOCK_RAW` with `IPPROTO_RAW`. They receive nothing but copies of what they sent.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6};
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use wirewright_units::Instant;

use crate::error::{Call, Circumstances, Operation, OsError, ipv4_shape_is_accepted};
use crate::frame::StartsWith;
use crate::readback::{ReadBack, SentCopy, SentId};
use crate::sys::{Address, Errno, Family, Kernel, Kind, Poll, SocketOption};
use crate::wait::wait_through_signals;

/// How a raw sender is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderConfig {
    /// Allow broadcast addresses.
    pub broadcast: bool,
    /// Leave by this interface only. On loopback towards a remote address the kernel says that all is well, and nothing leaves.
    pub interface: Option<String>,
    /// The firewall mark of the packets (needs `CAP_NET_ADMIN`, or since Linux 5.17 `CAP_NET_RAW`).
    pub mark: Option<u32>,
    /// Read back what left.
    pub read_back: bool,
}

impl Default for SenderConfig {
    /// No broadcast, any interface, no mark, read back.
    fn default() -> Self {
        Self { broadcast: false, interface: None, mark: None, read_back: true }
    }
}

/// Sends whole IPv4 packets. The kernel writes total length and checksum, an identification of 0 without DF, and a source
/// of 0.0.0.0; all else leaves as given.
#[derive(Debug)]
pub struct RawIpv4 {
    inner: Sender,
}

impl RawIpv4 {
    /// Opens the socket: header included, a full queue reported (`IP_RECVERR`), fragments left alone (`IP_NODEFRAG`).
    ///
    /// **Errors**: no `CAP_NET_RAW`; no such interface; an option that this kernel lacks.
    pub fn open(kernel: Arc<dyn Kernel>, config: &SenderConfig) -> Result<Self, OsError> {
        let inner = Sender::open(kernel, Family::V4, config)?;
        inner.switch_on(SocketOption::IP_HDRINCL)?;
        inner.switch_on(SocketOption::IP_RECVERR)?;
        inner.switch_on(SocketOption::IP_NODEFRAG)?;
        if config.read_back {
            inner.switch_on(SocketOption::IP_PKTINFO)?;
        }
        Ok(Self { inner: inner.reading_back(config)? })
    }

    /// Hands `packet` to the kernel for `to`, which decides route and next hop; the header's destination is not looked at.
    ///
    /// **Errors**: what `sendmsg` says, by the table of next steps; never for a packet that is lost later on.
    pub fn send(&mut self, packet: &[u8], to: Ipv4Addr) -> Result<SentId, OsError> {
        self.inner.send(Operation::SendRawIpv4, packet, IpAddr::V4(to), Address::host(to.into()))
    }

    /// Hands over as many of `packets` as one call takes, in order; how many.
    ///
    /// **Errors**: as [`RawIpv4::send`], about the first packet.
    pub fn send_batch(&mut self, packets: &[IoSlice<'_>], to: Ipv4Addr) -> Result<usize, OsError> {
        self.inner.send_batch(Operation::SendRawIpv4, packets, IpAddr::V4(to), Address::host(to.into()))
    }

    /// Waits until packet `id` was given to the driver, and gives the frame as it left. At `deadline`: what is known by
    /// then, or `None` where the kernel still holds the packet for its neighbour, or nothing is read back.
    ///
    /// **Errors**: waiting failed.
    pub fn read_back(&mut self, id: SentId, deadline: Instant) -> Result<Option<SentCopy>, OsError> {
        self.inner.read_back(id, deadline)
    }
}

/// Sends whole IPv6 packets. The kernel changes nothing in them, not even a payload length of 0 or a version of 4.
#[derive(Debug)]
pub struct RawIpv6 {
    inner: Sender,
}

impl RawIpv6 {
    /// Opens the socket: header included (this protocol number implies it), a full queue reported (`IPV6_RECVERR`).
    ///
    /// **Errors**: no `CAP_NET_RAW`; no IPv6; no such interface.
    pub fn open(kernel: Arc<dyn Kernel>, config: &SenderConfig) -> Result<Self, OsError> {
        let inner = Sender::open(kernel, Family::V6, config)?;
        inner.switch_on(SocketOption::IPV6_RECVERR)?;
        if config.read_back {
            inner.switch_on(SocketOption::IPV6_RECVPKTINFO)?;
        }
        Ok(Self { inner: inner.reading_back(config)? })
    }

    /// Hands `packet` to the kernel for `to`. A link-local `to` needs the number of its interface as `scope`; else it is 0.
    ///
    /// **Errors**: as [`RawIpv4::send`].
    pub fn send(&mut self, packet: &[u8], to: Ipv6Addr, scope: u32) -> Result<SentId, OsError> {
        let address = Address::Ip(SocketAddrV6::new(to, 0, 0, scope).into());
        self.inner.send(Operation::SendRawIpv6, packet, IpAddr::V6(to), address)
    }

    /// As [`RawIpv4::send_batch`], with a scope as in [`RawIpv6::send`].
    ///
    /// **Errors**: as [`RawIpv4::send`], about the first packet.
    pub fn send_batch(&mut self, packets: &[IoSlice<'_>], to: Ipv6Addr, scope: u32) -> Result<usize, OsError> {
        let address = Address::Ip(SocketAddrV6::new(to, 0, 0, scope).into());
        self.inner.send_batch(Operation::SendRawIpv6, packets, IpAddr::V6(to), address)
    }

    /// As [`RawIpv4::read_back`].
    ///
    /// **Errors**: waiting failed.
    pub fn read_back(&mut self, id: SentId, deadline: Instant) -> Result<Option<SentCopy>, OsError> {
        self.inner.read_back(id, deadline)
    }
}

impl AsFd for RawIpv4 {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.fd.as_fd()
    }
}

impl AsFd for RawIpv6 {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.fd.as_fd()
    }
}

/// How long a send waits for room in the socket's own buffer; what fills it is a local queue that drains.
const ROOM_WAIT_MAX: core::time::Duration = core::time::Duration::from_secs(1);

/// What both families share.
#[derive(Debug)]
struct Sender {
    kernel: Arc<dyn Kernel>,
    fd: OwnedFd,
    broadcast: bool,
    interface: Option<Box<str>>,
    copies: Option<ReadBack>,
    /// Counts where nothing is read back.
    sent: u64,
}

impl Sender {
    fn open(kernel: Arc<dyn Kernel>, family: Family, config: &SenderConfig) -> Result<Self, OsError> {
        let fd = kernel
            .socket(family, Kind::Raw, libc::IPPROTO_RAW)
            .map_err(|errno| OsError::new(Operation::OpenRaw, "socket", errno))?;
        let interface = config.interface.as_deref().map(Into::into);
        let sender = Self { kernel, fd, broadcast: config.broadcast, interface, copies: None, sent: 0 };
        if let Some(name) = &config.interface {
            sender.set(SocketOption::SO_BINDTODEVICE, name.as_bytes()).map_err(|error| error.on_interface(name))?;
        }
        if config.broadcast {
            sender.switch_on(SocketOption::SO_BROADCAST)?;
        }
        if let Some(mark) = config.mark {
            sender.set(SocketOption::SO_MARK, &mark.to_ne_bytes())?;
        }
        Ok(sender)
    }

    fn reading_back(mut self, config: &SenderConfig) -> Result<Self, OsError> {
        if config.read_back {
            let copies = ReadBack::start(&*self.kernel, self.fd.as_fd(), StartsWith::Ip);
            let name = SocketOption::SO_TIMESTAMPING.name();
            self.copies = Some(copies.map_err(|errno| OsError::option(Operation::OpenRaw, name, errno))?);
        }
        Ok(self)
    }

    fn switch_on(&self, option: SocketOption) -> Result<(), OsError> {
        self.set(option, &1i32.to_ne_bytes())
    }

    fn set(&self, option: SocketOption, value: &[u8]) -> Result<(), OsError> {
        let failed = |errno| OsError::option(Operation::OpenRaw, option.name(), errno);
        self.kernel.set_option(self.fd.as_fd(), option, value).map_err(failed)
    }

    fn send(&mut self, operation: Operation, packet: &[u8], to: IpAddr, address: Address) -> Result<SentId, OsError> {
        let sent = self.patiently(|| self.kernel.send(self.fd.as_fd(), &[IoSlice::new(packet)], Some(&address)));
        match sent {
            Ok(_) => Ok(self.on_sent(packet.len())),
            Err(errno) => Err(self.failure(operation, packet, to, errno)),
        }
    }

    fn send_batch(
        &mut self,
        operation: Operation,
        packets: &[IoSlice<'_>],
        to: IpAddr,
        address: Address,
    ) -> Result<usize, OsError> {
        let sent = self.patiently(|| self.kernel.send_batch(self.fd.as_fd(), packets, &address));
        match sent {
            Ok(count) => {
                for packet in packets.iter().take(count) {
                    self.on_sent(packet.len());
                }
                Ok(count)
            }
            Err(errno) => {
                let first: &[u8] = packets.first().map_or(&[], |packet| packet);
                Err(self.failure(operation, first, to, errno))
            }
        }
    }

    fn on_sent(&mut self, len: usize) -> SentId {
        self.sent += 1;
        match &mut self.copies {
            Some(copies) => copies.on_sent(&*self.kernel, self.fd.as_fd(), len),
            None => SentId(self.sent - 1),
        }
    }

    /// Waits for room where the socket's buffer is full.
    fn patiently(&self, send: impl Fn() -> Result<usize, Errno>) -> Result<usize, Errno> {
        let mut deadline = None;
        loop {
            match send() {
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let mut polls = [Poll::writing(self.fd.as_fd())];
                    let deadline = *deadline.get_or_insert_with(|| self.kernel.now() + ROOM_WAIT_MAX);
                    if !wait_through_signals(&*self.kernel, &mut polls, deadline)? {
                        return Err(Errno::EAGAIN);
                    }
                }
                result => return result,
            }
        }
    }

    fn failure(&mut self, operation: Operation, packet: &[u8], to: IpAddr, errno: Errno) -> OsError {
        let at = Circumstances {
            broadcast_allowed: self.broadcast,
            header_shape_accepted: ipv4_shape_is_accepted(packet),
            frame_is_whole: true,
        };
        let call = Call { name: "sendmsg", option: None };
        let mut error = OsError::about(operation, call, errno, at).at_host(to);
        error.interface.clone_from(&self.interface);
        if let Some(copies) = &mut self.copies {
            error.mtu = copies.on_failed(&*self.kernel, self.fd.as_fd());
        }
        error
    }

    fn read_back(&mut self, id: SentId, deadline: Instant) -> Result<Option<SentCopy>, OsError> {
        let Some(copies) = &mut self.copies else { return Ok(None) };
        let fetched = copies.fetch(&*self.kernel, self.fd.as_fd(), id, deadline);
        fetched.map_err(|errno| OsError::new(Operation::Receive, "poll", errno))
    }
}
