//! RFC 8200 §4: the extension headers that people meet: hop-by-hop options, routing, fragment, destination options.

use crate::{HeaderDesc, Layer, LimitedBy, ParseError, next::protocol};

/// The most extension headers that a walk follows.
///
/// RFC 8200 §4.1 names seven in their order; twice as many and a few is no packet that anybody needs to have read.
pub const EXTENSIONS_MAX: usize = 16;

/// Hop-by-hop options (RFC 8200 §4.3): options that each router on the way may look at.
pub mod hop_by_hop {
    use crate::ipv4::PROTOCOLS;
    use crate::{Auto, LengthOf};

    header! {
        "hopopt" 2 bytes "IPv6 hop-by-hop options" "RFC 8200 §4.3"
            => options(&OPTIONS) => shark("ipv6.hopopts") => also(&["hbh", "hopbyhop", "hop_by_hop", "hopopts", "ipv6exthdrhopbyhop"]);
        /// The protocol of what follows.
        next_header: u8 = 8 bits "nh" .auto(Auto::Next).selects_next().names(PROTOCOLS).shark("ipv6.hopopts.nxt")
            .also(&["nxt", "next_header", "nexthdr", "next", "proto"]);
        /// Length in units of 8 bytes, the first not counted.
        length: u8 = 8 bits "len" .auto(Auto::Length(LengthOf::Extension)).shark("ipv6.hopopts.len").also(&["length", "hdrlen", "hdr_ext_len"]);
    }

    tlv! {
        /// The options of the hop-by-hop header.
        OPTIONS "IPv6 hop-by-hop options" ValueBytes align 8 max 2046 "RFC 8200 §4.2" "hopopt";
        0 "pad1" "Pad1" Single "ipv6.opt.pad1" "RFC 8200 §4.2" also ["nop"] {}
        1 "padn" "PadN" Variable "ipv6.opt.padn" "RFC 8200 §4.2" also ["pad"] {}
        5 "ra" "Router alert" Value(2) "ipv6.opt.router_alert" "RFC 2711 §2.1" also ["router_alert", "rtralert"] {
            value: u16 = 16 bits "value" .shark("ipv6.opt.router_alert");
        }
        38 "qs" "Quick-Start" Value(6) "" "RFC 4782 §3.2" also ["quick_start", "quickstart"] {
            function: u8 = 4 bits "func" .shark("ipv6.opt.qs_func").also(&["function"]);
            rate: u8 = 4 bits "rate" .shark("ipv6.opt.qs_rate");
            ttl: u8 = 8 bits "ttl" .shark("ipv6.opt.qs_ttl");
            nonce: u32 = 30 bits "nonce" .hex().shark("ipv6.opt.qs_nonce");
            reserved: u8 = 2 bits "res" .reserved().shark("ipv6.opt.qs_reserved").also(&["reserved"]);
        }
        48 "pmtu" "Minimum path MTU" Value(4) "" "RFC 9268 §5" also ["min_pmtu", "path_mtu"] {
            minimum: u16 = 16 bits "min" .default(1500).shark("ipv6.opt.pmtu.min").also(&["min_pmtu"]);
            returned: u16 = 15 bits "rtn" .shark("ipv6.opt.pmtu.rtn").also(&["rtn_pmtu"]);
            wanted: bool = 1 bits "r" .shark("ipv6.opt.pmtu.r_flag").also(&["r_flag"]);
        }
        194 "jumbo" "Jumbo payload" Value(4) "ipv6.opt.jumbo" "RFC 2675 §2" also ["jumbogram"] {
            length: u32 = 32 bits "length" .shark("ipv6.opt.jumbo");
        }
    }
}

/// The routing header (RFC 8200 §4.4): places to visit on the way.
pub mod routing {
    use crate::ipv4::PROTOCOLS;
    use crate::{Auto, LengthOf, Name};

    header! {
        "route" 8 bytes "IPv6 routing header" "RFC 8200 §4.4"
            => options(&ADDRESSES) => shark("ipv6.routing") => also(&["routing", "rh", "srh", "ipv6_route", "ipv6exthdrrouting"]);
        /// The protocol of what follows.
        next_header: u8 = 8 bits "nh" .auto(Auto::Next).selects_next().names(PROTOCOLS).shark("ipv6.routing.nxt")
            .also(&["nxt", "next_header", "nexthdr", "next", "proto"]);
        /// Length in units of 8 bytes, the first not counted.
        length: u8 = 8 bits "len" .auto(Auto::Length(LengthOf::Extension)).shark("ipv6.routing.len").also(&["length", "hdrlen", "hdr_ext_len"]);
        /// The variant of the routing header.
        routing_type: u8 = 8 bits "type" .names(TYPES).shark("ipv6.routing.type").also(&["rt_type", "rtype", "routing_type"]);
        /// How many listed places are still to be visited.
        segments_left: u8 = 8 bits "left" .shark("ipv6.routing.segleft").also(&["segleft", "segments_left", "segsleft"]);
        /// The first four bytes of the type's own data; reserved in types 0 and 2.
        data: u32 = 32 bits "tsd" .hex().also(&["reserved", "type_data"]);
    }

