//! The first chapter: the beginner's packet, everything that is wrong with it, and why nobody notices until TCP comes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc;

use craft::{Context, First, Packet};
use hand::Way;
use inspect::sum::Checksum;
use inspect::{Dissection, dissect};
use lab::Recorded;
use net::hand::{Fate, Left, Options as SessionOptions, Sent, Session};
use units::UnixTime;

use super::story::{Story, broken};
use crate::failure::Failure;

/// What the beginner set, field by field: TOS 1, id 54321, TTL 255, protocol TCP, no flags, a length of 0, and the
/// checksum of that header, its bytes exchanged.
const AS_SET: &str = "ip 192.168.1.1 src=192.168.1.103 tos=1 len=0 id=54321 df=0 ttl=255 proto=tcp sum=swap";

/// The address that the beginner gave to the kernel.
const HANDED_TO: Ipv4Addr = Ipv4Addr::new(192, 168, 8, 1);

/// The id by which the packet is recognised where it arrives.
const ID: u128 = 54321;

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), Failure> {
    story.title("demo.packet.title")?;
    story.say("demo.packet.as-set", &[])?;
    let packet = story.packet(AS_SET)?;
    let built = packet.build(&Context::default()).map_err(|error| broken(&error))?;
    story.command(&format!("ww build --as draw {packet}"))?;
    story.show(&render::draw_frame(&dissect(&built.bytes, First::Ip), &story.out.style, story.catalogue()))?;
    story.record("as set", First::Ip, &built.bytes, units_now(), None, "demo.comment.as-set")?;
    if story.lab.carries(IpAddr::V4(HANDED_TO)) {
        send(story, &packet, &built.bytes)?;
    } else {
        story.say("demo.packet.not-sent", &[("to", &HANDED_TO)])?;
        wrong_as_set(story, &built.bytes)?;
    }
    odd(story)
}

fn units_now() -> UnixTime {
    link::clock::wall()
}

/// Sends the packet, looks at what left and at what arrived, and names each thing that is wrong.
fn send(story: &mut Story<'_>, packet: &Packet, as_set: &[u8]) -> Result<(), Failure> {
    let (into, arrived) = mpsc::channel::<Recorded>();
    let recorder = story.lab.record(move |frame| into.send(frame).map_err(std::io::Error::other)).ok();
    let options = SessionOptions {
        to: Some(craft::Host::Address(IpAddr::V4(HANDED_TO))),
        way: Some(Way::RawIpv4),
        allow_rewrites: true,
        ..SessionOptions::default()
    };
    let sent = Session::open(options).send(packet).map_err(|error| broken(&error))?;
    drop(recorder.map(lab::Recorder::finish));
    let Fate::Left(left) = &sent.fate else { return Err(broken(&story.words("demo.broken.not-left", &[]))) };
    story.say("demo.packet.sent", &[("to", &HANDED_TO)])?;
    story.show(&left.packet(&sent.built).to_string())?;
    story.show(&render::changes(&sent.built, &left.changes, &story.out.style))?;
    story.record_sent(&sent, "demo.comment.as-left")?;
    let seen = arrived.iter().find(is_arrival);
    if let Some(frame) = &seen {
        story.say("demo.packet.arrived", &[("host", &frame.port.host), ("interface", &frame.port.interface)])?;
        story.show(&render::line(&dissect(&frame.bytes, First::Ethernet), &story.out.style))?;
        let comment = "demo.comment.as-arrived";
        story.record(
            lab::Shape::ONE.view(frame.port.host),
            First::Ethernet,
            &frame.bytes,
            frame.wall,
            Some(capture::Direction::In),
            comment,
        )?;
    }
    story.say("demo.packet.wrong", &[])?;
    wrong_as_set(story, as_set)?;
    rewritten(story, &sent, left)?;
    elsewhere(story, &sent)
}

