//! The one printed form of a packet: every layer, numeric addresses, text in single quotes, no shell sign outside them.

use alloc::vec::Vec;
use core::fmt::{self, Write};

use wirewright_wire::dns::Entries;
use wirewright_wire::{FieldDesc, Kind};

use crate::dns;
use crate::options::{OptionItem, Options, write_many, write_word};
use crate::packet::{Layer, NameAt, Packet, Part, Payload, Place, Setting};
use crate::template::{GeneratorAt, LENGTH, Target};
use crate::text::{is_mostly_text, shown, write_hex, write_quoted};
use crate::value::{write_flags, write_plain};

/// The word that keeps options from being ended by themselves.
pub(crate) const UNENDED: &str = "noend";

/// From this many zero bytes on they are written `zero=N`.
const ZEROS_MIN: usize = 8;

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_packet(f, self, &[])
    }
}

/// Writes a packet, and generators where they stand for its values.
pub(crate) fn write_packet(f: &mut fmt::Formatter<'_>, packet: &Packet, generators: &[GeneratorAt]) -> fmt::Result {
    if packet.layers.is_empty() {
        f.write_str("raw")?;
    }
    for (index, layer) in packet.layers.iter().enumerate() {
        if index > 0 {
            f.write_str(" / ")?;
        }
        write_layer(f, layer, index, &packet.names, generators)?;
        if index == 0 && !packet.trailer.is_empty() {
            f.write_str(" trailer=")?;
            write_hex(f, &packet.trailer)?;
        }
    }
    match generators.iter().find(|at| at.target == Target::Length) {
        Some(at) => {
            f.write_str(if matches!(packet.payload, Payload::Random(_)) { " rand=" } else { " zero=" })?;
            at.generator.write(f, &LENGTH)
        }
        None => write_payload(f, &packet.payload),
    }
}

fn write_layer(
    f: &mut impl Write,
    layer: &Layer,
    index: usize,
    names: &[NameAt],
    generators: &[GeneratorAt],
) -> fmt::Result {
    f.write_str(layer.key())?;
    let many_at = |place: Place| generators.iter().find(|at| at.is_at(index, place));
    let name_at = |place: Place| names.iter().find(|at| at.layer == index && at.place == place);
    let leading = leading_key(layer.key());
    let lead = leading.and_then(|key| layer.place(key));
    if let Some(place) = lead {
        match (name_at(place), layer.setting(place), layer.field(place)) {
            (Some(at), _, _) => write!(f, " {}", at.name)?,
            (None, Setting::Exactly(value), Some(field)) => {
                f.write_char(' ')?;
                if field.key == "dport" {
                    f.write_char(':')?;
                }
                match many_at(place) {
                    Some(at) => at.generator.write(f, field)?,
                    None => write_plain(f, field, value)?,
                }
            }
            _ => {}
        }
    }
    let mut entries = Entries::new(&layer.options, layer.counts).peekable();
    if let Some(question) = entries.peek().and_then(|entry| dns::question_word(&layer.options, entry)) {
        write!(f, " {question}")?;
        entries.next();
    }
    if let Some((place, field)) = flags_of(layer)
        && let Setting::Exactly(value) = layer.setting(place)
    {
        f.write_char(' ')?;
        write_flags(f, field, value)?;
    }
    let source = |key: &str| matches!(key, "src" | "spa");
    let first = layer.rows().filter(|(_, field, _)| source(field.key));
    let rest = layer.rows().filter(|(_, field, _)| !source(field.key));
    for (place, field, setting) in first.chain(rest) {
        if Some(place) == lead || (field.kind == Kind::Flags && matches!(setting, Setting::Exactly(_))) {
            continue;
        }
        if let Some(at) = name_at(place) {
            write!(f, " {}={}", field.key, at.name)?;
        } else if let Some(at) = many_at(place) {
            write!(f, " {}=", field.key)?;
            at.generator.write(f, field)?;
        } else if setting != Setting::Auto {
            f.write_char(' ')?;
            write_setting(f, layer, place, field, setting)?;
        }
    }
    if let Some(cut) = layer.cut {
        write!(f, " cut={cut}")?;
    }
    if dns::is_dns(layer.desc) {
        return entries.try_for_each(|entry| {
            f.write_char(' ')?;
            dns::write_entry(f, &layer.options, &entry)
        });
    }
    let many: Vec<&GeneratorAt> = generators.iter().filter(|at| at.layer == index).collect();
    write_options(f, layer, &many)?;
    if layer.unended { write!(f, " {UNENDED}") } else { Ok(()) }
}

