//! Of the bytes in headers nearly all are printed as named fields; and what is printed makes the same bytes, through a shell too.

use std::{fs::File, io::BufReader, path::Path};

use wirewright_capture::Reader;
use wirewright_craft::{Context, First, Packet, parse, parse_words};
use wirewright_inspect::{
    dissect,
    dissect::{Dissection, Layer, OptionField, OptionKind},
};
use wirewright_tests::{Folder, Ground, Need, Outcome, Program, Scenario, ensure, workspace_root, ww};

/// At least so much of the bytes in headers is named.
const NAMED_PERCENT_MIN: f64 = 99.5;

/// The first with everything that the script builds.
const SCAPY: Need = Need::PythonModule("scapy 2.6", "from scapy.all import ICMPv6NDOptRDNSS, dns_compress, PcapReader");

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("named_fields::of_a_capture_of_every_kind", Ground::Plain, |_| every_kind())
            .tools(&["python3", "dash"])
            .needs(SCAPY),
        Scenario::new("named_fields::of_what_the_lab_carries", Ground::Plain, |_| lab())
            .tools(&["dash"])
            .needs(Need::Namespaces),
    ]
}

/// A frame, and how many of its bytes belong to no header, where somebody else knows.
struct Seen {
    bytes: Vec<u8>,
    carried: Option<usize>,
}

fn every_kind() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("every-kind.pcap");
    let script = workspace_root().join("crates/tests/tests/scenarios/named_fields.py");
    let output = Program::new("python3").arg(script).arg(&path).run()?.success()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let carried = text.lines().map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let frames = frames(&path)?;
    ensure!(frames.len() == carried.len(), "{} frames, {} numbers", frames.len(), carried.len());
    let seen = frames.into_iter().zip(carried).map(|(bytes, carried)| Seen { bytes, carried: Some(carried) });
    judge("every kind", &seen.collect::<Vec<_>>())
}

/// What our own commands cause: pages, echoes, ports that are closed, hop limits that end on the way, questions of DNS.
fn lab() -> Outcome {
    const LINES: &[(&str, &str)] = &[
        ("page", "get http://server/bytes/3000"),
        ("echo", "ask icmp server zero=32"),
        ("echo over IPv6", "ask icmp6 2001:db8::2 zero=32"),
        ("closed", "ask udp closed:33434 data=hello"),
        ("closed over IPv6", "ask udp 2001:db8::2 :33434 data=hello"),
        ("hop limit", "ask tcp server:80 S ttl=1 mss=1460 sack ts=1:0 nop wscale=7"),
        ("reset", "ask tcp server:81 S"),
        ("answer", "ask udp server:7 data=hello"),
        ("DNS", "ask dns server:53 example.com AAAA edns=1232"),
    ];
    for (name, line) in LINES {
        let folder = Folder::new()?;
        let path = folder.file("lab.pcapng");
        let mut words = vec!["lab", "-w", path.to_str().ok_or("a plain path")?];
        words.extend(line.split(' '));
        let output = ww().args(words).run()?;
        ensure!(matches!(output.code, 0 | 1), "{line}: {output}");
        let seen: Vec<_> = frames(&path)?.into_iter().map(|bytes| Seen { bytes, carried: None }).collect();
        judge(name, &seen)?;
    }
    Ok(())
}

fn frames(path: &Path) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>> {
    let mut reader = Reader::new(BufReader::new(File::open(path)?))?;
    let mut frame = wirewright_capture::Frame::default();
    let mut frames = Vec::new();
    while reader.next_into(&mut frame)? {
        frames.push(frame.bytes.clone());
    }
    Ok(frames)
}

