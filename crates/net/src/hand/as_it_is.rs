//! Frames that leave as they are, byte for byte: those of a capture.
//!
//! Every field counts as set, so that the plan takes no way that would change one. A frame is made ready before it is due and
//! then costs one system call; its copy is awaited beside the next ones. What leaves faster than copies are read is gathered
//! in [`Frames`] and counted.

use core::net::IpAddr;
use std::collections::BTreeMap;

use wirewright_craft::{Context, First, Packet};
use wirewright_hand::probes::ProbeId;
use wirewright_hand::{Facts, Need, Outgoing, Plan, Wishes};
use wirewright_link::GuardError;
use wirewright_link::sys::Errno;

use super::batches::{Batch, Gathered};
use super::ports::{Guarding, NoGuard};
use super::prepare::{self, Prepared, handed_to};
use super::session::{HELD_MAX, Session};
use super::transmit::{Hears, Senders, Target};
use crate::error::Error;

/// Destinations whose way is kept; when there are more, the kernel's tables are asked anew.
const WAYS_MAX: usize = 1024;
/// So many copies may wait in a sending socket, which has room for some hundred, before they are fetched.
const COPIES_MAX: usize = 32;

/// What the kernel's tables say of each destination.
pub(super) type Ways = BTreeMap<Option<IpAddr>, (Facts, Wishes)>;

/// A frame that is ready to leave.
#[derive(Debug)]
pub struct Ready {
    prepared: Prepared,
    guard: Guarding,
}

impl Session {
    /// Says what would happen to a frame that leaves as it is; nothing is sent, reserved or opened.
    ///
    /// # Errors
    /// [`Error::Refused`] when no way carries it so; the tables cannot be read.
    pub fn plan_frame(&mut self, bytes: &[u8], first: First) -> Result<Plan, Error> {
        let outgoing = Outgoing::exactly(bytes, first);
        let destination = outgoing.destination();
        self.ask_once(destination)?;
        let (facts, wishes) = &self.ways[&destination];
        Ok(wirewright_hand::plan(&outgoing, wishes, facts)?)
    }

    /// Makes a frame ready: its way is planned, its next hop found, its source port guarded where our kernel would answer what
    /// comes back. That none can be guarded is told, and no error.
    ///
    /// # Errors
    /// All of [`Error`].
    pub fn ready(&mut self, bytes: &[u8], first: First) -> Result<Ready, Error> {
        let mut prepared = self.prepare_exactly(bytes, first)?;
        self.senders.open(&prepared.plan, &self.interfaces, Hears::Nothing)?;
        self.senders.find_next_hop(&mut prepared)?;
        self.keep(bytes, first, &prepared);
        let guard = match self.ports.hold(&mut prepared, self.options.guard, &self.options.wish) {
            Err(Error::Os(error)) => Guarding::Without(NoGuard::Failed(GuardError::Port(error))),
            held => held?,
        };
        Ok(Ready { prepared, guard })
    }

