//! Frames to headers, with etherparse on the same frames in the same run.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use wirewright_wire::{ethernet, ipv4, ipv6, tcp};

/// Ethernet, IPv4, TCP with timestamps, 1448 bytes of data.
fn frame_v4() -> Vec<u8> {
    let mut frame = vec![];
    let options = [
        etherparse::TcpOptionElement::Noop,
        etherparse::TcpOptionElement::Noop,
        etherparse::TcpOptionElement::Timestamp(7, 8),
    ];
    etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .tcp(40_000, 80, 1, 64_240)
        .ack(9)
        .options(&options)
        .expect("12 bytes of options fit")
        .write(&mut frame, &[0x55; 1448])
        .expect("a vector takes all");
    frame
}

/// Ethernet, IPv6, a SYN with the options that Linux sends.
fn frame_v6() -> Vec<u8> {
    let mut frame = vec![];
    let options = [
        etherparse::TcpOptionElement::MaximumSegmentSize(1440),
        etherparse::TcpOptionElement::SelectiveAcknowledgementPermitted,
        etherparse::TcpOptionElement::Timestamp(7, 0),
        etherparse::TcpOptionElement::Noop,
        etherparse::TcpOptionElement::WindowScale(7),
    ];
    etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv6([0x20; 16], [0x21; 16], 64)
        .tcp(40_000, 80, 1, 64_240)
        .syn()
        .options(&options)
        .expect("20 bytes of options fit")
        .write(&mut frame, &[])
        .expect("a vector takes all");
    frame
}

fn frames(c: &mut Criterion) {
    let v4 = frame_v4();
    let mut group = c.benchmark_group("parse_ethernet_ipv4_tcp");
    group.bench_function("wire", |b| {
        b.iter(|| {
            let frame = ethernet::parse(black_box(&v4)).ok()?;
            let packet = ipv4::parse(frame.payload).ok()?;
            let segment = tcp::parse(packet.payload).ok()?;
            Some((
                packet.header.source(),
                segment.header.source_port(),
                segment.header.sequence(),
                segment.payload.len(),
            ))
        });
    });
    group.bench_function("etherparse", |b| {
        b.iter(|| {
            let sliced = etherparse::SlicedPacket::from_ethernet(black_box(&v4)).ok()?;
            let Some(etherparse::NetSlice::Ipv4(ip)) = sliced.net else { return None };
            let Some(etherparse::TransportSlice::Tcp(tcp)) = sliced.transport else { return None };
            Some((ip.header().source_addr(), tcp.source_port(), tcp.sequence_number(), tcp.payload().len()))
        });
    });
    group.finish();

    let v6 = frame_v6();
    let mut group = c.benchmark_group("parse_ethernet_ipv6_tcp");
    group.bench_function("wire", |b| {
        b.iter(|| {
            let frame = ethernet::parse(black_box(&v6)).ok()?;
            let packet = ipv6::parse(frame.payload).ok()?;
            let segment = tcp::parse(packet.upper().ok()?.bytes).ok()?;
            Some((packet.header.source(), segment.header.source_port(), segment.header.sequence()))
        });
    });
    group.bench_function("etherparse", |b| {
        b.iter(|| {
            let sliced = etherparse::SlicedPacket::from_ethernet(black_box(&v6)).ok()?;
            let Some(etherparse::NetSlice::Ipv6(ip)) = sliced.net else { return None };
            let Some(etherparse::TransportSlice::Tcp(tcp)) = sliced.transport else { return None };
            Some((ip.header().source_addr(), tcp.source_port(), tcp.sequence_number()))
        });
    });
    group.finish();
}

fn headers(c: &mut Criterion) {
    let frame = frame_v4();
    let segment = &frame[34..];
    let mut group = c.benchmark_group("parse_tcp_header_value");
    group.bench_function("wire", |b| {
        b.iter(|| tcp::parse(black_box(segment)).map(|s| tcp::Header::parse(s.header.bytes())));
    });
    group.bench_function("etherparse", |b| {
        b.iter(|| etherparse::TcpHeader::from_slice(black_box(segment)).map(|(header, _)| header));
    });
    group.finish();
}

fn options(c: &mut Criterion) {
    for (name, frame, at) in [("timestamps", frame_v4(), 54), ("syn", frame_v6(), 74)] {
        let end = if name == "syn" { frame.len() } else { at + 12 };
        let bytes = &frame[at..end];
        let mut group = c.benchmark_group(format!("tcp_options_{name}"));
        group.bench_function("wire", |b| {
            b.iter(|| {
                tcp::options(black_box(bytes)).flatten().for_each(|option| {
                    black_box(option);
                })
            });
        });
        group.bench_function("etherparse", |b| {
            b.iter(|| {
                etherparse::TcpOptionsIterator::from_slice(black_box(bytes)).flatten().for_each(|option| {
                    black_box(option);
                })
            });
        });
        group.finish();
    }
}

criterion_group!(benches, frames, headers, options);
criterion_main!(benches);
