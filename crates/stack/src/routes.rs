//! Where a packet goes first: to its destination on the link, or to a router. The longest prefix decides (RFC 1812 §5.2.4.3).

use alloc::vec::Vec;
use core::net::IpAddr;

/// An address and how many of its bits name the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// Bits of the network, 0 to 32 or 128; more count as all.
    pub len: u8,
}

impl Prefix {
    /// A prefix.
    #[must_use]
    pub const fn new(address: IpAddr, len: u8) -> Self {
        Self { address, len }
    }

    /// The whole of an IP version.
    #[must_use]
    pub const fn default_of(address: IpAddr) -> Self {
        Self { address, len: 0 }
    }

    /// The address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let shift = 32 - u32::from(self.len.min(32));
                (a.to_bits() ^ b.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let shift = 128 - u32::from(self.len.min(128));
                (a.to_bits() ^ b.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destinations it is for.
    pub to: Prefix,
    /// The router; `None` where the destinations are on the link.
    pub gateway: Option<IpAddr>,
}

/// All routes of a host.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    /// The longest prefix first.
    routes: Vec<Route>,
    addresses: Vec<Prefix>,
}

impl Routes {
    pub(crate) fn new(addresses: Vec<Prefix>, further: &[Route]) -> Self {
        let mut routes: Vec<Route> = addresses.iter().map(|&to| Route { to, gateway: None }).collect();
        routes.extend_from_slice(further);
        routes.sort_by_key(|route| core::cmp::Reverse(route.to.len));
        Self { routes, addresses }
    }

    /// The first hop to `destination`; `None` when there is no route.
    pub(crate) fn next_hop(&self, destination: IpAddr) -> Option<IpAddr> {
        let route = self.routes.iter().find(|route| route.to.contains(destination))?;
        Some(route.gateway.unwrap_or(destination))
    }

    /// Whether an address is one of ours.
    pub(crate) fn is_ours(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|prefix| prefix.address == address)
    }

    /// The address of ours that packets to `destination` come from: one on the first hop's network, or any of its version.
    pub(crate) fn source_for(&self, destination: IpAddr) -> Option<IpAddr> {
        let hop = self.next_hop(destination)?;
        let of_version = |prefix: &&Prefix| prefix.address.is_ipv4() == destination.is_ipv4();
        let near = self.addresses.iter().filter(of_version).find(|prefix| prefix.contains(hop));
        near.or_else(|| self.addresses.iter().find(of_version)).map(|prefix| prefix.address)
    }

    /// The first of our addresses of each version.
    pub(crate) fn own(&self, is_ipv4: bool) -> Option<IpAddr> {
        self.addresses.iter().map(|prefix| prefix.address).find(|address| address.is_ipv4() == is_ipv4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_prefix_decides() {
        let routes = Routes::new(
            alloc::vec![Prefix::new(ip("192.0.2.1"), 24), Prefix::new(ip("2001:db8::1"), 64)],
            &[
                Route { to: Prefix::default_of(ip("0.0.0.0")), gateway: Some(ip("192.0.2.254")) },
                Route { to: Prefix::new(ip("198.51.100.0"), 24), gateway: Some(ip("192.0.2.253")) },
            ],
        );
        assert_eq!(routes.next_hop(ip("192.0.2.7")), Some(ip("192.0.2.7")));
        assert_eq!(routes.next_hop(ip("198.51.100.9")), Some(ip("192.0.2.253")));
        assert_eq!(routes.next_hop(ip("203.0.113.1")), Some(ip("192.0.2.254")));
        assert_eq!(routes.next_hop(ip("2001:db8::9")), Some(ip("2001:db8::9")));
        assert_eq!(routes.next_hop(ip("2001:db8:1::9")), None);
        assert_eq!(routes.source_for(ip("203.0.113.1")), Some(ip("192.0.2.1")));
        assert!(routes.is_ours(ip("2001:db8::1")) && !routes.is_ours(ip("192.0.2.2")));
    }

    #[test]
    fn a_prefix_of_no_bits_has_all_and_one_of_all_bits_one() {
        assert!(Prefix::new(ip("::"), 0).contains(ip("2001:db8::1")));
        assert!(!Prefix::new(ip("0.0.0.0"), 0).contains(ip("::1")));
        assert!(Prefix::new(ip("192.0.2.1"), 200).contains(ip("192.0.2.1")));
        assert!(!Prefix::new(ip("192.0.2.1"), 32).contains(ip("192.0.2.0")));
    }
}
