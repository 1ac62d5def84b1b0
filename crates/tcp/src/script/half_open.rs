//! The passive SYN-RECEIVED (RFC 9293 §3.10.7.4), from the SYN to the promotion.

use super::*;
use crate::{Discard, HalfOpen, Listener};

struct Passive {
    half_open: HalfOpen,
    script: Script,
}

impl Passive {
    /// A SYN has come; the SYN,ACK waits.
    fn new(start: u32, config: Config, options: Options) -> Self {
        let script = Script::unsent(start, config.clone());
        let mut listener = Listener::new(Arc::new(config));
        let syn = script.segment(&from(0, 0, S).options(options).wnd(5000));
        let numbers = InitialNumbers { iss: script.iss, timestamp_offset: 0 };
        let (verdict, Next::Answer(half_open)) = listener.handle_segment(script.now, &syn, numbers) else { panic!() };
        assert_eq!(verdict, Verdict::Accepted);
        Self { half_open, script }
    }

    fn receive(&mut self, from: FromPeer<'_>) -> (Verdict, Next) {
        let seg = self.script.segment(&from);
        self.half_open.handle_segment(self.script.now, &seg)
    }

    fn sent(&mut self) -> Option<Sent> {
        let out = self.half_open.poll_transmit(self.script.now);
        self.half_open.check_invariants();
        out.map(|out| Sent::of(&out, self.script.iss, self.script.irs))
    }
}

fn plain_passive(start: u32) -> Passive {
    let mut passive = Passive::new(start, plain(), Options::default());
    assert_eq!(passive.sent(), Some(sent(0, 1, SA, 0)));
    passive
}

#[test]
fn the_ack_of_our_syn_promotes_and_its_text_is_taken() {
    for start in STARTS {
        let mut passive = plain_passive(start);
        passive.script.pass(ms(30));
        let (verdict, Next::Promote(mut conn)) = passive.receive(from(1, 1, FA).text(b"GET /")) else { panic!() };
        assert_eq!((verdict, conn.state()), (Verdict::Accepted, State::CloseWait));
        assert_eq!(conn.poll_event(), Some(Event::Connected));
        assert_eq!((conn.readable().get(), conn.status().srtt), (5, Some(ms(30))));
        assert_eq!(conn.poll_transmit(passive.script.now).map(|out| out.flags()), Some(A));
        conn.check_invariants();
    }
}

#[test]
fn the_syn_again_gets_the_syn_ack_again() {
    for start in STARTS {
        let mut passive = plain_passive(start);
        assert_eq!(passive.receive(from(0, 0, S)).0, Verdict::Discarded(Discard::DuplicateSyn));
        assert_eq!(passive.sent(), Some(sent(0, 1, SA, 0)));
    }
}

#[test]
fn a_wrong_ack_is_reset_and_the_half_open_stays() {
    for start in STARTS {
        let mut passive = plain_passive(start);
        for bad in [0, 2, -9] {
            let (verdict, next) = passive.receive(from(1, bad, A));
            assert_eq!(verdict, Verdict::Discarded(Discard::AckNotOfOurSyn));
            assert!(matches!(next, Next::Stay));
            assert_eq!(passive.sent(), Some(sent(bad, 0, R, 0)));
        }
    }
}

#[test]
fn an_exact_reset_returns_to_listen_and_one_inside_the_window_is_challenged() {
    for start in STARTS {
        let mut passive = plain_passive(start);
        assert_eq!(passive.receive(from(9, 0, R)).0, Verdict::Discarded(Discard::ResetNotExact));
        assert_eq!(passive.sent(), Some(sent(1, 1, A, 0)));
        assert_eq!(passive.receive(from(-9, 0, R)).0, Verdict::Discarded(Discard::OutOfWindow));
        assert_eq!(passive.sent(), None);
        assert!(matches!(passive.receive(from(1, 0, R)), (Verdict::Accepted, Next::Gone)));
    }
}

#[test]
fn another_syn_in_the_window_returns_to_listen() {
    assert!(matches!(plain_passive(7).receive(from(40, 0, S)), (Verdict::Accepted, Next::Gone)));
}

