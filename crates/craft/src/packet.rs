//! The packet as people write it: layers of settings, and what they carry.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::{Auto, FieldDesc, HeaderDesc, Kind, TlvDesc, Variant};

use crate::build::BuildError;
use crate::options::{OptionItem, Options};

/// What is written about one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting {
    /// Nothing: it fills itself, or takes its default.
    #[default]
    Auto,
    /// Exactly this value, right or wrong. Units: the field's own, in its low bits.
    Exactly(u128),
    /// The value that would be right, plus this; wraps at the field's width.
    Relative(i64),
    /// A checksum made with these mistakes.
    Wrong(Wrong),
    /// Exactly the text that stands in the layer: [`Layer::set_text`], [`Layer::text`].
    Text,
}

/// The mistakes a checksum can be made with, joined at will: the words of `sum=swap+odd`.
///
/// They are applied in the order of computing: what is summed (`NOPSEUDO NOSOURCE NOPAYLOAD STALE ODD NOTZEROED`), how it is
/// folded (`NOFOLD NOCOMP`, and `PARTIAL`, which sums the pseudo-header alone), how it is stored (`SWAP BAD ZERO`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong(u16);

impl Wrong {
    /// The right sum plus one.
    pub const BAD: Self = Self(1);
    /// The two bytes exchanged.
    pub const SWAP: Self = Self(1 << 1);
    /// Without the pseudo-header.
    pub const NOPSEUDO: Self = Self(1 << 2);
    /// The beginner's loop on an odd length: the last byte never counts, the one before it counts twice.
    pub const ODD: Self = Self(1 << 3);
    /// Zero: not computed at all.
    pub const ZERO: Self = Self(1 << 4);
    /// The pseudo-header with the source 0.0.0.0 or `::`.
    pub const NOSOURCE: Self = Self(1 << 5);
    /// The header alone, what it carries left out.
    pub const NOPAYLOAD: Self = Self(1 << 6);
    /// The folded sum, not complemented.
    pub const NOCOMP: Self = Self(1 << 7);
    /// Computed a second time, while the field held the right sum already.
    pub const NOTZEROED: Self = Self(1 << 8);
    /// Carries dropped, not folded in.
    pub const NOFOLD: Self = Self(1 << 9);
    /// Computed while the length was still 0.
    pub const STALE: Self = Self(1 << 10);
    /// The folded pseudo-header, not complemented: what a kernel stores when the card is to finish it.
    pub const PARTIAL: Self = Self(1 << 11);

    /// Each mistake with its word in the packet language.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("bad", Self::BAD),
        ("swap", Self::SWAP),
        ("nopseudo", Self::NOPSEUDO),
        ("odd", Self::ODD),
        ("zero", Self::ZERO),
        ("nosource", Self::NOSOURCE),
        ("nopayload", Self::NOPAYLOAD),
        ("nocomp", Self::NOCOMP),
        ("notzeroed", Self::NOTZEROED),
        ("nofold", Self::NOFOLD),
        ("stale", Self::STALE),
        ("partial", Self::PARTIAL),
    ];

    /// Both sets of mistakes.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every mistake of `other` is among these.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The mistake with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(w, _)| *w == word).map(|(_, wrong)| *wrong)
    }

    /// The words of these mistakes, in the table's order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().filter(move |(_, wrong)| self.has(*wrong)).map(|(word, _)| *word)
    }
}

impl core::ops::BitOr for Wrong {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

/// What the innermost layer carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    /// Nothing.
    #[default]
    Empty,
    /// These bytes (`data=`, `hex=`).
    Bytes(Vec<u8>),
    /// This many zero bytes (`zero=`).
    Zero(usize),
    /// This many bytes drawn from the entropy of the [`Context`](crate::Context) (`rand=`).
    Random(usize),
    /// The contents of a file (`file=`), which the caller reads: [`Packet::fill_payload`].
    File(String),
    /// Standard input (`stdin`), which the caller reads: [`Packet::fill_payload`].
    Stdin,
}

