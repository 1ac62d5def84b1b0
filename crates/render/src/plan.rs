//! What would happen to a packet: the plan, the fields that the kernel touches, and why a packet is refused.

use serde_json::{Value, json};
use wirewright_hand::{
    Need, NextHop, NextHopBy, Note, Objection, Plan, Reason, Refused, Touch, Transport, ways::Writing,
};

use crate::catalogue::Catalogue;
use crate::style::{Ink, Style};
use crate::text::{columns, escape, pad, push, wrap};
use crate::value::value;

/// A plan as labelled lines: route, next hop, way and why, size, what the kernel will change, what is done first, notes.
/// Ends with a line break.
#[must_use]
pub fn plan(plan: &Plan, style: &Style, words: &Catalogue) -> String {
    let mut rows = vec![("plan.row.route", route(plan, words))];
    rows.extend(plan.next_hop.map(|hop| ("plan.row.next-hop", next_hop(&hop, words))));
    rows.push(("plan.row.way", words.say(&format!("plan.way.{}", plan.way.word()), &[])));
    rows.extend(reasons(plan, words).into_iter().map(|reason| ("", reason)));
    rows.push(("plan.row.size", words.say("plan.size", &[("size", &plan.size), ("mtu", &plan.mtu)])));
    for it in &plan.touches {
        let why = words.say(writing_key(it.writing), &[]);
        rows.push(("plan.row.touches", format!("{}: {why}", change(it, style))));
    }
    rows.extend(plan.needs.iter().map(|it| ("plan.row.before", need(it, words))));
    rows.extend(plan.notes.iter().map(|it| ("plan.row.note", note(it, words))));
    labelled(&rows, style, words)
}

/// Lines with a label in front; a label that repeats the one above is left out.
fn labelled(rows: &[(&str, String)], style: &Style, words: &Catalogue) -> String {
    let labels: Vec<String> =
        rows.iter().map(|(key, _)| if key.is_empty() { String::new() } else { words.say(key, &[]) }).collect();
    let width = labels.iter().map(|label| columns(label)).max().unwrap_or(0);
    let mut out = String::new();
    for (index, (_, text)) in rows.iter().enumerate() {
        let repeated = index > 0 && labels[index] == labels[index - 1];
        let label = if repeated { "" } else { labels[index].as_str() };
        for (line_index, line) in wrap(text, style.width.saturating_sub(width + 2)).iter().enumerate() {
            let label = if line_index == 0 { label } else { "" };
            push(&mut out, format_args!("{}  {line}\n", style.paint(Ink::Dim, &pad(label, width))));
        }
    }
    out
}

fn route(plan: &Plan, words: &Catalogue) -> String {
    let Some(route) = &plan.route else {
        return words.say("plan.route.none", &[("interface", &plan.interface.name)]);
    };
    let source = plan.source.or(route.source).map_or_else(|| "-".to_owned(), |source| source.to_string());
    let key = if route.gateway.is_some() { "plan.route.gateway" } else { "plan.route.direct" };
    let mut values: Vec<(&str, &dyn std::fmt::Display)> =
        vec![("destination", &route.destination), ("interface", &plan.interface.name), ("source", &source)];
    if let Some(gateway) = &route.gateway {
        values.push(("gateway", gateway));
    }
    words.say(key, &values)
}

