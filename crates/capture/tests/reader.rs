//! What is written reads back, in every format; what is cut or damaged gives the frames before it and one clear error.

use std::io::{self, Read, Write};

use wirewright_capture::{
    Begins, CaptureError, Direction, Fault, Format, Frame, Interface, LinkType, Part, Reader, Record, Writer,
    looks_like_capture,
};
use wirewright_units::UnixTime;

const WALL: UnixTime = UnixTime::from_nanos(1_700_000_000_123_456_789);

/// Two hosts, three packets, comments and directions.
fn two_hosts() -> Vec<u8> {
    let mut writer = Writer::pcapng(Vec::new(), "tests").unwrap();
    let client = writer.add_interface(&Interface::new("client", LinkType::ETHERNET).described("the lab's client"));
    let server = writer.add_interface(&Interface::new("server", LinkType::RAW));
    let (client, server) = (client.unwrap(), server.unwrap());
    writer
        .write(&Record::new(client, WALL, &[1; 60]).comment("one").comment("zwei").direction(Direction::Out))
        .unwrap();
    writer.write(&Record::new(server, WALL, &[0x45; 21]).direction(Direction::In)).unwrap();
    writer.write(&Record { original_len: 9000, ..Record::new(client, UnixTime::EPOCH, &[]) }).unwrap();
    writer.into_inner().unwrap()
}

fn read_all(bytes: &[u8]) -> (Vec<Frame>, Option<CaptureError>) {
    let mut frames = Vec::new();
    let reader = match Reader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => return (frames, Some(error)),
    };
    for frame in reader {
        match frame {
            Ok(frame) => frames.push(frame),
            Err(error) => return (frames, Some(error)),
        }
    }
    (frames, None)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A classic file with one 4-byte packet of 60, made by hand.
fn classic(magic: u32, big_endian: bool, fraction: u32, link_type: u32) -> Vec<u8> {
    let word = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let half = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut file = word(magic).to_vec();
    file.extend([half(2), half(4)].concat());
    for value in [0, 0, 0, link_type, 1_700_000_000, fraction, 4, 60] {
        file.extend(word(value));
    }
    file.extend([0xde, 0xad, 0xbe, 0xef]);
    file
}

#[test]
fn a_pcapng_capture_reads_back_with_interfaces_comments_and_directions() {
    let file = two_hosts();
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.format(), Format::Pcapng);
    let frames: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    let interfaces = reader.interfaces();
    assert_eq!(interfaces[0].description, "the lab's client");
    assert_eq!((interfaces[1].name.as_str(), interfaces[1].link_type), ("server", LinkType::RAW));
    let first = Frame {
        number: 1,
        interface: 0,
        wall: WALL,
        bytes: vec![1; 60],
        original_len: 60,
        comments: vec!["one".into(), "zwei".into()],
        direction: Some(Direction::Out),
    };
    assert_eq!(frames[0], first);
    assert_eq!((frames[1].interface, frames[1].bytes.len(), frames[1].direction), (1, 21, Some(Direction::In)));
    assert_eq!((frames[2].original_len, frames[2].wall, frames[2].is_cut()), (9000, UnixTime::EPOCH, true));
    assert_eq!(frames.len(), 3);
}

#[test]
fn classic_files_of_both_byte_orders_and_resolutions_give_the_same_frame() {
    for (magic, fraction) in [(0xa1b2_c3d4, 123_456), (0xa1b2_3c4d, 123_456_000)] {
        for big_endian in [false, true] {
            let file = classic(magic, big_endian, fraction, 1 | 0x1400_0000);
            assert!(looks_like_capture(&file));
            let (frames, error) = read_all(&file);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(frames[0].wall, UnixTime::from_parts(1_700_000_000, 123_456_000));
            assert_eq!((&frames[0].bytes[..], frames[0].original_len), (&[0xde, 0xad, 0xbe, 0xef][..], 60));
            assert_eq!(Reader::new(&file[..]).unwrap().interfaces()[0].link_type, LinkType::ETHERNET);
        }
    }
}

#[test]
fn a_classic_file_that_we_wrote_reads_back() {
    let mut writer = Writer::pcap(Vec::new(), LinkType::IPV6).unwrap();
    writer.write(&Record::new(0, WALL, &[0x60; 40])).unwrap();
    let second = writer.add_interface(&Interface::new("x", LinkType::ETHERNET)).unwrap_err();
    assert!(matches!(second, CaptureError::Unwritable(Fault::OneInterfaceOnly)));
    let late = Record::new(0, UnixTime::from_parts(1 << 32, 0), &[]);
    assert!(matches!(writer.write(&late).unwrap_err(), CaptureError::Unwritable(Fault::Time)));
    let file = writer.into_inner().unwrap();
    let (frames, error) = read_all(&file);
    assert!(error.is_none());
    assert_eq!((frames.len(), frames[0].wall, frames[0].bytes.len()), (1, WALL, 40));
    assert_eq!(LinkType::IPV6.begins(&frames[0].bytes), Some((Begins::Ip, 0)));
}

