//! All ways to a host: the Multipath Detection Algorithm of Augustin, Friedman and Teixeira (2007), sans-IO.
//!
//! In: the largest TTL, limits; probes started, answered, given up.
//! Out: TTL and flow of the next probe; each [`Stage`] when it and the one behind are settled; the [`Ways`] at the end.
//! Above: `ww trace --paths`. Below: `stop` (how many flows are enough), `matrix` (which flow met whom).
//! Not here: packets, sending, the clock, what a quote tells.
//!
//! Behind each interface flows are sent on until [`flows_enough`] say that no further next interface is left to be found.

mod matrix;
mod stop;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

pub use matrix::{Met, Way, Ways};
pub use stop::{CONFIDENCE_PERCENT, flows_enough};

use super::{Asking, Heard};
use crate::probes::ProbeId;
use matrix::{Group, Row};

/// How all ways are looked for.
#[derive(Clone, Copy, Debug)]
pub struct PathWishes {
    /// The largest TTL.
    pub hops: u8,
    /// The most flows that are sent to one distance: [`FLOWS_MAX`] unless somebody wishes fewer.
    pub flows: u16,
    /// The most probes that await an answer together.
    pub in_flight: usize,
    /// Nothing tells the probes of one flow apart: only one of each is on its way.
    pub one_a_flow: bool,
}

/// The most flows to one distance: enough for 21 interfaces side by side; a wider fork is told as unfinished.
pub const FLOWS_MAX: u16 = 128;

/// What was found at one distance.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The TTL.
    pub ttl: u8,
    /// The interfaces, in the order of the first flow that met each.
    pub met: Vec<Met>,
    /// Flows of which nobody here answered a probe.
    pub silent: u16,
    /// One flow met several interfaces: here the way is chosen for each packet, not for each flow.
    pub by_packet: bool,
    /// The limit of flows, or of the hops' answers, left it open whether there are more.
    pub is_open: bool,
}

/// The search for all ways.
#[derive(Debug)]
pub struct Paths {
    wishes: PathWishes,
    rows: Vec<Row>,
    open: BTreeMap<ProbeId, Asking>,
    told: usize,
}

/// What a distance needs next.
enum Needs {
    /// This probe.
    Probe(Asking),
    /// Answers that are awaited.
    Answers,
    /// Nothing.
    Nothing,
}

impl Paths {
    /// Nothing sent yet.
    #[must_use]
    pub fn new(wishes: PathWishes) -> Self {
        Self { wishes, rows: Vec::new(), open: BTreeMap::new(), told: 0 }
    }

    /// The probe to send now; `None`: none now, or none any more.
    #[must_use]
    pub fn next_probe(&self) -> Option<Asking> {
        if self.open.len() >= self.wishes.in_flight {
            return None;
        }
        for ttl in 1..=self.wishes.hops {
            match self.needs(ttl) {
                Needs::Probe(asking) => {
                    let is_busy = self.wishes.one_a_flow && self.open.values().any(|open| open.flow == asking.flow);
                    return (!is_busy).then_some(asking);
                }
                Needs::Answers => return None,
                Needs::Nothing if self.ends_at(ttl) => return None,
                Needs::Nothing => {}
            }
        }
        None
    }

    /// A probe was started.
    pub fn started(&mut self, probe: ProbeId, asking: Asking) {
        let rows = usize::from(asking.ttl);
        while self.rows.len() < rows {
            self.rows.push(Row::default());
        }
        self.rows[rows - 1].started(asking.flow);
        self.open.insert(probe, asking);
    }

    /// The flow of a probe that is awaited.
    #[must_use]
    pub fn flow_of(&self, probe: ProbeId) -> Option<u16> {
        self.open.get(&probe).map(|asking| asking.flow)
    }

    /// A probe was answered; one that is not awaited is passed over.
    pub fn answered(&mut self, probe: ProbeId, heard: Heard) {
        if let Some(asking) = self.open.remove(&probe) {
            self.rows[usize::from(asking.ttl) - 1].answered(heard);
        }
    }

