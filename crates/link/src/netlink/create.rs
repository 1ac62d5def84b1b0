//! Interfaces, addresses and routes made: what the lab builds its wires with.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::routes::{family, octets};
pub use super::{Netlink, OperState, Request};
use crate::sys::address::array;
use crate::sys::system;

/// `VETH_INFO_PEER` of linux/veth.h; libc lacks it.
const VETH_INFO_PEER: u16 = 1;

/// `IFA_F_NODAD`: nobody else can have this address, do not ask.
const IFA_F_NODAD: u8 = 0x02;

/// Length of `struct rtnexthop`.
const NEXT_HOP_LEN: usize = 8;

/// A thing that must not exist yet.
const NEW: i32 = libc::NLM_F_CREATE | libc::NLM_F_EXCL;

/// One end of a wire that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// The interface's name, at most 15 bytes.
    pub name: &'a str,
    /// Its number. The two ends of a wire need different ones: the kernel takes a pair with equal numbers for a device without a lower one and puts
    /// off the news of its carrier for up to a second (`linkwatch_urgent_event`).
    pub index: u32,
    /// Its MAC address.
    pub mac: [u8; 6],
}

/// A netlink socket that makes things in the network namespace in which it was opened.
#[derive(Debug)]
pub struct Creator {
    netlink: Netlink,
}

impl Creator {
    /// Opens a socket in the network namespace of the calling thread, in which it stays, and brings `lo` up.
    ///
    /// **Errors**: what the kernel says; `EPERM` without `CAP_NET_ADMIN` in the namespace.
    pub fn open() -> io::Result<Self> {
        let netlink = Netlink::open(system()).map_err(|error| error.errno)?;
        let mut creator = Self { netlink };
        creator.bring_up(1)?;
        Ok(creator)
    }

    /// Makes a wire: `near` in this namespace, `far` in `far_namespace`.
    ///
    /// **Errors**: `EOPNOTSUPP` (a kernel without veth), `EEXIST` (name or number taken), `EPERM`.
    pub fn wire(&mut self, near: End<'_>, far: End<'_>, far_namespace: BorrowedFd<'_>) -> io::Result<()> {
        let mut request = Request::new(libc::RTM_NEWLINK, NEW, &interface(near.index, 0));
        ends(&mut request, near);
        request.nest(libc::IFLA_LINKINFO, |info| {
            info.attribute(libc::IFLA_INFO_KIND, b"veth");
            info.nest(libc::IFLA_INFO_DATA, |data| {
                data.nest(VETH_INFO_PEER, |peer| {
                    peer.raw(&interface(far.index, 0));
                    ends(peer, far);
                    peer.attribute(libc::IFLA_NET_NS_FD, &far_namespace.as_raw_fd().to_ne_bytes());
                });
            });
        });
        self.acknowledged(request)
    }

    /// Brings an interface up.
    ///
    /// **Errors**: `ENODEV`, `EPERM`.
    pub fn bring_up(&mut self, index: u32) -> io::Result<()> {
        let up = libc::IFF_UP.cast_unsigned();
        self.acknowledged(Request::new(libc::RTM_NEWLINK, 0, &interface(index, up)))
    }

    /// Asks for the operational state of an interface. Since Linux 6.8 the question itself makes the kernel work off news about the carrier.
    ///
    /// **Errors**: `ENODEV`.
    pub fn oper_state(&mut self, index: u32) -> io::Result<OperState> {
        let mut state = OperState::Unknown;
        let request = Request::new(libc::RTM_GETLINK, 0, &interface(index, 0));
        self.netlink.ask(request, &mut |reply| {
            let mut attributes = reply.attributes(super::interfaces::LINK_LEN);
            let value = attributes.find(|(kind, _)| *kind == libc::IFLA_OPERSTATE).and_then(|(_, v)| array(v, 0));
            state = value.map_or(state, |[number]| super::interfaces::oper_state(number));
        })?;
        Ok(state)
    }

    /// Gives an interface an address; an IPv6 one without asking whether somebody else has it.
    ///
    /// **Errors**: `EEXIST`, `ENODEV`, `EPERM`; `EACCES` or `EOPNOTSUPP` where IPv6 is switched off.
    pub fn add_address(&mut self, index: u32, address: IpAddr, prefix_len: u8) -> io::Result<()> {
        self.acknowledged(address_request(index, address, prefix_len))
    }

    /// Gives an interface an address that the host never chooses as its source by itself.
    ///
    /// **Errors**: as [`Creator::add_address`].
    pub fn add_spare_address(&mut self, index: u32, address: IpAddr, prefix_len: u8) -> io::Result<()> {
        let mut request = address_request(index, address, prefix_len);
        // struct ifa_cacheinfo: preferred for no time, valid for ever, which is "deprecated" (RFC 4862 §5.5.4); made, changed.
        let lifetimes = [0, u32::MAX, 0, 0].map(u32::to_ne_bytes);
        request.attribute(libc::IFA_CACHEINFO, lifetimes.as_flattened());
        self.acknowledged(request)
    }

    /// Sends what is for `destination`/`prefix_len` to `gateway`.
    ///
    /// **Errors**: `ENETUNREACH` or `EHOSTUNREACH` (nobody knows the gateway), `EEXIST`, `EPERM`.
    pub fn add_route(&mut self, destination: IpAddr, prefix_len: u8, gateway: IpAddr) -> io::Result<()> {
        let mut request = self.route(destination, prefix_len, libc::RTN_UNICAST);
        request.attribute(libc::RTA_GATEWAY, &octets(&gateway));
        self.acknowledged(request)
    }

