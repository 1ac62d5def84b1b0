//! Generators: words that stand for many values, in numbers, ports and addresses.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_wire::{FieldDesc, Kind, Name};

use crate::build::Context;
use crate::value::{self, ValueFault, write_plain};

/// The most values or ranges between the commas of one list: more is a range, or a file of packets.
pub const LIST_MAX: usize = 1024;

/// What a word stands for, if not for one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Generator {
    /// `1..1024`, `22,80`, `22,8000..8010`: first and last of each, in this order.
    List(Vec<(u128, u128)>),
    /// `192.0.2.0/24`: every address of the prefix.
    Prefix(Prefix),
    /// `rand`, `rand:1..9`, `rand:192.0.2.0/24`: a value for each packet, drawn between first and last.
    Rand(Among),
    /// `inc:1000:2`: a value for each packet, each `step` more than the one before, modulo the field's size.
    Inc { start: u128, step: u128 },
}

/// What `rand` draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// All that the field can hold.
    All,
    /// From the first to the last.
    Range(u128, u128),
    /// The addresses of a prefix.
    Prefix(Prefix),
}

/// A prefix: its first address and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    first: u128,
    len: u32,
}

impl Prefix {
    fn read(field: &FieldDesc, text: &str) -> Option<Result<Self, ValueFault>> {
        let (address, len) = text.split_once('/')?;
        if !matches!(field.kind, Kind::Ipv4 | Kind::Ipv6) {
            return Some(Err(ValueFault::NotANumber));
        }
        Some(value::one(field, &[], address).and_then(|address| {
            let len = value::number(len)?;
            let bits = bits(field);
            let len = u32::try_from(len).ok().filter(|len| *len <= bits).ok_or(ValueFault::PrefixLong(bits))?;
            Ok(Self { first: address & !low_bits(bits - len), len })
        }))
    }

    fn last(self, field: &FieldDesc) -> u128 {
        self.first | low_bits(bits(field) - self.len)
    }
}

/// The bits of a field: at most 128.
fn bits(field: &FieldDesc) -> u32 {
    128 - field.max().leading_zeros()
}

/// As many ones.
const fn low_bits(count: u32) -> u128 {
    if count >= 128 { u128::MAX } else { (1 << count) - 1 }
}

impl Generator {
    /// Reads what stands for many values of a field; only where [`value::is_generator`] says so.
    pub(crate) fn read(field: &FieldDesc, names: &[Name], text: &str) -> Result<Self, ValueFault> {
        if text == "rand" {
            return Ok(Self::Rand(Among::All));
        }
        if let Some(among) = text.strip_prefix("rand:") {
            return Self::read_rand(field, names, among).map(Self::Rand);
        }
        if let Some(counting) = text.strip_prefix("inc:") {
            return Self::read_inc(field, names, counting);
        }
        if let Some(prefix) = Prefix::read(field, text) {
            return prefix.map(Self::Prefix);
        }
        if text.split(',').count() > LIST_MAX {
            return Err(ValueFault::ListTooLong);
        }
        let ranges = text.split(',').map(|part| range(field, names, part));
        Ok(Self::List(ranges.collect::<Result<_, _>>()?))
    }

    fn read_rand(field: &FieldDesc, names: &[Name], text: &str) -> Result<Among, ValueFault> {
        if let Some(prefix) = Prefix::read(field, text) {
            return prefix.map(Among::Prefix);
        }
        if !text.contains("..") {
            return Err(ValueFault::RandForm);
        }
        range(field, names, text).map(|(low, high)| Among::Range(low, high))
    }

