//! Templates: words that stand for many values, what they count, what they make, how they print, and what is refused.

use proptest::prelude::*;
use wirewright_craft::{Code, Template, parse, parse_template};

const SEED: [u8; 32] = [7; 32];

fn template(line: &str) -> Template {
    parse_template(line).unwrap_or_else(|error| panic!("{line}\n{error}"))
}

/// The packets of a line, without their layer words where a test looks at one field.
fn packets(line: &str) -> Vec<String> {
    template(line).packets(SEED).map(|packet| packet.to_string()).collect()
}

#[test]
fn each_kind_prints_its_words_and_counts_without_making() {
    for (line, printed, count) in [
        ("tcp 192.0.2.2:1..1024", "ip 192.0.2.2 / tcp :1..1024", Some(1024)),
        ("tcp 192.0.2.2:22,80", "ip 192.0.2.2 / tcp :22,80", Some(2)),
        ("tcp 192.0.2.2:22,8000..8010", "ip 192.0.2.2 / tcp :22,8000..8010", Some(12)),
        ("tcp 192.0.2.0/24:80", "ip 192.0.2.0/24 / tcp :80", Some(256)),
        ("tcp 192.0.2.9/24 :80 S", "ip 192.0.2.0/24 / tcp :80 S", Some(256)),
        ("ip 192.0.2.1..192.0.2.9", "ip 192.0.2.1..192.0.2.9", Some(9)),
        ("icmp 192.0.2.1,192.0.2.9", "ip 192.0.2.1,192.0.2.9 / icmp", Some(2)),
        ("ip6 2001:db8::/120", "ip6 2001:db8::/120", Some(256)),
        ("tcp 2001:db8::/120 :80", "ip6 2001:db8::/120 / tcp :80", Some(256)),
        ("tcp 2001:db8::1,2001:db8::2 :80", "ip6 2001:db8::1,2001:db8::2 / tcp :80", Some(2)),
        ("ip rand", "ip rand", Some(1)),
        ("ip6 rand", "ip6 rand", Some(1)),
        ("ip6 inc:2001:db8::1:2", "ip6 inc:2001:db8::1:2", Some(1)),
        ("tcp rand:80", "ip rand / tcp :80", Some(1)),
        ("tcp rand:192.0.2.0/24:80", "ip rand:192.0.2.0/24 / tcp :80", Some(1)),
        ("ip 192.0.2.2 id=rand:1..9", "ip 192.0.2.2 id=rand:1..9", Some(1)),
        ("tcp 192.0.2.2:80 seq=inc:1000:2", "ip 192.0.2.2 / tcp :80 seq=inc:1000:2", Some(1)),
        ("tcp :80 src=192.0.2.0/30 ip.dst=192.0.2.9", "ip 192.0.2.9 src=192.0.2.0/30 / tcp :80", Some(4)),
        ("tcp 192.0.2.2:80 ttl=1..9 tos=0,4", "ip 192.0.2.2 tos=0x00,0x04 ttl=1..9 / tcp :80", Some(18)),
        (
            "eth 02:00:00:00:00:01..02:00:00:00:00:09 / ip 192.0.2.2",
            "eth 02:00:00:00:00:01..02:00:00:00:00:09 / ip 192.0.2.2",
            Some(9),
        ),
        ("arp 192.0.2.0/24", "eth / arp 192.0.2.0/24", Some(256)),
        ("tcp server:1..100 S", "ip server / tcp :1..100 S", Some(100)),
        ("tcp 192.0.2.0/24:1..1024 sum=rand", "ip 192.0.2.0/24 / tcp :1..1024 sum=rand", Some(262_144)),
        ("tcp ::/0 :1..1024", "ip6 ::/0 / tcp :1..1024", None),
    ] {
        let template = template(line);
        assert_eq!((template.to_string().as_str(), template.count()), (printed, count), "{line}");
        let again = parse_template(printed).unwrap();
        assert_eq!((again.to_string(), again.count()), (template.to_string(), template.count()), "{printed}");
        assert_eq!(again.packet(9, SEED).to_string(), template.packet(9, SEED).to_string(), "{printed}");
        assert!(!template.is_plain());
        assert_eq!(parse(line).unwrap_err().code, Code::OnePacket, "{line}");
    }
    assert!(template("tcp 192.0.2.2:80 SYN,ACK").is_plain());
}

