//! RFC 6275: mobile IPv6: home agents are found, and prefixes of the home link told.

/// Home agent address discovery, request and reply, and mobile prefix solicitation (RFC 6275 §6.5 to §6.7).
pub mod discovery {
    use crate::Auto;

    header! {
        "icmp6.mobile" 4 bytes "Mobile discovery" "RFC 6275 §6.5";
        /// Tells one question from another.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmpv6.mip6.identifier").also(&["ident", "identifier"]);
        /// Reserved.
        reserved: u16 = 16 bits "res" .reserved().shark("icmpv6.reserved").also(&["reserved"]);
    }
}

/// Mobile prefix advertisement (RFC 6275 §6.8).
pub mod prefix {
    use crate::Auto;

    header! {
        "icmp6.mpadvert" 4 bytes "Mobile prefix advertisement" "RFC 6275 §6.8" => options(&crate::icmpv6::ndp::OPTIONS);
        /// The number of the solicitation.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmpv6.mip6.identifier").also(&["ident", "identifier"]);
        /// Addresses come by DHCPv6.
        managed: bool = 1 bits "managed" .bare().shark("icmpv6.mip6.flag.m").also(&["m"]);
        /// Other configuration comes by DHCPv6.
        other: bool = 1 bits "other" .bare().shark("icmpv6.mip6.flag.o").also(&["o"]);
        /// Reserved.
        reserved: u16 = 14 bits "res" .reserved().shark("icmpv6.mip6.flag.rsv").also(&["reserved"]);
    }
}
