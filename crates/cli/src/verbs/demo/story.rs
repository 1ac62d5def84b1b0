//! What the chapters tell with: prose out of the catalogue, drawings, packets sent and heard, the capture.

use std::ffi::OsStr;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use capture::Direction;
use craft::{Built, Context, First, Packet};
use lab::{Host, Lab, Rung, ServiceKind};
use net::Hosts;
use net::hand::{Event, Fate, HeardAnswer, Options as SessionOptions, OwnHost, Sent, Session, Taken};
use render::{Catalogue, Ink};
use units::UnixTime;

use crate::command::Options;
use crate::context;
use crate::failure::{Exit, Failure};
use crate::in_process;
use crate::output::Output;
use crate::place;
use crate::record::{Recording, Seen, fill_checksums};
use crate::speech;

/// The columns that prose takes at most: longer lines are hard to read.
const PROSE: usize = 88;

/// How long the tour waits for an answer. In the lab one takes well below a millisecond.
const WAIT: Duration = Duration::from_millis(250);

/// The tour as it is told.
pub(super) struct Story<'a> {
    pub(super) lab: &'a Lab,
    pub(super) out: Output,
    words: &'static Catalogue,
    recording: Option<Recording>,
    chapter: usize,
}

impl<'a> Story<'a> {
    /// A story, and the capture beside it; where none can be written the story is told without.
    pub(super) fn begin(lab: &'a Lab, options: &Options, path: &OsStr) -> Result<Self, Failure> {
        let out = Output::new(options);
        let recording = match Recording::begin(path) {
            Ok(recording) => Some(recording),
            // A directory that cannot be written is no reason not to tell the story, unless the file was asked for.
            Err(failure) if options.write.is_none() => {
                out.remark(&failure.to_string());
                None
            }
            Err(failure) => return Err(failure),
        };
        Ok(Self { lab, out, words: speech::words(), recording, chapter: 0 })
    }

    pub(super) const fn records(&self) -> bool {
        self.recording.is_some()
    }

    /// The title of the next chapter.
    pub(super) fn title(&mut self, key: &str) -> Result<(), Failure> {
        self.chapter += 1;
        let title = format!("{}  {}", self.chapter, self.words.say(key, &[]));
        self.out.result("")?;
        self.out.result(&self.out.style.paint(Ink::Title, &title))
    }

    /// A paragraph of prose.
    pub(super) fn say(&self, key: &str, values: &[(&str, &dyn Display)]) -> Result<(), Failure> {
        self.out.result("")?;
        self.prose(&self.words.say(key, values), 0)
    }

    /// A finding: its code, and a sentence.
    pub(super) fn finding(&self, code: &str, sentence: &str) -> Result<(), Failure> {
        self.out.result(&format!("  {}", self.out.style.paint(Ink::Note, code)))?;
        self.prose(sentence, 6)
    }

    /// A sentence of the catalogue.
    pub(super) fn words(&self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        self.words.say(key, values)
    }

