//! A frame as a tree: each layer with its fields, one a line.

use wirewright_inspect::Dissection;
use wirewright_inspect::dissect::{Complaint, Field, Layer, OptionField, OptionKind};
use wirewright_inspect::wire::{LimitedBy, OptionLen};

use crate::catalogue::Catalogue;
use crate::line::widest;
use crate::style::{Ink, Style};
use crate::sum::{verdict, verdict_ink};
use crate::text::{columns, escape_bytes, pad, push, wrap};
use crate::value::{field_value_in, text, value};

/// How many bytes of a payload the tree shows.
const PAYLOAD_SHOWN: usize = 64;

/// A frame as a tree: layers with their bytes, fields with values and names, options, checksums judged, payload, and what
/// is wrong at the end. Ends with a line break.
#[must_use]
pub fn tree(frame: &Dissection<'_>, style: &Style, words: &Catalogue) -> String {
    let mut out = String::new();
    for layer in &frame.layers {
        layer_tree(frame, layer, style, words, &mut out);
    }
    if !frame.payload.is_empty() {
        let bytes = &frame.bytes[frame.payload.clone()];
        let shown = &bytes[..bytes.len().min(PAYLOAD_SHOWN)];
        let dots = if shown.len() < bytes.len() { " .." } else { "" };
        let title = words.say("tree.payload", &[("bytes", &bytes.len())]);
        heading(&title, &frame.payload, style, words, &mut out);
        for line in wrap(&format!("'{}'{dots}", escape_bytes(shown)), style.width.saturating_sub(4)) {
            push(&mut out, format_args!("    {line}\n"));
        }
    }
    if !frame.trailer.is_empty() {
        let title = words.say("tree.trailer", &[("bytes", &frame.trailer.len())]);
        heading(&title, &frame.trailer, style, words, &mut out);
    }
    for it in &frame.complaints {
        for (index, line) in wrap(&complaint(it, words), style.width.saturating_sub(4)).iter().enumerate() {
            let mark = if index == 0 { "!   " } else { "    " };
            push(&mut out, format_args!("{}{line}\n", style.paint(Ink::Bad, mark)));
        }
    }
    out
}

/// A complaint as a sentence: layer, byte, need and have.
#[must_use]
pub fn complaint(it: &Complaint, words: &Catalogue) -> String {
    let limit = match it.limited_by {
        LimitedBy::Bytes => "complaint.limit.bytes",
        LimitedBy::OwnLength => "complaint.limit.own-length",
        LimitedBy::LowerLength => "complaint.limit.lower-length",
        _ => "complaint.limit.rule",
    };
    let title = layer_title(it.layer);
    let what = words.say(
        &format!("complaint.{}", it.code),
        &[("layer", &title), ("need", &it.need), ("have", &it.have), ("byte", &it.offset)],
    );
    if it.limited_by == LimitedBy::Rule { what } else { format!("{what} {}", words.say(limit, &[])) }
}

fn layer_title(key: &str) -> &str {
    wirewright_inspect::wire::layer(key).map_or(key, |desc| desc.title)
}

fn heading(title: &str, bytes: &std::ops::Range<usize>, style: &Style, words: &Catalogue, out: &mut String) {
    let first = ("first", &bytes.start as &dyn std::fmt::Display);
    let place = match bytes.len() {
        0 => words.say("tree.place.none", &[first]),
        1 => words.say("tree.place.one", &[first]),
        _ => words.say("tree.place.many", &[first, ("dash", &style.dash()), ("last", &(bytes.end - 1))]),
    };
    let title = pad(title, style.width.saturating_sub(columns(&place) + 2).min(60));
    push(out, format_args!("{}  {}\n", style.paint(Ink::Title, &title), style.paint(Ink::Dim, &place)));
}

