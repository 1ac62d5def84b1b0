//! RFC 9293 §3.8.6.3, RFC 5681 §4.2: an acknowledgment may wait, but not long and not for much.

/// What has arrived since the last acknowledgment went out.
///
/// **Units**: bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DelayedAck {
    unacked: u32,
    /// The largest segment seen: what "full-sized" means on this path.
    full_size: u16,
    /// Segments acknowledged at once, at the start, so that the peer's slow start is not held up.
    quick: u8,
}

/// So many of the first segments are acknowledged at once; Linux does so for its first sixteen.
const QUICK_MAX: u8 = 16;

impl DelayedAck {
    /// `text_len` bytes came in order, in segments of `segment_size`. Returns whether to acknowledge now: RFC 9293
    /// SHLD-19 asks for it at least every second full-sized segment.
    pub(crate) fn on_text(&mut self, text_len: u32, segment_size: u16) -> bool {
        self.full_size = self.full_size.max(segment_size);
        self.unacked = self.unacked.saturating_add(text_len);
        if self.quick < QUICK_MAX {
            self.quick += 1;
            return true;
        }
        self.unacked > u32::from(self.full_size)
    }

    /// An acknowledgment went out.
    pub(crate) const fn on_acked(&mut self) {
        self.unacked = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_start_every_second_full_segment_is_acknowledged() {
        let mut delayed = DelayedAck { quick: QUICK_MAX, ..DelayedAck::default() };
        assert!(!delayed.on_text(1000, 1000));
        assert!(delayed.on_text(1000, 1000));
        delayed.on_acked();
        assert!(!delayed.on_text(10, 10));
        assert!(!delayed.on_text(10, 10), "small segments may wait for the timer");
        assert!(delayed.on_text(1000, 1000));
    }

    #[test]
    fn a_super_segment_is_acknowledged_at_once() {
        let mut delayed = DelayedAck { quick: QUICK_MAX, ..DelayedAck::default() };
        assert!(delayed.on_text(64_000, 1448));
    }
}