    pub(super) const fn catalogue(&self) -> &'static Catalogue {
        self.words
    }

    fn prose(&self, text: &str, indent: usize) -> Result<(), Failure> {
        let width = self.out.style.width.min(PROSE).saturating_sub(indent);
        let text = if self.out.style.unicode { text.to_owned() } else { ascii(text) };
        for line in render::wrap(&text, width) {
            self.out.result(&format!("{:indent$}{line}", ""))?;
        }
        Ok(())
    }

    /// A drawing, a dump, a line: as it is, indented.
    pub(super) fn show(&self, block: &str) -> Result<(), Failure> {
        for line in block.trim_end().lines() {
            self.out.result(format!("  {line}").trim_end())?;
        }
        Ok(())
    }

    /// A command that a person can type.
    pub(super) fn command(&self, line: &str) -> Result<(), Failure> {
        self.out.result(&format!("      {line}"))
    }

    /// Both ends and their addresses, below the map's line.
    pub(super) fn ends(&self) -> String {
        let address = |name| self.address_of(name).map_or_else(String::new, |address| address.to_string());
        format!("{:<33}{}", address("client"), format_args!("{:>20}", address("server")))
    }

    /// The IPv4 address of a host of the lab.
    pub(super) fn address_of(&self, name: &str) -> Option<IpAddr> {
        self.lab.hosts().iter().find(|host| host.name == name).map(|host| IpAddr::V4(host.v4))
    }

    /// The server's HTTP port here.
    pub(super) fn http_port(&self) -> u16 {
        let http = self.lab.services().iter().find(|service| service.kind == ServiceKind::Http);
        http.map_or(ServiceKind::Http.port(), |service| service.port)
    }

    /// Reads a packet in words and fills in the lab's names.
    pub(super) fn packet(&self, line: &str) -> Result<Packet, Failure> {
        let mut packet = craft::parse(line).map_err(|error| broken(&error))?;
        let names = Hosts::before(place::entries(self.lab), place::Nobody);
        net::resolve(&mut packet, &names, net::Families::V4).map_err(|error| broken(&error))?;
        Ok(packet)
    }

    /// Builds a packet that is not sent here, as the lab's client would.
    pub(super) fn build(&self, packet: &Packet) -> Result<Built, Failure> {
        let source_v4 = match self.address_of("client") {
            Some(IpAddr::V4(client)) => Some(client),
            _ => None,
        };
        packet.build(&Context { source_v4, ..context::offline(None) }).map_err(|error| broken(&error))
    }

    /// Gives a packet to a host of our own in this process, where nothing is sent. The capture gets it with its answers.
    pub(super) fn give(
        &mut self,
        packet: &Packet,
        server: SocketAddr,
        comment: &str,
    ) -> Result<(Built, Taken), Failure> {
        let built = self.build(packet)?;
        let mut host =
            OwnHost::new(link::sys::system(), server.ip(), &[server.port()]).map_err(|error| broken(&error))?;
        self.record(
            in_process::INTERFACE,
            built.first,
            &built.bytes,
            link::clock::wall(),
            Some(Direction::Out),
            comment,
        )?;
        let taken = host.take(&built.bytes);
        for answer in &taken.answers {
            self.record(in_process::INTERFACE, First::Ip, answer, link::clock::wall(), Some(Direction::In), "")?;
        }
        Ok((built, taken))
    }

    /// Sends a packet and waits for what comes back. The capture gets all of it, with `comment` on the packet itself.
    pub(super) fn ask(&mut self, packet: &Packet, comment: &str) -> Result<Exchange, Failure> {
        let options = SessionOptions { wait: WAIT, families: net::Families::V4, ..SessionOptions::default() };
        let mut session = Session::open(options);
        session.start(packet).map_err(|error| broken(&error))?;
        let mut exchange = Exchange::default();
        while let Some(event) = session.next_event().map_err(|error| broken(&error))? {
            match event {
                Event::Sent(sent) => {
                    let first = exchange.sent.is_none();
                    self.record_sent(&sent, if first { comment } else { "" })?;
                    if first { exchange.sent = Some(*sent) } else { exchange.closed = Some(*sent) }
                }
                Event::Answer(answer) => {
                    self.record_heard(&answer)?;
                    exchange.answer = Some(*answer);
                }
                Event::Interrupted => {
                    return Err(Failure::new(Exit::Interrupted, "interrupted", speech::say("error.interrupted", &[])));
                }
                _ => {}
            }
        }
        Ok(exchange)
    }

    /// Adds a packet as it left to the capture.
    pub(super) fn record_sent(&mut self, sent: &Sent, comment: &str) -> Result<(), Failure> {
        let Fate::Left(left) = &sent.fate else { return Ok(()) };
        let (first, bytes) = match left.first {
            Some(first) => (first, left.frame.as_slice()),
            None => (sent.built.first, left.packet_bytes()),
        };
        let wall = left.at.map_or(UnixTime::EPOCH, |stamp| stamp.wall);
        self.record("client", first, bytes, wall, Some(Direction::Out), comment)
    }

    fn record_heard(&mut self, heard: &HeardAnswer) -> Result<(), Failure> {
        let mut bytes = heard.bytes.clone();
        let filled = self.lab.rung() == Rung::Loopback && fill_checksums(&mut bytes, heard.first);
        let comment = if filled { "record.filled" } else { "" };
        self.record("client", heard.first, &bytes, heard.wall, Some(Direction::In), comment)
    }

    /// Adds a frame to the capture.
    pub(super) fn record(
        &mut self,
        interface: &str,
        first: First,
        bytes: &[u8],
        wall: UnixTime,
        direction: Option<Direction>,
        comment: &str,
    ) -> Result<(), Failure> {
        let Some(recording) = &mut self.recording else { return Ok(()) };
        let comment = if comment.is_empty() { String::new() } else { self.words.say(comment, &[]) };
        let comments: &[&str] = if comment.is_empty() { &[] } else { &[&comment] };
        recording.add(&Seen { interface, first, bytes, wall, direction, comments })
    }

    /// A counter of the server's kernel; `None` where there is no server of the lab's own.
    pub(super) fn server_counter(&self, name: &str) -> Option<i64> {
        self.lab.counters(Host::Server).ok().map(|counters| counters.value(name))
    }

    /// How long the tour waits for an answer.
    pub(super) const fn wait() -> Duration {
        WAIT
    }
}

/// A packet sent, and what came of it.
#[derive(Default)]
pub(super) struct Exchange {
    pub(super) sent: Option<Sent>,
    pub(super) answer: Option<HeardAnswer>,
    pub(super) closed: Option<Sent>,
}

/// The tour itself failed: what it sends is its own, so this is the machine's doing.
pub(super) fn broken(error: &dyn Display) -> Failure {
    Failure::new(Exit::CouldNotSend, "demo", speech::say("error.demo", &[("said", error)]))
        .row("look", "ww lab -- ip -brief address")
}

/// The typographic signs of the prose in ASCII.
fn ascii(text: &str) -> String {
    text.replace('→', "to").replace('§', "section ").replace('…', "...")
}
