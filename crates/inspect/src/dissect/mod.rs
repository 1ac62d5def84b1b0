//! Frames to fields: every byte of a frame has its place, and what is wrong becomes a complaint instead of failure.
//!
//! In: bytes and what they begin with.
//! Out: a [`Dissection`]: layers, their fields and options with values, checksums, payload, trailer, complaints.
//! Above: render, cli. Below: craft's chain of layers, wire's tables.
//! Not here: how any of it looks (render), flows and findings over several frames.

mod options;
mod records;

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use wirewright_craft::{Chain, First, LayerAt, walk};
pub use wirewright_craft::{DnsValue, is_dns, record_forms};
pub use wirewright_wire::dns::Section;
use wirewright_wire::{FieldDesc, HeaderDesc, Kind, LimitedBy, Name, OptionDesc, Variant};

use crate::sum::{Checksum, Known, checksums_of};

/// A frame taken apart. Positions count from its first byte.
#[derive(Clone, Debug)]
pub struct Dissection<'a> {
    /// The frame.
    pub bytes: &'a [u8],
    /// What it begins with.
    pub first: First,
    /// Its layers, outermost first; those that an ICMP error quotes stand behind it.
    pub layers: Vec<Layer>,
    /// What the innermost layer carries.
    pub payload: Range<usize>,
    /// Bytes behind the packet (Ethernet padding).
    pub trailer: Range<usize>,
    /// Its checksums, judged, in the order of the layers.
    pub checksums: Vec<Checksum<'a>>,
    /// What is wrong with it, in the order of its bytes; wrong checksums are told by `checksums`.
    pub complaints: Vec<Complaint>,
}

/// A layer of a frame.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its table.
    pub desc: &'static HeaderDesc,
    /// The body behind the fixed header (ICMP), chosen by the type.
    pub variant: Option<&'static Variant>,
    /// Its header with body and options.
    pub header: Range<usize>,
    /// The byte behind all that belongs to it.
    pub end: usize,
    /// It stands in a packet that an ICMP error quotes, where being cut short is normal.
    pub quoted: bool,
    /// The fields of header and body, in wire order.
    pub fields: Vec<Field>,
    /// The options, in wire order, padding included.
    pub options: Vec<OptionField>,
    /// The questions and records of a DNS message, in wire order.
    pub records: Vec<Record>,
    /// The bytes of the header that no field and no option names (the addresses of a routing header).
    pub rest: Range<usize>,
}

/// A field with its value.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its row.
    pub desc: &'static FieldDesc,
    /// Its first bit, from the start of the frame.
    pub bit: usize,
    /// Its value.
    pub value: u128,
    /// The word that stands for the value, where it has one.
    pub word: Option<&'static Name>,
}

/// An option with its fields.
#[derive(Clone, Debug)]
pub struct OptionField {
    /// Its description, where the kind is known.
    pub desc: Option<&'static OptionDesc>,
    /// What it is.
    pub what: OptionKind,
    /// All its bytes.
    pub range: Range<usize>,
    /// How many bytes kind and length take.
    pub head: usize,
    /// The fields of its value; for kinds that repeat, each time.
    pub fields: Vec<Field>,
    /// The domain names behind its fields (DNS search list), which end where `rest` begins.
    pub names: Vec<String>,
    /// The bytes of its value that no field names.
    pub rest: Range<usize>,
}

/// A question or a record of a DNS message.
#[derive(Clone, Debug)]
pub struct Record {
    /// The section that it stands in.
    pub section: Section,
    /// All its bytes.
    pub range: Range<usize>,
    /// All of it in words, names whole: `example.com A 300 192.0.2.1`.
    pub text: String,
    /// Its values, in the order of their bytes, which count from the start of the frame.
    pub values: Vec<DnsValue>,
}

