//! Random packets: right and wrong fields, options known and unknown, every kind of payload, and frames with broken bytes.

use wirewright_craft::{Built, First, Layer, Packet, Payload, Setting, Wrong};
use wirewright_sim::Dice;
use wirewright_wire::{
    Auto, FieldDesc, Form, HeaderDesc, Kind, LengthOf, OptionDesc, OptionLen, TlvDesc, TlvLength, Variant,
    layer as layer_named,
};

use crate::every_field::context;

/// The chains that a packet is made of; what lies below the first layer is not made.
const CHAINS: &[&[&str]] = &[
    &["ip", "tcp"],
    &["ip", "udp"],
    &["ip", "icmp"],
    &["ip"],
    &["ip6", "tcp"],
    &["ip6", "udp"],
    &["ip6", "icmp6"],
    &["ip6", "hopopt", "udp"],
    &["ip6", "dstopt", "tcp"],
    &["ip6", "frag", "udp"],
    &["ip6", "route", "tcp"],
    &["ip6"],
    &["eth", "ip", "tcp"],
    &["eth", "ip6", "udp"],
    &["eth", "vlan", "ip", "icmp"],
    &["eth", "vlan", "vlan", "ip6", "tcp"],
    &["eth", "qinq", "vlan", "ip", "udp"],
    &["eth", "qinq", "qinq", "arp"],
    &["eth", "mpls", "ip", "tcp"],
    &["eth", "vlan", "mpls", "mpls", "ip6", "udp"],
    &["eth", "mpls"],
    &["ip", "gre", "ip", "tcp"],
    &["ip6", "gre", "eth", "vlan", "ip6", "udp"],
    &["ip", "gre", "mpls", "ip", "gre", "arp"],
    &["eth", "ip", "udp", "vxlan", "eth", "ip", "icmp"],
    &["ip6", "udp", "vxlan", "eth", "ip", "udp", "vxlan", "eth", "arp"],
    &["ip", "igmp"],
    &["eth", "ip", "igmp"],
    &["ip", "udp", "dhcp"],
    &["eth", "ip6", "udp", "dhcp6"],
    &["eth", "ip", "tcp", "dnslen", "dns"],
    &["eth", "arp"],
    &["eth"],
    &["ip", "ip", "udp"],
    &["ip", "ip6", "tcp"],
    &["ip", "icmp", "ip", "tcp"],
    &["ip6", "icmp6", "ip6", "udp"],
    &["ip6", "hopopt", "route", "frag", "dstopt", "icmp6", "ip6", "frag", "tcp"],
];

/// Payloads that shells, quoting and guessing trip over.
const TEXTS: &[&str] = &[
    "hello world",
    "GET / HTTP/1.0\r\n\r\n",
    "it's 100% $HOME `id` \"x\" \\ !! *?[a-z]{1,2} ~ # ; & | < > ( ) ^ =ls",
    "\0\u{1}\u{1b}[31mred\u{7}\u{9b}2J",
    "세계 ünïcode \u{202e}abc",
    "deadbeef",
    "0123456789abcdef",
    "'",
    "\\x41\\n",
    "-n --help -",
];

/// A packet of layers with random settings, and its bytes.
pub(crate) fn random_built(dice: &mut Dice) -> (Packet, Built) {
    loop {
        let packet = random_packet(dice);
        // What cannot be built (a length that does not fit) is no packet to be printed.
        if let Ok(built) = packet.build(&context()) {
            return (packet, built);
        }
    }
}

/// Bytes as they could come from anywhere: a built packet, often broken.
pub(crate) fn random_bytes(dice: &mut Dice) -> (Vec<u8>, First) {
    let (_, built) = random_built(dice);
    let (mut bytes, first) = (built.bytes, built.first);
    match dice.below(4) {
        0 => {
            let end = dice.below(bytes.len() as u64 + 1);
            bytes.truncate(usize::try_from(end).expect("a packet is short"));
        }
        1 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(bytes.len() as u64 * 8);
                bytes[usize::try_from(at / 8).expect("a packet is short")] ^= 1 << (at % 8);
            }
        }
        _ => {}
    }
    (bytes, first)
}

