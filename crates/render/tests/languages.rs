//! Every language says everything, with the same values, in sentences that read right and fit.

use std::collections::BTreeSet;

use wirewright_render::{Catalogue, Lang, columns, wrap};

fn english() -> &'static Catalogue {
    Catalogue::get(Lang::En)
}

fn korean() -> &'static Catalogue {
    Catalogue::get(Lang::Ko)
}

fn is_hangul(char: char) -> bool {
    ('\u{ac00}'..='\u{d7a3}').contains(&char)
}

#[test]
fn each_language_has_every_key_with_the_same_values() {
    for lang in Lang::ALL {
        let catalogue = Catalogue::get(lang);
        let (own, keys): (BTreeSet<_>, BTreeSet<_>) = (catalogue.keys().collect(), english().keys().collect());
        let [missing, extra] = [keys.difference(&own), own.difference(&keys)].map(|keys| keys.collect::<Vec<_>>());
        assert!(missing.is_empty() && extra.is_empty(), "{lang:?} lacks {missing:?} and has besides {extra:?}");
        for key in keys {
            let values = |catalogue: &'static Catalogue| catalogue.placeholders_of(key).collect::<BTreeSet<_>>();
            assert_eq!(values(catalogue), values(english()), "{lang:?}: {key}");
            assert!(!catalogue.sentence(key).unwrap_or_default().contains("  "), "{lang:?}: {key}");
        }
    }
}

#[test]
fn each_key_stands_once() {
    for lang in Lang::ALL {
        let keys: Vec<_> = Catalogue::get(lang).keys().collect();
        let twice: Vec<_> = keys.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).collect();
        assert!(twice.is_empty(), "{lang:?} has twice: {twice:?}");
    }
}

#[test]
fn nothing_is_left_in_english_but_what_has_no_words() {
    let no_words =
        |sentence: &str| !sentence.split(['{', '}']).step_by(2).any(|part| part.contains(char::is_alphabetic));
    let names = ["fields.head.shark", "get.progress", "option.as", "option.color", "error.host-port.because"];
    for key in korean().keys() {
        let sentence = korean().sentence(key).unwrap_or_default();
        assert!(sentence.contains(is_hangul) || no_words(sentence) || names.contains(&key), "{key}: {sentence}");
    }
}

#[test]
fn no_particle_that_depends_on_a_value_stands_behind_it() {
    let particles =
        ["을", "를", "은", "는", "과", "와", "으로", "로", "라는", "이라는", "라고", "이라고", "여야", "이어야"];
    for key in korean().keys() {
        let sentence = korean().sentence(key).unwrap_or_default();
        for behind in sentence.split(['}', '`', '\'']).skip(1) {
            let word: String = behind.chars().take_while(|char| is_hangul(*char)).collect();
            assert!(!particles.contains(&word.as_str()), "{key}: …{word}");
            assert!(!matches!(word.as_str(), "이" | "가"), "{key}: …{word}");
        }
    }
}

#[test]
fn korean_sentences_end_as_formal_speech_does() {
    for key in korean().keys() {
        let sentence = korean().sentence(key).unwrap_or_default();
        for part in sentence.split(". ").map(|part| part.trim_end_matches(['.', ')', ':'])) {
            for informal in ["해요", "에요", "예요", "어요", "아요", "네요", "이다", "한다", "된다"] {
                assert!(!part.ends_with(informal), "{key}: {part}");
            }
        }
    }
}

/// A sentence as wide as it is printed, with values of an address's width.
fn width(key: &str) -> usize {
    let sentence = korean().sentence(key).unwrap_or_default();
    let values: usize = korean().placeholders_of(key).map(|name| name.len() + 2).sum();
    let count = korean().placeholders_of(key).count();
    columns(sentence) - values + count * 8
}

#[test]
fn what_is_printed_on_one_line_fits_80_columns() {
    // The columns before it: the margins and names of help, `ww: ` of a headline, 8 of an answer's meaning.
    let one_line = [
        ("verb.", 65),
        ("option.", 53),
        ("topic.", 58),
        ("answer.", 72),
        ("error.", 76),
        ("remark.", 76),
        ("hint.", 64),
        ("paste.", 66),
        ("note.", 70),
        ("stream.", 60),
        ("sum.row.", 10),
        ("word.", 7),
        ("talk.choice.", 60),
        ("lab.host.", 38),
    ];
    for (area, room) in one_line {
        // Silence is told in a paragraph.
        for key in korean().keys().filter(|key| key.starts_with(area) && *key != "answer.none") {
            assert!(width(key) <= room, "{key}: {} of {room} columns", width(key));
        }
    }
}

#[test]
fn every_sentence_can_be_wrapped_into_80_columns() {
    for key in korean().keys() {
        let lines = wrap(korean().sentence(key).unwrap_or_default(), 80);
        assert!(lines.iter().all(|line| columns(line) <= 80), "{key}");
        // No word is so long that it is broken.
        assert!(korean().sentence(key).unwrap_or_default().split(' ').all(|word| columns(word) <= 76), "{key}");
    }
}

#[test]
fn a_locale_names_its_language() {
    for locale in ["ko_KR.UTF-8", "ko", "ko_KR", "ko.utf8", "ko@x"] {
        assert_eq!(Lang::of_locale(locale), Lang::Ko, "{locale}");
    }
    for locale in ["C.UTF-8", "en_US.UTF-8", "POSIX", "", "kok_IN", "de_DE.UTF-8"] {
        assert_eq!(Lang::of_locale(locale), Lang::En, "{locale}");
    }
}
