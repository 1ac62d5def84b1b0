//! RFC 1035 §5.1 in our words: names as text: `www.example.com`, `.`, `www@12` (a label, then a pointer to byte 12).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use wirewright_wire::dns::{LABEL_MAX, NAME_MAX, POINTER_MAX};

use crate::text::read_escaped;

/// Divides at a sign that no backslash stands before; an escape is one piece with its backslash.
pub(super) fn divide(text: &str, sign: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == sign => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Reads a name; `None` when it is none, or longer than a name may be.
pub(crate) fn encode_name(text: &str) -> Option<Vec<u8>> {
    let parts = divide(text, '@');
    let (labels, pointer) = match parts[..] {
        [labels] => (labels, None),
        [labels, pointer] => (labels, Some(pointer_bytes(pointer)?)),
        _ => return None,
    };
    let mut name = Vec::new();
    if !labels.is_empty() && labels != "." {
        let labels = if pointer.is_none() { labels.strip_suffix('.').unwrap_or(labels) } else { labels };
        for label in divide(labels, '.') {
            let label = read_escaped(label).ok()?;
            if label.is_empty() || label.len() > LABEL_MAX {
                return None;
            }
            // At most 63.
            name.push(label.len() as u8);
            name.extend_from_slice(&label);
        }
    } else if labels == "." && pointer.is_some() || text.is_empty() {
        return None;
    }
    match pointer {
        // A pointer in the place of the root makes the name as it stands no longer than with it.
        Some(pointer) if name.len() < NAME_MAX => name.extend(pointer),
        None => name.push(0),
        Some(_) => return None,
    }
    (name.len() <= NAME_MAX + 1 && (pointer.is_some() || name.len() <= NAME_MAX)).then_some(name)
}

/// The names that stand in these bytes, each whole and of letters, digits, `-` and `_`; behind the last only the zeros that fill an
/// option up to `unit` bytes (RFC 8106 §5.2: 8). With the byte at which these begin.
pub fn listed_names(bytes: &[u8], unit: usize) -> Option<(Vec<String>, usize)> {
    let (mut names, mut at) = (Vec::new(), 0);
    while bytes.get(at).is_some_and(|len| *len != 0) {
        let (mut name, begun) = (String::new(), at);
        loop {
            let len = usize::from(*bytes.get(at)?);
            at += 1;
            if len == 0 {
                break;
            }
            let label = bytes.get(at..at + len).filter(|_| len <= LABEL_MAX)?;
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if !label.iter().all(plain) {
                return None;
            }
            if !name.is_empty() {
                name.push('.');
            }
            name.extend(label.iter().map(|byte| char::from(*byte)));
            at += len;
        }
        if at - begun > NAME_MAX {
            return None;
        }
        names.push(name);
    }
    let padding = &bytes[at..];
    (!names.is_empty() && padding.len() < unit && padding.iter().all(|byte| *byte == 0)).then_some((names, at))
}

/// Reads a name that [`listed_names`] may tell: no root, no pointer.
pub(crate) fn encode_listed(text: &str) -> Option<Vec<u8>> {
    encode_name(text).filter(|name| name.len() > 1 && !text.contains('@'))
}

fn pointer_bytes(text: &str) -> Option<[u8; 2]> {
    let target = usize::try_from(crate::value::number(text).ok()?).ok().filter(|&target| target <= POINTER_MAX)?;
    Some([0xc0 | (target >> 8) as u8, target as u8])
}

/// Writes the name at the start of these bytes as it stands there.
pub(super) fn write_name(out: &mut String, bytes: &[u8]) {
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        let len = usize::from(first);
        if len > LABEL_MAX {
            let target = (len & 0x3f) << 8 | usize::from(bytes.get(at + 1).copied().unwrap_or(0));
            let _ = write!(out, "@{target}");
            return;
        }
        if len == 0 {
            if at == 0 {
                out.push('.');
            }
            return;
        }
        if at > 0 {
            out.push('.');
        }
        write_escaped(out, bytes.get(at + 1..at + 1 + len).unwrap_or_default(), true);
        at += 1 + len;
    }
}

/// Writes text so that neither a name nor a list of texts is divided by it; in a label dots do not stand for themselves.
pub(super) fn write_escaped(out: &mut String, bytes: &[u8], label: bool) {
    for &byte in bytes {
        let divides = matches!(byte, b'\'' | b'\\' | b':') || label && matches!(byte, b'.' | b'@');
        if (b' '..=b'~').contains(&byte) && !divides {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_it_is_read() {
        for (text, bytes) in [
            (".", &b"\0"[..]),
            ("www.example.com", b"\x03www\x07example\x03com\0"),
            ("www@12", b"\x03www\xc0\x0c"),
            ("@12", b"\xc0\x0c"),
            ("@16383", b"\xff\xff"),
            ("a\\x2eb\\x40\\x00.c", b"\x05a.b@\0\x01c\0"),
        ] {
            assert_eq!(encode_name(text).as_deref(), Some(bytes), "{text}");
            let mut again = String::new();
            write_name(&mut again, bytes);
            assert_eq!(again, text);
        }
        assert_eq!(encode_name("example.com."), encode_name("example.com"));
        for wrong in ["", "a..b", ".a", "a@", "@16384", "a@1@2", ".@1", "a\\", &"a".repeat(64), &["a"; 128].join(".")] {
            assert_eq!(encode_name(wrong), None, "{wrong}");
        }
        assert_eq!(encode_name(&["a"; 127].join(".")).map(|name| name.len()), Some(255));
    }
}
