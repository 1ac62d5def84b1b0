//! Packet files: what they say, and what is said of their mistakes, to the letter.

use std::fmt::Write as _;

use wirewright_craft::{Code, LANGUAGE_VERSION, MAX_WORDS, PacketFile};

fn printed(text: &str) -> Vec<String> {
    let file = PacketFile::read(text.into()).unwrap_or_else(|error| panic!("{error}"));
    (0..file.len()).map(|at| file.template(at).expect("it was read").to_string()).collect()
}

fn mistake(text: &str) -> String {
    PacketFile::read(text.into()).expect_err(text).to_string()
}

#[test]
fn a_file_is_packets_comments_and_variables() {
    let text = "# who\nww 1\n\n  # where\nserver = 192.0.2.2\nopts = mss=1460 sack\ntcp $server:80 S $opts # one\n\
                udp $server:53 \\\n   data='# $server'\r\nping = icmp $server zero=8\n$ping\nicmp 192.0.2.2 data='a#b'\n";
    assert_eq!(
        printed(text),
        [
            "ip 192.0.2.2 / tcp :80 S mss=1460 sack",
            "ip 192.0.2.2 / udp :53 data='# $server'",
            "ip 192.0.2.2 / icmp zero=8",
            "ip 192.0.2.2 / icmp data='a#b'",
        ]
    );
}

#[test]
fn a_file_may_lack_version_and_last_newline_and_begin_with_a_mark() {
    assert_eq!(printed("udp 192.0.2.2:9"), ["ip 192.0.2.2 / udp :9"]);
    assert_eq!(printed("\u{feff}ww 1\r\nudp 192.0.2.2:9\r\n"), ["ip 192.0.2.2 / udp :9"]);
}

#[test]
fn a_variable_may_be_set_behind_its_use_and_stand_in_a_word() {
    let text = "tcp $net.2:$low..$high S ttl=$ttl\nnet = 192.0.2\nlow = 20\nhigh = 25\nttl = $low\n";
    assert_eq!(printed(text), ["ip 192.0.2.2 ttl=20 / tcp :20..25 S"]);
}

#[test]
fn lines_know_their_numbers_and_counts() {
    let file =
        PacketFile::read("ww 1\n\nudp 192.0.2.2:1..9\n# no\nudp 192.0.2.0/24:1..1024\n".into()).expect("packets");
    assert_eq!((file.len(), file.line_number(0), file.line_number(1)), (2, 3, 5));
    let counts: Vec<_> = (0..2).map(|at| file.template(at).expect("a line").count()).collect();
    assert_eq!(counts, [Some(9), Some(256 * 1024)]);
    assert_eq!(file.template(2).expect_err("two lines").error.code, Code::NoPackets);
}

