//! A tap: the frames that leave an interface, for drivers that do not tell when they were given one.
//!
//! The kernel shows a frame to taps when it hands it to the driver, so a frame seen here passed the local queue. A tap sees
//! nothing of what bypasses the queue (`PACKET_QDISC_BYPASS`, AF_XDP), and costs what every packet socket costs to close.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use wirewright_units::Instant;

use crate::error::OsError;
use crate::filter::Filter;
use crate::frame::Direction;
use crate::netlink::Interface;
use crate::packet_socket::{PacketConfig, PacketSocket, Receive};
use crate::readback::{SentCopy, Stamp};
use crate::sys::Kernel;

/// Watches what leaves one interface.
#[derive(Debug)]
pub struct Tap {
    socket: PacketSocket,
}

impl Tap {
    /// Opens it; before the packet is sent that it is to see. `filter` keeps other people's frames away.
    ///
    /// **Errors**: as [`PacketSocket::open`].
    pub fn open(kernel: Arc<dyn Kernel>, interface: &Interface, filter: &Filter) -> Result<Self, OsError> {
        let config = PacketConfig { receive: Receive::Both, filter: filter.clone(), ..PacketConfig::default() };
        Ok(Self { socket: PacketSocket::open(kernel, interface, &config)? })
    }

    /// Waits until `deadline` for the frame that was read back as `copy`, and enters when the driver was given it; whether
    /// it was seen. Frames before it are passed over, so copies are confirmed in the order in which they were sent.
    ///
    /// **Errors**: the interface went down.
    pub fn confirm(&mut self, copy: &mut SentCopy, deadline: Instant) -> Result<bool, OsError> {
        while let Some(received) = self.socket.recv(deadline)? {
            // An equal frame that left before this one came to the queue is another one.
            let is_earlier = copy.scheduled.is_some_and(|scheduled| received.wall < scheduled.wall);
            if received.direction == Direction::Outgoing && !is_earlier && received.bytes == copy.bytes {
                copy.at_driver = copy.at_driver.or(Some(Stamp { at: received.at, wall: received.wall }));
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
