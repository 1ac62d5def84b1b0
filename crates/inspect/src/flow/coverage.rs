//! Which bytes of one direction were seen: a few ranges of sequence numbers, because losses leave holes.

use alloc::vec::Vec;

/// The most ranges that are remembered: so many holes at once has no window of ordinary size. The lowest are forgotten first, as if
/// filled.
pub(super) const RANGES_MAX: usize = 64;

/// Ranges of stream positions: sorted, apart from each other. Positions are counted on beyond 2^32.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    ranges: Vec<(u64, u64)>,
}

/// How a range lies to what was seen before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It goes on where all before it ends; or it is the first.
    Next,
    /// All of it was seen.
    Again,
    /// It begins in what was seen and goes beyond its end.
    PartlyAgain,
    /// It leaves a hole before it.
    Beyond,
    /// It fills a hole, or a part of one.
    Fills,
}

impl Coverage {
    /// The position behind the highest byte seen.
    pub(super) fn end(&self) -> Option<u64> {
        self.ranges.last().map(|range| range.1)
    }

    /// Whether nothing is missing before the highest byte seen.
    pub(super) fn is_whole(&self) -> bool {
        self.ranges.len() <= 1
    }

    pub(super) fn fit(&self, start: u64, end: u64) -> Fit {
        let Some(highest) = self.end() else { return Fit::Next };
        let lowest = self.ranges.first().map_or(0, |range| range.0);
        if start == highest {
            Fit::Next
        } else if start > highest {
            Fit::Beyond
        } else if end <= lowest || self.ranges.iter().any(|range| range.0 <= start && end <= range.1) {
            // What lies before all that was seen was sent before the capture began.
            Fit::Again
        } else if end > highest && self.ranges.last().is_some_and(|range| range.0 <= start) {
            Fit::PartlyAgain
        } else {
            Fit::Fills
        }
    }

    pub(super) fn add(&mut self, start: u64, end: u64) {
        let first = self.ranges.partition_point(|range| range.1 < start);
        let last = self.ranges.partition_point(|range| range.0 <= end);
        let mut whole = (start, end);
        for range in &self.ranges[first..last.max(first)] {
            whole = (whole.0.min(range.0), whole.1.max(range.1));
        }
        self.ranges.splice(first..last.max(first), [whole]);
        if self.ranges.len() > RANGES_MAX {
            let joined = (self.ranges[0].0, self.ranges[1].1);
            self.ranges.splice(..2, [joined]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_where_they_meet() {
        let mut seen = Coverage::default();
        for (start, end, fit) in [
            (10, 20, Fit::Next),
            (20, 30, Fit::Next),
            (40, 50, Fit::Beyond),
            (60, 70, Fit::Beyond),
            (12, 30, Fit::Again),
            (0, 5, Fit::Again),
            (35, 40, Fit::Fills),
            (25, 45, Fit::Fills),
            (50, 60, Fit::Fills),
            (65, 75, Fit::PartlyAgain),
            (75, 76, Fit::Next),
        ] {
            assert_eq!(seen.fit(start, end), fit, "{start}..{end} in {seen:?}");
            if end > 5 {
                seen.add(start, end);
            }
        }
        assert!(seen.is_whole(), "{seen:?}");
        assert_eq!(seen.end(), Some(76));
    }

    #[test]
    fn holes_without_end_are_forgotten_from_below() {
        let mut seen = Coverage::default();
        for at in 0..10_000 {
            seen.add(at * 10, at * 10 + 1);
        }
        assert_eq!(seen.ranges.len(), RANGES_MAX);
        assert_eq!(seen.fit(5, 6), Fit::Again);
        assert_eq!(seen.fit(99_985, 99_986), Fit::Fills);
    }
}
