//! A way of three routers, told by scripted answers.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::vec::Vec;

use wirewright_wire::tcp;

use super::*;
use crate::probes::IcmpError;
use crate::quoted::Difference;

const WISHES: Wishes = Wishes { each: 2, hops: 30, in_flight: 6, one_a_flow: false, scouts: 0 };

fn router(number: u8) -> IpAddr {
    Ipv4Addr::new(203, 0, 113, number).into()
}

/// An answer of a router, or of the host, where the quote's TTL and the rewritten fields are these.
fn heard(from: IpAddr, ttl: u8, is_target: bool, differences: &[Difference]) -> Heard {
    let (kind, code) = if is_target { (3, 3) } else { (11, 0) };
    Heard {
        flow: 0,
        from,
        at: Instant::from_millis(9),
        rtt: Duration::from_micros(50),
        kind: AnswerKind::IcmpError(IcmpError { v6: false, kind, code, mtu: 0 }),
        ttl: Some(61),
        quoted: Some(Quoted { ttl: Some(ttl), differences: differences.to_vec() }),
        is_target,
    }
}

fn mss(seen: u128) -> Difference {
    let option = tcp::DESC.options.and_then(|table| table.kind(2)).unwrap();
    Difference { layer: "tcp", option: Some(option), field: &option.fields[0], sent: 1460, seen }
}

/// Runs a trace in which `answer` says what a probe of a TTL gets; `None`: silence.
fn run(wishes: Wishes, answer: impl Fn(u8, ProbeId) -> Option<Heard>) -> (Trace, Vec<Told>) {
    let (mut trace, mut told, mut id) = (Trace::new(wishes), Vec::new(), 0);
    let mut open = Vec::new();
    while !trace.is_over() {
        while let Some(asking) = trace.next_probe() {
            trace.started(id, asking);
            open.push((id, asking));
            id += 1;
        }
        // The newest first: hops are told in order all the same.
        let (probe, Asking { ttl, flow }) = open.pop().expect("something is awaited");
        match answer(ttl, probe) {
            Some(heard) => trace.answered(probe, Heard { flow, ..heard }),
            None => trace.silent(probe),
        }
        told.extend(core::iter::from_fn(|| trace.poll_hop()));
    }
    (trace, told)
}

fn plain(ttl: u8) -> Option<Heard> {
    Some(if ttl < 4 { heard(router(ttl), 1, false, &[]) } else { heard(router(100), ttl - 3, true, &[]) })
}

#[test]
fn hops_are_told_in_order_and_the_way_ends_at_the_host() {
    let (trace, told) = run(WISHES, |ttl, _| plain(ttl));
    assert!(trace.is_reached());
    let ways: Vec<_> = told.iter().map(|it| (it.hop.ttl, it.hop.addresses())).collect();
    assert_eq!(ways, [1, 2, 3, 100].map(|n| (n.min(4), [router(n)].to_vec())));
    assert!(told.iter().all(|it| it.rewritings.is_empty() && it.odd.is_empty() && !it.hop.splits()), "{told:?}");
}

#[test]
fn a_silent_way_ends_at_the_largest_ttl() {
    let (trace, told) = run(Wishes { hops: 5, ..WISHES }, |_, _| None);
    assert!(!trace.is_reached() && told.len() == 5 && told.iter().all(|it| it.hop.silent == 2));
}

#[test]
fn no_more_probes_are_in_flight_than_wished() {
    let mut trace = Trace::new(WISHES);
    for id in 0..6 {
        let asking = trace.next_probe().unwrap();
        assert_eq!((u32::from(asking.ttl), u32::from(asking.flow)), (id / 2 + 1, id % 2));
        trace.started(id, asking);
    }
    assert_eq!(trace.next_probe(), None);
    trace.silent(5);
    assert_eq!(trace.next_probe(), Some(Asking { ttl: 4, flow: 0 }));
}

#[test]
fn probes_that_nothing_tells_apart_leave_one_a_flow() {
    let mut trace = Trace::new(Wishes { one_a_flow: true, ..WISHES });
    for id in 0..2 {
        let asking = trace.next_probe().unwrap();
        trace.started(id, asking);
    }
    assert_eq!(trace.next_probe(), None);
    trace.silent(1);
    assert_eq!(trace.next_probe(), None);
    trace.silent(0);
    assert_eq!(trace.next_probe(), Some(Asking { ttl: 2, flow: 0 }));
}

