//! Hand-made packets, sans-IO: the plan that keeps what was set, probes in flight, answers matched.
//!
//! In: built packets, facts of the machine, packets heard, `now`.
//! Out: [`Plan`]s and refusals, the changes between built and sent, [`probes::Answer`]s with round-trip times, datagrams put
//! together again, when the next packet of a run ([`Pace`]) or frame of a capture ([`Schedule`]) is due, the steps of a [`conversation`].
//! Above: net, render, the command. Below: craft, wire, units.
//! Not here: sockets, the clock, names, sentences for people.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod changes;
mod close;
mod expect;
mod facts;
mod outgoing;
mod pace;
mod plan;
mod port_state;
mod quoted;
mod schedule;

pub mod conversation;
pub mod probes;
pub mod reassembly;
pub mod trace;
pub mod ways;

pub use changes::{Change, Changes, Values, changes};
pub use close::closing_reset;
pub use expect::{Could, Expect, ExpectError};
pub use facts::{Facts, Interface, Neighbor, NeighborState, Route, RouteAnswer, RouteKind};
pub use outgoing::{Ip, LayerIn, Outgoing};
pub use pace::Pace;
pub use plan::{
    Framing, Need, NextHop, NextHopBy, Note, Objection, Plan, Reason, Refused, Touch, Transport, Who, Wishes, plan,
    plan_fragments, raw_way,
};
pub use port_state::{PortState, port_state};
pub use quoted::{Difference, Quoted, quoted};
pub use schedule::{Lateness, Schedule, Speed};
pub use ways::Way;
pub use wirewright_craft::{Built, First, Origin, Span, What};
pub use wirewright_units::Instant;
pub use wirewright_wire::next::{ether_type as ether_types, protocol as protocols};
pub use wirewright_wire::{MacAddr, SeqNum};
