//! pcapng, read: blocks, of which section headers and interface descriptions change the state and three kinds hold packets.

use std::io::Read;
use std::time::Duration;

use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::packet::{PacketBlock, PacketOption};
use pcap_file::pcapng::blocks::{
    Block, ENHANCED_PACKET_BLOCK, INTERFACE_DESCRIPTION_BLOCK, PACKET_BLOCK, SECTION_HEADER_BLOCK, SIMPLE_PACKET_BLOCK,
};
use pcap_file::pcapng::{
    BlockContentParseError, BlockConversionError, ContentValidationError, PcapNgParseError, PcapNgParser,
};
use wirewright_units::UnixTime;

use crate::input::Input;
use crate::reader::{malformed, need};
use crate::{CaptureError, Direction, Fault, Frame, INTERFACE_BYTES_MAX, INTERFACES_MAX, Interface, LinkType, Part};

/// The least length of a block: type, length, length again.
const BLOCK_LEN_MIN: usize = 12;

pub(crate) struct PcapngFrames {
    parser: PcapNgParser,
    /// Those of all sections, one after the other; `section_start` is where the current section's begin.
    interfaces: Vec<Interface>,
    section_start: usize,
}

/// What a block turned out to be.
enum Step {
    Frame,
    Other,
}

impl PcapngFrames {
    pub(crate) fn new<R: Read>(input: &mut Input<R>) -> Result<Self, CaptureError> {
        loop {
            match PcapNgParser::new(input.filled()) {
                Ok((rest, parser)) => {
                    let len = input.filled().len() - rest.len();
                    input.consume(len);
                    return Ok(Self { parser, interfaces: Vec::new(), section_start: 0 });
                }
                Err(PcapNgParseError::IncompleteBuffer(..)) => fill(input, Part::FileHeader, true)?,
                Err(_) => return Err(malformed(Part::FileHeader, 0, Fault::SectionHeader, false)),
            }
        }
    }

    pub(crate) fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    pub(crate) fn next_into<R: Read>(
        &mut self,
        input: &mut Input<R>,
        packets: u64,
        frame: &mut Frame,
    ) -> Result<bool, CaptureError> {
        loop {
            if !input.want(1) {
                return Ok(false);
            }
            if let Step::Frame = self.next_block(input, packets, frame)? {
                return Ok(true);
            }
        }
    }

    fn next_block<R: Read>(
        &mut self,
        input: &mut Input<R>,
        packets: u64,
        frame: &mut Frame,
    ) -> Result<Step, CaptureError> {
        let offset = input.offset();
        let unread = Part::BlockBehind(packets);
        // The parser is asked once for each block: interface descriptions change its state.
        fill(input, unread, self.parser.section().endianness.is_big())?;
        self.judge_size(input, offset)?;
        let before = self.parser.interfaces().len();
        let (rest, raw) = self.parser.next_raw_block(input.filled()).map_err(|error| framing(error, unread, offset))?;
        let len = input.filled().len() - rest.len();
        let step = match raw.type_ {
            ENHANCED_PACKET_BLOCK | PACKET_BLOCK | SIMPLE_PACKET_BLOCK => {
                let part = Part::Packet(packets + 1);
                match raw.try_into_block(self.parser.state()) {
                    Ok(block) => self.packet(&block, frame, part, offset).map(|()| Step::Frame),
                    Err(error) => Err(malformed(part, offset, content_fault(&error), true)),
                }
            }
            SECTION_HEADER_BLOCK => {
                self.section_start = self.interfaces.len();
                Ok(Step::Other)
            }
            INTERFACE_DESCRIPTION_BLOCK => {
                self.interfaces.extend(self.parser.interfaces()[before..].iter().map(interface));
                let part = Part::Block(INTERFACE_DESCRIPTION_BLOCK);
                match self.interfaces.len() {
                    ..=INTERFACES_MAX => Ok(Step::Other),
                    _ => Err(malformed(part, offset, Fault::TooManyInterfaces, false)),
                }
            }
            _ => Ok(Step::Other),
        };
        input.consume(len);
        step
    }

    /// Interface descriptions are kept, so that they may be less long than what is read and forgotten.
    fn judge_size<R: Read>(&self, input: &Input<R>, offset: u64) -> Result<(), CaptureError> {
        let [kind, len] = self.head(input.filled());
        let size = u64::from(len);
        if kind == INTERFACE_DESCRIPTION_BLOCK && size > INTERFACE_BYTES_MAX as u64 {
            return Err(CaptureError::TooLarge { part: Part::Block(kind), offset, size });
        }
        Ok(())
    }

