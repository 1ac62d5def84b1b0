"""What Linux does on raw sockets that no way of ours uses: each row of the table, on a real kernel.

Runs on the lab's client: raw_rows.py PATH-OF-WW. Prints a line a row; ends with 1 at the first that does not hold.
With `loopback-settings` behind it, in a network of its own: what a packet socket on lo reaches, by two settings.
"""

import errno
import itertools
import os
import select
import socket
import struct
import subprocess
import sys
import time

CLIENT, ROUTER, SERVER, BROADCAST = "198.51.100.2", "198.51.100.1", "192.0.2.2", "198.51.100.255"
CLIENT6, SERVER6 = "2001:db8:1::2", "2001:db8::2"
IP_HDRINCL, IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_PMTUDISC_WANT, IP_PMTUDISC_DONT = 3, 10, 2, 1, 0
IP_NODEFRAG, IPV6_CHECKSUM = 22, 7
PROTOCOL = 253  # RFC 3692: for experiments


def check(row, holds, found=""):
    print(("holds  " if holds else "FAILS  ") + row, found)
    if not holds:
        sys.exit(1)


def header(to=SERVER, ttl=33, protocol=PROTOCOL, body=b""):
    addresses = socket.inet_aton(CLIENT) + socket.inet_aton(to)
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 777, 0, ttl, protocol, 0) + addresses + body


def raw(protocol=socket.IPPROTO_RAW, family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_RAW, protocol)


def refused(act):
    try:
        act()
    except OSError as error:
        return error.errno
    return None


class Tap:
    """Frames that leave by eth0."""

    def __init__(self, interface="eth0"):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 3))

    def all(self, is_it, limit=0.5):
        """The frames for which is_it says yes, with their kinds, until nothing came for a tenth of a second."""
        end = time.monotonic() + limit
        while time.monotonic() < end and select.select([self.socket], [], [], 0.1)[0]:
            frame, address = self.socket.recvfrom(65535)
            if is_it(frame):
                yield frame, address[2]

    def leaving(self, is_it, limit=0.5):
        return [frame for frame, kind in self.all(is_it, limit) if kind == socket.PACKET_OUTGOING]

    def kinds(self, is_it):
        return [kind for _, kind in self.all(is_it)]


def of_ipv4(protocol):
    return lambda frame: frame[12:14] == b"\x08\x00" and frame[23] == protocol


def ipv4_rows():
    tap, sender = Tap(), raw()
    check("broadcast without SO_BROADCAST: EACCES",
          refused(lambda: sender.sendto(header(BROADCAST), (BROADCAST, 0))) == errno.EACCES)
    sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    check("longer than the MTU: EMSGSIZE, even with IP_PMTUDISC_DONT",
          refused(lambda: sender.sendto(header(body=b"x" * 1481), (SERVER, 0))) == errno.EMSGSIZE)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 7)
    sender.sendto(header(), (SERVER, 0))
    frames = tap.leaving(of_ipv4(PROTOCOL))
    check("IP_TTL is ignored", [frame[22] for frame in frames] == [33], [frame.hex() for frame in frames])
    sender.setsockopt(socket.IPPROTO_IP, IP_HDRINCL, 0)
    sender.sendto(header(), (SERVER, 0))
    frames = tap.leaving(of_ipv4(255))
    check("IP_HDRINCL off on IPPROTO_RAW: a second header, protocol 255",
          len(frames) == 1 and frames[0][34] == 0x45 and frames[0][34 + 9] == PROTOCOL)
    bound = raw()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    sent = refused(lambda: bound.sendto(header(), (SERVER, 0)))
    check("SO_BINDTODEVICE lo towards a remote address: ok, and nothing leaves",
          sent is None and tap.leaving(of_ipv4(PROTOCOL)) == [])
    without_header(tap)


def without_header(tap):
    plain = raw(PROTOCOL)
    plain.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT)
    plain.sendto(b"x" * 100, (SERVER, 0))
    small = tap.leaving(of_ipv4(PROTOCOL))
    check("without HDRINCL small packets get DF", len(small) == 1 and small[0][20] & 0x40 != 0)
    plain.sendto(b"x" * 2000, (SERVER, 0))
    check("without HDRINCL 2000 bytes are fragmented", len(tap.leaving(of_ipv4(PROTOCOL))) == 2)
    plain.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    check("with IP_PMTUDISC_DO: EMSGSIZE",
          refused(lambda: plain.sendto(b"x" * 2000, (SERVER, 0))) == errno.EMSGSIZE)


