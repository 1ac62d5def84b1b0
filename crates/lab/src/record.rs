//! Recording: what every host saw, merged by time.
//!
//! One ring a port (with offloads, whose frames are too long for one, a socket), opened in its host's network, read by one
//! thread. A frame is given on when no older one can
//! still come: the kernel stamps a frame before it queues it, and another core may be in between for a moment.

use core::fmt;
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wirewright_link::netlink::Netlink;
use wirewright_link::sys::{Errno, system};
use wirewright_link::{Checksum, Direction, OsError, PacketConfig, PacketRing, PacketSocket, Receive, Received, clock};
use wirewright_units::{Instant, UnixTime};

use crate::enter::Lab;
use crate::map::{Host, Port};
use crate::message::Line;
use crate::place::PlaceError;

/// How long a frame is kept back for an older one: some hundred times what a core needs between stamp and queue.
const HOLD: Duration = Duration::from_millis(2);

/// At the end the recorder, and before its faults the relay, waits until nothing came for this long: a frame crosses the lab in less than a hundredth of it.
pub(crate) const QUIET: Duration = Duration::from_millis(10);

/// … and as long as a relay may keep a frame, but not longer than this more: somebody may still be sending.
const SETTLE_MAX: Duration = Duration::from_millis(200);

/// A relay that keeps frames longer than this is not waited for at the end: what is under way then is not recorded.
const RELAY_TIME_MAX: Duration = Duration::from_secs(2);

/// A young lab is given this time before its first recording or its relay's faults begin: the kernels report the multicast groups of their new
/// addresses, twice (RFC 3810 §6.1, `mldv2_unsolicited_report_interval`), which takes 12 to 20 ms and is nobody's packet.
pub(crate) const YOUTH: Duration = Duration::from_millis(30);

/// So many frames may wait at each port: a page of 10 MB, where a loaded machine does not let the recorder run meanwhile.
/// 16 MiB a port.
const SLOTS: usize = 8192;

/// How much a socket should hold, where frames are too long for a ring; a plain user's get less.
const ROOM: i32 = 32 << 20;

/// A frame that a host saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where: the host and its interface.
    pub port: &'static Port,
    /// The frame, from its Ethernet header on, as it was on the wire.
    pub bytes: Vec<u8>,
    /// Its length on the wire.
    pub original_len: usize,
    /// When, by the clock of intervals.
    pub at: Instant,
    /// When, by the clock on the wall.
    pub wall: UnixTime,
    /// Which way, seen from the host.
    pub direction: Direction,
    /// What is known of its transport checksum; `Partial` only with [`Options::offload`](crate::Options::offload).
    pub checksum: Checksum,
}

/// What takes recorded frames, oldest first. An error of it ends the recording.
pub trait Sink: Send + 'static {
    /// Takes a frame.
    ///
    /// # Errors
    /// It cannot be stored.
    fn take(&mut self, frame: Recorded) -> io::Result<()>;

    /// Nothing more is there at this moment: what was taken is to be seen.
    ///
    /// # Errors
    /// It cannot be stored.
    fn settle(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(Recorded) -> io::Result<()> + Send + 'static> Sink for F {
    fn take(&mut self, frame: Recorded) -> io::Result<()> {
        self(frame)
    }
}

/// What came of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many frames were given on. A frame that crosses a wire counts at both ends.
    pub frames: u64,
    /// How many were lost because they came faster than they were taken.
    pub dropped: u64,
}

/// Why there is no recording, or why it ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// This lab has no hosts of its own: what is on this machine's loopback is not only the lab's.
    Place(PlaceError),
    /// A packet socket was refused.
    Socket {
        /// Where.
        port: &'static Port,
        /// Why.
        error: Box<OsError>,
    },
    /// The thread could not be started, or could not wait.
    Thread {
        /// Why.
        error: io::Error,
    },
    /// The sink failed: a full disk, a closed pipe.
    Sink {
        /// Why.
        error: io::Error,
    },
}

/// A recording under way. Dropping it ends it as [`Recorder::finish`] does, but says nothing.
#[derive(Debug)]
pub struct Recorder {
    /// Cut to say: end.
    line: Option<Line>,
    thread: Option<JoinHandle<Result<Summary, RecordError>>>,
}

