"""What Linux does on raw sockets that no way of ours uses: each row of the table, on a real kernel.

Runs on the lab's client. Prints a line a row; ends with 1 at the first that does not hold.
"""

import errno
import select
import socket
import struct
import subprocess
import sys
import time

CLIENT, ROUTER, SERVER, BROADCAST = "198.51.100.2", "198.51.100.1", "192.0.2.2", "198.51.100.255"
CLIENT6, SERVER6 = "2001:db8:1::2", "2001:db8::2"
IP_HDRINCL, IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_PMTUDISC_WANT = 3, 10, 2, 1
IP_NODEFRAG = 22
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

    def leaving(self, is_it, limit=0.5):
        """The frames for which is_it says yes, until nothing came for a tenth of a second."""
        found, end = [], time.monotonic() + limit
        while time.monotonic() < end and select.select([self.socket], [], [], 0.1)[0]:
            frame, address = self.socket.recvfrom(65535)
            if address[2] == socket.PACKET_OUTGOING and is_it(frame):
                found.append(frame)
        return found


def of_ipv4(protocol):
    return lambda frame: frame[12:14] == b"\x08\x00" and frame[23] == protocol


def ipv4_rows():
    tap, sender = Tap(), raw()
    check("broadcast without SO_BROADCAST: EACCES",
          refused(lambda: sender.sendto(header(BROADCAST), (BROADCAST, 0))) == errno.EACCES)
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


def loopback_rows():
    tap = Tap("lo")
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    datagram = struct.pack("!HHHH", 5555, port, 9, 0) + b"x"
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 29, 9, 0, 64, 17, 0) + socket.inet_aton("127.0.0.1") * 2 + datagram
    total = sum(struct.unpack("!10H", packet[:20]))
    total = (total & 0xffff) + (total >> 16)
    packet = packet[:10] + struct.pack("!H", ~total & 0xffff) + packet[12:]
    tap.socket.send(b"\0" * 12 + b"\x08\x00" + packet)
    check("a packet socket on lo reaches no local socket", select.select([listener], [], [], 0.2)[0] == [])
    raw().sendto(packet, ("127.0.0.1", 0))
    check("a raw socket on lo does", select.select([listener], [], [], 1)[0] != [])


def fragment(to, offset, more, body=b"12345678"):
    """A fragment by hand; the kernel writes length and checksum."""
    flags = (0x2000 if more else 0) | offset // 8
    addresses = socket.inet_aton("127.0.0.1" if to.startswith("127.") else CLIENT) + socket.inet_aton(to)
    return struct.pack("!BBHHHBBH", 0x45, 0, 0, 4242, flags, 64, PROTOCOL, 0) + addresses + body


def fragment_rows():
    joined = raw(PROTOCOL)
    joined.settimeout(1)
    for offset, more in ((0, True), (8, False)):
        raw().sendto(fragment("127.0.0.1", offset, more), ("127.0.0.1", 0))
    check("fragments arrive already joined", joined.recv(2048)[20:] == b"12345678" * 2)
    track = "add table ip t; add chain ip t o { type filter hook output priority 0; }; add rule ip t o ct state new counter"
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
    subprocess.run(["nft", "delete table ip t"], check=True)


ipv4_rows()
ipv6_rows()
receiving_rows()
loopback_rows()
fragment_rows()