def ipv6_rows():
    tap = Tap()
    is_ipv6 = lambda protocol: lambda frame: frame[12:14] == b"\x86\xdd" and frame[20] == protocol
    sender = raw(PROTOCOL, socket.AF_INET6)
    check("raw IPv6, a port that is not the protocol: EINVAL",
          refused(lambda: sender.sendto(b"x", (SERVER6, 80))) == errno.EINVAL)
    echo = raw(socket.IPPROTO_ICMPV6, socket.AF_INET6)
    echo.sendto(struct.pack("!BBHHH", 128, 0, 0xdead, 1, 1), (SERVER6, 0))
    frames = tap.leaving(lambda frame: is_ipv6(58)(frame) and frame[54] == 128)
    check("raw ICMPv6: the kernel computes the checksum",
          len(frames) == 1 and frames[0][56:58] != b"\xde\xad")
    tcp = raw(socket.IPPROTO_TCP, socket.AF_INET6)
    segment = struct.pack("!HHIIBBHHH", 4321, 9, 1, 0, 0x50, 4, 0, 0xbeef, 0)
    tcp.sendto(segment, (SERVER6, 0))
    frames = tap.leaving(is_ipv6(6))
    check("raw TCP over IPv6: the checksum goes out as given",
          len(frames) == 1 and frames[0][54 + 16:54 + 18] == b"\xbe\xef")
    tcp.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, 16)
    tcp.sendto(segment, (SERVER6, 0))
    frames = tap.leaving(is_ipv6(6))
    check("unless IPV6_CHECKSUM is set",
          len(frames) == 1 and frames[0][54 + 16:54 + 18] != b"\xbe\xef")


def receiving_rows():
    # A fresh network has the kernel's default of "1 0", which lets no group in.
    ask = "import socket, sys\ntry: socket.socket(2, 2, 1)\nexcept OSError as error: sys.exit(error.errno)"
    fresh = subprocess.run(["unshare", "-n", sys.executable, "-c", ask], check=False)
    check("a ping socket: EACCES while ping_group_range is 1 0", fresh.returncode == errno.EACCES)
    silent = raw()
    hears, _, _ = select.select([silent], [], [], 0.05)
    echo = raw(socket.IPPROTO_ICMP)
    echo.sendto(struct.pack("!BBHHH", 8, 0, 0xf7fd, 1, 1), (SERVER, 0))
    heard = select.select([echo], [], [], 1)[0] != []
    check("IPPROTO_RAW hears nothing while another raw socket does",
          not hears and heard and select.select([silent], [], [], 0.05)[0] == [])
    check("raw IPv4 comes with its header", echo.recv(2048)[0] == 0x45)
    six = raw(socket.IPPROTO_ICMPV6, socket.AF_INET6)
    six.sendto(struct.pack("!BBHHH", 128, 0, 0, 2, 1), (SERVER6, 0))
    six.settimeout(1)
    while (message := six.recv(2048))[0] != 129:
        pass
    check("raw IPv6 comes without its header", message[:2] == b"\x81\x00")


def checksum(data):
    total = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~total & 0xffff)


def datagram(address, port):
    """A UDP datagram from and to this address, all sums right."""
    udp = struct.pack("!HHHH", 5555, port, 9, 0) + b"x"
    if ":" in address:
        ends = socket.inet_pton(socket.AF_INET6, address) * 2
        udp = udp[:6] + checksum(ends + struct.pack("!II", 9, 17) + udp) + udp[8:]
        return struct.pack("!IHBB", 0x60000000, 9, 17, 64) + ends + udp
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 29, 9, 0, 64, 17, 0) + socket.inet_aton(address) * 2
    return packet[:10] + checksum(packet) + packet[12:] + udp


def heard_by_a_local_socket(address, send, limit):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as listener:
        listener.bind((address, 0))
        send(datagram(address, listener.getsockname()[1]))
        return select.select([listener], [], [], limit)[0] != []


