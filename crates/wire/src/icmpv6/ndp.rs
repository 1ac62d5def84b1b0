//! RFC 4861: neighbour discovery: solicitations, advertisements, redirects, and their options.

use core::net::Ipv6Addr;

use crate::{FieldDesc, Kind, Layer, LimitedBy, MacAddr, Name, ParseError};

/// All its messages must carry this hop limit, which proves that no router passed them on (RFC 4861 §6, §7, §8).
pub const HOP_LIMIT: u8 = 255;

/// Router solicitation (RFC 4861 §4.1).
pub mod rs {
    header! {
        "icmp6.rs" 4 bytes "Router solicitation" "RFC 4861 §4.1" => options(&super::OPTIONS);
        /// Reserved.
        reserved: u32 = 32 bits "res" .hex().reserved().shark("icmpv6.reserved").also(&["reserved"]);
    }
}

/// Router advertisement (RFC 4861 §4.2).
pub mod ra {
    header! {
        "icmp6.ra" 12 bytes "Router advertisement" "RFC 4861 §4.2" => options(&super::OPTIONS);
        /// The hop limit that hosts shall use; 0 leaves it to them.
        hop_limit: u8 = 8 bits "hops" .default(64).shark("icmpv6.nd.ra.cur_hop_limit").also(&["curhoplimit", "chlim", "cur_hop_limit", "hlim"]);
        /// Addresses come by DHCPv6.
        managed: bool = 1 bits "managed" .bare().shark("icmpv6.nd.ra.flag.m").also(&["m"]);
        /// Other configuration comes by DHCPv6.
        other: bool = 1 bits "other" .bare().shark("icmpv6.nd.ra.flag.o").also(&["o"]);
        /// The router is a Mobile IPv6 home agent.
        home_agent: bool = 1 bits "home" .bare().shark("icmpv6.nd.ra.flag.h").also(&["h", "home_agent"]).rfc("RFC 6275 §7.1");
        /// How this router compares with others.
        preference: u8 = 2 bits "prf" .names(super::PREFERENCES).shark("icmpv6.nd.ra.flag.prf").also(&["pref", "preference"]).rfc("RFC 4191 §2.2");
        /// The advertisement was passed on by a proxy.
        proxy: bool = 1 bits "proxy" .bare().shark("icmpv6.nd.ra.flag.p").also(&["p"]).rfc("RFC 4389 §4.1.3.3");
        /// Reserved.
        reserved: u8 = 2 bits "res" .reserved().shark("icmpv6.nd.ra.flag.rsv").also(&["reserved"]);
        /// For how many seconds this is a default router; 0: it is none.
        router_lifetime: u16 = 16 bits "life" .default(1800).shark("icmpv6.nd.ra.router_lifetime")
            .also(&["routerlifetime", "router_lifetime", "lifetime"]);
        /// For how many milliseconds a confirmed neighbour counts as reachable.
        reachable_time: u32 = 32 bits "reach" .shark("icmpv6.nd.ra.reachable_time").also(&["reachabletime", "reachable_time", "reachable"]);
        /// Milliseconds between solicitations.
        retransmit_timer: u32 = 32 bits "retrans" .shark("icmpv6.nd.ra.retrans_timer").also(&["retranstimer", "retrans_timer"]);
    }
}

/// Neighbour solicitation (RFC 4861 §4.3).
pub mod ns {
    use core::net::Ipv6Addr;

    use crate::Auto;

    header! {
        "icmp6.ns" 20 bytes "Neighbour solicitation" "RFC 4861 §4.3" => options(&super::OPTIONS);
        /// Reserved.
        reserved: u32 = 32 bits "res" .hex().reserved().shark("icmpv6.reserved").also(&["reserved"]);
        /// Whose link-layer address is asked for.
        target: Ipv6Addr = 128 bits "target" .auto(Auto::Required).shark("icmpv6.nd.ns.target_address")
            .also(&["nd_ns_target", "tgt", "target_address", "tpa", "who_has"]);
    }
}

/// Neighbour advertisement (RFC 4861 §4.4).
pub mod na {
    use core::net::Ipv6Addr;

