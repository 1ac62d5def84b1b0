//! `ww guard`: keep this kernel quiet about ports, for anybody's raw-socket program.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use lab::Host;
use link::sys::{Errno, namespace, process, system};
use link::{Guard, GuardError, Rung};
use serde_json::json;

use super::lab::{command_refused, exit_code};
use crate::command::Options;
use crate::explain::{self, Attempt};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::Place;
use crate::said;
use crate::speech::say;

/// The most guards of one call: a process has 1,024 descriptors unless told otherwise, and some are in use.
const GUARDS_MAX: usize = 1000;

/// How long a guard stands on at least: the shortest retransmission time-out of Linux is 200 ms (and a little), after which
/// a peer that still waits is heard again.
const LAST_SEGMENTS: Duration = Duration::from_millis(300);

/// How long one stands on that does not count what comes: a time-out of 200 ms, doubled twice.
const LAST_SEGMENTS_UNCOUNTED: Duration = Duration::from_millis(1_500);

/// How long it stands on at most for a peer that is heard again and again.
const LAST_SEGMENTS_MAX: Duration = Duration::from_secs(5);

/// One word of the command line: a port, on an address or on all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    addresses: Vec<IpAddr>,
    port: u16,
    /// All addresses of both families: one of them may be missing on this machine.
    anywhere: bool,
}

pub(crate) fn run(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let attempt = Attempt { verb: "guard", options, place };
    if let Place::Lab(lab) = place
        && !lab.rung().has_networks()
    {
        let said = say("error.no-network.guard", &[("rung", &said::rung(lab.rung()))]);
        return Err(Failure::new(Exit::NotPermitted, "no-network", said));
    }
    match options.rung {
        Some(Rung::OwnAddress) => {
            return Err(Failure::usage("option-conflict", say("error.option-conflict.guard-own-address", &[]))
                .row("or", say("hint.own-address-verbs", &[])));
        }
        Some(_) if options.udp => {
            return Err(Failure::usage("option-conflict", say("error.option-conflict.guard-udp", &[]))
                .row("or", say("hint.one-of-them", &[])));
        }
        _ => {}
    }
    let wanted = read(&options.text_words()?, &attempt)?;
    let guards = raise(&wanted, &attempt)?;
    if options.command.is_empty() { stand(&guards, out) } else { stand_for(&guards, out, &attempt) }
}

/// Guards until a signal ends it.
fn stand(guards: &[Guard], out: &Output) -> Result<Exit, Failure> {
    let signals = process::EndSignals::hold().map_err(|error| trouble(&error))?;
    give_up_rights(out);
    for guard in guards {
        if out.json {
            out.json_line(&json!({"v": 1, "guard": {"local": guard.local(), "rung": guard.rung().code()}}))?;
        } else {
            out.result(&standing(guard))?;
        }
    }
    if !out.json {
        out.tell(&say("remark.ctrl-c", &[]));
    }
    signals.wait().map_err(|error| trouble(&error))?;
    linger(guards);
    tell_dropped(guards, out);
    Ok(Exit::Interrupted)
}

/// Guards for as long as a command runs, and for the last segments of its peers.
fn stand_for(guards: &[Guard], out: &Output, attempt: &Attempt<'_>) -> Result<Exit, Failure> {
    for guard in guards {
        out.tell(&standing(guard));
    }
    let mut child = start(&attempt.options.command, attempt.place)?;
    // They are for the command, which decides what they mean.
    namespace::ignore_interrupts().map_err(|error| trouble(&error))?;
    if matches!(attempt.place, Place::Machine) {
        give_up_rights(out);
    }
    let status = child.wait().map_err(|error| trouble(&error))?;
    linger(guards);
    if out.verbose {
        tell_dropped(guards, out);
    }
    // 128 and the signal's number at most.
    Ok(Exit::Theirs(u8::try_from(exit_code(status)).unwrap_or(u8::MAX)))
}

/// What stands, where, and how.
fn standing(guard: &Guard) -> String {
    let stands = say("guard.standing", &[("local", &spoken(guard.local())), ("rung", &guard.rung().code())]);
    if guard.rung().covers_every_peer() { stands } else { format!("{stands}; {}", say("guard.min-ttl", &[])) }
}

