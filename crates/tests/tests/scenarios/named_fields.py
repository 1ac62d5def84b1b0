"""Writes a capture of every kind of packet of the layers that Wirewright knows, and prints how many bytes each carries that
are no header's."""

import sys

from scapy.all import *  # noqa: F403: the whole of Scapy is the tool here
from scapy.contrib import igmp  # noqa: F401

random.seed(5)
frames = []


def add(packet, carried=None):
    """One more frame; `carried`: bytes that belong to no header, where that is not what Scapy calls Raw or Padding."""
    if carried is None:
        carried, layer = 0, packet
        while not isinstance(layer, NoPayload):
            if isinstance(layer, (Raw, Padding)):
                carried += len(layer.load)
            layer = layer.payload
    frames.append((bytes(packet), carried))


E = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
V4 = IP(src="192.0.2.1", dst="192.0.2.2", id=7)
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2")

# Links, ARP.
add(E / Dot1Q(vlan=5, prio=3) / V4 / UDP(sport=1000, dport=7) / b"hello")
add(E / Dot1AD(vlan=100) / Dot1Q(vlan=5) / V6 / TCP(sport=1, dport=2, flags="S"))
for op in (1, 2):
    add(E / ARP(op=op, hwsrc="02:00:00:00:00:01", psrc="192.0.2.1", pdst="192.0.2.2"))

# IPv4 with its options, fragments.
OPTIONS = [
    [IPOption_RR(routers=["192.0.2.9", "192.0.2.10", "0.0.0.0"])],
    [IPOption_LSRR(routers=["192.0.2.9", "192.0.2.10"])],
    [IPOption_SSRR(routers=["192.0.2.9"])],
    [IPOption_Router_Alert()],
    [IPOption_Timestamp(flg=0, timestamp=12345)],
    [IPOption_Timestamp(flg=1, internet_address="192.0.2.9", timestamp=12345)],
    [IPOption_Stream_Id(security=7)],
    [IPOption_MTU_Probe(mtu=1400)],
    [IPOption_MTU_Reply(mtu=1400)],
    [IPOption_Traceroute(originator_ip="192.0.2.1")],
    [IPOption_NOP(), IPOption_NOP(), IPOption_EOL()],
]
for options in OPTIONS:
    add(E / IP(src="192.0.2.1", dst="192.0.2.2", options=options) / UDP(sport=1, dport=9) / b"xy")
for frag in (0, 8, 16):
    add(E / IP(src="192.0.2.1", dst="192.0.2.2", proto=17, frag=frag, flags="MF" if frag < 16 else 0) / Raw(b"f" * 64))

# TCP with its options.
for options in (
    [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)],
    [("MSS", 1460), ("TFO", (1, 2))],
    [("NOP", None), ("NOP", None), ("SAck", (1, 2, 3, 4))],
    [("NOP", None), ("NOP", None), ("Timestamp", (5, 6))],
    [("EOL", None)],
    [(19, bytes(range(16)))],
    [(28, b"\x80\x05")],
):
    for flags in ("S", "SA", "PA", "FA", "R", "SEC"):
        for below in (V4, V6):
            add(E / below / TCP(sport=4000, dport=80, flags=flags, seq=1, ack=2, options=options) / (b"data" if flags == "PA" else b""))

# IPv6 with its extension headers, fragments.
for chain in (
    IPv6ExtHdrHopByHop(options=[RouterAlert()]),
    IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]),
    IPv6ExtHdrHopByHop(options=[Jumbo(jumboplen=70000)]),
    IPv6ExtHdrDestOpt(options=[HAO(hoa="2001:db8::7")]),
    IPv6ExtHdrRouting(addresses=["2001:db8::3", "2001:db8::4"]),
    IPv6ExtHdrSegmentRouting(addresses=["2001:db8::3", "2001:db8::4"]),
    IPv6ExtHdrFragment(id=9),
    IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting(addresses=["2001:db8::3"]) / IPv6ExtHdrFragment(id=9) / IPv6ExtHdrDestOpt(),
):
    add(E / V6 / chain / UDP(sport=1, dport=9, chksum=1) / b"xyz")

# ICMPv4: questions, and errors with whole quotes and cut ones.
for body in (
    ICMP(type=8, id=1, seq=2),
    ICMP(type=0, id=1, seq=2),
    ICMP(type=13, id=1, seq=2, ts_ori=1),
    ICMP(type=14, id=1, seq=2, ts_ori=1, ts_rx=2, ts_tx=3),
    ICMP(type=15, id=1, seq=2),
    ICMP(type=17, id=1, seq=2),
    ICMP(type=10),
    ICMP(type=4),
):
    add(E / V4 / body / (b"ping" * 8 if body.type in (0, 8) else b""))
