//! Values of fields as text, as the packet language writes them.

use std::net::{Ipv4Addr, Ipv6Addr};

use wirewright_inspect::dissect::Field;
use wirewright_inspect::wire::{FieldDesc, Kind, MacAddr, tcp};

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
        _ => value.to_string(),
    }
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
