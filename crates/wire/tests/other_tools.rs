//! The names that other tools have for our fields: each is known in its layer, and leads to the right key.

use wirewright_wire::{FieldDesc, HeaderDesc, layer};

/// Layer, our key, and what Scapy (its field names), nping and hping3 (their options), tcpdump and the C headers
/// (their words) call it.
const NAMES: &[(&str, &str, &[&str])] = &[
    ("eth", "dst", &["dst", "dest_mac", "ether_dst", "h_dest", "dmac", "dhost"]),
    ("eth", "src", &["src", "source_mac", "ether_src", "h_source", "smac", "shost", "spoof_mac"]),
    ("eth", "type", &["type", "ether_type", "ethertype", "h_proto", "etype"]),
    ("vlan", "pcp", &["prio", "priority", "cos"]),
    ("vlan", "dei", &["dei", "cfi"]),
    ("vlan", "vid", &["vlan", "id", "vid", "vlan_id"]),
    ("vlan", "type", &["type", "etype"]),
    ("qinq", "pcp", &["prio", "priority"]),
    ("qinq", "dei", &["dei", "cfi"]),
    ("qinq", "vid", &["vlan", "id", "vlan_id"]),
    ("qinq", "type", &["type", "etype"]),
    ("arp", "htype", &["hwtype", "ar_hrd"]),
    ("arp", "ptype", &["ptype", "ar_pro"]),
    ("arp", "hlen", &["hwlen", "ar_hln"]),
    ("arp", "plen", &["plen", "ar_pln"]),
    ("arp", "op", &["op", "arp_type", "opcode", "ar_op", "oper"]),
    ("arp", "sha", &["hwsrc", "arp_sender_mac", "ar_sha"]),
    ("arp", "spa", &["psrc", "arp_sender_ip", "ar_spa"]),
    ("arp", "tha", &["hwdst", "arp_target_mac", "ar_tha"]),
    ("arp", "tpa", &["pdst", "arp_target_ip", "ar_tpa"]),
    ("ip", "ver", &["version", "ip_v"]),
    ("ip", "ihl", &["ihl", "ip_hl", "hlen"]),
    ("ip", "tos", &["tos", "ip_tos", "dscp"]),
    ("ip", "len", &["len", "tot_len", "ip_len", "iplen"]),
    ("ip", "id", &["id", "ip_id", "ipid"]),
    ("ip", "df", &["df", "dontfrag", "flags"]),
    ("ip", "mf", &["mf", "morefrag"]),
    ("ip", "evil", &["evil", "rb", "rf"]),
    ("ip", "off", &["frag", "fragoff", "frag_off", "ip_off"]),
    ("ip", "ttl", &["ttl", "ip_ttl"]),
    ("ip", "proto", &["proto", "ipproto", "ip_p", "ip_proto"]),
    ("ip", "sum", &["chksum", "check", "ip_sum", "badsum_ip", "cksum", "bad_cksum"]),
    ("ip", "src", &["src", "saddr", "source_ip", "spoof", "ip_src", "spoof_ip"]),
    ("ip", "dst", &["dst", "daddr", "dest_ip", "ip_dst"]),
    ("ip6", "ver", &["version"]),
    ("ip6", "tc", &["tc", "traffic_class", "priority"]),
    ("ip6", "flow", &["fl", "flow", "flow_label", "flowlabel", "flow_lbl"]),
    ("ip6", "len", &["plen", "payload_len", "ip6_plen"]),
    ("ip6", "nh", &["nh", "nexthdr", "ip6_nxt", "next_header"]),
    ("ip6", "hlim", &["hlim", "hop_limit", "hoplimit", "ip6_hlim", "ip6_hops", "ttl"]),
    ("ip6", "src", &["src", "saddr", "source_ip", "ip6_src"]),
    ("ip6", "dst", &["dst", "daddr", "dest_ip", "ip6_dst"]),
    ("hopopt", "nh", &["nh", "next_header"]),
    ("hopopt", "len", &["len", "hdrlen"]),
    ("route", "type", &["type", "rt_type", "routing_type"]),
    ("route", "left", &["segleft", "segments_left"]),
    ("frag", "off", &["offset", "frag_off", "ip6f_offlg"]),
    ("frag", "mf", &["m", "more"]),
    ("frag", "id", &["id", "identification", "ip6f_ident"]),
    ("frag", "res", &["res1", "reserved"]),
    ("icmp", "type", &["type", "icmp_type", "icmptype"]),
    ("icmp", "code", &["code", "icmp_code", "icmpcode"]),
    ("icmp", "sum", &["chksum", "checksum", "icmp_cksum", "cksum"]),
    ("icmp", "id", &["id", "icmp_id", "icmp_ipid", "ident"]),
    ("icmp", "seq", &["seq", "icmp_seq", "icmp_ipseq"]),
    ("icmp", "gw", &["gw", "icmp_redirect_addr", "icmp_gw", "gateway"]),
    ("icmp", "ptr", &["ptr", "icmp_param_pointer", "pointer"]),
    ("icmp", "mtu", &["nexthopmtu", "mtu", "icmp_nextmtu"]),
    ("icmp", "life", &["icmp_advert_lifetime", "lifetime"]),
    ("icmp", "orig", &["ts_ori", "icmp_orig_time", "icmp_otime"]),
    ("icmp", "recv", &["ts_rx", "icmp_recv_time", "icmp_rtime"]),
    ("icmp", "trans", &["ts_tx", "icmp_trans_time", "icmp_ttime"]),
    ("icmp", "mask", &["addr_mask", "icmp_mask"]),
    ("icmp6", "type", &["type", "icmp6_type", "icmpv6_type"]),
    ("icmp6", "code", &["code", "icmp6_code", "icmpv6_code"]),
    ("icmp6", "sum", &["cksum", "icmp6_cksum", "chksum"]),
    ("icmp6", "id", &["id", "icmp6_id"]),
    ("icmp6", "seq", &["seq", "icmp6_seq"]),
    ("icmp6", "mtu", &["mtu", "icmp6_mtu"]),
    ("icmp6", "ptr", &["ptr", "icmp6_pptr"]),
    ("icmp6", "target", &["tgt", "nd_ns_target", "target_address"]),
    ("icmp6", "router", &["r"]),
    ("icmp6", "solicited", &["s"]),
    ("icmp6", "override", &["o"]),
    ("icmp6", "hops", &["chlim", "curhoplimit"]),
    ("icmp6", "managed", &["m"]),
    ("icmp6", "prf", &["prf"]),
    ("icmp6", "life", &["routerlifetime"]),
    ("icmp6", "reach", &["reachabletime"]),
    ("icmp6", "retrans", &["retranstimer"]),
    ("icmp6", "slla", &["lladdr", "icmpv6ndoptsrclladdr"]),
    ("icmp6", "tlla", &["icmpv6ndoptdstlladdr"]),
    ("icmp6", "prefix", &["icmpv6ndoptprefixinfo"]),
    ("udp", "sport", &["sport", "source_port", "uh_sport", "srcport", "g"]),
    ("udp", "dport", &["dport", "dest_port", "uh_dport", "destport", "port", "p"]),
    ("udp", "len", &["len", "ulen", "uh_ulen", "length"]),
    ("udp", "sum", &["chksum", "check", "uh_sum", "badsum", "badcksum"]),
    ("tcp", "sport", &["sport", "source_port", "th_sport", "baseport", "g"]),
    ("tcp", "dport", &["dport", "dest_port", "th_dport", "destport", "p"]),
    ("tcp", "seq", &["seq", "th_seq", "setseq", "seqnum"]),
    ("tcp", "ack", &["ack", "ack_seq", "th_ack", "setack"]),
    ("tcp", "doff", &["dataofs", "doff", "th_off", "tcpoff"]),
    ("tcp", "res", &["reserved", "res1", "th_x2"]),
    ("tcp", "flags", &["flags", "th_flags", "tcpflags"]),
    ("tcp", "win", &["window", "win", "th_win", "wnd"]),
    ("tcp", "sum", &["chksum", "check", "th_sum", "badsum", "badcksum"]),
    ("tcp", "urg", &["urgptr", "urg_ptr", "th_urp"]),
    ("tcp", "mss", &["tcp_mss", "maxseg", "mss"]),
    ("tcp", "wscale", &["wscale", "ws", "wsopt", "wsf"]),
    ("tcp", "sack", &["sackok", "sack_perm", "sack"]),
    ("tcp", "ts", &["timestamp", "tcp_timestamp", "tsopt"]),
    ("tcp", "md5", &["md5", "signature"]),
    ("tcp", "uto", &["uto", "user_timeout"]),
    ("tcp", "mpcapable", &["mpcapable", "mp_capable"]),
    ("tcp", "dss", &["dss", "mptcp_dss"]),
    ("tcp", "addaddr", &["addaddr", "add_addr"]),
    ("tcp", "rmaddr", &["rm_addr", "remove_addr"]),
    ("tcp", "mptcprst", &["mp_tcprst"]),
    ("tcp", "tfo", &["tfo", "fastopen"]),
    ("tcp", "nop", &["nop", "noop"]),
    ("tcp", "eol", &["eol", "eool"]),
];

