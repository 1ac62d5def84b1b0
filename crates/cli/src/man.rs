//! `ww __man`: the manual pages, from the tables of verbs and options, the catalogue and the pages of `ww help`.
//!
//! `cargo xtask man` writes them to files. Each is roff with the macros of man(7).

use std::fmt::Write as _;
use std::io::Write as _;

use crate::command::{self, VERBS, Verb};
use crate::speech::say;
use crate::verbs::help;

/// Prints the page with this name, or the names of all, a line each; `false` where there is none of this name.
pub(crate) fn run(name: Option<&str>) -> bool {
    let text = match name {
        None => names().map(|name| name + "\n").collect(),
        Some(name) => match page(name) {
            Some(text) => text,
            None => return false,
        },
    };
    std::io::stdout().lock().write_all(text.as_bytes()).is_ok()
}

/// The names of all pages: the command, its verbs, its topics.
fn names() -> impl Iterator<Item = String> {
    let verbs = VERBS.iter().map(|verb| format!("ww-{}.1", verb.name));
    let topics = help::topics().map(|(name, _)| format!("ww-{name}.7"));
    std::iter::once("ww.1".to_owned()).chain(verbs).chain(topics)
}

fn page(name: &str) -> Option<String> {
    if name == "ww.1" {
        return Some(overview());
    }
    let name = name.strip_prefix("ww-")?;
    match (name.strip_suffix(".1"), name.strip_suffix(".7")) {
        (Some(verb), _) => command::verb(verb).map(of_verb),
        (_, Some(topic)) => help::topics().find(|(name, _)| *name == topic).map(|(name, text)| of_topic(name, text)),
        _ => None,
    }
}

/// A page while it is written.
struct Page(String);

impl Page {
    fn new(name: &str, section: u8, line: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let title = format!(".TH {} {section} \"\" \"Wirewright {version}\" \"Wirewright\"\n", name.to_uppercase());
        let mut page = Self(title);
        page.section("NAME");
        let _ = writeln!(page.0, "{} \\- {}", plain(name), plain(line));
        page
    }

    fn section(&mut self, title: &str) {
        let _ = writeln!(self.0, ".SH {title}");
    }

    /// A term and what it is.
    fn row(&mut self, term: &str, text: &str) {
        let _ = writeln!(self.0, ".TP\n.B {}\n{}", plain(term), plain(text));
    }

    /// Lines as they stand.
    fn lines(&mut self, text: &str) {
        self.0.push_str(".nf\n");
        for line in text.lines() {
            let _ = writeln!(self.0, "{}", plain(line));
        }
        self.0.push_str(".fi\n");
    }

    fn see_also(&mut self, names: impl Iterator<Item = String>) {
        self.section("SEE ALSO");
        let names: Vec<String> = names.map(|name| format!(".BR {}", name.replace('(', " ("))).collect();
        let _ = writeln!(self.0, "{}", names.join(" ,\n"));
    }
}

/// A line that roff prints as it is.
fn plain(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

fn overview() -> String {
    let mut page = Page::new("ww", 1, say("help.title", &[]).trim_start_matches("ww: "));
    page.section("SYNOPSIS");
    page.0.push_str(".B ww\n[VERB [WORDS …] [OPTIONS]]\n");
    page.section("VERBS");
    for verb in VERBS {
        page.row(&format!("ww {} {}", verb.name, verb.usage), &say(&format!("verb.{}", verb.name), &[]));
    }
    page.section("EXIT STATUS");
    page.lines(help::topics().find(|(name, _)| *name == "exit").map_or("", |(_, text)| text));
    let verbs = VERBS.iter().map(|verb| format!("ww-{}(1)", verb.name));
    page.see_also(verbs.chain(help::topics().map(|(name, _)| format!("ww-{name}(7)"))));
    page.0
}

fn of_verb(verb: &Verb) -> String {
    let mut page = Page::new(&format!("ww-{}", verb.name), 1, &say(&format!("verb.{}", verb.name), &[]));
    page.section("SYNOPSIS");
    let _ = writeln!(page.0, ".B ww {}\n{} [OPTIONS]", verb.name, plain(verb.usage));
    if !verb.options.is_empty() {
        page.section("OPTIONS");
    }
    for opt in command::options_of(verb) {
        let short = opt.short.map_or_else(String::new, |letter| format!("-{letter}, "));
        page.row(format!("{short}--{} {}", opt.id, opt.value).trim_end(), &say(&command::sentence_of(verb, opt), &[]));
    }
    page.section("EXAMPLES");
    page.lines(&verb.examples.join("\n"));
    let topic = help::topics().filter(|(name, _)| *name == verb.name);
    page.see_also(std::iter::once("ww(1)".to_owned()).chain(topic.map(|(name, _)| format!("ww-{name}(7)"))));
    page.0
}

fn of_topic(name: &str, text: &str) -> String {
    let mut page = Page::new(&format!("ww-{name}"), 7, &say(&format!("topic.{name}"), &[]));
    page.section("DESCRIPTION");
    page.lines(text);
    page.see_also(std::iter::once("ww(1)".to_owned()));
    page.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_be_a_request() {
        assert_eq!(plain(".SH x"), "\\&.SH x");
        assert_eq!(plain("'a\\n"), "\\&'a\\en");
        assert_eq!(plain("--ascii"), "\\-\\-ascii");
    }

    #[test]
    fn every_name_has_its_page() {
        for name in names() {
            assert!(page(&name).is_some_and(|text| text.starts_with(".TH WW")), "{name}");
        }
        assert!(page("ww-nothing.1").is_none());
    }
}
