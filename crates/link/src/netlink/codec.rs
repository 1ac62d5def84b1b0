//! RFC 3549 §2: netlink messages and attributes as bytes.
//!
//! A message is a header of 16 bytes, a fixed part that its kind decides, and attributes (length, kind, value, padded to 4).
//! Numbers are in the machine's order.

use crate::sys::address::array;

/// Length of `struct nlmsghdr`.
pub(crate) const HEADER_LEN: usize = 16;
/// Length of `struct nlattr`.
const ATTRIBUTE_LEN: usize = 4;
/// Attribute kinds are the low 14 bits; above them are "nested" and "network order".
const KIND_MASK: u16 = 0x3fff;

/// A message being written.
#[derive(Clone, Debug)]
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// A message of `kind` (`RTM_*`) with `flags` (`NLM_F_*`; `NLM_F_REQUEST` is added), beginning with its fixed part.
    #[must_use]
    pub fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        // The flags are 16 bits wide in the header that they are defined for.
        let flags = u16::try_from(flags | libc::NLM_F_REQUEST).unwrap_or_default();
        let mut bytes = Vec::with_capacity(256);
        bytes.extend([0; 4]);
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(fixed);
        pad(&mut bytes);
        Self { bytes }
    }

    /// Adds an attribute.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.nest(kind, |request| request.bytes.extend(value))
    }

    /// Adds an attribute whose value is what `fill` adds: attributes, or a fixed part by [`Request::raw`] and attributes.
    pub fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.bytes.len();
        self.bytes.extend([0, 0]);
        self.bytes.extend(kind.to_ne_bytes());
        fill(self);
        // Values are at most a few hundred bytes: names, addresses, and nests of them.
        let len = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.bytes[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        pad(&mut self.bytes);
        self
    }

    /// Adds bytes as they are, padded to 4.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        pad(&mut self.bytes);
        self
    }

    /// The message, numbered.
    pub(crate) fn finish(mut self, sequence: u32) -> Vec<u8> {
        let len = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes[0..4].copy_from_slice(&len.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }

    /// Its kind.
    pub(crate) fn kind(&self) -> u16 {
        array(&self.bytes, 4).map_or(0, u16::from_ne_bytes)
    }

    /// Sets further flags.
    pub(crate) fn add_flags(&mut self, flags: i32) {
        let old = array(&self.bytes, 6).map_or(0, u16::from_ne_bytes);
        let new = old | u16::try_from(flags).unwrap_or_default();
        self.bytes[6..8].copy_from_slice(&new.to_ne_bytes());
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// A message that was received.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// `RTM_*` or `NLMSG_*`.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The number of the request that it answers.
    pub sequence: u32,
    /// The fixed part and the attributes.
    pub body: &'a [u8],
}

impl<'a> Reply<'a> {
    /// The attributes behind a fixed part of `fixed` bytes.
    #[must_use]
    pub fn attributes(&self, fixed: usize) -> Attributes<'a> {
        Attributes { bytes: self.body.get(fixed.next_multiple_of(4)..).unwrap_or_default() }
    }
}

/// The messages in one datagram.
pub(crate) fn replies(mut bytes: &[u8]) -> impl Iterator<Item = Reply<'_>> {
    core::iter::from_fn(move || {
        let len = usize::try_from(u32::from_ne_bytes(array(bytes, 0)?)).ok()?;
        let reply = Reply {
            kind: u16::from_ne_bytes(array(bytes, 4)?),
            flags: u16::from_ne_bytes(array(bytes, 6)?),
            sequence: u32::from_ne_bytes(array(bytes, 8)?),
            body: bytes.get(HEADER_LEN..len)?,
        };
        bytes = bytes.get(len.checked_next_multiple_of(4)?..).unwrap_or_default();
        Some(reply)
    })
}

/// The attributes of a message or of a nest: kind and value.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes nested in `value`.
    #[must_use]
    pub const fn nested(value: &'a [u8]) -> Self {
        Self { bytes: value }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let len = usize::from(u16::from_ne_bytes(array(self.bytes, 0)?));
        let kind = u16::from_ne_bytes(array(self.bytes, 2)?);
        let value = self.bytes.get(ATTRIBUTE_LEN..len)?;
        self.bytes = self.bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & KIND_MASK, value))
    }
}

/// A 32-bit value.
pub(crate) fn word(value: &[u8]) -> Option<u32> {
    array(value, 0).map(u32::from_ne_bytes)
}

/// A text that ends with a zero byte, with anything that is not text replaced.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

/// An IP address by its length.
pub(crate) fn ip(value: &[u8]) -> Option<core::net::IpAddr> {
    match value.len() {
        4 => array::<4>(value, 0).map(Into::into),
        16 => array::<16>(value, 0).map(Into::into),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_as_it_was_written() {
        let mut request = Request::new(18, libc::NLM_F_DUMP, &[1; 16]);
        request.attribute(3, b"veth0\0").nest(18, |r| {
            r.attribute(1, b"veth\0").attribute(2, &7u32.to_ne_bytes());
        });
        let bytes = request.finish(9);
        assert_eq!(bytes.len() % 4, 0);
        let reply = replies(&bytes).next().unwrap();
        assert_eq!((reply.kind, reply.sequence), (18, 9));
        assert_eq!(i32::from(reply.flags), libc::NLM_F_DUMP | libc::NLM_F_REQUEST);
        let attributes: Vec<_> = reply.attributes(16).collect();
        assert_eq!(attributes[0], (3, b"veth0\0".as_slice()));
        let nested: Vec<_> = Attributes::nested(attributes[1].1).collect();
        assert_eq!(nested, [(1, b"veth\0".as_slice()), (2, &7u32.to_ne_bytes())]);
    }

    #[test]
    fn several_messages_follow_one_another_and_a_lying_length_ends_them() {
        let mut bytes = Request::new(1, 0, &[0; 5]).finish(1);
        bytes.extend(Request::new(2, 0, &[]).finish(2));
        assert_eq!(replies(&bytes).map(|r| r.kind).collect::<Vec<_>>(), [1, 2]);
        for len in [0u32, 15, 4096, u32::MAX] {
            bytes[0..4].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(replies(&bytes).count(), 0, "{len}");
        }
    }

    #[test]
    fn attributes_of_length_zero_or_past_the_end_end_the_list() {
        for len in [0u16, 3, 9, u16::MAX] {
            let mut bytes = [0u8; 8];
            bytes[0..2].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(Attributes::nested(&bytes).count(), 0, "{len}");
        }
    }
}
