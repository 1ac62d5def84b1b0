//! This binary again, as a process that enters a lab in its own way: what scenarios about entering start.

use std::{
    env, fmt, fs,
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, ExitCode},
    time::Duration,
};

use wirewright_lab::{Host, Lab, Options, Recorded, Rung, ServiceKind, Shape};
use wirewright_link::clock;
use wirewright_tests::{Folder, Program};

/// Set in such a process; its value is what it does.
const TASK: &str = "WIREWRIGHT_TESTS_LAB";

/// What such a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Enters on the first rung that holds, says everything about it, asks the server for a page.
    Say,
    /// The same, but the first rung is not tried.
    SayWithoutUsers,
    /// Enters, says which namespaces there are, starts a command that goes to the background, waits to be killed.
    Stay,
    /// Enters and says how long it took.
    Time,
    /// Enters, records, sends one datagram, and says what was recorded.
    Record,
    /// Enters a lab whose path splits, has its first router run the script in [`ROUTER`], and runs `ww` with its arguments.
    Split,
}

/// What the first router runs.
pub(crate) const ROUTER: &str = "WIREWRIGHT_TESTS_ROUTER";

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The exit code of such a process; none in the process that runs the scenarios.
pub(crate) fn main() -> Option<ExitCode> {
    let task = env::var(TASK).ok()?;
    let before = clock::now();
    let mut options = Options::default();
    if task == Task::SayWithoutUsers.to_string() {
        options.first = Rung::NetworkNamespace;
    }
    if task == Task::Split.to_string() {
        options.shape = Shape::new(Shape::SPLIT_ROUTERS_MIN, true).unwrap_or_default();
    }
    let lab = match Lab::enter(options) {
        Ok(lab) => lab,
        Err(error) => {
            println!("error {error}");
            return Some(ExitCode::FAILURE);
        }
    };
    let took = clock::now().since(before);
    if task == Task::Say.to_string() || task == Task::SayWithoutUsers.to_string() {
        say(&lab);
    } else if task == Task::Stay.to_string() {
        stay(&lab);
    } else if task == Task::Record.to_string() {
        record(&lab);
    } else if task == Task::Split.to_string() {
        return Some(split(&lab));
    } else {
        println!("{}", took.as_micros());
    }
    Some(ExitCode::SUCCESS)
}

fn say(lab: &Lab) {
    println!("rung {:?}", lab.rung());
    for refusal in lab.refusals() {
        println!("refused {refusal}");
    }
    for note in lab.notes() {
        println!("note {note}");
    }
    for destination in ["127.0.0.2", "::1", "::ffff:127.0.0.1", "192.0.2.2", "2001:db8::2"] {
        let address: IpAddr = destination.parse().expect("an address is written here");
        println!("carries {destination} {}", lab.carries(address));
    }
    let Some(http) = lab.services().iter().find(|service| service.kind == ServiceKind::Http) else { return };
    let Some(server) = lab.hosts().into_iter().find(|host| host.name == "server") else { return };
    println!("page {:?}", page(SocketAddr::new(server.v4.into(), http.port), "/echo/it"));
    if lab.rung().has_networks() {
        let echo = Command::new("echo");
        println!("command {:?}", lab.run(Host::Router, echo).map(|status| status.code()).map_err(|e| e.to_string()));
    }
}

fn stay(lab: &Lab) {
    for kind in ["user", "net", "pid_for_children", "mnt"] {
        let inside = |host| lab.on(host, || fs::read_link(format!("/proc/thread-self/ns/{kind}")));
        for host in lab.shape().hosts() {
            if let Ok(Ok(link)) = inside(host) {
                println!("{}", link.display());
            }
        }
    }
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 61 & readlink /proc/self/ns/pid; readlink /proc/self/ns/mnt"]);
    let _ = lab.run(Host::Server, command);
    println!("ready");
    // Its parent kills it; if that one dies first, it ends by itself.
    clock::sleep(Duration::from_secs(30));
}

fn record(lab: &Lab) {
    let mark: &[u8] = b"the only datagram";
    let sink = move |frame: Recorded| {
        let whose = if frame.bytes.ends_with(mark) { "own" } else { "other" };
        println!("{whose} {} {:02x?}", frame.port, frame.bytes);
        Ok(())
    };
    let recorder = lab.record(sink).map_err(|error| error.to_string());
    let sent = UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(mark, "192.0.2.2:9"));
    let ended = recorder.and_then(|recorder| recorder.finish().map_err(|error| error.to_string()));
    if sent.is_err() || ended.is_err() {
        println!("{sent:?} {ended:?}");
    }
}

fn split(lab: &Lab) -> ExitCode {
    let mut script = Command::new("sh");
    script.args(["-e", "-c", &env::var(ROUTER).unwrap_or_default()]);
    let router = lab.run(Host::Router, script).is_ok_and(|status| status.success());
    let mut command = Command::new(wirewright_tests::binary());
    command.args(env::args_os().skip(1)).env_remove(TASK);
    match (router, lab.run(Host::Client, command)) {
        (true, Ok(status)) => {
            status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, Into::into)
        }
        (router, ran) => {
            println!("the router's script: {router}; {ran:?}");
            ExitCode::FAILURE
        }
    }
}

/// What a page holds, or why there is none.
pub(crate) fn page(server: SocketAddr, path: &str) -> Result<String, String> {
    let fetch = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(5))?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    let text = fetch().map_err(|error| format!("{server}: {error}"))?;
    text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).ok_or(text)
}

/// A copy of this binary that every user may run.
pub(crate) struct Copied {
    path: PathBuf,
    _folder: Folder,
}

impl Copied {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let folder = Folder::new()?;
        let path = folder.file("scenarios");
        // Not by this process: as long as it had the copy open for writing, so would whatever another thread starts, and
        // nobody could run it ("text file busy").
        let this = env::current_exe()?.display().to_string();
        Program::new("cp").args([&this, &path.display().to_string()]).run()?.success()?;
        for path in [folder.path(), &path] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { path, _folder: folder })
    }

    pub(crate) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Itself, to do `task`.
    pub(crate) fn program(&self, task: Task) -> Program {
        given(Program::new(&self.path), task)
    }

    /// Itself behind the words of other programs, to do `task`.
    pub(crate) fn behind(&self, words: &[&str], task: Task) -> Program {
        let (first, rest) = words.split_first().expect("a program has a name");
        given(Program::new(first).args(rest).arg(&self.path), task)
    }
}

/// This binary as it lies there, to do `task`.
pub(crate) fn itself(task: Task) -> Result<Program, String> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    Ok(given(Program::new(this), task))
}

fn given(program: Program, task: Task) -> Program {
    program.env(TASK, task.to_string())
}

/// The rung that a process said it stands on.
pub(crate) fn rung_of(text: &str) -> Option<Rung> {
    let said = text.lines().find_map(|line| line.strip_prefix("rung "))?;
    Rung::ALL.into_iter().find(|rung| format!("{rung:?}") == said)
}
