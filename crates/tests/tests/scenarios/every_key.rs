//! Ten thousand packets written in the packet language by what `ww fields --json` says, and read by tshark.
//!
//! The reference alone says which keys there are, how wide they are and what Wireshark calls them; what stands here is where a
//! layer usually stands, and which fields decide how the rest of a packet is read.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

use serde_json::{Value, json};
use wirewright_sim::Dice;
use wirewright_tests::{Ground, Outcome, Scenario, ensure, ww};

use crate::every_field::{Check, context, disagreements, tellable};

mod forms;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("every_key::ten_thousand_packets_are_what_tshark_reads", Ground::Plain, |_| ten_thousand())
            .tools(&["tshark"]),
    ]
}

const SEED: u64 = 11;
/// At least so many packets in all, and so many about each key.
const PACKETS: usize = 10_000;
const EACH: usize = 20;

/// Wireshark's verdicts on checksums: 0 is bad, 1 is good.
const STATUSES: [&str; 7] = [
    "ip.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
    "icmp.checksum.status",
    "icmpv6.checksum.status",
    "igmp.checksum.status",
    "gre.checksum.status",
];

fn ten_thousand() -> Outcome {
    let reference: Value = serde_json::from_slice(&ww().args(["fields", "--json"]).run()?.success()?.stdout)?;
    let targets = targets(&reference);
    let mut dice = Dice::new(SEED);
    let each = PACKETS.div_ceil(targets.len()).max(EACH);
    let mut lines = Vec::new();
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    for target in &targets {
        for value in values(target, each, &mut dice) {
            lines.push(Line::about(target, value, &targets, &mut dice));
            *tried.entry(&target.what).or_default() += 1;
        }
    }
    let mut frames = Vec::new();
    for line in &lines {
        let packet = wirewright_craft::parse(&line.words).map_err(|error| format!("{}\n{error}", line.words))?;
        frames.push(packet.build(&context()).map_err(|error| format!("{}: {error}", line.words))?.bytes);
    }
    let checks: Vec<_> = lines.iter().map(|line| line.checks.clone()).collect();
    let (wrong, statuses) = disagreements(&checks, &frames, &STATUSES)?;
    let sums =
        |status: &str| statuses.iter().flatten().flat_map(|cell| cell.split(',')).filter(|it| *it == status).count();
    let unasked = |(line, row): &(&Line, &Vec<String>)| {
        !line.asks_for_wrong && row.iter().any(|cell| cell.split(',').any(|status| status == "0"))
    };
    let bad: Vec<&str> = lines.iter().zip(&statuses).filter(unasked).map(|(line, _)| line.words.as_str()).collect();
    let fewest = tried.values().min().copied().unwrap_or_default();
    let set: usize = checks.iter().map(Vec::len).sum();
    let nameless = targets.iter().filter(|target| target.shark.is_empty()).count();
    println!(
        "{} packets, {} keys ({nameless} of them without a name in Wireshark), each at least {fewest} times; {set} values compared, \
         {} disagreements; {} checksums good, {} bad, {} of these unasked",
        lines.len(),
        targets.len(),
        wrong.len(),
        sums("1"),
        sums("0"),
        bad.len()
    );
    ensure!(wrong.is_empty(), "{}\nreplay: SEED is {SEED}", wrong.join("\n"));
    ensure!(bad.is_empty(), "bad checksums that nobody asked for:\n{}", bad.join("\n"));
    ensure!(lines.len() >= PACKETS && fewest >= EACH && sums("1") > PACKETS, "{} packets", lines.len());
    Ok(())
}

/// A key of the reference.
struct Target {
    /// `layer.key`, `layer.body.key` or `layer.option.key`.
    what: String,
    layer: String,
    place: Place,
    key: String,
    kind: String,
    bits: usize,
    offset: usize,
    shark: String,
    /// It has no default.
    required: bool,
    /// Words for values.
    names: Vec<(u64, String)>,
    /// It decides how the bytes behind it are read, or is a sum over them: set, it may be wrong.
    decides: bool,
}

/// Where a key stands.
enum Place {
    Header,
    /// Behind the header, for these values of its selecting field.
    Body(Vec<u64>),
    /// In an option; with the type of the message that has it, if it is one of a body.
    Option {
        option: Value,
        message: Option<u64>,
    },
}

