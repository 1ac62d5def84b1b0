//! The memory that a packet socket's receive ring shares with the kernel (`PACKET_RX_RING`, version 2).

use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{AtomicU32, Ordering};
use std::os::fd::BorrowedFd;

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::{Answer, Errno, Kernel, SocketOption};

/// The kernel allocates a ring in pieces of this many bytes, each in one run of pages.
const BLOCK_LEN: usize = 64 * 1024;

/// Where in a slot its status is: the first word of `struct tpacket2_hdr`.
const STATUS_LEN: usize = size_of::<u32>();

/// A ring of slots, one a frame. A slot belongs to the kernel until it has filled it, then to this process until it gives
/// the slot back.
#[derive(Debug)]
pub struct RingMemory {
    at: NonNull<u8>,
    slot_len: usize,
    slots: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and this value is its only owner in this process.
unsafe impl Send for RingMemory {}

impl RingMemory {
    /// Gives the packet socket `fd` a ring of at least `slots` slots of `slot_len` bytes, before it is bound, and maps it.
    ///
    /// **Errors**: `EINVAL` for a length that is no power of two between 256 bytes and 64 KiB, or no slots; `ENOMEM`; what
    /// the kernel says of a socket that is no packet socket.
    pub fn map(kernel: &dyn Kernel, fd: BorrowedFd<'_>, slot_len: usize, slots: usize) -> Answer<Self> {
        let blocks = slots.checked_mul(slot_len).ok_or(Errno::EINVAL)?.div_ceil(BLOCK_LEN);
        if !slot_len.is_power_of_two() || !(256..=BLOCK_LEN).contains(&slot_len) || blocks == 0 {
            return Err(Errno::EINVAL);
        }
        let len = blocks * BLOCK_LEN;
        let slots = len / slot_len;
        let version = libc::tpacket_versions::TPACKET_V2 as u32;
        kernel.set_option(fd, SocketOption::PACKET_VERSION, &version.to_ne_bytes())?;
        // struct tpacket_req: length and number of blocks, length and number of slots.
        let mut request = [0; 16];
        for (word, number) in request.chunks_exact_mut(4).zip([BLOCK_LEN, blocks, slot_len, slots]) {
            word.copy_from_slice(&u32::try_from(number).map_err(|_| Errno::EINVAL)?.to_ne_bytes());
        }
        kernel.set_option(fd, SocketOption::PACKET_RX_RING, &request)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory that this program has.
        let at = unsafe { mmap(core::ptr::null_mut(), len, access, MapFlags::SHARED, fd, 0) }?;
        Ok(Self { at: NonNull::new(at.cast()).ok_or(Errno::ENOMEM)?, slot_len, slots })
    }

    /// How many slots there are.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// Lends the bytes of slot `index` behind its status, and the status, to `read`, then gives the slot back to the kernel.
    /// `None` while the slot is the kernel's.
    ///
    /// **Panics**: there is no such slot.
    pub fn read<T>(&mut self, index: usize, read: impl FnOnce(u32, &[u8]) -> T) -> Option<T> {
        assert!(index < self.slots, "a ring of {} slots has no slot {index}", self.slots);
        // SAFETY: the mapping is `slots * slot_len` bytes long, and `index` was compared with `slots` above.
        let slot = unsafe { self.at.add(index * self.slot_len) };
        // SAFETY: slots begin at multiples of 256 bytes, so the word is aligned; it lives as long as `self`, and whoever
        // else writes it (the kernel) does so in one store.
        let status = unsafe { AtomicU32::from_ptr(slot.as_ptr().cast()) };
        let found = status.load(Ordering::Acquire);
        if found & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: `STATUS_LEN` is less than a slot, whose length `map` has checked.
        let bytes = unsafe { slot.add(STATUS_LEN) };
        // SAFETY: the bytes lie in the mapping and are initialized (the kernel zeroed it); with TP_STATUS_USER set, as seen
        // by the acquiring load above, the kernel does not write to the slot until the store below.
        let bytes = unsafe { slice::from_raw_parts(bytes.as_ptr(), self.slot_len - STATUS_LEN) };
        let value = read(found, bytes);
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        Some(value)
    }
}

impl Drop for RingMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map` with this length, nothing else unmaps it, and no slice of it outlives `read`.
        let _ = unsafe { munmap(self.at.as_ptr().cast(), self.slots * self.slot_len) };
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::super::{Family, Kind, system};
    use super::*;

    #[test]
    fn lengths_that_no_ring_has_are_refused_before_the_kernel_is_asked() {
        let kernel = system();
        let fd = kernel.socket(Family::V4, Kind::Datagram, 0).unwrap();
        for (slot_len, slots) in [(0, 8), (128, 8), (3000, 8), (128 * 1024, 8), (2048, 0), (2048, usize::MAX)] {
            let refused = RingMemory::map(&*kernel, fd.as_fd(), slot_len, slots).unwrap_err();
            assert_eq!(refused, Errno::EINVAL, "{slot_len} {slots}");
        }
        assert!(RingMemory::map(&*kernel, fd.as_fd(), 2048, 8).is_err(), "it is no packet socket");
    }
}
