//! What a scenario needs of the machine, and how its absence is told.

use std::{env, fs, path::Path};

/// A condition of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A program on `PATH`.
    Tool(&'static str),
    /// A Python program that succeeds where a module is there: what it is called, the program.
    PythonModule(&'static str, &'static str),
    /// Root in the machine's first user namespace.
    RealRoot,
    /// A user and a network namespace may be made.
    Namespaces,
    /// `/dev/net/tun` can be opened for writing.
    Tun,
    /// The kernel makes VXLAN interfaces, in a namespace too.
    Vxlan,
}

impl Need {
    /// None where the machine meets the need, else why not.
    #[must_use]
    pub fn unmet(&self) -> Option<String> {
        match self {
            Self::Tool(name) => (!has_program(name)).then(|| format!("{name} is not installed")),
            Self::PythonModule(name, proof) => {
                (!runs(proof)).then(|| format!("python3 has no {name}; `cargo xtask test` brings it"))
            }
            Self::RealRoot => (!is_real_root()).then(|| "needs real root".to_owned()),
            Self::Namespaces => refused(&["true"]),
            Self::Vxlan => refused(&["ip", "link", "add", "type", "vxlan", "id", "1", "dstport", "4789"]),
            Self::Tun => {
                let opened = fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
                opened.err().map(|error| format!("/dev/net/tun: {error}"))
            }
        }
    }
}

fn has_program(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let beside = ["/usr/sbin", "/sbin"].map(Path::new).map(Path::to_path_buf);
    env::split_paths(&path).chain(beside).any(|folder| folder.join(name).is_file())
}

fn runs(proof: &str) -> bool {
    let mut command = std::process::Command::new("python3");
    let output = command.args(["-c", proof]).output();
    output.is_ok_and(|output| output.status.success())
}

/// Root, and in the user namespace that maps all identities onto themselves.
fn is_real_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).and_then(|rest| rest.split_whitespace().nth(1));
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let first = map.split_whitespace().collect::<Vec<_>>();
    uid == Some("0") && first == ["0", "0", "4294967295"]
}

/// Why a command does not succeed in a user and a network namespace of its own.
fn refused(command: &[&str]) -> Option<String> {
    let mut unshare = std::process::Command::new("unshare");
    match unshare.args(["--user", "--net", "--map-root-user"]).args(command).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("unshare: {error}")),
    }
}
