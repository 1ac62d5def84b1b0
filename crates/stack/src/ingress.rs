//! From frame to the protocol that it is for: Ethernet, ARP, IPv4, IPv6, and the checks of their headers.

use core::net::IpAddr;
use core::num::NonZeroU16;

use wirewright_tcp::{IpMeta, Segment};
use wirewright_units::Instant;
use wirewright_wire::next::{ether_type, protocol};
use wirewright_wire::{checksum, ethernet, ipv4, ipv6};

use crate::checksum::{Checksum, judge};
use crate::config::Link;
use crate::demux::FourTuple;
use crate::egress::pseudo;
use crate::host::{Answer, Host};
use crate::neighbors;
use crate::verdict::{Discard, Verdict};

/// A frame that came, and what the link knows of it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The bytes, from the header that the link's frames begin with. A super-segment, coalesced on its way, is one frame.
    pub bytes: &'a [u8],
    /// What is known of the transport checksum.
    pub checksum: Checksum,
    /// The text of each segment that a super-segment was made of, where the link says so.
    pub segment_size: Option<NonZeroU16>,
}

impl<'a> Received<'a> {
    /// A frame of which nothing is known.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, checksum: Checksum::ToCheck, segment_size: None }
    }
}

/// Both addresses of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
}

impl Host {
    /// A frame has come.
    pub fn handle_frame(&mut self, now: Instant, frame: &Received<'_>) -> Verdict {
        let verdict = match self.link {
            Link::Ip => self.ip(now, frame, frame.bytes),
            Link::Ethernet { mac } => self.ethernet(now, frame, mac),
        };
        self.egress.counters.count(verdict);
        verdict
    }

    fn ethernet(&mut self, now: Instant, frame: &Received<'_>, mac: wirewright_wire::MacAddr) -> Verdict {
        let Some((header, packet)) = ethernet::View::split(frame.bytes) else {
            return Verdict::Discarded(Discard::Malformed);
        };
        if header.destination() != mac && !header.destination().is_multicast() {
            return Verdict::Discarded(Discard::ForAnotherMac);
        }
        let is_v6 = header.ether_type() == ether_type::IPV6;
        if header.ether_type() == ether_type::ARP || (is_v6 && neighbors::is_discovery(packet)) {
            let answered = self.egress.neighbors.as_mut().is_some_and(|it| it.handle_frame(now, frame.bytes));
            if answered {
                return Verdict::Accepted;
            }
            let routes = &self.egress.routes;
            let Some(answer) = neighbors::answer_for(frame.bytes, mac, |address| routes.is_ours(address)) else {
                return Verdict::Discarded(Discard::ForAnotherHost);
            };
            self.answer(Answer::Frame(answer));
            return Verdict::Accepted;
        }
        match header.ether_type() {
            ether_type::IPV4 | ether_type::IPV6 => self.ip(now, frame, packet),
            _ => Verdict::Discarded(Discard::UnknownEtherType),
        }
    }

    fn ip(&mut self, now: Instant, frame: &Received<'_>, packet: &[u8]) -> Verdict {
        match packet.first().map(|first| first >> 4) {
            Some(4) => self.ipv4(now, frame, packet),
            Some(6) => self.ipv6(now, frame, packet),
            None => Verdict::Discarded(Discard::Malformed),
            Some(_) => Verdict::Discarded(Discard::UnknownVersion),
        }
    }

