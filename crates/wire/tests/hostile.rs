//! Random and mutated bytes through every parser: no panic, nothing outside the input, as many items as bytes at most;
//! and where etherparse reads the same headers, the same verdict.

use etherparse::{TcpHeaderSlice, TcpOptionElement, TcpOptionsIterator};
use proptest::prelude::*;
use wirewright_wire::icmpv6::ndp;
use wirewright_wire::tcp::TcpOption;
use wirewright_wire::{LAYERS, arp, ethernet, icmpv4, icmpv6, ipv4, ipv6, quote, tcp, udp, vlan};

/// The part lies inside the whole.
fn inside(part: &[u8], whole: &[u8]) -> bool {
    let (part, whole) = (part.as_ptr_range(), whole.as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}

/// Bytes that look like a packet of some layer: random, but for first bytes that let a parser go on.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let random = prop::collection::vec(any::<u8>(), 0..200);
    let shaped = (0..6usize, prop::collection::vec(any::<u8>(), 40..200), any::<prop::sample::Index>(), any::<u8>());
    prop_oneof![
        random,
        shaped.prop_map(|(shape, mut bytes, at, byte)| {
            let len = bytes.len() as u16;
            match shape {
                0 => {
                    bytes[0] = 0x40 | (5 + bytes[0] % 6);
                    bytes[2..4].copy_from_slice(&len.to_be_bytes());
                }
                1 => {
                    bytes[0] = 0x60;
                    bytes[4..6].copy_from_slice(&(len - 40).to_be_bytes());
                    bytes[6] = [0, 43, 44, 60, 6, 58][usize::from(bytes[6]) % 6];
                }
                2 => bytes[12] = (5 + bytes[12] % 6) << 4,
                3 => bytes[4..6].copy_from_slice(&len.to_be_bytes()),
                4 => bytes[0] = [3, 5, 8, 11, 12][usize::from(bytes[0]) % 5],
                _ => bytes[0] = 133 + bytes[0] % 5,
            }
            let at = at.index(bytes.len());
            if byte < 64 {
                bytes[at] = byte;
            }
            bytes
        })
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_parser_panics_or_reaches_outside(bytes in packets()) {
        if let Ok(frame) = ethernet::parse(&bytes) {
            prop_assert!(inside(frame.payload, &bytes));
        }
        if let Ok(tag) = vlan::parse(&bytes) {
            prop_assert!(inside(tag.payload, &bytes));
        }
        if let Ok(packet) = arp::parse(&bytes) {
            prop_assert!(inside(packet.rest, &bytes));
        }
        if let Ok(packet) = ipv4::parse(&bytes) {
            let total = ipv4::LEN + packet.options.len() + packet.payload.len();
            prop_assert_eq!(total, usize::from(packet.header.total_length()));
            prop_assert!(inside(packet.payload, &bytes));
        }
        if let Ok(packet) = ipv6::parse(&bytes) {
            prop_assert!(packet.extensions().count() <= ipv6::ext::EXTENSIONS_MAX + 1);
            if let Ok(upper) = packet.upper() {
                prop_assert!(inside(upper.bytes, packet.payload));
                prop_assert_eq!(upper.offset + upper.bytes.len(), packet.payload.len());
            }
        }
        if let Ok(datagram) = udp::parse(&bytes) {
            prop_assert_eq!(udp::LEN + datagram.payload.len() + datagram.surplus.len(), bytes.len());
        }
        if let Ok(segment) = tcp::parse(&bytes) {
            prop_assert_eq!(tcp::LEN + segment.options.len() + segment.payload.len(), bytes.len());
            prop_assert!(segment.options().count() <= segment.options.len());
        }
        if let Ok(message) = icmpv4::parse(&bytes) {
            prop_assert!(message.body().is_ok() || message.quote().is_none());
            prop_assert!(message.quote().is_none_or(|quote| inside(quote, &bytes)));
        }
        if let Ok(message) = icmpv6::parse(&bytes) {
            prop_assert!(message.body().is_ok() || message.quote().is_none());
        }
        if let Ok(quote) = quote::read(&bytes) {
            prop_assert!(quote.upper.is_empty() || inside(quote.upper, &bytes));
            let _ = (quote.ports(), quote.sequence(), quote.echo());
        }
        for desc in LAYERS {
            let _ = (desc.stated_len(&bytes), desc.variant_of(&bytes));
            for field in desc.fields {
                prop_assert_eq!(field.read(&bytes).is_some(), field.end_byte() <= bytes.len());
            }
        }
    }

    #[test]
    fn lists_of_options_end(bytes in prop::collection::vec(prop_oneof![0..12u8, any::<u8>()], 0..60)) {
        let all: Vec<_> = tcp::options(&bytes).collect();
        prop_assert!(all.len() <= bytes.len());
        prop_assert!(all.iter().rev().skip(1).all(Result::is_ok), "only the last may be an error");
        let all: Vec<_> = ndp::options(&bytes).collect();
        prop_assert!(all.len() <= bytes.len() / 8 + 1);
        prop_assert!(all.iter().rev().skip(1).all(Result::is_ok), "only the last may be an error");
    }

    #[test]
    fn etherparse_gives_the_same_verdict_on_tcp(bytes in packets()) {
        let theirs = TcpHeaderSlice::from_slice(&bytes);
        let ours = tcp::parse(&bytes);
        prop_assert_eq!(theirs.is_ok(), ours.is_ok());
        if let (Ok(theirs), Ok(ours)) = (theirs, ours) {
            let h = ours.header;
            prop_assert_eq!((theirs.source_port(), theirs.destination_port()), (h.source_port(), h.destination_port()));
            prop_assert_eq!(theirs.sequence_number(), h.sequence().to_raw());
            prop_assert_eq!((theirs.window_size(), theirs.checksum()), (h.window().to_raw(), h.checksum()));
            prop_assert_eq!((theirs.syn(), theirs.ns()), (h.flags().syn(), h.flags().contains(tcp::Flags::AE)));
            prop_assert_eq!(theirs.options(), ours.options);
        }
    }

    #[test]
    fn etherparse_reads_the_same_options(
        mut bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(4), Just(2), any::<u8>()], 0..40),
        lead in 0..5usize,
    ) {
        let known: [&[u8]; 5] = [&[2, 4, 5, 0xb4], &[8, 10, 0, 0, 0, 1, 0, 0, 0, 2], &[4, 2], &[3, 3, 7],
            &[5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]];
        bytes.splice(0..0, known[lead].iter().copied());
        let theirs = TcpOptionsIterator::from_slice(&bytes).map_while(Result::ok);
        let ours = tcp::options(&bytes).map_while(Result::ok);
        for (theirs, ours) in theirs.zip(ours) {
            match (theirs, ours) {
                (TcpOptionElement::Noop, ours) => prop_assert_eq!(ours, TcpOption::NoOperation),
                (TcpOptionElement::MaximumSegmentSize(a), ours) => prop_assert_eq!(ours, TcpOption::MaximumSegmentSize(a)),
                (TcpOptionElement::WindowScale(a), ours) => prop_assert_eq!(ours, TcpOption::WindowScale(a)),
                (TcpOptionElement::SelectiveAcknowledgementPermitted, ours) => {
                    prop_assert_eq!(ours, TcpOption::SackPermitted);
                }
                (TcpOptionElement::Timestamp(value, echo), ours) => {
                    prop_assert_eq!(ours, TcpOption::Timestamps(tcp::Timestamps { value, echo }));
                }
                (TcpOptionElement::SelectiveAcknowledgement(first, more), TcpOption::Sack(blocks)) => {
                    let theirs: Vec<_> = [Some(first)].into_iter().chain(more).flatten().collect();
                    let ours: Vec<_> = blocks.iter().map(|b| (b.left.to_raw(), b.right.to_raw())).collect();
                    prop_assert_eq!(theirs, ours);
                }
                (theirs, ours) => prop_assert!(false, "{theirs:?} {ours:?}"),
            }
        }
    }
}
