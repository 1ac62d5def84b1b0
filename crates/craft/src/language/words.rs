//! A line becomes words: white space divides, single quotes hold together, `#` begins a comment.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Code, Fault};
use super::problem::Problem;

/// Divides a line into words. Inside single quotes everything stands for itself; a `#` at the start of a word begins a
/// comment; `\` at the end of a line goes on.
///
/// # Errors
/// A quote that is not closed, a double quote, a shell sign that needs quotes; with the words before it.
pub(super) fn split(line: &str) -> Result<Vec<String>, Box<(Vec<String>, Fault)>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(inside) => word.push(inside),
                        None => {
                            let fault = Fault::new(Code::Quote, words.len(), Problem::OpenQuote {});
                            words.push(core::mem::take(word));
                            return Err(Box::new((words, fault.no_guess())));
                        }
                    }
                }
            }
            '\\' if matches!(chars.peek(), Some('\n') | None) => {
                chars.next();
            }
            '#' if word.is_none() => while chars.next_if(|&c| c != '\n').is_some() {},
            '"' => {
                let at = words.len();
                words.push(word.take().unwrap_or_default() + "\"");
                return Err(Box::new((words, Fault::new(Code::Quote, at, Problem::DoubleQuote {}).no_guess())));
            }
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}
