//! The layers below a message of an application: the ports and addresses that its protocol says and no word does.

use super::layer::Scope;
use super::reader::Draft;
use crate::applications::peers;
use crate::packet::Setting;

impl Scope<'_, '_> {
    /// The word of the transport that is written below this message, or of the one that will be made.
    pub(super) fn transport_below(&self) -> &'static str {
        let below = self.reader.drafts.iter().rev().map(|draft| draft.layer.key()).find(|key| *key != "dnslen");
        if below == Some("tcp") { "tcp" } else { "udp" }
    }

    /// Sets in the layers below what this message's protocol says and their words leave open.
    pub(super) fn find_peers(&mut self) {
        // Of fields alone, those that are written are meant and no others.
        let Some(peers) = peers(&self.draft.layer).filter(|_| self.reader.is_whole) else { return };
        let mut below = self.reader.drafts.iter_mut().rev().filter(|draft| draft.layer.key() != "dnslen");
        let Some(transport) = below.next().filter(|draft| matches!(draft.layer.key(), "udp" | "tcp")) else { return };
        complete(transport, "dport", Some(peers.destination_port.into()));
        complete(transport, "sport", peers.source_port.map(u128::from));
        let Some(network) = below.next().filter(|draft| draft.layer.key() == peers.network) else { return };
        complete(network, "dst", peers.destination);
        complete(network, "src", peers.source.map(u128::from));
    }
}

/// Sets a field that no word sets.
fn complete(draft: &mut Draft, key: &str, value: Option<u128>) {
    let open = draft.layer.place(key).is_some_and(|place| !draft.is_set(place));
    if let Some(value) = value.filter(|_| open) {
        let _known = draft.layer.set(key, Setting::Exactly(value));
    }
}
