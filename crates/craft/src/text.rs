//! Text in the packet language: when a word needs quotes, and how bytes are written in them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// Characters that mean nothing to bash, zsh (also with extended globbing), fish and dash, wherever they stand.
#[must_use]
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"=.:,_+/@-".contains(&byte)
}

/// Writes bytes as the inside of single quotes: printable ASCII as it is, all else, `'` and `\` as `\xHH`.
pub(crate) fn write_quoted(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    out.write_char('\'')?;
    for &byte in bytes {
        match byte {
            b'\'' | b'\\' => write!(out, "\\x{byte:02x}")?,
            b' '..=b'~' => out.write_char(char::from(byte))?,
            _ => write!(out, "\\x{byte:02x}")?,
        }
    }
    out.write_char('\'')
}

/// Writes bytes as hexadecimal digits.
pub(crate) fn write_hex(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

/// Reads an even number of hexadecimal digits; `_` and `:` may divide bytes. `Err` is the offset of the first character
/// that does not belong there, or the length where a digit is missing.
pub(crate) fn read_hex(text: &str) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for (at, c) in text.char_indices() {
        let Some(digit) = c.to_digit(16) else {
            if (c == '_' || c == ':') && high.is_none() && !bytes.is_empty() {
                continue;
            }
            return Err(at);
        };
        // A digit of base 16 fits into four bits.
        let digit = digit as u8;
        match high.take() {
            None => high = Some(digit),
            Some(first) => bytes.push(first << 4 | digit),
        }
    }
    if high.is_some() { Err(text.len()) } else { Ok(bytes) }
}

/// Why a text with escapes cannot be read: the offset of the backslash.
pub(crate) struct BadEscape(pub(crate) usize);

/// Reads text with the escapes `\r \n \t \0 \xHH \\`; all else stands for its UTF-8 bytes.
pub(crate) fn read_escaped(text: &str) -> Result<Vec<u8>, BadEscape> {
    let bytes = text.as_bytes();
    let mut read = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            read.push(bytes[at]);
            at += 1;
            continue;
        }
        let (byte, len) = match bytes.get(at + 1) {
            Some(b'r') => (b'\r', 2),
            Some(b'n') => (b'\n', 2),
            Some(b't') => (b'\t', 2),
            Some(b'0') => (0, 2),
            Some(b'\\') => (b'\\', 2),
            Some(b'x') => {
                let digit = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (digit(at + 2), digit(at + 3)) else { return Err(BadEscape(at)) };
                ((high << 4 | low) as u8, 4)
            }
            _ => return Err(BadEscape(at)),
        };
        read.push(byte);
        at += len;
    }
    Ok(read)
}

/// Whether bytes read better as text: at least three quarters are printable ASCII or white space that text has.
pub(crate) fn is_mostly_text(bytes: &[u8]) -> bool {
    let text = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t')).count();
    text * 4 >= bytes.len() * 3
}

/// A word as it is written in a line: as it is, or with its value (behind the first `=`) in quotes.
pub(crate) fn shown(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let plain = |text: &str| text.chars().all(|c| !c.is_ascii() && is_harmless(c) || c.is_ascii() && is_plain(c as u8));
    if !word.is_empty() && plain(word) {
        return word.into();
    }
    let (key, value) = match word.split_once('=') {
        Some((key, value)) if plain(key) => (key, value),
        _ => ("", word),
    };
    if !key.is_empty() {
        out.push_str(key);
        out.push('=');
    }
    out.push('\'');
    for c in value.chars() {
        match c {
            '\'' => out.push_str("\\x27"),
            ' '..='~' => out.push(c),
            c if is_harmless(c) => out.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                // Writing into a string cannot fail.
                let _ = write!(out, "\\x{byte:02x}");
            }),
        }
    }
    out.push('\'');
    out
}

/// Whether a character may go to a terminal: no control, no change of writing direction, nothing invisible.
pub(crate) fn is_harmless(c: char) -> bool {
    let invisible = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !invisible
}
