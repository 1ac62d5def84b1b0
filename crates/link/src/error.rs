//! What went wrong at the operating system: the call, its errno, where, and the kind of the next step.
//!
//! One errno means different things in different calls (EPERM from `socket` is a missing capability, from `sendto` a
//! firewall), so the meaning is a table over both.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use crate::sys::Errno;

/// A failure of the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsError {
    /// What was attempted.
    pub operation: Operation,
    /// The system call, with the option where there is one: `socket`, `sendmsg`, `setsockopt(IP_HDRINCL)`.
    pub call: Call,
    /// What the kernel answered.
    pub errno: Errno,
    /// The interface concerned, where one was named.
    pub interface: Option<Box<str>>,
    /// The address concerned; port 0 where there is none.
    pub address: Option<SocketAddr>,
    /// The largest IP packet that would have gone, where the kernel said so.
    pub mtu: Option<u32>,
    /// What it means, and so what to do next.
    pub next: NextStep,
}

/// A system call, and the socket option that it was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The call.
    pub name: &'static str,
    /// The option of `setsockopt` or `getsockopt`.
    pub option: Option<&'static str>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.option {
            Some(option) => write!(f, "{}({option})", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// What was attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Opening and setting up a raw IP socket.
    OpenRaw,
    /// Opening and setting up a packet socket.
    OpenPacket,
    /// Opening a ping socket.
    OpenPing,
    /// Sending by a raw IPv4 socket.
    SendRawIpv4,
    /// Sending by a raw IPv6 socket.
    SendRawIpv6,
    /// Sending a frame by a packet socket.
    SendFrame,
    /// Receiving.
    Receive,
    /// Making a TUN device.
    OpenTun,
    /// Writing to a TUN device.
    WriteTun,
    /// Reserving a port.
    ReservePort,
    /// Opening the guard.
    OpenGuard,
    /// Asking the kernel's tables.
    AskTables,
    /// Changing the kernel's tables (in a namespace of ours).
    ChangeTables,
}

/// What a failure means, and so what to do next. Codes are stable; the sentences are the catalogue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextStep {
    /// `CAP_NET_RAW` is missing: run by sudo, set the capability, or use the lab.
    GrantNetRaw,
    /// `CAP_NET_ADMIN` is missing.
    GrantNetAdmin,
    /// The group is not in `net.ipv4.ping_group_range`.
    JoinPingGroup,
    /// A firewall rule of this machine dropped it (netfilter OUTPUT), not a permission.
    AllowInFirewall,
    /// A broadcast address, and broadcasting was not asked for.
    AskForBroadcast,
    /// A `prohibit` route of this machine.
    MendProhibitRoute,
    /// A `blackhole` route of this machine.
    MendBlackholeRoute,
    /// An `unreachable` route of this machine.
    MendUnreachableRoute,
    /// No route, or the interface is down.
    AddRoute,
    /// The IP header has a shape that the kernel refuses: IHL below 5 or past the end, or fewer than 20 bytes.
    SendAsFrame,
    /// An IPv6 raw socket was given a port.
    LeavePortOut,
    /// The packet is larger than the MTU of the device or the path; a hand-made header is never fragmented.
    MakeSmaller,
    /// The frame has fewer bytes than an Ethernet header.
    GiveWholeFrame,
    /// The queue of the interface, or the socket's own, is full: the frame was lost here.
    SendSlower,
    /// The interface is down, or its peer's carrier is lost.
    BringInterfaceUp,
    /// The interface is gone.
    NameInterface,
    /// There is no interface of this name.
    ChooseInterface,
    /// The packet written to a TUN device has no IP version.
    GiveIpPacket,
    /// Somebody else has this port.
    ChoosePort,
    /// The address is not one of this machine.
    UseLocalAddress,
    /// Ports below 1024 need a capability here.
    ChooseHighPort,
    /// This kernel lacks what was asked for.
    UseOtherWay,
    /// Too many files are open.
    CloseFiles,
    /// The kernel has no memory for it.
    FreeMemory,
    /// A signal came.
    TryAgain,
    /// None is known.
    ReadErrno,
}

