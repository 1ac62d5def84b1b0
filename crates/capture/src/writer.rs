//! The writer: pcapng with interfaces, comments and directions, or classic pcap; to files and into live pipes.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapTsResolution, PcapWriteError, PcapWriter, RawPcapPacket};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{PcapNgWriteError, PcapNgWriter};
use pcap_file::{DataLink, Endianness};

use crate::{CaptureError, Direction, Fault, INTERFACES_MAX, Interface, LinkType, RECORD_BYTES_MAX, Record};

/// The most bytes of one comment; the option's length field has 16 bits, and padding must fit.
const OPTION_BYTES_MAX: usize = 65_532;

/// The most bytes of an interface's name and description each: both fit into what a reader takes.
const NAME_BYTES_MAX: usize = 4096;

/// What is kept free of [`RECORD_BYTES_MAX`] for headers and options, so that what is written can be read.
const ROOM_FOR_OPTIONS: usize = 1 << 20;

/// pcap's snapshot length: what libpcap takes for "no limit".
const SNAP_LEN: u32 = 262_144;

enum Sink<W: Write> {
    Pcap(PcapWriter<Counted<W>>),
    Pcapng(PcapNgWriter<Counted<W>>),
}

/// Writes a capture to any [`Write`], little-endian, with nanoseconds.
///
/// Writes are gathered; [`flush`](Self::flush) after each packet makes a live pipe (`| tshark -i -`), and
/// [`live`](Self::live) does so by itself. Dropping a writer flushes what is left but cannot tell of an error:
/// [`into_inner`](Self::into_inner) does.
pub struct Writer<W: Write> {
    sink: Sink<W>,
    interfaces: usize,
    live: bool,
}

impl<W: Write> Writer<W> {
    /// Begins a pcapng capture; `application` names who wrote it.
    ///
    /// # Errors
    /// When the sink cannot be written to.
    pub fn pcapng(sink: W, application: &str) -> Result<Self, CaptureError> {
        let section = SectionHeaderBlock {
            endianness: Endianness::Little,
            options: vec![SectionHeaderOption::UserApplication(Cow::Borrowed(clipped(application, NAME_BYTES_MAX)))],
            ..SectionHeaderBlock::default()
        };
        let writer = PcapNgWriter::with_section_header(Counted::new(sink), section).map_err(ng_error)?;
        Ok(Self { sink: Sink::Pcapng(writer), interfaces: 0, live: false })
    }

    /// Begins a classic pcap capture of frames with this link type. Its single interface has index 0.
    ///
    /// # Errors
    /// When the sink cannot be written to.
    pub fn pcap(sink: W, link_type: LinkType) -> Result<Self, CaptureError> {
        let header = PcapHeader {
            snaplen: SNAP_LEN,
            datalink: DataLink::from(u32::from(link_type.0)),
            ts_resolution: PcapTsResolution::NanoSecond,
            endianness: Endianness::Little,
            ..PcapHeader::default()
        };
        let writer = PcapWriter::with_header(Counted::new(sink), header).map_err(pcap_error)?;
        Ok(Self { sink: Sink::Pcap(writer), interfaces: 1, live: false })
    }

    /// Flushes after every record from now on.
    #[must_use]
    pub const fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Describes an interface; the index that records name it by.
    ///
    /// # Errors
    /// When the sink cannot be written to, the format holds a single interface, or there are too many.
    pub fn add_interface(&mut self, interface: &Interface) -> Result<usize, CaptureError> {
        let Sink::Pcapng(writer) = &mut self.sink else {
            return Err(CaptureError::Unwritable(Fault::OneInterfaceOnly));
        };
        if self.interfaces == INTERFACES_MAX {
            return Err(CaptureError::Unwritable(Fault::TooManyInterfaces));
        }
        let mut options = Vec::new();
        if !interface.name.is_empty() {
            options.push(InterfaceDescriptionOption::IfName(Cow::Borrowed(clipped(&interface.name, NAME_BYTES_MAX))));
        }
        if !interface.description.is_empty() {
            options.push(InterfaceDescriptionOption::IfDescription(Cow::Borrowed(clipped(
                &interface.description,
                NAME_BYTES_MAX,
            ))));
        }
        options.push(InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO));
        let linktype = DataLink::from(u32::from(interface.link_type.0));
        let block = InterfaceDescriptionBlock { linktype, snaplen: interface.snap_len, options };
        writer.write_pcapng_block(block).map_err(ng_error)?;
        self.interfaces += 1;
        self.flush_if_live()?;
        Ok(self.interfaces - 1)
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// When the sink cannot be written to, the interface was not added, the frame is larger than a reader takes, or its
    /// time does not fit the format (pcap ends in 2106).
    pub fn write(&mut self, record: &Record<'_>) -> Result<(), CaptureError> {
        if record.interface >= self.interfaces {
            return Err(CaptureError::Unwritable(Fault::UnknownInterface));
        }
        if record.bytes.len() > RECORD_BYTES_MAX - ROOM_FOR_OPTIONS {
            return Err(CaptureError::Unwritable(Fault::TooLong));
        }
        match &mut self.sink {
            Sink::Pcap(writer) => write_pcap(writer, record)?,
            Sink::Pcapng(writer) => write_pcapng(writer, record)?,
        }
        self.flush_if_live()
    }

