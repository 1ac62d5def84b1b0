//! Why a rung was refused, and what a rung that holds does without.

use core::fmt;
use std::fs;
use std::io;

use crate::build::settings::SETTINGS;
use crate::map::{Family, Host, Port, every_port};
use crate::rung::Rung;

/// A step on the way into the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// `fork`, for the builder or the keeper.
    Fork,
    /// `unshare(CLONE_NEWUSER)`.
    UserNamespace,
    /// Writing `/proc/PID/setgroups`.
    Setgroups,
    /// Writing `/proc/PID/uid_map`.
    UserMap,
    /// Writing `/proc/PID/gid_map`.
    GroupMap,
    /// `unshare(CLONE_NEWNET)` for a host.
    NetworkNamespace(Host),
    /// A netlink socket in a host's network, and its `lo` up.
    Netlink(Host),
    /// Writing a setting below `/proc/sys/net`; its place in the table of settings.
    Setting(u8),
    /// Making the wire that begins at a port.
    Wire(&'static Port),
    /// Switching off what a port would do in the kernel's place.
    Offload(&'static Port),
    /// Bringing a port up.
    BringUp(&'static Port),
    /// Giving a port its address.
    Address(&'static Port, Family),
    /// A route of a host.
    Route(Host, Family),
    /// Waiting until a port is operational.
    Carrier(&'static Port),
    /// Waiting until a port hears questions for its IPv6 addresses.
    Solicited(&'static Port),
    /// Waiting for the answer to an echo.
    Echo(Host, Host, Family),
    /// The sockets of the services.
    Services,
    /// Waiting for the builder, which did not answer.
    Builder,
    /// Following the builder into its user namespace.
    FollowUser,
    /// Following the builder into the client's network.
    FollowNetwork,
    /// Opening a raw socket on this machine.
    RawSocket,
    /// Making the relay: its hidden network, its sockets, its thread.
    Relay,
}

/// Why a rung was not taken: the step, and what the kernel said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rung.
    pub rung: Rung,
    /// The step that failed.
    pub step: Step,
    /// The kernel's errno; `ETIMEDOUT` where a wait reached its limit.
    pub errno: i32,
    /// What lies behind it, as far as this machine tells.
    pub hint: Option<Hint>,
}

/// What lies behind a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// `user.max_user_namespaces` is used up, or 0.
    UserNamespaceLimit,
    /// `user.max_net_namespaces` is used up, or 0.
    NetworkNamespaceLimit,
    /// Debian's switch `kernel.unprivileged_userns_clone` is 0.
    UnprivilegedUsernsClone,
    /// AppArmor restricts the user namespaces of plain users (Ubuntu 23.10 and later).
    AppArmor,
    /// A seccomp filter is in force, as in a container.
    Seccomp,
    /// `/proc` is mounted read-only, as in a container.
    ReadOnlyProc,
    /// Only root may do this.
    NeedsRoot,
    /// The program lacks `CAP_NET_RAW`.
    NeedsNetRaw,
}

impl Hint {
    /// The command that mends it, where there is one.
    #[must_use]
    pub const fn remedy(self) -> Option<&'static str> {
        match self {
            Self::UserNamespaceLimit => Some("sudo sysctl user.max_user_namespaces=15000"),
            Self::NetworkNamespaceLimit => Some("sudo sysctl user.max_net_namespaces=15000"),
            Self::UnprivilegedUsernsClone => Some("sudo sysctl kernel.unprivileged_userns_clone=1"),
            Self::AppArmor => Some("sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
            Self::Seccomp => Some("docker run --security-opt seccomp=unconfined …"),
            Self::ReadOnlyProc | Self::NeedsRoot | Self::NeedsNetRaw => None,
        }
    }

    /// Looks at the machine for what lies behind `errno` at `step`.
    fn find(rung: Rung, step: Step, errno: i32) -> Option<Self> {
        let not_permitted = errno == PERM || errno == ACCES;
        match step {
            Step::UserNamespace if errno == NOSPC || errno == USERS => Some(Self::UserNamespaceLimit),
            Step::NetworkNamespace(_) if errno == NOSPC || errno == USERS => Some(Self::NetworkNamespaceLimit),
            _ if errno == ROFS => Some(Self::ReadOnlyProc),
            Step::RawSocket if not_permitted => Some(Self::NeedsNetRaw),
            Step::NetworkNamespace(_) if not_permitted && rung == Rung::NetworkNamespace && !is_root() => {
                Some(Self::NeedsRoot)
            }
            Step::UserNamespace if not_permitted && reads("/proc/sys/kernel/unprivileged_userns_clone", "0") => {
                Some(Self::UnprivilegedUsernsClone)
            }
            _ if not_permitted && reads("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") => {
                Some(Self::AppArmor)
            }
            _ if not_permitted && has_seccomp_filter() => Some(Self::Seccomp),
            _ => None,
        }
    }
}

const PERM: i32 = rustix::io::Errno::PERM.raw_os_error();
const ACCES: i32 = rustix::io::Errno::ACCESS.raw_os_error();
const NOSPC: i32 = rustix::io::Errno::NOSPC.raw_os_error();
const USERS: i32 = rustix::io::Errno::USERS.raw_os_error();
const ROFS: i32 = rustix::io::Errno::ROFS.raw_os_error();

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn reads(path: &str, value: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.trim() == value)
}

fn has_seccomp_filter() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2"))
}

/// A failed step, before it is known which rung it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) step: Step,
    pub(crate) errno: i32,
}