    /// RFC 1122 §3.2.1: what is not right is dropped in silence.
    fn ipv4(&mut self, now: Instant, frame: &Received<'_>, bytes: &[u8]) -> Verdict {
        let Ok(packet) = ipv4::parse(bytes) else { return Verdict::Discarded(Discard::Malformed) };
        let header = packet.header;
        let header_len = usize::from(header.ihl()) * 4;
        if !checksum::verify(&bytes[..header_len]) {
            return Verdict::Discarded(Discard::HeaderChecksum);
        }
        let source = header.source();
        if source.is_multicast() || source.is_broadcast() || source.is_unspecified() {
            return Verdict::Discarded(Discard::StrangeSource);
        }
        if header.mf() || header.fragment_offset() != 0 {
            return Verdict::Discarded(Discard::Fragment);
        }
        let addresses = Addresses { source: source.into(), destination: header.destination().into() };
        let meta = meta(header.tos(), header.ttl(), frame);
        self.upper(now, frame, addresses, header.protocol(), meta, bytes, packet.payload)
    }

    fn ipv6(&mut self, now: Instant, frame: &Received<'_>, bytes: &[u8]) -> Verdict {
        let Ok(packet) = ipv6::parse(bytes) else { return Verdict::Discarded(Discard::Malformed) };
        let header = packet.header;
        if header.source().is_multicast() || header.source().is_unspecified() {
            return Verdict::Discarded(Discard::StrangeSource);
        }
        let Ok(upper) = packet.upper() else { return Verdict::Discarded(Discard::Malformed) };
        // RFC 6946: a fragment that is the whole packet is none.
        if upper.fragment.is_some_and(|fragment| fragment.offset != 0 || fragment.more) {
            return Verdict::Discarded(Discard::Fragment);
        }
        let addresses = Addresses { source: header.source().into(), destination: header.destination().into() };
        let meta = meta(header.traffic_class(), header.hop_limit(), frame);
        self.upper(now, frame, addresses, upper.protocol, meta, bytes, upper.bytes)
    }

    fn upper(
        &mut self,
        now: Instant,
        frame: &Received<'_>,
        addresses: Addresses,
        protocol: u8,
        meta: IpMeta,
        packet: &[u8],
        bytes: &[u8],
    ) -> Verdict {
        if !self.egress.routes.is_ours(addresses.destination) {
            return Verdict::Discarded(Discard::ForAnotherHost);
        }
        match (protocol, addresses.destination) {
            (protocol::TCP, _) => self.segment(now, addresses, frame.checksum, meta, bytes),
            (protocol::UDP, _) => self.udp(now, addresses, frame.checksum, packet, bytes),
            (protocol::ICMPV4, IpAddr::V4(_)) => self.icmpv4(now, addresses, bytes),
            (protocol::ICMPV6, IpAddr::V6(_)) => self.icmpv6(now, addresses, bytes),
            _ => Verdict::Discarded(Discard::UnknownProtocol),
        }
    }

    /// The checksum, the header, and then whose it is.
    fn segment(&mut self, now: Instant, addresses: Addresses, given: Checksum, meta: IpMeta, bytes: &[u8]) -> Verdict {
        let Some(&[high, low]) = bytes.get(16..).and_then(<[u8]>::first_chunk::<2>) else {
            return Verdict::Discarded(Discard::Malformed);
        };
        // An IP packet's payload.
        let pseudo = pseudo(addresses.source, addresses.destination, protocol::TCP, bytes.len() as u32);
        let good = judge(given, pseudo, u16::from_be_bytes([high, low]), bytes);
        self.count_sum(good);
        if good.is_none() {
            return Verdict::Discarded(Discard::Checksum);
        }
        let Ok(seg) = Segment::parse(bytes, meta) else { return Verdict::Discarded(Discard::Malformed) };
        let tuple = FourTuple {
            local: (addresses.destination, seg.ports.local).into(),
            remote: (addresses.source, seg.ports.remote).into(),
        };
        self.tcp(now, tuple, &seg)
    }
}

/// What TCP is told of the IP header.
fn meta(tos: u8, ttl: u8, frame: &Received<'_>) -> IpMeta {
    let mut meta = IpMeta::default();
    meta.ecn = tos & 3;
    meta.dscp = tos >> 2;
    meta.ttl = ttl;
    meta.segment_size = frame.segment_size.map(NonZeroU16::get);
    meta
}