fn next_hop(hop: &NextHop, words: &Catalogue) -> String {
    let by = words.say(
        match hop.by {
            NextHopBy::OnLink => "plan.next-hop.on-link",
            NextHopBy::Gateway => "plan.next-hop.gateway",
            NextHopBy::Group => "plan.next-hop.group",
            NextHopBy::Broadcast => "plan.next-hop.broadcast",
            NextHopBy::Set => "plan.next-hop.set",
            NextHopBy::Here => "plan.next-hop.here",
        },
        &[],
    );
    let address = hop.address.map(|address| address.to_string());
    let mac = hop.mac.map(|mac| mac.to_string());
    [address, mac, Some(format!("({by})"))].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn reasons(plan: &Plan, words: &Catalogue) -> Vec<String> {
    match &plan.reason {
        Reason::KeepsAll => vec![words.say("plan.reason.keeps-all", &[])],
        Reason::EthernetLayer => vec![words.say("plan.reason.ethernet-layer", &[])],
        Reason::Asked => vec![words.say("plan.reason.asked", &[])],
        Reason::RawWould(objections) => objections
            .iter()
            .map(|it| words.say("plan.reason.raw-would", &[("objection", &objection(it, words))]))
            .collect(),
    }
}

/// A field that somebody else writes, as in a sent line: `id 0→61363 kernel`; `id 0 to 61363 kernel` in ASCII, a `?` for
/// a value that cannot be foretold.
#[must_use]
pub fn touch(it: &Touch, style: &Style) -> String {
    let text = format!("{} {}", change(it, style), it.who.word());
    style.paint(if it.was_set { Ink::Note } else { Ink::Dim }, &text)
}

fn change(it: &Touch, style: &Style) -> String {
    let wire = it.wire.map_or_else(|| "?".to_owned(), |wire| value(it.field, wire));
    let arrow = if style.unicode { "→" } else { " to " };
    format!("{} {}{arrow}{wire}", it.field.key, value(it.field, it.built))
}

const fn writing_key(writing: Writing) -> &'static str {
    match writing {
        Writing::TotalLength => "plan.writes.total-length",
        Writing::HeaderChecksum => "plan.writes.header-checksum",
        Writing::AnyIdentification => "plan.writes.any-identification",
        Writing::RouteSource => "plan.writes.route-source",
    }
}

fn need(it: &Need, words: &Catalogue) -> String {
    match it {
        Need::Resolve(address) => words.say("plan.need.resolve", &[("address", address)]),
        Need::Guard { transport, address, port } => {
            let key = match transport {
                Transport::Tcp => "plan.need.guard.tcp",
                Transport::Udp => "plan.need.guard.udp",
            };
            let end = std::net::SocketAddr::new(*address, *port);
            words.say(key, &[("end", &end)])
        }
    }
}

/// The stable code of a note on a plan.
const fn note_code(note: &Note) -> &'static str {
    match note {
        Note::ForeignSource { .. } => "foreign-source",
        Note::NoSource => "no-source",
        Note::AddressedElsewhere { .. } => "addressed-elsewhere",
        Note::TtlZero => "ttl-zero",
        Note::NeighborFailed { .. } => "neighbor-failed",
        Note::Loopback => "loopback",
        Note::Fragment => "fragment",
        Note::DontFragmentSet => "df-set",
        _ => "other",
    }
}

/// A note on a plan as a sentence.
#[must_use]
pub fn note(it: &Note, words: &Catalogue) -> String {
    let key = format!("plan.note.{}", note_code(it));
    match it {
        Note::ForeignSource { source } => words.say(&key, &[("source", source)]),
        Note::AddressedElsewhere { header, to } => words.say(&key, &[("header", header), ("to", to)]),
        Note::NeighborFailed { address } => words.say(&key, &[("address", address)]),
        _ => words.say(&key, &[]),
    }
}

/// What a way would do to a packet that it may not, as a clause.
#[must_use]
pub fn objection(it: &Objection, words: &Catalogue) -> String {
    let key = format!("objection.{}", it.code());
    match it {
        Objection::Rewrites(touch) => {
            let set = value(touch.field, touch.built);
            let wire = touch.wire.map_or_else(|| "?".to_owned(), |wire| value(touch.field, wire));
            words.say(&key, &[("field", &touch.field.key), ("set", &set), ("wire", &wire)])
        }
        Objection::TooLarge { size, mtu } => words.say(&key, &[("size", size), ("mtu", mtu)]),
        Objection::HeaderShape { claimed, have, need } => {
            words.say(&key, &[("claimed", claimed), ("have", have), ("need", need)])
        }
        Objection::OtherFamily { to } => words.say(&key, &[("to", to)]),
        _ => words.say(&key, &[]),
    }
}

