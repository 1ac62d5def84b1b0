//! When the frames of a capture are due: its own times, faster or slower; and how far off they left.

use alloc::boxed::Box;
use core::time::Duration;

use wirewright_units::{Instant, UnixTime};

/// Time lost by a sender that was held up is made good up to so much; more would leave as a burst that nobody captured.
const BEHIND_MAX: Duration = Duration::from_millis(50);
/// A frame with a time before the one above it: up to so much, two interfaces were written out of order, and the later time
/// stays what counts. Beyond, the clock was set, and time goes on from there.
const DISORDER_MAX: Duration = Duration::from_secs(1);

/// How many times as fast as it was captured, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(u64);

impl Speed {
    /// As it was captured.
    pub const ONE: Self = Self(Self::UNIT);
    /// The fastest: an hour in 4 ms. The slowest is a millionth.
    pub const MAX: Self = Self(1_000_000 * Self::UNIT);
    const UNIT: u64 = 1_000_000;

    /// So many millionths of the captured speed; `None` for 0 and what is above [`MAX`](Self::MAX).
    #[must_use]
    pub const fn new(millionths: u64) -> Option<Self> {
        if millionths == 0 || millionths > Self::MAX.0 { None } else { Some(Self(millionths)) }
    }

    fn scale(self, time: Duration) -> Duration {
        let nanos = time.as_nanos().saturating_mul(Self::UNIT.into()) / u128::from(self.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// The moments at which frames of a capture are due. The first is due at once, each further one its gap, scaled, behind the one
/// above it; the moments do not depend on when frames really left, so that no error adds up.
///
/// ```
/// use core::time::Duration;
/// use wirewright_hand::{Instant, Schedule, Speed};
/// use wirewright_units::UnixTime;
///
/// let twice = Speed::new(2_000_000).unwrap();
/// let mut schedule = Schedule::begin(Instant::from_millis(5), twice, Duration::from_secs(60));
/// assert_eq!(schedule.due(UnixTime::from_parts(1_700_000_000, 0)), Instant::from_millis(5));
/// assert_eq!(schedule.due(UnixTime::from_parts(1_700_000_000, 4_000_000)), Instant::from_millis(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    begun: Instant,
    speed: Speed,
    gap_max: Duration,
    /// The latest time of a frame so far.
    latest: Option<UnixTime>,
    /// When the last one was due, behind `begun`.
    due: Duration,
    shortened: u64,
    backward: u64,
}

impl Schedule {
    /// Times from `now` on. No gap is longer than `gap_max`, which is not scaled.
    #[must_use]
    pub const fn begin(now: Instant, speed: Speed, gap_max: Duration) -> Self {
        Self { begun: now, speed, gap_max, latest: None, due: Duration::ZERO, shortened: 0, backward: 0 }
    }

    /// When the next frame, which was seen at `wall`, is due.
    pub fn due(&mut self, wall: UnixTime) -> Instant {
        let latest = self.latest.unwrap_or(wall);
        let back = latest.since(wall);
        self.backward += u64::from(back > Duration::ZERO);
        self.latest = Some(if back > DISORDER_MAX { wall } else { latest.max(wall) });
        let gap = self.speed.scale(wall.since(latest));
        self.shortened += u64::from(gap > self.gap_max);
        self.due = self.due.saturating_add(gap.min(self.gap_max));
        self.begun + self.due
    }

    /// The frame that was due last leaves at `now`: whoever is far behind goes on from here instead of catching up.
    pub fn on_sent(&mut self, now: Instant) {
        let late = now.since(self.begun + self.due);
        if late > BEHIND_MAX {
            self.begun += late - BEHIND_MAX;
        }
    }

    /// From the first frame to the one that was due last.
    #[must_use]
    pub const fn span(&self) -> Duration {
        self.due
    }

    /// Gaps that were longer than they may be.
    #[must_use]
    pub const fn shortened(&self) -> u64 {
        self.shortened
    }

    /// Frames with a time before one above them.
    #[must_use]
    pub const fn backward(&self) -> u64 {
        self.backward
    }
}

/// A power of two is divided into so many parts: what is told is right to 3 %.
const PARTS: usize = 16;

/// How late things were: counted, so that a million of them take no more room than one.
#[derive(Clone, Debug)]
pub struct Lateness {
    counts: Box<[u64; 64 * PARTS]>,
    total: u64,
    most: Duration,
}

impl Default for Lateness {
    fn default() -> Self {
        Self { counts: Box::new([0; 64 * PARTS]), total: 0, most: Duration::ZERO }
    }
}

impl Lateness {
    /// One that was so late.
    pub fn add(&mut self, late: Duration) {
        let nanos = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        self.counts[place(nanos)] += 1;
        self.total += 1;
        self.most = self.most.max(late);
    }

    /// How many there were.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.total
    }

    /// So many of a thousand were no later than this.
    #[must_use]
    pub fn of_thousand(&self, part: u64) -> Duration {
        let wanted = u64::try_from((u128::from(self.total) * u128::from(part)).div_ceil(1000)).unwrap_or(u64::MAX);
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return Duration::from_nanos(middle(place)).min(self.most);
            }
        }
        self.most
    }

    /// The latest.
    #[must_use]
    pub const fn most(&self) -> Duration {
        self.most
    }
}

