//! All scenarios: one binary, a module per topic.

mod harness;

use std::process::ExitCode;

fn main() -> ExitCode {
    wirewright_tests::main(harness::scenarios())
}
