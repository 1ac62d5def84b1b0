//! Entering the lab: which rung holds, what is said about those above it, how long it takes.
//!
//! Refusals are made in a user namespace of their own; no setting of this machine is touched.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use wirewright_lab::{Hint, Rung};
use wirewright_tests::{Folder, Ground, Need, Outcome, Scenario, ensure};

use crate::lab_child::{Copied, Task, rung_of};

/// Runs a program under a seccomp filter.
pub(crate) const SECCOMP: &str = include_str!("seccomp.py");

/// A user namespace in which the rest is root.
pub(crate) const AS_ROOT: [&str; 3] = ["unshare", "--user", "--map-root-user"];

/// Not root, and nothing else either.
pub(crate) const WITHOUT_RIGHTS: [&str; 4] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn() -> Outcome| {
        Scenario::new(&format!("lab_enters::{name}"), Ground::Plain, move |_| run())
            .needs(Need::Namespaces)
            .tools(&["unshare", "setpriv", "python3", "ip", "sysctl"])
    };
    vec![
        scenario("nothing_refused_is_the_first_rung", nothing_refused),
        scenario("entering_is_quick_each_time", quick),
        scenario("no_user_namespaces_left_is_the_second_rung", limit_as_root),
        scenario("no_user_namespaces_left_and_no_rights_is_in_process", limit_without_rights),
        scenario("the_printed_remedy_for_the_limit_mends_it", remedy),
        scenario("unshare_refused_by_seccomp_is_loopback", seccomp_on_loopback),
        scenario("unshare_refused_by_seccomp_and_no_rights_is_in_process", seccomp_without_rights),
        scenario("the_user_map_refused_is_the_second_rung", map_as_root),
        scenario("the_user_map_refused_and_no_rights_is_in_process", map_without_rights),
        Scenario::new("lab_enters::root_without_user_namespaces_changes_no_mount", Ground::Root, |_| second_rung()),
        Scenario::new("lab_enters::a_plain_user_needs_nothing", Ground::Root, |_| plain_user()).tools(&["setpriv"]),
        Scenario::new("lab_enters::a_directory_out_of_reach_is_stood_in_all_the_same", Ground::Root, |_| {
            out_of_reach()
        })
        .tools(&["setpriv"]),
        Scenario::new("lab_enters::a_plain_user_with_a_capable_file", Ground::Root, |_| capable_file())
            .tools(&["setpriv", "setcap"]),
    ]
}

/// Runs `Task::Say` behind `words`; the rung must be `rung`, and each of `said` must stand in what it says.
fn expect(words: &[&str], rung: Rung, said: &[&str]) -> Outcome {
    let copied = Copied::new()?;
    let output = copied.behind(words, Task::Say).run()?.success()?;
    check(&output.text(), rung, said)
}

fn check(text: &str, rung: Rung, said: &[&str]) -> Outcome {
    ensure!(rung_of(text) == Some(rung), "{rung:?} was expected\n{text}");
    for part in said {
        ensure!(text.contains(part), "{part:?} was not said\n{text}");
    }
    let inside = if rung.has_networks() { "true" } else { "false" };
    let loopback = if rung == Rung::InProcess { "false" } else { "true" };
    for (destination, carried) in [("192.0.2.2", inside), ("2001:db8::2", inside), ("127.0.0.2", loopback)] {
        ensure!(text.contains(&format!("carries {destination} {carried}\n")), "{destination}: {carried}\n{text}");
    }
    if rung != Rung::InProcess {
        ensure!(text.contains("asked the server of the lab for /echo/it"), "the server did not answer\n{text}");
    }
    if rung.has_networks() {
        ensure!(text.contains("command Ok(Some(0))"), "a command did not run\n{text}");
        ensure!(!text.contains("\nnote "), "something is missing\n{text}");
    }
    Ok(())
}

