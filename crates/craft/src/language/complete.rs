//! What may stand where a line ends: candidates from the tables, kept if the reader takes them.
//!
//! Nothing here knows a rule of the language. Every candidate is put behind the words and read; one that the reader refuses
//! at its own place is no candidate.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use wirewright_wire::dns::TYPES;
use wirewright_wire::{Auto, FieldDesc, HeaderDesc, Kind, Name};

use super::error::{Code, Fault};
use super::layer::REACHING;
use super::reader::{is_divider, layer_words};
use super::{NEXT_PACKET, is_too_long, reader, suggest};
use crate::dns::is_dns;
use crate::packet::Wrong;
use crate::print::UNENDED;
use crate::{layers, options};

/// A word that may stand where a line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The word, as far as it is certain: `ttl=` where a value has to follow.
    pub text: String,
    /// What it is, in the words of the RFC: the name of the field, of the value, of the layer. May be empty.
    pub means: &'static str,
}

impl Completion {
    /// Whether more belongs to the word: a value, a field, a path.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.text.ends_with(['=', '.', ':'])
    }
}

/// What may stand where a line ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// Words of the language, each with the unfinished word as its beginning.
    pub words: Vec<Completion>,
    /// A host may stand here too: an address or a name; with `true`, a port may follow it behind a colon.
    pub host: Option<bool>,
    /// Behind so many bytes of the unfinished word the path of a file begins.
    pub path: Option<usize>,
}

/// What may stand behind `words` and begins with `unfinished`, which may be empty.
///
/// ```
/// let found = wirewright_craft::complete(&["tcp", "192.0.2.2:80"], "ms");
/// assert_eq!(found.words[0].text, "mss=");
/// assert_eq!(found.words[0].means, "Maximum segment size");
/// ```
#[must_use]
pub fn complete<S: AsRef<str>>(words: &[S], unfinished: &str) -> Completions {
    let all: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    if is_too_long(&all) {
        return Completions::default();
    }
    // Behind a `+` another packet begins.
    let words = all.rsplit(|word| *word == NEXT_PACKET).next().unwrap_or_default();
    let start = words.iter().rposition(|word| is_divider(word)).map_or(0, |divider| divider + 1);
    let place = Place { words, unfinished };
    match words.get(start) {
        None => place.layer(),
        Some(&"raw") => place.payload(),
        Some(word) => layers::known(word).map_or_else(Completions::default, |desc| place.word_of(desc)),
    }
}

/// The end of a line.
struct Place<'w> {
    words: &'w [&'w str],
    unfinished: &'w str,
}

