//! The laws of the language: print → parse → build gives the same bytes, for any bytes; nothing panics.

use proptest::prelude::*;
use wirewright_craft::{Context, First, Packet, parse, parse_words};

fn assert_round_trip(bytes: &[u8], first: First) {
    let packet = Packet::from_bytes(bytes, first);
    let built = packet.build(&Context::default()).expect("what was read can be built");
    assert_eq!(built.bytes, bytes, "read and built: {packet}");
    let line = packet.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "=.:,_+/@- ".contains(c);
    let outside: String = line.split('\'').step_by(2).collect();
    assert!(outside.chars().all(plain), "a shell sign outside quotes: {line}");
    let again = parse(&line).unwrap_or_else(|error| panic!("printed, not parsed: {line}\n{error}"));
    let rebuilt = again.build(&Context::default()).unwrap_or_else(|error| panic!("{line}: {error}"));
    assert_eq!(rebuilt.bytes, bytes, "printed and parsed: {line}");
    assert_eq!(again.to_string(), line, "one printed form");
}

/// Packets of every layer, right ones, to be mutated.
const SEEDS: &[&str] = &[
    "eth 02:00:00:00:00:01 src=02:00:00:00:00:02 / ip 192.0.2.2 src=192.0.2.1 / tcp :80 S mss=1460 sack ts=1:0 nop wscale=7",
    "eth 02:00:00:00:00:01 src=02:00:00:00:00:02 / vlan vid=5 pcp=3 / arp 192.0.2.2 spa=192.0.2.1 trailer=000000000000",
    "ip 192.0.2.2 src=192.0.2.1 / tcp :80 S tfo uto=1:5 md5=0x0102030405060708090a0b0c0d0e0f10 opt=254:f989",
    "ip 192.0.2.2 src=192.0.2.1 / tcp :80 SA mpcapable=1:H:0x0102030405060708 mpjoinsa=0:1:7:8",
    "ip6 2001:db8::2 src=2001:db8::1 / tcp :80 A dss=FMaA:1:2:3:4:0x0005 rmaddr=1,2 mptcprst=1:3",
    "ip6 2001:db8::2 src=2001:db8::1 / tcp :80 A addaddr6=0:1:2001:db8::3,443:0x0102030405060708 mpprio=1:2",
    "ip 192.0.2.2 src=192.0.2.1 / tcp :80 S mss=1460 tfo=0102030405060708 data='GET / HTTP/1.0'",
    "ip 192.0.2.2 src=192.0.2.1 ra=0 / udp :53 data='hello world'",
    "eth 02:00:00:00:00:01 src=02:00:00:00:00:02 / qinq vid=100 pcp=5 / vlan vid=5 / ip 192.0.2.2 src=192.0.2.1 / udp :53 data='x'",
    "ip 192.0.2.2 src=192.0.2.1 / icmp type=extecho id=7 seq=8 local=1",
    "ip6 2001:db8::2 src=2001:db8::1 / icmp6 type=extreply code=noentry id=7 seq=8 state=3 active=1 v6=1",
    "ip6 ff02::6a src=2001:db8::1 / icmp6 type=mradvert interval=20",
    "ip6 2001:db8::2 src=2001:db8::1 / icmp6 type=nodequery code=ipv6 qtype=2 nonce=0x0102030405060708 hex=20010db8000000000000000000000002",
    "ip 192.0.2.2 src=192.0.2.1 qs=0:5:77:0x12345 tr=7:1:65535:192.0.2.1 sec=171:01 cipso=1:0104000102 mtup=1500 / udp :9",
    "ip 192.0.2.2 src=192.0.2.1 / icmp data='ping'",
    "ip 192.0.2.2 src=192.0.2.1 / icmp type=unreach code=port / ip 192.0.2.1 src=192.0.2.2 / udp :7 sport=9 data='xy'",
    "ip6 2001:db8::2 src=2001:db8::1 / hopopt ra=0 qs=0:5:77:0x12345 pmtu=1500:640:1 / dstopt tel=4 / tcp :443 SA sack=1:2:3:4 data='x'",
    "ip6 2001:db8::2 src=2001:db8::1 / frag id=7 / udp :53 hex=0102",
    "ip6 2001:db8::2 src=2001:db8::1 / route type=4 left=1 opts=20010db8000000000000000000000003 / tcp :1",
    "ip6 2001:db8::2 src=2001:db8::1 / icmp6 type=toobig mtu=1280 / ip6 2001:db8::1 src=2001:db8::2 / tcp :80",
    "ip6 ff02::1 src=2001:db8::1 / icmp6 type=ns target=2001:db8::2 slla=02:00:00:00:00:01",
    "ip6 ff02::1 src=2001:db8::1 / icmp6 type=ra managed slla=02:00:00:00:00:01 mtu=1500 prefix=64:1:1:0:2592000:604800:2001:db8:: advinterval=600000 homeagent=1:1800 dnssl=1800,example.com,corp.example dnssl=0:0000000000000000",
    "ip 192.0.2.2 src=192.0.2.1 / ip 192.0.2.3 src=192.0.2.4 / tcp :80 PA data='GET / HTTP/1.0'",
    "ip6 2001:db8::2 src=2001:db8::1 / ip 192.0.2.3 src=192.0.2.4 / udp :80 zero=100",
    "ip 192.0.2.2 src=192.0.2.1 lsrr=4,192.0.2.3,192.0.2.4 ts=13:0:0,1,2,0x7fff rr=4:0102 / udp :9",
    "ip 224.0.0.1 src=192.0.2.1 / icmp type=advert router=192.0.2.1:0 router=192.0.2.2:0x80000000",
    "ip6 2001:db8::2 src=2001:db8::1 / route type=0 left=2 addr=2001:db8::3 addr=2001:db8::4 / tcp :1",
    "ip6 ff02::1 src=2001:db8::1 / icmp6 type=ra rdnss=1800,2001:db8::53,2001:db8::54 route=64:0:1800,0x20010db800000000 rdnss=0:0000000000000000",
    "ip 192.0.2.1 src=192.0.2.2 / icmp type=exceeded / ip 192.0.2.2 src=192.0.2.1 ttl=1 len=60 / tcp :80 sport=4000 seq=7 cut=8",
    "ip 192.0.2.1 src=192.0.2.2 / icmp type=exceeded / ip 192.0.2.2 src=192.0.2.1 len=60 / tcp :80 S mss=1460 sack ts=1:0 nop wscale=7 doff=10 cut=30",
    "ip 192.0.2.1 src=192.0.2.2 / icmp type=exceeded / ip 192.0.2.2 src=192.0.2.1 len=60 / tcp :80 S mss=1460 sack ts=cut:00 doff=10 cut=29",
    "ip 192.0.2.1 src=192.0.2.2 / icmp type=exceeded / ip 192.0.2.2 src=192.0.2.1 len=60 / tcp :80 S mss=1460 sack ts=cut doff=10 cut=27",
    "ip6 2001:db8::1 src=2001:db8::2 / icmp6 type=unreach / ip6 2001:db8::2 src=2001:db8::1 len=60 nh=tcp / icmp6 type=ns cut=8",
    "ip 192.0.2.1 src=192.0.2.2 / icmp type=unreach / ip 192.0.2.2 src=192.0.2.1 len=60 / icmp type=tstamp cut=8 hex=01",
    "ip 192.0.2.2 src=192.0.2.1 / gre key=5 seq=1 / ip 198.51.100.2 src=198.51.100.1 / udp :9 data='xy'",
    "ip 192.0.2.2 src=192.0.2.1 / gre c k s / eth 02:00:00:00:00:01 src=02:00:00:00:00:02 / vlan vid=5 / arp 192.0.2.2 spa=192.0.2.1",
    "ip 192.0.2.2 src=192.0.2.1 / gre sum=0xdead key=0 k=0 res1=3 ver=1 r res0=0x101 / mpls label=100 / ip6 2001:db8::2 src=2001:db8::1 / tcp :80",
    "ip6 2001:db8::2 src=2001:db8::1 / gre / ip 192.0.2.3 src=192.0.2.4 / gre seq=9 hex=00",
    "ip 192.0.2.2 src=192.0.2.1 / udp :4789 sport=50000 / vxlan vni=5 / eth 02:00:00:00:00:01 src=02:00:00:00:00:02 / ip 192.0.2.3 src=192.0.2.4 / icmp echo id=1",
    "ip 192.0.2.2 src=192.0.2.1 / udp :4789 sport=50000 / vxlan vni=5 i=0 res=9 res2=7 res3=0x80ffff res4=255 / eth 02:00:00:00:00:01 src=02:00:00:00:00:02      / ip 192.0.2.3 src=192.0.2.4 / udp :4789 sport=50001 / vxlan vni=16777215 / eth 02:00:00:00:00:03 src=02:00:00:00:00:04 / arp 192.0.2.2 spa=192.0.2.1",
    "ip 192.0.2.1 src=192.0.2.2 / icmp type=unreach / ip 192.0.2.2 src=192.0.2.1 len=80 / gre key=5 c s cut=14 hex=01",
    "ip 224.0.0.1 src=192.0.2.1 ra=0 / igmp query resp=100",
    "ip 224.0.0.1 src=192.0.2.1 ra=0 / igmp query resp=100 qrv=2",
    "ip 232.1.1.1 src=192.0.2.1 ra=0 / igmp query resp=10 group=232.1.1.1 s qrv=7 qqic=20 source=192.0.2.7 source=192.0.2.8",
    "ip 224.0.0.22 src=192.0.2.1 ra=0 / igmp report3 record=toexclude:224.0.0.251 record=allow:232.1.1.1,192.0.2.7,192.0.2.8 record=6:232.1.1.2,0x00010203 nrec=5 hex=01",
    "ip 239.1.1.1 src=192.0.2.1 ttl=9 / igmp report group=239.1.1.1",
    "ip 224.0.0.2 src=192.0.2.1 / igmp leave group=239.1.1.1 hex=0102",
    "ip6 ff02::1 src=fe80::1 / hopopt ra=0 / icmp6 mldquery delay=10000",
    "ip6 ff02::1 src=fe80::1 / hopopt ra=0 / icmp6 mldquery delay=10000 qrv=2",
    "ip6 ff3e::1 src=fe80::1 / hopopt ra=0 / icmp6 mldquery group=ff3e::1 s qqic=20 source=2001:db8::7 source=2001:db8::8 nsrc=7",
    "ip6 ff02::16 src=fe80::1 / hopopt ra=0 / icmp6 mld2report record=exclude:ff02::fb record=block:ff3e::1,2001:db8::7,0x00010203 record=99:ff3e::2",
    "ip 192.0.2.53 src=192.0.2.1 / udp :53 / dns example.com AAAA edns=1232:do:10=0011223344556677",
    "ip 192.0.2.1 src=192.0.2.53 / udp :4000 sport=53 / dns example.com MX qr aa an=@12:MX:300:10:mail@12 an='a\\x3ab@12:TXT:1:x y:z' \
     ns=@12:SOA:1:ns@12:admin@12:1:2:3:4:5 ar=mail@12:A/FLUSH:300:192.0.2.9 ar=@12:SRV:1:2:3:80:www@12 edns=1232",
    "ip 192.0.2.53 src=192.0.2.1 / tcp :53 PA / dns example.com AAAA edns=1232",
    "ip6 2001:db8::53 src=2001:db8::1 / tcp :4000 PA sport=53 / dnslen / dns example.com qr an=@12:A:300:192.0.2.9 hex=0007",
    "dhcp discover chaddr=02:00:00:00:00:01 params=1:3:6 hostname='it\\x27s a host' clientid=1:020000000001 zero=30",
    "eth ff:ff:ff:ff:ff:ff src=02:00:00:00:00:02 / ip 255.255.255.255 src=192.0.2.1 / udp :68 sport=67 / dhcp ack bcast secs=9 hops=1 \
     yiaddr=192.0.2.9 chaddr=02:00:00:00:00:01 chpad=7 sname='boot\\x00x' bootfile=pxelinux.0 lease=3600 renewal=1800 rebinding=3150 \
     mask=255.255.255.0 router=192.0.2.1:192.0.2.2 static=192.0.2.3:192.0.2.4 domain=example.com message='x y' rapid pad pad \
     fqdn=1:0:0:66 relay=010401020304 opt=224:0102 opt=53 opt=51:010203 end",
    "dhcp6 solicit src=fe80::1 clientid=00030001020000000001 oro=dns:24 elapsed=0 rapid iana=1:0:0,2001:db8::9:3600:7200 \
     iapd=2:0:0,3600:7200:56:2001:db8:1:: iata=3 opt=999:0102 data=x",
    "ip6 fe80::1 src=fe80::2 / udp :546 sport=547 / dhcp6 reply xid=7 status=2:'no\\x3aaddress' dns=2001:db8::53,2001:db8::54 \
     dns=2001:db8::55 opt=23 opt=23:0102 unicast=2001:db8::1 iana=1:2:3:0005 iana=1:2:3,2001:db8::9:1:2,2001:db8::a:3:4 opt=13:00",
    "dhcp6 relayforw src=fe80::1 hops=1 link=2001:db8:: peer=fe80::9 interface=65746830 relaymsg=01000007 opts=0001",
    "dhcp inform ciaddr=192.0.2.9 chaddr=02:00:00:00:00:01 op=bootreply noend",
];

