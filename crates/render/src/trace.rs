//! A hop of a trace: who answers there, how long it takes, and what it tells.

use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};
use wirewright_hand::probes::AnswerKind;
use wirewright_hand::trace::{Heard, Hop, Odd, Rewriting, Told};
use wirewright_hand::{Difference, Quoted};

use crate::answer::{answer_kind, duration};
use crate::catalogue::{Catalogue, Lang};
use crate::style::{Ink, Style};
use crate::text::wrap;
use crate::value::value;

/// Columns in front of what a hop tells.
const INDENT: usize = 4;

/// A hop as lines: an address each with its times, then what the hop tells.
#[must_use]
pub fn hop(told: &Told, style: &Style, words: &Catalogue) -> String {
    let hop = &told.hop;
    let mut lines = Vec::new();
    let addresses = hop.addresses();
    for (index, address) in addresses.iter().enumerate() {
        let heard: Vec<&Heard> = hop.heard.iter().filter(|it| it.from == *address).collect();
        let mut parts: Vec<String> = heard.iter().map(|it| duration(it.rtt)).collect();
        if addresses.len() == 1 {
            parts = (0..probes(hop)).map(|flow| time_of(hop, flow)).collect();
        } else if index == 0 {
            parts.extend((0..hop.silent).map(|_| "*".to_owned()));
        }
        if hop.splits() {
            parts.push(flows(heard.iter().map(|it| it.flow), words));
        }
        let ended = heard.iter().find(|it| it.is_target || !is_exceeded(&it.kind));
        let kind = ended.map_or_else(String::new, |it| format!("  {}", answer_kind(&it.kind, words)));
        let number = if index == 0 { format!("{:>2}", hop.ttl) } else { "  ".to_owned() };
        let width = if address.is_ipv4() { 15 } else { 24 };
        lines.push(format!("{number}  {:<width$}  {}{kind}", address.to_string(), parts.join("  ")));
    }
    if lines.is_empty() {
        lines.push(format!("{:>2}  {}", hop.ttl, vec!["*"; usize::from(hop.silent)].join("  ")));
    }
    for sentence in tells(told, words) {
        let wrapped = wrap(&sentence, style.width.saturating_sub(INDENT));
        lines.extend(wrapped.iter().map(|line| format!("{:INDENT$}{}", "", style.paint(Ink::Note, line))));
    }
    lines.join("\n")
}

/// The numbers of flows, as people count: `flows 1 3`.
pub(crate) fn flows(numbers: impl Iterator<Item = u16>, words: &Catalogue) -> String {
    let numbers: Vec<String> = numbers.map(|flow| (flow + 1).to_string()).collect();
    let key = if numbers.len() == 1 { "trace.flow" } else { "trace.flows" };
    words.say(key, &[("flows", &numbers.join(" "))])
}

/// Probes of a hop that have come to an end.
fn probes(hop: &Hop) -> u16 {
    u16::try_from(hop.heard.len()).unwrap_or(u16::MAX) + u16::from(hop.silent)
}

/// The time of a flow's probe: a column for each.
fn time_of(hop: &Hop, flow: u16) -> String {
    hop.heard.iter().find(|it| it.flow == flow).map_or_else(|| "*".to_owned(), |it| duration(it.rtt))
}

pub(crate) fn is_exceeded(kind: &AnswerKind) -> bool {
    matches!(kind, AnswerKind::IcmpError(error) if error.kind == if error.v6 { 3 } else { 11 })
}

