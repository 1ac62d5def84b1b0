//! STATUS (RFC 9293 §3.10.6): what can be asked about a connection.

use core::time::Duration;

use wirewright_units::ByteCount;
use wirewright_wire::{SeqNum, Window};

use super::{Connection, State};
use crate::Ended;

/// What is known about a connection at this moment; the RFC's variables under the RFC's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The state.
    pub state: State,
    /// Why it is over, if it is.
    pub ended: Option<Ended>,
    /// SND.UNA.
    pub snd_una: SeqNum,
    /// SND.NXT.
    pub snd_nxt: SeqNum,
    /// SND.WND.
    pub snd_wnd: Window,
    /// RCV.NXT.
    pub rcv_nxt: SeqNum,
    /// RCV.WND.
    pub rcv_wnd: Window,
    /// The text that one segment carries at most, options taken off (Eff.snd.MSS).
    pub segment_size: u16,
    /// The congestion window.
    pub cwnd: ByteCount,
    /// The slow start threshold.
    pub ssthresh: ByteCount,
    /// Sent and not acknowledged.
    pub in_flight: ByteCount,
    /// The smoothed round trip, once there was a sample.
    pub srtt: Option<Duration>,
    /// The retransmission time-out.
    pub rto: Duration,
    /// Whether timestamps were agreed.
    pub timestamps: bool,
    /// Whether selective acknowledgments were agreed.
    pub sack: bool,
}

impl Connection {
    /// The state of the connection and its variables.
    #[must_use]
    pub fn status(&self) -> Status {
        let tcb = &self.tcb;
        Status {
            state: tcb.state,
            ended: tcb.ended,
            snd_una: tcb.snd.una.seq(),
            snd_nxt: tcb.snd.nxt.seq(),
            snd_wnd: tcb.snd.wnd,
            rcv_nxt: tcb.rcv.nxt.seq(),
            rcv_wnd: Window::clamped(tcb.rcv.wnd()),
            segment_size: tcb.segment_size(),
            cwnd: ByteCount::new(tcb.congestion.cwnd().into()),
            ssthresh: ByteCount::new(tcb.congestion.ssthresh().into()),
            in_flight: ByteCount::new(tcb.snd.flight().into()),
            srtt: tcb.rto.srtt(),
            rto: tcb.rto.current(&self.config),
            timestamps: tcb.timestamps,
            sack: tcb.sack,
        }
    }
}
