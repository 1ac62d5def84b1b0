//! Words for an option whose value decides which fields it has, by what the reference says of it.

use serde_json::Value;

use super::{list, number, text};

/// The longest value of an option of TCP.
const LONGEST: usize = 38;

/// An option with one of its fields set, as its own words, or as `opt=KIND:HEX` where these cannot say it.
pub(super) fn word(option: &Value, key: &str, set: u128, mut written: impl FnMut(u128, &str) -> String) -> String {
    let bytes = with(option, key, set);
    let reserved =
        rows(option, &bytes).iter().any(|row| text(&row.field["key"]) == key && row.field["reserved"] == true);
    // Half of the values in words, half in digits.
    if reserved || !is_whole(option, &bytes) || set & 1 == 1 {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return format!("opt={}:{hex}", number(&option["kind"]));
    }
    let mut word = format!("{}=", text(&option["key"]));
    let rows = rows(option, &bytes);
    let fixed = list(&option["fields"]).count();
    let has_colons = list(&option["fields"]).any(|field| field["kind"] == "ipv6");
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.field["reserved"] != true) {
        if !word.ends_with('=') {
            word.push(if index == fixed && has_colons { ',' } else { ':' });
        }
        word.push_str(&written(row.read(&bytes), &text(&row.field["kind"])));
    }
    word
}

/// A field, and the byte that its offset counts from.
struct Row<'a> {
    at: usize,
    field: &'a Value,
}

impl Row<'_> {
    fn bits(&self) -> std::ops::Range<usize> {
        let first = self.at * 8 + number(&self.field["offset"]);
        first..first + number(&self.field["bits"])
    }

    fn read(&self, bytes: &[u8]) -> u128 {
        self.bits().fold(0, |value, bit| value << 1 | u128::from(bytes[bit / 8] >> (7 - bit % 8) & 1))
    }

    fn write(&self, bytes: &mut [u8], value: u128) {
        for (back, bit) in self.bits().rev().enumerate() {
            let mask = 0x80 >> (bit % 8);
            bytes[bit / 8] = bytes[bit / 8] & !mask | if value >> back & 1 == 1 { mask } else { 0 };
        }
    }
}

/// The bytes of a value with this field: of the right form, or of another one where the field itself says so.
fn with(option: &Value, key: &str, set: u128) -> Vec<u8> {
    let part = list(&option["parts"]).find(|part| text(&part["field"]["key"]) == key);
    let blank = |len: usize| {
        let mut bytes = vec![0; len];
        stamp(&option["begins"], &mut bytes);
        part.inspect(|part| stamp(&part["begins"], &mut bytes));
        bytes
    };
    let written = |len: usize| {
        let mut bytes = blank(len);
        let row = rows(option, &bytes).into_iter().find(|row| text(&row.field["key"]) == key)?;
        (row.bits().end <= len * 8).then(|| row.write(&mut bytes, set))?;
        Some(bytes)
    };
    let whole = (0..=LONGEST).filter_map(written).find(|bytes| is_whole(option, bytes));
    let other = || (0..=LONGEST).filter(|len| is_whole(option, &blank(*len))).find_map(written);
    whole.or_else(other).expect("each field stands in some form of its option")
}

fn rows<'a>(option: &'a Value, bytes: &[u8]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'_>> = list(&option["fields"]).map(|field| Row { at: 0, field }).collect();
    let mut at = rows.iter().map(|row| row.bits().end).max().unwrap_or(0) / 8;
    for part in list(&option["parts"]) {
        let lengths = &part["lengths"];
        let fits = list(lengths).next().is_none() || list(lengths).any(|len| number(len) == bytes.len());
        if fits && holds(&part["begins"], bytes) {
            rows.push(Row { at, field: &part["field"] });
            at += number(&part["field"]["bits"]) / 8;
        }
    }
    rows
}

/// Whether the bytes are a value of this form.
fn is_whole(option: &Value, bytes: &[u8]) -> bool {
    let end = rows(option, bytes).iter().map(|row| row.bits().end).max().unwrap_or(0) / 8;
    let fits = if text(&option["form"]) == "variable" { end <= bytes.len() } else { end == bytes.len() };
    fits && holds(&option["begins"], bytes)
}

fn holds(begins: &Value, bytes: &[u8]) -> bool {
    let byte = |at: usize| usize::from(bytes.get(at).copied().unwrap_or(0));
    begins.is_null() || (byte(0) << 8 | byte(1)) & number(&begins["mask"]) == number(&begins["value"])
}

fn stamp(begins: &Value, bytes: &mut [u8]) {
    for (byte, shift) in bytes.iter_mut().zip([8, 0]) {
        let of = |key: &str| (number(&begins[key]) >> shift & 0xff) as u8;
        *byte = *byte & !of("mask") | of("value");
    }
}
