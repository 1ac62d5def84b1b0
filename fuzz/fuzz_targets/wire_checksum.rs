//! The checksum over any two splits is that of the whole, word by word.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_wire::checksum::Sum;

fuzz_target!(|input: (u16, u16, &[u8])| {
    let (a, b, bytes) = input;
    let mut words = 0u32;
    for pair in bytes.chunks(2) {
        words += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&byte| u32::from(byte));
        words = (words & 0xffff) + (words >> 16);
    }
    let first = usize::from(a).min(bytes.len());
    let second = usize::from(b).clamp(first, bytes.len());
    let sum = Sum::new().add(&bytes[..first]).add(&bytes[first..second]).add(&bytes[second..]);
    assert_eq!(sum.finish(), !(words as u16));
});
