//! RFC 9293 §3.1: a segment as it arrives, read once and validated.

use wirewright_wire::tcp::{self, Flags};
use wirewright_wire::{ParseError, SeqLen, SeqNum, WindowField};

use crate::Options;

/// The ports of a connection, seen from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ports {
    /// Ours.
    pub local: u16,
    /// The peer's.
    pub remote: u16,
}

/// What the layer below knows about a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct IpMeta {
    /// The ECN field, two bits (RFC 3168).
    pub ecn: u8,
    /// The differentiated services code point, six bits.
    pub dscp: u8,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// For a super-segment, coalesced by the receiver's side: the text of each of the segments it was made of, but
    /// perhaps the last.
    pub segment_size: Option<u16>,
}

/// A segment that arrived: the fields as the RFC dots them, `seg.seq`, `seg.ack`, `seg.wnd`, `seg.up`.
///
/// The text may be a super-segment: consecutive segments joined on their way (up to 64 KiB), never split again.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// The ports, seen from the receiver.
    pub ports: Ports,
    /// SEG.SEQ: the number of the first octet, or of the SYN.
    pub seq: SeqNum,
    /// SEG.ACK: what the sender expects next; means nothing without ACK.
    pub ack: SeqNum,
    /// The control bits.
    pub flags: Flags,
    /// SEG.WND, not scaled yet.
    pub wnd: WindowField,
    /// SEG.UP: the urgent pointer, an offset from SEG.SEQ; means nothing without URG.
    pub up: u16,
    /// The options.
    pub options: Options,
    /// The data.
    pub text: &'a [u8],
    /// What the layer below knows.
    pub meta: IpMeta,
}

impl<'a> Segment<'a> {
    /// Reads a segment from the payload of an IP packet. The checksum is the caller's to verify: it covers addresses.
    ///
    /// # Errors
    /// When the bytes end in the header, or the data offset is below 5 or points beyond the bytes.
    pub fn parse(bytes: &'a [u8], meta: IpMeta) -> Result<Self, ParseError> {
        let read = tcp::parse(bytes)?;
        let header = read.header;
        Ok(Self {
            ports: Ports { local: header.destination_port(), remote: header.source_port() },
            seq: header.sequence(),
            ack: header.acknowledgment(),
            flags: header.flags(),
            wnd: header.window(),
            up: header.urgent(),
            options: Options::parse(read.options),
            text: read.payload,
            meta,
        })
    }

    /// SEG.LEN: the text, and one each for SYN and FIN.
    #[must_use]
    pub fn len(&self) -> SeqLen {
        let controls = u32::from(self.flags.syn()) + u32::from(self.flags.fin());
        // An IP packet holds fewer than 2¹⁶ bytes, a super-segment not many more.
        SeqLen::new(u32::try_from(self.text.len()).unwrap_or(u32::MAX).saturating_add(controls))
    }

    /// Whether it takes no sequence space.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == SeqLen::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: [u8; 24] = [
        0x9c, 0x40, 0x00, 0x50, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 0x60, 0x02, 0xfa, 0xf0, 0xab, 0xcd, 0, 7, 2, 4, 5,
        0xb4,
    ];

    #[test]
    fn every_field_is_read() {
        let seg = Segment::parse(&SYN, IpMeta::default()).unwrap();
        assert_eq!(seg.ports, Ports { local: 80, remote: 40_000 });
        assert_eq!((seg.seq, seg.ack), (SeqNum::new(0x1234_5678), SeqNum::new(0)));
        assert_eq!((seg.flags, seg.wnd.to_raw(), seg.up), (Flags::SYN, 64_240, 7));
        assert_eq!((seg.options.mss, seg.text.len(), seg.len()), (Some(1460), 0, SeqLen::ONE));
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        for end in 0..SYN.len() {
            assert!(Segment::parse(&SYN[..end], IpMeta::default()).is_err(), "{end}");
        }
    }

    #[test]
    fn a_data_offset_below_five_words_is_refused() {
        let mut bytes = SYN;
        bytes[12] = 0x40;
        let error = Segment::parse(&bytes, IpMeta::default()).unwrap_err();
        assert_eq!((error.offset, error.need, error.have), (12, 5, 4));
    }
}
