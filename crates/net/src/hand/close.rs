//! `ask` leaves nothing half-open: a SYN-ACK to its SYN is answered with one reset.

use wirewright_craft::{Layer, Packet, Setting};
use wirewright_wire::tcp::Flags;
use wirewright_wire::{HeaderDesc, tcp};

use super::prepare::Prepared;

/// The reset that ends what a SYN-ACK with this acknowledgement number half-opened, by the probe's own link and addresses.
/// `None` when the probe is no TCP segment in an IP packet.
pub(super) fn reset(probe: &Prepared, ack: u32) -> Option<Packet> {
    let layers = &probe.packet.layers;
    let ip_at = layers.iter().position(|layer| matches!(layer.key(), "ip" | "ip6"))?;
    let probe_tcp = layers.get(ip_at + 1).filter(|layer| layer.key() == tcp::DESC.key)?;
    let mut reset = Packet::new();
    reset.layers.extend_from_slice(&layers[..ip_at]);
    let ip = fresh(layers[ip_at].desc(), probe, ip_at, &["src", "dst"]);
    let mut segment = fresh(probe_tcp.desc(), probe, ip_at + 1, &["sport", "dport"]);
    // RFC 9293 §3.5.2: the sequence number of a reset is the ACK field of what it answers.
    segment.set("seq", Setting::Exactly(ack.into()));
    segment.set("flags", Setting::Exactly(Flags::RST.to_raw().into()));
    segment.set("win", Setting::Exactly(0));
    reset.layers.push(ip);
    reset.layers.push(segment);
    Some(reset)
}

/// A layer with these fields as the probe was built with, all else unset.
fn fresh(desc: &'static HeaderDesc, probe: &Prepared, index: usize, keys: &[&str]) -> Layer {
    let mut layer = Layer::new(desc);
    for key in keys {
        let start = probe.built.spans_of(index).map(|span| span.bytes.start).min().unwrap_or(0);
        let value = desc.field(key).and_then(|field| field.read(probe.built.bytes.get(start..)?));
        if let Some(value) = value {
            layer.set(key, Setting::Exactly(value));
        }
    }
    layer
}
