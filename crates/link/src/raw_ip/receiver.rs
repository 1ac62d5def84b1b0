//! The receivers: `SOCK_RAW` of one protocol.
//!
//! IPv4 packets come whole, fragments joined. IPv6 comes without its header, which is rebuilt from control data and marked
//! so ([`HeaderOrigin::Rebuilt`]): version, traffic class, flow label, length, hop limit and addresses are those that
//! arrived; extension headers are gone.

use core::net::{IpAddr, Ipv6Addr};
use std::io::IoSliceMut;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use arrayvec::ArrayVec;
use wirewright_units::{Instant, UnixTime};

use crate::error::{Operation, OsError};
use crate::filter::Filter;
use crate::frame::{Checksum, Direction, HeaderOrigin, Received, StartsWith};
use crate::sys::clock::Mapping;
use crate::sys::{Control, Errno, Family, Kernel, Kind, Message, Poll, Queue, SocketOption};
use crate::wait::{make_room, wait_through_signals};

/// An IPv4 packet is at most 65,535 bytes; behind an IPv6 header there are at most as many.
const PACKET_LEN_MAX: usize = 65_535;
/// Length of the IPv6 header that is rebuilt.
const IPV6_LEN: usize = 40;
/// Messages thrown away at most while a filter takes effect: what came between opening and filter.
const STRANGERS_MAX: usize = 4096;
/// Room for what arrived, in bytes; without `CAP_NET_ADMIN` the kernel cuts it to its own limit without a word.
const RECEIVE_ROOM: i32 = 4 << 20;
/// Packets taken by one call for an engine: their bytes still lie in the nearest caches when they are looked at.
const BATCH: usize = 16;

/// What the kernel is to tell beside each packet: when it came, how many were lost, by which interface, and where there is
/// no header, what stood in it.
const STAMPED_V4: [SocketOption; 3] =
    [SocketOption::SO_TIMESTAMPNS, SocketOption::SO_RXQ_OVFL, SocketOption::IP_PKTINFO];
const STAMPED_V6: [SocketOption; 6] = [
    SocketOption::SO_TIMESTAMPNS,
    SocketOption::SO_RXQ_OVFL,
    SocketOption::IPV6_RECVPKTINFO,
    SocketOption::IPV6_RECVHOPLIMIT,
    SocketOption::IPV6_RECVTCLASS,
    SocketOption::IPV6_FLOWINFO,
];
/// The same for an engine, which counts nothing.
const BULK_V6: [SocketOption; 5] = [
    SocketOption::SO_TIMESTAMPNS,
    SocketOption::IPV6_RECVPKTINFO,
    SocketOption::IPV6_RECVHOPLIMIT,
    SocketOption::IPV6_RECVTCLASS,
    SocketOption::IPV6_FLOWINFO,
];

/// Receives the packets of one protocol.
#[derive(Debug)]
pub struct RawReceiver {
    kernel: Arc<dyn Kernel>,
    fd: OwnedFd,
    protocol: u8,
    is_ipv6: bool,
    lost: u32,
    mapping: Mapping,
    buffer: Vec<u8>,
}

impl RawReceiver {
    /// Receives IPv4 packets of `protocol` (1 ICMP, 6 TCP, 17 UDP …) that `filter` lets through.
    ///
    /// **Errors**: no `CAP_NET_RAW`.
    pub fn ipv4(kernel: Arc<dyn Kernel>, protocol: u8, filter: &Filter) -> Result<Self, OsError> {
        Self::open(kernel, Family::V4, protocol, filter, &STAMPED_V4, 1)
    }

    /// Receives IPv6 packets of `protocol` (58 ICMPv6, 6 TCP, 17 UDP …) that `filter` lets through.
    ///
    /// **Errors**: no `CAP_NET_RAW`; no IPv6.
    pub fn ipv6(kernel: Arc<dyn Kernel>, protocol: u8, filter: &Filter) -> Result<Self, OsError> {
        Self::open(kernel, Family::V6, protocol, filter, &STAMPED_V6, 1)
    }

