//! From text to the bytes of questions and records.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use wirewright_wire::Name;
use wirewright_wire::dns::{CLASSES, IN, OPT, Part, Section, TYPES, format_of};

use super::names::{divide, encode_name};
use crate::text::{read_escaped, read_hex};
use crate::value;

/// Why a text is no question and no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryFault {
    /// Too few parts.
    Form,
    /// This is no name.
    Name(String),
    /// This is no type, or no class.
    Kind(String),
    /// This is no number of seconds, or of bytes.
    Number(String),
    /// The data are not those of this type; how they are written.
    Data(String),
}

/// Reads `NAME:TYPE[/CLASS]`, and in other sections than that of questions `:TTL[:DATA…]`.
pub(crate) fn entry(section: Section, text: &str) -> Result<Vec<u8>, EntryFault> {
    let parts = divide(text, ':');
    let (name, kind, rest) = match parts[..] {
        [name, kind] if section == Section::Question => (name, kind, &[][..]),
        [name, kind, ..] if section != Section::Question && parts.len() > 2 => (name, kind, &parts[2..]),
        _ => return Err(EntryFault::Form),
    };
    if section == Section::Question {
        return question(name, kind);
    }
    let (kind, class) = kind_of(kind).ok_or_else(|| EntryFault::Kind(kind.into()))?;
    if kind == OPT {
        return opt(name, rest);
    }
    let mut bytes = named(name)?;
    let ttl = number(rest[0], 4)?;
    bytes.extend(kind.to_be_bytes());
    bytes.extend(class.to_be_bytes());
    bytes.extend(ttl);
    with_data(bytes, data(kind, &rest[1..])?, kind)
}

/// Reads a question: its name, and its type with an optional class.
pub(crate) fn question(name: &str, kind: &str) -> Result<Vec<u8>, EntryFault> {
    let (kind, class) = kind_of(kind).ok_or_else(|| EntryFault::Kind(kind.into()))?;
    let mut bytes = named(name)?;
    bytes.extend(kind.to_be_bytes());
    bytes.extend(class.to_be_bytes());
    Ok(bytes)
}

/// Reads the value of `edns=`: `SIZE[:do|FLAGS][:CODE=HEX…]`.
pub(crate) fn edns(text: &str) -> Result<Vec<u8>, EntryFault> {
    opt(".", &divide(text, ':'))
}

/// RFC 6891 §6.1.2: class and TTL of the pseudo-record are the largest payload and three further fields.
fn opt(name: &str, rest: &[&str]) -> Result<Vec<u8>, EntryFault> {
    let form = || form_of(OPT);
    let mut bytes = named(name)?;
    bytes.extend(OPT.to_be_bytes());
    bytes.extend(number(rest.first().ok_or(EntryFault::Form)?, 2)?);
    match rest.get(1) {
        None => bytes.extend([0; 4]),
        Some(&"do") => bytes.extend([0, 0, 0x80, 0]),
        Some(flags) => bytes.extend(number(flags, 4)?),
    }
    let mut data = Vec::new();
    if let [_, _, text] = rest
        && let Some(data) = raw(text)
    {
        return with_data(bytes, data, OPT);
    }
    for option in rest.iter().skip(2) {
        let (code, hex) = option.split_once('=').ok_or_else(|| EntryFault::Data(form()))?;
        let value = read_hex(hex).map_err(|_| EntryFault::Data(form()))?;
        data.extend(number(code, 2)?);
        data.extend(u16::try_from(value.len()).map_err(|_| EntryFault::Data(form()))?.to_be_bytes());
        data.extend(value);
    }
    with_data(bytes, data, OPT)
}

fn with_data(mut bytes: Vec<u8>, data: Vec<u8>, kind: u16) -> Result<Vec<u8>, EntryFault> {
    let len = u16::try_from(data.len()).map_err(|_| EntryFault::Data(form_of(kind)))?;
    bytes.extend(len.to_be_bytes());
    bytes.extend(data);
    Ok(bytes)
}

fn named(name: &str) -> Result<Vec<u8>, EntryFault> {
    encode_name(name).ok_or_else(|| EntryFault::Name(name.into()))
}

/// The low bytes of a number that fits into them.
fn number(text: &str, len: usize) -> Result<Vec<u8>, EntryFault> {
    let value = value::number(text).ok().filter(|&value| value >> (len * 8) == 0);
    let value = value.ok_or_else(|| EntryFault::Number(text.into()))?;
    Ok(value.to_be_bytes()[16 - len..].to_vec())
}