    fn read_inc(field: &FieldDesc, names: &[Name], text: &str) -> Result<Self, ValueFault> {
        // An address with colons in it takes them all but the last one.
        let divided = match field.kind {
            Kind::Ipv6 | Kind::Mac => text.rsplit_once(':'),
            _ => text.split_once(':'),
        };
        let (start, step) = divided.ok_or(ValueFault::IncForm)?;
        if start.is_empty() || step.is_empty() {
            return Err(ValueFault::IncForm);
        }
        let step = value::number(step)?;
        if step > field.max() {
            return Err(ValueFault::TooLarge(field.max()));
        }
        Ok(Self::Inc { start: value::one(field, names, start)?, step })
    }

    /// How many values it has; `None`: one for each packet, however many there are.
    pub(crate) fn count(&self, field: &FieldDesc) -> Option<u128> {
        let len = |low: u128, high: u128| (high - low).saturating_add(1);
        match self {
            Self::List(ranges) => {
                Some(ranges.iter().fold(0u128, |all, &(low, high)| all.saturating_add(len(low, high))))
            }
            Self::Prefix(prefix) => Some(len(prefix.first, prefix.last(field))),
            Self::Rand(_) | Self::Inc { .. } => None,
        }
    }

    /// The value number `index` of those that it counts, or that of packet number `index`.
    pub(crate) fn value(&self, field: &FieldDesc, index: u64, draw: &Draw) -> u128 {
        let index = u128::from(index);
        match self {
            Self::List(ranges) => {
                let mut left = index;
                for &(low, high) in ranges {
                    if left <= high - low {
                        return low + left;
                    }
                    left -= high - low + 1;
                }
                ranges.first().map_or(0, |range| range.0)
            }
            Self::Prefix(prefix) => prefix.first + index,
            Self::Rand(among) => {
                let (low, high) = match *among {
                    Among::All => (0, field.max()),
                    Among::Range(low, high) => (low, high),
                    Among::Prefix(prefix) => (prefix.first, prefix.last(field)),
                };
                match (high - low).checked_add(1) {
                    // The bias of 128 bits over a span of at most 2^64 is below 2^-64.
                    Some(span) => low + draw.bits() % span,
                    None => draw.bits(),
                }
            }
            Self::Inc { start, step } => start.wrapping_add(step.wrapping_mul(index)) & field.max(),
        }
    }

    /// The value that stands for it where one is wanted.
    pub(crate) fn first(&self) -> u128 {
        match self {
            Self::List(ranges) => ranges.first().map_or(0, |range| range.0),
            Self::Prefix(prefix) | Self::Rand(Among::Prefix(prefix)) => prefix.first,
            Self::Rand(Among::Range(low, _)) => *low,
            Self::Rand(Among::All) => 0,
            Self::Inc { start, .. } => *start,
        }
    }

    /// Whether one of its values may be this one.
    pub(crate) fn may_be(&self, field: &FieldDesc, value: u128) -> bool {
        match self {
            Self::List(ranges) => ranges.iter().any(|&(low, high)| (low..=high).contains(&value)),
            Self::Rand(Among::Range(low, high)) => (*low..=*high).contains(&value),
            Self::Prefix(prefix) | Self::Rand(Among::Prefix(prefix)) => {
                (prefix.first..=prefix.last(field)).contains(&value)
            }
            Self::Rand(Among::All) => true,
            Self::Inc { start, step } => value == *start || *step > 0,
        }
    }

    /// The largest value that is known; what grows from packet to packet begins anywhere.
    pub(crate) fn last(&self, field: &FieldDesc) -> u128 {
        match self {
            Self::List(ranges) => ranges.iter().map(|range| range.1).max().unwrap_or(0),
            Self::Prefix(prefix) | Self::Rand(Among::Prefix(prefix)) => prefix.last(field),
            Self::Rand(Among::Range(_, high)) => *high,
            Self::Rand(Among::All) => field.max(),
            Self::Inc { start, .. } => *start,
        }
    }

