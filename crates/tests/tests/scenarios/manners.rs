//! How the command behaves towards terminals, pipes, scripts and other locales.

use serde_json::Value;
use wirewright_tests::{Folder, Ground, Need, Outcome, Output, Program, Scenario, Step, Terminal, binary, ensure, ww};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("manners::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        scenario("a_reader_that_goes_away_is_no_error", broken_pipe),
        scenario("bytes_never_go_to_a_terminal", no_bytes).tools(&["python3"]),
        scenario("ctrl_c_ends_the_wait_with_130", interrupted).tools(&["python3"]),
        scenario("a_pipe_gets_no_colours_and_a_terminal_only_ours", colours).tools(&["python3"]),
        scenario("another_locale_gets_ascii", ascii),
        scenario("json_is_one_object_a_line_with_its_version", json),
        scenario("the_tour_keeps_within_80_columns", columns),
        scenario("a_forgotten_verb_is_told_with_the_corrected_line", forgotten_verb),
        scenario("names_in_a_payload_do_not_steer_the_terminal", escapes),
    ]
}

fn broken_pipe() -> Outcome {
    let line =
        format!("'{0}' demo | head -n 1; '{0}' fields tcp | head -n 1; '{0}' help | head -n 1", binary().display());
    let folder = Folder::new()?;
    let output = Program::new("bash").args(["-o", "pipefail", "-c", &line]).folder(folder.path()).run()?.success()?;
    ensure!(output.stderr.is_empty(), "{output}");
    Ok(())
}

fn on_terminal(words: &[&str], steps: &[Step]) -> Result<Output, String> {
    let program = binary().display().to_string();
    let words: Vec<&str> = std::iter::once(program.as_str()).chain(words.iter().copied()).collect();
    Terminal::default().run(&words, steps)
}

fn no_bytes() -> Outcome {
    let output = on_terminal(&["build", "--as", "pcap", "tcp", "192.0.2.2:80", "S", "src=192.0.2.1"], &[])?;
    ensure!(output.code == 2, "{output}");
    ensure!(output.text().contains("they do not go to a terminal"), "{output}");
    Ok(())
}

fn interrupted() -> Outcome {
    let steps = [Step::See("sent".into()), Step::Type("\u{3}".into())];
    let output = on_terminal(&["lab", "ask", "--wait", "1m", "tcp", "silent:80", "S"], &steps)?;
    ensure!(output.code == 130, "{output}");
    Ok(())
}

/// A text without its colours, and whether anything else than colours was sent to steer the terminal.
fn without_colours(text: &str) -> (String, bool) {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    let mut others = false;
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_digit() || matches!(c, '[' | ';'))).unwrap_or(part.len());
        others |= !(part.starts_with('[') && part[end..].starts_with('m'));
        plain.push_str(part.get(end + 1..).unwrap_or_default());
    }
    others |= plain.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    (plain, others)
}

fn colours() -> Outcome {
    let packet = ["build", "--as", "tree", "tcp", "192.0.2.2:80", "S", "src=192.0.2.1"];
    let piped = ww().args(packet).run()?.success()?.text();
    ensure!(!piped.contains('\u{1b}'), "a pipe got colours: {piped:?}");
    let screen = on_terminal(&packet, &[])?.text();
    ensure!(screen.contains("\u{1b}["), "a terminal got no colours: {screen:?}");
    let (_, others) = without_colours(&screen);
    ensure!(!others, "more than colours: {screen:?}");
    let asked = ww().args(packet).args(["--color", "always"]).run()?.success()?.text();
    ensure!(asked.contains('\u{1b}'), "--color always gives none");
    Ok(())
}

fn ascii() -> Outcome {
    let folder = Folder::new()?;
    let packet = ["tcp", "192.0.2.2:80", "S", "src=192.0.2.1", "data=\\xff"];
    for verb in [&["demo"][..], &["fields", "tcp"], &["help", "language"], &["lab", "ask", "icmp", "server"]] {
        let posix = ww().args(verb).env("LC_ALL", "C").folder(folder.path()).run()?.success()?;
        let asked = ww().args(verb).arg("--ascii").folder(folder.path()).run()?.success()?;
        ensure!(posix.text().is_ascii(), "{posix}");
        ensure!(asked.text().is_ascii(), "{asked}");
    }
    for form in ["draw", "tree", "ww"] {
        let output = ww().args(["build", "--as", form]).args(packet).env("LC_ALL", "C").run()?.success()?;
        ensure!(output.text().is_ascii(), "{output}");
    }
    Ok(())
}

fn json() -> Outcome {
    let verbs: [&[&str]; 5] = [
        &["lab", "ask", "tcp", "server:80", "S", "--json"],
        &["lab", "plan", "tcp", "server:80", "S", "--json"],
        &["build", "--json", "tcp", "192.0.2.2:80", "S", "src=192.0.2.1"],
        &["show", "--json", "45000014000040004006b6e7c0000201c0000202"],
        &["sum", "--json", "45000014000040004006b6e7c0000201c0000202"],
    ];
    for verb in verbs {
        let output = ww().args(verb).run()?;
        let text = output.text();
        ensure!(text.lines().count() >= 1, "{output}");
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).map_err(|error| format!("{error}\n{output}"))?;
            ensure!(value["v"] == 1, "no version in {line}");
        }
    }
    let failed = ww().args(["ask", "--json", "tcp", "192.0.2.2", "S"]).run()?.expect_code(2)?;
    let error: Value =
        serde_json::from_str(failed.stderr.trim()).or_else(|_| serde_json::from_str(failed.text().trim()))?;
    ensure!(error["v"] == 1 && error["error"]["exit"] == 2 && error["error"]["code"].is_string(), "{failed}");
    Ok(())
}

/// Printed packets and commands are one line however long they are: they are there to be copied.
fn columns() -> Outcome {
    let folder = Folder::new()?;
    let text = ww().arg("demo").folder(folder.path()).run()?.success()?.text();
    let is_to_copy = |line: &str| {
        let line = line.trim_start();
        line.starts_with("ww ") || line.starts_with("eth ") || line.starts_with("ip ") || line.starts_with('/')
    };
    let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80 && !is_to_copy(line)).collect();
    ensure!(long.is_empty(), "{}", long.join("\n"));
    Ok(())
}

fn forgotten_verb() -> Outcome {
    let output = ww().args(["tcp", "192.0.2.2:80", "S"]).run()?.expect_code(2)?;
    ensure!(output.stdout.is_empty() && output.stderr.contains("ww ask tcp 192.0.2.2:80 S"), "{output}");
    Ok(())
}

fn escapes() -> Outcome {
    let hostile = "data=\\x1b]0;owned\\x07\\x1b[2J\\x9b31m";
    for form in ["tree", "ww", "json", "hex", "draw", "line"] {
        let output =
            ww().args(["build", "--as", form, "udp", "192.0.2.2:9", "src=192.0.2.1", hostile]).run()?.success()?;
        let (_, others) = without_colours(&output.text());
        ensure!(!others && !output.text().contains('\u{1b}'), "{form}: {:?}", output.text());
    }
    let name = "\u{1b}[2Jnobody.invalid:80";
    let output = ww().args(["lab", "ask", "tcp", name, "S"]).run()?.expect_code(2)?;
    ensure!(!output.stderr.contains('\u{1b}'), "{:?}", output.stderr);
    Ok(())
}
