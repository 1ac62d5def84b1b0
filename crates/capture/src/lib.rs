//! pcap and pcapng, plain or gz, read and written as streams.
//!
//! In: any [`std::io::Read`] with a capture in it; frames to be written.
//! Out: [`Frame`]s with their [`Interface`], wall time, original length, comments and direction; capture files and live pipes.
//! Above: net, lab, cli. Below: wire, units.
//! Not here: opening interfaces, what a frame means (inspect).
//!
//! ```
//! use wirewright_capture::{Interface, LinkType, Reader, Record, Writer};
//! use wirewright_units::UnixTime;
//!
//! let mut writer = Writer::pcapng(Vec::new(), "example")?;
//! let client = writer.add_interface(&Interface::new("client", LinkType::ETHERNET))?;
//! let wall = UnixTime::from_parts(1_700_000_000, 42);
//! writer.write(&Record::new(client, wall, &[0xff; 60]).comment("the first"))?;
//!
//! let file = writer.into_inner()?;
//! let mut reader = Reader::new(&file[..])?;
//! let frame = reader.next().unwrap()?;
//! assert_eq!((frame.wall, frame.comments[0].as_str()), (wall, "the first"));
//! assert_eq!(reader.interfaces()[frame.interface].name, "client");
//! # Ok::<(), wirewright_capture::CaptureError>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod frame;
mod input;
mod link_type;
mod pcap;
mod pcapng;
mod reader;
mod writer;

pub use error::{CaptureError, Fault, Part};
pub use frame::{Direction, Frame, Interface, Record};
pub use link_type::{Begins, LinkType};
pub use reader::{Format, Reader, looks_like_capture};
pub use writer::Writer;

/// The most bytes of one record (a packet with its header, a pcapng block). libpcap draws the line at the same 16 MiB;
/// the largest snapshot length that capture programs use is 256 KiB.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// The most interfaces of one capture. A hostile file could otherwise declare one for every 20 of its bytes, and each
/// is kept until the end.
pub const INTERFACES_MAX: usize = 4096;

/// The most bytes of one interface description: with [`INTERFACES_MAX`] of them 64 MiB are kept at most.
pub const INTERFACE_BYTES_MAX: usize = 16 << 10;
