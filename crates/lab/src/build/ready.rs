//! Proof that the world works: each wait has a name and a limit.
//!
//! Three things make a fresh veth lose or hold its first packets for a second or two, and each is waited for here:
//! the carrier (its news is worked off later, unless somebody asks), the IPv6 addresses (they can be bound at once, but the
//! group in which questions for them arrive is joined later), and the neighbours (the echoes fill those tables).

use core::time::Duration;
use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, recv, sendto, socket_with};
use wirewright_link::clock;
use wirewright_link::netlink::create::OperState;
use wirewright_link::sys::namespace::{self, Namespace};

use super::world::{RELAY_ENDS, World};
use crate::map::{CLIENT, CLOSED, Family, Host, Port, SERVER};
use crate::message::{Line, Message, readable};
use crate::record::{QUIET, YOUTH};
use crate::refusal::{At, Failed, Step};
use crate::relay::RelayReport;

/// Every single wait: a kernel before 6.8 may sit on the carrier for two seconds, a loaded machine doubles it.
const LIMIT: Duration = Duration::from_secs(5);

/// The pause between two looks: a tenth of what building the world takes.
const PAUSE: Duration = Duration::from_micros(200);

/// An echo is asked for again after this time; the question before it may have been held back.
const AGAIN: Duration = Duration::from_millis(20);

/// How long the relay may take to answer: it does nothing that waits.
const RELAY_LIMIT: Duration = Duration::from_secs(5);

/// Has the relay begin with its faults, after what the kernels of a young lab say by themselves: those frames would use up
/// throws of the dice, now more of them and now fewer.
pub(crate) fn begin_faults(relay: &Line) -> Result<(), Failed> {
    let end = clock::now() + LIMIT;
    clock::sleep(YOUTH);
    let mut before = ask(relay, &Message::Count)?;
    loop {
        clock::sleep(QUIET);
        let now = ask(relay, &Message::Count)?;
        if now == before || clock::now() >= end {
            break;
        }
        before = now;
    }
    ask(relay, &Message::Begin).map(drop)
}

fn ask(relay: &Line, question: &Message) -> Result<RelayReport, Failed> {
    relay.send(question, &[]).at(Step::Relay)?;
    match relay.receive(RELAY_LIMIT) {
        Some((Message::Counted(report), _)) => Ok(report),
        _ => Err(Failed::late(Step::Relay)),
    }
}

/// Waits until every port is operational, and both ends of a relay.
pub(crate) fn wait_for_carriers(world: &mut World) -> Result<(), Failed> {
    if let Some(relay) = &mut world.relay {
        let creator = &mut relay.creator;
        for end in RELAY_ENDS {
            wait(Step::Relay, || Ok(creator.oper_state(end.index).at(Step::Relay)? == OperState::Up))?;
        }
    }
    for port in world.shape.ports() {
        let step = Step::Carrier(port);
        let creator = &mut world.network(port.host).creator;
        wait(step, || Ok(creator.oper_state(port.index).at(step)? == OperState::Up))?;
    }
    Ok(())
}

/// Waits until every port is in the groups in which questions for its IPv6 addresses arrive. Moves the calling thread.
pub(crate) fn wait_for_solicited_groups(world: &mut World) -> Result<(), Failed> {
    if !world.with_v6 {
        return Ok(());
    }
    for port in world.shape.ports() {
        let step = Step::Solicited(port);
        namespace::enter(world.network(port.host).namespace.as_fd(), Namespace::Network).at(step)?;
        let mut addresses = vec![port.v6, port.link_local];
        if port == SERVER {
            addresses.push(CLOSED.1);
        }
        wait(step, || {
            let groups = fs::read_to_string("/proc/thread-self/net/igmp6").at(step)?;
            Ok(addresses.iter().all(|address| has_group(&groups, port, *address)))
        })?;
    }
    Ok(())
}

/// Whether `/proc/net/igmp6` says that `port` is in the solicited-node group of `address` (RFC 4291 §2.7.1).
fn has_group(groups: &str, port: &Port, address: Ipv6Addr) -> bool {
    let [.., a, b, c] = address.octets();
    let group = format!("ff0200000000000000000001ff{a:02x}{b:02x}{c:02x}");
    let index = port.index.to_string();
    groups.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(&index) && words.nth(1) == Some(&group)
    })
}

fn wait(step: Step, mut look: impl FnMut() -> Result<bool, Failed>) -> Result<(), Failed> {
    let end = clock::now() + LIMIT;
    while !look()? {
        if clock::now() >= end {
            return Err(Failed::late(step));
        }
        clock::sleep(PAUSE);
    }
    Ok(())
}

/// Proves every wire, and the way from client to server, with one echo of each family. Moves the calling thread.
pub(crate) fn exchange_echoes(world: &mut World) -> Result<(), Failed> {
    let pairs: Vec<_> = world.shape.wires().into_iter().chain([[CLIENT, SERVER]]).collect();
    let mut asked = Vec::new();
    for &family in world.families() {
        for &[from, to] in &pairs {
            let step = Step::Echo(from.host, to.host, family);
            namespace::enter(world.network(from.host).namespace.as_fd(), Namespace::Network).at(step)?;
            asked.push(Echo::ask(from.host, to, family, u16::try_from(asked.len()).unwrap_or(0))?);
        }
    }
    asked.iter().try_for_each(Echo::wait)
}

