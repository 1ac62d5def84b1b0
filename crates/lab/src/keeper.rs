//! The keeper: the first process of the lab's PID namespace. It offers the services; when it ends, all that runs there ends.

use core::time::Duration;
use std::fs::{self, File};
use std::io;

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, unmount};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use wirewright_link::sys::namespace::{self, Forked, Namespace};

use crate::message::{Line, Message, Report};
use crate::refusal::{At, Failed, Note, Step};
use crate::relay::Pump;
use crate::services::Services;
use crate::shape::Shape;

/// Where the services are offered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// In the server's network, in which the calling thread stands.
    Server {
        /// Of this lab.
        shape: Shape,
        /// On IPv6 too.
        with_v6: bool,
    },
    /// On this machine's loopback.
    Loopback {
        /// On IPv6 too.
        with_v6: bool,
    },
}

/// The keeper, seen from the builder.
pub(crate) struct Keeper {
    pid: u32,
    line: Line,
}

impl Keeper {
    /// Starts the keeper, with the relay as a thread of it; on [`Place::Server`] in a PID namespace of its own where the kernel allows one.
    pub(crate) fn start(place: Place, relay: Option<Pump>) -> Result<Self, Failed> {
        let mut notes = Vec::new();
        let mut parent = std::process::id();
        if matches!(place, Place::Server { .. }) {
            match namespace::unshare(Namespace::Pid) {
                // Seen from a new PID namespace, whoever is outside has the number 0.
                Ok(()) => parent = 0,
                Err(error) => notes.push(Note::NoPidNamespace { errno: error.raw_os_error().unwrap_or(0) }),
            }
        }
        let (here, there) = Line::pair().at(Step::Fork)?;
        match namespace::fork().at(Step::Fork)? {
            Forked::Child => {
                drop(here);
                let code = match live(place, relay, parent, notes, &there) {
                    Ok(()) => 0,
                    Err(failed) => {
                        // Where the builder is gone nobody needs to know.
                        let _ = there.send(&Message::Failed(failed), &[]);
                        1
                    }
                };
                namespace::end_now(code)
            }
            Forked::Parent { child } => Ok(Self { pid: child, line: here }),
        }
    }

    /// Its process number.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the services are open.
    pub(crate) fn report(&self, limit: Duration) -> Result<Report, Failed> {
        match self.line.receive(limit) {
            Some((Message::Ready(report), _)) => Ok(report),
            Some((Message::Failed(failed), _)) => Err(failed),
            _ => Err(Failed::late(Step::Services)),
        }
    }

    /// Waits until it ends.
    pub(crate) fn wait(&self) {
        namespace::wait_for(self.pid);
    }
}

fn live(place: Place, relay: Option<Pump>, parent: u32, mut notes: Vec<Note>, line: &Line) -> Result<(), Failed> {
    namespace::die_with_parent(parent).at(Step::Services)?;
    if line.is_cut() {
        // The builder ended before the line above, which in a PID namespace cannot tell.
        return Ok(());
    }
    namespace::reap_children_unseen().at(Step::Services)?;
    if let Place::Server { shape, with_v6 } = place {
        let has_pid_namespace = parent == 0;
        notes.extend(make_mounts(shape, with_v6, has_pid_namespace));
    }
    let services = Services::open(place).at(Step::Services)?;
    if let Some(relay) = relay {
        relay.start().at(Step::Relay)?;
    }
    let report = Report { keeper: 0, notes, services: services.list() };
    line.send(&Message::Ready(report), &[]).at(Step::Services)?;
    leave_the_terminal();
    services.serve(line);
    Ok(())
}

/// Lets go of standard input, output and error: whoever reads the caller's output to its end waits for the caller alone.
pub(crate) fn leave_the_terminal() {
    let Ok(null) = File::options().read(true).write(true).open("/dev/null") else { return };
    let _ = dup2_stdin(&null);
    let _ = dup2_stdout(&null);
    let _ = dup2_stderr(&null);
    // A working directory is a reason not to unmount what it is on.
    let _ = std::env::set_current_dir("/");
}

/// Makes a mount namespace for the lab's commands: `/etc/hosts` with its names, `/proc` with its processes.
fn make_mounts(shape: Shape, with_v6: bool, has_pid_namespace: bool) -> Option<Note> {
    let errno = |error: &io::Error| error.raw_os_error().unwrap_or(0);
    if let Err(error) = begin_mounts() {
        return Some(Note::NoMounts { errno: errno(&error) });
    }
    let hosts = replace_hosts_file(shape, with_v6);
    if has_pid_namespace {
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        if let Err(refused) = mount("proc", "/proc", "proc", flags, None) {
            return Some(Note::NoMounts { errno: refused.raw_os_error() });
        }
    }
    hosts.err().map(|error| Note::NoHostsFile { errno: errno(&error) })
}

fn begin_mounts() -> io::Result<()> {
    namespace::unshare(Namespace::Mount)?;
    // Nothing that is mounted below shows outside.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    Ok(())
}

/// Binds a file of ours over `/etc/hosts`. It needs a file system to lie on that goes with the namespace: one that is mounted
/// for a moment where `/proc` will be.
fn replace_hosts_file(shape: Shape, with_v6: bool) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("ww-lab", "/proc", "tmpfs", flags, c"size=64k,mode=755")?;
    let bound = fs::write("/proc/hosts", hosts_file(shape, with_v6))
        .and_then(|()| mount_bind("/proc/hosts", "/etc/hosts").map_err(io::Error::from));
    unmount("/proc", UnmountFlags::DETACH)?;
    bound
}

fn hosts_file(shape: Shape, with_v6: bool) -> String {
    let mut text = String::from("127.0.0.1 localhost\n::1 localhost\n");
    for host in shape.entries() {
        text += &format!("{} {}\n", host.v4, host.name);
        if let Some(v6) = host.v6.filter(|_| with_v6) {
            text += &format!("{v6} {}\n", host.name);
        }
    }
    text
}
