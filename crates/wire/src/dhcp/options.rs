//! RFC 2132 and those after it: the options of a message, and the words of their values.

use core::net::Ipv4Addr;

use crate::Name;

/// The option that says which kind of message it is.
pub const MESSAGE_TYPE: u16 = 53;

tlv! {
    /// The options of a message.
    OPTIONS "DHCP options" ValueBytes align 1 max 65267 "RFC 2132" "dhcp";
    0 "pad" "Pad" Single "" "RFC 2132 §3.1" also ["padding", "nop"] {}
    1 "mask" "Subnet mask" Value(4) "dhcp.option.subnet_mask" "RFC 2132 §3.3" also ["subnet_mask", "netmask"] {
        mask: Ipv4Addr = 32 bits "mask" .shark("dhcp.option.subnet_mask");
    }
    2 "timeoffset" "Time offset" Value(4) "dhcp.option.time_offset" "RFC 2132 §3.4" also ["time_offset", "time_zone"] {
        seconds: u32 = 32 bits "seconds";
    }
    3 "router" "Routers" Repeats(4) "dhcp.option.router" "RFC 2132 §3.5" also ["routers", "gateway", "gw"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.router");
    }
    4 "timeserver" "Time servers" Repeats(4) "dhcp.option.time_server" "RFC 2132 §3.6" also ["time_server"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.time_server");
    }
    6 "dns" "Domain name servers" Repeats(4) "dhcp.option.domain_name_server" "RFC 2132 §3.8"
        also ["name_server", "domain_name_server", "domain_name_servers", "nameserver", "resolver"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.domain_name_server");
    }
    7 "logserver" "Log servers" Repeats(4) "dhcp.option.log_server" "RFC 2132 §3.9" also ["log_server", "syslog"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.log_server");
    }
    12 "hostname" "Host name" Text "dhcp.option.hostname" "RFC 2132 §3.14" also ["host_name", "host"] {}
    13 "bootsize" "Boot file size" Value(2) "dhcp.option.boot_file_size" "RFC 2132 §3.15" also ["boot_size", "boot_file_size"] {
        blocks: u16 = 16 bits "blocks" .shark("dhcp.option.boot_file_size");
    }
    15 "domain" "Domain name" Text "dhcp.option.domain_name" "RFC 2132 §3.17" also ["domain_name"] {}
    17 "rootpath" "Root path" Text "dhcp.option.root_path" "RFC 2132 §3.19" also ["root_path"] {}
    23 "defttl" "Default time to live" Value(1) "dhcp.option.default_ip_ttl" "RFC 2132 §4.5" also ["default_ttl"] {
        ttl: u8 = 8 bits "hops" .default(64).shark("dhcp.option.default_ip_ttl");
    }
    26 "mtu" "Interface MTU" Value(2) "dhcp.option.interface_mtu" "RFC 2132 §5.1" also ["interface_mtu"] {
        mtu: u16 = 16 bits "mtu" .default(1500).shark("dhcp.option.interface_mtu");
    }
    28 "broadcast" "Broadcast address" Value(4) "dhcp.option.broadcast_address" "RFC 2132 §5.3" also ["broadcast_address", "bcast_address"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.broadcast_address");
    }
    31 "discovery" "Perform router discovery" Value(1) "dhcp.option.perform_router_discover" "RFC 2132 §5.6" also ["router_discovery"] {
        perform: u8 = 8 bits "perform";
    }
    33 "static" "Static routes" Repeats(8) "" "RFC 2132 §5.8" also ["static_routes", "static_route"] {
        destination: Ipv4Addr = 32 bits "destination" .shark("dhcp.option.static_route.ip");
        router: Ipv4Addr = 32 bits "router" .shark("dhcp.option.static_route.router");
    }
    40 "nisdomain" "NIS domain" Text "dhcp.option.nis_domain" "RFC 2132 §8.1" also ["nis_domain"] {}
    41 "nis" "NIS servers" Repeats(4) "dhcp.option.nis_server" "RFC 2132 §8.2" also ["nis_server", "nis_servers"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.nis_server");
    }
    42 "ntp" "NTP servers" Repeats(4) "dhcp.option.ntp_server" "RFC 2132 §8.3" also ["ntp_server", "ntp_servers"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.ntp_server");
    }
    43 "vendorinfo" "Vendor specific information" Variable "" "RFC 2132 §8.4" also ["vendor_specific", "vendor_info"] {}
    44 "wins" "NetBIOS name servers" Repeats(4) "dhcp.option.netbios_over_tcpip_name_server" "RFC 2132 §8.5" also ["netbios_server", "nbns"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.netbios_over_tcpip_name_server");
    }
    46 "nodetype" "NetBIOS node type" Value(1) "dhcp.option.netbios_over_tcpip_node_type" "RFC 2132 §8.7" also ["netbios_node_type", "node_type"] {
        node: u8 = 8 bits "node" .shark("dhcp.option.netbios_over_tcpip_node_type");
    }
    50 "reqip" "Requested address" Value(4) "dhcp.option.requested_ip_address" "RFC 2132 §9.1"
        also ["requested_addr", "requested_address", "requested_ip", "requested_ip_address", "request_ip"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.requested_ip_address");
    }
    51 "lease" "Address lease time" Value(4) "dhcp.option.ip_address_lease_time" "RFC 2132 §9.2" also ["lease_time", "ip_address_lease_time"] {
        seconds: u32 = 32 bits "seconds" .default(86400).shark("dhcp.option.ip_address_lease_time");
    }
    52 "overload" "Option overload" Value(1) "dhcp.option.option_overload" "RFC 2132 §9.3" also ["option_overload"] {
        used: u8 = 8 bits "used" .default(1).names(OVERLOADS).shark("dhcp.option.option_overload");
    }
    53 "type" "Message type" Value(1) "dhcp.option.dhcp" "RFC 2132 §9.6" also ["message_type", "msgtype", "dhcp_message_type"] {
        kind: u8 = 8 bits "type" .default(1).names(MESSAGE_TYPES).shark("dhcp.option.dhcp");
    }
    54 "serverid" "Server identifier" Value(4) "dhcp.option.dhcp_server_id" "RFC 2132 §9.7" also ["server_id", "server_identifier", "server"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.dhcp_server_id");
    }
    55 "params" "Parameter request list" Repeats(1) "" "RFC 2132 §9.8" also ["param_req_list", "parameter_request_list", "request_list", "prl"] {
        kind: u8 = 8 bits "kind" .names(KIND_NAMES).shark("dhcp.option.request_list_item");
    }
    56 "message" "Message" Text "dhcp.option.message" "RFC 2132 §9.9" also ["error_message", "dhcp_message"] {}
    57 "maxsize" "Largest message taken" Value(2) "dhcp.option.dhcp_max_message_size" "RFC 2132 §9.10" also ["max_dhcp_size", "max_message_size", "max_size"] {
        bytes: u16 = 16 bits "bytes" .default(1500).shark("dhcp.option.dhcp_max_message_size");
    }
    58 "renewal" "Renewal time, T1" Value(4) "dhcp.option.renewal_time_value" "RFC 2132 §9.11" also ["renewal_time", "t1"] {
        seconds: u32 = 32 bits "seconds" .default(43200).shark("dhcp.option.renewal_time_value");
    }
    59 "rebinding" "Rebinding time, T2" Value(4) "dhcp.option.rebinding_time_value" "RFC 2132 §9.12" also ["rebinding_time", "t2"] {
        seconds: u32 = 32 bits "seconds" .default(75600).shark("dhcp.option.rebinding_time_value");
    }
    60 "vendor" "Vendor class identifier" Text "dhcp.option.vendor_class_id" "RFC 2132 §9.13" also ["vendor_class_id", "vendor_class", "vendorclass"] {}
    61 "clientid" "Client identifier" Variable "" "RFC 2132 §9.14" also ["client_id", "client_identifier"] {
        kind: u8 = 8 bits "type" .default(1);
    }
    66 "tftp" "TFTP server name" Text "dhcp.option.tftp_server_name" "RFC 2132 §9.4" also ["tftp_server_name", "tftp_server"] {}
    67 "bootname" "Boot file name" Text "dhcp.option.bootfile_name" "RFC 2132 §9.5" also ["bootfile_name", "boot_name"] {}
    77 "userclass" "User class" Variable "" "RFC 3004" also ["user_class"] {}
    80 "rapid" "Rapid commit" Value(0) "" "RFC 4039 §4" also ["rapid_commit"] {}
    81 "fqdn" "Client's whole domain name" Names(1) "" "RFC 4702 §2" also ["client_fqdn"] {
        flags: u8 = 8 bits "flags" .hex().shark("dhcp.fqdn.flags");
        rcode1: u8 = 8 bits "rcode1" .shark("dhcp.fqdn.rcode1");
        rcode2: u8 = 8 bits "rcode2" .shark("dhcp.fqdn.rcode2");
    }
    82 "relay" "Relay agent information" Variable "" "RFC 3046" also ["relay_agent_information", "relay_agent", "agent"] {}
    93 "arch" "Client's architecture" Repeats(2) "dhcp.option.client_system_architecture" "RFC 4578 §2.1" also ["pxe_client_architecture", "client_arch", "architecture"] {
        arch: u16 = 16 bits "arch" .names(ARCHITECTURES).shark("dhcp.option.client_system_architecture");
    }
    97 "uuid" "Client's machine identifier" Variable "" "RFC 4578 §2.3" also ["pxe_client_machine_identifier", "guid", "machine_id"] {
        kind: u8 = 8 bits "type";
    }
    108 "v6only" "IPv6-only preferred" Value(4) "" "RFC 8925 §3.1" also ["v6_only_preferred", "ipv6_only"] {
        seconds: u32 = 32 bits "seconds";
    }
    114 "captive" "Captive portal" Text "dhcp.option.captive_portal" "RFC 8910 §2.1" also ["captive_portal", "default_url"] {}
    116 "autoconf" "Auto-configure" Value(1) "dhcp.option.dhcp_auto_configuration" "RFC 2563 §2" also ["auto_configure"] {
        allowed: u8 = 8 bits "allowed" .shark("dhcp.option.dhcp_auto_configuration");
    }
    118 "subnet" "Subnet selection" Value(4) "dhcp.option.subnet_selection_option" "RFC 3011 §2" also ["subnet_selection"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.subnet_selection_option");
    }
    119 "search" "Domain search list" Names(1) "" "RFC 3397 §2" also ["domain_search", "searchlist"] {}
    121 "routes" "Classless static routes" Variable "" "RFC 3442" also ["classless_static_routes", "classless_static_route", "classless_routes"] {}
    125 "vivendor" "Vendor-identifying information" Variable "" "RFC 3925 §4" also ["vendor_identifying_vendor_specific"] {}
    150 "tftpaddr" "TFTP server addresses" Repeats(4) "dhcp.option.tftp_server_address" "RFC 5859 §3" also ["tftp_server_address", "tftp_server_ip_address"] {
        address: Ipv4Addr = 32 bits "address" .shark("dhcp.option.tftp_server_address");
    }
    252 "wpad" "Web proxy discovery" Text "dhcp.option.private_proxy_autodiscovery" "draft-ietf-wrec-wpad-01 §4.4.1" also ["proxy_autodiscovery"] {}
    255 "end" "End" Single "" "RFC 2132 §3.2" also ["eol"] {}
}