impl Payload {
    /// Whether it is nothing, or known to have no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty | Self::Zero(0) | Self::Random(0) => true,
            Self::Bytes(bytes) => bytes.is_empty(),
            _ => false,
        }
    }
}

/// Which part of a layer a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The fixed header.
    Header,
    /// The body that follows it for this type (ICMP).
    Body,
}

/// The place of a field in a layer: part and row of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The fixed header or the body.
    pub part: Part,
    /// The row in that part's field table.
    pub row: usize,
}

/// One layer: its table, and a setting for each row of it.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) desc: &'static HeaderDesc,
    pub(crate) fields: Vec<Setting>,
    pub(crate) variant: Option<&'static Variant>,
    pub(crate) body: Vec<Setting>,
    pub(crate) options: Vec<u8>,
    /// How many entries stand in each section of `options`, where the layer is a DNS message.
    pub(crate) counts: [u16; 4],
    /// Nothing is put behind the options, where the table would end them by itself (`noend`).
    pub(crate) unended: bool,
    /// Only so many of its first bytes are there (`cut=`): a header at the end of what an ICMP error quotes.
    pub(crate) cut: Option<usize>,
    /// Header and body as bytes, as far as they are set or have defaults; kept up to date so that building copies them.
    pub(crate) template: Vec<u8>,
    /// Rows of the header that the template does not settle, a bit each.
    pub(crate) open: u64,
    /// Rows of the body that the template does not settle, a bit each.
    pub(crate) body_open: u64,
    /// The layer was made for a name of unknown address family: `ip` until [`Packet::resolve`] knows better.
    pub(crate) family_open: bool,
}

impl PartialEq for Layer {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.desc, other.desc)
            && self.fields == other.fields
            && self.body == other.body
            && self.options == other.options
            && self.counts == other.counts
            && self.unended == other.unended
            && (self.template == other.template || !self.fields.contains(&Setting::Text))
            && self.cut == other.cut
            && self.family_open == other.family_open
    }
}

impl Eq for Layer {}

impl Layer {
    /// A layer with nothing set.
    #[must_use]
    pub fn new(desc: &'static HeaderDesc) -> Self {
        let mut layer = Self {
            desc,
            fields: vec![Setting::Auto; desc.fields.len()],
            variant: None,
            body: Vec::new(),
            options: Vec::new(),
            counts: [0; 4],
            unended: false,
            cut: None,
            template: vec![0; desc.len],
            open: 0,
            body_open: 0,
            family_open: false,
        };
        layer.open = write_defaults(desc.fields, &mut layer.template);
        layer.choose_variant();
        layer
    }

