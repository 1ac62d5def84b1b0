//! The classic pcap format, read: a 24-byte header, then packets with 16 bytes in front of each.

use std::io::Read;

use pcap_file::pcap::{PcapParseError, PcapParser, PcapTsResolution};
use wirewright_units::UnixTime;

use crate::input::Input;
use crate::reader::{malformed, need};
use crate::{CaptureError, Fault, Frame, Interface, LinkType, Part};

/// Length of the file header in bytes.
const HEADER_LEN: usize = 24;
/// Length of the header before each packet in bytes.
const PACKET_HEADER_LEN: usize = 16;

pub(crate) struct PcapFrames {
    parser: PcapParser,
    interfaces: [Interface; 1],
    nanos_a_unit: u64,
}

impl PcapFrames {
    pub(crate) fn new<R: Read>(input: &mut Input<R>) -> Result<Self, CaptureError> {
        need(input, Part::FileHeader, HEADER_LEN)?;
        let (_, parser) =
            PcapParser::new(input.filled()).map_err(|_| malformed(Part::FileHeader, 0, Fault::SectionHeader, false))?;
        input.consume(HEADER_LEN);
        let header = parser.header();
        // The upper half of the field tells of frame check sequences; the lower is the link type.
        let link_type = LinkType((u32::from(header.datalink) & 0xffff) as u16);
        let interface = Interface { snap_len: header.snaplen, ..Interface::new("", link_type) };
        let nanos_a_unit = if header.ts_resolution == PcapTsResolution::NanoSecond { 1 } else { 1_000 };
        Ok(Self { parser, interfaces: [interface], nanos_a_unit })
    }

    pub(crate) fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Reads a packet. The header's snapshot length is not enforced: programs that set it to 0 or append to a file do not
    /// keep to it, and our own limit bounds the size.
    pub(crate) fn next_into<R: Read>(
        &self,
        input: &mut Input<R>,
        packets: u64,
        frame: &mut Frame,
    ) -> Result<bool, CaptureError> {
        if !input.want(1) {
            return Ok(false);
        }
        let part = Part::Packet(packets + 1);
        need(input, part, PACKET_HEADER_LEN)?;
        if let Err(PcapParseError::IncompleteBuffer(data_len, _)) = self.parser.next_raw_packet(input.filled()) {
            need(input, part, data_len.saturating_add(PACKET_HEADER_LEN))?;
        }
        let offset = input.offset();
        let (_, packet) =
            self.parser.next_raw_packet(input.filled()).map_err(|_| malformed(part, offset, Fault::Content, false))?;
        let nanos = u64::from(packet.ts_frac) * self.nanos_a_unit;
        frame.interface = 0;
        frame.wall = UnixTime::from_nanos(u64::from(packet.ts_sec) * 1_000_000_000 + nanos);
        frame.original_len = packet.orig_len.max(packet.incl_len);
        frame.bytes.clear();
        frame.bytes.extend_from_slice(&packet.data);
        frame.comments.clear();
        frame.direction = None;
        let len = PACKET_HEADER_LEN + packet.data.len();
        input.consume(len);
        Ok(true)
    }
}
