//! `ww flow`: ladders of what the lab recorded, compared with what tshark says of the same frames.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use wirewright_lab::{Host, Lab, Shape};
use wirewright_tests::{Folder, Ground, Need, Outcome, Scenario, Tshark, World, ensure, ww};

use crate::lab_child::page;
use crate::lab_records::{recorded, write};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&Lab) -> Outcome| {
        Scenario::new(&format!("flow_verb::{name}"), Ground::Lab, move |world: &World| run(world.lab()))
            .tools(&["tshark"])
    };
    vec![
        lab("its_numbers_are_those_of_tshark", numbers),
        lab("its_marks_are_those_of_tshark", marks).tools(&["nft"]),
        Scenario::new("flow_verb::a_recorded_lab_becomes_one_ladder", Ground::Plain, |_| ladder())
            .needs(Need::Namespaces)
            .tools(&["curl"]),
    ]
}

/// What `ww flow` says of each frame that the client saw, conversation by conversation.
fn told(file: &Path, count: usize) -> Result<BTreeMap<String, Value>, Box<dyn std::error::Error + Send + Sync>> {
    let mut all = BTreeMap::new();
    for number in 1..=count {
        let number = number.to_string();
        let mut arguments = vec!["flow", "--json", "-i", Shape::ONE.view(Host::Client)];
        let file = file.display().to_string();
        arguments.push(&file);
        if count > 1 {
            arguments.push(&number);
        }
        for line in ww().args(arguments).run()?.success()?.text().lines() {
            let segment: Value = serde_json::from_str(line)?;
            all.insert(segment["frame"].to_string(), segment);
        }
    }
    Ok(all)
}

/// tshark's view of the client's frames.
fn tshark(file: &Path, fields: &[&str]) -> Result<Vec<Vec<String>>, String> {
    Tshark::read(file)
        .preference("tcp.relative_sequence_numbers:TRUE")
        .preference("tcp.desegment_tcp_streams:FALSE")
        .only(&format!("tcp && frame.interface_name == \"{}\"", Shape::ONE.view(Host::Client)))
        .fields(fields)
}

fn numbers(lab: &Lab) -> Outcome {
    let frames = recorded(lab, || {
        for server in ["192.0.2.2:80", "[2001:db8::2]:80"] {
            page(server.parse()?, "/bytes/20000")?;
        }
        Ok(())
    })?;
    let folder = Folder::new()?;
    // The client's frames alone: tshark takes what four ports saw for one stream.
    let frames: Vec<_> = frames.into_iter().filter(|frame| frame.port.host == Host::Client).collect();
    let file = folder.write("numbers.pcapng", write(&frames)?)?;
    let told = told(&file, 2)?;
    let fields = ["frame.number", "tcp.seq", "tcp.ack", "tcp.len", "tcp.window_size", "tcp.flags.ack"];
    let rows = tshark(&file, &fields)?;
    ensure!(rows.len() == told.len() && rows.len() > 30, "{} rows, {} told", rows.len(), told.len());
    for row in rows {
        let segment = &told[&row[0]];
        let ack = if row[5] == "1" || row[5] == "True" { row[2].as_str() } else { "null" };
        let ours = ["seq", "ack", "len", "window"].map(|key| segment[key].to_string());
        ensure!(ours == [row[1].as_str(), ack, &row[3], &row[4]], "{row:?}: {segment}");
    }
    Ok(())
}

