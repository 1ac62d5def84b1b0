//! What users ask of a host: listeners and connections.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

use wirewright_tcp::{self as tcp, Connection, Listener};
use wirewright_units::Instant;

use crate::config::{ACCEPT_MAX, CONNECTIONS_MAX, HALF_OPEN_MAX};
use crate::demux::{ConnectionId, FourTuple, ListenerId, Listening};
use crate::host::Host;
use crate::icmp::{Trouble, fixed_headers};

/// The user asked for something that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// Somebody has this port, or this pair of ports, already; or it is 0.
    PortInUse,
    /// No port is free towards this peer.
    NoFreePort,
    /// There is no route there.
    NoRoute,
    /// The two addresses are of different IP versions.
    OtherVersion,
    /// The peer's address or port names nobody: 0, multicast, or broadcast.
    NoPeer,
    /// There are as many connections as there may be.
    TooManyConnections,
    /// There is no such connection, listener or socket any more.
    NoSuchSocket,
    /// It does not fit one packet.
    TooLong,
    /// The connection's own reason.
    Tcp(tcp::CallError),
}

impl Misuse {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PortInUse => "port-in-use",
            Self::NoFreePort => "no-free-port",
            Self::NoRoute => "no-route",
            Self::OtherVersion => "other-version",
            Self::NoPeer => "no-peer",
            Self::TooManyConnections => "too-many-connections",
            Self::NoSuchSocket => "no-such-socket",
            Self::TooLong => "too-long-for-a-packet",
            Self::Tcp(error) => error.code(),
        }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PortInUse => "the port is in use",
            Self::NoFreePort => "no port is free towards this peer",
            Self::NoRoute => "there is no route there",
            Self::OtherVersion => "the addresses are of different IP versions",
            Self::NoPeer => "the address and port name no peer",
            Self::TooManyConnections => "there are too many connections",
            Self::NoSuchSocket => "there is no such socket any more",
            Self::TooLong => "it does not fit one packet",
            Self::Tcp(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for Misuse {}

impl From<tcp::CallError> for Misuse {
    fn from(error: tcp::CallError) -> Self {
        Self::Tcp(error)
    }
}

/// How a listener is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// So many connections wait to be accepted; further ones stay half-open.
    pub accept_max: usize,
    /// So many are half-open; the oldest goes for a new one.
    pub half_open_max: usize,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { accept_max: ACCEPT_MAX, half_open_max: HALF_OPEN_MAX }
    }
}

impl Host {
    /// Listens on a port; an unspecified address stands for any of ours of its version.
    ///
    /// # Errors
    /// When somebody listens there already, or the port is 0.
    pub fn listen(&mut self, local: SocketAddr, backlog: Backlog) -> Result<ListenerId, Misuse> {
        let config = if local.is_ipv4() { &self.tcp_v4 } else { &self.tcp_v6 };
        let listening = Listening {
            listener: Listener::new(config.clone()),
            local,
            accept: VecDeque::new(),
            accept_max: backlog.accept_max.max(1),
            order: VecDeque::new(),
            half_open: 0,
            half_open_max: backlog.half_open_max.max(1),
            must_tell: true,
        };
        let id = if local.port() == 0 { None } else { self.demux.listen(listening) };
        id.ok_or(Misuse::PortInUse)
    }

    /// Takes the next complete connection of a listener; `None` while there is none.
    pub fn accept(&mut self, id: ListenerId) -> Option<ConnectionId> {
        let listening = self.demux.listening_mut(id)?;
        let next = listening.accept.pop_front();
        if next.is_none() {
            listening.must_tell = true;
        }
        next
    }

    /// Stops listening: what is half-open is forgotten, what waited to be accepted is reset.
    pub fn unlisten(&mut self, now: Instant, id: ListenerId) {
        let Some(listening) = self.demux.unlisten(id) else { return };
        for tuple in listening.order {
            if self.demux.half_open.get(&tuple).is_some_and(|halfway| halfway.listener == id) {
                self.end_half_open(&tuple);
            }
        }
        for id in listening.accept {
            self.abort(now, id);
            self.release(now, id);
        }
    }

