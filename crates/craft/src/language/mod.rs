//! The packet language: words become a packet, each word in the one reading that it has.
//!
//! In: a line or words, as a shell hands them over.
//! Out: a [`Packet`], or a [`LanguageError`] with the place, what could stand there, and the corrected line.
//! Above: `parse` and `parse_words`' callers. Below: `value`, `options`, wire's tables.
//! Not here: printing, building, resolving of names.

mod applications;
mod close;
mod complete;
mod dns;
mod error;
mod foreign;
mod layer;
mod names;
mod problem;
mod reader;
mod suggest;
pub(crate) mod words;

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use unicode_width::UnicodeWidthStr;

pub use complete::{Completion, Completions, complete};
pub use error::{Code, LanguageError};
pub(crate) use names::host;
pub use problem::Problem;
pub(crate) use suggest::nearest;

use crate::packet::Packet;
use crate::template::Template;
use crate::text::shown;
use error::{Fault, Fix};
use reader::Written;

/// The most words of one packet: ten times what its fields and options together can need.
pub const MAX_WORDS: usize = 1024;

/// The most bytes of all words together: a payload of the largest size as hexadecimal digits, and room for the rest.
pub const MAX_LINE_BYTES: usize = 2 * crate::MAX_PAYLOAD_BYTES * 2 + (1 << 16);

/// Reads a packet from a line of the packet language.
///
/// Words are divided by white space; single quotes hold text together; a `#` at the start of a word begins a comment.
///
/// # Errors
/// [`LanguageError`], which prints as a few lines for people.
///
/// ```
/// let packet = wirewright_craft::parse("tcp 192.0.2.2:80 S ttl=33")?;
/// assert_eq!(packet.to_string(), "ip 192.0.2.2 ttl=33 / tcp :80 S");
///
/// let error = wirewright_craft::parse("tcp 192.0.2.2:80 S tll=33").unwrap_err();
/// assert_eq!(error.correction.as_deref(), Some("tcp 192.0.2.2:80 S ttl=33"));
/// assert_eq!(error.column, 19);
/// # Ok::<(), wirewright_craft::LanguageError>(())
/// ```
pub fn parse(line: &str) -> Result<Packet, LanguageError> {
    parse_words(&split(line)?)
}

/// Reads a packet from words, as a shell hands them over: quotes are gone, a word may hold any characters.
///
/// # Errors
/// [`LanguageError`], which prints as a few lines for people; [`Code::OnePacket`] where a word stands for many values.
pub fn parse_words<S: AsRef<str>>(words: &[S]) -> Result<Packet, LanguageError> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let (template, written) = read(&words)?;
    match written.first() {
        None => Ok(template.into_first()),
        Some(at) => Err(explain(&words, one_packet(&template, &words, at))),
    }
}

/// Reads packets from a line of the packet language: as [`parse`], and words may stand for many values.
///
/// # Errors
/// [`LanguageError`], which prints as a few lines for people.
///
/// ```
/// let template = wirewright_craft::parse_template("tcp 192.0.2.0/30:22,80 S")?;
/// assert_eq!(template.count(), Some(8));
/// assert_eq!(template.to_string(), "ip 192.0.2.0/30 / tcp :22,80 S");
/// assert_eq!(template.packet(3, [0; 32]).to_string(), "ip 192.0.2.1 / tcp :80 S");
/// # Ok::<(), wirewright_craft::LanguageError>(())
/// ```
pub fn parse_template(line: &str) -> Result<Template, LanguageError> {
    template_words(&split(line)?)
}

/// Reads packets from words, as a shell hands them over.
///
/// # Errors
/// [`LanguageError`], which prints as a few lines for people.
pub fn template_words<S: AsRef<str>>(words: &[S]) -> Result<Template, LanguageError> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    read(&words).map(|(template, _)| template)
}

