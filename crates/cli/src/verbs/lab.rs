//! `ww lab`: the practice network, its map and a shell, one of our verbs or any command in it.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::Command;

use craft::First;
use lab::{Host, Lab, LabError, Options as LabOptions, PlaceError, RecordError, Recorded, Recorder, Rung, Shape, Sink};

use crate::command::{self, Options, Verb};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::Place;
use crate::record::{Recording, Seen};
use crate::relay;
use crate::said;
use crate::speech::{self, say};

/// What is done in the lab.
enum Work<'a> {
    Shell,
    Verb(&'a [OsString]),
    Command(&'a [OsString]),
}

pub(crate) fn run(args: &[OsString]) -> Result<Exit, Failure> {
    let verb = command::verb("lab").expect("lab is in the table of verbs");
    let (head, work) = split(verb, args);
    let options = Options::read(verb, head)?;
    let out = Output::new(&options);
    if options.help {
        return super::help::of_verb(verb, &out);
    }
    let relay = relay::of(&options)?;
    let lab = enter(LabOptions {
        shape: options.shape,
        offload: options.offload,
        relay: relay.clone(),
        ..LabOptions::default()
    })?;
    if !lab.rung().has_networks() || out.verbose {
        say_rung(&lab, &out);
    }
    relay::check(&lab, options.shape, relay.as_ref())?;
    if let Some(relay) = relay.as_ref().filter(|_| out.verbose) {
        out.tell(&relay::stands(&lab, relay));
    }
    let recorder = options.write.as_deref().map(|path| record(&lab, Recording::begin(path)?)).transpose()?;
    let done = match work {
        Work::Shell => shell(&lab, relay.as_ref(), &out),
        Work::Verb(line) => in_lab(&lab, line).map(Ended::Ours),
        Work::Command(line) => command_in_lab(&lab, line, &out),
    };
    if let Some(recorder) = recorder {
        let summary = recorder.finish().map_err(|error| recording_failed(&error))?;
        if summary.dropped > 0 {
            out.tell(&say("remark.not-recorded", &[("count", &summary.dropped)]));
        }
    }
    if let Some(relay) = &relay {
        relay::report(&lab, relay, &out);
    }
    match done? {
        Ended::Ours(exit) => Ok(exit),
        Ended::Theirs(code) => std::process::exit(code),
    }
}

/// What was done has ended, with whose exit code.
enum Ended {
    Ours(Exit),
    Theirs(i32),
}

/// Divides the lab's own options from what is done in it.
fn split<'a>(lab: &Verb, args: &'a [OsString]) -> (&'a [OsString], Work<'a>) {
    let takes_value = |arg: &OsString| arg.to_str().is_some_and(|arg| command::wants_value(lab, arg));
    let mut index = 0;
    while let Some(arg) = args.get(index) {
        if arg == "--" {
            return (&args[..index], Work::Command(&args[index + 1..]));
        }
        if !arg.to_string_lossy().starts_with('-') {
            return (&args[..index], Work::Verb(&args[index..]));
        }
        index += if takes_value(arg) { 2 } else { 1 };
    }
    (args, Work::Shell)
}

/// Enters the lab: the first thing that a process does, before it has a second thread.
///
/// # Errors
/// When it cannot even be told why each rung was refused.
pub(crate) fn enter(options: LabOptions) -> Result<Lab, Failure> {
    Lab::enter(options).map_err(|error| {
        let mut failure = Failure::new(Exit::NotPermitted, "no-lab", say("error.no-lab", &[]));
        match &error {
            LabError::Refused { refusals } => {
                for refusal in refusals {
                    failure = failure.row(said::rung(refusal.rung), said::refusal(refusal));
                }
            }
            other => failure = failure.row("because", said::lab(other)),
        }
        failure
    })
}

/// Says which rung was taken, why those above were not, and what would mend it.
pub(crate) fn say_rung(lab: &Lab, out: &Output) {
    out.tell(&say("remark.lab-rung", &[("rung", &said::rung(lab.rung()))]));
    for refusal in lab.refusals() {
        out.tell(&say("remark.refused", &[("refusal", &said::refusal(refusal))]));
        if let Some(remedy) = refusal.hint.and_then(lab::Hint::remedy) {
            out.remark(&format!("    {}   {remedy}", speech::label("mend")));
        }
    }
    for note in lab.notes() {
        out.tell(&say("remark.without", &[("note", &said::lab_note(note))]));
    }
}

