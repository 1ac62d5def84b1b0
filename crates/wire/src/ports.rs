//! IANA's service names, the ones that people type: shared by TCP's and UDP's ports.

use crate::Name;

/// Words for ports, in the order of their numbers.
pub static PORTS: &[Name] = &[
    Name::new(7, "echo", "Echo"),
    Name::new(9, "discard", "Discard"),
    Name::new(13, "daytime", "Daytime"),
    Name::new(19, "chargen", "Character generator"),
    Name::new(20, "ftpdata", "FTP data"),
    Name::new(21, "ftp", "FTP"),
    Name::new(22, "ssh", "SSH"),
    Name::new(23, "telnet", "Telnet"),
    Name::new(25, "smtp", "SMTP"),
    Name::new(37, "time", "Time"),
    Name::new(43, "whois", "WHOIS"),
    Name::new(49, "tacacs", "TACACS+"),
    Name::new(53, "domain", "DNS").also(&["dns", "named"]),
    Name::new(67, "bootps", "DHCP server").also(&["dhcp", "dhcps"]),
    Name::new(68, "bootpc", "DHCP client").also(&["dhcpc"]),
    Name::new(69, "tftp", "TFTP"),
    Name::new(79, "finger", "Finger"),
    Name::new(80, "http", "HTTP").also(&["www", "web"]),
    Name::new(88, "kerberos", "Kerberos").also(&["krb5"]),
    Name::new(110, "pop3", "POP3"),
    Name::new(111, "sunrpc", "ONC RPC").also(&["portmap", "rpcbind"]),
    Name::new(113, "ident", "Ident").also(&["auth"]),
    Name::new(119, "nntp", "NNTP"),
    Name::new(123, "ntp", "NTP"),
    Name::new(135, "msrpc", "Microsoft RPC").also(&["epmap"]),
    Name::new(137, "netbiosns", "NetBIOS names").also(&["netbios_ns"]),
    Name::new(138, "netbiosdgm", "NetBIOS datagrams").also(&["netbios_dgm"]),
    Name::new(139, "netbiosssn", "NetBIOS sessions").also(&["netbios_ssn"]),
    Name::new(143, "imap", "IMAP").also(&["imap2"]),
    Name::new(161, "snmp", "SNMP"),
    Name::new(162, "snmptrap", "SNMP traps").also(&["snmp_trap"]),
    Name::new(179, "bgp", "BGP"),
    Name::new(194, "irc", "IRC"),
    Name::new(389, "ldap", "LDAP"),
    Name::new(443, "https", "HTTP over TLS").also(&["tls", "ssl"]),
    Name::new(445, "microsoftds", "SMB").also(&["microsoft_ds", "smb", "cifs"]),
    Name::new(464, "kpasswd", "Kerberos passwords"),
    Name::new(465, "submissions", "SMTP submission over TLS").also(&["smtps", "urd"]),
    Name::new(500, "isakmp", "IKE").also(&["ike"]),
    Name::new(514, "syslog", "Syslog"),
    Name::new(515, "printer", "LPD").also(&["lpd"]),
    Name::new(520, "rip", "RIP").also(&["route", "router"]),
    Name::new(546, "dhcp6c", "DHCPv6 client").also(&["dhcpv6_client"]),
    Name::new(547, "dhcp6s", "DHCPv6 server").also(&["dhcpv6_server"]),
    Name::new(554, "rtsp", "RTSP"),
    Name::new(587, "submission", "Mail submission"),
    Name::new(631, "ipp", "IPP").also(&["cups"]),
    Name::new(636, "ldaps", "LDAP over TLS"),
    Name::new(853, "dot", "DNS over TLS").also(&["domain_s"]),
    Name::new(873, "rsync", "Rsync"),
    Name::new(989, "ftpsdata", "FTP data over TLS").also(&["ftps_data"]),
    Name::new(990, "ftps", "FTP over TLS"),
    Name::new(993, "imaps", "IMAP over TLS"),
    Name::new(995, "pop3s", "POP3 over TLS"),
    Name::new(1080, "socks", "SOCKS"),
    Name::new(1194, "openvpn", "OpenVPN"),
    Name::new(1433, "mssql", "Microsoft SQL Server").also(&["ms_sql_s"]),
    Name::new(1701, "l2tp", "L2TP"),
    Name::new(1812, "radius", "RADIUS"),
    Name::new(1883, "mqtt", "MQTT"),
    Name::new(1900, "ssdp", "SSDP"),
    Name::new(2049, "nfs", "NFS"),
    Name::new(3128, "squid", "Squid").also(&["proxy"]),
    Name::new(3306, "mysql", "MySQL").also(&["mariadb"]),
    Name::new(3389, "rdp", "Remote Desktop").also(&["ms_wbt_server"]),
    Name::new(3478, "stun", "STUN"),
    Name::new(4500, "ipsecnat", "IPsec NAT traversal").also(&["nat_t", "ipsec_nat_t"]),
    Name::new(4789, "vxlan", "VXLAN"),
    Name::new(5060, "sip", "SIP"),
    Name::new(5201, "iperf3", "iperf3").also(&["iperf"]),
    Name::new(5222, "xmpp", "XMPP").also(&["xmpp_client"]),
    Name::new(5353, "mdns", "Multicast DNS"),
    Name::new(5355, "llmnr", "LLMNR"),
    Name::new(5432, "postgresql", "PostgreSQL").also(&["postgres", "pgsql"]),
    Name::new(5672, "amqp", "AMQP"),
    Name::new(6379, "redis", "Redis"),
    Name::new(6443, "kubernetes", "Kubernetes API").also(&["k8s"]),
    Name::new(6514, "syslogtls", "Syslog over TLS").also(&["syslog_tls"]),
    Name::new(8080, "httpalt", "HTTP, another port").also(&["http_alt", "http_proxy", "webcache"]),
    Name::new(8443, "httpsalt", "HTTP over TLS, another port").also(&["https_alt"]),
    Name::new(8883, "mqtts", "MQTT over TLS").also(&["secure_mqtt"]),
    Name::new(9100, "jetdirect", "Raw printing").also(&["pdl_datastream"]),
    Name::new(11211, "memcached", "Memcached").also(&["memcache"]),
    Name::new(27017, "mongodb", "MongoDB").also(&["mongo"]),
    Name::new(33434, "traceroute", "Traceroute's first port"),
    Name::new(51820, "wireguard", "WireGuard").also(&["wg"]),
];

/// The word for a port, if it has one.
#[must_use]
pub fn word_for(port: u16) -> Option<&'static str> {
    let at = PORTS.binary_search_by_key(&u64::from(port), |name| name.value).ok()?;
    Some(PORTS[at].word)
}

/// The port that a word stands for.
#[must_use]
pub fn number_of(word: &str) -> Option<u16> {
    let name = PORTS.iter().find(|name| name.word == word)?;
    u16::try_from(name.value).ok()
}
