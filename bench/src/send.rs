//! `ww send --rate` as fast as it goes beside hping3, trafgen, mausezahn and nping: UDP datagrams of one byte to the lab's server,
//! each from another source port, over veth.
//!
//! Measured is what the kernel counts: packets that left by the client's interface in one second, read from `/proc` while the
//! program runs, its start not included. Whoever is not installed is left out.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wirewright_lab::{Lab, Options};
use wirewright_link::clock;

use crate::ask::beside_us;

/// Where the lab's server is, and how the client gets there.
const SERVER: &str = "192.0.2.2";
const CLIENT: &str = "198.51.100.2";
const CLIENT_MAC: &str = "02:00:c6:33:64:02";
const ROUTER_MAC: &str = "02:00:c6:33:64:01";
const INTERFACE: &str = "eth0";

/// No program sends more, however fast it is.
const PACKETS_MAX: &str = "20000000";
/// What a program has for starting.
const START: Duration = Duration::from_millis(300);
/// What is measured.
const SPAN: Duration = Duration::from_secs(1);

/// A program, its arguments, and the packets a second that it reached in each run.
struct Sender {
    name: &'static str,
    program: String,
    args: Vec<String>,
    reached: Vec<f64>,
}

impl Sender {
    fn new(name: &'static str, program: &str, args: &str) -> Self {
        let args = args.split_whitespace().map(str::to_owned).collect();
        Self { name, program: program.to_owned(), args, reached: Vec::new() }
    }

    fn median(&mut self) -> f64 {
        self.reached.sort_by(f64::total_cmp);
        self.reached.get(self.reached.len() / 2).copied().unwrap_or_default()
    }
}

pub(crate) fn run(runs: usize) -> Result<(), String> {
    let _lab = Lab::enter(Options::default().networks_only()).map_err(|error| error.to_string())?;
    let mut senders = senders(&beside_us("ww")?.display().to_string());
    senders.retain(|sender| sender.program.contains('/') || is_installed(&sender.program));
    for _ in 0..runs {
        for sender in &mut senders {
            let reached = measure(sender)?;
            sender.reached.push(reached);
        }
    }
    let ours = senders[0].median();
    for sender in &mut senders {
        let median = sender.median();
        let (min, max) = (sender.reached.first().copied(), sender.reached.last().copied());
        let (min, max) = (min.unwrap_or_default(), max.unwrap_or_default());
        let name = sender.name;
        println!(
            "    {name:<20} median {median:>9.0}/s   min {min:>9.0}   max {max:>9.0}   ours/theirs {:.2}",
            ours / median
        );
    }
    Ok(())
}

fn senders(ww: &str) -> Vec<Sender> {
    let ours = |way: &str| format!("send --yes -q --rate 100M -c {PACKETS_MAX} {way} sport=rand:1024..65535 data=x");
    let udp = format!("udp {SERVER}:9");
    let framed = format!("eth {ROUTER_MAC} / ip {SERVER} / udp :9");
    let trafgen = format!(
        "-o {INTERFACE} -n {PACKETS_MAX} -P 1 -q {{eth(da={ROUTER_MAC},sa={CLIENT_MAC}),\
         ipv4(sa={CLIENT},da={SERVER}),udp(sp=drnd(1024,65535),dp=9),'x'}}"
    );
    let mausezahn = format!(
        "{INTERFACE} -q -c {PACKETS_MAX} -a {CLIENT_MAC} -b {ROUTER_MAC} -A {CLIENT} -B {SERVER} -P x -t udp sp=1024-65535,dp=9"
    );
    vec![
        Sender::new("ww send, raw", ww, &ours(&udp)),
        Sender::new("ww send, ethernet", ww, &ours(&framed)),
        Sender::new("hping3 --flood", "hping3", &format!("-2 -p 9 -d 1 -q -I {INTERFACE} --flood {SERVER}")),
        Sender::new(
            "hping3 -i u1",
            "hping3",
            &format!("-2 -p 9 -d 1 -q -I {INTERFACE} -i u1 -c {PACKETS_MAX} {SERVER}"),
        ),
        Sender::new("trafgen", "trafgen", &trafgen),
        Sender::new("mausezahn", "mausezahn", &mausezahn),
        Sender::new(
            "nping --rate",
            "nping",
            &format!("--udp -p 9 --data-length 1 -N -q --rate 10000000 -c {PACKETS_MAX} {SERVER}"),
        ),
    ]
}

fn is_installed(program: &str) -> bool {
    std::env::var("PATH").is_ok_and(|path| path.split(':').any(|folder| Path::new(folder).join(program).exists()))
}

/// Runs a program until a second was measured; packets a second.
fn measure(sender: &Sender) -> Result<f64, String> {
    let failed = |what: &str| format!("{}: {what}", sender.name);
    let mut command = Command::new(&sender.program);
    command.args(&sender.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = Running(command.spawn().map_err(|error| failed(&error.to_string()))?);
    clock::sleep(START);
    let (before, begun) = (left()?, clock::now());
    clock::sleep(SPAN);
    let (after, ended) = (left()?, clock::now());
    if let Ok(Some(status)) = child.0.try_wait() {
        return Err(failed(&format!("ended before its time: {status}")));
    }
    drop(child);
    Ok((after - before) as f64 / ended.since(begun).as_secs_f64())
}

/// A program that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Packets that left by the client's interface.
fn left() -> Result<u64, String> {
    let text = fs::read_to_string("/proc/thread-self/net/dev").map_err(|error| error.to_string())?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix(INTERFACE)?.strip_prefix(':'));
    let packets = line.and_then(|line| line.split_whitespace().nth(9)?.parse().ok());
    packets.ok_or_else(|| format!("{INTERFACE} is missing"))
}
