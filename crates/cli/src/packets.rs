//! The packets of one call: words of which some may stand for many values, several with `+` between them, a packet file, or what
//! is read from `-`; made one by one, however many they are.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::rc::Rc;

use craft::{BuildError, First, Packet, PacketFile, Payload, Template};
use net::{Families, Names};

use crate::command::Options;
use crate::context;
use crate::explain::{self, Attempt};
use crate::failure::Failure;
use crate::input::{self, Found, Opened};
use crate::names;
use crate::place::Place;
use crate::said;
use crate::speech::say;

/// The packets of one call.
#[derive(Clone, Debug)]
pub(crate) struct Packets {
    source: Source,
    /// The line of a file that is at work, ready to make packets.
    at_work: Option<(usize, Template)>,
}

#[derive(Clone, Debug)]
enum Source {
    Words(Box<Template>),
    Lines(Rc<Lines>),
}

/// Lines that were all found right: of a file, or packets that stand between `+`.
#[derive(Debug)]
struct Lines {
    text: Text,
    zip: bool,
    /// The number of the first packet of each line.
    starts: Vec<u64>,
    /// How many packets it stands for; `None`: more than 2^64 − 1.
    total: Option<u64>,
    names: Known,
    families: Families,
}

/// Where lines come from.
#[derive(Debug)]
enum Text {
    /// A file, and its name as it is shown.
    File(PacketFile, String),
    /// Packets of the command line, what they carry read.
    Words(Vec<Template>),
}

impl Text {
    fn len(&self) -> usize {
        match self {
            Self::File(file, _) => file.len(),
            Self::Words(packets) => packets.len(),
        }
    }
}

/// What names stand for, each looked up once.
#[derive(Debug, Default)]
struct Known(BTreeMap<String, Result<Vec<IpAddr>, String>>);

impl Names for Known {
    fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        self.0.get(name).cloned().unwrap_or(Ok(Vec::new()))
    }
}

/// What a command line names, where frames of a capture may be sent too.
pub(crate) enum Asked {
    /// Packets.
    Packets(Packets),
    /// The frames of a capture, as they are.
    Capture(Opened),
}

impl Packets {
    /// Reads the packets that a command line names, or finds that it names a capture.
    ///
    /// # Errors
    /// As [`read`](Self::read); options that are for a capture alone, and there is none.
    pub(crate) fn or_capture(verb: &str, options: &Options, place: &Place<'_>) -> Result<Asked, Failure> {
        let words = options.text_words()?;
        if let Some(source) = source_of(&words) {
            match input::found(source, None, true)? {
                Found::Capture(opened) => return Ok(Asked::Capture(opened)),
                found => {
                    no_capture(options)?;
                    return Self::of_found(found, verb, options, place).map(Asked::Packets);
                }
            }
        }
        no_capture(options)?;
        Self::read(verb, options, place).map(Asked::Packets)
    }

    /// Reads the packets that a command line names, all of them, before the first is made.
    ///
    /// # Errors
    /// Words or lines that are no packets; a payload that cannot be read; generators that cannot be paired; in a file, names
    /// that nobody knows.
    pub(crate) fn read(verb: &str, options: &Options, place: &Place<'_>) -> Result<Self, Failure> {
        let words = options.text_words()?;
        if words.is_empty() {
            return Err(no_packet(verb, place));
        }
        let Some(source) = source_of(&words) else {
            let mut packets = craft::packets_words(&words).map_err(|error| input::language(place, verb, &error))?;
            packets.iter_mut().try_for_each(|template| template.fill_payload(input::read_payload))?;
            return match <[Template; 1]>::try_from(packets) {
                Ok([template]) => {
                    check_longest(&template)?;
                    Ok(Self::of(zipped(template, options.zip)?))
                }
                Err(packets) => Self::of_lines(Text::Words(packets), verb, options, place),
            };
        };
        Self::of_found(input::found(source, input::layer_of(options)?, false)?, verb, options, place)
    }

    fn of_found(found: Found, verb: &str, options: &Options, place: &Place<'_>) -> Result<Self, Failure> {
        match found {
            Found::Packet(packet) => Ok(Self::of(packet.into())),
            Found::File(file, name) => Self::of_lines(Text::File(file, name), verb, options, place),
            // Nobody who wants one comes here.
            Found::Capture(_) => Ok(Self::of(Packet::default().into())),
        }
    }

    fn of(template: Template) -> Self {
        Self { source: Source::Words(template.into()), at_work: None }
    }

