//! The variables of a packet file: `name = words`, and `$name` where the words are to stand.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::error::Mistake;
use crate::language::words::{self, Word};
use crate::language::{Code, MAX_LINE_BYTES, MAX_WORDS, Problem, nearest};
use crate::text::shown;

/// The most variables that stand for one another in a row: people use two or three.
const DEPTH_MAX: usize = 32;

/// The most variables that are replaced in one line, those inside of others included: no line grows without end.
const REPLACED_MAX: usize = 4096;

/// Where each variable is defined: the byte at which its line begins. The words are read again where they are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    lines: BTreeMap<String, usize>,
}

/// A line with its variables replaced.
pub(super) struct Expanded {
    /// The words.
    pub(super) words: Vec<String>,
    /// The written word that each of them comes from.
    pub(super) origins: Vec<usize>,
}

impl Expanded {
    /// Words in which nothing is replaced.
    pub(super) fn plain(source: &[Word]) -> Self {
        let words: Vec<String> = source.iter().map(|word| word.text.clone()).collect();
        Self { origins: (0..words.len()).collect(), words }
    }
}

/// Whether a text can name a variable.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && name_len(text) == text.len()
}

/// How many bytes of a text are a name.
fn name_len(text: &str) -> usize {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match text.bytes().next() {
        Some(first) if first.is_ascii_alphabetic() || first == b'_' => {
            text.bytes().position(|byte| !inside(byte)).unwrap_or(text.len())
        }
        _ => 0,
    }
}

/// A definition that is not `NAME = WORDS`.
pub(super) fn wrong_form(words: &[Word]) -> Box<Mistake> {
    let joined: Vec<String> = words.iter().map(|word| shown(word.text.trim_start_matches('$'))).collect();
    let joined = joined.join(" ");
    let (name, value) = joined.split_once('=').unwrap_or((&joined, ""));
    let name = name.trim();
    let mistake = Mistake::at(words, 0, Code::Variable, Problem::VariableForm {}).expected(["NAME = WORDS"]);
    match is_name(name) {
        true => mistake.corrected(format!("{name} = {}", value.trim()).trim_end().to_owned()).boxed(),
        false => mistake.boxed(),
    }
}

/// A `$name` in a word.
struct Named<'w> {
    name: &'w str,
    /// Its bytes in the word's text, the `$` included.
    range: Range<usize>,
}

/// The variables that a word names.
fn named(word: &Word) -> impl Iterator<Item = Named<'_>> {
    word.dollars.iter().map(|&at| {
        let behind = &word.text[at + 1..];
        let len = name_len(behind);
        Named { name: &behind[..len], range: at..at + 1 + len }
    })
}

/// What is left of the size that a line may have.
struct Budget {
    words: usize,
    bytes: usize,
    replaced: usize,
}

impl Variables {
    pub(super) fn set(&mut self, name: String, line: usize) {
        self.lines.insert(name, line);
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Where the line that sets a variable begins.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.lines.get(name).copied()
    }

    /// Checks that each variable named by another is there, and that none stands for itself.
    pub(super) fn check(&self, text: &str) -> Result<(), Box<Mistake>> {
        let mut in_order: Vec<(usize, &str)> = self.lines.iter().map(|(name, &line)| (line, name.as_str())).collect();
        in_order.sort_unstable();
        let mut heights = BTreeMap::new();
        for (_, name) in in_order {
            self.height(text, name, &mut Vec::new(), &mut heights)?;
        }
        Ok(())
    }