    tlv! {
        /// The places of types 0, 2 and 4; other types use the room in other ways, and it is read as the same.
        ADDRESSES "IPv6 routing header's addresses" Entries align 8 max 2040 "RFC 8200 §4.4" "route";
        0 "addr" "Address" Entry(16) "" "RFC 8200 §4.4" also ["address", "addresses", "segment"] {
            address: core::net::Ipv6Addr = 128 bits "address";
        }
    }

    /// Words for routing types (IANA).
    pub static TYPES: &[Name] = &[
        Name::new(0, "source", "source route, deprecated by RFC 5095").also(&["rh0"]),
        Name::new(2, "mobile", "type 2, RFC 6275").also(&["rh2", "mipv6"]),
        Name::new(3, "rpl", "RPL source route, RFC 6554"),
        Name::new(4, "srh", "segment routing, RFC 8754").also(&["srv6"]),
    ];
}

/// The fragment header (RFC 8200 §4.5).
pub mod fragment {
    use crate::Auto;
    use crate::ipv4::PROTOCOLS;

    header! {
        "frag" 8 bytes "IPv6 fragment header" "RFC 8200 §4.5"
            => shark("ipv6.fraghdr") => also(&["fragment", "fraghdr", "ipv6_frag", "ipv6exthdrfragment"]);
        /// The protocol of the reassembled payload.
        next_header: u8 = 8 bits "nh" .auto(Auto::Next).selects_next().names(PROTOCOLS).shark("ipv6.fraghdr.nxt")
            .also(&["nxt", "next_header", "nexthdr", "next", "proto"]);
        /// Reserved.
        reserved: u8 = 8 bits "res" .reserved().shark("ipv6.fraghdr.reserved_octet").also(&["res1", "reserved"]);
        /// Fragment offset in units of 8 bytes.
        offset: u16 = 13 bits "off" .shark("ipv6.fraghdr.offset").also(&["ip6f_offlg", "offset", "fragoff", "frag_off", "fragment_offset"]);
        /// Reserved.
        reserved_bits: u8 = 2 bits "res2" .reserved().shark("ipv6.fraghdr.reserved_bits").also(&["reserved_bits"]);
        /// More fragments follow.
        more: bool = 1 bits "mf" .bare().shark("ipv6.fraghdr.more").also(&["m", "more", "morefrag", "more_fragments"]);
        /// Identification: the same in all fragments of one packet.
        identification: u32 = 32 bits "id" .hex().auto(Auto::Random).shark("ipv6.fraghdr.ident").also(&["ip6f_ident", "ident", "identification"]);
    }
}

/// Destination options (RFC 8200 §4.6): options for the destination alone.
pub mod destination {
    use crate::ipv4::PROTOCOLS;
    use crate::{Auto, LengthOf};

    header! {
        "dstopt" 2 bytes "IPv6 destination options" "RFC 8200 §4.6"
            => options(&OPTIONS) => shark("ipv6.dstopts") => also(&["dstopts", "destopt", "destopts", "ipv6_opts", "ipv6exthdrdestopt"]);
        /// The protocol of what follows.
        next_header: u8 = 8 bits "nh" .auto(Auto::Next).selects_next().names(PROTOCOLS).shark("ipv6.dstopts.nxt")
            .also(&["nxt", "next_header", "nexthdr", "next", "proto"]);
        /// Length in units of 8 bytes, the first not counted.
        length: u8 = 8 bits "len" .auto(Auto::Length(LengthOf::Extension)).shark("ipv6.dstopts.len").also(&["length", "hdrlen", "hdr_ext_len"]);
    }

