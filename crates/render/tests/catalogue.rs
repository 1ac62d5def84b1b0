//! Every meaning and every code has its sentence, every sentence its use, and all are shaped as they are used.

use std::collections::BTreeSet;
use std::path::Path;

use wirewright_craft::{Problem, pasted};
use wirewright_inspect::FindingKind;
use wirewright_inspect::dissect::Complaint;
use wirewright_inspect::flow::Mark;
use wirewright_inspect::sum::Mistake;
use wirewright_inspect::wire::{FieldDesc, LAYERS, TlvDesc};
use wirewright_link::NextStep;
use wirewright_render::{Catalogue, Lang};

fn catalogue() -> &'static Catalogue {
    Catalogue::get(Lang::En)
}

/// The meanings of all rows: headers, bodies, options.
fn meanings() -> BTreeSet<&'static str> {
    let mut all = BTreeSet::new();
    let mut rows = |fields: &'static [FieldDesc]| all.extend(fields.iter().map(|field| field.meaning));
    let mut tables: Vec<&'static TlvDesc> = Vec::new();
    for layer in LAYERS {
        rows(layer.fields);
        tables.extend(layer.options);
        for variant in layer.variants {
            rows(variant.body.fields);
            tables.extend(variant.body.options);
        }
    }
    for option in tables.iter().flat_map(|table| table.kinds) {
        rows(option.fields);
        rows(option.entries);
        option.parts.iter().for_each(|part| rows(std::slice::from_ref(&part.field)));
    }
    all
}

#[test]
fn every_field_has_a_meaning_and_every_meaning_a_field() {
    let meanings = meanings();
    let missing: Vec<_> = meanings.iter().filter(|key| catalogue().sentence(key).is_none()).collect();
    assert!(missing.is_empty(), "fields without a sentence: {missing:?}");
    let layers: Vec<_> = LAYERS.iter().map(|layer| format!("{}.", layer.key)).collect();
    let unused: Vec<_> = catalogue()
        .keys()
        .filter(|key| layers.iter().any(|layer| key.starts_with(layer.as_str())) && !meanings.contains(key))
        .collect();
    assert!(unused.is_empty(), "sentences of no field: {unused:?}");
}

#[test]
fn every_code_has_a_sentence() {
    let mut keys: Vec<String> = Complaint::CODES.iter().map(|code| format!("complaint.{code}")).collect();
    let forms = |code: &str, forms: &[&str]| forms.iter().map(|form| format!("sum.{code}.{form}")).collect::<Vec<_>>();
    for code in Mistake::CODES {
        keys.extend(match code {
            "odd-byte" => forms(code, &["lost", "doubled", "padded-left"]),
            "no-pseudo-header" => {
                forms(code, &["whole", "protocol", "length-of-payload", "length-of-packet", "length-swapped"])
            }
            "stale-field" => forms(code, &["length", "pseudo-length", "identification", "time-to-live", "source"]),
            _ => vec![format!("sum.{code}")],
        });
    }
    for verdict in ["right", "absent", "absent-not-allowed", "fragment", "truncated", "no-addresses", "source-route"] {
        keys.push(format!("sum.verdict.{verdict}"));
    }
    keys.extend(Mark::ALL.iter().map(|mark| format!("mark.{}", mark.code())));
    keys.extend(FindingKind::CODES.iter().map(|code| format!("finding.{code}")));
    let missing: Vec<_> = keys.iter().filter(|key| catalogue().sentence(key).is_none()).collect();
    assert!(missing.is_empty(), "codes without a sentence: {missing:?}");
}

#[test]
fn everything_in_a_conversation_has_its_sentence() {
    use wirewright_hand::conversation::{Conversation, Due, Fault, Mistake, What};
    let mut keys: Vec<String> = Due::ALL.iter().map(|due| format!("talk.due.{}", due.word())).collect();
    keys.extend(What::ALL.iter().map(|what| format!("talk.heard.{}", what.word())));
    use What::{Ack, Data, DataAgain, Fin, Odd, Reset, Syn, SynAck, ZeroWindowProbe};
    let sent = [Syn, SynAck, Ack, Data, DataAgain, Fin, Reset, ZeroWindowProbe, Odd];
    keys.extend(sent.iter().map(|what| format!("talk.sent.{}", what.word())));
    keys.extend(Fault::ALL.iter().map(|fault| format!("talk.fault.{}", fault.code())));
    keys.extend(Mistake::ALL.iter().map(|mistake| format!("talk.mistake.{}", mistake.code())));
    keys.extend(Conversation::choice_words().iter().map(|word| format!("talk.choice.{word}")));
    let missing: Vec<_> = keys.iter().filter(|key| catalogue().sentence(key).is_none()).collect();
    assert!(missing.is_empty(), "without a sentence: {missing:?}");
}

