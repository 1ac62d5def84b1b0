use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_craft::{Context, Layer, Packet, Payload, Setting};
use wirewright_wire::tcp::Flags;

use super::*;

const US4: u128 = 0xc000_0201;
const PEER4: u128 = 0xc000_0202;
const ROUTER4: u128 = 0xc000_02fe;
const US6: u128 = 0x2001_0db8 << 96 | 1;
const PEER6: u128 = 0x2001_0db8 << 96 | 2;
const ROUTER6: u128 = 0x2001_0db8 << 96 | 0xfe;
const WAIT: Duration = Duration::from_secs(1);

/// The two IP versions: the layer, this host, the asked host, a router.
const VERSIONS: [(&str, u128, u128, u128); 2] = [("ip", US4, PEER4, ROUTER4), ("ip6", US6, PEER6, ROUTER6)];

fn made(layers: &[(&str, &[(&str, u128)])], payload: &[u8]) -> Vec<u8> {
    let mut packet = Packet::new();
    for (key, fields) in layers {
        let mut layer = Layer::new(wirewright_wire::layer(key).unwrap());
        for &(field, value) in *fields {
            assert!(layer.set(field, Setting::Exactly(value)), "{key}.{field}");
        }
        packet.layers.push(layer);
    }
    packet.payload = Payload::Bytes(payload.to_vec());
    packet.build(&Context { entropy: [3; 32], ..Context::default() }).unwrap().bytes
}

/// A TCP segment between two hosts.
fn tcp(ip: &str, src: u128, dst: u128, ports: (u128, u128), seq: u32, ack: u32, flags: Flags, data: &[u8]) -> Vec<u8> {
    let tcp: &[(&str, u128)] = &[
        ("sport", ports.0),
        ("dport", ports.1),
        ("seq", seq.into()),
        ("ack", ack.into()),
        ("flags", flags.to_raw().into()),
    ];
    made(&[(ip, &[("src", src), ("dst", dst)]), ("tcp", tcp)], data)
}

fn udp(ip: &str, src: u128, dst: u128, ports: (u128, u128), data: &[u8]) -> Vec<u8> {
    made(&[(ip, &[("src", src), ("dst", dst)]), ("udp", &[("sport", ports.0), ("dport", ports.1)])], data)
}

fn icmp_key(ip: &str) -> &'static str {
    if ip == "ip" { "icmp" } else { "icmp6" }
}

fn echo(ip: &str, src: u128, dst: u128, reply: bool, id: u128, seq: u128, data: &[u8]) -> Vec<u8> {
    let kind = match (ip, reply) {
        ("ip", false) => 8,
        ("ip", true) => 0,
        (_, false) => 128,
        (_, true) => 129,
    };
    made(&[(ip, &[("src", src), ("dst", dst)]), (icmp_key(ip), &[("type", kind), ("id", id), ("seq", seq)])], data)
}

/// An ICMP error by `from` that quotes the first bytes of a packet.
fn error(ip: &str, from: u128, to: u128, kind: u128, code: u128, quoted: &[u8]) -> Vec<u8> {
    made(&[(ip, &[("src", from), ("dst", to)]), (icmp_key(ip), &[("type", kind), ("code", code)])], quoted)
}

fn asked(packet: &[u8]) -> Probes {
    let mut probes = Probes::new();
    probes.sent(Instant::from_millis(10), 1, &Asked::new(packet, First::Ip), WAIT);
    probes
}

fn hear(probes: &mut Probes, packet: &[u8]) -> Option<Answer> {
    probes.handle_received(Instant::from_millis(17), packet, First::Ip)
}

#[test]
fn a_syn_ack_must_acknowledge_the_syn() {
    for (ip, us, peer, _) in VERSIONS {
        for isn in [0, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let mut probes = asked(&tcp(ip, us, peer, (50000, 80), isn, 0, Flags::SYN, b""));
            let syn_ack = |ack| tcp(ip, peer, us, (80, 50000), 77, ack, Flags::SYN | Flags::ACK, b"");
            for wrong in [isn, isn.wrapping_add(2), isn.wrapping_sub(1)] {
                assert_eq!(hear(&mut probes, &syn_ack(wrong)), None);
            }
            let ack = isn.wrapping_add(1);
            let answer = hear(&mut probes, &syn_ack(ack)).unwrap();
            assert_eq!(answer.kind, AnswerKind::SynAck { seq: 77, ack });
            assert_eq!((answer.probe, answer.order, answer.rtt), (1, Order::First, Duration::from_millis(7)));
            assert_eq!(hear(&mut probes, &syn_ack(ack)).unwrap().order, Order::Duplicate);
            assert_eq!((probes.awaited(), probes.poll_timeout()), (0, None));
        }
    }
}

