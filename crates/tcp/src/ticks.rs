//! Time in 32 bits: timers count milliseconds, round trips microseconds.

use core::time::Duration;

use wirewright_units::Instant;

/// A moment in milliseconds modulo 2³²: 49 days round, so that moments up to 24 days apart can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Tick(u32);

impl Tick {
    /// The tick that `now` lies in.
    pub(crate) const fn at(now: Instant) -> Self {
        Self(now.as_millis() as u32)
    }

    /// The first tick that begins at or after `now + after`: a timer never fires early.
    pub(crate) fn after(now: Instant, after: Duration) -> Self {
        Self((now + after + Duration::from_nanos(999_999)).as_millis() as u32)
    }

    /// The signed milliseconds from `earlier` to here.
    pub(crate) const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// The time from `earlier` to here, zero when `earlier` is later.
    pub(crate) const fn elapsed_since(self, earlier: Self) -> Duration {
        let millis = self.since(earlier);
        Duration::from_millis(if millis > 0 { millis as u64 } else { 0 })
    }

    /// The moment at which this tick begins, seen from a moment less than 24 days away.
    pub(crate) fn to_instant(self, near: Instant) -> Instant {
        let millis = near.as_millis().saturating_add_signed(i64::from(self.since(Self::at(near))));
        Instant::from_millis(millis)
    }
}

/// Microseconds modulo 2³², for round trips: 71 minutes round.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Micros(u32);

impl Micros {
    pub(crate) const fn at(now: Instant) -> Self {
        Self(now.as_micros() as u32)
    }

    /// The microseconds from `earlier` to here.
    pub(crate) const fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_before_its_time_and_comes_back_as_an_instant() {
        for origin in [0, 1_234_567, u64::from(u32::MAX) * 1_000_000 + 999_999, 1 << 60] {
            let now = Instant::from_nanos(origin);
            for nanos in [0, 1, 999_999, 1_000_000, 40_000_001] {
                let due = now + Duration::from_nanos(nanos);
                let tick = Tick::after(now, Duration::from_nanos(nanos));
                let at = tick.to_instant(now);
                assert!(at >= due && at.since(due) < Duration::from_millis(1), "{at:?} {due:?}");
                assert!(Tick::at(at).since(tick) >= 0);
            }
        }
    }
}
