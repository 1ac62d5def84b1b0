//! Each rung of the guard forced by `--guard`: `ww get`, `ww hand` in both roles, `ww guard`; both IP versions; with and
//! without stateful firewalls before the client's kernel.

use core::net::SocketAddr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command};
use std::{fs, thread};

use serde_json::Value;
use wirewright_lab::{Family, Host};
use wirewright_link::{Direction, Filter, PacketConfig, PacketSocket, Receive, Rung, Wanted, What, clock};
use wirewright_tests::{Ground, Limit, Outcome, Program, Scenario, World, ensure, wait_for, ww};

use crate::link::guard::{End, connect, serve};
use crate::link::tools::{CLIENT, Fallible, SERVER, field, socket_address, tap};
use crate::our_tcp::{Running, SOON, url};
use crate::peers::firewall::{self, LISTENS};

/// Where the IP header begins in a frame.
const ETHERNET: usize = 14;
/// What is fetched.
const PAGE: &str = "/bytes/300000";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let lab = |name: &str, run: fn(&World) -> Outcome| {
        Scenario::new(&format!("guard_rungs::{name}"), Ground::Lab, move |world| world.with_counters(|| run(world)))
    };
    vec![
        lab("get_and_hand_hold_their_conversation", |world| on_all(world, conversations)).tools(&["python3"]),
        lab("get_and_hand_pass_stateful_firewalls", |world| firewall::behind(world, || on_all(world, conversations)))
            .tools(&["python3", "nft"]),
        lab("ww_guard_keeps_both_roles_of_another_program", |world| on_all(world, another_program)),
        lab("ww_guard_keeps_them_behind_stateful_firewalls", |world| {
            firewall::behind(world, || on_all(world, another_program))
        })
        .tools(&["nft"]),
        lab("without_the_right_each_says_what_it_lacks", |_| without_the_right()).tools(&["setpriv"]),
        lab("a_killed_guard_leaves_no_table", killed).tools(&["nft"]),
    ]
}

/// Every rung at once, each with ports of its own. No reset leaves that nobody made by hand.
fn on_all(world: &World, act: fn(&World, Rung, u16) -> Outcome) -> Outcome {
    let before = world.lab().counters(Host::Client)?;
    let mut resets = Resets::begin(world)?;
    thread::scope(|scope| {
        let acts: Vec<_> = Rung::LADDER
            .into_iter()
            .zip(LISTENS)
            .map(|(rung, port)| {
                scope.spawn(move || act(world, rung, port).map_err(|error| format!("{}: {error}", rung.code())))
            })
            .collect();
        acts.into_iter().try_for_each(|act| act.join().map_err(|_| "it panicked".to_owned())?)
    })?;
    let moved = world.lab().counters(Host::Client)?.since(&before);
    let left = resets.left()?;
    ensure!(left.is_empty(), "resets left that nobody made: {left:?}");
    // Those that the table drops are counted before it is asked: they alone may move the counter.
    let (counted, unanswered) = (moved.value("TcpOutRsts"), moved.value("TcpExtTCPMD5NotFound"));
    ensure!(counted > 0 && unanswered > 0, "{counted} resets were dropped, {unanswered} segments were not answered");
    Ok(())
}

/// The resets that leave the client.
struct Resets {
    tap: PacketSocket,
}

impl Resets {
    fn begin(world: &World) -> Fallible<Self> {
        let config = PacketConfig {
            receive: Receive::Both,
            filter: Filter::any_of(&[Wanted::anywhere(What::Protocol(6))]),
            ..PacketConfig::default()
        };
        Ok(Self { tap: tap(world, CLIENT, &config)? })
    }

    /// Those that this kernel has made: it gives them a window of 0, and what is made by hand here has another.
    fn left(&mut self) -> Fallible<Vec<String>> {
        let mut left = Vec::new();
        while let Some(frame) = self.tap.recv(clock::now())? {
            let Some(packet) = frame.bytes.get(ETHERNET..) else { continue };
            let part = |key| field(packet, "tcp", key).unwrap_or_default();
            let is_reset = frame.direction == Direction::Outgoing && part("flags") & 4 != 0;
            if is_reset && part("win") == 0 {
                left.push(format!("from port {} seq {} ack {}", part("sport"), part("seq"), part("ack")));
            }
        }
        Ok(left)
    }
}