#[test]
fn a_reset_must_be_about_what_was_sent() {
    let reset = |seq, ack, flags| tcp("ip", PEER4, US4, (80, 50000), seq, ack, Flags::RST | flags, b"");
    let taken = |probe: &[u8], reset: &[u8]| hear(&mut asked(probe), reset).is_some();
    // §3.10.7.1: without an ACK it is answered by <SEQ=0><ACK=SEG.SEQ+SEG.LEN>, SYN, FIN and data counted.
    let syn = tcp("ip", US4, PEER4, (50000, 80), 100, 0, Flags::SYN, b"");
    assert!(taken(&syn, &reset(0, 101, Flags::ACK)));
    assert!(!taken(&syn, &reset(0, 100, Flags::ACK)) && !taken(&syn, &reset(0, 102, Flags::ACK)));
    assert!(!taken(&syn, &reset(101, 0, Flags::NONE)));
    let data = tcp("ip", US4, PEER4, (50000, 80), 100, 0, Flags::SYN | Flags::FIN, b"12345");
    assert!(taken(&data, &reset(0, 107, Flags::ACK)) && !taken(&data, &reset(0, 108, Flags::ACK)));
    let xmas = tcp("ip", US4, PEER4, (50000, 80), 100, 0, Flags::FIN | Flags::PSH | Flags::URG, b"");
    assert!(taken(&xmas, &reset(0, 101, Flags::ACK)));
    let null = tcp("ip", US4, PEER4, (50000, 80), 100, 0, Flags::NONE, b"");
    assert!(taken(&null, &reset(0, 100, Flags::ACK)));
    // With an ACK: <SEQ=SEG.ACK>.
    let ack = tcp("ip", US4, PEER4, (50000, 80), 100, 900, Flags::ACK, b"");
    assert!(taken(&ack, &reset(900, 0, Flags::NONE)) && !taken(&ack, &reset(901, 0, Flags::NONE)));
}

#[test]
fn other_segments_of_the_flow_are_named() {
    let syn = tcp("ip", US4, PEER4, (50000, 80), 100, 0, Flags::SYN, b"");
    let challenge = tcp("ip", PEER4, US4, (80, 50000), 5, 4000, Flags::ACK, b"");
    assert_eq!(hear(&mut asked(&syn), &challenge).unwrap().kind, AnswerKind::ChallengeAck { seq: 5, ack: 4000 });
    let data = tcp("ip", US4, PEER4, (50000, 80), 100, 900, Flags::ACK | Flags::PSH, b"GET");
    let reply = tcp("ip", PEER4, US4, (80, 50000), 900, 103, Flags::ACK | Flags::PSH, b"HTTP");
    let kind = hear(&mut asked(&data), &reply).unwrap().kind;
    let flags = Flags::ACK | Flags::PSH;
    assert_eq!(kind, AnswerKind::Segment { flags, seq: 900, ack: 103, acknowledges: true, data: 4 });
    let duplicate = tcp("ip", PEER4, US4, (80, 50000), 900, 100, Flags::ACK, b"");
    assert!(matches!(
        hear(&mut asked(&data), &duplicate).unwrap().kind,
        AnswerKind::Segment { acknowledges: false, .. }
    ));
    let beyond = tcp("ip", PEER4, US4, (80, 50000), 900, 104, Flags::ACK, b"");
    assert_eq!(hear(&mut asked(&data), &beyond), None);
}

#[test]
fn an_echo_reply_has_the_same_id_number_and_data() {
    for (ip, us, peer, router) in VERSIONS {
        let request = echo(ip, us, peer, false, 7, 3, b"wirewright");
        let reply = |id, seq, data: &[u8]| echo(ip, peer, us, true, id, seq, data);
        let mut probes = asked(&request);
        for wrong in [
            reply(8, 3, b"wirewright"),
            reply(7, 4, b"wirewright"),
            reply(7, 3, b"wirewrigh"),
            reply(7, 3, b"wirewrighT"),
            echo(ip, router, us, true, 7, 3, b"wirewright"),
            echo(ip, peer, us, false, 7, 3, b"wirewright"),
            request.clone(),
        ] {
            assert_eq!(hear(&mut probes, &wrong), None);
        }
        let answer = hear(&mut probes, &reply(7, 3, b"wirewright")).unwrap();
        assert_eq!(answer.kind, AnswerKind::EchoReply { id: 7, seq: 3, data: 10 });
        assert!(answer.from.is_some());
    }
}