/// Prints the figure of a capture, and fails below the least or where a line does not make its frame.
fn judge(name: &str, seen: &[Seen]) -> Outcome {
    ensure!(!seen.is_empty(), "{name}: an empty capture");
    let (mut headers, mut unnamed, mut damaged) = (0, 0, 0);
    let mut lines = Vec::new();
    let mut worst: Vec<(usize, String)> = Vec::new();
    for frame in seen {
        let packet = Packet::from_bytes(&frame.bytes, First::Ethernet);
        let line = packet.to_string();
        let again = parse(&line).map_err(|error| format!("{line}\n{error}"))?;
        ensure!(again.build(&Context::default())?.bytes == frame.bytes, "{name}: not the same bytes: {line}");
        lines.push(line.clone());
        let it = dissect(&frame.bytes, First::Ethernet);
        if !it.complaints.is_empty() {
            damaged += 1;
            continue;
        }
        let not_printed = it.layers.len().saturating_sub(packet.layers.len());
        ensure!(not_printed == 0, "{name}: {not_printed} layers are printed as bytes: {line}");
        let behind = it.payload.len() + it.trailer.len();
        let carried = frame.carried.unwrap_or(behind);
        let missed =
            behind.saturating_sub(carried) + it.layers.iter().map(|layer| unnamed_in(layer, &it)).sum::<usize>();
        headers += frame.bytes.len() - carried.min(behind);
        unnamed += missed;
        if missed > 0 {
            worst.push((missed, line));
        }
    }
    through_a_shell(&lines, seen)?;
    worst.sort_by_key(|(missed, _)| std::cmp::Reverse(*missed));
    let percent = 100.0 * (headers - unnamed) as f64 / headers.max(1) as f64;
    println!("{name}: {} frames ({damaged} damaged), {percent:.2} % of {headers} header bytes named", seen.len());
    let worst: Vec<_> = worst.iter().take(8).map(|(missed, line)| format!("{missed} bytes in {line}")).collect();
    ensure!(percent >= NAMED_PERCENT_MIN, "{name}: {percent:.2} %, not {NAMED_PERCENT_MIN} %:\n{}", worst.join("\n"));
    Ok(())
}

/// Bytes of a layer's header that are printed as digits.
fn unnamed_in(layer: &Layer, frame: &Dissection<'_>) -> usize {
    let opaque = layer.records.iter().flat_map(|record| &record.values).filter(|value| value.opaque);
    let opaque: usize = opaque.map(|value| value.bytes.len()).sum();
    layer.rest.len() + opaque + layer.options.iter().map(|option| digits_in(option, frame)).sum::<usize>()
}

fn digits_in(option: &OptionField, frame: &Dissection<'_>) -> usize {
    match (option.what, option.desc) {
        (OptionKind::Padding, _) => 0,
        // Kind and length of an option that a quote ends in are said: `ts=cut:HEX`.
        (OptionKind::Malformed, Some(_)) => option.rest.len(),
        (OptionKind::Malformed, None) => option.range.len(),
        // Kind and length are said: `opt=KIND:HEX`.
        (OptionKind::Kind(_), None) => option.rest.len(),
        // An option that is nothing but bytes is a field itself: a cookie, a nonce, padding.
        (OptionKind::Kind(_), Some(desc)) if desc.fields.is_empty() => 0,
        // Zeros that fill an option up to its unit.
        (OptionKind::Kind(_), Some(_)) => {
            let rest = &frame.bytes[option.rest.clone()];
            rest.len() - rest.iter().rev().take_while(|byte| **byte == 0).count().min(7)
        }
    }
}

/// The second law: what a shell makes of the printed words is the same packet.
fn through_a_shell(lines: &[String], seen: &[Seen]) -> Outcome {
    let script: String = lines.iter().map(|line| format!("printf '%s\\n' {line} --end--\n")).collect();
    let output = Program::new("dash").arg("-s").input(script).run()?.success()?;
    let text = String::from_utf8(output.stdout)?;
    let packets: Vec<Vec<&str>> = text.split("--end--\n").map(|words| words.lines().collect()).collect();
    ensure!(packets.len() == lines.len() + 1, "{} packets went in, {} came out", lines.len(), packets.len() - 1);
    for ((words, line), frame) in packets.iter().zip(lines).zip(seen) {
        let packet = parse_words(words).map_err(|error| format!("{line}\n{error}"))?;
        ensure!(packet.build(&Context::default())?.bytes == frame.bytes, "another packet behind the shell: {line}");
    }
    Ok(())
}
