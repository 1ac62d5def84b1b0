//! `ww plan`, and `--dry-run`: say what would happen.

use net::hand::Session;

use super::send::session_options;
use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::input;
use crate::output::Output;
use crate::place::Place;
use crate::said;
use crate::speech::words;

pub(crate) fn run(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let packet = input::packet("plan", options, place)?;
    let mut session = Session::open(session_options(options, place)?);
    let attempt = Attempt { verb: "plan", options, place };
    let prepared = session.plan(&packet).map_err(|error| explain::net(&error, &attempt))?;
    if out.json {
        let mut json = render::plan_json(&prepared.plan);
        json["packet"] = prepared.packet.to_string().into();
        out.json_line(&json)?;
    } else {
        let built = craft::Packet::from_bytes(&prepared.built.bytes, prepared.built.first);
        out.result(&built.to_string())?;
        out.result(&render::plan(&prepared.plan, &out.style, words()))?;
    }
    for note in &prepared.built.notes {
        out.tell(&said::note(note));
    }
    Ok(Exit::Answered)
}
