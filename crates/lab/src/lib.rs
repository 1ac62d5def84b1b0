//! A small real world: client, routers and server, each with a kernel's network of its own.
//!
//! In: [`Options`], once, first thing in `main`.
//! Out: a [`Lab`] in whose client this process now stands; ways to act on its other hosts, to watch and to count.
//! Above: cli and tests. Below: link (namespaces, netlink, packet sockets), sim (the relay), units.
//! Not here: packets (hand, net), files (capture), sentences for people beyond one line an error (render).
//!
//! ```text
//!   client eth0 ───────────── eth0 router eth1 ───────────── eth0 server
//!   198.51.100.2      198.51.100.1    192.0.2.1        192.0.2.2   http 80, echo 7, discard 9
//!   2001:db8:1::2    2001:db8:1::1    2001:db8::1    2001:db8::2
//!                                                      192.0.2.3   closed: nobody listens
//!                                                      192.0.2.4   silent: nobody answers
//! ```
//!
//! With more routers ([`Shape`]) each stands on a wire of its own, and the last has 192.0.2.1; a split lab has two second ones:
//!
//! ```text
//!                               ┌─ eth0 router2a eth1 ─┐
//!   client ── eth0 router eth1 ─┤                      ├─ eth0 router3 eth1 ── … ── eth0 server
//!                         eth2 ─┘─ eth0 router2b eth1 ─┘─ eth2
//! ```
//!
//! # Who is whose child
//!
//! The calling process forks a *builder*, which makes everything and proves that it works; only then does the caller follow
//! it into its namespaces, so a refusal at any step leaves the caller where it was. The builder forks the *keeper*, the first
//! process of a PID namespace, which serves; every command of the lab joins that PID namespace. Caller, builder and keeper
//! are tied by parent-death signals: whoever is killed, all that stands below is killed by the kernel, and the namespaces
//! with their interfaces and routes go with the last process.
//!
//! # A bad wire
//!
//! With [`Options::relay`] the wire behind the first router loses, delays, reorders, doubles and damages frames under a
//! seed, and rewrites fields of packets; `relay/` says how.
#![forbid(unsafe_code)]

mod build;
mod counters;
mod enter;
mod keeper;
mod map;
mod message;
mod place;
mod record;
mod refusal;
mod relay;
mod rung;
mod services;
mod shape;

pub use counters::Counters;
pub use enter::{Lab, LabError, Options};
pub use map::{Family, Host, HostEntry, PORTS, Port};
pub use place::PlaceError;
pub use record::{RecordError, Recorded, Recorder, Sink, Summary};
pub use refusal::{Hint, Note, Refusal, Step};
pub use relay::{Relay, RelayCount, RelayReport};
pub use rung::Rung;
pub use services::{Service, ServiceKind, page};
pub use shape::Shape;
