//! Packet sockets: whole frames out and in, on one interface.
//!
//! Closing one costs a grace period of the kernel, 10 ms and more (measured: SYN → SYN-ACK → exit 2.5 ms without, 15 ms with
//! one, 47 ms with three): a short-lived command opens at most one. It is opened with protocol 0 and bound then; opening
//! it for all protocols at once costs a second such wait.
//!
//! A frame sent here passes no netfilter and no connection tracking; on loopback it reaches no local socket.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use arrayvec::ArrayVec;
use wirewright_units::{ByteCount, Instant};

use crate::error::{Call, Circumstances, Operation, OsError};
use crate::filter::Filter;
use crate::frame::{Capabilities, Checksum, Direction, HeaderOrigin, Received, StartsWith, Transmit, TransmitChecksum};
use crate::netlink::Interface;
use crate::raw_ip::ecn;
use crate::readback::{ReadBack, SentCopy, SentId};
use crate::sys::clock::Mapping;
use crate::sys::{Address, Errno, Family, Kernel, Kind, LinkAddress, Message, Poll, Queue, SocketOption};
use crate::virtio::VirtioHeader;
use crate::wait::{make_room, wait_through_signals};

/// How a packet socket is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketConfig {
    /// What it receives.
    pub receive: Receive,
    /// Which frames; the others are dropped in the kernel.
    pub filter: Filter,
    /// Frames that are not for this host too, while the socket lives.
    pub promiscuous: bool,
    /// Frames to every Ethernet group too, while the socket lives: neighbour discovery for an address that the kernel does
    /// not have.
    pub all_multicast: bool,
    /// Read back what left.
    pub read_back: bool,
    /// Super-segments and partial checksums, both ways (`PACKET_VNET_HDR`).
    pub segmentation: bool,
    /// Room for what arrives, in bytes, the kernel's bookkeeping included; 0 leaves it as the kernel made it. Without
    /// `CAP_NET_ADMIN` on the machine it ends at `net.core.rmem_max`.
    pub room: i32,
}

/// What a packet socket receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receive {
    /// Nothing: it only sends.
    #[default]
    Nothing,
    /// What comes in.
    Incoming,
    /// What comes in and what leaves, by whomever.
    Both,
}

/// A packet socket on one interface.
#[derive(Debug)]
pub struct PacketSocket {
    kernel: Arc<dyn Kernel>,
    fd: OwnedFd,
    interface: Box<str>,
    index: u32,
    mtu: u32,
    starts_with: StartsWith,
    sees_outgoing: bool,
    segmentation: bool,
    copies: Option<ReadBack>,
    mapping: Mapping,
    virtio: VirtioHeader,
    sent: u64,
    buffer: Vec<u8>,
}

/// Counters of a packet socket, since they were last read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketStatistics {
    /// Frames that passed the filter, the dropped ones included.
    pub arrived: u32,
    /// Frames that found no room.
    pub dropped: u32,
}

/// A super-segment of 64 KiB with its link header and a VLAN tag or two.
const FRAME_LEN_MAX: usize = 65_535 + 64;
/// How long a batch waits for room in the socket's own buffer; what fills it is a local queue that drains.
const ROOM_WAIT_MAX: core::time::Duration = core::time::Duration::from_secs(1);
/// Frames taken by one call: their bytes still lie in the nearest caches when they are looked at.
const BATCH: usize = 16;
/// Every EtherType.
pub(crate) const ETH_P_ALL: u16 = 0x0003;
/// `struct packet_mreq`'s kind for promiscuous mode.
const PACKET_MR_PROMISC: u16 = 1;
/// The same for every group.
const PACKET_MR_ALLMULTI: u16 = 2;
/// `sll_pkttype` of a frame that leaves.
pub(crate) const PACKET_OUTGOING: u8 = 4;
/// What `SO_RCVBUF` is unless set: `net.core.rmem_default`, as Linux ships it.
const RECEIVE_ROOM: u64 = 212_992;

