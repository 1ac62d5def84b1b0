//! The sentences of this process: one language, chosen once.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;

use render::{Catalogue, Lang};

use crate::command::bad_value;
use crate::failure::Failure;

static LANG: OnceLock<Lang> = OnceLock::new();

/// Chooses the language, before anything else is said: JSON is English; then `--lang`; then the locale. Where no Korean can
/// be shown it is English, and said so once if Korean was asked for.
pub(crate) fn choose(args: &[OsString]) {
    let own = args.iter().take_while(|arg| *arg != "--");
    let own: Vec<&str> = own.map(|arg| arg.to_str().unwrap_or_default()).collect();
    let can_show = locale_is_utf8() && !own.contains(&"--ascii");
    let asked = asked(&own);
    let lang = match asked {
        _ if own.contains(&"--json") => Lang::En,
        Some(lang) => lang,
        None => variable(&["LC_ALL", "LC_MESSAGES", "LANG"]).map_or(Lang::En, |locale| Lang::of_locale(&locale)),
    };
    let shown = if can_show { lang } else { Lang::En };
    if LANG.set(shown).is_ok() && shown != lang && asked.is_some() {
        let _ = writeln!(io::stderr().lock(), "ww: {}", say("remark.no-korean", &[]));
    }
}

/// What `--lang` says, the last one if there are several.
fn asked(args: &[&str]) -> Option<Lang> {
    let joined = args.iter().map(|arg| arg.strip_prefix("--lang="));
    let apart = args.iter().skip(1).zip(args).map(|(value, arg)| (*arg == "--lang").then_some(*value));
    // One entry an argument: its own value, or the next argument.
    let apart = apart.chain([None]);
    joined.zip(apart).filter_map(|(joined, apart)| joined.or(apart)).filter_map(Lang::from_code).last()
}

/// The arguments without a `--lang` in front of the verb.
///
/// # Errors
/// A language without a catalogue, or none.
pub(crate) fn behind_lang(args: &[OsString]) -> Result<&[OsString], Failure> {
    let Some(first) = args.first().and_then(|arg| arg.to_str()) else { return Ok(args) };
    let (value, rest) = match (first, first.strip_prefix("--lang=")) {
        (_, Some(value)) => (Some(value), &args[1..]),
        ("--lang", None) => (args.get(1).and_then(|arg| arg.to_str()), args.get(2..).unwrap_or_default()),
        _ => return Ok(args),
    };
    let Some(value) = value else {
        return Err(Failure::usage("option-value", say("error.option-value.missing", &[("option", &"--lang")]))
            .row("it takes", say("hint.lang", &[])));
    };
    check(value).map(|()| rest)
}

/// Whether `--lang` can take this.
///
/// # Errors
/// A language without a catalogue.
pub(crate) fn check(value: &str) -> Result<(), Failure> {
    Lang::from_code(value).map(|_| ()).ok_or_else(|| bad_value("lang", value, &say("hint.lang", &[])))
}

/// The language that was chosen.
pub(crate) fn lang() -> Lang {
    LANG.get().copied().unwrap_or_default()
}

/// The first of these variables that is set, in their order of precedence.
fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// The locale's character set.
pub(crate) fn locale_is_utf8() -> bool {
    variable(&["LC_ALL", "LC_CTYPE", "LANG"]).is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

/// The catalogue of the language that was chosen.
pub(crate) fn words() -> &'static Catalogue {
    Catalogue::get(lang())
}

/// A sentence of the catalogue with its values.
pub(crate) fn say(key: &str, values: &[(&str, &dyn Display)]) -> String {
    words().say(key, values)
}

/// The label of a row. Its English word is what JSON has and what the code says; what has no sentence is a code.
pub(crate) fn label(word: &str) -> String {
    let key = format!("label.{}", word.replace(' ', "-"));
    if words().sentence(&key).is_some() { say(&key, &[]) } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else {
                into.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    /// Every text that begins behind one of these in the sources.
    fn behind(all: &[String], begins: &[&str]) -> Vec<String> {
        let texts = all.iter().flat_map(|file| begins.iter().flat_map(|begin| file.split(begin).skip(1)));
        texts.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    }

    #[test]
    fn the_last_lang_counts_wherever_it_stands() {
        let asked = |line: &str| asked(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(asked("ask --lang ko tcp :80"), Some(Lang::Ko));
        assert_eq!(asked("ask tcp :80 --lang=ko"), Some(Lang::Ko));
        assert_eq!(asked("--lang ko ask --lang en"), Some(Lang::En));
        for none in ["ask tcp :80", "ask --lang", "ask --lang xx", "ask ko --lang"] {
            assert_eq!(asked(none), None, "{none}");
        }
        let behind = |line: &str| {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            behind_lang(&args).map(<[OsString]>::len).map_err(|failure| failure.code)
        };
        assert_eq!([behind("--lang ko demo"), behind("--lang=ko lab ask")], [Ok(1), Ok(2)]);
        assert_eq!([behind("--lang ko"), behind("demo --lang xx")], [Ok(0), Ok(3)]);
        for wrong in ["--lang xx demo", "--lang", "--lang= demo"] {
            assert_eq!(behind(wrong), Err("option-value"), "{wrong}");
        }
    }

    #[test]
    fn each_label_of_a_row_has_its_word() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let labels = behind(&all, &["row(\"", "noted(\""]);
        assert!(labels.len() > 60, "rows are found: {}", labels.len());
        for word in labels.iter().filter(|word| !word.is_empty()) {
            assert!(words().sentence(&format!("label.{}", word.replace(' ', "-"))).is_some(), "{word}");
            assert_eq!(label(word), *word);
        }
    }

    /// What a text begins with that is to be typed.
    const COMMANDS: [&str; 6] = ["ww ", "lab ", "ip ", "ss ", "sudo ", "docker "];

    /// What is no sentence of ours though it has three words.
    const OTHERS: [&str; 1] = ["failed to lookup address information: "];

    #[test]
    fn no_sentence_stands_in_code() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let mut found = Vec::new();
        let is_word = |word: &str| word.len() > 1 && word.chars().all(|char| char.is_ascii_lowercase() || char == '\'');
        let has_three = |text: &str| {
            let words: Vec<_> =
                text.split_whitespace().map(|word| is_word(word.trim_matches([',', ':', ';']))).collect();
            words.windows(3).any(|three| three.iter().all(|is_word| *is_word))
        };
        for file in &all {
            let code = file.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().map(str::trim_start);
            for line in lines.filter(|line| !line.starts_with("//") && !line.contains("expect(")) {
                for text in line.split('"').skip(1).step_by(2).filter(|text| has_three(text)) {
                    let is_label = words().sentence(&format!("label.{}", text.replace(' ', "-"))).is_some();
                    let is_command = COMMANDS.iter().any(|command| text.starts_with(command));
                    if !is_label && !is_command && !OTHERS.contains(&text) {
                        found.push(text.to_owned());
                    }
                }
            }
        }
        assert!(found.is_empty(), "sentences in code: {found:#?}");
    }

    #[test]
    fn each_sentence_that_is_said_exists() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        for key in behind(&all, &["say(\"", "words(\""]).iter().filter(|key| key.contains('.')) {
            assert!(words().sentence(key).is_some(), "{key}");
        }
    }
}
