//! Stream positions: sequence numbers that do not wrap.

use core::fmt;

use wirewright_wire::SeqNum;

/// A place in one direction of a connection's sequence space, counted in 64 bits.
///
/// The low 32 bits are the sequence number. A connection begins at 2³² + ISS, so that a place up to 2³¹ before the
/// beginning, which an old duplicate may name, is still a number, and zero can stand for "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Pos(u64);

impl Pos {
    /// No place: before every other.
    pub(crate) const NONE: Self = Self(0);

    /// The place of a SYN with this sequence number.
    pub(crate) const fn first(initial: SeqNum) -> Self {
        Self((1 << 32) | initial.to_raw() as u64)
    }

    /// The sequence number here.
    pub(crate) const fn seq(self) -> SeqNum {
        SeqNum::new(self.0 as u32)
    }

    /// The place with this sequence number that lies nearest: less than 2³¹ ahead, at most 2³¹ behind.
    pub(crate) const fn near(self, seq: SeqNum) -> Self {
        Self(self.0.wrapping_add_signed(seq.offset_from(self.seq()) as i64))
    }

    /// The steps from `earlier` to here; zero when `earlier` lies ahead.
    pub(crate) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As [`since`](Self::since), for distances that fit a window; longer ones are cut to `u32::MAX`.
    pub(crate) const fn steps_since(self, earlier: Self) -> u32 {
        let steps = self.since(earlier);
        if steps > u32::MAX as u64 { u32::MAX } else { steps as u32 }
    }

    /// `steps` further on.
    pub(crate) const fn plus(self, steps: u64) -> Self {
        Self(self.0.saturating_add(steps))
    }

    /// `steps` further back.
    pub(crate) const fn minus(self, steps: u64) -> Self {
        Self(self.0.saturating_sub(steps))
    }

    /// The 64 bits, for ring indices.
    pub(crate) const fn raw(self) -> u64 {
        self.0
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use wirewright_wire::SeqLen;

    use super::*;

    #[test]
    fn near_follows_the_sequence_number_across_the_wrap() {
        for start in [0, 1 << 31, u32::MAX] {
            let here = Pos::first(SeqNum::new(start));
            assert_eq!(here.seq(), SeqNum::new(start));
            assert_eq!(here.near(here.seq() + SeqLen::new(1000)), here.plus(1000));
            assert_eq!(here.near(here.seq() - SeqLen::new(1000)), here.minus(1000));
            assert_eq!(here.plus(1 << 33).near(here.plus((1 << 33) - 7).seq()), here.plus((1 << 33) - 7));
        }
    }

    #[test]
    fn no_sequence_number_names_the_none_place() {
        let start = Pos::first(SeqNum::new(0));
        assert!(start.near(SeqNum::new(1 << 31)) > Pos::NONE);
    }
}
