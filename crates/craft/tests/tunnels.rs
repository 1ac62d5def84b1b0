//! Tunnels and groups: GRE, VXLAN, IGMP and MLD, against bytes that Scapy 2.8 made, and by the two laws of the language.

use wirewright_craft::{Code, Context, First, Packet, parse, parse_words, walk};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn bytes(line: &str) -> Vec<u8> {
    let packet = parse(line).unwrap_or_else(|error| panic!("{line}\n{error}"));
    packet.build(&Context::default()).unwrap_or_else(|error| panic!("{line}: {error}")).bytes
}

/// What the bytes of a line print as.
fn read(line: &str) -> String {
    Packet::from_bytes(&bytes(line), First::Ip).to_string()
}

fn layers(line: &str) -> Vec<&'static str> {
    walk(&bytes(line), First::Ip).layers.iter().map(|layer| layer.desc.key).collect()
}

/// A line, its bytes as another tool made them, and the form that they are printed in.
const VECTORS: &[(&str, &str, &str)] = &[
    (
        "gre 192.0.2.2 src=192.0.2.1 ip.id=1 c key=5 seq=7 / ip 198.51.100.2 src=198.51.100.1 id=2 / udp :7 sport=9 data=hello",
        "4500004500014000402fb685c0000201c0000202b00008009c7c0000000000050000000745000021000240004011e65f\
         c6336401c633640200090007000d678768656c6c6f",
        "ip 192.0.2.2 src=192.0.2.1 id=1 / gre c key=5 seq=7 / ip 198.51.100.2 src=198.51.100.1 id=2 / udp :7 sport=9 data='hello'",
    ),
    (
        "ip 192.0.2.2 src=192.0.2.1 id=1 / gre key=0xdeadbeef / eth 02:00:00:00:00:02 src=02:00:00:00:00:01 / ip 198.51.100.2 src=198.51.100.1 id=2 / icmp id=3 seq=4",
        "4500004600014000402fb684c0000201c000020220006558deadbeef02000000000202000000000108004500001c0002\
         40004001e674c6336401c63364020800f7f800030004",
        "ip 192.0.2.2 src=192.0.2.1 id=1 / gre key=3735928559 / eth 02:00:00:00:00:02 src=02:00:00:00:00:01 / ip 198.51.100.2 src=198.51.100.1 id=2 / icmp type=echo id=3 seq=4",
    ),
    (
        "ip 192.0.2.2 src=192.0.2.1 id=1 / udp sport=50000 / vxlan vni=5 / eth 02:00:00:00:00:02 src=02:00:00:00:00:01 / ip 198.51.100.2 src=198.51.100.1 id=2 / icmp id=3 seq=4",
        "4500004e000140004011b69ac0000201c0000202c35012b5003a8c6d0800000000000500020000000002020000000001\
         08004500001c000240004001e674c6336401c63364020800f7f800030004",
        "ip 192.0.2.2 src=192.0.2.1 id=1 / udp :4789 sport=50000 / vxlan vni=5 / eth 02:00:00:00:00:02 src=02:00:00:00:00:01 / ip 198.51.100.2 src=198.51.100.1 id=2 / icmp type=echo id=3 seq=4",
    ),
    (
        "ip 224.0.0.1 src=192.0.2.1 tos=0xc0 id=1 ra=0 / igmp query",
        "46c000200001400001024214c0000201e0000001940400001164ee9b00000000",
        "ip 224.0.0.1 src=192.0.2.1 tos=0xc0 id=1 ra=0 / igmp type=query",
    ),
    (
        "ip 239.1.1.1 src=192.0.2.1 tos=0xc0 id=1 ra=0 / igmp report group=239.1.1.1",
        "46c000200001400001023213c0000201ef010101940400001600f9fcef010101",
        "ip 239.1.1.1 src=192.0.2.1 tos=0xc0 id=1 ra=0 / igmp type=report group=239.1.1.1",
    ),
    (
        "ip 232.1.1.1 src=192.0.2.1 tos=0xc0 id=1 ra=0 / igmp query resp=10 group=232.1.1.1 s qrv=7 qqic=20 source=192.0.2.7 source=192.0.2.8",
        "46c0002c0001400001023907c0000201e801010194040000110a72cce80101010f140002c0000207c0000208",
        "ip 232.1.1.1 src=192.0.2.1 tos=0xc0 id=1 ra=0 / igmp type=query resp=10 group=232.1.1.1 s qrv=7 qqic=20 source=192.0.2.7 source=192.0.2.8",
    ),
    (
        "ip 224.0.0.22 src=192.0.2.1 tos=0xc0 id=1 ra=0 / igmp report3 record=4:224.0.0.251 record=allow:232.1.1.1,192.0.2.7,192.0.2.8",
        "46c0003800014000010241e7c0000201e000001694040000220086ec0000000204000000e00000fb05000002e8010101\
         c0000207c0000208",
        "ip 224.0.0.22 src=192.0.2.1 tos=0xc0 id=1 ra=0 / igmp type=report3 record=toexclude:224.0.0.251 record=allow:232.1.1.1,192.0.2.7,192.0.2.8",
    ),
    (
        "ip6 ff02::16 src=fe80::1 flow=0 / hopopt ra=0 padn / icmp6 mld2report record=4:ff02::fb record=5:ff3e::1,2001:db8::7,2001:db8::8",
        "6000000000580001fe800000000000000000000000000001ff0200000000000000000000000000163a00050200000100\
         8f000f170000000204000000ff0200000000000000000000000000fb05000002ff3e0000000000000000000000000001\
         20010db800000000000000000000000720010db8000000000000000000000008",
        "ip6 ff02::16 src=fe80::1 flow=0x00000 / hopopt ra=0 padn / icmp6 type=mld2report record=toexclude:ff02::fb record=allow:ff3e::1,2001:db8::7,2001:db8::8",
    ),
    (
        "ip6 ff3e::1 src=fe80::1 flow=0 / hopopt ra=0 padn / icmp6 mldquery delay=1000 group=ff3e::1 s qrv=7 qqic=20 source=2001:db8::7",
        "6000000000340001fe800000000000000000000000000001ff3e00000000000000000000000000013a00050200000100\
         82003fda03e80000ff3e00000000000000000000000000010f14000120010db8000000000000000000000007",
        "ip6 ff3e::1 src=fe80::1 flow=0x00000 / hopopt ra=0 padn / icmp6 type=mldquery delay=1000 group=ff3e::1 s qrv=7 qqic=20 source=2001:db8::7",
    ),
];