    /// Writes it so that [`read`](Self::read) reads it back.
    pub(crate) fn write(&self, out: &mut impl Write, field: &FieldDesc) -> fmt::Result {
        let range = |out: &mut dyn Write, low: u128, high: u128| {
            let mut text = String::new();
            write_plain(&mut text, field, low)?;
            text.push_str("..");
            write_plain(&mut text, field, high)?;
            out.write_str(&text)
        };
        let prefix = |out: &mut dyn Write, prefix: Prefix| {
            let mut text = String::new();
            write_plain(&mut text, field, prefix.first)?;
            write!(out, "{text}/{}", prefix.len)
        };
        match self {
            Self::List(ranges) => {
                for (at, &(low, high)) in ranges.iter().enumerate() {
                    if at > 0 {
                        out.write_char(',')?;
                    }
                    // A list of one is a range, also where it holds one value.
                    if low == high && ranges.len() > 1 {
                        write_plain(out, field, low)?;
                    } else {
                        range(out, low, high)?;
                    }
                }
                Ok(())
            }
            Self::Prefix(it) => prefix(out, *it),
            Self::Rand(Among::All) => out.write_str("rand"),
            Self::Rand(Among::Range(low, high)) => {
                out.write_str("rand:")?;
                range(out, *low, *high)
            }
            Self::Rand(Among::Prefix(it)) => {
                out.write_str("rand:")?;
                prefix(out, *it)
            }
            Self::Inc { start, step } => {
                out.write_str("inc:")?;
                write_plain(out, field, *start)?;
                write!(out, ":{step}")
            }
        }
    }
}

/// First and last of `LOW..HIGH`, or of one value.
fn range(field: &FieldDesc, names: &[Name], text: &str) -> Result<(u128, u128), ValueFault> {
    let Some((low, high)) = text.split_once("..") else {
        if text.is_empty() {
            return Err(ValueFault::OpenRange);
        }
        return value::one(field, names, text).map(|value| (value, value));
    };
    if low.is_empty() || high.is_empty() {
        return Err(ValueFault::OpenRange);
    }
    let (low, high) = (value::one(field, names, low)?, value::one(field, names, high)?);
    if low > high { Err(ValueFault::Backwards) } else { Ok((low, high)) }
}

/// A generator as it was probably meant: a backwards range turned, an end that is too large made the largest, a comma
/// without a value taken away.
pub(crate) fn mended(field: &FieldDesc, text: &str, fault: &ValueFault) -> Option<String> {
    let (before, body) = match text.strip_prefix("rand:") {
        Some(body) => ("rand:", body),
        None => ("", text),
    };
    let parts = body.split(',').filter(|part| !part.is_empty()).map(|part| match (part.split_once(".."), fault) {
        (Some((low, high)), ValueFault::Backwards) => {
            let turned = value::one(field, &[], low).ok() > value::one(field, &[], high).ok();
            if turned { format!("{high}..{low}") } else { part.into() }
        }
        (Some((low, high)), ValueFault::TooLarge(max)) if value::number(high).is_ok_and(|high| high > *max) => {
            format!("{low}..{max}")
        }
        (None, ValueFault::PrefixLong(bits)) => match part.split_once('/') {
            Some((address, _)) => format!("{address}/{bits}"),
            None => part.into(),
        },
        (Some((low, "")), ValueFault::OpenRange) => format!("{low}..{}", field.max()),
        _ => part.into(),
    });
    let mended = format!("{before}{}", parts.collect::<Vec<_>>().join(","));
    (mended != text && Generator::read(field, &[], &mended).is_ok()).then_some(mended)
}

/// A range as other tools write it: `79-81`, `20-25,80`, `192.0.2.70-73`, `192.0.2.70..73`.
pub(crate) fn from_dashes(field: &FieldDesc, text: &str) -> Option<String> {
    let part = |part: &str| {
        let Some((low, high)) = part.split_once("..").or(part.split_once('-')) else { return part.into() };
        // nmap's addresses: the end is the last number alone.
        match low.rsplit_once('.') {
            Some((network, _)) if !high.contains('.') => format!("{low}..{network}.{high}"),
            _ => format!("{low}..{high}"),
        }
    };
    let ranges = text.split(',').map(part).collect::<Vec<String>>().join(",");
    (ranges != text && Generator::read(field, &[], &ranges).is_ok()).then_some(ranges)
}

