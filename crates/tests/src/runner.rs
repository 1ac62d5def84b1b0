//! The main function of the test binary: choose, enter the lab while there is one thread, run.
//!
//! A process that stands in the lab has left the machine's own namespaces for good, and `unshare` of a user namespace
//! is refused to any process with threads. So a process runs either one scenario in the lab, which it has entered for that
//! one alone, or any number: those in the lab are then processes of this binary again. Under nextest, where each process
//! runs one scenario, that is how it is anyway; every scenario finds a lab that nobody used before.

use std::{
    env, fs,
    io::Write as _,
    process::{Command, ExitCode},
    sync::Arc,
};

use libtest_mimic::{Arguments, Failed, Trial};
use wirewright_lab::{Lab, Options};

use crate::{Ground, Outcome, Scenario, World, recording};

/// Names a file to which the name of each skipped scenario is added, with the reason.
const SKIPS: &str = "WW_TEST_SKIPS";

/// Runs the scenarios that the command line selects.
#[must_use]
pub fn main(scenarios: Vec<Scenario>) -> ExitCode {
    let arguments = Arguments::from_args();
    if arguments.list {
        return libtest_mimic::run(&arguments, trials(scenarios, &Arc::new(World::default()))).exit_code();
    }
    let selected = scenarios.into_iter().filter(|scenario| is_selected(&arguments, &scenario.name));
    let mut selected: Vec<Scenario> = selected.collect();
    if arguments.exact && selected.is_empty() {
        eprintln!("no scenario is called {:?}", arguments.filter.unwrap_or_default());
        return ExitCode::FAILURE;
    }
    let trials = match selected.pop_if(|only| only.ground == Ground::Lab && arguments.exact) {
        Some(only) => vec![trial_in_lab(only)],
        None => trials(selected, &Arc::new(World::default())),
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Enters the practice network, while this process has one thread, and makes the one scenario of this process.
fn trial_in_lab(scenario: Scenario) -> Trial {
    match Lab::enter(Options::default().networks_only()) {
        Ok(lab) => trial(scenario, Arc::new(World::of(lab))),
        Err(error) => {
            let (name, why) = (scenario.name.clone(), error.to_string());
            Trial::test(scenario.name, move || skipped(&name, &why))
        }
    }
}

/// Runs one scenario as the only one of another process of this binary.
fn in_its_own_process(name: &str) -> Result<(), Failed> {
    let program = env::current_exe()?;
    let output = Command::new(program).args(["--exact", name, "--nocapture"]).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&said).into_owned().into())
}

fn trials(scenarios: Vec<Scenario>, world: &Arc<World>) -> Vec<Trial> {
    let trials = scenarios.into_iter().map(|scenario| match scenario.ground {
        Ground::Lab => Trial::test(scenario.name.clone(), move || in_its_own_process(&scenario.name)),
        Ground::Plain | Ground::Root => trial(scenario, Arc::clone(world)),
    });
    trials.collect()
}

fn trial(scenario: Scenario, world: Arc<World>) -> Trial {
    let name = scenario.name.clone();
    Trial::test(name, move || match scenario.unmet() {
        Some(why) => skipped(&scenario.name, &why),
        None => recorded(scenario, &world),
    })
}

fn recorded(scenario: Scenario, world: &World) -> Result<(), Failed> {
    let recorder = match scenario.ground {
        Ground::Lab => recording::begin(world.lab(), &scenario.name)?,
        Ground::Plain | Ground::Root => None,
    };
    let outcome = failed_if_err((scenario.run)(world));
    if let Some(recorder) = recorder {
        recorder.finish().map_err(|error| format!("{error:?}"))?;
    }
    outcome
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
