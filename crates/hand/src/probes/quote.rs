//! ICMP errors: whose packet do they quote?

use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_wire::{icmpv6, next, udp};

use super::answer::{IcmpError, Rewritten};
use super::flow::{Datagram, Ends, Flow, Sent, datagram};

/// Bytes of an ICMP error before the packet that it quotes.
const HEAD: usize = 8;

/// The error that a datagram is, and the packet quoted in it, as much as there is.
pub(super) fn error_of<'a>(heard: &Datagram<'a>) -> Option<(IcmpError, &'a [u8])> {
    let v6 = heard.ends.source.is_ipv6();
    let protocol = if v6 { next::protocol::ICMPV6 } else { next::protocol::ICMPV4 };
    let head = heard.upper.first_chunk::<HEAD>()?;
    let (kind, code) = (head[0], head[1]);
    let is_error = if v6 { kind < icmpv6::INFORMATIONAL_MIN } else { IcmpError::V4.contains(&kind) };
    if heard.ends.protocol != protocol || !is_error {
        return None;
    }
    let mtu = match (v6, kind, code) {
        (true, 2, _) => u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        (false, 3, 4) => u16::from_be_bytes([head[6], head[7]]).into(),
        _ => 0,
    };
    Some((IcmpError { v6, kind, code, mtu }, &heard.upper[HEAD..]))
}

/// A quoted packet that is a sent one.
pub(super) struct Found {
    /// What was rewritten on the way.
    pub(super) rewritten: Vec<Rewritten>,
    /// Bits that agree: of several packets of one flow, the one with the most is meant.
    pub(super) likeness: u32,
    /// Nothing could agree more.
    pub(super) is_whole: bool,
}

/// Whether a quoted packet is the sent one; if so, what was rewritten on the way.
///
/// Address translation changes addresses, ports, echo ids and checksums; what it leaves must still single the packet out.
/// Bits that would agree by chance: 32 of a sequence number, 16 each of identification, ports and echo numbers.
pub(super) fn is_of(sent: &Sent, quoted: &[u8]) -> Option<Found> {
    let ends = sent.ip?;
    let quoted = datagram(quoted)?;
    if quoted.ends.protocol != ends.protocol || quoted.ends.source.is_ipv6() != ends.source.is_ipv6() {
        return None;
    }
    let mut tally = Tally::default();
    tally.compare(quoted.ends.source == ends.source, 16, Rewritten::Source);
    tally.compare(quoted.ends.destination == ends.destination, 16, Rewritten::Destination);
    if ends.identification != 0 || quoted.ends.identification != 0 {
        tally.compare(quoted.ends.identification == ends.identification, 16, Rewritten::Identification);
    }
    compare_upper(&mut tally, sent, quoted.upper)?;
    let same_sum = same_udp_sum(&ends, &sent.flow, &quoted);
    let likeness = tally.bits + if same_sum == Some(true) { SUM_BITS } else { 0 };
    let is_whole = tally.rewritten.is_empty() && same_sum != Some(false);
    (tally.bits >= enough(&ends, &sent.flow)).then_some(Found { rewritten: tally.rewritten, likeness, is_whole })
}

/// What a UDP checksum tells: it is no evidence that a packet is ours, but of which one among those with the same ports.
const SUM_BITS: u32 = 16;

/// Whether the UDP checksum in a quote is the one that was sent, as it is with the addresses and ports in the quote: who
/// translates them corrects it (RFC 3022 §4.2). `None`: it is no UDP.
fn same_udp_sum(ends: &Ends, flow: &Flow, quoted: &Datagram<'_>) -> Option<bool> {
    let &Flow::Udp { source_port, destination_port, sum, .. } = flow else { return None };
    let Some((udp, _)) = udp::View::split(quoted.upper) else { return Some(false) };
    let words = |source: IpAddr, destination: IpAddr, ports: [u16; 2]| {
        let words = [address_sum(source), address_sum(destination), ports[0].into(), ports[1].into()];
        words.into_iter().sum::<u64>()
    };
    let before = words(ends.source, ends.destination, [source_port, destination_port]);
    let after = words(quoted.ends.source, quoted.ends.destination, [udp.source_port(), udp.destination_port()]);
    // RFC 1624 §3, in whole ones' complement numbers: what is stored is the complement of the sum.
    let ones = u64::from(u16::MAX);
    Some((u64::from(!sum) + after) % ones == (u64::from(!udp.checksum()) + before) % ones)
}

