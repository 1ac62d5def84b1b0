//! Build any packet by hand, put it on the wire exactly so, and see what comes back and why.
//!
//! In: `use wirewright::prelude::*;`
//! Out: every crate of the workspace under one name.
//! Above: programs. Below: all crates but cli, lab and tests.
//! Not here: any code of its own.
//!
//! ```
//! use wirewright::prelude::*;
//!
//! let packet = ip("192.0.2.2").ttl(33) / tcp(80).syn().mss(1460);
//! let built = packet.build(&Context::default())?;
//! assert_eq!(built.bytes[8], 33);
//! assert!(inspect::dissect(&built.bytes, First::Ip).is_clean());
//! let same = pkt!(tcp 192.0.2.2:80 S ttl=33 mss=1460);
//! assert_eq!(same.to_string(), packet.to_string());
//! # Ok::<(), BuildError>(())
//! ```
//!
//! The same in words, checked when the program is compiled: [`pkt!`]; or when it runs: [`craft::parse`]. Onto the wire and back: [`net::hand::Session`].
#![forbid(unsafe_code)]

pub use wirewright_capture as capture;
pub use wirewright_craft as craft;
pub use wirewright_hand as hand;
pub use wirewright_inspect as inspect;
pub use wirewright_link as link;
pub use wirewright_net as net;
pub use wirewright_pkt::pkt;
pub use wirewright_render as render;
pub use wirewright_sim as sim;
pub use wirewright_stack as stack;
pub use wirewright_tcp as tcp;
pub use wirewright_units as units;
pub use wirewright_wire as wire;

/// What a program that makes packets wants by name.
pub mod prelude {
    pub use crate::craft::{
        BuildError, Built, Context, First, Packet, Payload, Setting, arp, dns, eth, icmp, icmp6, ip, ip6, plus, qinq,
        tcp, udp, vlan,
    };
    pub use crate::inspect;
    pub use crate::net::hand::{Event, Options, Sent, Session};
    pub use crate::pkt;
    pub use crate::units::{ByteCount, Instant, UnixTime};
    pub use crate::wire::MacAddr;
}

/// The examples of the README, which are compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
