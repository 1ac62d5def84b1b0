//! Reading back what was sent: the kernel loops each frame, as it left, to the error queue of the socket that sent it.
//!
//! `SO_TIMESTAMPING` with `TX_SCHED` and `TX_SOFTWARE` gives two entries a frame: one when it comes to the queue of the
//! interface, one when the driver is given it. Each holds the whole frame: the link header with the addresses that the
//! kernel chose, the filled identification, the repaired length and checksum. Measured (Linux 6.18):
//!
//! | sent by | on | begins with |
//! |---|---|---|
//! | raw IPv4 or IPv6 | veth | the Ethernet header |
//! | raw IPv4 or IPv6 | loopback | an Ethernet header, both addresses zero |
//! | raw IPv4 or IPv6 | TUN | the IP header |
//! | packet socket | veth, loopback, TUN | what was handed over, unchanged |
//!
//! No entry at all: the kernel holds the frame until the neighbour answers (and drops it in silence when it does not).
//! The first entry without the second: lost in the local queue, or the driver gives no stamp
//! ([`stamps_what_leaves`](crate::sys::ethtool::stamps_what_leaves) says so beforehand); a [`Tap`](crate::Tap) tells.

use std::collections::BTreeMap;
use std::io::IoSliceMut;
use std::os::fd::BorrowedFd;

use wirewright_units::{Instant, UnixTime};

use crate::frame::StartsWith;
use crate::sys::clock::Mapping;
use crate::sys::{Answer, Control, Errno, ExtendedError, Kernel, Origin, Poll, Queue, SocketOption};
use crate::wait::wait_through_signals;

/// The number of a packet among those sent by its socket, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SentId(pub u64);

/// A frame as it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentCopy {
    /// Which packet it is.
    pub id: SentId,
    /// The frame.
    pub bytes: Vec<u8>,
    /// Bytes of link header before what was handed over: 14 for a raw IP socket on Ethernet, 0 on TUN.
    pub link_header_len: usize,
    /// What the bytes begin with.
    pub starts_with: StartsWith,
    /// The interface it left by, where the kernel says so.
    pub interface: Option<u32>,
    /// When it came to the queue of the interface.
    pub scheduled: Option<Stamp>,
    /// When the driver was given it.
    pub at_driver: Option<Stamp>,
}

impl SentCopy {
    /// The IP packet in it (or whatever was handed to a raw IP socket).
    #[must_use]
    pub fn packet(&self) -> &[u8] {
        self.bytes.get(self.link_header_len..).unwrap_or_default()
    }

    /// It came to the queue and not to the driver: lost in the local queue, unless the driver gives no stamps.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.scheduled.is_some() && self.at_driver.is_none()
    }

    /// When it left, as exactly as is known.
    #[must_use]
    pub fn left(&self) -> Option<Stamp> {
        self.at_driver.or(self.scheduled)
    }
}

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// By the monotonic clock.
    pub at: Instant,
    /// By the wall clock.
    pub wall: UnixTime,
}

/// Reporting, and stamps at the queue and at the driver, of every packet, numbered, with the interface.
const FLAGS: u32 = SOFTWARE | TX_SOFTWARE | TX_SCHED | OPT_ID | OPT_CMSG;
const TX_SOFTWARE: u32 = libc::SOF_TIMESTAMPING_TX_SOFTWARE;
const TX_SCHED: u32 = libc::SOF_TIMESTAMPING_TX_SCHED;
const SOFTWARE: u32 = libc::SOF_TIMESTAMPING_SOFTWARE;
const OPT_ID: u32 = libc::SOF_TIMESTAMPING_OPT_ID;
const OPT_CMSG: u32 = libc::SOF_TIMESTAMPING_OPT_CMSG;