#[test]
fn icmp_errors_are_matched_by_the_packet_they_quote_however_short() {
    for (ip, us, peer, router) in VERSIONS {
        let fixed = if ip == "ip" { 20 } else { 40 };
        let probes = [
            tcp(ip, us, peer, (50000, 80), 100, 0, Flags::SYN, b""),
            udp(ip, us, peer, (50000, 33434), b"trace"),
            echo(ip, us, peer, false, 7, 3, b"trace"),
            made(&[(ip, &[("src", us), ("dst", peer), (if ip == "ip" { "proto" } else { "nh" }, 253)])], b"unknown!"),
        ];
        for probe in &probes {
            for len in [fixed + 8, probe.len()] {
                let (kind, code) = if ip == "ip" { (11, 0) } else { (3, 0) };
                let heard = error(ip, router, us, kind, code, &probe[..len.min(probe.len())]);
                let answer = hear(&mut asked(probe), &heard).unwrap_or_else(|| panic!("{ip} {probe:x?} cut at {len}"));
                let expected = IcmpError { v6: ip == "ip6", kind: kind as u8, code: code as u8, mtu: 0 };
                assert_eq!((answer.kind, answer.rewritten.len()), (AnswerKind::IcmpError(expected), 0));
            }
        }
        // An error about one probe is not an error about another.
        for (i, probe) in probes.iter().enumerate() {
            for (j, other) in probes.iter().enumerate().filter(|&(j, _)| j != i) {
                let heard = error(ip, router, us, 3, 1, other);
                assert_eq!(hear(&mut asked(probe), &heard), None, "{ip} {i} {j}");
            }
        }
    }
}

