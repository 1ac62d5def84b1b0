//! A line becomes words: white space divides, single quotes hold together, `#` begins a comment.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::error::{Code, Fault};
use super::problem::Problem;
use super::{MAX_WORDS, too_long};

/// A word, and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// What it says, without its quotes.
    pub(crate) text: String,
    /// Its bytes in what was read, quotes included.
    pub(crate) range: Range<usize>,
    /// Where `$` stands in `text` outside of quotes.
    pub(crate) dollars: Vec<usize>,
}

/// The words before a mistake, and the mistake.
pub(crate) type Cut = Box<(Vec<Word>, Fault)>;

/// Divides a line into words. Inside single quotes everything stands for itself; a `#` at the start of a word begins a
/// comment; `\` at the end of a line goes on.
///
/// # Errors
/// A quote that is not closed, a double quote, a shell sign that needs quotes; with the words before it.
pub(super) fn split(line: &str) -> Result<Vec<String>, Cut> {
    let (words, _) = Divider { text: line, at: 0, whole: true, words: Vec::new(), word: None }.run()?;
    Ok(words.into_iter().map(|word| word.text).collect())
}

/// The words of the line of a file that begins at byte `at`, and where the next line begins.
///
/// # Errors
/// As [`split`]; more words than a packet has.
pub(crate) fn line(text: &str, at: usize) -> Result<(Vec<Word>, usize), Cut> {
    Divider { text, at, whole: false, words: Vec::new(), word: None }.run()
}

/// A line while it is divided.
struct Divider<'t> {
    text: &'t str,
    at: usize,
    /// All of the text is one line, and white space ends none.
    whole: bool,
    words: Vec<Word>,
    word: Option<Word>,
}

impl Divider<'_> {
    fn run(mut self) -> Result<(Vec<Word>, usize), Cut> {
        while let Some(c) = self.rest().chars().next() {
            let begun = self.at;
            self.at += c.len_utf8();
            match c {
                '\'' => self.quoted(begun)?,
                '\\' if self.ends_line() => {}
                '#' if self.word.is_none() => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                '"' => {
                    self.word(begun).text.push('"');
                    return Err(self.cut(Problem::DoubleQuote {}));
                }
                '\n' if !self.whole => break,
                c if c.is_whitespace() => self.end_word()?,
                c => {
                    let word = self.word(begun);
                    if c == '$' {
                        word.dollars.push(word.text.len());
                    }
                    word.text.push(c);
                    word.range.end = begun + c.len_utf8();
                }
            }
        }
        self.end_word()?;
        Ok((self.words, self.at))
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn word(&mut self, begun: usize) -> &mut Word {
        self.word.get_or_insert_with(|| Word { text: String::new(), range: begun..begun + 1, dollars: Vec::new() })
    }

    /// Takes the text of a quote whose first sign stands at `begun`.
    fn quoted(&mut self, begun: usize) -> Result<(), Cut> {
        let rest = self.rest();
        let end = rest.find('\'').filter(|&end| self.whole || !rest[..end].contains('\n'));
        let Some(end) = end else {
            let len = if self.whole { rest.len() } else { rest.find('\n').unwrap_or(rest.len()) };
            let inside: String = rest[..len].trim_end_matches('\r').into();
            let at = self.at;
            let word = self.word(begun);
            word.range.end = at + inside.len();
            word.text.push_str(&inside);
            return Err(self.cut(Problem::OpenQuote {}));
        };
        let inside: String = rest[..end].into();
        self.at += end + 1;
        let at = self.at;
        let word = self.word(begun);
        word.text.push_str(&inside);
        word.range.end = at;
        Ok(())
    }

    /// Behind a backslash: whether nothing but the line's end follows, which is passed then.
    fn ends_line(&mut self) -> bool {
        let rest = self.rest();
        let len = match rest.as_bytes() {
            [] => 0,
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return false,
        };
        self.at += len;
        true
    }

    fn end_word(&mut self) -> Result<(), Cut> {
        self.words.extend(self.word.take());
        if !self.whole && self.words.len() > MAX_WORDS {
            return Err(Box::new((Vec::new(), too_long(self.words.len()))));
        }
        Ok(())
    }

    fn cut(&mut self, problem: Problem) -> Cut {
        let mut words = core::mem::take(&mut self.words);
        let fault = Fault::new(Code::Quote, words.len(), problem).no_guess();
        words.extend(self.word.take());
        Box::new((words, fault))
    }
}
