//! Taking frames apart and judging checksums, with etherparse's slicing beside it.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wirewright_inspect::sum::{Known, checksums};
use wirewright_inspect::{First, dissect, wire};

/// Ethernet, IPv4, TCP with timestamps and this many bytes of data, checksums right.
fn segment(data: usize) -> Vec<u8> {
    let total = (20 + 32 + data) as u16;
    let mut ip = vec![0x45, 0, (total >> 8) as u8, total as u8, 0, 1, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    let sum = wire::checksum::Sum::new().add(&ip).finish();
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut tcp = vec![0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 0x10, 1, 0, 0, 0, 0, 0, 1, 1, 8, 10];
    tcp.extend([0, 0, 0, 1, 0, 0, 0, 2]);
    tcp.extend((0..data).map(|index| index as u8));
    let pseudo = [&ip[12..20], &[0, 6], &(tcp.len() as u16).to_be_bytes()].concat();
    let sum = wire::checksum::Sum::new().add(&pseudo).add(&tcp).finish();
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0][..], &ip, &tcp].concat()
}

fn benches(criterion: &mut Criterion) {
    for data in [0, 1448] {
        let frame = segment(data);
        assert!(dissect(&frame, First::Ethernet).is_clean());
        let mut wrong = frame.clone();
        wrong[50] ^= 0x40;
        let mut group = criterion.benchmark_group(format!("{} bytes", frame.len()));
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function("dissect", |bencher| bencher.iter(|| dissect(black_box(&frame), First::Ethernet)));
        group.bench_function("checksums, right", |bencher| {
            bencher.iter(|| checksums(black_box(&frame), First::Ethernet, &Known::default()));
        });
        group.bench_function("checksums, wrong and traced", |bencher| {
            bencher.iter(|| checksums(black_box(&wrong), First::Ethernet, &Known::default()));
        });
        group.bench_function("etherparse, headers without checksums", |bencher| {
            bencher.iter(|| etherparse::PacketHeaders::from_ethernet_slice(black_box(&frame)));
        });
        group.finish();
    }
}

criterion_group!(dissecting, benches);
criterion_main!(dissecting);
