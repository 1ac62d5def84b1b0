//! `ww hand`: a conversation typed segment by segment with a real kernel, by pipe and by terminal, in both roles and versions.

use serde_json::Value;
use wirewright_tests::{
    Folder, Ground, Need, Outcome, Output, Scenario, Step, Terminal, Tshark, binary, ensure, fail, ww,
};

use crate::link::tools::Fallible;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("conversation::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        scenario("a_get_is_typed_to_its_end_in_both_versions", get),
        scenario("auto_plays_the_right_segments_to_the_end", auto),
        scenario("a_recording_holds_a_whole_conversation", recording).tools(&["tshark"]),
        scenario("a_syn_with_every_option_gets_them_all_back", options),
        scenario("each_mistake_gets_the_kernels_answer_and_its_code", mistakes),
        scenario("silence_refusal_and_reset_have_their_codes", no_conversation).tools(&["python3"]),
        scenario("a_server_by_hand_answers_a_kernels_client", server).tools(&["python3"]),
        scenario("a_line_that_is_no_segment_ends_a_pipe_and_not_a_terminal", wrong_line),
        scenario("a_person_types_it_on_a_terminal", terminal).tools(&["python3"]),
        scenario("a_person_serves_on_a_terminal", terminal_server).tools(&["python3"]),
        scenario("a_terminal_that_interrupts_or_closes_leaves_nothing", interrupted).tools(&["python3"]),
        scenario("nothing_is_left_after_quit_end_and_signals", nothing_left).tools(&["python3", "ss"]),
        scenario("a_port_in_use_is_refused", port_in_use).tools(&["python3"]),
    ]
}

pub(crate) const GET: &str = r"PA data='GET /echo/hand HTTP/1.0\r\n\r\n'";

/// What `ww lab hand` said to these lines, as JSON.
fn talk(words: &[&str], lines: &str) -> Fallible<(Vec<Value>, Output)> {
    let output = ww().args(["lab", "hand", "--json"]).args(words).input(lines).run()?;
    let events: Result<Vec<Value>, _> = output.text().lines().map(serde_json::from_str).collect();
    Ok((events.map_err(|error| format!("{error}\n{output}"))?, output))
}

/// A word for each event: what was done, with an arrow where it left.
fn told(events: &[Value]) -> Vec<String> {
    let word = |event: &Value| match event["event"].as_str() {
        Some("sent") => format!("+{}", event["what"].as_str().unwrap_or_default()),
        Some("heard") => event["what"].as_str().unwrap_or_default().to_owned(),
        other => other.unwrap_or_default().to_owned(),
    };
    events.iter().map(word).collect()
}

fn get() -> Outcome {
    for family in ["-4", "-6"] {
        let lines = format!("# by hand\nS\nA\n{GET}\nA\nFA\n");
        let (events, output) = talk(&[family, "server:80"], &lines)?;
        ensure!(output.code == 0, "{output}");
        let said = told(&events);
        let begun = ["begin", "+syn", "syn-ack", "+ack", "+data", "ack"];
        ensure!(said.starts_with(&begun.map(str::to_owned)), "{said:?}");
        ensure!(said.iter().filter(|word| *word == "fin" || *word == "+fin").count() == 2, "{said:?}");
        ensure!(events[0]["guard"] == "md5-listener", "{}", events[0]);
        let data: u64 = events.iter().filter(|e| e["event"] == "heard").filter_map(|e| e["len"].as_u64()).sum();
        ensure!(data > 100, "{data} bytes came");
        let last = &events[events.len() - 1];
        ensure!(last["us"] == "CLOSED" && last["them"] == "TIME-WAIT" && last["due"] == "over", "{last}");
        ensure!(!output.text().contains("\"reset"), "{output}");
    }
    Ok(())
}

fn auto() -> Outcome {
    for family in ["-4", "-6"] {
        let (events, output) = talk(&[family, "server:80"], &format!("next\nauto 1\n{GET}\nauto\n"))?;
        let said = told(&events);
        ensure!(output.code == 0 && said[1..4] == ["+syn", "syn-ack", "+ack"], "{said:?}");
        let last = &events[events.len() - 1];
        ensure!(last["due"] == "over" && last["mistake"].is_null(), "{last}");
        // Our end first: TIME-WAIT is ours, and it is kept for a while.
        let (events, output) = talk(&[family, "server:7"], "auto\n")?;
        let last = &events[events.len() - 1];
        ensure!(output.code == 0 && last["us"] == "TIME-WAIT", "{last}");
    }
    Ok(())
}

fn recording() -> Outcome {
    records(talk)
}

