//! The packet language: words become a packet, each word in the one reading that it has.
//!
//! In: a line or words, as a shell hands them over.
//! Out: a [`Packet`], or a [`LanguageError`] with the place, what could stand there, and the corrected line.
//! Above: `parse` and `parse_words`' callers. Below: `value`, `options`, wire's tables.
//! Not here: printing, building, resolving of names.

mod close;
mod error;
mod foreign;
mod layer;
mod names;
mod problem;
mod reader;
mod suggest;
mod words;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use unicode_width::UnicodeWidthStr;

pub use error::{Code, LanguageError};
pub(crate) use names::host;
pub use problem::Problem;

use crate::packet::Packet;
use crate::text::shown;
use error::{Fault, Fix};

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
    if line.len() > MAX_LINE_BYTES {
        return Err(explain(&[], too_long(0)));
    }
    match words::split(line) {
        Ok(words) => parse_words(&words),
        Err(cut) => Err(explain(&cut.0.iter().map(String::as_str).collect::<Vec<_>>(), cut.1)),
    }
}

/// Reads a packet from words, as a shell hands them over: quotes are gone, a word may hold any characters.
///
/// # Errors
/// [`LanguageError`], which prints as a few lines for people.
pub fn parse_words<S: AsRef<str>>(words: &[S]) -> Result<Packet, LanguageError> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let too_many = words.len() > MAX_WORDS || words.iter().map(|word| word.len()).sum::<usize>() > MAX_LINE_BYTES;
    if too_many {
        return Err(explain(&[], too_long(words.len())));
    }
    reader::read(&words).map_err(|fault| explain(&words, fault))
}

fn too_long(words: usize) -> Fault {
    let problem = Problem::TooManyWords { words, words_max: MAX_WORDS, bytes_max: MAX_LINE_BYTES };
    Fault::new(Code::TooLong, 0, problem).no_guess()
}

/// Makes a mistake presentable: its place in the joined line, and the line as it was probably meant.
fn explain(words: &[&str], fault: Fault) -> LanguageError {
    let correction = suggest::correction(words, &fault);
    let mut line = String::new();
    let mut column = None;
    let mut width = 1;
    let mut read = String::new();
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
            let marked = if exact { word.get(part).unwrap_or(word) } else { &text };
            width = marked.width().max(1);
            read = text.clone();
        }
        line.push_str(&text);
    }
    let column = column.unwrap_or(if line.is_empty() { 0 } else { line.len() + 1 });
    let display_column = line.get(..column).map_or(column, UnicodeWidthStr::width);
    let Fault { code, problem, expected, .. } = fault;
    LanguageError {
        code,
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

/// The words after a change.
fn mended(words: &[&str], fix: &Fix) -> Vec<String> {
    let mut mended: Vec<String> = words[..fix.words.start.min(words.len())].iter().map(ToString::to_string).collect();
    mended.extend(fix.with.iter().cloned());
    mended.extend(words.iter().skip(fix.words.end).map(ToString::to_string));
    mended
}
