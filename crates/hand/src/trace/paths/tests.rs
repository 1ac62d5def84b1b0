//! Networks in a function: where a flow is after so many hops.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::BTreeSet;
use std::vec::Vec;

use wirewright_units::Instant;

use super::*;
use crate::probes::{AnswerKind, IcmpError};

const WISHES: PathWishes = PathWishes { hops: 30, flows: FLOWS_MAX, in_flight: 16, one_a_flow: false };

/// The host that is asked.
const TARGET: u8 = 100;

fn address(number: u8) -> IpAddr {
    Ipv4Addr::new(203, 0, 113, number).into()
}

/// What a balancer makes of a flow: alike for alike.
fn hash(seed: u64, balancer: u8, flow: u64) -> usize {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(balancer) << 32 ^ flow;
    for _ in 0..3 {
        x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (x >> 33) as usize
}

/// What came of a search: the stages, the probes that it took.
struct Found {
    stages: Vec<Stage>,
    ways: Ways,
    probes: u64,
    is_reached: bool,
}

impl Found {
    fn met(&self) -> Vec<Vec<u8>> {
        let number = |it: &Met| match it.address {
            IpAddr::V4(v4) => v4.octets()[3],
            IpAddr::V6(_) => 0,
        };
        let sorted = |stage: &Stage| stage.met.iter().map(number).collect::<BTreeSet<u8>>().into_iter().collect();
        self.stages.iter().map(sorted).collect()
    }

    fn links(&self) -> BTreeSet<(IpAddr, IpAddr)> {
        let all = self.stages.iter().flat_map(|stage| &stage.met);
        all.flat_map(|it| it.behind.iter().map(|from| (*from, it.address))).collect()
    }
}

/// Searches a network in which `at` says who answers a probe, by TTL, flow and the number of the packet.
fn search(wishes: PathWishes, at: impl Fn(u8, u16, u64) -> Option<u8>) -> Found {
    let (mut paths, mut stages, mut probes) = (Paths::new(wishes), Vec::new(), 0_u32);
    let mut open = Vec::new();
    while !paths.is_over() {
        while let Some(asking) = paths.next_probe() {
            assert!(open.len() < wishes.in_flight);
            paths.started(probes, asking);
            open.push((probes, asking));
            probes += 1;
        }
        assert!(!open.is_empty(), "nothing is awaited, and it is not over: {paths:?}");
        // Neither the oldest nor the newest first.
        let (probe, Asking { ttl, flow }) = open.swap_remove(hash(7, 0, probes.into()) % open.len());
        assert_eq!(paths.flow_of(probe), Some(flow));
        match at(ttl, flow, probe.into()) {
            Some(number) => {
                let is_target = number == TARGET;
                let (kind, code) = if is_target { (3, 3) } else { (11, 0) };
                let kind = AnswerKind::IcmpError(IcmpError { v6: false, kind, code, mtu: 0 });
                let (from, rtt, at) = (address(number), Duration::from_millis(1), Instant::ORIGIN);
                paths.answered(probe, Heard { flow, from, at, rtt, kind, ttl: None, quoted: None, is_target });
            }
            None => paths.silent(probe),
        }
        stages.extend(core::iter::from_fn(|| paths.poll_stage()));
    }
    Found { stages, ways: paths.ways(), probes: probes.into(), is_reached: paths.is_reached() }
}

/// The fork of the lab: 1, then 11 or 12, then 21 or 22, then the host.
fn fork(seed: u64, ttl: u8, flow: u16) -> u8 {
    let side = (hash(seed, 1, flow.into()) % 2) as u8;
    match ttl {
        1 => 1,
        2 | 3 => 10 * (ttl - 1) + 1 + side,
        _ => TARGET,
    }
}

#[test]
fn a_way_that_does_not_split_takes_six_flows_a_hop() {
    let found = search(WISHES, |ttl, _, _| Some(if ttl < 5 { ttl } else { TARGET }));
    assert_eq!((found.probes, found.is_reached), (30, true));
    assert_eq!(found.met(), [[1], [2], [3], [4], [TARGET]]);
    assert!(found.ways.part.is_empty() && found.ways.meet.is_empty() && found.ways.by_packet.is_none());
    assert_eq!(found.ways.all.len(), 1);
    assert!(found.stages.iter().all(|stage| !stage.is_open && stage.silent == 0));
}

#[test]
fn both_ways_of_a_fork_are_found_with_their_links() {
    let missed = (0..120).filter(|seed| {
        let found = search(WISHES, |ttl, flow, _| Some(fork(*seed, ttl, flow)));
        assert!(found.probes < 90, "{}", found.probes);
        if found.met()[1].len() == 1 {
            return true;
        }
        assert_eq!(found.met(), [[1].to_vec(), [11, 12].to_vec(), [21, 22].to_vec(), [TARGET].to_vec()]);
        let links = [(1, 11), (1, 12), (11, 21), (12, 22), (21, TARGET), (22, TARGET)];
        assert_eq!(found.links(), links.map(|(from, to)| (address(from), address(to))).into_iter().collect());
        assert_eq!(found.ways.part, [(1, Some(address(1)))]);
        assert_eq!(found.ways.meet, [(4, address(TARGET))]);
        assert_eq!((found.ways.all.len(), found.ways.by_packet), (2, None));
        for way in &found.ways.all {
            let met: Vec<_> = (1..=4).map(|ttl| Some(address(fork(*seed, ttl, way.flow)))).collect();
            assert_eq!(way.hops, met);
        }
        false
    });
    // Six flows on one of two ways: one in 32.
    let missed = missed.count();
    assert!(missed <= 120 * 5 / 100, "{missed} of 120");
}

#[test]
fn a_fork_behind_one_side_of_a_fork_is_searched_for_its_own_sake() {
    // 1 → 11 or 12; 11 → 21 to 24; 12 → 25; all → 31 → the host.
    let at = |seed: u64, ttl: u8, flow: u16| match ttl {
        1 => 1,
        2 => 11 + (hash(seed, 1, flow.into()) % 2) as u8,
        3 if hash(seed, 1, flow.into()).is_multiple_of(2) => 21 + (hash(seed, 2, flow.into()) % 4) as u8,
        3 => 25,
        4 => 31,
        _ => TARGET,
    };
    let missed = (0..80).filter(|seed| {
        let found = search(WISHES, |ttl, flow, _| Some(at(*seed, ttl, flow)));
        found.met()[2] != [21, 22, 23, 24, 25] || found.links().len() != 2 + 5 + 5 + 1
    });
    // Two balancers, each sure to 95 %.
    let missed = missed.count();
    assert!(missed <= 80 * 10 / 100, "{missed} of 80");
}

#[test]
fn a_wide_fork_is_searched_as_far_as_the_limit_lets() {
    let at = |ttl: u8, flow: u16| match ttl {
        1 => 1,
        2 => 10 + (hash(3, 1, flow.into()) % 12) as u8,
        _ => TARGET,
    };
    let found = search(WISHES, |ttl, flow, _| Some(at(ttl, flow)));
    assert_eq!((found.met()[1].len(), found.stages[1].is_open), (12, false));
    let limited = search(PathWishes { flows: 20, ..WISHES }, |ttl, flow, _| Some(at(ttl, flow)));
    assert!(limited.stages[1].is_open && limited.is_reached);
    let flows: BTreeSet<u16> = limited.stages.iter().flat_map(|it| &it.met).flat_map(|it| it.flows.clone()).collect();
    assert!(flows.iter().all(|flow| *flow < 20));
}

#[test]
fn ways_of_different_length_end_each_at_the_host() {
    let at = |ttl: u8, flow: u16| match (ttl, hash(5, 1, flow.into()) % 2) {
        (1, _) => 1,
        (2, side) => 11 + side as u8,
        (3, 0) => TARGET,
        (3, _) => 21,
        _ => TARGET,
    };
    let found = search(WISHES, |ttl, flow, _| Some(at(ttl, flow)));
    assert_eq!(found.met(), [[1].to_vec(), [11, 12].to_vec(), [21, TARGET].to_vec(), [TARGET].to_vec()]);
    let lengths: BTreeSet<usize> = found.ways.all.iter().map(|way| way.hops.len()).collect();
    assert_eq!(lengths, BTreeSet::from([3, 4]));
    // Who was reached already is not asked again from further away.
    assert!(found.stages[3].met[0].flows.iter().all(|flow| at(3, *flow) == 21));
}

#[test]
fn packets_of_one_flow_on_several_ways_are_told_from_flows() {
    let found = search(WISHES, |ttl, _, packet| Some(fork(1, ttl, packet as u16)));
    assert_eq!(found.ways.by_packet, Some(2));
    assert!(found.stages[1].by_packet && found.ways.all.is_empty());
    assert_eq!(found.met(), [[1].to_vec(), [11, 12].to_vec(), [21, 22].to_vec(), [TARGET].to_vec()]);
    // Which of the two leads to which of the next is not known.
    assert!(found.stages[2].met.iter().all(|it| it.behind.is_empty()));
    assert!((0..20).all(|seed| !search(WISHES, |ttl, flow, _| Some(fork(seed, ttl, flow))).stages[1].by_packet));
}

#[test]
fn silence_is_no_way_of_its_own() {
    // The second hop never answers, and every fifth probe is lost.
    let found = search(WISHES, |ttl, flow, packet| {
        let is_lost = packet.is_multiple_of(5) || ttl == 2;
        (!is_lost).then(|| fork(2, if ttl > 2 { ttl - 1 } else { ttl }, flow))
    });
    assert_eq!(found.met(), [[1].to_vec(), [].to_vec(), [11, 12].to_vec(), [21, 22].to_vec(), [TARGET].to_vec()]);
    assert_eq!(found.ways.part, [(2, None)]);
    assert_eq!(found.stages[1].silent, 6);
    assert!(found.ways.all.iter().all(|way| way.hops[1].is_none()));
    let silent = search(PathWishes { hops: 4, ..WISHES }, |_, _, _| None);
    assert_eq!((silent.stages.len(), silent.probes, silent.is_reached), (4, 24, false));
    assert!(silent.ways.part.is_empty());
}

#[test]
fn flows_whose_probes_look_alike_are_asked_one_probe_at_a_time() {
    let mut paths = Paths::new(PathWishes { one_a_flow: true, ..WISHES });
    let first = (0..6).map_while(|id| {
        let asking = paths.next_probe()?;
        paths.started(id, asking);
        Some(asking.flow)
    });
    assert_eq!(first.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    let found = search(PathWishes { one_a_flow: true, ..WISHES }, |ttl, flow, _| Some(fork(1, ttl, flow)));
    assert_eq!(found.met()[1], [11, 12]);
}
