//! One host, sans-IO: TCP, UDP, ICMP, its neighbours, routes and path MTU.
//!
//! In: frames from the link ([`Received`]), user calls, `now`.
//! Out: packets for the link ([`Transmit`]), [`Event`]s, the next deadline.
//! Above: net. Below: tcp, wire, units.
//! Not here: sockets, the clock, the kernel's own tables, reassembly of fragments (they are dropped by name).
//!
//! # The run loop
//!
//! After any input or user call, poll until empty. Two hosts and a perfect wire:
//!
//! ```
//! use std::sync::Arc;
//! use wirewright_stack::{
//!     Backlog, Checksum, Host, HostConfig, Link, Offload, Ownership, Prefix, Received, Secret,
//! };
//! use wirewright_tcp::Config;
//! use wirewright_units::Instant;
//!
//! fn host(address: &str, secret: u8) -> Host {
//!     Host::new(&HostConfig {
//!         addresses: vec![Prefix::new(address.parse().unwrap(), 24)],
//!         routes: vec![],
//!         link: Link::Ip,
//!         mtu: 1500,
//!         offload: Offload::default(),
//!         ownership: Ownership::Own,
//!         tcp_v4: Arc::new(Config::IPV4),
//!         tcp_v6: Arc::new(Config::IPV6),
//!         secret: Secret([secret; 32]),
//!     })
//! }
//!
//! /// Carries packets until neither host has any.
//! fn exchange(now: Instant, hosts: [&mut Host; 2]) {
//!     let [a, b] = hosts;
//!     loop {
//!         let mut packets = Vec::new();
//!         let mut take = |host: &mut Host| {
//!             let mut out = Vec::new();
//!             while host.poll_transmit(now, &mut |packet| {
//!                 let mut bytes = Vec::new();
//!                 packet.append_to(&mut bytes);
//!                 out.push(bytes);
//!             }) {}
//!             out
//!         };
//!         let (from_a, from_b) = (take(a), take(b));
//!         packets.extend(from_a.iter().map(|packet| (true, packet)));
//!         packets.extend(from_b.iter().map(|packet| (false, packet)));
//!         if packets.is_empty() {
//!             return;
//!         }
//!         for (to_b, packet) in packets {
//!             let host = if to_b { &mut *b } else { &mut *a };
//!             host.handle_frame(now, &Received::new(packet));
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), wirewright_stack::Misuse> {
//! let now = Instant::from_millis(1);
//! let (mut client, mut server) = (host("192.0.2.1", 1), host("192.0.2.2", 2));
//! let listener = server.listen("0.0.0.0:80".parse().unwrap(), Backlog::default())?;
//! let stream = client.connect(now, "0.0.0.0:0".parse().unwrap(), "192.0.2.2:80".parse().unwrap())?;
//! client.write(now, stream, b"GET /")?;
//! exchange(now, [&mut client, &mut server]);
//!
//! let accepted = server.accept(listener).expect("the handshake is complete");
//! let mut request = [0; 16];
//! assert_eq!(server.read(now, accepted, &mut request)?, Some(5));
//! assert_eq!(&request[..5], b"GET /");
//! # Ok(()) }
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod checksum;
mod config;
mod demux;
mod egress;
mod ephemeral;
mod event;
mod hook;
mod host;
mod icmp;
mod ingress;
pub mod neighbors;
mod path_mtu;
mod routes;
mod udp;
mod user_calls;
mod verdict;

#[cfg(test)]
mod tests;

pub use checksum::Checksum;
pub use config::{
    ACCEPT_MAX, ANSWERS_MAX, CONNECTIONS_MAX, HALF_OPEN_MAX, HostConfig, Link, Offload, Ownership, Secret,
    TIME_WAITS_MAX, WAITING_FOR_NEIGHBOR_MAX,
};
pub use demux::{ConnectionId, FourTuple, ListenerId};
pub use egress::{HOP_LIMIT, Transmit, TransmitChecksum};
pub use event::Event;
pub use host::Host;
pub use icmp::{Trouble, TroubleKind};
pub use ingress::Received;
pub use neighbors::{Neighbors, Own, answer_for};
pub use path_mtu::{PATH_MTU_AGE_MAX, PATH_MTU_MIN_V4, PATH_MTU_MIN_V6, PATHS_MAX};
pub use routes::{Prefix, Route};
pub use udp::{PORT_UNREACHABLES_PER_SECOND, UDP_UNREAD_MAX, UdpId};
pub use user_calls::{Backlog, Misuse};
pub use verdict::{Counters, Discard, Verdict};