    tlv! {
        /// The options of the destination options header.
        OPTIONS "IPv6 destination options" ValueBytes align 8 max 2046 "RFC 8200 §4.2" "dstopt";
        0 "pad1" "Pad1" Single "ipv6.opt.pad1" "RFC 8200 §4.2" also ["nop"] {}
        1 "padn" "PadN" Variable "ipv6.opt.padn" "RFC 8200 §4.2" also ["pad"] {}
        4 "tel" "Tunnel encapsulation limit" Value(1) "ipv6.opt.tel" "RFC 2473 §4.1.1" also ["encaplimit"] {
            limit: u8 = 8 bits "limit" .default(4).shark("ipv6.opt.tel");
        }
        201 "hao" "Home address" Value(16) "ipv6.opt.mipv6.home_address" "RFC 6275 §6.3" also ["home_address"] {
            address: core::net::Ipv6Addr = 128 bits "address" .shark("ipv6.opt.mipv6.home_address");
        }
    }
}

/// One extension header.
#[derive(Clone, Copy, Debug)]
pub struct Extension<'a> {
    /// Its protocol number, as the header before it says.
    pub protocol: u8,
    /// Its table.
    pub desc: &'static HeaderDesc,
    /// Its first byte, from the start of the IPv6 payload.
    pub offset: usize,
    /// All its bytes.
    pub bytes: &'a [u8],
}

/// What stands behind the last extension header.
#[derive(Clone, Copy, Debug)]
pub struct Upper<'a> {
    /// Its protocol number.
    pub protocol: u8,
    /// Its first byte, from the start of the IPv6 payload.
    pub offset: usize,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The last fragment header passed. A fragment whose offset is not 0 has no upper header in its bytes.
    pub fragment: Option<fragment::Header>,
}

/// Walks the chain of extension headers; made by [`Packet::extensions`](super::Packet::extensions).
///
/// Yields each known extension header, or one error and then nothing. Behind a fragment whose offset is not 0 the chain
/// ends: what follows there are bytes from the middle of a payload.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    protocol: u8,
    payload: &'a [u8],
    offset: usize,
    passed: usize,
    fragment: Option<fragment::Header>,
    failed: bool,
}

impl<'a> Extensions<'a> {
    /// A walk over an IPv6 payload whose first header has this protocol number.
    #[must_use]
    pub const fn new(protocol: u8, payload: &'a [u8]) -> Self {
        Self { protocol, payload, offset: 0, passed: 0, fragment: None, failed: false }
    }

    /// Walks to the end, and says what stands there.
    ///
    /// # Errors
    /// When an extension header is cut off, or there are more than [`EXTENSIONS_MAX`].
    pub fn upper(mut self) -> Result<Upper<'a>, ParseError> {
        for extension in self.by_ref() {
            extension?;
        }
        let Self { protocol, offset, fragment, .. } = self;
        Ok(Upper { protocol, offset, bytes: &self.payload[offset..], fragment })
    }

    fn step(&mut self, desc: &'static HeaderDesc) -> Result<Extension<'a>, ParseError> {
        let at = self.offset;
        let error = |offset, need, have, limited_by| ParseError {
            layer: Layer::Ipv6Extension,
            offset: at + offset,
            need,
            have,
            limited_by,
        };
        if self.passed == EXTENSIONS_MAX {
            return Err(error(0, EXTENSIONS_MAX, EXTENSIONS_MAX + 1, LimitedBy::Limit));
        }
        let rest = &self.payload[at..];
        // The shortest extension header has 8 bytes; its length counts further units of 8.
        let need = if rest.len() < 8 { 8 } else { desc.stated_len(rest).unwrap_or(8) };
        let Some(bytes) = rest.get(..need) else {
            return Err(error(usize::from(need > 8), need, rest.len(), LimitedBy::LowerLength));
        };
        let extension = Extension { protocol: self.protocol, desc, offset: at, bytes };
        if self.protocol == protocol::FRAGMENT {
            self.fragment = bytes.first_chunk().map(fragment::Header::parse);
        }
        self.protocol = bytes[0];
        self.offset += need;
        self.passed += 1;
        Ok(extension)
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<Extension<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.fragment.is_some_and(|fragment| fragment.offset != 0) {
            return None;
        }
        let desc = desc_of(self.protocol)?;
        let result = self.step(desc);
        self.failed = result.is_err();
        Some(result)
    }
}

/// The table of an extension header; `None` for an upper layer, and for AH and ESP, which end the walk.
#[must_use]
pub const fn desc_of(number: u8) -> Option<&'static HeaderDesc> {
    match number {
        protocol::HOP_BY_HOP => Some(&hop_by_hop::DESC),
        protocol::ROUTING => Some(&routing::DESC),
        protocol::FRAGMENT => Some(&fragment::DESC),
        protocol::DESTINATION => Some(&destination::DESC),
        _ => None,
    }
}