#[test]
fn an_ipv4_header_with_options_is_found_in_a_quote() {
    let mut layer = Layer::new(wirewright_wire::layer("ip").unwrap());
    layer.set("src", Setting::Exactly(US4));
    layer.set("dst", Setting::Exactly(PEER4));
    layer.set_options(vec![7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut udp = Layer::new(wirewright_wire::layer("udp").unwrap());
    udp.set("dport", Setting::Exactly(33434));
    let mut packet = Packet::new();
    packet.layers = vec![layer, udp];
    let probe = packet.build(&Context { entropy: [9; 32], ..Context::default() }).unwrap().bytes;
    let heard = error("ip", ROUTER4, US4, 3, 3, &probe[..40]);
    assert!(hear(&mut asked(&probe), &heard).is_some());
}

#[test]
fn what_address_translation_rewrote_is_tolerated_and_named() {
    let probe = tcp("ip", US4, PEER4, (50000, 80), 0x1234_5678, 0, Flags::SYN, b"");
    let with = |changes: &[(usize, &[u8])]| {
        let mut quoted = probe.clone();
        for (at, bytes) in changes {
            quoted[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        hear(&mut asked(&probe), &error("ip", ROUTER4, US4, 11, 0, &quoted[..28])).map(|answer| answer.rewritten)
    };
    // Another TTL, checksum and TOS are the way's own business.
    assert_eq!(with(&[(8, &[1]), (10, &[0, 0]), (1, &[0x28])]), Some(vec![]));
    let source: &[u8] = &[203, 0, 113, 9];
    let port: &[u8] = &[0x12, 0x34];
    assert_eq!(with(&[(12, source), (20, port)]), Some(vec![Rewritten::Source, Rewritten::SourcePort]));
    assert_eq!(with(&[(16, source)]), Some(vec![Rewritten::Destination]));
    assert_eq!(with(&[(4, &[0, 0])]), Some(vec![Rewritten::Identification]));
    assert_eq!(with(&[(24, &[0, 0, 0, 1])]), Some(vec![Rewritten::Sequence]));
    // Too much of it: somebody else's.
    assert_eq!(with(&[(20, port), (22, port)]), None);
    assert_eq!(with(&[(20, port), (24, &[0, 0, 0, 1])]), None);
    assert_eq!(with(&[(4, &[0, 0]), (24, &[0, 0, 0, 1])]), None);
    assert_eq!(with(&[(9, &[17])]), None);
}

#[test]
fn a_redirect_leaves_the_probe_on_its_way() {
    let probe = udp("ip", US4, PEER4, (50000, 9), b"");
    let mut probes = asked(&probe);
    let redirect = error("ip", ROUTER4, US4, 5, 1, &probe);
    assert_eq!(hear(&mut probes, &redirect).unwrap().order, Order::First);
    assert_eq!(probes.awaited(), 1);
    assert!(hear(&mut probes, &udp("ip", PEER4, US4, (9, 50000), b"yes")).is_some());
    assert_eq!(probes.awaited(), 0);
}

#[test]
fn a_link_layer_frame_is_read_through_its_tags() {
    let probe = udp("ip", US4, PEER4, (50000, 9), b"");
    let reply = udp("ip", PEER4, US4, (9, 50000), b"yes");
    for tags in 0..3 {
        let mut frame = vec![2; 12];
        for _ in 0..tags {
            frame.extend_from_slice(&[0x81, 0, 0, 5]);
        }
        frame.extend_from_slice(&[8, 0]);
        frame.extend_from_slice(&reply);
        frame.extend_from_slice(&[0; 6]);
        let mut probes = asked(&probe);
        let answer = probes.handle_received(Instant::from_millis(11), &frame, First::Ethernet).unwrap();
        assert_eq!(answer.kind, AnswerKind::UdpReply { data: 3 });
    }
}

#[test]
fn arp_and_neighbour_discovery_are_answered_by_the_target() {
    let link: &[(&str, u128)] = &[("dst", 0xffff_ffff_ffff)];
    let arp = |op, spa, tpa, sha| {
        let fields: &[(&str, u128)] = &[("op", op), ("spa", spa), ("tpa", tpa), ("sha", sha)];
        made(&[("eth", link), ("arp", fields)], b"")
    };
    let mut probes = Probes::new();
    probes.sent(Instant::ORIGIN, 4, &Asked::new(&arp(1, US4, PEER4, 1), First::Ethernet), WAIT);
    let mut hear = |frame: &[u8]| probes.handle_received(Instant::ORIGIN, frame, First::Ethernet);
    assert_eq!(hear(&arp(2, ROUTER4, US4, 9)), None);
    assert_eq!(hear(&arp(1, PEER4, US4, 9)), None);
    let kind = hear(&arp(2, PEER4, US4, 0x0200_0000_0009)).unwrap().kind;
    let mac = wirewright_wire::MacAddr([2, 0, 0, 0, 0, 9]);
    assert_eq!(kind, AnswerKind::ArpReply { address: Ipv4Addr::from_bits(PEER4 as u32), mac });

    let group = 0xff02_u128 << 112 | 0x1_ff00_0002;
    let solicit =
        made(&[("ip6", &[("src", US6), ("dst", group)]), ("icmp6", &[("type", 135), ("target", PEER6)])], b"");
    let advert = |target| {
        let option = [2, 1, 2, 0, 0, 0, 0, 9];
        made(&[("ip6", &[("src", PEER6), ("dst", US6)]), ("icmp6", &[("type", 136), ("target", target)])], &option)
    };
    let mut probes = asked(&solicit);
    assert_eq!(super::tests::hear(&mut probes, &advert(ROUTER6)), None);
    let kind = super::tests::hear(&mut probes, &advert(PEER6)).unwrap().kind;
    assert_eq!(kind, AnswerKind::NdpAdvert { address: Ipv6Addr::from_bits(PEER6), mac: Some(mac) });
}

#[test]
fn a_probe_to_many_is_answered_by_each() {
    let request = echo("ip", US4, u128::from(u32::MAX), false, 7, 1, b"all");
    let mut probes = asked(&request);
    let orders: Vec<_> = [PEER4, ROUTER4]
        .iter()
        .map(|&host| hear(&mut probes, &echo("ip", host, US4, true, 7, 1, b"all")).unwrap())
        .map(|answer| (answer.order, answer.from.unwrap()))
        .collect();
    let address = |bits: u128| IpAddr::from(Ipv4Addr::from_bits(bits as u32));
    assert_eq!(orders, [(Order::First, address(PEER4)), (Order::Another, address(ROUTER4))]);
}

#[test]
fn time_out_comes_once_and_then_answers_are_late() {
    let probe = udp("ip", US4, PEER4, (50000, 9), b"");
    let mut probes = asked(&probe);
    let deadline = Instant::from_millis(1010);
    assert_eq!(probes.poll_timeout(), Some(deadline));
    assert_eq!(probes.poll_expired(deadline - Duration::from_nanos(1)), None);
    assert_eq!(probes.poll_expired(deadline), Some(1));
    assert_eq!((probes.poll_expired(deadline), probes.poll_timeout()), (None, None));
    let late = probes.handle_received(deadline, &udp("ip", PEER4, US4, (9, 50000), b""), First::Ip).unwrap();
    assert_eq!((late.order, late.rtt), (Order::Late, WAIT));
}

#[test]
fn the_kernels_stamp_of_departure_counts() {
    let probe = udp("ip", US4, PEER4, (50000, 9), b"");
    let mut probes = asked(&probe);
    probes.left(1, Instant::from_millis(12));
    assert_eq!(hear(&mut probes, &udp("ip", PEER4, US4, (9, 50000), b"")).unwrap().rtt, Duration::from_millis(5));
}

#[test]
fn an_answer_goes_to_the_newest_open_probe_that_it_fits() {
    let probe = udp("ip", US4, PEER4, (50000, 9), b"");
    let mut probes = Probes::new();
    for id in 1..=3 {
        probes.sent(Instant::ORIGIN, id, &Asked::new(&probe, First::Ip), WAIT);
    }
    let reply = udp("ip", PEER4, US4, (9, 50000), b"");
    let answers: Vec<_> = (0..4).map(|_| hear(&mut probes, &reply).unwrap()).map(|a| (a.probe, a.order)).collect();
    assert_eq!(answers, [(3, Order::First), (2, Order::First), (1, Order::First), (3, Order::Duplicate)]);
}

#[test]
fn a_quote_goes_to_the_probe_of_its_flow_that_it_is_most_alike() {
    for (ip, us, peer, router) in VERSIONS {
        // One flow, told apart by the checksum alone: `made` gives each the same identification.
        let packets: Vec<_> = (1..=3_u8).map(|tag| udp(ip, us, peer, (50000, 9), &[0, tag])).collect();
        let mut probes = Probes::new();
        for (id, packet) in (1..).zip(&packets) {
            probes.sent(Instant::ORIGIN, id, &Asked::new(packet, First::Ip), WAIT);
        }
        let head = if ip == "ip" { 28 } else { 48 };
        let mut quote = |packet: &[u8]| {
            let answer = hear(&mut probes, &error(ip, router, us, if ip == "ip" { 11 } else { 3 }, 0, packet)).unwrap();
            (answer.probe, answer.order)
        };
        assert_eq!(quote(&packets[0][..head]), (1, Order::First), "{ip}");
        // It comes twice, while others of its flow are open.
        assert_eq!(quote(&packets[0][..head]), (1, Order::Duplicate), "{ip}");
        // Translated on the way: the address and, as RFC 3022 asks, the checksum.
        let translated = udp(ip, us + 76, peer, (50000, 9), &[0, 2]);
        assert_eq!(quote(&translated[..head]), (2, Order::First), "{ip}");
    }
}

#[test]
fn the_oldest_is_forgotten_when_there_are_too_many() {
    let mut probes = Probes::new();
    for id in 0..=PROBES_MAX as u32 {
        let probe = udp("ip", US4, PEER4, (50000, 1 + u128::from(id)), b"");
        probes.sent(Instant::ORIGIN, id, &Asked::new(&probe, First::Ip), WAIT);
    }
    assert_eq!(probes.awaited(), PROBES_MAX);
    assert_eq!(hear(&mut probes, &udp("ip", PEER4, US4, (1, 50000), b"")), None);
    assert!(hear(&mut probes, &udp("ip", PEER4, US4, (2, 50000), b"")).is_some());
}

/// A small generator: enough to vary packets, the same in each run.
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: u64) -> u128 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u128::from((self.0 >> 33) % below)
    }
}

/// The packet with another identification or flow label, as each packet of other people has its own.
fn renumbered(mut packet: Vec<u8>, number: u32) -> Vec<u8> {
    let [_, a, b, c] = number.to_be_bytes();
    if packet[0] >> 4 == 4 {
        packet[4..6].copy_from_slice(&[b, c]);
    } else {
        packet[1..4].copy_from_slice(&[a & 0x0f, b, c]);
    }
    packet
}

#[test]
fn a_thousand_foreign_packets_are_none_of_ours() {
    for (ip, us, peer, router) in VERSIONS {
        let mut probes = Probes::new();
        let mut id = 0;
        for probe in [
            tcp(ip, us, peer, (50000, 80), 0x1234_5678, 0, Flags::SYN, b""),
            udp(ip, us, peer, (50001, 53), b"question"),
            echo(ip, us, peer, false, 0x4242, 1, b"wirewright"),
        ] {
            id += 1;
            probes.sent(Instant::ORIGIN, id, &Asked::new(&probe, First::Ip), WAIT);
        }
        let mut draw = Draw(1);
        for n in 0..1000 {
            let port = 40000 + draw.next(9999);
            let number = draw.next(1 << 32) as u32;
            let foreign = match n % 8 {
                // Other people's echoes: to the same host, of the same number.
                0 => echo(ip, peer, us, true, draw.next(0x4242), 1, b"wirewright"),
                1 => echo(ip, peer, us, true, 0x4242, 2 + draw.next(1000), b"wirewright"),
                // Resets for other ports, and for ours with a number that is not.
                2 => tcp(ip, peer, us, (80, port), 0, 0x1234_5679, Flags::RST | Flags::ACK, b""),
                3 => tcp(ip, peer, us, (80, 50000), number, number | 0x8000_0000, Flags::RST | Flags::ACK, b""),
                // Late answers to a former run.
                4 => tcp(ip, peer, us, (80, 50000), number, number & 0x0fff_ffff, Flags::SYN | Flags::ACK, b""),
                5 => udp(ip, peer, us, (53, port), b"answer"),
                // Errors that quote others.
                6 => error(ip, router, us, 3, 3, &renumbered(udp(ip, us, peer, (port, 53), b"question"), number)),
                _ => {
                    let quoted = renumbered(tcp(ip, us, peer, (port, 80), number, 0, Flags::SYN, b""), number);
                    error(ip, router, us, 3, 1, &quoted)
                }
            };
            assert_eq!(hear(&mut probes, &foreign), None, "{ip} {n}");
        }
        assert_eq!(probes.awaited(), 3);
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let mut probes = asked(&tcp("ip", US4, PEER4, (50000, 80), 1, 0, Flags::SYN, b""));
    let mut draw = Draw(2);
    let good = error("ip", ROUTER4, US4, 3, 3, &udp("ip", US4, PEER4, (50000, 53), b"question"));
    for _ in 0..5_000 {
        let mut bytes = good.clone();
        bytes.truncate(draw.next(bytes.len() as u64 + 1) as usize);
        for _ in 0..draw.next(4) {
            if !bytes.is_empty() {
                let at = draw.next(bytes.len() as u64) as usize;
                bytes[at] = draw.next(256) as u8;
            }
        }
        for first in [First::Ip, First::Ethernet] {
            let _ = probes.handle_received(Instant::ORIGIN, &bytes, first);
            probes.sent(Instant::ORIGIN, 9, &Asked::new(&bytes, first), WAIT);
        }
    }
}

fn line(words: &str) -> Vec<u8> {
    wirewright_craft::parse(words).unwrap().build(&Context::default()).unwrap().bytes
}

#[test]
fn a_first_fragment_is_answered_by_the_reply_to_the_whole_and_a_later_one_by_nothing() {
    for (first, later, reply) in [
        (
            "ip 192.0.2.2 src=192.0.2.1 mf / icmp id=5 data=abcdefgh",
            "ip 192.0.2.2 src=192.0.2.1 off=2 proto=icmp data=ijkl",
            "icmp 192.0.2.1 src=192.0.2.2 reply id=5 data=abcdefghijkl",
        ),
        (
            "ip6 2001:db8::2 src=2001:db8::1 / frag mf id=9 / icmp6 id=5 data=abcdefgh",
            "ip6 2001:db8::2 src=2001:db8::1 / frag off=2 id=9 nh=icmp6 / raw data=ijkl",
            "icmp6 2001:db8::1 src=2001:db8::2 reply id=5 data=abcdefghijkl",
        ),
    ] {
        let mut probes = Probes::new();
        probes.sent(Instant::ORIGIN, 1, &Asked::new(&line(later), First::Ip), WAIT);
        probes.sent(Instant::ORIGIN, 2, &Asked::new(&line(first), First::Ip), WAIT);
        let answer = probes.handle_received(Instant::from_nanos(9), &line(reply), First::Ip).unwrap();
        assert_eq!((answer.probe, answer.kind), (2, AnswerKind::EchoReply { id: 5, seq: 0, data: 12 }));
        // Another's reply, to the same question under another number, is nobody's.
        let foreign = line(&reply.replace("id=5", "id=6"));
        assert!(probes.handle_received(Instant::from_nanos(9), &foreign, First::Ip).is_none());
    }
}

/// The bytes of a packet in words, from its IP header.
fn words(line: &str) -> Vec<u8> {
    let packet = wirewright_craft::parse(line).unwrap_or_else(|error| panic!("{error}"));
    packet.build(&Context { entropy: [3; 32], ..Context::default() }).unwrap().bytes
}

const INSIDE: &str = "ip 10.0.0.1 src=10.0.0.9";
const INSIDE_BACK: &str = "ip 10.0.0.9 src=10.0.0.1";

#[test]
fn a_probe_in_a_tunnel_is_answered_in_the_same_one() {
    let frames = "eth 02:00:00:00:00:01 src=02:00:00:00:00:02";
    let tunnels = [
        ("ip 192.0.2.2 src=192.0.2.1".to_owned(), "ip 192.0.2.1 src=192.0.2.2".to_owned()),
        ("gre 192.0.2.2 src=192.0.2.1 key=5".to_owned(), "gre 192.0.2.1 src=192.0.2.2 key=6 seq=9".to_owned()),
        (format!("gre 192.0.2.2 src=192.0.2.1 / {frames}"), format!("gre 192.0.2.1 src=192.0.2.2 c / {frames}")),
        (
            format!("vxlan 192.0.2.2 src=192.0.2.1 vni=5 udp.sport=50000 / {frames}"),
            format!("vxlan 192.0.2.1 src=192.0.2.2 vni=5 udp.sport=61234 / {frames}"),
        ),
        (
            format!("vxlan 192.0.2.2 src=192.0.2.1 vni=5 / {frames} / gre 192.0.2.12 src=192.0.2.11"),
            format!("vxlan 192.0.2.1 src=192.0.2.2 vni=5 / {frames} / gre 192.0.2.11 src=192.0.2.12"),
        ),
    ];
    for (there, back) in &tunnels {
        let echo = words(&format!("{there} / {INSIDE} / icmp echo id=7 seq=8 data=hello"));
        let reply = |words: &str| self::words(&format!("{back} / {INSIDE_BACK} / icmp {words}"));
        let mut probes = asked(&echo);
        assert_eq!(hear(&mut probes, &reply("reply id=7 seq=9 data=hello")), None, "{there}");
        assert_eq!(hear(&mut probes, &reply("reply id=7 seq=8 data=other")), None, "{there}");
        let answer = hear(&mut probes, &reply("reply id=7 seq=8 data=hello")).expect(there);
        assert_eq!(answer.kind, AnswerKind::EchoReply { id: 7, seq: 8, data: 5 });
        assert_eq!(answer.from, Some(Ipv4Addr::new(10, 0, 0, 1).into()));
        // The same reply outside of the tunnel answers something else.
        let mut probes = asked(&echo);
        assert_eq!(hear(&mut probes, &words(&format!("{INSIDE_BACK} / icmp reply id=7 seq=8 data=hello"))), None);
        // A router within: its error quotes what was in the tunnel.
        let inner = format!("{INSIDE} ttl=1 / icmp echo id=7 seq=8 data=hello");
        let error = words(&format!("{back} / ip 10.0.0.9 src=10.0.0.254 / icmp exceeded / {inner}"));
        let answer = hear(&mut probes, &error).expect(there);
        assert!(matches!(answer.kind, AnswerKind::IcmpError(IcmpError { kind: 11, .. })), "{there}");
        assert_eq!(answer.from, Some(Ipv4Addr::new(10, 0, 0, 254).into()));
        // A router outside: its error quotes the tunnel's own packet.
        let hex: String = echo[..28].iter().map(|byte| format!("{byte:02x}")).collect();
        let mut probes = asked(&echo);
        let error = words(&format!("ip 192.0.2.1 src=192.0.2.254 / icmp exceeded hex={hex}"));
        let answer = hear(&mut probes, &error).expect(there);
        assert_eq!(answer.from, Some(Ipv4Addr::new(192, 0, 2, 254).into()));
    }
}

#[test]
fn another_tunnel_is_another_network() {
    let there = "vxlan 192.0.2.2 src=192.0.2.1 vni=5 / eth 02:00:00:00:00:01 src=02:00:00:00:00:02";
    let back = |outer: &str| {
        words(&format!(
            "{outer} / eth 02:00:00:00:00:02 src=02:00:00:00:00:01 / {INSIDE_BACK} / tcp :50000 sport=80 SA seq=1 ack=8"
        ))
    };
    let mut probes = asked(&words(&format!("{there} / {INSIDE} / tcp :80 S sport=50000 seq=7")));
    for other in [
        "vxlan 192.0.2.1 src=192.0.2.2 vni=6",
        "vxlan 192.0.2.1 src=192.0.2.3 vni=5",
        "vxlan 192.0.2.9 src=192.0.2.2 vni=5",
        "udp 192.0.2.1:4790 src=192.0.2.2 / vxlan vni=5",
        "gre 192.0.2.1 src=192.0.2.2",
    ] {
        assert_eq!(hear(&mut probes, &back(other)), None, "{other}");
    }
    let answer = hear(&mut probes, &back("vxlan 192.0.2.1 src=192.0.2.2 vni=5")).unwrap();
    assert_eq!(answer.kind, AnswerKind::SynAck { seq: 1, ack: 8 });
    assert_eq!((probes.awaited(), answer.order), (0, Order::First));
}

#[test]
fn who_has_is_answered_through_a_tunnel_too() {
    let frame = "vxlan 192.0.2.2 src=192.0.2.1 vni=5 / eth 02:00:00:00:00:01 src=02:00:00:00:00:02";
    let mut probes = asked(&words(&format!("{frame} / arp 10.0.0.1 spa=10.0.0.9 sha=02:00:00:00:00:02")));
    let reply = "vxlan 192.0.2.1 src=192.0.2.2 vni=5 / eth 02:00:00:00:00:02 src=02:00:00:00:00:01 \
                 / arp op=reply tpa=10.0.0.9 spa=10.0.0.1 sha=02:00:00:00:00:01";
    let answer = hear(&mut probes, &words(reply)).unwrap();
    assert!(matches!(answer.kind, AnswerKind::ArpReply { address, .. } if address == Ipv4Addr::new(10, 0, 0, 1)));
}

#[test]
fn tunnels_in_tunnels_without_end_are_looked_into_a_few_times() {
    // IP headers in one another, as many as fit into a packet.
    let mut packet = Vec::new();
    for depth in (0..3000u16).rev() {
        let mut header = [0x45, 0, 0, 0, 0, 1, 0, 0, 64, 4, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        header[2..4].copy_from_slice(&((3000 - depth) * 20).to_be_bytes());
        packet.splice(0..0, header);
    }
    let mut probes = asked(&packet);
    let _taken = hear(&mut probes, &packet);
    assert!(probes.awaited() <= 1);
}

#[test]
fn a_dhcp_answer_is_told_by_its_transaction_and_client() {
    const ALL: u128 = 0xffff_ffff;
    let message = |ends: (u128, u128), ports: (u128, u128), op: u128, xid: u128, client: u128| {
        let layers: &[(&str, &[(&str, u128)])] = &[
            ("ip", &[("src", ends.0), ("dst", ends.1)]),
            ("udp", &[("sport", ports.0), ("dport", ports.1)]),
            ("dhcp", &[("op", op), ("xid", xid), ("chaddr", client)]),
        ];
        made(layers, b"")
    };
    let discover = message((0, ALL), (68, 67), 1, 7, 0x0200_0000_0001);
    let answered = |answer: &[u8]| {
        let mut probes = Probes::new();
        probes.sent(Instant::ORIGIN, 1, &Asked::new(&discover, First::Ip), WAIT);
        probes.handle_received(Instant::ORIGIN, answer, First::Ip).map(|it| (it.kind, it.order))
    };
    let offered = 0xc000_0254;
    for to in [offered, ALL] {
        let offer = message((PEER4, to), (67, 68), 2, 7, 0x0200_0000_0001);
        assert_eq!(answered(&offer), Some((AnswerKind::UdpReply { data: 241 }, Order::First)), "{to:x}");
    }
    for (ports, op, xid, client) in [
        ((67, 68), 2, 8, 0x0200_0000_0001),
        ((67, 68), 2, 7, 0x0200_0000_0002),
        ((67, 68), 1, 7, 0x0200_0000_0001),
        ((67, 69), 2, 7, 0x0200_0000_0001),
    ] {
        assert_eq!(answered(&message((PEER4, ALL), ports, op, xid, client)), None, "{ports:?} {op} {xid} {client:x}");
    }
    // Of two servers each answers.
    let mut probes = Probes::new();
    probes.sent(Instant::ORIGIN, 1, &Asked::new(&discover, First::Ip), WAIT);
    let orders = [PEER4, ROUTER4].map(|server| {
        let offer = message((server, ALL), (67, 68), 2, 7, 0x0200_0000_0001);
        probes.handle_received(Instant::ORIGIN, &offer, First::Ip).map(|it| it.order)
    });
    assert_eq!(orders, [Some(Order::First), Some(Order::Another)]);
}
