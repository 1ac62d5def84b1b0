//! A conversation as a ladder: a line a segment, the states of both ends beside it.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use wirewright_inspect::flow::{Flow, Mark, Options, Segment, State, Way};
use wirewright_units::UnixTime;

use crate::answer::duration;
use crate::catalogue::Catalogue;
use crate::style::{Ink, Style};
use crate::text::{columns, pad};

/// Columns of the time since the last segment: `12.3 ms`, `1234 s`.
const TIME_COLUMNS: usize = 7;

/// From this width on the states have columns of their own; in less they are told where they change.
const WIDTH_WITH_STATES: usize = 64;

/// From this width on the states have the RFC's whole names.
const WIDTH_WITH_NAMES: usize = 100;

/// Columns of one state: `CLOSE-WAIT`, `SYN-RECEIVED`.
const STATE_COLUMNS: usize = 10;
const NAME_COLUMNS: usize = 12;

/// Draws the segments of one conversation, one after the other: also while it goes on.
#[derive(Clone, Debug)]
pub struct Ladder {
    style: Style,
    last: Option<UnixTime>,
    states: [State; 2],
    /// Whether each end's last segment had timestamps.
    stamped: [bool; 2],
}

/// A word of a line and its ink.
type Word = (String, Option<Ink>);

impl Ladder {
    /// A ladder without rungs.
    #[must_use]
    pub fn new(style: &Style) -> Self {
        Self { style: *style, last: None, states: [State::Closed; 2], stamped: [false; 2] }
    }

    /// The two ends, and the titles of the columns.
    #[must_use]
    pub fn head(&self, left: SocketAddr, right: SocketAddr, words: &Catalogue) -> String {
        let ends = format!("{} {} {}", end(left), self.style.arrow(), end(right));
        let mut text = self.style.paint(Ink::Title, &ends);
        if self.state_columns() > 0 {
            let [left, right] = ["ladder.left", "ladder.right"].map(|key| words.say(key, &[]));
            let titles = format!("{} {right}", pad(&left, self.state_columns()));
            text += &format!(
                "\n{}{}",
                " ".repeat(self.style.width - self.right_columns() + 1),
                self.style.paint(Ink::Dim, &titles)
            );
        }
        text
    }

    /// The line of the next segment; more lines where it does not fit into one.
    pub fn line(&mut self, segment: &Segment, words: &Catalogue) -> String {
        let since = self.last.map_or(Duration::ZERO, |last| segment.at.since(last));
        let time = if self.last.is_some() { duration(since) } else { "0".to_owned() };
        let time = format!("{}{time}", " ".repeat(TIME_COLUMNS.saturating_sub(columns(&time))));
        let way = match (segment.way, self.style.unicode) {
            (Way::Right, true) => "→",
            (Way::Left, true) => "←",
            (Way::Right, false) => "out",
            (Way::Left, false) => "in ",
        };
        let head_columns = columns(&time) + columns(way) + 2;
        let head = format!("{} {way} ", self.style.paint(Ink::Dim, &time));
        let mut body = self.body(segment, words);
        if self.state_columns() == 0 && segment.states != self.states {
            let [left, right] = segment.states.map(State::name);
            body.push((format!("{left}{}", self.style.dot().trim_end()), Some(Ink::Dim)));
            body.push((right.to_owned(), Some(Ink::Dim)));
        }
        let room = self.style.width.saturating_sub(head_columns + self.right_columns()).max(1);
        let mut rows = rows(&body, room).into_iter();
        let first = rows.next().unwrap_or_default();
        let mut text = head + &self.painted(&first);
        if self.state_columns() > 0 {
            let taken = head_columns + first.iter().map(|(word, _)| columns(word) + 1).sum::<usize>() - 1;
            let gap = (self.style.width - self.right_columns() + 1).saturating_sub(taken).max(1);
            text += &format!("{}{}", " ".repeat(gap), self.states_of(segment));
        }
        for row in rows {
            text += &format!("\n{}{}", " ".repeat(head_columns + FLAG_COLUMNS + 1), self.painted(&row));
        }
        self.last = Some(segment.at);
        self.states = segment.states;
        self.stamped[side(segment)] = segment.options.timestamps.is_some();
        text
    }

    const fn state_columns(&self) -> usize {
        match self.style.width {
            WIDTH_WITH_NAMES.. => NAME_COLUMNS,
            WIDTH_WITH_STATES.. => STATE_COLUMNS,
            _ => 0,
        }
    }

    /// What stands to the right of a line: both states, and a space before each.
    const fn right_columns(&self) -> usize {
        match self.state_columns() {
            0 => 0,
            each => 2 * each + 2,
        }
    }

    fn body(&self, segment: &Segment, words: &Catalogue) -> Vec<Word> {
        let flags = segment.flags.to_string();
        let ink = if segment.flags.rst() { Ink::Bad } else { Ink::Title };
        let numbers = match segment.relative_ack {
            Some(ack) => format!("{}:{ack}", segment.relative_seq),
            None => segment.relative_seq.to_string(),
        };
        let mut body = vec![(pad(&flags, FLAG_COLUMNS), Some(ink)), (numbers, None)];
        if segment.len > 0 {
            body.push((format!("{} B", segment.len), None));
        }
        if !segment.flags.rst() {
            body.push(match segment.window {
                Some(window) => (format!("win {window}"), None),
                // Without both SYNs nobody knows the scale.
                None => (format!("rawwin {}", segment.window_field.to_raw()), None),
            });
        }
        for mark in &segment.marks {
            let ink = if is_loss(*mark) { Ink::Bad } else { Ink::Note };
            let said = format!("[{}]", words.say(&format!("mark.{}", mark.code()), &[]));
            body.extend(said.split_whitespace().map(|word| (word.to_owned(), Some(ink))));
        }
        let had_stamps = self.stamped[side(segment)];
        body.extend(options(&segment.options, had_stamps, segment.flags.syn()).map(|word| (word, Some(Ink::Dim))));
        body
    }