/// What `-w` writes of a page asked for by hand is a whole conversation in tshark's eyes, nothing in it sent twice.
pub(crate) fn records<T>(talk: impl Fn(&[&str], &str) -> Fallible<(T, Output)>) -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("hand.pcapng");
    for family in ["-4", "-6"] {
        let words = ["-w", &path.to_string_lossy(), family, "server:80"];
        let (_, output) = talk(&words, &format!("S\nA\n{GET}\nauto\n"))?;
        ensure!(output.code == 0, "{output}");
        let rows = Tshark::read(path.as_ref()).fields(&["tcp.completeness", "tcp.analysis.retransmission"])?;
        let last = rows.last().ok_or("nothing was recorded")?;
        ensure!(last[0] == "31" && rows.iter().all(|row| row[1].is_empty()), "{rows:?}");
    }
    Ok(())
}

fn options() -> Outcome {
    for family in ["-4", "-6"] {
        let lines = format!("S mss=1400 sack ts nop wscale=7\nA\n{GET}\nauto\n");
        let (events, output) = talk(&[family, "server:80"], &lines)?;
        ensure!(output.code == 0, "{output}");
        let syn_ack = events[2]["packet"].as_str().unwrap_or_default();
        for option in ["mss=", " sack", "ts=", "wscale="] {
            ensure!(syn_ack.contains(option), "{option}: {syn_ack}");
        }
        let segments = events.iter().filter(|event| event["packet"].is_string());
        let with_stamps = segments.filter(|event| event["packet"].as_str().is_some_and(|p| p.contains(" ts=")));
        ensure!(with_stamps.count() == events.len() - 1, "timestamps are in every segment: {output}");
    }
    Ok(())
}

/// kernel-facts: what a Linux server answers to each mistake.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("S\nA ack=0\n", "reset-to-ack", "ack-not-plus-one", "RFC 9293 §3.5"),
    ("S\nA seq=0\n", "duplicate-ack", "seq-not-advanced", "RFC 9293 §3.4"),
    ("S\nA\nPA seq=+1 data=x\n", "duplicate-ack", "seq-too-high", "RFC 9293 §3.10.7.4"),
    ("S\nA\nP data=x\n", "silence", "no-ack-flag", "RFC 9293 §3.10.7.4"),
    ("S\nA\nF\n", "silence", "no-ack-flag", "RFC 9293 §3.10.7.4"),
    (
        "S\nA\nPA win=0 data='GET / HTTP/1.0\\r\\n\\r\\n'\nwait 1500ms\n",
        "zero-window-probe",
        "window-zero",
        "RFC 9293 §3.8.6.1",
    ),
    ("S\nA\nS\n", "challenge-ack", "same-4-tuple", "RFC 5961 §4.2"),
    ("S\nA\nR seq=+1\n", "challenge-ack", "rst-not-exact", "RFC 5961 §3.2"),
    ("S\nA\nPA sum=bad data=x\n", "silence", "bad-checksum", "RFC 9293 §3.1"),
    ("S\nwait 1500ms\n", "syn-ack-again", "synack-not-acknowledged", "RFC 9293 §3.5"),
];

/// Each in a lab of its own, all at the same time: most of it is waiting.
fn mistakes() -> Outcome {
    for family in ["-4", "-6"] {
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let runs: Vec<_> = MISTAKES.iter().map(|case| scope.spawn(move || mistake(family, case))).collect();
            runs.into_iter().map(|run| run.join().unwrap_or_else(|_| Err("it panicked".into()))).collect()
        });
        outcomes.into_iter().collect::<Outcome>()?;
    }
    let text = ww().args(["lab", "hand", "server:80"]).input("S\nA ack=0\n").run()?.text();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(words.contains("ack-not-plus-one: the SYN takes") && words.contains("plus one (RFC 9293 §3.5)."), "{text}");
    Ok(())
}

fn mistake(family: &str, (lines, answer, code, section): &(&str, &str, &str, &str)) -> Outcome {
    let (events, output) = talk(&[family, "server:80"], lines)?;
    let named: Vec<&Value> = events.iter().filter(|event| !event["mistake"].is_null()).collect();
    let shown = |event: &&&Value| event["what"] == *answer || event["event"] == *answer;
    let Some(found) = named.iter().find(shown) else { fail!("{lines:?}: no {answer}\n{output}") };
    ensure!(named.iter().all(|event| event["mistake"] == *code), "{lines:?}: another code\n{output}");
    ensure!(found["mistake_section"] == *section, "{found}");
    ensure!(output.code == 5, "{lines:?}: {output}");
    let last = &events[events.len() - 1];
    ensure!(last["event"] == "sent" && last["flags"] == "R" && last["them"] == "CLOSED", "{lines:?}: {last}");
    Ok(())
}

