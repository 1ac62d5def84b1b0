//! What packets look like, to the character.

use wirewright_inspect::{First, dissect};
use wirewright_render::{Catalogue, Detail, Lang, Style, draw, draw_frame, hex, line, sum, tree};

/// The beginner's packet: TOS 1, total length 0, TTL 255, protocol TCP with nothing behind, checksum bytes exchanged.
const BEGINNERS: [u8; 20] =
    [0x45, 0x01, 0x00, 0x00, 0xd4, 0x31, 0x00, 0x00, 0xff, 0x06, 0x0c, 0x64, 192, 168, 1, 103, 192, 168, 1, 1];

/// TCP SYN with options, checksums right.
#[rustfmt::skip]
const SYN: [u8; 56] = [
    0x45, 0x00, 0x00, 0x38, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0xa4, 0x88, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02, // ip
    0x9c, 0x40, 0x00, 0x50, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x02, 0xfa, 0xf0, 0xd2, 0x04, 0x00, 0x00, // tcp
    0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x01, 0x03, 0x03, 0x07, 0x00, 0x00, // options
    b'h', b'i', b'\n', 0x1b,
];

const UNICODE: Style = Style { unicode: true, ..Style::PLAIN };

#[test]
fn the_beginners_packet_is_drawn_as_in_the_rfc() {
    let drawn = draw(&dissect(&BEGINNERS, First::Ip), 0, &Style::PLAIN);
    let expected = "  0                   1                   2                   3
  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |  ver  |  ihl  |      tos      |              len              |
 |   4   |   5   |  0x01 ECT(1)  |               0               |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |              id               |E|D|M|           off           |
 |             54321             |0|0|0|            0            |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |      ttl      |     proto     |              sum              |
 |      255      |     6 TCP     |            0x0c64             |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                              src                              |
 |                         192.168.1.103                         |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                              dst                              |
 |                          192.168.1.1                          |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 E evil  D df  M mf
";
    assert_eq!(drawn, expected);
}

#[test]
fn boxes_join_at_every_corner() {
    let drawn = draw(&dissect(&SYN, First::Ip), 1, &UNICODE);
    let expected = "  0                   1                   2                   3
  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 ┌───────────────────────────────┬───────────────────────────────┐
 │             sport             │             dport             │
 │             40000             │            80 HTTP            │
 ├───────────────────────────────┴───────────────────────────────┤
 │                              seq                              │
 │                             4096                              │
 ├───────────────────────────────────────────────────────────────┤
 │                              ack                              │
 │                               0                               │
 ├───────┬─────┬─┬─┬─┬─┬─┬─┬─┬─┬─┬───────────────────────────────┤
 │ doff  │ res │e│W│E│U│A│P│R│S│F│              win              │
 │   8   │  0  │0│0│0│0│0│0│0│1│0│             64240             │
 ├───────┴─────┴─┴─┴─┴─┴─┴─┴─┴─┴─┼───────────────────────────────┤
 │              sum              │              urg              │
 │            0xd204             │               0               │
 ├───────────────┬───────────────┼───────────────────────────────┤
 │      mss      │      len      │              mss              │
 │       2       │       4       │             1460              │
 ├───────────────┼───────────────┼───────────────┬───────────────┤
 │     sack      │      len      │      nop      │    wscale     │
 │       4       │       2       │       1       │       3       │
 ├───────────────┼───────────────┼───────────────┼───────────────┤
 │      len      │     shift     │      eol      │      pad      │
 │       3       │       7       │       0       │      00       │
 └───────────────┴───────────────┴───────────────┴───────────────┘
";
    assert_eq!(drawn, expected);
}

#[test]
fn a_line_says_who_to_whom_what_and_what_is_wrong() {
    assert_eq!(
        line(&dissect(&SYN, First::Ip), &UNICODE),
        "192.0.2.1:40000 → 192.0.2.2:80 ip ttl=64 tcp seq=4096 S win=64240 mss=1460 sack nop wscale=7 eol 4 B 'hi\\n\\x1b'"
    );
    assert_eq!(
        line(&dissect(&BEGINNERS, First::Ip), &Style::PLAIN),
        "192.168.1.103 to 192.168.1.1 ip tos=0x01 ttl=255 [ip sum bytes-swapped] [ip length-short] [tcp header-cut]"
    );
    assert_eq!(line(&dissect(&[], First::Ethernet), &Style::PLAIN), "empty");
    let mut cookie = SYN;
    cookie[40..52].copy_from_slice(&[34, 6, 1, 2, 3, 4, 34, 2, 28, 4, 0x80, 5]);
    let said = line(&dissect(&cookie, First::Ip), &Style::PLAIN);
    assert!(said.contains(" tfo(4 B) tfo uto=1:5 "), "{said}");
}

