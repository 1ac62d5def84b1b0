//! A packet socket with a receive ring: whole frames that come in, many, without a call each, and with room that no limit of
//! the machine on socket buffers makes smaller.
//!
//! It is for who must not lose frames while it does not run for a moment: a relay. Closing one costs what closing every
//! packet socket does.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::error::{Operation, OsError};
use crate::frame::with_vlan_tag;
use crate::packet_socket::{ETH_P_ALL, PACKET_OUTGOING, PacketStatistics, statistics};
use crate::sys::ring::RingMemory;
use crate::sys::{Address, AuxData, Family, Kernel, Kind, LinkAddress, SocketOption};

/// A slot holds a frame of a network whose packets have at most 1500 bytes, and what the kernel writes before it.
const SLOT_LEN: usize = 2048;

/// How many frames may wait: at 10 Gbit/s of full frames, 5 ms. 8 MiB.
const SLOTS: usize = 4096;

/// Where in `struct tpacket2_hdr` the fields are, counted behind the status: length on the wire, length here, and where the
/// frame begins (counted from the start of the slot); tag control and EtherType of a VLAN tag that was taken out.
mod field {
    pub(super) const LEN: usize = 0;
    pub(super) const SNAP_LEN: usize = 4;
    pub(super) const MAC: usize = 8;
    pub(super) const VLAN_CONTROL: usize = 20;
    pub(super) const VLAN_TYPE: usize = 22;
    /// `sll_pkttype` of the `struct sockaddr_ll` behind it.
    pub(super) const KIND: usize = 38;
    /// All of these are counted behind the status.
    pub(super) const STATUS_LEN: usize = 4;
}

/// A packet socket that only receives, through a ring.
#[derive(Debug)]
pub struct PacketRing {
    kernel: Arc<dyn Kernel>,
    memory: RingMemory,
    fd: OwnedFd,
    next: usize,
    too_long: u64,
}

impl PacketRing {
    /// Opens one on the interface with number `interface`, whose frames begin with an Ethernet header. It sees what comes in,
    /// whomever it is for.
    ///
    /// **Errors**: no `CAP_NET_RAW`; there is no such interface; no memory.
    pub fn open(kernel: Arc<dyn Kernel>, interface: u32) -> Result<Self, OsError> {
        let failed = |call| move |errno| OsError::new(Operation::OpenPacket, call, errno);
        let fd = kernel.socket(Family::Packet, Kind::Raw, 0).map_err(failed("socket"))?;
        // What leaves is passed over in `try_next` where the kernel does not know this.
        let _ = kernel.set_option(fd.as_fd(), SocketOption::PACKET_IGNORE_OUTGOING, &1i32.to_ne_bytes());
        let memory = RingMemory::map(&*kernel, fd.as_fd(), SLOT_LEN, SLOTS).map_err(failed("mmap"))?;
        let address = Address::Link(LinkAddress { interface, protocol: ETH_P_ALL, ..LinkAddress::default() });
        kernel.bind(fd.as_fd(), &address).map_err(failed("bind"))?;
        Ok(Self { kernel, memory, fd, next: 0, too_long: 0 })
    }

    /// The next frame that has come in, a VLAN tag put back; `None` where none is there.
    pub fn try_next(&mut self) -> Option<Vec<u8>> {
        loop {
            let taken = self.memory.read(self.next, frame)?;
            self.next = (self.next + 1) % self.memory.slots();
            match taken {
                Taken::Frame(frame) => return Some(frame),
                Taken::TooLong => self.too_long += 1,
                Taken::NotOurs => {}
            }
        }
    }

    /// What arrived and what was dropped since this was last asked: what found no free slot, or was too long for one.
    ///
    /// **Errors**: the kernel's.
    pub fn statistics(&mut self) -> Result<PacketStatistics, OsError> {
        let mut counted = statistics(&*self.kernel, self.fd.as_fd())?;
        let too_long = u32::try_from(core::mem::take(&mut self.too_long)).unwrap_or(u32::MAX);
        counted.dropped = counted.dropped.saturating_add(too_long);
        Ok(counted)
    }
}

impl AsFd for PacketRing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What was in a slot.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Frame(Vec<u8>),
    TooLong,
    /// It leaves, or it is no frame at all.
    NotOurs,
}

/// Reads a slot: its status, and its bytes behind that.
fn frame(status: u32, slot: &[u8]) -> Taken {
    let half = |at: usize| slot.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u16::from_ne_bytes(*bytes));
    let word = |at: usize| slot.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    // A slot that is too short for its own header holds no frame either.
    if slot.get(field::KIND).is_none_or(|&kind| kind == PACKET_OUTGOING) {
        return Taken::NotOurs;
    }
    let (len, here) = (word(field::LEN), word(field::SNAP_LEN));
    if here < len {
        return Taken::TooLong;
    }
    let begin = usize::from(half(field::MAC)).saturating_sub(field::STATUS_LEN);
    let Some(bytes) = slot.get(begin..).and_then(|rest| rest.get(..len as usize)) else { return Taken::NotOurs };
    if status & AuxData::VLAN_VALID == 0 {
        return Taken::Frame(bytes.to_vec());
    }
    Taken::Frame(with_vlan_tag(bytes, half(field::VLAN_CONTROL), half(field::VLAN_TYPE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Errno;
    use crate::sys::scripted::{Fails, Scripted};

    /// A slot behind its status: `bytes` at byte 80, of a frame of `len` bytes.
    fn slot(len: u32, bytes: &[u8], kind: u8) -> Vec<u8> {
        let mut slot = vec![0; 256];
        slot[field::LEN..][..4].copy_from_slice(&len.to_ne_bytes());
        slot[field::SNAP_LEN..][..4].copy_from_slice(&(bytes.len() as u32).to_ne_bytes());
        slot[field::MAC..][..2].copy_from_slice(&80u16.to_ne_bytes());
        slot[field::VLAN_CONTROL..][..2].copy_from_slice(&5u16.to_ne_bytes());
        slot[field::VLAN_TYPE..][..2].copy_from_slice(&0x8100u16.to_ne_bytes());
        slot[field::KIND] = kind;
        slot[76..][..bytes.len()].copy_from_slice(bytes);
        slot
    }

    #[test]
    fn a_frame_is_taken_from_where_the_kernel_says() {
        assert_eq!(frame(1, &slot(20, &[7; 20], 0)), Taken::Frame(vec![7; 20]));
        assert_eq!(frame(1, &slot(21, &[7; 20], 0)), Taken::TooLong);
        assert_eq!(frame(1, &slot(20, &[7; 20], PACKET_OUTGOING)), Taken::NotOurs);
        let mut beyond = slot(20, &[7; 20], 0);
        beyond[field::MAC..][..2].copy_from_slice(&250u16.to_ne_bytes());
        assert_eq!(frame(1, &beyond), Taken::NotOurs);
    }

    #[test]
    fn a_tag_that_the_kernel_took_out_is_put_back() {
        let tagged = [&[7; 12][..], &[0x81, 0x00, 0x00, 0x05], &[7; 8]].concat();
        assert_eq!(frame(1 | AuxData::VLAN_VALID, &slot(20, &[7; 20], 0)), Taken::Frame(tagged));
    }

    #[test]
    fn a_socket_that_gets_no_ring_says_why() {
        let kernel = Scripted::new();
        kernel.fail(Fails::Option(SocketOption::PACKET_RX_RING), Errno::ENOMEM);
        let refused = PacketRing::open(Arc::new(kernel), 3).unwrap_err();
        assert_eq!((refused.errno, refused.operation), (Errno::ENOMEM, Operation::OpenPacket));
    }
}
