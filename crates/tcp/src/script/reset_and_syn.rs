//! RFC 9293 §3.10.7.4, second and fourth check, with RFC 5961 §3 and §4.

use super::*;
use crate::{Discard, Ended};

const SYNCHRONIZED: [State; 6] =
    [State::Established, State::FinWait1, State::FinWait2, State::CloseWait, State::Closing, State::LastAck];

/// RCV.NXT of [`Script::in_state`].
fn rcv_nxt(state: State) -> i64 {
    if matches!(state, State::CloseWait | State::Closing | State::LastAck) { 2 } else { 1 }
}

#[test]
fn rst_exactly_at_rcv_nxt_ends_the_connection_in_every_state() {
    for start in STARTS {
        for state in SYNCHRONIZED {
            let mut script = Script::in_state(start, state);
            assert_eq!(script.receive(from(rcv_nxt(state), 1, R)), Verdict::Accepted);
            let ended = match state {
                State::Closing | State::LastAck => Ended::Finished,
                _ => Ended::ResetByPeer,
            };
            assert_eq!(script.events(), [Event::Ended(ended)], "{state:?}");
            assert!(matches!(script.next, Next::Gone) && script.sent().is_empty());
        }
    }
}

#[test]
fn rst_in_window_but_not_exact_gets_challenge_ack() {
    for start in STARTS {
        for state in SYNCHRONIZED {
            let mut script = Script::in_state(start, state);
            let nxt = rcv_nxt(state);
            assert_eq!(script.receive(from(nxt + 1, 1, R)), Verdict::Discarded(Discard::ResetNotExact));
            let challenge = script.sent();
            assert_eq!((challenge.len(), challenge[0].ack, challenge[0].flags), (1, Some(nxt), A));
            assert_eq!(script.conn.state(), state);
        }
    }
}

#[test]
fn challenges_are_limited_for_each_connection_by_itself() {
    let mut script = Script::established(0, plain());
    let mut other = Script::established(0, plain());
    for _ in 0..100 {
        script.receive(from(5, 1, R));
        script.receive(from(5, 1, S));
    }
    assert_eq!(script.sent().len(), 1);
    other.receive(from(5, 1, R));
    assert_eq!(other.sent().len(), 1);
}

#[test]
fn syn_is_challenged_wherever_it_lies() {
    for start in STARTS {
        for state in SYNCHRONIZED {
            for place in [rcv_nxt(state), rcv_nxt(state) + 100, -5000, 1 << 30] {
                let mut script = Script::in_state(start, state);
                let verdict = script.receive(from(place, 0, S));
                assert!(matches!(verdict, Verdict::Discarded(Discard::SynInConnection | Discard::OutOfWindow)));
                let challenge = script.sent();
                assert_eq!((challenge.len(), challenge[0].flags), (1, A), "{state:?} {place}");
                assert_eq!(script.conn.state(), state);
            }
        }
    }
}

#[test]
fn a_reset_flushes_what_was_not_read() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).text(b"abc"));
    script.receive(from(4, 1, R));
    assert_eq!(script.conn.readable().get(), 0);
    assert!(script.conn.read(script.now, &mut [0; 4]).is_err());
}
