//! Neighbour discovery options: the list ends, and only its last item is an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_wire::icmpv6::ndp;

fuzz_target!(|bytes: &[u8]| {
    let all: Vec<_> = ndp::options(bytes).collect();
    assert!(all.len() <= bytes.len() / 8 + 1);
    assert!(all.iter().rev().skip(1).all(Result::is_ok));
});
