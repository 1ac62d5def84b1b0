//! Why bytes could not be read: layer, byte, need, have, and what set the limit.

use core::fmt;

/// The layer that a parser was reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// Ethernet II.
    Ethernet,
    /// IEEE 802.1Q tag.
    Vlan,
    /// ARP.
    Arp,
    /// IPv4.
    Ipv4,
    /// An IPv4 option.
    Ipv4Option,
    /// IPv6.
    Ipv6,
    /// An IPv6 extension header.
    Ipv6Extension,
    /// ICMPv4.
    Icmpv4,
    /// ICMPv6.
    Icmpv6,
    /// A neighbour discovery option.
    NdpOption,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// A TCP option.
    TcpOption,
}

impl Layer {
    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ethernet => "Ethernet",
            Self::Vlan => "802.1Q",
            Self::Arp => "ARP",
            Self::Ipv4 => "IPv4",
            Self::Ipv4Option => "IPv4 option",
            Self::Ipv6 => "IPv6",
            Self::Ipv6Extension => "IPv6 extension header",
            Self::Icmpv4 => "ICMPv4",
            Self::Icmpv6 => "ICMPv6",
            Self::NdpOption => "neighbour discovery option",
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::TcpOption => "TCP option",
        }
    }
}

/// What set the limit that a parser ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitedBy {
    /// The bytes simply end.
    Bytes,
    /// A length field of the header itself (IHL, data offset, option length).
    OwnLength,
    /// A length field of the layer below (IPv4 total length, IPv6 payload length).
    LowerLength,
    /// The protocol: a value that the header may not have.
    Rule,
    /// A named limit of ours: `need` is the limit, `have` what went beyond it.
    Limit,
}

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The layer being read.
    pub layer: Layer,
    /// The offending byte, counted from the start of that layer.
    pub offset: usize,
    /// How many bytes were needed (for [`LimitedBy::Rule`] the value wanted, for [`LimitedBy::Limit`] the limit).
    pub need: usize,
    /// How many there were (or which value).
    pub have: usize,
    /// What set the limit.
    pub limited_by: LimitedBy,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, offset, need, have, limited_by } = *self;
        let title = layer.title();
        match limited_by {
            LimitedBy::Bytes => write!(f, "{title} at byte {offset}: needs {need} bytes, {have} are there"),
            LimitedBy::OwnLength => {
                write!(f, "{title} at byte {offset}: needs {need} bytes, its own length field allows {have}")
            }
            LimitedBy::LowerLength => {
                write!(f, "{title} at byte {offset}: needs {need} bytes, the length in the layer below allows {have}")
            }
            LimitedBy::Limit => write!(f, "{title} at byte {offset}: more than {need} are not followed"),
            LimitedBy::Rule => {
                write!(f, "{title} at byte {offset}: the value {have} is not allowed here, {need} is needed")
            }
        }
    }
}

impl core::error::Error for ParseError {}
