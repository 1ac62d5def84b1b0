//! The words of one layer: the rules of the one reading, in their order.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::{Auto, FieldDesc, HeaderDesc, Kind, MacAddr, Name, OptionDesc, TlvDesc};

use super::dns::Question;
use super::error::{Code, Fault};
use super::names;
use super::problem::Problem;
use super::reader::{Draft, Reader, Written, twice};
use super::suggest;
use crate::applications;
use crate::generator::{self, Addresses, Among, Generator};
use crate::options::{self, OptionFault};
use crate::packet::{Host, Part, Payload, Place, Setting};
use crate::print::UNENDED;
use crate::template::{LENGTH, Target};
use crate::text::{BadEscape, read_escaped, read_hex, shown};
use crate::value::{self, ValueFault};
use crate::{MAX_PAYLOAD_BYTES, layers};

/// Words that reach the IP layer below, whichever version it is.
pub(super) const REACHING: [&str; 4] = ["src", "dst", "ttl", "tos"];

/// A layer while its words are read.
pub(super) struct Scope<'r, 'w> {
    pub(super) reader: &'r mut Reader<'w>,
    pub(super) draft: Draft,
    /// The destination written as a word: host and word.
    pub(super) address: Option<(Host, usize)>,
    /// `src dst ttl tos`: key, value, word.
    pub(super) below: Vec<(&'static str, &'w str, usize)>,
    /// `LAYER.key=value`: layer, key, value, word.
    pub(super) dotted: Vec<(&'w str, &'w str, &'w str, usize)>,
    /// Words whose reading depends on the type, read when it is known: key, value, word.
    pub(super) later: Vec<(&'w str, Option<&'w str>, usize)>,
    /// The question of a DNS message.
    pub(super) question: Question<'w>,
}

impl<'r, 'w> Scope<'r, 'w> {
    pub(super) fn new(reader: &'r mut Reader<'w>, desc: &'static HeaderDesc, word: usize) -> Self {
        let draft = Draft::new(desc, word, false);
        Self {
            reader,
            draft,
            address: None,
            below: Vec::new(),
            dotted: Vec::new(),
            later: Vec::new(),
            question: Question::default(),
        }
    }

    pub(super) fn desc(&self) -> &'static HeaderDesc {
        self.draft.layer.desc
    }

