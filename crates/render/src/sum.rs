//! A checksum explained: stored and right value, what verification leaves, the cause, and the sum word by word.

use std::ops::Range;

use wirewright_inspect::Dissection;
use wirewright_inspect::sum::{Cause, Checksum, Mistake, Origin, Step, Verdict};

use crate::catalogue::Catalogue;
use crate::style::{Ink, Style};
use crate::text::{pad, pad_left, push, wrap};

/// How much of a sum is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Values, judgement and cause.
    Brief,
    /// The sum word by word besides.
    Steps,
}

/// The most words of a sum that are listed; of a longer one the first and last are, and how many stand between.
const STEPS_SHOWN: usize = 64;

/// Every checksum of a frame explained. Ends with a line break; one sentence where there is none.
#[must_use]
pub fn sum(frame: &Dissection<'_>, detail: Detail, style: &Style, words: &Catalogue) -> String {
    let mut out = String::new();
    for checksum in &frame.checksums {
        one(frame, checksum, detail, style, words, &mut out);
    }
    if frame.checksums.is_empty() {
        push(&mut out, format_args!("{}\n", words.say("sum.none", &[])));
    }
    out
}

/// A judgement in a few words: `right`, `wrong, 0x640c is right (bytes-swapped)`, `not judged: fragment`.
pub(crate) fn verdict(sum: &Checksum<'_>, style: &Style, words: &Catalogue) -> String {
    match (sum.verdict, sum.right) {
        (Verdict::Wrong(cause), Some(right)) => {
            words.say("sum.brief.wrong", &[("right", &format!("{right:#06x}")), ("code", &cause.code())])
        }
        (Verdict::Wrong(cause), None) => words.say("sum.brief.wrong-unknown", &[("code", &cause.code())]),
        (Verdict::Unknowable(_), _) => {
            format!("{}{}{}", words.say("sum.brief.not-judged", &[]), style.dot(), sum.verdict.code())
        }
        (Verdict::Absent { allowed: false }, _) => words.say("sum.brief.not-allowed", &[]),
        _ => sum.verdict.code().to_owned(),
    }
}

pub(crate) const fn verdict_ink(sum: &Checksum<'_>) -> Ink {
    match sum.verdict {
        Verdict::Right => Ink::Good,
        Verdict::Wrong(_) | Verdict::Absent { allowed: false } => Ink::Bad,
        Verdict::Partial => Ink::Note,
        _ => Ink::Dim,
    }
}

fn one(frame: &Dissection<'_>, sum: &Checksum<'_>, detail: Detail, style: &Style, words: &Catalogue, out: &mut String) {
    let covers = words.say(
        if sum.pseudo.is_some() { "sum.covers.pseudo" } else { "sum.covers" },
        &[("first", &sum.covers.start), ("last", &sum.covers.end.saturating_sub(1))],
    );
    let title = words.say("sum.title", &[("layer", &sum.layer.title), ("first", &sum.at), ("last", &(sum.at + 1))]);
    push(out, format_args!("{}\n", style.paint(Ink::Title, &title)));
    let mut row = |key: &str, value: &str| push(out, format_args!("  {}  {value}\n", pad(&words.say(key, &[]), 10)));
    row("sum.row.covers", &covers);
    row("sum.row.stored", &style.paint(verdict_ink(sum), &format!("{:#06x}", sum.stored)));
    if let Some(right) = sum.right {
        row("sum.row.right", &format!("{right:#06x}"));
        row("sum.row.remainder", &words.say("sum.remainder", &[("left", &format!("{:#06x}", sum.remainder()))]));
    }
    if let Some((length, right)) = sum.with_length {
        let right = format!("{right:#06x}");
        row("sum.row.with-length", &words.say("sum.with-length", &[("length", &length), ("right", &right)]));
    }
    let ink = verdict_ink(sum);
    let code = sum.cause().map_or_else(|| sum.verdict.code(), |cause| cause.code());
    row("sum.row.verdict", &style.paint(ink, code));
    for sentence in sentences(sum, words) {
        for line in wrap(&sentence, style.width.saturating_sub(2).min(100)) {
            push(out, format_args!("  {line}\n"));
        }
    }
    if detail == Detail::Steps {
        steps(frame, sum, style, words, out);
    }
    out.push('\n');
}

