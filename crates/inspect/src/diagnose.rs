//! What is odd about a single packet although it can be read: opinions, each with its code.
//!
//! In: a [`Dissection`].
//! Out: [`Finding`]s, in the order of the packet's bytes.
//! Above: render, cli. Below: dissect.
//! Not here: facts (dissect), checksums (sum), what only a conversation shows.

use alloc::vec::Vec;

use wirewright_wire::ipv4;

use crate::dissect::{Dissection, Layer};

/// Something that its maker probably did not mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The key of the layer.
    pub layer: &'static str,
    /// The byte, from the start of the frame.
    pub offset: usize,
}

/// The kinds of findings in a single packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// The low two bits of TOS or traffic class are set: that is ECN (RFC 3168 §5), not a priority.
    EcnMark {
        /// The whole field.
        tos: u8,
    },
    /// TOS holds a DSCP that was not shifted into the high six bits (46 instead of 0xb8).
    DscpUnshifted {
        /// The whole field.
        tos: u8,
        /// What was probably meant.
        meant: u8,
    },
    /// The protocol field promises a header, and nothing, or less than that header, follows.
    ProtocolWithoutHeader {
        /// The key of the promised layer.
        promised: &'static str,
        /// How many bytes it needs.
        need: usize,
        /// How many follow.
        have: usize,
    },
}

impl FindingKind {
    /// Every code, for the catalogue and for documents.
    pub const CODES: [&str; 3] = ["ecn-mark", "dscp-unshifted", "protocol-without-header"];

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EcnMark { .. } => "ecn-mark",
            Self::DscpUnshifted { .. } => "dscp-unshifted",
            Self::ProtocolWithoutHeader { .. } => "protocol-without-header",
        }
    }
}

/// Finds what is odd. Quoted packets are left alone: they are somebody else's, and cut by design.
#[must_use]
pub fn diagnose(dissection: &Dissection<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        dissection.layers.iter().filter(|layer| !layer.quoted).filter_map(traffic_class).collect();
    findings.extend(missing_header(dissection));
    findings.sort_by_key(|finding| finding.offset);
    findings
}

/// ECN bits that look like a priority, and a DSCP that was not shifted.
fn traffic_class(layer: &Layer) -> Option<Finding> {
    let key = match layer.desc.key {
        "ip" => "tos",
        "ip6" => "tc",
        _ => return None,
    };
    let field = layer.field(key)?;
    let tos = u8::try_from(field.value).ok()?;
    let code_point = |value: u8| value & 3 == 0 && ipv4::TOS.iter().any(|name| name.value == u64::from(value));
    // Values below 8 are ECN marks or the lower effort code point: nothing says that a DSCP was meant.
    let kind = if (8..64).contains(&tos) && code_point(tos << 2) && !code_point(tos) && tos != LOW_DELAY {
        FindingKind::DscpUnshifted { tos, meant: tos << 2 }
    } else if tos & 3 != 0 {
        FindingKind::EcnMark { tos }
    } else {
        return None;
    };
    Some(Finding { kind, layer: layer.desc.key, offset: field.bytes().start })
}

/// RFC 1349's "minimize delay", which interactive programs still set: 16, not an unshifted CS2.
const LOW_DELAY: u8 = 0x10;

fn missing_header(dissection: &Dissection<'_>) -> Option<Finding> {
    let cut = dissection.complaints.iter().find(|complaint| complaint.code == "header-cut")?;
    let below = dissection.layers.iter().rev().find(|layer| matches!(layer.desc.key, "ip" | "ip6") && !layer.quoted)?;
    let field = below.fields.iter().find(|field| field.desc.selects_next)?;
    let kind = FindingKind::ProtocolWithoutHeader { promised: cut.layer, need: cut.need, have: cut.have };
    Some(Finding { kind, layer: below.desc.key, offset: field.bytes().start })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wirewright_craft::First;

    fn codes(tos: u8, proto: u8) -> Vec<&'static str> {
        let packet =
            [0x45, tos, 0x00, 0x14, 0xd4, 0x31, 0x00, 0x00, 0xff, proto, 0, 0, 192, 168, 1, 103, 192, 168, 1, 1];
        diagnose(&crate::dissect(&packet, First::Ip)).iter().map(|finding| finding.kind.code()).collect()
    }

    #[test]
    fn the_beginners_packet_has_an_ecn_mark_and_no_tcp() {
        assert_eq!(codes(1, 6), ["ecn-mark", "protocol-without-header"]);
    }

    #[test]
    fn a_dscp_that_was_not_shifted_is_told_from_an_ecn_mark() {
        assert_eq!(codes(46, 253), ["dscp-unshifted"]);
        assert_eq!(codes(0xb8, 253), [""; 0]);
        assert_eq!(codes(0x10, 253), [""; 0]);
        assert_eq!(codes(0xb9, 253), ["ecn-mark"]);
        assert_eq!(codes(0, 253), [""; 0]);
    }
}