    /// How many variables stand for one another from this one on.
    fn height<'v>(
        &'v self,
        text: &str,
        name: &'v str,
        path: &mut Vec<&'v str>,
        heights: &mut BTreeMap<&'v str, usize>,
    ) -> Result<usize, Box<Mistake>> {
        if let Some(&height) = heights.get(name) {
            return Ok(height);
        }
        path.push(name);
        let words = self.words(text, name)?;
        let mut height = 1;
        for (at, word) in words.iter().enumerate().skip(2) {
            for named in named(word) {
                let known = self.known(&words, at, &named)?;
                let wrong =
                    |problem| Mistake::at(&words, at, Code::Variable, problem).part(named.range.clone()).boxed();
                if let Some(from) = path.iter().position(|it| *it == known) {
                    let circle = path[from..].iter().chain([&known]).map(|name| format!("${name}"));
                    let circle = circle.collect::<Vec<_>>().join(" = ");
                    return Err(wrong(Problem::VariableCircle { circle }));
                }
                if path.len() >= DEPTH_MAX {
                    return Err(wrong(Problem::VariableDeep { max: DEPTH_MAX }));
                }
                let below = self.height(text, known, path, heights)?;
                if path.len() + below > DEPTH_MAX {
                    return Err(wrong(Problem::VariableDeep { max: DEPTH_MAX }));
                }
                height = height.max(1 + below);
            }
        }
        path.pop();
        heights.insert(name, height);
        Ok(height)
    }

    /// The words of the line that sets a variable: its name, `=`, and what it stands for.
    fn words(&self, text: &str, name: &str) -> Result<Vec<Word>, Box<Mistake>> {
        let line = self.place(name).unwrap_or(text.len());
        // The line was divided when the file was read.
        words::line(text, line).map(|(words, _)| words).map_err(|cut| {
            let (words, fault) = *cut;
            Mistake::at(&words, fault.word, fault.code, *fault.problem).boxed()
        })
    }

    /// The variable that is named, or why there is none.
    fn known<'v>(&'v self, words: &[Word], at: usize, named: &Named<'_>) -> Result<&'v str, Box<Mistake>> {
        if let Some((name, _)) = self.lines.get_key_value(named.name) {
            return Ok(name);
        }
        let wrong = |problem| Mistake::at(words, at, Code::Variable, problem).part(named.range.clone());
        if named.name.is_empty() {
            return Err(wrong(Problem::Dollar {}).boxed());
        }
        let mistake = wrong(Problem::VariableUnknown { name: named.name.into() });
        let mistake = mistake.expected(self.lines.keys().take(16).map(|name| format!("${name}")));
        Err(match nearest(named.name, self.lines.keys().map(String::as_str)) {
            Some(near) => mistake.with_part(&format!("${near}")).boxed(),
            None => mistake.boxed(),
        })
    }

    /// Puts what variables stand for in their places.
    ///
    /// # Errors
    /// A variable that nobody sets; one of several words inside of a word; a line that grows too long.
    pub(super) fn expand(&self, text: &str, source: &[Word]) -> Result<Expanded, Box<Mistake>> {
        let mut expanded = Expanded { words: Vec::new(), origins: Vec::new() };
        let mut left = Budget { words: MAX_WORDS, bytes: MAX_LINE_BYTES, replaced: REPLACED_MAX };
        for (at, word) in source.iter().enumerate() {
            // A variable inside of others is at fault where it was set: what is wrong with this line stands in this line.
            for named in named(word) {
                self.known(source, at, &named)?;
            }
            let words = self
                .expand_word(text, word, &mut left)
                .map_err(|problem| Mistake::at(source, at, Code::Variable, problem).boxed())?;
            expanded.origins.resize(expanded.origins.len() + words.len(), at);
            expanded.words.extend(words);
        }
        Ok(expanded)
    }

    /// The words that one word stands for. The depth is bounded: [`check`](Self::check) saw all variables.
    fn expand_word(&self, text: &str, word: &Word, left: &mut Budget) -> Result<Vec<String>, Problem> {
        if word.dollars.is_empty() {
            left.take(1, word.text.len())?;
            return Ok(alloc::vec![word.text.clone()]);
        }
        let mut whole = String::new();
        let mut end = 0;
        for named in named(word) {
            let words = self.stands_for(text, named.name, left)?;
            if named.range == (0..word.text.len()) {
                return Ok(words);
            }
            let [one] = words.as_slice() else {
                return Err(Problem::VariableWords { name: named.name.into(), count: words.len() });
            };
            whole.push_str(&word.text[end..named.range.start]);
            whole.push_str(one);
            end = named.range.end;
        }
        whole.push_str(&word.text[end..]);
        left.take(1, whole.len())?;
        Ok(alloc::vec![whole])
    }

    fn stands_for(&self, text: &str, name: &str, left: &mut Budget) -> Result<Vec<String>, Problem> {
        left.replaced = left.replaced.checked_sub(1).ok_or_else(too_long)?;
        let line = self.place(name).unwrap_or(text.len());
        let (words, end) = words::line(text, line).map_err(|cut| *cut.1.problem)?;
        left.take(0, end - line)?;
        let mut all = Vec::new();
        for word in words.iter().skip(2) {
            all.extend(self.expand_word(text, word, left)?);
        }
        Ok(all)
    }
}

impl Budget {
    fn take(&mut self, words: usize, bytes: usize) -> Result<(), Problem> {
        self.words = self.words.checked_sub(words).ok_or_else(too_long)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(too_long)?;
        Ok(())
    }
}

fn too_long() -> Problem {
    Problem::VariableLong { words_max: MAX_WORDS, bytes_max: MAX_LINE_BYTES }
}

/// What a written word stands for, as it would be written.
pub(super) fn meaning(source: &[Word], expanded: &Expanded, at: usize) -> Option<String> {
    let word = source.get(at).filter(|word| !word.dollars.is_empty())?;
    let stands = expanded.words.iter().zip(&expanded.origins).filter(|(_, origin)| **origin == at);
    let stands: Vec<String> = stands.map(|(word, _)| shown(word)).collect();
    Some(format!("{}: {}", shown_name(word), stands.join(" ")))
}

/// A word with a variable in it: nothing in it that disturbs a terminal.
fn shown_name(word: &Word) -> String {
    word.text.chars().filter(|&c| crate::text::is_harmless(c)).collect()
}
