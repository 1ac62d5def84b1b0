//! `ww help`: by verb, by topic and by error code, offline.

use render::Lang;

use crate::command::{self, OPTIONS, Options, VERBS, Verb, verb};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::speech::{lang, say};

/// A page of its own: name, text. Its line in the overview is the catalogue's `topic.NAME`.
struct Topic {
    name: &'static str,
    en: &'static str,
    ko: &'static str,
}

impl Topic {
    /// The page in the language that is spoken.
    fn text(&self) -> &'static str {
        match lang() {
            Lang::Ko => self.ko,
            _ => self.en,
        }
    }
}

const TOPICS: &[Topic] = &[
    Topic {
        name: "language",
        en: include_str!("../../help/en/language.txt"),
        ko: include_str!("../../help/ko/language.txt"),
    },
    Topic { name: "send", en: include_str!("../../help/en/send.txt"), ko: include_str!("../../help/ko/send.txt") },
    Topic { name: "hand", en: include_str!("../../help/en/hand.txt"), ko: include_str!("../../help/ko/hand.txt") },
    Topic { name: "get", en: include_str!("../../help/en/get.txt"), ko: include_str!("../../help/ko/get.txt") },
    Topic { name: "trace", en: include_str!("../../help/en/trace.txt"), ko: include_str!("../../help/ko/trace.txt") },
    Topic { name: "sum", en: include_str!("../../help/en/sum.txt"), ko: include_str!("../../help/ko/sum.txt") },
    Topic { name: "lab", en: include_str!("../../help/en/lab.txt"), ko: include_str!("../../help/ko/lab.txt") },
    Topic { name: "guard", en: include_str!("../../help/en/guard.txt"), ko: include_str!("../../help/ko/guard.txt") },
    Topic { name: "exit", en: include_str!("../../help/en/exit.txt"), ko: include_str!("../../help/ko/exit.txt") },
];

/// Where a code's sentence may stand in the catalogue.
const AREAS: &[&str] = &[
    "error",
    "next",
    "refused",
    "language",
    "paste",
    "build",
    "capture",
    "capture.fault",
    "stream",
    "untaken",
    "sum",
    "finding",
    "complaint",
    "objection",
    "note",
    "plan.note",
    "talk.mistake",
    "talk.fault",
];

pub(crate) fn run(options: &Options, out: &Output) -> Result<Exit, Failure> {
    let words = options.text_words()?;
    match words.as_slice() {
        [] => overview(out),
        [name, ..] => page(name, out),
    }
}

/// The pages of topics: name and text.
pub(crate) fn topics() -> impl Iterator<Item = (&'static str, &'static str)> {
    TOPICS.iter().map(|topic| (topic.name, topic.text()))
}

/// Every page by its name, with its line.
pub(crate) fn pages() -> impl Iterator<Item = (&'static str, String)> {
    let topics = TOPICS.iter().map(|topic| (topic.name, say(&format!("topic.{}", topic.name), &[])));
    let verbs = VERBS.iter().filter(|verb| TOPICS.iter().all(|topic| topic.name != verb.name));
    topics.chain(verbs.map(|verb| (verb.name, say(&format!("verb.{}", verb.name), &[]))))
}

/// `ww --version`.
pub(crate) fn version(out: &Output) -> Result<Exit, Failure> {
    out.result(concat!("ww ", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Answered)
}

fn page(name: &str, out: &Output) -> Result<Exit, Failure> {
    // A topic of a verb's name says more than the verb's page, which `ww VERB --help` prints too.
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == name) {
        out.result(&plain(topic.text(), out))?;
    } else if let Some(verb) = verb(name) {
        return of_verb(verb, out);
    } else if let Some(text) = code(name) {
        out.result(&text)?;
    } else {
        let names =
            VERBS.iter().map(|v| v.name).chain(TOPICS.iter().map(|t| t.name)).chain(wire::LAYERS.iter().map(|l| l.key));
        let failure = Failure::usage("topic-unknown", say("error.topic-unknown", &[("page", &name)]));
        return Err(match crate::suggest::nearest(name, names) {
            Some(near) if wire::LAYERS.iter().any(|layer| layer.key == near) => {
                failure.row("try", format!("ww fields {near}"))
            }
            Some(near) => failure.row("did you mean", format!("ww help {near}")),
            None => failure.row("see", "ww help"),
        });
    }
    Ok(Exit::Answered)
}

