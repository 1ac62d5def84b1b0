//! What the packet language refuses: each whole text, exit code 2, nothing on the wire, and no memory for what is only counted.
//!
//! The cases are `refusals.txt`, in the form of `bad_input.txt`; `BLESS=1` writes it anew.

use std::path::PathBuf;
use std::time::Duration;

use wirewright_lab::Lab;
use wirewright_link::PacketSocket;
use wirewright_link::sys;
use wirewright_tests::{Ground, Outcome, Program, Scenario, World, binary, ensure, workspace_root, ww};

use crate::bad_input::{Place, cases_of, compare};
use crate::ways;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&Lab) -> Outcome| {
        Scenario::new(&format!("refusals::{name}"), Ground::Lab, move |world: &World| run(world.lab()))
    };
    vec![
        lab("each_text_is_whole_and_nothing_leaves", texts).tools(&["sh"]),
        lab("2_to_the_40_packets_take_no_memory", memory).tools(&["python3"]),
    ]
}

/// What the one packet that may leave carries.
const MARKER: &str = "the marker";

fn file() -> PathBuf {
    workspace_root().join("crates/tests/tests/scenarios/refusals.txt")
}

fn texts(lab: &Lab) -> Outcome {
    let mut tap = ways::tap(lab)?;
    let place = Place::new()?;
    let count = compare(&place, &file())?;
    for case in cases_of(&file())? {
        ensure!(case.code == 2 && !case.out, "{} is not refused: {}", case.command, case.code);
    }
    // What comes after all of them on the same wire is the first that the tap hears of us.
    let _left = ww().args(["send", "udp", "192.0.2.2:9", &format!("data={MARKER}")]).run()?.success()?;
    let before = heard_before_marker(&mut tap)?;
    ensure!(before.is_empty(), "{count} refusals, and something left: {before:02x?}");
    Ok(())
}

/// The frames with a packet in them before the marker; questions about addresses are none.
fn heard_before_marker(tap: &mut PacketSocket) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>> {
    let deadline = sys::clock::now() + Duration::from_secs(5);
    let mut before = Vec::new();
    while let Some(received) = tap.recv(deadline)? {
        let bytes = received.bytes.to_vec();
        if bytes.windows(MARKER.len()).any(|text| text == MARKER.as_bytes()) {
            return Ok(before);
        }
        let is_packet = match bytes.get(12..14) {
            Some([0x08, 0x00]) => true,
            // A kernel joins groups and asks for neighbours by itself: ICMPv6, alone or behind hop-by-hop options.
            Some([0x86, 0xdd]) => !matches!(bytes.get(20), Some(0 | 58)),
            _ => false,
        };
        if is_packet {
            before.push(bytes);
        }
    }
    Err("the tap did not hear the marker".into())
}

/// Runs a command, and ends it after so many lines (0: when it ends itself); prints its exit code and the most memory that it
/// took, in KiB.
const MEASURE: &str = "\
import resource, signal, subprocess, sys
lines, command = int(sys.argv[1]), sys.argv[2:]
child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
seen = 0
for line in child.stdout:
    seen += 1
    if seen == lines:
        child.send_signal(signal.SIGINT)
code = child.wait()
print(code, seen, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
";

/// 2^40 packets: 2^8 addresses, 2^16 ports, 2^16 identifiers.
const MANY: [&str; 3] = ["udp", "192.0.2.0/24:0..65535", "ip.id=0..65535"];

/// The most that it may take more than one packet, in KiB: buffers, not packets. (What is measured of one packet is Python's own
/// size before it becomes `ww`, about 14 MiB.)
const MORE_MAX: u64 = 4096;

fn memory(_lab: &Lab) -> Outcome {
    let one = measured(0, &["build", "udp", "192.0.2.2:9"])?;
    ensure!(one.0 == 0, "one packet: {one:?}");
    let refused = measured(0, &[&["send"], &MANY[..]].concat())?;
    let built = measured(10_000, &[&["build"], &MANY[..]].concat())?;
    let sent = measured(600, &[&["send", "--yes", "--every", "100us"], &MANY[..]].concat())?;
    let laughs = "v0 = ttl=1 ttl=2\nv1 = $v0 $v0 $v0 $v0\nv2 = $v1 $v1 $v1 $v1\nv3 = $v2 $v2 $v2 $v2\nv4 = $v3 $v3 $v3 $v3\n\
                  v5 = $v4 $v4 $v4 $v4\nv6 = $v5 $v5 $v5 $v5\nv7 = $v6 $v6 $v6 $v6\nudp 192.0.2.2:9 $v7\n";
    let folder = wirewright_tests::Folder::new()?;
    let laughs = folder.write("laughs.ww", laughs)?.display().to_string();
    let file = folder.write("many.ww", format!("ww 1\n{0}\n{0}\n", MANY.join(" ")))?.display().to_string();
    let grown = measured(0, &["send", &laughs])?;
    let lines = measured(0, &["send", &file])?;
    for (name, (code, seen, kib), wanted, least) in [
        ("refused", refused, 2, 0),
        ("built", built, -2, 10_000),
        ("sent", sent, 130, 600),
        ("laughs", grown, 2, 0),
        ("a file", lines, 2, 0),
    ] {
        println!("{name}: {kib} KiB, one packet {} KiB", one.2);
        ensure!(code == wanted && seen >= least, "{name}: exit code {code} after {seen} lines");
        ensure!(kib <= one.2 + MORE_MAX, "{name}: {kib} KiB, one packet takes {} KiB", one.2);
    }
    Ok(())
}

/// Exit code, lines, KiB.
fn measured(lines: u64, words: &[&str]) -> Result<(i64, u64, u64), String> {
    let (lines, ww) = (lines.to_string(), binary().display().to_string());
    let words = [&["-c", MEASURE, &lines, &ww], words].concat();
    let output = Program::new("python3").args(words).run()?.success()?;
    let text = output.text();
    let mut numbers = text.split_whitespace();
    let mut next = || numbers.next().ok_or_else(|| format!("no numbers: {output}"));
    let (code, seen, kib) = (next()?, next()?, next()?);
    let wrong = |error: std::num::ParseIntError| format!("{error}: {output}");
    Ok((code.parse().map_err(wrong)?, seen.parse().map_err(wrong)?, kib.parse().map_err(wrong)?))
}
