//! `ww`: the command.
//!
//! In: arguments, standard input, files.
//! Out: results on standard output, all else on standard error, an exit code.
//! Above: people and shells. Below: every crate.
//! Not here: protocol, sentences about packets, operating system calls.
#![forbid(unsafe_code)]

extern crate wirewright_capture as capture;
extern crate wirewright_craft as craft;
extern crate wirewright_hand as hand;
extern crate wirewright_inspect as inspect;
extern crate wirewright_lab as lab;
extern crate wirewright_link as link;
extern crate wirewright_net as net;
extern crate wirewright_render as render;
extern crate wirewright_sim as sim;
extern crate wirewright_tcp as tcp;
extern crate wirewright_units as units;
extern crate wirewright_wire as wire;

mod amounts;
mod command;
mod complete;
mod context;
mod explain;
mod failure;
mod faults;
mod http;
mod in_process;
mod input;
mod man;
mod names;
mod output;
mod packets;
mod partner;
mod place;
mod progress;
mod record;
mod relay;
mod replay;
mod rules;
mod said;
mod speech;
mod suggest;
mod table;
mod verbs;

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use command::{Options, VERBS};
use failure::{Exit, Failure};
use output::Output;
use place::Place;
use speech::say;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    speech::choose(&args);
    match args.first().and_then(|first| first.to_str()) {
        Some("__complete") => {
            complete::run(&args[1..]);
            return ExitCode::SUCCESS;
        }
        Some("__man") if man::run(args.get(1).and_then(|name| name.to_str())) => return ExitCode::SUCCESS,
        _ => {}
    }
    let ended = speech::behind_lang(&args).and_then(|args| match args.split_first() {
        Some((first, rest)) if first == "lab" => verbs::lab::run(rest),
        _ => run(args, &Place::Machine),
    });
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            Output::complain(&failure, args.iter().any(|arg| arg == "--json"));
            failure.exit.into()
        }
    }
}

/// Runs one command line in a place.
fn run(args: &[OsString], place: &Place<'_>) -> Result<Exit, Failure> {
    let Some((first, rest)) = args.split_first() else {
        return verbs::demo::run(&Options::default());
    };
    match first.to_str().unwrap_or_default() {
        "--help" | "-h" => return verbs::help::overview(&Output::new(&Options::default())),
        "--version" | "-V" => return verbs::help::version(&Output::new(&Options::default())),
        _ => {}
    }
    let Some(verb) = first.to_str().and_then(command::verb) else {
        return Err(unknown_verb(first, rest, place));
    };
    let options = Options::read(verb, rest)?;
    if options.help {
        return verbs::help::of_verb(verb, &Output::new(&options));
    }
    verbs::run(verb, &options, place)
}

/// No verb of ours: a layer means that the verb was forgotten, anything else is looked up among the verbs.
fn unknown_verb(first: &OsStr, rest: &[OsString], place: &Place<'_>) -> Failure {
    let typed = |word: &OsStr| render::shell_word(&word.to_string_lossy());
    let rest: Vec<String> = rest.iter().map(|word| typed(word)).collect();
    let word = first.to_string_lossy();
    let shown = render::escape(&word);
    let ww = place.prefix();
    if craft::First::from_word(&word).is_some() {
        let line = [&[typed(first)], &rest[..]].concat().join(" ");
        return Failure::usage("verb-missing", say("error.verb-missing", &[("word", &shown)]))
            .row("try", format!("{ww} ask {line}"))
            .row("or", format!("ww build --as draw {line}"));
    }
    let failure = Failure::usage("verb-unknown", say("error.verb-unknown", &[("verb", &shown)]));
    let failure = match suggest::nearest(&word, VERBS.iter().map(|verb| verb.name)) {
        Some(near) => {
            let line = [&[near.to_owned()], &rest[..]].concat().join(" ");
            let meant = format!("{ww} {line}");
            if meant == "ww help" {
                return failure.row("did you mean", meant);
            }
            failure.row("did you mean", meant)
        }
        None => failure.row("verbs", failure::lines_of(VERBS.iter().map(|verb| verb.name))),
    };
    failure.row("see", "ww help")
}
