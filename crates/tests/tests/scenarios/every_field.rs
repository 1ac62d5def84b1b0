//! Every field of every table, with 0, its maximum and random values: sent by us, read back by tshark.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use wirewright_capture::{Interface, LinkType, Record, Writer};
use wirewright_craft::{Context, Layer, Packet, Payload, Setting};
use wirewright_lab::Lab;
use wirewright_sim::Dice;
use wirewright_tests::{Folder, Ground, Outcome, Scenario, Tshark, ensure};
use wirewright_units::UnixTime;
use wirewright_wire::{
    Auto, FieldDesc, Form, HeaderDesc, Kind, LAYERS, MacAddr, OptionDesc, OptionLen, TlvDesc, TlvLength, Variant,
    layer as layer_named,
};

use crate::{sent_line::sessions, ways::left};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("every_field::what_is_sent_is_what_tshark_reads", Ground::Lab, |world| sent(world.lab()))
            .tools(&["tshark"]),
    ]
}

const SEED: u64 = 3;
const RANDOM_VALUES: usize = 3;

/// A packet, and what tshark should read in it.
struct Case {
    check: Check,
    packet: Packet,
}

/// What tshark should read: a field of ours with a value, under Wireshark's name.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// `layer.key`, `layer.body.key` or `layer.option.key`.
    pub(crate) what: String,
    pub(crate) shark: String,
    pub(crate) is_mac: bool,
    pub(crate) value: u128,
}

impl Check {
    fn of(what: String, field: &FieldDesc, value: u128) -> Self {
        Self { what, shark: field.shark.to_owned(), is_mac: field.kind == Kind::Mac, value }
    }
}

/// Each packet sent in the lab, on the way that it chooses; what is read is the frame that left, as the kernel gave it back.
fn sent(lab: &Lab) -> Outcome {
    let mut cases = cases(&mut Dice::new(SEED));
    let mut sessions = sessions(lab, false);
    let mut frames = Vec::new();
    for case in &mut cases {
        let ip = case.packet.layers.iter().position(|layer| matches!(layer.key(), "ip" | "ip6"));
        let about_ethernet = ["eth.", "vlan.", "ieee8021a", "mpls."];
        let is_about_ethernet = about_ethernet.iter().any(|prefix| case.check.shark.starts_with(prefix));
        if let Some(ip) = ip.filter(|_| !is_about_ethernet) {
            // What stands below is the session's to choose: a raw socket where that keeps everything, else a frame.
            case.packet.layers.drain(..ip);
        }
        let session = if case.packet.layers[0].key() == "ip6" { &mut sessions.1 } else { &mut sessions.0 };
        let sent =
            session.send(&case.packet).map_err(|error| format!("{}: {}: {error}", case.check.what, case.packet))?;
        frames.push(left(&sent)?.frame.clone());
    }
    report(&cases, &frames)
}

/// Writes the frames, asks tshark, and prints how many fields there are and how many disagree.
fn report(cases: &[Case], frames: &[Vec<u8>]) -> Outcome {
    let checks: Vec<Vec<Check>> = cases.iter().map(|case| vec![case.check.clone()]).collect();
    let disagreements = disagreements(&checks, frames, &[])?.0;
    let mut named: Vec<&str> = cases.iter().map(|case| case.check.what.as_str()).collect();
    named.dedup();
    println!("{} fields, {} packets, {} disagreements", named.len(), cases.len(), disagreements.len());
    ensure!(disagreements.is_empty(), "{}\nreplay: SEED is {SEED}", disagreements.join("\n"));
    Ok(())
}

/// This host and the next hop, as documents have them.
pub(crate) fn context() -> Context {
    Context {
        source_v4: Some(Ipv4Addr::new(192, 0, 2, 1)),
        source_v6: Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        source_mac: Some(MacAddr::from_u64(0x0200_0000_0001)),
        next_hop_mac: Some(MacAddr::from_u64(0x0200_0000_0002)),
        ..Context::default()
    }
}

/// A packet for each value of each field that Wireshark has a name for.
fn cases(dice: &mut Dice) -> Vec<Case> {
    let mut cases = Vec::new();
    for desc in LAYERS {
        let below = below(desc.key);
        header_cases(desc, below, dice, &mut cases);
        for variant in desc.variants {
            body_cases(desc, below, variant, dice, &mut cases);
        }
        if let Some(table) = desc.options {
            option_cases(Layer::new(desc), below, table, dice, &mut cases);
        }
    }
    cases
}

