//! `ask` against real kernels: the right answer, its time from the kernel's stamp, and nobody else's.

use std::{net::IpAddr, thread, time::Duration};

use wirewright_craft::{Packet, parse};
use wirewright_hand::probes::{AnswerKind, IcmpError, Order};
use wirewright_lab::{Host, Lab};
use wirewright_link::{RawIpv4, RawIpv6, SenderConfig, sys};
use wirewright_net::Hosts;
use wirewright_net::hand::{Event, Fate, Guarding, Options, Role, Session};
use wirewright_sim::Dice;
use wirewright_tests::{Ground, Limit, Outcome, Scenario, World, ensure, fail, wait_for};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn(&Lab) -> Outcome| {
        Scenario::new(&format!("answers::{name}"), Ground::Lab, move |world: &World| {
            world.with_counters(|| run(world.lab()))
        })
    };
    vec![
        scenario("a_syn_to_an_open_port_is_answered_and_closed_by_one_reset", open_port),
        scenario("each_probe_gets_its_answer_in_both_versions", each_probe),
        scenario("silence_times_out_after_the_wait_and_no_later", silence),
        scenario("the_round_trip_is_the_kernels_not_the_readers", kernel_stamps),
        scenario("a_thousand_foreign_packets_are_none_of_ours", foreign),
        scenario("a_port_in_use_is_refused_before_anything_leaves", port_in_use),
        scenario("arp_is_asked_and_answered", arp),
    ]
}

/// Options whose names are the lab's.
pub(crate) fn options(lab: &Lab) -> Options {
    let mut names = Vec::new();
    for host in lab.hosts() {
        names.push((host.name.to_string(), IpAddr::from(host.v4)));
        names.extend(host.v6.map(|v6| (host.name.to_string(), IpAddr::from(v6))));
    }
    Options { names: Box::new(Hosts::new(names)), ..Options::default() }
}

pub(crate) fn packet(words: &str) -> Result<Packet, String> {
    parse(words).map_err(|error| format!("{words}: {error:?}"))
}

/// Asks, and gives all that happened.
fn ask(lab: &Lab, words: &str, options: Options) -> Result<Vec<Event>, Box<dyn std::error::Error + Send + Sync>> {
    let _ = lab;
    let mut session = Session::open(options);
    session.start(&packet(words)?)?;
    let mut events = Vec::new();
    while let Some(event) = session.next_event()? {
        events.push(event);
    }
    Ok(events)
}

/// The kinds of the answers among events.
fn kinds(events: &[Event]) -> Vec<AnswerKind> {
    let kind = |event: &Event| match event {
        Event::Answer(heard) => Some(heard.answer.kind),
        _ => None,
    };
    events.iter().filter_map(kind).collect()
}

fn open_port(lab: &Lab) -> Outcome {
    for families in [wirewright_net::Families::V4, wirewright_net::Families::V6] {
        let before = lab.counters(Host::Client)?;
        let events = ask(lab, "tcp server:80 S", Options { families, ..options(lab) })?;
        let [Event::Sent(probe), Event::Answer(heard), Event::Sent(reset)] = &events[..] else {
            fail!("{families:?}: {events:#?}");
        };
        let AnswerKind::SynAck { ack, .. } = heard.answer.kind else { fail!("{heard:?}") };
        ensure!(heard.answer.order == Order::First && heard.answer.probe == probe.id, "{heard:?}");
        ensure!(matches!(probe.guard, Guarding::Held { .. }), "{:?}", probe.guard);
        let (Fate::Left(left), Fate::Left(closed)) = (&probe.fate, &reset.fate) else { fail!("{probe:?} {reset:?}") };
        ensure!(left.changes.is_empty() && closed.changes.is_empty(), "{left:?} {closed:?}");
        ensure!(!left.lost_in_queue && left.at.is_some(), "{left:?}");
        ensure!(reset.role == Role::Close { probe: probe.id }, "{reset:?}");
        let tcp = closed.packet(&reset.built);
        let segment = tcp.layer("tcp").ok_or("the reset is no segment")?;
        ensure!(segment.value_or_default("seq") == Some(ack.into()), "{segment:?}");
        ensure!(segment.value_or_default("flags") == Some(4), "{segment:?}");
        let moved = lab.counters(Host::Client)?.since(&before);
        ensure!(moved.value("TcpOutRsts") == 0, "our own kernel answered\n{moved}");
    }
    Ok(())
}

