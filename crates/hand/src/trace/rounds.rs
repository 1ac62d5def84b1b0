//! A way traced round after round, and what each hop's answers add up to.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use wirewright_units::Instant;

use super::{Asking, Heard};
use crate::probes::ProbeId;

/// How rounds go.
#[derive(Clone, Copy, Debug)]
pub struct RoundWishes {
    /// The largest TTL.
    pub hops: u8,
    /// Flows that take turns, one a round.
    pub flows: u16,
    /// Rounds at most.
    pub rounds: u64,
    /// From the begin of one to the begin of the next.
    pub every: Duration,
    /// Nothing tells the probes of one flow apart: only one of each is on its way.
    pub one_a_flow: bool,
}

/// Probes of a flow whose end is not known that await an answer together: what is asked behind the host is asked for nothing.
const UNKNOWN_IN_FLIGHT: usize = 5;

/// The most hops beyond the last that ever answered: a way that goes on in silence is not asked to its largest TTL each round.
const SILENT_HOPS_MAX: u8 = 5;

/// The most addresses of one hop that are kept; who forges answers gets no further memory.
const ADDRESSES_MAX: usize = 32;

/// What the answers of one hop add up to.
#[derive(Clone, Debug, Default)]
pub struct HopTimes {
    /// The TTL of its probes.
    pub ttl: u8,
    /// Probes that were sent, and those of them that await an answer still.
    pub sent: u64,
    /// Awaited.
    pub awaited: u64,
    /// Answered in time.
    pub answered: u64,
    /// The newest time.
    pub last: Option<Duration>,
    /// The shortest.
    pub best: Option<Duration>,
    /// The longest.
    pub worst: Option<Duration>,
    /// All times together.
    pub total: Duration,
    /// Who answered, in the order in which they did first, each with the flows that met it.
    pub addresses: Vec<(IpAddr, Vec<u16>)>,
    /// The host itself answered.
    pub is_target: bool,
}

impl HopTimes {
    /// The mean time; `None` before there is one.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        u32::try_from(self.answered).ok().filter(|count| *count > 0).map(|count| self.total / count)
    }

    /// Probes that nobody answered in time.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sent - self.awaited - self.answered
    }

    /// The same in thousandths of those that came to an end; `None` before one did.
    #[must_use]
    pub fn loss_permille(&self) -> Option<u64> {
        let ended = self.sent - self.awaited;
        (ended > 0).then(|| self.lost().saturating_mul(1000) / ended)
    }

    fn heard(&mut self, heard: &Heard) {
        self.answered += 1;
        self.total = self.total.saturating_add(heard.rtt);
        self.last = Some(heard.rtt);
        self.best = Some(self.best.map_or(heard.rtt, |best| best.min(heard.rtt)));
        self.worst = Some(self.worst.map_or(heard.rtt, |worst| worst.max(heard.rtt)));
        self.is_target |= heard.is_target;
        let is_full = self.addresses.len() >= ADDRESSES_MAX;
        match self.addresses.iter_mut().find(|(address, _)| *address == heard.from) {
            Some((_, flows)) if flows.contains(&heard.flow) => {}
            Some((_, flows)) => flows.push(heard.flow),
            None if is_full => {}
            None => self.addresses.push((heard.from, alloc::vec![heard.flow])),
        }
    }
}

/// The rounds of a trace.
#[derive(Debug)]
pub struct Rounds {
    wishes: RoundWishes,
    hops: Vec<HopTimes>,
    open: BTreeMap<ProbeId, Asking>,
    /// The TTL at which each flow's way ends.
    ends: BTreeMap<u16, u8>,
    /// The largest TTL at which a router answered each flow.
    passed: BTreeMap<u16, u8>,
    /// Rounds begun.
    round: u64,
    /// When the round at work began.
    begun: Instant,
    /// The TTL of the next probe of this round.
    next: u8,
}

