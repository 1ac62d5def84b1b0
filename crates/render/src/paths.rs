//! All ways to a host: the interfaces of each hop with their flows, and the ways as a whole.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};
use wirewright_hand::trace::{Met, Stage, Ways};

use crate::answer::{answer_kind, duration};
use crate::catalogue::{Catalogue, Lang};
use crate::style::{Ink, Style};
use crate::text::{columns, wrap};
use crate::trace::is_exceeded;

/// Columns in front of what a hop tells.
const INDENT: usize = 4;

/// A hop as lines: an interface each, its time, where its flows come from (where `from_several` may be meant), its flows.
#[must_use]
pub fn stage(stage: &Stage, from_several: bool, style: &Style, words: &Catalogue) -> String {
    let mut lines: Vec<String> = Vec::new();
    for it in &stage.met {
        let number = if lines.is_empty() { format!("{:>2}", stage.ttl) } else { "  ".to_owned() };
        let width = if it.address.is_ipv4() { 15 } else { 24 };
        let line = format!("{number}  {:<width$}  {:<8}", it.address.to_string(), duration(it.rtt));
        // Where all come together it goes without saying behind whom.
        let is_only = stage.met.len() == 1;
        let behind = from_several && !is_only && !it.behind.is_empty();
        let behind = behind.then(|| words.say("trace.behind", &[("addresses", &joined(&it.behind))]));
        let said = (!is_exceeded(&it.kind)).then(|| answer_kind(&it.kind, words));
        let room = style.width.saturating_sub(line.len() + 2);
        let listed = [behind.clone(), Some(flows(it, is_only, words)), said.clone()];
        let mut rest = listed.into_iter().flatten().collect::<Vec<_>>().join("  ");
        if columns(&rest) > room {
            let counted = [behind, Some(flows(it, true, words)), said];
            rest = counted.into_iter().flatten().collect::<Vec<_>>().join("  ");
        }
        if columns(&rest) <= room {
            lines.push(format!("{line}  {rest}"));
            continue;
        }
        lines.push(line.trim_end().to_owned());
        let wrapped = wrap(&rest, style.width.saturating_sub(INDENT));
        lines.extend(wrapped.iter().map(|line| format!("{:INDENT$}{line}", "")));
    }
    if lines.is_empty() {
        lines.push(format!("{:>2}  *  {}", stage.ttl, words.say("trace.count-flows", &[("count", &stage.silent)])));
    }
    for sentence in remarks(stage, words) {
        let wrapped = wrap(&sentence, style.width.saturating_sub(INDENT));
        lines.extend(wrapped.iter().map(|line| format!("{:INDENT$}{}", "", style.paint(Ink::Note, line))));
    }
    lines.join("\n")
}

/// The flows of an interface: their numbers, or how many they are.
fn flows(it: &Met, counts: bool, words: &Catalogue) -> String {
    match counts {
        true => words.say("trace.count-flows", &[("count", &it.flows.len())]),
        false => crate::trace::flows(it.flows.iter().copied(), words),
    }
}

/// What is odd about a hop, in sentences.
fn remarks(stage: &Stage, words: &Catalogue) -> Vec<String> {
    let mut all = Vec::new();
    if stage.by_packet {
        all.push(words.say("trace.by-packet", &[]));
    }
    if stage.silent > 0 && !stage.met.is_empty() {
        all.push(words.say("trace.silent-flows", &[("count", &stage.silent)]));
    }
    if stage.is_open && !stage.met.is_empty() {
        all.push(words.say("trace.open", &[]));
    }
    all
}

