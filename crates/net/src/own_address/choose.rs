//! Which address of our own, on which interface: named by a person, or drawn from the interface's network.

use core::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use wirewright_link::netlink::{Interface, InterfaceAddress, Netlink, RouteAnswer, RouteQuery};
use wirewright_link::sys::Kernel;
use wirewright_link::{Operation, OsError, PacketSocket};
use wirewright_stack::{Misuse, Prefix, Route};

use super::claim::{self, Hears, ethernet_address};
use crate::tcp_error::StreamError;
use wirewright_hand::MacAddr;

/// How often an address is drawn before the network counts as full.
const DRAWN_MAX: usize = 4;

/// What an address is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Whom it is to talk to; `None`: whoever comes.
    pub(crate) peer: Option<IpAddr>,
    /// The IP version.
    pub(crate) is_ipv4: bool,
    /// The interface, where it is named.
    pub(crate) interface: Option<&'a str>,
    /// The address, where it is named.
    pub(crate) source: Option<IpAddr>,
    /// What is heard there.
    pub(crate) hears: Hears,
}

/// An address that is ours, and what hears and speaks for it.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) socket: PacketSocket,
    pub(crate) interface: Interface,
    pub(crate) mac: MacAddr,
    pub(crate) address: Prefix,
    /// The router towards the peer, where it is not on the link.
    pub(crate) route: Option<Route>,
}

