//! Rules that rewrite fields of packets, in words of the packet language: `tcp mss=1380`, `ttl=9`, `src=203.0.113.9`.
//!
//! A packet is read, changed, and made again: what fills itself (checksums, lengths) and was right before is right again, a
//! checksum that was wrong keeps the value that it had, nothing else is touched. What an ICMP error quotes is left as it is.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use crate::language::{Code, LanguageError, parse_fields};
use crate::options::{OptionItem, Options};
use crate::packet::{Layer, Packet, Payload, Setting};

/// A rule, made from words of the packet language by [`Rewrite::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    text: String,
    layers: Vec<Fields>,
}

/// What is set in one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fields {
    layer: &'static str,
    /// The layer is IP of either version.
    any_version: bool,
    set: Vec<(&'static str, Setting)>,
    /// Options: each takes the place of all of its kind.
    options: Vec<u8>,
}

/// Which packets are meant, in the words of a rule: `udp`, `tcp :80`, `src=192.0.2.1`. Made by [`Only::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    text: String,
    layers: Vec<Fields>,
}

/// Why words are no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RewriteError {
    /// They are not of the packet language.
    Language(LanguageError),
    /// They name no field.
    NoField,
    /// A field whose layer is to be said: only `src dst ttl tos` need none.
    LayerMissing,
    /// They are of more than one layer: each rule is for one.
    ManyLayers,
    /// A payload: a rule sets fields.
    Payload,
    /// A name where an address is needed.
    Name {
        /// The name.
        name: String,
    },
    /// A field to compare with that is no value: `+1`, `bad`.
    NoValue {
        /// The key of the field.
        field: &'static str,
    },
    /// A layer that no rule is for.
    Layer {
        /// Its word.
        layer: &'static str,
    },
}

/// Layers that no rule is for: what neighbours say to each other, and messages whose entries are no fields of a header.
const NO_RULE_FOR: [&str; 5] = ["arp", "dnslen", "dns", "dhcp", "dhcp6"];

impl Rewrite {
    /// The rule of a line: `tcp mss=1380`, `ttl=9`, `src=203.0.113.9`.
    ///
    /// # Errors
    /// [`RewriteError`].
    pub fn parse(line: &str) -> Result<Self, RewriteError> {
        let (layers, written) = read(line)?;
        let mut layers: Vec<_> = layers.into_iter().filter(|fields| !fields.is_empty()).collect();
        if layers.is_empty() {
            return Err(RewriteError::NoField);
        }
        if let Some(written) = written.filter(|written| layers.iter().all(|fields| fields.layer != written.layer)) {
            layers.push(written);
        }
        Ok(Self { text: line.to_owned(), layers })
    }

    /// Its words, as they were typed.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.text
    }

    /// Applies the rule to a packet; whether it is one that the rule is for.
    pub fn apply(&self, packet: &mut Packet) -> bool {
        let own = own_layers(packet);
        let places: Option<Vec<_>> = self.layers.iter().map(|fields| fields.find(&packet.layers[..own])).collect();
        let Some(places) = places else { return false };
        for (fields, at) in self.layers.iter().zip(places) {
            fields.apply(&mut packet.layers[at]);
        }
        true
    }

    /// The address of IP that it sets under this key (`src`, `dst`).
    #[must_use]
    pub fn address(&self, key: &str) -> Option<IpAddr> {
        let fields = self.layers.iter().find(|fields| matches!(fields.layer, "ip" | "ip6"))?;
        let (_, setting) = fields.set.iter().find(|(set, _)| *set == key)?;
        setting.address(fields.layer)
    }
}

impl Only {
    /// The packets of a line: those that have its layer, and in it these values.
    ///
    /// # Errors
    /// [`RewriteError`].
    pub fn parse(line: &str) -> Result<Self, RewriteError> {
        let (mut layers, written) = read(line)?;
        layers.retain(|fields| !fields.is_empty());
        layers.extend(written);
        if layers.is_empty() {
            return Err(RewriteError::NoField);
        }
        let mut set = layers.iter().flat_map(|fields| &fields.set);
        if let Some((field, _)) = set.find(|(_, setting)| !matches!(setting, Setting::Exactly(_))) {
            return Err(RewriteError::NoValue { field });
        }
        Ok(Self { text: line.to_owned(), layers })
    }

    /// Its words, as they were typed.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.text
    }

    /// Whether a packet that was read by [`Packet::exactly`] is meant.
    #[must_use]
    pub fn is_met(&self, packet: &Packet) -> bool {
        let own = &packet.layers[..own_layers(packet)];
        self.layers.iter().all(|fields| own.iter().any(|layer| fields.is_met(layer)))
    }
}