    pub(super) fn key(&self) -> &'static str {
        self.desc().key
    }

    pub(super) fn is_transport(&self) -> bool {
        matches!(self.key(), "tcp" | "udp")
    }

    /// Reads one word; `first`: it stands directly behind the layer's word.
    pub(super) fn word(&mut self, at: usize, first: bool) -> Result<(), Fault> {
        let word: &'w str = self.reader.words[at];
        if let Some((key, text)) = word.split_once('=') {
            return self.key_value(at, key, text);
        }
        if self.reader.payload_word(at, word, None)? {
            return Ok(());
        }
        if let Some(port) = word.strip_prefix(':')
            && !port.starts_with(':')
        {
            return self.port(at, port);
        }
        if self.flags_word(at, word)? || self.bare_word(at, word)? || self.address_word(at, word)? {
            return Ok(());
        }
        if self.question_word(at, word)? || self.name_word(at, word, first)? {
            return Ok(());
        }
        Err(self.unknown_word(at, word))
    }

    fn unknown_word(&self, at: usize, word: &str) -> Fault {
        let key = self.key();
        let host = word.split_once(':').map_or(word, |(host, _)| host);
        if value::is_generator(word) || value::is_generator(host) {
            let problem = Problem::NoGenerator { layer: key, word: shown(word) };
            return Fault::new(Code::UnknownWord, at, problem).expected(suggest::expected_in(self.desc()));
        }
        if names::is_like_ipv4(word) {
            let problem = Problem::NoIpv4Address { word: shown(word) };
            let fault = Fault::new(Code::BadAddress, at, problem).expected(["ADDR", "ADDR:PORT"]);
            return match names::mended_ipv4(word) {
                Some(mended) => fault.fix([mended]),
                None => fault,
            };
        }
        let reaching = REACHING.contains(&word) && self.reaches_network();
        if suggest::is_key(self.desc(), word) || reaching {
            let problem = Problem::ValueNeeded { layer: key, word: word.into() };
            return Fault::new(Code::UnknownWord, at, problem);
        }
        let problem = match word.strip_prefix('-') {
            Some(_) => Problem::LikeAnOption { word: shown(word) },
            None => Problem::NoSuchWord { layer: key, word: shown(word) },
        };
        Fault::new(Code::UnknownWord, at, problem).expected(suggest::expected_in(self.desc()))
    }

    /// Rule 4: `:PORT`.
    fn port(&mut self, at: usize, text: &'w str) -> Result<(), Fault> {
        if applications::is_one(self.desc()) {
            self.dotted.push((self.transport_below(), "dport", text, at));
            return Ok(());
        }
        if !self.is_transport() {
            let problem = Problem::NoPorts { layer: self.key() };
            let fault = Fault::new(Code::PortNotHere, at, problem);
            return Err(fault.fix(["/".to_string(), "tcp".to_string(), format!(":{text}")]).no_guess());
        }
        let words = self.reader.words;
        set_at_offset(&mut self.draft, words, "dport", text, at, words[at].len() - text.len())
    }

    /// Rule 5: the flags of TCP.
    fn flags_word(&mut self, at: usize, word: &str) -> Result<bool, Fault> {
        let flags = self.desc().fields.iter().enumerate().find(|(_, field)| field.kind == Kind::Flags);
        let Some((row, field)) = flags else { return Ok(false) };
        let Some(value) = value::flags(field, word) else { return Ok(false) };
        let place = Place { part: Part::Header, row };
        self.draft.claim(place, at, self.reader.words)?;
        self.draft.layer.set_at(place, Setting::Exactly(value));
        Ok(true)
    }

    /// Rule 6: a bare word of the layer: an option without value, a bit, a type.
    fn bare_word(&mut self, at: usize, word: &'w str) -> Result<bool, Fault> {
        let desc = self.desc();
        if let Some(row) = desc.fields.iter().position(|field| field.bare && field.key == word) {
            self.set_place(Place { part: Part::Header, row }, at, 1)?;
            return Ok(true);
        }
        let spoken = matches!(desc.key, "icmp" | "icmp6" | "igmp" | "arp" | "dhcp6");
        let typed = desc.fields.iter().enumerate().filter(|(_, field)| matches!(field.key, "type" | "op") && spoken);
        for (row, field) in typed {
            if let Some(value) = field.value_of(word) {
                self.set_place(Place { part: Part::Header, row }, at, value)?;
                return Ok(true);
            }
        }
        if let Some(table) = desc.options
            && let Some((option, name)) = options::spoken(table, word)
        {
            let text = format!("{}", name.value);
            return self
                .draft
                .option(table, option, Some((&text, 0)), at)
                .map(|()| true)
                .map_err(|fault| option_fault(at, word, word, &fault));
        }
        if word == UNENDED && desc.options.is_some_and(|table| table.closing().is_some()) {
            self.draft.layer.unended = true;
            return Ok(true);
        }
        if let Some(table) = desc.options
            && let Some(option) = options::for_word(table, word, false)
        {
            self.draft.option(table, option, None, at).map_err(|fault| option_fault(at, word, word, &fault))?;
            return Ok(true);
        }
        let in_a_body = desc.variants.iter().any(|variant| {
            let option = variant.body.options.and_then(|table| options::for_word(table, word, false));
            option.is_some() || variant.body.fields.iter().any(|field| field.bare && field.key == word)
        });
        if in_a_body {
            self.later.push((word, None, at));
        }
        Ok(in_a_body)
    }

    fn set_place(&mut self, place: Place, at: usize, value: u128) -> Result<(), Fault> {
        self.draft.claim(place, at, self.reader.words)?;
        self.draft.layer.set_at(place, Setting::Exactly(value));
        Ok(())
    }

    /// Rule 7: an address.
    fn address_word(&mut self, at: usize, word: &'w str) -> Result<bool, Fault> {
        let words = self.reader.words;
        if self.key() == "eth" {
            if MacAddr::parse(word).is_some() || value::is_generator(word) {
                set(&mut self.draft, words, "dst", word, at)?;
                return Ok(true);
            }
            return Ok(false);
        }
        if let Some(many) = generator::addresses(word, matches!(self.key(), "ip6" | "icmp6")) {
            return self.addresses(at, word, many);
        }
        let Some((address, port)) = names::address(word) else { return Ok(false) };
        self.host(at, Host::Address(address))?;
        if let Some(port) = port {
            self.port_behind(at, word, port)?;
        }
        Ok(true)
    }

    /// A word of addresses: the first stands for all, [`set_host`] reads the rest where it knows the field.
    fn addresses(
        &mut self,
        at: usize,
        word: &'w str,
        many: Result<Addresses<'w>, (ValueFault, usize)>,
    ) -> Result<bool, Fault> {
        let Addresses { first, port, .. } = many.map_err(|(fault, len)| {
            let text = &word[..len];
            let field = generator::address_field(false).filter(|_| text.contains('.'));
            let mended = field.and_then(|field| generator::mended(field, text, &fault));
            let why = Box::new(value_problem(&fault, "dst="));
            let problem = Problem::Value { text: shown(text), why };
            let fault_at = Fault::new(Code::BadAddress, at, problem).part(0..len).no_guess();
            let is_long = matches!(fault, ValueFault::PrefixLong(_)) && len == word.len();
            // A number that is no prefix is a port behind the wrong sign.
            let fault = match is_long && self.is_transport() {
                true => fault_at.fix([word.replace('/', ":")]),
                false => fault_at,
            };
            match mended {
                Some(mended) => fault.fix([mended + &word[len..]]),
                None => fault,
            }
        })?;
        self.host(at, Host::Address(first))?;
        if let Some(port) = port {
            self.port_behind(at, word, port)?;
        }
        Ok(true)
    }

    /// The port of `ADDR:PORT` and `NAME:PORT`.
    fn port_behind(&mut self, at: usize, word: &'w str, port: &'w str) -> Result<(), Fault> {
        if applications::is_one(self.desc()) {
            return self.port(at, port);
        }
        if self.is_transport() {
            let words = self.reader.words;
            return set_at_offset(&mut self.draft, words, "dport", port, at, word.len() - port.len());
        }
        let host = &word[..word.len() - port.len() - 1];
        let problem = Problem::NoPorts { layer: self.key() };
        let fault = Fault::new(Code::PortNotHere, at, problem).part(host.len()..word.len());
        let with = [host.to_string(), "/".to_string(), "tcp".to_string(), format!(":{port}")];
        Err(fault.fix(with).fix([host]).no_guess())
    }

    /// Rule 8: a name.
    fn name_word(&mut self, at: usize, word: &'w str, first: bool) -> Result<bool, Fault> {
        if value::is_generator(word) || layers::is_link(self.desc()) || names::is_like_ipv4(word) {
            return Ok(false);
        }
        // A name has no colon; a generator behind it may have some.
        let divided = word.split_once(':').filter(|(_, port)| value::is_generator(port));
        if let Some((name, port)) = divided.or_else(|| word.rsplit_once(':'))
            && names::is_name(name)
            && !port.is_empty()
        {
            self.host(at, Host::Name(name.into()))?;
            self.port_behind(at, word, port)?;
            return Ok(true);
        }
        // Behind `dhcp` stands the kind of message, and the destination is everybody: a host there has its port.
        if !first || matches!(self.key(), "dhcp" | "dhcp6") || !names::is_name(word) {
            return Ok(false);
        }
        self.host(at, Host::Name(word.into()))?;
        Ok(true)
    }

    /// Takes the destination, where this layer has one or reaches one.
    fn host(&mut self, at: usize, host: Host) -> Result<(), Fault> {
        let key = self.key();
        match key {
            _ if layers::is_link(self.desc()) => {
                let problem = Problem::NoIpAddresses { layer: key };
                Err(Fault::new(Code::BadAddress, at, problem).no_guess())
            }
            "ip" | "ip6" | "arp" => {
                let key = if key == "arp" { "tpa" } else { "dst" };
                set_host(&mut self.draft, self.reader.words, key, &host, at)
            }
            _ => {
                if let Some((before, first)) = &self.address {
                    let fault = twice(|before| Problem::DestinationTwice { before }, *first, at, self.reader.words);
                    // A misspelt word behind the layer is read as a name; it is the likelier mistake.
                    let suspects = match before {
                        Host::Name(_) => [Some(*first), Some(at)],
                        Host::Address(_) => [None, Some(at)],
                    };
                    return Err(suggest::at_words(fault, self.reader.words, suspects));
                }
                self.address = Some((host, at));
                Ok(())
            }
        }
    }

    /// Rule 2: `key=value`, and rule 3, the payload.
    fn key_value(&mut self, at: usize, key: &'w str, text: &'w str) -> Result<(), Fault> {
        let desc = self.desc();
        if self.reader.payload_word(at, key, Some(text))? || self.entry_word(at, key, text)? {
            return Ok(());
        }
        if let Some((layer, field)) = key.split_once('.') {
            self.dotted.push((layer, field, text, at));
            return Ok(());
        }
        match key {
            "trailer" => return self.trailer(at, text),
            "cut" => return self.cut(at, text),
            "opt" | "opts" if self.has_option_area() => {
                if desc.variants.is_empty() {
                    return self.raw_option(at, key, text);
                }
                self.later.push((key, Some(text), at));
                return Ok(());
            }
            "code" if desc.selects_body() && desc.field("code").is_some() => {
                self.later.push((key, Some(text), at));
                return Ok(());
            }
            "dport" if self.is_transport() => {
                let problem = Problem::PortIsWritten { port: text.into() };
                let fault = Fault::new(Code::UnknownKey, at, problem).fix([format!(":{text}")]).no_guess();
                return Err(fault.fix(core::iter::empty::<String>()));
            }
            _ => {}
        }
        if desc.field(key).is_some() {
            return set(&mut self.draft, self.reader.words, key, text, at);
        }
        if let Some(table) = desc.options
            && let Some(option) = options::for_word(table, key, true)
        {
            let word = self.reader.words[at];
            let read = self.draft.option(table, option, Some((text, word.len() - text.len())), at);
            return read.map_err(|fault| option_fault(at, key, word, &fault));
        }
        let in_a_body = desc.variants.iter().any(|variant| {
            let option = variant.body.options.and_then(|table| options::for_word(table, key, true));
            variant.body.field(key).is_some() || option.is_some()
        });
        if in_a_body {
            self.later.push((key, Some(text), at));
            return Ok(());
        }
        if let Some(key) = REACHING.iter().find(|reaching| **reaching == key)
            && self.reaches_network()
        {
            self.below.push((key, text, at));
            return Ok(());
        }
        let problem = Problem::NoSuchKey { layer: self.key(), key: shown(key) };
        Err(Fault::new(Code::UnknownKey, at, problem).part(0..key.len()).expected(suggest::expected_in(desc)))
    }

    pub(super) fn reaches_network(&self) -> bool {
        !layers::is_link(self.desc()) && !matches!(self.key(), "arp" | "ip" | "ip6")
    }

    fn has_option_area(&self) -> bool {
        let desc = self.desc();
        let own = |desc: &HeaderDesc| desc.options.is_some();
        own(desc) || desc.key == "route" || desc.variants.iter().any(|variant| own(variant.body))
    }

    /// `cut=N`: only the first N bytes of this header are there.
    fn cut(&mut self, at: usize, text: &str) -> Result<(), Fault> {
        if self.draft.layer.cut.is_some() {
            let first = (0..at).rev().find(|&i| self.reader.words[i].starts_with("cut=")).unwrap_or(at);
            let field = format!("{}.cut", self.key());
            return Err(twice(|before| Problem::SetTwice { field, before }, first, at, self.reader.words));
        }
        let len = value::number(text).ok().and_then(|len| usize::try_from(len).ok());
        let Some(len) = len.filter(|&len| len <= MAX_PAYLOAD_BYTES) else {
            return Err(Fault::new(Code::BadValue, at, Problem::NumberOfBytes { key: "cut".into() }).no_guess());
        };
        self.draft.layer.cut = Some(len);
        Ok(())
    }

    fn trailer(&mut self, at: usize, text: &str) -> Result<(), Fault> {
        if let Some((_, first)) = &self.reader.trailer {
            return Err(twice(|before| Problem::TrailerTwice { before }, *first, at, self.reader.words));
        }
        let bytes = read_hex(text).map_err(|offset| bad_hex(at, "trailer", text, offset))?;
        self.reader.trailer = Some((bytes, at));
        Ok(())
    }

    /// `opt=KIND:HEX`, and `opts=HEX`, which takes any bytes.
    pub(super) fn raw_option(&mut self, at: usize, key: &str, text: &str) -> Result<(), Fault> {
        let prefix = key.len() + 1;
        let area = |scope: &mut Self, bytes: &[u8]| scope.draft.layer.options.extend_from_slice(bytes);
        if key == "opts" {
            let bytes = read_hex(text).map_err(|offset| bad_hex(at, key, text, offset))?;
            area(self, &bytes);
            return Ok(());
        }
        let (kind, hex) = text.split_once(':').unwrap_or((text, ""));
        let kind = value::number(kind).ok().and_then(|kind| u16::try_from(kind).ok());
        let table = self.draft.layer.option_table();
        let fits = |&(kind, table): &(u16, &TlvDesc)| table.head_len() > 2 || kind <= u8::MAX.into();
        let Some((kind, table)) = kind.zip(table).filter(fits) else {
            return Err(Fault::new(Code::BadValue, at, Problem::AnyOption {})
                .part(prefix..prefix + text.len())
                .no_guess());
        };
        let value = read_hex(hex).map_err(|offset| bad_hex(at, key, text, text.len() - hex.len() + offset))?;
        options::push_option(table, kind, &value, &mut self.draft.layer.options)
            .map_err(|fault| option_fault(at, key, self.reader.words[at], &fault))
    }
}

