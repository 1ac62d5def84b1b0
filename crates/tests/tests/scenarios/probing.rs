//! `ww ping`, `ww trace` and `ww probe` in the lab: what they find, and what they say of it.

use std::process::Command;

use serde_json::Value;
use wirewright_lab::Host;
use wirewright_tests::{
    Folder, Ground, Need, Outcome, Output, Program, Scenario, Step, Terminal, World, binary, ensure, ww, ww_lab,
};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("probing::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    let plain = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("probing::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        plain("ping_prints_answers_and_statistics_as_ping_does", ping),
        plain("ping_marks_what_comes_twice_and_tells_what_does_not_come", ping_marks),
        plain("ctrl_c_ends_a_ping_with_its_statistics", ping_interrupted).tools(&["python3"]),
        plain("an_expectation_of_silence_fails_on_an_answer", expect_none),
        plain("a_trace_finds_each_hop_with_each_kind_of_probe_in_both_versions", trace_hops),
        plain("a_trace_names_who_rewrites_the_mss_and_the_source", trace_rewritten),
        plain("a_trace_names_who_changes_the_ttl", trace_ttl),
        plain("a_trace_names_a_way_that_splits", trace_splits),
        plain("ask_tells_both_values_of_what_was_rewritten", ask_rewritten),
        plain("a_trace_tells_who_ends_it", trace_ended),
        plain("each_verb_takes_a_packet_file", files),
        plain("a_ping_goes_on_with_few_descriptors", few_descriptors).tools(&["prlimit"]),
        plain("a_trace_that_is_none_is_refused", trace_refused),
        plain("a_probe_tells_open_from_closed_and_silent", probe_states),
        lab("a_probe_tells_who_filters", probe_filtered),
        lab("a_probe_leaves_nothing_half_open", probe_closes),
    ]
}

/// `ww lab LINE`, run.
fn lab(line: &str) -> Result<Output, String> {
    ww_lab(line).run()
}

fn ping() -> Outcome {
    for (words, target, bytes, ttl) in
        [("server", "192.0.2.2", 84, 63), ("-6 server", "2001:db8::2", 104, 63), ("router", "198.51.100.1", 84, 64)]
    {
        let output = lab(&format!("ping -c 3 --every 20ms {words}"))?.success()?;
        let text = output.text();
        let lines: Vec<&str> = text.lines().collect();
        ensure!(lines[0] == format!("ping {target}: {bytes} bytes each"), "{output}");
        for (seq, line) in (1..=3).zip(&lines[1..4]) {
            let head = format!("64 bytes from {target}: seq={seq} ttl={ttl} time=");
            let time = line.strip_prefix(&head).and_then(|rest| rest.strip_suffix(" ms"));
            ensure!(time.is_some_and(|time| time.parse::<f64>().is_ok_and(|ms| ms < 1000.0)), "{line}");
        }
        ensure!(lines[4].is_empty() && lines[5] == format!("--- {target} ping statistics ---"), "{output}");
        ensure!(lines[6].starts_with("3 packets transmitted, 3 received, 0% packet loss, time "), "{output}");
        let rtt = lines[7].strip_prefix("rtt min/avg/max/mdev = ").and_then(|rest| rest.strip_suffix(" ms"));
        let times: Vec<f64> = rtt.unwrap_or_default().split('/').filter_map(|time| time.parse().ok()).collect();
        ensure!(times.len() == 4 && times[0] <= times[1] && times[1] <= times[2], "{output}");
    }
    // Any packet can be one's ping.
    let output = lab("ping -c 2 --every 20ms --json tcp server:80 S")?.success()?;
    let objects = output.objects()?;
    let answers = objects.iter().filter(|it| it["event"] == "answer" && it["answer"] == "syn-ack").count();
    let summary = objects.last().ok_or("no summary")?;
    ensure!(answers == 2 && summary["received"] == 2 && summary["loss_percent"] == 0.0, "{output}");
    Ok(())
}

fn ping_marks() -> Outcome {
    let output = lab("--dup 100% ping -c 4 --every 20ms server")?.success()?;
    let text = output.text();
    // Echo and reply are doubled both: four replies to each, three of them once too often.
    ensure!(text.matches("(DUP!)").count() >= 8 && text.contains("4 received, +"), "{output}");
    ensure!(text.contains(" 0% packet loss"), "{output}");
    let output = lab("ping -c 3 --every 20ms --wait 100ms silent")?.expect_code(1)?;
    ensure!(output.text().contains("3 packets transmitted, 0 received, 100% packet loss"), "{output}");
    ensure!(output.text().matches("no answer: seq=").count() == 3, "{output}");
    let output = lab("--loss 50% --seed 5 ping -c 40 --every 5ms --wait 100ms --json server")?.success()?;
    let objects = output.objects()?;
    let summary = objects.last().ok_or("no summary")?;
    let silent = objects.iter().filter(|it| it["event"] == "silence").count() as u64;
    let (sent, received) = (summary["sent"].as_u64(), summary["received"].as_u64());
    ensure!(sent == Some(40) && received.is_some_and(|it| it > 0 && it + silent == 40 && silent > 0), "{summary}");
    // An echo to a closed UDP port is an error, and no reply.
    let output = lab("ping -c 2 --every 20ms udp server:9999")?.expect_code(1)?;
    ensure!(output.text().contains("0 received, +2 errors, 100% packet loss"), "{output}");
    Ok(())
}

