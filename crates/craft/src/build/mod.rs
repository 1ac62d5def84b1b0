//! From settings to bytes: what fills itself is filled last, from the bytes as they will leave.
//!
//! In: a [`Packet`], a [`Context`].
//! Out: [`Built`]: the bytes, the span and origin of each field, notes.
//! Above: the callers of `build`. Below: `packet`, wire's tables and checksum.
//! Not here: words, names, any choice of a way onto the wire.

mod context;
mod error;
mod fill;
mod spans;
mod sums;

use alloc::vec::Vec;

use wirewright_wire::{Auto, FieldDesc, HeaderDesc};

pub use context::Context;
pub use error::{BuildError, Note};
pub use spans::{Origin, Span, What};

use crate::packet::{Layer, Packet, Payload, Place};
use crate::{First, MAX_LAYERS, MAX_PAYLOAD_BYTES, layers};

/// A packet as bytes.
#[derive(Clone, Debug)]
pub struct Built {
    /// The bytes from the first layer to the trailer.
    pub bytes: Vec<u8>,
    /// What the bytes begin with.
    pub first: First,
    /// The bytes and bits of each field, option, padding, payload and trailer, in wire order, without gaps.
    pub spans: Vec<Span>,
    /// What the maker should know.
    pub notes: Vec<Note>,
}

impl Built {
    /// The spans of one layer, by its index.
    pub fn spans_of(&self, layer: usize) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(move |span| span.layer == Some(layer))
    }

    /// The span of a field, by layer index and key.
    #[must_use]
    pub fn span(&self, layer: usize, key: &str) -> Option<&Span> {
        self.spans_of(layer).find(|span| span.field().is_some_and(|field| field.key == key))
    }
}

/// Where a layer lies in the bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Laid {
    /// Its first byte.
    pub(crate) start: usize,
    /// Length of header, body and padded options, as far as they are there.
    pub(crate) head: usize,
    /// The same if nothing were cut off.
    pub(crate) whole: usize,
}

/// Where everything lies in the bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    layers: [Laid; MAX_LAYERS],
    count: usize,
    /// The payload's first byte.
    pub(crate) payload: usize,
    /// The byte behind the payload, where every length and checksum ends.
    pub(crate) end: usize,
    /// The byte behind the trailer.
    pub(crate) total: usize,
}

impl Layout {
    pub(crate) fn layers(&self) -> &[Laid] {
        &self.layers[..self.count]
    }
}

/// What the fields of a packet whose bytes are known would fill themselves with.
pub(crate) struct Computed<'a> {
    layout: Layout,
    bytes: &'a [u8],
}

impl<'a> Computed<'a> {
    pub(crate) fn new(packet: &Packet, bytes: &'a [u8]) -> Result<Self, BuildError> {
        Ok(Self { layout: packet.layout()?, bytes })
    }

    /// The value that the field would have unset; `None` for what is drawn or taken from a context.
    pub(crate) fn value(&self, packet: &Packet, index: usize, place: Place, field: &'static FieldDesc) -> Option<u128> {
        let filler = fill::Filler { packet, index, layout: &self.layout, context: &Context::default() };
        match field.auto {
            Auto::Checksum(_) => sums::right(packet, index, &self.layout, self.bytes),
            Auto::None
            | Auto::Length(_)
            | Auto::Next
            | Auto::Count(_)
            | Auto::Entries(_)
            | Auto::Records
            | Auto::Direction
            | Auto::Present => filler.auto(place.part, place.row, field, &mut Vec::new()).ok(),
            _ => None,
        }
    }
}

impl Packet {
    /// Makes the bytes.
    ///
    /// # Errors
    /// See [`BuildError`]: names or payloads not filled in, a field that must be set and is not, a length that does not fit.
    pub fn build(&self, context: &Context) -> Result<Built, BuildError> {
        let (mut bytes, mut notes) = (Vec::new(), Vec::new());
        let layout = self.layout()?;
        self.lay_into(&mut bytes, &layout, context, &mut notes)?;
        let spans = spans::of(self, &layout, &bytes);
        Ok(Built { first: self.first(&bytes), bytes, spans, notes })
    }

    /// Makes the bytes into `out`, replacing what it holds, without spans: the quick way for many packets. No allocation when
    /// `out` is large enough and the packet gives no note.
    ///
    /// # Errors
    /// As [`Packet::build`]; `out` is then of no use.
    pub fn build_into(&self, out: &mut Vec<u8>, context: &Context) -> Result<First, BuildError> {
        let mut layout = Layout::default();
        self.lay_out(&mut layout)?;
        self.lay_into(out, &layout, context, &mut Vec::new())?;
        Ok(self.first(out))
    }

