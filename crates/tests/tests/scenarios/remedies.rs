//! The remedies of bad input, run as they are printed and where the case ran, its obstacle standing: a `mend` mends, a `look`
//! shows, and all others are commands that work.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use wirewright_tests::{Ground, Need, Outcome, Output, Scenario, ensure};

use crate::bad_input::{Place, cases};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("remedies::{name}"), Ground::Plain, move |_| run())
            .needs(Need::Namespaces)
            .tools(&["ip", "nft", "nc", "ss"])
    };
    vec![lab("each_is_a_command_that_works_mends_or_shows", each), lab("hints_in_words_hold_too", in_words)]
}

/// What a `look` must show, obstacle standing.
const SHOWN: &[(&str, &str)] = &[
    ("cat /etc/hosts /etc/resolv.conf", "localhost"),
    ("ww lab -- ip -brief link", "eth0"),
    ("ww lab -- ip -brief address", "198.51.100.2/24"),
    ("sudo nft list ruleset", "ip daddr 192.0.2.2 drop"),
    ("ip route", "198.51.100.0/24 dev eth0"),
    ("ip -6 route", "2001:db8:1::/64 dev eth0"),
    ("ip route show type blackhole", "blackhole 192.0.2.2"),
    ("ip route show type prohibit", "prohibit 192.0.2.2"),
    ("ip route show type unreachable", "unreachable 192.0.2.2"),
    ("ip -6 route show type blackhole", "blackhole 2001:db8::2"),
    ("ip neigh show dev eth0", "198.51.100.1"),
    ("ss -tuanp", ":4000"),
    ("ls -l /", "etc"),
    ("ww show whole.pcapng", "192.0.2.2"),
];

/// What a command does behind its `mend`: its exit code, and something that it says.
const MENDED: &[(&str, i32, &str)] = &[
    ("ww ask icmp 198.51.100.1", 0, "198.51.100.1"),
    // The next thing that is missing, as the remark at the remedy says.
    ("ww ask tcp 192.0.2.2:80 S", 4, "there is no route to 192.0.2.2"),
];

/// Hints that are no commands, as somebody would follow them: the obstacle, and the command that works in spite of it.
const FOLLOWED: &[(&str, &str)] = &[
    ("ip route del default", "ww ask -i eth0 --to 198.51.100.1 tcp 192.0.2.2:80 S"),
    ("ip link set eth0 down; ip link set eth0 up", "ww ask -i eth0 --to 198.51.100.1 tcp 192.0.2.2:80 S"),
    ("ip route add blackhole 192.0.2.2/32", "ww ask -i eth0 --to 198.51.100.1 tcp 192.0.2.2:80 S"),
    ("ip link set eth0 mtu 600", "ww ask udp server:7 zero=572"),
    (":", "ww ask tcp 127.0.0.1:80 S ip.id=7"),
    ("ip route del default", "ww send --rewrite dst=198.51.100.1 whole.pcapng"),
    (":", "ww send -i eth0 eth dst=02:00:00:00:00:09 / raw hex=00"),
];

/// The labels of rows that hold a command, as a person would type it.
const LABELS: &[&str] = &["did you mean", "try", "see", "look", "mend", "once", "for good", "without"];

/// The commands that a text recommends, with their labels.
pub(crate) fn remedies_in(text: &str) -> Vec<(&'static str, String)> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("    "));
    let commands = rows.filter_map(|row| {
        let is_label = |label: &&str| row.strip_prefix(*label).is_some_and(|rest| rest.starts_with("  "));
        let label = LABELS.iter().copied().find(is_label)?;
        let command = row[label.len()..].trim_start();
        // A remark stands in brackets, far to the right.
        let command = command.split("   ").next().unwrap_or(command);
        Some((label, command.trim().to_owned()))
    });
    commands.collect()
}

/// What a case did before its command, and that command: the last of a shell's, or all there is.
fn obstacle(case: &str) -> (String, String) {
    let script = case.strip_prefix("ww lab -- sh -c ").and_then(|quoted| {
        let quote = quoted.chars().next()?;
        quoted.strip_prefix(quote)?.strip_suffix(quote)
    });
    match script.and_then(|script| script.rsplit_once("; ")) {
        Some((before, command)) => (format!("{before}; "), command.to_owned()),
        None => (String::new(), case.to_owned()),
    }
}

/// A shell's words for a command that is run until it ends with this code, six times at most: a wire that was just brought up
/// can sit on its first packet for a second or two, as long as one try waits for its answer.
fn until(code: i32, command: &str) -> String {
    format!("n=0; while {command}; is=$?; [ $is != {code} ] && [ $n -lt 5 ]; do n=$((n+1)); done; exit $is")
}

/// Runs a script in a lab of its own, whose root needs no `sudo`: it brings one that only does what it is told.
fn in_lab(place: &Place, script: &str) -> Result<Output, String> {
    let folder = place.folder.file("as-root");
    let sudo = folder.join("sudo");
    let made = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&sudo, "#!/bin/sh\nexec \"$@\"\n"))
        .and_then(|()| fs::set_permissions(&sudo, Permissions::from_mode(0o755)));
    made.map_err(|error| error.to_string())?;
    let path = format!("{}:{}", folder.display(), place.path());
    place.program(&["ww", "lab", "--", "sh", "-c", script]).env("PATH", path).run()
}

fn each() -> Outcome {
    let place = Place::new()?;
    let (mut seen, mut broken) = (0, String::new());
    let mut shown = Vec::new();
    for case in cases()? {
        let (before, command) = obstacle(&case.command);
        for (label, remedy) in remedies_in(&case.text) {
            let remedy = remedy.replace("{ww}", &place.ww());
            seen += 1;
            let (script, expected) = match label {
                "look" => {
                    let needle = SHOWN.iter().find(|(look, _)| *look == remedy).map(|(_, needle)| *needle);
                    shown.push(remedy.clone());
                    (format!("{before}{remedy}"), needle.map(|needle| (0, needle)))
                }
                "mend" => {
                    let after = MENDED.iter().find(|(again, ..)| *again == command);
                    let code = after.map_or(0, |(_, code, _)| *code);
                    let script =
                        format!("{before}{command} >/dev/null 2>&1; {remedy} || exit 99; {}", until(code, &command));
                    (script, after.map(|(_, code, says)| (*code, *says)))
                }
                _ => (format!("{before}{remedy}"), None),
            };
            let output = in_lab(&place, &script)?;
            let says = |needle: &str| output.text().contains(needle) || output.stderr.contains(needle);
            let holds = match (label, expected) {
                (_, Some((code, needle))) => output.code == code && says(needle),
                ("look" | "mend", None) => false,
                // Answered, well sent to somebody who does not answer, or a checksum told wrong.
                _ => matches!(output.code, 0 | 1 | 5),
            };
            if !holds {
                write!(broken, "\n$ {}\n{label}: {remedy}, expected {expected:?}\n{output}", case.command)?;
            }
        }
    }
    println!("{seen} remedies");
    ensure!(broken.is_empty(), "{broken}");
    let idle: Vec<_> = SHOWN.iter().filter(|(look, _)| !shown.iter().any(|it| it == look)).collect();
    ensure!(idle.is_empty(), "no case recommends {idle:?}");
    ensure!(seen > 40, "only {seen} remedies: the rows are read wrongly");
    Ok(())
}

fn in_words() -> Outcome {
    let place = Place::new()?;
    for (before, command) in FOLLOWED {
        in_lab(&place, &format!("{before}; {}", until(0, command)))?.success()?;
    }
    Ok(())
}
