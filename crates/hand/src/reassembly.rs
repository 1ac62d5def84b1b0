//! Fragments heard, put together before anything is matched with them: RFC 791 §3.2, RFC 8200 §4.5, RFC 5722.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use wirewright_units::Instant;
use wirewright_wire::assembly::{Added, Assembly, UNIT};
use wirewright_wire::checksum::Sum;
use wirewright_wire::{ipv4, ipv6, next};

use crate::First;
use crate::probes::behind_the_link;

/// The most datagrams that are incomplete together; the oldest is given up for a new one. Each answer that is awaited may be
/// one; strangers' fragments must not take more.
pub const DATAGRAMS_MAX: usize = 64;
/// The most bytes kept of incomplete datagrams, each counted twice, as part of the whole and of its frame; the oldest is given up for more. As much as Linux keeps (`ipfrag_high_thresh`).
pub const BYTES_MAX: usize = 4 << 20;
/// What one fragment costs beside its bytes, roughly: its headers, and what is kept of it.
const FRAGMENT_COST: usize = 256;
/// How long the rest of a datagram is awaited from its first fragment on. As long as Linux waits (`ipfrag_time`), between
/// the 15 s of RFC 791 and the 60 s of RFC 8200 §4.5.
pub const WAIT: Duration = Duration::from_secs(30);

/// What a packet is to the reassembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival<T> {
    /// No fragment: it is taken as it is.
    Whole(T),
    /// A fragment; others of its datagram are missing.
    Held,
    /// The last fragment that was missing.
    Complete(Reassembled<T>),
    /// A fragment that is dropped.
    Dropped(Dropped),
}

/// Why a fragment is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// The same bytes came before.
    Repeated,
    /// It overlaps others. Its whole datagram is dropped, and what comes of it still (RFC 5722 §4; IPv4 likewise, as Linux
    /// does: which of two claims the receiver believed is what an attacker would use).
    Overlapping,
    /// No datagram has such a fragment: no bytes, a wrong length, behind the end.
    Impossible,
}

/// A datagram put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassembled<T> {
    /// The IP packet: the headers of its first fragment, lengths and header checksum of the whole.
    pub packet: Vec<u8>,
    /// What was given with each fragment, in the order in which they came.
    pub fragments: Vec<T>,
}

/// Incomplete datagrams. `T` is what is kept of each fragment for who wants to see them as they came.
#[derive(Clone, Debug)]
pub struct Reassembly<T> {
    datagrams: VecDeque<Datagram<T>>,
    bytes: usize,
}

impl<T> Default for Reassembly<T> {
    fn default() -> Self {
        Self { datagrams: VecDeque::new(), bytes: 0 }
    }
}

/// Fragments belong together that agree in these: RFC 791 §2.3, RFC 8200 §4.5 (which does not ask for the protocol).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: Option<u8>,
    identification: u32,
}

/// One fragment, taken apart.
struct Fragment<'a> {
    key: Key,
    offset: usize,
    more: bool,
    /// What stands before the part that was cut, the fragment header of IPv6 left out.
    headers: &'a [u8],
    /// IPv6: the byte in `headers` that announces what follows, and what follows once the fragment header is gone.
    next: Option<(usize, u8)>,
    data: &'a [u8],
}

#[derive(Clone, Debug)]
struct Datagram<T> {
    key: Key,
    deadline: Instant,
    assembly: Assembly,
    data: Vec<u8>,
    headers: Option<Vec<u8>>,
    fragments: Vec<T>,
    /// Two fragments overlapped: nothing more is kept of it.
    is_spoilt: bool,
}

impl<T> Reassembly<T> {
    /// Takes a packet that arrived at `now` and begins with `first`, and what is kept of it should it be a fragment.
    pub fn handle_received(&mut self, now: Instant, bytes: &[u8], first: First, kept: T) -> Arrival<T> {
        self.expire(now);
        let Some(fragment) = behind_the_link(bytes, first).and_then(fragment_of) else { return Arrival::Whole(kept) };
        let index = match self.datagrams.iter().position(|datagram| datagram.key == fragment.key) {
            Some(index) => index,
            None => self.begin(now, fragment.key),
        };
        let datagram = &mut self.datagrams[index];
        if datagram.is_spoilt {
            return Arrival::Dropped(Dropped::Overlapping);
        }
        let before = datagram.cost();
        if let Err(dropped) = datagram.add(&fragment) {
            if dropped == Dropped::Overlapping {
                self.bytes -= before;
                datagram.spoil();
            } else if datagram.assembly.is_empty() {
                self.datagrams.remove(index);
            }
            return Arrival::Dropped(dropped);
        }
        datagram.fragments.push(kept);
        let after = datagram.cost();
        self.bytes += after - before;
        if let Some(packet) = self.datagrams[index].whole() {
            self.bytes -= after;
            let fragments = self.datagrams.remove(index).map(|datagram| datagram.fragments).unwrap_or_default();
            return Arrival::Complete(Reassembled { packet, fragments });
        }
        while self.bytes > BYTES_MAX {
            self.give_up_oldest();
        }
        Arrival::Held
    }

    /// How many datagrams are incomplete.
    #[must_use]
    pub fn awaited(&self) -> usize {
        self.datagrams.iter().filter(|datagram| !datagram.is_spoilt).count()
    }

