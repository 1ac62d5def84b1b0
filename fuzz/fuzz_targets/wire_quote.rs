//! The packet that an ICMP error quotes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_wire::quote;

fuzz_target!(|bytes: &[u8]| {
    let Ok(quote) = quote::read(bytes) else { return };
    assert!(quote.upper.len() < bytes.len());
    assert!(quote.ports().is_none() || quote.upper.len() >= 4);
    assert!(quote.sequence().is_none() || quote.upper.len() >= 8);
    assert!(quote.echo().is_none() || quote.ports().is_none());
});
