//! From bytes to a packet that makes the same bytes: exact for any byte string.

use alloc::vec::Vec;

use wirewright_wire::dns::Entries;
use wirewright_wire::{Auto, FieldDesc, Kind, TlvDesc};

use crate::build::{Computed, Context};
use crate::dns;
use crate::first::First;
use crate::layers;
use crate::options::{OptionItem, Options};
use crate::packet::{Layer, Packet, Part, Payload, Place, Setting};
use crate::walk::{Chain, LayerAt, walk};

impl Packet {
    /// The packet that makes exactly these bytes. What stands for itself stays [`Setting::Auto`]: lengths, checksums and next
    /// protocols that are right, and defaults; everything else is set. Bytes that no header explains are payload.
    ///
    /// Printed and parsed again it makes the same bytes, whatever they are (up to
    /// [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES)), when they begin with Ethernet or IP.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], first: First) -> Self {
        Self::of_bytes(bytes, first, Self::relax)
    }

    /// The same with every field set to what stands there, right or wrong: whoever makes it again, for whatever way onto the
    /// wire, has these bytes or none.
    #[must_use]
    pub fn exactly(bytes: &[u8], first: First) -> Self {
        Self::of_bytes(bytes, first, |_, _| ())
    }

    fn of_bytes(bytes: &[u8], first: First, relax: impl Fn(&mut Self, &[u8])) -> Self {
        let chain = walk(bytes, first);
        let mut made = Vec::new();
        if let Some(mut packet) = Self::with_cut_header(bytes, &chain) {
            relax(&mut packet, bytes);
            if packet.build_into(&mut made, &Context::default()).is_ok() && made == bytes {
                return packet;
            }
        }
        for count in (1..=chain.layers.len()).rev() {
            let mut packet = Self::from_layers(bytes, &chain, count);
            relax(&mut packet, bytes);
            let built = packet.build_into(&mut made, &Context::default());
            if built.is_ok() && made == bytes {
                return packet;
            }
        }
        Self { payload: payload(bytes), ..Self::default() }
    }

    /// All layers, and the header that a quote was cut in, up to the last of its fields that is whole.
    fn with_cut_header(bytes: &[u8], chain: &Chain) -> Option<Self> {
        let cut = chain.cut.filter(|cut| cut.quoted && !chain.layers.is_empty())?;
        let there = bytes.get(cut.start..chain.payload.end)?;
        let mut packet = Self::from_layers(bytes, chain, chain.layers.len());
        let mut layer = Layer::new(cut.desc);
        let mut len = set_whole_fields(&mut layer, cut.desc.fields, Part::Header, there);
        if let (true, Some(variant)) = (len == cut.desc.len, layer.variant()) {
            len += set_whole_fields(&mut layer, variant.body.fields, Part::Body, &there[len..]);
        }
        if len == 0 {
            return None;
        }
        layer.cut = Some(len);
        packet.layers.push(layer);
        packet.payload = payload(&there[len..]);
        Some(packet)
    }

    /// The first `count` layers of the chain, and what is behind them as payload.
    fn from_layers(bytes: &[u8], chain: &Chain, count: usize) -> Self {
        let kept = &chain.layers[..count];
        let last = &kept[count - 1];
        let behind = last.start + last.header_len;
        let has_network = kept.iter().any(|layer| !layers::is_link(layer.desc));
        let end = if has_network { chain.payload.end.max(behind) } else { bytes.len() };
        Self {
            layers: kept.iter().map(|at| layer(bytes, at)).collect(),
            payload: payload(&bytes[behind..end]),
            trailer: bytes[end..].to_vec(),
            ..Self::default()
        }
    }

    /// Makes automatic whatever would fill itself with the value that stands there.
    fn relax(&mut self, bytes: &[u8]) {
        let Ok(computed) = Computed::new(self, bytes) else { return };
        let mut right = Vec::new();
        for index in 0..self.layers.len() {
            for (place, field, setting) in self.layers[index].rows() {
                let Setting::Exactly(value) = setting else { continue };
                if is_spoken(self.layers[index].key(), field) {
                    continue;
                }
                if computed.value(self, index, place, field) == Some(value) {
                    right.push((index, place));
                }
            }
        }
        for index in 0..self.layers.len() {
            let of_it: Vec<Place> = right.iter().filter(|(of, _)| *of == index).map(|(_, place)| *place).collect();
            self.layers[index].relax(&of_it);
        }
    }
}

