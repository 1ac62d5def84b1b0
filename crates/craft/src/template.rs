//! A template: a packet some of whose values are many, and the packets that it stands for.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use wirewright_wire::{FieldDesc, Kind};

use crate::family::key_in;
use crate::generator::{Draw, Generator};
use crate::packet::{Family, Packet, Part, Payload, Place, Setting};
use crate::print::write_packet;
use crate::value::write_plain;

/// A generator, and the field whose values it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GeneratorAt {
    pub(crate) layer: usize,
    pub(crate) target: Target,
    pub(crate) generator: Generator,
}

/// What the values of a generator are for.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A field of header or body.
    Field(Place),
    /// A value in the option area: where the values of its option begin, and which of them it is.
    Option { at: usize, field: &'static FieldDesc },
    /// The length of the payload; the layer is behind all others.
    Length,
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field(place), Self::Field(other)) => place == other,
            (Self::Option { at, field }, Self::Option { at: other, field: there }) => {
                at == other && core::ptr::eq(*field, *there)
            }
            (Self::Length, Self::Length) => true,
            _ => false,
        }
    }
}

impl Eq for Target {}

/// The length of a payload, as generators see it. Its bits keep any value below [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES).
pub(crate) static LENGTH: FieldDesc = FieldDesc::new("length", "length", "", 0, 20, Kind::Number);

/// The layer that the payload's length counts as.
pub(crate) const BEHIND_LAYERS: usize = usize::MAX;

impl GeneratorAt {
    /// Its place among all: the outermost layer first, in a layer the header's own order. So a template prints in one form
    /// and makes the same packets in the same order however its words were ordered.
    pub(crate) fn order(&self) -> (usize, u8, usize, usize) {
        match self.target {
            Target::Field(Place { part, row }) => (self.layer, u8::from(part == Part::Body), row, 0),
            Target::Option { at, field } => (self.layer, 2, at, field.offset),
            Target::Length => (self.layer, 3, 0, 0),
        }
    }

    /// Whether it makes the value of a field at this place of this layer.
    pub(crate) fn is_at(&self, layer: usize, place: Place) -> bool {
        self.layer == layer && self.target == Target::Field(place)
    }
}

impl GeneratorAt {
    /// Puts a value where it belongs.
    fn put(&self, packet: &mut Packet, value: u128) {
        let layer = packet.layers.get_mut(self.layer);
        match (&self.target, layer) {
            (Target::Field(place), Some(layer)) => layer.set_at(*place, Setting::Exactly(value)),
            (Target::Option { at, field }, Some(layer)) => {
                // The option was written whole before its values were many.
                let _fits = layer.options.get_mut(*at..).is_some_and(|area| field.write(area, value));
            }
            (Target::Length, _) => {
                let len = usize::try_from(value).unwrap_or(0);
                match &mut packet.payload {
                    Payload::Zero(now) | Payload::Random(now) => *now = len,
                    _ => {}
                }
            }
            (_, None) => {}
        }
    }
}

/// Packets written as one: words that stand for many values multiply, the last of them changing fastest; or are paired
/// ([`zip`](Template::zip)). `rand` and `inc:` have a value for each packet and multiply nothing.
///
/// Packet number `n` is made without those before it, and the same seed gives the same packets. `Display` prints words that
/// parse to the same template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    first: Packet,
    generators: Vec<GeneratorAt>,
    zipped: bool,
}

/// Generators of different lengths, which cannot be paired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZipError {
    /// A generator as it prints, and how many values it has.
    pub one: (String, u128),
    /// The first that has another number of them.
    pub other: (String, u128),
}

impl fmt::Display for ZipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((one, has), (other, has_other)) = (&self.one, &self.other);
        write!(f, "`{one}` has {has} values and `{other}` {has_other}: only as many can be paired")
    }
}

impl core::error::Error for ZipError {}

impl From<Packet> for Template {
    fn from(packet: Packet) -> Self {
        Self::new(packet, Vec::new())
    }
}

impl Template {
    pub(crate) const fn new(first: Packet, generators: Vec<GeneratorAt>) -> Self {
        Self { first, generators, zipped: false }
    }

    pub(crate) fn into_first(self) -> Packet {
        self.first
    }

    /// The first value of the first generator, as it is written.
    pub(crate) fn first_value(&self) -> Option<String> {
        let at = self.generators.first()?;
        let mut text = String::new();
        write_plain(&mut text, self.field(at)?, at.generator.first()).ok()?;
        Some(text)
    }

    /// Pairs the generators instead of multiplying them: the first values together, then the second ones.
    ///
    /// # Errors
    /// When they have different numbers of values.
    pub fn zip(mut self) -> Result<Self, ZipError> {
        let mut counted = self.generators.iter().filter_map(|at| Some((at, at.generator.count(self.field(at)?)?)));
        if let Some((one, len)) = counted.next()
            && let Some((other, other_len)) = counted.find(|(_, count)| *count != len)
        {
            return Err(ZipError { one: (self.printed(one), len), other: (self.printed(other), other_len) });
        }
        self.zipped = true;
        Ok(self)
    }

