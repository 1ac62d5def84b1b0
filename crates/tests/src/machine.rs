//! The state of the machine that nobody may change behind: interfaces, addresses, routes, neighbours, rules, mounts, processes.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use crate::Program;

/// What stands in the network namespace of this process, and its mounts. Two are equal if nothing stayed behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine(BTreeMap<&'static str, String>);

/// What is asked, and with which command. Counters and life times, which move by themselves, are not in the answers.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("interfaces", &["ip", "-details", "link", "show"]),
    ("addresses, IPv4", &["ip", "-4", "-oneline", "address", "show"]),
    ("routes, IPv4", &["ip", "-4", "route", "show", "table", "all"]),
    ("routes, IPv6", &["ip", "-6", "route", "show", "table", "all"]),
    ("rules of routing, IPv4", &["ip", "-4", "rule", "show"]),
    ("rules of routing, IPv6", &["ip", "-6", "rule", "show"]),
    ("named namespaces", &["ip", "netns", "list"]),
    ("rules of nftables", &["nft", "list", "ruleset"]),
];

impl Machine {
    /// Looks at everything.
    ///
    /// # Errors
    /// Where a command cannot be run.
    pub fn look() -> Result<Self, String> {
        let mut state = BTreeMap::new();
        for (what, command) in QUESTIONS {
            let output = Program::new(command[0]).args(&command[1..]).run()?;
            state.insert(*what, output.text());
        }
        let neighbours = Program::new("ip").args(["neighbour", "show"]).run()?.text();
        state.insert("neighbours", without_states(&neighbours));
        let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(|error| error.to_string())?;
        state.insert("mounts", mounts);
        Ok(Self(state))
    }

    /// What is another way than it was `before`, line by line; None if nothing is.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Option<String> {
        let mut text = String::new();
        for (what, now) in &self.0 {
            let then = before.0.get(what).map_or("", String::as_str);
            let gone = then.lines().filter(|line| !now.lines().any(|other| other == *line)).map(|line| ('-', line));
            let new = now.lines().filter(|line| !then.lines().any(|other| other == *line)).map(|line| ('+', line));
            for (sign, line) in gone.chain(new) {
                let _ = writeln!(text, "{what}: {sign} {line}");
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

/// A neighbour goes from REACHABLE to STALE by itself.
fn without_states(neighbours: &str) -> String {
    let mut lines: Vec<&str> =
        neighbours.lines().filter_map(|line| line.trim().rsplit_once(' ')).map(|(l, _)| l).collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// A mark that a program's descendants inherit in their environment, so that they can be found wherever they went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// The variable that carries the mark.
    pub const VARIABLE: &str = "WW_TEST_MARK";

    /// A mark; `name` is unique to the scenario, the process adds itself.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(format!("{name}-{}", std::process::id()))
    }

    /// The value of the variable.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.0
    }

    /// The living processes that carry the mark: number and command line.
    #[must_use]
    pub fn processes(&self) -> Vec<String> {
        let wanted = format!("{}={}", Self::VARIABLE, self.0);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| carries(path, &wanted)).map(|path| shown(&path)).collect()
    }
}

fn carries(process: &Path, wanted: &str) -> bool {
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
}

fn shown(process: &Path) -> String {
    let words = fs::read(process.join("cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).replace('\0', " ");
    format!("{} {words}", process.file_name().unwrap_or_default().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limit, wait_for};

    #[test]
    fn a_marked_process_is_found_and_missed_when_it_is_gone() {
        let mark = Mark::new("machine-test");
        let mut child = Program::new("sleep").arg("60").env(Mark::VARIABLE, mark.value()).start().unwrap();
        let found = wait_for("the marked process is seen", Limit::seconds(5), || mark.processes().pop());
        assert!(found.unwrap().starts_with(&child.id().to_string()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(mark.processes(), [""; 0]);
    }

    #[test]
    fn a_change_is_told_with_its_line() {
        let state = |routes: &str| Machine(BTreeMap::from([("routes", routes.to_owned())]));
        assert_eq!(state("a\nb").changes_since(&state("a\nb")), None);
        assert_eq!(state("a\nc").changes_since(&state("a\nb")).unwrap(), "routes: - b\nroutes: + c\n");
    }
}
