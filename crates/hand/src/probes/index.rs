//! Which of the probes may be answered by what was heard: found by ports or numbers, not by looking at each.

use alloc::collections::{BTreeMap, VecDeque};

use wirewright_wire::next;

use super::ProbeId;
use super::flow::{Datagram, Flow, Heard, Sent, datagram, flow_of};
use super::quote;

/// What an answer and a quote have in common with their question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Protocol, our port, their port.
    Ports(u8, u16, u16),
    /// Version 6, identifier, sequence number.
    Numbers(bool, u16, u16),
    /// Nothing that could be looked up.
    Any,
}

/// Numbers of probes by their keys, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    by_key: BTreeMap<Key, VecDeque<u64>>,
    by_id: BTreeMap<ProbeId, u64>,
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { by_key: BTreeMap::new(), by_id: BTreeMap::new() }
    }

    /// Adds the newest probe.
    pub(super) fn add(&mut self, number: u64, id: ProbeId, sent: &Sent) {
        self.by_key.entry(key_of_sent(sent)).or_default().push_back(number);
        self.by_id.insert(id, number);
    }

    /// Removes the oldest probe.
    pub(super) fn remove(&mut self, number: u64, id: ProbeId, sent: &Sent) {
        let key = key_of_sent(sent);
        if let Some(numbers) = self.by_key.get_mut(&key) {
            numbers.pop_front();
            if numbers.is_empty() {
                self.by_key.remove(&key);
            }
        }
        // A number may have been given again.
        if self.by_id.get(&id) == Some(&number) {
            self.by_id.remove(&id);
        }
    }

    /// The newest probe with this number of the caller's.
    pub(super) fn number_of(&self, id: ProbeId) -> Option<u64> {
        self.by_id.get(&id).copied()
    }

    /// The probes that this may answer, newest first: those of its key, and those without one.
    pub(super) fn candidates(&self, heard: &Heard<'_>) -> impl Iterator<Item = u64> {
        let of = |key: Key| self.by_key.get(&key).into_iter().flat_map(|numbers| numbers.iter().rev().copied());
        let mut keyed = heard_key(heard).filter(|key| *key != Key::Any).into_iter().flat_map(of).peekable();
        let mut any = of(Key::Any).peekable();
        core::iter::from_fn(move || match (keyed.peek(), any.peek()) {
            (Some(one), Some(other)) if one > other => keyed.next(),
            (_, Some(_)) => any.next(),
            _ => keyed.next(),
        })
    }
}

/// The key of a probe. One in a tunnel is answered by other ports than those that it was sent by (RFC 7348 §5).
fn key_of_sent(sent: &Sent) -> Key {
    if sent.inner.is_some() { Key::Any } else { key_of(&sent.flow) }
}

/// The key of what was sent.
const fn key_of(flow: &Flow) -> Key {
    match *flow {
        Flow::Tcp { source_port, destination_port, .. } => {
            Key::Ports(next::protocol::TCP, source_port, destination_port)
        }
        Flow::Udp { source_port, destination_port, .. } => {
            Key::Ports(next::protocol::UDP, source_port, destination_port)
        }
        Flow::IcmpQuery { v6, id, seq, .. } => Key::Numbers(v6, id, seq),
        _ => Key::Any,
    }
}

/// The key of the question that this would answer.
fn heard_key(heard: &Heard<'_>) -> Option<Key> {
    let Heard::Ip(heard) = heard else { return None };
    match quote::error_of(heard) {
        Some((_, quoted)) => quoted_key(&datagram(quoted)?),
        None => answered_key(heard),
    }
}

/// A quote is the question itself, cut as it may be.
fn quoted_key(quoted: &Datagram<'_>) -> Option<Key> {
    let protocol = quoted.ends.protocol;
    match protocol {
        next::protocol::TCP | next::protocol::UDP => {
            Some(Key::Ports(protocol, word(quoted.upper, 0)?, word(quoted.upper, 2)?))
        }
        _ => Some(key_of(&flow_of(quoted))),
    }
}

fn answered_key(heard: &Datagram<'_>) -> Option<Key> {
    let (protocol, upper) = (heard.ends.protocol, heard.upper);
    match protocol {
        next::protocol::TCP | next::protocol::UDP => Some(Key::Ports(protocol, word(upper, 2)?, word(upper, 0)?)),
        next::protocol::ICMPV4 | next::protocol::ICMPV6 => {
            Some(Key::Numbers(protocol == next::protocol::ICMPV6, word(upper, 4)?, word(upper, 6)?))
        }
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|&bytes| u16::from_be_bytes(bytes))
}
