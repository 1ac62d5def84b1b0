//! What an ICMP error's quote says of a packet: the TTL that was left, and what was rewritten on the way.

use alloc::vec::Vec;

use wirewright_craft::{First, OptionItem, Options, walk};
use wirewright_wire::{Auto, FieldDesc, OptionDesc};

/// A quote beside the packet that it quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quoted {
    /// The TTL or hop limit in the quote; `None` where the quote ends before it.
    pub ttl: Option<u8>,
    /// Every field that is not as it left, in wire order. Checksums, which follow from the others, and the TTL are left out.
    pub differences: Vec<Difference>,
}

/// A field that is not as it left.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The layer's word.
    pub layer: &'static str,
    /// The option that the field stands in.
    pub option: Option<&'static OptionDesc>,
    /// The field.
    pub field: &'static FieldDesc,
    /// Its value as it left.
    pub sent: u128,
    /// Its value in the quote.
    pub seen: u128,
}

impl Difference {
    /// How people call it: `tos`, `mss`, `ts.val`; the layer is not said.
    #[must_use]
    pub fn name(&self) -> alloc::string::String {
        match self.option {
            Some(option) if option.fields.len() + option.parts.len() > 1 => {
                alloc::format!("{}.{}", option.key, self.field.key)
            }
            Some(option) => option.key.into(),
            None => self.field.key.into(),
        }
    }
}

impl PartialEq for Difference {
    fn eq(&self, other: &Self) -> bool {
        let option = |it: &Self| it.option.map(|option| (option.kind, option.key));
        let place = |it: &Self| (it.layer, option(it), it.field.key);
        place(self) == place(other) && (self.sent, self.seen) == (other.sent, other.seen)
    }
}

impl Eq for Difference {}

/// Compares the packet quoted in the ICMP error `error` with `sent`; both begin with `first` of theirs. `None`: nothing is
/// quoted.
///
/// Fields are compared where `sent` has them, as far as the quote goes: routers quote 8 bytes behind the IP header or more.
#[must_use]
pub fn quoted((error, first): (&[u8], First), (sent, sent_first): (&[u8], First)) -> Option<Quoted> {
    let chain = walk(error, first);
    let errs = chain.layers.iter().find(|layer| layer.variant.is_some_and(|variant| variant.quotes))?;
    let quote = error.get(errs.start + errs.header_len..errs.end)?;
    let layers = walk(sent, sent_first).layers;
    let at = layers.iter().position(|layer| matches!(layer.desc.key, "ip" | "ip6"))?;
    let begin = layers[at].start;
    let mut found = Quoted::default();
    for layer in layers[at..].iter().take_while(|layer| !layer.quoted) {
        let start = layer.start - begin;
        let mut compare = |fields: &'static [FieldDesc], place: usize, option: Option<&'static OptionDesc>| {
            for field in fields.iter().filter(|field| field.is_there()) {
                let there = sent.get(begin + place..).and_then(|bytes| field.read(bytes));
                let here = quote.get(place..).and_then(|bytes| field.read(bytes));
                let (Some(sent), Some(seen)) = (there, here) else { return };
                let is_ip = start == 0 && option.is_none();
                if is_ip && matches!(field.key, "ttl" | "hlim") {
                    found.ttl = u8::try_from(seen).ok();
                } else if sent != seen && !matches!(field.auto, Auto::Checksum(_)) {
                    found.differences.push(Difference { layer: layer.desc.key, option, field, sent, seen });
                }
            }
        };
        compare(layer.desc.fields, start, None);
        if let Some(variant) = layer.variant {
            compare(variant.body.fields, start + layer.desc.len, None);
        }
        let area = layer.options.clone();
        let table = layer.variant.and_then(|variant| variant.body.options).or(layer.desc.options);
        if let (Some(table), Some(bytes)) = (table, sent.get(area.clone())) {
            for it in Options::new(table, bytes) {
                if let OptionItem::Known { desc } = it.item {
                    let start = area.start - begin + it.value().start;
                    for (at, field) in desc.rows_in(&bytes[it.value()]) {
                        compare(core::slice::from_ref(field), start + at, Some(desc));
                    }
                }
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::vec::Vec;

    use super::*;
    use wirewright_craft::{Context, parse};

    fn bytes(line: &str) -> Vec<u8> {
        parse(line).unwrap().build(&Context::default()).unwrap().bytes
    }

    fn differences(sent: &str, quote: &str) -> (Option<u8>, Vec<String>) {
        let error = bytes(&std::format!("ip 198.51.100.2 src=192.0.2.1 / icmp exceeded / {quote}"));
        let found = quoted((&error, First::Ip), (&bytes(sent), First::Ip)).unwrap();
        let text = |it: &Difference| std::format!("{} {}>{}", it.name(), it.sent, it.seen);
        (found.ttl, found.differences.iter().map(text).collect())
    }

    const SENT: &str = "ip 192.0.2.2 src=198.51.100.2 id=7 ttl=3 / tcp :80 S sport=4000 seq=1 mss=1460 sack ts=5:6";

    #[test]
    fn what_was_rewritten_is_named_with_both_values() {
        assert_eq!(differences(SENT, &SENT.replace("ttl=3", "ttl=1")), (Some(1), Vec::new()));
        let changed = SENT.replace("ttl=3", "ttl=1 tos=8").replace("mss=1460", "mss=1380").replace("ts=5:6", "ts=5:7");
        assert_eq!(differences(SENT, &changed).1, ["tos 0>8", "mss 1460>1380", "ts.ecr 6>7"]);
        let translated = SENT.replace("src=198.51.100.2", "src=203.0.113.9").replace("sport=4000", "sport=4001");
        let (_, found) = differences(SENT, &translated);
        assert_eq!(found.iter().map(|it| it.split(' ').next().unwrap()).collect::<Vec<_>>(), ["src", "sport"]);
    }

    #[test]
    fn fields_of_options_that_have_them_by_flags_are_compared_where_they_stand() {
        let sent = SENT.replace(" S ", " A ").replace("mss=1460 sack ts=5:6", "dss=MaA:7:1:2:10 nop nop");
        let changed = sent.replace("dss=MaA:7:1:2:10", "dss=MaA:7:1:3:11");
        assert_eq!(differences(&sent, &changed).1, ["dss.ssn 2>3", "dss.len 10>11"]);
    }

    #[test]
    fn a_short_quote_is_compared_as_far_as_it_goes() {
        let quote: String = bytes(SENT)[..28].iter().map(|byte| std::format!("{byte:02x}")).collect();
        let error = bytes(&std::format!("ip 198.51.100.2 src=192.0.2.1 / icmp exceeded hex={quote}"));
        let found = quoted((&error, First::Ip), (&bytes(&SENT.replace("mss=1460", "mss=9")), First::Ip)).unwrap();
        assert_eq!((found.ttl, found.differences.len()), (Some(3), 0));
        assert!(quoted((&bytes("ip 192.0.2.2 / icmp echo"), First::Ip), (&bytes(SENT), First::Ip)).is_none());
    }
}
