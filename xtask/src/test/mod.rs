//! Every test of the workspace, on a machine that may lack what they need.
//!
//! In: the machine, and filters for the test runner.
//! Out: a machine with the tools (Debian, as root), every test run, a last line `N passed, N failed`.
//! Above: `cargo xtask test`, `.ci/run`. Below: apt-get, cargo, cargo-nextest.
//! Not here: any test; the two groups (rootless, real root) are chosen by the scenarios themselves.

mod count;
mod tools;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use self::count::Count;
use crate::shell::{cargo, must, target_folder};

/// Where scenarios that were skipped write why, one a line.
const SKIPS: &str = "WW_TEST_SKIPS";

/// Installs the programs that tests and counts need, where that can be done; else says what is missing.
pub(crate) fn install() {
    tools::install();
}

/// Installs what is missing, builds, runs everything, counts.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (options, filters): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| option.as_str() != "--no-install") {
        return Err(format!("test has no option {unknown}"));
    }
    let may_install = options.is_empty();
    if may_install {
        tools::install();
    }
    must(cargo().args(["build", "--workspace", "--bins"]))?;
    let skips = Skips::new()?;
    let runner = tools::runner(may_install);
    let mut count = run_tests(runner, &filters, &skips)?;
    if filters.is_empty() {
        count +=
            run_and_count(cargo().args(["test", "--workspace", "--doc", "--no-fail-fast"]), Count::in_libtest_line)?;
    }
    for skip in skips.read() {
        println!("skipped: {skip}");
    }
    println!("{count}");
    if count.failed == 0 { Ok(()) } else { Err(format!("{} tests failed", count.failed)) }
}

/// What runs the tests: nextest, each test in a process of its own; or cargo alone, where nextest cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Nextest,
    Cargo,
}

fn run_tests(runner: Runner, filters: &[&String], skips: &Skips) -> Result<Count, String> {
    let mut command = cargo();
    let read: fn(&str) -> Option<Count> = match runner {
        Runner::Nextest => {
            command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--color", "never"]).args(filters);
            Count::in_nextest_line
        }
        Runner::Cargo => {
            command.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
            filters.first().map(|filter| command.arg(filter));
            Count::in_libtest_line
        }
    };
    command.env("WW_BINARY", ww()).env(SKIPS, &skips.path).env("PYTHONPATH", tools::modules());
    run_and_count(&mut command, read)
}

/// The command that was just built.
fn ww() -> PathBuf {
    target_folder().join("debug/ww")
}

/// Runs a test command, shows what it says, and adds up the results that it names.
fn run_and_count(command: &mut Command, read: fn(&str) -> Option<Count>) -> Result<Count, String> {
    // cargo test writes results to its standard output, nextest to its standard error: one pipe holds both.
    let (reader, writer) = std::io::pipe().map_err(|error| format!("pipe: {error}"))?;
    let second = writer.try_clone().map_err(|error| format!("pipe: {error}"))?;
    let started = command.stdin(Stdio::null()).stdout(writer).stderr(second).spawn();
    let mut running = started.map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    // The command holds its ends of the pipe until it is given others.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut count = Count::default();
    let mut out = std::io::stdout();
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let _ = writeln!(out, "{line}");
        count += read(&line).unwrap_or_default();
    }
    let status = running.wait().map_err(|error| error.to_string())?;
    match (status.success(), count.failed) {
        (true, _) => Ok(count),
        // It failed without a failed test: it did not build, or was ended.
        (false, 0) => Err(format!("the tests did not run to their end: {status}")),
        (false, _) => Ok(count),
    }
}

/// The file into which scenarios write that they were skipped.
struct Skips {
    path: PathBuf,
}

impl Skips {
    fn new() -> Result<Self, String> {
        let path = target_folder().join(format!("skipped-tests-{}", std::process::id()));
        fs::write(&path, "").map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path })
    }

    fn read(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Skips {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
