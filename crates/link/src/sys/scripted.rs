//! The double of the kernel: it records every call, and answers what a test wrote into its script.
//!
//! Without a script everything succeeds: sockets open, sends send all, nothing arrives, and waiting lets its clock run to
//! the end of the wait. Its descriptors are real ones on `/dev/null`.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, MutexGuard};

use wirewright_units::{Instant, UnixTime};

use super::{
    Address, Answer, BATCH_MAX, Control, Errno, Family, Instruction, Kernel, Kind, Message, Poll, Queue, Ready,
    SocketOption,
};

/// One recorded call. Sockets are numbered in the order they were opened, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the arguments of the calls in `Kernel`")]
pub enum Call {
    Socket { family: Family, kind: Kind, protocol: i32 },
    Bind { socket: usize, address: Address },
    Listen { socket: usize, backlog: i32 },
    SetOption { socket: usize, option: SocketOption, value: Vec<u8> },
    Option { socket: usize, option: SocketOption },
    AttachFilter { socket: usize, program: Vec<Instruction> },
    Send { socket: usize, bytes: Vec<u8>, to: Option<Address> },
    OpenTun,
    MakeTun { socket: usize, name: String, flags: i32 },
    OffloadTun { socket: usize, offloads: u32 },
    Write { socket: usize, bytes: Vec<u8> },
}

/// The calls that a script can make fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fails {
    /// [`Kernel::socket`].
    Socket,
    /// [`Kernel::bind`].
    Bind,
    /// [`Kernel::listen`].
    Listen,
    /// [`Kernel::set_option`] and [`Kernel::option`] of this option.
    Option(SocketOption),
    /// [`Kernel::attach_filter`].
    AttachFilter,
    /// [`Kernel::send`].
    Send,
    /// [`Kernel::open_tun`].
    OpenTun,
    /// [`Kernel::make_tun`].
    MakeTun,
    /// [`Kernel::offload_tun`].
    OffloadTun,
    /// [`Kernel::write`].
    Write,
    /// [`Kernel::receive`] from this queue; [`Kernel::read`] is one from the queue of data.
    Receive(Queue),
    /// [`Kernel::poll`].
    Poll,
    /// [`Kernel::random`].
    Random,
}

/// The double. Share it as `Arc<Scripted>`, which is an `Arc<dyn Kernel>` for the code under test.
#[derive(Debug, Default)]
pub struct Scripted {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    failures: VecDeque<(Fails, Errno)>,
    sockets: Vec<Socket>,
    options: Vec<(SocketOption, Vec<u8>)>,
    now: Instant,
    wall: UnixTime,
}

#[derive(Debug, Default)]
struct Socket {
    fd: RawFd,
    local: Option<Address>,
    data: VecDeque<(Vec<u8>, Address, Control)>,
    errors: VecDeque<(Vec<u8>, Address, Control)>,
}

/// The port that binding to port 0 gives.
pub const PORT: u16 = 40_000;

impl Scripted {
    /// A kernel where everything succeeds and nothing arrives.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call of this kind fails; several are used up in their order.
    pub fn fail(&self, what: Fails, errno: Errno) {
        self.state().failures.push_back((what, errno));
    }

    /// The socket opened as number `socket` finds this message in one of its queues. Numbers not opened yet may be used.
    pub fn arrive(&self, socket: usize, queue: Queue, bytes: &[u8], from: Address, control: Control) {
        let mut state = self.state();
        while state.sockets.len() <= socket {
            state.sockets.push(Socket { fd: -1, ..Socket::default() });
        }
        let socket = &mut state.sockets[socket];
        let messages = if queue == Queue::Data { &mut socket.data } else { &mut socket.errors };
        messages.push_back((bytes.to_vec(), from, control));
    }

    /// What [`Kernel::option`] answers for `option`.
    pub fn answer_option(&self, option: SocketOption, value: &[u8]) {
        self.state().options.push((option, value.to_vec()));
    }

    /// Sets both clocks. They run only while something waits.
    pub fn set_clocks(&self, now: Instant, wall: UnixTime) {
        let mut state = self.state();
        state.now = now;
        state.wall = wall;
    }

