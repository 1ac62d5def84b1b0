//! RFC 9293 §3.10.7.4, first check: the sequence number; and RFC 7323 §5: PAWS.

use super::*;
use crate::Discard;

const OUT: Verdict = Verdict::Discarded(Discard::OutOfWindow);

/// A connection whose receive window is closed: 10,000 bytes are there, unread.
fn closed_window(start: u32) -> Script {
    let mut script = Script::established(start, plain());
    for i in 0..10 {
        assert_eq!(script.receive(from(1 + i * 1000, 1, A).text(&[7; 1000])), Verdict::Accepted);
    }
    assert_eq!(script.one().header().window.to_raw(), 0);
    script.pass(ms(1000));
    script
}

#[test]
fn without_text_and_with_a_window_the_number_must_lie_inside() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        for inside in [1, 2, 10_000] {
            assert_eq!(script.receive(from(inside, 1, A)), Verdict::Accepted, "{inside}");
        }
        assert_eq!(script.sent(), []);
        for outside in [0, -1, 10_001, 1 << 30] {
            script.pass(ms(500));
            assert_eq!(script.receive(from(outside, 1, A)), OUT, "{outside}");
            assert_eq!(script.sent(), [sent(1, 1, A, 0)]);
        }
    }
}

#[test]
fn without_text_and_without_a_window_the_number_must_be_rcv_nxt() {
    for start in STARTS {
        let mut script = closed_window(start);
        assert_eq!(script.receive(from(10_001, 1, A)), Verdict::Accepted);
        assert_eq!(script.receive(from(10_002, 1, A)), OUT);
    }
}

#[test]
fn text_into_a_closed_window_is_refused_but_its_acknowledgment_counts() {
    for start in STARTS {
        let mut script = closed_window(start);
        script.write(500);
        script.sent();
        let verdict = script.receive(from(10_001, 501, A).text(b"x"));
        assert_eq!(verdict, Verdict::Discarded(Discard::WindowClosed));
        assert_eq!(script.conn.status().in_flight.get(), 0);
        assert_eq!(script.sent(), [sent(501, 10_001, A, 0)]);
    }
}

#[test]
fn a_closed_window_does_not_stop_a_reset() {
    for start in STARTS {
        let mut script = closed_window(start);
        assert_eq!(script.receive(from(10_001, 1, R)), Verdict::Accepted);
        assert!(matches!(script.next, Next::Gone));
    }
}

#[test]
fn text_that_straddles_an_edge_is_cut_to_the_window() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.receive(from(1, 1, A).text(b"abc"));
        assert_eq!(script.receive(from(-1, 1, A).text(b"??abcdef")), Verdict::Accepted);
        assert_eq!(script.read_all(), b"abcdef");
        assert_eq!(script.sent(), [sent(1, 7, A, 0)]);
        // Beyond the right edge, which has moved to 10,006.
        let mut script = Script::established(start, plain());
        assert_eq!(script.receive(from(9_999, 1, FA).text(b"abcd")), Verdict::Accepted);
        script.receive(from(1, 1, A).text(&[b'x'; 9_998]));
        assert_eq!(script.read_all()[9_998..], *b"ab", "two bytes and the FIN lay beyond");
        assert_eq!(script.conn.state(), State::Established);
    }
}

#[test]
fn what_lies_outside_with_rst_is_dropped_in_silence() {
    let mut script = Script::established(0, plain());
    for outside in [0, -1000, 10_001] {
        assert_eq!(script.receive(from(outside, 1, R)), OUT);
    }
    assert_eq!(script.sent(), []);
}

#[test]
fn segments_without_data_are_answered_twice_a_second_at_most_and_data_always() {
    let mut script = Script::established(0, plain());
    for _ in 0..5 {
        script.receive(from(-5, 1, A));
        script.pass(ms(50));
    }
    assert_eq!(script.sent().len(), 1);
    for _ in 0..3 {
        script.receive(from(-5, 1, A).text(b"old"));
        assert_eq!(script.sent(), [sent(1, 1, A, 0)]);
    }
    script.pass(ms(500));
    script.receive(from(-5, 1, A));
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn the_last_segment_again_may_carry_a_newer_acknowledgment() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.receive(from(1, 1, A).text(b"abc"));
        script.write(100);
        script.sent();
        assert_eq!(script.receive(from(1, 101, A).text(b"abc")), OUT);
        assert_eq!(script.conn.status().in_flight.get(), 0);
        assert_eq!(script.read_all(), b"abc");
    }
}

fn stamped(start: u32) -> Script {
    let config = Config { timestamps: true, ..plain() };
    let mut script = Script::syn_sent(start, config);
    script.receive(from(0, 1, SA).stamps(100, 1000));
    assert_eq!(script.one().options().len(), 12);
    script.events();
    script
}

#[test]
fn an_older_timestamp_is_dropped_and_acknowledged() {
    for start in STARTS {
        let mut script = stamped(start);
        let verdict = script.receive(from(1, 1, A).text(b"old").stamps(99, 0));
        assert_eq!(verdict, Verdict::Discarded(Discard::OldTimestamp));
        assert_eq!(script.sent(), [sent(1, 1, A, 0)]);
        assert_eq!(script.receive(from(1, 1, A).text(b"new").stamps(100, 0)), Verdict::Accepted);
        assert_eq!(script.read_all(), b"new");
    }
}

#[test]
fn timestamps_are_compared_on_a_circle() {
    let mut script = stamped(0);
    for (i, value) in [(0, 1 << 30), (1, (1u32 << 31) + 5), (2, u32::MAX), (3, 3)] {
        assert_eq!(script.receive(from(1 + i, 1, A).text(b"x").stamps(value, 0)), Verdict::Accepted, "{value}");
        script.sent();
    }
    assert_eq!(script.receive(from(5, 1, A).stamps(u32::MAX, 0)), Verdict::Discarded(Discard::OldTimestamp));
}

#[test]
fn a_reset_needs_no_timestamp() {
    let mut script = stamped(0);
    assert_eq!(script.receive(from(1, 1, R)), Verdict::Accepted);
}

#[test]
fn a_segment_without_the_agreed_timestamp_is_dropped_in_silence() {
    let mut script = stamped(0);
    assert_eq!(script.receive(from(1, 1, A).text(b"x")), Verdict::Discarded(Discard::TimestampMissing));
    assert_eq!(script.sent(), []);
}

#[test]
fn a_segment_out_of_order_or_refused_does_not_move_ts_recent() {
    let mut script = stamped(0);
    script.receive(from(5, 1, A).text(b"later").stamps(500, 0));
    let refused = script.receive(from(1, 9999, A).text(b"forged").stamps(900, 0));
    assert_eq!(refused, Verdict::Discarded(Discard::AckOfUnsent));
    assert_eq!(script.receive(from(1, 1, A).text(b"now!").stamps(200, 0)), Verdict::Accepted);
    assert_eq!(script.read_all(), b"now!later");
}

#[test]
fn after_24_days_of_silence_any_timestamp_is_good() {
    let mut script = stamped(0);
    script.receive(from(1, 1, A).text(b"x").stamps(5000, 0));
    script.sent();
    script.pass(Duration::from_secs(24 * 24 * 3600 + 10));
    assert_eq!(script.receive(from(2, 1, A).text(b"y").stamps(10, 0)), Verdict::Accepted);
}
