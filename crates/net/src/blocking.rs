//! [`TcpStream`] and [`TcpListener`], shaped as in `std::net`, over our own TCP: on raw sockets beside the kernel, or in
//! process.
//!
//! Each connection that is opened, and each listener, has an engine of its own: a thread, a guarded port, raw sockets
//! (`CAP_NET_RAW`). When its last handle is dropped it stays for as long as a peer counts on it, some seconds at most: then
//! the peer is reset, and holds nothing.

use core::net::SocketAddr;
use core::time::Duration;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, PoisonError};

use wirewright_link::netlink::Netlink;
use wirewright_link::{Rung, sys};
use wirewright_stack::{Backlog, ConnectionId, ListenerId};
use wirewright_tcp::{State as TcpState, Status};
use wirewright_units::Instant;

use crate::breaker::Breaker;
use crate::driver::{Engine, State, Waker, Watch};
use crate::guard_wish::{GuardWish, Source};
use crate::own_address::OwnAddress;
use crate::raw_wire::RawWire;
use crate::tcp_error::StreamError;

/// How long [`TcpStream::connect`] waits at most: as long as the engine repeats its SYN.
const CONNECT_MAX: Duration = Duration::from_secs(180);

/// A TCP stream carried by our own TCP. Cloned handles share the connection; dropping the last closes it.
#[derive(Clone)]
pub struct TcpStream {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<Engine>,
    id: ConnectionId,
    local: SocketAddr,
    peer: SocketAddr,
    timeouts: Mutex<Timeouts>,
}

#[derive(Clone, Copy, Default)]
struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
    reads_ended: bool,
}

/// A TCP port carried by our own TCP.
pub struct TcpListener {
    engine: Arc<Engine>,
    id: ListenerId,
    local: SocketAddr,
}

impl TcpStream {
    /// Connects, beside the kernel, from an address and a port that the kernel's route and its guard give.
    ///
    /// # Errors
    /// With a [`StreamError`] inside: no `CAP_NET_RAW`, no route, refused, unreachable, silent for three minutes.
    pub fn connect(peer: SocketAddr) -> io::Result<Self> {
        Self::connect_watched(peer, CONNECT_MAX, None)
    }