/// Segments are lost between the hosts, in both directions, by a counter: the same ones in every run.
fn marks(lab: &Lab) -> Outcome {
    let nft = |words: &str| -> Outcome {
        let mut command = std::process::Command::new("nft");
        command.args(words.split(' ')).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        ensure!(lab.run(Host::Router, command)?.success(), "nft {words}");
        Ok(())
    };
    nft("add table inet ww_flow_test")?;
    nft("add chain inet ww_flow_test f { type filter hook forward priority 0 ; }")?;
    nft("add rule inet ww_flow_test f tcp sport 80 numgen inc mod 17 == 11 drop")?;
    let frames = recorded(lab, || {
        for server in ["192.0.2.2:80", "[2001:db8::2]:80"] {
            let server: SocketAddr = server.parse()?;
            page(server, "/bytes/200000")?;
        }
        Ok(())
    });
    nft("delete table inet ww_flow_test")?;
    let frames: Vec<_> = frames?.into_iter().collect();
    for host in [Host::Client, Host::Server] {
        compare(host, &frames.iter().filter(|frame| frame.port.host == host).cloned().collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The same bytes went the same way before: whatever tshark guesses by the time between them, they came again.
fn was_seen(told: &BTreeMap<String, Value>, it: &Value) -> bool {
    let alike = |key| move |other: &&Value| other[key] == it[key];
    let number = |segment: &Value| segment["frame"].as_u64();
    let marked = it["marks"].as_array().is_some_and(|marks| marks.iter().any(|mark| mark == "retransmitted"));
    let same = told.values().filter(alike("flow")).filter(alike("way")).filter(alike("seq")).filter(alike("len"));
    marked && same.filter(|other| number(other) < number(it)).count() > 0
}

/// tshark's name of a mark; of several, any.
const NAMES: &[(&str, &[&str])] = &[
    ("retransmitted", &["retransmission", "fast_retransmission", "spurious_retransmission"]),
    ("out-of-order", &["out_of_order"]),
    ("gap", &["lost_segment"]),
    ("duplicate-ack", &["duplicate_ack"]),
    ("window-update", &["window_update"]),
    ("zero-window", &["zero_window"]),
    ("keep-alive", &["keep_alive"]),
];

fn compare(host: Host, frames: &[wirewright_lab::Recorded]) -> Outcome {
    let folder = Folder::new()?;
    let file = folder.write("marks.pcapng", write(frames)?)?;
    let mut segments = BTreeMap::new();
    for number in ["1", "2"] {
        let output = ww().args(["flow", "--json"]).arg(&file).arg(number).run()?.success()?;
        for line in output.text().lines() {
            let mut segment: Value = serde_json::from_str(line)?;
            segment["flow"] = number.into();
            segments.insert(segment["frame"].to_string(), segment);
        }
    }
    let names: Vec<String> =
        NAMES.iter().flat_map(|(_, theirs)| *theirs).map(|name| format!("tcp.analysis.{name}")).collect();
    let fields: Vec<&str> = ["frame.number"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let rows = Tshark::read(&file).preference("tcp.desegment_tcp_streams:FALSE").only("tcp").fields(&fields)?;
    ensure!(rows.len() == segments.len() && rows.len() > 200, "{host}: {} rows, {} told", rows.len(), segments.len());
    let mut counts = BTreeMap::new();
    let mut differing = Vec::new();
    for row in &rows {
        let ours: Vec<&str> =
            segments[&row[0]]["marks"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut at = 1;
        for (mark, theirs) in NAMES {
            // tshark leaves trailing empty columns out of a row.
            let said = (at..at + theirs.len()).any(|column| row.get(column).is_some_and(|value| !value.is_empty()));
            at += theirs.len();
            let told = ours.contains(mark);
            if told && said {
                *counts.entry(*mark).or_insert(0) += 1;
            }
            let guessed = matches!(*mark, "retransmitted" | "out-of-order") && was_seen(&segments, &segments[&row[0]]);
            if told != said && !guessed {
                differing.push(format!("frame {}: {mark}: we {told}, tshark {said}", row[0]));
            }
        }
    }
    println!("{host}: {} frames, alike: {counts:?}, differing: {differing:?}", rows.len());
    ensure!(counts.get("retransmitted") > Some(&5), "{host}: {counts:?}");
    ensure!(differing.is_empty(), "{host}:\n{}", differing.join("\n"));
    Ok(())
}

fn ladder() -> Outcome {
    let folder = Folder::new()?;
    let file = folder.file("talk.pcapng");
    ww().args(["lab", "-w"]).arg(&file).args(["--", "curl", "-s", "http://192.0.2.2/hello"]).run()?.success()?;
    let output = ww().arg("flow").arg(&file).env("COLUMNS", "80").run()?.success()?;
    let text = output.text();
    // Four ports saw it: it is one conversation, as the client saw it.
    ensure!(text.lines().next().is_some_and(|line| line.ends_with(" → 192.0.2.2:80")), "{output}");
    for word in ["→ S   0 win", "← SA  0:1 win", "CLOSE-WAIT", "TIME-WAIT", "mss=1460"] {
        ensure!(text.contains(word), "{word} is not in\n{output}");
    }
    ensure!(!text.contains('['), "a quiet wire, and yet marks:\n{output}");
    // Now and then both close at once (RFC 9293 §3.6, figure 13), and both stay in TIME-WAIT.
    let last = text.lines().last().unwrap_or_default();
    let is_closed =
        if text.contains("CLOSING") { last.matches("TIME-WAIT").count() == 2 } else { last.contains("CLOSED") };
    ensure!(is_closed, "{output}");

    // Both versions in one file are a list, and each number a ladder.
    let both = folder.file("both.pcapng");
    let ask = "curl -s http://192.0.2.2/a; curl -s 'http://[2001:db8::2]/b'";
    ww().args(["lab", "-w"]).arg(&both).args(["--", "sh", "-c", ask]).run()?.success()?;
    let list = ww().arg("flow").arg(&both).run()?.success()?;
    ensure!(
        list.text().lines().count() == 2 && list.text().contains("(client eth0 router eth0 eth1 server eth0)"),
        "{list}"
    );
    let second = ww().arg("flow").arg(&both).args(["2", "--ascii"]).run()?.success()?;
    ensure!(second.text().is_ascii() && second.text().contains(" to 2001:db8::2 :80"), "{second}");
    ww().arg("flow").arg(&both).arg("3").run()?.expect_code(2)?;
    ww().arg("flow").arg(&both).args(["-i", "nobody"]).run()?.expect_code(1)?;
    Ok(())
}