/// The frame in which the packet reaches the first hop.
fn is_arrival(frame: &Recorded) -> bool {
    let dissection = dissect(&frame.bytes, First::Ethernet);
    let same = dissection.layer("ip").is_some_and(|ip| ip.value("id") == Some(ID));
    same && frame.direction == link::Direction::Incoming
}

/// What is wrong with the packet as it was set: the checksum twice over, and what diagnosis finds.
fn wrong_as_set(story: &Story<'_>, bytes: &[u8]) -> Result<(), Failure> {
    let frame = dissect(bytes, First::Ip);
    let Some(sum) = frame.checksums.first() else { return Err(broken(&story.words("demo.broken.no-checksum", &[]))) };
    let right = sum.right.unwrap_or_default();
    let (stored, right_text) = (hex(sum.stored), hex(right));
    if let Some(cause) = sum.cause() {
        let text = story.words("demo.packet.swapped", &[("stored", &stored), ("right", &right_text)]);
        story.finding(cause.code(), &text)?;
    }
    let (with_length, length) = with_true_length(bytes);
    let later = dissect(&with_length, First::Ip);
    let later = later.checksums.first().and_then(|sum| sum.right).unwrap_or_default();
    let (swapped, later_text) = (hex(later.swap_bytes()), hex(later));
    let values: [(&str, &dyn std::fmt::Display); 4] =
        [("length", &length), ("right", &later_text), ("swapped", &swapped), ("early", &right_text)];
    story.finding("stale-field", &story.words("demo.packet.stale", &values))?;
    odd_fields(story, &frame)
}

