//! Our TCP before other people's programs: nginx, curl, nc, urllib, firewalls, and peers that err on purpose.
//!
//! In: `ww get` and `ww hand` as processes, our listener in this one.
//! Out: bodies compared byte for byte, counters of kernels, connections that are left.
//! Above: the list of all topics. Below: the lab, other people's programs.
//! Not here: the first words with a kernel (`our_tcp`), faults of the path (the relay).

mod clients;
mod errs;
pub(crate) mod firewall;
mod fresh_gets;
mod script;

use wirewright_lab::{Counters, Host};
use wirewright_tests::{Ground, Limit, Outcome, Scenario, World, ensure, wait_for};

use crate::link::tools::Fallible;
use crate::our_tcp::SOON;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("peers::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        lab("fresh_gets_from_nginx_over_veth_are_byte_exact", fresh_gets::over_veth).tools(&["nginx", "setpriv"]),
        lab("fresh_gets_from_nginx_over_loopback_are_byte_exact", fresh_gets::over_loopback)
            .tools(&["nginx", "setpriv"]),
        lab("our_listener_serves_curl_nc_and_urllib", clients::served).tools(&["curl", "nc", "python3"]),
        lab("get_passes_stateful_firewalls", firewall::get).tools(&["nft", "nginx"]),
        lab("hand_passes_stateful_firewalls_in_both_roles", firewall::hand).tools(&["nft", "python3"]),
        lab("our_listener_passes_stateful_firewalls", firewall::listener).tools(&["nft", "curl", "nc", "python3"]),
        lab("a_peer_that_errs_and_goes_on_is_borne", errs::borne),
        lab("a_peer_that_errs_to_the_end_is_told_and_reset", errs::not_borne),
        lab("a_peer_whose_body_stops_holds_nothing", errs::kernels_hold_nothing).tools(&["python3"]),
        lab("an_interrupt_at_any_moment_leaves_the_peer_nothing", errs::interrupted_at_any_moment)
            .tools(&["python3", "kill"]),
        lab("an_interrupt_while_closing_leaves_the_peer_nothing", errs::interrupted_while_closing)
            .tools(&["python3", "kill"]),
    ]
}

/// How many connections a scenario makes: what `WW_ROUNDS` says, or `default`, which is meant for somebody who waits.
fn rounds(default: usize) -> usize {
    std::env::var("WW_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(default)
}

/// The states of `/proc/net/tcp`.
const TIME_WAIT: &str = "06";
const LISTEN: &str = "0A";

/// The sockets of a host's kernel with `port` at either end: number, local end, remote end, state.
fn sockets(world: &World, host: Host, port: u16) -> Fallible<Vec<[String; 4]>> {
    let read = || ["tcp", "tcp6"].map(|table| std::fs::read_to_string(format!("/proc/thread-self/net/{table}")));
    let port = format!(":{port:04X}");
    let mut sockets = Vec::new();
    for table in world.lab().on(host, read)? {
        let table = table?;
        let rows = table.lines().skip(1).map(|line| line.split_whitespace().take(4).map(str::to_owned));
        let rows = rows.filter_map(|row| <[String; 4]>::try_from(row.collect::<Vec<_>>()).ok());
        sockets.extend(rows.filter(|[_, local, remote, _]| local.ends_with(&port) || remote.ends_with(&port)));
    }
    Ok(sockets)
}

/// The connections that a host's kernel holds with `port` at either end. One in TIME-WAIT holds nothing but its port.
fn held(world: &World, host: Host, port: u16) -> Fallible<Vec<String>> {
    let sockets = sockets(world, host, port)?.into_iter();
    Ok(sockets.filter(|row| row[3] != TIME_WAIT && row[3] != LISTEN).map(|row| row.join(" ")).collect())
}

/// A kernel has given up no connection before its time, nor had one taken from it; `moved` is what its counters did.
fn none_aborted(moved: &Counters) -> Outcome {
    let aborts: Vec<_> =
        moved.iter().filter(|(name, _)| name.starts_with("TcpExtTCPAbort") || *name == "TcpEstabResets").collect();
    ensure!(aborts.is_empty(), "connections ended before their time: {aborts:?}");
    Ok(())
}

/// Waits until something listens on `port` in both versions. To connect would leave traces in the counters.
fn wait_for_listeners(world: &World, host: Host, port: u16) -> Result<(), String> {
    let listens = || {
        let sockets = sockets(world, host, port).ok()?;
        (sockets.iter().filter(|row| row[3] == LISTEN).count() >= 2).then_some(())
    };
    wait_for("a server listens", Limit(SOON), listens)
}
