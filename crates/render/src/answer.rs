//! What came back: an answer in a line, what it means in a sentence, and as JSON.

use std::fmt::Display;
use std::time::Duration;

use serde_json::{Value, json};
use wirewright_hand::probes::{Answer, AnswerKind, IcmpError, Order, Rewritten};
use wirewright_inspect::wire::{HeaderDesc, icmpv4, icmpv6};

use crate::catalogue::Catalogue;
use crate::style::{Ink, Style};

/// An answer in a line: what it says, from whom, how long it took, and what is odd about it.
#[must_use]
pub fn answer(it: &Answer, style: &Style, words: &Catalogue) -> String {
    let mut parts = vec![style.paint(ink(&it.kind), &answer_kind(&it.kind, words))];
    if let Some(from) = it.from {
        parts.push(words.say("answer.from", &[("address", &from)]));
    }
    parts.push(words.say("answer.after", &[("time", &duration(it.rtt))]));
    let order = match it.order {
        Order::First => None,
        Order::Another => Some("answer.order.another"),
        Order::Duplicate => Some("answer.order.duplicate"),
        Order::Late => Some("answer.order.late"),
    };
    parts.extend(order.map(|key| style.paint(Ink::Note, &words.say(key, &[]))));
    if !it.rewritten.is_empty() {
        let fields: Vec<_> = it.rewritten.iter().map(|field| rewritten(*field)).collect();
        parts.push(style.paint(Ink::Note, &words.say("answer.rewritten", &[("fields", &fields.join(" "))])));
    }
    parts.join(" ")
}

/// What an answer means, in a sentence.
#[must_use]
pub fn answer_meaning(kind: &AnswerKind, words: &Catalogue) -> String {
    match kind {
        AnswerKind::IcmpError(error) => {
            let (kind, code) = icmp_words(error);
            let known = format!("answer.{}.{kind}.{code}", family(error));
            if words.sentence(&known).is_some() {
                return words.say(&known, &[]);
            }
            let by_type = format!("answer.{}.{kind}", family(error));
            if words.sentence(&by_type).is_some() {
                words.say(&by_type, &[])
            } else {
                words.say("answer.icmp-error", &[])
            }
        }
        other => words.say(&format!("answer.{}", other.word()), &[]),
    }
}

const fn family(error: &IcmpError) -> &'static str {
    if error.v6 { "icmp6" } else { "icmp" }
}

/// The words of an error's type and code; their numbers where they have none.
fn icmp_words(error: &IcmpError) -> (String, String) {
    let desc: &HeaderDesc = if error.v6 { &icmpv6::DESC } else { &icmpv4::DESC };
    let kind = desc.selector().and_then(|field| field.word_for(u128::from(error.kind)));
    let codes = desc.variant_for(u128::from(error.kind)).map_or(&[][..], |variant| variant.codes);
    let code = codes.iter().find(|name| name.value == u64::from(error.code));
    let text = |name: Option<&'static wirewright_inspect::wire::Name>, number: u8| {
        name.map_or_else(|| number.to_string(), |name| name.word.to_owned())
    };
    (text(kind, error.kind), text(code, error.code))
}

/// What an answer says, in few words.
#[must_use]
pub fn answer_kind(kind: &AnswerKind, words: &Catalogue) -> String {
    let is_at = |address: &dyn Display, mac: &dyn Display| {
        words.say("answer.line.is-at", &[("address", address), ("mac", mac)])
    };
    match kind {
        AnswerKind::SynAck { seq, ack } => format!("SA seq={seq} ack={ack}"),
        AnswerKind::Rst { flags } => flags.to_string(),
        AnswerKind::ChallengeAck { seq, ack } => format!("A seq={seq} ack={ack}"),
        AnswerKind::Segment { flags, seq, ack, data, .. } => format!("{flags} seq={seq} ack={ack} {data} B"),
        AnswerKind::UdpReply { data } => format!("udp {data} B"),
        AnswerKind::EchoReply { id, seq, data } => format!("echo reply id={id} seq={seq} {data} B"),
        AnswerKind::IcmpReply { kind, code } => format!("icmp type={kind} code={code}"),
        AnswerKind::IcmpError(error) => {
            let (kind, code) = icmp_words(error);
            let mtu = if error.mtu > 0 { format!(" mtu={}", error.mtu) } else { String::new() };
            format!("{} {kind} {code}{mtu}", family(error))
        }
        AnswerKind::ArpReply { address, mac } => format!("arp {}", is_at(address, mac)),
        AnswerKind::NdpAdvert { address, mac: Some(mac) } => is_at(address, mac),
        AnswerKind::NdpAdvert { address, mac: None } => words.say("answer.line.is-there", &[("address", address)]),
        AnswerKind::Other { protocol } => format!("protocol {protocol}"),
        _ => kind.word().to_owned(),
    }
}

