//! The flow of reading: layer words, the words of each layer, and what the whole packet must have.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use wirewright_wire::{Auto, FieldDesc, HeaderDesc, LengthOf};

use super::error::{Code, Fault};
use super::layer::Scope;
use super::problem::Problem;
use crate::generator::Generator;
use crate::packet::{Layer, NameAt, Packet, Payload, Place, Setting};
use crate::template::{BEHIND_LAYERS, GeneratorAt, Target, Template};
use crate::text::shown;
use crate::{MAX_LAYERS, layers};

/// A layer being read.
pub(super) struct Draft {
    pub(super) layer: Layer,
    /// Its word; for a layer that was made, the word that made it necessary.
    pub(super) word: usize,
    /// It was not written but made, because a layer above needs it.
    pub(super) made: bool,
    /// Which word set which field.
    pub(super) set: Vec<(Place, usize)>,
    /// Names that stand for addresses.
    pub(super) names: Vec<(Place, String)>,
    /// What stands for many values, and where it was written.
    pub(super) generators: Vec<(Target, Generator, Written)>,
}

impl Draft {
    pub(super) fn new(desc: &'static HeaderDesc, word: usize, made: bool) -> Self {
        Self { layer: Layer::new(desc), word, made, set: Vec::new(), names: Vec::new(), generators: Vec::new() }
    }

    pub(super) fn is_set(&self, place: Place) -> bool {
        self.layer.setting(place) != Setting::Auto || self.names.iter().any(|(at, _)| *at == place)
    }

    /// Remembers that a word sets a field.
    pub(super) fn claim(&mut self, place: Place, word: usize, words: &[&str]) -> Result<(), Fault> {
        if let Some((_, first)) = self.set.iter().find(|(at, _)| *at == place) {
            let (key, first) = (self.layer.field(place).map_or("", |field| field.key), *first);
            let field = format!("{}.{key}", self.layer.key());
            return Err(twice(|before| Problem::SetTwice { field, before }, first, word, words));
        }
        self.set.push((place, word));
        Ok(())
    }
}

/// A mistake: something is set a second time.
pub(super) fn twice(problem: impl FnOnce(String) -> Problem, first: usize, word: usize, words: &[&str]) -> Fault {
    let before = shown(words.get(first).copied().unwrap_or_default());
    Fault::new(Code::SetTwice, word, problem(before)).fix(core::iter::empty::<String>())
}

/// Where a text stands: its word, and its bytes in it.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) word: usize,
    pub(super) part: Range<usize>,
}

/// What is read so far.
pub(super) struct Reader<'w> {
    pub(super) words: &'w [&'w str],
    pub(super) drafts: Vec<Draft>,
    pub(super) payload: Option<(Payload, usize)>,
    /// Many lengths of the payload.
    pub(super) lengths: Option<(Generator, Written)>,
    pub(super) trailer: Option<(Vec<u8>, usize)>,
    /// `eth.KEY=` where no Ethernet layer is written: key, value, word.
    pub(super) ethernet: Vec<(&'w str, &'w str, usize)>,
    /// A packet is read, which must have what nothing fills in; not only some of its fields.
    pub(super) is_whole: bool,
}

/// Reads words as packets; where a generator was written comes with it, in the template's order.
pub(super) fn read(words: &[&str]) -> Result<(Template, Vec<Written>), Fault> {
    read_as(words, true)
}

/// Reads words of which only what is written matters: nothing is missing.
pub(super) fn read_fields(words: &[&str]) -> Result<(Template, Vec<Written>), Fault> {
    read_as(words, false)
}

fn read_as(words: &[&str], is_whole: bool) -> Result<(Template, Vec<Written>), Fault> {
    if words.is_empty() {
        return Err(Fault::new(Code::Empty, 0, Problem::NoWords {}).expected(layer_words()).no_guess());
    }
    let (drafts, lengths) = (Vec::new(), None);
    let mut reader = Reader { words, drafts, payload: None, lengths, trailer: None, ethernet: Vec::new(), is_whole };
    let mut at = 0;
    loop {
        at = reader.layer(at)?;
        if at == words.len() {
            break;
        }
        at += 1;
    }
    reader.finish()
}

