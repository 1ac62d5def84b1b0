//! What was written and not acknowledged yet: a ring, made when the first byte comes.

use alloc::boxed::Box;
use alloc::vec;

use crate::position::Pos;

/// The first ring; it doubles up to the limit.
const FIRST_BYTES: usize = 4096;

/// Bytes of the stream from `start` to `end`, at their places.
///
/// **Shape**: the byte at place `p` lies at `p % ring.len()`.
#[derive(Debug)]
pub(crate) struct SendBuffer {
    ring: Box<[u8]>,
    start: Pos,
    len: u32,
    limit: u32,
}

impl SendBuffer {
    pub(crate) fn new(start: Pos, limit: u32) -> Self {
        Self { ring: Box::default(), start, len: 0, limit }
    }

    pub(crate) const fn start(&self) -> Pos {
        self.start
    }

    pub(crate) const fn end(&self) -> Pos {
        self.start.plus(self.len as u64)
    }

    /// How much more fits.
    pub(crate) const fn room(&self) -> u32 {
        self.limit.saturating_sub(self.len)
    }

    /// Takes as much as fits, and says how much.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room() as usize);
        if taken == 0 {
            return 0;
        }
        self.make_room(self.len as usize + taken);
        let at = ring_index(self.end(), self.ring.len());
        let first = taken.min(self.ring.len() - at);
        self.ring[at..at + first].copy_from_slice(&bytes[..first]);
        self.ring[..taken - first].copy_from_slice(&bytes[first..taken]);
        self.len += taken as u32;
        taken
    }

    /// The bytes from `from` on, `len` of them, in at most two slices. What is not there is left out.
    pub(crate) fn slices(&self, from: Pos, len: u32) -> [&[u8]; 2] {
        let from = from.max(self.start);
        let len = len.min(self.end().steps_since(from)) as usize;
        if len == 0 {
            return [&[], &[]];
        }
        let at = ring_index(from, self.ring.len());
        let first = len.min(self.ring.len() - at);
        [&self.ring[at..at + first], &self.ring[..len - first]]
    }

    /// Forgets everything before `upto`.
    pub(crate) fn release(&mut self, upto: Pos) {
        let gone = upto.steps_since(self.start).min(self.len);
        self.start = self.start.plus(gone.into());
        self.len -= gone;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.ring = Box::default();
        self.len = 0;
    }

    /// Gives the memory back while nothing is in it.
    pub(crate) fn trim(&mut self) {
        if self.len == 0 {
            self.ring = Box::default();
        }
    }

    fn make_room(&mut self, needed: usize) {
        if needed <= self.ring.len() {
            return;
        }
        let doubled = (self.ring.len() * 2).clamp(FIRST_BYTES, (self.limit as usize).max(FIRST_BYTES));
        let grown = vec![0; doubled.max(needed)].into_boxed_slice();
        let old = core::mem::replace(&mut self.ring, grown);
        move_ring(&old, &mut self.ring, self.start, self.len as usize);
    }

    pub(crate) fn check_invariants(&self) {
        assert!(self.len as usize <= self.ring.len(), "more bytes than room");
    }
}

/// Where a place lies in a ring of this length, which is not zero.
pub(crate) const fn ring_index(pos: Pos, ring_len: usize) -> usize {
    (pos.raw() % ring_len as u64) as usize
}

/// Copies `len` bytes at `start` from one ring into a longer one, each to its place there.
pub(crate) fn move_ring(old: &[u8], new: &mut [u8], start: Pos, len: usize) {
    let mut moved = 0;
    while moved < len {
        let from = ring_index(start.plus(moved as u64), old.len());
        let to = ring_index(start.plus(moved as u64), new.len());
        let run = (len - moved).min(old.len() - from).min(new.len() - to);
        new[to..to + run].copy_from_slice(&old[from..from + run]);
        moved += run;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use wirewright_wire::SeqNum;

    use super::*;

    fn bytes(from: u64, len: usize) -> Vec<u8> {
        (from..).take(len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn bytes_stay_at_their_places_while_the_ring_grows_and_turns() {
        let first = Pos::first(SeqNum::new(u32::MAX - 5000));
        let mut buffer = SendBuffer::new(first, 20_000);
        let (mut written, mut released) = (0u64, 0u64);
        for step in 0..2000usize {
            let chunk = bytes(written, 1 + step * 37 % 3000);
            written += buffer.write(&chunk) as u64;
            let [a, b] = buffer.slices(first.plus(released), u32::MAX);
            let held: Vec<u8> = a.iter().chain(b).copied().collect();
            assert_eq!(held, bytes(released, held.len()));
            assert_eq!(held.len() as u64, written - released);
            released += (step as u64 * 53 % 2500).min(written - released);
            buffer.release(first.plus(released));
            buffer.check_invariants();
        }
        assert!(written > 1_000_000);
    }

    #[test]
    fn no_more_is_taken_than_the_limit_allows_and_none_is_held_while_idle() {
        let first = Pos::first(SeqNum::new(9));
        let mut buffer = SendBuffer::new(first, 100);
        assert_eq!((buffer.ring.len(), buffer.write(&[1; 150]), buffer.write(&[1; 1])), (0, 100, 0));
        buffer.release(first.plus(100));
        buffer.trim();
        assert_eq!((buffer.ring.len(), buffer.room()), (0, 100));
    }
}