impl NextStep {
    /// Its stable code, a key of the catalogue.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::GrantNetRaw => "grant-net-raw",
            Self::GrantNetAdmin => "grant-net-admin",
            Self::JoinPingGroup => "join-ping-group",
            Self::AllowInFirewall => "allow-in-firewall",
            Self::AskForBroadcast => "ask-for-broadcast",
            Self::MendProhibitRoute => "mend-prohibit-route",
            Self::MendBlackholeRoute => "mend-blackhole-route",
            Self::MendUnreachableRoute => "mend-unreachable-route",
            Self::AddRoute => "add-route",
            Self::SendAsFrame => "send-as-frame",
            Self::LeavePortOut => "leave-port-out",
            Self::MakeSmaller => "make-smaller",
            Self::GiveWholeFrame => "give-whole-frame",
            Self::SendSlower => "send-slower",
            Self::BringInterfaceUp => "bring-interface-up",
            Self::NameInterface => "name-interface",
            Self::ChooseInterface => "choose-interface",
            Self::GiveIpPacket => "give-ip-packet",
            Self::ChoosePort => "choose-port",
            Self::UseLocalAddress => "use-local-address",
            Self::ChooseHighPort => "choose-high-port",
            Self::UseOtherWay => "use-other-way",
            Self::CloseFiles => "close-files",
            Self::FreeMemory => "free-memory",
            Self::TryAgain => "try-again",
            Self::ReadErrno => "read-errno",
        }
    }

    /// Every next step, in the order of the table.
    pub const ALL: &'static [Self] = &[
        Self::GrantNetRaw,
        Self::GrantNetAdmin,
        Self::JoinPingGroup,
        Self::AllowInFirewall,
        Self::AskForBroadcast,
        Self::MendProhibitRoute,
        Self::MendBlackholeRoute,
        Self::MendUnreachableRoute,
        Self::AddRoute,
        Self::SendAsFrame,
        Self::LeavePortOut,
        Self::MakeSmaller,
        Self::GiveWholeFrame,
        Self::SendSlower,
        Self::BringInterfaceUp,
        Self::NameInterface,
        Self::ChooseInterface,
        Self::GiveIpPacket,
        Self::ChoosePort,
        Self::UseLocalAddress,
        Self::ChooseHighPort,
        Self::UseOtherWay,
        Self::CloseFiles,
        Self::FreeMemory,
        Self::TryAgain,
        Self::ReadErrno,
    ];
}

/// What the meaning of an errno depends on, beside the operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// `SO_BROADCAST` is on.
    pub broadcast_allowed: bool,
    /// The header is one that the kernel takes (20 bytes and an IHL of 5 at least, not past the end).
    pub header_shape_accepted: bool,
    /// The frame has an Ethernet header's length at least.
    pub frame_is_whole: bool,
}

/// Whether the kernel takes this IPv4 header: at least 20 bytes, an IHL of 5 and more, and no longer than the packet.
pub(crate) fn ipv4_shape_is_accepted(packet: &[u8]) -> bool {
    let ihl = packet.first().map_or(0, |first| usize::from(first & 15));
    packet.len() >= 20 && ihl >= 5 && ihl * 4 <= packet.len()
}

