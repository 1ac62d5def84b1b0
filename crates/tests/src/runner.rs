//! The main function of the test binary: choose, enter the lab while there is one thread, run.
//!
//! A process that stands in the lab has left the machine's own namespaces for good, and `unshare` of a user namespace
//! is refused to any process with threads. So the scenarios outside the lab run first, in a child of this binary; under
//! nextest, where each process runs one scenario, there is nothing to divide.

use std::{
    env, fs,
    io::Write as _,
    process::{Command, ExitCode},
    sync::Arc,
};

use libtest_mimic::{Arguments, Failed, Trial};
use wirewright_lab::{Lab, Options};

use crate::{Ground, Outcome, Scenario, World};

/// Set in the child that runs the scenarios outside the lab.
const OUTSIDE_ONLY: &str = "WIREWRIGHT_TESTS_OUTSIDE";

/// Names a file to which the name of each skipped scenario is added, with the reason.
const SKIPS: &str = "WW_TEST_SKIPS";

/// Runs the scenarios that the command line selects.
#[must_use]
pub fn main(scenarios: Vec<Scenario>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    if arguments.list {
        return libtest_mimic::run(&arguments, trials(scenarios, &Arc::new(World::default()))).exit_code();
    }
    let outside_only = env::var_os(OUTSIDE_ONLY).is_some();
    let (inside, outside): (Vec<_>, Vec<_>) = scenarios
        .into_iter()
        .filter(|scenario| is_selected(&arguments, &scenario.name))
        .partition(|scenario| scenario.ground == Ground::Lab);
    if arguments.exact && inside.is_empty() && outside.is_empty() {
        eprintln!("no scenario is called {:?}", arguments.filter.unwrap_or_default());
        return ExitCode::FAILURE;
    }
    if outside_only || inside.is_empty() {
        return libtest_mimic::run(&arguments, trials(outside, &Arc::new(World::default()))).exit_code();
    }
    let others = if outside.is_empty() { true } else { run_outside_in_a_child() };
    let world = match enter_lab() {
        Ok(world) => Arc::new(world),
        Err(why) => return without_lab(&arguments, inside, &why, others),
    };
    // They share one network and its counters.
    arguments.test_threads = Some(1);
    let conclusion = libtest_mimic::run(&arguments, trials(inside, &world));
    if others { conclusion.exit_code() } else { ExitCode::from(101) }
}

/// Where no lab can be made its scenarios are skipped, each by name.
fn without_lab(arguments: &Arguments, scenarios: Vec<Scenario>, why: &str, others: bool) -> ExitCode {
    let trials = scenarios.into_iter().map(|scenario| {
        let (name, why) = (scenario.name.clone(), why.to_owned());
        Trial::test(scenario.name, move || skipped(&name, &why))
    });
    let conclusion = libtest_mimic::run(arguments, trials.collect());
    if others { conclusion.exit_code() } else { ExitCode::from(101) }
}

fn run_outside_in_a_child() -> bool {
    let program = env::current_exe().expect("the path of the running test binary is known");
    let status = Command::new(program).args(env::args_os().skip(1)).env(OUTSIDE_ONLY, "1").status();
    status.is_ok_and(|status| status.success())
}

/// Enters the practice network. Called while this process has one thread.
fn enter_lab() -> Result<World, String> {
    Lab::enter(Options::default().networks_only()).map(World::of).map_err(|error| error.to_string())
}

fn trials(scenarios: Vec<Scenario>, world: &Arc<World>) -> Vec<Trial> {
    scenarios.into_iter().map(|scenario| trial(scenario, Arc::clone(world))).collect()
}

fn trial(scenario: Scenario, world: Arc<World>) -> Trial {
    let name = scenario.name.clone();
    Trial::test(name, move || match scenario.unmet() {
        Some(why) => skipped(&scenario.name, &why),
        None => failed_if_err((scenario.run)(&world)),
    })
}

/// A skip is a failure where nobody would read it.
fn skipped(name: &str, why: &str) -> Result<(), Failed> {
    if env::var_os("CI").is_some_and(|value| value == "true") {
        return Err(format!("skipped: {why} (CI=true: a skip is a failure)").into());
    }
    eprintln!("skipped: {why}");
    if let Some(path) = env::var_os(SKIPS) {
        let file = fs::OpenOptions::new().append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{name}: {why}"))?;
    }
    Ok(())
}

fn failed_if_err(outcome: Outcome) -> Result<(), Failed> {
    outcome.map_err(|error| Failed::from(error.to_string()))
}

/// The selection of libtest: filters, `--exact`, `--skip`.
fn is_selected(arguments: &Arguments, name: &str) -> bool {
    let matches = |pattern: &String| if arguments.exact { name == pattern } else { name.contains(pattern.as_str()) };
    arguments.filter.as_ref().is_none_or(matches) && !arguments.skip.iter().any(matches)
}
