//! Numbers with a unit, as people write them on the command line: times, parts of a hundred, rates.
//!
//! What is printed here is read back to the same value.

use std::time::Duration;

use hand::Speed;
use sim::Chance;
use units::Rate;

/// A duration with its unit: `250ms`, `1.5s`, `2m`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = divide(text)?;
    let scale: f64 = match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let value: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(value * scale).ok()
}

/// A whole number as in the packet language: `1500`, `10k`, `4Ki`, `1_000`.
pub(crate) fn amount(text: &str) -> Option<u64> {
    const SCALES: [(&str, u64); 5] =
        [("Ki", 1 << 10), ("Mi", 1 << 20), ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000)];
    let scaled = SCALES.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, *scale)));
    let (number, scale) = scaled.unwrap_or((text, 1));
    let digits = number.replace('_', "");
    let plain = number.starts_with(|first: char| first.is_ascii_digit()) && digits.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if !plain || leading_zero { None } else { digits.parse::<u64>().ok()?.checked_mul(scale) }
}

/// Digits behind the point of a speed, which is millionths.
const SPEED_DIGITS: usize = 6;

/// How many times as fast: `2`, `0.5`, `1.25`.
pub(crate) fn speed(text: &str) -> Option<Speed> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > SPEED_DIGITS {
        return None;
    }
    Speed::new(format!("{whole}{part:0<SPEED_DIGITS$}").parse().ok()?)
}

/// The shortest way to write a duration with its unit.
pub(crate) fn duration_word(time: Duration) -> String {
    let nanos = time.as_nanos();
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)];
    match units.iter().find(|(_, scale)| nanos.is_multiple_of(*scale)) {
        Some((unit, scale)) => format!("{}{unit}", nanos / scale),
        None => format!("{nanos}ns"),
    }
}

/// Digits behind the point of a percentage: a [`Chance`] is parts in a million.
const PERCENT_DIGITS: usize = 4;

/// A chance in percent, with its sign: `1%`, `0.05%`. Nothing finer than a part in a million.
pub(crate) fn chance(text: &str) -> Option<Chance> {
    let number = text.strip_suffix('%')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > PERCENT_DIGITS {
        return None;
    }
    let parts: u32 = format!("{whole}{part:0<PERCENT_DIGITS$}").parse().ok()?;
    (parts <= Chance::ALWAYS.per_million()).then(|| Chance::clamped_per_million(parts))
}

/// A chance as [`chance`] reads it.
pub(crate) fn chance_word(chance: Chance) -> String {
    let (whole, part) = (chance.per_million() / 10_000, chance.per_million() % 10_000);
    let text = format!("{whole}.{part:0PERCENT_DIGITS$}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Bits a second with a decimal unit: `64k`, `10M`, `1.5G`; `bit` or `bit/s` may stand behind it.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    let (number, unit) = divide(text)?;
    let unit = unit.strip_suffix("/s").unwrap_or(unit);
    let scale: f64 = match unit.strip_suffix("bit").unwrap_or(unit) {
        "" if unit == "bit" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        _ => return None,
    };
    let bits = number.parse::<f64>().ok()? * scale;
    // The highest is far above what any wire of this machine does, and exact as a float.
    (1.0..=1e12).contains(&bits).then(|| Rate::from_bits_per_second(bits.round() as u64))
}

/// A rate as [`rate`] reads it.
pub(crate) fn rate_word(rate: Rate) -> String {
    let bits = rate.bits_per_second();
    let units = [("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000)];
    match units.iter().find(|(_, scale)| bits.is_multiple_of(*scale)) {
        Some((unit, scale)) => format!("{}{unit}", bits / scale),
        None => format!("{bits}bit"),
    }
}

/// A number without sign or exponent, and what stands behind it.
fn divide(text: &str) -> Option<(&str, &str)> {
    let split = text.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    Some(text.split_at(split))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        for wrong in ["", "1", "s", "1x", "-1s", "1e9s", "1..2s", "99999999999999999999999h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn chances_are_percent_up_to_a_part_in_a_million() {
        assert_eq!(chance("1%"), Some(Chance::percent(1)));
        assert_eq!(chance("0.0001%"), Some(Chance::clamped_per_million(1)));
        assert_eq!(chance("100%"), Some(Chance::ALWAYS));
        assert_eq!(chance("12.5%"), Some(Chance::clamped_per_million(125_000)));
        for wrong in ["", "%", "1", "1.%", ".5%", "100.0001%", "0.00001%", "-1%", "1e1%", "99999999999%", "1%%"] {
            assert_eq!(chance(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn amounts_are_those_of_the_packet_language() {
        for (text, value) in
            [("0", 0), ("1500", 1500), ("10k", 10_000), ("4Ki", 4096), ("2M", 2_000_000), ("1_000", 1000)]
        {
            assert_eq!(amount(text), Some(value), "{text}");
        }
        for wrong in ["", "k", "-1", "1.5k", "1m", "10kk", "_1", "010", "99999999999999999999", "99999999999G", "1 k"] {
            assert_eq!(amount(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rates_are_bits_a_second() {
        assert_eq!(rate("10M"), Some(Rate::from_bits_per_second(10_000_000)));
        assert_eq!(rate("1.5Mbit/s"), Some(Rate::from_bits_per_second(1_500_000)));
        assert_eq!(rate("300bit"), Some(Rate::from_bits_per_second(300)));
        for wrong in ["", "10", "M", "10m", "0M", "10MB", "-1M", "1e3M", "9999G", "10M/h", "10/s"] {
            assert_eq!(rate(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn speeds_are_times_the_captured_one() {
        assert_eq!(speed("1"), Some(Speed::ONE));
        assert_eq!((speed("2"), speed("0.5")), (Speed::new(2_000_000), Speed::new(500_000)));
        assert_eq!((speed("0.000001"), speed("1000000")), (Speed::new(1), Some(Speed::MAX)));
        for wrong in ["", "0", "0.0", "-1", "x2", "2x", ".5", "1.", "0.0000001", "1000001", "99999999999999999999"] {
            assert_eq!(speed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for time in [0, 1, 999, 1000, 1_500_000, 250_000_000, 61_000_000_000].map(Duration::from_nanos) {
            assert_eq!(duration(&duration_word(time)), Some(time), "{time:?}");
        }
        for parts in [0, 1, 10, 500, 10_000, 12_345, 125_000, 999_999, 1_000_000].map(Chance::clamped_per_million) {
            assert_eq!(chance(&chance_word(parts)), Some(parts));
        }
        for bits in [1, 64_000, 1_500_000, 10_000_000, 2_000_000_001].map(Rate::from_bits_per_second) {
            assert_eq!(rate(&rate_word(bits)), Some(bits));
        }
        assert_eq!(
            (chance_word(Chance::clamped_per_million(500)), duration_word(Duration::ZERO)),
            ("0.05%".into(), "0s".into())
        );
    }
}
