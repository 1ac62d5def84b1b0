//! Why words are no packet: where, what was read, what could stand there, and the line as it was probably meant.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::problem::Problem;

/// Why words are no packet. `Display` gives a few lines for people: the sentence, the line with the place underlined, what
/// could stand there, and the corrected line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LanguageError {
    /// What kind of mistake it is.
    pub code: Code,
    /// The number of the word at fault, from 0; as many as there are words where one is missing at the end.
    pub word: u32,
    /// Where the mistake begins in that word, in bytes.
    pub within: u32,
    /// The words as one line, quoted where they need it; nothing in it can disturb a terminal.
    pub line: Box<str>,
    /// Where the mistake begins: bytes from the start of `line`.
    pub column: usize,
    /// Where the mistake begins on a terminal: columns from the start of `line`.
    pub display_column: usize,
    /// How many columns of a terminal it takes; at least 1.
    pub display_width: usize,
    /// The word that was read; empty where one is missing.
    pub read: Box<str>,
    /// What is wrong.
    pub problem: Box<Problem>,
    /// What could stand there.
    pub expected: Vec<String>,
    /// The whole line, corrected.
    pub correction: Option<Box<str>>,
}

/// The kinds of mistakes in a line. Their codes are never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// There are no words.
    Empty,
    /// More than fits: words, layers, payload.
    TooLong,
    /// A quote is not closed, or is not a single quote.
    Quote,
    /// A layer should stand here.
    LayerExpected,
    /// No layer has this word.
    UnknownLayer,
    /// The layer has no such word.
    UnknownWord,
    /// The layer has no such field or option.
    UnknownKey,
    /// There is no layer of this name below.
    LayerNotBelow,
    /// The value does not fit the field.
    BadValue,
    /// The value is larger than the field.
    ValueTooLarge,
    /// Types of messages of different forms, and a field that only one of the forms has.
    ManyForms,
    /// Many packets where one is wanted.
    OnePacket,
    /// No address, or one of a family that cannot stand here.
    BadAddress,
    /// A port where there are none.
    PortNotHere,
    /// A field, the flags, the payload set a second time.
    SetTwice,
    /// TCP or UDP without a destination port.
    PortMissing,
    /// No destination address.
    AddressMissing,
    /// A field that cannot fill itself is not set.
    FieldMissing,
    /// The payload cannot be read.
    BadPayload,
    /// Options that do not fit into the header.
    OptionsTooLong,
    /// A packet file of another version of the language, or one whose version stands where it cannot.
    Version,
    /// A variable of a packet file: unknown, twice, naming itself, too long.
    Variable,
    /// A packet file without packets.
    NoPackets,
}

impl Code {
    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::Quote => "quote",
            Self::LayerExpected => "layer-expected",
            Self::UnknownLayer => "unknown-layer",
            Self::UnknownWord => "unknown-word",
            Self::UnknownKey => "unknown-key",
            Self::LayerNotBelow => "layer-not-below",
            Self::BadValue => "bad-value",
            Self::ValueTooLarge => "value-too-large",
            Self::ManyForms => "many-forms",
            Self::OnePacket => "one-packet",
            Self::BadAddress => "bad-address",
            Self::PortNotHere => "port-not-here",
            Self::SetTwice => "set-twice",
            Self::PortMissing => "port-missing",
            Self::AddressMissing => "address-missing",
            Self::FieldMissing => "field-missing",
            Self::BadPayload => "bad-payload",
            Self::OptionsTooLong => "options-too-long",
            Self::Version => "version",
            Self::Variable => "variable",
            Self::NoPackets => "no-packets",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The longest part of a line that is shown around a mistake, in bytes: a payload of a megabyte is not repeated.
const SHOWN_MAX: usize = 160;

/// Columns that the list of what may stand somewhere ends before, its margin included: it fits into 80.
const EXPECTED_END: usize = 78;

impl LanguageError {
    /// The lines for people around a sentence in any language: the sentence, the line with the place underlined, and behind
    /// the label `may` what could stand there. Without the corrected line.
    #[must_use]
    pub fn told(&self, sentence: &str, may: &str, expected: &[String]) -> String {
        let mut text = String::from(sentence);
        if self.line.len() <= SHOWN_MAX {
            let (line, column, width) = (&self.line, self.display_column, self.display_width);
            text += &format!("\n    {line}\n    {:1$}{2:^<3$}", "", column, "", width);
        } else {
            let word: String = self.read.chars().take(SHOWN_MAX).collect();
            text += &format!("\n    … {word} …");
        }
        if expected.is_empty() {
            return text;
        }
        text += &format!("\n    {may}: ");
        let margin = 4 + may.width() + 2;
        let mut column = 0;
        for (at, expected) in expected.iter().enumerate() {
            match (at, margin + column + expected.width() > EXPECTED_END) {
                (0, _) => {}
                (_, false) => text.push_str(", "),
                (_, true) => {
                    text += &format!(",\n{:margin$}", "");
                    column = 0;
                }
            }
            text.push_str(expected);
            column += expected.width() + 2;
        }
        text
    }

    /// The corrected line, where it is short enough to be shown.
    #[must_use]
    pub fn shown_correction(&self) -> Option<&str> {
        self.correction.as_deref().filter(|line| line.len() <= SHOWN_MAX)
    }
}

impl fmt::Display for LanguageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = format!("column {}: {}", self.display_column + 1, self.problem);
        f.write_str(&self.told(&sentence, "here may stand", &self.expected))?;
        match self.shown_correction() {
            Some(line) => write!(f, "\n    did you mean:   {line}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for LanguageError {}

/// A mistake while reading: at a word, or where one is missing.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    /// The word; the number of words when one is missing at the end.
    pub(crate) word: usize,
    /// The offending bytes of the word; `None`: all of it.
    pub(crate) part: Option<Range<usize>>,
    pub(crate) problem: Box<Problem>,
    pub(crate) expected: Vec<String>,
    /// Replacements that the finder of the mistake knows, best first.
    pub(crate) fixes: Vec<Fix>,
    /// The mistake is not a misspelling: no similar words are looked for.
    pub(crate) final_word: bool,
}

/// A change of the words that may mend a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fix {
    /// The words to be replaced.
    pub(crate) words: Range<usize>,
    /// What comes in their place.
    pub(crate) with: Vec<String>,
}

impl Fault {
    pub(crate) fn new(code: Code, word: usize, problem: Problem) -> Self {
        Self {
            code,
            word,
            part: None,
            problem: Box::new(problem),
            expected: Vec::new(),
            fixes: Vec::new(),
            final_word: false,
        }
    }

    pub(crate) fn part(mut self, part: Range<usize>) -> Self {
        self.part = Some(part);
        self
    }

    pub(crate) fn expected(mut self, expected: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.expected.extend(expected.into_iter().map(Into::into));
        self
    }

    /// The word at fault becomes `with`.
    pub(crate) fn fix(self, with: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let words = self.word..self.word + 1;
        self.fix_words(words, with)
    }

    pub(crate) fn fix_words(mut self, words: Range<usize>, with: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.fixes.push(Fix { words, with: with.into_iter().map(Into::into).collect() });
        self
    }

    /// No similar words are looked for.
    pub(crate) fn no_guess(mut self) -> Self {
        self.final_word = true;
        self
    }
}