fn ping_interrupted() -> Outcome {
    let program = binary().display().to_string();
    let words = [program.as_str(), "lab", "ping", "-c", "1000", "server"];
    let steps = [Step::See("seq=1 ".into()), Step::Type("\u{3}".into())];
    let output = Terminal::default().run(&words, &steps)?;
    ensure!(
        output.code == 130 && output.text().contains("1 packets transmitted, 1 received, 0% packet loss"),
        "{output}"
    );
    Ok(())
}

fn expect_none() -> Outcome {
    for (verb, silent, answered) in [
        ("ask --wait 200ms", "tcp silent:80 S", "tcp server:80 S"),
        ("ask --wait 200ms", "udp silent:1..3", "udp server:7,7777 data=x"),
        ("ping --wait 200ms -c 2 --every 1ms", "silent", "server"),
        ("probe --wait 100ms", "silent 80,81", "server 80,81"),
    ] {
        let _passes = lab(&format!("{verb} --expect none {silent}"))?.expect_code(0)?;
        let _fails = lab(&format!("{verb} --expect none {answered}"))?.expect_code(5)?;
    }
    Ok(())
}

/// The routers of the lab with three, and the server.
const WAY_V4: [&str; 4] = ["198.51.100.1", "203.0.113.134", "203.0.113.138", "192.0.2.2"];
const WAY_V6: [&str; 4] = ["2001:db8:1::1", "2001:db8:ff01::2", "2001:db8:ff02::2", "2001:db8::2"];

fn trace_hops() -> Outcome {
    for (version, way) in [("", WAY_V4), ("-6", WAY_V6)] {
        for kind in ["", "udp", "tcp"] {
            let output = lab(&format!("--routers 3 trace {version} --json {kind} server"))?.success()?;
            let objects = output.objects()?;
            let hops: Vec<&Value> = objects.iter().filter(|it| it["event"] == "hop").collect();
            ensure!(hops.len() == 4, "{kind} {version}: {output}");
            for (hop, address) in hops.iter().zip(way) {
                let answers = hop["answers"].as_array().ok_or("no answers")?;
                ensure!(answers.len() == 3 && answers.iter().all(|it| it["from"] == address), "{hop}");
                let quiet = |key: &str| hop[key].as_array().is_some_and(Vec::is_empty);
                ensure!(quiet("rewritten") && quiet("odd") && hop["splits"] == false, "{hop}");
            }
            let summary = objects.last().ok_or("no summary")?;
            ensure!(summary["reached"] == true && summary["hops"] == 4, "{summary}");
        }
    }
    let output = lab("--routers 3 trace --probes 1 server")?.success()?;
    let text = output.text();
    ensure!(text.starts_with("to 192.0.2.2 by icmp, 30 hops at most\n 1  198.51.100.1 "), "{output}");
    ensure!(text.lines().count() == 5 && text.contains("echo reply"), "{output}");
    Ok(())
}

/// The hop of a trace that says something, and what.
fn said(line: &str, list: &str) -> Result<Vec<(u64, Value)>, Box<dyn std::error::Error + Send + Sync>> {
    let output = lab(line)?;
    let mut said = Vec::new();
    for hop in output.objects()?.iter().filter(|it| it["event"] == "hop") {
        let ttl = hop["ttl"].as_u64().ok_or("no ttl")?;
        said.extend(hop[list].as_array().ok_or("no list")?.iter().map(|it| (ttl, it.clone())));
    }
    Ok(said)
}

