//! What a seed stands for.

use std::time::Duration;

use wirewright_sim::{Burst, Chance, Dice, Faults};
use wirewright_tcp::{Config, Keepalive};
use wirewright_units::Rate;
use wirewright_wire::SeqNum;

/// How the two ends begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// The first end calls, the second listens.
    Client,
    /// Both call at once.
    Simultaneous,
}

/// How an end leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It closes when all is written, reads to the end, and goes.
    Orderly,
    /// It closes only when the peer has.
    AfterPeer,
    /// It aborts after this time.
    Abort(Duration),
    /// It goes after this time, whatever still comes.
    WalkAway(Duration),
}

/// One end's plan.
#[derive(Clone, Debug)]
pub(crate) struct EndPlan {
    pub(crate) config: Config,
    pub(crate) iss: SeqNum,
    pub(crate) timestamp_offset: u32,
    /// How much it writes.
    pub(crate) bytes: u64,
    pub(crate) write_max: u64,
    pub(crate) read_max: u64,
    /// Up to this long between two writes or reads.
    pub(crate) write_gap: Duration,
    pub(crate) read_gap: Duration,
    /// Once, reading pauses for this long.
    pub(crate) stall: Duration,
    pub(crate) close_after: Duration,
    pub(crate) leaving: Leaving,
}

/// Everything that a seed decides.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) opening: Opening,
    pub(crate) ends: [EndPlan; 2],
    pub(crate) faults: [Faults; 2],
    /// A time at which nothing gets through.
    pub(crate) outage: Option<(Duration, Duration)>,
    /// When the wires become perfect but for their delay.
    pub(crate) heals_at: Duration,
    /// Super-segments are carried whole.
    pub(crate) carries_super_segments: bool,
    /// Somebody who sees nothing sends forged segments now and then.
    pub(crate) has_forger: bool,
    /// Clocks begin here.
    pub(crate) origin: Duration,
}

impl Scenario {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let aborts = dice.below(12) == 0;
        let opening = if dice.below(6) == 0 { Opening::Simultaneous } else { Opening::Client };
        let mut ends = [(); 2].map(|()| end_plan(&mut dice, aborts));
        if ends.iter().all(|end| end.leaving == Leaving::AfterPeer) {
            ends[0].leaving = Leaving::Orderly;
        }
        for i in 0..2 {
            // A reader who would take hours is no test.
            ends[i].read_max = ends[i].read_max.max(1 + ends[1 - i].bytes / 200);
        }
        if dice.below(4) == 0 {
            // FINs that cross: both close when nothing is left to do.
            for end in &mut ends {
                end.close_after = Duration::from_millis(400);
                end.bytes = end.bytes.min(1000);
                end.write_gap = Duration::ZERO;
                end.leaving = Leaving::Orderly;
            }
        }
        let is_perfect = dice.below(6) == 0;
        let delay = Duration::from_micros(log_uniform(&mut dice, 10, 200_000));
        let faults = [(); 2].map(|()| {
            let perfect = Faults { delay, ..Faults::NONE };
            if is_perfect { perfect } else { random_faults(&mut dice, perfect) }
        });
        let outage = (!is_perfect && dice.below(5) == 0).then(|| {
            let from = dice.up_to(Duration::from_secs(20));
            (from, from + dice.up_to(Duration::from_secs(30)))
        });
        Self {
            seed,
            opening,
            ends,
            faults,
            outage,
            heals_at: Duration::from_secs(dice.within(5, 60)),
            carries_super_segments: dice.below(3) == 0,
            has_forger: dice.below(4) == 0,
            origin: *pick(
                &mut dice,
                &[
                    Duration::ZERO,
                    Duration::from_secs(1000),
                    // The 32-bit milliseconds wrap soon.
                    Duration::from_millis((1 << 32) - 3000),
                    // The 32-bit microseconds wrap soon.
                    Duration::from_micros((1 << 32) - 2_000_000),
                ],
            ),
        }
    }

    /// Nothing is lost, doubled, damaged, overtaken or queued.
    pub(crate) fn is_perfect(&self) -> bool {
        self.outage.is_none() && self.faults.iter().all(|f| *f == Faults { delay: f.delay, ..Faults::NONE })
    }

    /// Everything that is written must arrive.
    pub(crate) fn is_orderly(&self) -> bool {
        self.ends.iter().all(|end| matches!(end.leaving, Leaving::Orderly | Leaving::AfterPeer))
    }
}

