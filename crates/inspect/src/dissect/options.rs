//! The options of a header, with the fields of each.

use alloc::vec::Vec;
use core::ops::Range;

use wirewright_craft::{OptionItem, Options, listed_names};
use wirewright_wire::{OptionDesc, OptionLen, TlvDesc};

use super::{Field, OptionField, OptionKind, read_fields};

/// Reads an option area. It is at most 40 bytes in IPv4 and TCP, 2,046 in IPv6, the message in neighbour discovery: one
/// entry for each byte at worst.
pub(super) fn read(bytes: &[u8], table: &'static TlvDesc, area: Range<usize>) -> Vec<OptionField> {
    let Some(list) = bytes.get(area.clone()) else { return Vec::new() };
    Options::new(table, list)
        .map(|at| {
            let place = |range: Range<usize>| area.start + range.start..area.start + range.end;
            let (range, value) = (place(at.range.clone()), place(at.value()));
            match at.item {
                OptionItem::Known { desc } => OptionField { head: at.head, ..known(bytes, desc, range, value) },
                OptionItem::Unknown { kind } => {
                    OptionField { head: at.head, ..bare(OptionKind::Kind(kind), range, value) }
                }
                OptionItem::Cut { desc } => {
                    OptionField { desc: Some(desc), ..bare(OptionKind::Malformed, range, value) }
                }
                OptionItem::Behind => bare(OptionKind::Padding, range, value),
                OptionItem::Malformed => bare(OptionKind::Malformed, range, value),
            }
        })
        .collect()
}

fn bare(what: OptionKind, range: Range<usize>, rest: Range<usize>) -> OptionField {
    OptionField { desc: None, what, range, head: 2, fields: Vec::new(), names: Vec::new(), rest }
}

fn known(bytes: &[u8], desc: &'static OptionDesc, range: Range<usize>, value: Range<usize>) -> OptionField {
    let mut fields: Vec<Field> = Vec::new();
    let mut rest = value.clone();
    if matches!(desc.len, OptionLen::Parts) {
        for (at, field) in desc.rows_in(&bytes[value.clone()]) {
            read_fields(bytes, value.start + at, core::slice::from_ref(field), &mut fields);
        }
        // Whoever chose the description saw that its fields fill the value.
        return OptionField {
            desc: Some(desc),
            what: OptionKind::Kind(desc.kind),
            range,
            head: 2,
            fields,
            names: Vec::new(),
            rest: value.end..value.end,
        };
    }
    let unit = match desc.len {
        OptionLen::Repeats(unit) => unit,
        _ => desc.fields.iter().map(|field| field.end_byte()).max().unwrap_or(0),
    };
    while unit > 0 && rest.len() >= unit {
        read_fields(bytes, rest.start, desc.fields, &mut fields);
        rest.start += unit;
        if !matches!(desc.len, OptionLen::Repeats(_)) {
            break;
        }
    }
    let entry = desc.entry_len();
    if let Some((_, end)) = bytes.get(value.clone()).and_then(|it| desc.counted_len(it)).filter(|_| is_counted(desc)) {
        while entry > 0 && rest.start + entry <= value.start + end {
            read_fields(bytes, rest.start, desc.entries, &mut fields);
            rest.start += entry;
        }
    } else if entry > 0 && rest.len().is_multiple_of(entry) && value.len() - rest.len() == desc.fixed_len() {
        while bytes
            .get(rest.start..rest.end.min(rest.start + entry))
            .is_some_and(|it| !it.is_empty() && desc.is_entry(it))
        {
            read_fields(bytes, rest.start, desc.entries, &mut fields);
            rest.start += entry;
        }
    }
    let mut names = Vec::new();
    if let OptionLen::Names(unit) = desc.len
        && let Some((listed, end)) = listed_names(&bytes[rest.clone()], unit)
    {
        names = listed;
        rest.start += end;
    }
    OptionField { desc: Some(desc), what: OptionKind::Kind(desc.kind), range, head: 2, fields, names, rest }
}

/// Whether an entry says itself how many further ones it has, and what stands behind them.
fn is_counted(desc: &OptionDesc) -> bool {
    desc.len == OptionLen::Counted
}
