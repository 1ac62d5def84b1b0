//! Probes in flight: what was sent, what answers it, and what does not.
//!
//! In: packets sent with their moment, packets received with theirs, `now`.
//! Out: [`Answer`]s with round-trip times, probes that nobody answered.
//! Above: net, `ww ask`. Below: wire.
//! Not here: sending, sockets, the clock.
//!
//! ```
//! # use core::time::Duration;
//! # use wirewright_hand::{First, Instant, probes::{Asked, Probes}};
//! # let packet: &[u8] = &[]; let heard: &[(u64, &[u8])] = &[];
//! let mut probes = Probes::new();
//! probes.sent(Instant::ORIGIN, 1, &Asked::new(packet, First::Ip), Duration::from_secs(1));
//! for &(at, bytes) in heard {
//!     let now = Instant::from_nanos(at);
//!     if let Some(answer) = probes.handle_received(now, bytes, First::Ip) { /* print it */ }
//! }
//! let wake = probes.poll_timeout(); // sleep until then, or until something is received
//! while let Some(id) = probes.poll_expired(wake.unwrap_or(Instant::NEVER)) { /* nobody answered */ }
//! ```

mod answer;
mod dhcp;
mod flow;
mod index;
mod quote;
mod tunnel;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use wirewright_units::Instant;

pub use answer::{Answer, AnswerKind, IcmpError, Order, Rewritten};

use crate::First;
pub(crate) use flow::behind_the_link;
use flow::{Datagram, Heard, Sent};
use index::Index;
use tunnel::Tunnel;

/// The most probes remembered, answered and timed-out ones included; the oldest is forgotten for a new one.
///
/// A probe takes about 150 bytes; 4,096 of them cover four seconds at the 1,000 a second above which the command asks.
pub const PROBES_MAX: usize = 4096;

/// The number of a probe, given by the caller.
pub type ProbeId = u32;

/// A packet that was sent and asks for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The packet as it left.
    pub bytes: &'a [u8],
    /// What it begins with.
    pub first: First,
    /// It went to a group or to everybody on the link: anybody may answer, more than once.
    pub to_many: bool,
}

impl<'a> Asked<'a> {
    /// A packet to one host.
    #[must_use]
    pub const fn new(bytes: &'a [u8], first: First) -> Self {
        Self { bytes, first, to_many: false }
    }
}

/// The probes of one session.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    probes: VecDeque<Probe>,
    /// How many were forgotten: the number of the oldest that is remembered.
    forgotten: u64,
    index: Index,
    /// Those that await an answer, by the end of their time and their number.
    due: BTreeSet<(Instant, u64)>,
}

/// One probe.
#[derive(Clone, Debug)]
struct Probe {
    id: ProbeId,
    left: Instant,
    deadline: Instant,
    state: State,
    sent: Sent,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InFlight,
    Answered,
    Expired,
}

