//! Socket addresses of the four families, to and from the kernel's bytes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The longest address that is written or read: `struct sockaddr_in6` has 28 bytes.
pub(crate) const ADDRESS_LEN_MAX: usize = 32;

/// An address as the kernel's calls take and give it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Address {
    /// None was given (`AF_UNSPEC`, or a length of 0), or one of another family.
    #[default]
    Unspecified,
    /// `struct sockaddr_in` or `struct sockaddr_in6`. For a raw socket the port is 0.
    Ip(SocketAddr),
    /// `struct sockaddr_ll`.
    Link(LinkAddress),
    /// `struct sockaddr_nl`: the port id (0 is the kernel) and the multicast groups.
    Netlink {
        /// The port id.
        port: u32,
        /// Multicast groups, one bit each.
        groups: u32,
    },
}

/// `struct sockaddr_ll`: an interface and an address on its link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkAddress {
    /// Number of the interface.
    pub interface: u32,
    /// EtherType, in host order.
    pub protocol: u16,
    /// `ARPHRD_*`; filled by the kernel.
    pub hardware: u16,
    /// `PACKET_HOST`, `PACKET_OUTGOING` and so on; filled by the kernel.
    pub kind: u8,
    /// Length of the link address in `bytes`.
    pub len: u8,
    /// The link address.
    pub bytes: [u8; 8],
}

impl Address {
    /// The address of a host, as raw sockets take it: port 0.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        Self::Ip(SocketAddr::new(address, 0))
    }

    /// The IP address and port in it, if it is of that kind.
    #[must_use]
    pub const fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            _ => None,
        }
    }

    /// The kernel's bytes and how many they are.
    pub(crate) fn encode(&self) -> ([u8; ADDRESS_LEN_MAX], usize) {
        let mut out = [0; ADDRESS_LEN_MAX];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            out[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        match self {
            Self::Unspecified => put(&family(libc::AF_UNSPEC)),
            Self::Ip(SocketAddr::V4(a)) => {
                put(&family(libc::AF_INET));
                put(&a.port().to_be_bytes());
                put(&a.ip().octets());
                put(&[0; 8]);
            }
            Self::Ip(SocketAddr::V6(a)) => {
                put(&family(libc::AF_INET6));
                put(&a.port().to_be_bytes());
                put(&a.flowinfo().to_be_bytes());
                put(&a.ip().octets());
                put(&a.scope_id().to_ne_bytes());
            }
            Self::Link(a) => {
                put(&family(libc::AF_PACKET));
                put(&a.protocol.to_be_bytes());
                put(&a.interface.to_ne_bytes());
                put(&a.hardware.to_ne_bytes());
                put(&[a.kind, a.len]);
                put(&a.bytes);
            }
            Self::Netlink { port, groups } => {
                put(&family(libc::AF_NETLINK));
                put(&[0; 2]);
                put(&port.to_ne_bytes());
                put(&groups.to_ne_bytes());
            }
        }
        (out, at)
    }

    /// Reads the kernel's bytes; anything that is too short or of another family is [`Address::Unspecified`].
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        Self::decode_known(bytes).unwrap_or(Self::Unspecified)
    }

    fn decode_known(bytes: &[u8]) -> Option<Self> {
        let family = i32::from(u16::from_ne_bytes(array(bytes, 0)?));
        Some(match family {
            libc::AF_INET => {
                let ip = Ipv4Addr::from(array::<4>(bytes, 4)?);
                Self::Ip(SocketAddrV4::new(ip, u16::from_be_bytes(array(bytes, 2)?)).into())
            }
            libc::AF_INET6 => {
                let ip = Ipv6Addr::from(array::<16>(bytes, 8)?);
                let port = u16::from_be_bytes(array(bytes, 2)?);
                let flow = u32::from_be_bytes(array(bytes, 4)?);
                Self::Ip(SocketAddrV6::new(ip, port, flow, u32::from_ne_bytes(array(bytes, 24)?)).into())
            }
            libc::AF_PACKET => Self::Link(LinkAddress {
                protocol: u16::from_be_bytes(array(bytes, 2)?),
                interface: u32::from_ne_bytes(array(bytes, 4)?),
                hardware: u16::from_ne_bytes(array(bytes, 8)?),
                kind: *bytes.get(10)?,
                len: *bytes.get(11)?,
                bytes: array(bytes, 12).unwrap_or_default(),
            }),
            libc::AF_NETLINK => Self::Netlink {
                port: u32::from_ne_bytes(array(bytes, 4)?),
                groups: u32::from_ne_bytes(array(bytes, 8)?),
            },
            _ => return None,
        })
    }
}

/// The `N` bytes at `at`; `None` past the end.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn family(number: i32) -> [u8; 2] {
    // Address families are below 2^16 by the width of the field they travel in.
    u16::try_from(number).unwrap_or_default().to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_reads_back_what_was_written() {
        let v6: SocketAddr = SocketAddrV6::new("2001:db8::2".parse().unwrap(), 443, 5, 7).into();
        let link = LinkAddress {
            interface: 3,
            protocol: 0x0806,
            hardware: 1,
            kind: 4,
            len: 6,
            bytes: [2, 0, 0, 0, 0, 1, 0, 0],
        };
        for address in [
            Address::Ip("192.0.2.7:80".parse().unwrap()),
            Address::Ip(v6),
            Address::Link(link),
            Address::Netlink { port: 0xdead_beef, groups: 1 },
            Address::Unspecified,
        ] {
            let (bytes, len) = address.encode();
            assert_eq!(Address::decode(&bytes[..len]), address);
        }
    }

    #[test]
    fn the_lengths_are_those_of_the_kernels_structs() {
        assert_eq!(Address::host(Ipv4Addr::LOCALHOST.into()).encode().1, size_of::<libc::sockaddr_in>());
        assert_eq!(Address::host(Ipv6Addr::LOCALHOST.into()).encode().1, size_of::<libc::sockaddr_in6>());
        assert_eq!(Address::Link(LinkAddress::default()).encode().1, size_of::<libc::sockaddr_ll>());
        assert_eq!(Address::Netlink { port: 0, groups: 0 }.encode().1, size_of::<libc::sockaddr_nl>());
    }

    #[test]
    fn short_bytes_are_unspecified() {
        let (bytes, len) = Address::Ip("192.0.2.7:80".parse().unwrap()).encode();
        for cut in 0..8 {
            assert_eq!(Address::decode(&bytes[..cut.min(len)]), Address::Unspecified, "{cut}");
        }
    }
}