    fn first(&self, bytes: &[u8]) -> First {
        match self.layers.first() {
            Some(layer) => First::of(layer.desc),
            None => First::guess(bytes),
        }
    }

    fn lay_into(
        &self,
        out: &mut Vec<u8>,
        layout: &Layout,
        context: &Context,
        notes: &mut Vec<Note>,
    ) -> Result<(), BuildError> {
        self.check_complete()?;
        out.clear();
        out.resize(layout.total, 0);
        if layout.payload < layout.total {
            self.write_payload(&mut out[layout.payload..layout.end], context);
            out[layout.end..].copy_from_slice(&self.trailer);
        }
        for index in 0..layout.count {
            fill::Filler { packet: self, index, layout, context }.write(out, notes)?;
        }
        // From the inside out: an outer message's sum covers the inner sums.
        for index in (0..layout.count).rev() {
            sums::fill(self, index, layout, out, notes);
        }
        Ok(())
    }

    fn check_complete(&self) -> Result<(), BuildError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if let Some(at) = self.names.first() {
            return Err(BuildError::NameUnresolved { name: at.name.clone() });
        }
        Ok(())
    }

    pub(crate) fn layout(&self) -> Result<Layout, BuildError> {
        let mut layout = Layout::default();
        self.lay_out(&mut layout).map(|()| layout)
    }

    /// Finds where everything lies. Into a layout of the caller's: it is too large to be handed over for every packet.
    fn lay_out(&self, layout: &mut Layout) -> Result<(), BuildError> {
        layout.count = self.layers.len();
        if layout.count > MAX_LAYERS {
            return Err(BuildError::LayersTooMany);
        }
        let mut start = 0;
        for (laid, layer) in layout.layers.iter_mut().zip(&self.layers) {
            let whole = head_len(layer);
            *laid = Laid { start, head: layer.cut.map_or(whole, |cut| cut.min(whole)), whole };
            start += laid.head;
        }
        let payload_len = match &self.payload {
            Payload::Empty => 0,
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Zero(len) | Payload::Random(len) => *len,
            Payload::File(_) | Payload::Stdin => return Err(BuildError::PayloadNotRead),
        };
        if payload_len.max(self.trailer.len()) > MAX_PAYLOAD_BYTES {
            return Err(BuildError::PayloadTooLong { len: payload_len.max(self.trailer.len()) });
        }
        let end = start + payload_len;
        (layout.payload, layout.end, layout.total) = (start, end, end + self.trailer.len());
        Ok(())
    }

    fn write_payload(&self, out: &mut [u8], context: &Context) {
        match &self.payload {
            Payload::Bytes(bytes) => out.copy_from_slice(bytes),
            Payload::Random(_) => {
                for (lane, chunk) in out.chunks_mut(8).enumerate() {
                    let random = context.draw(RANDOM_PAYLOAD_LANE | lane as u64).to_le_bytes();
                    chunk.copy_from_slice(&random[..chunk.len()]);
                }
            }
            _ => {}
        }
    }
}

/// Draws for payload bytes are told apart from draws for fields by this bit.
const RANDOM_PAYLOAD_LANE: u64 = 1 << 63;

/// Length of a layer's header with body and padded options.
fn head_len(layer: &Layer) -> usize {
    let len = layer.fixed_len() + layer.options.len() + usize::from(layer.closing().is_some());
    if layer.options.is_empty() && layer.desc.options.is_none() {
        return len;
    }
    // What counts its own length in units is padded to them, with options or without.
    let align = layer.option_table().map_or(1, |table| table.align);
    len.next_multiple_of(align.max(1))
}

/// The layer that a header's pseudo-header is taken from: the nearest IP below.
pub(crate) fn network_below(layers: &[Layer], index: usize) -> Option<usize> {
    (0..index).rev().find(|&below| is_network(layers[below].desc) && layers[below].cut.is_none())
}

/// Whether a layer is IPv4 or IPv6.
pub(crate) fn is_network(desc: &HeaderDesc) -> bool {
    // By address: it is asked for every packet.
    core::ptr::eq(desc, layers::ip()) || core::ptr::eq(desc, layers::ip6())
}
