//! From the bytes of questions and records to text that is read as the same bytes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::net::{Ipv4Addr, Ipv6Addr};
use core::ops::Range;

use wirewright_wire::Name;
use wirewright_wire::dns::{CLASSES, Entry, IN, LEN, Labels, OPT, Part, PartAt, Parts, Section, TYPES};

use super::names::{write_escaped, write_name};
use super::{EDNS, read};
use crate::text::{is_plain, write_hex};

/// One value of a question or record, with its bytes counted as those of its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsValue {
    /// What it is: `name type class ttl len`, then the parts of the data.
    pub key: &'static str,
    /// Its bytes.
    pub bytes: Range<usize>,
    /// Its text, names whole where their pointers can be followed.
    pub text: String,
    /// The bytes have no named form: data of an unknown type or of another length than their type's.
    pub opaque: bool,
}

/// The word for a type: `A`, `TYPE65400`.
#[must_use]
pub fn type_word(kind: u16) -> String {
    word(TYPES, kind).map_or_else(|| format!("TYPE{kind}"), ToString::to_string)
}

/// The word for a class: `IN`, `CLASS258`.
#[must_use]
pub fn class_word(class: u16) -> String {
    word(CLASSES, class).map_or_else(|| format!("CLASS{class}"), ToString::to_string)
}

fn word(names: &'static [Name], value: u16) -> Option<&'static str> {
    names.iter().find(|name| name.value == u64::from(value)).map(|name| name.word)
}

/// The name at a byte of a message, pointers followed; as it stands there where they cannot be.
#[must_use]
pub fn whole_name(message: &[u8], at: usize) -> String {
    let mut text = String::new();
    for label in Labels::new(message, at) {
        let Ok(label) = label else {
            text.clear();
            write_name(&mut text, message.get(at..).unwrap_or_default());
            return text;
        };
        if !text.is_empty() {
            text.push('.');
        }
        write_escaped(&mut text, label, true);
    }
    if text.is_empty() {
        text.push('.');
    }
    text
}

/// Writes an entry as a word: ` an=example.com:A:300:192.0.2.1`, in quotes where a shell needs them.
pub(crate) fn write_entry(f: &mut impl Write, area: &[u8], entry: &Entry) -> fmt::Result {
    let (key, text) = spelled(area, entry);
    write_word(f, key, &text)
}

fn write_word(f: &mut impl Write, key: &str, text: &str) -> fmt::Result {
    let plain = text.bytes().all(is_plain);
    let quote = if plain { "" } else { "'" };
    write!(f, "{key}={quote}{text}{quote}")
}

/// The key and the text of an entry, which are read as its bytes: in the form of its type, or its data as `0xHEX`.
fn spelled(area: &[u8], entry: &Entry) -> (&'static str, String) {
    let key = entry.section.key();
    let mut head = String::new();
    write_name(&mut head, &area[entry.name.clone()]);
    let is_opt = entry.kind == OPT && entry.section != Section::Question;
    let edns = is_opt && entry.section == Section::Additional && head == ".";
    if edns {
        head.clear();
    } else {
        let _ = write!(head, ":{}", type_word(entry.kind));
    }
    if is_opt {
        let colon = if edns { "" } else { ":" };
        let _ = write!(head, "{colon}{}{}", entry.class, opt_flags(entry));
    } else if entry.class != IN {
        let _ = write!(head, "/{}", class_word(entry.class));
    }
    if entry.section == Section::Question {
        return (key, head);
    }
    if !is_opt {
        let _ = write!(head, ":{}", entry.ttl);
    }
    let key = if edns { EDNS } else { key };
    if entry.data.is_empty() {
        return (key, head);
    }
    let nice = format!("{head}:{}", data_text(area, entry));
    let again = if edns { read::edns(&nice) } else { read::entry(entry.section, &nice) };
    if again.is_ok_and(|again| area.get(entry.range()) == Some(&again)) {
        return (key, nice);
    }
    head.push_str(":0x");
    let _ = write_hex(&mut head, &area[entry.data.clone()]);
    (key, head)
}

/// The further fields of an EDNS record, where they are not all zero or something follows.
fn opt_flags(entry: &Entry) -> String {
    match entry.ttl {
        0 if entry.data.is_empty() => String::new(),
        0x8000 => ":do".into(),
        flags => format!(":{flags:#010x}"),
    }
}

fn data_text(area: &[u8], entry: &Entry) -> String {
    let parts = Parts::new(area, entry.kind, entry.data.clone());
    parts.map(|part| part_text(area, &part)).collect::<Vec<_>>().join(":")
}

/// A part as it stands there.
fn part_text(area: &[u8], at: &PartAt) -> String {
    let bytes = area.get(at.range.clone()).unwrap_or_default();
    let mut text = String::new();
    match (at.part, bytes) {
        (Part::Name, _) => write_name(&mut text, bytes),
        (Part::Ipv4, &[a, b, c, d]) => text = Ipv4Addr::new(a, b, c, d).to_string(),
        (Part::Ipv6, _) => {
            if let Ok(octets) = <[u8; 16]>::try_from(bytes) {
                text = Ipv6Addr::from(octets).to_string();
            }
        }
        (Part::Number(_), _) => {
            text = bytes.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte)).to_string();
        }
        (Part::Text, [_, rest @ ..]) => write_escaped(&mut text, rest, false),
        (Part::Options, &[high, low, _, _, ref value @ ..]) => {
            let _ = write!(text, "{}=", u16::from_be_bytes([high, low]));
            let _ = write_hex(&mut text, value);
        }
        _ => {
            let _ = write_hex(&mut text, bytes);
        }
    }
    text
}