    /// The table of the layer.
    #[must_use]
    pub fn desc(&self) -> &'static HeaderDesc {
        self.desc
    }

    /// The layer's word.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.desc.key
    }

    /// Whether it is an IP layer whose version nothing says: `ip` stands for either.
    #[must_use]
    pub fn is_any_version(&self) -> bool {
        self.family_open
    }

    /// The key by which this layer has what `ip` calls `key`: in `ip6` the hop limit for `ttl`, the traffic class for `tos`.
    #[must_use]
    pub fn key_for(&self, key: &'static str) -> &'static str {
        crate::family::key_in(self.desc, key)
    }

    /// Whether it is a VLAN tag, a customer's or a provider's.
    #[must_use]
    pub fn is_tag(&self) -> bool {
        crate::layers::is_tag(self.desc)
    }

    /// The body that its type chooses, if it has one.
    #[must_use]
    pub fn variant(&self) -> Option<&'static Variant> {
        self.variant
    }

    /// The table of its options, if it may have some, in this form of the message or in another one.
    #[must_use]
    #[inline]
    pub fn option_table(&self) -> Option<&'static TlvDesc> {
        if self.variant.is_none() {
            return self.desc.options;
        }
        self.whole_variant().and_then(|variant| variant.body.options).or(self.desc.options)
    }

    /// The option area as written, padding not included.
    #[must_use]
    pub fn options(&self) -> &[u8] {
        &self.options
    }

    /// Replaces the option area. Shape: any bytes; padded to the table's unit when built.
    pub fn set_options(&mut self, bytes: Vec<u8>) {
        self.options = bytes;
        self.settle_form();
    }

    /// Whether nothing ends the options by itself (`noend`).
    #[must_use]
    pub fn is_unended(&self) -> bool {
        self.unended
    }

    /// Whether nothing is to end the options by itself; where nothing would, it changes nothing.
    pub fn set_unended(&mut self, unended: bool) {
        self.unended = unended && self.desc.options.and_then(TlvDesc::closing).is_some();
    }

    /// The kind that ends the options by itself: where the table closes its lists, none is written and nobody said `noend`.
    #[must_use]
    pub(crate) fn closing(&self) -> Option<u16> {
        let table = self.desc.options?;
        let closing = table.closing().filter(|_| !self.unended)?;
        let ends = |item: OptionItem| matches!(item, OptionItem::Known { desc } if desc.kind == closing);
        (!Options::new(table, &self.options).any(|option| ends(option.item))).then_some(closing)
    }

    /// The text of the field with this key; `None` when this layer has no such text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&[u8]> {
        self.desc.field(key)?.text(&self.template)
    }

    /// Sets the text with this key; `false`, and nothing changed, when this layer has none such or the bytes are too many.
    /// Shape: any bytes; zeros at the end are those of its room.
    pub fn set_text(&mut self, key: &str, text: &[u8]) -> bool {
        let Some(row) = self.desc.fields.iter().position(|field| field.key == key) else { return false };
        let written = self.desc.fields[row].write_text(&mut self.template, text);
        if written {
            self.fields[row] = Setting::Text;
        }
        written
    }

    /// Where the field with this key stands, in the header or in the body of the type now set.
    #[must_use]
    pub fn place(&self, key: &str) -> Option<Place> {
        if let Some(row) = self.desc.fields.iter().position(|field| field.key == key) {
            return Some(Place { part: Part::Header, row });
        }
        let body = self.variant?.body;
        let row = body.fields.iter().position(|field| field.key == key)?;
        Some(Place { part: Part::Body, row })
    }

    /// The description of a field; `None` when the place is not in this layer. Of a field that this form of the message does
    /// not have it is that of the form that has all.
    #[must_use]
    pub fn field(&self, place: Place) -> Option<&'static FieldDesc> {
        if place.part == Part::Header {
            return self.desc.fields.get(place.row);
        }
        let field = self.variant?.body.fields.get(place.row)?;
        if field.is_there() { Some(field) } else { self.whole_variant()?.body.fields.get(place.row) }
    }

    /// What is set at a place.
    #[must_use]
    pub fn setting(&self, place: Place) -> Setting {
        let rows = match place.part {
            Part::Header => &self.fields,
            Part::Body => &self.body,
        };
        rows.get(place.row).copied().unwrap_or_default()
    }

    /// What is set for a key; `None` when this layer has no such field.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Setting> {
        self.place(key).map(|place| self.setting(place))
    }

    /// Sets the field with this key; `false` when this layer has none such, and nothing is changed. Text has no value: it is
    /// emptied ([`Layer::set_text`] sets it).
    ///
    /// Setting the field that selects the body (an ICMP type) to one with another body forgets what the old body had.
    pub fn set(&mut self, key: &str, setting: Setting) -> bool {
        let Some(place) = self.place(key) else { return false };
        self.set_at(place, setting);
        true
    }

    pub(crate) fn set_at(&mut self, place: Place, setting: Setting) {
        let Some(field) = self.field(place) else { return };
        if place.part == Part::Body && self.has_forms() {
            self.body[place.row] = setting;
            return self.settle_form();
        }
        let (rows, open, bytes) = match place.part {
            Part::Header => (&mut self.fields, &mut self.open, &mut self.template[..]),
            Part::Body => (&mut self.body, &mut self.body_open, &mut self.template[self.desc.len..]),
        };
        let setting = if field.kind == Kind::Text { Setting::Auto } else { setting };
        rows[place.row] = setting;
        let settled = match setting {
            Setting::Exactly(value) => Some(value),
            Setting::Auto if has_fixed_default(field) => Some(crate::forms::default_in(self.variant, field)),
            _ => None,
        };
        // The table fills its header, so the field fits.
        let _fits = field.write(bytes, settled.unwrap_or(0));
        match settled {
            Some(_) => *open &= !(1 << place.row),
            None => *open |= 1 << place.row,
        }
        if place.part == Part::Header && (field.selects_next || matches!(field.auto, Auto::Present)) {
            self.choose_variant();
        }
    }

    /// The value of a field as far as it is known without building: what is set, or the default.
    #[must_use]
    pub fn value_or_default(&self, key: &str) -> Option<u128> {
        let place = self.place(key)?;
        match self.setting(place) {
            Setting::Exactly(value) => Some(value),
            _ => self.field(place).map(|field| self.default_of(field)),
        }
    }

    /// The value of a field that is not set and does not fill itself: the table's, or that of this message.
    pub(crate) fn default_of(&self, field: &FieldDesc) -> u128 {
        crate::forms::default_in(self.variant, field)
    }

    /// Every field of header and body that is there, in wire order, with its place and setting.
    pub fn rows(&self) -> impl Iterator<Item = (Place, &'static FieldDesc, Setting)> + '_ {
        let header = self.desc.fields.iter().zip(&self.fields).enumerate();
        let header = header.map(|(row, (field, &set))| (Place { part: Part::Header, row }, field, set));
        let body = self.variant.map_or(&[][..], |variant| variant.body.fields);
        let body = body.iter().zip(&self.body).enumerate();
        let body = body.filter(|(_, (field, _))| field.is_there());
        header.chain(body.map(|(row, (field, &set))| (Place { part: Part::Body, row }, field, set)))
    }

    /// How many of its first bytes are there, where it is cut short.
    #[must_use]
    pub fn cut(&self) -> Option<usize> {
        self.cut
    }

    /// Whether a field lies wholly within what is there.
    pub(crate) fn holds(&self, place: Place, field: &FieldDesc) -> bool {
        self.cut.is_none_or(|cut| self.start_of(place.part) + field.end_byte() <= cut)
    }

    /// Where a part begins in the layer.
    pub(crate) fn start_of(&self, part: Part) -> usize {
        if part == Part::Body { self.desc.len } else { 0 }
    }

    /// Length in bytes of header and body without options.
    #[must_use]
    pub fn fixed_len(&self) -> usize {
        self.desc.len + self.variant.map_or(0, |variant| variant.body.len)
    }
}