/// The same header with the length that it really has.
fn with_true_length(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut copy = bytes.to_vec();
    if let Some((mut header, _)) = wire::ipv4::ViewMut::split(&mut copy) {
        header.total_length(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
    }
    (copy, bytes.len())
}

fn odd_fields(story: &Story<'_>, frame: &Dissection<'_>) -> Result<(), Failure> {
    for finding in inspect::diagnose(frame) {
        story.finding(finding.kind.code(), &render::finding(&finding, story.catalogue()))?;
    }
    Ok(())
}

/// What the kernel wrote over what was set.
fn rewritten(story: &Story<'_>, sent: &Sent, left: &Left) -> Result<(), Failure> {
    let changed = render::changes(&sent.built, &left.changes, &story.out.style);
    story.finding("kernel-rewrites", &story.words("demo.packet.rewritten", &[("changes", &changed)]))
}

/// Handed to one address, addressed to another.
fn elsewhere(story: &Story<'_>, sent: &Sent) -> Result<(), Failure> {
    for note in &sent.plan.notes {
        if let hand::Note::AddressedElsewhere { .. } = note {
            story.finding("addressed-elsewhere", &render::plan_note(note, story.catalogue()))?;
        }
    }
    Ok(())
}

/// The same checksum function on a TCP segment with an odd number of bytes: nothing repairs it.
fn odd(story: &mut Story<'_>) -> Result<(), Failure> {
    story.say("demo.tcp.on-top", &[])?;
    story.say("demo.tcp.odd", &[])?;
    let port = story.http_port();
    let wrong = format!("tcp server:{port} S data='abc' sum=swap+odd");
    let right = format!("tcp server:{port} S data='abc'");
    story.command(&format!("ww lab ask {wrong}"))?;
    let packet = story.packet(&wrong)?;
    let server = story.address_of("server").unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    if !story.lab.carries(server) {
        return odd_in_process(story, &packet, &right, SocketAddr::new(server, port));
    }
    let before = story.server_counter(CSUM_ERRORS);
    let exchange = story.ask(&packet, ODD_COMMENT)?;
    if let Some(sent) = &exchange.sent {
        show_sent(story, sent)?;
    }
    if exchange.answer.is_none() {
        story.say("demo.tcp.silence", &[("wait", &render::duration(Story::wait()))])?;
    }
    if let (Some(before), Some(after)) = (before, story.server_counter(CSUM_ERRORS)) {
        story.say("demo.tcp.counter", &[("name", &CSUM_ERRORS), ("before", &before), ("after", &after)])?;
    }
    corrected(story, &right)
}

/// The counter of segments that a kernel dropped for their checksum.
const CSUM_ERRORS: &str = "TcpInCsumErrors";

/// A packet as it left, and what its checksum tells.
fn show_sent(story: &Story<'_>, sent: &Sent) -> Result<(), Failure> {
    let Fate::Left(left) = &sent.fate else { return Ok(()) };
    story.show(&left.packet(&sent.built).to_string())?;
    forensics(story, left.packet_bytes(), sent.built.first)
}

/// What a wrong checksum tells.
fn forensics(story: &Story<'_>, bytes: &[u8], first: First) -> Result<(), Failure> {
    let frame = dissect(bytes, first);
    let wrong = |sum: &&Checksum<'_>| sum.verdict.is_wrong();
    let Some(sum) = frame.checksums.iter().find(wrong) else { return Ok(()) };
    let Some(cause) = sum.cause() else { return Ok(()) };
    let (stored, right) = (hex(sum.stored), hex(sum.right.unwrap_or_default()));
    story.finding(cause.code(), &story.words("demo.tcp.forensics", &[("stored", &stored), ("right", &right)]))
}

/// Without any network a host of our own reads both segments.
fn odd_in_process(story: &mut Story<'_>, wrong: &Packet, right: &str, server: SocketAddr) -> Result<(), Failure> {
    story.say("demo.tcp.in-process", &[])?;
    let (built, taken) = story.give(wrong, server, ODD_COMMENT)?;
    story.show(&Packet::from_bytes(&built.bytes, built.first).to_string())?;
    forensics(story, &built.bytes, built.first)?;
    let reason = taken.discarded.ok_or_else(|| broken(&story.words("demo.broken.wrong-taken", &[])))?;
    story.say("demo.tcp.discarded", &[("reason", &reason), ("name", &CSUM_ERRORS)])?;
    story.say("demo.tcp.corrected", &[])?;
    story.command(&format!("ww lab ask {right}"))?;
    let packet = story.packet(right)?;
    let (built, taken) = story.give(&packet, server, RIGHT_COMMENT)?;
    let answer = taken.answers.first().ok_or_else(|| broken(&story.words("demo.broken.segment-unanswered", &[])))?;
    story.show(&Packet::from_bytes(&built.bytes, built.first).to_string())?;
    story.show(&Packet::from_bytes(answer, First::Ip).to_string())?;
    story.say("demo.tcp.answered", &[])
}

/// What stands at both segments in the capture.
const ODD_COMMENT: &str = "demo.comment.wrong-sum";
const RIGHT_COMMENT: &str = "demo.comment.right-sum";

fn corrected(story: &mut Story<'_>, line: &str) -> Result<(), Failure> {
    story.say("demo.tcp.corrected", &[])?;
    story.command(&format!("ww lab ask {line}"))?;
    let packet = story.packet(line)?;
    let exchange = story.ask(&packet, RIGHT_COMMENT)?;
    if let Some(Fate::Left(left)) = exchange.sent.as_ref().map(|sent| &sent.fate) {
        let built = exchange.sent.as_ref().map(|sent| &sent.built);
        story.show(&built.map_or_else(String::new, |built| left.packet(built).to_string()))?;
    }
    match &exchange.answer {
        Some(heard) => {
            story.show(&render::answer(&heard.answer, &story.out.style, story.catalogue()))?;
            story.show(&Packet::from_bytes(&heard.bytes, heard.first).to_string())?;
        }
        None => return Err(broken(&story.words("demo.broken.segment-unanswered", &[]))),
    }
    if exchange.closed.is_some() { story.say("demo.tcp.closed", &[]) } else { Ok(()) }
}

fn hex(value: u16) -> String {
    format!("{value:#06x}")
}
