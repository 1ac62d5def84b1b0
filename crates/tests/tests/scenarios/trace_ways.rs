//! The flows of `ww trace` on the wire, all ways of a split path, and the table that goes on.

use std::collections::BTreeSet;

use serde_json::Value;
use wirewright_tests::{Folder, Ground, Need, Outcome, Output, Scenario, Tshark, ensure, ww};

use crate::lab_child::{ROUTER, Task, itself};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("trace_ways::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        plain("probes_of_a_flow_are_alike_on_the_wire_where_balancers_look", kept_flows).tools(&["tshark"]),
        plain("classic_probes_are_each_a_flow_of_its_own", classic).tools(&["tshark"]),
        plain("what_is_set_in_a_probe_leaves_as_set", set_fields).tools(&["tshark"]),
        plain("each_flow_meets_the_same_routers_all_along", one_way_a_flow),
        plain("all_ways_of_a_split_are_found_with_where_they_part_and_meet", all_ways),
        plain("where_nothing_splits_one_way_is_found", no_false_ways),
        plain("a_balancer_that_looks_at_the_checksum_of_echoes_is_seen_through", echo_ways).tools(&["nft", "ip"]),
        plain("a_balancer_of_packets_is_told_from_one_of_flows", packet_ways).tools(&["nft", "ip"]),
        plain("all_ways_are_not_looked_for_where_flows_cannot_differ", paths_refused),
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
        (4, "id=3 seq=4", &["icmp.ident", "icmp.seq"], &["3", "4"]),
        (4, "id=3 zero=8", &["icmp.ident", "data.len"], &["3", "8"]),
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

/// The routers of a split lab behind its first one, pair by pair, then the host.
const SPLIT_V4: [&[&str]; 4] =
    [&["198.51.100.1"], &["203.0.113.162", "203.0.113.166"], &["203.0.113.170", "203.0.113.174"], &["192.0.2.2"]];
const SPLIT_V6: [&[&str]; 4] = [
    &["2001:db8:1::1"],
    &["2001:db8:ff08::2", "2001:db8:ff09::2"],
    &["2001:db8:ff0a::2", "2001:db8:ff0b::2"],
    &["2001:db8::2"],
];

/// The strings of a list.
fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Checks that a run with `--paths --json` found the fork, and what follows from it.
fn check_fork(output: &Output, way: [&[&str]; 4]) -> Outcome {
    let hops = events(output, "hop")?;
    ensure!(hops.len() == 4, "{output}");
    for (index, (hop, expected)) in hops.iter().zip(way).enumerate() {
        let interfaces = hop["interfaces"].as_array().ok_or("no interfaces")?;
        let met: BTreeSet<&str> = interfaces.iter().filter_map(|it| it["address"].as_str()).collect();
        ensure!(met == expected.iter().copied().collect(), "hop {index}: {output}");
        ensure!(hop["open"] == false && hop["by_packet"] == false && hop["silent_flows"] == 0, "{hop}");
        for it in interfaces.iter().filter(|_| index > 0) {
            let behind: BTreeSet<&str> = strings(&it["behind"]).into_iter().collect();
            let at = expected.iter().position(|address| it["address"] == **address).ok_or("an interface")?;
            // The third hop's first interface is behind the second's first; all else is behind every one before.
            let of = way[index - 1].iter().copied().enumerate();
            let of = of.filter(|(place, _)| index != 2 || *place == at).map(|(_, address)| address);
            ensure!(behind == of.collect(), "hop {index}: {it}");
        }
    }
    let summary = events(output, "summary")?.pop().ok_or("no summary")?;
    ensure!(summary["balanced"] == "flow" && summary["reached"] == true, "{summary}");
    ensure!(summary["part"] == serde_json::json!([{"ttl": 1, "address": way[0][0]}]), "{summary}");
    ensure!(summary["meet"] == serde_json::json!([{"ttl": 4, "address": way[3][0]}]), "{summary}");
    let ways = summary["ways"].as_array().ok_or("no ways")?;
    let listed: BTreeSet<Vec<&str>> = ways.iter().map(|it| strings(&it["addresses"])).collect();
    let expected = [0, 1].map(|side| vec![way[0][0], way[1][side], way[2][side], way[3][0]]);
    ensure!(listed == expected.into_iter().collect(), "{summary}");
    // As few as the rule asks for: 6 and 11 at most, and those that are needed to give each side six.
    ensure!(summary["probes"].as_u64().is_some_and(|probes| (40..120).contains(&probes)), "{summary}");
    Ok(())
}

/// Runs a search until it found the fork: each run misses it by chance in one of 32.
fn until_found(run: impl Fn() -> Result<Output, String>) -> Result<Output, String> {
    let mut output = run()?;
    for _ in 0..3 {
        if output.text().contains("\"balanced\":null") {
            output = run()?;
        }
    }
    output.success()
}

fn all_ways() -> Outcome {
    for (version, way) in [("", SPLIT_V4), ("-6", SPLIT_V6)] {
        for packet in ["udp server", "udp server:33434", "tcp server:80"] {
            check_fork(&until_found(|| lab(&format!("--split trace {version} --paths --json {packet}")))?, way)?;
        }
    }
    // The kernel's router sees no ports in an echo: all flows go one way.
    let output = lab("--split trace --paths --json server")?.success()?;
    let summary = events(&output, "summary")?.pop().ok_or("no summary")?;
    ensure!(
        summary["balanced"].is_null() && summary["ways"].as_array().is_some_and(|ways| ways.len() == 1),
        "{output}"
    );
    let found = |output: &Output| output.text().contains("\n2 ways, chosen by flow:\n");
    let mut output = lab("--split trace --paths udp server")?;
    for _ in 0..3 {
        if !found(&output) {
            output = lab("--split trace --paths udp server")?;
        }
    }
    let text = output.success()?.text();
    ensure!(text.starts_with("all ways to 192.0.2.2 by udp, 30 hops at most\n 1  198.51.100.1 "), "{text}");
    ensure!(text.contains("\nThey part behind 198.51.100.1.\nThey meet at 192.0.2.2.\n"), "{text}");
    ensure!(text.contains(" behind 203.0.113.162  flow") && text.contains("    flow 1, sport "), "{text}");
    ensure!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    Ok(())
}

fn no_false_ways() -> Outcome {
    for version in ["", "-6"] {
        for packet in ["server", "udp server", "tcp server:80", "tcp server:81", "udp server:7 data=x"] {
            let output = lab(&format!("--routers 3 trace {version} --paths --json {packet}"))?.success()?;
            let hops = events(&output, "hop")?;
            let one =
                |hop: &Value| hop["interfaces"].as_array().is_some_and(|it| it.len() == 1) && hop["open"] == false;
            ensure!(hops.len() == 4 && hops.iter().all(one), "{output}");
            let summary = events(&output, "summary")?.pop().ok_or("no summary")?;
            ensure!(summary["balanced"].is_null() && summary["probes"] == 24, "{summary}");
        }
    }
    let output = lab("--routers 3 trace --paths server")?.success()?;
    ensure!(output.text().contains("\nOne way: every flow meets the same routers.\n24 probes; "), "{output}");
    Ok(())
}

/// What a router needs for a balancer of its own: packets with mark 1 go by router2a, with mark 2 by router2b.
const MARKED: &str = "
    ip rule add fwmark 1 lookup 101; ip route add default via 203.0.113.162 table 101
    ip rule add fwmark 2 lookup 102; ip route add default via 203.0.113.166 table 102
    ip -6 rule add fwmark 1 lookup 101; ip -6 route add default via 2001:db8:ff08::2 table 101
    ip -6 rule add fwmark 2 lookup 102; ip -6 route add default via 2001:db8:ff09::2 table 102
    nft -f - <<END
table inet balancer {
    chain marks {
        type filter hook prerouting priority -150;
        RULES
    }
}
END
";

/// Runs `ww` in a split lab whose first router marks packets by these rules.
fn balanced(rules: &str, line: &str) -> Result<Output, Box<dyn std::error::Error + Send + Sync>> {
    let program = itself(Task::Split)?.env(ROUTER, MARKED.replace("RULES", rules));
    Ok(program.args(line.split_whitespace()).run()?)
}

fn echo_ways() -> Outcome {
    // By the last bit of the checksum, the fourth byte behind the IP header: as the first balancers did.
    let rules = "icmp type echo-request @th,31,1 0 meta mark set 1
        icmp type echo-request @th,31,1 1 meta mark set 2
        icmpv6 type echo-request @th,31,1 0 meta mark set 1
        icmpv6 type echo-request @th,31,1 1 meta mark set 2";
    for (line, way) in [("192.0.2.2", SPLIT_V4), ("2001:db8::2", SPLIT_V6)] {
        let run = || balanced(rules, &format!("trace --paths --json {line}")).map_err(|error| error.to_string());
        let output = until_found(run)?;
        let hops = events(&output, "hop")?;
        let met = |hop: usize| -> BTreeSet<&str> {
            hops[hop]["interfaces"].as_array().into_iter().flatten().filter_map(|it| it["address"].as_str()).collect()
        };
        ensure!(hops.len() == 4 && met(1) == way[1].iter().copied().collect(), "{output}");
        if line.contains(':') {
            check_fork(&output, way)?;
            continue;
        }
        // In IPv4 the third router's answers go back by one of its ports, whichever its probes came by: it has one address.
        let [third] = met(2).into_iter().collect::<Vec<_>>()[..] else { return Err(output.to_string().into()) };
        ensure!(strings(&hops[2]["interfaces"][0]["behind"]).len() == 2, "{output}");
        let summary = events(&output, "summary")?.pop().ok_or("no summary")?;
        ensure!(
            summary["balanced"] == "flow" && summary["ways"].as_array().is_some_and(|it| it.len() == 2),
            "{summary}"
        );
        ensure!(summary["part"] == serde_json::json!([{"ttl": 1, "address": way[0][0]}]), "{summary}");
        ensure!(summary["meet"] == serde_json::json!([{"ttl": 3, "address": third}]), "{summary}");
    }
    Ok(())
}

fn packet_ways() -> Outcome {
    for (destination, way) in [("192.0.2.2", SPLIT_V4), ("2001:db8::2", SPLIT_V6)] {
        for kind in ["udp", "tcp", ""] {
            let rules = "iifname eth0 meta mark set numgen inc mod 2 offset 1";
            let output = balanced(rules, &format!("trace --paths --json {kind} {destination}"))?.success()?;
            let hops = events(&output, "hop")?;
            let met = |hop: usize| hops[hop]["interfaces"].as_array().map_or(0, Vec::len);
            ensure!(hops.len() == 4 && met(0) == 1 && met(1) == 2 && (kind.is_empty() || met(2) == 2), "{output}");
            ensure!(hops[1]["by_packet"] == true, "{output}");
            let summary = events(&output, "summary")?.pop().ok_or("no summary")?;
            ensure!(summary["balanced"] == "packet" && summary["ways"] == serde_json::json!([]), "{summary}");
            ensure!(summary["part"] == serde_json::json!([{"ttl": 1, "address": way[0][0]}]), "{summary}");
        }
    }
    Ok(())
}

fn paths_refused() -> Outcome {
    for words in ["udp server sport=4000", "tcp server:80 S sport=4000", "icmp server id=3 zero=8"] {
        let output = lab(&format!("trace --paths {words}"))?.expect_code(2)?;
        let said = "ww: every probe of this packet is one flow: all that balancers look at is set\n";
        ensure!(output.stdout.is_empty() && output.stderr.starts_with(said), "{output}");
    }
    let output = lab("trace --paths --classic server")?.expect_code(2)?;
    ensure!(output.stderr.starts_with("ww: --classic and --paths exclude each other"), "{output}");
    Ok(())
}
