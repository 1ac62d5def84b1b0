//! RFC 9293 §3.10.8 and §3.8: retransmission, persist, delayed ACK, keep-alive, giving up.

use super::*;
use crate::{Ended, Keepalive};

#[test]
fn the_syn_is_repeated_with_doubled_time_outs_for_three_minutes() {
    let mut script = Script::syn_sent(0, plain());
    for seconds in [1, 2, 4, 8, 16, 32, 60] {
        assert_eq!(script.time_out(), Duration::from_secs(seconds));
        assert_eq!(script.sent(), [sent(0, 0, S, 0)]);
    }
    script.time_out();
    assert_eq!(script.sent(), []);
    let events = script.events();
    assert_eq!(events, [Event::DeliveryProblem, Event::Ended(Ended::TimedOut)]);
    assert!(matches!(script.next, Next::Gone));
    assert!(script.now.since(Instant::from_millis(1000)) >= Duration::from_secs(180));
}

#[test]
fn after_a_lost_syn_the_window_begins_at_one_segment() {
    let mut script = Script::syn_sent(0, plain());
    script.time_out();
    script.sent();
    script.receive(from(0, 1, SA).options(Options { mss: Some(1000), ..Options::default() }));
    script.write(5000);
    assert_eq!(script.sent(), [sent(1, 1, A, 1000)]);
    assert_eq!(script.conn.status().rto, Duration::from_secs(3));
}

/// RFC 7323 §4.3: a listener that has answered a SYN goes on echoing that one's stamp when it comes again.
#[test]
fn what_a_syn_ack_echoes_after_a_lost_one_measures_no_round_trip() {
    for start in STARTS {
        let config = Config { timestamps: true, ..plain() };
        let mut script = Script::unsent(start, config);
        let stamp =
            |script: &mut Script| Options::parse(script.one().options()).timestamps.expect("both want stamps").value;
        let first = stamp(&mut script);
        script.time_out();
        let second = stamp(&mut script);
        assert_eq!(second - first, 1000);
        script.receive(from(0, 1, SA).stamps(7, first));
        script.sent();
        assert_eq!((script.conn.status().srtt, script.conn.status().rto), (None, Duration::from_secs(3)));
        script.write(100);
        script.sent();
        script.pass(ms(1));
        script.receive(from(1, 101, A).stamps(8, second));
        assert!(script.conn.status().rto < ms(500), "{:?}", script.conn.status().rto);
    }
}

#[test]
fn a_time_out_sends_one_segment_again_and_slow_start_the_rest() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.write(8000);
        assert_eq!(script.sent().len(), 8);
        assert_eq!(script.time_out(), ms(300), "SRTT 100 ms + 4 · RTTVAR 50 ms");
        assert_eq!(script.sent(), [sent(1, 1, A, 1000)]);
        assert_eq!(script.time_out(), ms(600));
        assert_eq!(script.sent(), [sent(1, 1, A, 1000)]);
        let status = script.conn.status();
        assert_eq!((status.cwnd.get(), status.ssthresh.get()), (1000, 4000));
        script.receive(from(1, 1001, A));
        assert_eq!(script.sent(), [sent(1001, 1, A, 1000), sent(2001, 1, A, 1000)]);
        assert_eq!(script.conn.status().rto, ms(1200), "no sample: it stays backed off");
        // Everything had arrived but the first.
        script.receive(from(1, 8001, A));
        assert_eq!((script.sent(), script.conn.poll_timeout()), (Vec::new(), None));
    }
}

#[test]
fn a_fin_is_sent_again_too() {
    let mut script = Script::in_state(0, State::FinWait1);
    script.time_out();
    assert_eq!(script.sent(), [sent(1, 1, FA, 0)]);
    let mut script = Script::in_state(0, State::LastAck);
    script.time_out();
    assert_eq!(script.sent(), [sent(1, 2, FA, 0)]);
}

