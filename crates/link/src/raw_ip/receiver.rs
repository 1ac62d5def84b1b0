//! The receivers: `SOCK_RAW` of one protocol.
//!
//! IPv4 packets come whole, fragments joined. IPv6 comes without its header, which is rebuilt from control data and marked
//! so ([`HeaderOrigin::Rebuilt`]): version, traffic class, flow label, length, hop limit and addresses are those that
//! arrived; extension headers are gone.

use core::net::{IpAddr, Ipv6Addr};
use std::io::IoSliceMut;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use wirewright_units::Instant;

use crate::error::{Operation, OsError};
use crate::filter::Filter;
use crate::frame::{Checksum, Direction, HeaderOrigin, Received, StartsWith};
use crate::sys::clock::Mapping;
use crate::sys::{Control, Errno, Family, Kernel, Kind, Message, Poll, Queue, SocketOption};
use crate::wait::wait_through_signals;

/// An IPv4 packet is at most 65,535 bytes; behind an IPv6 header there are at most as many.
const PACKET_LEN_MAX: usize = 65_535;
/// Length of the IPv6 header that is rebuilt.
const IPV6_LEN: usize = 40;
/// Messages thrown away at most while a filter takes effect: what came between opening and filter.
const STRANGERS_MAX: usize = 4096;
/// Room for what arrived, in bytes; the kernel halves it to its own limit without a word.
const RECEIVE_ROOM: i32 = 4 << 20;

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
        Self::open(kernel, Family::V4, protocol, filter, &[])
    }

    /// Receives IPv6 packets of `protocol` (58 ICMPv6, 6 TCP, 17 UDP …) that `filter` lets through.
    ///
    /// **Errors**: no `CAP_NET_RAW`; no IPv6.
    pub fn ipv6(kernel: Arc<dyn Kernel>, protocol: u8, filter: &Filter) -> Result<Self, OsError> {
        let parts = [
            SocketOption::IPV6_RECVPKTINFO,
            SocketOption::IPV6_RECVHOPLIMIT,
            SocketOption::IPV6_RECVTCLASS,
            SocketOption::IPV6_FLOWINFO,
        ];
        Self::open(kernel, Family::V6, protocol, filter, &parts)
    }

    fn open(
        kernel: Arc<dyn Kernel>,
        family: Family,
        protocol: u8,
        filter: &Filter,
        parts: &[SocketOption],
    ) -> Result<Self, OsError> {
        let failed = |call| move |errno| OsError::new(Operation::OpenRaw, call, errno);
        let fd = kernel.socket(family, Kind::Raw, protocol.into()).map_err(failed("socket"))?;
        let on = 1i32.to_ne_bytes();
        let stamps = [SocketOption::SO_TIMESTAMPNS, SocketOption::SO_RXQ_OVFL];
        let info = if family == Family::V4 { &[SocketOption::IP_PKTINFO][..] } else { parts };
        for option in stamps.iter().chain(info) {
            let failed = |errno| OsError::option(Operation::OpenRaw, option.name(), errno);
            kernel.set_option(fd.as_fd(), *option, &on).map_err(failed)?;
        }
        // A smaller buffer still receives.
        let _ = kernel.set_option(fd.as_fd(), SocketOption::SO_RCVBUF, &RECEIVE_ROOM.to_ne_bytes());
        let is_ipv6 = family == Family::V6;
        let start = if is_ipv6 { IPV6_LEN } else { 0 };
        let buffer = vec![0; start + PACKET_LEN_MAX];
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
        Ok(Some(self.received(&message)))
    }

    /// A packet that is already there; `None` where none is.
    ///
    /// **Errors**: the kernel's, once each; the next call goes on.
    pub fn try_recv(&mut self) -> Result<Option<Received<'_>>, OsError> {
        let Some(message) = self.read()? else { return Ok(None) };
        Ok(Some(self.received(&message)))
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
        let start = if self.is_ipv6 { IPV6_LEN } else { 0 };
        let mut slices = [IoSliceMut::new(&mut self.buffer[start..])];
        loop {
            match self.kernel.receive(self.fd.as_fd(), Queue::Data, &mut slices) {
                Ok(message) => return Ok(Some(message)),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(OsError::new(Operation::Receive, "recvmsg", errno)),
            }
        }
    }

    fn received(&mut self, message: &Message) -> Received<'_> {
        let control = &message.control;
        self.lost = control.lost.unwrap_or(self.lost);
        let wall = control.stamps.software.unwrap_or_else(|| self.kernel.wall());
        let at = self.mapping.follow(&*self.kernel, wall);
        let header_len = if self.is_ipv6 { IPV6_LEN } else { 0 };
        if self.is_ipv6 {
            let source = message.from.ip().map(|a| a.ip());
            rebuild_header(&mut self.buffer[..IPV6_LEN], self.protocol, message.len, source, control);
        }
        let len = header_len + message.len;
        let bytes = &self.buffer[..len.min(self.buffer.len())];
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
