//! The third and fourth chapter: the whole conversation by hand, and why it usually fails.

use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use craft::{First, Packet};
use hand::conversation::Step;
use lab::{Host, Recorded, Recorder};
use net::hand::{Dialogue, Guarding, Happened, Options as SessionOptions};
use render::Style;

use super::story::{Story, broken};
use crate::failure::Failure;
use crate::record::{Recording, Seen};

/// Where the conversations are kept, beside the first chapters' capture.
const CAPTURE: &str = "handshake.pcapng";

/// How long more is awaited after the last segment that came. In the lab an answer takes well below a millisecond.
const SETTLE: Duration = Duration::from_millis(15);

/// The most segments of ours: a conversation that does not come to its end is ended by a reset.
const SEGMENTS_MAX: usize = 16;

pub(super) fn tell(story: &mut Story<'_>, path: &str) -> Result<(), Failure> {
    story.title("demo.handshake.title")?;
    story.say("demo.handshake.intro", &[])?;
    let line = format!("tcp server:{} S", story.http_port());
    let opening = story.packet(&line)?;
    if !story.address_of("server").is_some_and(|server| story.lab.carries(server)) {
        return story.say("demo.handshake.not-sent", &[]);
    }
    let mut capture = Capture::begin(story);
    guarded(story, &opening, path)?;
    capture.take(story, "guarded")?;
    story.title("demo.unguarded.title")?;
    unguarded(story, &opening)?;
    capture.take(story, "unguarded")?;
    story.say("demo.handshake.capture", &[("path", &CAPTURE)])
}

fn options(guard: bool) -> SessionOptions {
    SessionOptions { families: net::Families::V4, guard, ..SessionOptions::default() }
}

/// SYN, SYN-ACK, ACK, GET, the answer, FIN both ways: each line told when it happens.
fn guarded(story: &Story<'_>, opening: &Packet, path: &str) -> Result<(), Failure> {
    let mut dialogue = Dialogue::client(options(true), opening).map_err(|error| broken(&error))?;
    if let Guarding::Held { local, rung } = dialogue.guard() {
        story.say("demo.handshake.guard", &[("local", local), ("rung", &rung.code())])?;
    }
    say(story, &mut dialogue, "S")?;
    hear(story, &mut dialogue)?;
    say(story, &mut dialogue, "A")?;
    say(story, &mut dialogue, &format!("PA data='GET {path} HTTP/1.0\\r\\n\\r\\n'"))?;
    hear(story, &mut dialogue)?;
    for _ in 0..SEGMENTS_MAX {
        if dialogue.conversation().is_over() {
            break;
        }
        let line = dialogue.conversation().next_right().or_else(|| dialogue.conversation().next_towards_end());
        let Some(line) = line else { break };
        say(story, &mut dialogue, line)?;
        hear(story, &mut dialogue)?;
    }
    if dialogue.conversation().leaves_something() {
        say(story, &mut dialogue, "R")?;
    }
    Ok(())
}

/// The same beginning without the guard: our own kernel answers the SYN-ACK.
fn unguarded(story: &Story<'_>, opening: &Packet) -> Result<(), Failure> {
    story.say("demo.unguarded.intro", &[])?;
    let counter = || story.lab.counters(Host::Client).ok().map(|counters| counters.value(OUT_RSTS));
    let before = counter();
    let mut dialogue = Dialogue::client(options(false), opening).map_err(|error| broken(&error))?;
    say(story, &mut dialogue, "S")?;
    hear(story, &mut dialogue)?;
    say(story, &mut dialogue, "A")?;
    hear(story, &mut dialogue)?;
    if let (Some(before), Some(after)) = (before, counter()) {
        story.say("demo.unguarded.counter", &[("name", &OUT_RSTS), ("before", &before), ("after", &after)])?;
    }
    story.say("demo.unguarded.why", &[])
}

/// The resets that a kernel sent.
const OUT_RSTS: &str = "TcpOutRsts";

fn say(story: &Story<'_>, dialogue: &mut Dialogue, line: &str) -> Result<(), Failure> {
    let packet = dialogue.typed(line).map_err(|error| broken(&format!("{error:?}")))?;
    let spoken = dialogue.say(packet).map_err(|error| broken(&error))?;
    spoken.step.as_ref().map_or(Ok(()), |step| show(story, dialogue, step))
}

/// Tells what comes until nothing has come for a while.
fn hear(story: &Story<'_>, dialogue: &mut Dialogue) -> Result<(), Failure> {
    loop {
        let until = dialogue.now() + SETTLE;
        match dialogue.wait(until, &[]).map_err(|error| broken(&error))? {
            Happened::Segment(listened) => show(story, dialogue, &listened.step)?,
            Happened::TimedOut | Happened::Interrupted => return Ok(()),
            _ => {}
        }
    }
}

fn show(story: &Story<'_>, dialogue: &Dialogue, step: &Step) -> Result<(), Failure> {
    let sack_start = dialogue.conversation().sack_start(step.out);
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

/// What the client's wire carried, our kernel's own segments included. On the loopback there is none: what is there is not
/// only the lab's.
struct Capture {
    recorder: Option<Recorder>,
    frames: Receiver<Recorded>,
    file: Option<Recording>,
}

impl Capture {
    fn begin(story: &Story<'_>) -> Self {
        let (into, frames) = mpsc::channel();
        let recorder = story.lab.record(move |frame| into.send(frame).map_err(std::io::Error::other)).ok();
        let file = if recorder.is_some() && story.records() { Recording::begin(CAPTURE.as_ref()).ok() } else { None };
        Self { recorder, frames, file }
    }

    /// Writes what was seen up to now as one conversation.
    fn take(&mut self, story: &Story<'_>, comment: &str) -> Result<(), Failure> {
        let Some(file) = &mut self.file else { return Ok(()) };
        drop(self.recorder.take().map(Recorder::finish));
        for frame in self.frames.try_iter().filter(|frame| frame.port.host == Host::Client) {
            let direction = match frame.direction {
                link::Direction::Outgoing => capture::Direction::Out,
                _ => capture::Direction::In,
            };
            let (interface, wall) = (frame.port.host.view(), frame.wall);
            let (first, bytes, comments) = (First::Ethernet, frame.bytes.as_slice(), &[comment][..]);
            file.add(&Seen { interface, first, bytes, wall, direction: Some(direction), comments })?;
        }
        let (into, frames) = mpsc::channel();
        self.frames = frames;
        self.recorder = story.lab.record(move |frame| into.send(frame).map_err(std::io::Error::other)).ok();
        Ok(())
    }
}
