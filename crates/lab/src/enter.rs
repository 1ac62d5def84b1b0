//! Entering: rung by rung, until one holds.

use core::fmt;
use core::time::Duration;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
use wirewright_link::clock;
use wirewright_link::sys::namespace::{self, Namespace};
use wirewright_units::Instant;

use crate::build::{self, Order};
use crate::map::{self, HostEntry};
use crate::message::{Line, Message, Report};
use crate::refusal::{At, Failed, Note, Refusal, Step};
use crate::relay::Relay;
use crate::rung::Rung;
use crate::services::Service;
use crate::shape::Shape;

/// The builder's time for everything: the sum of its own waits could be longer, but no machine that needs it is of use.
const BUILD_LIMIT: Duration = Duration::from_secs(20);

/// How a lab is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many routers there are, and whether the path splits. The rungs without networks have none.
    pub shape: Shape,
    /// Leave TSO, GSO, GRO and transmit checksums as the kernel has them: fast, but what is seen on the wires is not what a
    /// wire would carry.
    pub offload: bool,
    /// What the wire behind the first router ([`Shape::relay_wire`]) does to frames; `None`: nothing, it is a wire of the kernel's. The rungs
    /// without networks have no wire, and leave it out. Not with `offload`: a frame of the relay is one that a wire carries.
    pub relay: Option<Relay>,
    /// The first rung to try.
    pub first: Rung,
    /// The last rung to try.
    pub last: Rung,
}

impl Default for Options {
    fn default() -> Self {
        Self { shape: Shape::ONE, offload: false, relay: None, first: Rung::UserNamespace, last: Rung::InProcess }
    }
}

impl Options {
    /// Real hosts or nothing: what a test wants.
    #[must_use]
    pub fn networks_only(mut self) -> Self {
        self.last = Rung::NetworkNamespace;
        self
    }
}

/// Why there is no lab.
#[derive(Debug)]
#[non_exhaustive]
pub enum LabError {
    /// [`Lab::enter`] was not called first: a user namespace cannot be entered by a process with threads.
    NotFirst {
        /// How many threads there are.
        threads: usize,
    },
    /// There is no `/proc` to work with.
    NoProc {
        /// What the system said.
        error: io::Error,
    },
    /// Every rung that was to be tried was refused.
    Refused {
        /// Why, rung by rung.
        refusals: Vec<Refusal>,
    },
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFirst { threads } => {
                write!(f, "the lab must be entered first, but this process has {threads} threads")
            }
            Self::NoProc { error } => write!(f, "/proc: {error}"),
            Self::Refused { refusals } => {
                let all: Vec<_> = refusals.iter().map(ToString::to_string).collect();
                f.write_str(&all.join("; "))
            }
        }
    }
}

impl std::error::Error for LabError {}

/// A lab, in whose client this process stands since [`Lab::enter`]. Dropping it ends its services and commands; the process
/// stays in the client's network, which goes with it.
#[derive(Debug)]
pub struct Lab {
    rung: Rung,
    refusals: Vec<Refusal>,
    report: Report,
    one_user: bool,
    /// When it was entered.
    pub(crate) since: Instant,
    pub(crate) shape: Shape,
    pub(crate) networks: Option<Vec<OwnedFd>>,
    pub(crate) pids: Option<OwnedFd>,
    pub(crate) mounts: Option<OwnedFd>,
    /// The line to the relay.
    pub(crate) relay: Option<Line>,
    /// The longest time that the relay keeps a frame.
    pub(crate) relay_time: Duration,
    /// Frames may be longer than packets on a wire.
    pub(crate) offload: bool,
    builder: Option<Builder>,
}

impl Lab {
    /// Enters a lab on the first rung that holds.
    ///
    /// To be called first thing in `main`: the process must have one thread, and what it opened before stays outside. On the
    /// first two rungs it stands in the client's network afterwards, on the first also in a user namespace in which it is root.
    ///
    /// **Errors**: [`LabError::NotFirst`]; [`LabError::Refused`] where [`Options::last`] is above [`Rung::InProcess`], which
    /// always holds.
    pub fn enter(options: Options) -> Result<Self, LabError> {
        let threads = namespace::thread_count().map_err(|error| LabError::NoProc { error })?;
        if threads != 1 {
            return Err(LabError::NotFirst { threads });
        }
        let mut refusals = Vec::new();
        for rung in Rung::ALL {
            if rung < options.first || rung > options.last {
                continue;
            }
            match climb(rung, &options) {
                Ok(lab) => return Ok(Self { refusals, ..lab }),
                Err(failed) => refusals.push(failed.on(rung)),
            }
        }
        Err(LabError::Refused { refusals })
    }

