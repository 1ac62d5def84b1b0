//! The TCP segment parser, and the options as the engine reads them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_tcp::{IpMeta, Segment};

fuzz_target!(|bytes: &[u8]| {
    let Ok(seg) = Segment::parse(bytes, IpMeta::default()) else { return };
    assert!(seg.text.len() + 20 <= bytes.len());
    assert!(seg.len().get() as usize >= seg.text.len());
});