fn header_cases(desc: &'static HeaderDesc, below: &[&str], dice: &mut Dice, cases: &mut Vec<Case>) {
    for field in named(desc.fields) {
        for value in values(field, dice) {
            let mut layer = Layer::new(desc);
            let set = match field.kind {
                // The text of a value is its digits.
                Kind::Text => layer.set_text(field.key, format!("{value:x}").as_bytes()),
                _ => layer.set(field.key, Setting::Exactly(value)),
            };
            assert!(set, "{} has {}", desc.key, field.key);
            // tshark tells most of a message's bits in responses only.
            if desc.key == "dns" && field.key != "qr" {
                layer.set("qr", Setting::Exactly(1));
            }
            let what = format!("{}.{}", desc.key, field.key);
            cases.push(Case { check: Check::of(what, field, value), packet: packet(below, layer) });
        }
    }
}

fn body_cases(
    desc: &'static HeaderDesc,
    below: &[&str],
    variant: &'static Variant,
    dice: &mut Dice,
    cases: &mut Vec<Case>,
) {
    let Some(&selected) = variant.values.first() else { return };
    let mut chosen = Layer::new(desc);
    if desc.selects_body() {
        let selector = desc.selector().expect("a layer with bodies has a field that selects them");
        assert!(chosen.set(selector.key, Setting::Exactly(u128::from(selected))), "the selector can be set");
    } else if variant.form == Form::Short {
        // Each field makes the form that has it.
        return;
    }
    if variant.form == Form::Whole && variant.body.field("qrv").is_some() {
        // It makes a query one of the newer version.
        chosen.set("qrv", Setting::Exactly(2));
    }
    if variant.body.field("mtu").is_some() && desc.key == "icmp" {
        // Only "fragmentation needed" carries an MTU.
        chosen.set("code", Setting::Exactly(4));
    }
    for field in named(variant.body.fields) {
        for value in values(field, dice) {
            let mut layer = chosen.clone();
            assert!(layer.set(field.key, Setting::Exactly(value)), "{} has {}", variant.body.key, field.key);
            let what = format!("{}.{}.{}", desc.key, variant.body.key, field.key);
            cases.push(Case { check: Check::of(what, field, value), packet: packet(below, layer) });
        }
    }
    if let Some(table) = variant.body.options {
        option_cases(chosen, below, table, dice, cases);
    }
}

fn option_cases(layer: Layer, below: &[&str], table: &'static TlvDesc, dice: &mut Dice, cases: &mut Vec<Case>) {
    for option in table.kinds {
        let parts = option.parts.iter().map(|part| &part.field).filter(|field| !field.shark.is_empty());
        for field in named(option.fields).chain(parts) {
            for value in values(field, dice) {
                let mut layer = layer.clone();
                layer.set_options(option_bytes(table, option, field, value));
                if option.len == OptionLen::Counted {
                    // What it counts is not there: it would be no record to us.
                    layer.set("nrec", Setting::Exactly(1));
                }
                let what = format!("{}.{}.{}", layer.key(), option.key, field.key);
                cases.push(Case { check: Check::of(what, field, value), packet: packet(below, layer) });
            }
        }
    }
}

/// Bytes behind the named fields of an option of variable length.
const MORE_BYTES: usize = 8;