/// Text, and what is said of it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "ww 1\n\n  tcp 192.0.2.2:80  S tll=33\n",
        "\
line 3, column 23: tcp has no `tll`
      tcp 192.0.2.2:80  S tll=33
                          ^^^
    here may stand: ADDR:PORT, :PORT, flags as S SA PA . none, sport=, seq=,
                    ack=, doff=, win=, sum=, urg=, eol, nop, mss=, wscale=,
                    sack, sack=, ts=, md5=, uto=, tfo=, src=, dst=, ttl=, tos=,
                    data=, hex=
    did you mean:   tcp 192.0.2.2:80 S ttl=33",
    ),
    (
        "ww 2\nudp 192.0.2.2:9\n",
        "\
line 1, column 4: this file is written in version 2 of the packet language; this program reads version 1
    ww 2
       ^
    here may stand: 1
    did you mean:   ww 1",
    ),
    (
        "ww send udp 192.0.2.2:9\n",
        "\
line 1, column 4: a packet file begins with `ww 1`, the version of the language; commands have no place in it
    ww send udp 192.0.2.2:9
       ^^^^
    did you mean:   ww 1",
    ),
    (
        "udp 192.0.2.2:9\nww 1\n",
        "\
line 2, column 1: the version of the language stands in the first line of a file
    ww 1
    ^^",
    ),
    (
        "server = 192.0.2.2\nudp $sevrer:9 ttl=3\n",
        "\
line 2, column 5: nothing in this file says what `$sevrer` is
    udp $sevrer:9 ttl=3
        ^^^^^^^
    here may stand: $server
    did you mean:   udp $server:9 ttl=3",
    ),
    (
        "a = 1\nb = 2\na = 3\nudp 192.0.2.2:9\n",
        "\
line 3, column 1: `a` is set twice: line 1 says it already
    a = 3
    ^",
    ),
    (
        "loop = ttl=$loop\nudp 192.0.2.2:9\n",
        "\
line 1, column 12: a variable cannot stand for itself: $loop = $loop
    loop = ttl=$loop
               ^^^^^",
    ),
    (
        "x = 9\na = $b\nb = $x $c\nc = $a\nudp 192.0.2.2:9 ttl=$x\n",
        "\
line 4, column 5: a variable cannot stand for itself: $a = $b = $c = $a
    c = $a
        ^^",
    ),
    (
        "$port=9\nudp 192.0.2.2:$port\n",
        "\
line 1, column 1: a variable is written NAME = WORDS, its name in letters, digits and `_`, the first no digit
    $port=9
    ^^^^^^^
    here may stand: NAME = WORDS
    did you mean:   port = 9",
    ),
    (
        "two = 1 2\nudp 192.0.2.2:$two\n",
        "\
line 2, column 5: `$two` stands for 2 words; as a part of a word it must be one
    udp 192.0.2.2:$two
        ^^^^^^^^^^^^^^",
    ),
    (
        "udp 192.0.2.2:9 data=$5\n",
        "\
line 1, column 22: `$` begins the name of a variable; text with a `$` in it stands in single quotes
    udp 192.0.2.2:9 data=$5
                         ^",
    ),
    (
        "opts = mss=1460 sakc\ntcp 192.0.2.2:80 S $opts ttl=9\n",
        "\
line 2, column 20: tcp has no word `sakc`
    tcp 192.0.2.2:80 S $opts ttl=9
                       ^^^^^
    here may stand: ADDR:PORT, :PORT, flags as S SA PA . none, sport=, seq=,
                    ack=, doff=, win=, sum=, urg=, eol, nop, mss=, wscale=,
                    sack, sack=, ts=, md5=, uto=, tfo=, src=, dst=, ttl=, tos=,
                    data=, hex=
    did you mean:   tcp 192.0.2.2:80 S mss=1460 sack ttl=9
    stands for:   $opts: mss=1460 sakc",
    ),
    (
        "ww 1\nhost = 192.0.2.2\ntcp $host:80 S tll=9\n",
        "\
line 3, column 16: tcp has no `tll`
    tcp $host:80 S tll=9
                   ^^^
    here may stand: ADDR:PORT, :PORT, flags as S SA PA . none, sport=, seq=,
                    ack=, doff=, win=, sum=, urg=, eol, nop, mss=, wscale=,
                    sack, sack=, ts=, md5=, uto=, tfo=, src=, dst=, ttl=, tos=,
                    data=, hex=
    did you mean:   tcp $host:80 S ttl=9",
    ),
    (
        "udp 192.0.2.2:9 data='open\nudp 192.0.2.2:9\n",
        "\
line 1, column 17: the single quote is not closed
    udp 192.0.2.2:9 data='open
                    ^^^^^^^^^^",
    ),
    (
        "udp 192.0.2.2:9 \\\n  tlt=3\n",
        "\
line 2, column 3: udp has no `tlt`
      tlt=3
      ^^^
    here may stand: ADDR:PORT, :PORT, sport=, len=, sum=, src=, dst=, ttl=,
                    tos=, data=, hex=
    did you mean:   udp 192.0.2.2:9 ttl=3",
    ),
    (
        "udp 192.0.2.2:5..1\n",
        "\
line 1, column 15: `5..1`: the range ends before it begins
    udp 192.0.2.2:5..1
                  ^^^^
    did you mean:   udp 192.0.2.2:1..5",
    ),
    (
        "tcp 192.0.2.2 \\\n  S\n",
        "\
line 1, column 1: tcp needs a destination port: no packet is sent to port 0 unless :0 says so
    tcp 192.0.2.2 \\
    ^^^
    here may stand: :PORT, ADDR:PORT
    did you mean:   tcp 192.0.2.2 :80 S",
    ),
    (
        "# nothing\n",
        "\
line 1, column 1: there is no packet in this file
    # nothing
    ^",
    ),
];

