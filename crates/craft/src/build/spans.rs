//! Which bytes and bits each field takes, and where its value comes from.

use alloc::vec::Vec;
use core::ops::Range;

use wirewright_wire::dns::{Entries, Section};
use wirewright_wire::{Auto, FieldDesc};

use super::Layout;
use crate::dns::is_dns;
use crate::options::{OptionItem, Options};
use crate::packet::{Packet, Part, Setting};

/// The bytes and bits of one part of a packet.
#[derive(Clone, Debug)]
pub struct Span {
    /// Index of the layer; `None` for payload and trailer.
    pub layer: Option<usize>,
    /// Which part.
    pub what: What,
    /// Its bytes, from the start of the packet; a field that shares a byte with its neighbour includes it whole.
    pub bytes: Range<usize>,
    /// Its bits, from the first bit of the packet.
    pub bits: Range<usize>,
    /// Where its value comes from.
    pub origin: Origin,
}

/// A part of a packet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum What {
    /// A field of the fixed header.
    Field(&'static FieldDesc),
    /// A field of the body that the type chooses (ICMP).
    Body(&'static FieldDesc),
    /// An option, known, unknown or malformed.
    Option(OptionItem),
    /// A question or a record of a DNS message.
    Entry(Section),
    /// What pads the options.
    Padding,
    /// What the innermost layer carries.
    Payload,
    /// What stands behind the packet.
    Trailer,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was set.
    Set,
    /// It filled itself.
    Auto,
    /// It was not set and has its default.
    Default,
    /// It was asked to be wrong (`sum=swap`, `len=+4`).
    Wrong,
}

impl Span {
    /// The field, when the part is one.
    #[must_use]
    pub fn field(&self) -> Option<&'static FieldDesc> {
        match self.what {
            What::Field(field) | What::Body(field) => Some(field),
            _ => None,
        }
    }
}

/// The spans of a built packet, in wire order.
pub(super) fn of(packet: &Packet, layout: &Layout, bytes: &[u8]) -> Vec<Span> {
    let mut spans = Vec::with_capacity(packet.layers.len() * 14 + 2);
    for (index, (layer, laid)) in packet.layers.iter().zip(layout.layers()).enumerate() {
        let mut named = laid.start;
        for (place, field, setting) in layer.rows().filter(|(place, field, _)| layer.holds(*place, field)) {
            let (what, base) = match place.part {
                Part::Header => (What::Field(field), laid.start),
                Part::Body => (What::Body(field), laid.start + layer.desc.len),
            };
            named = base + field.end_byte();
            // A source that the message above asks for is as good as set: no kernel may put its own there.
            let asked_for = field.auto == Auto::Source && packet.source_of_message(index).is_some();
            let origin = if asked_for { Origin::Set } else { origin(field, setting) };
            spans.push(Span {
                layer: Some(index),
                what,
                bytes: base + field.first_byte()..base + field.end_byte(),
                bits: base * 8 + field.offset..base * 8 + field.offset + field.bits,
                origin,
            });
        }
        let options = laid.start + layer.fixed_len();
        let behind = laid.start + laid.head;
        let written = layer.options.len() + usize::from(layer.closing().is_some());
        let options_end = (options + written).min(behind);
        if options_end > options {
            option_spans(index, packet, options..options_end, bytes, &mut spans);
        }
        // Of a header that is cut in the middle of a field, the beginning of that field.
        push(&mut spans, Some(index), What::Option(OptionItem::Malformed), named..behind.min(options), Origin::Set);
        let padding = options_end.max(options)..behind;
        push(&mut spans, Some(index), What::Padding, padding, Origin::Auto);
    }
    push(&mut spans, None, What::Payload, layout.payload..layout.end, Origin::Set);
    push(&mut spans, None, What::Trailer, layout.end..layout.total, Origin::Set);
    spans
}

fn option_spans(index: usize, packet: &Packet, area: Range<usize>, bytes: &[u8], spans: &mut Vec<Span>) {
    let layer = &packet.layers[index];
    if is_dns(layer.desc) {
        for entry in Entries::new(&layer.options, layer.counts) {
            let range = area.start + entry.range().start..area.start + entry.range().end;
            push(spans, Some(index), What::Entry(entry.section), range, Origin::Set);
        }
        return;
    }
    let Some(table) = layer.option_table() else {
        push(spans, Some(index), What::Option(OptionItem::Malformed), area, Origin::Set);
        return;
    };
    for option in Options::new(table, &bytes[area.clone()]) {
        let range = area.start + option.range.start..area.start + option.range.end;
        push(spans, Some(index), What::Option(option.item), range, Origin::Set);
    }
}

fn push(spans: &mut Vec<Span>, layer: Option<usize>, what: What, bytes: Range<usize>, origin: Origin) {
    if !bytes.is_empty() {
        let bits = bytes.start * 8..bytes.end * 8;
        spans.push(Span { layer, what, bytes, bits, origin });
    }
}

fn origin(field: &FieldDesc, setting: Setting) -> Origin {
    match setting {
        Setting::Exactly(_) | Setting::Text => Origin::Set,
        Setting::Relative(_) | Setting::Wrong(_) => Origin::Wrong,
        Setting::Auto if field.auto == Auto::None => Origin::Default,
        Setting::Auto => Origin::Auto,
    }
}