/// The table: what `errno` means in `operation`.
pub(crate) fn next_step(operation: Operation, errno: Errno, at: Circumstances) -> NextStep {
    use NextStep as N;
    use Operation as O;
    let sends = matches!(operation, O::SendRawIpv4 | O::SendRawIpv6 | O::SendFrame);
    match (operation, errno) {
        (O::OpenRaw | O::OpenPacket, Errno::EPERM | Errno::EACCES) => N::GrantNetRaw,
        (O::OpenPing, Errno::EACCES | Errno::EPERM) => N::JoinPingGroup,
        (O::OpenGuard | O::ChangeTables | O::AskTables, Errno::EPERM) => N::GrantNetAdmin,
        (O::OpenTun, Errno::EPERM | Errno::EACCES) => N::GrantNetAdmin,
        (O::OpenTun, Errno::ENOENT | Errno::ENODEV | Errno::ENXIO) => N::UseOtherWay,
        (_, Errno::EPERM) if sends => N::AllowInFirewall,
        (O::SendRawIpv4, Errno::EACCES) if at.broadcast_allowed => N::MendProhibitRoute,
        (O::SendRawIpv4, Errno::EACCES) => N::AskForBroadcast,
        (O::SendRawIpv6, Errno::EACCES) => N::MendProhibitRoute,
        (O::SendRawIpv4, Errno::EINVAL) if !at.header_shape_accepted => N::SendAsFrame,
        (O::SendRawIpv4 | O::AskTables, Errno::EINVAL) => N::MendBlackholeRoute,
        (O::AskTables, Errno::EACCES) => N::MendProhibitRoute,
        (O::SendRawIpv6, Errno::EINVAL) => N::LeavePortOut,
        (O::SendFrame, Errno::EINVAL) if !at.frame_is_whole => N::GiveWholeFrame,
        (O::WriteTun, Errno::EINVAL) => N::GiveIpPacket,
        (O::WriteTun, Errno::EIO) => N::BringInterfaceUp,
        (O::ReservePort | O::OpenGuard, Errno::EADDRINUSE) => N::ChoosePort,
        (O::ReservePort | O::OpenGuard, Errno::EADDRNOTAVAIL) => N::UseLocalAddress,
        (O::ReservePort | O::OpenGuard, Errno::EACCES) => N::ChooseHighPort,
        (_, Errno::EHOSTUNREACH) => N::MendUnreachableRoute,
        (_, Errno::ENETUNREACH) => N::AddRoute,
        (_, Errno::EMSGSIZE) => N::MakeSmaller,
        (_, Errno::ENOBUFS | Errno::EAGAIN) => N::SendSlower,
        (_, Errno::ENETDOWN) => N::BringInterfaceUp,
        (_, Errno::ENXIO) => N::NameInterface,
        (_, Errno::ENODEV) => N::ChooseInterface,
        (_, Errno::EMFILE | Errno::ENFILE) => N::CloseFiles,
        (_, Errno::ENOMEM) => N::FreeMemory,
        (_, Errno::EINTR) => N::TryAgain,
        (
            _,
            Errno::EOPNOTSUPP
            | Errno::ENOPROTOOPT
            | Errno::EAFNOSUPPORT
            | Errno::EPROTONOSUPPORT
            | Errno::ESOCKTNOSUPPORT
            | Errno::ENOSYS,
        ) => N::UseOtherWay,
        _ => N::ReadErrno,
    }
}

impl OsError {
    /// A failed call of which nothing else is known.
    #[must_use]
    pub fn new(operation: Operation, call: &'static str, errno: Errno) -> Self {
        Self::about(operation, Call { name: call, option: None }, errno, Circumstances::default())
    }

    /// A failed `setsockopt`.
    #[must_use]
    pub fn option(operation: Operation, option: &'static str, errno: Errno) -> Self {
        let call = Call { name: "setsockopt", option: Some(option) };
        Self::about(operation, call, errno, Circumstances::default())
    }

    /// A failed call whose meaning depends on its circumstances.
    #[must_use]
    pub fn about(operation: Operation, call: Call, errno: Errno, at: Circumstances) -> Self {
        Self {
            operation,
            call,
            errno,
            interface: None,
            address: None,
            mtu: None,
            next: next_step(operation, errno, at),
        }
    }

    /// The same, at this interface.
    #[must_use]
    pub fn on_interface(mut self, name: &str) -> Self {
        self.interface = Some(name.into());
        self
    }

    /// The same, about this host.
    #[must_use]
    pub fn at_host(self, address: IpAddr) -> Self {
        self.at_address(SocketAddr::new(address, 0))
    }

    /// The same, about this address and port.
    #[must_use]
    pub fn at_address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.errno)?;
        match self.address {
            Some(address) if address.port() == 0 => write!(f, ", {}", address.ip())?,
            Some(address) => write!(f, ", {address}")?,
            None => {}
        }
        if let Some(interface) = &self.interface {
            write!(f, ", {interface}")?;
        }
        write!(f, " ({})", self.next.code())
    }
}

