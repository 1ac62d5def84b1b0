//! What keeps probes on one way. Balancers choose a way by addresses, protocol and the first four bytes behind them (ports; type,
//! code and checksum of ICMP), in IPv6 by the flow label too: these stay alike in a flow. What tells its probes apart stands
//! where no balancer looks and every quote shows it: the identification of IPv4, the checksum of UDP, the sequence numbers of
//! ICMP and TCP. Nothing that a person set is touched.

use alloc::vec;
use alloc::vec::Vec;

use wirewright_craft::{Layer, Packet, Payload, Setting};

/// The flows of one trace: what a person left open, and what it is used for.
#[derive(Clone, Debug)]
pub struct Flows {
    seed: u64,
    /// The transport is the one that hashes are of, and its place among the layers.
    transport: Option<(usize, Transport)>,
    /// The identification of IPv4 is ours.
    has_id: bool,
    /// The flow label of IPv6 is ours.
    has_label: bool,
}

/// What of the transport's header is ours.
#[derive(Clone, Copy, Debug)]
enum Transport {
    /// UDP: its source port; its checksum, by two bytes of data or by what it carries.
    Udp { port: bool, data: bool, differs: bool },
    /// TCP: its source port, its sequence number.
    Tcp { port: bool, seq: bool },
    /// An echo: its id, its sequence number, two bytes of data; whether the checksum fills itself.
    Echo { id: bool, seq: bool, data: bool, sum: bool },
}

/// Ones' complement numbers, in which checksums add up.
const ONES: u64 = 0xffff;

impl Flows {
    /// The flows of probes that are all like this packet.
    #[must_use]
    pub fn of(packet: &Packet, entropy: &[u8; 32]) -> Self {
        let open = |layer: &Layer, key: &str| layer.get(key) == Some(Setting::Auto);
        let ip = packet.layers.iter().position(|layer| matches!(layer.key(), "ip" | "ip6"));
        let ip_opens = |key: &str| ip.is_some_and(|at| open(&packet.layers[at], key));
        let behind = packet.layers.iter().enumerate().skip(ip.map_or(usize::MAX, |at| at + 1));
        let found = behind.into_iter().find_map(|(at, layer)| {
            let data = at + 1 == packet.layers.len() && packet.payload.is_empty() && layer.cut().is_none();
            let is_ours = |key: &str| open(layer, key);
            let transport = match layer.key() {
                "udp" => {
                    let inner = packet.layers[at + 1..].iter().any(|it| it.key() == "dns" && open(it, "id"));
                    let random = matches!(packet.payload, Payload::Random(bytes) if bytes > 1);
                    let sum = is_ours("sum");
                    Transport::Udp { port: is_ours("sport"), data: data && sum, differs: sum && (inner || random) }
                }
                "tcp" => Transport::Tcp { port: is_ours("sport"), seq: is_ours("seq") },
                // A timestamp and its like have no data; they stay as they are.
                "icmp" | "icmp6" if is_echo(layer) => {
                    Transport::Echo { id: is_ours("id"), seq: is_ours("seq"), data, sum: is_ours("sum") }
                }
                _ => return None,
            };
            Some((at, transport))
        });
        let seed = entropy.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Self { seed, transport: found, has_id: ip_opens("id"), has_label: ip_opens("flow") }
    }

    /// Whether one flow can be made to differ from another: something that balancers look at was left open.
    #[must_use]
    pub fn may_differ(&self) -> bool {
        let transport = match self.transport {
            Some((_, Transport::Udp { port, .. } | Transport::Tcp { port, .. })) => port,
            Some((_, Transport::Echo { id, data, sum, .. })) => sum && (id || data),
            None => false,
        };
        transport || self.has_label
    }

    /// Whether the probes of a flow can be told apart, so that several of one flow may be on their way together.
    #[must_use]
    pub fn are_told_apart(&self) -> bool {
        let transport = match self.transport {
            Some((_, Transport::Udp { data, differs, .. })) => data || differs,
            Some((_, Transport::Tcp { seq, .. })) => seq,
            Some((_, Transport::Echo { id, seq, data, sum })) => seq && (id || data || !sum),
            None => false,
        };
        transport || self.has_id
    }

