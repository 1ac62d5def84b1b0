//! The eight jobs of every packet tool, each in one line: the answer, and the bytes on the wire.

use serde_json::Value;
use wirewright_tests::{Ground, Need, Outcome, Scenario, ensure, ww};

/// Bytes before the IP header on the lab's links.
const LINK: usize = 14;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("eight_jobs::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        plain("one_packet_of_each_kind_is_answered_and_is_on_the_wire_as_worded", packets),
        plain("a_wrong_checksum_is_sent_and_nobody_answers_it", wrong_checksum),
        plain("fragments_are_answered_as_one_packet", fragments),
        plain("a_way_by_tcp_ends_at_its_target", way),
        plain("a_conversation_gets_a_page", page),
    ]
}

/// The events of a run of `ww lab LINE` with `--json`, and its exit code.
fn lab(line: &str, code: i32) -> Result<Vec<Value>, Box<dyn std::error::Error + Send + Sync>> {
    let output = ww().arg("lab").args(line.split(' ')).run()?.expect_code(code)?;
    Ok(output.text().lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
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

/// Jobs 1 to 4: a SYN, an echo, a payload in UDP, fields of IP; to the server, the router and silence.
fn packets() -> Outcome {
    for (line, at, bytes) in [
        ("ask --json tcp server:80 S", 33, &[0x02][..]),
        ("ask --json icmp server", 20, &[8, 0]),
        ("ask --json icmp router", 20, &[8, 0]),
        ("ask --json udp server:7 data=hello", 28, b"hello"),
        ("ask --json tcp server:80 S ttl=33 tos=0x10 ip.id=0x1234", 8, &[33]),
        ("ask --json tcp server:80 S ttl=33 tos=0x10 ip.id=0x1234", 1, &[0x10]),
        ("ask --json tcp server:80 S ttl=33 tos=0x10 ip.id=0x1234", 4, &[0x12, 0x34]),
    ] {
        let events = lab(line, 0)?;
        let packets = sent(&events);
        ensure!(answers(&events).len() == 1, "{line}: {events:?}");
        ensure!(packets[0].get(at..at + bytes.len()) == Some(bytes), "{line}: {:02x?}", packets[0]);
    }
    for line in ["ask --wait 100ms --json tcp silent:80 S", "ask --wait 100ms --json icmp silent"] {
        ensure!(answers(&lab(line, 1)?).is_empty(), "{line}");
    }
    Ok(())
}

/// Job 5.
fn wrong_checksum() -> Outcome {
    let events = lab("ask --wait 200ms --json tcp server:80 S sum=0xdead", 1)?;
    ensure!(answers(&events).is_empty(), "{events:?}");
    ensure!(sent(&events)[0][36..38] == [0xde, 0xad], "{events:?}");
    Ok(())
}

/// Job 6.
fn fragments() -> Outcome {
    let events = lab("ask --json icmp server rand=1392 --frag 620", 0)?;
    let offsets: Vec<u16> = sent(&events).iter().map(|it| u16::from_be_bytes([it[6], it[7]])).collect();
    // 1,400 bytes in pieces of 600: "more fragments" is 0x2000, the offset counts eights.
    ensure!(offsets == [0x2000, 0x2000 + 75, 150], "{offsets:x?}");
    ensure!(answers(&events).len() == 1, "{events:?}");
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
    ensure!(!output.stdout.is_empty(), "{output}");
    Ok(())
}