pub(crate) const ETHERNET_LEN: usize = 14;
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;
const ARPHRD_NONE: u16 = 0xfffe;

impl PacketSocket {
    /// Opens a socket on `interface`.
    ///
    /// **Errors**: no `CAP_NET_RAW`; the interface is gone; an option that this kernel lacks.
    pub fn open(kernel: Arc<dyn Kernel>, interface: &Interface, config: &PacketConfig) -> Result<Self, OsError> {
        let failed = |call| move |errno| OsError::new(Operation::OpenPacket, call, errno);
        let fd = kernel.socket(Family::Packet, Kind::Raw, 0).map_err(failed("socket"))?;
        let mapping = Mapping::read(&*kernel);
        let starts_with = match interface.hardware {
            ARPHRD_ETHER | ARPHRD_LOOPBACK => StartsWith::Ethernet,
            ARPHRD_NONE => StartsWith::Ip,
            other => StartsWith::Other(other),
        };
        let mut socket = Self {
            kernel,
            fd,
            interface: interface.name.as_str().into(),
            index: interface.index,
            mtu: interface.mtu,
            starts_with,
            sees_outgoing: config.receive == Receive::Both,
            segmentation: config.segmentation,
            copies: None,
            mapping,
            virtio: VirtioHeader::default(),
            sent: 0,
            buffer: vec![0; if config.receive == Receive::Nothing { 0 } else { FRAME_LEN_MAX }],
        };
        socket.set_up(config).map_err(|error| error.on_interface(&interface.name))?;
        Ok(socket)
    }

    fn set_up(&mut self, config: &PacketConfig) -> Result<(), OsError> {
        if config.segmentation {
            self.switch_on(SocketOption::PACKET_VNET_HDR)?;
        }
        if config.read_back {
            let copies = ReadBack::start(&*self.kernel, self.fd.as_fd(), self.starts_with);
            let name = SocketOption::SO_TIMESTAMPING.name();
            self.copies = Some(copies.map_err(|errno| OsError::option(Operation::OpenPacket, name, errno))?);
        }
        if config.receive != Receive::Nothing {
            if config.room > 0 {
                make_room(&*self.kernel, self.fd.as_fd(), config.room);
            }
            self.switch_on(SocketOption::PACKET_AUXDATA)?;
            self.switch_on(SocketOption::SO_TIMESTAMPNS)?;
            let link_len = if self.starts_with == StartsWith::Ethernet { ETHERNET_LEN as u32 } else { 0 };
            if let Some(program) = config.filter.for_packet_socket(link_len) {
                let attached = self.kernel.attach_filter(self.fd.as_fd(), &program);
                attached.map_err(|errno| OsError::option(Operation::OpenPacket, "SO_ATTACH_FILTER", errno))?;
            }
        }
        if config.receive == Receive::Incoming {
            // Kernels before 4.20 show what leaves all the same; `recv` passes over it there.
            let _ = self.switch_on(SocketOption::PACKET_IGNORE_OUTGOING);
        }
        let modes = [(config.promiscuous, PACKET_MR_PROMISC), (config.all_multicast, PACKET_MR_ALLMULTI)];
        for (_, mode) in modes.into_iter().filter(|(is_wanted, _)| *is_wanted) {
            let mut request = [0; 16];
            request[0..4].copy_from_slice(&self.index.to_ne_bytes());
            request[4..6].copy_from_slice(&mode.to_ne_bytes());
            self.set(SocketOption::PACKET_ADD_MEMBERSHIP, &request)?;
        }
        let protocol = if config.receive == Receive::Nothing { 0 } else { ETH_P_ALL };
        let address = Address::Link(LinkAddress { interface: self.index, protocol, ..LinkAddress::default() });
        let bound = self.kernel.bind(self.fd.as_fd(), &address);
        bound.map_err(|errno| OsError::new(Operation::OpenPacket, "bind", errno))
    }

