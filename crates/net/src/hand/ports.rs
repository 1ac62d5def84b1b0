//! Source ports: reserved, free, and guarded against our own kernel.

use core::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use wirewright_craft::Setting;
use wirewright_hand::probes::ProbeId;
use wirewright_hand::{Need, Transport};
use wirewright_link::sys::Kernel;
use wirewright_link::{Guard, GuardError, OsError, Rung, descriptors};

use super::prepare::Prepared;
use crate::error::Error;
use crate::guard_wish::GuardWish;

/// How a packet's source port is held.
#[derive(Clone, Debug)]
pub enum Guarding {
    /// The port is reserved, and the kernel is silent about it.
    Held {
        /// The address and port; port 0 for a whole address of our own.
        local: SocketAddr,
        /// How.
        rung: Rung,
    },
    /// By the guard of the probe that this packet belongs to.
    OfProbe(ProbeId),
    /// There is none.
    Without(NoGuard),
}

/// Why there is no guard.
#[derive(Clone, Debug)]
pub enum NoGuard {
    /// Nothing would be answered by our kernel: no port, a foreign source, or a reset.
    NotNeeded,
    /// It was asked to be left off.
    Off,
    /// None could stand: our own kernel may answer what comes back.
    Failed(GuardError),
}

impl Guarding {
    pub(super) const fn of_probe(probe: ProbeId) -> Self {
        Self::OfProbe(probe)
    }
}

/// The most guards of a session; the oldest is released for a new one. Twice the probes that `ww ask` has in flight together.
const GUARDS_MAX: usize = 4096;

/// The part of a process's descriptors that guards may take: a half. It has 1,024 unless told otherwise.
const OF_DESCRIPTORS: u64 = 2;

/// The guards of a session.
#[derive(Debug)]
pub(super) struct Ports {
    kernel: Arc<dyn Kernel>,
    /// Oldest first.
    guards: VecDeque<(Transport, SocketAddr, Guard)>,
    /// Which of them are held: a probe of many looks here, not through all.
    held: BTreeMap<(bool, SocketAddr), Rung>,
}

impl Ports {
    pub(super) const fn new(kernel: Arc<dyn Kernel>) -> Self {
        Self { kernel, guards: VecDeque::new(), held: BTreeMap::new() }
    }

    /// Holds the source port that the plan wants guarded. A port that was not set becomes one that is free and reserved.
    ///
    /// # Errors
    /// When the port is in use, or may not be used; when the rung that is wished for does not stand. That none stands is no
    /// error: it is told.
    pub(super) fn hold(&mut self, prepared: &mut Prepared, on: bool, wish: &GuardWish) -> Result<Guarding, Error> {
        let need = prepared.plan.needs.iter().find_map(|need| match *need {
            Need::Guard { transport, address, port } => Some((transport, address, port)),
            Need::Resolve(_) => None,
        });
        let Some((transport, address, port)) = need else { return Ok(Guarding::Without(NoGuard::NotNeeded)) };
        if !on {
            return Ok(Guarding::Without(NoGuard::Off));
        }
        // Answers through a tunnel come to its own port, not to the one that this leaves by.
        let tunnel = prepared.packet.layers.iter().any(|layer| layer.desc().carries.is_some());
        let chosen_by_us = !tunnel && port_is_unset(prepared, transport);
        if port == 0 && !chosen_by_us {
            // A set port 0 cannot be reserved: the kernel reads it as "any".
            return Ok(Guarding::Without(NoGuard::NotNeeded));
        }
        let local = socket_address(address, if chosen_by_us { 0 } else { port }, prepared.plan.interface.index);
        if let Some(rung) = self.held.get(&(transport == Transport::Tcp, local)) {
            return Ok(Guarding::Held { local, rung: *rung });
        }
        let opened = match transport {
            Transport::Tcp => wish.tcp(&self.kernel, local),
            Transport::Udp => Guard::udp(&self.kernel, local),
        };
        let guard = match opened {
            Ok(guard) => guard,
            // A tunnel of this machine holds it, and takes what comes.
            Err(GuardError::Port(_)) if tunnel => return Ok(Guarding::Without(NoGuard::NotNeeded)),
            Err(GuardError::Port(error)) => return Err(Error::Os(error)),
            Err(error) if wish.rung.is_some() => return Err(Error::Guard(error)),
            Err(error) => return Ok(Guarding::Without(NoGuard::Failed(error))),
        };
        let (local, rung) = (guard.local(), guard.rung());
        self.make_room();
        self.held.insert((transport == Transport::Tcp, local), rung);
        self.guards.push_back((transport, local, guard));
        if chosen_by_us {
            prepared.with_port(local.port())?;
        }
        Ok(Guarding::Held { local, rung })
    }
}

impl Ports {
    /// Releases the oldest guards where there are as many as may be.
    fn make_room(&mut self) {
        let may = usize::try_from(descriptors() / OF_DESCRIPTORS).unwrap_or(usize::MAX).min(GUARDS_MAX);
        while self.guards.len() >= may.max(1) {
            let Some((transport, local, _guard)) = self.guards.pop_front() else { return };
            self.held.remove(&(transport == Transport::Tcp, local));
        }
    }
}

/// Whether the person left the source port to us.
fn port_is_unset(prepared: &Prepared, transport: Transport) -> bool {
    let key = match transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    let packet = &prepared.packet;
    let Some(at) = packet.layers.iter().position(|layer| layer.key() == key) else { return false };
    packet.layers[at].get("sport") == Some(Setting::Auto) && packet.port_of_message(at).is_none()
}

/// A link-local address means nothing without its link.
fn socket_address(address: IpAddr, port: u16, interface: u32) -> SocketAddr {
    match address {
        IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80 => SocketAddrV6::new(v6, port, 0, interface).into(),
        _ => SocketAddr::new(address, port),
    }
}

impl NoGuard {
    /// The first thing that the kernel refused.
    #[must_use]
    pub fn os_error(&self) -> Option<&OsError> {
        match self {
            Self::Failed(GuardError::Unavailable { tried }) => tried.first().map(|(_, error)| error),
            _ => None,
        }
    }
}