    /// Whether it is one packet written out: nothing in it stands for many values.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.generators.is_empty()
    }

    /// How many different packets it stands for, known without making them; `None`: more than 2^64 − 1. `rand` and `inc:`
    /// alone make one, and another one each time.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        let mut counts = self.generators.iter().filter_map(|at| at.generator.count(self.field(at)?));
        let count = if self.zipped { counts.next().unwrap_or(1) } else { counts.try_fold(1u128, u128::checked_mul)? };
        u64::try_from(count).ok()
    }

    /// Packet number `index`, from 0; behind the last one it begins again. `seed` is what `rand` draws from.
    #[must_use]
    pub fn packet(&self, index: u64, seed: [u8; 32]) -> Packet {
        let mut packet = self.first.clone();
        self.refill(index, seed, &mut packet);
        packet
    }

    /// Makes packet number `index` out of another packet of this template, without an allocation.
    pub fn refill(&self, index: u64, seed: [u8; 32], packet: &mut Packet) {
        // The last generator changes fastest: the number is taken apart from behind.
        let mut rest = index;
        for (lane, at) in self.generators.iter().enumerate().rev() {
            let Some(field) = self.field(at) else { continue };
            let own = match at.generator.count(field) {
                None => index,
                // More values than numbers: all that is left is this one's.
                Some(count) => match u64::try_from(count) {
                    Err(_) if self.zipped => index,
                    Err(_) => core::mem::take(&mut rest),
                    Ok(count) if self.zipped => index % count,
                    Ok(count) => {
                        let own = rest % count;
                        rest /= count;
                        own
                    }
                },
            };
            let value = at.generator.value(field, own, &Draw { seed, packet: index, lane });
            at.put(packet, value);
        }
    }

    /// The outermost layer in which packets differ; `None` where they differ in nothing that was written. Lengths of payloads
    /// are in the headers of all layers.
    #[must_use]
    pub fn differs_from_layer(&self) -> Option<usize> {
        self.generators.iter().map(|at| if at.target == Target::Length { 0 } else { at.layer }).min()
    }

    /// All packets, each once, in their order; endless where [`count`](Self::count) is `None`.
    #[must_use]
    pub fn packets(&self, seed: [u8; 32]) -> Packets<'_> {
        Packets { template: self, seed, next: 0, end: self.count() }
    }

    /// The names that still stand for addresses: [`Packet::names`].
    #[must_use]
    pub fn names(&self) -> Vec<(&str, Family)> {
        self.first.names()
    }

    /// Fills in addresses for names in all packets: [`Packet::resolve`].
    ///
    /// # Errors
    /// The first error of `lookup`.
    pub fn resolve<E>(&mut self, lookup: impl FnMut(&str, Family) -> Result<IpAddr, E>) -> Result<(), E> {
        let keys: Vec<_> = self.generators.iter().map(|at| self.field(at).map(|field| field.key)).collect();
        self.first.resolve(lookup)?;
        // A layer whose version was open may be IPv6 now, its fields at other places.
        for (at, key) in self.generators.iter_mut().zip(keys) {
            let Some(layer) = self.first.layers.get(at.layer) else { continue };
            let Target::Field(before) = at.target else { continue };
            let place = key.and_then(|key| layer.place(key_in(layer.desc, key)).or_else(|| layer.place(key)));
            at.target = Target::Field(place.unwrap_or(before));
        }
        Ok(())
    }

    /// Reads what the payload of all packets refers to: [`Packet::fill_payload`].
    ///
    /// # Errors
    /// The error of `read`.
    pub fn fill_payload<E>(&mut self, read: impl FnOnce(&crate::Payload) -> Result<Vec<u8>, E>) -> Result<(), E> {
        self.first.fill_payload(read)
    }

    /// The packet whose payload is the longest of all, where their lengths differ.
    #[must_use]
    pub fn longest(&self) -> Option<Packet> {
        let at = self.generators.iter().find(|at| at.target == Target::Length)?;
        let mut packet = self.first.clone();
        at.put(&mut packet, at.generator.last(&LENGTH));
        Some(packet)
    }

    fn field(&self, at: &GeneratorAt) -> Option<&'static FieldDesc> {
        match at.target {
            Target::Field(place) => self.first.layers.get(at.layer)?.field(place),
            Target::Option { field, .. } => Some(field),
            Target::Length => Some(&LENGTH),
        }
    }

    fn printed(&self, at: &GeneratorAt) -> String {
        let mut text = String::new();
        if let Some(field) = self.field(at) {
            let _infallible = at.generator.write(&mut text, field);
        }
        text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_packet(f, &self.first, &self.generators)
    }
}

/// The packets of a [`Template`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    template: &'a Template,
    seed: [u8; 32],
    next: u64,
    end: Option<u64>,
}

impl Iterator for Packets<'_> {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        if self.end.is_some_and(|end| self.next >= end) {
            return None;
        }
        let packet = self.template.packet(self.next, self.seed);
        self.next += 1;
        Some(packet)
    }
}
