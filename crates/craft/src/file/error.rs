//! A mistake in a packet file: the line as it stands there, the place in it, and the line as it was probably meant.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::PacketFile;
use super::variables::{Expanded, meaning};
use crate::language::words::Word;
use crate::language::{Code, LanguageError, Problem, split};
use crate::text::{is_harmless, shown};

/// Why a text is no packet file. `Display` gives a few lines for people, as a [`LanguageError`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong; its line is the file's, its columns are those of that line.
    pub error: Box<LanguageError>,
    /// The word at fault and what it stands for, where a variable is in it: `$name: words`.
    pub stands_for: Option<String>,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}", self.line, self.error)?;
        match &self.stands_for {
            Some(meaning) => write!(f, "\n    stands for:   {meaning}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for FileError {}

/// A mistake that no packet has: in a version, in a variable.
#[derive(Clone, Debug)]
pub(super) struct Mistake {
    /// Its bytes in the file.
    range: Range<usize>,
    /// The word.
    read: String,
    code: Code,
    problem: Problem,
    expected: Vec<String>,
    correction: Correction,
}

/// How a line was probably meant.
#[derive(Clone, Debug)]
enum Correction {
    Unknown,
    /// The whole line.
    Line(String),
    /// The bytes at fault replaced.
    Part(String),
}

impl Mistake {
    /// A mistake at word number `at`; behind the last one where there are no more.
    pub(super) fn at(words: &[Word], at: usize, code: Code, problem: Problem) -> Self {
        let range = match (words.get(at), words.last()) {
            (Some(word), _) => word.range.clone(),
            (None, Some(last)) => last.range.end + 1..last.range.end + 1,
            (None, None) => 0..0,
        };
        let read = words.get(at).map_or_else(String::new, |word| shown(&word.text));
        Self { range, read, code, problem, expected: Vec::new(), correction: Correction::Unknown }
    }

    /// Only these bytes of the word's text, where the word is written as it reads.
    pub(super) fn part(mut self, part: Range<usize>) -> Self {
        let start = self.range.start;
        if part.end <= self.range.len() {
            self.range = start + part.start..start + part.end;
        }
        self
    }

    pub(super) fn expected(mut self, expected: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.expected.extend(expected.into_iter().map(Into::into));
        self
    }

    /// The whole line was probably meant so.
    pub(super) fn corrected(mut self, line: String) -> Self {
        self.correction = Correction::Line(line);
        self
    }

    /// What is at fault was probably meant so.
    pub(super) fn with_part(mut self, part: &str) -> Self {
        self.correction = Correction::Part(part.into());
        self
    }

    pub(super) fn boxed(self) -> Box<Self> {
        Box::new(self)
    }
}

/// The number of the line that byte `at` is in, from 1.
pub(super) fn line_number(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count()
}

/// The bytes of the line that byte `at` is in, without its end.
fn line_range(text: &str, at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let bytes = text.as_bytes();
    let start = bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |before| before + 1);
    let end = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |behind| at + behind);
    start..end.max(start)
}

/// Text of a file as a terminal may show it, a column for each of its own.
fn harmless(text: &str) -> String {
    text.trim_end()
        .chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if is_harmless(c) {
                c
            } else {
                '?'
            }
        })
        .collect()
}

impl PacketFile {
    /// Makes a mistake presentable.
    pub(super) fn error(&self, mistake: Mistake) -> FileError {
        let line = line_range(&self.text, mistake.range.start);
        let correction = match mistake.correction {
            Correction::Unknown => None,
            Correction::Line(line) => Some(line),
            Correction::Part(with) => {
                let (before, behind) = (line.start..mistake.range.start, mistake.range.end..line.end);
                let text = |range: Range<usize>| self.text.get(range).unwrap_or_default();
                Some(harmless(&format!("{}{with}{}", text(before), text(behind))).trim_start().to_string())
            }
        };
        let error = LanguageError {
            code: mistake.code,
            word: 0,
            within: 0,
            line: "".into(),
            column: 0,
            display_column: 0,
            display_width: 1,
            read: mistake.read.into(),
            problem: Box::new(mistake.problem),
            expected: mistake.expected,
            correction: correction.map(Into::into),
        };
        self.marked(mistake.range, error, None)
    }

