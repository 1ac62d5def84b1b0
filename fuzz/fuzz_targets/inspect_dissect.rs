//! Any bytes are taken apart: every range stays inside, every checksum that is called right verifies, and putting the
//! right value in makes it so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_inspect::sum::Verdict;
use wirewright_inspect::{First, diagnose, dissect, wire};

fuzz_target!(|input: (u8, &[u8])| {
    let (start, bytes) = input;
    let first = match start % 4 {
        0 => First::Ethernet,
        1 => First::Ip,
        _ => First::from_word(wire::LAYERS[usize::from(start) % wire::LAYERS.len()].key).expect("every layer has a word"),
    };
    let frame = dissect(bytes, first);
    let inside = |range: &std::ops::Range<usize>| range.start <= range.end && range.end <= bytes.len();
    assert!(inside(&frame.payload) && inside(&frame.trailer));
    for layer in &frame.layers {
        assert!(inside(&layer.header));
        assert!(layer.fields.iter().all(|field| inside(&field.bytes())));
        assert!(layer.options.iter().all(|option| inside(&option.range) && inside(&option.rest)));
    }
    assert!(diagnose(&frame).len() <= 2 * frame.layers.len() + 1);
    for sum in &frame.checksums {
        assert!(sum.verdict != Verdict::Right || sum.remainder() == 0);
        let steps = sum.steps().last().map_or(0, |step| step.running);
        assert_eq!(sum.folds().first(), Some(&steps));
        let Some(right) = sum.right.filter(|_| matches!(sum.verdict, Verdict::Wrong(_))) else { continue };
        let mut mended = bytes.to_vec();
        mended[sum.at..sum.at + 2].copy_from_slice(&right.to_be_bytes());
        let again = dissect(&mended, first);
        let mended = again.checksums.iter().find(|other| other.at == sum.at).expect("the same layers");
        assert_eq!(mended.verdict, Verdict::Right);
    }
});
