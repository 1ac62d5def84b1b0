//! `ww send FILE` beside tcpreplay: datagrams captured at an even pace, sent again at their times, over veth.
//!
//! Measured is when each frame left, by the kernel's stamp at the client's tap, beside when it was due: the gaps of the capture
//! behind the frame that was the least late. A recording of the lab is what stamps them, of both programs alike.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wirewright_capture::{Interface, LinkType, Record, Writer};
use wirewright_lab::{Host, Lab, Options, Recorded};
use wirewright_link::{Direction, clock};
use wirewright_units::UnixTime;

use crate::ask::beside_us;

/// Frames a second in the captures.
const RATES: [u64; 2] = [1_000, 10_000];
/// How long each capture is.
const SPAN: Duration = Duration::from_secs(2);
/// An Ethernet frame with 64 bytes of UDP from the lab's client to its server's discard port, its checksums right but for UDP's,
/// which is left out; the last four bytes are the frame's number.
const FRAME: &str =
    "0200c63364010200c6336402080045000024000040004011 4e90 c6336402c0000202 9c400009 00100000 00000000 00000000";

/// A program that replays, and how late its frames were, all runs together.
struct Replayer {
    name: &'static str,
    program: String,
    args: Vec<String>,
    late: Vec<Duration>,
    /// How far each gap was from the captured one.
    off: Vec<Duration>,
    missing: usize,
}

pub(crate) fn run(runs: usize) -> Result<(), String> {
    let lab = Lab::enter(Options::default().networks_only()).map_err(|error| error.to_string())?;
    let ww = beside_us("ww")?.display().to_string();
    let folder = std::env::temp_dir().join(format!("ww-bench-replay-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for rate in RATES {
        let path = folder.join(format!("{rate}.pcap"));
        let frames = write(&path, rate)?;
        let file = path.display().to_string();
        let words = |line: &str| line.split(' ').map(str::to_owned).chain([file.clone()]).collect();
        let of = |name, program: &str, line| Replayer {
            name,
            program: program.to_owned(),
            args: words(line),
            late: Vec::new(),
            off: Vec::new(),
            missing: 0,
        };
        let mut replayers = vec![
            of("ww send", &ww, "send --yes -q"),
            of("tcpreplay", "tcpreplay", "-q -i eth0"),
            of("tcpreplay -T nano", "tcpreplay", "-q -i eth0 -T nano"),
        ];
        for _ in 0..runs {
            for replayer in &mut replayers {
                measure(&lab, replayer, frames, rate)?;
            }
        }
        println!("  {rate} frames a second");
        for replayer in &mut replayers {
            let missing = replayer.missing;
            println!("    {:<20} missing {missing}", replayer.name);
            println!("        late             {}", spread(&mut replayer.late));
            println!("        gaps off by      {}", spread(&mut replayer.off));
        }
    }
    std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())
}

/// Median, 99 % and maximum.
fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let of_thousand = |part: usize| {
        let at = (times.len() * part / 1000).min(times.len().saturating_sub(1));
        times.get(at).copied().unwrap_or_default()
    };
    let [median, most_of, most] = [500, 990, 1000].map(of_thousand);
    format!("median {median:>10.1?}   99 % {most_of:>10.1?}   max {most:>10.1?}")
}

/// Writes a capture of frames at an even pace; how many.
fn write(path: &Path, rate: u64) -> Result<u64, String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let file = std::fs::File::create(path).map_err(|error| failed(&error))?;
    let mut writer = Writer::pcapng(file, "bench").map_err(|error| failed(&error))?;
    let view = writer.add_interface(&Interface::new("eth0", LinkType::ETHERNET)).map_err(|error| failed(&error))?;
    let frames = rate * SPAN.as_secs();
    let mut frame = frame();
    for number in 0..frames {
        let end = frame.len() - 4;
        frame[end..].copy_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
        let wall = UnixTime::from_nanos(1_700_000_000_000_000_000 + number * 1_000_000_000 / rate);
        writer.write(&Record::new(view, wall, &frame)).map_err(|error| failed(&error))?;
    }
    writer.flush().map_err(|error| failed(&error))?;
    Ok(frames)
}

fn frame() -> Vec<u8> {
    let digits: Vec<u8> = FRAME.bytes().filter_map(|digit| char::from(digit).to_digit(16)).map(|it| it as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Runs a program and adds how late each frame left.
fn measure(lab: &Lab, replayer: &mut Replayer, frames: u64, rate: u64) -> Result<(), String> {
    let left = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&left);
    let len = frame().len();
    let recorder = lab
        .record(move |frame: Recorded| {
            let is_ours =
                frame.port.host == Host::Client && frame.direction == Direction::Outgoing && frame.bytes.len() == len;
            if let (true, Some(number)) = (is_ours, frame.bytes.last_chunk::<4>()) {
                let number = u32::from_be_bytes(*number);
                sink.lock().unwrap_or_else(PoisonError::into_inner).push((number, frame.at));
            }
            Ok(())
        })
        .map_err(|error| error.to_string())?;
    let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", replayer.name);
    let mut command = Command::new(&replayer.program);
    command.args(&replayer.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = clock::now();
    let status = command.status().map_err(|error| failed(&error))?;
    if !status.success() {
        return Err(failed(&status));
    }
    let took = clock::now().since(begun);
    recorder.finish().map_err(|error| failed(&error))?;
    let left = left.lock().unwrap_or_else(PoisonError::into_inner);
    let ours: Vec<_> = left.iter().filter(|(number, _)| u64::from(*number) < frames).collect();
    replayer.missing += usize::try_from(frames).unwrap_or(usize::MAX).saturating_sub(ours.len());
    let offset = |&&(number, at): &&(u32, wirewright_units::Instant)| {
        let due = Duration::from_nanos(u64::from(number) * 1_000_000_000 / rate);
        at.since(begun).saturating_sub(due)
    };
    let least = ours.iter().map(offset).min().ok_or_else(|| failed(&format!("nothing left in {took:?}")))?;
    let gap = Duration::from_nanos(1_000_000_000 / rate);
    replayer.off.extend(ours.windows(2).map(|pair| pair[1].1.since(pair[0].1).abs_diff(gap)));
    replayer.late.extend(ours.iter().map(|it| offset(it) - least));
    Ok(())
}
