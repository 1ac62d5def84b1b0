//! `ww flow FILE [N]`: the TCP conversations of a capture, and the ladder of one.

use std::ffi::OsString;

use inspect::flow::{Flow, Flows, SeenFrame, State};
use render::Ink;
use serde_json::json;
use units::UnixTime;

use super::guard::spoken;
use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::input::{self, Source};
use crate::output::Output;
use crate::speech::say;

/// What was read: the conversations, and the names of those who saw them.
#[derive(Default)]
struct Capture {
    flows: Flows,
    views: Vec<String>,
}

/// A conversation, seen from the view that saw it first.
struct Talk<'a> {
    flow: &'a Flow,
    /// Everybody who saw it, by name.
    seen_by: Vec<&'a str>,
}

pub(crate) fn run(options: &Options, out: &Output) -> Result<Exit, Failure> {
    let (file, number) = words(options)?;
    let mut capture = Capture::default();
    // What was read before a capture breaks off is shown all the same.
    let read = read(file, options, &mut capture);
    let talks = talks(&capture);
    if capture.flows.left_out() > 0 {
        out.tell(&say("remark.left-out", &[("count", &capture.flows.left_out())]));
    }
    if talks.is_empty() {
        read?;
        return Err(nothing(file, options));
    }
    show(&talks, number, file, out)?;
    read?;
    Ok(Exit::Answered)
}

fn show(talks: &[Talk<'_>], number: Option<usize>, file: &OsString, out: &Output) -> Result<(), Failure> {
    let chosen = match (number, talks.len()) {
        (None, 1) => 1,
        (None, _) => return list(talks, file, out),
        (Some(number), _) => number,
    };
    let Some(talk) = chosen.checked_sub(1).and_then(|index| talks.get(index)) else {
        let file = render::shell_word(&file.to_string_lossy());
        let has = if talks.len() == 1 { say("flow.one", &[]) } else { say("flow.many", &[("count", &talks.len())]) };
        let text = say("error.no-such-conversation", &[("file", &file), ("conversations", &has)]);
        return Err(Failure::usage("no-such-conversation", text).row("see", format!("ww flow {file}")));
    };
    draw(talk.flow, out)
}

/// The file, and which of its conversations is wanted.
fn words(options: &Options) -> Result<(&OsString, Option<usize>), Failure> {
    match options.words.as_slice() {
        [file] => Ok((file, None)),
        [file, number] => {
            let parsed = number.to_str().and_then(|text| text.parse().ok());
            let bad = || {
                let text = say("error.conversation-number", &[("number", &number.to_string_lossy())]);
                Failure::usage("conversation-number", text)
                    .row("see", format!("ww flow {}", render::shell_word(&file.to_string_lossy())))
            };
            Ok((file, Some(parsed.ok_or_else(bad)?)))
        }
        _ => Err(Failure::usage("input-missing", say("error.input-missing.flow", &[]))
            .row("or", say("hint.flow", &[]))
            .row("see", "ww help flow")),
    }
}

fn read(file: &OsString, options: &Options, capture: &mut Capture) -> Result<(), Failure> {
    let layer = input::layer_of(options)?;
    let mut pasted = 0;
    input::each(std::slice::from_ref(file), layer, &mut |item| {
        let (name, number, at) = match &item.source {
            Source::Captured { frame, interface } => (interface.as_str(), frame.number, frame.wall),
            _ => {
                pasted += 1;
                ("", pasted, UnixTime::EPOCH)
            }
        };
        if options.iface.as_deref().is_some_and(|wanted| wanted != name) {
            return Ok(());
        }
        let view = capture.views.iter().position(|view| view == name).unwrap_or_else(|| {
            capture.views.push(name.to_owned());
            capture.views.len() - 1
        });
        capture.flows.add(&SeenFrame { number, view, at, bytes: &item.bytes, first: item.first });
        Ok(())
    })
}

/// The conversations in the order of their first segments; what several hosts saw of one is one.
fn talks(capture: &Capture) -> Vec<Talk<'_>> {
    let mut talks: Vec<Talk<'_>> = Vec::new();
    let mut known = std::collections::BTreeMap::new();
    for flow in capture.flows.flows() {
        let Some(first) = flow.segments.first() else { continue };
        let name = capture.views.get(flow.view).map_or("", String::as_str);
        let key = (flow.left, flow.right, first.seq.to_raw());
        match known.get(&key) {
            Some(&(index, view)) if view != flow.view => {
                let talk: &mut Talk<'_> = &mut talks[index];
                if !talk.seen_by.contains(&name) {
                    talk.seen_by.push(name);
                }
            }
            _ => {
                known.insert(key, (talks.len(), flow.view));
                talks.push(Talk { flow, seen_by: vec![name] });
            }
        }
    }
    talks
}

fn nothing(file: &OsString, options: &Options) -> Failure {
    let shown = render::shell_word(&file.to_string_lossy());
    let text = match &options.iface {
        Some(interface) => say("error.no-conversation.interface", &[("file", &shown), ("interface", interface)]),
        None => say("error.no-conversation", &[("file", &shown)]),
    };
    Failure::new(Exit::NoAnswer, "no-conversation", text).row("look", format!("ww show {shown}"))
}

fn list(talks: &[Talk<'_>], file: &OsString, out: &Output) -> Result<(), Failure> {
    for (index, talk) in talks.iter().enumerate() {
        let flow = talk.flow;
        let [first, last] = [flow.segments.first(), flow.segments.last()];
        let time = first.zip(last).map_or_else(Default::default, |(first, last)| last.at.since(first.at));
        let marked = flow.segments.iter().filter(|segment| !segment.marks.is_empty()).count();
        if out.json {
            out.json_line(&json!({
                "v": 1, "flow": index + 1, "left": flow.left, "right": flow.right, "segments": flow.segments.len(),
                "marked": marked, "time_ns": u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
                "states": flow.states().map(State::name), "seen_by": talk.seen_by,
            }))?;
            continue;
        }
        let number = out.style.paint(Ink::Title, &format!("{:>4}", index + 1));
        let ends = format!("{} {} {}", spoken(flow.left), out.style.arrow(), spoken(flow.right));
        let counted = say("flow.segments", &[("count", &flow.segments.len()), ("time", &render::duration(time))]);
        let mut line = format!("{number}  {ends}  {counted}");
        if marked > 0 {
            line += &out.style.paint(Ink::Note, &format!(", {}", say("flow.marked", &[("count", &marked)])));
        }
        let seen: Vec<_> =
            talk.seen_by.iter().filter(|name| !name.is_empty()).map(|name| render::escape(name)).collect();
        if !seen.is_empty() {
            line += &out.style.paint(Ink::Dim, &format!("  ({})", seen.join(" ")));
        }
        out.result(&line)?;
    }
    if !out.json {
        let command = format!("ww flow {} 1", render::shell_word(&file.to_string_lossy()));
        out.tell(&say("remark.flow-first", &[("command", &command)]));
    }
    Ok(())
}

fn draw(flow: &Flow, out: &Output) -> Result<(), Failure> {
    if !out.json {
        out.result(&render::ladder(flow, &out.style, crate::speech::words()))?;
        return Ok(());
    }
    for segment in &flow.segments {
        out.json_line(&render::ladder_json(segment))?;
    }
    Ok(())
}
