//! Packets made, read, printed and found again: how many a second.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wirewright_craft::{Context, First, Packet, parse, walk};

const LINES: [(&str, &str); 3] = [
    ("ip_tcp_syn", "ip 192.0.2.2 src=192.0.2.1 / tcp :80 S mss=1460 sack ts=1:0 nop wscale=7"),
    ("ip_udp_64", "ip 192.0.2.2 src=192.0.2.1 / udp :53 zero=64"),
    ("ip6_tcp_1400", "ip6 2001:db8::2 src=2001:db8::1 / tcp :80 PA zero=1400"),
];

fn packets(c: &mut Criterion) {
    for (name, line) in LINES {
        let packet = parse(line).expect("a line of the bench parses");
        let context = Context { entropy: [7; 32], ..Context::default() };
        let mut out = Vec::new();
        packet.build_into(&mut out, &context).expect("and builds");
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(1));
        group.bench_function("build_into", |b| {
            let mut bytes = Vec::with_capacity(out.len());
            b.iter(|| {
                black_box(&packet).build_into(&mut bytes, &context).expect("builds");
                black_box(bytes.len())
            });
        });
        group.bench_function("build_with_spans", |b| b.iter(|| black_box(&packet).build(&context).expect("builds")));
        group.bench_function("parse", |b| b.iter(|| parse(black_box(line)).expect("parses")));
        group.bench_function("walk", |b| b.iter(|| walk(black_box(&out), First::Ip)));
        group.bench_function("from_bytes", |b| b.iter(|| Packet::from_bytes(black_box(&out), First::Ip)));
        group.bench_function("print", |b| b.iter(|| black_box(&packet).to_string()));
        group.finish();
    }
}

criterion_group!(benches, packets);
criterion_main!(benches);
