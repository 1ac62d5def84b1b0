//! What the engine hands down: one segment, or a super-segment that the link cuts.

use wirewright_wire::checksum::Sum;
use wirewright_wire::tcp::{self, Flags, OptionsBuf};
use wirewright_wire::{SeqLen, SeqNum, WindowField};

use crate::Ports;

/// The most text in one super-segment: with headers it must fit the 16-bit length of an IP packet, which is what the
/// kernel's segmentation takes.
pub const SUPER_SEGMENT_BYTES_MAX: u32 = 65_535 - 60 - 60;

/// One segment to send, or a super-segment: a header template, the text in two slices, and the text of each segment.
///
/// The checksum is left zero: it covers addresses, which this crate does not know. [`emit_summed`](Self::emit_summed)
/// takes the pseudo-header's sum.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    header: tcp::Header,
    options: OptionsBuf,
    text: [&'a [u8]; 2],
    segment_size: u16,
}

impl<'a> Outgoing<'a> {
    /// A segment without text.
    pub(crate) fn control(
        ports: Ports,
        seq: SeqNum,
        ack: SeqNum,
        flags: Flags,
        window: WindowField,
        options: OptionsBuf,
    ) -> Self {
        let header = tcp::Header {
            source_port: ports.local,
            destination_port: ports.remote,
            sequence: seq,
            acknowledgment: ack,
            // At most 40 bytes of options: at most 15 words.
            data_offset: ((tcp::LEN + options.len()) / 4) as u8,
            flags,
            window,
            ..tcp::Header::default()
        };
        Self { header, options, text: [&[], &[]], segment_size: u16::MAX }
    }

    /// A reset; with `ack`, RST and ACK.
    pub(crate) fn reset(ports: Ports, seq: SeqNum, ack: Option<SeqNum>) -> Self {
        let flags = if ack.is_some() { Flags::RST | Flags::ACK } else { Flags::RST };
        let ack = ack.unwrap_or_default();
        Self::control(ports, seq, ack, flags, WindowField::new(0), OptionsBuf::new())
    }

    pub(crate) fn with_text(mut self, text: [&'a [u8]; 2], segment_size: u16) -> Self {
        self.text = text;
        self.segment_size = segment_size;
        self
    }

    /// Sets URG and the pointer, which shows behind the urgent data as far as 16 bits reach.
    pub(crate) fn set_urgent(&mut self, ahead: u64) {
        self.header.flags |= Flags::URG;
        self.header.urgent = u16::try_from(ahead).unwrap_or(u16::MAX);
    }

    /// The header of the first segment, checksum zero. FIN and PSH belong to the last segment only.
    #[must_use]
    pub const fn header(&self) -> &tcp::Header {
        &self.header
    }

    /// The option bytes, the same in every segment.
    #[must_use]
    pub fn options(&self) -> &[u8] {
        self.options.as_bytes()
    }

    /// The text, the second slice behind the first.
    #[must_use]
    pub const fn text(&self) -> [&'a [u8]; 2] {
        self.text
    }

    /// The control bits.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        self.header.flags
    }

    /// The text of each segment but perhaps the last.
    #[must_use]
    pub const fn segment_size(&self) -> u16 {
        self.segment_size
    }

    /// Fixed header and options.
    #[must_use]
    pub fn header_len(&self) -> usize {
        tcp::LEN + self.options.len()
    }

    /// The length of the text.
    #[must_use]
    pub const fn text_len(&self) -> usize {
        self.text[0].len() + self.text[1].len()
    }

    /// Header and text.
    #[must_use]
    pub fn total_len(&self) -> usize {
        self.header_len() + self.text_len()
    }

    /// How many segments this becomes on the wire: at least one.
    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.text_len().div_ceil(self.segment_size.max(1).into()).max(1)
    }

    /// The segments one by one, as they go over the wire.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = Outgoing<'a>> + '_ {
        (0..self.segment_count()).map(|index| self.segment(index))
    }

    /// The segment with this index, which is below [`segment_count`](Self::segment_count); an empty one behind the last.
    fn segment(&self, index: usize) -> Self {
        let size = usize::from(self.segment_size.max(1));
        let start = (index * size).min(self.text_len());
        let end = (start + size).min(self.text_len());
        let [first, second] = self.text;
        let split = first.len();
        let mut cut = Self {
            text: [&first[start.min(split)..end.min(split)], &second[start.max(split) - split..end.max(split) - split]],
            ..self.clone()
        };
        // An IP packet's worth of text fits 32 bits.
        cut.header.sequence += SeqLen::new(start as u32);
        if index + 1 < self.segment_count() {
            cut.header.flags = cut.header.flags.without(Flags::FIN | Flags::PSH);
        }
        if cut.header.flags.contains(Flags::URG) {
            cut.header.urgent = match usize::from(self.header.urgent).checked_sub(start) {
                Some(ahead) if ahead > 0 => ahead as u16,
                _ => {
                    cut.header.flags = cut.header.flags.without(Flags::URG);
                    0
                }
            };
        }
        cut
    }

    /// Writes header and options, and returns their length.
    ///
    /// # Panics
    /// When `buf` is shorter than [`header_len`](Self::header_len).
    pub fn emit_header(&self, buf: &mut [u8]) -> usize {
        let (fixed, rest) = buf.split_first_chunk_mut::<{ tcp::LEN }>().expect("room for the header");
        self.header.emit(fixed);
        rest[..self.options.len()].copy_from_slice(self.options.as_bytes());
        self.header_len()
    }

    /// Writes header and text with a checksum of zero, and returns their length.
    ///
    /// # Panics
    /// When `buf` is shorter than [`total_len`](Self::total_len).
    pub fn emit(&self, buf: &mut [u8]) -> usize {
        let mut at = self.emit_header(buf);
        for slice in self.text {
            buf[at..at + slice.len()].copy_from_slice(slice);
            at += slice.len();
        }
        at
    }

    /// Writes header and text with their checksum (RFC 9293 MUST-2); `pseudo` is the sum of the pseudo-header, over the
    /// length that is written. Returns that length.
    ///
    /// # Panics
    /// When `buf` is shorter than [`total_len`](Self::total_len).
    pub fn emit_summed(&self, pseudo: Sum, buf: &mut [u8]) -> usize {
        let len = self.emit(buf);
        let sum = pseudo.add(&buf[..len]).finish();
        buf[16..18].copy_from_slice(&sum.to_be_bytes());
        len
    }
}