#[test]
fn gz_is_unpacked_also_when_it_has_several_members() {
    let file = two_hosts();
    let (plain, _) = read_all(&file);
    let packed = [gz(&file[..70]), gz(&file[70..])].concat();
    let mut reader = Reader::new(&packed[..]).unwrap();
    assert!(reader.is_packed());
    assert_eq!(reader.by_ref().map(Result::unwrap).collect::<Vec<_>>(), plain);
}

#[test]
fn big_endian_sections_and_the_older_packet_blocks_are_read() {
    let be = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    let mut file = be(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 0x0001_0000, u32::MAX, u32::MAX, 28]);
    file.extend(be(&[1, 20, 101 << 16, 4, 20]));
    // A simple packet of 6 bytes, cut to the interface's 4; then an obsolete packet block; then a name resolution block.
    file.extend(be(&[3, 20, 6, 0x4500_0001, 20]));
    file.extend(be(&[2, 36, 0, 0, 1_000_000, 3, 3, 0x4500_0200, 36]));
    file.extend(be(&[4, 16, 0, 16]));
    // A second section with an interface of its own.
    file.extend(two_hosts());
    let mut reader = Reader::new(&file[..]).unwrap();
    let frames: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!((&frames[0].bytes[..], frames[0].original_len), (&[0x45, 0, 0, 1][..], 6));
    assert_eq!((&frames[1].bytes[..], frames[1].wall), (&[0x45, 0, 2][..], UnixTime::from_parts(1, 0)));
    assert_eq!(frames[2].interface, 1, "interfaces of a later section do not replace those of an earlier one");
    assert_eq!(reader.interfaces()[frames[3].interface].name, "server");
    assert_eq!(frames.len(), 5);
}

#[test]
fn each_interface_has_its_own_clock_and_no_other_interface_exists() {
    let be = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    let mut file = be(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 0x0001_0000, u32::MAX, u32::MAX, 28]);
    // Microseconds by default, then nanoseconds, then milliseconds (options 9, one byte, padded; end of options).
    file.extend(be(&[1, 20, 1 << 16, 0, 20]));
    for resolution in [9, 3] {
        file.extend(be(&[1, 32, 1 << 16, 0, 9 << 16 | 1, resolution << 24, 0, 32]));
    }
    for interface in 0..4 {
        file.extend(be(&[6, 32, interface, 0, 7_000, 0, 0, 32]));
    }
    let items: Vec<_> = Reader::new(&file[..]).unwrap().collect();
    let nanos = |index: usize| items[index].as_ref().unwrap().wall.as_nanos();
    assert_eq!([nanos(0), nanos(1), nanos(2)], [7_000_000, 7_000, 7_000_000_000]);
    assert!(matches!(items[3], Err(CaptureError::Malformed { fault: Fault::UnknownInterface, .. })));
    assert_eq!(items.len(), 4);
}

#[test]
fn a_capture_cut_at_any_byte_gives_the_frames_before_and_says_what_is_missing() {
    for file in [two_hosts(), classic(0xa1b2_c3d4, false, 0, 1)] {
        let (whole, _) = read_all(&file);
        let mut clean_ends = 0;
        for end in 0..file.len() {
            let (frames, error) = read_all(&file[..end]);
            assert_eq!(frames[..], whole[..frames.len()], "cut at {end}");
            match error {
                None => clean_ends += 1,
                Some(CaptureError::Truncated { offset, need, have, .. }) => {
                    assert_eq!(offset + have, end as u64, "cut at {end}");
                    assert!(have < need);
                }
                Some(CaptureError::NotACapture { have, .. }) => assert!(end < 4 && have == end),
                Some(other) => panic!("cut at {end}: {other}"),
            }
        }
        assert!(clean_ends >= 1, "between two records a capture may end");
    }
    let (_, error) = read_all(&classic(0xa1b2_c3d4, false, 0, 1)[..43]);
    let text = error.unwrap().to_string();
    assert_eq!(text, "the capture ends inside packet 1 (byte 24): 20 bytes needed, 19 there");
}

#[test]
fn a_cut_or_damaged_gz_is_never_silent() {
    let file = two_hosts();
    let packed = gz(&file);
    for end in 2..packed.len() {
        let (_, error) = read_all(&packed[..end]);
        assert!(error.is_some(), "cut at {end}");
    }
    let mut damaged = packed;
    let at = damaged.len() - 6;
    damaged[at] ^= 0xff;
    let (frames, error) = read_all(&damaged);
    assert_eq!(frames.len(), 3);
    assert!(matches!(error, Some(CaptureError::DamagedGz { .. })), "{error:?}");
}

