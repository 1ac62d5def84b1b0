//! RFC 1071: the Internet checksum, its update (RFC 1624) and the pseudo-headers (RFC 9293 §3.1, RFC 8200 §8.1).
//!
//! ```
//! use core::net::Ipv4Addr;
//! use wirewright_wire::{checksum, next::protocol};
//!
//! // A checksum over several slices, the first of an odd length; and the same bytes in one piece.
//! let sum = checksum::Sum::new().add(&[0x45, 0x00, 0x01]).add(&[0xff]).finish();
//! assert_eq!(sum, checksum::of(&[0x45, 0x00, 0x01, 0xff]));
//!
//! // A UDP datagram of 8 bytes from 192.0.2.1 to 192.0.2.2.
//! let datagram = [0x30, 0x39, 0x00, 0x35, 0x00, 0x08, 0x00, 0x00];
//! let (from, to) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
//! let sum = checksum::pseudo_v4(from, to, protocol::UDP, 8).add(&datagram).finish();
//! assert_eq!(checksum::never_zero(sum), 0x4b6c);
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

/// A one's complement sum that grows slice by slice.
///
/// The slices may have any length: the sum knows whether it stands in the middle of a word. Adding is associative, so
/// parts that were summed apart are joined by [`combine`](Self::combine).
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a sum does nothing until it is finished"]
pub struct Sum {
    /// Words in the byte order of this machine (RFC 1071 §2 (B)), with end-around carries.
    total: u64,
    /// An odd number of bytes was added: the next byte is the right half of a word.
    odd: bool,
}

impl Sum {
    /// Nothing added yet.
    pub const fn new() -> Self {
        Self { total: 0, odd: false }
    }

    /// Adds the bytes of a slice.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "a builder's step; `+` would hide that order matters")]
    pub fn add(self, bytes: &[u8]) -> Self {
        self.combine(Self { total: sum_words(bytes), odd: bytes.len() % 2 == 1 })
    }

    /// Adds a 16-bit number as two bytes in network order.
    #[inline]
    pub fn add_u16(self, word: u16) -> Self {
        self.combine(Self { total: u64::from(word.to_be()), odd: false })
    }

    /// Adds a 32-bit number as four bytes in network order.
    #[inline]
    pub fn add_u32(self, word: u32) -> Self {
        self.combine(Self { total: u64::from(word.to_be()), odd: false })
    }

    /// Adds what was summed apart, as if its bytes followed here.
    #[inline]
    pub fn combine(self, behind: Self) -> Self {
        // Behind an odd number of bytes every byte sits in the other half of its word (RFC 1071 §2 (B)).
        let total = if self.odd { u64::from(fold(behind.total).swap_bytes()) } else { behind.total };
        Self { total: add_carry(self.total, total), odd: self.odd ^ behind.odd }
    }

    /// The sum itself, folded to 16 bits and not complemented.
    ///
    /// Of a pseudo-header alone this is the *partial checksum*, which the kernel leaves in the checksum field of a packet
    /// whose sum the card is to finish.
    #[inline]
    #[must_use]
    pub const fn folded(self) -> u16 {
        u16::from_be(fold(self.total))
    }

    /// The checksum: the complement of the folded sum, ready to be stored in network order.
    #[inline]
    #[must_use]
    pub const fn finish(self) -> u16 {
        !self.folded()
    }

    /// The bytes, their checksum field included, sum to -0: the checksum is right.
    #[inline]
    #[must_use]
    pub const fn is_right(self) -> bool {
        fold(self.total) == 0xffff
    }
}

/// The checksum of one slice.
#[inline]
#[must_use]
pub fn of(bytes: &[u8]) -> u16 {
    Sum::new().add(bytes).finish()
}

/// The bytes contain their right checksum.
///
/// Bytes that are all zero do not: their checksum would be 0xffff.
#[inline]
#[must_use]
pub fn verify(bytes: &[u8]) -> bool {
    Sum::new().add(bytes).is_right()
}

/// The checksum after a 16-bit word that it covers changed from `old` to `new` (RFC 1624 eqn. 3).
///
/// It equals the sum computed from scratch, but where all bytes become zero: then 0x0000 comes out instead of 0xffff, and
/// both verify. `old` and `new` are words at even places.
#[inline]
#[must_use]
pub const fn update(sum: u16, old: u16, new: u16) -> u16 {
    // HC' = ~(~HC + ~m + m'), and not HC + m + ~m', which gives -0 where +0 is right (RFC 1624 §3).
    let total = !sum as u32 + !old as u32 + new as u32;
    !fold_u32(total)
}

/// The checksum after a 32-bit value that it covers changed, an address for instance.
#[inline]
#[must_use]
pub const fn update_u32(sum: u16, old: u32, new: u32) -> u16 {
    let sum = update(sum, (old >> 16) as u16, (new >> 16) as u16);
    update(sum, old as u16, new as u16)
}

