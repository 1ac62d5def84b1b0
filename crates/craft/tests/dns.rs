//! DNS messages: their words, their bytes, and what is read of messages that lie.

use wirewright_craft::{Context, First, Packet, parse, walk};

fn bytes(line: &str) -> Vec<u8> {
    let packet = parse(line).unwrap_or_else(|error| panic!("{error}"));
    packet
        .build(&Context { entropy: [7; 32], ..Context::default() })
        .unwrap_or_else(|error| panic!("{line}: {error}"))
        .bytes
}

fn message(line: &str) -> Vec<u8> {
    bytes(&format!("ip 192.0.2.53 src=192.0.2.1 / udp :53 / {line}")).split_off(28)
}

/// The line that a packet is printed as, which is parsed as the same bytes.
fn printed(bytes: &[u8]) -> String {
    let packet = Packet::from_bytes(bytes, First::Ip);
    let line = packet.to_string();
    let again = parse(&line).unwrap_or_else(|error| panic!("{line}\n{error}"));
    assert_eq!(again.build(&Context::default()).unwrap().bytes, bytes, "{line}");
    assert_eq!(again.to_string(), line, "one printed form");
    line
}

/// A message in UDP over IPv4, as it would be captured.
fn captured(message: &[u8]) -> Vec<u8> {
    let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes(&format!("ip 192.0.2.1 src=192.0.2.53 id=1 / udp :4000 sport=53 hex={hex}"))
}

