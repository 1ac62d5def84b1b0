//! Amounts of data ([`ByteCount`]) and data per time ([`Rate`]).

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A number of bytes of data. Not a sequence length: SYN and FIN do not count.
///
/// Arithmetic saturates; it never panics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteCount(u64);

impl ByteCount {
    /// No bytes.
    pub const ZERO: Self = Self(0);

    /// A count of `bytes` bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The length of a slice in memory.
    #[must_use]
    pub const fn of(slice: &[u8]) -> Self {
        Self(slice.len() as u64)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Add for ByteCount {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign for ByteCount {
    fn add_assign(&mut self, rhs: Self) {
        *self = *self + rhs;
    }
}

impl Sub for ByteCount {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(self.0.saturating_sub(rhs.0))
    }
}

impl fmt::Debug for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B", self.0)
    }
}

/// A rate of data.
///
/// **Units**: bits per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// A rate of `bits` bits per second.
    #[must_use]
    pub const fn from_bits_per_second(bits: u64) -> Self {
        Self(bits)
    }

    /// Bits per second.
    #[must_use]
    pub const fn bits_per_second(self) -> u64 {
        self.0
    }

    /// How long `count` takes at this rate, rounded up to the nanosecond; the longest duration at rate zero.
    #[must_use]
    pub fn time_for(self, count: ByteCount) -> Duration {
        if self.0 == 0 {
            return Duration::MAX;
        }
        let bit_nanos = u128::from(count.get()) * 8 * 1_000_000_000;
        Duration::from_nanos(u64::try_from(bit_nanos.div_ceil(u128::from(self.0))).unwrap_or(u64::MAX))
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bit/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_says_how_long_bytes_take() {
        let rate = Rate::from_bits_per_second(10_000_000);
        assert_eq!(rate.time_for(ByteCount::new(1250)), Duration::from_millis(1));
        assert_eq!(rate.time_for(ByteCount::new(1)), Duration::from_nanos(800));
        assert_eq!(Rate::from_bits_per_second(0).time_for(ByteCount::ZERO), Duration::MAX);
    }

    #[test]
    fn counts_saturate() {
        assert_eq!(ByteCount::new(3) - ByteCount::new(5), ByteCount::ZERO);
        assert_eq!(ByteCount::new(u64::MAX) + ByteCount::new(1), ByteCount::new(u64::MAX));
    }
}
