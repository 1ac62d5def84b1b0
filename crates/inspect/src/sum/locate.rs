//! Where the checksums stand in a chain of layers, and what each covers.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::ops::Range;

use wirewright_craft::{Chain, First, LayerAt, ends, walk};
use wirewright_wire::{Auto, FieldDesc, LimitedBy, SumOver, next};

use super::{Cause, Checksum, Covered, Known, Mistake, Of, Pseudo, PseudoPart, Unknowable, Verdict};

/// Finds and judges every checksum in bytes that begin with `first`. Packets quoted in ICMP errors are left out: they
/// were changed on their way, and mostly cut.
#[must_use]
pub fn checksums<'a>(bytes: &'a [u8], first: First, known: &Known<'_>) -> Vec<Checksum<'a>> {
    checksums_of(bytes, &walk(bytes, first), known)
}

/// The same for a chain that was walked before.
pub(crate) fn checksums_of<'a>(bytes: &'a [u8], chain: &Chain, known: &Known<'_>) -> Vec<Checksum<'a>> {
    let mut found = Vec::new();
    for (index, layer) in chain.layers.iter().enumerate().filter(|(_, layer)| !layer.quoted) {
        if let Some(place) = Place::of(layer) {
            let below = Below::of(bytes, &chain.layers[..index], known);
            found.extend(checksum(bytes, layer, place, &below, known));
        }
    }
    found
}

/// Where the checksum of a layer stands: in its header, or in the body behind (GRE).
#[derive(Clone, Copy)]
struct Place {
    field: &'static FieldDesc,
    over: SumOver,
    /// Its first byte, from that of the layer.
    at: usize,
}

impl Place {
    fn of(layer: &LayerAt) -> Option<Self> {
        let within = |fields: &'static [FieldDesc], start: usize| {
            fields.iter().filter(|field| field.is_there()).find_map(|field| match field.auto {
                Auto::Checksum(over) => Some(Self { field, over, at: start + field.first_byte() }),
                _ => None,
            })
        };
        let body = layer.variant.map_or(&[][..], |variant| variant.body.fields);
        within(layer.desc.fields, 0).or_else(|| within(body, layer.desc.len))
    }
}

/// What the layers below say about a segment.
struct Below {
    addresses: Option<(IpAddr, IpAddr)>,
    packet_len: Option<u32>,
    doubt: Option<Unknowable>,
}

impl Below {
    fn of(bytes: &[u8], below: &[LayerAt], known: &Known<'_>) -> Self {
        let value = |layer: &LayerAt, key| layer.value(bytes, key).unwrap_or(0);
        let Some(at) = below.iter().rposition(|layer| matches!(layer.desc.key, "ip" | "ip6")) else {
            // Two addresses of different versions make no pseudo-header.
            let addresses = known.addresses.filter(|(source, destination)| source.is_ipv4() == destination.is_ipv4());
            return Self { addresses, packet_len: None, doubt: None };
        };
        let ip = &below[at];
        let header = |layer: &LayerAt| (layer.desc, &bytes[layer.start..layer.start + layer.header_len]);
        let ends = ends(below[at..].iter().map(header));
        let cut = |layer: &LayerAt| {
            layer.complaint.is_some_and(|it| it.code == "length-long" && it.limited_by == LimitedBy::Bytes)
        };
        let doubt = if below[at..].iter().any(|layer| value(layer, "mf") != 0 || value(layer, "off") != 0) {
            Some(Unknowable::Fragment)
        } else if below.iter().any(cut) {
            Some(Unknowable::Truncated)
        } else if ends.is_some_and(|ends| ends.destination_doubtful) {
            Some(Unknowable::SourceRoute)
        } else {
            None
        };
        let packet_len = u32::try_from(ip.end - ip.start).ok();
        Self { addresses: ends.map(|ends| (ends.source, ends.destination)), packet_len, doubt }
    }
}