impl Reader<'_> {
    /// Rule 3: takes a word of the payload; `false` when it is none.
    pub(super) fn payload_word(&mut self, at: usize, key: &str, text: Option<&str>) -> Result<bool, Fault> {
        let payload = match (key, text) {
            ("stdin", None) => Payload::Stdin,
            ("data", Some(text)) => Payload::Bytes(read_escaped(text).map_err(|BadEscape(offset)| {
                Fault::new(Code::BadPayload, at, Problem::Escapes {}).part(5 + offset..5 + offset + 1).no_guess()
            })?),
            ("hex", Some(text)) => Payload::Bytes(read_hex(text).map_err(|offset| bad_hex(at, key, text, offset))?),
            ("file", Some("")) => {
                return Err(Fault::new(Code::BadPayload, at, Problem::PathNeeded {}).no_guess());
            }
            ("file", Some(path)) => Payload::File(path.into()),
            ("zero", Some(text)) => Payload::Zero(self.size(at, key, text)?),
            ("rand", Some(text)) => Payload::Random(self.size(at, key, text)?),
            _ => return Ok(false),
        };
        if let Payload::Bytes(bytes) = &payload
            && bytes.len() > MAX_PAYLOAD_BYTES
        {
            let problem = Problem::PayloadTooLong { len: bytes.len(), max: MAX_PAYLOAD_BYTES };
            return Err(Fault::new(Code::TooLong, at, problem).no_guess());
        }
        if let Some((_, first)) = &self.payload {
            return Err(twice(|before| Problem::PayloadTwice { before }, *first, at, self.words));
        }
        self.payload = Some((payload, at));
        Ok(true)
    }

    /// A length of the payload, or the first of many.
    fn size(&mut self, at: usize, key: &str, text: &str) -> Result<usize, Fault> {
        if !value::is_generator(text) {
            return size(at, key, text);
        }
        let part = key.len() + 1..key.len() + 1 + text.len();
        let read = Generator::read(&LENGTH, &[], text).and_then(|it| match it {
            // Any length at all is almost always one that fits nowhere.
            Generator::Rand(Among::All) => Err(ValueFault::RandForm),
            it => Ok(it),
        });
        let generator = read.map_err(|fault| {
            let why = Box::new(value_problem(&fault, &format!("{key}=")));
            let problem = Problem::Value { text: shown(text), why };
            let said = Fault::new(Code::BadPayload, at, problem).part(part.clone()).no_guess();
            match generator::mended(&LENGTH, text, &fault) {
                Some(mended) => said.fix([format!("{key}={mended}")]),
                None => said,
            }
        })?;
        let first = usize::try_from(generator.first()).unwrap_or(0);
        if self.lengths.is_none() {
            self.lengths = Some((generator, Written { word: at, part }));
        }
        Ok(first)
    }
}

