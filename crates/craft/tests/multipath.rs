//! RFC 8684, RFC 6824: the options of Multipath TCP as frames of real connections have them, and every damaged form of them.

use wirewright_craft::{Context, First, Packet, parse, parse_template};

/// IP packets off the wire, and the words that their options are. Of two the data are left out.
const FRAMES: &[(&str, &str)] = &[
    (
        "45000040ad7f4000400676370a0001010a000201821a271481fbb5fd00000000b002ffff17340000020405b40402080a1baf9ea1000000\
         00010303081e040101",
        "mpcapable=1:H",
    ),
    (
        "4500004800004000400623af0a0002010a0001012714821a2f2c0b6d81fbb5fed012ffff173c0000020405b40402080ac337c5931baf9e\
         a1010303081e0c010129a6c86981ad933c",
        "mpcapable=1:H:0x29a6c86981ad933c",
    ),
    (
        "45000048ad8040004006762e0a0001010a000201821a271481fbb5fe2f2c0b6ed0100100173c00000101080a1baf9ea1c337c5931e1401\
         011fdb5df328bc3def29a6c86981ad933c",
        "mpcapable=1:H:0x1fdb5df328bc3def:0x29a6c86981ad933c",
    ),
    (
        "45001c08ad81400040065a6d0a0001010a000201821a271481fbb5fe2f2c0b6ee018010032fc00000101080a1baf9ea1c337c5931e1601\
         011fdb5df328bc3def29a6c86981ad933c20000101",
        "mpcapable=1:H:0x1fdb5df328bc3def:0x29a6c86981ad933c:8192",
    ),
    (
        "4500004832ea40004006f1bf0a0201020a0101028c790016ad98935a07822b7fd01000e5d1a400000101080affffa1b0ffffa2eb1e1400\
         819c9eabd1e46a33b2967d2770b6960552",
        "mpcapable=0:AH:0x9c9eabd1e46a33b2:0x967d2770b6960552",
    ),
    (
        "450000481b7040004006083a0a0201020a010202a10500166f17bab000000000d0023908d1f50000020405b40402080affffa1c0000000\
         00010303061e0c1000e47f01421b665a18",
        "mpjoin=0:0:0xe47f0142:0x1b665a18",
    ),
    (
        "4500004c899440003f069b110a0102020a0201020016a105659eaa6f6f17bab1e01237c8f9d40000020405b40402080affffa2f2ffffa1\
         c0010303051e1010015ab680c7884af03d33abe9d5",
        "mpjoinsa=0:1:0x5ab680c7884af03d:0x33abe9d5",
    ),
    (
        "4500004c1b714000400608350a0201020a010202a10500166f17bab1659eaa70e01000e58b1800000101080affffa1c0ffffa2f21e1810\
         00cb7b87f5e5f0502f43b535fb70ef6607df2e6c7a",
        "mpjoinack=0xcb7b87f5e5f0502f43b535fb70ef6607:0xdf2e6c7a",
    ),
    (
        "45001c0cf42b4000400613bf0a0002010a0001012714821a2f2c0b6e81fbd1baf0180138330000000101080ac337c5931baf9ea11e1a20\
         0fc8072fb90edab04ea28e87fddd1d30f200000001200001010",
        "dss=mMaA:14413541604287230030:11713449205243392242:1:8192",
    ),
    (
        "45000050ad8b40004006761b0a0001010a000201821a271481fbde1a2f2c2b6ef0110143174400000101080a1baf9ea1c337c5931e1a20\
         1fa28e87fddd1d50f2c8072fb90edad86a0000000000010101",
        "dss=FmMaA:11713449205243400434:14413541604287240298:0:1",
    ),
    (
        "450000481b974000400608130a0201020a010202a10500166f17bfe9659eb758d01001367d7600000101080affffa540ffffa6741e1420\
         15d1b99601d52ad2cb0000000000010a51",
        "dss=FMA:3518600705:3576353483:0:1:0x0a51",
    ),
    (
        "45000040088c40003f061c260a0102020a0201020016a105659eb2d86f17bd19b01002c3be6e00000101080affffa536ffffa24a1e0440\
         001e082001d52acffb",
        "rmaddr=0 dss=A:3576352763",
    ),
    (
        "4500004c27fb40004006faae0a0001010a0003022710d5d19b4b0eecaab1178ee01001fe184100000101080a79b051273009cb9e1e1030\
         010a000201f8295862f645df191e082001d0bd7aef",
        "addaddr=0:1:10.0.2.1:0xf8295862f645df19 dss=A:3502078703",
    ),
    (
        "450000485af440004006c9b90a0001020a0001018c542710caf2de7f8ebbbad3d01001f5163d00000101080a16407324fed4eb3e1e0831\
         010a0002011e0c2003f9948ef804577f69",
        "addaddr=1:1:10.0.2.1 dss=aA:17984156407873109865",
    ),
    (
        "45000079899440003f069be40a0101020a02010200168c7907822b7fad98935af01801bf536500000101080affffa2f2ffffa1b01e0834\
         010a0102021e142005d52abecad1b97490000000010029082f5353482d322e302d4f70656e5353485f352e3570312044656269616e2d36\
         2b73717565657a65310d0a",
        "addaddrv0=1:10.1.2.2 dss=MA:3576348362:3518592144:1:41:0x082f",
    ),
    (
        "45000040380840003f06eda90a0101020a020102926707d270fdad54aafe9728b01000e5e3f400000101080a0000974effffa2121e0c70\
         00d005b1ab34bad344",
        "mpfastclose=0xd005b1ab34bad344",
    ),
    // A data sequence signal without its flags.
    (
        "4510003c9c3740004006a0727f0000017f000001e01a00176785c90300000000a0028018fe3000000204400c0402080a23975534000000\
         001e032000",
        "opt=30:20",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn built(line: &str) -> Vec<u8> {
    parse(line).unwrap_or_else(|error| panic!("{line}\n{error}")).build(&Context::default()).unwrap().bytes
}

#[test]
fn frames_off_the_wire_are_words_and_the_words_the_same_frames() {
    for (hex, words) in FRAMES {
        let frame = bytes(hex);
        let line = Packet::from_bytes(&frame, First::Ip).to_string();
        assert!(line.contains(&format!(" {words}")), "not {words}: {line}");
        assert_eq!(built(&line), frame, "{line}");
    }
}

/// Words, and the option's bytes behind its kind and length: what no capture of ours has.
const WORDS: &[(&str, &str)] = &[
    ("mpcapable=1:none", "0100"),
    ("mpcapable=1:H:1:2:3:4", "010100000000000000010000000000000002000300 04"),
    ("dss=none", "2000"),
    ("dss=F", "2010"),
    ("dss=AaM:1:2:3:4", "2007 0000000000000001 00000002 00000003 0004"),
    ("addaddr=0:7:192.0.2.1:443:0x1122334455667788", "3007 c0000201 01bb 1122334455667788"),
    ("addaddr=1:7:192.0.2.1:443", "3107 c0000201 01bb"),
    ("addaddr6=0:7:2001:db8::1,0x1122334455667788", "3007 20010db8000000000000000000000001 1122334455667788"),
    ("addaddr6=0:7:2001:db8::1,443:0x1122334455667788", "3007 20010db8000000000000000000000001 01bb 1122334455667788"),
    ("addaddr6=1:7:2001:db8::1", "3107 20010db8000000000000000000000001"),
    ("addaddr6=1:7:2001:db8::1,443", "3107 20010db8000000000000000000000001 01bb"),
    ("addaddrv0=7:192.0.2.1:443", "3407 c0000201 01bb"),
    ("addaddr6v0=7:2001:db8::1", "3607 20010db8000000000000000000000001"),
    ("addaddr6v0=7:2001:db8::1,443", "3607 20010db8000000000000000000000001 01bb"),
    ("rmaddr=1,2,3", "40010203"),
    ("mpprio=1", "51"),
    ("mpprio=0:9", "5009"),
    ("mpfail=7", "6000 0000000000000007"),
    ("mptcprst=1:middlebox", "8106"),
];

#[test]
fn each_form_has_its_words() {
    for (words, hex) in WORDS {
        let value = bytes(&hex.replace(' ', ""));
        let packet = built(&format!("ip 192.0.2.2 src=192.0.2.1 / tcp :80 A sport=1 seq=1 {words}"));
        assert_eq!(packet[40..42], [30, u8::try_from(value.len() + 2).unwrap()], "{words}");
        assert_eq!(packet[42..42 + value.len()], value, "{words}");
        let line = Packet::from_bytes(&packet, First::Ip).to_string();
        let key = words.split('=').next().unwrap();
        assert!(line.contains(&format!(" {key}=")) && built(&line) == packet, "{words}: {line}");
    }
}

#[test]
fn values_may_be_many() {
    for (words, third) in [
        ("dss=MA:1..9:7:0:10:0x0005", "dss=MA:3:7:0:10:0x0005"),
        ("dss=A:inc:5:2", "dss=A:9"),
        ("dss=MA:rand:3..3:7:inc:1:1:10", "dss=MA:3:7:3:10"),
        ("addaddr6=1:1..4:2001:db8::1,443", "addaddr6=1:3:2001:db8::1,443"),
        ("addaddr=1:7:192.0.2.1:80..90", "addaddr=1:7:192.0.2.1:82"),
        ("addaddr6=1:1:2001:db8::1,80,443", "addaddr6=1:1:2001:db8::1,80"),
        ("rmaddr=4,2", "rmaddr=4,2"),
    ] {
        let template = parse_template(&format!("tcp 192.0.2.2:80 A {words}"));
        let template = template.unwrap_or_else(|error| panic!("{words}\n{error}"));
        assert_eq!(template.to_string(), format!("ip 192.0.2.2 / tcp :80 A {words}"));
        assert!(template.packet(2, [0; 32]).to_string().ends_with(third), "{}", template.packet(2, [0; 32]));
    }
}

#[test]
fn values_that_do_not_fit_the_flags_are_refused_with_the_form() {
    for (words, says) in [
        ("dss=A", "FLAGS[:ACK][:ACK8][:DSN][:DSN8][:SSN][:LEN][:SUM]"),
        ("dss=none:1", "FLAGS[:ACK]"),
        ("dss=A:1:2", "FLAGS[:ACK]"),
        ("addaddr=0:1:192.0.2.1", "ECHO:ID:ADDRESS[:PORT][:HMAC]"),
        ("mpcapable=1:H:1:2:3:4:5", "VER:FLAGS[:SKEY][:RKEY][:LEN][:SUM]"),
        ("addaddr6=1:1:2001:db8::1,1:2:3", "ECHO:ID:ADDRESS[:PORT][:HMAC]"),
        ("mpjoin=1:2", "BACKUP:ID:TOKEN:NONCE"),
        ("mptcprst=1:bogus", "REASON"),
        ("dss=X", "FLAGS takes letters out of AaMmF, or a number"),
    ] {
        let error = parse(&format!("tcp 192.0.2.2:80 A {words}")).expect_err(words).to_string();
        assert!(error.contains(says), "{words}: {error}");
    }
}

/// Every subtype and every flag in options of every length, and cut off everywhere: the same bytes come back.
#[test]
fn no_damage_is_lost_or_panics() {
    let head = built("ip 192.0.2.2 src=192.0.2.1 / tcp :80 A sport=1 seq=1 opts=00");
    let mut named = 0;
    for first in 0..=u8::MAX {
        // The second byte decides in a data sequence signal alone.
        for second in (0..=0x21).filter(|second| first >> 4 == 2 || *second < 2) {
            for len in 2..=40_u8 {
                let mut value = vec![0xa5; usize::from(len)];
                value[0] = 30;
                value[1] = len;
                value.iter_mut().skip(2).zip([first, second]).for_each(|(byte, bits)| *byte = bits);
                // A whole option, padded; or one that says more than there is.
                let cut = usize::from(first.wrapping_mul(31).wrapping_add(second)) % 41;
                let there = if first & 1 == 0 || cut < 2 { value.len() } else { cut.min(value.len()) };
                let mut frame = head[..40].to_vec();
                frame.extend(&value[..there]);
                frame.resize(40 + there.next_multiple_of(4), 0);
                frame[32] = u8::try_from((frame.len() - 20) * 4).unwrap();
                frame[3] = u8::try_from(frame.len()).unwrap();
                let line = Packet::from_bytes(&frame, First::Ip).to_string();
                let again = parse(&line).unwrap_or_else(|error| panic!("{line}\n{error}"));
                assert_eq!(again.build(&Context::default()).unwrap().bytes, frame, "{line}");
                assert_eq!(again.to_string(), line, "one printed form");
                named += usize::from(!line.contains("opt"));
            }
        }
    }
    assert!(named > 100, "{named} whole options");
}
