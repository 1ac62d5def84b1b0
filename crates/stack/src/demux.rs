//! From 4-tuple to whom it belongs: one table each for listeners, half-open connections, connections and TIME-WAIT.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash, Hasher};
use core::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;
use siphasher::sip::SipHasher13;
use wirewright_tcp::{Connection, HalfOpen, Listener, Ports, TimeWait};
use wirewright_units::Instant;

use crate::icmp::Trouble;

/// Both ends of a connection, ours first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FourTuple {
    /// Ours.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

impl FourTuple {
    /// The ports alone.
    #[must_use]
    pub const fn ports(&self) -> Ports {
        Ports { local: self.local.port(), remote: self.remote.port() }
    }
}

/// Scope and flow label of an IPv6 address take no part: segments do not tell them.
impl Hash for FourTuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for end in [self.local, self.remote] {
            match end.ip() {
                IpAddr::V4(address) => state.write(&address.octets()),
                IpAddr::V6(address) => state.write(&address.octets()),
            }
            state.write_u16(end.port());
        }
    }
}

/// A keyed hash: who chooses 4-tuples cannot choose where they fall.
#[derive(Clone, Copy)]
pub(crate) struct Keyed([u8; 16]);

impl Keyed {
    pub(crate) const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }
}

impl core::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Keyed(..)")
    }
}

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_key(&self.0)
    }
}

/// A connection of a host. It is never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A listener of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub(crate) u32);

/// A connection and what the host knows of it.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) conn: Connection,
    pub(crate) id: ConnectionId,
    pub(crate) tuple: FourTuple,
    /// It stands in the table; false once TIME-WAIT or nobody has its 4-tuple.
    pub(crate) is_in_table: bool,
    /// The user has gone.
    pub(crate) is_released: bool,
    /// It stands in the queue of those that may have something to send.
    pub(crate) may_send: bool,
    /// It stands in the queue of those that may have something to tell.
    pub(crate) may_tell: bool,
    /// The earliest time that stands for it in the timers.
    pub(crate) armed: Option<Instant>,
    /// The last thing that ICMP said of it.
    pub(crate) trouble: Option<Trouble>,
}

/// A half-open connection and its listener.
#[derive(Debug)]
pub(crate) struct Halfway {
    pub(crate) half_open: HalfOpen,
    pub(crate) listener: ListenerId,
    pub(crate) may_send: bool,
    /// The time that stands for it in the timers.
    pub(crate) armed: Option<Instant>,
}

/// A 4-tuple in TIME-WAIT.
#[derive(Debug)]
pub(crate) struct Lingering {
    pub(crate) time_wait: TimeWait,
    pub(crate) may_send: bool,
    /// The time that stands for it in the timers.
    pub(crate) armed: Option<Instant>,
}

/// A listener, who waits for it, and who is on the way.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) listener: Listener,
    pub(crate) local: SocketAddr,
    /// Complete, not accepted yet.
    pub(crate) accept: VecDeque<ConnectionId>,
    pub(crate) accept_max: usize,
    /// In the order of their SYNs; those that are half-open no longer are skipped.
    pub(crate) order: VecDeque<FourTuple>,
    pub(crate) half_open: usize,
    pub(crate) half_open_max: usize,
    /// Its user has not been told yet that there is one to accept.
    pub(crate) must_tell: bool,
}

/// The tables.
#[derive(Debug)]
pub(crate) struct Demux {
    pub(crate) connections: HashMap<FourTuple, u32, Keyed>,
    pub(crate) half_open: HashMap<FourTuple, Halfway, Keyed>,
    pub(crate) time_wait: HashMap<FourTuple, Lingering, Keyed>,
    /// By address and port; `None`: any of our addresses of a version.
    listeners: HashMap<(Option<IpAddr>, bool, u16), ListenerId, Keyed>,
    listening: Vec<Option<Box<Listening>>>,
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    held: Option<Box<Connected>>,
}

