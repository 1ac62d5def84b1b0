//! The Internet checksum, with etherparse and internet-checksum on the same bytes in the same run.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wirewright_wire::checksum;

/// A bare IPv4 header, a TCP header with timestamps, small, full and jumbo segments, and a super-segment.
const LENGTHS: [usize; 7] = [20, 32, 128, 552, 1460, 8960, 65_483];

fn sums(c: &mut Criterion) {
    let bytes: Vec<u8> = (0..70_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut group = c.benchmark_group("checksum");
    for len in LENGTHS {
        // One byte behind an aligned start: what follows a header rarely is aligned.
        let bytes = &bytes[1..=len];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_with_input(BenchmarkId::new("wire", len), bytes, |b, bytes| {
            b.iter(|| checksum::of(black_box(bytes)));
        });
        group.bench_with_input(BenchmarkId::new("etherparse", len), bytes, |b, bytes| {
            b.iter(|| etherparse::checksum::Sum16BitWords::new().add_slice(black_box(bytes)).ones_complement().to_be());
        });
        group.bench_with_input(BenchmarkId::new("internet-checksum", len), bytes, |b, bytes| {
            b.iter(|| internet_checksum::checksum(black_box(bytes)));
        });
    }
    group.finish();
}

/// A segment as it is sent: pseudo-header, header and two slices of payload, the first of an odd length.
fn segments(c: &mut Criterion) {
    use core::net::Ipv4Addr;
    let payload = vec![0xa5_u8; 1448];
    let header = [0x42_u8; 32];
    let (from, to) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
    let (left, right) = payload.split_at(701);
    let mut group = c.benchmark_group("checksum_segment");
    group.throughput(Throughput::Bytes(1480));
    group.bench_function("wire", |b| {
        b.iter(|| {
            checksum::pseudo_v4(black_box(from), black_box(to), 6, 1480)
                .add(black_box(&header))
                .add(black_box(left))
                .add(black_box(right))
                .finish()
        });
    });
    group.bench_function("internet-checksum", |b| {
        b.iter(|| {
            let mut sum = internet_checksum::Checksum::new();
            sum.add_bytes(&black_box(from).octets());
            sum.add_bytes(&black_box(to).octets());
            sum.add_bytes(&[0, 6]);
            sum.add_bytes(&1480u16.to_be_bytes());
            sum.add_bytes(black_box(&header));
            sum.add_bytes(black_box(left));
            sum.add_bytes(black_box(right));
            sum.checksum()
        });
    });
    group.finish();
}

criterion_group!(benches, sums, segments);
criterion_main!(benches);