/// The names of the keys of a layer: of its fields, of its bodies', of its options.
fn known(desc: &HeaderDesc) -> Vec<(&'static str, Vec<&'static str>)> {
    let row = |field: &'static FieldDesc| {
        (field.key, [field.key, field.name].into_iter().chain(field.also.iter().copied()).collect())
    };
    let bodies = desc.variants.iter().map(|variant| variant.body);
    let mut all: Vec<_> = desc.fields.iter().chain(bodies.clone().flat_map(|body| body.fields)).map(row).collect();
    for list in bodies.filter_map(|body| body.options).chain(desc.options) {
        for option in list.kinds {
            all.push((option.key, std::iter::once(option.key).chain(option.also.iter().copied()).collect()));
        }
    }
    all
}

#[test]
fn each_name_leads_to_our_key() {
    let mut missing = vec![];
    for (key, field, names) in NAMES {
        let known = known(layer(key).expect("a layer"));
        for name in *names {
            let leads = |(key, names): &&(&str, Vec<&str>)| key == field && names.contains(name);
            if !known.iter().any(|row| leads(&row)) {
                missing.push(format!("{key}.{field}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "not known: {missing:#?}");
}

#[test]
fn each_tools_name_of_a_layer_is_known() {
    for (key, names) in [
        ("eth", &["ether", "ethernet"][..]),
        ("vlan", &["dot1q", "8021q"]),
        ("qinq", &["dot1ad", "8021ad"]),
        ("ip", &["ipv4", "ip4"]),
        ("ip6", &["ipv6", "inet6"]),
        ("hopopt", &["ipv6exthdrhopbyhop"]),
        ("route", &["ipv6exthdrrouting"]),
        ("frag", &["ipv6exthdrfragment"]),
        ("dstopt", &["ipv6exthdrdestopt"]),
        ("icmp", &["icmpv4"]),
        ("icmp6", &["icmpv6", "icmpv6echorequest"]),
    ] {
        let desc = layer(key).expect("a layer");
        assert!(names.iter().all(|name| desc.also.contains(name)), "{key}: {names:?}");
    }
}