fn end_plan(dice: &mut Dice, aborts: bool) -> EndPlan {
    let leaving = match dice.below(4) {
        _ if aborts && dice.below(2) == 0 => {
            let after = dice.up_to(Duration::from_secs(8));
            if dice.below(2) == 0 { Leaving::Abort(after) } else { Leaving::WalkAway(after) }
        }
        0 => Leaving::AfterPeer,
        _ => Leaving::Orderly,
    };
    let bytes = match dice.below(8) {
        0 => 0,
        1 => log_uniform(dice, 50_000, 600_000),
        _ => log_uniform(dice, 1, 60_000),
    };
    let is_eager = dice.below(2) == 0;
    let gap = |dice: &mut Dice| if is_eager { Duration::ZERO } else { dice.up_to(Duration::from_millis(80)) };
    EndPlan {
        config: config(dice, aborts),
        iss: initial_number(dice),
        timestamp_offset: *pick(dice, &[0, u32::MAX - 500, 1 << 31, 12345]),
        bytes,
        write_max: log_uniform(dice, 1 + bytes / 200, 70_000),
        read_max: log_uniform(dice, 1 + bytes / 200, 70_000),
        write_gap: gap(dice),
        read_gap: gap(dice),
        stall: if dice.below(5) == 0 { dice.up_to(Duration::from_secs(20)) } else { Duration::ZERO },
        close_after: if dice.below(3) == 0 { dice.up_to(Duration::from_secs(3)) } else { Duration::ZERO },
        leaving,
    }
}

fn config(dice: &mut Dice, aborts: bool) -> Config {
    let mut coin = || dice.below(4) != 0;
    let (window_scale, timestamps, sack, nagle) = (coin(), coin(), coin(), coin());
    let keepalive = Keepalive { idle: Duration::from_secs(90), interval: Duration::from_secs(20), probes_max: 4 };
    Config {
        mss: *pick(dice, &[1460, 1460, 536, 1440, 100, 48, 8960]),
        receive_bytes_max: log_uniform(dice, 600, 2_000_000) as u32,
        send_bytes_max: log_uniform(dice, 600, 2_000_000) as u32,
        window_scale,
        timestamps,
        sack,
        nagle,
        ack_delay_max: Duration::from_millis(*pick(dice, &[0, 1, 40, 200, 499])),
        keepalive: aborts.then_some(keepalive),
        ..Config::IPV4
    }
}

/// Initial numbers lie where arithmetic goes wrong, or anywhere.
fn initial_number(dice: &mut Dice) -> SeqNum {
    let around = dice.below(2000) as u32;
    SeqNum::new(match dice.below(5) {
        0 => around,
        1 => (1u32 << 31).wrapping_sub(1000).wrapping_add(around),
        2 | 3 => u32::MAX - around,
        _ => dice.bits() as u32,
    })
}

/// About half of the faults are off in each seed, so that the others show.
fn random_faults(dice: &mut Dice, base: Faults) -> Faults {
    let mut maybe = |max_per_million: u32| {
        let chance = dice.below(u64::from(max_per_million)) as u32;
        if dice.below(2) == 0 { Chance::NEVER } else { Chance::clamped_per_million(chance) }
    };
    let (loss, reorder, duplicate, corrupt) = (maybe(200_000), maybe(300_000), maybe(300_000), maybe(50_000));
    let burst = (dice.below(4) == 0).then(|| Burst {
        begins: Chance::percent(1),
        ends: Chance::percent(15),
        loss: Chance::percent(80),
    });
    let rate = (dice.below(3) == 0).then(|| Rate::from_bits_per_second(log_uniform(dice, 200_000, 1_000_000_000)));
    Faults {
        jitter: if dice.below(2) == 0 { Duration::ZERO } else { dice.up_to(Duration::from_millis(30)) },
        loss,
        burst,
        reorder,
        reorder_by: dice.up_to(Duration::from_millis(200)),
        duplicate,
        corrupt,
        rate,
        queue_frames_max: dice.within(5, 200) as usize,
        ..base
    }
}

fn pick<'a, T>(dice: &mut Dice, from: &'a [T]) -> &'a T {
    &from[dice.below(from.len() as u64) as usize]
}

/// From `least` to `most`, small numbers as often as large ones.
fn log_uniform(dice: &mut Dice, least: u64, most: u64) -> u64 {
    let doublings = u64::from((most / least.max(1)).max(1).ilog2());
    let floor = least << dice.within(0, doublings);
    dice.within(floor, (floor * 2).min(most))
}
