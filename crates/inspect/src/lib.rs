//! Frames to fields and complaints; checksums judged, and what made a wrong one; segments to conversations.
//!
//! In: the bytes of a frame or packet, and what they begin with.
//! Out: layers with their fields, complaints instead of failure, checksums with their verdicts and causes.
//! Above: render, cli. Below: craft, wire, units.
//! Not here: sentences and colours (render), engines, sockets.
//!
//! ```
//! use wirewright_inspect::{First, dissect};
//!
//! // A beginner's IPv4 header: it promises TCP, and the two bytes of its checksum are exchanged.
//! let packet = [
//!     0x45, 0x01, 0x00, 0x14, 0xd4, 0x31, 0x00, 0x00, 0xff, 0x06, 0xf8, 0x63, 192, 168, 1, 103, 192, 168, 1, 1,
//! ];
//! let frame = dissect(&packet, First::Ip);
//! assert_eq!(frame.layer("ip").unwrap().value("ttl"), Some(255));
//! assert_eq!(frame.checksums[0].right, Some(0x63f8));
//! assert_eq!(frame.checksums[0].cause().unwrap().code(), "bytes-swapped");
//! assert_eq!((frame.complaints[0].code, frame.complaints[0].layer), ("header-cut", "tcp"));
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod diagnose;
pub mod dissect;
pub mod flow;
pub mod sum;

pub use diagnose::{Finding, FindingKind, diagnose};
pub use dissect::{Dissection, dissect, dissect_knowing};
pub use wirewright_craft::First;
/// The tables that a dissection speaks of: who draws it needs no other crate.
pub use wirewright_wire as wire;
