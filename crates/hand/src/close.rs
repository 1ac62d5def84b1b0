//! `ask` leaves nothing half-open: a SYN-ACK to its SYN is answered with one reset.

use wirewright_craft::{Built, Layer, Packet, Setting};
use wirewright_wire::tcp::{self, Flags};

/// The reset that ends what a SYN-ACK with this acknowledgement number half-opened: on the probe's own link, between its
/// addresses and ports. `None` when the probe is no TCP segment in an IP packet.
#[must_use]
pub fn closing_reset(probe: &Packet, built: &Built, ack: u32) -> Option<Packet> {
    let layers = &probe.layers;
    // In a tunnel the segment is not on the outermost IP header, and the reset goes through the same tunnel.
    let ip_at = layers.iter().rposition(|layer| layer.key() == tcp::DESC.key)?.checked_sub(1)?;
    layers.get(ip_at).filter(|layer| matches!(layer.key(), "ip" | "ip6"))?;
    let mut reset = Packet::new();
    reset.layers.extend_from_slice(&layers[..ip_at]);
    let ip = fresh(probe, built, ip_at, &["src", "dst"]);
    let mut segment = fresh(probe, built, ip_at + 1, &["sport", "dport"]);
    // RFC 9293 §3.5.2: the sequence number of a reset is the ACK field of what it answers.
    segment.set("seq", Setting::Exactly(ack.into()));
    segment.set("flags", Setting::Exactly(Flags::RST.to_raw().into()));
    segment.set("win", Setting::Exactly(0));
    reset.layers.push(ip);
    reset.layers.push(segment);
    Some(reset)
}

/// A layer with these fields as the probe was built with, all else unset.
fn fresh(probe: &Packet, built: &Built, index: usize, keys: &[&str]) -> Layer {
    let desc = probe.layers[index].desc();
    let start = built.spans_of(index).map(|span| span.bytes.start).min().unwrap_or(0);
    let mut layer = Layer::new(desc);
    for key in keys {
        let value = desc.field(key).and_then(|field| field.read(built.bytes.get(start..)?));
        if let Some(value) = value {
            layer.set(key, Setting::Exactly(value));
        }
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;
    use wirewright_craft::{Context, parse};

    #[test]
    fn a_reset_has_the_probes_addresses_and_nothing_of_its_wishes() {
        let context = Context { source_port: Some(50_000), entropy: [5; 32], ..Context::default() };
        for (words, expected) in [
            (
                "eth 02:00:00:00:00:09 / vlan vid=7 / ip 192.0.2.2 src=192.0.2.1 ttl=9 len=60 / tcp :80 S mss=1 data=x",
                "eth 02:00:00:00:00:09 / vlan vid=7 / ip 192.0.2.2 src=192.0.2.1 / tcp :80 sport=50000 R seq=77 win=0",
            ),
            (
                "tcp 2001:db8::2 :80 S src=2001:db8::1 seq=5",
                "ip6 2001:db8::2 src=2001:db8::1 / tcp :80 sport=50000 R seq=77 win=0",
            ),
            (
                "ip 192.0.2.2 src=192.0.2.1 / gre key=5 / ip 198.51.100.2 src=198.51.100.1 ttl=9 / tcp :80 S mss=1",
                "ip 192.0.2.2 src=192.0.2.1 / gre key=5 / ip 198.51.100.2 src=198.51.100.1 / tcp :80 sport=50000 R seq=77 win=0",
            ),
        ] {
            let probe = parse(words).unwrap();
            let built = probe.build(&context).unwrap();
            let reset = closing_reset(&probe, &built, 77).unwrap();
            let bytes = |packet: &Packet| packet.build(&context).unwrap().bytes;
            assert_eq!(bytes(&reset), bytes(&parse(expected).unwrap()), "{words}");
        }
        let udp = parse("udp 192.0.2.2:9").unwrap();
        assert!(closing_reset(&udp, &udp.build(&context).unwrap(), 77).is_none());
    }
}
