//! The real kernel.

use core::num::NonZeroU32;
use core::time::Duration;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use arrayvec::ArrayVec;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType};
use wirewright_units::{Instant, UnixTime};

use super::address::ADDRESS_LEN_MAX;
use super::{
    Address, Answer, BATCH_MAX, Control, Errno, Family, Instruction, Kernel, Kind, Message, POLL_MAX, Poll, Queue,
    Ready, SocketOption, clock,
};

/// The kernel that this program runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linux;

/// Room for control data: all that is asked for comes to about 320 bytes; what does not fit is marked `truncated`.
const CONTROL_LEN: usize = 512;

/// Control data is aligned as `struct cmsghdr`.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct ControlBuffer([u8; CONTROL_LEN]);

/// Where the kernel writes what comes beside the bytes of a message.
#[derive(Clone, Copy)]
struct Beside {
    from: [u8; ADDRESS_LEN_MAX],
    control: ControlBuffer,
}

impl Beside {
    const EMPTY: Self = Self { from: [0; ADDRESS_LEN_MAX], control: ControlBuffer([0; CONTROL_LEN]) };

    /// Says in `message` where this is. The message must not be used longer.
    fn announce(&mut self, message: &mut libc::msghdr) {
        message.msg_name = self.from.as_mut_ptr().cast();
        message.msg_namelen = socklen(self.from.len());
        message.msg_control = self.control.0.as_mut_ptr().cast();
        message.msg_controllen = self.control.0.len() as _;
    }

    /// What the kernel wrote.
    fn read(&self, message: &libc::msghdr, len: usize) -> Message {
        #[allow(clippy::unnecessary_cast, reason = "a `u32` in musl")]
        let used = (message.msg_controllen as usize).min(CONTROL_LEN);
        let mut control = Control::parse(&self.control.0[..used]);
        control.truncated = message.msg_flags & libc::MSG_CTRUNC != 0;
        let from_len = (message.msg_namelen as usize).min(self.from.len());
        Message {
            len,
            truncated: message.msg_flags & libc::MSG_TRUNC != 0,
            from: Address::decode(&self.from[..from_len]),
            control,
        }
    }
}

/// The kernel's `struct ifreq` with the member that `TUNSETIFF` uses. The real one is a union of 24 bytes on 64-bit machines,
/// so the rest is padding.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; libc::IFNAMSIZ],
    flags: u16,
    rest: [u8; 22],
}

const _: () = assert!(size_of::<InterfaceRequest>() >= size_of::<libc::ifreq>());

/// No MSG_CMSG_CLOEXEC: a packet socket refuses the call for it (EINVAL), and no descriptor comes by these sockets.
const RECEIVE_FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_TRUNC;

const SEND_FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

