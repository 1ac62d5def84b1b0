//! A host is given any frames, mended or not, between user calls and moments; it holds its invariants and its limits.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wirewright_stack::{Backlog, Checksum, Host, HostConfig, Link, Offload, Ownership, Prefix, Received, Secret};
use wirewright_tcp::Config;
use wirewright_units::Instant;
use wirewright_wire::MacAddr;

fuzz_target!(|data: &[u8]| {
    let Some((&shape, mut rest)) = data.split_first() else { return };
    let link = if shape & 1 == 0 { Link::Ip } else { Link::Ethernet { mac: MacAddr([2, 0, 0, 0, 0, 2]) } };
    let mut host = Host::new(&HostConfig {
        addresses: vec![
            Prefix::new([192, 0, 2, 2].into(), 24),
            Prefix::new([0x2001, 0xdb8, 0, 0, 0, 0, 0, 2].into(), 64),
        ],
        routes: Vec::new(),
        link,
        mtu: 1500,
        offload: Offload { segmentation: shape & 2 != 0, checksum: shape & 4 != 0 },
        ownership: if shape & 8 == 0 { Ownership::Own } else { Ownership::SharedWithKernel },
        tcp_v4: Arc::new(Config::IPV4),
        tcp_v6: Arc::new(Config::IPV6),
        secret: Secret([7; 32]),
    });
    let backlog = Backlog { accept_max: 2, half_open_max: 4 };
    let listener = host.listen(([0, 0, 0, 0], 80).into(), backlog).expect("a free port");
    let _ = host.udp_bind(([0, 0, 0, 0], 53).into());
    let mut now = Instant::from_millis(1);
    let stream = host.connect(now, ([192, 0, 2, 2], 40_000).into(), ([192, 0, 2, 1], 80).into());
    // A piece: how it is given, its length, its bytes.
    while let [how, len, tail @ ..] = rest {
        let (frame, behind) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = behind;
        let checksum = match how & 3 {
            0 => Checksum::ToCheck,
            1 => Checksum::Verified,
            2 => Checksum::Partial,
            _ => Checksum::MaybePartial,
        };
        host.handle_frame(now, &Received { checksum, ..Received::new(frame) });
        if let Some(id) = host.accept(listener).filter(|_| how & 4 != 0) {
            let _ = host.write(now, id, frame);
            host.release(now, id);
        }
        if let (Ok(id), 8) = (stream, how & 8) {
            let _ = host.write(now, id, frame);
            let _ = host.read(now, id, &mut [0; 64]);
        }
        now += Duration::from_millis(u64::from(*how) * 8);
        host.handle_timeout(now);
        let mut sent = 0;
        while host.poll_transmit(now, &mut |_| sent += 1) {
            assert!(sent < 10_000, "it sends without end");
        }
        while host.poll_event().is_some() {}
        host.check_invariants();
        assert!(host.open_count() <= 64 + 4 + 256);
    }
});