impl Draft {
    /// Appends an option; its text comes with its place in the word.
    pub(super) fn option(
        &mut self,
        table: &'static TlvDesc,
        option: &'static OptionDesc,
        text: Option<(&str, usize)>,
        at: usize,
    ) -> Result<(), OptionFault> {
        let mut many = Vec::new();
        options::encode_many(table, option, text.map(|(text, _)| text), &mut self.layer.options, &mut many)?;
        let begun = text.map_or(0, |(_, begun)| begun);
        self.generators.extend(many.into_iter().map(|it| {
            let part = it.part.start + begun..it.part.end + begun;
            (Target::Option { at: it.at, field: it.field }, it.generator, Written { word: at, part })
        }));
        Ok(())
    }

    /// Many types of messages must not mix with fields that one of them has: each packet has the same words.
    pub(super) fn check_types(&self, words: &[&str]) -> Result<(), Fault> {
        let desc = self.layer.desc;
        let many = self.generators.iter().find_map(|(target, generator, written)| {
            let Target::Field(place) = target else { return None };
            let field = self.layer.field(*place).filter(|field| field.selects_next && place.part == Part::Header)?;
            desc.selects_body().then_some((field, generator, written))
        });
        let Some((field, generator, written)) = many else { return Ok(()) };
        let form = |value: u128| desc.variant_for(value).map(core::ptr::from_ref);
        let first = form(generator.first());
        let others = (0..=field.max().min(255)).filter(|&value| generator.may_be(field, value) && form(value) != first);
        let others: Vec<u128> = others.collect();
        if others.is_empty() {
            return Ok(());
        }
        let own = self.set.iter().find(|(place, _)| place.part == Part::Body).map(|(_, word)| shown(words[*word]));
        let own = own.or_else(|| (!self.layer.options.is_empty()).then(|| "opt=".into()));
        let needs = || {
            let bodies = others.iter().filter_map(|&value| desc.variant_for(value));
            let mut fields = bodies.flat_map(|variant| variant.body.fields);
            fields.find(|field| field.auto == Auto::Required).map(|field| format!("{}=", field.key))
        };
        let Some(what) = own.or_else(needs) else { return Ok(()) };
        let word = words.get(written.word).and_then(|word| word.get(written.part.clone())).unwrap_or_default();
        let problem = Problem::ManyForms { word: shown(word), what };
        Err(Fault::new(Code::ManyForms, written.word, problem).part(written.part.clone()).no_guess())
    }
}

