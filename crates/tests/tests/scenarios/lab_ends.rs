//! The lab leaves nothing behind, whenever it is ended.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read},
    process::Child,
    time::Duration,
};

use wirewright_link::clock;
use wirewright_tests::{Ground, Limit, Need, Outcome, Program, Scenario, ensure, wait_for};

use crate::lab_child::{Copied, Task};

/// How many labs are killed.
const KILLS: u64 = 20;

/// The moments lie within this time of the start: entering takes a few milliseconds of it, the rest is the lab at work.
const MOMENTS: Duration = Duration::from_millis(40);

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("lab_ends::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        scenario("nothing_is_left_after_kills_at_random_moments", kills),
        scenario("nothing_is_left_after_a_kill_when_all_runs", kill_when_ready),
        scenario("who_reads_the_output_to_its_end_waits_for_nobody_else", output_ends),
    ]
}

/// Marks the processes of one lab: all of them inherit its environment.
const MARK: &str = "WIREWRIGHT_TESTS_MARK";

struct Marked {
    mark: String,
    child: Child,
}

impl Marked {
    fn start(copied: &Copied, number: u64) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mark = format!("{}-{number}", std::process::id());
        let child = copied.program(Task::Stay).env(MARK, &mark).start()?;
        Ok(Self { mark, child })
    }

    /// Kills the process that entered, and waits until nobody else with its mark is left.
    fn kill(&mut self) -> Outcome {
        self.child.kill()?;
        self.child.wait()?;
        let variable = format!("{MARK}={}", self.mark);
        let nobody = || marked(&variable).is_empty().then_some(());
        wait_for("the end of every process of a killed lab", Limit::seconds(5), nobody)
            .map_err(|late| format!("{late}: {:?}", marked(&variable)))?;
        Ok(())
    }
}

/// The processes with `variable` in their environment.
fn marked(variable: &str) -> Vec<String> {
    processes()
        .filter(|process| {
            let environment = fs::read(format!("{process}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
        })
        .collect()
}

fn processes() -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string()).filter(|path| path.ends_with(|c: char| c.is_ascii_digit()))
}

/// Every namespace in which a process stands.
fn namespaces() -> BTreeSet<String> {
    let links = processes()
        .flat_map(|process| ["user", "net", "pid", "mnt"].map(|kind| fs::read_link(format!("{process}/ns/{kind}"))));
    links.flatten().map(|link| link.display().to_string()).collect()
}

/// The interfaces and routes of the network in which the scenarios run.
fn outside() -> Result<BTreeSet<String>, std::io::Error> {
    let mut lines = BTreeSet::new();
    for (file, words) in [("dev", 1), ("route", 4), ("ipv6_route", 5)] {
        for line in fs::read_to_string(format!("/proc/thread-self/net/{file}"))?.lines() {
            lines.insert(line.split_whitespace().take(words).collect::<Vec<_>>().join(" "));
        }
    }
    Ok(lines)
}

fn kills() -> Outcome {
    let copied = Copied::new()?;
    let before = outside()?;
    let mut seed = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let seed = u64::from_le_bytes(seed);
    for number in 0..KILLS {
        let mut marked = Marked::start(&copied, number)?;
        // Knuth's multiplier: neighbouring numbers land far apart.
        let part = seed.wrapping_add(number).wrapping_mul(6_364_136_223_846_793_005) >> 48;
        let moment = MOMENTS * u32::try_from(part)? / u32::from(u16::MAX);
        clock::sleep(moment);
        marked.kill().map_err(|error| format!("killed after {moment:?} (seed {seed:#x}): {error}"))?;
    }
    ensure!(outside()? == before, "interfaces or routes changed");
    Ok(())
}

fn kill_when_ready() -> Outcome {
    let copied = Copied::new()?;
    let here = namespaces();
    let mut marked = Marked::start(&copied, KILLS)?;
    let output = marked.child.stdout.take().ok_or("standard output was piped")?;
    let lines = BufReader::new(output).lines().take_while(|line| !matches!(line, Ok(line) if line == "ready"));
    let said: BTreeSet<String> = lines.collect::<Result<_, _>>()?;
    let lab: BTreeSet<_> = said.into_iter().filter(|name| !here.contains(name)).collect();
    // Three networks, a user, a PID and a mount namespace.
    ensure!(lab.len() == 6, "six namespaces were expected: {lab:?}");
    marked.kill()?;
    // A name that is free is given to the next namespace of anybody, who is not expected to keep it.
    let left = || namespaces().intersection(&lab).cloned().collect::<Vec<_>>();
    let gone = || left().is_empty().then_some(());
    Ok(wait_for("the end of every namespace", Limit::seconds(10), gone)
        .map_err(|late| format!("{late}: {:?}", left()))?)
}

/// The builder and the keeper must not hold the output of the process that entered.
fn output_ends() -> Outcome {
    let copied = Copied::new()?;
    let line = "read first; read second && exit 1; exit 0";
    let both = format!("{} | sh -c '{line}'", copied.path());
    let output = Program::new("sh").args(["-c", &both]).env("WIREWRIGHT_TESTS_LAB", "Time").run()?;
    ensure!(output.code == 0, "{output}");
    Ok(())
}