/// One echo in flight, on a socket in the asking host's network.
struct Echo {
    step: Step,
    family: Family,
    to: IpAddr,
    number: u16,
    socket: OwnedFd,
}

impl Echo {
    /// The identifier of all of them: "ww".
    const ID: u16 = 0x7777;

    fn ask(from: Host, to: &'static Port, family: Family, number: u16) -> Result<Self, Failed> {
        let step = Step::Echo(from, to.host, family);
        let (domain, protocol) = match family {
            Family::V4 => (AddressFamily::INET, ipproto::ICMP),
            Family::V6 => (AddressFamily::INET6, ipproto::ICMPV6),
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(domain, SocketType::RAW, flags, Some(protocol)).at(step)?;
        let echo = Self { step, family, to: to.address(family), number, socket };
        echo.send()?;
        Ok(echo)
    }

    fn send(&self) -> Result<(), Failed> {
        let message = message(self.family, REQUEST, self.number);
        // The port of an ICMPv6 socket must be its protocol or 0.
        let to = SocketAddr::new(self.to, 0);
        match sendto(&self.socket, &message, SendFlags::empty(), &to) {
            // The table of neighbours is full or the queue is: asked again below.
            Ok(_) | Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::AGAIN) => Ok(()),
            Err(errno) => Err(errno).at(self.step),
        }
    }

    fn wait(&self) -> Result<(), Failed> {
        let end = clock::now() + LIMIT;
        loop {
            if readable(self.socket.as_fd(), AGAIN) {
                if self.is_answered()? {
                    return Ok(());
                }
            } else {
                self.send()?;
            }
            if clock::now() >= end {
                return Err(Failed::late(self.step));
            }
        }
    }

    fn is_answered(&self) -> Result<bool, Failed> {
        let mut bytes = [0; 128];
        loop {
            match recv(&self.socket, &mut bytes[..], RecvFlags::empty()) {
                Ok((_, len)) => {
                    let packet = bytes.get(..len).unwrap_or(&bytes);
                    if is_reply(self.family, packet, self.number) {
                        return Ok(true);
                    }
                }
                Err(rustix::io::Errno::AGAIN) => return Ok(false),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno).at(self.step),
            }
        }
    }
}

/// The types of ICMP (RFC 792) and ICMPv6 (RFC 4443 §4) messages, by family.
type Types = fn(Family) -> u8;
const REQUEST: Types = |family| if family == Family::V4 { 8 } else { 128 };
const REPLY: Types = |family| if family == Family::V4 { 0 } else { 129 };

fn message(family: Family, kind: Types, number: u16) -> [u8; 8] {
    let kind = kind(family);
    // Three words and nothing behind them: their sum needs no loop. The kernel fills in that of ICMPv6.
    let sum = u32::from(kind) << 8;
    let sum = sum + u32::from(Echo::ID) + u32::from(number);
    let sum = (sum & 0xffff) + (sum >> 16);
    let [a, b] = (!(sum as u16)).to_be_bytes();
    let [c, d] = Echo::ID.to_be_bytes();
    let [e, f] = number.to_be_bytes();
    [kind, 0, a, b, c, d, e, f]
}

/// IPv4 arrives with its header, IPv6 without.
fn is_reply(family: Family, packet: &[u8], number: u16) -> bool {
    let header_len = match (family, packet.first()) {
        (Family::V4, Some(first)) => usize::from(first & 0xf) * 4,
        _ => 0,
    };
    let wanted = message(family, REPLY, number);
    packet
        .get(header_len..)
        .is_some_and(|icmp| icmp.first() == Some(&wanted[0]) && icmp.get(4..8) == Some(&wanted[4..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::ROUTER_NEAR;

    #[test]
    fn a_group_counts_on_its_own_port_only() {
        let groups = "2    eth0            ff0200000000000000000001ff000002     1 00000004 0\n";
        assert!(has_group(groups, CLIENT, CLIENT.v6));
        assert!(!has_group(groups, ROUTER_NEAR, CLIENT.v6));
        assert!(!has_group(groups, CLIENT, ROUTER_NEAR.v6));
    }

    #[test]
    fn the_words_of_an_echo_sum_to_ones() {
        for number in [0, 1, 0x8000, 0xffff] {
            let message = message(Family::V4, REQUEST, number);
            let sum: u32 = message.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
            assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
        }
    }

    #[test]
    fn only_the_reply_with_the_right_number_counts() {
        let mut packet = vec![0x45; 20];
        packet.extend(message(Family::V4, REPLY, 3));
        assert!(is_reply(Family::V4, &packet, 3));
        assert!(!is_reply(Family::V4, &packet, 4));
        assert!(!is_reply(Family::V4, &packet[..24], 3));
        assert!(!is_reply(Family::V6, &message(Family::V6, REQUEST, 3), 3));
    }
}
