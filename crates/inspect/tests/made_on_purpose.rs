//! What the packet language makes wrong on purpose is named as it is asked for.

use wirewright_craft::{Context, parse};
use wirewright_inspect::sum::Checksum;
use wirewright_inspect::{First, dissect};

/// The codes of the wrong checksums in the packet that a line makes.
fn causes(line: &str) -> Vec<&'static str> {
    of_line(line, |sum| sum.cause().map(|cause| cause.code()))
}

/// The judgements of all its checksums.
fn verdicts(line: &str) -> Vec<&'static str> {
    of_line(line, |sum| Some(sum.verdict.code()))
}

fn of_line(line: &str, told: impl Fn(&Checksum<'_>) -> Option<&'static str>) -> Vec<&'static str> {
    let packet = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let context = Context { entropy: [7; 32], ..Context::default() };
    let built = packet.build(&context).unwrap_or_else(|error| panic!("{line}: {error}"));
    let frame = dissect(&built.bytes, First::Ip);
    frame.checksums.iter().filter_map(told).collect()
}

#[test]
fn every_mistake_that_can_be_made_is_named() {
    for ip in ["ip 192.0.2.2 src=192.0.2.1", "ip6 2001:db8::2 src=2001:db8::1"] {
        for transport in ["tcp :80 S sport=40000 seq=1", "udp :53 sport=40000"] {
            let of = |payload: &str, sum: &str| causes(&format!("{ip} / {transport} data='{payload}' {sum}"));
            assert_eq!(of("abc", ""), [""; 0]);
            assert_eq!(of("abcd", "sum=swap"), ["bytes-swapped"]);
            assert_eq!(of("abc", "sum=odd"), ["odd-byte"]);
            assert_eq!(of("abc", "sum=swap+odd"), ["bytes-swapped+odd-byte"]);
            assert_eq!(of("abcd", "sum=nopseudo"), ["no-pseudo-header"]);
            assert_eq!(of("abcd", "sum=swap+nopseudo"), ["bytes-swapped+no-pseudo-header"]);
            for (word, code) in [
                ("nosource", "pseudo-source"),
                ("nopayload", "payload-left-out"),
                ("nocomp", "not-complemented"),
                ("notzeroed", "not-zeroed"),
                ("nofold", "carry-not-folded"),
                ("stale", "stale-field"),
            ] {
                // What UDP would store is 0, which says that there is none.
                if word == "notzeroed" && transport.starts_with("udp") {
                    continue;
                }
                let named = of("what the payload says", &format!("sum={word}"));
                assert_eq!(named, [code], "{ip} / {transport} sum={word}");
            }
            // The right value plus 1 is also what dropping a single carry gives.
            assert!(["unknown", "carry-not-folded"].contains(&of("abcd", "sum=bad")[0]));
        }
    }
    assert_eq!(verdicts("tcp 192.0.2.2:80 S sport=1 sum=partial"), ["right", "partial"]);
    assert_eq!(causes("ip 192.0.2.2 src=192.0.2.1 sum=stale / tcp :80 S sport=1"), ["stale-field"]);
    assert_eq!(causes("ip 192.0.2.2 src=192.0.2.1 sum=swap / tcp :80 S sport=1"), ["bytes-swapped"]);
    assert_eq!(causes("icmp 192.0.2.2 data='abc' sum=odd id=1"), ["odd-byte"]);
    assert_eq!(causes("tcp 192.0.2.2:80 S sport=1 sum=zero"), ["not-zeroed"]);
}
