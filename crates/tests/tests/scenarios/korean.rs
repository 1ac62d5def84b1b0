//! The command in Korean: chosen by option or locale, nothing left in English, nothing wider than the terminal.

use wirewright_render::{Catalogue, Lang, columns};
use wirewright_tests::{Folder, Ground, Need, Outcome, Output, Program, Scenario, binary, ensure, ww};

use crate::lab_enters::{AS_ROOT, FILTER_UNSHARE, WITHOUT_RIGHTS};
use crate::tour::OWN_LOOPBACK;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("korean::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        scenario("the_option_or_the_locale_chooses_it", chosen),
        scenario("without_utf8_it_is_english_and_says_so_once", no_utf8),
        scenario("json_is_never_translated", json),
        scenario("the_tour_is_told_in_it", tour),
        scenario("the_tour_is_told_in_it_on_the_lower_rungs_too", tour_below)
            .tools(&["unshare", "setpriv", "python3", "ip"]),
        scenario("packets_answers_and_sums_are_told_in_it", packets),
        scenario("a_conversation_is_told_in_it", conversation),
        scenario("help_and_failures_are_told_in_it", help),
    ]
}

/// The widest line of a terminal that is 80 wide.
const COLUMNS: usize = 80;

fn korean() -> Program {
    ww().env("LC_ALL", "ko_KR.UTF-8").env("COLUMNS", "80")
}

fn is_hangul(char: char) -> bool {
    ('\u{ac00}'..='\u{d7a3}').contains(&char)
}

/// All that a command says is Korean, and its Korean lines fit.
fn reads_well(output: &Output) -> Outcome {
    let text = format!("{}\n{}", output.text(), output.stderr);
    ensure!(text.contains(is_hangul), "no Korean at all:\n{output}");
    // A packet is one line, however long, in every language.
    for line in text.lines().filter(|line| line.contains(is_hangul) && !line.contains(" / ")) {
        ensure!(columns(line) <= COLUMNS, "{} columns: {line}\n{output}", columns(line));
    }
    let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let english = Catalogue::get(Lang::En);
    // `neighbour discovery` is the name of a table as well.
    for key in english.keys().filter(|key| !key.starts_with("name.")) {
        let sentence = english.sentence(key).unwrap_or_default();
        // Between its values, long enough to be no name.
        for part in sentence.split(['{', '}']).step_by(2).map(str::trim) {
            let is_words = part.len() >= 14 && part.contains(' ') && !part.contains(['=', '[', '|', '/']);
            ensure!(!is_words || !said.contains(part), "{key} is English: {part}\n{output}");
        }
    }
    Ok(())
}

fn says(program: Program, words: &[&str]) -> Result<Output, String> {
    let output = program.args(words).run()?;
    reads_well(&output).map_err(|error| error.to_string())?;
    Ok(output)
}

fn chosen() -> Outcome {
    let is_korean = |output: &Output| output.text().contains(is_hangul);
    for (variable, locale) in [("LC_ALL", "ko_KR.UTF-8"), ("LC_ALL", "ko.utf8")] {
        ensure!(is_korean(&ww().env(variable, locale).args(["help"]).run()?), "{variable}={locale}");
    }
    let with = |all: &str, messages: &str, lang: &str, words: &[&str]| {
        ww().env("LC_ALL", all).env("LC_MESSAGES", messages).env("LANG", lang).args(words).run()
    };
    ensure!(is_korean(&with("", "ko_KR.UTF-8", "en_US.UTF-8", &["help"])?), "LC_MESSAGES comes before LANG");
    ensure!(is_korean(&with("", "", "ko_KR.UTF-8", &["help"])?), "LANG alone");
    ensure!(!is_korean(&with("C.UTF-8", "ko_KR.UTF-8", "ko_KR.UTF-8", &["help"])?), "LC_ALL comes first");
    ensure!(!is_korean(&with("", "", "ko_KR.EUC-KR", &["help"])?), "a locale that is not UTF-8");
    for words in [&["--lang", "ko", "help"][..], &["help", "--lang=ko"], &["--lang=ko", "lab", "help"]] {
        ensure!(is_korean(&ww().args(words).run()?), "{words:?}");
    }
    ensure!(!is_korean(&korean().args(["help", "--lang", "en"]).run()?), "--lang comes before the locale");
    let refused = ww().args(["help", "--lang", "xx"]).run()?;
    ensure!(refused.code == 2 && refused.stderr.contains("en or ko"), "{refused}");
    Ok(())
}

fn no_utf8() -> Outcome {
    for (words, locale) in [(&["help", "--lang", "ko"][..], "C"), (&["help", "--lang", "ko", "--ascii"], "C.UTF-8")] {
        let output = ww().env("LC_ALL", locale).env("LANG", locale).args(words).run()?.success()?;
        ensure!(output.text().is_ascii(), "{output}");
        ensure!(output.stderr.matches("Korean").count() == 1, "{output}");
    }
    let silent = ww().env("LC_ALL", "ko_KR.UTF-8").args(["help", "--ascii"]).run()?.success()?;
    ensure!(silent.stderr.is_empty() && silent.text().is_ascii(), "{silent}");
    Ok(())
}

