//! RFC 6056: which port a connection comes from when its user does not care.

use core::hash::{BuildHasher, Hasher};
use core::net::{IpAddr, SocketAddr};

use wirewright_units::Instant;

use crate::demux::FourTuple;
use crate::host::Host;

/// RFC 6335 §6: the dynamic ports.
const FIRST: u16 = 49_152;
const COUNT: u16 = u16::MAX - FIRST + 1;

impl Host {
    /// RFC 6056 §3.3.3: a keyed hash of the peer, and from there the next free one. Time takes part, so that a pair of ends
    /// is not used again soon.
    pub(crate) fn free_tuple(&self, now: Instant, address: IpAddr, remote: SocketAddr) -> Option<FourTuple> {
        let mut hasher = self.ports.build_hasher();
        for ip in [address, remote.ip()] {
            match ip {
                IpAddr::V4(ip) => hasher.write(&ip.octets()),
                IpAddr::V6(ip) => hasher.write(&ip.octets()),
            }
        }
        hasher.write_u16(remote.port());
        hasher.write_u64(now.as_nanos());
        // Cut to 16 bits.
        let start = hasher.finish() as u16 % COUNT;
        (0..COUNT).find_map(|step| {
            let port = FIRST + (start.wrapping_add(step)) % COUNT;
            let tuple = FourTuple { local: (address, port).into(), remote };
            let is_free = self.demux.is_free(&tuple) && self.demux.listener_of(tuple.local).is_none();
            is_free.then_some(tuple)
        })
    }
}
