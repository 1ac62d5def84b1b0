//! TCP, sans-IO: RFC 9293 and what has grown around it, as machines that are given time and segments and give segments
//! and events.
//!
//! In: segments ([`Segment`]), user calls, the time; initial numbers from [`IsnGenerator`].
//! Out: segments to send ([`Outgoing`]: header template, slices, segment size), [`Event`]s, the next deadline.
//! Above: stack, hand. Below: wire, units.
//! Not here: addresses and checksums' pseudo-headers (stack), any clock or socket (link, net), tables of connections.
//!
//! # The four types
//!
//! A 4-tuple is held by one of four, and [`Next`] says when it passes to another:
//!
//! ```text
//!              Answer             Promote               Linger
//! Listener ──────────▶ HalfOpen ──────────▶ Connection ─────────▶ TimeWait ──▶ gone
//!                                  Connection::open ──▶              │
//!     ▲                                                              │ Reopen
//!     └──────────────────────────────────────────────────────────────┘
//! ```
//!
//! # The run loop
//!
//! After any input or user call, poll until empty. Two ends and a perfect wire:
//!
//! ```
//! use std::sync::Arc;
//! use wirewright_tcp::{
//!     Config, Connection, Event, InitialNumbers, IpMeta, Listener, Next, Outgoing, Ports, Segment,
//! };
//! use wirewright_units::Instant;
//!
//! fn bytes(out: Outgoing<'_>) -> Vec<u8> {
//!     let mut bytes = vec![0; out.total_len()];
//!     out.emit(&mut bytes);
//!     bytes
//! }
//!
//! let (now, config) = (Instant::from_millis(1), Arc::new(Config::IPV4));
//! let mut listener = Listener::new(config.clone());
//! let mut client = Connection::open(now, config, Ports { local: 40_000, remote: 80 }, InitialNumbers::default());
//!
//! // The SYN meets the listener; a half-open connection answers it.
//! let syn = bytes(client.poll_transmit(now).unwrap());
//! let seg = Segment::parse(&syn, IpMeta::default())?;
//! let (_, Next::Answer(mut half_open)) = listener.handle_segment(now, &seg, InitialNumbers::default()) else { panic!() };
//!
//! // The SYN,ACK opens the client, its ACK opens the server.
//! let syn_ack = bytes(half_open.poll_transmit(now).unwrap());
//! let _ = client.handle_segment(now, &Segment::parse(&syn_ack, IpMeta::default())?);
//! assert_eq!(client.poll_event(), Some(Event::Connected));
//! let ack = bytes(client.poll_transmit(now).unwrap());
//! let (_, Next::Promote(mut server)) = half_open.handle_segment(now, &Segment::parse(&ack, IpMeta::default())?) else {
//!     panic!()
//! };
//!
//! // A request goes over.
//! client.write(now, b"GET /")?;
//! while let Some(out) = client.poll_transmit(now) {
//!     let _ = server.handle_segment(now, &Segment::parse(&bytes(out), IpMeta::default())?);
//! }
//! let mut request = [0; 16];
//! assert_eq!(server.read(now, &mut request)?, Some(5));
//! assert_eq!(&request[..5], b"GET /");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod congestion;
mod connection;
mod event;
mod half_open;
mod icmp;
mod isn;
mod listener;
mod options;
mod position;
mod rcv;
mod recovery;
mod segment;
mod segment_arrives;
mod snd;
mod ticks;
mod time_wait;
mod timeouts;
mod timers;
mod transmit;
mod user_calls;
mod verdict;

#[cfg(test)]
mod script;

pub use config::{Config, Keepalive, SEND_MSS_MIN};
pub use connection::{Connection, State, Status};
pub use event::{Ended, Event};
pub use half_open::HalfOpen;
pub use icmp::IcmpError;
pub use isn::{InitialNumbers, IsnGenerator};
pub use listener::Listener;
pub use options::{Options, SACK_BLOCKS_MAX};
pub use segment::{IpMeta, Ports, Segment};
pub use segment_arrives::reset_for;
pub use time_wait::TimeWait;
pub use transmit::hook::{Fate, Hook, Hooked, OwnedSegment, SegmentKey};
pub use transmit::{Outgoing, SUPER_SEGMENT_BYTES_MAX};
pub use user_calls::{CallError, Misuse};
pub use verdict::{Discard, Next, Verdict};
pub use wirewright_wire::tcp::{Flags, SackBlock, Timestamps};
pub use wirewright_wire::{SeqLen, SeqNum, WindowField};
