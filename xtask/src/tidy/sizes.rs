//! Sizes of files and functions. Long functions are a ratchet: those that are, are listed, and none grows.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use super::Complaints;
use crate::{
    shell::root,
    source::{Source, functions},
};

/// A file is one idea; at this many lines above its tests it is asked whether it still is.
const FILE_LINES_AIM: usize = 400;

/// No file has more lines above its tests.
const FILE_LINES_MAX: usize = 800;

/// What fits on a screen can be judged at a glance.
const FUNCTION_LINES_MAX: usize = 70;

const RATCHET: &str = "xtask/function-ratchet.txt";

pub(super) fn check(sources: &[Source], complaints: &mut Complaints) {
    for source in sources {
        let lines = source.lines_above_tests();
        if lines > FILE_LINES_MAX {
            let what = format!("{lines} lines above the tests; the wall is {FILE_LINES_MAX}: divide it");
            complaints.add(&source.path, lines, &what);
        } else if lines > FILE_LINES_AIM && !source.path.ends_with("/tests.rs") {
            complaints.warn(&source.path, &format!("{lines} lines above the tests; aim at {FILE_LINES_AIM}"));
        }
    }
    check_functions(sources, &read_ratchet(), complaints);
}

fn check_functions(sources: &[Source], ratchet: &BTreeMap<String, usize>, complaints: &mut Complaints) {
    let mut listed = ratchet.clone();
    for (source, function) in long_functions(sources) {
        let key = format!("{}::{}", source.path, function.name);
        let limit = listed.remove(&key).unwrap_or(FUNCTION_LINES_MAX);
        if function.lines > limit {
            let what = format!("{} has {} lines; the limit is {limit}", function.name, function.lines);
            complaints.add(&source.path, function.line, &what);
        } else if function.lines < limit {
            let what = format!("{} shrank to {} lines: cargo xtask tidy --bless", function.name, function.lines);
            complaints.add(&source.path, function.line, &what);
        }
    }
    for key in listed.keys() {
        complaints.add(RATCHET, 1, &format!("{key} is long no more: cargo xtask tidy --bless"));
    }
}

fn long_functions(sources: &[Source]) -> impl Iterator<Item = (&Source, crate::source::Function)> {
    let all =
        sources.iter().flat_map(|source| functions(&source.code).into_iter().map(move |function| (source, function)));
    all.filter(|(_, function)| function.lines > FUNCTION_LINES_MAX)
}

fn ratchet_path() -> PathBuf {
    root().join(RATCHET)
}

/// `path::function lines`, one a line.
fn read_ratchet() -> BTreeMap<String, usize> {
    let text = fs::read_to_string(ratchet_path()).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    lines.filter_map(|(key, lines)| Some((key.to_owned(), lines.parse().ok()?))).collect()
}

/// Writes down the long functions as they are; those who read the change see what grew.
pub(super) fn bless(sources: &[Source]) -> Result<(), String> {
    let text = long_functions(sources).fold(String::new(), |mut text, (source, function)| {
        let _ = writeln!(text, "{}::{} {}", source.path, function.name, function.lines);
        text
    });
    fs::write(ratchet_path(), text).map_err(|error| format!("{RATCHET}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_about(lines: usize, listed: Option<usize>) -> usize {
        let body = "x();\n".repeat(lines - 2);
        let source = Source::new("a.rs", format!("fn long() {{\n{body}}}\n"));
        let ratchet = listed.map(|lines| ("a.rs::long".to_owned(), lines)).into_iter().collect();
        let mut complaints = Complaints::default();
        check_functions(&[source], &ratchet, &mut complaints);
        complaints.list.len()
    }

    #[test]
    fn a_long_function_is_refused_unless_it_is_listed_as_long() {
        assert_eq!(complaints_about(70, None), 0);
        assert_eq!(complaints_about(71, None), 1);
        assert_eq!(complaints_about(90, Some(90)), 0);
    }

    #[test]
    fn the_ratchet_holds_both_ways() {
        assert_eq!(complaints_about(91, Some(90)), 1);
        assert_eq!(complaints_about(89, Some(90)), 1);
        assert_eq!(complaints_about(60, Some(90)), 1);
    }
}
