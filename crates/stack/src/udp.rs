//! RFC 768: UDP sockets, as much as a resolver or a small tool needs.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::net::SocketAddr;

use wirewright_units::Instant;
use wirewright_wire::checksum::never_zero;
use wirewright_wire::next::protocol;
use wirewright_wire::{icmpv4, icmpv6, udp};

use crate::checksum::{Checksum, Good, judge};
use crate::config::ANSWERS_MAX;
use crate::egress::pseudo;
use crate::event::Event;
use crate::host::{Answer, Host};
use crate::ingress::Addresses;
use crate::user_calls::Misuse;
use crate::verdict::{Discard, Verdict};

/// A UDP socket of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UdpId(u32);

/// So many unread datagrams a socket holds; more are dropped and counted. Linux holds 208 kB, some 90 full ones.
pub const UDP_UNREAD_MAX: usize = 64;
/// RFC 1812 §4.3.2.3 and RFC 4443 §2.4 (f) want a limit on errors: so many port-unreachables a second (Linux: 1000 for the
/// host, one a second a peer).
pub const PORT_UNREACHABLES_PER_SECOND: u32 = 100;
/// An error quotes so much of an IPv4 packet: more than the eight bytes of RFC 792, within the 576 of RFC 1812 §4.3.2.3.
const QUOTE_V4_MAX: usize = 528;
/// And so much of an IPv6 packet: the error fits the least MTU (RFC 4443 §2.4 (c)).
const QUOTE_V6_MAX: usize = 1232;

/// The sockets.
#[derive(Debug, Default)]
pub(crate) struct UdpSockets {
    by_port: BTreeMap<(bool, u16), UdpId>,
    sockets: BTreeMap<UdpId, Socket>,
    last: u32,
    second: u64,
    errors_in_second: u32,
}

#[derive(Debug)]
struct Socket {
    local: SocketAddr,
    unread: VecDeque<(SocketAddr, Vec<u8>)>,
}

impl Host {
    /// Opens a UDP socket on a port; an unspecified address takes datagrams to any of ours.
    ///
    /// # Errors
    /// When the port is 0 or taken.
    pub fn udp_bind(&mut self, local: SocketAddr) -> Result<UdpId, Misuse> {
        let key = (local.is_ipv4(), local.port());
        if local.port() == 0 || self.udp.by_port.contains_key(&key) {
            return Err(Misuse::PortInUse);
        }
        self.udp.last = self.udp.last.wrapping_add(1);
        let id = UdpId(self.udp.last);
        self.udp.by_port.insert(key, id);
        self.udp.sockets.insert(id, Socket { local, unread: VecDeque::new() });
        Ok(id)
    }

