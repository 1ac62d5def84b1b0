//! `ww guard`: another process keeps the kernel quiet, for our own segments and for Scapy's, without any capability.

use core::net::{IpAddr, SocketAddr};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout};
use std::{fs, thread};

use wirewright_lab::{Family, Host};
use wirewright_tests::{
    Folder, Ground, Limit, Mark, Need, Outcome, Program, Scenario, World, binary, ensure, fail, wait_for,
    workspace_root, ww,
};

use crate::link::guard::{End, answer, connect, serve, udp_receiver};
use crate::link::tools::{CLIENT, Fallible, SERVER, run, socket_address, soon};

/// The first whose TCP client takes a source port.
const SCAPY: Need = Need::PythonModule(
    "scapy 2.6",
    "import inspect, scapy.layers.inet as i; inspect.signature(i.TCP_client.parse_args).parameters['sport']",
);

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("guard_verb::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        lab("it_holds_no_capability_and_a_hand_made_client_lives", client).tools(&["setpriv"]),
        lab("it_holds_no_capability_and_a_hand_made_server_lives", server).tools(&["setpriv"]),
        lab("a_udp_port_is_not_unreachable", udp).tools(&["setpriv"]),
        lab("a_stateful_firewall_lets_the_conversation_through", firewall).tools(&["nft"]),
        lab("it_stands_on_until_the_peer_is_silent", stands_on),
        lab("a_killed_guard_leaves_no_port_and_no_command", killed),
        lab("scapy_gets_its_page_and_without_it_nothing", scapy).tools(&["python3"]).needs(SCAPY),
        Scenario::new("guard_verb::it_guards_in_the_lab", Ground::Plain, |_| in_the_lab())
            .tools(&["python3"])
            .needs(Need::Namespaces)
            .needs(SCAPY),
    ]
}

/// A guard in a process of its own, ended when this is dropped.
struct Standing {
    child: Child,
    /// A reader that goes away would end it.
    _out: BufReader<ChildStdout>,
    _folder: Folder,
}

impl Standing {
    /// Starts `ww guard` as nobody, without any capability, and waits until it says that it stands.
    fn start(world: &World, words: &[&str]) -> Fallible<Self> {
        let folder = Folder::new()?;
        // Nobody may not look into every folder in which a build lies.
        let program = folder.file("ww");
        fs::copy(binary(), &program)?;
        let mut setpriv = Program::new("setpriv").args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]);
        if !world.lab().has_one_user() {
            setpriv = setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        let mut child = setpriv.arg(&program).arg("guard").args(words).start()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("standard output was piped")?;
        let mut out = BufReader::new(out);
        out.read_line(&mut line)?;
        let standing = Self { child, _out: out, _folder: folder };
        ensure!(line.starts_with("guarding "), "it said {line:?}");
        standing.check_capabilities()?;
        Ok(standing)
    }

    fn check_capabilities(&self) -> Outcome {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            let line = status.lines().find(|line| line.starts_with(set)).ok_or(set)?;
            ensure!(line.ends_with("\t0000000000000000"), "{line}");
        }
        Ok(())
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `ADDR:PORT` in the words of the verb.
fn words(local: SocketAddr) -> Vec<String> {
    match local {
        SocketAddr::V4(local) => vec![local.to_string()],
        SocketAddr::V6(local) => vec![local.ip().to_string(), format!(":{}", local.port())],
    }
}

fn resets(world: &World) -> Fallible<i64> {
    Ok(world.lab().counters(Host::Client)?.value("TcpOutRsts"))
}