/// The key whose value stands by itself behind the layer's word.
fn leading_key(layer: &str) -> Option<&'static str> {
    match layer {
        "eth" | "ip" | "ip6" => Some("dst"),
        "arp" => Some("tpa"),
        "tcp" | "udp" => Some("dport"),
        _ => None,
    }
}

fn flags_of(layer: &Layer) -> Option<(Place, &'static FieldDesc)> {
    let row = layer.desc.fields.iter().position(|field| field.kind == Kind::Flags)?;
    Some((Place { part: Part::Header, row }, &layer.desc.fields[row]))
}

fn write_setting(
    f: &mut impl Write,
    layer: &Layer,
    place: Place,
    field: &'static FieldDesc,
    setting: Setting,
) -> fmt::Result {
    match setting {
        Setting::Exactly(1) if field.bare && field.bits == 1 => f.write_str(field.key),
        Setting::Exactly(value) => {
            write!(f, "{}=", field.key)?;
            match word_for(layer, place, field, value) {
                Some(word) => f.write_str(word),
                None => write_plain(f, field, value),
            }
        }
        Setting::Relative(offset) => write!(f, "{}={offset:+}", field.key),
        Setting::Wrong(wrong) => {
            write!(f, "{}=", field.key)?;
            for (at, word) in wrong.words().enumerate() {
                if at > 0 {
                    f.write_char('+')?;
                }
                f.write_str(word)?;
            }
            Ok(())
        }
        Setting::Text => {
            write!(f, "{}=", field.key)?;
            write_quoted(f, layer.text(field.key).unwrap_or_default())
        }
        Setting::Auto => Ok(()),
    }
}

/// The word for a value where people say the word: types, codes, protocols, operations.
fn word_for(layer: &Layer, place: Place, field: &FieldDesc, value: u128) -> Option<&'static str> {
    if place.part == Part::Body || !matches!(field.key, "type" | "code" | "proto" | "nh" | "op" | "opcode" | "rcode") {
        return None;
    }
    let codes = layer.variant.map_or(&[][..], |variant| if field.key == "code" { variant.codes } else { &[] });
    let named = field.names.iter().chain(codes).find(|name| u128::from(name.value) == value)?;
    // A word that another value has too would be read as that.
    let first = field.names.iter().chain(codes).find(|name| name.word == named.word)?;
    (first.value == named.value).then_some(named.word)
}

fn write_options(f: &mut impl Write, layer: &Layer, many: &[&GeneratorAt]) -> fmt::Result {
    if layer.options.is_empty() {
        return Ok(());
    }
    let Some(table) = layer.option_table() else {
        f.write_str(" opts=")?;
        return write_hex(f, &layer.options);
    };
    for option in Options::new(table, &layer.options) {
        f.write_char(' ')?;
        let range = option.value();
        let inside = |at: &&GeneratorAt| matches!(at.target, Target::Option { at, .. } if range.contains(&at));
        match option.item {
            OptionItem::Known { desc } if many.iter().any(inside) => {
                write_many(f, desc, &layer.options[range.clone()], |at, field| {
                    let target = Target::Option { at: range.start + at, field };
                    many.iter().find(|it| it.target == target).map(|it| &it.generator)
                })?;
            }
            _ => write_word(f, table, &layer.options, &option)?,
        }
    }
    Ok(())
}

fn write_payload(f: &mut impl Write, payload: &Payload) -> fmt::Result {
    match payload {
        Payload::Empty => Ok(()),
        Payload::Bytes(bytes) if bytes.is_empty() => Ok(()),
        Payload::Bytes(bytes) if bytes.len() >= ZEROS_MIN && bytes.iter().all(|&byte| byte == 0) => {
            write!(f, " zero={}", bytes.len())
        }
        Payload::Bytes(bytes) if is_mostly_text(bytes) => {
            f.write_str(" data=")?;
            write_quoted(f, bytes)
        }
        Payload::Bytes(bytes) => {
            f.write_str(" hex=")?;
            write_hex(f, bytes)
        }
        Payload::Zero(len) => write!(f, " zero={len}"),
        Payload::Random(len) => write!(f, " rand={len}"),
        Payload::File(path) => {
            let mut word = alloc::string::String::from("file=");
            word.push_str(path);
            write!(f, " {}", shown(&word))
        }
        Payload::Stdin => f.write_str(" stdin"),
    }
}
