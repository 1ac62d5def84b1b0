//! The kinds of sockets: what each sees, what it knows of checksums, whether headers are there, what closing it costs.
//!
//! Figures are of Linux 6.18 on two cores (docs/decisions and the project's table of kernel facts).

/// A kind of socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketKind {
    /// `AF_INET`, `SOCK_RAW`, `IPPROTO_RAW`.
    RawIpv4Sender,
    /// `AF_INET`, `SOCK_RAW` of one protocol.
    RawIpv4Receiver,
    /// `AF_INET6`, `SOCK_RAW`, `IPPROTO_RAW`.
    RawIpv6Sender,
    /// `AF_INET6`, `SOCK_RAW` of one protocol.
    RawIpv6Receiver,
    /// `AF_PACKET`, `SOCK_RAW`.
    Packet,
    /// `/dev/net/tun`: what comes in is what the kernel sends there. Closing it removes the device.
    Tun,
}

/// What a received frame's headers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// Nothing is received.
    None,
    /// From the link header.
    Link,
    /// From the IP header; fragments are joined.
    Ip,
    /// From what follows the IP header; ours is rebuilt.
    Transport,
}

/// What a socket kind knows of checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumKnowledge {
    /// Nothing is received.
    None,
    /// Nothing: [`Checksum::MaybePartial`](crate::Checksum::MaybePartial).
    Nothing,
    /// Each frame says whether its sum is verified, partial or to be checked.
    PerFrame,
}

/// What closing a socket costs the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosingCost {
    /// Microseconds.
    Nothing,
    /// A wait for a grace period of the kernel, 10 ms and more: a short-lived command opens at most one.
    GracePeriod,
}

/// A row of the table [`KINDS`].
#[derive(Clone, Copy, Debug)]
pub struct SocketKindDesc {
    /// The kind.
    pub kind: SocketKind,
    /// It can send.
    pub sends: bool,
    /// It sees what arrives.
    pub sees_incoming: bool,
    /// It sees what this host sends (by any socket).
    pub sees_outgoing: bool,
    /// What its frames begin with.
    pub headers: Headers,
    /// What it knows of checksums.
    pub checksum: ChecksumKnowledge,
    /// What closing it costs.
    pub closing: ClosingCost,
}

const fn row(kind: SocketKind, sends: bool, sees: (bool, bool), headers: Headers) -> SocketKindDesc {
    let checksum = match headers {
        Headers::None => ChecksumKnowledge::None,
        Headers::Link => ChecksumKnowledge::PerFrame,
        Headers::Ip | Headers::Transport => ChecksumKnowledge::Nothing,
    };
    let closing = if matches!(headers, Headers::Link) { ClosingCost::GracePeriod } else { ClosingCost::Nothing };
    SocketKindDesc { kind, sends, sees_incoming: sees.0, sees_outgoing: sees.1, headers, checksum, closing }
}

/// A TUN device: with `IFF_VNET_HDR` each packet says what is known of its sum.
const TUN: SocketKindDesc = SocketKindDesc {
    checksum: ChecksumKnowledge::PerFrame,
    closing: ClosingCost::GracePeriod,
    ..row(SocketKind::Tun, true, (true, false), Headers::Ip)
};

/// Every kind of socket. On loopback what is sent also arrives, so that a raw receiver sees it too.
pub const KINDS: &[SocketKindDesc] = &[
    row(SocketKind::RawIpv4Sender, true, (false, false), Headers::None),
    row(SocketKind::RawIpv4Receiver, false, (true, false), Headers::Ip),
    row(SocketKind::RawIpv6Sender, true, (false, false), Headers::None),
    row(SocketKind::RawIpv6Receiver, false, (true, false), Headers::Transport),
    row(SocketKind::Packet, true, (true, true), Headers::Link),
    TUN,
];

impl SocketKind {
    /// Its row in the table.
    #[must_use]
    pub fn desc(self) -> &'static SocketKindDesc {
        KINDS.iter().find(|row| row.kind == self).unwrap_or(&KINDS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_row() {
        for row in KINDS {
            assert_eq!(row.kind.desc().kind, row.kind);
        }
        assert_eq!(SocketKind::Packet.desc().closing, ClosingCost::GracePeriod);
    }
}
