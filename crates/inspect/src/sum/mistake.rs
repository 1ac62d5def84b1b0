//! What made a wrong checksum: each classic mistake is made again, and the one that gives the stored value is named.
//!
//! A value that nobody computed should not be explained. Each distinct candidate explains one value in 65,536 by
//! accident, so their number is the whole cost: at most [`CANDIDATES_MAX`] for one checksum.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::arithmetic::{Pseudo, fold};
use super::{Covered, Of};

/// The most candidates for one checksum: 33 of 65,536 values are 0.05 %.
pub const CANDIDATES_MAX: usize = 33;

/// A classic mistake in computing a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// The last byte of an odd number was not padded with a zero on its right.
    OddByte(Odd),
    /// The pseudo-header, or a part of it, was left out or wrong.
    NoPseudoHeader(PseudoPart),
    /// The pseudo-header had another source address.
    PseudoSource(IpAddr),
    /// Only the header was summed, not what stands behind it.
    PayloadLeftOut,
    /// The sum was stored, not its complement.
    NotComplemented,
    /// The field was not zero when the sum was taken.
    NotZeroed,
    /// The carries were dropped.
    CarryNotFolded,
    /// A field got its value after the sum was taken.
    StaleField(Stale),
    /// Not a mistake: the sum of the pseudo-header alone, which the network card would have completed.
    OffloadPartial,
}

/// What happened to the last byte of an odd number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// It was left out.
    Lost,
    /// It was left out, and the byte before it was added once more, as the first byte of a word.
    LostAndDoubledHigh,
    /// It was left out, and the byte before it was added once more, as the second byte of a word.
    LostAndDoubledLow,
    /// It was padded on its left: it counted as the second byte of its word.
    PaddedLeft,
}

/// The part of a pseudo-header that was left out or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PseudoPart {
    /// All of it.
    Whole,
    /// The protocol was 0.
    Protocol,
    /// The length was that of the payload, without the header.
    LengthOfPayload,
    /// The length was that of the IP packet.
    LengthOfPacket,
    /// The bytes of the length were exchanged.
    LengthSwapped,
}

/// A field that got its value after the sum was taken, and what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The length was still 0.
    Length,
    /// The length in the pseudo-header was still 0.
    PseudoLength,
    /// The identification was still 0.
    Identification,
    /// The time to live was one more.
    TimeToLive,
    /// The source address was still 0.0.0.0.
    Source,
}

/// What made a wrong checksum: at most one mistake, and whether the bytes were exchanged besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The two bytes were exchanged.
    pub swapped: bool,
    /// The other mistake; with neither, the cause is unknown.
    pub mistake: Option<Mistake>,
}

impl Cause {
    /// No classic mistake gives this value.
    pub const UNKNOWN: Self = Self { swapped: false, mistake: None };

    /// The stable code: a mistake's name, behind `bytes-swapped+` if both were made.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match (self.swapped, self.mistake) {
            (false, None) => "unknown",
            (true, None) => "bytes-swapped",
            (false, Some(mistake)) => mistake.code(),
            (true, Some(mistake)) => match mistake {
                Mistake::OddByte(_) => "bytes-swapped+odd-byte",
                Mistake::NoPseudoHeader(_) => "bytes-swapped+no-pseudo-header",
                Mistake::PseudoSource(_) => "bytes-swapped+pseudo-source",
                Mistake::PayloadLeftOut => "bytes-swapped+payload-left-out",
                Mistake::NotComplemented => "bytes-swapped+not-complemented",
                Mistake::NotZeroed => "bytes-swapped+not-zeroed",
                Mistake::CarryNotFolded => "bytes-swapped+carry-not-folded",
                Mistake::StaleField(_) => "bytes-swapped+stale-field",
                Mistake::OffloadPartial => "bytes-swapped+offload-partial",
            },
        }
    }

    /// The codes of the single mistakes, for the sentences: one, or two when bytes were exchanged besides.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.code().split('+')
    }

    /// What exactly went wrong, where a mistake has several forms: a key of the catalogue behind its code.
    #[must_use]
    pub const fn detail(&self) -> Option<&'static str> {
        Some(match self.mistake {
            Some(Mistake::OddByte(odd)) => match odd {
                Odd::Lost => "lost",
                Odd::LostAndDoubledHigh | Odd::LostAndDoubledLow => "doubled",
                Odd::PaddedLeft => "padded-left",
            },
            Some(Mistake::NoPseudoHeader(part)) => match part {
                PseudoPart::Whole => "whole",
                PseudoPart::Protocol => "protocol",
                PseudoPart::LengthOfPayload => "length-of-payload",
                PseudoPart::LengthOfPacket => "length-of-packet",
                PseudoPart::LengthSwapped => "length-swapped",
            },
            Some(Mistake::StaleField(field)) => match field {
                Stale::Length => "length",
                Stale::PseudoLength => "pseudo-length",
                Stale::Identification => "identification",
                Stale::TimeToLive => "time-to-live",
                Stale::Source => "source",
            },
            _ => return None,
        })
    }
}

