//! The rules of the one reading: what each accepts, and what is refused with which code and correction.

use wirewright_craft::{Code, Context, Family, Packet, parse, parse_words};

/// The line, and its printed form.
fn accepts(cases: &[(&str, &str)]) {
    for (line, printed) in cases {
        let packet = parse(line).unwrap_or_else(|error| panic!("{line}\n{error}"));
        assert_eq!(packet.to_string(), *printed, "{line}");
    }
}

/// The line, the code, and what the mistake is about.
fn refuses(cases: &[(&str, Code, &str)]) {
    for (line, code, about) in cases {
        let Err(error) = parse(line) else { panic!("accepted: {line}") };
        assert_eq!(error.code, *code, "{line}\n{error}");
        let marked = &error.line[error.column.min(error.line.len())..];
        assert!(marked.starts_with(about), "{line}: marked `{marked}`, not `{about}`");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}

#[test]
fn rule_1_layers_stand_first_and_behind_a_divider() {
    accepts(&[
        ("ip 192.0.2.2 / tcp :80", "ip 192.0.2.2 / tcp :80"),
        ("eth 02:00:00:00:00:01 / vlan vid=5 / arp 192.0.2.2", "eth 02:00:00:00:00:01 / vlan vid=5 / arp 192.0.2.2"),
        ("qinq vid=100 / vlan vid=5 / ip 192.0.2.2", "eth / qinq vid=100 / vlan vid=5 / ip 192.0.2.2"),
        (
            "eth / vlan vid=1 / qinq dei vid=2 / qinq / arp 192.0.2.2",
            "eth / vlan vid=1 / qinq dei vid=2 / qinq / arp 192.0.2.2",
        ),
        ("raw hex=00ff", "raw hex=00ff"),
        ("ip 192.0.2.2 proto=99 / raw data='x'", "ip 192.0.2.2 proto=99 data='x'"),
        // Nowhere else is a word a layer: here `udp` is a host.
        ("tcp udp :80", "ip udp / tcp :80"),
    ]);
    refuses(&[
        ("", Code::Empty, ""),
        ("/ tcp :80", Code::LayerExpected, "/"),
        ("ip 192.0.2.2 /", Code::LayerExpected, ""),
        ("ip 192.0.2.2 / / tcp :80", Code::LayerExpected, "/"),
        ("ip 192.0.2.2 / 192.0.2.3", Code::UnknownLayer, "192"),
        ("bogus", Code::UnknownLayer, "bogus"),
        ("raw / tcp :80", Code::LayerExpected, "/"),
        ("raw ttl=3", Code::UnknownWord, "ttl"),
    ]);
}

#[test]
fn rule_2_fields_of_this_layer_of_one_below_and_those_that_reach_down() {
    accepts(&[
        ("tcp 192.0.2.2:80 win=1 seq=2 ack=3 urg=4 doff=15", "ip 192.0.2.2 / tcp :80 seq=2 ack=3 doff=15 win=1 urg=4"),
        ("tcp 192.0.2.2:80 ttl=33 tos=ef src=192.0.2.1", "ip 192.0.2.2 src=192.0.2.1 tos=0xb8 ttl=33 / tcp :80"),
        ("tcp 2001:db8::2 :80 ttl=33 tos=ef", "ip6 2001:db8::2 tc=0xb8 hlim=33 / tcp :80"),
        ("tcp :80 dst=192.0.2.2", "ip 192.0.2.2 / tcp :80"),
        ("tcp :80 dst=2001:db8::2", "ip6 2001:db8::2 / tcp :80"),
        ("tcp 192.0.2.2:80 ip.id=7 ip.sum=0xdead ip.ver=6", "ip 192.0.2.2 ver=6 id=7 sum=0xdead / tcp :80"),
        ("tcp 192.0.2.2:80 eth.type=ip6", "eth type=ip6 / ip 192.0.2.2 / tcp :80"),
        (
            "ip 192.0.2.9 / ip 192.0.2.2 / tcp :80 ttl=3 ip.tos=4",
            "ip 192.0.2.9 / ip 192.0.2.2 tos=0x04 ttl=3 / tcp :80",
        ),
        (
            "eth / ip 192.0.2.2 / udp :53 eth.src=02:00:00:00:00:02",
            "eth src=02:00:00:00:00:02 / ip 192.0.2.2 / udp :53",
        ),
        ("ip 192.0.2.2 df=0 mf evil", "ip 192.0.2.2 evil df=0 mf"),
    ]);
    refuses(&[
        ("tcp 192.0.2.2:80 ttl=3 ttl=4", Code::SetTwice, "ttl=4"),
        ("tcp 192.0.2.2:80 ttl=3 ip.ttl=4", Code::SetTwice, "ip.ttl=4"),
        ("tcp 192.0.2.2:80 dst=192.0.2.3", Code::SetTwice, "dst="),
        ("ip 192.0.2.2 / tcp 192.0.2.3:80", Code::SetTwice, "192.0.2.3"),
        ("tcp 192.0.2.2:80 tll=3", Code::UnknownKey, "tll"),
        ("tcp 192.0.2.2:80 ip6.hlim=3", Code::LayerNotBelow, "ip6"),
        ("tcp 192.0.2.2:80 udp.sport=3", Code::LayerNotBelow, "udp"),
        ("tcp 192.0.2.2:80 tcp.win=3", Code::LayerNotBelow, "tcp"),
        ("ip6 2001:db8::2 ttl=3", Code::UnknownKey, "ttl"),
        ("arp 192.0.2.2 ttl=3", Code::UnknownKey, "ttl"),
        ("icmp 192.0.2.2 reply mtu=3", Code::UnknownKey, "mtu"),
        ("tcp 192.0.2.2:80 =3", Code::UnknownKey, "=3"),
    ]);
}

#[test]
fn rule_3_one_payload() {
    accepts(&[
        ("udp 192.0.2.2:9 data='hello world'", "ip 192.0.2.2 / udp :9 data='hello world'"),
        (r"udp 192.0.2.2:9 data='a\r\n\t\0\x27\\b'", r"ip 192.0.2.2 / udp :9 data='a\x0d\x0a\x09\x00\x27\x5cb'"),
        ("udp 192.0.2.2:9 hex=00FFa1", "ip 192.0.2.2 / udp :9 hex=00ffa1"),
        ("udp 192.0.2.2:9 zero=1400", "ip 192.0.2.2 / udp :9 zero=1400"),
        ("udp 192.0.2.2:9 rand=1k", "ip 192.0.2.2 / udp :9 rand=1000"),
        ("udp 192.0.2.2:9 file=~/x.bin", "ip 192.0.2.2 / udp :9 file='~/x.bin'"),
        ("udp 192.0.2.2:9 stdin", "ip 192.0.2.2 / udp :9 stdin"),
        // It belongs to the innermost layer, wherever it stands.
        ("ip 192.0.2.2 data=x / udp :9", "ip 192.0.2.2 / udp :9 data='x'"),
        ("udp 192.0.2.2:9 data=", "ip 192.0.2.2 / udp :9"),
    ]);
    refuses(&[
        ("udp 192.0.2.2:9 data=x zero=3", Code::SetTwice, "zero"),
        ("udp 192.0.2.2:9 stdin stdin", Code::SetTwice, "stdin"),
        ("udp 192.0.2.2:9 hex=0", Code::BadPayload, ""),
        ("udp 192.0.2.2:9 hex=0g", Code::BadPayload, "g"),
        (r"udp 192.0.2.2:9 data=\q", Code::BadPayload, ""),
        ("udp 192.0.2.2:9 zero=2M", Code::TooLong, "2M"),
        ("udp 192.0.2.2:9 file=", Code::BadPayload, "file="),
        ("udp 192.0.2.2:9 'data=x", Code::Quote, "data="),
        ("udp 192.0.2.2:9 data=\"x\"", Code::Quote, "data='"),
    ]);
}

#[test]
fn rule_4_ports_and_rule_7_addresses() {
    accepts(&[
        ("tcp 192.0.2.2 :80", "ip 192.0.2.2 / tcp :80"),
        ("tcp :http 192.0.2.2", "ip 192.0.2.2 / tcp :80"),
        ("tcp 192.0.2.2:http", "ip 192.0.2.2 / tcp :80"),
        ("tcp ::1 :0x50", "ip6 ::1 / tcp :80"),
        ("tcp [2001:db8::2]:80", "ip6 2001:db8::2 / tcp :80"),
        ("tcp [2001:db8::2] :80", "ip6 2001:db8::2 / tcp :80"),
        ("udp 192.0.2.2:0", "ip 192.0.2.2 / udp :0"),
        ("icmp6 2001:db8::2", "ip6 2001:db8::2 / icmp6"),
        ("icmp 192.0.2.2", "ip 192.0.2.2 / icmp"),
    ]);
    refuses(&[
        ("tcp 192.0.2.2", Code::PortMissing, "tcp"),
        ("udp 192.0.2.2 data=x", Code::PortMissing, "udp"),
        ("tcp 2001:db8::2:80", Code::PortMissing, "tcp"),
        ("tcp :80", Code::AddressMissing, "tcp"),
        ("ip", Code::AddressMissing, "ip"),
        ("arp", Code::AddressMissing, "arp"),
        ("tcp 192.0.2.2:80 :81", Code::SetTwice, ":81"),
        ("tcp 192.0.2.2:80 192.0.2.3", Code::SetTwice, "192.0.2.3"),
        ("tcp 192.0.2.2:65536", Code::ValueTooLarge, "65536"),
        ("tcp 192.0.2.2:080", Code::BadValue, "080"),
        ("tcp 192.0.2.2:htpp", Code::BadValue, "htpp"),
        ("tcp 192.0.2.2:", Code::BadValue, ""),
        ("tcp 192.0.2:80", Code::BadAddress, "192.0.2:80"),
        ("tcp 192.0.2.256:80", Code::BadAddress, "192"),
        ("tcp 010.0.0.1:80", Code::BadAddress, "010"),
        ("ip 0x7f.1", Code::UnknownWord, "0x7f.1"),
        ("ip 192.0.2.2:80", Code::PortNotHere, ":80"),
        ("icmp 192.0.2.2 :80", Code::PortNotHere, ":80"),
        ("icmp 2001:db8::2", Code::BadAddress, "2001"),
        ("ip 2001:db8::2", Code::BadAddress, "2001"),
        ("ip6 192.0.2.2", Code::BadAddress, "192"),
        ("tcp 192.0.2.2:80 src=2001:db8::1", Code::BadAddress, "src"),
        ("eth 192.0.2.2", Code::BadAddress, "192"),
        ("eth 02:00:00:00:00", Code::UnknownWord, "02"),
        ("vlan host", Code::UnknownWord, "host"),
    ]);
}

#[test]
fn rule_5_flags_of_tcp() {
    accepts(&[
        ("tcp 192.0.2.2:80 S", "ip 192.0.2.2 / tcp :80 S"),
        ("tcp 192.0.2.2:80 AS", "ip 192.0.2.2 / tcp :80 SA"),
        ("tcp 192.0.2.2:80 S.", "ip 192.0.2.2 / tcp :80 SA"),
        ("tcp 192.0.2.2:80 .", "ip 192.0.2.2 / tcp :80 A"),
        ("tcp 192.0.2.2:80 FSRPAUEWe", "ip 192.0.2.2 / tcp :80 FSRPAUEWe"),
        ("tcp 192.0.2.2:80 none", "ip 192.0.2.2 / tcp :80 none"),
        ("tcp 192.0.2.2:80 SYN,ACK", "ip 192.0.2.2 / tcp :80 SA"),
        ("tcp 192.0.2.2:80 RST", "ip 192.0.2.2 / tcp :80 R"),
        ("tcp 192.0.2.2:80 flags=0x12", "ip 192.0.2.2 / tcp :80 SA"),
        ("tcp S 192.0.2.2:80", "ip 192.0.2.2 / tcp :80 S"),
    ]);
    refuses(&[
        ("tcp 192.0.2.2:80 S A", Code::SetTwice, "A"),
        ("tcp 192.0.2.2:80 SS", Code::UnknownWord, "SS"),
        ("tcp 192.0.2.2:80 s", Code::UnknownWord, "s"),
        ("tcp 192.0.2.2:80 SYN,", Code::UnknownWord, "SYN,"),
        ("udp 192.0.2.2:80 S", Code::UnknownWord, "S"),
        ("tcp 192.0.2.2:80 flags=512", Code::ValueTooLarge, "512"),
    ]);
}

#[test]
fn rule_6_bare_words_and_options_in_their_order() {
    accepts(&[
        (
            "tcp 192.0.2.2:80 mss=1460 sack ts=1:0 nop wscale=7",
            "ip 192.0.2.2 / tcp :80 mss=1460 sack ts=1:0 nop wscale=7",
        ),
        ("tcp 192.0.2.2:80 nop nop sack=1:2:3:4 eol", "ip 192.0.2.2 / tcp :80 nop nop sack=1:2:3:4 eol"),
        (
            "tcp 192.0.2.2:80 tfo uto=1:5 md5=0xff",
            "ip 192.0.2.2 / tcp :80 tfo uto=1:5 md5=0x000000000000000000000000000000ff",
        ),
        ("tcp 192.0.2.2:80 tfo=01020304", "ip 192.0.2.2 / tcp :80 tfo=01020304"),
        ("tcp 192.0.2.2:80 tfo= opt=34 opt=34:0102", "ip 192.0.2.2 / tcp :80 tfo tfo tfo=0102"),
        ("tcp 192.0.2.2:80 opt=254:f989 mss=1 mss=2", "ip 192.0.2.2 / tcp :80 opt=254:f989 mss=1 mss=2"),
        ("tcp 192.0.2.2:80 opts=0204 nop", "ip 192.0.2.2 / tcp :80 mss=cut:01"),
        ("ip 192.0.2.2 ra=0 rr=4:00000000 df", "ip 192.0.2.2 df ra=0 rr=4,0.0.0.0"),
        ("ip 192.0.2.2 qs=0:5:77:1 sec=0xab:01", "ip 192.0.2.2 qs=0:5:77:0x00000001 sec=171:01"),
        ("ip 192.0.2.2 tr=7:0:65535:192.0.2.1", "ip 192.0.2.2 tr=7:0:65535:192.0.2.1"),
        ("icmp 192.0.2.2 reply id=1 seq=2", "ip 192.0.2.2 / icmp type=reply id=1 seq=2"),
        ("icmp 192.0.2.2 type=unreach code=port", "ip 192.0.2.2 / icmp type=unreach code=port"),
        ("icmp 192.0.2.2 code=fragneeded mtu=1400 type=3", "ip 192.0.2.2 / icmp type=unreach code=fragneeded mtu=1400"),
        ("icmp 192.0.2.2 extecho seq=8 local=1", "ip 192.0.2.2 / icmp type=extecho seq=8 local=1"),
        ("icmp6 ff02::6a mradvert interval=20", "ip6 ff02::6a / icmp6 type=mradvert interval=20"),
        (
            "icmp6 2001:db8::2 nodereply code=refused qtype=name",
            "ip6 2001:db8::2 / icmp6 type=nodereply code=refused qtype=2",
        ),
        ("arp 192.0.2.2 reply", "eth / arp 192.0.2.2 op=reply"),
        (
            "icmp6 ff02::1 ra managed slla=02:00:00:00:00:01",
            "ip6 ff02::1 / icmp6 type=ra managed slla=02:00:00:00:00:01",
        ),
    ]);
    refuses(&[
        ("tcp 192.0.2.2:80 mss", Code::UnknownWord, "mss"),
        ("tcp 192.0.2.2:80 mss=70000", Code::BadValue, "mss"),
        ("tcp 192.0.2.2:80 sack=1:2:3", Code::BadValue, "sack"),
        ("tcp 192.0.2.2:80 tfo=123", Code::BadValue, "tfo"),
        ("tcp 192.0.2.2:80 uto=1", Code::BadValue, "uto"),
        ("tcp 192.0.2.2:80 uto=0:32768", Code::BadValue, "uto"),
        ("tcp 192.0.2.2:80 md5=0x100000000000000000000000000000000", Code::BadValue, "md5"),
        ("tcp 192.0.2.2:80 md5", Code::UnknownWord, "md5"),
        ("tcp 192.0.2.2:80 ts=1", Code::BadValue, "ts"),
        ("tcp 192.0.2.2:80 opt=256:00", Code::BadValue, "256"),
        ("tcp 192.0.2.2:80 nop=1", Code::UnknownKey, "nop"),
        ("tcp 192.0.2.2:80 sack=1:2:3:4:5:6:7:8 ts=1:2", Code::OptionsTooLong, "tcp"),
        ("icmp6 2001:db8::2 ns", Code::FieldMissing, "icmp6"),
        ("ip 192.0.2.2 df df=1", Code::SetTwice, "df=1"),
    ]);
}

#[test]
fn rule_8_names_directly_behind_the_layer_and_with_a_port_anywhere() {
    accepts(&[
        ("tcp server:80 S", "ip server / tcp :80 S"),
        ("tcp S server:80", "ip server / tcp :80 S"),
        ("tcp www.example.com :80", "ip www.example.com / tcp :80"),
        ("icmp server", "ip server / icmp"),
        ("ip6 server", "ip6 server"),
        ("tcp server:80 src=client", "ip server src=client / tcp :80"),
    ]);
    refuses(&[
        ("tcp :80 server", Code::UnknownWord, "server"),
        ("ip server:80", Code::PortNotHere, ":80"),
        ("tcp ser_ver!:80", Code::UnknownWord, "'ser"),
        ("tcp -server:80", Code::UnknownWord, "-server"),
    ]);
}

#[test]
fn an_address_for_a_name_decides_the_version() {
    let names = |packet: &Packet| {
        packet.names().iter().map(|(name, family)| ((*name).to_string(), *family)).collect::<Vec<_>>()
    };
    let mut packet = parse("tcp server:80 S ttl=9 tos=4").unwrap();
    assert_eq!(names(&packet), [("server".to_string(), Family::Either)]);
    assert_eq!(packet.build(&Context::default()).unwrap_err().code(), "name-unresolved");
    packet.resolve(|_, _| "2001:db8::2".parse::<std::net::IpAddr>()).unwrap();
    assert_eq!(packet.to_string(), "ip6 2001:db8::2 tc=0x04 hlim=9 / tcp :80 S");
    assert_eq!(packet.build(&Context::default()).unwrap().bytes.len(), 60);

    let mut packet = parse("icmp server").unwrap();
    assert_eq!(names(&packet), [("server".to_string(), Family::V4)]);
    packet.resolve(|_, _| "2001:db8::2".parse::<std::net::IpAddr>()).unwrap();
    assert_eq!(packet.build(&Context::default()).unwrap_err().code(), "wrong-family");

    let mut packet = parse("tcp server:80 src=client").unwrap();
    assert_eq!(
        packet.resolve(|name, _| if name == "server" { Ok("192.0.2.2".parse().unwrap()) } else { Err("no") }),
        Err("no")
    );
    assert_eq!(names(&packet), [("client".to_string(), Family::V4)]);
}

#[test]
fn numbers() {
    accepts(&[
        ("ip 192.0.2.2 len=0x1f", "ip 192.0.2.2 len=31"),
        ("ip 192.0.2.2 len=0b101", "ip 192.0.2.2 len=5"),
        ("ip 192.0.2.2 len=1_000", "ip 192.0.2.2 len=1000"),
        ("ip 192.0.2.2 len=1k", "ip 192.0.2.2 len=1000"),
        ("ip 192.0.2.2 len=1Ki", "ip 192.0.2.2 len=1024"),
        ("tcp 192.0.2.2:80 seq=4G", "ip 192.0.2.2 / tcp :80 seq=4000000000"),
        ("ip 192.0.2.2 len=0", "ip 192.0.2.2 len=0"),
        ("ip 192.0.2.2 len=+4", "ip 192.0.2.2 len=+4"),
        ("ip 192.0.2.2 len=-4", "ip 192.0.2.2 len=-4"),
        ("ip 192.0.2.2 sum=+1", "ip 192.0.2.2 sum=+1"),
        ("ip 192.0.2.2 sum=swap+odd", "ip 192.0.2.2 sum=swap+odd"),
        ("ip 192.0.2.2 proto=tcp", "ip 192.0.2.2 proto=tcp"),
        ("ip 192.0.2.2 proto=6", "ip 192.0.2.2 proto=tcp"),
    ]);
    refuses(&[
        ("ip 192.0.2.2 len=01", Code::BadValue, "01"),
        ("ip 192.0.2.2 len=", Code::BadValue, ""),
        ("ip 192.0.2.2 len=_1", Code::BadValue, "_1"),
        ("ip 192.0.2.2 len=1_", Code::BadValue, "1_"),
        ("ip 192.0.2.2 len=0x", Code::BadValue, "0x"),
        ("ip 192.0.2.2 len=0b2", Code::BadValue, "0b2"),
        ("ip 192.0.2.2 len=1K", Code::BadValue, "1K"),
        ("ip 192.0.2.2 len=0x1k", Code::BadValue, "0x1k"),
        ("ip 192.0.2.2 len=65536", Code::ValueTooLarge, "65536"),
        ("ip 192.0.2.2 len=340282366920938463463374607431768211456", Code::ValueTooLarge, "3402"),
        ("ip 192.0.2.2 ttl=+1", Code::BadValue, "+1"),
        ("ip 192.0.2.2 sum=swop", Code::BadValue, "swop"),
        ("ip 192.0.2.2 sum=swap+", Code::BadValue, "swap+"),
        ("ip 192.0.2.2 ver=16", Code::ValueTooLarge, "16"),
    ]);
}

#[test]
fn layers_that_are_missing_are_made() {
    accepts(&[
        ("eth / tcp 192.0.2.2:80", "eth / ip 192.0.2.2 / tcp :80"),
        ("vlan vid=5 / ip 192.0.2.2", "eth / vlan vid=5 / ip 192.0.2.2"),
        ("icmp 192.0.2.2 type=unreach / udp 192.0.2.9:53", "ip 192.0.2.2 / icmp type=unreach / ip 192.0.2.9 / udp :53"),
        ("hopopt 2001:db8::2 / tcp :80", "ip6 2001:db8::2 / hopopt / tcp :80"),
        ("udp 192.0.2.2:4789 / tcp 192.0.2.3:80", "ip 192.0.2.2 / udp :4789 / ip 192.0.2.3 / tcp :80"),
    ]);
}

#[test]
fn a_line_is_divided_as_in_a_shell_but_with_one_kind_of_quotes() {
    accepts(&[
        ("  udp\t192.0.2.2:9   data='a b'  # a comment", "ip 192.0.2.2 / udp :9 data='a b'"),
        ("udp 192.0.2.2:9 data=a#b", "ip 192.0.2.2 / udp :9 data='a#b'"),
        ("udp 192.0.2.2:9 \\\n ttl=3", "ip 192.0.2.2 ttl=3 / udp :9"),
        ("udp 192.0.2.2:9 'data=a b'", "ip 192.0.2.2 / udp :9 data='a b'"),
    ]);
    let packet = parse_words(&["udp", "192.0.2.2:9", "data=a b 'c' \"d\""]).unwrap();
    assert_eq!(packet.to_string(), r#"ip 192.0.2.2 / udp :9 data='a b \x27c\x27 "d"'"#);
}

#[test]
fn an_error_shows_its_place_in_columns_of_a_terminal() {
    let error = parse("udp 192.0.2.2:9 data=한국 tll=3").unwrap_err();
    assert_eq!((error.column, error.display_column), (28, 26));
    assert_eq!(error.correction.as_deref(), Some("udp 192.0.2.2:9 data=한국 ttl=3"));
    let error = parse_words(&["tcp", "\u{1b}[31m\u{202e}x"]).unwrap_err();
    assert!(error.to_string().chars().all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}')), "{error:?}");
}

#[test]
fn an_error_prints_as_a_few_lines() {
    let error = parse("tcp 192.0.2.2:80 S tll=33").unwrap_err();
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "column 20: tcp has no `tll`");
    assert_eq!(lines[1], "    tcp 192.0.2.2:80 S tll=33");
    assert_eq!(lines[2], "                       ^^^");
    assert!(lines[3].starts_with("    here may stand: ADDR:PORT, :PORT"), "{text}");
    assert_eq!(*lines.last().unwrap(), "    did you mean:   tcp 192.0.2.2:80 S ttl=33");
    assert!(lines.iter().all(|line| line.len() <= 80), "{text}");
}

#[test]
fn limits_are_refused_with_a_sentence() {
    let words = vec!["nop"; wirewright_craft::MAX_WORDS + 1];
    assert_eq!(parse_words(&words).unwrap_err().code, Code::TooLong);
    let deep = vec!["ip 192.0.2.2"; wirewright_craft::MAX_LAYERS + 1].join(" / ");
    assert_eq!(parse(&deep).unwrap_err().code, Code::TooLong);
}

#[test]
fn a_plus_divides_packets() {
    let read = |line: &str| wirewright_craft::packets_words(&line.split(' ').collect::<Vec<_>>());
    let both = read("icmp 192.0.2.2 + ip 192.0.2.3 / udp :7,9").unwrap();
    let printed: Vec<_> = both.iter().map(ToString::to_string).collect();
    assert_eq!(printed, ["ip 192.0.2.2 / icmp", "ip 192.0.2.3 / udp :7,9"]);
    assert_eq!(both[1].count(), Some(2));
    // One packet is wanted.
    let error = parse("icmp 192.0.2.2 + udp 192.0.2.2:7").unwrap_err();
    assert_eq!((error.code, error.column), (Code::OnePacket, 15));
    assert_eq!(error.correction.as_deref(), Some("icmp 192.0.2.2"));
    // A mistake has its place in the whole line, and the whole line is corrected.
    let error = read("icmp 192.0.2.2 + tcp 192.0.2.2:80 S tll=3 + udp 192.0.2.2:9").unwrap_err();
    assert_eq!((error.column, error.word), (36, 6));
    assert_eq!(error.correction.as_deref(), Some("icmp 192.0.2.2 + tcp 192.0.2.2:80 S ttl=3 + udp 192.0.2.2:9"));
    for (line, column) in
        [("+ icmp 192.0.2.2", 0), ("icmp 192.0.2.2 +", 17), ("icmp 192.0.2.2 + + udp 192.0.2.2:9", 17)]
    {
        let error = read(line).unwrap_err();
        assert_eq!((error.code, error.column), (Code::LayerExpected, column), "{line}: {error}");
    }
}

#[test]
fn ranges_as_other_tools_write_them_are_put_right() {
    for (line, meant) in [
        ("tcp 192.0.2.2:79-81 S", Some("tcp 192.0.2.2:79..81 S")),
        ("tcp server:20-25,80 S", Some("tcp server:20..25,80 S")),
        ("icmp 192.0.2.1-9", Some("icmp 192.0.2.1..192.0.2.9")),
        ("tcp 192.0.2.1-9:80 S", Some("tcp 192.0.2.1..192.0.2.9:80 S")),
        ("ip 192.0.2.2 src=192.0.2.70..73 / udp :9", Some("ip 192.0.2.2 src=192.0.2.70..192.0.2.73 / udp :9")),
        ("ip 192.0.2.2 ttl=1,3-5 / udp :9", Some("ip 192.0.2.2 ttl=1,3..5 / udp :9")),
        ("ip 192.0.2.2 ttl=250-300 / udp :9", None),
        ("icmp 192.0.2.1-900", None),
    ] {
        let error = wirewright_craft::parse_template(line).unwrap_err();
        assert_eq!(error.correction.as_deref(), meant, "{line}: {error}");
    }
}
