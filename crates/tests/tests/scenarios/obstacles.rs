//! What keeps a packet from leaving, and that it is said: routes, firewalls, silent neighbours, links that are down.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use wirewright_craft::Packet;
use wirewright_hand::probes::{AnswerKind, IcmpError};
use wirewright_hand::{NeighborState, Refused, RouteKind, Way};
use wirewright_lab::Lab;
use wirewright_link::sys;
use wirewright_net::hand::{Counters, Event, Fate, Options, Session};
use wirewright_net::{Error, Families, Names};
use wirewright_tests::{Ground, Outcome, Program, Scenario, World, ensure, fail};

use crate::answers::{options, packet};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn(&Lab) -> Outcome| {
        Scenario::new(&format!("obstacles::{name}"), Ground::Lab, move |world: &World| run(world.lab()))
    };
    vec![
        scenario("routes_that_refuse_are_named_before_anything_is_sent", routes).tools(&["ip"]),
        scenario("a_firewall_rule_is_an_error_of_sending", firewall).tools(&["nft"]),
        scenario("a_packet_held_for_a_silent_neighbour_is_told", held),
        scenario("our_own_questions_give_a_silent_neighbour_up_after_three", own_questions),
        scenario("an_interface_that_is_down_is_named", down).tools(&["ip"]),
        scenario("a_tap_tells_what_left_where_the_driver_does_not", no_stamps).tools(&["ip"]),
        scenario("counters_tell_what_moved_on_this_host", counters).tools(&["nft"]),
        scenario("names_nobody_knows_and_of_the_other_version_are_refused", names),
    ]
}

fn run(command: &str) -> Outcome {
    let words: Vec<&str> = command.split_whitespace().collect();
    Program::new(words[0]).args(&words[1..]).run()?.success()?;
    Ok(())
}

/// Does `act` between two commands; the second is run in any case.
fn between(first: &[&str], last: &str, act: impl FnOnce() -> Outcome) -> Outcome {
    let prepared = first.iter().try_for_each(|command| run(command));
    let outcome = prepared.and_then(|()| act());
    run(last)?;
    outcome
}

fn refused(lab: &Lab, packet: &Packet) -> Result<Error, String> {
    Session::open(options(lab)).start(packet).err().ok_or_else(|| "it was sent".to_owned())
}

