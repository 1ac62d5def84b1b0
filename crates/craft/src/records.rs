//! Records as words: entries of a list that say themselves how long they are: `record=allow:232.1.1.1,192.0.2.7`.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use wirewright_wire::{Auto, FieldDesc, LengthOf, OptionDesc};

use crate::options::{OptionFault, write_entry};
use crate::text::{read_hex, write_hex};
use crate::value::write_plain;

/// What stands before the bytes behind the entries of a record.
const BEHIND: &str = "0x";

/// Appends an entry that says itself how long it is: `TYPE:GROUP`, further entries behind commas, and as `0xHEX` what stands
/// behind them.
pub(crate) fn encode(desc: &'static OptionDesc, text: &str, out: &mut Vec<u8>) -> Result<(), OptionFault> {
    let mut parts = text.split(',');
    let start = out.len();
    write_entry(desc.fixed_len(), desc.fields, parts.next().unwrap_or_default(), out)?;
    let (mut entries, mut words) = (0, 0);
    for part in parts {
        if words > 0 {
            return Err(OptionFault::Hex);
        }
        if let Some(hex) = part.strip_prefix(BEHIND) {
            let bytes = read_hex(hex).ok().filter(|bytes| !bytes.is_empty()).ok_or(OptionFault::Hex)?;
            if !bytes.len().is_multiple_of(4) {
                return Err(OptionFault::Length);
            }
            words = bytes.len() as u128 / 4;
            out.extend(bytes);
            continue;
        }
        write_entry(desc.entry_len(), desc.entries, part, out)?;
        entries += 1;
    }
    for field in desc.fields {
        let value = match field.auto {
            Auto::Entries(_) => entries,
            Auto::Length(LengthOf::Words) => words,
            _ => continue,
        };
        if value > field.max() || !field.write(&mut out[start..], value) {
            return Err(OptionFault::Length);
        }
    }
    Ok(())
}

/// Writes a value of a record: by its word, where it has one.
pub(crate) fn write_value(out: &mut String, field: &FieldDesc, value: u128) -> fmt::Result {
    match field.word_for(value) {
        Some(name) => {
            out.push_str(name.word);
            Ok(())
        }
        None => write_plain(out, field, value),
    }
}

/// Writes what stands behind the fields of a record: further entries, and the bytes behind those.
pub(crate) fn write_behind(out: &mut String, desc: &OptionDesc, record: &[u8]) -> fmt::Result {
    let end = desc.counted_len(record).map_or(record.len(), |(_, end)| end);
    let (entries, behind) = record.split_at_checked(end).unwrap_or((record, &[]));
    for entry in entries.get(desc.fixed_len()..).unwrap_or_default().chunks_exact(desc.entry_len().max(1)) {
        for (at, field) in desc.entries.iter().enumerate() {
            out.push(if at == 0 { ',' } else { ':' });
            write_plain(out, field, field.read(entry).unwrap_or(0))?;
        }
    }
    if !behind.is_empty() {
        out.push(',');
        out.push_str(BEHIND);
        write_hex(out, behind)?;
    }
    Ok(())
}
