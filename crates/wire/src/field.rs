//! What a field is: its bits in a header, and its row of the table.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::dns::Section;
use crate::{MacAddr, SeqNum, WindowField};

/// A type that a header field can have: loaded from and stored into the bits of a fixed array.
pub trait Field: Copy {
    /// How people write and read it.
    const KIND: Kind;
    /// Reads `bits` bits at bit `offset`.
    #[must_use]
    fn load<const N: usize>(header: &[u8; N], offset: usize, bits: usize) -> Self;
    /// Writes the low `bits` bits at bit `offset`, leaving all others as they are.
    fn store<const N: usize>(self, header: &mut [u8; N], offset: usize, bits: usize);
}

/// Reads `width` bits at bit `offset`. With constant arguments it is a load, a byte swap and, where needed, a mask.
#[inline(always)]
pub(crate) const fn load_bits(header: &[u8], offset: usize, width: usize) -> u128 {
    let end = (offset + width).div_ceil(8);
    let mut value: u128 = 0;
    let mut byte = offset / 8;
    while byte < end {
        value = (value << 8) | header[byte] as u128;
        byte += 1;
    }
    (value >> (end * 8 - offset - width)) & mask(width)
}

/// Writes the low `width` bits of `value` at bit `offset`.
#[inline(always)]
pub(crate) const fn store_bits(header: &mut [u8], offset: usize, width: usize, value: u128) {
    let (first, end) = (offset / 8, (offset + width).div_ceil(8));
    let shift = end * 8 - offset - width;
    let value = (value & mask(width)) << shift;
    // Whole bytes are written without being read.
    let keep = if offset.is_multiple_of(8) && shift == 0 { 0 } else { !(mask(width) << shift) };
    let mut byte = first;
    while byte < end {
        let down = (end - 1 - byte) * 8;
        let kept = if keep == 0 { 0 } else { header[byte] & (keep >> down) as u8 };
        header[byte] = kept | (value >> down) as u8;
        byte += 1;
    }
}

/// `width` ones. A 128-bit field needs an arm of its own: the shift would overflow.
const fn mask(width: usize) -> u128 {
    if width >= 128 { u128::MAX } else { (1 << width) - 1 }
}

macro_rules! number_field {
    ($($ty:ty),*) => {$(
        impl Field for $ty {
            const KIND: Kind = Kind::Number;
            #[inline(always)]
            fn load<const N: usize>(header: &[u8; N], offset: usize, bits: usize) -> Self {
                load_bits(header, offset, bits) as $ty
            }
            #[inline(always)]
            fn store<const N: usize>(self, header: &mut [u8; N], offset: usize, bits: usize) {
                store_bits(header, offset, bits, u128::from(self));
            }
        }
    )*};
}
number_field!(u8, u16, u32, u64);

macro_rules! wrapped_field {
    ($($ty:ty, $kind:expr, |$v:ident| $to:expr, |$n:ident| $from:expr;)*) => {$(
        impl Field for $ty {
            const KIND: Kind = $kind;
            #[inline(always)]
            fn load<const N: usize>(header: &[u8; N], offset: usize, bits: usize) -> Self {
                let $n = load_bits(header, offset, bits);
                $from
            }
            #[inline(always)]
            fn store<const N: usize>(self, header: &mut [u8; N], offset: usize, bits: usize) {
                let $v = self;
                store_bits(header, offset, bits, $to);
            }
        }
    )*};
}
wrapped_field! {
    bool, Kind::Bit, |v| u128::from(v), |n| n != 0;
    SeqNum, Kind::Number, |v| u128::from(v.to_raw()), |n| SeqNum::new(n as u32);
    WindowField, Kind::Number, |v| u128::from(v.to_raw()), |n| WindowField::new(n as u16);
    MacAddr, Kind::Mac, |v| u128::from(v.to_u64()), |n| MacAddr::from_u64(n as u64);
    Ipv4Addr, Kind::Ipv4, |v| u128::from(v.to_bits()), |n| Ipv4Addr::from_bits(n as u32);
    Ipv6Addr, Kind::Ipv6, |v| v.to_bits(), |n| Ipv6Addr::from_bits(n);
    // Wider than any number that people count with: digests.
    u128, Kind::Hex, |v| v, |n| n;
}

/// Text of a fixed size, zeros behind it: the one kind wider than 128 bits.
impl<const W: usize> Field for [u8; W] {
    const KIND: Kind = Kind::Text;
    #[inline(always)]
    fn load<const N: usize>(header: &[u8; N], offset: usize, _bits: usize) -> Self {
        let mut text = [0; W];
        text.copy_from_slice(&header[offset / 8..offset / 8 + W]);
        text
    }
    #[inline(always)]
    fn store<const N: usize>(self, header: &mut [u8; N], offset: usize, _bits: usize) {
        header[offset / 8..offset / 8 + W].copy_from_slice(&self);
    }
}

