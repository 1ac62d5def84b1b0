//! Link types: what the first byte of a captured frame is (<https://www.tcpdump.org/linktypes.html>).

use crate::Direction;

/// The link type of an interface, by its number in capture files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

/// What stands behind the capture program's own header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Begins {
    /// An Ethernet header.
    Ethernet,
    /// An IP header; its version says which.
    Ip,
    /// The protocol with this EtherType, without an Ethernet header.
    EtherType(u16),
}

impl LinkType {
    /// BSD loopback: four bytes with an address family in the capturing host's order, then IP.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// IP without a link layer.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: as [`NULL`](Self::NULL), in network order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture, as on the `any` interface: 16 bytes, then the protocol that they name.
    pub const LINUX_SLL: Self = Self(113);
    /// IPv4 without a link layer.
    pub const IPV4: Self = Self(228);
    /// IPv6 without a link layer.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture, version 2: 20 bytes.
    pub const LINUX_SLL2: Self = Self(276);

    /// The numbers that operating systems use for [`RAW`](Self::RAW) inside and that some programs wrote into files.
    const RAW_ALIASES: [u16; 2] = [12, 14];

    /// What people call it, if it is one of those that can be read here.
    #[must_use]
    pub const fn title(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "BSD loopback",
            1 => "Ethernet",
            12 | 14 | 101 => "raw IP",
            108 => "OpenBSD loopback",
            113 => "Linux cooked",
            228 => "raw IPv4",
            229 => "raw IPv6",
            276 => "Linux cooked v2",
            _ => return None,
        })
    }

    /// What a frame holds, and at which byte; `None` for link types that are not read here and for frames that end
    /// before it.
    #[must_use]
    pub fn begins(self, frame: &[u8]) -> Option<(Begins, usize)> {
        let (begins, skip) = match self {
            Self::ETHERNET => (Begins::Ethernet, 0),
            Self::RAW | Self::IPV4 | Self::IPV6 => (Begins::Ip, 0),
            Self(number) if Self::RAW_ALIASES.contains(&number) => (Begins::Ip, 0),
            Self::NULL | Self::LOOP => (Begins::Ip, 4),
            Self::LINUX_SLL => (Self::ether_type(frame.get(14..16)?), 16),
            Self::LINUX_SLL2 => (Self::ether_type(frame.get(0..2)?), 20),
            _ => return None,
        };
        (skip <= frame.len()).then_some((begins, skip))
    }

    /// The direction that a cooked header tells.
    pub(crate) fn direction(self, frame: &[u8]) -> Option<Direction> {
        /// `PACKET_OUTGOING` of packet(7); 0 to 3 are kinds of incoming frames.
        const OUTGOING: u16 = 4;
        let kind = match self {
            Self::LINUX_SLL => u16::from_be_bytes([*frame.first()?, *frame.get(1)?]),
            Self::LINUX_SLL2 => u16::from(*frame.get(10)?),
            _ => return None,
        };
        match kind {
            0..OUTGOING => Some(Direction::In),
            OUTGOING => Some(Direction::Out),
            _ => None,
        }
    }

    const fn ether_type(field: &[u8]) -> Begins {
        match [field[0], field[1]] {
            [0x08, 0x00] | [0x86, 0xdd] => Begins::Ip,
            other => Begins::EtherType(u16::from_be_bytes(other)),
        }
    }
}

impl std::fmt::Debug for LinkType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.title() {
            Some(title) => write!(f, "{} ({title})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_type_says_what_its_frames_begin_with() {
        let mut sll = [0; 36];
        (sll[1], sll[14], sll[15]) = (4, 0x86, 0xdd);
        assert_eq!(LinkType::LINUX_SLL.begins(&sll), Some((Begins::Ip, 16)));
        assert_eq!(LinkType::LINUX_SLL.direction(&sll), Some(Direction::Out));
        let mut sll2 = [0; 40];
        (sll2[0], sll2[1]) = (0x08, 0x06);
        assert_eq!(LinkType::LINUX_SLL2.begins(&sll2), Some((Begins::EtherType(0x0806), 20)));
        assert_eq!(LinkType::LINUX_SLL2.direction(&sll2), Some(Direction::In));
        assert_eq!(LinkType::NULL.begins(&[2, 0, 0, 0, 0x45]), Some((Begins::Ip, 4)));
        assert_eq!(LinkType(12).begins(&[0x45]), Some((Begins::Ip, 0)));
        assert_eq!(LinkType::ETHERNET.begins(&[]), Some((Begins::Ethernet, 0)));
    }

    #[test]
    fn a_frame_shorter_than_its_cooked_header_begins_with_nothing() {
        assert_eq!(LinkType::LINUX_SLL.begins(&[0; 15]), None);
        assert_eq!(LinkType::LINUX_SLL2.begins(&[0; 19]), None);
        assert_eq!(LinkType::LOOP.begins(&[0; 3]), None);
        assert_eq!(LinkType(105).begins(&[0; 99]), None);
    }
}
