//! The verbs, one file each.
//!
//! In: options and words.
//! Out: results on standard output, an exit code or a failure.
//! Above: `main`. Below: input, output, explain and the other crates.
//! Not here: option parsing.

pub(crate) mod build;
mod completions;
pub(crate) mod demo;
pub(crate) mod fields;
pub(crate) mod flow;
pub(crate) mod get;
pub(crate) mod guard;
pub(crate) mod hand;
pub(crate) mod help;
pub(crate) mod lab;
mod many;
pub(crate) mod plan;
mod probing;
mod replay;
pub(crate) mod send;
pub(crate) mod show;
pub(crate) mod sum;

use crate::command::{Options, Verb};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::Place;

/// Runs a verb in a place: on this machine, or in the lab.
pub(crate) fn run(verb: &Verb, options: &Options, place: &Place<'_>) -> Result<Exit, Failure> {
    let out = Output::new(options);
    match verb.name {
        "completions" => completions::run(options, &out),
        "build" => build::run(options, &out, place),
        "show" => show::run(options, &out),
        "flow" => flow::run(options, &out),
        "sum" => sum::run(options, &out),
        "get" => get::run(options, &out, place),
        "fields" => fields::run(options, &out),
        "hand" => hand::run(options, &out, place),
        "help" => help::run(options, &out),
        "plan" => plan::run(options, &out, place),
        "ask" | "send" if options.dry_run => plan::run(options, &out, place),
        "ping" => probing::ping(options, &out, place),
        "trace" => probing::trace(options, &out, place),
        "probe" => probing::probe(options, &out, place),
        "guard" => guard::run(options, &out, place),
        "ask" => send::ask(options, &out, place),
        "send" => send::send(options, &out, place),
        _ => demo::run(options),
    }
}