    fn begin(&mut self, now: Instant, key: Key) -> usize {
        if self.datagrams.len() == DATAGRAMS_MAX {
            self.give_up_oldest();
        }
        self.datagrams.push_back(Datagram {
            key,
            deadline: now + WAIT,
            assembly: Assembly::default(),
            data: Vec::new(),
            headers: None,
            fragments: Vec::new(),
            is_spoilt: false,
        });
        self.datagrams.len() - 1
    }

    /// They stand in the order of their deadlines, which all are as far from their first fragment.
    fn expire(&mut self, now: Instant) {
        while self.datagrams.front().is_some_and(|datagram| datagram.deadline <= now) {
            self.give_up_oldest();
        }
    }

    fn give_up_oldest(&mut self) {
        let Some(datagram) = self.datagrams.pop_front() else { return };
        self.bytes -= datagram.cost();
    }
}

impl<T> Datagram<T> {
    fn add(&mut self, fragment: &Fragment<'_>) -> Result<(), Dropped> {
        let range = fragment.offset..fragment.offset + fragment.data.len();
        match self.assembly.add(fragment.offset, fragment.data.len(), fragment.more) {
            Added::New | Added::Complete => {}
            Added::There if self.data.get(range) == Some(fragment.data) => return Err(Dropped::Repeated),
            Added::There | Added::Overlaps => return Err(Dropped::Overlapping),
            Added::Impossible => return Err(Dropped::Impossible),
        }
        if self.data.len() < range.end {
            self.data.resize(range.end, 0);
        }
        self.data[range].copy_from_slice(fragment.data);
        if fragment.offset == 0 {
            let mut headers = fragment.headers.to_vec();
            if let Some((at, protocol)) = fragment.next {
                headers[at] = protocol;
            }
            self.headers = Some(headers);
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        2 * self.data.len() + self.fragments.len() * FRAGMENT_COST
    }

    fn spoil(&mut self) {
        self.is_spoilt = true;
        (self.data, self.headers, self.fragments) = (Vec::new(), None, Vec::new());
    }

    /// The whole packet, once nothing is missing.
    fn whole(&self) -> Option<Vec<u8>> {
        self.assembly.len()?;
        let mut packet = self.headers.clone()?;
        let headers_len = packet.len();
        packet.extend_from_slice(&self.data);
        // What is longer than its length field can say has no such length: it is not the sender's either.
        let is_v6 = self.key.source.is_ipv6();
        let len = u16::try_from(packet.len() - if is_v6 { ipv6::LEN } else { 0 }).ok()?;
        let field = if is_v6 { 4..6 } else { 2..4 };
        packet[field].copy_from_slice(&len.to_be_bytes());
        if !is_v6 {
            // The reserved bit and DF stay, MF and the offset go.
            packet[6] &= 0xc0;
            packet[7] = 0;
            packet[10..12].fill(0);
            let sum = Sum::new().add(&packet[..headers_len]).finish();
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        Some(packet)
    }
}

/// Takes an IP packet apart that is a fragment; `None` for any other.
fn fragment_of(packet: &[u8]) -> Option<Fragment<'_>> {
    match packet.first()? >> 4 {
        4 => fragment_v4(packet),
        6 => fragment_v6(packet),
        _ => None,
    }
}

fn fragment_v4(packet: &[u8]) -> Option<Fragment<'_>> {
    let (header, _) = ipv4::View::split(packet)?;
    let (more, offset) = (header.mf(), usize::from(header.fragment_offset()) * UNIT);
    if !more && offset == 0 {
        return None;
    }
    let headers_len = usize::from(header.ihl()) * 4;
    let end = usize::from(header.total_length()).min(packet.len());
    let key = Key {
        source: header.source().into(),
        destination: header.destination().into(),
        protocol: Some(header.protocol()),
        identification: header.identification().into(),
    };
    let headers = packet.get(..headers_len).filter(|headers| headers.len() >= ipv4::LEN)?;
    Some(Fragment { key, offset, more, headers, next: None, data: packet.get(headers_len..end)? })
}

fn fragment_v6(packet: &[u8]) -> Option<Fragment<'_>> {
    /// The byte of the fixed header that announces what follows.
    const NEXT_HEADER: usize = 6;
    let (header, rest) = ipv6::View::split(packet)?;
    let payload = &rest[..usize::from(header.payload_length()).min(rest.len())];
    let mut announced_at = NEXT_HEADER;
    for extension in ipv6::ext::Extensions::new(header.next_header(), payload) {
        let extension = extension.ok()?;
        if extension.protocol != next::protocol::FRAGMENT {
            announced_at = ipv6::LEN + extension.offset;
            continue;
        }
        let cut = ipv6::ext::fragment::Header::parse(extension.bytes.first_chunk()?);
        // RFC 6946: a fragment that is all there is stands for itself.
        if !cut.more && cut.offset == 0 {
            return None;
        }
        let key = Key {
            source: header.source().into(),
            destination: header.destination().into(),
            protocol: None,
            identification: cut.identification,
        };
        return Some(Fragment {
            key,
            offset: usize::from(cut.offset) * UNIT,
            more: cut.more,
            headers: &packet[..ipv6::LEN + extension.offset],
            next: Some((announced_at, cut.next_header)),
            data: payload.get(extension.offset + extension.bytes.len()..)?,
        });
    }
    None
}

/// Whether a packet is a fragment, by its own header.
#[must_use]
pub fn is_fragment(bytes: &[u8], first: First) -> bool {
    behind_the_link(bytes, first).and_then(fragment_of).is_some()
}

#[cfg(test)]
mod tests;