/// How people write and read a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A number, printed in decimal.
    Number,
    /// A number, printed in hexadecimal with as many digits as its bits need.
    Hex,
    /// One bit.
    Bit,
    /// Bits with a letter or word each; the names are `value` = the single bit.
    Flags,
    /// An Ethernet address.
    Mac,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// Text of a fixed size, zeros behind it. Its value as a number is its length ([`FieldDesc::text`] gives its bytes).
    Text,
}

/// How a field fills itself when it is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auto {
    /// It does not: it takes its default.
    None,
    /// Drawn at random.
    Random,
    /// A length.
    Length(LengthOf),
    /// An Internet checksum, RFC 1071.
    Checksum(SumOver),
    /// The number of the next layer, in this field's own number space (EtherType, IP protocol).
    Next,
    /// This host's address on the way to the destination: the route's source, the interface's MAC.
    Source,
    /// The next hop's address: the neighbour's MAC.
    NextHop,
    /// A port of this host: random, free and reserved.
    SourcePort,
    /// Not optional: TCP and UDP without a destination port are refused.
    Required,
    /// Two bytes that tell apart what this process asks (ICMP echo id): random.
    Identifier,
    /// How many entries stand in a section of a DNS message.
    Count(Section),
    /// How many entries of this many bytes stand behind the fixed part of this layer.
    Entries(usize),
    /// How many entries, each as long as it says itself, stand behind the fixed part of this layer.
    Records,
    /// Whether the fields of the body are there that name this one as their [`FieldDesc::flag`].
    Present,
    /// Whether it asks or answers, as the kind of message says that its options tell (DHCP).
    Direction,
}

/// What a length field counts, and in which units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LengthOf {
    /// This header with its options, in units of 4 bytes (IHL, data offset).
    HeaderWords,
    /// This header and all behind it, in bytes (IPv4 total length, UDP length).
    Whole,
    /// What stands behind this fixed header, in bytes (IPv6 payload length).
    Behind,
    /// This extension header in units of 8 bytes, the first not counted.
    Extension,
    /// What stands behind the fields and entries of a record, in units of 4 bytes (group records).
    Words,
}

/// What a checksum covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SumOver {
    /// This header with its options (IPv4).
    Header,
    /// This header and all behind it (ICMPv4).
    Message,
    /// The pseudo-header of the IP layer below, this header and all behind it (TCP, UDP, ICMPv6).
    PseudoHeaderAndMessage,
}

/// A word that stands for a value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The value; for [`Kind::Flags`] the single bit.
    pub value: u64,
    /// The word of the packet language, in lower case (flags: one letter).
    pub word: &'static str,
    /// What people and RFCs call it.
    pub title: &'static str,
    /// What other tools call it, for the did-you-mean; written as [`FieldDesc::also`].
    pub also: &'static [&'static str],
}

impl Name {
    /// A name with its title.
    #[must_use]
    pub const fn new(value: u64, word: &'static str, title: &'static str) -> Self {
        Self { value, word, title, also: &[] }
    }

    /// Other tools' words.
    #[must_use]
    pub const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

/// One row of a field table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldDesc {
    /// The identifier in Rust, which is the RFC's name.
    pub name: &'static str,
    /// The key in the packet language.
    pub key: &'static str,
    /// Offset from the first bit of the header, in bits.
    pub offset: usize,
    /// Width in bits, 1 to 128; whole bytes and any number of them in text.
    pub bits: usize,
    /// How it is written.
    pub kind: Kind,
    /// How it fills itself.
    pub auto: Auto,
    /// Its value when not set and not automatic.
    pub default: u128,
    /// Words for its values.
    pub names: &'static [Name],
    /// Wireshark's display filter field, or empty.
    pub shark: &'static str,
    /// What other tools call it, for the did-you-mean: lower case, words joined by `_` (compare after turning `-` and
    /// `.` into `_`).
    pub also: &'static [&'static str],
    /// Selects the next layer or the variant of this one.
    pub selects_next: bool,
    /// The key of its meaning in the catalogue of sentences, `layer.key`.
    pub meaning: &'static str,
    /// The section that defines it, where it is not the header's own.
    pub rfc: &'static str,
    /// The bit is written as a bare word of the layer (`df`), not as `key=value`.
    pub bare: bool,
    /// Reserved or unused: left out of one-line output while zero.
    pub reserved: bool,
    /// The key of the header's bit that says whether the field is there, in a body of several forms; else empty.
    pub flag: &'static str,
    /// The first byte and the one behind the last, worked out while compiling: they are needed for every packet.
    first: usize,
    end: usize,
}

