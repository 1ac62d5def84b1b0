//! The receive sequence space: RCV.NXT, RCV.WND and what arrived.
//!
//! In: the text of segments, reads.
//! Out: bytes in order, SACK blocks, the window to offer, when to acknowledge.
//! Above: `segment_arrives`, `transmit`, `user_calls`. Below: nothing.
//! Not here: whether a segment is acceptable (`segment_arrives::check_sequence`).

mod buffer;
mod delayed_ack;
mod out_of_order;
mod window;

use wirewright_wire::{SeqNum, Window, WindowField, WindowScale};

pub(crate) use buffer::ReceiveBuffer;
pub(crate) use delayed_ack::DelayedAck;

use crate::position::Pos;
use crate::ticks::Tick;

/// RFC 9293 §3.3.1: the receive sequence variables. RCV.WND is `edge − nxt`.
///
/// ```text
///        read            nxt                  edge
/// --------|---------------|--------------------|------
///   read    to be read      may come, perhaps
///                           with holes
/// ```
#[derive(Debug)]
pub(crate) struct Rcv {
    /// RCV.NXT: the next place expected.
    pub(crate) nxt: Pos,
    /// The right edge of the window as it was last offered. It never moves left (SHLD-14).
    pub(crate) edge: Pos,
    /// RCV.UP: behind the last urgent octet, or none.
    pub(crate) up: Pos,
    /// Last.ACK.sent of RFC 7323.
    pub(crate) acked: Pos,
    /// Where a FIN stands that came before the text in front of it, or none.
    pub(crate) fin: Pos,
    /// TS.Recent, and when it was noted.
    pub(crate) ts_recent: u32,
    pub(crate) ts_recent_at: Tick,
    pub(crate) scale: WindowScale,
    pub(crate) delayed_ack: DelayedAck,
    pub(crate) buffer: ReceiveBuffer,
}

impl Rcv {
    /// Nothing is known of the peer yet.
    pub(crate) fn unsynchronized(limit: u32) -> Self {
        Self::synchronized(SeqNum::default(), limit)
    }

    /// The peer's SYN has this number.
    pub(crate) fn synchronized(irs: SeqNum, limit: u32) -> Self {
        let nxt = Pos::first(irs).plus(1);
        Self {
            nxt,
            edge: nxt.plus(u64::from(Self::window_of_syn(limit).to_raw())),
            up: Pos::NONE,
            acked: nxt,
            fin: Pos::NONE,
            ts_recent: 0,
            ts_recent_at: Tick::default(),
            scale: WindowScale::ZERO,
            delayed_ack: DelayedAck::default(),
            buffer: ReceiveBuffer::new(nxt, limit),
        }
    }

    /// RFC 7323 §2.2: the window of a SYN is not scaled.
    pub(crate) fn window_of_syn(limit: u32) -> WindowField {
        Window::clamped(limit) >> WindowScale::ZERO
    }

    /// RCV.WND.
    pub(crate) const fn wnd(&self) -> u32 {
        self.edge.steps_since(self.nxt)
    }

    pub(crate) fn check_invariants(&self) {
        assert!(self.nxt <= self.edge.plus(1), "received beyond the window");
        assert!(self.acked <= self.nxt, "acknowledged what has not come");
        assert!(self.fin.is_none() || self.fin.plus(1) >= self.nxt, "text was taken behind a FIN");
        self.buffer.check_invariants(self.nxt, self.edge);
    }
}
