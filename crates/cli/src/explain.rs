//! What went wrong below, as a [`Failure`] that says what to do: the sentences are the catalogue's, the rows are made here.
//!
//! Behind `try`, `look`, `see`, `mend` stands a command that can be typed as it is (a test types them all); a hint in words
//! stands behind `or`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use craft::{BuildError, FragmentError};
use hand::{Objection, Refused};
use lab::Lab;
use link::{GuardError, NextStep, OsError};
use net::{Error, Families, Misuse, NameError, StreamError};
use render::shell_word;

use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::place::Place;
use crate::said;
use crate::speech::{say, words};

/// The command that failed, for rows that repeat it.
pub(crate) struct Attempt<'a> {
    /// The verb.
    pub verb: &'a str,
    /// Its options and words.
    pub options: &'a Options,
    /// Where it ran.
    pub place: &'a Place<'a>,
}

/// A packet that cannot be built.
pub(crate) fn build(error: &BuildError) -> Failure {
    Failure::usage(error.code(), said::build(error)).row("see", "ww help language")
}

/// A packet that cannot be cut.
pub(crate) fn fragment(error: &FragmentError) -> Failure {
    let failure = Failure::usage(error.code(), said::fragment(error));
    match error {
        FragmentError::LimitTooSmall { need, .. } => failure.row("or", format!("--frag {need}")),
        FragmentError::Build(error) => build(error),
        _ => failure.row("or", say("hint.without-frag", &[])),
    }
}

/// Whatever `net` reports.
pub(crate) fn net(error: &Error, attempt: &Attempt<'_>) -> Failure {
    match error {
        Error::Misuse(Misuse::Name(error)) => name(error, attempt),
        Error::Misuse(Misuse::Build(error)) => build(error),
        Error::Misuse(Misuse::Fragment(error)) => fragment(error),
        Error::Refused(refused) => refusal(refused, attempt),
        Error::Os(error) => os(error, attempt),
        Error::NextHopSilent { address, interface } => {
            let protocol = if address.is_ipv4() { "ARP".to_owned() } else { say("name.ndp", &[]) };
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("address", address), ("protocol", &protocol), ("interface", interface)];
            could_not_send(error.code(), say("refused.next-hop-silent", &values))
                .row("look", attempt.place.beside(&format!("ip neigh show dev {}", shell_word(interface))))
                .row("or", say("hint.another-next-hop", &[]))
        }
        Error::NextHopCannotBeAsked { address, interface } => {
            let values: [(&str, &dyn std::fmt::Display); 2] = [("address", address), ("interface", interface)];
            could_not_send(error.code(), say("refused.next-hop-cannot-be-asked", &values))
                .row("or", say("hint.its-mac", &[("words", &typed(attempt))]))
        }
        Error::Guard(error) => guard_wished(error, attempt),
        Error::OwnAddress(error) => own_address(error, attempt),
        _ => could_not_send(error.code(), error.to_string()),
    }
}

/// The rung that was wished for does not stand.
pub(crate) fn guard_wished(error: &GuardError, attempt: &Attempt<'_>) -> Failure {
    let local = match error {
        GuardError::Unavailable { tried } => tried.first().and_then(|(_, error)| error.address),
        _ => None,
    };
    guard(error, local.unwrap_or(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0)), attempt)
}

/// No address of our own is to be had.
pub(crate) fn own_address(error: &StreamError, attempt: &Attempt<'_>) -> Failure {
    if let StreamError::Os(error) = error {
        return os(error, attempt);
    }
    let failure = could_not_send(error.code(), said::stream(error));
    let failure = failure.row("look", attempt.place.beside("ip -brief address"));
    match error {
        StreamError::AddressTaken { .. }
        | StreamError::AddressElsewhere { .. }
        | StreamError::AddressOfAll { .. }
        | StreamError::Misuse(_) => failure.row("or", say("hint.another-source", &[])),
        _ => failure.row("or", say("hint.another-rung", &[])),
    }
}

