//! The language's own judgement, and what it lets pass that no program can keep.

use wirewright_craft::{LanguageError, Packet, Payload, parse, parse_words};

use crate::words::Word;

/// What is wrong, and with which word.
pub(crate) struct Mistake {
    pub(crate) word: usize,
    pub(crate) message: String,
}

/// A line as one string: the message holds the line with the word underlined.
pub(crate) fn line(text: &str) -> Result<(), Mistake> {
    let packet = parse(text).map_err(|error| told(&error))?;
    lasting(&packet).map_err(|(_, sentence, word)| Mistake { word: 0, message: drawn(&sentence, text, &word) })
}

/// Words as they stand.
pub(crate) fn words(words: &[Word]) -> Result<(), Mistake> {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let packet = parse_words(&texts).map_err(|error| told(&error))?;
    lasting(&packet)
        .map_err(|(is, message, _)| Mistake { word: texts.iter().position(|it| is(it)).unwrap_or(0), message })
}

fn told(error: &LanguageError) -> Mistake {
    Mistake { word: error.word as usize, message: error.to_string() }
}

/// How a word is recognised, a sentence about it, and the word.
type NotLasting = (Box<dyn Fn(&str) -> bool>, String, String);

/// What a packet may not have that is made while a program is compiled.
fn lasting(packet: &Packet) -> Result<(), NotLasting> {
    if let Some((name, _)) = packet.names().first() {
        let name = (*name).to_owned();
        let sentence =
            format!("`{name}` is a name, which is looked up when a program runs: pkt! takes addresses in numbers");
        let wanted = name.clone();
        return Err((Box::new(move |word| word.contains(&wanted)), sentence, name));
    }
    match &packet.payload {
        Payload::File(path) => {
            let sentence = "`file=` is read when a program runs: parse the words there, with `craft::parse`".to_owned();
            Err((Box::new(|word| word.starts_with("file=")), sentence, format!("file={path}")))
        }
        Payload::Stdin => {
            let sentence = "`stdin` is read when a program runs: parse the words there, with `craft::parse`".to_owned();
            Err((Box::new(|word| word == "stdin"), sentence, "stdin".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The sentence, and below it the line with the word underlined, as the language's own errors are told.
fn drawn(sentence: &str, line: &str, word: &str) -> String {
    let line: String = line.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
    match line.find(word) {
        Some(at) => format!("{sentence}\n    {line}\n    {:at$}{:^<width$}", "", "", width = word.len()),
        None => format!("{sentence}\n    {line}"),
    }
}
