//! TIME-WAIT: RFC 9293 §3.10.7.4, RFC 1337, RFC 6191.

use super::*;
use crate::{Discard, TimeWait};

struct Waiting {
    time_wait: TimeWait,
    script: Script,
}

impl Waiting {
    /// Ours and the peer's FIN were acknowledged; both stood at 1.
    fn new(start: u32) -> Self {
        let mut script = Script::in_state(start, State::FinWait2);
        script.receive(from(1, 2, FA));
        let Next::Linger(mut time_wait) = core::mem::replace(&mut script.next, Next::Stay) else { panic!() };
        assert_eq!(
            time_wait.poll_transmit(script.now).map(|out| Sent::of(&out, script.iss, script.irs)),
            Some(sent(2, 2, A, 0))
        );
        Self { time_wait, script }
    }

    fn receive(&mut self, from: FromPeer<'_>) -> (Verdict, Next) {
        let seg = self.script.segment(&from);
        let result = self.time_wait.handle_segment(self.script.now, &seg);
        self.time_wait.check_invariants();
        result
    }

    fn sent(&mut self) -> Option<Sent> {
        let out = self.time_wait.poll_transmit(self.script.now)?;
        Some(Sent::of(&out, self.script.iss, self.script.irs))
    }
}

#[test]
fn a_reset_does_not_end_it() {
    for start in STARTS {
        let mut waiting = Waiting::new(start);
        for place in [2, 3, -5] {
            let (verdict, next) = waiting.receive(from(place, 2, R));
            assert_eq!(verdict, Verdict::Discarded(Discard::ResetInTimeWait));
            assert!(matches!(next, Next::Stay) && waiting.sent().is_none());
        }
    }
}

#[test]
fn the_fin_again_is_acknowledged_and_the_time_starts_anew() {
    for start in STARTS {
        let mut waiting = Waiting::new(start);
        let first = waiting.time_wait.poll_timeout().unwrap();
        waiting.script.pass(ms(20_000));
        assert_eq!(waiting.receive(from(1, 2, FA)).0, Verdict::Accepted);
        assert_eq!(waiting.sent(), Some(sent(2, 2, A, 0)));
        assert_eq!(waiting.time_wait.poll_timeout().unwrap().since(first), ms(20_000));
    }
}

#[test]
fn it_lasts_2_msl() {
    let mut waiting = Waiting::new(0);
    let end = waiting.time_wait.poll_timeout().unwrap();
    assert_eq!(end.since(waiting.script.now), plain().msl * 2);
    assert!(matches!(waiting.time_wait.handle_timeout(end - ms(1)), Next::Stay));
    assert!(matches!(waiting.time_wait.handle_timeout(end), Next::Gone));
}

#[test]
fn a_syn_beyond_what_was_received_reopens_and_an_old_one_is_acknowledged() {
    for start in STARTS {
        let mut waiting = Waiting::new(start);
        let (_, Next::Stay) = waiting.receive(from(-50, 0, S)) else { panic!("an old SYN reopened") };
        assert_eq!(waiting.sent(), Some(sent(2, 2, A, 0)));
        let (_, Next::Reopen { iss_min }) = waiting.receive(from(1000, 0, S)) else { panic!("not reopened") };
        assert!(iss_min.after(waiting.script.iss + SeqLen::new(2)));
    }
}

#[test]
fn text_is_answered_and_not_taken() {
    let mut waiting = Waiting::new(0);
    assert_eq!(waiting.receive(from(2, 2, A).text(b"late")).0, Verdict::Discarded(Discard::OutOfWindow));
    assert_eq!(waiting.sent(), Some(sent(2, 2, A, 0)));
}

#[test]
fn with_timestamps_a_newer_one_decides() {
    let config = Config { timestamps: true, ..plain() };
    let mut script = Script::syn_sent(0, config);
    script.receive(from(0, 1, SA).stamps(100, 0));
    script.conn.close(script.now).unwrap();
    script.sent();
    script.receive(from(1, 2, FA).stamps(200, 0));
    let Next::Linger(time_wait) = core::mem::replace(&mut script.next, Next::Stay) else { panic!() };
    let mut waiting = Waiting { time_wait, script };
    waiting.sent();
    assert!(matches!(waiting.receive(from(9000, 0, S).stamps(199, 0)).1, Next::Stay));
    assert!(matches!(waiting.receive(from(-9000, 0, S).stamps(201, 0)).1, Next::Reopen { .. }));
}
