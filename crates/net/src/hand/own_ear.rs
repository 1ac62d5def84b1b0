//! Addresses of our own, for as long as a session or a conversation by hand lasts: who asks for one is answered, what comes to
//! it is heard.

use core::net::IpAddr;
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use wirewright_craft::{Packet, Setting};
use wirewright_hand::MacAddr;
use wirewright_link::sys::Kernel;
use wirewright_link::{PacketSocket, Transmit};
use wirewright_stack::{Misuse, answer_for};
use wirewright_units::Instant;

use super::Options;
use super::listen::Heard;
use crate::error::Error;
use crate::own_address::{Claimed, Hears, Wanted, claim_towards};
use crate::tcp_error::StreamError;

/// Hears for an address of our own.
#[derive(Debug)]
pub(super) struct OwnEar {
    socket: PacketSocket,
    mac: MacAddr,
    address: IpAddr,
    /// The index of its interface.
    interface: u32,
}

impl OwnEar {
    /// Takes an address towards `peer`, or for whoever comes.
    ///
    /// # Errors
    /// No interface with Ethernet, no free address, no `CAP_NET_RAW`.
    pub(super) fn open(
        kernel: &Arc<dyn Kernel>,
        options: &Options,
        (peer, source): (Option<IpAddr>, Option<IpAddr>),
        is_ipv4: bool,
    ) -> Result<Self, Error> {
        let interface = options.interface.as_deref();
        let wanted = Wanted { peer, is_ipv4, interface, source, hears: Hears::Packets };
        let claimed = claim_towards(kernel, &wanted).map_err(|error| Error::OwnAddress(Box::new(error)))?;
        let Claimed { socket, mac, address, interface, .. } = claimed;
        Ok(Self { socket, mac, address: address.address, interface: interface.index })
    }

    /// The address.
    pub(super) const fn address(&self) -> IpAddr {
        self.address
    }

    /// The next frame that came to it. Questions who has the address are answered on the way.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn hear(&mut self) -> Result<Option<Heard>, Error> {
        let (mac, address) = (self.mac, self.address);
        loop {
            // Not `try_recv`: the copies of our answers to neighbours would end every sleep at once.
            let Some(received) = self.socket.recv(Instant::ORIGIN)? else { return Ok(None) };
            let Some(answer) = answer_for(received.bytes, mac, |asked| asked == address) else {
                if let Some(heard) = Heard::new(&received) {
                    return Ok(Some(heard));
                }
                continue;
            };
            self.socket.send(&Transmit::packet(&answer))?;
        }
    }
}

impl AsFd for OwnEar {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The most addresses of a session: each costs a socket, and a quarter of a second in which the link is asked who has it. The
/// oldest is given up for a new one.
const EARS_MAX: usize = 16;

/// The addresses of our own that a session has taken.
#[derive(Debug, Default)]
pub(super) struct OwnEars {
    /// Oldest first.
    ears: VecDeque<OwnEar>,
}

impl OwnEars {
    /// The address from which a packet to `peer` comes: `named`, or one that is free on the interface with this index. It is
    /// taken, unless it is ours already.
    ///
    /// # Errors
    /// As [`OwnEar::open`].
    pub(super) fn towards(
        &mut self,
        (kernel, options): (&Arc<dyn Kernel>, &Options),
        (peer, interface): (IpAddr, Option<u32>),
        named: Option<IpAddr>,
    ) -> Result<IpAddr, Error> {
        let suits = |ear: &&OwnEar| match named {
            Some(named) => ear.address == named,
            None => interface == Some(ear.interface) && ear.address.is_ipv4() == peer.is_ipv4(),
        };
        if let Some(ear) = self.ears.iter().find(suits) {
            return Ok(ear.address);
        }
        let ear = OwnEar::open(kernel, options, (Some(peer), named), peer.is_ipv4())?;
        let address = ear.address;
        if self.ears.len() == EARS_MAX {
            self.ears.pop_front();
        }
        self.ears.push_back(ear);
        Ok(address)
    }

    /// The next frame that came to one of them.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn hear(&mut self) -> Result<Option<Heard>, Error> {
        for ear in &mut self.ears {
            if let Some(heard) = ear.hear()? {
                return Ok(Some(heard));
            }
        }
        Ok(None)
    }

    /// Their descriptors.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.ears.iter().map(AsFd::as_fd)
    }
}

/// The source address that a packet names, in its outermost layer that has one: IP, or ARP's sender.
pub(super) fn source(packet: &Packet) -> Option<IpAddr> {
    packet.layers.iter().find_map(|layer| match (layer.key(), layer.get(source_key(layer.key())?)?) {
        ("ip6", Setting::Exactly(bits)) => Some(IpAddr::V6(bits.into())),
        (_, Setting::Exactly(bits)) => u32::try_from(bits).ok().map(|bits| IpAddr::V4(bits.into())),
        _ => None,
    })
}

/// Sets the source address of a packet's outermost layer that has one, unless it is set.
///
/// # Errors
/// That layer is of the other IP version.
pub(super) fn set_source(packet: &mut Packet, source: IpAddr) -> Result<(), Error> {
    let outermost = packet.layers.iter_mut().find_map(|layer| source_key(layer.key()).map(|key| (layer, key)));
    let Some((layer, key)) = outermost else { return Ok(()) };
    if layer.get(key) != Some(Setting::Auto) {
        return Ok(());
    }
    if source.is_ipv6() != (layer.key() == "ip6") {
        return Err(Error::OwnAddress(Box::new(StreamError::Misuse(Misuse::OtherVersion))));
    }
    layer.set(
        key,
        Setting::Exactly(match source {
            IpAddr::V4(v4) => v4.to_bits().into(),
            IpAddr::V6(v6) => v6.to_bits(),
        }),
    );
    Ok(())
}

/// The key of a layer's source address, where it has one.
fn source_key(layer: &str) -> Option<&'static str> {
    match layer {
        "ip" | "ip6" => Some("src"),
        "arp" => Some("spa"),
        _ => None,
    }
}
