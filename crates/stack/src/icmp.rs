//! RFC 792, RFC 4443, RFC 5927: ICMP messages to this host: echo requests, and errors that quote what we sent.

use alloc::vec::Vec;
use core::net::IpAddr;

use wirewright_tcp::IcmpError;
use wirewright_units::Instant;
use wirewright_wire::checksum::Sum;
use wirewright_wire::next::protocol;
use wirewright_wire::{SeqNum, icmpv4, icmpv6, quote};

use crate::demux::FourTuple;
use crate::egress::pseudo;
use crate::host::{Answer, Host};
use crate::ingress::Addresses;
use crate::verdict::{Discard, Verdict};

/// What an ICMP error said of a connection, and who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Who sent the error.
    pub from: IpAddr,
    /// What it says.
    pub kind: TroubleKind,
}

/// What an ICMP error says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TroubleKind {
    /// There is no route to the destination.
    NetUnreachable,
    /// The destination does not answer on its link.
    HostUnreachable,
    /// The destination does not speak TCP.
    ProtocolUnreachable,
    /// Nobody has the port.
    PortUnreachable,
    /// A rule forbids it.
    Prohibited,
    /// It was under way for too long: a loop of routes, or a TTL too small.
    TimeExceeded,
    /// A header was not understood.
    ParameterProblem,
}

impl TroubleKind {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NetUnreachable => "net-unreachable",
            Self::HostUnreachable => "host-unreachable",
            Self::ProtocolUnreachable => "protocol-unreachable",
            Self::PortUnreachable => "port-unreachable",
            Self::Prohibited => "prohibited",
            Self::TimeExceeded => "time-exceeded",
            Self::ParameterProblem => "parameter-problem",
        }
    }

    /// RFC 1122 §4.2.3.9 and RFC 9293 §3.9.2.2: which will not pass by themselves.
    const fn to_tcp(self) -> IcmpError {
        match self {
            Self::ProtocolUnreachable | Self::PortUnreachable | Self::Prohibited => IcmpError::Hard,
            _ => IcmpError::Soft,
        }
    }
}

/// An error, whichever version brought it.
enum Error {
    Trouble(TroubleKind),
    /// The largest packet that goes on, or 0: not said.
    TooBig(u32),
}

impl Host {
    pub(crate) fn icmpv4(&mut self, now: Instant, addresses: Addresses, bytes: &[u8]) -> Verdict {
        use icmpv4::{Body, message_type, unreachable_code as code};
        if !Sum::new().add(bytes).is_right() {
            return Verdict::Discarded(Discard::Checksum);
        }
        let Ok(message) = icmpv4::parse(bytes) else { return Verdict::Discarded(Discard::Malformed) };
        let kind = message.header.code();
        let (error, quoted) = match message.body() {
            Ok(Body::Echo(..)) if message.header.message_type() == message_type::ECHO => {
                return self.echo(addresses, protocol::ICMPV4, message_type::ECHO_REPLY, bytes);
            }
            Ok(Body::Unreachable(body, quoted)) => {
                let error = match kind {
                    code::FRAGMENTATION_NEEDED => Error::TooBig(body.mtu().into()),
                    code::PROTOCOL => Error::Trouble(TroubleKind::ProtocolUnreachable),
                    code::PORT => Error::Trouble(TroubleKind::PortUnreachable),
                    // RFC 1122 §3.2.2.1 and RFC 1812 §5.2.7.1: prohibited network, host, communication.
                    9 | 10 | code::ADMIN_PROHIBITED => Error::Trouble(TroubleKind::Prohibited),
                    // Network unreachable, unknown, or for this type of service.
                    code::NET | 6 | 11 => Error::Trouble(TroubleKind::NetUnreachable),
                    _ => Error::Trouble(TroubleKind::HostUnreachable),
                };
                (error, quoted)
            }
            Ok(Body::TimeExceeded(_, quoted)) => (Error::Trouble(TroubleKind::TimeExceeded), quoted),
            Ok(Body::ParameterProblem(_, quoted)) => (Error::Trouble(TroubleKind::ParameterProblem), quoted),
            // RFC 6633: source quench is ignored. RFC 1122 §3.2.2.2: our routes are not changed by redirects.
            Ok(_) => return Verdict::Discarded(Discard::IgnoredIcmp),
            Err(_) => return Verdict::Discarded(Discard::Malformed),
        };
        self.icmp_error(now, addresses.source, &error, quoted)
    }