impl Lab {
    /// Records what every host sees from now on, and gives it to `sink` on a thread of its own.
    ///
    /// **Errors**: [`RecordError::Place`] on the rungs without networks; [`RecordError::Socket`] without `CAP_NET_RAW`, which
    /// the first two rungs always have.
    pub fn record(&self, sink: impl Sink) -> Result<Recorder, RecordError> {
        if !self.rung().has_networks() {
            let error = PlaceError::NoSuchHost { host: Host::Router, rung: self.rung() };
            return Err(RecordError::Place(error));
        }
        clock::sleep((self.since + YOUTH).since(clock::now()));
        // At once: for each the kernel waits for a grace period of its own.
        let ports = self.shape.ports();
        let taps = thread::scope(|scope| {
            let opening: Vec<_> = ports.iter().map(|port| scope.spawn(|| self.tap(port))).collect();
            let opened = opening.into_iter().map(|tap| tap.join().unwrap_or_else(|p| std::panic::resume_unwind(p)));
            opened.collect::<Result<Vec<_>, _>>()
        })?;
        let (here, there) = Line::pair().map_err(|error| RecordError::Thread { error })?;
        let relay_time = self.relay_time.min(RELAY_TIME_MAX);
        let run = move || {
            Recording { taps, line: there, relay_time, sink, held: Vec::new(), summary: Summary::default() }.run()
        };
        let thread = thread::Builder::new().name("ww-record".to_owned()).spawn(run);
        let thread = thread.map_err(|error| RecordError::Thread { error })?;
        Ok(Recorder { line: Some(here), thread: Some(thread) })
    }

    fn tap(&self, port: &'static Port) -> Result<Tap, RecordError> {
        let opened = self.on(port.host, || Source::open(port, self.offload)).map_err(RecordError::Place)?;
        let source = opened.map_err(|error| RecordError::Socket { port, error: Box::new(error) })?;
        Ok(Tap { port, source })
    }
}

impl Recorder {
    /// Waits for what is still on its way, gives it on, and ends.
    ///
    /// **Errors**: [`RecordError::Sink`] or [`RecordError::Socket`], which may have ended it earlier.
    pub fn finish(mut self) -> Result<Summary, RecordError> {
        self.line = None;
        let Some(thread) = self.thread.take() else { return Ok(Summary::default()) };
        thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.line = None;
        if let Some(thread) = self.thread.take() {
            // Whoever wants to know asks `finish`.
            let _ = thread.join();
        }
    }
}

/// What is seen at one port.
struct Tap {
    port: &'static Port,
    source: Source,
}

/// Where frames are taken from.
enum Source {
    Ring(PacketRing),
    Socket(PacketSocket),
}

impl Source {
    fn open(port: &Port, has_long_frames: bool) -> Result<Self, OsError> {
        if !has_long_frames {
            return PacketRing::open(system(), port.index, Receive::Both, SLOTS).map(Self::Ring);
        }
        let interfaces = Netlink::open(system())?.interfaces()?;
        let interface = interfaces.iter().find(|interface| interface.index == port.index);
        // The builder made it, and nothing but the end of the lab takes it away.
        let interface = interface.expect("a port of the lab is an interface");
        let config = PacketConfig { receive: Receive::Both, room: ROOM, ..PacketConfig::default() };
        PacketSocket::open(system(), interface, &config).map(Self::Socket)
    }

    /// Takes some frames that are there; how many, 0 where none is.
    fn take(&mut self, take: &mut dyn FnMut(&Received<'_>)) -> Result<usize, OsError> {
        match self {
            Self::Ring(ring) => Ok(usize::from(ring.try_next(take).is_some())),
            Self::Socket(socket) => socket.try_recv_batch(take),
        }
    }

    fn dropped(&mut self) -> u32 {
        let counted = match self {
            Self::Ring(ring) => ring.statistics(),
            Self::Socket(socket) => socket.statistics(),
        };
        counted.map_or(0, |counted| counted.dropped)
    }
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Ring(ring) => ring.as_fd(),
            Self::Socket(socket) => socket.as_fd(),
        }
    }
}

