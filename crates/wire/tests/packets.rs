//! Packets written by hand, 32 bits a row as in the RFCs' drawings, read through every parser.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wirewright_wire::icmpv6::ndp::{self, NdpOption};
use wirewright_wire::next::protocol;
use wirewright_wire::tcp::{Flags, OptionsBuf, SackBlock, TcpOption, Timestamps};
use wirewright_wire::{
    Layer, LimitedBy, MacAddr, SeqLen, SeqNum, WindowField, WindowScale, arp, checksum, ethernet, icmpv4, icmpv6, ipv4,
    ipv6, quote, tcp, udp, vlan,
};

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// Reads rows of hexadecimal digits; what stands behind `;` in a row is a remark.
fn hex(rows: &str) -> Vec<u8> {
    let digits = |row: &str| row.split(';').next().unwrap_or("").chars().filter(char::is_ascii_hexdigit).collect();
    let text: String = rows.lines().map::<String, _>(digits).collect();
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("two digits a byte"))
        .collect()
}

fn syn() -> Vec<u8> {
    hex("45 b8 00 3c    ; version 4, IHL 5, EF, total length 60
         d4 31 40 00    ; id 54321, DF
         40 06 e1 ce    ; TTL 64, TCP, checksum
         c0 00 02 01
         c0 00 02 02
         9c 40 00 50    ; 40000 to 80
         01 02 03 04    ; sequence number
         00 00 00 00
         a0 02 fa f0    ; data offset 10, SYN, window 64240
         28 6e 00 00
         02 04 05 b4    ; MSS 1460
         04 02 08 0a    ; SACK permitted, timestamps
         00 00 00 07
         00 00 00 00
         01 03 03 07    ; NOP, window scale 7")
}

#[test]
fn ipv4_and_a_tcp_syn() {
    let bytes = syn();
    let packet = ipv4::parse(&bytes).unwrap();
    let ip = packet.header;
    assert_eq!((ip.version(), ip.ihl(), ip.tos(), ip.total_length(), ip.identification()), (4, 5, 0xb8, 60, 54321));
    assert_eq!((ip.evil(), ip.df(), ip.mf(), ip.fragment_offset()), (false, true, false, 0));
    assert_eq!((ip.ttl(), ip.protocol(), ip.source(), ip.destination()), (64, 6, A, B));
    assert!(checksum::verify(&bytes[..20]) && packet.options.is_empty());

    let segment = tcp::parse(packet.payload).unwrap();
    let h = segment.header;
    assert_eq!((h.source_port(), h.destination_port()), (40_000, 80));
    assert_eq!((h.sequence(), h.acknowledgment()), (SeqNum::new(0x0102_0304), SeqNum::new(0)));
    assert_eq!((h.data_offset(), h.reserved(), h.flags(), h.urgent()), (10, 0, Flags::SYN, 0));
    assert_eq!(h.window(), WindowField::new(64_240));
    assert!(checksum::pseudo_v4(A, B, protocol::TCP, 40).add(packet.payload).is_right());

    let options: Vec<_> = segment.options().collect::<Result<_, _>>().unwrap();
    let expected = [
        TcpOption::MaximumSegmentSize(1460),
        TcpOption::SackPermitted,
        TcpOption::Timestamps(Timestamps { value: 7, echo: 0 }),
        TcpOption::NoOperation,
        TcpOption::WindowScale(7),
    ];
    assert_eq!(options, expected);
}

#[test]
fn the_same_syn_written_by_values() {
    let mut options = OptionsBuf::new();
    assert!(options.mss(1460) && options.sack_permitted_and_timestamps(Timestamps { value: 7, echo: 0 }));
    assert!(options.window_scale(WindowScale::new(7).unwrap()));
    let header = tcp::Header {
        source_port: 40_000,
        destination_port: 80,
        sequence: SeqNum::new(0x0102_0304),
        data_offset: 10,
        checksum: 0x286e,
        ..tcp::Header::default()
    };
    let segment = [&header.to_bytes()[..], options.as_bytes()].concat();
    assert_eq!(segment, syn()[20..]);
}

#[test]
fn every_tcp_flag_has_its_own_bit() {
    // RFC 9293 §3.1, and RFC 9768 for AE: bits 7 to 15 of the fourth row.
    let order =
        [Flags::AE, Flags::CWR, Flags::ECE, Flags::URG, Flags::ACK, Flags::PSH, Flags::RST, Flags::SYN, Flags::FIN];
    for (i, flag) in order.into_iter().enumerate() {
        let mut header = [0; tcp::LEN];
        tcp::ViewMut::new(&mut header).flags(flag);
        assert_eq!(u16::from_be_bytes([header[12], header[13]]), 0x0100 >> i, "{flag}");
        assert_eq!(tcp::View::new(&header).flags(), flag);
        assert!(flag.contains(flag) && !flag.intersects(!flag) && !Flags::NONE.contains(flag));
    }
    assert_eq!((Flags::SYN | Flags::ACK).to_string(), "SA");
    assert_eq!(Flags::ALL.to_string(), "FSRPAUEWe");
    assert_eq!(
        (Flags::NONE.to_string(), (Flags::FIN | Flags::ACK | Flags::PSH).to_string()),
        ("none".into(), "FPA".into())
    );
    assert_eq!(Flags::new(0xffff), Flags::ALL);
    assert_eq!(tcp::Header::default().flags, Flags::SYN);
}

#[test]
fn sequence_numbers_wrap_in_headers_too() {
    for start in [0, 1 << 31, u32::MAX] {
        let mut header = [0; tcp::LEN];
        let next = SeqNum::new(start) + SeqLen::ONE;
        tcp::ViewMut::new(&mut header).sequence(SeqNum::new(start)).acknowledgment(next);
        let view = tcp::View::new(&header);
        assert_eq!(view.acknowledgment().since(view.sequence()), SeqLen::ONE);
        assert!(view.sequence().before(view.acknowledgment()));
        assert_eq!(header[4..8], start.to_be_bytes());
    }
}

#[test]
fn a_sack_tells_its_blocks_in_their_order() {
    for start in [0, 1 << 31, u32::MAX] {
        let at = |n| SeqNum::new(start) + SeqLen::new(n);
        let blocks = [
            SackBlock { left: at(3000), right: at(4000) },
            SackBlock { left: at(1000), right: at(2000) },
            SackBlock { left: at(5000), right: at(5001) },
            SackBlock { left: at(7000), right: at(7001) },
        ];
        // Timestamps leave room for three blocks (RFC 2018 §3).
        let mut options = OptionsBuf::new();
        assert!(options.timestamps(Timestamps { value: 1, echo: 2 }));
        assert_eq!(options.sack(&blocks), 3);
        assert_eq!((options.len(), options.room(), options.sack(&blocks)), (40, 0, 0));
        let read: Vec<_> = tcp::options(options.as_bytes()).collect::<Result<_, _>>().unwrap();
        let Some(TcpOption::Sack(sack)) = read.last() else { panic!("no SACK in {read:?}") };
        assert_eq!(sack.iter().collect::<Vec<_>>(), blocks[..3]);
        assert_eq!((sack.len(), sack.is_empty()), (3, false));

        let mut alone = OptionsBuf::new();
        assert_eq!((alone.sack(&blocks), alone.len()), (4, 36));
        assert_eq!(OptionsBuf::new().sack(&[]), 0);
    }
}

#[test]
fn options_that_do_not_fit_are_left_out_whole() {
    let mut options = OptionsBuf::new();
    assert!(options.is_empty() && options.raw(254, &[7; 30]));
    assert_eq!((options.len(), options.room()), (32, 8));
    assert!(!options.timestamps(Timestamps::default()) && !options.raw(253, &[0; 300]));
    assert!(options.mss(536) && options.sack_permitted() && !options.mss(536));
    assert_eq!(options.as_bytes()[..2], [254, 32]);
    let read: Vec<_> = tcp::options(options.as_bytes()).collect::<Result<_, _>>().unwrap();
    assert_eq!(read[0], TcpOption::Unknown { kind: 254, value: &[7; 30] });
    assert_eq!(
        read[1..],
        [TcpOption::MaximumSegmentSize(536), TcpOption::NoOperation, TcpOption::NoOperation, TcpOption::SackPermitted]
    );
}

#[test]
fn a_bad_option_ends_the_list_with_one_error() {
    let fault = |bytes: &[u8]| {
        let all: Vec<_> = tcp::options(bytes).collect();
        assert!(all[..all.len() - 1].iter().all(Result::is_ok), "{all:?}");
        let error = all.last().unwrap().unwrap_err();
        (error.layer, error.offset, error.need, error.have, error.limited_by)
    };
    assert_eq!(fault(&[1, 2]), (Layer::TcpOption, 1, 2, 1, LimitedBy::LowerLength));
    assert_eq!(fault(&[1, 1, 2, 0]), (Layer::TcpOption, 3, 2, 0, LimitedBy::OwnLength));
    assert_eq!(fault(&[8, 10, 0, 0]), (Layer::TcpOption, 1, 10, 4, LimitedBy::LowerLength));
    // A known kind of a foreign length is not that option; and nothing behind the end of the list is read.
    let odd = [2, 3, 9, 3, 4, 7, 7, 5, 9, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0, 9, 9];
    let read: Vec<_> = tcp::options(&odd).collect::<Result<_, _>>().unwrap();
    assert_eq!(
        read,
        [
            TcpOption::Unknown { kind: 2, value: &[9] },
            TcpOption::Unknown { kind: 3, value: &[7, 7] },
            TcpOption::Unknown { kind: 5, value: &[0; 7] },
            TcpOption::Unknown { kind: 5, value: &[] },
            TcpOption::EndOfList,
        ]
    );
}

fn tagged_query() -> Vec<u8> {
    hex("02 02 02 02 02 02
         04 04 04 04 04 04
         81 00
         b0 64          ; priority 5, drop eligible, VLAN 100
         08 00
         45 00 00 39
         00 01 00 00
         40 11 f6 af
         c0 00 02 01
         c0 00 02 02
         c3 50 00 35    ; 50000 to 53
         00 25 ce 5a    ; length 37
         12 34 01 00 00 01 00 00 00 00 00 00
         03 77 77 77 07 65 78 61 6d 70 6c 65 00 00 01 00 01")
}

#[test]
fn ethernet_a_vlan_tag_and_udp() {
    let bytes = [tagged_query(), vec![0; 3]].concat();
    let frame = ethernet::parse(&bytes).unwrap();
    assert_eq!((frame.header.destination(), frame.header.source()), (MacAddr([2; 6]), MacAddr([4; 6])));
    assert_eq!(frame.header.ether_type(), 0x8100);
    let tag = vlan::parse(frame.payload).unwrap();
    assert_eq!((tag.header.pcp(), tag.header.dei(), tag.header.vid(), tag.header.ether_type()), (5, true, 100, 0x0800));
    let packet = ipv4::parse(tag.payload).unwrap();
    assert_eq!(packet.payload.len(), 37, "the padding of the frame is left out");
    let datagram = udp::parse(packet.payload).unwrap();
    let h = datagram.header;
    assert_eq!((h.source_port(), h.destination_port(), h.length(), h.checksum()), (50_000, 53, 37, 0xce5a));
    assert_eq!((datagram.payload.len(), datagram.surplus.len()), (29, 0));
    assert!(checksum::pseudo_v4(A, B, protocol::UDP, 37).add(packet.payload).is_right());
}

#[test]
fn udp_lengths_are_judged() {
    let mut bytes = tagged_query()[38..].to_vec();
    let fault = |bytes: &[u8]| udp::parse(bytes).map(|_| ()).unwrap_err();
    assert_eq!((fault(&bytes[..7]).need, fault(&bytes[..7]).have), (8, 7));
    assert_eq!((fault(&bytes[..36]).offset, fault(&bytes[..36]).limited_by), (4, LimitedBy::LowerLength));
    bytes[5] = 7;
    assert_eq!((fault(&bytes).offset, fault(&bytes).limited_by), (4, LimitedBy::OwnLength));
    bytes[5] = 10;
    let datagram = udp::parse(&bytes).unwrap();
    assert_eq!((datagram.payload, datagram.surplus.len()), (&[0x12, 0x34][..], 27));
}

#[test]
fn tcp_lengths_are_judged() {
    let mut bytes = syn()[20..].to_vec();
    let fault = |bytes: &[u8]| tcp::parse(bytes).map(|_| ()).unwrap_err();
    assert_eq!((fault(&bytes[..19]).need, fault(&bytes[..19]).offset), (20, 0));
    assert_eq!((fault(&bytes[..39]).need, fault(&bytes[..39]).have, fault(&bytes[..39]).offset), (40, 39, 12));
    bytes[12] = 0x40;
    assert_eq!((fault(&bytes).need, fault(&bytes).have, fault(&bytes).limited_by), (5, 4, LimitedBy::Rule));
}

#[test]
fn arp_asks_and_other_address_lengths_are_refused() {
    let mut bytes = hex("00 01 08 00    ; Ethernet, IPv4
         06 04 00 01    ; lengths, request
         02 00 00 00 00 01
         c0 00 02 01
         00 00 00 00 00 00
         c0 00 02 02");
    let packet = arp::parse(&bytes).unwrap();
    let h = packet.header;
    assert_eq!((h.hardware_type(), h.protocol_type(), h.hardware_length(), h.protocol_length()), (1, 0x0800, 6, 4));
    assert_eq!(
        (h.operation(), h.sender_hardware(), h.sender_protocol()),
        (arp::REQUEST, MacAddr([2, 0, 0, 0, 0, 1]), A)
    );
    assert_eq!((h.target_hardware(), h.target_protocol(), packet.rest.len()), (MacAddr::ZERO, B, 0));
    let default = arp::Header {
        sender_hardware: MacAddr([2, 0, 0, 0, 0, 1]),
        sender_protocol: A,
        target_protocol: B,
        ..Default::default()
    };
    assert_eq!(default.to_bytes(), bytes[..]);
    assert_eq!(arp::parse(&bytes[..27]).unwrap_err().need, 28);
    bytes[5] = 16;
    let error = arp::parse(&bytes).unwrap_err();
    assert_eq!((error.offset, error.need, error.have, error.limited_by), (5, 4, 16, LimitedBy::Rule));
}

#[test]
fn ipv4_options_and_an_echo() {
    let bytes = hex("47 00 00 29    ; IHL 7, total length 41
         00 02 00 00
         01 01 ef 9d    ; TTL 1, ICMP
         c0 00 02 01
         c0 00 02 02
         07 07 08 c6    ; record route, 7 bytes, pointer 8: full
         33 64 01 00    ; 198.51.100.1, end of list
         08 00 4c 60    ; echo
         ab cd 00 01
         70 69 6e 67 21");
    let packet = ipv4::parse(&bytes).unwrap();
    assert_eq!(packet.options, [7, 7, 8, 198, 51, 100, 1, 0]);
    assert!(checksum::verify(&bytes[..28]) && checksum::verify(packet.payload));
    let message = icmpv4::parse(packet.payload).unwrap();
    let Ok(icmpv4::Body::Echo(echo, data)) = message.body() else { panic!("no echo") };
    assert_eq!((echo.identifier(), echo.sequence(), data), (0xabcd, 1, &b"ping!"[..]));
    assert_eq!((message.header.message_type(), message.header.code(), message.quote()), (8, 0, None));
    let error = icmpv4::parse(&packet.payload[..7]).unwrap().body().unwrap_err();
    assert_eq!((error.layer, error.offset, error.need, error.have), (Layer::Icmpv4, 4, 8, 7));
    assert_eq!(icmpv4::parse(&[8, 0, 0]).map(|_| ()).unwrap_err().need, 4);
}

#[test]
fn an_unreachable_port_quotes_its_cause() {
    let bytes = hex("03 03 6a f7    ; destination unreachable, port
         00 00 00 00
         45 00 00 39
         00 01 00 00
         40 11 f6 af
         c0 00 02 01
         c0 00 02 02
         c3 50 00 35
         00 25 ce 5a");
    assert!(checksum::verify(&bytes));
    let message = icmpv4::parse(&bytes).unwrap();
    let Ok(icmpv4::Body::Unreachable(body, quoted)) = message.body() else { panic!("not unreachable") };
    assert_eq!((body.mtu(), body.length(), message.quote()), (0, 0, Some(quoted)));
    let quote = quote::read(quoted).unwrap();
    assert_eq!((quote.source, quote.destination), (IpAddr::V4(A), IpAddr::V4(B)));
    assert_eq!((quote.protocol, quote.hops, quote.identification, quote.upper.len()), (17, 64, Some(1), 8));
    assert_eq!((quote.ports(), quote.sequence(), quote.echo()), (Some((50_000, 53)), None, None));

    let tcp = quote::read(&syn()[..28]).unwrap().sequence();
    assert_eq!(tcp, Some(SeqNum::new(0x0102_0304)));
    // A later fragment begins with no port; a shorter quote holds none; a broken header is no quote.
    let mut fragment = quoted.to_vec();
    fragment[7] = 1;
    assert_eq!(quote::read(&fragment).unwrap().ports(), None);
    assert_eq!(quote::read(&quoted[..22]).unwrap().ports(), None);
    assert!(quote::read(&quoted[..19]).is_err() && quote::read(&[]).is_err() && quote::read(&[0x50; 40]).is_err());
    assert!(quote::read(&[0x44; 40]).is_err() && quote::read(&[0x4f; 40]).is_err());
}

#[test]
fn each_error_message_of_icmpv4_has_its_body() {
    let message = |message_type: u8, row: [u8; 4]| [&[message_type, 0, 0, 0][..], &row, &syn()[..28]].concat();
    let bytes = message(3, [0, 0, 5, 0x78]);
    let Ok(icmpv4::Body::Unreachable(body, _)) = icmpv4::parse(&bytes).unwrap().body() else { panic!() };
    assert_eq!(body.mtu(), 1400);
    let bytes = message(5, [192, 0, 2, 9]);
    let Ok(icmpv4::Body::Redirect(body, quoted)) = icmpv4::parse(&bytes).unwrap().body() else { panic!() };
    assert_eq!(
        (body.gateway(), quote::read(quoted).unwrap().ports()),
        (Ipv4Addr::new(192, 0, 2, 9), Some((40_000, 80)))
    );
    let bytes = message(11, [0; 4]);
    let Ok(icmpv4::Body::TimeExceeded(body, _)) = icmpv4::parse(&bytes).unwrap().body() else { panic!() };
    assert_eq!(body.length(), 0);
    let bytes = message(12, [20, 0, 0, 0]);
    let Ok(icmpv4::Body::ParameterProblem(body, _)) = icmpv4::parse(&bytes).unwrap().body() else { panic!() };
    assert_eq!(body.pointer(), 20);
    for errors in [3, 4, 5, 11, 12] {
        assert_eq!(icmpv4::parse(&message(errors, [0; 4])).unwrap().quote(), Some(&syn()[..28]), "type {errors}");
    }
    for others in [0, 8, 9, 10, 13, 17, 200] {
        assert_eq!(icmpv4::parse(&message(others, [0; 4])).unwrap().quote(), None, "type {others}");
    }
    let bytes = message(200, [1; 4]);
    let Ok(icmpv4::Body::Other(rest)) = icmpv4::parse(&bytes).unwrap().body() else { panic!() };
    assert_eq!(rest.len(), 32);
}

#[test]
fn ipv6_hop_by_hop_and_a_listener_report() {
    let bytes = hex("60 00 00 00
         00 20 00 01    ; payload length 32, hop-by-hop, hop limit 1
         fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01
         ff 02 00 00 00 00 00 00 00 00 00 00 00 00 12 34
         3a 00 05 02 00 00 01 00    ; ICMPv6 follows; router alert, PadN
         83 00 5b bd    ; multicast listener report
         00 00 00 00
         ff 02 00 00 00 00 00 00 00 00 00 00 00 00 12 34");
    let packet = ipv6::parse(&bytes).unwrap();
    let extensions: Vec<_> = packet.extensions().collect::<Result<_, _>>().unwrap();
    assert_eq!(extensions.len(), 1);
    assert_eq!((extensions[0].desc.key, extensions[0].offset, extensions[0].bytes.len()), ("hopopt", 0, 8));
    let upper = packet.upper().unwrap();
    assert_eq!((upper.protocol, upper.offset, upper.bytes.len(), upper.fragment), (protocol::ICMPV6, 8, 24, None));
    let (from, to) = (packet.header.source(), packet.header.destination());
    assert!(checksum::pseudo_v6(from, to, protocol::ICMPV6, 24).add(upper.bytes).is_right());
    let group = icmpv6::mld::View::split(&upper.bytes[4..]).unwrap().0.group();
    assert_eq!(group, to);
}

fn routed_fragment() -> Vec<u8> {
    hex("6e 12 34 56    ; version 6, traffic class 0xe1, flow label 0x23456
         00 30 2b 40    ; payload length 48, routing, hop limit 64
         20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
         20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02
         2c 02 04 01    ; fragment follows, 24 bytes, type 4, one segment left
         00 00 00 00
         20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02
         11 00 00 01    ; UDP, offset 0, more fragments
         de ad be ef
         1f 90 00 35 05 78 00 00 41 42 43 44 45 46 47 48")
}

#[test]
fn ipv6_routing_and_fragment_headers() {
    let mut bytes = routed_fragment();
    let packet = ipv6::parse(&bytes).unwrap();
    let h = packet.header;
    assert_eq!((h.version(), h.traffic_class(), h.flow_label()), (6, 0xe1, 0x2_3456));
    assert_eq!((h.payload_length(), h.next_header(), h.hop_limit()), (48, 43, 64));
    let address = |last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
    assert_eq!((h.source(), h.destination()), (address(1), address(2)));
    let keys: Vec<_> = packet.extensions().map(|e| e.map(|e| (e.desc.key, e.offset)).unwrap()).collect();
    assert_eq!(keys, [("route", 0), ("frag", 24)]);
    let upper = packet.upper().unwrap();
    let fragment = upper.fragment.unwrap();
    assert_eq!((fragment.identification, fragment.more, fragment.offset), (0xdead_beef, true, 0));
    assert_eq!((upper.protocol, upper.offset, upper.bytes.len()), (17, 32, 16));
    assert_eq!(quote::read(&bytes).unwrap().ports(), Some((8080, 53)));

    // With an offset the walk ends there: what follows are bytes from the middle of a payload.
    ipv6::ext::fragment::ViewMut::split(&mut bytes[64..]).unwrap().0.offset(185).next_header(60);
    let upper = ipv6::parse(&bytes).unwrap().upper().unwrap();
    assert_eq!((upper.protocol, upper.offset, upper.fragment.unwrap().offset), (60, 32, 185));
    assert_eq!((quote::read(&bytes).unwrap().upper.len(), quote::read(&bytes).unwrap().ports()), (0, None));
}

#[test]
fn ipv6_lengths_and_the_chain_are_judged() {
    let bytes = routed_fragment();
    let error = ipv6::parse(&bytes[..87]).map(|_| ()).unwrap_err();
    assert_eq!((error.layer, error.offset, error.need, error.have), (Layer::Ipv6, 4, 88, 87));
    assert_eq!(ipv6::parse(&bytes[..39]).map(|_| ()).unwrap_err().need, 40);

    let mut cut = bytes.clone();
    cut[5] = 28;
    let error = ipv6::parse(&cut).unwrap().upper().unwrap_err();
    assert_eq!((error.layer, error.offset, error.need, error.have), (Layer::Ipv6Extension, 24, 8, 4));
    cut[5] = 20;
    let error = ipv6::parse(&cut).unwrap().upper().unwrap_err();
    assert_eq!((error.offset, error.need, error.have, error.limited_by), (1, 24, 20, LimitedBy::LowerLength));

    // Seventeen destination options headers: one more than are followed.
    let chain = [[60, 0, 1, 4, 0, 0, 0, 0]; 17].concat();
    let all: Vec<_> = ipv6::Extensions::new(protocol::DESTINATION, &chain).collect();
    assert_eq!(all.len(), ipv6::ext::EXTENSIONS_MAX + 1);
    let error = all.last().unwrap().as_ref().map(|_| ()).unwrap_err();
    assert_eq!((error.offset, error.need, error.limited_by), (16 * 8, ipv6::ext::EXTENSIONS_MAX, LimitedBy::Limit));
    assert!(ipv6::Extensions::new(protocol::DESTINATION, &chain[8 * 2..]).upper().is_err(), "the chain never ends");
}

#[test]
fn a_router_advertisement_and_its_options() {
    let bytes = hex("86 00 72 fa
         40 c8 07 08    ; hop limit 64; managed, other, preference high; 1800 s
         00 00 75 30
         00 00 03 e8
         01 01 02 02 02 02 02 02    ; source link-layer address
         05 01 00 00 00 00 05 dc    ; MTU 1500
         03 04 40 c0                ; prefix information: /64, on link, autonomous
         00 27 8d 00
         00 09 3a 80
         00 00 00 00
         20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 00
         fd 01 00 00 00 00 00 00    ; an experiment");
    let from = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let to = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    assert!(checksum::pseudo_v6(from, to, protocol::ICMPV6, 72).add(&bytes).is_right());
    let message = icmpv6::parse(&bytes).unwrap();
    let Ok(icmpv6::Body::RouterAdvertisement(ra, options)) = message.body() else { panic!("not an advertisement") };
    assert_eq!(
        (ra.hop_limit(), ra.managed(), ra.other(), ra.home_agent(), ra.preference()),
        (64, true, true, false, 1)
    );
    assert_eq!(
        (ra.proxy(), ra.router_lifetime(), ra.reachable_time(), ra.retransmit_timer()),
        (false, 1800, 30_000, 1000)
    );
    let read: Vec<_> = ndp::options(options).collect::<Result<_, _>>().unwrap();
    let prefix = ndp::Prefix {
        prefix: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0),
        length: 64,
        on_link: true,
        autonomous: true,
        valid_lifetime: 2_592_000,
        preferred_lifetime: 604_800,
    };
    assert_eq!(
        read,
        [
            NdpOption::SourceLinkLayer(MacAddr([2; 6])),
            NdpOption::Mtu(1500),
            NdpOption::Prefix(prefix),
            NdpOption::Unknown { kind: 253, value: &[0; 6] },
        ]
    );
}

#[test]
fn neighbours_are_solicited_and_advertised() {
    let target = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
    let na = ndp::na::Header { router: false, solicited: true, override_cache: true, reserved: 0, target };
    let bytes = [&[136, 0, 0, 0][..], &na.to_bytes(), &[2, 1, 2, 0, 0, 0, 0, 9]].concat();
    assert_eq!(bytes[4..8], [0x60, 0, 0, 0]);
    let Ok(icmpv6::Body::NeighborAdvertisement(view, options)) = icmpv6::parse(&bytes).unwrap().body() else {
        panic!()
    };
    assert_eq!((view.router(), view.solicited(), view.override_cache(), view.target()), (false, true, true, target));
    let read: Vec<_> = ndp::options(options).collect::<Result<_, _>>().unwrap();
    assert_eq!(read, [NdpOption::TargetLinkLayer(MacAddr([2, 0, 0, 0, 0, 9]))]);
    let bytes = [&[135, 0, 0, 0][..], &ndp::ns::Header { reserved: 0, target }.to_bytes()].concat();
    let Ok(icmpv6::Body::NeighborSolicitation(view, [])) = icmpv6::parse(&bytes).unwrap().body() else { panic!() };
    assert_eq!(view.target(), target);
    assert!(icmpv6::parse(&bytes[..23]).unwrap().body().is_err());
}

#[test]
fn a_bad_neighbour_discovery_option_ends_the_list_with_one_error() {
    let last = |bytes: &[u8]| {
        let all: Vec<_> = ndp::options(bytes).collect();
        let error = *all.last().unwrap().as_ref().unwrap_err();
        (all.len(), error.offset, error.need, error.have)
    };
    let mtu = [5, 1, 0, 0, 0, 0, 5, 0xdc];
    assert_eq!(last(&[1, 0, 0, 0, 0, 0, 0, 0]), (1, 1, 1, 0));
    assert_eq!(last(&[&mtu[..], &[1]].concat()), (2, 8, 8, 1));
    assert_eq!(last(&[&mtu[..], &[1, 2, 0, 0, 0, 0, 0, 0]].concat()), (2, 9, 16, 8));
    assert_eq!(ndp::options(&[]).count(), 0);
    let redirected = [&[4, 2, 0, 0, 0, 0, 0, 0][..], &[0x60; 8]].concat();
    assert_eq!(ndp::options(&redirected).next(), Some(Ok(NdpOption::Redirected(&[0x60; 8]))));
    // An infiniband address is 20 bytes long: kept, not misread.
    let long = [&[1, 3][..], &[7; 22]].concat();
    assert_eq!(ndp::options(&long).next(), Some(Ok(NdpOption::Unknown { kind: 1, value: &[7; 22] })));
}

#[test]
fn each_error_message_of_icmpv6_quotes() {
    let quoted = routed_fragment();
    for message_type in [1, 2, 3, 4] {
        let bytes = [&[message_type, 0, 0, 0, 0, 0, 5, 0][..], &quoted].concat();
        let message = icmpv6::parse(&bytes).unwrap();
        assert_eq!(message.quote(), Some(&quoted[..]));
        match message.body().unwrap() {
            icmpv6::Body::TooBig(body, _) => assert_eq!((message_type, body.mtu()), (2, 1280)),
            icmpv6::Body::ParameterProblem(body, _) => assert_eq!((message_type, body.pointer()), (4, 1280)),
            icmpv6::Body::Unreachable(body, _) => assert_eq!((message_type, body.unused()), (1, 1280)),
            icmpv6::Body::TimeExceeded(body, _) => assert_eq!((message_type, body.length()), (3, 0)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(icmpv6::parse(&[128, 0, 0, 0, 0, 7, 0, 9]).unwrap().quote(), None);
    let bytes = [128, 0, 0, 0, 0, 7, 0, 9, 1];
    let Ok(icmpv6::Body::Echo(echo, data)) = icmpv6::parse(&bytes).unwrap().body() else { panic!() };
    assert_eq!((echo.identifier(), echo.sequence(), data), (7, 9, &[1][..]));
}

#[test]
fn defaults_are_what_unset_means() {
    let ip = ipv4::Header::default();
    assert_eq!((ip.version, ip.tos, ip.df, ip.mf, ip.ttl), (4, 0, true, false, 64));
    let ip6 = ipv6::Header::default();
    assert_eq!((ip6.version, ip6.traffic_class, ip6.hop_limit), (6, 0, 64));
    let tcp = tcp::Header::default();
    assert_eq!((tcp.flags, tcp.window, tcp.urgent), (Flags::SYN, WindowField::new(64_240), 0));
    assert_eq!(tcp.acknowledgment, SeqNum::new(0));
    assert_eq!((icmpv4::Header::default().message_type, icmpv6::Header::default().message_type), (8, 128));
}
