//! The relay of the lab, from its options to its tally.

use lab::{Lab, Relay, RelayCount};

use crate::command::Options;
use crate::context;
use crate::failure::{Exit, Failure};
use crate::faults;
use crate::output::Output;
use crate::said;
use crate::speech::say;

/// The relay that the options ask for. Without `--seed` it gets a small fresh one, which its tally names.
///
/// # Errors
/// A seed without faults; faults on wires that carry what no wire does.
pub(crate) fn of(options: &Options) -> Result<Option<Relay>, Failure> {
    let Some(faults) = options.faults else {
        return match options.seed {
            Some(_) => Err(faults::needs("seed", &say("hint.fault-first", &[]), "fault.seed")),
            None => Ok(None),
        };
    };
    if options.offload {
        return Err(
            Failure::usage("option-conflict", say("error.option-conflict.offload", &[])).row("see", "ww help lab")
        );
    }
    let seed = options.seed.unwrap_or_else(|| {
        let [a, b, c, ..] = context::entropy(None);
        u32::from_be_bytes([0, a, b, c]).into()
    });
    Ok(Some(Relay { faults, seed }))
}

/// Refuses where the lab has no wire.
///
/// # Errors
/// On the rungs without networks.
pub(crate) fn check(lab: &Lab, relay: &Relay) -> Result<(), Failure> {
    if lab.rung().has_networks() {
        return Ok(());
    }
    let values: [(&str, &dyn std::fmt::Display); 2] =
        [("rung", &said::rung(lab.rung())), ("options", &faults::words(&relay.faults))];
    let text = say("error.no-relay", &values);
    Err(Failure::new(Exit::NotPermitted, "no-relay", text).row("see", "ww lab --verbose"))
}

/// What the wire does, in a line; the options in it can be typed again.
pub(crate) fn stands(relay: &Relay) -> String {
    say("relay.stands", &[("options", &typed(relay))])
}

/// Says what the relay has done.
pub(crate) fn report(lab: &Lab, relay: &Relay, out: &Output) {
    let Some(report) = lab.relay_report() else {
        return out.remark(&format!("ww: {}", say("relay.ended", &[])));
    };
    out.remark(&format!("ww: {}", say("relay.did", &[("options", &typed(relay))])));
    for (key, count) in [("relay.to-server", report.to_server), ("relay.to-client", report.to_client)] {
        out.remark(&format!("    {}   {}", say(key, &[]), counted(&count)));
    }
}

fn counted(count: &RelayCount) -> String {
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
    for (key, count) in [("relay.unseen", count.unseen), ("relay.refused", count.refused)] {
        if count > 0 {
            text = format!("{text}; {}", say(key, &[("count", &count)]));
        }
    }
    text
}

fn typed(relay: &Relay) -> String {
    format!("{} --seed {}", faults::words(&relay.faults), relay.seed)
}
