//! Values as people write them: numbers, their names, addresses; what is relative, and what is wrong on purpose.

use alloc::string::String;
use core::fmt::{self, Write};
use core::net::{Ipv4Addr, Ipv6Addr};

use wirewright_wire::{Auto, FieldDesc, Kind, MacAddr, Name};

use crate::packet::{Setting, Wrong};
use crate::read::is_computed;

/// Why a text is no value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ValueFault {
    /// Nothing stands there.
    Empty,
    /// A number with a leading zero: in some languages octal, in others not.
    LeadingZero,
    /// Neither a number nor a name of this field.
    NotANumber,
    /// The largest that fits.
    TooLarge(u128),
    /// No Ethernet address.
    NotAMac,
    /// No IPv4 address: four plain decimal parts.
    NotIpv4,
    /// No IPv6 address.
    NotIpv6,
    /// `+N` or `-N` for a field that has no right value to count from.
    NotRelative,
    /// A word that stands for many values, where one is wanted.
    Generator,
    /// A range that ends before it begins.
    Backwards,
    /// A range without an end, or a list without a value.
    OpenRange,
    /// A prefix with more bits than an address has.
    PrefixLong(u32),
    /// More values in a list than it may have.
    ListTooLong,
    /// `rand:` without a range or a prefix.
    RandForm,
    /// `inc:` without start or step.
    IncForm,
    /// No letters of flags.
    NotFlags(String),
    /// One of the words joined by `+` is no mistake of checksums.
    NotAMistake(String),
}

/// Reads a number: decimal, `0x`, `0b`; `_` between digits; `k M G` thousands, `Ki Mi Gi` 1024s behind a decimal.
pub(crate) fn number(text: &str) -> Result<u128, ValueFault> {
    if text.is_empty() {
        return Err(ValueFault::Empty);
    }
    let (digits, base) = match text.get(..2) {
        Some("0x" | "0X") => (&text[2..], 16),
        Some("0b" | "0B") => (&text[2..], 2),
        _ => (text, 10),
    };
    let (digits, unit) = if base == 10 { split_unit(digits) } else { (digits, 1) };
    if base == 10 && digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ValueFault::LeadingZero);
    }
    let between = !digits.starts_with('_') && !digits.ends_with('_') && !digits.is_empty();
    if !between {
        return Err(ValueFault::NotANumber);
    }
    let mut value: u128 = 0;
    for c in digits.chars().filter(|&c| c != '_') {
        let digit = c.to_digit(base).ok_or(ValueFault::NotANumber)?;
        value = value
            .checked_mul(base.into())
            .and_then(|value| value.checked_add(digit.into()))
            .ok_or(ValueFault::TooLarge(u128::MAX))?;
    }
    value.checked_mul(unit).ok_or(ValueFault::TooLarge(u128::MAX))
}

fn split_unit(text: &str) -> (&str, u128) {
    const UNITS: [(&str, u128); 6] =
        [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];
    UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor))).unwrap_or((text, 1))
}

/// Whether a word stands for many values: a range, a list, a prefix, `rand`, `inc:`.
pub(crate) fn is_generator(text: &str) -> bool {
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit() || b".:x_".contains(&b));
    if text == "rand" || text.starts_with("rand:") || text.starts_with("inc:") {
        return true;
    }
    if !text.contains(',')
        && let Some((low, high)) = text.split_once("..")
    {
        return (numeric(low) && (numeric(high) || high.is_empty())) || (numeric(high) && low.is_empty());
    }
    if text.contains(',') {
        // Ports or addresses; `192.0.2.2,80` is neither.
        let ends = || text.split(',').flat_map(|part| part.split("..")).filter(|end| !end.is_empty());
        let alike = |dotted: bool| ends().all(|end| numeric(end) && end.contains(['.', ':']) == dotted);
        return ends().next().is_some() && (alike(true) || alike(false));
    }
    text.split_once('/').is_some_and(|(address, len)| {
        let is_address = ipv4(address).is_some() || address.parse::<Ipv6Addr>().is_ok();
        is_address && !len.is_empty() && len.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Reads an IPv4 address: four plain decimal parts and nothing else.
pub(crate) fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut bytes = [0; 4];
    let mut parts = text.split('.');
    for byte in &mut bytes {
        let part = parts.next()?;
        let plain = part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty() && part.len() <= 3;
        if !plain || (part.len() > 1 && part.starts_with('0')) {
            return None;
        }
        *byte = part.parse().ok()?;
    }
    parts.next().is_none().then_some(Ipv4Addr::from(bytes))
}

/// Reads one value of a field. `names` are further words for it, beside its own.
pub(crate) fn exact(field: &FieldDesc, names: &[Name], text: &str) -> Result<u128, ValueFault> {
    if text.is_empty() {
        return Err(ValueFault::Empty);
    }
    if is_generator(text) && !(field.kind == Kind::Ipv6 && text.parse::<Ipv6Addr>().is_ok()) {
        return Err(ValueFault::Generator);
    }
    one(field, names, text)
}

/// Reads one value of a field of a text that is no generator, or a part of one.
pub(crate) fn one(field: &FieldDesc, names: &[Name], text: &str) -> Result<u128, ValueFault> {
    match field.kind {
        Kind::Mac => MacAddr::parse(text).map(|mac| mac.to_u64().into()).ok_or(ValueFault::NotAMac),
        Kind::Ipv4 => ipv4(text).map(|address| address.to_bits().into()).ok_or(ValueFault::NotIpv4),
        Kind::Ipv6 => text.parse::<Ipv6Addr>().map(Ipv6Addr::to_bits).map_err(|_| ValueFault::NotIpv6),
        Kind::Flags => match flags(field, text) {
            Some(value) => Ok(value),
            None => {
                let letters = || ValueFault::NotFlags(field.names.iter().map(|name| name.word).collect());
                fitting(field, number(text).map_err(|_| letters())?)
            }
        },
        _ => {
            let named = names.iter().find(|name| name.word == text).map(|name| u128::from(name.value));
            match field.value_of(text).or(named) {
                Some(value) => Ok(value),
                None => fitting(field, number(text)?),
            }
        }
    }
}

fn fitting(field: &FieldDesc, value: u128) -> Result<u128, ValueFault> {
    if value > field.max() { Err(ValueFault::TooLarge(field.max())) } else { Ok(value) }
}

/// Reads what may be written about a field: a value, `+N`, `-N`, mistakes of a checksum.
pub(crate) fn setting(field: &FieldDesc, names: &[Name], text: &str) -> Result<Setting, ValueFault> {
    if let Some(digits) = text.strip_prefix(['+', '-']) {
        if !is_computed(field) {
            return Err(ValueFault::NotRelative);
        }
        let size = i64::try_from(fitting(field, number(digits)?)?).map_err(|_| ValueFault::TooLarge(field.max()))?;
        return Ok(Setting::Relative(if text.starts_with('-') { -size } else { size }));
    }
    if matches!(field.auto, Auto::Checksum(_)) && text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return mistakes(text).map(Setting::Wrong);
    }
    exact(field, names, text).map(Setting::Exactly)
}