fn joined(parts: &[&[&'static str]]) -> Vec<&'static str> {
    parts.concat()
}

fn nothing_refused() -> Outcome {
    let copied = Copied::new()?;
    let output = copied.program(Task::Say).run()?.success()?;
    ensure!(!output.text().contains("refused"), "{output}");
    check(&output.text(), Rung::UserNamespace, &[])
}

/// How often it is entered to know how long it takes.
const ENTRIES: usize = 30;

/// Entering takes 5 ms, and ten times that on a machine with four programs for each core; a fresh wire that holds its first
/// packet takes a second, once in five to ten times.
const MEDIAN_MAX: Duration = Duration::from_millis(400);
const WORST_MAX: Duration = Duration::from_millis(900);

fn quick() -> Outcome {
    let copied = Copied::new()?;
    let mut times = Vec::new();
    for _ in 0..ENTRIES {
        let output = copied.program(Task::Time).run()?.success()?;
        times.push(Duration::from_micros(output.text().trim().parse()?));
    }
    times.sort_unstable();
    let (median, worst) = (times[ENTRIES / 2], times[ENTRIES - 1]);
    println!("entering took {median:?} (median of {ENTRIES}), at worst {worst:?}");
    ensure!(median < MEDIAN_MAX && worst < WORST_MAX, "{times:?}");
    Ok(())
}

pub(crate) const LIMIT_0: [&str; 3] = ["sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\""];
const LIMIT_SAID: &str = "user and network namespaces: unshare(CLONE_NEWUSER): No space left on device \
                          (user.max_user_namespaces is reached)";

fn limit_as_root() -> Outcome {
    expect(&joined(&[&AS_ROOT, &LIMIT_0]), Rung::NetworkNamespace, &[LIMIT_SAID])
}

fn limit_without_rights() -> Outcome {
    let refused = [
        LIMIT_SAID,
        "refused network namespaces: unshare(CLONE_NEWNET) for client: Operation not permitted",
        "refused this machine's loopback: socket(AF_INET, SOCK_RAW): Operation not permitted \
         (needs CAP_NET_RAW)",
    ];
    expect(&joined(&[&AS_ROOT, &LIMIT_0, &WITHOUT_RIGHTS]), Rung::InProcess, &refused)
}

/// The remedy as it is printed, without `sudo`: whoever runs it here is root already.
fn remedy() -> Outcome {
    let remedy = Hint::UserNamespaceLimit.remedy().and_then(|line| line.strip_prefix("sudo "));
    let line = format!("echo 0 > /proc/sys/user/max_user_namespaces; {} && exec \"$0\"", remedy.unwrap_or("false"));
    let copied = Copied::new()?;
    let words = ["unshare", "--user", "--map-root-user", "sh", "-c", &line];
    let output = copied.behind(&words, Task::Say).run()?.success()?;
    check(&output.text(), Rung::UserNamespace, &[])
}

pub(crate) const FILTER_UNSHARE: [&str; 4] = ["python3", "-c", SECCOMP, "unshare"];
const SECCOMP_SAID: &str = "refused user and network namespaces: unshare(CLONE_NEWUSER): Operation not permitted \
                            (a seccomp filter is in force, as in a container)";

fn seccomp_on_loopback() -> Outcome {
    // A network of its own, so that "this machine's loopback" is not this machine's.
    let own_loopback = ["--net", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""];
    let words = joined(&[&AS_ROOT, &own_loopback, &FILTER_UNSHARE]);
    expect(&words, Rung::Loopback, &[SECCOMP_SAID, "carries ::ffff:127.0.0.1 true"])
}

fn seccomp_without_rights() -> Outcome {
    expect(&joined(&[&AS_ROOT, &FILTER_UNSHARE, &WITHOUT_RIGHTS]), Rung::InProcess, &[SECCOMP_SAID])
}

pub(crate) const FILTER_MAP: [&str; 4] = ["python3", "-c", SECCOMP, "write-only"];
const MAP_SAID: &str = "refused user and network namespaces: write /proc/self/uid_map: Operation not permitted \
                       ";

fn map_as_root() -> Outcome {
    expect(&joined(&[&AS_ROOT, &FILTER_MAP]), Rung::NetworkNamespace, &[MAP_SAID])
}

fn map_without_rights() -> Outcome {
    expect(&joined(&[&AS_ROOT, &FILTER_MAP, &WITHOUT_RIGHTS]), Rung::InProcess, &[MAP_SAID])
}

/// The second rung by real root, who could mount and set things for the whole machine.
fn second_rung() -> Outcome {
    let outside = || -> std::io::Result<Vec<String>> {
        let read = |path: &&str| fs::read_to_string(path);
        ["/proc/self/mounts", "/etc/hosts", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv4/icmp_ratelimit"]
            .iter()
            .map(read)
            .collect()
    };
    let before = outside()?;
    let output = Copied::new()?.program(Task::SayWithoutUsers).run()?.success()?;
    check(&output.text(), Rung::NetworkNamespace, &[])?;
    ensure!(outside()? == before, "a mount or a setting of the machine changed");
    Ok(())
}

pub(crate) const AS_NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

fn plain_user() -> Outcome {
    expect(&AS_NOBODY, Rung::UserNamespace, &[])
}

/// A clone in the home folder of root, seen from a plain user whom root lets in there: each command starts where its caller stands.
fn out_of_reach() -> Outcome {
    let closed = Folder::new()?;
    let inner = closed.file("inner");
    fs::create_dir(&inner)?;
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755))?;
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700))?;
    let copied = Copied::new()?;
    let output = copied.behind(&AS_NOBODY, Task::Say).folder(&inner).run()?.success()?;
    check(&output.text(), Rung::UserNamespace, &[])
}

/// A file with capabilities closes `/proc/self` to its user; the lab's maps must be written all the same.
fn capable_file() -> Outcome {
    let copied = Copied::new()?;
    wirewright_tests::Program::new("setcap").args(["cap_net_raw+ep", &copied.path()]).run()?.success()?;
    let output = copied.behind(&AS_NOBODY, Task::Say).run()?.success()?;
    check(&output.text(), Rung::UserNamespace, &[])
}
