//! Dissections and checksums as JSON. Codes and keys are never translated or renamed; `"v":1` is the version of the form.

use serde_json::{Value, json};
use wirewright_inspect::Dissection;
use wirewright_inspect::dissect::{DnsValue, Field, Layer, OptionField, OptionKind, Record};
use wirewright_inspect::sum::Checksum;
use wirewright_inspect::wire::OptionLen;

use crate::hex::digits;
use crate::value::{text, value_in};

/// A frame as JSON: `{"v":1,"first","hex","layers":[{"layer","bytes":[start,end],"fields":[{"key","bit","bits","value",
/// "text"}],"options","records":[{"section","bytes","text",
/// "values":[{"key","bytes","text"}]}],"quoted"}],"payload":[start,end],"trailer":[start,end],"checksums","complaints"}`. Ranges are
/// `[first, behind the last]`; values above 2^53 are text.
#[must_use]
pub fn dissection(frame: &Dissection<'_>) -> Value {
    let complaints: Vec<_> = frame
        .complaints
        .iter()
        .map(|it| json!({"code": it.code, "layer": it.layer, "byte": it.offset, "need": it.need, "have": it.have}))
        .collect();
    json!({
        "v": 1,
        "first": frame.first.key(),
        "hex": digits(frame.bytes),
        "layers": frame.layers.iter().map(|it| layer(frame.bytes, it)).collect::<Vec<_>>(),
        "payload": [frame.payload.start, frame.payload.end],
        "trailer": [frame.trailer.start, frame.trailer.end],
        "checksums": frame.checksums.iter().map(checksum).collect::<Vec<_>>(),
        "complaints": complaints,
    })
}

/// The checksums of a frame alone: `{"v":1,"checksums":[…]}`.
#[must_use]
pub fn sums(frame: &Dissection<'_>) -> Value {
    json!({"v": 1, "checksums": frame.checksums.iter().map(checksum).collect::<Vec<_>>()})
}

fn layer(bytes: &[u8], layer: &Layer) -> Value {
    json!({
        "layer": layer.desc.key,
        "title": layer.desc.title,
        "body": layer.variant.map(|variant| variant.body.key),
        "bytes": [layer.header.start, layer.header.end],
        "end": layer.end,
        "quoted": layer.quoted,
        "fields": layer.fields.iter().map(|it| field(bytes, it)).collect::<Vec<_>>(),
        "options": layer.options.iter().map(|it| option(bytes, it)).collect::<Vec<_>>(),
        "records": layer.records.iter().map(record).collect::<Vec<_>>(),
        "rest": [layer.rest.start, layer.rest.end],
    })
}

fn record(record: &Record) -> Value {
    let value =
        |value: &DnsValue| json!({"key": value.key, "bytes": [value.bytes.start, value.bytes.end], "text": value.text});
    json!({
        "section": record.section.key(),
        "bytes": [record.range.start, record.range.end],
        "text": record.text,
        "values": record.values.iter().map(value).collect::<Vec<_>>(),
    })
}

fn field(bytes: &[u8], field: &Field) -> Value {
    json!({
        "key": field.desc.key,
        "name": field.desc.name,
        "bit": field.bit,
        "bits": field.desc.bits,
        "value": number(field.value),
        "text": value_in(bytes, field),
        "word": field.word.map(|name| name.word),
    })
}

/// What every reader of JSON can hold exactly is a number.
fn number(value: u128) -> Value {
    const EXACT: u128 = 1 << 53;
    if value <= EXACT { json!(value as u64) } else { json!(value.to_string()) }
}

fn option(bytes: &[u8], option: &OptionField) -> Value {
    let kind = match option.what {
        OptionKind::Kind(kind) => Some(kind),
        OptionKind::Padding | OptionKind::Malformed => None,
    };
    let says = option.desc.filter(|desc| desc.len == OptionLen::Text).and_then(|_| bytes.get(option.rest.clone()));
    json!({
        "kind": kind,
        "key": option.desc.map(|desc| desc.key),
        "malformed": option.what == OptionKind::Malformed,
        "bytes": [option.range.start, option.range.end],
        "fields": option.fields.iter().map(|it| field(bytes, it)).collect::<Vec<_>>(),
        "names": option.names,
        "rest": [option.rest.start, option.rest.end],
        "text": says.map(text),
    })
}

fn checksum(sum: &Checksum<'_>) -> Value {
    let cause = sum.cause();
    json!({
        "layer": sum.layer.key,
        "byte": sum.at,
        "covers": [sum.covers.start, sum.covers.end],
        "pseudo": sum.pseudo.map(|pseudo| json!({
            "src": pseudo.source.to_string(), "dst": pseudo.destination.to_string(),
            "proto": pseudo.protocol, "len": pseudo.length,
        })),
        "stored": sum.stored,
        "right": sum.right,
        "remainder": sum.right.map(|_| sum.remainder()),
        "with_length": sum.with_length.map(|(length, right)| json!({"length": length, "right": right})),
        "verdict": sum.verdict.code(),
        "cause": cause.map(|cause| cause.code()),
        "detail": cause.and_then(|cause| cause.detail()),
    })
}
