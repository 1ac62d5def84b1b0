//! Walks all tables: every row is whole, and what a person types has one reading.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use wirewright_wire::{
    Auto, FieldDesc, Form, HeaderDesc, Kind, LAYERS, LengthOf, Name, OptionDesc, OptionLen, TlvDesc, Variant, layer,
    next,
};

/// Words that mean something else wherever a value may stand.
const RESERVED: &[&str] = &["rand", "inc", "bad", "swap", "nopseudo", "odd", "zero", "none", "stdin", "raw"];

/// The layers and the bodies of their messages, of several forms the one that has every row.
fn headers() -> impl Iterator<Item = &'static HeaderDesc> {
    let bodies = |desc: &'static HeaderDesc| desc.variants.iter().filter(|it| it.form != Form::Short).map(|it| it.body);
    LAYERS.iter().flat_map(move |desc| std::iter::once(*desc).chain(bodies(desc)))
}

fn option_lists() -> impl Iterator<Item = &'static TlvDesc> {
    headers().filter_map(|desc| desc.options)
}

/// All rows: of headers, bodies and options.
fn fields() -> impl Iterator<Item = &'static FieldDesc> {
    let rows = |option: &'static OptionDesc| option.fields.iter().chain(option.parts.iter().map(|part| &part.field));
    let options = option_lists().flat_map(|list| list.kinds).flat_map(rows);
    headers().flat_map(|desc| desc.fields).chain(options)
}