#[test]
fn every_next_step_after_an_error_has_a_sentence_and_no_other_has() {
    let wanted: BTreeSet<_> = NextStep::ALL.iter().map(|step| format!("next.{}", step.code())).collect();
    let there: BTreeSet<_> = catalogue().keys().filter(|key| key.starts_with("next.")).map(str::to_owned).collect();
    assert_eq!(wanted, there);
    assert!(there.iter().all(|key| catalogue().placeholders_of(key).count() == 0));
}

#[test]
fn every_complaint_takes_the_same_values() {
    for code in Complaint::CODES {
        let key = format!("complaint.{code}");
        let wanted: BTreeSet<_> = catalogue().placeholders_of(&key).collect();
        assert_eq!(wanted, BTreeSet::from(["layer", "need", "have", "byte"]), "{key}");
    }
}

#[test]
fn a_line_of_words_and_a_paste_are_told_as_their_library_tells_them() {
    for (area, rows) in [("language", Problem::ENGLISH), ("paste", pasted::Problem::ENGLISH)] {
        for (code, english) in rows {
            assert_eq!(catalogue().sentence(&format!("{area}.{code}")), Some(*english), "{area}.{code}");
        }
        let codes: BTreeSet<_> = rows.iter().map(|(code, _)| format!("{area}.{code}")).collect();
        assert_eq!(codes.len(), rows.len(), "a code stands for one sentence");
        let others = ["language.at", "language.flags-as", "paste.at"];
        let unused: Vec<_> = catalogue()
            .keys()
            .filter(|key| key.starts_with(&format!("{area}.")) && !others.contains(key) && !codes.contains(*key))
            .collect();
        assert!(unused.is_empty(), "sentences of no problem: {unused:?}");
    }
}

#[test]
fn sentences_are_well_formed() {
    for key in catalogue().keys() {
        let sentence = catalogue().sentence(key).unwrap();
        assert!(!sentence.is_empty() && !sentence.contains("  "), "{key}");
        assert_eq!(sentence.matches('{').count(), sentence.matches('}').count(), "{key}");
        for name in catalogue().placeholders_of(key) {
            assert!(name.chars().all(|char| char.is_ascii_lowercase() || char == '_'), "{key}: {{{name}}}");
        }
        assert!(key.chars().all(|char| char.is_ascii_alphanumeric() || ".-".contains(char)), "{key}");
    }
}

#[test]
fn field_meanings_are_sentences_without_placeholders() {
    for key in meanings() {
        let sentence = catalogue().sentence(key).unwrap();
        assert!(sentence.ends_with('.'), "{key}");
        assert_eq!(catalogue().placeholders_of(key).count(), 0, "{key}");
    }
}

#[test]
fn a_value_from_outside_cannot_move_the_cursor() {
    let said = catalogue().say("sum.pseudo-source", &[("source", &"\x1b]0;owned\x07")]);
    assert!(!said.contains('\x1b') && said.contains("\\x1b]0;owned\\x07"), "{said}");
}

/// All Rust sources beside this crate; `None` where the crate stands alone.
fn sources() -> Option<String> {
    fn read(folder: &Path, into: &mut String) -> Option<()> {
        for entry in std::fs::read_dir(folder).ok()? {
            let path = entry.ok()?.path();
            if path.is_dir() {
                read(&path, into)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push_str(&std::fs::read_to_string(&path).ok()?);
            }
        }
        Some(())
    }
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let mut all = String::new();
    for name in ["render", "cli"] {
        read(&crates.join(name).join("src"), &mut all)?;
    }
    Some(all)
}

#[test]
fn no_sentence_is_unused() {
    let Some(sources) = sources() else {
        eprintln!("skipped: the other crates' sources are not here");
        return;
    };
    let meanings = meanings();
    // A key is used as it stands, or put together behind its beginning: `"sum.{part}"`.
    let used = |key: &str| {
        let put_together = key.match_indices('.').any(|(at, _)| sources.contains(&format!("\"{}.{{", &key[..at])));
        put_together || sources.contains(&format!("\"{key}\""))
    };
    let unused: Vec<_> = catalogue().keys().filter(|key| !meanings.contains(key) && !used(key)).collect();
    assert!(unused.is_empty(), "sentences that nobody says: {unused:?}");
}