    use crate::Auto;

    header! {
        "icmp6.na" 20 bytes "Neighbour advertisement" "RFC 4861 §4.4" => options(&super::OPTIONS);
        /// The sender is a router.
        router: bool = 1 bits "router" .bare().shark("icmpv6.nd.na.flag.r").also(&["r", "is_router"]);
        /// It answers a solicitation.
        solicited: bool = 1 bits "solicited" .bare().shark("icmpv6.nd.na.flag.s").also(&["s", "solicit"]);
        /// It replaces what is in the cache.
        override_cache: bool = 1 bits "override" .bare().shark("icmpv6.nd.na.flag.o").also(&["o"]);
        /// Reserved.
        reserved: u32 = 29 bits "res" .hex().reserved().shark("icmpv6.nd.na.flag.rsv").also(&["reserved"]);
        /// Whose link-layer address is told.
        target: Ipv6Addr = 128 bits "target" .auto(Auto::Required).shark("icmpv6.nd.na.target_address")
            .also(&["tgt", "target_address", "is_at"]);
    }
}

/// Redirect (RFC 4861 §4.5).
pub mod redirect {
    use core::net::Ipv6Addr;

    use crate::Auto;

    header! {
        "icmp6.redirect" 36 bytes "Redirect" "RFC 4861 §4.5" => options(&super::OPTIONS);
        /// Reserved.
        reserved: u32 = 32 bits "res" .hex().reserved().shark("icmpv6.reserved").also(&["reserved"]);
        /// The better first hop.
        target: Ipv6Addr = 128 bits "target" .auto(Auto::Required).shark("icmpv6.nd.rd.target_address").also(&["tgt", "target_address", "gw", "gateway"]);
        /// What is reached by it.
        destination: Ipv6Addr = 128 bits "dest" .auto(Auto::Required).shark("icmpv6.rd.na.destination_address").also(&["destination", "destination_address"]);
    }
}

/// Words for router preferences (RFC 4191 §2.1).
pub static PREFERENCES: &[Name] = &[
    Name::new(0, "medium", "medium"),
    Name::new(1, "high", "high"),
    Name::new(2, "reserved", "reserved"),
    Name::new(3, "low", "low"),
];

/// The name servers of RDNSS.
const ADDRESSES: &[FieldDesc] = &[FieldDesc::new("address", "address", "icmp6.rdnss.address", 0, 128, Kind::Ipv6)];
/// A route's prefix, in units of 8 bytes: as many as its length needs.
const PREFIXES: &[FieldDesc] = &[FieldDesc::new("prefix", "prefix", "icmp6.route.prefix", 0, 64, Kind::Hex)];