    /// Hands a frame to the kernel: [`listen_until`](Self::listen_until) and [`next_event`](Self::next_event) tell when it
    /// left. `None`: a queue of this machine had no room for it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn leave(&mut self, ready: &Ready) -> Result<Option<ProbeId>, Error> {
        let id = self.take_id();
        let mut pending = match self.hand_over(id, &ready.prepared, &ready.guard) {
            Err(Error::Os(error)) if error.errno == Errno::ENOBUFS => return Ok(None),
            handed => handed?,
        };
        let deadline = self.now() + HELD_MAX;
        pending.iter_mut().for_each(|pending| pending.deadline = deadline);
        self.pending.append(&mut pending);
        if self.pending.len().is_multiple_of(COPIES_MAX) {
            self.read_copies()?;
        }
        Ok(Some(id))
    }

    /// The first interface known so far that is up and has an Ethernet address: where a frame with a link header of its own
    /// can leave, whatever the routes say.
    #[must_use]
    pub fn an_ethernet(&self) -> Option<&str> {
        let facts = self.ways.values().map(|(facts, _)| facts).next()?;
        let interface = facts.interfaces.iter().find(|it| it.up && it.mac.is_some())?;
        Some(&interface.name)
    }

    /// Frames to be sent in batches and not read back.
    #[must_use]
    pub fn frames(&self) -> Frames {
        let senders = Senders::without_copies(self.kernel.clone(), self.options.interface.clone());
        Frames { senders, gathered: None, interface: String::new(), needs_guard: false }
    }

    fn prepare_exactly(&mut self, bytes: &[u8], first: First) -> Result<Prepared, Error> {
        let plan = self.plan_frame(bytes, first)?;
        let (facts, wishes) = self.ways[&Outgoing::exactly(bytes, first).destination()].clone();
        let mut prepared = prepare::prepare(Packet::exactly(bytes, first), Context::default(), facts, wishes, None)?;
        prepared.plan = plan;
        Ok(prepared)
    }

    fn ask_once(&mut self, destination: Option<IpAddr>) -> Result<(), Error> {
        if self.ways.contains_key(&destination) {
            return Ok(());
        }
        let to = handed_to(&self.options)?;
        let asked = self.ask_tables(destination, to)?;
        if self.ways.len() >= WAYS_MAX {
            self.ways.clear();
        }
        self.ways.insert(destination, asked);
        Ok(())
    }

    /// Keeps what was found out of a next hop.
    fn keep(&mut self, bytes: &[u8], first: First, prepared: &Prepared) {
        if let Some((facts, _)) = self.ways.get_mut(&Outgoing::exactly(bytes, first).destination())
            && facts.neighbors != prepared.facts.neighbors
        {
            facts.neighbors.clone_from(&prepared.facts.neighbors);
        }
    }
}

/// Frames on their way in batches, as they are. Source ports are not reserved.
pub struct Frames {
    senders: Senders,
    gathered: Option<Gathered>,
    interface: String,
    needs_guard: bool,
}

impl Frames {
    /// Opens what a frame needs, and finds its next hop, so that sending it costs no more than sending.
    ///
    /// # Errors
    /// A frame that no way carries so; no permission; a next hop that is silent.
    pub fn open(&mut self, session: &mut Session, bytes: &[u8], first: First) -> Result<Plan, Error> {
        let plan = session.plan_frame(bytes, first)?;
        self.senders.open(&plan, &session.interfaces, Hears::Nothing)?;
        if !plan.needs.iter().any(|need| matches!(need, Need::Resolve(_))) {
            return Ok(plan);
        }
        let mut prepared = session.prepare_exactly(bytes, first)?;
        self.senders.find_next_hop(&mut prepared)?;
        session.keep(bytes, first, &prepared);
        Ok(prepared.plan)
    }

    /// Adds a frame, and sends what is gathered when it is enough.
    ///
    /// # Errors
    /// As [`open`](Self::open); what the kernel says, but for a full queue, which is counted.
    pub fn push(&mut self, session: &mut Session, bytes: &[u8], first: First) -> Result<(), Error> {
        let plan = self.open(session, bytes, first)?;
        self.needs_guard |= plan.needs.iter().any(|need| matches!(need, Need::Guard { .. }));
        if self.interface.is_empty() {
            self.interface.clone_from(&plan.interface.name);
        }
        let target = Target::of(&plan);
        let gathered = self.gathered.get_or_insert_with(|| Gathered::new(target));
        gathered.turn_to(target, &mut self.senders)?;
        let room = gathered.room();
        room.clear();
        match plan.framing.as_ref().and_then(|framing| framing.frame(bytes)) {
            Some(framed) => *room = framed,
            None => room.extend_from_slice(bytes),
        }
        gathered.done.packets += 1;
        gathered.added(&mut self.senders)
    }

    /// Hands over what is gathered.
    ///
    /// # Errors
    /// What the kernel says, but for a full queue.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.gathered.as_mut().map_or(Ok(()), |gathered| gathered.flush(&mut self.senders))
    }

    /// What was done since this was last asked.
    pub fn take_done(&mut self) -> Batch {
        self.gathered.as_mut().map(Gathered::take_done).unwrap_or_default()
    }

    /// The interface by which the first frame left; empty before it.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// A frame had a source port to which our own kernel answers.
    #[must_use]
    pub const fn needs_guard(&self) -> bool {
        self.needs_guard
    }
}
