//! RFC 6582: fast retransmit and fast recovery by counting duplicate acknowledgments, with RFC 3042's limited transmit.

use crate::congestion::Congestion;
use crate::position::Pos;

/// RFC 5681 §3.2: so many duplicates mean a loss.
const DUP_THRESH: u8 = 3;

/// The state of loss recovery without selective acknowledgments.
#[derive(Clone, Debug)]
pub(crate) struct NewReno {
    /// What must be acknowledged before another fast retransmit may begin.
    recover: Pos,
    dup_acks: u8,
    is_recovering: bool,
    saw_partial_ack: bool,
}

/// What an acknowledgment of new data asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnAck {
    /// Send the first unacknowledged segment again.
    pub(crate) retransmit_head: bool,
    /// Start the retransmission timer anew.
    pub(crate) restart_timer: bool,
}

impl NewReno {
    pub(crate) const fn new(initial: Pos) -> Self {
        Self { recover: initial, dup_acks: 0, is_recovering: false, saw_partial_ack: false }
    }

    /// RFC 3042: the first two duplicates let a new segment out each.
    pub(crate) fn limited_transmit(&self, mss: u32) -> u32 {
        if self.is_recovering { 0 } else { u32::from(self.dup_acks.min(DUP_THRESH - 1)) * mss }
    }

    /// A duplicate acknowledgment (RFC 5681 §2). Returns whether the first unacknowledged segment is to be sent again.
    pub(crate) fn on_duplicate_ack(&mut self, una: Pos, nxt: Pos, mss: u32, congestion: &mut Congestion) -> bool {
        let flight = nxt.steps_since(una);
        self.dup_acks = self.dup_acks.saturating_add(1);
        if self.is_recovering {
            congestion.on_duplicate_in_recovery(flight, mss);
            return false;
        }
        // RFC 6582 §3.2 step 2: not for duplicates that our own retransmissions after a time-out have caused.
        if self.dup_acks != DUP_THRESH || una < self.recover {
            return false;
        }
        self.is_recovering = true;
        self.saw_partial_ack = false;
        self.recover = nxt;
        congestion.on_fast_retransmit(flight, mss);
        true
    }

    /// New data was acknowledged; `una` is already the new one.
    pub(crate) fn on_ack(
        &mut self,
        acked: u32,
        una: Pos,
        nxt: Pos,
        mss: u32,
        was_limited: bool,
        congestion: &mut Congestion,
    ) -> OnAck {
        self.dup_acks = 0;
        if !self.is_recovering {
            congestion.on_ack(acked, mss, was_limited);
            return OnAck { retransmit_head: false, restart_timer: true };
        }
        if una >= self.recover {
            self.is_recovering = false;
            congestion.on_recovered(nxt.steps_since(una), mss);
            return OnAck { retransmit_head: false, restart_timer: true };
        }
        congestion.on_partial_ack(acked, mss);
        // RFC 6582 §4, the impatient variant: only the first partial acknowledgment restarts the timer.
        let restart_timer = !self.saw_partial_ack;
        self.saw_partial_ack = true;
        OnAck { retransmit_head: true, restart_timer }
    }

    /// RFC 6582 §4: after a time-out, fast recovery ends and duplicates up to here mean nothing.
    pub(crate) fn on_timeout(&mut self, nxt: Pos) {
        self.is_recovering = false;
        self.dup_acks = 0;
        self.recover = nxt.plus(1);
    }

    pub(crate) fn check_invariants(&self, una: Pos, nxt: Pos) {
        if self.is_recovering {
            assert!(una <= self.recover && self.recover <= nxt, "recovering what was never sent");
        }
        assert!(self.recover <= nxt.plus(1), "the recovery point lies beyond what was sent");
    }
}

#[cfg(test)]
mod tests {
    use wirewright_wire::SeqNum;

    use super::*;

    const MSS: u32 = 1000;

    fn at(offset: u64) -> Pos {
        Pos::first(SeqNum::new(u32::MAX - 3)).plus(offset)
    }

    fn fresh() -> (NewReno, Congestion) {
        (NewReno::new(at(0)), Congestion::new(MSS))
    }

    #[test]
    fn the_third_duplicate_retransmits_and_the_fourth_does_not() {
        let (mut r, mut c) = fresh();
        let sent: [bool; 5] = core::array::from_fn(|_| r.on_duplicate_ack(at(1), at(8001), MSS, &mut c));
        assert_eq!(sent, [false, false, true, false, false]);
        assert_eq!(c.ssthresh(), 4000);
        assert_eq!(c.cwnd(), 4000 + 3000 + 2000);
    }

    #[test]
    fn limited_transmit_lets_two_segments_out() {
        let (mut r, mut c) = fresh();
        assert_eq!(r.limited_transmit(MSS), 0);
        r.on_duplicate_ack(at(1), at(8001), MSS, &mut c);
        assert_eq!(r.limited_transmit(MSS), 1000);
        r.on_duplicate_ack(at(1), at(8001), MSS, &mut c);
        assert_eq!(r.limited_transmit(MSS), 2000);
        r.on_duplicate_ack(at(1), at(8001), MSS, &mut c);
        assert_eq!(r.limited_transmit(MSS), 0, "fast recovery has its own inflation");
    }

    #[test]
    fn a_partial_ack_retransmits_the_next_hole_and_a_full_one_ends_it() {
        let (mut r, mut c) = fresh();
        for _ in 0..3 {
            r.on_duplicate_ack(at(1), at(8001), MSS, &mut c);
        }
        let partial = r.on_ack(2000, at(2001), at(8001), MSS, true, &mut c);
        assert_eq!(partial, OnAck { retransmit_head: true, restart_timer: true });
        let second = r.on_ack(1000, at(3001), at(8001), MSS, true, &mut c);
        assert_eq!(second, OnAck { retransmit_head: true, restart_timer: false });
        let full = r.on_ack(5000, at(8001), at(8001), MSS, true, &mut c);
        assert_eq!(full, OnAck { retransmit_head: false, restart_timer: true });
        assert!(!r.is_recovering && c.cwnd() <= c.ssthresh());
    }

    #[test]
    fn duplicates_of_what_a_time_out_sent_again_do_not_start_recovery() {
        let (mut r, mut c) = fresh();
        r.on_timeout(at(8001));
        let starts = (0..10).any(|_| r.on_duplicate_ack(at(5001), at(8001), MSS, &mut c));
        assert!(!starts);
    }
}
