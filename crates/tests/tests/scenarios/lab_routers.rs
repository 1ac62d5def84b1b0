//! More routers, a path that splits, a relay that rewrites: `ww lab --routers N --split --rewrite …`.

use std::collections::{BTreeMap, BTreeSet};

use wirewright_lab::Shape;
use wirewright_tests::{Folder, Ground, Need, Outcome, Output, Program, Scenario, Tshark, binary, ensure, ww};

use crate::lab_enters::SECCOMP;

/// Flows through the two paths: that all of 24 take the same one happens once in eight million runs.
const FLOWS: usize = 24;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("lab_routers::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        scenario("each_router_says_when_the_ttl_ran_out", hops),
        scenario("a_recording_has_a_block_for_each_router", recorded).tools(&["tshark"]),
        scenario("flows_take_both_paths_and_each_stays_on_its_own", paths),
        scenario("a_rewritten_field_is_on_the_wire_and_the_rest_as_it_was", rewritten).tools(&["tshark"]),
        scenario("a_rewritten_field_shows_in_the_quotes_of_later_hops", quotes),
        scenario("a_conversation_crosses_a_rewritten_source", conversation),
        scenario("without_networks_there_are_no_routers", refused).tools(&["python3"]),
    ]
}

fn lab(options: &str, line: &str) -> Result<Output, String> {
    ww().arg("lab").args(options.split_whitespace()).args(line.split_whitespace()).run()
}

/// Who answered, in the order of the answers.
fn answerers(output: &Output) -> Vec<String> {
    let from = |line: &str| Some(line.split_once(" from ")?.1.split_whitespace().next()?.to_owned());
    output.text().lines().filter(|line| line.starts_with("answer")).filter_map(from).collect()
}

fn hops() -> Outcome {
    for (version, v6) in [("-4", false), ("-6", true)] {
        for (routers, split) in [(1, false), (3, false), (8, false), (5, true)] {
            let shape = Shape::new(routers, split).ok_or("no such lab")?;
            let options = format!("--routers {routers}{}", if split { " --split" } else { "" });
            let output = lab(&options, &format!("ask {version} udp server:9999 ttl=1..{}", routers + 1))?.success()?;
            let seen = answerers(&output);
            ensure!(seen.len() == usize::from(routers) + 1, "{options} {version}: {output}");
            for (hop, address) in (1..).zip(&seen) {
                let mut entries = shape.entries().into_iter();
                let entry = entries.find(|entry| {
                    if v6 { entry.v6.map(|v6| v6.to_string()) } else { Some(entry.v4.to_string()) }.as_ref()
                        == Some(address)
                });
                // Where paths meet a router answers by either of its ports.
                let name = entry.map_or("router3", |entry| entry.name);
                let expected = match hop {
                    1 => &["router"][..],
                    2 if split => &["router2a", "router2b"],
                    hop if hop == routers + 1 => &["server"],
                    _ => &[],
                };
                let right = if expected.is_empty() { name == format!("router{hop}") } else { expected.contains(&name) };
                ensure!(right, "{options} {version}: hop {hop} is {address}: {output}");
            }
        }
    }
    Ok(())
}

fn recorded() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("all.pcapng");
    let options = format!("--routers 3 -w {}", path.display());
    lab(&options, "ask icmp server")?.success()?;
    let rows = Tshark::read(&path).only("icmp").fields(&["frame.interface_name", "ip.ttl", "icmp.type"])?;
    let seen: BTreeSet<_> =
        rows.iter().filter(|row| row[2] == "8").map(|row| (row[0].as_str(), row[1].as_str())).collect();
    let expected = [
        ("client eth0", "64"),
        ("router eth0 eth1", "64"),
        ("router eth0 eth1", "63"),
        ("router2 eth0 eth1", "63"),
        ("router2 eth0 eth1", "62"),
        ("router3 eth0 eth1", "62"),
        ("router3 eth0 eth1", "61"),
        ("server eth0", "61"),
    ];
    ensure!(seen == expected.into_iter().collect(), "{seen:?}");
    Ok(())
}

fn paths() -> Outcome {
    for version in ["-4", "-6"] {
        let last = 40000 + FLOWS - 1;
        // Each flow three times: the same ports, the same path.
        let line = format!("ask {version} udp server:40000..{last} sport=50000 ttl=2 -c {} --json", 3 * FLOWS);
        let output = lab("--split", &line)?.success()?;
        let mut ways: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for text in output.text().lines().filter(|text| text.contains("\"event\":\"answer\"")) {
            let event: serde_json::Value = serde_json::from_str(text)?;
            let probe = event["probe"].as_u64().ok_or("an answer of no probe")?;
            ways.entry(probe % FLOWS as u64).or_default().insert(event["from"].to_string());
        }
        let addresses: BTreeSet<_> = ways.values().flatten().collect();
        ensure!(addresses.len() == 2, "{version}: {addresses:?}\n{output}");
        let steady = ways.len() == FLOWS && ways.values().all(|ways| ways.len() == 1);
        ensure!(steady, "{version}: a flow changed its path: {ways:?}");
    }
    Ok(())
}