pub(crate) fn random_packet(dice: &mut Dice) -> Packet {
    let chain = CHAINS[pick(dice, CHAINS.len())];
    let mut packet = Packet::new();
    for key in chain {
        // A message is mostly found by the port below it.
        let port = [("dhcp", 67), ("dhcp6", 547), ("dnslen", 53)].into_iter().find(|(message, _)| message == key);
        if let Some(((_, port), transport)) = port.filter(|_| dice.below(4) != 0).zip(packet.layers.last_mut()) {
            transport.set("dport", Setting::Exactly(port));
        }
        packet.layers.push(random_layer(layer_named(key).expect("a known layer"), dice));
    }
    packet.payload = random_payload(dice);
    if chain[0] == "eth" && dice.below(8) == 0 {
        packet.trailer = random(dice, 20);
    }
    packet
}

fn random_layer(desc: &'static HeaderDesc, dice: &mut Dice) -> Layer {
    let mut layer = Layer::new(desc);
    if let Some(selector) = desc.selector().filter(|_| desc.selects_body()) {
        let variant = &desc.variants[pick(dice, desc.variants.len())];
        let value = variant.values.first().copied().unwrap_or(250);
        layer.set(selector.key, Setting::Exactly(u128::from(value)));
    }
    // The type of a message was drawn above; another one would have another body.
    let is_open = |field: &&FieldDesc| !field.selects_next || !desc.selects_body();
    let mut rows: Vec<&'static FieldDesc> = layer.rows().map(|(_, field, _)| field).filter(is_open).collect();
    // What the form of a message that nothing is set of does not have.
    let whole = layer.variant().and_then(|variant| {
        let same = |it: &&Variant| !desc.selects_body() || it.values == variant.values;
        desc.variants.iter().filter(same).find(|it| it.form == Form::Whole)
    });
    let others = whole.into_iter().flat_map(|it| it.body.fields);
    let others: Vec<_> = others.filter(|it| rows.iter().all(|row| row.key != it.key)).collect();
    rows.extend(others);
    for field in rows {
        let must = field.auto == Auto::Required;
        // What selects the next layer is mostly left alone, or most packets would end there.
        let rare = field.selects_next && dice.below(8) != 0;
        if field.kind == Kind::Text {
            let most = usize::try_from(field.max()).expect("a text is short");
            let text = if dice.below(2) == 0 { random(dice, most) } else { b"it's 100% \\ text".to_vec() };
            layer.set_text(field.key, &text);
        } else if must || (!rare && dice.below(3) == 0) {
            layer.set(field.key, random_setting(field, dice));
        }
    }
    if let Some(table) = layer.option_table().filter(|_| dice.below(2) == 0) {
        layer.set_options(random_options(table, dice));
        layer.set_unended(dice.below(4) == 0);
    }
    layer
}

fn random_setting(field: &FieldDesc, dice: &mut Dice) -> Setting {
    match (field.auto, dice.below(4)) {
        (Auto::Checksum(_), 0) => Setting::Wrong(Wrong::WORDS[pick(dice, Wrong::WORDS.len())].1),
        (Auto::Checksum(_) | Auto::Length(_), 1) => {
            let most = field.max().min(100) as u64;
            Setting::Relative(i64::try_from(dice.below(2 * most + 1)).expect("small") - most as i64)
        }
        _ => {
            let random = (u128::from(dice.bits()) << 64) | u128::from(dice.bits());
            let value = match dice.below(4) {
                0 => 0,
                1 => field.max(),
                2 if !field.names.is_empty() && field.kind != Kind::Flags => {
                    u128::from(field.names[pick(dice, field.names.len())].value)
                }
                _ => random & field.max(),
            };
            Setting::Exactly(value)
        }
    }
}