    fn of_lines(text: Text, verb: &str, options: &Options, place: &Place<'_>) -> Result<Self, Failure> {
        let families = names::families(options);
        let (starts, names) = (Vec::with_capacity(text.len()), Known::default());
        let mut lines = Lines { text, zip: options.zip, starts, total: Some(0), names, families };
        for line in 0..lines.text.len() {
            let template = lines.template(line)?;
            check_longest(&template).map_err(|failure| lines.on(line, failure))?;
            lines.starts.push(lines.total.unwrap_or(u64::MAX));
            lines.total = lines.total.zip(template.count()).and_then(|(all, these)| all.checked_add(these));
        }
        lines.resolve(verb, options, place)?;
        Ok(Self { source: Source::Lines(Rc::new(lines)), at_work: None })
    }

    /// Fills in addresses for names in words; those in a file have theirs.
    ///
    /// # Errors
    /// A name that nobody knows, or that has no address of the version wanted.
    pub(crate) fn resolve(&mut self, verb: &str, options: &Options, place: &Place<'_>) -> Result<(), Failure> {
        match &mut self.source {
            Source::Words(template) => names::resolve_all(template, verb, options, place),
            Source::Lines(_) => Ok(()),
        }
    }

    /// How many they are; `None`: more than 2^64 − 1.
    pub(crate) fn count(&self) -> Option<u64> {
        match &self.source {
            Source::Words(template) => template.count(),
            Source::Lines(lines) => lines.total,
        }
    }

    /// Whether it is one packet written out.
    pub(crate) fn is_plain(&self) -> bool {
        match &self.source {
            Source::Words(template) => template.is_plain(),
            Source::Lines(lines) => lines.total == Some(1),
        }
    }

    /// The longest packet of the words, or of each line.
    pub(crate) fn longest(&self) -> Box<dyn Iterator<Item = Packet> + '_> {
        match &self.source {
            Source::Words(template) => Box::new(std::iter::once(longest_of(template))),
            Source::Lines(lines) => {
                let templates = (0..lines.text.len()).filter_map(|line| lines.template(line).ok());
                Box::new(templates.map(|template| longest_of(&template)))
            }
        }
    }

    /// Packet number `index`, from 0; behind the last one it begins again.
    ///
    /// # Errors
    /// A payload that can no longer be read.
    pub(crate) fn packet(&mut self, index: u64, entropy: [u8; 32]) -> Result<Packet, Failure> {
        let lines = match &self.source {
            Source::Words(template) => return Ok(template.packet(index, entropy)),
            Source::Lines(lines) => lines.clone(),
        };
        let (line, own) = lines.place(index);
        if self.at_work.as_ref().is_none_or(|(at, _)| *at != line) {
            let mut template = lines.template(line)?;
            // Each name was looked up, and fitted, when the file was read.
            let _fits = net::resolve_template(&mut template, &lines.names, lines.families);
            self.at_work = Some((line, template));
        }
        let template = self.at_work.as_ref().map(|(_, template)| template);
        Ok(template.map_or_else(Packet::default, |template| template.packet(own, drawn(entropy, line))))
    }
}

impl Packets {
    /// Makes packet number `index` out of another one of these.
    ///
    /// # Errors
    /// As [`packet`](Self::packet).
    pub(crate) fn refill(&mut self, index: u64, entropy: [u8; 32], packet: &mut Packet) -> Result<(), Failure> {
        match &self.source {
            Source::Words(template) => template.refill(index, entropy, packet),
            Source::Lines(_) => *packet = self.packet(index, entropy)?,
        }
        Ok(())
    }

    /// The outermost layer in which they differ; `None`: nowhere.
    pub(crate) fn differ_from_layer(&self) -> Option<usize> {
        match &self.source {
            Source::Words(template) => template.differs_from_layer(),
            Source::Lines(_) => Some(0),
        }
    }
}

impl Lines {
    /// The packets of a line, what they carry read.
    fn template(&self, line: usize) -> Result<Template, Failure> {
        let here = |failure: Failure| self.on(line, failure);
        let template = match &self.text {
            Text::Words(packets) => packets[line].clone(),
            Text::File(file, name) => {
                let mut template = file.template(line).map_err(|error| said::file(name, &error))?;
                template.fill_payload(payload_in_file).map_err(here)?;
                template
            }
        };
        zipped(template, self.zip).map_err(here)
    }

