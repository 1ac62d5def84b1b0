//! `ww plan`, and `--dry-run`: say what would happen.

use craft::Packet;
use net::hand::{Fragment, Session};

use super::send::session_options;
use crate::command::Options;
use crate::context;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::input;
use crate::output::Output;
use crate::packets::{self, Packets};
use crate::place::Place;
use crate::said;
use crate::speech::{say, words};

pub(crate) fn run(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let words = options.text_words()?;
    if packets::source_of(&words).is_none() && !words.is_empty() {
        // Words make one packet here: what would happen to many is what happens to one of them.
        craft::parse_words(&words).map_err(|error| input::language(place, "plan", &error))?;
    }
    let mut packets = Packets::read("plan", options, place)?;
    let mut session = Session::open(session_options(options, place)?);
    let entropy = context::entropy(options.seed);
    for index in 0..packets.count().unwrap_or(u64::MAX) {
        if index > 0 && !out.json {
            out.result("")?;
        }
        let packet = packets.packet(index, entropy)?;
        plan(&packet, &mut session, &Attempt { verb: "plan", options, place }, out)?;
    }
    Ok(Exit::Answered)
}

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
