//! The neighbours that the kernel knows: RFC 826 and RFC 4861 §5.1 as a table.

use core::net::IpAddr;

use wirewright_wire::MacAddr;

use super::codec::{Reply, ip};
use super::{Netlink, Request};
use crate::error::OsError;
use crate::sys::address::array;

/// An entry of the kernel's neighbour tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// The interface's number.
    pub interface: u32,
    /// The neighbour's IP address.
    pub address: IpAddr,
    /// Its link address, where known.
    pub mac: Option<MacAddr>,
    /// What is known of it.
    pub state: NeighborState,
    /// It said that it is a router (IPv6).
    pub is_router: bool,
}

/// `NUD_*`: the states of RFC 4861 §7.3.2 and the kernel's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NeighborState {
    /// Just made.
    None,
    /// It was asked and has not answered yet.
    Incomplete,
    /// Its address was confirmed lately.
    Reachable,
    /// Its address is known, but not confirmed lately: good for sending.
    Stale,
    /// It was sent to, and is about to be probed.
    Delay,
    /// It is being probed.
    Probe,
    /// It did not answer.
    Failed,
    /// This link needs no address.
    NoArp,
    /// Written by an administrator.
    Permanent,
    /// Another one, by its bits.
    Other(u16),
}

impl NeighborState {
    /// The link address of this entry can be used now.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Reachable | Self::Stale | Self::Delay | Self::Probe | Self::NoArp | Self::Permanent)
    }
}

/// Length of `struct ndmsg`.
pub(super) const NEIGHBOR_LEN: usize = 12;
/// `NTF_ROUTER`.
const ROUTER: u8 = 0x80;

impl Netlink {
    /// Every neighbour of both families.
    ///
    /// **Errors**: the kernel refuses, or has more than 64 MiB to say.
    pub fn neighbors(&mut self) -> Result<Vec<Neighbor>, OsError> {
        let request = Request::new(libc::RTM_GETNEIGH, 0, &[0; NEIGHBOR_LEN]);
        self.dump(&request, |reply, rows| rows.extend(neighbor(reply)))
    }

    /// The neighbour `address` on an interface, if the kernel knows it.
    ///
    /// **Errors**: as [`Netlink::neighbors`].
    pub fn neighbor(&mut self, interface: u32, address: IpAddr) -> Result<Option<Neighbor>, OsError> {
        let is_it = |n: &Neighbor| n.interface == interface && n.address == address;
        let mut fixed = [0; NEIGHBOR_LEN];
        fixed[0] = super::routes::family(address);
        let mut request = Request::new(libc::RTM_GETNEIGH, 0, &fixed);
        request.attribute(libc::NDA_IFINDEX, &interface.to_ne_bytes());
        let rows = self.dump(&request, |reply, rows| rows.extend(neighbor(reply).filter(is_it)))?;
        Ok(rows.first().copied())
    }
}

fn neighbor(reply: &Reply<'_>) -> Option<Neighbor> {
    if reply.kind != libc::RTM_NEWNEIGH {
        return None;
    }
    let interface = u32::from_ne_bytes(array(reply.body, 4)?);
    let state = state(u16::from_ne_bytes(array(reply.body, 8)?));
    let flags = *reply.body.get(10)?;
    let (mut address, mut mac) = (None, None);
    for (kind, value) in reply.attributes(NEIGHBOR_LEN) {
        match kind {
            libc::NDA_DST => address = ip(value),
            libc::NDA_LLADDR => mac = value.try_into().ok().map(MacAddr),
            _ => {}
        }
    }
    Some(Neighbor { interface, address: address?, mac, state, is_router: flags & ROUTER != 0 })
}

const fn state(bits: u16) -> NeighborState {
    match bits {
        0 => NeighborState::None,
        libc::NUD_INCOMPLETE => NeighborState::Incomplete,
        libc::NUD_REACHABLE => NeighborState::Reachable,
        libc::NUD_STALE => NeighborState::Stale,
        libc::NUD_DELAY => NeighborState::Delay,
        libc::NUD_PROBE => NeighborState::Probe,
        libc::NUD_FAILED => NeighborState::Failed,
        libc::NUD_NOARP => NeighborState::NoArp,
        libc::NUD_PERMANENT => NeighborState::Permanent,
        other => NeighborState::Other(other),
    }
}
