//! A built packet as the plan needs it: its bytes, where its layers stand, and what the person set.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_craft::{Built, First, LayerAt, Origin, Packet, walk};
use wirewright_wire::{HeaderDesc, arp, ipv4, ipv6, next, tcp, udp, vxlan};

use crate::plan::Transport;
use crate::ways::Way;

/// A built packet.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The bytes as built.
    pub bytes: &'a [u8],
    /// What they begin with.
    pub first: First,
    /// The layers, outermost first.
    pub layers: Vec<LayerIn>,
}

/// A layer of a built packet.
#[derive(Clone, Debug)]
pub struct LayerIn {
    /// Its table.
    pub desc: &'static HeaderDesc,
    /// Its first byte.
    pub at: usize,
    /// The keys of the fields that the person set.
    pub set: Vec<&'static str>,
}

/// The outermost IP header, as far as its bytes are there.
#[derive(Clone, Copy, Debug)]
pub struct Ip {
    /// Its first byte.
    pub at: usize,
    /// Its table.
    pub desc: &'static HeaderDesc,
    /// The source; unspecified when the header is too short to have one.
    pub source: IpAddr,
    /// The destination; unspecified when the header is too short to have one.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub hops: u8,
    /// DF is set, or the version has none.
    pub dont_fragment: bool,
    /// It is a fragment: MF or an offset.
    pub is_fragment: bool,
}

impl Ip {
    /// The raw socket that carries it.
    #[must_use]
    pub fn raw_way(&self) -> Way {
        if self.is_v6() { Way::RawIpv6 } else { Way::RawIpv4 }
    }

    /// The EtherType that announces it.
    #[must_use]
    pub fn ether_type(&self) -> u16 {
        if self.is_v6() { next::ether_type::IPV6 } else { next::ether_type::IPV4 }
    }

    /// It is IPv6's.
    #[must_use]
    pub fn is_v6(&self) -> bool {
        core::ptr::eq(self.desc, &raw const ipv6::DESC)
    }
}

impl<'a> Outgoing<'a> {
    /// A packet and what was built of it.
    #[must_use]
    pub fn new(packet: &Packet, built: &'a Built) -> Self {
        let layers = packet.layers.iter().enumerate().map(|(index, layer)| {
            let spans = || built.spans_of(index);
            let set = spans().filter(|span| matches!(span.origin, Origin::Set | Origin::Wrong));
            LayerIn {
                desc: layer.desc(),
                at: spans().map(|span| span.bytes.start).min().unwrap_or(0),
                set: set.filter_map(|span| span.field()).map(|field| field.key).collect(),
            }
        });
        Self { bytes: &built.bytes, first: built.first, layers: layers.collect() }
    }

    /// A frame that leaves as it is: every field counts as set, so that a way that would change one is not taken.
    #[must_use]
    pub fn exactly(bytes: &'a [u8], first: First) -> Self {
        let layer = |at: &LayerAt| LayerIn {
            desc: at.desc,
            at: at.start,
            set: at.desc.fields.iter().map(|field| field.key).collect(),
        };
        Self { bytes, first, layers: walk(bytes, first).iter().map(layer).collect() }
    }

