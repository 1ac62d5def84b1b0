//! What arrived and was not read yet: a ring in which text lies at its place, in order or not.

use alloc::boxed::Box;
use alloc::vec;

use super::out_of_order::OutOfOrder;
use crate::position::Pos;
use crate::snd::{move_ring, ring_index};

/// The first ring; it doubles up to the limit.
const FIRST_BYTES: usize = 4096;

/// **Shape**: the byte at place `p` lies at `p % ring.len()`; from `read` to RCV.NXT without holes, behind that as the
/// ranges of the out-of-order queue say.
#[derive(Debug)]
pub(crate) struct ReceiveBuffer {
    ring: Box<[u8]>,
    read: Pos,
    limit: u32,
    /// Exists from the first segment that came out of order.
    out_of_order: Option<Box<OutOfOrder>>,
}

/// What became of a segment's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// The new RCV.NXT.
    pub(crate) nxt: Pos,
    /// It came behind a hole, or filled one.
    pub(crate) out_of_order: bool,
    /// It brought nothing new.
    pub(crate) nothing_new: bool,
}

impl ReceiveBuffer {
    pub(crate) fn new(read: Pos, limit: u32) -> Self {
        Self { ring: Box::default(), read, limit, out_of_order: None }
    }

    pub(crate) const fn limit(&self) -> u32 {
        self.limit
    }

    pub(crate) const fn read_at(&self) -> Pos {
        self.read
    }

    /// How much can be read, up to RCV.NXT (and a FIN, which is not data, not counted by the caller).
    pub(crate) const fn readable(&self, data_end: Pos) -> u32 {
        data_end.steps_since(self.read)
    }

    /// Puts text that lies in the window at its place. Where two segments overlap, what came first stays.
    pub(crate) fn insert(&mut self, nxt: Pos, at: Pos, text: &[u8]) -> Inserted {
        let had_holes = self.has_holes();
        if at <= nxt && !had_holes {
            let old = (nxt.since(at) as usize).min(text.len());
            let new = &text[old..];
            self.write(nxt, new);
            let nxt = nxt.plus(new.len() as u64);
            return Inserted { nxt, out_of_order: false, nothing_new: new.is_empty() };
        }
        self.insert_with_holes(nxt, at, text)
    }

    /// The slow path: there is a hole in front of this text, or one somewhere.
    fn insert_with_holes(&mut self, nxt: Pos, at: Pos, text: &[u8]) -> Inserted {
        let (start, end) = (at.max(nxt), at.plus(text.len() as u64));
        let Some(first_new) = self.ranges().next_gap(start, end) else {
            self.ranges().note(start, end, nxt);
            return Inserted { nxt, out_of_order: true, nothing_new: true };
        };
        if !self.ranges().has_room_for(start, end, nxt) {
            return Inserted { nxt, out_of_order: true, nothing_new: true };
        }
        let mut gap = Some(first_new);
        while let Some((from, to)) = gap {
            let (first, last) = (from.since(at) as usize, to.since(at) as usize);
            self.write(from, &text[first..last]);
            gap = self.ranges().next_gap(to, end);
        }
        let nxt = self.ranges().insert(start, end, nxt);
        Inserted { nxt, out_of_order: true, nothing_new: false }
    }

    fn ranges(&mut self) -> &mut OutOfOrder {
        self.out_of_order.get_or_insert_default()
    }

    pub(crate) fn has_holes(&self) -> bool {
        self.out_of_order.as_ref().is_some_and(|ranges| !ranges.is_empty())
    }

    /// Whether text behind this place has come.
    pub(crate) fn has_beyond(&self, place: Pos) -> bool {
        self.out_of_order.as_ref().is_some_and(|ranges| ranges.end() > place)
    }

    /// The ranges behind holes, for SACK.
    pub(crate) fn out_of_order(&self) -> Option<&OutOfOrder> {
        self.out_of_order.as_deref().filter(|ranges| !ranges.is_empty())
    }

    /// The bytes that can be read, in at most two slices.
    pub(crate) fn slices(&self, data_end: Pos) -> [&[u8]; 2] {
        let len = self.readable(data_end) as usize;
        if len == 0 {
            return [&[], &[]];
        }
        let at = ring_index(self.read, self.ring.len());
        let first = len.min(self.ring.len() - at);
        [&self.ring[at..at + first], &self.ring[..len - first]]
    }

    /// Forgets `count` readable bytes, or all when there are fewer.
    pub(crate) fn consume(&mut self, count: u32, data_end: Pos) {
        self.read = self.read.plus(count.min(self.readable(data_end)).into());
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, data_end: Pos) {
        self.ring = Box::default();
        self.out_of_order = None;
        self.read = data_end;
    }

    /// Gives the memory back while nothing is in it.
    pub(crate) fn trim(&mut self, data_end: Pos) {
        if self.readable(data_end) == 0 && !self.has_holes() {
            self.ring = Box::default();
            self.out_of_order = None;
        }
    }