fn option_bytes(table: &TlvDesc, option: &'static OptionDesc, field: &'static FieldDesc, value: u128) -> Vec<u8> {
    if !option.when.is_always() {
        let value = form_with(option, field, value).expect("each field stands in some form of its option");
        let [kind, length] = [usize::from(option.kind), value.len() + 2]
            .map(|byte| u8::try_from(byte).expect("kinds with several forms are of a byte, and options are short"));
        return [vec![kind, length], value].concat();
    }
    let fields = option.fields.iter().map(FieldDesc::end_byte).max().unwrap_or(0);
    let value_bytes = match option.len {
        OptionLen::Single => 0,
        OptionLen::Value(bytes) | OptionLen::Repeats(bytes) | OptionLen::Entry(bytes) => bytes,
        OptionLen::Counted => fields,
        _ => fields + MORE_BYTES,
    };
    if table.length == TlvLength::Entries {
        let mut bytes = vec![0; value_bytes];
        assert!(field.write(&mut bytes, value), "the entry holds its fields");
        return bytes;
    }
    let whole = 2 + value_bytes;
    let (whole, length) = match table.length {
        TlvLength::WholeBytes => (whole, whole),
        TlvLength::WholeOctoBytes => (whole.next_multiple_of(8), whole.div_ceil(8)),
        TlvLength::ValueBytes => (whole, value_bytes),
        TlvLength::ValueBytesWide => (whole + 2, value_bytes),
        _ => unreachable!("the test knows every layout of options"),
    };
    let mut bytes = vec![0; whole];
    let (kind, length) = (option.kind.to_be_bytes(), u16::try_from(length).expect("an option is short").to_be_bytes());
    let head = if table.head_len() == 4 { [kind, length].concat() } else { vec![kind[1], length[1]] };
    bytes[..head.len()].copy_from_slice(&head);
    assert!(field.write(&mut bytes[head.len()..], value), "the value holds its fields");
    bytes
}

/// A value of an option that has several forms, with a field set: the first length that has the field, or would have it if the
/// value were not one of another form.
fn form_with(option: &'static OptionDesc, field: &'static FieldDesc, set: u128) -> Option<Vec<u8>> {
    let part = option.parts.iter().find(|part| std::ptr::eq(&part.field, field));
    let longest = option.fixed_len() + option.parts.iter().map(|part| part.field.end_byte()).sum::<usize>();
    let blank = |len: usize| {
        let mut value = vec![0; len];
        option.when.stamp(&mut value);
        part.inspect(|part| part.when.stamp(&mut value));
        value
    };
    let with = |len: usize| {
        let mut value = blank(len);
        let (at, field) = option.rows_in(&value).find(|(_, row)| std::ptr::eq(*row, field))?;
        field.write(value.get_mut(at..)?, set).then_some(value)
    };
    let longest = longest.max(option.fixed_len() + MORE_BYTES);
    let whole = (0..=longest).filter_map(with).find(|value| option.is_for(value));
    whole.or_else(|| (0..=longest).filter(|len| option.is_for(&blank(*len))).find_map(with))
}

/// Fields that tshark can be asked for.
fn named(fields: &'static [FieldDesc]) -> impl Iterator<Item = &'static FieldDesc> {
    fields.iter().filter(|field| !field.shark.is_empty() && field.is_there())
}

/// 0, the maximum, and random values.
fn values(field: &FieldDesc, dice: &mut Dice) -> Vec<u128> {
    let mut values = vec![0, field.max()];
    values
        .extend((0..RANDOM_VALUES).map(|_| ((u128::from(dice.bits()) << 64) | u128::from(dice.bits())) & field.max()));
    values.iter_mut().for_each(|value| *value = tellable(field.meaning, *value));
    values
}

/// The value, or where tshark cannot tell it one near it that it can.
pub(crate) fn tellable(what: &str, value: u128) -> u128 {
    match what {
        // It names no other cookie.
        "dhcp.cookie" => wirewright_wire::dhcp::COOKIE.into(),
        // Seconds in the high byte alone are taken for those of a client that exchanges the bytes.
        "dhcp.secs" if value & 0xff == 0 && value > 0 => value | 1,
        // It names no length of what is shorter than a header.
        "dnslen.len" => value.max(wirewright_wire::dns::LEN as u128),
        _ => value,
    }
}

/// The layers that usually stand below one.
fn below(key: &str) -> &'static [&'static str] {
    match key {
        "eth" => &[],
        "ip6" | "ip" | "arp" | "vlan" | "qinq" | "mpls" => &["eth"],
        "icmp6" | "hopopt" | "route" | "frag" | "dstopt" => &["eth", "ip6"],
        "dns" | "dhcp" | "vxlan" => &["eth", "ip", "udp"],
        "dhcp6" => &["eth", "ip6", "udp"],
        "dnslen" => &["eth", "ip", "tcp"],
        _ => &["eth", "ip"],
    }
}

