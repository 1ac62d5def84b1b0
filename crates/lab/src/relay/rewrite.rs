//! A rule of the relay that rewrites fields of the packets that pass, as boxes between two hosts do.
//!
//! A frame that the rule is for is read as a packet, changed, and made again: what fills itself (checksums, lengths) and was right
//! before is right again, what was wrong stays as wrong as it was, nothing else is touched.
//!
//! Rules are for packets on their way to the server. Addresses come back as a NAT brings them: with `src=` what comes for the
//! new source goes to the one that was replaced last, with `dst=` what comes from the new destination comes from the old one.
//! What an ICMP error quotes is left as it is.

use core::fmt;
use std::net::IpAddr;

use wirewright_craft::{
    Code, Context, First, LanguageError, Layer, OptionItem, Options, Packet, Payload, Setting, parse_fields,
};

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
        let fields = packet.layers.iter().map(Fields::of).filter(|fields| !fields.is_empty());
        // The layer that was written says which packets are meant, also where all that is set reaches IP below it.
        let written = packet.layers.last().filter(|layer| line.split_whitespace().next() == Some(layer.key()));
        let mut layers: Vec<_> = fields.collect();
        if layers.is_empty() {
            return Err(RewriteError::NoField);
        }
        if let Some(written) = written.filter(|written| layers.iter().all(|fields| fields.layer != written.key())) {
            layers.push(Fields::of(written));
        }
        Ok(Self { text: line.to_owned(), layers })
    }

    /// Its words, as they were typed.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.text
    }

    /// Applies the rule to a packet; whether it is one that the rule is for.
    fn apply(&self, packet: &mut Packet) -> bool {
        let own = own_layers(packet);
        let places: Option<Vec<_>> = self.layers.iter().map(|fields| fields.find(&packet.layers[..own])).collect();
        let Some(places) = places else { return false };
        for (fields, at) in self.layers.iter().zip(places) {
            fields.apply(&mut packet.layers[at]);
        }
        true
    }

    /// The address of IP that it sets.
    fn address(&self, key: &str) -> Option<IpAddr> {
        let fields = self.layers.iter().find(|fields| matches!(fields.layer, "ip" | "ip6"))?;
        let (_, setting) = fields.set.iter().find(|(set, _)| *set == key)?;
        address(fields.layer, *setting)
    }
}

/// The address that a setting of an IP layer is.
fn address(layer: &str, setting: Setting) -> Option<IpAddr> {
    match (layer, setting) {
        ("ip", Setting::Exactly(value)) => u32::try_from(value).ok().map(|bits| IpAddr::from(bits.to_be_bytes())),
        ("ip6", Setting::Exactly(value)) => Some(IpAddr::from(value.to_be_bytes())),
        _ => None,
    }
}

fn setting(address: IpAddr) -> Setting {
    Setting::Exactly(match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    })
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
            let is_option = matches!(option.item, OptionItem::Known { .. } | OptionItem::Unknown { .. });
            let kind = area[option.range.start];
            let same = ours.iter().find(|our| is_option && self.options[our.range.start] == kind);
            found |= same.is_some();
            made.extend_from_slice(same.map_or(&area[option.range], |our| &self.options[our.range.clone()]));
        }
        found.then_some(made)
    }
}

/// How many of its layers are the packet's own, not what an ICMP error quotes.
fn own_layers(packet: &Packet) -> usize {
    let quoting = packet.layers.iter().position(|layer| layer.variant().is_some_and(|variant| variant.quotes));
    quoting.map_or(packet.layers.len(), |at| at + 1)
}

/// The way of a frame through the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Towards {
    Server,
    Client,
}

/// The rules at work: with the addresses that they replaced.
#[derive(Debug, Default)]
pub(crate) struct Rewriter {
    rules: Vec<Rule>,
    made: Vec<u8>,
}

#[derive(Debug)]
struct Rule {
    rewrite: Rewrite,
    /// New source and destination, and the ones that were replaced last.
    source: Replaced,
    destination: Replaced,
}

#[derive(Clone, Copy, Debug, Default)]
struct Replaced {
    new: Option<IpAddr>,
    old: Option<IpAddr>,
}

