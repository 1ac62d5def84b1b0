//! The option area of a header, item by item, by its table.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::ops::Range;

use wirewright_wire::{Auto, FieldDesc, Kind, Name, OptionDesc, OptionLen, TlvDesc, TlvLength};

use crate::dns::{encode_listed, listed_names};
use crate::generator::Generator;
use crate::records;
use crate::text::{is_mostly_text, read_escaped, read_hex, write_hex, write_quoted};
use crate::value::{ValueFault, exact, write_letters, write_plain};

/// One item of an option area.
#[derive(Clone, Debug)]
pub struct OptionAt {
    /// Its bytes, from the start of the area.
    pub range: Range<usize>,
    /// What it is.
    pub item: OptionItem,
    /// How many bytes kind and length take.
    pub head: usize,
}

/// What an item of an option area is.
#[derive(Clone, Copy, Debug)]
pub enum OptionItem {
    /// An option.
    Known {
        /// Its description.
        desc: &'static OptionDesc,
    },
    /// An option of a kind that the table does not know, its length believed.
    Unknown {
        /// The kind.
        kind: u16,
    },
    /// The beginning of an option of fixed length, with which the area ends: its kind, or kind, length and less than its value.
    Cut {
        /// Its description.
        desc: &'static OptionDesc,
    },
    /// What stands behind the end of the list: padding.
    Behind,
    /// Bytes whose length is impossible, and all behind them.
    Malformed,
}

impl OptionAt {
    /// Where its value stands, from the start of the area; empty for padding and malformed bytes.
    #[must_use]
    pub fn value(&self) -> Range<usize> {
        let skip = match self.item {
            OptionItem::Known { desc } if matches!(desc.len, OptionLen::Single) => 1,
            OptionItem::Known { desc } if matches!(desc.len, OptionLen::Entry(_) | OptionLen::Counted) => 0,
            OptionItem::Known { .. } | OptionItem::Unknown { .. } => self.head,
            OptionItem::Cut { .. } => self.range.len().min(self.head),
            OptionItem::Behind | OptionItem::Malformed => self.range.len(),
        };
        self.range.start + skip..self.range.end
    }
}

/// The items of an option area. Covers it without gaps; ends after the item that is malformed or behind the list's end.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    table: &'static TlvDesc,
    area: &'a [u8],
    at: usize,
    ended: bool,
}

impl<'a> Options<'a> {
    /// The items of `area`.
    #[must_use]
    pub fn new(table: &'static TlvDesc, area: &'a [u8]) -> Self {
        Self { table, area, at: 0, ended: false }
    }

    /// Length of the option at the cursor, as its length byte says; `None` when it is impossible.
    fn stated_len(&self, desc: Option<&'static OptionDesc>) -> Option<usize> {
        if desc.is_some_and(|desc| matches!(desc.len, OptionLen::Single)) {
            return Some(1);
        }
        if let Some(OptionLen::Entry(size)) = desc.map(|desc| desc.len) {
            return (self.at + size <= self.area.len()).then_some(size);
        }
        if let Some(desc) = desc.filter(|desc| desc.len == OptionLen::Counted) {
            let left = &self.area[self.at..];
            return desc.counted_len(left).map(|(len, _)| len).filter(|len| *len <= left.len());
        }
        let len = self.table.stated_len(self.area.get(self.at..)?)?;
        (len >= self.table.head_len() && self.at + len <= self.area.len()).then_some(len)
    }
}

impl Iterator for Options<'_> {
    type Item = OptionAt;

    fn next(&mut self) -> Option<OptionAt> {
        let &first = self.area.get(self.at)?;
        let (start, head) = (self.at, self.table.head_len());
        if self.ended {
            self.at = self.area.len();
            return Some(OptionAt { range: start..self.at, item: OptionItem::Behind, head });
        }
        let kind = self.area.get(start..start + head / 2).map_or(first.into(), number) as u16;
        let desc = match self.table.length {
            TlvLength::Entries => self.table.kinds.first(),
            // Half of a kind is none.
            TlvLength::ValueBytesWide if start + 1 == self.area.len() => None,
            _ => self.table.kind(kind),
        };
        let len = self.stated_len(desc);
        // Of a kind with several forms the value says which; one of no form is as one of no kind.
        let desc = match desc {
            Some(one) if !one.when.is_always() => {
                len.and_then(|len| self.table.of(kind, self.area.get(start + 2..start + len)?))
            }
            one => one,
        };
        let (len, item) = match (len, desc) {
            (Some(len), Some(desc)) => (len, OptionItem::Known { desc }),
            (Some(len), None) => (len, OptionItem::Unknown { kind }),
            (None, Some(desc)) if is_cut(self.table, desc, &self.area[start..]) => {
                (self.area.len() - start, OptionItem::Cut { desc })
            }
            (None, _) => (self.area.len() - start, OptionItem::Malformed),
        };
        // RFC 9293 §3.1, RFC 791 §3.1: kind 0 ends the list; in DHCP 255 does. In IPv6 none does.
        self.ended = self.table.end == Some(kind) && self.table.length != TlvLength::Entries;
        self.at += len;
        Some(OptionAt { range: start..self.at, item, head })
    }
}

