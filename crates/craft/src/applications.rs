//! Messages that a transport carries: what their protocol says of the layers below that leave it open.

use wirewright_wire::HeaderDesc;
use wirewright_wire::dhcp::{CLIENT_PORT, MESSAGE_TYPE, SERVER_PORT, is_answer as is_kind_of_answer};

use crate::options::{OptionItem, Options};
use crate::packet::{Layer, Packet, Setting};

/// Between whom a message goes where nobody says so.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peers {
    pub(crate) destination_port: u16,
    /// `None`: any port.
    pub(crate) source_port: Option<u16>,
    /// `None`: it has to be said.
    pub(crate) destination: Option<u128>,
    /// `None`: that of the route.
    pub(crate) source: Option<u32>,
    /// The word of the network layer whose addresses these are.
    pub(crate) network: &'static str,
}

/// Whether a layer is a message of an application.
pub(crate) fn is_one(desc: &HeaderDesc) -> bool {
    matches!(desc.key, "dns" | "dhcp" | "dhcp6")
}

/// What the protocol of a message says; `None` for a layer that is none.
pub(crate) fn peers(layer: &Layer) -> Option<Peers> {
    match layer.key() {
        "dhcp" => Some(dhcp(layer)),
        "dhcp6" => Some(dhcp6(layer)),
        // RFC 7348 §5, RFC 1035 §4.2: the port that announces it.
        _ => Some(Peers { destination_port: layer.desc.port?, ..Peers::default() }),
    }
}

/// RFC 2131 §4.1: between the ports 67 and 68. A client that has no address yet sends from 0.0.0.0. To everybody go its
/// messages and, where the client is not reached otherwise, the answers.
fn dhcp(layer: &Layer) -> Peers {
    let (network, destination) = ("ip", Some(u32::MAX.into()));
    if is_answer(layer) {
        let (source_port, destination_port) = (Some(SERVER_PORT), CLIENT_PORT);
        return Peers { destination_port, source_port, destination, source: None, network };
    }
    let has_address = !matches!(layer.get("ciaddr"), None | Some(Setting::Auto | Setting::Exactly(0)));
    let source = (!has_address).then_some(0);
    Peers { destination_port: SERVER_PORT, source_port: Some(CLIENT_PORT), destination, source, network }
}

/// RFC 8415 §7: clients and relays speak to all servers and relays of the link; a server answers one client or relay.
fn dhcp6(layer: &Layer) -> Peers {
    use wirewright_wire::dhcp6::{CLIENT_PORT, SERVER_PORT, SERVERS, is_answer, relay};
    let relays = layer.variant().is_some_and(|variant| core::ptr::eq(variant.body, &relay::DESC));
    let kind = layer.value_or_default("type").unwrap_or(0) as u8;
    let (source_port, destination_port) = match is_answer(kind) {
        _ if relays => (SERVER_PORT, SERVER_PORT),
        true => (SERVER_PORT, CLIENT_PORT),
        false => (CLIENT_PORT, SERVER_PORT),
    };
    // Relay replies go back to the relay.
    let to_all = !is_answer(kind) && kind != 13;
    let destination = to_all.then_some(SERVERS);
    Peers { destination_port, source_port: Some(source_port), destination, source: None, network: "ip6" }
}

/// Whether a server sends a DHCP message: by the kind that its options tell.
pub(crate) fn is_answer(layer: &Layer) -> bool {
    let Some(table) = layer.desc.options else { return false };
    let says = |item: OptionItem| matches!(item, OptionItem::Known { desc } if desc.kind == MESSAGE_TYPE);
    let kind = Options::new(table, &layer.options).find(|option| says(option.item)).map(|option| option.value());
    kind.and_then(|value| layer.options.get(value)?.first()).is_some_and(|&kind| is_kind_of_answer(kind))
}

impl Packet {
    /// The source port that the message which a transport carries asks for, where it is not any (DHCP: 67 or 68).
    #[must_use]
    pub fn port_of_message(&self, transport: usize) -> Option<u16> {
        peers(self.layers.get(transport + 1)?)?.source_port
    }

    /// The source address that the message asks for which an IPv4 header and a transport carry.
    pub(crate) fn source_of_message(&self, network: usize) -> Option<u32> {
        let message = self.layers.get(network + 2)?;
        let below = (self.layers[network].key(), self.layers[network + 1].key());
        peers(message)?.source.filter(|_| below == ("ip", "udp"))
    }
}
