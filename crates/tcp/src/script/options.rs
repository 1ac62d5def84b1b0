//! RFC 9293 §3.7.1, RFC 7323 §2 and §3: what is offered, agreed on, and used.

use super::*;
use crate::{SEND_MSS_MIN, Timestamps};

fn offered(config: Config) -> Options {
    let mut script = Script::unsent(0, config);
    let out = script.one();
    Options::parse(out.options())
}

fn segment_size(config: Config, options: Options) -> u16 {
    let mut script = Script::syn_sent(0, config);
    script.receive(from(0, 1, SA).options(options));
    script.conn.status().segment_size
}

#[test]
fn a_syn_offers_what_is_set() {
    let all = offered(Config::IPV4);
    assert_eq!((all.mss, all.window_scale, all.sack_permitted), (Some(1460), Some(5), true));
    assert_eq!(all.timestamps.map(|stamps| stamps.echo), Some(0));
    assert_eq!(offered(plain()), Options { mss: Some(1000), ..Options::default() });
}

#[test]
fn without_an_mss_option_the_default_of_the_ip_version_counts() {
    let wide = Config { mss: 8960, ..plain() };
    assert_eq!(segment_size(wide.clone(), Options::default()), 536);
    let ipv6 = Config { mss_default: Config::IPV6.mss_default, ..wide };
    assert_eq!(segment_size(ipv6, Options::default()), 1220);
}

#[test]
fn the_segment_is_what_the_peer_takes_less_the_options() {
    let mss = |mss| Options { mss: Some(mss), ..Options::default() };
    assert_eq!(segment_size(plain(), mss(700)), 700);
    assert_eq!(segment_size(plain(), mss(9000)), 1000, "not more than our own path carries");
    for tiny in [0, 1, 47] {
        assert_eq!(segment_size(plain(), mss(tiny)), SEND_MSS_MIN);
    }
    let timestamps = Some(Timestamps { value: 1, echo: 0 });
    let stamped = Config { timestamps: true, ..plain() };
    assert_eq!(segment_size(stamped, Options { timestamps, ..mss(700) }), 688);
}

#[test]
fn the_window_of_a_syn_is_never_scaled_and_later_ones_are() {
    for start in STARTS {
        let mut script = Script::syn_sent(start, Config { window_scale: true, ..plain() });
        let scale = Options { window_scale: Some(3), ..Options::default() };
        script.receive(from(0, 1, SA).options(scale).wnd(4000));
        assert_eq!(script.conn.status().snd_wnd.get(), 4000);
        script.receive(from(1, 1, A).wnd(4000));
        assert_eq!(script.conn.status().snd_wnd.get(), 32_000);
    }
}

#[test]
fn without_the_peers_offer_nothing_is_scaled() {
    let mut script = Script::syn_sent(0, Config { window_scale: true, receive_bytes_max: 1 << 20, ..plain() });
    script.receive(from(0, 1, SA).wnd(4000));
    assert_eq!(script.one().header().window.to_raw(), u16::MAX);
    script.receive(from(1, 1, A).wnd(4001));
    assert_eq!(script.conn.status().snd_wnd.get(), 4001);
}

#[test]
fn timestamps_echo_the_last_in_order_and_measure_the_round_trip() {
    let mut script = Script::syn_sent(0, Config { timestamps: true, ..plain() });
    script.pass(ms(80));
    script.receive(from(0, 1, SA).stamps(555, 1000));
    let out = script.one();
    assert_eq!(Options::parse(out.options()).timestamps, Some(Timestamps { value: 1080, echo: 555 }));
    assert_eq!(script.conn.status().srtt, Some(ms(80)));
}

#[test]
fn after_a_retransmission_the_echo_measures_what_karn_forbids() {
    let mut script = Script::syn_sent(0, Config { timestamps: true, ..plain() });
    script.receive(from(0, 1, SA).stamps(1, 1000));
    script.sent();
    script.write(10);
    script.sent();
    script.time_out();
    script.sent();
    let backed_off = script.conn.status().rto;
    script.pass(ms(50));
    let sent_at = (script.now.as_millis() - 50) as u32;
    script.receive(from(1, 11, A).stamps(2, sent_at));
    assert!(script.conn.status().rto < backed_off);
}

#[test]
fn options_are_taken_from_any_segment_and_sack_of_the_peer_harms_nothing() {
    let mut script = Script::established(0, plain());
    let strange = Options {
        mss: Some(1),
        window_scale: Some(14),
        sack_permitted: true,
        sack: [crate::SackBlock { left: SeqNum::new(9), right: SeqNum::new(3) }].into_iter().collect(),
        ..Options::default()
    };
    assert_eq!(script.receive(from(1, 1, A).text(b"abc").options(strange)), Verdict::Accepted);
    assert_eq!((script.conn.status().segment_size, script.read_all()), (1000, b"abc".to_vec()));
}