fn each_probe(lab: &Lab) -> Outcome {
    use wirewright_net::Families::{V4, V6};
    let error = |v6, kind, code| AnswerKind::IcmpError(IcmpError { v6, kind, code, mtu: 0 });
    for families in [V4, V6] {
        let v6 = families == V6;
        let icmp = if v6 { "icmp6" } else { "icmp" };
        let cases = [
            ("tcp closed:80 S".to_owned(), "closed"),
            ("udp server:4000 data=hello".to_owned(), "port"),
            ("udp server:7 data=hello".to_owned(), "echoed"),
            ("tcp server:80 S ttl=1".to_owned(), "exceeded"),
            (format!("{icmp} server data=wirewright seq=7"), "reply"),
            ("tcp server:80 A ack=77".to_owned(), "reset"),
        ];
        for (words, expected) in cases {
            let events = ask(lab, &words, Options { families, ..options(lab) })?;
            let kinds = kinds(&events);
            let [kind] = kinds[..] else { fail!("{families:?} {words}: {events:#?}") };
            let right = match expected {
                "closed" => matches!(kind, AnswerKind::Rst { flags } if flags.ack()),
                "reset" => matches!(kind, AnswerKind::Rst { flags } if !flags.ack()),
                "port" if v6 => kind == error(true, 1, 4),
                "port" => kind == error(false, 3, 3),
                "echoed" => kind == AnswerKind::UdpReply { data: 5 },
                "exceeded" if v6 => kind == error(true, 3, 0),
                "exceeded" => kind == error(false, 11, 0),
                _ => matches!(kind, AnswerKind::EchoReply { seq: 7, data: 10, .. }),
            };
            ensure!(right, "{families:?} {words}: {kind:?}");
            let Some(Event::Answer(heard)) = events.iter().find(|event| matches!(event, Event::Answer(_))) else {
                fail!("{events:?}");
            };
            let rtt = heard.answer.rtt;
            ensure!(rtt > Duration::ZERO && rtt < Duration::from_millis(500), "{words}: {rtt:?}");
        }
    }
    Ok(())
}

fn silence(lab: &Lab) -> Outcome {
    let wait = Duration::from_millis(300);
    for words in ["tcp silent:80 S", "udp silent:7 data=x", "icmp silent"] {
        let before = sys::clock::now();
        let events = ask(lab, words, Options { wait, ..options(lab) })?;
        let took = sys::clock::now().since(before);
        ensure!(matches!(&events[..], [Event::Sent(_), Event::TimedOut { probe: 0 }]), "{words}: {events:?}");
        ensure!(took >= wait && took < wait * 4, "{words} took {took:?}");
    }
    Ok(())
}

fn kernel_stamps(lab: &Lab) -> Outcome {
    let late = Duration::from_millis(40);
    let mut session = Session::open(options(lab));
    let mut ask_and_read_late = || -> Result<Duration, Box<dyn std::error::Error + Send + Sync>> {
        session.start(&packet("icmp server data=late")?)?;
        thread::sleep(late);
        let mut rtt = Err("no answer".into());
        while let Some(event) = session.next_event()? {
            if let Event::Answer(heard) = event {
                rtt = Ok(heard.answer.rtt);
            }
        }
        rtt
    };
    // The kernel begins to stamp some moments after the first socket asked for stamps; until then it stamps when it is read.
    wait_for("a stamp of the kernel", Limit::seconds(5), || ask_and_read_late().ok().filter(|rtt| *rtt < late / 2))?;
    for _ in 0..5 {
        let rtt = ask_and_read_late()?;
        ensure!(rtt > Duration::ZERO && rtt < late / 2, "{rtt:?} counts the reader's own delay");
    }
    Ok(())
}

