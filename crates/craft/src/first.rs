//! What bytes begin with.

use wirewright_wire::{HeaderDesc, next};

use crate::layers;

/// What bytes begin with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum First {
    /// An Ethernet header.
    Ethernet,
    /// An IP header, its version in the first four bits.
    Ip,
    /// This header alone, without the layers below it.
    Layer(&'static HeaderDesc),
}

impl PartialEq for First {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for First {}

impl First {
    /// What a packet whose outermost layer has this table begins with.
    #[must_use]
    pub fn of(desc: &'static HeaderDesc) -> Self {
        match desc.key {
            "eth" => Self::Ethernet,
            "ip" | "ip6" => Self::Ip,
            _ => Self::Layer(desc),
        }
    }

    /// The first that a layer word names: `eth ip ip6 tcp udp icmp…`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        layers::known(word).map(Self::of)
    }

    /// The word: `eth`, `ip`, or the layer's own.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Ethernet => "eth",
            Self::Ip => "ip",
            Self::Layer(desc) => desc.key,
        }
    }

    /// The table of the first header in these bytes; `None` without bytes.
    #[must_use]
    pub fn desc(self, bytes: &[u8]) -> Option<&'static HeaderDesc> {
        let first = bytes.first()?;
        Some(match self {
            Self::Ethernet => layers::eth(),
            Self::Ip => next::ip_version(*first).unwrap_or(layers::ip()),
            Self::Layer(desc) => desc,
        })
    }

    /// The most likely beginning of bytes that come without one: an Ethernet header whose type fits what stands behind it,
    /// an IP header whose lengths fit, else Ethernet when there is room for it.
    #[must_use]
    pub fn guess(bytes: &[u8]) -> Self {
        let ip = ip_likelihood(bytes);
        let ethernet = ethernet_likelihood(bytes);
        if ip > ethernet || bytes.len() < layers::eth().len { Self::Ip } else { Self::Ethernet }
    }
}

/// 0: cannot be an IP header; 1: its version fits; 3: its lengths fit too; 2: they nearly do.
fn ip_likelihood(bytes: &[u8]) -> u8 {
    let Some(&first) = bytes.first() else { return 0 };
    let len = |at: usize| bytes.get(at..at + 2).map_or(0, |b| usize::from(b[0]) << 8 | usize::from(b[1]));
    match (first >> 4, first & 15) {
        (4, 5..) if bytes.len() >= 20 => match len(2) {
            total if total == bytes.len() => 4,
            // A length of 0 is a beginner's or an offloading kernel's; less than the bytes is padding.
            total if total == 0 || (20..bytes.len()).contains(&total) => 3,
            _ => 1,
        },
        (6, _) if bytes.len() >= 40 => match len(4) + 40 {
            total if total == bytes.len() => 4,
            total if total < bytes.len() => 2,
            _ => 1,
        },
        _ => 0,
    }
}

/// 0: cannot be Ethernet; 2: its type is known; 4: and what stands behind it fits the type.
fn ethernet_likelihood(bytes: &[u8]) -> u8 {
    let Some(kind) = bytes.get(12..14) else { return 0 };
    let kind = u16::from_be_bytes([kind[0], kind[1]]);
    let Some(desc) = next::ether_type(kind) else { return 0 };
    let behind = &bytes[14..];
    match desc.key {
        "ip" | "ip6" => match behind.first().and_then(|&b| next::ip_version(b)) {
            Some(version) if version.key == desc.key => 4,
            _ => 1,
        },
        _ => 3,
    }
}