impl Record {
    /// What its data say, in words: for an address the address.
    #[must_use]
    pub fn data(&self) -> String {
        let data = self.values.iter().skip_while(|value| value.key != "len").skip(1);
        data.map(|value| value.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// What an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// An option of this kind.
    Kind(u16),
    /// Bytes behind the end of the list.
    Padding,
    /// Bytes whose length is impossible, and all behind them.
    Malformed,
}

/// Something that is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The stable code.
    pub code: &'static str,
    /// The key of the layer concerned: where a header is missing, that of the header.
    pub layer: &'static str,
    /// The offending byte, from the start of the frame.
    pub offset: usize,
    /// How many bytes were needed, or the least value allowed.
    pub need: usize,
    /// How many there are, or the value found.
    pub have: usize,
    /// What set the limit.
    pub limited_by: LimitedBy,
}

impl Complaint {
    /// Every code, for the catalogue and for documents.
    pub const CODES: [&str; 8] = [
        "header-cut",
        "header-length-short",
        "header-length-long",
        "length-short",
        "length-long",
        "option-malformed",
        "version",
        "too-many-layers",
    ];
}

impl Field {
    /// The bytes that it touches, from the start of the frame.
    #[must_use]
    pub const fn bytes(&self) -> Range<usize> {
        self.bit / 8..(self.bit + self.desc.bits).div_ceil(8)
    }
}

impl Layer {
    /// The field with this key, in header or body.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.desc.key == key)
    }

    /// The value of a field.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<u128> {
        self.field(key).map(|field| field.value)
    }
}

impl Dissection<'_> {
    /// The innermost layer with this key that is not quoted.
    #[must_use]
    pub fn layer(&self, key: &str) -> Option<&Layer> {
        self.layers.iter().rev().find(|layer| layer.desc.key == key && !layer.quoted)
    }

    /// The checksum that stands in a layer.
    #[must_use]
    pub fn checksum_in(&self, layer: &Layer) -> Option<&Checksum<'_>> {
        self.checksums.iter().find(|sum| layer.header.contains(&sum.at))
    }

    /// Whether nothing is wrong: no complaint, and no checksum that a receiver would refuse.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.complaints.is_empty() && !self.checksums.iter().any(|sum| sum.verdict.is_wrong())
    }
}

/// Takes a frame apart. Never fails; work and memory are linear in its length.
#[must_use]
pub fn dissect(bytes: &[u8], first: First) -> Dissection<'_> {
    dissect_knowing(bytes, first, &Known::default())
}

/// The same with what is known besides the bytes, for the checksums.
#[must_use]
pub fn dissect_knowing<'a>(bytes: &'a [u8], first: First, known: &Known<'_>) -> Dissection<'a> {
    let chain = walk(bytes, first);
    let mut layers: Vec<_> = chain.layers.iter().map(|layer| layer_of(bytes, layer)).collect();
    let mut chain = chain;
    if let Some(cut) = cut_header(bytes, &chain) {
        chain.payload.start = cut.header.end;
        layers.push(cut);
    }
    let complaints = complaints(bytes, &chain, &layers);
    let checksums = checksums_of(bytes, &chain, known);
    Dissection { bytes, first, layers, payload: chain.payload, trailer: chain.trailer, checksums, complaints }
}

fn layer_of(bytes: &[u8], at: &LayerAt) -> Layer {
    let mut fields = Vec::with_capacity(at.desc.fields.len());
    read_fields(bytes, at.start, at.desc.fields, &mut fields);
    if let Some(variant) = at.variant {
        read_fields(bytes, at.body().start, variant.body.fields, &mut fields);
        // The words of an ICMP code depend on the type.
        if let Some(code) = fields.iter_mut().find(|field| field.desc.key == "code") {
            code.word = variant.codes.iter().find(|name| u128::from(name.value) == code.value).or(code.word);
        }
    }
    let table = at.variant.and_then(|variant| variant.body.options).or(at.desc.options);
    let options = table.map_or_else(Vec::new, |table| options::read(bytes, table, at.options.clone()));
    let end = at.start + at.header_len;
    let named = fields.last().map_or(at.start, |field| field.bytes().end);
    let named = options.last().map_or(named, |option| option.range.end);
    let records = if is_dns(at.desc) { records::read(bytes, at) } else { Vec::new() };
    let named = records.last().map_or(named, |record| record.range.end);
    Layer {
        desc: at.desc,
        variant: at.variant,
        header: at.start..end,
        rest: named.min(end)..end,
        end: at.end,
        quoted: at.quoted,
        fields,
        options,
        records,
    }
}