/// What a stable code means: every sentence of the catalogue that has it.
fn code(name: &str) -> Option<String> {
    let catalogue = crate::speech::words();
    let mut lines = Vec::new();
    for area in AREAS {
        for part in name.split('+') {
            let exact = format!("{area}.{part}");
            let below = format!("{exact}.");
            for key in catalogue.keys().filter(|key| **key == exact || key.starts_with(&below)) {
                lines.extend(catalogue.sentence(key).map(upper_placeholders));
            }
        }
    }
    (!lines.is_empty()).then(|| format!("{name}\n    {}", lines.join("\n    ")))
}

/// `{address}` becomes `ADDRESS`: a word that stands for a value.
fn upper_placeholders(sentence: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for char in sentence.chars() {
        match char {
            '{' => inside = true,
            '}' => inside = false,
            _ if inside => text.extend(char.to_uppercase()),
            _ => text.push(char),
        }
    }
    text
}

/// The page of a verb.
pub(crate) fn of_verb(verb: &Verb, out: &Output) -> Result<Exit, Failure> {
    let mut text = format!("ww {} {}\n    {}\n", verb.name, verb.usage, say(&format!("verb.{}", verb.name), &[]));
    if !verb.options.is_empty() {
        text.push_str(&format!("\n{}\n", say("help.options", &[])));
    }
    for opt in OPTIONS.iter().filter(|opt| verb.options.contains(&opt.id)) {
        let short = opt.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let long = if opt.value.is_empty() { format!("--{}", opt.id) } else { format!("--{} {}", opt.id, opt.value) };
        text.push_str(&format!("    {short}{long:<18} {}\n", say(&command::sentence_of(verb, opt), &[])));
    }
    text.push_str(&format!("\n{}\n", say("help.examples", &[])));
    for example in verb.examples {
        text.push_str(&format!("    {example}\n"));
    }
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == verb.name) {
        text.push_str(&format!("\n{} ww help {}\n", say("help.see-also", &[]), topic.name));
    }
    out.result(&plain(&text, out))?;
    Ok(Exit::Answered)
}

/// All verbs and topics.
pub(crate) fn overview(out: &Output) -> Result<Exit, Failure> {
    let mut text = format!("{}\n\n", say("help.title", &[]));
    for verb in VERBS {
        text.push_str(&format!("    ww {:<11} {}\n", verb.name, say(&format!("verb.{}", verb.name), &[])));
    }
    text.push_str(&format!("\n{}\n", say("help.pages", &[])));
    for topic in TOPICS {
        text.push_str(&format!("    ww help {:<9} {}\n", topic.name, say(&format!("topic.{}", topic.name), &[])));
    }
    text.push_str(&format!("    ww help CODE      {}\n", say("help.code", &[])));
    text.push_str(&format!("    ww VERB --help    {}\n", say("help.verb", &[])));
    out.result(&text)?;
    Ok(Exit::Answered)
}

/// The text without what a terminal without Unicode cannot show.
fn plain(text: &str, out: &Output) -> String {
    if out.style.unicode {
        return text.to_owned();
    }
    text.replace('─', "-").replace('…', "...")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What can be typed on a page: an indented line up to the gap before its explanation.
    fn to_type(page: &str) -> impl Iterator<Item = &str> {
        let indented = page.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| !line.starts_with(' '));
        indented.filter_map(|line| line.split("  ").next()).filter(|text| text.is_ascii() && !text.is_empty())
    }

    #[test]
    fn each_page_shows_the_same_commands_in_each_language() {
        for topic in TOPICS {
            for (page, other) in [(topic.en, topic.ko), (topic.ko, topic.en)] {
                for command in to_type(page) {
                    assert!(other.contains(command), "ww help {}: {command}", topic.name);
                }
            }
            assert!(topic.ko.lines().all(|line| render::columns(line) <= 80 || line.is_ascii()), "{}", topic.name);
        }
    }
}