/// Keys that decide how the rest is read, beside lengths, checksums and what selects the next layer.
const DECIDE: &[&str] = &[
    "ip.ver",
    "ip6.ver",
    "ip.off",
    "ip.mf",
    "frag.off",
    "frag.mf",
    "route.type",
    "icmp.type",
    "icmp.code",
    "icmp6.type",
    "icmp6.code",
    "arp.htype",
    "arp.ptype",
    "arp.hlen",
    "arp.plen",
    "arp.op",
    "mpls.label",
    "gre.c",
    "gre.r",
    "gre.k",
    "gre.s",
    "gre.res0",
    "gre.ver",
    "igmp.type",
    "igmp.resp",
    "dhcp.htype",
    "dhcp.hlen",
    "dhcp.cookie",
    "dns.qr",
    "dns.opcode",
    "tcp.flags",
    "ip.dst",
    "ip6.dst",
];

fn targets(reference: &Value) -> Vec<Target> {
    let mut targets = Vec::new();
    for layer in list(&reference["layers"]) {
        let key = text(&layer["key"]);
        let mut add = |what: &str, field: &Value, place: Place| {
            let own = text(&field["key"]);
            let unset = text(&field["unset"]);
            let sums = ["length", "checksum", "next"].iter().any(|word| unset.starts_with(word));
            let what = format!("{what}.{own}");
            targets.push(Target {
                decides: sums || DECIDE.contains(&what.as_str()) || !matches!(place, Place::Header),
                what,
                layer: key.clone(),
                place,
                key: own,
                kind: text(&field["kind"]),
                bits: number(&field["bits"]),
                offset: number(&field["offset"]),
                shark: text(&field["shark"]),
                required: unset == "required",
                names: list(&field["names"])
                    .filter_map(|it| Some((it["value"].as_u64()?, text(&it["word"]))))
                    .collect(),
            });
        };
        list(&layer["fields"]).for_each(|field| add(&key, field, Place::Header));
        let mut options = |table: &Value, message: Option<u64>| {
            for option in list(table) {
                let is_text = text(&option["form"]) == "text";
                // An option that is text has no fields: its text is one.
                let whole = json!({"key": "text", "kind": "text", "bits": 128, "shark": option["shark"]});
                let parts = list(&option["parts"]).map(|part| &part["field"]);
                for field in list(&option["fields"]).chain(parts).chain(is_text.then_some(&whole)) {
                    let place = Place::Option { option: option.clone(), message };
                    add(&format!("{key}.{}", text(&option["key"])), field, place);
                }
            }
        };
        options(&layer["options"], None);
        // The options of neighbour discovery are one table for all messages: once is enough.
        let mut told: Vec<&Value> = Vec::new();
        for body in list(&layer["bodies"]).filter(|body| body["options"].is_array()) {
            if !told.contains(&&body["options"]) {
                options(&body["options"], messages(body).first().copied());
                told.push(&body["options"]);
            }
        }
        for body in list(&layer["bodies"]) {
            let message = messages(body).first().map_or_else(String::new, |message| format!(".{message}"));
            let what = format!("{}{message}", text(&body["key"]));
            list(&body["fields"]).for_each(|field| add(&what, field, Place::Body(messages(body))));
        }
    }
    targets
}

/// The types of message that have this body.
fn messages(body: &Value) -> Vec<u64> {
    list(&body["values"]).filter_map(Value::as_u64).collect()
}

/// 0, the largest, their neighbours, every named value that there is room for, and random ones.
fn values(target: &Target, count: usize, dice: &mut Dice) -> Vec<u128> {
    let max = target.max();
    let mut values = vec![0, max, 1.min(max), max - 1.min(max)];
    // A tag behind a tag of its own kind: which one tshark names first is not ours to say.
    let in_itself = |value: &u128| target.what == "qinq.type" && *value == 0x88a8;
    let named = target.names.iter().map(|(value, _)| u128::from(*value)).filter(|value| !in_itself(value));
    values.extend(named.take(count / 2));
    // tshark reads these as messages of a protocol that has borrowed IGMP's number.
    let borrowed = |value: u128| target.what == "igmp.type" && (0x40..=0x42).contains(&value);
    while values.len() < count {
        values.extend(Some(random(dice) & max).filter(|value| !borrowed(*value)));
    }
    values.truncate(count);
    values.iter_mut().for_each(|value| *value = tellable(&target.what, *value));
    values
}

fn random(dice: &mut Dice) -> u128 {
    (u128::from(dice.bits()) << 64) | u128::from(dice.bits())
}

