use alloc::vec::Vec;

use super::*;

/// Ethernet, IPv4, TCP SYN with MSS, SACK-permitted, timestamps, NOP, window scale; checksums right; two bytes of padding.
const SYN: [u8; 76] = [
    0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00, // eth
    0x45, 0x00, 0x00, 0x3c, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0xa4, 0x85, 192, 0, 2, 1, 192, 0, 2, 2, // ip
    0x9c, 0x40, 0x00, 0x50, 0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0xa0, 0x02, 0xfa, 0xf0, 0, 0, 0, 0, // tcp
    2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7, // options
    0xee, 0xee, // padding
];

fn keys(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().map(|field| field.desc.key).collect()
}

#[test]
fn every_field_has_its_place_and_value() {
    let syn = dissect(&SYN, First::Ethernet);
    let names: Vec<_> = syn.layers.iter().map(|layer| layer.desc.key).collect();
    assert_eq!(names, ["eth", "ip", "tcp"]);
    let ip = syn.layer("ip").unwrap();
    assert_eq!((ip.header.clone(), ip.end, ip.value("ttl"), ip.value("df")), (14..34, 74, Some(64), Some(1)));
    let df = ip.field("df").unwrap();
    assert_eq!((df.bit, df.bytes()), ((14 + 6) * 8 + 1, 20..21));
    assert_eq!(ip.field("proto").unwrap().word.unwrap().word, "tcp");
    let tcp = syn.layer("tcp").unwrap();
    assert_eq!((tcp.value("dport"), tcp.value("win")), (Some(80), Some(64240)));
    let options: Vec<_> = tcp.options.iter().map(|option| (option.desc.unwrap().key, option.range.clone())).collect();
    let expected = [("mss", 54..58), ("sack", 58..60), ("ts", 60..70), ("nop", 70..71), ("wscale", 71..74)];
    assert_eq!(options, expected);
    assert_eq!(tcp.options[0].fields[0].value, 1460);
    assert_eq!(tcp.options[2].fields.iter().map(|field| field.value).collect::<Vec<_>>(), [1, 0]);
    assert_eq!((syn.payload.clone(), syn.trailer.clone()), (74..74, 74..76));
    assert!(syn.complaints.is_empty());
}

#[test]
fn every_cut_of_a_frame_is_dissected_and_the_missing_header_is_named() {
    for end in 0..SYN.len() {
        let cut = dissect(&SYN[..end], First::Ethernet);
        let covered = cut.layers.last().map_or(0, |layer| layer.header.end);
        assert!(covered <= end && cut.payload.end <= end && cut.trailer.end <= end, "cut at {end}");
        let expected = match end {
            0 => None,
            1..14 => Some(("header-cut", "eth")),
            14..34 => Some(("header-cut", "ip")),
            34..54 => Some(("header-cut", "tcp")),
            54..74 => Some(("header-length-long", "tcp")),
            _ => None,
        };
        let found = cut.complaints.last().map(|complaint| (complaint.code, complaint.layer));
        assert_eq!(found, expected, "cut at {end}");
        if (34..74).contains(&end) {
            assert_eq!(cut.complaints[0].code, "length-long", "cut at {end}");
        }
    }
}

#[test]
fn tcp_that_ip_promises_and_that_is_not_there_is_a_complaint() {
    let beginner =
        [0x45, 0x01, 0x00, 0x14, 0xd4, 0x31, 0x00, 0x00, 0xff, 0x06, 0x63, 0xf8, 192, 168, 1, 103, 192, 168, 1, 1];
    let it = dissect(&beginner, First::Ip);
    let complaint = it.complaints[0];
    assert_eq!((complaint.code, complaint.layer, complaint.offset), ("header-cut", "tcp", 20));
    assert_eq!((complaint.need, complaint.have), (20, 0));
    assert!(!it.is_clean());
}

#[test]
fn an_option_of_impossible_length_is_a_complaint_and_the_rest_stays_in_sight() {
    let mut frame = SYN;
    frame[59] = 99;
    let it = dissect(&frame, First::Ethernet);
    let tcp = it.layer("tcp").unwrap();
    assert_eq!(
        tcp.options.last().map(|option| (option.what, option.range.clone())),
        Some((OptionKind::Malformed, 58..74))
    );
    let complaint = it.complaints[0];
    assert_eq!((complaint.code, complaint.offset, complaint.need, complaint.have), ("option-malformed", 58, 99, 16));
}

/// A message of DHCP or DHCPv6 behind IP and UDP, made by words.
fn made(line: &str) -> Vec<u8> {
    let packet = wirewright_craft::parse(line).unwrap();
    packet.build(&wirewright_craft::Context::default()).unwrap().bytes
}

