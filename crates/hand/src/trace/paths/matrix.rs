//! Which flow met whom at which distance, and the ways that follow from it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::{Stage, flows_enough};
use crate::probes::AnswerKind;
use crate::trace::Heard;

/// An interface that answered.
#[derive(Clone, Debug)]
pub struct Met {
    /// Its address.
    pub address: IpAddr,
    /// The flows that met it, ascending, from 0.
    pub flows: Vec<u16>,
    /// The shortest round trip.
    pub rtt: Duration,
    /// What it said, the last time.
    pub kind: AnswerKind,
    /// It is the host that is asked.
    pub is_target: bool,
    /// No probe goes on from here.
    pub is_end: bool,
    /// Those of the distance before that sent flows here; empty where that is not known.
    pub behind: Vec<IpAddr>,
}

/// Everything about one distance.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    flows: BTreeMap<u16, Cell>,
    /// In the order of the first flow of each.
    met: Vec<Met>,
}

/// What became of the probes of one flow at one distance.
#[derive(Clone, Debug, Default)]
struct Cell {
    open: u16,
    silent: u16,
    answers: Vec<IpAddr>,
}

/// Flows that come from one place.
#[derive(Clone, Debug)]
pub(super) enum Group<'a> {
    /// All of them.
    Every,
    /// These.
    Of(&'a [u16]),
}

/// How much a distance knows of a group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    /// Flows answered, not answered, awaited.
    answered: u16,
    silent: u16,
    pub(super) open: u16,
    interfaces: u16,
}

impl Count {
    fn wanted(self) -> u16 {
        flows_enough(self.interfaces)
    }

    /// So many answers that none is missing, by the rule.
    pub(super) fn is_sure(self) -> bool {
        self.answered >= self.wanted() || (self.answered == 0 && self.silent >= self.wanted())
    }

    /// The same, or as many probes went for nothing as were wanted.
    pub(super) fn is_enough(self) -> bool {
        self.is_sure() || self.answered + self.silent >= 2 * self.wanted()
    }

    /// Enough, if all that is awaited is answered; of a distance that has been silent only so much is asked at once.
    pub(super) fn has_enough_under_way(self) -> bool {
        let of_use = if self.answered == 0 { self.silent } else { self.answered };
        self.open > 0 && of_use + self.open >= self.wanted()
    }

    /// Flows that are still to be found.
    pub(super) fn lacking(self) -> u16 {
        self.wanted().saturating_sub(self.answered + self.open)
    }
}

impl Row {
    pub(super) fn started(&mut self, flow: u16) {
        self.flows.entry(flow).or_default().open += 1;
    }

    pub(super) fn silent(&mut self, flow: u16) {
        let cell = self.flows.entry(flow).or_default();
        cell.open = cell.open.saturating_sub(1);
        cell.silent += 1;
    }

    pub(super) fn answered(&mut self, heard: Heard) {
        let (flow, address) = (heard.flow, heard.from);
        let cell = self.flows.entry(flow).or_default();
        cell.open = cell.open.saturating_sub(1);
        cell.answers.push(address);
        let is_end = heard.is_target || !heard.is_on_the_way();
        let at = self.met.iter().position(|it| it.address == address).unwrap_or_else(|| {
            let (flows, behind) = (Vec::new(), Vec::new());
            let Heard { kind, rtt, is_target, .. } = heard;
            self.met.push(Met { address, flows, rtt, kind, is_target, is_end, behind });
            self.met.len() - 1
        });
        let it = &mut self.met[at];
        (it.rtt, it.kind, it.is_end) = (it.rtt.min(heard.rtt), heard.kind, it.is_end || is_end);
        if let Err(place) = it.flows.binary_search(&flow) {
            it.flows.insert(place, flow);
        }
        self.met.sort_by(|one, other| one.flows.cmp(&other.flows));
    }

    /// Those who answered, in the order of the first flow of each.
    pub(super) fn interfaces(&self) -> &[Met] {
        &self.met
    }

    /// A probe to here has come to its end.
    pub(super) fn has_any(&self) -> bool {
        !self.met.is_empty() || self.silent_flows() > 0
    }

    pub(super) fn has(&self, flow: u16) -> bool {
        self.flows.contains_key(&flow)
    }

    pub(super) fn is_open(&self, flow: u16) -> bool {
        self.flows.get(&flow).is_some_and(|cell| cell.open > 0)
    }

    /// Flows that are awaited here.
    pub(super) fn open(&self) -> u16 {
        u16::try_from(self.flows.values().filter(|cell| cell.open > 0).count()).unwrap_or(u16::MAX)
    }

    /// The way of a flow ends here.
    pub(super) fn ends(&self, flow: u16) -> bool {
        self.met.iter().any(|it| it.is_end && it.flows.binary_search(&flow).is_ok())
    }

    pub(super) fn silent_flows(&self) -> u16 {
        let silent = self.flows.values().filter(|cell| cell.answers.is_empty() && cell.silent > 0);
        u16::try_from(silent.count()).unwrap_or(u16::MAX)
    }

