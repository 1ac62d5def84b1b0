//! Packets of a run in batches: what leaves so fast is not read back but counted.

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::io::IoSlice;

use wirewright_craft::{Context, Packet, fragment};
use wirewright_hand::{Facts, Plan, Wishes};
use wirewright_link::OsError;
use wirewright_link::sys::Errno;

use super::prepare::{self, Prepared};
use super::session::Session;
use super::transmit::{Hears, Senders, Target};
use crate::error::Error;

/// Destinations whose way is kept; when there are more, the kernel's tables are asked anew.
const WAYS_MAX: usize = 1024;
/// Frames gathered for one system call at most: as many as `sendmmsg` is given here.
const FRAMES_MAX: usize = wirewright_link::sys::BATCH_MAX;

/// Packets of a run on their way in batches.
///
/// Where packets differ in nothing up to the outermost IP header, the plan of the first is that of all, and nothing is allocated
/// for a packet that is not cut; else each is planned by itself. Source ports are not reserved.
pub struct Batches {
    seed: [u8; 32],
    senders: Senders,
    first: Prepared,
    /// The link header that goes before each packet, where the first one's way needs one.
    header: Vec<u8>,
    /// All packets go as the first one.
    is_steady: bool,
    whole: Vec<u8>,
    gathered: Gathered,
    ways: BTreeMap<IpAddr, (Facts, Wishes)>,
}

/// What became of a batch, as far as the kernel said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Packets.
    pub packets: u64,
    /// Frames handed over: more than packets where they are cut.
    pub frames: u64,
    /// Frames of them that found the queue of the interface full, or no buffer.
    pub lost: u64,
}

impl Batches {
    pub(super) fn begin(
        session: &mut Session,
        packet: &Packet,
        differ_from_layer: Option<usize>,
        seed: [u8; 32],
        mut senders: Senders,
    ) -> Result<Self, Error> {
        let mut first = session.prepare(packet.clone())?;
        senders.open(&first.plan, &session.interfaces, Hears::Nothing)?;
        senders.find_next_hop(&mut first)?;
        let ip = packet.layers.iter().position(|layer| matches!(layer.key(), "ip" | "ip6"));
        let is_steady = ip.is_some_and(|ip| differ_from_layer.is_none_or(|layer| layer > ip));
        Ok(Self {
            seed,
            senders,
            gathered: Gathered::new(Target::of(&first.plan)),
            header: first.plan.framing.as_ref().and_then(|framing| framing.frame(&[])).unwrap_or_default(),
            first,
            is_steady,
            whole: Vec::new(),
            ways: BTreeMap::new(),
        })
    }

