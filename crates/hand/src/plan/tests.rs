use alloc::string::ToString;
use alloc::vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use wirewright_craft::{Built, Context, Layer, Packet, Setting};

use super::*;
use crate::facts::{Neighbor, NeighborState};
use crate::ways::Errno;

const OWN4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const PEER4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const OWN6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const PEER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
const OWN_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const PEER_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

fn interface(index: u32, name: &str, mac: Option<MacAddr>, loopback: bool) -> Interface {
    let addresses = if loopback { vec![Ipv4Addr::LOCALHOST.into()] } else { vec![OWN4.into(), OWN6.into()] };
    Interface { index, name: name.to_string(), mac, mtu: 1500, up: true, loopback, takes_ipv4_frames: false, addresses }
}

fn facts(destination: IpAddr) -> Facts {
    let v4 = destination.is_ipv4();
    Facts {
        route: Some(RouteAnswer::Route(Route {
            destination,
            kind: RouteKind::Unicast,
            interface: 2,
            source: Some(if v4 { OWN4.into() } else { OWN6.into() }),
            gateway: None,
            mtu: None,
        })),
        interfaces: vec![interface(1, "lo", None, true), interface(2, "eth0", Some(OWN_MAC), false)],
        neighbors: vec![
            Neighbor { interface: 2, address: PEER4.into(), mac: Some(PEER_MAC), state: NeighborState::Usable },
            Neighbor { interface: 2, address: PEER6.into(), mac: Some(PEER_MAC), state: NeighborState::Usable },
        ],
        own: None,
    }
}

fn on_loopback(destination: Ipv4Addr) -> Facts {
    let mut facts = facts(destination.into());
    if let Some(RouteAnswer::Route(route)) = &mut facts.route {
        (route.interface, route.kind, route.source) = (1, RouteKind::Local, Some(destination.into()));
    }
    facts
}

fn packet(layers: &[(&str, &[(&str, u128)])], payload: usize) -> Packet {
    let mut packet = Packet::new();
    for (key, fields) in layers {
        let mut layer = Layer::new(wirewright_wire::layer(key).unwrap());
        for &(field, value) in *fields {
            assert!(layer.set(field, Setting::Exactly(value)), "{key}.{field}");
        }
        packet.layers.push(layer);
    }
    packet.payload = wirewright_craft::Payload::Zero(payload);
    packet
}

/// A UDP datagram over IPv4 with these fields of the IP header set beside its destination.
fn udp4(fields: &[(&str, u128)]) -> Packet {
    let mut all = vec![("dst", u128::from(PEER4.to_bits()))];
    all.extend_from_slice(fields);
    packet(&[("ip", &all), ("udp", &[("dport", 9), ("sport", 5000)])], 0)
}

fn build(packet: &Packet) -> Built {
    let context = Context { source_v4: Some(OWN4), source_v6: Some(OWN6), entropy: [7; 32], ..Context::default() };
    packet.build(&context).unwrap()
}

fn planned(packet: &Packet, wishes: &Wishes, facts: &Facts) -> Result<Plan, Refused> {
    let built = build(packet);
    plan(&Outgoing::new(packet, &built), wishes, facts)
}

fn over_v4(fields: &[(&str, u128)]) -> Plan {
    planned(&udp4(fields), &Wishes::default(), &facts(PEER4.into())).unwrap()
}

/// The keys that the raw way would have rewritten, when that sent the packet by Ethernet.
fn rewritten(plan: &Plan) -> Vec<&'static str> {
    let Reason::RawWould(objections) = &plan.reason else { return vec![] };
    let key = |objection: &Objection| match objection {
        Objection::Rewrites(touch) => touch.field.key,
        other => other.code(),
    };
    objections.iter().map(key).collect()
}

