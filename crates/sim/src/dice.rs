//! The only source of chance: ChaCha8 under a seed, read in whole numbers so that every machine throws the same.

use core::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::Chance;

/// Dice that fall the same way for the same seed, on every machine and in every build.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice for `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 up to but without `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The high half of a 128-bit product: the bias is below 2⁻⁶⁴ · end.
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `first` up to and with `last`; `first` when `last` is smaller.
    pub fn within(&mut self, first: u64, last: u64) -> u64 {
        if last <= first { first } else { first + self.below((last - first).saturating_add(1)) }
    }

    /// Whether something with this chance happens now.
    pub fn happens(&mut self, chance: Chance) -> bool {
        // Thrown also at 0 and at 1, so that changing one chance leaves the other throws where they were.
        self.below(u64::from(Chance::ALWAYS.per_million())) < u64::from(chance.per_million())
    }

    /// A time from zero up to and with `longest`.
    pub fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_nanos(self.within(0, u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Fills `bytes` with random bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same() {
        let throws = |seed| -> Vec<u64> { (0..50).scan(Dice::new(seed), |d, _| Some(d.bits())).collect() };
        assert_eq!(throws(1), throws(1));
        assert_ne!(throws(1), throws(2));
    }

    #[test]
    fn bounds_hold_and_both_ends_of_within_come_up() {
        let mut dice = Dice::new(3);
        let mut seen = [false; 4];
        for _ in 0..1000 {
            assert!(dice.below(7) < 7);
            seen[usize::try_from(dice.within(2, 5)).unwrap() - 2] = true;
        }
        assert_eq!(seen, [true; 4]);
        assert_eq!((dice.below(0), dice.within(9, 3)), (0, 9));
    }

    #[test]
    fn chances_come_true_about_as_often_as_they_say() {
        let mut dice = Dice::new(4);
        let hits = (0..100_000).filter(|_| dice.happens(Chance::percent(5))).count();
        assert!((4_500..5_500).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| dice.happens(Chance::ALWAYS) && !dice.happens(Chance::NEVER)));
    }
}
