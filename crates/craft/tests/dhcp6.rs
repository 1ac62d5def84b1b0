//! DHCP messages for IPv6: their words, their bytes, and what is read of messages that are damaged.

use wirewright_craft::{Context, First, Packet, parse};

/// Where a message begins in a packet of IPv6 and UDP.
const MESSAGE: usize = 40 + 8;

fn bytes(line: &str) -> Vec<u8> {
    let packet = parse(line).unwrap_or_else(|error| panic!("{error}"));
    let context = Context { entropy: [7; 32], ..Context::default() };
    packet.build(&context).unwrap_or_else(|error| panic!("{line}: {error}")).bytes
}

/// The printed form of what these bytes are; they are made again by it.
fn printed(bytes: &[u8]) -> String {
    let line = Packet::from_bytes(bytes, First::Ip).to_string();
    assert_eq!(self::bytes(&line), bytes, "{line}");
    line
}

#[test]
fn a_message_is_what_rfc_8415_draws() {
    let message = bytes(
        "dhcp6 solicit xid=0x010203 clientid=00030001020000000001 oro=dns:24 elapsed=5 rapid \
         iana=7:60:90,2001:db8::9:100:200 status=2:none",
    );
    assert_eq!(message[6..8], [17, 64]);
    assert_eq!(message[24..40], [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2]);
    assert_eq!(message[40..44], [2, 34, 2, 35], "from 546 to 547");
    let address: &[u8] = &[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let expected: &[&[u8]] = &[
        &[1, 1, 2, 3],
        &[0, 1, 0, 10, 0, 3, 0, 1, 2, 0, 0, 0, 0, 1],
        &[0, 6, 0, 4, 0, 23, 0, 24],
        &[0, 8, 0, 2, 0, 5],
        &[0, 14, 0, 0],
        &[0, 3, 0, 40, 0, 0, 0, 7, 0, 0, 0, 60, 0, 0, 0, 90, 0, 5, 0, 24],
        address,
        &[0, 0, 0, 100, 0, 0, 0, 200],
        &[0, 13, 0, 6, 0, 2, b'n', b'o', b'n', b'e'],
    ];
    assert_eq!(message[MESSAGE..], expected.concat());
    let relayed = bytes("dhcp6 relayforw hops=1 link=2001:db8::9 peer=fe80::1 relaymsg=01010203");
    assert_eq!(relayed[40..44], [2, 35, 2, 35], "from 547 to 547");
    let expected: &[&[u8]] =
        &[&[12, 1], address, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], &[0, 9, 0, 4, 1, 1, 2, 3]];
    assert_eq!(relayed[MESSAGE..], expected.concat());
}

#[test]
fn ports_and_addresses_follow_from_the_kind_of_message() {
    for (line, below) in [
        ("dhcp6", "ip6 ff02::1:2 / udp :547 sport=546"),
        ("dhcp6 request", "ip6 ff02::1:2 / udp :547 sport=546"),
        ("dhcp6 fe80::1 reply", "ip6 fe80::1 / udp :546 sport=547"),
        ("dhcp6 fe80::1 relayrepl", "ip6 fe80::1 / udp :547 sport=547"),
        ("ip6 / udp / dhcp6 relayforw", "ip6 ff02::1:2 / udp :547 sport=547"),
        ("ip6 fe80::1 / udp :9 sport=7 / dhcp6 advertise", "ip6 fe80::1 / udp :9 sport=7"),
        ("dhcp6 fe80::1 :1547 solicit", "ip6 fe80::1 / udp :1547 sport=546"),
    ] {
        let packet = parse(line).unwrap_or_else(|error| panic!("{error}")).to_string();
        assert_eq!(packet.split_once(" / dhcp6").map(|(below, _)| below), Some(below), "{line}");
    }
    for (line, sentence) in [
        ("dhcp6 reply", "needs an address to go to"),
        ("dhcp6 192.0.2.1 solicit", "that is an IPv4 address"),
        ("dhcp6 solict", "dhcp6 has no word `solict`"),
        ("dhcp6 solicit hops=1", "dhcp6 solicit has no `hops`"),
        ("dhcp6 iana=1:2", "iana= takes IAID:T1:T2[,ADDRESS:PREFERRED:VALID…]"),
        ("dhcp6 dns=2001:db8::1,x", "dns= takes ADDRESS[,ADDRESS…]"),
        ("dhcp6 opt=65536", "opt="),
    ] {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(sentence), "{line}\n{error}");
    }
}

#[test]
fn options_are_printed_as_they_are_written() {
    for words in [
        "dns=2001:db8::53,::1 sntp=fe80::1 search=",
        "iana=0x00000001:0:0 iana=0x00000001:2:3,2001:db8::9:1:2,::a:3:4 iana=0x00000001:2:3:000d0002",
        "iapd=0x00000002:0:0,3600:7200:56:2001:db8:1:: iata=0x00000003,::1:4:5 iata=0x00000003",
        "status=0:'' status=4:'it\\x27s: no' captive='https://portal.example' booturl='tftp://x'",
        "oro=23:24:999 unicast=2001:db8::1 lladdr=1:020000000001 fqdn=0x01:00 rapid reconfok",
        "opt=999 opt=999:0102 opt=13 opt=8:01 opt=6:0001ff opt=23:0102",
    ] {
        let whole = format!("dhcp6 xid=7 {}", words.replace("search=", "").trim());
        let printed = printed(&bytes(&whole));
        let told = printed.split_once("xid=0x000007 ").map(|(_, told)| told);
        assert_eq!(told, Some(words.replace("search=", "").trim()), "{words}");
    }
}

#[test]
fn damaged_messages_keep_their_bytes() {
    let whole =
        bytes("dhcp6 fe80::1 reply src=fe80::2 clientid=0003 iana=1:2:3,::9:1:2 status=0:ok dns=::1 relaymsg=0102");
    assert!(printed(&whole).contains(" / dhcp6 type=reply "));
    for at in MESSAGE..whole.len() {
        for value in [0, 1, 12, 0x80, 0xff] {
            let mut lying = whole.clone();
            lying[at] = value;
            printed(&lying);
        }
    }
    for cut in MESSAGE..whole.len() {
        let mut short = whole[..cut].to_vec();
        printed(&short);
        short[4..6].copy_from_slice(&(cut as u16 - 40).to_be_bytes());
        short[44..46].copy_from_slice(&(cut as u16 - 40).to_be_bytes());
        assert_eq!(printed(&short).contains(" / dhcp6 "), cut >= MESSAGE + 4, "cut at {cut}");
    }
    let mut unknown = whole;
    unknown[MESSAGE] = 200;
    assert!(!printed(&unknown).contains("/ dhcp6"), "a kind that nobody knows");
}
