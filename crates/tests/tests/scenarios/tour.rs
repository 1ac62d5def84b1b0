//! The tour: told to its end on every rung, true to its capture, and without a trace, also when it is killed.

use std::{path::Path, thread, time::Duration};

use wirewright_link::clock;
use wirewright_sim::Dice;
use wirewright_tests::{
    Folder, Ground, Limit, Machine, Mark, Need, Outcome, Output, Program, Scenario, Tshark, binary, ensure, fail,
    wait_for, ww,
};

use crate::lab_enters::{AS_NOBODY, AS_ROOT, FILTER_MAP, FILTER_UNSHARE, LIMIT_0, WITHOUT_RIGHTS};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("tour::{name}"), Ground::Plain, move |_| run())
            .needs(Need::Namespaces)
            .tools(&["ip", "nft", "tshark", "setpriv", "unshare", "python3"])
    };
    vec![
        scenario("it_is_quick_and_leaves_no_trace", whole),
        scenario("nothing_but_ww_is_the_tour", bare),
        scenario("its_capture_shows_what_it_says", capture),
        scenario("the_server_is_asked_for_the_path_of_the_command_line", path_of_the_command_line),
        scenario("a_killed_tour_leaves_no_trace", killed),
        scenario("a_tour_killed_on_a_lower_rung_leaves_no_trace", killed_below),
        scenario("without_user_namespaces_it_runs_on_the_second_rung", limited),
        scenario("with_the_user_map_refused_it_runs_on_the_second_rung", map_refused),
        scenario("in_a_container_it_runs_on_loopback", on_loopback),
        scenario("without_any_right_it_is_told_in_process", in_process),
        Scenario::new("tour::a_plain_user_gets_all_of_it", Ground::Root, |_| plain_user())
            .tools(&["setpriv", "tshark"]),
        Scenario::new("tour::a_plain_user_is_told_it_on_the_lower_rungs_too", Ground::Root, |_| plain_user_below())
            .tools(&["setpriv", "unshare", "python3", "ip", "tshark"]),
    ]
}

/// The issue's own limit, for a release build on an idle machine; this one is neither.
const TIME_MAX: Duration = Duration::from_secs(4);

/// `ww demo` behind other words, in a folder of its own, as a copy that anybody may start.
fn behind(words: &[&str], folder: &Folder, mark: &Mark) -> Result<Program, String> {
    let program = copy(folder)?;
    let words: Vec<&str> = words.iter().copied().chain([program.as_str(), "demo"]).collect();
    Ok(Program::new(words[0]).args(&words[1..]).folder(folder.path()).env(Mark::VARIABLE, mark.value()))
}

fn demo(words: &[&str], folder: &Folder, mark: &Mark) -> Result<Output, String> {
    behind(words, folder, mark)?.run()?.success()
}

fn copy(folder: &Folder) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.file("ww");
    std::fs::copy(binary(), &path).map_err(|error| error.to_string())?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))
        .map_err(|error| error.to_string())?;
    Ok(path.display().to_string())
}

/// What every telling must hold, whatever could be sent.
const CHAPTERS: [&str; 9] = [
    "1  The packet",
    "bytes-swapped",
    "TCP on top of IP means",
    "2  The echo",
    "every byte of both packets is accounted for",
    "3  The handshake",
    "The conversation is over",
    "4  Why it usually fails",
    "5  Where to go from here",
];

fn check(output: &Output, said: &[&str], not_said: &[&str]) -> Outcome {
    let text = output.text();
    // The words may stand on two lines.
    let flowing = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let has = |part: &str| text.contains(part) || flowing.contains(part);
    for part in CHAPTERS.iter().chain(said) {
        ensure!(has(part), "{part:?} is not said:\n{output}");
    }
    for part in not_said {
        ensure!(!has(part), "{part:?} is said:\n{output}");
    }
    ensure!(output.stderr.is_empty(), "something is said beside the tour:\n{output}");
    Ok(())
}

/// What is said only where there are hosts with a network each.
const WITH_HOSTS: [&str; 4] =
    ["seen arriving", "TcpInCsumErrors went from 0 to 1", "kernel-rewrites", "The reply, 40 bytes"];

