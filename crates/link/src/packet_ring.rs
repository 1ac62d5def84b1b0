//! A packet socket with a receive ring: whole frames, many, without a call each, and with room that no limit of the machine
//! on socket buffers makes smaller.
//!
//! It is for who must not lose frames while it does not run for a moment: a relay, a recorder. Closing one costs what closing
//! every packet socket does.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use wirewright_units::UnixTime;

use crate::error::{Operation, OsError};
use crate::frame::{Checksum, Direction, HeaderOrigin, Received, StartsWith};
use crate::packet_socket::{ETH_P_ALL, ETHERNET_LEN, PACKET_OUTGOING, PacketStatistics, Receive, statistics};
use crate::raw_ip::ecn;
use crate::sys::clock::Mapping;
use crate::sys::ring::RingMemory;
use crate::sys::{Address, AuxData, Family, Kernel, Kind, LinkAddress, SocketOption};

/// A slot holds a frame of a network whose packets have at most 1500 bytes, and what the kernel writes before it.
const SLOT_LEN: usize = 2048;

/// Where in `struct tpacket2_hdr` the fields are, counted behind the status: length on the wire, length here, where the
/// frame begins (counted from the start of the slot), its moment; tag control and EtherType of a VLAN tag that was taken out.
mod field {
    pub(super) const LEN: usize = 0;
    pub(super) const SNAP_LEN: usize = 4;
    pub(super) const MAC: usize = 8;
    pub(super) const SECONDS: usize = 12;
    pub(super) const NANOSECONDS: usize = 16;
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
    interface: u32,
    sees_outgoing: bool,
    mapping: Mapping,
    next: usize,
    too_long: u64,
}

impl PacketRing {
    /// Opens one on the interface with number `interface`, whose frames begin with an Ethernet header and have room in 2 KiB.
    /// `slots` of them may wait. It sees what comes in, whomever it is for; with [`Receive::Both`] also what leaves.
    ///
    /// **Errors**: no `CAP_NET_RAW`; there is no such interface; no memory.
    pub fn open(kernel: Arc<dyn Kernel>, interface: u32, receive: Receive, slots: usize) -> Result<Self, OsError> {
        let failed = |call| move |errno| OsError::new(Operation::OpenPacket, call, errno);
        let fd = kernel.socket(Family::Packet, Kind::Raw, 0).map_err(failed("socket"))?;
        let sees_outgoing = receive == Receive::Both;
        if !sees_outgoing {
            // What leaves is passed over in `try_next` where the kernel does not know this.
            let _ = kernel.set_option(fd.as_fd(), SocketOption::PACKET_IGNORE_OUTGOING, &1i32.to_ne_bytes());
        }
        let memory = RingMemory::map(&*kernel, fd.as_fd(), SLOT_LEN, slots).map_err(failed("mmap"))?;
        let address = Address::Link(LinkAddress { interface, protocol: ETH_P_ALL, ..LinkAddress::default() });
        kernel.bind(fd.as_fd(), &address).map_err(failed("bind"))?;
        let mapping = Mapping::read(&*kernel);
        Ok(Self { kernel, memory, fd, interface, sees_outgoing, mapping, next: 0, too_long: 0 })
    }

