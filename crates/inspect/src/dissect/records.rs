//! The questions and records of a DNS message, with the values of each.

use alloc::vec::Vec;

use wirewright_craft::{LayerAt, entry_text, entry_values};
use wirewright_wire::dns::{Entries, LEN};

use super::Record;

/// Reads the entries of a message: at most as many as the walk counts, each name at most 255 bytes whole.
pub(super) fn read(bytes: &[u8], at: &LayerAt) -> Vec<Record> {
    let message = bytes.get(at.start..at.start + at.header_len).unwrap_or_default();
    let Some(counts) = Entries::counts_in(message) else { return Vec::new() };
    let area = at.start + LEN;
    Entries::new(&message[LEN..], counts)
        .map(|entry| {
            let range = area + entry.range().start..area + entry.range().end;
            let mut values = entry_values(message, &entry);
            for value in &mut values {
                value.bytes = range.start + value.bytes.start..range.start + value.bytes.end;
            }
            Record { section: entry.section, range, text: entry_text(message, &entry), values }
        })
        .collect()
}
