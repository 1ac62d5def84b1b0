//! Whole-program benchmarks: our program and its rivals in the same run, interleaved, a ratio as the result.
//!
//! In: the name of a benchmark, and how many runs.
//! Out: medians, the spread, and the ratio of the medians.
//! Above: people. Below: the lab, so that nothing leaves the machine.
//! Not here: micro benchmarks (`crates/*/benches`).
#![forbid(unsafe_code)]

mod ask;
mod pair;

use std::process::ExitCode;
use std::time::Duration;

/// A benchmark: its name, what it measures, and how to run it.
type Benchmark = (&'static str, &'static str, fn(usize) -> Result<(), String>);

const BENCHMARKS: &[Benchmark] = &[
    ("ask", "one SYN and its answer as a whole process, beside hping3 (rival) in the same network", ask::run),
    ("pair", "64 MiB between two engines in one process, beside smoltcp (rival)", pair::run),
];

/// The runs of each program unless told otherwise.
const RUNS: usize = 200;

/// The most runs: a benchmark stops by itself.
const RUNS_MAX: usize = 10_000;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let runs = args.next().and_then(|text| text.parse().ok()).unwrap_or(RUNS).clamp(1, RUNS_MAX);
    let Some((_, about, run)) = BENCHMARKS.iter().find(|(known, ..)| *known == name) else {
        eprintln!("usage: cargo run --release -p wirewright-bench -- NAME [RUNS]");
        for (name, about, _) in BENCHMARKS {
            eprintln!("    {name:<8} {about}");
        }
        return ExitCode::from(2);
    };
    println!("{name}: {about}, {runs} runs each, interleaved");
    match run(runs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The times of one program.
struct Times {
    name: String,
    all: Vec<Duration>,
}

impl Times {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), all: Vec::new() }
    }

    fn median(&mut self) -> Duration {
        self.all.sort();
        self.all.get(self.all.len() / 2).copied().unwrap_or_default()
    }

    fn print(&mut self) {
        let median = self.median();
        let (min, max) = (self.all.first().copied().unwrap_or_default(), self.all.last().copied().unwrap_or_default());
        let name = &self.name;
        println!("    {name:<10} median {median:>10.3?}   min {min:>10.3?}   max {max:>10.3?}");
    }
}
