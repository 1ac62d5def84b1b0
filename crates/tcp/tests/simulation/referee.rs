//! A second account of TCP, made from the frames alone: what each end may send, given what has reached it.

use std::collections::BTreeMap;
use std::time::Duration;

use wirewright_tcp::Segment;
use wirewright_units::Instant;
use wirewright_wire::{SeqNum, WindowScale};

use crate::app::stream_byte;
use crate::round_trip::RoundTrips;

/// RFC 9293 MUST-40, and the tick of a timer.
const ACK_DELAY_LIMIT: Duration = Duration::from_millis(503);

/// An engine may drop what comes out of order beyond so many stretches.
const STRETCHES_KEPT: usize = 60;

/// A segment whose acknowledgment is older than the largest window ever offered is to be dropped (RFC 5961 §5.2); no
/// window here is smaller.
const OLD_ACK: u64 = 600;

/// Stretches of 64-bit places.
#[derive(Default)]
struct Stretches(BTreeMap<u64, u64>);

impl Stretches {
    fn add(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        while let Some((&s, &e)) = self.0.range(..=end).next_back().filter(|&(_, &e)| e >= start) {
            start = start.min(s);
            end = end.max(e);
            self.0.remove(&s);
        }
        self.0.insert(start, end);
    }

    fn contains(&self, start: u64, end: u64) -> bool {
        self.0.range(..=start).next_back().is_some_and(|(_, &e)| e >= end)
    }

    /// Up to where everything from `start` on is there.
    fn front(&self, start: u64) -> u64 {
        self.0.range(..=start).next_back().map_or(start, |(_, &e)| e.max(start))
    }
}

/// One direction: what the sender has sent, and what has reached the receiver.
#[derive(Default)]
struct Side {
    /// The initial number that the handshake settled on.
    iss: Option<SeqNum>,
    scale: WindowScale,
    offered_scale: Option<u8>,
    syn_options_sack: bool,
    syn_options_timestamps: bool,
    /// Places count from the SYN, which is 0.
    sent_end: u64,
    fin: Option<u64>,
    /// The highest acknowledgment and right edge that this end has sent.
    acked: u64,
    edge: u64,
    /// The highest acknowledgment that has reached this end.
    heard: u64,
    /// The highest right edge that has reached this end.
    allowed: u64,
    /// What has reached the *other* end.
    delivered: Stretches,
    /// The part of it that its engine had no reason to drop.
    kept: Stretches,
    /// The newest timestamp that has reached this end: what carries an older one may be dropped (PAWS).
    newest_stamp: Option<u32>,
    /// Since when this end owes an acknowledgment of this place.
    owes: Option<(u64, Instant)>,
    /// So many stretches have come out of order that its engine may have dropped one.
    may_have_dropped: bool,
    text_frames: u64,
    repeated: u64,
    round_trips: RoundTrips,
    is_over: bool,
}

impl Side {
    /// Notes the timestamp of a segment that has reached this end, and whether it is as new as any.
    fn note_stamp(&mut self, seg: &Segment<'_>) -> bool {
        let Some(stamps) = seg.options.timestamps else { return true };
        let newest = self.newest_stamp.unwrap_or(stamps.value);
        let is_fresh = stamps.value.wrapping_sub(newest) as i32 >= 0;
        self.newest_stamp = Some(if is_fresh { stamps.value } else { newest });
        is_fresh
    }
}

/// Watches both ends.
pub(crate) struct Referee {
    sides: [Side; 2],
    expects_no_repetition: bool,
    pub(crate) saw_reset: bool,
}

impl Referee {
    pub(crate) fn new(expects_no_repetition: bool) -> Self {
        Self { sides: Default::default(), expects_no_repetition, saw_reset: false }
    }

    /// The engine of this end has sent a segment.
    pub(crate) fn on_sent(&mut self, now: Instant, end: usize, seg: &Segment<'_>) {
        if seg.flags.rst() {
            self.saw_reset = true;
            self.sides[end].is_over = true;
            self.sides[end].owes = None;
            return;
        }
        if seg.flags.syn() {
            self.on_syn_sent(end, seg);
        }
        let Some(at) = self.place(end, seg.seq) else { return };
        self.check_text(end, at, seg);
        self.check_window(end, at, seg);
        self.check_ack(now, end, seg);
        self.check_sack(end, seg);
        self.check_timestamps(end, seg);
        let stamp = seg.options.timestamps.map(|stamps| stamps.value);
        self.sides[end].round_trips.on_sent(now, at, at + u64::from(seg.len().get()), stamp);
    }

