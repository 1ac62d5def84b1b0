//! RFC 826 and RFC 4861 §4.3–4.4: the questions and answers as frames.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_wire::{MacAddr, arp, checksum, ethernet, icmpv6, ipv6, next};

use super::Own;

/// The hop limit that proves that a neighbour discovery message crossed no router, RFC 4861 §3.1.
pub(super) const HOP_LIMIT: u8 = 255;
/// Bytes of a neighbour solicitation or advertisement without options: 4 of ICMPv6, 4 reserved or flags, the target.
pub(super) const MESSAGE: usize = 24;
/// Option kinds, RFC 4861 §4.6.1.
pub(super) const SOURCE_LINK_LAYER: u8 = 1;
pub(super) const TARGET_LINK_LAYER: u8 = 2;

/// The frame that asks for an address; `None` when we have none of its version.
pub(super) fn question(own: &Own, address: IpAddr) -> Option<Vec<u8>> {
    match address {
        IpAddr::V4(target) => Some(arp_request(own, target)),
        IpAddr::V6(target) => Some(solicitation(own.mac, own.ipv6?, target)),
    }
}

/// The address and its place, when a frame is a well-formed answer to us.
pub(super) fn answer(frame: &[u8], own: &Own) -> Option<(IpAddr, MacAddr)> {
    let (link, rest) = ethernet::View::split(frame)?;
    match link.ether_type() {
        next::ether_type::ARP => arp_reply(rest, own),
        next::ether_type::IPV6 => advertisement(rest),
        _ => None,
    }
}

pub(super) fn link_header(destination: MacAddr, source: MacAddr, ether_type: u16) -> [u8; ethernet::LEN] {
    ethernet::Header { destination, source, ether_type }.to_bytes()
}

fn arp_request(own: &Own, target: Ipv4Addr) -> Vec<u8> {
    let request = arp::Header {
        operation: arp::REQUEST,
        sender_hardware: own.mac,
        sender_protocol: own.ipv4.unwrap_or(Ipv4Addr::UNSPECIFIED),
        target_hardware: MacAddr::ZERO,
        target_protocol: target,
        ..arp::Header::default()
    };
    let mut frame = link_header(MacAddr::BROADCAST, own.mac, next::ether_type::ARP).to_vec();
    frame.extend_from_slice(&request.to_bytes());
    frame
}

/// RFC 826, "Packet Reception": hardware and protocol as we speak them, the reply sent to us.
fn arp_reply(bytes: &[u8], own: &Own) -> Option<(IpAddr, MacAddr)> {
    let (arp, _) = arp::View::split(bytes)?;
    let ours = arp::Header::default();
    let speaks = arp.hardware_type() == ours.hardware_type
        && arp.protocol_type() == ours.protocol_type
        && (arp.hardware_length(), arp.protocol_length()) == (ours.hardware_length, ours.protocol_length);
    let to_us = arp.target_hardware() == own.mac;
    (speaks && to_us && arp.operation() == arp::REPLY).then(|| (arp.sender_protocol().into(), arp.sender_hardware()))
}

/// The group of all neighbours whose addresses end in these 24 bits, RFC 4291 §2.7.1.
pub(super) fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    let t = target.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, t[13], t[14], t[15]])
}

fn solicitation(mac: MacAddr, source: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let group = solicited_node(target);
    let g = group.octets();
    let mut message = Vec::with_capacity(MESSAGE + 8);
    message.extend_from_slice(&[icmpv6::message_type::NEIGHBOR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(&target.octets());
    // RFC 4861 §4.3: who has no address yet gives no link-layer address either; the answer goes to all nodes.
    if !source.is_unspecified() {
        message.extend_from_slice(&[SOURCE_LINK_LAYER, 1]);
        message.extend_from_slice(&mac.0);
    }
    let sum = sum(source, group, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let header = ipv6::Header {
        // 24 or 32 bytes.
        payload_length: message.len() as u16,
        next_header: next::protocol::ICMPV6,
        hop_limit: HOP_LIMIT,
        source,
        destination: group,
        ..ipv6::Header::default()
    };
    let to = MacAddr([0x33, 0x33, g[12], g[13], g[14], g[15]]);
    let mut frame = link_header(to, mac, next::ether_type::IPV6).to_vec();
    frame.extend_from_slice(&header.to_bytes());
    frame.extend_from_slice(&message);
    frame
}

/// RFC 4861 §7.1.2: the checks of an advertisement; one without its address says nothing to who knew none (§7.2.5).
fn advertisement(bytes: &[u8]) -> Option<(IpAddr, MacAddr)> {
    let packet = ipv6::parse(bytes).ok()?;
    let message = packet.payload;
    let header = packet.header;
    let is_advert = header.next_header() == next::protocol::ICMPV6
        && message.len() >= MESSAGE
        && message[0] == icmpv6::message_type::NEIGHBOR_ADVERTISEMENT
        && message[1] == 0;
    if !is_advert || header.hop_limit() != HOP_LIMIT || sum(header.source(), header.destination(), message) != 0 {
        return None;
    }
    let target = Ipv6Addr::from(*message[8..].first_chunk::<16>()?);
    (!target.is_multicast()).then_some(())?;
    Some((target.into(), link_layer_option(&message[MESSAGE..])?))
}

/// The target link-layer address among options; `None` also when one has length 0 (§7.1.2: discard).
fn link_layer_option(mut options: &[u8]) -> Option<MacAddr> {
    let mut found = None;
    while let [kind, units, ..] = *options {
        let len = usize::from(units) * 8;
        if len == 0 || len > options.len() {
            return None;
        }
        if kind == TARGET_LINK_LAYER && units == 1 {
            found = options[2..].first_chunk::<6>().map(|&mac| MacAddr(mac));
        }
        options = &options[len..];
    }
    found
}

/// The checksum of an ICMPv6 message: 0 over one that carries its right sum.
pub(super) fn sum(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> u16 {
    let len = u32::try_from(message.len()).unwrap_or(u32::MAX);
    checksum::pseudo_v6(source, destination, next::protocol::ICMPV6, len).add(message).finish()
}