tlv! {
    /// The options of neighbour discovery.
    OPTIONS "neighbour discovery options" WholeOctoBytes align 8 max 65535 "RFC 4861 §4.6" "icmp6";
    1 "slla" "Source link-layer address" Value(6) "icmpv6.opt.src_linkaddr" "RFC 4861 §4.6.1"
        also ["icmpv6ndoptsrclladdr", "srclladdr", "src_linkaddr", "source_link", "sll", "lladdr"] {
        address: MacAddr = 48 bits "mac" .shark("icmpv6.opt.linkaddr").also(&["lladdr", "address", "linkaddr"]);
    }
    2 "tlla" "Target link-layer address" Value(6) "icmpv6.opt.target_linkaddr" "RFC 4861 §4.6.1"
        also ["icmpv6ndoptdstlladdr", "dstlladdr", "target_linkaddr", "target_link", "tll"] {
        address: MacAddr = 48 bits "mac" .shark("icmpv6.opt.linkaddr").also(&["lladdr", "address", "linkaddr"]);
    }
    3 "prefix" "Prefix information" Value(30) "icmpv6.opt.prefix" "RFC 4861 §4.6.2" also ["icmpv6ndoptprefixinfo", "prefixinfo", "prefix_info", "pio"] {
        prefix_length: u8 = 8 bits "plen" .default(64).shark("icmpv6.opt.prefix.length").also(&["prefixlen", "prefix_length"]);
        on_link: bool = 1 bits "onlink" .default(1).shark("icmpv6.opt.prefix.flag.l").also(&["l", "on_link"]);
        autonomous: bool = 1 bits "auto" .default(1).shark("icmpv6.opt.prefix.flag.a").also(&["a", "autonomous"]);
        router_address: bool = 1 bits "router" .shark("icmpv6.opt.prefix.flag.r").also(&["r", "router_address"]);
        reserved: u8 = 5 bits "res" .reserved().shark("icmpv6.opt.prefix.flag.reserved").also(&["res1"]);
        valid_lifetime: u32 = 32 bits "valid" .default(2_592_000).shark("icmpv6.opt.prefix.valid_lifetime").also(&["validlifetime", "valid_lifetime"]);
        preferred_lifetime: u32 = 32 bits "pref" .default(604_800).shark("icmpv6.opt.prefix.preferred_lifetime").also(&["preferredlifetime", "preferred_lifetime", "preferred"]);
        reserved_too: u32 = 32 bits "res2" .hex().reserved().shark("icmpv6.opt.reserved");
        prefix: Ipv6Addr = 128 bits "prefix" .shark("icmpv6.opt.prefix");
    }
    4 "redirected" "Redirected header" Variable "icmpv6.opt.redirected_packet" "RFC 4861 §4.6.3" also ["redirectedhdr", "redirected_packet"] {
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.opt.reserved");
        reserved_too: u32 = 32 bits "res2" .hex().reserved().shark("icmpv6.opt.reserved");
    }
    5 "mtu" "MTU" Value(6) "icmpv6.opt.mtu" "RFC 4861 §4.6.4" also ["link_mtu"] {
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.opt.reserved");
        mtu: u32 = 32 bits "mtu" .default(1500).shark("icmpv6.opt.mtu");
    }
    7 "advinterval" "Advertisement interval" Value(6) "icmpv6.opt.advertisement_interval" "RFC 6275 §7.3"
        also ["advertisement_interval", "icmpv6ndoptadvinterval"] {
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.opt.reserved");
        interval: u32 = 32 bits "interval" .default(600_000).shark("icmpv6.opt.advertisement_interval").also(&["advint"]);
    }
    8 "homeagent" "Home agent information" Value(6) "icmpv6.opt.home_agent_preference" "RFC 6275 §7.4"
        also ["home_agent_information", "home_agent_info", "icmpv6ndopthainfo"] {
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.opt.reserved");
        preference: u16 = 16 bits "prf" .shark("icmpv6.opt.home_agent_preference").also(&["pref", "preference"]);
        lifetime: u16 = 16 bits "life" .default(1800).shark("icmpv6.opt.home_agent_lifetime").also(&["lifetime"]);
    }
    14 "nonce" "Nonce" Variable "icmpv6.opt.nonce" "RFC 3971 §5.3.2" {}
    24 "route" "Route information" Variable "icmpv6.opt.route_info.flag" "RFC 4191 §2.3" also ["routeinfo", "route_info", "rio"] then PREFIXES {
        prefix_length: u8 = 8 bits "plen" .shark("icmpv6.opt.prefix.length").also(&["prefix_length"]);
        reserved: u8 = 3 bits "res" .reserved();
        preference: u8 = 2 bits "prf" .names(PREFERENCES).shark("icmpv6.opt.route_info.flag.route_preference").also(&["preference"]);
        reserved_too: u8 = 3 bits "res2" .reserved().shark("icmpv6.opt.route_info.flag.reserved");
        lifetime: u32 = 32 bits "life" .default(1800).shark("icmpv6.opt.route_lifetime").also(&["lifetime"]);
    }
    25 "rdnss" "Recursive DNS server" Variable "icmpv6.opt.rdnss" "RFC 8106 §5.1" also ["dns", "nameserver"] then ADDRESSES {
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.opt.reserved");
        lifetime: u32 = 32 bits "life" .default(1800).shark("icmpv6.opt.rdnss.lifetime").also(&["lifetime"]);
    }
    31 "dnssl" "DNS search list" Names(8) "icmpv6.opt.dnssl" "RFC 8106 §5.2" also ["search"] {
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.opt.reserved");
        lifetime: u32 = 32 bits "life" .default(1800).shark("icmpv6.opt.dnssl.lifetime").also(&["lifetime"]);
    }
}

