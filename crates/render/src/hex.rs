//! A hexdump whose bytes have the colours of their fields, and the legend to it.

use wirewright_inspect::Dissection;

use crate::line::widest;
use crate::style::{Ink, Style};
use crate::text::{columns, pad, push};

/// Bytes a row: the row of 16 takes 75 columns.
const ROW: usize = 16;

/// Bytes as lower-case digits without spaces: what pipes and the packet language take.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        push(&mut text, format_args!("{byte:02x}"));
    }
    text
}

/// A part of a frame, for colours and legend.
struct Part {
    key: String,
    bytes: std::ops::Range<usize>,
    ink: Ink,
}

/// A hexdump, 16 bytes a row (8 in narrow terminals), with the bytes as text beside them and a legend below: each layer
/// with its fields, in their colours, or with their offsets where there are none. Ends with a line break.
#[must_use]
pub fn hex(frame: &Dissection<'_>, style: &Style) -> String {
    let groups = groups(frame);
    let inks = inks(frame, &groups);
    let row = if style.width >= 75 { ROW } else { ROW / 2 };
    let mut out = String::new();
    for (index, bytes) in frame.bytes.chunks(row).enumerate() {
        let at = index * row;
        push(&mut out, format_args!("{}  ", style.paint(Ink::Dim, &format!("{at:04x}"))));
        let cells = paint_runs(bytes, &inks[at..], style, |byte| format!("{byte:02x}"), " ", row / 2);
        let text = paint_runs(bytes, &inks[at..], style, |byte| printable(byte).to_string(), "", usize::MAX);
        let missing = row - bytes.len();
        let gap = missing * 3 + usize::from(bytes.len() <= row / 2 && missing > 0);
        push(&mut out, format_args!("{cells}{}  {text}\n", " ".repeat(gap)));
    }
    legend(&groups, style, &mut out);
    out
}

const fn printable(byte: u8) -> char {
    if byte >= b' ' && byte <= b'~' { byte as char } else { '.' }
}

/// Bytes written by `show`, neighbours of one ink painted together; a second space after `half` bytes.
fn paint_runs(
    bytes: &[u8],
    inks: &[Ink],
    style: &Style,
    show: impl Fn(u8) -> String,
    between: &str,
    half: usize,
) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        run.push_str(&show(*byte));
        let last = index + 1 == bytes.len();
        if last || inks[index + 1] != inks[index] {
            out.push_str(&style.paint(inks[index], &run));
            run.clear();
        }
        if !last {
            // Between two bytes of one field the space belongs to the run.
            let into = if run.is_empty() { &mut out } else { &mut run };
            into.push_str(between);
            if index + 1 == half {
                into.push(' ');
            }
        }
    }
    out
}

/// The layers with their parts; payload and trailer make one of their own.
fn groups(frame: &Dissection<'_>) -> Vec<(String, Vec<Part>)> {
    let mut groups = Vec::new();
    for layer in &frame.layers {
        let mut parts: Vec<Part> = Vec::new();
        for field in &layer.fields {
            let bytes = field.bytes();
            // Fields that share a byte share its colour: the byte shows only one.
            match parts.last_mut().filter(|part| part.bytes.end > bytes.start) {
                Some(part) => {
                    push(&mut part.key, format_args!("+{}", field.desc.key));
                    part.bytes.end = part.bytes.end.max(bytes.end);
                }
                None => parts.push(Part { key: field.desc.key.to_owned(), bytes, ink: Ink::Field(parts.len()) }),
            }
        }
        for option in &layer.options {
            let key = option.desc.map_or("options", |desc| desc.key).to_owned();
            parts.push(Part { key, bytes: option.range.clone(), ink: Ink::Field(parts.len()) });
        }
        for record in &layer.records {
            for (index, value) in record.values.iter().enumerate() {
                let key = if index == 0 { record.section.key() } else { value.key }.to_owned();
                parts.push(Part { key, bytes: value.bytes.clone(), ink: Ink::Field(parts.len()) });
            }
        }
        if !layer.rest.is_empty() {
            parts.push(Part { key: "data".to_owned(), bytes: layer.rest.clone(), ink: Ink::Field(parts.len()) });
        }
        groups.push((layer.desc.key.to_owned(), parts));
    }
    let rest = [("payload", &frame.payload, Ink::Title), ("behind", &frame.trailer, Ink::Dim)];
    for (key, bytes, ink) in rest.into_iter().filter(|(_, bytes, _)| !bytes.is_empty()) {
        groups.push((key.to_owned(), vec![Part { key: String::new(), bytes: bytes.clone(), ink }]));
    }
    groups
}

/// The ink of every byte.
fn inks(frame: &Dissection<'_>, groups: &[(String, Vec<Part>)]) -> Vec<Ink> {
    let mut inks = vec![Ink::Dim; frame.bytes.len()];
    for part in groups.iter().flat_map(|(_, parts)| parts) {
        if let Some(inks) = inks.get_mut(part.bytes.clone()) {
            inks.fill(part.ink);
        }
    }
    inks
}

fn legend(groups: &[(String, Vec<Part>)], style: &Style, out: &mut String) {
    let width = widest(groups.iter().map(|(key, _)| key.as_str()));
    for (key, parts) in groups {
        let mut line = pad(key, width);
        let mut taken = width;
        push(out, format_args!("      {}", style.paint(Ink::Title, &line)));
        line.clear();
        for part in parts {
            let end = part.bytes.end.saturating_sub(1);
            let place =
                if end > part.bytes.start { format!("{:x}-{end:x}", part.bytes.start) } else { format!("{end:x}") };
            let text = match (style.color, part.key.is_empty()) {
                (true, false) => part.key.clone(),
                (_, true) => place,
                (false, false) => format!("{} {place}", part.key),
            };
            let wide = columns(&text) + 2;
            if taken + wide + 6 > style.width {
                push(out, format_args!("\n      {}", " ".repeat(width)));
                taken = width;
            }
            taken += wide;
            push(out, format_args!("  {}", style.paint(part.ink, &text)));
        }
        out.push('\n');
    }
}