impl FieldDesc {
    /// A row with everything optional left out; the macro `header!` fills the rest by the methods below.
    #[must_use]
    pub const fn new(
        name: &'static str,
        key: &'static str,
        meaning: &'static str,
        offset: usize,
        bits: usize,
        kind: Kind,
    ) -> Self {
        let text = matches!(kind, Kind::Text) && bits.is_multiple_of(8) && offset.is_multiple_of(8);
        assert!(bits >= 1 && (bits + offset % 8 <= 128 || text), "a field has 1 to 128 bits within at most 16 bytes");
        Self {
            name,
            key,
            offset,
            bits,
            kind,
            auto: Auto::None,
            default: 0,
            names: &[],
            shark: "",
            also: &[],
            selects_next: false,
            meaning,
            rfc: "",
            bare: false,
            reserved: false,
            flag: "",
            first: offset / 8,
            end: (offset + bits).div_ceil(8),
        }
    }

    /// The same row at another place; without bits where it is not there.
    pub(crate) const fn at(mut self, offset: usize, bits: usize) -> Self {
        self.offset = offset;
        self.bits = bits;
        self.first = offset / 8;
        self.end = (offset + bits).div_ceil(8);
        self
    }

    /// Whether the form of the body that this row belongs to has the field.
    #[must_use]
    pub const fn is_there(&self) -> bool {
        self.bits > 0
    }

    /// Its value when not set.
    #[must_use]
    pub const fn default(mut self, value: u128) -> Self {
        self.default = value;
        self
    }

    /// How it fills itself.
    #[must_use]
    pub const fn auto(mut self, auto: Auto) -> Self {
        self.auto = auto;
        self
    }

    /// Words for its values.
    #[must_use]
    pub const fn names(mut self, names: &'static [Name]) -> Self {
        self.names = names;
        self
    }

    /// Flags: one letter a bit.
    #[must_use]
    pub const fn flags(mut self, names: &'static [Name]) -> Self {
        self.kind = Kind::Flags;
        self.names = names;
        self
    }

    /// Printed in hexadecimal.
    #[must_use]
    pub const fn hex(mut self) -> Self {
        self.kind = Kind::Hex;
        self
    }

    /// Wireshark's name.
    #[must_use]
    pub const fn shark(mut self, shark: &'static str) -> Self {
        self.shark = shark;
        self
    }

