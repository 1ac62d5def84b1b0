//! The fields of one layer: what is set, what is known from the layout, what the context knows, what is drawn.

use alloc::vec;
use alloc::vec::Vec;

use wirewright_wire::{Auto, FieldDesc, Kind, LengthOf, MacAddr};

use super::{BuildError, Context, Laid, Layout, Note};
use crate::applications;
use crate::layers;
use crate::numbers;
use crate::options::{OptionItem, Options};
use crate::packet::{Layer, Packet, Part, Place, Setting};

/// What the fields of one layer are filled from.
pub(super) struct Filler<'a> {
    pub(super) packet: &'a Packet,
    pub(super) index: usize,
    pub(super) layout: &'a Layout,
    pub(super) context: &'a Context,
}

impl Filler<'_> {
    /// Writes the header: every field but checksums, then the options.
    #[inline]
    pub(super) fn write(&self, out: &mut [u8], notes: &mut Vec<Note>) -> Result<(), BuildError> {
        let layer = self.layer();
        let laid = self.laid();
        let mut whole;
        let bytes = if laid.head < laid.whole {
            whole = vec![0; laid.whole];
            &mut whole[..]
        } else {
            &mut out[laid.start..laid.start + laid.head]
        };
        bytes[..layer.template.len()].copy_from_slice(&layer.template);
        for row in Bits(layer.open) {
            let (field, setting) = (&layer.desc.fields[row], layer.fields[row]);
            // Made from the bytes when all else stands there; until then 0, as in the template.
            if matches!(field.auto, Auto::Checksum(_)) {
                continue;
            }
            let value = self.value(Part::Header, row, field, setting, notes)?;
            // The table fills its header, and the header is there: the field fits.
            let _fits = field.write(bytes, value);
        }
        if let Some(hops) = self.hops_demanded() {
            self.write_hops(bytes, hops);
        }
        if let Some(variant) = layer.variant {
            let body = &mut bytes[layer.desc.len..];
            for row in Bits(layer.body_open) {
                let (field, setting) = (&variant.body.fields[row], layer.body[row]);
                let value = self.value(Part::Body, row, field, setting, notes)?;
                let _fits = field.write(body, value);
            }
        }
        if !layer.options.is_empty() {
            let fixed = layer.fixed_len();
            bytes[fixed..fixed + layer.options.len()].copy_from_slice(&layer.options);
        }
        if let Some(closing) = layer.closing() {
            // Lists whose kinds are wider than a byte do not end by themselves.
            bytes[layer.fixed_len() + layer.options.len()] = closing as u8;
        }
        if laid.head < laid.whole {
            let there = bytes[..laid.head].to_vec();
            out[laid.start..laid.start + laid.head].copy_from_slice(&there);
        }
        Ok(())
    }

    /// The TTL of IPv4, where it is not set and the protocol above demands its own (RFC 2236 §2: 1).
    #[cold]
    fn write_hops(&self, bytes: &mut [u8], hops: u8) {
        let layer = self.layer();
        if layer.key() != "ip" {
            return;
        }
        let ttl = layer.desc.fields.iter().zip(&layer.fields).find(|(field, _)| field.key == "ttl");
        if let Some((field, Setting::Auto)) = ttl {
            let _fits = field.write(bytes, hops.into());
        }
    }

    /// The hop limit that the message behind this header and its extensions must carry.
    #[inline]
    fn hops_demanded(&self) -> Option<u8> {
        for layer in &self.packet.layers[self.index + 1..] {
            if let Some(variant) = layer.variant {
                return variant.hop_limit;
            }
            if !layers::is_extension(layer.desc) {
                break;
            }
        }
        None
    }

    fn layer(&self) -> &Layer {
        &self.packet.layers[self.index]
    }

    fn laid(&self) -> &Laid {
        &self.layout.layers()[self.index]
    }

    #[inline(always)]
    fn value(
        &self,
        part: Part,
        row: usize,
        field: &'static FieldDesc,
        setting: Setting,
        notes: &mut Vec<Note>,
    ) -> Result<u128, BuildError> {
        match setting {
            Setting::Exactly(value) => Ok(value),
            // Made from the bytes when all else stands there; until then 0.
            _ if matches!(field.auto, Auto::Checksum(_)) => Ok(0),
            Setting::Auto => {
                let value = self.auto(part, row, field, notes)?;
                if value > field.max() {
                    let (layer, key) = (self.layer().key(), field.key);
                    return Err(BuildError::ValueTooLarge { layer, key, value, max: field.max() });
                }
                Ok(value)
            }
            Setting::Relative(offset) => {
                let value = self.auto(part, row, field, notes)?;
                Ok(value.wrapping_add_signed(i128::from(offset)) & field.max())
            }
            // Text stands in the template, which is settled.
            Setting::Text => Ok(field.default),
            Setting::Wrong(_) => Err(BuildError::NotAChecksum { layer: self.layer().key(), key: field.key }),
        }
    }

    /// The value of a field that is not set.
    pub(super) fn auto(
        &self,
        part: Part,
        row: usize,
        field: &'static FieldDesc,
        notes: &mut Vec<Note>,
    ) -> Result<u128, BuildError> {
        // Told apart by layer, part and row: one draw never repeats another.
        let lane = || (self.index as u64) << 16 | (part as u64) << 8 | row as u64;
        Ok(match field.auto {
            Auto::Random => u128::from(self.context.draw(lane())) & field.max(),
            Auto::Length(of) => self.length(of) as u128,
            Auto::Next => self.next(),
            Auto::Source => self.source(field, notes),
            Auto::NextHop => self.next_hop(field, notes),
            Auto::SourcePort if let Some(port) = self.packet.port_of_message(self.index) => port.into(),
            Auto::SourcePort => self.context.source_port.unwrap_or_else(|| self.context.dynamic_port(lane())).into(),
            Auto::Identifier => match self.context.identifier {
                Some(identifier) => identifier.into(),
                None => u128::from(self.context.draw(lane())) & field.max(),
            },
            Auto::Present | Auto::Records | Auto::Required | Auto::Entries(_) | Auto::Count(_) => {
                return self.counted(Place { part, row }, field);
            }
            Auto::Direction => 1 + u128::from(applications::is_answer(self.layer())),
            // A checksum is 0 while the rest is written; what fills itself in no way has its default.
            Auto::Checksum(_) => 0,
            _ => self.default(field),
        })
    }

    /// What follows from the layer's own body and entries, and from what stands behind. Few packets have such fields: apart
    /// from the others, which all have.
    #[cold]
    fn counted(&self, place: Place, field: &'static FieldDesc) -> Result<u128, BuildError> {
        let layer = self.layer();
        Ok(match field.auto {
            Auto::Present => self.is_announced(field).into(),
            Auto::Records => self.records() as u128,
            Auto::Entries(size) => (layer.options.len() / size) as u128,
            Auto::Count(section) => layer.counts[section as usize].into(),
            _ => match self.port_above().filter(|_| field.key == "dport") {
                // RFC 7348 §5, RFC 1035 §4.2.1: what stands behind says its port.
                Some(port) => port.into(),
                None if !layer.holds(place, field) => 0,
                None => return Err(BuildError::FieldMissing { layer: layer.key(), key: field.key }),
            },
        })
    }

    /// The default of the table, but where the protocol above demands its own hop limit (RFC 4861: 255).
    fn default(&self, field: &FieldDesc) -> u128 {
        match self.hops_demanded() {
            Some(hops) if matches!((self.layer().key(), field.key), ("ip6", "hlim") | ("ip", "ttl")) => hops.into(),
            _ => self.layer().default_of(field),
        }
    }

    /// Whether the fields of the body are there that this bit of the header announces.
    fn is_announced(&self, bit: &FieldDesc) -> bool {
        let body = self.layer().variant.map_or(&[][..], |variant| variant.body.fields);
        body.iter().any(|field| field.flag == bit.key && field.is_there())
    }

    /// How many entries of a list stand behind.
    fn records(&self) -> usize {
        let layer = self.layer();
        let Some(table) = layer.option_table() else { return 0 };
        let whole = |item: &OptionItem| matches!(item, OptionItem::Known { .. });
        Options::new(table, &layer.options).filter(|entry| whole(&entry.item)).count()
    }

    fn port_above(&self) -> Option<u16> {
        applications::peers(self.packet.layers.get(self.index + 1)?).map(|peers| peers.destination_port)
    }

    fn length(&self, of: LengthOf) -> usize {
        let laid = self.laid();
        match of {
            LengthOf::HeaderWords => laid.whole / 4,
            LengthOf::Whole => self.layout.end - laid.start,
            LengthOf::Behind => (self.layout.end - laid.start).saturating_sub(self.layer().desc.len),
            LengthOf::Extension => (laid.whole / 8).saturating_sub(1),
            // RFC 4884 §3: 0 while no extension structure stands behind the quoted packet.
            _ => 0,
        }
    }

    fn next(&self) -> u128 {
        let next = self.packet.layers.get(self.index + 1).map(|layer| layer.desc);
        let nothing = self.layout.end == self.laid().start + self.laid().head;
        numbers::next_number(self.layer().desc, next, nothing).into()
    }

    fn source(&self, field: &FieldDesc, notes: &mut Vec<Note>) -> u128 {
        let known = match field.kind {
            Kind::Mac => self.context.source_mac.map(|mac| mac.to_u64().into()),
            Kind::Ipv4 if let Some(source) = self.packet.source_of_message(self.index) => Some(source.into()),
            Kind::Ipv4 => self.context.source_v4.map(|address| address.to_bits().into()),
            Kind::Ipv6 => self.context.source_v6.map(|address| address.to_bits()),
            _ => None,
        };
        known.unwrap_or_else(|| {
            notes.push(Note::SourceUnknown { layer: self.index, field: field.meaning });
            0
        })
    }

    fn next_hop(&self, field: &FieldDesc, notes: &mut Vec<Note>) -> u128 {
        let mac = numbers::group_mac(self.packet, self.index).or(self.context.next_hop_mac);
        mac.map(MacAddr::to_u64).map_or_else(
            || {
                notes.push(Note::NextHopUnknown { layer: self.index, field: field.meaning });
                0
            },
            u128::from,
        )
    }
}

/// The numbers of the bits that are one, from the lowest.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (bit < u64::BITS).then_some(bit as usize)
    }
}
