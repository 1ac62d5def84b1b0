//! Where packets come from: words, hex on the command line, a file, standard input; pasted dumps, packet words, captures.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use capture::{Begins, Frame, Reader, looks_like_capture};
use craft::pasted::{self, Format};
use craft::{First, Packet, Payload, Template};

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

/// Reads the packets of a command line: the words, of which some may stand for many values, or `-` as [`packet`].
///
/// # Errors
/// As [`packet`]; generators that cannot be paired.
pub(crate) fn template(verb: &str, options: &Options, place: &Place<'_>) -> Result<Template, Failure> {
    let words = options.text_words()?;
    let mut template = match words.as_slice() {
        [] => return Err(no_packet(verb, place)),
        [dash] if dash == "-" => Template::from(one_from_stdin(options)?),
        words => craft::template_words(words).map_err(|error| language(place, verb, &error))?,
    };
    template.fill_payload(read_payload)?;
    if !options.zip {
        return Ok(template);
    }
    template.zip().map_err(|error| {
        let ((one, has), (other, has_other)) = (&error.one, &error.other);
        let values: [(&str, &dyn std::fmt::Display); 4] =
            [("one", one), ("has", has), ("other", other), ("has_other", has_other)];
        Failure::usage("zip", say("error.zip", &values)).row("see", "ww help language")
    })
}

fn no_packet(verb: &str, place: &Place<'_>) -> Failure {
    Failure::usage("packet-missing", say("error.packet-missing", &[("verb", &verb)]))
        .row("try", format!("{} {verb} tcp 192.0.2.2:80 S", place.prefix()))
        .row("see", "ww help language")
}

/// Reads the packet of a command line: the words, or `-` for words, dumps or a capture on standard input.
///
/// # Errors
/// A line that is no packet; a payload that cannot be read.
pub(crate) fn packet(verb: &str, options: &Options, place: &Place<'_>) -> Result<Packet, Failure> {
    let words = options.text_words()?;
    let mut packet = match words.as_slice() {
        [] => return Err(no_packet(verb, place)),
        [dash] if dash == "-" => return one_from_stdin(options),
        words => craft::parse_words(words).map_err(|error| language(place, verb, &error))?,
    };
    fill_payload(&mut packet)?;
    Ok(packet)
}

/// A mistake in the language, its corrected line made into a command.
pub(crate) fn language(place: &Place<'_>, verb: &str, error: &craft::LanguageError) -> Failure {
    said::language(error, |line| format!("{} {verb} {line}", place.prefix()), "ww help language")
}

fn one_from_stdin(options: &Options) -> Result<Packet, Failure> {
    let mut found = Vec::new();
    each(&[OsString::from("-")], layer_of(options)?, &mut |item| {
        found.push(item);
        if found.len() > 1 {
            return Err(Failure::usage("one-packet", say("error.one-packet", &[])).row("or", say("hint.see-all", &[])));
        }
        Ok(())
    })?;
    let item = found.pop().ok_or_else(|| Failure::usage("empty", say("error.empty", &[])))?;
    Ok(Packet::from_bytes(&item.bytes, item.first))
}

/// Reads what `file=` and `stdin` stand for.
pub(crate) fn fill_payload(packet: &mut Packet) -> Result<(), Failure> {
    packet.fill_payload(read_payload)
}

fn read_payload(payload: &Payload) -> Result<Vec<u8>, Failure> {
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

fn stream(
    mut source: Box<dyn Read + '_>,
    name: &str,
    layer: Option<First>,
    take: &mut dyn FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut head = Vec::new();
    source.by_ref().take(4).read_to_end(&mut head).map_err(|error| unreadable(name, &error))?;
    let whole = Cursor::new(head.clone()).chain(source);
    if looks_like_capture(&head) {
        return captured(whole, name, layer, take);
    }
    let mut text = Vec::new();
    whole.take(TEXT_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| unreadable(name, &error))?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        return Err(Failure::usage("too-large", say("error.too-large", &[("name", &name), ("max", &TEXT_BYTES_MAX)])));
    }
    match words_in(&text) {
        Some(line) => {
            let mut packet = craft::parse(&line).map_err(|error| language(&Place::Machine, "build", &error))?;
            fill_payload(&mut packet)?;
            let built = packet.build(&crate::context::offline(None)).map_err(|e| crate::explain::build(&e))?;
            take(Item { bytes: built.bytes, first: built.first, source: Source::Words })
        }
        None => pasted(&text, layer, take),
    }
}

/// A packet in words: its first word is a layer.
fn words_in(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let first = text.split_whitespace().next()?;
    (First::from_word(first).is_some() && !text.contains('\n')).then(|| text.to_owned())
}

fn pasted(text: &[u8], layer: Option<First>, take: &mut dyn FnMut(Item) -> Result<(), Failure>) -> Result<(), Failure> {
    let pasted = pasted::read(text).map_err(|error| {
        Failure::usage(error.code.as_str(), said::pasted(&error)).row("it takes", say("hint.dumps", &[]))
    })?;
    let first = layer.unwrap_or(pasted.first);
    take(Item { bytes: pasted.bytes, first, source: Source::Pasted(pasted.format) })
}

fn captured(
    source: impl Read,
    name: &str,
    layer: Option<First>,
    take: &mut dyn FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let broken = |error: &capture::CaptureError| {
        let exit = if matches!(error, capture::CaptureError::Io { .. }) { Exit::CouldNotSend } else { Exit::Usage };
        Failure::new(exit, error.code(), format!("{name}: {}", said::capture(error)))
            .row("what was read", say("hint.read-before", &[]))
    };
    let mut reader = Reader::new(source).map_err(|error| broken(&error))?;
    loop {
        let mut frame = match reader.next() {
            None => return Ok(()),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Err(broken(&error)),
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
