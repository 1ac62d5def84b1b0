//! Completion in real shells on a pseudo-terminal, and the manual pages in a real formatter.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};
use wirewright_tests::{Folder, Ground, Limit, Need, Outcome, Program, Scenario, binary, ensure, ww};

/// Holds the terminal.
const HOLDER: &str = include_str!("completion.py");

const PYTE: Need = Need::PythonModule("pyte", "import pyte");

pub(crate) fn scenarios() -> Vec<Scenario> {
    let in_shell = |shell: &'static str| {
        Scenario::new(&format!("completion::in_{shell}_unfinished_lines_offer_what_fits"), Ground::Plain, move |_| {
            in_shell(shell)
        })
        .tools(&["python3", shell])
        .needs(PYTE)
    };
    vec![
        in_shell("bash"),
        in_shell("zsh"),
        in_shell("fish"),
        Scenario::new("completion::what_is_no_line_gets_no_answer", Ground::Plain, |_| no_answer()),
        Scenario::new("completion::an_unknown_shell_is_told_which_there_are", Ground::Plain, |_| unknown_shell()),
        Scenario::new("completion::every_manual_page_is_formatted_without_a_warning", Ground::Plain, |_| manual())
            .tools(&["groff"]),
    ]
}

/// An unfinished line, what stands on the screen after one Tab, and what does not.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Bash shows only what stands behind the last `:` or `=`, fish may leave out what all offers begin with: so ends of words.
const CASES: &[Case] = &[
    // Verbs, pages, options and their values.
    ("ww a", &["ww ask"], &[]),
    ("ww he", &["ww help"], &[]),
    ("ww se", &["ww send"], &[]),
    ("ww f", &["flow", "fields"], &["ask"]),
    ("ww lab a", &["ww lab ask"], &[]),
    ("ww lab de", &[], &["demo"]),
    ("ww lab --lo", &["--loss"], &[]),
    ("ww lab --loss 2% as", &["--loss 2% ask"], &[]),
    ("ww help la", &["language", "lab"], &["guard"]),
    ("ww fields ic", &["icmp", "icmp6"], &["tcp"]),
    ("ww ask --wa", &["--wait"], &[]),
    ("ww ask --expect no", &["--expect none"], &[]),
    ("ww ask tcp h:80 S --dry", &["--dry-run"], &[]),
    ("ww build --as dr", &["--as draw"], &[]),
    ("ww build --as=tr", &["--as=tree"], &[]),
    ("ww hand --peer z", &["--peer zero-window"], &[]),
    ("ww get --guard m", &["md5-listener", "min-ttl"], &["nft-owner"]),
    ("ww show --layer ud", &["--layer udp"], &[]),
    ("ww completions z", &["completions zsh"], &[]),
    // Files.
    ("ww show pac", &["packet.txt"], &[]),
    ("ww show fol", &["folder/"], &[]),
    ("ww show folder/in", &["folder/inside.hex"], &[]),
    ("ww build udp h:53 file=pac", &["file=packet.txt"], &[]),
    // Hosts and ports.
    ("ww lab ask tcp se", &["seq=", "server:"], &["silent"]),
    ("ww lab ask icmp ser", &["icmp server"], &["server:"]),
    ("ww lab ask tcp server:htt", &["http", "https"], &["telnet"]),
    ("ww lab ping ser", &["ping server"], &["server:"]),
    ("ww lab --routers 3 ask icmp router3", &["icmp router3"], &[]),
    ("ww lab --split ping router2", &["router2a", "router2b"], &[]),
    ("ww lab hand ser", &["hand server:"], &[]),
    ("ww lab get http://ser", &["http://server/"], &[]),
    ("ww ask tcp 192.0.2.2 :tel", &[":telnet"], &[]),
    // The packet language.
    ("ww build q", &["build qinq"], &[]),
    ("ww build ip 192.0.2.2 / ud", &["/ udp"], &[]),
    ("ww build tcp 192.0.2.2:80 S w", &["win=", "wscale="], &[]),
    ("ww build tcp 192.0.2.2:80 S win=1 w", &["wscale="], &[]),
    ("ww build tcp 192.0.2.2:80 ip.t", &["tos=", "ttl="], &["tc="]),
    ("ww build tcp 192.0.2.2:80 tos=e", &["ef"], &["cs1"]),
    ("ww build ip 192.0.2.2 proto=ud", &["udp", "udplite"], &["icmp"]),
    ("ww build tcp 192.0.2.2:80 sum=swap+o", &["sum=swap+odd"], &[]),
    ("ww build icmp 192.0.2.2 unreach code=por", &["code=port"], &[]),
    ("ww build icmp 192.0.2.2 echo se", &["seq="], &[]),
    ("ww build udp 192.0.2.2:9 da", &["data="], &[]),
    ("ww build raw h", &["hex="], &["seq="]),
    ("ww build arp tpa=192.0.2.2 o", &["op="], &[]),
];

