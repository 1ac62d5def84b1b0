//! One direction of one wire.

use core::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use wirewright_units::{ByteCount, Instant};

use crate::{Dice, Faults};

/// One direction of one wire: frames go in by [`push`](Path::push) and come out of [`pop`](Path::pop) when their time has come.
///
/// Everything it does follows from the seed, the faults, and the frames and times that were pushed.
#[derive(Clone, Debug)]
pub struct Path {
    faults: Faults,
    dice: Dice,
    is_bad: bool,
    /// When the frames that wait for the wire, or are on it, will have left it.
    leaving: VecDeque<Instant>,
    /// The arrival of the last frame that kept the order.
    last_in_order: Instant,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    pushed: u64,
    tally: Tally,
}

/// What a [`Path`] has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    /// Frames that went in.
    pub pushed: u64,
    /// Frames that came out.
    pub popped: u64,
    /// Frames lost by chance.
    pub lost: u64,
    /// Frames dropped because the queue was full.
    pub overflowed: u64,
    /// Frames held back.
    pub reordered: u64,
    /// Frames doubled.
    pub duplicated: u64,
    /// Frames damaged.
    pub corrupted: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    at: Instant,
    /// Equal times come out in the order in which they went in.
    number: u64,
    frame: Vec<u8>,
}

impl Path {
    /// A path with these faults; the same seed does the same.
    #[must_use]
    pub fn new(faults: Faults, seed: u64) -> Self {
        Self {
            faults,
            dice: Dice::new(seed),
            is_bad: false,
            leaving: VecDeque::new(),
            last_in_order: Instant::ORIGIN,
            under_way: BinaryHeap::new(),
            pushed: 0,
            tally: Tally::default(),
        }
    }

    /// Gives a frame to the path.
    pub fn push(&mut self, now: Instant, frame: Vec<u8>) {
        self.tally.pushed += 1;
        let Some(left) = self.leave(now, frame.len()) else {
            self.tally.overflowed += 1;
            return;
        };
        // Every throw is made for every frame: a change of one fault leaves the fate of the others as it was.
        let is_lost = self.is_lost();
        let jitter = self.dice.up_to(self.faults.jitter);
        let is_held_back = self.dice.happens(self.faults.reorder);
        let held_for = self.dice.up_to(self.faults.reorder_by);
        let is_doubled = self.dice.happens(self.faults.duplicate);
        let is_damaged = self.dice.happens(self.faults.corrupt);
        let damaged_bit = self.dice.below(frame.len() as u64 * 8);
        if is_lost {
            self.tally.lost += 1;
            return;
        }
        let mut at = left + self.faults.delay + jitter;
        if is_held_back {
            self.tally.reordered += 1;
            at += held_for;
        } else {
            at = at.max(self.last_in_order);
            self.last_in_order = at;
        }
        if is_doubled {
            self.tally.duplicated += 1;
            self.schedule(at, frame.clone());
        }
        let mut frame = frame;
        if is_damaged && !frame.is_empty() {
            self.tally.corrupted += 1;
            turn_over(&mut frame, damaged_bit);
        }
        self.schedule(at, frame);
    }

    /// The next frame whose time has come.
    pub fn pop(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.next_at()? > now {
            return None;
        }
        let Reverse(arrived) = self.under_way.pop()?;
        self.tally.popped += 1;
        Some(arrived.frame)
    }

    /// When the next frame comes out; `None` while nothing is under way.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse(next)| next.at)
    }

    /// Changes the faults for frames that are pushed from now on. Those under way arrive as they would have.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
        self.is_bad = self.is_bad && faults.burst.is_some();
    }

    /// The faults.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What the path has done so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// How many frames are under way.
    #[must_use]
    pub fn frames_under_way(&self) -> usize {
        self.under_way.len()
    }

    /// When a frame of this length has left the sender, or `None` when the queue is full.
    fn leave(&mut self, now: Instant, len: usize) -> Option<Instant> {
        let Some(rate) = self.faults.rate else {
            return Some(now);
        };
        while self.leaving.front().is_some_and(|&left| left <= now) {
            self.leaving.pop_front();
        }
        // One frame is on the wire, the others wait.
        if self.leaving.len() > self.faults.queue_frames_max {
            return None;
        }
        let begins = self.leaving.back().copied().unwrap_or(now).max(now);
        let left = begins + rate.time_for(ByteCount::new(len as u64));
        self.leaving.push_back(left);
        Some(left)
    }

    fn is_lost(&mut self) -> bool {
        let by_chance = self.dice.happens(self.faults.loss);
        let Some(burst) = self.faults.burst else {
            return by_chance;
        };
        let turns = self.dice.happens(if self.is_bad { burst.ends } else { burst.begins });
        self.is_bad ^= turns;
        let in_burst = self.dice.happens(burst.loss);
        by_chance || (self.is_bad && in_burst)
    }

    fn schedule(&mut self, at: Instant, frame: Vec<u8>) {
        self.pushed += 1;
        self.under_way.push(Reverse(UnderWay { at, number: self.pushed, frame }));
    }
}