#[test]
fn what_is_written_is_what_another_tool_makes_and_prints_in_one_form() {
    for (line, made, printed) in VECTORS {
        assert_eq!(bytes(line), hex(made), "{line}");
        assert_eq!(Packet::from_bytes(&hex(made), First::Ip).to_string(), *printed);
        assert_eq!(bytes(printed), hex(made), "{printed}");
    }
}

#[test]
fn a_field_of_gre_is_there_when_it_is_set_or_its_bit_is() {
    let head = |words: &str| {
        bytes(&format!("ip 192.0.2.2 src=192.0.2.1 / gre {words} / ip 192.0.2.3 src=192.0.2.4"))[20..].to_vec()
    };
    let len = |words: &str| head(words).len() - 20;
    assert_eq!((head("")[0], len("")), (0x00, 4));
    assert_eq!((head("key=5")[0], len("key=5")), (0x20, 8));
    assert_eq!((head("k")[0], len("k")), (0x20, 8));
    assert_eq!((head("seq=1")[0], len("seq=1")), (0x10, 8));
    assert_eq!((head("c")[0], len("c")), (0x80, 8));
    assert_eq!((head("res1=7")[0], len("res1=7")), (0x80, 8));
    assert_eq!((head("sum=bad k s")[0], len("sum=bad k s")), (0xb0, 16));
    // Set against each other, both are what was said: the bit, and the bytes.
    assert_eq!((head("key=5 k=0")[0], len("key=5 k=0")), (0x00, 8));
    assert_eq!(head("key=5 k=0")[4..8], [0, 0, 0, 5]);
    assert_eq!((head("r res0=3 ver=7")[0], head("r res0=3 ver=7")[1]), (0x40, 0x1f));
    // Whichever is written first, they stand in the order of the header.
    assert_eq!(head("seq=2 key=1"), head("key=1 seq=2"));
}

