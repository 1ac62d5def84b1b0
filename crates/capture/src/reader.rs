//! The reader: recognises the format, and hands out frame after frame.

use std::io::Read;

use crate::input::Input;
use crate::pcap::PcapFrames;
use crate::pcapng::PcapngFrames;
use crate::{CaptureError, Fault, Frame, Interface, Part, RECORD_BYTES_MAX};

/// A capture format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The classic format: one interface, microseconds or nanoseconds, either byte order.
    Pcap,
    /// The blocks of pcapng.
    Pcapng,
}

/// Whether bytes begin like a capture, plain or gz. Four bytes are enough to say so.
#[must_use]
pub fn looks_like_capture(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b]) || format_of(bytes).is_some()
}

/// The format by its first four bytes.
fn format_of(bytes: &[u8]) -> Option<Format> {
    match *bytes.first_chunk::<4>()? {
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xd4, 0xc3, 0xb2, 0xa1] | [0xa1, 0xb2, 0x3c, 0x4d] | [0x4d, 0x3c, 0xb2, 0xa1] => {
            Some(Format::Pcap)
        }
        [0x0a, 0x0d, 0x0d, 0x0a] => Some(Format::Pcapng),
        _ => None,
    }
}

enum Frames {
    Pcap(PcapFrames),
    Pcapng(Box<PcapngFrames>),
}

/// Reads a capture from any [`Read`], one frame at a time and never further ahead than the source gives at once: files,
/// pipes, standard input. gz is unpacked on the way.
///
/// Memory is bounded by the largest record ([`RECORD_BYTES_MAX`]) and [`INTERFACES_MAX`](crate::INTERFACES_MAX),
/// whatever the capture claims. After an error that is not
/// [recoverable](CaptureError::is_recoverable) the iteration ends.
pub struct Reader<R> {
    input: Input<R>,
    frames: Frames,
    number: u64,
    done: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the file header.
    ///
    /// # Errors
    /// When the source fails, the bytes are no capture, or they end inside the header.
    pub fn new(reader: R) -> Result<Self, CaptureError> {
        let mut input = Input::new(reader)?;
        input.want(4);
        let Some(format) = format_of(input.filled()) else {
            return Err(input.take_fault().unwrap_or_else(|| not_a_capture(input.filled())));
        };
        let frames = match format {
            Format::Pcap => Frames::Pcap(PcapFrames::new(&mut input)?),
            Format::Pcapng => Frames::Pcapng(Box::new(PcapngFrames::new(&mut input)?)),
        };
        Ok(Self { input, frames, number: 0, done: false })
    }

    /// The interfaces described so far. A pcapng file may describe more at any time; a frame's is always there.
    #[must_use]
    pub fn interfaces(&self) -> &[Interface] {
        match &self.frames {
            Frames::Pcap(frames) => frames.interfaces(),
            Frames::Pcapng(frames) => frames.interfaces(),
        }
    }

    /// The format.
    #[must_use]
    pub const fn format(&self) -> Format {
        match self.frames {
            Frames::Pcap(_) => Format::Pcap,
            Frames::Pcapng(_) => Format::Pcapng,
        }
    }

    /// Whether the capture was packed as gz.
    #[must_use]
    pub const fn is_packed(&self) -> bool {
        self.input.is_packed()
    }

    /// Reads the next frame into `frame`, whose allocations are used again; `false` at the end.
    ///
    /// # Errors
    /// When the capture ends inside a record, contradicts its format or cannot be read. The frame is then unspecified.
    pub fn next_into(&mut self, frame: &mut Frame) -> Result<bool, CaptureError> {
        if self.done {
            return Ok(false);
        }
        let read = match &mut self.frames {
            Frames::Pcap(frames) => frames.next_into(&mut self.input, self.number, frame),
            Frames::Pcapng(frames) => frames.next_into(&mut self.input, self.number, frame),
        };
        match &read {
            Ok(true) => {
                self.number += 1;
                frame.number = self.number;
                let link_type = self.interfaces()[frame.interface].link_type;
                frame.direction = frame.direction.or_else(|| link_type.direction(&frame.bytes));
            }
            Ok(false) => {
                self.done = true;
                if let Some(fault) = self.input.take_fault() {
                    return Err(fault);
                }
            }
            Err(error) => self.done = !error.is_recoverable(),
        }
        read
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Frame, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut frame = Frame::default();
        self.next_into(&mut frame).map(|more| more.then_some(frame)).transpose()
    }
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("number", &self.number).finish_non_exhaustive()
    }
}

fn not_a_capture(bytes: &[u8]) -> CaptureError {
    let mut starts = [0; 4];
    let have = bytes.len().min(4);
    starts[..have].copy_from_slice(&bytes[..have]);
    CaptureError::NotACapture { starts, have }
}

/// Fills the input to the `need` bytes of a part.
///
/// # Errors
/// [`CaptureError::TooLarge`] beyond the limit, [`CaptureError::Truncated`] (or the source's fault) at the end.
pub(crate) fn need<R: Read>(input: &mut Input<R>, part: Part, need: usize) -> Result<(), CaptureError> {
    let offset = input.offset();
    if need > RECORD_BYTES_MAX {
        return Err(CaptureError::TooLarge { part, offset, size: need as u64 });
    }
    if input.want(need) {
        return Ok(());
    }
    Err(input.take_fault().unwrap_or_else(|| {
        let have = input.filled().len() as u64;
        CaptureError::Truncated { part, offset, need: need as u64, have }
    }))
}

/// A part that contradicts its format.
pub(crate) const fn malformed(part: Part, offset: u64, fault: Fault, recoverable: bool) -> CaptureError {
    CaptureError::Malformed { part, offset, fault, recoverable }
}
