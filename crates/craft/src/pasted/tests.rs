//! One packet in every format, as the tools wrote it.

use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

use super::*;

/// 46 bytes: an IPv4 header and text that tries to look like a dump's own signs.
fn packet() -> Vec<u8> {
    let mut bytes = vec![
        0x45, 0, 0, 0x3c, 0x1c, 0x46, 0x40, 0, 0x40, 6, 0xb1, 0xe6, 0xac, 0x10, 0x0a, 0x63, 0xac, 0x10, 0x0a, 0x0c,
    ];
    bytes.extend_from_slice(b"|0123456789 ab  cd ef\x00\xff'\"\\");
    bytes
}

const XXD: &str = r#"
00000000: 4500 003c 1c46 4000 4006 b1e6 ac10 0a63  E..<.F@.@......c
00000010: ac10 0a0c 7c30 3132 3334 3536 3738 3920  ....|0123456789 
00000020: 6162 2020 6364 2065 6600 ff27 225c       ab  cd ef..'"\
"#;

const HEXDUMP_C: &str = r#"00000000  45 00 00 3c 1c 46 40 00  40 06 b1 e6 ac 10 0a 63  |E..<.F@.@......c|
00000010  ac 10 0a 0c 7c 30 31 32  33 34 35 36 37 38 39 20  |....|0123456789 |
00000020  61 62 20 20 63 64 20 65  66 00 ff 27 22 5c        |ab  cd ef..'"\|
0000002e
"#;

const HEXDUMP: &str = "0000000 0045 3c00 461c 0040 0640 e6b1 10ac 630a
0000010 10ac 0c0a 307c 3231 3433 3635 3837 2039
0000020 6261 2020 6463 6520 0066 27ff 5c22     
000002e
";

const OD: &str = "0000000 45 00 00 3c 1c 46 40 00 40 06 b1 e6 ac 10 0a 63
0000020 ac 10 0a 0c 7c 30 31 32 33 34 35 36 37 38 39 20
0000040 61 62 20 20 63 64 20 65 66 00 ff 27 22 5c
0000056
";

const OD_HEX: &str = r#"000000 45 00 00 3c 1c 46 40 00 40 06 b1 e6 ac 10 0a 63  >E..<.F@.@......c<
000010 ac 10 0a 0c 7c 30 31 32 33 34 35 36 37 38 39 20  >....|0123456789 <
000020 61 62 20 20 63 64 20 65 66 00 ff 27 22 5c        >ab  cd ef..'"\<
00002e
"#;

const OD_WORDS: &str = "0000000 0045 3c00 461c 0040 0640 e6b1 10ac 630a
0000020 10ac 0c0a 307c 3231 3433 3635 3837 2039
0000040 6261 2020 6463 6520 0066 27ff 5c22
0000056
";

const TCPDUMP: &str = r#"12:00:00.000000 IP truncated-ip - 14 bytes missing! 172.16.10.99.31792 > 172.16.10.12.12594: Flags [SUE], seq 859059510:859059526, win 8224, urg 8293, options [[bad opt]
	0x0000:  4500 003c 1c46 4000 4006 b1e6 ac10 0a63  E..<.F@.@......c
	0x0010:  ac10 0a0c 7c30 3132 3334 3536 3738 3920  ....|0123456789.
	0x0020:  6162 2020 6364 2065 6600 ff27 225c       ab..cd.ef..'"\
"#;

const WIRESHARK: &str = r#"0000   45 00 00 3c 1c 46 40 00 40 06 b1 e6 ac 10 0a 63   E..<.F@.@......c
0010   ac 10 0a 0c 7c 30 31 32 33 34 35 36 37 38 39 20   ....|0123456789 
0020   61 62 20 20 63 64 20 65 66 00 ff 27 22 5c         ab  cd ef..'"\
"#;

fn assert_reads(text: &str, format: Format) {
    let pasted = read(text.as_bytes()).unwrap_or_else(|error| panic!("{format:?}: {error}\n{text}"));
    assert_eq!(pasted.format, format, "{text}");
    assert_eq!(pasted.bytes, packet(), "{text}");
    assert_eq!(pasted.first, First::Ip);
}