/// Whether an unset field has the default of its table, whatever stands around it. The hop limit has not: some protocols
/// demand theirs.
pub(crate) fn has_fixed_default(field: &FieldDesc) -> bool {
    field.auto == Auto::None && field.key != "hlim"
}

/// Writes the fixed defaults, and returns the rows that have none, a bit each.
pub(crate) fn write_defaults(fields: &'static [FieldDesc], bytes: &mut [u8]) -> u64 {
    let mut open = 0;
    for (row, field) in fields.iter().enumerate() {
        if has_fixed_default(field) {
            let _fits = field.write(bytes, field.default);
        } else if field.is_there() {
            open |= 1 << row;
        }
    }
    open
}

/// A host as written where an address is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name, to be resolved by whoever may: [`Packet::resolve`].
    Name(String),
}

/// A name that stands for the address of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameAt {
    pub(crate) layer: usize,
    pub(crate) place: Place,
    pub(crate) name: String,
}

/// Which address families can stand where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// Either: the layer becomes what the address is.
    Either,
}

/// A packet as people write it: layers from the outermost in, and what the innermost carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// The layers, outermost first. Empty: the payload is the whole packet (`raw`).
    pub layers: Vec<Layer>,
    /// What the innermost layer carries.
    pub payload: Payload,
    /// Bytes behind the outermost network layer, counted by no length and no checksum (`trailer=`): Ethernet padding.
    pub trailer: Vec<u8>,
    pub(crate) names: Vec<NameAt>,
    pub(crate) fault: Option<BuildError>,
}

