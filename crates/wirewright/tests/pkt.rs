//! What `pkt!` makes is what the parser makes of the same words.

use wirewright::craft::parse;
use wirewright::prelude::*;

#[test]
fn words_and_strings_make_the_packet_that_the_parser_makes() {
    let same = |made: Packet, line: &str| assert_eq!(made, parse(line).unwrap(), "{line}");
    same(pkt!(tcp 192.0.2.2:80 S ip.ttl=33), "tcp 192.0.2.2:80 S ip.ttl=33");
    same(pkt!("tcp 192.0.2.2:80 S ip.ttl=33"), "tcp 192.0.2.2:80 S ip.ttl=33");
    let wrong = "ip 192.0.2.2 id=0x10 df=0 sum=swap+odd / udp :53 len=+4";
    same(pkt!(ip 192.0.2.2 id=0x10 df=0 sum=swap+odd / udp :53 len=+4), wrong);
    let options = "tcp 2001:db8::2 :80 SA mss=1460 sack ts=1:0 nop wscale=7";
    same(pkt!(tcp 2001:db8::2 :80 SA mss=1460 sack ts=1:0 nop wscale=7), options);
    same(pkt!(tcp [2001:db8::2]:80 S), "tcp [2001:db8::2]:80 S");
    same(pkt!(eth 02:00:00:00:00:01 / arp tpa=192.0.2.1), "eth 02:00:00:00:00:01 / arp tpa=192.0.2.1");
    same(pkt!(udp 192.0.2.2:53 data="hello world"), "udp 192.0.2.2:53 data='hello world'");
    same(pkt!("udp 192.0.2.2:53 data='hello world'"), "udp 192.0.2.2:53 data='hello world'");
    same(pkt!(r"udp 192.0.2.2:53 data='a\nb'"), "udp 192.0.2.2:53 data='a\\nb'");
    same(pkt!(icmp 192.0.2.2 zero=1400), "icmp 192.0.2.2 zero=1400");
    // What is no token of Rust is a string, also inside a word.
    same(pkt!(eth src="0e:1b:00:00:00:01" / ip6 2001:db8::"2e"), "eth src=0e:1b:00:00:00:01 / ip6 2001:db8::2e");
}