fn size(at: usize, key: &str, text: &str) -> Result<usize, Fault> {
    let part = key.len() + 1..key.len() + 1 + text.len();
    match value::number(text).map(usize::try_from) {
        Ok(Ok(len)) if len <= MAX_PAYLOAD_BYTES => Ok(len),
        Ok(_) => {
            let problem = Problem::MakesAtMost { key: key.into(), max: MAX_PAYLOAD_BYTES };
            Err(Fault::new(Code::TooLong, at, problem).part(part).no_guess())
        }
        Err(_) => {
            let problem = Problem::NumberOfBytes { key: key.into() };
            Err(Fault::new(Code::BadPayload, at, problem).part(part).no_guess())
        }
    }
}

fn bad_hex(at: usize, key: &str, text: &str, offset: usize) -> Fault {
    let start = key.len() + 1 + offset;
    let problem = if offset >= text.len() {
        Problem::HalfByte { key: key.into() }
    } else {
        let char = shown(&text[offset..].chars().take(1).collect::<String>());
        Problem::NoHexDigit { key: key.into(), char }
    };
    let len = text.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Fault::new(Code::BadPayload, at, problem).part(start..start + len).no_guess()
}

fn option_fault(at: usize, key: &str, word: &str, fault: &OptionFault) -> Fault {
    let mended = match fault {
        OptionFault::Value { field, text, fault } => {
            generator::mended(field, text, fault).map(|mended| word.replacen(text.as_str(), &mended, 1))
        }
        _ => None,
    };
    let problem = match fault {
        OptionFault::Count { want, have } => Problem::OptionCount { key: key.into(), want: want.clone(), have: *have },
        OptionFault::Value { field, text, fault } => {
            let why = Box::new(value_problem(fault, &field.key.to_ascii_uppercase()));
            Problem::OptionValue { key: key.into(), text: shown(text), why }
        }
        OptionFault::Hex => Problem::OptionHex { key: key.into() },
        OptionFault::Escape => Problem::Escapes {},
        OptionFault::Name(text) => Problem::OptionName { key: key.into(), text: shown(text) },
        OptionFault::Length => Problem::OptionLength { key: key.into() },
    };
    let fault = Fault::new(Code::BadValue, at, problem).no_guess();
    match mended {
        Some(mended) => fault.fix([mended]),
        None => fault,
    }
}

