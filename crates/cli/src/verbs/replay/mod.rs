//! `ww send FILE.pcapng`: the frames of a capture onto the wire again, as they are, at the times at which they were seen.
//!
//! In: a capture, twice where it is a file: all that is known before the first frame leaves is said before it leaves.
//! Out: each frame as it left, or what was counted; how late they were; what was left out, and why.
//! Above: `send`, `plan`. Below: capture (frames), craft (rules), hand (when), net (onto the wire), many.
//! Not here: which way a frame takes (hand).

mod frames;
mod planned;
mod run;
mod survey;
mod timing;

use std::collections::VecDeque;
use std::fs::File;
use std::time::Duration;

use units::Instant;

use super::many::{self, EVERY, UNASKED_MAX};
use super::send::Talk;
use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::input::Opened;
use crate::output::Output;
use crate::place::Place;
use crate::said;
use crate::speech::say;
use frames::{Frames, Leaving, Next};
pub(in crate::verbs) use planned::plan;
use run::Run;
use survey::{Survey, Troubles};
use timing::{Timing, timing};

/// The frames still to come: those read ahead first.
struct Coming<'o> {
    ahead: VecDeque<Leaving>,
    frames: Frames<'o>,
    /// What was met while reading ahead.
    left_out: Troubles,
}

impl Coming<'_> {
    fn next(&mut self) -> Next {
        self.ahead.pop_front().map_or_else(|| self.frames.next(), Next::Frame)
    }
}

/// Nothing of a capture is meant, or nothing of it can leave.
fn no_frames(name: &str, seen: &str, left_out: &Troubles) -> Failure {
    let mut failure = Failure::usage("no-frames", say("error.no-frames", &[("name", &name)]));
    for line in left_out.lines() {
        failure = failure.row("because", line);
    }
    failure.row("the capture has", seen).row("look", show(name))
}

/// `ww send` of a capture.
pub(super) fn send(opened: Opened, options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    of_packets_alone(options)?;
    let mut talk = Talk::begin("send", options, out, place)?;
    talk.many = true;
    talk.notes_once();
    let name = opened.name.clone();
    let (survey, coming, seen) = look(opened, options, &mut talk)?;
    if survey.troubles.count > 0 && !options.replay.skip {
        return Err(survey.troubles.failure(&name, survey.frames + survey.troubles.count, &talk));
    }
    if survey.frames == 0 && survey.is_whole {
        return Err(no_frames(&name, &seen, &survey.troubles));
    }
    let total = if survey.is_whole { Some(survey.frames) } else { None };
    let total = total.into_iter().chain(options.count).min();
    let interval = match timing(options, Instant::ORIGIN) {
        Timing::Captured(_) => EVERY,
        Timing::Paced(_) => {
            options.every.unwrap_or_else(|| Duration::from_nanos(1_000_000_000 / options.rate.unwrap_or(1).max(1)))
        }
        Timing::AtOnce => Duration::ZERO,
    };
    // Of what is not known to end at least so many come.
    many::check(total.or(Some(UNASKED_MAX + 1)), interval, options, place)?;
    survey.tell(&coming.frames, &talk);
    let mut run = Run::begin(&mut talk, coming, survey, total, name)?;
    let ended = run.go();
    let exit = run.end(ended)?;
    talk.why().map(|()| exit)
}

/// Reads all of a file once and begins again, or as much of a pipe as may leave without a question; what there is besides.
fn look<'o>(
    opened: Opened,
    options: &'o Options,
    talk: &mut Talk<'_>,
) -> Result<(Survey, Coming<'o>, String), Failure> {
    let Opened { source, name, path } = opened;
    let mut frames = Frames::open(source, &name, options)?;
    let limit = options.count.unwrap_or(u64::MAX);
    let Some(path) = path else {
        let mut ahead = VecDeque::new();
        let max = if options.yes { 0 } else { limit.min(UNASKED_MAX + 1) };
        let survey = Survey::read(&mut frames, talk, max, Some(&mut ahead))?;
        let (seen, left_out) = (frames.views(), survey.troubles.clone());
        return Ok((survey, Coming { ahead, frames, left_out }, seen));
    };
    let mut survey = Survey::read(&mut frames, talk, limit, None)?;
    survey.is_whole |= survey.frames == limit;
    let file = File::open(&path)
        .map_err(|error| Failure::new(Exit::CouldNotSend, "file", format!("{name}: {}", said::os(&error))))?;
    let mut again = Frames::open(Box::new(file), &name, options)?;
    again.hits.clone_from(&frames.hits);
    Ok((survey, Coming { ahead: VecDeque::new(), frames: again, left_out: Troubles::default() }, frames.views()))
}

/// Refuses options that make packets: a frame is what it is.
fn of_packets_alone(options: &Options) -> Result<(), Failure> {
    let given = [("zip", options.zip), ("frag", options.frag.is_some())];
    match given.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => {
            Err(Failure::usage("option-conflict", say("error.option-conflict.frames", &[("option", option)]))
                .row("see", "ww help send"))
        }
    }
}

fn show(name: &str) -> String {
    format!("ww show {}", render::shell_word(name))
}
