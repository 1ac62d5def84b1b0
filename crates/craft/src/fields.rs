//! The reference of the layers as data: what `ww fields [LAYER]` prints.

use alloc::vec::Vec;

use wirewright_wire::{Auto, FieldDesc, Form, HeaderDesc, Kind, LengthOf, Name, SumOver};

use crate::layers;

/// One row of the reference.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FieldRow {
    /// The layer's word.
    pub layer: &'static str,
    /// Where in the layer the field stands.
    pub place: FieldPlace,
    /// The key, or the bare word.
    pub key: &'static str,
    /// The RFC's name as an identifier.
    pub name: &'static str,
    /// Offset from the first bit of header, body or option value, in bits; of what an option may lack from its own first bit.
    pub offset: usize,
    /// Width in bits; 0 for an option without fields.
    pub bits: usize,
    /// How it is written.
    pub kind: &'static str,
    /// How it fills itself, `""` when it does not.
    pub auto: &'static str,
    /// Its value when it is not set and does not fill itself.
    pub default: Option<u128>,
    /// It is written as a bare word.
    pub bare: bool,
    /// Words for its values.
    pub names: &'static [Name],
    /// The key of its meaning in the catalogue of sentences; empty for an option as a whole.
    pub meaning: &'static str,
    /// Wireshark's name, or empty.
    pub shark: &'static str,
    /// The section that defines it.
    pub rfc: &'static str,
}

/// Where in a layer a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldPlace {
    /// In the fixed header.
    Header,
    /// In the body that follows for these values of the type; of several forms the one with every field. Without values it
    /// follows always, and bits of the header say which of its fields are there.
    Body {
        /// The body's name.
        body: &'static str,
        /// The values of the type that choose it.
        types: &'static [u64],
    },
    /// In an option.
    Option {
        /// The option's key.
        option: &'static str,
        /// Its kind.
        kind: u16,
    },
}

/// The layers that have a reference, in the order of the table.
pub fn layer_tables() -> impl Iterator<Item = &'static HeaderDesc> {
    wirewright_wire::LAYERS.iter().copied()
}

/// Every field of a layer: header, bodies, options; `None` when no layer has this word.
#[must_use]
pub fn fields(layer: &str) -> Option<Vec<FieldRow>> {
    let desc = layers::known(layer)?;
    let mut rows = Vec::new();
    header_rows(desc, &mut rows);
    for variant in desc.variants.iter().filter(|variant| variant.form != Form::Short) {
        let types = if desc.selects_body() { variant.values } else { &[] };
        let place = FieldPlace::Body { body: variant.body.key, types };
        rows.extend(variant.body.fields.iter().map(|field| row(desc.key, place, field, variant.body.rfc)));
        option_rows(desc.key, variant.body, &mut rows);
    }
    option_rows(desc.key, desc, &mut rows);
    Some(rows)
}

fn header_rows(desc: &'static HeaderDesc, rows: &mut Vec<FieldRow>) {
    rows.extend(desc.fields.iter().map(|field| row(desc.key, FieldPlace::Header, field, desc.rfc)));
}

fn option_rows(layer: &'static str, desc: &'static HeaderDesc, rows: &mut Vec<FieldRow>) {
    // Several bodies share one table of options.
    let known = |kind: u16, key: &str| {
        let same =
            |row: &FieldRow| matches!(row.place, FieldPlace::Option { kind: k, option } if k == kind && option == key);
        rows.iter().any(same)
    };
    if desc.options.iter().flat_map(|table| table.kinds).next().is_some_and(|first| known(first.kind, first.key)) {
        return;
    }
    for option in desc.options.iter().flat_map(|table| table.kinds) {
        let place = FieldPlace::Option { option: option.key, kind: option.kind };
        if option.fields.is_empty() {
            rows.push(FieldRow {
                layer,
                place,
                key: option.key,
                name: option.title,
                offset: 0,
                bits: 0,
                kind: "option",
                auto: "",
                default: None,
                bare: crate::options::is_bare(option),
                names: &[],
                meaning: "",
                shark: option.shark,
                rfc: option.rfc,
            });
        }
        let parts = option.parts.iter().map(|part| &part.field);
        rows.extend(option.fields.iter().chain(parts).map(|field| row(layer, place, field, option.rfc)));
    }
}

fn row(layer: &'static str, place: FieldPlace, field: &'static FieldDesc, rfc: &'static str) -> FieldRow {
    let auto = auto_word(field.auto);
    FieldRow {
        layer,
        place,
        key: field.key,
        name: field.name,
        offset: field.offset,
        bits: field.bits,
        kind: kind_word(field.kind),
        auto,
        default: auto.is_empty().then_some(field.default),
        bare: field.bare,
        names: field.names,
        meaning: field.meaning,
        shark: field.shark,
        rfc: if field.rfc.is_empty() { rfc } else { field.rfc },
    }
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Hex => "hex",
        Kind::Bit => "bit",
        Kind::Flags => "flags",
        Kind::Mac => "mac",
        Kind::Ipv4 => "ipv4",
        Kind::Ipv6 => "ipv6",
        Kind::Text => "text",
        _ => "number",
    }
}

fn auto_word(auto: Auto) -> &'static str {
    match auto {
        Auto::Random => "random",
        Auto::Length(LengthOf::HeaderWords) => "length of the header in units of 4 bytes",
        Auto::Length(LengthOf::Whole) => "length of this layer and all behind it",
        Auto::Length(LengthOf::Behind) => "length of all behind this header",
        Auto::Length(LengthOf::Extension) => "length of this header in units of 8 bytes, less the first",
        Auto::Length(_) => "length",
        Auto::Checksum(SumOver::Header) => "checksum of this header",
        Auto::Checksum(SumOver::Message) => "checksum of this layer and all behind it",
        Auto::Checksum(_) => "checksum of pseudo-header, this layer and all behind it",
        Auto::Next => "number of the next layer",
        Auto::Source => "this host's address on the way",
        Auto::NextHop => "the next hop's address",
        Auto::SourcePort => "random, free and reserved port",
        Auto::Required => "must be set",
        Auto::Entries(_) | Auto::Records => "number of entries that follow",
        Auto::Present => "set where its fields are there",
        Auto::Direction => "as the kind of message says",
        Auto::Count(_) => "number of entries in this section",
        Auto::Identifier => "random, tells apart who asks",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_lists_all_its_bits_and_each_key_once() {
        for desc in layer_tables() {
            let rows = fields(desc.key).unwrap();
            let header: Vec<_> = rows.iter().filter(|row| row.place == FieldPlace::Header).collect();
            assert_eq!(header.iter().map(|row| row.bits).sum::<usize>(), desc.len * 8, "{}", desc.key);
            for (at, row) in rows.iter().enumerate() {
                let twin = rows[..at].iter().find(|other| other.place == row.place && other.key == row.key);
                assert!(twin.is_none(), "{}.{} twice", desc.key, row.key);
                assert!(row.default.is_some() || !row.auto.is_empty() || row.bits == 0, "{}.{}", desc.key, row.key);
            }
        }
        assert!(fields("bogus").is_none());
    }

    #[test]
    fn a_key_of_a_body_is_none_of_its_header() {
        for desc in layer_tables() {
            for body in desc.variants.iter().map(|variant| variant.body) {
                let shadowed = body.fields.iter().find(|field| desc.field(field.key).is_some());
                assert!(shadowed.is_none(), "{}: {:?}", body.key, shadowed.map(|field| field.key));
            }
        }
    }
}
