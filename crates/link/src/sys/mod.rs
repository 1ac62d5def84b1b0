//! The calls of the operating system, and all unsafe code of the workspace.
//!
//! In: typed arguments of one system call each.
//! Out: what the kernel answered, or its [`Errno`].
//! Above: the rest of link, lab, the command's `watch`. Below: the kernel (rustix where it has the call, libc elsewhere).
//! Not here: any meaning of an errno (`error.rs`), any sequence of calls (the socket modules).
//!
//! [`Kernel`] is the trait; [`system`] gives the real one; [`scripted::Scripted`] is the double. A descriptor closes itself
//! when its [`OwnedFd`] is dropped: the only call that does not go through the trait.

#![allow(unsafe_code)]

pub mod address;
pub mod clock;
pub mod control;
pub mod errno;
pub mod ethtool;
pub mod filter_program;
pub mod linux;
pub mod namespace;
pub mod option;
pub mod process;
pub mod ring;
pub mod scripted;

use core::fmt;
use core::time::Duration;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

pub use address::{Address, LinkAddress};
pub use control::{AuxData, Control, ExtendedError, Origin, Stamps};
pub use errno::Errno;
pub use filter_program::Instruction;
pub use option::SocketOption;

use wirewright_units::{Instant, UnixTime};

/// What every call answers.
pub type Answer<T> = Result<T, Errno>;

/// How many descriptors one [`Kernel::poll`] takes: a driver waits on a handful, the recorder of a lab on some dozen.
pub const POLL_MAX: usize = 64;

/// How many messages one [`Kernel::send_batch`] or [`Kernel::receive_batch`] takes at most: beyond it the cost of a call is lost in that of its messages.
pub const BATCH_MAX: usize = 32;

/// The system calls that the workspace makes on sockets. One method is one call; none waits but [`Kernel::poll`].
pub trait Kernel: Send + Sync + fmt::Debug {
    /// `socket(2)`, always close-on-exec and non-blocking. `protocol` is in the order that the family wants it
    /// (network order for [`Family::Packet`]).
    fn socket(&self, family: Family, kind: Kind, protocol: i32) -> Answer<OwnedFd>;

