//! Which way a packet would go: the kernel's own route decision, as `ip route get` asks for it.

use core::net::IpAddr;

use super::codec::{Attributes, Reply, ip, word};
use super::{Netlink, Request};
use crate::error::{Operation, OsError};
use crate::sys::Errno;

/// What a route is asked for.
#[derive(Clone, Copy, Debug)]
pub struct RouteQuery {
    /// The destination.
    pub destination: IpAddr,
    /// The source, where one is set; it takes part in the decision. What a raw socket sends under a header of its own is
    /// decided without it: leave it out to predict that.
    pub source: Option<IpAddr>,
    /// The interface, where one is set.
    pub interface: Option<u32>,
    /// The DSCP bits of TOS (policy routing).
    pub tos: u8,
    /// The protocol (policy routing); a raw socket's decision carries no ports.
    pub protocol: Option<u8>,
    /// The firewall mark (policy routing).
    pub mark: Option<u32>,
}

impl RouteQuery {
    /// The route to `destination`, nothing else set.
    #[must_use]
    pub const fn to(destination: IpAddr) -> Self {
        Self { destination, source: None, interface: None, tos: 0, protocol: None, mark: None }
    }
}

/// The kernel's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAnswer {
    /// It goes this way.
    Via(Route),
    /// It does not go.
    Refused(Refusal),
}

/// The way that a packet takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// What kind of destination it is.
    pub kind: RouteKind,
    /// Number of the interface it leaves by.
    pub interface: u32,
    /// The source that the kernel would choose (or the one that was asked with).
    pub source: Option<IpAddr>,
    /// The router it goes to first; `None` where the destination itself is on the link.
    pub gateway: Option<IpAddr>,
    /// The MTU that the kernel knows for this path (learnt, or set on the route); `None`: the interface's.
    pub mtu: Option<u32>,
    /// The routing table; 254 is main, 255 local.
    pub table: u32,
}

/// `RTN_*` of routes that carry packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteKind {
    /// Another host, directly or by a gateway.
    Unicast,
    /// An address of this machine.
    Local,
    /// A broadcast address of a link.
    Broadcast,
    /// An anycast address of this machine.
    Anycast,
    /// A multicast group.
    Multicast,
    /// Another one, by its number.
    Other(u8),
}

/// Why a packet would not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No route (or the interface is down).
    NoRoute,
    /// A `blackhole` route.
    Blackhole,
    /// An `unreachable` route.
    Unreachable,
    /// A `prohibit` route.
    Prohibit,
    /// The interface asked for is not there.
    NoInterface,
}

impl Refusal {
    /// The errno that sending would give.
    #[must_use]
    pub const fn errno(self) -> Errno {
        match self {
            Self::NoRoute => Errno::ENETUNREACH,
            Self::Blackhole => Errno::EINVAL,
            Self::Unreachable => Errno::EHOSTUNREACH,
            Self::Prohibit => Errno::EACCES,
            Self::NoInterface => Errno::ENODEV,
        }
    }

    /// The refusal that the kernel answers a question with.
    const fn of(errno: Errno) -> Option<Self> {
        match errno {
            Errno::ENETUNREACH => Some(Self::NoRoute),
            Errno::EINVAL => Some(Self::Blackhole),
            Errno::EHOSTUNREACH => Some(Self::Unreachable),
            Errno::EACCES => Some(Self::Prohibit),
            Errno::ENODEV => Some(Self::NoInterface),
            _ => None,
        }
    }
}

/// Length of `struct rtmsg`.
const ROUTE_LEN: usize = 12;

impl Netlink {
    /// The kernel's route decision for a packet.
    ///
    /// **Errors**: the question failed; that a packet would not go is an answer.
    pub fn route_to(&mut self, query: &RouteQuery) -> Result<RouteAnswer, OsError> {
        let answer = self.decision(query)?;
        if query.source.is_none() || matches!(answer, RouteAnswer::Via(_)) {
            return Ok(answer);
        }
        // A source that is not this machine's own is refused as "no route" (or EINVAL, by older kernels), though a raw
        // socket may send it: the decision is then that for any source.
        match self.decision(&RouteQuery { source: None, ..*query })? {
            RouteAnswer::Via(route) => Ok(RouteAnswer::Via(Route { source: query.source, ..route })),
            refused @ RouteAnswer::Refused(_) => Ok(refused),
        }
    }

