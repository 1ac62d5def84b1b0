//! The proof that the crates without std need none: they are linked into a program that has none.
//!
//! `cargo check` accepts `#![no_std]` on a crate whose dependencies bring std in by another door. A program with its
//! own panic handler does not link with them: there would be two.

use std::{fmt::Write as _, fs, path::Path};

use super::manifests;
use crate::shell::{cargo, must, root, target_folder};

/// Links the proof and gives the names of the crates in it.
pub(super) fn link_proof() -> Result<Vec<&'static str>, String> {
    let crates: Vec<&str> = manifests::no_std_crates()
        .filter(|name| root().join("crates").join(name).join("Cargo.toml").is_file())
        .collect();
    let folder = target_folder().join("no_std_proof");
    write_proof(&folder, &crates).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut build = cargo();
    build.current_dir(&folder).args(["build", "--quiet"]).env("CARGO_TARGET_DIR", folder.join("target"));
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    must(&mut build).map_err(|why| format!("the no_std proof does not link: {why}"))?;
    Ok(crates)
}

/// A package outside the workspace: its own features only, so that no other crate's `std` feature hides a need.
fn write_proof(folder: &Path, crates: &[&str]) -> std::io::Result<()> {
    let mut manifest = String::from(
        "[package]\nname = \"no_std_proof\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n\
         [profile.dev]\npanic = \"abort\"\n\n[dependencies]\n",
    );
    let mut uses = String::new();
    for name in crates {
        let path = root().join("crates").join(name);
        let _ = writeln!(manifest, "wirewright-{name} = {{ path = {:?} }}", path.display().to_string());
        let _ = writeln!(uses, "extern crate wirewright_{name};");
    }
    fs::create_dir_all(folder.join("src"))?;
    let proof = fs::read_to_string(root().join("xtask/no_std_proof/main.rs"))?;
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("build.rs"), "fn main() { println!(\"cargo::rustc-link-arg-bins=-nostartfiles\"); }\n")?;
    fs::write(folder.join("src/main.rs"), format!("{proof}\n{uses}"))?;
    // The versions of the workspace, so that the proof is about the same code and needs no network.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
}
