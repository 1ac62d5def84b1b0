//! The ledgers `docs/rfc/NNNN.toml`: each requirement of an RFC once, with its status and the test that shows it.
//!
//! They are written in the part of TOML that this needs: `key = value` lines, strings in double quotes or whole
//! numbers, `[[requirement]]`, and comments. Anything else is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{shell::root, source};

/// What stands in one file.
#[derive(Debug, Default)]
struct Ledger {
    rfc: usize,
    /// How many requirements the RFC has: a row that is lost is missed.
    requirements: usize,
    rows: Vec<Requirement>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Requirement {
    line: usize,
    id: String,
    section: String,
    sentence: String,
    status: String,
    reason: String,
    test: String,
}

/// Prints the tables and checks them.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let open = arguments.iter().any(|argument| argument == "--open");
    let files = source::tracked_files()?;
    let ledgers =
        files.iter().filter(|file| file.starts_with("docs/rfc") && file.extension().is_some_and(|e| e == "toml"));
    let mut complaints = Vec::new();
    let exists = |file: &str, function: &str| test_exists(file, function);
    println!("{:<8} {:>5} {:>12} {:>10} {:>5}", "RFC", "all", "implemented", "exception", "todo");
    for file in ledgers {
        let text = fs::read_to_string(root().join(file)).map_err(|error| format!("{}: {error}", file.display()))?;
        let ledger = parse(&text).map_err(|why| format!("{}:{why}", file.display()))?;
        complaints.extend(check(&ledger, exists).into_iter().map(|what| format!("{}:{what}", file.display())));
        print_row(&ledger);
        if open {
            print_open(&ledger);
        }
    }
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    if complaints.is_empty() { Ok(()) } else { Err(format!("{} complaints", complaints.len())) }
}

fn print_row(ledger: &Ledger) {
    let count = |status| ledger.rows.iter().filter(|row| row.status == status).count();
    let (done, exceptions, todo) = (count("implemented"), count("exception"), count("todo"));
    println!("{:<8} {:>5} {done:>12} {exceptions:>10} {todo:>5}", ledger.rfc, ledger.rows.len());
}

fn print_open(ledger: &Ledger) {
    for row in ledger.rows.iter().filter(|row| row.status == "todo") {
        println!("  {:<8} §{:<10} {}", row.id, row.section, row.sentence);
    }
}

fn parse(text: &str) -> Result<Ledger, String> {
    let mut head = BTreeMap::new();
    let mut rows: Vec<BTreeMap<String, String>> = Vec::new();
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[requirement]]" {
            rows.push(BTreeMap::new());
            lines.push(index);
            continue;
        }
        let (key, value) = line.split_once(" = ").ok_or_else(|| format!("{index}: expected `key = value`"))?;
        let value = read_value(value).ok_or_else(|| format!("{index}: expected \"text\" or a number"))?;
        let table = rows.last_mut().unwrap_or(&mut head);
        if table.insert(key.to_owned(), value).is_some() {
            return Err(format!("{index}: `{key}` stands there twice"));
        }
    }
    let number = |key: &str| head.get(key).and_then(|value| value.parse().ok()).ok_or(format!("1: lacks `{key}`"));
    let rows = rows.into_iter().zip(lines).map(|(row, line)| requirement(row, line)).collect::<Result<_, _>>()?;
    Ok(Ledger { rfc: number("rfc")?, requirements: number("requirements")?, rows })
}

/// `"text"` with `\"` and `\\`, or a whole number.
fn read_value(value: &str) -> Option<String> {
    if let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return Some(inner.replace("\\\"", "\"").replace("\\\\", "\\"));
    }
    value.parse::<usize>().ok().map(|number| number.to_string())
}