/// Starts the command: here, where it ends with the guard, or on the lab's client.
fn start(line: &[OsString], place: &Place<'_>) -> Result<Child, Failure> {
    let (program, args) = line.split_first().expect("there is a command");
    let name = program.to_string_lossy();
    let mut command = Command::new(program);
    command.args(args);
    match place {
        Place::Machine => process::spawn_bound(command).map_err(|error| command_missing(&name, &error)),
        Place::Lab(lab) => lab.spawn(Host::Client, command).map_err(|error| command_refused(&name, error)),
    }
}

/// The command cannot be run.
fn command_missing(name: &str, error: &std::io::Error) -> Failure {
    command_refused(
        name,
        lab::PlaceError::Os { host: Host::Client, error: std::io::Error::new(error.kind(), error.to_string()) },
    )
}

/// A guard needs no right once it stands; that none is held is only thrift.
fn give_up_rights(out: &Output) {
    if let Err(error) = process::give_up_capabilities()
        && out.verbose
    {
        out.tell(&say("remark.capabilities-kept", &[("said", &error)]));
    }
}

/// Stands on until no peer is heard for the time in which it would send again: a segment that came after the guard's end
/// would be answered with a reset. RFC 6298 §5.5 doubles that time after each; three times as long also holds what is left
/// of the last one.
fn linger(guards: &[Guard]) {
    if guards.iter().any(|guard| guard.dropped().is_none()) {
        // Nobody counts for this one: as long as a peer may take that was heard once.
        thread::sleep(LAST_SEGMENTS_UNCOUNTED);
    }
    let dropped = || guards.iter().map(|guard| u64::from(guard.dropped().unwrap_or(0))).sum::<u64>();
    let (mut quiet, mut waited) = (LAST_SEGMENTS, Duration::ZERO);
    while waited + quiet <= LAST_SEGMENTS_MAX {
        let before = dropped();
        thread::sleep(quiet);
        if dropped() == before {
            return;
        }
        waited += quiet;
        quiet *= 3;
    }
}

fn tell_dropped(guards: &[Guard], out: &Output) {
    for guard in guards {
        if let Some(dropped) = guard.dropped() {
            let local = spoken(guard.local());
            out.tell(&say("remark.dropped", &[("local", &local), ("count", &dropped)]));
        }
    }
}

/// Raises all guards, or none.
fn raise(wanted: &[Wanted], attempt: &Attempt<'_>) -> Result<Vec<Guard>, Failure> {
    let kernel = system();
    let mut guards: Vec<Guard> = Vec::new();
    for want in wanted {
        let before = guards.len();
        for address in &want.addresses {
            let local = SocketAddr::new(*address, want.port);
            let opened = match attempt.options.rung {
                _ if attempt.options.udp => Guard::udp(&kernel, local),
                Some(rung) => Guard::tcp_by(&kernel, local, rung),
                None => Guard::tcp(&kernel, local),
            };
            match opened {
                Ok(guard) => guards.push(guard),
                Err(error) if want.anywhere && lacks_family(&error) && guards.len() > before => {}
                Err(error) => return Err(explain::guard(&error, local, attempt)),
            }
        }
    }
    Ok(guards)
}

/// This machine has no IPv6.
fn lacks_family(error: &GuardError) -> bool {
    match error {
        GuardError::AddressNotLocal { .. } => true,
        GuardError::Port(error) => matches!(error.errno, Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL),
        _ => false,
    }
}

/// Reads the words: `ADDR:PORT`, `ADDR :PORT`, `[ADDR]:PORT`, `NAME:PORT`, `:PORT`.
fn read(words: &[String], attempt: &Attempt<'_>) -> Result<Vec<Wanted>, Failure> {
    let mut wanted = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let follows = words.peek().and_then(|next| next.strip_prefix(':'));
        let whole = word.parse::<IpAddr>().is_ok() || !word.contains(':');
        let (host, port) = match (word.rsplit_once(':'), follows) {
            (_, Some(port)) if whole => {
                words.next();
                (word.as_str(), port)
            }
            (Some(parts), _) if !whole => parts,
            _ => return Err(no_port(word, attempt)),
        };
        let port = port_number(port).ok_or_else(|| bad_port(word, port))?;
        wanted.push(Wanted { addresses: addresses(host, attempt)?, port, anywhere: host.is_empty() });
    }
    if wanted.is_empty() {
        return Err(Failure::usage("guard-missing", say("error.guard-missing", &[]))
            .row("try", "ww lab guard client:40000 -- ss -tln")
            .row("see", "ww help guard"));
    }
    if wanted.iter().map(|want| want.addresses.len()).sum::<usize>() > GUARDS_MAX {
        return Err(Failure::usage("too-many", say("error.too-many", &[("max", &GUARDS_MAX)])));
    }
    Ok(wanted)
}