/// What a line sets in each layer, and the layer that was written: it says which packets are meant, also where all that is
/// set reaches IP below it.
fn read(line: &str) -> Result<(Vec<Fields>, Option<Fields>), RewriteError> {
    if line.split_whitespace().any(|word| matches!(word, "/" | "+")) {
        return Err(RewriteError::ManyLayers);
    }
    let packet = parse_fields(line).map_err(|error| match error.code {
        Code::UnknownLayer if error.read.contains('=') => RewriteError::LayerMissing,
        _ => RewriteError::Language(error),
    })?;
    if packet.payload != Payload::Empty || !packet.trailer.is_empty() {
        return Err(RewriteError::Payload);
    }
    if let Some((name, _)) = packet.names().first() {
        return Err(RewriteError::Name { name: (*name).to_owned() });
    }
    if let Some(layer) = packet.layers.iter().map(Layer::key).find(|key| NO_RULE_FOR.contains(key)) {
        return Err(RewriteError::Layer { layer });
    }
    let written = packet.layers.last().filter(|layer| line.split_whitespace().next() == Some(layer.key()));
    Ok((packet.layers.iter().map(Fields::of).collect(), written.map(Fields::of)))
}

impl Setting {
    /// The address that this setting of an IP layer is, by the key of the layer.
    #[must_use]
    pub fn address(self, layer: &str) -> Option<IpAddr> {
        match (layer, self) {
            ("ip", Self::Exactly(value)) => u32::try_from(value).ok().map(|bits| IpAddr::from(bits.to_be_bytes())),
            ("ip6", Self::Exactly(value)) => Some(IpAddr::from(value.to_be_bytes())),
            _ => None,
        }
    }
}

impl Fields {
    fn of(layer: &Layer) -> Self {
        let rows = layer.rows().filter(|(_, _, setting)| *setting != Setting::Auto);
        Self {
            layer: layer.key(),
            any_version: layer.is_any_version(),
            set: rows.map(|(_, field, setting)| (field.key, setting)).collect(),
            options: layer.options().to_vec(),
        }
    }

    fn is_empty(&self) -> bool {
        self.set.is_empty() && self.options.is_empty()
    }

    /// The outermost of these layers that it is for.
    fn find(&self, layers: &[Layer]) -> Option<usize> {
        layers.iter().position(|layer| {
            let is_it = layer.key() == self.layer || (self.any_version && layer.key() == "ip6");
            let has_fields = self.set.iter().all(|(key, _)| layer.get(layer.key_for(key)).is_some());
            is_it && has_fields && (self.options.is_empty() || self.with_options(layer).is_some())
        })
    }

    /// Whether a layer has these values, and these options.
    fn is_met(&self, layer: &Layer) -> bool {
        let is_it = layer.key() == self.layer || (self.any_version && layer.key() == "ip6");
        is_it && self.set.iter().all(|(key, value)| layer.get(layer.key_for(key)) == Some(*value)) && {
            let table = layer.option_table();
            let all = |area| table.into_iter().flat_map(move |table| Options::new(table, area));
            let has = |ours: &[u8]| all(layer.options()).any(|it| layer.options()[it.range.clone()] == *ours);
            all(&self.options).all(|it| has(&self.options[it.range.clone()]))
        }
    }

    fn apply(&self, layer: &mut Layer) {
        for (key, setting) in &self.set {
            let _has_it = layer.set(layer.key_for(key), *setting);
        }
        if let Some(options) = self.with_options(layer) {
            layer.set_options(options);
        }
    }

    /// The option area of a layer with each option of the rule in the place of those of its kind; `None` where it has none.
    fn with_options(&self, layer: &Layer) -> Option<Vec<u8>> {
        let table = layer.option_table()?;
        let ours: Vec<_> = Options::new(table, &self.options).collect();
        let area = layer.options();
        let mut made = Vec::with_capacity(area.len());
        let mut found = false;
        for option in Options::new(table, area) {
            let same = ours.iter().find(|our| is_same_option(&our.item, &option.item));
            found |= same.is_some();
            made.extend_from_slice(same.map_or(&area[option.range], |our| &self.options[our.range.clone()]));
        }
        found.then_some(made)
    }
}

/// Whether two options are of one kind, and of one form where a kind has several.
fn is_same_option(one: &OptionItem, other: &OptionItem) -> bool {
    match (one, other) {
        (OptionItem::Known { desc: one }, OptionItem::Known { desc: other }) => core::ptr::eq(*one, *other),
        (OptionItem::Unknown { kind: one }, OptionItem::Unknown { kind: other }) => one == other,
        // `opt=30:HEX` and what is of no form are of the kind alone.
        (OptionItem::Unknown { kind }, OptionItem::Known { desc })
        | (OptionItem::Known { desc }, OptionItem::Unknown { kind }) => *kind == desc.kind,
        _ => false,
    }
}

