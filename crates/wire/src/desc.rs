//! What a header is as data: fields, bodies, options. `craft`, `inspect` and `render` work from these alone.

use crate::{Auto, FieldDesc, LengthOf, Name, SumOver};

/// A header as data: its fields in wire order, and what may follow the fixed part.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HeaderDesc {
    /// The layer's word in the packet language.
    pub key: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The defining section.
    pub rfc: &'static str,
    /// Length of the fixed part in bytes.
    pub len: usize,
    /// The fields, in wire order, without gaps.
    pub fields: &'static [FieldDesc],
    /// Options behind the fixed part.
    pub options: Option<&'static TlvDesc>,
    /// Bodies that follow the fixed part, chosen by the field that [`FieldDesc::selects_next`] (ICMP types), or by
    /// [`chooser`](Self::chooser).
    pub variants: &'static [Variant],
    /// The bits that choose the body, where they are not those that select the next layer (the flags of GRE). They overlap
    /// fields of the header.
    pub chooser: Option<&'static FieldDesc>,
    /// The only layer that may follow, where no field says so (VXLAN carries Ethernet).
    pub carries: Option<&'static HeaderDesc>,
    /// The port of UDP that announces the layer.
    pub port: Option<u16>,
    /// Wireshark's name for the protocol, or empty.
    pub shark: &'static str,
    /// What other tools call the layer, for the did-you-mean; written as [`FieldDesc::also`].
    pub also: &'static [&'static str],
    /// The row of the field that selects what follows, and of the checksum: looked up for every packet.
    selector: Option<usize>,
    checksum: Option<(usize, SumOver)>,
}

impl HeaderDesc {
    /// A header without options or variants; the macro `header!` calls it.
    #[must_use]
    pub const fn new(
        key: &'static str,
        title: &'static str,
        rfc: &'static str,
        len: usize,
        fields: &'static [FieldDesc],
    ) -> Self {
        Self {
            key,
            title,
            rfc,
            len,
            fields,
            options: None,
            variants: &[],
            chooser: None,
            carries: None,
            port: None,
            shark: "",
            also: &[],
            selector: None,
            checksum: None,
        }
        .indexed()
    }

    /// Looks for the rows that every packet needs.
    const fn indexed(mut self) -> Self {
        (self.selector, self.checksum) = (None, None);
        let mut row = self.fields.len();
        while row > 0 {
            row -= 1;
            if self.fields[row].selects_next {
                self.selector = Some(row);
            }
            if let (Auto::Checksum(over), true) = (self.fields[row].auto, self.fields[row].is_there()) {
                self.checksum = Some((row, over));
            }
        }
        self
    }

    /// With options behind the fixed part.
    #[must_use]
    pub const fn options(mut self, options: &'static TlvDesc) -> Self {
        self.options = Some(options);
        self
    }

    /// With bodies chosen by a field.
    #[must_use]
    pub const fn variants(mut self, variants: &'static [Variant]) -> Self {
        self.variants = variants;
        self
    }

    /// With bits that choose the body.
    #[must_use]
    pub const fn chooser(mut self, bits: &'static FieldDesc) -> Self {
        self.chooser = Some(bits);
        self
    }

    /// With the only layer that may follow.
    #[must_use]
    pub const fn carries(mut self, layer: &'static Self) -> Self {
        self.carries = Some(layer);
        self
    }

    /// With the port of UDP that announces it.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// The same with some of its rows left out: `fields` are those of [`rows_of_form`], which take `len` bytes.
    pub(crate) const fn form(mut self, fields: &'static [FieldDesc], len: usize) -> Self {
        self.fields = fields;
        self.len = len;
        self.indexed()
    }

    /// Without options behind the fixed part.
    pub(crate) const fn without_options(mut self) -> Self {
        self.options = None;
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

    /// The field with this key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&'static FieldDesc> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The field that selects the next layer or this one's variant.
    #[must_use]
    pub fn selector(&self) -> Option<&'static FieldDesc> {
        self.selector.map(|row| &self.fields[row])
    }