    /// The rung that this lab stands on.
    #[must_use]
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// Its routers; on the rungs without networks as if there were one.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Why the rungs above were refused, best first.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// What this lab does without.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.report.notes
    }

    /// The services of the server and their ports.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.report.services
    }

    /// The names of the lab. In process they are those of the full lab: packets for them are built, and none is sent.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostEntry> {
        let mut hosts = match self.rung {
            Rung::Loopback => map::loopback_hosts(build::settings::has_ipv6()),
            Rung::UserNamespace | Rung::NetworkNamespace | Rung::InProcess => self.shape.entries(),
        };
        if self.report.notes.contains(&Note::NoIpv6) {
            hosts.iter_mut().for_each(|host| host.v6 = None);
        }
        hosts
    }

    /// Whether a packet for `destination` may be sent: it stays inside. On loopback only what is on loopback does, in
    /// process nothing is sent.
    #[must_use]
    pub fn carries(&self, destination: IpAddr) -> bool {
        match self.rung {
            Rung::UserNamespace | Rung::NetworkNamespace => true,
            Rung::Loopback => destination.to_canonical().is_loopback(),
            Rung::InProcess => false,
        }
    }

    /// Whether there is only one user in it, root: a program that wants to become another one (tcpdump gives up root's rights
    /// so) fails. It is so for a plain user.
    #[must_use]
    pub fn has_one_user(&self) -> bool {
        self.one_user
    }

    /// Whether the services still run.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.builder.as_ref().is_some_and(|builder| !builder.line.is_cut())
    }
}

/// The builder, which ends with this value.
#[derive(Debug)]
struct Builder {
    pid: u32,
    line: Line,
}

impl Drop for Builder {
    fn drop(&mut self) {
        namespace::kill_and_wait(self.pid);
    }
}

fn climb(rung: Rung, options: &Options) -> Result<Lab, Failed> {
    let empty = Lab {
        rung,
        refusals: Vec::new(),
        report: Report::default(),
        one_user: false,
        since: clock::now(),
        shape: Shape::ONE,
        networks: None,
        pids: None,
        mounts: None,
        relay: None,
        relay_time: Duration::ZERO,
        offload: false,
        builder: None,
    };
    match rung {
        Rung::InProcess => return Ok(empty),
        Rung::Loopback => check_raw_socket()?,
        Rung::UserNamespace | Rung::NetworkNamespace => {}
    }
    let (pid, line) = build::start(Order {
        rung,
        shape: options.shape,
        offload: options.offload,
        relay: options.relay.clone().filter(|_| rung.has_networks()),
        parent: std::process::id(),
    })?;
    let builder = Builder { pid, line };
    let one_user = rung == Rung::UserNamespace && write_maps(&builder)? == Users::One;
    let (report, networks) = receive_report(&builder.line)?;
    let mut lab = Lab { report, one_user, since: clock::now(), builder: Some(builder), ..empty };
    if rung.has_networks() {
        lab.shape = options.shape;
        lab.offload = options.offload;
        lab.relay_time = options.relay.as_ref().map_or(Duration::ZERO, |relay| relay.time_max());
        lab.follow(pid, networks)?;
    }
    Ok(lab)
}

/// `CAP_NET_RAW` is what is needed on loopback; whoever has it can open such a socket.
fn check_raw_socket() -> Result<(), Failed> {
    let opened = socket_with(AddressFamily::INET, SocketType::RAW, SocketFlags::CLOEXEC, Some(ipproto::ICMP));
    opened.map(drop).at(Step::RawSocket)
}

/// Who is in the builder's user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Users {
    /// Everybody whom the caller's has.
    All,
    /// The caller, as root.
    One,
}