/// Reads `TYPE` or `TYPE/CLASS`: names in either case, `TYPE65` and numbers.
pub(crate) fn kind_of(text: &str) -> Option<(u16, u16)> {
    let (kind, class) = text.split_once('/').map_or((text, None), |(kind, class)| (kind, Some(class)));
    let kind = named_number(kind, TYPES, "TYPE")?;
    Some((kind, class.map_or(Some(IN), |class| named_number(class, CLASSES, "CLASS"))?))
}

/// Whether a word stands for a type wherever it stands: in capitals.
pub(crate) fn is_kind(word: &str) -> bool {
    let capital = word.starts_with(|c: char| c.is_ascii_uppercase()) && !word.bytes().any(|b| b.is_ascii_lowercase());
    capital && kind_of(word).is_some()
}

fn named_number(text: &str, names: &[Name], prefix: &str) -> Option<u16> {
    if let Some(name) = names.iter().find(|name| name.word.eq_ignore_ascii_case(text)) {
        return u16::try_from(name.value).ok();
    }
    // RFC 3597 §5: TYPE and CLASS with a number.
    let digits = text
        .get(..prefix.len())
        .filter(|start| start.eq_ignore_ascii_case(prefix))
        .map_or(text, |_| &text[prefix.len()..]);
    u16::try_from(value::number(digits).ok()?).ok()
}

/// How the data of a type are written.
pub(super) fn form_of(kind: u16) -> String {
    if kind == OPT {
        return "SIZE[:do][:CODE=HEX...]".into();
    }
    let Some(format) = format_of(kind) else { return "0xHEX".into() };
    let parts = format.iter().map(|(key, part)| {
        let mut key = key.to_ascii_uppercase();
        if *part == Part::Texts {
            key.push_str("[:TEXT...]");
        }
        key
    });
    parts.collect::<Vec<_>>().join(":")
}

/// Every type that has a word: the word, what people call it, and how its data are written.
#[must_use]
pub fn record_forms() -> Vec<(&'static str, &'static str, String)> {
    TYPES.iter().map(|name| (name.word, name.title, form_of(name.value as u16))).collect()
}

/// Reads a record's data: as its type is made, or `0xHEX`.
fn data(kind: u16, parts: &[&str]) -> Result<Vec<u8>, EntryFault> {
    let wrong = || EntryFault::Data(form_of(kind));
    if let [text] = parts
        && let Some(bytes) = raw(text)
    {
        return Ok(bytes);
    }
    let format = match format_of(kind) {
        _ if parts.is_empty() => return Ok(Vec::new()),
        Some(format) => format,
        None => return Err(wrong()),
    };
    let mut bytes = Vec::new();
    let mut rest = parts;
    for &(_, part) in format {
        let Some((first, others)) = rest.split_first() else { return Err(wrong()) };
        rest = others;
        match part {
            // An IPv6 address has colons of its own.
            Part::Ipv6 => {
                let address: String = core::iter::once(first).chain(rest).copied().collect::<Vec<_>>().join(":");
                bytes.extend(address.parse::<Ipv6Addr>().map_err(|_| wrong())?.octets());
                rest = &[];
            }
            Part::Texts => {
                for text in core::iter::once(first).chain(rest) {
                    write_text(text, &mut bytes).ok_or_else(wrong)?;
                }
                rest = &[];
            }
            Part::Ipv4 => bytes.extend(value::ipv4(first).ok_or_else(wrong)?.octets()),
            Part::Number(len) => bytes.extend(number(first, len)?),
            Part::Name => bytes.extend(named(first)?),
            Part::Text => write_text(first, &mut bytes).ok_or_else(wrong)?,
            _ => bytes.extend(read_hex(first).map_err(|_| wrong())?),
        }
    }
    if rest.is_empty() { Ok(bytes) } else { Err(wrong()) }
}

/// `0xHEX`, which stands for data of any form.
pub(super) fn raw(text: &str) -> Option<Vec<u8>> {
    read_hex(text.strip_prefix("0x")?).ok()
}

fn write_text(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let bytes = read_escaped(text).ok()?;
    out.push(u8::try_from(bytes.len()).ok()?);
    out.extend(bytes);
    Some(())
}
