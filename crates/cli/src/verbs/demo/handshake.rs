//! The third and fourth chapter: the whole conversation by hand, and why it usually fails.

use std::net::IpAddr;
use std::time::Duration;

use craft::Packet;
use hand::conversation::{Due, Step};
use lab::{Host, Rung};
use net::hand::{Dialogue, Guarding, Happened, Options as SessionOptions, Rehearsal};
use render::Style;

use super::capture::Capture;
use super::program;
use super::story::{Story, broken};
use crate::failure::Failure;
use crate::in_process;
use crate::partner::Partner;

/// How long more is awaited after the last segment that came. In the lab an answer takes well below a millisecond.
const SETTLE: Duration = Duration::from_millis(15);

/// How long something that is due is awaited: on a busy machine it comes later than that.
const PATIENCE: Duration = Duration::from_millis(500);

/// The most segments of ours: a conversation that does not come to its end is ended by a reset.
const SEGMENTS_MAX: usize = 16;

pub(super) fn tell(story: &mut Story<'_>, path: &str) -> Result<(), Failure> {
    story.title("demo.handshake.title")?;
    story.say("demo.handshake.intro", &[])?;
    let line = format!("tcp server:{} S", story.http_port());
    let opening = story.packet(&line)?;
    if !story.address_of("server").is_some_and(|server| story.lab.carries(server)) {
        return in_process(story, &opening, path);
    }
    let mut capture = Capture::begin(story);
    let mut partner = dial(true, &opening)?;
    if let Some(Guarding::Held { local, rung }) = partner.guard() {
        story.say("demo.handshake.guard", &[("local", local), ("rung", &rung.code())])?;
    }
    hold(story, &mut partner, path)?;
    drop(partner);
    capture.take(story, "guarded")?;
    story.title("demo.unguarded.title")?;
    unguarded(story, &opening)?;
    capture.take(story, "unguarded")?;
    capture.tell(story, "demo.handshake.capture")
}

fn dial(guard: bool, opening: &Packet) -> Result<Partner, Failure> {
    let options = SessionOptions { families: net::Families::V4, guard, ..SessionOptions::default() };
    let dialogue = Dialogue::client(options, opening).map_err(|error| broken(&error))?;
    Ok(Partner::Wire(Box::new(dialogue)))
}

/// Without any network: the same conversation with our own TCP, and what only a kernel can show.
fn in_process(story: &mut Story<'_>, opening: &Packet, path: &str) -> Result<(), Failure> {
    story.say("demo.handshake.in-process", &[])?;
    let mut capture = Capture::of_process(story);
    let client = story.address_of("client").ok_or_else(|| broken(&story.words("demo.broken.no-client", &[])))?;
    let mut partner = rehearse(opening, client)?;
    hold(story, &mut partner, path)?;
    capture.add(&partner.carried(), "in process")?;
    story.title("demo.unguarded.title")?;
    story.say("demo.unguarded.in-process", &[])?;
    story.command(&format!("sudo {} demo", program()))?;
    capture.tell(story, "demo.handshake.capture-one")
}

/// The peer is our own TCP, and serves what the lab's server serves.
fn rehearse(opening: &Packet, client: IpAddr) -> Result<Partner, Failure> {
    let server = in_process::address("server", client.is_ipv6());
    let own = server
        .and_then(in_process::host_at)
        .ok_or_else(|| broken(&crate::speech::say("demo.broken.no-server", &[])))?;
    let rehearsal = Rehearsal::client(link::sys::system(), None, opening, client, own);
    rehearsal.map(|it| Partner::Own(Box::new(it))).map_err(|error| broken(&error))
}