fn whole() -> Outcome {
    let (folder, mark) = (Folder::new()?, Mark::new("tour"));
    let before = Machine::look()?;
    let start = clock::now();
    let output = ww().arg("demo").folder(folder.path()).env(Mark::VARIABLE, mark.value()).run()?.success()?;
    let took = clock::now().since(start);
    check_clean(&before, &mark)?;
    check(&output, &WITH_HOSTS, &["Left out here"])?;
    println!("{took:?}");
    ensure!(took < TIME_MAX, "it took {took:?}");
    Ok(())
}

fn bare() -> Outcome {
    let folder = Folder::new()?;
    let output = ww().folder(folder.path()).run()?.success()?;
    check(&output, &WITH_HOSTS, &[])?;
    ensure!(output.text().trim_end().ends_with("ww help"), "the last line names the help:\n{output}");
    Ok(())
}

/// What a rung shows: what is said there, and what Wireshark finds in both captures.
struct Told {
    said: &'static [&'static str],
    /// The address of our end.
    client: &'static str,
    /// What stands at the frames of the conversation that comes to its end.
    comment: &'static str,
    /// And at those of the one that is reset; `None` where no kernel resets it.
    unguarded: Option<&'static str>,
    /// The frames of `demo.pcapng` at least, and those that are called bad.
    frames: (usize, usize),
}

const IN_THE_LAB: Told = Told {
    said: &WITH_HOSTS,
    client: "198.51.100.2",
    comment: "guarded",
    unguarded: Some("unguarded"),
    frames: (8, 2),
};

const ON_LOOPBACK: Told = Told {
    said: &[
        "on the loopback",
        "TcpInCsumErrors went from 0 to 1",
        "Left out here: network namespaces",
        "So a guard stands on 127.0.0.1:",
        "HTTP/1.1 200 OK",
        "The conversation is over",
        "Nobody typed an R",
        "It came from this machine's own kernel",
    ],
    client: "127.0.0.1",
    frames: (7, 2),
    ..IN_THE_LAB
};

const IN_PROCESS: Told = Told {
    said: &[
        "nothing is sent",
        "Left out here: this machine's loopback",
        "so it is not sent",
        "for this reason: bad-checksum",
        "Answered, by Wirewright's own TCP",
        "the reply goes back",
        "No kernel takes part here",
        "The peer takes the connection",
        "HTTP/1.1 200 OK",
        "The conversation is over",
        "This cannot be shown here",
        "sudo ",
    ],
    client: "198.51.100.2",
    comment: "in process",
    unguarded: None,
    frames: (6, 2),
};

/// A network of its own, so that "this machine's loopback" is not this machine's.
pub(crate) const OWN_LOOPBACK: [&str; 4] = ["--net", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""];

fn limited() -> Outcome {
    let why = ["Left out here: user and network namespaces", "max_user_namespaces"];
    on_rung(&[&AS_ROOT, &LIMIT_0], &IN_THE_LAB, &why)
}

fn map_refused() -> Outcome {
    on_rung(&[&AS_ROOT, &FILTER_MAP], &IN_THE_LAB, &["Left out here: user and network namespaces", "uid_map"])
}

fn on_loopback() -> Outcome {
    on_rung(&[&AS_ROOT, &OWN_LOOPBACK, &FILTER_UNSHARE], &ON_LOOPBACK, &[])
}

fn in_process() -> Outcome {
    on_rung(&[&AS_ROOT, &FILTER_UNSHARE, &WITHOUT_RIGHTS], &IN_PROCESS, &[])
}

/// Two tours behind these words: the same story, without a trace, with numbers of their own.
fn on_rung(words: &[&[&str]], told: &Told, also_said: &[&str]) -> Outcome {
    let before = Machine::look()?;
    let mut begun = Vec::new();
    for _ in 0..2 {
        let (folder, mark) = (Folder::new()?, Mark::new("rung"));
        let start = clock::now();
        let output = demo(&words.concat(), &folder, &mark)?;
        let took = clock::now().since(start);
        check_clean(&before, &mark)?;
        check(&output, &[told.said, also_said].concat(), &[])?;
        ensure!(took < TIME_MAX, "it took {took:?}");
        begun.push(check_captures(&folder, told)?);
    }
    let [first, second] = &begun[..] else { fail!("two tours") };
    ensure!(first.iter().zip(second).all(|(one, other)| one != other), "both begin with {first:?}");
    Ok(())
}