/// Packets whose copies are still awaited. More are in flight only where nobody reads copies; the oldest are given up.
const AWAITED_MAX: usize = 1024;
/// Copies that nobody fetched, in bytes (the queue of a socket holds about 200 KiB).
const UNFETCHED_BYTES_MAX: usize = 4 << 20;
/// A frame is at most an IP packet of 64 KiB with its link header.
const FRAME_LEN_MAX: usize = 65_535 + 64;
/// The error queue is emptied at least so often, in packets, so that it does not overflow.
const DRAIN_EVERY: u64 = 16;

/// What is awaited from one socket.
#[derive(Debug)]
pub(crate) struct ReadBack {
    next: u64,
    /// What the kernel's counter of 32 bits stood at zero for.
    base: u64,
    awaited: BTreeMap<u64, Awaited>,
    unfetched_bytes: usize,
    path_mtu: Option<u32>,
    mapping: Mapping,
    begins: StartsWith,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Awaited {
    handed_len: usize,
    copy: Option<SentCopy>,
}

impl ReadBack {
    /// Switches it on for a socket whose packets begin with `begins`.
    pub(crate) fn start(kernel: &dyn Kernel, fd: BorrowedFd<'_>, begins: StartsWith) -> Answer<Self> {
        set_flags(kernel, fd, FLAGS)?;
        Ok(Self {
            next: 0,
            base: 0,
            awaited: BTreeMap::new(),
            unfetched_bytes: 0,
            path_mtu: None,
            mapping: Mapping::read(kernel),
            begins,
            buffer: vec![0; FRAME_LEN_MAX],
        })
    }

    /// A packet of `len` bytes was sent.
    pub(crate) fn on_sent(&mut self, kernel: &dyn Kernel, fd: BorrowedFd<'_>, len: usize) -> SentId {
        let id = self.next;
        self.next += 1;
        if self.next - self.base > u64::from(u32::MAX / 2) {
            // Before the kernel's counter of 32 bits comes round.
            self.on_failed(kernel, fd);
        }
        if self.awaited.len() == AWAITED_MAX {
            self.forget_oldest();
        }
        self.awaited.insert(id, Awaited { handed_len: len, copy: None });
        if self.next.is_multiple_of(DRAIN_EVERY) {
            // What goes wrong here is told when a copy is asked for.
            let _ = self.drain(kernel, fd);
        }
        SentId(id)
    }

    /// A send failed: whether the kernel counted it depends on where it failed, so its counter is set to zero again.
    /// The path MTU, where that was the reason.
    pub(crate) fn on_failed(&mut self, kernel: &dyn Kernel, fd: BorrowedFd<'_>) -> Option<u32> {
        self.path_mtu = None;
        let _ = self.drain(kernel, fd);
        // Off and on again; if that fails the copies of later packets are not recognised, and nothing worse.
        let _ = set_flags(kernel, fd, 0);
        let _ = set_flags(kernel, fd, FLAGS);
        self.base = self.next;
        self.path_mtu.take()
    }

    /// Waits for the copy of packet `id` until the driver was given it. At `deadline` what is known by then: a copy
    /// without the driver's stamp, or `None` where the kernel still holds the packet for its neighbour.
    pub(crate) fn fetch(
        &mut self,
        kernel: &dyn Kernel,
        fd: BorrowedFd<'_>,
        id: SentId,
        deadline: Instant,
    ) -> Answer<Option<SentCopy>> {
        loop {
            if !self.drain(kernel, fd)? {
                // A pending error (the interface went down) would make every wait end at once; reading it clears it.
                let _ = kernel.option(fd, SocketOption::SO_ERROR, &mut [0; 4]);
            }
            let Some(awaited) = self.awaited.get(&id.0) else { return Ok(None) };
            let is_whole = awaited.copy.as_ref().is_some_and(|copy| copy.at_driver.is_some());
            let is_over = is_whole || kernel.now() >= deadline;
            if is_over || !wait_through_signals(kernel, &mut [Poll::errors(fd)], deadline)? {
                return Ok(self.take(id.0));
            }
        }
    }

