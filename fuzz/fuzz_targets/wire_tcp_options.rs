//! TCP options: the list ends, only its last item is an error, and what was read is written back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_wire::WindowScale;
use wirewright_wire::tcp::{OptionsBuf, TcpOption, options};

fuzz_target!(|bytes: &[u8]| {
    let mut seen = 0;
    let mut failed = false;
    for option in options(bytes) {
        assert!(!failed, "nothing follows an error");
        seen += 1;
        failed = option.is_err();
        let Ok(option) = option else { continue };
        let mut buffer = OptionsBuf::new();
        let written = match option {
            TcpOption::MaximumSegmentSize(mss) => buffer.mss(mss),
            TcpOption::WindowScale(shift) => WindowScale::new(shift).is_some_and(|scale| buffer.window_scale(scale)),
            TcpOption::SackPermitted => buffer.sack_permitted(),
            TcpOption::Timestamps(stamps) => buffer.timestamps(stamps),
            TcpOption::Sack(blocks) => {
                let blocks: Vec<_> = blocks.iter().collect();
                buffer.sack(&blocks) == blocks.len()
            }
            TcpOption::Unknown { kind, value } => buffer.raw(kind, value),
            _ => false,
        };
        if written {
            assert!(options(buffer.as_bytes()).any(|again| again == Ok(option)));
        }
    }
    assert!(seen <= bytes.len());
});
