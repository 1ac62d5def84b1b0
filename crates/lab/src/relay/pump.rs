//! The pump: a thread of the keeper that moves frames from each end of the wire through a path to the other.

use std::io;
use std::os::fd::AsFd;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wirewright_link::netlink::Netlink;
use wirewright_link::sys::system;
use wirewright_link::{OsError, PacketConfig, PacketRing, PacketSocket, Receive, Transmit, clock};
use wirewright_sim::{Faults, Path};
use wirewright_units::Instant;

use super::{Relay, RelayCount, RelayReport, Rewriter, Towards};
use crate::message::{Line, Message};

/// Frames taken from one direction before the other has its turn, and before a question is heard: some 0.2 ms.
const BATCH: usize = 64;

/// So many frames may wait to be taken: at 10 Gbit/s of full ones, 5 ms. 8 MiB.
const SLOTS: usize = 4096;

/// Frames under way in one direction: 48 MiB of full ones, more than a second of delay at 300 Mbit/s. While there are so many none is taken, and
/// what then finds no room in the ring is counted as unseen.
const UNDER_WAY_MAX: usize = 32 * 1024;

/// The two ends' sockets, and what happens between them.
#[derive(Debug)]
pub(crate) struct Pump {
    relay: Relay,
    /// Towards the server, towards the client.
    ways: [Way; 2],
    /// The rules, since the lab is ready.
    rewriter: Rewriter,
    line: Line,
}

/// One direction.
#[derive(Debug)]
struct Way {
    ring: PacketRing,
    out: PacketSocket,
    path: Path,
    unseen: u64,
    rewritten: u64,
    refused: u64,
}

impl Pump {
    /// Opens the sockets on the two interfaces, the router's end first, in the network of the calling thread. Until it is
    /// told to begin, the wire is perfect.
    pub(crate) fn open(relay: Relay, ends: [u32; 2], line: Line) -> Result<Self, OsError> {
        let [near, far] = ends;
        let ways = [Way::open(near, far)?, Way::open(far, near)?];
        Ok(Self { relay, ways, rewriter: Rewriter::default(), line })
    }

    /// Starts the thread, which ends with its process or when the line is cut.
    pub(crate) fn start(self) -> io::Result<()> {
        thread::Builder::new().name("ww-relay".to_owned()).spawn(move || self.run()).map(drop)
    }

    fn run(mut self) {
        let mut wake_at = Instant::NEVER;
        while let Ok(is_asked) = self.wait(wake_at) {
            if is_asked && !self.obey() {
                return;
            }
            wake_at = Instant::NEVER;
            for (way, towards) in self.ways.iter_mut().zip([Towards::Server, Towards::Client]) {
                wake_at = wake_at.min(way.turn(&mut self.rewriter, towards));
            }
        }
    }

    /// Waits for a frame, a question or `until`; whether there is a question.
    fn wait(&self, until: Instant) -> io::Result<bool> {
        let [there, back] = &self.ways;
        let mut fds = [
            PollFd::from_borrowed_fd(there.ring.as_fd(), there.wanted()),
            PollFd::from_borrowed_fd(back.ring.as_fd(), back.wanted()),
            PollFd::from_borrowed_fd(self.line.as_fd(), PollFlags::IN),
        ];
        let limit = (until != Instant::NEVER).then(|| until.since(clock::now()));
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        match poll(&mut fds, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(!fds[2].revents().is_empty())
    }

    /// Answers a question; whether the line still holds.
    fn obey(&mut self) -> bool {
        match self.line.receive(core::time::Duration::ZERO) {
            Some((Message::Begin, _)) => {
                self.rewriter = Rewriter::new(&self.relay.rewrites);
                for (way, seed) in self.ways.iter_mut().zip(self.relay.seeds()) {
                    way.begin(Path::new(self.relay.faults, seed));
                }
            }
            Some((Message::Count, _)) => {}
            _ => return false,
        }
        let [to_server, to_client] = self.ways.each_mut().map(Way::count);
        self.line.send(&Message::Counted(RelayReport { to_server, to_client }), &[]).is_ok()
    }
}

impl Way {
    fn open(from: u32, to: u32) -> Result<Self, OsError> {
        let interfaces = Netlink::open(system())?.interfaces()?;
        let to = interfaces.iter().find(|interface| interface.index == to);
        // The builder has just made both, in a network that nobody else knows.
        let to = to.expect("an end of the wire is an interface");
        Ok(Self {
            ring: PacketRing::open(system(), from, Receive::Incoming, SLOTS)?,
            out: PacketSocket::open(system(), to, &PacketConfig::default())?,
            path: Path::new(Faults::NONE, 0),
            unseen: 0,
            rewritten: 0,
            refused: 0,
        })
    }

    /// From now on frames go by `path`, and counting begins anew.
    fn begin(&mut self, path: Path) {
        self.path = path;
        let _ = self.ring.statistics();
        (self.unseen, self.rewritten, self.refused) = (0, 0, 0);
    }

    fn count(&mut self) -> RelayCount {
        // The kernel forgets what it has told.
        self.unseen += self.ring.statistics().map_or(0, |counted| u64::from(counted.dropped));
        RelayCount { tally: self.path.tally(), unseen: self.unseen, rewritten: self.rewritten, refused: self.refused }
    }

    fn is_full(&self) -> bool {
        self.path.frames_under_way() >= UNDER_WAY_MAX
    }

    fn wanted(&self) -> PollFlags {
        if self.is_full() { PollFlags::empty() } else { PollFlags::IN }
    }

    /// Takes what has come and gives on what is due; when the next turn is, if nothing comes before.
    fn turn(&mut self, rewriter: &mut Rewriter, towards: Towards) -> Instant {
        let now = clock::now();
        for _ in 0..BATCH {
            if self.is_full() {
                break;
            }
            let Some(mut frame) = self.ring.try_next(|frame| frame.on_the_wire()) else { break };
            self.rewritten += u64::from(rewriter.rewrite(&mut frame, towards));
            self.path.push(now, frame);
        }
        while let Some(frame) = self.path.pop(now) {
            if self.out.send(&Transmit::packet(&frame)).is_err() {
                self.refused += 1;
            }
        }
        self.path.next_at().unwrap_or(Instant::NEVER)
    }
}
