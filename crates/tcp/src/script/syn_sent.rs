//! RFC 9293 §3.10.7.3: SYN-SENT; and the active SYN-RECEIVED behind it.

use super::*;
use crate::{Discard, Ended};

#[test]
fn a_syn_ack_opens_and_is_acknowledged_at_once() {
    for start in STARTS {
        let script = Script::established(start, plain());
        assert_eq!(script.conn.status().snd_wnd.get(), 20_000);
        assert_eq!(script.conn.status().srtt, Some(ms(100)));
    }
}

#[test]
fn an_unacceptable_ack_is_reset_and_the_syn_repeated_at_once() {
    for start in STARTS {
        let mut script = Script::syn_sent(start, plain());
        for bad in [0, 2, -500, 1 << 20] {
            let verdict = script.receive(from(5000, bad, A));
            assert_eq!(verdict, Verdict::Discarded(Discard::AckNotOfOurSyn));
            let repeats = if bad == 1 << 20 {
                vec_of([sent(bad, 0, R, 0)])
            } else {
                vec_of([sent(bad, 0, R, 0), sent(0, 0, S, 0)])
            };
            assert_eq!(script.sent(), repeats, "three times, then only the timer repeats it");
        }
        assert_eq!(script.conn.state(), State::SynSent);
    }
}

fn vec_of<const N: usize>(sent: [Sent; N]) -> Vec<Sent> {
    sent.into()
}

#[test]
fn a_syn_ack_with_a_bad_ack_is_reset_too() {
    let mut script = Script::syn_sent(9, plain());
    assert_eq!(script.receive(from(0, 9, SA)), Verdict::Discarded(Discard::AckNotOfOurSyn));
    assert_eq!(script.sent()[0], sent(9, 0, R, 0));
    assert_eq!(script.conn.state(), State::SynSent);
}

#[test]
fn a_reset_counts_only_with_an_acceptable_ack() {
    for start in STARTS {
        let mut script = Script::syn_sent(start, plain());
        for (ack, flags) in [(0, R), (1, R), (0, RA), (2, RA)] {
            assert_eq!(script.receive(from(0, ack, flags)), Verdict::Discarded(Discard::ResetNotForUs));
            assert_eq!(script.sent(), []);
        }
        assert_eq!(script.receive(from(0, 1, RA)), Verdict::Accepted);
        assert_eq!(script.events(), [Event::Ended(Ended::Refused)]);
        assert!(matches!(script.next, Next::Gone) && script.sent().is_empty());
    }
}

#[test]
fn a_segment_with_neither_syn_nor_rst_is_dropped() {
    let mut script = Script::syn_sent(0, plain());
    for (flags, ack) in [(A, 1), (FA, 1), (F, 0), (Flags::NONE, 0)] {
        let verdict = script.receive(from(1, ack, flags).text(b"data"));
        assert_eq!((verdict, script.sent()), (Verdict::Discarded(Discard::NeitherSynNorRst), Vec::new()));
    }
}

#[test]
fn text_and_fin_on_a_syn_ack_are_taken() {
    for start in STARTS {
        let mut script = Script::syn_sent(start, plain());
        assert_eq!(script.receive(from(0, 1, SA | F).text(b"hello")), Verdict::Accepted);
        assert_eq!(script.sent(), [sent(1, 7, A, 0)]);
        assert_eq!((script.read_all(), script.conn.state()), (b"hello".to_vec(), State::CloseWait));
    }
}

#[test]
fn crossing_syns_lead_through_syn_received_to_established() {
    for start in STARTS {
        let mut script = Script::syn_sent(start, plain());
        assert_eq!(script.receive(from(0, 0, S)), Verdict::Accepted);
        assert_eq!(script.conn.state(), State::SynReceived);
        assert_eq!(script.sent(), [sent(0, 1, SA, 0)]);
        // The peer's SYN,ACK: an old SYN, but its acknowledgment counts.
        assert_eq!(script.receive(from(0, 1, SA)), Verdict::Discarded(Discard::OutOfWindow));
        assert_eq!(script.conn.state(), State::Established);
        assert_eq!(script.sent(), [sent(1, 1, A, 0)]);
    }
}

#[test]
fn syn_received_by_crossing_is_refused_by_an_exact_reset() {
    let mut script = Script::syn_sent(5, plain());
    script.receive(from(0, 0, S));
    script.sent();
    assert_eq!(script.receive(from(2, 0, R)), Verdict::Discarded(Discard::ResetNotExact));
    assert_eq!(script.sent(), [sent(1, 1, A, 0)]);
    assert_eq!(script.receive(from(1, 0, R)), Verdict::Accepted);
    assert_eq!(script.events(), [Event::Ended(Ended::Refused)]);
}

#[test]
fn syn_received_answers_an_unacceptable_ack_with_a_reset() {
    let mut script = Script::syn_sent(5, plain());
    script.receive(from(0, 0, S));
    script.sent();
    assert_eq!(script.receive(from(1, 7, A)), Verdict::Discarded(Discard::AckNotOfOurSyn));
    assert_eq!(script.sent(), [sent(7, 0, R, 0)]);
    assert_eq!(script.conn.state(), State::SynReceived);
}

#[test]
fn a_close_in_syn_received_is_queued_until_the_connection_is_open() {
    let mut script = Script::syn_sent(5, plain());
    script.receive(from(0, 0, S));
    script.sent();
    script.write(3);
    script.conn.close(script.now).unwrap();
    assert_eq!((script.conn.state(), script.sent()), (State::SynReceived, Vec::new()));
    script.receive(from(1, 1, A));
    assert_eq!(script.conn.state(), State::FinWait1);
    assert_eq!(script.sent(), [sent(1, 1, PA | F, 3)]);
}

#[test]
fn data_written_before_the_connection_is_open_goes_with_the_ack() {
    let mut script = Script::syn_sent(u32::MAX, plain());
    script.write(10);
    assert_eq!(script.sent(), []);
    script.receive(from(0, 1, SA));
    assert_eq!(script.sent(), [sent(1, 1, PA, 10)]);
}
