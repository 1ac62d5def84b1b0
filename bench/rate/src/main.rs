//! Packets made a second on one core: IPv4 and TCP, a SYN with all fields from values, both checksums right; ours, etherparse
//! and crafter in the same run, one after the other in each round. `cargo run --release --manifest-path bench/rate/Cargo.toml`
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Duration;

use wirewright_count::{Built, DESTINATION, Generated, LEN, SOURCE, port, wire};
use wirewright_link::clock;

/// Rounds; the median is told.
const ROUNDS: usize = 15;
/// Packets of a job in a round.
const PACKETS: u32 = 200_000;

fn etherparse(out: &mut Vec<u8>, n: u32) {
    out.clear();
    let ip = etherparse::Ipv4Header {
        identification: n as u16,
        dont_fragment: true,
        time_to_live: 64,
        source: SOURCE.octets(),
        destination: DESTINATION.octets(),
        ..Default::default()
    };
    etherparse::PacketBuilder::ip(etherparse::IpHeaders::Ipv4(ip, Default::default()))
        .tcp(port(n), 80, n, 64_240)
        .syn()
        .write(out, &[])
        .expect("a vector takes all");
}

fn crafter(out: &mut Vec<u8>, n: u32) {
    use crafter::prelude::{Ipv4, Tcp};
    let ip = Ipv4::new().src(SOURCE).dst(DESTINATION).id(n as u16).dont_fragment(true).ttl(64);
    let packet = ip / Tcp::new().sport(port(n)).dport(80).seq(n).syn().window(64_240);
    out.clear();
    packet.compile_into(out).expect("it compiles");
}

fn main() {
    let (mut built, mut generated) = (Built::default(), Generated::default());
    let mut jobs: Vec<(&str, Box<dyn FnMut(&mut Vec<u8>, u32)>)> = vec![
        (
            "wire, one call",
            Box::new(|out, n| {
                out.resize(LEN, 0);
                wire(out.first_chunk_mut().expect("the length was set"), n);
            }),
        ),
        ("craft, fields set and built", Box::new(move |out, n| built.make(out, n))),
        ("craft, template", Box::new(move |out, n| generated.make(out, n))),
        ("etherparse (rival)", Box::new(etherparse)),
        ("crafter (rival)", Box::new(crafter)),
    ];
    let mut out = Vec::with_capacity(LEN);
    let mut wanted = [0; LEN];
    wire(&mut wanted, 77);
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); jobs.len()];
    for (name, job) in &mut jobs {
        out.clear();
        job(&mut out, 77);
        assert_eq!(out, wanted, "{name} makes the same packet");
    }
    for _ in 0..ROUNDS {
        for ((_, job), times) in jobs.iter_mut().zip(&mut times) {
            out.clear();
            let begun = clock::now();
            for n in 0..PACKETS {
                job(black_box(&mut out), black_box(n));
            }
            times.push(clock::now().since(begun));
        }
    }
    for ((name, _), times) in jobs.iter().zip(&mut times) {
        times.sort();
        let [slow, median, fast] =
            [times[ROUNDS - 1], times[ROUNDS / 2], times[0]].map(|took| f64::from(PACKETS) / took.as_secs_f64() / 1e6);
        println!("{name:<28} {median:>7.2} M packets/s   (slowest {slow:.2}, fastest {fast:.2})");
    }
}
