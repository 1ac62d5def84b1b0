//! RFC 1071 checksums judged: stored and right value, the sum word by word, and what made a wrong one.
//!
//! In: the bytes of a frame, a packet, a bare header or a segment, and what they begin with.
//! Out: a [`Checksum`] for each checksum in them, with a [`Verdict`].
//! Above: render, cli. Below: craft's chain of layers, wire's tables.
//! Not here: sentences (render); how a checksum is made (wire).

mod arithmetic;
mod locate;
mod mistake;

use alloc::vec::Vec;
use core::net::IpAddr;
use core::ops::Range;

use wirewright_wire::checksum::{Sum, never_zero, pseudo_v4, pseudo_v6};
use wirewright_wire::{FieldDesc, HeaderDesc};

pub use arithmetic::{Origin, Pseudo, Step};
pub use locate::checksums;
pub(crate) use locate::checksums_of;
pub use mistake::{CANDIDATES_MAX, Cause, Mistake, Odd, PseudoPart, Stale};

use arithmetic::fold;
use mistake::Candidates;

/// One checksum found in some bytes.
#[derive(Clone, Debug)]
pub struct Checksum<'a> {
    /// The table of the header that it stands in.
    pub layer: &'static HeaderDesc,
    /// Its row.
    pub field: &'static FieldDesc,
    /// Its first byte, from the start of the input.
    pub at: usize,
    /// The bytes that it covers, from the start of the input.
    pub covers: Range<usize>,
    /// The pseudo-header that it covers besides, where there is one and its addresses are known.
    pub pseudo: Option<Pseudo>,
    /// The value in the bytes.
    pub stored: u16,
    /// The value that should be there; `None` where it cannot be known.
    pub right: Option<u16>,
    /// The judgement.
    pub verdict: Verdict,
    /// For an IPv4 header whose total length is still 0: the length that the kernel fills in, and the value that is right
    /// then.
    pub with_length: Option<(u16, u16)>,
    covered: Covered<'a>,
}

/// What a stored checksum is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Right: the sum over everything, the checksum included, leaves 0.
    Right,
    /// Wrong, and what made it so.
    Wrong(Cause),
    /// The sum of the pseudo-header alone: a sending kernel left the rest to the network card, behind the point of
    /// capture. Not an error.
    Partial,
    /// UDP's 0: the sender computed none. Not allowed in IPv6 (RFC 8200 §8.1) but for tunnels (RFC 6935).
    Absent {
        /// Whether the IP version allows it.
        allowed: bool,
    },
    /// It cannot be judged.
    Unknowable(Unknowable),
}

/// Why a checksum cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unknowable {
    /// The packet is a fragment: the checksum covers the whole datagram.
    Fragment,
    /// Bytes are missing at the end.
    Truncated,
    /// The pseudo-header needs the addresses of an IP header, and none is there.
    NoAddresses,
    /// The final destination is that of a source route.
    SourceRoute,
}

impl Verdict {
    /// The stable code: `right`, `wrong`, `partial`, `absent`, or why it is unknowable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong(_) => "wrong",
            Self::Partial => "partial",
            Self::Absent { allowed: true } => "absent",
            Self::Absent { allowed: false } => "absent-not-allowed",
            Self::Unknowable(why) => match why {
                Unknowable::Fragment => "fragment",
                Unknowable::Truncated => "truncated",
                Unknowable::NoAddresses => "no-addresses",
                Unknowable::SourceRoute => "source-route",
            },
        }
    }

    /// Whether a receiver would drop the packet for it.
    #[must_use]
    pub const fn is_wrong(&self) -> bool {
        matches!(self, Self::Wrong(_) | Self::Absent { allowed: false })
    }
}

/// What is known besides the bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Source and destination for a segment that comes without its IP header.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// Other addresses of the sender, any of which it may have summed with.
    pub local: &'a [IpAddr],
}

impl Checksum<'_> {
    /// What verification leaves, as receivers compute it: 0 for a right checksum.
    #[must_use]
    pub fn remainder(&self) -> u16 {
        !fold(u64::from(self.covered.folded()) + u64::from(self.stored))
    }

    /// The sum step by step: every word, pseudo-header first, the field itself as zero. The right value is the last
    /// running sum, folded and complemented: see [`folds`](Self::folds).
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        self.covered.steps()
    }

    /// How the carries are folded in: the sum before, and after each time, until 16 bits are left.
    #[must_use]
    pub fn folds(&self) -> Vec<u32> {
        let mut sum = self.covered.sum() as u32;
        let mut folds = Vec::from([sum]);
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
            folds.push(sum);
        }
        folds
    }

    /// The cause of a wrong one.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        match self.verdict {
            Verdict::Wrong(cause) => Some(cause),
            _ => None,
        }
    }
}

/// The kinds of checksums, by what their mistakes can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Ipv4,
    Udp,
    Other,
}

/// What a checksum covers.
#[derive(Clone, Copy, Debug)]
struct Covered<'a> {
    of: Of,
    /// The covered bytes, the field among them.
    bytes: &'a [u8],
    /// Where they begin in the input.
    start: usize,
    /// The field's first byte in them; even.
    field: usize,
    /// The bytes of the header with its options.
    header_len: usize,
    pseudo: Option<Pseudo>,
    /// The length of the IP packet that a segment stands in.
    packet_len: Option<u32>,
}

impl Covered<'_> {
    /// The sum of all words, the field as zero, not folded.
    fn sum(&self) -> u64 {
        self.words().map(|(_, word)| u64::from(word)).sum()
    }

    /// The same folded, by wire's faster adding.
    fn folded(&self) -> u16 {
        let pseudo = match self.pseudo {
            Some(Pseudo { source: IpAddr::V4(source), destination: IpAddr::V4(destination), protocol, length }) => {
                pseudo_v4(source, destination, protocol, length)
            }
            Some(Pseudo { source: IpAddr::V6(source), destination: IpAddr::V6(destination), protocol, length }) => {
                pseudo_v6(source, destination, protocol, length)
            }
            _ => Sum::new(),
        };
        let (before, rest) = self.bytes.split_at(self.field.min(self.bytes.len()));
        pseudo.add(before).add(rest.get(2..).unwrap_or_default()).folded()
    }

    /// The value that belongs into the field.
    fn right(&self) -> u16 {
        let right = !self.folded();
        // RFC 768: a computed 0 is sent as all ones, because 0 says that there is none.
        if self.of == Of::Udp { never_zero(right) } else { right }
    }

    /// What is right when a total length of 0 is replaced by `length`.
    fn right_with_length(&self, length: usize) -> Option<(u16, u16)> {
        let length = u16::try_from(length).ok()?;
        let left_zero = self.of == Of::Ipv4 && self.bytes.get(2..4) == Some(&[0, 0]);
        left_zero.then(|| (length, !fold(u64::from(self.folded()) + u64::from(length))))
    }

    /// Judges a stored value of which everything is known.
    fn judge(&self, stored: u16, known: &Known<'_>) -> Verdict {
        // Verified as receivers do: 0 and all ones are the same number.
        if !fold(u64::from(self.folded()) + u64::from(stored)) == 0 {
            return Verdict::Right;
        }
        match Candidates::of(self, known.local).cause_of(stored) {
            Cause { swapped: false, mistake: Some(Mistake::OffloadPartial) } => Verdict::Partial,
            cause => Verdict::Wrong(cause),
        }
    }
}

#[cfg(test)]
mod tests;