    /// Packets of one flow met different interfaces.
    pub(super) fn is_by_packet(&self) -> bool {
        self.flows.values().any(|cell| cell.answers.iter().any(|it| *it != cell.answers[0]))
    }

    /// Probes of a flow that ended, and that are awaited.
    pub(super) fn probes_of(&self, flow: u16) -> (u16, u16) {
        let ended = |cell: &Cell| u16::try_from(cell.answers.len()).unwrap_or(u16::MAX).saturating_add(cell.silent);
        self.flows.get(&flow).map_or((0, 0), |cell| (ended(cell), cell.open))
    }

    /// The first flow of a group that met several interfaces.
    pub(super) fn parted(&self, group: &Group<'_>) -> Option<u16> {
        let mut flows = self.of(group).filter(|(_, cell)| !cell.answers.is_empty());
        let (first, cell) = flows.next()?;
        flows.any(|(_, other)| other.answers[0] != cell.answers[0]).then_some(first)
    }

    pub(super) fn count(&self, group: &Group<'_>) -> Count {
        let mut count = Count::default();
        let mut interfaces: Vec<IpAddr> = Vec::new();
        for (_, cell) in self.of(group) {
            match cell.answers.first() {
                Some(address) => {
                    count.answered += 1;
                    if !interfaces.contains(address) {
                        interfaces.push(*address);
                    }
                }
                None if cell.open > 0 => count.open += 1,
                None => count.silent += 1,
            }
        }
        count.interfaces = u16::try_from(interfaces.len()).unwrap_or(u16::MAX);
        count
    }

    fn of<'a>(&'a self, group: &'a Group<'_>) -> impl Iterator<Item = (u16, &'a Cell)> {
        let is_in = move |flow: &u16| match group {
            Group::Every => true,
            Group::Of(flows) => flows.binary_search(flow).is_ok(),
        };
        self.flows.iter().filter(move |(flow, _)| is_in(flow)).map(|(flow, cell)| (*flow, cell))
    }
}

/// A whole way, and a flow that takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The flow with the lowest number, from 0.
    pub flow: u16,
    /// Whom it meets, hop after hop; `None`: nobody answers there.
    pub hops: Vec<Option<IpAddr>>,
}

/// What was found as a whole.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// Each way that a flow was seen to take all along, by the flow's number.
    pub all: Vec<Way>,
    /// Where ways part: the TTL and the interface before several next ones; `None`: behind a hop that does not answer, or at the
    /// start.
    pub part: Vec<(u8, Option<IpAddr>)>,
    /// Where they meet: the TTL and an interface behind several.
    pub meet: Vec<(u8, IpAddr)>,
    /// Each packet is sent its own way, at this TTL first.
    pub by_packet: Option<u8>,
}

/// The most ways that are listed: a person reads no more, and the stages tell all.
const WAYS_MAX: usize = 16;

pub(super) fn ways(stages: &[Stage]) -> Ways {
    let by_packet = stages.iter().find(|stage| stage.by_packet).map(|stage| stage.ttl);
    let mut found = Ways { by_packet, ..Ways::default() };
    let none: &[Met] = &[];
    for (index, stage) in stages.iter().enumerate() {
        let before = index.checked_sub(1).map_or(none, |before| &stages[before].met);
        let ttl = stage.ttl.saturating_sub(1);
        match before {
            [] if stage.met.len() > 1 => found.part.push((ttl, None)),
            [] => {}
            all => {
                let leads = |one: &Met| stage.met.iter().filter(|it| it.behind.contains(&one.address)).count();
                found.part.extend(all.iter().filter(|one| leads(one) > 1).map(|one| (ttl, Some(one.address))));
            }
        }
        let meets = stage.met.iter().filter(|it| it.behind.len() > 1);
        found.meet.extend(meets.map(|it| (stage.ttl, it.address)));
    }
    if by_packet.is_none() {
        found.all = whole(stages);
    }
    found
}

/// The different ways of flows that are known all along.
fn whole(stages: &[Stage]) -> Vec<Way> {
    let mut all: Vec<Way> = Vec::new();
    let last = stages.iter().flat_map(|stage| &stage.met).flat_map(|it| &it.flows).max().copied().unwrap_or(0);
    for flow in 0..=last {
        let Some(hops) = of_flow(stages, flow) else { continue };
        if all.len() < WAYS_MAX && !all.iter().any(|way| way.hops == hops) {
            all.push(Way { flow, hops });
        }
    }
    all
}

/// Whom a flow meets; `None` where it was not sent to a distance at which there is a choice.
fn of_flow(stages: &[Stage], flow: u16) -> Option<Vec<Option<IpAddr>>> {
    let mut hops = Vec::new();
    for stage in stages {
        let met = match stage.met.as_slice() {
            [] => None,
            [one] => Some(one),
            all => Some(all.iter().find(|it| it.flows.binary_search(&flow).is_ok())?),
        };
        hops.push(met.map(|it| it.address));
        if met.is_some_and(|it| it.is_end) {
            break;
        }
    }
    Some(hops)
}