    /// Closes a UDP socket; what it holds is gone.
    pub fn udp_close(&mut self, id: UdpId) {
        if let Some(socket) = self.udp.sockets.remove(&id) {
            self.udp.by_port.remove(&(socket.local.is_ipv4(), socket.local.port()));
        }
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// When there is no such socket, no route, or the datagram is longer than one packet of the link holds.
    pub fn udp_send(&mut self, id: UdpId, to: SocketAddr, data: &[u8]) -> Result<(), Misuse> {
        let local = self.udp.sockets.get(&id).ok_or(Misuse::NoSuchSocket)?.local;
        let source = Some(local.ip()).filter(|address| !address.is_unspecified());
        let source = source.or_else(|| self.egress.routes.source_for(to.ip())).ok_or(Misuse::NoRoute)?;
        if source.is_ipv4() != to.is_ipv4() {
            return Err(Misuse::OtherVersion);
        }
        let ip_len = if source.is_ipv4() { 20 } else { 40 };
        let len = u16::try_from(udp::LEN + data.len()).ok().filter(|len| len.saturating_add(ip_len) <= self.mtu);
        let Some(length) = len else { return Err(Misuse::TooLong) };
        let header =
            udp::Header { source_port: local.port(), destination_port: to.port(), length, ..udp::Header::default() };
        let mut upper = Vec::with_capacity(length.into());
        upper.extend_from_slice(&header.to_bytes());
        upper.extend_from_slice(data);
        let sum = never_zero(pseudo(source, to.ip(), protocol::UDP, length.into()).add(&upper).finish());
        upper[6..8].copy_from_slice(&sum.to_be_bytes());
        self.answer(Answer::Upper { source, destination: to.ip(), protocol: protocol::UDP, upper });
        Ok(())
    }

    /// The next datagram, and who sent it.
    pub fn udp_receive(&mut self, id: UdpId) -> Option<(SocketAddr, Vec<u8>)> {
        self.udp.sockets.get_mut(&id)?.unread.pop_front()
    }

    pub(crate) fn udp(
        &mut self,
        now: Instant,
        addresses: Addresses,
        given: Checksum,
        packet: &[u8],
        bytes: &[u8],
    ) -> Verdict {
        let Ok(datagram) = udp::parse(bytes) else { return Verdict::Discarded(Discard::Malformed) };
        let header = datagram.header;
        let len = usize::from(header.length());
        let pseudo = pseudo(addresses.source, addresses.destination, protocol::UDP, header.length().into());
        // RFC 768: none was computed. IPv6 forbids that (RFC 8200 §8.1).
        let good = match header.checksum() {
            0 if addresses.source.is_ipv4() => Some(Good::Right),
            stored => judge(given, pseudo, stored, &bytes[..len]),
        };
        self.count_sum(good);
        if good.is_none() {
            return Verdict::Discarded(Discard::Checksum);
        }
        let key = (addresses.destination.is_ipv4(), header.destination_port());
        let id = self.udp.by_port.get(&key).copied();
        let socket = id.and_then(|id| self.udp.sockets.get_mut(&id).map(|socket| (id, socket)));
        let fits = |socket: &Socket| socket.local.ip().is_unspecified() || socket.local.ip() == addresses.destination;
        let Some((id, socket)) = socket.filter(|(_, socket)| fits(socket)) else {
            self.port_unreachable(now, addresses, packet);
            return Verdict::Discarded(Discard::NoSuchPort);
        };
        if socket.unread.len() >= UDP_UNREAD_MAX {
            return Verdict::Discarded(Discard::ReceiveQueueFull);
        }
        socket.unread.push_back(((addresses.source, header.source_port()).into(), datagram.payload.to_vec()));
        if socket.unread.len() == 1 {
            self.tell(Event::Datagram(id));
        }
        Verdict::Accepted
    }

    /// RFC 1122 §4.1.3.1: says that nobody has the port.
    fn port_unreachable(&mut self, now: Instant, addresses: Addresses, packet: &[u8]) {
        let second = now.as_millis() / 1000;
        if self.udp.second != second {
            (self.udp.second, self.udp.errors_in_second) = (second, 0);
        }
        if self.shares_addresses() || self.udp.errors_in_second >= PORT_UNREACHABLES_PER_SECOND {
            return;
        }
        self.udp.errors_in_second += 1;
        let (source, destination) = (addresses.destination, addresses.source);
        let (kind, code, protocol, most) = if source.is_ipv4() {
            use icmpv4::{message_type, unreachable_code};
            (message_type::UNREACHABLE, unreachable_code::PORT, protocol::ICMPV4, QUOTE_V4_MAX)
        } else {
            use icmpv6::{message_type, unreachable_code};
            (message_type::UNREACHABLE, unreachable_code::PORT, protocol::ICMPV6, QUOTE_V6_MAX)
        };
        let mut upper = Vec::from([kind, code, 0, 0, 0, 0, 0, 0]);
        upper.extend_from_slice(&packet[..packet.len().min(most)]);
        let len = u32::try_from(upper.len()).unwrap_or(u32::MAX);
        let sum = if source.is_ipv4() {
            wirewright_wire::checksum::of(&upper)
        } else {
            pseudo(source, destination, protocol, len).add(&upper).finish()
        };
        upper[2..4].copy_from_slice(&sum.to_be_bytes());
        self.answer(Answer::Upper { source, destination, protocol, upper });
    }
}

const _: () = assert!(UDP_UNREAD_MAX <= ANSWERS_MAX, "a burst can be answered");
