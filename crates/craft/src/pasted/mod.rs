//! Packets that were copied from somewhere: dumps, strings, arrays, digits. The format is recognised and named.
//!
//! In: what was pasted, piped or read from a file, as bytes.
//! Out: [`Pasted`]: the packet's bytes, what they begin with, and the format; or a [`PasteError`] with line and column.
//! Above: the callers of `pasted::read`. Below: nothing.
//! Not here: captures (recognised and named, read by crate capture), files, packets in words.

mod digits;
mod dump;
mod literal;
mod problem;

use alloc::vec::Vec;
use core::fmt;

pub use problem::Problem;

use crate::first::First;

/// The most bytes of text that are looked at: a dump of the largest payload takes about five bytes a byte.
pub const MAX_TEXT_BYTES: usize = 8 << 20;

/// A packet that was pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pasted {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they most likely begin with; the caller may know better.
    pub first: First,
    /// The format it was recognised by.
    pub format: Format,
    /// How many further packets follow in the text, which are not read.
    pub more: usize,
}

/// The formats in which a packet may be pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Hexadecimal digits, with or without spaces, `:` or `0x`: Wireshark's "as a Hex Stream", too.
    Hex,
    /// `xxd`.
    Xxd,
    /// `hexdump -C`.
    HexdumpC,
    /// `od -t x1`, offsets in octal or hexadecimal.
    Od,
    /// `hexdump` or `od -x`: words of 16 bits in the order of a little-endian machine.
    LittleEndianWords,
    /// `tcpdump -x`, `-X`, `-xx` or `-XX`.
    Tcpdump,
    /// Wireshark's hex dump, or `tshark -x`.
    WiresharkDump,
    /// `"\x45\x00…"`: Wireshark's "as Escaped String", or a string in C or a shell.
    EscapedString,
    /// Python's `b'…'`.
    PythonBytes,
    /// An array in C: `{ 0x45, 0x00, … }`.
    CArray,
    /// An array in Rust, or a list in Python or JSON: `[0x45, 0x00, …]`.
    RustArray,
}

impl Format {
    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Hex => "hex digits",
            Self::Xxd => "xxd",
            Self::HexdumpC => "hexdump -C",
            Self::Od => "od -t x1",
            Self::LittleEndianWords => "hexdump (little-endian words)",
            Self::Tcpdump => "tcpdump -x",
            Self::WiresharkDump => "Wireshark hex dump",
            Self::EscapedString => "escaped string",
            Self::PythonBytes => "Python bytes",
            Self::CArray => "C array",
            Self::RustArray => "Rust array",
        }
    }
}

/// Why what was pasted is no packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasteError {
    /// What kind of mistake it is.
    pub code: PasteCode,
    /// The line, from 1; 0 when it is about the whole.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// The kinds of mistakes in what was pasted. Their codes are never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasteCode {
    /// There is nothing.
    Empty,
    /// It is a capture, which the caller reads with crate capture.
    Capture,
    /// It is no text.
    NotText,
    /// More than [`MAX_TEXT_BYTES`].
    TooLong,
    /// A character that does not belong there.
    BadCharacter,
    /// A hexadecimal digit stands alone.
    HalfByte,
    /// A number above 255 in an array.
    NumberTooLarge,
    /// A string or array that is not closed.
    NotClosed,
    /// The offsets of a dump do not fit its bytes.
    OffsetMismatch,
}

impl PasteCode {
    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "paste-empty",
            Self::Capture => "paste-capture",
            Self::NotText => "paste-not-text",
            Self::TooLong => "paste-too-long",
            Self::BadCharacter => "paste-bad-character",
            Self::HalfByte => "paste-half-byte",
            Self::NumberTooLarge => "paste-number-too-large",
            Self::NotClosed => "paste-not-closed",
            Self::OffsetMismatch => "paste-offset-mismatch",
        }
    }
}

impl fmt::Display for PasteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => self.problem.fmt(f),
            line => write!(f, "line {line}, column {}: {}", self.column, self.problem),
        }
    }
}

impl core::error::Error for PasteError {}

impl PasteError {
    fn whole(code: PasteCode, problem: Problem) -> Self {
        Self { code, line: 0, column: 0, problem }
    }

    /// A mistake at a byte offset in the text.
    fn at(code: PasteCode, text: &str, offset: usize, problem: Problem) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Self { code, line, column, problem }
    }
}

/// Reads a packet in any of the [`Format`]s.
///
/// # Errors
/// [`PasteCode::Capture`] when it is a capture file; else what is wrong, with line and column.
///
/// ```
/// use wirewright_craft::pasted::{self, Format};
///
/// let pasted = pasted::read(b"45 00 00 14 d4 31 00 00  ff 06 64 0c c0 a8 01 67 c0 a8 01 01")?;
/// assert_eq!((pasted.format, pasted.bytes.len()), (Format::Hex, 20));
/// # Ok::<(), wirewright_craft::pasted::PasteError>(())
/// ```
pub fn read(input: &[u8]) -> Result<Pasted, PasteError> {
    if let Some(kind) = capture(input) {
        return Err(PasteError::whole(PasteCode::Capture, Problem::IsCapture { kind }));
    }
    if input.len() > MAX_TEXT_BYTES {
        return Err(PasteError::whole(PasteCode::TooLong, Problem::TooLong {}));
    }
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let Ok(text) = core::str::from_utf8(input) else {
        return Err(PasteError::whole(PasteCode::NotText, Problem::NeitherTextNorCapture {}));
    };
    if text.contains('\0') {
        return Err(PasteError::whole(PasteCode::NotText, Problem::NeitherTextNorCapture {}));
    }
    if text.trim().is_empty() {
        return Err(PasteError::whole(PasteCode::Empty, Problem::Nothing {}));
    }
    // Dumps first: what they show as text may look like anything.
    let (format, bytes, more) = match dump::read(text)? {
        Some(dump) => (dump.format, dump.bytes, dump.more),
        None => match literal::read(text)? {
            Some((format, bytes)) => (format, bytes, 0),
            None => (Format::Hex, digits::read(text)?, 0),
        },
    };
    if bytes.is_empty() {
        return Err(PasteError::whole(PasteCode::Empty, Problem::NoBytes {}));
    }
    Ok(Pasted { first: First::guess(&bytes), bytes, format, more })
}

/// The kind of capture file that bytes begin like.
#[must_use]
pub fn capture(input: &[u8]) -> Option<&'static str> {
    if input.starts_with(&[0x1f, 0x8b]) {
        return Some("gzip");
    }
    Some(match input.get(..4)? {
        [0x0a, 0x0d, 0x0d, 0x0a] => "pcapng",
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xd4, 0xc3, 0xb2, 0xa1] => "pcap",
        [0xa1, 0xb2, 0x3c, 0x4d] | [0x4d, 0x3c, 0xb2, 0xa1] => "pcap, nanoseconds",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