/// A number, or a service's name.
fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { wire::ports::number_of(text) };
    number.filter(|port| *port != 0)
}

fn addresses(host: &str, attempt: &Attempt<'_>) -> Result<Vec<IpAddr>, Failure> {
    if host.is_empty() {
        return Ok(vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]);
    }
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    let found = attempt.place.names(attempt.options).addresses(host).unwrap_or_default();
    if found.is_empty() {
        let said = say("error.name-unknown", &[("name", &host)]);
        let failure = Failure::usage("name-unknown", said);
        return Err(match attempt.place {
            Place::Machine => failure.row("look", "ip -brief address"),
            Place::Lab(lab) => failure.row("the lab has", explain::names_of(lab)),
        });
    }
    Ok(found)
}

fn no_port(word: &str, attempt: &Attempt<'_>) -> Failure {
    let (shown, ww) = (render::shell_word(word), attempt.place.prefix());
    let failure = Failure::usage("port-missing", say("error.port-missing", &[("word", &shown)]));
    match port_number(word) {
        Some(port) => failure.row("or", format!("{ww} guard :{port}")),
        None => failure.row("or", format!("{ww} guard {shown} :PORT")),
    }
}

fn bad_port(word: &str, port: &str) -> Failure {
    let failure = Failure::usage("port", say("error.port", &[("word", &word), ("port", &port)]));
    failure.row("it takes", say("hint.guarded-port", &[]))
}

/// An address and its port as the packet language writes them.
pub(crate) fn spoken(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.to_string(),
        SocketAddr::V6(address) => format!("{} :{}", address.ip(), address.port()),
    }
}

fn trouble(error: &std::io::Error) -> Failure {
    Failure::new(Exit::CouldNotSend, "guard", say("error.guard", &[("said", error)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(words: &[&str]) -> Result<Vec<Wanted>, Failure> {
        let options = Options { numeric: true, ..Options::default() };
        let attempt = Attempt { verb: "guard", options: &options, place: &Place::Machine };
        read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), &attempt)
    }

    #[test]
    fn each_form_of_a_port_is_read() {
        let v4 = |port| Wanted { addresses: vec!["192.0.2.1".parse().unwrap()], port, anywhere: false };
        let v6 = |port| Wanted { addresses: vec!["2001:db8::1".parse().unwrap()], port, anywhere: false };
        let any = |port| Wanted { addresses: addresses_of_all(), port, anywhere: true };
        for (words, want) in [
            (&["192.0.2.1:80"][..], vec![v4(80)]),
            (&["192.0.2.1", ":http"], vec![v4(80)]),
            (&["192.0.2.1:http"], vec![v4(80)]),
            (&["2001:db8::1", ":80", ":81"], vec![v6(80), any(81)]),
            (&["[2001:db8::1]:80", "192.0.2.1:81"], vec![v6(80), v4(81)]),
            (&[":65535"], vec![any(65535)]),
        ] {
            assert_eq!(wanted(words).unwrap(), want, "{words:?}");
        }
    }

    fn addresses_of_all() -> Vec<IpAddr> {
        vec!["0.0.0.0".parse().unwrap(), "::".parse().unwrap()]
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for (words, code) in [
            (&[][..], "guard-missing"),
            (&["192.0.2.1"], "port-missing"),
            (&["2001:db8::1"], "port-missing"),
            (&["192.0.2.1", "192.0.2.2:80"], "port-missing"),
            (&["192.0.2.1:0"], "port"),
            (&["192.0.2.1:65536"], "port"),
            (&["192.0.2.1:1-9"], "port"),
            (&["192.0.2.1:"], "port"),
            (&[":"], "port"),
            (&["nobody:80"], "name-unknown"),
            (&["80"], "port-missing"),
        ] {
            assert_eq!(wanted(words).unwrap_err().code, code, "{words:?}");
        }
        let many: Vec<String> = (1..=501).map(|port| format!(":{port}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(wanted(&many).unwrap_err().code, "too-many");
    }

    #[test]
    fn an_address_is_spoken_as_the_language_writes_it() {
        assert_eq!(spoken("[2001:db8::1]:80".parse().unwrap()), "2001:db8::1 :80");
        assert_eq!(spoken("192.0.2.1:80".parse().unwrap()), "192.0.2.1:80");
    }
}