#[test]
fn a_tree_shows_every_field_and_complains_in_sentences() {
    let drawn = tree(&dissect(&BEGINNERS, First::Ip), &Style::PLAIN, Catalogue::get(Lang::En));
    assert!(drawn.starts_with("Internet Protocol, version 4 (RFC 791 section 3.1)"), "{drawn}");
    assert!(drawn.contains("    tos    0x01 ECT(1)\n"), "{drawn}");
    assert!(drawn.contains("    sum    0x0c64  wrong, 0x640c is right (bytes-swapped)\n"), "{drawn}");
    let complaint = "!   Transmission Control Protocol should begin at byte 20 and needs 20 bytes; 0\n    are there.";
    assert!(drawn.contains(complaint), "{drawn}");
    assert!(drawn.is_ascii());
}

#[test]
fn a_hexdump_has_its_bytes_in_rows_and_their_fields_below() {
    let drawn = hex(&dissect(&BEGINNERS, First::Ip), &Style::PLAIN);
    let expected = "0000  45 01 00 00 d4 31 00 00  ff 06 0c 64 c0 a8 01 67  E....1.....d...g
0010  c0 a8 01 01                                       ....
      ip  ver+ihl 0  tos 1  len 2-3  id 4-5  evil+df+mf+off 6-7  ttl 8  proto 9
          sum a-b  src c-f  dst 10-13
";
    assert_eq!(drawn, expected);
    let colored = hex(&dissect(&BEGINNERS, First::Ip), &Style { color: true, ..Style::PLAIN });
    assert_eq!(
        without_colors(&colored).lines().take(2).collect::<Vec<_>>(),
        expected.lines().take(2).collect::<Vec<_>>()
    );
}

#[test]
fn the_sum_of_the_beginners_header_is_told_to_its_end() {
    let told = sum(&dissect(&BEGINNERS, First::Ip), Detail::Steps, &Style::PLAIN, Catalogue::get(Lang::En));
    let expected = "Internet Protocol, version 4: checksum in bytes 10 and 11
  covers      bytes 0 to 19
  stored      0x0c64
  right       0x640c
  leaves      0x57a8 when verified (0x0000 when right)
  once sent   0x63f8, with the total length 20 that the kernel fills in for 0
  verdict     bytes-swapped
  Your sum is right, its two bytes are exchanged: you added little-endian words
  and stored with network order. Use one order for both.
    byte                                  word       sum  carries
       0  ver ihl tos                   0x4501  0x004501        0
       2  len                           0x0000  0x004501        0
       4  id                            0xd431  0x011932        1
       6  evil df mf off                0x0000  0x011932        1
       8  ttl proto                     0xff06  0x021838        2
      10  the checksum, as 0            0x0000  0x021838        2
      12  src                           0xc0a8  0x02d8e0        2
      14  src                           0x0167  0x02da47        2
      16  dst                           0xc0a8  0x039aef        3
      18  dst                           0x0101  0x039bf0        3
  carries folded in: 0x39bf0, 0x9bf3
  complement: 0x640c

";
    assert_eq!(told, expected);
}