    /// Nobody answered a probe.
    pub fn silent(&mut self, probe: ProbeId) {
        if let Some(asking) = self.open.remove(&probe) {
            self.rows[usize::from(asking.ttl) - 1].silent(asking.flow);
        }
    }

    /// The next distance that is settled, and the one behind it: what is sent there finds more here too. Each once, in order.
    pub fn poll_stage(&mut self) -> Option<Stage> {
        let ttl = u8::try_from(self.told + 1).ok().filter(|ttl| *ttl <= self.wishes.hops)?;
        if self.told > 0 && self.ends_at(ttl - 1) {
            return None;
        }
        let is_settled = |ttl: u8| matches!(self.needs(ttl), Needs::Nothing);
        let is_last = self.ends_at(ttl) || ttl == self.wishes.hops;
        if !(1..=ttl).all(is_settled) || !(is_last || is_settled(ttl + 1)) {
            return None;
        }
        self.told += 1;
        Some(self.stage(ttl))
    }

    /// The next distance of which something is known, settled or not: what is left when nothing more is sent.
    pub fn poll_unsettled(&mut self) -> Option<Stage> {
        let ttl = u8::try_from(self.told + 1).ok().filter(|ttl| self.row(*ttl).is_some_and(Row::has_any))?;
        self.told += 1;
        Some(Stage { is_open: true, ..self.stage(ttl) })
    }

