//! The tokens of the compiler as words: what stands without a space between belongs together.

use proc_macro::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};

/// A word, and where it stands.
pub(crate) struct Word {
    pub(crate) text: String,
    /// Its first token.
    pub(crate) first: Span,
    /// Its last token.
    pub(crate) last: Span,
}

/// The text, where the input is one string and nothing else.
pub(crate) fn text_of(input: &TokenStream) -> Option<(String, Span)> {
    let mut tokens = input.clone().into_iter();
    match (unwrapped(tokens.next()?), tokens.next()) {
        (TokenTree::Literal(literal), None) => Some((string(&literal.to_string())?, literal.span())),
        _ => None,
    }
}

/// A token that came through another macro may be wrapped in an invisible group.
fn unwrapped(token: TokenTree) -> TokenTree {
    match &token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut inside = group.stream().into_iter();
            match (inside.next(), inside.next()) {
                (Some(one), None) => unwrapped(one),
                _ => token,
            }
        }
        _ => token,
    }
}

/// The words. `Err` with a token whose place is not known, so that nobody can tell where its word ends.
pub(crate) fn of(input: TokenStream) -> Result<Vec<Word>, Span> {
    let mut pieces = Vec::new();
    flatten(input, &mut pieces);
    let mut words: Vec<Word> = Vec::new();
    let mut end = None;
    for (text, span) in pieces {
        let (start, behind) = (place(span.start()), place(span.end()));
        // Tokens that a macro made stand all at one place, or one stands before the end of another.
        if end.is_some_and(|end| start < end) || start == behind {
            return Err(span);
        }
        match words.last_mut().filter(|_| end == Some(start)) {
            Some(word) => {
                word.text.push_str(&text);
                word.last = span;
            }
            None => words.push(Word { text, first: span, last: span }),
        }
        end = Some(behind);
    }
    Ok(words)
}

fn place(span: Span) -> (usize, usize) {
    (span.line(), span.column())
}

/// Every token with its text, the brackets of groups too.
fn flatten(tokens: TokenStream, into: &mut Vec<(String, Span)>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => flatten_group(&group, into),
            TokenTree::Literal(literal) => into.push((literal_text(&literal), literal.span())),
            other => into.push((other.to_string(), other.span())),
        }
    }
}

fn flatten_group(group: &Group, into: &mut Vec<(String, Span)>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    };
    if !open.is_empty() {
        into.push((open.to_owned(), group.span_open()));
    }
    flatten(group.stream(), into);
    if !close.is_empty() {
        into.push((close.to_owned(), group.span_close()));
    }
}

/// A string stands for its text, everything else for itself.
fn literal_text(literal: &Literal) -> String {
    let written = literal.to_string();
    string(&written).unwrap_or(written)
}

/// The value of a string literal: plain or raw; `None` for any other literal.
fn string(written: &str) -> Option<String> {
    if let Some(raw) = written.strip_prefix('r') {
        let raw = raw.trim_start_matches('#');
        let hashes = written.len() - 1 - raw.len();
        return raw.strip_prefix('"')?.strip_suffix(&format!("\"{}", "#".repeat(hashes))).map(str::to_owned);
    }
    unescaped(written.strip_prefix('"')?.strip_suffix('"')?)
}

/// Rust's escapes; the compiler has seen that they are whole.
fn unescaped(written: &str) -> Option<String> {
    let mut text = String::with_capacity(written.len());
    let mut chars = written.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        text.push(match chars.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            'x' => coded(&chars.by_ref().take(2).collect::<String>())?,
            'u' => coded(&chars.by_ref().skip(1).take_while(|&c| c != '}').filter(|&c| c != '_').collect::<String>())?,
            '\n' => {
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                continue;
            }
            same => same,
        });
    }
    Some(text)
}

fn coded(digits: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_its_text_however_it_is_written() {
        assert_eq!(string(r#""a\"b\\\x41\u{1F600}\r\n\0""#).as_deref(), Some("a\"b\\A\u{1F600}\r\n\0"));
        assert_eq!(string("\"one \\\n   two\"").as_deref(), Some("one two"));
        assert_eq!(string("r##\"a\"#b\"##").as_deref(), Some("a\"#b"));
        assert_eq!(string("r\"a\\b\"").as_deref(), Some("a\\b"));
    }

    #[test]
    fn no_other_literal_is_a_string() {
        for literal in ["192.0", "0x10", "'a'", "b\"x\"", "c\"x\"", "1db8"] {
            assert_eq!(string(literal), None, "{literal}");
        }
    }
}
