//! Interfaces, addresses and routes made: what the lab builds its wires with.

use std::ffi::CString;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_bindings::rt_addr::{self, Ifaddrmsg};
use netlink_bindings::rt_link::{self, Ifinfomsg};
use netlink_bindings::rt_route::{self, Rtmsg};
use netlink_bindings::traits::{NetlinkRequest, Pusher};
use netlink_bindings::utils;
use netlink_socket2::NetlinkSocket;

/// The attributes of linux/if_link.h and linux/veth.h for which the bindings have no function.
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_NET_NS_FD: u16 = 28;

/// `IFA_F_NODAD`: nobody else can have this address, do not ask.
const IFA_F_NODAD: u8 = 0x02;

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

/// The operational state of an interface (RFC 2863, `IF_OPER_*` of linux/if.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperState {
    /// The driver does not say; loopback stays so for ever.
    Unknown,
    /// It does not carry frames.
    Down,
    /// It carries frames.
    Up,
    /// Any other value.
    Other(u8),
}

/// A netlink socket that makes things in the network namespace in which it was opened.
pub struct Creator {
    socket: NetlinkSocket,
}

impl Creator {
    /// Opens a socket in the network namespace of the calling thread, in which it stays, and brings `lo` up.
    ///
    /// **Errors**: what the kernel says; `EPERM` without `CAP_NET_ADMIN` in the namespace.
    pub fn open() -> io::Result<Self> {
        let mut creator = Self { socket: NetlinkSocket::new() };
        creator.bring_up(1)?;
        Ok(creator)
    }

    /// Makes a wire: `near` in this namespace, `far` in `far_namespace`.
    ///
    /// **Errors**: `EOPNOTSUPP` (a kernel without veth), `EEXIST` (name or number taken), `EPERM`.
    pub fn wire(&mut self, near: End<'_>, far: End<'_>, far_namespace: BorrowedFd<'_>) -> io::Result<()> {
        let header = Ifinfomsg { ifi_index: number(near.index)?, ..Ifinfomsg::new() };
        let mut request = rt_link::Request::new().set_create().set_excl().op_newlink_do(&header);
        let mut link = request
            .encode()
            .push_ifname(&c_name(near.name)?)
            .push_address(&near.mac)
            .nested_linkinfo()
            .push_kind(c"veth");
        let buffer = link.as_vec_mut();
        let data = utils::push_nested_header(buffer, IFLA_INFO_DATA);
        let peer = utils::push_nested_header(buffer, VETH_INFO_PEER);
        let header = Ifinfomsg { ifi_index: number(far.index)?, ..Ifinfomsg::new() };
        buffer.extend_from_slice(header.as_slice());
        push(buffer, IFLA_IFNAME, c_name(far.name)?.as_bytes_with_nul());
        push(buffer, IFLA_ADDRESS, &far.mac);
        push(buffer, IFLA_NET_NS_FD, &far_namespace.as_raw_fd().to_ne_bytes());
        utils::finalize_nested_header(buffer, peer);
        utils::finalize_nested_header(buffer, data);
        drop(link);
        self.acknowledged(&request)
    }

    /// Brings an interface up.
    ///
    /// **Errors**: `ENODEV`, `EPERM`.
    pub fn bring_up(&mut self, index: u32) -> io::Result<()> {
        let up = libc::IFF_UP.cast_unsigned();
        let header = Ifinfomsg { ifi_index: number(index)?, ifi_flags: up, ifi_change: up, ..Ifinfomsg::new() };
        self.acknowledged(&rt_link::Request::new().op_newlink_do(&header))
    }

    /// Asks for the operational state of an interface. Since Linux 6.8 the question itself makes the kernel work off news about the carrier.
    ///
    /// **Errors**: `ENODEV`.
    pub fn oper_state(&mut self, index: u32) -> io::Result<OperState> {
        let header = Ifinfomsg { ifi_index: number(index)?, ..Ifinfomsg::new() };
        let request = rt_link::Request::new().op_getlink_do(&header);
        let mut reply = self.socket.request(&request)?;
        let (_, link) = reply.recv_one()?;
        Ok(match link.get_operstate().unwrap_or(0) {
            0 => OperState::Unknown,
            2 => OperState::Down,
            6 => OperState::Up,
            other => OperState::Other(other),
        })
    }

    /// Gives an interface an address; an IPv6 one without asking whether somebody else has it.
    ///
    /// **Errors**: `EEXIST`, `ENODEV`, `EPERM`; `EACCES` or `EOPNOTSUPP` where IPv6 is switched off.
    pub fn add_address(&mut self, index: u32, address: IpAddr, prefix_len: u8) -> io::Result<()> {
        let header = Ifaddrmsg {
            ifa_family: family(address),
            ifa_prefixlen: prefix_len,
            ifa_flags: if address.is_ipv6() { IFA_F_NODAD } else { 0 },
            ifa_index: index,
            ..Ifaddrmsg::new()
        };
        let mut request = rt_addr::Request::new().set_create().set_excl().op_newaddr_do(&header);
        request.encode().push_local(address).push_address(address);
        self.acknowledged(&request)
    }

    /// Sends what is for `destination`/`prefix_len` to `gateway`.
    ///
    /// **Errors**: `ENETUNREACH` or `EHOSTUNREACH` (nobody knows the gateway), `EEXIST`, `EPERM`.
    pub fn add_route(&mut self, destination: IpAddr, prefix_len: u8, gateway: IpAddr) -> io::Result<()> {
        let header = Rtmsg {
            rtm_family: family(destination),
            rtm_dst_len: prefix_len,
            rtm_table: libc::RT_TABLE_MAIN,
            rtm_protocol: libc::RTPROT_STATIC,
            rtm_scope: libc::RT_SCOPE_UNIVERSE,
            rtm_type: libc::RTN_UNICAST,
            ..Rtmsg::new()
        };
        let mut request = rt_route::Request::new().set_create().set_excl().op_newroute_do(&header);
        if prefix_len == 0 {
            request.encode().push_gateway(gateway);
        } else {
            request.encode().push_dst(destination).push_gateway(gateway);
        }
        self.acknowledged(&request)
    }

    fn acknowledged<R: NetlinkRequest>(&mut self, request: &R) -> io::Result<()> {
        self.socket.request(request)?.recv_ack()?;
        Ok(())
    }
}

fn push(buffer: &mut Vec<u8>, kind: u16, value: &[u8]) {
    // An attribute of ours is a name, a MAC or a number: far below 64 KiB.
    utils::push_header(buffer, kind, u16::try_from(value.len()).unwrap_or(u16::MAX));
    buffer.extend_from_slice(value);
}

fn number(index: u32) -> io::Result<i32> {
    i32::try_from(index).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

fn c_name(name: &str) -> io::Result<CString> {
    CString::new(name).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

fn family(address: IpAddr) -> u8 {
    // Both are below 256: AF_INET is 2, AF_INET6 is 10.
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    u8::try_from(family).unwrap_or(0)
}
