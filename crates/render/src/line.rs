//! A frame in one line: who to whom, what, and what is wrong.

use wirewright_inspect::Dissection;
use wirewright_inspect::dissect::{Field, Layer, OptionField, OptionKind, Section};
use wirewright_inspect::wire::{Auto, Kind, OptionDesc, OptionLen};

use crate::style::{Ink, Style};
use crate::text::{columns, escape_bytes, push};
use crate::value::{text, value, value_in};

/// How many bytes of a payload a line shows.
const PREVIEW_BYTES: usize = 24;

/// A frame in one line: addresses and ports, layers with the values that tell packets apart, the payload's size and
/// beginning, and everything that is wrong. It is not cut to the width.
#[must_use]
pub fn line(frame: &Dissection<'_>, style: &Style) -> String {
    let mut parts = Vec::new();
    parts.extend(ends(frame, style));
    for layer in frame.layers.iter().filter(|layer| !layer.quoted) {
        parts.extend(layer_words(frame.bytes, layer, style));
    }
    parts.extend(quoted(frame, style));
    parts.extend(payload(frame));
    if !frame.trailer.is_empty() {
        parts.push(format!("+{} B behind", frame.trailer.len()));
    }
    parts.extend(faults(frame, style));
    if parts.is_empty() { "empty".to_owned() } else { parts.join(" ") }
}

/// Who to whom, of the innermost layer that has addresses.
fn ends(frame: &Dissection<'_>, style: &Style) -> Option<String> {
    let own = |layer: &&Layer| !layer.quoted;
    let addressed = frame.layers.iter().filter(own).rfind(|layer| matches!(layer.desc.key, "ip" | "ip6" | "eth"))?;
    let port = frame.layers.iter().filter(own).rfind(|layer| matches!(layer.desc.key, "tcp" | "udp"));
    let end = |address: &str, port_key: &str| {
        let address = addressed.field(address)?;
        let text = value(address.desc, address.value);
        Some(match port.and_then(|layer| layer.value(port_key)) {
            Some(port) if address.desc.kind == Kind::Ipv6 => format!("{text} :{port}"),
            Some(port) => format!("{text}:{port}"),
            None => text,
        })
    };
    Some(format!("{} {} {}", end("src", "sport")?, style.paint(Ink::Dim, style.arrow()), end("dst", "dport")?))
}

/// The layer's word and the values that tell its packets apart. The fields that fill themselves in one right way
/// (lengths, checksums, next protocol), those in [`ends`] and those at their usual value are left out.
fn layer_words(bytes: &[u8], layer: &Layer, style: &Style) -> Option<String> {
    if layer.desc.key == "eth" {
        return None;
    }
    let mut words = vec![style.paint(Ink::Title, layer.desc.key)];
    for field in &layer.fields {
        let desc = field.desc;
        let usual =
            matches!(desc.auto, Auto::Length(_) | Auto::Checksum(_) | Auto::Next | Auto::Count(_) | Auto::Entries(_))
                || matches!(desc.auto, Auto::Records | Auto::Present)
                || matches!(desc.key, "src" | "dst" | "sport" | "dport")
                || (desc.auto == Auto::None && field.value == desc.default && !always_shown(layer.desc.key, desc.key))
                || (layer.desc.key.starts_with("ip") && matches!(desc.key, "id" | "flow"));
        // A clear bit is nothing to be told, unless it is set by default.
        let clear = desc.kind == Kind::Bit && field.value == 0;
        if desc.selects_next && layer.desc.selects_body() {
            words.push(field.word.map_or_else(|| format!("type={}", field.value), |name| name.word.to_owned()));
        } else if desc.kind == Kind::Flags {
            words.push(value(desc, field.value));
        } else if !usual && !clear {
            let text = field.word.filter(|_| matches!(desc.key, "code" | "op" | "opcode" | "rcode"));
            let text = text.map_or_else(|| value_in(bytes, field), |name| name.word.to_owned());
            words.push(if desc.kind == Kind::Bit { desc.key.to_owned() } else { format!("{}={text}", desc.key) });
        }
    }
    // That the options end is nothing to be told.
    let told = layer.options.iter().filter(|option| option.desc.is_none_or(|desc| desc.key != "end"));
    words.extend(told.filter_map(|option| option_word(bytes, option)));
    words.extend(records(layer));
    (words.len() > 1 || !matches!(layer.desc.key, "ip" | "ip6")).then(|| words.join(" "))
}