    /// The engine of this end has taken a segment, which acknowledges what lies in front of `una`; with its average of the
    /// round trips before and after.
    pub(crate) fn on_taken(
        &mut self,
        now: Instant,
        end: usize,
        seg: &Segment<'_>,
        una: SeqNum,
        srtt: [Option<Duration>; 2],
    ) {
        let Some(una) = self.place(end, una) else { return };
        let echo = seg.options.timestamps.map(|stamps| stamps.echo);
        if let Err(why) = self.sides[end].round_trips.on_average(now, srtt, una, echo) {
            panic!("end {end} measured a round trip that none of its segments made: {why}");
        }
    }

    /// A segment, undamaged, has reached this end.
    pub(crate) fn on_delivered(&mut self, now: Instant, end: usize, seg: &Segment<'_>) {
        let from = 1 - end;
        if seg.flags.rst() {
            self.sides[end].owes = None;
            self.sides[end].is_over = true;
            return;
        }
        let Some(at) = self.place(from, seg.seq) else { return };
        let mut has_old_ack = false;
        if seg.flags.ack()
            && !seg.flags.syn()
            && let Some(ack) = self.place(end, seg.ack)
        {
            let window = u64::from((seg.wnd << self.scale_of(from)).get());
            let side = &mut self.sides[end];
            side.allowed = side.allowed.max(ack + window);
            side.heard = side.heard.max(ack);
            has_old_ack = ack + OLD_ACK < side.heard;
        } else if seg.flags.syn() {
            let side = &mut self.sides[end];
            side.allowed = side.allowed.max(1 + u64::from(seg.wnd.to_raw()));
        }
        let text_at = at + u64::from(seg.flags.syn());
        let text_end = text_at + seg.text.len() as u64;
        let receiver_edge = self.sides[end].edge;
        let is_fresh = self.sides[end].note_stamp(seg) && !has_old_ack;
        let sender = &mut self.sides[from];
        if seg.flags.syn() {
            sender.delivered.add(0, 1);
        }
        sender.kept.add(0, 1);
        let before = sender.kept.front(0);
        // What lay beyond the window may have been thrown away, and SYNs' text may be.
        if !seg.flags.syn() && receiver_edge > 0 {
            let fin = seg.flags.fin() && text_end < receiver_edge;
            let end = text_end.min(receiver_edge) + u64::from(fin);
            sender.delivered.add(text_at, end);
            if is_fresh {
                sender.kept.add(text_at, end);
            }
        }
        let after = sender.kept.front(0);
        let stretches = sender.kept.0.len();
        self.sides[end].may_have_dropped |= stretches > STRETCHES_KEPT;
        if after > before && after > 1 && !self.sides[end].may_have_dropped && !self.sides[end].is_over {
            self.sides[end].owes.get_or_insert((after, now));
        }
    }

    /// Nothing is owed for too long.
    pub(crate) fn check_time(&self, now: Instant) {
        for (end, side) in self.sides.iter().enumerate() {
            if let Some((place, since)) = side.owes {
                assert!(
                    side.is_over || now.since(since) <= ACK_DELAY_LIMIT,
                    "end {end} has not acknowledged {place} since {since:?}"
                );
            }
        }
    }

    /// A connection of this end is over: nothing more is owed.
    pub(crate) fn on_over(&mut self, end: usize) {
        self.sides[end].is_over = true;
    }

    fn on_syn_sent(&mut self, end: usize, seg: &Segment<'_>) {
        let peer_offers_scale = self.sides[1 - end].offered_scale.is_some();
        let side = &mut self.sides[end];
        if side.iss != Some(seg.seq) {
            // A listener may answer a second SYN with other numbers, as long as nothing was agreed on.
            assert!(side.sent_end <= 1 || side.is_over, "end {end} changed its initial number");
            *side = Side { iss: Some(seg.seq), ..Side::default() };
        }
        side.offered_scale = seg.options.window_scale;
        side.syn_options_sack = seg.options.sack_permitted;
        side.syn_options_timestamps = seg.options.timestamps.is_some();
        side.sent_end = side.sent_end.max(1);
        side.edge = side.edge.max(1 + u64::from(seg.wnd.to_raw()));
        side.scale = WindowScale::clamped(side.offered_scale.unwrap_or(0));
        assert!(seg.options.mss.is_some(), "end {end} sent a SYN without MSS");
        assert!(!seg.flags.fin() && seg.text.is_empty(), "end {end} sent a SYN with more");
        if seg.flags.ack() && side.offered_scale.is_some() {
            assert!(peer_offers_scale, "end {end} scales though the peer does not");
        }
    }

