//! Cutting one IP packet into fragments: RFC 791 §3.2, RFC 8200 §4.5.

use alloc::vec::Vec;
use core::fmt;

use wirewright_wire::{HeaderDesc, ipv6};

use crate::build::{Context, Layout, is_network};
use crate::packet::{Layer, Packet, Payload, Setting};
use crate::{BuildError, MAX_LAYERS};

/// Offsets count units of so many bytes, and every fragment but the last carries a multiple of them.
const UNIT: usize = 8;
/// The bit of an IPv4 option's kind that has it repeated in every fragment, RFC 791 §3.1.
const COPIED: u8 = 0x80;

/// Why a packet cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FragmentError {
    /// There is no IP layer.
    NoIp,
    /// It is a fragment already, by the person's own words (`mf`, `off=`, a `frag` layer).
    FragmentAlready {
        /// The layer that says so: `ip` or `frag`.
        layer: &'static str,
    },
    /// The headers that every fragment repeats leave no room for 8 bytes.
    LimitTooSmall {
        /// The largest IP packet that was asked for.
        limit: usize,
        /// The least that would do.
        need: usize,
    },
    /// Not even its length fits: more than the 65,535 bytes that offsets reach.
    OffsetTooLarge {
        /// Bytes to be cut.
        len: usize,
    },
    /// No room for one header more: [`MAX_LAYERS`].
    LayersTooMany,
    /// The packet cannot be built.
    Build(BuildError),
}

impl FragmentError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoIp => "fragment-no-ip",
            Self::FragmentAlready { .. } => "fragment-already",
            Self::LimitTooSmall { .. } => "fragment-limit",
            Self::OffsetTooLarge { .. } => "fragment-offset",
            Self::LayersTooMany => "layers-too-many",
            Self::Build(error) => error.code(),
        }
    }
}