#[test]
fn nothing_set_leaves_by_raw_socket_untouched() {
    let plan = over_v4(&[]);
    assert_eq!((plan.way, &plan.reason, plan.touches.len()), (Way::RawIpv4, &Reason::KeepsAll, 0));
    assert_eq!(plan.source, Some(OWN4.into()));
    assert_eq!(
        plan.next_hop,
        Some(NextHop { address: Some(PEER4.into()), mac: Some(PEER_MAC), by: NextHopBy::OnLink })
    );
    let guard = Need::Guard { transport: Transport::Udp, address: OWN4.into(), port: 5000 };
    assert_eq!((plan.needs, plan.notes), (vec![guard], vec![]));
}

#[test]
fn what_the_kernel_keeps_stays_on_the_raw_way() {
    for (key, value) in [
        ("ver", 0),
        ("ver", 6),
        ("tos", 1),
        ("id", 54321),
        ("evil", 1),
        ("mf", 1),
        ("off", 185),
        ("ttl", 0),
        ("proto", 253),
        ("src", 0x7f00_0001),
        ("src", 0xc633_6407),
    ] {
        assert_eq!(over_v4(&[(key, value)]).way, Way::RawIpv4, "{key}={value}");
    }
    // With DF set the kernel leaves an id of 0 alone.
    assert_eq!(over_v4(&[("id", 0), ("df", 1)]).way, Way::RawIpv4);
}

#[test]
fn what_the_kernel_would_rewrite_goes_by_ethernet_and_says_which() {
    for (fields, keys) in [
        (&[("len", 9999)][..], &["len"][..]),
        (&[("len", 0)], &["len"]),
        (&[("sum", 0xdead)], &["sum"]),
        (&[("id", 0), ("df", 0)], &["id"]),
        (&[("src", 0)], &["src"]),
        (&[("len", 1), ("sum", 2)], &["len", "sum"]),
        (&[("ihl", 4)], &["header-shape"]),
        (&[("ihl", 15)], &["header-shape"]),
    ] {
        let plan = over_v4(fields);
        assert_eq!((plan.way, rewritten(&plan).as_slice()), (Way::Ethernet, keys), "{fields:?}");
        let framing = plan.framing.unwrap();
        assert_eq!((framing.destination, framing.source, framing.ether_type), (Some(PEER_MAC), OWN_MAC, 0x0800));
        assert!(plan.touches.is_empty());
    }
}

#[test]
fn a_right_value_set_by_hand_needs_no_other_way() {
    assert_eq!(over_v4(&[("len", 28)]).way, Way::RawIpv4);
    let built = build(&udp4(&[("id", 7)]));
    let sum = u128::from(built.bytes[10]) << 8 | u128::from(built.bytes[11]);
    assert_eq!(over_v4(&[("id", 7), ("sum", sum)]).way, Way::RawIpv4);
    assert_eq!(over_v4(&[("id", 7), ("sum", sum ^ 1)]).way, Way::Ethernet);
}

#[test]
fn allowed_rewrites_are_foretold_to_the_value() {
    let wishes = Wishes { allow_rewrites: true, way: Some(Way::RawIpv4), ..Wishes::default() };
    let right = build(&udp4(&[("id", 7)])).bytes;
    let plan = planned(&udp4(&[("id", 7), ("len", 0), ("sum", 0x0c64)]), &wishes, &facts(PEER4.into())).unwrap();
    let touches: Vec<_> = plan.touches.iter().map(|t| (t.field.key, t.built, t.wire, t.was_set)).collect();
    let sum = u128::from(right[10]) << 8 | u128::from(right[11]);
    assert_eq!(touches, [("len", 0, Some(28), true), ("sum", 0x0c64, Some(sum), true)]);
    // An id that the kernel draws, and the sum that follows it, cannot be foretold.
    let plan = planned(&udp4(&[("id", 0), ("df", 0)]), &wishes, &facts(PEER4.into())).unwrap();
    let touches: Vec<_> = plan.touches.iter().map(|t| (t.field.key, t.wire, t.was_set)).collect();
    assert_eq!(touches, [("id", None, true), ("sum", None, false)]);
}

