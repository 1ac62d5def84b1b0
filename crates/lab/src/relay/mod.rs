//! The relay: a wire behind the first router that loses, delays, reorders, doubles and damages frames under a seed, and
//! rewrites fields of packets.
//!
//! In: [`Relay`], once, in [`Options`](crate::Options); frames of both ends of the wire.
//! Out: the same frames as a [`sim::Path`](wirewright_sim::Path) a direction lets them go on; [`RelayReport`].
//! Above: cli and tests; `keeper.rs` runs it. Below: sim (what happens to a frame), craft (what a rule does to a packet), link (rings, packet
//! sockets).
//! Not here: the wire's ends (`build/world.rs`), any protocol but for `rewrite.rs`: ARP and NDP are frames like others.
//!
//! ```text
//!   router eth1 ── wire0   ring → Path → packet socket   wire1 ── eth0 server
//!                  wire0   packet socket ← Path ← ring   wire1
//! ```
//!
//! It is a wire, not a second router: forwarding, TTL and ICMP stay the router's kernel's. Its two ends stand in a hidden
//! network without any address, so that no kernel answers there. What a recording shows at `router eth1` and at `server
//! eth0` is what went into it and what came out. A packet is rewritten before anything happens to its frame.

mod pump;
mod rewrite;

use core::time::Duration;

use wirewright_craft::Rewrite;
use wirewright_sim::{Dice, Faults, Tally};

use crate::enter::Lab;
use crate::message::Message;
pub(crate) use pump::Pump;
pub(crate) use rewrite::{Rewriter, Towards};

/// How long the relay may take to say its counts: it looks for questions after every batch of frames.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// What the wire behind the first router does ([`Shape::relay_wire`](crate::Shape::relay_wire)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// What happens to frames, in each direction.
    pub faults: Faults,
    /// The same seed does the same to the same frames. Each direction has dice of its own out of it.
    pub seed: u64,
    /// Rules that rewrite packets, applied in their order.
    pub rewrites: Vec<Rewrite>,
}

impl Relay {
    /// The longest time that a frame is under way, but for waiting in the queue of a rate.
    #[must_use]
    pub fn time_max(&self) -> Duration {
        let Faults { delay, jitter, reorder, reorder_by, .. } = self.faults;
        let held_back = if reorder.per_million() == 0 { Duration::ZERO } else { reorder_by };
        delay.saturating_add(jitter).saturating_add(held_back)
    }

    /// The seeds of the two directions: towards the server, towards the client.
    pub(crate) fn seeds(&self) -> [u64; 2] {
        let mut dice = Dice::new(self.seed);
        [dice.bits(), dice.bits()]
    }
}

/// What happened in one direction of a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RelayCount {
    /// What the path did, since the lab was ready.
    pub tally: Tally,
    /// Frames that the relay itself lost: they came faster than it took them.
    pub unseen: u64,
    /// Frames that a rule rewrote.
    pub rewritten: u64,
    /// Frames that the kernel did not take at the other end: longer than its MTU, or it is down.
    pub refused: u64,
}

/// What happened in both directions of a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RelayReport {
    /// From the router to the server.
    pub to_server: RelayCount,
    /// From the server to the router.
    pub to_client: RelayCount,
}

impl Lab {
    /// What the relay has done since the lab was ready; `None` where it has none, or where it has ended.
    #[must_use]
    pub fn relay_report(&self) -> Option<RelayReport> {
        let line = self.relay.as_ref()?;
        line.send(&Message::Count, &[]).ok()?;
        match line.receive(ANSWER_LIMIT)? {
            (Message::Counted(report), _) => Some(report),
            _ => None,
        }
    }
}

impl RelayReport {
    /// How many numbers it is.
    pub(crate) const NUMBERS: usize = 20;

    /// Its numbers, for the line between relay and caller.
    pub(crate) fn numbers(&self) -> [u64; Self::NUMBERS] {
        let mut numbers = [0; Self::NUMBERS];
        for (half, count) in numbers.chunks_exact_mut(Self::NUMBERS / 2).zip([self.to_server, self.to_client]) {
            let RelayCount { tally: t, unseen, rewritten, refused } = count;
            half.copy_from_slice(&[
                t.pushed,
                t.popped,
                t.lost,
                t.overflowed,
                t.reordered,
                t.duplicated,
                t.corrupted,
                unseen,
                rewritten,
                refused,
            ]);
        }
        numbers
    }

    /// The report of these numbers.
    pub(crate) fn of_numbers(numbers: [u64; Self::NUMBERS]) -> Self {
        let count = |at: usize| {
            let [pushed, popped, lost, overflowed, reordered, duplicated, corrupted, unseen, rewritten, refused] =
                core::array::from_fn(|index| numbers[at + index]);
            let tally = Tally { pushed, popped, lost, overflowed, reordered, duplicated, corrupted };
            RelayCount { tally, unseen, rewritten, refused }
        };
        Self { to_server: count(0), to_client: count(Self::NUMBERS / 2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_its_numbers() {
        let numbers = core::array::from_fn(|index| index as u64 + 1);
        assert_eq!(RelayReport::of_numbers(numbers).numbers(), numbers);
        assert_eq!(RelayReport::of_numbers(numbers).to_client.tally.pushed, 11);
    }

    #[test]
    fn a_frame_is_under_way_for_the_sum_of_what_may_hold_it() {
        let ms = Duration::from_millis;
        let faults = Faults { delay: ms(10), jitter: ms(2), reorder_by: ms(5), ..Faults::NONE };
        assert_eq!(Relay { faults, seed: 1, rewrites: Vec::new() }.time_max(), ms(12));
        let faults = Faults { reorder: wirewright_sim::Chance::percent(1), ..faults };
        assert_eq!(Relay { faults, seed: 1, rewrites: Vec::new() }.time_max(), ms(17));
    }

    #[test]
    fn each_direction_has_its_own_dice_out_of_one_seed() {
        let relay = |seed| Relay { faults: Faults::NONE, seed, rewrites: Vec::new() };
        let [there, back] = relay(7).seeds();
        assert_ne!(there, back);
        assert_eq!(relay(7).seeds(), [there, back]);
        assert_ne!(relay(8).seeds(), [there, back]);
    }
}
