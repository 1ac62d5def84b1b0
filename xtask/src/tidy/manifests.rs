//! The manifests against the map: which crate may depend on which.

use serde_json::Value;

use super::Complaints;
use crate::shell::{cargo, output_of};

/// A row of DESIGN.md's map: a crate, the crates of ours that it may depend on, and whether it does without std.
struct Row {
    name: &'static str,
    may_use: &'static [&'static str],
    no_std: bool,
}

/// A crate above the rule of the map: it may use all of ours.
const ALL: &[&str] = &["*"];

const fn row(name: &'static str, may_use: &'static [&'static str]) -> Row {
    Row { name, may_use, no_std: false }
}

const fn no_std_row(name: &'static str, may_use: &'static [&'static str]) -> Row {
    Row { name, may_use, no_std: true }
}

/// The map. A crate that is not here is refused, so that a new one is decided and not slipped in.
const MAP: &[Row] = &[
    no_std_row("wirewright-units", &[]),
    no_std_row("wirewright-wire", &[]),
    no_std_row("wirewright-craft", &["wire"]),
    row("wirewright-pkt", &["craft"]),
    no_std_row("wirewright-tcp", &["wire", "units"]),
    no_std_row("wirewright-stack", &["tcp", "wire", "units"]),
    no_std_row("wirewright-hand", &["craft", "tcp", "wire", "units"]),
    row("wirewright-capture", &["wire", "units"]),
    no_std_row("wirewright-inspect", &["wire", "craft", "units"]),
    row("wirewright-render", &["inspect", "hand", "units"]),
    row("wirewright-sim", &["units"]),
    row("wirewright-link", &["wire", "units"]),
    row("wirewright-net", &["stack", "tcp", "hand", "craft", "link", "capture", "units"]),
    row("wirewright-lab", &["link", "sim", "craft", "units"]),
    row(
        "wirewright",
        &[
            "units", "wire", "craft", "pkt", "tcp", "stack", "hand", "capture", "inspect", "render", "sim", "link",
            "net",
        ],
    ),
    row("wirewright-cli", ALL),
    row("wirewright-tests", ALL),
    row("wirewright-bench", ALL),
    row("wirewright-count", ALL),
    row("xtask", &[]),
];

/// The crates without std, by their folders, in the order of the map.
pub(super) fn no_std_crates() -> impl Iterator<Item = &'static str> {
    MAP.iter().filter(|row| row.no_std).map(|row| short(row.name))
}

/// Whether the crate in this folder is one without std.
pub(super) fn is_no_std(folder: &str) -> bool {
    no_std_crates().any(|name| name == folder)
}

fn short(package: &str) -> &str {
    package.strip_prefix("wirewright-").unwrap_or(package)
}

/// Compares every manifest with the map. Dev-dependencies are free: tests may look down on anything.
pub(super) fn check(complaints: &mut Complaints) -> Result<(), String> {
    let text = output_of(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--quiet"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        check_package(package, complaints);
    }
    Ok(())
}

fn check_package(package: &Value, complaints: &mut Complaints) {
    let name = package["name"].as_str().unwrap_or_default();
    let manifest = format!("{name}'s Cargo.toml");
    let Some(row) = MAP.iter().find(|row| row.name == name) else {
        complaints.add(&manifest, 1, "is not on the map: see DESIGN.md, then xtask/src/tidy/manifests.rs");
        return;
    };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let other = dependency["name"].as_str().unwrap_or_default();
        let is_ours = dependency["path"].is_string();
        let is_dev = dependency["kind"].as_str() == Some("dev");
        let allowed = row.may_use == ALL || row.may_use.contains(&short(other));
        if is_ours && !is_dev && !allowed {
            let what = format!("may not depend on {other}: the map allows {:?}", row.may_use);
            complaints.add(&manifest, 1, &what);
        }
    }
    if package["rust_version"].is_null() {
        complaints.add(&manifest, 1, "lacks rust-version.workspace = true");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn complaints_about(name: &str, dependency: &str, kind: Option<&str>) -> usize {
        let package = json!({
            "name": name, "rust_version": "1.95",
            "dependencies": [{ "name": dependency, "path": "/x", "kind": kind }],
        });
        let mut complaints = Complaints::default();
        check_package(&package, &mut complaints);
        complaints.list.len()
    }

    #[test]
    fn an_edge_upward_is_refused_and_one_downward_accepted() {
        assert_eq!(complaints_about("wirewright-tcp", "wirewright-wire", None), 0);
        assert_eq!(complaints_about("wirewright-wire", "wirewright-tcp", None), 1);
        assert_eq!(complaints_about("wirewright-wire", "wirewright-tcp", Some("dev")), 0);
        assert_eq!(complaints_about("wirewright-util", "wirewright-wire", None), 1);
    }

    #[test]
    fn every_crate_named_in_the_map_is_on_it() {
        for row in MAP.iter().filter(|row| row.may_use != ALL) {
            assert!(row.may_use.iter().all(|used| MAP.iter().any(|other| short(other.name) == *used)), "{}", row.name);
        }
    }
}
