//! The bytes of a packet as the steps of a program: a field or a few bytes each, then the checksums.

use std::net::IpAddr;

use wirewright_hand::{Built, Origin, Outgoing, Span, What};
use wirewright_inspect::dissect::OptionField;
use wirewright_inspect::sum::{Checksum, Pseudo};
use wirewright_inspect::wire::checksum::Sum;
use wirewright_inspect::wire::{FieldDesc, Kind, OptionLen};
use wirewright_inspect::{Dissection, dissect};

use crate::catalogue::Catalogue;
use crate::hex::digits;
use crate::text::escape_bytes;
use crate::value::{text, value};

/// A step of a program: something that is put behind what is there.
pub(super) enum Part {
    /// A layer begins.
    Title(String),
    /// So many bits of a number.
    Bits {
        /// At most 64.
        bits: usize,
        /// The number as all three languages write it.
        number: String,
        /// Name, value and meaning.
        comment: String,
    },
    /// Bytes as digits.
    Hex {
        /// At most [`ROW`] bytes.
        digits: String,
        /// What they are.
        comment: String,
    },
}

/// A checksum that the program computes.
pub(super) struct SumPart {
    /// What it is.
    pub(super) comment: String,
    /// Its first byte.
    pub(super) at: usize,
    /// The bytes that it covers.
    pub(super) covers: std::ops::Range<usize>,
    /// The pseudo-header before them as digits; often empty.
    pub(super) pseudo: String,
    /// What is sent for a computed 0.
    pub(super) zero: u16,
}

/// Bytes a line: their text stands beside them.
const ROW: usize = 16;

/// The widest field that is written as a number: C has no larger type.
const NUMBER_BITS: usize = 64;

/// All steps, and the checksums from the inside out, because an outer message covers the inner ones.
pub(super) fn of(packet: &Outgoing<'_>, built: &Built, words: &Catalogue) -> (Vec<Part>, Vec<SumPart>) {
    let frame = dissect(&built.bytes, built.first);
    let mut writer = Writer { built, words, parts: Vec::new(), sums: Vec::new(), frame: &frame };
    let mut layer = None;
    for span in &built.spans {
        if span.layer != layer || matches!(span.what, What::Payload | What::Trailer) {
            layer = span.layer;
            writer.title(packet, span);
        }
        writer.part(span);
    }
    writer.sums.reverse();
    (writer.parts, writer.sums)
}

struct Writer<'a> {
    built: &'a Built,
    words: &'a Catalogue,
    frame: &'a Dissection<'a>,
    parts: Vec<Part>,
    sums: Vec<SumPart>,
}

