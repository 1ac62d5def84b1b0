//! RFC 9293 §3.10.7.1 and §3.10.7.2.

use super::*;
use crate::{Discard, Listener, reset_for};

fn arriving(seq: u32, ack: u32, flags: Flags, text: &[u8]) -> Segment<'_> {
    Segment {
        ports: PORTS,
        seq: SeqNum::new(seq),
        ack: SeqNum::new(ack),
        flags,
        wnd: WindowField::new(1000),
        up: 0,
        options: Options::default(),
        text,
        meta: IpMeta::default(),
    }
}

#[test]
fn closed_discards_a_reset() {
    assert!(reset_for(&arriving(5, 6, R, b"")).is_none());
    assert!(reset_for(&arriving(5, 6, RA, b"")).is_none());
}

#[test]
fn closed_answers_an_ack_with_a_reset_that_its_sender_accepts() {
    let reset = reset_for(&arriving(5, 600, A, b"abc")).unwrap();
    assert_eq!((reset.header().sequence, reset.flags()), (SeqNum::new(600), R));
}

#[test]
fn closed_answers_without_ack_from_zero_and_acknowledges_everything() {
    let reset = reset_for(&arriving(u32::MAX, 0, S, b"abc")).unwrap();
    let header = reset.header();
    assert_eq!((header.sequence, header.acknowledgment, header.flags), (SeqNum::new(0), SeqNum::new(3), RA));
}

fn listen(seg: &Segment<'_>) -> (Verdict, Next, Option<(SeqNum, Flags)>) {
    let mut listener = Listener::new(Arc::new(plain()));
    let now = Instant::from_millis(5);
    let (verdict, next) = listener.handle_segment(now, seg, InitialNumbers::default());
    let out = listener.poll_transmit(now).map(|out| (out.header().sequence, out.flags()));
    assert!(listener.poll_transmit(now).is_none());
    (verdict, next, out)
}

#[test]
fn listen_ignores_a_reset() {
    let (verdict, next, out) = listen(&arriving(1, 2, RA, b""));
    assert_eq!((verdict, out), (Verdict::Discarded(Discard::ResetNotForUs), None));
    assert!(matches!(next, Next::Stay));
}

#[test]
fn listen_answers_any_ack_with_a_reset() {
    for flags in [A, SA, FA] {
        let (verdict, _, out) = listen(&arriving(1, 99, flags, b""));
        assert_eq!(verdict, Verdict::Discarded(Discard::AckToListener));
        assert_eq!(out, Some((SeqNum::new(99), R)));
    }
}

#[test]
fn listen_takes_a_syn_and_nothing_else() {
    assert!(matches!(listen(&arriving(1, 0, S, b"")).1, Next::Answer(_)));
    for flags in [F, Flags::PSH, Flags::NONE] {
        let (verdict, next, out) = listen(&arriving(1, 0, flags, b"text"));
        assert_eq!((verdict, out), (Verdict::Discarded(Discard::NeitherSynNorRst), None));
        assert!(matches!(next, Next::Stay));
    }
    for flags in [S | F, S | R] {
        assert_eq!(listen(&arriving(1, 0, flags, b"")).0, Verdict::Discarded(Discard::StrangeSyn));
    }
}
