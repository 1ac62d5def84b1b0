//! RFC 9293 §3.8.6.2.2: the window we offer, without the silly window syndrome.

use wirewright_wire::{Window, WindowField};

use super::Rcv;
use crate::position::Pos;

impl Rcv {
    /// Moves the right edge as far as the receiver's rule allows, and returns the header's field for it.
    ///
    /// `mss`: the largest segment that we take.
    pub(crate) fn offer(&mut self, mss: u16) -> WindowField {
        let target = self.target();
        if target.since(self.edge) >= self.least_step(mss) || target.since(self.nxt) >= self.buffer.limit().into() {
            self.edge = self.edge.max(target);
        }
        let field = self.field();
        // The field rounds up: what it says is what the peer may send, and the ring has room for it.
        self.edge = self.edge.max(self.nxt.plus((field << self.scale).get().into()));
        field
    }

    /// Whether so much was read that the peer should hear of it at once.
    ///
    /// When it is blocked, as soon as the rule allows; otherwise when half of the buffer has become free.
    pub(crate) fn is_update_due(&self, mss: u16) -> bool {
        let step = self.target().since(self.edge);
        let is_blocked = self.wnd() < mss.into();
        (is_blocked && step >= self.least_step(mss)) || (step > 0 && step >= u64::from(self.buffer.limit() / 2))
    }

    /// The right edge that the buffer has room for, as far as a header can say it.
    fn target(&self) -> Pos {
        let sayable = WindowField::new(u16::MAX) << self.scale;
        let room = self.buffer.read_at().plus(self.buffer.limit().into());
        room.min(self.nxt.plus(sayable.get().into()))
    }

    /// Fr·RCV.BUFF or a segment: the least step by which the edge moves.
    fn least_step(&self, mss: u16) -> u64 {
        u64::from((self.buffer.limit() / 2).min(mss.into())).max(1)
    }

    /// RCV.WND for a header, rounded up so that the edge does not move left.
    fn field(&self) -> WindowField {
        let unit = (1u32 << self.scale.get()) - 1;
        Window::clamped(self.wnd().saturating_add(unit)) >> self.scale
    }
}

#[cfg(test)]
mod tests {
    use wirewright_wire::{SeqNum, WindowScale};

    use super::*;

    fn receiver(limit: u32) -> Rcv {
        Rcv::synchronized(SeqNum::new(u32::MAX - 10), limit)
    }

    fn arrive(rcv: &mut Rcv, len: usize) {
        let text = [7; 4000];
        let inserted = rcv.buffer.insert(rcv.nxt, rcv.nxt, &text[..len]);
        rcv.nxt = inserted.nxt;
    }

    #[test]
    fn a_full_buffer_closes_the_window_and_small_reads_do_not_open_it() {
        let mut rcv = receiver(4000);
        arrive(&mut rcv, 4000);
        assert_eq!(rcv.offer(1000).to_raw(), 0);
        rcv.buffer.consume(999, rcv.nxt);
        assert!(!rcv.is_update_due(1000));
        assert_eq!(rcv.offer(1000).to_raw(), 0);
        rcv.buffer.consume(1, rcv.nxt);
        assert!(rcv.is_update_due(1000));
        assert_eq!(rcv.offer(1000).to_raw(), 1000);
        assert!(!rcv.is_update_due(1000));
    }

    #[test]
    fn half_a_small_buffer_is_enough_to_open_it() {
        let mut rcv = receiver(600);
        arrive(&mut rcv, 600);
        assert_eq!(rcv.offer(1460).to_raw(), 0);
        rcv.buffer.consume(300, rcv.nxt);
        assert!(rcv.is_update_due(1460));
        assert_eq!(rcv.offer(1460).to_raw(), 300);
    }

    #[test]
    fn the_edge_never_moves_left_whatever_the_scale_rounds() {
        for shift in [0, 3, 7, 14] {
            let mut rcv = receiver(100_000);
            rcv.scale = WindowScale::clamped(shift);
            let mut edge = rcv.edge;
            for step in 0..300 {
                let room = rcv.wnd() as usize;
                arrive(&mut rcv, (step * 61 % 997).min(room));
                let field = rcv.offer(1460);
                assert_eq!(rcv.nxt.plus((field << rcv.scale).get().into()), rcv.edge.max(rcv.nxt));
                assert!(rcv.edge >= edge);
                edge = rcv.edge;
                rcv.buffer.consume((step * 31 % 499) as u32, rcv.nxt);
                rcv.check_invariants();
            }
        }
    }
}