impl Probes {
    /// No probe yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { probes: VecDeque::new(), forgotten: 0, index: Index::new(), due: BTreeSet::new() }
    }

    /// A probe left at `now`; its answer is awaited for `wait`.
    pub fn sent(&mut self, now: Instant, id: ProbeId, asked: &Asked<'_>, wait: Duration) {
        if self.probes.len() == PROBES_MAX {
            self.forget_oldest();
        }
        let sent = flow::of_sent(asked);
        let number = self.forgotten + self.probes.len() as u64;
        self.index.add(number, id, &sent);
        self.due.insert((now + wait, number));
        self.probes.push_back(Probe { id, left: now, deadline: now + wait, state: State::InFlight, sent });
    }

    /// The kernel's stamp says that a probe left at this moment: round-trip times count from it.
    pub fn left(&mut self, id: ProbeId, at: Instant) {
        if let Some(probe) = self.index.number_of(id).and_then(|number| self.probe(number)) {
            probe.left = at;
        }
    }

    /// Nobody waits for this probe any more: what comes still is late.
    pub fn give_up(&mut self, id: ProbeId) {
        if let Some(number) = self.index.number_of(id) {
            self.settle(number, State::Expired);
        }
    }

    /// A packet arrived at `now`, which is the kernel's stamp where there is one. `None`: it answers no probe of ours.
    ///
    /// A quote goes to the probe that it is most alike; what quotes nothing, and a quote that fits several as well, to the
    /// newest that has no answer yet, else to the newest of those that have one.
    pub fn handle_received(&mut self, now: Instant, bytes: &[u8], first: First) -> Option<Answer> {
        let heard = flow::of_heard(bytes, first)?;
        let (number, found) = self.best(&heard)?;
        let probe = self.probe(number)?;
        let order = match probe.state {
            State::InFlight => Order::First,
            State::Answered if probe.sent.to_many => Order::Another,
            State::Answered => Order::Duplicate,
            State::Expired => Order::Late,
        };
        let (id, rtt) = (probe.id, now.since(probe.left));
        if found.kind.is_final() {
            self.settle(number, State::Answered);
        }
        let from = found.from.or_else(|| heard.source());
        Some(Answer { probe: id, kind: found.kind, from, at: now, rtt, order, rewritten: found.rewritten })
    }

    /// The probe that this answers, by the index first, and only for a quote that was rewritten on the way among all that are
    /// remembered.
    fn best(&self, heard: &Heard<'_>) -> Option<(u64, answer::Match)> {
        let keyed = self.best_of(self.index.candidates(heard), heard);
        if keyed.is_some() || !matches!(heard, Heard::Ip(datagram) if quote::error_of(datagram).is_some()) {
            return keyed;
        }
        let all = self.forgotten..self.forgotten + self.probes.len() as u64;
        self.best_of(all.rev(), heard)
    }

    fn best_of(&self, newest_first: impl Iterator<Item = u64>, heard: &Heard<'_>) -> Option<(u64, answer::Match)> {
        let mut best: Option<(u64, answer::Match)> = None;
        let mut best_rank = (0, false);
        let quotes = matches!(heard, Heard::Ip(datagram) if quote::error_of(datagram).is_some());
        for number in newest_first {
            let Some(probe) = number.checked_sub(self.forgotten).and_then(|at| self.probes.get(at as usize)) else {
                continue;
            };
            let open = probe.state == State::InFlight;
            if !open && !quotes && best.is_some() {
                continue;
            }
            let Some(found) = matching(&probe.sent, heard) else { continue };
            // Probes of one flow differ in little: a quote is of the one that it is most alike, answered or not.
            let (rank, is_best) = ((found.likeness, open), open && found.is_whole);
            if best.is_none() || rank > best_rank {
                (best, best_rank) = (Some((number, found)), rank);
            }
            if is_best {
                break;
            }
        }
        best
    }

    /// When to call [`poll_expired`](Self::poll_expired) next; `None` when no answer is awaited.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(deadline, _)| *deadline)
    }

    /// A probe whose time is over, each once. Call until `None`.
    pub fn poll_expired(&mut self, now: Instant) -> Option<ProbeId> {
        let &(deadline, number) = self.due.first()?;
        if deadline > now {
            return None;
        }
        self.settle(number, State::Expired);
        self.probe(number).map(|probe| probe.id)
    }

    /// How many probes await an answer.
    #[must_use]
    pub fn awaited(&self) -> usize {
        self.due.len()
    }

    fn probe(&mut self, number: u64) -> Option<&mut Probe> {
        let at = usize::try_from(number.checked_sub(self.forgotten)?).ok()?;
        self.probes.get_mut(at)
    }

    /// A probe that awaits an answer does so no more.
    fn settle(&mut self, number: u64, state: State) {
        let Some(probe) = self.probe(number).filter(|probe| probe.state == State::InFlight) else { return };
        probe.state = state;
        let deadline = probe.deadline;
        self.due.remove(&(deadline, number));
    }

    fn forget_oldest(&mut self) {
        let Some(probe) = self.probes.pop_front() else { return };
        self.index.remove(self.forgotten, probe.id, &probe.sent);
        self.due.remove(&(probe.deadline, self.forgotten));
        self.forgotten += 1;
    }
}

/// Whether what was heard answers what was sent.
fn matching(sent: &Sent, heard: &Heard<'_>) -> Option<answer::Match> {
    match heard {
        Heard::Arp(arp) => flow::arp_answer(sent, arp),
        Heard::Ip(datagram) => match quote::error_of(datagram) {
            Some((error, quoted)) => {
                let quote::Found { rewritten, likeness, is_whole } = quote::is_of(sent, quoted)?;
                let kind = AnswerKind::IcmpError(error);
                Some(answer::Match { kind, rewritten, likeness, is_whole, from: None })
            }
            None => match &sent.inner {
                Some((tunnel, inner)) => through(sent, *tunnel, inner, datagram),
                None => flow::answer(sent, datagram).map(|kind| {
                    let rewritten = Vec::new();
                    answer::Match { kind, rewritten, likeness: 0, is_whole: true, from: None }
                }),
            },
        },
    }
}

/// Whether what came through the tunnel by which a packet was sent answers what that carried.
fn through(sent: &Sent, by: Tunnel, inner: &Sent, heard: &Datagram<'_>) -> Option<answer::Match> {
    if !flow::is_between(sent, heard) {
        return None;
    }
    let (_, packet) = tunnel::tunnelled(heard).filter(|(tunnel, _)| *tunnel == by)?;
    let found = matching(inner, &packet)?;
    Some(answer::Match { from: found.from.or_else(|| packet.source()), ..found })
}

#[cfg(test)]
mod tests;
