//! RFC 1071 §1, word by word: what a checksum covers, as the 16-bit words that are added up.

use core::net::IpAddr;

use super::Covered;

/// The pseudo-header of RFC 9293 §3.1 (IPv4) or RFC 8200 §8.1 (IPv6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pseudo {
    /// The IP source.
    pub source: IpAddr,
    /// The IP destination.
    pub destination: IpAddr,
    /// The protocol of the segment.
    pub protocol: u8,
    /// The length of the segment in bytes.
    pub length: u32,
}

/// Where a word of a sum comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Pseudo-header: source address.
    PseudoSource,
    /// Pseudo-header: destination address.
    PseudoDestination,
    /// Pseudo-header: protocol, with a zero in front.
    PseudoProtocol,
    /// Pseudo-header: length of the segment.
    PseudoLength,
    /// Two covered bytes, the first at this offset from the start of the input.
    Bytes(usize),
    /// The checksum field itself at this offset, counted as zero.
    Field(usize),
    /// A last odd byte at this offset, padded with a zero on its right.
    Padded(usize),
}

/// One step of the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where the word comes from.
    pub origin: Origin,
    /// The word, in network order.
    pub word: u16,
    /// The sum after it: the low 16 bits, and above them the carries so far.
    pub running: u32,
}

impl Step {
    /// How many carries the running sum holds above its low 16 bits.
    #[must_use]
    pub const fn carries(&self) -> u16 {
        (self.running >> 16) as u16
    }
}

/// Folds carries in until 16 bits are left.
pub(super) const fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

impl Pseudo {
    /// Its words, in order; an IPv6 address has eight.
    fn words(self) -> impl Iterator<Item = (Origin, u16)> {
        let v6 = self.destination.is_ipv6() || self.source.is_ipv6();
        let high = v6.then_some((Origin::PseudoLength, (self.length >> 16) as u16));
        let length = high.into_iter().chain([(Origin::PseudoLength, (self.length & 0xffff) as u16)]);
        address_words(self.source)
            .map(|word| (Origin::PseudoSource, word))
            .chain(address_words(self.destination).map(|word| (Origin::PseudoDestination, word)))
            .chain([(Origin::PseudoProtocol, u16::from(self.protocol))])
            .chain(length)
    }

    /// The sum of its words.
    pub(super) fn sum(self) -> u64 {
        self.words().map(|(_, word)| u64::from(word)).sum()
    }
}

fn address_words(address: IpAddr) -> impl Iterator<Item = u16> {
    let (words, count) = match address {
        IpAddr::V4(v4) => {
            let bits = v4.to_bits();
            ([(bits >> 16) as u16, (bits & 0xffff) as u16, 0, 0, 0, 0, 0, 0], 2)
        }
        IpAddr::V6(v6) => (v6.segments(), 8),
    };
    words.into_iter().take(count)
}

impl Covered<'_> {
    /// Every word that the checksum adds, pseudo-header first, the field itself as zero.
    pub(super) fn words(&self) -> impl Iterator<Item = (Origin, u16)> {
        let pseudo = self.pseudo.into_iter().flat_map(Pseudo::words);
        let pairs = self.bytes.chunks(2).enumerate().map(|(index, pair)| {
            let at = self.start + index * 2;
            match *pair {
                _ if index * 2 == self.field => (Origin::Field(at), 0),
                [high, low] => (Origin::Bytes(at), u16::from_be_bytes([high, low])),
                [high] => (Origin::Padded(at), u16::from_be_bytes([high, 0])),
                _ => (Origin::Bytes(at), 0),
            }
        });
        pseudo.chain(pairs)
    }

    /// The steps of the sum: see [`Checksum::steps`](super::Checksum::steps).
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> {
        let mut running = 0_u32;
        self.words().map(move |(origin, word)| {
            // At most 32,768 words and 20 of a pseudo-header: below 2^31.
            running += u32::from(word);
            Step { origin, word, running }
        })
    }
}
