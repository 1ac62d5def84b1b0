//! Hand-made packets on a real link: planned, sent, read back, answered.
//!
//! In: [`Options`], packets of the packet language.
//! Out: [`Sent`] (the packet as it left, and who changed what), [`Event`]s with answers and their round-trip times.
//! Above: the command. Below: hand (plan, probes), stack (neighbours), link (sockets, tables, guard).
//! Not here: which way a packet takes, what an answer is (hand); printing.
//!
//! ```no_run
//! # use wirewright_net::hand::{Event, Options, Session};
//! # fn main() -> Result<(), wirewright_net::Error> {
//! # let packet = wirewright_craft::Packet::new();
//! let mut session = Session::open(Options::default());
//! session.start(&packet)?;
//! while let Some(event) = session.next_event()? {
//!     match event {
//!         Event::Sent(sent) => println!("{:?}", sent.id),
//!         Event::Answer(answer) => println!("{:?} after {:?}", answer.answer.kind, answer.answer.rtt),
//!         Event::TimedOut { probe } => println!("{probe}: no answer"),
//!         _ => break,
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! # Fragments
//!
//! With [`Options::limit`] a larger packet is cut, and each fragment is sent, read back and told as a [`Sent`] of its own. What
//! comes back in fragments is put together before it is matched: by the kernel where raw sockets hear it, and by `hand` from
//! the frames themselves where the question was cut or the source is not this machine's.
//!
//! # Round-trip times
//!
//! Both ends are the kernel's: the stamp at which the driver was given the packet, and the one at which the answer arrived.
//! Linux begins to stamp arrivals some milliseconds after the first socket of the machine asked for it; until then an
//! answer carries the moment at which it was read, which for a session that sleeps on it is some 10 µs later.

mod application;
mod as_it_is;
mod batches;
mod dialogue;
mod erring;
mod facts;
mod listen;
mod next_hop;
mod own_ear;
mod own_host;
mod peer;
mod ports;
mod prepare;
mod rehearsal;
mod sent;
mod session;
mod transmit;
mod why;

use core::time::Duration;
use std::sync::Arc;

use wirewright_craft::Host;
use wirewright_hand::Way;
use wirewright_link::sys::{self, Kernel};

pub use application::{Application, Does, Then, Turn};
pub use as_it_is::{Frames, Ready};
pub use batches::{Batch, Batches};
pub use dialogue::{Dialogue, Happened, Listened, Spoken};
pub use erring::Erring;
pub use listen::{AnswerFragment, HeardAnswer};
pub use own_host::{OwnHost, Taken};
pub use ports::{Guarding, NoGuard};
pub use prepare::{Fragment, Prepared};
pub use rehearsal::{Carried, Given, Own, Rehearsal};
pub use sent::{Fate, Held, Left, Part, Role, Sent};
pub use session::{Event, Session};
pub use why::{Counters, Moved};

use crate::guard_wish::GuardWish;
use crate::names::{Families, Names, System};

/// How a session sends and waits.
pub struct Options {
    /// `--to`: the address given to the kernel, or the next hop.
    pub to: Option<Host>,
    /// `--iface`.
    pub interface: Option<String>,
    /// `-4`, `-6`.
    pub families: Families,
    /// Who knows names.
    pub names: Box<dyn Names>,
    /// This way and no other.
    pub way: Option<Way>,
    /// The kernel may rewrite what was set: to show that it does.
    pub allow_rewrites: bool,
    /// The largest IP packet that leaves: what is larger is cut into fragments. `None`: nothing is cut.
    pub limit: Option<usize>,
    /// How long an answer is awaited.
    pub wait: Duration,
    /// A SYN-ACK is left unanswered, the connection half-open.
    pub leave: bool,
    /// Guard the source port, so that our own kernel does not reset what comes back.
    pub guard: bool,
    /// By which rung, and from which source address.
    pub wish: GuardWish,
    /// What everything random is drawn from; `None`: fresh from the kernel for each packet.
    pub seed: Option<[u8; 32]>,
    /// The kernel, or its scripted double.
    pub kernel: Arc<dyn Kernel>,
}

/// How long an answer is awaited unless said otherwise.
pub const WAIT: Duration = Duration::from_secs(1);

impl Default for Options {
    fn default() -> Self {
        Self {
            to: None,
            interface: None,
            families: Families::Both,
            names: Box::new(System),
            way: None,
            allow_rewrites: false,
            limit: None,
            wait: WAIT,
            leave: false,
            guard: true,
            wish: GuardWish::default(),
            seed: None,
            kernel: sys::system(),
        }
    }
}
