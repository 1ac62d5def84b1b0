//! Virtio 1.2 §5.1.6: the header that `PACKET_VNET_HDR` and `IFF_VNET_HDR` put before each frame (`struct virtio_net_hdr`, legacy, native order).

use core::num::NonZeroU16;

use crate::frame::{Checksum, StartsWith, Transmit, TransmitChecksum};

/// What the kernel says of a received frame, and what it is to do with one that is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VirtioHeader {
    flags: u8,
    segmentation: u8,
    header_len: u16,
    segment_size: u16,
    checksum_start: u16,
    checksum_offset: u16,
}

const NEEDS_CHECKSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const TCP_V4: u8 = 1;
const TCP_V6: u8 = 4;
const UDP_L4: u8 = 5;

/// Where an Ethernet header says what follows, and how long it is; the IP header is behind it.
const ETHER_TYPE_AT: usize = 12;
const ETHERNET_LEN: usize = 14;

impl VirtioHeader {
    pub(crate) const LEN: usize = 10;

    /// The header of a frame that is sent and begins so; `None` for a super-segment that is neither TCP nor UDP over IP, or
    /// whose checksum is not left to the kernel (each cut needs its own).
    pub(crate) fn of(transmit: &Transmit<'_>, starts_with: StartsWith) -> Option<Self> {
        let mut header = Self::default();
        if let TransmitChecksum::Partial { start, offset } = transmit.checksum {
            header.flags = NEEDS_CHECKSUM;
            header.checksum_start = start;
            header.checksum_offset = offset;
        }
        if let Some(segment_size) = transmit.segment_size {
            if header.flags == 0 {
                return None;
            }
            header.segmentation = match starts_with {
                StartsWith::Ip => segmentation(transmit.header)?,
                _ => behind_ethernet(transmit.header)?,
            };
            header.segment_size = segment_size.get();
            header.header_len = u16::try_from(transmit.header.len()).ok()?;
        }
        Some(header)
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let [a, b] = self.header_len.to_ne_bytes();
        let [c, d] = self.segment_size.to_ne_bytes();
        let [e, f] = self.checksum_start.to_ne_bytes();
        let [g, h] = self.checksum_offset.to_ne_bytes();
        [self.flags, self.segmentation, a, b, c, d, e, f, g, h]
    }

    pub(crate) const fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let [flags, segmentation, a, b, c, d, e, f, g, h] = *bytes;
        Self {
            flags,
            segmentation,
            header_len: u16::from_ne_bytes([a, b]),
            segment_size: u16::from_ne_bytes([c, d]),
            checksum_start: u16::from_ne_bytes([e, f]),
            checksum_offset: u16::from_ne_bytes([g, h]),
        }
    }

    /// What it says of the checksum.
    pub(crate) const fn checksum(self) -> Checksum {
        if self.flags & NEEDS_CHECKSUM != 0 {
            Checksum::Partial
        } else if self.flags & DATA_VALID != 0 {
            Checksum::Verified
        } else {
            Checksum::ToCheck
        }
    }

    /// The size of the segments that were joined; `None` for a single one.
    pub(crate) const fn segment_size(self) -> Option<NonZeroU16> {
        if self.segmentation == 0 { None } else { NonZeroU16::new(self.segment_size) }
    }
}

/// The kind of segmentation for an Ethernet header with IP behind it.
fn behind_ethernet(header: &[u8]) -> Option<u8> {
    match u16::from_be_bytes([*header.get(ETHER_TYPE_AT)?, *header.get(ETHER_TYPE_AT + 1)?]) {
        0x0800 | 0x86dd => segmentation(header.get(ETHERNET_LEN..)?),
        _ => None,
    }
}

/// The kind of segmentation for an IP header with TCP or UDP behind it.
fn segmentation(packet: &[u8]) -> Option<u8> {
    let (protocol, tcp) = match packet.first()? >> 4 {
        4 => (*packet.get(9)?, TCP_V4),
        6 => (*packet.get(6)?, TCP_V6),
        _ => return None,
    };
    match protocol {
        6 => Some(tcp),
        17 => Some(UDP_L4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back() {
        let mut frame = [0; 54];
        frame[12] = 8;
        frame[14] = 0x45;
        frame[23] = 6;
        let transmit = Transmit {
            segment_size: NonZeroU16::new(1448),
            checksum: TransmitChecksum::Partial { start: 34, offset: 16 },
            slices: &[&[0; 3000]],
            header: &frame,
        };
        let header = VirtioHeader::of(&transmit, StartsWith::Ethernet).unwrap();
        assert_eq!(VirtioHeader::from_bytes(&header.to_bytes()), header);
        assert_eq!((header.checksum(), header.segment_size()), (Checksum::Partial, NonZeroU16::new(1448)));
        assert_eq!((header.segmentation, header.header_len), (TCP_V4, 54));
        let packet = Transmit { header: &transmit.header[14..], ..transmit };
        let header = VirtioHeader::of(&packet, StartsWith::Ip).unwrap();
        assert_eq!((header.segmentation, header.header_len), (TCP_V4, 40));
    }

    #[test]
    fn a_super_segment_of_anything_else_is_refused() {
        let mut other = [0; 54];
        other[12] = 8;
        other[14] = 0x45;
        let mut tcp = other;
        tcp[23] = 6;
        let partial = TransmitChecksum::Partial { start: 34, offset: 16 };
        let header = |frame, checksum| {
            let transmit = Transmit { segment_size: NonZeroU16::new(100), checksum, slices: &[], header: frame };
            VirtioHeader::of(&transmit, StartsWith::Ethernet)
        };
        assert_eq!(header(&other, partial), None, "protocol 0");
        assert!(header(&tcp, partial).is_some());
        assert_eq!(header(&tcp, TransmitChecksum::Done), None, "no checksum for each cut");
        assert_eq!(header(&tcp[..13], partial), None, "no Ethernet header");
    }
}