    fn check_text(&mut self, end: usize, at: u64, seg: &Segment<'_>) {
        let expects_no_repetition = self.expects_no_repetition;
        let side = &mut self.sides[end];
        let text_at = at + u64::from(seg.flags.syn());
        for (at, &byte) in (text_at..).zip(seg.text) {
            assert!(at > 0, "end {end} sent text in front of its first byte");
            assert_eq!(byte, stream_byte(end, at - 1), "end {end} sent a wrong byte at {at}");
        }
        let text_end = text_at + seg.text.len() as u64;
        if let Some(fin) = side.fin {
            assert!(text_end <= fin || seg.text.is_empty(), "end {end} sent text behind its FIN");
        }
        if seg.flags.fin() {
            assert!(side.fin.is_none_or(|fin| fin == text_end), "end {end} moved its FIN");
            assert!(text_end >= side.sent_end - u64::from(side.fin.is_some()), "end {end} sent a FIN before its text");
            side.fin = Some(text_end);
        }
        if !seg.text.is_empty() {
            side.text_frames += 1;
            // One octet at the edge is a window probe.
            if text_at < side.sent_end && seg.text.len() > 1 {
                side.repeated += 1;
                // (A probe's octet is repeated with what follows it.)
                let is_after_probe = text_at + 1 == side.sent_end;
                assert!(
                    !expects_no_repetition || is_after_probe || text_at + 1 >= side.allowed.min(side.sent_end),
                    "end {end} repeated {text_at}..{text_end} on a perfect wire"
                );
            }
        }
        side.sent_end = side.sent_end.max(text_end + u64::from(seg.flags.fin()));
    }

    /// Nothing beyond the peer's window, but one octet to probe it; no acknowledgment withdrawn, no edge moved left.
    fn check_window(&mut self, end: usize, at: u64, seg: &Segment<'_>) {
        let side = &mut self.sides[end];
        let seg_end = at + u64::from(seg.len().get());
        if !seg.flags.syn() && !seg.is_empty() {
            assert!(seg_end <= side.allowed + 1, "end {end} sent {seg_end}, the window ends at {}", side.allowed);
        }
    }

    fn check_ack(&mut self, now: Instant, end: usize, seg: &Segment<'_>) {
        let _ = now;
        if !seg.flags.ack() {
            assert!(seg.flags.syn(), "end {end} sent a segment without ACK");
            return;
        }
        let Some(ack) = self.place(1 - end, seg.ack) else { return };
        let front = self.sides[1 - end].delivered.front(0);
        assert!(ack <= front.max(1), "end {end} acknowledged {ack}, only {front} has reached it");
        let scale = if seg.flags.syn() { WindowScale::ZERO } else { self.scale_of(end) };
        let side = &mut self.sides[end];
        assert!(ack >= side.acked, "end {end} withdrew its acknowledgment {} to {ack}", side.acked);
        side.acked = ack;
        let edge = ack + u64::from((seg.wnd << scale).get());
        assert!(edge >= side.edge || seg.flags.syn(), "end {end} moved its edge from {} to {edge}", side.edge);
        side.edge = side.edge.max(edge);
        if side.owes.is_some_and(|(place, _)| ack >= place) {
            side.owes = None;
        }
    }

    fn check_sack(&mut self, end: usize, seg: &Segment<'_>) {
        for block in &seg.options.sack {
            let (Some(left), Some(right)) = (self.place(1 - end, block.left), self.place(1 - end, block.right)) else {
                continue;
            };
            assert!(self.sides[1 - end].syn_options_sack, "end {end} sent SACK though the peer does not know it");
            assert!(
                left < right && self.sides[1 - end].delivered.contains(left, right),
                "end {end} selectively acknowledged {left}..{right}, which has not reached it"
            );
        }
    }

    fn check_timestamps(&self, end: usize, seg: &Segment<'_>) {
        let agreed = self.sides.iter().all(|side| side.syn_options_timestamps);
        if agreed && !seg.flags.syn() {
            assert!(seg.options.timestamps.is_some(), "end {end} forgot its timestamps");
        }
    }

    /// The scale of the windows that this end sends.
    fn scale_of(&self, end: usize) -> WindowScale {
        let both = self.sides.iter().all(|side| side.offered_scale.is_some());
        if both { self.sides[end].scale } else { WindowScale::ZERO }
    }

    /// A place in the stream of this end, counted from its SYN; `None` for what lies before it.
    fn place(&self, end: usize, seq: SeqNum) -> Option<u64> {
        let side = &self.sides[end];
        let near = side.sent_end.max(1) - 1;
        let here = side.iss?.to_raw().wrapping_add(near as u32);
        near.checked_add_signed(i64::from(seq.offset_from(SeqNum::new(here))))
    }
}
