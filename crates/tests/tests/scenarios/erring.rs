//! `ww hand --peer`: peers that err on purpose, each found out by what came, named, and led to the end; no privilege, no wire.

use serde_json::Value;
use wirewright_tests::{
    Folder, Ground, Outcome, Output, Program, Scenario, Step, Terminal, Tshark, binary, ensure, ww,
};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("erring::{name}"), Ground::Plain, move |_| run()).tools(&["setpriv"])
    };
    vec![
        scenario("each_is_named_and_played_to_its_end_in_both_versions", each),
        scenario("each_may_begin_too", each_begins),
        scenario("auto_plays_each_to_its_end", auto),
        scenario("a_person_plays_one_on_a_terminal", terminal).tools(&["python3"]),
        scenario("a_person_plays_each_on_a_terminal", each_on_a_terminal).tools(&["python3"]),
        scenario("wireshark_finds_the_same", wireshark).tools(&["tshark"]),
        scenario("what_cannot_be_is_refused", refused),
    ]
}

const GET: &str = r"PA data='GET / HTTP/1.0\r\n\r\n'";
const PROBE: &str = "A seq=-1 data=x";

/// A peer: its word, what is typed after the handshake, the code of what it did with its section, the exit code.
type Played = (&'static str, &'static [&'static str], &'static str, &'static str, i32);

const ALL: [Played; 6] = [
    ("zero-window", &[PROBE, PROBE, PROBE, GET, "A", "FA"], "peer-window-zero", "RFC 9293 §3.8.6.1", 0),
    ("no-answer", &[GET, "again", "R"], "peer-silent", "RFC 9293 §3.8.6.3", 5),
    ("reset", &[GET, "A"], "peer-reset-not-exact", "RFC 5961 §3.2", 5),
    ("bad-ack", &[GET, "A", "wait 1s", "A", "FA"], "peer-ack-of-unsent", "RFC 9293 §3.10.7.4", 5),
    ("shrunk-window", &[GET, "A", "FA"], "peer-window-shrunk", "RFC 9293 §3.8.6", 5),
    ("bad-sum", &[GET, "wait 1s", "A", "FA"], "peer-bad-checksum", "RFC 9293 §3.1", 5),
];

/// `ww hand` as a user without any right.
fn hand(words: &[&str], lines: &str) -> Result<(Vec<Value>, Output), Box<dyn std::error::Error + Send + Sync>> {
    let program = Program::new("setpriv").args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]);
    let output = program.arg(binary()).args(["hand", "--json"]).args(words).input(lines).run()?;
    let events: Result<Vec<Value>, _> = output.text().lines().map(serde_json::from_str).collect();
    Ok((events.map_err(|error| format!("{error}\n{output}"))?, output))
}

fn each() -> Outcome {
    for (peer, lines, code, section, exit) in ALL {
        for family in ["-4", "-6"] {
            let text = format!("S\n?\nA\n{}\n", lines.join("\n"));
            let (events, output) = hand(&[family, "--peer", peer], &text)?;
            ensure!(output.code == exit, "{peer}: {output}");
            ensure!(events[0]["peer"] == peer && events[0]["in_process"] == true, "{}", events[0]);
            let named = events.iter().find(|event| event["fault"] == code);
            ensure!(named.is_some_and(|event| event["fault_section"] == section), "{peer}: {output}");
            ensure!(events.iter().all(|event| event["mistake"].is_null()), "{peer}: {output}");
            let last = events.last().ok_or("nothing was told")?;
            ensure!(last["due"] == "over", "{peer}: {output}");
            // `ww help` knows the code.
            let help = ww().args(["help", code]).run()?;
            ensure!(help.code == 0 && help.text().contains(code), "{help}");
        }
    }
    Ok(())
}

fn each_begins() -> Outcome {
    for (peer, _, code, _, _) in ALL {
        for family in ["-4", "-6"] {
            let lines = "SA\nA\nPA data=hello\nauto\n";
            let (events, output) = hand(&[family, "--listen", ":8080", "--wait", "3s", "--peer", peer], lines)?;
            ensure!(events.iter().any(|event| event["fault"] == code), "{peer}: {output}");
            let last = events.last().ok_or("nothing was told")?;
            ensure!(last["us"] == "CLOSED" || last["due"] == "over", "{peer}: {output}");
        }
    }
    Ok(())
}

