//! This process and one that it starts: the signals that end it, the rights that it gives up, a command that ends with it.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use rustix::process::Signal;
use rustix::thread::{CapabilitySet, CapabilitySets};

/// Gives up every capability of the calling thread, for good. (A command started by root has its own again.)
///
/// **Errors**: what `capset(2)` says.
pub fn give_up_capabilities() -> io::Result<()> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)?;
    Ok(())
}

/// Starts a command that the kernel asks to end (SIGTERM) as soon as the calling thread ends, however it ends.
///
/// **Errors**: the command cannot be run.
pub fn spawn_bound(mut command: Command) -> io::Result<Child> {
    let parent = rustix::process::getpid();
    let bind = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
        // It may have ended before it was asked for.
        let alive = rustix::process::getppid() == Some(parent);
        if alive { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
    };
    // SAFETY: between fork and exec the closure makes two system calls; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(bind) };
    command.spawn()
}

/// The signals that ask a process to end: ctrl-C, `kill`, a terminal that closes.
const ENDING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// Signals that ask this process to end, held back so that they can be waited for.
#[derive(Debug)]
pub struct EndSignals {
    set: libc::sigset_t,
}

impl EndSignals {
    /// Holds them back in the calling thread, and in all that it starts from now on.
    ///
    /// **Errors**: what `pthread_sigmask(3)` says.
    pub fn hold() -> io::Result<Self> {
        // SAFETY: a signal set is an array of integers, for which zero is a value.
        let mut set: libc::sigset_t = unsafe { core::mem::zeroed() };
        // SAFETY: the set is ours and lives through the call.
        unsafe { libc::sigemptyset(&raw mut set) };
        for signal in ENDING {
            // SAFETY: as above; the numbers are the system's own.
            unsafe { libc::sigaddset(&raw mut set, signal) };
        }
        let signals = Self { set };
        signals.mask(libc::SIG_BLOCK)?;
        Ok(signals)
    }

    /// Waits for one of them. It is taken out; a second one, from now on, ends the process as usual.
    ///
    /// **Errors**: what `sigwait(3)` says.
    pub fn wait(self) -> io::Result<()> {
        let mut signal = 0;
        // SAFETY: both pointers are to values of ours that live through the call.
        let failed = unsafe { libc::sigwait(&raw const self.set, &raw mut signal) };
        if failed != 0 {
            return Err(io::Error::from_raw_os_error(failed));
        }
        self.mask(libc::SIG_UNBLOCK)
    }

    fn mask(&self, how: libc::c_int) -> io::Result<()> {
        // SAFETY: the set lives through the call, and the old mask is not asked for.
        let failed = unsafe { libc::pthread_sigmask(how, &raw const self.set, core::ptr::null_mut()) };
        if failed == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(failed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_without_capabilities_has_none() {
        let held = std::thread::spawn(|| {
            give_up_capabilities().unwrap();
            rustix::thread::capabilities(None).unwrap()
        });
        let held = held.join().unwrap();
        assert!(held.effective.is_empty() && held.permitted.is_empty() && held.inheritable.is_empty(), "{held:?}");
    }

    #[test]
    fn a_command_ends_with_the_thread_that_started_it() {
        use std::os::unix::process::ExitStatusExt;
        let start = || {
            let mut command = Command::new("sleep");
            command.arg("60");
            spawn_bound(command).unwrap()
        };
        let mut child = std::thread::spawn(start).join().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
    }

    #[test]
    fn a_signal_that_was_held_back_is_waited_for() {
        let waited = std::thread::spawn(|| {
            let signals = EndSignals::hold().unwrap();
            // SAFETY: `raise` is for the calling thread alone, which holds the signal back.
            assert_eq!(unsafe { libc::raise(libc::SIGTERM) }, 0);
            signals.wait()
        });
        waited.join().unwrap().unwrap();
    }
}