    /// Every call so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The bytes of every send so far.
    #[must_use]
    pub fn sent(&self) -> Vec<Vec<u8>> {
        let bytes = |call: &Call| if let Call::Send { bytes, .. } = call { Some(bytes.clone()) } else { None };
        self.state().calls.iter().filter_map(bytes).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn attempt(&mut self, what: Fails) -> Answer<()> {
        match self.failures.iter().position(|(fails, _)| *fails == what) {
            Some(at) => Err(self.failures.remove(at).map_or(Errno::EIO, |(_, errno)| errno)),
            None => Ok(()),
        }
    }

    fn open(&mut self) -> Answer<OwnedFd> {
        let file = File::options().read(true).write(true).open("/dev/null").map_err(|_| Errno::EMFILE)?;
        let fd = file.as_raw_fd();
        for socket in &mut self.sockets {
            // A closed descriptor's number comes again; the old socket is gone.
            if socket.fd == fd {
                socket.fd = -2;
            }
        }
        match self.sockets.iter_mut().find(|s| s.fd == -1) {
            Some(socket) => socket.fd = fd,
            None => self.sockets.push(Socket { fd, ..Socket::default() }),
        }
        Ok(file.into())
    }

    fn number(&self, fd: BorrowedFd<'_>) -> Answer<usize> {
        self.sockets.iter().rposition(|s| s.fd == fd.as_raw_fd()).ok_or(Errno::EBADF)
    }
}

impl Kernel for Scripted {
    fn socket(&self, family: Family, kind: Kind, protocol: i32) -> Answer<OwnedFd> {
        let mut state = self.state();
        state.calls.push(Call::Socket { family, kind, protocol });
        state.attempt(Fails::Socket)?;
        state.open()
    }

    fn bind(&self, fd: BorrowedFd<'_>, address: &Address) -> Answer<()> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        state.calls.push(Call::Bind { socket, address: *address });
        state.attempt(Fails::Bind)?;
        state.sockets[socket].local = Some(*address);
        Ok(())
    }

    fn listen(&self, fd: BorrowedFd<'_>, backlog: i32) -> Answer<()> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        state.calls.push(Call::Listen { socket, backlog });
        state.attempt(Fails::Listen)
    }

    fn local_address(&self, fd: BorrowedFd<'_>) -> Answer<Address> {
        let state = self.state();
        let socket = state.number(fd)?;
        Ok(match state.sockets[socket].local {
            Some(Address::Ip(a)) if a.port() == 0 => Address::Ip(SocketAddr::new(a.ip(), PORT)),
            Some(address) => address,
            None => Address::host(IpAddr::from([0, 0, 0, 0])),
        })
    }

    fn set_option(&self, fd: BorrowedFd<'_>, option: SocketOption, value: &[u8]) -> Answer<()> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        state.calls.push(Call::SetOption { socket, option, value: value.to_vec() });
        state.attempt(Fails::Option(option))
    }

    fn option(&self, fd: BorrowedFd<'_>, option: SocketOption, value: &mut [u8]) -> Answer<usize> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        state.calls.push(Call::Option { socket, option });
        state.attempt(Fails::Option(option))?;
        let scripted = state.options.iter().find(|(o, _)| *o == option).map(|(_, v)| v.as_slice());
        let scripted = scripted.unwrap_or_default();
        let len = scripted.len().min(value.len());
        value[..len].copy_from_slice(&scripted[..len]);
        Ok(len)
    }

    fn attach_filter(&self, fd: BorrowedFd<'_>, program: &[Instruction]) -> Answer<()> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        state.calls.push(Call::AttachFilter { socket, program: program.to_vec() });
        state.attempt(Fails::AttachFilter)
    }

