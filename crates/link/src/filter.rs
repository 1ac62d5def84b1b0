//! What a receiver wants, as a program of classic BPF: foreign packets are dropped in the kernel and wake nobody.
//!
//! A filter spares work; it decides nothing. What passes is matched again by whoever asked, so a filter may let too much
//! through (an IPv6 extension header before the transport header on a packet socket: everything to that host passes).

use core::net::IpAddr;

use crate::sys::Instruction;

/// Which packets are wanted: those that any of its parts lets through. No parts: all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    parts: Vec<Wanted>,
}

/// One kind of packet that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// From this host; `None`: from anybody.
    pub source: Option<IpAddr>,
    /// To this host; `None`: to anybody.
    pub destination: Option<IpAddr>,
    /// What is in it.
    pub what: What,
}

/// What is in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Every IP packet.
    Ip,
    /// Anything of an IP protocol.
    Protocol(u8),
    /// TCP, to and from these ports; `None`: any.
    Tcp {
        /// The port it comes from.
        source_port: Option<u16>,
        /// The port it goes to.
        destination_port: Option<u16>,
    },
    /// UDP, to and from these ports; `None`: any.
    Udp {
        /// The port it comes from.
        source_port: Option<u16>,
        /// The port it goes to.
        destination_port: Option<u16>,
    },
    /// Echo replies (of the family of the socket or of the hosts) with this identifier.
    EchoReply {
        /// The identifier.
        id: u16,
    },
    /// The ICMP or ICMPv6 messages that quote a packet: unreachable, too big, time exceeded, parameter problem, source
    /// quench, redirect.
    IcmpErrors,
    /// Every frame with this EtherType (on packet sockets): 0x0806 is ARP.
    EtherType(u16),
}

impl Filter {
    /// Everything.
    #[must_use]
    pub const fn all() -> Self {
        Self { parts: Vec::new() }
    }

    /// What any of `parts` describes; at most [`PARTS_MAX`] of them, more are everything.
    #[must_use]
    pub fn any_of(parts: &[Wanted]) -> Self {
        Self { parts: if parts.len() > PARTS_MAX { Vec::new() } else { parts.to_vec() } }
    }

    /// The program for a raw IP socket, whose bytes begin with the IPv4 header or behind the IPv6 header.
    pub(crate) fn for_raw_socket(&self, is_ipv6: bool) -> Option<Vec<Instruction>> {
        let place = if is_ipv6 { Place::BehindIpv6 } else { Place::Ipv4 };
        self.program(&[place])
    }

    /// The program for a packet socket whose frames have `link_len` bytes of link header (14 on Ethernet, 0 on TUN).
    pub(crate) fn for_packet_socket(&self, link_len: u32) -> Option<Vec<Instruction>> {
        self.program(&[Place::FrameIpv4(link_len), Place::FrameIpv6(link_len), Place::Frame])
    }

    /// The program that lets everything through.
    pub(crate) fn everything() -> Vec<Instruction> {
        vec![statement(RETURN, u32::MAX)]
    }

    fn program(&self, places: &[Place]) -> Option<Vec<Instruction>> {
        if self.parts.is_empty() {
            return None;
        }
        let mut program = Vec::new();
        for part in &self.parts {
            for place in places {
                program.extend(block(part, *place));
            }
        }
        program.push(statement(RETURN, 0));
        Some(program)
    }
}

/// How many parts a filter may have: at 2 × 20 instructions a part this stays far below the kernel's 4,096.
pub const PARTS_MAX: usize = 64;

impl Wanted {
    /// This from anybody to anybody.
    #[must_use]
    pub const fn anywhere(what: What) -> Self {
        Self { source: None, destination: None, what }
    }
}

/// Where the headers stand in the bytes that the program sees.
#[derive(Clone, Copy)]
enum Place {
    /// The IPv4 header at 0.
    Ipv4,
    /// The IPv6 header is before the bytes, and reached by the kernel's offset for network headers.
    BehindIpv6,
    /// A frame with an IPv4 packet behind a link header of this length.
    FrameIpv4(u32),
    /// A frame with an IPv6 packet behind a link header of this length.
    FrameIpv6(u32),
    /// A frame of any kind.
    Frame,
}

// linux/bpf_common.h and linux/filter.h.
const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF_AT_X: u16 = 0x48;
const LOAD_BYTE_AT_X: u16 = 0x50;
const LOAD_X_HEADER_LEN: u16 = 0xb1;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_BITS: u16 = 0x45;
const RETURN: u16 = 0x06;
/// `SKF_AD_OFF + SKF_AD_PROTOCOL`: the EtherType, whatever the link.
const ETHER_TYPE: u32 = 0xffff_f000;
/// `SKF_NET_OFF`: counted from the network header.
const NETWORK: u32 = 0xfff0_0000;

/// ICMP and ICMPv6 messages that quote a packet.
const ICMP_ERRORS: &[u8] = &[3, 4, 5, 11, 12];
const ICMPV6_ERRORS: &[u8] = &[1, 2, 3, 4, 137];

