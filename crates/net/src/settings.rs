//! What a host is told that depends on its wire: TCP's settings by MTU and receive room, a secret, how frames come up.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use wirewright_link::sys::{Kernel, SocketOption};
use wirewright_link::{self as link, Operation, OsError};
use wirewright_stack::{Checksum, Received, Secret};
use wirewright_tcp::Config;

/// What is offered fits the room of the receiving socket, of which the kernel's bookkeeping takes up to half; not less than
/// a window without scale, nor more than this.
const RECEIVE_BYTES_MIN: u32 = 65_535;
const RECEIVE_BYTES_MAX: u32 = 4 << 20;
/// Data written and not acknowledged yet.
const SEND_BYTES_MAX: u32 = 1 << 20;

/// TCP over a wire of this MTU, whose packets have `headers` bytes of headers, with this window at most.
pub(crate) fn tcp(base: &Config, mtu: u16, headers: u16, room: u32) -> Arc<Config> {
    Arc::new(Config {
        mss: mtu.saturating_sub(headers),
        receive_bytes_max: room,
        send_bytes_max: SEND_BYTES_MAX,
        ..base.clone()
    })
}

/// The room of a receiving socket, as the window to be offered.
pub(crate) fn receive_room(kernel: &dyn Kernel, fd: BorrowedFd<'_>) -> u32 {
    let mut bytes = [0; 4];
    let read = kernel.option(fd, SocketOption::SO_RCVBUF, &mut bytes);
    window(read.map_or(0, |_| u32::from_ne_bytes(bytes)))
}

/// The window that fits this much room.
pub(crate) fn window(room: u32) -> u32 {
    (room / 2).clamp(RECEIVE_BYTES_MIN, RECEIVE_BYTES_MAX)
}

/// Random bytes.
pub(crate) fn secret(kernel: &dyn Kernel) -> Result<Secret, OsError> {
    let mut secret = [0; 32];
    let random = kernel.random(&mut secret);
    random.map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))?;
    Ok(Secret(secret))
}

/// A frame as a host takes it.
pub(crate) fn lifted<'a>(frame: &link::Received<'a>) -> Received<'a> {
    let checksum = match frame.checksum {
        link::Checksum::ToCheck => Checksum::ToCheck,
        link::Checksum::Verified => Checksum::Verified,
        link::Checksum::Partial => Checksum::Partial,
        link::Checksum::MaybePartial => Checksum::MaybePartial,
    };
    Received { bytes: frame.bytes, checksum, segment_size: frame.segment_size }
}
