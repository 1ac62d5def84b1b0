//! The flow of a packet: addresses, protocol, ports and numbers, and which packet answers which.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_wire::icmpv4::message_type as icmp4;
use wirewright_wire::icmpv6::message_type as icmp6;
use wirewright_wire::tcp::Flags;
use wirewright_wire::{MacAddr, arp, ethernet, ipv4, ipv6, next, tcp, udp, vlan};

use super::Asked;
use super::answer::{AnswerKind, Match};
use super::dhcp;
use super::tunnel::{TUNNELS_MAX, Tunnel, tunnelled};
use crate::First;

/// What is kept of a sent packet.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) flow: Flow,
    pub(super) ip: Option<Ends>,
    /// The first bytes behind the IP header, up to the eight that every ICMP error quotes.
    pub(super) head: Vec<u8>,
    pub(super) to_many: bool,
    /// What it carries in a tunnel, if that asks something.
    pub(super) inner: Option<(Tunnel, Box<Self>)>,
    /// What it asks a DHCP server.
    pub(super) dhcp: Option<dhcp::Question>,
}

/// The IP header of a sent packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    /// IPv4's identification, IPv6's flow label.
    pub(super) identification: u32,
}

/// What a packet asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Tcp {
        source_port: u16,
        destination_port: u16,
        seq: u32,
        steps: u32,
        flags: Flags,
        ack: u32,
    },
    Udp {
        source_port: u16,
        destination_port: u16,
        length: u16,
        sum: u16,
    },
    /// A question with id and sequence number, and the type of its reply. `data` is a digest of the bytes behind.
    IcmpQuery {
        v6: bool,
        kind: u8,
        reply: u8,
        id: u16,
        seq: u16,
        data: Option<Data>,
    },
    Solicitation {
        target: Ipv6Addr,
    },
    RouterSolicitation,
    Arp {
        sender: Ipv4Addr,
        target: Ipv4Addr,
    },
    /// Only its protocol is known.
    Other,
    /// It asks nothing that could be answered (an error message, an answer itself).
    Silent,
}

/// The data of an echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data {
    digest: u64,
    /// All of it is there, and not the beginning in a first fragment.
    whole: bool,
}

/// What was heard, taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Heard<'a> {
    Ip(Datagram<'a>),
    Arp(arp::View<'a>),
}

impl Heard<'_> {
    pub(super) fn source(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(datagram) => Some(datagram.ends.source),
            Self::Arp(_) => None,
        }
    }
}

/// An IP packet, or as much of one as was quoted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    pub(super) ends: Ends,
    /// What stands behind the IP header, or behind the last extension header; empty in a later fragment.
    pub(super) upper: &'a [u8],
    /// How much of a datagram it is.
    pub(super) part: Part,
}

/// How much of a datagram a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// The first fragment: data that answers it may be longer.
    First,
    /// The middle or the end, which asks nothing itself.
    Later,
}

impl Part {
    const fn of(offset: u16, more: bool) -> Self {
        match (offset, more) {
            (0, false) => Self::Whole,
            (0, true) => Self::First,
            _ => Self::Later,
        }
    }
}

/// What a sent packet asks.
pub(super) fn of_sent(asked: &Asked<'_>) -> Sent {
    sent(of_heard(asked.bytes, asked.first).as_ref(), asked.to_many, TUNNELS_MAX)
}

/// What this asks; tunnels are looked into so many times.
fn sent(packet: Option<&Heard<'_>>, to_many: bool, tunnels: usize) -> Sent {
    match packet {
        Some(Heard::Arp(arp)) if arp.operation() == arp::REQUEST => {
            let flow = Flow::Arp { sender: arp.sender_protocol(), target: arp.target_protocol() };
            Sent { flow, ip: None, head: Vec::new(), to_many, inner: None, dhcp: None }
        }
        Some(Heard::Ip(datagram)) => {
            let many = datagram.ends.destination;
            let broadcast = many == IpAddr::V4(Ipv4Addr::BROADCAST);
            let to_many = to_many || many.is_multicast() || broadcast;
            let head = datagram.upper[..datagram.upper.len().min(8)].to_vec();
            let inner = tunnelled(datagram).filter(|_| tunnels > 0 && datagram.part == Part::Whole);
            let inner = inner.map(|(tunnel, packet)| (tunnel, Box::new(sent(Some(&packet), false, tunnels - 1))));
            let inner =
                inner.filter(|(_, inner)| !matches!(inner.flow, Flow::Silent | Flow::Other) || inner.inner.is_some());
            let dhcp = dhcp::Question::of(datagram);
            Sent { flow: flow_of(datagram), ip: Some(datagram.ends), head, to_many, inner, dhcp }
        }
        _ => Sent { flow: Flow::Silent, ip: None, head: Vec::new(), to_many, inner: None, dhcp: None },
    }
}

