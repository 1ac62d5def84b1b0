//! The tables by a scripted kernel, and by the real one's loopback.

use core::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use super::*;
use crate::sys::scripted::{Fails, Scripted};
use crate::sys::{Control, system};

const LOCALHOST: IpAddr = IpAddr::V4(core::net::Ipv4Addr::LOCALHOST);

fn done(sequence: u32, errno: i32) -> Vec<u8> {
    Request::new(ERROR, 0, &errno.to_ne_bytes()).finish(sequence)
}

fn scripted(answers: &[Vec<u8>]) -> (Arc<Scripted>, Netlink) {
    let kernel = Arc::new(Scripted::new());
    for answer in answers {
        kernel.arrive(0, Queue::Data, answer, KERNEL, Control::default());
    }
    let netlink = Netlink::open(kernel.clone()).unwrap();
    (kernel, netlink)
}

#[test]
fn the_real_loopback_is_found_with_its_addresses() {
    let interfaces = Netlink::open(system()).unwrap().interfaces().unwrap();
    let lo = interfaces.iter().find(|i| i.name == "lo").unwrap();
    assert!(lo.flags.is_loopback() && lo.flags.is_up());
    assert_eq!((lo.hardware, lo.mac), (772, Some(wirewright_wire::MacAddr::ZERO)));
    assert!(lo.addresses.iter().any(|a| a.address == LOCALHOST && a.prefix_len == 8));
}

#[test]
fn the_real_route_to_loopback_is_local() {
    let mut netlink = Netlink::open(system()).unwrap();
    let RouteAnswer::Via(route) = netlink.route_to(&RouteQuery::to(LOCALHOST)).unwrap() else { panic!("refused") };
    assert_eq!((route.kind, route.interface, route.gateway), (RouteKind::Local, 1, None));
    assert_eq!(route.source, Some(LOCALHOST));
    let spoofed = RouteQuery { source: Some(IpAddr::from([203, 0, 113, 9])), ..RouteQuery::to(LOCALHOST) };
    let RouteAnswer::Via(route) = netlink.route_to(&spoofed).unwrap() else { panic!("refused") };
    assert_eq!(route.source, Some(IpAddr::from([203, 0, 113, 9])));
}

#[test]
fn a_route_is_read_with_gateway_source_and_mtu() {
    let mut reply = Request::new(libc::RTM_NEWROUTE, 0, &[10, 128, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]);
    let gateway: Ipv6Addr = "2001:db8::1".parse().unwrap();
    let source: Ipv6Addr = "2001:db8::9".parse().unwrap();
    reply.attribute(libc::RTA_OIF, &3u32.to_ne_bytes()).attribute(libc::RTA_GATEWAY, &gateway.octets());
    reply.attribute(libc::RTA_PREFSRC, &source.octets());
    reply.nest(libc::RTA_METRICS, |m| {
        m.attribute(2, &1400u32.to_ne_bytes());
    });
    let (_, mut netlink) = scripted(&[reply.finish(1), done(1, 0)]);
    let answer = netlink.route_to(&RouteQuery::to("2001:db8:1::2".parse().unwrap())).unwrap();
    let want = Route {
        kind: RouteKind::Unicast,
        interface: 3,
        source: Some(source.into()),
        gateway: Some(gateway.into()),
        mtu: Some(1400),
        table: 254,
    };
    assert_eq!(answer, RouteAnswer::Via(want));
}

#[test]
fn refusals_are_answers_and_other_errnos_are_errors() {
    let cases = [
        (libc::ENETUNREACH, Refusal::NoRoute),
        (libc::EINVAL, Refusal::Blackhole),
        (libc::EHOSTUNREACH, Refusal::Unreachable),
        (libc::EACCES, Refusal::Prohibit),
    ];
    for (errno, refusal) in cases {
        let (_, mut netlink) = scripted(&[done(1, -errno)]);
        assert_eq!(netlink.route_to(&RouteQuery::to(LOCALHOST)).unwrap(), RouteAnswer::Refused(refusal));
    }
    let (_, mut netlink) = scripted(&[done(1, -libc::EPERM)]);
    assert_eq!(netlink.route_to(&RouteQuery::to(LOCALHOST)).unwrap_err().errno, Errno::EPERM);
}

