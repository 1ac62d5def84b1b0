//! RFC 8415 §21 and those after it: the options of a message, and the words of their values.

use core::net::Ipv6Addr;

use crate::{FieldDesc, Kind, Name};

/// Addresses of a non-temporary or temporary association: each an option of its own in it.
const ADDRESSES: &[FieldDesc] = &[
    FieldDesc::new("code", "code", "dhcp6.address.code", 0, 16, Kind::Number).default(5).reserved(),
    FieldDesc::new("length", "len", "dhcp6.address.len", 16, 16, Kind::Number).default(24).reserved(),
    FieldDesc::new("address", "address", "dhcp6.address.address", 32, 128, Kind::Ipv6).shark("dhcpv6.iaaddr.ip"),
    FieldDesc::new("preferred", "preferred", "dhcp6.address.preferred", 160, 32, Kind::Number)
        .shark("dhcpv6.iaaddr.pref_lifetime"),
    FieldDesc::new("valid", "valid", "dhcp6.address.valid", 192, 32, Kind::Number)
        .shark("dhcpv6.iaaddr.valid_lifetime"),
];
/// Prefixes of an association for delegation: each an option of its own in it.
const PREFIXES: &[FieldDesc] = &[
    FieldDesc::new("code", "code", "dhcp6.delegated.code", 0, 16, Kind::Number).default(26).reserved(),
    FieldDesc::new("length", "len", "dhcp6.delegated.len", 16, 16, Kind::Number).default(25).reserved(),
    FieldDesc::new("preferred", "preferred", "dhcp6.delegated.preferred", 32, 32, Kind::Number)
        .shark("dhcpv6.iaprefix.pref_lifetime"),
    FieldDesc::new("valid", "valid", "dhcp6.delegated.valid", 64, 32, Kind::Number)
        .shark("dhcpv6.iaprefix.valid_lifetime"),
    FieldDesc::new("prefix_length", "plen", "dhcp6.delegated.plen", 96, 8, Kind::Number)
        .shark("dhcpv6.iaprefix.pref_len"),
    FieldDesc::new("prefix", "prefix", "dhcp6.delegated.prefix", 104, 128, Kind::Ipv6)
        .shark("dhcpv6.iaprefix.pref_addr"),
];
/// Servers.
const SERVERS: &[FieldDesc] = &[FieldDesc::new("address", "address", "dhcp6.server.address", 0, 128, Kind::Ipv6)];