/// Takes a packet apart, down to its IP or ARP header.
pub(super) fn of_heard(bytes: &[u8], first: First) -> Option<Heard<'_>> {
    if first == First::Ip {
        return datagram(bytes).map(Heard::Ip);
    }
    let (ether_type, rest) = link_payload(bytes)?;
    match ether_type {
        next::ether_type::ARP => arp::View::split(rest).map(|(view, _)| Heard::Arp(view)),
        next::ether_type::IPV4 | next::ether_type::IPV6 => datagram(rest).map(Heard::Ip),
        _ => None,
    }
}

/// The IP packet behind the link header, if there is one.
pub(crate) fn behind_the_link(bytes: &[u8], first: First) -> Option<&[u8]> {
    if first == First::Ip {
        return Some(bytes);
    }
    let (ether_type, rest) = link_payload(bytes)?;
    matches!(ether_type, next::ether_type::IPV4 | next::ether_type::IPV6).then_some(rest)
}

/// What an Ethernet frame carries behind its tags, and its EtherType.
fn link_payload(frame: &[u8]) -> Option<(u16, &[u8])> {
    let (eth, mut rest) = ethernet::View::split(frame)?;
    let mut ether_type = eth.ether_type();
    // Two tags are what 802.1ad allows.
    for _ in 0..2 {
        if !matches!(ether_type, next::ether_type::VLAN | next::ether_type::SERVICE_VLAN) {
            break;
        }
        let (tag, behind) = vlan::View::split(rest)?;
        (ether_type, rest) = (tag.ether_type(), behind);
    }
    Some((ether_type, rest))
}

/// Reads an IP packet with as little trust in its lengths as a quote needs: what is there is read.
pub(super) fn datagram(bytes: &[u8]) -> Option<Datagram<'_>> {
    match bytes.first()? >> 4 {
        4 => datagram_v4(bytes),
        6 => datagram_v6(bytes),
        _ => None,
    }
}

fn datagram_v4(bytes: &[u8]) -> Option<Datagram<'_>> {
    let (header, _) = ipv4::View::split(bytes)?;
    let header_len = usize::from(header.ihl()) * 4;
    let end = usize::from(header.total_length()).max(header_len).min(bytes.len());
    let behind = if header.fragment_offset() == 0 { bytes.get(header_len..end)? } else { &[] };
    (header_len >= ipv4::LEN).then(|| Datagram {
        ends: Ends {
            source: header.source().into(),
            destination: header.destination().into(),
            protocol: header.protocol(),
            identification: header.identification().into(),
        },
        upper: behind,
        part: Part::of(header.fragment_offset(), header.mf()),
    })
}

fn datagram_v6(bytes: &[u8]) -> Option<Datagram<'_>> {
    let (header, rest) = ipv6::View::split(bytes)?;
    let payload = &rest[..usize::from(header.payload_length()).min(rest.len())];
    let upper = ipv6::ext::Extensions::new(header.next_header(), payload).upper().ok()?;
    let part = upper.fragment.map_or(Part::Whole, |fragment| Part::of(fragment.offset, fragment.more));
    Some(Datagram {
        ends: Ends {
            source: header.source().into(),
            destination: header.destination().into(),
            protocol: upper.protocol,
            identification: header.flow_label(),
        },
        upper: if part == Part::Later { &[] } else { upper.bytes },
        part,
    })
}

/// What a datagram asks.
pub(super) fn flow_of(datagram: &Datagram<'_>) -> Flow {
    let upper = datagram.upper;
    let v6 = datagram.ends.source.is_ipv6();
    let whole = datagram.part == Part::Whole;
    match datagram.ends.protocol {
        _ if datagram.part == Part::Later => Flow::Silent,
        next::protocol::TCP => tcp_flow(upper, whole).unwrap_or(Flow::Other),
        next::protocol::UDP => udp::View::split(upper).map_or(Flow::Other, |(udp, _)| Flow::Udp {
            source_port: udp.source_port(),
            destination_port: udp.destination_port(),
            length: udp.length(),
            sum: udp.checksum(),
        }),
        next::protocol::ICMPV4 if !v6 => icmp_flow(upper, false, whole),
        next::protocol::ICMPV6 if v6 => icmp_flow(upper, true, whole),
        _ => Flow::Other,
    }
}