/// The words of an address, added.
fn address_sum(address: IpAddr) -> u64 {
    let words = |bits: u128| (0..8).map(|word| u64::from((bits >> (16 * word)) as u16)).sum();
    match address {
        IpAddr::V4(v4) => words(v4.to_bits().into()),
        IpAddr::V6(v6) => words(v6.to_bits()),
    }
}

/// Bits of evidence, and what speaks against.
#[derive(Default)]
struct Tally {
    bits: u32,
    same_identification: bool,
    rewritten: Vec<Rewritten>,
}

impl Tally {
    fn compare(&mut self, same: bool, bits: u32, field: Rewritten) {
        if same {
            self.bits += bits;
            self.same_identification |= field == Rewritten::Identification;
        } else {
            self.rewritten.push(field);
        }
    }
}

/// How many bits must agree: both addresses and both ports, or as much by other fields.
const ENOUGH: u32 = 64;

/// What the first bytes behind an IP header count when they all agree.
const HEAD_BITS: u32 = 16;

/// A packet of an unknown kind needs its whole IP header and its first bytes.
fn enough(ends: &Ends, flow: &Flow) -> u32 {
    match flow {
        Flow::Tcp { .. } | Flow::Udp { .. } | Flow::IcmpQuery { .. } => ENOUGH,
        _ if ends.identification != 0 => 48 + HEAD_BITS,
        _ => 32 + HEAD_BITS,
    }
}

/// Compares what stands behind the IP header. `None`: it is certainly another packet.
fn compare_upper(tally: &mut Tally, sent: &Sent, upper: &[u8]) -> Option<()> {
    let word = |at: usize| upper.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    match sent.flow {
        Flow::Tcp { source_port, destination_port, seq, .. } => {
            let ports = ports(tally, upper, source_port, destination_port)?;
            // The first eight bytes behind the header are always quoted (RFC 792): the sequence number is there.
            let quoted_seq = upper.get(4..8).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
            match quoted_seq {
                Some(quoted) if quoted == seq => tally.bits += 32,
                // Sequence numbers are rewritten by some firewalls; with another port it is another segment.
                Some(_) if ports == 2 && tally.same_identification => {
                    tally.rewritten.push(Rewritten::Sequence);
                }
                Some(_) => return None,
                None => {}
            }
        }
        Flow::Udp { source_port, destination_port, length, .. } => {
            let ports = ports(tally, upper, source_port, destination_port)?;
            let same_length = word(4) == Some(length);
            match (ports, same_length) {
                (_, true) => tally.bits += 8,
                (2, false) => {}
                _ => return None,
            }
        }
        Flow::IcmpQuery { kind, id, seq, .. } => {
            let same_kind = upper.first() == Some(&kind);
            let same_seq = word(6).is_none_or(|quoted| quoted == seq);
            if !same_kind || !same_seq {
                return None;
            }
            tally.bits += 16;
            tally.compare(word(4).is_none_or(|quoted| quoted == id), 16, Rewritten::SourcePort);
        }
        _ => {
            let len = sent.head.len().min(upper.len());
            if sent.head[..len] != upper[..len] {
                return None;
            }
            tally.bits += HEAD_BITS;
        }
    }
    Some(())
}

/// Compares the two ports; says how many agree. `None` when neither is quoted or neither agrees.
fn ports(tally: &mut Tally, upper: &[u8], source: u16, destination: u16) -> Option<u32> {
    let bytes = upper.first_chunk::<4>()?;
    let same_source = u16::from_be_bytes([bytes[0], bytes[1]]) == source;
    let same_destination = u16::from_be_bytes([bytes[2], bytes[3]]) == destination;
    tally.compare(same_source, 16, Rewritten::SourcePort);
    tally.compare(same_destination, 16, Rewritten::DestinationPort);
    let agree = u32::from(same_source) + u32::from(same_destination);
    (agree > 0).then_some(agree)
}
