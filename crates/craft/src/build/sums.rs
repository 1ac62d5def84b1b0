//! Checksums, filled from the bytes as they will leave: the right ones, and those with the mistakes asked for.

use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::checksum::{Sum, pseudo_v4, pseudo_v6};
use wirewright_wire::{Auto, FieldDesc, HeaderDesc, LengthOf, SumOver};

use super::{Layout, Note, network_below};
use crate::ends::{Ends, ends};
use crate::numbers;
use crate::packet::{Layer, Packet, Part, Place, Setting, Wrong};

/// Fills the checksum of layer `index`; the layers above it have theirs.
#[inline]
pub(super) fn fill(packet: &Packet, index: usize, layout: &Layout, out: &mut [u8], notes: &mut Vec<Note>) {
    let layer = &packet.layers[index];
    let Some(found) = checksum_of(layer) else { return };
    let (place, field, _) = found;
    let setting = layer.setting(place);
    if let Setting::Exactly(_) = setting {
        return;
    }
    let Some(summed) = Summed::new(packet, index, layout, out, found) else { return };
    if summed.pseudo_missing {
        notes.push(Note::PseudoHeaderMissing { layer: index });
    }
    let right = summed.right();
    let value = match setting {
        Setting::Wrong(wrong) => {
            let value = summed.wrong(right, wrong);
            if value == right {
                notes.push(Note::MistakeWithoutEffect { layer: index });
            }
            value
        }
        Setting::Relative(offset) => summed.relative(right, offset),
        _ => right,
    };
    let start = layout.layers()[index].start + layer.start_of(place.part);
    let _fits = field.write(&mut out[start..], value.into());
}

/// The right checksum of layer `index` in finished bytes; `None` when the layer has none.
pub(super) fn right(packet: &Packet, index: usize, layout: &Layout, bytes: &[u8]) -> Option<u128> {
    let summed = Summed::new(packet, index, layout, bytes, checksum_of(&packet.layers[index])?)?;
    // The field counts as 0. It stands at an even offset, so leaving it out leaves every other byte in its half of a word.
    let at = summed.at;
    let sum = summed.pseudo_sum().add(&summed.message[..at]).add(summed.message.get(at + 2..)?).finish();
    Some(summed.never_zero(sum).into())
}

/// Where a checksum stands, and what it covers.
type Found = (Place, &'static FieldDesc, SumOver);

/// The checksum of a layer: of its header, or of the body that it has now.
#[inline]
fn checksum_of(layer: &Layer) -> Option<Found> {
    let in_part = |part: Part, desc: &'static HeaderDesc| {
        desc.checksum().map(|(row, over)| (Place { part, row }, &desc.fields[row], over))
    };
    in_part(Part::Header, layer.desc).or_else(|| in_part(Part::Body, layer.variant?.body))
}

/// Between whom a message goes, and its protocol; the length in its pseudo-header is that of the message.
#[derive(Clone, Copy)]
struct Pseudo {
    ends: Ends,
    protocol: u8,
}

impl Pseudo {
    /// RFC 9293 §3.1 and RFC 8200 §8.1.
    fn sum(&self, len: usize) -> Sum {
        match (self.ends.source, self.ends.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => pseudo_v4(source, destination, self.protocol, len as u32),
            (IpAddr::V6(source), IpAddr::V6(destination)) => pseudo_v6(source, destination, self.protocol, len as u32),
            // The two are read from one header.
            _ => Sum::new(),
        }
    }
}

/// What a checksum is made over.
struct Summed<'a> {
    layer: &'a Layer,
    /// The first byte of the field, in the message.
    at: usize,
    /// The header and what stands behind it, the checksum field 0.
    message: &'a [u8],
    /// Length of the header in the message.
    head: usize,
    pseudo: Option<Pseudo>,
    /// A pseudo-header is wanted and there is no IP layer below.
    pseudo_missing: bool,
}

