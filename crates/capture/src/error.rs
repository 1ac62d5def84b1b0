//! What can be wrong with a capture: which part, which byte, what was needed and what was there.

use std::{fmt, io};

/// Why a capture could not be read on, or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum CaptureError {
    /// The operating system could not read or write.
    Io {
        /// What it said.
        error: io::Error,
        /// How many bytes of the capture (unpacked, if it was gz) came before.
        offset: u64,
    },
    /// The first bytes are those of no capture format.
    NotACapture {
        /// The first bytes, zero where there are fewer than four.
        starts: [u8; 4],
        /// How many there are, at most four.
        have: usize,
    },
    /// The capture ends inside a part of it. All frames before it were delivered.
    Truncated {
        /// The part.
        part: Part,
        /// Where it begins, in bytes from the start of the (unpacked) capture.
        offset: u64,
        /// The bytes that it needs.
        need: u64,
        /// The bytes that are there.
        have: u64,
    },
    /// A part says that it is larger than [`RECORD_BYTES_MAX`](crate::RECORD_BYTES_MAX), or an interface description
    /// larger than [`INTERFACE_BYTES_MAX`](crate::INTERFACE_BYTES_MAX).
    TooLarge {
        /// The part.
        part: Part,
        /// Where it begins.
        offset: u64,
        /// The size that it claims.
        size: u64,
    },
    /// A part is there but contradicts its format.
    Malformed {
        /// The part.
        part: Part,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        fault: Fault,
        /// The part's end is known, so that reading goes on behind it.
        recoverable: bool,
    },
    /// The gz packing is damaged.
    DamagedGz {
        /// How many unpacked bytes came before the damage.
        offset: u64,
    },
    /// A record cannot be written.
    Unwritable(Fault),
}

impl CaptureError {
    /// Whether the reader can go on behind what was wrong.
    #[must_use]
    pub const fn is_recoverable(&self) -> bool {
        matches!(self, Self::Malformed { recoverable: true, .. })
    }

    /// The stable code of this kind of error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::NotACapture { .. } => "not-a-capture",
            Self::Truncated { .. } => "truncated",
            Self::TooLarge { .. } => "too-large",
            Self::Malformed { .. } => "malformed",
            Self::DamagedGz { .. } => "damaged-gz",
            Self::Unwritable(_) => "unwritable",
        }
    }
}

/// A part of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The file header of pcap, or the first section header of pcapng.
    FileHeader,
    /// The packet with this number, counted from 1.
    Packet(u64),
    /// A pcapng block with this type number.
    Block(u32),
    /// A pcapng block whose type could not be read yet, behind the packet with this number.
    BlockBehind(u64),
}

/// What contradicts the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A block's length is not a multiple of four, below twelve, or differs at its two ends.
    BlockLength,
    /// A packet names an interface that no block described.
    UnknownInterface,
    /// A section header without its byte-order mark, or a first block that is none.
    SectionHeader,
    /// An interface description that cannot be understood.
    InterfaceDescription,
    /// An option longer than its block, of a wrong size, or text that is not UTF-8.
    Option,
    /// More bytes captured than the packet had, or than its block holds.
    CapturedLength,
    /// A time outside what the format or [`UnixTime`](wirewright_units::UnixTime) can hold.
    Time,
    /// More than [`INTERFACES_MAX`](crate::INTERFACES_MAX) interfaces.
    TooManyInterfaces,
    /// Something else inside a block.
    Content,
    /// A pcap file holds one interface; a second was added.
    OneInterfaceOnly,
    /// More bytes than a record may have.
    TooLong,
}

impl Fault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self::BlockLength,
        Self::UnknownInterface,
        Self::SectionHeader,
        Self::InterfaceDescription,
        Self::Option,
        Self::CapturedLength,
        Self::Time,
        Self::TooManyInterfaces,
        Self::Content,
        Self::OneInterfaceOnly,
        Self::TooLong,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BlockLength => "block-length",
            Self::UnknownInterface => "unknown-interface",
            Self::SectionHeader => "section-header",
            Self::InterfaceDescription => "interface-description",
            Self::Option => "option",
            Self::CapturedLength => "captured-length",
            Self::Time => "time",
            Self::TooManyInterfaces => "too-many-interfaces",
            Self::Content => "content",
            Self::OneInterfaceOnly => "one-interface-only",
            Self::TooLong => "too-long",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::BlockLength => {
                "its length is not a multiple of 4, is below 12, or is not the same at both of its ends"
            }
            Self::UnknownInterface => "it belongs to an interface that was never described",
            Self::SectionHeader => "its byte-order mark is missing",
            Self::InterfaceDescription => "the interface description cannot be understood",
            Self::Option => "one of its options has a wrong length or is not UTF-8 text",
            Self::CapturedLength => "it holds more bytes than the packet had",
            Self::Time => "its time cannot be expressed",
            Self::TooManyInterfaces => "there are too many interfaces (more than 4096)",
            Self::Content => "its contents contradict the format",
            Self::OneInterfaceOnly => "a pcap file holds a single interface; write pcapng",
            Self::TooLong => "it is longer than 16 MiB",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileHeader => f.write_str("its file header"),
            Self::Packet(number) => write!(f, "packet {number}"),
            Self::Block(kind) => write!(f, "a block of type {kind:#x}"),
            Self::BlockBehind(0) => f.write_str("the block before the first packet"),
            Self::BlockBehind(number) => write!(f, "the block behind packet {number}"),
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { error, offset } => write!(f, "the capture failed at byte {offset}: {error}"),
            Self::NotACapture { have: 0, .. } => f.write_str("there is no capture: it is empty"),
            Self::NotACapture { starts, have } => {
                f.write_str("this is neither pcap nor pcapng: it begins with")?;
                starts[..*have].iter().try_for_each(|byte| write!(f, " {byte:02x}"))
            }
            Self::Truncated { part, offset, need, have } => {
                write!(f, "the capture ends inside {part} (byte {offset}): {need} bytes needed, {have} there")
            }
            Self::TooLarge { part, offset, size } => {
                write!(f, "{part} (byte {offset}) says it has {size} bytes; no such part is that large")
            }
            Self::Malformed { part, offset, fault, .. } => {
                write!(f, "{part} (byte {offset}) is damaged: {}", fault.sentence())
            }
            Self::DamagedGz { offset } => write!(f, "the gz packing is damaged behind byte {offset} of its contents"),
            Self::Unwritable(fault) => write!(f, "the packet cannot be written: {}", fault.sentence()),
        }
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