    /// As [`connect`](Self::connect), waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_timeout(peer: &SocketAddr, timeout: Duration) -> io::Result<Self> {
        Self::connect_watched(*peer, timeout, None)
    }

    /// As [`connect_timeout`](Self::connect_timeout), with each packet shown to `watch`.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_watched(peer: SocketAddr, timeout: Duration, watch: Option<Watch>) -> io::Result<Self> {
        Self::connect_breakable(peer, timeout, watch, &Breaker::new())
    }

    /// As [`connect_watched`](Self::connect_watched), and `breaker` can end it from now on.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) when it was broken.
    pub fn connect_breakable(
        peer: SocketAddr,
        timeout: Duration,
        watch: Option<Watch>,
        breaker: &Breaker,
    ) -> io::Result<Self> {
        Ok(Self::connect_guarded(peer, timeout, watch, breaker, &GuardWish::default())?.0)
    }

    /// As [`connect_breakable`](Self::connect_breakable), by a rung of the guard that is wished for; with the one that
    /// stands.
    ///
    /// # Errors
    /// As [`connect_breakable`](Self::connect_breakable); the rung does not stand, or no address of our own is free.
    pub fn connect_guarded(
        peer: SocketAddr,
        timeout: Duration,
        watch: Option<Watch>,
        breaker: &Breaker,
        wish: &GuardWish,
    ) -> io::Result<(Self, Rung)> {
        let kernel = sys::system();
        let interfaces = match wish.source {
            Some(_) => Netlink::open(kernel.clone()).and_then(|mut netlink| netlink.interfaces()),
            None => Ok(Vec::new()),
        };
        if let Source::Own(source) = wish.comes_from(&interfaces.map_err(StreamError::from)?) {
            let own = OwnAddress::towards(peer.ip(), source, watch)?;
            return Ok((own.connect_breakable(peer, timeout, breaker)?, Rung::OwnAddress));
        }
        let wire = RawWire::to(&kernel, peer, wish)?;
        let rung = wire.sender.rung();
        let waker = Waker::new()?;
        let engine = Engine::start(wire.host, Box::new(wire.sender), Box::new(wire.receiver), watch, waker)?;
        Ok((Self::open(Arc::new(engine), wire.local, peer, timeout, breaker)?, rung))
    }

    /// Connects by an engine that runs.
    pub(crate) fn open(
        engine: Arc<Engine>,
        local: SocketAddr,
        peer: SocketAddr,
        timeout: Duration,
        breaker: &Breaker,
    ) -> Result<Self, StreamError> {
        let deadline = engine.now() + timeout;
        let id = engine.act(|state, now| {
            let id = state.host.connect(now, local, peer)?;
            if !breaker.hold(engine.shared(), id) {
                state.host.abort(now, id);
            }
            Ok::<_, StreamError>(id)
        })?;
        let mut inner = Inner { engine, id, local, peer, timeouts: Mutex::default() };
        let connected = inner.engine.wait(deadline, |state, _| connected(state, id)).and_then(|result| result);
        match connected {
            Ok(local) => inner.local = local,
            Err(error) => {
                // Nothing was opened, nothing lingers.
                inner.engine.act(|state, now| state.host.abort(now, id));
                return Err(error);
            }
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Another handle of the same connection.
    ///
    /// # Errors
    /// None; the result is that of `std::net`.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    /// The peer.
    ///
    /// # Errors
    /// None; the result is that of `std::net`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.inner.peer)
    }

    /// Our end.
    ///
    /// # Errors
    /// None; the result is that of `std::net`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.inner.local)
    }

    /// Closes one direction or both. What was written still arrives, and behind it the FIN.
    ///
    /// # Errors
    /// When the connection is over, or was closed before.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if matches!(how, Shutdown::Read | Shutdown::Both) {
            self.timeouts().reads_ended = true;
        }
        if matches!(how, Shutdown::Write | Shutdown::Both) {
            let id = self.inner.id;
            self.inner.engine.act(|state, now| state.host.close(now, id)).map_err(StreamError::from)?;
        }
        Ok(())
    }

    /// How long a read waits; `None`: for ever.
    ///
    /// # Errors
    /// For a time of zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.timeouts().read = checked(timeout)?;
        Ok(())
    }

    /// How long a write waits for room; `None`: for ever.
    ///
    /// # Errors
    /// For a time of zero.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.timeouts().write = checked(timeout)?;
        Ok(())
    }

    /// Sends small writes at once, or gathers them while data is in flight.
    ///
    /// # Errors
    /// None; the result is that of `std::net`.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        let id = self.inner.id;
        self.inner.engine.act(|state, _| state.host.set_nodelay(id, nodelay));
        Ok(())
    }

    /// The variables of the connection, under the names of RFC 9293; `None` when it is gone.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        let id = self.inner.id;
        self.inner.engine.act(|state, _| state.host.connection(id).map(|conn| conn.status()))
    }

    /// Ends the connection at once, with a reset.
    pub fn abort(&self) {
        let id = self.inner.id;
        self.inner.engine.act(|state, now| state.host.abort(now, id));
    }

    fn timeouts(&self) -> std::sync::MutexGuard<'_, Timeouts> {
        self.inner.timeouts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deadline(&self, timeout: Option<Duration>) -> Instant {
        timeout.map_or(Instant::NEVER, |timeout| self.inner.engine.now() + timeout)
    }
}

/// Whether the handshake is complete, or has failed; with the local end.
fn connected(state: &mut State, id: ConnectionId) -> Option<Result<SocketAddr, StreamError>> {
    let Some(conn) = state.host.connection(id) else { return Some(Err(StreamError::EngineGone)) };
    let status = conn.status();
    if let Some(ended) = status.ended.filter(|_| conn.state() == TcpState::Closed) {
        let trouble = state.host.trouble(id);
        return Some(Err(trouble.map_or(StreamError::Ended(ended), StreamError::Unreachable)));
    }
    if matches!(conn.state(), TcpState::SynSent | TcpState::SynReceived) {
        // The engine goes on (RFC 9293 MUST-56); whoever waits for a connection wants to know.
        if let Some(trouble) = state.host.trouble(id) {
            return Some(Err(StreamError::Unreachable(trouble)));
        }
        return state.send_error.take().map(|error| Err(StreamError::Os(error)));
    }
    state.host.four_tuple(id).map(|tuple| Ok(tuple.local))
}