#[test]
fn ipv6_is_kept_whole_by_its_raw_way() {
    for (key, value) in [("src", 0), ("len", 0), ("ver", 4), ("nh", 255), ("hlim", 0), ("flow", 0), ("tc", 255)] {
        let p = packet(&[("ip6", &[("dst", PEER6.to_bits()), (key, value)]), ("udp", &[("dport", 9)])], 0);
        let plan = planned(&p, &Wishes::default(), &facts(PEER6.into())).unwrap();
        assert_eq!((plan.way, plan.touches.len()), (Way::RawIpv6, 0), "{key}={value}");
    }
}

#[test]
fn larger_than_the_mtu_is_refused_with_both_sizes() {
    let too_large = |size| Refused::TooLarge { size, mtu: 1500, interface: "eth0".to_string() };
    let of = |payload| {
        let mut p = udp4(&[]);
        p.payload = wirewright_craft::Payload::Zero(payload);
        planned(&p, &Wishes::default(), &facts(PEER4.into()))
    };
    assert_eq!(of(1473).unwrap_err(), too_large(1501));
    assert!(of(1472).is_ok());
    let mut framed = udp4(&[]);
    framed.layers.insert(0, Layer::new(wirewright_wire::layer("eth").unwrap()));
    framed.payload = wirewright_craft::Payload::Zero(1473);
    assert_eq!(planned(&framed, &Wishes::default(), &facts(PEER4.into())).unwrap_err(), too_large(1501));
    assert_eq!(Objection::TooLarge { size: 1501, mtu: 1500 }.errno(), Some(Errno::Emsgsize));
}

#[test]
fn a_path_smaller_than_the_link_is_the_raw_ways_limit_alone() {
    let mut facts = facts(PEER4.into());
    if let Some(RouteAnswer::Route(route)) = &mut facts.route {
        route.mtu = Some(1400);
    }
    let mut p = udp4(&[]);
    p.payload = wirewright_craft::Payload::Zero(1450);
    let plan = planned(&p, &Wishes::default(), &facts).unwrap();
    assert_eq!((plan.way, rewritten(&plan).as_slice()), (Way::Ethernet, &["too-large"][..]));
}

#[test]
fn on_loopback_only_the_raw_way_exists() {
    let facts = on_loopback(Ipv4Addr::LOCALHOST);
    let own = ("src", u128::from(Ipv4Addr::LOCALHOST.to_bits()));
    let plan = planned(&udp4(&[own]), &Wishes::default(), &facts).unwrap();
    assert_eq!(plan.way, Way::RawIpv4);
    assert!(plan.notes.contains(&Note::Loopback));
    let refused = planned(&udp4(&[own, ("sum", 0xdead)]), &Wishes::default(), &facts).unwrap_err();
    let Refused::NoWay { raw, ethernet, .. } = refused else { panic!("{refused:?}") };
    assert_eq!((raw[0].code(), ethernet[0].code()), ("kernel-rewrites", "ipv4-frame-on-loopback"));
}

#[test]
fn on_a_loopback_that_takes_frames_they_carry_what_the_raw_way_would_not() {
    let mut facts = on_loopback(Ipv4Addr::LOCALHOST);
    let own = ("src", u128::from(Ipv4Addr::LOCALHOST.to_bits()));
    let mut framed = udp4(&[own]);
    framed.layers.insert(0, Layer::new(wirewright_wire::layer("eth").unwrap()));
    assert_eq!(planned(&framed, &Wishes::default(), &facts).unwrap_err().code(), "way-would");
    facts.interfaces[0].takes_ipv4_frames = true;
    let zeros = MacAddr::ZERO;
    let plan = planned(&udp4(&[own, ("sum", 0xdead)]), &Wishes::default(), &facts).unwrap();
    let framing = Framing { destination: Some(zeros), source: zeros, ether_type: 0x0800 };
    assert_eq!((plan.way, plan.framing), (Way::Ethernet, Some(framing)));
    let plan = planned(&framed, &Wishes::default(), &facts).unwrap();
    assert_eq!((plan.way, plan.next_hop.unwrap().mac), (Way::Ethernet, Some(zeros)));
    assert!(plan.needs.iter().all(|need| !matches!(need, Need::Resolve(_))));
}