/// What the judgement means: one sentence for each mistake, with its particular form.
fn sentences(sum: &Checksum<'_>, words: &Catalogue) -> Vec<String> {
    match sum.verdict {
        Verdict::Wrong(cause) => cause.parts().map(|part| cause_sentence(part, &cause, words)).collect(),
        Verdict::Partial => vec![words.say("sum.offload-partial", &[])],
        verdict => vec![words.say(&format!("sum.verdict.{}", verdict.code()), &[])],
    }
}

fn cause_sentence(part: &str, cause: &Cause, words: &Catalogue) -> String {
    let source = match cause.mistake {
        Some(Mistake::PseudoSource(source)) => source.to_string(),
        _ => String::new(),
    };
    match (part, cause.detail()) {
        ("pseudo-source", _) => words.say("sum.pseudo-source", &[("source", &source)]),
        ("bytes-swapped" | "unknown", _) | (_, None) => words.say(&format!("sum.{part}"), &[]),
        (part, Some(detail)) => words.say(&format!("sum.{part}.{detail}"), &[]),
    }
}

fn steps(frame: &Dissection<'_>, sum: &Checksum<'_>, style: &Style, words: &Catalogue, out: &mut String) {
    let all: Vec<Step> = sum.steps().collect();
    // The other columns and the gaps between them take 37.
    let wide = style.width.saturating_sub(37).clamp(6, 28);
    let title = |key: &str, width: usize| pad_left(&words.say(key, &[]), width);
    let head = format!(
        "  {}  {:<wide$}  {}  {}  {}",
        title("sum.steps.head.byte", 6),
        "",
        title("sum.steps.head.word", 6),
        title("sum.steps.head.sum", 8),
        title("sum.steps.head.carries", 7)
    );
    push(out, format_args!("{}\n", style.paint(Ink::Dim, &head)));
    let half = STEPS_SHOWN / 2;
    for (index, step) in all.iter().enumerate() {
        let hidden = half..all.len().saturating_sub(half);
        if hidden.contains(&index) {
            if index == half {
                let text = words.say("sum.steps.hidden", &[("count", &(hidden.end - hidden.start))]);
                push(out, format_args!("          {}\n", style.paint(Ink::Dim, &text)));
            }
            continue;
        }
        let (place, what) = origin(frame, step.origin, words);
        let what = pad(crate::text::clip(&what, wide), wide);
        let carries = step.carries();
        push(out, format_args!("  {place:>6}  {what}  {:#06x}  {:#08x}  {carries:>7}\n", step.word, step.running));
    }
    let folds: Vec<_> = sum.folds().iter().map(|sum| format!("{sum:#x}")).collect();
    push(out, format_args!("  {}\n", words.say("sum.steps.folded", &[("folds", &folds.join(", "))])));
    let last = sum.folds().last().copied().unwrap_or(0) as u16;
    let complement = format!("{:#06x}", !last);
    push(out, format_args!("  {}\n", words.say("sum.steps.complement", &[("complement", &complement)])));
    if sum.right.is_some_and(|right| right != !last) {
        push(out, format_args!("  {}\n", words.say("sum.steps.udp-zero", &[])));
    }
}

/// Where a word stands, and the keys of the fields in it.
fn origin(frame: &Dissection<'_>, origin: Origin, words: &Catalogue) -> (String, String) {
    let pseudo = |key: &str| (String::new(), words.say(key, &[]));
    match origin {
        Origin::PseudoSource => pseudo("sum.word.pseudo-source"),
        Origin::PseudoDestination => pseudo("sum.word.pseudo-destination"),
        Origin::PseudoProtocol => pseudo("sum.word.pseudo-protocol"),
        Origin::PseudoLength => pseudo("sum.word.pseudo-length"),
        Origin::Field(at) => (at.to_string(), words.say("sum.word.field", &[])),
        Origin::Padded(at) => (at.to_string(), words.say("sum.word.padded", &[])),
        Origin::Bytes(at) => (at.to_string(), keys_in(frame, &(at..at + 2))),
        _ => (String::new(), String::new()),
    }
}

fn keys_in(frame: &Dissection<'_>, bytes: &Range<usize>) -> String {
    let touches = |other: &Range<usize>| other.start < bytes.end && bytes.start < other.end;
    let Some(layer) = frame.layers.iter().find(|layer| touches(&layer.header)) else { return "payload".to_owned() };
    let fields = layer.fields.iter().filter(|field| touches(&field.bytes())).map(|field| field.desc.key);
    let options = layer.options.iter().filter(|option| touches(&option.range));
    let options = options.map(|option| option.desc.map_or("option", |desc| desc.key));
    fields.chain(options).collect::<Vec<_>>().join(" ")
}
