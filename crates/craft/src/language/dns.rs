//! The words of a DNS message: its question and its records.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use wirewright_wire::dns::{ENTRIES_MAX, Section};

use super::error::{Code, Fault};
use super::layer::Scope;
use super::problem::Problem;
use super::reader::twice;
use crate::dns::{self, EDNS, EntryFault};
use crate::text::shown;

/// The question that is written as words, while they are read: name and type with the words that say them.
#[derive(Clone, Copy, Default)]
pub(super) struct Question<'w> {
    name: Option<(&'w str, usize)>,
    kind: Option<(&'w str, usize)>,
}

impl<'w> Scope<'_, 'w> {
    /// A name or a type of the question; `false` when the word is neither.
    pub(super) fn question_word(&mut self, at: usize, word: &'w str) -> Result<bool, Fault> {
        if !dns::is_dns(self.desc()) {
            return Ok(false);
        }
        let small = self.question.name.is_some() && word.starts_with(|c: char| c.is_ascii_alphabetic());
        let (slot, field) = if dns::is_kind(word) || small && dns::kind_of(word).is_some() {
            (&mut self.question.kind, "dns.type")
        } else if self.question.name.is_none() && dns::is_leading(word) {
            (&mut self.question.name, "dns.name")
        } else {
            return Ok(false);
        };
        if let Some((_, first)) = *slot {
            let field = String::from(field);
            return Err(twice(|before| Problem::SetTwice { field, before }, first, at, self.reader.words));
        }
        *slot = Some((word, at));
        Ok(true)
    }

    /// `qd= an= ns= ar= edns=`; `false` when the key is none of them.
    pub(super) fn entry_word(&mut self, at: usize, key: &str, text: &str) -> Result<bool, Fault> {
        if !dns::is_dns(self.desc()) {
            return Ok(false);
        }
        let (section, bytes) = match Section::from_key(key) {
            Some(section) => (section, dns::entry(section, text)),
            None if key == EDNS => (Section::Additional, dns::edns(text)),
            None => return Ok(false),
        };
        let bytes = bytes.map_err(|fault| entry_fault(at, key, &fault))?;
        self.add_entry(at, section, &bytes)?;
        Ok(true)
    }

    fn add_entry(&mut self, at: usize, section: Section, bytes: &[u8]) -> Result<(), Fault> {
        let entries: usize = self.draft.layer.counts.iter().map(|&count| usize::from(count)).sum();
        if entries == ENTRIES_MAX {
            return Err(Fault::new(Code::TooLong, at, Problem::TooManyEntries { max: ENTRIES_MAX }).no_guess());
        }
        dns::insert(&mut self.draft.layer, section, bytes);
        Ok(())
    }

    /// Puts the question that was written as words before all others.
    pub(super) fn close_question(&mut self) -> Result<(), Fault> {
        let (name, at) = match (self.question.name, self.question.kind) {
            (Some(name), _) => name,
            (None, None) => return Ok(()),
            (None, Some((kind, at))) => {
                let problem = Problem::QuestionNeeded { kind: shown(kind) };
                return Err(Fault::new(Code::FieldMissing, at, problem).fix_words(at..at, ["example.com"]).no_guess());
            }
        };
        let kind = self.question.kind.map_or("A", |(kind, _)| kind);
        let bytes = dns::question(name, kind).map_err(|fault| entry_fault(at, "qd", &fault))?;
        let behind = core::mem::take(&mut self.draft.layer.options);
        let counts = core::mem::take(&mut self.draft.layer.counts);
        self.add_entry(at, Section::Question, &bytes)?;
        self.draft.layer.options.extend(behind);
        for (count, more) in self.draft.layer.counts.iter_mut().zip(counts) {
            *count += more;
        }
        Ok(())
    }
}

fn entry_fault(at: usize, key: &str, fault: &EntryFault) -> Fault {
    let key = String::from(key);
    let problem = match fault {
        EntryFault::Form => {
            let form = match key.as_str() {
                "qd" => "NAME:TYPE",
                EDNS => "SIZE[:do][:CODE=HEX]",
                _ => "NAME:TYPE:TTL:DATA",
            };
            Problem::EntryForm { key, form: form.into() }
        }
        EntryFault::Name(name) => Problem::NoDnsName { key, name: shown(name) },
        EntryFault::Kind(kind) => Problem::NoDnsType { key, kind: shown(kind) },
        EntryFault::Number(text) => Problem::EntryNumber { key, text: shown(text) },
        EntryFault::Data(form) => Problem::EntryData { key, form: form.clone() },
    };
    Fault::new(Code::BadValue, at, problem).no_guess()
}

/// What may stand in a message besides its fields.
pub(super) fn expected() -> Vec<String> {
    let sections = Section::ALL.into_iter().map(|section| format!("{}=", section.key()));
    ["ADDR", "NAME", "TYPE"].into_iter().map(String::from).chain(sections).chain([format!("{EDNS}=")]).collect()
}

/// Whether a word is a key of an entry.
pub(super) fn is_key(word: &str) -> bool {
    Section::from_key(word).is_some() || word == EDNS
}