#[test]
fn a_dump_that_was_interrupted_is_read_again() {
    let neighbor = |state: u16, interrupted: i32| {
        let mut fixed = [0; 12];
        fixed[4..8].copy_from_slice(&2u32.to_ne_bytes());
        fixed[8..10].copy_from_slice(&state.to_ne_bytes());
        let mut reply = Request::new(libc::RTM_NEWNEIGH, interrupted, &fixed);
        reply.attribute(libc::NDA_DST, &[192, 0, 2, 1]).attribute(libc::NDA_LLADDR, &[2, 0, 0, 0, 0, 1]);
        reply
    };
    let finish = |sequence| Request::new(DONE, 0, &[0; 4]).finish(sequence);
    let answers = [
        neighbor(libc::NUD_STALE, i32::from(DUMP_INTERRUPTED)).finish(1),
        finish(1),
        neighbor(libc::NUD_REACHABLE, 0).finish(2),
        finish(2),
    ];
    let (_, mut netlink) = scripted(&answers);
    let rows = netlink.neighbors().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].state, rows[0].mac),
        (NeighborState::Reachable, Some(wirewright_wire::MacAddr([2, 0, 0, 0, 0, 1])))
    );
}

#[test]
fn what_is_not_the_kernels_word_is_passed_over() {
    let kernel = Arc::new(Scripted::new());
    let forged = Address::Netlink { port: 77, groups: 0 };
    kernel.arrive(0, Queue::Data, &done(1, -libc::EPERM), forged, Control::default());
    kernel.arrive(0, Queue::Data, &done(9, -libc::EPERM), KERNEL, Control::default());
    kernel.arrive(0, Queue::Data, &done(1, -libc::EHOSTUNREACH), KERNEL, Control::default());
    let mut netlink = Netlink::open(kernel).unwrap();
    let answer = netlink.route_to(&RouteQuery::to(LOCALHOST)).unwrap();
    assert_eq!(answer, RouteAnswer::Refused(Refusal::Unreachable));
}

#[test]
fn a_kernel_that_stays_silent_is_waited_for_no_longer_than_the_limit() {
    let (kernel, mut netlink) = scripted(&[]);
    let error = netlink.interfaces().unwrap_err();
    assert_eq!((error.errno, error.call.name), (Errno::ETIMEDOUT, "RTM_GETLINK"));
    assert_eq!(kernel.now().as_millis(), 5_000);
    kernel.fail(Fails::Socket, Errno::EMFILE);
    assert_eq!(Netlink::open(kernel).unwrap_err().next, crate::NextStep::CloseFiles);
}

/// A seeded stream of bytes (xorshift).
fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    }
}

#[test]
fn hostile_bytes_neither_panic_nor_hang() {
    let mut template = Request::new(libc::RTM_NEWLINK, 0, &[0; 16]);
    template.attribute(libc::IFLA_IFNAME, b"eth0\0").nest(libc::IFLA_LINKINFO, |info| {
        info.attribute(libc::IFLA_INFO_KIND, b"veth");
    });
    let template = template.finish(1);
    for seed in 0..2000u64 {
        let mut next = noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bytes = template.clone();
        for _ in 0..next() % 8 {
            let at = usize::from(next()) % bytes.len();
            bytes[at] = next();
        }
        bytes.truncate(bytes.len() - usize::from(next() % 9));
        let random: Vec<u8> = (0..next()).map(|_| next()).collect();
        for hostile in [bytes.as_slice(), &random] {
            let _ = Control::parse(hostile);
            let _ = Address::decode(hostile);
            let (_, mut netlink) = scripted(&[hostile.to_vec(), done(1, 0), done(2, 0)]);
            let _ = netlink.interfaces();
        }
    }
}
