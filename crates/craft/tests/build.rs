//! From settings to bytes: what fills itself, what is wrong on purpose, spans, and the chain of layers found again.

use wirewright_craft::{
    Built, Context, First, Note, Origin, Packet, Setting, What, Wrong, arp, eth, icmp, icmp6, ip, ip6, parse, plus,
    qinq, tcp, udp, vlan, walk,
};
use wirewright_wire::checksum;

fn build(line: &str) -> Built {
    let packet = parse(line).unwrap_or_else(|error| panic!("{line}\n{error}"));
    let context = Context {
        source_v4: Some([192, 0, 2, 1].into()),
        source_v6: Some("2001:db8::1".parse().unwrap()),
        entropy: [3; 32],
        ..Context::default()
    };
    packet.build(&context).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn value(built: &Built, layer: usize, key: &str) -> u128 {
    let span = built.span(layer, key).unwrap_or_else(|| panic!("{key}"));
    let bits = built.bytes[span.bytes.clone()].iter().fold(0, |all, &byte| all << 8 | u128::from(byte));
    let shift = span.bytes.end * 8 - span.bits.end;
    bits >> shift & ((1 << (span.bits.len() - 1) << 1) - 1)
}

const BEGINNERS: &str = "ip 192.168.1.1 src=192.168.1.103 tos=1 id=54321 ttl=255 proto=tcp df=0";

#[test]
fn the_beginners_packet_comes_out_as_the_beginner_made_it() {
    let sum = |line: &str| value(&build(&format!("{BEGINNERS} {line}")), 0, "sum");
    assert_eq!(sum("len=0 sum=swap"), 0x0c64);
    assert_eq!(sum("len=0"), 0x640c);
    assert_eq!(sum("sum=swap+stale"), 0x0c64, "computed while the length was still 0");
    assert_eq!(sum("sum=swap"), 0xf863);
    assert_eq!(sum(""), 0x63f8);
}

#[test]
fn what_fills_itself_is_right() {
    for line in [
        "tcp 192.0.2.2:80 S mss=1460 nop data='odd'",
        "tcp 2001:db8::2 :80 S data='even'",
        "udp 192.0.2.2:53 data='x'",
        "udp 2001:db8::2 :53 data='x'",
        "icmp 192.0.2.2 data='abc'",
        "icmp6 2001:db8::2 data='abc'",
        "ip 192.0.2.2 ra=0 / ip 192.0.2.3 / udp :9",
        "icmp 192.0.2.2 type=unreach code=port / udp 192.0.2.9:53 data='abc'",
    ] {
        let built = build(line);
        let chain = walk(&built.bytes, built.first);
        assert!(chain.iter().all(|layer| layer.complaint.is_none()) && chain.cut.is_none(), "{line}");
        // Read again, every sum and length is what fills itself.
        let again = Packet::from_bytes(&built.bytes, built.first);
        for key in ["sum", "len", "ihl", "doff", "proto", "nh"] {
            assert!(!again.to_string().contains(&format!(" {key}=")), "{line}: {again}");
        }
        if let Some(first) = built.bytes.first().filter(|first| **first >> 4 == 4) {
            assert!(checksum::verify(&built.bytes[..usize::from(first & 15) * 4]), "{line}");
        }
    }
}

#[test]
fn the_length_in_a_pseudo_header_is_that_of_the_real_bytes() {
    let right = value(&build("udp 192.0.2.2:53 sport=9 data='hello'"), 1, "sum");
    assert_eq!(value(&build("udp 192.0.2.2:53 sport=9 data='hello' ip.len=9999"), 1, "sum"), right);
    // The header's own length field is among the bytes as they will leave.
    let wrong_length = value(&build("udp 192.0.2.2:53 sport=9 len=+1 data='hello'"), 1, "sum");
    assert_eq!(right - 1, wrong_length);
}

#[test]
fn a_stack_of_tags_announces_each_by_its_own_ether_type() {
    let bytes = build("eth 02:00:00:00:00:01 / qinq vid=100 pcp=5 dei / vlan vid=5 / ip 192.0.2.2").bytes;
    assert_eq!(bytes[12..22], [0x88, 0xa8, 0xb0, 100, 0x81, 0x00, 0, 5, 0x08, 0x00]);
}

#[test]
fn fast_open_user_timeout_and_signature_stand_as_their_rfcs_draw_them() {
    let bytes = build("tcp 192.0.2.2:80 S tfo uto=1:5 tfo=0a0b0c0d").bytes;
    assert_eq!(bytes[40..], [34, 2, 28, 4, 0x80, 5, 34, 6, 0x0a, 0x0b, 0x0c, 0x0d]);
    let bytes = build("tcp 192.0.2.2:80 md5=0x0102030405060708090a0b0c0d0e0f10").bytes;
    assert_eq!(bytes[40..42], [19, 18]);
    assert_eq!(bytes[42..], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 0]);
}