#[test]
fn ipv6_in_frames_arrives_on_any_loopback() {
    let mut facts = on_loopback(Ipv4Addr::LOCALHOST);
    if let Some(RouteAnswer::Route(route)) = &mut facts.route {
        (route.destination, route.source) = (Ipv6Addr::LOCALHOST.into(), Some(Ipv6Addr::LOCALHOST.into()));
    }
    let p = packet(&[("eth", &[]), ("ip6", &[("dst", 1), ("src", 1)]), ("udp", &[("dport", 9)])], 0);
    assert_eq!(planned(&p, &Wishes::default(), &facts).unwrap().way, Way::Ethernet);
}

#[test]
fn only_a_fragment_of_ipv6_on_its_raw_way_may_be_held() {
    let six = |fields| packet(&[("ip6", &[("dst", PEER6.to_bits())]), ("frag", fields)], 8);
    let notes = |p: &Packet, wishes: &Wishes, to: IpAddr| planned(p, wishes, &facts(to)).unwrap().notes;
    let (any, frames) = (Wishes::default(), Wishes { way: Some(Way::Ethernet), ..Wishes::default() });
    assert_eq!(notes(&six(&[("mf", 1)]), &any, PEER6.into()), [Note::Fragment]);
    assert_eq!(notes(&six(&[("off", 9)]), &any, PEER6.into()), [Note::Fragment]);
    assert_eq!(notes(&six(&[("id", 9)]), &any, PEER6.into()), []);
    assert_eq!(notes(&six(&[("mf", 1)]), &frames, PEER6.into()), []);
    assert_eq!(notes(&udp4(&[("mf", 1)]), &any, PEER4.into()), []);
}

#[test]
fn without_an_ethernet_address_a_wish_that_needs_one_is_refused() {
    let mut facts = facts(PEER4.into());
    facts.interfaces[1].mac = None;
    assert_eq!(planned(&udp4(&[]), &Wishes::default(), &facts).unwrap().way, Way::RawIpv4);
    let refused = planned(&udp4(&[("sum", 1)]), &Wishes::default(), &facts).unwrap_err();
    assert_eq!(refused.code(), "no-way");
    let wishes = Wishes { way: Some(Way::Ethernet), ..Wishes::default() };
    assert_eq!(planned(&udp4(&[]), &wishes, &facts).unwrap_err().code(), "way-would");
}

#[test]
fn routes_and_interfaces_that_carry_nothing_are_named() {
    let refused = |facts: &Facts, wishes: &Wishes| planned(&udp4(&[]), wishes, facts).unwrap_err();
    let wishes = Wishes::default();
    let mut f = facts(PEER4.into());
    f.route = Some(RouteAnswer::None { destination: PEER4.into() });
    assert_eq!(refused(&f, &wishes), Refused::NoRoute { destination: PEER4.into() });
    for kind in [RouteKind::Blackhole, RouteKind::Unreachable, RouteKind::Prohibit] {
        let mut f = facts(PEER4.into());
        if let Some(RouteAnswer::Route(route)) = &mut f.route {
            route.kind = kind;
        }
        assert_eq!(refused(&f, &wishes), Refused::RouteRefuses { destination: PEER4.into(), kind });
    }
    let mut f = facts(PEER4.into());
    f.interfaces[1].up = false;
    assert_eq!(refused(&f, &wishes), Refused::InterfaceDown { name: "eth0".to_string() });
    let named = Wishes { interface: Some("eth9".to_string()), ..Wishes::default() };
    assert_eq!(refused(&facts(PEER4.into()), &named), Refused::NoInterface { name: "eth9".to_string() });
    let lo = Wishes { interface: Some("lo".to_string()), ..Wishes::default() };
    assert_eq!(refused(&facts(PEER4.into()), &lo), Refused::LoopbackElsewhere { destination: PEER4.into() });
}

