//! IEEE 802.1Q: the VLAN tag, from behind its own EtherType: priority, drop mark, VLAN, and the EtherType behind it.

use crate::ethernet::ETHER_TYPES;
use crate::{Auto, Layer, LimitedBy, ParseError};

header! {
    "vlan" 4 bytes "802.1Q VLAN tag" "IEEE 802.1Q §9.6" => shark("vlan") => also(&["dot1q", "8021q", "qtag", "qinq", "dot1ad"]);
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
