//! The rules that a machine can check.
//!
//! In: the tracked files and what cargo says of the manifests.
//! Out: complaints, each with file, line, and what the rule wants.
//! Above: `cargo xtask tidy`. Below: `source.rs`, git, cargo.
//! Not here: what rustfmt, clippy and rustc check by themselves.

mod manifests;
mod no_std;
mod openings;
mod sizes;
mod translations;
mod words;

use std::fs;

use crate::{shell::root, source};

/// The complaints of all rules, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Complaints {
    list: Vec<String>,
    warnings: Vec<String>,
}

impl Complaints {
    /// `path` breaks a rule at `line`.
    pub(crate) fn add(&mut self, path: &str, line: usize, what: &str) {
        self.list.push(format!("{path}:{line}: {what}"));
    }

    /// `path` comes near to breaking a rule.
    pub(crate) fn warn(&mut self, path: &str, what: &str) {
        self.warnings.push(format!("{path}: {what}"));
    }
}

/// Checks everything.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let files = source::tracked_files()?;
    let sources = source::rust_sources(&files)?;
    let mut complaints = Complaints::default();
    if arguments.iter().any(|argument| argument == "--bless") {
        sizes::bless(&sources)?;
    }
    manifests::check(&mut complaints)?;
    sizes::check(&sources, &mut complaints);
    openings::check(&sources, &mut complaints);
    words::check_rust(&sources, &mut complaints);
    words::check_names(&files, &mut complaints);
    words::check_machine_paths(&files, &mut complaints);
    check_decisions(&files, &mut complaints);
    translations::check(&mut complaints);
    let linked = no_std::link_proof().unwrap_or_else(|why| {
        complaints.add("xtask/no_std_proof/main.rs", 1, &why);
        Vec::new()
    });
    complaints.warnings.iter().for_each(|warning| eprintln!("note: {warning}"));
    complaints.list.iter().for_each(|complaint| eprintln!("{complaint}"));
    if !complaints.list.is_empty() {
        return Err(format!("{} complaints", complaints.list.len()));
    }
    println!("tidy: {} files, {} of them Rust; without std link: {}", files.len(), sources.len(), linked.join(" "));
    Ok(())
}

/// A decision that needs more than this was not decided.
const DECISION_LINES_MAX: usize = 60;

fn check_decisions(files: &[std::path::PathBuf], complaints: &mut Complaints) {
    for file in files.iter().filter(|file| file.starts_with("docs/decisions")) {
        let lines = fs::read_to_string(root().join(file)).map_or(0, |text| text.lines().count());
        if lines > DECISION_LINES_MAX {
            let what = format!("{lines} lines; a decision has at most {DECISION_LINES_MAX}");
            complaints.add(&file.to_string_lossy(), lines, &what);
        }
    }
}