fn mistakes(text: &str) -> Result<Wrong, ValueFault> {
    text.split('+').try_fold(Wrong::default(), |all, word| match Wrong::from_word(word) {
        Some(wrong) => Ok(all | wrong),
        None => Err(ValueFault::NotAMistake(word.into())),
    })
}

/// Reads flags: letters, each once (`S`, `PA`, `.` for A), long names (`SYN,ACK`), or `none`.
pub(crate) fn flags(field: &FieldDesc, text: &str) -> Option<u128> {
    if text == "none" {
        return Some(0);
    }
    // Letters come first: `AE` alone is A and E, the accurate-ECN bit is `e` (or `AE` in a list of long names).
    let letters = text.chars().try_fold(0, |all, letter| {
        add_flag(field, all, |name| if letter == '.' { name.word == "A" } else { is_letter(name, letter) })
    });
    let long = || text.split(',').try_fold(0, |all, word| add_flag(field, all, |name| name.title == word));
    letters.filter(|_| !text.is_empty()).or_else(long)
}

fn is_letter(name: &Name, letter: char) -> bool {
    let mut letters = name.word.chars();
    letters.next() == Some(letter) && letters.next().is_none()
}

fn add_flag(field: &FieldDesc, all: u128, is: impl Fn(&Name) -> bool) -> Option<u128> {
    let bit = u128::from(field.names.iter().find(|name| is(name))?.value);
    (all & bit == 0).then_some(all | bit)
}

/// Writes a value so that [`exact`] reads it back: addresses and numbers, never names.
pub(crate) fn write_plain(out: &mut impl Write, field: &FieldDesc, value: u128) -> fmt::Result {
    match field.kind {
        Kind::Mac => write!(out, "{}", MacAddr::from_u64(value as u64)),
        Kind::Ipv4 => write!(out, "{}", Ipv4Addr::from_bits(value as u32)),
        Kind::Ipv6 => write!(out, "{}", Ipv6Addr::from_bits(value)),
        Kind::Hex => write!(out, "0x{value:0width$x}", width = field.bits.div_ceil(4)),
        _ => write!(out, "{value}"),
    }
}

/// Writes flags of an option as letters, the first bit first: `MA`; `none` for none.
pub(crate) fn write_letters(out: &mut impl Write, field: &FieldDesc, value: u128) -> fmt::Result {
    let set = |name: &&Name| u128::from(name.value) & value != 0;
    match value {
        0 => out.write_str("none"),
        _ => field.names.iter().rev().filter(set).try_for_each(|name| out.write_str(name.word)),
    }
}

/// Writes flags as letters, in the order in which people say them; `none` for none.
pub(crate) fn write_flags(out: &mut impl Write, field: &FieldDesc, value: u128) -> fmt::Result {
    /// `SA`, `FA`, `PA`, `RA`: what the segment does stands before the A.
    const ORDER: &str = "FSRPAUEWe";
    if value == 0 {
        return out.write_str("none");
    }
    for letter in ORDER.chars() {
        let set = field.names.iter().any(|name| is_letter(name, letter) && u128::from(name.value) & value != 0);
        if set {
            out.write_char(letter)?;
        }
    }
    Ok(())
}
