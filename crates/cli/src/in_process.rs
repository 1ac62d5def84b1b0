//! The practice network where nothing can be sent: its hosts are our own TCP, in this process. No kernel takes part.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::time::Duration;

use lab::{Rung, ServiceKind};
use net::hand::{Does, Own, Then, Turn};
use net::{Breaker, InProcess, TcpListener, TcpStream, Watch};

use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::place::Place;
use crate::speech::say;
use crate::{context, said};

/// What stands for an interface where there is none.
pub(crate) const INTERFACE: &str = "in process";

/// The verb runs in the practice network, and that sends nothing.
pub(crate) fn is_place(place: &Place<'_>) -> bool {
    matches!(place, Place::Lab(lab) if lab.rung() == Rung::InProcess)
}

/// A rung of the guard is for a kernel, and none takes part here.
///
/// # Errors
/// Where one is wished for all the same.
pub(crate) fn without_guard(place: &Place<'_>, options: &Options) -> Result<(), Failure> {
    match place {
        Place::Lab(lab) if is_place(place) && options.rung.is_some() => {
            let said = say("error.no-network.guard", &[("rung", &said::rung(lab.rung()))]);
            Err(Failure::new(Exit::NotPermitted, "no-network", said))
        }
        _ => Ok(()),
    }
}

/// The address of a host of the practice network.
pub(crate) fn address(name: &str, v6: bool) -> Option<IpAddr> {
    let host = lab::Shape::ONE.entries().into_iter().find(|host| host.name == name)?;
    if v6 { host.v6.map(IpAddr::V6) } else { Some(IpAddr::V4(host.v4)) }
}

/// Who answers at an address: the server with its services, a host without any, or nobody: then it is the server, which does
/// not have that address.
pub(crate) fn host_at(to: IpAddr) -> Option<Own> {
    let is_at = |host: &lab::HostEntry| IpAddr::V4(host.v4) == to || host.v6.map(IpAddr::V6) == Some(to);
    let name = lab::Shape::ONE.entries().into_iter().find(is_at).map(|host| host.name);
    let (name, ports) = match name {
        Some(name @ ("client" | "router" | "closed")) => (name, Vec::new()),
        _ => ("server", ServiceKind::ALL.map(ServiceKind::port).to_vec()),
    };
    Some(Own { address: address(name, to.is_ipv6())?, ports, application: Box::new(serve), erring: None })
}

/// An address of the practice network, which also has an address where nobody is.
pub(crate) fn is_host(address: IpAddr) -> bool {
    lab::Shape::ONE
        .entries()
        .iter()
        .any(|host| IpAddr::V4(host.v4) == address || host.v6.map(IpAddr::V6) == Some(address))
}

/// A stream to `peer`; the server's pages a thread of this process gives.
///
/// # Errors
/// As [`TcpStream::connect_breakable`].
pub(crate) fn connect(
    peer: SocketAddr,
    wait: Duration,
    watch: Option<Watch>,
    breaker: &Breaker,
) -> io::Result<TcpStream> {
    let nobody = || io::Error::from(io::ErrorKind::AddrNotAvailable);
    let (client, own) = address("client", peer.is_ipv6()).zip(host_at(peer.ip())).ok_or_else(nobody)?;
    let http = ServiceKind::Http.port();
    // Where there are no pages, it listens on a port that nobody asks.
    let port = if own.ports.contains(&http) { http } else { (!peer.port()).max(1) };
    let secrets = [context::entropy(None), context::entropy(None)];
    let (network, listener) = InProcess::pair_watched(client, (own.address, port).into(), secrets, watch)?;
    std::thread::spawn(move || give_pages(&listener));
    network.connect_to(peer, wait, breaker)
}

/// One page a connection, until the listener ends.
fn give_pages(listener: &TcpListener) {
    while let Ok((stream, remote)) = listener.accept() {
        // A client that goes away is the end of a conversation.
        let _ = give_page(&stream, remote);
    }
}

fn give_page(mut stream: &TcpStream, remote: SocketAddr) -> io::Result<()> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&buffer[..count]),
        }
        if let Some(page) = lab::page(&head, remote) {
            stream.write_all(&page)?;
            stream.shutdown(Shutdown::Write)?;
            while stream.read(&mut buffer)? > 0 {}
            return Ok(());
        }
    }
}

/// A host that begins, and asks for a page.
pub(crate) fn asking(v6: bool) -> Option<Own> {
    let mut has_asked = false;
    let application = move |turn: &Turn<'_>| {
        let says = if std::mem::replace(&mut has_asked, true) { &b""[..] } else { REQUEST };
        Does { used: turn.heard.len(), says: says.to_vec(), then: Then::GoesOn }
    };
    let (address, application) = (address("server", v6)?, Box::new(application));
    Some(Own { address, ports: Vec::new(), application, erring: None })
}

/// What it asks for.
const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

/// The services as on the lab's server, by port.
pub(crate) fn serve(turn: &Turn<'_>) -> Does {
    let used = turn.heard.len();
    match ServiceKind::ALL.into_iter().find(|kind| kind.port() == turn.local.port()) {
        Some(ServiceKind::Echo) => Does { used, says: turn.heard.to_vec(), then: Then::GoesOn },
        Some(ServiceKind::Http) => match lab::page(turn.heard, turn.remote) {
            Some(says) => Does { used, says, then: Then::Closes },
            None => Does::default(),
        },
        Some(ServiceKind::Discard) | None => Does { used, ..Does::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16, heard: &[u8]) -> Does {
        let (local, remote) = (([192, 0, 2, 2], port).into(), ([198, 51, 100, 2], 50_000).into());
        serve(&Turn { local, remote, heard, has_ended: false })
    }

    #[test]
    fn each_port_does_as_its_service() {
        assert_eq!(at(7, b"hello"), Does { used: 5, says: b"hello".to_vec(), then: Then::GoesOn });
        assert_eq!(at(9, b"hello"), Does { used: 5, ..Does::default() });
        assert_eq!(at(80, b"GET / HTTP/1.0\r\n"), Does::default());
        let page = at(80, b"GET /hello HTTP/1.0\r\n\r\n");
        assert!(page.says.ends_with(b"Hello.\n") && page.then == Then::Closes, "{page:?}");
    }

    #[test]
    fn who_answers_is_as_in_the_full_lab() {
        let ports = |to: &str| {
            let to = to.parse().unwrap();
            let own = host_at(to).unwrap();
            (own.address == to, own.ports.len())
        };
        for (server, closed, silent) in
            [("192.0.2.2", "192.0.2.3", "192.0.2.4"), ("2001:db8::2", "2001:db8::3", "2001:db8::4")]
        {
            assert_eq!((ports(server), ports(closed), ports(silent).0), ((true, 3), (true, 0), false));
        }
    }
}
