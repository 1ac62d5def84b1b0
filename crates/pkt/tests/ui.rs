//! What `pkt!` refuses, as the compiler says it: whole texts compared, the place of the word included.
//!
//! Each `ui/NAME.rs` is compiled by itself and must fail with `ui/NAME.stderr`. `BLESS=1` writes those anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The macro as the compiler loads it; cargo knows where it lies, and builds nothing that is there.
fn library() -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "-p", "wirewright-pkt", "--lib", "--message-format=json"])
        .output()
        .expect("cargo can be started where its tests run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("JSON");
    let messages = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let mut ours =
        messages.filter(|it| it["reason"] == "compiler-artifact" && it["target"]["name"] == "wirewright_pkt");
    let path = ours.next_back().and_then(|it| Some(it["filenames"][0].as_str()?.to_owned()));
    path.expect("cargo names what it built")
}

/// What the compiler says of a file, without the lines that count errors.
fn said(library: &str, case: &Path) -> String {
    let folder = env::temp_dir().join(format!("wirewright-pkt-{}", std::process::id()));
    let output = Command::new("rustc")
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--color", "never", "--out-dir"])
        .arg(&folder)
        .args(["--extern", &format!("wirewright_pkt={library}")])
        .arg(case)
        .output()
        .expect("rustc can be started where cargo can");
    let _ = fs::remove_dir_all(&folder);
    assert!(!output.status.success(), "{} compiles", case.display());
    String::from_utf8(output.stderr).expect("the compiler writes UTF-8")
}

#[test]
fn what_is_refused_is_told_at_its_word() {
    let library = library();
    let entries = fs::read_dir("tests/ui").expect("tests run in the crate's folder").flatten();
    let mut cases: Vec<PathBuf> =
        entries.map(|it| it.path()).filter(|it| it.extension() == Some("rs".as_ref())).collect();
    cases.sort();
    assert!(cases.len() >= 6, "{cases:?}");
    let mut wrong = String::new();
    for case in cases {
        let said = said(&library, &case);
        let expected = case.with_extension("stderr");
        if env::var_os("BLESS").is_some() {
            fs::write(&expected, &said).expect("the folder of the test can be written to");
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        if said != wanted {
            wrong += &format!("--- {}: wanted\n{wanted}--- said\n{said}", case.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
