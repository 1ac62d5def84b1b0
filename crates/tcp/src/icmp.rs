//! RFC 9293 §3.9.2.2, RFC 5927, RFC 1191 and RFC 8201: what an ICMP error does to a connection.

use wirewright_units::Instant;
use wirewright_wire::SeqNum;

use crate::config::SEND_MSS_MIN;
use crate::connection::State;
use crate::event::Events;
use crate::{Connection, Discard, Ended, Next, Verdict};

/// What an ICMP error says, whichever IP version brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IcmpError {
    /// Something that may pass: network or host unreachable, time exceeded, parameter problem.
    Soft,
    /// Something that will not: protocol or port unreachable, administratively prohibited.
    Hard,
    /// The path takes less: segments of this much text, options included, at most.
    TooBig {
        /// The path's MTU less the fixed headers.
        mss: u16,
    },
}

impl Connection {
    /// An ICMP error quotes a segment of ours with this sequence number.
    ///
    /// Only a quote of something in flight is believed (RFC 5927 §4.1). An open connection is never ended by ICMP: there a
    /// hard error counts as a soft one (RFC 5927 §5, as Linux and the BSDs do).
    pub fn handle_icmp(&mut self, now: Instant, quoted: SeqNum, error: IcmpError) -> (Verdict, Next) {
        let now = self.tcb.timers.advance(now);
        let was_over = !self.tcb.state.holds();
        let place = self.tcb.snd.una.near(quoted);
        if was_over || place < self.tcb.snd.una || place >= self.tcb.snd.nxt {
            return (Verdict::Discarded(Discard::QuoteNotInFlight), Next::Stay);
        }
        match (error, self.tcb.state) {
            (IcmpError::TooBig { mss }, _) => self.shrink_segments(mss),
            (IcmpError::Hard, State::SynSent) => self.end(Ended::Unreachable),
            (IcmpError::Hard | IcmpError::Soft, _) => self.tcb.events.raise(Events::SOFT_ERROR),
        }
        (Verdict::Accepted, self.next(now, was_over))
    }

    /// What did not fit is lost, and sent again in smaller pieces. A path never makes segments larger here.
    fn shrink_segments(&mut self, mss: u16) {
        let tcb = &mut self.tcb;
        let mss = mss.max(SEND_MSS_MIN);
        if mss >= tcb.snd.mss {
            return;
        }
        tcb.snd.mss = mss;
        if tcb.may_transmit() {
            tcb.snd.rxt = tcb.snd.una;
        }
    }
}