fn foreign(lab: &Lab) -> Outcome {
    let hosts = lab.hosts();
    let find = |name: &str| hosts.iter().find(|host| host.name == name).copied().ok_or(format!("no {name}"));
    let (silent, client) = (find("silent")?, find("client")?);
    let (silent6, client6) = (silent.v6.ok_or("no IPv6")?, client.v6.ok_or("no IPv6")?);
    let mut dice = Dice::new(7);
    let mut v4 = Vec::new();
    let mut v6 = Vec::new();
    for n in 0..500 {
        let draw = |dice: &mut Dice, below: u64| dice.below(below);
        let (port, number) = (2000 + draw(&mut dice, 20_000), draw(&mut dice, u64::from(u32::MAX)));
        let other = |v: &str, a: &str, b: &str, icmp: &str, unreach: &str| match n % 5 {
            0 => format!("{v} {b} src={a} / {icmp} reply id={} seq={} data=wirewright", port, number % 9),
            1 => format!("{v} {b} src={a} / tcp :{port} sport=80 RA ack={number}"),
            2 => format!("{v} {b} src={a} / tcp :50505 sport=80 RA ack={number}"),
            3 => format!("{v} {b} src={a} / tcp :50505 sport=80 SA seq=1 ack={number}"),
            _ => format!("{v} {b} src={a} / {icmp} {unreach} / {v} {a} src={b} / tcp :80 sport={port} S seq={number}"),
        };
        let (a, b) = (silent.v4.to_string(), client.v4.to_string());
        v4.push(other("ip", &a, &b, "icmp", "unreach"));
        let (a, b) = (silent6.to_string(), client6.to_string());
        v6.push(other("ip6", &a, &b, "icmp6", "unreach"));
    }
    let build = |words: &Vec<String>| -> Result<Vec<Vec<u8>>, String> {
        let one = |words: &String| {
            packet(words)?
                .build(&Default::default())
                .map(|built| built.bytes)
                .map_err(|error| format!("{words}: {error}"))
        };
        words.iter().map(one).collect()
    };
    let (v4, v6) = (build(&v4)?, build(&v6)?);
    let mut session = Session::open(Options { wait: Duration::from_millis(1500), ..options(lab) });
    let seq = 0x1234_5678;
    session.start(&packet(&format!("tcp {}:80 S sport=50505 seq={seq}", silent.v4))?)?;
    session.start(&packet(&format!("icmp {} id=1 seq=1 data=wirewright", silent.v4))?)?;
    session.start(&packet(&format!("tcp {silent6} :80 S sport=50505 seq={seq}"))?)?;
    session.start(&packet(&format!("icmp6 {silent6} id=1 seq=1 data=wirewright"))?)?;
    let sent = lab.on(Host::Server, || -> Result<usize, wirewright_link::OsError> {
        let config = SenderConfig { read_back: false, ..SenderConfig::default() };
        let mut raw4 = RawIpv4::open(sys::system(), &config)?;
        let mut raw6 = RawIpv6::open(sys::system(), &config)?;
        for (a, b) in v4.iter().zip(&v6) {
            raw4.send(a, client.v4)?;
            raw6.send(b, client6, 0)?;
        }
        Ok(v4.len() + v6.len())
    })??;
    ensure!(sent == 1000, "{sent}");
    let mut timed_out = 0;
    while let Some(event) = session.next_event()? {
        match event {
            Event::Sent(_) => {}
            Event::TimedOut { .. } => timed_out += 1,
            other => fail!("took {other:?}"),
        }
    }
    ensure!(timed_out == 4, "{timed_out} timed out");
    Ok(())
}

fn port_in_use(lab: &Lab) -> Outcome {
    let taken = std::net::TcpListener::bind("0.0.0.0:0")?;
    let port = taken.local_addr()?.port();
    let before = lab.counters(Host::Server)?;
    let mut session = Session::open(options(lab));
    let refused = session.start(&packet(&format!("tcp server:80 S sport={port}"))?);
    let error = refused.err().ok_or("it was sent from a port that is not ours")?;
    ensure!(error.code() == "choose-port", "{error}");
    let moved = lab.counters(Host::Server)?.since(&before);
    ensure!(moved.value("TcpInSegs") == 0, "{moved}");
    Ok(())
}

fn arp(lab: &Lab) -> Outcome {
    let router = lab.hosts().into_iter().find(|host| host.name == "router").ok_or("no router")?.v4;
    let events = ask(lab, &format!("arp {router}"), options(lab))?;
    let [AnswerKind::ArpReply { address, .. }] = kinds(&events)[..] else { fail!("{events:#?}") };
    ensure!(address == router, "{address}");
    Ok(())
}