fn client(world: &World) -> Outcome {
    let before = resets(world)?;
    for (number, family) in [Family::V4, Family::V6].into_iter().enumerate() {
        let port = 40_100 + u16::try_from(number)?;
        let local = socket_address(CLIENT, family, port);
        let words = words(local);
        let _guard = Standing::start(world, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
        let mut end = End::new(family, port, socket_address(SERVER, family, 7))?;
        end.talk(u32::MAX - 1).map_err(|error| format!("{family:?}: {error}"))?;
    }
    // One guard for every address of both families.
    let _guard = Standing::start(world, &[":40102"])?;
    for family in [Family::V4, Family::V6] {
        End::new(family, 40_102, socket_address(SERVER, family, 7))?.talk(7)?;
    }
    ensure!(resets(world)? == before, "the client's kernel reset {}", resets(world)? - before);
    Ok(())
}

fn server(world: &World) -> Outcome {
    let before = resets(world)?;
    let _guard = Standing::start(world, &[":40110"])?;
    for family in [Family::V4, Family::V6] {
        let local = socket_address(CLIENT, family, 40_110);
        let mut end = End::new(family, 40_110, socket_address(SERVER, family, 0))?;
        let result = thread::scope(|scope| {
            let peer = scope.spawn(|| connect(world, local));
            let served = serve(&mut end);
            served.and(peer.join().map_err(|_| "the client panicked")?)
        });
        end.send("R", 1001, 0, "")?;
        result.map_err(|error| format!("{family:?}: {error}"))?;
    }
    ensure!(resets(world)? == before, "the client's kernel reset {}", resets(world)? - before);
    Ok(())
}

fn udp(world: &World) -> Outcome {
    let unreachable = || -> Fallible<i64> {
        let counters = world.lab().counters(Host::Client)?;
        Ok(counters.value("IcmpOutDestUnreachs") + counters.value("Icmp6OutDestUnreachs"))
    };
    let before = unreachable()?;
    let guard = Standing::start(world, &["--udp", ":40120"])?;
    for family in [Family::V4, Family::V6] {
        let mut receiver = udp_receiver(family, SERVER.address(family), 40_120)?;
        answer(world, family, socket_address(CLIENT, family, 40_120))?;
        ensure!(receiver.recv(soon())?.is_some(), "{family:?}: the raw socket saw no datagram");
    }
    ensure!(unreachable()? == before, "the kernel said port unreachable");
    drop(guard);
    answer(world, Family::V4, socket_address(CLIENT, Family::V4, 40_120))?;
    let told = || (unreachable().ok()? > before).then_some(());
    Ok(wait_for("port unreachable without the guard", Limit::seconds(2), told)?)
}

/// What is not established is rejected, and in the second round what tracking calls invalid is dropped before that.
fn firewall(world: &World) -> Outcome {
    let nft = |words: &str| run(world, Host::Client, &format!("nft {words}"));
    let _guard = Standing::start(world, &[":40130"])?;
    for first in [None, Some("ct state invalid drop")] {
        nft("add table inet ww_guard_test")?;
        let result: Outcome = (|| {
            nft("add chain inet ww_guard_test in { type filter hook input priority 0 ; }")?;
            for rule in first.into_iter().chain(["ct state established accept", "meta l4proto tcp counter reject"]) {
                nft(&format!("add rule inet ww_guard_test in {rule}"))?;
            }
            for family in [Family::V4, Family::V6] {
                let mut end = End::new(family, 40_130, socket_address(SERVER, family, 7))?;
                end.talk(7).map_err(|error| format!("{first:?}, {family:?}: {error}"))?;
            }
            let listed = Program::new("nft").args(["list", "table", "inet", "ww_guard_test"]).run()?.success()?.text();
            ensure!(listed.contains("counter packets 0 bytes 0"), "the firewall rejected segments\n{listed}");
            Ok(())
        })();
        nft("delete table inet ww_guard_test")?;
        result?;
    }
    Ok(())
}

/// The command goes in mid-conversation, and its peer sends again what nobody acknowledged: with the guard gone at once,
/// the kernel would reset that.
fn stands_on(world: &World) -> Outcome {
    let before = resets(world)?;
    let family = Family::V4;
    let local = words(socket_address(CLIENT, family, 40_140));
    let mark = Mark::new("stands-on");
    let mut guard =
        ww().arg("guard").args(&local).args(["-v", "--", "sleep", "0.5"]).env(Mark::VARIABLE, mark.value()).start()?;
    let sleeps = || mark.processes().iter().any(|process| process.split(' ').nth(1) == Some("sleep"));
    wait_for("the command runs", Limit::seconds(10), || sleeps().then_some(()))?;
    let mut end = End::new(family, 40_140, socket_address(SERVER, family, 7))?;
    end.send("S", 7, 0, "")?;
    let answered = end.receive()?;
    end.send("PA", 8, answered.seq.wrapping_add(1), "data=x")?;
    wait_for("the end of the command", Limit::seconds(10), || (!sleeps()).then_some(()))?;
    let arrived = || world.lab().counters(Host::Client).map(|counters| counters.value("TcpExtTCPMD5NotFound"));
    let before_end = arrived()?;
    wait_for("the echo again", Limit::seconds(5), || (arrived().ok()? > before_end).then_some(()))?;
    end.send("R", 9, 0, "")?;
    let status = guard.wait()?;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut guard.stderr.take().ok_or("standard error was piped")?, &mut text)?;
    ensure!(status.success(), "{status}: {text}");
    let dropped = text.lines().find_map(|line| line.strip_suffix(" arrived and got no answer from this kernel"));
    let dropped = dropped.and_then(|line| line.rsplit(' ').next()).and_then(|n| n.parse::<u32>().ok());
    ensure!(dropped >= Some(2), "{text}");
    ensure!(resets(world)? == before, "the client's kernel reset {}", resets(world)? - before);
    Ok(())
}