    /// The plan of the first packet.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.first.plan
    }

    /// Adds packet number `index`, which draws what is random in it from that number, and sends what is gathered when it is
    /// enough.
    ///
    /// # Errors
    /// A packet that cannot be built, or that no way carries; what the kernel says, but for a full queue, which is counted.
    pub fn push(&mut self, session: &mut Session, index: u64, packet: &Packet) -> Result<(), Error> {
        let entropy = drawn(self.seed, index);
        if self.is_steady {
            self.add_steady(packet, session.options.limit, entropy)?;
        } else {
            self.add(session, packet.clone(), entropy)?;
        }
        self.gathered.done.packets += 1;
        Ok(())
    }

    /// What was done since this was last asked.
    pub fn take_done(&mut self) -> Batch {
        self.gathered.take_done()
    }

    /// Adds a packet that goes as the first one.
    fn add_steady(&mut self, packet: &Packet, limit: Option<usize>, entropy: [u8; 32]) -> Result<(), Error> {
        let context = Context { entropy, ..self.first.context };
        let Some(limit) = limit else {
            packet.build_into(self.gathered.room(), &context)?;
            return self.added();
        };
        packet.build_into(&mut self.whole, &context)?;
        let pieces = fragment(packet, &self.whole, limit)?;
        if pieces.is_empty() {
            self.gathered.room().clone_from(&self.whole);
            return self.added();
        }
        for piece in pieces {
            piece.build_into(self.gathered.room(), &context)?;
            self.added()?;
        }
        Ok(())
    }

    /// The frame at the end is complete but for the link header that its way needs.
    fn added(&mut self) -> Result<(), Error> {
        if !self.header.is_empty() {
            self.gathered.room().splice(0..0, self.header.iter().copied());
        }
        self.gathered.added(&mut self.senders)
    }

    /// Adds a packet with a plan of its own.
    fn add(&mut self, session: &mut Session, mut packet: Packet, entropy: [u8; 32]) -> Result<(), Error> {
        let named = prepare::destination(&packet);
        let known = named.and_then(|to| self.ways.get(&to).cloned());
        let (facts, wishes) = known.map_or_else(|| session.facts_of(&mut packet), Ok)?;
        let context = Context { entropy, ..Context::default() };
        let mut prepared = prepare::prepare(packet, context, facts, wishes.clone(), session.options.limit)?;
        self.gathered.turn_to(Target::of(&prepared.plan), &mut self.senders)?;
        self.senders.open(&prepared.plan, &session.interfaces, Hears::Nothing)?;
        self.senders.find_next_hop(&mut prepared)?;
        if let Some(to) = named {
            if self.ways.len() == WAYS_MAX && !self.ways.contains_key(&to) {
                self.ways.clear();
            }
            self.ways.entry(to).or_insert_with(|| (prepared.facts.clone(), wishes));
        }
        for (built, plan) in prepared.leaving() {
            let framed = plan.framing.as_ref().and_then(|framing| framing.frame(&built.bytes));
            *self.gathered.room() = framed.unwrap_or_else(|| built.bytes.clone());
            self.gathered.added(&mut self.senders)?;
        }
        Ok(())
    }

    /// Hands over what is gathered.
    ///
    /// # Errors
    /// What the kernel says, but for a full queue.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.gathered.flush(&mut self.senders)
    }
}

/// Frames that leave together.
pub(super) struct Gathered {
    frames: Vec<Vec<u8>>,
    /// Of `frames`.
    used: usize,
    target: Target,
    pub(super) done: Batch,
}

impl Gathered {
    pub(super) fn new(target: Target) -> Self {
        Self { frames: vec![Vec::new(); FRAMES_MAX], used: 0, target, done: Batch::default() }
    }

    /// Where the next frame is written, before [`added`](Self::added).
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        &mut self.frames[self.used]
    }

    pub(super) fn added(&mut self, senders: &mut Senders) -> Result<(), Error> {
        self.used += 1;
        if self.used == FRAMES_MAX { self.flush(senders) } else { Ok(()) }
    }

    /// What follows goes there.
    pub(super) fn turn_to(&mut self, target: Target, senders: &mut Senders) -> Result<(), Error> {
        if target != self.target {
            self.flush(senders)?;
            self.target = target;
        }
        Ok(())
    }

    pub(super) fn take_done(&mut self) -> Batch {
        core::mem::take(&mut self.done)
    }

    pub(super) fn flush(&mut self, senders: &mut Senders) -> Result<(), Error> {
        let frames = &self.frames[..self.used];
        let mut at = 0;
        while at < frames.len() {
            let mut slices = [IoSlice::new(&[]); FRAMES_MAX];
            for (slice, frame) in slices.iter_mut().zip(&frames[at..]) {
                *slice = IoSlice::new(frame);
            }
            match senders.send_batch(self.target, &slices[..frames.len() - at]) {
                Ok(count) => {
                    at += count.max(1);
                    self.done.frames += count as u64;
                }
                Err(error) if is_full(&error) => {
                    at += 1;
                    self.done.frames += 1;
                    self.done.lost += 1;
                }
                Err(error) => {
                    self.used = 0;
                    return Err(error.into());
                }
            }
        }
        self.used = 0;
        Ok(())
    }
}

/// A queue of this machine had no room: the frame is lost, and the next may leave.
fn is_full(error: &OsError) -> bool {
    error.errno == Errno::ENOBUFS
}

/// What packet number `index` draws from: bytes of its own, the same in each run with this seed.
fn drawn(mut seed: [u8; 32], index: u64) -> [u8; 32] {
    for (byte, count) in seed[16..24].iter_mut().zip(index.to_le_bytes()) {
        *byte ^= count;
    }
    seed
}