/// `layer` on the layers below it, with something to carry.
fn packet(below: &[&str], layer: Layer) -> Packet {
    let mut packet = Packet::new();
    packet.layers = below.iter().map(|key| Layer::new(layer_named(key).expect("a known layer"))).collect();
    let carries = match layer.key() {
        "eth" | "vlan" | "qinq" | "mpls" => &["ip", "udp"][..],
        "ip" | "ip6" | "hopopt" | "route" | "frag" | "dstopt" => &["udp"],
        "gre" => &["ip", "udp"],
        "vxlan" => &["eth", "ip", "udp"],
        "dnslen" => &["dns"],
        _ => &[],
    };
    let port = if layer.key() == "dnslen" { Some(53) } else { layer.desc().port };
    if let Some((port, transport)) = port.zip(packet.layers.last_mut()) {
        transport.set("dport", Setting::from(port));
    }
    packet.layers.push(layer);
    packet.layers.extend(carries.iter().map(|key| Layer::new(layer_named(key).expect("a known layer"))));
    // Behind a report or a query of a group it would make a longer message of another version.
    if packet.layers.iter().all(|layer| !matches!(layer.key(), "icmp6" | "igmp" | "dnslen" | "dhcp6")) {
        // tshark reads as many bytes as an address as the field for its length says, whatever stands there.
        let times = if packet.layers.iter().any(|layer| layer.key() == "dhcp") { 10 } else { 1 };
        packet.payload = Payload::Bytes(b"payload".repeat(times));
    }
    for layer in &mut packet.layers {
        fill_destination(layer);
    }
    packet
}