    fn painted(&self, row: &[Word]) -> String {
        let words = row.iter().map(|(word, ink)| ink.map_or_else(|| word.clone(), |ink| self.style.paint(ink, word)));
        words.collect::<Vec<_>>().join(" ")
    }

    fn states_of(&self, segment: &Segment) -> String {
        let name = |state: State| if self.state_columns() == NAME_COLUMNS { state.name() } else { short(state) };
        let [left, right] = [0, 1].map(|side| {
            let (text, now) = (name(segment.states[side]), segment.states[side]);
            let text = if side == 0 { pad(text, self.state_columns()) } else { text.to_owned() };
            if now == self.states[side] { self.style.paint(Ink::Dim, &text) } else { text }
        });
        format!("{left} {right}")
    }
}

/// A whole conversation: its head, and a line a segment.
#[must_use]
pub fn ladder(flow: &Flow, style: &Style, words: &Catalogue) -> String {
    let mut ladder = Ladder::new(style);
    let mut text = ladder.head(flow.left, flow.right, words);
    for segment in &flow.segments {
        text.push('\n');
        text.push_str(&ladder.line(segment, words));
    }
    text
}

/// A segment of a ladder as JSON.
#[must_use]
pub fn ladder_json(segment: &Segment) -> Value {
    let options = &segment.options;
    json!({
        "v": 1,
        "frame": segment.number,
        "at_ns": segment.at.as_nanos(),
        "way": if segment.way == Way::Right { "out" } else { "in" },
        "flags": segment.flags.to_string(),
        "seq": segment.relative_seq,
        "ack": segment.relative_ack,
        "len": segment.len,
        "window": segment.window,
        "window_field": segment.window_field.to_raw(),
        "options": {
            "mss": options.mss,
            "wscale": options.window_scale,
            "sack_permitted": options.sack_permitted,
            "sack": options.sack,
            "ts": options.timestamps.map(|stamps| [stamps.value, stamps.echo]),
        },
        "marks": segment.marks.iter().map(|mark| mark.code()).collect::<Vec<_>>(),
        "states": segment.states.map(State::name),
    })
}

/// The most flags that stand in one column: `SA`, `FPA`.
const FLAG_COLUMNS: usize = 3;

const fn side(segment: &Segment) -> usize {
    match segment.way {
        Way::Right => 0,
        Way::Left => 1,
    }
}

const fn is_loss(mark: Mark) -> bool {
    matches!(mark, Mark::Retransmitted | Mark::OutOfOrder | Mark::Gap | Mark::WrongChecksum | Mark::AcksUnseen)
}

/// The state's name in ten columns, as `ss` writes it.
const fn short(state: State) -> &'static str {
    match state {
        State::Established => "ESTAB",
        State::SynReceived => "SYN-RECV",
        other => other.name(),
    }
}

/// The options that tell something: all of a SYN, SACK blocks, and timestamps where they come or go.
fn options(it: &Options, had_stamps: bool, syn: bool) -> impl Iterator<Item = String> {
    let mut words = Vec::new();
    words.extend(it.mss.map(|mss| format!("mss={mss}")));
    words.extend(it.window_scale.map(|shift| format!("wscale={shift}")));
    words.extend(it.sack_permitted.then(|| "sack".to_owned()));
    let blocks: Vec<_> = it.sack.iter().map(|(left, right)| format!("{left}:{right}")).collect();
    words.extend((!blocks.is_empty()).then(|| format!("sack={}", blocks.join(","))));
    match it.timestamps {
        Some(_) if syn || !had_stamps => words.push("ts".to_owned()),
        None if !syn && had_stamps => words.push("no-ts".to_owned()),
        _ => {}
    }
    let other = |(kind, key): &(u8, Option<&str>)| key.map_or_else(|| format!("opt{kind}"), ToOwned::to_owned);
    words.extend(it.others.iter().map(other));
    words.extend(it.malformed.then(|| "opt?".to_owned()));
    words.into_iter()
}

/// An address and its port as the packet language writes them.
fn end(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.to_string(),
        SocketAddr::V6(address) => format!("{} :{}", address.ip(), address.port()),
    }
}

/// Divides words into rows of at most `width` columns; the later ones are indented by the flags' column. A longer word is
/// cut into pieces.
fn rows(words: &[Word], width: usize) -> Vec<Vec<Word>> {
    let mut rows: Vec<Vec<Word>> = vec![Vec::new()];
    let mut taken = 0;
    for (word, ink) in words {
        let mut rest = word.as_str();
        while !rest.is_empty() {
            let first = rows.len() == 1;
            let room = if first { width } else { width.saturating_sub(FLAG_COLUMNS + 1).max(1) };
            let begun = usize::from(taken > 0);
            if begun > 0 && taken + 1 + columns(rest) > room {
                rows.push(Vec::new());
                taken = 0;
                continue;
            }
            let piece = crate::text::clip(rest, room);
            // A character wider than the room stands all the same.
            let piece = if piece.is_empty() { rest } else { piece };
            rows.last_mut().expect("there is a row").push((piece.to_owned(), *ink));
            taken += begun + columns(piece);
            rest = &rest[piece.len()..];
        }
    }
    rows
}
