//! Two frames beside each other: what was set and what left, a request and its reply; every byte has its row.

use std::ops::Range;

use wirewright_inspect::Dissection;
use wirewright_inspect::dissect::{Layer, OptionField, Record};

use crate::catalogue::Catalogue;
use crate::hex::digits;
use crate::line::{option_word, widest};
use crate::style::{Ink, Style};
use crate::text::{clip, columns, pad, push};
use crate::value::field_value_in;

/// The widest that a value is shown; an IPv6 address takes 39 columns at most.
const VALUE_COLUMNS: usize = 39;

/// A row: bytes of a frame, what they are, and what they say in each frame.
struct Row {
    bytes: Range<usize>,
    name: String,
    left: String,
    right: String,
}

/// Two frames field by field, each with its title. Rows that differ are marked with `*` in front; with
/// `differences_only`, others are left out. Below it, what the bytes of each add up to. Layers are compared while both
/// frames have the same ones. Ends with a line break.
#[must_use]
pub fn beside(
    left: (&str, &Dissection<'_>),
    right: (&str, &Dissection<'_>),
    differences_only: bool,
    style: &Style,
    words: &Catalogue,
) -> String {
    let mut rows = rows(left.1, right.1);
    rows.retain(|row| !differences_only || row.left != row.right);
    let places: Vec<_> = rows.iter().map(|row| place(&row.bytes, style)).collect();
    let place_width = widest(places.iter().map(String::as_str)).max(4);
    let name_width = widest(rows.iter().map(|row| row.name.as_str()));
    let value_width = widest(rows.iter().map(|row| row.left.as_str())).max(columns(left.0)).min(VALUE_COLUMNS);
    let mut out = String::new();
    let head = format!("{}  {}  {}", " ".repeat(place_width + 4 + name_width), pad(left.0, value_width), right.0);
    push(&mut out, format_args!("{}\n", style.paint(Ink::Title, head.trim_end())));
    for (row, place) in rows.iter().zip(&places) {
        let differs = row.left != row.right;
        let mark = if differs { "*" } else { " " };
        let place = pad(place, place_width);
        let name = pad(&row.name, name_width);
        let text = format!("{}  {}", pad(clip(&row.left, VALUE_COLUMNS), value_width), clip(&row.right, VALUE_COLUMNS));
        let text = if differs { style.paint(Ink::Note, text.trim_end()) } else { text.trim_end().to_owned() };
        push(&mut out, format_args!("{mark} {}  {name}  {text}\n", style.paint(Ink::Dim, &place)));
    }
    for (title, frame) in [left, right] {
        push(&mut out, format_args!("{}\n", words.say("beside.total", &[("title", &title), ("total", &total(frame))])));
    }
    out
}

/// What the bytes of a frame add up to: `84 bytes = 20 ip + 8 icmp + 56 payload`.
#[must_use]
pub fn total(frame: &Dissection<'_>) -> String {
    let mut parts: Vec<_> =
        frame.layers.iter().map(|layer| format!("{} {}", layer.header.len(), layer.desc.key)).collect();
    let rest = [("payload", &frame.payload), ("behind", &frame.trailer)];
    parts.extend(
        rest.iter().filter(|(_, range)| !range.is_empty()).map(|(name, range)| format!("{} {name}", range.len())),
    );
    format!("{} bytes = {}", frame.bytes.len(), if parts.is_empty() { "0".to_owned() } else { parts.join(" + ") })
}

fn place(bytes: &Range<usize>, style: &Style) -> String {
    match bytes.len() {
        0 | 1 => bytes.start.to_string(),
        _ => format!("{}{}{}", bytes.start, style.dash(), bytes.end - 1),
    }
}

fn rows(left: &Dissection<'_>, right: &Dissection<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    let count = left.layers.iter().zip(&right.layers).take_while(|(a, b)| same_kind(a, b)).count();
    for (a, b) in left.layers[..count].iter().zip(&right.layers[..count]) {
        layer_rows((left.bytes, a), (right.bytes, b), &mut rows);
        rest_row((left, a), (right, b), &mut rows);
    }
    for layer in &left.layers[count..] {
        rows.push(whole_layer(layer, true));
    }
    for layer in &right.layers[count..] {
        rows.push(whole_layer(layer, false));
    }
    for (name, a, b) in [("payload", &left.payload, &right.payload), ("behind", &left.trailer, &right.trailer)] {
        if !a.is_empty() || !b.is_empty() {
            let bytes = if a.is_empty() { b.clone() } else { a.clone() };
            let (a, b) = (contents(left, a), contents(right, b));
            rows.push(Row { bytes, name: name.to_owned(), left: a, right: b });
        }
    }
    rows
}

/// The same header with the same body, so that their fields can be told beside each other.
fn same_kind(a: &Layer, b: &Layer) -> bool {
    let body = |layer: &Layer| layer.variant.map(|variant| variant.body.key);
    a.desc.key == b.desc.key && body(a) == body(b)
}

fn layer_rows(left: (&[u8], &Layer), right: (&[u8], &Layer), rows: &mut Vec<Row>) {
    let ((a_bytes, a), (b_bytes, b)) = (left, right);
    for (left, right) in a.fields.iter().zip(&b.fields) {
        rows.push(Row {
            bytes: left.bytes(),
            name: format!("{} {}", a.desc.key, left.desc.key),
            left: field_value_in(a_bytes, left),
            right: field_value_in(b_bytes, right),
        });
    }
    for index in 0..a.options.len().max(b.options.len()) {
        let (left, right) = (a.options.get(index), b.options.get(index));
        let Some(bytes) = left.or(right).map(|option| option.range.clone()) else { continue };
        rows.push(Row {
            bytes,
            name: format!("{} option", a.desc.key),
            left: option(a_bytes, left),
            right: option(b_bytes, right),
        });
    }
    for index in 0..a.records.len().max(b.records.len()) {
        let (left, right) = (a.records.get(index), b.records.get(index));
        let Some(any) = left.or(right) else { continue };
        let text = |record: Option<&Record>| record.map_or_else(|| "-".to_owned(), |record| record.text.clone());
        let name = format!("{} {}", a.desc.key, any.section.key());
        rows.push(Row { bytes: any.range.clone(), name, left: text(left), right: text(right) });
    }
}

/// The bytes of a header that no field names.
fn rest_row(left: (&Dissection<'_>, &Layer), right: (&Dissection<'_>, &Layer), rows: &mut Vec<Row>) {
    let ((a, left), (b, right)) = (left, right);
    if !left.rest.is_empty() || !right.rest.is_empty() {
        let bytes = if left.rest.is_empty() { right.rest.clone() } else { left.rest.clone() };
        let name = format!("{} data", left.desc.key);
        rows.push(Row { bytes, name, left: contents(a, &left.rest), right: contents(b, &right.rest) });
    }
}

fn option(bytes: &[u8], option: Option<&OptionField>) -> String {
    option.map_or_else(|| "-".to_owned(), |it| option_word(bytes, it).unwrap_or_else(|| "padding".to_owned()))
}

/// A layer that only one of the frames has.
fn whole_layer(layer: &Layer, is_left: bool) -> Row {
    let has = format!("{} bytes", layer.header.len());
    let (left, right) = if is_left { (has, "-".to_owned()) } else { ("-".to_owned(), has) };
    Row { bytes: layer.header.clone(), name: layer.desc.key.to_owned(), left, right }
}

/// How many bytes, and the first of them; a different byte further behind is told by the sum of all.
fn contents(frame: &Dissection<'_>, range: &Range<usize>) -> String {
    const SHOWN: usize = 8;
    let Some(bytes) = frame.bytes.get(range.clone()).filter(|bytes| !bytes.is_empty()) else { return "-".to_owned() };
    if bytes.len() <= SHOWN {
        return format!("{} bytes {}", bytes.len(), digits(bytes));
    }
    let sum = wirewright_inspect::wire::checksum::of(bytes);
    format!("{} bytes {}.. (sum {sum:#06x})", bytes.len(), digits(&bytes[..SHOWN]))
}

#[cfg(test)]
mod tests {
    use wirewright_inspect::{First, dissect};

    use super::*;
    use crate::catalogue::Lang;

    /// An echo request and its reply.
    const REQUEST: [u8; 32] = [
        0x45, 0, 0, 32, 0, 7, 0x40, 0, 64, 1, 0xb6, 0xd2, 192, 0, 2, 1, 192, 0, 2, 2, 8, 0, 0xf6, 0xf9, 1, 2, 0, 3, 1,
        1, 1, 0,
    ];

    #[test]
    fn a_request_and_its_reply_are_told_byte_by_byte() {
        let mut reply = REQUEST;
        reply[12..20].copy_from_slice(&[192, 0, 2, 2, 192, 0, 2, 1]);
        (reply[8], reply[20], reply[22]) = (63, 0, 0xfe);
        let (a, b) = (dissect(&REQUEST, First::Ip), dissect(&reply, First::Ip));
        let words = Catalogue::get(Lang::En);
        let told = beside(("request", &a), ("reply", &b), true, &Style::PLAIN, words);
        let expected = "                    request         reply
* 8      ip ttl     64              63
* 12-15  ip src     192.0.2.1       192.0.2.2
* 16-19  ip dst     192.0.2.2       192.0.2.1
* 20     icmp type  8 echo request  0 echo reply
* 22-23  icmp sum   0xf6f9          0xfef9
request: 32 bytes = 20 ip + 8 icmp + 4 payload
reply: 32 bytes = 20 ip + 8 icmp + 4 payload
";
        assert_eq!(told, expected);
        let all = beside(("request", &a), ("reply", &b), false, &Style::PLAIN, words);
        assert!(all.contains("  28-31  payload    4 bytes 01010100"), "{all}");
        assert!(all.is_ascii());
    }

    #[test]
    fn layers_that_only_one_frame_has_are_told_whole() {
        let a = dissect(&REQUEST, First::Ip);
        let mut other = REQUEST;
        other[9] = 253;
        let b = dissect(&other, First::Ip);
        let told = beside(("a", &a), ("b", &b), true, &Style::PLAIN, Catalogue::get(Lang::En));
        assert!(told.contains("icmp      8 bytes"), "{told}");
        let same = beside(("a", &a), ("a", &a), true, &Style::PLAIN, Catalogue::get(Lang::En));
        assert_eq!(same.matches('*').count(), 0, "{same}");
    }
}
