//! What goes out when: windows, Nagle, PSH, super-segments, urgent data, slow start.

use super::*;

#[test]
fn small_writes_are_gathered_while_something_is_in_flight() {
    let mut script = Script::established(0, Config { nagle: true, ..plain() });
    script.write(10);
    assert_eq!(script.sent(), [sent(1, 1, PA, 10)]);
    script.write(10);
    script.write(10);
    assert_eq!(script.sent(), []);
    script.receive(from(1, 11, A));
    assert_eq!(script.sent(), [sent(11, 1, PA, 20)]);
    script.write(1500);
    assert_eq!(script.sent(), [sent(31, 1, A, 1000)], "a whole segment may go");
    script.conn.set_nodelay(true);
    assert_eq!(script.sent(), [sent(1031, 1, PA, 500)]);
}

#[test]
fn the_end_of_the_stream_is_not_held_back() {
    let mut script = Script::established(0, Config { nagle: true, ..plain() });
    script.write(10);
    script.sent();
    script.write(10);
    script.conn.close(script.now).unwrap();
    assert_eq!(script.sent(), [sent(11, 1, PA | F, 10)]);
}

#[test]
fn text_leaves_as_a_super_segment_whose_cut_is_whole_segments() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.write(4500);
        let out = script.one();
        assert_eq!((out.text_len(), out.segment_size(), out.segment_count()), (4500, 1000, 5));
        let cut: Vec<(usize, Flags)> = out.segments().map(|s| (s.text_len(), s.flags())).collect();
        assert_eq!(cut, [(1000, A), (1000, A), (1000, A), (1000, A), (500, PA)]);
        let [first, second] = out.text();
        assert!([first, second].concat().iter().enumerate().all(|(i, &b)| b == i as u8));
    }
}

#[test]
fn no_super_segment_is_longer_than_an_ip_packet() {
    let config = Config { send_bytes_max: 1 << 20, ..plain() };
    let mut script = Script::established(0, config);
    script.receive(from(1, 1, A).wnd(u16::MAX));
    script.write(300_000);
    // Open the congestion window by acknowledging.
    let mut acked = 1;
    for _ in 0..3 {
        for segment in script.sent() {
            acked += segment.len as i64;
            script.receive(from(1, acked, A).wnd(u16::MAX));
        }
    }
    let out = script.one();
    assert!(out.total_len() <= 65_535 - 60 && out.text_len() > 60_000, "{}", out.text_len());
}

#[test]
fn nothing_goes_beyond_the_peers_window() {
    for start in STARTS {
        let mut script = Script::established(start, plain());
        script.receive(from(1, 1, A).wnd(2500));
        script.write(5000);
        assert_eq!(script.sent(), [sent(1, 1, A, 1000), sent(1001, 1, A, 1000)]);
        script.receive(from(1, 2001, A).wnd(2500));
        assert_eq!(script.sent(), [sent(2001, 1, A, 1000), sent(3001, 1, A, 1000)]);
    }
}

#[test]
fn a_window_that_shrinks_is_survived() {
    let mut script = Script::established(0, plain());
    script.write(6000);
    script.sent();
    script.receive(from(1, 1, A).wnd(500));
    script.write(1000);
    assert_eq!(script.sent(), [], "nothing new while the usable window is negative");
    assert_eq!(script.conn.status().in_flight.get(), 6000);
    script.receive(from(1, 6001, A).wnd(5000));
    assert_eq!(script.sent(), [sent(6001, 1, PA, 1000)]);
}

#[test]
fn slow_start_doubles_and_stops_at_ssthresh() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).wnd(u16::MAX));
    script.write(100_000);
    let mut acked = 1;
    let mut flights = Vec::new();
    for _ in 0..3 {
        let out = script.sent();
        flights.push(out.len());
        for segment in out {
            acked += segment.len as i64;
            script.receive(from(1, acked, A).wnd(u16::MAX));
        }
    }
    assert_eq!(flights, [10, 20, 40]);
}

#[test]
fn after_an_idle_time_the_window_is_the_initial_one_again() {
    let mut script = Script::established(0, plain());
    script.receive(from(1, 1, A).wnd(u16::MAX));
    script.write(30_000);
    let mut acked = 1;
    for _ in 0..2 {
        for segment in script.sent() {
            acked += segment.len as i64;
            script.receive(from(1, acked, A).wnd(u16::MAX));
        }
    }
    assert!(script.conn.status().cwnd.get() > 20_000);
    script.pass(ms(5000));
    script.write(30_000);
    assert_eq!(script.sent().len(), 10);
}

#[test]
fn the_urgent_pointer_shows_behind_the_urgent_data() {
    let mut script = Script::established(0, plain());
    script.write(5);
    assert_eq!(script.conn.write_urgent(script.now, b"!!"), Ok(2));
    script.write(3);
    let out = script.one();
    assert_eq!((out.header().urgent, out.flags()), (7, PA | Flags::URG));
}

#[test]
fn urgent_data_of_any_length_is_pointed_at_from_every_segment_before_its_end() {
    let mut script = Script::established(0, plain());
    assert_eq!(script.conn.write_urgent(script.now, &[7; 2500]), Ok(2500));
    script.write(500);
    let out = script.one();
    let pointers: Vec<u16> = out.segments().map(|s| s.header().urgent).collect();
    assert_eq!(pointers, [2500, 1500, 500]);
}

#[test]
fn a_window_update_goes_out_when_enough_was_read() {
    let mut script = Script::established(0, plain());
    for i in 0..10 {
        script.receive(from(1 + i * 1000, 1, A).text(&[7; 1000]));
    }
    assert_eq!(script.one().header().window.to_raw(), 0);
    let mut buf = [0; 999];
    assert_eq!(script.conn.read(script.now, &mut buf), Ok(Some(999)));
    assert_eq!(script.sent(), []);
    assert_eq!(script.conn.read(script.now, &mut buf[..1]), Ok(Some(1)));
    assert_eq!(script.one().header().window.to_raw(), 1000);
}

#[test]
fn what_arrived_together_is_acknowledged_once() {
    let mut script = Script::established(0, plain());
    for i in 0..8 {
        script.receive(from(1 + i * 1000, 1, A).text(&[7; 1000]));
    }
    assert_eq!(script.sent(), [sent(1, 8001, A, 0)]);
}

#[test]
fn the_checksum_covers_header_options_and_both_slices() {
    use wirewright_wire::checksum::pseudo_v4;
    let mut script = Script::established(0, plain());
    script.write(1001);
    let out = script.one();
    let len = out.total_len() as u32;
    let pseudo = pseudo_v4([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), 6, len);
    let mut bytes = std::vec![0; out.total_len()];
    assert_eq!(out.emit_summed(pseudo, &mut bytes), bytes.len());
    assert!(pseudo.add(&bytes).is_right());
}
