//! Errors of the libraries as sentences: the code of an error is its key in the catalogue, its values are the sentence's.
//!
//! `Display` of a library's error says the same in English, for Rust programmers; the tests here hold the two together.

use std::fmt::Display;
use std::io;

use capture::{CaptureError, Fault, Part};
use craft::pasted::PasteError;
use craft::{BuildError, FileError, FragmentError, LanguageError, Note, Problem};
use lab::{Hint, LabError, PlaceError, RecordError, Refusal, Rung, Step};
use link::GuardError;
use net::StreamError;

use crate::failure::Failure;
use crate::speech::{label, say};

/// A sentence whose values are texts already.
fn say_texts(key: &str, values: &[(&'static str, String)]) -> String {
    let values: Vec<(&str, &dyn Display)> = values.iter().map(|(name, text)| (*name, text as &dyn Display)).collect();
    say(key, &values)
}

/// What is wrong with words.
pub(crate) fn problem(problem: &Problem) -> String {
    let mut values = problem.values();
    if let (Some(inner), Some((_, text))) = (problem.why(), values.iter_mut().find(|(name, _)| *name == "why")) {
        *text = self::problem(inner);
    }
    say_texts(&format!("language.{}", problem.code()), &values)
}

/// A mistake in the language: the sentence, the line with the place, what may stand there. The corrected line, made a
/// command, is the caller's.
pub(crate) fn language(error: &LanguageError, corrected: impl FnOnce(&str) -> String, see: &str) -> Failure {
    let values: [(&str, &dyn Display); 2] =
        [("column", &(error.display_column + 1)), ("problem", &problem(&error.problem))];
    let expected: Vec<String> = error.expected.iter().map(|word| expected(word)).collect();
    let headline = error.told(&say("language.at", &values), &label("here may stand"), &expected);
    let failure = Failure::usage(error.code.as_str(), headline);
    match &error.correction {
        Some(line) => failure.row("did you mean", corrected(line)),
        None => failure.row("see", see),
    }
}

/// A mistake in a packet file: as [`language`], with the file's line and the place in it.
pub(crate) fn file(name: &str, error: &FileError) -> Failure {
    let FileError { line, error, stands_for, .. } = error;
    let values: [(&str, &dyn Display); 4] = [
        ("name", &name),
        ("line", line),
        ("column", &(error.display_column + 1)),
        ("problem", &problem(&error.problem)),
    ];
    let expected: Vec<String> = error.expected.iter().map(|word| expected(word)).collect();
    let headline = error.told(&say("packet-file.at", &values), &label("here may stand"), &expected);
    let failure = Failure::usage(error.code.as_str(), headline);
    let failure = match stands_for {
        Some(meaning) => failure.row("stands for", meaning.as_str()),
        None => failure,
    };
    match &error.correction {
        Some(line) => failure.row("did you mean", &**line),
        None => failure.row("see", "ww help language"),
    }
}

/// What may stand somewhere: words of the language as they are, and one description.
fn expected(word: &str) -> String {
    match word.strip_prefix("flags as ") {
        Some(flags) => say("language.flags-as", &[("flags", &flags)]),
        None => word.to_owned(),
    }
}

/// What is wrong with what was pasted.
pub(crate) fn pasted(error: &PasteError) -> String {
    let problem = say_texts(&format!("paste.{}", error.problem.code()), &error.problem.values());
    if error.line == 0 {
        return problem;
    }
    say("paste.at", &[("line", &error.line), ("column", &error.column), ("problem", &problem)])
}

/// Why a packet cannot be cut.
pub(crate) fn fragment(error: &FragmentError) -> String {
    let key = format!("cut.{}", error.code());
    match error {
        FragmentError::FragmentAlready { layer } => say(&key, &[("layer", layer)]),
        FragmentError::LimitTooSmall { limit, .. } => say(&key, &[("limit", limit)]),
        FragmentError::OffsetTooLarge { len } => say(&key, &[("len", len)]),
        FragmentError::Build(error) => build(error),
        FragmentError::LayersTooMany => build(&BuildError::LayersTooMany),
        _ => say(&key, &[]),
    }
}

/// Why a packet cannot become bytes.
pub(crate) fn build(error: &BuildError) -> String {
    let key = format!("build.{}", error.code());
    match error {
        BuildError::NameUnresolved { name } => say(&key, &[("name", &name.escape_debug())]),
        BuildError::AddressUnreadable { text } | BuildError::EntryUnreadable { text } => {
            say(&key, &[("text", &text.escape_debug())])
        }
        BuildError::WrongFamily { name, address } => say(&key, &[("name", &name.escape_debug()), ("address", address)]),
        BuildError::FieldMissing { layer, key: field } | BuildError::NotAChecksum { layer, key: field } => {
            say(&key, &[("layer", layer), ("field", field)])
        }
        BuildError::ValueTooLarge { layer, key: field, value, max } => {
            say(&key, &[("layer", layer), ("field", field), ("value", value), ("max", max)])
        }
        BuildError::LayersTooMany => say(&key, &[("max", &craft::MAX_LAYERS)]),
        BuildError::PayloadTooLong { len } => say(&key, &[("len", len), ("max", &craft::MAX_PAYLOAD_BYTES)]),
        _ => say(&key, &[]),
    }
}

/// What the maker of a packet should know, behind the word that says so.
pub(crate) fn note(note: &Note) -> String {
    let key = format!("note.{}", note.code());
    let said = match note {
        Note::SourceUnknown { field, .. } | Note::NextHopUnknown { field, .. } => say(&key, &[("field", field)]),
        _ => say(&key, &[]),
    };
    say("ask.note", &[("note", &said)])
}

/// What is wrong with a capture.
pub(crate) fn capture(error: &CaptureError) -> String {
    let key = format!("capture.{}", error.code());
    match error {
        CaptureError::Io { error, offset } => say(&key, &[("byte", offset), ("said", &error)]),
        CaptureError::NotACapture { have: 0, .. } => say("capture.not-a-capture.empty", &[]),
        CaptureError::NotACapture { starts, have } => {
            let bytes: Vec<String> = starts.iter().take(*have).map(|byte| format!("{byte:02x}")).collect();
            say("capture.not-a-capture.begins", &[("bytes", &bytes.join(" "))])
        }
        CaptureError::Truncated { part, offset, need, have } => {
            say(&key, &[("part", &self::part(*part)), ("byte", offset), ("need", need), ("have", have)])
        }
        CaptureError::TooLarge { part, offset, size } => {
            say(&key, &[("part", &self::part(*part)), ("byte", offset), ("size", size)])
        }
        CaptureError::Malformed { part, offset, fault, .. } => {
            say(&key, &[("part", &self::part(*part)), ("byte", offset), ("fault", &self::fault(*fault))])
        }
        CaptureError::DamagedGz { offset } => say(&key, &[("byte", offset)]),
        CaptureError::Unwritable(fault) => say(&key, &[("fault", &self::fault(*fault))]),
        _ => error.to_string(),
    }
}

fn part(part: Part) -> String {
    match part {
        Part::FileHeader => say("capture.part.file-header", &[]),
        Part::Packet(number) => say("capture.part.packet", &[("number", &number)]),
        Part::Block(kind) => say("capture.part.block", &[("kind", &format!("{kind:#x}"))]),
        Part::BlockBehind(0) => say("capture.part.first-block", &[]),
        Part::BlockBehind(number) => say("capture.part.block-behind", &[("number", &number)]),
        _ => part.to_string(),
    }
}

fn fault(fault: Fault) -> String {
    say(&format!("capture.fault.{}", fault.code()), &[])
}

/// Why a stream failed.
pub(crate) fn stream(error: &StreamError) -> String {
    match error {
        StreamError::Os(error) => error.to_string(),
        StreamError::Guard(error) => guard(error),
        StreamError::NoRoute { prohibited: true } => say("stream.prohibited", &[]),
        StreamError::NoInterface { name } | StreamError::NotEthernet { name } | StreamError::NoFreeAddress { name } => {
            say(&format!("stream.{}", error.code()), &[("name", name)])
        }
        StreamError::AddressOfAll { address } => say("stream.address-of-all", &[("address", address)]),
        StreamError::AddressElsewhere { address, name } => {
            say("stream.address-elsewhere", &[("address", address), ("name", name)])
        }
        StreamError::AddressTaken { address, by: Some(mac) } => {
            say("stream.address-taken", &[("address", address), ("mac", mac)])
        }
        StreamError::AddressTaken { address, by: None } => say("stream.address-taken.kernel", &[("address", address)]),
        StreamError::Misuse(misuse) => say(&format!("stream.{}", misuse.code()), &[]),
        StreamError::Ended(ended) => say(&format!("stream.{}", tcp::CallError::Ended(*ended).code()), &[]),
        StreamError::Unreachable(trouble) => {
            say("stream.trouble", &[("address", &trouble.from), ("code", &trouble.kind.code())])
        }
        other => say(&format!("stream.{}", other.code()), &[]),
    }
}

/// Why there is no guard.
pub(crate) fn guard(error: &GuardError) -> String {
    match error {
        GuardError::AddressNotLocal { address } => say("guard.address-not-local", &[("address", address)]),
        GuardError::Unavailable { tried } => {
            let tried: Vec<String> = tried.iter().map(|(rung, error)| format!("{}: {error}", rung.code())).collect();
            [vec![say("guard.unavailable", &[])], tried].concat().join("; ")
        }
        GuardError::NotOfAPort { rung } => say("guard.not-of-a-port", &[("rung", &rung.code())]),
        GuardError::Port(error) => error.to_string(),
        _ => error.to_string(),
    }
}

/// What the lab stands on.
pub(crate) fn rung(rung: Rung) -> String {
    match rung {
        Rung::UserNamespace => say("lab.rung.user-namespace", &[]),
        Rung::NetworkNamespace => say("lab.rung.network-namespace", &[]),
        Rung::Loopback => say("lab.rung.loopback", &[]),
        Rung::InProcess => say("lab.rung.in-process", &[]),
    }
}

/// Why a rung was not taken.
pub(crate) fn refusal(refusal: &Refusal) -> String {
    let said = os(&io::Error::from_raw_os_error(refusal.errno));
    let text = format!("{}: {}: {said}", rung(refusal.rung), step(refusal.step));
    match refusal.hint {
        Some(hint) => format!("{text} ({})", self::hint(hint)),
        None => text,
    }
}

fn step(step: Step) -> String {
    match step {
        Step::Wire(port) => say("lab.step.wire", &[("port", port)]),
        Step::Offload(port) => say("lab.step.offload", &[("port", port)]),
        Step::BringUp(port) => say("lab.step.bring-up", &[("port", port)]),
        Step::Address(port, family) => say("lab.step.address", &[("port", port), ("version", &family)]),
        Step::Route(host, family) => say("lab.step.route", &[("host", &host), ("version", &family)]),
        Step::Carrier(port) => say("lab.step.carrier", &[("port", port)]),
        Step::Solicited(port) => say("lab.step.solicited", &[("port", port)]),
        Step::Echo(from, to, family) => say("lab.step.echo", &[("from", &from), ("to", &to), ("version", &family)]),
        Step::Services => say("lab.step.services", &[]),
        Step::Builder => say("lab.step.builder", &[]),
        // What is left are calls and files.
        other => other.to_string(),
    }
}

fn hint(hint: Hint) -> String {
    match hint {
        Hint::UserNamespaceLimit => say("lab.hint.limit", &[("setting", &"user.max_user_namespaces")]),
        Hint::NetworkNamespaceLimit => say("lab.hint.limit", &[("setting", &"user.max_net_namespaces")]),
        Hint::UnprivilegedUsernsClone => say("lab.hint.zero", &[("setting", &"kernel.unprivileged_userns_clone")]),
        Hint::AppArmor => say("lab.hint.apparmor", &[]),
        Hint::Seccomp => say("lab.hint.seccomp", &[]),
        Hint::ReadOnlyProc => say("lab.hint.read-only-proc", &[]),
        Hint::NeedsRoot => say("lab.hint.needs-root", &[]),
        Hint::NeedsNetRaw => say("lab.hint.needs-net-raw", &[]),
        other => other.to_string(),
    }
}

/// What a lab does without.
pub(crate) fn lab_note(note: &lab::Note) -> String {
    let because = |key: &str, errno: i32| format!("{}: {}", say(key, &[]), os(&io::Error::from_raw_os_error(errno)));
    match note {
        lab::Note::NoIpv6 => say("lab.note.no-ipv6", &[]),
        lab::Note::NoPidNamespace { errno } => because("lab.note.no-pid-namespace", *errno),
        lab::Note::NoMounts { errno } => because("lab.note.no-mounts", *errno),
        lab::Note::NoHostsFile { errno } => because("lab.note.no-hosts-file", *errno),
        other => other.to_string(),
    }
}

/// Why there is no lab; its refusals are told one by one.
pub(crate) fn lab(error: &LabError) -> String {
    match error {
        LabError::NotFirst { threads } => say("lab.not-first", &[("threads", threads)]),
        other => other.to_string(),
    }
}

/// What cannot be done on a host of the lab.
pub(crate) fn place(error: &PlaceError) -> String {
    match error {
        PlaceError::NoSuchHost { host, rung } => {
            say("lab.no-such-host", &[("host", host), ("rung", &self::rung(*rung))])
        }
        PlaceError::Os { host, error } => say("lab.on-host", &[("host", host), ("said", &os(error))]),
        other => other.to_string(),
    }
}

/// Why a lab is not recorded.
pub(crate) fn record(error: &RecordError) -> String {
    match error {
        RecordError::Place(error) => place(error),
        RecordError::Socket { port, error } => say("lab.record.socket", &[("port", port), ("said", error)]),
        RecordError::Thread { error } => say("lab.record.thread", &[("said", &os(error))]),
        RecordError::Sink { error } => say("lab.record.sink", &[("said", &os(error))]),
        other => other.to_string(),
    }
}

/// The operating system's words without `(os error N)`; the usual ones in the language that is spoken.
pub(crate) fn os(error: &io::Error) -> String {
    let key = match error.kind() {
        io::ErrorKind::NotFound => "os.not-found",
        io::ErrorKind::PermissionDenied if error.raw_os_error() == Some(1) => "os.not-permitted",
        io::ErrorKind::PermissionDenied => "os.permission-denied",
        io::ErrorKind::IsADirectory => "os.is-a-directory",
        io::ErrorKind::NotADirectory => "os.not-a-directory",
        io::ErrorKind::StorageFull => "os.storage-full",
        io::ErrorKind::AddrInUse => "os.address-in-use",
        _ => "",
    };
    if !key.is_empty() && error.raw_os_error().is_some() {
        return say(key, &[]);
    }
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

/// What a paste was read as. Formats are called by their programs' names; some have none.
pub(crate) fn format(format: craft::pasted::Format) -> String {
    use craft::pasted::Format;
    match format {
        Format::Hex => say("format.hex", &[]),
        Format::LittleEndianWords => say("format.little-endian-words", &[]),
        Format::WiresharkDump => say("format.wireshark-dump", &[]),
        Format::EscapedString => say("format.escaped-string", &[]),
        Format::PythonBytes => say("format.python-bytes", &[]),
        Format::CArray => say("format.c-array", &[]),
        Format::RustArray => say("format.rust-array", &[]),
        other => other.title().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn what_a_capture_lacks_is_said_as_the_library_says_it() {
        let (offset, size) = (84, 1 << 30);
        let parts = [Part::FileHeader, Part::Packet(3), Part::Block(6), Part::BlockBehind(0), Part::BlockBehind(7)];
        for part in parts {
            for fault in Fault::ALL {
                let error = CaptureError::Malformed { part, offset, fault: *fault, recoverable: true };
                assert_eq!(capture(&error), error.to_string());
            }
            for error in [
                CaptureError::Truncated { part, offset, need: 76, have: 66 },
                CaptureError::TooLarge { part, offset, size },
            ] {
                assert_eq!(capture(&error), error.to_string());
            }
        }
        for error in [
            CaptureError::NotACapture { starts: [0; 4], have: 0 },
            CaptureError::NotACapture { starts: *b"GIF8", have: 4 },
            CaptureError::DamagedGz { offset },
            CaptureError::Unwritable(Fault::TooLong),
            CaptureError::Io { error: io::Error::other("gone"), offset },
        ] {
            assert_eq!(capture(&error), error.to_string());
        }
    }

    #[test]
    fn what_a_builder_refuses_is_said_as_the_library_says_it() {
        let (name, text) = ("host\n".to_owned(), "1.2".to_owned());
        let (layer, key) = ("ip", "len");
        for error in [
            BuildError::NameUnresolved { name: name.clone() },
            BuildError::AddressUnreadable { text },
            BuildError::WrongFamily { name, address: IpAddr::V4(Ipv4Addr::LOCALHOST) },
            BuildError::PayloadNotRead,
            BuildError::EntryUnreadable { text: "x:Q\n".to_owned() },
            BuildError::PayloadTwice,
            BuildError::FieldMissing { layer, key },
            BuildError::ValueTooLarge { layer, key, value: 70_000, max: 65_535 },
            BuildError::NotAChecksum { layer, key },
            BuildError::LayersTooMany,
            BuildError::PayloadTooLong { len: 2 << 20 },
        ] {
            assert_eq!(build(&error), error.to_string());
        }
        for it in [
            Note::SourceUnknown { layer: 0, field: "ip.src" },
            Note::NextHopUnknown { layer: 0, field: "eth.dst" },
            Note::PseudoHeaderMissing { layer: 0 },
            Note::MistakeWithoutEffect { layer: 0 },
        ] {
            assert_eq!(note(&it), format!("note: {it}"));
        }
    }

    #[test]
    fn why_a_stream_failed_is_said_as_the_library_says_it() {
        use tcp::Ended;
        let ends = [
            Ended::Finished,
            Ended::ResetByPeer,
            Ended::Refused,
            Ended::TimedOut,
            Ended::AbortedByUser,
            Ended::Unreachable,
            Ended::DataLost,
        ];
        let mut all: Vec<StreamError> = ends.map(StreamError::Ended).into();
        all.extend([true, false].map(|prohibited| StreamError::NoRoute { prohibited }));
        all.extend([StreamError::TimedOut { last: None }, StreamError::EngineGone]);
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (name, mac) = ("eth0".to_owned(), wire::MacAddr([2, 0, 0, 0, 0, 1]));
        all.extend([
            StreamError::NoInterface { name: name.clone() },
            StreamError::NotEthernet { name: name.clone() },
            StreamError::NoFreeAddress { name: name.clone() },
            StreamError::AddressOfAll { address },
            StreamError::AddressElsewhere { address, name },
            StreamError::AddressTaken { address, by: Some(mac) },
            StreamError::AddressTaken { address, by: None },
            StreamError::Guard(GuardError::NotOfAPort { rung: link::Rung::OwnAddress }),
            StreamError::Guard(GuardError::AddressNotLocal { address }),
            StreamError::Guard(GuardError::Unavailable { tried: Vec::new() }),
        ]);
        for error in all {
            assert_eq!(stream(&error), error.to_string());
        }
    }

    #[test]
    fn why_there_is_no_lab_is_said_as_the_library_says_it() {
        use lab::{Family, Host, PORTS};
        let port = &PORTS[0];
        for it in Rung::ALL {
            assert_eq!(rung(it), it.to_string());
        }
        for it in [
            Step::Fork,
            Step::Setting(0),
            Step::Wire(port),
            Step::Offload(port),
            Step::BringUp(port),
            Step::Address(port, Family::V4),
            Step::Route(Host::Client, Family::V6),
            Step::Carrier(port),
            Step::Solicited(port),
            Step::Echo(Host::Client, Host::Server, Family::V4),
            Step::Services,
            Step::Builder,
        ] {
            assert_eq!(step(it), it.to_string());
        }
        for it in [
            Hint::UserNamespaceLimit,
            Hint::NetworkNamespaceLimit,
            Hint::UnprivilegedUsernsClone,
            Hint::AppArmor,
            Hint::Seccomp,
            Hint::ReadOnlyProc,
            Hint::NeedsRoot,
            Hint::NeedsNetRaw,
        ] {
            assert_eq!(hint(it), it.to_string());
            for errno in [1, 2, 13, 20, 21, 28, 98, 110] {
                let it = Refusal { rung: Rung::Loopback, step: Step::RawSocket, errno, hint: Some(it) };
                assert_eq!(refusal(&it), it.to_string());
            }
        }
        for it in [
            lab::Note::NoIpv6,
            lab::Note::NoPidNamespace { errno: 1 },
            lab::Note::NoMounts { errno: 1 },
            lab::Note::NoHostsFile { errno: 13 },
            lab::Note::NoSetting { setting: 0, errno: 1 },
        ] {
            assert_eq!(lab_note(&it), it.to_string());
        }
    }
}