impl Demux {
    pub(crate) fn new(hasher: Keyed) -> Self {
        Self {
            connections: HashMap::with_hasher(hasher),
            half_open: HashMap::with_hasher(hasher),
            time_wait: HashMap::with_hasher(hasher),
            listeners: HashMap::with_hasher(hasher),
            listening: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many connections there are, in the table or still held by their users.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// A 4-tuple that nobody has.
    pub(crate) fn is_free(&self, tuple: &FourTuple) -> bool {
        !self.connections.contains_key(tuple)
            && !self.half_open.contains_key(tuple)
            && !self.time_wait.contains_key(tuple)
    }

    /// Puts a connection at its 4-tuple.
    pub(crate) fn insert(&mut self, conn: Connection, tuple: FourTuple) -> ConnectionId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, held: None });
            // CONNECTIONS_MAX fits.
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        let id = ConnectionId { index, generation: slot.generation };
        slot.held = Some(Box::new(Connected {
            conn,
            id,
            tuple,
            is_in_table: true,
            is_released: false,
            may_send: false,
            may_tell: false,
            armed: None,
            trouble: None,
        }));
        self.connections.insert(tuple, index);
        id
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connected> {
        let slot = self.slots.get(id.index as usize)?;
        slot.held.as_deref().filter(|_| slot.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connected> {
        let slot = self.slots.get_mut(id.index as usize)?;
        slot.held.as_deref_mut().filter(|_| slot.generation == id.generation)
    }

    /// The connection that a table entry leads to.
    pub(crate) fn at_mut(&mut self, index: u32) -> Option<&mut Connected> {
        self.slots.get_mut(index as usize)?.held.as_deref_mut()
    }

    /// The connection at a 4-tuple.
    pub(crate) fn by_tuple_mut(&mut self, tuple: &FourTuple) -> Option<&mut Connected> {
        let index = *self.connections.get(tuple)?;
        self.at_mut(index)
    }

    /// Takes a connection out of the table; its user may still read what it holds.
    pub(crate) fn leave_table(&mut self, id: ConnectionId) {
        let Some(held) = self.get_mut(id).filter(|held| held.is_in_table) else { return };
        held.is_in_table = false;
        let tuple = held.tuple;
        self.connections.remove(&tuple);
    }

    /// Forgets a connection.
    pub(crate) fn remove(&mut self, id: ConnectionId) {
        self.leave_table(id);
        let Some(slot) = self.slots.get_mut(id.index as usize) else { return };
        if slot.generation == id.generation && slot.held.take().is_some() {
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(id.index);
        }
    }

    /// Every connection.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Connected> {
        self.slots.iter().filter_map(|slot| slot.held.as_deref())
    }

    /// Begins to listen; `None` when somebody does already.
    pub(crate) fn listen(&mut self, listening: Listening) -> Option<ListenerId> {
        let key = key_of(listening.local);
        if self.listeners.contains_key(&key) {
            return None;
        }
        let at = self.listening.iter().position(Option::is_none).unwrap_or_else(|| {
            self.listening.push(None);
            self.listening.len() - 1
        });
        self.listening[at] = Some(Box::new(listening));
        let id = ListenerId(u32::try_from(at).unwrap_or(u32::MAX));
        self.listeners.insert(key, id);
        Some(id)
    }

    /// The listener of an address and port: one for that address, or one for any.
    pub(crate) fn listener_of(&self, local: SocketAddr) -> Option<ListenerId> {
        let any = (None, local.is_ipv4(), local.port());
        self.listeners.get(&key_of(local)).or_else(|| self.listeners.get(&any)).copied()
    }

    pub(crate) fn listening(&self, id: ListenerId) -> Option<&Listening> {
        self.listening.get(id.0 as usize)?.as_deref()
    }

    pub(crate) fn listening_mut(&mut self, id: ListenerId) -> Option<&mut Listening> {
        self.listening.get_mut(id.0 as usize)?.as_deref_mut()
    }

    /// Stops listening. The half-open and the complete ones are the caller's to end.
    pub(crate) fn unlisten(&mut self, id: ListenerId) -> Option<Box<Listening>> {
        let listening = self.listening.get_mut(id.0 as usize)?.take()?;
        self.listeners.remove(&key_of(listening.local));
        Some(listening)
    }

    /// Takes a half-open connection out.
    pub(crate) fn end_half_open(&mut self, tuple: &FourTuple) -> Option<Halfway> {
        let halfway = self.half_open.remove(tuple)?;
        if let Some(listening) = self.listening_mut(halfway.listener) {
            listening.half_open = listening.half_open.saturating_sub(1);
        }
        Some(halfway)
    }

    /// Makes room for one more half-open connection of a listener: the oldest goes.
    pub(crate) fn forget_oldest_half_open(&mut self, listener: ListenerId) -> Option<(FourTuple, Halfway)> {
        let listening = self.listening(listener)?;
        if listening.half_open < listening.half_open_max {
            return None;
        }
        while let Some(oldest) = self.listening_mut(listener)?.order.pop_front() {
            if self.half_open.get(&oldest).is_some_and(|halfway| halfway.listener == listener) {
                return self.end_half_open(&oldest).map(|halfway| (oldest, halfway));
            }
        }
        None
    }

    /// Puts a half-open connection at its 4-tuple.
    pub(crate) fn begin_half_open(&mut self, tuple: FourTuple, half_open: HalfOpen, listener: ListenerId) {
        self.half_open.insert(tuple, Halfway { half_open, listener, may_send: false, armed: None });
        let Some(listening) = self.listening_mut(listener) else { return };
        listening.half_open += 1;
        listening.order.push_back(tuple);
        // Those that were completed or given up still stand in the order: it is tidied before it outgrows the limit.
        if listening.order.len() > 2 * listening.half_open_max.max(16) {
            let mut order = core::mem::take(&mut listening.order);
            order.retain(|tuple| self.half_open.get(tuple).is_some_and(|halfway| halfway.listener == listener));
            if let Some(listening) = self.listening_mut(listener) {
                listening.order = order;
            }
        }
    }
}

/// The key of a listener: the unspecified address stands for any.
fn key_of(local: SocketAddr) -> (Option<IpAddr>, bool, u16) {
    let address = Some(local.ip()).filter(|address| !address.is_unspecified());
    (address, local.is_ipv4(), local.port())
}