/// What one random value is drawn from: the run's seed, the packet's number, the generator's number.
pub(crate) struct Draw {
    pub(crate) seed: [u8; 32],
    pub(crate) packet: u64,
    pub(crate) lane: usize,
}

/// Lanes of a [`Context`] that generators draw from, two each, apart from those that fill fields.
const LANES_START: u64 = 1 << 32;

impl Draw {
    fn bits(&self) -> u128 {
        let mut entropy = self.seed;
        for (byte, count) in entropy[8..].iter_mut().zip(self.packet.to_le_bytes()) {
            *byte ^= count;
        }
        let context = Context { entropy, ..Context::default() };
        let lane = LANES_START + 2 * self.lane as u64;
        u128::from(context.draw(lane)) << 64 | u128::from(context.draw(lane + 1))
    }
}

/// A word of addresses: what stands for them, and the port's text behind.
pub(crate) struct Addresses<'w> {
    pub(crate) generator: Generator,
    pub(crate) first: IpAddr,
    pub(crate) port: Option<&'w str>,
}

/// Reads `ADDRESSES` or `ADDRESSES:PORT`; `None` when the word is no generator of addresses. `v6`: what a bare `rand` is.
pub(crate) fn addresses(word: &str, v6: bool) -> Option<Result<Addresses<'_>, (ValueFault, usize)>> {
    // One address, whatever its port stands for.
    if word.split_once(':').is_some_and(|(host, _)| value::ipv4(host).is_some()) {
        return None;
    }
    // The port is behind the last colon, unless it is itself a generator with colons.
    let split = |at: Option<usize>| {
        let (host, port) = (word.get(..at?)?, word.get(at? + 1..)?);
        (!host.is_empty() && !port.is_empty()).then_some((host, Some(port)))
    };
    let divided = [split(word.rfind(':')), split(word.find(":rand")), split(word.find(":inc:"))];
    let mut wrong = None;
    for (text, port) in
        core::iter::once(Some((word, None))).chain(divided).flatten().filter(|(text, _)| value::is_generator(text))
    {
        let is_v6 = match text {
            "rand" => v6,
            _ => !is_dotted(text),
        };
        let field = address_field(is_v6)?;
        match Generator::read(field, &[], text) {
            Ok(generator) => {
                let first = generator.first();
                let first =
                    if is_v6 { Ipv6Addr::from_bits(first).into() } else { Ipv4Addr::from_bits(first as u32).into() };
                return Some(Ok(Addresses { generator, first, port }));
            }
            Err(fault) => {
                // A port behind the last address makes it none: what is said without the port is to the point.
                let is_vague = matches!(&wrong, None | Some((ValueFault::NotIpv4 | ValueFault::NotIpv6, _)));
                if is_vague {
                    wrong = Some((fault, text.len()));
                }
            }
        }
    }
    let (fault, len) = wrong?;
    // Only what can be nothing else is a mistake in addresses.
    is_dotted(&word[..len]).then_some(Err((fault, len)))
}

/// Whether the first thing of a generator is an IPv4 address.
fn is_dotted(text: &str) -> bool {
    let text = text.strip_prefix("rand:").or(text.strip_prefix("inc:")).unwrap_or(text);
    let end = text.find("..").unwrap_or(text.len());
    let end = text[..end].find([',', '/', ':']).unwrap_or(end);
    value::ipv4(&text[..end]).is_some()
}

/// The field that addresses of a version are read for.
pub(crate) fn address_field(v6: bool) -> Option<&'static FieldDesc> {
    let desc = if v6 { crate::layers::ip6() } else { crate::layers::ip() };
    desc.field("dst")
}
