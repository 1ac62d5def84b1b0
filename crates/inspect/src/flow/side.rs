//! One end of a conversation, as far as its segments tell.

use wirewright_units::UnixTime;
use wirewright_wire::{SeqLen, SeqNum, WindowField, WindowScale};

use super::coverage::{Coverage, Fit};
use super::{Segment, State};

/// Stream positions begin here, so that what precedes the first number seen has one too.
const ORIGIN: u64 = 1 << 32;

/// What is known of one end.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// What its numbers count from: its SYN's, or one before the first that was seen.
    pub base: Option<SeqNum>,
    /// Its SYN was seen.
    pub syn_seen: bool,
    /// The scale that its SYN offered; `None` where it offered none.
    pub scale: Option<WindowScale>,
    pub state: State,
    seen: Coverage,
    /// When the highest of its bytes was seen.
    pub highest_at: UnixTime,
    /// The position behind its FIN.
    fin_end: Option<u64>,
    /// The highest acknowledgment that it got, as a position of its stream.
    acked: Option<u64>,
    /// What it said last: acknowledgment and window field.
    pub last: Option<(SeqNum, WindowField)>,
    /// How many acknowledgments in a row have told the other end the same.
    pub duplicates: u32,
}

impl Side {
    /// Begins to count at the first segment; a SYN says from where.
    pub(super) fn number(&mut self, segment: &Segment) {
        if segment.flags.syn() && !self.syn_seen && !segment.flags.rst() {
            self.base = Some(segment.seq);
            self.syn_seen = true;
            self.scale = segment.options.window_scale.map(WindowScale::clamped);
        }
        if self.base.is_none() {
            self.base = Some(segment.seq - SeqLen::ONE);
        }
    }

    /// The window that a segment offers, in bytes, where that is known.
    pub(super) fn window_of(&self, segment: &Segment, other: &Self) -> Option<u32> {
        let field = u32::from(segment.window_field.to_raw());
        // RFC 7323 §2.2: never scaled in a SYN, and else only if both SYNs had the option.
        if segment.flags.syn() {
            return Some(field);
        }
        match (self.syn_seen && other.syn_seen, self.scale, other.scale) {
            (true, Some(own), Some(_)) => Some(field << own.get()),
            (true, ..) => Some(field),
            _ => None,
        }
    }

    /// The position of a number: the one nearest to the highest seen.
    fn position(&self, number: SeqNum) -> u64 {
        let base = self.base.unwrap_or(number);
        let Some(highest) = self.seen.end() else { return ORIGIN + u64::from(number.since(base).get()) };
        // The low 32 bits of a position less the origin are the number less the base.
        let highest_number = base + SeqLen::new((highest - ORIGIN) as u32);
        let offset = i64::from(number.offset_from(highest_number));
        highest.saturating_add_signed(offset)
    }

    fn range(&self, segment: &Segment) -> (u64, u64) {
        let start = self.position(segment.seq);
        (start, start + u64::from(segment.seq_len()))
    }

    /// How the numbers of a segment lie to what was seen.
    pub(super) fn fit(&self, segment: &Segment) -> Fit {
        let (start, end) = self.range(segment);
        self.seen.fit(start, end)
    }

    /// How far before (negative) or behind the next number a segment begins.
    pub(super) fn ahead(&self, segment: &Segment) -> Option<i64> {
        let start = self.position(segment.seq);
        self.seen.end().map(|end| start.cast_signed() - end.cast_signed())
    }

    /// All of a segment that moves numbers on was seen before.
    pub(super) fn covers(&self, segment: &Segment) -> bool {
        segment.seq_len() > 0 && self.fit(segment) == Fit::Again
    }

    /// Whether it has sent bytes that are not acknowledged.
    pub(super) fn has_outstanding(&self) -> bool {
        self.seen.end() > self.acked
    }

    /// Whether `ack` acknowledges what it was not seen to send.
    pub(super) fn acks_unseen(&self, ack: SeqNum) -> bool {
        self.seen.end().is_some_and(|end| self.position(ack) > end)
    }

    /// Its FIN was acknowledged.
    pub(super) fn fin_is_acked(&self) -> bool {
        self.fin_end.is_some_and(|end| self.acked >= Some(end))
    }

    /// Its SYN was acknowledged.
    pub(super) fn syn_is_acked(&self) -> bool {
        self.syn_seen && self.acked > Some(ORIGIN)
    }

    /// Its FIN was seen, and all before it.
    pub(super) fn has_closed(&self) -> bool {
        self.fin_end.is_some() && self.seen.is_whole()
    }

    /// It has sent a segment.
    pub(super) fn sent(&mut self, segment: &Segment) {
        let (start, end) = self.range(segment);
        if end > start && !segment.flags.rst() {
            if self.seen.end().is_none_or(|highest| end > highest) {
                self.highest_at = segment.at;
            }
            self.seen.add(start, end);
            if segment.flags.fin() {
                self.fin_end = self.fin_end.or(Some(end));
            }
        } else if self.seen.end().is_none() && !segment.flags.rst() {
            // An empty segment tells where the next byte will stand.
            self.seen.add(start, start);
        }
        if segment.flags.ack() {
            self.last = Some((segment.ack, segment.window_field));
        }
    }

    /// It has heard a segment of the other end.
    pub(super) fn heard(&mut self, segment: &Segment) {
        if segment.flags.ack() {
            let position = self.position(segment.ack);
            self.acked = self.acked.max(Some(position));
        }
    }
}
