//! The routers and the relay of the lab, from their options to the tally.

use lab::{Lab, Relay, RelayCount, Shape};
use sim::Faults;

use crate::command::{Options, bad_value};
use crate::context;
use crate::failure::{Exit, Failure};
use crate::faults;
use crate::output::Output;
use crate::said;
use crate::speech::say;

/// The routers that the options ask for.
///
/// # Errors
/// Not a number, or not so many.
pub(crate) fn shape(routers: Option<&str>, split: bool) -> Result<Shape, Failure> {
    let min = if split { Shape::SPLIT_ROUTERS_MIN } else { 1 };
    let Some(text) = routers else { return Ok(Shape::new(min, split).unwrap_or_default()) };
    text.parse().ok().and_then(|count| Shape::new(count, split)).ok_or_else(|| {
        let values: [(&str, &dyn std::fmt::Display); 2] = [("min", &min), ("max", &Shape::ROUTERS_MAX)];
        bad_value("routers", text, &say("hint.routers", &values))
    })
}

/// The relay that the options ask for. Without `--seed` it gets a small fresh one, which its tally names.
///
/// # Errors
/// A seed without faults; faults on wires that carry what no wire does.
pub(crate) fn of(options: &Options) -> Result<Option<Relay>, Failure> {
    if options.faults.is_none() && options.seed.is_some() {
        return Err(faults::needs("seed", &say("hint.fault-first", &[]), "fault.seed"));
    }
    if options.faults.is_none() && options.rewrites.is_empty() {
        return Ok(None);
    }
    if options.offload {
        return Err(
            Failure::usage("option-conflict", say("error.option-conflict.offload", &[])).row("see", "ww help lab")
        );
    }
    let seed = options.seed.unwrap_or_else(|| {
        let [a, b, c, ..] = context::entropy(None);
        u32::from_be_bytes([0, a, b, c]).into()
    });
    Ok(Some(Relay { faults: options.faults.unwrap_or(Faults::NONE), seed, rewrites: options.rewrites.clone() }))
}

/// Refuses where the lab has no routers and no wire for what was asked.
///
/// # Errors
/// On the rungs without networks.
pub(crate) fn check(lab: &Lab, shape: Shape, relay: Option<&Relay>) -> Result<(), Failure> {
    let asked = match relay {
        _ if lab.rung().has_networks() => return Ok(()),
        Some(relay) => words(relay),
        None if shape != Shape::ONE => shape_words(shape),
        None => return Ok(()),
    };
    let key = if relay.is_some() { "error.no-relay" } else { "error.no-routers" };
    let text = say(key, &[("rung", &said::rung(lab.rung())), ("options", &asked)]);
    Err(Failure::new(Exit::NotPermitted, "no-relay", text).row("see", "ww lab --verbose"))
}

fn shape_words(shape: Shape) -> String {
    let split = if shape.is_split() { " --split" } else { "" };
    format!("--routers {}{split}", shape.routers())
}

/// What the wire does, in a line; the options in it can be typed again.
pub(crate) fn stands(lab: &Lab, relay: &Relay) -> String {
    let [near, far] = lab.shape().relay_wire();
    say("relay.stands", &[("near", &near.host), ("far", &far.host), ("options", &typed(relay))])
}

/// Says what the relay has done.
pub(crate) fn report(lab: &Lab, relay: &Relay, out: &Output) {
    let Some(report) = lab.relay_report() else {
        return out.remark(&format!("ww: {}", say("relay.ended", &[])));
    };
    out.remark(&format!("ww: {}", say("relay.did", &[("options", &typed(relay))])));
    for (key, count) in [("relay.to-server", report.to_server), ("relay.to-client", report.to_client)] {
        out.remark(&format!("    {}   {}", say(key, &[]), counted(relay, &count)));
    }
}

fn counted(relay: &Relay, count: &RelayCount) -> String {
    let tally = count.tally;
    let mut text = say(
        "relay.count",
        &[
            ("frames", &tally.pushed),
            ("lost", &tally.lost),
            ("reordered", &tally.reordered),
            ("duplicated", &tally.duplicated),
            ("corrupted", &tally.corrupted),
            ("overflowed", &tally.overflowed),
        ],
    );
    if relay.faults == Faults::NONE && !relay.rewrites.is_empty() {
        text = say("relay.count-none", &[("frames", &tally.pushed)]);
    }
    if !relay.rewrites.is_empty() {
        text = format!("{text}, {}", say("relay.rewritten", &[("count", &count.rewritten)]));
    }
    for (key, count) in [("relay.unseen", count.unseen), ("relay.refused", count.refused)] {
        if count > 0 {
            text = format!("{text}; {}", say(key, &[("count", &count)]));
        }
    }
    text
}

/// The options of a relay, as they are typed.
fn words(relay: &Relay) -> String {
    let rules = relay.rewrites.iter().map(|rule| format!("--rewrite {}", render::shell_word(rule.words())));
    let has_faults = relay.faults != Faults::NONE || relay.rewrites.is_empty();
    has_faults.then(|| faults::words(&relay.faults)).into_iter().chain(rules).collect::<Vec<_>>().join(" ")
}

/// The same with the seed, where anything is left to chance.
fn typed(relay: &Relay) -> String {
    let seeded = relay.faults != Faults::NONE || relay.rewrites.is_empty();
    if seeded { format!("{} --seed {}", words(relay), relay.seed) } else { words(relay) }
}
