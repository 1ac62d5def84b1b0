//! RFC 5681: slow start, congestion avoidance and the window side of fast recovery; RFC 6928's initial window; RFC 3465's
//! counting of bytes.

/// The congestion window never exceeds what a header can offer.
pub(super) const CWND_MAX: u32 = 1 << 30;

/// RFC 6928 §2: ten segments, or 14,600 bytes.
const INITIAL_SEGMENTS: u32 = 10;
const INITIAL_BYTES: u32 = 14_600;

/// RFC 3465 §2.3: one acknowledgment opens the window by at most this many segments, however much it covers.
const ABC_LIMIT: u32 = 2;

/// **Units**: bytes.
#[derive(Clone, Debug)]
pub(crate) struct Reno {
    pub(super) cwnd: u32,
    pub(super) ssthresh: u32,
    /// Acknowledged since cwnd last grew in congestion avoidance.
    acked: u32,
}

impl Reno {
    pub(super) const fn new(mss: u32) -> Self {
        Self { cwnd: initial_window(mss), ssthresh: u32::MAX, acked: 0 }
    }

    pub(super) const fn on_open(&mut self, mss: u32, syn_was_lost: bool) {
        // RFC 5681 §3.1: a lost SYN or SYN-ACK leaves one segment.
        self.cwnd = if syn_was_lost { mss } else { initial_window(mss) };
    }

    pub(super) fn on_ack(&mut self, acked: u32, mss: u32, was_limited: bool) {
        // RFC 7661's concern: a window that was not used has not been tested and does not grow.
        if !was_limited {
            return;
        }
        if self.cwnd < self.ssthresh {
            self.grow(acked.min(ABC_LIMIT * mss));
            return;
        }
        self.acked = self.acked.saturating_add(acked);
        if self.acked >= self.cwnd {
            self.acked -= self.cwnd;
            self.grow(mss);
        }
    }

    pub(super) fn on_fast_retransmit(&mut self, flight: u32, mss: u32) {
        // RFC 5681 §3.2, equation 4, and step 3: three segments have left the network.
        self.ssthresh = half(flight, mss);
        self.cwnd = self.ssthresh.saturating_add(3 * mss).min(CWND_MAX);
        self.acked = 0;
    }

    pub(super) fn on_duplicate_in_recovery(&mut self, flight: u32, mss: u32) {
        // No peer can make more segments leave the network than were in it.
        let most = self.ssthresh.saturating_add(3 * mss).saturating_add(flight);
        if self.cwnd < most {
            self.grow(mss);
        }
    }

    pub(super) fn on_partial_ack(&mut self, acked: u32, mss: u32) {
        // RFC 6582 §3.2 step 3: deflate by what was acknowledged, give one segment back.
        self.cwnd = self.cwnd.saturating_sub(acked).max(mss);
        if acked >= mss {
            self.grow(mss);
        }
    }

    pub(super) fn on_recovered(&mut self, flight: u32, mss: u32) {
        // RFC 6582 §3.2 step 3, option 1: no burst when little is in flight.
        self.cwnd = self.ssthresh.min(flight.max(mss).saturating_add(mss)).min(CWND_MAX);
        self.acked = 0;
    }

    pub(super) fn on_timeout(&mut self, flight: u32, mss: u32, again: bool) {
        if !again {
            self.ssthresh = half(flight, mss);
        }
        self.cwnd = mss;
        self.acked = 0;
    }

    pub(super) fn on_idle(&mut self, mss: u32) {
        self.cwnd = self.cwnd.min(initial_window(mss));
    }

    fn grow(&mut self, by: u32) {
        self.cwnd = self.cwnd.saturating_add(by).min(CWND_MAX);
    }
}

const fn initial_window(mss: u32) -> u32 {
    let ten = INITIAL_SEGMENTS * mss;
    let floor = if 2 * mss > INITIAL_BYTES { 2 * mss } else { INITIAL_BYTES };
    if ten < floor { ten } else { floor }
}

fn half(flight: u32, mss: u32) -> u32 {
    (flight / 2).max(2 * mss)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 1000;

    #[test]
    fn the_initial_window_is_ten_segments_or_14600_bytes() {
        assert_eq!(Reno::new(1000).cwnd, 10_000);
        assert_eq!(Reno::new(1460).cwnd, 14_600);
        assert_eq!(Reno::new(1461).cwnd, 14_600);
        assert_eq!(Reno::new(9000).cwnd, 18_000);
    }

    #[test]
    fn slow_start_grows_by_what_is_acknowledged_but_two_segments_at_most() {
        let mut reno = Reno::new(MSS);
        reno.on_ack(1000, MSS, true);
        reno.on_ack(300, MSS, true);
        reno.on_ack(50_000, MSS, true);
        assert_eq!(reno.cwnd, 10_000 + 1000 + 300 + 2000);
    }

    #[test]
    fn congestion_avoidance_grows_by_one_segment_a_window() {
        let mut reno = Reno { cwnd: 10_000, ssthresh: 10_000, acked: 0 };
        for _ in 0..9 {
            reno.on_ack(1000, MSS, true);
        }
        assert_eq!(reno.cwnd, 10_000);
        reno.on_ack(1000, MSS, true);
        assert_eq!(reno.cwnd, 11_000);
    }

    #[test]
    fn a_window_that_was_not_used_does_not_grow() {
        let mut reno = Reno::new(MSS);
        reno.on_ack(1000, MSS, false);
        assert_eq!(reno.cwnd, 10_000);
    }

    #[test]
    fn fast_recovery_halves_inflates_and_deflates() {
        let mut reno = Reno { cwnd: 20_000, ssthresh: u32::MAX, acked: 0 };
        reno.on_fast_retransmit(20_000, MSS);
        assert_eq!((reno.ssthresh, reno.cwnd), (10_000, 13_000));
        reno.on_duplicate_in_recovery(20_000, MSS);
        assert_eq!(reno.cwnd, 14_000);
        reno.on_partial_ack(3000, MSS);
        assert_eq!(reno.cwnd, 12_000);
        reno.on_recovered(15_000, MSS);
        assert_eq!(reno.cwnd, 10_000);
    }

    #[test]
    fn forged_duplicates_cannot_inflate_beyond_what_flew() {
        let mut reno = Reno { cwnd: 20_000, ssthresh: u32::MAX, acked: 0 };
        reno.on_fast_retransmit(20_000, MSS);
        for _ in 0..10_000 {
            reno.on_duplicate_in_recovery(20_000, MSS);
        }
        assert_eq!(reno.cwnd, 10_000 + 3000 + 20_000);
    }

    #[test]
    fn a_time_out_leaves_one_segment_and_halves_once() {
        let mut reno = Reno { cwnd: 20_000, ssthresh: u32::MAX, acked: 0 };
        reno.on_timeout(20_000, MSS, false);
        assert_eq!((reno.ssthresh, reno.cwnd), (10_000, 1000));
        reno.on_timeout(1000, MSS, true);
        assert_eq!((reno.ssthresh, reno.cwnd), (10_000, 1000));
    }

    #[test]
    fn ssthresh_is_at_least_two_segments() {
        let mut reno = Reno::new(MSS);
        reno.on_fast_retransmit(1000, MSS);
        assert_eq!(reno.ssthresh, 2000);
    }
}