fn routes(lab: &Lab) -> Outcome {
    for (word, kind, v4, v6) in [
        ("blackhole", RouteKind::Blackhole, "203.0.113.0/25", "2001:db8:bad::/48"),
        ("unreachable", RouteKind::Unreachable, "203.0.113.0/25", "2001:db8:bad::/48"),
        ("prohibit", RouteKind::Prohibit, "203.0.113.0/25", "2001:db8:bad::/48"),
    ] {
        for (network, words) in [(v4, "udp 203.0.113.9:9"), (v6, "udp 2001:db8:bad::9 :9")] {
            let family = if network == v4 { "-4" } else { "-6" };
            let add = format!("ip {family} route add {word} {network}");
            let delete = format!("ip {family} route del {word} {network}");
            between(&[&add], &delete, || {
                let error = refused(lab, &packet(words)?)?;
                let named = matches!(error, Error::Refused(Refused::RouteRefuses { kind: it, .. }) if it == kind);
                ensure!(named, "{word} {words}: {error}");
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn firewall(lab: &Lab) -> Outcome {
    let table =
        ["nft add table inet ww_test", "nft add chain inet ww_test out { type filter hook output priority 0 ; }"];
    let rule = "nft add rule inet ww_test out udp dport 5555 drop";
    between(&[table[0], table[1], rule], "nft delete table inet ww_test", || {
        for words in ["udp server:5555", "udp 2001:db8::2 :5555"] {
            let error = refused(lab, &packet(words)?)?;
            ensure!(error.code() == "allow-in-firewall", "{words}: {error}");
        }
        // What goes by Ethernet passes no firewall.
        let sent =
            Session::open(Options { way: Some(Way::Ethernet), ..options(lab) }).send(&packet("udp server:5555")?)?;
        ensure!(matches!(sent.fate, Fate::Left(_)), "{:?}", sent.fate);
        Ok(())
    })
}

fn held(lab: &Lab) -> Outcome {
    for (words, answer) in [
        ("udp 198.51.100.77:9", IcmpError { v6: false, kind: 3, code: 1, mtu: 0 }),
        ("udp 2001:db8:1::77 :9", IcmpError { v6: true, kind: 1, code: 3, mtu: 0 }),
    ] {
        let mut session = Session::open(Options { wait: Duration::from_secs(6), ..options(lab) });
        session.start(&packet(words)?)?;
        let mut events = Vec::new();
        while let Some(event) = session.next_event()? {
            events.push(event);
        }
        // The kernel gives the neighbour up and tells us so, as it would tell any of its sockets.
        let [Event::Sent(sent), Event::Answer(heard)] = &events[..] else { fail!("{words}: {events:#?}") };
        let Fate::Held(held) = sent.fate else { fail!("{words}: {:?}", sent.fate) };
        ensure!(held.neighbor == Some(NeighborState::Failed), "{held:?}");
        ensure!(heard.answer.kind == AnswerKind::IcmpError(answer), "{heard:?}");
    }
    Ok(())
}

fn own_questions(lab: &Lab) -> Outcome {
    for words in ["ip 198.51.100.78 sum=0xdead", "eth / ip6 2001:db8:1::78 / udp :9"] {
        let before = sys::clock::now();
        let error = refused(lab, &packet(words)?)?;
        let took = sys::clock::now().since(before);
        ensure!(matches!(error, Error::NextHopSilent { .. }), "{words}: {error}");
        ensure!(took > Duration::from_millis(2_900) && took < Duration::from_secs(6), "{words}: {took:?}");
    }
    Ok(())
}

fn down(lab: &Lab) -> Outcome {
    run("ip link add ww-down type veth peer name ww-peer")?;
    between(&[], "ip link del ww-down", || {
        for words in ["eth 02:00:00:00:00:09 / ip 192.0.2.2 / udp :9", "udp 192.0.2.2:9"] {
            let mut session = Session::open(Options { interface: Some("ww-down".to_owned()), ..options(lab) });
            let error = session.plan(&packet(words)?).err();
            let named = matches!(&error, Some(Error::Refused(Refused::InterfaceDown { name })) if name == "ww-down");
            ensure!(named, "{words}: {error:?}");
        }
        let mut session = Session::open(Options { interface: Some("ww-none".to_owned()), ..options(lab) });
        let error = session.plan(&packet("udp 192.0.2.2:9")?).err();
        ensure!(matches!(&error, Some(Error::Refused(Refused::NoInterface { .. }))), "{error:?}");
        Ok(())
    })
}

/// The driver of `ifb` never says that it was given a frame.
fn no_stamps(lab: &Lab) -> Outcome {
    let ready = [
        "ip link add ww-ifb type ifb",
        "ip addr add 203.0.113.1/24 dev ww-ifb",
        "ip link set ww-ifb up",
        "ip neigh add 203.0.113.2 lladdr 02:00:00:00:00:02 dev ww-ifb",
    ];
    between(&ready, "ip link del ww-ifb", || {
        for words in ["udp 203.0.113.2:9 data=x", "udp 203.0.113.2:9 data=x ip.sum=0xdead"] {
            let sent = Session::open(options(lab)).send(&packet(words)?)?;
            let Fate::Left(left) = &sent.fate else { fail!("{words}: {:?}", sent.fate) };
            ensure!(!left.lost_in_queue && left.at.is_some(), "{words}: {left:?}");
            ensure!(left.packet_bytes() == sent.built.bytes, "{words}: {left:?}");
        }
        Ok(())
    })
}

fn counters(lab: &Lab) -> Outcome {
    let chain = "nft add chain inet ww_test in { type filter hook input priority 0 ; }";
    let rule = "nft add rule inet ww_test in udp sport 7 drop";
    between(&["nft add table inet ww_test", chain, rule], "nft delete table inet ww_test", || {
        let before = Counters::read();
        let mut session = Session::open(Options { wait: Duration::from_millis(200), ..options(lab) });
        session.start(&packet("udp server:7 data=x")?)?;
        while session.next_event()?.is_some() {}
        let moved = Counters::read().since(&before);
        ensure!(moved.iter().any(|counter| counter.name == "Ip.InReceives"), "{moved:?}");
        ensure!(moved.iter().any(|counter| counter.name == "eth0.rx_packets"), "{moved:?}");
        Ok(())
    })
}

/// A resolver that knows one name, and asks nobody.
struct OnlyFour;

impl Names for OnlyFour {
    fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        Ok(if name == "four" { vec![Ipv4Addr::new(192, 0, 2, 2).into()] } else { Vec::new() })
    }
}

fn names(lab: &Lab) -> Outcome {
    let open = |families| Session::open(Options { families, names: Box::new(OnlyFour), ..options(lab) });
    let error = open(Families::V6).plan(&packet("udp four:9")?).err().map(|error| error.code());
    ensure!(error == Some("name-other-family"), "{error:?}");
    let error = open(Families::Both).plan(&packet("udp nowhere:9")?).err().map(|error| error.code());
    ensure!(error == Some("name-unknown"), "{error:?}");
    ensure!(open(Families::V4).plan(&packet("udp four:9")?).is_ok(), "four has an address");
    Ok(())
}