    /// The row of the header's checksum, and what it covers.
    #[must_use]
    pub const fn checksum(&self) -> Option<(usize, SumOver)> {
        self.checksum
    }

    /// Whether the field that [`selects_next`](FieldDesc::selects_next) chooses a body of this header, not the next layer.
    #[must_use]
    pub const fn selects_body(&self) -> bool {
        !self.variants.is_empty() && self.chooser.is_none()
    }

    /// The body for a value of the choosing bits; of several forms of one message the whole one.
    #[must_use]
    pub fn variant_for(&self, value: u128) -> Option<&'static Variant> {
        self.variants.iter().find(|variant| variant.is_for(value))
    }

    /// The body of this header with all that stands behind it: the one that the choosing bits say, of several forms of one
    /// message the longest that there is room for.
    #[must_use]
    pub fn variant_of(&self, message: &[u8]) -> Option<&'static Variant> {
        let value = self.chooser.or_else(|| self.selector())?.read(message)?;
        let room = message.len().saturating_sub(self.len);
        self.variants.iter().find(|variant| variant.is_for(value) && variant.least <= room)
    }

    /// The length that the header itself states, options included: by its IHL, data offset or extension length;
    /// without such a field the fixed length. It is not judged and may be less than [`len`](Self::len) or more than
    /// the bytes. `None` when the bytes end before that field.
    #[must_use]
    pub fn stated_len(&self, header: &[u8]) -> Option<usize> {
        for field in self.fields {
            let Auto::Length(of) = field.auto else { continue };
            let value = field.read(header)? as usize;
            match of {
                LengthOf::HeaderWords => return Some(value * 4),
                LengthOf::Extension => return Some((value + 1) * 8),
                LengthOf::Whole | LengthOf::Behind | LengthOf::Words => {}
            }
        }
        Some(self.len)
    }
}

/// A body that follows the fixed part of a header for some values of its selecting field.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Variant {
    /// The values of the selecting field that choose it.
    pub values: &'static [u64],
    /// Its fields; offsets count from its own first bit.
    pub body: &'static HeaderDesc,
    /// A packet is quoted behind it (ICMP errors).
    pub quotes: bool,
    /// Words for the header's code while this body is chosen.
    pub codes: &'static [Name],
    /// The hop limit that the packet must carry (neighbour discovery: 255), where the protocol demands one.
    pub hop_limit: Option<u8>,
    /// A field of the header that has a default of its own in this message.
    pub preset: Option<(&'static str, u128)>,
    /// The least room behind the fixed part for which it is chosen, in bytes: a longer form of a message stands before the
    /// shorter one, which has the same values.
    pub least: usize,
    /// Whether it is one of several forms of a body, which have the same rows in the same order; those that a form lacks
    /// have no bits there.
    pub form: Form,
}

/// Whether a body has several forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// It has one.
    Only,
    /// It has several, and this is the one with every row.
    Whole,
    /// It has several, and this one lacks some rows.
    Short,
}

/// The rows of a form of a body: those of `whole` that are `there`, one behind the other; the others have no bits.
#[must_use]
pub(crate) const fn rows_of_form<const N: usize>(whole: &[FieldDesc], there: [bool; N]) -> [FieldDesc; N] {
    assert!(whole.len() == N, "a form says of each row whether it is there");
    let mut rows = [whole[0]; N];
    let mut offset = 0;
    let mut row = 0;
    while row < N {
        let bits = if there[row] { whole[row].bits } else { 0 };
        rows[row] = whole[row].at(offset, bits);
        offset += bits;
        row += 1;
    }
    rows
}

impl Variant {
    /// The body of these values; it quotes nothing and names no codes.
    #[must_use]
    pub const fn new(values: &'static [u64], body: &'static HeaderDesc) -> Self {
        Self { values, body, quotes: false, codes: &[], hop_limit: None, preset: None, least: 0, form: Form::Only }
    }

    /// A packet is quoted behind it.
    #[must_use]
    pub const fn quotes(mut self) -> Self {
        self.quotes = true;
        self
    }

