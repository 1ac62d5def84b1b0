//! Checksums judged as tshark judges them. Without tshark this says `skipped`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use wirewright_capture::{LinkType, Record, Writer};
use wirewright_inspect::sum::{Known, Verdict, checksums};
use wirewright_inspect::{First, wire};
use wirewright_units::UnixTime;

/// How many packets are compared.
const PACKETS: usize = 3_000;

/// Replayable pseudo-random numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.roll() as u8).collect()
    }
}

/// A packet of either IP version with TCP, UDP or ICMP in it; its checksums are right, or one of them is not.
fn packet(dice: &mut Dice) -> Vec<u8> {
    let v6 = dice.roll().is_multiple_of(2);
    let kind = dice.roll() % 3;
    let payload = (dice.roll() % 60) as usize;
    let mut segment = match kind {
        0 => [dice.bytes(12), vec![0x50, 0x10, 1, 0, 0, 0, 0, 0]].concat(),
        1 => {
            let len = (8 + payload) as u16;
            [&[0xc0, 0, 0xc0, 1][..], &len.to_be_bytes(), &[0, 0]].concat()
        }
        _ => vec![if v6 { 128 } else { 8 }, 0, 0, 0, 1, 2, 3, 4],
    };
    segment.extend(dice.bytes(payload));
    let field = [16, 6, 2][kind as usize];
    let protocol = [6, 17, if v6 { 58 } else { 1 }][kind as usize];
    let len = segment.len() as u16;
    let (mut header, pseudo) = if v6 {
        let mut header = vec![0x60, 0, 0, 0, (len >> 8) as u8, len as u8, protocol, 64];
        header.extend(
            [[0x20, 1, 0xd, 0xb8].to_vec(), dice.bytes(12), [0x20, 1, 0xd, 0xb8].to_vec(), dice.bytes(12)].concat(),
        );
        let pseudo = [&header[8..40], &[0, 0, (len >> 8) as u8, len as u8, 0, 0, 0, protocol]].concat();
        (header, pseudo)
    } else {
        let total = (20 + len).to_be_bytes();
        let mut header = vec![0x45, 0, total[0], total[1], 0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2];
        header.extend([dice.roll() as u8, 198, 51, 100, dice.roll() as u8]);
        let pseudo = [&header[12..20], &[0, protocol, (len >> 8) as u8, len as u8]].concat();
        (header, pseudo)
    };
    let covered = if protocol == 1 { segment.clone() } else { [&pseudo[..], &segment].concat() };
    let right = wire::checksum::Sum::new().add(&covered).finish();
    let sent = if protocol == 17 && right == 0 { 0xffff } else { right };
    let wrong = dice.roll().is_multiple_of(3);
    let stored = if wrong { sent ^ (1 << (dice.roll() % 16)) } else { sent };
    segment[field..field + 2].copy_from_slice(&stored.to_be_bytes());
    if !v6 {
        let right = wire::checksum::Sum::new().add(&header).finish();
        let stored = if dice.roll().is_multiple_of(4) { right.swap_bytes() } else { right };
        header[10..12].copy_from_slice(&stored.to_be_bytes());
    }
    [header, segment].concat()
}

/// A capture's fields as tshark prints them, or `None` where it is not installed.
fn tshark(capture: &[u8]) -> Option<String> {
    let checked = ["ip", "tcp", "udp"].map(|layer| format!("{layer}.check_checksum:TRUE"));
    let fields = ["ip", "tcp", "udp", "icmp", "icmpv6"].map(|layer| format!("{layer}.checksum.status"));
    let mut command = Command::new("tshark");
    command.args(["-r", "-", "-n", "-T", "fields"]);
    for option in &checked {
        command.args(["-o", option]);
    }
    for field in &fields {
        command.args(["-e", field]);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut input = child.stdin.take()?;
    let capture = capture.to_vec();
    let feeder = std::thread::spawn(move || input.write_all(&capture));
    let output = child.wait_with_output().ok()?;
    feeder.join().ok()?.ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn checksums_are_judged_as_tshark_judges_them() {
    let mut dice = Dice(0x0123_4567_89ab_cdef);
    let packets: Vec<_> = (0..PACKETS).map(|_| packet(&mut dice)).collect();
    let mut writer = Writer::pcapng(Vec::new(), "tests").unwrap();
    let interface = writer.add_interface(&wirewright_capture::Interface::new("x", LinkType::RAW)).unwrap();
    for packet in &packets {
        writer.write(&Record::new(interface, UnixTime::EPOCH, packet)).unwrap();
    }
    let Some(printed) = tshark(&writer.into_inner().unwrap()) else {
        eprintln!("skipped: tshark is not installed");
        return;
    };
    assert_eq!(printed.lines().count(), PACKETS);
    let mut wrong = 0;
    for (line, packet) in printed.lines().zip(&packets) {
        // Wireshark's words: 0 bad, 1 good, 2 unverified, 3 not present.
        let theirs: Vec<_> = line.split('\t').filter(|status| !status.is_empty()).collect();
        let ours: Vec<_> = checksums(packet, First::Ip, &Known::default())
            .iter()
            .map(|sum| match sum.verdict {
                Verdict::Right => "1",
                Verdict::Wrong(_) => "0",
                Verdict::Absent { allowed: true } => "3",
                Verdict::Absent { allowed: false } => "0",
                _ => "2",
            })
            .collect();
        wrong += ours.iter().filter(|status| **status == "0").count();
        assert_eq!(ours, theirs, "{packet:02x?}");
    }
    assert!(wrong > PACKETS / 3, "{wrong}");
}
