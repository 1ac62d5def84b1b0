//! The interfaces of this network namespace, with their addresses.

use core::net::IpAddr;

use wirewright_wire::MacAddr;

use super::codec::{Attributes, Reply, ip, text, word};
use super::{Netlink, Request};
use crate::error::OsError;
use crate::sys::address::array;

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its link address, where it has one of six bytes. Loopback's is all zero.
    pub mac: Option<MacAddr>,
    /// The largest IP packet, in bytes.
    pub mtu: u32,
    /// What it is and whether it is up.
    pub flags: InterfaceFlags,
    /// The state that RFC 2863 calls operational.
    pub oper_state: OperState,
    /// `ARPHRD_*`: 1 Ethernet, 772 loopback, 65534 none (TUN).
    pub hardware: u16,
    /// The kind of a virtual interface: `veth`, `tun`, `bridge`.
    pub kind: Option<String>,
    /// The bridge or bond that it belongs to.
    pub master: Option<u32>,
    /// Its addresses, of both families.
    pub addresses: Vec<InterfaceAddress>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The address.
    pub address: IpAddr,
    /// Length of the prefix of its network.
    pub prefix_len: u8,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// The broadcast address of its network.
    pub broadcast: Option<IpAddr>,
    /// It is not proven unique yet (duplicate address detection), and cannot be a source.
    pub is_tentative: bool,
    /// It is no source for new conversations.
    pub is_deprecated: bool,
}

/// `IFF_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceFlags(u32);

impl InterfaceFlags {
    /// The flags with these bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    const fn has(self, flag: i32) -> bool {
        self.0 & flag.cast_unsigned() != 0
    }

    /// Switched on by its administrator.
    #[must_use]
    pub const fn is_up(self) -> bool {
        self.has(libc::IFF_UP)
    }

    /// Resources allocated; it does not prove readiness.
    #[must_use]
    pub const fn is_running(self) -> bool {
        self.has(libc::IFF_RUNNING)
    }

    /// Loopback.
    #[must_use]
    pub const fn is_loopback(self) -> bool {
        self.has(libc::IFF_LOOPBACK)
    }

    /// It has broadcast addresses.
    #[must_use]
    pub const fn is_broadcast(self) -> bool {
        self.has(libc::IFF_BROADCAST)
    }

    /// It has exactly one other end.
    #[must_use]
    pub const fn is_point_to_point(self) -> bool {
        self.has(libc::IFF_POINTOPOINT)
    }

    /// No ARP and no neighbour discovery.
    #[must_use]
    pub const fn is_without_arp(self) -> bool {
        self.has(libc::IFF_NOARP)
    }

    /// It takes frames that are not for it.
    #[must_use]
    pub const fn is_promiscuous(self) -> bool {
        self.has(libc::IFF_PROMISC)
    }
}

/// RFC 2863 ifOperStatus, as the kernel keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OperState {
    /// The driver does not say; loopback and TUN stay so.
    #[default]
    Unknown,
    /// No carrier, or switched off.
    Down,
    /// A layer below it is down.
    LowerLayerDown,
    /// It waits for an event, such as authentication.
    Dormant,
    /// It carries packets.
    Up,
    /// Another one, by its number.
    Other(u8),
}

/// Lengths of the fixed parts: `struct ifinfomsg`, `struct ifaddrmsg`.
pub(super) const LINK_LEN: usize = 16;
const ADDRESS_LEN: usize = 8;

/// Address flags (linux/if_addr.h).
const TENTATIVE: u32 = 0x40;
const DEPRECATED: u32 = 0x20;

impl Netlink {
    /// Every interface, by its number, with its addresses.
    ///
    /// **Errors**: the kernel refuses, or has more than 64 MiB to say.
    pub fn interfaces(&mut self) -> Result<Vec<Interface>, OsError> {
        let links = Request::new(libc::RTM_GETLINK, 0, &[0; LINK_LEN]);
        let mut interfaces = self.dump(&links, |reply, rows| rows.extend(interface(reply)))?;
        let addresses = Request::new(libc::RTM_GETADDR, 0, &[0; ADDRESS_LEN]);
        for (index, row) in self.dump(&addresses, |reply, rows| rows.extend(address(reply)))? {
            if let Some(interface) = interfaces.iter_mut().find(|i| i.index == index) {
                interface.addresses.push(row);
            }
        }
        interfaces.sort_by_key(|i| i.index);
        Ok(interfaces)
    }
}

fn interface(reply: &Reply<'_>) -> Option<Interface> {
    if reply.kind != libc::RTM_NEWLINK {
        return None;
    }
    let mut interface = Interface {
        hardware: u16::from_ne_bytes(array(reply.body, 2)?),
        index: u32::from_ne_bytes(array(reply.body, 4)?),
        flags: InterfaceFlags(u32::from_ne_bytes(array(reply.body, 8)?)),
        name: String::new(),
        mac: None,
        mtu: 0,
        oper_state: OperState::Unknown,
        kind: None,
        master: None,
        addresses: Vec::new(),
    };
    for (kind, value) in reply.attributes(LINK_LEN) {
        match kind {
            libc::IFLA_IFNAME => interface.name = text(value),
            libc::IFLA_ADDRESS => interface.mac = value.try_into().ok().map(MacAddr),
            libc::IFLA_MTU => interface.mtu = word(value)?,
            libc::IFLA_MASTER => interface.master = word(value),
            libc::IFLA_OPERSTATE => interface.oper_state = oper_state(*value.first()?),
            libc::IFLA_LINKINFO => {
                let kind = Attributes::nested(value).find(|(kind, _)| *kind == libc::IFLA_INFO_KIND);
                interface.kind = kind.map(|(_, value)| text(value));
            }
            _ => {}
        }
    }
    Some(interface)
}

pub(super) const fn oper_state(number: u8) -> OperState {
    match number {
        0 => OperState::Unknown,
        2 => OperState::Down,
        3 => OperState::LowerLayerDown,
        5 => OperState::Dormant,
        6 => OperState::Up,
        other => OperState::Other(other),
    }
}

fn address(reply: &Reply<'_>) -> Option<(u32, InterfaceAddress)> {
    if reply.kind != libc::RTM_NEWADDR {
        return None;
    }
    let [_, prefix_len, short_flags, _] = array(reply.body, 0)?;
    let index = u32::from_ne_bytes(array(reply.body, 4)?);
    let (mut local, mut far, mut broadcast) = (None, None, None);
    let mut flags = u32::from(short_flags);
    for (kind, value) in reply.attributes(ADDRESS_LEN) {
        match kind {
            libc::IFA_LOCAL => local = ip(value),
            libc::IFA_ADDRESS => far = ip(value),
            libc::IFA_BROADCAST => broadcast = ip(value),
            libc::IFA_FLAGS => flags = word(value)?,
            _ => {}
        }
    }
    // IFA_ADDRESS is the address itself, but on a point-to-point link it is the other end's and IFA_LOCAL is ours.
    let address = local.or(far)?;
    let row = InterfaceAddress {
        address,
        prefix_len,
        peer: far.filter(|far| *far != address),
        broadcast,
        is_tentative: flags & TENTATIVE != 0,
        is_deprecated: flags & DEPRECATED != 0,
    };
    Some((index, row))
}
