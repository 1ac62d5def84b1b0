//! Any frames at a host that asks for two neighbours: at most one event each, and never a group's address.
#![no_main]

use core::net::{Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use wirewright_stack::neighbors::Event;
use wirewright_stack::{Neighbors, Own};
use wirewright_units::Instant;
use wirewright_wire::MacAddr;

fuzz_target!(|frames: Vec<&[u8]>| {
    let own = Own {
        mac: MacAddr([2, 0, 0, 0, 0, 1]),
        ipv4: Some(Ipv4Addr::new(192, 0, 2, 1)),
        ipv6: Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    };
    let mut neighbors = Neighbors::new(own);
    neighbors.resolve(Instant::ORIGIN, Ipv4Addr::new(192, 0, 2, 2).into());
    neighbors.resolve(Instant::ORIGIN, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2).into());
    let mut events = 0;
    for (n, frame) in frames.into_iter().enumerate() {
        let now = Instant::from_millis(n as u64);
        while neighbors.poll_transmit(now).is_some() {}
        neighbors.handle_frame(now, frame);
        neighbors.handle_timeout(now);
        while let Some(event) = neighbors.poll_event() {
            events += 1;
            if let Event::Resolved { mac, .. } = event {
                assert!(!mac.is_multicast() && mac != MacAddr::ZERO);
            }
        }
    }
    assert!(events <= 2);
});
