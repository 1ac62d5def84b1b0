//! What is wrong on purpose is wrong on the wire: sent through the lab, recorded where it arrives, and named by tshark.

use std::{fmt::Write as _, fs::File, io::BufReader};

use wirewright_capture::{Frame, Reader};
use wirewright_tests::{Folder, Ground, Need, Outcome, Scenario, Tshark, binary, ensure, ww};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("on_purpose::each_mistake_is_on_the_wire_and_named_by_tshark", Ground::Plain, |_| named())
            .needs(Need::Namespaces)
            .tools(&["tshark"]),
    ]
}

/// The words of a mistake in a checksum (an odd number of bytes is covered), and the layers whose checksum has it.
const SUMS: &[(&str, &[&str])] = &[
    ("0xdead", &["ip", "tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("bad", &["ip", "tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("swap", &["ip", "tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("odd", &["tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("swap+odd", &["tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("nopseudo", &["tcp", "udp", "tcp6", "udp6", "icmp6"]),
    ("nosource", &["tcp", "udp", "tcp6", "udp6", "icmp6"]),
    ("nopayload", &["tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("nocomp", &["ip", "tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("notzeroed", &["ip", "tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("nofold", &["ip", "tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"]),
    ("stale", &["ip", "udp", "udp6"]),
    ("partial", &["tcp", "udp", "tcp6", "udp6", "icmp6"]),
    ("zero", &["ip", "tcp", "icmp", "tcp6", "icmp6"]),
];

/// Fields that cannot be, and a part of what tshark says of them.
const FIELDS: &[(&str, &str)] = &[
    ("ip 192.0.2.2 ver=6 / udp :9", "Bogus IPv4 version"),
    ("ip6 2001:db8::2 ver=4 / udp :9", "Bogus IPv6 version"),
    ("ip 192.0.2.2 ihl=3 / udp :9", "Bogus IP header length"),
    ("ip 192.0.2.2 len=+4 / udp :9", "IPv4 total length exceeds packet length"),
    ("ip 192.0.2.2 len=5 / udp :9", "Bogus IP length"),
    ("ip6 2001:db8::2 len=+9 / udp :9", "IPv6 payload length exceeds framing length"),
    ("udp 192.0.2.2:9 len=4", "Bad length value 4 < 8"),
    ("udp 192.0.2.2:9 len=+9", "> IP payload length"),
    ("udp 2001:db8::2 :9 sum=zero", "Illegal checksum value (0)"),
    ("tcp 192.0.2.2:9 S doff=3", "Bogus TCP header length"),
    ("tcp 192.0.2.2:9 S doff=15", "Short segment"),
    ("tcp 192.0.2.2:9 S opt=2:05", "option length should be 4"),
];

/// The packet whose checksum is wrong.
fn with_sum(layer: &str, kind: &str) -> String {
    match layer {
        "ip" => format!("ip 192.0.2.2 sum={kind} / udp :9"),
        "icmp" => format!("icmp 192.0.2.2 sum={kind}"),
        "icmp6" => format!("icmp6 2001:db8::2 sum={kind}"),
        "tcp" => format!("tcp 192.0.2.2:9 S sum={kind}"),
        "udp" => format!("udp 192.0.2.2:9 sum={kind}"),
        "tcp6" => format!("tcp 2001:db8::2 :9 S sum={kind}"),
        _ => format!("udp 2001:db8::2 :9 sum={kind}"),
    }
}

/// The column in which tshark judges the checksum of a layer.
fn status_of(layer: &str) -> &'static str {
    match layer {
        "ip" => "ip.checksum.status",
        "icmp" => "icmp.checksum.status",
        "icmp6" => "icmpv6.checksum.status",
        "tcp" | "tcp6" => "tcp.checksum.status",
        _ => "udp.checksum.status",
    }
}

const STATUSES: [&str; 5] = [
    "ip.checksum.status",
    "icmp.checksum.status",
    "icmpv6.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
];

fn named() -> Outcome {
    let sums = SUMS.iter().flat_map(|(kind, layers)| layers.iter().map(move |layer| (with_sum(layer, kind), *layer)));
    let sums: Vec<(String, &str)> = sums.collect();
    let packets: Vec<String> = sums
        .iter()
        .map(|(words, _)| words.clone())
        .chain(FIELDS.iter().map(|(words, _)| (*words).to_owned()))
        .collect();
    let folder = Folder::new()?;
    let recording = folder.file("all.pcapng");
    let mut script = String::new();
    for (index, words) in packets.iter().enumerate() {
        // The mark counts an odd number of bytes, and says which packet it is wherever a dissector stops.
        let _ = writeln!(script, "'{}' send -q {words} data='mistake-{index:03}:.'", binary().display());
    }
    let output = ww().args(["lab", "-w"]).arg(&recording).args(["--", "sh", "-ec", &script]).run()?.success()?;
    ensure!(output.stderr.is_empty(), "{output}");

    let columns = ["frame.interface_name", "_ws.expert.message"];
    let all: Vec<&str> = columns.iter().chain(&STATUSES).copied().collect();
    let rows = Tshark::read(&recording).fields(&all)?;
    let reader = Reader::new(BufReader::new(File::open(&recording)?))?;
    let frames: Vec<Frame> = reader.collect::<Result<_, _>>()?;
    ensure!(rows.len() == frames.len(), "{} rows, {} frames", rows.len(), frames.len());
    for (index, words) in packets.iter().enumerate() {
        let mark = format!("mistake-{index:03}");
        // Where it arrives first: with an impossible header no router carries it on.
        let arrived = frames.iter().zip(&rows).find(|(frame, row)| {
            row[0].starts_with("router") && frame.bytes.windows(mark.len()).any(|part| part == mark.as_bytes())
        });
        let (_, row) = arrived.ok_or_else(|| format!("{words}: it did not arrive"))?;
        let named = match sums.get(index) {
            Some((_, layer)) => {
                let at = STATUSES.iter().position(|status| *status == status_of(layer)).unwrap_or_default();
                row[columns.len() + at] == "0"
            }
            None => row[1].contains(FIELDS[index - sums.len()].1),
        };
        ensure!(named, "{words}: tshark says {row:?}");
    }
    println!("{} mistakes on the wire, each named by tshark", packets.len());
    Ok(())
}
