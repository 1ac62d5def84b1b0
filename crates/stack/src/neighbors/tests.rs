use super::*;
use alloc::vec;

const OWN: Own = Own {
    mac: MacAddr([2, 0, 0, 0, 0, 1]),
    ipv4: Some(Ipv4Addr::new(192, 0, 2, 1)),
    ipv6: Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
};
const THEIRS: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0x12, 0x3456));

/// What a host at `address` would reply to `question`.
fn reply(question: &[u8], address: IpAddr) -> Vec<u8> {
    let mut frame = question.to_vec();
    frame[..6].copy_from_slice(&OWN.mac.0);
    frame[6..12].copy_from_slice(&THEIRS.0);
    match address {
        IpAddr::V4(_) => {
            let asker: [u8; 10] = frame[22..32].try_into().unwrap();
            let target: [u8; 4] = frame[38..42].try_into().unwrap();
            frame[21] = 2;
            frame[22..28].copy_from_slice(&THEIRS.0);
            frame[28..32].copy_from_slice(&target);
            frame[32..42].copy_from_slice(&asker);
        }
        IpAddr::V6(target) => {
            let asker: [u8; 16] = frame[22..38].try_into().unwrap();
            frame[22..38].copy_from_slice(&target.octets());
            frame[38..54].copy_from_slice(&asker);
            frame[54] = 136;
            frame[58] = 0x60;
            frame[78] = 2;
            frame[80..86].copy_from_slice(&THEIRS.0);
            frame[56..58].fill(0);
            let sum = wirewright_wire::checksum::pseudo_v6(target, asker.into(), 58, 32).add(&frame[54..]).finish();
            frame[56..58].copy_from_slice(&sum.to_be_bytes());
        }
    }
    frame
}

