//! The lab from inside: its hosts, its services, its wires, its commands.

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::fd::AsFd,
    process::{Command, Stdio},
    time::Duration,
};

use wirewright_lab::{Host, HostEntry, Lab, PORTS, PlaceError, Rung};
use wirewright_link::sys::ethtool::{Offload, offload};
use wirewright_tests::{Ground, Limit, Outcome, Scenario, World, ensure, wait_for};

use crate::lab_child::page;

/// Longer than any answer inside takes, short enough to wait for silence.
const SILENCE: Duration = Duration::from_millis(300);

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |name: &str, run: fn(&Lab) -> Outcome| {
        Scenario::new(&format!("lab_inside::{name}"), Ground::Lab, move |world: &World| run(world.lab()))
    };
    vec![
        scenario("the_server_serves_on_both_families", services),
        scenario("closed_refuses", closed),
        scenario("silent_hears_and_says_nothing", silent),
        scenario("a_socket_stays_on_the_host_where_it_was_opened", sockets_stay),
        scenario("what_nobody_has_a_route_for_still_reaches_the_router", default_route),
        scenario("icmp_errors_are_not_rationed", no_rate_limit),
        scenario("wires_are_honest", honest_wires),
        scenario("hosts_know_their_neighbours", neighbours),
        scenario("commands_know_the_names_and_end_with_their_code", commands).tools(&["getent"]),
        scenario("a_panic_on_a_host_goes_on_here", panics),
    ]
}

fn host(lab: &Lab, name: &str) -> Result<HostEntry, String> {
    lab.hosts().into_iter().find(|host| host.name == name).ok_or_else(|| format!("no {name}"))
}

/// The addresses of a host, one a family.
fn addresses(lab: &Lab, name: &str) -> Result<[IpAddr; 2], String> {
    let host = host(lab, name)?;
    Ok([host.v4.into(), host.v6.ok_or_else(|| format!("{name} has no IPv6 address"))?.into()])
}

/// Any port of the client, on the family of `peer`.
fn datagrams_to(peer: IpAddr) -> std::io::Result<UdpSocket> {
    let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    Ok(socket)
}

fn services(lab: &Lab) -> Outcome {
    ensure!(lab.rung().has_networks() && lab.is_alive() && lab.notes().is_empty(), "{lab:?}");
    for server in addresses(lab, "server")? {
        let page = page(SocketAddr::new(server, 80), "/echo/a?b")?;
        ensure!(page.ends_with(" asked the server of the lab for /echo/a?b\n"), "{page}");

        let mut echo = TcpStream::connect((server, 7))?;
        let text = vec![0xa5; 100_000];
        let mut copy = echo.try_clone()?;
        let sent = text.clone();
        let writer = std::thread::spawn(move || copy.write_all(&sent));
        let mut back = vec![0; text.len()];
        echo.read_exact(&mut back)?;
        writer.join().map_err(|_| "the writer panicked")??;
        ensure!(back == text, "the echo is not what was sent");

        let mut discard = TcpStream::connect((server, 9))?;
        discard.write_all(&text)?;
        discard.shutdown(std::net::Shutdown::Write)?;
        ensure!(discard.read(&mut back)? == 0, "discard said something");

        let datagrams = datagrams_to(server)?;
        datagrams.connect((server, 7))?;
        datagrams.send(b"are you there")?;
        let len = datagrams.recv(&mut back)?;
        ensure!(&back[..len] == b"are you there", "another datagram came back");
    }
    Ok(())
}

fn closed(lab: &Lab) -> Outcome {
    for address in addresses(lab, "closed")? {
        for port in [80, 7, 9, 40000] {
            let refused = TcpStream::connect_timeout(&(address, port).into(), Duration::from_secs(5));
            let kind = refused.map_err(|error| error.kind()).err();
            ensure!(kind == Some(ErrorKind::ConnectionRefused), "{address}:{port} {kind:?}");
        }
        let datagrams = datagrams_to(address)?;
        datagrams.connect((address, 7))?;
        datagrams.send(b"?")?;
        let answer = datagrams.recv(&mut [0; 16]).map_err(|error| error.kind());
        ensure!(answer == Err(ErrorKind::ConnectionRefused), "{address} {answer:?}");
    }
    Ok(())
}

