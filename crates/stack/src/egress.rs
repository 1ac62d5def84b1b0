//! From TCP's template to IP packets: headers, checksums, identification, flow label, first hop.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::net::IpAddr;
use core::num::NonZeroU16;

use wirewright_tcp::{Hooked, Outgoing};
use wirewright_units::Instant;
use wirewright_wire::checksum::{Sum, pseudo_v4, pseudo_v6};
use wirewright_wire::next::{ether_type, protocol};
use wirewright_wire::{MacAddr, ethernet, ipv4, ipv6, tcp};

use crate::config::{HostConfig, Link, WAITING_FOR_NEIGHBOR_MAX};
use crate::demux::{FourTuple, Keyed};
use crate::hook::HostHook;
use crate::neighbors::{self, Neighbors, Own, Resolution};
use crate::path_mtu::PathMtus;
use crate::routes::Routes;
use crate::verdict::Counters;

/// The hop limit and TTL of what we send (RFC 1700's recommendation, and everybody's).
pub const HOP_LIMIT: u8 = 64;

/// One packet to send, or a super-segment that the link cuts.
#[derive(Clone, Copy, Debug)]
pub struct Transmit<'a> {
    /// All headers: from the Ethernet header on where the link has one, else from the IP header. Of a super-segment a
    /// template: lengths and sequence number are those of the whole.
    pub header: &'a [u8],
    /// What follows, the second behind the first.
    pub slices: [&'a [u8]; 2],
    /// Cut what follows into packets of this many bytes each; `None` for one packet.
    pub segment_size: Option<NonZeroU16>,
    /// Who completes the transport checksum.
    pub checksum: TransmitChecksum,
    /// The destination in the IP header; `None` for ARP.
    pub destination: Option<IpAddr>,
}

impl Transmit<'_> {
    /// The number of bytes in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.header.len() + self.slices[0].len() + self.slices[1].len()
    }

    /// Whether there is no byte in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends all of it to `to`.
    pub fn append_to(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.header);
        to.extend_from_slice(self.slices[0]);
        to.extend_from_slice(self.slices[1]);
    }
}

/// Who completes the transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransmitChecksum {
    /// It stands in the bytes.
    Done,
    /// The link: the field holds the folded pseudo-header.
    Partial {
        /// Where the summed bytes begin.
        start: u16,
        /// Where the field is, from there on.
        offset: u16,
    },
}

