//! Namespaces and the processes in them: `unshare`, `setns`, `fork`, and a command started inside.
//!
//! Namespaces belong to a thread, not to a process, with two exceptions that shape everything here: a user namespace can only be entered by a process
//! with one thread, and a PID namespace is entered by the *children* of whoever asked.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use rustix::fs::{Mode, OFlags};
use rustix::mount::MountFlags;
use rustix::process::{Pid, Signal, WaitOptions};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};

/// A kind of namespace that the lab uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Namespace {
    /// Who is who: numbers of users and the capabilities that go with them.
    User,
    /// Interfaces, addresses, routes, sockets, counters.
    Network,
    /// Numbers of processes; all of them end with the first.
    Pid,
    /// What is mounted where.
    Mount,
}

impl Namespace {
    /// Its name below `/proc/PID/ns`.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Network => "net",
            Self::Pid => "pid",
            Self::Mount => "mnt",
        }
    }

    const fn unshare_flags(self) -> UnshareFlags {
        match self {
            Self::User => UnshareFlags::NEWUSER,
            Self::Network => UnshareFlags::NEWNET,
            Self::Pid => UnshareFlags::NEWPID,
            Self::Mount => UnshareFlags::NEWNS,
        }
    }

    const fn link_type(self) -> LinkNameSpaceType {
        match self {
            Self::User => LinkNameSpaceType::User,
            Self::Network => LinkNameSpaceType::Network,
            Self::Pid => LinkNameSpaceType::ProcessID,
            Self::Mount => LinkNameSpaceType::Mount,
        }
    }
}

/// Moves the calling thread (for [`Namespace::Pid`]: its future children) into a new namespace.
///
/// **Errors**: what `unshare(2)` says; `EINVAL` for [`Namespace::User`] in a process with threads, `EPERM` without the right, `ENOSPC` or `EUSERS`
/// at the limit `user.max_*_namespaces`.
pub fn unshare(kind: Namespace) -> io::Result<()> {
    // SAFETY: what makes `unshare` unsafe is CLONE_FILES, which leaves other threads with other file descriptors; no `Namespace` has that flag.
    unsafe { rustix::thread::unshare_unsafe(kind.unshare_flags()) }?;
    Ok(())
}

/// Moves the calling thread (for [`Namespace::Pid`]: its future children) into the namespace that `namespace` refers to.
///
/// **Errors**: what `setns(2)` says; `EINVAL` for another kind of namespace, and for [`Namespace::User`] in a process with threads.
pub fn enter(namespace: BorrowedFd<'_>, kind: Namespace) -> io::Result<()> {
    rustix::thread::move_into_link_name_space(namespace, Some(kind.link_type()))?;
    Ok(())
}

/// Opens a namespace of the calling thread.
///
/// **Errors**: no `/proc`, or a kernel without this kind.
pub fn of_this_thread(kind: Namespace) -> io::Result<OwnedFd> {
    open(&format!("/proc/thread-self/ns/{}", kind.file_name()))
}

/// Opens a namespace of the process `pid`.
///
/// **Errors**: no such process, or not permitted to look into it.
pub fn of_process(pid: u32, kind: Namespace) -> io::Result<OwnedFd> {
    open(&format!("/proc/{pid}/ns/{}", kind.file_name()))
}

fn open(path: &str) -> io::Result<OwnedFd> {
    Ok(fs::File::open(path)?.into())
}

/// How many threads this process has.
///
/// **Errors**: no `/proc`.
pub fn thread_count() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/task")?.count())
}

/// Which side of a [`fork`] this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The new process.
    Child,
    /// The old one.
    Parent {
        /// The number of the new process, seen from here.
        child: u32,
    },
}

/// Doubles a process that has one thread.
///
/// **Errors**: [`io::ErrorKind::ResourceBusy`] when there are more threads; else what `fork(2)` says.
pub fn fork() -> io::Result<Forked> {
    if thread_count()? != 1 {
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    // SAFETY: a forked child may only go on in safe Rust when no other thread can have held a lock at that moment; that there is none was counted above,
    // and only the calling thread could have started one since.
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        child => Ok(Forked::Parent { child: child.unsigned_abs() }),
    }
}

/// Has the kernel kill this process as soon as its parent, the process `parent` (0: one outside this PID namespace), ends.
///
/// To be asked for after the last change of credentials, which would forget it. The parent is the *thread* that forked: it must live as long as it is wanted.
///
/// **Errors**: `ESRCH` when the parent has already ended.
pub fn die_with_parent(parent: u32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let now = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now == parent { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
}

/// Kills the process `pid` and waits for its end. Quiet when it has ended already.
pub fn kill_and_wait(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let _ = rustix::process::kill_process(pid, Signal::KILL);
    wait_for(pid.as_raw_nonzero().get().unsigned_abs());
}

/// Waits for the end of the child `pid`.
pub fn wait_for(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    while matches!(rustix::process::waitpid(Some(pid), WaitOptions::empty()), Err(rustix::io::Errno::INTR)) {}
}

/// Lets the owner of this process look at it below `/proc`. A program that was started with more rights than its owner has
/// (file capabilities) is closed to him, and nobody could write the maps of its user namespace.
///
/// **Errors**: what `prctl(2)` says.
pub fn become_inspectable() -> io::Result<()> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable)?;
    Ok(())
}