    /// A mistake in the words of a packet, at its place in the file.
    pub(super) fn placed(&self, source: &[Word], expanded: &Expanded, mut error: LanguageError) -> FileError {
        error.correction = error.correction.map(|line| self.corrected(source, expanded, &line));
        let Some(at) = expanded.origins.get(error.word as usize).copied() else {
            let end = source.last().map_or(0, |word| word.range.end);
            return self.marked(end + 1..end + 1, error, None);
        };
        let meaning = meaning(source, expanded, at);
        let Some(word) = source.get(at) else { return self.marked(0..0, error, meaning) };
        let mut range = word.range.clone();
        // The place inside of a word that is written as it reads.
        if meaning.is_none() && word.text.len() == range.len() && *error.read == *word.text {
            let begin = range.start + error.within as usize;
            let chars = self.text.get(begin..range.end).unwrap_or_default().char_indices();
            let len = chars.take(error.display_width).last().map_or(0, |(at, c)| at + c.len_utf8());
            range = begin..begin + len;
        }
        self.marked(range, error, meaning)
    }

    /// Marks bytes of the file in the line that they stand in.
    fn marked(&self, range: Range<usize>, mut error: LanguageError, stands_for: Option<String>) -> FileError {
        let at = range.start.min(self.text.len());
        // Behind the last word of a line nothing stands, and it may be the line's end.
        let at_line = if range.is_empty() { at.saturating_sub(1) } else { at };
        let line = line_range(&self.text, at_line);
        let before = self.text.get(line.start..at.min(line.end)).unwrap_or_default();
        let inside = self.text.get(at..range.end.min(line.end).max(at)).unwrap_or_default();
        let past = range.start.saturating_sub(line.end.max(line.start));
        error.column = range.start - line.start.min(range.start);
        error.display_column = before.chars().map(column_of).sum::<usize>() + past;
        error.display_width = inside.chars().map(column_of).sum::<usize>().max(1);
        error.line = harmless(self.text.get(line.clone()).unwrap_or_default()).into();
        FileError { line: line_number(&self.text, line.start), error: error.into(), stands_for }
    }

    /// A corrected line with its variables kept, where none of them had a part in the mistake.
    fn corrected(&self, source: &[Word], expanded: &Expanded, line: &str) -> Box<str> {
        let keeps = |word: &Word| word.dollars.is_empty();
        let Ok(right) = split(line) else { return line.into() };
        let wrong = &expanded.words;
        let same = |(a, b): &(&String, &String)| a == b;
        let before = wrong.iter().zip(&right).take_while(same).count();
        let room = wrong.len().min(right.len()) - before;
        let behind = wrong.iter().rev().zip(right.iter().rev()).take_while(same).count().min(room);
        let changed = expanded.origins.get(before..wrong.len() - behind).unwrap_or_default();
        // The written words that are replaced, or the one before which something is put.
        let (first, end) = match (changed.first(), changed.last()) {
            (Some(&first), Some(&last)) => (first, last + 1),
            _ => {
                let at = expanded.origins.get(before).copied().unwrap_or(source.len());
                (at, at)
            }
        };
        let inside = before > 0 && first == end && expanded.origins.get(before - 1) == expanded.origins.get(before);
        if inside || !source.get(first..end).unwrap_or_default().iter().all(keeps) {
            return line.into();
        }
        let written = |word: &Word| harmless(self.text.get(word.range.clone()).unwrap_or_default());
        let mut words: Vec<String> = source[..first].iter().map(written).collect();
        words.extend(right[before..right.len() - behind].iter().map(|word| shown(word)));
        words.extend(source[end..].iter().map(written));
        words.join(" ").into()
    }
}

/// How many columns a character takes where [`harmless`] shows it.
fn column_of(c: char) -> usize {
    if c == '\t' || !is_harmless(c) { 1 } else { c.encode_utf8(&mut [0; 4]).width() }
}
