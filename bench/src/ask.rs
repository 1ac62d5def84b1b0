//! `ww ask tcp server:80 S` beside `hping3 -S -p 80 -c 1 server`: process start to process end.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use wirewright_lab::{Lab, Options};
use wirewright_link::clock;

use crate::Times;

/// Where the lab's server is.
const SERVER: &str = "192.0.2.2";

pub(crate) fn run(runs: usize) -> Result<(), String> {
    let _lab = Lab::enter(Options::default().networks_only()).map_err(|error| error.to_string())?;
    let ww = beside_us("ww")?;
    let mut ours = Times::new("ww");
    let mut rival = Times::new("hping3");
    for _ in 0..runs {
        time(&mut ours, Command::new(&ww).args(["ask", "tcp", &format!("{SERVER}:80"), "S"]))?;
        time(&mut rival, Command::new("hping3").args(["-S", "-p", "80", "-c", "1", "-q", SERVER]))?;
    }
    ours.print();
    rival.print();
    let ratio = ours.median().as_secs_f64() / rival.median().as_secs_f64();
    println!("    ratio of the medians {ratio:.3}");
    Ok(())
}

/// Runs a command to its end, which must be a good one.
pub(crate) fn time(times: &mut Times, command: &mut Command) -> Result<(), String> {
    let begin = clock::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let took = clock::now().since(begin);
    match status {
        Ok(status) if status.success() => times.all.push(took),
        Ok(status) => return Err(format!("{}: {status}", times.name)),
        Err(error) => return Err(format!("{}: {error}", times.name)),
    }
    Ok(())
}

/// The program that was built beside this one.
pub(crate) fn beside_us(name: &str) -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = here.with_file_name(name);
    if path.exists() { Ok(path) } else { Err(format!("{} is missing: cargo build --release first", path.display())) }
}