impl Rounds {
    /// Nothing sent yet; the first round begins at `now`.
    #[must_use]
    pub fn new(now: Instant, wishes: RoundWishes) -> Self {
        let (open, ends, passed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { wishes, hops: Vec::new(), open, ends, passed, round: 1, begun: now, next: 1 }
    }

    /// The probe to send at `now`; `None`: none now, or none any more.
    #[must_use]
    pub fn next_probe(&self, now: Instant) -> Option<Asking> {
        if !self.is_through() {
            return self.of_round(self.round, self.next);
        }
        (self.round < self.wishes.rounds && self.poll_timeout().is_some_and(|at| at <= now))
            .then(|| self.of_round(self.round + 1, 1))
            .flatten()
    }

    /// When the next round begins; `None`: this one is at work, or was the last.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.is_through() && self.round < self.wishes.rounds).then(|| self.begun + self.wishes.every)
    }

    /// A probe was started at `now`.
    pub fn started(&mut self, now: Instant, probe: ProbeId, asking: Asking) {
        if self.is_through() {
            self.round += 1;
            self.begun = now;
        }
        self.next = asking.ttl.saturating_add(1);
        while self.hops.len() < usize::from(asking.ttl) {
            let ttl = u8::try_from(self.hops.len() + 1).unwrap_or(u8::MAX);
            self.hops.push(HopTimes { ttl, ..HopTimes::default() });
        }
        let hop = &mut self.hops[usize::from(asking.ttl) - 1];
        (hop.sent, hop.awaited) = (hop.sent + 1, hop.awaited + 1);
        self.open.insert(probe, asking);
    }

    /// The flow and TTL of a probe that is awaited.
    #[must_use]
    pub fn asking_of(&self, probe: ProbeId) -> Option<Asking> {
        self.open.get(&probe).copied()
    }

    /// A probe was answered; one that is not awaited is passed over.
    pub fn answered(&mut self, probe: ProbeId, heard: &Heard) {
        let Some(asking) = self.ended(probe) else { return };
        self.hops[usize::from(asking.ttl) - 1].heard(heard);
        if heard.is_target || !heard.is_on_the_way() {
            let end = self.ends.entry(asking.flow).or_insert(asking.ttl);
            *end = asking.ttl.min(*end);
        } else {
            let passed = self.passed.entry(asking.flow).or_default();
            *passed = asking.ttl.max(*passed);
        }
    }

    /// Nobody answered a probe.
    pub fn silent(&mut self, probe: ProbeId) {
        let _ended = self.ended(probe);
    }