    /// Hands everything written so far to the sink.
    ///
    /// # Errors
    /// When the sink cannot be written to.
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        let counted = match &mut self.sink {
            Sink::Pcap(writer) => return writer.flush().map_err(pcap_error),
            Sink::Pcapng(writer) => writer.get_mut(),
        };
        counted.flush().map_err(|error| CaptureError::Io { error, offset: counted.written })
    }

    /// Flushes and gives the sink back.
    ///
    /// # Errors
    /// When the sink cannot be written to.
    pub fn into_inner(mut self) -> Result<W, CaptureError> {
        self.flush()?;
        let counted = match self.sink {
            Sink::Pcap(writer) => writer.into_inner(),
            Sink::Pcapng(writer) => writer.into_inner(),
        };
        let offset = counted.written;
        counted.inner.into_inner().map_err(|error| CaptureError::Io { error: error.into_error(), offset })
    }

    fn flush_if_live(&mut self) -> Result<(), CaptureError> {
        if self.live { self.flush() } else { Ok(()) }
    }
}

impl<W: Write> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("interfaces", &self.interfaces).finish_non_exhaustive()
    }
}

fn write_pcap<W: Write>(writer: &mut PcapWriter<Counted<W>>, record: &Record<'_>) -> Result<(), CaptureError> {
    let seconds = u32::try_from(record.wall.secs()).map_err(|_| CaptureError::Unwritable(Fault::Time))?;
    let packet = RawPcapPacket {
        ts_sec: seconds,
        ts_frac: record.wall.subsec_nanos(),
        incl_len: u32::try_from(record.bytes.len()).map_err(|_| CaptureError::Unwritable(Fault::TooLong))?,
        orig_len: record.original_len(),
        data: Cow::Borrowed(record.bytes),
    };
    writer.write_raw_packet(&packet).map(|_| ()).map_err(pcap_error)
}

fn write_pcapng<W: Write>(writer: &mut PcapNgWriter<Counted<W>>, record: &Record<'_>) -> Result<(), CaptureError> {
    let mut options = Vec::new();
    let mut room = ROOM_FOR_OPTIONS / 2;
    for comment in &record.comments {
        let comment = clipped(comment, OPTION_BYTES_MAX);
        if comment.len() + 8 > room {
            return Err(CaptureError::Unwritable(Fault::TooLong));
        }
        room -= comment.len() + 8;
        options.push(EnhancedPacketOption::Common(CommonOption::Comment(Cow::Borrowed(comment))));
    }
    if let Some(direction) = record.direction {
        options.push(EnhancedPacketOption::Flags(match direction {
            Direction::In => 1,
            Direction::Out => 2,
        }));
    }
    let block = EnhancedPacketBlock {
        interface_id: u32::try_from(record.interface)
            .map_err(|_| CaptureError::Unwritable(Fault::TooManyInterfaces))?,
        timestamp: Duration::from_nanos(record.wall.as_nanos()),
        original_len: record.original_len(),
        data: Cow::Borrowed(record.bytes),
        options,
    };
    writer.write_pcapng_block(block).map(|_| ()).map_err(ng_error)
}

/// As much of a text as an option holds, cut between characters.
fn clipped(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn ng_error(error: PcapNgWriteError) -> CaptureError {
    match error {
        PcapNgWriteError::Io(error) => CaptureError::Io { error, offset: 0 },
        _ => CaptureError::Unwritable(Fault::Content),
    }
}

fn pcap_error(error: PcapWriteError) -> CaptureError {
    match error {
        PcapWriteError::Io(error) | PcapWriteError::FieldWriteFailed(_, error) => CaptureError::Io { error, offset: 0 },
        PcapWriteError::Validation(_) => CaptureError::Unwritable(Fault::Content),
    }
}

/// Gathers small writes and counts their bytes.
struct Counted<W: Write> {
    inner: BufWriter<W>,
    written: u64,
}

impl<W: Write> Counted<W> {
    fn new(sink: W) -> Self {
        Self { inner: BufWriter::new(sink), written: 0 }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