    /// `bind(2)`.
    fn bind(&self, fd: BorrowedFd<'_>, address: &Address) -> Answer<()>;

    /// `listen(2)`.
    fn listen(&self, fd: BorrowedFd<'_>, backlog: i32) -> Answer<()>;

    /// `getsockname(2)`: the address that the socket is bound to.
    fn local_address(&self, fd: BorrowedFd<'_>) -> Answer<Address>;

    /// `setsockopt(2)` with the bytes of a plain value.
    fn set_option(&self, fd: BorrowedFd<'_>, option: SocketOption, value: &[u8]) -> Answer<()>;

    /// `getsockopt(2)`; the length that the kernel wrote.
    fn option(&self, fd: BorrowedFd<'_>, option: SocketOption, value: &mut [u8]) -> Answer<usize>;

    /// `setsockopt(SO_ATTACH_FILTER)`: a classic BPF program. Raw and packet sockets take it with the rights they were opened with.
    fn attach_filter(&self, fd: BorrowedFd<'_>, program: &[Instruction]) -> Answer<()>;

    /// `sendmsg(2)` without waiting; `to` is `None` on a bound socket.
    fn send(&self, fd: BorrowedFd<'_>, slices: &[IoSlice<'_>], to: Option<&Address>) -> Answer<usize>;

    /// `sendmmsg(2)` without waiting, one message a slice, [`BATCH_MAX`] at most, all to one address; how many went.
    ///
    /// **Errors**: those of the first message; one that follows is told by the next call.
    fn send_batch(&self, fd: BorrowedFd<'_>, messages: &[IoSlice<'_>], to: &Address) -> Answer<usize>;

    /// `recvmsg(2)` without waiting, from the queue of data or from the error queue.
    fn receive(&self, fd: BorrowedFd<'_>, queue: Queue, buffers: &mut [IoSliceMut<'_>]) -> Answer<Message>;

    /// `recvmmsg(2)` without waiting, from the queue of data: one message a buffer, [`BATCH_MAX`] at most; how many came.
    ///
    /// **Errors**: those of the first message; one that follows is told by the next call.
    fn receive_batch(
        &self,
        fd: BorrowedFd<'_>,
        buffers: &mut [IoSliceMut<'_>],
        messages: &mut [Message],
    ) -> Answer<usize>;

    /// `ppoll(2)`; how many are ready, 0 when the time is over. `None` waits for ever; `EINTR` is answered, not hidden.
    ///
    /// **Errors**: `EINVAL` for more than [`POLL_MAX`] descriptors.
    fn poll(&self, fds: &mut [Poll<'_>], timeout: Option<Duration>) -> Answer<usize>;

    /// `open(2)` of `/dev/net/tun`, close-on-exec and non-blocking.
    fn open_tun(&self) -> Answer<OwnedFd>;

    /// `ioctl(TUNSETIFF)` on what [`Kernel::open_tun`] gave: makes the device `name`, or one whose name the kernel chooses where
    /// it holds `%d`, with these `IFF_*` flags; the name that it has.
    ///
    /// **Errors**: `EINVAL` also for a name of more than 15 bytes.
    fn make_tun(&self, fd: BorrowedFd<'_>, name: &str, flags: i32) -> Answer<String>;

    /// `ioctl(TUNSETOFFLOAD)`: what the reader of the device does in the kernel's place (`TUN_F_*`).
    fn offload_tun(&self, fd: BorrowedFd<'_>, offloads: u32) -> Answer<()>;

    /// `readv(2)` on a device.
    fn read(&self, fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> Answer<usize>;

    /// `writev(2)` on a device.
    fn write(&self, fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> Answer<usize>;

    /// `clock_gettime(CLOCK_MONOTONIC)`.
    fn now(&self) -> Instant;

    /// `clock_gettime(CLOCK_REALTIME)`, which is also the clock of the kernel's stamps.
    fn wall(&self) -> UnixTime;

    /// `getrandom(2)`.
    fn random(&self, bytes: &mut [u8]) -> Answer<()>;
}

/// The kernel that this program runs on.
#[must_use]
pub fn system() -> Arc<dyn Kernel> {
    Arc::new(linux::Linux)
}

/// The address families of [`Kernel::socket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `AF_INET`.
    V4,
    /// `AF_INET6`.
    V6,
    /// `AF_PACKET`.
    Packet,
    /// `AF_NETLINK`.
    Netlink,
}

/// The kinds of [`Kernel::socket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `SOCK_STREAM`.
    Stream,
    /// `SOCK_DGRAM`.
    Datagram,
    /// `SOCK_RAW`.
    Raw,
}

/// Which queue of a socket [`Kernel::receive`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// What arrived.
    Data,
    /// `MSG_ERRQUEUE`: sent copies with their stamps, and errors.
    Errors,
}

/// One message of [`Kernel::receive`]; its bytes are in the caller's buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Its whole length, also where the buffers were shorter (`MSG_TRUNC`).
    pub len: usize,
    /// The bytes did not fit into the buffers.
    pub truncated: bool,
    /// Who sent it; [`Address::Unspecified`] on the error queue.
    pub from: Address,
    /// What came beside it.
    pub control: Control,
}

/// One descriptor of [`Kernel::poll`].
#[derive(Debug)]
pub struct Poll<'a> {
    /// What is waited on.
    pub fd: BorrowedFd<'a>,
    /// Wait for data.
    pub readable: bool,
    /// Wait for room to send.
    pub writable: bool,
    /// The answer. Errors and hang-ups are reported whether waited for or not.
    pub ready: Ready,
}

/// What [`Kernel::poll`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// Data can be read.
    pub readable: bool,
    /// There is room to send.
    pub writable: bool,
    /// The error queue holds something, or an error is pending.
    pub error: bool,
    /// The other end is gone, or the descriptor is of no use any more.
    pub hangup: bool,
}

impl Ready {
    /// Anything at all.
    #[must_use]
    pub const fn any(self) -> bool {
        self.readable || self.writable || self.error || self.hangup
    }
}

impl<'a> Poll<'a> {
    /// Wait for data (and, as always, for errors) on `fd`.
    #[must_use]
    pub fn reading(fd: BorrowedFd<'a>) -> Self {
        Self { fd, readable: true, writable: false, ready: Ready::default() }
    }

    /// Wait for room to send on `fd`.
    #[must_use]
    pub fn writing(fd: BorrowedFd<'a>) -> Self {
        Self { fd, readable: false, writable: true, ready: Ready::default() }
    }

    /// Wait for nothing but errors: the error queue of `fd`.
    #[must_use]
    pub fn errors(fd: BorrowedFd<'a>) -> Self {
        Self { fd, readable: false, writable: false, ready: Ready::default() }
    }
}
