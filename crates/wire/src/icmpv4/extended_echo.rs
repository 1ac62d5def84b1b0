//! RFC 8335: extended echo: a node is asked about one of its interfaces, or of its neighbours'.

use crate::icmp::NEIGHBOR_STATES;

/// Extended echo request (RFC 8335 §2); an object that names the interface follows it.
pub mod request {
    use crate::Auto;

    header! {
        "icmp.extecho" 4 bytes "Extended echo request" "RFC 8335 §2";
        /// Tells one asker from another.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmp.ident").also(&["ident", "identifier", "icmp_id", "icmpid"]);
        /// Tells one question from another.
        sequence: u8 = 8 bits "seq" .shark("icmp.ext.echo.seq").also(&["sequence", "seqno"]);
        /// Reserved.
        reserved: u8 = 7 bits "res" .reserved().shark("icmp.ext.echo.req.res").also(&["reserved"]);
        /// The interface is one of the node that is asked.
        local: bool = 1 bits "local" .shark("icmp.ext.echo.req.local").also(&["l"]);
    }
}

/// Extended echo reply (RFC 8335 §3).
pub mod reply {
    use crate::Auto;

    header! {
        "icmp.extreply" 4 bytes "Extended echo reply" "RFC 8335 §3";
        /// Tells one asker from another.
        identifier: u16 = 16 bits "id" .auto(Auto::Identifier).shark("icmp.ident").also(&["ident", "identifier", "icmp_id", "icmpid"]);
        /// Tells one question from another.
        sequence: u8 = 8 bits "seq" .shark("icmp.ext.echo.seq").also(&["sequence", "seqno"]);
        /// What the neighbour table says of an interface that is not the node's own.
        state: u8 = 3 bits "state" .names(super::NEIGHBOR_STATES).shark("icmp.ext.echo.rsp.state");
        /// Reserved.
        reserved: u8 = 2 bits "res" .reserved().shark("icmp.ext.echo.rsp.res").also(&["reserved"]);
        /// The interface is active.
        active: bool = 1 bits "active" .shark("icmp.ext.echo.rsp.active").also(&["a"]);
        /// IPv4 runs on it.
        ipv4: bool = 1 bits "v4" .shark("icmp.ext.echo.rsp.ipv4").also(&["ipv4", "ip4"]);
        /// IPv6 runs on it.
        ipv6: bool = 1 bits "v6" .shark("icmp.ext.echo.rsp.ipv6").also(&["ipv6", "ip6"]);
    }
}