#[test]
fn what_gre_carries_is_told_by_its_type() {
    let carried = |inner: &str| layers(&format!("gre 192.0.2.2 src=192.0.2.1 / {inner}"))[2..].to_vec();
    assert_eq!(carried("ip 192.0.2.3"), ["ip"]);
    assert_eq!(carried("ip6 2001:db8::3"), ["ip6"]);
    assert_eq!(carried("mpls label=100 / ip 192.0.2.3"), ["mpls", "ip"]);
    assert_eq!(carried("arp 192.0.2.3"), ["arp"]);
    assert_eq!(carried("vlan vid=5 / arp 192.0.2.3"), ["vlan", "arp"]);
    assert_eq!(carried("eth / arp 192.0.2.3"), ["eth", "arp"]);
    assert_eq!(carried("gre 192.0.2.3 / udp 192.0.2.4:9"), ["ip", "gre", "ip", "udp"]);
    // Another version, or a source route of RFC 1701: what follows is not known.
    assert_eq!(carried("ip 192.0.2.3").len(), 1);
    let other = |words: &str| layers(&format!("gre 192.0.2.2 src=192.0.2.1 {words} / ip 192.0.2.3"));
    assert_eq!((other("ver=1"), other("r")), (vec!["ip", "gre"], vec!["ip", "gre"]));
}

#[test]
fn vxlan_makes_what_stands_below_and_above_it() {
    let made = ["ip", "udp", "vxlan", "eth", "ip", "icmp"];
    assert_eq!(layers("vxlan 192.0.2.2 src=192.0.2.1 vni=5 / icmp 192.0.2.3"), made);
    assert_eq!(layers("udp 192.0.2.2 src=192.0.2.1 / vxlan / ip 192.0.2.3 / icmp echo"), made);
    assert_eq!(layers("vxlan 192.0.2.2 src=192.0.2.1 / eth / ip 192.0.2.3 / icmp echo"), made);
    assert_eq!(layers("vxlan 192.0.2.2 src=192.0.2.1 / vlan vid=5 / arp 192.0.2.3")[3..], ["eth", "vlan", "arp"]);
    let twice = "vxlan 192.0.2.2 src=192.0.2.1 / vxlan 192.0.2.3 vni=6 / dns 192.0.2.4 example.com";
    assert_eq!(layers(twice)[3..], ["eth", "ip", "udp", "vxlan", "eth", "ip", "udp", "dns"]);
    // A port that is written stays, and then nothing says that it is VXLAN.
    assert_eq!(layers("udp 192.0.2.2:9 src=192.0.2.1 / vxlan / arp 192.0.2.3"), ["ip", "udp"]);
    // Its port as the source's says nothing either (RFC 7348 §5: it is any).
    assert_eq!(layers("udp 192.0.2.2:9 sport=4789 src=192.0.2.1 / vxlan / arp 192.0.2.3"), ["ip", "udp"]);
    assert_eq!(bytes("vxlan 192.0.2.2 src=192.0.2.1 i=0 vni=1 / arp 192.0.2.3")[28..36], [0, 0, 0, 0, 0, 0, 1, 0]);
}