fn conversations(world: &World, rung: Rung, port: u16) -> Outcome {
    for family in [Family::V4, Family::V6] {
        let told = |error| format!("{family:?}: {error}");
        get(rung, family).map_err(told)?;
        client(rung, family).map_err(told)?;
        server(world, rung, family, port).map_err(told)?;
    }
    Ok(())
}

fn get(rung: Rung, family: Family) -> Outcome {
    let from = url(socket_address(SERVER, family, 80), PAGE);
    let said = ww().args(["get", "--guard", rung.code(), &from]).run()?.success()?;
    ensure!(said.stdout.len() == 300_000, "{} bytes came", said.stdout.len());
    ensure!(said.stderr.contains(&format!("guard: {}", rung.code())), "{}", said.stderr);
    ensure!(said.stderr.contains("TTL 255") == (rung == Rung::MinTtl), "{}", said.stderr);
    Ok(())
}

fn client(rung: Rung, family: Family) -> Outcome {
    let to = socket_address(SERVER, family, 80);
    let words = if to.is_ipv4() { vec![to.to_string()] } else { vec![to.ip().to_string(), ":80".to_owned()] };
    let lines = "S mss=1400 ts sack wscale=7\nA\nPA data='GET /echo/x HTTP/1.0\\r\\n\\r\\n'\nauto\n";
    let said = ww().args(["hand", "--json", "--guard", rung.code()]).args(&words).input(lines).run()?.success()?;
    let begin: Value = serde_json::from_str(said.text().lines().next().unwrap_or_default())?;
    ensure!(begin["guard"] == rung.code(), "{begin}");
    let local: SocketAddr = begin["local"].as_str().ok_or("no local end")?.parse()?;
    ensure!((local.ip() == CLIENT.address(family)) == (rung != Rung::OwnAddress), "{begin}");
    ensure!(said.text().contains("\"due\":\"over\""), "{said}");
    Ok(())
}

/// The kernel of the server connects.
fn server(world: &World, rung: Rung, family: Family, port: u16) -> Outcome {
    let mut command = ww().args(["hand", "--json", "--guard", rung.code(), "--listen", &format!(":{port}")]);
    if rung == Rung::OwnAddress && family == Family::V6 {
        command = command.arg("-6");
    }
    let (mut hand, mut out) = typed(command)?;
    let mut line = String::new();
    out.read_line(&mut line)?;
    let begin: Value = serde_json::from_str(&line)?;
    ensure!(begin["guard"] == rung.code(), "{begin}");
    let to = match rung {
        Rung::OwnAddress => begin["listen"].as_str().ok_or("no address")?.parse()?,
        _ => socket_address(CLIENT, family, port),
    };
    let mut stdin = hand.0.stdin.take().ok_or("standard input was piped")?;
    stdin.write_all(b"SA mss=1400\nA\nPA data='by hand'\nFA\n")?;
    drop(stdin);
    kernels_client(world, to)?;
    let ended = wait_for("the end of ww hand", Limit(SOON), || hand.0.try_wait().ok().flatten())?;
    let mut said = String::new();
    std::io::Read::read_to_string(&mut out, &mut said)?;
    ensure!(ended.success() && said.contains("\"due\":\"over\""), "{ended}: {said}");
    Ok(())
}

/// Starts a command whose lines are typed later.
fn typed(command: Program) -> Fallible<(Running, BufReader<ChildStdout>)> {
    let mut child = command.start_typed()?;
    let out = child.stdout.take().ok_or("standard output was piped")?;
    Ok((Running(child), BufReader::new(out)))
}