impl Kernel for Linux {
    fn socket(&self, family: Family, kind: Kind, protocol: i32) -> Answer<OwnedFd> {
        let family = match family {
            Family::V4 => AddressFamily::INET,
            Family::V6 => AddressFamily::INET6,
            Family::Packet => AddressFamily::PACKET,
            Family::Netlink => AddressFamily::NETLINK,
        };
        let kind = match kind {
            Kind::Stream => SocketType::STREAM,
            Kind::Datagram => SocketType::DGRAM,
            Kind::Raw => SocketType::RAW,
        };
        let protocol = NonZeroU32::new(protocol.cast_unsigned()).map(Protocol::from_raw);
        Ok(rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, protocol)?)
    }

    fn bind(&self, fd: BorrowedFd<'_>, address: &Address) -> Answer<()> {
        let (bytes, len) = address.encode();
        // SAFETY: `bytes` is alive for the call and at least `len` bytes long; the kernel only reads it.
        let result = unsafe { libc::bind(fd.as_raw_fd(), bytes.as_ptr().cast(), socklen(len)) };
        done(result)
    }

    fn listen(&self, fd: BorrowedFd<'_>, backlog: i32) -> Answer<()> {
        Ok(rustix::net::listen(fd, backlog)?)
    }

    fn local_address(&self, fd: BorrowedFd<'_>) -> Answer<Address> {
        let mut bytes = [0u8; ADDRESS_LEN_MAX];
        let mut len = socklen(bytes.len());
        // SAFETY: both pointers are to live locals, and `len` says how long `bytes` is.
        let result = unsafe { libc::getsockname(fd.as_raw_fd(), bytes.as_mut_ptr().cast(), &raw mut len) };
        done(result)?;
        Ok(Address::decode(&bytes[..(len as usize).min(bytes.len())]))
    }

    fn set_option(&self, fd: BorrowedFd<'_>, option: SocketOption, value: &[u8]) -> Answer<()> {
        let len = socklen(value.len());
        // SAFETY: `value` is alive and `len` long. The options of `option.rs` hold no pointer that the kernel would follow.
        let result =
            unsafe { libc::setsockopt(fd.as_raw_fd(), option.level, option.number, value.as_ptr().cast(), len) };
        done(result)
    }

    fn option(&self, fd: BorrowedFd<'_>, option: SocketOption, value: &mut [u8]) -> Answer<usize> {
        let mut len = socklen(value.len());
        let at = value.as_mut_ptr().cast();
        // SAFETY: `value` is alive, exclusively borrowed and `len` long; the options of `option.rs` hold no pointer.
        let result = unsafe { libc::getsockopt(fd.as_raw_fd(), option.level, option.number, at, &raw mut len) };
        done(result)?;
        Ok((len as usize).min(value.len()))
    }

    fn attach_filter(&self, fd: BorrowedFd<'_>, program: &[Instruction]) -> Answer<()> {
        let len = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
        let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
        let size = socklen(size_of_val(&program));
        let at = (&raw const program).cast();
        // SAFETY: `program` points to `len` instructions that live through the call, laid out as `struct sock_filter`
        // (asserted in `filter_program.rs`); the kernel copies them and writes nothing.
        let result = unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, at, size) };
        done(result)
    }

    fn send(&self, fd: BorrowedFd<'_>, slices: &[IoSlice<'_>], to: Option<&Address>) -> Answer<usize> {
        let address = to.map(Address::encode);
        let mut message = empty_message();
        if let Some((bytes, len)) = &address {
            message.msg_name = bytes.as_ptr().cast_mut().cast();
            message.msg_namelen = socklen(*len);
        }
        message.msg_iov = slices.as_ptr().cast_mut().cast();
        message.msg_iovlen = slices.len() as _;
        // SAFETY: `message` points to `address` and `slices`, both alive here; an `IoSlice` is laid out as `struct iovec`
        // (std documents it); the kernel only reads.
        let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, SEND_FLAGS) };
        usize::try_from(sent).map_err(|_| Errno::last())
    }

    fn send_batch(&self, fd: BorrowedFd<'_>, messages: &[IoSlice<'_>], to: &Address) -> Answer<usize> {
        let (address, address_len) = to.encode();
        let messages = messages.get(..BATCH_MAX).unwrap_or(messages);
        let mut headers: ArrayVec<libc::mmsghdr, BATCH_MAX> = ArrayVec::new();
        for message in messages {
            let mut header = empty_message();
            header.msg_name = address.as_ptr().cast_mut().cast();
            header.msg_namelen = socklen(address_len);
            header.msg_iov = core::ptr::from_ref(message).cast_mut().cast();
            header.msg_iovlen = 1;
            headers.push(libc::mmsghdr { msg_hdr: header, msg_len: 0 });
        }
        let (at, count) = (headers.as_mut_ptr(), u32::try_from(headers.len()).unwrap_or(0));
        // SAFETY: `headers` are `count`, and point to `address` and to one of `messages` each, all alive here; an `IoSlice`
        // is laid out as `struct iovec` (std documents it); the kernel writes nothing but `msg_len`.
        let sent = unsafe { libc::sendmmsg(fd.as_raw_fd(), at, count, SEND_FLAGS as _) };
        usize::try_from(sent).map_err(|_| Errno::last())
    }

    fn receive(&self, fd: BorrowedFd<'_>, queue: Queue, buffers: &mut [IoSliceMut<'_>]) -> Answer<Message> {
        let mut beside = Beside::EMPTY;
        let mut message = empty_message();
        beside.announce(&mut message);
        message.msg_iov = buffers.as_mut_ptr().cast();
        message.msg_iovlen = buffers.len() as _;
        let flags = RECEIVE_FLAGS | if queue == Queue::Errors { libc::MSG_ERRQUEUE } else { 0 };
        // SAFETY: `message` points to `beside` and `buffers`, both alive and exclusively borrowed here, with their lengths;
        // an `IoSliceMut` is laid out as `struct iovec` (std documents it).
        let len = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) };
        let len = usize::try_from(len).map_err(|_| Errno::last())?;
        Ok(beside.read(&message, len))
    }

    fn receive_batch(
        &self,
        fd: BorrowedFd<'_>,
        buffers: &mut [IoSliceMut<'_>],
        messages: &mut [Message],
    ) -> Answer<usize> {
        let count = buffers.len().min(messages.len()).min(BATCH_MAX);
        let mut beside: ArrayVec<Beside, BATCH_MAX> = (0..count).map(|_| Beside::EMPTY).collect();
        let empty = |_| libc::mmsghdr { msg_hdr: empty_message(), msg_len: 0 };
        let mut headers: ArrayVec<libc::mmsghdr, BATCH_MAX> = (0..count).map(empty).collect();
        for ((header, beside), buffer) in headers.iter_mut().zip(&mut beside).zip(buffers) {
            beside.announce(&mut header.msg_hdr);
            header.msg_hdr.msg_iov = core::ptr::from_mut(buffer).cast();
            header.msg_hdr.msg_iovlen = 1;
        }
        let (at, room) = (headers.as_mut_ptr(), u32::try_from(count).unwrap_or(0));
        // SAFETY: `headers` are `count`, and point to one of `beside` and of `buffers` each, all alive and exclusively
        // borrowed here, with their lengths; an `IoSliceMut` is laid out as `struct iovec` (std documents it).
        let came = unsafe { libc::recvmmsg(fd.as_raw_fd(), at, room, RECEIVE_FLAGS as _, core::ptr::null_mut()) };
        let came = usize::try_from(came).map_err(|_| Errno::last())?;
        for ((message, header), beside) in messages.iter_mut().zip(&headers).zip(&beside).take(came) {
            *message = beside.read(&header.msg_hdr, header.msg_len as usize);
        }
        Ok(came)
    }

    fn poll(&self, fds: &mut [Poll<'_>], timeout: Option<Duration>) -> Answer<usize> {
        if fds.len() > POLL_MAX {
            return Err(Errno::EINVAL);
        }
        let mut polled: ArrayVec<PollFd<'_>, POLL_MAX> = fds.iter().map(poll_fd).collect();
        let timeout = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(t.subsec_nanos()),
        });
        let count = rustix::event::poll(&mut polled, timeout.as_ref())?;
        for (fd, answer) in fds.iter_mut().zip(&polled) {
            fd.ready = ready(answer.revents());
        }
        Ok(count)
    }

    fn open_tun(&self) -> Answer<OwnedFd> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::open("/dev/net/tun", flags, Mode::empty())?)
    }

    fn make_tun(&self, fd: BorrowedFd<'_>, name: &str, flags: i32) -> Answer<String> {
        let mut request = InterfaceRequest { name: [0; libc::IFNAMSIZ], flags: 0, rest: [0; 22] };
        if name.len() >= request.name.len() {
            return Err(Errno::EINVAL);
        }
        request.name[..name.len()].copy_from_slice(name.as_bytes());
        // The field is 16 bits wide, and some flags use the highest.
        request.flags = flags as u16;
        // SAFETY: `request` is as large as the kernel's `struct ifreq`, its name ends with a zero, and it lives past the call,
        // which reads and writes nothing else.
        let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) };
        done(result)?;
        let len = request.name.iter().position(|byte| *byte == 0).unwrap_or(request.name.len());
        Ok(String::from_utf8_lossy(&request.name[..len]).into_owned())
    }

    fn offload_tun(&self, fd: BorrowedFd<'_>, offloads: u32) -> Answer<()> {
        // SAFETY: this request takes a number, no pointer.
        let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TUNSETOFFLOAD as _, libc::c_ulong::from(offloads)) };
        done(result)
    }

    fn read(&self, fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> Answer<usize> {
        Ok(rustix::io::readv(fd, buffers)?)
    }

    fn write(&self, fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> Answer<usize> {
        Ok(rustix::io::writev(fd, slices)?)
    }

    fn now(&self) -> Instant {
        clock::now()
    }

    fn wall(&self) -> UnixTime {
        clock::wall()
    }

    fn random(&self, bytes: &mut [u8]) -> Answer<()> {
        let mut filled = 0;
        while filled < bytes.len() {
            match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
                Ok(count) => filled += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

fn empty_message() -> libc::msghdr {
    // SAFETY: `struct msghdr` is plain data; all zero is a message without address, data and control.
    unsafe { core::mem::zeroed() }
}

fn done(result: i32) -> Answer<()> {
    if result == 0 { Ok(()) } else { Err(Errno::last()) }
}

/// Lengths here are those of values and addresses, some hundred bytes; a longer one is refused by the kernel.
fn socklen(len: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(len).unwrap_or(libc::socklen_t::MAX)
}

fn poll_fd<'a>(poll: &Poll<'a>) -> PollFd<'a> {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, poll.readable);
    flags.set(PollFlags::OUT, poll.writable);
    PollFd::from_borrowed_fd(poll.fd, flags)
}

fn ready(flags: PollFlags) -> Ready {
    Ready {
        readable: flags.contains(PollFlags::IN),
        writable: flags.contains(PollFlags::OUT),
        error: flags.intersects(PollFlags::ERR | PollFlags::NVAL),
        hangup: flags.contains(PollFlags::HUP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_datagram_over_loopback_comes_with_its_sender_and_its_stamp() {
        let kernel = Linux;
        let here = Address::Ip("127.0.0.1:0".parse().unwrap());
        let from = kernel.socket(Family::V4, Kind::Datagram, 0).unwrap();
        let to = kernel.socket(Family::V4, Kind::Datagram, 0).unwrap();
        kernel.bind(from.as_fd(), &here).unwrap();
        kernel.bind(to.as_fd(), &here).unwrap();
        kernel.set_option(to.as_fd(), SocketOption::SO_TIMESTAMPNS, &1i32.to_ne_bytes()).unwrap();
        let target = kernel.local_address(to.as_fd()).unwrap();
        let slices = [IoSlice::new(b"hel"), IoSlice::new(b"lo")];
        assert_eq!(kernel.send(from.as_fd(), &slices, Some(&target)), Ok(5));
        let mut polls = [Poll::reading(to.as_fd())];
        assert_eq!(kernel.poll(&mut polls, Some(Duration::from_secs(2))), Ok(1));
        assert!(polls[0].ready.readable);
        let (mut a, mut b) = ([0; 2], [0; 2]);
        let message =
            kernel.receive(to.as_fd(), Queue::Data, &mut [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)]).unwrap();
        assert_eq!((&a, &b, message.len, message.truncated), (b"he", b"ll", 5, true));
        assert_eq!(message.from, kernel.local_address(from.as_fd()).unwrap());
        assert!(message.control.stamps.software.is_some());
        assert_eq!(kernel.receive(to.as_fd(), Queue::Data, &mut []), Err(Errno::EAGAIN));
    }

    #[test]
    fn too_many_descriptors_are_refused() {
        let fd = Linux.socket(Family::V4, Kind::Datagram, 0).unwrap();
        let mut polls: Vec<_> = (0..=POLL_MAX).map(|_| Poll::reading(fd.as_fd())).collect();
        assert_eq!(Linux.poll(&mut polls, Some(Duration::ZERO)), Err(Errno::EINVAL));
    }
}
