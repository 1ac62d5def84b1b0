//! A probe in a tunnel, and a kernel at the tunnel's other end: it takes our frames, and its answers are found in its own.

use std::{
    net::{IpAddr, TcpListener},
    process::Command,
    time::Duration,
};

use wirewright_hand::probes::AnswerKind;
use wirewright_lab::{Host, Lab};
use wirewright_net::hand::{Event, Options, Role, Session};
use wirewright_tests::{Ground, Need, Outcome, Scenario, ensure, fail};

use crate::answers::{options, packet};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("tunnels::a_kernel_answers_through_vxlan", Ground::Lab, |world| {
            world.with_counters(|| vxlan(world.lab()))
        })
        .tools(&["ip"])
        .needs(Need::Vxlan),
    ]
}

/// The server's end of network 5: it knows our address in it, and learns by our frames where that is.
const SERVER: &[&str] = &[
    "link add vx5 type vxlan id 5 dstport 4789 local 192.0.2.2",
    "link set vx5 address 02:00:00:00:05:01 up",
    "addr add 10.0.0.1/24 dev vx5",
    "neigh add 10.0.0.9 lladdr 02:00:00:00:05:09 dev vx5",
];

fn vxlan(lab: &Lab) -> Outcome {
    let ip = |host: Host, words: &str| -> Outcome {
        let mut command = Command::new("ip");
        command.args(words.split(' '));
        ensure!(lab.run(host, command)?.success(), "ip {words}");
        Ok(())
    };
    SERVER.iter().try_for_each(|words| ip(Host::Server, words))?;
    let _open = lab.on(Host::Server, || TcpListener::bind("10.0.0.1:80"))??;
    let before = lab.counters(Host::Client)?;
    let inside: IpAddr = "10.0.0.1".parse()?;
    let to = "eth 02:00:00:00:05:01 src=02:00:00:00:05:09 / ip 10.0.0.1 src=10.0.0.9";
    let who = "eth src=02:00:00:00:05:09 / arp 10.0.0.1 spa=10.0.0.9 sha=02:00:00:00:05:09";
    for (inner, from) in [
        (format!("{to} / icmp echo seq=7 data=hello"), inside),
        (format!("{to} / udp :4000 data=hello"), inside),
        (format!("{to} / tcp :80 S sport=5000"), inside),
        (format!("{to} / tcp :81 S sport=5001"), inside),
        // ARP has no source of its own: it is the tunnel's other end that says it.
        (who.to_owned(), "192.0.2.2".parse()?),
    ] {
        let events = ask(lab, &format!("vxlan server vni=5 / {inner}"), 1000)?;
        let answers: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Answer(heard) => Some(&heard.answer),
                _ => None,
            })
            .collect();
        let [answer] = answers[..] else { fail!("{inner}: {events:#?}") };
        let right = match answer.kind {
            AnswerKind::EchoReply { seq, data, .. } => inner.contains("icmp") && (seq, data) == (7, 5),
            AnswerKind::IcmpError(error) => inner.contains("udp") && (error.kind, error.code) == (3, 3),
            AnswerKind::SynAck { .. } => inner.contains(":80 "),
            AnswerKind::Rst { flags } => inner.contains(":81 ") && flags.ack(),
            AnswerKind::ArpReply { address, .. } => inner.contains("arp") && IpAddr::from(address) == inside,
            _ => false,
        };
        ensure!(right && answer.from == Some(from), "{inner}: {answer:?}");
        let closes = events.iter().filter(|event| matches!(event, Event::Sent(sent) if sent.role != Role::Probe));
        ensure!(closes.count() == usize::from(inner.contains(":80 ")), "{inner}: {events:#?}");
    }
    let moved = lab.counters(Host::Client)?.since(&before);
    ensure!(moved.value("IcmpOutDestUnreachs") == 0, "our own kernel answered\n{moved}");
    // Another network of the same hosts, and a machine that has a tunnel of its own.
    let echo = |vni: u32| format!("vxlan server vni={vni} / {to} / icmp echo");
    let answers = |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Answer(_))).count();
    ensure!(answers(&ask(lab, &echo(6), 200)?) == 0, "another network answers");
    ip(Host::Client, "link add vx9 type vxlan id 9 dstport 4789 local 198.51.100.2")?;
    ip(Host::Client, "link set vx9 up")?;
    let events = ask(lab, &echo(5), 1000)?;
    ensure!(answers(&events) == 1, "{events:#?}");
    ip(Host::Client, "link del vx9")
}

fn ask(lab: &Lab, words: &str, wait: u64) -> Result<Vec<Event>, Box<dyn std::error::Error + Send + Sync>> {
    let mut session = Session::open(Options { wait: Duration::from_millis(wait), ..options(lab) });
    session.start(&packet(words)?)?;
    let mut events = Vec::new();
    while let Some(event) = session.next_event()? {
        events.push(event);
    }
    Ok(events)
}
