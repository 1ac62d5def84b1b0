//! Values of fields as text, as the packet language writes them.

use std::net::{Ipv4Addr, Ipv6Addr};

use wirewright_inspect::dissect::Field;
use wirewright_inspect::wire::{FieldDesc, Kind, MacAddr, tcp};

use crate::text::escape_bytes;

/// A value of a field as the packet language writes it.
#[must_use]
pub fn value(desc: &FieldDesc, value: u128) -> String {
    match desc.kind {
        Kind::Hex => format!("0x{value:0digits$x}", digits = desc.bits.div_ceil(4)),
        Kind::Mac => MacAddr::from_u64(value as u64).to_string(),
        Kind::Ipv4 => Ipv4Addr::from_bits(value as u32).to_string(),
        Kind::Ipv6 => Ipv6Addr::from_bits(value).to_string(),
        Kind::Flags if desc.meaning == "tcp.flags" => tcp::Flags::new(value as u16).to_string(),
        Kind::Flags => flags(desc, value),
        // How long it is; what it says stands in the bytes.
        Kind::Text if value == 0 => String::from("''"),
        _ => value.to_string(),
    }
}

/// The value of a field of these bytes as the packet language writes it; text in its quotes.
#[must_use]
pub(crate) fn value_in(bytes: &[u8], field: &Field) -> String {
    match field.desc.kind {
        Kind::Text => text(bytes.get(field.bytes()).map(trimmed).unwrap_or_default()),
        _ => value(field.desc, field.value),
    }
}

/// The value of a field of these bytes with the name that people know it by.
#[must_use]
pub(crate) fn field_value_in(bytes: &[u8], field: &Field) -> String {
    if field.desc.kind == Kind::Text { value_in(bytes, field) } else { field_value(field) }
}

/// Bytes as text in quotes.
pub(crate) fn text(bytes: &[u8]) -> String {
    format!("'{}'", escape_bytes(bytes))
}

/// Bytes without the zeros at their end.
fn trimmed(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)]
}

/// A field's value with the name that people know it by, if there is one: `6 TCP`, `0x01 ECT(1)`.
#[must_use]
pub fn field_value(field: &Field) -> String {
    let text = value(field.desc, field.value);
    match field.word {
        Some(name) if name.title.is_empty() => format!("{text} {}", name.word),
        Some(name) => format!("{text} {}", name.title),
        None => text,
    }
}

fn flags(desc: &FieldDesc, value: u128) -> String {
    let set = desc.names.iter().rev().filter(|name| value & u128::from(name.value) != 0);
    let words: String = set.map(|name| name.word).collect();
    if words.is_empty() { "none".to_owned() } else { words }
}
