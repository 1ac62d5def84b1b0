//! `ww build`: make the bytes.

use std::ffi::OsStr;

use craft::{Built, Context, First, Packet};

use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::packets::Packets;
use crate::place::Place;
use crate::record::Recording;
use crate::speech::{say, words};
use crate::{context, explain, said};

/// The words of `--as`.
pub(crate) const FORMS: &[&str] = &["line", "ww", "hex", "json", "draw", "tree", "pcap", "rust", "python", "c"];

/// A form in which a packet is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One line.
    Line,
    /// The packet language.
    Words,
    /// A hexdump; digits on one line where nobody looks.
    Hex,
    /// JSON.
    Json,
    /// The RFC's drawing.
    Draw,
    /// Layers and fields.
    Tree,
    /// A capture file.
    Pcap,
    /// A program that sends it.
    Program(render::Language),
}

impl Form {
    /// Reads `--as`, or takes what the verb prints by itself.
    ///
    /// # Errors
    /// A form that does not exist.
    pub(crate) fn of(options: &Options, default: Self) -> Result<Self, Failure> {
        if options.json {
            return Ok(Self::Json);
        }
        Ok(match options.form.as_deref() {
            None => default,
            Some("line") => Self::Line,
            Some("ww") => Self::Words,
            Some("hex") => Self::Hex,
            Some("json") => Self::Json,
            Some("draw") => Self::Draw,
            Some("tree") => Self::Tree,
            Some("pcap" | "pcapng") => Self::Pcap,
            Some(other) => {
                if let Some(language) = render::Language::ALL.into_iter().find(|it| it.word() == other) {
                    return Ok(Self::Program(language));
                }
                let failure = Failure::usage("form-unknown", say("error.form-unknown", &[("form", &other)]));
                return Err(match crate::suggest::nearest(other, FORMS.iter().copied()) {
                    Some(near) => failure.row("did you mean", explain::again_with(other, near)),
                    None => failure.row("it takes", say("hint.forms", &[])),
                });
            }
        })
    }
}

pub(crate) fn run(options: &Options, out: &Output, place: &Place<'_>) -> Result<Exit, Failure> {
    let form = Form::of(options, Form::Hex)?;
    let mut packets = Packets::read("build", options, place)?;
    packets.resolve("build", options, place)?;
    if let Form::Program(_) = form {
        check_one(options.count.or(packets.count()))?;
    }
    let entropy = context::entropy(options.seed);
    let mut recording = options.write.as_deref().map(Recording::begin).transpose()?;
    let mut piped = match form {
        Form::Pcap => Some(Recording::begin(OsStr::new("-"))?),
        _ => None,
    };
    let mut told = Vec::new();
    let numbers = 0..options.count.or(packets.count()).unwrap_or(u64::MAX);
    for index in numbers {
        let context = context::drawing(context::of_packet(entropy, index));
        let packet = packets.packet(index, entropy)?;
        let built = packet.build(&context).map_err(|error| explain::build(&error))?;
        // What is said of one packet is said once of them all.
        for note in built.notes.iter().filter(|note| index == 0 || !told.contains(*note)) {
            out.tell(&said::note(note));
        }
        if index == 0 {
            told.clone_from(&built.notes);
        }
        let pieces = cut(&packet, built, &context, options)?;
        if let Form::Program(_) = form {
            check_one(u64::try_from(pieces.len()).ok())?;
        }
        for built in pieces {
            for recording in recording.iter_mut().chain(&mut piped) {
                recording.add_built(&built)?;
            }
            if let Form::Program(language) = form {
                print_program(language, &packet, &built, out)?;
            } else if piped.is_none() {
                print(&built.bytes, built.first, form, out)?;
            }
        }
    }
    for recording in recording.iter_mut().chain(&mut piped) {
        recording.flush()?;
    }
    Ok(Exit::Answered)
}

/// The packet, or its fragments under `--frag`.
fn cut(packet: &Packet, built: Built, context: &Context, options: &Options) -> Result<Vec<Built>, Failure> {
    let Some(largest) = options.frag else { return Ok(vec![built]) };
    let pieces = craft::fragment(packet, &built.bytes, largest).map_err(|error| explain::fragment(&error))?;
    if pieces.is_empty() {
        return Ok(vec![built]);
    }
    pieces.iter().map(|piece| piece.build(context).map_err(|error| explain::build(&error))).collect()
}

/// Prints one packet in a form.
///
/// # Errors
/// When standard output cannot take it.
pub(crate) fn print(bytes: &[u8], first: First, form: Form, out: &Output) -> Result<(), Failure> {
    let frame = inspect::dissect(bytes, first);
    let words = words();
    match form {
        Form::Line => out.result(&render::line(&frame, &out.style)),
        Form::Words => out.result(&craft::Packet::from_bytes(bytes, first).to_string()),
        Form::Hex if out.is_terminal() || out.style.color => out.result(&render::hex(&frame, &out.style)),
        Form::Hex | Form::Pcap => out.result(&render::digits(bytes)),
        Form::Json => out.json_line(&render::dissection_json(&frame)),
        Form::Draw => out.result(&render::draw_frame(&frame, &out.style, words)),
        Form::Tree => out.result(&render::tree(&frame, &out.style, words)),
        Form::Program(language) => {
            let packet = Packet::from_bytes(bytes, first);
            let built = packet.build(&context::offline(None)).map_err(|error| explain::build(&error))?;
            print_program(language, &packet, &built, out)
        }
    }
}

/// A program sends one packet: of many, one file each would have to be named.
fn check_one(count: Option<u64>) -> Result<(), Failure> {
    if count == Some(1) {
        return Ok(());
    }
    let count = count.map_or_else(|| "2^64".to_owned(), |count| count.to_string());
    Err(Failure::usage("one-program", say("error.one-program", &[("count", &count)])).row("see", "ww help language"))
}

fn print_program(language: render::Language, packet: &Packet, built: &Built, out: &Output) -> Result<(), Failure> {
    // The words that give the same bytes, whatever was left open in those that were typed.
    let line = Packet::from_bytes(&built.bytes, built.first).to_string();
    match render::program(language, &hand::Outgoing::new(packet, built), built, &line, words()) {
        Some(text) => out.result(&text),
        None => Err(Failure::usage("program-layer", say("error.program-layer", &[("layer", &built.first.key())]))
            .row("see", "ww help language")),
    }
}