fn seed_bytes(index: usize) -> (Vec<u8>, First) {
    let line = SEEDS[index % SEEDS.len()];
    let packet = parse(line).unwrap_or_else(|error| panic!("{error}"));
    let built = packet.build(&Context { entropy: [7; 32], ..Context::default() }).unwrap();
    (built.bytes, built.first)
}

#[test]
fn every_seed_round_trips() {
    for index in 0..SEEDS.len() {
        let (bytes, first) = seed_bytes(index);
        assert_round_trip(&bytes, first);
        for cut in 0..bytes.len() {
            assert_round_trip(&bytes[..cut], first);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..200), ethernet: bool) {
        assert_round_trip(&bytes, if ethernet { First::Ethernet } else { First::Ip });
    }

    #[test]
    fn mutated_packets_round_trip(
        index in 0..SEEDS.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        tail in proptest::collection::vec(any::<u8>(), 0..12),
    ) {
        let (mut bytes, first) = seed_bytes(index);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(tail);
        assert_round_trip(&bytes, first);
    }

    #[test]
    fn any_words_are_read_or_refused(words in proptest::collection::vec("[ -~\u{80}-\u{ffff}]{0,12}", 0..8)) {
        check_line(&words);
    }

    #[test]
    fn words_near_the_language_are_read_or_refused(words in proptest::collection::vec(word(), 0..9)) {
        check_line(&words);
    }
}

fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(
        "tcp udp ip ip6 icmp icmp6 arp eth qinq vlan raw hopopt route frag dstopt dns dhcp dhcp6 dnslen / + S SA . none SYN,ACK :80 :http ::1 \
         2001:db8::1 192.0.2.2 192.0.2.2:80 host host:80 ttl=3 tos=ef src=192.0.2.1 dst=host sum=bad sum=swap+odd len=+4 \
         doff=15 ver=6 mss=1 tfo tfo=0102 uto=1:5 md5=0x1 sack sack=1:2 ts=1:0 nop eol opt=254:00 opts=02 data=x hex=00 zero=3 rand=3 stdin file=x \
         dns 192.0.2.53 example.com A AAAA an=example.com:A:300:192.0.2.1 an=@12:MX:1:5:a solicit status=1:x dns=::1,::2 discover offer noend end pad hostname=x sname=y params=1:dns clientid=1:00 ar=.:NS:1:x qd=@12:A edns=1232:do \
         type=echo type=3 code=port id=1 seq=2 mtu=9 df mf evil df=0 echo reply ip.ttl=3 eth.dst=02:00:00:00:00:01 \
         trailer=00 1..9 22,80 192.0.2.0/24 rand inc:1:2 sprot=1 --ttl -S wind=5 target=2001:db8::1 slla=02:00:00:00:00:01"
            .split_whitespace()
            .collect::<Vec<_>>(),
    );
    (known, proptest::option::weighted(0.2, (any::<prop::sample::Index>(), any::<char>()))).prop_map(
        |(word, change)| {
            let mut word: Vec<char> = word.chars().collect();
            if let Some((at, c)) = change {
                let at = at.index(word.len());
                word[at] = c;
            }
            word.into_iter().collect()
        },
    )
}

/// What is read can be printed, and parsed again to the same packet; what is refused has its place in the line.
fn check_line(words: &[String]) {
    match parse_words(words) {
        Ok(packet) => {
            let line = packet.to_string();
            if packet.names().is_empty() && !line.contains("file=") {
                let again = parse(&line).unwrap_or_else(|error| panic!("{words:?}: {line}\n{error}"));
                let context = Context::default();
                let bytes = |packet: &Packet| packet.build(&context).map(|built| built.bytes);
                assert_eq!(bytes(&again), bytes(&packet), "{words:?}: {line}");
            }
        }
        Err(error) => {
            let text = error.to_string();
            assert!(error.column <= error.line.len() + 1 && !text.is_empty(), "{words:?}");
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            if let Some(line) = &error.correction {
                assert_ne!(line, &error.line, "{error}");
            }
        }
    }
}