/// How many of its layers are the packet's own, not what an ICMP error quotes.
fn own_layers(packet: &Packet) -> usize {
    let quoting = packet.layers.iter().position(|layer| layer.variant().is_some_and(|variant| variant.quotes));
    quoting.map_or(packet.layers.len(), |at| at + 1)
}

impl fmt::Display for RewriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Language(error) => error.fmt(f),
            Self::LayerMissing => f.write_str("only src, dst, ttl and tos need no layer"),
            Self::NoField => f.write_str("no field is named"),
            Self::ManyLayers => f.write_str("a rule is for one layer"),
            Self::Payload => f.write_str("a rule sets fields, no payload"),
            Self::Name { name } => write!(f, "`{name}` is a name: an address is needed"),
            Self::NoValue { field } => write!(f, "{field} is compared with a value"),
            Self::Layer { layer } => write!(f, "no rule is for {layer}"),
        }
    }
}

impl core::error::Error for RewriteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rule_is_refused() {
        let of = |line| Rewrite::parse(line).unwrap_err();
        for line in ["tcp mss=x", "ttl=300", "", "tcp :1..3"] {
            assert!(matches!(of(line), RewriteError::Language(_)), "{line}: {:?}", of(line));
        }
        assert_eq!(of("tcp"), RewriteError::NoField);
        assert_eq!(of("mss=1380"), RewriteError::LayerMissing);
        assert_eq!(of("ip ttl=1 / tcp"), RewriteError::ManyLayers);
        assert_eq!(of("udp data=x"), RewriteError::Payload);
        assert_eq!(of("src=server"), RewriteError::Name { name: "server".to_owned() });
        for (line, layer) in
            [("arp op=2", "arp"), ("dhcp op=2", "dhcp"), ("dhcp6 xid=1", "dhcp6"), ("dnslen len=9", "dnslen")]
        {
            assert_eq!(of(line), RewriteError::Layer { layer });
        }
    }

    #[test]
    fn an_option_takes_the_place_of_one_of_its_own_form() {
        let rewritten = |words: &str, rule: &str| {
            let mut packet = crate::parse(words).unwrap();
            Rewrite::parse(rule).unwrap().apply(&mut packet).then(|| packet.layer("tcp").unwrap().options().to_vec())
        };
        let options = |words: &str| crate::parse(words).unwrap().layer("tcp").unwrap().options().to_vec();
        let segment = |of: &str| alloc::format!("tcp 192.0.2.2:80 A {of}");
        let two = segment("mpprio=1 dss=A:5");
        assert_eq!(rewritten(&two, "tcp dss=A:9"), Some(options(&segment("mpprio=1 dss=A:9"))));
        assert_eq!(rewritten(&segment("mpprio=1"), "tcp dss=A:9"), None);
        assert_eq!(rewritten(&segment("mss=1460 nop"), "tcp mss=1380"), Some(options(&segment("mss=1380 nop"))));
        assert_eq!(rewritten(&segment("mss=1460"), "tcp opt=77:01"), None);
    }

    #[test]
    fn only_the_packets_that_are_meant() {
        let words = "eth 02:00:00:00:00:01 / ip 192.0.2.2 src=198.51.100.2 / tcp :80 sport=40000 S mss=1460 win=64240";
        let bytes = crate::parse(words).unwrap().build(&crate::Context::default()).unwrap().bytes;
        let packet = Packet::exactly(&bytes, crate::First::Ethernet);
        for (line, met) in [
            ("tcp", true),
            ("udp", false),
            ("tcp :80", true),
            ("tcp :81", false),
            ("dst=192.0.2.2", true),
            ("src=192.0.2.2", false),
            ("ttl=64", true),
            ("tcp win=64240 S", true),
            ("tcp SA", false),
            ("tcp mss=1460", true),
            ("tcp mss=1400", false),
            ("tcp dst=192.0.2.2", true),
            ("udp dst=192.0.2.2", false),
            ("eth dst=02:00:00:00:00:01", true),
            ("ip6 nh=6", false),
        ] {
            assert_eq!(Only::parse(line).unwrap().is_met(&packet), met, "{line}");
        }
        assert_eq!(Only::parse("tcp sum=bad"), Err(RewriteError::NoValue { field: "sum" }));
    }
}