#[test]
fn a_query_is_of_the_newer_version_when_something_only_that_has_is_written() {
    let igmp = |words: &str| bytes(&format!("ip 224.0.0.1 src=192.0.2.1 / igmp query {words}"))[20..].to_vec();
    assert_eq!(igmp("").len(), 8);
    assert_eq!(igmp("resp=0 group=239.1.1.1").len(), 8);
    assert_eq!(igmp("qrv=2")[8..], [2, 125, 0, 0]);
    assert_eq!(igmp("s")[8..], [10, 125, 0, 0]);
    assert_eq!(igmp("source=192.0.2.7")[8..], [2, 125, 0, 1, 192, 0, 2, 7]);
    assert_eq!(igmp("nsrc=+1")[8..], [2, 125, 0, 1]);
    let mld = |words: &str| bytes(&format!("ip6 ff02::1 src=fe80::1 / icmp6 mldquery {words}"))[40..].to_vec();
    assert_eq!(mld("").len(), 24);
    assert_eq!(mld("qqic=9")[24..], [2, 9, 0, 0]);
    // Printed, the one that keeps the form is said even where it is the usual value.
    assert_eq!(
        read("ip 224.0.0.1 src=192.0.2.1 id=1 / igmp query qrv=2"),
        "ip 224.0.0.1 src=192.0.2.1 id=1 / igmp type=query qrv=2"
    );
    assert_eq!(
        read("ip 224.0.0.1 src=192.0.2.1 id=1 / igmp query"),
        "ip 224.0.0.1 src=192.0.2.1 id=1 / igmp type=query"
    );
    // RFC 3376 §7.1: what is longer than 8 bytes and shorter than 12 is no query of version 3.
    let odd = "ip 224.0.0.1 src=192.0.2.1 id=1 / igmp type=query hex=0203";
    assert_eq!(read(odd), odd);
}

#[test]
fn messages_about_groups_go_no_further_than_the_link_unless_told() {
    let ttl = |line: &str| bytes(line)[8];
    assert_eq!(ttl("igmp 224.0.0.1 query"), 1);
    assert_eq!(ttl("ip 224.0.0.1 ra=0 / igmp report3"), 1);
    assert_eq!(ttl("igmp 224.0.0.1 query ttl=9"), 9);
    assert_eq!(ttl("ip 224.0.0.1 / udp :9"), 64);
    let hops = |line: &str| bytes(line)[7];
    assert_eq!(hops("ip6 ff02::16 / icmp6 mld2report"), 1);
    assert_eq!(hops("ip6 ff02::16 / hopopt ra=0 / icmp6 mld2report"), 1);
    assert_eq!(hops("ip6 ff02::16 / hopopt ra=0 / icmp6 echo"), 64);
}

#[test]
fn records_count_themselves_and_their_sources() {
    let report = |words: &str| bytes(&format!("ip 224.0.0.22 src=192.0.2.1 / igmp report3 {words}"))[24..].to_vec();
    assert_eq!(report("record=2:239.1.1.1"), [0, 0, 0, 1, 2, 0, 0, 0, 239, 1, 1, 1]);
    assert_eq!(report("record=2:239.1.1.1,0x0a0b0c0d")[4..], [2, 1, 0, 0, 239, 1, 1, 1, 10, 11, 12, 13]);
    assert_eq!(report("record=block:232.1.1.1,192.0.2.7,0x0a0b0c0d")[4..12], [6, 1, 0, 1, 232, 1, 1, 1]);
    assert_eq!(report("record=2:239.1.1.1 nrec=7")[..4], [0, 0, 0, 7]);
    // Bytes that are no record.
    let line = "ip 224.0.0.22 src=192.0.2.1 id=1 / igmp type=report3 record=exclude:239.1.1.1 opts=0200000aef010101";
    assert_eq!(read(line), line);
    for wrong in
        ["record=2", "record=2:239.1.1.1,0x0a", "record=2:239.1.1.1,0x", "record=2:x", "record=2:239.1.1.1,1.2"]
    {
        let error = parse(&format!("igmp 224.0.0.22 report3 {wrong}")).unwrap_err();
        assert_eq!(error.code, Code::BadValue, "{wrong}");
    }
    let error = parse_words(&["igmp", "224.0.0.1", "report", "record=2:239.1.1.1"]).unwrap_err();
    assert_eq!(error.code, Code::UnknownKey);
}
