//! The eight jobs of every packet tool, each in one line: the answer, and the bytes on the wire.

use std::{fs::File, io::BufReader};

use serde_json::Value;
use wirewright_capture::{Frame, Reader};
use wirewright_tests::{Folder, Ground, Need, Outcome, Output, Scenario, ensure, ww_lab};

use crate::link::tools::SERVER;

/// Bytes before the IP header on the lab's links.
const LINK: usize = 14;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("eight_jobs::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        plain("one_packet_of_each_kind_is_answered_and_arrives_as_worded", packets),
        plain("fragments_are_answered_as_one_packet", fragments),
        plain("a_way_by_tcp_ends_at_its_target", way),
        plain("a_conversation_gets_a_page", page),
    ]
}

/// What a line did: its events with `--json`, what it printed, and what each host of the lab saw.
struct Ran {
    output: Output,
    events: Vec<Value>,
    /// By the host's name: the frame from its Ethernet header on.
    frames: Vec<(String, Vec<u8>)>,
}

impl Ran {
    /// Runs `ww lab LINE`, recorded.
    fn run(line: &str, code: i32) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let folder = Folder::new()?;
        let path = folder.file("all.pcapng");
        let output = ww_lab(&format!("-w {} {line}", path.to_str().ok_or("a plain path")?)).run()?.expect_code(code)?;
        let events = if line.contains("--json") { output.objects()? } else { Vec::new() };
        let mut reader = Reader::new(BufReader::new(File::open(&path)?))?;
        let (mut frame, mut frames) = (Frame::default(), Vec::new());
        while reader.next_into(&mut frame)? {
            let name = &reader.interfaces()[frame.interface].name;
            frames.push((name.clone(), frame.bytes.clone()));
        }
        Ok(Self { output, events, frames })
    }

    fn answers(&self) -> Vec<&Value> {
        self.events.iter().filter(|it| it["event"] == "answer").collect()
    }

    /// The IP packets that a host saw, either way.
    fn at<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.frames.iter().filter(move |(name, _)| name.starts_with(host)).map(|(_, bytes)| &bytes[LINK..])
    }
}

/// A line, the word of its one answer (none: silence), and bytes that arrive: at which host, how far behind the Ethernet header.
type Job = (&'static str, Option<&'static str>, &'static str, usize, &'static [u8]);

/// Jobs 1 to 5 in both IP versions: a SYN, an echo, a payload in UDP, fields of IP, a wrong checksum; to the server, the router and
/// silence. A router has taken one off the TTL of what arrives at the server.
const JOBS: &[Job] = &[
    ("ask tcp server:80 S", Some("syn-ack"), "server", 33, &[0x02]),
    ("ask tcp server:81 S", Some("rst"), "server", 22, &[0, 81]),
    ("ask tcp 2001:db8::2 :80 S", Some("syn-ack"), "server", 53, &[0x02]),
    ("ask --wait 100ms tcp silent:80 S", None, "server", 33, &[0x02]),
    ("ask icmp server", Some("echo-reply"), "server", 20, &[8, 0]),
    ("ask icmp6 2001:db8::2", Some("echo-reply"), "server", 40, &[128, 0]),
    ("ask icmp router", Some("echo-reply"), "router", 20, &[8, 0]),
    ("ask --wait 100ms icmp silent", None, "server", 20, &[8, 0]),
    ("ask udp server:7 data=hello", Some("udp-reply"), "server", 28, b"hello"),
    ("ask udp server:9999 data=hello", Some("icmp-error"), "server", 28, b"hello"),
    ("ask udp 2001:db8::2 :7 data=hello", Some("udp-reply"), "server", 48, b"hello"),
    ("ask tcp server:80 S ttl=33 tos=0x10 ip.id=0x1234", Some("syn-ack"), "server", 8, &[32]),
    ("ask tcp server:80 S ttl=33 tos=0x10 ip.id=0x1234", Some("syn-ack"), "server", 1, &[0x10]),
    ("ask tcp server:80 S ttl=33 tos=0x10 ip.id=0x1234", Some("syn-ack"), "server", 4, &[0x12, 0x34]),
    ("ask tcp server:80 S ttl=1", Some("icmp-error"), "router", 8, &[1]),
    ("ask --wait 100ms tcp server:80 S sum=0xdead", None, "server", 36, &[0xde, 0xad]),
    ("ask --wait 100ms tcp server:80 S ip.sum=0xdead", None, "router", 10, &[0xde, 0xad]),
    ("ask --wait 100ms udp 2001:db8::2 :7 sum=0xdead data=x", None, "server", 46, &[0xde, 0xad]),
];