/// Ends this process at once, without what the program it was doubled from had planned for its own end (buffers to write
/// out, exit handlers).
pub fn end_now(code: i32) -> ! {
    // SAFETY: `_exit` has no precondition.
    unsafe { libc::_exit(code) }
}

/// Lets ended children disappear without anybody waiting for them: for the first process of a PID namespace.
///
/// **Errors**: what `sigaction(2)` says.
pub fn reap_children_unseen() -> io::Result<()> {
    ignore(&[libc::SIGCHLD])
}

/// Leaves `^C` and `^\\` to the program that is waited for, as a shell does.
///
/// **Errors**: what `sigaction(2)` says.
pub fn ignore_interrupts() -> io::Result<()> {
    ignore(&[libc::SIGINT, libc::SIGQUIT])
}

/// Keeps the keyboard's signals (`^C`, `^\\`, `^Z`, a closed terminal) away from a service: it ends with its parent, not
/// before.
///
/// **Errors**: what `sigaction(2)` says.
pub fn ignore_terminal_signals() -> io::Result<()> {
    ignore(&[libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU])
}

fn ignore(signals: &[libc::c_int]) -> io::Result<()> {
    for &signal in signals {
        // SAFETY: SIG_IGN installs no handler, so nothing of ours can run at a bad moment.
        let old = unsafe { libc::signal(signal, libc::SIG_IGN) };
        if old == libc::SIG_ERR {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Where a command is to run.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its network.
    pub network: BorrowedFd<'a>,
    /// The PID namespace with which it ends; `None`: the one of this process.
    pub pid: Option<BorrowedFd<'a>>,
    /// What it finds mounted; `None`: what this process does.
    pub mount: Option<BorrowedFd<'a>>,
}

/// Starts `command` in `place`, with the working directory of this process.
///
/// The calling thread is moved for good: call it from a thread made for this. (`setns` to a PID namespace cannot be undone, and a thread that did it
/// cannot start threads.)
///
/// **Errors**: a namespace refused, or the command cannot be run.
pub fn spawn_in(mut command: Command, place: Place<'_>) -> io::Result<Child> {
    enter(place.network, Namespace::Network)?;
    if let Some(pid) = place.pid {
        enter(pid, Namespace::Pid)?;
    }
    if let Some(mount) = place.mount {
        let mount = mount.try_clone_to_owned()?;
        let directory = std::env::current_dir()?;
        let directory = CString::new(std::os::unix::ffi::OsStringExt::into_vec(directory.into_os_string()))?;
        let here = rustix::fs::open(c".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        // A thread shares its root and working directory with all others, so the mount namespace is entered by the child alone.
        let enter_mounts = move || {
            enter(mount.as_fd(), Namespace::Mount)?;
            show_own_interfaces();
            // Who stands in a directory that he cannot reach by its name stays there, on the mount outside.
            rustix::process::chdir(directory.as_c_str()).or_else(|_| rustix::process::fchdir(here.as_fd()))?;
            Ok(())
        };
        // SAFETY: between fork and exec the closure makes a few system calls with what was prepared before; it allocates nothing and takes no lock.
        unsafe { command.pre_exec(enter_mounts) };
    }
    command.spawn()
}

/// Has `/sys/class/net` show the interfaces of the calling process's network, for itself and its children alone. Where that
/// is refused (a container hides parts of `/sys`) it goes on showing those of the machine.
fn show_own_interfaces() {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if unshare(Namespace::Mount).is_ok() {
        let _ = rustix::mount::mount(c"sysfs", c"/sys", c"sysfs", flags, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_is_not_doubled() {
        // Every libtest process has at least two.
        let forked = std::thread::spawn(|| (thread_count().unwrap(), fork())).join().unwrap();
        assert!(forked.0 > 1);
        assert_eq!(forked.1.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    }

    #[test]
    fn a_namespace_of_another_kind_is_refused() {
        let network = of_this_thread(Namespace::Network).unwrap();
        let refused = enter(network.as_fd(), Namespace::Pid).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
    }

    #[test]
    fn a_process_that_is_not_there_has_no_namespace() {
        // Numbers of processes end at 4,194,304 (PID_MAX_LIMIT).
        assert_eq!(of_process(4_194_305, Namespace::User).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn another_parent_is_noticed() {
        let real = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
        let refused = die_with_parent(real + 1).unwrap_err();
        // Nobody asked for the death of the test itself.
        rustix::process::set_parent_process_death_signal(None).unwrap();
        assert_eq!(refused.raw_os_error(), Some(libc::ESRCH));
    }
}