fn layer_tree(frame: &Dissection<'_>, layer: &Layer, style: &Style, words: &Catalogue, out: &mut String) {
    let mut title = format!("{} ({})", layer.desc.title, style.section(layer.desc.rfc));
    if let Some(variant) = layer.variant.filter(|_| layer.desc.selects_body()) {
        push(&mut title, format_args!(": {}", variant.body.title));
    }
    if layer.quoted {
        title = format!("{} {title}", words.say("tree.quoted", &[]));
    }
    heading(&title, &layer.header, style, words, out);
    let options = layer.options.iter().filter_map(|option| option.desc).map(|desc| desc.key);
    let width = widest(layer.fields.iter().map(|field| field.desc.key).chain(options)).max(4);
    for (number, field) in layer.fields.iter().enumerate() {
        let key = style.paint(Ink::Field(number), &pad(field.desc.key, width));
        push(
            out,
            format_args!("    {key}  {}{}\n", field_value_in(frame.bytes, field), note(frame, field, style, words)),
        );
    }
    for option in &layer.options {
        option_tree(frame, option, width, style, words, out);
    }
    for record in &layer.records {
        let key = style.paint(Ink::Note, &pad(record.section.key(), width));
        for (index, line) in wrap(&record.text, style.width.saturating_sub(width + 6)).iter().enumerate() {
            let key = if index == 0 { key.clone() } else { pad("", width) };
            push(out, format_args!("    {key}  {line}\n"));
        }
    }
    if !layer.rest.is_empty() {
        let shown = layer.rest.start..layer.rest.end.min(layer.rest.start + PAYLOAD_SHOWN);
        let dots = if shown.end < layer.rest.end { " .." } else { "" };
        let bytes = crate::hex::digits(&frame.bytes[shown]);
        push(out, format_args!("    {}  {bytes}{dots}\n", style.paint(Ink::Note, &pad("data", width))));
    }
}

/// What is to be said beside a value: the judgement of a checksum.
fn note(frame: &Dissection<'_>, field: &Field, style: &Style, words: &Catalogue) -> String {
    let here = |at: usize| field.bit == at * 8;
    let Some(sum) = frame.checksums.iter().find(|sum| here(sum.at)) else { return String::new() };
    format!("  {}", style.paint(verdict_ink(sum), &verdict(sum, style, words)))
}

/// A value of an option, with the word that people know it by.
fn option_value(field: &Field) -> String {
    let text = format!("{}={}", field.desc.key, value(field.desc, field.value));
    field.word.map_or(text.clone(), |name| format!("{text} {}", name.word))
}

fn option_tree(
    frame: &Dissection<'_>,
    option: &OptionField,
    width: usize,
    style: &Style,
    words: &Catalogue,
    out: &mut String,
) {
    let bytes = &frame.bytes[option.range.clone()];
    let (key, title) = match (option.what, option.desc) {
        (OptionKind::Kind(_), Some(desc)) => (desc.key.to_owned(), desc.title.to_owned()),
        (OptionKind::Kind(kind), None) => (format!("opt{kind}"), words.say("tree.option.unknown", &[("kind", &kind)])),
        (OptionKind::Padding, _) => ("pad".to_owned(), words.say("tree.option.padding", &[("bytes", &bytes.len())])),
        (OptionKind::Malformed, Some(desc)) => {
            (desc.key.to_owned(), words.say("tree.option.cut", &[("title", &desc.title)]))
        }
        (OptionKind::Malformed, None) => {
            ("opt?".to_owned(), words.say("tree.option.malformed", &[("bytes", &bytes.len())]))
        }
    };
    let mut values: Vec<_> = option.fields.iter().map(option_value).collect();
    values.extend(option.names.iter().cloned());
    if option.what != OptionKind::Padding && !option.rest.is_empty() {
        let rest = &frame.bytes[option.rest.clone()];
        let is_text = option.desc.is_some_and(|desc| desc.len == OptionLen::Text);
        values.push(if is_text { text(rest) } else { crate::hex::digits(rest) });
    }
    let bad = option.what == OptionKind::Malformed;
    let key = style.paint(if bad { Ink::Bad } else { Ink::Note }, &pad(&key, width));
    let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(" ")) };
    push(out, format_args!("    {key}  {title}{values}\n"));
}