/// An option of neighbour discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NdpOption<'a> {
    /// The sender's link-layer address.
    SourceLinkLayer(MacAddr),
    /// The target's link-layer address.
    TargetLinkLayer(MacAddr),
    /// A prefix of the link.
    Prefix(Prefix),
    /// The packet that was redirected.
    Redirected(&'a [u8]),
    /// The MTU of the link in bytes.
    Mtu(u32),
    /// Another kind, or a link-layer address that is not Ethernet's; the value is all behind kind and length.
    Unknown {
        /// The kind.
        kind: u8,
        /// All behind kind and length.
        value: &'a [u8],
    },
}

/// A prefix of the link (RFC 4861 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The prefix; bits behind its length are to be ignored.
    pub prefix: Ipv6Addr,
    /// How many leading bits count.
    pub length: u8,
    /// Addresses with this prefix are on the link.
    pub on_link: bool,
    /// Hosts may make their addresses of it.
    pub autonomous: bool,
    /// For how many seconds it is on the link; `u32::MAX` for ever.
    pub valid_lifetime: u32,
    /// For how many seconds addresses made of it are preferred.
    pub preferred_lifetime: u32,
}

/// Iterates over the options behind a neighbour discovery message.
///
/// Yields each option, or one error and then nothing. A length of 0 is an error: RFC 4861 §4.6 has such packets discarded.
#[must_use]
pub const fn options(bytes: &[u8]) -> Options<'_> {
    Options { bytes, offset: 0 }
}

/// Iterator over neighbour discovery options; made by [`options`].
#[derive(Clone, Debug)]
pub struct Options<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<NdpOption<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let at = self.offset;
        let error =
            |offset, need, have, limited_by| ParseError { layer: Layer::NdpOption, offset, need, have, limited_by };
        let len = match rest {
            [_, 0, ..] => Err(error(at + 1, 1, 0, LimitedBy::Rule)),
            [_, units, ..] => Ok(usize::from(*units) * 8),
            _ => Err(error(at, 8, rest.len(), LimitedBy::LowerLength)),
        };
        let whole =
            len.and_then(|len| rest.get(..len).ok_or_else(|| error(at + 1, len, rest.len(), LimitedBy::LowerLength)));
        self.offset = match whole {
            Ok(option) => at + option.len(),
            Err(_) => self.bytes.len(),
        };
        Some(whole.map(|option| read(option[0], &option[2..])))
    }
}

fn read(kind: u8, value: &[u8]) -> NdpOption<'_> {
    match (kind, value) {
        (1, &[a, b, c, d, e, f]) => NdpOption::SourceLinkLayer(MacAddr([a, b, c, d, e, f])),
        (2, &[a, b, c, d, e, f]) => NdpOption::TargetLinkLayer(MacAddr([a, b, c, d, e, f])),
        (3, v) if v.len() == 30 => NdpOption::Prefix(read_prefix(v)),
        (4, v) => NdpOption::Redirected(&v[6..]),
        (5, &[_, _, a, b, c, d]) => NdpOption::Mtu(u32::from_be_bytes([a, b, c, d])),
        (kind, value) => NdpOption::Unknown { kind, value },
    }
}

/// Reads the 30 bytes of a prefix information option by its own table.
fn read_prefix(value: &[u8]) -> Prefix {
    let fields = OPTIONS.kind(3).map_or(&[][..], |option| option.fields);
    let field = |key: &str| fields.iter().find(|f| f.key == key).and_then(|f| f.read(value)).unwrap_or(0);
    Prefix {
        prefix: Ipv6Addr::from_bits(field("prefix")),
        length: field("plen") as u8,
        on_link: field("onlink") == 1,
        autonomous: field("auto") == 1,
        valid_lifetime: field("valid") as u32,
        preferred_lifetime: field("pref") as u32,
    }
}