fn checksum<'a>(
    bytes: &'a [u8],
    layer: &LayerAt,
    Place { field, over, at: place }: Place,
    below: &Below,
    known: &Known<'_>,
) -> Option<Checksum<'a>> {
    let covers = covered_range(layer, over);
    let whole = bytes.get(covers.clone())?;
    let stored = whole.get(place..place + 2).map(|it| u16::from_be_bytes([it[0], it[1]]))?;
    let needs_pseudo = over == SumOver::PseudoHeaderAndMessage;
    let pseudo = below.addresses.filter(|_| needs_pseudo).map(|(source, destination)| Pseudo {
        source,
        destination,
        protocol: next::protocol_of(layer.desc).unwrap_or(0),
        length: u32::try_from(whole.len()).unwrap_or(u32::MAX),
    });
    let covered = Covered {
        of: match layer.desc.key {
            "ip" => Of::Ipv4,
            "udp" => Of::Udp,
            _ => Of::Other,
        },
        bytes: whole,
        start: covers.start,
        field: place,
        header_len: layer.header_len.min(whole.len()),
        pseudo,
        packet_len: below.packet_len,
    };
    let doubt = match over {
        SumOver::Header => header_cut(layer).then_some(Unknowable::Truncated),
        _ if needs_pseudo && pseudo.is_none() => Some(Unknowable::NoAddresses),
        _ => below.doubt.or_else(|| header_cut(layer).then_some(Unknowable::Truncated)),
    };
    let verdict = verdict(&covered, stored, doubt, known);
    let knowable = !matches!(verdict, Verdict::Unknowable(_)) && doubt != Some(Unknowable::NoAddresses);
    let right = knowable.then(|| covered.right());
    let at = layer.start + place;
    let with_length = right.and_then(|_| covered.right_with_length(layer.end - layer.start));
    Some(Checksum { layer: layer.desc, field, at, covers, pseudo, stored, right, verdict, with_length, covered })
}

/// A header that says it is longer than the bytes that are there.
fn header_cut(layer: &LayerAt) -> bool {
    layer.complaint.is_some_and(|it| it.code == "header-length-long" && it.limited_by == LimitedBy::Bytes)
}

fn covered_range(layer: &LayerAt, over: SumOver) -> Range<usize> {
    match over {
        SumOver::Header => layer.start..layer.start + layer.header_len,
        _ => layer.start..layer.end.max(layer.start + layer.header_len),
    }
}

fn verdict(covered: &Covered<'_>, stored: u16, doubt: Option<Unknowable>, known: &Known<'_>) -> Verdict {
    if covered.of == Of::Udp && stored == 0 {
        let v6 = covered.pseudo.is_some_and(|pseudo| pseudo.destination.is_ipv6());
        return Verdict::Absent { allowed: !v6 };
    }
    match doubt {
        None => covered.judge(stored, known),
        Some(Unknowable::NoAddresses) => without_addresses(covered, stored),
        // What verifies although something is in doubt is right: a wrong length field, a bit set by mistake.
        Some(doubt) => match covered.judge(stored, known) {
            Verdict::Right if doubt != Unknowable::Fragment => Verdict::Right,
            Verdict::Partial => Verdict::Partial,
            _ => Verdict::Unknowable(doubt),
        },
    }
}

/// A segment alone: only a checksum made without any pseudo-header can be recognised, and that is a mistake.
fn without_addresses(covered: &Covered<'_>, stored: u16) -> Verdict {
    let mistake = Some(Mistake::NoPseudoHeader(PseudoPart::Whole));
    let alone = !covered.folded();
    if stored == alone {
        Verdict::Wrong(Cause { swapped: false, mistake })
    } else if stored == alone.swap_bytes() {
        Verdict::Wrong(Cause { swapped: true, mistake })
    } else {
        Verdict::Unknowable(Unknowable::NoAddresses)
    }
}
