//! What a datagram carries in a tunnel: IP in IP, GRE, VXLAN. A probe in a tunnel is answered in the same one.

use wirewright_wire::{gre, next, udp, vxlan};

use super::flow::{Datagram, Heard, datagram, of_heard};
use crate::First;

/// The most tunnels in one another that are looked into; a probe that lies deeper is only known by what is around it.
pub(super) const TUNNELS_MAX: usize = 8;

/// Which tunnel a datagram belongs to, as far as both ends call it alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tunnel {
    /// IP in IP: RFC 2003, RFC 2473, RFC 4213.
    Ip,
    /// RFC 2784. The two directions may have keys of their own (RFC 2890 §2.1).
    Gre,
    /// RFC 7348: the network's number.
    Vxlan(u32),
}

/// The tunnel of a datagram, and the packet in it; `None` where it is none, or carries nothing that could be matched.
pub(super) fn tunnelled<'a>(outer: &Datagram<'a>) -> Option<(Tunnel, Heard<'a>)> {
    match outer.ends.protocol {
        next::protocol::IPV4 | next::protocol::IPV6 => Some((Tunnel::Ip, Heard::Ip(datagram(outer.upper)?))),
        next::protocol::GRE => Some((Tunnel::Gre, in_gre(outer.upper)?)),
        next::protocol::UDP => {
            let (header, payload) = udp::View::split(outer.upper)?;
            let (tunnel, frame) = vxlan::View::split(payload)?;
            let heard = || of_heard(frame, First::Ethernet);
            if header.destination_port() == vxlan::PORT { Some((Tunnel::Vxlan(tunnel.vni()), heard()?)) } else { None }
        }
        _ => None,
    }
}

fn in_gre(bytes: &[u8]) -> Option<Heard<'_>> {
    let (header, _) = gre::View::split(bytes)?;
    // RFC 2784 §2.3, §2.3.1: neither a source route nor another version.
    if header.routing_present() || header.version() != 0 {
        return None;
    }
    let carried = bytes.get(gre::LEN + gre::DESC.variant_of(bytes)?.body.len..)?;
    match header.protocol_type() {
        next::ether_type::IPV4 | next::ether_type::IPV6 => datagram(carried).map(Heard::Ip),
        next::ether_type::ETHERNET => of_heard(carried, First::Ethernet),
        _ => None,
    }
}
