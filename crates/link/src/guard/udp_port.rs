//! UDP's twin of the guard: a bound socket stops the kernel's "port unreachable" (RFC 1122 §4.1.3.1).

use std::os::fd::BorrowedFd;

use crate::sys::{Instruction, Kernel, SocketOption};

/// Let nothing in: raw sockets have their own copy.
const DROP_ALL: Instruction = Instruction { code: 0x06, jt: 0, jf: 0, k: 0 };

/// Keeps the bound socket from hoarding what arrives: it is dropped at the door, or else in the smallest queue.
pub(super) fn arm(kernel: &dyn Kernel, socket: BorrowedFd<'_>) {
    // Binding alone is the guard; that nothing piles up behind it is only thrift.
    let _ = kernel.attach_filter(socket, &[DROP_ALL]);
    let _ = kernel.set_option(socket, SocketOption::SO_RCVBUF, &0i32.to_ne_bytes());
}
