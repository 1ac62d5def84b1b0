//! A listener behind a filter that lets nothing in: the kernel finds it and drops the segment before it looks at it.

use std::os::fd::BorrowedFd;

use crate::error::{Operation, OsError};
use crate::sys::{Instruction, Kernel};

/// `ret 0`: let nothing in. Raw sockets have their own copy.
pub(super) const DROP_ALL: [Instruction; 1] = [Instruction { code: 0x06, jt: 0, jf: 0, k: 0 }];

/// Attaches the filter.
///
/// **Errors**: `EPERM` without `CAP_NET_ADMIN` on recent kernels, which ask for it on TCP sockets.
pub(super) fn set(kernel: &dyn Kernel, socket: BorrowedFd<'_>) -> Result<(), OsError> {
    let attached = kernel.attach_filter(socket, &DROP_ALL);
    attached.map_err(|errno| OsError::option(Operation::OpenGuard, "SO_ATTACH_FILTER", errno))
}
