//! Dumps: lines of an offset and bytes, often with the same bytes as text behind them.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Format, PasteCode, PasteError, Problem};
use crate::MAX_PAYLOAD_BYTES;

/// A dump that was read.
pub(super) struct Dump {
    pub(super) format: Format,
    pub(super) bytes: Vec<u8>,
    pub(super) more: usize,
}

/// The most bytes that a line of a dump is believed to hold (`xxd -c 256`).
const LINE_BYTES_MAX: usize = 256;

/// A line that begins like one of a dump.
struct Line<'a> {
    /// Where the line begins in the text.
    at: usize,
    /// The digits of the offset, without `0x` and `:`.
    offset: &'a str,
    /// What follows them.
    rest: &'a str,
    /// Where that begins in the text.
    rest_at: usize,
}

/// Reads a dump; `None` when the text is none.
pub(super) fn read(text: &str) -> Result<Option<Dump>, PasteError> {
    let Some(format) = recognise(text) else { return Ok(None) };
    let mut bytes = Vec::new();
    let mut more = 0;
    let mut squeezed = false;
    let mut last: Vec<u8> = Vec::new();
    for line in lines(text) {
        if line.rest.trim() == "*" && line.offset.is_empty() {
            squeezed = true;
            continue;
        }
        let Some(offset) = offset_of(format, line.offset, bytes.len()) else { continue };
        if offset == 0 && !bytes.is_empty() {
            more += 1;
        }
        if more > 0 {
            continue;
        }
        if squeezed && offset > bytes.len() {
            let wanted = offset.min(MAX_PAYLOAD_BYTES);
            while bytes.len() < wanted && !last.is_empty() {
                bytes.extend_from_slice(&last[..last.len().min(wanted - bytes.len())]);
            }
        }
        squeezed = false;
        // The last line of hexdump and od is an offset alone; it also says whether a padded word was whole.
        if line.rest.trim().is_empty() && offset <= bytes.len() {
            bytes.truncate(offset);
            continue;
        }
        if offset != bytes.len() {
            let problem = Problem::OffsetBehind { offset: line.offset.into(), bytes: bytes.len() };
            return Err(PasteError::at(PasteCode::OffsetMismatch, text, line.at, problem));
        }
        last = line_bytes(format, text, &line)?;
        bytes.extend_from_slice(&last);
    }
    Ok(Some(Dump { format, bytes, more }))
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    text.split('\n').map(move |line| {
        let start = at;
        at += line.len() + 1;
        let line = line.trim_end_matches('\r');
        let bare = line.trim_start();
        let lead = line.len() - bare.len();
        let digits = bare.strip_prefix("0x").unwrap_or(bare);
        let len = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        let offset = &digits[..len];
        let rest = &digits[len..];
        let divided = rest.is_empty() || rest.starts_with([':', ' ', '\t']);
        if divided && (4..=16).contains(&len) {
            Line { at: start + lead, offset, rest, rest_at: start + line.len() - rest.len() }
        } else {
            Line { at: start + lead, offset: "", rest: bare, rest_at: start + lead }
        }
    })
}

/// The format, by the first line that has an offset of 0 and by what divides offset and bytes.
fn recognise(text: &str) -> Option<Format> {
    let mut offsets = lines(text).filter(|line| !line.offset.is_empty());
    let first = offsets.next()?;
    if first.offset.bytes().any(|b| b != b'0') {
        return None;
    }
    let prefixed = text[first.at..].starts_with("0x");
    if prefixed && first.rest.starts_with(':') {
        return Some(Format::Tcpdump);
    }
    if first.rest.starts_with(':') {
        return Some(Format::Xxd);
    }
    if first.rest.trim_end().ends_with('|') {
        return Some(Format::HexdumpC);
    }
    let group = first.rest.split_whitespace().next().unwrap_or("").len();
    match (first.offset.len(), group, first.rest.starts_with("  ")) {
        (6.., 4, _) => Some(Format::LittleEndianWords),
        (6.., 2, false) => Some(Format::Od),
        (8.., 2, true) => Some(Format::HexdumpC),
        (4.., 2, true) => Some(Format::WiresharkDump),
        _ => None,
    }
}

/// The value of an offset; `od` counts in octal unless told.
fn offset_of(format: Format, digits: &str, have: usize) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    let hex = usize::from_str_radix(digits, 16).ok()?;
    if matches!(format, Format::Od | Format::LittleEndianWords)
        && let Ok(octal) = usize::from_str_radix(digits, 8)
        && octal != hex
    {
        // At the end of a word that was padded, one byte fewer than read.
        let near = |offset: usize| offset == have || offset + 1 == have;
        return Some(if near(octal) || !near(hex) { octal } else { hex });
    }
    Some(hex)
}

/// The bytes of one line.
fn line_bytes(format: Format, text: &str, line: &Line<'_>) -> Result<Vec<u8>, PasteError> {
    let rest = line.rest.strip_prefix(':').unwrap_or(line.rest);
    let area = hex_area(format, rest);
    let area_at = line.rest_at + line.rest.len() - rest.len();
    let mut bytes = Vec::new();
    let mut at = 0;
    for group in area.split_whitespace() {
        let start = area[at..].find(group).map_or(at, |found| at + found);
        at = start + group.len();
        let digits = group.bytes().all(|b| b.is_ascii_hexdigit());
        if !digits || group.len() % 2 == 1 || bytes.len() + group.len() / 2 > LINE_BYTES_MAX {
            let problem = Problem::NoGroup { group: group.escape_debug().to_string() };
            return Err(PasteError::at(PasteCode::BadCharacter, text, area_at + start, problem));
        }
        let pairs = group.as_bytes().chunks(2).map(|pair| {
            let value = |b: u8| char::from(b).to_digit(16).unwrap_or(0);
            (value(pair[0]) << 4 | value(pair[1])) as u8
        });
        if format == Format::LittleEndianWords { bytes.extend(pairs.rev()) } else { bytes.extend(pairs) }
    }
    Ok(bytes)
}

/// The part of a line where its bytes stand: what is behind it shows them as text.
fn hex_area(format: Format, rest: &str) -> &str {
    let lead = rest.len() - rest.trim_start().len();
    match format {
        Format::HexdumpC => rest.split('|').next().unwrap_or(rest),
        Format::Od | Format::LittleEndianWords => rest.split("  >").next().unwrap_or(rest),
        // Two spaces end the bytes.
        _ => rest[lead..].find("  ").map_or(rest, |end| &rest[..lead + end]),
    }
}