    /// Lends the next frame to `take`; `None` where none is there.
    pub fn try_next<T>(&mut self, take: impl FnOnce(&Received<'_>) -> T) -> Option<T> {
        let Self { kernel, memory, mapping, sees_outgoing, interface, .. } = self;
        let mut take = Some(take);
        loop {
            let taken = memory.read(self.next, |status, slot| match found(status, slot) {
                Slot::Frame(frame) if frame.is_outgoing && !*sees_outgoing => Taken::NotOurs,
                Slot::Frame(frame) => {
                    let received = frame.received(mapping.follow(&**kernel, frame.wall), *interface);
                    take.take().map_or(Taken::NotOurs, |take| Taken::Given(take(&received)))
                }
                Slot::TooLong => Taken::TooLong,
                Slot::Nothing => Taken::NotOurs,
            })?;
            self.next = (self.next + 1) % memory.slots();
            match taken {
                Taken::Given(value) => return Some(value),
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

/// What became of a slot.
enum Taken<T> {
    Given(T),
    TooLong,
    NotOurs,
}

/// What is in a slot.
#[derive(Debug, PartialEq, Eq)]
enum Slot<'a> {
    Frame(Found<'a>),
    TooLong,
    /// No frame at all.
    Nothing,
}

/// A frame in a slot.
#[derive(Debug, PartialEq, Eq)]
struct Found<'a> {
    bytes: &'a [u8],
    wall: UnixTime,
    is_outgoing: bool,
    aux: AuxData,
}

/// Reads a slot: its status, and its bytes behind that.
fn found(status: u32, slot: &[u8]) -> Slot<'_> {
    let half = |at: usize| slot.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u16::from_ne_bytes(*bytes));
    let word = |at: usize| slot.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    // A slot that is too short for its own header holds no frame.
    let Some(&kind) = slot.get(field::KIND) else { return Slot::Nothing };
    let (len, here) = (word(field::LEN), word(field::SNAP_LEN));
    if here < len {
        return Slot::TooLong;
    }
    let begin = usize::from(half(field::MAC)).saturating_sub(field::STATUS_LEN);
    let Some(bytes) = slot.get(begin..).and_then(|rest| rest.get(..len as usize)) else { return Slot::Nothing };
    let tag = (half(field::VLAN_CONTROL), half(field::VLAN_TYPE));
    Slot::Frame(Found {
        bytes,
        wall: UnixTime::from_parts(word(field::SECONDS).into(), word(field::NANOSECONDS)),
        is_outgoing: kind == PACKET_OUTGOING,
        aux: AuxData { status, len, vlan: (status & AuxData::VLAN_VALID != 0).then_some(tag), ..AuxData::default() },
    })
}

impl<'a> Found<'a> {
    fn received(&self, at: wirewright_units::Instant, interface: u32) -> Received<'a> {
        Received {
            bytes: self.bytes,
            original_len: self.bytes.len(),
            starts_with: StartsWith::Ethernet,
            header: HeaderOrigin::AsArrived,
            at,
            wall: self.wall,
            checksum: match (self.aux.is_checksum_partial(), self.aux.is_checksum_verified()) {
                (true, _) => Checksum::Partial,
                (false, true) => Checksum::Verified,
                (false, false) => Checksum::ToCheck,
            },
            segment_size: None,
            direction: if self.is_outgoing { Direction::Outgoing } else { Direction::Incoming },
            ecn: self.bytes.get(ETHERNET_LEN..).and_then(ecn),
            interface: Some(interface),
            vlan: self.aux.vlan,
        }
    }
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
        slot[field::SECONDS..][..4].copy_from_slice(&1_700_000_000u32.to_ne_bytes());
        slot[field::NANOSECONDS..][..4].copy_from_slice(&42u32.to_ne_bytes());
        slot[field::VLAN_CONTROL..][..2].copy_from_slice(&5u16.to_ne_bytes());
        slot[field::VLAN_TYPE..][..2].copy_from_slice(&0x8100u16.to_ne_bytes());
        slot[field::KIND] = kind;
        slot[76..][..bytes.len()].copy_from_slice(bytes);
        slot
    }

    #[test]
    fn a_frame_is_taken_from_where_the_kernel_says() {
        let came = slot(20, &[7; 20], 0);
        let Slot::Frame(frame) = found(1, &came) else { panic!("a frame") };
        assert_eq!((frame.bytes, frame.is_outgoing, frame.aux.vlan), (&[7; 20][..], false, None));
        assert_eq!(frame.wall, UnixTime::from_parts(1_700_000_000, 42));
        assert_eq!(found(1, &slot(21, &[7; 20], 0)), Slot::TooLong);
        let left = slot(20, &[7; 20], PACKET_OUTGOING);
        assert!(matches!(found(1, &left), Slot::Frame(Found { is_outgoing: true, .. })));
        let mut beyond = slot(20, &[7; 20], 0);
        beyond[field::MAC..][..2].copy_from_slice(&250u16.to_ne_bytes());
        assert_eq!(found(1, &beyond), Slot::Nothing);
    }

    #[test]
    fn a_tag_that_the_kernel_took_out_is_told() {
        let came = slot(20, &[7; 20], 0);
        let Slot::Frame(frame) = found(1 | AuxData::VLAN_VALID, &came) else { panic!("a frame") };
        let tagged = [&[7; 12][..], &[0x81, 0x00, 0x00, 0x05], &[7; 8]].concat();
        let (control, kind) = frame.aux.vlan.unwrap();
        assert_eq!(crate::frame::with_vlan_tag(frame.bytes, control, kind), tagged);
    }

    #[test]
    fn a_socket_that_gets_no_ring_says_why() {
        let kernel = Scripted::new();
        kernel.fail(Fails::Option(SocketOption::PACKET_RX_RING), Errno::ENOMEM);
        let refused = PacketRing::open(Arc::new(kernel), 3, Receive::Incoming, 16).unwrap_err();
        assert_eq!((refused.errno, refused.operation), (Errno::ENOMEM, Operation::OpenPacket));
    }
}