/// Words for the kinds of message (IANA).
pub static MESSAGE_TYPES: &[Name] = &[
    Name::new(1, "discover", "discover: who gives addresses?").also(&["dhcpdiscover", "disc"]),
    Name::new(2, "offer", "offer: an address could be had").also(&["dhcpoffer"]),
    Name::new(3, "request", "request: this address, please").also(&["dhcprequest", "req"]),
    Name::new(4, "decline", "decline: the address is taken").also(&["dhcpdecline"]),
    Name::new(5, "ack", "ack: the address is the client's").also(&["dhcpack"]),
    Name::new(6, "nak", "nak: not this address").also(&["dhcpnak", "nack"]),
    Name::new(7, "release", "release: the address is given back").also(&["dhcprelease"]),
    Name::new(8, "inform", "inform: only the settings").also(&["dhcpinform"]),
    Name::new(9, "forcerenew", "force renew, RFC 3203").also(&["dhcpforcerenew"]),
    Name::new(10, "leasequery", "lease query, RFC 4388").also(&["dhcpleasequery"]),
    Name::new(11, "unassigned", "lease unassigned, RFC 4388").also(&["leaseunassigned"]),
    Name::new(12, "unknown", "lease unknown, RFC 4388").also(&["leaseunknown"]),
    Name::new(13, "active", "lease active, RFC 4388").also(&["leaseactive"]),
];

