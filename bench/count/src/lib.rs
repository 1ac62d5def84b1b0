//! Jobs that make one packet each: IPv4 and TCP, a SYN with all fields from values, no options, no data.
//!
//! In: a number, out of which each packet's port and sequence number come, so that none is a constant.
//! Out: the bytes, which all jobs make alike.
//! Above: `cargo xtask count` (instructions), `bench/rate` (packets a second). Below: wire, craft.
//! Not here: clocks, counting.
#![forbid(unsafe_code)]

use std::net::Ipv4Addr;

use wirewright_craft::{Context, Packet, Setting, Template, parse, parse_template};
use wirewright_wire::next::protocol;
use wirewright_wire::{SeqNum, WindowField, checksum, ipv4, tcp};

/// The source address of every packet.
pub const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The destination address of every packet.
pub const DESTINATION: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Bytes of a packet.
pub const LEN: usize = ipv4::LEN + tcp::LEN;

/// The source port of packet number `n`.
#[must_use]
pub const fn port(n: u32) -> u16 {
    40_000 + (n & 0xfff) as u16
}

/// Headers from values into a buffer, both checksums right: one call a packet.
pub fn wire(out: &mut [u8; LEN], n: u32) {
    let (ip, segment) = out.split_at_mut(ipv4::LEN);
    let Some(ip) = ip.first_chunk_mut::<{ ipv4::LEN }>() else { return };
    ipv4::Header {
        version: 4,
        ihl: 5,
        tos: 0,
        total_length: LEN as u16,
        identification: n as u16,
        evil: false,
        df: true,
        mf: false,
        fragment_offset: 0,
        ttl: 64,
        protocol: protocol::TCP,
        checksum: 0,
        source: SOURCE,
        destination: DESTINATION,
    }
    .emit(ip);
    let sum = checksum::of(ip);
    ipv4::ViewMut::new(ip).checksum(sum);
    let Some(segment) = segment.first_chunk_mut::<{ tcp::LEN }>() else { return };
    tcp::Header {
        source_port: port(n),
        destination_port: 80,
        sequence: SeqNum::new(n),
        acknowledgment: SeqNum::new(0),
        data_offset: 5,
        reserved: 0,
        flags: tcp::Flags::SYN,
        window: WindowField::new(64_240),
        checksum: 0,
        urgent: 0,
    }
    .emit(segment);
    let sum = checksum::pseudo_v4(SOURCE, DESTINATION, protocol::TCP, tcp::LEN as u32).add(segment).finish();
    if let Some((mut view, _)) = tcp::ViewMut::split(segment) {
        view.checksum(sum);
    }
}

/// A [`Packet`] whose fields are set anew for each packet, built into one buffer.
#[derive(Debug)]
pub struct Built {
    packet: Packet,
    context: Context,
}

const LINE: &str = "ip 192.0.2.2 src=192.0.2.1 id=0 / tcp :80 S sport=1 seq=0";
/// What changes from packet to packet, as generators.
const GENERATED: &str = "ip 192.0.2.2 src=192.0.2.1 id=inc:0:1 / tcp :80 S sport=40000..44095 seq=inc:0:1";

impl Default for Built {
    fn default() -> Self {
        Self { packet: parse(LINE).expect("a constant line"), context: Context::default() }
    }
}

impl Built {
    /// Packet number `n` into `out`.
    pub fn make(&mut self, out: &mut Vec<u8>, n: u32) {
        for (layer, key, value) in [("ip", "id", n & 0xffff), ("tcp", "sport", u32::from(port(n))), ("tcp", "seq", n)] {
            if let Some(layer) = self.packet.layer_mut(layer) {
                layer.set(key, Setting::Exactly(u128::from(value)));
            }
        }
        let _first = self.packet.build_into(out, &self.context);
    }
}

/// A [`Template`], whose packet number `n` is made out of the one before, as `ww send` does, and built.
#[derive(Debug)]
pub struct Generated {
    template: Template,
    packet: Packet,
    context: Context,
}

impl Default for Generated {
    fn default() -> Self {
        let template = parse_template(GENERATED).expect("a constant line");
        Self { packet: template.packet(0, [0; 32]), template, context: Context::default() }
    }
}

impl Generated {
    /// Packet number `n` into `out`.
    pub fn make(&mut self, out: &mut Vec<u8>, n: u32) {
        self.template.refill(u64::from(n), [0; 32], &mut self.packet);
        let _first = self.packet.build_into(out, &self.context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_jobs_make_the_same_packet() {
        let (mut built, mut generated) = (Built::default(), Generated::default());
        for n in [0, 1, 77, 4095] {
            let mut wanted = [0; LEN];
            wire(&mut wanted, n);
            let mut out = Vec::new();
            built.make(&mut out, n);
            assert_eq!(out, wanted, "{n}");
            generated.make(&mut out, n);
            assert_eq!(out, wanted, "{n}");
        }
    }
}