#[test]
fn answers_that_name_no_probe_get_the_times_of_their_flows_order() {
    let mut trace = Trace::new(Wishes { each: 1, ..WISHES });
    for id in 0..3 {
        let asking = trace.next_probe().unwrap();
        trace.started(id, asking);
    }
    // Three probes leave 1 ms apart, and each is answered after 5 ms: matched to the newest that is open.
    for (at, probe) in [(5, 2), (6, 1), (7, 0)] {
        let rtt = Duration::from_millis(at - u64::from(probe));
        let kind = AnswerKind::UdpReply { data: 1 };
        let answer =
            Heard { at: Instant::from_millis(at), rtt, kind, quoted: None, ..heard(router(100), 1, true, &[]) };
        trace.answered(probe, answer);
    }
    assert_eq!(trace.hops.iter().map(|hop| hop.heard[0].rtt.as_millis()).collect::<Vec<_>>(), [5, 5, 5]);
}

#[test]
fn a_rewritten_field_is_told_once_between_its_neighbours() {
    let (_, told) = run(WISHES, |ttl, _| {
        let mut heard = plain(ttl)?;
        if ttl >= 3 {
            heard.quoted.as_mut()?.differences.push(mss(1380));
        }
        Some(heard)
    });
    assert!(told[..2].iter().all(|it| it.rewritings.is_empty()) && told[3].rewritings.is_empty());
    let [rewriting] = told[2].rewritings.as_slice() else { panic!("{:?}", told[2]) };
    assert_eq!((rewriting.behind, rewriting.before), (Some((2, router(2))), router(3)));
    assert_eq!(rewriting.difference.name(), "mss");
}

#[test]
fn two_routers_at_one_distance_are_a_split() {
    let (_, told) = run(WISHES, |ttl, probe| {
        let second = ttl == 2 && probe % 2 == 1;
        if second { Some(heard(router(22), 1, false, &[])) } else { plain(ttl) }
    });
    assert_eq!(told.iter().map(|it| it.hop.splits()).collect::<Vec<_>>(), [false, true, false, false]);
}

#[test]
fn a_ttl_that_was_changed_shows_in_each_way() {
    // Behind the first router it is set to 9: the second hop is the host, and 6 are left.
    let raised = |ttl: u8, _| if ttl == 1 { plain(1) } else { Some(heard(router(100), 6, true, &[])) };
    let (_, told) = run(WISHES, raised);
    let behind = Some((1, router(1)));
    assert_eq!(told.len(), 2);
    assert_eq!(told[1].odd[0], Odd::QuotedTtl { seen: 6, behind, before: router(100) });
    assert_eq!(told[1].odd[1], Odd::ShortWay { back: 3, out: 1 });
    // It is set to 1: the second router answers for all that comes.
    let lowered = |ttl: u8, _| if ttl == 1 { plain(1) } else { plain(2) };
    let (trace, told) = run(Wishes { hops: 4, ..WISHES }, lowered);
    assert!(!trace.is_reached());
    assert_eq!(told[2].odd, [Odd::SameRouter { router: router(2), ttl: 2 }]);
}

/// Runs a trace with scouts in which `at` says whom a flow meets at a TTL; the probes of each TTL, and what scouts found.
fn scouted(at: impl Fn(u8, u16) -> IpAddr) -> (Vec<usize>, Option<Other>, Vec<Told>) {
    let mut trace = Trace::new(Wishes { scouts: 3, ..WISHES });
    let (mut sent, mut other, mut told, mut id) = (std::vec![0; 32], None, Vec::new(), 0);
    while !trace.is_over() {
        let Some(asking) = trace.next_probe() else { panic!("nothing to send, and not over: {trace:?}") };
        trace.started(id, asking);
        sent[usize::from(asking.ttl)] += 1;
        let Asking { ttl, flow } = asking;
        assert_eq!(trace.flow_of(id), Some(flow));
        trace.answered(id, Heard { flow, ..heard(at(ttl, flow), 1, ttl > 3, &[]) });
        told.extend(core::iter::from_fn(|| trace.poll_hop()));
        other = other.or(trace.poll_other());
        id += 1;
    }
    (sent, other, told)
}

#[test]
fn scouts_find_a_split_that_the_flows_of_the_trace_do_not_show() {
    // Flow 3 alone goes by another router.
    let (_, other, told) = scouted(|ttl, flow| router(if ttl == 2 && flow == 3 { 22 } else { ttl.max(1) }));
    assert_eq!(other, Some(Other { ttl: 2, flow: 3, from: router(22) }));
    assert!(told.len() == 4 && told.iter().all(|it| !it.hop.splits() && it.hop.heard.len() == 2));
    // One way: three scouts a router, none to the host.
    let (sent, other, _) = scouted(|ttl, _| router(ttl));
    assert_eq!((other, &sent[1..5]), (None, &[5, 5, 5, 2][..]));
    // A split that shows by itself: no scouts behind it.
    let (sent, other, told) = scouted(|ttl, flow| router(if ttl == 2 { 20 + flow as u8 } else { ttl }));
    assert_eq!((other, &sent[1..5], told[1].hop.splits()), (None, &[5, 2, 2, 2][..], true));
}
