//! RFC 9293 §3.10.1 to §3.10.6: the user's calls in each state.

use super::*;
use crate::{CallError, Ended, Misuse};

const CLOSING: CallError = CallError::Misuse(Misuse::ConnectionClosing);

#[test]
fn send_is_refused_after_close_in_every_state() {
    for state in [State::FinWait1, State::FinWait2, State::Closing, State::LastAck] {
        let mut script = Script::in_state(0, state);
        assert_eq!(script.conn.write(script.now, b"x"), Err(CLOSING), "{state:?}");
        assert_eq!(script.conn.close(script.now), Err(CLOSING), "{state:?}");
        assert_eq!((script.sent(), script.conn.writable().get()), (Vec::new(), 0));
    }
}

#[test]
fn close_sends_a_fin_behind_everything_written() {
    for start in STARTS {
        for (state, then) in [(State::Established, State::FinWait1), (State::CloseWait, State::LastAck)] {
            let mut script = Script::in_state(start, state);
            script.write(1500);
            script.conn.close(script.now).unwrap();
            assert_eq!(script.conn.state(), then);
            let nxt = if state == State::CloseWait { 2 } else { 1 };
            assert_eq!(script.sent(), [sent(1, nxt, A, 1000), sent(1001, nxt, PA | F, 500)]);
        }
    }
}

#[test]
fn close_in_syn_sent_deletes_the_connection() {
    let mut script = Script::syn_sent(0, plain());
    script.conn.close(script.now).unwrap();
    assert_eq!((script.conn.state(), script.sent()), (State::Closed, Vec::new()));
    assert_eq!(script.events(), [Event::Ended(Ended::AbortedByUser)]);
    assert_eq!(script.conn.write(script.now, b"x"), Err(CallError::Ended(Ended::AbortedByUser)));
}

#[test]
fn after_a_half_close_the_peer_can_still_send() {
    for start in STARTS {
        let mut script = Script::in_state(start, State::FinWait2);
        assert_eq!(script.receive(from(1, 2, A).text(b"still here")), Verdict::Accepted);
        assert_eq!(script.read_all(), b"still here");
    }
}

#[test]
fn abort_resets_where_the_peer_knows_of_the_connection() {
    for (state, resets) in [
        (State::Established, true),
        (State::FinWait1, true),
        (State::FinWait2, true),
        (State::CloseWait, true),
        (State::Closing, false),
        (State::LastAck, false),
    ] {
        let mut script = Script::in_state(u32::MAX, state);
        script.conn.abort(script.now);
        let out = script.sent();
        assert_eq!(out.len(), usize::from(resets), "{state:?}");
        assert!(out.iter().all(|segment| segment.flags == R));
        assert!(script.conn.is_over());
    }
    let mut script = Script::syn_sent(0, plain());
    script.conn.abort(script.now);
    assert_eq!(script.sent(), []);
}

#[test]
fn release_with_unread_data_resets() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).text(b"unread"));
    script.conn.release(script.now);
    assert_eq!(script.sent(), [sent(1, 0, R, 0)]);
    assert_eq!(script.events()[1..], [Event::Ended(Ended::DataLost)]);
}

#[test]
fn receive_waits_then_gives_then_ends() {
    let mut script = Script::established(0, plain());
    let mut buf = [0; 4];
    assert_eq!(script.conn.read(script.now, &mut buf), Ok(None));
    script.receive(from(1, 1, FA).text(b"abcdef"));
    assert_eq!(script.conn.read(script.now, &mut buf), Ok(Some(4)));
    assert_eq!(script.conn.read(script.now, &mut buf), Ok(Some(2)));
    assert_eq!(script.conn.read(script.now, &mut buf), Ok(Some(0)));
    assert_eq!(script.conn.read(script.now, &mut buf), Ok(Some(0)), "the end stays the end");
}

#[test]
fn an_idle_connection_gives_its_memory_back() {
    let mut script = Script::established(0, plain());
    script.write(100);
    script.sent();
    script.receive(from(1, 101, A).text(b"abc"));
    script.read_all();
    script.conn.trim();
    assert!(script.conn.is_flushed());
    script.write(5);
    script.receive(from(4, 101, A).text(b"more"));
    assert_eq!(script.read_all(), b"more");
}

#[test]
fn status_names_the_state_and_its_variables() {
    let mut script = Script::established(0, plain());
    script.write(10);
    script.sent();
    let status = script.conn.status();
    assert_eq!(status.state.name(), "ESTABLISHED");
    assert_eq!((status.snd_nxt.since(status.snd_una).get(), status.rcv_wnd.get()), (10, 10_000));
}
