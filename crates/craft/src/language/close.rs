//! The end of a layer's words: what depended on its type, the layers below that it needs, and what reaches them.

use alloc::format;
use alloc::string::String;
use core::net::IpAddr;

use wirewright_wire::{HeaderDesc, Kind};

use super::error::{Code, Fault};
use super::layer::{Scope, known_layer, set, set_host, wrong_family};
use super::names;
use super::problem::Problem;
use super::reader::{Draft, Reader};
use super::suggest;
use crate::family::key_in;
use crate::layers;
use crate::options;
use crate::packet::{Host, Part, Setting};
use crate::text::shown;

/// Whether a layer stands on IP and needs one directly below.
fn needs_network(desc: &HeaderDesc) -> bool {
    matches!(desc.key, "tcp" | "udp" | "icmp" | "icmp6" | "igmp" | "gre") || layers::is_extension(desc)
}

impl Scope<'_, '_> {
    /// Reads what had to wait, makes the layers below that are missing, and hands the layer over.
    pub(super) fn close(mut self) -> Result<(), Fault> {
        for (key, text, at) in core::mem::take(&mut self.later) {
            self.read_later(key, text, at)?;
        }
        self.close_question()?;
        self.draft.layer.settle_form();
        self.draft.check_types(self.reader.words)?;
        self.make_below();
        self.reach_below()?;
        self.find_peers();
        self.reader.drafts.push(self.draft);
        Ok(())
    }

    /// A word whose reading depends on the type, which is known now.
    fn read_later(&mut self, key: &str, text: Option<&str>, at: usize) -> Result<(), Fault> {
        let words = self.reader.words;
        if matches!(key, "opt" | "opts") && self.draft.layer.option_table().is_some() {
            return self.raw_option(at, key, text.unwrap_or(""));
        }
        if let Some(place) = self.draft.layer.place(key) {
            let bare = self.draft.layer.field(place).is_some_and(|field| field.bare);
            match text {
                Some(text) => return set(&mut self.draft, words, key, text, at),
                None if bare && place.part == Part::Body => {
                    self.draft.claim(place, at, words)?;
                    self.draft.layer.set_at(place, Setting::Exactly(1));
                    return Ok(());
                }
                None => {}
            }
        }
        if let Some(table) = self.draft.layer.option_table()
            && let Some(option) = options::for_word(table, key, text.is_some())
        {
            let word = words[at];
            let text = text.map(|text| (text, word.len() - text.len()));
            return self.draft.option(table, option, text, at).map_err(|_| {
                let problem = Problem::OptionForm { key: key.into(), form: suggest::option_form(option) };
                Fault::new(Code::BadValue, at, problem).no_guess()
            });
        }
        let layer = self.key();
        let kind = self.desc().selector().and_then(|field| {
            let value = self.draft.layer.value_or_default(field.key)?;
            field.word_for(value).map(|name| name.word)
        });
        let key = shown(key);
        let problem = match kind {
            Some(kind) => Problem::NotOfThisType { layer, kind, key },
            None => Problem::NotOfUnnamedType { layer, key },
        };
        let has = self.draft.layer.whole_variant().map_or(&[][..], |variant| variant.body.fields);
        let has = has.iter().filter(|field| !field.reserved).map(suggest::form);
        Err(Fault::new(Code::UnknownKey, at, problem).expected(has).no_guess())
    }

    /// Makes the layers that are not written and must be there.
    fn make_below(&mut self) {
        let key = self.key();
        let below = self.reader.drafts.last().map(|draft| draft.layer.desc);
        let word = self.draft.word;
        // VXLAN carries frames, GRE whatever has an EtherType.
        let frames = below.is_some_and(|below| below.carries.is_some()) && key != "eth";
        let on_link = frames || below.is_some_and(|below| layers::is_link(below) || below.key == "gre");
        if frames || (key == "arp" || self.draft.layer.is_tag()) && !on_link {
            self.reader.drafts.push(Draft::new(layers::eth(), word, true));
        }
        let carried = below.is_some_and(|below| matches!(below.key, "ip" | "ip6") || layers::is_extension(below));
        // A message that nothing but a link or IP carries needs UDP too.
        let message = self.desc().port.is_some() && (below.is_none() || on_link || carried);
        if (needs_network(self.desc()) || message) && !carried {
            let (desc, open) = self.version();
            let mut made = Draft::new(desc, word, true);
            made.layer.family_open = open;
            self.reader.drafts.push(made);
        }
        if key == "dns" && below.is_some_and(|below| below.key == "tcp") {
            // RFC 1035 §4.2.2: in a stream a message has its length before it.
            self.reader.drafts.push(Draft::new(layers::dns_length(), word, true));
        }
        if message {
            self.reader.drafts.push(Draft::new(layers::udp(), word, true));
        }
    }