    /// Sends a frame; without segmentation its bytes leave exactly as they are.
    ///
    /// **Errors**: what `sendmsg` says; `EOPNOTSUPP` for a super-segment or a partial checksum without segmentation.
    pub fn send(&mut self, transmit: &Transmit<'_>) -> Result<SentId, OsError> {
        let is_plain = transmit.segment_size.is_none() && transmit.checksum == TransmitChecksum::Done;
        if !self.segmentation && !is_plain {
            return Err(self.failure(transmit, Errno::EOPNOTSUPP));
        }
        match self.hand_over(transmit) {
            Ok(()) => {
                self.sent += 1;
                Ok(match &mut self.copies {
                    Some(copies) => copies.on_sent(&*self.kernel, self.fd.as_fd(), transmit.len()),
                    None => SentId(self.sent - 1),
                })
            }
            Err(errno) => Err(self.failure(transmit, errno)),
        }
    }

    /// Sends as many of `frames` as one call takes, in order, their bytes exactly as they are; how many.
    ///
    /// **Errors**: as [`PacketSocket::send`], about the first frame; `EOPNOTSUPP` on a socket with segmentation.
    pub fn send_batch(&mut self, frames: &[IoSlice<'_>]) -> Result<usize, OsError> {
        let to = Address::Link(LinkAddress { interface: self.index, ..LinkAddress::default() });
        let handed = loop {
            if self.segmentation {
                break Err(Errno::EOPNOTSUPP);
            }
            match self.kernel.send_batch(self.fd.as_fd(), frames, &to) {
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.await_room()?,
                handed => break handed,
            }
        };
        match handed {
            Ok(count) => {
                self.sent += u64::try_from(count).unwrap_or(u64::MAX);
                if let Some(copies) = &mut self.copies {
                    for frame in frames.iter().take(count) {
                        copies.on_sent(&*self.kernel, self.fd.as_fd(), frame.len());
                    }
                }
                Ok(count)
            }
            Err(errno) => {
                let first: &[u8] = frames.first().map_or(&[], |frame| frame);
                Err(self.failure(&Transmit::packet(first), errno))
            }
        }
    }

    /// Waits until the socket's buffer, full of what the driver has not taken yet, has room again.
    fn await_room(&self) -> Result<(), OsError> {
        let deadline = self.kernel.now() + ROOM_WAIT_MAX;
        let mut polls = [Poll::writing(self.fd.as_fd())];
        match wait_through_signals(&*self.kernel, &mut polls, deadline) {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(OsError::new(Operation::SendFrame, "sendmmsg", Errno::EAGAIN).on_interface(&self.interface))
            }
            Err(errno) => Err(OsError::new(Operation::SendFrame, "poll", errno).on_interface(&self.interface)),
        }
    }

