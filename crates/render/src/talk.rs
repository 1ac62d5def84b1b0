//! A conversation by hand: what each segment did, what was wrong, what RFC 9293 expects now; and as JSON.

use std::fmt::Display;

use serde_json::{Value, json};
use wirewright_hand::SeqNum;
use wirewright_hand::conversation::{Choice, Due, Fault, Mistake, Silence, Step, What};

use crate::answer::duration;
use crate::catalogue::Catalogue;
use crate::segment_line::{SegmentLine, segment_line};
use crate::style::{Ink, Style};
use crate::text::wrap;

/// Columns before the sentence below a line.
const MARGIN: usize = 4;

/// A segment's ladder line, and below it the sentence: what it did, what it gives away, what is to be done now.
#[must_use]
pub fn step(it: &Step, sack_start: SeqNum, style: &Style, words: &Catalogue) -> String {
    let line = SegmentLine {
        out: it.out,
        since: it.since,
        flags: it.segment.flags,
        seq: it.seq,
        ack: it.ack,
        data: it.segment.data.len(),
        window: it.window.get(),
        options: &it.segment.options,
        sack_start,
        ink: ink(it),
    };
    let mut parts = vec![did(it, words)];
    parts.extend(it.mistake.map(|mistake| mistake_said(mistake, style, words)));
    parts.extend(it.fault.map(|fault| fault_said(fault, style, words)));
    if it.what != What::Odd {
        parts.push(due(it.due, style, words));
    }
    if it.moved {
        parts.push(words.say("talk.states", &[("us", &it.us), ("them", &it.them)]));
    }
    format!("{}\n{}", segment_line(&line, style), indented(&parts.join(" "), style))
}

/// Nothing came, and why.
#[must_use]
pub fn silence(it: &Silence, style: &Style, words: &Catalogue) -> String {
    let mut parts = vec![words.say("talk.silence", &[("time", &duration(it.after))])];
    parts.extend(it.mistake.map(|mistake| mistake_said(mistake, style, words)));
    parts.extend(it.fault.map(|fault| fault_said(fault, style, words)));
    parts.push(due(it.due, style, words));
    indented(&parts.join(" "), style)
}

/// What could be typed now, a line each.
#[must_use]
pub fn choices(all: &[Choice], due_now: Due, style: &Style, words: &Catalogue) -> String {
    let mut lines = vec![due(due_now, style, words)];
    let width = all.iter().map(|choice| choice.line.chars().count()).max().unwrap_or(0);
    for choice in all {
        let said = match choice.mistake {
            Some(_) => words.say(&format!("talk.try.{}", choice.word), &[]),
            None => words.say(&format!("talk.choice.{}", choice.word), &[]),
        };
        let ink = if choice.mistake.is_some() { Ink::Note } else { Ink::Good };
        let pad = width - choice.line.chars().count();
        let line = style.paint(ink, choice.line);
        let text = format!("{said} ({})", style.section(choice.section));
        let room = style.width.saturating_sub(width + 6).max(24);
        let mut rows = wrap(&text, room).into_iter();
        lines.push(format!("    {line}{:pad$}  {}", "", rows.next().unwrap_or_default()));
        lines.extend(rows.map(|row| format!("{:1$}{row}", "", width + 6)));
    }
    lines.join("\n")
}

fn did(it: &Step, words: &Catalogue) -> String {
    let word = it.what.word();
    let bytes = it.segment.data.len();
    let key = match it.out {
        true => format!("talk.sent.{word}"),
        false if it.what == What::Fin && bytes > 0 => "talk.heard.fin-data".to_owned(),
        false => format!("talk.heard.{word}"),
    };
    let wants_bytes = words.placeholders_of(&key).any(|name| name == "bytes");
    let values: &[(&str, &dyn Display)] = if wants_bytes { &[("bytes", &bytes)] } else { &[] };
    words.say(&key, values)
}

fn mistake_said(it: Mistake, style: &Style, words: &Catalogue) -> String {
    let code = style.paint(Ink::Bad, it.code());
    format!("{code}: {} ({}).", words.say(&format!("talk.mistake.{}", it.code()), &[]), style.section(it.section()))
}

fn fault_said(it: Fault, style: &Style, words: &Catalogue) -> String {
    let code = style.paint(if it.is_allowed() { Ink::Note } else { Ink::Bad }, it.code());
    format!("{code}: {} ({}).", words.say(&format!("talk.fault.{}", it.code()), &[]), style.section(it.section()))
}

fn due(it: Due, style: &Style, words: &Catalogue) -> String {
    format!("{} ({}).", words.say(&format!("talk.due.{}", it.word()), &[]), style.section(it.section()))
}

fn indented(text: &str, style: &Style) -> String {
    let rows = wrap(text, style.width.saturating_sub(MARGIN));
    rows.into_iter().map(|row| format!("{:MARGIN$}{row}", "")).collect::<Vec<_>>().join("\n")
}

const fn ink(it: &Step) -> Ink {
    match it.what {
        What::Reset | What::Refused | What::ResetToAck | What::BadSum | What::AckOfUnsent | What::WithoutAck
            if !it.out =>
        {
            Ink::Bad
        }
        What::DuplicateAck
        | What::ChallengeAck
        | What::SynAckAgain
        | What::SynAgain
        | What::DataAgain
        | What::DataAhead
        | What::ResetInWindow
        | What::ZeroWindowProbe
        | What::Odd
        | What::Stray => Ink::Note,
        _ => Ink::Good,
    }
}

/// A step as JSON: `{"v":1,"event":"sent"|"heard","what","flags","seq","ack","len","win","us","them","mistake","fault","due",…}`.
#[must_use]
pub fn step_json(it: &Step) -> Value {
    json!({
        "v": 1,
        "event": if it.out { "sent" } else { "heard" },
        "what": it.what.word(),
        "since_ns": it.since.map(|since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)),
        "flags": it.segment.flags.to_string(),
        "seq": it.seq,
        "ack": it.ack,
        "len": it.segment.data.len(),
        "win": it.window.get(),
        "us": it.us.name(),
        "them": it.them.name(),
        "mistake": it.mistake.map(Mistake::code),
        "mistake_section": it.mistake.map(Mistake::section),
        "fault": it.fault.map(Fault::code),
        "fault_section": it.fault.map(Fault::section),
        "due": it.due.word(),
        "due_section": it.due.section(),
        "next": it.due.line(),
    })
}

/// A silence as JSON: `{"v":1,"event":"silence","after_ns","mistake","fault","due",…}`.
#[must_use]
pub fn silence_json(it: &Silence) -> Value {
    json!({
        "v": 1,
        "event": "silence",
        "after_ns": u64::try_from(it.after.as_nanos()).unwrap_or(u64::MAX),
        "mistake": it.mistake.map(Mistake::code),
        "mistake_section": it.mistake.map(Mistake::section),
        "fault": it.fault.map(Fault::code),
        "fault_section": it.fault.map(Fault::section),
        "due": it.due.word(),
        "due_section": it.due.section(),
        "next": it.due.line(),
    })
}
