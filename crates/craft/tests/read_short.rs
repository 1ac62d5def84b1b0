//! Bytes that end before what their own lengths pad them to are read and built again without a panic.

use wirewright_craft::{Context, First, Packet};

#[test]
fn bytes_found_by_fuzzing_are_read_back_exactly() {
    // An input of the fuzz target hand_plan.
    let bytes = include_bytes!("read_short.bin");
    for first in [First::Ip, First::Ethernet] {
        let packet = Packet::from_bytes(bytes, first);
        let built = packet.build(&Context::default()).unwrap();
        assert_eq!(built.bytes, bytes, "{packet}");
    }
}
