//! Both ends in this process, without any network.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use wirewright_stack::{Backlog, Host, HostConfig, Link, Offload, Ownership, Prefix, Secret};
use wirewright_tcp::Config;

use crate::blocking::{TcpListener, TcpStream};
use crate::breaker::Breaker;
use crate::driver::{Engine, Receiver, Waker, Watch};
use crate::memory_wire::{MemoryEnd, memory};
use crate::tcp_error::StreamError;

/// Two ends in this process, our TCP against our TCP, without any network: a listener on `server`, and what connects to it.
/// For tests, and for machines that allow nothing else.
pub struct InProcess {
    client: Arc<Engine>,
    server: SocketAddr,
    own: IpAddr,
}

impl InProcess {
    /// Both ends. The addresses are of one version, and nobody outside sees them.
    ///
    /// # Errors
    /// When there are no more descriptors or threads, or the port is 0.
    pub fn pair(client: IpAddr, server: SocketAddr, secrets: [[u8; 32]; 2]) -> io::Result<(Self, TcpListener)> {
        Self::pair_watched(client, server, secrets, None)
    }

    /// As [`pair`](Self::pair), with each packet that the client sends or receives shown to `watch`.
    ///
    /// # Errors
    /// As [`pair`](Self::pair).
    pub fn pair_watched(
        client: IpAddr,
        server: SocketAddr,
        secrets: [[u8; 32]; 2],
        watch: Option<Watch>,
    ) -> io::Result<(Self, TcpListener)> {
        Self::pair_over(client, server, secrets, watch, |receiver| Box::new(receiver))
    }

    /// As [`pair`](Self::pair), with something between the wire and the client.
    fn pair_over(
        client: IpAddr,
        server: SocketAddr,
        secrets: [[u8; 32]; 2],
        watch: Option<Watch>,
        between: fn(MemoryEnd) -> Box<dyn Receiver>,
    ) -> io::Result<(Self, TcpListener)> {
        let [of_client, of_server] = secrets;
        let mut listening = host_in_process(server.ip(), of_server);
        let id = listening.listen(server, Backlog::default()).map_err(StreamError::from)?;
        let wakers = [Waker::new()?, Waker::new()?];
        let [(down_a, up_a), (down_b, up_b)] = memory([&wakers[0].0, &wakers[1].0]);
        let [waker_a, waker_b] = wakers;
        let a = Engine::start(host_in_process(client, of_client), Box::new(down_a), between(up_a), watch, waker_a)?;
        let b = Engine::start(listening, Box::new(down_b), Box::new(up_b), None, waker_b)?;
        let listener = TcpListener::of(Arc::new(b), id, server);
        Ok((Self { client: Arc::new(a), server, own: client }, listener))
    }

    /// Connects to the listener of the pair.
    ///
    /// # Errors
    /// As [`TcpStream::connect`].
    pub fn connect(&self, timeout: Duration) -> io::Result<TcpStream> {
        self.connect_breakable(timeout, &Breaker::new())
    }

    /// As [`connect`](Self::connect), and `breaker` can end it from now on.
    ///
    /// # Errors
    /// As [`TcpStream::connect_breakable`].
    pub fn connect_breakable(&self, timeout: Duration, breaker: &Breaker) -> io::Result<TcpStream> {
        self.connect_to(self.server, timeout, breaker)
    }

    /// As [`connect_breakable`](Self::connect_breakable), to any address and port: who does not listen refuses, and who is
    /// not there is silent.
    ///
    /// # Errors
    /// As [`TcpStream::connect_breakable`].
    pub fn connect_to(&self, peer: SocketAddr, timeout: Duration, breaker: &Breaker) -> io::Result<TcpStream> {
        let local = SocketAddr::new(self.own, 0);
        Ok(TcpStream::open(self.client.clone(), local, peer, timeout, breaker)?)
    }
}

/// A host that owns one address of a network in this process, to which everybody else is a neighbour.
pub(crate) fn host_in_process(address: IpAddr, secret: [u8; 32]) -> Host {
    Host::new(&HostConfig {
        addresses: vec![Prefix::new(address, 0)],
        routes: Vec::new(),
        link: Link::Ip,
        mtu: 1500,
        offload: Offload::default(),
        ownership: Ownership::Own,
        tcp_v4: Arc::new(Config::IPV4),
        tcp_v6: Arc::new(Config::IPV6),
        secret: Secret(secret),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::BorrowedFd;

    use wirewright_link::{OsError, clock};
    use wirewright_units::Instant;

    use super::*;
    use crate::driver::{QUIET_AFTER_LATE, Take};

    const SOON: Duration = Duration::from_secs(10);

    /// Whatever it hands over came long ago.
    struct Late(MemoryEnd);

    impl Receiver for Late {
        fn receive(&mut self, take: Take<'_>) -> Result<usize, OsError> {
            self.0.receive(&mut |_, frame| take(Some(Instant::ORIGIN), frame))
        }

        fn sources(&self) -> Vec<BorrowedFd<'_>> {
            self.0.sources()
        }
    }

    /// How long the client's engine stays when its peer has closed first.
    fn stays(between: fn(MemoryEnd) -> Box<dyn Receiver>) -> Duration {
        let server = "192.0.2.2:7".parse().unwrap();
        let client = "192.0.2.1".parse().unwrap();
        let (network, listener) = InProcess::pair_over(client, server, [[1; 32], [2; 32]], None, between).unwrap();
        let stream = network.connect(SOON).unwrap();
        drop(listener.accept_timeout(SOON).unwrap());
        assert_eq!((&stream).read(&mut [0; 8]).unwrap(), 0);
        let begun = clock::now();
        drop((stream, network));
        clock::now().since(begun)
    }

    #[test]
    fn the_port_stays_quiet_where_an_answer_was_late_and_only_there() {
        assert!(stays(|receiver| Box::new(Late(receiver))) >= QUIET_AFTER_LATE);
        // The shortest of some: a machine that is busy makes one long.
        let shortest = (0..10).map(|_| stays(|receiver| Box::new(receiver))).min();
        assert!(shortest < Some(QUIET_AFTER_LATE), "{shortest:?}");
    }
}
