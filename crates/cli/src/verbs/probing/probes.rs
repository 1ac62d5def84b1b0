//! The packets of a trace: each is of a flow, and has the TTL of its hop.

use std::collections::BTreeMap;

use craft::{Packet, Setting};
use hand::probes::ProbeId;
use hand::trace::{Asking, Flows};

use crate::failure::Failure;
use crate::packets::Packets;
use crate::verbs::send::Talk;

/// The probes of one trace.
pub(super) struct Probes {
    packets: Packets,
    entropy: [u8; 32],
    /// `None`: each probe is a flow of its own.
    flows: Option<Flows>,
    /// The source port of each flow, once its first probe has one.
    ports: BTreeMap<u16, u16>,
    made: u64,
}

impl Probes {
    /// Probes like `first`; `classic`: as traceroute has them, each with a port or an id of its own.
    pub(super) fn new(packets: Packets, entropy: [u8; 32], first: &Packet, classic: bool) -> Self {
        let flows = (!classic).then(|| Flows::of(first, &entropy));
        Self { packets, entropy, flows, ports: BTreeMap::new(), made: 0 }
    }

    /// Only one probe of each flow may be on its way, since nothing tells them apart.
    pub(super) fn one_a_flow(&self) -> bool {
        self.flows.as_ref().is_some_and(|flows| !flows.are_told_apart())
    }

    /// Flows can be made that balancers tell apart.
    pub(super) fn may_differ(&self) -> bool {
        self.flows.as_ref().is_some_and(Flows::may_differ)
    }

    /// The source port of a flow that was given one.
    pub(super) fn port_of(&self, flow: u16) -> Option<u16> {
        self.ports.get(&flow).copied()
    }

    /// How many were made.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Makes a probe.
    pub(super) fn packet(&mut self, asking: Asking) -> Result<Packet, Failure> {
        self.made += 1;
        // What the person wants random is drawn once a flow, so that its probes are alike.
        let index = if self.flows.is_some() { asking.flow.into() } else { self.made };
        let mut packet = self.packets.packet(index, self.entropy)?;
        if let Some(flows) = &self.flows {
            // Numbers come again when their packets are long over.
            flows.mark(&mut packet, asking.flow, self.port_of(asking.flow), (self.made % 65_535) as u16);
        }
        if let Some(ip) = packet.layers.iter_mut().find(|layer| matches!(layer.key(), "ip" | "ip6")) {
            ip.set(ttl_key(ip.key()), Setting::Exactly(asking.ttl.into()));
        }
        Ok(packet)
    }

    /// The packet of this flow was started: its flow keeps the port that it got.
    pub(super) fn started(&mut self, talk: &Talk<'_>, probe: ProbeId, flow: u16) {
        let has_port = self.flows.as_ref().is_some_and(Flows::has_port);
        if let Some(port) = talk.session.source_port_of(probe).filter(|_| has_port) {
            self.ports.entry(flow).or_insert(port);
        }
    }
}

pub(super) fn ttl_key(layer: &str) -> &'static str {
    if layer == "ip" { "ttl" } else { "hlim" }
}
