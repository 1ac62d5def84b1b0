//! The wire that loses, delays, reorders and doubles: `ww lab --loss …`.

use std::time::Duration;

use wirewright_link::clock;
use wirewright_tests::{
    Folder, Ground, Limit, Machine, Mark, Need, Outcome, Output, Program, Scenario, Tshark, binary, ensure, wait_for,
    ww,
};

use crate::lab_enters::SECCOMP;

/// Fresh processes through a bad wire.
const FETCHES: u64 = 20;
/// The sizes of their bodies, in turn: one segment, some, several windows.
const SIZES: [usize; 4] = [1_000, 20_000, 200_000, 1_000_000];
/// Datagrams of a shell's loop: enough for a rate to show, few enough for a loaded machine.
const DATAGRAMS: u64 = 400;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("lab_relay::{name}"), Ground::Plain, move |_| run()).needs(Need::Namespaces)
    };
    vec![
        scenario("frames_are_lost_doubled_and_reordered_as_often_as_asked", rates).tools(&["tshark", "python3"]),
        scenario("an_echo_takes_twice_the_delay", delay),
        scenario("the_same_seed_does_the_same_to_the_same_frames", seeds).tools(&["python3"]),
        scenario("a_slow_wire_takes_its_time_and_drops_what_finds_no_room", slow).tools(&["python3"]),
        scenario("a_damaged_bit_is_found_by_a_checksum", damage).tools(&["python3"]),
        scenario("pages_cross_a_bad_wire_byte_for_byte", pages),
        scenario("other_peoples_tcp_crosses_it_too", curl).tools(&["curl"]),
        scenario("nothing_is_left_of_a_killed_lab_with_a_relay", killed),
        scenario("without_networks_a_bad_wire_is_refused", refused).tools(&["python3"]),
    ]
}

/// A Python program that sends numbered datagrams to the server's echo service and prints the numbers that come back, until
/// none has come for a second.
fn echoes(count: u64) -> String {
    format!(
        "import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.connect(('192.0.2.2',7))\n\
         for i in range({count}): s.send(b'n%d' % i + b'.'*100)\n\
         s.settimeout(1)\n\
         try:\n while True: print(s.recv(2000).split(b'.')[0].decode())\n\
         except TimeoutError: pass"
    )
}

fn in_lab(options: &str, command: &[&str]) -> Result<Output, String> {
    ww().arg("lab").args(options.split_whitespace()).arg("--").args(command).run()
}

/// The numbers of one direction of a relay's tally, by the words that stand behind them.
struct Tally(String);

impl Tally {
    fn of(output: &Output, direction: &str) -> Result<Self, String> {
        let line = output.stderr.lines().find(|line| line.trim_start().starts_with(direction));
        line.map(|line| Self(line.to_owned())).ok_or(format!("no tally of {direction}\n{output}"))
    }

    fn number(&self, word: &str) -> Result<u64, String> {
        let words: Vec<&str> = self.0.split([' ', ',', ':']).filter(|word| !word.is_empty()).collect();
        let at = words.iter().position(|found| *found == word);
        let number = at.and_then(|at| words.get(at.checked_sub(1)?)).and_then(|number| number.parse().ok());
        number.ok_or(format!("no number of {word} in `{}`", self.0))
    }
}

fn rates() -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("all.pcapng");
    let path = path.to_string_lossy();
    let options = format!("-w {path} --loss 20% --dup 10% --reorder 10% --reorder-by 5ms --seed 3");
    let output = in_lab(&options, &["python3", "-c", &echoes(DATAGRAMS)])?.success()?;
    let there = Tally::of(&output, "to the server")?;
    let [pushed, lost, doubled, reordered] =
        ["frames", "lost", "duplicated", "reordered"].map(|word| there.number(word).unwrap_or(0));
    // Some frames more are the neighbours' questions.
    ensure!((DATAGRAMS..DATAGRAMS + 20).contains(&pushed), "{output}");
    let near = |count: u64, percent: u64| (pushed * percent / 200..pushed * percent / 50).contains(&count);
    ensure!(near(lost, 20) && near(doubled, 8) && near(reordered, 8), "not near 20 %, 8 %, 8 %: {output}");
    // The recording saw both sides of the wire, and they differ by what the relay says it did.
    let seen = |interface: &str, comment: &str| -> Result<Vec<String>, String> {
        let filter =
            format!("frame.interface_name == \"{interface}\" && frame.comment == \"{comment}\" && udp.dstport == 7");
        let rows = Tshark::read(path.as_ref().as_ref()).only(&filter).fields(&["udp.payload"])?;
        Ok(rows.into_iter().flatten().collect())
    };
    let before = seen("router eth0 eth1", "eth1")?;
    let behind = seen("server eth0", "eth0")?;
    ensure!(before.len() as u64 == DATAGRAMS, "{} left the router", before.len());
    ensure!(before.is_sorted_by_key(|data| before.iter().position(|other| other == data)), "the router reordered");
    let [gone, twice] = [0, 2].map(|times| {
        before.iter().filter(|data| behind.iter().filter(|other| other == data).count() == times).count() as u64
    });
    ensure!(gone.abs_diff(lost) <= 5 && twice.abs_diff(doubled) <= 5, "{gone} gone, {twice} twice: {output}");
    let places: Vec<_> = behind.iter().map(|data| before.iter().position(|other| other == data)).collect();
    ensure!(!places.is_sorted(), "nothing overtook anything");
    Ok(())
}