    /// Whether a flow has a source port that is ours to choose: [`mark`](Self::mark) takes it once it is known.
    #[must_use]
    pub fn has_port(&self) -> bool {
        matches!(self.transport, Some((_, Transport::Udp { port, .. } | Transport::Tcp { port, .. })) if port)
    }

    /// Makes the packet probe number `probe` of a flow; `port` is the flow's source port. A number comes again after 65,535
    /// others.
    pub fn mark(&self, packet: &mut Packet, flow: u16, port: Option<u16>, probe: u16) {
        let drawn = |what: u64| draw(self.seed ^ what << 48 ^ u64::from(flow));
        let number = u64::from(probe);
        if let Some(ip) = packet.layers.iter_mut().find(|layer| matches!(layer.key(), "ip" | "ip6")) {
            if self.has_id {
                // 0 would be filled in by the kernel.
                ip.set("id", Setting::Exactly(u128::from((draw(self.seed) + number) % ONES + 1)));
            }
            if self.has_label {
                ip.set("flow", Setting::Exactly(u128::from(drawn(1) % 0xf_ffff + 1)));
            }
        }
        let Some((at, transport)) = self.transport else { return };
        let layer = &mut packet.layers[at];
        let set_port = |layer: &mut Layer, is_ours: bool| {
            if let Some(port) = port.filter(|_| is_ours) {
                layer.set("sport", Setting::Exactly(port.into()));
            }
        };
        match transport {
            Transport::Udp { port, data, .. } => {
                set_port(layer, port);
                if data {
                    packet.payload = Payload::Bytes(word(number));
                }
            }
            Transport::Tcp { port, .. } => set_port(layer, port),
            Transport::Echo { id, seq, data, sum } => {
                let balances = !sum || data || id;
                let seq_now = if seq && balances { number } else { value(layer, "seq") };
                if seq {
                    layer.set("seq", Setting::Exactly(seq_now.into()));
                }
                // Everything but these three words is the same in each probe, and so is their sum in a flow.
                let whole = drawn(2);
                let rest = |others: u64| (whole % ONES + 2 * ONES - others % ONES) % ONES;
                if id && (data || !sum) {
                    layer.set("id", Setting::Exactly(u128::from(draw(self.seed ^ 3) & ONES)));
                } else if id {
                    layer.set("id", Setting::Exactly(rest(seq_now).into()));
                }
                if data && sum {
                    let others = value(layer, "id") + seq_now;
                    packet.payload = Payload::Bytes(word(rest(others)));
                }
            }
        }
    }
}

fn is_echo(layer: &Layer) -> bool {
    let kind = layer.value_or_default("type");
    let echo = if layer.key() == "icmp" { 8 } else { 128 };
    kind == Some(echo) && layer.place("id").is_some() && layer.place("seq").is_some()
}

fn value(layer: &Layer, key: &str) -> u64 {
    layer.value_or_default(key).and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
}

fn word(value: u64) -> Vec<u8> {
    vec![(value >> 8) as u8, value as u8]
}

