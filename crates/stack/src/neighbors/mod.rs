//! RFC 826 and RFC 4861 §7.2: which Ethernet address belongs to an IP address on the link.
//!
//! In: addresses to be resolved, frames heard, `now`.
//! Out: ARP requests and neighbour solicitations, and what they found.
//! Above: the host, net. Below: wire.
//! Not here: routing (which address is the next hop), the kernel's table. Answers for our own addresses are the host's
//! wish: `own`.
//!
//! ```
//! # use core::net::{IpAddr, Ipv4Addr};
//! # use wirewright_stack::{Neighbors, Own};
//! # use wirewright_units::Instant;
//! # use wirewright_wire::MacAddr;
//! let own = Own { mac: MacAddr([2, 0, 0, 0, 0, 1]), ipv4: Some(Ipv4Addr::new(192, 0, 2, 1)), ipv6: None };
//! let mut neighbors = Neighbors::new(own);
//! let now = Instant::ORIGIN;
//! neighbors.resolve(now, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
//! while let Some(frame) = neighbors.poll_transmit(now) { /* send it */ }
//! // for each frame received: neighbors.handle_frame(now, &frame);
//! // sleep until neighbors.poll_timeout(), then neighbors.handle_timeout(now), and again:
//! while let Some(event) = neighbors.poll_event() { /* found, or given up */ }
//! ```

mod message;
mod own;

pub use own::answer_for;
pub(crate) use own::is_discovery;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use wirewright_units::Instant;
use wirewright_wire::MacAddr;

/// How often an address is asked for: RFC 4861 §10, MAX_MULTICAST_SOLICIT; ARP has no number and takes the same.
pub const ASKED_MAX: u8 = 3;
/// From one question to the next: RFC 4861 §10, RETRANS_TIMER; RFC 1122 §2.3.2.1 allows ARP one a second.
pub const RETRANS_TIMER: Duration = Duration::from_millis(1000);
/// How long an answer is believed: RFC 4861 §10, REACHABLE_TIME.
pub const REACHABLE_TIME: Duration = Duration::from_millis(30_000);
/// The most addresses remembered or asked for. Only what was asked for is remembered, so this bounds our own questions.
pub const NEIGHBORS_MAX: usize = 512;

/// Our own addresses on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// The interface's Ethernet address.
    pub mac: MacAddr,
    /// Our IPv4 address; without one, questions carry 0.0.0.0 as the ARP probes of RFC 5227 do.
    pub ipv4: Option<Ipv4Addr>,
    /// Our IPv6 address of the right scope; without one, no IPv6 neighbour can be asked for. The unspecified address asks as
    /// duplicate address detection does (RFC 4862 §5.4).
    pub ipv6: Option<Ipv6Addr>,
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Its Ethernet address.
    Known(MacAddr),
    /// It is being asked for.
    Asking,
    /// It cannot be asked for: no address of ours of this version, or [`NEIGHBORS_MAX`] are being asked for.
    CannotAsk,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Answered.
    Resolved {
        /// The address asked for.
        address: IpAddr,
        /// Where it is.
        mac: MacAddr,
    },
    /// Asked [`ASKED_MAX`] times, not answered.
    Failed {
        /// The address asked for.
        address: IpAddr,
    },
}

/// The neighbours on one link.
#[derive(Clone, Debug)]
pub struct Neighbors {
    own: Own,
    entries: BTreeMap<IpAddr, Entry>,
    events: VecDeque<Event>,
}

/// ```text
///            resolve              answer
///  (absent) ─────────▶ Asking ───────────▶ Known ── REACHABLE_TIME ──▶ (absent)
///                        │ ASKED_MAX questions
///                        ▼
///                     (absent, Event::Failed)
/// ```
#[derive(Clone, Copy, Debug)]
enum Entry {
    Asking { asked: u8, next: Instant },
    Known { mac: MacAddr, until: Instant },
}

impl Neighbors {
    /// A link on which nobody is known.
    #[must_use]
    pub const fn new(own: Own) -> Self {
        Self { own, entries: BTreeMap::new(), events: VecDeque::new() }
    }

    /// A frame was heard. `true`: it answered a question of ours. What was not asked for is not learnt.
    pub fn handle_frame(&mut self, now: Instant, frame: &[u8]) -> bool {
        let Some((address, mac)) = message::answer(frame, &self.own) else { return false };
        let Some(entry) = self.entries.get_mut(&address) else { return false };
        if mac.is_multicast() || mac == MacAddr::ZERO {
            return false;
        }
        let asked = matches!(entry, Entry::Asking { .. });
        *entry = Entry::Known { mac, until: now + REACHABLE_TIME };
        if asked {
            self.events.push_back(Event::Resolved { address, mac });
        }
        asked
    }

    /// Time has passed: gives up what was asked for often enough, forgets what is too old.
    pub fn handle_timeout(&mut self, now: Instant) {
        let events = &mut self.events;
        self.entries.retain(|&address, entry| match *entry {
            Entry::Asking { asked: ASKED_MAX, next } if next <= now => {
                events.push_back(Event::Failed { address });
                false
            }
            Entry::Known { until, .. } => until > now,
            Entry::Asking { .. } => true,
        });
    }

    /// Asks for an address, or says where it is.
    pub fn resolve(&mut self, now: Instant, address: IpAddr) -> Resolution {
        match self.entries.get(&address) {
            Some(Entry::Known { mac, until }) if *until > now => return Resolution::Known(*mac),
            Some(Entry::Asking { .. }) => return Resolution::Asking,
            _ => {}
        }
        let can = address.is_ipv4() || self.own.ipv6.is_some();
        if !can || !self.make_room() {
            return Resolution::CannotAsk;
        }
        self.entries.insert(address, Entry::Asking { asked: 0, next: now });
        Resolution::Asking
    }

    /// The next question to be sent now, as an Ethernet frame.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let own = self.own;
        self.entries.iter_mut().find_map(|(&address, entry)| match entry {
            Entry::Asking { asked, next } if *asked < ASKED_MAX && *next <= now => {
                *asked += 1;
                *next = now + RETRANS_TIMER;
                message::question(&own, address)
            }
            _ => None,
        })
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit) next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let when = |entry: &Entry| match *entry {
            Entry::Asking { next, .. } => next,
            Entry::Known { until, .. } => until,
        };
        self.entries.values().map(when).min()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Makes room for one entry: a known neighbour can be asked for again, a question cannot be dropped.
    fn make_room(&mut self) -> bool {
        if self.entries.len() < NEIGHBORS_MAX {
            return true;
        }
        let oldest = self.entries.iter().filter_map(|(&address, entry)| match *entry {
            Entry::Known { until, .. } => Some((until, address)),
            Entry::Asking { .. } => None,
        });
        match oldest.min() {
            Some((_, address)) => self.entries.remove(&address).is_some(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
