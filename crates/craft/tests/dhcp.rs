//! DHCP messages: their words, their bytes, and what is read of messages that are damaged.

use wirewright_craft::{Context, First, Layer, Packet, Setting, parse, walk};

/// Where the options begin in a message on IPv4 and UDP.
const OPTIONS: usize = 20 + 8 + 240;

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

/// A message with these options, as a client sends it.
fn captured(options: &[u8]) -> Vec<u8> {
    let mut message = bytes("dhcp noend xid=1 chaddr=02:00:00:00:00:01 ip.id=1");
    assert_eq!(message.len(), OPTIONS);
    message.extend(options);
    let (whole, carried) = (message.len() as u16, (message.len() - 20) as u16);
    message[2..4].copy_from_slice(&whole.to_be_bytes());
    message[24..26].copy_from_slice(&carried.to_be_bytes());
    message
}

#[test]
fn a_message_is_what_rfc_2131_draws() {
    let message = bytes(
        "dhcp discover xid=0x3903f326 secs=5 bcast chaddr=02:00:00:00:00:01 reqip=192.0.2.9 params=1:3:dns:15 hostname=laptop \
         clientid=1:020000000001 maxsize=1500",
    );
    assert_eq!(message[9..10], [17]);
    assert_eq!(message[12..20], [0, 0, 0, 0, 255, 255, 255, 255]);
    assert_eq!(message[20..24], [0, 68, 0, 67]);
    let dhcp = &message[28..];
    assert_eq!(dhcp[..12], [1, 1, 6, 0, 0x39, 0x03, 0xf3, 0x26, 0, 5, 0x80, 0]);
    assert!(dhcp[12..28].iter().chain(&dhcp[34..236]).all(|&byte| byte == 0));
    assert_eq!(dhcp[28..34], [2, 0, 0, 0, 0, 1]);
    assert_eq!(dhcp[236..240], [0x63, 0x82, 0x53, 0x63]);
    let expected: &[&[u8]] = &[
        &[53, 1, 1],
        &[50, 4, 192, 0, 2, 9],
        &[55, 4, 1, 3, 6, 15],
        b"\x0c\x06laptop",
        &[61, 7, 1, 2, 0, 0, 0, 0, 1],
        &[57, 2, 0x05, 0xdc],
        &[255],
    ];
    assert_eq!(dhcp[240..], expected.concat());
}

#[test]
fn who_speaks_follows_from_the_kind_of_message() {
    for (kind, op, source, destination) in [
        ("discover", 1, 68, 67),
        ("request", 1, 68, 67),
        ("decline", 1, 68, 67),
        ("release", 1, 68, 67),
        ("inform", 1, 68, 67),
        ("offer", 2, 67, 68),
        ("ack", 2, 67, 68),
        ("nak", 2, 67, 68),
        ("type=2", 2, 67, 68),
        ("opt=53:05", 2, 67, 68),
        ("hostname=offer", 1, 68, 67),
    ] {
        let message = bytes(&format!("dhcp {kind}"));
        assert_eq!((message[28], message[21], message[23]), (op, source, destination), "{kind}");
        assert!(printed(&message).contains(" / dhcp xid="), "{kind}");
    }
    assert_eq!(bytes("dhcp offer op=bootrequest")[28], 1);
    assert_eq!(bytes("dhcp offer op=7")[28], 7);
}