#[test]
fn a_damaged_packet_block_does_not_hide_those_behind_it() {
    let mut writer = Writer::pcapng(Vec::new(), "tests").unwrap();
    let client = writer.add_interface(&Interface::new("client", LinkType::ETHERNET)).unwrap();
    writer.flush().unwrap();
    for byte in [1, 2, 3] {
        writer.write(&Record::new(client, WALL, &[byte; 8])).unwrap();
    }
    let mut file = writer.into_inner().unwrap();
    // The second packet's interface number: 8 bytes into its block of 40.
    let at = file.len() - 2 * 40 + 8;
    file[at] = 7;
    let items: Vec<_> = Reader::new(&file[..]).unwrap().collect();
    assert_eq!(items.len(), 3);
    let error = items[1].as_ref().unwrap_err();
    assert!(error.is_recoverable());
    assert!(matches!(error, CaptureError::Malformed { fault: Fault::UnknownInterface, part: Part::Packet(2), .. }));
    assert_eq!(items[2].as_ref().unwrap().bytes, [3; 8]);
}

#[test]
fn claimed_sizes_are_refused_or_end_at_the_bytes_that_are_there() {
    let mut huge = classic(0xa1b2_c3d4, false, 0, 1);
    huge[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    let (_, error) = read_all(&huge);
    assert!(matches!(error, Some(CaptureError::TooLarge { size: 0x1_0000_000f, .. })), "{error:?}");
    huge[32..36].copy_from_slice(&(8u32 << 20).to_le_bytes());
    let (_, error) = read_all(&huge);
    assert!(matches!(error, Some(CaptureError::Truncated { need: 0x80_0010, have: 20, .. })), "{error:?}");
    let mut block = two_hosts();
    let interface_at = block.windows(8).position(|eight| eight[..4] == [1, 0, 0, 0] && eight[4] < 100).unwrap();
    block[interface_at + 4..interface_at + 8].copy_from_slice(&(1u32 << 20).to_le_bytes());
    block.resize(2 << 20, 0);
    let (_, error) = read_all(&block);
    assert!(error.is_some());
}

#[test]
fn interfaces_without_end_are_refused() {
    let mut file = two_hosts();
    let block = [1u32, 20, 1, 0, 20].map(u32::to_le_bytes).concat();
    for _ in 0..5000 {
        file.extend(&block);
    }
    let (frames, error) = read_all(&file);
    assert_eq!(frames.len(), 3);
    assert!(matches!(error, Some(CaptureError::Malformed { fault: Fault::TooManyInterfaces, .. })), "{error:?}");
}

/// Gives one byte at a time, and panics when asked for more after the last frame was complete.
struct Trickle<'a> {
    bytes: &'a [u8],
    interrupted: bool,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let (first, rest) = self.bytes.split_first().expect("the reader asked for more than the frame needs");
        buffer[0] = *first;
        self.bytes = rest;
        Ok(1)
    }
}

#[test]
fn a_live_pipe_is_never_waited_for_beyond_the_frame() {
    for file in [two_hosts(), classic(0xa1b2_c3d4, true, 0, 1)] {
        let (whole, _) = read_all(&file);
        let mut reader = Reader::new(Trickle { bytes: &file, interrupted: false }).unwrap();
        for frame in whole {
            assert_eq!(reader.next().unwrap().unwrap(), frame);
        }
    }
}

#[test]
fn a_live_writer_hands_over_each_packet_at_once() {
    let mut pipe = Vec::new();
    let mut writer = Writer::pcapng(&mut pipe, "tests").unwrap().live();
    let client = writer.add_interface(&Interface::new("client", LinkType::ETHERNET)).unwrap();
    writer.write(&Record::new(client, WALL, &[9; 14])).unwrap();
    // Neither dropped nor flushed by hand.
    std::mem::forget(writer);
    let (frames, error) = read_all(&pipe);
    assert!(error.is_none());
    assert_eq!(frames[0].bytes, [9; 14]);
}

#[test]
fn a_failing_sink_is_told() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = Writer::pcapng(Full, "tests").unwrap();
    assert!(matches!(writer.flush(), Err(CaptureError::Io { .. })));
}

#[test]
fn mutated_captures_neither_panic_nor_hang() {
    let seeds = [two_hosts(), classic(0xa1b2_c3d4, false, 0, 1), classic(0xa1b2_3c4d, true, 0, 113), gz(&two_hosts())];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..20_000 {
        let mut file = seeds[round % seeds.len()].clone();
        for _ in 0..1 + random() % 6 {
            let at = (random() % file.len() as u64) as usize;
            file[at] = random() as u8;
        }
        file.truncate((random() % 4 * 100 + 30) as usize);
        let Ok(reader) = Reader::new(&file[..]) else { continue };
        assert!(reader.take(1000).count() < 100, "round {round}: more items than bytes could hold");
    }
}
