//! RFC 2385 used the other way round: a listener with a key for any peer.
//!
//! The kernel finds the listener for whatever arrives on the port, sees no MD5 option and drops the segment in silence
//! (`TcpExtTCPMD5NotFound` counts it); raw and packet sockets still get every segment, at any TTL. The port is reserved.
//! The key is random, so nobody can be accepted.

use core::net::IpAddr;
use std::os::fd::BorrowedFd;

use super::call_failed;
use crate::error::{Operation, OsError};
use crate::sys::{Address, Kernel, SocketOption};

/// `struct tcp_md5sig` of linux/tcp.h: an address of 128 bytes, flags, prefix length, key length, interface, key.
const STRUCT_LEN: usize = 216;
const FLAGS_AT: usize = 128;
const PREFIX_AT: usize = 129;
const KEY_LEN_AT: usize = 130;
const KEY_AT: usize = 136;
/// `TCP_MD5SIG_FLAG_PREFIX`: the address is a prefix.
const FLAG_PREFIX: u8 = 1;
/// The digest's own strength; longer keys add nothing.
const KEY_LEN: u8 = 16;

/// Sets the key.
///
/// **Errors**: `ENOPROTOOPT` where the kernel has no TCP-MD5 (WSL2, some routers), `EINVAL` and others where it is
/// forbidden (FIPS).
pub(super) fn set(kernel: &dyn Kernel, socket: BorrowedFd<'_>, local: IpAddr) -> Result<(), OsError> {
    let mut key = [0; KEY_LEN as usize];
    kernel.random(&mut key).map_err(|errno| call_failed("getrandom", errno))?;
    let option = SocketOption::TCP_MD5SIG_EXT;
    let set = kernel.set_option(socket, option, &key_for_anybody(local, key));
    set.map_err(|errno| OsError::option(Operation::OpenGuard, option.name(), errno))
}

/// The key for every peer of the family of `local`: prefix 0.
fn key_for_anybody(local: IpAddr, key: [u8; KEY_LEN as usize]) -> [u8; STRUCT_LEN] {
    let anybody = match local {
        IpAddr::V4(_) => IpAddr::from([0; 4]),
        IpAddr::V6(_) => IpAddr::from([0; 16]),
    };
    let (address, len) = Address::host(anybody).encode();
    let mut value = [0; STRUCT_LEN];
    value[..len].copy_from_slice(&address[..len]);
    value[FLAGS_AT] = FLAG_PREFIX;
    value[PREFIX_AT] = 0;
    value[KEY_LEN_AT..KEY_LEN_AT + 2].copy_from_slice(&u16::from(KEY_LEN).to_ne_bytes());
    value[KEY_AT..KEY_AT + key.len()].copy_from_slice(&key);
    value
}

const _: () = assert!(FLAGS_AT == size_of::<libc::sockaddr_storage>());