#[test]
fn options_are_padded_with_zeros_to_four_bytes() {
    let built = build("tcp 192.0.2.2:80 S wscale=7 nop nop");
    assert_eq!(value(&built, 1, "doff"), 7);
    assert_eq!(built.bytes[40..48], [3, 3, 7, 1, 1, 0, 0, 0]);
    let padding: Vec<_> = built.spans.iter().filter(|span| matches!(span.what, What::Padding)).collect();
    assert_eq!((padding.len(), padding[0].bytes.clone()), (1, 45..48));
    let built = build("ip 192.0.2.2 nop proto=99");
    assert_eq!((value(&built, 0, "ihl"), built.bytes.len()), (6, 24));
}

#[test]
fn a_computed_udp_checksum_of_zero_is_sent_as_all_ones() {
    // The two free bytes of the data make the sum of all else 0.
    let sum = value(&build("udp 192.0.2.2:53 sport=9 hex=0000"), 1, "sum");
    let hex = format!("udp 192.0.2.2:53 sport=9 hex={sum:04x}");
    assert_eq!(value(&build(&hex), 1, "sum"), 0xffff);
    assert_eq!(value(&build(&format!("{hex} sum=zero")), 1, "sum"), 0);
    assert_eq!(value(&build(&format!("{hex} sum=0")), 1, "sum"), 0);
    assert_eq!(value(&build(&format!("{hex} sum=bad")), 1, "sum"), 1, "0xffff + 1 would be zero, and right");
    assert_eq!(value(&build(&format!("{hex} sum=+1")), 1, "sum"), 1);
}