/// What a hop tells, in sentences.
fn tells(told: &Told, words: &Catalogue) -> Vec<String> {
    let mut all = Vec::new();
    if told.hop.splits() {
        all.push(words.say("trace.splits", &[("count", &told.hop.addresses().len())]));
    }
    for it in &told.rewritings {
        let (field, sent, seen) = values(&it.difference);
        let between = between(it.behind, it.before, words);
        let given: [(&str, &dyn Display); 4] =
            [("between", &between), ("field", &field), ("sent", &sent), ("seen", &seen)];
        all.push(words.say("trace.rewritten", &given));
    }
    for it in &told.odd {
        all.push(match *it {
            Odd::QuotedTtl { seen, behind, before } => {
                words.say("trace.quoted-ttl", &[("between", &between(behind, before, words)), ("seen", &seen)])
            }
            Odd::SameRouter { router, ttl } => words.say("trace.same-router", &[("router", &router), ("ttl", &ttl)]),
            Odd::ShortWay { back, out } => words.say("trace.short-way", &[("back", &back), ("out", &out)]),
        });
    }
    all
}

/// The name of a field that was rewritten, and its values as they left and as they were quoted.
fn values(difference: &Difference) -> (String, String, String) {
    let text = |number| value(difference.field, number);
    (format!("{}.{}", difference.layer, difference.name()), text(difference.sent), text(difference.seen))
}

/// What was rewritten on the way, one behind the other: `tcp.mss 1460→1380 · ip.tos 0x28→0x00`; empty: nothing.
#[must_use]
pub fn rewritten(quoted: &Quoted, style: &Style) -> String {
    let arrow = if style.unicode { "→" } else { " to " };
    let parts = quoted.differences.iter().map(|it| {
        let (field, sent, seen) = values(it);
        format!("{field} {sent}{arrow}{seen}")
    });
    parts.collect::<Vec<_>>().join(style.dot())
}

/// The same as JSON: `[{"field","sent","seen"}]`.
#[must_use]
pub fn rewritten_json(quoted: &Quoted) -> Value {
    let part = |it: &Difference| {
        let (field, sent, seen) = values(it);
        json!({"field": field, "sent": sent, "seen": seen})
    };
    quoted.differences.iter().map(part).collect()
}

fn between(behind: Option<(u8, IpAddr)>, before: IpAddr, words: &Catalogue) -> String {
    match behind {
        Some((_, behind)) => words.say("trace.between", &[("behind", &behind), ("before", &before)]),
        None => words.say("trace.before", &[("before", &before)]),
    }
}

/// The same as JSON: `{"v":1,"event":"hop","ttl","answers":[…],"silent","splits","rewritten":[…],"odd":[…]}`.
#[must_use]
pub fn hop_json(told: &Told) -> Value {
    let hop = &told.hop;
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let answer = |it: &Heard| {
        json!({"flow": it.flow + 1, "from": it.from.to_string(), "answer": it.kind.word(), "says": answer_kind(&it.kind, Catalogue::get(Lang::En)), "rtt_ns": nanos(it.rtt), "ttl": it.ttl,
            "target": it.is_target, "quoted_ttl": it.quoted.as_ref().and_then(|quoted| quoted.ttl)})
    };
    let place =
        |behind: Option<(u8, IpAddr)>| behind.map(|(ttl, address)| json!({"ttl": ttl, "address": address.to_string()}));
    let rewriting = |it: &Rewriting| {
        let (field, sent, seen) = values(&it.difference);
        json!({"field": field, "sent": sent, "seen": seen, "behind": place(it.behind), "before": it.before.to_string()})
    };
    let odd = |it: &Odd| match *it {
        Odd::QuotedTtl { seen, behind, before } => {
            json!({"code": "quoted-ttl", "seen": seen, "behind": place(behind), "before": before.to_string()})
        }
        Odd::SameRouter { router, ttl } => json!({"code": "same-router", "router": router.to_string(), "ttl": ttl}),
        Odd::ShortWay { back, out } => json!({"code": "short-way", "back": back, "out": out}),
    };
    json!({
        "v": 1, "event": "hop", "ttl": hop.ttl, "silent": hop.silent, "splits": hop.splits(), "target": hop.is_target(),
        "answers": hop.heard.iter().map(answer).collect::<Vec<_>>(),
        "rewritten": told.rewritings.iter().map(rewriting).collect::<Vec<_>>(),
        "odd": told.odd.iter().map(odd).collect::<Vec<_>>(),
    })
}
