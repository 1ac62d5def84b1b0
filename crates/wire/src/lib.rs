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
//!
//! # From bytes to a segment
//!
//! ```
//! use wirewright_wire::{checksum, ipv4, next::protocol, tcp};
//!
//! # fn main() -> Result<(), wirewright_wire::ParseError> {
//! # let bytes = [0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0xb6, 0xcb, 192, 0, 2, 1, 192, 0, 2, 2,
//! #     0x9c, 0x40, 0, 80, 0, 0, 0, 7, 0, 0, 0, 0, 0x50, 2, 0xfa, 0xf0, 0x94, 0x56, 0, 0];
//! let packet = ipv4::parse(&bytes)?;
//! let segment = tcp::parse(packet.payload)?;
//! assert!(checksum::verify(packet.header.bytes()));
//! assert_eq!((segment.header.destination_port(), segment.header.flags()), (80, tcp::Flags::SYN));
//!
//! let (from, to) = (packet.header.source(), packet.header.destination());
//! let length = packet.payload.len() as u32;
//! assert!(checksum::pseudo_v4(from, to, protocol::TCP, length).add(packet.payload).is_right());
//! # Ok(())
//! # }
//! ```
//!
//! # From the table
//!
//! ```
//! let ip = wirewright_wire::layer("ip").expect("every layer is in LAYERS");
//! let ttl = ip.field("ttl").expect("the TTL's key");
//! let mut header = [0; 20];
//! assert!(ttl.write(&mut header, 64));
//! assert_eq!((ttl.default, ttl.shark, header[8]), (64, "ip.ttl", 64));
//! ```
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[macro_use]
mod table;
#[macro_use]
mod icmp;

mod addr;
mod desc;
mod error;
mod field;
#[cfg(test)]
mod sample;
mod seq;

pub mod arp;
pub mod assembly;
pub mod checksum;
pub mod dhcp;
pub mod dhcp6;
pub mod dns;
pub mod ethernet;
pub mod gre;
pub mod icmpv4;
pub mod icmpv6;
pub mod igmp;
pub mod ipv4;
pub mod ipv6;
pub mod mpls;
pub mod next;
pub mod ports;
pub mod quote;
pub mod tcp;
pub mod udp;
pub mod vlan;
pub mod vxlan;

pub use addr::MacAddr;
pub use desc::{Form, HeaderDesc, OptionDesc, OptionLen, Part, TlvDesc, TlvLength, Variant, When};
pub use error::{Layer, LimitedBy, ParseError};
pub use field::{Auto, Field, FieldDesc, Kind, LengthOf, Name, SumOver};
pub use seq::{SeqLen, SeqNum, Window, WindowField, WindowScale};

/// Every layer, from the link upward. Bodies of ICMP messages are found by [`HeaderDesc::variants`].
pub static LAYERS: &[&HeaderDesc] = &[
    &ethernet::DESC,
    &vlan::service::DESC,
    &vlan::DESC,
    &mpls::DESC,
    &arp::DESC,
    &ipv4::DESC,
    &ipv6::DESC,
    &ipv6::ext::hop_by_hop::DESC,
    &ipv6::ext::routing::DESC,
    &ipv6::ext::fragment::DESC,
    &ipv6::ext::destination::DESC,
    &icmpv4::DESC,
    &icmpv6::DESC,
    &igmp::DESC,
    &gre::DESC,
    &udp::DESC,
    &tcp::DESC,
    &dns::tcp::DESC,
    &dns::DESC,
    &dhcp::DESC,
    &dhcp6::DESC,
    &vxlan::DESC,
];

/// The layer with this key in the packet language.
#[must_use]
pub fn layer(key: &str) -> Option<&'static HeaderDesc> {
    LAYERS.iter().find(|desc| desc.key == key).copied()
}
