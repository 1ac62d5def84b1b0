//! Frames to fields and complaints; checksums judged, and what made a wrong one.
//!
//! In: the bytes of a frame or packet, and what they begin with.
//! Out: layers with their fields, complaints instead of failure, checksums with their verdicts and causes.
//! Above: render, cli. Below: craft, wire, units.
//! Not here: sentences and colours (render), engines, sockets.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod diagnose;
pub mod dissect;
pub mod sum;

pub use diagnose::{Finding, FindingKind, diagnose};
pub use dissect::{Dissection, dissect, dissect_knowing};
pub use wirewright_craft::First;
/// The tables that a dissection speaks of: who draws it needs no other crate.
pub use wirewright_wire as wire;
