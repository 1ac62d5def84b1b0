//! Where packets come from: words, hex on the command line, a file, standard input; pasted dumps, packet words, captures.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use capture::{Begins, Frame, Reader, looks_like_capture};
use craft::pasted::{self, Format};
use craft::{First, Packet, PacketFile, Payload};

use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::place::Place;
use crate::said;
use crate::speech::say;

/// The most bytes of one pasted text: a megabyte of payload in the widest dump takes six.
const TEXT_BYTES_MAX: u64 = 16 << 20;

/// The most bytes read for `file=` and `stdin`: what a packet can carry, and one more to see that it is too much.
const PAYLOAD_BYTES_MAX: u64 = craft::MAX_PAYLOAD_BYTES as u64 + 1;

/// Where bytes came from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A pasted text, and what it was recognised as.
    Pasted(Format),
    /// Words of the packet language.
    Words,
    /// A frame of a capture: everything but its bytes.
    Captured {
        /// The frame, its bytes taken out.
        frame: Frame,
        /// The interface's name, or empty.
        interface: String,
    },
}

/// One packet as it was read.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they begin with.
    pub first: First,
    /// Where they came from.
    pub source: Source,
}

/// A mistake in the language, its corrected line made into a command.
pub(crate) fn language(place: &Place<'_>, verb: &str, error: &craft::LanguageError) -> Failure {
    said::language(error, |line| format!("{} {verb} {line}", place.prefix()), "ww help language")
}

/// What a file or standard input holds, for who wants packets to send.
pub(crate) enum Found {
    /// A packet file, and its name as it is shown.
    File(PacketFile, String),
    /// One packet, as bytes.
    Packet(Packet),
    /// A capture, for who sends its frames.
    Capture(Opened),
}

/// A capture of which nothing is read yet.
pub(crate) struct Opened {
    /// Its bytes.
    pub source: Box<dyn Read>,
    /// Its name as it is shown.
    pub name: String,
    /// Where it can be read once more: it is a file, no pipe.
    pub path: Option<String>,
}

/// Reads a file, or `-`: a packet file, or one packet as a dump or in a capture. Where captures are wanted, one is not read.
///
/// # Errors
/// What cannot be read; more than one packet that is no words.
pub(crate) fn found(path: &str, layer: Option<First>, wants_captures: bool) -> Result<Found, Failure> {
    let mut again = None;
    let (source, name): (Box<dyn Read>, String) = match path {
        "-" => (Box::new(io::stdin().lock()), say("name.stdin", &[])),
        path => {
            let file = File::open(path).map_err(|error| no_file(path, &error))?;
            again = file.metadata().is_ok_and(|it| it.is_file()).then(|| path.to_owned());
            (Box::new(file), render::escape(path).into_owned())
        }
    };
    let mut found = Vec::new();
    let mut take = |item| {
        found.push(item);
        if found.len() > 1 {
            return Err(Failure::usage("one-packet", say("error.one-packet", &[])).row("or", say("hint.see-all", &[])));
        }
        Ok(())
    };
    match content(source, &name)? {
        Content::Capture(source) if wants_captures => {
            return Ok(Found::Capture(Opened { source, name, path: again }));
        }
        Content::Capture(source) => captured(source, &name, layer, &mut take)?,
        Content::Packets(file) => return Ok(Found::File(file, name)),
        Content::Text(text) => pasted(&text, layer, &mut take)?,
    }
    let item = found.pop().ok_or_else(|| Failure::usage("empty", say("error.empty", &[])))?;
    Ok(Found::Packet(Packet::from_bytes(&item.bytes, item.first)))
}

/// Reads what `file=` and `stdin` stand for.
pub(crate) fn fill_payload(packet: &mut Packet) -> Result<(), Failure> {
    packet.fill_payload(read_payload)
}

pub(crate) fn read_payload(payload: &Payload) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match payload {
        Payload::File(path) => {
            let path = expand_home(path);
            File::open(&path)
                .and_then(|file| file.take(PAYLOAD_BYTES_MAX).read_to_end(&mut bytes))
                .map_err(|error| unreadable(&path, &error))
        }
        _ => io::stdin().lock().take(PAYLOAD_BYTES_MAX).read_to_end(&mut bytes).map_err(|e| unreadable("-", &e)),
    };
    read.map(|_| bytes)
}

/// `~/` is ours to expand: inside `file=~/x` no shell does it.
fn expand_home(path: &str) -> String {
    match (path.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => path.to_owned(),
    }
}

fn unreadable(path: &str, error: &io::Error) -> Failure {
    // The nearest thing on the way to it that is there: the file itself, or the folder in which it is missing.
    let there = Path::new(path).ancestors().find(|it| it.exists()).unwrap_or(Path::new(".")).to_string_lossy();
    Failure::usage("file", format!("{}: {}", render::escape(path), said::os(error)))
        .row("look", format!("ls -l {}", render::shell_word(&there)))
}

/// What `--layer` says that bytes begin with.
///
/// # Errors
/// A word that is no layer.
pub(crate) fn layer_of(options: &Options) -> Result<Option<First>, Failure> {
    let Some(word) = &options.layer else { return Ok(None) };
    First::from_word(word).map(Some).ok_or_else(|| {
        Failure::usage("layer-unknown", say("error.layer-unknown.option", &[("layer", word)]))
            .row("it takes", say("hint.layers", &[]))
    })
}