add(E / V4 / Raw(bytes.fromhex("0900f5f402020708c000020100000000c000020280000000")), 0)
frames[-1] = (bytes(E / IP(src="192.0.2.1", dst="224.0.0.1", proto=1) / Raw(bytes.fromhex("0900a5ea02020708c000020100000000c000020280000000"))), 0)
TCP_SEGMENT = bytes(V4 / TCP(sport=4000, dport=80, seq=7, options=[("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)]))
DATAGRAM = bytes(V4 / UDP(sport=4000, dport=33434) / (b"z" * 40))
for kind, codes in ((3, range(0, 16)), (11, (0, 1)), (12, (0, 1, 2)), (5, range(0, 4)), (4, (0,))):
    for code in codes:
        back = IP(src="192.0.2.2", dst="192.0.2.1", id=3) / ICMP(type=kind, code=code)
        for quote, headers in ((TCP_SEGMENT, 60), (DATAGRAM, 28)):
            for cut in (28, 24, len(quote)):
                add(E / back / Raw(quote[:cut]), max(0, cut - headers))
                if quote is TCP_SEGMENT:
                    add(E / back / Raw(quote[:49]), 0)

# ICMPv6: errors, echo, MLD, neighbour discovery with its options.
SEGMENT6 = bytes(V6 / TCP(sport=4000, dport=80, seq=7, options=[("MSS", 1460)]))
for body in (ICMPv6DestUnreach(code=4), ICMPv6PacketTooBig(mtu=1280), ICMPv6TimeExceeded(), ICMPv6ParamProblem(ptr=6)):
    for cut in (48, 52, len(SEGMENT6)):
        add(E / IPv6(src="2001:db8::2", dst="2001:db8::1") / body / Raw(SEGMENT6[:cut]), 0)
add(E / V6 / ICMPv6EchoRequest(id=1, seq=2, data=b"ping" * 4), 16)
add(E / V6 / ICMPv6EchoReply(id=1, seq=2, data=b"ping" * 4), 16)
for body in (ICMPv6MLQuery(), ICMPv6MLReport(mladdr="ff02::7"), ICMPv6MLDone(mladdr="ff02::7")):
    add(E / V6 / body)
L = ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:01")
for body in (
    ICMPv6ND_RS() / L,
    ICMPv6ND_NS(tgt="2001:db8::2") / L,
    ICMPv6ND_NA(tgt="2001:db8::2") / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:01"),
    ICMPv6ND_RA() / L / ICMPv6NDOptMTU() / ICMPv6NDOptPrefixInfo(prefix="2001:db8::"),
    ICMPv6ND_RA() / ICMPv6NDOptRDNSS(dns=["2001:db8::53", "2001:db8::54"]) / ICMPv6NDOptRouteInfo(prefix="2001:db8:1::", plen=64),
    ICMPv6ND_RA() / ICMPv6NDOptDNSSL(searchlist=["example.com", "lab.example"]),
    ICMPv6ND_Redirect(tgt="fe80::1", dst="2001:db8::9"),
):
    add(E / IPv6(src="fe80::2", dst="ff02::1", hlim=255) / body)

# DNS: questions, and answers whose names are compressed.
NAMES = ["example.com", "www.example.com", "_ipp._tcp.local", "a b.example", "."]
KINDS = ["A", "AAAA", "MX", "TXT", "NS", "SOA", "PTR", "SRV", "CNAME", "ALL"]
for name in NAMES:
    for kind in KINDS:
        query = DNS(id=random.getrandbits(16), rd=1, qd=DNSQR(qname=name, qtype=kind))
        add(E / V4 / UDP(sport=4000, dport=53) / query)
        query.ar = [DNSRROPT(rclass=1232, rdata=[EDNS0TLV(optcode=10, optdata=b"12345678")])]
        add(E / V6 / UDP(sport=4000, dport=53) / query)
RECORDS = [
    DNSRR(rrname="example.com", type="A", ttl=300, rdata="192.0.2.1"),
    DNSRR(rrname="example.com", type="AAAA", ttl=300, rdata="2001:db8::1"),
    DNSRR(rrname="www.example.com", type="CNAME", ttl=300, rdata="example.com"),
    DNSRR(rrname="2.2.0.192.in-addr.arpa", type="PTR", rdata="host.example.com"),
    DNSRR(rrname="example.com", type="NS", rdata="ns.example.com"),
    DNSRR(rrname="example.com", type="TXT", rdata=[b"v=spf1 -all", b"it's"]),
    DNSRRMX(rrname="example.com", preference=10, exchange="mail.example.com"),
    DNSRRSOA(rrname="example.com", mname="ns.example.com", rname="admin.example.com", serial=1),
    DNSRRSRV(rrname="_sip._tcp.example.com", priority=1, weight=2, port=5060, target="sip.example.com"),
]
for count in range(1, len(RECORDS) + 1):
    answer = DNS(id=7, qr=1, aa=1, ra=1, qd=DNSQR(qname="example.com"), an=RECORDS[:count], ns=[RECORDS[4]], ar=[DNSRROPT(rclass=1232)])
    add(E / IP(src="192.0.2.53", dst="192.0.2.1") / UDP(sport=53, dport=4000) / answer)
    add(E / IP(src="192.0.2.53", dst="192.0.2.1") / UDP(sport=53, dport=4000) / dns_compress(answer))
    answer.an = [RECORDS[count - 1]]
    add(E / IP(src="192.0.2.53", dst="224.0.0.251") / UDP(sport=5353, dport=5353) / dns_compress(answer))
add(E / V4 / UDP(sport=53, dport=4000) / DNS(id=7, qr=1, rcode=3, qd=DNSQR(qname="nothing.example.com")))

# Nested.
add(E / V4 / IP(src="192.0.2.3", dst="192.0.2.4") / TCP(sport=1, dport=2) / b"x")
add(E / V4 / IPv6(src="2001:db8::3", dst="2001:db8::4") / UDP(sport=1, dport=9) / b"x")
add(E / V6 / IP(src="192.0.2.3", dst="192.0.2.4") / ICMP() / b"x")

wrpcap(sys.argv[1], [Ether(frame) for frame, _ in frames])
with PcapReader(sys.argv[1]) as reader:
    for (frame, carried), read in zip(frames, reader, strict=True):
        assert bytes(read) == frame
        print(carried)