    /// Other tools' names.
    #[must_use]
    pub const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }

    /// Selects the next layer or this one's variant.
    #[must_use]
    pub const fn selects_next(mut self) -> Self {
        self.selects_next = true;
        self
    }

    /// The section that defines it.
    #[must_use]
    pub const fn rfc(mut self, rfc: &'static str) -> Self {
        self.rfc = rfc;
        self
    }

    /// Written as a bare word.
    #[must_use]
    pub const fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Reserved.
    #[must_use]
    pub const fn reserved(mut self) -> Self {
        self.reserved = true;
        self
    }

    /// There only when this bit of the header is set.
    #[must_use]
    pub const fn flag(mut self, key: &'static str) -> Self {
        self.flag = key;
        self
    }

    /// The largest value that fits; of text the most bytes.
    #[must_use]
    pub const fn max(&self) -> u128 {
        match self.kind {
            Kind::Text => (self.bits / 8) as u128,
            _ => mask(self.bits),
        }
    }

    /// The first byte of the field, from the start of its header.
    #[must_use]
    pub const fn first_byte(&self) -> usize {
        self.first
    }

    /// The byte behind the field's last, from the start of its header.
    #[must_use]
    pub const fn end_byte(&self) -> usize {
        self.end
    }

    /// Reads the field out of a header, of text its length; `None` when the header ends before it, or is of a form without it.
    #[must_use]
    pub fn read(&self, header: &[u8]) -> Option<u128> {
        if self.kind == Kind::Text {
            return self.text(header).map(|text| text.len() as u128);
        }
        (self.end_byte() <= header.len() && self.is_there()).then(|| load_bits(header, self.offset, self.bits))
    }

    /// The bytes of text in a header, up to the last that is not zero; `None` when it is no text, or the header ends before it.
    #[must_use]
    pub fn text<'a>(&self, header: &'a [u8]) -> Option<&'a [u8]> {
        let bytes = header.get(self.first_byte()..self.end_byte()).filter(|_| self.kind == Kind::Text)?;
        let len = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        Some(&bytes[..len])
    }

    /// Writes text with zeros behind it; `false`, and nothing written, when it is no text, too long, or the header ends before it.
    #[must_use]
    pub fn write_text(&self, header: &mut [u8], text: &[u8]) -> bool {
        let Some(bytes) = header.get_mut(self.first_byte()..self.end_byte()).filter(|_| self.kind == Kind::Text) else {
            return false;
        };
        let Some((there, behind)) = bytes.split_at_mut_checked(text.len()) else { return false };
        there.copy_from_slice(text);
        behind.fill(0);
        true
    }

    /// Writes the low bits of `value`; text is emptied, whatever the value. `false`, and nothing written, when the header ends
    /// before the field, or is of a form without it.
    #[must_use]
    pub fn write(&self, header: &mut [u8], value: u128) -> bool {
        let Some(bytes) = header.get_mut(self.first..self.end).filter(|_| self.is_there()) else { return false };
        let (before, width) = (self.offset % 8, self.bits);
        // Three of four fields are whole bytes: where the width is not known while compiling, those need no masks. Of the
        // others most lie within one byte.
        match bytes {
            [byte] if width == 8 => *byte = value as u8,
            [byte] => {
                let shift = 8 - before - width;
                let mask = (0xff_u8 >> (8 - width)) << shift;
                *byte = *byte & !mask | (value as u8) << shift & mask;
            }
            [a, b] if width == 16 => [*a, *b] = (value as u16).to_be_bytes(),
            [a, b, c, d] if width == 32 => [*a, *b, *c, *d] = (value as u32).to_be_bytes(),
            _ if self.kind == Kind::Text => bytes.fill(0),
            _ => store_bits(bytes, before, width, value),
        }
        true
    }

    /// The word for a value, if it has one.
    #[must_use]
    pub fn word_for(&self, value: u128) -> Option<&'static Name> {
        self.names.iter().find(|name| u128::from(name.value) == value)
    }

    /// The value that a word stands for.
    #[must_use]
    pub fn value_of(&self, word: &str) -> Option<u128> {
        self.names.iter().find(|name| name.word == word).map(|name| u128::from(name.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_field_reads_back_and_leaves_its_neighbours() {
        for offset in 0..40 {
            for bits in 1..=64 {
                let field = FieldDesc::new("x", "x", "x.x", offset, bits, Kind::Number);
                for background in [0x00, 0xff, 0xa5] {
                    let mut header = [background; 16];
                    let value = 0x0123_4567_89ab_cdef_u128 & mask(bits);
                    assert!(field.write(&mut header, value));
                    assert_eq!(field.read(&header), Some(value), "offset {offset} bits {bits}");
                    assert!(field.write(&mut header, load_bits(&[background; 16], offset, bits)));
                    assert_eq!(header, [background; 16], "offset {offset} bits {bits}");
                }
            }
        }
    }

    #[test]
    fn a_field_of_128_bits_fills_sixteen_bytes() {
        let field = FieldDesc::new("a", "a", "x.a", 64, 128, Kind::Ipv6);
        let mut header = [0u8; 24];
        assert!(field.write(&mut header, u128::MAX));
        assert_eq!(header[..8], [0; 8]);
        assert_eq!(header[8..], [0xff; 16]);
        assert_eq!(field.max(), u128::MAX);
    }

    #[test]
    fn text_has_zeros_behind_it_and_its_length_as_value() {
        let field = FieldDesc::new("t", "t", "x.t", 8, 64 * 8, Kind::Text);
        let mut header = [0xff; 66];
        assert!(field.write_text(&mut header, b"boot"));
        assert_eq!((field.text(&header), field.read(&header), field.max()), (Some(&b"boot"[..]), Some(4), 64));
        assert_eq!((header[0], header[5], header[64], header[65]), (0xff, 0, 0, 0xff));
        assert!(!field.write_text(&mut header, &[1; 65]) && !field.write_text(&mut header[..60], b"x"));
        assert!(field.write_text(&mut header, &[1; 64]) && field.read(&header) == Some(64));
        assert!(field.write(&mut header, 7) && field.text(&header) == Some(&[]));
        assert_eq!((field.text(&header[..60]), field.read(&header[..60])), (None, None));
    }

    #[test]
    fn a_header_that_ends_before_the_field_is_neither_read_nor_written() {
        let field = FieldDesc::new("a", "a", "x.a", 8, 16, Kind::Number);
        assert_eq!(field.read(&[1, 2]), None);
        let mut short = [1, 2];
        assert!(!field.write(&mut short, 0xffff));
        assert_eq!(short, [1, 2]);
    }
}