/// The words that may begin a layer.
pub(super) fn layer_words() -> impl Iterator<Item = &'static str> {
    wirewright_wire::LAYERS.iter().map(|desc| desc.key).chain(["raw"])
}

/// Whether a word stands between layers.
pub(super) fn is_divider(word: &str) -> bool {
    word == "/"
}

impl<'w> Reader<'w> {
    /// Reads the layer whose word stands at `at`, and returns where its words end.
    fn layer(&mut self, at: usize) -> Result<usize, Fault> {
        let end = (at..self.words.len()).find(|&i| is_divider(self.words[i])).unwrap_or(self.words.len());
        if at == end {
            let problem = match at {
                0 => Problem::BeginsWithDivider { word: self.words[0].into() },
                _ => Problem::LayerShouldFollow { word: self.words[at - 1].into() },
            };
            let fault = Fault::new(Code::LayerExpected, at, problem).expected(layer_words()).no_guess();
            let useless = at.saturating_sub(1)..at.max(1);
            return Err(fault.fix_words(useless, core::iter::empty::<String>()));
        }
        if self.words[at] == "raw" {
            self.raw(at, end)?;
            return Ok(end);
        }
        let desc = self.layer_named(at)?;
        let mut scope = Scope::new(self, desc, at);
        for word in at + 1..end {
            scope.word(word, word == at + 1)?;
        }
        scope.close()?;
        Ok(end)
    }