fn trace_rewritten() -> Outcome {
    let ways = [("", WAY_V4, "198.51.100.77", "ip.src"), ("-6", WAY_V6, "2001:db8:1::77", "ip6.src")];
    for (version, way, source, field) in ways {
        let traced = format!("trace {version} --json tcp server:80 S mss=1460");
        let found = said(&format!("--routers 3 --rewrite 'tcp mss=1380' {traced}"), "rewritten")?;
        let [(2, mss)] = found.as_slice() else { return Err(format!("{found:?}").into()) };
        ensure!(
            (&mss["field"], &mss["sent"], &mss["seen"]) == (&"tcp.mss".into(), &"1460".into(), &"1380".into()),
            "{mss}"
        );
        ensure!(mss["behind"]["address"] == way[0] && mss["before"] == way[1], "{mss}");
        for kind in ["", "udp", "tcp"] {
            let traced = format!("trace {version} --json {kind} server");
            let found = said(&format!("--routers 3 --rewrite src={source} {traced}"), "rewritten")?;
            let [(2, it)] = found.as_slice() else { return Err(format!("{kind}: {found:?}").into()) };
            ensure!(it["field"] == field && it["seen"] == source && it["before"] == way[1], "{it}");
        }
    }
    let output = lab("--routers 3 --rewrite 'ip tos=0' trace udp server tos=0x28")?.success()?;
    let said = "    Rewritten between 198.51.100.1 and 203.0.113.134: ip.tos was 0x28 and is";
    ensure!(output.text().contains(said), "{output}");
    Ok(())
}

fn trace_ttl() -> Outcome {
    // Behind the first router it is set to 9: the way ends at its second hop.
    let found = said("--routers 3 --rewrite ttl=9 trace --json udp server", "odd")?;
    let codes: Vec<_> = found.iter().map(|(ttl, it)| (*ttl, it["code"].as_str().unwrap_or_default())).collect();
    ensure!(codes == [(2, "quoted-ttl"), (2, "short-way")], "{found:?}");
    ensure!(found[0].1["behind"]["address"] == WAY_V4[0] && found[0].1["seen"] == 7, "{found:?}");
    // What quotes nothing is told by the answer's own TTL.
    for kind in ["", "tcp"] {
        let found = said(&format!("--routers 3 --rewrite ttl=9 trace --json {kind} server"), "odd")?;
        ensure!(matches!(found.as_slice(), [(2, it)] if it["code"] == "short-way" && it["back"] == 3), "{found:?}");
    }
    // It is set to 1: the second router answers for all.
    let found = said("--routers 3 --rewrite ttl=1 trace --hops 4 --json udp server", "odd")?;
    ensure!(matches!(found.as_slice(), [(3, it)] if it["router"] == WAY_V4[1]), "{found:?}");
    Ok(())
}

fn trace_splits() -> Outcome {
    for version in ["", "-6"] {
        for kind in ["udp", "tcp"] {
            let output = lab(&format!("--split trace {version} --probes 12 --json {kind} server"))?.success()?;
            let objects = output.objects()?;
            let splits: Vec<bool> =
                objects.iter().filter(|it| it["event"] == "hop").map(|it| it["splits"] == true).collect();
            ensure!(splits.len() > 2 && !splits[0] && splits[1] && !splits[splits.len() - 1], "{output}");
        }
    }
    Ok(())
}

fn ask_rewritten() -> Outcome {
    let line = "--routers 2 --rewrite 'tcp mss=1380' --rewrite 'ip tos=0' ask tcp server:80 S ttl=2 tos=0x28 mss=1460";
    let output = lab(line)?.success()?;
    let said = "        rewritten on the way: ip.tos 0x28→0x00 · tcp.mss 1460→1380";
    ensure!(output.text().lines().any(|it| it == said), "{output}");
    let output = lab(&format!("{line} --json"))?.success()?;
    let answer = output.objects()?.into_iter().find(|it| it["event"] == "answer").ok_or("no answer")?;
    ensure!(answer["quoted"][1]["field"] == "tcp.mss" && answer["quoted"][1]["seen"] == "1380", "{answer}");
    Ok(())
}

fn trace_ended() -> Outcome {
    let output = lab("trace --probes 2 203.0.113.9")?.expect_code(1)?;
    let text = output.text();
    ensure!(text.contains("icmp unreach net") && text.lines().count() == 3, "{output}");
    ensure!(text.ends_with("203.0.113.9 was not reached: 198.51.100.1 lets nothing go on.\n"), "{output}");
    let output = lab("trace --json --probes 2 203.0.113.9")?.expect_code(1)?;
    ensure!(output.objects()?[0]["answers"][0]["says"] == "icmp unreach net", "{output}");
    Ok(())
}

fn files() -> Outcome {
    let folder = Folder::new()?;
    let file = folder.write("one.ww", "udp 192.0.2.2:7 data=x\n")?;
    let file = file.to_str().ok_or("a plain path")?;
    for (verb, says) in [("ping -c 2 --every 1ms", "2 received"), ("trace", "192.0.2.2"), ("probe", "1 open")] {
        let output = ww().arg("lab").args(verb.split(' ')).arg(file).run()?.success()?;
        ensure!(output.text().contains(says), "{output}");
    }
    Ok(())
}

