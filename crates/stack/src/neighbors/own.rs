//! RFC 826 and RFC 4861 §7.2.3–7.2.4: answers to who asks for our own addresses.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

use wirewright_wire::{MacAddr, arp, ethernet, icmpv6, ipv6, next};

use super::message::{HOP_LIMIT, MESSAGE, TARGET_LINK_LAYER, link_header, sum};

/// RFC 4861 §4.4: flags of an advertisement that answers, and that replaces what was known.
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;
/// RFC 4291 §2.7.1: all nodes.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// The packet is a message of neighbour discovery.
pub(crate) fn is_discovery(packet: &[u8]) -> bool {
    let kinds = icmpv6::message_type::ROUTER_SOLICITATION..=icmpv6::message_type::REDIRECT;
    packet.get(6) == Some(&next::protocol::ICMPV6) && packet.get(ipv6::LEN).is_some_and(|kind| kinds.contains(kind))
}

/// The frame that answers a question for an address of ours; `None` when it is no well-formed question, or for another's.
#[must_use]
pub fn answer_for(frame: &[u8], mac: MacAddr, is_ours: impl Fn(IpAddr) -> bool) -> Option<Vec<u8>> {
    let (link, rest) = ethernet::View::split(frame)?;
    match link.ether_type() {
        next::ether_type::ARP => arp_reply(rest, mac, is_ours),
        next::ether_type::IPV6 => advertisement(link.source(), rest, mac, is_ours),
        _ => None,
    }
}

fn arp_reply(bytes: &[u8], mac: MacAddr, is_ours: impl Fn(IpAddr) -> bool) -> Option<Vec<u8>> {
    let (asked, _) = arp::View::split(bytes)?;
    let ours = arp::Header::default();
    let speaks = asked.hardware_type() == ours.hardware_type
        && asked.protocol_type() == ours.protocol_type
        && (asked.hardware_length(), asked.protocol_length()) == (ours.hardware_length, ours.protocol_length);
    let target = asked.target_protocol();
    let asker = asked.sender_hardware();
    if !speaks || asked.operation() != arp::REQUEST || !is_ours(target.into()) || asker.is_multicast() {
        return None;
    }
    let reply = arp::Header {
        operation: arp::REPLY,
        sender_hardware: mac,
        sender_protocol: target,
        target_hardware: asker,
        target_protocol: asked.sender_protocol(),
        ..arp::Header::default()
    };
    let mut answer = link_header(asker, mac, next::ether_type::ARP).to_vec();
    answer.extend_from_slice(&reply.to_bytes());
    Some(answer)
}

/// RFC 4861 §7.1.1: the checks of a solicitation, and the advertisement that answers it.
fn advertisement(asker: MacAddr, bytes: &[u8], mac: MacAddr, is_ours: impl Fn(IpAddr) -> bool) -> Option<Vec<u8>> {
    let packet = ipv6::parse(bytes).ok()?;
    let (header, message) = (packet.header, packet.payload);
    let is_question = header.next_header() == next::protocol::ICMPV6
        && message.len() >= MESSAGE
        && message[0] == icmpv6::message_type::NEIGHBOR_SOLICITATION
        && message[1] == 0;
    if !is_question || header.hop_limit() != HOP_LIMIT || sum(header.source(), header.destination(), message) != 0 {
        return None;
    }
    let target = Ipv6Addr::from(*message[8..].first_chunk::<16>()?);
    if target.is_multicast() || !is_ours(target.into()) {
        return None;
    }
    // A question from the unspecified address is duplicate address detection: everybody is told (§7.2.4).
    let (to, flags) = match header.source() {
        Ipv6Addr::UNSPECIFIED => (ALL_NODES, OVERRIDE),
        source => (source, SOLICITED | OVERRIDE),
    };
    let mut reply = Vec::with_capacity(MESSAGE + 8);
    reply.extend_from_slice(&[icmpv6::message_type::NEIGHBOR_ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0]);
    reply.extend_from_slice(&target.octets());
    reply.extend_from_slice(&[TARGET_LINK_LAYER, 1]);
    reply.extend_from_slice(&mac.0);
    let checksum = sum(target, to, &reply);
    reply[2..4].copy_from_slice(&checksum.to_be_bytes());
    let header = ipv6::Header {
        // 32 bytes.
        payload_length: reply.len() as u16,
        next_header: next::protocol::ICMPV6,
        hop_limit: HOP_LIMIT,
        source: target,
        destination: to,
        ..ipv6::Header::default()
    };
    let place = if to == ALL_NODES { MacAddr([0x33, 0x33, 0, 0, 0, 1]) } else { asker };
    let mut answer = link_header(place, mac, next::ether_type::IPV6).to_vec();
    answer.extend_from_slice(&header.to_bytes());
    answer.extend_from_slice(&reply);
    Some(answer)
}
