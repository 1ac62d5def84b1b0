//! What crosses the link: [`Received`] upward, [`Transmit`] downward, and what each kind of link can do.

use core::num::NonZeroU16;

use wirewright_units::{ByteCount, Instant, UnixTime};

/// A frame or packet that came in. The bytes are in the buffer that the caller lent.
///
/// A super-segment (up to 64 KiB, after GRO or on veth and loopback) is one `Received`; it is never split here.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The bytes, from the header that `starts_with` names.
    pub bytes: &'a [u8],
    /// Its length on the wire; more than `bytes` holds where the buffer was too short.
    pub original_len: usize,
    /// What the bytes begin with.
    pub starts_with: StartsWith,
    /// Whether the first header is the one that arrived.
    pub header: HeaderOrigin,
    /// When it arrived, by the kernel's stamp; the moment of reading where there is none.
    pub at: Instant,
    /// The same by the wall clock.
    pub wall: UnixTime,
    /// What is known of the transport checksum.
    pub checksum: Checksum,
    /// The size of the segments that were joined into this one, where the kernel says so.
    pub segment_size: Option<NonZeroU16>,
    /// Which way it went.
    pub direction: Direction,
    /// The two ECN bits of the IP header, where it is IP.
    pub ecn: Option<u8>,
    /// The interface it came by, where known.
    pub interface: Option<u32>,
    /// A VLAN tag that the kernel took out of the frame: control information and EtherType.
    pub vlan: Option<(u16, u16)>,
}

/// Where an 802.1Q tag stands: behind the addresses.
const TAG_AT: usize = 12;

impl Received<'_> {
    /// The frame as it was on the wire: a VLAN tag that the kernel took out put back.
    #[must_use]
    pub fn on_the_wire(&self) -> Vec<u8> {
        self.vlan.map_or_else(|| self.bytes.to_vec(), |(control, kind)| with_vlan_tag(self.bytes, control, kind))
    }
}

/// An Ethernet frame with a VLAN tag that the kernel took out (`Received::vlan`) put back.
#[must_use]
pub(crate) fn with_vlan_tag(frame: &[u8], control: u16, kind: u16) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(TAG_AT.min(frame.len()));
    [addresses, &kind.to_be_bytes(), &control.to_be_bytes(), rest].concat()
}

/// The first header of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartsWith {
    /// An Ethernet header.
    Ethernet,
    /// An IPv4 or IPv6 header.
    Ip,
    /// Another link header, by its `ARPHRD_*` number.
    Other(u16),
}

/// Where the first header of a [`Received`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderOrigin {
    /// It arrived so.
    AsArrived,
    /// A raw IPv6 socket gives no header: it was rebuilt from control data, and extension headers are lost.
    Rebuilt,
}

/// What is known of a received frame's transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// Nothing: compute it.
    ToCheck,
    /// The kernel or the card found it right.
    Verified,
    /// The field holds the folded pseudo-header, uncomplemented; the frame never was on a wire where it could be damaged.
    Partial,
    /// One of the two: it is right, or it is partial. A raw IP socket cannot know which.
    MaybePartial,
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To this host, or past it.
    Incoming,
    /// From this host.
    Outgoing,
}

/// Something to send: one packet, or a super-segment that is cut into packets on the way down.
#[derive(Clone, Copy, Debug)]
pub struct Transmit<'a> {
    /// The headers, of the whole packet or of each cut (a template).
    pub header: &'a [u8],
    /// The payload, in order.
    pub slices: &'a [&'a [u8]],
    /// Cut the payload into packets of this many bytes; `None` for one packet.
    pub segment_size: Option<NonZeroU16>,
    /// Who computes the transport checksum.
    pub checksum: TransmitChecksum,
}

impl<'a> Transmit<'a> {
    /// A packet whose bytes leave as they are.
    #[must_use]
    pub const fn packet(bytes: &'a [u8]) -> Self {
        Self { header: bytes, slices: &[], segment_size: None, checksum: TransmitChecksum::Done }
    }

    /// The number of bytes in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.header.len() + self.slices.iter().map(|s| s.len()).sum::<usize>()
    }

    /// Whether there is no byte in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Who computes the transport checksum of a [`Transmit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransmitChecksum {
    /// It is in the bytes, right or wrong on purpose.
    Done,
    /// The link: the field holds the folded pseudo-header.
    Partial {
        /// Where the summed bytes begin.
        start: u16,
        /// Where the field is, counted from `start`.
        offset: u16,
    },
}

/// What a link can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The largest IP packet, in bytes.
    pub mtu: u32,
    /// It takes super-segments and cuts them.
    pub segmentation: bool,
    /// It completes partial checksums.
    pub checksum: bool,
    /// How many packets one call takes.
    pub batch: usize,
    /// How much may lie unread before it loses: the window offered must fit into it.
    pub receive_room: ByteCount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_goes_back_where_it_was() {
        let untagged = [&[1; 6][..], &[2; 6], &[0x08, 0x00], &[0x45]].concat();
        let tagged = [&[1; 6][..], &[2; 6], &[0x81, 0x00, 0x20, 0x05], &[0x08, 0x00], &[0x45]].concat();
        assert_eq!(with_vlan_tag(&untagged, 0x2005, 0x8100), tagged);
    }

    #[test]
    fn a_transmit_counts_header_and_slices() {
        let transmit = Transmit { slices: &[&[1, 2], &[], &[3]], ..Transmit::packet(&[0; 20]) };
        assert_eq!(transmit.len(), 23);
        assert!(Transmit::packet(&[]).is_empty());
    }
}