    /// The destination that it names: of its outermost IP header, or the target of its ARP header.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        let of_arp = || {
            let layer = self.layers.iter().find(|layer| layer.desc.key == arp::DESC.key)?;
            let (arp, _) = arp::View::split(self.bytes.get(layer.at..)?)?;
            Some(IpAddr::V4(arp.target_protocol()))
        };
        self.ip().map(|ip| ip.destination).or_else(of_arp)
    }

    /// The packet brings its own link header.
    #[must_use]
    pub fn begins_with_ethernet(&self) -> bool {
        self.first == First::Ethernet
    }

    /// The person set the link header's destination.
    #[must_use]
    pub fn link_destination_is_set(&self) -> bool {
        self.layers.first().is_some_and(|layer| layer.desc.key == "eth" && layer.set.contains(&"dst"))
    }

    /// The target of an ARP request, which goes to everybody unless the link header says otherwise.
    #[must_use]
    pub fn arp_target(&self) -> Option<Ipv4Addr> {
        let layer = self.layers.iter().find(|layer| layer.desc.key == arp::DESC.key)?;
        let (arp, _) = arp::View::split(self.bytes.get(layer.at..)?)?;
        (arp.operation() == arp::REQUEST).then(|| arp.target_protocol())
    }

    /// The person set this field of the outermost IP header.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.ip_layer().is_some_and(|(_, layer)| layer.set.contains(&key))
    }

    /// The outermost IP header.
    #[must_use]
    pub fn ip(&self) -> Option<Ip> {
        let (_, layer) = self.ip_layer()?;
        let bytes = self.bytes.get(layer.at..)?;
        if layer.desc.key == ipv6::DESC.key {
            let split = ipv6::View::split(bytes);
            let view = split.map(|(view, _)| view);
            let upper =
                split.and_then(|(view, payload)| ipv6::ext::Extensions::new(view.next_header(), payload).upper().ok());
            let fragment = upper.and_then(|upper| upper.fragment);
            return Some(Ip {
                at: layer.at,
                desc: &ipv6::DESC,
                source: view.map_or(Ipv6Addr::UNSPECIFIED, |v| v.source()).into(),
                destination: view.map_or(Ipv6Addr::UNSPECIFIED, |v| v.destination()).into(),
                hops: view.map_or(0, |v| v.hop_limit()),
                dont_fragment: true,
                is_fragment: fragment.is_some_and(|header| header.more || header.offset != 0),
            });
        }
        let view = ipv4::View::split(bytes).map(|(view, _)| view);
        Some(Ip {
            at: layer.at,
            desc: &ipv4::DESC,
            source: view.map_or(Ipv4Addr::UNSPECIFIED, |v| v.source()).into(),
            destination: view.map_or(Ipv4Addr::UNSPECIFIED, |v| v.destination()).into(),
            hops: view.map_or(0, |v| v.ttl()),
            dont_fragment: view.is_some_and(|v| v.df()),
            is_fragment: view.is_some_and(|v| v.mf() || v.fragment_offset() != 0),
        })
    }

    /// The protocol behind the outermost IP header and its extension headers, by the numbers in them.
    #[must_use]
    pub fn upper_protocol(&self) -> Option<u8> {
        let ip = self.ip()?;
        let bytes = self.bytes.get(ip.at..)?;
        if !ip.is_v6() {
            return ipv4::View::split(bytes).map(|(header, _)| header.protocol());
        }
        let (header, payload) = ipv6::View::split(bytes)?;
        let upper = ipv6::ext::Extensions::new(header.next_header(), payload).upper();
        Some(upper.map_or(header.next_header(), |upper| upper.protocol))
    }

    /// The port to which an answer would come, where our kernel would answer it if nobody held the port. A segment with RST
    /// is answered by nobody; who answers through VXLAN sends to its port, whichever the question came from (RFC 7348 §5).
    #[must_use]
    pub fn answered_port(&self) -> Option<(Transport, u16)> {
        let (index, _) = self.ip_layer()?;
        let layer = self.layers.get(index + 1)?;
        let bytes = self.bytes.get(layer.at..)?;
        if layer.desc.key == tcp::DESC.key {
            let (view, _) = tcp::View::split(bytes)?;
            return (!view.flags().rst()).then(|| (Transport::Tcp, view.source_port()));
        }
        if self.layers.get(index + 2).is_some_and(|above| above.desc.key == vxlan::DESC.key) {
            return Some((Transport::Udp, vxlan::PORT));
        }
        if layer.desc.key == udp::DESC.key {
            let (view, _) = udp::View::split(bytes)?;
            return Some((Transport::Udp, view.source_port()));
        }
        None
    }

    fn ip_layer(&self) -> Option<(usize, &LayerIn)> {
        self.layers.iter().enumerate().find(|(_, layer)| [ipv4::DESC.key, ipv6::DESC.key].contains(&layer.desc.key))
    }
}
