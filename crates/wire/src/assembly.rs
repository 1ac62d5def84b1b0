//! Which parts of one fragmented datagram are there: the arithmetic of RFC 791 §3.2 and RFC 8200 §4.5, without the bytes.
//!
//! Both who answers by a whole stack and who only matches answers put datagrams together; which of them keep what, for how
//! long, and what an overlap costs is theirs to decide.

/// Offsets of fragments count units of so many bytes.
pub const UNIT: usize = 8;
/// The most bytes behind the headers of a datagram, RFC 791 §3.1.
pub const DATAGRAM_BYTES_MAX: usize = 65_535;

/// As many units as offsets of 13 bits tell apart.
const UNITS: usize = 1 << 13;

/// The parts of one datagram that have come. Shape: a bit for each unit of 8 bytes, 1 KiB.
#[derive(Clone, Debug)]
pub struct Assembly {
    there: [u64; UNITS / 64],
    /// Units that are there.
    count: usize,
    /// The byte behind the last one that came.
    reach: usize,
    /// The length, once the last fragment came.
    end: Option<usize>,
}

/// What a fragment is beside those that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It fills a gap, others remain.
    New,
    /// It fills the last gap.
    Complete,
    /// Each of its parts is there already: a repetition if its bytes are the same.
    There,
    /// Some of its parts are there already.
    Overlaps,
    /// No datagram has such a fragment beside the others: no bytes, a length that is no multiple of 8 before the end, behind
    /// the end, or behind what a datagram can hold.
    Impossible,
}

impl Default for Assembly {
    fn default() -> Self {
        Self { there: [0; UNITS / 64], count: 0, reach: 0, end: None }
    }
}

impl Assembly {
    /// Adds a fragment of `len` bytes at byte `offset`; `more` says that others stand behind it. What is not
    /// [`New`](Added::New) or [`Complete`](Added::Complete) changes nothing.
    pub fn add(&mut self, offset: usize, len: usize, more: bool) -> Added {
        let behind = offset.saturating_add(len);
        let uneven = !offset.is_multiple_of(UNIT) || (more && !len.is_multiple_of(UNIT));
        let beyond =
            behind > DATAGRAM_BYTES_MAX || self.end.is_some_and(|end| behind > end || (!more && behind != end));
        if len == 0 || uneven || beyond || (!more && self.reach > behind) {
            return Added::Impossible;
        }
        let units = offset / UNIT..behind.div_ceil(UNIT);
        let known = units.clone().filter(|&unit| self.has(unit)).count();
        if known == units.len() {
            return Added::There;
        }
        if known > 0 {
            return Added::Overlaps;
        }
        for unit in units.clone() {
            self.there[unit / 64] |= 1 << (unit % 64);
        }
        self.count += units.len();
        self.reach = self.reach.max(behind);
        if !more {
            self.end = Some(behind);
        }
        if self.len().is_some() { Added::Complete } else { Added::New }
    }

    /// The length of the datagram behind its headers, once it is whole.
    #[must_use]
    pub fn len(&self) -> Option<usize> {
        self.end.filter(|end| self.count == end.div_ceil(UNIT))
    }

    /// Nothing came yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn has(&self, unit: usize) -> bool {
        self.there[unit / 64] & 1 << (unit % 64) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_fills_a_datagram() {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let parts = [(0, 16, true), (16, 8, true), (24, 5, false)];
            let mut assembly = Assembly::default();
            let added = order.map(|part| {
                let (offset, len, more) = parts[part];
                assembly.add(offset, len, more)
            });
            assert_eq!((added, assembly.len()), ([Added::New, Added::New, Added::Complete], Some(29)), "{order:?}");
        }
    }

    #[test]
    fn the_largest_datagram_is_filled() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.add(0, 65_528, true), Added::New);
        assert_eq!(assembly.add(65_528, 8, false), Added::Impossible);
        assert_eq!(assembly.add(65_528, 7, false), Added::Complete);
        assert_eq!(assembly.len(), Some(65_535));
    }

    #[test]
    fn what_is_there_already_is_told_from_what_overlaps() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.add(8, 16, true), Added::New);
        for (offset, len, more, added) in [
            (8, 16, true, Added::There),
            (16, 8, true, Added::There),
            (0, 16, true, Added::Overlaps),
            (16, 16, true, Added::Overlaps),
            (0, 40, true, Added::Overlaps),
            (0, 8, false, Added::Impossible),
        ] {
            assert_eq!(assembly.add(offset, len, more), added, "{offset} {len}");
        }
        assert_eq!((assembly.add(24, 1, false), assembly.add(0, 8, true)), (Added::New, Added::Complete));
    }

    #[test]
    fn a_fragment_that_no_datagram_has_changes_nothing() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.add(16, 4, false), Added::New);
        for (offset, len, more) in
            [(0, 0, true), (0, 7, true), (3, 8, true), (24, 8, true), (16, 8, true), (16, 5, false), (8, 4, false)]
        {
            assert_eq!(assembly.add(offset, len, more), Added::Impossible, "{offset} {len} {more}");
        }
        assert_eq!(assembly.add(0, usize::MAX, false), Added::Impossible);
        assert_eq!(assembly.add(0, 16, true), Added::Complete);
    }
}
