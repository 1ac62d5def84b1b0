//! Names to addresses, each looked up once.

use core::net::IpAddr;
use std::net::ToSocketAddrs;

use wirewright_craft::{Family, Packet, Template};

use crate::error::Error;

/// Which IP versions a person allows: `-4`, `-6`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// Both; the order of the system's resolver decides (RFC 6724).
    #[default]
    Both,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Families {
    /// The address fits.
    #[must_use]
    pub const fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Both => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

/// Something that knows names.
pub trait Names {
    /// The addresses of a name, the best first; empty when it is not known here.
    ///
    /// # Errors
    /// When asking failed, with the resolver's own words.
    fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String>;
}

/// The system's resolver: `/etc/hosts`, DNS, whatever it is told to ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Names for System {
    fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        match (name, 0).to_socket_addrs() {
            Ok(found) => Ok(found.map(|address| address.ip()).collect()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A fixed list, and behind it others: the lab's hosts before the system's resolver.
pub struct Hosts<N = System> {
    hosts: Vec<(String, IpAddr)>,
    behind: N,
}

impl Hosts<System> {
    /// This list before the system's resolver. Shape: one entry an address; a name may have several.
    #[must_use]
    pub fn new(hosts: Vec<(String, IpAddr)>) -> Self {
        Self { hosts, behind: System }
    }
}

impl<N: Names> Hosts<N> {
    /// This list before another source of names.
    #[must_use]
    pub const fn before(hosts: Vec<(String, IpAddr)>, behind: N) -> Self {
        Self { hosts, behind }
    }
}

impl<N: Names> Names for Hosts<N> {
    fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let listed: Vec<_> = self.hosts.iter().filter(|(host, _)| host.eq_ignore_ascii_case(name)).collect();
        if listed.is_empty() {
            return self.behind.addresses(name);
        }
        Ok(listed.into_iter().map(|&(_, address)| address).collect())
    }
}

/// Why a name gave no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nobody knows it.
    Unknown {
        /// The name.
        name: String,
        /// What the resolver said, in its words; empty when it only found nothing.
        said: String,
    },
    /// It has addresses, none of the version that fits.
    OtherFamily {
        /// The name.
        name: String,
        /// An address that it has.
        has: IpAddr,
        /// The versions that fit.
        families: Families,
    },
    /// The packet has a place for one version, or this is an address of it, and the person's wish allows the other alone.
    NotAllowed {
        /// The name.
        name: String,
        /// The version of that place.
        place: Families,
    },
}

/// Replaces the names in a packet by addresses.
///
/// # Errors
/// The first name that gives no address that fits.
pub fn resolve(packet: &mut Packet, names: &dyn Names, allowed: Families) -> Result<(), Error> {
    Ok(packet.resolve(|name, family| look_up(names, name, family, allowed))?)
}

/// Replaces the names in packets written as one by addresses: one question a name, however many packets there are.
///
/// # Errors
/// The first name that gives no address that fits.
pub fn resolve_template(template: &mut Template, names: &dyn Names, allowed: Families) -> Result<(), Error> {
    Ok(template.resolve(|name, family| look_up(names, name, family, allowed))?)
}

/// The best address of a name, or of an address written out, that a person's wish allows.
///
/// # Errors
/// When there is none.
pub fn resolve_name(name: &str, names: &dyn Names, allowed: Families) -> Result<IpAddr, Error> {
    if let Ok(address) = name.parse::<IpAddr>() {
        let place = if address.is_ipv4() { Families::V4 } else { Families::V6 };
        let other = || NameError::NotAllowed { name: name.to_owned(), place };
        return if allowed.allows(address) { Ok(address) } else { Err(other().into()) };
    }
    Ok(look_up(names, name, Family::Either, allowed)?)
}

/// The best address of a name that fits the place and the person's wish.
///
/// # Errors
/// When there is none.
pub(crate) fn look_up(names: &dyn Names, name: &str, place: Family, allowed: Families) -> Result<IpAddr, NameError> {
    let unknown = |said: String| NameError::Unknown { name: name.to_owned(), said };
    let found = names.addresses(name).map_err(unknown)?;
    let place = match place {
        Family::V4 => Families::V4,
        Family::V6 => Families::V6,
        Family::Either => Families::Both,
    };
    let fits = |address: &&IpAddr| allowed.allows(**address) && place.allows(**address);
    match (found.iter().find(fits), found.first()) {
        (Some(&address), _) => Ok(address),
        (None, None) => Err(unknown(String::new())),
        (None, Some(&has)) => {
            if found.iter().any(|address| place.allows(*address)) && ![place, allowed].contains(&Families::Both) {
                return Err(NameError::NotAllowed { name: name.to_owned(), place });
            }
            let families = if place == Families::Both { allowed } else { place };
            Err(NameError::OtherFamily { name: name.to_owned(), has, families })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        let entry = |name: &str, address: &str| (name.to_owned(), address.parse().unwrap());
        Hosts::new(vec![entry("server", "192.0.2.2"), entry("server", "2001:db8::2"), entry("six", "2001:db8::6")])
    }

    #[test]
    fn the_first_address_that_fits_is_taken() {
        let look = |name, place, allowed| look_up(&hosts(), name, place, allowed);
        let address = |text: &str| Ok(text.parse().unwrap());
        assert_eq!(look("server", Family::Either, Families::Both), address("192.0.2.2"));
        assert_eq!(look("SERVER", Family::Either, Families::V6), address("2001:db8::2"));
        assert_eq!(look("server", Family::V6, Families::Both), address("2001:db8::2"));
        let error = look("six", Family::V4, Families::Both).unwrap_err();
        assert!(matches!(error, NameError::OtherFamily { families: Families::V4, .. }));
        let error = look("six", Family::Either, Families::V4).unwrap_err();
        assert!(matches!(error, NameError::OtherFamily { families: Families::V4, .. }));
        let error = look("server", Family::V4, Families::V6).unwrap_err();
        assert_eq!(error, NameError::NotAllowed { name: "server".to_owned(), place: Families::V4 });
        let error = look("six", Family::V4, Families::V6).unwrap_err();
        assert!(matches!(error, NameError::OtherFamily { families: Families::V4, .. }));
    }

    #[test]
    fn a_name_that_nobody_knows_is_said_to_be_so() {
        struct Nobody;
        impl Names for Nobody {
            fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, String> {
                Ok(Vec::new())
            }
        }
        let error = look_up(&Nobody, "nowhere", Family::Either, Families::Both).unwrap_err();
        assert_eq!(error, NameError::Unknown { name: "nowhere".to_owned(), said: String::new() });
    }
}
