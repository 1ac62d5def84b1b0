//! `ww get` as fresh processes that hold `CAP_NET_RAW` and nothing else, before nginx and the kernel's TCP.

use std::fs::{self, Permissions};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wirewright_lab::{Family, Host};
use wirewright_link::clock;
use wirewright_tests::{Folder, Outcome, Program, World, binary, ensure};

use super::{rounds, wait_for_listeners};
use crate::link::tools::{Fallible, SERVER};
use crate::our_tcp::{Running, pattern, url};

/// nginx's port.
pub(super) const PORT: u16 = 8080;
/// Fresh processes where nobody says how many.
const PROCESSES: usize = 60;
/// A body on both sides of one segment's end, one of several segments, and one of many windows.
const SIZES: [usize; 7] = [0, 1, 1459, 1460, 1461, 65_536, 1_000_000];
/// One of these in so many processes.
const LARGE: [(usize, usize); 2] = [(25, 10_000_000), (50, 100_000_000)];

pub(super) fn over_veth(world: &World) -> Outcome {
    run(world, Host::Server, |family| SERVER.address(family))
}

pub(super) fn over_loopback(world: &World) -> Outcome {
    let address = |family| match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Family::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    run(world, Host::Client, address)
}

/// The size of the body that a process asks for, each size in both versions.
fn size_of(number: usize) -> usize {
    let large = LARGE.iter().rev().find(|(every, _)| number % every == every / 2);
    large.map_or(SIZES[number % SIZES.len()], |(_, size)| *size)
}

fn run(world: &World, host: Host, address: fn(Family) -> IpAddr) -> Outcome {
    let folder = Folder::new()?;
    let bodies: Vec<Vec<u8>> = SIZES.iter().chain(LARGE.iter().map(|(_, size)| size)).map(|&n| pattern(n)).collect();
    for body in &bodies {
        folder.write(&body.len().to_string(), body)?;
    }
    let own = folder.file("nginx");
    fs::create_dir(&own)?;
    let _nginx = nginx(world, host, folder.path(), &own)?;
    let process = Process::new(world, &folder)?;
    process.check_capabilities()?;
    let resets = || -> Fallible<[i64; 2]> {
        let of = |host| Ok::<_, wirewright_lab::PlaceError>(world.lab().counters(host)?.value("TcpOutRsts"));
        Ok([of(Host::Client)?, of(Host::Server)?])
    };
    let (before, begun) = (resets()?, clock::now());
    let (mut bytes, mut count) = ([0, 0], [0, 0]);
    for number in 0..rounds(PROCESSES) {
        let version = (number + number / 50) % 2;
        let family = [Family::V4, Family::V6][version];
        let size = size_of(number);
        let from = url(SocketAddr::new(address(family), PORT), &format!("/{size}"));
        let told = process.get(&from)?;
        let body = fs::read(&process.into)?;
        let expected = bodies.iter().find(|body| body.len() == size).ok_or("no such body")?;
        ensure!(body == *expected, "process {number}, {from}: {} bytes, or others than {size}\n{told}", body.len());
        bytes[version] += size;
        count[version] += 1;
        let moved = resets()?;
        ensure!(moved == before, "process {number}, {from}: resets by the kernels went {before:?} → {moved:?}");
    }
    let seconds = clock::now().since(begun).as_secs_f64();
    println!("{count:?} processes over IPv4 and IPv6, {bytes:?} bytes, {seconds:.1} s, no reset");
    Ok(())
}

/// nginx on `host`, which serves the files of `root` and keeps all of its own in the folder `own`; one process, so that it
/// ends whole.
pub(super) fn nginx(world: &World, host: Host, root: &Path, own: &Path) -> Fallible<Running> {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("{what}_temp_path {}/{what};\n", own.display()))
        .collect();
    let config = format!(
        "daemon off;\nmaster_process off;\nuser root;\npid {own}/pid;\nerror_log {own}/error.log;\n\
         events {{ worker_connections 256; }}\n\
         http {{\naccess_log off;\nsendfile on;\n{temporary}\
         server {{ listen 0.0.0.0:{PORT}; listen [::]:{PORT}; root {root}; }}\n}}\n",
        own = own.display(),
        root = root.display(),
    );
    let path = own.join("nginx.conf");
    fs::write(&path, config)?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(own).arg("-c").arg(&path).arg("-e").arg(own.join("error.log"));
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    let running = Running(world.lab().spawn(host, command)?);
    wait_for_listeners(world, host, PORT)
        .map_err(|late| format!("{late}\n{}", fs::read_to_string(own.join("error.log")).unwrap_or_default()))?;
    Ok(running)
}

/// How a process with `CAP_NET_RAW` alone is started, as nobody where the lab has a nobody.
struct Process {
    prefix: Vec<String>,
    program: PathBuf,
    into: PathBuf,
}

impl Process {
    fn new(world: &World, folder: &Folder) -> Fallible<Self> {
        // Nobody may not look into every folder in which a build lies, nor write into this one.
        let program = folder.file("ww");
        fs::copy(binary(), &program)?;
        let into = folder.file("bodies");
        fs::create_dir(&into)?;
        fs::set_permissions(&into, Permissions::from_mode(0o777))?;
        let sets = ["--bounding-set", "--inh-caps", "--ambient-caps"].map(|set| format!("{set}=-all,+net_raw"));
        let mut prefix: Vec<String> = sets.into_iter().chain(["--no-new-privs".to_owned()]).collect();
        if !world.lab().has_one_user() {
            prefix.extend(["--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned));
        }
        Ok(Self { prefix, program, into: into.join("body") })
    }

    /// The sets of capabilities that such a process has.
    fn check_capabilities(&self) -> Outcome {
        let status = Program::new("setpriv").args(&self.prefix).args(["cat", "/proc/self/status"]).run()?.success()?;
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            let text = status.text();
            let line = text.lines().find(|line| line.starts_with(set)).ok_or(set)?;
            // CAP_NET_RAW is number 13.
            ensure!(line.ends_with("\t0000000000002000"), "{line}");
        }
        Ok(())
    }

    /// One page into `self.into`, which is new.
    fn get(&self, from: &str) -> Fallible<String> {
        if self.into.exists() {
            fs::remove_file(&self.into)?;
        }
        let ww = Program::new("setpriv").args(&self.prefix).arg(&self.program);
        let told = ww.args(["get", "-o"]).arg(&self.into).arg(from).env("LC_ALL", "C.UTF-8").run()?.success()?;
        Ok(told.stderr)
    }
}