fn plain_user() -> Outcome {
    let (folder, mark) = (Folder::new()?, Mark::new("user"));
    let output = demo(&AS_NOBODY, &folder, &mark)?;
    check(&output, &WITH_HOSTS, &["Left out here"])?;
    check_captures(&folder, &IN_THE_LAB).map(drop)
}

/// With `CAP_NET_RAW` alone on the loopback of a network of its own, and without that in process.
fn plain_user_below() -> Outcome {
    let net_raw = ["--inh-caps=-all,+net_raw", "--ambient-caps=+net_raw"];
    on_rung(&[&["unshare"], &OWN_LOOPBACK, &FILTER_UNSHARE, &AS_NOBODY, &net_raw], &ON_LOOPBACK, &[])?;
    on_rung(&[&FILTER_UNSHARE, &AS_NOBODY], &IN_PROCESS, &[])
}

/// Wireshark's account of both captures; port and sequence number of the first SYN by hand.
fn check_captures(folder: &Folder, told: &Told) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    check_judgement(&folder.file("demo.pcapng"), told.frames)?;
    let path = folder.file("handshake.pcapng");
    let of = |filter: &str, columns: &[&str]| Tshark::read(&path).only(filter).fields(columns);
    let wrong = "_ws.malformed || tcp.analysis.retransmission || tcp.checksum.status == 0 || ip.checksum.status == 0";
    ensure!(of(wrong, &["frame.number"])?.is_empty(), "wrong frames in handshake.pcapng");
    let whole = of(&format!("frame.comment == \"{}\"", told.comment), &["tcp.completeness"])?;
    ensure!(whole.last() == Some(&vec!["31".to_owned()]), "{}: {whole:?}", told.comment);
    let resets = |comment: &str| {
        let by_us = format!("ip.src == {} && tcp.flags.reset == 1", told.client);
        of(&format!("frame.comment == \"{comment}\" && {by_us}"), &["frame.number"]).map(|frames| frames.len())
    };
    ensure!(resets(told.comment)? == 0, "a reset of ours in the whole conversation");
    match told.unguarded {
        Some(comment) => ensure!(resets(comment)? == 1, "{} resets of ours without the guard", resets(comment)?),
        None => {
            let others = of(&format!("frame.comment != \"{}\"", told.comment), &["frame.comment"])?;
            ensure!(others.is_empty(), "more than one conversation: {others:?}");
        }
    }
    let begun = of("tcp.flags == 2", &["tcp.srcport", "tcp.seq"])?;
    Ok(begun.into_iter().next().ok_or("no SYN")?)
}

/// Frames by Wireshark's judgement, checksums validated.
fn capture() -> Outcome {
    let folder = Folder::new()?;
    ww().arg("demo").folder(folder.path()).run()?.success()?;
    let path = folder.file("demo.pcapng");
    ensure!(Tshark::read(&path).only("_ws.malformed").frames()?.is_empty(), "malformed frames in demo.pcapng");
    check_judgement(&path, IN_THE_LAB.frames)?;
    check_beginner(&path)
}

/// Bad by Wireshark are exactly those frames whose comment calls their checksum wrong.
fn check_judgement(path: &Path, (frames_min, bad_frames): (usize, usize)) -> Outcome {
    let columns =
        ["frame.comment", "ip.checksum.status", "tcp.checksum.status", "udp.checksum.status", "icmp.checksum.status"];
    let rows = Tshark::read(path).fields(&columns)?;
    ensure!(rows.len() >= frames_min, "{} frames", rows.len());
    for (number, row) in rows.iter().enumerate() {
        let is_bad = row[1..].iter().any(|status| status == "0");
        let called_bad = row[0].contains("checksum is wrong");
        ensure!(is_bad == called_bad, "frame {}: bad {is_bad}, called bad {called_bad}: {row:?}", number + 1);
    }
    let bad = rows.iter().filter(|row| row[0].contains("checksum is wrong")).count();
    ensure!(bad == bad_frames, "{bad} frames are called bad: the beginner's packet as it was set, and the odd segment");
    Ok(())
}

