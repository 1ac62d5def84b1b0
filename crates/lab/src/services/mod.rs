//! What the server offers over its kernel's TCP and UDP: HTTP (80), echo (7, RFC 862), discard (9, RFC 863).
//!
//! In: connections and datagrams that the kernel accepted.
//! Out: answers; the list of ports.
//! Above: the keeper. Below: std's sockets.
//! Not here: anything that a kernel does by itself (resets, port unreachable, echo replies).

mod http;
mod streams;

pub use http::page;

use core::time::Duration;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use wirewright_link::clock;

use crate::keeper::Place;
use crate::map::{LOOPBACK_SERVER, SERVER};
use crate::message::Line;

/// Connections at one time. Each has a thread that waits and a descriptor, of which a process has 1024 by default; a
/// conversation made by hand may stay open for minutes, and a test opens some hundred.
const CONNECTIONS_MAX: usize = 512;

/// The pause after a connection that could not be accepted (no descriptor left): the kernel would offer it again at once.
const PAUSE: Duration = Duration::from_millis(10);

/// The stack of such a thread: its buffers are on the heap.
const STACK_LEN: usize = 128 * 1024;

/// A service answers no datagram from a port below this: two echo services would keep each other busy for ever (RFC 862 says
/// nothing about it; every implementation learnt it).
const ANSWERED_PORT_MIN: u16 = 1024;

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// Says back what it is told (RFC 862), over TCP and UDP.
    Echo,
    /// Takes everything and says nothing (RFC 863), over TCP and UDP.
    Discard,
    /// HTTP/1.1 (RFC 9112), over TCP.
    Http,
}

impl ServiceKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Echo, Self::Discard, Self::Http];

    /// Its registered port.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Echo => 7,
            Self::Discard => 9,
            Self::Http => 80,
        }
    }

    /// Its registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Discard => "discard",
            Self::Http => "http",
        }
    }
}

/// A service and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// What it does.
    pub kind: ServiceKind,
    /// Its port: the registered one, but for the loopback of a machine where that is taken.
    pub port: u16,
}

/// The open sockets of the services.
pub(crate) struct Services {
    list: Vec<Service>,
    listeners: Vec<(ServiceKind, TcpListener)>,
    sockets: Vec<(ServiceKind, UdpSocket)>,
}

impl Services {
    /// Opens all services in the network of the calling thread.
    pub(crate) fn open(place: Place) -> io::Result<Self> {
        let mut services = Self { list: Vec::new(), listeners: Vec::new(), sockets: Vec::new() };
        let (v4, v6, with_v6) = match place {
            Place::Server { with_v6, .. } => (SERVER.v4, SERVER.v6, with_v6),
            Place::Loopback { with_v6 } => (LOOPBACK_SERVER, Ipv6Addr::LOCALHOST, with_v6),
        };
        let mut addresses = vec![IpAddr::V4(v4)];
        if with_v6 {
            addresses.push(v6.into());
        }
        for kind in ServiceKind::ALL {
            match services.open_at(kind, &addresses, kind.port()) {
                Ok(()) => {}
                // The registered port belongs to somebody else here, or to root.
                Err(_) if matches!(place, Place::Loopback { .. }) => services.open_at(kind, &addresses[..1], 0)?,
                Err(error) => return Err(error),
            }
        }
        Ok(services)
    }

    fn open_at(&mut self, kind: ServiceKind, addresses: &[IpAddr], port: u16) -> io::Result<()> {
        let mut port = port;
        let mut opened = Vec::new();
        for &address in addresses {
            let listener = TcpListener::bind(SocketAddr::new(address, port))?;
            port = listener.local_addr()?.port();
            listener.set_nonblocking(true)?;
            let datagrams = if kind == ServiceKind::Http {
                None
            } else {
                let socket = UdpSocket::bind(SocketAddr::new(address, port))?;
                socket.set_nonblocking(true)?;
                Some(socket)
            };
            opened.push((listener, datagrams));
        }
        for (listener, datagrams) in opened {
            self.listeners.push((kind, listener));
            self.sockets.extend(datagrams.map(|socket| (kind, socket)));
        }
        self.list.push(Service { kind, port });
        Ok(())
    }

    /// What is offered where.
    pub(crate) fn list(&self) -> Vec<Service> {
        self.list.clone()
    }

    /// Serves until the line is cut.
    pub(crate) fn serve(&self, line: &Line) {
        let connections = Arc::new(AtomicUsize::new(0));
        let mut datagram = vec![0; usize::from(u16::MAX)];
        loop {
            let listeners = self.listeners.iter().map(|(_, listener)| listener.as_fd());
            let sockets = self.sockets.iter().map(|(_, socket)| socket.as_fd());
            let mut fds: Vec<_> =
                listeners.chain(sockets).map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
            fds.push(PollFd::from_borrowed_fd(line.as_fd(), PollFlags::IN));
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            if fds.last().is_some_and(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::IN)) {
                return;
            }
            for (kind, listener) in &self.listeners {
                accept_all(*kind, listener, &connections);
            }
            for (kind, socket) in &self.sockets {
                answer_datagrams(*kind, socket, &mut datagram);
            }
        }
    }
}

fn accept_all(kind: ServiceKind, listener: &TcpListener, connections: &Arc<AtomicUsize>) {
    loop {
        match listener.accept() {
            Ok((stream, _)) => begin(kind, stream, connections),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // One that was reset before it was accepted; the next may be sound.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => return clock::sleep(PAUSE),
        }
    }
}

fn begin(kind: ServiceKind, stream: TcpStream, connections: &Arc<AtomicUsize>) {
    if connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS_MAX {
        connections.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    let counted = Arc::clone(connections);
    let serve = move || {
        // A peer that goes away is the end of a conversation, not an error.
        let _ = match kind {
            ServiceKind::Echo => streams::echo(stream),
            ServiceKind::Discard => streams::discard(stream),
            ServiceKind::Http => http::answer(stream),
        };
        counted.fetch_sub(1, Ordering::Relaxed);
    };
    if thread::Builder::new().stack_size(STACK_LEN).spawn(serve).is_err() {
        connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn answer_datagrams(kind: ServiceKind, socket: &UdpSocket, buffer: &mut [u8]) {
    loop {
        match socket.recv_from(buffer) {
            Ok((len, from)) if kind == ServiceKind::Echo && from.port() >= ANSWERED_PORT_MIN => {
                let bytes = buffer.get(..len).unwrap_or_default();
                // A full queue loses it, as UDP may.
                let _ = socket.send_to(bytes, from);
            }
            Ok(_) => {}
            // An ICMP error of an earlier answer arrives here once.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => return,
        }
    }
}
