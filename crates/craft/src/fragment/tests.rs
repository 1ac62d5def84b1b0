use alloc::vec::Vec;
use std::vec;

use super::*;
use crate::{Built, First, parse};

fn context() -> Context {
    Context {
        source_v4: Some("192.0.2.1".parse().unwrap()),
        source_v6: Some("2001:db8::1".parse().unwrap()),
        entropy: [7; 32],
        ..Context::default()
    }
}

fn cut(words: &str, limit: usize) -> Result<(Built, Vec<Built>), FragmentError> {
    let packet = parse(words).unwrap();
    let built = packet.build(&context())?;
    let pieces = fragment(&packet, &built.bytes, limit)?;
    Ok((built, pieces.iter().map(|piece| piece.build(&context()).unwrap()).collect()))
}

/// The fields of a fragment: DF, MF, offset in bytes, identification.
fn v4(bytes: &[u8]) -> (bool, bool, usize, u16) {
    let flags = u16::from_be_bytes([bytes[6], bytes[7]]);
    let id = u16::from_be_bytes([bytes[4], bytes[5]]);
    (flags & 0x4000 != 0, flags & 0x2000 != 0, usize::from(flags & 0x1fff) * 8, id)
}

#[test]
fn fragments_of_ipv4_hold_the_whole_in_order_and_say_where() {
    for limit in [28, 29, 35, 36, 576, 1419] {
        let (whole, pieces) = cut("icmp 192.0.2.2 rand=1392", limit).unwrap();
        let mut together = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            let (df, more, offset, id) = v4(&piece.bytes);
            assert!(piece.bytes.len() <= limit && !df, "{limit}");
            assert_eq!((more, offset), (number + 1 < pieces.len(), together.len()), "{limit}");
            assert_eq!(id, v4(&whole.bytes).3);
            assert_eq!(piece.bytes[..2], whole.bytes[..2]);
            assert_eq!(piece.bytes[8..10], whole.bytes[8..10]);
            assert!(wirewright_wire::checksum::verify(&piece.bytes[..20]));
            together.extend_from_slice(&piece.bytes[20..]);
        }
        assert_eq!(together, whole.bytes[20..], "{limit}");
    }
}

#[test]
fn what_fits_is_not_cut_and_what_leaves_no_room_is_refused() {
    assert!(cut("icmp 192.0.2.2 zero=1392", 1420).unwrap().1.is_empty());
    assert_eq!(cut("icmp 192.0.2.2 zero=1392", 27).unwrap_err(), FragmentError::LimitTooSmall { limit: 27, need: 28 });
    let v6 = cut("icmp6 2001:db8::2 zero=1392", 55).unwrap_err();
    assert_eq!(v6, FragmentError::LimitTooSmall { limit: 55, need: 56 });
    let options = cut("ip 192.0.2.2 ra=0 / icmp zero=1392", 31).unwrap_err();
    assert_eq!(options, FragmentError::LimitTooSmall { limit: 31, need: 32 });
    assert_eq!(cut("arp 192.0.2.2", 20).unwrap_err(), FragmentError::NoIp);
}

#[test]
fn a_fragment_by_hand_is_not_cut_again() {
    for words in ["icmp 192.0.2.2 ip.mf=1 zero=99", "icmp 192.0.2.2 ip.off=3 zero=99"] {
        assert_eq!(cut(words, 50).unwrap_err(), FragmentError::FragmentAlready { layer: "ip" }, "{words}");
    }
    let v6 = cut("ip6 2001:db8::2 / frag / icmp6 zero=99", 80).unwrap_err();
    assert_eq!(v6, FragmentError::FragmentAlready { layer: "frag" });
}

#[test]
fn what_was_set_stays_in_every_fragment() {
    let words = "icmp 192.0.2.2 ip.df=1 ip.id=77 ttl=9 ip.sum=0xdead tos=8 zero=100";
    for piece in cut(words, 60).unwrap().1 {
        let (df, _, _, id) = v4(&piece.bytes);
        assert!(df && id == 77 && piece.bytes[8] == 9 && piece.bytes[1] == 8);
        assert_eq!(piece.bytes[10..12], [0xde, 0xad]);
    }
}

#[test]
fn options_are_repeated_where_their_kind_says_so() {
    // Record route (7) is not repeated, router alert (148) is.
    let (_, pieces) = cut("ip 192.0.2.2 opt=7:040000 ra=0 / icmp zero=100", 68).unwrap();
    let options: Vec<_> =
        pieces.iter().map(|piece| piece.bytes[20..usize::from(piece.bytes[0] & 15) * 4].to_vec()).collect();
    assert_eq!(options[0][..2], [7, 5]);
    assert!(options[1..].iter().all(|options| options[..] == [148, 4, 0, 0]), "{options:?}");
}

#[test]
fn ipv6_gets_a_fragment_header_behind_what_routers_read() {
    let hops = "ip6 2001:db8::2 / hopopt / route / dstopt / udp :9 sport=1 zero=200";
    for (words, unfragmentable) in [
        ("udp 2001:db8::2 :9 sport=1 zero=200", 40),
        (hops, 56),
        ("ip6 2001:db8::2 / dstopt / udp :9 sport=1 zero=200", 40),
    ] {
        let (whole, pieces) = cut(words, 120).unwrap();
        let mut together = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            let bytes = &piece.bytes;
            assert!(bytes.len() <= 120);
            assert_eq!(usize::from(u16::from_be_bytes([bytes[4], bytes[5]])), bytes.len() - 40, "{words}");
            let before = if unfragmentable == 40 { 6 } else { 48 };
            assert_eq!((bytes[before], whole.bytes[before]), (44, bytes[unfragmentable]), "{words}");
            let offset = u16::from_be_bytes([bytes[unfragmentable + 2], bytes[unfragmentable + 3]]);
            assert_eq!(usize::from(offset & !7), together.len());
            assert_eq!(offset & 1 == 1, number + 1 < pieces.len());
            let id = unfragmentable + 4..unfragmentable + 8;
            assert_eq!(bytes[id.clone()], pieces[0].bytes[id]);
            // The flow label is the same too: the fragments of one packet take one path.
            assert_eq!(bytes[..4], whole.bytes[..4]);
            together.extend_from_slice(&bytes[unfragmentable + 8..]);
        }
        assert_eq!(together, whole.bytes[unfragmentable..], "{words}");
    }
}

#[test]
fn link_headers_are_repeated_and_do_not_count() {
    let words = "eth dst=02:00:00:00:00:02 / vlan vid=5 / ip 192.0.2.2 / udp :9 sport=1 zero=100 trailer=aabb";
    let (whole, pieces) = cut(words, 60).unwrap();
    let sizes: Vec<_> = pieces.iter().map(|piece| piece.bytes.len() - 18).collect();
    assert_eq!(sizes, vec![60, 60, 48 + 2]);
    assert!(pieces.iter().all(|piece| piece.bytes[..18] == whole.bytes[..18] && piece.first == First::Ethernet));
    assert!(pieces[2].bytes.ends_with(&[0xaa, 0xbb]));
}

#[test]
fn the_number_of_fragments_is_known_without_a_machine() {
    let packet = parse("icmp 192.0.2.2 zero=1400").unwrap();
    assert_eq!((fragments_of(&packet, 576), fragments_of(&packet, 1500)), (Some(3), None));
}
