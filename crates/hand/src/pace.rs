//! Pacing: when the next packets of a run are due.

use core::time::Duration;

use wirewright_units::Instant;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// Time lost by a sender that was held up is made good up to so much; more would leave as a burst that nobody asked for.
const BEHIND_MAX: Duration = Duration::from_millis(50);
/// Who sleeps between packets sleeps at least so long: packets that are due closer together leave together.
const TURN: u64 = SECOND / 1000;

/// A run of packets at an even pace. Packet number `n` is due `n` intervals after the first, whatever the ones before it did:
/// an error of one turn is made good in the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// So many packets…
    packets: u64,
    /// … in so many nanoseconds.
    per: u64,
    begun: Instant,
    /// Since `begun`.
    sent: u64,
    /// In all.
    total: u64,
    first: Option<Instant>,
    last: Instant,
}

impl Pace {
    /// So many packets a second from `now` on; 0 is taken as 1.
    #[must_use]
    pub fn per_second(now: Instant, packets: u64) -> Self {
        Self::new(now, packets.max(1), SECOND)
    }

    /// One packet each `interval` from `now` on; 0 is as fast as it goes.
    #[must_use]
    pub fn every(now: Instant, interval: Duration) -> Self {
        Self::new(now, 1, u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX))
    }

    const fn new(now: Instant, packets: u64, per: u64) -> Self {
        Self { packets, per, begun: now, sent: 0, total: 0, first: None, last: now }
    }

    /// How many packets are due at `now` and have not been sent.
    pub fn due(&mut self, now: Instant) -> u64 {
        let late = now.since(self.next());
        if late > BEHIND_MAX {
            self.begun += late - BEHIND_MAX;
        }
        if self.per == 0 {
            return u64::MAX;
        }
        let passed = u128::from(nanos(now.since(self.begun)));
        let due = passed * u128::from(self.packets) / u128::from(self.per) + 1;
        u64::try_from(due).unwrap_or(u64::MAX).saturating_sub(self.sent)
    }

    /// So many packets were sent at `now`.
    pub fn on_sent(&mut self, now: Instant, packets: u64) {
        self.first = self.first.or(Some(now));
        self.last = now;
        self.sent = self.sent.saturating_add(packets);
        self.total = self.total.saturating_add(packets);
    }

    /// When the next packet is due.
    #[must_use]
    pub fn next(&self) -> Instant {
        self.moment_of(self.sent)
    }

    /// When it is worth waking up: the next packet is due, and where they are close together all of the next turn.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.moment_of(self.sent.saturating_add(self.packets_a_turn() - 1))
    }

    /// Packets a second from the first to the last that were sent, 0 before there are two moments.
    #[must_use]
    pub fn reached(&self) -> u64 {
        let took = self.first.map_or(Duration::ZERO, |first| self.last.since(first));
        let packets = u128::from(self.total.saturating_sub(1)) * u128::from(SECOND);
        packets.checked_div(took.as_nanos()).and_then(|rate| u64::try_from(rate).ok()).unwrap_or(0)
    }

    fn packets_a_turn(&self) -> u64 {
        let packets = u128::from(self.packets) * u128::from(TURN) / u128::from(self.per.max(1));
        u64::try_from(packets).unwrap_or(u64::MAX).max(1)
    }

    fn moment_of(&self, packet: u64) -> Instant {
        // Up: a nanosecond earlier it is not due yet.
        let after = (u128::from(packet) * u128::from(self.per)).div_ceil(u128::from(self.packets));
        self.begun + Duration::from_nanos(u64::try_from(after).unwrap_or(u64::MAX))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Instant = Instant::from_millis(7_000);

    /// Sends for `time` with a sleeper that wakes `late` nanoseconds too late; packets sent, and wakes.
    fn run(mut pace: Pace, time: Duration, late: u64) -> (u64, u64, Pace) {
        let (mut now, mut sent, mut wakes) = (BEGIN, 0, 0);
        while now < BEGIN + time {
            let due = pace.due(now);
            if due > 0 {
                pace.on_sent(now, due);
                sent += due;
            }
            now = pace.poll_timeout().max(now) + Duration::from_nanos(late);
            wakes += 1;
        }
        (sent, wakes, pace)
    }

    #[test]
    fn the_pace_is_kept_however_late_the_sleeper_wakes() {
        for rate in [1, 3, 999, 1000, 1001, 12_345, 250_000, 3_000_000] {
            for late in [0, 60_000, 900_000] {
                let (sent, wakes, pace) = run(Pace::per_second(BEGIN, rate), Duration::from_secs(4), late);
                let off = sent.abs_diff(4 * rate);
                assert!(off <= 1 + rate / 500, "{rate} {late}: {sent}");
                assert!(
                    wakes <= 8_004 && pace.reached().abs_diff(rate) <= 1 + rate / 100,
                    "{rate}: {}",
                    pace.reached()
                );
            }
        }
    }

    #[test]
    fn time_that_was_lost_is_not_made_good_in_a_burst() {
        let mut pace = Pace::per_second(BEGIN, 10_000);
        assert_eq!(pace.due(BEGIN), 1);
        let stalled = BEGIN + Duration::from_secs(9);
        assert_eq!(pace.due(stalled), 501);
        pace.on_sent(stalled, 501);
        assert_eq!((pace.due(stalled), pace.next()), (0, stalled + Duration::from_micros(100)));
    }

    #[test]
    fn an_interval_is_a_pace_too() {
        let mut pace = Pace::every(BEGIN, Duration::from_secs(2));
        pace.on_sent(BEGIN, 1);
        assert_eq!(
            (pace.due(BEGIN + Duration::from_secs(1)), pace.poll_timeout()),
            (0, BEGIN + Duration::from_secs(2))
        );
        assert_eq!((pace.due(BEGIN + Duration::from_secs(2)), pace.reached()), (1, 0));
        let mut fast = Pace::every(BEGIN, Duration::ZERO);
        assert_eq!((fast.due(BEGIN), fast.poll_timeout()), (u64::MAX, BEGIN));
    }
}