    /// Sends what is for `destination`/`prefix_len` to `gateways`, each flow to one of them.
    ///
    /// **Errors**: as [`Creator::add_route`]; `EINVAL` without a gateway.
    pub fn add_split_route(
        &mut self,
        destination: IpAddr,
        prefix_len: u8,
        gateways: impl IntoIterator<Item = IpAddr>,
    ) -> io::Result<()> {
        let mut request = self.route(destination, prefix_len, libc::RTN_UNICAST);
        request.nest(libc::RTA_MULTIPATH, |hops| {
            for gateway in gateways {
                let octets = octets(&gateway);
                // struct rtnexthop: its length with the attribute behind it, flags, weight less one, interface (by the gateway).
                let [a, b] = u16::try_from(NEXT_HOP_LEN + 4 + octets.len()).unwrap_or_default().to_ne_bytes();
                hops.raw(&[a, b, 0, 0, 0, 0, 0, 0]).attribute(libc::RTA_GATEWAY, &octets);
            }
        });
        self.acknowledged(request)
    }

    /// Refuses what is for `destination`/`prefix_len`: a `blackhole`, `unreachable` or `prohibit` route.
    ///
    /// **Errors**: `EEXIST`, `EPERM`.
    pub fn refuse_route(&mut self, destination: IpAddr, prefix_len: u8, refusal: super::Refusal) -> io::Result<()> {
        let kind = match refusal {
            super::Refusal::Blackhole => libc::RTN_BLACKHOLE,
            super::Refusal::Prohibit => libc::RTN_PROHIBIT,
            _ => libc::RTN_UNREACHABLE,
        };
        let request = self.route(destination, prefix_len, kind);
        self.acknowledged(request)
    }

    /// Writes a neighbour's link address into the table for good.
    ///
    /// **Errors**: `EEXIST`, `ENODEV`, `EPERM`.
    pub fn add_neighbor(&mut self, index: u32, address: IpAddr, mac: [u8; 6]) -> io::Result<()> {
        let mut fixed = [0; super::neighbors::NEIGHBOR_LEN];
        fixed[0] = family(address);
        fixed[4..8].copy_from_slice(&index.to_ne_bytes());
        fixed[8..10].copy_from_slice(&libc::NUD_PERMANENT.to_ne_bytes());
        let mut request = Request::new(libc::RTM_NEWNEIGH, NEW, &fixed);
        request.attribute(libc::NDA_DST, &octets(&address)).attribute(libc::NDA_LLADDR, &mac);
        self.acknowledged(request)
    }

    fn route(&self, destination: IpAddr, prefix_len: u8, kind: u8) -> Request {
        // struct rtmsg: family, lengths of destination and source, TOS, table, protocol, scope, kind, flags.
        let scope = libc::RT_SCOPE_UNIVERSE;
        let table = libc::RT_TABLE_MAIN;
        let fixed = [family(destination), prefix_len, 0, 0, table, libc::RTPROT_STATIC, scope, kind, 0, 0, 0, 0];
        let mut request = Request::new(libc::RTM_NEWROUTE, NEW, &fixed);
        if prefix_len > 0 {
            request.attribute(libc::RTA_DST, &octets(&destination));
        }
        request
    }

    fn acknowledged(&mut self, request: Request) -> io::Result<()> {
        self.netlink.change(request).map_err(|error| error.errno.into())
    }
}

fn address_request(index: u32, address: IpAddr, prefix_len: u8) -> Request {
    let flags = if address.is_ipv6() { IFA_F_NODAD } else { 0 };
    let [a, b, c, d] = index.to_ne_bytes();
    // struct ifaddrmsg: family, prefix length, flags, scope, interface.
    let fixed = [family(address), prefix_len, flags, 0, a, b, c, d];
    let mut request = Request::new(libc::RTM_NEWADDR, NEW, &fixed);
    request.attribute(libc::IFA_LOCAL, &octets(&address)).attribute(libc::IFA_ADDRESS, &octets(&address));
    request
}

/// Switches an interface on, with this MTU.
pub(crate) fn up_with_mtu(index: u32, mtu: u32) -> Request {
    let mut request = Request::new(libc::RTM_NEWLINK, 0, &interface(index, libc::IFF_UP.cast_unsigned()));
    request.attribute(libc::IFLA_MTU, &mtu.to_ne_bytes());
    request
}

/// Gives a point-to-point interface its address, and says who is at the other end.
pub(crate) fn point_to_point(index: u32, near: IpAddr, far: IpAddr) -> Request {
    let (flags, prefix_len) = if near.is_ipv6() { (IFA_F_NODAD, 128) } else { (0, 32) };
    let [a, b, c, d] = index.to_ne_bytes();
    let mut request = Request::new(libc::RTM_NEWADDR, NEW, &[family(near), prefix_len, flags, 0, a, b, c, d]);
    request.attribute(libc::IFA_LOCAL, &octets(&near)).attribute(libc::IFA_ADDRESS, &octets(&far));
    request
}

/// The name and MAC of one end.
fn ends(request: &mut Request, end: End<'_>) {
    let name: Vec<u8> = end.name.bytes().chain([0]).collect();
    request.attribute(libc::IFLA_IFNAME, &name).attribute(libc::IFLA_ADDRESS, &end.mac);
}

/// `struct ifinfomsg`: family, padding, hardware, number, flags and which of them to change.
fn interface(index: u32, flags: u32) -> [u8; super::interfaces::LINK_LEN] {
    let mut fixed = [0; super::interfaces::LINK_LEN];
    fixed[4..8].copy_from_slice(&index.to_ne_bytes());
    fixed[8..12].copy_from_slice(&flags.to_ne_bytes());
    fixed[12..16].copy_from_slice(&flags.to_ne_bytes());
    fixed
}
