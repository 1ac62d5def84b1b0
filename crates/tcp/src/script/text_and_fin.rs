//! RFC 9293 §3.10.7.4, sixth to eighth check: urgent data, text, FIN.

use super::*;
use crate::{Discard, Ended};

#[test]
fn text_is_acknowledged_after_a_while_or_with_the_second_full_segment() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.receive(from(1, 1, A).text(&[1; 1000]));
        assert_eq!(script.sent(), []);
        assert_eq!(script.time_out(), plain().ack_delay_max);
        assert_eq!(script.sent(), [sent(1, 1001, A, 0)]);
        script.receive(from(1001, 1, A).text(&[2; 1000]));
        assert_eq!(script.sent(), []);
        script.receive(from(2001, 1, A).text(&[3; 1000]));
        assert_eq!(script.sent(), [sent(1, 3001, A, 0)]);
        assert_eq!(script.conn.poll_timeout(), None);
    }
}

#[test]
fn text_that_goes_back_takes_the_acknowledgment_along() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).text(b"ping"));
    script.write(4);
    assert_eq!(script.sent(), [sent(1, 5, PA, 4)]);
    assert!(!script.conn.tcb.due.ack);
}

#[test]
fn text_out_of_order_is_kept_and_acknowledged_at_once() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.receive(from(4, 1, A).text(b"def"));
        assert_eq!(script.sent(), [sent(1, 1, A, 0)]);
        assert_eq!(script.events(), []);
        script.receive(from(1, 1, A).text(b"abc"));
        assert_eq!(script.sent(), [sent(1, 7, A, 0)]);
        assert_eq!((script.events(), script.read_all()), (std::vec![Event::Readable], b"abcdef".to_vec()));
    }
}

#[test]
fn text_that_came_before_is_acknowledged_again_at_once() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).text(b"abc"));
    script.receive(from(1, 1, A).text(b"abcd"));
    assert_eq!(script.sent(), [sent(1, 5, A, 0)]);
    script.receive(from(1, 1, A).text(b"abcd"));
    assert_eq!(script.sent(), [sent(1, 5, A, 0)]);
}

#[test]
fn sack_blocks_name_the_latest_segment_first() {
    for start in STARTS {
        let mut script = Script::syn_sent(start, Config { sack: true, ..plain() });
        let permitted = Options { sack_permitted: true, ..Options::default() };
        script.receive(from(0, 1, SA).options(permitted));
        script.sent();
        let irs = script.irs;
        let mut blocks = |seq: i64| -> Vec<(i32, i32)> {
            script.receive(from(seq, 1, A).text(b"0123456789"));
            let out = script.one();
            let read = Options::parse(out.options());
            read.sack.iter().map(|b| (b.left.offset_from(irs), b.right.offset_from(irs))).collect()
        };
        assert_eq!(blocks(21), [(21, 31)]);
        assert_eq!(blocks(51), [(51, 61), (21, 31)]);
        assert_eq!(blocks(31), [(21, 41), (51, 61)]);
        assert_eq!(blocks(81), [(81, 91), (21, 41), (51, 61)]);
        assert_eq!(blocks(1), [(81, 91), (21, 41), (51, 61)]);
        assert_eq!(blocks(11), [(81, 91), (51, 61)]);
    }
}

#[test]
fn a_fin_in_order_is_told_and_acknowledged_and_moves_the_state() {
    for start in STARTS {
        for (state, then) in [
            (State::Established, State::CloseWait),
            (State::FinWait1, State::Closing),
            (State::FinWait2, State::TimeWait),
            (State::CloseWait, State::CloseWait),
            (State::Closing, State::Closing),
            (State::LastAck, State::LastAck),
        ] {
            let mut script = Script::in_state(start, state);
            script.receive(from(1, if state == State::FinWait2 { 2 } else { 1 }, FA));
            assert_eq!(script.conn.state(), then, "{state:?}");
            let acked = match &mut script.next {
                Next::Linger(time_wait) => time_wait.poll_transmit(script.now).map(|out| out.header().acknowledgment),
                _ => script.conn.poll_transmit(script.now).map(|out| out.header().acknowledgment),
            };
            assert_eq!(acked, Some(script.irs + SeqLen::new(2)), "{state:?}");
        }
    }
}

#[test]
fn a_fin_that_acknowledges_ours_leads_straight_to_time_wait() {
    for start in STARTS {
        let mut script = Script::in_state(start, State::FinWait1);
        script.receive(from(1, 2, FA));
        assert!(matches!(script.next, Next::Linger(_)));
        assert_eq!(script.events(), [Event::PeerClosing, Event::Ended(Ended::Finished)]);
    }
}

