//! The sockets that hear answers: raw ones where the source is this machine's, else the packet socket.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use wirewright_craft::{First, Layer, LayerAt, walk};
use wirewright_hand::probes::Answer;
use wirewright_hand::{Need, Outgoing, Transport, Way, protocols};
use wirewright_link::netlink::Interface;
use wirewright_link::sys::Kernel;
use wirewright_link::{Filter, HeaderOrigin, OsError, RawReceiver, Received, StartsWith, Wanted, What};
use wirewright_units::{Instant, UnixTime};

use super::prepare::Prepared;

/// An answer with its packet.
#[derive(Clone, Debug)]
pub struct HeardAnswer {
    /// What it answers and says.
    pub answer: Answer,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they begin with.
    pub first: First,
    /// When it arrived, by the wall clock.
    pub wall: UnixTime,
    /// The IPv6 header was rebuilt from control data: flow label and extension headers may be other than they were.
    pub rebuilt: bool,
    /// The fragments that it came in, in the order in which they came; empty where it came whole, or the kernel had put it
    /// together.
    pub fragments: Vec<AnswerFragment>,
}

/// A fragment of an answer, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerFragment {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they begin with.
    pub first: First,
    /// When it arrived, by the wall clock.
    pub wall: UnixTime,
}

/// A packet that was heard.
pub(super) struct Heard {
    pub(super) bytes: Vec<u8>,
    pub(super) first: First,
    pub(super) at: Instant,
    pub(super) wall: UnixTime,
    pub(super) rebuilt: bool,
}

impl Heard {
    /// Copies what was received; `None` for a link header that is not known.
    pub(super) fn new(received: &Received<'_>) -> Option<Self> {
        let first = match received.starts_with {
            StartsWith::Ethernet => First::Ethernet,
            StartsWith::Ip => First::Ip,
            StartsWith::Other(_) => return None,
        };
        Some(Self {
            bytes: with_tag(received),
            first,
            at: received.at,
            wall: received.wall,
            rebuilt: received.header == HeaderOrigin::Rebuilt,
        })
    }
}

/// The frame with the tag that the kernel took out of it.
fn with_tag(received: &Received<'_>) -> Vec<u8> {
    let bytes = received.bytes;
    match (received.vlan, received.starts_with) {
        (Some((control, ether_type)), StartsWith::Ethernet) if bytes.len() >= 12 => {
            let tag = [ether_type.to_be_bytes(), control.to_be_bytes()];
            [&bytes[..12], tag.as_flattened(), &bytes[12..]].concat()
        }
        _ => bytes.to_vec(),
    }
}

/// The raw receivers of a session.
#[derive(Debug)]
pub(super) struct Listeners {
    kernel: Arc<dyn Kernel>,
    receivers: Vec<Receiver>,
}

#[derive(Debug)]
struct Receiver {
    socket: RawReceiver,
    v4: bool,
    protocol: u8,
    scope: Scope,
}

/// What a receiver's filter lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// What comes to one port of one address.
    Port(IpAddr, u16),
    /// What comes to one address.
    Host(IpAddr),
    /// Everything.
    All,
}

impl Scope {
    /// The narrowest scope that holds both.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Port(a, _) | Self::Host(a), Self::Port(b, _) | Self::Host(b)) if a == b => Self::Host(a),
            _ => Self::All,
        }
    }

    /// Whether what comes to this address, and port, is certainly let through.
    fn takes(self, address: IpAddr, port: Option<u16>) -> bool {
        match self {
            Self::Port(own, only) => own == address && port == Some(only),
            Self::Host(own) => own == address,
            // Which addresses are this machine's is not known here.
            Self::All => false,
        }
    }

    fn filter(self, protocol: u8) -> Filter {
        let (local, what) = match (self, protocol) {
            (Self::All, _) => return Filter::all(),
            (Self::Port(local, port), protocols::TCP) => {
                (local, What::Tcp { source_port: None, destination_port: Some(port) })
            }
            (Self::Port(local, port), protocols::UDP) => {
                (local, What::Udp { source_port: None, destination_port: Some(port) })
            }
            (Self::Port(local, _) | Self::Host(local), _) => (local, What::Protocol(protocol)),
        };
        Filter::any_of(&[Wanted { source: None, destination: Some(local), what }])
    }
}

impl Listeners {
    pub(super) const fn new(kernel: Arc<dyn Kernel>) -> Self {
        Self { kernel, receivers: Vec::new() }
    }

    /// Whether raw sockets hear the answers to this packet: they come to an address of this machine, untagged.
    pub(super) fn suit(prepared: &Prepared) -> bool {
        let plan = &prepared.plan;
        let own = plan.source.is_some_and(|source| prepared.facts.is_own(source));
        let tagged = prepared.packet.layers.iter().any(Layer::is_tag);
        let own_mac = plan.way != Way::Ethernet
            || plan.framing.is_some()
            || prepared.built.bytes.get(6..12) == plan.interface.mac.as_ref().map(|mac| &mac.0[..]);
        own && !tagged && own_mac
    }