    fn hand_over(&self, transmit: &Transmit<'_>) -> Result<(), Errno> {
        let virtio = VirtioHeader::of(transmit, self.starts_with).ok_or(Errno::EINVAL)?.to_bytes();
        let mut slices = Vec::with_capacity(2 + transmit.slices.len());
        if self.segmentation {
            slices.push(IoSlice::new(&virtio));
        }
        slices.push(IoSlice::new(transmit.header));
        slices.extend(transmit.slices.iter().map(|slice| IoSlice::new(slice)));
        loop {
            match self.kernel.send(self.fd.as_fd(), &slices, None) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    fn failure(&mut self, transmit: &Transmit<'_>, errno: Errno) -> OsError {
        let at = Circumstances {
            frame_is_whole: self.starts_with != StartsWith::Ethernet || transmit.len() >= ETHERNET_LEN,
            ..Circumstances::default()
        };
        let call = Call { name: "sendmsg", option: None };
        let mut error = OsError::about(Operation::SendFrame, call, errno, at).on_interface(&self.interface);
        error.mtu = (errno == Errno::EMSGSIZE).then_some(self.mtu);
        if let Some(copies) = &mut self.copies {
            copies.on_failed(&*self.kernel, self.fd.as_fd());
        }
        error
    }

    /// As [`RawIpv4::read_back`](crate::RawIpv4::read_back).
    ///
    /// **Errors**: waiting failed.
    pub fn read_back(&mut self, id: SentId, deadline: Instant) -> Result<Option<SentCopy>, OsError> {
        let Some(copies) = &mut self.copies else { return Ok(None) };
        let fetched = copies.fetch(&*self.kernel, self.fd.as_fd(), id, deadline);
        fetched.map_err(|errno| OsError::new(Operation::Receive, "poll", errno).on_interface(&self.interface))
    }

    /// Waits for a frame until `deadline` ([`Instant::NEVER`]: for ever). `None` when none came.
    ///
    /// **Errors**: `ENETDOWN` once when the interface goes down; the next call goes on.
    pub fn recv(&mut self, deadline: Instant) -> Result<Option<Received<'_>>, OsError> {
        let message = loop {
            if let Some(message) = self.read()? {
                break message;
            }
            // Copies of what was sent make the socket ready too; they are taken out of the way.
            if let Some(copies) = &mut self.copies {
                let drained = copies.drain(&*self.kernel, self.fd.as_fd());
                drained.map_err(|errno| self.receive_failure("recvmsg", errno))?;
                if self.kernel.now() >= deadline {
                    return Ok(None);
                }
            }
            let mut polls = [Poll::reading(self.fd.as_fd())];
            let ready = wait_through_signals(&*self.kernel, &mut polls, deadline);
            if !ready.map_err(|errno| self.receive_failure("poll", errno))? {
                return Ok(None);
            }
        };
        Ok(Some(self.received(0, &message)))
    }

    /// A frame that is already there; `None` where none is.
    ///
    /// **Errors**: as [`PacketSocket::recv`].
    pub fn try_recv(&mut self) -> Result<Option<Received<'_>>, OsError> {
        let Some(message) = self.read()? else { return Ok(None) };
        Ok(Some(self.received(0, &message)))
    }

    /// The frames that are already there, as many as one call takes; how many, 0 where none is. For sockets that see both
    /// directions, without segmentation; others take one at a time.
    ///
    /// **Errors**: as [`PacketSocket::recv`].
    pub fn try_recv_batch(&mut self, take: &mut dyn FnMut(&Received<'_>)) -> Result<usize, OsError> {
        if self.segmentation || !self.sees_outgoing {
            let Some(received) = self.try_recv()? else { return Ok(0) };
            take(&received);
            return Ok(1);
        }
        self.buffer.resize(BATCH * FRAME_LEN_MAX, 0);
        let mut messages = [Message::default(); BATCH];
        let came = loop {
            let places = self.buffer.chunks_exact_mut(FRAME_LEN_MAX);
            let mut places: ArrayVec<_, BATCH> = places.map(IoSliceMut::new).collect();
            match self.kernel.receive_batch(self.fd.as_fd(), &mut places, &mut messages) {
                Err(Errno::EINTR) => {}
                came => break came,
            }
        };
        let count = match came {
            Ok(count) => count,
            Err(Errno::EAGAIN) => 0,
            Err(errno) => return Err(self.receive_failure("recvmmsg", errno)),
        };
        for (place, message) in messages.iter().enumerate().take(count) {
            take(&self.received(place, message));
        }
        Ok(count)
    }

    fn read(&mut self) -> Result<Option<Message>, OsError> {
        let mut virtio = [0; VirtioHeader::LEN];
        loop {
            let room = self.buffer.len().min(FRAME_LEN_MAX);
            let mut frame = IoSliceMut::new(&mut self.buffer[..room]);
            let received = if self.segmentation {
                let mut slices = [IoSliceMut::new(&mut virtio), frame];
                self.kernel.receive(self.fd.as_fd(), Queue::Data, &mut slices)
            } else {
                self.kernel.receive(self.fd.as_fd(), Queue::Data, core::slice::from_mut(&mut frame))
            };
            match received {
                Ok(message) if is_outgoing(&message) && !self.sees_outgoing => {}
                Ok(mut message) => {
                    if self.segmentation {
                        message.len = message.len.saturating_sub(VirtioHeader::LEN);
                        self.virtio = VirtioHeader::from_bytes(&virtio);
                    }
                    return Ok(Some(message));
                }
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.receive_failure("recvmsg", errno)),
            }
        }
    }