#[test]
fn a_fin_behind_a_hole_counts_when_the_hole_is_filled() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.receive(from(4, 1, FA).text(b"def"));
        assert_eq!((script.conn.state(), script.sent()), (State::Established, std::vec![sent(1, 1, A, 0)]));
        script.receive(from(1, 1, A).text(b"abc"));
        assert_eq!((script.conn.state(), script.sent()), (State::CloseWait, std::vec![sent(1, 8, A, 0)]));
        assert_eq!(script.read_all(), b"abcdef");
        assert_eq!(script.conn.read(script.now, &mut [0; 4]), Ok(Some(0)));
    }
}

#[test]
fn a_peer_who_goes_on_behind_its_fin_has_not_closed() {
    for start in STARTS {
        // The FIN first, behind a hole; then text that reaches over it.
        let mut script = Script::established(start, plain());
        script.receive(from(4, 1, FA).text(b"de"));
        script.receive(from(1, 1, A).text(b"abcdefghi"));
        assert_eq!((script.read_all(), script.conn.state()), (b"abcdefghi".to_vec(), State::Established));
        script.conn.trim();
        script.receive(from(10, 1, FA));
        assert_eq!(script.conn.read(script.now, &mut [0; 4]), Ok(Some(0)));
        script.sent();
        // The text first, then a segment that fills the hole and has a FIN in front of that text.
        let mut script = Script::established(start, plain());
        script.receive(from(4, 1, A).text(b"defg"));
        script.receive(from(1, 1, FA).text(b"abcd"));
        assert_eq!((script.read_all(), script.conn.state()), (b"abcdefg".to_vec(), State::Established));
        script.sent();
        // The text first, then a FIN in front of it.
        let mut script = Script::established(start, plain());
        script.receive(from(8, 1, A).text(b"hi"));
        script.receive(from(4, 1, FA).text(b"d"));
        script.receive(from(1, 1, A).text(b"abcdefg"));
        assert_eq!((script.read_all(), script.conn.state()), (b"abcdefghi".to_vec(), State::Established));
        script.sent();
    }
}

#[test]
fn text_after_the_fin_is_ignored() {
    let mut script = Script::in_state(0, State::CloseWait);
    assert_eq!(script.receive(from(2, 1, A).text(b"late")), Verdict::Accepted);
    assert_eq!(script.conn.readable().get(), 0);
}

#[test]
fn text_for_a_user_who_has_gone_resets() {
    let mut script = Script::established(0, plain());
    script.conn.release(script.now);
    assert_eq!(script.sent(), [sent(1, 1, FA, 0)]);
    assert_eq!(script.receive(from(1, 2, A).text(b"late")), Verdict::Discarded(Discard::UserGone));
    assert_eq!(script.sent(), [sent(2, 0, R, 0)]);
    assert_eq!(script.events(), [Event::Ended(Ended::DataLost)]);
}

#[test]
fn what_was_received_can_be_read_after_the_end() {
    let mut script = Script::in_state(0, State::FinWait2);
    script.receive(from(1, 2, FA).text(b"last words"));
    assert_eq!(script.conn.state(), State::TimeWait);
    assert_eq!(script.read_all(), b"last words");
    assert_eq!(script.conn.read(script.now, &mut [0; 4]), Ok(Some(0)));
}

#[test]
fn urgent_data_is_told_whenever_its_end_moves_forward_with_how_much_lies_ahead() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        let urgent = |seq, up, text| FromPeer { up, ..from(seq, 1, A | Flags::URG).text(text) };
        script.receive(urgent(1, 8, b"abc"));
        assert_eq!(script.events(), [Event::Readable, Event::Urgent]);
        assert_eq!(script.conn.urgent_ahead().get(), 8);
        script.receive(urgent(4, 6, b"def"));
        assert_eq!(script.events(), [Event::Readable, Event::Urgent], "one byte more");
        assert_eq!(script.conn.urgent_ahead().get(), 9);
        script.receive(urgent(7, 0, b"ghijkl"));
        assert_eq!(script.events(), [Event::Readable]);
        assert_eq!(script.conn.urgent_ahead().get(), 9, "the pointer does not go back");
        assert_eq!(script.read_all().len(), 12);
        assert_eq!(script.conn.urgent_ahead().get(), 0);
    }
}

#[test]
fn an_urgent_pointer_into_nowhere_harms_nothing() {
    let mut script = Script::established(0, plain());
    script.receive(FromPeer { up: u16::MAX, ..from(1, 1, A | Flags::URG) });
    assert_eq!(script.conn.urgent_ahead().get(), 65_535);
    assert_eq!(script.conn.read(script.now, &mut [0; 4]), Ok(None));
}