/// An entry for people: `example.com A 300 192.0.2.1`, names whole; `area` stands behind the header in `message`.
#[must_use]
pub fn entry_text(message: &[u8], entry: &Entry) -> String {
    let values = entry_values(message, entry);
    let shown = |value: &&DnsValue| match value.key {
        "len" => false,
        "class" => entry.class != IN && entry.kind != OPT,
        "ttl" => entry.kind != OPT,
        "name" => entry.kind != OPT || value.text != ".",
        _ => true,
    };
    let named = entry.kind == OPT;
    let text = |value: &DnsValue| match value.key {
        "size" | "ercode" | "version" | "flags" if named => format!("{}={}", value.key, value.text),
        _ => value.text.clone(),
    };
    values.iter().filter(shown).map(text).collect::<Vec<_>>().join(" ")
}

/// The values of an entry, in the order of their bytes, without gaps.
#[must_use]
pub fn entry_values(message: &[u8], entry: &Entry) -> Vec<DnsValue> {
    let area = message.get(LEN..).unwrap_or_default();
    let start = entry.name.start;
    let mut values = Vec::new();
    let mut add = |key, range: Range<usize>, text: String, opaque| {
        values.push(DnsValue { key, bytes: range.start - start..range.end - start, text, opaque });
    };
    let at = entry.name.end;
    add("name", entry.name.clone(), whole_name(message, LEN + start), false);
    add("type", at..at + 2, type_word(entry.kind), false);
    if entry.section == Section::Question {
        add("class", at + 2..at + 4, class_word(entry.class), false);
        return values;
    }
    if entry.kind == OPT {
        add("size", at + 2..at + 4, entry.class.to_string(), false);
        add("ercode", at + 4..at + 5, (entry.ttl >> 24).to_string(), false);
        add("version", at + 5..at + 6, (entry.ttl >> 16 & 0xff).to_string(), false);
        let flags = if entry.ttl & 0xffff == 0x8000 { "do".to_string() } else { (entry.ttl & 0xffff).to_string() };
        add("flags", at + 6..at + 8, flags, false);
    } else {
        add("class", at + 2..at + 4, class_word(entry.class), false);
        add("ttl", at + 4..at + 8, entry.ttl.to_string(), false);
    }
    add("len", at + 8..at + 10, entry.data.len().to_string(), false);
    for part in Parts::new(area, entry.kind, entry.data.clone()) {
        let text = match part.part {
            Part::Name => whole_name(message, LEN + part.range.start),
            _ => part_text(area, &part),
        };
        add(part.key, part.range.clone(), text, part.key == "data" && part.part == Part::Bytes);
    }
    values
}

/// A question as it leads a layer's words, `example.com AAAA`; `None` when it has to be written `qd=`.
pub(crate) fn question_word(area: &[u8], entry: &Entry) -> Option<String> {
    if entry.section != Section::Question {
        return None;
    }
    let mut name = String::new();
    write_name(&mut name, &area[entry.name.clone()]);
    let mut kind = type_word(entry.kind);
    if entry.class != IN {
        let _ = write!(kind, "/{}", class_word(entry.class));
    }
    is_leading(&name).then(|| format!("{name} {kind}"))
}

/// Whether a name may stand by itself: nothing else that a word of this layer can be.
pub(crate) fn is_leading(name: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let other = wirewright_wire::dns::DESC.field(name).is_some() || name == "stdin" || name.starts_with('-');
    let address = crate::value::ipv4(name).is_some() || crate::value::is_generator(name);
    let named = name.split('.').all(label) && name.bytes().any(|b| b.is_ascii_alphabetic());
    named && !read::is_kind(name) && !other && !address && super::encode_name(name).is_some()
}
