//! Messages that a transport carries: the ports they go between, and to whom they go when nobody says so.

use wirewright_wire::HeaderDesc;
use wirewright_wire::dhcp::{CLIENT_PORT, SERVER_PORT};

use super::layer::Scope;
use super::reader::Draft;
use crate::packet::Setting;

/// The port of DNS, RFC 1035 §4.2.
const DNS_PORT: u16 = 53;

/// Whether a layer is a message of an application.
pub(super) fn is_one(desc: &HeaderDesc) -> bool {
    matches!(desc.key, "dns" | "dhcp")
}

impl Scope<'_, '_> {
    /// The word of the transport that is written below this message, or of the one that will be made.
    pub(super) fn transport_below(&self) -> &'static str {
        let below = self.reader.drafts.iter().rev().map(|draft| draft.layer.key()).find(|key| *key != "dnslen");
        if below == Some("tcp") { "tcp" } else { "udp" }
    }

    /// Sets what this message's protocol says of the layers below and their words leave open: ports, and the addresses of a
    /// host that has none yet.
    pub(super) fn find_peers(&mut self) {
        let is_dhcp = self.desc().key == "dhcp";
        let ports = match self.desc().key {
            "dns" => (None, DNS_PORT),
            "dhcp" if crate::dhcp::is_answer(&self.draft.layer) => (Some(SERVER_PORT), CLIENT_PORT),
            "dhcp" => (Some(CLIENT_PORT), SERVER_PORT),
            _ => return,
        };
        let mut below = self.reader.drafts.iter_mut().rev().filter(|draft| draft.layer.key() != "dnslen");
        let Some(transport) = below.next().filter(|draft| matches!(draft.layer.key(), "udp" | "tcp")) else { return };
        complete(transport, "dport", Some(ports.1.into()));
        complete(transport, "sport", ports.0.map(u128::from));
        let Some(network) = below.next().filter(|draft| is_dhcp && draft.layer.key() == "ip") else { return };
        // RFC 2131 §4.1: a client that has no address yet sends from 0.0.0.0; to everybody go its messages and, where the
        // client is not reached otherwise, the answers.
        complete(network, "dst", Some(u32::MAX.into()));
        let has_address =
            self.draft.layer.get("ciaddr").is_some_and(|it| !matches!(it, Setting::Auto | Setting::Exactly(0)));
        let is_answer = crate::dhcp::is_answer(&self.draft.layer);
        complete(network, "src", (!has_address && !is_answer).then_some(0));
    }
}

/// Sets a field that no word sets.
fn complete(draft: &mut Draft, key: &str, value: Option<u128>) {
    let open = draft.layer.place(key).is_some_and(|place| !draft.is_set(place));
    if let Some(value) = value.filter(|_| open) {
        let _known = draft.layer.set(key, Setting::Exactly(value));
    }
}