/// Finds a free address and takes it.
///
/// # Errors
/// No such interface, no Ethernet, no network of this version on it, no free address; an address that is named and lies in
/// none of its networks; no `CAP_NET_RAW`.
pub(crate) fn claim_towards(kernel: &Arc<dyn Kernel>, wanted: &Wanted<'_>) -> Result<Claimed, StreamError> {
    let mut netlink = Netlink::open(kernel.clone())?;
    if wanted.source.is_some_and(|source| source.is_ipv4() != wanted.is_ipv4) {
        return Err(StreamError::Misuse(Misuse::OtherVersion));
    }
    let (towards, gateway) = match wanted.peer {
        Some(peer) => way_to(&mut netlink, peer)?,
        None => (None, None),
    };
    let interface = interface(netlink.interfaces()?, wanted, towards)?;
    let mac = ethernet_address(&interface)?;
    // A router of another interface is none of ours.
    let gateway = gateway.filter(|_| towards == Some(interface.index));
    let near = gateway.or(wanted.peer);
    let network = network(&interface, wanted.is_ipv4, [wanted.source, near]);
    let network = network.ok_or_else(|| StreamError::NoFreeAddress { name: interface.name.clone() })?;
    if let Some(address) = wanted.source.filter(|&source| !network.contains(source)) {
        return Err(StreamError::AddressElsewhere { address, name: interface.name });
    }
    if let Some(address) = wanted.source.filter(|&source| is_of_all(network, source)) {
        return Err(StreamError::AddressOfAll { address });
    }
    let tries = if wanted.source.is_some() { 1 } else { DRAWN_MAX };
    let mut taken = None;
    for _ in 0..tries {
        let drawn = || draw(&**kernel, network, &[wanted.peer, gateway]);
        let address = wanted.source.map_or_else(drawn, |source| Ok(Some(source)))?;
        let Some(address) = address else { break };
        match claim::claim(kernel, &interface, mac, &[address], wanted.hears) {
            Ok(socket) => {
                let address = Prefix::new(address, network.len);
                let route = gateway.map(|gateway| Route { to: Prefix::default_of(gateway), gateway: Some(gateway) });
                return Ok(Claimed { socket, interface, mac, address, route });
            }
            Err(error @ StreamError::AddressTaken { .. }) => taken = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(taken.unwrap_or(StreamError::NoFreeAddress { name: interface.name }))
}

/// The interface towards a peer, and the router on it.
fn way_to(netlink: &mut Netlink, peer: IpAddr) -> Result<(Option<u32>, Option<IpAddr>), StreamError> {
    match netlink.route_to(&RouteQuery::to(peer))? {
        RouteAnswer::Via(route) => Ok((Some(route.interface), route.gateway)),
        RouteAnswer::Refused(_) => Err(StreamError::NoRoute { prohibited: false }),
    }
}

/// The interface that is named; the one with the named address's network; the one towards the peer; the first with Ethernet.
fn interface(interfaces: Vec<Interface>, wanted: &Wanted<'_>, towards: Option<u32>) -> Result<Interface, StreamError> {
    if let Some(name) = wanted.interface {
        let named = interfaces.into_iter().find(|it| it.name == name);
        return named.ok_or_else(|| StreamError::NoInterface { name: name.to_owned() });
    }
    let has = |it: &Interface, source| it.addresses.iter().any(|own| prefix_of(own).contains(source));
    let suits = |it: &&Interface| match (wanted.source, towards) {
        (Some(source), _) if interfaces.iter().any(|any| has(any, source)) => has(it, source),
        (_, Some(index)) => it.index == index,
        _ => it.flags.is_up() && ethernet_address(it).is_ok() && network(it, wanted.is_ipv4, [None; 2]).is_some(),
    };
    let found = interfaces.iter().find(suits).cloned();
    found.ok_or(StreamError::NoRoute { prohibited: false })
}

fn prefix_of(own: &InterfaceAddress) -> Prefix {
    Prefix::new(own.address, own.prefix_len)
}

/// The network of an interface's address that one of `near` is in, or its first one with room for hosts.
fn network(interface: &Interface, is_ipv4: bool, near: [Option<IpAddr>; 2]) -> Option<Prefix> {
    let bits = if is_ipv4 { 32 } else { 128 };
    let link_local = |address: IpAddr| matches!(address, IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80);
    let usable = |own: &&InterfaceAddress| {
        own.address.is_ipv4() == is_ipv4 && own.prefix_len + 1 < bits && !link_local(own.address)
    };
    let networks = || interface.addresses.iter().filter(usable).map(prefix_of);
    let with = |near: IpAddr| networks().find(|network| network.contains(near));
    near.into_iter().flatten().find_map(with).or_else(|| networks().next())
}

/// A random host of a network: neither its first and last address, nor one that is known to be another's.
fn draw(kernel: &dyn Kernel, network: Prefix, others: &[Option<IpAddr>]) -> Result<Option<IpAddr>, OsError> {
    for _ in 0..DRAWN_MAX {
        let mut random = [0; 16];
        let drawn = kernel.random(&mut random);
        drawn.map_err(|errno| OsError::new(Operation::AskTables, "getrandom", errno))?;
        let address = host(network, u128::from_ne_bytes(random));
        if address != network.address && !others.contains(&Some(address)) {
            return Ok(Some(address));
        }
    }
    Ok(None)
}

/// Whether an address of a network is no host's: the network's own, its broadcast address, the routers' anycast address.
fn is_of_all(network: Prefix, address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let (address, width) = bits(address);
    let host = address & !(u128::MAX.checked_shl(width - u32::from(network.len)).unwrap_or(0));
    // RFC 3021, RFC 6164: in the smallest networks each address is a host's.
    let is_small = u32::from(network.len) + 1 >= width;
    let all = (1u128 << (width - u32::from(network.len)).min(127)) - 1;
    !is_small && (host == 0 || width == 32 && host == all)
}

/// Host number `number` of a network, counted round.
fn host(network: Prefix, number: u128) -> IpAddr {
    match network.address {
        IpAddr::V4(own) => {
            let room = 32 - u32::from(network.len.min(30));
            let mask = u32::MAX >> (32 - room);
            // The first is the network, the last its broadcast address.
            let number = number % u128::from(mask - 1) + 1;
            IpAddr::V4((own.to_bits() & !mask | u32::try_from(number).unwrap_or(1)).into())
        }
        IpAddr::V6(own) => {
            let mask = u128::MAX.checked_shr(network.len.min(126).into()).unwrap_or(0);
            // The first is the routers' anycast address (RFC 4291 §2.6.1).
            IpAddr::V6(Ipv6Addr::from_bits(own.to_bits() & !mask | (number % (mask - 1) + 1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_and_everybody_on_it_are_no_hosts() {
        let is = |network: Prefix, address: &str| is_of_all(network, address.parse().unwrap());
        let (v4, v6) = (prefix("198.51.100.2", 24), prefix("2001:db8:1::2", 64));
        assert!(is(v4, "198.51.100.0") && is(v4, "198.51.100.255") && is(v6, "2001:db8:1::"));
        assert!(!is(v4, "198.51.100.1") && !is(v4, "198.51.100.254") && !is(v6, "2001:db8:1::1"));
        assert!(!is(prefix("198.51.100.2", 31), "198.51.100.3") && !is(prefix("2001:db8::", 127), "2001:db8::"));
        assert!(!is(v6, "2001:db8:1:0:ffff:ffff:ffff:ffff"));
    }

    fn prefix(address: &str, len: u8) -> Prefix {
        Prefix::new(address.parse().unwrap(), len)
    }

    #[test]
    fn hosts_lie_in_the_network_and_are_neither_its_first_nor_its_last() {
        for (network, first, last) in [
            (prefix("198.51.100.2", 24), "198.51.100.1", "198.51.100.254"),
            (prefix("198.51.100.2", 30), "198.51.100.1", "198.51.100.2"),
            (prefix("2001:db8:1::2", 64), "2001:db8:1::1", "2001:db8:1:0:ffff:ffff:ffff:fffe"),
            (prefix("2001:db8:1::2", 126), "2001:db8:1::1", "2001:db8:1::2"),
        ] {
            let bits: u32 = if network.address.is_ipv4() { 32 } else { 128 };
            let room = (1u128 << (bits - u32::from(network.len))) - 2;
            assert_eq!(host(network, 0), first.parse::<IpAddr>().unwrap());
            assert_eq!(host(network, room - 1), last.parse::<IpAddr>().unwrap());
            assert_eq!(host(network, room), host(network, 0));
            assert!(network.contains(host(network, u128::MAX)));
        }
    }
}
