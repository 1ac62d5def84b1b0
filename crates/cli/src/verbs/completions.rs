//! `ww completions SHELL`: the function that a shell calls at each Tab.

use crate::command::Options;
use crate::complete::SHELLS;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::speech::say;

pub(crate) fn run(options: &Options, out: &Output) -> Result<Exit, Failure> {
    let shells = || SHELLS.map(|(name, _)| name).join(", ");
    let words = options.text_words()?;
    let [shell] = words.as_slice() else {
        return Err(Failure::usage("shell-missing", say("error.shell-missing", &[])).row("it takes", shells()));
    };
    match SHELLS.iter().find(|(name, _)| name == shell) {
        Some((_, function)) => out.result(function).map(|()| Exit::Answered),
        None => {
            Err(Failure::usage("shell-unknown", say("error.shell-unknown", &[("shell", shell)]))
                .row("it takes", shells()))
        }
    }
}
