//! The timers of one connection: one table, one next deadline.

use core::time::Duration;

use wirewright_units::Instant;

use crate::ticks::Tick;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Timer {
    /// RFC 6298: something sent is not acknowledged.
    Retransmit,
    /// RFC 9293 §3.8.6.1: the peer's window is closed, or too small for the silly window rule.
    Persist,
    /// RFC 9293 §3.8.6.3: an acknowledgment may wait a little.
    DelayedAck,
    /// RFC 9293 §3.8.4.
    Keepalive,
    /// The user has gone; how long to wait for the peer's FIN.
    FinWait2,
}

const COUNT: usize = 5;

const ALL: [Timer; COUNT] = [Timer::Retransmit, Timer::Persist, Timer::DelayedAck, Timer::Keepalive, Timer::FinWait2];

/// No timer runs longer: half of the range that ticks can compare.
const LONGEST: Duration = Duration::from_secs(12 * 24 * 3600);

#[derive(Clone, Debug)]
pub(crate) struct Timers {
    /// The latest `now` seen: deadlines are read back against it, and time does not run backwards.
    clock: Instant,
    at: [Tick; COUNT],
    armed: u8,
}

impl Timers {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { clock: now, at: [Tick::at(now); COUNT], armed: 0 }
    }

    /// Moves the clock and returns it: `now`, or the latest time seen when `now` lies before it.
    pub(crate) fn advance(&mut self, now: Instant) -> Instant {
        self.clock = self.clock.max(now);
        self.clock
    }

    pub(crate) fn set(&mut self, timer: Timer, after: Duration) {
        self.at[timer as usize] = Tick::after(self.clock, after.min(LONGEST));
        self.armed |= 1 << timer as u8;
    }

    pub(crate) fn set_if_idle(&mut self, timer: Timer, after: Duration) {
        if !self.is_set(timer) {
            self.set(timer, after);
        }
    }

    pub(crate) const fn stop(&mut self, timer: Timer) {
        self.armed &= !(1 << timer as u8);
    }

    pub(crate) const fn stop_all(&mut self) {
        self.armed = 0;
    }

    pub(crate) const fn is_set(&self, timer: Timer) -> bool {
        self.armed & (1 << timer as u8) != 0
    }

    /// The timers whose time has come, stopped by this call. One that is set again meanwhile waits for the next call, so
    /// that there is an end to it whatever the clock says.
    pub(crate) fn take_expired(&mut self) -> impl Iterator<Item = Timer> + use<> {
        let clock = Tick::at(self.clock);
        let expired = ALL.map(|t| self.is_set(t) && clock.since(self.at[t as usize]) >= 0);
        let taken = ALL.into_iter().zip(expired).filter_map(|(timer, is_expired)| is_expired.then_some(timer));
        for timer in taken.clone() {
            self.stop(timer);
        }
        taken
    }

    /// The earliest deadline.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        ALL.into_iter().filter(|&t| self.is_set(t)).map(|t| self.at[t as usize].to_instant(self.clock)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_timeout_is_the_earliest_and_an_expired_timer_is_taken_once() {
        let mut timers = Timers::new(Instant::from_millis(500));
        assert_eq!((timers.next_timeout(), timers.take_expired().next()), (None, None));
        timers.set(Timer::Retransmit, Duration::from_millis(200));
        timers.set(Timer::DelayedAck, Duration::from_millis(40));
        timers.set_if_idle(Timer::DelayedAck, Duration::from_millis(90));
        assert_eq!(timers.next_timeout(), Some(Instant::from_millis(540)));
        timers.advance(Instant::from_millis(540));
        assert!(timers.take_expired().eq([Timer::DelayedAck]));
        assert!(timers.take_expired().eq([]));
        assert_eq!(timers.next_timeout(), Some(Instant::from_millis(700)));
    }

    #[test]
    fn time_does_not_run_backwards() {
        let mut timers = Timers::new(Instant::from_millis(500));
        assert_eq!(timers.advance(Instant::from_millis(400)), Instant::from_millis(500));
    }
}
