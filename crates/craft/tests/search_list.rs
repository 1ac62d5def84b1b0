//! RFC 8106 §5.2: the search list of a router advertisement as names, and as digits where it holds none.

use wirewright_craft::{Context, First, Packet, parse};

const LINE: &str = "ip6 ff02::1 src=2001:db8::1 / icmp6 type=ra ";

/// The option's bytes behind type, code, checksum and the message's fixed part.
fn option(words: &str) -> Vec<u8> {
    let line = format!("{LINE}{words}");
    let packet = parse(&line).unwrap_or_else(|error| panic!("{line}\n{error}"));
    packet.build(&Context::default()).unwrap().bytes[56..].to_vec()
}

#[test]
fn names_are_written_as_dns_has_them_and_filled_up() {
    assert_eq!(option("dnssl=1800"), [31, 1, 0, 0, 0, 0, 7, 8]);
    let one = option("dnssl=1800,example.com");
    assert_eq!(one, *b"\x1f\x03\0\0\0\0\x07\x08\x07example\x03com\0\0\0\0");
    let two = option("dnssl=0,a.b,corp_1.example-2");
    assert_eq!(two, *b"\x1f\x04\0\0\0\0\0\0\x01a\x01b\0\x06corp_1\x09example-2\0\0");
    assert_eq!(two.len() % 8, 0);
}

#[test]
fn what_is_printed_makes_the_same_bytes() {
    let plain: &[&[u8]] = &[b"\x07example\x03com\0\0\0\0", b"\x01a\x01b\0\x01c\0\0", b"\x06abcdef\0"];
    let odd: &[&[u8]] = &[
        b"\0\0\0\0\0\0\0\0",
        b"\x07example\x03com\0\0\0\x01",
        b"\x07example\x03com\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x04a\\ b\0\0\0",
        b"\x01a\xc0\x0c\0\0\0\0",
        b"\x3fabcdefg",
        b"\x03a.b\0\0\0\0",
    ];
    for (values, named) in [(plain, true), (odd, false)] {
        for value in values {
            let mut frame = parse(&format!("{LINE}managed")).unwrap().build(&Context::default()).unwrap().bytes;
            let units = u8::try_from((value.len() + 8) / 8).unwrap();
            frame.extend([31, units, 0, 0, 0, 0, 7, 8]);
            frame.extend(*value);
            frame.resize(56 + usize::from(units) * 8, 0);
            frame[5] = u8::try_from(frame.len() - 40).unwrap();
            let line = Packet::from_bytes(&frame, First::Ip).to_string();
            assert_eq!(line.contains("dnssl=1800,"), named, "{line}");
            let again = parse(&line).unwrap_or_else(|error| panic!("{line}\n{error}"));
            assert_eq!(again.build(&Context::default()).unwrap().bytes, frame, "{line}");
        }
    }
}

#[test]
fn what_is_no_name_is_refused() {
    for words in ["dnssl=1800,.", "dnssl=1800,a..b", "dnssl=1800,a@12", "dnssl=1800,a,,b"] {
        let error = parse(&format!("{LINE}{words}")).expect_err(words).to_string();
        assert!(error.contains("dnssl= takes LIFE[,NAME…]"), "{words}: {error}");
    }
}