#[test]
fn a_question_is_its_name_and_type() {
    let asked = message("dns example.com AAAA id=0x1234");
    assert_eq!(asked, b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x1c\0\x01");
    assert_eq!(message("dns id=0x1234 AAAA example.com"), asked, "in either order");
    assert_eq!(message("dns example.com aaaa id=0x1234"), asked, "in either case");
    assert_eq!(message("dns qd=example.com:AAAA id=0x1234"), asked);
    assert_eq!(message("dns example.com id=7 rd=0")[..6], [0, 7, 0, 0, 0, 1]);
    let line = parse("dns 192.0.2.53 example.com AAAA rd=0").unwrap().to_string();
    assert_eq!(line, "ip 192.0.2.53 / udp :53 / dns example.com AAAA rd=0");
    let line = parse("dns 2001:db8::53 :5353 example.com MX").unwrap().to_string();
    assert_eq!(line, "ip6 2001:db8::53 / udp :5353 / dns example.com MX");
    let line = parse("dns 192.0.2.53:5353 example.com TXT/CH ttl=1").unwrap().to_string();
    assert_eq!(line, "ip 192.0.2.53 ttl=1 / udp :5353 / dns example.com TXT/CH");
}

#[test]
fn every_type_is_written_and_read() {
    for records in [
        "an=example.com:A:300:192.0.2.1 an=example.com:A:300:192.0.2.2",
        "an=example.com:AAAA:300:2001:db8::1 ns=example.com:NS:1:ns.example.com",
        "an=example.com:MX:300:10:mail.example.com ar=mail.example.com:A:300:192.0.2.9",
        "an=www.example.com:CNAME:60:example.com an=2.2.0.192.in-addr.arpa:PTR:60:host.example.com",
        "an=example.com:TXT:60:v=spf1:second an='example.com:TXT:60:with space \\x3a \\x27 \\x5c'",
        "an=_sip._tcp.example.com:SRV:60:10:20:5060:sip.example.com",
        "ns=example.com:SOA:60:ns.example.com:admin.example.com:1:2:3:4:5",
        "an=example.com:CAA:60:0:issue:6361 an=example.com:TYPE65400:60:0x0102 an=example.com:A:60:0x01 an=example.com:A/ANY:0",
        "an=example.com:NAPTR:1:2:3:u:E2U+sip:re:. an=example.com:DS:1:2:3:4:0506 an=x:HTTPS:1:1:.:0001",
        "edns=1232",
        "edns=1232:do",
        "edns=4096:0x01008000:10=0011223344556677:3=",
        "an='a\\x2eb\\x00.c:A/FLUSH:120:192.0.2.1' ar=a:OPT:512:do:8=00",
        "qd=.:NS qd=@12:A an=www@12:A:300:192.0.2.1 an=@12:CNAME:1:mail@12 an=@16383:PTR:1:@40",
    ] {
        let packet = bytes(&format!(
            "ip 192.0.2.1 src=192.0.2.53 id=1 / udp :4000 sport=53 / dns example.com A id=1 qr {records}"
        ));
        let line = printed(&packet);
        assert!(line.ends_with(records), "{records}\n{line}");
    }
}

#[test]
fn entries_stand_in_the_order_of_their_sections() {
    let mixed = message("dns id=1 ar=a:A:1:192.0.2.1 an=b:A:1:192.0.2.2 qd=c:A an=d:A:1:192.0.2.3 ns=e:NS:1:f");
    let sorted = message("dns c A id=1 an=b:A:1:192.0.2.2 an=d:A:1:192.0.2.3 ns=e:NS:1:f ar=a:A:1:192.0.2.1");
    assert_eq!(mixed, sorted);
    assert_eq!(mixed[4..12], [0, 1, 0, 2, 0, 1, 0, 1]);
    assert_eq!(message("dns c A id=1 ancount=+2")[4..12], [0, 1, 0, 2, 0, 0, 0, 0]);
}

#[test]
fn messages_that_lie_keep_their_bytes() {
    let whole = message("dns example.com A id=1 qr an=@12:A:300:192.0.2.1 edns=1232");
    assert!(printed(&captured(&whole)).contains(" / dns example.com A id=1 qr an=@12:A:300:192.0.2.1 edns=1232"));
    for cut in 0..whole.len() {
        let line = printed(&captured(&whole[..cut]));
        assert!(!line.contains("/ dns"), "cut at {cut}: {line}");
    }
    for at in 0..whole.len() {
        for value in [0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff] {
            let mut lying = whole.clone();
            lying[at] = value;
            printed(&captured(&lying));
        }
    }
    let mut more = whole.clone();
    more.push(0);
    assert!(!printed(&captured(&more)).contains("/ dns"), "a byte left over");
    // More entries than are read: 600 questions for the root.
    let mut many = message("dns id=1 qdcount=600");
    many.extend([0, 0, 1, 0, 1].repeat(600));
    assert!(!printed(&captured(&many)).contains("/ dns"));
    let alone = walk(&many, First::from_word("dns").unwrap());
    assert_eq!((alone.layers[0].header_len, alone.payload.len()), (12 + 512 * 5, 88 * 5));
}

#[test]
fn mistakes_have_their_sentences() {
    for (line, sentence) in [
        ("dns 192.0.2.53 AAAA", "AAAA of which name? The name stands before the type"),
        ("dns 192.0.2.53 example.com A MX", "dns.type is set twice: `A` says it already"),
        ("dns 192.0.2.53 example.com an=x:A", "an= takes NAME:TYPE:TTL:DATA"),
        ("dns 192.0.2.53 example.com an=x:A:1:192.0.2", "an=: the data of this type are written ADDRESS, or 0xHEX"),
        ("dns 192.0.2.53 example.com an=x:Q:1:0x00", "an=: `Q` is no type: A, AAAA, MX/CH, TYPE65400"),
        ("dns 192.0.2.53 qd=a..b:A", "qd=: `a..b` is no name"),
        ("dns 192.0.2.53 example.com edns=70000", "edns=: `70000` is no number that fits"),
        ("dns 192.0.2.53 example.com qq", "dns has no word `qq`"),
        ("dns example.com", "needs an address to go to"),
    ] {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(sentence), "{line}\n{error}");
    }
    let mended = |line: &str| parse(line).unwrap_err().correction.map(String::from);
    assert_eq!(
        mended("dns 192.0.2.53 example.com AAAA qid=7").as_deref(),
        Some("dns 192.0.2.53 example.com AAAA id=7")
    );
    assert_eq!(
        mended("dns 192.0.2.53 example.com rcode=nxdomian").as_deref(),
        Some("dns 192.0.2.53 example.com rcode=nxdomain")
    );
}

