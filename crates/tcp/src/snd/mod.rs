//! The send sequence space: SND.UNA, SND.NXT, SND.WND and what waits to be sent.
//!
//! In: writes, acknowledgments, windows.
//! Out: what stands at each place of the stream.
//! Above: `transmit`, `segment_arrives`, `user_calls`. Below: nothing.
//! Not here: when something is sent (`transmit`), what is lost (`recovery`).

mod buffer;

use wirewright_wire::{SeqNum, Window, WindowScale};

pub(crate) use buffer::{SendBuffer, move_ring, ring_index};

use crate::position::Pos;

/// RFC 9293 §3.3.1: the send sequence variables.
///
/// ```text
///          una            rxt            nxt         end
/// ----------|--------------|--------------|-----------|
///  acked      sent once     to send again   not sent
/// ```
///
/// `rxt` equals `nxt` but after a retransmission time-out, which sets it back to `una`.
#[derive(Debug)]
pub(crate) struct Snd {
    /// SND.UNA: the oldest place not acknowledged.
    pub(crate) una: Pos,
    /// SND.NXT: behind all that was ever sent.
    pub(crate) nxt: Pos,
    /// The next place to send, or to send again.
    pub(crate) rxt: Pos,
    /// SND.UP: behind the last urgent octet, or none.
    pub(crate) up: Pos,
    /// SND.WND.
    pub(crate) wnd: Window,
    /// MAX.SND.WND of RFC 5961.
    pub(crate) wnd_max: Window,
    /// SND.WL1 and SND.WL2: the segment that last changed the window.
    pub(crate) wl1: SeqNum,
    pub(crate) wl2: SeqNum,
    /// SendMSS: the most text a segment may carry, options not yet taken off.
    pub(crate) mss: u16,
    pub(crate) scale: WindowScale,
    /// A FIN stands behind the buffer.
    pub(crate) fin: bool,
    pub(crate) buffer: SendBuffer,
}

impl Snd {
    pub(crate) fn new(iss: SeqNum, mss: u16, limit: u32) -> Self {
        let first = Pos::first(iss);
        Self {
            una: first,
            nxt: first,
            rxt: first,
            up: Pos::NONE,
            wnd: Window::ZERO,
            wnd_max: Window::ZERO,
            wl1: SeqNum::default(),
            wl2: iss,
            mss,
            scale: WindowScale::ZERO,
            fin: false,
            buffer: SendBuffer::new(first.plus(1), limit),
        }
    }

    /// What is sent and not acknowledged.
    pub(crate) const fn flight(&self) -> u32 {
        self.nxt.steps_since(self.una)
    }

    /// Behind the last octet or FIN that the user has asked to send.
    pub(crate) const fn end(&self) -> Pos {
        self.buffer.end().plus(self.fin as u64)
    }

    /// Whether anything waits for an acknowledgment or for being sent.
    pub(crate) fn has_unfinished(&self) -> bool {
        self.una < self.end()
    }

    /// Whether the FIN was sent and acknowledged.
    pub(crate) fn is_fin_acked(&self) -> bool {
        self.fin && self.una > self.buffer.end()
    }

    /// The right edge of the peer's window.
    pub(crate) const fn edge(&self) -> Pos {
        self.una.plus(self.wnd.get() as u64)
    }

    /// Where a segment without text stands: SND.NXT, unless that lies beyond the peer's window, as it does when a probe
    /// was not taken or the window shrank. There the peer would refuse it, and the acknowledgment in it with it. (Linux's
    /// `tcp_acceptable_seq` does the same.)
    pub(crate) fn acceptable(&self) -> Pos {
        self.nxt.min(self.edge())
    }

    pub(crate) fn set_window(&mut self, wnd: Window, seq: SeqNum, ack: SeqNum) {
        self.wnd = wnd;
        self.wnd_max = self.wnd_max.max(wnd);
        self.wl1 = seq;
        self.wl2 = ack;
    }

    /// Everything before `ack` arrived.
    pub(crate) fn on_ack(&mut self, ack: Pos) {
        self.una = ack;
        self.rxt = self.rxt.max(ack);
        self.buffer.release(ack);
        if self.up <= ack {
            self.up = Pos::NONE;
        }
    }

    pub(crate) fn check_invariants(&self) {
        assert!(
            self.una <= self.rxt && self.rxt <= self.nxt,
            "una {:?} rxt {:?} nxt {:?}",
            self.una,
            self.rxt,
            self.nxt
        );
        assert!(self.nxt <= self.end().max(self.buffer.start()), "sent what was not written");
        assert!(self.una <= self.buffer.start().max(self.end()), "acknowledged what was not written");
        self.buffer.check_invariants();
    }
}