const fn ink(kind: &AnswerKind) -> Ink {
    match kind {
        AnswerKind::Rst { .. } | AnswerKind::IcmpError(_) => Ink::Bad,
        AnswerKind::ChallengeAck { .. } | AnswerKind::Other { .. } => Ink::Note,
        _ => Ink::Good,
    }
}

const fn rewritten(field: Rewritten) -> &'static str {
    match field {
        Rewritten::Source => "src",
        Rewritten::Destination => "dst",
        Rewritten::SourcePort => "sport",
        Rewritten::DestinationPort => "dport",
        Rewritten::Identification => "id",
        Rewritten::Sequence => "seq",
    }
}

/// A time as people read it, with three digits: `84 us`, `0.312 ms`, `12.3 ms`, `1.02 s`.
#[must_use]
pub fn duration(time: Duration) -> String {
    let nanos = time.as_nanos();
    let digits = |unit: u128| {
        let whole = nanos / unit;
        let decimals = match whole {
            0..10 => 2,
            10..100 => 1,
            _ => 0,
        };
        format!("{:.decimals$}", nanos as f64 / unit as f64)
    };
    match nanos {
        0..10_000 => format!("{} us", digits(1_000)),
        10_000..1_000_000 => format!("{} us", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", digits(1_000_000)),
        _ => format!("{} s", digits(1_000_000_000)),
    }
}

/// An answer as JSON: `{"v":1,"answer","from","rtt_ns","order","rewritten",…}` with what its kind has besides.
#[must_use]
pub fn answer_json(it: &Answer) -> Value {
    let order = match it.order {
        Order::First => "first",
        Order::Another => "another",
        Order::Duplicate => "duplicate",
        Order::Late => "late",
    };
    let mut json = json!({
        "v": 1,
        "answer": it.kind.word(),
        "from": it.from.map(|from| from.to_string()),
        "rtt_ns": u64::try_from(it.rtt.as_nanos()).unwrap_or(u64::MAX),
        "order": order,
        "rewritten": it.rewritten.iter().map(|field| rewritten(*field)).collect::<Vec<_>>(),
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut json, details(&it.kind)) {
        all.extend(more);
    }
    json
}

fn details(kind: &AnswerKind) -> Value {
    match kind {
        AnswerKind::SynAck { seq, ack } => json!({"flags": "SA", "seq": seq, "ack": ack}),
        AnswerKind::Rst { flags } => json!({"flags": flags.to_string()}),
        AnswerKind::ChallengeAck { seq, ack } => json!({"flags": "A", "seq": seq, "ack": ack}),
        AnswerKind::Segment { flags, seq, ack, acknowledges, data } => {
            json!({"flags": flags.to_string(), "seq": seq, "ack": ack, "acknowledges": acknowledges, "data": data})
        }
        AnswerKind::UdpReply { data } => json!({"data": data}),
        AnswerKind::EchoReply { id, seq, data } => json!({"id": id, "seq": seq, "data": data}),
        AnswerKind::IcmpReply { kind, code } => json!({"type": kind, "code": code}),
        AnswerKind::IcmpError(error) => {
            let (kind, code) = icmp_words(error);
            json!({
                "layer": family(error), "type": error.kind, "code": error.code, "mtu": error.mtu,
                "type_word": kind, "code_word": code,
            })
        }
        AnswerKind::ArpReply { address, mac } => json!({"address": address.to_string(), "mac": mac.to_string()}),
        AnswerKind::NdpAdvert { address, mac } => {
            json!({"address": address.to_string(), "mac": mac.map(|mac| mac.to_string())})
        }
        AnswerKind::Other { protocol } => json!({"protocol": protocol}),
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let said = |nanos: u64| duration(Duration::from_nanos(nanos));
        assert_eq!([said(950), said(84_321), said(312_345), said(999_999)], ["0.95 us", "84 us", "312 us", "999 us"]);
        assert_eq!([said(1_234_567), said(12_345_678), said(123_456_789)], ["1.23 ms", "12.3 ms", "123 ms"]);
        assert_eq!(said(1_020_000_000), "1.02 s");
    }
}