    /// Nothing more is to be sent or told.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let told = u8::try_from(self.told).unwrap_or(u8::MAX);
        told > 0 && (told == self.wishes.hops || self.ends_at(told))
    }

    /// The host was reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.rows.iter().any(|row| row.interfaces().iter().any(|it| it.is_target))
    }

    /// What there is of this distance, settled or not.
    #[must_use]
    pub fn stage(&self, ttl: u8) -> Stage {
        let Some(row) = self.row(ttl) else {
            return Stage { ttl, met: Vec::new(), silent: 0, by_packet: false, is_open: true };
        };
        let mut met = row.interfaces().to_vec();
        for it in &mut met {
            it.behind = self.behind(ttl, it);
        }
        let is_open = !self.is_by_packet_before(ttl) && self.groups(ttl).iter().any(|group| self.is_cut(ttl, group));
        Stage { ttl, silent: row.silent_flows(), by_packet: row.is_by_packet(), met, is_open }
    }

    /// The whole ways that flows were seen to take, where they part and where they meet.
    #[must_use]
    pub fn ways(&self) -> Ways {
        let stages: Vec<Stage> = (1..=u8::try_from(self.told).unwrap_or(u8::MAX)).map(|ttl| self.stage(ttl)).collect();
        matrix::ways(&stages)
    }

    // From here on: the steps.

    fn row(&self, ttl: u8) -> Option<&Row> {
        self.rows.get(usize::from(ttl).checked_sub(1)?)
    }

    /// The way of each flow ends here, or before.
    fn ends_at(&self, ttl: u8) -> bool {
        let Some(row) = self.row(ttl) else { return false };
        let met = row.interfaces();
        !met.is_empty() && met.iter().all(|it| it.is_end)
    }

    fn is_by_packet_before(&self, ttl: u8) -> bool {
        (1..ttl).any(|ttl| self.row(ttl).is_some_and(Row::is_by_packet))
    }

    /// The flows that come to this distance from one interface of the one before; where that has one interface, or none that
    /// answers, or packets of one flow are spread, they are all flows.
    fn groups(&self, ttl: u8) -> Vec<Group<'_>> {
        let Some(before) = self.row(ttl - 1) else { return alloc::vec![Group::Every] };
        let met = before.interfaces();
        if met.len() < 2 || self.is_by_packet_before(ttl) {
            return alloc::vec![Group::Every];
        }
        met.iter().filter(|it| !it.is_end).map(|it| Group::Of(&it.flows)).collect()
    }

    fn needs(&self, ttl: u8) -> Needs {
        let groups = self.groups(ttl);
        let mut waits = false;
        for group in &groups {
            match self.group_needs(ttl, group) {
                Needs::Nothing => {}
                Needs::Answers => waits = true,
                probe => return probe,
            }
        }
        if waits {
            return Needs::Answers;
        }
        match self.spread_needs(ttl, &groups) {
            Needs::Nothing => self.link_needs(ttl),
            other => other,
        }
    }

    /// Flows of a group to this distance, until there are enough.
    fn group_needs(&self, ttl: u8, group: &Group<'_>) -> Needs {
        let empty = Row::default();
        let row = self.row(ttl).unwrap_or(&empty);
        let seen = row.count(group);
        if seen.is_enough() {
            return if seen.open > 0 { Needs::Answers } else { Needs::Nothing };
        }
        if seen.has_enough_under_way() {
            return Needs::Answers;
        }
        let here = |flow| Needs::Probe(Asking { ttl, flow });
        match group {
            Group::Every => match (0..self.wishes.flows).find(|flow| !row.has(*flow) && self.goes_on(ttl, *flow)) {
                Some(flow) => here(flow),
                None if seen.open > 0 => Needs::Answers,
                None => Needs::Nothing,
            },
            Group::Of(flows) => {
                if let Some(flow) = flows.iter().copied().find(|flow| !row.has(*flow)) {
                    return here(flow);
                }
                // Further flows are sent to the distance before: some of them come to this interface.
                let before = self.row(ttl - 1).unwrap_or(&empty);
                let under_way = before.open();
                if under_way > 0 && under_way >= seen.lacking() {
                    return Needs::Answers;
                }
                match (0..self.wishes.flows).find(|flow| !before.has(*flow) && self.goes_on(ttl - 1, *flow)) {
                    Some(flow) => Needs::Probe(Asking { ttl: ttl - 1, flow }),
                    None if seen.open + under_way > 0 => Needs::Answers,
                    None => Needs::Nothing,
                }
            }
        }
    }

    /// The way of this flow has not ended before this distance, as far as it is known.
    fn goes_on(&self, ttl: u8, flow: u16) -> bool {
        (1..ttl).all(|ttl| self.row(ttl).is_none_or(|row| !row.ends(flow)))
    }

    /// Where a group was parted, one of its flows again: whether each of its packets goes the same way.
    fn spread_needs(&self, ttl: u8, groups: &[Group<'_>]) -> Needs {
        let Some(row) = self.row(ttl) else { return Needs::Nothing };
        if row.is_by_packet() || self.is_by_packet_before(ttl) {
            return Needs::Nothing;
        }
        let Some(flow) = groups.iter().find_map(|group| row.parted(group)) else { return Needs::Nothing };
        match row.probes_of(flow) {
            (ended, open) if ended + open < flows_enough(1) => Needs::Probe(Asking { ttl, flow }),
            (_, 0) => Needs::Nothing,
            _ => Needs::Answers,
        }
    }

    /// A flow to the distance before, for an interface of which no flow was sent there.
    fn link_needs(&self, ttl: u8) -> Needs {
        let (Some(row), Some(before)) = (self.row(ttl), self.row(ttl - 1)) else { return Needs::Nothing };
        if before.interfaces().len() < 2 || self.is_by_packet_before(ttl) {
            return Needs::Nothing;
        }
        for it in row.interfaces() {
            if it.flows.iter().any(|flow| before.is_open(*flow)) {
                return Needs::Answers;
            }
            if !it.flows.iter().any(|flow| before.has(*flow)) {
                return Needs::Probe(Asking { ttl: ttl - 1, flow: it.flows[0] });
            }
        }
        Needs::Nothing
    }

    /// The limit of flows, or silence, ended the search of a group.
    fn is_cut(&self, ttl: u8, group: &Group<'_>) -> bool {
        self.row(ttl).is_none_or(|row| !row.count(group).is_sure())
    }

    /// Which interfaces of the distance before flows came from.
    fn behind(&self, ttl: u8, it: &Met) -> Vec<IpAddr> {
        let Some(before) = self.row(ttl - 1) else { return Vec::new() };
        let met = before.interfaces();
        if self.is_by_packet_before(ttl) && met.len() > 1 {
            return Vec::new();
        }
        match met {
            [one] => alloc::vec![one.address],
            all => {
                let leads = |one: &&Met| one.flows.iter().any(|flow| it.flows.contains(flow));
                all.iter().filter(leads).map(|one| one.address).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests;