    fn send(&self, fd: BorrowedFd<'_>, slices: &[IoSlice<'_>], to: Option<&Address>) -> Answer<usize> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        let bytes: Vec<u8> = slices.iter().flat_map(|s| s.iter().copied()).collect();
        let len = bytes.len();
        state.calls.push(Call::Send { socket, bytes, to: to.copied() });
        state.attempt(Fails::Send)?;
        Ok(len)
    }

    fn send_batch(&self, fd: BorrowedFd<'_>, messages: &[IoSlice<'_>], to: &Address) -> Answer<usize> {
        // A failure of the script is that of the next message, which is the first.
        for message in messages.iter().take(BATCH_MAX) {
            self.send(fd, core::slice::from_ref(message), Some(to))?;
        }
        Ok(messages.len().min(BATCH_MAX))
    }

    fn receive(&self, fd: BorrowedFd<'_>, queue: Queue, buffers: &mut [IoSliceMut<'_>]) -> Answer<Message> {
        let mut state = self.state();
        let number = state.number(fd)?;
        state.attempt(Fails::Receive(queue))?;
        let socket = &mut state.sockets[number];
        let messages = if queue == Queue::Data { &mut socket.data } else { &mut socket.errors };
        let (bytes, from, control) = messages.pop_front().ok_or(Errno::EAGAIN)?;
        let mut rest = bytes.as_slice();
        for buffer in buffers {
            let (now, later) = rest.split_at(rest.len().min(buffer.len()));
            buffer[..now.len()].copy_from_slice(now);
            rest = later;
        }
        Ok(Message { len: bytes.len(), truncated: !rest.is_empty(), from, control })
    }

    fn receive_batch(
        &self,
        fd: BorrowedFd<'_>,
        buffers: &mut [IoSliceMut<'_>],
        messages: &mut [Message],
    ) -> Answer<usize> {
        let mut count = 0;
        for (buffer, message) in buffers.iter_mut().zip(messages).take(BATCH_MAX) {
            match self.receive(fd, Queue::Data, core::slice::from_mut(buffer)) {
                Ok(came) => *message = came,
                Err(errno) if count == 0 => return Err(errno),
                Err(_) => break,
            }
            count += 1;
        }
        Ok(count)
    }

    fn poll(&self, fds: &mut [Poll<'_>], timeout: Option<Duration>) -> Answer<usize> {
        let mut state = self.state();
        state.attempt(Fails::Poll)?;
        let mut count = 0;
        for poll in &mut *fds {
            let socket = &state.sockets[state.number(poll.fd)?];
            poll.ready = Ready {
                readable: poll.readable && !socket.data.is_empty(),
                writable: poll.writable,
                error: !socket.errors.is_empty(),
                hangup: false,
            };
            count += usize::from(poll.ready.any());
        }
        if count == 0 {
            let timeout = timeout.expect("a test that waits for ever without anything to arrive");
            state.now += timeout;
            state.wall = state.wall + timeout;
        }
        Ok(count)
    }

    fn open_tun(&self) -> Answer<OwnedFd> {
        let mut state = self.state();
        state.calls.push(Call::OpenTun);
        state.attempt(Fails::OpenTun)?;
        state.open()
    }

    fn make_tun(&self, fd: BorrowedFd<'_>, name: &str, flags: i32) -> Answer<String> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        state.calls.push(Call::MakeTun { socket, name: name.to_owned(), flags });
        state.attempt(Fails::MakeTun)?;
        Ok(name.replace("%d", "0"))
    }

    fn offload_tun(&self, fd: BorrowedFd<'_>, offloads: u32) -> Answer<()> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        state.calls.push(Call::OffloadTun { socket, offloads });
        state.attempt(Fails::OffloadTun)
    }

    fn read(&self, fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> Answer<usize> {
        Ok(self.receive(fd, Queue::Data, buffers)?.len)
    }

    fn write(&self, fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> Answer<usize> {
        let mut state = self.state();
        let socket = state.number(fd)?;
        let bytes: Vec<u8> = slices.iter().flat_map(|s| s.iter().copied()).collect();
        let len = bytes.len();
        state.calls.push(Call::Write { socket, bytes });
        state.attempt(Fails::Write)?;
        Ok(len)
    }

    fn now(&self) -> Instant {
        self.state().now
    }

    fn wall(&self) -> UnixTime {
        self.state().wall
    }

    fn random(&self, bytes: &mut [u8]) -> Answer<()> {
        self.state().attempt(Fails::Random)?;
        for (byte, value) in bytes.iter_mut().zip((1..=255u8).cycle()) {
            *byte = value;
        }
        Ok(())
    }
}