impl Mistake {
    /// Every code, for the catalogue and for documents.
    pub const CODES: [&str; 11] = [
        "bytes-swapped",
        "odd-byte",
        "no-pseudo-header",
        "pseudo-source",
        "payload-left-out",
        "not-complemented",
        "not-zeroed",
        "carry-not-folded",
        "stale-field",
        "offload-partial",
        "unknown",
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OddByte(_) => "odd-byte",
            Self::NoPseudoHeader(_) => "no-pseudo-header",
            Self::PseudoSource(_) => "pseudo-source",
            Self::PayloadLeftOut => "payload-left-out",
            Self::NotComplemented => "not-complemented",
            Self::NotZeroed => "not-zeroed",
            Self::CarryNotFolded => "carry-not-folded",
            Self::StaleField(_) => "stale-field",
            Self::OffloadPartial => "offload-partial",
        }
    }
}

/// The values that classic mistakes give, the likelier first; each value once.
pub(super) struct Candidates {
    found: Vec<(u16, Cause)>,
    right: u16,
    /// UDP sends 0xffff where the sum is 0.
    zero_as_ones: bool,
}

impl Candidates {
    /// Makes every mistake. `local` are other addresses that the sender may have summed with.
    pub(super) fn of(covered: &Covered<'_>, local: &[IpAddr]) -> Self {
        let sums = Sums::of(covered);
        let mut all = Self { found: Vec::with_capacity(CANDIDATES_MAX), right: 0, zero_as_ones: covered.of == Of::Udp };
        all.right = all.stored(!fold(sums.all()));
        if let Some(pseudo) = covered.pseudo {
            let mistake = Some(Mistake::OffloadPartial);
            all.add(fold(pseudo.sum()), Cause { swapped: false, mistake });
        }
        all.add(all.right.swap_bytes(), Cause { swapped: true, mistake: None });
        all.odd_byte(covered, &sums);
        all.both(fold(sums.all()), Mistake::NotComplemented);
        all.pseudo_header(covered, &sums, local);
        all.payload(covered, &sums);
        all.stale(covered, &sums);
        all.not_zeroed(&sums);
        all.carries(covered);
        all
    }

    /// The cause of a stored value.
    pub(super) fn cause_of(&self, stored: u16) -> Cause {
        self.found.iter().find(|(value, _)| *value == stored).map_or(Cause::UNKNOWN, |(_, cause)| *cause)
    }

    fn odd_byte(&mut self, covered: &Covered<'_>, sums: &Sums) {
        let Some((last, even)) = covered.bytes.split_last().filter(|_| covered.bytes.len() % 2 == 1) else { return };
        let base = sums.pseudo + sums.data - (u64::from(*last) << 8);
        // The checksum field counts as zero also here, where a header is cut behind it.
        let in_field = (covered.field..covered.field + 2).contains(&(even.len().wrapping_sub(1)));
        let before = if in_field { 0 } else { even.last().copied().map_or(0, u64::from) };
        for (sum, odd) in [
            (base + (before << 8), Odd::LostAndDoubledHigh),
            (base, Odd::Lost),
            (base + u64::from(*last), Odd::PaddedLeft),
            (base + before, Odd::LostAndDoubledLow),
        ] {
            self.both(!fold(sum), Mistake::OddByte(odd));
        }
    }