/// How many answers a line tells.
const ANSWERS_SHOWN: usize = 3;

/// What a DNS message asks, and what it answers: `example.com A: 192.0.2.1, 192.0.2.2`.
pub(crate) fn records(layer: &Layer) -> Option<String> {
    if layer.desc.key != "dns" {
        return None;
    }
    let asked = layer.records.iter().find(|record| record.section == Section::Question);
    let text = asked.map_or_else(String::new, |record| record.text.clone());
    if layer.value("qr") == Some(0) {
        return (!text.is_empty()).then_some(text);
    }
    let outcome = layer.field("rcode")?;
    if outcome.value != 0 {
        return (!text.is_empty()).then_some(text);
    }
    Some(format!("{text}: {}", answers(layer)))
}

/// The data of the first answers, and how many more there are; `-` where there is none.
fn answers(layer: &Layer) -> String {
    let answers: Vec<_> = layer.records.iter().filter(|record| record.section == Section::Answer).collect();
    let mut told: Vec<_> = answers.iter().take(ANSWERS_SHOWN).map(|record| record.data()).collect();
    if answers.len() > told.len() {
        told.push(format!("+{}", answers.len() - told.len()));
    }
    if told.is_empty() { "-".to_owned() } else { told.join(", ") }
}

/// How a DNS question was answered, and with what: `noerror 192.0.2.1`; `None` for a frame that is no DNS response.
#[must_use]
pub fn dns_answer(frame: &Dissection<'_>) -> Option<String> {
    let layer = frame.layer("dns").filter(|layer| layer.value("qr") == Some(1))?;
    let outcome = layer.field("rcode")?;
    let word = outcome.word.map_or_else(|| format!("rcode={}", outcome.value), |name| name.word.to_owned());
    Some(format!("dns {word} {}", answers(layer)))
}

/// Values that are told also when they are the default ones.
fn always_shown(layer: &str, key: &str) -> bool {
    matches!(
        (layer, key),
        ("ip", "ttl") | ("ip6", "hlim") | ("tcp", "win") | ("arp", "op") | ("vlan" | "qinq", "vid") | ("vxlan", "vni")
    ) || matches!((layer, key), ("icmp" | "icmp6", "seq"))
}

/// What stands before a value of an option that is not its first: a comma before an entry, and behind an IPv6 address.
fn divider(desc: Option<&OptionDesc>, at: usize) -> &'static str {
    let Some((desc, behind)) = desc.and_then(|desc| {
        let fixed = desc.fields.iter().filter(|field| !field.reserved).count();
        Some((desc, at.checked_sub(fixed)?))
    }) else {
        return ":";
    };
    let entry = !desc.entries.is_empty() && behind.is_multiple_of(desc.entries.len());
    let address = desc.len == OptionLen::Parts && behind == 0 && desc.fields.iter().any(|it| it.kind == Kind::Ipv6);
    if entry || address { "," } else { ":" }
}

