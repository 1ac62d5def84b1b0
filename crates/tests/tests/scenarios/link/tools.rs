//! Packets by their words, tables by name, moments from now.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::error::Error;
use std::process::Command;
use std::sync::Arc;

use wirewright_craft::{Context, First, parse, walk};
use wirewright_lab::{Family, Host, PORTS, Port};
use wirewright_link::netlink::{Interface, Netlink};
use wirewright_link::sys::{Kernel, system};
use wirewright_link::{PacketConfig, PacketSocket, RawIpv4, RawIpv6, Received, SenderConfig, SentCopy, SentId, clock};
use wirewright_tests::World;
use wirewright_units::Instant;

pub(crate) type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The port of the client, of the router towards it, and of the server.
pub(crate) const CLIENT: &Port = &PORTS[0];
pub(crate) const ROUTER: &Port = &PORTS[1];
pub(crate) const SERVER: &Port = &PORTS[3];

/// Long enough for two cores that eight others use; nothing waits so long unless it fails.
pub(crate) fn soon() -> Instant {
    after(2000)
}

pub(crate) fn after(millis: u64) -> Instant {
    clock::now() + Duration::from_millis(millis)
}

/// The bytes of a packet in words, sent by the client.
pub(crate) fn bytes(words: &str) -> Fallible<Vec<u8>> {
    let context = Context { source_v4: Some(CLIENT.v4), source_v6: Some(CLIENT.v6), ..Context::default() };
    let packet = parse(words).map_err(|error| format!("{words}: {error}"))?;
    Ok(packet.build(&context).map_err(|error| format!("{words}: {error}"))?.bytes)
}

/// A field of a packet by layer and key.
pub(crate) fn field(packet: &[u8], layer: &str, key: &str) -> Option<u128> {
    let first = if packet.first()? >> 4 == 6 { First::from_word("ip6")? } else { First::from_word("ip")? };
    walk(packet, first).layer(layer)?.value(packet, key)
}

/// A sender of either family.
pub(crate) enum RawIp {
    V4(RawIpv4),
    V6(RawIpv6),
}

impl RawIp {
    pub(crate) fn open(family: Family) -> Fallible<Self> {
        let config = SenderConfig::default();
        Ok(match family {
            Family::V4 => Self::V4(RawIpv4::open(system(), &config)?),
            Family::V6 => Self::V6(RawIpv6::open(system(), &config)?),
        })
    }

    pub(crate) fn send(&mut self, packet: &[u8], to: IpAddr) -> Fallible<SentId> {
        Ok(match (self, to) {
            (Self::V4(sender), IpAddr::V4(to)) => sender.send(packet, to)?,
            (Self::V6(sender), IpAddr::V6(to)) => sender.send(packet, to, 0)?,
            _ => return Err("the families of sender and address differ".into()),
        })
    }

    pub(crate) fn copy(&mut self, id: SentId) -> Fallible<SentCopy> {
        let copy = match self {
            Self::V4(sender) => sender.read_back(id, soon())?,
            Self::V6(sender) => sender.read_back(id, soon())?,
        };
        copy.ok_or_else(|| "nothing was read back".into())
    }
}

pub(crate) fn interface(name: &str) -> Fallible<Interface> {
    let interfaces = Netlink::open(system())?.interfaces()?;
    interfaces.into_iter().find(|i| i.name == name).ok_or_else(|| format!("no interface {name}").into())
}

/// A packet socket of a host's port, to be used from anywhere.
pub(crate) fn tap(world: &World, port: &Port, config: &PacketConfig) -> Fallible<PacketSocket> {
    world.lab().on(port.host, || Ok(PacketSocket::open(system(), &interface(port.interface)?, config)?))?
}

/// The first frame that `take` takes something from.
pub(crate) fn seen<T>(tap: &mut PacketSocket, mut take: impl FnMut(&Received<'_>) -> Option<T>) -> Fallible<T> {
    let deadline = soon();
    while let Some(received) = tap.recv(deadline)? {
        if let Some(taken) = take(&received) {
            return Ok(taken);
        }
    }
    Err("the frame did not come".into())
}

/// Runs a program of this machine on a host, and expects it to succeed.
pub(crate) fn run(world: &World, host: Host, words: &str) -> Fallible<()> {
    let mut words = words.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let status = world.lab().run(host, command)?;
    if status.success() { Ok(()) } else { Err(format!("{status}").into()) }
}

pub(crate) fn kernel() -> Arc<dyn Kernel> {
    system()
}

pub(crate) fn socket_address(port: &Port, family: Family, number: u16) -> SocketAddr {
    SocketAddr::new(port.address(family), number)
}
