//! The reference of layers: every field with its bits, what unset means, its words, Wireshark's name, and what it is.

use serde_json::{Value, json};
use wirewright_inspect::dissect::{is_dns, record_forms};
use wirewright_inspect::wire::{
    Auto, FieldDesc, Form, HeaderDesc, LAYERS, LengthOf, OptionDesc, OptionLen, SumOver, TlvDesc, When,
};

use crate::catalogue::Catalogue;
use crate::line::widest;
use crate::style::{Ink, Style};
use crate::text::{columns, pad, pad_left, push, wrap};
use crate::value::value;

/// Every layer in a line: its word, its title, its RFC, and the keys of its fields. Ends with a line break.
#[must_use]
pub fn layers(style: &Style) -> String {
    let mut out = String::new();
    let width = widest(LAYERS.iter().map(|desc| desc.key));
    for desc in LAYERS {
        let key = style.paint(Ink::Title, &pad(desc.key, width));
        push(&mut out, format_args!("{key}  {} ({})\n", desc.title, style.section(desc.rfc)));
        let keys: Vec<_> = desc.fields.iter().map(|field| field.key).collect();
        for line in wrap(&keys.join(" "), style.width.saturating_sub(width + 2)) {
            push(&mut out, format_args!("{}  {}\n", " ".repeat(width), style.paint(Ink::Dim, &line)));
        }
    }
    out
}

/// The reference of one layer. Ends with a line break.
#[must_use]
pub fn fields(desc: &HeaderDesc, style: &Style, words: &Catalogue) -> String {
    let mut out = String::new();
    let title = format!("{}: {} ({})", desc.key, desc.title, style.section(desc.rfc));
    push(
        &mut out,
        format_args!("{}, {}\n", style.paint(Ink::Title, &title), words.say("fields.bytes", &[("bytes", &desc.len)])),
    );
    table(desc.fields, style, words, &mut out);
    let bodies = || desc.variants.iter().filter(|variant| variant.form != Form::Short);
    for variant in bodies() {
        let selector = desc.selector().map_or("type", |field| field.key);
        let values: Vec<_> = variant.values.iter().map(|value| value_word(desc, *value)).collect();
        let head = match desc.selects_body() {
            true => format!("{} {selector}={}", variant.body.title, values.join(",")),
            false => variant.body.title.to_owned(),
        };
        // One line, unless a body is that of more types than a line holds.
        let head = if columns(&head) > style.width { head.replace(',', ", ") } else { head };
        for (number, line) in wrap(&head, style.width).iter().enumerate() {
            let before = if number == 0 { "\n" } else { "" };
            push(&mut out, format_args!("{before}{}\n", style.paint(Ink::Title, line)));
        }
        table(variant.body.fields, style, words, &mut out);
        if !variant.codes.is_empty() {
            let codes: Vec<_> = variant.codes.iter().map(|name| format!("{}={}", name.word, name.value)).collect();
            paragraph(&format!("code: {}", codes.join(" ")), style, &mut out);
        }
    }
    // Several bodies share one list.
    let mut told: Vec<&TlvDesc> = Vec::new();
    for list in desc.options.into_iter().chain(bodies().filter_map(|variant| variant.body.options)) {
        if !told.iter().any(|known| std::ptr::eq(*known, list)) {
            options(list, style, words, &mut out);
            told.push(list);
        }
    }
    if is_dns(desc) {
        out.push('\n');
        paragraph(&words.say("fields.records", &[]), style, &mut out);
        for (word, title, form) in record_forms() {
            push(&mut out, format_args!("  {}  {title}\n", style.paint(Ink::Note, &pad(word, 8))));
            paragraph(&form, style, &mut out);
        }
    }
    out
}

fn value_word(desc: &HeaderDesc, number: u64) -> String {
    let word = desc.selector().and_then(|field| field.word_for(u128::from(number)));
    word.map_or_else(|| number.to_string(), |name| name.word.to_owned())
}

fn options(list: &TlvDesc, style: &Style, words: &Catalogue, out: &mut String) {
    push(out, format_args!("\n{} ({})\n", style.paint(Ink::Title, list.title), style.section(list.rfc)));
    let width = widest(list.kinds.iter().map(|option| option.key)).max(8);
    for option in list.kinds {
        let len = match option.len {
            OptionLen::Single => words.say("fields.option.single", &[]),
            OptionLen::Value(0) => words.say("fields.option.empty", &[]),
            OptionLen::Value(1) => words.say("fields.option.value.one", &[]),
            OptionLen::Value(len) | OptionLen::Entry(len) => words.say("fields.option.value", &[("bytes", &len)]),
            OptionLen::Repeats(1) => words.say("fields.option.repeats.one", &[]),
            OptionLen::Repeats(len) => words.say("fields.option.repeats", &[("bytes", &len)]),
            OptionLen::Counted => words.say("fields.option.counted", &[]),
            OptionLen::Text => words.say("fields.option.text", &[]),
            OptionLen::Names(_) => words.say("fields.option.names", &[]),
            OptionLen::Parts => words.say("fields.option.parts", &[]),
            _ => words.say("fields.option.variable", &[]),
        };
        let key = style.paint(Ink::Note, &pad(option.key, width));
        push(out, format_args!("  {key}  {:>3}  {} ({})\n", option.kind, option.title, style.section(option.rfc)));
        let written = words.say("fields.option.written", &[("length", &len), ("written", &written(option))]);
        paragraph(&written, style, out);
        let further = option.entries.iter().chain(option.parts.iter().map(|part| &part.field));
        for field in option.fields.iter().chain(further).filter(|field| !field.reserved) {
            paragraph(&format!("{}: {}", field.key, words.say(field.meaning, &[])), style, out);
            names_of(field, style, words, out);
        }
    }
}