/// Reads packets from arguments: hex digits, a file's name, or `-`; each packet goes to `take` as it is read.
///
/// # Errors
/// What cannot be read, after all that could be; and whatever `take` returns.
pub(crate) fn each(
    args: &[OsString],
    layer: Option<First>,
    take: &mut dyn FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let texts: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let joined = texts.join(" ");
    if texts.iter().all(|text| is_hex(text)) {
        return pasted(joined.as_bytes(), layer, take);
    }
    match args {
        [dash] if dash == "-" => stream(Box::new(io::stdin().lock()), &say("name.stdin", &[]), layer, take),
        [path] => {
            let shown = render::escape(&texts[0]).into_owned();
            let file = File::open(path).map_err(|error| no_file(&texts[0], &error))?;
            stream(Box::new(file), &shown, layer, take)
        }
        _ => Err(Failure::usage("one-input", say("error.one-input", &[])).row(
            "try",
            format!("ww build {}", texts.iter().map(|text| render::shell_word(text)).collect::<Vec<_>>().join(" ")),
        )),
    }
}

/// An argument of hex digits alone is a packet (with the dividers that people put between bytes).
fn is_hex(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') && digits != ":"
}

fn no_file(name: &str, error: &io::Error) -> Failure {
    let shown = render::escape(name);
    let failure = Failure::usage("file", format!("{shown}: {}", said::os(error)));
    if craft::parse(name).is_ok() || First::from_word(name).is_some() {
        return failure.row("a packet in words", format!("ww build --as tree {shown}"));
    }
    failure.row("it takes", say("hint.input", &[]))
}

/// What a source was recognised as.
enum Content<'s> {
    Capture(Box<dyn Read + 's>),
    Packets(PacketFile),
    Text(Vec<u8>),
}

fn content<'s>(mut source: Box<dyn Read + 's>, name: &str) -> Result<Content<'s>, Failure> {
    let mut head = Vec::new();
    source.by_ref().take(4).read_to_end(&mut head).map_err(|error| unreadable(name, &error))?;
    let is_capture = looks_like_capture(&head);
    let whole = Cursor::new(head).chain(source);
    if is_capture {
        return Ok(Content::Capture(Box::new(whole)));
    }
    let mut text = Vec::new();
    whole.take(TEXT_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| unreadable(name, &error))?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        return Err(Failure::usage("too-large", say("error.too-large", &[("name", &name), ("max", &TEXT_BYTES_MAX)])));
    }
    match String::from_utf8(text) {
        Ok(text) if PacketFile::looks_like(&text) => {
            PacketFile::read(text).map(Content::Packets).map_err(|error| said::file(name, &error))
        }
        Ok(text) => Ok(Content::Text(text.into_bytes())),
        Err(error) => Ok(Content::Text(error.into_bytes())),
    }
}

fn stream(
    source: Box<dyn Read + '_>,
    name: &str,
    layer: Option<First>,
    take: &mut dyn FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    match content(source, name)? {
        Content::Capture(source) => captured(source, name, layer, take),
        Content::Packets(file) => built(&file, name, take),
        Content::Text(text) => pasted(&text, layer, take),
    }
}

/// The packets of a file, each as its bytes.
fn built(file: &PacketFile, name: &str, take: &mut dyn FnMut(Item) -> Result<(), Failure>) -> Result<(), Failure> {
    for line in 0..file.len() {
        let mut template = file.template(line).map_err(|error| said::file(name, &error))?;
        template.fill_payload(read_payload)?;
        let entropy = crate::context::entropy(None);
        for (packet, index) in template.packets(entropy).zip(0..) {
            let context = crate::context::drawing(crate::context::of_packet(entropy, index));
            let built = packet.build(&context).map_err(|error| crate::explain::build(&error))?;
            take(Item { bytes: built.bytes, first: built.first, source: Source::Words })?;
        }
    }
    Ok(())
}

fn pasted(text: &[u8], layer: Option<First>, take: &mut dyn FnMut(Item) -> Result<(), Failure>) -> Result<(), Failure> {
    let pasted = pasted::read(text).map_err(|error| {
        Failure::usage(error.code.as_str(), said::pasted(&error)).row("it takes", say("hint.dumps", &[]))
    })?;
    let first = layer.unwrap_or(pasted.first);
    take(Item { bytes: pasted.bytes, first, source: Source::Pasted(pasted.format) })
}

/// A capture that cannot be read on.
pub(crate) fn broken(name: &str, error: &capture::CaptureError) -> Failure {
    let exit = if matches!(error, capture::CaptureError::Io { .. }) { Exit::CouldNotSend } else { Exit::Usage };
    Failure::new(exit, error.code(), format!("{name}: {}", said::capture(error)))
        .row("what was read", say("hint.read-before", &[]))
}

fn captured(
    source: impl Read,
    name: &str,
    layer: Option<First>,
    take: &mut dyn FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut reader = Reader::new(source).map_err(|error| broken(name, &error))?;
    loop {
        let mut frame = match reader.next() {
            None => return Ok(()),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Err(broken(name, &error)),
        };
        let interface = reader.interfaces()[frame.interface].clone();
        let Some((begins, skip)) = interface.link_type.begins(&frame.bytes) else {
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("name", &name), ("number", &frame.number), ("type", &interface.link_type.0)];
            return Err(Failure::usage("link-type", say("error.link-type", &values))
                .row("it takes", say("hint.link-types", &[])));
        };
        let bytes = frame.bytes.split_off(skip.min(frame.bytes.len()));
        let first = layer.unwrap_or(match begins {
            Begins::Ethernet => First::Ethernet,
            Begins::EtherType(number) => wire::next::ether_type(number).map_or(First::Ip, First::of),
            _ => First::Ip,
        });
        take(Item { bytes, first, source: Source::Captured { frame, interface: interface.name } })?;
    }
}