#[test]
fn over_tcp_a_message_has_its_length_before_it() {
    let line = "ip 192.0.2.53 src=192.0.2.1 id=1 / tcp PA sport=4000 seq=1 / dns example.com AAAA id=7";
    let segment = bytes(line);
    let message = message("dns example.com AAAA id=7");
    assert_eq!(segment[22..24], [0, 53], "the port of DNS, where none is said");
    assert_eq!(segment[40..42], (message.len() as u16).to_be_bytes());
    assert_eq!(segment[42..], message);
    assert!(printed(&segment).ends_with(" / tcp :53 PA sport=4000 seq=1 / dnslen / dns example.com AAAA id=7"));
    let written = line.replace("/ dns ", "/ dnslen / dns ");
    assert_eq!(bytes(&written), segment, "the same where it is written");
    for (said, stated) in [("dnslen len=+3 / dns", 32), ("dnslen len=9 / dns", 9), ("dns dnslen.len=-1", 28)] {
        let lying = bytes(&line.replace("dns", said));
        assert_eq!(lying[40..42], [0, stated], "{said}");
        assert!(!printed(&lying).contains("dns"), "{said}: what is no whole message is data");
    }
    let asked = parse("tcp 192.0.2.53 PA / dns example.com :5353").unwrap().to_string();
    assert_eq!(asked, "ip 192.0.2.53 / tcp :5353 PA / dnslen / dns example.com A");
    assert_eq!(parse("udp 192.0.2.53 / dns a").unwrap().to_string(), "ip 192.0.2.53 / udp :53 / dns a A");
    let in_rust =
        wirewright_craft::ip("192.0.2.53") / wirewright_craft::tcp(53).flags("PA") / wirewright_craft::dns("a");
    assert_eq!(in_rust.to_string(), "ip 192.0.2.53 / tcp :53 PA / dnslen / dns a A");
}

#[test]
fn a_segment_is_read_as_the_message_that_it_begins_with() {
    let whole =
        bytes("ip 192.0.2.1 src=192.0.2.53 / tcp :4000 PA sport=53 / dns example.com qr an=@12:A:300:192.0.2.9");
    assert!(printed(&whole).contains(" / dnslen / dns example.com A "));
    // Another message behind it in the same segment is data, and so is what another port carries.
    let two = bytes("ip 192.0.2.1 src=192.0.2.53 / tcp :4000 PA sport=53 / dnslen len=17 / dns qd=.:NS hex=0011000301");
    assert!(printed(&two).contains(" / dnslen len=17 / dns ") && printed(&two).ends_with(" qd=.:NS hex=0011000301"));
    let elsewhere = bytes("ip 192.0.2.1 src=192.0.2.53 / tcp :4000 PA sport=54 / dns example.com");
    assert!(!printed(&elsewhere).contains("/ dns"));
    let multicast = bytes("ip 192.0.2.1 src=192.0.2.53 / tcp :5353 PA sport=54 / dns example.com");
    assert!(!printed(&multicast).contains("/ dns"), "multicast DNS has no streams");
    for cut in 40..whole.len() {
        let mut short = whole[..cut].to_vec();
        short[2..4].copy_from_slice(&(cut as u16).to_be_bytes());
        assert!(!printed(&short).contains("dns"), "cut at {cut}");
    }
    for at in 40..whole.len() {
        for value in [0, 1, 0x3f, 0x80, 0xc0, 0xff] {
            let mut lying = whole.clone();
            lying[at] = value;
            printed(&lying);
        }
    }
}
