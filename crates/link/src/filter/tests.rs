//! Programs run by a small interpreter of classic BPF, on packets that should pass and on such that should not.

use super::*;

/// What the kernel gives a program: memory, where the socket's bytes begin in it, where the network header begins.
struct Given<'a> {
    memory: &'a [u8],
    data: usize,
    network: usize,
    ether_type: u16,
}

impl Given<'_> {
    fn load(&self, k: u32, size: usize) -> Option<u32> {
        let at = if k >= NETWORK { self.network + (k - NETWORK) as usize } else { self.data + k as usize };
        Some(self.memory.get(at..at + size)?.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    fn passes(&self, program: &[Instruction]) -> bool {
        let (mut a, mut x, mut at) = (0u32, 0u32, 0);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            at += 1;
            let loaded = match code {
                LOAD_HALF if k == ETHER_TYPE => Some(self.ether_type.into()),
                LOAD_WORD => self.load(k, 4),
                LOAD_HALF => self.load(k, 2),
                LOAD_BYTE => self.load(k, 1),
                LOAD_HALF_AT_X => self.load(k + x, 2),
                LOAD_BYTE_AT_X => self.load(k + x, 1),
                LOAD_X_HEADER_LEN => {
                    let Some(byte) = self.load(k, 1) else { return false };
                    x = (byte & 15) * 4;
                    continue;
                }
                JUMP_IF_EQUAL | JUMP_IF_BITS => {
                    let holds = if code == JUMP_IF_EQUAL { a == k } else { a & k != 0 };
                    at += usize::from(if holds { jt } else { jf });
                    continue;
                }
                RETURN => return k != 0,
                other => panic!("instruction {other:#x}"),
            };
            // A load past the end drops the packet.
            let Some(value) = loaded else { return false };
            a = value;
        }
    }
}

fn v4(protocol: u8, options: usize, fragment: u16, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 20 + options];
    packet[0] = 0x45 + u8::try_from(options / 4).unwrap();
    packet[6..8].copy_from_slice(&fragment.to_be_bytes());
    packet[9] = protocol;
    packet[12..16].copy_from_slice(&[192, 0, 2, 2]);
    packet[16..20].copy_from_slice(&[192, 0, 2, 1]);
    packet.extend(rest);
    packet
}

fn v6(protocol: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 40];
    packet[0] = 0x60;
    packet[6] = protocol;
    packet[8..24].copy_from_slice(&host6(2));
    packet[24..40].copy_from_slice(&host6(1));
    packet.extend(rest);
    packet
}

fn host6(last: u8) -> [u8; 16] {
    let mut octets = [0; 16];
    octets[..4].copy_from_slice(&[0x20, 1, 0xd, 0xb8]);
    octets[15] = last;
    octets
}

fn frame(ether_type: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend(ether_type.to_be_bytes());
    frame.extend(packet);
    frame
}

/// Whether the filter lets this packet through: on Ethernet, on TUN, and on a raw socket of its protocol; all agree.
fn lets_through(filter: &Filter, packet: &[u8]) -> bool {
    let is_ipv6 = packet[0] >> 4 == 6;
    let ether_type = if is_ipv6 { 0x86dd } else { 0x0800 };
    let framed = frame(ether_type, packet);
    let ethernet = Given { memory: &framed, data: 0, network: 14, ether_type };
    let tun = Given { memory: packet, data: 0, network: 0, ether_type };
    let raw = Given { memory: packet, data: if is_ipv6 { 40 } else { 0 }, network: 0, ether_type };
    let by_frame = ethernet.passes(&filter.for_packet_socket(14).unwrap());
    assert_eq!(by_frame, tun.passes(&filter.for_packet_socket(0).unwrap()), "TUN and Ethernet");
    // A raw IPv6 socket is given its own protocol only, so its program does not look at it.
    let own = packet[if is_ipv6 { 6 } else { 9 }];
    let is_own = filter.parts.iter().all(|part| protocol(part.what, is_ipv6).is_none_or(|protocol| protocol == own));
    if is_own {
        assert_eq!(by_frame, raw.passes(&filter.for_raw_socket(is_ipv6).unwrap()), "raw and packet sockets");
    }
    by_frame
}

const PORTS: [u8; 20] = [0, 80, 0x9c, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x12, 0, 0, 0, 0, 0, 0];

#[test]
fn a_conversation_is_told_by_hosts_and_ports() {
    let what = What::Tcp { source_port: Some(80), destination_port: Some(40_000) };
    for is_ipv6 in [false, true] {
        let hosts: [IpAddr; 2] =
            if is_ipv6 { [host6(2).into(), host6(1).into()] } else { [[192, 0, 2, 2].into(), [192, 0, 2, 1].into()] };
        let build = |protocol, rest: &[u8]| if is_ipv6 { v6(protocol, rest) } else { v4(protocol, 0, 0, rest) };
        let wanted = |source, destination| Filter::any_of(&[Wanted { source, destination, what }]);
        let filter = wanted(Some(hosts[0]), Some(hosts[1]));
        assert!(lets_through(&filter, &build(6, &PORTS)));
        assert!(!lets_through(&filter, &build(17, &PORTS)), "another protocol");
        let mut other = PORTS;
        other[3] = 0x41;
        assert!(!lets_through(&filter, &build(6, &other)), "another destination port");
        assert!(!lets_through(&wanted(Some(hosts[1]), None), &build(6, &PORTS)), "another source");
        assert!(!lets_through(&wanted(None, Some(hosts[0])), &build(6, &PORTS)), "another destination");
        assert!(!lets_through(&filter, &build(6, &PORTS[..3])), "cut off");
    }
}