impl Packet {
    /// A packet without layers and payload.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The innermost layer of this key.
    #[must_use]
    pub fn layer(&self, key: &str) -> Option<&Layer> {
        self.layers.iter().rev().find(|layer| layer.key() == key)
    }

    /// The innermost layer of this key, to be changed.
    pub fn layer_mut(&mut self, key: &str) -> Option<&mut Layer> {
        self.layers.iter_mut().rev().find(|layer| layer.key() == key)
    }

    /// The names that still stand for addresses, each once, with the families that fit.
    #[must_use]
    pub fn names(&self) -> Vec<(&str, Family)> {
        let mut found: Vec<(&str, Family)> = Vec::new();
        for at in &self.names {
            let family = self.family_at(at);
            match found.iter_mut().find(|(name, _)| *name == at.name) {
                Some((_, known)) if *known == Family::Either => *known = family,
                Some(_) => {}
                None => found.push((&at.name, family)),
            }
        }
        found
    }

    /// Fills in addresses for names. `lookup` is called for each place with the name and the families that fit there;
    /// a layer that was made for a name becomes `ip` or `ip6` with the first address given for it.
    ///
    /// # Errors
    /// The first error of `lookup`. An address of a family that does not fit is [`BuildError::WrongFamily`], kept as the error
    /// of [`Packet::build`].
    pub fn resolve<E>(&mut self, mut lookup: impl FnMut(&str, Family) -> Result<IpAddr, E>) -> Result<(), E> {
        for at in core::mem::take(&mut self.names) {
            let family = self.family_at(&at);
            match lookup(&at.name, family) {
                Ok(address) => self.fill_name(&at, address),
                Err(error) => {
                    self.names.push(at);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Reads what the payload refers to (`file=`, `stdin`): `read` gets the payload and returns its bytes.
    ///
    /// # Errors
    /// The error of `read`; the payload then stays as it is.
    pub fn fill_payload<E>(&mut self, read: impl FnOnce(&Payload) -> Result<Vec<u8>, E>) -> Result<(), E> {
        if matches!(self.payload, Payload::File(_) | Payload::Stdin) {
            self.payload = Payload::Bytes(read(&self.payload)?);
        }
        Ok(())
    }

    fn family_at(&self, at: &NameAt) -> Family {
        let Some(layer) = self.layers.get(at.layer) else { return Family::Either };
        if layer.family_open {
            return Family::Either;
        }
        match layer.field(at.place).map(|field| field.kind) {
            Some(Kind::Ipv6) => Family::V6,
            _ => Family::V4,
        }
    }

    fn fill_name(&mut self, at: &NameAt, address: IpAddr) {
        let Some(layer) = self.layers.get_mut(at.layer) else { return };
        let mut place = at.place;
        if layer.family_open {
            let key = layer.field(place).map_or("dst", |field| field.key);
            if address.is_ipv6() {
                *layer = crate::family::to_ip6(layer);
            }
            layer.family_open = false;
            place = layer.place(key).unwrap_or(place);
            self.fault = self.fault.take().or(None);
        }
        let layer = &mut self.layers[at.layer];
        match (layer.field(place).map(|field| field.kind), address) {
            (Some(Kind::Ipv4), IpAddr::V4(a)) => layer.set_at(place, Setting::Exactly(a.to_bits().into())),
            (Some(Kind::Ipv6), IpAddr::V6(a)) => layer.set_at(place, Setting::Exactly(a.to_bits())),
            _ => self.fault = Some(BuildError::WrongFamily { name: at.name.clone(), address }),
        }
    }
}
