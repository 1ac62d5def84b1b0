//! Stateful firewalls in front of our own kernel and of the peer's: what leaves is known to them, so what comes back is let in.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Command, Stdio};

use wirewright_lab::{Family, Host};
use wirewright_net::TcpListener;
use wirewright_tests::{Folder, Limit, Outcome, World, ensure, wait_for, ww};

use super::fresh_gets::{self, nginx};
use super::{clients, held, wait_for_listeners};
use crate::link::tools::{CLIENT, Fallible, SERVER, socket_address};
use crate::our_tcp::{Running, SOON, pattern, url};

/// Many windows: tracking follows each of them.
const LEN: usize = 10_000_000;
/// The port of `ww hand --listen`.
const HAND: u16 = 8090;
/// The port of our listener.
const LISTENER: u16 = 8091;

/// The ports on which whoever is behind the rules may listen.
pub(crate) const LISTENS: [u16; 5] = [8092, 8093, 8094, 8095, 8096];

/// The rules, on INPUT and OUTPUT; what they stop they count.
fn rules(drops_invalid: bool) -> String {
    let [first, .., last] = LISTENS;
    let invalid = if drops_invalid { "ct state invalid counter drop;" } else { "" };
    format!(
        "table inet ww_peers {{\n\
         chain in {{ type filter hook input priority 0; {invalid} ct state established,related accept;\n\
         ct state new tcp dport {{ {}, {HAND}, {LISTENER}, {first}-{last}, 7, 80 }} accept; meta l4proto tcp counter reject with tcp reset; }}\n\
         chain out {{ type filter hook output priority 0; {invalid} }}\n}}",
        fresh_gets::PORT
    )
}

fn nft(world: &World, host: Host, words: &str) -> Fallible<String> {
    let mut command = Command::new("nft");
    command.arg(words).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = world.lab().spawn(host, command)?;
    let mut text = String::new();
    child.stdout.take().ok_or("no output")?.read_to_string(&mut text)?;
    let status = child.wait()?;
    ensure!(status.success(), "{host:?}: nft {words}: {status}");
    Ok(text)
}

/// Acts behind both firewalls, on both hosts, and holds them to have stopped nothing.
pub(crate) fn behind(world: &World, act: impl Fn() -> Outcome) -> Outcome {
    for drops_invalid in [false, true] {
        for host in [Host::Client, Host::Server] {
            nft(world, host, &rules(drops_invalid))?;
        }
        let done = act().map_err(|error| format!("drops what is invalid: {drops_invalid}: {error}"));
        let mut stopped = Vec::new();
        for host in [Host::Client, Host::Server] {
            let listed = nft(world, host, "list table inet ww_peers")?;
            let counted = listed.lines().filter(|line| line.contains("counter") && !line.contains("packets 0 bytes 0"));
            stopped.extend(counted.map(|line| format!("{host:?}: {}", line.trim())));
            nft(world, host, "delete table inet ww_peers")?;
        }
        done?;
        ensure!(stopped.is_empty(), "drops what is invalid: {drops_invalid}; the firewalls stopped {stopped:?}");
    }
    Ok(())
}

pub(super) fn get(world: &World) -> Outcome {
    let folder = Folder::new()?;
    folder.write("page", pattern(LEN))?;
    let servers = [Host::Server, Host::Client].map(|host| {
        let own = folder.file(&format!("{host:?}"));
        std::fs::create_dir(&own)?;
        nginx(world, host, folder.path(), &own)
    });
    let _servers: Vec<_> = servers.into_iter().collect::<Fallible<_>>()?;
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let server = [Family::V4, Family::V6].map(|family| SERVER.address(family));
    behind(world, || {
        for address in server.into_iter().chain(loopback) {
            let from = url(SocketAddr::new(address, fresh_gets::PORT), "/page");
            let into = folder.file("body");
            ww().args(["get", "-o"]).arg(&into).arg(&from).run()?.success()?;
            ensure!(std::fs::read(&into)? == pattern(LEN), "{from}: others came");
        }
        Ok(())
    })
}

pub(super) fn hand(world: &World) -> Outcome {
    behind(world, || {
        for family in [Family::V4, Family::V6] {
            let to = socket_address(SERVER, family, 80);
            let mut words = vec![to.to_string()];
            if to.is_ipv6() {
                words = vec![to.ip().to_string(), ":80".to_owned()];
            }
            let lines = "S mss=1400 ts sack wscale=7\nA\nPA data='GET /echo/x HTTP/1.0\\r\\n\\r\\n'\nauto\n";
            let said = ww().args(["hand", "--json"]).args(&words).input(lines).run()?.success()?;
            ensure!(said.text().contains("\"due\":\"over\""), "{said}");
            serve_by_hand(world, family)?;
        }
        Ok(())
    })
}

fn serve_by_hand(world: &World, family: Family) -> Outcome {
    let lines = "SA mss=1400\nA\nPA data='by hand'\nFA\n";
    let server =
        std::thread::spawn(move || ww().args(["hand", "--json", "--listen", &format!(":{HAND}")]).input(lines).run());
    wait_for_listeners(world, Host::Client, HAND)?;
    let to = socket_address(CLIENT, family, HAND);
    let program = format!(
        "import socket\nc=socket.create_connection(('{}',{HAND}),8)\nc.sendall(b'question')\nc.shutdown(1)\nd=b''\n\
         while 1:\n p=c.recv(99)\n if not p: break\n d+=p\nassert d==b'by hand', d",
        to.ip()
    );
    let mut command = Command::new("python3");
    command.args(["-c", &program]);
    let mut client = Running(world.lab().spawn(Host::Server, command)?);
    let ended = wait_for("the client's end", Limit(SOON), || client.0.try_wait().ok().flatten())?;
    let said = server.join().map_err(|_| "it panicked")??.success()?;
    ensure!(ended.success(), "{family:?}: {ended}\n{said}");
    Ok(())
}

pub(super) fn listener(world: &World) -> Outcome {
    let folder = Folder::new()?;
    clients::prepare(&folder)?;
    behind(world, || {
        for family in [Family::V4, Family::V6] {
            let listener = TcpListener::bind(socket_address(CLIENT, family, LISTENER))?;
            clients::one_family(world, &folder, &listener, 12).map_err(|error| format!("{family:?}: {error}"))?;
            drop(listener);
            let left = held(world, Host::Server, LISTENER)?;
            ensure!(left.is_empty(), "{family:?}: the clients' kernel holds {left:?}");
        }
        Ok(())
    })
}
