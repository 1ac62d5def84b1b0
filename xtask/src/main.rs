//! The chores of the workspace, the same for a person and for CI: `cargo xtask <chore>`.
//!
//! In: the tree as it is checked out.
//! Out: complaints with file and line, tables, test results, and an exit code.
//! Above: `.ci/run` and people. Below: cargo, git, and the tools that the tests need.
//! Not here: anything that the published crates use.
#![forbid(unsafe_code)]

mod count;
mod doc;
mod ledger;
mod man;
mod shell;
mod source;
mod test;
mod tidy;

use std::{env, process::ExitCode};

const HELP: &str = "\
cargo xtask <chore>

  tidy    compare the tree with the rules of DESIGN.md and CONTRIBUTING.md, and link the no_std proof
          (--bless writes the sizes of too long functions to xtask/function-ratchet.txt)
  rfc     print the ledgers docs/rfc/*.toml and check that each implemented requirement has a test
          (--open lists what is still to do)
  test    install what the tests need where it can, build, run every test; last line: N passed, N failed
          (words after it go to the test runner as filters; --no-install changes nothing on the machine)
  man     write the manual pages to target/man, or to the folder named, in each language
  doc     build the documentation with warnings as errors
  count   count the instructions that a packet costs (callgrind), and compare them with bench/count/instructions.txt
          (--bless writes them there)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (chore, rest) = match arguments.split_first() {
        Some((chore, rest)) => (chore.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match chore {
        "tidy" => tidy::run(rest),
        "rfc" => ledger::run(rest),
        "test" => test::run(rest),
        "man" => man::run(rest),
        "doc" => doc::run(),
        "count" => count::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("no chore is called {other:?}\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask {chore}: {why}");
            ExitCode::FAILURE
        }
    }
}
