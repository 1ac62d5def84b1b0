//! What may stand at the end of a command line, by the tables of verbs and options and craft's reader.

use std::ffi::OsString;
use std::path::Path;

use craft::Completion;
use lab::Shape;

use super::SHELLS;
use crate::command::{self, Opt, Options, VERBS, Verb};
use crate::speech::say;
use crate::verbs::help;

/// A word that may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// The whole word.
    pub text: String,
    /// More belongs to it: no space follows.
    pub open: bool,
    /// What it means, in one line.
    pub means: String,
}

impl Offer {
    fn closed(text: &str, means: impl Into<String>) -> Self {
        Self { text: text.to_owned(), open: false, means: means.into() }
    }

    fn open(text: String, means: impl Into<String>) -> Self {
        Self { text, open: true, means: means.into() }
    }
}

impl From<Completion> for Offer {
    fn from(word: Completion) -> Self {
        Self { open: word.is_open(), text: word.text, means: word.means.to_owned() }
    }
}

/// The most files of a folder that are offered.
const FILES_MAX: usize = 1000;

/// What may stand behind these words of `ww`, beginning with the unfinished one.
pub(super) fn behind(words: &[String], unfinished: &str) -> Vec<Offer> {
    let line = Line { lab: None, unfinished };
    let mut offers = line.command(words);
    offers.retain(|it| it.text.starts_with(unfinished));
    offers
}

/// The end of a command line.
struct Line<'a> {
    /// The practice network that the verb runs in.
    lab: Option<Shape>,
    unfinished: &'a str,
}