    fn take(&mut self, id: u64) -> Option<SentCopy> {
        // One without a copy stays: its neighbour may answer yet.
        self.awaited.get(&id)?.copy.as_ref()?;
        let copy = self.awaited.remove(&id)?.copy?;
        self.unfetched_bytes -= copy.bytes.len();
        Some(copy)
    }

    fn forget_oldest(&mut self) {
        if let Some((_, Awaited { copy: Some(copy), .. })) = self.awaited.pop_first() {
            self.unfetched_bytes -= copy.bytes.len();
        }
    }

    /// Reads the error queue until it is empty; whether anything was in it.
    ///
    /// **Errors**: the kernel's.
    pub(crate) fn drain(&mut self, kernel: &dyn Kernel, fd: BorrowedFd<'_>) -> Answer<bool> {
        let mut buffer = core::mem::take(&mut self.buffer);
        let result = self.drain_with(kernel, fd, &mut buffer);
        self.buffer = buffer;
        result
    }

    fn drain_with(&mut self, kernel: &dyn Kernel, fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Answer<bool> {
        // One entry a stamp and one an error: bounded, so that a flood of errors from outside cannot hold us here.
        for count in 0..4 * AWAITED_MAX {
            match kernel.receive(fd, Queue::Errors, &mut [IoSliceMut::new(buffer)]) {
                Ok(message) => {
                    let bytes = &buffer[..message.len.min(buffer.len())];
                    self.on_entry(kernel, bytes, &message.control);
                }
                Err(Errno::EAGAIN) => return Ok(count > 0),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(true)
    }

    fn on_entry(&mut self, kernel: &dyn Kernel, bytes: &[u8], control: &Control) {
        let Some(error) = control.error else { return };
        match error.origin {
            Origin::Stamp => self.on_stamp(kernel, bytes, control, &error),
            Origin::Local if Errno::from_raw(error.errno) == Errno::EMSGSIZE => self.path_mtu = Some(error.info),
            _ => {}
        }
    }

    fn on_stamp(&mut self, kernel: &dyn Kernel, bytes: &[u8], control: &Control, error: &ExtendedError) {
        let Some(wall) = control.stamps.software else { return };
        let stamp = Stamp { at: self.mapping.follow(kernel, wall), wall };
        let id = self.base + u64::from(error.data);
        let Some(awaited) = self.awaited.get_mut(&id) else { return };
        let Some(link_header_len) = bytes.len().checked_sub(awaited.handed_len) else { return };
        if awaited.copy.is_none() {
            self.unfetched_bytes += bytes.len();
        }
        let copy = awaited.copy.get_or_insert_with(|| SentCopy {
            id: SentId(id),
            bytes: bytes.to_vec(),
            link_header_len,
            starts_with: starts_with(self.begins, link_header_len),
            interface: None,
            scheduled: None,
            at_driver: None,
        });
        copy.interface = copy.interface.or(control.interface);
        match error.info {
            ExtendedError::SCHEDULED => copy.scheduled = Some(stamp),
            ExtendedError::AT_DRIVER => copy.at_driver = Some(stamp),
            _ => {}
        }
        while self.unfetched_bytes > UNFETCHED_BYTES_MAX {
            self.forget_oldest();
        }
    }
}

/// What a copy begins with, by the bytes that the kernel put before what was handed over.
const fn starts_with(handed: StartsWith, link_header_len: usize) -> StartsWith {
    match (handed, link_header_len) {
        (StartsWith::Ip, 14) => StartsWith::Ethernet,
        (_, 0) => handed,
        _ => StartsWith::Other(0),
    }
}

fn set_flags(kernel: &dyn Kernel, fd: BorrowedFd<'_>, flags: u32) -> Answer<()> {
    kernel.set_option(fd, SocketOption::SO_TIMESTAMPING, &flags.to_ne_bytes())
}