fn turn_over(frame: &mut [u8], bit: u64) {
    if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| frame.get_mut(at)) {
        *byte ^= 0x80 >> (bit % 8);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use wirewright_units::Rate;

    use super::*;
    use crate::{Burst, Chance};

    const MS: Duration = Duration::from_millis(1);

    /// Pushes `count` numbered frames, one a millisecond, and returns what comes out, with the times.
    fn carry(faults: Faults, seed: u64, count: u32) -> (Vec<(Instant, u32)>, Tally) {
        let mut path = Path::new(faults, seed);
        let mut out = Vec::new();
        for i in 0..count {
            path.push(Instant::from_millis(i.into()), i.to_be_bytes().to_vec());
        }
        while let Some(at) = path.next_at() {
            let frame = path.pop(at).unwrap();
            out.push((at, u32::from_be_bytes(frame.try_into().unwrap())));
        }
        (out, path.tally())
    }

    #[test]
    fn a_perfect_wire_changes_nothing() {
        let (out, tally) = carry(Faults::NONE, 1, 100);
        assert!(out.iter().zip(0..).all(|(&(at, n), i)| n == i && at == Instant::from_millis(i.into())));
        assert_eq!((tally.pushed, tally.popped), (100, 100));
    }

    #[test]
    fn the_same_seed_does_the_same_and_another_does_not() {
        let faults = Faults {
            loss: Chance::percent(10),
            jitter: 5 * MS,
            reorder: Chance::percent(10),
            duplicate: Chance::percent(10),
            ..Faults::NONE
        };
        assert_eq!(carry(faults, 5, 500), carry(faults, 5, 500));
        assert_ne!(carry(faults, 5, 500), carry(faults, 6, 500));
    }

    #[test]
    fn jitter_delays_and_keeps_the_order() {
        let (out, _) = carry(Faults { delay: 10 * MS, jitter: 20 * MS, ..Faults::NONE }, 2, 300);
        assert!(out.windows(2).all(|w| w[0].1 < w[1].1 && w[0].0 <= w[1].0));
        assert!(out.iter().all(|&(at, n)| at >= Instant::from_millis(u64::from(n) + 10)));
        assert!(out.iter().any(|&(at, n)| at > Instant::from_millis(u64::from(n) + 10)));
    }

    #[test]
    fn reordering_lets_later_frames_overtake() {
        let (out, tally) = carry(Faults { reorder: Chance::percent(20), reorder_by: 10 * MS, ..Faults::NONE }, 3, 300);
        assert!(tally.reordered > 30);
        assert!(out.windows(2).any(|w| w[0].1 > w[1].1));
        assert_eq!(out.len(), 300);
    }

    #[test]
    fn loss_duplication_and_damage_are_counted_as_they_show() {
        let (out, tally) = carry(Faults { loss: Chance::percent(30), ..Faults::NONE }, 4, 1000);
        assert_eq!(out.len() as u64, 1000 - tally.lost);
        assert!((250..350).contains(&tally.lost));

        let (out, tally) = carry(Faults { duplicate: Chance::percent(30), ..Faults::NONE }, 4, 1000);
        assert_eq!(out.len() as u64, 1000 + tally.duplicated);

        let mut path = Path::new(Faults { corrupt: Chance::ALWAYS, ..Faults::NONE }, 4);
        path.push(Instant::ORIGIN, vec![0; 100]);
        let frame = path.pop(Instant::ORIGIN).unwrap();
        assert_eq!(frame.iter().map(|b| b.count_ones()).sum::<u32>(), 1);
    }

    #[test]
    fn bursts_lose_frames_in_runs() {
        let burst = Burst { begins: Chance::percent(2), ends: Chance::percent(20), loss: Chance::ALWAYS };
        let (out, tally) = carry(Faults { burst: Some(burst), ..Faults::NONE }, 9, 2000);
        let runs = out.windows(2).filter(|w| w[1].1 != w[0].1 + 1).count() as u64;
        assert!(tally.lost > 2 * runs && runs > 5, "{} lost in {runs} runs", tally.lost);
    }

    #[test]
    fn a_rate_spaces_frames_and_a_full_queue_drops() {
        let rate = Rate::from_bits_per_second(8_000); // A byte a millisecond.
        let faults = Faults { rate: Some(rate), queue_frames_max: 2, ..Faults::NONE };
        let mut path = Path::new(faults, 1);
        for _ in 0..5 {
            path.push(Instant::ORIGIN, vec![0; 10]);
        }
        assert_eq!((path.tally().overflowed, path.frames_under_way()), (2, 3));
        let at: Vec<u64> = core::iter::from_fn(|| {
            let at = path.next_at()?;
            path.pop(at).map(|_| at.as_millis())
        })
        .collect();
        assert_eq!(at, [10, 20, 30]);
    }

    #[test]
    fn a_cut_wire_carries_nothing_until_it_is_mended() {
        let mut path = Path::new(Faults::CUT, 1);
        path.push(Instant::ORIGIN, vec![1]);
        path.set_faults(Faults::NONE);
        path.push(Instant::ORIGIN, vec![2]);
        assert_eq!((path.pop(Instant::ORIGIN), path.pop(Instant::ORIGIN)), (Some(vec![2]), None));
    }

    #[test]
    fn an_empty_frame_is_carried_too() {
        let mut path = Path::new(Faults { corrupt: Chance::ALWAYS, ..Faults::NONE }, 1);
        path.push(Instant::ORIGIN, Vec::new());
        assert_eq!(path.pop(Instant::ORIGIN), Some(Vec::new()));
    }
}