fn random_payload(dice: &mut Dice) -> Payload {
    match dice.below(5) {
        0 => Payload::Empty,
        1 => Payload::Zero(pick(dice, 40)),
        2 => Payload::Bytes(random(dice, 60)),
        _ => Payload::Bytes(TEXTS[pick(dice, TEXTS.len())].as_bytes().to_vec()),
    }
}

/// Options of the table, of no table, and now and then bytes that are none.
fn random_options(table: &TlvDesc, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=dice.below(4) {
        let option = &table.kinds[pick(dice, table.kinds.len())];
        let kind = if dice.below(6) == 0 { dice.bits() as u16 } else { option.kind };
        let mut value = match option.len {
            OptionLen::Single => {
                bytes.push(kind as u8);
                continue;
            }
            OptionLen::Value(length) | OptionLen::Entry(length) => random_of(dice, length),
            OptionLen::Repeats(length) => random_of(dice, length * 2),
            OptionLen::Counted => random_record(option, dice),
            OptionLen::Text if dice.below(2) == 0 => b"a host's name".to_vec(),
            OptionLen::Parts => random_parts(option, dice),
            _ => random(dice, 6),
        };
        if dice.below(4) != 0 {
            option.when.stamp(&mut value);
        }
        push_option(table, kind, &value, &mut bytes);
    }
    if dice.below(10) == 0 {
        bytes.extend(random(dice, 6));
    }
    bytes.truncate(table.max.min(if table.length == TlvLength::Entries { 100 } else { 40 }));
    bytes
}

/// A value in one of the forms of an option with parts, as far as chance finds one, and now and then of none.
fn random_parts(option: &OptionDesc, dice: &mut Dice) -> Vec<u8> {
    const TRIES: usize = 60;
    let most = option.fixed_len() + option.parts.iter().map(|part| part.field.end_byte()).sum::<usize>();
    let mut value = Vec::new();
    for _ in 0..TRIES {
        value = random(dice, most);
        option.when.stamp(&mut value);
        // Reserved bits are what they should be, or no form would be found.
        for field in option.fields.iter().filter(|field| field.reserved) {
            // A value too short for it has no form.
            let _fits = value.len() >= field.end_byte() && field.write(&mut value, field.default);
        }
        if option.is_for(&value) {
            break;
        }
    }
    value
}

/// A record with a few entries and words behind them.
fn random_record(option: &OptionDesc, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = random_of(dice, option.fixed_len());
    let (entries, words) = (dice.below(3) as usize, dice.below(3) as usize / 2);
    for field in option.fields {
        let _in_it = match field.auto {
            Auto::Entries(_) => field.write(&mut bytes, entries as u128),
            Auto::Length(LengthOf::Words) => field.write(&mut bytes, words as u128),
            _ => continue,
        };
    }
    bytes.extend(random_of(dice, entries * option.entry_len() + words * 4));
    bytes
}

fn push_option(table: &TlvDesc, kind: u16, value: &[u8], bytes: &mut Vec<u8>) {
    if table.length == TlvLength::Entries {
        return bytes.extend(value);
    }
    if table.head_len() == 4 {
        bytes.extend(kind.to_be_bytes());
        bytes.extend(u16::try_from(value.len()).expect("an option is short").to_be_bytes());
        return bytes.extend(value);
    }
    let whole = value.len() + 2;
    let (padded, length) = match table.length {
        TlvLength::WholeOctoBytes => (whole.next_multiple_of(8), whole.div_ceil(8)),
        TlvLength::ValueBytes => (whole, value.len()),
        _ => (whole, whole),
    };
    bytes.extend([kind as u8, u8::try_from(length).expect("an option is short")]);
    bytes.extend(value);
    bytes.resize(bytes.len() + padded - whole, 0);
}

/// Up to `most` random bytes.
fn random(dice: &mut Dice, most: usize) -> Vec<u8> {
    let length = pick(dice, most + 1);
    random_of(dice, length)
}

fn random_of(dice: &mut Dice, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    dice.fill(&mut bytes);
    bytes
}

fn pick(dice: &mut Dice, count: usize) -> usize {
    usize::try_from(dice.below(count as u64)).expect("an index fits")
}
