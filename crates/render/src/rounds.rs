//! The table of a way that is traced round after round.

use std::time::Duration;

use serde_json::{Value, json};
use wirewright_hand::trace::HopTimes;

use crate::answer::duration;
use crate::catalogue::Catalogue;
use crate::text::{clip, columns, pad, pad_left};

/// Columns of a number, and between two columns.
const NUMBER: usize = 7;
const GAP: usize = 2;

/// A column of numbers: its heading's key, and what stands in it.
type Column = (&'static str, fn(&HopTimes) -> String);

/// The columns behind the address, the first ones first where a terminal is narrow.
const COLUMNS: [Column; 6] = [
    ("trace.column.loss", |hop| hop.loss_permille().map_or_else(String::new, percent)),
    ("trace.column.sent", |hop| hop.sent.to_string()),
    ("trace.column.last", |hop| time(hop.last)),
    ("trace.column.mean", |hop| time(hop.mean())),
    ("trace.column.best", |hop| time(hop.best)),
    ("trace.column.worst", |hop| time(hop.worst)),
];

/// The table: its heading, then a line a hop, and one more for each further address of a hop. No line takes more than `width`
/// columns; a narrow one leaves out the last columns first.
#[must_use]
pub fn hop_table(hops: &[HopTimes], width: usize, words: &Catalogue) -> Vec<String> {
    let addresses = hops.iter().flat_map(|hop| &hop.addresses).map(|(address, _)| address.to_string().len());
    let address = addresses.max().unwrap_or(0).max(columns(&words.say("trace.column.address", &[]))).max(15);
    let head = 2 + GAP + address;
    let room = width.saturating_sub(head) / (NUMBER + GAP);
    let shown = &COLUMNS[..room.min(COLUMNS.len())];
    let line = |first: &str, second: &str, numbers: &dyn Fn(&Column) -> String| {
        let mut line = format!("{first:>2}{:GAP$}{}", "", pad(second, address));
        for column in shown {
            line += &format!("{:GAP$}{}", "", pad_left(&numbers(column), NUMBER));
        }
        clip(line.trim_end(), width).to_owned()
    };
    let mut lines = vec![line("", &words.say("trace.column.address", &[]), &|(key, _)| words.say(key, &[]))];
    for hop in hops {
        let first = hop.addresses.first().map_or_else(|| "*".to_owned(), |(address, _)| address.to_string());
        lines.push(line(&hop.ttl.to_string(), &first, &|(_, number)| number(hop)));
        let further = hop.addresses.iter().skip(1);
        lines.extend(further.map(|(address, _)| line("", &address.to_string(), &|_| String::new())));
    }
    lines
}

fn percent(permille: u64) -> String {
    if permille.is_multiple_of(10) {
        format!("{}%", permille / 10)
    } else {
        format!("{}.{}%", permille / 10, permille % 10)
    }
}

fn time(time: Option<Duration>) -> String {
    time.map_or_else(String::new, duration)
}

/// A hop as JSON: `{"v":1,"event":"hop","ttl","sent","answered","lost","loss_percent","rtt_ns":{…},"addresses":[…],"target"}`.
#[must_use]
pub fn hop_times_json(hop: &HopTimes) -> Value {
    let nanos = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let address = |(address, flows): &(std::net::IpAddr, Vec<u16>)| json!({"address": address.to_string(), "flows": flows.iter().map(|flow| flow + 1).collect::<Vec<_>>()});
    json!({"v": 1, "event": "hop", "ttl": hop.ttl, "sent": hop.sent, "answered": hop.answered, "lost": hop.lost(),
        "loss_percent": hop.loss_permille().map(|permille| permille as f64 / 10.0),
        "rtt_ns": {"last": nanos(hop.last), "min": nanos(hop.best), "avg": nanos(hop.mean()), "max": nanos(hop.worst)},
        "addresses": hop.addresses.iter().map(address).collect::<Vec<_>>(), "target": hop.is_target})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Lang;

    fn hops() -> Vec<HopTimes> {
        let time = |micros| Some(Duration::from_micros(micros));
        let first = HopTimes {
            ttl: 1,
            sent: 3,
            answered: 2,
            last: time(20),
            best: time(10),
            worst: time(20),
            addresses: vec![("198.51.100.1".parse().unwrap(), vec![0]), ("198.51.100.2".parse().unwrap(), vec![1])],
            ..HopTimes::default()
        };
        vec![first, HopTimes { ttl: 2, sent: 1, awaited: 1, ..HopTimes::default() }]
    }

    #[test]
    fn a_hop_has_its_numbers_and_a_line_for_each_address() {
        let lines = hop_table(&hops(), 80, Catalogue::get(Lang::En));
        assert_eq!(lines[0], "    address             loss     sent     last      avg     best    worst");
        assert!(lines[1].starts_with(" 1  198.51.100.1       33.3%        3    20 us"), "{}", lines[1]);
        assert_eq!(lines[2], "    198.51.100.2");
        assert_eq!(lines[3], " 2  *                               1");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for lang in Lang::ALL {
            for width in 1..100 {
                let lines = hop_table(&hops(), width, Catalogue::get(lang));
                assert!(lines.iter().all(|line| columns(line) <= width), "{width}: {lines:?}");
            }
        }
    }
}
