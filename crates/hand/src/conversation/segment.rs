//! One TCP segment of the conversation, read from an IP packet.

use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::tcp::{self, Flags, TcpOption, Timestamps};
use wirewright_wire::{SeqLen, SeqNum, WindowField, WindowScale, checksum, ipv4, ipv6, next};

/// One end of a segment: address and port.
pub type End = (IpAddr, u16);

/// A TCP segment with its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it comes from.
    pub source: End,
    /// Where it goes to.
    pub destination: End,
    /// Its control bits.
    pub flags: Flags,
    /// SEG.SEQ.
    pub seq: SeqNum,
    /// SEG.ACK, as it stands there; it counts with ACK only.
    pub ack: SeqNum,
    /// SEG.WND, not scaled.
    pub window: WindowField,
    /// The option area.
    pub options: Vec<u8>,
    /// The data.
    pub data: Vec<u8>,
    /// The checksum is right, or the one that a kernel leaves for a card to finish.
    pub sum_is_right: bool,
}

impl Segment {
    /// Reads the TCP segment of an IP packet. `None`: it carries none, or its header is cut.
    #[must_use]
    pub fn read(packet: &[u8]) -> Option<Self> {
        let (source, destination, upper) = upper(packet)?;
        let segment = tcp::parse(upper).ok()?;
        let header = segment.header;
        Some(Self {
            source: (source, header.source_port()),
            destination: (destination, header.destination_port()),
            flags: header.flags(),
            seq: header.sequence(),
            ack: header.acknowledgment(),
            window: header.window(),
            options: segment.options.to_vec(),
            data: segment.payload.to_vec(),
            sum_is_right: sum_is_right(source, destination, upper),
        })
    }

    /// SEG.LEN: its data, and one each for SYN and FIN.
    #[must_use]
    pub fn len(&self) -> SeqLen {
        let data = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        SeqLen::new(data.saturating_add(u32::from(self.flags.syn()) + u32::from(self.flags.fin())))
    }

    /// It takes no sequence number: no data, no SYN, no FIN.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == SeqLen::ZERO
    }

    /// The sequence number behind it.
    #[must_use]
    pub fn end(&self) -> SeqNum {
        self.seq + self.len()
    }

    /// The sequence number of its FIN, or of what would follow its data.
    #[must_use]
    pub fn data_end(&self) -> SeqNum {
        let end = self.end();
        if self.flags.fin() { end - SeqLen::ONE } else { end }
    }

    /// The shift of its window scale option (RFC 7323 §2.3 takes more than 14 for 14).
    #[must_use]
    pub fn scale(&self) -> Option<WindowScale> {
        self.option(|option| match option {
            TcpOption::WindowScale(shift) => Some(WindowScale::clamped(shift)),
            _ => None,
        })
    }

    /// Its timestamps.
    #[must_use]
    pub fn timestamps(&self) -> Option<Timestamps> {
        self.option(|option| match option {
            TcpOption::Timestamps(stamps) => Some(stamps),
            _ => None,
        })
    }

    fn option<T>(&self, wanted: impl Fn(TcpOption<'_>) -> Option<T>) -> Option<T> {
        tcp::options(&self.options).filter_map(Result::ok).find_map(wanted)
    }
}

/// What stands behind the IP headers, if it is TCP and no later fragment.
fn upper(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    if packet.first()? >> 4 == 6 {
        let (header, payload) = ipv6::View::split(packet)?;
        let payload = payload.get(..usize::from(header.payload_length())).unwrap_or(payload);
        let upper = ipv6::ext::Extensions::new(header.next_header(), payload).upper().ok()?;
        let whole = upper.fragment.is_none_or(|fragment| fragment.offset == 0);
        let is_tcp = upper.protocol == next::protocol::TCP && whole;
        return is_tcp.then(|| (header.source().into(), header.destination().into(), upper.bytes));
    }
    let (header, _) = ipv4::View::split(packet)?;
    let len = usize::from(header.total_length()).min(packet.len());
    let upper = packet.get(usize::from(header.ihl()) * 4..len)?;
    let is_tcp = header.protocol() == next::protocol::TCP && header.fragment_offset() == 0;
    is_tcp.then(|| (header.source().into(), header.destination().into(), upper))
}

/// RFC 791 §3.1: the checksum of the IPv4 header is right; IPv6 has none.
pub(super) fn ip_sum_is_right(packet: &[u8]) -> bool {
    let header = packet.first().map_or(0, |first| usize::from(first & 15) * 4);
    packet.first().is_some_and(|first| first >> 4 != 4) || packet.get(..header).is_some_and(checksum::verify)
}

/// RFC 9293 §3.1: over pseudo-header, header and data. A kernel that leaves it to a card stores the folded pseudo-header,
/// which is what a raw socket hears of such a segment on a link without a card.
fn sum_is_right(source: IpAddr, destination: IpAddr, upper: &[u8]) -> bool {
    let length = u32::try_from(upper.len()).unwrap_or(u32::MAX);
    let pseudo = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            checksum::pseudo_v4(source, destination, next::protocol::TCP, length)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            checksum::pseudo_v6(source, destination, next::protocol::TCP, length)
        }
        _ => return false,
    };
    let stored = upper.get(16..18).map(|sum| u16::from_be_bytes([sum[0], sum[1]]));
    pseudo.add(upper).is_right() || stored == Some(pseudo.folded())
}