impl<'a> Summed<'a> {
    fn new(
        packet: &'a Packet,
        index: usize,
        layout: &Layout,
        bytes: &'a [u8],
        (place, field, over): Found,
    ) -> Option<Self> {
        let layer = &packet.layers[index];
        let laid = layout.layers()[index];
        let at = layer.start_of(place.part) + field.first_byte();
        if at + 2 > laid.head {
            return None;
        }
        let end = if over == SumOver::Header { laid.start + laid.head } else { layout.end };
        let wanted = over == SumOver::PseudoHeaderAndMessage;
        let below = if wanted { network_below(&packet.layers, index) } else { None };
        let header = |at: usize| {
            let laid = layout.layers()[at];
            (packet.layers[at].desc, bytes.get(laid.start..laid.start + laid.head).unwrap_or_default())
        };
        let ends = below.and_then(|below| ends((below..index).map(header)));
        let pseudo = ends.map(|ends| Pseudo { ends, protocol: numbers::own_protocol(layer.desc) });
        let pseudo_missing = wanted && pseudo.is_none();
        // Bytes that are read back may end before what their own lengths pad them to.
        let message = bytes.get(laid.start..end.min(bytes.len())).unwrap_or_default();
        Some(Self { layer, at, message, head: laid.head, pseudo, pseudo_missing })
    }

    fn right(&self) -> u16 {
        self.never_zero(self.pseudo_sum().add(self.message).finish())
    }

    fn pseudo_sum(&self) -> Sum {
        self.pseudo.map_or_else(Sum::new, |pseudo| pseudo.sum(self.message.len()))
    }

    /// RFC 768: a computed 0 is sent as 0xffff, 0 says that none was computed.
    fn never_zero(&self, sum: u16) -> u16 {
        if sum == 0 && self.layer.key() == "udp" { 0xffff } else { sum }
    }

    fn relative(&self, right: u16, offset: i64) -> u16 {
        let value = right.wrapping_add(offset as u16);
        // UDP: only `sum=0` and `sum=zero` send 0; the step goes on past it.
        let past_zero = if offset < 0 { 0xfffe } else { 1 };
        if value == 0 && offset != 0 && self.layer.key() == "udp" { past_zero } else { value }
    }

    fn wrong(&self, right: u16, wrong: Wrong) -> u16 {
        if wrong.has(Wrong::ZERO) {
            return 0;
        }
        let mut value = if wrong == Wrong::BAD { right } else { self.mistaken(right, wrong) };
        if wrong.has(Wrong::SWAP) {
            value = value.swap_bytes();
        }
        if wrong.has(Wrong::BAD) {
            // 0xffff plus one is 0, which in ones' complement is 0xffff again.
            value = if value == 0xffff { 1 } else { value + 1 };
        }
        self.never_zero(value)
    }

    /// The sum as a program with these mistakes computes it, before it stores it.
    fn mistaken(&self, right: u16, wrong: Wrong) -> u16 {
        let mut message = if wrong.has(Wrong::PARTIAL) {
            Vec::new()
        } else if wrong.has(Wrong::NOPAYLOAD) {
            self.message[..self.head].to_vec()
        } else {
            self.message.to_vec()
        };
        let mut pseudo_len = self.message.len() as u64;
        if wrong.has(Wrong::STALE) && !self.zero_own_length(&mut message) {
            pseudo_len = 0;
        }
        let mut sum = 0;
        if wrong.has(Wrong::NOTZEROED) && !message.is_empty() {
            sum += u64::from(right);
        }
        if let Some(pseudo) = self.pseudo.filter(|_| !wrong.has(Wrong::NOPSEUDO)) {
            if !wrong.has(Wrong::NOSOURCE) {
                sum += address_words(pseudo.ends.source);
            }
            sum += address_words(pseudo.ends.destination) + u64::from(pseudo.protocol) + pseudo_len;
        }
        if wrong.has(Wrong::ODD) && message.len() % 2 == 1 {
            // The beginner's loop: the last byte never counts, the one before it counts a second time.
            message.pop();
            sum += message.last().map_or(0, |&byte| u64::from(byte) << 8);
        }
        sum += words(&message);
        if !wrong.has(Wrong::NOFOLD) {
            while sum > 0xffff {
                sum = (sum & 0xffff) + (sum >> 16);
            }
        }
        let sum = (sum & 0xffff) as u16;
        if wrong.has(Wrong::NOCOMP) || wrong.has(Wrong::PARTIAL) { sum } else { !sum }
    }

    /// Writes 0 into the message's own length field; `false` when it has none.
    fn zero_own_length(&self, message: &mut [u8]) -> bool {
        let own = |field: &&FieldDesc| matches!(field.auto, Auto::Length(LengthOf::Whole | LengthOf::Behind));
        self.layer.desc.fields.iter().find(own).is_some_and(|field| field.write(message, 0))
    }
}

fn address_words(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => words(&address.octets()),
        IpAddr::V6(address) => words(&address.octets()),
    }
}

/// The sum of big-endian words, the last one padded on its right.
fn words(bytes: &[u8]) -> u64 {
    bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0))).sum()
}