    /// Receives TCP segments, or anything else that comes in bulk, for an engine: many at once
    /// ([`try_recv_batch`](Self::try_recv_batch)), without counting what was lost.
    ///
    /// **Errors**: as [`RawReceiver::ipv4`] and [`RawReceiver::ipv6`].
    pub fn bulk(kernel: Arc<dyn Kernel>, is_ipv6: bool, protocol: u8, filter: &Filter) -> Result<Self, OsError> {
        if is_ipv6 {
            Self::open(kernel, Family::V6, protocol, filter, &BULK_V6, BATCH)
        } else {
            Self::open(kernel, Family::V4, protocol, filter, &[SocketOption::SO_TIMESTAMPNS], BATCH)
        }
    }

    fn open(
        kernel: Arc<dyn Kernel>,
        family: Family,
        protocol: u8,
        filter: &Filter,
        told: &[SocketOption],
        batch: usize,
    ) -> Result<Self, OsError> {
        let failed = |call| move |errno| OsError::new(Operation::OpenRaw, call, errno);
        let fd = kernel.socket(family, Kind::Raw, protocol.into()).map_err(failed("socket"))?;
        let on = 1i32.to_ne_bytes();
        for option in told {
            let failed = |errno| OsError::option(Operation::OpenRaw, option.name(), errno);
            kernel.set_option(fd.as_fd(), *option, &on).map_err(failed)?;
        }
        make_room(&*kernel, fd.as_fd(), RECEIVE_ROOM);
        let is_ipv6 = family == Family::V6;
        let buffer = vec![0; batch * place_len(is_ipv6)];
        let mapping = Mapping::read(&*kernel);
        let mut receiver = Self { kernel, fd, protocol, is_ipv6, lost: 0, mapping, buffer };
        if let Some(program) = filter.for_raw_socket(is_ipv6) {
            let attached = receiver.kernel.attach_filter(receiver.fd.as_fd(), &program);
            attached.map_err(|errno| OsError::option(Operation::OpenRaw, "SO_ATTACH_FILTER", errno))?;
            receiver.throw_away_strangers();
        }
        Ok(receiver)
    }

