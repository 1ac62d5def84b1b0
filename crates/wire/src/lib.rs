//! Bytes ⇄ headers: one field table a protocol, and from it views, values and descriptions.
//!
//! In: byte slices, and values of header fields.
//! Out: views over fixed arrays, header values, [`HeaderDesc`]s, checksums, sequence arithmetic, [`ParseError`]s.
//! Above: craft, tcp, stack, inspect, link. Below: nothing.
//! Not here: allocation, the packet language, any decision of a protocol.
//!
//! # The contract of view and value
//!
//! - `X::View` is a header read in place: it wraps `&[u8; LEN]`, so no getter can fail or panic. Views do not judge:
//!   a version of 6 in an IPv4 view is simply 6.
//! - `X::ViewMut` writes in place. A setter stores the low bits of its value; a field narrower than its type
//!   (a 4-bit IHL in a `u8`) is masked, never spilled into its neighbours.
//! - `X::Header` is the value: every field by name, `parse` from `&[u8; LEN]`, `emit` into `&mut [u8; LEN]`. Neither fails.
//! - `X::DESC` is the table as data: what `craft`, `inspect`, `render` build, print, draw and explain with.
//! - Where lengths are judged (IHL, total length, data offset) is `X::parse(&[u8])`, which returns a [`ParseError`]
//!   with layer, byte, need and have.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[macro_use]
mod table;

mod addr;
mod error;
mod field;
mod seq;

pub mod checksum;
pub mod ipv4;

pub use addr::MacAddr;
pub use error::{Layer, LimitedBy, ParseError};
pub use field::{
    Auto, Field, FieldDesc, HeaderDesc, Kind, LengthOf, Name, OptionDesc, OptionLen, SumOver, TlvDesc, TlvLength,
    Variant,
};
pub use seq::{SeqLen, SeqNum, Window, WindowField, WindowScale};
