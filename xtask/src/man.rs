//! `cargo xtask man`: the manual pages, as `ww` itself writes them, in each language.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::shell::{cargo, must, output_of, target_folder};

/// The languages: locale, folder below the pages.
const LANGUAGES: [(&str, &str); 2] = [("C.UTF-8", ""), ("ko_KR.UTF-8", "ko")];

pub(crate) fn run(rest: &[String]) -> Result<(), String> {
    let folder = match rest {
        [] => target_folder().join("man"),
        [folder] => PathBuf::from(folder),
        _ => return Err("at most one word: the folder".to_owned()),
    };
    must(cargo().args(["build", "--quiet", "--package", "wirewright-cli"]))?;
    for (locale, below) in LANGUAGES {
        let man = || {
            let mut command = Command::new(target_folder().join("debug/ww"));
            command.arg("__man").env("LC_ALL", locale);
            command
        };
        for name in output_of(&mut man())?.lines() {
            write(&folder.join(below), name, &output_of(man().arg(name))?)?;
        }
    }
    let folder = folder.display();
    println!("manual pages in {folder}: man -M {folder} ww");
    Ok(())
}

/// Writes a page into the folder of its section.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let section = name.rsplit('.').next().unwrap_or_default();
    let place = folder.join(format!("man{section}"));
    let written = fs::create_dir_all(&place).and_then(|()| fs::write(place.join(name), text));
    written.map_err(|error| format!("{}: {error}", place.join(name).display()))
}