/// Sets a field by its key; the value stands behind `KEY=` in the word.
pub(super) fn set(draft: &mut Draft, words: &[&str], key: &str, text: &str, at: usize) -> Result<(), Fault> {
    let offset = words.get(at).map_or(0, |word| word.len().saturating_sub(text.len()));
    set_at_offset(draft, words, key, text, at, offset)
}

/// Sets a field by its key; the value stands at `offset` in its word.
pub(super) fn set_at_offset(
    draft: &mut Draft,
    words: &[&str],
    key: &str,
    text: &str,
    at: usize,
    offset: usize,
) -> Result<(), Fault> {
    let layer = draft.layer.key();
    let Some((place, field)) = draft.layer.place(key).and_then(|place| Some((place, draft.layer.field(place)?))) else {
        let problem = Problem::NoSuchKey { layer, key: shown(key) };
        return Err(Fault::new(Code::UnknownKey, at, problem).expected(suggest::expected_in(draft.layer.desc)));
    };
    let many = field.kind != Kind::Flags && value::is_generator(text);
    if matches!(field.kind, Kind::Ipv4 | Kind::Ipv6)
        && let Some(host) = names::host(text)
        && !many
    {
        return set_host(draft, words, key, &host, at);
    }
    if field.kind == Kind::Text {
        return set_text(draft, words, (place, field), text, at);
    }
    let codes: &[Name] = match draft.layer.variant() {
        Some(variant) if field.key == "code" => variant.codes,
        _ => &[],
    };
    let part = offset..offset + text.len();
    let faulty = |fault: ValueFault| {
        suggest::value_fault(layer, field, codes, (words[at], offset), &fault, at).part(part.clone())
    };
    if many {
        let generator = Generator::read(field, codes, text).map_err(faulty)?;
        draft.claim(place, at, words)?;
        draft.layer.set_at(place, Setting::Exactly(generator.first()));
        draft.generators.push((Target::Field(place), generator, Written { word: at, part }));
        return Ok(());
    }
    let setting = value::setting(field, codes, text).map_err(faulty)?;
    draft.claim(place, at, words)?;
    draft.layer.set_at(place, setting);
    Ok(())
}

