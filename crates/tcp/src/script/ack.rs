//! RFC 9293 §3.10.7.4, fifth check: the ACK field; the send window; fast retransmit.

use super::*;
use crate::Discard;

#[test]
fn a_segment_without_ack_is_dropped() {
    let mut script = Script::established(0, plain());
    assert_eq!(script.receive(from(1, 1, F).text(b"x")), Verdict::Discarded(Discard::AckMissing));
    assert_eq!((script.conn.readable().get(), script.conn.state()), (0, State::Established));
}

#[test]
fn an_ack_of_what_was_never_sent_is_dropped_and_answered() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.write(100);
        script.sent();
        let verdict = script.receive(from(1, 102, A).text(b"x"));
        assert_eq!(verdict, Verdict::Discarded(Discard::AckOfUnsent));
        assert_eq!(script.sent(), [sent(101, 1, A, 0)]);
        assert_eq!((script.conn.status().in_flight.get(), script.conn.readable().get()), (100, 0));
    }
}

#[test]
fn an_ack_older_than_the_largest_window_is_dropped_and_answered() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        let too_old = script.receive(from(1, 1 - 20_001, A).text(b"x"));
        assert_eq!(too_old, Verdict::Discarded(Discard::AckTooOld));
        assert_eq!(script.sent(), [sent(1, 1, A, 0)]);
        assert_eq!(script.receive(from(1, 1 - 20_000, A).text(b"x")), Verdict::Accepted);
    }
}

#[test]
fn new_acks_move_snd_una_and_free_room() {
    for start in STARTS {
        let config = Config { send_bytes_max: 3000, ..plain() };
        let mut script = Script::established(start, config);
        script.write(3000);
        assert_eq!(script.conn.write(script.now, b"more"), Ok(0));
        assert_eq!(script.sent().len(), 3);
        script.receive(from(1, 1001, A));
        assert_eq!(script.events(), [Event::Writable]);
        assert_eq!((script.conn.writable().get(), script.conn.status().in_flight.get()), (1000, 2000));
        assert_eq!(script.receive(from(1, 501, A)), Verdict::Accepted, "an old one is ignored");
        assert_eq!(script.conn.status().in_flight.get(), 2000);
    }
}

#[test]
fn an_older_segment_does_not_change_the_window() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.receive(from(5, 1, A).wnd(3000));
        script.receive(from(2, 1, A).wnd(9000));
        assert_eq!(script.conn.status().snd_wnd.get(), 3000);
        script.receive(from(5, 1, A).wnd(4000));
        assert_eq!(script.conn.status().snd_wnd.get(), 4000);
    }
}

#[test]
fn a_window_taken_from_an_older_segment_never_reaches_further_than_the_peer_said() {
    let mut script = Script::established(0, plain());
    script.write(10_000);
    script.sent();
    // The newer of two segments arrives first, with the older acknowledgment.
    script.receive(from(5, 1, A).wnd(10_000));
    script.receive(from(2, 5001, A).wnd(5_000));
    let status = script.conn.status();
    assert_eq!((status.snd_una.offset_from(script.iss), status.snd_wnd.get()), (5001, 5000));
}

#[test]
fn three_duplicates_retransmit_the_first_segment_without_waiting() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.write(8000);
        assert_eq!(script.sent().len(), 8);
        for _ in 0..2 {
            script.receive(from(1, 1, A));
            assert_eq!(script.sent(), []);
        }
        script.receive(from(1, 1, A));
        assert_eq!(script.sent(), [sent(1, 1, A, 1000)]);
        script.receive(from(1, 1, A));
        assert_eq!(script.sent(), []);
        // A partial acknowledgment: the next hole.
        script.receive(from(1, 3001, A));
        assert_eq!(script.sent(), [sent(3001, 1, A, 1000)]);
        script.receive(from(1, 8001, A));
        assert_eq!(script.sent(), []);
        assert_eq!(script.conn.status().ssthresh.get(), 4000);
    }
}

#[test]
fn an_ack_with_text_or_another_window_is_no_duplicate() {
    let mut script = Script::established(0, plain());
    script.write(8000);
    script.sent();
    for i in 0..5 {
        script.receive(from(1 + i, 1, A).text(b"x"));
        script.receive(from(2 + i, 1, A).wnd(19_000 - i as u16));
    }
    assert!(script.sent().iter().all(|s| s.len == 0), "nothing was retransmitted");
}

#[test]
fn limited_transmit_sends_something_new_for_the_first_two_duplicates() {
    let mut script = Script::established(0, plain());
    script.write(20_000);
    assert_eq!(script.sent().len(), 10, "the initial window");
    script.receive(from(1, 1, A));
    assert_eq!(script.sent(), [sent(10_001, 1, A, 1000)]);
    script.receive(from(1, 1, A));
    assert_eq!(script.sent(), [sent(11_001, 1, A, 1000)]);
}

#[test]
fn our_fin_acknowledged_moves_each_state_on() {
    for start in STARTS {
        let mut script = Script::in_state(start, State::FinWait1);
        script.receive(from(1, 1, A));
        assert_eq!(script.conn.state(), State::FinWait1);
        script.receive(from(1, 2, A));
        assert_eq!(script.conn.state(), State::FinWait2);

        let mut script = Script::in_state(start, State::Closing);
        script.receive(from(2, 2, A));
        assert!(matches!(script.next, Next::Linger(_)) && script.conn.state() == State::TimeWait);

        let mut script = Script::in_state(start, State::LastAck);
        script.receive(from(2, 2, A));
        assert!(matches!(script.next, Next::Gone));
        assert_eq!(script.events(), [Event::Ended(crate::Ended::Finished)]);
    }
}