    /// Words for the code.
    #[must_use]
    pub const fn codes(mut self, codes: &'static [Name]) -> Self {
        self.codes = codes;
        self
    }

    /// A default of the header's field with this key, in this message.
    #[must_use]
    pub(crate) const fn preset(mut self, key: &'static str, value: u128) -> Self {
        self.preset = Some((key, value));
        self
    }

    /// The form of a body that has every row.
    #[must_use]
    pub(crate) const fn whole(mut self) -> Self {
        self.form = Form::Whole;
        self
    }

    /// A form of a body that lacks some rows.
    #[must_use]
    pub(crate) const fn short(mut self) -> Self {
        self.form = Form::Short;
        self
    }

    /// Chosen only where there is so much room.
    #[must_use]
    pub(crate) const fn least(mut self, bytes: usize) -> Self {
        self.least = bytes;
        self
    }

    /// Whether this value of the choosing bits chooses it.
    #[must_use]
    pub fn is_for(&self, value: u128) -> bool {
        self.values.iter().any(|&own| u128::from(own) == value)
    }

    /// The hop limit that the protocol demands.
    #[must_use]
    pub const fn hop_limit(mut self, hops: u8) -> Self {
        self.hop_limit = Some(hops);
        self
    }
}

/// How options are laid out.
#[derive(Clone, Copy, Debug)]
pub struct TlvDesc {
    /// What people call the list.
    pub title: &'static str,
    /// The known kinds, in the order of their numbers.
    pub kinds: &'static [OptionDesc],
    /// What the length byte counts.
    pub length: TlvLength,
    /// The kind behind which nothing is read, if one is. Zero is padding at once; another one is put behind the options by
    /// itself, and what follows it is no part of the header.
    pub end: Option<u16>,
    /// The unit that the header with its options is padded to (with zeros), in bytes.
    pub align: usize,
    /// The most bytes that the list may take.
    pub max: usize,
    /// The defining section.
    pub rfc: &'static str,
}

impl TlvDesc {
    /// The kind that is put behind the options by itself: one that ends the list and is no padding.
    #[must_use]
    pub fn closing(&self) -> Option<u16> {
        self.end.filter(|&kind| kind != 0)
    }

    /// How many bytes kind and length take together.
    #[must_use]
    pub const fn head_len(&self) -> usize {
        if matches!(self.length, TlvLength::ValueBytesWide) { 4 } else { 2 }
    }

    /// How many bytes an option takes by its own length, kind and length included; it is not judged and may be more than
    /// there are. `None` when the bytes end before it. The option must have a length.
    #[must_use]
    pub fn stated_len(&self, option: &[u8]) -> Option<usize> {
        let head = self.head_len();
        let stated = option.get(head / 2..head)?.iter().fold(0, |stated, &byte| stated << 8 | usize::from(byte));
        Some(match self.length {
            TlvLength::WholeOctoBytes => stated * 8,
            TlvLength::ValueBytes | TlvLength::ValueBytesWide => stated + head,
            _ => stated,
        })
    }

    /// The description of a kind: the first, where its value decides among several ([`of`](Self::of)).
    #[must_use]
    pub fn kind(&self, kind: u16) -> Option<&'static OptionDesc> {
        self.kinds.iter().find(|option| option.kind == kind)
    }

    /// The description of an option of this kind with this value behind kind and length.
    #[must_use]
    pub fn of(&self, kind: u16, value: &[u8]) -> Option<&'static OptionDesc> {
        self.kinds.iter().find(|option| option.kind == kind && option.is_for(value))
    }

    /// The description with this key in the packet language, if the option carries a value or not.
    pub fn by_key<'a>(&self, key: &'a str) -> impl Iterator<Item = &'static OptionDesc> + use<'a> {
        self.kinds.iter().filter(move |option| option.key == key)
    }
}

