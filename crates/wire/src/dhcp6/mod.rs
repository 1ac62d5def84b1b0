//! RFC 8415: the Dynamic Host Configuration Protocol for IPv6: messages of hosts and of relays, and their options.
//!
//! In: a UDP payload.
//! Out: the header's fields, the body of each type, the table of the options.
//! Above: craft, inspect. Below: the tables' macros.
//! Not here: leases, what a client or a server does when.

mod options;

pub use options::{OPTIONS, STATUSES};

use crate::{Name, Variant};

header! {
    "dhcp6" 1 bytes "Dynamic Host Configuration Protocol for IPv6" "RFC 8415 §8"
        => variants(BODIES) => port(SERVER_PORT) => shark("dhcpv6") => also(&["dhcpv6", "dhcp6c", "dibbler"]);
    /// The kind of message.
    kind: u8 = 8 bits "type" .default(1).selects_next().names(TYPES).shark("dhcpv6.msgtype").also(&["msgtype", "message_type"]);
}

/// The port of clients.
pub const CLIENT_PORT: u16 = 546;
/// The port of servers and relays.
pub const SERVER_PORT: u16 = 547;
/// All servers and relays of a link, `ff02::1:2` (RFC 8415 §7.1).
pub const SERVERS: u128 = 0xff02_0000_0000_0000_0000_0000_0001_0002;

/// Messages between clients and servers.
pub mod message {
    header! {
        "dhcp6msg" 3 bytes "Message of client or server" "RFC 8415 §8" => options(&super::OPTIONS);
        /// Transaction: the answer carries the same.
        transaction: u32 = 24 bits "xid" .hex().auto(crate::Auto::Random).shark("dhcpv6.xid").also(&["trid", "transaction_id", "id"]);
    }
}

/// Messages between relays and servers.
pub mod relay {
    use core::net::Ipv6Addr;

    header! {
        "dhcp6relay" 33 bytes "Message of a relay" "RFC 8415 §9" => options(&super::OPTIONS);
        /// How many relays it passed before this one.
        hops: u8 = 8 bits "hops" .shark("dhcpv6.hopcount").also(&["hopcount", "hop_count"]);
        /// An address of the link that the client is on.
        link: Ipv6Addr = 128 bits "link" .shark("dhcpv6.linkaddr").also(&["linkaddr", "link_address"]);
        /// Who the message came from.
        peer: Ipv6Addr = 128 bits "peer" .shark("dhcpv6.peeraddr").also(&["peeraddr", "peer_address"]);
    }
}

/// The bodies of the messages.
pub static BODIES: &[Variant] = &[
    Variant::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17], &message::DESC),
    Variant::new(&[12, 13], &relay::DESC),
];

/// Words for the kinds of message (IANA).
pub static TYPES: &[Name] = &[
    Name::new(1, "solicit", "solicit: who gives addresses?").also(&["sol"]),
    Name::new(2, "advertise", "advertise: an address could be had").also(&["adv"]),
    Name::new(3, "request", "request: these addresses, please").also(&["req"]),
    Name::new(4, "confirm", "confirm: do they fit this link?"),
    Name::new(5, "renew", "renew: more time from this server"),
    Name::new(6, "rebind", "rebind: more time from any server"),
    Name::new(7, "reply", "reply").also(&["rep"]),
    Name::new(8, "release", "release: the addresses are given back"),
    Name::new(9, "decline", "decline: the addresses are taken"),
    Name::new(10, "reconfigure", "reconfigure: ask again").also(&["reconf"]),
    Name::new(11, "inforequest", "information request: only the settings").also(&["information_request", "info"]),
    Name::new(12, "relayforw", "relay forward").also(&["relay_forw", "relay_forward"]),
    Name::new(13, "relayrepl", "relay reply").also(&["relay_repl", "relay_reply"]),
    Name::new(14, "leasequery", "lease query, RFC 5007"),
    Name::new(15, "leasereply", "lease query reply, RFC 5007").also(&["leasequery_reply"]),
    Name::new(16, "leasedone", "lease query done, RFC 5460").also(&["leasequery_done"]),
    Name::new(17, "leasedata", "lease query data, RFC 5460").also(&["leasequery_data"]),
];

/// Whether servers send messages of this kind to clients.
#[must_use]
pub const fn is_answer(kind: u8) -> bool {
    matches!(kind, 2 | 7 | 10 | 15..=17)
}

/// Whether bytes begin with a whole header of a known kind: what a payload of UDP must be to be read as a message.
#[must_use]
pub fn is_message(bytes: &[u8]) -> bool {
    let body = DESC.variant_of(bytes).map(|variant| variant.body.len);
    body.is_some_and(|body| bytes.len() >= LEN + body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_kind_and_is_there_wholly() {
        assert!(is_message(&[1, 0, 0, 0]) && !is_message(&[1, 0, 0]) && !is_message(&[]) && !is_message(&[0; 40]));
        assert!(is_message(&[12; 34]) && !is_message(&[12; 33]) && !is_message(&[200; 40]));
        assert_eq!(OPTIONS.head_len(), 4);
    }
}
