//! A capture of any bytes is read to its end, in bounded time; what was read is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_capture::{Frame, Interface, LinkType, Reader, Record, Writer};

/// gz makes a thousand bytes of one: more frames than this are not compared.
const FRAMES_MAX: usize = 2_000;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    let items: Vec<_> = reader.by_ref().take(FRAMES_MAX).collect();
    let fatal = items.iter().filter(|item| item.as_ref().is_err_and(|error| !error.is_recoverable())).count();
    assert!(fatal <= 1, "reading ends at the first error that cannot be passed");
    let frames: Vec<Frame> = items.into_iter().filter_map(Result::ok).collect();
    let interfaces = reader.interfaces();
    assert!(frames.iter().all(|frame| frame.interface < interfaces.len()));
    for frame in &frames {
        if let Some((_, skip)) = interfaces[frame.interface].link_type.begins(&frame.bytes) {
            assert!(skip <= frame.bytes.len());
        }
    }
    write_and_read(&frames);
});

fn write_and_read(frames: &[Frame]) {
    let mut writer = Writer::pcapng(Vec::new(), "fuzz").expect("a vector takes everything");
    let interface = writer.add_interface(&Interface::new("x", LinkType::ETHERNET)).expect("the first interface");
    let mut written = Vec::new();
    for frame in frames {
        let record = Record {
            interface,
            wall: frame.wall,
            bytes: &frame.bytes,
            original_len: frame.original_len,
            comments: frame.comments.iter().map(String::as_str).collect(),
            direction: frame.direction,
        };
        if writer.write(&record).is_ok() {
            written.push(frame);
        }
    }
    let file = writer.into_inner().expect("a vector takes everything");
    let again: Vec<_> = Reader::new(&file[..]).expect("our own file").map(|frame| frame.expect("our own frame")).collect();
    assert_eq!(again.len(), written.len());
    for (again, frame) in again.iter().zip(written) {
        assert_eq!((&again.bytes, again.wall, again.original_len), (&frame.bytes, frame.wall, frame.original_len));
        assert_eq!((&again.comments, again.direction), (&frame.comments, frame.direction));
    }
}
