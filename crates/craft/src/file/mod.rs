//! Packet files: one packet a line, with comments, a version and variables.
//!
//! In: the text of a file.
//! Out: a [`PacketFile`], which holds the text once and reads line by line; a [`FileError`] with line and column.
//! Above: cli, Rust programs. Below: `language`, `template`.
//! Not here: opening files, what `file=` names, sending.

mod error;
mod variables;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use error::FileError;

use crate::first::First;
use crate::language::words::{self, Word};
use crate::language::{Code, Problem, template_words};
use crate::template::Template;
use error::Mistake;
use variables::{Expanded, Variables};

/// The version of the packet language that is read and printed.
pub const LANGUAGE_VERSION: u32 = 1;

/// The most lines with a packet or a variable in one file: sixteen bytes are kept for each.
pub const FILE_LINES_MAX: usize = 1 << 20;

/// A packet file, read and found right: its text, and where each packet stands. Each line is a [`Template`], made when it is
/// asked for, so that a file takes its own size and no more, however many packets it stands for.
///
/// ```
/// let file = wirewright_craft::PacketFile::read("ww 1\nhost = 192.0.2.2\nudp $host:53,123 # two\ntcp $host:80 S\n".into())?;
/// assert_eq!(file.len(), 2);
/// assert_eq!(file.template(0)?.count(), Some(2));
/// assert_eq!(file.template(1)?.to_string(), "ip 192.0.2.2 / tcp :80 S");
/// # Ok::<(), wirewright_craft::FileError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PacketFile {
    text: String,
    variables: Variables,
    /// Where each packet's line begins, in bytes.
    packets: Vec<usize>,
}

/// What a line of a file is.
enum Line {
    Nothing,
    Version,
    Variable(String),
    Packet,
}

impl PacketFile {
    /// Whether a text is meant as a packet file: it begins with the version, with a layer, or with a variable and has a layer
    /// further below. (`x = b'\x45'` alone is a line of Python.)
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let is_layer = |word: &str| word == "raw" || First::from_word(word).is_some();
        let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut firsts = lines.filter_map(|line| Some((line, line.split_whitespace().next()?)));
        match firsts.next() {
            None => false,
            Some((_, word)) if word == "ww" || is_layer(word) => true,
            Some((line, _)) => {
                let name = line.split_once('=').map_or("", |(name, _)| name.trim().trim_start_matches('$'));
                variables::is_name(name) && firsts.any(|(_, word)| is_layer(word))
            }
        }
    }

    /// Reads the text of a file, each line of it.
    ///
    /// # Errors
    /// The first line that is no packet, no variable and no comment; a version that is not known; a variable that is unknown,
    /// set twice or names itself.
    pub fn read(text: String) -> Result<Self, FileError> {
        let mut file = Self { text, variables: Variables::default(), packets: Vec::new() };
        let mut at = if file.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut begun = false;
        while at < file.text.len() {
            let (words, next) = file.words_at(at)?;
            match file.kind_of(&words, begun).map_err(|mistake| file.error(*mistake))? {
                Line::Nothing => {}
                Line::Version => begun = true,
                Line::Variable(name) => {
                    file.variables.set(name, at);
                    begun = true;
                }
                Line::Packet => {
                    file.packets.push(at);
                    begun = true;
                }
            }
            if file.packets.len() + file.variables.len() > FILE_LINES_MAX {
                let problem = Problem::TooManyLines { max: FILE_LINES_MAX };
                return Err(file.error(Mistake::at(&words, 0, Code::TooLong, problem)));
            }
            at = next;
        }
        file.variables.check(&file.text).map_err(|mistake| file.error(*mistake))?;
        if file.packets.is_empty() {
            return Err(file.error(Mistake::at(&[], 0, Code::NoPackets, Problem::NoPackets {})));
        }
        for index in 0..file.packets.len() {
            file.template(index)?;
        }
        Ok(file)
    }

    /// How many lines have a packet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether no line has a packet: never, for a file that was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// The packets of line number `index` of those that have some, from 0.
    ///
    /// # Errors
    /// None for a file that was read; [`Code::NoPackets`] behind the last line.
    pub fn template(&self, index: usize) -> Result<Template, FileError> {
        let Some(&at) = self.packets.get(index) else {
            return Err(self.error(Mistake::at(&[], 0, Code::NoPackets, Problem::NoPackets {})));
        };
        let (words, _) = self.words_at(at)?;
        let expanded = self.variables.expand(&self.text, &words).map_err(|mistake| self.error(*mistake))?;
        template_words(&expanded.words).map_err(|error| self.placed(&words, &expanded, error))
    }

    /// The number of the line, from 1, on which packets number `index` begin.
    #[must_use]
    pub fn line_number(&self, index: usize) -> usize {
        error::line_number(&self.text, self.packets.get(index).copied().unwrap_or(self.text.len()))
    }

    fn words_at(&self, at: usize) -> Result<(Vec<Word>, usize), FileError> {
        words::line(&self.text, at).map_err(|cut| {
            let (words, _) = &*cut;
            let source = words.clone();
            let expanded = Expanded::plain(&source);
            self.placed(&source, &expanded, crate::language::explain_cut(*cut))
        })
    }

    /// What a line is; `begun`: others stood before it.
    fn kind_of(&self, words: &[Word], begun: bool) -> Result<Line, Box<Mistake>> {
        let Some(first) = words.first() else { return Ok(Line::Nothing) };
        if first.text == "ww" {
            return version(words, begun).map(|()| Line::Version);
        }
        let second = words.get(1).map_or("", |word| word.text.as_str());
        if second != "=" && !second.starts_with('=') && !first.text.contains('=') {
            return Ok(Line::Packet);
        }
        if second != "=" || !variables::is_name(&first.text) {
            return Err(variables::wrong_form(words));
        }
        match self.variables.place(&first.text) {
            None => Ok(Line::Variable(first.text.clone())),
            Some(before) => {
                let line = error::line_number(&self.text, before);
                let problem = Problem::VariableTwice { name: first.text.clone(), line };
                Err(Mistake::at(words, 0, Code::Variable, problem).boxed())
            }
        }
    }
}

/// Reads `ww 1`.
fn version(words: &[Word], begun: bool) -> Result<(), Box<Mistake>> {
    let right = || alloc::format!("ww {LANGUAGE_VERSION}");
    if begun {
        return Err(Mistake::at(words, 0, Code::Version, Problem::VersionNotFirst {}).boxed());
    }
    let number = words.get(1).map_or("", |word| word.text.as_str());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_number || words.len() > 2 {
        let at = usize::from(words.len() > 1) + usize::from(is_number);
        return Err(Mistake::at(words, at, Code::Version, Problem::VersionForm {}).corrected(right()).boxed());
    }
    if number == LANGUAGE_VERSION.to_string() {
        return Ok(());
    }
    let problem = Problem::VersionUnknown { version: number.into(), known: LANGUAGE_VERSION };
    Err(Mistake::at(words, 1, Code::Version, problem)
        .expected([LANGUAGE_VERSION.to_string()])
        .corrected(right())
        .boxed())
}