#[test]
fn what_lies_outside_the_window_is_answered_with_an_ack() {
    let mut passive = plain_passive(0);
    for outside in [-100, 10_001] {
        assert_eq!(passive.receive(from(outside, 1, A)).0, Verdict::Discarded(Discard::OutOfWindow));
        assert_eq!(passive.sent(), Some(sent(1, 1, A, 0)));
    }
    assert_eq!(passive.receive(from(1, 1, Flags::NONE)).0, Verdict::Discarded(Discard::AckMissing));
}

#[test]
fn the_syn_ack_is_repeated_with_doubled_time_outs_and_then_given_up() {
    let mut passive = plain_passive(0);
    let begin = passive.script.now;
    for seconds in [1, 2, 4, 8, 16] {
        let at = passive.half_open.poll_timeout().unwrap();
        assert_eq!(at.since(passive.script.now), Duration::from_secs(seconds));
        passive.script.now = at;
        assert!(matches!(passive.half_open.handle_timeout(at), Next::Stay));
        assert_eq!(passive.sent(), Some(sent(0, 1, SA, 0)));
    }
    let end = passive.half_open.poll_timeout().unwrap();
    assert!(matches!(passive.half_open.handle_timeout(end), Next::Gone));
    assert_eq!(end.since(begin), Duration::from_secs(63));
}

#[test]
fn a_peer_who_repeats_its_syn_is_not_given_up_right_after_the_answer() {
    let mut passive = plain_passive(0);
    for _ in 0..5 {
        passive.script.now = passive.half_open.poll_timeout().unwrap();
        let _ = passive.half_open.handle_timeout(passive.script.now);
        passive.sent();
    }
    passive.script.now = passive.half_open.poll_timeout().unwrap() - ms(20);
    let _ = passive.receive(from(0, 0, S));
    assert_eq!(passive.sent(), Some(sent(0, 1, SA, 0)));
    passive.script.pass(ms(50));
    assert!(matches!(passive.half_open.handle_timeout(passive.script.now), Next::Stay));
    assert!(matches!(passive.receive(from(1, 1, A)).1, Next::Promote(_)));
}

#[test]
fn the_timestamp_of_a_repeated_syn_is_the_one_that_is_echoed() {
    let stamps = |value| Options { timestamps: Some(crate::Timestamps { value, echo: 0 }), ..Options::default() };
    let mut passive = Passive::new(0, Config { timestamps: true, ..plain() }, stamps(5));
    passive.sent();
    let _ = passive.receive(from(0, 0, S).options(stamps(3005)));
    let out = passive.half_open.poll_transmit(passive.script.now).unwrap();
    assert_eq!(Options::parse(out.options()).timestamps.map(|stamps| stamps.echo), Some(3005));
}

#[test]
fn after_a_repeated_syn_ack_the_connection_begins_with_one_segment_and_three_seconds() {
    let mut passive = plain_passive(0);
    let _ = passive.receive(from(0, 0, S));
    passive.sent();
    let (_, Next::Promote(conn)) = passive.receive(from(1, 1, A)) else { panic!() };
    assert_eq!((conn.status().cwnd.get(), conn.status().rto), (536, Duration::from_secs(3)));
}

#[test]
fn the_syn_ack_offers_only_what_the_syn_offered() {
    let all = Options {
        mss: Some(1400),
        window_scale: Some(20),
        sack_permitted: true,
        timestamps: Some(crate::Timestamps { value: 5, echo: 0 }),
        ..Options::default()
    };
    let mut passive = Passive::new(0, Config::IPV4, all.clone());
    let out = passive.half_open.poll_transmit(passive.script.now).unwrap();
    let offered = Options::parse(out.options());
    assert_eq!((offered.mss, offered.window_scale, offered.sack_permitted), (Some(1460), Some(5), true));
    assert_eq!(offered.timestamps.map(|stamps| stamps.echo), Some(5));

    let mut bare = Passive::new(0, Config::IPV4, Options::default());
    let out = bare.half_open.poll_transmit(bare.script.now).unwrap();
    assert_eq!(Options::parse(out.options()), Options { mss: Some(1460), ..Options::default() });

    // A shift above 14 is taken for 14.
    let (_, Next::Promote(conn)) = passive.receive(from(1, 1, A).stamps(6, 0).wnd(2)) else { panic!() };
    assert_eq!(conn.status().snd_wnd.get(), 2 << 14);
}
