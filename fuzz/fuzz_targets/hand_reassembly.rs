//! Any packets heard: nothing panics, what is kept stays bounded, and a datagram put together is whole and no fragment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_hand::reassembly::{Arrival, DATAGRAMS_MAX, Reassembly, is_fragment};
use wirewright_hand::{First, Instant};

fuzz_target!(|input: (bool, Vec<&[u8]>)| {
    let (ethernet, heard) = input;
    let first = if ethernet { First::Ethernet } else { First::Ip };
    let mut reassembly = Reassembly::default();
    for (n, bytes) in heard.into_iter().enumerate() {
        let now = Instant::from_millis(1_000 * n as u64);
        let fragment = is_fragment(bytes, first);
        let arrival = reassembly.handle_received(now, bytes, first, n);
        assert_eq!(arrival == Arrival::Whole(n), !fragment);
        assert!(reassembly.awaited() <= DATAGRAMS_MAX);
        let Arrival::Complete(whole) = arrival else { continue };
        assert!(!whole.fragments.is_empty() && whole.packet.len() <= 65_535 + 40);
        // IPv6 may hold a fragment inside; IPv4's own header says that it is whole.
        assert!(whole.packet[0] >> 4 == 6 || !is_fragment(&whole.packet, First::Ip));
    }
});
