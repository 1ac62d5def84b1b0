//! Two engines over two paths under a seed: random writes, reads, closes and faults; a referee looks at every frame.
//!
//! In: seeds.
//! Out: the first seed that breaks a rule, with the command that replays it.
//! Above: CI. Below: tcp, sim.
//! Not here: a real kernel as the peer (crates/tests).
//!
//! `WW_SEEDS=5000..=6000` runs other seeds, `WW_SEED=7 WW_TRACE=1` shows one of them frame by frame.

mod app;
mod end;
mod referee;
mod round_trip;
mod scenario;
mod world;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use scenario::Scenario;
use wirewright_tcp::State;
use world::{Outcome, World};

/// What CI runs.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=1000;

fn seeds() -> std::ops::RangeInclusive<u64> {
    if let Some(seed) = std::env::var("WW_SEED").ok().and_then(|s| s.parse().ok()) {
        return seed..=seed;
    }
    let Ok(range) = std::env::var("WW_SEEDS") else {
        return SEEDS;
    };
    let (first, last) = range.split_once("..=").expect("WW_SEEDS=FIRST..=LAST");
    first.parse().expect("a number")..=last.parse().expect("a number")
}

/// Runs one seed, and says how to run it again when it fails.
fn run(seed: u64) -> Outcome {
    let result = catch_unwind(AssertUnwindSafe(|| World::new(Scenario::new(seed)).run()));
    result.unwrap_or_else(|cause| {
        eprintln!("{:?}", Scenario::new(seed));
        eprintln!("seed {seed} failed; replay it with");
        eprintln!(
            "    WW_SEED={seed} WW_TRACE=1 cargo test -p wirewright-tcp --test simulation every_seed -- --nocapture"
        );
        std::panic::resume_unwind(cause)
    })
}

#[test]
fn every_seed_delivers_every_byte_and_reaches_every_state() {
    let mut states: BTreeSet<State> = BTreeSet::new();
    let mut frames = 0;
    let (mut half_opens, mut time_waits, mut resets, mut simultaneous_opens, mut unheard) = (0, 0, 0, 0, 0);
    let seeds = seeds();
    let count = seeds.end() - seeds.start() + 1;
    for seed in seeds {
        let outcome = run(seed);
        frames += outcome.frames;
        half_opens += u64::from(outcome.saw_half_open);
        time_waits += u64::from(outcome.saw_time_wait);
        resets += u64::from(outcome.saw_reset);
        unheard += u64::from(outcome.gave_up_unheard);
        simultaneous_opens += u64::from(outcome.states.contains(&State::SynReceived));
        states.extend(outcome.states);
    }
    println!(
        "{count} seeds, {frames} frames; half-open in {half_opens}, TIME-WAIT in {time_waits}, a reset in {resets}, \
         crossing SYNs in {simultaneous_opens}, a listener that heard no more in {unheard}; states {states:?}"
    );
    assert!(unheard <= 1 + count / 1000, "too many listeners hear no more: {unheard}");
    if count >= 500 {
        // LISTEN is a type of its own, which every connection came from.
        for state in State::ALL.into_iter().filter(|&state| state != State::Listen) {
            assert!(states.contains(&state), "no seed reached {}", state.name());
        }
        assert!(half_opens > count / 2 && time_waits > count / 4 && resets > 0, "the seeds have become too tame");
    }
}

#[test]
fn the_same_seed_sends_the_same_frames() {
    for seed in [3, 77, 501] {
        assert_eq!(run(seed).trace_hash, run(seed).trace_hash, "seed {seed}");
    }
    assert_ne!(run(3).trace_hash, run(77).trace_hash);
}