#[test]
fn after_three_retransmissions_the_user_hears_and_after_the_time_out_the_peer() {
    let mut script = Script::established(0, plain());
    script.conn.set_user_timeout(Duration::from_secs(100));
    script.write(10);
    script.sent();
    let begin = script.now;
    while !script.conn.is_over() {
        script.time_out();
        let out = script.sent();
        assert!(out == [sent(1, 1, PA, 10)] || out == [sent(11, 0, R, 0)], "{out:?}");
    }
    let passed = script.now.since(begin);
    assert!(passed >= Duration::from_secs(100) && passed < Duration::from_secs(170), "{passed:?}");
    assert_eq!(script.events(), [Event::DeliveryProblem, Event::Ended(Ended::TimedOut)]);
}

/// The peer's window is closed, 500 bytes wait.
fn blocked(start: u32) -> Script {
    let mut script = Script::established(start, plain());
    script.receive(from(1, 1, A).wnd(0));
    script.write(500);
    assert_eq!(script.sent(), []);
    script
}

#[test]
fn a_closed_window_is_probed_after_a_time_out_with_one_octet_and_ever_slower() {
    for start in STARTS {
        let mut script = blocked(start);
        for time in [300, 600, 1200, 2400] {
            assert_eq!(script.time_out(), ms(time));
            assert_eq!(script.sent(), [sent(1, 1, A, 1)]);
        }
        // It opens: everything goes, the octet of the probe again.
        script.receive(from(1, 1, A).wnd(1000));
        assert_eq!(script.sent(), [sent(1, 1, PA, 500)]);
        script.receive(from(1, 501, A).wnd(1000));
        assert_eq!(script.conn.poll_timeout(), None);
    }
}

#[test]
fn after_a_refused_probe_acks_and_resets_stand_where_the_peer_takes_them() {
    for start in STARTS {
        let mut script = blocked(start);
        script.time_out();
        assert_eq!(script.sent(), [sent(1, 1, A, 1)]);
        script.receive(from(1, 1, A).wnd(0));
        script.receive(from(1, 1, A).wnd(0).text(b"abc"));
        script.time_out();
        // SND.NXT is 2, but the peer's window is closed at 1.
        assert!(script.sent().contains(&sent(1, 4, A, 0)));
        script.conn.abort(script.now);
        assert_eq!(script.sent(), [sent(1, 0, R, 0)]);
    }
}

#[test]
fn an_accepted_probe_is_not_sent_again() {
    let mut script = blocked(0);
    script.time_out();
    assert_eq!(script.sent(), [sent(1, 1, A, 1)]);
    script.receive(from(1, 2, A).wnd(0));
    script.time_out();
    assert_eq!(script.sent(), [sent(2, 1, A, 1)]);
}

#[test]
fn a_window_may_stay_closed_for_ever_while_the_peer_answers() {
    let mut script = blocked(0);
    for _ in 0..200 {
        script.time_out();
        assert_eq!(script.sent(), [sent(1, 1, A, 1)]);
        script.receive(from(1, 1, A).wnd(0));
    }
    assert!(script.now.since(Instant::ORIGIN) > Duration::from_secs(10_000));
    // But not when it falls silent.
    while !script.conn.is_over() {
        script.time_out();
        script.sent();
    }
    assert_eq!(script.events(), [Event::Ended(Ended::TimedOut)]);
}

#[test]
fn a_window_that_closes_over_data_in_flight_is_probed_as_well() {
    let mut script = Script::established(0, plain());
    script.write(3000);
    script.sent();
    script.receive(from(1, 1001, A).wnd(0));
    assert_eq!(script.sent(), []);
    script.time_out();
    assert_eq!(script.sent(), [sent(1001, 1, A, 1)]);
    script.receive(from(1, 1001, A).wnd(5000));
    assert_eq!(script.sent(), [sent(1001, 1, A, 1000), sent(2001, 1, PA, 1000)]);
}

