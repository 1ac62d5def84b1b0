//! The sent line is the wire: what is printed as sent is, byte for byte, what the first hop received.

use std::collections::BTreeMap;
use std::net::IpAddr;

use wirewright_craft::{First, Host as To, Packet, Setting, parse};
use wirewright_hand::Touch;
use wirewright_lab::Lab;
use wirewright_net::hand::{Options, Prepared, Sent, Session};
use wirewright_sim::Dice;
use wirewright_tests::{Ground, Outcome, Scenario, World, ensure, fail};

use crate::answers::options;
use crate::random_packet::random_packet;
use crate::ways::{client_port, hears, left, tap};

/// How many packets; the issue's own number.
const PACKETS: usize = 2_000;
/// The seed; another one by `WW_SEED`.
const SEED: u64 = 2026;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn(&Lab) -> Outcome| {
        Scenario::new(&format!("sent_line::{name}"), Ground::Lab, move |world: &World| run(world.lab()))
    };
    vec![
        scenario("two_thousand_random_packets_are_printed_as_they_left", as_printed),
        scenario("what_was_let_be_rewritten_is_marked_and_nothing_else", marked),
    ]
}

fn as_printed(lab: &Lab) -> Outcome {
    let seed = std::env::var("WW_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let mut dice = Dice::new(seed);
    let mut tap = tap(lab)?;
    let mut sessions = sessions(lab, false);
    let mut ways: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..PACKETS {
        let packet = random_packet(&mut dice);
        let session = if packet.layers[0].key() == "ip6" { &mut sessions.1 } else { &mut sessions.0 };
        let planned = session.plan(&packet);
        let sent = match session.send(&packet) {
            Ok(sent) => sent,
            Err(wirewright_net::Error::Misuse(_)) => {
                // A length that does not fit its field cannot be built, whoever sends it.
                *ways.entry("unbuildable".to_owned()).or_default() += 1;
                continue;
            }
            Err(error) => fail!("seed {seed}, packet {n}: {packet}: {error}"),
        };
        *ways.entry(sent.plan.way.to_string()).or_default() += 1;
        let planned = planned.map_err(|error| format!("packet {n}: sent, and the plan said {error}"))?;
        let told = foretold(&packet, &planned, &sent);
        let told = told.and_then(|()| check(&packet, &sent)).and_then(|()| hears(&mut tap, &left(&sent)?.frame));
        told.map_err(|error| format!("seed {seed}, packet {n}, {}: {error}\n{packet}", sent.plan.way))?;
    }
    eprintln!("{ways:?}");
    let sent: usize = ways.iter().filter(|(way, _)| *way != "unbuildable").map(|(_, count)| count).sum();
    ensure!(sent * 10 >= PACKETS * 9, "only {sent} were sent: {ways:?}");
    ensure!(["raw-ipv4", "raw-ipv6", "ethernet"].iter().all(|way| ways.get(*way) > Some(&100)), "{ways:?}");
    Ok(())
}

/// Sessions that hand everything to the lab's server, whatever its header says; one for frames and IPv4, one for IPv6.
pub(crate) fn sessions(lab: &Lab, allow_rewrites: bool) -> (Session, Session) {
    let interface = Some(client_port().interface.to_owned());
    let server = |v6| {
        let mut hosts = lab.hosts().into_iter().filter(|host| host.name == "server");
        let host = hosts.next().expect("there is a server");
        To::Address(if v6 { host.v6.expect("it has IPv6").into() } else { host.v4.into() })
    };
    let open = |v6| {
        let to = Some(server(v6));
        // Two sessions would compete for the few ports that are drawn again and again (0, 65535).
        let guard = false;
        Session::open(Options { to, interface: interface.clone(), allow_rewrites, guard, ..options(lab) })
    };
    (open(false), open(true))
}

/// What the plan said before is what is on the wire: way, interface, both MACs, source, and each field that the kernel filled, with
/// its value where that could be foretold.
fn foretold(packet: &Packet, planned: &Prepared, sent: &Sent) -> Outcome {
    let (plan, left) = (&planned.plan, left(sent)?);
    ensure!(plan.way == sent.plan.way, "planned {}, went by {}", plan.way, sent.plan.way);
    ensure!(plan.interface.name == client_port().interface, "planned {}", plan.interface.name);
    if packet.layers[0].key() != "eth" {
        let hop = plan.next_hop.and_then(|hop| hop.mac).ok_or("the plan knows no next hop")?;
        ensure!(left.frame[..6] == hop.0, "planned {hop}, went to {:02x?}", &left.frame[..6]);
        ensure!(left.frame[6..12] == client_port().mac, "went from {:02x?}", &left.frame[6..12]);
    }
    let on_wire = |bits: core::ops::Range<usize>| {
        bits.fold(0_u128, |value, bit| value << 1 | u128::from(left.packet_bytes()[bit / 8] >> (7 - bit % 8) & 1))
    };
    let network = packet.layers.iter().position(|layer| matches!(layer.key(), "ip" | "ip6"));
    let unset = |index: &usize| packet.layers[*index].get("src") == Some(Setting::Auto);
    if let (Some(network), Some(source)) = (network.filter(unset), plan.source) {
        let value = sent.built.span(network, "src").map(|span| on_wire(span.bits.clone()));
        let planned = match source {
            IpAddr::V4(source) => source.to_bits().into(),
            IpAddr::V6(source) => source.to_bits(),
        };
        ensure!(value == Some(planned), "planned the source {source}, on the wire {value:x?}");
    }
    let keys = |touches: &[Touch]| touches.iter().map(|touch| touch.field.key).collect::<Vec<_>>();
    let differing: Vec<_> = left.changes.parts.iter().filter_map(|it| sent.built.spans[it.span].field()).collect();
    let differing: Vec<_> = differing.iter().map(|field| field.key).collect();
    ensure!(keys(&plan.touches) == differing, "planned {:?}, differ {differing:?}", keys(&plan.touches));
    for touch in &sent.plan.touches {
        let span =
            sent.built.spans.iter().find(|span| span.field().is_some_and(|field| core::ptr::eq(field, touch.field)));
        let (Some(span), Some(wire)) = (span, touch.wire) else { continue };
        let value = span
            .bits
            .clone()
            .fold(0, |value, bit| value << 1 | u128::from(left.packet_bytes()[bit / 8] >> (7 - bit % 8) & 1));
        ensure!(value == wire, "{}: planned {wire}, on the wire {value}", touch.field.key);
    }
    Ok(())
}

/// What was set is what left, and the printed line reads back to the frame.
fn check(packet: &Packet, sent: &Sent) -> Outcome {
    let left = left(sent)?;
    // The kernel may fill only what was left unset: the checksum of a header whose length was set to more than there is.
    let unset = sent.plan.touches.iter().all(|touch| !touch.was_set);
    let foretold = left.changes.length.is_none() && left.changes.parts.len() == sent.plan.touches.len();
    ensure!(unset && foretold, "changed {:?}, foretold {:?}", left.changes, sent.plan.touches);
    let same = left.packet_bytes() == sent.built.bytes;
    ensure!(same == left.changes.is_empty(), "left as {:02x?}", left.frame);
    for (index, layer) in packet.layers.iter().enumerate() {
        for (_, field, setting) in layer.rows() {
            let (Setting::Exactly(value), Some(span)) = (setting, sent.built.span(index, field.key)) else { continue };
            let mut on_wire = 0_u128;
            for bit in span.bits.clone() {
                let byte = left.packet_bytes()[bit / 8];
                on_wire = on_wire << 1 | u128::from(byte >> (7 - bit % 8) & 1);
            }
            ensure!(on_wire == value, "{}.{}: set {value}, on the wire {on_wire}", layer.key(), field.key);
        }
    }
    let line = left.packet(&sent.built).to_string();
    let again = parse(&line).map_err(|error| format!("{line}: {error:?}"))?;
    let again = again.build(&Default::default()).map_err(|error| format!("{line}: {error}"))?;
    ensure!(again.bytes == left.frame && left.first == Some(First::Ethernet), "{line}\nis not\n{:02x?}", left.frame);
    Ok(())
}

fn marked(lab: &Lab) -> Outcome {
    let mut dice = Dice::new(SEED + 1);
    let mut tap = tap(lab)?;
    let (mut session, _) = sessions(lab, true);
    let mut marks: BTreeMap<&str, usize> = BTreeMap::new();
    for n in 0..500 {
        let packet = random_packet(&mut dice);
        if packet.layers[0].key() != "ip" {
            continue;
        }
        let Ok(sent) = session.send(&packet) else { continue };
        let left = left(&sent)?;
        hears(&mut tap, &left.frame)?;
        // Bit by bit: whatever differs from what was built lies in a marked field, and each marked field differs.
        let (built, wire) = (&sent.built.bytes, left.packet_bytes());
        ensure!(left.changes.length.is_none() && built.len() == wire.len(), "packet {n}: {:?}", left.changes);
        let differing: Vec<usize> =
            (0..built.len() * 8).filter(|bit| (built[bit / 8] ^ wire[bit / 8]) >> (7 - bit % 8) & 1 == 1).collect();
        let spans = || left.changes.parts.iter().map(|change| &sent.built.spans[change.span]);
        for bit in &differing {
            ensure!(spans().any(|span| span.bits.contains(bit)), "packet {n}: bit {bit} differs and is not marked");
        }
        for span in spans() {
            let differs = differing.iter().any(|bit| span.bits.contains(bit));
            ensure!(differs, "packet {n}: {span:?} is marked and does not differ");
            *marks.entry(span.field().map_or("not a field", |field| field.key)).or_default() += 1;
        }
        let foretold = left.changes.parts.len() == sent.plan.touches.len();
        ensure!(foretold, "packet {n}: {:?}, foretold {:?}", left.changes, sent.plan.touches);
        let by_kernel = left.changes.parts.iter().all(|change| change.who == wirewright_hand::Who::Kernel);
        ensure!(by_kernel, "packet {n}: {:?}", left.changes);
    }
    eprintln!("{marks:?}");
    ensure!(["len", "sum"].iter().all(|key| marks.get(key) > Some(&10)), "{marks:?}");
    Ok(())
}
