//! Offloads of an interface, switched by the `SIOCETHTOOL` request; and whether its driver stamps what leaves.
//!
//! The old one-feature commands are used: they exist on every kernel since 5.10 and before, need no string tables, and are allowed in a network namespace
//! that a plain user owns.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// What a device does in the kernel's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offload {
    /// Cuts large TCP segments (TSO).
    TcpSegmentation,
    /// Is handed large segments that are cut at the last moment (GSO).
    Segmentation,
    /// Glues received segments together (GRO).
    Coalescing,
    /// Fills in checksums of what is sent.
    TransmitChecksum,
}

impl Offload {
    /// All of them, in an order in which they can be switched off one by one.
    pub const ALL: [Self; 4] = [Self::TcpSegmentation, Self::Segmentation, Self::Coalescing, Self::TransmitChecksum];

    /// The commands `ETHTOOL_G…` and `ETHTOOL_S…` of linux/ethtool.h.
    const fn commands(self) -> (u32, u32) {
        match self {
            Self::TcpSegmentation => (0x1e, 0x1f),
            Self::Segmentation => (0x23, 0x24),
            Self::Coalescing => (0x2b, 0x2c),
            Self::TransmitChecksum => (0x16, 0x17),
        }
    }
}

/// What a command reads and writes: its number, then words of its own. `struct ethtool_value` has one,
/// `struct ethtool_ts_info` ten, the longest here.
type Words = [u32; 11];

/// `ETHTOOL_GET_TS_INFO` of linux/ethtool.h.
const STAMPS: u32 = 0x41;

/// The kernel's `struct ifreq` with the member that `SIOCETHTOOL` uses. The real one is a union of 24 bytes on 64-bit machines, so the rest is padding.
#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    words: *mut Words,
    rest: [u8; 16],
}

/// Switches an offload of the interface `name` on or off. `socket` is any socket of the interface's namespace.
///
/// **Errors**: `ENODEV` (no such interface), `EPERM`, `EOPNOTSUPP` (a device that cannot change it), `EINVAL` (a name too long).
pub fn set_offload(socket: BorrowedFd<'_>, name: &str, offload: Offload, on: bool) -> io::Result<()> {
    request(socket, name, offload.commands().1, u32::from(on)).map(|_| ())
}

/// Whether an offload of the interface `name` is on.
///
/// **Errors**: as [`set_offload`].
pub fn offload(socket: BorrowedFd<'_>, name: &str, offload: Offload) -> io::Result<bool> {
    Ok(request(socket, name, offload.commands().0, 0)? != 0)
}

/// Whether the driver of the interface `name` tells when it was given a frame (`SOF_TIMESTAMPING_TX_SOFTWARE`). One that does
/// not leaves every sent copy without its second stamp.
///
/// **Errors**: `ENODEV`, `EINVAL` (a name too long), `EOPNOTSUPP` (the driver does not say).
pub fn stamps_what_leaves(socket: BorrowedFd<'_>, name: &str) -> io::Result<bool> {
    Ok(request(socket, name, STAMPS, 0)? & libc::SOF_TIMESTAMPING_TX_SOFTWARE != 0)
}

/// Carries out a command with one word of data; the answer's first word.
fn request(socket: BorrowedFd<'_>, name: &str, command: u32, data: u32) -> io::Result<u32> {
    let mut words: Words = [0; 11];
    words[0] = command;
    words[1] = data;
    let mut request = Request { name: [0; libc::IFNAMSIZ], words: &raw mut words, rest: [0; 16] };
    if name.len() >= request.name.len() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    request.name[..name.len()].copy_from_slice(name.as_bytes());
    let request = &raw mut request;
    // SAFETY: `request` is as large as the kernel's ifreq, its name ends with a zero, and it points to words that live past the call; the kernel reads and
    // writes at most 44 bytes of them for the commands of this file.
    let done = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::SIOCETHTOOL, request) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(words[1]) }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn loopback_says_what_it_offloads() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        // Loopback needs no checksum, and the kernel does not let that be changed.
        assert!(offload(socket.as_fd(), "lo", Offload::TransmitChecksum).unwrap());
        assert!(stamps_what_leaves(socket.as_fd(), "lo").unwrap());
    }

    #[test]
    fn names_that_are_no_interface_are_refused() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let long = "a name of more than fifteen bytes";
        for (name, errno) in [("no-such-one", libc::ENODEV), (long, libc::EINVAL), ("", libc::ENODEV)] {
            let refused = offload(socket.as_fd(), name, Offload::Segmentation).unwrap_err();
            assert_eq!(refused.raw_os_error(), Some(errno), "{name:?}");
        }
    }
}