impl Place<'_> {
    /// The first word of a layer.
    fn layer(&self) -> Completions {
        let title = |word: &str| layers::known(word).map_or("bytes without a header", |desc| desc.title);
        let known = layer_words().filter(|word| word.starts_with(self.unfinished));
        let words = known.map(|word| Completion { text: word.into(), means: title(word) });
        Completions { words: words.collect(), ..Completions::default() }
    }

    /// A word of `raw`.
    fn payload(&self) -> Completions {
        let mut found = Found::default();
        found.payload();
        self.kept(found, None)
    }

    /// A word of a layer, or of one below it.
    fn word_of(&self, desc: &'static HeaderDesc) -> Completions {
        if let Some((key, value)) = self.unfinished.split_once('=') {
            return self.value_of(desc, key, value);
        }
        if self.unfinished.starts_with(':') {
            let names = desc.field("dport").map_or(&[][..], |field| field.names);
            return self.values(names.iter().map(|name| (name.word, name.title)), ":");
        }
        let mut found = Found::default();
        if let Some((layer, _)) = self.unfinished.split_once('.') {
            layers::known(layer).into_iter().for_each(|below| found.keys(below, &format!("{layer}.")));
            return self.kept(found, None);
        }
        found.flags(desc);
        found.layer(desc);
        if !self.unfinished.is_empty() {
            found.lower_layers();
        }
        found.payload();
        found.add("/", "the next layer follows");
        found.add(NEXT_PACKET, "the next packet follows");
        let host = self.host(desc);
        self.kept(found, host)
    }

    /// Whether the destination may stand here, and whether a port may follow it.
    fn host(&self, desc: &'static HeaderDesc) -> Option<bool> {
        let with_port = self.takes("host:80");
        (!layers::is_link(desc) && (with_port || self.takes("host"))).then_some(with_port)
    }

    /// A value behind `KEY=`.
    fn value_of(&self, desc: &'static HeaderDesc, key: &str, value: &str) -> Completions {
        if key == "file" {
            return Completions { path: Some(key.len() + 1), ..Completions::default() };
        }
        let lead = format!("{key}=");
        let (owner, field) = key.split_once('.').map_or((Some(desc), key), |(layer, key)| (layers::known(layer), key));
        let Some(owner) = owner else { return Completions::default() };
        let mut names: Vec<(&'static str, &'static str)> = Vec::new();
        for field in fields_called(owner, field) {
            if matches!(field.auto, Auto::Checksum(_)) {
                let joined = value.rfind('+').map_or("", |plus| &value[..=plus]);
                let left = Wrong::WORDS.iter().filter(|(word, _)| !joined.split('+').any(|known| known == *word));
                return self.values(left.map(|(word, _)| (*word, "")), &format!("{lead}{joined}"));
            }
            names.extend(field.names.iter().map(|name| (name.word, name.title)));
        }
        for option in owner.options.iter().flat_map(|table| table.kinds).filter(|option| option.key == field) {
            names.extend(option.fields.iter().take(1).flat_map(|it| it.names).map(|name| (name.word, name.title)));
        }
        if field == "code" {
            let codes = owner.variants.iter().flat_map(|variant| variant.codes);
            names.extend(codes.map(|name: &Name| (name.word, name.title)));
        }
        self.values(names.into_iter(), &lead)
    }

    /// Words that may stand behind `lead`.
    fn values(&self, names: impl Iterator<Item = (&'static str, &'static str)>, lead: &str) -> Completions {
        let mut found = Found::default();
        names.for_each(|(word, means)| found.add(&format!("{lead}{word}"), means));
        self.kept(found, None)
    }

    /// What begins as the unfinished word does and is taken by the reader.
    fn kept(&self, found: Found, host: Option<bool>) -> Completions {
        let begins = found.0.into_iter().filter(|it| it.text.starts_with(self.unfinished));
        Completions { words: begins.filter(|it| self.takes(&it.text)).collect(), host, path: None }
    }

    /// Whether the reader finds nothing to blame in this word, were it the next one.
    fn takes(&self, word: &str) -> bool {
        if matches!(word, "/" | NEXT_PACKET) || word.ends_with('.') {
            return true;
        }
        let at = self.words.len();
        let read = |word: &str| {
            let mut words = self.words.to_vec();
            words.push(word);
            reader::read(&words).err().filter(|fault| fault.word == at)
        };
        if !word.ends_with('=') {
            return read(word).is_none();
        }
        // Whether a key may stand here shows with a value that it can have; if these are none, its value alone is to blame.
        let values = ["1", "192.0.2.2", "2001:db8::2", "02:00:00:00:00:01"];
        let mut verdicts = values.iter().map(|value| read(&format!("{word}{value}")));
        verdicts.find(|fault| !fault.as_ref().is_some_and(is_of_the_value)).is_none_or(|fault| fault.is_none())
    }
}

/// A value is to blame, its key is not.
fn is_of_the_value(fault: &Fault) -> bool {
    matches!(fault.code, Code::BadValue | Code::ValueTooLarge | Code::BadPayload | Code::BadAddress)
}

/// Fields with this key in a header, its bodies, and below it where the key reaches the IP layer.
fn fields_called<'a>(desc: &'static HeaderDesc, key: &'a str) -> impl Iterator<Item = &'static FieldDesc> + use<'a> {
    let own = core::iter::once(desc).chain(desc.variants.iter().map(|variant| variant.body));
    let reached = REACHING.contains(&key) && desc.field(key).is_none();
    let below = [layers::ip(), layers::ip6()].into_iter().filter(move |_| reached);
    own.chain(below).filter_map(move |desc| {
        let other = suggest::same_field(desc, key).filter(|_| reached);
        desc.field(key).or_else(|| desc.field(other?))
    })
}

/// Candidates, each once.
#[derive(Default)]
struct Found(Vec<Completion>);

impl Found {
    fn add(&mut self, text: &str, means: &'static str) {
        if !self.0.iter().any(|known| known.text == text) {
            self.0.push(Completion { text: text.to_string(), means });
        }
    }

    /// The flags that segments carry.
    fn flags(&mut self, desc: &'static HeaderDesc) {
        if desc.fields.iter().any(|field| field.kind == Kind::Flags) {
            for (word, means) in [
                ("S", "SYN: asks for a connection"),
                ("SA", "SYN, ACK: takes it"),
                ("A", "ACK"),
                ("PA", "PSH, ACK: with data"),
                ("FA", "FIN, ACK: nothing more comes"),
                ("R", "RST"),
                ("RA", "RST, ACK"),
                ("none", "no flag at all"),
            ] {
                self.add(word, means);
            }
        }
    }

