//! Waiting for sockets until a moment, and room for what comes before.

use core::time::Duration;
use std::os::fd::BorrowedFd;

use wirewright_units::Instant;

use crate::sys::{Answer, Errno, Kernel, Poll, SocketOption};

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// At least one socket is ready.
    Ready,
    /// The moment came.
    TimedOut,
    /// A signal came; whoever waits looks at what its handler left.
    Interrupted,
}

/// Waits for any of `fds` until `deadline` ([`Instant::NEVER`]: for ever).
///
/// **Errors**: `EINVAL` for too many descriptors, `ENOMEM`.
pub fn wait(kernel: &dyn Kernel, fds: &mut [Poll<'_>], deadline: Instant) -> Answer<Woken> {
    match kernel.poll(fds, time_left(kernel, deadline)) {
        Ok(0) => Ok(Woken::TimedOut),
        Ok(_) => Ok(Woken::Ready),
        Err(Errno::EINTR) => Ok(Woken::Interrupted),
        Err(errno) => Err(errno),
    }
}

/// The same, and signals do not end it.
pub(crate) fn wait_through_signals(kernel: &dyn Kernel, fds: &mut [Poll<'_>], deadline: Instant) -> Answer<bool> {
    loop {
        match wait(kernel, fds, deadline)? {
            Woken::Ready => return Ok(true),
            Woken::TimedOut => return Ok(false),
            Woken::Interrupted => {}
        }
    }
}

/// Asks for so many bytes of room for what arrives; a socket with less still receives.
pub(crate) fn make_room(kernel: &dyn Kernel, fd: BorrowedFd<'_>, bytes: i32) {
    let bytes = bytes.to_ne_bytes();
    if kernel.set_option(fd, SocketOption::SO_RCVBUFFORCE, &bytes).is_err() {
        let _ = kernel.set_option(fd, SocketOption::SO_RCVBUF, &bytes);
    }
}

fn time_left(kernel: &dyn Kernel, deadline: Instant) -> Option<Duration> {
    (deadline != Instant::NEVER).then(|| deadline.since(kernel.now()))
}