fn joined(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The ways as lines: each with a flow that takes it, where they part, where they meet. `port` says a flow's source port.
#[must_use]
pub fn ways(ways: &Ways, port: impl Fn(u16) -> Option<u16>, style: &Style, words: &Catalogue) -> Vec<String> {
    let mut lines = Vec::new();
    if ways.part.is_empty() && ways.by_packet.is_none() {
        return vec![words.say("trace.one-way", &[])];
    }
    if let Some(ttl) = ways.by_packet {
        lines.push(words.say("trace.ways-by-packet", &[("ttl", &ttl)]));
    }
    if ways.all.len() > 1 {
        lines.push(words.say("trace.ways", &[("count", &ways.all.len())]));
        let arrow = if style.unicode { " → " } else { " -> " };
        for way in &ways.all {
            let hops = way.hops.iter().map(|hop| hop.map_or_else(|| "*".to_owned(), |it| it.to_string()));
            let hops = hops.collect::<Vec<_>>().join(arrow);
            let flow = way.flow + 1;
            let said = match port(way.flow) {
                Some(port) => words.say("trace.way-port", &[("flow", &flow), ("port", &port), ("hops", &hops)]),
                None => words.say("trace.way", &[("flow", &flow), ("hops", &hops)]),
            };
            let wrapped = wrap(&said, style.width.saturating_sub(2 * INDENT));
            let indent = |index: usize| if index == 0 { INDENT } else { 2 * INDENT };
            lines.extend(wrapped.iter().enumerate().map(|(at, line)| format!("{:1$}{line}", "", indent(at))));
        }
    }
    let places: Vec<String> = ways.part.iter().map(|(ttl, address)| place(*ttl, *address, words)).collect();
    if !places.is_empty() {
        lines.extend(wrap(&words.say("trace.part", &[("addresses", &places.join(", "))]), style.width));
    }
    if !ways.meet.is_empty() {
        let meet: Vec<IpAddr> = ways.meet.iter().map(|(_, address)| *address).collect();
        lines.extend(wrap(&words.say("trace.meet", &[("addresses", &joined(&meet))]), style.width));
    }
    lines
}

/// Behind whom ways part.
fn place(ttl: u8, address: Option<IpAddr>, words: &Catalogue) -> String {
    match address {
        Some(address) => address.to_string(),
        None if ttl == 0 => words.say("trace.this-host", &[]),
        None => words.say("trace.hop", &[("ttl", &ttl)]),
    }
}

/// A hop as JSON: `{"v":1,"event":"hop","ttl","interfaces":[…],"silent_flows","by_packet","open"}`.
#[must_use]
pub fn stage_json(stage: &Stage) -> Value {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let interface = |it: &Met| {
        json!({"address": it.address.to_string(), "flows": it.flows.iter().map(|flow| flow + 1).collect::<Vec<_>>(),
            "behind": it.behind.iter().map(ToString::to_string).collect::<Vec<_>>(), "rtt_ns": nanos(it.rtt),
            "answer": it.kind.word(), "says": answer_kind(&it.kind, Catalogue::get(Lang::En)), "target": it.is_target})
    };
    json!({"v": 1, "event": "hop", "ttl": stage.ttl, "interfaces": stage.met.iter().map(interface).collect::<Vec<_>>(),
        "silent_flows": stage.silent, "by_packet": stage.by_packet, "open": stage.is_open})
}

/// The ways as JSON: `{"balanced":"flow","ways":[…],"part":[…],"meet":[…]}`.
#[must_use]
pub fn ways_json(ways: &Ways, port: impl Fn(u16) -> Option<u16>) -> Value {
    let text = |address: Option<IpAddr>| address.map(|it| it.to_string());
    let balanced = match ways.by_packet {
        Some(_) => Some("packet"),
        None if ways.part.is_empty() => None,
        None => Some("flow"),
    };
    let all = ways.all.iter().map(|way| {
        json!({"flow": way.flow + 1, "port": port(way.flow), "addresses": way.hops.iter().map(|it| text(*it)).collect::<Vec<_>>()})
    });
    let part = ways.part.iter().map(|(ttl, address)| json!({"ttl": ttl, "address": text(*address)}));
    let meet = ways.meet.iter().map(|(ttl, address)| json!({"ttl": ttl, "address": address.to_string()}));
    json!({"balanced": balanced, "ways": all.collect::<Vec<_>>(), "part": part.collect::<Vec<_>>(),
        "meet": meet.collect::<Vec<_>>()})
}