tlv! {
    /// The options of a message.
    OPTIONS "DHCPv6 options" ValueBytesWide align 1 max 65535 "RFC 8415 §21" "dhcp6";
    1 "clientid" "Client identifier" Variable "" "RFC 8415 §21.2" also ["client_id", "duid", "dhcp6optclientid"] {}
    2 "serverid" "Server identifier" Variable "" "RFC 8415 §21.3" also ["server_id", "dhcp6optserverid"] {}
    3 "iana" "Association for addresses" Variable "" "RFC 8415 §21.4" also ["ia_na", "dhcp6optia_na"] then ADDRESSES {
        iaid: u32 = 32 bits "iaid" .hex();
        t1: u32 = 32 bits "t1" .shark("dhcpv6.iaid.t1");
        t2: u32 = 32 bits "t2" .shark("dhcpv6.iaid.t2");
    }
    4 "iata" "Association for temporary addresses" Variable "" "RFC 8415 §21.5" also ["ia_ta", "dhcp6optia_ta"] then ADDRESSES {
        iaid: u32 = 32 bits "iaid" .hex();
    }
    5 "iaaddr" "Address of an association" Variable "" "RFC 8415 §21.6" also ["ia_addr", "dhcp6optiaaddress"] {}
    6 "oro" "Option request" Repeats(2) "" "RFC 8415 §21.7" also ["optreq", "option_request", "dhcp6optoptreq"] {
        code: u16 = 16 bits "code" .names(KIND_NAMES).shark("dhcpv6.requested_option_code");
    }
    7 "preference" "Preference of the server" Value(1) "" "RFC 8415 §21.8" also ["pref", "dhcp6optpref"] {
        preference: u8 = 8 bits "preference" .shark("dhcpv6.option_preference");
    }
    8 "elapsed" "Elapsed time" Value(2) "" "RFC 8415 §21.9" also ["elapsed_time", "elapsedtime", "dhcp6optelapsedtime"] {
        time: u16 = 16 bits "time" .shark("dhcpv6.elapsed_time");
    }
    9 "relaymsg" "Relayed message" Variable "" "RFC 8415 §21.10" also ["relay_message", "dhcp6optrelaymsg"] {}
    11 "auth" "Authentication" Variable "" "RFC 8415 §21.11" also ["authentication", "dhcp6optauth"] {}
    12 "unicast" "Server unicast" Value(16) "" "RFC 8415 §21.12" also ["server_unicast", "dhcp6optserverunicast"] {
        address: Ipv6Addr = 128 bits "address" .shark("dhcpv6.unicast");
    }
    13 "status" "Status" Text "dhcpv6.status_msg" "RFC 8415 §21.13" also ["status_code", "statuscode", "dhcp6optstatuscode"] {
        code: u16 = 16 bits "code" .names(STATUSES).shark("dhcpv6.status_code");
    }
    14 "rapid" "Rapid commit" Value(0) "" "RFC 8415 §21.14" also ["rapid_commit", "rapidcommit", "dhcp6optrapidcommit"] {}
    15 "userclass" "User class" Variable "" "RFC 8415 §21.15" also ["user_class", "dhcp6optuserclass"] {}
    16 "vendor" "Vendor class" Variable "" "RFC 8415 §21.16" also ["vendor_class", "vendorclass", "dhcp6optvendorclass"] {
        enterprise: u32 = 32 bits "enterprise" .shark("dhcpv6.vendorclass.enterprise");
    }
    17 "vendorinfo" "Vendor specific information" Variable "" "RFC 8415 §21.17" also ["vendor_opts", "vendor_specific", "dhcp6optvendorspecificinfo"] {
        enterprise: u32 = 32 bits "enterprise";
    }
    18 "interface" "Interface of the relay" Variable "" "RFC 8415 §21.18" also ["interface_id", "dhcp6optifaceid"] {}
    19 "reconfmsg" "Message that is to be asked with" Value(1) "" "RFC 8415 §21.19" also ["reconf_msg", "dhcp6optreconfmsg"] {
        kind: u8 = 8 bits "type" .default(5).names(super::TYPES).shark("dhcpv6.reconf_msg");
    }
    20 "reconfok" "Reconfigure accepted" Value(0) "" "RFC 8415 §21.20" also ["reconf_accept", "dhcp6optreconfaccept"] {}
    23 "dns" "DNS recursive name servers" Variable "" "RFC 3646 §3" also ["dns_servers", "nameserver", "dhcp6optdnsservers"] then SERVERS {}
    24 "search" "Domain search list" Names(1) "" "RFC 3646 §4" also ["domain_list", "domain_search", "dhcp6optdnsdomains"] {}
    25 "iapd" "Association for prefixes" Variable "" "RFC 8415 §21.21" also ["ia_pd", "dhcp6optia_pd"] then PREFIXES {
        iaid: u32 = 32 bits "iaid" .hex();
        t1: u32 = 32 bits "t1" .shark("dhcpv6.iaid.t1");
        t2: u32 = 32 bits "t2" .shark("dhcpv6.iaid.t2");
    }
    26 "iaprefix" "Prefix of an association" Variable "" "RFC 8415 §21.22" also ["ia_prefix", "dhcp6optiaprefix"] {}
    31 "sntp" "SNTP servers" Variable "" "RFC 4075 §4" also ["sntp_servers", "dhcp6optsntpservers"] then SERVERS {}
    32 "refresh" "Information refresh time" Value(4) "" "RFC 8415 §21.23" also ["info_refresh", "dhcp6optinforefreshtime"] {
        seconds: u32 = 32 bits "seconds" .default(86400).shark("dhcpv6.lifetime");
    }
    37 "remoteid" "Remote identifier of the relay" Variable "" "RFC 4649 §3" also ["remote_id", "dhcp6optremoteid"] {
        enterprise: u32 = 32 bits "enterprise" .shark("dhcpv6.remoteid.enterprise");
    }
    39 "fqdn" "Client's whole domain name" Names(1) "" "RFC 4704 §4" also ["client_fqdn", "dhcp6optclientfqdn"] {
        flags: u8 = 8 bits "flags" .hex();
    }
    56 "ntp" "NTP servers" Variable "" "RFC 5908 §4" also ["ntp_server", "dhcp6optntpserver"] {}
    59 "booturl" "Boot file" Text "" "RFC 5970 §3.1" also ["bootfile_url", "bootfile", "dhcp6optbootfileurl"] {}
    61 "arch" "Client's architecture" Repeats(2) "" "RFC 5970 §3.3" also ["client_arch", "dhcp6optclientarchtype"] {
        arch: u16 = 16 bits "arch" .names(crate::dhcp::ARCHITECTURES);
    }
    79 "lladdr" "Client's link-layer address" Variable "" "RFC 6939 §4" also ["client_link_layer", "dhcp6optclientlinklayeraddr"] {
        hardware: u16 = 16 bits "htype" .default(1);
    }
    82 "solmax" "Longest time between solicits" Value(4) "" "RFC 8415 §21.24" also ["sol_max_rt"] {
        seconds: u32 = 32 bits "seconds" .default(3600);
    }
    83 "infmax" "Longest time between inforequests" Value(4) "" "RFC 8415 §21.25" also ["inf_max_rt"] {
        seconds: u32 = 32 bits "seconds" .default(3600);
    }
    103 "captive" "Captive portal" Text "dhcpv6.captive_portal" "RFC 8910 §2.2" also ["captive_portal"] {}
}

/// Words for how it went (IANA).
pub static STATUSES: &[Name] = &[
    Name::new(0, "success", "success"),
    Name::new(1, "unspecfail", "failed, for no reason given").also(&["unspec_fail"]),
    Name::new(2, "noaddrs", "no address to give").also(&["noaddrsavail", "no_addrs_avail"]),
    Name::new(3, "nobinding", "no such lease").also(&["no_binding"]),
    Name::new(4, "notonlink", "not of this link").also(&["not_on_link"]),
    Name::new(5, "usemulticast", "use multicast").also(&["use_multicast"]),
    Name::new(6, "noprefix", "no prefix to give").also(&["noprefixavail", "no_prefix_avail"]),
];
