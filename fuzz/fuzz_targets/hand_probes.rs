//! Any packet sent and any packets heard: nothing panics, and an answer after the time is over is late.
#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use wirewright_hand::probes::{Asked, Order, Probes};
use wirewright_hand::{First, Instant};

fuzz_target!(|input: (bool, &[u8], Vec<&[u8]>)| {
    let (ethernet, sent, heard) = input;
    let first = if ethernet { First::Ethernet } else { First::Ip };
    let mut probes = Probes::new();
    probes.sent(Instant::ORIGIN, 1, &Asked::new(sent, first), Duration::from_secs(1));
    for (n, bytes) in heard.into_iter().enumerate() {
        let now = Instant::from_millis(100 * n as u64);
        let expired = probes.poll_expired(now).is_some();
        assert!(!expired || probes.awaited() == 0);
        let Some(answer) = probes.handle_received(now, bytes, first) else { continue };
        assert_eq!((answer.probe, answer.at, answer.rtt), (1, now, now.since(Instant::ORIGIN)));
        assert!(answer.order != Order::First || now < Instant::from_millis(1000), "late answers are called late");
    }
});
