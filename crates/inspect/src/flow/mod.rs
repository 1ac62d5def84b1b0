//! Frames to TCP conversations: numbers counted from the initial ones, what came again or out of order, the states.
//!
//! In: frames in the order in which they were seen, each with its time and the view (interface) that saw it.
//! Out: [`Flow`]s: two ends, their [`Segment`]s with relative numbers, [`Mark`]s and the state on both sides.
//! Above: render's ladder, cli. Below: the dissection of a frame, wire's TCP header.
//! Not here: opinions on what is wrong (findings), how any of it looks (render), the engine (tcp).
//!
//! All of it is what an onlooker can say: a segment counts as arrived when it was seen.

mod coverage;
mod marks;
mod segment;
mod side;
mod state;

#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::SocketAddr;

use wirewright_units::UnixTime;

use crate::First;
use side::Side;

pub use marks::Mark;
pub use segment::{Options, Segment, Way};
pub use wirewright_wire::tcp::State;

/// The most conversations that are told apart: a capture of a scan has one a port.
pub const FLOWS_MAX: usize = 65_536;

/// The most segments that are kept of all conversations together: some 200 MB of memory.
pub const SEGMENTS_MAX: usize = 1 << 20;

/// A frame as it was seen.
#[derive(Clone, Copy, Debug)]
pub struct SeenFrame<'a> {
    /// Its number in the capture.
    pub number: u64,
    /// Who saw it: frames of different views are different conversations.
    pub view: usize,
    /// When.
    pub at: UnixTime,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What they begin with.
    pub first: First,
}

/// The conversations of some frames.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    flows: Vec<Flow>,
    /// The newest conversation of two ends.
    newest: BTreeMap<Key, usize>,
    segments: usize,
    left_out: u64,
}

/// A view and two ends, the lesser first.
type Key = (usize, SocketAddr, SocketAddr);

/// One conversation.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Who saw it.
    pub view: usize,
    /// The end that opened it: that sent the SYN, or else the first segment that was seen.
    pub left: SocketAddr,
    /// The other end.
    pub right: SocketAddr,
    /// Its segments in the order in which they were seen.
    pub segments: Vec<Segment>,
    sides: [Side; 2],
}

impl Flows {
    /// No conversation yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a frame; true if it holds a TCP segment that was kept.
    pub fn add(&mut self, frame: &SeenFrame<'_>) -> bool {
        self.take(frame).is_some()
    }

    /// Takes a frame of a conversation that goes on: its flow, whose last segment it is, if it holds one. Of those before it
    /// only the handshake's are kept.
    pub fn follow(&mut self, frame: &SeenFrame<'_>) -> Option<&Flow> {
        let index = self.take(frame)?;
        let flow = &mut self.flows[index];
        if flow.segments.len() > HANDSHAKE_SEGMENTS + 1 {
            flow.segments.remove(HANDSHAKE_SEGMENTS);
            self.segments -= 1;
        }
        Some(flow)
    }

    fn take(&mut self, frame: &SeenFrame<'_>) -> Option<usize> {
        let (found, ends) = segment::read(frame)?;
        let Some(index) = self.flow_for(frame.view, ends, &found) else {
            self.left_out += 1;
            return None;
        };
        self.segments += 1;
        self.flows[index].add(found, ends.0);
        Some(index)
    }

    /// The conversations, in the order of their first segments.
    #[must_use]
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// How many segments were left out because of [`FLOWS_MAX`] and [`SEGMENTS_MAX`].
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The conversation to which a segment belongs, a new one where it begins one.
    fn flow_for(&mut self, view: usize, (from, to): (SocketAddr, SocketAddr), found: &Segment) -> Option<usize> {
        if self.segments >= SEGMENTS_MAX {
            return None;
        }
        let key = (view, from.min(to), from.max(to));
        if let Some(&index) = self.newest.get(&key)
            && !self.flows[index].is_over_for(found, from)
        {
            return Some(index);
        }
        if self.flows.len() >= FLOWS_MAX {
            return None;
        }
        // Who answers a SYN that was not seen did not open it.
        let (left, right) = if found.flags.syn() && found.flags.ack() { (to, from) } else { (from, to) };
        self.newest.insert(key, self.flows.len());
        self.flows.push(Flow { view, left, right, segments: Vec::new(), sides: [Side::default(), Side::default()] });
        Some(self.flows.len() - 1)
    }
}

impl Flow {
    /// Whether the initial sequence numbers were seen, so that relative numbers count from them: of the left end and of
    /// the right one.
    #[must_use]
    pub fn begins(&self) -> [bool; 2] {
        [self.sides[0].syn_seen, self.sides[1].syn_seen]
    }

    /// The states of both ends after the last segment.
    #[must_use]
    pub fn states(&self) -> [State; 2] {
        [self.sides[0].state, self.sides[1].state]
    }

    /// A SYN with another initial number is another conversation between the same ends.
    fn is_over_for(&self, found: &Segment, from: SocketAddr) -> bool {
        let side = &self.sides[usize::from(from != self.left)];
        found.flags.syn() && !found.flags.ack() && !found.flags.rst() && side.base.is_some_and(|base| base != found.seq)
    }

    fn add(&mut self, mut found: Segment, from: SocketAddr) {
        let (own, other) = if from == self.left { (0, 1) } else { (1, 0) };
        found.way = if own == 0 { Way::Right } else { Way::Left };
        let round_trip = self.handshake_time();
        let [left, right] = &mut self.sides;
        let (sender, receiver) = if own == 0 { (left, right) } else { (right, left) };
        sender.number(&found);
        if let (true, None) = (found.flags.ack(), receiver.base) {
            receiver.base = Some(found.ack - wirewright_wire::SeqLen::ONE);
        }
        found.relative(sender, receiver);
        found.window = sender.window_of(&found, receiver);
        if found.marks.is_empty() {
            found.marks = marks::judge(&found, sender, receiver, round_trip);
            let seen_before = sender.covers(&found);
            sender.sent(&found);
            state::step(&found, seen_before, sender, receiver);
            receiver.heard(&found);
        }
        found.states[own] = sender.state;
        found.states[other] = receiver.state;
        self.segments.push(found);
    }

    /// From the SYN to its acknowledgment: about a round trip, seen from the left end.
    fn handshake_time(&self) -> Option<core::time::Duration> {
        let syn = self.segments.iter().take(HANDSHAKE_SEGMENTS).find(|s| s.flags.syn() && s.way == Way::Right)?;
        let mut rest = self.segments.iter().take(HANDSHAKE_SEGMENTS);
        let done = rest.find(|s| s.way == Way::Right && s.flags.ack() && !s.flags.syn() && !s.flags.rst())?;
        Some(done.at.since(syn.at))
    }
}

/// Where the handshake is looked for.
const HANDSHAKE_SEGMENTS: usize = 8;
