//! `handshake.pcapng`: what the wire carried of both conversations, our kernel's own segments included.

use std::net::IpAddr;
use std::sync::mpsc::{self, Receiver};

use craft::First;
use lab::{Host, Recorded, Recorder, Rung};
use link::netlink::Netlink;
use link::{Filter, OsError, PacketConfig, PacketSocket, Receive, Wanted, What, sys};
use net::hand::Carried;

use super::story::Story;
use crate::failure::Failure;
use crate::record::{Recording, Seen, fill_checksums};

/// Where the conversations are kept, beside the first chapters' capture.
const CAPTURE: &str = "handshake.pcapng";

/// What sees the conversations.
enum Eyes {
    /// The client's wire in the lab.
    Wire(Recorder, Receiver<Recorded>),
    /// The loopback, as far as it goes to the server's port or comes from it.
    Loopback(Box<PacketSocket>),
    /// Nothing: what was carried is given.
    None,
}

/// The capture. Where it cannot be written, or nothing can look, there is none.
pub(super) struct Capture {
    eyes: Eyes,
    file: Option<Recording>,
}

impl Capture {
    /// Looks on from now on.
    pub(super) fn begin(story: &Story<'_>) -> Self {
        let eyes = look(story);
        let file = if matches!(eyes, Eyes::None) { None } else { open(story) };
        Self { eyes, file }
    }

    /// Of a conversation that crosses no wire.
    pub(super) fn of_process(story: &Story<'_>) -> Self {
        Self { eyes: Eyes::None, file: open(story) }
    }

    /// Writes what was seen up to now as one conversation, and looks on.
    pub(super) fn take(&mut self, story: &Story<'_>, comment: &str) -> Result<(), Failure> {
        let Some(file) = &mut self.file else { return Ok(()) };
        match std::mem::replace(&mut self.eyes, Eyes::None) {
            Eyes::Wire(recorder, frames) => {
                drop(recorder.finish());
                for frame in frames.try_iter().filter(|frame| frame.port.host == Host::Client) {
                    let direction = direction(frame.direction == link::Direction::Outgoing);
                    let (interface, wall) = (lab::Shape::ONE.view(frame.port.host), frame.wall);
                    let (first, bytes, comments) = (First::Ethernet, frame.bytes.as_slice(), &[comment][..]);
                    file.add(&Seen { interface, first, bytes, wall, direction, comments })?;
                }
                self.eyes = look(story);
            }
            Eyes::Loopback(mut socket) => {
                while let Ok(Some(frame)) = socket.try_recv() {
                    // Every frame is there twice: leaving and arriving.
                    if frame.direction == link::Direction::Outgoing {
                        let (mut bytes, wall) = (frame.bytes.to_vec(), frame.wall);
                        let filled = fill_checksums(&mut bytes, First::Ethernet);
                        let note = story.words("record.filled", &[]);
                        let comments = if filled { &[comment, note.as_str()][..] } else { &[comment] };
                        let (interface, first, bytes) = ("lo", First::Ethernet, bytes.as_slice());
                        file.add(&Seen { interface, first, bytes, wall, direction: direction(true), comments })?;
                    }
                }
                self.eyes = Eyes::Loopback(socket);
            }
            Eyes::None => {}
        }
        Ok(())
    }

    /// Writes what was carried inside this process.
    pub(super) fn add(&mut self, carried: &[Carried], comment: &str) -> Result<(), Failure> {
        let Some(file) = &mut self.file else { return Ok(()) };
        carried.iter().try_for_each(|packet| file.add_carried(packet, &[comment]))
    }

    /// Says where it is.
    pub(super) fn tell(&self, story: &Story<'_>, key: &str) -> Result<(), Failure> {
        if self.file.is_some() { story.say(key, &[("path", &CAPTURE)]) } else { Ok(()) }
    }
}

fn open(story: &Story<'_>) -> Option<Recording> {
    if story.records() { Recording::begin(CAPTURE.as_ref()).ok() } else { None }
}

fn look(story: &Story<'_>) -> Eyes {
    match story.lab.rung() {
        Rung::UserNamespace | Rung::NetworkNamespace => {
            let (into, frames) = mpsc::channel();
            let recorder = story.lab.record(move |frame| into.send(frame).map_err(std::io::Error::other));
            recorder.map_or(Eyes::None, |recorder| Eyes::Wire(recorder, frames))
        }
        Rung::Loopback => story
            .address_of("server")
            .and_then(|server| loopback(server, story.http_port()).ok().flatten())
            .map_or(Eyes::None, |socket| Eyes::Loopback(Box::new(socket))),
        Rung::InProcess => Eyes::None,
    }
}

/// What is on the loopback is not only ours: no more than one port of one address is looked at.
fn loopback(server: IpAddr, port: u16) -> Result<Option<PacketSocket>, OsError> {
    let interfaces = Netlink::open(sys::system())?.interfaces()?;
    let Some(lo) = interfaces.iter().find(|interface| interface.flags.is_loopback()) else { return Ok(None) };
    let there = Wanted {
        source: None,
        destination: Some(server),
        what: What::Tcp { source_port: None, destination_port: Some(port) },
    };
    let back = Wanted {
        source: Some(server),
        destination: None,
        what: What::Tcp { source_port: Some(port), destination_port: None },
    };
    let config =
        PacketConfig { receive: Receive::Both, filter: Filter::any_of(&[there, back]), ..PacketConfig::default() };
    PacketSocket::open(sys::system(), lo, &config).map(Some)
}

fn direction(out: bool) -> Option<capture::Direction> {
    Some(if out { capture::Direction::Out } else { capture::Direction::In })
}
