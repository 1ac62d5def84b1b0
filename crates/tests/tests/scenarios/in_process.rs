//! `ww lab hand` and `ww lab get` where nothing can be sent: the same conversation with our own TCP, said to be no kernel.

use std::ffi::OsStr;

use serde_json::Value;
use wirewright_tests::{Ground, Need, Outcome, Output, Program, Scenario, Step, Terminal, binary, ensure};

use crate::conversation::{GET, records};
use crate::lab_enters::{AS_ROOT, FILTER_UNSHARE, WITHOUT_RIGHTS};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("in_process::{name}"), Ground::Plain, move |_| run())
            .needs(Need::Namespaces)
            .tools(&["unshare", "setpriv", "python3"])
    };
    vec![
        scenario("a_conversation_is_typed_to_its_end_with_each_service", services),
        scenario("we_serve_a_client_that_is_our_own_too", server),
        scenario("a_recording_holds_a_whole_conversation", recording).tools(&["tshark"]),
        scenario("who_is_not_there_is_silent_and_who_does_not_listen_refuses", nobody),
        scenario("a_person_types_it_on_a_terminal", terminal),
        scenario("a_page_is_fetched", page),
        scenario("the_map_speaks_of_no_kernel", map),
    ]
}

const SAID: &str = "nothing leaves this process: the peer is Wirewright's own TCP, and no kernel";

/// The words before a command that take every right to a network from it.
fn without_networks() -> Vec<&'static str> {
    [&AS_ROOT[..], &FILTER_UNSHARE, &WITHOUT_RIGHTS].concat()
}

fn lab(words: &[&str]) -> Program {
    let before = without_networks();
    Program::new(before[0]).args(&before[1..]).arg(binary()).args(["lab"]).args(words)
}

fn hand(words: &[&str], lines: &str) -> Result<(Vec<Value>, Output), Box<dyn std::error::Error + Send + Sync>> {
    let output = lab(&[&["hand", "--json"], words].concat()).input(lines).run()?;
    let events: Result<Vec<Value>, _> = output.text().lines().map(serde_json::from_str).collect();
    Ok((events.map_err(|error| format!("{error}\n{output}"))?, output))
}

fn heard_bytes(events: &[Value]) -> u64 {
    events.iter().filter(|event| event["event"] == "heard").filter_map(|event| event["len"].as_u64()).sum()
}

fn services() -> Outcome {
    for family in ["-4", "-6"] {
        for (port, line, bytes) in [(80, GET, 100..), (7, "PA data=echo", 4..), (9, "PA data=gone", 0..)] {
            let (events, output) = hand(&[family, &format!("server:{port}")], &format!("S\nA\n{line}\nauto\n"))?;
            ensure!(output.code == 0 && output.stderr.contains(SAID), "{output}");
            ensure!(events[0]["in_process"] == true && events[0]["guard"] == "none", "{}", events[0]);
            ensure!(bytes.contains(&heard_bytes(&events)), "port {port}: {output}");
            ensure!(events.last().is_some_and(|last| last["due"] == "over" && last["mistake"].is_null()), "{output}");
        }
    }
    Ok(())
}

fn server() -> Outcome {
    for family in ["-4", "-6"] {
        let (events, output) = hand(&[family, "--listen", ":8080"], "SA\nA\nPA data='hello'\nauto\n")?;
        ensure!(output.code == 0 && output.stderr.contains(SAID), "{output}");
        ensure!(heard_bytes(&events) == 18, "{output}");
        ensure!(events.last().is_some_and(|last| last["due"] == "over"), "{output}");
    }
    Ok(())
}

fn recording() -> Outcome {
    records(hand)
}

fn nobody() -> Outcome {
    for family in ["-4", "-6"] {
        for (to, what, code) in [("closed:80", "refused", 5), ("server:81", "refused", 5), ("silent:80", "silence", 1)]
        {
            let (events, output) = hand(&[family, to], "S\n")?;
            let word = |event: &Value| event["event"] == what || event["what"] == what;
            ensure!(output.code == code && events.iter().any(word), "{output}");
        }
    }
    Ok(())
}

fn terminal() -> Outcome {
    let see = |text: &str| Step::See(text.to_owned());
    let type_in = |text: &str| Step::Type(text.to_owned());
    for family in ["-4", "-6"] {
        let program = binary();
        let mut words: Vec<&OsStr> = without_networks().into_iter().map(OsStr::new).collect();
        words.push(program.as_os_str());
        words.extend(["lab", "hand", family, "server:80"].map(OsStr::new));
        let steps = [
            see("[CLOSED]"),
            type_in("S\r"),
            see("[ESTABLISHED]"),
            type_in("A\r"),
            type_in(&format!("{GET}\r")),
            see("HTTP/1.1 200 OK"),
            see("[CLOSE-WAIT]"),
            type_in("auto\r"),
            see("You are in CLOSED, the peer in TIME-WAIT"),
        ];
        let output = Terminal::default().run(&words, &steps)?;
        ensure!(output.code == 0 && output.text().contains("no kernel"), "{output}");
    }
    Ok(())
}

fn page() -> Outcome {
    for family in ["-4", "-6"] {
        let output = lab(&["get", family, "http://server/bytes/50000"]).run()?;
        ensure!(output.code == 0 && output.stdout.len() == 50_000 && output.stderr.contains(SAID), "{output}");
        for (url, code) in [("http://server/nowhere", 5), ("http://closed/", 5), ("http://server:81/", 5)] {
            let output = lab(&["get", family, url]).run()?;
            ensure!(output.code == code, "{url}: {output}");
        }
        let output = lab(&["get", family, "--wait", "1s", "http://silent/"]).run()?;
        ensure!(output.code == 1, "{output}");
    }
    Ok(())
}

fn map() -> Outcome {
    let output = lab(&[]).run()?;
    let text = output.text();
    ensure!(output.code == 0 && text.contains("http 80, echo 7, discard 9: our TCP"), "{output}");
    ensure!(!text.contains("kernel"), "{output}");
    Ok(())
}
