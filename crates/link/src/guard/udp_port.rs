//! UDP's twin of the guard: a bound socket stops the kernel's "port unreachable" (RFC 1122 §4.1.3.1).

use std::os::fd::BorrowedFd;

use super::drop_filter;
use crate::sys::{Kernel, SocketOption};

/// Keeps the bound socket from hoarding what arrives: it is dropped at the door, or else in the smallest queue.
pub(super) fn arm(kernel: &dyn Kernel, socket: BorrowedFd<'_>) {
    // Binding alone is the guard; that nothing piles up behind it is only thrift.
    let _ = drop_filter::set(kernel, socket);
    let _ = kernel.set_option(socket, SocketOption::SO_RCVBUF, &0i32.to_ne_bytes());
}