impl Writer<'_> {
    fn title(&mut self, packet: &Outgoing<'_>, span: &Span) {
        let title = match span.layer.and_then(|index| packet.layers.get(index)) {
            Some(layer) => format!("{}: {} ({})", layer.desc.key, layer.desc.title, layer.desc.rfc),
            None if matches!(span.what, What::Trailer) => self.words.say("program.trailer", &[]),
            None => self.words.say("program.payload", &[]),
        };
        let place = self.words.say("program.from", &[("byte", &span.bytes.start)]);
        self.parts.push(Part::Title(format!("{title}, {place}")));
    }

    fn part(&mut self, span: &Span) {
        match span.what {
            What::Field(field) | What::Body(field) => self.field(span, field),
            What::Option(_) => self.option(span),
            What::Padding => {
                let comment = self.words.say("program.padding", &[]);
                self.bytes(span.bytes.clone(), |_| comment.clone());
            }
            _ => self.bytes(span.bytes.clone(), |row| format!("'{}'", escape_bytes(row))),
        }
    }

    /// A row for each few bytes.
    fn bytes(&mut self, range: std::ops::Range<usize>, comment: impl Fn(&[u8]) -> String) {
        let rows = self.built.bytes[range].chunks(ROW);
        self.parts.extend(rows.map(|row| Part::Hex { digits: digits(row), comment: comment(row) }));
    }

    fn field(&mut self, span: &Span, field: &'static FieldDesc) {
        let stored = read(&self.built.bytes, span);
        if field.kind == Kind::Text {
            let shown =
                text(field.text(&self.built.bytes[span.bytes.start - field.first_byte()..]).unwrap_or_default());
            let meaning = self.words.say(field.meaning, &[]);
            let mut comment = format!("{} = {shown}: {}", field.key, first_sentence(&meaning));
            for row in self.built.bytes[span.bytes.clone()].chunks(ROW) {
                self.parts.push(Part::Hex { digits: digits(row), comment });
                comment = field.key.to_owned();
            }
            return;
        }
        let mut comment = format!("{} = {}", field.key, value(field, stored));
        if field.kind != Kind::Flags
            && let Some(name) = field.word_for(stored)
        {
            comment = format!("{comment} {}", if name.title.is_empty() { name.word } else { name.title });
        }
        let meaning = self.words.say(field.meaning, &[]);
        comment = format!("{comment}: {}", first_sentence(&meaning));
        let sum = self.frame.checksums.iter().find(|sum| sum.at * 8 == span.bits.start && span.bits.len() == 16);
        if let Some((sum, right)) = sum.and_then(|sum| Some((sum, computed(&self.built.bytes, sum)?))) {
            if sum_as_sent(sum, right) == sum.stored {
                self.parts.push(Part::Bits {
                    bits: 16,
                    number: "0".to_owned(),
                    comment: format!("{comment} {}", self.words.say("program.later", &[])),
                });
                self.sums.push(self.sum(sum));
                return;
            }
            let right = format!("{right:#06x}");
            comment = format!("{comment} {}", self.words.say("program.not-right", &[("right", &right)]));
        } else if span.origin == Origin::Wrong {
            comment = format!("{comment} {}", self.words.say("program.wrong", &[]));
        }
        if field.bits > NUMBER_BITS {
            self.bytes(span.bytes.clone(), |_| comment.clone());
            return;
        }
        let number = match field.kind {
            Kind::Hex | Kind::Ipv4 | Kind::Mac | Kind::Flags => {
                format!("0x{stored:0width$x}", width = field.bits.div_ceil(4))
            }
            _ => stored.to_string(),
        };
        self.parts.push(Part::Bits { bits: field.bits, number, comment });
    }

    fn sum(&self, sum: &Checksum<'_>) -> SumPart {
        let key = if sum.pseudo.is_some() { "program.sum.pseudo" } else { "program.sum" };
        let comment = self.words.say(key, &[("layer", &sum.layer.key), ("rfc", &sum.layer.rfc)]);
        let pseudo = sum.pseudo.map(|pseudo| digits(&pseudo_bytes(&pseudo))).unwrap_or_default();
        SumPart { comment, at: sum.at, covers: sum.covers.clone(), pseudo, zero: sum_as_sent(sum, 0) }
    }

    fn option(&mut self, span: &Span) {
        let options = || self.frame.layers.iter().flat_map(|layer| &layer.options);
        let comment = match options().find(|option| option.range == span.bytes) {
            Some(option) => option_comment(&self.built.bytes, option),
            None => self.words.say("program.option", &[]),
        };
        self.bytes(span.bytes.clone(), |_| comment.clone());
    }
}

fn option_comment(bytes: &[u8], option: &OptionField) -> String {
    let Some(desc) = option.desc else { return "option".to_owned() };
    let named = option.fields.iter().filter(|field| !field.desc.reserved);
    let mut values: Vec<_> =
        named.map(|field| format!("{} = {}", field.desc.key, value(field.desc, field.value))).collect();
    if desc.len == OptionLen::Text {
        values.extend(bytes.get(option.rest.clone()).map(text));
    }
    let colon = if values.is_empty() { "" } else { ": " };
    format!("{} {} ({}){colon}{}", desc.key, desc.title, desc.rfc, values.join(", "))
}

/// The bits of a span as a number; 0 for one that is wider than any field.
fn read(bytes: &[u8], span: &Span) -> u128 {
    span.bits.clone().fold(0, |number, bit| number << 1 | u128::from(bytes[bit / 8] >> (7 - bit % 8) & 1))
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

/// What a program computes over these bytes, by the same rule as the function that is written into it; `None` where it
/// cannot be computed.
fn computed(bytes: &[u8], sum: &Checksum<'_>) -> Option<u16> {
    if !(sum.covers.contains(&sum.at) && sum.covers.contains(&(sum.at + 1))) {
        return None;
    }
    let mut covered = sum.pseudo.map(|pseudo| pseudo_bytes(&pseudo)).unwrap_or_default();
    let at = covered.len() + sum.at - sum.covers.start;
    covered.extend(bytes.get(sum.covers.clone())?);
    covered[at..at + 2].fill(0);
    Some(Sum::new().add(&covered).finish())
}

/// RFC 768: a computed 0 is sent as 0xffff.
fn sum_as_sent(sum: &Checksum<'_>, computed: u16) -> u16 {
    if computed == 0 && sum.layer.key == "udp" { 0xffff } else { computed }
}

/// The pseudo-header of RFC 9293 §3.1, or that of RFC 8200 §8.1.
fn pseudo_bytes(pseudo: &Pseudo) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(40);
    for address in [pseudo.source, pseudo.destination] {
        match address {
            IpAddr::V4(address) => bytes.extend(address.octets()),
            IpAddr::V6(address) => bytes.extend(address.octets()),
        }
    }
    if pseudo.destination.is_ipv4() {
        bytes.extend([0, pseudo.protocol]);
        bytes.extend((pseudo.length as u16).to_be_bytes());
    } else {
        bytes.extend(pseudo.length.to_be_bytes());
        bytes.extend([0, 0, 0, pseudo.protocol]);
    }
    bytes
}
