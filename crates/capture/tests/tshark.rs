//! tshark reads what we write: a file, and a live pipe. Without tshark these say `skipped`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use wirewright_capture::{Direction, Interface, LinkType, Record, Writer};
use wirewright_units::UnixTime;

/// Feeds a capture to tshark on its standard input; what it prints, or `None` where it is not installed.
fn tshark(capture: &[u8], arguments: &[&str]) -> Option<String> {
    let spawned = Command::new("tshark")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else {
        eprintln!("skipped: tshark is not installed");
        return None;
    };
    child.stdin.take().unwrap().write_all(capture).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn capture() -> Vec<u8> {
    let mut writer = Writer::pcapng(Vec::new(), "Wirewright").unwrap().live();
    let client = writer.add_interface(&Interface::new("client", LinkType::RAW).described("one of two")).unwrap();
    let server = writer.add_interface(&Interface::new("server", LinkType::ETHERNET)).unwrap();
    let wall = UnixTime::from_parts(1_700_000_000, 123_456_789);
    let beginner =
        [0x45, 0x01, 0x00, 0x14, 0xd4, 0x31, 0x00, 0x00, 0xff, 0x06, 0x63, 0xf8, 192, 168, 1, 103, 192, 168, 1, 1];
    let frame = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 1, 8, 0], &beginner].concat();
    writer.write(&Record::new(client, wall, &beginner).comment("as it left").direction(Direction::Out)).unwrap();
    writer.write(&Record::new(server, wall, &frame).direction(Direction::In)).unwrap();
    writer.into_inner().unwrap()
}

const FIELDS: [&str; 16] = [
    "-T",
    "fields",
    "-e",
    "frame.interface_name",
    "-e",
    "frame.time_epoch",
    "-e",
    "frame.comment",
    "-e",
    "ip.id",
    "-e",
    "ip.checksum",
    "-e",
    "frame.packet_flags_direction",
    "-n",
    "-l",
];

const EXPECTED: &str = "client\t1700000000.123456789\tas it left\t0xd431\t0x63f8\t0x00000002\n\
                        server\t1700000000.123456789\t\t0xd431\t0x63f8\t0x00000001\n";

#[test]
fn a_file_is_read_with_names_times_comments_and_directions() {
    let Some(printed) = tshark(&capture(), &[&["-r", "-"], &FIELDS[..]].concat()) else { return };
    assert_eq!(printed, EXPECTED);
}

#[test]
fn a_live_pipe_is_dissected() {
    let Some(printed) = tshark(&capture(), &[&["-i", "-"], &FIELDS[..]].concat()) else { return };
    assert_eq!(printed, EXPECTED);
}

#[test]
fn a_classic_file_is_read() {
    let mut writer = Writer::pcap(Vec::new(), LinkType::ETHERNET).unwrap();
    writer.write(&Record::new(0, UnixTime::from_parts(5, 6), &[0xff; 60])).unwrap();
    let file = writer.into_inner().unwrap();
    let arguments = ["-r", "-", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len"];
    let Some(printed) = tshark(&file, &arguments) else { return };
    assert_eq!(printed, "5.000000006\t60\n");
}
