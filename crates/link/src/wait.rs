//! Waiting for sockets until a moment.

use core::time::Duration;

use wirewright_units::Instant;

use crate::sys::{Answer, Errno, Kernel, Poll};

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

fn time_left(kernel: &dyn Kernel, deadline: Instant) -> Option<Duration> {
    (deadline != Instant::NEVER).then(|| deadline.since(kernel.now()))
}