#[test]
fn several_multiply_and_the_last_changes_fastest() {
    assert_eq!(
        packets("tcp 192.0.2.0/31:22,80"),
        ["ip 192.0.2.0 / tcp :22", "ip 192.0.2.0 / tcp :80", "ip 192.0.2.1 / tcp :22", "ip 192.0.2.1 / tcp :80",]
    );
    // The order of the words within a layer says nothing about the order of the packets.
    assert_eq!(packets("ip 192.0.2.2 ttl=1,2 tos=0,4"), packets("ip tos=0,4 192.0.2.2 ttl=1,2"));
    let again = template("tcp 192.0.2.2:22,80").packet(3, SEED).to_string();
    assert_eq!(again, "ip 192.0.2.2 / tcp :80", "behind the last one it begins again");
}

#[test]
fn zip_pairs_what_is_equally_long_and_nothing_else() {
    let zipped = template("tcp 192.0.2.0/31:22,80 seq=inc:5:5").zip().unwrap();
    assert_eq!(zipped.count(), Some(2));
    let all: Vec<_> = zipped.packets(SEED).map(|packet| packet.to_string()).collect();
    assert_eq!(all, ["ip 192.0.2.0 / tcp :22 seq=5", "ip 192.0.2.1 / tcp :80 seq=10"]);
    let error = template("tcp 192.0.2.0/30:22,80").zip().unwrap_err();
    assert_eq!((error.one.1, error.other.1), (4, 2));
}

#[test]
fn rand_is_of_the_seed_and_inc_wraps_in_its_field() {
    let rand = template("ip 192.0.2.2 id=rand ttl=rand:7..9");
    let made = |seed: u8| -> Vec<_> { (0..50).map(|n| rand.packet(n, [seed; 32]).to_string()).collect() };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
    let mut ids: Vec<_> = made(1);
    ids.sort();
    ids.dedup();
    assert!(ids.len() > 45, "drawn anew for each packet: {}", ids.len());
    for n in 0..1000 {
        let ttl = rand.packet(n, SEED).layer("ip").unwrap().value_or_default("ttl").unwrap();
        assert!((7..=9).contains(&ttl), "{ttl}");
    }
    let inc = template("ip 192.0.2.2 ttl=inc:254:1");
    let ttls: Vec<_> =
        (0..4).map(|n| inc.packet(n, SEED).layer("ip").unwrap().value_or_default("ttl").unwrap()).collect();
    assert_eq!(ttls, [254, 255, 0, 1]);
}

#[test]
fn a_name_that_becomes_ipv6_takes_its_generators_along() {
    let mut template = template("tcp server:80 ttl=5..6 src=rand");
    let to: Result<(), ()> = template.resolve(|_, _| Ok("2001:db8::2".parse().unwrap()));
    to.unwrap();
    let packet = template.packet(1, SEED);
    assert_eq!(packet.layer("ip6").unwrap().value_or_default("hlim"), Some(6));
}