fn names() -> impl Iterator<Item = (&'static str, &'static [Name])> {
    let codes = LAYERS.iter().flat_map(|desc| desc.variants).map(|variant| (variant.body.key, variant.codes));
    fields().map(|field| (field.meaning, field.names)).chain(codes)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn is_other_tools_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn every_row_is_whole() {
    for field in fields() {
        let at = field.meaning;
        assert!(!field.name.is_empty() && !at.is_empty(), "{at}");
        assert!(is_word(field.key), "{at}: the key `{}`", field.key);
        assert!(at.ends_with(&format!(".{}", field.key)), "{at} ends in its key");
        assert!(field.default <= field.max(), "{at}: the default fits");
        assert!(field.names.iter().all(|name| u128::from(name.value) <= field.max()), "{at}: the names' values fit");
        assert!(!field.bare || field.kind == Kind::Bit, "{at}: only a bit is a bare word");
        assert!(field.auto == Auto::None || field.default == 0, "{at}: what fills itself has no default");
    }
    for desc in headers() {
        assert!(!desc.title.is_empty() && !desc.rfc.is_empty() && !desc.key.is_empty(), "{}", desc.key);
    }
    for option in option_lists().flat_map(|list| list.kinds) {
        assert!(!option.title.is_empty() && !option.rfc.is_empty() && is_word(option.key), "{}", option.key);
    }
}

#[test]
fn fields_follow_one_another_without_gaps() {
    for desc in headers() {
        let end = desc.fields.iter().fold(0, |end, field| {
            assert_eq!(field.offset, end, "{}", field.meaning);
            end + field.bits
        });
        assert_eq!(end, desc.len * 8, "{}", desc.key);
    }
    for option in option_lists().flat_map(|list| list.kinds) {
        let bits: usize = option.fields.iter().map(|field| field.bits).sum();
        match option.len {
            OptionLen::Value(len) | OptionLen::Repeats(len) | OptionLen::Entry(len) => {
                assert_eq!(bits, len * 8, "{}", option.key)
            }
            OptionLen::Single => assert_eq!(bits, 0, "{}", option.key),
            OptionLen::Counted => {
                assert_eq!(bits, option.fixed_len() * 8, "{}", option.key);
                assert!(option.entry_len() > 0, "{}", option.key);
            }
            _ => assert_eq!(bits % 8, 0, "{}", option.key),
        }
    }
}

/// Every value that an option may have by its length and by the bits that decide about it, with zeros elsewhere.
fn forms(list: &TlvDesc, option: &OptionDesc) -> Vec<Vec<u8>> {
    let mask = option.parts.iter().fold(option.when.mask, |all, part| all | part.when.mask);
    let heads = (0..=u16::MAX).filter(|head| head & !mask == 0 && head & option.when.mask == option.when.value);
    let values = heads.flat_map(|head| {
        (0..list.max).map(move |len| {
            let mut value = vec![0; len];
            value.iter_mut().zip(head.to_be_bytes()).for_each(|(byte, bits)| *byte = bits);
            value
        })
    });
    values.filter(|value| option.is_for(value)).collect()
}

#[test]
fn a_value_has_one_form_and_every_part_stands_in_some() {
    for list in option_lists() {
        for option in list.kinds.iter().filter(|option| !option.when.is_always()) {
            let forms = forms(list, option);
            assert!(!forms.is_empty(), "{} has no value", option.key);
            for value in &forms {
                let others = list.kinds.iter().filter(|other| other.kind == option.kind && other.is_for(value));
                assert_eq!(others.count(), 1, "{}: {value:?} has two forms", option.key);
                assert_eq!(list.of(option.kind, value).map(|found| found.key), Some(option.key));
                let end = option.rows_in(value).map(|(at, field)| at + field.end_byte()).max().unwrap_or(0);
                let entries = value.len() - end;
                assert!(entries.is_multiple_of(option.entry_len().max(1)) && end <= value.len(), "{}", option.key);
            }
            for part in option.parts {
                assert!(forms.iter().any(|value| part.is_in(value)), "{} is never there", part.field.meaning);
            }
            // What the condition asks for is what the rows that stand for it say when they are not set.
            let mut value = vec![0; option.fixed_len()];
            let decided = option.fields.iter().filter(|field| field.reserved);
            decided.for_each(|field| assert!(field.write(&mut value, field.default), "{}", field.meaning));
            let mut stamped = vec![0; option.fixed_len()];
            option.when.stamp(&mut stamped);
            assert_eq!(value, stamped, "{}", option.key);
        }
        let several = |kind: u16| list.kinds.iter().filter(|option| option.kind == kind).count() > 1;
        for option in list.kinds.iter().filter(|option| several(option.kind)) {
            assert!(!option.when.is_always(), "{} is one of several", option.key);
        }
    }
}

#[test]
fn keys_are_unique_within_what_a_person_writes_in_one_layer() {
    for desc in LAYERS {
        let none = std::iter::once(None);
        for variant in none.chain(desc.variants.iter().map(Some)) {
            let body = variant.map_or(&[][..], |variant| variant.body.fields);
            let options = variant.and_then(|variant| variant.body.options).or(desc.options);
            let mut seen = BTreeSet::new();
            for field in desc.fields.iter().chain(body) {
                assert!(seen.insert(field.key), "{} has `{}` twice", desc.key, field.key);
            }
            let options = options.map_or(&[][..], |list| list.kinds);
            for (i, option) in options.iter().enumerate() {
                let twice = options[..i].iter().any(|earlier| earlier.key == option.key);
                // RFC 2018: `sack` permits, `sack=…` reports.
                assert!(seen.insert(option.key) || twice && option.key == "sack", "{}: `{}`", desc.key, option.key);
            }
        }
    }
    let layers: BTreeSet<&str> = LAYERS.iter().map(|desc| desc.key).collect();
    assert_eq!(layers.len(), LAYERS.len());
    assert!(layers.iter().all(|key| is_word(key)));
}

#[test]
fn keys_that_reach_the_ip_layer_are_no_keys_above_it() {
    for key in ["icmp", "icmp6", "igmp", "gre", "udp", "tcp", "vxlan"] {
        let desc = layer(key).expect("it is a layer");
        let bodies = desc.variants.iter().flat_map(|variant| variant.body.fields);
        for field in desc.fields.iter().chain(bodies) {
            assert!(!["src", "dst", "ttl", "tos"].contains(&field.key), "{}", field.meaning);
        }
    }
}

#[test]
fn names_are_sorted_and_their_words_have_one_reading() {
    for (at, names) in names() {
        assert!(names.windows(2).all(|pair| pair[0].value < pair[1].value), "{at}: sorted by value");
        let mut seen = BTreeSet::new();
        for name in names {
            assert!(seen.insert(name.word), "{at}: `{}` twice", name.word);
            assert!(!name.title.is_empty(), "{at}");
            assert!(!RESERVED.contains(&name.word), "{at}: `{}` means something else", name.word);
        }
    }
    for field in fields() {
        for name in field.names {
            match field.kind {
                Kind::Flags => assert_eq!((name.word.len(), name.value.count_ones()), (1, 1), "{}", field.meaning),
                _ => assert!(is_word(name.word), "{}: `{}`", field.meaning, name.word),
            }
        }
    }
}

#[test]
fn other_tools_names_lead_to_one_place() {
    for desc in headers() {
        let options = desc.options.map_or(&[][..], |list| list.kinds);
        let keys: BTreeSet<&str> = desc.fields.iter().map(|f| f.key).chain(options.iter().map(|o| o.key)).collect();
        let mut seen = BTreeMap::new();
        let fields = desc.fields.iter().map(|field| (field.key, field.also));
        for (key, also) in fields.chain(options.iter().map(|option| (option.key, option.also))) {
            for name in also {
                assert!(is_other_tools_name(name), "{}: `{name}`", desc.key);
                assert!(!keys.contains(name), "{}: `{name}` of `{key}` is a key itself", desc.key);
                let earlier = seen.insert(*name, key);
                assert_eq!(earlier.unwrap_or(key), key, "{}: `{name}` leads to two places", desc.key);
            }
        }
    }
    for (at, names) in names() {
        let mut seen = BTreeMap::new();
        for name in names {
            for also in name.also {
                assert!(is_other_tools_name(also), "{at}: `{also}`");
                assert!(names.iter().all(|other| other.word != *also), "{at}: `{also}` is a word itself");
                assert_eq!(seen.insert(*also, name.word), None, "{at}: `{also}` leads to two places");
            }
        }
    }
    let mut seen = BTreeSet::new();
    for also in LAYERS.iter().flat_map(|desc| desc.also) {
        assert!(is_other_tools_name(also) && layer(also).is_none(), "`{also}`");
        assert!(seen.insert(*also), "`{also}` leads to two layers");
    }
}

#[test]
fn meanings_are_unique_over_all_tables() {
    let mut seen = BTreeSet::new();
    // A list of options may hang on several bodies: count it once.
    let mut lists: Vec<&TlvDesc> = vec![];
    for list in option_lists() {
        if !lists.iter().any(|known| std::ptr::eq(*known, list)) {
            lists.push(list);
        }
    }
    let mut bodies: Vec<&HeaderDesc> = vec![];
    for desc in headers() {
        if !bodies.iter().any(|known| std::ptr::eq(*known, desc)) {
            bodies.push(desc);
        }
    }
    let rows = |option: &'static OptionDesc| option.fields.iter().chain(option.parts.iter().map(|part| &part.field));
    let options = lists.iter().flat_map(|list| list.kinds).flat_map(rows);
    for field in bodies.iter().flat_map(|desc| desc.fields).chain(options) {
        assert!(seen.insert(field.meaning), "`{}` twice", field.meaning);
    }
}

#[test]
fn every_code_selects_what_its_variant_says() {
    for desc in LAYERS {
        let mut seen = BTreeSet::new();
        for variant in desc.variants {
            assert!(!variant.values.is_empty(), "{}", variant.body.key);
            for value in variant.values {
                // A shorter form of a message has the value of the longer one, which stands before it.
                assert!(seen.insert((value, variant.least)), "{}: {value} chooses two bodies", desc.key);
                let chosen = desc.variant_for(u128::from(*value)).expect("it chooses one");
                assert_eq!(chosen.body.key, variant.body.key);
                let chooser = desc.chooser.or(desc.selector()).expect("a layer with bodies selects them");
                let named = desc.chooser.is_some() || chooser.word_for(u128::from(*value)).is_some();
                assert!(named, "{}: {value} has a word", desc.key);
                assert!(u128::from(*value) <= chooser.max(), "{}: {value} fits", desc.key);
                let mut message = vec![0; desc.len + variant.body.len];
                assert!(chooser.write(&mut message, u128::from(*value)));
                let read = desc.variant_of(&message).expect("what it chooses is read");
                assert!(std::ptr::eq(read, variant), "{}: {value} is read as another form", desc.key);
            }
            assert!(variant.codes.iter().all(|name| name.value <= 255), "{}", variant.body.key);
        }
        assert!(desc.variants.is_empty() || desc.selector().is_some(), "{}", desc.key);
    }
}

#[test]
fn forms_of_a_message_have_the_same_rows_and_stand_from_the_longest_to_the_shortest() {
    for desc in LAYERS {
        for (index, short) in desc.variants.iter().enumerate().filter(|(_, variant)| variant.form == Form::Short) {
            let same = |other: &&Variant| {
                other.form == Form::Whole && (desc.chooser.is_some() || other.values == short.values)
            };
            let whole = desc.variants[..index].iter().find(same).expect("the whole form stands before it");
            assert!(whole.body.fields.iter().all(|field| field.is_there()), "{}", whole.body.key);
            let longer = &desc.variants[index - 1];
            assert!(longer.body.len >= short.body.len && longer.least >= short.least, "{}", short.body.key);
            assert_eq!(whole.body.fields.len(), short.body.fields.len(), "{}", short.body.key);
            for (field, whole) in short.body.fields.iter().zip(whole.body.fields) {
                assert_eq!((field.key, field.meaning), (whole.key, whole.meaning), "{}", short.body.key);
                assert!(!field.is_there() || field.bits == whole.bits, "{}", field.meaning);
                assert!(field.is_there() || field.read(&[0xff; 64]).is_none(), "{}", field.meaning);
            }
        }
        for field in desc.variants.iter().flat_map(|variant| variant.body.fields).filter(|it| !it.flag.is_empty()) {
            let flag = desc.field(field.flag).expect("the bit that announces a field stands in the header");
            assert_eq!((flag.bits, flag.auto), (1, Auto::Present), "{}", field.meaning);
        }
    }
}

#[test]
fn numbers_of_layers_go_both_ways() {
    for desc in LAYERS {
        if let Some(number) = next::ether_type_of(desc) {
            assert_eq!(next::ether_type(number).map(|found| found.key), Some(desc.key));
        }
        if let Some(number) = next::protocol_of(desc) {
            assert_eq!(next::protocol(number).map(|found| found.key), Some(desc.key));
        }
        let reachable = next::ether_type_of(desc).is_some() || next::protocol_of(desc).is_some();
        // Applications and VXLAN are told by the ports below them, most by their own form too.
        assert!(reachable || desc.port.is_some() || desc.key == "dnslen", "{} follows something", desc.key);
    }
    let (eth, ip, tcp) = (layer("eth").unwrap(), layer("ip").unwrap(), layer("tcp").unwrap());
    assert_eq!(next::number_for(eth, ip), Some(0x0800));
    assert_eq!(next::number_for(ip, tcp), Some(6));
    assert_eq!(next::number_for(eth, tcp), None);
    assert_eq!(next::number_for(layer("icmp").unwrap(), tcp), None);
    assert_eq!(next::after(eth, 0x86dd).map(|desc| desc.key), Some("ip6"));
    assert_eq!(next::after(layer("frag").unwrap(), 17).map(|desc| desc.key), Some("udp"));
    assert!(next::after(tcp, 80).is_none() && next::after(eth, 0x1234).is_none());
    assert_eq!(next::link_type(1, 0).map(|desc| desc.key), Some("eth"));
    assert_eq!(next::link_type(101, 0x45).map(|desc| desc.key), Some("ip"));
    assert_eq!(next::link_type(101, 0x60).map(|desc| desc.key), Some("ip6"));
    assert!(next::link_type(101, 0x00).is_none() && next::link_type(147, 0).is_none());
}

#[test]
fn the_word_for_an_ip_protocol_is_the_key_of_its_layer() {
    let proto = layer("ip").unwrap().field("proto").unwrap();
    for desc in LAYERS {
        if let Some(number) = next::protocol_of(desc).filter(|number| ![4, 41].contains(number)) {
            assert_eq!(proto.word_for(u128::from(number)).map(|name| name.word), Some(desc.key));
        }
    }
    let ether_type = layer("eth").unwrap().field("type").unwrap();
    for desc in LAYERS {
        // A frame in another one has the name of the way that it is carried: transparent Ethernet bridging.
        if let Some(number) = next::ether_type_of(desc).filter(|number| *number != next::ether_type::ETHERNET) {
            assert_eq!(ether_type.word_for(u128::from(number)).map(|name| name.word), Some(desc.key));
        }
    }
}

#[test]
fn every_header_states_its_length_where_it_may_vary() {
    for desc in LAYERS.iter().filter(|desc| desc.options.is_some()) {
        let states =
            |field: &FieldDesc| matches!(field.auto, Auto::Length(LengthOf::HeaderWords | LengthOf::Extension));
        let closes = desc.options.is_some_and(|list| list.closing().is_some());
        assert!(desc.fields.iter().any(states) || closes, "{}", desc.key);
    }
    let mut header = [0; 40];
    for (key, field, value, len) in [("ip", "ihl", 15, 60), ("tcp", "doff", 6, 24), ("hopopt", "len", 2, 24)] {
        let desc = layer(key).unwrap();
        assert!(desc.field(field).unwrap().write(&mut header, value));
        assert_eq!(desc.stated_len(&header), Some(len), "{key}");
        assert_eq!(desc.stated_len(&header[..0]), None, "{key}");
        header.fill(0);
    }
    assert_eq!(layer("udp").unwrap().stated_len(&[0; 8]), Some(8));
}

/// Names of the rows that Wireshark 4.0 does not have.
const UNKNOWN_TO_WIRESHARK: &[&str] = &[];

#[test]
fn wiresharks_names_are_wiresharks() {
    let Ok(output) = Command::new("tshark").args(["-G", "fields"]).output() else {
        eprintln!("skipped: there is no tshark");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let known: BTreeSet<&str> = text.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    assert!(known.len() > 1000, "tshark lists its fields");
    let options = option_lists().flat_map(|list| list.kinds).map(|option| option.shark);
    let layers = LAYERS.iter().map(|desc| desc.shark);
    for name in fields().map(|field| field.shark).chain(options).chain(layers) {
        assert!(name.is_empty() || known.contains(name) || UNKNOWN_TO_WIRESHARK.contains(&name), "`{name}`");
    }
}