    pub(crate) fn icmpv6(&mut self, now: Instant, addresses: Addresses, bytes: &[u8]) -> Verdict {
        use icmpv6::{Body, message_type, unreachable_code as code};
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if !pseudo(addresses.source, addresses.destination, protocol::ICMPV6, len).add(bytes).is_right() {
            return Verdict::Discarded(Discard::Checksum);
        }
        let Ok(message) = icmpv6::parse(bytes) else { return Verdict::Discarded(Discard::Malformed) };
        let (error, quoted) = match message.body() {
            Ok(Body::Echo(..)) if message.header.message_type() == message_type::ECHO => {
                return self.echo(addresses, protocol::ICMPV6, message_type::ECHO_REPLY, bytes);
            }
            Ok(Body::Unreachable(_, quoted)) => {
                let kind = match message.header.code() {
                    code::NO_ROUTE | code::REJECT_ROUTE => TroubleKind::NetUnreachable,
                    code::ADMIN_PROHIBITED | code::POLICY => TroubleKind::Prohibited,
                    code::PORT => TroubleKind::PortUnreachable,
                    _ => TroubleKind::HostUnreachable,
                };
                (Error::Trouble(kind), quoted)
            }
            Ok(Body::TooBig(body, quoted)) => (Error::TooBig(body.mtu()), quoted),
            Ok(Body::TimeExceeded(_, quoted)) => (Error::Trouble(TroubleKind::TimeExceeded), quoted),
            // RFC 4443 §3.4, code 1: an unrecognized next header is a protocol that the peer does not have.
            Ok(Body::ParameterProblem(_, quoted)) if message.header.code() == 1 => {
                (Error::Trouble(TroubleKind::ProtocolUnreachable), quoted)
            }
            Ok(Body::ParameterProblem(_, quoted)) => (Error::Trouble(TroubleKind::ParameterProblem), quoted),
            Ok(_) => return Verdict::Discarded(Discard::IgnoredIcmp),
            Err(_) => return Verdict::Discarded(Discard::Malformed),
        };
        self.icmp_error(now, addresses.source, &error, quoted)
    }

    /// RFC 792: the request's bytes come back, with another type.
    fn echo(&mut self, addresses: Addresses, protocol: u8, reply: u8, request: &[u8]) -> Verdict {
        if self.shares_addresses() {
            return Verdict::Discarded(Discard::IgnoredIcmp);
        }
        let mut upper = Vec::from(request);
        upper[0] = reply;
        upper[2..4].fill(0);
        let sum = match protocol {
            protocol::ICMPV4 => Sum::new(),
            _ => {
                let len = u32::try_from(upper.len()).unwrap_or(u32::MAX);
                pseudo(addresses.destination, addresses.source, protocol, len)
            }
        };
        let sum = sum.add(&upper).finish();
        upper[2..4].copy_from_slice(&sum.to_be_bytes());
        self.answer(Answer::Upper { source: addresses.destination, destination: addresses.source, protocol, upper });
        Verdict::Accepted
    }

    /// An error is believed when it quotes a segment of a connection of ours that is in flight (RFC 5927 §4.1).
    fn icmp_error(&mut self, now: Instant, from: IpAddr, error: &Error, quoted: &[u8]) -> Verdict {
        const NOTHING: Verdict = Verdict::Discarded(Discard::QuoteOfNothing);
        let Ok(quote) = quote::read(quoted) else { return NOTHING };
        let (Some((local, remote)), Some(seq)) = (quote.ports(), quote.sequence()) else { return NOTHING };
        let tuple = FourTuple { local: (quote.source, local).into(), remote: (quote.destination, remote).into() };
        // The length of what was quoted, for routers that do not name the size of the next link.
        let length = quoted.get(2..4).map_or(0, |len| u16::from_be_bytes([len[0], len[1]]));
        match *error {
            Error::Trouble(kind) => self.note_trouble(now, &tuple, seq, Trouble { from, kind }),
            Error::TooBig(mtu) => self.too_big(now, &tuple, seq, mtu, length),
        }
    }

    fn note_trouble(&mut self, now: Instant, tuple: &FourTuple, seq: SeqNum, trouble: Trouble) -> Verdict {
        let Some(held) = self.demux.by_tuple_mut(tuple) else {
            return Verdict::Discarded(Discard::QuoteOfNothing);
        };
        let before = held.trouble.replace(trouble);
        let id = held.id;
        let (verdict, next) = held.conn.handle_icmp(now, seq, trouble.kind.to_tcp());
        if let wirewright_tcp::Verdict::Discarded(reason) = verdict {
            held.trouble = before;
            return Verdict::Discarded(Discard::Tcp(reason));
        }
        self.follow(now, id, next);
        Verdict::Accepted
    }

    fn too_big(&mut self, now: Instant, tuple: &FourTuple, seq: SeqNum, mtu: u32, length: u16) -> Verdict {
        let Some(held) = self.demux.by_tuple_mut(tuple) else {
            return Verdict::Discarded(Discard::QuoteOfNothing);
        };
        // The quote is judged before the path is believed to be smaller.
        let status = held.conn.status();
        let in_flight = seq.at_or_after(status.snd_una) && seq.before(status.snd_nxt);
        if !in_flight {
            return Verdict::Discarded(Discard::QuoteOfNothing);
        }
        self.path_is_smaller(now, tuple.remote.ip(), mtu, length);
        Verdict::Accepted
    }

    /// A path is smaller than was thought: every connection over it sends smaller segments from now on.
    pub(crate) fn path_is_smaller(&mut self, now: Instant, destination: IpAddr, mtu: u32, length: u16) {
        let Some(path) = self.egress.paths.report(now, destination, mtu, length) else { return };
        let mss = path.mtu.saturating_sub(fixed_headers(destination));
        let over = |held: &&crate::demux::Connected| held.is_in_table && held.tuple.remote.ip() == destination;
        let ids: Vec<_> = self.demux.all().filter(over).map(|held| held.id).collect();
        for id in ids {
            let Some(held) = self.demux.get_mut(id) else { continue };
            let una = held.conn.status().snd_una;
            let (_, next) = held.conn.handle_icmp(now, una, IcmpError::TooBig { mss });
            self.follow(now, id, next);
        }
    }
}

/// The fixed headers of IP and TCP (RFC 9293 §3.7.1).
pub(crate) const fn fixed_headers(address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(_) => 40,
        IpAddr::V6(_) => 60,
    }
}
