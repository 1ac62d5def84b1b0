//! Questions and records of DNS as words: `an=example.com:A:300:192.0.2.1`.
//!
//! In: the text behind `qd= an= ns= ar= edns=`; the bytes of an entry.
//! Out: the bytes of an entry; its text, which is read as the same bytes; for people its whole name.
//! Above: language, print, inspect. Below: wire's `dns`.
//! Not here: the header's fields, which are a table as any other's.

mod names;
mod read;
mod write;

use alloc::vec::Vec;

pub use read::record_forms;
pub use write::{DnsValue, class_word, entry_text, entry_values, type_word, whole_name};

pub use names::listed_names;
pub(crate) use names::{encode_listed, encode_name};
pub(crate) use read::{EntryFault, edns, entry, is_kind, kind_of, question};
pub(crate) use write::{is_leading, question_word, write_entry};

use wirewright_wire::dns::{Entries, LEN};

use crate::packet::Layer;

/// The word that stands for an EDNS record.
pub(crate) const EDNS: &str = "edns";

/// Whether a layer is a DNS message.
#[must_use]
pub fn is_dns(desc: &wirewright_wire::HeaderDesc) -> bool {
    desc.key == "dns"
}

/// How many bytes of a message are its header and what its counts let be read of its entries.
pub(crate) fn read_len(message: &[u8]) -> usize {
    let Some(counts) = Entries::counts_in(message) else { return LEN };
    let mut entries = Entries::new(&message[LEN..], counts);
    entries.by_ref().for_each(drop);
    LEN + entries.offset()
}

/// How many entries of each section stand in the area behind a header with these counts.
pub(crate) fn count(area: &[u8], counts: [u16; 4]) -> [u16; 4] {
    let mut found = [0; 4];
    for entry in Entries::new(area, counts) {
        found[entry.section as usize] += 1;
    }
    found
}

/// Puts an entry behind those of its section and before those of the next.
pub(crate) fn insert(layer: &mut Layer, section: wirewright_wire::dns::Section, bytes: &[u8]) {
    let behind = Entries::new(&layer.options, layer.counts).filter(|entry| entry.section <= section).last();
    let at = behind.map_or(0, |entry| entry.range().end);
    let tail: Vec<u8> = layer.options.split_off(at);
    layer.options.extend_from_slice(bytes);
    layer.options.extend_from_slice(&tail);
    // The caller has judged how many there may be.
    layer.counts[section as usize] = layer.counts[section as usize].saturating_add(1);
}