#[test]
fn what_is_wrong_is_refused_with_its_place_and_the_corrected_line() {
    for (line, code, place, corrected) in [
        ("tcp 192.0.2.2:9..1 S", Code::BadValue, "9..1", Some("tcp 192.0.2.2:1..9 S")),
        ("tcp 192.0.2.2 :1.. S", Code::BadValue, "1..", Some("tcp 192.0.2.2 :1..65535 S")),
        ("tcp 192.0.2.2:1..70000", Code::ValueTooLarge, "1..70000", Some("tcp 192.0.2.2:1..65535")),
        ("tcp 192.0.2.2:22,,80", Code::BadValue, "22,,80", Some("tcp 192.0.2.2:22,80")),
        ("ip 192.0.2.9..192.0.2.1", Code::BadAddress, "192.0.2.9..192.0.2.1", Some("ip 192.0.2.1..192.0.2.9")),
        ("udp 192.0.2.9..192.0.2.1:9", Code::BadAddress, "192.0.2.9..192.0.2.1:9", Some("udp 192.0.2.1..192.0.2.9:9")),
        ("ip 192.0.2.2 ttl=rand:5", Code::BadValue, "rand:5", None),
        ("ip 192.0.2.2 ttl=inc:5", Code::BadValue, "inc:5", None),
        ("ip 192.0.2.2 ttl=inc:5:", Code::BadValue, "inc:5:", None),
        ("ip 192.0.2.2 ttl=inc:5:256", Code::ValueTooLarge, "inc:5:256", None),
        ("ip 192.0.2.2 ttl=1..256", Code::ValueTooLarge, "1..256", Some("ip 192.0.2.2 ttl=1..255")),
        ("ip 192.0.2.2 ttl=192.0.2.0/24", Code::BadValue, "192.0.2.0/24", None),
        ("ip 192.0.2.2 1..9", Code::UnknownWord, "1..9", None),
        ("tcp 192.0.2.2:80 mss=9..1", Code::BadValue, "mss=9..1", Some("tcp 192.0.2.2:80 mss=1..9")),
        ("tcp 192.0.2.2:80 mss=1..70000", Code::BadValue, "mss=1..70000", Some("tcp 192.0.2.2:80 mss=1..65535")),
        ("tcp 192.0.2.2:80 ts=rand:0:inc:1", Code::BadValue, "ts=rand:0:inc:1", None),
        ("udp 192.0.2.2:9 zero=9..1", Code::BadPayload, "9..1", Some("udp 192.0.2.2:9 zero=1..9")),
        ("udp 192.0.2.2:9 rand=rand", Code::BadPayload, "rand", None),
        ("udp 192.0.2.2:9 zero=0..2000000", Code::BadPayload, "0..2000000", Some("udp 192.0.2.2:9 zero=0..1048575")),
        ("icmp 192.0.2.2 type=0..9 seq=3", Code::ManyForms, "0..9", None),
        ("icmp6 2001:db8::2 type=133..137", Code::ManyForms, "133..137", None),
    ] {
        let error = parse_template(line).expect_err(line);
        assert_eq!(error.code, code, "{line}\n{error}");
        assert!(error.line[error.column..].starts_with(place), "{line}\n{error}");
        assert_eq!(error.correction.as_deref(), corrected, "{line}\n{error}");
    }
    // Text is text.
    assert!(template("udp 192.0.2.2:9 data=1..9").is_plain());
    let error = parse("tcp 192.0.2.2:1..9 S").unwrap_err();
    assert_eq!(error.correction.as_deref(), Some("tcp 192.0.2.2:1 S"));
    let list = format!("tcp 192.0.2.2:{}", vec!["1"; wirewright_craft::LIST_MAX + 1].join(","));
    assert_eq!(parse_template(&list).unwrap_err().code, Code::BadValue);
}

/// A generator of 16 bits.
fn number() -> impl Strategy<Value = String> {
    let range = || (any::<u16>(), any::<u16>()).prop_map(|(a, b)| format!("{}..{}", a.min(b), a.max(b)));
    prop_oneof![
        any::<u16>().prop_map(|n| n.to_string()),
        range(),
        prop::collection::vec(prop_oneof![any::<u16>().prop_map(|n| n.to_string()), range()], 2..6)
            .prop_map(|parts| parts.join(",")),
        Just("rand".to_owned()),
        range().prop_map(|range| format!("rand:{range}")),
        (any::<u16>(), any::<u16>()).prop_map(|(start, step)| format!("inc:{start}:{step}")),
    ]
}

/// A generator of addresses.
fn addresses() -> impl Strategy<Value = String> {
    let v4 = || any::<u32>().prop_map(std::net::Ipv4Addr::from_bits);
    prop_oneof![
        v4().prop_map(|a| a.to_string()),
        (v4(), 0..=32u8).prop_map(|(a, len)| format!("{a}/{len}")),
        (v4(), v4()).prop_map(|(a, b)| format!("{}..{}", a.min(b), a.max(b))),
        (v4(), v4()).prop_map(|(a, b)| format!("{a},{b}")),
        Just("rand".to_owned()),
        (v4(), any::<u32>()).prop_map(|(a, step)| format!("inc:{a}:{step}")),
    ]
}