#[test]
fn the_layers_below_take_what_their_words_leave_open() {
    for (line, below) in [
        ("dhcp discover", "ip 255.255.255.255 src=0.0.0.0 / udp :67 sport=68"),
        ("ip / udp / dhcp discover", "ip 255.255.255.255 src=0.0.0.0 / udp :67 sport=68"),
        ("dhcp offer src=192.0.2.1", "ip 255.255.255.255 src=192.0.2.1 / udp :68 sport=67"),
        ("dhcp 192.0.2.7:1067 discover", "ip 192.0.2.7 src=0.0.0.0 / udp :1067 sport=68"),
        ("dhcp 192.0.2.1 request ciaddr=192.0.2.9", "ip 192.0.2.1 / udp :67 sport=68"),
        ("dhcp 192.0.2.1 discover giaddr=192.0.2.2 udp.sport=67", "ip 192.0.2.1 src=0.0.0.0 / udp :67 sport=67"),
        (
            "ip 192.0.2.1 src=192.0.2.9 ttl=9 / udp :9 sport=7 / dhcp discover",
            "ip 192.0.2.1 src=192.0.2.9 ttl=9 / udp :9 sport=7",
        ),
        (
            "eth 02:00:00:00:00:01 / dhcp discover",
            "eth 02:00:00:00:00:01 / ip 255.255.255.255 src=0.0.0.0 / udp :67 sport=68",
        ),
    ] {
        let packet = parse(line).unwrap_or_else(|error| panic!("{error}")).to_string();
        assert_eq!(packet.split_once(" / dhcp").map(|(below, _)| below), Some(below), "{line}");
    }
}

#[test]
fn an_end_is_put_behind_the_options_unless_they_have_one_or_none_is_wanted() {
    for (line, options) in [
        ("dhcp", &[255][..]),
        ("dhcp noend", &[]),
        ("dhcp end", &[255]),
        ("dhcp pad pad", &[0, 0, 255]),
        ("dhcp discover", &[53, 1, 1, 255]),
        ("dhcp discover noend", &[53, 1, 1]),
        ("dhcp end discover", &[255, 53, 1, 1]),
        ("dhcp opts=3501", &[0x35, 1, 255]),
        ("dhcp opts=3501 noend", &[0x35, 1]),
        ("dhcp lease=cut noend", &[51]),
        ("dhcp hex=0102", &[255, 1, 2]),
    ] {
        let message = bytes(line);
        assert_eq!(&message[OPTIONS..], options, "{line}");
        printed(&message);
    }
    assert_eq!(printed(&captured(&[53, 1, 1, 255])).rsplit(' ').next(), Some("discover"));
    assert!(printed(&captured(&[53, 1, 1])).ends_with(" discover noend"));
    // What stands behind the end is what the message carries: clients fill the 300 bytes of BOOTP.
    let mut filled = vec![53, 1, 1, 255];
    filled.resize(60, 0);
    assert!(printed(&captured(&filled)).ends_with(" discover zero=56"));
}

#[test]
fn options_are_printed_as_they_are_written() {
    for words in [
        "offer lease=3600 router=192.0.2.1:192.0.2.2 dns=192.0.2.53",
        "static=192.0.2.3:192.0.2.4:192.0.2.5:192.0.2.6",
        "hostname='' domain='example.com' message='it\\x27s \\x5c taken'",
        "clientid=0:6162 clientid=1 fqdn=0x05:0:0:066c6170 rapid relay=0104deadbeef routes=18c0000201",
        "overload=3 type=99 arch=7:9 mtu=1500 defttl=64 opt=3 opt=51:010203 opt=12:ff00ff opt=224:0102 pad",
    ] {
        let printed = printed(&bytes(&format!("dhcp chaddr=02:00:00:00:00:01 {words}")));
        assert!(printed.ends_with(&format!("chaddr=02:00:00:00:00:01 {words}")), "{words}\n{printed}");
    }
    for (said, same) in [("type=2", "offer"), ("params=mask:dns:15", "params=1:6:15"), ("overload=both", "overload=3")]
    {
        assert!(printed(&bytes(&format!("dhcp {said}"))).ends_with(same), "{said}");
    }
}

