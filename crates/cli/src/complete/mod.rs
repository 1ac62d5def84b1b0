//! `ww __complete`: what may stand where a line ends, asked by a shell at each Tab.
//!
//! In: the line as far as it is typed, as bash has it, or its words, as zsh and fish have them.
//! Out: a word a line on standard output, each as the shell that asked inserts and explains it.
//! Above: the functions of `ww completions`. Below: craft's reader, the table of verbs and options.
//! Not here: rules of the packet language.

mod offers;
mod typed;

use std::ffi::OsString;
use std::io::Write;

use offers::Offer;

/// The shells that can ask, and the function that each is given by `ww completions`.
pub(crate) const SHELLS: [(&str, &str); 3] =
    [("bash", include_str!("ww.bash")), ("zsh", include_str!("ww.zsh")), ("fish", include_str!("ww.fish"))];

/// Answers a shell. Nothing that goes wrong here may disturb the line that is being typed: there is no answer then.
pub(crate) fn run(args: &[OsString]) {
    let args: Vec<&str> = args.iter().map_while(|arg| arg.to_str()).collect();
    let answer = match args.as_slice() {
        ["bash", line] => in_bash(line),
        ["zsh", words @ .., unfinished] => in_zsh(words, unfinished),
        ["fish", words @ .., unfinished] => in_fish(words, unfinished),
        _ => return,
    };
    let _ = std::io::stdout().lock().write_all(answer.as_bytes());
}

/// Bash hands over the line, because it divides words at `:` and `=` too. What it inserts replaces only what stands behind
/// the last such sign, so what stands before is taken off again. A closed word brings the space behind it.
fn in_bash(line: &str) -> String {
    let Some((words, unfinished)) = typed::line(line) else { return String::new() };
    let Some((_, words)) = words.split_first() else { return String::new() };
    let signs = std::env::var("COMP_WORDBREAKS").unwrap_or_else(|_| ":=".to_owned());
    let kept = unfinished.rfind(|c: char| matches!(c, ':' | '=') && signs.contains(c)).map_or(0, |at| at + 1);
    let offers = offers::behind(words, &unfinished);
    offers
        .iter()
        .map(|it| format!("{}{}\n", typed::escaped(&it.text[kept..]), if it.open { "" } else { " " }))
        .collect()
}

/// Zsh hands over words; each answer is `open` or `closed`, the word, and what it means.
fn in_zsh(words: &[&str], unfinished: &str) -> String {
    let line = |it: &Offer| {
        let state = if it.open { "open" } else { "closed" };
        format!("{state}\t{}\t{}\n", typed::escaped(&it.text), it.means)
    };
    from_words(words, unfinished).iter().map(line).collect()
}

/// Fish hands over words, quotes what it inserts, and knows by their ends which words are open.
fn in_fish(words: &[&str], unfinished: &str) -> String {
    from_words(words, unfinished).iter().map(|it| format!("{}\t{}\n", it.text, it.means)).collect()
}

fn from_words(words: &[&str], unfinished: &str) -> Vec<Offer> {
    let words: Option<Vec<String>> = words.iter().map(|word| typed::word(word)).collect();
    match (words, typed::word(unfinished)) {
        (Some(words), Some(unfinished)) => offers::behind(&words, &unfinished),
        _ => Vec::new(),
    }
}
