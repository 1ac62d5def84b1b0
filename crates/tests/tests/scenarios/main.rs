//! All scenarios: one binary, a module per topic.

mod every_field;
mod harness;

use std::process::ExitCode;

fn main() -> ExitCode {
    wirewright_tests::main([harness::scenarios(), every_field::scenarios()].into_iter().flatten().collect())
}