/// One or two bytes as a number.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// How many bytes of `area` the list takes: up to its end or to all.
pub(crate) fn list_len(table: &'static TlvDesc, area: &[u8]) -> usize {
    let listed = Options::new(table, area).take_while(|option| !matches!(option.item, OptionItem::Behind));
    listed.last().map_or(0, |option| option.range.end)
}

/// Whether bytes are the beginning of an option of fixed length: its kind alone, or with the right length.
fn is_cut(table: &TlvDesc, desc: &OptionDesc, bytes: &[u8]) -> bool {
    let OptionLen::Value(size) = desc.len else { return false };
    let head = table.head_len();
    let length = bytes.get(head / 2..).unwrap_or_default();
    let whole = length.get(..head / 2).is_some_and(|stated| Some(number(stated)) == stated_for(table, size));
    size > 0 && bytes.len() < size + head && (length.is_empty() || whole)
}

/// What the length of an option says whose value has this many bytes; `None` where it cannot.
fn stated_for(table: &TlvDesc, value: usize) -> Option<usize> {
    let counted = match table.length {
        TlvLength::ValueBytes | TlvLength::ValueBytesWide => value,
        TlvLength::Entries => return None,
        TlvLength::WholeOctoBytes if !(value + 2).is_multiple_of(8) => return None,
        TlvLength::WholeOctoBytes => (value + 2) / 8,
        _ => value + 2,
    };
    let most = if table.head_len() == 4 { 0xffff } else { 0xff };
    (counted <= most).then_some(counted)
}

/// The text behind `KEY=` of an option that is cut.
const CUT: &str = "cut";