fn checked(timeout: Option<Duration>) -> io::Result<Option<Duration>> {
    if timeout == Some(Duration::ZERO) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a time-out of zero"));
    }
    Ok(timeout)
}

impl Read for &TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let timeouts = *self.timeouts();
        if timeouts.reads_ended || buf.is_empty() {
            return Ok(0);
        }
        let (id, deadline) = (self.inner.id, self.deadline(timeouts.read));
        let read = self.inner.engine.wait(deadline, |state, now| state.host.read(now, id, buf).transpose())?;
        Ok(read.map_err(StreamError::from)?)
    }
}

impl Write for &TcpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let timeouts = *self.timeouts();
        let (id, deadline) = (self.inner.id, self.deadline(timeouts.write));
        let written = self.inner.engine.wait(deadline, |state, now| match state.host.write(now, id, bytes) {
            Ok(0) => None,
            other => Some(other),
        })?;
        Ok(written.map_err(StreamError::from)?)
    }

    /// What was written is on its way already.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl Write for TcpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream").field("local", &self.inner.local).field("peer", &self.inner.peer).finish()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let id = self.id;
        self.engine.act(|state, now| {
            if let Some(conn) = state.host.connection(id) {
                let rto = conn.status().rto;
                state.rto_max = state.rto_max.max(rto);
            }
            state.host.release(now, id);
        });
    }
}

impl TcpListener {
    /// A listener of an engine that runs.
    pub(crate) const fn of(engine: Arc<Engine>, id: ListenerId, local: SocketAddr) -> Self {
        Self { engine, id, local }
    }

    /// Listens, beside the kernel, on an address of this machine; port 0 takes any free one.
    ///
    /// # Errors
    /// With a [`StreamError`] inside: the port is in use, no `CAP_NET_RAW`.
    pub fn bind(local: SocketAddr) -> io::Result<Self> {
        Self::bind_watched(local, None)
    }

    /// As [`bind`](Self::bind), with each packet shown to `watch`.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub fn bind_watched(local: SocketAddr, watch: Option<Watch>) -> io::Result<Self> {
        let mut wire = RawWire::at(&sys::system(), local)?;
        let id = wire.host.listen(wire.local, Backlog::default()).map_err(StreamError::from)?;
        let waker = Waker::new()?;
        let engine = Engine::start(wire.host, Box::new(wire.sender), Box::new(wire.receiver), watch, waker)?;
        Ok(Self::of(Arc::new(engine), id, wire.local))
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// When the engine's thread has ended.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.accept_until(Instant::NEVER)
    }

    /// As [`accept`](Self::accept), waiting no longer than `timeout`.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut), and as [`accept`](Self::accept).
    pub fn accept_timeout(&self, timeout: Duration) -> io::Result<(TcpStream, SocketAddr)> {
        self.accept_until(self.engine.now() + timeout)
    }

    fn accept_until(&self, deadline: Instant) -> io::Result<(TcpStream, SocketAddr)> {
        let listener = self.id;
        let (id, tuple) = self.engine.wait(deadline, |state, _| {
            let id = state.host.accept(listener)?;
            state.host.four_tuple(id).map(|tuple| (id, tuple))
        })?;
        let inner = Inner {
            engine: self.engine.clone(),
            id,
            local: tuple.local,
            peer: tuple.remote,
            timeouts: Mutex::default(),
        };
        Ok((TcpStream { inner: Arc::new(inner) }, tuple.remote))
    }

    /// Each connection, one after the other, without end.
    pub fn incoming(&self) -> impl Iterator<Item = io::Result<TcpStream>> + '_ {
        core::iter::repeat_with(|| self.accept().map(|(stream, _)| stream))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// None; the result is that of `std::net`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener").field("local", &self.local).finish()
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let id = self.id;
        self.engine.act(|state, now| state.host.unlisten(now, id));
    }
}
