//! The world: a network a host, wires, addresses and routes; with a relay, one of the wires in two pieces.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use wirewright_link::netlink::Refusal;
use wirewright_link::netlink::create::{Creator, End};
use wirewright_link::sys::ethtool::{self, Offload};
use wirewright_link::sys::namespace::{self, Namespace};

use super::ready;
use super::settings;
use crate::map::{CLOSED, Family, Host, Port, SERVER};
use crate::message::Line;
use crate::refusal::{At, Failed, Note, Step};
use crate::relay::{Pump, Relay};
use crate::shape::{Route, Shape};

/// A host's network, with the sockets through which it is made.
pub(crate) struct Network {
    /// The namespace.
    pub(crate) namespace: OwnedFd,
    /// Makes interfaces, addresses and routes in it.
    pub(crate) creator: Creator,
    /// Any socket of it, for requests about its interfaces.
    pub(crate) control: OwnedFd,
}

/// The networks, in the order of [`Shape::hosts`].
pub(crate) struct World {
    pub(crate) shape: Shape,
    pub(crate) networks: Vec<Network>,
    /// The hidden network in which the relay's ends stand.
    pub(crate) relay: Option<Network>,
    pub(crate) notes: Vec<Note>,
    pub(crate) with_v6: bool,
}

impl World {
    /// Makes the world and leaves the calling thread in one of its networks.
    pub(crate) fn make(shape: Shape, offload: bool, with_relay: bool) -> Result<Self, Failed> {
        let mut notes = Vec::new();
        let with_v6 = settings::has_ipv6();
        if !with_v6 {
            notes.push(Note::NoIpv6);
        }
        let networks = shape.hosts().into_iter().map(|host| network(host, &mut notes)).collect::<Result<_, _>>()?;
        let relay = with_relay.then(hidden_network).transpose()?;
        let mut world = Self { shape, networks, relay, notes, with_v6 };
        world.make_wires()?;
        if !offload {
            world.make_wires_honest()?;
        }
        if let Some(relay) = &mut world.relay {
            for end in RELAY_ENDS {
                relay.creator.bring_up(end.index).at(Step::Relay)?;
            }
        }
        for port in shape.ports() {
            world.network(port.host).creator.bring_up(port.index).at(Step::BringUp(port))?;
        }
        ready::wait_for_carriers(&mut world)?;
        world.add_addresses()?;
        world.add_routes()?;
        Ok(world)
    }

    pub(crate) fn network(&mut self, host: Host) -> &mut Network {
        let at = self.shape.hosts().iter().position(|one| *one == host);
        &mut self.networks[at.expect("only hosts of the shape are asked for")]
    }