/// The beginner's function, word by word: little-endian words, the odd byte twice, stored big-endian.
fn beginners_checksum(data: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    let pairs = data.len() / 2;
    for pair in 0..pairs {
        sum += u32::from(data[2 * pair]) + (u32::from(data[2 * pair + 1]) << 8);
    }
    if data.len() % 2 == 1 {
        sum += u32::from(data[data.len() - 2]);
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn segment_sums(line: &str) -> (Vec<u8>, Vec<u8>) {
    let built = build(line);
    let mut segment = built.bytes[20..].to_vec();
    segment[16..18].fill(0);
    let mut pseudo = built.bytes[12..20].to_vec();
    pseudo.extend([0, 6]);
    pseudo.extend((segment.len() as u16).to_be_bytes());
    (pseudo, segment)
}

#[test]
fn each_mistake_is_made_as_a_program_makes_it() {
    let line = "tcp 192.0.2.2:80 PA sport=9 seq=1 data='hello, world!'";
    let (pseudo, segment) = segment_sums(line);
    let whole = [pseudo.clone(), segment.clone()].concat();
    let right = checksum::of(&whole);
    let sum = |wrong: &str| value(&build(&format!("{line} sum={wrong}")), 1, "sum") as u16;
    assert_eq!(segment.len() % 2, 1);
    assert_eq!(value(&build(line), 1, "sum") as u16, right);
    assert_eq!(sum("bad"), right + 1);
    assert_eq!(sum("swap"), right.swap_bytes());
    assert_eq!(sum("zero"), 0);
    assert_eq!(sum("+3"), right + 3);
    assert_eq!(sum("nopseudo"), checksum::of(&segment));
    assert_eq!(sum("swap+odd"), beginners_checksum(&whole));
    let no_source = [&[0; 4], &whole[4..]].concat();
    assert_eq!(sum("nosource"), checksum::of(&no_source));
    assert_eq!(sum("nopayload"), checksum::of(&whole[..12 + 20]));
    assert_eq!(sum("nocomp"), !right);
    assert_eq!(sum("partial"), !checksum::of(&pseudo));
    let no_length = [&whole[..10], &[0, 0], &whole[12..]].concat();
    assert_eq!(sum("stale"), checksum::of(&no_length));
    assert_eq!(sum("notzeroed"), 0, "summed with the right sum in its place");
    let unfolded: u32 =
        whole.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    assert_eq!(sum("nofold"), !(unfolded as u16));
    let made: std::collections::BTreeSet<u16> = Wrong::WORDS.iter().map(|(word, _)| sum(word)).collect();
    assert!(made.len() >= Wrong::WORDS.len() - 1, "told apart, but for the two that store 0: {made:x?}");
}

#[test]
fn a_mistake_that_changes_nothing_is_noted() {
    let built = build("tcp 192.0.2.2:80 S sum=odd");
    assert!(built.notes.contains(&Note::MistakeWithoutEffect { layer: 1 }), "{:?}", built.notes);
    assert!(build("tcp 192.0.2.2:80 S sum=odd data='x'").notes.is_empty());
}

#[test]
fn what_is_set_is_never_changed() {
    let line = "ip 192.0.2.2 ver=6 ihl=15 len=0 id=0 off=8191 sum=0xdead proto=255 ttl=0 / tcp :0 none doff=4 sum=0 res=7 win=0";
    let built = build(line);
    for (layer, key, want) in [
        (0, "ver", 6),
        (0, "ihl", 15),
        (0, "len", 0),
        (0, "id", 0),
        (0, "off", 8191),
        (0, "sum", 0xdead),
        (0, "proto", 255),
        (0, "ttl", 0),
        (1, "dport", 0),
        (1, "flags", 0),
        (1, "doff", 4),
        (1, "sum", 0),
        (1, "res", 7),
        (1, "win", 0),
    ] {
        assert_eq!(value(&built, layer, key), want, "{key}");
        assert_eq!(built.span(layer, key).unwrap().origin, Origin::Set, "{key}");
    }
}

#[test]
fn spans_cover_the_packet_without_gaps_and_say_where_values_come_from() {
    let built = build(
        "eth 02:00:00:00:00:01 / ip 192.0.2.2 nop / tcp :80 S mss=1460 sum=bad data='hi' eth.src=02:00:00:00:00:02 trailer=0000",
    );
    // The language puts a trailer on any layer; here it stands behind everything.
    let mut bit = 0;
    for span in &built.spans {
        assert_eq!(span.bits.start, bit, "{span:?}");
        assert!(span.bytes.start * 8 <= span.bits.start && span.bits.end <= span.bytes.end * 8);
        bit = span.bits.end;
    }
    assert_eq!(bit, built.bytes.len() * 8);
    let origin = |layer, key| built.span(layer, key).unwrap().origin;
    assert_eq!(origin(0, "dst"), Origin::Set);
    assert_eq!(origin(0, "type"), Origin::Auto);
    assert_eq!(origin(1, "ttl"), Origin::Default);
    assert_eq!(origin(1, "src"), Origin::Auto);
    assert_eq!(origin(2, "sum"), Origin::Wrong);
    assert!(matches!(built.spans.last().unwrap().what, What::Trailer));
}

#[test]
fn the_same_entropy_gives_the_same_bytes_and_another_other_ones() {
    let packet = parse("tcp 192.0.2.2:80 S rand=32").unwrap();
    let bytes = |seed| packet.build(&Context { entropy: [seed; 32], ..Context::default() }).unwrap().bytes;
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1)[40..], bytes(2)[40..]);
    assert_ne!(bytes(1)[4..6], bytes(2)[4..6], "id");
    assert_ne!(bytes(1)[24..28], bytes(2)[24..28], "seq");
    assert!(u16::from_be_bytes([bytes(1)[20], bytes(1)[21]]) >= 49152, "a dynamic port");
}

#[test]
fn what_no_route_gave_is_zero_and_noted() {
    let packet = parse("eth / ip 192.0.2.2 / udp :9").unwrap();
    let built = packet.build(&Context::default()).unwrap();
    assert_eq!(built.bytes[26..30], [0; 4]);
    let codes: Vec<_> = built.notes.iter().map(Note::code).collect();
    assert_eq!(codes, ["next-hop-unknown", "source-unknown", "source-unknown"]);
}

