//! `-w FILE`: what was sent and heard, as pcapng; `-` for a pipe into another program.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;

use capture::{CaptureError, Direction, Interface, LinkType, Record, Writer};
use craft::{Built, First};
use inspect::dissect;
use inspect::sum::Verdict;
use net::hand::{Carried, Fate, Sent};
use units::UnixTime;

use crate::failure::{Exit, Failure};
use crate::in_process;
use crate::said;
use crate::speech::say;

/// A capture being written: an interface block for each name and link type, made when first needed.
pub(crate) struct Recording {
    writer: Writer<Box<dyn Write + Send>>,
    known: Vec<(String, LinkType, usize)>,
    path: String,
}

impl Recording {
    /// Begins a capture in a file, or on standard output for `-`.
    ///
    /// # Errors
    /// The file cannot be written, or bytes would go to a terminal.
    pub(crate) fn begin(path: &OsStr) -> Result<Self, Failure> {
        let shown = render::escape(&path.to_string_lossy()).into_owned();
        let sink: Box<dyn Write + Send> = if path == "-" {
            if io::stdout().is_terminal() {
                return Err(Failure::usage("bytes-to-terminal", say("error.bytes-to-terminal", &[]))
                    .row("or", say("hint.pipe", &[])));
            }
            Box::new(take_stdout().map_err(|error| not_written("-", &said::os(&error)))?)
        } else {
            Box::new(File::create(path).map_err(|error| not_written(&shown, &said::os(&error)))?)
        };
        let writer = Writer::pcapng(Box::new(BufWriter::new(sink)) as Box<dyn Write + Send>, "ww")
            .map_err(|error| broken(&shown, &error))?;
        let mut recording = Self { writer, known: Vec::new(), path: shown };
        recording.flush()?;
        Ok(recording)
    }

    /// Adds a frame that an interface of this name saw.
    ///
    /// # Errors
    /// The file cannot be written, or the frame begins with a layer that no capture can.
    pub(crate) fn add(&mut self, frame: &Seen<'_>) -> Result<(), Failure> {
        self.add_unseen(frame)?;
        self.flush()
    }

    /// The same for one of many: a reader at the other end of a pipe sees it after [`flush`](Self::flush).
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn add_unseen(&mut self, frame: &Seen<'_>) -> Result<(), Failure> {
        let link_type = link_type(frame.first)?;
        let known = self.known.iter().find(|(name, kind, _)| name == frame.interface && *kind == link_type);
        let interface = match known {
            Some((_, _, index)) => *index,
            None => {
                let described = Interface::new(frame.interface, link_type);
                let index = self.writer.add_interface(&described).map_err(|error| broken(&self.path, &error))?;
                self.known.push((frame.interface.to_owned(), link_type, index));
                index
            }
        };
        let mut record = Record::new(interface, frame.wall, frame.bytes);
        record.direction = frame.direction;
        record.comments = frame.comments.to_vec();
        self.writer.write(&record).map_err(|error| broken(&self.path, &error))
    }

    /// Adds a packet that was only built.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn add_built(&mut self, built: &Built) -> Result<(), Failure> {
        let (interface, first, bytes) = ("build", built.first, built.bytes.as_slice());
        let seen = Seen { interface, first, bytes, wall: UnixTime::EPOCH, direction: None, comments: &[] };
        self.add_unseen(&seen)
    }

    /// Adds a packet that left, with the way it took.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn add_sent(&mut self, sent: &Sent) -> Result<(), Failure> {
        let Fate::Left(left) = &sent.fate else { return Ok(()) };
        let (first, bytes) = match left.first {
            Some(first) => (first, left.frame.as_slice()),
            None => (sent.built.first, left.packet_bytes()),
        };
        let wall = left.at.map_or(UnixTime::EPOCH, |stamp| stamp.wall);
        let way = say("record.sent-by", &[("way", &sent.plan.way)]);
        let (interface, comments) = (sent.plan.interface.name.as_str(), [way.as_str()]);
        self.add(&Seen { interface, first, bytes, wall, direction: Some(Direction::Out), comments: &comments })
    }

    /// Adds a packet that came by an interface of this name.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn add_heard(
        &mut self,
        interface: &str,
        (first, bytes): (First, &[u8]),
        wall: UnixTime,
        rebuilt: bool,
    ) -> Result<(), Failure> {
        let comment = rebuilt.then(|| say("record.rebuilt", &[]));
        let comments: Vec<&str> = comment.as_deref().into_iter().collect();
        self.add(&Seen { interface, first, bytes, wall, direction: Some(Direction::In), comments: &comments })
    }

    /// Adds a packet that went from one side to the other inside this process.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn add_carried(&mut self, packet: &Carried, comments: &[&str]) -> Result<(), Failure> {
        let out = packet.direction == link::Direction::Outgoing;
        let direction = Some(if out { Direction::Out } else { Direction::In });
        let (interface, first, wall) = (in_process::INTERFACE, First::Ip, packet.wall);
        self.add(&Seen { interface, first, bytes: &packet.bytes, wall, direction, comments })
    }

    /// A reader at the other end of a pipe sees each frame when it happens.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(|error| broken(&self.path, &error))
    }
}

/// Writes the right value over each checksum that is only begun; whether there was one.
pub(crate) fn fill_checksums(frame: &mut [u8], first: First) -> bool {
    let dissection = dissect(frame, first);
    let begun = dissection.checksums.iter().filter(|sum| sum.verdict == Verdict::Partial);
    let right: Vec<_> = begun.filter_map(|sum| Some((sum.at, sum.right?))).collect();
    for (at, value) in &right {
        if let Some(stored) = frame.get_mut(*at..*at + 2) {
            stored.copy_from_slice(&value.to_be_bytes());
        }
    }
    !right.is_empty()
}

/// Takes standard output for a capture alone. Text that would have gone there, ours or a command's, goes to standard error
/// from now on: between the blocks of a capture it would destroy it.
fn take_stdout() -> io::Result<File> {
    io::stdout().flush()?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(File::from(stdout))
}

/// A frame to be recorded.
pub(crate) struct Seen<'a> {
    /// The name of the interface block.
    pub interface: &'a str,
    /// What the bytes begin with.
    pub first: First,
    /// The bytes.
    pub bytes: &'a [u8],
    /// When.
    pub wall: UnixTime,
    /// Which way.
    pub direction: Option<Direction>,
    /// What is to be said of it.
    pub comments: &'a [&'a str],
}

/// The link type of a capture of packets that begin so.
///
/// # Errors
/// A packet that begins above IP.
pub(crate) fn link_type(first: First) -> Result<LinkType, Failure> {
    match first {
        First::Ethernet => Ok(LinkType::ETHERNET),
        First::Ip => Ok(LinkType::RAW),
        other => Err(Failure::usage("no-link-type", say("error.no-link-type", &[("layer", &other.key())]))
            .row("or", say("hint.with-ip-layer", &[]))),
    }
}

fn broken(path: &str, error: &CaptureError) -> Failure {
    match error {
        CaptureError::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe => Failure::quiet(),
        _ => not_written(path, &said::capture(error)),
    }
}

fn not_written(path: &str, why: &str) -> Failure {
    let why = why.split(" (os error").next().unwrap_or(why);
    Failure::new(
        Exit::CouldNotSend,
        "file-unwritable",
        say("error.file-unwritable", &[("path", &path), ("said", &why)]),
    )
    .row("or", say("hint.another-file", &[]))
}