/// What the length byte of an option counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlvLength {
    /// The whole option with kind and length, in bytes (TCP, IPv4).
    WholeBytes,
    /// The whole option with kind and length, in units of 8 bytes (neighbour discovery).
    WholeOctoBytes,
    /// The value only, in bytes (IPv6 hop-by-hop and destination options, DHCP).
    ValueBytes,
    /// The value only, in bytes; kind and length have two bytes each (DHCP for IPv6).
    ValueBytesWide,
    /// There is neither kind nor length byte: a list of entries of one size ([`OptionLen::Entry`]).
    Entries,
}

/// One kind of option.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OptionDesc {
    /// The kind number.
    pub kind: u16,
    /// Its key in the packet language; two kinds may share one if one is a bare word and the other has values.
    pub key: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// How long it is.
    pub len: OptionLen,
    /// The fields of its value; offsets count from the first bit behind kind and length.
    pub fields: &'static [FieldDesc],
    /// The fields of each entry of the list that follows its fixed ones in an option of variable length (addresses); empty: bytes.
    pub entries: &'static [FieldDesc],
    /// The fields behind those that stand always, each there or not ([`OptionLen::Parts`]).
    pub parts: &'static [Part],
    /// What the value begins with, where one kind has several forms (Multipath TCP's subtypes).
    pub when: When,
    /// The defining section.
    pub rfc: &'static str,
    /// Wireshark's name for the option, or empty.
    pub shark: &'static str,
    /// What other tools call it, for the did-you-mean; written as [`FieldDesc::also`].
    pub also: &'static [&'static str],
}

impl OptionDesc {
    /// Length in bytes of the fields that stand once.
    #[must_use]
    pub fn fixed_len(&self) -> usize {
        self.fields.iter().map(FieldDesc::end_byte).max().unwrap_or(0)
    }

    /// The fields that people write: reserved ones are none, nor those that fill themselves in a record.
    pub fn given(&self) -> impl Iterator<Item = &'static FieldDesc> + Clone + use<> {
        let counted = self.len == OptionLen::Counted;
        self.fields.iter().filter(move |field| !field.reserved && (!counted || field.auto == Auto::None))
    }

    /// The whole length in bytes of an entry that says itself how long it is ([`OptionLen::Counted`]), and where its list
    /// of further entries ends in it; `None` where its fields are not there.
    #[must_use]
    pub fn counted_len(&self, entry: &[u8]) -> Option<(usize, usize)> {
        let (mut entries, mut words) = (0, 0);
        for field in self.fields {
            let value = field.read(entry)? as usize;
            match field.auto {
                Auto::Entries(size) => entries += value * size,
                Auto::Length(LengthOf::Words) => words += value * 4,
                _ => {}
            }
        }
        let end = self.fixed_len() + entries;
        Some((end + words, end))
    }

    /// Whether bytes can be an entry: what is reserved in it is as it must be (kind and length of an option within one).
    #[must_use]
    pub fn is_entry(&self, entry: &[u8]) -> bool {
        self.entries.iter().filter(|field| field.reserved).all(|field| field.read(entry) == Some(field.default))
    }

    /// Length in bytes of one entry; 0 where there are none.
    #[must_use]
    pub fn entry_len(&self) -> usize {
        self.entries.iter().map(FieldDesc::end_byte).max().unwrap_or(0)
    }

    /// Whether a value has this form. One that its kind has alone takes every value; else length and parts must be right.
    #[must_use]
    pub fn is_for(&self, value: &[u8]) -> bool {
        let behind = value.len().checked_sub(self.fixed_len());
        let fits = match (self.len, behind) {
            _ if self.when.is_always() => return true,
            (_, None) => false,
            (OptionLen::Value(len), _) => value.len() == len,
            (OptionLen::Parts, Some(behind)) => {
                self.parts_in(value).map(|part| part.field.bits / 8).sum::<usize>() == behind
            }
            (OptionLen::Variable, Some(behind)) => behind.is_multiple_of(self.entry_len().max(1)),
            _ => true,
        };
        fits && self.when.holds(value)
    }

    /// Each field of a value with the byte that its offset counts from: those that stand once, and the parts that are there.
    pub fn rows_in(&self, value: &[u8]) -> impl Iterator<Item = (usize, &'static FieldDesc)> {
        let mut at = self.fixed_len();
        let parts = self.parts_in(value).map(move |part| {
            let start = at;
            at += part.field.end_byte();
            (start, &part.field)
        });
        self.fields.iter().map(|field| (0, field)).chain(parts)
    }

    fn parts_in(&self, value: &[u8]) -> impl Iterator<Item = &'static Part> {
        self.parts.iter().filter(|part| part.is_in(value))
    }
}