    /// A failure on a line of the file.
    fn on(&self, line: usize, mut failure: Failure) -> Failure {
        if let Text::File(file, name) = &self.text {
            let values: [(&str, &dyn Display); 3] =
                [("name", name), ("line", &file.line_number(line)), ("problem", &failure.headline)];
            failure.headline = say("packet-file.on-line", &values);
        }
        failure
    }

    /// Looks up each name of each line, once.
    fn resolve(&mut self, verb: &str, options: &Options, place: &Place<'_>) -> Result<(), Failure> {
        let asked = place.names(options);
        for line in 0..self.text.len() {
            let mut template = self.template(line)?;
            for (name, _) in template.names() {
                if !self.names.0.contains_key(name) {
                    self.names.0.insert(name.to_owned(), asked.addresses(name));
                }
            }
            net::resolve_template(&mut template, &self.names, self.families)
                .map_err(|error| self.on(line, explain::net(&error, &Attempt { verb, options, place })))?;
        }
        Ok(())
    }

    /// The line that packet number `index` is on, and its number among those of that line.
    fn place(&self, index: u64) -> (usize, u64) {
        let total = self.total.unwrap_or(u64::MAX).max(1);
        let (round, index) = (index / total, index % total);
        let line = self.starts.partition_point(|&start| start <= index).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let end = self.starts.get(line + 1).copied().unwrap_or(total);
        (line, (index - start).wrapping_add(round.wrapping_mul(end - start)))
    }
}

/// What a line of a file carries. Standard input can be read once, and a line is read again.
fn payload_in_file(payload: &Payload) -> Result<Vec<u8>, Failure> {
    match payload {
        Payload::Stdin => Err(Failure::usage("stdin-in-file", say("error.stdin-in-file", &[])).row("or", "file=PATH")),
        other => input::read_payload(other),
    }
}

/// What the values of a line are drawn from: lines that are written alike draw otherwise.
fn drawn(mut entropy: [u8; 32], line: usize) -> [u8; 32] {
    for (byte, count) in entropy[24..].iter_mut().zip((line as u64).to_le_bytes()) {
        *byte ^= count;
    }
    entropy
}

/// Refuses what is for the frames of a capture alone.
fn no_capture(options: &Options) -> Result<(), Failure> {
    let rewrites = (!options.rewrites.is_empty()).then_some("rewrite");
    match options.replay.given().or(rewrites) {
        None => Ok(()),
        Some(option) => {
            Err(Failure::usage("option-conflict", say("error.option-conflict.capture", &[("option", &option)]))
                .row("see", "ww help send"))
        }
    }
}

/// The file that words name, or `-`; `None`: they are a packet. A packet begins with a layer, so a word with a `/` in it, a
/// word that ends as a packet file or a capture does and the name of a file that is there are a file, if they are no layer's.
pub(crate) fn source_of(words: &[String]) -> Option<&str> {
    let [word] = words else { return None };
    let is_layer = word == "raw" || First::from_word(word).is_some();
    let ends = [".ww", ".pcap", ".pcapng", ".cap", ".gz"].iter().any(|end| word.ends_with(end));
    let is_path = word.contains('/') || ends || std::path::Path::new(word).is_file();
    (word == "-" || (is_path && !is_layer)).then_some(word)
}

fn no_packet(verb: &str, place: &Place<'_>) -> Failure {
    Failure::usage("packet-missing", say("error.packet-missing", &[("verb", &verb)]))
        .row("try", format!("{} {verb} tcp 192.0.2.2:80 S", place.prefix()))
        .row("see", "ww help language")
}

/// The packet that carries the most.
fn longest_of(template: &Template) -> Packet {
    template.longest().unwrap_or_else(|| template.packet(0, [0; 32]))
}

/// Packets of growing length end before they are too long: the longest is made before the first is sent.
fn check_longest(template: &Template) -> Result<(), Failure> {
    let Some(packet) = template.longest() else { return Ok(()) };
    match packet.build(&context::offline(None)) {
        // A name is as long as any other.
        Ok(_) | Err(BuildError::NameUnresolved { .. }) => Ok(()),
        Err(error) => Err(explain::build(&error)),
    }
}

/// Pairs generators where `--zip` says so.
fn zipped(template: Template, zip: bool) -> Result<Template, Failure> {
    if !zip {
        return Ok(template);
    }
    template.zip().map_err(|error| {
        let ((one, has), (other, has_other)) = (&error.one, &error.other);
        let values: [(&str, &dyn Display); 4] =
            [("one", one), ("has", has), ("other", other), ("has_other", has_other)];
        Failure::usage("zip", say("error.zip", &values)).row("see", "ww help language")
    })
}
