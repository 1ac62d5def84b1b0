//! RFC 9293 §3.1 and RFC 9768: the nine control bits.

use core::fmt;
use core::ops::{BitAnd, BitOr, BitOrAssign, Not};

use crate::{Field, Kind, Name};

/// The control bits of a TCP header, from FIN in bit 0 to AE in bit 8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);
    /// No more data from the sender.
    pub const FIN: Self = Self(1);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(1 << 1);
    /// Reset the connection.
    pub const RST: Self = Self(1 << 2);
    /// Push the data to the reader.
    pub const PSH: Self = Self(1 << 3);
    /// The acknowledgment number counts.
    pub const ACK: Self = Self(1 << 4);
    /// The urgent pointer counts.
    pub const URG: Self = Self(1 << 5);
    /// ECN echo (RFC 3168).
    pub const ECE: Self = Self(1 << 6);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Self = Self(1 << 7);
    /// Accurate ECN (RFC 9768).
    pub const AE: Self = Self(1 << 8);
    /// All nine.
    pub const ALL: Self = Self(0x1ff);

    /// The flags in the low nine bits; higher ones are dropped.
    #[must_use]
    pub const fn new(raw: u16) -> Self {
        Self(raw & Self::ALL.0)
    }

    /// The nine bits.
    #[must_use]
    pub const fn to_raw(self) -> u16 {
        self.0
    }

    /// All of `flags` are set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Any of `flags` is set.
    #[must_use]
    pub const fn intersects(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// These and those; what `|` does, in constants.
    #[must_use]
    pub const fn union(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }

    /// SYN is set.
    #[must_use]
    pub const fn syn(self) -> bool {
        self.contains(Self::SYN)
    }

    /// ACK is set.
    #[must_use]
    pub const fn ack(self) -> bool {
        self.contains(Self::ACK)
    }

    /// FIN is set.
    #[must_use]
    pub const fn fin(self) -> bool {
        self.contains(Self::FIN)
    }

    /// RST is set.
    #[must_use]
    pub const fn rst(self) -> bool {
        self.contains(Self::RST)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, rhs: Self) -> Self {
        self.union(rhs)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, rhs: Self) {
        *self = self.union(rhs);
    }
}

impl BitAnd for Flags {
    type Output = Self;
    fn bitand(self, rhs: Self) -> Self {
        Self(self.0 & rhs.0)
    }
}

impl Not for Flags {
    type Output = Self;
    fn not(self) -> Self {
        Self::ALL.without(self)
    }
}

impl Field for Flags {
    const KIND: Kind = Kind::Flags;
    #[inline(always)]
    fn load<const N: usize>(header: &[u8; N], offset: usize, bits: usize) -> Self {
        Self::new(u16::load(header, offset, bits))
    }
    #[inline(always)]
    fn store<const N: usize>(self, header: &mut [u8; N], offset: usize, bits: usize) {
        self.0.store(header, offset, bits);
    }
}

/// The letters of the packet language in the order in which they are written, `S` before `A`; `none` without any.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("none");
        }
        for letter in LETTERS {
            if u64::from(self.0) & letter.value != 0 {
                f.write_str(letter.word)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The letters of the packet language, from the lowest bit.
pub static LETTERS: &[Name] = &[
    Name::new(1, "F", "FIN").also(&["fin"]),
    Name::new(1 << 1, "S", "SYN").also(&["syn"]),
    Name::new(1 << 2, "R", "RST").also(&["rst", "reset"]),
    Name::new(1 << 3, "P", "PSH").also(&["psh", "push"]),
    Name::new(1 << 4, "A", "ACK").also(&["ack"]),
    Name::new(1 << 5, "U", "URG").also(&["urg", "urgent"]),
    Name::new(1 << 6, "E", "ECE").also(&["ece", "ecn_echo", "ecn"]),
    Name::new(1 << 7, "W", "CWR").also(&["cwr", "c"]),
    Name::new(1 << 8, "e", "AE").also(&["ae", "ns", "n", "nonce"]),
];
