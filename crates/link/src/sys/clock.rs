//! The clock: the only place of the workspace that reads one. It also maps the kernel's stamps to [`Instant`].

use core::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wirewright_units::{Instant, UnixTime};

use super::Kernel;

/// The monotonic time: `CLOCK_MONOTONIC`.
#[must_use]
pub fn now() -> Instant {
    let t = clock_gettime(ClockId::Monotonic);
    Instant::from_nanos(nanos(t.tv_sec, t.tv_nsec))
}

/// The wall time: `CLOCK_REALTIME`.
#[must_use]
pub fn wall() -> UnixTime {
    let t = clock_gettime(ClockId::Realtime);
    UnixTime::from_nanos(nanos(t.tv_sec, t.tv_nsec))
}

/// The time that the processors have spent on this process, its ended threads included: `CLOCK_PROCESS_CPUTIME_ID`.
#[must_use]
pub fn cpu() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::from_nanos(nanos(t.tv_sec, t.tv_nsec))
}

/// Waits for `duration`. For programs that pace what they send; a test waits for a condition instead.
pub fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// A moment before the epoch is the epoch.
pub(crate) fn nanos(secs: i64, nanos: i64) -> u64 {
    let secs = u64::try_from(secs).unwrap_or(0);
    let nanos = u64::try_from(nanos).unwrap_or(0);
    secs.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// How old a [`Mapping`] may be, told by the stamps themselves. A slewed wall clock runs at most 500 ppm wrong
/// (`adjtimex`), which is 50 µs in this time.
const MAPPING_AGE_MAX: Duration = Duration::from_millis(100);

/// From the wall clock of the kernel's stamps to the monotonic clock: one reading of both, used for the stamps around it.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    at: Instant,
    wall: UnixTime,
}

impl Mapping {
    /// Reads both clocks. The wall clock is read between two readings of the monotonic one, whose middle belongs to it.
    #[must_use]
    pub fn read(kernel: &dyn Kernel) -> Self {
        let before = kernel.now();
        let wall = kernel.wall();
        let after = kernel.now();
        Self { at: before + after.since(before) / 2, wall }
    }

    /// The moment of a stamp by this reading.
    #[must_use]
    pub fn instant(&self, stamp: UnixTime) -> Instant {
        if stamp < self.wall { self.at - self.wall.since(stamp) } else { self.at + stamp.since(self.wall) }
    }

    /// The moment of a stamp; the clocks are read anew where it lies far from the last reading (time went on, or the wall
    /// clock was set). No clock is read otherwise.
    pub fn follow(&mut self, kernel: &dyn Kernel, stamp: UnixTime) -> Instant {
        let distance = stamp.since(self.wall).max(self.wall.since(stamp));
        if distance > MAPPING_AGE_MAX {
            *self = Self::read(kernel);
        }
        self.instant(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::Scripted;
    use super::*;

    #[test]
    fn a_stamp_maps_to_the_moment_it_was_taken() {
        let kernel = Scripted::new();
        kernel.set_clocks(Instant::from_millis(5_000), UnixTime::from_parts(1_700_000_000, 0));
        let mapping = Mapping::read(&kernel);
        let stamp = UnixTime::from_parts(1_699_999_999, 999_000_000);
        assert_eq!(mapping.instant(stamp), Instant::from_millis(4_999));
        assert_eq!(mapping.instant(UnixTime::from_parts(1_700_000_000, 7)), Instant::from_nanos(5_000_000_007));
    }

    #[test]
    fn a_wall_clock_that_was_set_is_noticed() {
        let kernel = Scripted::new();
        kernel.set_clocks(Instant::from_millis(5_000), UnixTime::from_parts(1_700_000_000, 0));
        let mut mapping = Mapping::read(&kernel);
        kernel.set_clocks(Instant::from_millis(6_000), UnixTime::from_parts(1_000_000_000, 0));
        let stamp = UnixTime::from_parts(1_000_000_000, 0);
        assert_eq!(mapping.follow(&kernel, stamp), Instant::from_millis(6_000));
    }

    #[test]
    fn the_real_clocks_go_forward() {
        let a = now();
        let b = now();
        assert!(b >= a && a > Instant::ORIGIN);
        assert!(wall() > UnixTime::from_parts(1_600_000_000, 0));
        assert!(cpu() > Duration::ZERO);
    }
}