/// Why a value of an option cannot be read.
#[derive(Clone, Debug)]
pub(crate) enum OptionFault {
    /// How many values it has, and how many were given.
    Count { want: String, have: usize },
    /// One of its values, by the field's description and text.
    Value { field: &'static FieldDesc, text: String, fault: ValueFault },
    /// The bytes behind its values are no hexadecimal digits.
    Hex,
    /// An escape in its text cannot be read.
    Escape,
    /// This is no domain name.
    Name(String),
    /// Longer than its length byte can say, or no multiple of the table's unit.
    Length,
}

/// A value of an option that stands for many.
#[derive(Clone, Debug)]
pub(crate) struct ManyInOption {
    /// Where the values of its option, or of its group of them, begin in the area.
    pub(crate) at: usize,
    pub(crate) field: &'static FieldDesc,
    pub(crate) generator: Generator,
    /// Its bytes in the text of all values.
    pub(crate) part: Range<usize>,
}

/// Appends an option with the values of `text`, divided by `:`, each of them one; `None` for text: the bare word.
pub(crate) fn encode(
    table: &'static TlvDesc,
    desc: &'static OptionDesc,
    text: Option<&str>,
    out: &mut Vec<u8>,
) -> Result<(), OptionFault> {
    let mut many = Vec::new();
    encode_many(table, desc, text, out, &mut many)?;
    match many.first() {
        None => Ok(()),
        Some(it) => Err(OptionFault::Value {
            field: it.field,
            text: text.and_then(|text| text.get(it.part.clone())).unwrap_or_default().into(),
            fault: ValueFault::Generator,
        }),
    }
}

/// Appends an option as [`encode`]; the first of many values stands for them, and they are told to `many`.
pub(crate) fn encode_many(
    table: &'static TlvDesc,
    desc: &'static OptionDesc,
    text: Option<&str>,
    out: &mut Vec<u8>,
    many: &mut Vec<ManyInOption>,
) -> Result<(), OptionFault> {
    let mut value = Vec::new();
    let (begun, told) = (out.len() + table.head_len(), many.len());
    let given: Vec<&'static FieldDesc> = desc.given().collect();
    match (desc.len, text) {
        (OptionLen::Single, _) => {
            return push_kind(table, desc.kind, out);
        }
        (_, None) => {}
        (OptionLen::Repeats(size), Some(text)) => {
            let parts = values(text, |count| count.is_multiple_of(given.len().max(1)), usize::MAX);
            if !parts.len().is_multiple_of(given.len().max(1)) {
                return Err(OptionFault::Count { want: names_of(&given), have: parts.len() });
            }
            for group in parts.chunks(given.len()) {
                write_values(size, &given, group, &mut value, many)?;
            }
        }
        (OptionLen::Variable | OptionLen::Text | OptionLen::Names(_), Some(text)) => {
            encode_open(desc, &given, text, &mut value, many)?;
            if let OptionLen::Names(unit) = desc.len {
                let head = table.head_len();
                value.resize((value.len() + head).next_multiple_of(unit) - head, 0);
            }
        }
        (OptionLen::Entry(size), Some(text)) => return write_entry(size, desc.fields, text, out),
        (OptionLen::Counted, Some(text)) => return records::encode(desc, text, out),
        (OptionLen::Parts, Some(text)) => write_parts(desc, &given, text, &mut value, many)?,
        (OptionLen::Value(size), Some(text)) if text.split(':').next() == Some(CUT) => {
            return encode_cut(table, desc, size, text, out);
        }
        (OptionLen::Value(size), Some(text)) => {
            // The last value takes what is left: an IPv6 address has colons of its own.
            let parts = values(text, |count| count == given.len(), given.len().max(1));
            if parts.len() != given.len() {
                return Err(OptionFault::Count { want: names_of(&given), have: parts.len() });
            }
            write_values(size, &given, &parts, &mut value, many)?;
        }
        (_, Some(_)) => return Err(OptionFault::Length),
    }
    if let (OptionLen::Value(size), None) = (desc.len, text) {
        value.resize(size, 0);
    }
    desc.when.stamp(&mut value);
    for it in &mut many[told..] {
        it.at += begun;
    }
    push_option(table, desc.kind, &value, out)
}

/// What stands before the digits of a list of names that is none: many names are of digits alone.
const NO_NAMES: &str = "0x";

/// Appends the value of an option without a fixed length: its fields, then text, digits or a list.
fn encode_open(
    desc: &'static OptionDesc,
    given: &[&'static FieldDesc],
    text: &str,
    value: &mut Vec<u8>,
    many: &mut Vec<ManyInOption>,
) -> Result<(), OptionFault> {
    // `rdnss=1800,2001:db8::1`: the entries stand behind commas. Elsewhere a comma is of a list of values.
    let is_names = matches!(desc.len, OptionLen::Names(_));
    let is_listed = !desc.entries.is_empty() || is_names;
    if let Some(digits) = text.strip_prefix(NO_NAMES).filter(|_| is_names && given.is_empty()) {
        value.extend(read_hex(digits).map_err(|_| OptionFault::Hex)?);
        return Ok(());
    }
    let (text, listed) = match text.split_once(',') {
        _ if given.is_empty() && is_listed => ("", Some(text)),
        Some((text, entries)) if is_listed => (text, Some(entries)),
        _ => (text, None),
    };
    let parts = divided(text, given.len() + 1);
    if parts.len() < given.len() {
        return Err(OptionFault::Count { want: names_of(given), have: parts.len() });
    }
    write_values(desc.fixed_len(), given, &parts[..given.len()], value, many)?;
    if let Some((_, rest)) = parts.get(given.len()).filter(|(_, rest)| !rest.is_empty()) {
        value.extend(match desc.len {
            OptionLen::Text => read_escaped(rest).map_err(|_| OptionFault::Escape)?,
            _ => read_hex(rest).map_err(|_| OptionFault::Hex)?,
        });
    }
    for entry in listed.into_iter().flat_map(|entries| entries.split(',')) {
        match desc.len {
            OptionLen::Names(_) => value.extend(encode_listed(entry).ok_or_else(|| OptionFault::Name(entry.into()))?),
            _ => write_entry(desc.entry_len(), desc.entries, entry, value)?,
        }
    }
    Ok(())
}

/// A value of an option, and where it stands in the text of all values.
type Part<'t> = (usize, &'t str);

/// The values of a text: divided at each `:`, at most so many parts.
fn divided(text: &str, most: usize) -> Vec<Part<'_>> {
    let start = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    text.splitn(most, ':').map(|part| (start(part), part)).collect()
}

