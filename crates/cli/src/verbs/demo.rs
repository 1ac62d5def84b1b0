//! `ww demo`: for now, where to begin.

use lab::Lab;

use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(options: &Options) -> Result<Exit, Failure> {
    super::help::overview(&Output::new(options))
}

pub(crate) fn tour(_lab: &Lab, options: &Options) -> Result<Exit, Failure> {
    run(options)
}
