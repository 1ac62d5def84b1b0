//! The settings of the lab's kernels, below `/proc/sys/net`. Each is a setting of one network namespace, never of the machine.

use std::fs;
use std::io;
use std::path::Path;

use crate::map::Host;
use crate::refusal::{At, Failed, Note, Step};

/// What a setting that cannot be made means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The lab does not work without it.
    Needed,
    /// The lab is noisier or less sharp without it; a note says so.
    Wished,
}

/// One file below `/proc/sys/net` and what is written there.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    value: &'static str,
    /// Only on routers.
    for_routers: bool,
    weight: Weight,
}

const fn all(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, for_routers: false, weight: Weight::Wished }
}

const fn router(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, for_routers: true, weight: Weight::Needed }
}

/// All settings. Those of `conf/default` are what interfaces made later begin with.
pub(crate) static SETTINGS: [Setting; 24] = [
    router("ipv4/ip_forward", "1"),
    router("ipv6/conf/all/forwarding", "1"),
    // Every ICMP error is answered with, at any rate: a test may provoke a thousand.
    all("ipv4/icmp_ratelimit", "0"),
    all("ipv4/icmp_msgs_per_sec", "2147483647"),
    all("ipv4/icmp_msgs_burst", "2147483647"),
    all("ipv6/icmp/ratelimit", "0"),
    // Flows are spread by ports too, so that a trace can see parallel ways.
    all("ipv4/fib_multipath_hash_policy", "1"),
    all("ipv6/fib_multipath_hash_policy", "1"),
    // Hand-made packets may have any source; the machine's own setting would be inherited.
    all("ipv4/conf/all/rp_filter", "0"),
    all("ipv4/conf/default/rp_filter", "0"),
    // Echo sockets without privilege.
    all("ipv4/ping_group_range", "0 0"),
    // IPv6 is on, whatever the machine's default, and silent until it is asked: no duplicate detection, no solicitation of
    // routers, no address that was not given.
    Setting { name: "ipv6/conf/all/disable_ipv6", value: "0", for_routers: false, weight: Weight::Needed },
    Setting { name: "ipv6/conf/default/disable_ipv6", value: "0", for_routers: false, weight: Weight::Needed },
    all("ipv6/conf/all/accept_dad", "0"),
    all("ipv6/conf/default/accept_dad", "0"),
    all("ipv6/conf/all/accept_ra", "0"),
    all("ipv6/conf/default/accept_ra", "0"),
    all("ipv6/conf/all/router_solicitations", "0"),
    all("ipv6/conf/default/router_solicitations", "0"),
    all("ipv6/conf/all/addr_gen_mode", "1"),
    all("ipv6/conf/default/addr_gen_mode", "1"),
    // What a host says about its multicast groups, it says at once and not again a second later, in the middle of a recording.
    all("ipv6/conf/default/mldv2_unsolicited_report_interval", "1"),
    all("ipv6/conf/default/mldv1_unsolicited_report_interval", "1"),
    // A shell's child needs no capability to listen at a low port.
    all("ipv4/ip_unprivileged_port_start", "0"),
];

/// Whether this kernel has IPv6 and has not been started without it.
pub(crate) fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6/conf/all/disable_ipv6").exists()
}

/// Switches IPv6 off in the network of the calling thread, for interfaces made later.
pub(crate) fn silence_ipv6() -> io::Result<()> {
    if !has_ipv6() {
        return Ok(());
    }
    ["all", "default"].iter().try_for_each(|of| fs::write(format!("/proc/sys/net/ipv6/conf/{of}/disable_ipv6"), "1"))
}

/// Makes the settings of `host` in the network of the calling thread.
pub(crate) fn apply(host: Host, notes: &mut Vec<Note>) -> Result<(), Failed> {
    let with_v6 = has_ipv6();
    for (number, setting) in (0..).zip(&SETTINGS) {
        if (setting.for_routers && !host.is_router()) || (setting.name.starts_with("ipv6") && !with_v6) {
            continue;
        }
        match fs::write(Path::new("/proc/sys/net").join(setting.name), setting.value) {
            Ok(()) => {}
            Err(error) if setting.weight == Weight::Needed => return Err(error).at(Step::Setting(number)),
            // A kernel without this setting has nothing to set.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let note = Note::NoSetting { setting: number, errno: error.raw_os_error().unwrap_or(0) };
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
    }
    Ok(())
}