/// An option as the packet language writes it, with the values that its fields have when not set.
fn written(option: &OptionDesc) -> String {
    let values: Vec<_> = option.given().map(|field| value(field, field.default)).collect();
    let entries: Vec<_> =
        option.entries.iter().filter(|field| !field.reserved).map(|field| field.key.to_uppercase()).collect();
    match option.len {
        OptionLen::Variable | OptionLen::Counted if !entries.is_empty() => {
            let entry = entries.join(":");
            match values.is_empty() {
                true => format!("{}={entry}[,{entry}]", option.key),
                false => format!("{}={}[,{entry}]", option.key, values.join(":")),
            }
        }
        OptionLen::Text => {
            let parts = values.into_iter().chain([String::from("TEXT")]);
            format!("{}={}", option.key, parts.collect::<Vec<_>>().join(":"))
        }
        OptionLen::Names(_) if values.is_empty() => format!("{}=NAME[,NAME]", option.key),
        OptionLen::Names(_) => format!("{}={}[,NAME]", option.key, values.join(":")),
        OptionLen::Parts => {
            let parts: Vec<_> =
                option.parts.iter().map(|part| format!("[:{}]", part.field.key.to_uppercase())).collect();
            format!("{}={}{}", option.key, values.join(":"), parts.concat())
        }
        OptionLen::Variable if values.is_empty() => format!("{}=HEX", option.key),
        _ if values.is_empty() => option.key.to_owned(),
        _ => format!("{}={}", option.key, values.join(":")),
    }
}

fn table(rows: &[FieldDesc], style: &Style, words: &Catalogue, out: &mut String) {
    let unset: Vec<_> = rows.iter().map(|field| unset_means(field, words)).collect();
    let keys = widest(rows.iter().map(|field| field.key)).max(3);
    let unset_head = words.say("fields.head.unset", &[]);
    let unset_width = widest(unset.iter().map(String::as_str)).max(columns(&unset_head));
    let head = format!(
        "  {}  {}  {}  {}",
        pad(&words.say("fields.head.key", &[]), keys),
        pad_left(&words.say("fields.head.bits", &[]), 4),
        pad(&unset_head, unset_width),
        words.say("fields.head.shark", &[]),
    );
    push(out, format_args!("{}\n", style.paint(Ink::Dim, &head)));
    for (number, (field, unset)) in rows.iter().zip(&unset).enumerate() {
        let key = style.paint(Ink::Field(number), &pad(field.key, keys));
        let shark = if field.shark.is_empty() { "-" } else { field.shark };
        push(out, format_args!("  {key}  {:>4}  {}  {shark}\n", field.bits, pad(unset, unset_width)));
        paragraph(&words.say(field.meaning, &[]), style, out);
        // Source and destination port have the same hundred words.
        let before = rows[..number].iter().find(|other| std::ptr::eq(other.names, field.names));
        if let Some(other) = before.filter(|_| !field.names.is_empty()) {
            paragraph(&words.say("fields.words.as", &[("field", &other.key)]), style, out);
        } else {
            names_of(field, style, words, out);
        }
    }
}

/// The words for the values of a field.
fn names_of(field: &FieldDesc, style: &Style, words: &Catalogue, out: &mut String) {
    if field.names.is_empty() {
        return;
    }
    let names: Vec<_> = field.names.iter().map(|name| format!("{}={}", name.word, name.value)).collect();
    // Ports have a hundred names; `names` of a field are all in the JSON.
    let more = if names.len() > NAMES_SHOWN { " .." } else { "" };
    let shown = names[..names.len().min(NAMES_SHOWN)].join(" ");
    paragraph(&format!("{} {shown}{more}", words.say("fields.words", &[])), style, out);
}

/// How many words of a field the table lists.
const NAMES_SHOWN: usize = 30;

fn paragraph(text: &str, style: &Style, out: &mut String) {
    for line in wrap(text, style.width.saturating_sub(6).min(94)) {
        push(out, format_args!("      {line}\n"));
    }
}

/// What a field becomes when it is not set.
fn unset_means(field: &FieldDesc, words: &Catalogue) -> String {
    match unset_key(field) {
        Some(key) => words.say(&format!("unset.{key}"), &[]),
        None => {
            let text = value(field, field.default);
            field.word_for(field.default).filter(|_| field.default != 0).map_or(text, |name| name.word.to_owned())
        }
    }
}

