//! Plans, refusals and answers: every kind has its sentence, with the values that it needs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use wirewright_hand::probes::{Answer, AnswerKind, IcmpError, Order, Rewritten};
use wirewright_hand::ways::{Way, Writing};
use wirewright_hand::{
    Instant, Interface, Need, NextHop, NextHopBy, Note, Objection, Plan, Reason, Refused, Route, RouteKind, Touch,
    Transport, Who,
};
use wirewright_inspect::wire::tcp::Flags;
use wirewright_inspect::wire::{MacAddr, icmpv4, icmpv6, ipv4};
use wirewright_render::{
    Catalogue, Lang, Style, answer, answer_json, answer_meaning, plan, plan_json, plan_note, refused, touch,
};

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 254));

fn words() -> &'static Catalogue {
    Catalogue::get(Lang::En)
}

fn id_touch(wire: Option<u128>) -> Touch {
    let field = ipv4::DESC.field("id").unwrap();
    Touch { field, built: 0, wire, was_set: true, who: Who::Kernel, writing: Writing::AnyIdentification }
}

fn objections() -> Vec<Objection> {
    vec![
        Objection::Rewrites(id_touch(None)),
        Objection::TooLarge { size: 1501, mtu: 1500 },
        Objection::HeaderShape { claimed: 16, have: 40, need: 20 },
        Objection::OtherFamily { to: IpAddr::V6(Ipv6Addr::LOCALHOST) },
        Objection::Loopback,
        Objection::LoopbackDropsIpv4,
        Objection::NotEthernet,
    ]
}

fn notes() -> Vec<Note> {
    vec![
        Note::ForeignSource { source: ROUTER },
        Note::NoSource,
        Note::AddressedElsewhere { header: SERVER, to: ROUTER },
        Note::TtlZero,
        Note::NeighborFailed { address: ROUTER },
        Note::Loopback,
        Note::Fragment,
    ]
}

fn a_plan() -> Plan {
    Plan {
        way: Way::RawIpv4,
        reason: Reason::KeepsAll,
        destination: Some(SERVER),
        source: Some(CLIENT),
        route: Some(Route {
            destination: SERVER,
            kind: RouteKind::Unicast,
            interface: 2,
            source: Some(CLIENT),
            gateway: Some(ROUTER),
            mtu: None,
        }),
        interface: Interface {
            index: 2,
            name: "eth0".into(),
            mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
            mtu: 1500,
            up: true,
            loopback: false,
            takes_ipv4_frames: false,
            addresses: vec![CLIENT],
        },
        next_hop: Some(NextHop { address: Some(ROUTER), mac: None, by: NextHopBy::Gateway }),
        framing: None,
        size: 40,
        mtu: 1500,
        touches: vec![id_touch(None)],
        needs: vec![
            Need::Resolve(ROUTER),
            Need::Guard { transport: Transport::Tcp, address: CLIENT, port: 40000 },
            Need::Guard { transport: Transport::Udp, address: IpAddr::V6(Ipv6Addr::LOCALHOST), port: 53 },
        ],
        notes: notes(),
    }
}