/// Waits for the builder to have its user namespace, and says who is who in it.
fn write_maps(builder: &Builder) -> Result<Users, Failed> {
    match builder.line.receive(BUILD_LIMIT) {
        Some((Message::Unshared, _)) => {}
        Some((Message::Failed(failed), _)) => return Err(failed),
        _ => return Err(Failed::late(Step::UserNamespace)),
    }
    let file = |name: &str| format!("/proc/{}/{name}", builder.pid);
    // Root maps everybody onto himself, so that files of other users keep their owners and programs can drop their privileges.
    let uid = rustix::process::geteuid();
    let whole = |name: &str| {
        let map = fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        put(&file(name), &onto_itself(&map))
    };
    let mapped_whole = uid.is_root() && whole("uid_map").is_ok();
    if !mapped_whole {
        put(&file("uid_map"), &format!("0 {} 1", uid.as_raw())).at(Step::UserMap)?;
    }
    let all = mapped_whole && whole("gid_map").is_ok();
    if !all {
        put(&file("setgroups"), "deny").at(Step::Setgroups)?;
        put(&file("gid_map"), &format!("0 {} 1", rustix::process::getegid().as_raw())).at(Step::GroupMap)?;
    }
    builder.line.send(&Message::Mapped, &[]).at(Step::Builder)?;
    Ok(if all { Users::All } else { Users::One })
}

/// Writes to a file that is there. One write: the kernel takes a map as a whole or not at all.
fn put(path: &str, text: &str) -> io::Result<()> {
    use io::Write as _;
    fs::File::options().write(true).open(path)?.write_all(text.as_bytes())
}

/// The map that gives everybody in `map` (lines of inside, outside, count) the number he has here.
fn onto_itself(map: &str) -> String {
    let mut text = String::new();
    for line in map.lines() {
        let mut words = line.split_whitespace();
        if let (Some(inside), Some(_), Some(count)) = (words.next(), words.next(), words.next()) {
            text += &format!("{inside} {inside} {count}\n");
        }
    }
    text
}

fn receive_report(line: &Line) -> Result<(Report, Vec<OwnedFd>), Failed> {
    let end = clock::now() + BUILD_LIMIT;
    match line.receive(end.since(clock::now())) {
        Some((Message::Ready(report), networks)) => Ok((report, networks)),
        Some((Message::Failed(failed), _)) => Err(failed),
        _ => Err(Failed::late(Step::Builder)),
    }
}

impl Lab {
    /// Follows the builder into its namespaces. Until here this process was not touched.
    fn follow(&mut self, builder: u32, mut networks: Vec<OwnedFd>) -> Result<(), Failed> {
        let hosts = self.shape.hosts().len();
        if networks.len() > hosts {
            self.relay = networks.pop().map(Line::from);
        }
        if networks.len() != hosts {
            return Err(Failed::late(Step::Builder));
        }
        if self.rung == Rung::UserNamespace {
            let user = namespace::of_process(builder, Namespace::User).at(Step::FollowUser)?;
            namespace::enter(user.as_fd(), Namespace::User).at(Step::FollowUser)?;
        }
        namespace::enter(networks[0].as_fd(), Namespace::Network).at(Step::FollowNetwork)?;
        self.networks = Some(networks);
        self.find_keeper();
        Ok(())
    }

    /// The keeper's namespaces, for commands. Without them they run in those of this process, and a note says so.
    fn find_keeper(&mut self) {
        let notes = &mut self.report.notes;
        if !notes.iter().any(|note| matches!(note, Note::NoPidNamespace { .. })) {
            match namespace::of_process(self.report.keeper, Namespace::Pid) {
                Ok(pids) => self.pids = Some(pids),
                Err(error) => notes.push(Note::NoPidNamespace { errno: error.raw_os_error().unwrap_or(0) }),
            }
        }
        if !notes.iter().any(|note| matches!(note, Note::NoMounts { .. })) {
            match namespace::of_process(self.report.keeper, Namespace::Mount) {
                Ok(mounts) => self.mounts = Some(mounts),
                Err(error) => notes.push(Note::NoMounts { errno: error.raw_os_error().unwrap_or(0) }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_onto_itself_keeps_every_range() {
        let map = "         0       1000          1\n         1     100000      65536\n";
        assert_eq!(onto_itself(map), "0 0 1\n1 1 65536\n");
        assert_eq!(onto_itself("         0          0 4294967295\n"), "0 0 4294967295\n");
    }

    #[test]
    fn a_process_with_threads_is_refused() {
        // Every libtest process has at least two.
        let refused = std::thread::spawn(|| Lab::enter(Options::default())).join().unwrap();
        assert!(matches!(refused, Err(LabError::NotFirst { threads: 2.. })));
    }
}