impl Rewriter {
    pub(crate) fn new(rewrites: &[Rewrite]) -> Self {
        let replaced = |rewrite: &Rewrite, key| Replaced { new: rewrite.address(key), old: None };
        let rules = rewrites.iter().map(|rewrite| Rule {
            source: replaced(rewrite, "src"),
            destination: replaced(rewrite, "dst"),
            rewrite: rewrite.clone(),
        });
        Self { rules: rules.collect(), made: Vec::new() }
    }

    /// Rewrites a frame; whether a byte of it is another one now.
    pub(crate) fn rewrite(&mut self, frame: &mut Vec<u8>, towards: Towards) -> bool {
        if self.rules.is_empty() || is_of_neighbours(frame) {
            return false;
        }
        let mut packet = Packet::from_bytes(frame, First::Ethernet);
        let mut applied = false;
        let rules = self.rules.iter_mut();
        match towards {
            Towards::Server => rules.for_each(|rule| applied |= rule.go(&mut packet)),
            Towards::Client => rules.rev().for_each(|rule| applied |= rule.come_back(&mut packet)),
        }
        if !applied || packet.build_into(&mut self.made, &Context::default()).is_err() || self.made == *frame {
            return false;
        }
        core::mem::swap(frame, &mut self.made);
        true
    }
}

impl Rule {
    /// Towards the server.
    fn go(&mut self, packet: &mut Packet) -> bool {
        let before = |key| network(packet).and_then(|layer| address(layer.key(), layer.get(key)?));
        let (source, destination) = (before("src"), before("dst"));
        if !self.rewrite.apply(packet) {
            return false;
        }
        self.source.old = source;
        self.destination.old = destination;
        true
    }

    /// Towards the client: addresses that stand for others.
    fn come_back(&self, packet: &mut Packet) -> bool {
        let mut changed = false;
        for (key, Replaced { new, old }) in [("dst", self.source), ("src", self.destination)] {
            let Some((new, old)) = new.zip(old) else { continue };
            let Some(layer) = packet.layers.iter_mut().find(|layer| matches!(layer.key(), "ip" | "ip6")) else {
                continue;
            };
            if layer.get(key) == Some(setting(new)) && new.is_ipv4() == (layer.key() == "ip") {
                changed |= layer.set(key, setting(old));
            }
        }
        changed
    }
}

/// The outermost IP layer.
fn network(packet: &Packet) -> Option<&Layer> {
    packet.layers.iter().find(|layer| matches!(layer.key(), "ip" | "ip6"))
}

/// Whether a frame is between neighbours, where a rewritten field would only break the wire: no IP, or IPv6 with a multicast
/// destination, a link-local address, or a message of neighbour discovery (RFC 4861: types 133 to 137).
fn is_of_neighbours(frame: &[u8]) -> bool {
    let Some((header, packet)) = frame.split_at_checked(14) else { return true };
    match header[12..] {
        [0x86, 0xdd] => {
            let link_local = |at: usize| packet.get(at..at + 2).is_some_and(|a| a[0] == 0xfe && a[1] & 0xc0 == 0x80);
            let is_discovery =
                packet.get(6) == Some(&58) && packet.get(40).is_some_and(|kind| (133..=137).contains(kind));
            is_discovery || packet.get(24) == Some(&0xff) || link_local(8) || link_local(24)
        }
        [0x08, 0x06] => true,
        // Behind VLAN tags and the like a rule finds its layer as well.
        _ => false,
    }
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
            Self::Layer { layer } => write!(f, "no rule is for {layer}"),
        }
    }
}