impl fmt::Display for FragmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIp => f.write_str("only an IP packet can be cut, and there is no IP layer"),
            Self::FragmentAlready { layer } => write!(f, "it is a fragment already, by its {layer} layer"),
            Self::LimitTooSmall { limit, need } => {
                write!(f, "a fragment of {limit} bytes has no room for 8 bytes behind its headers: at least {need}")
            }
            Self::OffsetTooLarge { len } => write!(f, "{len} bytes are more than the 65535 that offsets reach"),
            Self::LayersTooMany => write!(f, "more than {MAX_LAYERS} layers"),
            Self::Build(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FragmentError {}

impl From<BuildError> for FragmentError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

/// Cuts the outermost IP packet of `packet` so that no fragment is larger than `limit`, and gives the fragments in order as
/// packets of their own; none where it is no larger. `bytes` is what `packet` became: checksums above IP are over the whole.
///
/// What was set stays in every fragment. Unset, DF is cleared; identifications agree when all are built with one context. IPv4
/// options are repeated where their kind says so, IPv6 gets a fragment header behind the headers that routers read.
///
/// # Errors
/// See [`FragmentError`].
///
/// ```
/// use wirewright_craft::{Context, fragment, parse};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let packet = parse("icmp 192.0.2.2 zero=1400")?;
/// let built = packet.build(&Context::default())?;
/// let fragments = fragment(&packet, &built.bytes, 576)?;
/// let sizes: Vec<_> = fragments.iter().map(|it| it.build(&Context::default()).map(|it| it.bytes.len())).collect();
/// assert_eq!(sizes, [Ok(572), Ok(572), Ok(324)]);
/// # Ok(()) }
/// ```
pub fn fragment(packet: &Packet, bytes: &[u8], limit: usize) -> Result<Vec<Packet>, FragmentError> {
    let layout = packet.layout()?;
    let index = packet.layers.iter().position(|layer| is_network(layer.desc)).ok_or(FragmentError::NoIp)?;
    let whole = bytes.get(layout.layers()[index].start..layout.end).ok_or(FragmentError::NoIp)?;
    if whole.len() <= limit {
        return Ok(Vec::new());
    }
    let cut = if packet.layers[index].desc.key == ipv6::DESC.key {
        Cut::v6(packet, bytes, &layout, index)?
    } else {
        Cut::v4(packet, bytes, &layout, index)?
    };
    cut.pieces(packet, bytes, &layout, limit)
}

/// What every fragment begins with, and where the part that is cut begins.
struct Cut {
    /// The layers of the first fragment, from the packet's outermost one.
    first: Vec<Layer>,
    /// Those of the others.
    later: Vec<Layer>,
    /// The layer that holds offset and MF: the last.
    at: usize,
    /// Where the outermost IP header begins in the first fragment's headers.
    link: usize,
    /// The first byte that is cut.
    start: usize,
}

impl Cut {
    fn v4(packet: &Packet, bytes: &[u8], layout: &Layout, index: usize) -> Result<Self, FragmentError> {
        let mut first = packet.layers[..=index].to_vec();
        let laid = layout.layers()[index];
        let header = &bytes[laid.start..];
        let layer = &mut first[index];
        let read = |key: &str| layer.desc.field(key).and_then(|field| field.read(header)).unwrap_or_default();
        if read("mf") != 0 || read("off") != 0 {
            return Err(FragmentError::FragmentAlready { layer: layer.desc.key });
        }
        let (protocol, id) = (read("proto"), read("id"));
        settle(layer, "proto", protocol);
        settle(layer, "id", id);
        settle(layer, "df", 0);
        let mut later = first.clone();
        later[index].options = copied(&later[index]);
        Ok(Self { first, later, at: index, link: laid.start, start: laid.start + laid.head })
    }

    fn v6(packet: &Packet, bytes: &[u8], layout: &Layout, index: usize) -> Result<Self, FragmentError> {
        let extensions = packet.layers[index + 1..].iter().take_while(|layer| is_extension(layer.desc)).count();
        let run = &packet.layers[index + 1..=index + extensions];
        if run.iter().any(|layer| layer.desc.key == ipv6::ext::fragment::DESC.key) {
            return Err(FragmentError::FragmentAlready { layer: ipv6::ext::fragment::DESC.key });
        }
        // RFC 8200 §4.5: all headers that routers on the way read, up to the routing header.
        let read_on_the_way = [ipv6::ext::hop_by_hop::DESC.key, ipv6::ext::routing::DESC.key];
        let repeated = run.iter().rposition(|layer| read_on_the_way.contains(&layer.desc.key)).map_or(0, |at| at + 1);
        let last = index + repeated;
        if last + 2 > MAX_LAYERS {
            return Err(FragmentError::LayersTooMany);
        }
        let laid = layout.layers()[last];
        let next = packet.layers[last].desc.field("nh").and_then(|field| field.read(&bytes[laid.start..]));
        let mut first = packet.layers[..=last].to_vec();
        let mut header = Layer::new(&ipv6::ext::fragment::DESC);
        settle(&mut header, "nh", next.unwrap_or_default());
        first.push(header);
        let link = layout.layers()[index].start;
        Ok(Self { later: first.clone(), first, at: last + 1, link, start: laid.start + laid.head })
    }

    fn pieces(
        self,
        packet: &Packet,
        bytes: &[u8],
        layout: &Layout,
        limit: usize,
    ) -> Result<Vec<Packet>, FragmentError> {
        let cut = &bytes[self.start..layout.end];
        if cut.len() > usize::from(u16::MAX) {
            return Err(FragmentError::OffsetTooLarge { len: cut.len() });
        }
        let room = |layers: &[Layer]| -> Result<usize, FragmentError> {
            let headers = headers_len(layers)? - self.link;
            match limit.saturating_sub(headers) / UNIT * UNIT {
                0 => Err(FragmentError::LimitTooSmall { limit, need: headers + UNIT }),
                room => Ok(room),
            }
        };
        let (first_room, later_room) = (room(&self.first)?, room(&self.later)?);
        let mut pieces = Vec::new();
        let mut offset = 0;
        while offset < cut.len() {
            let (layers, room) = if offset == 0 { (&self.first, first_room) } else { (&self.later, later_room) };
            let end = (offset + room).min(cut.len());
            let more = end < cut.len();
            let mut piece = Packet { layers: layers.clone(), ..Packet::default() };
            piece.layers[self.at].set("off", Setting::Exactly((offset / UNIT) as u128));
            piece.layers[self.at].set("mf", Setting::Exactly(more.into()));
            piece.payload = Payload::Bytes(cut[offset..end].to_vec());
            if !more {
                piece.trailer.clone_from(&packet.trailer);
            }
            pieces.push(piece);
            offset = end;
        }
        Ok(pieces)
    }
}

/// Gives a field that was left unset the value that the whole packet has.
fn settle(layer: &mut Layer, key: &str, value: u128) {
    if layer.get(key) == Some(Setting::Auto) {
        layer.set(key, Setting::Exactly(value));
    }
}

/// The length of these headers together.
fn headers_len(layers: &[Layer]) -> Result<usize, BuildError> {
    let headers = Packet { layers: layers.to_vec(), ..Packet::default() };
    headers.layout().map(|layout| layout.end)
}

/// The options of an IPv4 header that every fragment repeats.
fn copied(layer: &Layer) -> Vec<u8> {
    let Some(table) = layer.option_table() else { return Vec::new() };
    let items = crate::Options::new(table, &layer.options);
    let kept = items.map(|item| &layer.options[item.range]).filter(|bytes| bytes[0] & COPIED != 0);
    kept.flatten().copied().collect()
}

fn is_extension(desc: &HeaderDesc) -> bool {
    use ipv6::ext;
    [ext::hop_by_hop::DESC.key, ext::routing::DESC.key, ext::fragment::DESC.key, ext::destination::DESC.key]
        .contains(&desc.key)
}

/// How many fragments a packet makes, without the addresses of any machine: `None` where it is not cut, or cannot be.
#[must_use]
pub fn fragments_of(packet: &Packet, limit: usize) -> Option<usize> {
    let built = packet.build(&Context::default()).ok()?;
    let pieces = fragment(packet, &built.bytes, limit).ok()?;
    (!pieces.is_empty()).then_some(pieces.len())
}

#[cfg(test)]
mod tests;