fn rewritten() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("all.pcapng");
    let path = path.display().to_string();
    let line = ["-w", &path, "--rewrite", "tcp mss=1380", "--rewrite", "ip tos=0", "--rewrite", "ttl=9"];
    let ask = ["ask", "tcp", "server:80", "S", "mss=1460", "sack", "tos=0x10", "ip.id=7", "seq=5"];
    let output = ww().arg("lab").args(line).args(ask).run()?.success()?;
    let told = output.stderr.lines().find(|line| line.contains("to the server")).unwrap_or_default();
    // The SYN, and the reset that leaves nothing half-open.
    ensure!(told.contains("2 rewritten") && output.stderr.contains("--rewrite 'tcp mss=1380'"), "{output}");
    let fields = [
        "frame.interface_name",
        "tcp.options.mss_val",
        "ip.dsfield",
        "ip.ttl",
        "ip.id",
        "tcp.options.sack_perm",
        "tcp.checksum.status",
        "ip.checksum.status",
        "tcp.seq_raw",
    ];
    let rows = Tshark::read(std::path::Path::new(&path)).only("tcp.flags == 2").fields(&fields)?;
    let at = |name: &str| rows.iter().rfind(|row| row[0].starts_with(name)).map(|row| row[1..].join(" "));
    ensure!(at("router ").as_deref() == Some("1460 0x10 63 0x0007 0402 1 1 5"), "{rows:?}");
    ensure!(at("server ").as_deref() == Some("1380 0x00 9 0x0007 0402 1 1 5"), "{rows:?}");
    Ok(())
}

fn quotes() -> Outcome {
    for (rule, hop, words, quoted) in [
        ("tos=0", 2, "tos=8 id=5", "ip 192.0.2.2 src=198.51.100.2 id=5 ttl=1 / udp"),
        ("src=203.0.113.9", 2, "id=5", "src=203.0.113.9 id=5 ttl=1"),
        ("udp :53", 3, "id=5", "ttl=1 / udp :53"),
    ] {
        let ask = format!("ask ip server ttl={hop} {words} / udp :9999");
        let command = ww().args(["lab", "--routers", "3", "--rewrite", rule]).args(ask.split_whitespace());
        let output = command.run()?.success()?;
        let text = output.text();
        let quote = text.lines().find_map(|line| Some(line.split_once("icmp type=exceeded")?.1)).unwrap_or_default();
        ensure!(quote.contains(quoted), "{rule}: {output}");
        // The first router sits before the box.
        let before = ask.replace(&format!("ttl={hop}"), "ttl=1");
        let output = ww().args(["lab", "--routers", "3", "--rewrite", rule]).args(before.split_whitespace()).run()?;
        ensure!(!output.success()?.text().contains(quoted), "{rule}: rewritten before the first router");
    }
    Ok(())
}

fn conversation() -> Outcome {
    for (rule, version) in [("src=203.0.113.9", "-4"), ("src=2001:db8:2::9", "-6"), ("dst=192.0.2.3", "-4")] {
        let line = ["lab", "--routers", "3", "--rewrite", rule, "ask", version, "tcp", "server:80", "S"];
        let output = ww().args(line).run()?.success()?;
        // The address that nobody listens at answers with a reset, which comes from the one that was asked.
        let expected = if rule.starts_with("dst") { "answer  R" } else { "answer  SA" };
        ensure!(output.text().contains(expected), "{rule}: {output}");
    }
    Ok(())
}

fn refused() -> Outcome {
    let line = [binary().display().to_string(), "lab".to_owned()];
    for (options, text) in [
        ("--routers 3", "it has no routers of its own for --routers 3"),
        ("--rewrite ttl=9", "there is no wire for --rewrite ttl=9"),
    ] {
        let words = options.split(' ').chain(["ask", "icmp", "server"]).map(str::to_owned);
        let output =
            Program::new("python3").args(["-c", SECCOMP, "unshare"]).args(line.iter().cloned().chain(words)).run()?;
        let output = output.expect_code(3)?;
        ensure!(output.stderr.contains(text) && output.stdout.is_empty(), "{output}");
    }
    Ok(())
}
