//! `cargo xtask count`: the instructions that a packet costs, compared with what they were.
//!
//! Callgrind counts what a processor executes: unlike times these numbers are the same on a busy machine, so CI can compare
//! them. Each job runs twice, with few and with many packets; the difference is the packets' own, without starting and ending.

use std::{fmt::Write as _, fs, process::Command};

use crate::shell::{cargo, find_program, must, output_of, root, target_folder};

/// Where the numbers stand that were accepted.
const BASELINE: &str = "bench/count/instructions.txt";

/// The jobs of `bench/count`.
const JOBS: [&str; 3] = ["wire", "build", "template"];

/// Packets of the first run and of the second: enough that tables are warm, few enough for a second under callgrind.
const FEW: u64 = 1_000;
const MANY: u64 = 3_000;

/// How much more a packet may cost, in hundredths: less than any change that somebody would notice in a rate.
const MORE_PERCENT: u64 = 3;

/// Counts, compares or writes down.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let bless = match arguments {
        [] => false,
        [option] if option == "--bless" => true,
        _ => return Err("count takes --bless or nothing".to_owned()),
    };
    if find_program("valgrind").is_none() {
        crate::test::install();
    }
    if find_program("valgrind").is_none() {
        return Err(
            "valgrind is missing: sudo apt-get install valgrind, or `cargo xtask test` as root brings it".to_owned()
        );
    }
    must(cargo().args(["build", "--release", "--quiet", "--package", "wirewright-count"]))?;
    let accepted = fs::read_to_string(root().join(BASELINE)).unwrap_or_default();
    let mut counted = String::from(HEAD);
    let mut worse = Vec::new();
    for job in JOBS {
        let now = (instructions(job, MANY)? - instructions(job, FEW)?) / (MANY - FEW);
        let _ = writeln!(counted, "{job} {now}");
        let before = baseline(&accepted, job);
        println!(
            "{job:<10} {now:>6} instructions a packet, {} accepted",
            before.map_or("none".to_owned(), |it| it.to_string())
        );
        worse.extend(judge(job, before, now));
    }
    if bless {
        return fs::write(root().join(BASELINE), counted).map_err(|error| format!("{BASELINE}: {error}"));
    }
    if worse.is_empty() { Ok(()) } else { Err(worse.join("\n")) }
}

const HEAD: &str = "\
# Instructions that making one packet takes (callgrind, release build): `cargo xtask count`, written by its --bless.
";

/// What is wrong with a number: it has grown, or nobody has accepted one.
fn judge(job: &str, before: Option<u64>, now: u64) -> Option<String> {
    let Some(before) = before else {
        return Some(format!("{job} has no number in {BASELINE}: cargo xtask count --bless"));
    };
    (now * 100 > before * (100 + MORE_PERCENT)).then(|| {
        format!(
            "{job}: a packet costs {now} instructions and cost {before}; at most {MORE_PERCENT} % more are let pass.\n\
             Find what grew (valgrind --tool=callgrind {0}/release/wirewright-count {job} {MANY}), or, if it is worth it,\n\
             say why in the commit and accept it: cargo xtask count --bless",
            target_folder().display()
        )
    })
}

fn baseline(accepted: &str, job: &str) -> Option<u64> {
    let mut lines = accepted.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == job)?.1.trim().parse().ok()
}

/// All instructions of a run.
fn instructions(job: &str, packets: u64) -> Result<u64, String> {
    let out = target_folder().join(format!("callgrind.{job}"));
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(target_folder().join("release/wirewright-count")).args([job, &packets.to_string()]);
    output_of(&mut command)?;
    let text = fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    total(&text).ok_or_else(|| format!("{} holds no line `totals:`", out.display()))
}

/// The sum at the end of what callgrind writes.
fn total(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("totals:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grew_is_told_and_what_shrank_or_stayed_is_not() {
        assert_eq!(judge("wire", Some(100), 103), None);
        assert_eq!(judge("wire", Some(100), 50), None);
        assert!(judge("wire", Some(100), 104).unwrap().contains("costs 104 instructions and cost 100"));
        assert!(judge("wire", None, 1).unwrap().contains("--bless"));
    }

    #[test]
    fn numbers_are_read_from_callgrind_and_from_the_file() {
        assert_eq!(total("fn=x\n1 2\ntotals: 123456\n"), Some(123_456));
        assert_eq!(baseline("# wire 3\nwire 120\nbuild 900\n", "build"), Some(900));
        assert_eq!(baseline("wire 120\n", "template"), None);
    }
}