fn delay() -> Outcome {
    let output =
        ww().args(["lab", "--delay", "10ms", "--seed", "1", "ask", "--json", "icmp", "server"]).run()?.success()?;
    let answer: serde_json::Value = output
        .text()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .find(|value: &serde_json::Value| value["rtt_ns"].is_number())
        .ok_or(format!("no answer with its time\n{output}"))?;
    let rtt = answer["rtt_ns"].as_u64().unwrap_or(0);
    ensure!((20_000_000..5_000_000_000).contains(&rtt), "{rtt} ns there and back");
    Ok(())
}

fn seeds() -> Outcome {
    let fate = |seed: u32| -> Result<String, String> {
        let options = format!("-q --loss 30% --dup 10% --seed {seed}");
        Ok(in_lab(&options, &["python3", "-c", &echoes(100)])?.success()?.text())
    };
    let first = fate(11)?;
    ensure!((20..90).contains(&first.lines().count()), "{first}");
    for _ in 0..3 {
        let again = fate(11)?;
        ensure!(again == first, "another fate with the same seed:\n{first}---\n{again}");
    }
    ensure!(fate(12)? != first, "the same fate with another seed");
    Ok(())
}

/// 100 datagrams at once over a wire that carries 64 kbit/s, with room for ten.
fn slow() -> Outcome {
    let before = clock::now();
    let output = in_lab("--rate 64k --queue 10 --seed 1", &["python3", "-c", &echoes(100)])?.success()?;
    let took = clock::now().since(before);
    let there = Tally::of(&output, "to the server")?;
    ensure!(there.number("overflowed")? >= 80, "{output}");
    let came = output.text().lines().count();
    ensure!((5..=20).contains(&came), "{came} came back\n{output}");
    // Ten frames of 145 bytes take 18 ms each.
    ensure!(took >= Duration::from_millis(150), "they took {took:?}");
    Ok(())
}

fn damage() -> Outcome {
    let output = in_lab("--corrupt 30% --seed 5", &["python3", "-c", &echoes(100)])?.success()?;
    let damaged = Tally::of(&output, "to the server")?.number("corrupted")?;
    ensure!((15..50).contains(&damaged), "{output}");
    let text = output.text();
    let is_whole = |line: &&str| line.strip_prefix('n').is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n < 100));
    let (came, whole) = (text.lines().count(), text.lines().filter(is_whole).count());
    // A kernel drops a datagram with a wrong bit; 0.7² of them cross unharmed twice.
    ensure!(whole == came && (30..=75).contains(&came), "{whole} of {came} whole\n{output}");
    Ok(())
}

/// What the server's `/bytes/N` consists of.
fn bytes(len: usize) -> Vec<u8> {
    let mut text: Vec<u8> = (0..len).step_by(16).flat_map(|place| format!("{place:015x}\n").into_bytes()).collect();
    text.truncate(len);
    text
}

fn pages() -> Outcome {
    let folder = Folder::new()?;
    let into = folder.file("body");
    for number in 0..FETCHES {
        let size = SIZES[usize::try_from(number)? % SIZES.len()];
        let seed = number.to_string();
        let family = if number % 8 < 4 { "-4" } else { "-6" };
        let url = format!("http://server/bytes/{size}");
        let bad = ["lab", "--loss", "2%", "--reorder", "5%", "--dup", "1%", "--seed", &seed];
        let output = ww().args(bad).args(["get", family, "-o"]).arg(&into).arg(&url).limit(Limit::seconds(60)).run()?;
        let output = output.success().map_err(|error| format!("seed {seed}, {family}, {url}: {error}"))?;
        let body = std::fs::read(&into)?;
        ensure!(body == bytes(size), "seed {seed}, {family}, {url}: {} bytes, or others\n{output}", body.len());
    }
    Ok(())
}

fn curl() -> Outcome {
    let command = ["curl", "-s", "http://server/bytes/2000000"];
    let output = in_lab("--loss 1% --reorder 5% --seed 7", &command)?.success()?;
    ensure!(output.stdout == bytes(2_000_000), "{} bytes, or others", output.stdout.len());
    let back = Tally::of(&output, "to the client")?;
    ensure!(back.number("lost")? > 0 && back.number("reordered")? > 10, "{}", back.0);
    ensure!(!output.stderr.contains("faster than"), "the relay lost frames by itself: {}", output.stderr);
    Ok(())
}

fn refused() -> Outcome {
    let line = [binary().display().to_string(), "lab".to_owned()];
    let words = ["--loss", "1%", "--seed", "7", "get", "http://server/"].map(str::to_owned);
    let output = Program::new("python3").args(["-c", SECCOMP, "unshare"]).args(line.iter().chain(&words)).run()?;
    let output = output.expect_code(3)?;
    let told = output.stderr.contains("there is no wire for --loss 1%") && output.stdout.is_empty();
    ensure!(told, "{output}");
    Ok(())
}

fn killed() -> Outcome {
    let before = Machine::look()?;
    let mark = Mark::new("relay");
    for delay in ["1ms", "50ms", "1h"] {
        let lab = ww().args(["lab", "--delay", delay, "--dup", "50%", "--", "sleep", "61"]);
        let mut child = lab.env(Mark::VARIABLE, mark.value()).start()?;
        let running = || (mark.processes().len() >= 4).then_some(());
        wait_for("a lab with a relay, a command in it", Limit::seconds(10), running)?;
        child.kill()?;
        child.wait()?;
        let nobody = || mark.processes().is_empty().then_some(());
        wait_for("the end of every process of a killed lab", Limit::seconds(5), nobody)
            .map_err(|late| format!("{late}: {:?}", mark.processes()))?;
    }
    match Machine::look()?.changes_since(&before) {
        Some(changes) => Err(changes.into()),
        None => Ok(()),
    }
}