/// The code of what fills a field; `None` for a plain default.
pub(crate) const fn unset_key(field: &FieldDesc) -> Option<&'static str> {
    Some(match field.auto {
        Auto::None => return None,
        Auto::Random => "random",
        Auto::Length(LengthOf::HeaderWords) => "length-header-words",
        Auto::Length(LengthOf::Whole) => "length-whole",
        Auto::Length(LengthOf::Behind) => "length-behind",
        Auto::Length(LengthOf::Extension) => "length-extension",
        Auto::Checksum(SumOver::Header) => "checksum-header",
        Auto::Checksum(SumOver::Message) => "checksum-message",
        Auto::Checksum(_) => "checksum-pseudo",
        Auto::Next => "next",
        Auto::Source => "source",
        Auto::NextHop => "next-hop",
        Auto::SourcePort => "source-port",
        Auto::Required => "required",
        Auto::Count(_) | Auto::Entries(_) | Auto::Records => "count",
        Auto::Present => "present",
        Auto::Identifier => "identifier",
        Auto::Direction => "direction",
        _ => "length",
    })
}

/// Every field of the given layers as JSON: `{"v":1,"layers":[{"key","title","rfc","bytes","fields","bodies","options"}]}`.
#[must_use]
pub fn fields_json(layers: &[&HeaderDesc], words: &Catalogue) -> Value {
    json!({"v": 1, "layers": layers.iter().map(|desc| layer_json(desc, words)).collect::<Vec<_>>()})
}

fn layer_json(desc: &HeaderDesc, words: &Catalogue) -> Value {
    let selector = desc.selector().filter(|_| desc.selects_body()).map(|field| field.key);
    let bodies: Vec<_> = desc
        .variants
        .iter()
        .filter(|variant| variant.form != Form::Short)
        .map(|variant| {
            let values = if desc.selects_body() { variant.values } else { &[] };
            json!({
                "key": variant.body.key, "title": variant.body.title, "selector": selector, "values": values,
                "bytes": variant.body.len, "quotes": variant.quotes, "codes": names_json(variant.codes),
                "fields": rows_json(variant.body.fields, words),
                "options": variant.body.options.map(|list| options_json(list, words)),
            })
        })
        .collect();
    json!({
        "key": desc.key, "title": desc.title, "rfc": desc.rfc, "bytes": desc.len, "shark": desc.shark,
        "fields": rows_json(desc.fields, words), "bodies": bodies,
        "options": desc.options.map(|list| options_json(list, words)),
        "records": is_dns(desc).then(records_json),
    })
}

fn records_json() -> Value {
    let forms = record_forms();
    Value::Array(forms.iter().map(|(word, title, form)| json!({"type": word, "title": title, "data": form})).collect())
}

fn options_json(list: &TlvDesc, words: &Catalogue) -> Value {
    let kinds = list.kinds.iter().map(|option| {
        let (form, bytes) = match option.len {
            OptionLen::Single => ("single", 0),
            OptionLen::Value(len) => ("value", len),
            OptionLen::Repeats(len) => ("repeats", len),
            OptionLen::Entry(len) => ("entry", len),
            OptionLen::Counted => ("counted", option.fixed_len()),
            OptionLen::Text => ("text", 0),
            OptionLen::Parts => ("parts", option.fixed_len()),
            OptionLen::Names(_) => ("names", option.fixed_len()),
            _ => ("variable", 0),
        };
        json!({
            "kind": option.kind, "key": option.key, "title": option.title, "rfc": option.rfc, "shark": option.shark,
            "form": form, "bytes": bytes, "fields": rows_json(option.fields, words),
            "entries": rows_json(option.entries, words), "begins": begins_json(&option.when),
            "parts": option.parts.iter().map(|part| json!({
                "field": row_json(&part.field, words), "begins": begins_json(&part.when), "lengths": part.lens,
            })).collect::<Vec<_>>(),
        })
    });
    Value::Array(kinds.collect())
}

fn rows_json(rows: &[FieldDesc], words: &Catalogue) -> Value {
    Value::Array(rows.iter().map(|field| row_json(field, words)).collect())
}

fn row_json(field: &FieldDesc, words: &Catalogue) -> Value {
    json!({
        "key": field.key, "name": field.name, "offset": field.offset, "bits": field.bits,
        "kind": format!("{:?}", field.kind).to_lowercase(), "max": value(field, field.max()),
        "default": value(field, field.default), "unset": unset_key(field).unwrap_or("default"),
        "names": names_json(field.names), "shark": field.shark, "also": field.also,
        "bare": field.bare, "reserved": field.reserved, "flag": field.flag, "rfc": field.rfc, "meaning": words.say(field.meaning, &[]),
    })
}

/// What the first two bytes of a value must be: `null` where anything will do.
fn begins_json(when: &When) -> Value {
    if when.is_always() { Value::Null } else { json!({"mask": when.mask, "value": when.value}) }
}

fn names_json(names: &[wirewright_inspect::wire::Name]) -> Value {
    let name =
        |name: &wirewright_inspect::wire::Name| json!({"word": name.word, "value": name.value, "title": name.title});
    Value::Array(names.iter().map(name).collect())
}