/// A packet in words, and what tshark should read.
struct Line {
    words: String,
    checks: Vec<Check>,
    asks_for_wrong: bool,
}

impl Line {
    fn about(target: &Target, value: u128, all: &[Target], dice: &mut Dice) -> Self {
        let mut line = Self { words: String::new(), checks: Vec::new(), asks_for_wrong: target.decides_sums() };
        let chain = chain(&target.layer, dice);
        let at = chain.iter().position(|key| *key == target.layer).expect("a layer stands in its own chain");
        for (index, key) in chain.iter().enumerate() {
            let separator = if index == 0 { "" } else { " / " };
            let _ = write!(line.words, "{separator}{key}");
            let own = index == at;
            // Wireshark names most flags of DNS in responses only.
            if *key == "dns" && target.what != "dns.qr" {
                line.words.push_str(" qr");
            }
            if !(own && target.is_destination()) {
                line.words.push_str(destination(key, chain.get(index + 1).copied()));
            }
            if own {
                line.set(target, value, all, dice);
            }
            // What stands behind a field that decides how it is read may be read otherwise; of layers that stand twice tshark
            // tells the outer one first.
            let again = chain[..index].contains(key);
            if (index < at || !target.decides) && !again {
                line.companions(key, own.then_some(target), all, dice);
            }
        }
        if !["icmp6", "igmp", "dns", "dhcp6"].iter().any(|last| chain.contains(last)) {
            line.words.push_str(" data=payload");
        }
        line
    }

    /// The words that set the target.
    fn set(&mut self, target: &Target, value: u128, all: &[Target], dice: &mut Dice) {
        match &target.place {
            Place::Header => {
                let _ = write!(self.words, " {}", target.word(value, dice));
                if target.what == "dhcp.hlen" {
                    // tshark reads so many bytes as an address, whatever stands there.
                    let _ = write!(self.words, " rootpath={}", "x".repeat(64));
                }
                if let Some(message) = u64::try_from(value).ok().filter(|_| target.key == "type") {
                    self.required(target, message, all);
                }
            }
            Place::Body(messages) => {
                let message = messages.first().copied();
                let kind = message.map_or_else(String::new, |message| format!(" type={message}"));
                let _ = write!(self.words, "{kind} {}", target.word(value, dice));
                if target.what.starts_with("icmp6.mldquery.") && target.key != "qrv" {
                    // It makes the query one of version 2.
                    self.words.push_str(" qrv=2");
                }
                if target.what == "icmp.unreach.3.mtu" {
                    // Only "fragmentation needed" carries an MTU.
                    self.words.push_str(" code=4");
                }
                message.into_iter().for_each(|message| self.required(target, message, all));
            }
            Place::Option { option, message } => {
                if let Some(message) = message {
                    let _ = write!(self.words, " type={message}");
                    self.required(target, *message, all);
                }
                let _ = write!(self.words, " {}", option_word(option, target, value, dice));
                if text(&option["form"]) == "counted" {
                    // What it counts may not be there: it would be no record to us.
                    self.words.push_str(" nrec=1");
                }
            }
        }
        self.check(target, value);
    }

    /// What a message of this type cannot do without.
    fn required(&mut self, target: &Target, message: u64, all: &[Target]) {
        let of_it = |it: &&Target| matches!(&it.place, Place::Body(messages) if messages.contains(&message));
        for field in
            all.iter().filter(|it| it.layer == target.layer && it.required && it.what != target.what).filter(of_it)
        {
            let _ = write!(self.words, " {}=2001:db8::9", field.key);
        }
    }

    fn check(&mut self, target: &Target, value: u128) {
        if !target.shark.is_empty() {
            let (what, shark) = (target.what.clone(), target.shark.clone());
            self.checks.push(Check { what, shark, is_mac: target.kind == "mac", value });
        }
    }

    /// Sets some of the fields of a layer that decide nothing.
    fn companions(&mut self, layer: &str, target: Option<&Target>, all: &[Target], dice: &mut Dice) {
        let quiet = |it: &&Target| {
            it.layer == layer && matches!(it.place, Place::Header) && !it.decides && !it.is_destination()
        };
        for field in all.iter().filter(quiet) {
            // By another port of its sender, tshark may take a message for that of another protocol.
            let is_settled = field.key == "sport" && self.words.contains(" sport=");
            let is_target = is_settled || target.is_some_and(|target| target.key == field.key);
            // Of layers that stand twice, tshark's first value is the outermost one's.
            if !is_target && dice.below(3) == 0 && !self.checks.iter().any(|check| check.shark == field.shark) {
                let value = tellable(&field.what, random(dice) & field.max());
                let _ = write!(self.words, " {}", field.word(value, dice));
                self.check(field, value);
            }
        }
    }
}