struct Recording<S> {
    taps: Vec<Tap>,
    line: Line,
    /// How long a frame may be under way between two taps.
    relay_time: Duration,
    sink: S,
    held: Vec<Recorded>,
    summary: Summary,
}

impl<S: Sink> Recording<S> {
    fn run(mut self) -> Result<Summary, RecordError> {
        loop {
            let limit = if self.held.is_empty() { None } else { Some(HOLD) };
            self.wait(limit)?;
            let horizon = clock::now() - HOLD;
            self.take()?;
            if self.line.is_cut() {
                break;
            }
            self.give(horizon)?;
        }
        self.settle()?;
        self.give(Instant::NEVER)?;
        for tap in &mut self.taps {
            self.summary.dropped += u64::from(tap.source.dropped());
        }
        close(self.taps);
        Ok(self.summary)
    }

    fn settle(&mut self) -> Result<(), RecordError> {
        let end = clock::now() + self.relay_time + SETTLE_MAX;
        loop {
            let before = self.held.len();
            clock::sleep(self.relay_time + QUIET);
            self.take()?;
            if self.held.len() == before || clock::now() >= end {
                return Ok(());
            }
        }
    }

    /// Waits for a frame or the end.
    fn wait(&self, limit: Option<Duration>) -> Result<(), RecordError> {
        let fds = self.taps.iter().map(|tap| tap.source.as_fd()).chain([self.line.as_fd()]);
        let mut fds: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        match poll(&mut fds, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(RecordError::Thread { error: errno.into() }),
        }
    }

    /// Takes every frame that is there. What comes while it does so is for the next time: the others have waited.
    fn take(&mut self) -> Result<(), RecordError> {
        let began = clock::now();
        for tap in &mut self.taps {
            let mut newest = Instant::ORIGIN;
            while newest < began {
                let Tap { port, source } = tap;
                let came = source.take(&mut |frame| {
                    newest = newest.max(frame.at);
                    self.held.push(recorded(port, frame));
                });
                match came {
                    Ok(0) => break,
                    Ok(_) => {}
                    // Said once by an interface that somebody put down; what was queued follows.
                    Err(error) if error.errno == Errno::ENETDOWN => {}
                    Err(error) => return Err(RecordError::Socket { port: tap.port, error: Box::new(error) }),
                }
            }
        }
        self.held.sort_by_key(|frame| frame.at);
        Ok(())
    }

    /// Gives on what is older than `horizon`.
    fn give(&mut self, horizon: Instant) -> Result<(), RecordError> {
        let count = self.held.partition_point(|frame| frame.at <= horizon);
        for frame in self.held.drain(..count) {
            self.sink.take(frame).map_err(|error| RecordError::Sink { error })?;
            self.summary.frames += 1;
        }
        if count > 0 {
            self.sink.settle().map_err(|error| RecordError::Sink { error })?;
        }
        Ok(())
    }
}

/// Closes all sockets at once: each waits for a grace period of the kernel, and these can be one and the same.
fn close(taps: Vec<Tap>) {
    thread::scope(|scope| {
        for tap in taps {
            scope.spawn(move || drop(tap));
        }
    });
}

/// Bytes of a VLAN tag.
const VLAN_TAG_LEN: usize = 4;

fn recorded(port: &'static Port, frame: &Received<'_>) -> Recorded {
    Recorded {
        port,
        bytes: frame.on_the_wire(),
        original_len: frame.original_len + if frame.vlan.is_some() { VLAN_TAG_LEN } else { 0 },
        at: frame.at,
        wall: frame.wall,
        direction: frame.direction,
        checksum: frame.checksum,
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(error) => error.fmt(f),
            Self::Socket { port, error } => write!(f, "a packet socket on {port}: {error}"),
            Self::Thread { error } => write!(f, "the recorder: {error}"),
            Self::Sink { error } => write!(f, "what was recorded could not be written: {error}"),
        }
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Place(error) => Some(error),
            Self::Socket { error, .. } => Some(error),
            Self::Thread { error } | Self::Sink { error } => Some(error),
        }
    }
}
