//! Nodes joined by paths, and the virtual clock.

use wirewright_units::Instant;

use crate::{Dice, Faults, Path};

/// A node of a [`Network`]: a number given out by [`Network::add_node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

/// A frame that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When.
    pub at: Instant,
    /// Where it was sent.
    pub from: NodeId,
    /// Where it arrived.
    pub to: NodeId,
    /// The bytes.
    pub frame: Vec<u8>,
}

/// Nodes joined by paths, with a virtual clock that only [`Network::next_delivery`] and [`Network::advance_to`] move.
#[derive(Clone, Debug)]
pub struct Network {
    now: Instant,
    nodes: usize,
    /// In the order in which they were joined: of two frames due at one moment the earlier wire's comes first.
    wires: Vec<Wire>,
    seeds: Dice,
}

#[derive(Clone, Debug)]
struct Wire {
    from: NodeId,
    to: NodeId,
    path: Path,
}

impl Network {
    /// An empty network; every path gets a seed of its own from this one.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { now: Instant::ORIGIN, nodes: 0, wires: Vec::new(), seeds: Dice::new(seed) }
    }

    /// A new node.
    pub fn add_node(&mut self) -> NodeId {
        self.nodes += 1;
        NodeId(self.nodes - 1)
    }

    /// Joins two nodes in both directions, with these faults each way. A second call changes the faults.
    pub fn join(&mut self, a: NodeId, b: NodeId, there: Faults, back: Faults) {
        for (from, to, faults) in [(a, b, there), (b, a, back)] {
            match self.path_mut(from, to) {
                Some(path) => path.set_faults(faults),
                None => {
                    let path = Path::new(faults, self.seeds.bits());
                    self.wires.push(Wire { from, to, path });
                }
            }
        }
    }

    /// Sends a frame from one node to another; false when no wire joins them.
    pub fn send(&mut self, from: NodeId, to: NodeId, frame: Vec<u8>) -> bool {
        let now = self.now;
        let Some(path) = self.path_mut(from, to) else {
            return false;
        };
        path.push(now, frame);
        true
    }

    /// Moves the clock to the next arrival and returns it, unless that lies behind `limit`: then the clock goes to
    /// `limit` and nothing is returned.
    pub fn next_delivery(&mut self, limit: Instant) -> Option<Delivery> {
        let due = self.next_at().filter(|&at| at <= limit);
        self.advance_to(due.unwrap_or(limit));
        let at = due?;
        let wire = self.wires.iter_mut().find(|wire| wire.path.next_at() == Some(at))?;
        let frame = wire.path.pop(at)?;
        Some(Delivery { at: self.now, from: wire.from, to: wire.to, frame })
    }

    /// When the next frame arrives.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.wires.iter().filter_map(|wire| wire.path.next_at()).min()
    }

    /// Moves the clock forward; a time that has passed leaves it where it is.
    pub fn advance_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The path from one node to another.
    #[must_use]
    pub fn path(&self, from: NodeId, to: NodeId) -> Option<&Path> {
        self.wires.iter().find(|wire| wire.from == from && wire.to == to).map(|wire| &wire.path)
    }

    /// The path from one node to another, to change its faults.
    pub fn path_mut(&mut self, from: NodeId, to: NodeId) -> Option<&mut Path> {
        self.wires.iter_mut().find(|wire| wire.from == from && wire.to == to).map(|wire| &mut wire.path)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn frames_arrive_in_the_order_of_time_and_move_the_clock() {
        let mut net = Network::new(1);
        let (a, b, c) = (net.add_node(), net.add_node(), net.add_node());
        let slow = Faults { delay: Duration::from_millis(20), ..Faults::NONE };
        let fast = Faults { delay: Duration::from_millis(5), ..Faults::NONE };
        net.join(a, b, slow, fast);
        net.join(b, c, fast, fast);
        assert!(net.send(a, b, vec![1]) && net.send(b, c, vec![2]) && !net.send(a, c, vec![3]));

        let first = net.next_delivery(Instant::NEVER).unwrap();
        assert_eq!((first.from, first.to, first.frame, first.at), (b, c, vec![2], Instant::from_millis(5)));
        assert_eq!(net.next_delivery(Instant::from_millis(10)), None);
        assert_eq!(net.now(), Instant::from_millis(10));
        assert_eq!(net.next_delivery(Instant::NEVER).map(|d| d.at), Some(Instant::from_millis(20)));
        assert_eq!(net.next_at(), None);
    }

    #[test]
    fn joining_again_changes_the_faults_of_the_same_path() {
        let mut net = Network::new(1);
        let (a, b) = (net.add_node(), net.add_node());
        net.join(a, b, Faults::NONE, Faults::NONE);
        net.join(a, b, Faults::CUT, Faults::NONE);
        net.send(a, b, vec![1]);
        net.send(b, a, vec![2]);
        assert_eq!(net.next_delivery(Instant::NEVER).map(|d| d.frame), Some(vec![2]));
        assert_eq!(net.path(a, b).unwrap().tally().lost, 1);
    }
}
