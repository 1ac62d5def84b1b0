//! The way to a host, hop by hop, sans-IO: probes with a growing TTL, and what their answers say of each router.
//!
//! In: how many probes a hop and hops at most; probes started, answered, given up.
//! Out: TTL and flow of the next probe; each [`Hop`] when all of its probes have come to an end, in order, with what it tells.
//! Above: `ww trace`. Below: probes (answers), quoted (what a quote shows).
//! Not here: packets, sending, the clock.

mod flows;
mod paths;
mod rounds;
mod tells;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

pub use flows::Flows;
pub use paths::{CONFIDENCE_PERCENT, FLOWS_MAX, Met, PathWishes, Paths, Stage, Way, Ways, flows_enough};
pub use rounds::{HopTimes, RoundWishes, Rounds};
pub use tells::{Odd, Rewriting};

use wirewright_units::Instant;

use crate::probes::{AnswerKind, ProbeId};
use crate::quoted::Quoted;
use tells::Known;

/// How a way is traced.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// Probes for each hop.
    pub each: u8,
    /// The largest TTL.
    pub hops: u8,
    /// The most probes that await an answer together.
    pub in_flight: usize,
    /// Nothing tells the probes of one flow apart: only one of each is on its way.
    pub one_a_flow: bool,
    /// Further flows to each hop at which all flows met one router, until one of them meets another: they are no probes of the
    /// hop, and only what they find is told.
    pub scouts: u8,
}

/// A router that only a scout met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other {
    /// The TTL.
    pub ttl: u8,
    /// The scout's flow.
    pub flow: u16,
    /// Whom it met.
    pub from: IpAddr,
}

/// A probe to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Its TTL.
    pub ttl: u8,
    /// Its flow, from 0: probes of one flow go one way, each hop of it with the next TTL.
    pub flow: u16,
}

/// An answer to a probe of a hop.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Whose probe.
    pub flow: u16,
    /// Who answered.
    pub from: IpAddr,
    /// When it arrived.
    pub at: Instant,
    /// After how long.
    pub rtt: Duration,
    /// What.
    pub kind: AnswerKind,
    /// The TTL or hop limit of the answer itself.
    pub ttl: Option<u8>,
    /// What its quote shows, where it quotes.
    pub quoted: Option<Quoted>,
    /// It comes from the host that is asked.
    pub is_target: bool,
}

impl Heard {
    /// The probe's time was up on its way; it would have gone on.
    fn is_on_the_way(&self) -> bool {
        // RFC 792 type 11, RFC 4443 §3.3 type 3.
        matches!(self.kind, AnswerKind::IcmpError(error) if error.kind == if error.v6 { 3 } else { 11 })
    }

    /// Nothing in it says which probe of its flow it answers: of several that arrived it may be any.
    fn is_of_any(&self) -> bool {
        use AnswerKind::{EchoReply, IcmpError, Rst, SynAck};
        !matches!(self.kind, IcmpError(_) | SynAck { .. } | Rst { .. } | EchoReply { .. })
    }
}

/// What was heard of one distance.
#[derive(Clone, Debug, Default)]
pub struct Hop {
    /// The TTL of its probes.
    pub ttl: u8,
    /// The answers, by the number of their flow.
    pub heard: Vec<Heard>,
    /// Probes that nobody answered.
    pub silent: u8,
    awaited: u8,
    /// Scouts that were started.
    scouts: u8,
}

impl Hop {
    /// Who answered, each once, in the order in which they came.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        let mut all = Vec::new();
        self.heard.iter().for_each(|it| {
            if !all.contains(&it.from) {
                all.push(it.from);
            }
        });
        all
    }

    /// Different probes reached different routers: the way splits before them.
    #[must_use]
    pub fn splits(&self) -> bool {
        let routers: Vec<IpAddr> = self.heard.iter().filter(|it| it.is_on_the_way()).map(|it| it.from).collect();
        routers.iter().any(|router| *router != routers[0])
    }

    /// The host itself answered.
    #[must_use]
    pub fn is_target(&self) -> bool {
        self.heard.iter().any(|it| it.is_target)
    }

    /// A router from which no probe goes on, and which says so.
    #[must_use]
    pub fn ended_by(&self) -> Option<IpAddr> {
        let ended = self.heard.iter().find(|it| !it.is_target && !it.is_on_the_way());
        ended.filter(|_| !self.is_target()).map(|it| it.from)
    }

    /// Nobody lets a probe go on from here.
    fn ends(&self) -> bool {
        self.heard.iter().any(|it| it.is_target || !it.is_on_the_way())
    }
}