/// Why a packet is not sent: the sentence, and what each way would have done.
#[must_use]
pub fn refused(it: &Refused, words: &Catalogue) -> (String, Vec<String>) {
    let key = format!("refused.{}", it.code());
    let all = |objections: &[Objection]| objections.iter().map(|it| objection(it, words)).collect::<Vec<_>>();
    match it {
        Refused::NoRoute { destination } => (words.say(&key, &[("destination", destination)]), Vec::new()),
        Refused::RouteRefuses { destination, kind } => {
            (words.say(&key, &[("destination", destination), ("kind", &kind.word())]), Vec::new())
        }
        Refused::NoInterface { name } | Refused::InterfaceDown { name } => {
            (words.say(&key, &[("interface", name)]), Vec::new())
        }
        Refused::LoopbackElsewhere { destination } => (words.say(&key, &[("destination", destination)]), Vec::new()),
        Refused::TooLarge { size, mtu, interface } => {
            let cut = size.saturating_sub(*mtu);
            (words.say(&key, &[("size", size), ("mtu", mtu), ("interface", interface), ("cut", &cut)]), Vec::new())
        }
        Refused::WrongFamily { way } => (words.say(&key, &[("way", way)]), Vec::new()),
        Refused::WayWould { way, objections, interface } => {
            (words.say(&key, &[("way", way), ("interface", interface)]), all(objections))
        }
        Refused::NoWay { raw_way, raw, ethernet, interface } => {
            let named = |way: &dyn std::fmt::Display, objections: &[Objection]| {
                all(objections).into_iter().map(|text| format!("{way}: {text}")).collect::<Vec<_>>()
            };
            let mut reasons = named(raw_way, raw);
            reasons.extend(named(&"ethernet", ethernet));
            (words.say(&key, &[("interface", interface)]), reasons)
        }
        _ => (words.say(&key, &[]), Vec::new()),
    }
}

/// A plan as JSON: `{"v":1,"way","reason","destination","source","interface","gateway","next_hop","size","mtu","touches",
/// "needs","notes"}`.
#[must_use]
pub fn plan_json(plan: &Plan) -> Value {
    let reason = match plan.reason {
        Reason::KeepsAll => "keeps-all",
        Reason::EthernetLayer => "ethernet-layer",
        Reason::RawWould(_) => "raw-would",
        Reason::Asked => "asked",
    };
    let text = |it: Option<&dyn std::fmt::Display>| it.map(std::string::ToString::to_string);
    let needs: Vec<_> = plan
        .needs
        .iter()
        .map(|need| match need {
            Need::Resolve(address) => json!({"need": "resolve", "address": address.to_string()}),
            Need::Guard { transport, address, port } => json!({
                "need": "guard", "transport": if *transport == Transport::Tcp { "tcp" } else { "udp" },
                "address": address.to_string(), "port": port,
            }),
        })
        .collect();
    json!({
        "v": 1,
        "way": plan.way.word(),
        "reason": reason,
        "destination": plan.destination.map(|it| it.to_string()),
        "source": plan.source.map(|it| it.to_string()),
        "interface": escape(&plan.interface.name),
        "gateway": plan.route.as_ref().and_then(|route| route.gateway).map(|it| it.to_string()),
        "next_hop": plan.next_hop.map(|hop| json!({
            "address": text(hop.address.as_ref().map(|it| it as &dyn std::fmt::Display)),
            "mac": text(hop.mac.as_ref().map(|it| it as &dyn std::fmt::Display)),
        })),
        "size": plan.size,
        "mtu": plan.mtu,
        "touches": plan.touches.iter().map(touch_json).collect::<Vec<_>>(),
        "needs": needs,
        "notes": plan.notes.iter().map(note_code).collect::<Vec<_>>(),
    })
}

/// A field that somebody else writes, as JSON.
#[must_use]
pub fn touch_json(it: &Touch) -> Value {
    json!({
        "field": it.field.key,
        "built": value(it.field, it.built),
        "wire": it.wire.map(|wire| value(it.field, wire)),
        "was_set": it.was_set,
        "who": it.who.word(),
    })
}
