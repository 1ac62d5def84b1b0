//! How much may fly.
//!
//! In: what was acknowledged, what was lost.
//! Out: `cwnd` and `ssthresh`, in bytes.
//! Above: recovery, transmit. Below: nothing.
//! Not here: what is lost (recovery decides), what the peer takes (the send window).

mod reno;

use reno::Reno;

/// The algorithm of a connection. An enum, not a trait object: the set is closed and the state lies in the TCB.
#[derive(Clone, Debug)]
pub(crate) enum Congestion {
    Reno(Reno),
}

impl Congestion {
    pub(crate) const fn new(mss: u32) -> Self {
        Self::Reno(Reno::new(mss))
    }

    /// The congestion window in bytes.
    pub(crate) const fn cwnd(&self) -> u32 {
        let Self::Reno(reno) = self;
        reno.cwnd
    }

    pub(crate) const fn ssthresh(&self) -> u32 {
        let Self::Reno(reno) = self;
        reno.ssthresh
    }

    /// The handshake is over: the segment size is known, and whether the SYN was lost.
    pub(crate) const fn on_open(&mut self, mss: u32, syn_was_lost: bool) {
        let Self::Reno(reno) = self;
        reno.on_open(mss, syn_was_lost);
    }

    /// New data was acknowledged, outside recovery. `was_limited`: the window, not the user, held the sender back.
    pub(crate) fn on_ack(&mut self, acked: u32, mss: u32, was_limited: bool) {
        let Self::Reno(reno) = self;
        reno.on_ack(acked, mss, was_limited);
    }

    /// Three duplicates: a segment is lost, others arrive.
    pub(crate) fn on_fast_retransmit(&mut self, flight: u32, mss: u32) {
        let Self::Reno(reno) = self;
        reno.on_fast_retransmit(flight, mss);
    }

    /// One more duplicate in fast recovery: a segment has left the network.
    pub(crate) fn on_duplicate_in_recovery(&mut self, flight: u32, mss: u32) {
        let Self::Reno(reno) = self;
        reno.on_duplicate_in_recovery(flight, mss);
    }

    /// A part of what was in flight at the loss is acknowledged.
    pub(crate) fn on_partial_ack(&mut self, acked: u32, mss: u32) {
        let Self::Reno(reno) = self;
        reno.on_partial_ack(acked, mss);
    }

    /// All that was in flight at the loss is acknowledged.
    pub(crate) fn on_recovered(&mut self, flight: u32, mss: u32) {
        let Self::Reno(reno) = self;
        reno.on_recovered(flight, mss);
    }

    /// The retransmission timer expired; `again`: for the same segment.
    pub(crate) fn on_timeout(&mut self, flight: u32, mss: u32, again: bool) {
        let Self::Reno(reno) = self;
        reno.on_timeout(flight, mss, again);
    }

    /// Nothing was sent for longer than a time-out.
    pub(crate) fn on_idle(&mut self, mss: u32) {
        let Self::Reno(reno) = self;
        reno.on_idle(mss);
    }

    pub(crate) fn check_invariants(&self, mss: u32) {
        assert!(self.cwnd() >= mss.min(u32::from(crate::config::SEND_MSS_MIN)), "cwnd below one segment");
        assert!(self.cwnd() <= reno::CWND_MAX, "cwnd above its ceiling");
    }
}
