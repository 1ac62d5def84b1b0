//! RFC 5082 used the other way round: a listener that takes nothing which has passed a router, or began with less than 255.
//!
//! The kernel finds the listener, sees a TTL below the least and drops the segment in silence (`TcpExtTCPMinTTLDrop` counts
//! it). Hosts begin with 64 or 128. What arrives with 255 (a router on the same link that begins so) passes, and is answered.

use core::net::IpAddr;
use std::os::fd::BorrowedFd;

use crate::error::{Operation, OsError};
use crate::sys::{Kernel, SocketOption};

/// The largest TTL that there is.
const MOST: i32 = 255;

/// Sets the least TTL, or hop limit, of what is taken.
///
/// **Errors**: `ENOPROTOOPT` where the kernel lacks it (`IPV6_MINHOPCOUNT`: before 2.6.35).
pub(super) fn set(kernel: &dyn Kernel, socket: BorrowedFd<'_>, local: IpAddr) -> Result<(), OsError> {
    let option = if local.is_ipv4() { SocketOption::IP_MINTTL } else { SocketOption::IPV6_MINHOPCOUNT };
    let set = kernel.set_option(socket, option, &MOST.to_ne_bytes());
    set.map_err(|errno| OsError::option(Operation::OpenGuard, option.name(), errno))
}
