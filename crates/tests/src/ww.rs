//! Our own command, as it was built.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

use crate::Program;

/// The folder that holds the workspace.
#[must_use]
pub fn workspace_root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies two folders below the workspace")
}

/// The `ww` under test: `WW_BINARY`, or the one in the target folder of this test, built anew if a source is younger.
///
/// # Panics
/// Where it cannot be built: without it no scenario means anything.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match env::var_os("WW_BINARY") {
        Some(path) => PathBuf::from(path),
        None => beside_this_test(),
    })
}

/// `ww` with nothing in its environment that would change what it says.
#[must_use]
pub fn ww() -> Program {
    Program::new(binary()).env("LANG", "C.UTF-8").env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").env("TERM", "xterm")
}

/// `ww lab LINE`, its words divided by white space but for those in single quotes.
#[must_use]
pub fn ww_lab(line: &str) -> Program {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace()),
            _ => words.push(part),
        }
    }
    ww().arg("lab").args(words)
}

fn beside_this_test() -> PathBuf {
    let this = env::current_exe().expect("the path of the running test binary is known");
    // …/target/debug/deps/scenarios-1234: the profile's folder is the parent of `deps`.
    let profile = this.ancestors().find(|folder| folder.ends_with("deps")).and_then(Path::parent);
    let profile = profile.expect("a test binary lies below a folder called deps");
    let path = profile.join("ww");
    if is_older_than_its_sources(&path) {
        build(profile);
    }
    path
}

fn is_older_than_its_sources(binary: &Path) -> bool {
    let Ok(built) = fs::metadata(binary).and_then(|meta| meta.modified()) else { return true };
    newest_below(&workspace_root().join("crates")).is_some_and(|source| source > built)
}

fn newest_below(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries
        .filter_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => newest_below(&entry.path()),
            _ => entry.metadata().and_then(|meta| meta.modified()).ok(),
        })
        .max()
}

fn build(profile: &Path) {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace_root()).args(["build", "--quiet", "--package", "wirewright-cli"]);
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo can be started where its tests run");
    assert!(status.success(), "ww does not build");
}