impl Target {
    /// Its value may make a checksum wrong, or unreadable to tshark.
    fn decides_sums(&self) -> bool {
        let in_header = matches!(self.place, Place::Header) && !matches!(self.key.as_str(), "op" | "code" | "flags");
        self.decides && (in_header || self.key == "sum")
    }

    /// It is what [`destination`] fills in.
    fn is_destination(&self) -> bool {
        matches!(self.key.as_str(), "dst" | "tpa" | "dport") && self.layer != "eth"
    }

    fn max(&self) -> u128 {
        if self.bits >= 128 { u128::MAX } else { (1 << self.bits) - 1 }
    }

    /// The word that sets it.
    fn word(&self, value: u128, dice: &mut Dice) -> String {
        let named = self.names.iter().find(|(named, _)| u128::from(*named) == value).filter(|_| dice.below(2) == 0);
        if self.kind == "flags" {
            let set = self.names.iter().filter(|(bit, _)| value & u128::from(*bit) != 0);
            let letters: String = set.map(|(_, letter)| letter.as_str()).collect();
            return if letters.is_empty() { "none".to_owned() } else { letters };
        }
        let text = match (named, self.kind.as_str()) {
            (Some((_, name)), _) => name.clone(),
            (None, kind) => written(value, kind, dice),
        };
        if self.key == "dport" { format!(":{text}") } else { format!("{}={text}", self.key) }
    }
}

/// A value as people write it.
fn written(value: u128, kind: &str, dice: &mut Dice) -> String {
    match kind {
        "mac" => {
            let digits = format!("{value:012x}");
            let pairs: Vec<&str> = (0..6).map(|at| &digits[2 * at..2 * at + 2]).collect();
            pairs.join(":")
        }
        // The text of a value is its digits.
        "text" => format!("{value:x}"),
        "ipv4" => Ipv4Addr::from_bits(value as u32).to_string(),
        "ipv6" => Ipv6Addr::from_bits(value).to_string(),
        _ if dice.below(2) == 0 => format!("{value:#x}"),
        _ => value.to_string(),
    }
}

/// An option with one of its fields set: in its own words, or as `opt=KIND:HEX` where a reserved bit is to be set.
fn option_word(option: &Value, target: &Target, value: u128, dice: &mut Dice) -> String {
    const MORE_BYTES: usize = 8;
    if !option["begins"].is_null() {
        return forms::word(option, &target.key, value, |value, kind| written(value, kind, dice));
    }
    let is_text = text(&option["form"]) == "text";
    let fields: Vec<&Value> = list(&option["fields"]).collect();
    let fixed = number(&option["bytes"]);
    let used = fields.iter().map(|field| (number(&field["offset"]) + number(&field["bits"])).div_ceil(8)).max();
    let variable = text(&option["form"]) == "variable";
    // An entry of a list has neither kind nor length.
    let is_entry = text(&option["form"]) == "entry";
    if text(&option["form"]) == "counted" {
        return record_word(option, target, value, dice);
    }
    let reserved = fields.iter().any(|field| text(&field["key"]) == target.key && field["reserved"] == true);
    if !is_entry && !is_text && (reserved || dice.below(3) == 0) {
        let bytes = if variable { used.unwrap_or(0) + MORE_BYTES } else { fixed };
        // Neighbour discovery counts in units of 8 bytes, kind and length included.
        let padded = if target.layer == "icmp6" { (bytes + 2).next_multiple_of(8) - 2 } else { bytes };
        let mut area = vec![0u8; padded];
        for bit in (0..target.bits).filter(|bit| value >> bit & 1 == 1) {
            let at = target.offset + target.bits - 1 - bit;
            area[at / 8] |= 0x80 >> (at % 8);
        }
        let hex: String = area.iter().map(|byte| format!("{byte:02x}")).collect();
        return format!("opt={}:{hex}", number(&option["kind"]));
    }
    let shown = fields.iter().filter(|field| field["reserved"] != true);
    let part = |field: &&Value| {
        let kind = text(&field["kind"]);
        let own = text(&field["key"]) == target.key;
        written(if own { value } else { 0 }, &kind, dice)
    };
    let mut parts: Vec<String> = shown.map(part).collect();
    if is_text {
        parts.push(written(value, "text", dice));
    }
    if variable {
        let bytes = if target.layer == "icmp6" { 16 - 2 - used.unwrap_or(0) } else { MORE_BYTES };
        parts.push("00".repeat(bytes));
    }
    format!("{}={}", text(&option["key"]), parts.join(":"))
}