#[test]
fn a_fin_alone_probes_too() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).wnd(0));
    script.conn.close(script.now).unwrap();
    assert_eq!(script.sent(), []);
    script.time_out();
    assert_eq!(script.sent(), [sent(1, 1, FA, 0)]);
}

#[test]
fn a_silly_window_is_waited_for_and_then_used() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).wnd(300));
    script.write(5000);
    assert_eq!(script.sent(), [], "300 bytes are less than a segment and than half of 20,000");
    script.time_out();
    assert_eq!(script.sent(), [sent(1, 1, A, 300)]);
}

#[test]
fn a_retransmission_is_not_held_back_by_the_silly_window_rule() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).wnd(300));
    script.write(5000);
    script.sent();
    script.time_out();
    assert_eq!(script.sent(), [sent(1, 1, A, 300)]);
    for _ in 0..4 {
        script.time_out();
        assert_eq!(script.sent(), [sent(1, 1, A, 300)]);
    }
}

#[test]
fn keepalive_probes_an_idle_peer_and_gives_up_after_the_last() {
    let keepalive = Keepalive { idle: Duration::from_secs(7200), interval: Duration::from_secs(75), probes_max: 2 };
    let mut script = Script::established(0, Config { keepalive: Some(keepalive), ..plain() });
    script.pass(ms(5000));
    script.receive(from(1, 1, A));
    // The timer is lazy: it fires once for nothing.
    script.time_out();
    assert_eq!(script.sent(), []);
    script.time_out();
    assert_eq!(script.sent(), [sent(0, 1, A, 0)]);
    assert_eq!(script.now.since(Instant::from_millis(6100)), Duration::from_secs(7200));
    script.receive(from(1, 1, A));
    script.time_out();
    script.time_out();
    for _ in 0..2 {
        assert_eq!(script.sent(), [sent(0, 1, A, 0)]);
        assert_eq!(script.time_out(), Duration::from_secs(75));
    }
    assert_eq!(script.events(), [Event::Ended(Ended::TimedOut)]);
    assert_eq!(script.sent(), [sent(1, 0, R, 0)]);
}

#[test]
fn keepalive_is_turned_on_and_off_for_one_connection() {
    let mut script = Script::established(0, plain());
    script.conn.set_keepalive(script.now, Some(Keepalive::DEFAULT));
    assert_eq!(script.time_out(), Duration::from_secs(7200));
    assert_eq!(script.sent(), [sent(0, 1, A, 0)]);
    script.conn.set_keepalive(script.now, None);
    assert_eq!(script.conn.poll_timeout(), None);
    script.conn.abort(script.now);
    script.sent();
    script.conn.set_keepalive(script.now, Some(Keepalive::DEFAULT));
    assert_eq!(script.conn.poll_timeout(), None, "not when it is over");
}

#[test]
fn without_keepalive_an_idle_connection_wants_nothing() {
    let script = Script::established(0, plain());
    assert_eq!(script.conn.poll_timeout(), None);
}

#[test]
fn fin_wait_2_ends_for_a_user_who_has_gone_and_never_for_one_who_reads() {
    let mut script = Script::in_state(0, State::FinWait2);
    assert_eq!(script.conn.poll_timeout(), None);
    script.conn.release(script.now);
    assert_eq!(script.time_out(), plain().fin_wait_2_max);
    assert!(matches!(script.next, Next::Gone));
}

#[test]
fn at_the_end_of_time_there_is_an_end_to_it() {
    let mut script = Script::established(0, plain());
    script.write(10);
    script.sent();
    script.now = Instant::NEVER;
    for _ in 0..3 {
        let _ = script.conn.handle_timeout(script.now);
        script.sent();
    }
}

#[test]
fn a_time_out_that_comes_too_early_does_nothing() {
    let mut script = Script::established(0, plain());
    script.write(10);
    script.sent();
    let _ = script.conn.handle_timeout(script.now + ms(1));
    assert_eq!(script.sent(), []);
}