fn killed(world: &World) -> Outcome {
    let local = socket_address(CLIENT, Family::V4, 40_150);
    let mut alone = Standing::start(world, &[&local.to_string()])?;
    let taken = TcpListener::bind(local).map_err(|error| error.kind()).err();
    ensure!(taken == Some(std::io::ErrorKind::AddrInUse), "the port is not held: {taken:?}");
    alone.child.kill()?;
    alone.child.wait()?;
    drop(TcpListener::bind(local)?);

    let mark = Mark::new("killed-guard");
    let mut guard =
        ww().args(["guard", &local.to_string(), "--", "sleep", "60"]).env(Mark::VARIABLE, mark.value()).start()?;
    wait_for("the command runs", Limit::seconds(10), || (mark.processes().len() == 2).then_some(()))?;
    guard.kill()?;
    guard.wait()?;
    let ended = wait_for("the end of the command", Limit::seconds(5), || mark.processes().is_empty().then_some(()));
    if ended.is_err() {
        fail!("still there:\n{}", mark.processes().join("\n"));
    }
    drop(TcpListener::bind(local)?);
    Ok(())
}

fn script() -> PathBuf {
    workspace_root().join("crates/tests/tests/scenarios/scapy_get.py")
}

/// The same program twice: guarded, and not.
fn scapy(world: &World) -> Outcome {
    let before = resets(world)?;
    let guarded = ww().args(["guard", "198.51.100.2:40160", "--", "python3"]).arg(script()).arg("40160").run()?;
    let page = guarded.text();
    ensure!(guarded.code == 0 && page.contains(" asked the server of the lab for /scapy"), "{guarded}");
    ensure!(guarded.stderr.contains("guarding 198.51.100.2:40160 (md5-listener)"), "{guarded}");
    ensure!(resets(world)? == before, "the client's kernel reset {}", resets(world)? - before);

    for (rung, port) in [("min-ttl", "40162"), ("drop-filter", "40163"), ("nft-owner", "40164")] {
        let local = format!("198.51.100.2:{port}");
        let forced = ww().args(["guard", "--guard", rung, &local, "--", "python3"]).arg(script()).arg(port).run()?;
        ensure!(forced.code == 0 && forced.text().contains(" asked the server of the lab for /scapy"), "{forced}");
        ensure!(forced.stderr.contains(&format!("guarding {local} ({rung})")), "{forced}");
    }

    let before = resets(world)?;
    let alone = Program::new("python3").arg(script()).args(["40161", "3"]).run()?;
    ensure!(alone.code == 1 && alone.stdout.is_empty(), "without the guard: {alone}");
    ensure!(resets(world)? > before, "without the guard nobody reset");
    let expected: IpAddr = SERVER.address(Family::V4);
    ensure!(expected == IpAddr::from([192, 0, 2, 2]), "the script asks another server");
    Ok(())
}

fn in_the_lab() -> Outcome {
    let output = ww().args(["lab", "guard", "client:40170", "--", "python3"]).arg(script()).arg("40170").run()?;
    ensure!(output.code == 0 && output.text().contains(" for /scapy"), "{output}");
    let output = ww().args(["lab", "guard", "client:40170", "--", "sh", "-c", "exit 7"]).run()?;
    output.expect_code(7)?;
    Ok(())
}