fn json() -> Outcome {
    for words in [
        &["sum", "45010000d4310000ff060c64c0a80167c0a80101", "--json"][..],
        &["lab", "ask", "--json", "icmp", "server"],
        &["build", "--json", "tcp", "192.0.2.2", "S"],
        &["fields", "tcp", "--json"],
    ] {
        let (ours, theirs) = (korean().args(words).run()?, ww().args(words).run()?);
        let text = format!("{}{}", ours.text(), ours.stderr);
        ensure!(!text.contains(is_hangul) && ours.code == theirs.code, "{ours}");
    }
    Ok(())
}

fn tour() -> Outcome {
    let folder = Folder::new()?;
    let output = korean().folder(folder.path()).args(["demo"]).run()?.success()?;
    reads_well(&output)?;
    for term in
        ["검사합(checksum)", "3방향 핸드셰이크(three-way handshake)", "순서 번호(sequence number)", "보호막(guard)"]
    {
        ensure!(output.text().contains(term), "{term}\n{output}");
    }
    Ok(())
}

fn tour_below() -> Outcome {
    let on_loopback = [&AS_ROOT[..], &OWN_LOOPBACK, &FILTER_UNSHARE].concat();
    let in_process = [&AS_ROOT[..], &FILTER_UNSHARE, &WITHOUT_RIGHTS].concat();
    for (before, said) in [(on_loopback, "루프백에서 일어나며"), (in_process, "아무것도 보내지 않습니다")]
    {
        let folder = Folder::new()?;
        let ww = binary().display().to_string();
        let words: Vec<&str> = before.iter().copied().chain([ww.as_str(), "demo", "--lang", "ko"]).collect();
        let program = Program::new(words[0]).args(&words[1..]).folder(folder.path());
        let output = program.env("LC_ALL", "C.UTF-8").env("COLUMNS", "80").run()?.success()?;
        reads_well(&output)?;
        ensure!(output.text().contains(said), "{said}\n{output}");
    }
    Ok(())
}

fn packets() -> Outcome {
    let beginner = "45010000d4310000ff060c64c0a80167c0a80101";
    let output = says(korean(), &["sum", "-v", beginner])?;
    ensure!(output.code == 5 && output.text().contains("리틀 엔디언"), "{output}");
    says(korean(), &["show", beginner])?;
    for words in [
        &["lab", "ask", "tcp", "server:80", "S"][..],
        &["lab", "ask", "tcp", "closed:80", "S"],
        &["lab", "ask", "icmp", "server", "ttl=1"],
        &["lab", "ask", "udp", "server:9999", "data=x"],
        &["lab", "ask", "tcp", "silent:80", "S", "--wait", "100ms", "--why"],
        &["lab", "ask", "tcp", "server:80", "S", "sum=swap", "--wait", "100ms"],
        &["lab", "plan", "tcp", "server:80", "S", "ip.sum=0xdead"],
        &["lab", "plan", "ip", "server", "id=0", "proto=tcp"],
        &["lab", "-v", "ask", "icmp", "server"],
        &["fields", "ip"],
        &["fields", "tcp"],
        &["fields", "icmp6"],
    ] {
        says(korean(), words)?;
    }
    Ok(())
}

fn conversation() -> Outcome {
    let lines = "?\nS\n?\nA ack=5\nA\nPA data='GET / HTTP/1.0\\r\\n\\r\\n'\nwait 200ms\nauto\n";
    let output = korean().args(["lab", "hand", "server:80"]).input(lines.as_bytes()).run()?;
    reads_well(&output)?;
    ensure!(output.text().contains("상대가 연결을 받아들이고"), "{output}");
    Ok(())
}

fn help() -> Outcome {
    says(korean(), &["help"])?;
    let verbs = ["ask", "send", "hand", "build", "plan", "guard", "show", "flow", "sum", "get", "lab", "demo", "help"];
    for verb in verbs {
        says(korean(), &[verb, "--help"])?;
    }
    for topic in ["language", "hand", "get", "sum", "lab", "guard", "exit"] {
        says(korean(), &["help", topic])?;
    }
    for words in [
        &["frobnicate"][..],
        &["ask"],
        &["ask", "tcp", "192.0.2.2", "S"],
        &["ask", "tpc", "192.0.2.2:80", "S"],
        &["ask", "tcp", "192.0.2.2:80", "S", "tll=33"],
        &["build", "tcp", "192.0.2.2:80", "S", "sport=70000"],
        &["build", "tcp", "192.0.2.2:80", "S", "ttl=33", "ttl=34"],
        &["ask", "--wait", "5", "tcp", "192.0.2.2:80", "S"],
        &["ask", "--nosuch", "tcp", "192.0.2.2:80", "S"],
        &["build", "--as", "nosuch", "tcp", "192.0.2.2:80", "S"],
        &["show", "zz"],
        &["show", "45000"],
        &["fields", "nosuch"],
        &["lab", "get", "http://closed/"],
        &["lab", "get", "https://server/"],
        &["lab", "hand", "server"],
        &["guard", "192.0.2.1"],
        &["lab", "--loss", "2", "ask", "icmp", "server"],
    ] {
        let output = says(korean(), words)?;
        ensure!(output.code != 0, "{output}");
    }
    Ok(())
}