#[test]
fn groups_and_neighbour_discovery_need_no_asking() {
    let packet = (eth() / ip("224.0.0.251") / udp(5353)).build(&Context::default()).unwrap();
    assert_eq!(packet.bytes[..6], [1, 0, 0x5e, 0, 0, 0xfb]);
    let packet = (eth() / ip6("ff02::1:ff00:2") / icmp6()).build(&Context::default()).unwrap();
    assert_eq!(packet.bytes[..6], [0x33, 0x33, 0xff, 0, 0, 2]);
    let packet = (eth() / arp("192.0.2.2")).build(&Context::default()).unwrap();
    assert_eq!(packet.bytes[..6], [0xff; 6]);
    let built = build("icmp6 ff02::1:ff00:2 ns target=2001:db8::2");
    assert_eq!(value(&built, 0, "hlim"), 255);
    assert_eq!(value(&build("icmp6 2001:db8::2"), 0, "hlim"), 64);
}

#[test]
fn a_length_that_does_not_fit_is_refused_unless_it_is_set() {
    let error = parse("udp 192.0.2.2:9 zero=70000").unwrap().build(&Context::default()).unwrap_err();
    assert_eq!(error.code(), "value-too-large");
    let built = build("udp 192.0.2.2:9 zero=70000 len=1 ip.len=2");
    assert_eq!(built.bytes.len(), 70028);
}

#[test]
fn rust_and_words_make_the_same_packets() {
    let same = |packet: Packet, line: &str| assert_eq!(packet.to_string(), parse(line).unwrap().to_string(), "{line}");
    same(ip("192.0.2.2").ttl(33) / tcp(80).syn().mss(1460), "tcp 192.0.2.2:80 S mss=1460 ttl=33");
    same(
        ip("192.0.2.2").len(-4).sum(Wrong::SWAP | Wrong::ODD) / udp(9).len(plus(4)) / b"hi",
        "udp 192.0.2.2:9 len=+4 data=hi ip.len=-4 ip.sum=swap+odd",
    );
    same(
        ip6("2001:db8::2").hlim(9).tc(4) / tcp(443).syn_ack().ts(1, 2).sack().nop().wscale(7),
        "tcp 2001:db8::2 :443 SA ttl=9 tos=4 ts=1:2 sack nop wscale=7",
    );
    same(ip("192.0.2.2") / icmp().id(1).seq(2) / "ping", "icmp 192.0.2.2 id=1 seq=2 data=ping");
    same(
        eth().dst("02:00:00:00:00:01") / qinq(100).pcp(3) / vlan(5) / arp("192.0.2.2"),
        "eth 02:00:00:00:00:01 / qinq vid=100 pcp=3 / vlan vid=5 / arp 192.0.2.2",
    );
    same(eth().dst("02:00:00:00:00:01") / arp("192.0.2.2").op(2), "eth 02:00:00:00:00:01 / arp 192.0.2.2 op=reply");
    same(
        ip("server") / tcp(80).flags("PA").ack(7).sack_blocks(&[(1, 2)]).opt(254, &[1]),
        "ip server / tcp :80 PA ack=7 sack=1:2 opt=254:01",
    );
    same(
        ip("192.0.2.2") / tcp(80).syn().tfo(&[]).tfo(&[1, 2, 3, 4]).uto(true, 5).md5([7; 16]),
        "tcp 192.0.2.2:80 S tfo tfo=01020304 uto=1:5 md5=0x07070707070707070707070707070707",
    );
    let code = |packet: Packet| packet.build(&Context::default()).unwrap_err().code();
    assert_eq!(code(ip("192.0.2.256") / tcp(80)), "address-unreadable");
    assert_eq!(code(ip("2001:db8::2") / tcp(80)), "wrong-family");
    assert_eq!(code(ip("server") / tcp(80)), "name-unresolved");
    assert_eq!(code(ip("192.0.2.2") / tcp(80) / b"a" / b"b"), "payload-twice");
    assert_eq!(code(ip("192.0.2.2") / icmp().type_(11).seq(1)), "field-missing");
}