fn kernels_client(world: &World, to: SocketAddr) -> Outcome {
    let program = format!(
        "import socket\nc=socket.create_connection(('{}',{}),8)\nc.sendall(b'question')\nc.shutdown(1)\nd=b''\n\
         while 1:\n p=c.recv(99)\n if not p: break\n d+=p\nassert d==b'by hand', d",
        to.ip(),
        to.port()
    );
    let mut command = Command::new("python3");
    command.args(["-c", &program]);
    let mut client = Running(world.lab().spawn(Host::Server, command)?);
    let ended = wait_for("the client's end", Limit(SOON), || client.0.try_wait().ok().flatten())?;
    ensure!(ended.success(), "the kernel's client at {to}: {ended}");
    Ok(())
}

/// A hand-made program under `ww guard`, whose process holds no capability.
fn another_program(world: &World, rung: Rung, port: u16) -> Outcome {
    if rung == Rung::OwnAddress {
        // That one needs no guard: `bad_input.txt` has what is said of it.
        return Ok(());
    }
    let mut guard = Running(ww().args(["guard", "--guard", rung.code(), &format!(":{port}")]).start()?);
    let mut out = BufReader::new(guard.0.stdout.take().ok_or("standard output was piped")?);
    for _ in [Family::V4, Family::V6] {
        let mut line = String::new();
        out.read_line(&mut line)?;
        ensure!(line.starts_with("guarding ") && line.contains(rung.code()), "{line}");
    }
    holds_nothing(&guard.0)?;
    for family in [Family::V4, Family::V6] {
        let told = |error| format!("{family:?}: {error}");
        End::new(family, port, socket_address(SERVER, family, 7))?.talk(7).map_err(told)?;
        let mut end = End::new(family, port, socket_address(SERVER, family, 0))?;
        thread::scope(|scope| {
            let peer = scope.spawn(|| connect(world, socket_address(CLIENT, family, port)));
            let served = serve(&mut end);
            served.and(peer.join().map_err(|_| "the client panicked")?)
        })
        .map_err(told)?;
        end.send("R", 1001, 0, "")?;
    }
    Ok(())
}

fn holds_nothing(child: &Child) -> Outcome {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    for set in ["CapPrm", "CapEff"] {
        let line = status.lines().find(|line| line.starts_with(set)).ok_or(set)?;
        ensure!(line.ends_with("\t0000000000000000"), "{line}");
    }
    Ok(())
}

fn without_the_right() -> Outcome {
    let page = url(socket_address(SERVER, Family::V4, 80), "/hello");
    let get = |rung: &str| {
        let program = Program::new("setpriv").args(["--bounding-set=-net_admin", "--inh-caps=-net_admin"]);
        program.arg(wirewright_tests::binary()).args(["get", "--guard", rung, &page]).env("LANG", "C.UTF-8").run()
    };
    for rung in ["md5-listener", "min-ttl", "own-address"] {
        get(rung)?.success()?;
    }
    for (rung, said) in
        [("drop-filter", "setsockopt(SO_ATTACH_FILTER): EPERM"), ("nft-owner", "NFT_MSG_NEWTABLE: EPERM")]
    {
        let refused = get(rung)?;
        // Older kernels ask for no right to attach a filter.
        if rung == "drop-filter" && refused.code == 0 {
            continue;
        }
        let refused = refused.expect_code(3)?;
        for part in [&format!("{rung} does not stand here"), said, "sudo "] {
            ensure!(refused.stderr.contains(part), "{part}: {refused}");
        }
    }
    Ok(())
}

fn killed(_: &World) -> Outcome {
    let tables = || -> Fallible<bool> {
        let listed = Program::new("nft").args(["list", "tables"]).run()?.success()?;
        Ok(listed.text().contains("wirewright-"))
    };
    let mut guard = Running(ww().args(["guard", "--guard", "nft-owner", "198.51.100.2:40180"]).start()?);
    let mut out = BufReader::new(guard.0.stdout.take().ok_or("standard output was piped")?);
    out.read_line(&mut String::new())?;
    ensure!(tables()?, "no table stands");
    guard.0.kill()?;
    guard.0.wait()?;
    ensure!(!tables()?, "the table is left");
    Ok(())
}