    /// Opens a connection. Port 0 in `local` becomes one that is free (RFC 6056); an unspecified address the one that the
    /// route gives.
    ///
    /// # Errors
    /// When there is no route, no such peer, or no room; or both ends are taken.
    pub fn connect(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr) -> Result<ConnectionId, Misuse> {
        if remote.port() == 0 || is_nobody(remote.ip()) {
            return Err(Misuse::NoPeer);
        }
        if local.is_ipv4() != remote.is_ipv4() {
            return Err(Misuse::OtherVersion);
        }
        self.egress.routes.next_hop(remote.ip()).ok_or(Misuse::NoRoute)?;
        let address = Some(local.ip()).filter(|address| !address.is_unspecified());
        let address = address.or_else(|| self.egress.routes.source_for(remote.ip())).ok_or(Misuse::NoRoute)?;
        if self.demux.len() >= CONNECTIONS_MAX {
            return Err(Misuse::TooManyConnections);
        }
        let tuple = match local.port() {
            0 => self.free_tuple(now, address, remote).ok_or(Misuse::NoFreePort)?,
            port => FourTuple { local: (address, port).into(), remote },
        };
        if !self.demux.is_free(&tuple) {
            return Err(Misuse::PortInUse);
        }
        let numbers = self.isn.initial(now, tuple.local, remote);
        let config = self.config_for(now, remote.ip());
        let conn = Connection::open(now, config, tuple.ports(), numbers);
        let id = self.demux.insert(conn, tuple);
        self.touch(id);
        Ok(id)
    }

    /// Writes as much as there is room for, and says how much; 0: wait for [`Writable`](tcp::Event::Writable).
    ///
    /// # Errors
    /// After [`close`](Self::close), or when the connection is over.
    pub fn write(&mut self, now: Instant, id: ConnectionId, bytes: &[u8]) -> Result<usize, Misuse> {
        Ok(self.act(id, |conn| conn.write(now, bytes))??)
    }

    /// Reads what is there; see [`Connection::read`].
    ///
    /// # Errors
    /// When the connection ended otherwise than by the peer's FIN.
    pub fn read(&mut self, now: Instant, id: ConnectionId, buf: &mut [u8]) -> Result<Option<usize>, Misuse> {
        Ok(self.act(id, |conn| conn.read(now, buf))??)
    }

    /// Nothing more will be written; the FIN follows what was.
    ///
    /// # Errors
    /// When it was closed before, or is over.
    pub fn close(&mut self, now: Instant, id: ConnectionId) -> Result<(), Misuse> {
        Ok(self.act(id, |conn| conn.close(now))??)
    }

    /// Ends a connection at once, with a reset where the peer knows of it.
    pub fn abort(&mut self, now: Instant, id: ConnectionId) {
        // An error says that it is gone already.
        let _ = self.act(id, |conn| conn.abort(now));
    }

    /// Ends all connections at once, with resets where peers know of them; half-open ones are forgotten.
    pub fn abort_all(&mut self, now: Instant) {
        let ids: Vec<_> = self.demux.all().map(|held| held.id).collect();
        for id in ids {
            self.abort(now, id);
        }
        let half_open: Vec<_> = self.demux.half_open.keys().copied().collect();
        for tuple in half_open {
            self.end_half_open(&tuple);
        }
    }

    /// The user has gone: the connection is closed, and forgotten when it is over.
    pub fn release(&mut self, now: Instant, id: ConnectionId) {
        let _ = self.act(id, |conn| conn.release(now));
        if let Some(held) = self.demux.get_mut(id) {
            held.is_released = true;
        }
        self.forget_if_over(id);
    }

    /// Sends small writes at once, or gathers them.
    pub fn set_nodelay(&mut self, id: ConnectionId, nodelay: bool) {
        let _ = self.act(id, |conn| conn.set_nodelay(nodelay));
    }

    /// A connection, to be looked at.
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.demux.get(id).map(|held| &held.conn)
    }

    /// Both ends of a connection.
    #[must_use]
    pub fn four_tuple(&self, id: ConnectionId) -> Option<FourTuple> {
        self.demux.get(id).map(|held| held.tuple)
    }

    /// The last thing that ICMP said of a connection and that was believed.
    #[must_use]
    pub fn trouble(&self, id: ConnectionId) -> Option<Trouble> {
        self.demux.get(id)?.trouble
    }

    /// The link could not carry a packet to `destination`: its MTU, or the path's as the kernel knows it, is this.
    pub fn handle_too_large(&mut self, now: Instant, destination: IpAddr, mtu: u32) {
        self.path_is_smaller(now, destination, mtu, self.mtu);
    }

    /// A user call on a connection, and what comes of it.
    fn act<T>(&mut self, id: ConnectionId, call: impl FnOnce(&mut Connection) -> T) -> Result<T, Misuse> {
        let held = self.demux.get_mut(id).ok_or(Misuse::NoSuchSocket)?;
        let result = call(&mut held.conn);
        if held.conn.state() == tcp::State::Closed {
            self.demux.leave_table(id);
        }
        self.touch(id);
        Ok(result)
    }

    fn config_for(&mut self, now: Instant, remote: IpAddr) -> Arc<tcp::Config> {
        let config = if remote.is_ipv4() { &self.tcp_v4 } else { &self.tcp_v6 };
        let mss = self.egress.paths.of(now, remote).mtu.saturating_sub(fixed_headers(remote));
        if config.mss <= mss { config.clone() } else { Arc::new(tcp::Config { mss, ..(**config).clone() }) }
    }
}

/// An address that no single host has.
const fn is_nobody(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast(),
    }
}