impl Failed {
    pub(crate) fn late(step: Step) -> Self {
        Self { step, errno: rustix::io::Errno::TIMEDOUT.raw_os_error() }
    }

    pub(crate) fn on(self, rung: Rung) -> Refusal {
        Refusal { rung, step: self.step, errno: self.errno, hint: Hint::find(rung, self.step, self.errno) }
    }
}

/// `result.at(step)?`: an error of the system becomes the failure of a step.
pub(crate) trait At<T> {
    fn at(self, step: Step) -> Result<T, Failed>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, step: Step) -> Result<T, Failed> {
        self.map_err(|error| Failed { step, errno: error.raw_os_error().unwrap_or(0) })
    }
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, step: Step) -> Result<T, Failed> {
        self.map_err(|errno| Failed { step, errno: errno.raw_os_error() })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fork => f.write_str("fork"),
            Self::UserNamespace => f.write_str("unshare(CLONE_NEWUSER)"),
            Self::Setgroups => f.write_str("write /proc/self/setgroups"),
            Self::UserMap => f.write_str("write /proc/self/uid_map"),
            Self::GroupMap => f.write_str("write /proc/self/gid_map"),
            Self::NetworkNamespace(host) => write!(f, "unshare(CLONE_NEWNET) for {host}"),
            Self::Netlink(host) => write!(f, "netlink in {host}"),
            Self::Setting(number) => {
                let name = SETTINGS.get(usize::from(*number)).map_or("?", |setting| setting.name);
                write!(f, "write /proc/sys/net/{name}")
            }
            Self::Wire(port) => write!(f, "make the wire of {port}"),
            Self::Offload(port) => write!(f, "switch off the offloads of {port}"),
            Self::BringUp(port) => write!(f, "bring {port} up"),
            Self::Address(port, family) => write!(f, "give {port} its {family} address"),
            Self::Route(host, family) => write!(f, "add an {family} route to {host}"),
            Self::Carrier(port) => write!(f, "wait for {port} to be up"),
            Self::Solicited(port) => write!(f, "wait for the IPv6 addresses of {port}"),
            Self::Echo(from, to, family) => write!(f, "wait for an {family} echo from {from} to {to}"),
            Self::Services => f.write_str("open the services"),
            Self::Builder => f.write_str("wait for the lab"),
            Self::FollowUser => f.write_str("setns(CLONE_NEWUSER)"),
            Self::FollowNetwork => f.write_str("setns(CLONE_NEWNET)"),
            Self::RawSocket => f.write_str("socket(AF_INET, SOCK_RAW)"),
            Self::Relay => f.write_str("make the relay"),
        }
    }
}

/// The system's words for an errno, without its number.
fn said(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.rung, self.step, said(self.errno))?;
        match self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserNamespaceLimit => "user.max_user_namespaces is reached",
            Self::NetworkNamespaceLimit => "user.max_net_namespaces is reached",
            Self::UnprivilegedUsernsClone => "kernel.unprivileged_userns_clone is 0",
            Self::AppArmor => "AppArmor forbids it to plain users",
            Self::Seccomp => "a seccomp filter is in force, as in a container",
            Self::ReadOnlyProc => "/proc is read-only, as in a container",
            Self::NeedsRoot => "needs root",
            Self::NeedsNetRaw => "needs CAP_NET_RAW",
        })
    }
}