/// A hop, and what it tells.
#[derive(Clone, Debug)]
pub struct Told {
    /// The hop.
    pub hop: Hop,
    /// What was rewritten between the last hop that answered and this one.
    pub rewritings: Vec<Rewriting>,
    /// What is odd about TTLs.
    pub odd: Vec<Odd>,
}

/// The trace of a way.
#[derive(Debug)]
pub struct Trace {
    wishes: Wishes,
    hops: Vec<Hop>,
    probes: BTreeMap<ProbeId, Asking>,
    told: usize,
    known: Known,
    /// Scouts that await an answer, by probe.
    scouts: BTreeMap<ProbeId, Asking>,
    /// A way that splits was seen: nothing is left for scouts.
    is_split: bool,
    other: Option<Other>,
}

impl Trace {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(wishes: Wishes) -> Self {
        let (probes, scouts) = (BTreeMap::new(), BTreeMap::new());
        let known = Known::default();
        Self { wishes, hops: Vec::new(), probes, told: 0, known, scouts, is_split: false, other: None }
    }

    /// The probe to send now; `None`: none now, or none any more.
    #[must_use]
    pub fn next_probe(&self) -> Option<Asking> {
        if self.probes.len() + self.scouts.len() >= self.wishes.in_flight {
            return None;
        }
        if let Some(scout) = self.next_scout() {
            return Some(scout);
        }
        let ends_before = self.end().is_some_and(|end| end + 1 < self.hops.len());
        let started = |hop: &Hop| hop.heard.len() + usize::from(hop.silent) + usize::from(hop.awaited);
        let next = match self.hops.last() {
            _ if ends_before => None,
            // As many probes as a hop has fit.
            Some(hop) if started(hop) < usize::from(self.wishes.each) => Some((hop.ttl, started(hop) as u16)),
            _ if self.end().is_some() => None,
            last => last.map_or(0, |hop| hop.ttl).checked_add(1).map(|ttl| (ttl, 0)),
        };
        let (ttl, flow) = next.filter(|(ttl, _)| *ttl <= self.wishes.hops)?;
        let is_busy = self.wishes.one_a_flow && self.probes.values().any(|open| open.flow == flow);
        (!is_busy).then_some(Asking { ttl, flow })
    }

    /// A further flow to a hop that was told with one router.
    fn next_scout(&self) -> Option<Asking> {
        let each = u16::from(self.wishes.each);
        let is_one = |hop: &&Hop| !hop.heard.is_empty() && !hop.ends() && hop.scouts < self.wishes.scouts;
        let hop = self.hops[..self.told].iter().find(is_one).filter(|_| !self.is_split)?;
        Some(Asking { ttl: hop.ttl, flow: each + u16::from(hop.scouts) })
    }

    /// A router that only a scout met, once.
    pub fn poll_other(&mut self) -> Option<Other> {
        self.other.take()
    }

    fn scout_answered(&mut self, asking: Asking, from: IpAddr) {
        let Some(hop) = self.hops.iter().find(|hop| hop.ttl == asking.ttl) else { return };
        if !self.is_split && hop.heard.iter().all(|it| it.from != from) {
            self.is_split = true;
            self.other = Some(Other { ttl: asking.ttl, flow: asking.flow, from });
        }
    }

