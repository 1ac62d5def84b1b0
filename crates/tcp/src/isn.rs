//! RFC 6528: initial sequence numbers, and RFC 7323 §5.4: the timestamp offset of a connection.

use core::fmt;
use core::hash::Hasher;
use core::net::{IpAddr, SocketAddr};

use siphasher::sip::SipHasher13;
use wirewright_units::Instant;
use wirewright_wire::{SeqLen, SeqNum};

/// The first numbers of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InitialNumbers {
    /// The initial send sequence number.
    pub iss: SeqNum,
    /// Added to our clock to make timestamps, so that they tell nothing about other connections or our uptime.
    pub timestamp_offset: u32,
}

/// Makes initial sequence numbers: a clock of 4 µs plus a keyed hash of the 4-tuple.
///
/// Two connections between the same ports, one after the other, get rising numbers; an outsider learns nothing from
/// the numbers of his own connections.
#[derive(Clone)]
pub struct IsnGenerator {
    key: [u8; 16],
}

impl IsnGenerator {
    /// A generator with this secret, random key.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The numbers for a connection that begins now.
    #[must_use]
    pub fn initial(&self, now: Instant, local: SocketAddr, remote: SocketAddr) -> InitialNumbers {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        for end in [local, remote] {
            match end.ip() {
                IpAddr::V4(addr) => hasher.write(&addr.octets()),
                IpAddr::V6(addr) => hasher.write(&addr.octets()),
            }
            hasher.write(&end.port().to_be_bytes());
        }
        let hash = hasher.finish();
        // RFC 9293 MUST-8: a clock that ticks about every 4 µs.
        let clock = (now.as_micros() / 4) as u32;
        InitialNumbers { iss: SeqNum::new(hash as u32) + SeqLen::new(clock), timestamp_offset: (hash >> 32) as u32 }
    }
}

/// The key is never shown.
impl fmt::Debug for IsnGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IsnGenerator { .. }")
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const A: SocketAddr = SocketAddr::new(IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 1)), 40_000);
    const B: SocketAddr = SocketAddr::new(IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 2)), 80);

    #[test]
    fn the_same_ports_get_a_number_that_rises_by_one_each_4_microseconds() {
        let isn = IsnGenerator::new([7; 16]);
        let first = isn.initial(Instant::from_millis(1), A, B);
        let later = isn.initial(Instant::from_millis(1) + Duration::from_secs(1), A, B);
        assert_eq!(later.iss.since(first.iss), SeqLen::new(250_000));
        assert_eq!(later.timestamp_offset, first.timestamp_offset);
    }

    #[test]
    fn key_direction_and_ports_all_matter() {
        let now = Instant::from_millis(1);
        let base = IsnGenerator::new([7; 16]).initial(now, A, B);
        assert_ne!(IsnGenerator::new([8; 16]).initial(now, A, B), base);
        assert_ne!(IsnGenerator::new([7; 16]).initial(now, B, A), base);
        let other_port = SocketAddr::new(A.ip(), 40_001);
        assert_ne!(IsnGenerator::new([7; 16]).initial(now, other_port, B), base);
    }

    #[test]
    fn the_key_does_not_show() {
        extern crate std;
        assert_eq!(std::format!("{:?}", IsnGenerator::new([7; 16])), "IsnGenerator { .. }");
    }
}