#[test]
fn the_walk_finds_layers_and_complains_about_lengths() {
    let keys = |line: &str| {
        let built = build(line);
        let chain = walk(&built.bytes, built.first);
        chain.iter().map(|layer| layer.desc.key).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys("eth / vlan vid=5 / ip 192.0.2.2 / tcp :80"), "eth vlan ip tcp");
    assert_eq!(keys("qinq vid=9 / vlan vid=5 / ip6 2001:db8::2 / tcp :80"), "eth qinq vlan ip6 tcp");
    assert_eq!(keys("ip6 2001:db8::2 / hopopt / dstopt / route / frag / udp :9"), "ip6 hopopt dstopt route frag udp");
    assert_eq!(keys("ip6 2001:db8::2 / frag off=1 / udp :9"), "ip6 frag");
    assert_eq!(keys("ip 192.0.2.2 off=1 / udp :9"), "ip");
    assert_eq!(keys("icmp 192.0.2.2 exceeded / tcp 192.0.2.3:80"), "ip icmp ip tcp");

    let complaint = |line: &str| {
        let built = build(line);
        let chain = walk(&built.bytes, built.first);
        let cut = chain.cut.map(|cut| cut.complaint.code);
        chain.iter().find_map(|layer| layer.complaint).map(|complaint| complaint.code).or(cut)
    };
    assert_eq!(complaint("ip 192.0.2.2 len=0 / udp :9"), Some("length-short"));
    assert_eq!(complaint("ip 192.0.2.2 len=999 / udp :9"), Some("length-long"));
    assert_eq!(complaint("ip 192.0.2.2 ihl=4 / udp :9"), Some("header-length-short"));
    assert_eq!(complaint("tcp 192.0.2.2:80 doff=15"), Some("header-length-long"));
    assert_eq!(complaint("ip 192.0.2.2 proto=tcp data=x"), Some("header-cut"));
    assert_eq!(complaint("udp 192.0.2.2:9 len=7"), Some("length-short"));
    assert_eq!(complaint("icmp 192.0.2.2 exceeded / ip 192.0.2.3 len=99 / udp :9"), None, "a quote is cut");
}

#[test]
fn deep_nesting_is_bounded() {
    let mut bytes = Vec::new();
    for _ in 0..100_000 {
        bytes.extend([0, 0, 0x81, 0]);
    }
    let mut frame = vec![0; 12];
    frame.extend([0x81, 0]);
    frame.extend(bytes);
    let chain = walk(&frame, First::Ethernet);
    assert!(chain.too_deep && chain.len() == wirewright_craft::MAX_LAYERS);
}

#[test]
fn a_header_that_is_cut_has_its_first_bytes_alone() {
    let line = "ip 192.0.2.1 src=192.0.2.2 / icmp type=exceeded / ip 192.0.2.2 src=192.0.2.1 len=60 / tcp :80 sport=4000 seq=7 cut=8";
    let built = parse(line).unwrap().build(&Context::default()).unwrap();
    assert_eq!(built.bytes.len(), 20 + 8 + 20 + 8);
    assert_eq!(built.bytes[48..], [0x0f, 0xa0, 0, 80, 0, 0, 0, 7]);
    assert_eq!(built.span(3, "seq").unwrap().bytes, 52..56);
    assert!(built.span(3, "ack").is_none());
    let again = Packet::from_bytes(&built.bytes, built.first).to_string();
    assert!(again.ends_with(" / tcp :80 sport=4000 seq=7 cut=8"), "{again}");
}

#[test]
fn a_checksum_that_is_set_no_longer_is_made_again() {
    let mut packet = parse("ip 192.0.2.2 src=192.0.2.1 id=1 / udp :9 sport=40000 data=x").unwrap();
    let right = packet.build(&Context::default()).unwrap().bytes;
    for (layer, key) in [("ip", "sum"), ("udp", "sum"), ("udp", "len"), ("ip", "proto")] {
        for setting in [Setting::Exactly(0xbe), Setting::Relative(1)] {
            assert!(packet.layer_mut(layer).unwrap().set(key, setting));
            assert_ne!(packet.build(&Context::default()).unwrap().bytes, right, "{layer}.{key}");
            assert!(packet.layer_mut(layer).unwrap().set(key, Setting::Auto));
            assert_eq!(packet.build(&Context::default()).unwrap().bytes, right, "{layer}.{key}");
        }
    }
}