fn packets() -> Outcome {
    for (line, answer, host, at, bytes) in JOBS {
        let ran = Ran::run(&format!("{line} --json"), i32::from(answer.is_none()))?;
        let kinds: Vec<_> = ran.answers().iter().filter_map(|it| it["answer"].as_str()).collect();
        ensure!(kinds == answer.iter().copied().collect::<Vec<_>>(), "{line}: {}", ran.output);
        let arrived = ran.at(host).any(|packet| packet.get(*at..at + bytes.len()) == Some(bytes));
        ensure!(arrived, "{line}: {bytes:02x?} did not arrive at the {host}");
        println!("ww lab {line}: {}", answer.unwrap_or("silence"));
    }
    Ok(())
}

/// Job 6: 1,400 bytes in pieces of 600 and 200 (IPv4), of 568, 568 and 264 (IPv6). Behind the offset, which counts eights, "more
/// fragments" is 0x2000 in IPv4's flags and 1 in the fragment header.
fn fragments() -> Outcome {
    for (line, at, offsets, echo) in [
        ("ask --json icmp server rand=1392 --frag 620", 6, [0x2000, 0x2000 + 75, 150], [8, 0]),
        ("ask --json icmp6 server rand=1392 --frag 620", 42, [1, 568 + 1, 1136], [128, 0]),
    ] {
        let ran = Ran::run(line, 0)?;
        // At the server every fragment of the question arrives, and none of another.
        let pieces = ran.at("server").filter(|packet| packet.len() > at + 2 && is_question(packet));
        let arrived: Vec<u16> = pieces.map(|it| u16::from_be_bytes([it[at], it[at + 1]])).collect();
        ensure!(arrived == offsets, "{line}: {arrived:x?}");
        let first = ran.at("server").find(|packet| is_question(packet)).ok_or("nothing arrived")?;
        let message = if at == 6 { 20 } else { 48 };
        ensure!(first[message..message + 2] == echo, "{line}: {first:02x?}");
        let [answer] = ran.answers()[..] else { return Err(ran.output.to_string().into()) };
        ensure!(answer["answer"] == "echo-reply" && answer["data"] == 1392, "{answer}");
    }
    Ok(())
}

/// Whether a packet is for the lab's server.
fn is_question(packet: &[u8]) -> bool {
    packet.get(16..20) == Some(&SERVER.v4.octets()[..]) || packet.get(24..40) == Some(&SERVER.v6.octets()[..])
}

/// Job 7: two hops; each probe leaves the client with the TTL that its hop is told by.
fn way() -> Outcome {
    for (line, router, server, ttl_at) in [
        ("trace --json tcp server:80", "198.51.100.1", "192.0.2.2", 8),
        ("trace --json -6 tcp server:80", "2001:db8:1::1", "2001:db8::2", 7),
    ] {
        let ran = Ran::run(line, 0)?;
        let hops = ran.events.iter().filter(|it| it["event"] == "hop").map(|it| &it["answers"][0]["from"]);
        ensure!(hops.collect::<Vec<_>>() == [router, server], "{line}: {}", ran.output);
        for ttl in [1, 2] {
            let left = ran.at("client").any(|packet| is_question(packet) && packet[ttl_at] == ttl);
            ensure!(left, "{line}: nothing left with TTL {ttl}");
        }
    }
    Ok(())
}

/// Job 8: the page comes whole, and no reset of our kernel's is on the wire.
fn page() -> Outcome {
    for (line, ends, protocol_at, flags_at) in
        [("get http://server/hello", "198.51.100.2", 9, 33), ("get -6 http://server/hello", "2001:db8:1::2", 6, 53)]
    {
        let ran = Ran::run(line, 0)?;
        let asked = format!("{ends} asked the server of the lab for /hello");
        ensure!(ran.output.text().starts_with(&asked), "{line}: {}", ran.output);
        let segments: Vec<u8> =
            ran.at("client").filter(|packet| packet[protocol_at] == 6).map(|packet| packet[flags_at]).collect();
        // SYN, SYN-ACK, ACK; and FIN either way.
        ensure!(segments.starts_with(&[0x02, 0x12, 0x10]), "{line}: {segments:02x?}");
        ensure!(segments.iter().filter(|flags| *flags & 1 != 0).count() >= 2, "{line}: {segments:02x?}");
        ensure!(segments.iter().all(|flags| flags & 4 == 0), "{line}: {segments:02x?}");
    }
    Ok(())
}