    fn write(&mut self, at: Pos, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.make_room(at.plus(text.len() as u64).since(self.read) as usize);
        let index = ring_index(at, self.ring.len());
        let first = text.len().min(self.ring.len() - index);
        self.ring[index..index + first].copy_from_slice(&text[..first]);
        self.ring[..text.len() - first].copy_from_slice(&text[first..]);
    }

    /// `needed`: from the next byte to read to behind the last to hold.
    fn make_room(&mut self, needed: usize) {
        if needed <= self.ring.len() {
            return;
        }
        let doubled = (self.ring.len() * 2).clamp(FIRST_BYTES, (self.limit as usize).max(FIRST_BYTES));
        let grown = vec![0; doubled.max(needed)].into_boxed_slice();
        let old = core::mem::replace(&mut self.ring, grown);
        move_ring(&old, &mut self.ring, self.read, old.len());
    }

    pub(crate) fn check_invariants(&self, nxt: Pos, edge: Pos) {
        assert!(self.read <= nxt, "read what has not come");
        // One more for a FIN, which takes a place and no room.
        assert!(nxt.since(self.read) <= self.ring.len() as u64 + 1, "what can be read is not there");
        if let Some(ranges) = &self.out_of_order {
            ranges.check_invariants(nxt, edge);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use wirewright_wire::SeqNum;

    use super::*;

    fn origin() -> Pos {
        Pos::first(SeqNum::new(u32::MAX - 20))
    }

    fn held(buffer: &ReceiveBuffer, nxt: Pos) -> Vec<u8> {
        let [a, b] = buffer.slices(nxt);
        a.iter().chain(b).copied().collect()
    }

    #[test]
    fn text_in_order_is_appended() {
        let mut buffer = ReceiveBuffer::new(origin(), 1000);
        let one = buffer.insert(origin(), origin(), b"abc");
        assert_eq!(one, Inserted { nxt: origin().plus(3), out_of_order: false, nothing_new: false });
        let two = buffer.insert(one.nxt, origin().plus(1), b"bcde");
        assert_eq!((two.nxt, held(&buffer, two.nxt)), (origin().plus(5), b"abcde".to_vec()));
        assert!(buffer.insert(two.nxt, origin(), b"ab").nothing_new);
    }

    #[test]
    fn text_behind_a_hole_waits_and_comes_out_when_it_is_filled() {
        let mut buffer = ReceiveBuffer::new(origin(), 1000);
        let one = buffer.insert(origin(), origin().plus(4), b"efgh");
        assert_eq!((one.nxt, one.out_of_order, buffer.readable(one.nxt)), (origin(), true, 0));
        let two = buffer.insert(origin(), origin(), b"abcd");
        assert_eq!((two.nxt, held(&buffer, two.nxt)), (origin().plus(8), b"abcdefgh".to_vec()));
        assert!(!buffer.has_holes());
    }

    #[test]
    fn where_segments_overlap_the_first_bytes_stay() {
        let mut buffer = ReceiveBuffer::new(origin(), 1000);
        buffer.insert(origin(), origin().plus(2), b"CD");
        buffer.insert(origin(), origin().plus(6), b"GH");
        let last = buffer.insert(origin(), origin(), b"abcdefghij");
        assert_eq!(held(&buffer, last.nxt), b"abCDefGHij");
    }

    #[test]
    fn every_order_of_three_overlapping_pieces_equals_the_byte_map() {
        let stream: Vec<u8> = (0..12).collect();
        let mut pieces = Vec::new();
        for a in 0..12usize {
            for b in a + 1..=12 {
                pieces.push((a, b));
            }
        }
        for (i, &first) in pieces.iter().enumerate() {
            for &second in &pieces[i % 3..] {
                let mut buffer = ReceiveBuffer::new(origin(), 64);
                let mut nxt = origin();
                for (a, b) in [first, second, (0, 12)] {
                    nxt = buffer.insert(nxt, origin().plus(a as u64), &stream[a..b]).nxt;
                    buffer.check_invariants(nxt, origin().plus(64));
                }
                assert_eq!(held(&buffer, nxt), stream, "{first:?} {second:?}");
            }
        }
    }

    #[test]
    fn the_ring_grows_with_holes_in_it() {
        let mut buffer = ReceiveBuffer::new(origin(), 100_000);
        let stream: Vec<u8> = (0..60_000u32).map(|i| (i % 253) as u8).collect();
        let mut nxt = origin();
        let starts = (0..60).map(|i| i * 1000);
        for start in starts.clone().filter(|s| s % 2000 != 0).chain(starts.filter(|s| s % 2000 == 0)) {
            nxt = buffer.insert(nxt, origin().plus(start as u64), &stream[start..start + 1000]).nxt;
        }
        assert_eq!(held(&buffer, nxt), stream);
    }
}