fn tcp_flow(upper: &[u8], whole: bool) -> Option<Flow> {
    let (tcp, _) = tcp::View::split(upper)?;
    let flags = tcp.flags();
    let data = upper.len().saturating_sub(usize::from(tcp.data_offset()) * 4);
    // Of a segment that goes on in other fragments any part may be acknowledged.
    let data = if whole { data } else { usize::try_from(u32::MAX / 2).unwrap_or(usize::MAX) };
    let steps = u32::try_from(data).unwrap_or(u32::MAX).saturating_add(u32::from(flags.syn()) + u32::from(flags.fin()));
    Some(Flow::Tcp {
        source_port: tcp.source_port(),
        destination_port: tcp.destination_port(),
        seq: tcp.sequence().to_raw(),
        steps,
        flags,
        ack: tcp.acknowledgment().to_raw(),
    })
}

fn icmp_flow(upper: &[u8], v6: bool, whole: bool) -> Flow {
    let Some(head) = upper.first_chunk::<8>() else { return Flow::Other };
    let kind = head[0];
    let reply = match (v6, kind) {
        (true, icmp6::ECHO) => Some(icmp6::ECHO_REPLY),
        (false, icmp4::ECHO) => Some(icmp4::ECHO_REPLY),
        (false, icmp4::TIMESTAMP | icmp4::MASK) => Some(kind + 1),
        _ => None,
    };
    if let Some(reply) = reply {
        let echoes = matches!(kind, icmp6::ECHO | icmp4::ECHO);
        return Flow::IcmpQuery {
            v6,
            kind,
            reply,
            id: u16::from_be_bytes([head[4], head[5]]),
            seq: u16::from_be_bytes([head[6], head[7]]),
            data: if echoes { Some(Data { digest: digest(&upper[8..]), whole }) } else { None },
        };
    }
    match (v6, kind) {
        (true, icmp6::NEIGHBOR_SOLICITATION) => match target_of(upper) {
            Some(target) => Flow::Solicitation { target },
            None => Flow::Silent,
        },
        (true, icmp6::ROUTER_SOLICITATION) => Flow::RouterSolicitation,
        _ => Flow::Silent,
    }
}

/// The target address of a neighbour solicitation or advertisement, RFC 4861 §4.3, §4.4.
fn target_of(message: &[u8]) -> Option<Ipv6Addr> {
    message.get(8..24)?.first_chunk::<16>().map(|&octets| Ipv6Addr::from(octets))
}