fn no_conversation() -> Outcome {
    for family in ["-4", "-6"] {
        let (events, output) = talk(&[family, "closed:80"], "S\n")?;
        ensure!(told(&events) == ["begin", "+syn", "refused"] && output.code == 5, "{output}");
        let (events, output) = talk(&[family, "silent:80"], "S\n")?;
        ensure!(told(&events) == ["begin", "+syn", "silence"] && output.code == 1, "{output}");
    }
    // A kernel resets what it closes with data unread.
    const PEER: &str =
        "import socket,time\ns=socket.create_server(('127.0.0.1',8080))\nc,_=s.accept()\ntime.sleep(0.8)\nc.close()";
    let output = script(&format!(
        "python3 -c \"{PEER}\" & sleep 0.5; printf 'S\\nA\\nPA data=x\\nwait 1s\\n' | \"$WW\" hand --json 127.0.0.1:8080; echo \"code $?\"; wait"
    ))?;
    let text = output.text();
    ensure!(text.contains("\"what\":\"reset\"") && text.contains("code 5"), "{output}");
    ensure!(!text.contains("\"event\":\"sent\",\"flags\":\"R\""), "what is reset is not reset again\n{output}");
    Ok(())
}

/// Runs a script in the lab's client, `$WW` being our command.
fn script(text: &str) -> Result<Output, String> {
    ww().env("WW", binary()).args(["lab", "--", "bash", "-c", text]).run()
}

fn server() -> Outcome {
    for (family, address) in [("AF_INET", "127.0.0.1"), ("AF_INET6", "::1")] {
        let client = format!(
            "import socket,time\ntime.sleep(0.5)\ns=socket.socket(socket.{family})\ns.settimeout(8)\ns.connect(('{address}',8080))\n\
             s.sendall(b'question')\ns.shutdown(1)\nd=b''\nwhile 1:\n  p=s.recv(99)\n  if not p: break\n  d+=p\nprint('client got '+d.decode())"
        );
        let text = format!(
            "python3 -c \"{client}\" & printf \"SA mss=1400\\nA\\nPA data='by hand'\\nFA\\n\" | \"$WW\" hand --listen :8080 --json; \
             echo \"code $?\"; wait"
        );
        let output = script(&text)?;
        let said = output.text();
        ensure!(said.contains("client got by hand") && said.contains("code 0"), "{output}");
        ensure!(said.contains("\"us\":\"CLOSED\"") && !said.contains("\"flags\":\"R\""), "{output}");
    }
    // Nobody comes: one clear text, within the time that was given.
    let output = script("printf 'SA\\n' | \"$WW\" hand --listen :8080 --wait 300ms; echo \"code $?\"")?;
    ensure!(output.text().contains("code 1") && output.stderr.contains("nobody sent a SYN"), "{output}");
    Ok(())
}

fn wrong_line() -> Outcome {
    let (events, output) = talk(&["server:80"], "S\nA\nPA dat=x\nFA\n")?;
    ensure!(output.code == 2 && output.stderr.contains("PA data=x"), "{output}");
    ensure!(told(&events).last().is_some_and(|word| word == "+reset"), "{output}");
    for (words, code) in [(&["server"][..], 2), (&["nowhere:80"], 2), (&[], 2), (&["--listen", "x"], 2)] {
        let output = ww().args(["lab", "hand"]).args(words).run()?;
        ensure!(output.code == code && output.text().is_empty(), "{output}");
    }
    Ok(())
}

fn see(text: &str) -> Step {
    Step::See(text.to_owned())
}

fn type_in(text: &str) -> Step {
    Step::Type(text.to_owned())
}

fn terminal() -> Outcome {
    for family in ["-4", "-6"] {
        let program = [binary().as_os_str(), "lab".as_ref(), "hand".as_ref(), family.as_ref(), "server:80".as_ref()];
        let steps = [
            see("[CLOSED]"),
            type_in("?\r"),
            see("ask for a connection"),
            type_in("S\r"),
            see("[ESTABLISHED]"),
            // A mistake in the line, mended by the history and two keys.
            type_in("AA\r"),
            see("column 1"),
            type_in("\x1b[A\x7f\r"),
            see("You acknowledge"),
            type_in(&format!("{GET}\r")),
            see("HTTP/1.1 200 OK"),
            see("[CLOSE-WAIT]"),
            type_in("auto\r"),
            see("LAST-ACK"),
            see("You are in CLOSED, the peer in TIME-WAIT"),
        ];
        let output = Terminal::default().run(&program, &steps)?;
        ensure!(output.code == 0, "{output}");
        let wide: Vec<_> = output.text().lines().filter(|line| visible(line) > 80).map(str::to_owned).collect();
        ensure!(wide.is_empty(), "wider than the terminal: {wide:?}");
    }
    Ok(())
}