/// Below [`PARTS`] each value has a place of its own; above, the leading bit and the four behind it say which.
fn place(nanos: u64) -> usize {
    let Some(power) = nanos.checked_ilog2().filter(|&power| power >= 4) else { return (nanos & 15) as usize };
    (power as usize - 3) * PARTS + (nanos >> (power - 4) & 15) as usize
}

/// The middle of what has this place.
fn middle(place: usize) -> u64 {
    let (power, part) = (place / PARTS, (place % PARTS) as u64);
    match power.checked_sub(1) {
        None => part,
        Some(shift) => ((16 + part) << shift) + (1 << shift) / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Instant = Instant::from_millis(3_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn at(secs: u64, nanos: u32) -> UnixTime {
        UnixTime::from_parts(secs, nanos)
    }

    fn dues(speed: u64, walls: &[UnixTime]) -> (Schedule, std::vec::Vec<u64>) {
        let mut schedule = Schedule::begin(BEGIN, Speed::new(speed).unwrap(), MINUTE);
        let dues = walls.iter().map(|&wall| schedule.due(wall).since(BEGIN).as_nanos() as u64).collect();
        (schedule, dues)
    }

    #[test]
    fn gaps_are_those_of_the_capture_to_the_nanosecond() {
        let walls = [at(100, 999_999_999), at(101, 0), at(101, 0), at(104, 7)];
        assert_eq!(dues(1_000_000, &walls).1, [0, 1, 1, 3_000_000_008]);
        assert_eq!(dues(2_000_000, &walls).1, [0, 0, 0, 1_500_000_003]);
        assert_eq!(dues(250_000, &walls).1, [0, 4, 4, 12_000_000_032]);
    }

    #[test]
    fn time_that_goes_back_holds_nothing_up() {
        // Two interfaces, out of order by a little: the later time counts.
        let (schedule, due) = dues(1_000_000, &[at(5, 10), at(5, 4), at(5, 12)]);
        assert_eq!((due, schedule.backward()), (std::vec![0, 0, 2], 1));
        // The clock was set back by an hour.
        let (schedule, due) = dues(1_000_000, &[at(9_000, 0), at(5_400, 0), at(5_400, 8)]);
        assert_eq!((due, schedule.backward(), schedule.shortened()), (std::vec![0, 0, 8], 1, 0));
    }

    #[test]
    fn a_long_gap_is_shortened_and_counted() {
        let (schedule, due) = dues(1_000_000, &[UnixTime::EPOCH, at(1_700_000_000, 0), at(1_700_000_000, 5)]);
        assert_eq!((due, schedule.shortened()), (std::vec![0, 60_000_000_000, 60_000_000_005], 1));
        let (schedule, _) = dues(1_000_000, &[at(0, 0), UnixTime::from_nanos(u64::MAX)]);
        assert_eq!(schedule.span(), MINUTE);
        // What counts is the gap as it would be kept.
        assert_eq!(dues(2_000_000, &[at(0, 0), at(120, 0)]).0.shortened(), 0);
    }

    #[test]
    fn who_was_held_up_does_not_catch_up_in_a_burst() {
        let mut schedule = Schedule::begin(BEGIN, Speed::ONE, MINUTE);
        schedule.due(at(1, 0));
        schedule.on_sent(BEGIN + Duration::from_secs(9));
        let next = schedule.due(at(1, 1_000_000));
        assert_eq!(next, BEGIN + Duration::from_secs(9) - BEHIND_MAX + Duration::from_millis(1));
        schedule.on_sent(next + Duration::from_millis(7));
        assert_eq!(schedule.due(at(1, 2_000_000)), next + Duration::from_millis(1));
    }

    #[test]
    fn lateness_is_told_to_a_few_percent() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.of_thousand(500), Duration::ZERO);
        for nanos in 1..=100_000 {
            lateness.add(Duration::from_nanos(nanos));
        }
        for (part, right) in [(500, 50_000_f64), (990, 99_000.0), (10, 1_000.0)] {
            let told = lateness.of_thousand(part).as_nanos() as f64;
            assert!((told / right - 1.0).abs() < 0.035, "{part}: {told}");
        }
        assert_eq!((lateness.of_thousand(1000), lateness.count()), (Duration::from_nanos(100_000), 100_000));
        lateness.add(Duration::MAX);
        assert_eq!((lateness.most(), lateness.of_thousand(1000) > Duration::from_secs(1)), (Duration::MAX, true));
    }
}
