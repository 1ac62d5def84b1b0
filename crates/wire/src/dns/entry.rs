//! RFC 1035 §4.1.2, §4.1.3: questions and records, one by one, with their bytes.

use core::ops::Range;

use super::{Section, name_end};

/// The most entries of a message that are read: half the words that a line of the packet language may have. A UDP message
/// of 64 KiB would hold 13,000 empty questions; no resolver sends hundreds.
pub const ENTRIES_MAX: usize = 512;

/// A question or a record. Positions count from the byte behind the header of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The section that it stands in.
    pub section: Section,
    /// Its name, as it stands there.
    pub name: Range<usize>,
    /// Its type.
    pub kind: u16,
    /// Its class; in EDNS the largest UDP payload.
    pub class: u16,
    /// For how many seconds it may be kept; in EDNS response code, version and flags; 0 in questions.
    pub ttl: u32,
    /// Its data; empty in questions.
    pub data: Range<usize>,
}

impl Entry {
    /// All its bytes.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.name.start..self.data.end
    }
}

/// The entries behind the header, up to the counts or to the first that cannot be read.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    area: &'a [u8],
    counts: [u16; 4],
    at: usize,
    section: usize,
    passed: usize,
}

impl<'a> Entries<'a> {
    /// The entries in `area`, the bytes behind the header, as many as the header counts in each section.
    #[must_use]
    pub const fn new(area: &'a [u8], counts: [u16; 4]) -> Self {
        Self { area, counts, at: 0, section: 0, passed: 0 }
    }

    /// The counts that a header states; `None` when it is not whole.
    #[must_use]
    pub fn counts_in(header: &[u8]) -> Option<[u16; 4]> {
        let (view, _) = super::View::split(header)?;
        Some([view.questions(), view.answers(), view.authorities(), view.additional()])
    }

    /// The byte behind the last entry read.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// Whether a message is read to its end by its own counts, without a byte left over.
    #[must_use]
    pub fn are_whole(message: &'a [u8]) -> bool {
        let Some(counts) = Self::counts_in(message) else { return false };
        let counted: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let mut entries = Self::new(&message[super::LEN..], counts);
        counted <= ENTRIES_MAX && entries.by_ref().count() == counted && entries.offset() == entries.area.len()
    }

    fn read(&self, section: Section) -> Option<Entry> {
        let number = |at: usize| Some(u16::from_be_bytes(*self.area.get(at..)?.first_chunk()?));
        let end = name_end(self.area, self.at)?;
        let (name, kind, class) = (self.at..end, number(end)?, number(end + 2)?);
        if section == Section::Question {
            return Some(Entry { section, name, kind, class, ttl: 0, data: end + 4..end + 4 });
        }
        let ttl = u32::from(number(end + 4)?) << 16 | u32::from(number(end + 6)?);
        let data = end + 10..end + 10 + usize::from(number(end + 8)?);
        (data.end <= self.area.len()).then_some(Entry { section, name, kind, class, ttl, data })
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        while *self.counts.get(self.section)? == 0 {
            self.section += 1;
        }
        if self.passed == ENTRIES_MAX {
            return None;
        }
        let entry = self.read(Section::ALL[self.section])?;
        self.counts[self.section] -= 1;
        self.at = entry.data.end;
        self.passed += 1;
        Some(entry)
    }
}
