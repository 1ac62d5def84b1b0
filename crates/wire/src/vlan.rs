//! IEEE 802.1Q: the VLAN tag, from behind its own EtherType: priority, drop mark, VLAN, and the EtherType behind it.
//!
//! A customer's tag and the tag of the provider around it (IEEE 802.1ad) are alike but for the EtherType that announces them.

use crate::ethernet::ETHER_TYPES;
use crate::{Auto, HeaderDesc, Layer, LimitedBy, ParseError};

header! {
    "vlan" 4 bytes "802.1Q VLAN tag" "IEEE 802.1Q §9.6" => shark("vlan") => also(&["dot1q", "8021q", "qtag", "ctag", "c_tag"]);
    /// Priority code point.
    pcp: u8 = 3 bits "pcp" .shark("vlan.priority").also(&["prio", "priority", "cos", "vlan_priority"]);
    /// Drop eligible indicator.
    dei: bool = 1 bits "dei" .bare().shark("vlan.dei").also(&["cfi", "drop", "drop_eligible"]);
    /// The VLAN: 0 is priority only, 4095 reserved.
    vid: u16 = 12 bits "vid" .shark("vlan.id").also(&["vlan", "id", "tag", "vlan_id", "vlanid"]);
    /// The EtherType of what follows.
    ether_type: u16 = 16 bits "type" .hex().auto(Auto::Next).selects_next().names(ETHER_TYPES).shark("vlan.etype")
        .also(&["ethertype", "ether_type", "etype", "proto", "protocol"]);
}

/// The provider's tag, IEEE 802.1ad: outermost in a stack, announced by EtherType 0x88a8.
pub mod service {
    use crate::Auto;
    use crate::ethernet::ETHER_TYPES;

    header! {
        "qinq" 4 bytes "802.1ad service VLAN tag" "IEEE 802.1Q §9.6"
            => shark("ieee8021ad") => also(&["dot1ad", "8021ad", "qinq_tag", "stag", "s_tag", "svlan", "service_vlan"]);
        /// Priority code point.
        pcp: u8 = 3 bits "pcp" .shark("ieee8021ad.priority").also(&["prio", "priority", "cos", "vlan_priority"]);
        /// Drop eligible indicator.
        dei: bool = 1 bits "dei" .bare().shark("ieee8021ad.dei").also(&["cfi", "drop", "drop_eligible"]);
        /// The provider's VLAN: 0 is priority only, 4095 reserved.
        vid: u16 = 12 bits "vid" .shark("ieee8021ad.id").also(&["vlan", "svid", "id", "tag", "vlan_id", "vlanid"]);
        /// The EtherType of what follows: the customer's tag, or a payload.
        ether_type: u16 = 16 bits "type" .hex().auto(Auto::Next).selects_next().names(ETHER_TYPES).shark("ieee8021ah.etype")
            .also(&["ethertype", "ether_type", "etype", "proto", "protocol"]);
    }
}

/// Whether a header is a VLAN tag, a customer's or a provider's.
#[must_use]
pub const fn is_tag(desc: &HeaderDesc) -> bool {
    matches!(desc.key.as_bytes(), b"vlan" | b"qinq")
}

/// A VLAN tag and what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    /// The tag.
    pub header: View<'a>,
    /// What follows it.
    pub payload: &'a [u8],
}

/// Reads a VLAN tag.
///
/// # Errors
/// When there are fewer than 4 bytes.
pub const fn parse(bytes: &[u8]) -> Result<Tag<'_>, ParseError> {
    match View::split(bytes) {
        Some((header, payload)) => Ok(Tag { header, payload }),
        None => Err(ParseError {
            layer: Layer::Vlan,
            offset: 0,
            need: LEN,
            have: bytes.len(),
            limited_by: LimitedBy::Bytes,
        }),
    }
}