/// Sets what has no default: destinations.
fn fill_destination(layer: &mut Layer) {
    let required =
        |(_, field, set): &(_, &'static FieldDesc, Setting)| field.auto == Auto::Required && *set == Setting::Auto;
    let missing: Vec<&FieldDesc> = layer.rows().filter(required).map(|(_, field, _)| field).collect();
    for field in missing {
        let value = match field.kind {
            Kind::Ipv4 => 0xc000_0202,
            Kind::Ipv6 => 0x2001_0db8_0000_0000_0000_0000_0000_0002,
            _ => 9,
        };
        layer.set(field.key, Setting::Exactly(value));
    }
}

/// What tshark read: where it disagrees, and the further columns of each frame.
type Reading = (Vec<String>, Vec<Vec<String>>);

/// Where tshark reads another value than the one set, both values, one line a case; and the columns `more` of each frame.
pub(crate) fn disagreements(
    cases: &[Vec<Check>],
    frames: &[Vec<u8>],
    more: &[&str],
) -> Result<Reading, Box<dyn Error + Send + Sync>> {
    let folder = Folder::new()?;
    let path = folder.file("fields.pcapng");
    let mut writer = Writer::pcapng(std::fs::File::create(&path)?, "every field")?;
    let interface = writer.add_interface(&Interface::new("frames", LinkType::ETHERNET))?;
    for frame in frames {
        writer.write(&Record::new(interface, UnixTime::from_parts(1, 0), frame))?;
    }
    writer.into_inner()?;
    let types = Tshark::field_types()?;
    let mut columns: Vec<&str> = cases.iter().flatten().map(column).collect();
    columns.sort_unstable();
    columns.dedup();
    if let Some(unknown) = columns.iter().find(|column| !types.contains_key(**column)) {
        return Err(format!("tshark knows no field {unknown}").into());
    }
    let count = columns.len();
    let all: Vec<&str> = columns.iter().chain(more).copied().collect();
    // A total length of 0 means "the card cuts this" to Wireshark, unless told otherwise.
    let mut rows = Tshark::read(&path)
        .preference("ip.tso_support:FALSE")
        // Each segment stands for itself, whatever others of its ports had.
        .preference("tcp.desegment_tcp_streams:FALSE")
        .preference("tcp.no_subdissector_on_error:FALSE")
        .fields(&all)?;
    if rows.len() != cases.len() {
        return Err(format!("{} packets, {} frames", cases.len(), rows.len()).into());
    }
    let mut found = Vec::new();
    for (checks, row) in cases.iter().zip(&rows) {
        for check in checks {
            let at = columns.binary_search(&column(check)).expect("every field has its column");
            let cell = row[at].split(',').next().unwrap_or_default();
            found.extend(disagreement(check, cell, &types[check.shark.as_str()]));
        }
    }
    rows.iter_mut().for_each(|row| drop(row.drain(..count)));
    Ok((found, rows))
}

/// Up to this value an EtherType is a length to Wireshark (IEEE 802.3), which then has a name of its own.
const LENGTH_MAX: u128 = 1500;
/// From this value on it is a type.
const TYPE_MIN: u128 = 1536;

fn column(check: &Check) -> &str {
    match check.shark.as_str() {
        "vlan.etype" if check.value <= LENGTH_MAX => "vlan.len",
        // 0 stays a type there.
        "eth.type" if (1..=LENGTH_MAX).contains(&check.value) => "eth.len",
        // Neither a length nor a type (IEEE 802.3 §3.2.6).
        "eth.type" if (LENGTH_MAX + 1..TYPE_MIN).contains(&check.value) => "eth.invalid_lentype",
        shark => shark,
    }
}

fn disagreement(check: &Check, cell: &str, shark_type: &str) -> Option<String> {
    let expected = in_wiresharks_unit(check);
    let agrees = match shark_type {
        // Wireshark shows that it is there, not its value.
        "FT_NONE" => cell == "1",
        "FT_STRING" | "FT_STRINGZ" => cell == format!("{:x}", check.value),
        "FT_BOOLEAN" => number(cell, check.is_mac) == Some(u128::from(expected != 0)),
        "FT_BYTES" => stands_alone_in(expected, cell),
        // Left out while it is 0.
        _ if matches!(check.shark.as_str(), "icmp.length" | "igmp.max_resp") && expected == 0 => cell.is_empty(),
        _ => number(cell, check.is_mac) == Some(expected),
    };
    let (what, value, shark) = (&check.what, check.value, &check.shark);
    (!agrees).then(|| format!("{what}: {value} was set, tshark reads {shark} as {cell:?}, not {expected}"))
}

/// Reserved areas are shown as bytes, some wider than our field: the value stands in them, and zeros beside it.
fn stands_alone_in(value: u128, hex: &str) -> bool {
    let digits = hex.replace(':', "");
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
    let area: Result<Vec<u8>, _> = pairs.map(|pair| u8::from_str_radix(pair, 16)).collect();
    let alone = |bytes: &[u8]| {
        let start = bytes.iter().take_while(|byte| **byte == 0).count();
        let zeros = bytes[start..].iter().rev().take_while(|byte| **byte == 0).count();
        bytes[start..bytes.len() - zeros].to_vec()
    };
    area.is_ok_and(|area| !area.is_empty() && alone(&area) == alone(&value.to_be_bytes()))
}

/// Lengths that headers count in words or pairs of bytes, and Wireshark in bytes.
fn in_wiresharks_unit(check: &Check) -> u128 {
    match check.shark.as_str() {
        "ip.hdr_len" | "tcp.hdr_len" => check.value * 4,
        // RFC 9268: 15 bits, the last bit of the MTU left away.
        "ipv6.opt.pmtu.rtn" => check.value * 2,
        // RFC 3810 §5.1.3, §5.1.9: codes of a mantissa and an exponent, which Wireshark shows as what they stand for.
        "icmpv6.mld.maximum_response_code" => with_exponent(check.value, 12),
        "icmpv6.mld.qqi" => with_exponent(check.value, 4),
        // RFC 8415 §21.9: hundredths of a second; there milliseconds.
        "dhcpv6.elapsed_time" => check.value * 10,
        _ => check.value,
    }
}

/// A number whose highest bit says that three bits of exponent and so many of mantissa follow.
fn with_exponent(code: u128, mantissa_bits: u32) -> u128 {
    let highest = 1 << (mantissa_bits + 3);
    if code < highest {
        return code;
    }
    let mantissa = code & ((1 << mantissa_bits) - 1) | 1 << mantissa_bits;
    mantissa << ((code >> mantissa_bits & 7) + 3)
}

fn number(text: &str, is_mac: bool) -> Option<u128> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(match address {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        });
    }
    if is_mac {
        return u128::from_str_radix(&text.replace(':', ""), 16).ok();
    }
    match text.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
