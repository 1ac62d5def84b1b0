//! The option area of a header, item by item, by its table.

use core::ops::Range;

use wirewright_wire::{OptionDesc, OptionLen, TlvDesc, TlvLength};

/// One item of an option area.
#[derive(Clone, Debug)]
pub struct OptionAt {
    /// Its bytes, from the start of the area.
    pub range: Range<usize>,
    /// What it is.
    pub item: OptionItem,
}

/// What an item of an option area is.
#[derive(Clone, Copy, Debug)]
pub enum OptionItem {
    /// An option.
    Known {
        /// Its description.
        desc: &'static OptionDesc,
    },
    /// An option of a kind that the table does not know, its length believed.
    Unknown {
        /// The kind.
        kind: u8,
    },
    /// What stands behind the end of the list: padding.
    Behind,
    /// Bytes whose length is impossible, and all behind them.
    Malformed,
}

impl OptionAt {
    /// Where its value stands, from the start of the area; empty for padding and malformed bytes.
    #[must_use]
    pub fn value(&self) -> Range<usize> {
        let skip = match self.item {
            OptionItem::Known { desc } if matches!(desc.len, OptionLen::Single) => 1,
            OptionItem::Known { .. } | OptionItem::Unknown { .. } => 2,
            OptionItem::Behind | OptionItem::Malformed => self.range.len(),
        };
        self.range.start + skip..self.range.end
    }
}

/// The items of an option area. Covers it without gaps; ends after the item that is malformed or behind the list's end.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    table: &'static TlvDesc,
    area: &'a [u8],
    at: usize,
    ended: bool,
}

impl<'a> Options<'a> {
    /// The items of `area`.
    #[must_use]
    pub fn new(table: &'static TlvDesc, area: &'a [u8]) -> Self {
        Self { table, area, at: 0, ended: false }
    }

    /// Length of the option at the cursor, as its length byte says; `None` when it is impossible.
    fn stated_len(&self, desc: Option<&'static OptionDesc>) -> Option<usize> {
        if desc.is_some_and(|desc| matches!(desc.len, OptionLen::Single)) {
            return Some(1);
        }
        let stated = usize::from(*self.area.get(self.at + 1)?);
        let len = match self.table.length {
            TlvLength::WholeOctoBytes => stated * 8,
            TlvLength::ValueBytes => stated + 2,
            _ => stated,
        };
        (len >= 2 && self.at + len <= self.area.len()).then_some(len)
    }
}

impl Iterator for Options<'_> {
    type Item = OptionAt;

    fn next(&mut self) -> Option<OptionAt> {
        let &kind = self.area.get(self.at)?;
        let start = self.at;
        if self.ended {
            self.at = self.area.len();
            return Some(OptionAt { range: start..self.at, item: OptionItem::Behind });
        }
        let desc = self.table.kind(kind);
        let (len, item) = match (self.stated_len(desc), desc) {
            (Some(len), Some(desc)) => (len, OptionItem::Known { desc }),
            (Some(len), None) => (len, OptionItem::Unknown { kind }),
            (None, _) => (self.area.len() - start, OptionItem::Malformed),
        };
        // RFC 9293 §3.1, RFC 791 §3.1: kind 0 ends the list. In IPv6 it is one byte of padding.
        self.ended = kind == 0 && self.table.length == TlvLength::WholeBytes;
        self.at += len;
        Some(OptionAt { range: start..self.at, item })
    }
}