    /// Rounds that were begun.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.round
    }

    /// What is known of each hop, up to the longest way's end, or to the last that answered and a few behind it.
    #[must_use]
    pub fn hops(&self) -> &[HopTimes] {
        let all = self.hops.len().min(usize::from(self.reach(None)));
        &self.hops[..all]
    }

    /// The host was reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.hops.iter().any(|hop| hop.is_target)
    }

    /// Nothing more is to be sent or awaited.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.open.is_empty() && self.is_through() && self.round >= self.wishes.rounds
    }

    fn ended(&mut self, probe: ProbeId) -> Option<Asking> {
        let asking = self.open.remove(&probe)?;
        self.hops[usize::from(asking.ttl) - 1].awaited -= 1;
        Some(asking)
    }

    /// Whose turn a round is.
    fn flow(&self, round: u64) -> u16 {
        // Less than the number of flows, which fits.
        ((round - 1) % u64::from(self.wishes.flows.max(1))) as u16
    }

    /// All probes of the round at work were sent.
    fn is_through(&self) -> bool {
        self.next > self.reach(Some(self.flow(self.round)))
    }

    /// The largest TTL that makes sense, for one flow or for all.
    fn reach(&self, flow: Option<u16>) -> u8 {
        let (shortest, longest) = (self.ends.values().min().copied(), self.ends.values().max().copied());
        let farthest = self.passed.values().max().copied().unwrap_or(0);
        let end = match flow {
            // No router answered behind the nearest place of the host: what it answered from farther off was lost nearer.
            _ if shortest.is_some_and(|shortest| farthest < shortest) => shortest,
            None => longest,
            // Until its own end is known a flow goes as far as the others do, and on only where a router there says so.
            Some(flow) => self.ends.get(&flow).copied().or_else(|| {
                let passed = self.passed.get(&flow).copied().unwrap_or(0);
                longest.filter(|longest| passed < *longest)
            }),
        };
        let last = self.hops.iter().filter(|hop| hop.answered > 0).map(|hop| hop.ttl).max().unwrap_or(0);
        let beyond = last.saturating_add(SILENT_HOPS_MAX);
        end.unwrap_or_else(|| self.wishes.hops.min(beyond))
    }

    fn of_round(&self, round: u64, ttl: u8) -> Option<Asking> {
        let flow = self.flow(round);
        let mut of_flow = self.open.values().filter(|asking| asking.flow == flow);
        let may = match self.ends.contains_key(&flow) {
            _ if self.wishes.one_a_flow => of_flow.next().is_none(),
            true => true,
            false => of_flow.count() < UNKNOWN_IN_FLIGHT,
        };
        (may && ttl <= self.wishes.hops).then_some(Asking { ttl, flow })
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;
    use std::vec::Vec;

    use super::*;
    use crate::probes::{AnswerKind, IcmpError};

    const WISHES: RoundWishes =
        RoundWishes { hops: 30, flows: 2, rounds: 4, every: Duration::from_secs(1), one_a_flow: false };

    fn router(number: u8) -> IpAddr {
        Ipv4Addr::new(203, 0, 113, number).into()
    }

    /// Runs rounds over a way of three routers, by 12 or 22 as the flow has it, on which some probes are lost.
    fn run(wishes: RoundWishes, is_lost: impl Fn(u8, u64) -> bool) -> (Rounds, Vec<(u64, Asking)>) {
        let mut now = Instant::ORIGIN;
        let (mut rounds, mut sent, mut open) = (Rounds::new(now, wishes), Vec::new(), Vec::new());
        while !rounds.is_over() {
            if let Some(asking) = rounds.next_probe(now) {
                let probe = u32::try_from(sent.len()).unwrap();
                rounds.started(now, probe, asking);
                sent.push((rounds.round(), asking));
                open.push(probe);
                continue;
            }
            if open.is_empty() {
                now = rounds.poll_timeout().expect("a round to come");
                continue;
            }
            let probe = open.remove(0);
            let asking = rounds.asking_of(probe).unwrap();
            let Asking { ttl, flow } = asking;
            if is_lost(ttl, rounds.round()) {
                rounds.silent(probe);
                continue;
            }
            let is_target = ttl > 3;
            let from = router(if is_target {
                100
            } else if ttl == 2 {
                12 + 10 * flow as u8
            } else {
                ttl
            });
            let (kind, code) = if is_target { (3, 3) } else { (11, 0) };
            let kind = AnswerKind::IcmpError(IcmpError { v6: false, kind, code, mtu: 0 });
            let rtt = Duration::from_millis(rounds.round());
            rounds.answered(probe, &Heard { flow, from, at: now, rtt, kind, ttl: None, quoted: None, is_target });
        }
        (rounds, sent)
    }

    #[test]
    fn rounds_go_to_the_end_of_the_way_and_flows_take_turns() {
        let (rounds, sent) = run(WISHES, |_, _| false);
        assert!(rounds.is_reached() && rounds.hops().len() == 4);
        // The end of a flow is learned once; then each round asks four hops.
        for round in 3..=4 {
            let of_round: Vec<_> = sent.iter().filter(|(it, _)| *it == round).map(|(_, asking)| *asking).collect();
            let flow = u16::try_from(round - 3).unwrap();
            assert_eq!(of_round, [1, 2, 3, 4].map(|ttl| Asking { ttl, flow }));
        }
        assert!(sent.iter().all(|(_, asking)| asking.ttl < 4 + UNKNOWN_IN_FLIGHT as u8));
        let second = &rounds.hops()[1];
        assert_eq!(second.addresses, [(router(12), [0].to_vec()), (router(22), [1].to_vec())]);
        let millis = |time: Option<Duration>| time.map(|time| time.as_micros());
        assert_eq!((millis(second.best), millis(second.worst)), (Some(1000), Some(4000)));
        assert_eq!((millis(second.last), millis(second.mean())), (Some(4000), Some(2500)));
        assert_eq!((second.sent, second.answered, second.loss_permille()), (4, 4, Some(0)));
    }

    #[test]
    fn a_flow_whose_end_is_lost_is_not_asked_behind_the_host() {
        // The second flow's turn comes in rounds 2 and 4: the host's answers to it are lost.
        let (rounds, sent) = run(WISHES, |ttl, round| ttl == 4 && round % 2 == 0);
        let behind = |round: u64| sent.iter().filter(|(it, asking)| *it == round && asking.ttl > 4).count();
        assert_eq!((behind(2), behind(4), rounds.hops().len()), (0, 0, 4));
        assert_eq!(rounds.hops()[3].loss_permille(), Some(500));
        // The first flow's too, once: it meets the host first where its packets had a TTL more than they need.
        let (rounds, sent) = run(WISHES, |ttl, round| ttl == 4 && round == 1);
        assert!(sent.iter().all(|(round, asking)| *round < 3 || asking.ttl <= 4));
        assert_eq!(rounds.hops().len(), 4);
    }

    #[test]
    fn what_is_lost_is_counted_and_what_is_awaited_is_not() {
        let (rounds, _) = run(WISHES, |ttl, round| ttl == 1 && round == 2);
        assert_eq!((rounds.hops()[0].lost(), rounds.hops()[0].loss_permille()), (1, Some(250)));
        let mut rounds = Rounds::new(Instant::ORIGIN, WISHES);
        assert_eq!(rounds.poll_timeout(), None);
        let asking = rounds.next_probe(Instant::ORIGIN).unwrap();
        rounds.started(Instant::ORIGIN, 1, asking);
        assert_eq!((rounds.hops()[0].lost(), rounds.hops()[0].loss_permille()), (0, None));
    }

    #[test]
    fn a_silent_way_is_not_asked_to_its_largest_ttl() {
        let (rounds, sent) = run(WISHES, |ttl, _| ttl > 2);
        assert!(!rounds.is_reached() && sent.iter().all(|(_, asking)| asking.ttl <= 7));
        assert_eq!(rounds.hops().len(), 7);
        let (rounds, sent) = run(RoundWishes { hops: 3, rounds: 1, ..WISHES }, |_, _| true);
        assert_eq!((sent.len(), rounds.hops().len()), (3, 3));
    }

    #[test]
    fn a_round_begins_when_its_time_has_come_whatever_is_still_awaited() {
        let mut rounds = Rounds::new(Instant::ORIGIN, RoundWishes { hops: 2, flows: 1, ..WISHES });
        for probe in 0..2 {
            let asking = rounds.next_probe(Instant::ORIGIN).unwrap();
            rounds.started(Instant::ORIGIN, probe, asking);
        }
        let next = Instant::ORIGIN + WISHES.every;
        assert_eq!((rounds.next_probe(Instant::from_millis(999)), rounds.poll_timeout()), (None, Some(next)));
        assert_eq!(rounds.next_probe(next), Some(Asking { ttl: 1, flow: 0 }));
        let mut alike = Rounds::new(Instant::ORIGIN, RoundWishes { one_a_flow: true, ..WISHES });
        let asking = alike.next_probe(Instant::ORIGIN).unwrap();
        alike.started(Instant::ORIGIN, 0, asking);
        assert_eq!(alike.next_probe(next), None);
    }
}