/// The values of a text, as many as there are fields. An IPv6 address has colons of its own: where it comes first, the other
/// values are divided off from the end; where it comes last, it takes what is left.
fn divided_before<'t>(text: &'t str, given: &[&'static FieldDesc]) -> Vec<Part<'t>> {
    let most = given.len().max(1);
    if given.first().is_none_or(|field| field.kind != Kind::Ipv6) {
        return divided(text, most);
    }
    let start = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    let mut parts: Vec<Part<'_>> = text.rsplitn(most, ':').map(|part| (start(part), part)).collect();
    parts.reverse();
    parts
}

/// The values of a text. `rand:LOW..HIGH` and `inc:START:STEP` have colons of their own: they are one value where the number of
/// values is right so, and else each colon divides.
fn values(text: &str, fits: impl Fn(usize) -> bool, most: usize) -> Vec<Part<'_>> {
    let mut whole: Vec<Part<'_>> = Vec::new();
    let mut parts = divided(text, usize::MAX).into_iter().peekable();
    while let Some((start, part)) = parts.next() {
        let more = match (part, parts.peek()) {
            ("rand", Some((_, next))) if next.contains("..") || next.contains('/') => 1,
            ("inc", Some(_)) => 2,
            _ => 0,
        };
        let mut end = start + part.len();
        for _ in 0..more {
            end = parts.next().map_or(end, |(start, part)| start + part.len());
        }
        whole.push((start, &text[start..end]));
    }
    if fits(whole.len()) { whole } else { divided(text, most) }
}