def by_frame(packet):
    """Sends by a packet socket on lo."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as frames:
        frames.bind(("lo", 0))
        frames.send(b"\0" * 12 + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet)


def loopback_rows():
    check("a packet socket on lo reaches no local socket", not heard_by_a_local_socket("127.0.0.1", by_frame, 0.2))
    by_raw_socket = lambda packet: raw().sendto(packet, ("127.0.0.1", 0))
    tap = Tap("lo")
    check("a raw socket on lo does", heard_by_a_local_socket("127.0.0.1", by_raw_socket, 1))
    is_it = lambda frame: frame[23] == 17
    check("on lo a packet is seen twice: leaving and arriving", tap.kinds(is_it) == [socket.PACKET_OUTGOING, socket.PACKET_HOST])
    again = [sys.executable, "-c", os.environ["RAW_ROWS"], *sys.argv[1:], "loopback-settings"]
    settings = subprocess.run(["unshare", "-n", *again], stdout=subprocess.PIPE, text=True, check=False)
    print(settings.stdout, end="")
    check("all settings of the loopback were tried", settings.returncode == 0)


def loopback_settings(ww):
    """Every combination, and what `ww plan` makes of it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    planned = lambda *words: subprocess.run([ww, "plan", *words], capture_output=True, check=False).returncode == 0
    for values in itertools.product((0, 1), repeat=2):
        for setting, value in zip(("route_localnet", "accept_local"), values):
            with open(f"/proc/sys/net/ipv4/conf/lo/{setting}", "w") as file:
                file.write(str(value))
        both = values == (1, 1)
        heard = heard_by_a_local_socket("127.0.0.1", by_frame, 1 if both else 0.1)
        check("route_localnet %d, accept_local %d: by frame %s" % (*values, "heard" if both else "not"), heard == both)
        check("and ww plan says so", planned("eth", "/", "udp", "127.0.0.1:9") == both)
        wrong = planned("udp", "127.0.0.1:9", "ip.id=0", "ip.df=0")
        check("also of what the raw way would rewrite", wrong == both)
    check("IPv6 by frame is heard in any case", heard_by_a_local_socket("::1", by_frame, 1))
    check("and ww plan says that too", planned("eth", "/", "udp", "::1", ":9"))


def fragment(to, offset, more, body=b"12345678"):
    """A fragment by hand; the kernel writes length and checksum."""
    flags = (0x2000 if more else 0) | offset // 8
    addresses = socket.inet_aton("127.0.0.1" if to.startswith("127.") else CLIENT) + socket.inet_aton(to)
    return struct.pack("!BBHHHBBH", 0x45, 0, 0, 4242, flags, 64, PROTOCOL, 0) + addresses + body


CAUGHT = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "check": False}


def by_ww(words):
    return [*words.split(), "hex=0011223344556677"]


def fragment_rows():
    joined = raw(PROTOCOL)
    joined.settimeout(1)
    for offset, more in ((0, True), (8, False)):
        raw().sendto(fragment("127.0.0.1", offset, more), ("127.0.0.1", 0))
    check("fragments arrive already joined", joined.recv(2048)[20:] == b"12345678" * 2)
    track = "add table inet t; add chain inet t o { type filter hook output priority 0; }; add rule inet t o ct state new counter"
    subprocess.run(["nft", track], check=True)
    tap = Tap()
    raw().sendto(fragment(SERVER, 0, True), (SERVER, 0))
    held = tap.leaving(of_ipv4(PROTOCOL), 0.2)
    raw().sendto(fragment(SERVER, 8, False), (SERVER, 0))
    check("connection tracking holds a fragment until the last has come",
          held == [] and len(tap.leaving(of_ipv4(PROTOCOL))) > 0)
    free = raw()
    free.setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)
    free.sendto(fragment(SERVER, 0, True), (SERVER, 0))
    check("IP_NODEFRAG lets it go at once", len(tap.leaving(of_ipv4(PROTOCOL))) == 1)
    noted = subprocess.run([sys.argv[1], "send", *by_ww(f"ip {SERVER} id=4242 mf proto={PROTOCOL}")], **CAUGHT)
    check("and so does ww send, which has nothing to note",
          noted.returncode == 0 and noted.stderr == "" and len(tap.leaving(of_ipv4(PROTOCOL))) == 1)
    six = by_ww(f"ip6 {SERVER6} / frag mf nh={PROTOCOL}")
    noted = subprocess.run([sys.argv[1], "plan", *six], **CAUGHT)
    check("of an IPv6 fragment ww plan notes that it may be held", "hold a fragment" in noted.stdout)
    is_six = lambda frame: frame[12:14] == b"\x86\xdd" and frame[20] == 44
    subprocess.run([sys.argv[1], "send", *six], **CAUGHT)
    check("and it is", tap.leaving(is_six) == [])
    subprocess.run([sys.argv[1], "send", "eth", "/", *six], **CAUGHT)
    check("but not by Ethernet", len(tap.leaving(is_six)) == 1)
    subprocess.run(["nft", "delete table inet t"], check=True)


if sys.argv[-1] == "loopback-settings":
    loopback_settings(sys.argv[1])
else:
    ipv4_rows()
    ipv6_rows()
    receiving_rows()
    loopback_rows()
    fragment_rows()
