//! RFC 9293 §3.10.8: what happens when time has passed.

use wirewright_units::Instant;

use crate::connection::State;
use crate::event::Events;
use crate::ticks::Tick;
use crate::timers::Timer;
use crate::{Connection, Ended, Next};

/// R1 of RFC 9293 §3.8.3: so many retransmissions of one segment are reported as a problem (SHLD-9: at least 3).
const R1_RETRANSMISSIONS: u8 = 3;

impl Connection {
    /// The time that [`poll_timeout`](Self::poll_timeout) named has come. Too early does nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Next {
        let now = self.tcb.timers.advance(now);
        let was_over = !self.tcb.state.holds();
        for timer in self.tcb.timers.take_expired() {
            if !self.tcb.state.holds() {
                break;
            }
            match timer {
                Timer::Retransmit => self.on_retransmission_timeout(now),
                Timer::Persist => self.on_persist_timeout(now),
                Timer::DelayedAck => self.tcb.due.ack = true,
                Timer::Keepalive => self.on_keepalive_timeout(now),
                Timer::FinWait2 => self.end(Ended::Finished),
            }
        }
        self.next(now, was_over)
    }

    /// RETRANSMISSION TIMEOUT (RFC 6298 §5.4 to §5.6, RFC 5681 §3.1).
    fn on_retransmission_timeout(&mut self, now: Instant) {
        if self.is_given_up(now) {
            self.give_up();
            return;
        }
        let tcb = &mut self.tcb;
        tcb.rto.on_expiry();
        if tcb.rto.expiries == R1_RETRANSMISSIONS {
            tcb.events.raise(Events::DELIVERY_PROBLEM);
        }
        match tcb.state {
            State::SynSent | State::SynReceived => tcb.due.syn = true,
            _ => {
                let again = tcb.rto.expiries > 1;
                tcb.congestion.on_timeout(tcb.snd.flight(), tcb.snd.mss.into(), again);
                tcb.recovery.on_timeout(tcb.snd.nxt);
                tcb.due.head = false;
                // Everything in flight counts as lost, and is sent again in slow start.
                tcb.snd.rxt = tcb.snd.una;
            }
        }
        let rto = tcb.rto.current(&self.config);
        tcb.timers.set(Timer::Retransmit, rto);
    }

    /// The peer's window is closed, or too small for the silly window rule (RFC 9293 §3.8.6.1).
    fn on_persist_timeout(&mut self, now: Instant) {
        if self.is_given_up(now) {
            self.give_up();
            return;
        }
        let tcb = &mut self.tcb;
        tcb.rto.on_expiry();
        if tcb.snd.wnd.get() == 0 {
            tcb.due.probe = true;
        } else {
            tcb.due.small = true;
        }
        let rto = tcb.rto.current(&self.config);
        tcb.timers.set(Timer::Persist, rto);
    }

    /// RFC 9293 §3.8.4. The timer is lazy: it runs on from the last sign of life.
    fn on_keepalive_timeout(&mut self, now: Instant) {
        let Some(keepalive) = self.config.keepalive else {
            return;
        };
        let tcb = &mut self.tcb;
        let silence = Tick::at(now).elapsed_since(tcb.last_heard);
        if silence < keepalive.idle {
            tcb.timers.set(Timer::Keepalive, keepalive.idle.saturating_sub(silence));
            return;
        }
        if tcb.keepalives_unanswered >= keepalive.probes_max {
            self.end_with_reset(Ended::TimedOut);
            return;
        }
        // Data in flight asks the same question.
        if tcb.snd.flight() == 0 {
            tcb.keepalives_unanswered += 1;
            tcb.due.keepalive = true;
        }
        tcb.timers.set(Timer::Keepalive, keepalive.interval);
    }

    /// R2 of RFC 9293 §3.8.3, or the user time-out.
    fn is_given_up(&self, now: Instant) -> bool {
        let limit = match self.tcb.state {
            State::SynSent | State::SynReceived => self.config.syn_give_up_after,
            _ => self.config.give_up_after,
        };
        Tick::at(now).elapsed_since(self.tcb.stalled_since) >= limit
    }

    fn give_up(&mut self) {
        match self.tcb.state {
            // The peer has never been heard of: there is nothing to reset.
            State::SynSent => self.end(Ended::TimedOut),
            _ => self.end_with_reset(Ended::TimedOut),
        }
    }
}