fn could_not_send(code: &'static str, said: String) -> Failure {
    Failure::new(Exit::CouldNotSend, code, headline(said))
}

/// A headline is no sentence of a text: it begins small, unless with a name, and goes without its full stop.
pub(crate) fn headline(mut sentence: String) -> String {
    if sentence.ends_with('.') {
        sentence.pop();
    }
    let mut chars = sentence.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_ascii_uppercase() && (second.is_lowercase() || second == ' ') => {
            sentence[..1].make_ascii_lowercase();
        }
        _ => {}
    }
    sentence
}

/// The words of the command, ready to be typed again.
fn typed(attempt: &Attempt<'_>) -> String {
    attempt.options.words.iter().map(|word| shell_word(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn name(error: &NameError, attempt: &Attempt<'_>) -> Failure {
    match error {
        NameError::Unknown { name, said } => {
            let said = said.trim_start_matches("failed to lookup address information: ");
            let said = if said.is_empty() { say("name.nobody-knows", &[]) } else { said.to_owned() };
            let said = say("refused.name-unknown", &[("name", name), ("said", &said)]);
            let failure = Failure::usage("name-unknown", headline(said));
            match attempt.place {
                Place::Machine => failure.row("look", "cat /etc/hosts /etc/resolv.conf"),
                Place::Lab(lab) => failure.row("the lab has", names_of(lab)),
            }
        }
        NameError::OtherFamily { name, has, families } => {
            let (wanted, other) = if *families == Families::V6 { ("IPv6", "-4") } else { ("IPv4", "-6") };
            let values: [(&str, &dyn std::fmt::Display); 3] = [("name", name), ("wanted", &wanted), ("has", has)];
            let said = say("refused.name-other-family", &values);
            Failure::usage("name-other-family", headline(said))
                .row("or", say("hint.family-or-address", &[("option", &other)]))
        }
        NameError::NotAllowed { name, place } => {
            let (here, other, option) =
                if *place == Families::V6 { ("IPv6", "IPv4", "-4") } else { ("IPv4", "IPv6", "-6") };
            let option =
                attempt.options.source.map_or_else(|| option.to_owned(), |source| format!("--source {source}"));
            let values: [(&str, &dyn std::fmt::Display); 4] =
                [("name", name), ("here", &here), ("option", &option), ("other", &other)];
            Failure::usage("name-other-family", headline(say("refused.name-not-allowed", &values)))
                .row("or", say("hint.layer-of-version", &[("other", &other), ("option", &option)]))
        }
    }
}

/// The names of a lab.
pub(crate) fn names_of(lab: &Lab) -> String {
    lab.hosts().iter().map(|host| host.name).collect::<Vec<_>>().join(" ")
}

/// The command that lists the routes of this address's version.
pub(crate) fn routes(to: IpAddr) -> &'static str {
    if to.is_ipv4() { "ip route" } else { "ip -6 route" }
}

/// The remedy of an interface that is down.
fn bring_up(failure: Failure, interface: &str, place: &Place<'_>) -> Failure {
    let command = format!("sudo ip link set {} up", shell_word(interface));
    failure.noted("mend", place.beside(&command), say("hint.routes-too", &[]))
}

/// No way carries the packet as it was set.
fn refusal(refused: &Refused, attempt: &Attempt<'_>) -> Failure {
    let (said, reasons) = render::refused(refused, words());
    let mut failure = could_not_send(refused.code(), said);
    for reason in reasons {
        failure = failure.row("because", reason);
    }
    let beside = |command: &str| attempt.place.beside(command);
    match refused {
        Refused::NotIp => failure.row("or", say("hint.frame", &[("words", &typed(attempt))])),
        Refused::NoRoute { destination } => {
            failure.row("look", beside(routes(*destination))).row("or", say("hint.name-next-hop", &[]))
        }
        Refused::RouteRefuses { destination, kind } => failure
            .row("look", beside(&format!("{} show type {}", routes(*destination), kind.word())))
            .row("or", another_way(*destination)),
        Refused::NoInterface { .. } | Refused::InterfaceNeeded => failure.row("look", beside("ip -brief link")),
        Refused::InterfaceDown { name } => bring_up(failure, name, attempt.place),
        Refused::LoopbackElsewhere { .. } => failure.row("try", again_without(&["-i", "--iface"], &[])),
        Refused::TooLarge { size, mtu, .. } => {
            let over = size.saturating_sub(*mtu);
            let cuts = crate::command::verb(attempt.verb).is_some_and(|verb| verb.options.contains(&"frag"));
            failure = match smaller(attempt, over) {
                Some(line) => failure.row("try", line),
                None => failure.row("or", say("hint.smaller-payload", &[("bytes", &over)])),
            };
            if cuts { failure.row("or", say("hint.frag", &[("mtu", mtu)])) } else { failure }
        }
        Refused::NoWay { raw, .. } => {
            let keys: Vec<_> = raw.iter().filter_map(rewritten_key).collect();
            let left = if keys.is_empty() {
                say("hint.another-interface", &[])
            } else {
                say("hint.leave-unset", &[("fields", &keys.join(", "))])
            };
            failure.row("or", left)
        }
        _ => failure,
    }
}

fn another_way(destination: IpAddr) -> String {
    format!("{}  {}", say("hint.another-way", &[]), say("hint.for", &[("destination", &destination)]))
}

fn rewritten_key(objection: &Objection) -> Option<String> {
    match objection {
        Objection::Rewrites(touch) => Some(format!("ip.{}", touch.field.key)),
        _ => None,
    }
}

/// The same command with a payload of zeros or random bytes that fits.
fn smaller(attempt: &Attempt<'_>, over: usize) -> Option<String> {
    let words = attempt.options.text_words().ok()?;
    let at = words.iter().position(|word| word.starts_with("zero=") || word.starts_with("rand="))?;
    let (key, number) = words[at].split_once('=')?;
    let left = number.parse::<usize>().ok()?.checked_sub(over)?;
    let mut words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    words[at] = format!("{key}={left}");
    Some(format!("{} {} {}", attempt.place.prefix(), attempt.verb, words.join(" ")))
}

/// The operating system refused.
fn os(error: &OsError, attempt: &Attempt<'_>) -> Failure {
    let interface = error.interface.as_deref().unwrap_or("the interface");
    let code = error.next.code();
    let exit = match error.next {
        NextStep::GrantNetRaw | NextStep::GrantNetAdmin | NextStep::JoinPingGroup => Exit::NotPermitted,
        _ => Exit::CouldNotSend,
    };
    if error.next == NextStep::GrantNetRaw {
        return grant(Failure::new(exit, code, say("error.grant-net-raw", &[])), attempt);
    }
    let place = match error.address {
        Some(address) if address.port() == 0 => format!(" ({})", address.ip()),
        Some(address) => format!(" ({address})"),
        None => String::new(),
    };
    let said = headline(say(&format!("next.{code}"), &[]));
    let failure = Failure::new(exit, code, said).row("kernel", format!("{}: {}{place}", error.call, error.errno));
    let beside = |command: &str| attempt.place.beside(command);
    match error.next {
        NextStep::AllowInFirewall => failure.row("look", beside("sudo nft list ruleset")),
        NextStep::ChoosePort => failure
            .row("try", again_without(&[], &["sport=", "tcp.sport=", "udp.sport="]))
            .row("look", beside("ss -tuanp")),
        NextStep::BringInterfaceUp => bring_up(failure, interface, attempt.place),
        NextStep::ChooseInterface | NextStep::NameInterface => failure.row("look", beside("ip -brief link")),
        NextStep::AddRoute
        | NextStep::MendBlackholeRoute
        | NextStep::MendProhibitRoute
        | NextStep::MendUnreachableRoute => {
            let of = error.address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
            failure.row("look", beside(routes(of)))
        }
        _ => failure,
    }
}

/// No guard can stand there.
pub(crate) fn guard(error: &GuardError, local: SocketAddr, attempt: &Attempt<'_>) -> Failure {
    // Without a port any was to be taken.
    let place = if local.port() == 0 { local.ip().to_string() } else { crate::verbs::guard::spoken(local) };
    match error {
        GuardError::AddressNotLocal { address } => {
            let said = say("error.use-local-address", &[("address", address)]);
            could_not_send("use-local-address", said).row("look", attempt.place.beside("ip -brief address"))
        }
        GuardError::Port(error) if error.next == NextStep::ChoosePort => {
            let said = say("error.choose-port", &[("place", &place)]);
            let failure = could_not_send(error.next.code(), said);
            let sockets = if attempt.options.udp { "-uanp" } else { "-tanp" };
            let failure = match attempt.place {
                Place::Machine => failure.row("look", format!("ss {sockets} sport = :{}", local.port())),
                // Each lab is new: what holds the port there is this very command.
                Place::Lab(_) => failure.row("or", say("hint.each-port-once", &[])),
            };
            failure.row("or", say("hint.another-source-port", &[]))
        }
        GuardError::Port(error) if error.next == NextStep::ChooseHighPort => {
            let failure = Failure::new(
                Exit::NotPermitted,
                error.next.code(),
                say("error.choose-high-port", &[("place", &place)]),
            );
            failure.row("once", by_root()).row("or", say("hint.port-from-1024", &[]))
        }
        GuardError::Unavailable { tried } => {
            let wished = attempt.options.rung;
            let said = match wished {
                Some(rung) => say("error.no-guard.rung", &[("place", &place), ("rung", &rung.code())]),
                None => say("error.no-guard", &[("place", &place)]),
            };
            let needs_right = tried.iter().any(|(_, error)| error.next == NextStep::GrantNetAdmin);
            let exit = if wished.is_some() && needs_right { Exit::NotPermitted } else { Exit::CouldNotSend };
            let mut failure = Failure::new(exit, "no-guard", headline(said));
            for (rung, error) in tried {
                failure = failure.row(rung.code(), format!("{}: {}", error.call, error.errno));
            }
            if needs_right {
                failure = failure.row("once", by_root());
            }
            let hint = if wished.is_some() { "hint.another-rung" } else { "hint.firewall-rule" };
            failure.row("or", say(hint, &[]))
        }
        GuardError::Port(error) => os(error, attempt),
        other => could_not_send("no-guard", said::guard(other)),
    }
}

/// This command as it was typed, without some options (and their values) and without words that begin in some way.
fn again_without(options: &[&str], words: &[&str]) -> String {
    let args: Vec<String> = std::env::args().skip(1).collect();
    without(&args, options, words)
}

/// This command as it was typed, one of its arguments, or the part of one before its `=`, being another.
pub(crate) fn again_with(wrong: &str, right: &str) -> String {
    let args: Vec<String> = std::env::args().skip(1).collect();
    with(&args, wrong, right)
}

/// This command as it was typed, and more behind it.
pub(crate) fn again_and(more: &str) -> String {
    let args = std::env::args().skip(1).map(|arg| shell_word(&arg));
    ["ww".to_owned()].into_iter().chain(args).chain([more.to_owned()]).collect::<Vec<_>>().join(" ")
}

fn with(args: &[String], wrong: &str, right: &str) -> String {
    let mended = args.iter().map(|arg| match arg.strip_prefix(wrong) {
        Some("") => shell_word(right),
        Some(value) if value.starts_with('=') => shell_word(&format!("{right}{value}")),
        _ => shell_word(arg),
    });
    ["ww".to_owned()].into_iter().chain(mended).collect::<Vec<_>>().join(" ")
}

fn without(args: &[String], options: &[&str], words: &[&str]) -> String {
    let mut line = String::from("ww");
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if options.contains(&arg.as_str()) {
            args.next();
            continue;
        }
        let joined = |option: &&str| {
            let value = arg.strip_prefix(option);
            value.is_some_and(|value| !value.is_empty() && (value.starts_with('=') || !option.starts_with("--")))
        };
        if !options.iter().any(joined) && !words.iter().any(|word| arg.starts_with(word)) {
            line.push(' ');
            line.push_str(&shell_word(arg));
        }
    }
    line
}

/// The path of this program: `sudo` looks for commands along a path of its own.
fn own_path() -> String {
    std::env::current_exe().map_or_else(|_| "ww".to_owned(), |path| shell_word(&path.to_string_lossy()))
}

/// This command as it was typed, run by root.
fn by_root() -> String {
    let args: Vec<String> = std::env::args().skip(1).map(|arg| shell_word(&arg)).collect();
    format!("sudo {} {}", own_path(), args.join(" "))
}

/// The three ways out of a missing `CAP_NET_RAW`.
fn grant(failure: Failure, attempt: &Attempt<'_>) -> Failure {
    failure
        .row("once", by_root())
        .noted("for good", format!("sudo setcap cap_net_raw+ep {}", own_path()), say("hint.after-each-build", &[]))
        .noted("without", format!("ww lab {} {}", attempt.verb, in_the_lab(attempt)), say("hint.practice-network", &[]))
}

/// The words with the destination replaced by the lab's server.
fn in_the_lab(attempt: &Attempt<'_>) -> String {
    let mut replaced = false;
    let words = attempt.options.text_words().unwrap_or_default();
    if attempt.verb == "hand" && words.is_empty() {
        // Who waits on a port finds somebody to talk to there.
        return "server:80".to_owned();
    }
    let mend = |word: &String| {
        let server = if replaced { None } else { as_server(word) };
        replaced |= server.is_some();
        server.unwrap_or_else(|| shell_word(word))
    };
    words.iter().map(mend).collect::<Vec<_>>().join(" ")
}

/// `server` for an address, `server:80` for an address with a port.
fn as_server(word: &str) -> Option<String> {
    if word.starts_with("http://") {
        return Some("http://server/".to_owned());
    }
    if word.parse::<IpAddr>().is_ok() {
        return Some("server".to_owned());
    }
    let (host, port) = word.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_host = !host.is_empty() && !host.contains('=') && !host.contains(':');
    (is_port && is_host).then(|| format!("server:{port}"))
}

#[cfg(test)]
mod tests {
    use super::{as_server, with, without};

    #[test]
    fn a_command_is_typed_again_without_what_was_wrong() {
        let typed = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let iface = ["-i", "--iface"];
        for line in
            ["ask -i lo tcp :80 S", "ask -ilo tcp :80 S", "ask --iface=lo tcp :80 S", "ask tcp :80 S --iface lo"]
        {
            assert_eq!(without(&typed(line), &iface, &[]), "ww ask tcp :80 S");
        }
        assert_eq!(without(&typed("lab ask tcp :80 S sport=9"), &[], &["sport="]), "ww lab ask tcp :80 S");
        assert_eq!(without(&["data=a b".to_owned()], &iface, &[]), "ww 'data=a b'");
        assert_eq!(with(&typed("lab --los 1% ask"), "--los", "--loss"), "ww lab --loss 1% ask");
        assert_eq!(with(&typed("lab --los=1% ask --losses"), "--los", "--loss"), "ww lab --loss=1% ask --losses");
    }

    #[test]
    fn the_destination_becomes_the_labs_server() {
        assert_eq!(as_server("192.0.2.2:80").as_deref(), Some("server:80"));
        assert_eq!(as_server("2001:db8::2").as_deref(), Some("server"));
        assert_eq!(as_server("example.org:http").as_deref(), Some("server:http"));
        for word in ["tcp", "S", ":80", "ts=1:0", "ttl=33"] {
            assert_eq!(as_server(word), None, "{word}");
        }
    }
}