fn auto() -> Outcome {
    for (peer, _, _, _, _) in ALL {
        let (events, output) = hand(&["--wait", "3s", "--peer", peer], "auto\n")?;
        let last = events.last().ok_or("nothing was told")?;
        ensure!(last["due"] == "over" && output.code != 1, "{peer}: {output}");
    }
    // What got only a wrong acknowledgment is sent again, and gets a right one.
    let (events, output) = hand(&["--peer", "bad-ack"], "S\nA\nPA data=x\nauto\n")?;
    let again = events.iter().position(|event| event["event"] == "sent" && event["what"] == "again");
    let rest = &events[again.ok_or_else(|| format!("nothing was sent again: {output}"))?..];
    ensure!(rest.iter().any(|event| event["event"] == "heard" && event["ack"] == 2), "{output}");
    ensure!(rest.last().is_some_and(|last| last["due"] == "over"), "{output}");
    // The window is probed until it opens.
    let (events, output) = hand(&["--peer", "zero-window"], "auto\n")?;
    let probes = events.iter().filter(|event| event["event"] == "sent" && event["what"] == "zero-window-probe").count();
    ensure!(probes == 3 && output.code == 0, "{output}");
    Ok(())
}

fn see(text: &str) -> Step {
    Step::See(text.to_owned())
}

fn type_in(text: &str) -> Step {
    Step::Type(text.to_owned())
}

fn each_on_a_terminal() -> Outcome {
    for (peer, _, code, _, exit) in ALL {
        for family in ["-4", "-6"] {
            let program = [binary().as_os_str(), "hand".as_ref(), family.as_ref(), "--peer".as_ref(), peer.as_ref()];
            let last = if peer == "no-answer" { "R\r" } else { "auto\r" };
            let steps = [
                see("[CLOSED]"),
                type_in("S\r"),
                see("[ESTABLISHED]"),
                type_in("A\r"),
                see("You acknowledge"),
                type_in(&format!("{GET}\r")),
                see(code),
                type_in("?\r"),
                see("reset: the peer forgets"),
                type_in(last),
                see("CLOSED, the peer"),
            ];
            let output = Terminal::default().run(&program, &steps)?;
            ensure!(output.code == exit, "{peer}: {output}");
        }
    }
    Ok(())
}

fn terminal() -> Outcome {
    for family in ["-4", "-6"] {
        let program = [binary().as_os_str(), "hand".as_ref(), family.as_ref(), "--peer".as_ref(), "bad-ack".as_ref()];
        let steps = [
            see("[CLOSED]"),
            type_in("S\r"),
            see("[ESTABLISHED]"),
            type_in("A\r"),
            see("You acknowledge"),
            type_in(&format!("{GET}\r")),
            see("peer-ack-of-unsent"),
            type_in("?\r"),
            see("It does not count; say where the connection stands: A"),
            type_in("A\r"),
            see("HTTP/1.1 200 OK"),
            see("[CLOSE-WAIT]"),
            type_in("auto\r"),
            see("You are in CLOSED, the peer in TIME-WAIT"),
        ];
        let output = Terminal::default().run(&program, &steps)?;
        ensure!(output.code == 5 && output.text().contains("the peer errs on purpose: bad-ack"), "{output}");
    }
    Ok(())
}

/// What was recorded shows to another judge what ours named.
fn wireshark() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("erring.pcapng");
    for (peer, filter, count) in [
        ("zero-window", "tcp.window_size_value == 0 && tcp.flags.reset == 0", 3),
        ("bad-ack", "tcp.analysis.ack_lost_segment", 1),
        ("bad-sum", "tcp.checksum.status == 0", 1),
        // The one that does not count, and the one that does.
        ("reset", "tcp.flags.reset == 1", 2),
    ] {
        let lines = format!("S\nA\n{GET}\nauto\n");
        let (_, output) = hand(&["-w", &path.to_string_lossy(), "--peer", peer], &lines)?;
        let rows = Tshark::read(path.as_ref()).only(filter).fields(&["frame.number"])?;
        ensure!(rows.len() == count, "{peer}: {} frames\n{output}", rows.len());
    }
    Ok(())
}

fn refused() -> Outcome {
    for words in [&["--peer", "nonsense"][..], &["--peer", "reset", "192.0.2.2:80"], &["--peer"]] {
        let output = ww().arg("hand").args(words).run()?;
        ensure!(output.code == 2 && output.text().is_empty(), "{output}");
    }
    Ok(())
}
