//! The eight jobs of every packet tool, each in one line: the answer, and the bytes on the wire.

use std::{fs::File, io::BufReader};

use serde_json::Value;
use wirewright_capture::{Frame, Reader};
use wirewright_tests::{Folder, Ground, Need, Outcome, Scenario, ensure, ww, ww_lab};

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

/// The events of a run of `ww lab LINE` with `--json`, and its exit code.
fn lab(line: &str, code: i32) -> Result<Vec<Value>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(ww_lab(line).run()?.expect_code(code)?.objects()?)
}

/// The IP packets that were sent.
fn sent(events: &[Value]) -> Vec<Vec<u8>> {
    let hex = events.iter().filter(|it| it["event"] == "sent").filter_map(|it| it["hex"].as_str());
    hex.map(|hex| {
        let bytes = (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok());
        bytes.skip(LINK).collect()
    })
    .collect()
}

fn answers(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|it| it["event"] == "answer").collect()
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
        let folder = Folder::new()?;
        let path = folder.file("all.pcapng");
        let mut words: Vec<&str> = vec!["lab", "-w", path.to_str().ok_or("a plain path")?];
        words.extend(line.split(' '));
        words.push("--json");
        let output = ww().args(words).run()?.expect_code(i32::from(answer.is_none()))?;
        let events = output.text().lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        let kinds: Vec<_> = answers(&events).iter().filter_map(|it| it["answer"].as_str()).collect();
        ensure!(kinds == answer.iter().copied().collect::<Vec<_>>(), "{line}: {output}");
        let mut reader = Reader::new(BufReader::new(File::open(&path)?))?;
        let (mut frame, mut arrived) = (Frame::default(), false);
        while reader.next_into(&mut frame)? {
            let here = reader.interfaces()[frame.interface].name.starts_with(host);
            arrived |= here && frame.bytes.get(LINK + at..LINK + at + bytes.len()) == Some(bytes);
        }
        ensure!(arrived, "{line}: {bytes:02x?} did not arrive at the {host}");
        println!("ww lab {line}: {}", answer.unwrap_or("silence"));
    }
    Ok(())
}

/// Job 6.
fn fragments() -> Outcome {
    let events = lab("ask --json icmp server rand=1392 --frag 620", 0)?;
    let offsets: Vec<u16> = sent(&events).iter().map(|it| u16::from_be_bytes([it[6], it[7]])).collect();
    // 1,400 bytes in pieces of 600: "more fragments" is 0x2000, the offset counts eights.
    ensure!(offsets == [0x2000, 0x2000 + 75, 150], "{offsets:x?}");
    let [answer] = answers(&events)[..] else { return Err(format!("{events:?}").into()) };
    ensure!(answer["answer"] == "echo-reply" && answer["data"] == 1392 && answer["fragments"].is_null(), "{answer}");
    Ok(())
}

/// Job 7.
fn way() -> Outcome {
    let events = lab("trace --json tcp server:80", 0)?;
    let hops: Vec<&Value> =
        events.iter().filter(|it| it["event"] == "hop").map(|it| &it["answers"][0]["from"]).collect();
    ensure!(hops == ["198.51.100.1", "192.0.2.2"], "{events:?}");
    Ok(())
}

/// Job 8.
fn page() -> Outcome {
    let output = ww().args(["lab", "get", "http://server/hello"]).run()?.success()?;
    ensure!(output.text().starts_with("198.51.100.2 asked the server of the lab for /hello"), "{output}");
    Ok(())
}