fn in_shell(shell: &str) -> Outcome {
    let folder = Folder::new()?;
    symlink(binary(), folder.path().join("ww"))?;
    fs::write(folder.path().join("packet.txt"), "tcp 192.0.2.2:80 S\n")?;
    fs::create_dir(folder.path().join("folder"))?;
    fs::write(folder.path().join("folder/inside.hex"), "00")?;
    let output = Program::new("python3")
        .args(["-c", HOLDER, shell])
        .arg(folder.path())
        .input(json!(CASES).to_string())
        .limit(Limit::seconds(5 * CASES.len() as u64))
        .run()?
        .success()?;
    let text = output.text();
    let seen: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(seen.len() == CASES.len() && CASES.len() >= 40, "{} lines of {}:\n{output}", seen.len(), CASES.len());
    for case in &seen {
        let screen = case["screen"].as_str().unwrap_or_default();
        ensure!(case["met"] == true, "{}\n{screen}", case["line"]);
    }
    let mut times: Vec<f64> = seen.iter().filter_map(|case| case["ms"].as_f64()).collect();
    times.sort_by(f64::total_cmp);
    println!(
        "{shell}: {} lines, median {} ms, longest {} ms",
        times.len(),
        times[times.len() / 2],
        times[times.len() - 1]
    );
    Ok(())
}

fn no_answer() -> Outcome {
    let deep = format!("ww build {}", "tcp / ".repeat(3000));
    let long = format!("ww build tcp data={}", "x".repeat(100_000));
    let lines = ["", "ww", "ww build data='hel", "ww \"", "ww nonsense ", "ww build bogus ", &deep, &long];
    for line in lines {
        let output = ww().args(["__complete", "bash", line]).run()?;
        ensure!((output.code, output.stderr.as_str()) == (0, ""), "{output}");
        ensure!(line == "ww" || output.stdout.is_empty(), "{line:.40}: {output}");
    }
    let odd =
        [&["__complete"][..], &["__complete", "csh", "ww "], &["__complete", "zsh"], &["__complete", "fish", "'", ""]];
    for args in odd {
        let output = ww().args(args).run()?;
        ensure!((output.code, output.stderr.as_str()) == (0, "") && output.stdout.is_empty(), "{output}");
    }
    Ok(())
}

fn unknown_shell() -> Outcome {
    let said = |args: &[&str]| ww().arg("completions").args(args).run();
    let output = said(&["csh"])?;
    ensure!(output.code == 2 && output.stdout.is_empty(), "{output}");
    ensure!(output.stderr == "ww: there is no completion for 'csh'\n    it takes   bash, zsh, fish\n", "{output}");
    let output = said(&[])?;
    ensure!(output.stderr == "ww: which shell?\n    it takes   bash, zsh, fish\n", "{output}");
    Ok(())
}

fn manual() -> Outcome {
    for locale in ["C.UTF-8", "ko_KR.UTF-8"] {
        let page = |args: &[&str]| ww().env("LC_ALL", locale).arg("__man").args(args).run()?.success();
        let names = page(&[])?.text();
        ensure!(names.lines().count() > 20, "{names}");
        for name in names.lines() {
            let text = page(&[name])?.stdout;
            let groff = Program::new("groff").args(["-man", "-Tutf8", "-Kutf8", "-ww", "-P-cbou"]).input(text);
            let output = groff.run()?.success()?;
            ensure!(output.stderr.is_empty(), "{name}: {output}");
            let shown = output.text();
            ensure!(shown.contains("NAME") && shown.contains("SEE ALSO"), "{name}: {shown}");
            if name == "ww-ask.1" {
                ensure!(shown.contains("--expect ANSWER") && shown.contains("ww lab ask tcp server:80 S"), "{shown}");
            }
            if name == "ww-language.7" {
                ensure!(shown.contains("data=TEXT (\\r \\n \\t \\0 \\xHH \\\\)"), "{shown}");
            }
        }
    }
    Ok(())
}