    /// The families that this world has.
    pub(crate) fn families(&self) -> &'static [Family] {
        if self.with_v6 { &Family::ALL } else { &[Family::V4] }
    }

    fn make_wires(&mut self) -> Result<(), Failed> {
        let cut = self.relay.is_some().then(|| self.shape.relay_wire());
        for wire in self.shape.wires() {
            if cut != Some(wire) {
                self.make_wire(wire[0], wire[1])?;
            }
        }
        let Some((cut, relay)) = cut.zip(self.relay.as_ref()) else { return Ok(()) };
        let hidden = relay.namespace.try_clone().at(Step::Relay)?;
        for (port, relay_end) in cut.into_iter().zip(RELAY_ENDS) {
            let creator = &mut self.network(port.host).creator;
            creator.wire(end(port), relay_end, hidden.as_fd()).at(Step::Wire(port))?;
        }
        Ok(())
    }

    fn make_wire(&mut self, near: &'static Port, far: &'static Port) -> Result<(), Failed> {
        let far_namespace = self.network(far.host).namespace.try_clone().at(Step::Wire(near))?;
        let creator = &mut self.network(near.host).creator;
        creator.wire(end(near), end(far), far_namespace.as_fd()).at(Step::Wire(near))
    }

    /// Opens the sockets of the relay, and a line to it. Moves the calling thread.
    pub(crate) fn open_relay(&self, relay: Relay) -> Result<(Pump, Line), Failed> {
        let hidden = self.relay.as_ref().ok_or_else(|| Failed::late(Step::Relay))?;
        namespace::enter(hidden.namespace.as_fd(), Namespace::Network).at(Step::Relay)?;
        let (here, there) = Line::pair().at(Step::Relay)?;
        let pump = Pump::open(relay, RELAY_ENDS.map(|end| end.index), there);
        Ok((pump.map_err(|error| io::Error::from(error.errno)).at(Step::Relay)?, here))
    }

    /// Lets every frame be on the wire as a peer would see it: cut to size, with its checksums filled in.
    fn make_wires_honest(&mut self) -> Result<(), Failed> {
        for port in self.shape.ports() {
            let control = self.network(port.host).control.as_fd();
            for offload in Offload::ALL {
                ethtool::set_offload(control, port.interface, offload, false).at(Step::Offload(port))?;
            }
        }
        Ok(())
    }

    fn add_addresses(&mut self) -> Result<(), Failed> {
        for &family in self.families() {
            for port in self.shape.ports() {
                let step = Step::Address(port, family);
                let creator = &mut self.network(port.host).creator;
                creator.add_address(port.index, port.address(family), port.prefix_len(family)).at(step)?;
                if family == Family::V6 {
                    creator.add_address(port.index, port.link_local.into(), port.prefix_len(family)).at(step)?;
                }
                if port == SERVER {
                    creator.add_spare_address(port.index, of(CLOSED, family), alone(family)).at(step)?;
                }
            }
        }
        Ok(())
    }

    fn add_routes(&mut self) -> Result<(), Failed> {
        for &family in self.families() {
            for Route { host, net, via } in self.shape.routes() {
                let (to, len) = net.prefix(family);
                let creator = &mut self.network(host).creator;
                let gateways = || via.iter().map(|port| port.address(family));
                let added = match via.as_slice() {
                    [] => creator.refuse_route(to, len, Refusal::Unreachable),
                    [only] => creator.add_route(to, len, only.address(family)),
                    _ => creator.add_split_route(to, len, gateways()),
                };
                added.at(Step::Route(host, family))?;
            }
        }
        Ok(())
    }
}

fn network(host: Host, notes: &mut Vec<Note>) -> Result<Network, Failed> {
    namespace::unshare(Namespace::Network).at(Step::NetworkNamespace(host))?;
    let namespace = namespace::of_this_thread(Namespace::Network).at(Step::NetworkNamespace(host))?;
    settings::apply(host, notes)?;
    let creator = Creator::open().at(Step::Netlink(host))?;
    let control = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    Ok(Network { namespace, creator, control: control.at(Step::Netlink(host))? })
}

/// The relay's ends of the wire, the router's first. Their numbers differ from those of the ports that they are joined to.
pub(super) const RELAY_ENDS: [End<'static>; 2] = [
    End { name: "wire0", index: 6, mac: [0x02, 0, 0, 0, 0, 6] },
    End { name: "wire1", index: 7, mac: [0x02, 0, 0, 0, 0, 7] },
];

/// The network of the relay: it has no address, and its kernel says nothing.
fn hidden_network() -> Result<Network, Failed> {
    namespace::unshare(Namespace::Network).at(Step::Relay)?;
    let namespace = namespace::of_this_thread(Namespace::Network).at(Step::Relay)?;
    settings::silence_ipv6().at(Step::Relay)?;
    let creator = Creator::open().at(Step::Relay)?;
    let control = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    Ok(Network { namespace, creator, control: control.at(Step::Relay)? })
}

fn end(port: &'static Port) -> End<'static> {
    End { name: port.interface, index: port.index, mac: port.mac }
}

fn of((v4, v6): (Ipv4Addr, Ipv6Addr), family: Family) -> IpAddr {
    match family {
        Family::V4 => v4.into(),
        Family::V6 => v6.into(),
    }
}

/// The prefix length of one address alone.
fn alone(family: Family) -> u8 {
    match family {
        Family::V4 => 32,
        Family::V6 => 128,
    }
}