/// One of our verbs on the lab's client.
fn in_lab(lab: &Lab, line: &[OsString]) -> Result<Exit, Failure> {
    match line.first().and_then(|verb| verb.to_str()) {
        Some("lab") => Err(Failure::usage("lab-in-lab", say("error.lab-in-lab", &[])).row("see", "ww help lab")),
        Some("demo") => {
            super::demo::tour(lab, &Options::read(command::verb("demo").expect("in the table"), &line[1..])?)
        }
        Some("ask" | "send") if lab.rung() == Rung::InProcess => only_shown(lab, line),
        _ => crate::run(line, &Place::Lab(lab)),
    }
}

/// Where nothing may be sent: the packet is built and shown, and said to be so.
fn only_shown(lab: &Lab, line: &[OsString]) -> Result<Exit, Failure> {
    let verb = command::verb("build").expect("build is in the table of verbs");
    let name = line[0].to_string_lossy();
    let own = command::verb(&name).expect("ask and send are in the table of verbs");
    let mut options = Options::read(own, &line[1..])?;
    options.form = Some("tree".to_owned());
    let out = Output::new(&options);
    out.tell(&say("remark.only-shown", &[]));
    crate::verbs::run(verb, &options, &Place::Lab(lab))?;
    Ok(Exit::CouldNotSend)
}

fn command_in_lab(lab: &Lab, line: &[OsString], out: &Output) -> Result<Ended, Failure> {
    let Some((program, args)) = line.split_first() else {
        return Err(
            Failure::usage("command-missing", say("error.command-missing.lab", &[])).row("try", "ww lab -- ss -tln")
        );
    };
    if lab.has_one_user() && Path::new(program).file_name().is_some_and(|name| name == "tcpdump") {
        out.tell(&say("remark.tcpdump", &[]));
    }
    let mut command = Command::new(program);
    command.args(args);
    run_command(lab, command, &program.to_string_lossy())
}

/// Runs a command to its end; its exit code is ours.
fn run_command(lab: &Lab, command: Command, name: &str) -> Result<Ended, Failure> {
    let status = lab.run(Host::Client, command).map_err(|error| command_refused(name, error))?;
    Ok(Ended::Theirs(exit_code(status)))
}

/// A command that cannot be run.
pub(crate) fn command_refused(name: &str, error: PlaceError) -> Failure {
    match error {
        PlaceError::NoSuchHost { rung, .. } => Failure::new(
            Exit::NotPermitted,
            "no-network",
            say("error.no-network.command", &[("rung", &said::rung(rung))]),
        )
        .noted("try", "ww lab ask tcp server:80 S", say("hint.own-verbs", &[])),
        PlaceError::Os { error, .. } => {
            Failure::usage("command", format!("{}: {}", render::escape(name), said::os(&error)))
        }
        other => Failure::new(Exit::CouldNotSend, "command", said::place(&other)),
    }
}

/// The command's code; 128 and the signal's number for one that a signal ended, as shells say it.
pub(crate) fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// `ww lab` alone: the map, and a shell on the client.
fn shell(lab: &Lab, relay: Option<&lab::Relay>, out: &Output) -> Result<Ended, Failure> {
    out.result(&map(lab, out))?;
    if let Some(relay) = relay {
        out.result(&relay::stands(lab, relay))?;
    }
    if !lab.rung().has_networks() {
        return Ok(Ended::Ours(Exit::Answered));
    }
    if !io::stdin().is_terminal() {
        out.tell(&say("remark.no-shell", &[]));
        return Ok(Ended::Ours(Exit::Answered));
    }
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| OsString::from("/bin/sh"));
    out.tell(&say("remark.shell", &[]));
    let _ = io::stdout().flush();
    let mut command = Command::new(&shell);
    command.env("WW_LAB", "client");
    run_command(lab, command, &shell.to_string_lossy())
}

