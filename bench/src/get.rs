//! `ww get` of a page of 100 MB beside `curl`: process start to process end, the page from a kernel over veth.

use std::fs;
use std::process::Command;
use std::time::Duration;

use wirewright_lab::{Lab, Options};

use crate::Times;
use crate::ask::{beside_us, time};
use crate::peer::Peers;

/// How long the page is.
const BYTES: u64 = 100_000_000;

/// The unit of CPU time in `/proc`: `USER_HZ`, 100 on every machine.
const TICK: Duration = Duration::from_millis(10);

pub(crate) fn run(runs: usize) -> Result<(), String> {
    let lab = Lab::enter(Options::default().networks_only()).map_err(|error| error.to_string())?;
    let url = format!("http://{}/page", Peers::start(&lab, BYTES)?.page);
    let ww = beside_us("ww")?;
    let mut ours = Times::new("ww get");
    let mut rival = Times::new("curl");
    for _ in 0..runs {
        fetch(&mut ours, Command::new(&ww).args(["get", "-o", "/dev/null", &url]))?;
        fetch(&mut rival, Command::new("curl").args(["-s", "-o", "/dev/null", &url]))?;
    }
    ours.print();
    rival.print();
    println!("    ratio of the medians {:.2}", ours.median().as_secs_f64() / rival.median().as_secs_f64());
    Ok(())
}

/// Runs a command, and counts what it spent.
fn fetch(times: &mut Times, command: &mut Command) -> Result<(), String> {
    let before = of_children()?;
    time(times, command)?;
    times.bytes += BYTES;
    times.cpu += of_children()?.saturating_sub(before);
    Ok(())
}

/// The CPU time of all commands that have ended (proc_pid_stat(5): `cutime` and `cstime`).
fn of_children() -> Result<Duration, String> {
    let text = fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    // The name in parentheses may hold anything.
    let fields = text.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    let ticks: u32 = fields.skip(13).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    Ok(TICK * ticks)
}