/// Takes our own colour codes out.
fn without_colors(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        rest = behind.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

/// Nothing but printable characters, line breaks, and colour codes of ours.
fn assert_printable(text: &str, what: &str) {
    let plain = without_colors(text);
    let odd = plain.chars().find(|char| char.is_control() && *char != '\n');
    assert_eq!(odd, None, "{what}: {plain:?}");
    for code in text.split("\x1b[").skip(1).map(|rest| rest.split_once('m').map_or(rest, |(code, _)| code)) {
        assert!(code.chars().all(|char| char.is_ascii_digit() || char == ';'), "{what}: {code:?}");
    }
}

/// How many frames are tried; `FRAMES=200000` in the environment for as many as that.
fn frames() -> usize {
    std::env::var("FRAMES").ok().and_then(|frames| frames.parse().ok()).unwrap_or(10_000)
}

#[test]
fn hostile_frames_neither_panic_nor_reach_the_terminal() {
    let mut state = 0x6a09_e667_f3bc_c908_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize
    };
    let seeds: [(&[u8], First); 4] = [
        (&SYN, First::Ip),
        (&BEGINNERS, First::Ip),
        (include_bytes!("frames/vlan-ip6-udp.bin"), First::Ethernet),
        (include_bytes!("frames/icmp-error.bin"), First::Ethernet),
    ];
    for round in 0..frames() {
        let (seed, mut first) = seeds[round % seeds.len()];
        let mut bytes = seed.to_vec();
        if round % 5 == 0 {
            bytes = (0..random() % 200).map(|_| random() as u8).collect();
            first = [First::Ethernet, First::Ip][random() % 2];
        }
        for _ in 0..random() % 6 {
            if !bytes.is_empty() {
                let at = random() % bytes.len();
                bytes[at] = random() as u8;
            }
        }
        bytes.truncate(random() % 200);
        let style = Style { color: round % 2 == 0, unicode: round % 3 == 0, width: random() % 130 };
        // Korean is spoken only where its letters can be shown.
        let words = Catalogue::get(if style.unicode && round % 2 == 0 { Lang::Ko } else { Lang::En });
        let frame = dissect(&bytes, first);
        assert_printable(&line(&frame, &style), "line");
        assert_printable(&tree(&frame, &style, words), "tree");
        assert_printable(&hex(&frame, &style), "hex");
        assert_printable(&draw_frame(&frame, &style, words), "drawing");
        assert_printable(&sum(&frame, Detail::Steps, &style, words), "sum");
        if !style.unicode {
            assert!(
                tree(&frame, &style, words).is_ascii() && draw_frame(&frame, &style, words).is_ascii(),
                "round {round}"
            );
        }
        // The drawing keeps to the width, from 34 columns on.
        let drawn = draw(&frame, 0, &Style { color: false, ..style });
        let is_box = |line: &&str| line.trim_start().starts_with(['|', '+', '│', '├', '┌', '└']);
        let widest = drawn.lines().filter(is_box).map(|line| line.chars().count()).max();
        assert!(widest.unwrap_or(0) <= style.width.max(34), "round {round}");
        let json = wirewright_render::dissection_json(&frame).to_string();
        assert!(json.starts_with('{') && !json.contains('\x1b'));
    }
}

#[test]
fn the_stops_of_a_routing_header_are_in_every_view() {
    let mut packet = vec![0x60, 0, 0, 0, 0, 24, 43, 64];
    packet.extend([0; 32]);
    packet.extend([59, 2, 0, 1, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    let frame = dissect(&packet, First::Ip);
    assert!(tree(&frame, &Style::PLAIN, Catalogue::get(Lang::En)).contains("  addr  Address: address=2001:db8::9\n"));
    assert!(draw(&frame, 1, &Style::PLAIN).contains("2001:db8::9"));
    assert!(hex(&frame, &Style::PLAIN).contains("addr 30-3f"));
}

#[test]
fn options_with_addresses_and_names_are_in_a_line_as_they_are_typed() {
    let built = |line: &str| {
        let packet = wirewright_craft::parse(line).unwrap_or_else(|error| panic!("{line}\n{error}"));
        packet.build(&wirewright_craft::Context::default()).unwrap().bytes
    };
    for (packet, words) in [
        ("ip 192.0.2.2 src=192.0.2.1 / tcp :80 A", "addaddr6=1:7:2001:db8::1,443"),
        ("ip 192.0.2.2 src=192.0.2.1 / tcp :80 A", "dss=FMA:1:2:3:4:0x0005"),
        ("ip 192.0.2.2 src=192.0.2.1 / tcp :80 A", "rmaddr=1,2,3"),
        ("ip6 ff02::1 src=2001:db8::1 / icmp6 type=ra", "rdnss=1800,2001:db8::53,2001:db8::54"),
        ("ip6 ff02::1 src=2001:db8::1 / icmp6 type=ra", "dnssl=1800,example.com,corp.example"),
    ] {
        let frame = built(&format!("{packet} {words}"));
        let dissection = dissect(&frame, First::Ip);
        let said = line(&dissection, &Style::PLAIN);
        assert!(said.contains(words), "{said}");
        let last = words.rsplit([',', ':']).next().unwrap();
        assert!(tree(&dissection, &Style::PLAIN, Catalogue::get(Lang::En)).contains(last), "{words}");
        assert!(
            draw_frame(&dissection, &UNICODE, Catalogue::get(Lang::En)).contains(last.trim_start_matches("0x")),
            "{words}"
        );
    }
}
