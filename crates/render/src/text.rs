//! Text that is safe for a terminal, and its width in columns.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text from outside (comments, file names, host names) made safe: control characters, direction marks and everything
/// else without a shape of its own become `\xHH` or `\u{…}`. Letters of all scripts stay.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match u32::from(char) {
            _ if is_plain(char) => safe.push(char),
            code @ ..=0xff => push(&mut safe, format_args!("\\x{code:02x}")),
            code => push(&mut safe, format_args!("\\u{{{code:x}}}")),
        }
    }
    Cow::Owned(safe)
}

/// Bytes out of a packet as text: printable ASCII as it is, `'` and `\` with a backslash, all else as `\xHH`, `\r`, `\n`,
/// `\t`, `\0`: what the packet language reads back.
#[must_use]
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\r' => safe.push_str("\\r"),
            b'\n' => safe.push_str("\\n"),
            b'\t' => safe.push_str("\\t"),
            b'\\' => safe.push_str("\\\\"),
            b'\'' => safe.push_str("\\x27"),
            b' '..=b'~' => safe.push(char::from(byte)),
            _ => push(&mut safe, format_args!("\\x{byte:02x}")),
        }
    }
    safe
}

/// A word as it can be typed into bash, zsh, fish and dash: as it is where no shell minds, else in single quotes.
/// Control characters are shown escaped, so that a line that holds them is to be read, not to be run.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "_-./:,=+@%".contains(char);
    // zsh expands `=name` at the start of a word.
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('=') {
        return word.to_owned();
    }
    // fish reads `\'` and `\\` inside single quotes as escapes; outside them every shell reads `\x` as x.
    let mut quoted = String::from("'");
    for char in escape(word).chars() {
        match char {
            '\'' => quoted.push_str("'\\''"),
            '\\' => quoted.push_str("'\\\\'"),
            _ => quoted.push(char),
        }
    }
    quoted + "'"
}

/// The columns that a text takes. Colour codes must not be in it.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A text with spaces behind it up to `width` columns; a longer one stays as it is.
#[must_use]
pub fn pad(text: &str, width: usize) -> String {
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(' ', width.saturating_sub(columns(text))));
    padded
}

/// A text with spaces before it up to `width` columns.
pub(crate) fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Breaks a text at its spaces into lines of at most `width` columns. A word that is longer is broken where it must.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for word in text.split_whitespace() {
        let wide = columns(word);
        if taken > 0 && taken + 1 + wide > width {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        if taken > 0 {
            line.push(' ');
            taken += 1;
        }
        for char in word.chars() {
            let wide = char.width().unwrap_or(0);
            if taken + wide > width {
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            line.push(char);
            taken += wide;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// As much of a text as fits into `width` columns.
pub(crate) fn clip(text: &str, width: usize) -> &str {
    let mut taken = 0;
    for (at, char) in text.char_indices() {
        taken += char.width().unwrap_or(0);
        if taken > width {
            return &text[..at];
        }
    }
    text
}

/// A text in the middle of `width` columns, cut if it is longer.
pub(crate) fn centre(text: &str, width: usize) -> String {
    let text = clip(text, width);
    let left = (width - columns(text)) / 2;
    pad(&format!("{}{text}", " ".repeat(left)), width)
}

/// Writes to a string, which cannot fail.
pub(crate) fn push(into: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = into.write_fmt(arguments);
    debug_assert!(written.is_ok());
}

/// Has a shape and moves only to the right: no control character, and nothing of no width but letters that join.
fn is_plain(char: char) -> bool {
    match char {
        ' '..='~' => true,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{ad}' => false,
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'.. => false,
        _ => char.width().is_some_and(|width| width > 0) || char.is_alphabetic(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_or_the_direction_survives() {
        assert_eq!(escape("a\x1b[31mb\u{7}\r\n"), "a\\x1b[31mb\\x07\\x0d\\x0a");
        assert_eq!(escape("\u{202e}x\u{9b}2J\u{200b}\u{feff}"), "\\u{202e}x\\x9b2J\\u{200b}\\u{feff}");
        assert_eq!(escape("패킷 Straße é"), "패킷 Straße é");
        assert_eq!(escape_bytes(b"GET / 'x'\\\r\n\x00\xff"), "GET / \\x27x\\x27\\\\\\r\\n\\x00\\xff");
    }

    #[test]
    fn words_are_quoted_only_where_a_shell_minds() {
        assert_eq!(shell_word("ip.ttl=33"), "ip.ttl=33");
        assert_eq!(shell_word("hello world"), "'hello world'");
        assert_eq!(shell_word("a'b\\c"), r"'a'\''b'\\'c'");
        assert_eq!([shell_word(""), shell_word("=x")], ["''", "'=x'"]);
    }

    #[test]
    fn width_is_counted_in_columns() {
        assert_eq!(pad("패킷", 6), "패킷  ");
        assert_eq!(columns("→"), 1);
        assert_eq!(centre("ab", 5), " ab  ");
        assert_eq!(centre("패킷패킷", 5), "패킷 ");
    }

    #[test]
    fn lines_break_at_spaces_and_never_exceed_the_width() {
        assert_eq!(wrap("the sum is right, its bytes are not", 12), ["the sum is", "right, its", "bytes are", "not"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 10), Vec::<String>::new());
    }
}