    fn receive_failure(&self, call: &'static str, errno: Errno) -> OsError {
        OsError::new(Operation::Receive, call, errno).on_interface(&self.interface)
    }

    fn received(&mut self, place: usize, message: &Message) -> Received<'_> {
        let control = &message.control;
        let wall = control.stamps.software.unwrap_or_else(|| self.kernel.wall());
        let at = self.mapping.follow(&*self.kernel, wall);
        let bytes = &self.buffer[place * FRAME_LEN_MAX..][..message.len.min(FRAME_LEN_MAX)];
        let network = if self.starts_with == StartsWith::Ethernet { ETHERNET_LEN } else { 0 };
        let aux = control.aux.unwrap_or_default();
        Received {
            bytes,
            original_len: message.len,
            starts_with: self.starts_with,
            header: HeaderOrigin::AsArrived,
            at,
            wall,
            checksum: match (aux.is_checksum_partial(), aux.is_checksum_verified()) {
                (true, _) => Checksum::Partial,
                (false, true) => Checksum::Verified,
                (false, false) => self.virtio.checksum(),
            },
            segment_size: self.virtio.segment_size(),
            direction: if is_outgoing(message) { Direction::Outgoing } else { Direction::Incoming },
            ecn: bytes.get(network..).and_then(ecn),
            interface: Some(self.index),
            vlan: aux.vlan,
        }
    }

    /// What arrived and what was dropped since this was last asked.
    ///
    /// **Errors**: the kernel's.
    pub fn statistics(&self) -> Result<PacketStatistics, OsError> {
        statistics(&*self.kernel, self.fd.as_fd())
    }

    /// What this socket can do.
    #[must_use]
    pub const fn capabilities(&self) -> Capabilities {
        Capabilities {
            mtu: self.mtu,
            segmentation: self.segmentation,
            checksum: self.segmentation,
            batch: 1,
            receive_room: ByteCount::new(RECEIVE_ROOM),
        }
    }

    /// What its frames begin with.
    #[must_use]
    pub const fn starts_with(&self) -> StartsWith {
        self.starts_with
    }

    fn switch_on(&self, option: SocketOption) -> Result<(), OsError> {
        self.set(option, &1i32.to_ne_bytes())
    }

    fn set(&self, option: SocketOption, value: &[u8]) -> Result<(), OsError> {
        let failed = |errno| OsError::option(Operation::OpenPacket, option.name(), errno);
        self.kernel.set_option(self.fd.as_fd(), option, value).map_err(failed)
    }
}

/// What arrived at the packet socket `fd` and what was dropped since this was last asked.
pub(crate) fn statistics(kernel: &dyn Kernel, fd: BorrowedFd<'_>) -> Result<PacketStatistics, OsError> {
    let mut value = [0; 8];
    let call = Call { name: "getsockopt", option: Some(SocketOption::PACKET_STATISTICS.name()) };
    let read = kernel.option(fd, SocketOption::PACKET_STATISTICS, &mut value);
    read.map_err(|errno| OsError::about(Operation::Receive, call, errno, Circumstances::default()))?;
    let [a, b, c, d, e, f, g, h] = value;
    Ok(PacketStatistics { arrived: u32::from_ne_bytes([a, b, c, d]), dropped: u32::from_ne_bytes([e, f, g, h]) })
}

fn is_outgoing(message: &Message) -> bool {
    matches!(message.from, Address::Link(LinkAddress { kind: PACKET_OUTGOING, .. }))
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