impl core::error::Error for OsError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.errno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NextStep as N;
    use Operation as O;

    const GOOD: Circumstances =
        Circumstances { broadcast_allowed: false, header_shape_accepted: true, frame_is_whole: true };

    /// The rows of the project's table "errno to meaning", both sections.
    #[test]
    fn each_row_of_the_errno_table_has_its_next_step() {
        let broadcasting = Circumstances { broadcast_allowed: true, ..GOOD };
        let bad_header = Circumstances { header_shape_accepted: false, ..GOOD };
        let short_frame = Circumstances { frame_is_whole: false, ..GOOD };
        let rows = [
            (O::SendRawIpv4, Errno::EPERM, GOOD, N::AllowInFirewall),
            (O::SendRawIpv6, Errno::EPERM, GOOD, N::AllowInFirewall),
            (O::OpenRaw, Errno::EPERM, GOOD, N::GrantNetRaw),
            (O::OpenPacket, Errno::EPERM, GOOD, N::GrantNetRaw),
            (O::OpenPing, Errno::EACCES, GOOD, N::JoinPingGroup),
            (O::SendRawIpv4, Errno::EACCES, GOOD, N::AskForBroadcast),
            (O::SendRawIpv4, Errno::EACCES, broadcasting, N::MendProhibitRoute),
            (O::SendRawIpv6, Errno::EACCES, GOOD, N::MendProhibitRoute),
            (O::SendRawIpv4, Errno::EINVAL, bad_header, N::SendAsFrame),
            (O::SendRawIpv4, Errno::EINVAL, GOOD, N::MendBlackholeRoute),
            (O::SendRawIpv6, Errno::EINVAL, GOOD, N::LeavePortOut),
            (O::SendRawIpv4, Errno::EHOSTUNREACH, GOOD, N::MendUnreachableRoute),
            (O::SendRawIpv4, Errno::ENETUNREACH, GOOD, N::AddRoute),
            (O::SendRawIpv4, Errno::EMSGSIZE, GOOD, N::MakeSmaller),
            (O::SendFrame, Errno::EMSGSIZE, GOOD, N::MakeSmaller),
            (O::SendFrame, Errno::EINVAL, short_frame, N::GiveWholeFrame),
            (O::SendFrame, Errno::ENOBUFS, GOOD, N::SendSlower),
            (O::SendRawIpv4, Errno::ENOBUFS, GOOD, N::SendSlower),
            (O::SendFrame, Errno::ENETDOWN, GOOD, N::BringInterfaceUp),
            (O::Receive, Errno::ENETDOWN, GOOD, N::BringInterfaceUp),
            (O::SendFrame, Errno::ENXIO, GOOD, N::NameInterface),
            (O::OpenTun, Errno::EACCES, GOOD, N::GrantNetAdmin),
            (O::OpenTun, Errno::ENOENT, GOOD, N::UseOtherWay),
            (O::WriteTun, Errno::EIO, GOOD, N::BringInterfaceUp),
            (O::WriteTun, Errno::EINVAL, GOOD, N::GiveIpPacket),
            (O::ReservePort, Errno::EADDRINUSE, GOOD, N::ChoosePort),
        ];
        for (operation, errno, at, want) in rows {
            assert_eq!(next_step(operation, errno, at), want, "{operation:?} {errno}");
        }
    }

    #[test]
    fn codes_are_distinct() {
        for (i, a) in NextStep::ALL.iter().enumerate() {
            assert!(NextStep::ALL[i + 1..].iter().all(|b| b.code() != a.code()), "{a:?}");
        }
    }

    #[test]
    fn header_shapes_are_judged_as_the_kernel_does() {
        let mut packet = [0u8; 24];
        packet[0] = 0x45;
        assert!(ipv4_shape_is_accepted(&packet));
        assert!(!ipv4_shape_is_accepted(&packet[..19]));
        packet[0] = 0x44;
        assert!(!ipv4_shape_is_accepted(&packet));
        packet[0] = 0x66;
        assert!(ipv4_shape_is_accepted(&packet), "version 6 and IHL 6: sent as given");
        packet[0] = 0x47;
        assert!(!ipv4_shape_is_accepted(&packet));
    }

    #[test]
    fn an_error_says_call_errno_and_place() {
        let error = OsError::option(O::OpenRaw, "IP_HDRINCL", Errno::ENOPROTOOPT).on_interface("eth0");
        assert_eq!(error.to_string(), "setsockopt(IP_HDRINCL): ENOPROTOOPT, eth0 (use-other-way)");
        let error = OsError::new(O::SendRawIpv4, "sendmsg", Errno::EMSGSIZE).at_host(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(error.to_string(), "sendmsg: EMSGSIZE, 192.0.2.1 (make-smaller)");
    }
}