/// Sets a field that is text.
fn set_text(
    draft: &mut Draft,
    words: &[&str],
    (place, field): (Place, &'static FieldDesc),
    text: &str,
    at: usize,
) -> Result<(), Fault> {
    let begun = words.get(at).map_or(0, |word| word.len().saturating_sub(text.len()));
    let bytes = read_escaped(text).map_err(|BadEscape(offset)| {
        Fault::new(Code::BadValue, at, Problem::Escapes {}).part(begun + offset..begun + offset + 1).no_guess()
    })?;
    draft.claim(place, at, words)?;
    if !draft.layer.set_text(field.key, &bytes) {
        let max = usize::try_from(field.max()).unwrap_or(usize::MAX);
        let problem = Problem::TextTooLong { field: field.key.into(), len: bytes.len(), max };
        return Err(Fault::new(Code::TooLong, at, problem).no_guess());
    }
    Ok(())
}

/// Sets an address field to a host of the right family, or keeps its name.
pub(super) fn set_host(draft: &mut Draft, words: &[&str], key: &str, host: &Host, at: usize) -> Result<(), Fault> {
    let place = draft.layer.place(key).unwrap_or(Place { part: Part::Header, row: usize::MAX });
    let kind = draft.layer.field(place).map(|field| field.kind);
    let value = match (host, kind) {
        (Host::Name(name), _) => {
            draft.claim(place, at, words)?;
            draft.names.push((place, name.clone()));
            return Ok(());
        }
        (Host::Address(IpAddr::V4(address)), Some(Kind::Ipv4)) => address.to_bits().into(),
        (Host::Address(IpAddr::V6(address)), Some(Kind::Ipv6)) => address.to_bits(),
        (Host::Address(address), _) => return Err(wrong_family(draft, *address, words, at)),
    };
    draft.claim(place, at, words)?;
    draft.layer.set_at(place, Setting::Exactly(value));
    let word = words.get(at).copied().unwrap_or_default();
    if let Some(Ok(Addresses { generator, port, .. })) = generator::addresses(word, kind == Some(Kind::Ipv6)) {
        let end = word.len() - port.map_or(0, |port| port.len() + 1);
        draft.generators.push((Target::Field(place), generator, Written { word: at, part: 0..end }));
    }
    Ok(())
}

/// An address of the other family: the layer's word is the likelier mistake.
pub(super) fn wrong_family(draft: &Draft, address: IpAddr, words: &[&str], at: usize) -> Fault {
    let (is, other) = if address.is_ipv6() { ("IPv6", true) } else { ("IPv4", false) };
    let written = words.get(draft.word).copied().unwrap_or("");
    let problem = Problem::WrongVersion { word: written.into(), address, version: is };
    let fault = Fault::new(Code::BadAddress, at, problem).no_guess();
    let layer = match (written, other) {
        ("ip", true) => "ip6",
        ("icmp", true) => "icmp6",
        ("ip6", false) => "ip",
        ("icmp6", false) => "icmp",
        _ => return fault,
    };
    fault.fix_words(draft.word..draft.word + 1, [layer])
}

/// What is wrong with a value of a field, which is written `field`.
pub(super) fn value_problem(fault: &ValueFault, field: &str) -> Problem {
    let field = String::from(field);
    match fault {
        ValueFault::Empty => Problem::Empty { field },
        ValueFault::LeadingZero => Problem::LeadingZero {},
        ValueFault::NotANumber => Problem::NoNumber { field },
        ValueFault::TooLarge(max) if *max == u128::MAX => Problem::TooLarge {},
        ValueFault::TooLarge(max) => Problem::AtMost { field, max: *max },
        ValueFault::NotAMac => Problem::NoMac { field },
        ValueFault::NotIpv4 => Problem::NoIpv4 { field },
        ValueFault::NotIpv6 => Problem::NoIpv6 { field },
        ValueFault::NotRelative => Problem::NotRelative { field },
        ValueFault::Generator => Problem::NotOne {},
        ValueFault::Backwards => Problem::Backwards {},
        ValueFault::OpenRange => Problem::OpenRange {},
        ValueFault::PrefixLong(bits) => Problem::PrefixAtMost { max: *bits },
        ValueFault::ListTooLong => Problem::ListTooLong { max: generator::LIST_MAX },
        ValueFault::RandForm => Problem::RandForm {},
        ValueFault::IncForm => Problem::IncForm {},
        ValueFault::NotFlags(letters) => Problem::NoFlags { field, letters: letters.clone() },
        ValueFault::NotAMistake(word) => Problem::NoMistake { word: shown(word) },
    }
}

/// What is wrong with a port behind a colon, which has no key.
pub(super) fn port_problem(fault: &ValueFault) -> Problem {
    match fault {
        ValueFault::Empty => Problem::PortEmpty {},
        ValueFault::TooLarge(max) if *max < u128::MAX => Problem::PortAtMost { max: *max },
        ValueFault::NotRelative => Problem::PortNotRelative {},
        _ => value_problem(fault, "dport="),
    }
}

pub(super) fn known_layer(word: &str) -> Option<&'static HeaderDesc> {
    layers::known(word)
}
