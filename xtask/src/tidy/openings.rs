//! The opening lines of crates and folders: what comes in, what goes out, who stands above and below, what is not here.

use super::{Complaints, manifests};
use crate::source::Source;

/// Each opening has these, in this order; text may follow on more lines.
const WANTED: [&str; 4] = ["In:", "Out:", "Above:", "Not here:"];

pub(super) fn check(sources: &[Source], complaints: &mut Complaints) {
    for source in sources {
        if is_opening(&source.path) {
            check_opening(source, complaints);
        }
        if let Some(folder) = library_of(&source.path) {
            check_attributes(source, folder, complaints);
        }
    }
    check_folders(sources, complaints);
}

/// The first file that a reader of a crate or a folder opens.
fn is_opening(path: &str) -> bool {
    let root_file = library_of(path).is_some() || path == "crates/cli/src/main.rs" || path == "xtask/src/main.rs";
    root_file || path.ends_with("/mod.rs")
}

/// `crates/NAME/src/lib.rs` → `NAME`.
fn library_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.strip_suffix("/src/lib.rs").filter(|name| !name.contains('/'))
}

fn check_opening(source: &Source, complaints: &mut Complaints) {
    let docs = source.text.lines().take_while(|line| line.starts_with("//!"));
    let docs: Vec<&str> = docs.map(|line| line.trim_start_matches("//!").trim()).collect();
    let mut at = 0;
    for wanted in WANTED {
        match docs[at..].iter().position(|line| line.starts_with(wanted)) {
            Some(found) => at += found + 1,
            None => {
                let what = format!("lacks its opening line `//! {wanted} …` (In, Out, Above … Below …, Not here)");
                complaints.add(&source.path, 1, &what);
                return;
            }
        }
    }
    if !docs.iter().any(|line| line.contains("Below:")) {
        complaints.add(&source.path, 1, "does not say what is below it (`Above: …. Below: ….`)");
    }
}

fn check_attributes(source: &Source, folder: &str, complaints: &mut Complaints) {
    if manifests::is_no_std(folder) && !source.code.contains("#![no_std]") {
        complaints.add(&source.path, 1, "is on the map without std and lacks #![no_std]");
    }
    if folder != "link" && !source.code.contains("#![forbid(unsafe_code)]") {
        complaints.add(&source.path, 1, "lacks #![forbid(unsafe_code)]");
    }
}

/// A folder of sources has a `mod.rs`, which holds the flow; `foo/tests.rs` alone needs none.
fn check_folders(sources: &[Source], complaints: &mut Complaints) {
    let mut folders: Vec<&str> =
        sources.iter().filter_map(|source| source.path.rsplit_once('/')).map(|(f, _)| f).collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders.into_iter().filter(|folder| folder.contains("/src/") && !folder.contains("/src/bin")) {
        let inside = || sources.iter().filter(|source| source.path.rsplit_once('/').is_some_and(|(f, _)| f == folder));
        let only_tests = inside().all(|source| source.path.ends_with("/tests.rs"));
        if !only_tests && !inside().any(|source| source.path.ends_with("/mod.rs")) {
            complaints.add(folder, 1, "has no mod.rs: it holds the flow, its siblings the steps");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_about(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files.iter().map(|(path, text)| Source::new(path, (*text).to_owned())).collect();
        let mut complaints = Complaints::default();
        check(&sources, &mut complaints);
        complaints.list
    }

    const GOOD: &str = "//! A.\n//!\n//! In: a.\n//! Out: b.\n//! Above: c. Below: d.\n//! Not here: e.\n#![no_std]\n#![forbid(unsafe_code)]\n";

    #[test]
    fn a_whole_opening_is_accepted() {
        assert_eq!(complaints_about(&[("crates/wire/src/lib.rs", GOOD)]), [""; 0]);
    }

    #[test]
    fn each_missing_line_is_refused() {
        for line in [
            "//! In: a.\n",
            "//! Out: b.\n",
            "//! Above: c. Below: d.\n",
            "//! Not here: e.\n",
            " Below: d.",
            "#![no_std]\n",
        ] {
            let broken = GOOD.replace(line, "");
            assert_eq!(complaints_about(&[("crates/wire/src/lib.rs", &broken)]).len(), 1, "{line}");
        }
    }

    #[test]
    fn a_folder_needs_its_mod_rs() {
        assert_eq!(complaints_about(&[("crates/tcp/src/rcv/queue.rs", "")]).len(), 1);
        assert_eq!(complaints_about(&[("crates/tcp/src/rcv/tests.rs", "")]).len(), 0);
    }
}