#[test]
fn texts_of_the_header_are_exact() {
    for (said, printed_as) in [
        ("sname=boot bootfile=pxelinux.0", "sname='boot' bootfile='pxelinux.0'"),
        ("sname=\\x00a", "sname='\\x00a'"),
        ("bootfile='a b\\n'", "bootfile='a b\\x0a'"),
        ("sname=", ""),
        ("sname=a\\0\\0", "sname='a'"),
    ] {
        let line = printed(&bytes(&format!("dhcp chaddr=02:00:00:00:00:01 {said}")));
        let told = line.split_once("chaddr=02:00:00:00:00:01").map(|(_, told)| told.trim_start());
        assert_eq!(told, Some(printed_as), "{said}");
    }
    let full = "x".repeat(64);
    assert_eq!(bytes(&format!("dhcp sname={full}"))[28 + 44..28 + 108], *full.as_bytes());

    let mut layer = Layer::new(First::from_word("dhcp").and_then(|first| first.desc(&[0])).unwrap());
    assert!(layer.set_text("sname", b"boot") && !layer.set_text("sname", &[1; 65]) && !layer.set_text("xid", b"x"));
    assert_eq!((layer.text("sname"), layer.get("sname")), (Some(&b"boot"[..]), Some(Setting::Text)));
    let (mut other, empty) = (layer.clone(), Layer::new(layer.desc()));
    assert!(other.set_text("sname", b"toob") && other != layer);
    assert!(layer.set("sname", Setting::Exactly(3)), "text has no value: it is emptied");
    assert_eq!((layer.text("sname"), &layer), (Some(&[][..]), &empty));
}

#[test]
fn damaged_messages_keep_their_bytes() {
    let whole = bytes("dhcp ack yiaddr=192.0.2.9 chaddr=02:00:00:00:00:01 lease=3600 hostname=x router=192.0.2.1");
    assert!(printed(&whole).contains(" / dhcp "));
    for at in 28..whole.len() {
        for value in [0, 1, 0x3f, 0x80, 0xff] {
            let mut lying = whole.clone();
            lying[at] = value;
            printed(&lying);
        }
    }
    for cut in 0..whole.len() {
        let mut short = whole[..cut].to_vec();
        printed(&short);
        // The lengths below say what is left.
        if cut >= 28 {
            short[2..4].copy_from_slice(&(cut as u16).to_be_bytes());
            short[24..26].copy_from_slice(&(cut as u16 - 20).to_be_bytes());
            assert_eq!(printed(&short).contains(" / dhcp "), cut >= OPTIONS, "cut at {cut}");
        }
    }
    let mut old = whole.clone();
    old[OPTIONS - 1] ^= 1;
    assert!(!printed(&old).contains("/ dhcp"), "another cookie is BOOTP of old: data");
    let mut elsewhere = whole;
    elsewhere[20..24].copy_from_slice(&[1, 0, 1, 1]);
    assert!(!printed(&elsewhere).contains("/ dhcp"), "other ports");
}

#[test]
fn one_list_of_64_kib_is_read_once() {
    // Pads alone: as many options as bytes, and the end found at the last.
    let mut most = vec![0; 65_000];
    most.push(255);
    let message = captured(&most);
    let chain = walk(&message, First::Ip);
    assert_eq!((chain.layers.len(), chain.payload.len()), (3, 0));
    assert_eq!(chain.layers[2].options.len(), 65_001);
}

