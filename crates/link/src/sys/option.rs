//! The socket options that are set or read, by name: a closed list, all of plain values.
//!
//! Options whose value holds a pointer are not in it; they have a method of their own in [`Kernel`](super::Kernel), which is
//! what makes [`Kernel::set_option`](super::Kernel::set_option) safe.

use core::fmt;

use libc::{IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, SOL_NETLINK, SOL_PACKET, SOL_SOCKET};

/// One socket option. Only this module makes them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SocketOption {
    pub(super) level: i32,
    pub(super) number: i32,
    name: &'static str,
}

impl SocketOption {
    /// Its name as the manual pages write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for SocketOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! options {
    ($($level:ident $name:ident = $number:expr, $doc:literal;)+) => {
        impl SocketOption {
            $(
                #[doc = concat!("`", stringify!($name), "`: ", $doc, ".")]
                pub const $name: Self = Self { level: $level, number: $number, name: stringify!($name) };
            )+
        }
    };
}

// Numbers that libc lacks are from the kernel's uapi headers: linux/in.h, in6.h, icmp.h, icmpv6.h, if_packet.h, tcp.h.
const SOL_RAW: i32 = 255;
const SOL_ICMPV6: i32 = 58;

options! {
    SOL_SOCKET SO_BROADCAST = libc::SO_BROADCAST, "broadcast addresses are allowed";
    SOL_SOCKET SO_BINDTODEVICE = libc::SO_BINDTODEVICE, "name of the only interface used";
    SOL_SOCKET SO_MARK = libc::SO_MARK, "the firewall mark of what is sent";
    SOL_SOCKET SO_RCVBUF = libc::SO_RCVBUF, "room for what arrived, in bytes";
    SOL_SOCKET SO_RCVBUFFORCE = libc::SO_RCVBUFFORCE, "the same beyond the limit of others, with `CAP_NET_ADMIN`";
    SOL_SOCKET SO_SNDBUF = libc::SO_SNDBUF, "room for what is sent, in bytes";
    SOL_SOCKET SO_TIMESTAMPNS = libc::SO_TIMESTAMPNS, "stamp what arrives";
    SOL_SOCKET SO_TIMESTAMPING = libc::SO_TIMESTAMPING, "stamp what arrives and leaves";
    SOL_SOCKET SO_RXQ_OVFL = libc::SO_RXQ_OVFL, "how many were dropped before this one";
    SOL_SOCKET SO_REUSEADDR = libc::SO_REUSEADDR, "a port in TIME-WAIT may be bound";
    SOL_SOCKET SO_PRIORITY = libc::SO_PRIORITY, "the queueing priority of what is sent";
    SOL_SOCKET SO_MEMINFO = libc::SO_MEMINFO, "the memory that it holds, and how many it dropped";
    SOL_SOCKET SO_ERROR = libc::SO_ERROR, "the pending error, which reading clears";
    IPPROTO_IP IP_HDRINCL = libc::IP_HDRINCL, "the packet brings its IPv4 header";
    IPPROTO_IP IP_RECVERR = libc::IP_RECVERR, "errors are reported: a full queue, ICMP";
    IPPROTO_IP IP_NODEFRAG = libc::IP_NODEFRAG, "outgoing fragments are not joined by connection tracking";
    IPPROTO_IP IP_PKTINFO = libc::IP_PKTINFO, "on which interface it arrived";
    IPPROTO_IP IP_MTU_DISCOVER = libc::IP_MTU_DISCOVER, "path MTU discovery";
    IPPROTO_IP IP_MINTTL = libc::IP_MINTTL, "the smallest TTL that is accepted";
    IPPROTO_IPV6 IPV6_HDRINCL = 36, "the packet brings its IPv6 header";
    IPPROTO_IPV6 IPV6_V6ONLY = libc::IPV6_V6ONLY, "no IPv4 on this socket";
    IPPROTO_IPV6 IPV6_RECVERR = libc::IPV6_RECVERR, "errors are reported";
    IPPROTO_IPV6 IPV6_RECVPKTINFO = libc::IPV6_RECVPKTINFO, "destination and interface of what arrived";
    IPPROTO_IPV6 IPV6_RECVHOPLIMIT = libc::IPV6_RECVHOPLIMIT, "hop limit of what arrived";
    IPPROTO_IPV6 IPV6_RECVTCLASS = libc::IPV6_RECVTCLASS, "traffic class of what arrived";
    IPPROTO_IPV6 IPV6_FLOWINFO = libc::IPV6_FLOWINFO, "traffic class and flow label of what arrived";
    IPPROTO_IPV6 IPV6_MTU_DISCOVER = libc::IPV6_MTU_DISCOVER, "path MTU discovery";
    IPPROTO_IPV6 IPV6_MINHOPCOUNT = libc::IPV6_MINHOPCOUNT, "the smallest hop limit that is accepted";
    IPPROTO_TCP TCP_MD5SIG_EXT = libc::TCP_MD5SIG_EXT, "a TCP-MD5 key for a prefix of peers";
    SOL_RAW ICMP_FILTER = 1, "ICMP types that are not wanted";
    SOL_ICMPV6 ICMP6_FILTER = 1, "ICMPv6 types that are not wanted";
    SOL_PACKET PACKET_AUXDATA = libc::PACKET_AUXDATA, "checksum state, lengths, VLAN tag of what arrived";
    SOL_PACKET PACKET_VNET_HDR = libc::PACKET_VNET_HDR, "a virtio-net header before each frame";
    SOL_PACKET PACKET_VERSION = libc::PACKET_VERSION, "how the slots of a ring are laid out";
    SOL_PACKET PACKET_RX_RING = libc::PACKET_RX_RING, "receive through memory shared with the kernel";
    SOL_PACKET PACKET_STATISTICS = libc::PACKET_STATISTICS, "arrived and dropped since it was last read";
    SOL_PACKET PACKET_QDISC_BYPASS = libc::PACKET_QDISC_BYPASS, "send past the queue";
    SOL_PACKET PACKET_ADD_MEMBERSHIP = libc::PACKET_ADD_MEMBERSHIP, "promiscuous mode, or all groups, while the socket lives";
    SOL_PACKET PACKET_IGNORE_OUTGOING = 23, "do not show what leaves";
    SOL_NETLINK NETLINK_EXT_ACK = 11, "errors bring a sentence and the attribute";
    SOL_NETLINK NETLINK_GET_STRICT_CHK = 12, "filters in dumps are obeyed";
}
