//! The manual page of the packet language: each of its commands is run, and prints what stands below it.
//!
//! ```` ```ww NAME ```` is a file, ```` ```console ```` commands behind `$ ` with all that they print, ```` ```sh ```` commands
//! whose output differs from run to run and that end well; ```` ```text ```` is of other programs, and not run. `BLESS=1` writes what is printed into the page.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use wirewright_tests::{Ground, Need, Outcome, Scenario, ensure, workspace_root};

use crate::bad_input::Place;

/// The page of the language, a language each.
const PAGES: [&str; 2] = ["docs/manual/packet-language.md", "docs/manual/packet-language.ko.md"];

/// What users of other tools type, and what they type here.
const COMING_FROM: &str = "docs/manual/coming-from.md";

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("manual::each_example_prints_what_stands_below_it", Ground::Plain, |_| examples())
            .needs(Need::Namespaces)
            .tools(&["sh"]),
        Scenario::new("manual::each_language_has_the_same_examples", Ground::Plain, |_| same_in_each_language()),
    ]
}

/// A block of the page: its first line behind the fence, and its lines.
type Block = (String, String);

/// The text of a page, its blocks replaced by what `make` returns.
fn remade(page: &str, mut make: impl FnMut(&Block) -> Result<String, String>) -> Result<String, String> {
    let mut text = String::new();
    let mut block: Option<Block> = None;
    for line in page.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                block = Some((kind.to_owned(), String::new()));
                text.push_str(line);
                text.push('\n');
            }
            (Some(_), Some("")) => {
                if let Some(block) = block.take() {
                    text.push_str(&make(&block)?);
                }
                text.push_str("```\n");
            }
            (Some((_, lines)), _) => {
                lines.push_str(line);
                lines.push('\n');
            }
            (None, None) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    Ok(text)
}

fn examples() -> Outcome {
    for page in PAGES.into_iter().chain([COMING_FROM]) {
        let path = workspace_root().join(page);
        if path.exists() {
            run_page(&path)?;
        }
    }
    Ok(())
}

fn run_page(path: &Path) -> Outcome {
    let place = Place::new()?;
    let page = fs::read_to_string(path)?;
    let mut commands = 0;
    let found = remade(&page, |(kind, lines)| {
        let mut says = String::new();
        if let Some(name) = kind.strip_prefix("ww ") {
            place.folder.write(name, lines).map_err(|error| error.to_string())?;
            return Ok(lines.clone());
        }
        if kind == "text" {
            return Ok(lines.clone());
        }
        for line in lines.lines() {
            match (kind.as_str(), line.strip_prefix("$ ")) {
                ("console", Some(command)) => {
                    commands += 1;
                    let output = place.run(&format!("{{ {command}; }} 2>&1 </dev/null"))?;
                    writeln!(says, "$ {command}\n{}", output.text().trim_end()).map_err(|error| error.to_string())?;
                }
                ("console", None) => {}
                _ => {
                    commands += 1;
                    let _ended_well = place.run(line)?.success()?;
                    says.push_str(line);
                    says.push('\n');
                }
            }
        }
        Ok(says)
    })?;
    if env::var_os("BLESS").is_some() {
        fs::write(path, found)?;
    } else {
        let first = page.lines().zip(found.lines()).find(|(is, prints)| is != prints);
        ensure!(first.is_none() && page.lines().count() == found.lines().count(), "{}: {first:?}", path.display());
    }
    println!("{}: {commands} commands", path.display());
    ensure!(commands > 20, "only {commands} commands were found");
    Ok(())
}

fn same_in_each_language() -> Outcome {
    let mut pages = Vec::new();
    for page in PAGES {
        let mut all = Vec::new();
        let text = fs::read_to_string(workspace_root().join(page))?;
        let _same = remade(&text, |block| {
            all.push(block.clone());
            Ok(String::new())
        })?;
        pages.push(all);
    }
    ensure!(pages.windows(2).all(|pair| pair[0] == pair[1]), "the pages of the languages have other examples");
    Ok(())
}