/// Reads packets divided by a lone `+`, as a shell hands over their words; each may stand for many.
///
/// # Errors
/// [`LanguageError`] with its place in the whole line, and the whole line corrected.
///
/// ```
/// let both = wirewright_craft::packets_words(&["icmp", "192.0.2.2", "+", "udp", "192.0.2.2:7,9"])?;
/// assert_eq!(both.iter().map(|template| template.count()).collect::<Vec<_>>(), [Some(1), Some(2)]);
/// # Ok::<(), wirewright_craft::LanguageError>(())
/// ```
pub fn packets_words<S: AsRef<str>>(words: &[S]) -> Result<Vec<Template>, LanguageError> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    if is_too_long(&words) {
        return Err(explain(&[], too_long(words.len())));
    }
    let mut templates = Vec::new();
    let mut start = 0;
    for part in words.split(|word| *word == NEXT_PACKET) {
        let end = start + part.len();
        if part.is_empty() && !words.is_empty() {
            let word = words[end.min(words.len() - 1)].into();
            let problem = match start {
                0 => Problem::BeginsWithDivider { word },
                _ => Problem::LayerShouldFollow { word: NEXT_PACKET.into() },
            };
            let fault = Fault::new(Code::LayerExpected, start, problem).expected(reader::layer_words()).no_guess();
            return Err(explain(&words, fault));
        }
        match read(part) {
            Ok((template, _)) => templates.push(template),
            Err(error) => return Err(error.within(&words[..start], &words[end..])),
        }
        start = end + 1;
    }
    Ok(templates)
}

/// The word between packets.
const NEXT_PACKET: &str = "+";

/// Reads fields and options from a line of the packet language: the words of a layer, of which only what is written matters, so
/// that no port and no address is missing. `src dst ttl tos` may stand without a layer: those of IP, whichever version it is
/// ([`Layer::is_any_version`](crate::Layer::is_any_version)).
///
/// # Errors
/// As [`parse`].
///
/// ```
/// let packet = wirewright_craft::parse_fields("tcp mss=1380")?;
/// assert_eq!(packet.layer("tcp").map(|tcp| tcp.options()), Some(&[2, 4, 0x05, 0x64][..]));
/// # Ok::<(), wirewright_craft::LanguageError>(())
/// ```
pub fn parse_fields(line: &str) -> Result<Packet, LanguageError> {
    let mut words = split(line)?;
    let key = words.first().and_then(|word| word.split_once('=')).map(|(key, _)| key);
    let has_layer = !key.is_some_and(|key| layer::REACHING.contains(&key));
    if !has_layer {
        words.insert(0, ANY_LAYER.to_owned());
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if is_too_long(&words) {
        return Err(explain(&[], too_long(words.len())));
    }
    let read = reader::read_fields(&words).and_then(|(template, written)| match written.first() {
        None => Ok(template.into_first()),
        Some(at) => Err(one_packet(&template, &words, at)),
    });
    read.map_err(|fault| {
        let error = explain_as(&words, fault, reader::read_fields);
        if has_layer { error } else { without_layer(error) }
    })
}

/// The layer that is read where none is written: any above IP that says nothing of its version.
const ANY_LAYER: &str = "udp";

/// The mistake in the line as it was typed, without the layer that was put before it.
fn without_layer(mut error: LanguageError) -> LanguageError {
    let put = ANY_LAYER.len() + 1;
    error.line = error.line.get(put..).unwrap_or_default().into();
    error.word = error.word.saturating_sub(1);
    error.column = error.column.saturating_sub(put);
    error.display_column = error.display_column.saturating_sub(put);
    error.correction = error.correction.and_then(|line| Some(line.get(put..)?.into()));
    error
}

/// The words of a line.
pub(crate) fn split(line: &str) -> Result<Vec<String>, LanguageError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(explain(&[], too_long(0)));
    }
    words::split(line).map_err(|cut| explain_cut(*cut))
}

/// A mistake in the quotes, made presentable.
pub(crate) fn explain_cut((words, fault): (Vec<words::Word>, Fault)) -> LanguageError {
    explain(&words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), fault)
}

