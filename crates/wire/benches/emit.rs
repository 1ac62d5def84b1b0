//! Headers to frames, with etherparse making the same frame in the same run.

use std::hint::black_box;
use std::net::Ipv4Addr;

use criterion::{Criterion, criterion_group, criterion_main};
use wirewright_wire::next::{ether_type, protocol};
use wirewright_wire::{MacAddr, SeqNum, WindowField, checksum, ethernet, ipv4, tcp};

const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const DESTINATION: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// Ethernet, IPv4, TCP with timestamps and data into a buffer, lengths and both checksums right.
fn emit_frame(buffer: &mut [u8; 1600], sequence: u32, payload: &[u8]) -> Option<usize> {
    let mut options = tcp::OptionsBuf::new();
    options.timestamps(tcp::Timestamps { value: 7, echo: 8 });
    let segment_len = tcp::LEN + options.len() + payload.len();
    let total_length = u16::try_from(ipv4::LEN + segment_len).ok()?;

    let (eth, rest) = buffer.split_first_chunk_mut::<{ ethernet::LEN }>()?;
    ethernet::Header { destination: MacAddr([4; 6]), source: MacAddr([2; 6]), ether_type: ether_type::IPV4 }.emit(eth);
    let (ip, rest) = rest.split_first_chunk_mut::<{ ipv4::LEN }>()?;
    let mut header = ipv4::Header {
        version: 4,
        ihl: 5,
        tos: 0,
        total_length,
        identification: 0,
        evil: false,
        df: true,
        mf: false,
        fragment_offset: 0,
        ttl: 64,
        protocol: protocol::TCP,
        checksum: 0,
        source: SOURCE,
        destination: DESTINATION,
    };
    header.emit(ip);
    header.checksum = checksum::of(ip);
    ipv4::ViewMut::new(ip).checksum(header.checksum);

    let segment = rest.get_mut(..segment_len)?;
    let (tcp_header, behind) = segment.split_first_chunk_mut::<{ tcp::LEN }>()?;
    tcp::Header {
        source_port: 40_000,
        destination_port: 80,
        sequence: SeqNum::new(sequence),
        acknowledgment: SeqNum::new(9),
        data_offset: 5 + (options.len() / 4) as u8,
        reserved: 0,
        flags: tcp::Flags::ACK,
        window: WindowField::new(64_240),
        checksum: 0,
        urgent: 0,
    }
    .emit(tcp_header);
    let (at, data) = behind.split_at_mut(options.len());
    at.copy_from_slice(options.as_bytes());
    data.copy_from_slice(payload);
    let sum = checksum::pseudo_v4(SOURCE, DESTINATION, protocol::TCP, segment_len as u32).add(segment).finish();
    tcp::ViewMut::split(segment)?.0.checksum(sum);
    Some(ethernet::LEN + usize::from(total_length))
}

fn emit_frame_etherparse(frame: &mut Vec<u8>, sequence: u32, payload: &[u8]) {
    frame.clear();
    let options = [
        etherparse::TcpOptionElement::Noop,
        etherparse::TcpOptionElement::Noop,
        etherparse::TcpOptionElement::Timestamp(7, 8),
    ];
    etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .ip(etherparse::IpHeaders::Ipv4(
            etherparse::Ipv4Header {
                dont_fragment: true,
                time_to_live: 64,
                source: SOURCE.octets(),
                destination: DESTINATION.octets(),
                ..Default::default()
            },
            Default::default(),
        ))
        .tcp(40_000, 80, sequence, 64_240)
        .ack(9)
        .options(&options)
        .expect("12 bytes of options fit")
        .write(frame, payload)
        .expect("a vector takes all");
}

fn frames(c: &mut Criterion) {
    for len in [0, 1448] {
        let payload = vec![0x55; len];
        let mut buffer = [0; 1600];
        let mut frame = Vec::with_capacity(1600);
        let made = emit_frame(&mut buffer, 1, &payload).expect("the buffer is long enough");
        emit_frame_etherparse(&mut frame, 1, &payload);
        assert_eq!(&buffer[..made], &frame[..], "both make the same frame");

        let mut group = c.benchmark_group(format!("emit_ethernet_ipv4_tcp_{len}"));
        group.bench_function("wire", |b| {
            b.iter(|| emit_frame(black_box(&mut buffer), black_box(1), black_box(&payload)));
        });
        group.bench_function("etherparse", |b| {
            b.iter(|| {
                emit_frame_etherparse(black_box(&mut frame), black_box(1), black_box(&payload));
                frame.len()
            });
        });
        group.finish();
    }
}

fn headers(c: &mut Criterion) {
    let ours = tcp::Header { sequence: SeqNum::new(1), flags: tcp::Flags::ACK, ..Default::default() };
    let theirs = etherparse::TcpHeader { ack: true, ..etherparse::TcpHeader::new(40_000, 80, 1, 64_240) };
    let mut group = c.benchmark_group("emit_tcp_header");
    group.bench_function("wire", |b| b.iter(|| black_box(&ours).to_bytes()));
    group.bench_function("etherparse", |b| b.iter(|| black_box(&theirs).to_bytes()));
    group.finish();
}

criterion_group!(benches, frames, headers);
criterion_main!(benches);
