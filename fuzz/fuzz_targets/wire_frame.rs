//! A frame from the wire, layer by layer to its end, and each header written back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_wire::next::{ether_type, protocol};
use wirewright_wire::{arp, ethernet, icmpv4, icmpv6, ipv4, ipv6, tcp, udp, vlan};

/// A VLAN tag may hold another; a frame of any length holds so many at most.
const TAGS_MAX: usize = 32;

fuzz_target!(|bytes: &[u8]| {
    let Ok(frame) = ethernet::parse(bytes) else { return };
    assert_eq!(ethernet::Header::parse(frame.header.bytes()).to_bytes(), frame.header.bytes()[..]);
    let (mut number, mut rest) = (frame.header.ether_type(), frame.payload);
    for _ in 0..TAGS_MAX {
        if !matches!(number, ether_type::VLAN | ether_type::SERVICE_VLAN) {
            break;
        }
        let Ok(tag) = vlan::parse(rest) else { return };
        (number, rest) = (tag.header.ether_type(), tag.payload);
    }
    match number {
        ether_type::ARP => {
            if let Ok(packet) = arp::parse(rest) {
                assert_eq!(arp::Header::parse(packet.header.bytes()).to_bytes(), packet.header.bytes()[..]);
            }
        }
        ether_type::IPV4 => {
            let Ok(packet) = ipv4::parse(rest) else { return };
            assert_eq!(ipv4::Header::parse(packet.header.bytes()).to_bytes(), packet.header.bytes()[..]);
            transport(packet.header.protocol(), packet.payload);
        }
        ether_type::IPV6 => {
            let Ok(packet) = ipv6::parse(rest) else { return };
            let Ok(upper) = packet.upper() else { return };
            assert_eq!(upper.offset + upper.bytes.len(), packet.payload.len());
            transport(upper.protocol, upper.bytes);
        }
        _ => {}
    }
});

fn transport(number: u8, bytes: &[u8]) {
    match number {
        protocol::TCP => {
            let Ok(segment) = tcp::parse(bytes) else { return };
            assert_eq!(tcp::Header::parse(segment.header.bytes()).to_bytes(), segment.header.bytes()[..]);
            assert!(segment.options().count() <= segment.options.len());
        }
        protocol::UDP => {
            let Ok(datagram) = udp::parse(bytes) else { return };
            assert_eq!(udp::LEN + datagram.payload.len() + datagram.surplus.len(), bytes.len());
        }
        protocol::ICMPV4 => {
            let Ok(message) = icmpv4::parse(bytes) else { return };
            assert!(message.body().is_ok() || message.quote().is_none());
        }
        protocol::ICMPV6 => {
            let Ok(message) = icmpv6::parse(bytes) else { return };
            assert!(message.body().is_ok() || message.quote().is_none());
        }
        _ => {}
    }
}