/// Whether servers send messages of this kind.
#[must_use]
pub const fn is_answer(kind: u8) -> bool {
    matches!(kind, 2 | 5 | 6 | 9 | 11..=13)
}

/// Words for what else holds options (RFC 2132 §9.3).
pub static OVERLOADS: &[Name] = &[
    Name::new(1, "bootfile", "the file's room holds options"),
    Name::new(2, "sname", "the server name's room holds options"),
    Name::new(3, "both", "both rooms hold options"),
];

/// Words for architectures (IANA, RFC 5970 §3.3).
pub static ARCHITECTURES: &[Name] = &[
    Name::new(0, "bios", "x86 with a BIOS"),
    Name::new(6, "efi32", "x86 with UEFI"),
    Name::new(7, "efi64", "x86-64 with UEFI"),
    Name::new(10, "arm32", "ARM with UEFI"),
    Name::new(11, "arm64", "64-bit ARM with UEFI"),
    Name::new(16, "http64", "x86-64 with UEFI, by HTTP"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_asked_for_by_the_key_of_its_option() {
        let field = OPTIONS.kind(55).and_then(|option| option.fields.first()).unwrap();
        let named = |value: u128| field.word_for(value).map(|name| name.word);
        assert_eq!((named(1), named(53), named(252), named(251)), (Some("mask"), Some("type"), Some("wpad"), None));
        assert_eq!((OPTIONS.end, OPTIONS.closing()), (Some(255), Some(255)));
    }
}
