//! `ww plan`, and `--dry-run`: say what would happen.

use craft::Packet;
use net::hand::{Fragment, Session};

use super::many;
use super::replay;
use super::send::session_options;
use crate::command::Options;
use crate::context;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::packets::{Asked, Packets};
use crate::place::Place;
use crate::said;
use crate::speech::{say, words};

pub(crate) fn run(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let mut packets = match Packets::or_capture("plan", options, place)? {
        Asked::Capture(opened) => return replay::plan(opened, options, out, place),
        Asked::Packets(packets) => packets,
    };
    let mut session = Session::open(session_options(options, place)?);
    let entropy = context::entropy(options.seed);
    let count = packets.count().unwrap_or(u64::MAX);
    for index in 0..count.min(PLANNED_MAX) {
        if index > 0 && !out.json {
            out.result("")?;
        }
        let packet = packets.packet(index, entropy)?;
        plan(&packet, &mut session, &Attempt { verb: "plan", options, place }, out)?;
    }
    if count > PLANNED_MAX {
        out.tell(&say("plan.more", &[("count", &(count - PLANNED_MAX))]));
    }
    Ok(Exit::Answered)
}

/// Plans of one call: as many packets as leave without a question. What happens to further ones shows in these.
pub(super) const PLANNED_MAX: u64 = many::UNASKED_MAX;

/// Says what would happen to one packet.
fn plan(packet: &Packet, session: &mut Session, attempt: &Attempt<'_>, out: &Output) -> Result<(), Failure> {
    let prepared = session.plan(packet).map_err(|error| explain::net(&error, attempt))?;
    if out.json {
        let mut json = render::plan_json(&prepared.plan);
        json["packet"] = prepared.packet.to_string().into();
        if !prepared.fragments.is_empty() {
            json["fragments"] = prepared.fragments.iter().map(|it| it.plan.size).collect::<Vec<_>>().into();
        }
        out.json_line(&json)?;
    } else {
        let built = craft::Packet::from_bytes(&prepared.built.bytes, prepared.built.first);
        out.result(&built.to_string())?;
        if !prepared.fragments.is_empty() {
            let (count, sizes) = (prepared.fragments.len(), sizes(&prepared.fragments));
            out.result(&say("plan.cut", &[("count", &count), ("sizes", &sizes)]))?;
        }
        out.result(&render::plan(&prepared.plan, &out.style, words()))?;
    }
    for note in &prepared.built.notes {
        out.tell(&said::note(note));
    }
    Ok(())
}

/// Sizes in a row, those that repeat counted: `3 × 1500, 20`.
fn sizes(fragments: &[Fragment]) -> String {
    let same = fragments.chunk_by(|a, b| a.plan.size == b.plan.size);
    let sizes = same.map(|run| match run {
        [one] => one.plan.size.to_string(),
        [first, ..] => format!("{} × {}", run.len(), first.plan.size),
        [] => String::new(),
    });
    sizes.collect::<Vec<_>>().join(", ")
}
