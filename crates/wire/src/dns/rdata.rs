//! RFC 1035 §3.3, RFC 3596, RFC 2782, RFC 4034: what the data of each type is made of.

use core::ops::Range;

use super::name_end;

/// A part of a record's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A name, perhaps compressed.
    Name,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A number of this many bytes.
    Number(usize),
    /// A character-string: a length byte and its text.
    Text,
    /// Character-strings to the end, each a part.
    Texts,
    /// Options of EDNS to the end, each a part: code, length, value.
    Options,
    /// All bytes to the end.
    Bytes,
}

/// The parts of a type's data, each with its name; `None` for types that are not known: their data are bytes.
#[must_use]
pub fn format_of(kind: u16) -> Option<&'static [(&'static str, Part)]> {
    use Part::{Bytes, Ipv4, Ipv6, Name, Number, Options, Text, Texts};
    Some(match kind {
        1 => &[("address", Ipv4)],
        2 | 5 | 12 | 39 => &[("name", Name)],
        6 => &[
            ("mname", Name),
            ("rname", Name),
            ("serial", Number(4)),
            ("refresh", Number(4)),
            ("retry", Number(4)),
            ("expire", Number(4)),
            ("minimum", Number(4)),
        ],
        13 => &[("cpu", Text), ("os", Text)],
        15 => &[("preference", Number(2)), ("exchange", Name)],
        16 | 99 => &[("text", Texts)],
        28 => &[("address", Ipv6)],
        33 => &[("priority", Number(2)), ("weight", Number(2)), ("port", Number(2)), ("target", Name)],
        35 => &[
            ("order", Number(2)),
            ("preference", Number(2)),
            ("flags", Text),
            ("services", Text),
            ("regexp", Text),
            ("replacement", Name),
        ],
        super::OPT => &[("option", Options)],
        43 => &[("keytag", Number(2)), ("algorithm", Number(1)), ("digesttype", Number(1)), ("digest", Bytes)],
        44 => &[("algorithm", Number(1)), ("kind", Number(1)), ("fingerprint", Bytes)],
        46 => &[
            ("covered", Number(2)),
            ("algorithm", Number(1)),
            ("labels", Number(1)),
            ("ttl", Number(4)),
            ("expiration", Number(4)),
            ("inception", Number(4)),
            ("keytag", Number(2)),
            ("signer", Name),
            ("signature", Bytes),
        ],
        47 => &[("next", Name), ("types", Bytes)],
        48 => &[("flags", Number(2)), ("protocol", Number(1)), ("algorithm", Number(1)), ("key", Bytes)],
        52 => &[("usage", Number(1)), ("selector", Number(1)), ("matching", Number(1)), ("data", Bytes)],
        64 | 65 => &[("priority", Number(2)), ("target", Name), ("parameters", Bytes)],
        257 => &[("flags", Number(1)), ("tag", Text), ("value", Bytes)],
        _ => return None,
    })
}

/// A part with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartAt {
    /// Its name.
    pub key: &'static str,
    /// What it is; [`Part::Text`] for each of [`Part::Texts`].
    pub part: Part,
    /// Its bytes, counted as those of the data.
    pub range: Range<usize>,
}

/// The parts of a record's data, in their order, without gaps. What does not have its type's form is [`Part::Bytes`] to the end.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    bytes: &'a [u8],
    format: &'static [(&'static str, Part)],
    at: usize,
    end: usize,
}

impl<'a> Parts<'a> {
    /// The parts of the data of a type that stand at `data` in `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], kind: u16, data: Range<usize>) -> Self {
        let end = data.end.min(bytes.len());
        Self { bytes, format: format_of(kind).unwrap_or(&[]), at: data.start.min(end), end }
    }

    fn end_of(&self, part: Part) -> Option<usize> {
        let at = self.at;
        let number = |at: usize| Some(usize::from(u16::from_be_bytes(*self.bytes.get(at..)?.first_chunk()?)));
        let end = match part {
            Part::Name => name_end(&self.bytes[..self.end], at)?,
            Part::Ipv4 => at + 4,
            Part::Ipv6 => at + 16,
            Part::Number(len) => at + len,
            Part::Text | Part::Texts => at + 1 + usize::from(*self.bytes.get(at)?),
            Part::Options => at + 4 + number(at + 2)?,
            Part::Bytes => self.end,
        };
        (end <= self.end).then_some(end)
    }
}

impl Iterator for Parts<'_> {
    type Item = PartAt;

    fn next(&mut self) -> Option<PartAt> {
        if self.at >= self.end {
            return None;
        }
        let start = self.at;
        let found = self.format.first().and_then(|&(key, part)| Some((key, part, self.end_of(part)?)));
        let Some((key, part, end)) = found else {
            self.at = self.end;
            return Some(PartAt { key: "data", part: Part::Bytes, range: start..self.end });
        };
        self.at = end;
        let part = if part == Part::Texts { Part::Text } else { part };
        if !matches!(self.format[0].1, Part::Texts | Part::Options) {
            self.format = &self.format[1..];
        }
        Some(PartAt { key, part, range: start..end })
    }
}
