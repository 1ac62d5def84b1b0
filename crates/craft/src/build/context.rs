//! What a packet cannot know by itself: addresses of this host, and entropy.

use core::net::{Ipv4Addr, Ipv6Addr};

use wirewright_wire::MacAddr;

/// What fills the fields that no packet can know: this host's addresses on the way to the destination, and bytes for
/// what is drawn at random. The same packet and the same context give the same bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The route's source address for IPv4.
    pub source_v4: Option<Ipv4Addr>,
    /// The route's source address for IPv6.
    pub source_v6: Option<Ipv6Addr>,
    /// The interface's MAC.
    pub source_mac: Option<MacAddr>,
    /// The next hop's MAC.
    pub next_hop_mac: Option<MacAddr>,
    /// A reserved source port; else one is drawn out of the dynamic ports.
    pub source_port: Option<u16>,
    /// The ICMP echo identifier; else one is drawn.
    pub identifier: Option<u16>,
    /// Bytes that everything random is drawn from; fresh ones for each packet that is to differ.
    pub entropy: [u8; 32],
}

/// The first of the dynamic ports, RFC 6335 §6.
const DYNAMIC_PORTS_START: u16 = 49_152;

impl Context {
    /// 64 bits that depend on the entropy and on `lane`, and on nothing else.
    #[must_use]
    pub(crate) fn draw(&self, lane: u64) -> u64 {
        let mut words = [0u64; 4];
        for (word, chunk) in words.iter_mut().zip(self.entropy.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        let mut state = mix(words[0] ^ lane.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for word in &words[1..] {
            state = mix(state.wrapping_add(*word));
        }
        state
    }

    pub(crate) fn dynamic_port(&self, lane: u64) -> u16 {
        DYNAMIC_PORTS_START | (self.draw(lane) & 0x3fff) as u16
    }
}

/// A bijection of 64 bits that spreads every bit over all others (two rounds of multiply and shift).
const fn mix(mut x: u64) -> u64 {
    x ^= x >> 32;
    x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^= x >> 32;
    x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^ (x >> 32)
}