/// The beginner's fields, once as set and then as they left and arrived.
fn check_beginner(path: &Path) -> Outcome {
    let columns = ["ip.id", "ip.dsfield", "ip.ttl", "ip.proto", "ip.src", "ip.dst", "ip.checksum"];
    let rows = Tshark::read(path).only("ip.id == 54321").fields(&columns)?;
    let packet = |sum| ["0xd431", "0x01", "255", "6", "192.168.1.103", "192.168.1.1", sum].map(str::to_owned).to_vec();
    ensure!(rows == ["0x0c64", "0x63f8", "0x63f8"].map(packet), "{rows:?}");
    // Wireshark takes a length of 0 for a segment that the card cuts, unless told otherwise; then it reads no further.
    let lengths = Tshark::read(path).preference("ip.tso_support:FALSE").only("ip.dsfield == 1").fields(&["ip.len"])?;
    ensure!(lengths == [["0"], ["20"], ["20"]], "{lengths:?}");
    Ok(())
}

fn path_of_the_command_line() -> Outcome {
    let folder = Folder::new()?;
    let output = ww().args(["demo", "--path", "/echo/a-path"]).folder(folder.path()).run()?.success()?;
    check(&output, &["HTTP/1.1 200 OK", "TcpOutRsts went from 0 to 1"], &[])?;
    check_captures(&folder, &IN_THE_LAB)?;
    let path = folder.file("handshake.pcapng");
    let asked = Tshark::read(&path).only("tcp.payload contains \"GET /echo/a-path \"").frames()?;
    ensure!(asked.len() == 1, "{} segments ask for the path", asked.len());
    Ok(())
}

const SEED: u64 = 9;
const KILLS: usize = 20;

/// On each of the lower rungs.
const KILLS_BELOW: usize = 7;

/// A tour takes a third of a second; some of the kills come late, on purpose.
const KILL_MILLISECONDS: u64 = 500;

/// A parent's death reaches the last descendant by a chain of signals, each within a moment.
const END_LIMIT: Limit = Limit::seconds(5);

fn killed() -> Outcome {
    kill_often(&[], KILLS)
}

/// Each word of these runs the next one in its own place, so that the child is the tour.
fn killed_below() -> Outcome {
    kill_often(&[&AS_ROOT, &LIMIT_0], KILLS_BELOW)?;
    kill_often(&[&AS_ROOT, &OWN_LOOPBACK, &FILTER_UNSHARE], KILLS_BELOW)?;
    kill_often(&[&AS_ROOT, &FILTER_UNSHARE, &WITHOUT_RIGHTS], KILLS_BELOW)
}

fn kill_often(words: &[&[&str]], kills: usize) -> Outcome {
    let mut dice = Dice::new(SEED);
    let before = Machine::look()?;
    for number in 0..kills {
        let (folder, mark) = (Folder::new()?, Mark::new(&format!("kill-{number}")));
        let moment = Duration::from_millis(dice.below(KILL_MILLISECONDS));
        let mut child = behind(&words.concat(), &folder, &mark)?.start()?;
        thread::sleep(moment);
        child.kill()?;
        child.wait()?;
        check_clean(&before, &mark)
            .map_err(|why| format!("{words:?} killed after {moment:?} (seed {SEED}, kill {number}): {why}"))?;
    }
    println!("{kills} kills");
    Ok(())
}

fn check_clean(before: &Machine, mark: &Mark) -> Outcome {
    let ended = wait_for("the end of the last descendant", END_LIMIT, || mark.processes().is_empty().then_some(()));
    if let Err(late) = ended {
        fail!("{late}; still there:\n{}", mark.processes().join("\n"));
    }
    match Machine::look()?.changes_since(before) {
        Some(changes) => fail!("something stayed behind:\n{changes}"),
        None => Ok(()),
    }
}
