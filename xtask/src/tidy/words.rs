//! Words that may stand in some files only: `unsafe`, clock reads, unfinished work, names that say nothing.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::Complaints;
use crate::{shell::root, source::Source};

/// A word, the files in which it may stand, and what to do instead.
struct Rule {
    word: &'static str,
    allowed: &'static [&'static str],
    instead: &'static str,
}

/// All unsafe code of the published crates is here.
const SYS: &str = "crates/link/src/sys/";

/// The clock is read here and nowhere else.
const CLOCK: &str = "crates/link/src/sys/clock.rs";

/// The linked proof needs a panic handler and an allocator of its own. It is no part of the workspace.
const NO_STD_PROOF: &str = "xtask/no_std_proof/";

/// Where a counting allocator stands (unpublished).
const ALLOCATORS: [&str; 2] = ["crates/tests/src/allocator.rs", "bench/src/allocator.rs"];

const RULES: &[Rule] = &[
    Rule {
        word: "unsafe",
        allowed: &[SYS, NO_STD_PROOF, ALLOCATORS[0], ALLOCATORS[1]],
        instead: "unsafe code is in crates/link/src/sys/ only",
    },
    Rule { word: "Instant::now", allowed: &[CLOCK], instead: "the clock is read in link::sys::clock: take `now`" },
    Rule {
        word: "SystemTime::now",
        allowed: &[CLOCK],
        instead: "the clock is read in link::sys::clock: take the time",
    },
    Rule { word: "clock_gettime", allowed: &[CLOCK], instead: "the clock is read in link::sys::clock" },
    Rule { word: "todo!", allowed: &[], instead: "finish it, or leave it out" },
    Rule { word: "unimplemented!", allowed: &[], instead: "finish it, or leave it out" },
    Rule { word: "dbg!", allowed: &[], instead: "take it out" },
    Rule { word: "#[ignore", allowed: &[], instead: "a test runs or is not there; a need is told by the harness" },
    Rule {
        word: "collections::HashMap",
        allowed: &[],
        instead: "its order changes from run to run: BTreeMap, hashbrown",
    },
    Rule {
        word: "collections::HashSet",
        allowed: &[],
        instead: "its order changes from run to run: BTreeSet, hashbrown",
    },
];

/// Crates and modules have names that say what is in them.
const EMPTY_NAMES: [&str; 6] = ["common", "util", "utils", "misc", "helper", "helpers"];

pub(super) fn check_rust(sources: &[Source], complaints: &mut Complaints) {
    for source in sources {
        for rule in RULES.iter().filter(|rule| !rule.allowed.iter().any(|path| source.path.starts_with(path))) {
            for line in source.lines_with(rule.word) {
                complaints.add(&source.path, line, &format!("`{}`: {}", rule.word, rule.instead));
            }
        }
        check_hash_maps(source, complaints);
        check_safety_comments(source, complaints);
        for name in EMPTY_NAMES {
            for line in source.lines_with(&format!("mod {name}")) {
                complaints.add(&source.path, line, &format!("`{name}` says nothing: name what is in it"));
            }
        }
    }
}

/// `use std::collections::{BTreeMap, HashMap}` does not show the path as one word.
fn check_hash_maps(source: &Source, complaints: &mut Complaints) {
    let from_elsewhere = source.code.contains("hashbrown");
    for word in ["HashMap", "HashSet"] {
        if !from_elsewhere && !source.code.contains(&format!("collections::{word}")) {
            for line in source.lines_with(word) {
                complaints.add(&source.path, line, &format!("`{word}` of std: its order changes from run to run"));
            }
        }
    }
}

/// How far above an unsafe block its reason may begin.
const SAFETY_LINES: usize = 8;

fn check_safety_comments(source: &Source, complaints: &mut Complaints) {
    let lines: Vec<&str> = source.text.lines().collect();
    let blocks = ["unsafe {", "unsafe impl"].iter().flat_map(|word| source.lines_with(word));
    for line in blocks {
        let reason = &lines[line.saturating_sub(SAFETY_LINES + 1)..line];
        if !reason.iter().any(|line| line.contains("SAFETY:")) {
            complaints.add(&source.path, line, "unsafe without `// SAFETY:` above it");
        }
    }
}

pub(super) fn check_names(files: &[PathBuf], complaints: &mut Complaints) {
    for file in files.iter().filter(|file| file.starts_with("crates") || file.starts_with("xtask")) {
        let parts = file.with_extension("");
        let empty = parts.iter().filter_map(|part| part.to_str()).find(|part| EMPTY_NAMES.contains(part));
        if let Some(name) = empty {
            complaints.add(&file.to_string_lossy(), 1, &format!("`{name}` says nothing: name what is in it"));
        }
    }
}

/// No file holds a path of the machine on which it was written.
pub(super) fn check_machine_paths(files: &[PathBuf], complaints: &mut Complaints) {
    let home = env::var_os("HOME").map(PathBuf::from);
    let places: Vec<String> = [Some(root().to_path_buf()), home]
        .into_iter()
        .flatten()
        .filter(|place| place.components().count() > 1)
        .map(|place| format!("{}/", place.display()))
        .collect();
    for file in files.iter().filter(|file| !file.ends_with("Cargo.lock")) {
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        check_text_for_places(file, &text, &places, complaints);
    }
}

fn check_text_for_places(file: &Path, text: &str, places: &[String], complaints: &mut Complaints) {
    for (index, line) in text.lines().enumerate() {
        if let Some(place) = places.iter().find(|place| line.contains(place.as_str())) {
            complaints.add(&file.to_string_lossy(), index + 1, &format!("holds {place}, a path of this machine"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_about(path: &str, text: &str) -> usize {
        let mut complaints = Complaints::default();
        check_rust(&[Source::new(path, text.to_owned())], &mut complaints);
        complaints.list.len()
    }

    #[test]
    fn unsafe_stands_in_sys_only_and_with_its_reason() {
        let reasoned = "// SAFETY: the length was checked above.\nlet x = unsafe { f() };\n";
        assert_eq!(complaints_about("crates/link/src/sys/socket.rs", reasoned), 0);
        assert_eq!(complaints_about("crates/link/src/raw_ip.rs", reasoned), 1);
        assert_eq!(complaints_about("crates/link/src/sys/socket.rs", "let x = unsafe { f() };\n"), 1);
    }

    #[test]
    fn the_clock_is_read_in_one_file() {
        assert_eq!(complaints_about("crates/link/src/sys/clock.rs", "Instant::now()"), 0);
        assert_eq!(complaints_about("crates/net/src/driver.rs", "std::time::Instant::now()"), 1);
    }

    #[test]
    fn unfinished_work_and_random_order_are_found_and_comments_are_not_code() {
        assert_eq!(complaints_about("a.rs", "fn f() { todo!() }"), 1);
        assert_eq!(complaints_about("a.rs", "#[ignore = \"later\"]"), 1);
        assert_eq!(complaints_about("a.rs", "use std::collections::{BTreeMap, HashMap};"), 1);
        assert_eq!(complaints_about("a.rs", "use hashbrown::HashMap;"), 0);
        assert_eq!(complaints_about("a.rs", "// todo!() unsafe HashMap\n"), 0);
        assert_eq!(complaints_about("a.rs", "mod util;"), 1);
    }

    #[test]
    fn a_path_of_the_machine_is_found() {
        let mut complaints = Complaints::default();
        check_text_for_places(
            Path::new("a.md"),
            "see /nowhere/tree/x",
            &["/nowhere/tree/".to_owned()],
            &mut complaints,
        );
        assert_eq!(complaints.list.len(), 1);
    }
}