fn terminal_server() -> Outcome {
    for (family, address) in [("AF_INET", "127.0.0.1"), ("AF_INET6", "::1")] {
        let client = format!(
            "import socket,time\ntime.sleep(0.5)\ns=socket.socket(socket.{family})\ns.settimeout(8)\ns.connect(('{address}',8080))\n\
             s.sendall(b'question')\nd=s.recv(99)\ns.close()"
        );
        let text = format!("python3 -c \"{client}\" & \"$0\" hand --listen :8080; code=$?; wait; exit $code");
        let ww = binary().as_os_str();
        let program = [ww, "lab".as_ref(), "--".as_ref(), "bash".as_ref(), "-c".as_ref(), text.as_ref(), ww];
        let steps = [
            see("waiting for a SYN"),
            type_in("SA\r"),
            see("nobody has sent a SYN yet"),
            see("The peer asks for a connection"),
            type_in("\x1b[A\r"),
            see("[ESTABLISHED]"),
            see("The peer sends data: 8 B"),
            type_in("PA data=answer\r"),
            see("nothing more comes from it"),
            type_in("auto\r"),
            see("You are in CLOSED"),
        ];
        let output = Terminal::default().run(&program, &steps)?;
        ensure!(output.code == 0, "{output}");
    }
    Ok(())
}

/// The columns of what a line leaves on the screen: colours have none, and what was erased is gone.
fn visible(line: &str) -> usize {
    let line = line.trim_end_matches('\r').rsplit("\x1b[K").next().unwrap_or_default();
    let mut columns = 0;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            '\x1b' => while chars.next().is_some_and(|char| !char.is_ascii_alphabetic()) {},
            '\r' => columns = 0,
            _ => columns += 1,
        }
    }
    columns
}

fn interrupted() -> Outcome {
    let program = [binary().as_os_str(), "lab".as_ref(), "hand".as_ref(), "server:80".as_ref()];
    let open = [see("[CLOSED]"), type_in("S\r"), see("[ESTABLISHED]"), type_in("A\r"), see("You acknowledge")];
    for (key, code) in [("\x03", 130), ("\x04", 0), ("quit\r", 0)] {
        let steps = [&open[..], &[type_in(key), see("You reset the connection")]].concat();
        let output = Terminal::default().run(&program, &steps)?;
        ensure!(output.code == code, "{key:?}: {output}");
    }
    // A window that closes: it ends, whatever its code.
    let steps = [&open[..], &[Step::HangUp]].concat();
    Terminal::default().run(&program, &steps)?;
    Ok(())
}

/// A kernel's server on the loopback of the lab's client holds a connection; after the end of `ww hand` it holds none, and
/// nobody listens on the guarded port any more.
fn nothing_left() -> Outcome {
    const PEER: &str =
        "import socket,time\ns=socket.create_server(('127.0.0.1',8080))\nheld=[]\nwhile 1: held.append(s.accept())";
    let ends = [
        ("quit", "printf 'S\\nA\\nquit\\n' | \"$WW\" hand 127.0.0.1:8080"),
        ("end", "printf 'S\\nA\\n' | \"$WW\" hand 127.0.0.1:8080"),
        (
            "TERM",
            "(printf 'S\\nA\\n'; sleep 5) | (\"$WW\" hand 127.0.0.1:8080 & p=$!; sleep 1; kill -TERM $p; wait $p)",
        ),
        ("INT", "(printf 'S\\nA\\n'; sleep 5) | timeout -s INT 1 \"$WW\" hand 127.0.0.1:8080"),
        ("KILL", "(printf 'S\\nA\\n'; sleep 3) | timeout -s KILL 1 \"$WW\" hand 127.0.0.1:8080"),
    ];
    for (name, end) in ends {
        let text = format!(
            "python3 -c \"{PEER}\" & peer=$!; sleep 0.5; {end}; sleep 0.2; \
             echo \"held $(ss -Htn state established state syn-recv | wc -l) listening $(ss -Htln | grep -vc ':8080 ')\"; kill $peer"
        );
        let output = script(&text)?;
        // What is killed says no last word: the peer learns of it from the kernel when it speaks next.
        let expected = if name == "KILL" { "held 1 listening 0" } else { "held 0 listening 0" };
        ensure!(output.text().contains(expected), "{name}: {expected} was expected\n{output}");
    }
    Ok(())
}

fn port_in_use() -> Outcome {
    const HOLDER: &str = "import socket,time\ns=socket.create_server(('0.0.0.0',8080))\ntime.sleep(20)";
    let text = format!(
        "python3 -c \"{HOLDER}\" & peer=$!; sleep 0.5; \"$WW\" hand --listen :8080 </dev/null; echo \"code $?\"; kill $peer"
    );
    let output = script(&text)?;
    ensure!(output.text().contains("code 4") && output.stderr.contains("EADDRINUSE"), "{output}");
    Ok(())
}