/// Appends the values of an option some of whose fields may be absent: which are there, the first ones and their number say.
fn write_parts(
    desc: &'static OptionDesc,
    given: &[&'static FieldDesc],
    text: &str,
    out: &mut Vec<u8>,
    many: &mut Vec<ManyInOption>,
) -> Result<(), OptionFault> {
    let size = desc.fixed_len();
    let start = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    // `rand:1..9` is one value, or two; an IPv6 address has colons of its own and ends with a comma.
    let ways = match text.split_once(',') {
        _ if given.iter().all(|field| field.kind != Kind::Ipv6) => {
            [values(text, |_| true, usize::MAX), divided(text, usize::MAX)]
        }
        Some((fixed, parts)) => {
            let (mut all, begun) = (divided(fixed, given.len()), start(parts));
            all.extend(divided(parts, usize::MAX).into_iter().map(|(at, part)| (begun + at, part)));
            [all.clone(), all]
        }
        None => [divided(text, given.len()), divided(text, given.len())],
    };
    let most = size + desc.parts.iter().map(|part| part.field.end_byte()).sum::<usize>();
    for parts in &ways {
        let Some((first, further)) = parts.split_at_checked(given.len()) else { continue };
        let (begun, told) = (out.len(), many.len());
        write_values(size, given, first, out, many)?;
        desc.when.stamp(&mut out[begun..]);
        let rows = (size..=most).find_map(|len| {
            let mut value = out[begun..].to_vec();
            value.resize(len, 0);
            let rows: Vec<_> = desc.rows_in(&value).skip(desc.fields.len()).map(|(_, field)| field).collect();
            (desc.is_for(&value) && rows.len() == further.len()).then_some(rows)
        });
        if let Some(rows) = rows {
            let further = rows.into_iter().zip(further);
            return further.into_iter().try_for_each(|(field, part)| {
                write_values(field.end_byte(), &[field], core::slice::from_ref(part), out, many)
            });
        }
        out.truncate(begun);
        many.truncate(told);
    }
    let mut want = names_of(given);
    desc.parts.iter().for_each(|part| want = format!("{want}[:{}]", part.field.key.to_ascii_uppercase()));
    Err(OptionFault::Count { want, have: ways[1].len() })
}

/// Appends the beginning of an option whose value has `size` bytes: `cut`, its kind, or `cut:HEX`, kind, length and these bytes.
fn encode_cut(
    table: &'static TlvDesc,
    desc: &'static OptionDesc,
    size: usize,
    text: &str,
    out: &mut Vec<u8>,
) -> Result<(), OptionFault> {
    let begun = text.strip_prefix("cut:").map(|hex| read_hex(hex).map_err(|_| OptionFault::Hex)).transpose()?;
    push_kind(table, desc.kind, out)?;
    if let Some(begun) = begun {
        let stated = stated_for(table, size).filter(|_| begun.len() < size).ok_or(OptionFault::Length)?;
        push_stated(table, stated, out);
        out.extend(begun);
    }
    Ok(())
}

/// Appends an entry of a list: one value for each field, none of which stands for many.
pub(crate) fn write_entry(
    size: usize,
    fields: &'static [FieldDesc],
    text: &str,
    out: &mut Vec<u8>,
) -> Result<(), OptionFault> {
    // What fills itself in a record is not written.
    let given: Vec<&'static FieldDesc> =
        fields.iter().filter(|field| !field.reserved && field.auto == Auto::None).collect();
    let parts = divided_before(text, &given);
    if parts.len() != given.len() {
        return Err(OptionFault::Count { want: names_of(&given), have: parts.len() });
    }
    let (start, mut many) = (out.len(), Vec::new());
    write_values(size, &given, &parts, out, &mut many)?;
    for field in fields.iter().filter(|field| field.reserved) {
        // What is reserved is as it must be; the entry holds its fields.
        let _fits = field.write(&mut out[start..], field.default);
    }
    match many.first() {
        None => Ok(()),
        Some(it) => Err(OptionFault::Value { field: it.field, text: text.into(), fault: ValueFault::Generator }),
    }
}

/// Appends an option of any kind.
pub(crate) fn push_option(
    table: &'static TlvDesc,
    kind: u16,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), OptionFault> {
    let stated = stated_for(table, value.len()).ok_or(OptionFault::Length)?;
    push_kind(table, kind, out)?;
    push_stated(table, stated, out);
    out.extend_from_slice(value);
    Ok(())
}

fn push_kind(table: &TlvDesc, kind: u16, out: &mut Vec<u8>) -> Result<(), OptionFault> {
    match u8::try_from(kind) {
        _ if table.head_len() == 4 => out.extend(kind.to_be_bytes()),
        Ok(kind) => out.push(kind),
        Err(_) => return Err(OptionFault::Length),
    }
    Ok(())
}

/// Appends a length that fits: [`stated_for`] has judged it.
fn push_stated(table: &TlvDesc, stated: usize, out: &mut Vec<u8>) {
    let bytes = (stated as u16).to_be_bytes();
    out.extend(if table.head_len() == 4 { &bytes[..] } else { &bytes[1..] });
}

fn names_of(fields: &[&'static FieldDesc]) -> String {
    fields.iter().map(|field| field.key.to_ascii_uppercase()).collect::<Vec<_>>().join(":")
}

fn write_values(
    size: usize,
    given: &[&'static FieldDesc],
    parts: &[Part<'_>],
    out: &mut Vec<u8>,
    many: &mut Vec<ManyInOption>,
) -> Result<(), OptionFault> {
    let start = out.len();
    out.resize(start + size, 0);
    for (&field, &(at, text)) in given.iter().zip(parts) {
        let fault = |fault| OptionFault::Value { field, text: text.into(), fault };
        let value = match exact(field, &[], text) {
            Err(ValueFault::Generator) if field.kind != Kind::Flags => {
                let generator = Generator::read(field, &[], text).map_err(fault)?;
                let first = generator.first();
                many.push(ManyInOption { at: start, field, generator, part: at..at + text.len() });
                first
            }
            other => other.map_err(fault)?,
        };
        // The fields of an option fill its value: the table does not compile otherwise.
        let _fits = field.write(&mut out[start..], value);
    }
    Ok(())
}

/// Writes an option as a word: `mss=1460`, `sack`, `ts=1:0`; `opt=KIND:HEX` where its own word does not make these bytes.
pub(crate) fn write_word(f: &mut impl Write, table: &'static TlvDesc, area: &[u8], option: &OptionAt) -> fmt::Result {
    let bytes = &area[option.range.clone()];
    if let OptionItem::Cut { desc } = option.item
        && reads_back(table, desc, Some(CUT))
    {
        write!(f, "{}={CUT}", desc.key)?;
        if bytes.len() > option.head / 2 {
            f.write_char(':')?;
            write_hex(f, &bytes[option.head..])?;
        }
        return Ok(());
    }
    if let OptionItem::Known { desc } = option.item
        && let Some(name) = spoken_as(table, desc, &area[option.value()])
    {
        return f.write_str(name.word);
    }
    if let OptionItem::Known { desc } = option.item
        && desc.len == OptionLen::Text
        && let Some(behind) = area[option.value()].get(desc.fixed_len()..)
        && is_mostly_text(behind)
    {
        write!(f, "{}=", desc.key)?;
        for field in desc.fields {
            write_plain(f, field, field.read(&area[option.value()]).unwrap_or(0))?;
            f.write_char(':')?;
        }
        return write_quoted(f, behind);
    }
    if let OptionItem::Known { desc } = option.item {
        let mut word = String::new();
        write_known(&mut word, desc, &area[option.value()])?;
        let mut again = Vec::new();
        let text = word.split_once('=').map(|(_, text)| text);
        if encode(table, desc, text, &mut again).is_ok() && again == bytes && reads_back(table, desc, text) {
            return f.write_str(&word);
        }
    }
    let mut again = Vec::new();
    let value = area.get(option.range.start + option.head..option.range.end).unwrap_or(&[]);
    let kind = number(bytes.get(..option.head / 2).unwrap_or(bytes)) as u16;
    let exact = bytes.len() >= option.head && push_option(table, kind, value, &mut again).is_ok() && again == bytes;
    // A kind that is one byte long is never read with a length.
    let single = table.kind(kind).is_some_and(|desc| matches!(desc.len, OptionLen::Single));
    if exact && !single && !matches!(option.item, OptionItem::Behind | OptionItem::Cut { .. } | OptionItem::Malformed) {
        write!(f, "opt={kind}")?;
        if !value.is_empty() {
            f.write_char(':')?;
            write_hex(f, value)?;
        }
        return Ok(());
    }
    if bytes.iter().all(|&byte| byte == 0) && table.kind(0).is_some_and(|desc| desc.key == "eol") {
        for at in 0..bytes.len() {
            f.write_str(if at == 0 { "eol" } else { " eol" })?;
        }
        return Ok(());
    }
    f.write_str("opts=")?;
    write_hex(f, bytes)
}

/// Whether the word is read as this option and no other that shares its key.
fn reads_back(table: &'static TlvDesc, desc: &'static OptionDesc, text: Option<&str>) -> bool {
    for_word(table, desc.key, text.is_some()).is_some_and(|found| found.kind == desc.kind)
}

/// The option that a word with or without `=` stands for.
pub(crate) fn for_word(table: &'static TlvDesc, key: &str, has_value: bool) -> Option<&'static OptionDesc> {
    let fits = |desc: &OptionDesc| if has_value { !is_bare(desc) } else { is_bare(desc) || may_be_empty(desc) };
    table.kinds.iter().find(|desc| desc.key == key && fits(desc))
}

/// The option and the value that a word says by itself: the kind of a DHCP message, `discover`.
pub(crate) fn spoken(table: &'static TlvDesc, word: &str) -> Option<(&'static OptionDesc, &'static Name)> {
    table.kinds.iter().find_map(|desc| {
        let field = desc.fields.first().filter(|_| is_spoken(table, desc))?;
        Some((desc, field.names.iter().find(|name| name.word == word)?))
    })
}

/// Whether people say the value of an option without its key.
pub(crate) fn is_spoken(table: &TlvDesc, desc: &OptionDesc) -> bool {
    table.closing().is_some() && desc.key == "type" && desc.fields.len() == 1
}

/// The word that says an option with this value, where people say it by itself.
fn spoken_as(table: &'static TlvDesc, desc: &'static OptionDesc, value: &[u8]) -> Option<&'static Name> {
    let field = desc.fields.first().filter(|field| is_spoken(table, desc) && field.end_byte() == value.len())?;
    field.word_for(field.read(value)?)
}

/// Whether an option stands for itself without a value and may have one too: `tfo` asks for the cookie that `tfo=HEX` is.
fn may_be_empty(desc: &OptionDesc) -> bool {
    desc.len == OptionLen::Variable && desc.fields.is_empty()
}

/// Whether an option is written as a bare word: it has no value.
pub(crate) fn is_bare(desc: &OptionDesc) -> bool {
    matches!(desc.len, OptionLen::Single | OptionLen::Value(0))
}

/// Writes an option some of whose values are many.
pub(crate) fn write_many<'g>(
    f: &mut impl Write,
    desc: &'static OptionDesc,
    value: &[u8],
    many: impl Fn(usize, &'static FieldDesc) -> Option<&'g Generator>,
) -> fmt::Result {
    let mut word = String::new();
    write_values_of(&mut word, desc, value, many)?;
    f.write_str(&word)
}

fn write_known(out: &mut String, desc: &'static OptionDesc, value: &[u8]) -> fmt::Result {
    write_values_of(out, desc, value, |_, _| None)
}

/// Writes a value, or what stands for many of it.
fn write_value(out: &mut String, field: &FieldDesc, number: u128, many: Option<&Generator>) -> fmt::Result {
    match many {
        Some(generator) => generator.write(out, field),
        None if field.kind == Kind::Flags => write_letters(out, field, number),
        None => write_plain(out, field, number),
    }
}

fn write_values_of<'g>(
    out: &mut String,
    desc: &'static OptionDesc,
    value: &[u8],
    many: impl Fn(usize, &'static FieldDesc) -> Option<&'g Generator>,
) -> fmt::Result {
    out.push_str(desc.key);
    if is_bare(desc) || (value.is_empty() && may_be_empty(desc)) {
        return Ok(());
    }
    out.push('=');
    let given = desc.given();
    let mut at = 0;
    let mut first = true;
    let size = match desc.len {
        OptionLen::Repeats(size) => size.max(1),
        _ => value.len().max(1),
    };
    loop {
        for field in given.clone() {
            let Some(number) = field.read(&value[at..]) else { return Ok(()) };
            if !core::mem::take(&mut first) {
                out.push(':');
            }
            match many(at, field) {
                None if desc.len == OptionLen::Counted => records::write_value(out, field, number)?,
                generator => write_value(out, field, number, generator)?,
            }
        }
        // An IPv6 address has colons of its own: what stands behind it is told by a comma.
        let mut divider = if given.clone().any(|field| field.kind == Kind::Ipv6) { ',' } else { ':' };
        for (at, field) in desc.rows_in(value).skip(desc.fields.len()) {
            let Some(number) = value.get(at..).and_then(|value| field.read(value)) else { return Ok(()) };
            out.push(core::mem::replace(&mut divider, ':'));
            write_value(out, field, number, many(at, field))?;
        }
        at += size;
        if !matches!(desc.len, OptionLen::Repeats(_)) || at >= value.len() {
            break;
        }
    }
    if desc.len == OptionLen::Counted {
        return records::write_behind(out, desc, value);
    }
    write_listed(out, desc, value.get(desc.fixed_len()..).unwrap_or_default(), first)
}

/// Writes what stands behind the fields of an option: entries, names, or bytes that are neither. `first`: there are no fields.
fn write_listed(out: &mut String, desc: &OptionDesc, listed: &[u8], mut first: bool) -> fmt::Result {
    let unit = desc.entry_len();
    let are_entries = unit > 0 && listed.len().is_multiple_of(unit);
    if matches!(desc.len, OptionLen::Variable)
        && are_entries
        && listed.chunks_exact(unit).all(|entry| desc.is_entry(entry))
    {
        for entry in listed.chunks_exact(unit) {
            for (at, field) in desc.entries.iter().filter(|field| !field.reserved).enumerate() {
                if at > 0 || !core::mem::take(&mut first) {
                    out.push(if at == 0 { ',' } else { ':' });
                }
                write_plain(out, field, field.read(entry).unwrap_or(0))?;
            }
        }
        return Ok(());
    }
    if let OptionLen::Names(unit) = desc.len
        && let Some((names, _)) = listed_names(listed, unit)
        && !(first && names[0].starts_with(NO_NAMES))
    {
        names.iter().for_each(|name| {
            if !core::mem::take(&mut first) {
                out.push(',');
            }
            out.push_str(name);
        });
        return Ok(());
    }
    if matches!(desc.len, OptionLen::Variable | OptionLen::Names(_)) && !listed.is_empty() {
        out.push_str(match desc.len {
            OptionLen::Names(_) if first => NO_NAMES,
            _ if first => "",
            _ => ":",
        });
        write_hex(out, listed)?;
    }
    Ok(())
}