    /// Opens what the answers to this packet come by.
    ///
    /// # Errors
    /// No permission.
    pub(super) fn open(&mut self, prepared: &Prepared) -> Result<(), OsError> {
        let Some(local) = prepared.plan.source else { return Ok(()) };
        let icmp = if local.is_ipv4() { protocols::ICMPV4 } else { protocols::ICMPV6 };
        self.ensure(local, icmp, Scope::Host(local))?;
        let upper = Outgoing::new(&prepared.packet, &prepared.built).upper_protocol();
        let Some(protocol) = upper.filter(|&protocol| has_receiver(protocol)) else { return Ok(()) };
        let port = prepared.plan.needs.iter().find_map(|need| match *need {
            Need::Guard { transport: Transport::Tcp | Transport::Udp, port, .. } => Some(port),
            Need::Resolve(_) => None,
        });
        self.ensure(local, protocol, port.map_or(Scope::Host(local), |port| Scope::Port(local, port)))
    }

    /// A packet that is already there.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn hear(&mut self) -> Result<Option<Heard>, OsError> {
        for receiver in &mut self.receivers {
            if let Some(received) = receiver.socket.try_recv()? {
                return Ok(Heard::new(&received));
            }
        }
        Ok(None)
    }

    /// Whether a frame that was heard on the link is heard by a raw socket too: it is addressed to one of these interfaces, carries
    /// no tag, and what it carries is let through.
    pub(super) fn hear_too(&self, heard: &Heard, interfaces: &[Interface]) -> bool {
        let own = |interface: &Interface| interface.mac.is_some_and(|mac| heard.bytes.starts_with(&mac.0));
        if self.receivers.is_empty() || heard.first != First::Ethernet || !interfaces.iter().any(own) {
            return false;
        }
        let chain = walk(&heard.bytes, heard.first);
        let value = |layer: &LayerAt, key| layer.value(&heard.bytes, key);
        let Some(ip) = chain.get(1).filter(|layer| matches!(layer.desc.key, "ip" | "ip6")) else { return false };
        let v4 = ip.desc.key == "ip";
        let address = value(ip, "dst").map(|bits| match v4 {
            true => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            false => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        });
        let next = |layer: &LayerAt| value(layer, if layer.desc.key == "ip" { "proto" } else { "nh" });
        let protocol = chain[1..].iter().map_while(next).last();
        let port = chain.iter().find(|layer| !layer.quoted && matches!(layer.desc.key, "tcp" | "udp"));
        let port = port.and_then(|layer| value(layer, "dport")).and_then(|port| u16::try_from(port).ok());
        let Some((address, protocol)) = address.zip(protocol) else { return false };
        self.receivers
            .iter()
            .any(|it| it.v4 == v4 && u128::from(it.protocol) == protocol && it.scope.takes(address, port))
    }

    /// Packets that were lost because they were not fetched in time.
    pub(super) fn lost(&self) -> u64 {
        self.receivers.iter().map(|receiver| u64::from(receiver.socket.lost())).sum()
    }

    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.receivers.iter().map(|receiver| receiver.socket.as_fd())
    }

    /// One receiver a protocol and version: narrow for the first port, wider as soon as there is a second.
    fn ensure(&mut self, local: IpAddr, protocol: u8, scope: Scope) -> Result<(), OsError> {
        let v4 = local.is_ipv4();
        if let Some(known) = self.receivers.iter_mut().find(|it| it.protocol == protocol && it.v4 == v4) {
            let scope = known.scope.join(scope);
            if known.scope != scope {
                known.socket.refilter(&scope.filter(protocol))?;
                known.scope = scope;
            }
            return Ok(());
        }
        let open = if v4 { RawReceiver::ipv4 } else { RawReceiver::ipv6 };
        let socket = open(self.kernel.clone(), protocol, &scope.filter(protocol))?;
        self.receivers.push(Receiver { socket, v4, protocol, scope });
        Ok(())
    }
}

/// `IPPROTO_IP` names no protocol and `IPPROTO_RAW` only sends.
const fn has_receiver(protocol: u8) -> bool {
    !matches!(protocol, 0 | 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_widens_as_little_as_it_must() {
        let (a, b): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert_eq!(Scope::Port(a, 1).join(Scope::Port(a, 1)), Scope::Port(a, 1));
        assert_eq!(Scope::Port(a, 1).join(Scope::Port(a, 2)), Scope::Host(a));
        assert_eq!(Scope::Host(a).join(Scope::Port(a, 2)), Scope::Host(a));
        assert_eq!(Scope::Host(a).join(Scope::Host(b)), Scope::All);
        assert_eq!(Scope::All.join(Scope::Port(a, 1)), Scope::All);
    }
}