/// Something that the rung taken does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// This kernel has no IPv6, or it is switched off.
    NoIpv6,
    /// No PID namespace: a command that goes to the background may outlive the lab.
    NoPidNamespace {
        /// What the kernel said.
        errno: i32,
    },
    /// No mounts of one's own: commands see this machine's `/proc` and `/etc/hosts`.
    NoMounts {
        /// What the kernel said.
        errno: i32,
    },
    /// `/etc/hosts` could not be replaced: commands do not know the lab's names.
    NoHostsFile {
        /// What the kernel said.
        errno: i32,
    },
    /// A setting that only sharpens the lab could not be made; its place in the table of settings.
    NoSetting {
        /// Which.
        setting: u8,
        /// What the kernel said.
        errno: i32,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = |errno: &i32| said(*errno);
        match self {
            Self::NoIpv6 => f.write_str("no IPv6 on this kernel"),
            Self::NoPidNamespace { errno } => write!(f, "no PID namespace: {}", reason(errno)),
            Self::NoMounts { errno } => write!(f, "no mounts of its own: {}", reason(errno)),
            Self::NoHostsFile { errno } => write!(f, "no /etc/hosts of its own: {}", reason(errno)),
            Self::NoSetting { setting, errno } => write!(f, "{}: {}", Step::Setting(*setting), reason(errno)),
        }
    }
}

impl Step {
    /// Three bytes for the socket between builder and caller.
    pub(crate) fn to_bytes(self) -> [u8; 3] {
        let host = |host: Host| u8::try_from(host.index()).unwrap_or(u8::MAX);
        let place = |port: &Port| every_port().position(|other| other == port).map_or(u8::MAX, |at| at as u8);
        let family = |family| u8::from(family == Family::V6);
        match self {
            Self::Fork => [0, 0, 0],
            Self::UserNamespace => [1, 0, 0],
            Self::Setgroups => [2, 0, 0],
            Self::UserMap => [3, 0, 0],
            Self::GroupMap => [4, 0, 0],
            Self::NetworkNamespace(of) => [5, host(of), 0],
            Self::Netlink(of) => [6, host(of), 0],
            Self::Setting(number) => [7, number, 0],
            Self::Wire(at) => [8, place(at), 0],
            Self::Offload(at) => [9, place(at), 0],
            Self::BringUp(at) => [10, place(at), 0],
            Self::Address(at, of) => [11, place(at), family(of)],
            Self::Route(at, of) => [12, host(at), family(of)],
            Self::Carrier(at) => [13, place(at), 0],
            Self::Solicited(at) => [14, place(at), 0],
            Self::Echo(from, to, of) => [15, host(from) << 4 | host(to), family(of)],
            Self::Services => [16, 0, 0],
            Self::Builder => [17, 0, 0],
            Self::FollowUser => [18, 0, 0],
            Self::FollowNetwork => [19, 0, 0],
            Self::RawSocket => [20, 0, 0],
            Self::Relay => [21, 0, 0],
        }
    }

    /// The step of three bytes; none that this program writes is unknown to it.
    pub(crate) fn from_bytes(bytes: [u8; 3]) -> Option<Self> {
        let [code, a, b] = bytes;
        let host = |index: u8| Host::ALL.get(usize::from(index)).copied();
        let place = || every_port().nth(usize::from(a));
        let family = Family::ALL.get(usize::from(b)).copied();
        Some(match code {
            0 => Self::Fork,
            1 => Self::UserNamespace,
            2 => Self::Setgroups,
            3 => Self::UserMap,
            4 => Self::GroupMap,
            5 => Self::NetworkNamespace(host(a)?),
            6 => Self::Netlink(host(a)?),
            7 => Self::Setting(a),
            8 => Self::Wire(place()?),
            9 => Self::Offload(place()?),
            10 => Self::BringUp(place()?),
            11 => Self::Address(place()?, family?),
            12 => Self::Route(host(a)?, family?),
            13 => Self::Carrier(place()?),
            14 => Self::Solicited(place()?),
            15 => Self::Echo(host(a >> 4)?, host(a & 0xf)?, family?),
            16 => Self::Services,
            17 => Self::Builder,
            18 => Self::FollowUser,
            19 => Self::FollowNetwork,
            20 => Self::RawSocket,
            21 => Self::Relay,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_crosses_the_socket() {
        for code in 0..=21 {
            for a in 0..=0xff {
                for b in 0..2 {
                    if let Some(step) = Step::from_bytes([code, a, b]) {
                        assert_eq!(Step::from_bytes(step.to_bytes()), Some(step));
                    }
                }
            }
        }
        assert_eq!(Step::from_bytes([22, 0, 0]), None);
    }
}