proptest! {
    #[test]
    fn printed_and_parsed_it_is_the_same_template(
        dst in addresses(), src in addresses(), port in number(), sport in number(), id in number(), at in any::<u64>()
    ) {
        let line = format!("tcp {dst}:{port} S src={src} sport={sport} ip.id={id}");
        let template = parse_template(&line).unwrap_or_else(|error| panic!("{error}"));
        let printed = template.to_string();
        let again = parse_template(&printed).unwrap_or_else(|error| panic!("{error}"));
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again.count(), template.count());
        prop_assert_eq!(again.packet(at, SEED), template.packet(at, SEED));
        if let Some(count) = template.count() {
            prop_assert_eq!(template.packet(at, SEED).layer("tcp").unwrap().get("dport"),
                again.packet(at, SEED).layer("tcp").unwrap().get("dport"));
            if count < 100 {
                prop_assert_eq!(template.packets(SEED).count() as u64, count);
            }
        }
    }

    #[test]
    fn no_line_of_generator_letters_panics(word in "[0-9a-f.,:/]{0,20}", key in "(ttl=|src=|:||sum=|seq=)(rand:|inc:|)") {
        let _any = parse_template(&format!("tcp 192.0.2.2:80 {key}{word}")).map(|t| (t.to_string(), t.packet(99, SEED)));
        let _any = parse_template(&format!("ip6 {key}{word}")).map(|t| (t.to_string(), t.packet(99, SEED)));
    }
}

#[test]
fn options_lengths_and_types_take_many_values() {
    for (line, count, printed, third) in [
        ("tcp 192.0.2.2:80 S mss=1400..1460 sack", 61, "mss=1400..1460 sack", "mss=1402 sack"),
        ("tcp 192.0.2.2:80 S nop nop ts=1..4:0,9", 8, "nop nop ts=1..4:0,9", "nop nop ts=2:0"),
        ("tcp 192.0.2.2:80 S ts=rand:7", 1, "ts=rand:7", ":7"),
        ("tcp 192.0.2.2:80 S ts=rand:3..3:inc:5:2", 1, "ts=rand:3..3:inc:5:2", "ts=3:9"),
        ("tcp 192.0.2.2:80 S ts=rand:3..4", 2, "ts=rand:3..4", ":3"),
        ("tcp 192.0.2.2:80 A sack=1..2:9", 2, "sack=1..2:9", "sack=1:9"),
        ("udp 192.0.2.2:9 zero=0..100", 101, "zero=0..100", "zero=2"),
        ("udp 192.0.2.2:9 rand=8,16,32", 3, "rand=8,16,32", "rand=32"),
        ("icmp 192.0.2.2 type=0..255", 256, "type=0..255", "type=2"),
        ("icmp 192.0.2.2 type=0,8 id=7", 2, "type=0,8 id=7", "type=reply id=7"),
        ("icmp 192.0.2.2 type=3 code=0..15", 16, "code=0..15", "code=proto"),
    ] {
        let it = template(line);
        assert_eq!(it.count(), Some(count), "{line}");
        let text = it.to_string();
        assert!(text.ends_with(printed), "{line}: {text}");
        assert_eq!(parse_template(&text).as_ref(), Ok(&it), "{text}");
        let packet = it.packet(2, [3; 32]);
        assert!(packet.to_string().ends_with(third), "{line}: {packet}");
        assert_eq!(packet, parse(&packet.to_string()).expect(line), "{line}");
    }
    let it = template("udp 192.0.2.2:9 zero=5..9,3");
    assert_eq!(it.longest().expect("lengths differ").to_string(), "ip 192.0.2.2 / udp :9 zero=9");
    assert_eq!((it.differs_from_layer(), template("udp 192.0.2.2:9").longest()), (Some(0), None));
}

#[test]
fn one_packet_out_of_many_options_is_asked_for_with_one_value() {
    let error = parse("tcp 192.0.2.2:80 S ts=5:1..9").unwrap_err();
    assert_eq!(error.correction.as_deref(), Some("tcp 192.0.2.2:80 S ts=5:1"));
    let error = parse("udp 192.0.2.2:9 zero=4..9").unwrap_err();
    assert_eq!(error.correction.as_deref(), Some("udp 192.0.2.2:9 zero=4"));
}