/// A record with one of its fields set: in words, or its bytes where the field counts what is not there.
fn record_word(option: &Value, target: &Target, value: u128, dice: &mut Dice) -> String {
    let counts = |field: &Value| ["count", "length"].contains(&text(&field["unset"]).as_str());
    let own = list(&option["fields"]).find(|field| text(&field["key"]) == target.key);
    if own.is_some_and(counts) {
        let mut bytes = vec![0u8; number(&option["bytes"])];
        let (at, wide) = (target.offset / 8, target.bits / 8);
        bytes[at..at + wide].copy_from_slice(&value.to_be_bytes()[16 - wide..]);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return format!("opts={hex}");
    }
    let given = list(&option["fields"]).filter(|field| !counts(field));
    let parts: Vec<String> = given
        .map(|field| {
            let own = text(&field["key"]) == target.key;
            written(if own { value } else { 0 }, &text(&field["kind"]), dice)
        })
        .collect();
    let entry = list(&option["entries"]).next().map(|field| written(7, &text(&field["kind"]), dice));
    let entries = entry.filter(|_| dice.below(2) == 0).map_or_else(String::new, |entry| format!(",{entry},{entry}"));
    format!("{}={}{entries}", text(&option["key"]), parts.join(":"))
}

/// The layers among which one stands, outermost first.
fn chain(layer: &str, dice: &mut Dice) -> Vec<&'static str> {
    match layer {
        "eth" => vec!["eth", "ip", "udp"],
        "vlan" => vec!["eth", "vlan", "ip", "udp"],
        "qinq" => vec!["eth", "qinq", "ip", "udp"],
        "mpls" => vec!["eth", "mpls", "ip", "udp"],
        "arp" => vec!["eth", "arp"],
        "ip" => vec!["eth", "ip", "udp"],
        "ip6" => vec!["eth", "ip6", "udp"],
        "hopopt" => vec!["eth", "ip6", "hopopt", "udp"],
        "route" => vec!["eth", "ip6", "route", "udp"],
        "frag" => vec!["eth", "ip6", "frag", "udp"],
        "dstopt" => vec!["eth", "ip6", "dstopt", "udp"],
        "icmp" => vec!["eth", "ip", "icmp"],
        "icmp6" => vec!["eth", "ip6", "icmp6"],
        "igmp" => vec!["eth", "ip", "igmp"],
        "gre" => vec!["eth", "ip", "gre", "ip", "udp"],
        "vxlan" => vec!["eth", "ip", "udp", "vxlan", "eth", "ip", "udp"],
        "udp" if dice.below(2) == 0 => vec!["eth", "ip6", "udp"],
        "udp" => vec!["eth", "ip", "udp"],
        "tcp" if dice.below(2) == 0 => vec!["eth", "ip6", "tcp"],
        "tcp" => vec!["eth", "ip", "tcp"],
        "dns" => vec!["eth", "ip", "udp", "dns"],
        "dnslen" => vec!["eth", "ip", "tcp", "dnslen", "dns"],
        "dhcp" => vec!["eth", "ip", "udp", "dhcp"],
        "dhcp6" => vec!["eth", "ip6", "udp", "dhcp6"],
        other => panic!("the test has to be told where the layer {other} stands"),
    }
}

/// What has no default.
fn destination(layer: &str, carries: Option<&str>) -> &'static str {
    match layer {
        "udp" if carries == Some("dns") => " :53",
        "udp" if carries == Some("vxlan") => "",
        "udp" if carries == Some("dhcp") => " :67 sport=68",
        "udp" if carries == Some("dhcp6") => " :547 sport=546",
        "tcp" if carries == Some("dnslen") => " :53",
        "ip" => " 192.0.2.2",
        "ip6" => " 2001:db8::2",
        "arp" => " tpa=192.0.2.2",
        "udp" | "tcp" => " :9",
        _ => "",
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|value| usize::try_from(value).ok()).unwrap_or_default()
}