/// A field of an option that may be absent. Its offset counts from its own first bit.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Part {
    /// The field: whole bytes.
    pub field: FieldDesc,
    /// What the value begins with where it is there.
    pub when: When,
    /// The lengths of the value with which it is there; empty: each.
    pub lens: &'static [usize],
}

impl Part {
    /// A part of every value.
    #[must_use]
    pub const fn new(field: FieldDesc) -> Self {
        assert!(field.offset == 0 && field.bits.is_multiple_of(8), "a part is whole bytes");
        Self { field, when: When::ALWAYS, lens: &[] }
    }

    /// Only of values that begin so.
    #[must_use]
    pub const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// Only of values so long.
    #[must_use]
    pub const fn lens(mut self, lens: &'static [usize]) -> Self {
        self.lens = lens;
        self
    }

    /// Whether this value has it.
    #[must_use]
    pub fn is_in(&self, value: &[u8]) -> bool {
        self.when.holds(value) && (self.lens.is_empty() || self.lens.contains(&value.len()))
    }
}

/// What the first two bytes of a value must be, as far as the mask goes; of a shorter one what is missing counts as zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The bits that count.
    pub mask: u16,
    /// What they are.
    pub value: u16,
}

impl When {
    /// No condition.
    pub const ALWAYS: Self = Self { mask: 0, value: 0 };

    /// The bits of `mask` are those of `value`.
    #[must_use]
    pub const fn new(mask: u16, value: u16) -> Self {
        assert!(value & !mask == 0, "what is asked for is within the mask");
        Self { mask, value }
    }

    /// Whether every value holds it.
    #[must_use]
    pub const fn is_always(&self) -> bool {
        self.mask == 0
    }

    /// Whether a value begins so.
    #[must_use]
    pub const fn holds(&self, value: &[u8]) -> bool {
        let head = match *value {
            [] => 0,
            [a] => u16::from_be_bytes([a, 0]),
            [a, b, ..] => u16::from_be_bytes([a, b]),
        };
        head & self.mask == self.value
    }

    /// Sets the bits that count, and no others.
    pub fn stamp(&self, value: &mut [u8]) {
        let bytes = value.iter_mut().zip(self.mask.to_be_bytes()).zip(self.value.to_be_bytes());
        bytes.for_each(|((byte, mask), bits)| *byte = *byte & !mask | bits);
    }
}

/// How long an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionLen {
    /// The kind byte alone.
    Single,
    /// Kind, length and a value of this many bytes.
    Value(usize),
    /// Kind, length and one or more of the value's fields, this many bytes each time (SACK blocks, route entries).
    Repeats(usize),
    /// Kind, length, the fields, then as many further bytes as the length says: entries, where the option has some.
    Variable,
    /// Kind, length, the fields, then text up to the end that the length says.
    Text,
    /// Kind, length, the fields that stand always, then those of [`OptionDesc::parts`] that the value has.
    Parts,
    /// Kind, length, the fields, then domain names as DNS has them (RFC 1035 §3.1), and zeros that fill the option up to so many
    /// bytes.
    Names(usize),
    /// The value's fields alone, this many bytes: an entry of a list without kinds ([`TlvLength::Entries`]).
    Entry(usize),
    /// An entry of a list without kinds, as long as it says itself: its fields, then as many further entries as one of them
    /// counts ([`Auto::Entries`]), then as many words of 4 bytes as another ([`LengthOf::Words`]).
    Counted,
}