fn silent(lab: &Lab) -> Outcome {
    let before = lab.counters(Host::Server)?;
    for address in addresses(lab, "silent")? {
        let connected = TcpStream::connect_timeout(&(address, 80).into(), SILENCE);
        let kind = connected.map_err(|error| error.kind()).err();
        ensure!(kind == Some(ErrorKind::TimedOut), "{address} {kind:?}");
        let datagrams = datagrams_to(address)?;
        datagrams.set_read_timeout(Some(SILENCE))?;
        datagrams.connect((address, 7))?;
        datagrams.send(b"?")?;
        let answer = datagrams.recv(&mut [0; 16]).map_err(|error| error.kind());
        ensure!(answer == Err(ErrorKind::WouldBlock), "{address} {answer:?}");
    }
    let moved = lab.counters(Host::Server)?.since(&before);
    for counter in ["IpInAddrErrors", "Ip6InAddrErrors"] {
        ensure!(moved.value(counter) >= 2, "{counter}: the packets did not arrive\n{moved}");
    }
    Ok(())
}

fn sockets_stay(lab: &Lab) -> Outcome {
    let listener = lab.on(Host::Router, || TcpListener::bind("198.51.100.1:0"))??;
    let port = listener.local_addr()?.port();
    let _client = TcpStream::connect(("198.51.100.1", port))?;
    let (_, from) = listener.accept()?;
    ensure!(from.ip() == IpAddr::from([198, 51, 100, 2]), "{from}");
    let here = TcpListener::bind("198.51.100.1:0").map_err(|error| error.kind()).err();
    ensure!(here == Some(ErrorKind::AddrNotAvailable), "the client has the router's address: {here:?}");
    Ok(())
}

/// The demo's packet is handed to the kernel for 192.168.8.1.
fn default_route(lab: &Lab) -> Outcome {
    let before = lab.counters(Host::Router)?;
    let socket = datagrams_to(IpAddr::from([192, 168, 8, 1]))?;
    socket.send_to(b"?", ("192.168.8.1", 9))?;
    let arrived = || {
        let moved = lab.counters(Host::Router).ok()?.since(&before);
        (moved.value("IpExtInNoRoutes") >= 1).then_some(())
    };
    Ok(wait_for("a packet without a route at the router", Limit::seconds(5), arrived)?)
}

fn no_rate_limit(lab: &Lab) -> Outcome {
    const COUNT: i64 = 300;
    let before = lab.counters(Host::Server)?;
    for address in addresses(lab, "closed")? {
        let socket = datagrams_to(address)?;
        for _ in 0..COUNT {
            socket.send_to(b"?", (address, 9))?;
        }
    }
    let answered = || {
        let moved = lab.counters(Host::Server).ok()?.since(&before);
        ["IcmpOutDestUnreachs", "Icmp6OutDestUnreachs"].iter().all(|name| moved.value(name) >= COUNT).then_some(())
    };
    Ok(wait_for("a port unreachable for each datagram", Limit::seconds(5), answered)?)
}

fn honest_wires(lab: &Lab) -> Outcome {
    for port in &PORTS {
        for what in Offload::ALL {
            let on = lab.on(port.host, || {
                let socket = UdpSocket::bind("127.0.0.1:0")?;
                offload(socket.as_fd(), port.interface, what)
            })??;
            ensure!(!on, "{port}: {what:?} is on");
        }
    }
    Ok(())
}

/// The echoes that prove the lab fill these tables.
fn neighbours(lab: &Lab) -> Outcome {
    let client = lab.neighbors(Host::Client)?;
    let [_, router, ..] = &PORTS;
    for address in [IpAddr::from(router.v4), router.v6.into()] {
        let known = client.iter().find(|neighbor| neighbor.address == address);
        let mac = known.and_then(|neighbor| neighbor.mac).map(|mac| mac.0);
        ensure!(mac == Some(router.mac), "{address}: {known:?}");
    }
    Ok(())
}

fn commands(lab: &Lab) -> Outcome {
    let mut command = Command::new("getent");
    command.args(["ahostsv4", "silent"]).stdout(Stdio::piped());
    let output = lab.spawn(Host::Server, command)?.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(text.starts_with("192.0.2.4 "), "{text}");

    let mut command = Command::new("sh");
    command.args(["-c", "exit 7"]);
    ensure!(lab.run(Host::Router, command)?.code() == Some(7), "another exit code");

    let mut command = Command::new("sh");
    command.args(["-c", "test -e /proc/$$/ns/net && test -e /proc/1 && pwd"]).stdout(Stdio::piped());
    let output = lab.spawn(Host::Client, command)?.wait_with_output()?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(output.status.success() && std::env::current_dir()?.display().to_string() == folder, "{folder:?}");

    let refused = lab.spawn(Host::Client, Command::new("/no/such/program"));
    ensure!(matches!(refused, Err(PlaceError::Os { host: Host::Client, .. })), "{refused:?}");
    ensure!(lab.rung() != Rung::InProcess, "a scenario of this ground stands on networks");
    Ok(())
}

fn panics(lab: &Lab) -> Outcome {
    let on_server = || lab.on(Host::Server, || std::panic::resume_unwind(Box::new("there")));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(on_server));
    ensure!(caught.is_err(), "the panic was lost");
    Ok(())
}