    /// All words of a layer.
    fn layer(&mut self, desc: &'static HeaderDesc) {
        let bodies = || desc.variants.iter().map(|variant| variant.body);
        self.keys(desc, "");
        for field in desc.fields.iter().filter(|field| matches!(field.key, "type" | "op")) {
            field.names.iter().for_each(|name| self.add(name.word, name.title));
        }
        for table in core::iter::once(desc).chain(bodies()).filter_map(|desc| desc.options) {
            if table.closing().is_some() {
                self.add(UNENDED, "nothing ends the options");
            }
            for option in table.kinds {
                if options::is_spoken(table, option) {
                    option.fields[0].names.iter().for_each(|name| self.add(name.word, name.title));
                }
                match options::is_bare(option) {
                    true => self.add(option.key, option.title),
                    false => self.add(&format!("{}=", option.key), option.title),
                }
            }
            self.add("opt=", "any option: KIND:HEX");
        }
        for body in bodies() {
            self.keys(body, "");
        }
        if is_dns(desc) {
            TYPES.iter().for_each(|name| self.add(name.word, name.title));
            ["qd=", "an=", "ns=", "ar=", "edns="].iter().for_each(|key| self.add(key, "questions and records"));
        }
        for key in REACHING {
            let means = fields_called(layers::ip(), key).next().map_or("", |field| field.name);
            self.add(&format!("{key}="), means);
        }
    }

    /// The fields of a header, with what stands before their key.
    fn keys(&mut self, desc: &'static HeaderDesc, lead: &str) {
        let shown = |field: &&FieldDesc| !field.reserved && field.key != "dport" && field.kind != Kind::Flags;
        for field in desc.fields.iter().filter(shown) {
            match field.bare && lead.is_empty() {
                true => self.add(field.key, field.name),
                false => self.add(&format!("{lead}{}=", field.key), field.name),
            }
        }
    }

    /// `ip.` and its like, before a field of a layer below.
    fn lower_layers(&mut self) {
        for desc in wirewright_wire::LAYERS {
            self.add(&format!("{}.", desc.key), desc.title);
        }
    }

    fn payload(&mut self) {
        for (word, means) in [
            ("data=", "payload: text"),
            ("hex=", "payload: hexadecimal digits"),
            ("file=", "payload: a file"),
            ("zero=", "payload: so many zeros"),
            ("rand=", "payload: so many random bytes"),
            ("stdin", "payload: standard input"),
        ] {
            self.add(word, means);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let (words, unfinished) = line.rsplit_once(' ').unwrap_or(("", line));
        let words: Vec<&str> = words.split_whitespace().collect();
        complete(&words, unfinished).words.into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn a_line_begins_with_a_layer() {
        assert!(offered("").contains(&"tcp".to_string()));
        assert_eq!(offered("ic"), ["icmp", "icmp6"]);
        assert_eq!(offered("ip 192.0.2.2 / ud"), ["udp"]);
    }

    #[test]
    fn what_is_set_is_not_offered_again() {
        assert_eq!(offered("tcp 192.0.2.2:80 S w"), ["win=", "wscale="]);
        assert_eq!(offered("tcp 192.0.2.2:80 S win=1 w"), ["wscale="]);
        assert!(!offered("tcp 192.0.2.2:80 S ").contains(&"S".to_string()));
        assert!(offered("tcp 192.0.2.2:80 ").contains(&"S".to_string()));
        assert!(!offered("udp 192.0.2.2:80 data=x ").iter().any(|word| word == "hex="));
    }

    #[test]
    fn values_are_those_of_the_field() {
        assert_eq!(offered("ip 192.0.2.2 proto=ud"), ["proto=udp", "proto=udplite"]);
        assert!(offered("tcp 192.0.2.2:80 sum=sw").contains(&"sum=swap".to_string()));
        assert!(offered("tcp 192.0.2.2:80 sum=swap+o").contains(&"sum=swap+odd".to_string()));
        assert!(offered("tcp 192.0.2.2:80 tos=e").contains(&"tos=ef".to_string()));
        assert!(offered("tcp 192.0.2.2 :htt").contains(&":http".to_string()));
    }

    #[test]
    fn fields_of_layers_below_are_reached() {
        assert_eq!(offered("tcp 192.0.2.2:80 ip.t"), ["ip.tos=", "ip.ttl="]);
        assert!(offered("tcp 192.0.2.2:80 et").contains(&"eth.".to_string()));
        assert!(offered("tcp 192.0.2.2:80 arp.").is_empty());
        assert!(offered("tcp 192.0.2.2:80 tt").contains(&"ttl=".to_string()));
    }

    #[test]
    fn words_of_a_message_are_those_of_its_type() {
        assert!(offered("icmp 192.0.2.2 unr").contains(&"unreach".to_string()));
        assert!(offered("icmp 192.0.2.2 echo s").contains(&"seq=".to_string()));
        assert!(!offered("icmp 192.0.2.2 unreach s").contains(&"seq=".to_string()));
        assert!(offered("icmp 192.0.2.2 unreach code=po").contains(&"code=port".to_string()));
    }

    #[test]
    fn hosts_and_paths_are_for_the_caller() {
        assert_eq!(complete(&["tcp"], "se").host, Some(true));
        assert_eq!(complete(&["icmp"], "").host, Some(false));
        assert_eq!(complete(&["tcp", "192.0.2.2:80"], "").host, None);
        assert_eq!(complete(&["udp", "192.0.2.2:80"], "file=/e").path, Some(5));
    }
}