fn read(words: &[&str]) -> Result<(Template, Vec<Written>), LanguageError> {
    if is_too_long(words) {
        return Err(explain(&[], too_long(words.len())));
    }
    if let Some(at) = words.iter().position(|word| *word == NEXT_PACKET) {
        let fault = Fault::new(Code::OnePacket, at, Problem::NextPacket {}).no_guess();
        return Err(explain(words, fault.fix_words(at..words.len(), [""; 0])));
    }
    reader::read(words).map_err(|fault| explain(words, fault))
}

fn is_too_long(words: &[&str]) -> bool {
    words.len() > MAX_WORDS || words.iter().map(|word| word.len()).sum::<usize>() > MAX_LINE_BYTES
}

/// A generator where one packet is wanted: the line with its first value is the corrected one.
fn one_packet(template: &Template, words: &[&str], at: &Written) -> Fault {
    let word = words.get(at.word).copied().unwrap_or_default();
    let text = word.get(at.part.clone()).unwrap_or(word);
    let fault = Fault::new(Code::OnePacket, at.word, Problem::ManyPackets { word: shown(text) }).part(at.part.clone());
    let fault = fault.no_guess();
    match (word.get(..at.part.start), template.first_value(), word.get(at.part.end..)) {
        (Some(before), Some(value), Some(behind)) => fault.fix([[before, &value, behind].concat()]),
        _ => fault,
    }
}

fn too_long(words: usize) -> Fault {
    let problem = Problem::TooManyWords { words, words_max: MAX_WORDS, bytes_max: MAX_LINE_BYTES };
    Fault::new(Code::TooLong, 0, problem).no_guess()
}

/// Makes a mistake presentable: its place in the joined line, and the line as it was probably meant.
pub(crate) fn explain(words: &[&str], fault: Fault) -> LanguageError {
    explain_as(words, fault, reader::read)
}

fn explain_as(words: &[&str], fault: Fault, read: suggest::Read) -> LanguageError {
    let correction = suggest::correction(words, &fault, read);
    let mut line = String::new();
    let mut column = None;
    let mut width = 1;
    let mut read = String::new();
    let mut within = 0;
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        let text = shown(word);
        if index == fault.word {
            let part = fault.part.clone().unwrap_or(0..word.len());
            // A quoted word has a quote in front of its value.
            let exact = text == *word;
            let skip = if exact { part.start } else { 0 };
            column = Some(line.len() + skip);
            within = skip;
            let marked = if exact { word.get(part).unwrap_or(word) } else { &text };
            width = marked.width().max(1);
            read = text.clone();
        }
        line.push_str(&text);
    }
    let column = column.unwrap_or(if line.is_empty() { 0 } else { line.len() + 1 });
    let display_column = line.get(..column).map_or(column, UnicodeWidthStr::width);
    let Fault { code, word, problem, expected, .. } = fault;
    LanguageError {
        code,
        word: u32::try_from(word).unwrap_or(u32::MAX),
        within: u32::try_from(within).unwrap_or(u32::MAX),
        line: line.into(),
        column,
        display_column,
        display_width: width,
        read: read.into(),
        problem,
        expected,
        correction: correction.map(Into::into),
    }
}

impl LanguageError {
    /// The same mistake in a longer line, between these words.
    fn within(mut self, before: &[&str], after: &[&str]) -> Self {
        let join = |words: &[&str]| words.iter().map(|word| shown(word)).collect::<Vec<_>>().join(" ");
        let lead = if before.is_empty() { String::new() } else { join(before) + " " };
        let tail = if after.is_empty() { String::new() } else { String::from(" ") + &join(after) };
        let within = |line: &str| [&lead, line, &tail].concat().into();
        self.correction = self.correction.as_deref().map(within);
        self.line = [&lead, &*self.line, &tail].concat().into();
        self.word += u32::try_from(before.len()).unwrap_or(u32::MAX);
        self.column += lead.len();
        self.display_column += lead.width();
        self
    }
}

/// The words after a change.
fn mended(words: &[&str], fix: &Fix) -> Vec<String> {
    let mut mended: Vec<String> = words[..fix.words.start.min(words.len())].iter().map(ToString::to_string).collect();
    mended.extend(fix.with.iter().cloned());
    mended.extend(words.iter().skip(fix.words.end).map(ToString::to_string));
    mended
}
