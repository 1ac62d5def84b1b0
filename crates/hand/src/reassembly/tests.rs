use wirewright_craft::{Context, fragment, parse};

use super::*;

const NOW: Instant = Instant::from_millis(5);

/// A packet of words, whole and cut.
fn cut(words: &str, limit: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let context = Context {
        source_v4: Some("192.0.2.2".parse().unwrap()),
        source_v6: Some("2001:db8::2".parse().unwrap()),
        entropy: [9; 32],
        ..Context::default()
    };
    let packet = parse(words).unwrap();
    let whole = packet.build(&context).unwrap().bytes;
    let pieces = fragment(&packet, &whole, limit).unwrap();
    (whole, pieces.iter().map(|piece| piece.build(&context).unwrap().bytes).collect())
}

const WORDS: [&str; 3] = [
    "icmp 192.0.2.1 echo id=7 rand=1000",
    "icmp6 2001:db8::1 echo id=7 rand=1000",
    "ip6 2001:db8::1 / hopopt / icmp6 echo id=7 rand=1000",
];

fn feed(reassembly: &mut Reassembly<usize>, pieces: &[&Vec<u8>]) -> Vec<Arrival<usize>> {
    pieces.iter().enumerate().map(|(i, piece)| reassembly.handle_received(NOW, piece, First::Ip, i)).collect()
}