#[test]
fn texts_and_options_of_messages_have_their_places() {
    let bytes = made("dhcp offer sname=boot hostname=x router=192.0.2.1:192.0.2.2 zero=3");
    let frame = dissect(&bytes, First::Ip);
    assert!(frame.is_clean());
    let dhcp = frame.layer("dhcp").unwrap();
    let sname = dhcp.field("sname").unwrap();
    assert_eq!((sname.bytes(), sname.value, sname.desc.text(&bytes[28..])), (72..136, 4, Some(&b"boot"[..])));
    let options: Vec<_> = dhcp.options.iter().map(|it| (it.desc.unwrap().key, it.range.clone(), it.head)).collect();
    let expected = [("type", 268..271, 2), ("hostname", 271..274, 2), ("router", 274..284, 2), ("end", 284..285, 2)];
    assert_eq!((options.as_slice(), frame.payload.clone()), (&expected[..], 285..288));
    assert_eq!(dhcp.options[2].fields.len(), 2);

    let bytes = made(
        "dhcp6 fe80::1 reply iana=1:2:3,::9:4:5 iana=1:2:3:000d0002000000000000000000000000000000000000000000000000",
    );
    let frame = dissect(&bytes, First::Ip);
    let options = &frame.layer("dhcp6").unwrap().options;
    assert_eq!(
        (keys(&options[0].fields), options[0].head),
        (["iaid", "t1", "t2", "code", "len", "address", "preferred", "valid"].into(), 4)
    );
    assert_eq!((keys(&options[1].fields), options[1].rest.len()), (["iaid", "t1", "t2"].into(), 28), "no address");
}

#[test]
fn damaged_messages_are_complained_about() {
    for (line, offset, need, have) in [
        ("dhcp ack hostname=x opts=0cff41 noend", 274, 257, 3),
        ("dhcp ack opts=0c noend", 271, 2, 1),
        ("dhcp6 fe80::1 reply rapid opts=000d00ff", 56, 259, 4),
        ("dhcp6 fe80::1 reply rapid opts=000d00", 56, 4, 3),
        ("dhcp6 fe80::1 reply opts=00", 52, 4, 1),
    ] {
        let bytes = made(line);
        let frame = dissect(&bytes, First::Ip);
        let found: Vec<_> = frame.complaints.iter().map(|it| (it.code, it.offset, it.need, it.have)).collect();
        assert_eq!(found, [("option-malformed", offset, need, have)], "{line}");
    }
}

#[test]
fn a_version_that_does_not_fit_is_a_complaint() {
    let mut frame = SYN;
    frame[14] = 0x75;
    let it = dissect(&frame, First::Ethernet);
    let complaint = it.complaints[0];
    assert_eq!((complaint.code, complaint.need, complaint.have), ("version", 4, 7));
    assert!(keys(&it.layers[1].fields).contains(&"ver"));
}

#[test]
fn an_icmp_error_quotes_a_packet_that_may_be_cut() {
    let mut error =
        Vec::from([0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1, 3, 3, 0, 0, 0, 0, 0, 0]);
    error.extend([0x45, 0, 0, 99, 0, 0, 0, 0, 1, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0, 53, 0, 53, 0, 79, 0, 0]);
    let it = dissect(&error, First::Ip);
    let names: Vec<_> = it.layers.iter().map(|layer| (layer.desc.key, layer.quoted)).collect();
    assert_eq!(names, [("ip", false), ("icmp", false), ("ip", true), ("udp", true)]);
    assert_eq!(it.layers[1].field("code").unwrap().word.unwrap().word, "port");
    assert!(it.complaints.is_empty(), "{:?}", it.complaints);
    assert_eq!(it.checksums.len(), 2, "checksums of a quoted packet are not judged");
}

#[test]
fn neither_random_nor_mutated_bytes_panic_and_every_range_stays_inside() {
    let mut state = 0x853c_49e6_748f_ea9b_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as usize
    };
    let starts = [First::Ethernet, First::Ip, First::from_word("tcp").unwrap(), First::from_word("icmp6").unwrap()];
    for round in 0..50_000 {
        let mut frame =
            if round % 3 == 0 { (0..random() % 120).map(|_| random() as u8).collect() } else { SYN.to_vec() };
        for _ in 0..random() % 8 {
            if !frame.is_empty() {
                let at = random() % frame.len();
                frame[at] = random() as u8;
            }
        }
        frame.truncate(random() % 121);
        let it = dissect(&frame, starts[round % 4]);
        let inside = |range: &Range<usize>| range.start <= range.end && range.end <= frame.len();
        assert!(inside(&it.payload) && inside(&it.trailer), "round {round}");
        // Every bit of the frame has one place.
        let named = |layer: &Layer| {
            let fields: usize = layer.fields.iter().map(|field| field.desc.bits).sum();
            let options: usize = layer.options.iter().map(|option| option.range.len()).sum();
            fields + (options + layer.rest.len()) * 8
        };
        let placed: usize = it.layers.iter().map(named).sum();
        assert_eq!(placed + (it.payload.len() + it.trailer.len()) * 8, frame.len() * 8, "round {round}");
        for layer in &it.layers {
            assert!(inside(&layer.header), "round {round}");
            assert!(layer.options.iter().all(|option| inside(&option.range) && inside(&option.rest)), "round {round}");
            assert!(layer.fields.iter().all(|field| inside(&field.bytes())), "round {round}");
        }
    }
}
