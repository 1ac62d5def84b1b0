//! The sentences of this process: one language, chosen once.

use std::fmt::Display;
use std::sync::OnceLock;

use render::{Catalogue, Lang};

static LANG: OnceLock<Lang> = OnceLock::new();

/// The catalogue of the language that was chosen.
pub(crate) fn words() -> &'static Catalogue {
    Catalogue::get(LANG.get().copied().unwrap_or_default())
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

    #[test]
    fn each_sentence_that_is_said_exists() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        for key in behind(&all, &["say(\"", "words(\""]).iter().filter(|key| key.contains('.')) {
            assert!(words().sentence(key).is_some(), "{key}");
        }
    }
}