const fn statement(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

/// The instructions of one part in one place. Each comparison that fails goes to the end of the block; whoever comes to
/// the last instruction is let through. Empty where the part cannot be in this place.
fn block(wanted: &Wanted, place: Place) -> Vec<Instruction> {
    let mut block = Block { code: Vec::new() };
    let possible = match (place, wanted.what) {
        (Place::Frame, What::EtherType(ether_type)) => {
            block.compare(LOAD_HALF, ETHER_TYPE, ether_type.into());
            true
        }
        (Place::Frame, _) | (_, What::EtherType(_)) => false,
        _ => block.ip(wanted, place),
    };
    if possible { block.finish() } else { Vec::new() }
}

struct Block {
    code: Vec<Instruction>,
}

impl Block {
    fn ip(&mut self, wanted: &Wanted, place: Place) -> bool {
        let is_ipv6 = matches!(place, Place::BehindIpv6 | Place::FrameIpv6(_));
        let hosts = [wanted.source, wanted.destination];
        if hosts.iter().flatten().any(|host| host.is_ipv6() != is_ipv6) {
            return false;
        }
        let (network, transport) = match place {
            Place::Ipv4 | Place::Frame => (0, None),
            Place::BehindIpv6 => (NETWORK, Some(0)),
            Place::FrameIpv4(link) => (link, None),
            Place::FrameIpv6(link) => (link, Some(link + 40)),
        };
        if matches!(place, Place::FrameIpv4(_) | Place::FrameIpv6(_)) {
            self.compare(LOAD_HALF, ETHER_TYPE, if is_ipv6 { 0x86dd } else { 0x0800 });
        }
        let (protocol_at, source_at, destination_at) = if is_ipv6 { (6, 8, 24) } else { (9, 12, 16) };
        // A raw IPv6 socket sees its own protocol only, and not behind which extension header.
        if let (Some(protocol), false) = (protocol(wanted.what, is_ipv6), matches!(place, Place::BehindIpv6)) {
            self.compare(LOAD_BYTE, network + protocol_at, protocol.into());
        }
        for (host, at) in hosts.into_iter().zip([source_at, destination_at]) {
            match host {
                Some(IpAddr::V4(host)) => self.compare(LOAD_WORD, network + at, host.to_bits()),
                Some(IpAddr::V6(host)) => {
                    for (i, word) in (0u32..).zip(words(host.octets())) {
                        self.compare(LOAD_WORD, network + at + 4 * i, word);
                    }
                }
                None => {}
            }
        }
        self.transport(wanted.what, network, transport, is_ipv6);
        true
    }

    /// What stands behind the IP header: at `transport`, or where the IPv4 header's length says.
    fn transport(&mut self, what: What, network: u32, transport: Option<u32>, is_ipv6: bool) {
        if matches!(what, What::Ip | What::Protocol(_)) {
            return;
        }
        if transport.is_none() {
            // Only the first fragment has a transport header: the offset is in the low 13 bits.
            self.code.push(statement(LOAD_HALF, network + 6));
            self.code.push(Instruction { code: JUMP_IF_BITS, jt: FAIL, jf: 0, k: 0x1fff });
            self.code.push(statement(LOAD_X_HEADER_LEN, network));
        }
        let (half, byte, at) = match transport {
            Some(at) => (LOAD_HALF, LOAD_BYTE, at),
            None => (LOAD_HALF_AT_X, LOAD_BYTE_AT_X, network),
        };
        match what {
            What::Tcp { source_port, destination_port } | What::Udp { source_port, destination_port } => {
                for (port, offset) in [(source_port, 0), (destination_port, 2)] {
                    if let Some(port) = port {
                        self.compare(half, at + offset, port.into());
                    }
                }
            }
            What::EchoReply { id } => {
                self.compare(byte, at, if is_ipv6 { 129 } else { 0 });
                self.compare(half, at + 4, id.into());
            }
            What::IcmpErrors => self.compare_any(byte, at, if is_ipv6 { ICMPV6_ERRORS } else { ICMP_ERRORS }),
            What::Ip | What::Protocol(_) | What::EtherType(_) => {}
        }
    }

    fn compare(&mut self, load: u16, at: u32, value: u32) {
        self.code.push(statement(load, at));
        self.code.push(Instruction { code: JUMP_IF_EQUAL, jt: 0, jf: FAIL, k: value });
    }

    fn compare_any(&mut self, load: u16, at: u32, values: &[u8]) {
        self.code.push(statement(load, at));
        for (i, value) in (1u8..).zip(values) {
            // How many comparisons are left to jump over; the last one fails for all.
            let left = u8::try_from(values.len()).unwrap_or(u8::MAX) - i;
            let jf = if left == 0 { FAIL } else { 0 };
            self.code.push(Instruction { code: JUMP_IF_EQUAL, jt: left, jf, k: (*value).into() });
        }
    }

    /// Ends the block: what comes here is let through whole; what failed jumps behind it.
    fn finish(mut self) -> Vec<Instruction> {
        self.code.push(statement(RETURN, u32::MAX));
        let len = self.code.len();
        for (i, instruction) in self.code.iter_mut().enumerate() {
            if !matches!(instruction.code, JUMP_IF_EQUAL | JUMP_IF_BITS) {
                continue;
            }
            // A block has at most 2 × (2 + 8 + 4) instructions, so the distance fits.
            let to_end = u8::try_from(len - i - 1).unwrap_or(u8::MAX);
            for target in [&mut instruction.jt, &mut instruction.jf] {
                if *target == FAIL {
                    *target = to_end;
                }
            }
        }
        self.code
    }
}

/// A jump to the end of the block, until its length is known.
const FAIL: u8 = u8::MAX;

/// The protocol that stands in the IP header; `None`: any.
const fn protocol(what: What, is_ipv6: bool) -> Option<u8> {
    Some(match what {
        What::Ip | What::EtherType(_) => return None,
        What::Protocol(protocol) => protocol,
        What::Tcp { .. } => 6,
        What::Udp { .. } => 17,
        What::EchoReply { .. } | What::IcmpErrors if is_ipv6 => 58,
        What::EchoReply { .. } | What::IcmpErrors => 1,
    })
}

fn words(octets: [u8; 16]) -> [u32; 4] {
    let all = u128::from_be_bytes(octets);
    // Each shift leaves the wanted 32 bits at the bottom.
    [96, 64, 32, 0].map(|shift| (all >> shift) as u32)
}

#[cfg(test)]
mod tests;