#[test]
fn fragments_in_any_order_become_the_packet_that_was_cut() {
    for words in WORDS {
        let (mut whole, pieces) = cut(words, 400);
        let mut order: Vec<&Vec<u8>> = pieces.iter().collect();
        order.rotate_left(1);
        order.reverse();
        let mut reassembly = Reassembly::default();
        let arrivals = feed(&mut reassembly, &order);
        let (last, before) = arrivals.split_last().unwrap();
        assert!(before.iter().all(|arrival| *arrival == Arrival::Held), "{words}");
        let Arrival::Complete(Reassembled { packet, fragments }) = last else { panic!("{words}: {last:?}") };
        if whole[0] >> 4 == 4 {
            // The fragments came without DF, and so does the whole.
            whole[6] = 0;
            whole[10..12].fill(0);
            let sum = Sum::new().add(&whole[..20]).finish();
            whole[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        assert_eq!((packet, fragments), (&whole, &(0..pieces.len()).collect()), "{words}");
        assert_eq!((reassembly.awaited(), reassembly.bytes), (0, 0));
    }
}

#[test]
fn what_is_no_fragment_is_taken_as_it_is() {
    let mut reassembly = Reassembly::default();
    for bytes in [&cut(WORDS[0], 9999).0[..], &[], &[0x45], &[0x60; 40]] {
        assert_eq!(reassembly.handle_received(NOW, bytes, First::Ip, 3), Arrival::Whole(3));
    }
    // RFC 6946: an atomic fragment.
    let atomic = cut("ip6 2001:db8::1 / frag / icmp6 echo", 9999).0;
    assert_eq!(reassembly.handle_received(NOW, &atomic, First::Ip, 4), Arrival::Whole(4));
}

#[test]
fn a_repeated_fragment_changes_nothing() {
    for words in WORDS {
        let (_, pieces) = cut(words, 400);
        let mut reassembly = Reassembly::default();
        let twice: Vec<_> = pieces.iter().flat_map(|piece| [piece, piece]).collect();
        let arrivals = feed(&mut reassembly, &twice[..twice.len() - 1]);
        assert!(matches!(arrivals.last(), Some(Arrival::Complete(_))), "{words}");
        let repeated = arrivals.iter().filter(|it| **it == Arrival::Dropped(Dropped::Repeated)).count();
        assert_eq!(repeated, pieces.len() - 1);
        // One that comes after the whole begins another, which nothing completes.
        assert_eq!(reassembly.handle_received(NOW, &pieces[0], First::Ip, 9), Arrival::Held);
    }
}

#[test]
fn overlapping_fragments_spoil_their_datagram() {
    for words in WORDS {
        let (_, pieces) = cut(words, 400);
        let mut forged = pieces[1].clone();
        *forged.last_mut().unwrap() ^= 1;
        let mut reassembly = Reassembly::default();
        let all = [&pieces[0], &pieces[1], &forged, &pieces[1], &pieces[2]];
        let arrivals = feed(&mut reassembly, &all);
        assert_eq!(arrivals[..2], [Arrival::Held, Arrival::Held], "{words}");
        assert!(arrivals[2..].iter().all(|it| *it == Arrival::Dropped(Dropped::Overlapping)), "{words}: {arrivals:?}");
        assert_eq!((reassembly.awaited(), reassembly.bytes), (0, 0));
        // Until its time is over.
        let later = NOW + WAIT;
        for piece in &pieces[..pieces.len() - 1] {
            assert_eq!(reassembly.handle_received(later, piece, First::Ip, 0), Arrival::Held, "{words}");
        }
    }
}

#[test]
fn what_does_not_come_in_time_is_forgotten() {
    let (_, pieces) = cut(WORDS[0], 800);
    let mut reassembly = Reassembly::default();
    assert_eq!(reassembly.handle_received(NOW, &pieces[0], First::Ip, 0), Arrival::Held);
    let late = NOW + WAIT;
    assert_eq!(reassembly.handle_received(late, &pieces[1], First::Ip, 1), Arrival::Held);
    assert_eq!(reassembly.awaited(), 1);
}

#[test]
fn strangers_cannot_fill_the_memory() {
    for (bytes, most) in [(65_000, BYTES_MAX / 120_000), (100, DATAGRAMS_MAX)] {
        let (_, mut pieces) = cut(&std::format!("udp 192.0.2.1:9 ip.id=1 zero={bytes}"), bytes - 4_000.min(bytes / 2));
        let mut reassembly = Reassembly::default();
        for number in 0..1000_u16 {
            pieces[0][4..6].copy_from_slice(&number.to_be_bytes());
            assert_eq!(reassembly.handle_received(NOW, &pieces[0], First::Ip, 0), Arrival::Held);
            assert!(reassembly.bytes <= BYTES_MAX && reassembly.datagrams.len() <= DATAGRAMS_MAX);
        }
        assert!(reassembly.awaited().abs_diff(most) <= 2, "{}", reassembly.awaited());
    }
}

#[test]
fn impossible_fragments_are_dropped_and_leave_nothing() {
    let (_, pieces) = cut(WORDS[0], 400);
    let mut uneven = pieces[0].clone();
    uneven.pop();
    let len = u16::try_from(uneven.len()).unwrap().to_be_bytes();
    uneven[2..4].copy_from_slice(&len);
    let mut reassembly = Reassembly::default();
    assert_eq!(reassembly.handle_received(NOW, &uneven, First::Ip, 0), Arrival::Dropped(Dropped::Impossible));
    assert_eq!((reassembly.awaited(), reassembly.datagrams.len()), (0, 0));
    for len in 0..pieces[0].len() {
        let _any = reassembly.handle_received(NOW, &pieces[0][..len], First::Ip, 0);
    }
    assert!(reassembly.bytes <= BYTES_MAX);
}

#[test]
fn an_answer_in_fragments_is_matched_once_and_forged_ones_never() {
    use crate::probes::{AnswerKind, Asked, Order, Probes};
    for (ask, answer) in [
        ("icmp 192.0.2.2 src=192.0.2.1 id=7 seq=1 zero=1000", "icmp 192.0.2.1 reply id=7 seq=1 zero=1000"),
        ("icmp6 2001:db8::2 src=2001:db8::1 id=7 seq=1 zero=1000", "icmp6 2001:db8::1 type=129 id=7 seq=1 zero=1000"),
    ] {
        let mut probes = Probes::new();
        probes.sent(NOW, 1, &Asked::new(&cut(ask, 9999).0, First::Ip), Duration::from_secs(1));
        let mut reassembly = Reassembly::default();
        let mut hear = |bytes: &[u8]| match reassembly.handle_received(NOW, bytes, First::Ip, ()) {
            Arrival::Complete(whole) => probes.handle_received(NOW, &whole.packet, First::Ip),
            _ => None,
        };
        // A forged one: the same identification, other bytes at the end.
        let (_, pieces) = cut(answer, 400);
        let (_, forged) = cut(&answer.replace("seq=1", "seq=2"), 400);
        for piece in &forged {
            assert_eq!(hear(piece), None);
        }
        let heard: Vec<_> = pieces.iter().filter_map(|piece| hear(piece)).collect();
        let [one] = &heard[..] else { panic!("{ask}: {heard:?}") };
        assert!(matches!(one.kind, AnswerKind::EchoReply { data: 1000, .. }) && one.order == Order::First);
        // Repeated as a whole it is a duplicate, and a late fragment alone is nothing.
        let again: Vec<_> = pieces.iter().filter_map(|piece| hear(piece)).collect();
        assert_eq!((again.len(), again[0].order), (1, Order::Duplicate));
        assert_eq!(hear(&pieces[0]), None);
    }
}