/// A UDP checksum as it is sent: a computed 0 as 0xffff, because 0 says that none was computed (RFC 768).
#[inline]
#[must_use]
pub const fn never_zero(sum: u16) -> u16 {
    if sum == 0 { 0xffff } else { sum }
}

/// The pseudo-header over IPv4 (RFC 9293 §3.1): addresses, protocol, and the length of header and data in bytes.
#[inline]
pub fn pseudo_v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, length: u32) -> Sum {
    Sum::new().add_u32(source.to_bits()).add_u32(destination.to_bits()).add_u16(u16::from(protocol)).add_u32(length)
}

/// The pseudo-header over IPv6 (RFC 8200 §8.1): addresses, the upper layer's length in bytes, and its protocol number.
#[inline]
pub fn pseudo_v6(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, length: u32) -> Sum {
    Sum::new().add(&source.octets()).add(&destination.octets()).add_u32(length).add_u16(u16::from(protocol))
}

/// Adds with end-around carry.
#[inline(always)]
const fn add_carry(a: u64, b: u64) -> u64 {
    let (sum, carry) = a.overflowing_add(b);
    // After a carry the sum is at most 2⁶⁴ - 2, so one more fits.
    sum.wrapping_add(carry as u64)
}

#[inline(always)]
const fn fold(total: u64) -> u16 {
    let half = (total >> 32) + (total & 0xffff_ffff);
    let quarter = (half >> 16) + (half & 0xffff);
    let sum = (quarter >> 16) + (quarter & 0xffff);
    ((sum >> 16) + (sum & 0xffff)) as u16
}

#[inline(always)]
const fn fold_u32(total: u32) -> u16 {
    let sum = (total >> 16) + (total & 0xffff);
    ((sum >> 16) + (sum & 0xffff)) as u16
}

/// The most bytes that are summed before their carries are folded back: an even number far below the 16 GiB at which
/// [`sum_blocks`] could overflow.
const PIECE_MAX: usize = 1 << 30;

/// The sum of a slice's words in this machine's order, its last odd byte padded with a zero on its right.
#[inline]
fn sum_words(bytes: &[u8]) -> u64 {
    if bytes.len() < SHORT_END {
        return sum_short(bytes);
    }
    if bytes.len() > PIECE_MAX { sum_pieces(bytes) } else { sum_piece(bytes) }
}

/// Slices shorter than this, bare headers mostly, are summed in steps of four bytes, which need no carries.
const SHORT_END: usize = 32;

#[inline]
fn sum_short(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut total = 0u64;
    for word in words {
        total = total.wrapping_add(u64::from(u32::from_ne_bytes(*word)));
    }
    total.wrapping_add(sum_tail(rest))
}

#[cold]
fn sum_pieces(bytes: &[u8]) -> u64 {
    bytes.chunks(PIECE_MAX).fold(0, |total, piece| add_carry(total, sum_piece(piece)))
}

#[inline]
fn sum_piece(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks();
    let mut total = if blocks.is_empty() { 0 } else { sum_blocks(blocks) };
    let (words, rest) = rest.as_chunks::<8>();
    for word in words {
        total = add_carry(total, u64::from_ne_bytes(*word));
    }
    add_carry(total, sum_tail(rest))
}

/// Sums that grow side by side, 8 bytes a step each.
const LANES: usize = 8;

/// The sum of whole blocks, which the compiler turns into vectors: halves of words in independent sums. Measured, it is
/// twice as fast as the best chain of carries. Nothing overflows: each addend has 32 bits, and 2³² addends fit.
#[inline]
fn sum_blocks(blocks: &[[u8; LANES * 8]]) -> u64 {
    let mut low = [0u64; LANES];
    let mut high = [0u64; LANES];
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for lane in 0..LANES {
            let word = u64::from_ne_bytes(words[lane]);
            low[lane] = low[lane].wrapping_add(word & 0xffff_ffff);
            high[lane] = high[lane].wrapping_add(word >> 32);
        }
    }
    let mut total = 0u64;
    for lane in 0..LANES {
        total = total.wrapping_add(low[lane]).wrapping_add(high[lane]);
    }
    total
}

/// The sum of the last 0 to 7 bytes.
#[inline(always)]
fn sum_tail(mut rest: &[u8]) -> u64 {
    let mut total = 0;
    if let Some((four, behind)) = rest.split_first_chunk::<4>() {
        total = u64::from(u32::from_ne_bytes(*four));
        rest = behind;
    }
    if let Some((two, behind)) = rest.split_first_chunk::<2>() {
        total += u64::from(u16::from_ne_bytes(*two));
        rest = behind;
    }
    if let Some(&last) = rest.first() {
        total += u64::from(u16::from_ne_bytes([last, 0]));
    }
    total
}

#[cfg(test)]
mod tests;