#[test]
fn a_question_is_a_right_frame_in_both_versions() {
    let mut neighbors = Neighbors::new(OWN);
    assert_eq!(neighbors.resolve(Instant::ORIGIN, V4), Resolution::Asking);
    let arp = neighbors.poll_transmit(Instant::ORIGIN).unwrap();
    assert_eq!(
        arp,
        [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192,
            0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2
        ]
    );
    assert_eq!(neighbors.resolve(Instant::ORIGIN, V6), Resolution::Asking);
    let ns = neighbors.poll_transmit(Instant::ORIGIN).unwrap();
    assert_eq!(ns.len(), 14 + 40 + 32);
    assert_eq!(ns[..6], [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
    assert_eq!(ns[21], 255);
    assert_eq!(ns[54..56], [135, 0]);
    let source: [u8; 16] = ns[22..38].try_into().unwrap();
    let group: [u8; 16] = ns[38..54].try_into().unwrap();
    let sum = wirewright_wire::checksum::pseudo_v6(source.into(), group.into(), 58, 32).add(&ns[54..]).finish();
    assert_eq!(sum, 0);
}

/// RFC 5227 §2.1.1 and RFC 4862 §5.4.2: the question gives nothing that its hearers could write into their tables.
#[test]
fn who_has_no_address_yet_asks_without_giving_one() {
    let nobody = Own { ipv4: None, ipv6: Some(Ipv6Addr::UNSPECIFIED), ..OWN };
    let mut neighbors = Neighbors::new(nobody);
    neighbors.resolve(Instant::ORIGIN, V4);
    let arp = neighbors.poll_transmit(Instant::ORIGIN).unwrap();
    assert_eq!((&arp[22..28], &arp[28..32]), (&OWN.mac.0[..], &[0; 4][..]));
    neighbors.resolve(Instant::ORIGIN, V6);
    let ns = neighbors.poll_transmit(Instant::ORIGIN).unwrap();
    assert_eq!((ns.len(), ns[19], &ns[22..38]), (14 + 40 + 24, 24, &[0; 16][..]));
    let packet = wirewright_wire::ipv6::parse(&ns[14..]).unwrap();
    let IpAddr::V6(target) = V6 else { unreachable!() };
    let group = message::solicited_node(target);
    let sum = wirewright_wire::checksum::pseudo_v6(Ipv6Addr::UNSPECIFIED, group, 58, 24).add(packet.payload);
    assert!(sum.is_right() && packet.header.destination() == group);
}

#[test]
fn an_answer_resolves_and_is_believed_for_a_time() {
    for address in [V4, V6] {
        let mut neighbors = Neighbors::new(OWN);
        let now = Instant::from_millis(5);
        neighbors.resolve(now, address);
        let question = neighbors.poll_transmit(now).unwrap();
        assert!(neighbors.poll_transmit(now).is_none());
        assert!(neighbors.handle_frame(now, &reply(&question, address)));
        assert_eq!(neighbors.poll_event(), Some(Event::Resolved { address, mac: THEIRS }));
        assert_eq!(neighbors.resolve(now, address), Resolution::Known(THEIRS));
        let later = now + REACHABLE_TIME;
        neighbors.handle_timeout(later);
        assert_eq!(neighbors.resolve(later, address), Resolution::Asking);
    }
}

#[test]
fn silence_is_asked_three_times_and_then_said() {
    let mut neighbors = Neighbors::new(OWN);
    neighbors.resolve(Instant::ORIGIN, V4);
    let mut now = Instant::ORIGIN;
    let mut sent = vec![];
    for _ in 0..10 {
        while neighbors.poll_transmit(now).is_some() {
            sent.push(now);
        }
        let Some(next) = neighbors.poll_timeout() else { break };
        now = next;
        neighbors.handle_timeout(now);
    }
    assert_eq!(sent, [0, 1000, 2000].map(Instant::from_millis));
    assert_eq!(neighbors.poll_event(), Some(Event::Failed { address: V4 }));
    assert_eq!(now, Instant::from_millis(3000));
    assert_eq!(neighbors.poll_timeout(), None);
}

#[test]
fn what_was_not_asked_or_is_malformed_is_not_learnt() {
    let now = Instant::ORIGIN;
    for address in [V4, V6] {
        let mut neighbors = Neighbors::new(OWN);
        neighbors.resolve(now, address);
        let question = neighbors.poll_transmit(now).unwrap();
        let good = reply(&question, address);
        assert!(!Neighbors::new(OWN).handle_frame(now, &good), "not asked");
        for cut in 0..good.len() {
            assert!(!neighbors.handle_frame(now, &good[..cut]), "{address} cut at {cut}");
        }
        let damage = match address {
            // Operation, hardware type, our own MAC, a multicast sender.
            IpAddr::V4(_) => vec![(21, 1), (15, 2), (37, 9), (22, 1)],
            // Hop limit, code, checksum, option length 0.
            IpAddr::V6(_) => vec![(21, 254), (55, 1), (56, 0xde), (79, 0)],
        };
        for (at, value) in damage {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(!neighbors.handle_frame(now, &bad), "{address} byte {at}");
        }
        assert!(neighbors.handle_frame(now, &good));
    }
}

#[test]
fn without_an_ipv6_address_no_ipv6_neighbour_can_be_asked() {
    let mut neighbors = Neighbors::new(Own { ipv6: None, ..OWN });
    assert_eq!(neighbors.resolve(Instant::ORIGIN, V6), Resolution::CannotAsk);
}

#[test]
fn questions_are_bounded_and_known_neighbours_make_room() {
    let mut neighbors = Neighbors::new(OWN);
    let now = Instant::ORIGIN;
    let address = |n: usize| IpAddr::V4(Ipv4Addr::from_bits(0xc633_6400 + n as u32));
    for n in 0..NEIGHBORS_MAX {
        assert_eq!(neighbors.resolve(now, address(n)), Resolution::Asking);
    }
    assert_eq!(neighbors.resolve(now, V4), Resolution::CannotAsk);
    let question = neighbors.poll_transmit(now).unwrap();
    assert!(neighbors.handle_frame(now, &reply(&question, address(0))));
    assert_eq!(neighbors.resolve(now, V4), Resolution::Asking);
}