/// A number out of another, alike for alike: the finisher of SplitMix64 (Steele, Lea, Flood 2014).
const fn draw(from: u64) -> u64 {
    let mut x = from.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    // 48 bits: sums of two of them do not overflow.
    (x ^ (x >> 31)) >> 16
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::string::String;

    use wirewright_craft::{Context, parse};

    use super::*;

    const V4: &str = "ip 192.0.2.2 src=198.51.100.2 / ";
    const V6: &str = "ip6 2001:db8::2 src=2001:db8:1::2 / ";

    /// Probes of a flow as bytes, each filled from entropy of its own, and where its transport begins.
    fn probes(line: &str, flow: u16) -> Vec<Vec<u8>> {
        let packet = parse(line).unwrap();
        let flows = Flows::of(&packet, &[7; 32]);
        let of = |probe: u16| {
            let mut packet = packet.clone();
            flows.mark(&mut packet, flow, Some(40_000 + flow), probe);
            packet.build(&Context { entropy: [probe as u8; 32], ..Context::default() }).unwrap().bytes
        };
        (1..=40).chain([65_534, 65_535]).map(of).collect()
    }

    /// What balancers look at.
    fn hashed(packet: &[u8]) -> Vec<u8> {
        match packet[0] >> 4 {
            4 => [&packet[9..10], &packet[12..24]].concat(),
            _ => [&packet[1..4], &packet[6..7], &packet[8..44]].concat(),
        }
    }

    /// What every quote shows, the hop count left out.
    fn quoted(packet: &[u8]) -> Vec<u8> {
        match packet[0] >> 4 {
            4 => [&packet[..8], &packet[12..28]].concat(),
            _ => packet[..48].to_vec(),
        }
    }

    #[test]
    fn probes_of_a_flow_are_alike_where_balancers_look_and_differ_in_what_is_quoted() {
        for ip in [V4, V6] {
            let echo = if ip == V4 { "icmp" } else { "icmp6" };
            let kinds =
                ["udp :33434", "tcp :80 S", echo, &std::format!("{echo} zero=56"), &std::format!("{echo} id=7")];
            for kind in kinds {
                let line = String::from(ip) + kind;
                let all = probes(&line, 3);
                assert_eq!(all.iter().map(|it| hashed(it)).collect::<BTreeSet<_>>().len(), 1, "{line}");
                assert_eq!(all.iter().map(|it| quoted(it)).collect::<BTreeSet<_>>().len(), all.len(), "{line}");
                assert_ne!(hashed(&all[0]), hashed(&probes(&line, 4)[0]), "{line}: two flows");
                let flows = Flows::of(&parse(&line).unwrap(), &[7; 32]);
                assert!(flows.may_differ() && flows.are_told_apart(), "{line}");
            }
        }
    }

    #[test]
    fn what_was_set_stays_and_something_else_tells_probes_apart() {
        // Whether flows can differ, and whether probes of one are told apart without the identification.
        for (line, differ, apart) in [
            ("udp :33434 sport=4000", false, true),
            ("udp :33434 sport=4000 data=hello", false, false),
            ("udp :33434 sum=zero", true, false),
            ("tcp :80 S sport=4000 seq=9", false, false),
            ("icmp id=3 seq=4", true, false),
            ("icmp id=3", true, true),
            ("icmp id=3 zero=8", false, false),
            ("icmp type=tstamp", false, false),
        ] {
            let line = String::from(V4) + line;
            check(&line, differ, true);
            check(&line.replace("src=", "id=77 src="), differ, apart);
        }
        for (line, differ, apart) in [
            ("udp :33434 sport=4000 data=hello", false, false),
            ("udp :53 / dns www.example", true, true),
            ("udp :53 rand=9", true, true),
            ("icmp6 id=3 seq=4", true, false),
            ("icmp6 seq=4 zero=8", true, false),
        ] {
            check(&(V6.replace("src=", "flow=5 src=") + line), differ, apart);
        }
    }

    fn check(line: &str, differ: bool, apart: bool) {
        let packet = parse(line).unwrap();
        let flows = Flows::of(&packet, &[7; 32]);
        assert_eq!((flows.may_differ(), flows.are_told_apart()), (differ, apart), "{line}");
        let mut marked = packet.clone();
        flows.mark(&mut marked, 1, Some(50_000), 9);
        for (layer, now) in packet.layers.iter().zip(&marked.layers) {
            for (place, field, setting) in layer.rows() {
                assert!(setting == Setting::Auto || setting == now.setting(place), "{line}: {}", field.key);
            }
        }
        assert!(packet.payload.is_empty() || packet.payload == marked.payload, "{line}");
    }
}