/// SYN, SYN-ACK, ACK, GET, the answer, FIN both ways: each line told when it happens.
fn hold(story: &Story<'_>, partner: &mut Partner, path: &str) -> Result<(), Failure> {
    say(story, partner, "S")?;
    hear(story, partner)?;
    say(story, partner, "A")?;
    say(story, partner, &format!("PA data='GET {path} HTTP/1.0\\r\\n\\r\\n'"))?;
    hear_data(story, partner)?;
    for _ in 0..SEGMENTS_MAX {
        if partner.conversation().is_over() {
            break;
        }
        let line = partner.conversation().next_right().or_else(|| partner.conversation().next_towards_end());
        let Some(line) = line else { break };
        say(story, partner, line)?;
        hear(story, partner)?;
    }
    if partner.conversation().leaves_something() {
        say(story, partner, "R")?;
    }
    Ok(())
}

/// The same beginning without the guard: our own kernel answers the SYN-ACK.
fn unguarded(story: &Story<'_>, opening: &Packet) -> Result<(), Failure> {
    story.say("demo.unguarded.intro", &[])?;
    let counter = || story.lab.counters(Host::Client).ok().map(|counters| counters.value(OUT_RSTS));
    let before = counter();
    let mut partner = dial(false, opening)?;
    say(story, &mut partner, "S")?;
    hear(story, &mut partner)?;
    say(story, &mut partner, "A")?;
    hear_data(story, &mut partner)?;
    if let (Some(before), Some(after)) = (before, counter()) {
        // On the loopback client and server have one kernel, and one counter.
        let shared = story.lab.rung() == Rung::Loopback;
        let key = if shared { "demo.unguarded.counter-shared" } else { "demo.unguarded.counter" };
        story.say(key, &[("name", &OUT_RSTS), ("before", &before), ("after", &after)])?;
    }
    story.say("demo.unguarded.why", &[])
}

/// The resets that a kernel sent.
const OUT_RSTS: &str = "TcpOutRsts";

fn say(story: &Story<'_>, partner: &mut Partner, line: &str) -> Result<(), Failure> {
    let packet = partner.typed(line).map_err(|error| broken(&format!("{error:?}")))?;
    let said = partner.say(packet).map_err(|error| broken(&error))?;
    said.step().map_or(Ok(()), |step| show(story, partner, step))
}

/// Tells what comes until nothing is due and nothing has come for a while.
fn hear(story: &Story<'_>, partner: &mut Partner) -> Result<(), Failure> {
    hear_until(story, partner, true)
}

/// The same, and waits for data, or for an end without any.
fn hear_data(story: &Story<'_>, partner: &mut Partner) -> Result<(), Failure> {
    hear_until(story, partner, false)
}

fn hear_until(story: &Story<'_>, partner: &mut Partner, mut has_all: bool) -> Result<(), Failure> {
    loop {
        let conversation = partner.conversation();
        let is_due = conversation.awaits_answer() || matches!(conversation.due(), Due::AwaitFin | Due::AwaitAckOfFin);
        let until = partner.now() + if is_due || !has_all { PATIENCE } else { SETTLE };
        let step = match partner.wait(until, &[]).map_err(|error| broken(&error))? {
            Happened::Segment(listened) => listened.step,
            Happened::TimedOut | Happened::Interrupted => return Ok(()),
            _ => continue,
        };
        show(story, partner, &step)?;
        let flags = step.segment.flags;
        has_all |= !step.segment.data.is_empty() || flags.fin() || flags.rst();
    }
}

fn show(story: &Story<'_>, partner: &Partner, step: &Step) -> Result<(), Failure> {
    let sack_start = partner.conversation().sack_start(step.out);
    let style = Style { width: story.out.style.width - INDENT, ..story.out.style };
    story.show(&render::step(step, sack_start, &style, story.catalogue()))?;
    if step.out || step.segment.data.is_empty() {
        return Ok(());
    }
    let first_line = step.segment.data.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let shown = render::escape_bytes(&first_line[..first_line.len().min(LINE_BYTES_SHOWN)]);
    story.show(&format!("    {}", story.out.style.paint(render::Ink::Dim, &format!("{shown} ..."))))
}

/// What a story puts before what it shows.
const INDENT: usize = 2;

/// How much of the first line of an answer is shown.
const LINE_BYTES_SHOWN: usize = 60;
