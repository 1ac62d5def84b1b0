//! The out-of-order queue: which stretches behind RCV.NXT have arrived; and RFC 2018 §4: the SACK blocks that say so.

use arrayvec::ArrayVec;

use wirewright_wire::tcp::SackBlock;

use crate::options::SACK_BLOCKS_MAX;
use crate::position::Pos;

/// So many stretches are remembered; text that would make one more is dropped. A sender of tiny pieces cannot make the
/// search long (CVE-2018-5390), and a window of ordinary loss has far fewer.
const RANGES_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    start: Pos,
    end: Pos,
    /// Higher for what arrived later.
    stamp: u32,
}

/// Stretches that have arrived, in order, neither touching nor overlapping.
#[derive(Debug, Default)]
pub(crate) struct OutOfOrder {
    ranges: ArrayVec<Range, RANGES_MAX>,
    stamp: u32,
}

impl OutOfOrder {
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Behind the last stretch, or none.
    pub(crate) fn end(&self) -> Pos {
        self.ranges.last().map_or(Pos::NONE, |range| range.end)
    }

    /// How many stretches there are.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The first stretch of `from..to` that has not arrived.
    pub(crate) fn next_gap(&self, from: Pos, to: Pos) -> Option<(Pos, Pos)> {
        let mut from = from;
        for range in &self.ranges[self.first_ending_behind(from)..] {
            if range.start > from {
                let to = to.min(range.start);
                return (from < to).then_some((from, to));
            }
            from = range.end;
        }
        (from < to).then_some((from, to))
    }

    /// Whether a stretch may be put in: it continues RCV.NXT, touches a known one, or there is room for one more.
    pub(crate) fn has_room_for(&self, start: Pos, end: Pos, nxt: Pos) -> bool {
        start <= nxt || !self.ranges.is_full() || self.ranges.iter().any(|r| r.start <= end && start <= r.end)
    }

    /// Something that had come before came again: its range is the most recent one now.
    pub(crate) fn note(&mut self, start: Pos, end: Pos, nxt: Pos) {
        if start > nxt {
            self.insert(start, end, nxt);
        }
    }

    /// Marks `start..end` as arrived, for which there is room, and returns the new RCV.NXT.
    pub(crate) fn insert(&mut self, start: Pos, end: Pos, nxt: Pos) -> Pos {
        self.stamp = self.stamp.wrapping_add(1);
        let first = self.first_touching(start);
        let mut merged = Range { start, end, stamp: self.stamp };
        let mut last = first;
        while let Some(range) = self.ranges.get(last).filter(|range| range.start <= end) {
            merged.start = merged.start.min(range.start);
            merged.end = merged.end.max(range.end);
            last += 1;
        }
        self.ranges.drain(first..last);
        if merged.start <= nxt {
            return merged.end.max(nxt);
        }
        self.ranges.insert(first, merged);
        nxt
    }

    /// RFC 2018 §4: the block that the latest segment is in comes first, then the next latest.
    pub(crate) fn sack_blocks(&self, max: usize) -> ArrayVec<SackBlock, SACK_BLOCKS_MAX> {
        let mut blocks: ArrayVec<SackBlock, SACK_BLOCKS_MAX> = ArrayVec::new();
        let mut below: Option<u32> = None;
        // An age counts back from the newest stamp, so that the stamps may wrap.
        let age = |range: &Range| self.stamp.wrapping_sub(range.stamp);
        while blocks.len() < max.min(SACK_BLOCKS_MAX) {
            let older = self.ranges.iter().filter(|r| below.is_none_or(|below| age(r) > below));
            let Some(next) = older.min_by_key(|r| age(r)) else { break };
            below = Some(age(next));
            blocks.push(SackBlock { left: next.start.seq(), right: next.end.seq() });
        }
        blocks
    }

    fn first_ending_behind(&self, from: Pos) -> usize {
        self.ranges.partition_point(|range| range.end <= from)
    }

    fn first_touching(&self, start: Pos) -> usize {
        self.ranges.partition_point(|range| range.end < start)
    }

    pub(crate) fn check_invariants(&self, nxt: Pos, edge: Pos) {
        let mut before = nxt;
        for range in &self.ranges {
            assert!(before < range.start && range.start < range.end, "ranges overlap, touch or are empty");
            before = range.end;
        }
        assert!(self.ranges.is_empty() || before <= edge, "a range beyond the window");
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use wirewright_wire::SeqNum;

    use super::*;

    fn at(offset: u64) -> Pos {
        Pos::first(SeqNum::new(u32::MAX - 50)).plus(offset)
    }

    fn blocks(queue: &OutOfOrder, max: usize) -> Vec<(u32, u32)> {
        let base = at(0).seq();
        queue.sack_blocks(max).iter().map(|b| (b.left.since(base).get(), b.right.since(base).get())).collect()
    }

    #[test]
    fn the_latest_block_comes_first() {
        let mut queue = OutOfOrder::default();
        for (start, end) in [(10, 20), (50, 60), (30, 40), (70, 80), (90, 95)] {
            assert_eq!(queue.insert(at(start), at(end), at(0)), at(0));
        }
        assert_eq!(blocks(&queue, 3), [(90, 95), (70, 80), (30, 40)]);
        queue.insert(at(60), at(65), at(0));
        assert_eq!(blocks(&queue, 4), [(50, 65), (90, 95), (70, 80), (30, 40)]);
        queue.note(at(12), at(14), at(0));
        assert_eq!(blocks(&queue, 2), [(10, 20), (50, 65)]);
    }

    #[test]
    fn filling_the_first_hole_moves_rcv_nxt_over_what_waited() {
        let mut queue = OutOfOrder::default();
        queue.insert(at(10), at(20), at(0));
        queue.insert(at(30), at(40), at(0));
        assert_eq!(queue.insert(at(0), at(10), at(0)), at(20));
        assert_eq!(queue.insert(at(20), at(35), at(20)), at(40));
        assert!(queue.is_empty());
    }

    #[test]
    fn gaps_are_found_in_order() {
        let mut queue = OutOfOrder::default();
        queue.insert(at(10), at(20), at(0));
        queue.insert(at(30), at(40), at(0));
        assert_eq!(queue.next_gap(at(0), at(50)), Some((at(0), at(10))));
        assert_eq!(queue.next_gap(at(10), at(50)), Some((at(20), at(30))));
        assert_eq!(queue.next_gap(at(30), at(50)), Some((at(40), at(50))));
        assert_eq!(queue.next_gap(at(12), at(18)), None);
        assert_eq!(queue.next_gap(at(5), at(5)), None);
    }

    #[test]
    fn ranges_are_bounded_and_what_touches_one_still_fits() {
        let mut queue = OutOfOrder::default();
        for i in 0..RANGES_MAX as u64 {
            assert!(queue.has_room_for(at(10 + i * 10), at(11 + i * 10), at(0)));
            queue.insert(at(10 + i * 10), at(11 + i * 10), at(0));
        }
        assert!(!queue.has_room_for(at(5), at(6), at(0)));
        assert!(queue.has_room_for(at(11), at(12), at(0)));
        assert!(queue.has_room_for(at(0), at(5), at(0)));
        queue.check_invariants(at(0), at(10_000));
    }
}
