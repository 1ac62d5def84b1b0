//! The flows of `ww trace` on the wire, all ways of a split path, and the table that goes on.

use std::collections::BTreeSet;

use serde_json::Value;
use wirewright_tests::{Folder, Ground, Need, Outcome, Output, Scenario, Tshark, ensure, ww};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("trace_ways::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        plain("probes_of_a_flow_are_alike_on_the_wire_where_balancers_look", kept_flows).tools(&["tshark"]),
        plain("classic_probes_are_each_a_flow_of_its_own", classic).tools(&["tshark"]),
        plain("what_is_set_in_a_probe_leaves_as_set", set_fields).tools(&["tshark"]),
        plain("each_flow_meets_the_same_routers_in_every_run", one_way_a_flow),
    ]
}

/// `ww lab WORDS`.
fn lab(line: &str) -> Result<Output, String> {
    ww().arg("lab").args(line.split_whitespace()).run()
}

/// The objects of a run with `--json` that are of this event.
fn events(output: &Output, event: &str) -> Result<Vec<Value>, String> {
    let parse = |line: &str| serde_json::from_str(line).map_err(|error| format!("{error}: {line}"));
    let all: Vec<Value> = output.text().lines().map(parse).collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|it| it["event"] == event).collect())
}

/// How tshark calls what a trace sends: those frames, and fields of theirs.
struct Kind {
    /// Version and packet.
    words: &'static str,
    /// Its frames, and not the errors that quote them.
    filter: &'static str,
    /// What a balancer looks at beside addresses.
    hashed: &'static [&'static str],
    /// What tells probes of a flow apart.
    apart: &'static [&'static str],
}

const KINDS: [Kind; 6] = [
    Kind {
        words: "udp server",
        filter: "udp.dstport == 33434 && !icmp",
        hashed: &["udp.srcport"],
        apart: &["ip.id", "udp.checksum"],
    },
    Kind {
        words: "-6 udp server",
        filter: "udp.dstport == 33434 && !icmpv6",
        hashed: &["udp.srcport", "ipv6.flow"],
        apart: &["udp.checksum"],
    },
    Kind {
        words: "tcp server:443",
        filter: "tcp.dstport == 443 && tcp.flags.syn == 1 && !icmp",
        hashed: &["tcp.srcport"],
        apart: &["ip.id", "tcp.seq"],
    },
    Kind {
        words: "-6 tcp server:443",
        filter: "tcp.dstport == 443 && tcp.flags.syn == 1 && !icmpv6",
        hashed: &["tcp.srcport", "ipv6.flow"],
        apart: &["tcp.seq"],
    },
    Kind {
        words: "server",
        filter: "icmp.type == 8 && !(icmp.type == 11)",
        hashed: &["icmp.checksum", "icmp.ident"],
        apart: &["ip.id", "icmp.seq"],
    },
    Kind {
        words: "-6 server",
        filter: "icmpv6.type == 128 && !(icmpv6.type == 3)",
        hashed: &["icmpv6.checksum", "icmpv6.echo.identifier", "ipv6.flow"],
        apart: &["icmpv6.echo.sequence_number"],
    },
];

/// The frames of a trace of a kind, a row each: its TTL, then these fields.
fn sent(
    kind: &Kind,
    options: &str,
    fields: &[&str],
) -> Result<Vec<Vec<String>>, Box<dyn std::error::Error + Send + Sync>> {
    let folder = Folder::new()?;
    let path = folder.file("trace.pcapng");
    let line = format!("--routers 3 trace {options} -w {} {}", path.display(), kind.words);
    let _reached = lab(&line)?.success()?;
    let ttl = if kind.words.starts_with("-6") { "ipv6.hlim" } else { "ip.ttl" };
    Ok(Tshark::read(&path).only(kind.filter).fields(&[&[ttl], fields].concat())?)
}

/// How many values there are of a few columns.
fn values(rows: &[Vec<String>], columns: std::ops::Range<usize>) -> usize {
    rows.iter().map(|row| &row[columns.clone()]).collect::<BTreeSet<_>>().len()
}

