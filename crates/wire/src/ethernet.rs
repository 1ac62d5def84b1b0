//! Ethernet II, as RFC 894 uses it for IP: destination, source, EtherType.

use crate::{Auto, Layer, LimitedBy, MacAddr, Name, ParseError};

header! {
    "eth" 14 bytes "Ethernet II" "RFC 894" => shark("eth") => also(&["ethernet", "ether", "mac", "link", "frame"]);
    /// The address of the receiver.
    destination: MacAddr = 48 bits "dst" .auto(Auto::NextHop).shark("eth.dst")
        .also(&["dhost", "destination", "dmac", "dst_mac", "dest_mac", "dstmac", "da", "h_dest", "ether_dst", "to"]);
    /// The address of the sender.
    source: MacAddr = 48 bits "src" .auto(Auto::Source).shark("eth.src")
        .also(&["shost", "source", "smac", "src_mac", "source_mac", "srcmac", "sa", "h_source", "ether_src", "spoof_mac", "from"]);
    /// The EtherType of the payload; below 1536 a length (IEEE 802.3).
    ether_type: u16 = 16 bits "type" .hex().auto(Auto::Next).selects_next().names(ETHER_TYPES).shark("eth.type")
        .also(&["ethertype", "ether_type", "proto", "protocol", "h_proto", "etype", "len"]);
}

/// The least value of [`ether_type`](View::ether_type) that is a type and no length (IEEE 802.3 §3.2.6).
pub const TYPE_MIN: u16 = 1536;

/// The least length of a frame without its check sequence: shorter ones are padded by the sender's card.
pub const FRAME_MIN: usize = 60;

/// Words for EtherTypes (IEEE registry), shared by Ethernet, 802.1Q and ARP.
pub static ETHER_TYPES: &[Name] = &[
    Name::new(0x0800, "ip", "IPv4").also(&["ipv4", "ip4", "inet"]),
    Name::new(0x0806, "arp", "ARP"),
    Name::new(0x0842, "wol", "Wake-on-LAN"),
    Name::new(0x6558, "teb", "transparent Ethernet bridging"),
    Name::new(0x8035, "rarp", "RARP"),
    Name::new(0x8100, "vlan", "802.1Q tag").also(&["dot1q", "8021q", "c_tag", "n_802_1q"]),
    Name::new(0x86dd, "ip6", "IPv6").also(&["ipv6", "inet6"]),
    Name::new(0x8808, "pause", "Ethernet flow control"),
    Name::new(0x8809, "lacp", "slow protocols").also(&["slow"]),
    Name::new(0x8847, "mpls", "MPLS, unicast"),
    Name::new(0x8848, "mplsmc", "MPLS, multicast"),
    Name::new(0x8863, "pppoed", "PPPoE discovery").also(&["ppp_disc"]),
    Name::new(0x8864, "pppoes", "PPPoE session").also(&["ppp_ses", "pppoe"]),
    Name::new(0x888e, "eapol", "802.1X").also(&["pae", "dot1x"]),
    Name::new(0x88a8, "qinq", "802.1ad tag").also(&["dot1ad", "8021ad", "s_tag", "n_802_1ad"]),
    Name::new(0x88cc, "lldp", "LLDP"),
    Name::new(0x88e5, "macsec", "802.1AE MACsec"),
    Name::new(0x88f7, "ptp", "Precision Time Protocol").also(&["n_1588", "ieee1588"]),
    Name::new(0x9000, "loop", "configuration test").also(&["loopback"]),
];

/// An Ethernet frame without its check sequence.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The header.
    pub header: View<'a>,
    /// What follows it, padding included: only the layer above knows how long it is.
    pub payload: &'a [u8],
}

/// Reads an Ethernet frame.
///
/// # Errors
/// When there are fewer than 14 bytes. The type is not judged.
pub const fn parse(bytes: &[u8]) -> Result<Frame<'_>, ParseError> {
    match View::split(bytes) {
        Some((header, payload)) => Ok(Frame { header, payload }),
        None => Err(ParseError {
            layer: Layer::Ethernet,
            offset: 0,
            need: LEN,
            have: bytes.len(),
            limited_by: LimitedBy::Bytes,
        }),
    }
}