impl Line<'_> {
    /// Behind `ww`, or behind `ww lab`.
    fn command(&self, words: &[String]) -> Vec<Offer> {
        let Some((first, rest)) = words.split_first() else { return self.verbs() };
        let Some(verb) = command::verb(first) else { return Vec::new() };
        match verb.name {
            "lab" if self.lab.is_none() => self.lab(verb, rest),
            _ => self.verb(verb, rest),
        }
    }

    fn verbs(&self) -> Vec<Offer> {
        let verbs =
            VERBS.iter().filter(|verb| self.lab.is_none() || !matches!(verb.name, "lab" | "demo" | "completions"));
        let mut offers: Vec<Offer> =
            verbs.map(|verb| Offer::closed(verb.name, say(&format!("verb.{}", verb.name), &[]))).collect();
        if self.lab.is_none() {
            offers.push(Offer::closed("--help", say("verb.help", &[])));
            offers.push(Offer::closed("--version", ""));
        }
        offers
    }

    /// Behind `ww lab`: its own options, then a verb in it.
    fn lab(&self, lab: &Verb, words: &[String]) -> Vec<Offer> {
        let inside = Line { lab: Some(shape_of(lab, words)), unfinished: self.unfinished };
        let mut at = 0;
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
            if word == "--" {
                return self.files(self.unfinished, 0);
            }
            at += 1 + usize::from(command::wants_value(lab, word));
        }
        match words.get(at) {
            Some(_) => inside.command(&words[at..]),
            // The last word is an option whose value follows.
            None if at > words.len() => self.verb(lab, words),
            None if self.unfinished.starts_with('-') => self.verb(lab, words),
            None => inside.verbs(),
        }
    }

    /// Behind a verb.
    fn verb(&self, verb: &Verb, words: &[String]) -> Vec<Offer> {
        if verb.usage.contains("-- COMMAND") && words.iter().any(|word| word == "--") {
            return self.files(self.unfinished, 0);
        }
        let mut plain = Vec::new();
        let mut wanting = None;
        for word in words {
            if wanting.take().is_some() {
                continue;
            }
            match word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                Some(_) => {
                    wanting = command::option_of(verb, word)
                        .filter(|opt| command::wants_value(verb, word) && !opt.value.is_empty())
                }
                None => plain.push(word.as_str()),
            }
        }
        if let Some(opt) = wanting {
            return self.option_value(opt, "");
        }
        if let Some((name, _)) = self.unfinished.split_once('=').filter(|(name, _)| name.starts_with("--")) {
            return command::option_of(verb, name)
                .map_or_else(Vec::new, |opt| self.option_value(opt, &format!("{name}=")));
        }
        if self.unfinished.starts_with('-') {
            return options_of(verb, words);
        }
        self.operand(verb, &plain)
    }

    /// A value of an option, behind `lead`.
    fn option_value(&self, opt: &Opt, lead: &str) -> Vec<Offer> {
        let of =
            |words: Vec<String>| words.into_iter().map(|word| Offer::closed(&format!("{lead}{word}"), "")).collect();
        match opt.value {
            "FILE" => self.files(self.unfinished, lead.len()),
            "NAME" => of(interfaces()),
            "LAYER" => layers().map(|it| Offer { text: format!("{lead}{}", it.text), ..it }).collect(),
            _ => of(command::values_of(opt.id).into_iter().map(str::to_owned).collect()),
        }
    }

    /// A word that is no option, as the verb's usage says.
    fn operand(&self, verb: &Verb, words: &[&str]) -> Vec<Offer> {
        let takes = |word: &str| verb.usage.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word);
        let mut offers = Vec::new();
        if takes("PACKET") {
            offers.extend(self.packet(words));
            if takes("HOST") && words.is_empty() {
                offers.extend(self.hosts("", false));
            }
            // With a `/` or a `.` in it a packet's first word is offered as a file anyhow.
            if takes("FILE") && words.is_empty() && !self.unfinished.contains(['/', '.']) {
                offers.extend(self.files(self.unfinished, 0));
            }
            return offers;
        }
        if takes("FILE") {
            offers.extend(self.files(self.unfinished, 0));
        }
        if takes("LAYER") {
            offers.extend(layers());
        }
        if takes("TOPIC") && words.is_empty() {
            offers.extend(help::pages().map(|(name, means)| Offer::closed(name, means)));
        }
        if takes("SHELL") && words.is_empty() {
            offers.extend(SHELLS.iter().map(|(name, _)| Offer::closed(name, "")));
        }
        if takes("HOST") || takes("ADDR") {
            let http = verb.usage.strip_prefix("http://").map_or("", |_| "http://");
            offers.extend(self.hosts(http, takes("PORT") && http.is_empty()));
        }
        offers
    }

    /// A word of a packet.
    fn packet(&self, words: &[&str]) -> Vec<Offer> {
        let found = craft::complete(words, self.unfinished);
        let mut offers: Vec<Offer> = found.words.into_iter().map(Offer::from).collect();
        if let Some(with_port) = found.host {
            offers.extend(self.hosts("", with_port));
        }
        if let Some(at) = found.path {
            offers.extend(self.files(self.unfinished, at));
        } else if words.is_empty() && self.unfinished.contains(['/', '.']) {
            offers.extend(self.files(self.unfinished, 0));
        }
        offers
    }

    /// Names of hosts, and behind the colon the names of ports.
    fn hosts(&self, lead: &str, with_port: bool) -> Vec<Offer> {
        if let Some((host, port)) = self.unfinished.split_once(':').filter(|_| with_port) {
            let ports = craft::complete(&["tcp", "host"], &format!(":{port}")).words;
            return ports.into_iter().map(|it| Offer::closed(&format!("{host}{}", it.text), it.means)).collect();
        }
        let names = match self.lab {
            Some(shape) => shape.entries().iter().map(|host| host.name.to_owned()).collect(),
            None => known_hosts(),
        };
        let names = names.into_iter().map(|name| format!("{lead}{name}"));
        match with_port {
            true => names.map(|name| Offer::open(name + ":", "")).collect(),
            false if lead.is_empty() => names.map(|name| Offer::closed(&name, "")).collect(),
            false => names.map(|name| Offer::open(name + "/", "")).collect(),
        }
    }

    /// Files and folders whose path begins in `text` at a byte.
    fn files(&self, text: &str, at: usize) -> Vec<Offer> {
        let Some((lead, path)) = text.split_at_checked(at) else { return Vec::new() };
        let (folder, begun) = path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1));
        let place = match (folder, folder.strip_prefix("~/"), std::env::var("HOME")) {
            ("", ..) => ".".to_owned(),
            (_, Some(below), Ok(home)) => format!("{home}/{below}"),
            _ => folder.to_owned(),
        };
        let Ok(entries) = Path::new(&place).read_dir() else { return Vec::new() };
        let mut offers = Vec::new();
        for entry in entries.flatten().take(FILES_MAX) {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !name.starts_with(begun)
                || (name.starts_with('.') && begun.is_empty())
                || name.contains(char::is_control)
            {
                continue;
            }
            let is_folder = entry.path().is_dir();
            let text = format!("{lead}{folder}{name}");
            offers.push(if is_folder { Offer::open(text + "/", "") } else { Offer::closed(&text, "") });
        }
        offers.sort_by(|a, b| a.text.cmp(&b.text));
        offers
    }
}

/// The practice network that its options make; what they do wrong is for who runs the line to say.
fn shape_of(lab: &Verb, words: &[String]) -> Shape {
    let own: Vec<OsString> = words.iter().take_while(|word| *word != "--").map(OsString::from).collect();
    let end = own.iter().position(|word| word.to_str().is_some_and(|word| command::verb(word).is_some()));
    Options::read(lab, &own[..end.unwrap_or(own.len())]).map_or(Shape::ONE, |options| options.shape)
}

/// The long options of a verb that are not yet given.
fn options_of(verb: &Verb, words: &[String]) -> Vec<Offer> {
    let given = |opt: &Opt| words.iter().any(|word| command::option_of(verb, word).is_some_and(|it| it.id == opt.id));
    let options = command::options_of(verb).filter(|opt| !given(opt));
    options.map(|opt| Offer::closed(&format!("--{}", opt.id), say(&command::sentence_of(verb, opt), &[]))).collect()
}

fn layers() -> impl Iterator<Item = Offer> {
    wire::LAYERS.iter().map(|desc| Offer::closed(desc.key, desc.title))
}

fn interfaces() -> Vec<String> {
    let names = Path::new("/sys/class/net").read_dir().into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| OsString::into_string(name).ok()).collect()
}

/// The names that this machine has for hosts without asking anybody.
fn known_hosts() -> Vec<String> {
    let table = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let lines = table.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut names: Vec<String> = lines.flat_map(|line| line.split_whitespace().skip(1).map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    names.retain(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    names
}