fn kept_flows() -> Outcome {
    for kind in &KINDS {
        let fields = [kind.hashed, kind.apart].concat();
        let rows = sent(kind, "--probes 3", &fields)?;
        ensure!(rows.len() >= 12, "{}: {rows:?}", kind.words);
        // Three flows, each with one probe a hop, and no two probes are one.
        ensure!(values(&rows, 1..1 + kind.hashed.len()) == 3, "{}: {rows:?}", kind.words);
        ensure!(values(&rows, 0..1 + kind.hashed.len()) == rows.len(), "{}: {rows:?}", kind.words);
        for column in 1 + kind.hashed.len()..1 + fields.len() {
            ensure!(values(&rows, column..column + 1) == rows.len(), "{}: {}", kind.words, fields[column - 1]);
        }
    }
    Ok(())
}

fn classic() -> Outcome {
    for kind in &KINDS {
        let rows = sent(kind, "--classic", kind.hashed)?;
        ensure!(rows.len() >= 12 && values(&rows, 1..1 + kind.hashed.len()) == rows.len(), "{}: {rows:?}", kind.words);
    }
    Ok(())
}

fn set_fields() -> Outcome {
    // The words, the fields that they set, and their values; the rest still tells all probes apart, or they leave one by one.
    for (kind, words, fields, set) in [
        (0, "sport=4000 data=hello", &["udp.srcport", "udp.length"][..], &["4000", "13"][..]),
        (0, "ip.id=77 data=hello", &["ip.id", "udp.length"], &["0x004d", "13"]),
        (1, "sport=4000 ip6.flow=5 data=hello", &["udp.srcport", "ipv6.flow"], &["4000", "0x000005"]),
        (2, "S sport=4000 seq=9", &["tcp.srcport", "tcp.seq"], &["4000", "9"]),
        (4, "id=3 seq=4", &["icmp.ident", "icmp.seq"], &["3,768", "4,1024"]),
        (4, "id=3 zero=8", &["icmp.ident", "data.len"], &["3,768", "8"]),
        (5, "seq=4 zero=8", &["icmpv6.echo.sequence_number", "data.len"], &["4", "8"]),
    ] {
        let kind = &KINDS[kind];
        let version = if kind.words.starts_with("-6") { "icmp6" } else { "icmp" };
        let words = match kind.words.trim_start_matches("-6 ") {
            "server" => format!("{version} server {words}"),
            layer => format!("{layer} {words}"),
        };
        let options = if kind.words.starts_with("-6") { "-6" } else { "" };
        let folder = Folder::new()?;
        let path = folder.file("trace.pcapng");
        let line = format!("--routers 3 trace {options} --json -w {} {words}", path.display());
        let output = lab(&line)?.success()?;
        let rows = Tshark::read(&path).only(kind.filter).fields(fields)?;
        ensure!(rows.len() >= 12 && rows.iter().all(|row| row == set), "{line}: {rows:?}");
        let hops = events(&output, "hop")?;
        let answers = hops.iter().filter_map(|hop| hop["answers"].as_array()).map(Vec::len);
        ensure!(hops.len() == 4 && answers.clone().all(|count| count == 3), "{line}: {output}");
    }
    Ok(())
}

fn one_way_a_flow() -> Outcome {
    // Behind the fork each flow goes on by the router that it met: .166 leads to .174, .162 to .170, and so in IPv6.
    let pairs = [("203.0.113.162", "203.0.113.170"), ("203.0.113.166", "203.0.113.174")];
    let pairs6 = [("2001:db8:ff08::2", "2001:db8:ff0a::2"), ("2001:db8:ff09::2", "2001:db8:ff0b::2")];
    for (options, pairs) in [("", pairs), ("-6", pairs6)] {
        for kind in ["udp", "tcp", ""] {
            let output = lab(&format!("--split trace {options} --json --probes 8 {kind} server"))?.success()?;
            let hops = events(&output, "hop")?;
            let from = |hop: usize, flow: u64| -> Option<&str> {
                hops.get(hop)?["answers"].as_array()?.iter().find(|it| it["flow"] == flow)?["from"].as_str()
            };
            for flow in 1..=8 {
                let pair = from(1, flow).zip(from(2, flow)).ok_or_else(|| format!("flow {flow}: {output}"))?;
                ensure!(pairs.contains(&pair), "{kind} flow {flow}: {pair:?}");
            }
        }
    }
    Ok(())
}