fn few_descriptors() -> Outcome {
    // No more than 16 probes await an answer together here, and still each of 40 is sent.
    let program = binary().display().to_string();
    let line = ["--nofile=64:64", &program, "lab", "ping", "-c", "40", "--every", "1ms", "server"];
    let output = Program::new("prlimit").args(line).run()?.success()?;
    ensure!(output.text().contains("40 packets transmitted, 40 received"), "{output}");
    Ok(())
}

fn trace_refused() -> Outcome {
    for (words, said) in [
        ("trace udp server ttl=3", "ww: the TTL of a trace counts the hops and cannot be set\n    or   --hops N\n"),
        (
            "trace arp tpa=192.0.2.2",
            "ww: a trace is of an IP packet: this one has no IP layer\n    see   ww help trace\n",
        ),
        ("trace udp server:1..3", "ww: a trace is of one packet\n    see   ww help trace\n"),
        ("trace --hops 0 server", "ww: --hops cannot be '0'\n    it takes   1..255\n"),
        ("ping -c 0 server", "ww: --count cannot be '0'\n    it takes   a number, 1 to 2^64 - 1\n"),
    ] {
        let output = lab(words)?.expect_code(2)?;
        ensure!(output.stdout.is_empty() && output.stderr == said, "{output}");
    }
    let output = ww().args(["probe", "192.0.2.2", "1..1001"]).run()?.expect_code(2)?;
    ensure!(output.stdout.is_empty() && output.stderr.contains("--yes"), "{output}");
    Ok(())
}

fn probe_states() -> Outcome {
    for version in ["", "-6"] {
        let output = lab(&format!("probe {version} server 1..100"))?.success()?;
        let text = output.text();
        let lines: Vec<&str> = text.lines().collect();
        let states: Vec<String> = lines[..lines.len() - 1]
            .iter()
            .map(|line| line.split_whitespace().collect::<Vec<_>>()[1..3].join(" "))
            .collect();
        let expected = ["1..6 closed", "7 open", "8 closed", "9 open", "10..79 closed", "80 open", "81..100 closed"];
        ensure!(states == expected, "{output}");
        ensure!(lines[0].ends_with("RA, ttl 63") && lines[5].ends_with("SA, ttl 63  http"), "{output}");
        ensure!(lines[7].starts_with("100 ports: 3 open, 97 closed, in "), "{output}");
    }
    let output = lab("probe --wait 100ms --json udp server:7,9,9999 data=x")?.success()?;
    let states: Vec<String> =
        output.objects()?.iter().map(|it| it["state"].as_str().unwrap_or("-").to_owned()).collect();
    ensure!(states == ["open", "open-or-filtered", "closed", "-"], "{output}");
    // What comes after its time, while the port is asked again, counts.
    let output = lab("--delay 150ms probe --wait 200ms server 79,80")?.success()?;
    let text = output.text();
    ensure!(text.contains("tcp 79           closed") && text.contains("tcp 80           open"), "{output}");
    let output = lab("probe --wait 50ms --probes 3 silent 22,23")?.expect_code(1)?;
    ensure!(output.text().starts_with("tcp 22..23       filtered   no answer to 3 probes\n"), "{output}");
    Ok(())
}

fn probe_filtered(world: &World) -> Outcome {
    let mut command = Command::new("ip");
    command.args(["route", "add", "prohibit", "192.0.2.9/32"]);
    ensure!(world.lab().run(Host::Router, command)?.success(), "the router takes no route");
    for packet in ["tcp 192.0.2.9:80,443 S", "udp 192.0.2.9:80,443"] {
        let output = ww().args(["probe", "--json"]).args(packet.split(' ')).run()?.success()?;
        let objects = output.objects()?;
        for port in &objects[..2] {
            ensure!(port["state"] == "filtered" && port["from"] == "198.51.100.1", "{port}");
            let reason = port["reason"].as_str().unwrap_or_default();
            ensure!(reason.contains("adminprohib from 198.51.100.1"), "{port}");
        }
    }
    Ok(())
}

fn probe_closes(world: &World) -> Outcome {
    let (client, server) = (world.lab().counters(Host::Client)?, world.lab().counters(Host::Server)?);
    let output = ww().args(["probe", "--json", "192.0.2.2", "1..200"]).run()?.success()?;
    let summary = output.objects()?.pop().ok_or("no summary")?;
    ensure!(summary["states"]["open"] == 3 && summary["states"]["closed"] == 197, "{summary}");
    let server = world.lab().counters(Host::Server)?.since(&server);
    // Each half-open connection got one reset, which is no reason for the kernel to send one of its own.
    ensure!(server.value("TcpEstabResets") + server.value("TcpAttemptFails") == 3, "{server}");
    let ours = world.lab().counters(Host::Client)?.since(&client).value("TcpOutRsts");
    ensure!(ours == 0, "the client's kernel sent {ours} resets");
    Ok(())
}
