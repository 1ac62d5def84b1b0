//! What carries the frames of a host of our own: a packet socket beside the kernel, or a TUN device before it.

use core::net::IpAddr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use wirewright_link::{self as link, OsError, PacketSocket, Tun};
use wirewright_stack::{Transmit, TransmitChecksum};

use crate::driver::{Receiver, Take, Transmitter};
use crate::settings;

/// One of the two.
pub(super) enum Ground {
    /// Frames of a link, on which neighbours are asked for.
    Packets(PacketSocket),
    /// IP packets.
    Tun(Tun),
}

/// Both directions of one ground.
///
/// # Errors
/// No descriptor is left.
pub(super) fn halves(ground: Ground) -> io::Result<(Down, Up)> {
    let fd = match &ground {
        Ground::Packets(socket) => socket.as_fd().try_clone_to_owned()?,
        Ground::Tun(tun) => tun.as_fd().try_clone_to_owned()?,
    };
    let ground = Arc::new(Mutex::new(ground));
    Ok((Down { ground: ground.clone(), refused: Vec::new() }, Up { ground, fd }))
}

/// Sends there.
pub(super) struct Down {
    ground: Arc<Mutex<Ground>>,
    refused: Vec<(OsError, IpAddr)>,
}

/// Receives there, and has a descriptor of its own to wait on.
pub(super) struct Up {
    ground: Arc<Mutex<Ground>>,
    fd: OwnedFd,
}

impl Transmitter for Down {
    fn send(&mut self, packet: &Transmit<'_>) {
        let checksum = match packet.checksum {
            TransmitChecksum::Done => link::TransmitChecksum::Done,
            TransmitChecksum::Partial { start, offset } => link::TransmitChecksum::Partial { start, offset },
        };
        let transmit = link::Transmit {
            header: packet.header,
            slices: &packet.slices,
            segment_size: packet.segment_size,
            checksum,
        };
        let sent = match &mut *self.ground.lock().unwrap_or_else(PoisonError::into_inner) {
            Ground::Packets(socket) => socket.send(&transmit).map(drop),
            Ground::Tun(tun) => tun.send(&transmit),
        };
        if let (Err(error), Some(to)) = (sent, packet.destination) {
            self.refused.push((error, to));
        }
    }

    fn flush(&mut self, refused: &mut dyn FnMut(OsError, IpAddr)) {
        for (error, to) in self.refused.drain(..) {
            refused(error, to);
        }
    }
}

impl Receiver for Up {
    fn receive(&mut self, take: Take<'_>) -> Result<usize, OsError> {
        let mut ground = self.ground.lock().unwrap_or_else(PoisonError::into_inner);
        let received = match &mut *ground {
            Ground::Packets(socket) => socket.try_recv(),
            Ground::Tun(tun) => tun.try_recv(),
        }?;
        Ok(usize::from(received.inspect(|frame| take(Some(frame.at), &settings::lifted(frame))).is_some()))
    }

    fn sources(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.fd.as_fd()]
    }
}