/// An option as the packet language writes it; padding is left out.
pub(crate) fn option_word(bytes: &[u8], option: &OptionField) -> Option<String> {
    if let (OptionKind::Kind(_), Some(desc)) = (option.what, option.desc) {
        if desc.len == OptionLen::Text {
            let said = text(bytes.get(option.rest.clone()).unwrap_or_default());
            let values = option.fields.iter().map(|field| value(field.desc, field.value)).chain([said]);
            return Some(format!("{}={}", desc.key, values.collect::<Vec<_>>().join(":")));
        }
        // The kind of a DHCP message is its first word to people.
        if let (&[field], "dhcp.type.type") =
            (option.fields.as_slice(), desc.fields.first().map_or("", |it| it.meaning))
        {
            return Some(field.word.map_or_else(|| format!("type={}", field.value), |name| name.word.to_owned()));
        }
    }
    let values: Vec<_> = option.fields.iter().filter(|field| !field.desc.reserved).collect();
    if let Some(desc) = option.desc.filter(|desc| desc.len == OptionLen::Counted && option.what == OptionKind::Kind(0))
    {
        return Some(record_word(desc, option));
    }
    let mut text = String::new();
    for (at, field) in values.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { divider(option.desc, at) });
        text.push_str(&value(field.desc, field.value));
    }
    if !option.names.is_empty() {
        let divider = if text.is_empty() { "" } else { "," };
        push(&mut text, format_args!("{divider}{}", option.names.join(",")));
    }
    match (option.what, option.desc) {
        // A cookie is told from the request for one.
        (OptionKind::Kind(_), Some(desc)) if desc.fields.is_empty() && !option.rest.is_empty() => {
            Some(format!("{}({} B)", desc.key, option.rest.len()))
        }
        (OptionKind::Kind(_), Some(desc)) if text.is_empty() => Some(desc.key.to_owned()),
        (OptionKind::Kind(_), Some(desc)) => Some(format!("{}={text}", desc.key)),
        (OptionKind::Kind(kind), None) => Some(format!("opt{kind}({} B)", option.range.len())),
        (OptionKind::Malformed, desc) => Some(format!("{}?", desc.map_or("opt", |desc| desc.key))),
        (OptionKind::Padding, _) => None,
    }
}

/// A record with its entries: `record=allow:232.1.1.1,192.0.2.7`.
fn record_word(desc: &OptionDesc, option: &OptionField) -> String {
    let told = |field: &&Field| !field.desc.reserved && field.desc.auto == Auto::None;
    let text = |field: &Field| field.word.map_or_else(|| value(field.desc, field.value), |name| name.word.to_owned());
    let (own, entries) = option.fields.split_at(desc.fields.len().min(option.fields.len()));
    let own: Vec<_> = own.iter().filter(told).map(text).collect();
    let entries: String = entries.iter().map(|field| format!(",{}", text(field))).collect();
    let behind = if option.rest.is_empty() { String::new() } else { format!("({} B)", option.rest.len()) };
    format!("{}={}{entries}{behind}", desc.key, own.join(":"))
}

/// The packet that an ICMP error quotes.
fn quoted(frame: &Dissection<'_>, style: &Style) -> Option<String> {
    let ip = frame.layers.iter().find(|layer| layer.quoted)?;
    let inner = frame.layers.iter().rfind(|layer| layer.quoted)?;
    let text = |layer: &Layer, key: &str| layer.field(key).map(|field| value(field.desc, field.value));
    let port = |key| text(inner, key).map_or_else(String::new, |port| format!(":{port}"));
    let (source, destination) = (text(ip, "src")?, text(ip, "dst")?);
    let (from, to) = (port("sport"), port("dport"));
    Some(format!("({} {source}{from} {} {destination}{to})", inner.desc.key, style.arrow()))
}

fn payload(frame: &Dissection<'_>) -> Option<String> {
    let bytes = frame.bytes.get(frame.payload.clone()).filter(|bytes| !bytes.is_empty())?;
    let shown = &bytes[..bytes.len().min(PREVIEW_BYTES)];
    let readable = shown.iter().filter(|byte| (b' '..=b'~').contains(*byte) || byte.is_ascii_whitespace()).count();
    let dots = if shown.len() < bytes.len() { ".." } else { "" };
    Some(if readable * 4 >= shown.len() * 3 {
        format!("{} B '{}'{dots}", bytes.len(), escape_bytes(shown))
    } else {
        format!("{} B", bytes.len())
    })
}

fn faults(frame: &Dissection<'_>, style: &Style) -> Vec<String> {
    let sums = frame.checksums.iter().filter(|sum| sum.verdict.is_wrong()).map(|sum| {
        let what = sum.cause().map_or_else(|| sum.verdict.code(), |cause| cause.code());
        format!("[{} sum {what}]", sum.layer.key)
    });
    let complaints = frame.complaints.iter().map(|complaint| format!("[{} {}]", complaint.layer, complaint.code));
    sums.chain(complaints).map(|fault| style.paint(Ink::Bad, &fault)).collect()
}

/// The widest of some texts, in columns.
pub(crate) fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(columns).max().unwrap_or(0)
}