/// Sets the fields that end within these bytes, and returns how many bytes the last of them ends behind.
fn set_whole_fields(layer: &mut Layer, rows: &'static [FieldDesc], part: Part, bytes: &[u8]) -> usize {
    // Only whole bytes: a field that shares its last with one that is cut off would lose that.
    let whole = |field: &&FieldDesc| (field.offset + field.bits).is_multiple_of(8) && field.end_byte() <= bytes.len();
    let len = rows.iter().filter(whole).map(FieldDesc::end_byte).max().unwrap_or(0);
    for (row, field) in rows.iter().enumerate().filter(|(_, field)| field.end_byte() <= len && field.is_there()) {
        let value = field.read(bytes).unwrap_or(0);
        match field.text(bytes).filter(|text| !text.is_empty()) {
            Some(text) => drop(layer.set_text(field.key, text)),
            None => layer.set_at(Place { part, row }, Setting::Exactly(value)),
        }
    }
    len
}

fn payload(bytes: &[u8]) -> Payload {
    if bytes.is_empty() { Payload::Empty } else { Payload::Bytes(bytes.to_vec()) }
}

/// A layer with every field set to what stands there.
fn layer(bytes: &[u8], at: &LayerAt) -> Layer {
    let mut layer = Layer::new(at.desc);
    let read = |rows: &'static [FieldDesc], from: usize, part: Part, layer: &mut Layer| {
        for (row, field) in rows.iter().enumerate().filter(|(_, field)| field.is_there()) {
            let value = field.read(&bytes[from..]).unwrap_or(0);
            match field.text(&bytes[from..]).filter(|text| !text.is_empty()) {
                Some(text) => drop(layer.set_text(field.key, text)),
                None => layer.set_at(Place { part, row }, Setting::Exactly(value)),
            }
        }
    };
    read(at.desc.fields, at.start, Part::Header, &mut layer);
    if let Some(variant) = at.variant {
        read(variant.body.fields, at.body().start, Part::Body, &mut layer);
    }
    let area = &bytes[at.options.clone()];
    let kept = without_padding(&layer, area);
    layer.set_options(area[..kept].to_vec());
    if at.desc.stated_len(&bytes[at.start..]).is_some_and(|stated| stated > at.header_len) && at.quoted {
        layer.cut = Some(at.header_len);
        layer.options = area.to_vec();
    }
    if let Some(closing) = at.desc.options.and_then(TlvDesc::closing) {
        // The list was read up to the option that ends it, if there is one.
        layer.unended = layer.closing().is_some();
        if !layer.unended && layer.options.last().is_some_and(|&last| u16::from(last) == closing) {
            layer.options.pop();
        }
    }
    if dns::is_dns(at.desc) {
        layer.counts = dns::count(area, Entries::counts_in(&bytes[at.start..]).unwrap_or_default());
    }
    layer
}

/// How many bytes of an option area are not the zeros that padding makes anyhow.
fn without_padding(layer: &Layer, area: &[u8]) -> usize {
    let Some(table) = layer.option_table() else { return area.len() };
    for option in Options::new(table, area) {
        let start = option.range.start;
        let ends = matches!(option.item, OptionItem::Known { desc } if desc.kind == 0 && option.range.len() == 1);
        if ends && area.len() - start < table.align && area[start..].iter().all(|&byte| byte == 0) {
            return start;
        }
    }
    area.len()
}

/// Whether people always say what stands here, also where it is the default: flags, the kind of an ICMP or ARP message.
fn is_spoken(layer: &str, field: &FieldDesc) -> bool {
    field.kind == Kind::Flags
        || matches!((layer, field.key), ("icmp" | "icmp6" | "igmp" | "dhcp6", "type") | ("arp", "op"))
}

/// Whether a field is one whose value follows from the rest of the packet.
pub(crate) fn is_computed(field: &FieldDesc) -> bool {
    matches!(
        field.auto,
        Auto::Length(_) | Auto::Checksum(_) | Auto::Next | Auto::Count(_) | Auto::Entries(_) | Auto::Records
    )
}
