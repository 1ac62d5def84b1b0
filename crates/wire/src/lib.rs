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
mod desc;
mod error;
mod field;
#[cfg(test)]
mod sample;
mod seq;

pub mod arp;
pub mod checksum;
pub mod ethernet;
pub mod icmpv4;
pub mod icmpv6;
pub mod ipv4;
pub mod ipv6;
pub mod next;
pub mod ports;
pub mod quote;
pub mod tcp;
pub mod udp;
pub mod vlan;

pub use addr::MacAddr;
pub use desc::{HeaderDesc, OptionDesc, OptionLen, TlvDesc, TlvLength, Variant};
pub use error::{Layer, LimitedBy, ParseError};
pub use field::{Auto, Field, FieldDesc, Kind, LengthOf, Name, SumOver};
pub use seq::{SeqLen, SeqNum, Window, WindowField, WindowScale};

/// Every layer, from the link upward. Bodies of ICMP messages are found by [`HeaderDesc::variants`].
pub static LAYERS: &[&HeaderDesc] = &[
    &ethernet::DESC,
    &vlan::DESC,
    &arp::DESC,
    &ipv4::DESC,
    &ipv6::DESC,
    &ipv6::ext::hop_by_hop::DESC,
    &ipv6::ext::routing::DESC,
    &ipv6::ext::fragment::DESC,
    &ipv6::ext::destination::DESC,
    &icmpv4::DESC,
    &icmpv6::DESC,
    &udp::DESC,
    &tcp::DESC,
];

/// The layer with this key in the packet language.
#[must_use]
pub fn layer(key: &str) -> Option<&'static HeaderDesc> {
    LAYERS.iter().find(|desc| desc.key == key).copied()
}
