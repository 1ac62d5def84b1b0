//! A captured frame, the interface it was seen on, and a frame to be written.

use wirewright_units::UnixTime;

use crate::LinkType;

/// A frame out of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its number in the capture, counted from 1 as Wireshark does.
    pub number: u64,
    /// Index into [`Reader::interfaces`](crate::Reader::interfaces).
    pub interface: usize,
    /// When it was seen; [`UnixTime::EPOCH`] when the capture does not say.
    pub wall: UnixTime,
    /// The bytes that were kept.
    pub bytes: Vec<u8>,
    /// How many bytes it had when it was seen; never less than were kept.
    pub original_len: u32,
    /// Comments, in order.
    pub comments: Vec<String>,
    /// Which way it went, where the capture says.
    pub direction: Option<Direction>,
}

impl Frame {
    /// Whether bytes were cut off when it was captured.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        (self.original_len as usize) > self.bytes.len()
    }
}

/// Which way a frame went, seen from the capturing host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// An interface of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name; empty when the capture does not say.
    pub name: String,
    /// What it is; may be empty.
    pub description: String,
    /// What its frames begin with.
    pub link_type: LinkType,
    /// The most bytes kept of a frame; 0 for no limit.
    pub snap_len: u32,
}

impl Interface {
    /// An interface without description or limit.
    #[must_use]
    pub fn new(name: &str, link_type: LinkType) -> Self {
        Self { name: name.to_owned(), description: String::new(), link_type, snap_len: 0 }
    }

    /// With a description.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }
}

/// A frame to be written.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The index that [`Writer::add_interface`](crate::Writer::add_interface) returned.
    pub interface: usize,
    /// When it was seen.
    pub wall: UnixTime,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// How many bytes it had; counts as at least `bytes.len()`.
    pub original_len: u32,
    /// Comments; left out in pcap, which has no place for them.
    pub comments: Vec<&'a str>,
    /// Which way it went; left out in pcap.
    pub direction: Option<Direction>,
}

impl<'a> Record<'a> {
    /// A whole frame without comment or direction.
    #[must_use]
    pub fn new(interface: usize, wall: UnixTime, bytes: &'a [u8]) -> Self {
        Self { interface, wall, bytes, original_len: 0, comments: Vec::new(), direction: None }
    }

    /// With one more comment.
    #[must_use]
    pub fn comment(mut self, comment: &'a str) -> Self {
        self.comments.push(comment);
        self
    }

    /// With its direction.
    #[must_use]
    pub const fn direction(mut self, direction: Direction) -> Self {
        self.direction = Some(direction);
        self
    }

    pub(crate) fn original_len(&self) -> u32 {
        self.original_len.max(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX))
    }
}