    /// Type and length of the block that the bytes begin with; at least eight are there.
    fn head(&self, bytes: &[u8]) -> [u32; 2] {
        let big_endian = self.parser.section().endianness.is_big();
        [0, 4].map(|at| {
            let field = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            if big_endian { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) }
        })
    }

    /// Fills a frame from a packet block.
    fn packet(&self, block: &Block<'_>, frame: &mut Frame, part: Part, offset: u64) -> Result<(), CaptureError> {
        frame.comments.clear();
        frame.direction = None;
        frame.bytes.clear();
        let (interface, time) = match block {
            Block::EnhancedPacket(packet) => {
                enhanced(packet, frame);
                (packet.interface_id as usize, packet.timestamp)
            }
            Block::Packet(packet) => {
                obsolete(packet, frame);
                (usize::from(packet.interface_id), packet.timestamp)
            }
            Block::SimplePacket(packet) => {
                frame.bytes.extend_from_slice(&packet.data);
                frame.original_len = packet.original_len;
                (0, Duration::ZERO)
            }
            _ => return Err(malformed(part, offset, Fault::Content, true)),
        };
        frame.interface = self.section_start + interface;
        if frame.interface >= self.interfaces.len() {
            return Err(malformed(part, offset, Fault::UnknownInterface, true));
        }
        let nanos = u64::try_from(time.as_nanos()).map_err(|_| malformed(part, offset, Fault::Time, true))?;
        frame.wall = UnixTime::from_nanos(nanos);
        Ok(())
    }
}

/// Fills the input to the end of the block that it begins with. The block's own length is read here, because only the
/// first eight bytes of it are sure to be there.
fn fill<R: Read>(input: &mut Input<R>, part: Part, big_endian: bool) -> Result<(), CaptureError> {
    need(input, part, BLOCK_LEN_MIN)?;
    let bytes = input.filled();
    // A section header brings its own byte order, told by the mark behind its length.
    let is_section = bytes[..4] == SECTION_HEADER_BLOCK.to_be_bytes();
    let big_endian = if is_section { bytes[8..12] == [0x1a, 0x2b, 0x3c, 0x4d] } else { big_endian };
    let field = [bytes[4], bytes[5], bytes[6], bytes[7]];
    let len = if big_endian { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) };
    need(input, part, (len as usize).max(BLOCK_LEN_MIN))
}

fn enhanced(packet: &EnhancedPacketBlock<'_>, frame: &mut Frame) {
    frame.bytes.extend_from_slice(&packet.data);
    frame.original_len = packet.original_len;
    for option in &packet.options {
        match option {
            EnhancedPacketOption::Flags(flags) => frame.direction = direction(*flags),
            EnhancedPacketOption::Common(CommonOption::Comment(comment)) => frame.comments.push(comment.to_string()),
            _ => {}
        }
    }
}

fn obsolete(packet: &PacketBlock<'_>, frame: &mut Frame) {
    frame.bytes.extend_from_slice(&packet.data);
    frame.original_len = packet.original_len;
    for option in &packet.options {
        match option {
            PacketOption::Flags(flags) => frame.direction = direction(*flags),
            PacketOption::Common(CommonOption::Comment(comment)) => frame.comments.push(comment.to_string()),
            _ => {}
        }
    }
}

/// The two lowest bits of `epb_flags`.
const fn direction(flags: u32) -> Option<Direction> {
    match flags & 3 {
        1 => Some(Direction::In),
        2 => Some(Direction::Out),
        _ => None,
    }
}

fn interface(block: &InterfaceDescriptionBlock<'_>) -> Interface {
    let link_type = LinkType((u32::from(block.linktype) & 0xffff) as u16);
    let mut interface = Interface { snap_len: block.snaplen, ..Interface::new("", link_type) };
    for option in &block.options {
        match option {
            InterfaceDescriptionOption::IfName(name) => interface.name = name.to_string(),
            InterfaceDescriptionOption::IfDescription(text) => interface.description = text.to_string(),
            _ => {}
        }
    }
    interface
}

/// Why a block could not be cut out of the bytes: its end is not known, so reading cannot go on.
fn framing(error: PcapNgParseError, part: Part, offset: u64) -> CaptureError {
    let fault = match error {
        PcapNgParseError::InvalidFormat(_) | PcapNgParseError::IncompleteBuffer(..) => Fault::BlockLength,
        PcapNgParseError::StateUpdate(_) => Fault::InterfaceDescription,
        PcapNgParseError::BlockConversion(error) => content_fault(&error),
    };
    malformed(part, offset, fault, false)
}

fn content_fault(error: &BlockConversionError) -> Fault {
    match &*error.source {
        BlockContentParseError::BlockContentTooSmall { .. } => Fault::CapturedLength,
        BlockContentParseError::Option(_) => Fault::Option,
        BlockContentParseError::Validation(error) => match error {
            ContentValidationError::NoInterface | ContentValidationError::InvalidInterfaceId(_) => {
                Fault::UnknownInterface
            }
            ContentValidationError::FailedToDecodeTimestamp { .. } => Fault::Time,
            ContentValidationError::InvalidOriginalLen(..) | ContentValidationError::InvalidCapturedLen { .. } => {
                Fault::CapturedLength
            }
            _ => Fault::Content,
        },
    }
}