    /// Which version the IP layer to be made has; `true`: only names say, so it is open.
    fn version(&self) -> (&'static HeaderDesc, bool) {
        match self.key() {
            "icmp" | "igmp" => return (layers::ip(), false),
            "icmp6" => return (layers::ip6(), false),
            "dhcp" => return (layers::ip(), false),
            "dhcp6" => return (layers::ip6(), false),
            _ if layers::is_extension(self.desc()) => return (layers::ip6(), false),
            _ => {}
        }
        if let Some((Host::Address(address), _)) = &self.address {
            return (if address.is_ipv6() { layers::ip6() } else { layers::ip() }, false);
        }
        for (key, text, _) in &self.below {
            if matches!(*key, "src" | "dst")
                && let Some(address) = names::any_address(text)
            {
                return (if address.is_ipv6() { layers::ip6() } else { layers::ip() }, false);
            }
        }
        match self.dotted.iter().find(|(layer, ..)| matches!(*layer, "ip" | "ip6")) {
            Some((layer, ..)) => (known_layer(layer).unwrap_or(layers::ip()), false),
            None => (layers::ip(), true),
        }
    }

    /// Hands destination, `src dst ttl tos` and `LAYER.key=` to the layers below.
    fn reach_below(&mut self) -> Result<(), Fault> {
        let words = self.reader.words;
        let own = self.key();
        if let Some((host, at)) = self.address.take() {
            let Some(network) = network(self.reader) else { return Err(no_network(own, at)) };
            check_family(network, &host, own, words, at, self.draft.word)?;
            set_host(network, words, "dst", &host, at)?;
        }
        for (key, text, at) in core::mem::take(&mut self.below) {
            let Some(network) = network(self.reader) else { return Err(no_network(own, at)) };
            let key = key_in(network.layer.desc, key);
            set(network, words, key, text, at)?;
        }
        for (layer, key, text, at) in core::mem::take(&mut self.dotted) {
            match self.reader.drafts.iter_mut().rev().find(|draft| draft.layer.key() == layer) {
                Some(draft) => set(draft, words, key, text, at).map_err(|fault| within(fault, layer))?,
                None if layer == "eth" && own != "eth" => self.reader.ethernet.push((key, text, at)),
                None => return Err(self.not_below(layer, key, text, at)),
            }
        }
        Ok(())
    }

    fn not_below(&self, layer: &str, key: &str, text: &str, at: usize) -> Fault {
        let own = self.key();
        let part = 0..layer.len();
        if layer == own {
            let problem = Problem::OwnPrefix { layer: own };
            return Fault::new(Code::LayerNotBelow, at, problem).part(part).fix([format!("{key}={text}")]);
        }
        if known_layer(layer).is_none() {
            let problem = Problem::NoSuchKey { layer: own, key: shown(&format!("{layer}.{key}")) };
            return Fault::new(Code::UnknownKey, at, problem).expected(suggest::expected_in(self.desc()));
        }
        let problem = Problem::NotBelow { below: layer.into(), layer: own };
        let fault = Fault::new(Code::LayerNotBelow, at, problem).part(part);
        let other = if layer == "ip" { "ip6" } else { "ip" };
        match network_ref(self.reader) {
            Some(network) if network.layer.key() == other && matches!(layer, "ip" | "ip6") => {
                let known = known_layer(other);
                let same = known.map_or(key, |desc| suggest::same_field(desc, key).unwrap_or(key));
                fault.fix([format!("{other}.{same}={text}")])
            }
            _ => fault,
        }
    }
}

/// A mistake in `LAYER.key=` speaks of the key behind the layer.
fn within(mut fault: Fault, layer: &str) -> Fault {
    if let Some(part) = &mut fault.part
        && part.start == 0
    {
        *part = layer.len() + 1..part.end + layer.len() + 1;
    }
    fault
}

fn network<'a>(reader: &'a mut Reader<'_>) -> Option<&'a mut Draft> {
    reader.drafts.iter_mut().rev().find(|draft| matches!(draft.layer.key(), "ip" | "ip6"))
}

fn network_ref<'a>(reader: &'a Reader<'_>) -> Option<&'a Draft> {
    reader.drafts.iter().rev().find(|draft| matches!(draft.layer.key(), "ip" | "ip6"))
}

fn no_network(own: &'static str, at: usize) -> Fault {
    Fault::new(Code::LayerNotBelow, at, Problem::NoIpBelow { layer: own }).no_guess()
}

/// A destination of the wrong family is the mistake of the layer that was written.
fn check_family(network: &Draft, host: &Host, own: &str, words: &[&str], at: usize, word: usize) -> Result<(), Fault> {
    let Host::Address(address) = host else { return Ok(()) };
    let fits = match network.layer.place("dst").and_then(|place| network.layer.field(place)).map(|field| field.kind) {
        Some(Kind::Ipv4) => address.is_ipv4(),
        _ => matches!(address, IpAddr::V6(_)),
    };
    if fits {
        return Ok(());
    }
    if network.made {
        return Err(wrong_family(&Draft::new(network.layer.desc, word, true), *address, words, at));
    }
    let below = network.layer.key();
    let problem = Problem::WrongVersionBelow { word: own.into(), address: *address, below };
    let fault = Fault::new(Code::BadAddress, at, problem).no_guess();
    let other: String = if below == "ip" { "ip6".into() } else { "ip".into() };
    Err(fault.fix_words(network.word..network.word + 1, [other]))
}
