//! What a host is told when it is made: addresses, routes, its link, its secrets.

use alloc::sync::Arc;
use alloc::vec::Vec;

use wirewright_tcp as tcp;
use wirewright_wire::MacAddr;

use crate::routes::{Prefix, Route};

/// A host's settings.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Our addresses, each with the prefix that is reached without a router.
    pub addresses: Vec<Prefix>,
    /// The routes beside those of the addresses' prefixes.
    pub routes: Vec<Route>,
    /// What frames begin with.
    pub link: Link,
    /// The largest IP packet of the link, in bytes.
    pub mtu: u16,
    /// What the link below does for us.
    pub offload: Offload,
    /// Whose the addresses are.
    pub ownership: Ownership,
    /// The settings of IPv4 connections; the MSS is cut to the link's MTU.
    pub tcp_v4: Arc<tcp::Config>,
    /// The settings of IPv6 connections; the MSS is cut to the link's MTU.
    pub tcp_v6: Arc<tcp::Config>,
    /// Random bytes, secret: the tables, the initial sequence numbers, the ports and the flow labels are keyed with them.
    pub secret: Secret,
}

/// 32 random bytes that never show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret(pub [u8; 32]);

impl Secret {
    /// A key for one purpose.
    pub(crate) fn key(&self, purpose: u8) -> [u8; 16] {
        use core::hash::Hasher;
        let mut key = [0; 16];
        for (half, out) in key.chunks_exact_mut(8).enumerate() {
            let mut hasher = siphasher::sip::SipHasher13::new_with_key(self.0[..16].first_chunk().expect("16 of 32"));
            hasher.write(&self.0[16..]);
            // Two halves.
            hasher.write(&[purpose, half as u8]);
            out.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        key
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What frames begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// An IP header: TUN, raw IP sockets, a pair in memory.
    Ip,
    /// An Ethernet header: the host answers ARP and neighbour discovery for its addresses, and asks for its neighbours.
    Ethernet {
        /// Our Ethernet address.
        mac: MacAddr,
    },
}

/// What a link does on the way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Offload {
    /// It cuts super-segments.
    pub segmentation: bool,
    /// It completes partial checksums.
    pub checksum: bool,
}

/// Whose a host's addresses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Ours alone: echo requests are answered, datagrams to closed ports called unreachable.
    Own,
    /// The kernel has them too, and answers for what is not ours. Only segments of ports that are ours come here: those
    /// that belong to nothing are reset.
    SharedWithKernel,
}

/// So many connections a host has at most; each costs some hundred bytes, and buffers while it is not idle.
pub const CONNECTIONS_MAX: usize = 65_536;
/// So many 4-tuples wait in TIME-WAIT; the oldest goes for a new one. Linux keeps as many a gigabyte of memory, roughly.
pub const TIME_WAITS_MAX: usize = 16_384;
/// So many half-open connections a listener has, unless told otherwise: one that is flooded with SYNs forgets the oldest,
/// and costs no more than this. At 96 bytes each 100 kB.
pub const HALF_OPEN_MAX: usize = 1024;
/// So many connections wait to be accepted, unless told otherwise; Linux's `somaxconn` was 128 for long.
pub const ACCEPT_MAX: usize = 128;
/// So many answers that belong to no connection (resets, echo replies) wait to be sent. What comes beyond is forgotten: it
/// answers something that will be repeated.
pub const ANSWERS_MAX: usize = 256;
/// So many packets wait for the Ethernet address of their next hop. RFC 1122 §2.3.2.2 asks for one at least; TCP and its
/// users repeat the rest.
pub const WAITING_FOR_NEIGHBOR_MAX: usize = 64;
