//! The way to a host, hop by hop, sans-IO: probes with a growing TTL, and what their answers say of each router.
//!
//! In: how many probes a hop and hops at most; probes started, answered, given up.
//! Out: the TTL of the next probe; each [`Hop`] when all of its probes have come to an end, in order, with what it tells.
//! Above: `ww trace`. Below: probes (answers), quoted (what a quote shows).
//! Not here: packets, sending, the clock.

mod tells;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

pub use tells::{Odd, Rewriting};

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
}

/// An answer to a probe of a hop.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Who answered.
    pub from: IpAddr,
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
}

/// What was heard of one distance.
#[derive(Clone, Debug, Default)]
pub struct Hop {
    /// The TTL of its probes.
    pub ttl: u8,
    /// The answers, as they came.
    pub heard: Vec<Heard>,
    /// Probes that nobody answered.
    pub silent: u8,
    awaited: u8,
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
    probes: BTreeMap<ProbeId, u8>,
    told: usize,
    known: Known,
}

impl Trace {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(wishes: Wishes) -> Self {
        Self { wishes, hops: Vec::new(), probes: BTreeMap::new(), told: 0, known: Known::default() }
    }

    /// The TTL of the probe to send now; `None`: none now, or none any more.
    #[must_use]
    pub fn next_ttl(&self) -> Option<u8> {
        if self.probes.len() >= self.wishes.in_flight {
            return None;
        }
        let ends_before = self.end().is_some_and(|end| end + 1 < self.hops.len());
        let started = |hop: &Hop| hop.heard.len() + usize::from(hop.silent) + usize::from(hop.awaited);
        match self.hops.last() {
            _ if ends_before => None,
            Some(hop) if started(hop) < usize::from(self.wishes.each) => Some(hop.ttl),
            _ if self.end().is_some() => None,
            last => last.map_or(0, |hop| hop.ttl).checked_add(1).filter(|ttl| *ttl <= self.wishes.hops),
        }
    }

    /// A probe with this TTL was started.
    pub fn started(&mut self, probe: ProbeId, ttl: u8) {
        if self.hops.last().is_none_or(|hop| hop.ttl < ttl) {
            self.hops.push(Hop { ttl, ..Hop::default() });
        }
        if let Some(hop) = self.hops.iter_mut().find(|hop| hop.ttl == ttl) {
            hop.awaited += 1;
            self.probes.insert(probe, ttl);
        }
    }

    /// A probe was answered; one that is not awaited is passed over.
    pub fn answered(&mut self, probe: ProbeId, heard: Heard) {
        if let Some(hop) = self.ended(probe) {
            hop.heard.push(heard);
        }
    }

    /// Nobody answered a probe.
    pub fn silent(&mut self, probe: ProbeId) {
        if let Some(hop) = self.ended(probe) {
            hop.silent += 1;
        }
    }

    fn ended(&mut self, probe: ProbeId) -> Option<&mut Hop> {
        let ttl = self.probes.remove(&probe)?;
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
        let (rewritings, odd) = self.known.tells(hop);
        Some(Told { hop: hop.clone(), rewritings, odd })
    }

    /// Nothing more is to be sent or told.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.end() {
            Some(end) => self.told > end,
            None => self.told == usize::from(self.wishes.hops),
        }
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