/// FNV-1a of 64 bits, with the length: tells data apart, keeps none of it.
fn digest(bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64 ^ bytes.len() as u64;
    bytes.iter().fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Whether a datagram that is no ICMP error answers what was sent.
pub(super) fn answer(sent: &Sent, heard: &Datagram<'_>) -> Option<AnswerKind> {
    if let Some(question) = &sent.dhcp {
        return question.answer(heard).map(|data| AnswerKind::UdpReply { data });
    }
    if !is_between(sent, heard) {
        return None;
    }
    match sent.flow {
        Flow::Tcp { .. } => tcp_answer(&sent.flow, heard.upper),
        Flow::Udp { source_port, destination_port, .. } => {
            let (udp, data) = udp::View::split(heard.upper)?;
            let ours = udp.source_port() == destination_port && udp.destination_port() == source_port;
            ours.then_some(AnswerKind::UdpReply { data: data.len() })
        }
        Flow::IcmpQuery { .. } => icmp_answer(&sent.flow, heard.upper),
        Flow::Solicitation { target } => advert(target, heard.upper),
        Flow::RouterSolicitation => match heard.upper {
            [icmp6::ROUTER_ADVERTISEMENT, code, ..] => {
                Some(AnswerKind::IcmpReply { kind: icmp6::ROUTER_ADVERTISEMENT, code: *code })
            }
            _ => None,
        },
        Flow::Other => Some(AnswerKind::Other { protocol: heard.ends.protocol }),
        Flow::Arp { .. } | Flow::Silent => None,
    }
}

/// Whether a datagram that is no ICMP error goes from whom was asked to who asked, by the same protocol.
pub(super) fn is_between(sent: &Sent, heard: &Datagram<'_>) -> bool {
    let Some(ends) = sent.ip else { return false };
    let theirs = heard.ends;
    // A router solicitation and a question to many go to a group, and hosts answer with their own address.
    let from_asked = theirs.source == ends.destination || sent.to_many;
    let to_us =
        theirs.destination == ends.source || matches!(sent.flow, Flow::RouterSolicitation | Flow::Solicitation { .. });
    let same_protocol = theirs.protocol == ends.protocol;
    let solicited = matches!(sent.flow, Flow::Solicitation { .. });
    same_protocol && to_us && (from_asked || solicited)
}

/// RFC 9293 §3.10.7.2–3.10.7.3 and §3.5.2 read from the asker's side.
fn tcp_answer(flow: &Flow, upper: &[u8]) -> Option<AnswerKind> {
    let &Flow::Tcp { source_port, destination_port, seq, steps, flags, ack } = flow else { return None };
    let (tcp, _) = tcp::View::split(upper)?;
    if tcp.source_port() != destination_port || tcp.destination_port() != source_port {
        return None;
    }
    let theirs = tcp.flags();
    let (their_seq, their_ack) = (tcp.sequence().to_raw(), tcp.acknowledgment().to_raw());
    let acked = their_ack.wrapping_sub(seq);
    // Something of ours is acknowledged, and nothing beyond it.
    let acknowledges_ours = theirs.ack() && acked <= steps && (acked > 0 || steps == 0);
    if theirs.rst() {
        // A reset takes its sequence number from our ACK field, else acknowledges what we sent.
        let from_our_ack = flags.ack() && their_seq == ack;
        return (from_our_ack || acknowledges_ours).then_some(AnswerKind::Rst { flags: theirs });
    }
    let asked_syn = flags.syn() && !flags.ack();
    if theirs.syn() && theirs.ack() {
        return (asked_syn && acknowledges_ours).then_some(AnswerKind::SynAck { seq: their_seq, ack: their_ack });
    }
    let data = upper.len().saturating_sub(usize::from(tcp.data_offset()) * 4);
    let bare_ack = theirs.ack() && !theirs.fin() && data == 0;
    if asked_syn && bare_ack && !acknowledges_ours {
        return Some(AnswerKind::ChallengeAck { seq: their_seq, ack: their_ack });
    }
    // A SYN alone opens from the other side (§3.5, figure 7); other segments must be about what we sent.
    let about_ours = theirs.ack() && acked <= steps;
    let opens = theirs.syn() && asked_syn;
    (about_ours || opens).then_some(AnswerKind::Segment {
        flags: theirs,
        seq: their_seq,
        ack: their_ack,
        acknowledges: theirs.ack() && acked == steps,
        data,
    })
}

fn icmp_answer(flow: &Flow, upper: &[u8]) -> Option<AnswerKind> {
    let &Flow::IcmpQuery { reply, id, seq, data, .. } = flow else { return None };
    let head = upper.first_chunk::<8>()?;
    let their_id = u16::from_be_bytes([head[4], head[5]]);
    let their_seq = u16::from_be_bytes([head[6], head[7]]);
    if head[0] != reply || (their_id, their_seq) != (id, seq) {
        return None;
    }
    match data {
        // RFC 792, RFC 4443 §4.2: the data of the request comes back.
        Some(data) => (!data.whole || digest(&upper[8..]) == data.digest).then_some(AnswerKind::EchoReply {
            id,
            seq,
            data: upper.len() - 8,
        }),
        None => Some(AnswerKind::IcmpReply { kind: reply, code: head[1] }),
    }
}

/// RFC 4861 §4.4, §4.6.1: an advertisement for the target, and its link-layer address.
fn advert(target: Ipv6Addr, upper: &[u8]) -> Option<AnswerKind> {
    if upper.first() != Some(&icmp6::NEIGHBOR_ADVERTISEMENT) || target_of(upper)? != target {
        return None;
    }
    let mac = match upper.get(24..32) {
        Some(&[2, 1, a, b, c, d, e, f]) => Some(MacAddr([a, b, c, d, e, f])),
        _ => None,
    };
    Some(AnswerKind::NdpAdvert { address: target, mac })
}

/// Whether an ARP packet answers what was sent: RFC 826, the target's own reply to the sender.
pub(super) fn arp_answer(sent: &Sent, arp: &arp::View<'_>) -> Option<Match> {
    let Flow::Arp { sender, target } = sent.flow else { return None };
    let ours = arp.operation() == arp::REPLY && arp.sender_protocol() == target && arp.target_protocol() == sender;
    let kind = AnswerKind::ArpReply { address: target, mac: arp.sender_hardware() };
    ours.then(|| Match { kind, rewritten: Vec::new(), likeness: 0, is_whole: true, from: None })
}