/// The hosts in a line; two lines where the path splits.
fn drawn(shape: Shape, unicode: bool) -> String {
    let line = if unicode { "──────────" } else { "----------" };
    if shape == Shape::ONE {
        return format!("client eth0 {line} eth0 router eth1 {line} eth0 server\n");
    }
    let [wire, from, to, low_from, low_to] = if unicode {
        ["──", "─┬─", "─┬─", "└─", "─┘"]
    } else {
        ["--", "-+-", "-+-", "+-", "-+"]
    };
    let is_low = |host: &Host| *host == Host::Router2b;
    let mut text = String::new();
    let mut low = String::new();
    for host in shape.hosts().into_iter().filter(|host| !is_low(host)) {
        if host == Host::Router2a {
            text.push_str(from);
            low = " ".repeat(text.chars().count() - 2) + &format!("{low_from} {} {low_to}\n", Host::Router2b);
        } else if shape.is_split() && host == Host::Router3 {
            text.push_str(to);
        } else if !text.is_empty() {
            text.push_str(wire);
        }
        let gap = if text.is_empty() { "" } else { " " };
        text.push_str(&format!("{gap}{host}"));
        if host != Host::Server {
            text.push(' ');
        }
    }
    format!("{text}\n{low}")
}

/// The map with the names and addresses of this lab.
pub(crate) fn map(lab: &Lab, out: &Output) -> String {
    let mut text = String::new();
    if lab.rung().has_networks() {
        text.push_str(&drawn(lab.shape(), out.style.unicode));
        text.push('\n');
    }
    // Its hosts are our own TCP, one at a time.
    let is_own = lab.rung() == Rung::InProcess;
    for host in lab.hosts() {
        let v6 = host.v6.map(|v6| v6.to_string()).unwrap_or_default();
        let what = match host.name {
            "client" => say("lab.host.client", &[]),
            "server" if is_own => say("lab.host.server.own", &[]),
            "closed" if is_own => say("lab.host.closed.own", &[]),
            "router" if is_own => say("lab.host.router.own", &[]),
            "router" if lab.shape() == Shape::ONE => say("lab.host.router", &[]),
            "router2a" | "router2b" => say("lab.host.router.path", &[]),
            name if name.starts_with("router") => say("lab.host.router.chain", &[]),
            "server" => say("lab.host.server", &[]),
            "closed" => say("lab.host.closed", &[]),
            "silent" => say("lab.host.silent", &[]),
            _ => String::new(),
        };
        text.push_str(&format!("{:<8} {:<14} {:<16} {what}\n", host.name, host.v4, v6));
    }
    let services: Vec<_> =
        lab.services().iter().map(|service| format!("{} {}", service.kind.name(), service.port)).collect();
    if !services.is_empty() {
        text.push_str(&format!("\n{}\n", say("lab.ports", &[("ports", &services.join(", "))])));
    }
    text
}

/// Records what every host sees, an interface block each.
///
/// # Errors
/// Where the lab has no hosts of its own.
pub(crate) fn record(lab: &Lab, recording: Recording) -> Result<Recorder, Failure> {
    lab.record(Capture(recording, lab.shape())).map_err(|error| recording_failed(&error))
}

/// The recording as a sink of the lab.
struct Capture(Recording, Shape);

impl Sink for Capture {
    fn take(&mut self, frame: Recorded) -> io::Result<()> {
        let direction = match frame.direction {
            link::Direction::Outgoing => Some(capture::Direction::Out),
            _ => Some(capture::Direction::In),
        };
        let seen = Seen {
            interface: self.1.view(frame.port.host),
            first: First::Ethernet,
            bytes: &frame.bytes,
            wall: frame.wall,
            direction,
            comments: &[frame.port.interface],
        };
        self.0.add_unseen(&seen).map_err(stored)
    }

    fn settle(&mut self) -> io::Result<()> {
        self.0.flush().map_err(stored)
    }
}

fn stored(failure: Failure) -> io::Error {
    if failure.is_quiet() { io::ErrorKind::BrokenPipe.into() } else { io::Error::other(failure.headline) }
}

fn recording_failed(error: &RecordError) -> Failure {
    match error {
        RecordError::Sink { error } if error.kind() == io::ErrorKind::BrokenPipe => Failure::quiet(),
        RecordError::Sink { error } => Failure::new(Exit::CouldNotSend, "file-unwritable", said::os(error)),
        RecordError::Place(PlaceError::NoSuchHost { rung, .. }) => Failure::new(
            Exit::NotPermitted,
            "no-network",
            say("error.no-network.record", &[("rung", &said::rung(*rung))]),
        )
        .row("or", say("hint.record-verb", &[])),
        other => Failure::new(Exit::NotPermitted, "record", said::record(other)),
    }
}