#[test]
fn mistakes_have_their_sentences() {
    for (line, sentence) in [
        ("dhcp discovr", "dhcp has no word `discovr`"),
        ("dhcp discover reqip=192.0.2", "reqip=192.0.2: ADDRESS takes an IPv4 address"),
        ("dhcp discover params=1:300", "params=300: KIND is at most 255"),
        ("dhcp discover params=foo", "params=foo: KIND takes a number"),
        ("dhcp discover static=192.0.2.1", "static= takes DESTINATION:ROUTER"),
        ("dhcp discover hostname='a\\q'", "the escapes of text are"),
        ("dhcp discover bootfile='a\\q'", "the escapes of text are"),
        ("dhcp 2001:db8::1 discover", "that is an IPv6 address"),
        ("dhcp discover 192.0.2.1 192.0.2.2", "the destination is set twice"),
        ("dhcp discover sname=a sname=b", "dhcp.sname is set twice"),
    ] {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(sentence), "{line}\n{error}");
    }
    let long = "x".repeat(256);
    assert!(parse(&format!("dhcp discover hostname={long}")).unwrap_err().to_string().contains("hostname="));
    assert!(
        parse(&format!("dhcp sname={}", &long[..65]))
            .unwrap_err()
            .to_string()
            .contains("sname= has 65 bytes; at most 64 fit")
    );
    let mended = |line: &str| parse(line).unwrap_err().correction.map(String::from);
    for (line, right) in [
        ("dhcp discovr", "dhcp discover"),
        ("dhcp dhcpoffer", "dhcp offer"),
        ("dhcp discover lease_time=3600", "dhcp discover lease=3600"),
        ("dhcp discover htype=1 hwlen=6", "dhcp discover htype=1 hlen=6"),
    ] {
        assert_eq!(mended(line).as_deref(), Some(right), "{line}");
    }
}

#[test]
fn what_is_not_said_is_the_same_in_rust_and_in_words() {
    // Ports and source are those of the message also where no words were read.
    let mut packet = Packet::new();
    for key in ["ip", "udp", "dhcp"] {
        packet.layers.push(Layer::new(First::from_word(key).and_then(|first| first.desc(&[0x45])).unwrap()));
    }
    packet.layers[0].set("dst", Setting::Exactly(u32::MAX.into()));
    packet.layers[1].set("dport", Setting::Exactly(67));
    let context = Context { source_v4: Some([192, 0, 2, 1].into()), source_port: Some(4000), ..Context::default() };
    let built = packet.build(&context).unwrap().bytes;
    assert_eq!((&built[12..16], &built[20..22]), (&[0; 4][..], &[0, 68][..]));
    let again = parse(&packet.to_string()).unwrap().build(&context).unwrap().bytes;
    assert_eq!(again, built, "{packet}");
    assert_eq!((packet.port_of_message(1), packet.port_of_message(2)), (Some(68), None));
    packet.layers[2].set("ciaddr", Setting::Exactly(7));
    assert_eq!(
        packet.build(&context).unwrap().bytes[12..16],
        [192, 0, 2, 1],
        "who has an address sends from the route's"
    );
}

#[test]
fn domain_names_are_text_where_they_stand_whole() {
    for (line, bytes) in [
        ("dhcp discover search=example.com,corp.example", "771b076578616d706c6503636f6d0004636f7270076578616d706c6500"),
        ("dhcp discover fqdn=0x05:0:0,pc.example", "510f050000027063076578616d706c6500"),
        ("dhcp6 solicit search=example.com", "0018000d076578616d706c6503636f6d00"),
        ("dhcp6 solicit fqdn=0x01,pc.example", "0027000d01027063076578616d706c6500"),
        // A name without its end, one of digits, zeros behind the last, and a name that reads as what stands before digits.
        ("dhcp6 solicit fqdn=0x01:027063", "0027000401027063"),
        ("dhcp6 solicit search=beef", "00180006046265656600"),
        ("dhcp6 solicit search=0x0361626300000000", "001800080361626300000000"),
        ("dhcp6 solicit search=0x0430786162000361626300", "0018000b0430786162000361626300"),
    ] {
        let packet = parse(line).unwrap_or_else(|error| panic!("{line}\n{error}"));
        let built = packet.build(&Context::default()).unwrap().bytes;
        let hex: String = built.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(hex.contains(bytes), "{line}: {hex}");
        let printed = Packet::from_bytes(&built, First::Ip).to_string();
        let option = line.split(' ').nth(2).unwrap();
        assert!(printed.split(' ').any(|word| word == option), "{line}: {printed}");
        assert_eq!(parse(&printed).unwrap().build(&Context::default()).unwrap().bytes, built, "{printed}");
    }
}
