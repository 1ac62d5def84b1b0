//! RFC 6298: the retransmission timer.

use core::time::Duration;

use wirewright_units::Instant;

use crate::Config;
use crate::position::Pos;
use crate::ticks::Micros;

/// G of RFC 6298 §2: our clock for timers ticks each millisecond.
const CLOCK_GRANULARITY_US: u32 = 1_000;

/// RFC 6298 §5.7: what the time-out becomes when the SYN had to be sent again.
const RTO_AFTER_LOST_SYN_US: u32 = 3_000_000;

/// No doubling goes further: 2⁶ times the largest measured value passes every ceiling.
const BACKOFF_MAX: u8 = 12;

/// The round-trip estimate, and how far it is backed off.
///
/// **Units**: microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Rto {
    srtt: u32,
    rttvar: u32,
    rto: u32,
    /// One segment is timed at once: an acknowledgment of this place ends the measurement.
    timed: Pos,
    timed_at: Micros,
    /// How often the time-out was doubled since the last good sample.
    backoff: u8,
    /// How often the timer expired since anything new was acknowledged.
    pub(crate) expiries: u8,
}

impl Rto {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            srtt: 0,
            rttvar: 0,
            rto: micros(config.rto_initial),
            timed: Pos::NONE,
            timed_at: Micros::default(),
            backoff: 0,
            expiries: 0,
        }
    }

    /// The time-out as it stands, doubled as often as it was backed off.
    pub(crate) fn current(&self, config: &Config) -> Duration {
        let backed_off = u64::from(self.rto) << self.backoff;
        Duration::from_micros(backed_off).min(config.rto_max)
    }

    /// The smoothed round trip, once there was a sample.
    pub(crate) fn srtt(&self) -> Option<Duration> {
        (self.srtt > 0).then(|| Duration::from_micros(self.srtt.into()))
    }

    /// Something new was sent, up to `end`: time it, if nothing is being timed.
    pub(crate) fn on_sent(&mut self, now: Instant, end: Pos) {
        if self.timed.is_none() {
            self.timed = end;
            self.timed_at = Micros::at(now);
        }
    }

    /// Something from `start` on was sent again: what it would measure is ambiguous (Karn, RFC 6298 §3).
    pub(crate) fn on_retransmitted(&mut self, start: Pos) {
        if self.timed > start {
            self.timed = Pos::NONE;
        }
    }

    /// Everything before `ack` arrived. `echo` is the round trip by the timestamps option, which is never ambiguous.
    pub(crate) fn on_ack(&mut self, now: Instant, ack: Pos, echo: Option<Duration>, config: &Config) {
        self.expiries = 0;
        if !self.timed.is_none() && ack >= self.timed {
            self.timed = Pos::NONE;
            self.sample(Micros::at(now).since(self.timed_at), config);
        } else if let (Some(echo), true) = (echo, self.backoff > 0) {
            self.sample(micros(echo), config);
        }
    }

    /// RFC 6298 §2.2 and §2.3.
    pub(crate) fn sample(&mut self, rtt: u32, config: &Config) {
        // A round trip below the clock's resolution is still one; zero stands for "no sample yet".
        let rtt = rtt.max(1);
        if self.srtt == 0 {
            self.srtt = rtt;
            self.rttvar = rtt / 2;
        } else {
            // RTTVAR before SRTT, as §2.3 demands.
            let deviation = self.srtt.abs_diff(rtt);
            self.rttvar = self.rttvar - self.rttvar / 4 + deviation / 4;
            self.srtt = (self.srtt - self.srtt / 8 + rtt / 8).max(1);
        }
        // SRTT + max(G, K·RTTVAR), where the peer's delayed acknowledgments are part of G: on a steady path RTTVAR goes
        // to nothing, and a time-out just above the round trip would fire at every ACK that waits. Linux does the same.
        let slack = micros(config.rto_min).max(CLOCK_GRANULARITY_US);
        let rto = self.srtt.saturating_add(self.rttvar.saturating_mul(4).max(slack));
        self.rto = rto.min(micros(config.rto_max));
        self.backoff = 0;
    }

    /// RFC 6298 §5.5: the timer expired, back off.
    pub(crate) fn on_expiry(&mut self) {
        self.backoff = (self.backoff + 1).min(BACKOFF_MAX);
        self.expiries = self.expiries.saturating_add(1);
        self.timed = Pos::NONE;
    }

    /// RFC 6298 §5.7: the handshake is complete, and its SYN had been sent again.
    pub(crate) fn on_open_after_lost_syn(&mut self) {
        if self.srtt == 0 {
            self.rto = self.rto.max(RTO_AFTER_LOST_SYN_US);
            self.backoff = 0;
        }
    }

    /// The peer answers, though it does not advance: no reason to give it up (RFC 9293 MUST-37).
    pub(crate) const fn on_sign_of_life(&mut self) {
        self.expiries = 0;
    }

    pub(crate) fn check_invariants(&self, config: &Config) {
        assert!(self.rto >= micros(config.rto_min).min(micros(config.rto_initial)), "RTO below its floor");
        assert!(self.current(config) <= config.rto_max, "RTO above its ceiling");
        assert!(self.backoff <= BACKOFF_MAX, "backed off beyond reason");
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: Config = Config::IPV4;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn until_a_round_trip_is_measured_the_time_out_is_one_second() {
        assert_eq!(Rto::new(&CONFIG).current(&CONFIG), ms(1000));
    }

    #[test]
    fn the_first_sample_sets_srtt_to_r_and_rttvar_to_half_of_it() {
        let mut rto = Rto::new(&CONFIG);
        rto.sample(200_000, &CONFIG);
        assert_eq!((rto.srtt, rto.rttvar), (200_000, 100_000));
        assert_eq!(rto.current(&CONFIG), ms(600));
    }

    #[test]
    fn later_samples_move_a_quarter_and_an_eighth() {
        let mut rto = Rto::new(&CONFIG);
        rto.sample(200_000, &CONFIG);
        rto.sample(280_000, &CONFIG);
        assert_eq!((rto.srtt, rto.rttvar), (210_000, 95_000));
        assert_eq!(rto.current(&CONFIG), ms(590));
    }

    #[test]
    fn the_floor_and_the_ceiling_hold() {
        let mut rto = Rto::new(&CONFIG);
        rto.sample(10, &CONFIG);
        assert_eq!(rto.current(&CONFIG), CONFIG.rto_min + Duration::from_micros(10));
        for _ in 0..50 {
            rto.on_expiry();
        }
        assert_eq!(rto.current(&CONFIG), CONFIG.rto_max);
        rto.sample(u32::MAX, &CONFIG);
        assert_eq!(rto.current(&CONFIG), CONFIG.rto_max);
        rto.check_invariants(&CONFIG);
    }

    #[test]
    fn each_expiry_doubles_and_only_a_new_sample_undoes_it() {
        let mut rto = Rto::new(&CONFIG);
        let now = Instant::from_millis(5);
        let at = Pos::NONE.plus(100);
        rto.on_expiry();
        rto.on_expiry();
        assert_eq!(rto.current(&CONFIG), ms(4000));
        rto.on_ack(now, at, None, &CONFIG);
        assert_eq!(rto.current(&CONFIG), ms(4000), "an ambiguous acknowledgment changes nothing");
        rto.on_sent(now, at.plus(10));
        rto.on_ack(now + ms(100), at.plus(10), None, &CONFIG);
        assert_eq!(rto.current(&CONFIG), ms(300));
    }

    #[test]
    fn what_was_sent_again_is_not_timed_unless_timestamps_tell() {
        let mut rto = Rto::new(&CONFIG);
        let now = Instant::from_millis(5);
        let at = Pos::NONE.plus(100);
        rto.on_sent(now, at);
        rto.on_expiry();
        rto.on_retransmitted(at.minus(50));
        rto.on_ack(now + ms(100), at, None, &CONFIG);
        assert_eq!(rto.srtt(), None);
        rto.on_ack(now + ms(100), at, Some(ms(30)), &CONFIG);
        assert_eq!(rto.srtt(), Some(ms(30)));
    }

    #[test]
    fn what_a_fast_retransmission_sent_again_is_not_timed_and_what_lay_before_it_is() {
        let now = Instant::from_millis(5);
        let at = Pos::NONE.plus(100);
        for (retransmitted_from, srtt) in [(at.minus(50), None), (at, Some(ms(100)))] {
            let mut rto = Rto::new(&CONFIG);
            rto.on_sent(now, at);
            rto.on_retransmitted(retransmitted_from);
            rto.on_ack(now + ms(100), at, None, &CONFIG);
            assert_eq!(rto.srtt(), srtt);
        }
    }

    #[test]
    fn a_lost_syn_makes_the_first_time_out_for_data_three_seconds() {
        let mut rto = Rto::new(&CONFIG);
        rto.on_expiry();
        rto.on_open_after_lost_syn();
        assert_eq!(rto.current(&CONFIG), ms(3000));
    }
}
