//! Bytes as a program's text: strings with escapes, arrays of numbers.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Format, PasteCode, PasteError, Problem};

/// Reads a string or an array; `None` when the text is neither.
pub(super) fn read(text: &str) -> Result<Option<(Format, Vec<u8>)>, PasteError> {
    let trimmed = text.trim_start();
    let start = text.len() - trimmed.len();
    if let Some(open) = text.find('{') {
        return array(text, open, '}').map(|bytes| Some((Format::CArray, bytes)));
    }
    if text.contains("\\x") || trimmed.starts_with(['"', '\'']) || opens_python(trimmed) {
        return strings(text, start).map(Some);
    }
    // The list is the last bracket: `let packet: [u8; 20] = [0x45, …]`.
    let Some(open) = text.rfind('[') else { return Ok(None) };
    array(text, open, ']').map(|bytes| Some((Format::RustArray, bytes)))
}

fn opens_python(text: &str) -> bool {
    ["b'", "b\"", "B'", "B\""].iter().any(|open| text.starts_with(open))
}

/// Reads numbers divided by commas.
fn array(text: &str, open: usize, close: char) -> Result<Vec<u8>, PasteError> {
    let inside = &text[open + 1..];
    let Some(len) = inside.find(close) else {
        return Err(PasteError::at(PasteCode::NotClosed, text, open, Problem::ArrayOpen {}));
    };
    let mut bytes = Vec::new();
    let mut at = open + 1;
    let inside = without_comments(&inside[..len]);
    for item in inside.split(',') {
        let number = item.trim();
        let lead = item.len() - item.trim_start().len();
        if !number.is_empty() {
            bytes.push(byte(text, at + lead, number)?);
        }
        at += item.len() + 1;
    }
    Ok(bytes)
}

/// Comments become spaces, so that every offset stays what it is.
fn without_comments(text: &str) -> alloc::string::String {
    let mut out = alloc::string::String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        out.push_str(&rest[..at]);
        let end = if rest[at..].starts_with("/*") {
            rest[at + 2..].find("*/").map_or(rest.len(), |end| at + 2 + end + 2)
        } else {
            rest[at..].find('\n').map_or(rest.len(), |end| at + end)
        };
        out.extend(core::iter::repeat_n(' ', end - at));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn byte(text: &str, at: usize, number: &str) -> Result<u8, PasteError> {
    let bare = number.strip_suffix("u8").unwrap_or(number).trim_end_matches('_');
    let parsed = match (bare.strip_prefix("0x").or(bare.strip_prefix("0X")), bare.strip_prefix("0b")) {
        (Some(hex), _) => u64::from_str_radix(hex, 16),
        (None, Some(binary)) => u64::from_str_radix(binary, 2),
        (None, None) => bare.parse(),
    };
    match parsed.map(u8::try_from) {
        Ok(Ok(byte)) => Ok(byte),
        Ok(Err(_)) => {
            let problem = Problem::MoreThanAByte { number: number.into() };
            Err(PasteError::at(PasteCode::NumberTooLarge, text, at, problem))
        }
        Err(_) => {
            let shown: alloc::string::String = number.chars().take(16).flat_map(char::escape_debug).collect();
            let problem = Problem::NoNumber { text: shown };
            Err(PasteError::at(PasteCode::BadCharacter, text, at, problem))
        }
    }
}

/// Reads strings that stand one behind the other, or escapes without quotes.
fn strings(text: &str, start: usize) -> Result<(Format, Vec<u8>), PasteError> {
    let mut bytes = Vec::new();
    let mut format = Format::EscapedString;
    let mut at = start;
    if text[start..].starts_with("\\x") {
        escapes(text, start, text.trim_end().len(), &mut bytes)?;
        return Ok((format, bytes));
    }
    // In front of the first string may stand a name: `data = b'…'`, `char packet[] =`.
    let first = text[start..].find(['"', '\'']).map_or(start, |quote| start + quote);
    if text[start..first].ends_with(['b', 'B']) {
        format = Format::PythonBytes;
    }
    at = at.max(first);
    while let Some(quote) = text[at..].chars().next() {
        match quote {
            '"' | '\'' => {
                let end = closing(text, at, quote)?;
                escapes(text, at + 1, end, &mut bytes)?;
                at = end + 1;
            }
            c if c.is_whitespace() || "\\+()bB;,".contains(c) => at += c.len_utf8(),
            c => {
                let problem = Problem::BetweenStrings { char: c.escape_debug().to_string() };
                return Err(PasteError::at(PasteCode::BadCharacter, text, at, problem));
            }
        }
    }
    Ok((format, bytes))
}

fn closing(text: &str, open: usize, quote: char) -> Result<usize, PasteError> {
    let mut escaped = false;
    for (offset, c) in text[open + 1..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Ok(open + 1 + offset),
            _ => {}
        }
    }
    Err(PasteError::at(PasteCode::NotClosed, text, open, Problem::StringOpen {}))
}

/// Reads the inside of a string.
fn escapes(text: &str, start: usize, end: usize, out: &mut Vec<u8>) -> Result<(), PasteError> {
    let inside = text.as_bytes().get(start..end).unwrap_or(&[]);
    let mut at = 0;
    while let Some(&c) = inside.get(at) {
        if c != b'\\' {
            if !(c.is_ascii_whitespace() && c != b' ') {
                out.push(c);
            }
            at += 1;
            continue;
        }
        let digit = |at: usize, base| inside.get(at).and_then(|&b| char::from(b).to_digit(base));
        let (byte, len) = match inside.get(at + 1) {
            Some(b'x') => match (digit(at + 2, 16), digit(at + 3, 16)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => {
                    let problem = Problem::EscapeHex {};
                    return Err(PasteError::at(PasteCode::HalfByte, text, start + at, problem));
                }
            },
            Some(b'n') => (10, 2),
            Some(b'r') => (13, 2),
            Some(b't') => (9, 2),
            Some(b'a') => (7, 2),
            Some(b'b') => (8, 2),
            Some(b'f') => (12, 2),
            Some(b'v') => (11, 2),
            Some(b'e') => (27, 2),
            // A line that goes on.
            Some(b'\n') => {
                at += 2;
                continue;
            }
            Some(b'0'..=b'7') => {
                let digits = (1..=3).map_while(|i| digit(at + i, 8)).count();
                ((1..=digits).fold(0, |value, i| value * 8 + digit(at + i, 8).unwrap_or(0)), digits + 1)
            }
            Some(&other) => (other.into(), 2),
            None => {
                let problem = Problem::BackslashAlone {};
                return Err(PasteError::at(PasteCode::BadCharacter, text, start + at, problem));
            }
        };
        let Ok(byte) = u8::try_from(byte) else {
            let problem = Problem::OctalTooLarge {};
            return Err(PasteError::at(PasteCode::NumberTooLarge, text, start + at, problem));
        };
        out.push(byte);
        at += len;
    }
    Ok(())
}