    /// Waits for a packet until `deadline` ([`Instant::NEVER`]: for ever). `None` when none came.
    ///
    /// **Errors**: the kernel's, once each; the next call goes on.
    pub fn recv(&mut self, deadline: Instant) -> Result<Option<Received<'_>>, OsError> {
        let message = loop {
            if let Some(message) = self.read()? {
                break message;
            }
            let mut polls = [Poll::reading(self.fd.as_fd())];
            let ready = wait_through_signals(&*self.kernel, &mut polls, deadline);
            if !ready.map_err(|errno| OsError::new(Operation::Receive, "poll", errno))? {
                return Ok(None);
            }
        };
        Ok(Some(self.received(0, &message, None)))
    }

    /// A packet that is already there; `None` where none is.
    ///
    /// **Errors**: the kernel's, once each; the next call goes on.
    pub fn try_recv(&mut self) -> Result<Option<Received<'_>>, OsError> {
        let Some(message) = self.read()? else { return Ok(None) };
        Ok(Some(self.received(0, &message, None)))
    }

    /// The packets that are already there, as many as one call takes; how many, 0 where none is. Those that were not stamped
    /// count as having come at this moment.
    ///
    /// **Errors**: the kernel's, once each; the next call goes on.
    pub fn try_recv_batch(&mut self, take: &mut dyn FnMut(&Received<'_>)) -> Result<usize, OsError> {
        let start = header_room(self.is_ipv6);
        let mut messages = [Message::default(); BATCH];
        let count = loop {
            let places = self.buffer.chunks_exact_mut(place_len(self.is_ipv6));
            let mut places: ArrayVec<_, BATCH> = places.map(|place| IoSliceMut::new(&mut place[start..])).collect();
            match self.kernel.receive_batch(self.fd.as_fd(), &mut places, &mut messages) {
                Ok(count) => break count,
                Err(Errno::EAGAIN) => return Ok(0),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(OsError::new(Operation::Receive, "recvmmsg", errno)),
            }
        };
        let now = self.kernel.wall();
        for (place, message) in messages.iter().enumerate().take(count) {
            take(&self.received(place, message, Some(now)));
        }
        Ok(count)
    }

    /// Lets through what another filter does, from now on. What has come already stays to be fetched.
    ///
    /// **Errors**: the kernel's.
    pub fn refilter(&mut self, filter: &Filter) -> Result<(), OsError> {
        // The kernel puts one program in the place of the other, with no packet between them.
        let program = filter.for_raw_socket(self.is_ipv6).unwrap_or_else(Filter::everything);
        let attached = self.kernel.attach_filter(self.fd.as_fd(), &program);
        attached.map_err(|errno| OsError::option(Operation::OpenRaw, "SO_ATTACH_FILTER", errno))
    }

    /// Its protocol.
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        self.protocol
    }

    /// How many packets were lost because they were not fetched in time, as told by the last packet that was.
    #[must_use]
    pub const fn lost(&self) -> u32 {
        self.lost
    }

    fn throw_away_strangers(&mut self) {
        for _ in 0..STRANGERS_MAX {
            if !matches!(self.read(), Ok(Some(_))) {
                break;
            }
        }
    }

    fn read(&mut self) -> Result<Option<Message>, OsError> {
        let mut slices = [IoSliceMut::new(&mut self.buffer[header_room(self.is_ipv6)..place_len(self.is_ipv6)])];
        loop {
            match self.kernel.receive(self.fd.as_fd(), Queue::Data, &mut slices) {
                Ok(message) => return Ok(Some(message)),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(OsError::new(Operation::Receive, "recvmsg", errno)),
            }
        }
    }

    /// The packet in one place of the buffer; without a stamp it came `now`, or as late as this is called.
    fn received(&mut self, place: usize, message: &Message, now: Option<UnixTime>) -> Received<'_> {
        let control = &message.control;
        self.lost = control.lost.unwrap_or(self.lost);
        let wall = control.stamps.software.or(now).unwrap_or_else(|| self.kernel.wall());
        let at = self.mapping.follow(&*self.kernel, wall);
        let place = &mut self.buffer[place * place_len(self.is_ipv6)..][..place_len(self.is_ipv6)];
        if self.is_ipv6 {
            let source = message.from.ip().map(|a| a.ip());
            rebuild_header(&mut place[..IPV6_LEN], self.protocol, message.len, source, control);
        }
        let len = header_room(self.is_ipv6) + message.len;
        let bytes = &place[..len.min(place.len())];
        Received {
            bytes,
            original_len: len,
            starts_with: StartsWith::Ip,
            header: if self.is_ipv6 { HeaderOrigin::Rebuilt } else { HeaderOrigin::AsArrived },
            at,
            wall,
            checksum: Checksum::MaybePartial,
            segment_size: None,
            direction: Direction::Incoming,
            ecn: ecn(bytes),
            interface: control.interface,
            vlan: None,
        }
    }
}

impl AsFd for RawReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The room for a header that is rebuilt.
const fn header_room(is_ipv6: bool) -> usize {
    if is_ipv6 { IPV6_LEN } else { 0 }
}

/// The room for one packet.
const fn place_len(is_ipv6: bool) -> usize {
    header_room(is_ipv6) + PACKET_LEN_MAX
}

/// RFC 8200 §3: the header as it arrived, from what the kernel says of it.
fn rebuild_header(header: &mut [u8], protocol: u8, len: usize, source: Option<IpAddr>, control: &Control) {
    let class = u32::from(control.traffic_class.unwrap_or(0)) << 20;
    let first = (6 << 28) | (control.flow_info.unwrap_or(class) & 0x0fff_ffff);
    header[0..4].copy_from_slice(&first.to_be_bytes());
    header[4..6].copy_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
    header[6] = protocol;
    header[7] = control.hop_limit.unwrap_or(0);
    header[8..24].copy_from_slice(&ipv6(source));
    header[24..40].copy_from_slice(&ipv6(control.destination));
}

fn ipv6(address: Option<IpAddr>) -> [u8; 16] {
    match address {
        Some(IpAddr::V6(address)) => address.octets(),
        _ => Ipv6Addr::UNSPECIFIED.octets(),
    }
}

/// RFC 3168 §5: the two low bits of TOS or traffic class.
pub(crate) fn ecn(ip: &[u8]) -> Option<u8> {
    match ip.first()? >> 4 {
        4 => ip.get(1).map(|tos| tos & 3),
        6 => ip.get(1).map(|low| (low >> 4) & 3),
        _ => None,
    }
}