/// The header that the quote of an ICMP error was cut in, with the fields that are wholly there.
fn cut_header(bytes: &[u8], chain: &Chain) -> Option<Layer> {
    let cut = chain.cut.filter(|cut| cut.quoted)?;
    let there = bytes.get(..chain.payload.end)?;
    let mut fields = Vec::new();
    read_fields(there, cut.start, cut.desc.fields, &mut fields);
    // A byte that a field which is cut off has a part of belongs to none.
    while fields.last().is_some_and(|last| (last.bit + last.desc.bits) % 8 != 0) {
        fields.pop();
    }
    let end = fields.last()?.bytes().end;
    Some(Layer {
        desc: cut.desc,
        variant: None,
        header: cut.start..end,
        end,
        quoted: true,
        fields,
        options: Vec::new(),
        records: Vec::new(),
        rest: end..end,
    })
}

/// Reads the fields of a table at a byte; those that the bytes do not reach are left out.
fn read_fields(bytes: &[u8], start: usize, table: &'static [FieldDesc], into: &mut Vec<Field>) {
    let header = bytes.get(start..).unwrap_or_default();
    into.extend(table.iter().filter_map(|desc| {
        let value = desc.read(header)?;
        let word = if desc.kind == Kind::Flags { None } else { desc.word_for(value) };
        Some(Field { desc, bit: start * 8 + desc.offset, value, word })
    }));
}

fn complaints(bytes: &[u8], chain: &Chain, layers: &[Layer]) -> Vec<Complaint> {
    let mut all = Vec::new();
    for (at, layer) in chain.layers.iter().zip(layers) {
        let key = at.desc.key;
        all.extend(version(at, layer));
        all.extend(at.complaint.map(|it| of_walk(it, key)));
        let table = at.variant.and_then(|variant| variant.body.options).or(at.desc.options);
        let malformed = layer.options.iter().filter(|option| option.what == OptionKind::Malformed && !at.quoted);
        all.extend(table.into_iter().zip(Some(malformed)).flat_map(|(table, malformed)| {
            malformed.map(move |option| {
                // What its length says, or the bytes that kind and length would need.
                let stated = bytes.get(option.range.start..at.end).and_then(|option| table.stated_len(option));
                Complaint {
                    code: "option-malformed",
                    layer: key,
                    offset: option.range.start,
                    need: stated.unwrap_or(0).max(table.head_len()),
                    have: option.range.len(),
                    limited_by: LimitedBy::OwnLength,
                }
            })
        }));
    }
    // A packet that an ICMP error quotes is cut by design.
    all.extend(chain.cut.filter(|cut| !cut.quoted).map(|cut| of_walk(cut.complaint, cut.desc.key)));
    if chain.too_deep {
        let last = chain.layers.last().map_or("", |layer| layer.desc.key);
        all.push(Complaint {
            code: "too-many-layers",
            layer: last,
            offset: chain.payload.start,
            need: chain.layers.len() + 1,
            have: chain.layers.len(),
            limited_by: LimitedBy::Rule,
        });
    }
    all
}

/// An IP header whose version is another one.
fn version(at: &LayerAt, layer: &Layer) -> Option<Complaint> {
    let need = match at.desc.key {
        "ip" => 4,
        "ip6" => 6,
        _ => return None,
    };
    let have = layer.value("ver")? as usize;
    let complaint =
        Complaint { code: "version", layer: at.desc.key, offset: at.start, need, have, limited_by: LimitedBy::Rule };
    (have != need).then_some(complaint)
}

const fn of_walk(it: wirewright_craft::Complaint, layer: &'static str) -> Complaint {
    Complaint { code: it.code, layer, offset: it.offset, need: it.need, have: it.have, limited_by: it.limited_by }
}

#[cfg(test)]
mod tests;