impl std::error::Error for RewriteError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(words: &str) -> Vec<u8> {
        wirewright_craft::parse(words).unwrap().build(&Context::default()).unwrap().bytes
    }

    fn through(rules: &[&str], words: &str, towards: Towards) -> Option<String> {
        let rules: Vec<_> = rules.iter().map(|rule| Rewrite::parse(rule).unwrap()).collect();
        let mut frame = frame(words);
        let before = frame.clone();
        let rewritten = Rewriter::new(&rules).rewrite(&mut frame, towards);
        assert_eq!(rewritten, frame != before);
        rewritten.then(|| Packet::from_bytes(&frame, First::Ethernet).to_string())
    }

    const SYN: &str = "eth 02:00:00:00:00:01 src=02:00:00:00:00:02 / ip 192.0.2.2 src=198.51.100.2 id=7 / tcp :80 sport=40000 seq=1 S";

    #[test]
    fn what_is_set_is_set_and_what_was_right_is_right_again() {
        let with = |more: &str| Packet::from_bytes(&frame(&format!("{SYN}{more}")), First::Ethernet).to_string();
        for (rule, before, after) in [
            ("tcp mss=1380", " mss=1460 sack", " mss=1380 sack"),
            ("ttl=9", "", " ip.ttl=9"),
            ("ip tos=0", " ip.tos=8", ""),
            ("tcp win=1", "", " win=1"),
            // A sum that was wrong stays what it was.
            ("tcp mss=1380", " mss=1460 sum=0xdead", " mss=1380 sum=0xdead"),
            ("tcp sum=bad", " mss=1460", " mss=1460 sum=bad"),
        ] {
            let made = through(&[rule], &format!("{SYN}{before}"), Towards::Server);
            assert_eq!(made, Some(with(after)), "{rule}");
        }
    }

    #[test]
    fn what_the_rule_is_not_for_is_left_alone() {
        for (rule, words) in [
            ("tcp mss=1380", SYN),
            ("udp :53", SYN),
            ("ip6 hlim=9", SYN),
            ("src=2001:db8:2::9", SYN),
            ("icmp seq=7", SYN),
            (
                "ttl=9",
                "eth 02:00:00:00:00:01 / ip6 2001:db8::2 src=2001:db8::1 hlim=255 / icmp6 type=135 target=2001:db8::2",
            ),
            ("ttl=9", "eth 02:00:00:00:00:01 / arp 192.0.2.2"),
        ] {
            assert_eq!(through(&[rule], words, Towards::Server), None, "{rule}: {words}");
        }
        assert_eq!(through(&["ttl=9"], SYN, Towards::Client), None);
    }

    #[test]
    fn ttl_is_the_hop_limit_of_the_other_version() {
        let words = "eth 02:00:00:00:00:01 / ip6 2001:db8::2 src=2001:db8::1 flow=1 / udp :7 sport=40000";
        let made = through(&["ttl=9"], words, Towards::Server).unwrap();
        assert!(made.contains("hlim=9"), "{made}");
    }

    #[test]
    fn a_rewritten_source_comes_back_as_it_was() {
        let rules = [Rewrite::parse("src=203.0.113.9").unwrap()];
        let mut rewriter = Rewriter::new(&rules);
        let mut there = frame(SYN);
        assert!(rewriter.rewrite(&mut there, Towards::Server));
        assert!(Packet::from_bytes(&there, First::Ethernet).to_string().contains("src=203.0.113.9"));
        let mut back =
            frame("eth 02:00:00:00:00:02 / ip 203.0.113.9 src=192.0.2.2 id=1 / tcp :40000 sport=80 seq=1 SA");
        assert!(rewriter.rewrite(&mut back, Towards::Client));
        assert_eq!(
            back,
            frame("eth 02:00:00:00:00:02 / ip 198.51.100.2 src=192.0.2.2 id=1 / tcp :40000 sport=80 seq=1 SA")
        );
    }

    #[test]
    fn the_quote_of_an_error_is_not_touched() {
        let words = "eth 02:00:00:00:00:01 / ip 192.0.2.2 src=198.51.100.2 id=1 / icmp type=11 / ip 198.51.100.2 src=192.0.2.9 id=2 ttl=1 / udp :7 sport=9";
        let made = through(&["ttl=9"], words, Towards::Server).unwrap();
        assert_eq!(made.matches("ttl=9").count(), 1, "{made}");
        assert_eq!(through(&["udp :53"], words, Towards::Server), None);
    }

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
        assert_eq!(of("arp op=2"), RewriteError::Layer { layer: "arp" });
    }
}
