//! Makes so many packets by one job: `wirewright-count JOB N`. `cargo xtask count` runs it under callgrind.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::ExitCode;

use wirewright_count::{Built, Generated, LEN, wire};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [job, count] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(count) = count.parse::<u32>() else { return ExitCode::from(2) };
    let mut out = Vec::with_capacity(LEN);
    match job.as_str() {
        "wire" => {
            let mut out = [0; LEN];
            (0..count).for_each(|n| wire(black_box(&mut out), black_box(n)));
        }
        "build" => {
            let mut built = Built::default();
            (0..count).for_each(|n| built.make(black_box(&mut out), black_box(n)));
        }
        "template" => {
            let mut generated = Generated::default();
            (0..count).for_each(|n| generated.make(black_box(&mut out), black_box(n)));
        }
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}