#[test]
fn one_packet_in_every_format_gives_the_same_bytes() {
    let hex: String = packet().iter().map(|byte| format!("{byte:02x}")).collect();
    let list = |form: fn(&u8) -> String| packet().iter().map(form).collect::<Vec<_>>().join(", ");
    let escaped: String = packet().iter().map(|byte| format!("\\x{byte:02x}")).collect();
    assert_reads(&hex, Format::Hex);
    assert_reads(&hex.to_uppercase(), Format::Hex);
    assert_reads(&format!("0x{hex}"), Format::Hex);
    assert_reads(&list(|byte| format!("{byte:#04x}")).replace(',', ""), Format::Hex);
    assert_reads(&list(|byte| format!("{byte:02x}")).replace(", ", ":"), Format::Hex);
    assert_reads(&format!("  {}\n{}\n", &hex[..40], &hex[40..]), Format::Hex);
    for (text, format) in [
        (XXD, Format::Xxd),
        (HEXDUMP_C, Format::HexdumpC),
        (HEXDUMP, Format::LittleEndianWords),
        (OD, Format::Od),
        (OD_HEX, Format::Od),
        (OD_WORDS, Format::LittleEndianWords),
        (TCPDUMP, Format::Tcpdump),
        (WIRESHARK, Format::WiresharkDump),
        (&WIRESHARK.replace("   ", "  "), Format::WiresharkDump),
        (&TCPDUMP.replace('\n', "\r\n"), Format::Tcpdump),
    ] {
        assert_reads(text, format);
    }
    assert_reads(&format!("\"{}\" \\\n\"{}\"", &escaped[..80], &escaped[80..]), Format::EscapedString);
    assert_reads(&escaped, Format::EscapedString);
    let python = r#"b'E\x00\x00<\x1cF@\x00@\x06\xb1\xe6\xac\x10\nc\xac\x10\n\x0c|0123456789 ab  cd ef\x00\xff\'"\\'"#;
    assert_reads(python, Format::PythonBytes);
    assert_reads(&format!("packet = ({})", python), Format::PythonBytes);
    assert_reads(
        &format!("static const unsigned char packet[46] = {{\n{} /* 46 */\n}};", list(|b| format!("{b:#04x}"))),
        Format::CArray,
    );
    assert_reads(&format!("let packet: [u8; 46] = [{}];", list(|byte| format!("{byte}u8"))), Format::RustArray);
    assert_reads(&format!("[{},]", list(ToString::to_string)), Format::RustArray);
}

#[test]
fn a_dump_with_repeated_lines_left_out_is_filled() {
    let dump = "00000000  45 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |E...............|\n\
                00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
                00000040  01                                                |.|\n00000041\n";
    let bytes = read(dump.as_bytes()).unwrap().bytes;
    assert_eq!((bytes.len(), bytes[0], bytes[64]), (65, 0x45, 1));
}

#[test]
fn further_packets_are_counted() {
    let two = format!("{TCPDUMP}{TCPDUMP}");
    let pasted = read(two.as_bytes()).unwrap();
    assert_eq!((pasted.bytes, pasted.more), (packet(), 1));
}

#[test]
fn an_ethernet_frame_is_told_from_an_ip_packet() {
    let frame = "02000000000102000000000208004500001c000040004001b6ddc0000201c00002020800f7ff00000000";
    assert_eq!(read(frame.as_bytes()).unwrap().first, First::Ethernet);
    assert_eq!(read(&frame.as_bytes()[28..]).unwrap().first, First::Ip);
    assert_eq!(
        read(b"6000000000003b4020010db800000000000000000000000120010db8000000000000000000000002").unwrap().first,
        First::Ip
    );
}

#[test]
fn a_capture_is_recognised() {
    for bytes in [&b"\xd4\xc3\xb2\xa1\0\0"[..], b"\x0a\x0d\x0d\x0a\0", b"\x1f\x8b\x08"] {
        assert_eq!(read(bytes).unwrap_err().code, PasteCode::Capture);
    }
}

#[test]
fn mistakes_have_line_and_column() {
    for (text, code, line, column) in [
        ("", PasteCode::Empty, 0, 0),
        (" \n", PasteCode::Empty, 0, 0),
        ("4500\n00g0", PasteCode::BadCharacter, 2, 3),
        ("450", PasteCode::HalfByte, 1, 3),
        ("45 0 00", PasteCode::HalfByte, 1, 4),
        ("{ 1, 256 }", PasteCode::NumberTooLarge, 1, 6),
        ("{ 1, x }", PasteCode::BadCharacter, 1, 6),
        ("[1, 2", PasteCode::NotClosed, 1, 1),
        ("b'\\x4", PasteCode::NotClosed, 1, 2),
        ("b'\\x4g'", PasteCode::HalfByte, 1, 3),
        ("00000000: 4500\n00000004: 4500", PasteCode::OffsetMismatch, 2, 1),
        ("00000000: 45zz", PasteCode::BadCharacter, 1, 11),
        ("hello", PasteCode::BadCharacter, 1, 1),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!((error.code, error.line, error.column), (code, line, column), "{text:?}: {error}");
    }
    assert_eq!(read(b"\xff\xfe\x00").unwrap_err().code, PasteCode::NotText);
}
