//! All sentences for people, one file a language: `key = sentence with {name} placeholders`.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::text::escape;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// Every language that has a catalogue.
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];

    /// Its code (ISO 639-1).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// The language of a locale (`ko_KR.UTF-8`, POSIX.1-2017 §8.2); English for one without a catalogue.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
        Self::from_code(language).unwrap_or_default()
    }
}

/// The sentences of a language. A line of the file is `key = sentence`; one that begins with spaces goes on the sentence
/// above; `#` begins a comment at the start of a line.
#[derive(Debug)]
pub struct Catalogue {
    /// In the order of the file: a command says a dozen of a thousand, so that they are looked for and not sorted.
    sentences: Vec<(&'static str, Cow<'static, str>)>,
}

impl Catalogue {
    /// The catalogue of a language, read once.
    #[must_use]
    pub fn get(lang: Lang) -> &'static Self {
        static EN: OnceLock<Catalogue> = OnceLock::new();
        static KO: OnceLock<Catalogue> = OnceLock::new();
        match lang {
            Lang::En => EN.get_or_init(|| Self::read(include_str!("../catalogue/en.txt"))),
            Lang::Ko => KO.get_or_init(|| Self::read(include_str!("../catalogue/ko.txt"))),
        }
    }

    /// The sentence with this key, its placeholders replaced. Values come from anywhere: they are made safe for a terminal.
    /// A key without a sentence gives the key itself, which a test of each caller excludes.
    ///
    /// # Panics
    /// In debug builds, when the sentence does not exist or has other placeholders than are given.
    #[must_use]
    pub fn say(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        let Some(sentence) = self.sentence(key) else {
            debug_assert!(false, "no sentence `{key}` in the catalogue");
            return escape(key).into_owned();
        };
        let mut said = String::with_capacity(sentence.len() + 16);
        let mut rest = sentence;
        while let Some((before, name, behind)) = placeholder(rest) {
            said.push_str(before);
            match values.iter().find(|(given, _)| *given == name) {
                Some((_, value)) => said.push_str(&escape(&value.to_string())),
                None => debug_assert!(false, "`{key}` wants {{{name}}}"),
            }
            rest = behind;
        }
        debug_assert!(
            values.iter().all(|(name, _)| placeholders(sentence).any(|wanted| wanted == *name)),
            "`{key}` does not use all that it is given"
        );
        said.push_str(rest);
        said
    }

    /// The sentence with this key as it stands in the file.
    #[must_use]
    pub fn sentence(&self, key: &str) -> Option<&str> {
        self.sentences.iter().find(|(other, _)| *other == key).map(|(_, sentence)| sentence.as_ref())
    }

    /// Every key, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        let mut keys: Vec<&'static str> = self.sentences.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.into_iter()
    }

    /// The names of the placeholders of a sentence, in order.
    pub fn placeholders_of(&self, key: &str) -> impl Iterator<Item = &str> {
        placeholders(self.sentence(key).unwrap_or_default())
    }

    fn read(file: &'static str) -> Self {
        let mut sentences: Vec<(&'static str, Cow<'static, str>)> = Vec::with_capacity(file.len() / LINE_BYTES);
        for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let divided = line.split_once(' ').and_then(|(key, rest)| Some((key, rest.strip_prefix("= ")?)));
            match (line.strip_prefix(' '), divided, sentences.last_mut()) {
                (Some(more), _, Some((_, sentence))) => {
                    let sentence = sentence.to_mut();
                    sentence.push(' ');
                    sentence.push_str(more.trim());
                }
                (None, Some((key, sentence)), _) => sentences.push((key, Cow::Borrowed(sentence.trim()))),
                _ => debug_assert!(false, "not a line of the catalogue: {line}"),
            }
        }
        Self { sentences }
    }
}

/// A line of a catalogue has so many bytes at least on average.
const LINE_BYTES: usize = 64;

/// The first `{name}` of a sentence, with what stands before and behind it.
fn placeholder(sentence: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = sentence.split_once('{')?;
    let (name, behind) = rest.split_once('}')?;
    Some((before, name, behind))
}

fn placeholders(sentence: &str) -> impl Iterator<Item = &str> {
    let mut rest = sentence;
    std::iter::from_fn(move || {
        let (_, name, behind) = placeholder(rest)?;
        rest = behind;
        Some(name)
    })
}
