//! Whole-program benchmarks: our program and its rivals in the same run, interleaved, a ratio as the result.
//!
//! In: the name of a benchmark, and how many runs.
//! Out: medians, the spread, and the ratio of the medians.
//! Above: people. Below: the lab, so that nothing leaves the machine.
//! Not here: micro benchmarks (`crates/*/benches`).
#![forbid(unsafe_code)]

mod ask;
mod bulk;
mod get;
mod pair;
mod peer;
mod replay;
mod send;

use std::process::ExitCode;
use std::time::Duration;

/// A benchmark: its name, what it measures, how often it runs unless told otherwise, and how to run it.
type Benchmark = (&'static str, &'static str, usize, fn(usize) -> Result<(), String>);

const BENCHMARKS: &[Benchmark] = &[
    ("ask", "one SYN and its answer as a whole process, beside hping3 (rival) in the same network", 200, ask::run),
    ("bulk", "a stream to and from a kernel over veth, beside kernel to kernel (rival)", 15, bulk::run),
    ("get", "100 MB by `ww get` as a whole process, beside curl (rival), over veth", 15, get::run),
    ("replay", "how late the frames of a capture leave, beside tcpreplay (rival) over veth", 5, replay::run),
    ("send", "datagrams a second, beside hping3, trafgen, mausezahn and nping (rivals) over veth", 5, send::run),
    ("pair", "64 MiB between two engines in one process, beside smoltcp (rival)", 200, pair::run),
];

/// The most runs: a benchmark stops by itself.
const RUNS_MAX: usize = 10_000;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let Some((_, about, usual, run)) = BENCHMARKS.iter().find(|(known, ..)| *known == name) else {
        eprintln!("usage: cargo run --release -p wirewright-bench -- NAME [RUNS]");
        for (name, about, ..) in BENCHMARKS {
            eprintln!("    {name:<8} {about}");
        }
        return ExitCode::from(2);
    };
    let runs = args.next().and_then(|text| text.parse().ok()).unwrap_or(*usual).clamp(1, RUNS_MAX);
    println!("{name}: {about}, {runs} runs each, interleaved");
    match run(runs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The times of one program, and what it moved and spent in all its runs.
struct Times {
    name: String,
    all: Vec<Duration>,
    bytes: u64,
    cpu: Duration,
}

impl Times {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), all: Vec::new(), bytes: 0, cpu: Duration::ZERO }
    }

    /// One run more, which moved so many bytes and spent so much time of processors.
    fn add(&mut self, took: Duration, bytes: u64, cpu: Duration) {
        self.all.push(took);
        self.bytes += bytes;
        self.cpu += cpu;
    }

    fn median(&mut self) -> Duration {
        self.all.sort();
        self.all.get(self.all.len() / 2).copied().unwrap_or_default()
    }

    fn print(&mut self) {
        let median = self.median();
        let (min, max) = (self.all.first().copied().unwrap_or_default(), self.all.last().copied().unwrap_or_default());
        let name = &self.name;
        println!("    {name:<20} median {median:>10.3?}   min {min:>10.3?}   max {max:>10.3?}{}", self.moved(median));
    }

    /// How fast, and CPU seconds per GB.
    fn moved(&self, median: Duration) -> String {
        if self.bytes == 0 {
            return String::new();
        }
        let bytes = self.bytes as f64;
        let speed = bytes / self.all.len() as f64 / median.as_secs_f64() / 1e6;
        format!("   {speed:>7.1} MB/s   {:>5.2} CPU s/GB", self.cpu.as_secs_f64() / (bytes / 1e9))
    }
}