/// Where packets are handed to.
pub(crate) type Send<'s> = &'s mut dyn FnMut(&Transmit<'_>);

/// Ethernet, IPv6 (the longer), TCP with all options.
const HEADERS_MAX: usize = ethernet::LEN + ipv6::LEN + tcp::LEN + tcp::OPTIONS_MAX;

/// The way out of a host.
#[derive(Debug)]
pub(crate) struct Egress {
    pub(crate) routes: Routes,
    pub(crate) paths: PathMtus,
    pub(crate) neighbors: Option<Neighbors>,
    pub(crate) counters: Counters,
    mac: Option<MacAddr>,
    segmentation: bool,
    checksum: bool,
    labels: Keyed,
    next_id: u16,
    /// Packets without link header that wait for the address of their first hop.
    waiting: VecDeque<(IpAddr, Vec<u8>)>,
    pub(crate) hooked: Option<Hooked<HostHook, FourTuple>>,
}

impl Egress {
    pub(crate) fn new(config: &HostConfig) -> Self {
        let routes = Routes::new(config.addresses.clone(), &config.routes);
        let mac = match config.link {
            Link::Ip => None,
            Link::Ethernet { mac } => Some(mac),
        };
        let neighbors = mac.map(|mac| {
            let v4 = routes.own(true);
            let v6 = routes.own(false);
            Neighbors::new(Own {
                mac,
                ipv4: if let Some(IpAddr::V4(v4)) = v4 { Some(v4) } else { None },
                ipv6: if let Some(IpAddr::V6(v6)) = v6 { Some(v6) } else { None },
            })
        });
        let id = config.secret.key(4);
        Self {
            paths: PathMtus::new(config.mtu, Keyed::new(config.secret.key(2))),
            neighbors,
            counters: Counters::default(),
            mac,
            segmentation: config.offload.segmentation,
            checksum: config.offload.checksum,
            labels: Keyed::new(config.secret.key(3)),
            next_id: u16::from_le_bytes([id[0], id[1]]),
            waiting: VecDeque::new(),
            hooked: None,
            routes,
        }
    }

    /// Sends a segment or super-segment of a connection; what a hook sees leaves when it lets it.
    pub(crate) fn send_tcp(&mut self, now: Instant, tuple: &FourTuple, out: &Outgoing<'_>, send: Send<'_>) {
        if let Some(hooked) = &mut self.hooked {
            hooked.take(now, *tuple, out);
            self.send_hooked(now, send);
            return;
        }
        let destination = tuple.remote.ip();
        let Some(hop) = self.routes.next_hop(destination) else {
            self.counters.unsent += 1;
            return;
        };
        let is_super = out.segment_count() > 1;
        if is_super && !self.segmentation {
            for segment in out.segments() {
                self.send_segment(now, tuple, hop, &segment, send);
            }
        } else {
            self.send_segment(now, tuple, hop, out, send);
        }
    }

    /// Sends the next segment that the hook lets go; false when there is none.
    pub(crate) fn send_hooked(&mut self, now: Instant, send: Send<'_>) -> bool {
        let Some((tuple, segment)) = self.hooked.as_mut().and_then(|hooked| hooked.poll_transmit(now)) else {
            return false;
        };
        let (local, remote) = (tuple.local.ip(), tuple.remote.ip());
        let bytes = segment.to_bytes(|len| pseudo(local, remote, protocol::TCP, len));
        self.send_upper(now, local, remote, protocol::TCP, &bytes, send);
        true
    }

    fn send_segment(&mut self, now: Instant, tuple: &FourTuple, hop: IpAddr, out: &Outgoing<'_>, send: Send<'_>) {
        let mut headers = [0; HEADERS_MAX];
        let Some(link_len) = self.link_header(now, hop, &mut headers) else {
            self.wait(hop, |packet, egress| {
                let mut headers = [0; HEADERS_MAX];
                let len = egress.ip_and_tcp(now, tuple, out, &mut headers, false);
                packet.extend_from_slice(&headers[..len]);
                packet.extend_from_slice(out.text()[0]);
                packet.extend_from_slice(out.text()[1]);
            });
            return;
        };
        let len = link_len + self.ip_and_tcp(now, tuple, out, &mut headers[link_len..], self.checksum);
        let transport = len - out.header_len();
        let checksum = if self.checksum {
            // Headers are short.
            TransmitChecksum::Partial { start: transport as u16, offset: CHECKSUM_AT as u16 }
        } else {
            TransmitChecksum::Done
        };
        let segment_size = NonZeroU16::new(out.segment_size()).filter(|_| out.segment_count() > 1);
        self.counters.sent += 1;
        send(&Transmit {
            header: &headers[..len],
            slices: out.text(),
            segment_size,
            checksum,
            destination: Some(tuple.remote.ip()),
        });
    }

    /// Writes IP and TCP header, and returns their length.
    fn ip_and_tcp(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        out: &Outgoing<'_>,
        headers: &mut [u8],
        partial: bool,
    ) -> usize {
        let ip_len = self.ip_header(
            now,
            tuple.local.ip(),
            tuple.remote.ip(),
            protocol::TCP,
            out.total_len(),
            Some(tuple),
            headers,
        );
        let tcp = &mut headers[ip_len..];
        let tcp_len = out.emit_header(tcp);
        // At most SUPER_SEGMENT_BYTES_MAX and a header.
        let pseudo = pseudo(tuple.local.ip(), tuple.remote.ip(), protocol::TCP, out.total_len() as u32);
        let sum = if partial {
            pseudo.folded()
        } else {
            pseudo.add(&tcp[..tcp_len]).add(out.text()[0]).add(out.text()[1]).finish()
        };
        tcp[CHECKSUM_AT..CHECKSUM_AT + 2].copy_from_slice(&sum.to_be_bytes());
        ip_len + tcp_len
    }

    /// Sends an upper layer that is whole, its checksum written: an ICMP message, a datagram.
    pub(crate) fn send_upper(
        &mut self,
        now: Instant,
        source: IpAddr,
        destination: IpAddr,
        protocol: u8,
        upper: &[u8],
        send: Send<'_>,
    ) {
        let Some(hop) = self.routes.next_hop(destination) else {
            self.counters.unsent += 1;
            return;
        };
        let mut headers = [0; HEADERS_MAX];
        let Some(link_len) = self.link_header(now, hop, &mut headers) else {
            self.wait(hop, |packet, egress| {
                let mut headers = [0; HEADERS_MAX];
                let len = egress.ip_header(now, source, destination, protocol, upper.len(), None, &mut headers);
                packet.extend_from_slice(&headers[..len]);
                packet.extend_from_slice(upper);
            });
            return;
        };
        let rest = &mut headers[link_len..];
        let len = link_len + self.ip_header(now, source, destination, protocol, upper.len(), None, rest);
        self.counters.sent += 1;
        send(&Transmit {
            header: &headers[..len],
            slices: [upper, &[]],
            segment_size: None,
            checksum: TransmitChecksum::Done,
            destination: Some(destination),
        });
    }

    /// Questions to neighbours, and packets whose neighbour was found. True when there was anything.
    pub(crate) fn poll_neighbors(&mut self, now: Instant, send: Send<'_>) -> bool {
        let Some(neighbors) = &mut self.neighbors else { return false };
        let mut did = false;
        while let Some(question) = neighbors.poll_transmit(now) {
            did = true;
            send(&whole(&question));
        }
        while let Some(event) = self.neighbors.as_mut().and_then(Neighbors::poll_event) {
            did = true;
            match event {
                neighbors::Event::Resolved { address, mac } => self.release_waiting(address, mac, send),
                neighbors::Event::Failed { address } => {
                    let before = self.waiting.len();
                    self.waiting.retain(|(hop, _)| *hop != address);
                    self.counters.unsent += (before - self.waiting.len()) as u64;
                }
            }
        }
        did
    }

    fn release_waiting(&mut self, address: IpAddr, mac: MacAddr, send: Send<'_>) {
        let Some(own) = self.mac else { return };
        let waiting = core::mem::take(&mut self.waiting);
        for (hop, packet) in waiting {
            if hop != address {
                self.waiting.push_back((hop, packet));
                continue;
            }
            let ether_type = if address.is_ipv4() { ether_type::IPV4 } else { ether_type::IPV6 };
            let header = ethernet::Header { destination: mac, source: own, ether_type }.to_bytes();
            self.counters.sent += 1;
            send(&Transmit { slices: [&packet, &[]], destination: destination_of(&packet), ..whole(&header) });
        }
    }

    /// Writes the link header and returns its length; `None` while the first hop is being asked for.
    fn link_header(&mut self, now: Instant, hop: IpAddr, headers: &mut [u8]) -> Option<usize> {
        let (Some(neighbors), Some(source)) = (&mut self.neighbors, self.mac) else { return Some(0) };
        let Resolution::Known(destination) = neighbors.resolve(now, hop) else { return None };
        let ether_type = if hop.is_ipv4() { ether_type::IPV4 } else { ether_type::IPV6 };
        let header = ethernet::Header { destination, source, ether_type }.to_bytes();
        headers[..ethernet::LEN].copy_from_slice(&header);
        Some(ethernet::LEN)
    }

    /// Keeps a packet for a neighbour that is being asked for; the oldest goes when there are too many.
    fn wait(&mut self, hop: IpAddr, make: impl FnOnce(&mut Vec<u8>, &mut Self)) {
        if self.waiting.len() == WAITING_FOR_NEIGHBOR_MAX {
            self.waiting.pop_front();
            self.counters.unsent += 1;
        }
        let mut packet = Vec::new();
        make(&mut packet, self);
        self.waiting.push_back((hop, packet));
    }

    /// Writes the IP header of a packet whose upper layer has `upper_len` bytes, and returns its length.
    fn ip_header(
        &mut self,
        now: Instant,
        source: IpAddr,
        destination: IpAddr,
        protocol: u8,
        upper_len: usize,
        flow: Option<&FourTuple>,
        to: &mut [u8],
    ) -> usize {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let may_fragment = self.paths.of(now, destination.into()).may_fragment;
                // RFC 6864 §4.1: the identification of what is never fragmented means nothing, and is 0.
                let identification = if may_fragment { self.fresh_id() } else { 0 };
                let mut header = ipv4::Header {
                    ihl: 5,
                    total_length: u16::try_from(ipv4::LEN + upper_len).unwrap_or(u16::MAX),
                    identification,
                    df: !may_fragment,
                    ttl: HOP_LIMIT,
                    protocol,
                    source,
                    destination,
                    ..ipv4::Header::default()
                };
                header.checksum = 0;
                header.checksum = Sum::new().add(&header.to_bytes()).finish();
                to[..ipv4::LEN].copy_from_slice(&header.to_bytes());
                ipv4::LEN
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let header = ipv6::Header {
                    payload_length: u16::try_from(upper_len).unwrap_or(u16::MAX),
                    next_header: protocol,
                    hop_limit: HOP_LIMIT,
                    flow_label: flow.map_or(0, |flow| self.flow_label(flow)),
                    source,
                    destination,
                    ..ipv6::Header::default()
                };
                to[..ipv6::LEN].copy_from_slice(&header.to_bytes());
                ipv6::LEN
            }
            // Both ends of a packet are of one version: a 4-tuple is made from a packet, or checked when it is opened.
            _ => 0,
        }
    }

    fn fresh_id(&mut self) -> u16 {
        self.next_id = self.next_id.wrapping_add(1).max(1);
        self.next_id
    }

    /// RFC 6437 §3: the same for all packets of a flow, not to be guessed, not 0.
    fn flow_label(&self, flow: &FourTuple) -> u32 {
        // 20 bits.
        ((self.labels.hash_one(flow) as u32) & 0xf_ffff).max(1)
    }
}

/// Where the checksum stands in a TCP header.
const CHECKSUM_AT: usize = 16;

/// The sum of the pseudo-header.
pub(crate) fn pseudo(source: IpAddr, destination: IpAddr, protocol: u8, len: u32) -> Sum {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => pseudo_v4(source, destination, protocol, len),
        (IpAddr::V6(source), IpAddr::V6(destination)) => pseudo_v6(source, destination, protocol, len),
        _ => Sum::new(),
    }
}

/// A frame whose bytes are all there.
pub(crate) const fn whole(frame: &[u8]) -> Transmit<'_> {
    Transmit {
        header: frame,
        slices: [&[], &[]],
        segment_size: None,
        checksum: TransmitChecksum::Done,
        destination: None,
    }
}

fn destination_of(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => ipv4::View::split(packet).map(|(header, _)| header.destination().into()),
        _ => ipv6::View::split(packet).map(|(header, _)| header.destination().into()),
    }
}
