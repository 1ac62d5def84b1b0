//! `ww plan` of a capture.

use std::time::Duration;

use units::Instant;

use super::frames::{Frames, Leaving, Next};
use super::survey::Troubles;
use super::timing::timing;
use super::{no_frames, of_packets_alone};
use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::input::Opened;
use crate::output::Output;
use crate::place::Place;
use crate::speech::{say, words};
use crate::verbs::plan::PLANNED_MAX;
use crate::verbs::send::Talk;

/// `ww plan` of a capture: when each frame would leave, and what would happen to it.
pub(in crate::verbs) fn plan(
    opened: Opened,
    options: &Options,
    out: &Output,
    place: &Place<'_>,
) -> Result<Exit, Failure> {
    of_packets_alone(options)?;
    let mut talk = Talk::begin("plan", options, out, place)?;
    let name = opened.name;
    let mut frames = Frames::open(opened.source, &name, options)?;
    let mut timing = timing(options, Instant::ORIGIN);
    let (mut planned, mut troubles) = (0, Troubles::default());
    let (mut more, limit) = (0, options.count.unwrap_or(u64::MAX));
    while planned + more < limit {
        let leaving = match frames.next() {
            Next::End => break,
            Next::Trouble(number, trouble) => {
                troubles.add(number, &trouble);
                continue;
            }
            Next::Frame(leaving) => leaving,
        };
        if planned == PLANNED_MAX {
            more += 1;
            continue;
        }
        let due = timing.due(Instant::ORIGIN, &leaving);
        timing.on_sent(due);
        match talk.session.plan_frame(&leaving.bytes, leaving.first) {
            Ok(plan) => planned_line(&leaving, due.since(Instant::ORIGIN), &plan, planned > 0, out)?,
            Err(net::Error::Refused(refused)) => {
                troubles.refused(leaving.number, leaving.first, refused);
                continue;
            }
            Err(error) => return Err(talk.explain(&error)),
        }
        planned += 1;
    }
    if more > 0 {
        out.tell(&say("plan.more", &[("count", &more)]));
    }
    if troubles.count > 0 && !options.replay.skip {
        return Err(troubles.failure(&name, planned + more + troubles.count, &talk));
    }
    if planned == 0 {
        return Err(no_frames(&name, &frames.views(), &troubles));
    }
    troubles.lines().for_each(|line| out.tell(&line));
    Ok(Exit::Answered)
}

fn planned_line(
    leaving: &Leaving,
    due: Duration,
    plan: &hand::Plan,
    is_further: bool,
    out: &Output,
) -> Result<(), Failure> {
    let packet = craft::Packet::from_bytes(&leaving.bytes, leaving.first);
    if out.json {
        let mut json = render::plan_json(plan);
        json["packet"] = packet.to_string().into();
        json["frame"] = leaving.number.into();
        json["after"] = due.as_secs_f64().into();
        return out.json_line(&json);
    }
    if is_further {
        out.result("")?;
    }
    let after = render::duration(due);
    out.result(&say("replay.planned", &[("number", &leaving.number), ("after", &after)]))?;
    out.result(&packet.to_string())?;
    out.result(&render::plan(plan, &out.style, words()))
}