#[test]
fn each_mistake_has_its_line_its_column_and_its_correction() {
    let mut wrong = String::new();
    for (text, says) in MISTAKES {
        let said = mistake(text);
        if said != *says {
            write!(wrong, "--- {text:?}\n{said}\n").expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_divider_too_many_is_marked_where_it_stands() {
    let said = mistake("udp 192.0.2.2:9 / / raw\n");
    assert!(said.starts_with("line 1, column 19: a layer should follow `/`\n"), "{said}");
    assert!(said.ends_with("did you mean:   udp 192.0.2.2:9 / raw"), "{said}");
}

#[test]
fn variables_never_grow_without_end() {
    let mut text = String::from("v0 = ttl=1 ttl=2 ttl=3 ttl=4 ttl=5 ttl=6 ttl=7 ttl=8 ttl=9 ttl=10\n");
    for at in 1..20 {
        writeln!(text, "v{at} = {}", format!("$v{} ", at - 1).repeat(10)).expect("a string");
    }
    let said = mistake(&format!("{text}udp 192.0.2.2:9 $v19\n"));
    let limit =
        format!("line 21, column 17: with what its variables stand for this line is longer than {MAX_WORDS} words");
    assert!(said.starts_with(&limit), "{said}");
    // The same laughs about nothing at all, and inside of one word.
    let empty = text.replacen("ttl=1 ttl=2 ttl=3 ttl=4 ttl=5 ttl=6 ttl=7 ttl=8 ttl=9 ttl=10", "", 1);
    assert!(mistake(&format!("{empty}udp 192.0.2.2:9 $v19\n")).starts_with("line 21, column 17: with what its"));
    let mut deep = String::from("w0 = 1\n");
    for at in 1..100 {
        writeln!(deep, "w{at} = $w{}", at - 1).expect("a string");
    }
    let said = mistake(&format!("{deep}udp 192.0.2.2:9\n"));
    assert!(said.contains("more than 32 variables stand for one another"), "{said}");
}

#[test]
fn the_version_is_the_one_that_is_read() {
    assert_eq!(LANGUAGE_VERSION, 1);
    for text in ["ww 1.1\nudp 192.0.2.2:9", "ww 0\nudp 192.0.2.2:9", "ww 18446744073709551617\nudp 192.0.2.2:9"] {
        assert_eq!(PacketFile::read(text.into()).expect_err(text).error.code, Code::Version);
    }
}

#[test]
fn what_looks_like_a_file_of_packets_is_told_from_a_dump() {
    for text in ["ww 1", "# x\n\ntcp 192.0.2.2:80", "raw hex=00", "a = b\nudp ::1 :9", "$a=b\nraw", "\u{feff}ip6 ::1"] {
        assert!(PacketFile::looks_like(text), "{text}");
    }
    for text in [
        "",
        "45 00 00 14",
        "0000  45 00",
        "IP 192.0.2.2 > 192.0.2.1",
        "b'\\x45'",
        "# only this",
        "wwf 1",
        "p = b'\\x45'",
    ] {
        assert!(!PacketFile::looks_like(text), "{text}");
    }
}

#[test]
fn hostile_text_is_refused_in_its_own_time() {
    let mut state = 7u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let pieces = [
        "ww 1",
        "\n",
        " ",
        "$",
        "a",
        "=",
        " = ",
        "'",
        "\\",
        "\\\n",
        "#",
        "tcp",
        "192.0.2.2:80",
        "é",
        "\u{202e}",
        "\t",
        "\r\n",
        "/",
    ];
    for _ in 0..20_000 {
        let text: String = (0..next(24)).map(|_| pieces[next(pieces.len())]).collect();
        if let Err(error) = PacketFile::read(text) {
            let said = error.to_string();
            assert!(!said.contains(['\t', '\r', '\u{202e}']), "{said:?}");
            assert!(error.line >= 1);
        }
    }
}
