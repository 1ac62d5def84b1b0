use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// RFC 1071 §1, word by word in network order, as its reader would write it.
fn naive(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&b| u32::from(b));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn rfc_1071s_own_example() {
    // RFC 1071 §3: the bytes 00 01 f2 03 f4 f5 f6 f7 sum to ddf2.
    let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(Sum::new().add(&bytes).folded(), 0xddf2);
    assert_eq!(of(&bytes), 0x220d);
}

#[test]
fn the_beginners_header() {
    let mut header =
        [0x45, 0x01, 0x00, 0x00, 0xd4, 0x31, 0x00, 0x00, 0xff, 0x06, 0x00, 0x00, 192, 168, 1, 103, 192, 168, 1, 1];
    assert_eq!(of(&header), 0x640c);
    header[3] = 20;
    assert_eq!(of(&header), 0x63f8);
    header[10..12].copy_from_slice(&0x63f8u16.to_be_bytes());
    assert!(verify(&header));
    header[19] ^= 1;
    assert!(!verify(&header));
}

#[test]
fn rfc_1624s_own_example_keeps_plus_zero() {
    // RFC 1624 §4: 0xdd2f with 0x5555 become 0x3285 is 0x0000; RFC 1141 would have said 0xffff.
    assert_eq!(update(0xdd2f, 0x5555, 0x3285), 0x0000);
    assert_eq!(update(0x0000, 0x3285, 0x5555), 0xdd2f);
}

#[test]
fn a_pseudo_header_alone_is_the_partial_checksum() {
    // What Linux leaves in the field of a 20-byte segment from 10.77.1.2 to 10.77.2.2 that the card shall finish.
    let (a, b) = (Ipv4Addr::new(10, 77, 1, 2), Ipv4Addr::new(10, 77, 2, 2));
    let words = [10 << 8 | 77u16, 1 << 8 | 2, 10 << 8 | 77, 2 << 8 | 2, 6, 20];
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
    assert_eq!(pseudo_v4(a, b, 6, 20).folded(), !naive(&bytes));
}

#[test]
fn all_bits_set_for_any_length_up_to_three_blocks() {
    let bytes = [0xff; 100];
    for len in 0..bytes.len() {
        assert_eq!(of(&bytes[..len]), naive(&bytes[..len]), "length {len}");
    }
}

#[test]
fn the_sum_of_nothing_and_of_zeros_is_plus_zero() {
    assert_eq!((of(&[]), of(&[0; 7])), (0xffff, 0xffff));
    assert_eq!((never_zero(0), never_zero(0xffff), never_zero(1)), (0xffff, 0xffff, 1));
}

#[test]
fn super_segments_do_not_overflow() {
    let bytes: Vec<u8> = core::iter::repeat_n(0xff, 1 << 20).collect();
    assert_eq!(of(&bytes), naive(&bytes));
}

proptest! {
    #[test]
    fn any_split_gives_the_sum_of_the_whole(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut sum, mut combined, mut start) = (Sum::new(), Sum::new(), 0);
        for end in cuts.into_iter().chain([bytes.len()]) {
            sum = sum.add(&bytes[start..end]);
            combined = combined.combine(Sum::new().add(&bytes[start..end]));
            start = end;
        }
        prop_assert_eq!(sum.finish(), naive(&bytes));
        prop_assert_eq!(combined.finish(), naive(&bytes));
    }

    #[test]
    fn numbers_are_added_as_their_bytes(lead in proptest::collection::vec(any::<u8>(), 0..4), a: u16, b: u32) {
        let mut bytes = lead.clone();
        bytes.extend(a.to_be_bytes());
        bytes.extend(b.to_be_bytes());
        prop_assert_eq!(Sum::new().add(&lead).add_u16(a).add_u32(b).finish(), naive(&bytes));
    }

    #[test]
    fn an_update_equals_the_sum_from_scratch(
        mut bytes in proptest::collection::vec(any::<u8>(), 2..64),
        at: prop::sample::Index,
        new: u16,
        wide: u32,
    ) {
        bytes[0] |= 1; // Not all zero, as no header is.
        let at = at.index(bytes.len() / 2) * 2;
        prop_assume!(at > 0 || bytes.len() < 4 || new != 0);
        let (before, old) = (naive(&bytes), u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        let mut after = bytes.clone();
        after[at..at + 2].copy_from_slice(&new.to_be_bytes());
        prop_assume!(after.iter().any(|&b| b != 0));
        prop_assert_eq!(update(before, old, new), naive(&after));
        if at + 4 <= bytes.len() && at > 0 {
            let old = u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            after.clone_from(&bytes);
            after[at..at + 4].copy_from_slice(&wide.to_be_bytes());
            prop_assert_eq!(update_u32(before, old, wide), naive(&after));
        }
    }

    #[test]
    fn what_was_stored_verifies(mut bytes in proptest::collection::vec(any::<u8>(), 4..128)) {
        bytes[..2].fill(0);
        bytes[2] |= 1;
        let sum = of(&bytes);
        bytes[..2].copy_from_slice(&sum.to_be_bytes());
        prop_assert!(verify(&bytes));
        bytes[3] ^= 0x10;
        prop_assert!(!verify(&bytes));
    }

    #[test]
    fn pseudo_headers_are_their_bytes(a: [u8; 16], b: [u8; 16], protocol: u8, length: u32) {
        let mut v6 = a.to_vec();
        v6.extend(b);
        v6.extend(length.to_be_bytes());
        v6.extend([0, 0, 0, protocol]);
        prop_assert_eq!(pseudo_v6(a.into(), b.into(), protocol, length).finish(), naive(&v6));
        let (from, to) = ([a[0], a[1], a[2], a[3]], [b[0], b[1], b[2], b[3]]);
        let mut v4 = [from, to].concat();
        v4.extend([0, protocol]);
        v4.extend((length as u16).to_be_bytes());
        prop_assert_eq!(pseudo_v4(from.into(), to.into(), protocol, u32::from(length as u16)).finish(), naive(&v4));
    }
}
