//! Peers that err on purpose, before `ww get`: one clear text, the documented code, and nothing that the peer holds.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use wirewright_lab::{Family, Host};
use wirewright_tests::{Folder, Limit, Outcome, Output, World, binary, ensure, wait_for, ww};

use super::held;
use super::script::{ACK, Peer, RST, SYN};
use crate::link::tools::{Fallible, SERVER, socket_address};
use crate::our_tcp::{Running, SOON, python, url};

/// What a peer does, what `ww get` ends with, and words that it says.
type Case = (&'static str, fn(&mut Peer) -> Fallible<()>, i32, &'static [&'static str]);

/// The peer errs and goes on: so does the page.
const BORNE: &[Case] = &[
    ("a second SYN-ACK", second_syn_ack, 0, &[]),
    ("a second SYN-ACK with another number", other_syn_ack, 0, &[]),
    ("an ACK of what was never sent", ack_of_unsent, 0, &[]),
    ("an RST beside its number", reset_not_exact, 0, &[]),
    ("a SYN-ACK that acknowledges another SYN", wrong_syn_ack, 0, &[]),
    ("a window that shrinks, and opens again", shrinks, 0, &[]),
];

/// The peer errs to the end.
const NOT_BORNE: &[Case] = &[
    ("no SYN-ACK", Peer::wait_for_syn, 1, &["is silent: nothing came for 1.00 s", "while connecting", "ask tcp"]),
    ("no answer", no_answer, 1, &["is silent: nothing came for 1.00 s", "while waiting for the answer"]),
    ("nothing but ACKs of what was never sent", only_ack_of_unsent, 1, &["what was never sent", "§3.10.7.4"]),
    ("only SYN-ACKs of another SYN", only_wrong_syn_acks, 1, &["not of our SYN; it got RST (RFC 9293 §3.10.7.3)"]),
    ("wrong checksums", bad_checksum, 1, &["a wrong TCP checksum"]),
    ("a window that shrinks to nothing", stays_closed, 1, &["keeps its window closed", "§3.8.6.1"]),
    ("an RST inside the body", reset_in_body, 5, &["has reset the connection"]),
];

pub(super) fn borne(world: &World) -> Outcome {
    all(world, BORNE, "5s")
}

pub(super) fn not_borne(world: &World) -> Outcome {
    all(world, NOT_BORNE, "1s")
}

/// Each in both versions, all at the same time: most of it is waiting.
fn all(world: &World, cases: &'static [Case], wait: &'static str) -> Outcome {
    let folder = Folder::new()?;
    // Built before a peer waits for it.
    let _ = binary();
    thread::scope(|scope| {
        let mut running = Vec::new();
        for family in [Family::V4, Family::V6] {
            for (number, case) in cases.iter().enumerate() {
                let folder = folder.path();
                let run = move || {
                    let port = 9000 + u16::try_from(number).unwrap_or_default();
                    one(world, folder, family, port, case, wait)
                        .map_err(|error| format!("{}, {family:?}: {error}", case.0))
                };
                running.push(scope.spawn(run));
            }
        }
        let ended = running.into_iter().map(|run| run.join().unwrap_or_else(|_| Err("it panicked".to_owned())));
        let failed: Vec<_> = ended.filter_map(Result::err).collect();
        ensure!(failed.is_empty(), "{}", failed.join("\n"));
        Ok(())
    })
}

fn one(world: &World, folder: &Path, family: Family, port: u16, case: &Case, wait: &str) -> Outcome {
    let (_, act, code, words) = *case;
    let mut peer = Peer::open(world, family, port)?;
    let from = url(peer.local(), "/");
    let into = folder.join(format!("{port}-{family:?}"));
    let acts = thread::scope(|scope| {
        let acts = scope.spawn(|| act(&mut peer).map_err(|error| error.to_string()));
        let told = ww().args(["get", "--wait", wait, "-o"]).arg(&into).arg(&from).run();
        (acts.join().unwrap_or_else(|_| Err("the peer panicked".into())), told)
    });
    let (acted, told) = acts;
    let told = told?;
    acted.map_err(|error| format!("{error}\n{told}"))?;
    check(&told, code, words)?;
    if code == 0 {
        let body = fs::read(&into)?;
        ensure!(body == b"hello", "{body:?} came");
    }
    Ok(())
}

fn check(told: &Output, code: i32, words: &[&str]) -> Outcome {
    ensure!(told.code == code, "{code} was expected\n{told}");
    for word in words {
        ensure!(told.stderr.contains(word), "{word:?} is not told\n{told}");
    }
    Ok(())
}

/// It answers with an ACK that says what it has (RFC 5961 §4.2).
fn challenged(peer: &mut Peer) -> Fallible<()> {
    let next = peer.ahead(0);
    peer.wait("challenge ACK", |segment| segment.flags == ACK && segment.seq == next)?;
    Ok(())
}

fn second_syn_ack(peer: &mut Peer) -> Fallible<()> {
    peer.accept(64_000)?;
    peer.request(64_000)?;
    peer.send_off(u32::MAX, "SA", "win=64000 mss=1400")?;
    challenged(peer)?;
    peer.answer()
}

fn other_syn_ack(peer: &mut Peer) -> Fallible<()> {
    peer.accept(64_000)?;
    peer.request(64_000)?;
    peer.send_off(1 << 30, "SA", "win=64000 mss=1400")?;
    challenged(peer)?;
    peer.answer()
}

fn ack_of_unsent(peer: &mut Peer) -> Fallible<()> {
    peer.accept(64_000)?;
    peer.request(64_000)?;
    peer.send_ack("A", peer.ahead(100_000), "win=64000")?;
    challenged(peer)?;
    peer.answer()
}

fn reset_not_exact(peer: &mut Peer) -> Fallible<()> {
    peer.accept(64_000)?;
    peer.request(64_000)?;
    peer.send_off(1, "R", "")?;
    challenged(peer)?;
    peer.answer()
}

fn wrong_syn_ack(peer: &mut Peer) -> Fallible<()> {
    peer.wait_for_syn()?;
    let ack = peer.ahead(1000);
    peer.send_ack("SA", ack, "win=64000 mss=1400")?;
    peer.wait("RST of the wrong SYN-ACK", |segment| segment.flags & RST != 0 && segment.seq == ack)?;
    // RFC 5961 has the SYN sent again.
    peer.wait_for_syn()?;
    peer.take(64_000)?;
    peer.request(64_000)?;
    peer.answer()
}

/// 50 bytes were offered and came; 20 are taken, and no more may follow: the right edge moves back by 30.
fn shrink(peer: &mut Peer) -> Fallible<()> {
    peer.accept(50)?;
    peer.take_text(50)?;
    peer.acknowledge(20);
    peer.send("A", "win=0")
}

fn shrinks(peer: &mut Peer) -> Fallible<()> {
    shrink(peer)?;
    // It asks whether the window is open again.
    let next = peer.ahead(0);
    peer.wait("zero-window probe", |segment| segment.flags & (SYN | RST) == 0 && segment.seq != next.wrapping_add(30))?;
    peer.send("A", "win=64000")?;
    peer.request(64_000)?;
    peer.answer()
}

fn stays_closed(peer: &mut Peer) -> Fallible<()> {
    shrink(peer)?;
    let next = peer.ahead(0);
    loop {
        let segment = peer.wait("segment", |_| true)?;
        if segment.flags & RST != 0 {
            // What was in flight when the window shrank counts.
            ensure!(segment.seq.wrapping_sub(next) <= 30, "reset at {} and not at {next}", segment.seq);
            return Ok(());
        }
        peer.send("A", "win=0")?;
    }
}

fn no_answer(peer: &mut Peer) -> Fallible<()> {
    peer.accept(64_000)?;
    peer.request(64_000)?;
    peer.was_reset()
}

fn only_ack_of_unsent(peer: &mut Peer) -> Fallible<()> {
    peer.accept(64_000)?;
    peer.request(64_000)?;
    peer.send_ack("A", peer.ahead(100_000), "win=64000")?;
    peer.was_reset()
}

fn only_wrong_syn_acks(peer: &mut Peer) -> Fallible<()> {
    peer.wait_for_syn()?;
    let ack = peer.ahead(1000);
    peer.send_ack("SA", ack, "win=64000 mss=1400")?;
    // Each wrong one gets its RST, and so often as the SYN comes it gets a wrong one.
    let mut resets = 0;
    while let Some(segment) = peer.hear(1500)? {
        match segment.flags {
            SYN => peer.send_ack("SA", ack, "win=64000 mss=1400")?,
            RST => resets += 1,
            _ => {}
        }
        ensure!(segment.flags & RST == 0 || segment.seq == ack, "an RST at {}", segment.seq);
    }
    ensure!((1..10).contains(&resets), "{resets} RSTs came");
    Ok(())
}

fn bad_checksum(peer: &mut Peer) -> Fallible<()> {
    peer.wait_for_syn()?;
    peer.send("SA", "win=64000 mss=1400 sum=bad")
}

fn reset_in_body(peer: &mut Peer) -> Fallible<()> {
    const HEAD: &str = r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    peer.accept(64_000)?;
    peer.request(64_000)?;
    let len = u32::try_from(HEAD.len() - HEAD.matches('\\').count() + 3)?;
    peer.say(&format!("{HEAD}hel"), len)?;
    let next = peer.ahead(0);
    peer.wait("ACK of the body", |segment| segment.flags == ACK && segment.seq == next)?;
    peer.send("R", "")
}

/// A kernel's server that sends a part, and goes on waiting: what it holds after each end of `ww get`.
pub(super) fn kernels_hold_nothing(world: &World) -> Outcome {
    let folder = Folder::new()?;
    let held_by = |port: u16, what: &str| -> Outcome {
        let none = || held(world, Host::Server, port).ok()?.is_empty().then_some(());
        let gone = wait_for("the end of the peer's connection", Limit::seconds(2), none);
        gone.map_err(|late| format!("{what}: {late}: {:?}", held(world, Host::Server, port)).into())
    };
    for (family, port) in [(Family::V4, 8081), (Family::V6, 8082)] {
        let _server = holding(world, port, r"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")?;
        let into = folder.file("body");
        let from = url(socket_address(SERVER, family, port), "/");
        let told = ww().args(["get", "--wait", "300ms", "-o"]).arg(&into).arg(&from).run()?;
        check(&told, 1, &["is silent", "reading the body, after 3 bytes of it", "body holds what came"])?;
        ensure!(fs::read(&into)? == b"abc", "the file holds something else");
        held_by(port, "a body that stops")?;
    }
    Ok(())
}

/// A server that accepts, reads, sends `answer`, says `q`, and keeps the connection until its peer goes; then it says how.
fn holding(world: &World, port: u16, answer: &str) -> Fallible<Running> {
    let program = format!(
        "import socket,threading\n\
         s=socket.create_server(('::',{port}),family=socket.AF_INET6,dualstack_ipv6=True,backlog=64)\n\
         def hold(c):\n try:\n  c.recv(4096)\n  c.sendall(b'{answer}')\n  print('q',end='')\n  e='f'\n\
         \x20 c.recv(1)\n  print('f',end='')\n  while 1: threading.Event().wait()\n except OSError: print('x',end='')\n\
         print('r',end='')\n\
         while 1: threading.Thread(target=hold,args=(s.accept()[0],),daemon=True).start()"
    );
    python(world, &program)
}

fn interrupt(running: &Running) -> Outcome {
    let number = running.0.id().to_string();
    ensure!(Command::new("kill").args(["-INT", &number]).status()?.success(), "kill");
    Ok(())
}

/// Ctrl-C at moments all over the life of a get, the longest behind its request: the peer holds nothing.
pub(super) fn interrupted_at_any_moment(world: &World) -> Outcome {
    const PORT: u16 = 8083;
    const MOMENTS: u32 = 40;
    let _server = holding(world, PORT, "")?;
    let before = world.lab().counters(Host::Server)?.value("TcpPassiveOpens");
    for moment in 0..MOMENTS {
        let family = [Family::V4, Family::V6][usize::from(moment % 2 == 1)];
        let from = url(socket_address(SERVER, family, PORT), "/");
        let mut running = Running(ww().args(["get", &from]).start()?);
        // Not a wait for something: the moment is what the test is about.
        thread::sleep(Duration::from_micros(400) * moment);
        interrupt(&running)?;
        let ended = wait_for("the command's end", Limit(SOON), || running.0.try_wait().ok().flatten())?;
        // Before it holds signals back, one ends it as any process.
        ensure!(matches!(ended.code(), Some(130) | None), "moment {moment}: {ended}");
        let none = || held(world, Host::Server, PORT).ok()?.is_empty().then_some(());
        wait_for("the end of the peer's connection", Limit::seconds(2), none)
            .map_err(|late| format!("moment {moment}: {late}: {:?}", held(world, Host::Server, PORT)))?;
    }
    let opened = world.lab().counters(Host::Server)?.value("TcpPassiveOpens") - before;
    ensure!(opened > 0, "no moment was late enough");
    println!("{MOMENTS} moments, {opened} connections");
    Ok(())
}

/// The page is there, and the server does not close: ctrl-C ends the wait for it.
pub(super) fn interrupted_while_closing(world: &World) -> Outcome {
    const PORT: u16 = 8084;
    let folder = Folder::new()?;
    let mut server = holding(world, PORT, r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")?;
    let mut output = server.0.stdout.take().ok_or("no output")?;
    for family in [Family::V4, Family::V6] {
        let into = folder.file("body");
        let from = url(socket_address(SERVER, family, PORT), "/");
        let sent = || world.lab().counters(Host::Server).map(|counters| counters.value("TcpOutSegs"));
        let before = sent()?;
        let mut running = Running(ww().args(["get", "-o"]).arg(&into).arg(&from).start()?);
        let mut said = [0; 2];
        output.read_exact(&mut said)?;
        ensure!(said == *b"qf", "the server says {said:?}");
        // The last thing that its kernel says is the ACK of our FIN, late: without it our kernel would reset it in our place.
        let all = || (sent().ok()? >= before + 4).then_some(());
        wait_for("SYN-ACK, ACK, answer, ACK", Limit::seconds(2), all)?;
        interrupt(&running)?;
        let ended = wait_for("the command's end", Limit::seconds(2), || running.0.try_wait().ok().flatten())?;
        ensure!(ended.code() == Some(130), "{ended}");
        let none = || held(world, Host::Server, PORT).ok()?.is_empty().then_some(());
        wait_for("the end of the peer's connection", Limit::seconds(2), none)?;
        ensure!(fs::read(&into)? == b"hello", "the file holds something else");
    }
    Ok(())
}