fn requirement(mut row: BTreeMap<String, String>, line: usize) -> Result<Requirement, String> {
    let mut take = |key: &str| row.remove(key).unwrap_or_default();
    let requirement = Requirement {
        line,
        id: take("id"),
        section: take("section"),
        sentence: take("sentence"),
        status: take("status"),
        reason: take("reason"),
        test: take("test"),
    };
    match row.keys().next() {
        Some(key) => Err(format!("{line}: a requirement has no `{key}`")),
        None => Ok(requirement),
    }
}

fn check(ledger: &Ledger, exists: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &ledger.rows {
        if !seen.insert(&row.id) {
            complaints.push(format!("{}: {} stands there twice", row.line, row.id));
        }
        if let Some(what) = check_row(row, &exists) {
            complaints.push(format!("{}: {} {what}", row.line, row.id));
        }
    }
    if ledger.rows.len() != ledger.requirements {
        complaints.push(format!("1: {} rows, but the RFC has {}", ledger.rows.len(), ledger.requirements));
    }
    complaints
}

fn check_row(row: &Requirement, exists: impl Fn(&str, &str) -> bool) -> Option<String> {
    if row.id.is_empty() || row.section.is_empty() || row.sentence.is_empty() {
        return Some("lacks id, section or sentence".to_owned());
    }
    match row.status.as_str() {
        "todo" => None,
        "exception" if row.reason.is_empty() => Some("is an exception without a reason".to_owned()),
        "exception" => None,
        "implemented" if row.test.is_empty() => Some("is implemented without a test".to_owned()),
        "implemented" => row.test.split(',').map(str::trim).find_map(|test| match test.rsplit_once("::") {
            Some((file, function)) if exists(file, function) => None,
            _ => Some(format!("names a test that does not exist: {test}")),
        }),
        other => Some(format!("has the unknown status {other:?}")),
    }
}

/// A function of that name in that file, or a scenario whose name ends with it.
fn test_exists(file: &str, function: &str) -> bool {
    let Ok(text) = fs::read_to_string(root().join(Path::new(file))) else { return false };
    text.contains(&format!("fn {function}(")) || text.contains(&format!("::{function}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# RFC\nrfc = 9293\nrequirements = 1\n\n[[requirement]]\nid = \"MUST-1\"\nsection = \"3.1\"\n";

    fn complaints_about(rest: &str) -> Vec<String> {
        let ledger = parse(&format!("{HEAD}{rest}")).unwrap();
        check(&ledger, |file, function| (file, function) == ("crates/tcp/src/a.rs", "b"))
    }

    #[test]
    fn implemented_needs_a_test_that_exists() {
        let row = |rest: &str| complaints_about(&format!("sentence = \"a\"\nstatus = \"implemented\"\n{rest}")).len();
        assert_eq!(row("test = \"crates/tcp/src/a.rs::b\""), 0);
        assert_eq!(row("test = \"crates/tcp/src/a.rs::c\""), 1);
        assert_eq!(row("test = \"crates/tcp/src/a.rs::b, crates/tcp/src/a.rs::c\""), 1);
        assert_eq!(row(""), 1);
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_status_is_known() {
        assert_eq!(complaints_about("sentence = \"a\"\nstatus = \"exception\"\nreason = \"Linux too\"").len(), 0);
        assert_eq!(complaints_about("sentence = \"a\"\nstatus = \"exception\"").len(), 1);
        assert_eq!(complaints_about("sentence = \"a\"\nstatus = \"done\"").len(), 1);
        assert_eq!(complaints_about("status = \"todo\"").len(), 1);
    }

    #[test]
    fn a_lost_row_a_double_row_and_an_unknown_key_are_found() {
        let twice = "sentence = \"a\"\nstatus = \"todo\"\n[[requirement]]\nid = \"MUST-1\"\nsection = \"1\"\nsentence = \"b\"\nstatus = \"todo\"";
        assert_eq!(complaints_about(twice).len(), 2);
        assert!(parse(&format!("{HEAD}colour = \"red\"")).is_err());
        assert!(parse(&format!("{HEAD}status: todo")).is_err());
    }
}
