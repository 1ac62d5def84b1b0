//! What the tests need of the machine: other people's tools, and a test runner.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::Runner;
use crate::shell::{cargo, find_program, must, succeeds, target_folder};

/// A program that some test runs, and the Debian package that brings it.
const TOOLS: &[(&str, &str)] = &[
    ("tshark", "tshark"),
    ("tcpdump", "tcpdump"),
    ("hping3", "hping3"),
    ("python3", "python3"),
    ("gcc", "gcc"),
    // Counts instructions for `cargo xtask count`.
    ("valgrind", "valgrind"),
    ("zsh", "zsh"),
    ("fish", "fish"),
    ("dash", "dash"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("xxd", "xxd"),
    ("hexdump", "bsdextrautils"),
    ("curl", "curl"),
    ("nginx", "nginx-light"),
    ("dnsmasq", "dnsmasq-base"),
    ("nc", "netcat-openbsd"),
    ("sudo", "sudo"),
    ("setcap", "libcap2-bin"),
    ("setpriv", "util-linux"),
    ("script", "bsdutils"),
    ("groff", "groff-base"),
];

/// A module that tests import in `python3`.
struct Module {
    /// What succeeds where it is there, and new enough.
    proof: &'static str,
    /// What pip is asked for.
    requirement: &'static str,
}

const MODULES: &[Module] = &[
    Module {
        // Before 2.6 its TCP client takes no source port; Debian 12 has 2.5.
        proof: "import inspect, scapy.layers.inet as i; inspect.signature(i.TCP_client.parse_args).parameters['sport']",
        requirement: "scapy>=2.6",
    },
    // The screen of a terminal, on which shells complete.
    Module { proof: "import pyte", requirement: "pyte" },
];

/// The nextest that these tests are run with by their developers.
const NEXTEST: &str = "0.9.143";

/// Installs the missing tools and modules where that can be done; else says what is missing.
pub(super) fn install() {
    install_programs();
    for module in MODULES {
        install_module(module);
    }
}

/// Where modules are installed: beside what is built, so that the machine's own Python stays as it is.
pub(super) fn modules() -> PathBuf {
    target_folder().join("python")
}

/// A module, from PyPI.
fn install_module(module: &Module) {
    let python = || {
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", modules());
        command
    };
    let there = || succeeds(python().args(["-c", module.proof]));
    if find_program("python3").is_none() || there() {
        return;
    }
    if !succeeds(python().args(["-m", "pip", "--version"])) && find_program("apt-get").is_some() && is_root() {
        let _ = must(apt_get().args(["install", "--quiet", "--yes", "--no-install-recommends", "python3-pip"]));
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"];
    let _ = must(python().args(pip).arg(modules()).arg(module.requirement));
    if !there() {
        eprintln!("xtask test: python3 has no {}, and what needs it is skipped", module.requirement);
    }
}

fn install_programs() {
    let missing: Vec<_> = TOOLS.iter().filter(|(program, _)| find_program(program).is_none()).collect();
    if missing.is_empty() {
        return;
    }
    let packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    let by_hand = format!("sudo apt-get install {}", packages.join(" "));
    if find_program("apt-get").is_none() || !is_root() {
        eprintln!("xtask test: missing, and what needs them is skipped: {by_hand}");
        return;
    }
    // Lists may be stale or absent; if they cannot be had, the install below says so.
    let _ = must(apt_get().args(["update", "--quiet"]));
    let _no_service_starts = NoServices::new();
    let mut install = apt_get();
    install.args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(packages);
    if let Err(why) = must(&mut install) {
        eprintln!("xtask test: {why}; what needs them is skipped: {by_hand}");
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
    command
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

/// Nextest, installed where it is missing and may be; else cargo's own runner, which runs the same tests.
pub(super) fn runner(may_install: bool) -> Runner {
    let there = || succeeds(cargo().args(["nextest", "--version"]));
    if there() {
        return Runner::Nextest;
    }
    // Not optimised: it builds in half the time, and the tests are what takes long.
    let install = ["install", "cargo-nextest", "--locked", "--debug", "--version", NEXTEST];
    if may_install && must(cargo().args(install)).is_ok() && there() {
        return Runner::Nextest;
    }
    eprintln!("xtask test: without cargo-nextest, with cargo's own test runner");
    Runner::Cargo
}

/// While this lives, a package that brings a service does not start it (Debian policy, `invoke-rc.d`).
struct NoServices {
    ours: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl NoServices {
    fn new() -> Self {
        let ours = !Path::new(POLICY).exists() && write_policy().is_ok();
        Self { ours }
    }
}

fn write_policy() -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
    fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