#[test]
fn a_plan_is_told_in_labelled_lines() {
    let short = Plan { notes: vec![], needs: vec![], ..a_plan() };
    let told = plan(&short, &Style::PLAIN, words());
    let expected = "route     198.51.100.2 by eth0 through 192.0.2.254, source 192.0.2.1
next hop  192.0.2.254 (the route's gateway)
way       raw IPv4 socket (IPPROTO_RAW, your own IP header)
          It keeps everything that was set.
size      40 of at most 1500 bytes
changes   id 0 to ?: the kernel chooses a number, because it is 0 and DF is
          clear
";
    assert_eq!(told, expected);
    assert_eq!(touch(&id_touch(Some(61363)), &Style { unicode: true, ..Style::PLAIN }), "id 0→61363 kernel");
    assert_eq!(plan_json(&a_plan())["notes"][2], "addressed-elsewhere");
}

#[test]
fn every_part_of_a_plan_has_its_sentence() {
    for reason in [Reason::Asked, Reason::EthernetLayer, Reason::RawWould(objections())] {
        for way in [Way::RawIpv4, Way::RawIpv6, Way::Ethernet] {
            assert!(!plan(&Plan { way, reason: reason.clone(), ..a_plan() }, &Style::PLAIN, words()).is_empty());
        }
    }
    for by in [NextHopBy::OnLink, NextHopBy::Group, NextHopBy::Broadcast, NextHopBy::Set, NextHopBy::Here] {
        let hop = NextHop { address: None, mac: Some(MacAddr::BROADCAST), by };
        let told = plan(&Plan { next_hop: Some(hop), route: None, ..a_plan() }, &Style::PLAIN, words());
        assert!(told.contains("ff:ff:ff:ff:ff:ff ("), "{told}");
    }
    for writing in [Writing::TotalLength, Writing::HeaderChecksum, Writing::RouteSource] {
        let touches = vec![Touch { writing, ..id_touch(Some(1)) }];
        assert!(plan(&Plan { touches, ..a_plan() }, &Style::PLAIN, words()).contains("the kernel writes"));
    }
    let elsewhere = plan_note(&notes()[2], words());
    assert!(elsewhere.contains("addressed to 198.51.100.2"), "{elsewhere}");
}

#[test]
fn every_refusal_has_its_sentence_and_its_reasons() {
    let interface = || "eth0".to_owned();
    let all = [
        Refused::NotIp,
        Refused::NoRoute { destination: SERVER },
        Refused::RouteRefuses { destination: SERVER, kind: RouteKind::Blackhole },
        Refused::NoInterface { name: "eth\x1b[2J".to_owned() },
        Refused::InterfaceNeeded,
        Refused::InterfaceDown { name: interface() },
        Refused::LoopbackElsewhere { destination: SERVER },
        Refused::TooLarge { size: 1501, mtu: 1500, interface: interface() },
        Refused::WrongFamily { way: Way::RawIpv6 },
        Refused::WayWould { way: Way::RawIpv4, objections: objections(), interface: interface() },
        Refused::NoWay {
            raw_way: Way::RawIpv4,
            raw: objections(),
            ethernet: vec![Objection::Loopback],
            interface: interface(),
        },
    ];
    for it in &all {
        let (sentence, reasons) = refused(it, words());
        assert!(sentence.ends_with('.') && !sentence.contains('\x1b'), "{sentence}");
        assert!(reasons.iter().all(|reason| !reason.is_empty()));
    }
    let (sentence, _) = refused(&all[7], words());
    assert!(sentence.starts_with("1501 bytes are more than the 1500 that leave by eth0: cut 1."), "{sentence}");
    assert_eq!(refused(&all[10], words()).1.len(), objections().len() + 1);
}

fn an_answer(kind: AnswerKind) -> Answer {
    Answer {
        probe: 0,
        kind,
        from: Some(SERVER),
        at: Instant::ORIGIN,
        rtt: Duration::from_micros(312),
        order: Order::First,
        rewritten: Vec::new(),
    }
}

#[test]
fn every_answer_has_its_line_and_its_meaning() {
    let kinds = [
        AnswerKind::SynAck { seq: 1, ack: 2 },
        AnswerKind::Rst { flags: Flags::RST.union(Flags::ACK) },
        AnswerKind::ChallengeAck { seq: 1, ack: 2 },
        AnswerKind::Segment { flags: Flags::ACK, seq: 1, ack: 2, acknowledges: true, data: 3 },
        AnswerKind::UdpReply { data: 3 },
        AnswerKind::EchoReply { id: 1, seq: 2, data: 56 },
        AnswerKind::IcmpReply { kind: 14, code: 0 },
        AnswerKind::ArpReply { address: Ipv4Addr::LOCALHOST, mac: MacAddr::ZERO },
        AnswerKind::NdpAdvert { address: Ipv6Addr::LOCALHOST, mac: None },
        AnswerKind::Other { protocol: 253 },
    ];
    for kind in kinds {
        let it = an_answer(kind);
        let line = answer(&it, &Style::PLAIN, words());
        assert!(line.ends_with("from 198.51.100.2 after 312 us"), "{line}");
        assert!(answer_meaning(&kind, words()).ends_with('.'));
        assert_eq!(answer_json(&it)["answer"], kind.word());
    }
    let mut late = an_answer(kinds[0]);
    (late.order, late.rewritten) = (Order::Late, vec![Rewritten::SourcePort, Rewritten::Source]);
    let line = answer(&late, &Style::PLAIN, words());
    assert_eq!(line, "SA seq=1 ack=2 from 198.51.100.2 after 312 us (late) (on the way rewritten: sport src)");
}

#[test]
fn every_icmp_error_has_a_meaning_of_its_own_or_of_its_type() {
    let general = answer_meaning(&AnswerKind::IcmpError(IcmpError { v6: false, kind: 99, code: 9, mtu: 0 }), words());
    for (v6, desc) in [(false, &icmpv4::DESC), (true, &icmpv6::DESC)] {
        for variant in desc.variants.iter().filter(|variant| variant.quotes) {
            for (kind, code) in variant.values.iter().flat_map(|kind| (0..=16).map(move |code| (*kind as u8, code))) {
                let error = AnswerKind::IcmpError(IcmpError { v6, kind, code, mtu: 1280 });
                assert_ne!(answer_meaning(&error, words()), general, "{v6} {kind} {code}");
                assert!(answer(&an_answer(error), &Style::PLAIN, words()).starts_with("icmp"));
            }
        }
    }
    let port = AnswerKind::IcmpError(IcmpError { v6: true, kind: 1, code: 4, mtu: 0 });
    assert_eq!(answer_meaning(&port, words()), "The host is there and no program has that port.");
}