    fn pseudo_header(&mut self, covered: &Covered<'_>, sums: &Sums, local: &[IpAddr]) {
        let Some(pseudo) = covered.pseudo else { return };
        self.both(!fold(sums.data), Mistake::NoPseudoHeader(PseudoPart::Whole));
        let unset = match pseudo.source {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let with = |other: Pseudo| !fold(sums.data + other.sum());
        self.both(with(Pseudo { source: unset, ..pseudo }), Mistake::PseudoSource(unset));
        for &source in local.iter().filter(|source| source.is_ipv4() == pseudo.source.is_ipv4()).take(LOCAL_MAX) {
            self.one(with(Pseudo { source, ..pseudo }), Mistake::PseudoSource(source));
        }
        let payload = pseudo.length.saturating_sub(covered.header_len as u32);
        self.one(with(Pseudo { length: payload, ..pseudo }), Mistake::NoPseudoHeader(PseudoPart::LengthOfPayload));
        if let Some(length) = covered.packet_len {
            self.one(with(Pseudo { length, ..pseudo }), Mistake::NoPseudoHeader(PseudoPart::LengthOfPacket));
        }
        self.one(with(Pseudo { protocol: 0, ..pseudo }), Mistake::NoPseudoHeader(PseudoPart::Protocol));
        if let Ok(length) = u16::try_from(pseudo.length) {
            let length = u32::from(length.swap_bytes());
            self.one(with(Pseudo { length, ..pseudo }), Mistake::NoPseudoHeader(PseudoPart::LengthSwapped));
        }
    }

    fn payload(&mut self, covered: &Covered<'_>, sums: &Sums) {
        if covered.header_len >= covered.bytes.len() {
            return;
        }
        let header = Covered { bytes: &covered.bytes[..covered.header_len], pseudo: None, ..*covered };
        let header_sum = Sums::of(&header).data;
        self.both(!fold(sums.pseudo + header_sum), Mistake::PayloadLeftOut);
        if let Some(pseudo) = covered.pseudo {
            let short = Pseudo { length: covered.header_len as u32, ..pseudo };
            self.one(!fold(short.sum() + header_sum), Mistake::PayloadLeftOut);
        }
    }

    fn stale(&mut self, covered: &Covered<'_>, sums: &Sums) {
        let word =
            |at: usize| covered.bytes.get(at..at + 2).map_or(0, |two| u64::from(u16::from_be_bytes([two[0], two[1]])));
        let all = sums.all();
        match covered.of {
            Of::Ipv4 => {
                self.both(!fold(all - word(2)), Mistake::StaleField(Stale::Length));
                self.one(!fold(all - word(4)), Mistake::StaleField(Stale::Identification));
                self.one(!fold(all - word(12) - word(14)), Mistake::StaleField(Stale::Source));
                // The TTL is the high byte of its word.
                self.one(!fold(all + 0x100), Mistake::StaleField(Stale::TimeToLive));
            }
            Of::Udp => {
                self.one(!fold(all - word(4)), Mistake::StaleField(Stale::Length));
                self.one(!fold(all - word(4) - sums.pseudo_length), Mistake::StaleField(Stale::Length));
            }
            _ => {}
        }
        if covered.pseudo.is_some() {
            self.one(!fold(all - sums.pseudo_length), Mistake::StaleField(Stale::PseudoLength));
        }
    }

    /// The field held the right value already (the sum is then 0), or the one with its bytes exchanged.
    fn not_zeroed(&mut self, sums: &Sums) {
        let all = sums.all();
        let right = u64::from(self.right);
        self.one(!fold(all + right), Mistake::NotZeroed);
        self.both(!fold(all + u64::from(self.right.swap_bytes())), Mistake::NotZeroed);
    }

    fn carries(&mut self, covered: &Covered<'_>) {
        let network: u64 = covered.words().map(|(_, word)| u64::from(word)).sum();
        let swapped: u64 = covered.words().map(|(_, word)| u64::from(word.swap_bytes())).sum();
        let dropped = |sum: u64| !(sum & 0xffff) as u16;
        self.one(dropped(network), Mistake::CarryNotFolded);
        self.one(dropped(swapped).swap_bytes(), Mistake::CarryNotFolded);
        self.add(dropped(swapped), Cause { swapped: true, mistake: Some(Mistake::CarryNotFolded) });
        let once = (network & 0xffff) + (network >> 16);
        self.one(dropped(once), Mistake::CarryNotFolded);
    }

    /// A mistake, and the same with its bytes exchanged.
    fn both(&mut self, value: u16, mistake: Mistake) {
        self.one(value, mistake);
        let value = self.stored(value).swap_bytes();
        self.add(value, Cause { swapped: true, mistake: Some(mistake) });
    }

    fn one(&mut self, value: u16, mistake: Mistake) {
        let value = self.stored(value);
        self.add(value, Cause { swapped: false, mistake: Some(mistake) });
    }

    const fn stored(&self, value: u16) -> u16 {
        if self.zero_as_ones && value == 0 { 0xffff } else { value }
    }

    fn add(&mut self, value: u16, cause: Cause) {
        let known = self.found.iter().any(|(other, _)| *other == value);
        if value != self.right && !known && self.found.len() < CANDIDATES_MAX {
            self.found.push((value, cause));
        }
    }
}

/// The most other local addresses that are tried.
const LOCAL_MAX: usize = 4;

/// Sums before folding.
struct Sums {
    pseudo: u64,
    pseudo_length: u64,
    data: u64,
}

impl Sums {
    fn of(covered: &Covered<'_>) -> Self {
        let data = Covered { pseudo: None, ..*covered };
        let length =
            covered.pseudo.map_or(0, |pseudo| u64::from(pseudo.length >> 16) + u64::from(pseudo.length & 0xffff));
        Self {
            pseudo: covered.pseudo.map_or(0, Pseudo::sum),
            pseudo_length: length,
            data: data.words().map(|(_, word)| u64::from(word)).sum(),
        }
    }

    const fn all(&self) -> u64 {
        self.pseudo + self.data
    }
}

#[cfg(test)]
impl Candidates {
    pub(super) fn values(&self) -> impl Iterator<Item = u16> {
        self.found.iter().map(|(value, _)| *value)
    }
}