#[test]
fn an_ethernet_layer_takes_the_ethernet_way_and_its_own_next_hop() {
    let mut p = udp4(&[]);
    p.layers.insert(0, Layer::new(wirewright_wire::layer("eth").unwrap()));
    let plan = planned(&p, &Wishes::default(), &facts(PEER4.into())).unwrap();
    assert_eq!((plan.way, &plan.reason, plan.framing), (Way::Ethernet, &Reason::EthernetLayer, None));
    assert_eq!(plan.next_hop.unwrap().mac, Some(PEER_MAC));
    assert!(p.layers[0].set("dst", Setting::Exactly(0x0200_0000_0099)));
    let plan = planned(&p, &Wishes::default(), &facts(PEER4.into())).unwrap();
    assert_eq!(
        plan.next_hop,
        Some(NextHop { address: None, mac: Some(MacAddr([2, 0, 0, 0, 0, 0x99])), by: NextHopBy::Set })
    );
}

#[test]
fn an_unknown_next_hop_is_to_be_resolved_and_a_gateway_is_one() {
    let gateway = IpAddr::from(Ipv4Addr::new(192, 0, 2, 254));
    let mut f = facts(Ipv4Addr::new(198, 51, 100, 7).into());
    if let Some(RouteAnswer::Route(route)) = &mut f.route {
        route.gateway = Some(gateway);
    }
    let plan = planned(&udp4(&[("sum", 1)]), &Wishes::default(), &f).unwrap();
    assert!(plan.needs.contains(&Need::Resolve(gateway)));
    assert_eq!(plan.framing.unwrap().frame(&[1, 2]), None);
    f.neighbors.push(Neighbor { interface: 2, address: gateway, mac: None, state: NeighborState::Failed });
    let plan = planned(&udp4(&[("sum", 1)]), &Wishes::default(), &f).unwrap();
    assert!(plan.notes.contains(&Note::NeighborFailed { address: gateway }));
}

#[test]
fn groups_and_everybody_have_addresses_that_follow_from_theirs() {
    assert_eq!(ethernet::group_mac(Ipv4Addr::new(239, 129, 3, 4).into()), MacAddr([1, 0, 0x5e, 1, 3, 4]));
    let group: Ipv6Addr = "ff02::1:ff12:3456".parse().unwrap();
    assert_eq!(ethernet::group_mac(group.into()), MacAddr([0x33, 0x33, 0xff, 0x12, 0x34, 0x56]));
}

#[test]
fn handed_to_another_address_it_goes_there_and_a_note_says_so() {
    let to = IpAddr::from(Ipv4Addr::new(192, 0, 2, 8));
    let wishes = Wishes { to: Some(to), ..Wishes::default() };
    let plan = planned(&udp4(&[]), &wishes, &facts(to)).unwrap();
    assert_eq!(plan.destination, Some(to));
    assert!(plan.notes.contains(&Note::AddressedElsewhere { header: PEER4.into(), to }));
    // To an address of the other version only Ethernet can hand it.
    let wishes = Wishes { to: Some(PEER6.into()), ..Wishes::default() };
    let plan = planned(&udp4(&[]), &wishes, &facts(PEER6.into())).unwrap();
    assert_eq!((plan.way, plan.framing.unwrap().ether_type), (Way::Ethernet, 0x0800));
}

#[test]
fn a_foreign_source_needs_no_guard_and_says_so() {
    let plan = over_v4(&[("src", 0xc633_6407)]);
    assert_eq!(plan.needs, []);
    assert_eq!(plan.notes, [Note::ForeignSource { source: Ipv4Addr::new(198, 51, 100, 7).into() }]);
}

#[test]
fn every_row_of_the_table_names_a_field_that_exists() {
    for row in crate::ways::TABLE {
        if let crate::ways::Subject::Field(key) = row.subject {
            let desc = wirewright_wire::layer(if row.way == Way::RawIpv6 { "ip6" } else { "ip" }).unwrap();
            assert!(desc.field(key).is_some(), "{key}");
        }
    }
    for (way, layer) in [(Way::RawIpv4, "ip"), (Way::RawIpv6, "ip6")] {
        for field in wirewright_wire::layer(layer).unwrap().fields {
            let said = crate::ways::rows(way).any(|row| row.subject == crate::ways::Subject::Field(field.key));
            assert!(said, "{way} says nothing of {}", field.key);
        }
    }
}