    fn layer_named(&self, at: usize) -> Result<&'static HeaderDesc, Fault> {
        let word = self.words[at];
        if self.drafts.len() >= MAX_LAYERS - 2 {
            let problem = Problem::TooManyLayers { max: MAX_LAYERS - 2 };
            return Err(Fault::new(Code::TooLong, at, problem).no_guess());
        }
        if let Some(desc) = layers::known(word) {
            return Ok(desc);
        }
        let problem = match at {
            0 => Problem::NoLayerFirst { word: shown(word) },
            _ => Problem::NoLayer { word: shown(word) },
        };
        Err(Fault::new(Code::UnknownLayer, at, problem).expected(layer_words()))
    }

    /// `raw`: nothing but a payload.
    fn raw(&mut self, at: usize, end: usize) -> Result<(), Fault> {
        if end < self.words.len() {
            return Err(Fault::new(Code::LayerExpected, end, Problem::NothingAboveRaw {}).no_guess());
        }
        for word in at + 1..end {
            let (key, text) = self.words[word].split_once('=').map_or((self.words[word], None), |(k, t)| (k, Some(t)));
            if !self.payload_word(word, key, text)? {
                let problem = Problem::OnlyPayloadInRaw { word: shown(self.words[word]) };
                let expected = ["data=TEXT", "hex=DIGITS", "file=PATH", "zero=N", "rand=N", "stdin"];
                return Err(Fault::new(Code::UnknownWord, word, problem).expected(expected));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(Template, Vec<Written>), Fault> {
        self.make_ethernet()?;
        for draft in &self.drafts {
            if self.is_whole {
                self.check_required(draft)?;
            }
            self.check_options(draft)?;
        }
        let mut packet = Packet {
            payload: self.payload.map_or(Payload::Empty, |(payload, _)| payload),
            trailer: self.trailer.map_or(Vec::new(), |(bytes, _)| bytes),
            ..Packet::default()
        };
        let mut many = Vec::new();
        for (index, draft) in self.drafts.into_iter().enumerate() {
            let names = draft.names.into_iter();
            packet.names.extend(names.map(|(place, name)| NameAt { layer: index, place, name }));
            let generators = draft.generators.into_iter();
            many.extend(generators.map(|(target, it, at)| (GeneratorAt { layer: index, target, generator: it }, at)));
            packet.layers.push(draft.layer);
        }
        if let Some((generator, at)) = self.lengths {
            many.push((GeneratorAt { layer: BEHIND_LAYERS, target: Target::Length, generator }, at));
        }
        many.sort_by_key(|(at, _)| at.order());
        let (generators, written) = many.into_iter().unzip();
        Ok((Template::new(packet, generators), written))
    }

    /// `eth.KEY=` makes the Ethernet layer.
    fn make_ethernet(&mut self) -> Result<(), Fault> {
        let wanted = core::mem::take(&mut self.ethernet);
        let Some(&(_, _, word)) = wanted.first() else { return Ok(()) };
        let mut draft = Draft::new(layers::eth(), word, true);
        for (key, text, word) in wanted {
            super::layer::set(&mut draft, self.words, key, text, word)?;
        }
        self.drafts.insert(0, draft);
        Ok(())
    }

    fn check_required(&self, draft: &Draft) -> Result<(), Fault> {
        let missing = draft.layer.rows().find(|(place, field, _)| {
            field.auto == Auto::Required && !draft.is_set(*place) && draft.layer.holds(*place, field)
        });
        match missing {
            None => Ok(()),
            Some((_, field, _)) => Err(self.missing(draft, field)),
        }
    }

    fn missing(&self, draft: &Draft, field: &'static FieldDesc) -> Fault {
        let key = draft.layer.key();
        let word = draft.word;
        match field.key {
            "dport" => {
                let example = if key == "udp" { ":53" } else { ":80" };
                let problem = Problem::PortNeeded { layer: key };
                let end = (word..self.words.len()).find(|&i| is_divider(self.words[i])).unwrap_or(self.words.len());
                let at = end.min(word + 1 + usize::from(self.words.get(word + 1).is_some_and(|w| names_host(w))));
                let fault = Fault::new(Code::PortMissing, word, problem).expected([":PORT", "ADDR:PORT"]);
                let glued = (word + 1..end).find_map(|i| Some((i, super::names::glued_port(self.words[i])?)));
                match glued {
                    Some((i, (address, port))) => fault.fix_words(i..i + 1, [address, port]),
                    None => fault,
                }
                .fix_words(at..at, [example])
            }
            "dst" | "tpa" => {
                let example = if key == "ip6" { "2001:db8::2" } else { "192.0.2.2" };
                let over = self.words.get(word).copied().unwrap_or(key);
                let problem = Problem::AddressNeeded { word: over.into() };
                Fault::new(Code::AddressMissing, word, problem)
                    .expected(["ADDR", "NAME"])
                    .fix_words(word + 1..word + 1, [example])
            }
            _ => {
                let problem = Problem::FieldNeeded { layer: key, field: field.key };
                Fault::new(Code::FieldMissing, word, problem).expected([format!("{}=", field.key)])
            }
        }
        .no_guess()
    }

    /// Options must fit into a header whose length is to be right.
    fn check_options(&self, draft: &Draft) -> Result<(), Fault> {
        let Some(table) = draft.layer.option_table() else { return Ok(()) };
        let len = draft.layer.options().len();
        let free = draft.layer.rows().any(|(_, field, setting)| {
            let own = matches!(field.auto, Auto::Length(LengthOf::HeaderWords | LengthOf::Extension));
            own && matches!(setting, Setting::Exactly(_))
        });
        if len <= table.max || free {
            return Ok(());
        }
        let problem = Problem::OptionsTooLong { layer: draft.layer.key(), len, max: table.max };
        Err(Fault::new(Code::OptionsTooLong, draft.word, problem).no_guess())
    }
}

fn names_host(word: &str) -> bool {
    super::names::address(word).is_some() || super::names::is_name(word)
}