#[test]
fn ipv4_options_move_the_ports_and_later_fragments_have_none() {
    let what = What::Udp { source_port: None, destination_port: Some(40_000) };
    let filter = Filter::any_of(&[Wanted::anywhere(what)]);
    assert!(lets_through(&filter, &v4(17, 0, 0, &PORTS)));
    assert!(lets_through(&filter, &v4(17, 8, 0, &PORTS)));
    assert!(lets_through(&filter, &v4(17, 0, 0x2000, &PORTS)), "the first fragment");
    assert!(!lets_through(&filter, &v4(17, 0, 0x00b9, &PORTS)));
}

#[test]
fn echo_replies_are_told_by_their_identifier() {
    let filter = Filter::any_of(&[Wanted::anywhere(What::EchoReply { id: 0x1234 })]);
    assert!(lets_through(&filter, &v4(1, 0, 0, &[0, 0, 0, 0, 0x12, 0x34, 0, 1])));
    assert!(!lets_through(&filter, &v4(1, 0, 0, &[0, 0, 0, 0, 0x12, 0x35, 0, 1])));
    assert!(!lets_through(&filter, &v4(1, 0, 0, &[8, 0, 0, 0, 0x12, 0x34, 0, 1])), "a request");
    assert!(lets_through(&filter, &v6(58, &[129, 0, 0, 0, 0x12, 0x34, 0, 1])));
    assert!(!lets_through(&filter, &v6(58, &[128, 0, 0, 0, 0x12, 0x34, 0, 1])), "a request");
}

#[test]
fn errors_pass_and_other_icmp_does_not() {
    let filter = Filter::any_of(&[Wanted::anywhere(What::IcmpErrors)]);
    for kind in 0..=255u8 {
        let v4_passes = lets_through(&filter, &v4(1, 0, 0, &[kind, 0, 0, 0, 0, 0, 0, 0]));
        assert_eq!(v4_passes, ICMP_ERRORS.contains(&kind), "ICMP {kind}");
        let v6_passes = lets_through(&filter, &v6(58, &[kind, 0, 0, 0, 0, 0, 0, 0]));
        assert_eq!(v6_passes, ICMPV6_ERRORS.contains(&kind), "ICMPv6 {kind}");
    }
}

#[test]
fn every_packet_for_a_host_passes_whatever_it_carries() {
    let to = |destination| Filter::any_of(&[Wanted { destination, ..Wanted::anywhere(What::Ip) }]);
    for protocol in [0, 1, 6, 17, 44, 47, 58, 132, 255] {
        for packet in [v4(protocol, 8, 0x00b9, &PORTS), v6(protocol, &PORTS)] {
            let is_ipv6 = packet[0] >> 4 == 6;
            let [own, other]: [IpAddr; 2] = if is_ipv6 {
                [1, 2].map(|host| host6(host).into())
            } else {
                [1, 2].map(|host| [192, 0, 2, host].into())
            };
            assert!(lets_through(&to(Some(own)), &packet), "{own} {protocol}");
            assert!(!lets_through(&to(Some(other)), &packet), "{other} {protocol}");
            assert!(lets_through(&to(None), &packet), "{protocol}");
        }
    }
}

#[test]
fn any_of_several_parts_is_enough() {
    let filter = Filter::any_of(&[
        Wanted::anywhere(What::Tcp { source_port: Some(80), destination_port: None }),
        Wanted::anywhere(What::IcmpErrors),
        Wanted::anywhere(What::EtherType(0x0806)),
    ]);
    assert!(lets_through(&filter, &v4(6, 0, 0, &PORTS)));
    assert!(lets_through(&filter, &v4(1, 0, 0, &[3; 8])));
    assert!(!lets_through(&filter, &v4(17, 0, 0, &PORTS)));
    let program = filter.for_packet_socket(14).unwrap();
    for (ether_type, want) in [(0x0806, true), (0x88cc, false)] {
        let framed = frame(ether_type, &[0; 28]);
        assert_eq!(Given { memory: &framed, data: 0, network: 14, ether_type }.passes(&program), want);
    }
}

#[test]
fn nothing_wanted_in_particular_is_everything() {
    assert_eq!(Filter::all().for_raw_socket(false), None);
    let many = [Wanted::anywhere(What::Protocol(1)); PARTS_MAX + 1];
    assert_eq!(Filter::any_of(&many), Filter::all());
    let most = Filter::any_of(&many[..PARTS_MAX]).for_packet_socket(14).unwrap();
    assert!(most.len() <= crate::sys::filter_program::PROGRAM_LEN_MAX);
}