    fn decision(&mut self, query: &RouteQuery) -> Result<RouteAnswer, OsError> {
        let mut answer = None;
        match self.ask(question(query), &mut |reply| answer = answer.or(route(reply))) {
            Ok(()) => Ok(answer.unwrap_or(RouteAnswer::Refused(Refusal::NoRoute))),
            Err(errno) => Refusal::of(errno)
                .map(RouteAnswer::Refused)
                .ok_or_else(|| OsError::new(Operation::AskTables, "RTM_GETROUTE", errno).at_host(query.destination)),
        }
    }
}

fn question(query: &RouteQuery) -> Request {
    let mut fixed = [0; ROUTE_LEN];
    fixed[0] = family(query.destination);
    fixed[1] = bits(query.destination);
    fixed[2] = query.source.map_or(0, bits);
    fixed[3] = query.tos & 0xfc;
    let mut request = Request::new(libc::RTM_GETROUTE, 0, &fixed);
    request.attribute(libc::RTA_DST, octets(&query.destination).as_slice());
    if let Some(source) = query.source {
        request.attribute(libc::RTA_SRC, octets(&source).as_slice());
    }
    if let Some(interface) = query.interface {
        request.attribute(libc::RTA_OIF, &interface.to_ne_bytes());
    }
    if let Some(mark) = query.mark {
        request.attribute(libc::RTA_MARK, &mark.to_ne_bytes());
    }
    // The kernel takes TCP, UDP and ICMP here; the decision of a raw socket with another protocol knows it only by rules.
    if let Some(protocol) = query.protocol.filter(|p| matches!(p, 1 | 6 | 17 | 58)) {
        request.attribute(RTA_IP_PROTO, &[protocol]);
    }
    request
}

/// linux/rtnetlink.h; libc lacks it.
const RTA_IP_PROTO: u16 = 27;

fn route(reply: &Reply<'_>) -> Option<RouteAnswer> {
    if reply.kind != libc::RTM_NEWROUTE {
        return None;
    }
    let kind = match *reply.body.get(7)? {
        libc::RTN_UNICAST => RouteKind::Unicast,
        libc::RTN_LOCAL => RouteKind::Local,
        libc::RTN_BROADCAST => RouteKind::Broadcast,
        libc::RTN_ANYCAST => RouteKind::Anycast,
        libc::RTN_MULTICAST => RouteKind::Multicast,
        libc::RTN_BLACKHOLE => return Some(RouteAnswer::Refused(Refusal::Blackhole)),
        libc::RTN_UNREACHABLE => return Some(RouteAnswer::Refused(Refusal::Unreachable)),
        libc::RTN_PROHIBIT => return Some(RouteAnswer::Refused(Refusal::Prohibit)),
        other => RouteKind::Other(other),
    };
    let table = u32::from(*reply.body.get(4)?);
    let mut route = Route { kind, interface: 0, source: None, gateway: None, mtu: None, table };
    for (kind, value) in reply.attributes(ROUTE_LEN) {
        match kind {
            libc::RTA_OIF => route.interface = word(value)?,
            libc::RTA_PREFSRC => route.source = ip(value),
            libc::RTA_SRC => route.source = route.source.or(ip(value)),
            libc::RTA_GATEWAY => route.gateway = ip(value),
            libc::RTA_VIA => route.gateway = value.get(2..).and_then(ip),
            libc::RTA_TABLE => route.table = word(value)?,
            libc::RTA_METRICS => route.mtu = mtu(value),
            _ => {}
        }
    }
    Some(RouteAnswer::Via(route))
}

fn mtu(metrics: &[u8]) -> Option<u32> {
    let mtu = Attributes::nested(metrics).find(|(kind, _)| i32::from(*kind) == RTAX_MTU);
    mtu.and_then(|(_, value)| word(value)).filter(|mtu| *mtu != 0)
}

/// `RTAX_MTU` of linux/rtnetlink.h.
const RTAX_MTU: i32 = 2;

/// `AF_INET` and `AF_INET6` as the fixed parts hold them.
pub(super) const fn family(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 10,
    }
}

const fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

pub(super) fn octets(address: &IpAddr) -> arrayvec::ArrayVec<u8, 16> {
    match address {
        IpAddr::V4(a) => a.octets().into_iter().collect(),
        IpAddr::V6(a) => a.octets().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_errno_that_sending_would_give() {
        for refusal in
            [Refusal::NoRoute, Refusal::Blackhole, Refusal::Unreachable, Refusal::Prohibit, Refusal::NoInterface]
        {
            assert_eq!(Refusal::of(refusal.errno()), Some(refusal));
        }
        assert_eq!(Refusal::of(Errno::EPERM), None);
    }
}