    /// A probe was started.
    pub fn started(&mut self, probe: ProbeId, asking: Asking) {
        let Asking { ttl, flow } = asking;
        if flow >= u16::from(self.wishes.each) {
            if let Some(hop) = self.hops.iter_mut().find(|hop| hop.ttl == ttl) {
                hop.scouts += 1;
            }
            self.scouts.insert(probe, asking);
            return;
        }
        if self.hops.last().is_none_or(|hop| hop.ttl < ttl) {
            self.hops.push(Hop { ttl, ..Hop::default() });
        }
        if let Some(hop) = self.hops.iter_mut().find(|hop| hop.ttl == ttl) {
            hop.awaited += 1;
            self.probes.insert(probe, asking);
        }
    }

    /// The flow of a probe that is awaited.
    #[must_use]
    pub fn flow_of(&self, probe: ProbeId) -> Option<u16> {
        self.probes.get(&probe).or_else(|| self.scouts.get(&probe)).map(|asking| asking.flow)
    }

    /// A probe was answered; one that is not awaited is passed over.
    pub fn answered(&mut self, probe: ProbeId, heard: Heard) {
        if let Some(asking) = self.scouts.remove(&probe) {
            return self.scout_answered(asking, heard.from);
        }
        let Some(hop) = self.ended(probe) else { return };
        let (flow, is_of_any) = (heard.flow, heard.is_of_any());
        let place = hop.heard.partition_point(|it| it.flow <= flow);
        hop.heard.insert(place, heard);
        if is_of_any {
            self.pair(flow);
        }
    }

    /// What a host says without naming a probe was matched to the newest one. Probes of one flow arrive in their order, and so
    /// do the answers: each gets the time of its own.
    fn pair(&mut self, flow: u16) {
        let is_one = |it: &&mut Heard| it.flow == flow && it.is_target && it.is_of_any();
        let hops = self.hops.iter_mut().flat_map(|hop| &mut hop.heard);
        let mut answers: Vec<&mut Heard> = hops.filter(is_one).collect();
        let mut arrived: Vec<Instant> = answers.iter().map(|it| it.at).collect();
        arrived.sort_unstable();
        for (answer, at) in answers.iter_mut().zip(arrived) {
            let left = Duration::from_nanos(answer.at.as_nanos()).saturating_sub(answer.rtt);
            answer.rtt = Duration::from_nanos(at.as_nanos()).saturating_sub(left);
            answer.at = at;
        }
    }

    /// Nobody answered a probe.
    pub fn silent(&mut self, probe: ProbeId) {
        if self.scouts.remove(&probe).is_some() {
            return;
        }
        if let Some(hop) = self.ended(probe) {
            hop.silent += 1;
        }
    }

    fn ended(&mut self, probe: ProbeId) -> Option<&mut Hop> {
        let Asking { ttl, .. } = self.probes.remove(&probe)?;
        let hop = self.hops.iter_mut().find(|hop| hop.ttl == ttl)?;
        hop.awaited -= 1;
        Some(hop)
    }

    /// The next hop whose probes have all come to an end; each once, in order, and none behind the end of the way.
    pub fn poll_hop(&mut self) -> Option<Told> {
        if self.end().is_some_and(|end| self.told > end) {
            return None;
        }
        let hop = self.hops.get(self.told)?;
        let whole = hop.heard.len() + usize::from(hop.silent) == usize::from(self.wishes.each);
        if hop.awaited > 0 || !whole {
            return None;
        }
        self.told += 1;
        self.is_split |= hop.splits();
        let (rewritings, odd) = self.known.tells(hop);
        Some(Told { hop: hop.clone(), rewritings, odd })
    }

    /// Nothing more is to be sent or told.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let is_told = match self.end() {
            Some(end) => self.told > end,
            None => self.told == usize::from(self.wishes.hops),
        };
        is_told && (self.is_split || (self.scouts.is_empty() && self.next_scout().is_none()))
    }

    /// The host was reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.hops[..self.told].last().is_some_and(Hop::is_target)
    }

    /// The index of the first hop that no probe goes on from.
    fn end(&self) -> Option<usize> {
        self.hops.iter().position(Hop::ends)
    }
}

#[cfg(test)]
mod tests;
