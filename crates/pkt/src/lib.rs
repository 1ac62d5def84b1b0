//! The macro `pkt!`: a packet in words, checked when the program is compiled.
//!
//! In: a string, or the words as they stand.
//! Out: an expression that makes the packet, or the language's own error at the word.
//! Above: programs, by the façade `wirewright`. Below: craft's parser.
//! Not here: names and generators, which are no one packet while a program is compiled; any grammar of its own.
#![forbid(unsafe_code)]

mod check;
mod words;

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use check::Mistake;
use words::Word;

/// A packet in the words of the packet language: `pkt!("tcp 192.0.2.2:80 S ttl=33")`, or without quotes
/// `pkt!(tcp 192.0.2.2:80 S ttl=33)`. The value is a `wirewright::craft::Packet`.
///
/// The words are read while the program is compiled, by the parser that reads the command line; what it refuses does not
/// compile. Without quotes the compiler's error stands below the word itself; in a string the line and the word are drawn in
/// the message, because stable Rust knows no place inside a string.
///
/// Without quotes a text is a Rust string, `data="hello world"`, and every word must consist of Rust's tokens: `0e:1b:…` does
/// not (to Rust `0e` begins a number), and stands in a string. Refused are names of hosts, words for many values (`1..1024`),
/// and `file=` and `stdin`: they mean something else each time that the program runs.
///
/// ```text
/// use wirewright::prelude::*;
///
/// let syn = pkt!(tcp 192.0.2.2:80 S ttl=33 mss=1460);
/// let same = pkt!("tcp 192.0.2.2:80 S ttl=33 mss=1460");
/// assert_eq!(syn, same);
/// ```
#[proc_macro]
pub fn pkt(input: TokenStream) -> TokenStream {
    let (words, checked) = match words::text_of(&input) {
        Some((text, span)) => match check::line(&text) {
            Ok(()) => return parse_call("parse", TokenTree::Literal(Literal::string(&text)).into()),
            Err(mistake) => (vec![Word { text, first: span, last: span }], Err(Mistake { word: 0, ..mistake })),
        },
        None => match words::of(input) {
            Ok(words) => {
                let checked = check::words(&words);
                (words, checked)
            }
            Err(unplaced) => {
                let message = "the words of this packet have no place in a file: write them as one string".to_owned();
                return error(unplaced, unplaced, &message);
            }
        },
    };
    match checked {
        Ok(()) => {
            let texts = words.iter().flat_map(|word| [TokenTree::Literal(Literal::string(&word.text)), punct(',')]);
            let list = group(Delimiter::Bracket, texts.collect());
            parse_call("parse_words", [punct('&'), list].into_iter().collect())
        }
        // A word that is missing is missed behind the last one.
        Err(Mistake { word, message }) => match words.get(word).or(words.last()) {
            Some(at) => error(at.first, at.last, &message),
            None => error(Span::call_site(), Span::call_site(), &message),
        },
    }
}

/// `::wirewright::craft::FUNCTION(ARGUMENT).expect("…")`.
fn parse_call(function: &str, argument: TokenStream) -> TokenStream {
    let mut call = path(&["wirewright", "craft", function]);
    call.push(group(Delimiter::Parenthesis, argument));
    call.push(punct('.'));
    call.push(TokenTree::Ident(Ident::new("expect", Span::call_site())));
    let proven = TokenTree::Literal(Literal::string("pkt! has read these words when this was compiled"));
    call.push(group(Delimiter::Parenthesis, proven.into()));
    call.into_iter().collect()
}

/// `::core::compile_error!("…")`, whose first token stands where the mistake begins and whose last where it ends: the compiler
/// underlines from the one to the other.
fn error(first: Span, last: Span, message: &str) -> TokenStream {
    let mut tokens = path(&["core", "compile_error"]);
    tokens.push(punct('!'));
    tokens.iter_mut().for_each(|token| token.set_span(first));
    let mut text = TokenTree::Literal(Literal::string(message));
    text.set_span(last);
    let mut text = group(Delimiter::Brace, text.into());
    text.set_span(last);
    tokens.push(text);
    tokens.into_iter().collect()
}

fn path(names: &[&str]) -> Vec<TokenTree> {
    let colons = || {
        [Spacing::Joint, Spacing::Alone].map(|spacing| {
            let mut colon = Punct::new(':', spacing);
            colon.set_span(Span::call_site());
            TokenTree::Punct(colon)
        })
    };
    let name = |name: &&str| TokenTree::Ident(Ident::new(name, Span::call_site()));
    names.iter().flat_map(|it| colons().into_iter().chain([name(it)])).collect()
}

fn punct(sign: char) -> TokenTree {
    TokenTree::Punct(Punct::new(sign, Spacing::Alone))
}

fn group(delimiter: Delimiter, inside: TokenStream) -> TokenTree {
    TokenTree::Group(Group::new(delimiter, inside))
}
