"""Asks the lab's server for a page by Scapy's own TCP client, unmodified, from a source port that is given.

Prints what came; exit code 1 where nothing did within the limit.
"""

import os
import sys
import threading

from scapy.config import conf
from scapy.layers.inet import TCP_client
from scapy.packet import Raw

SECONDS = 10 if len(sys.argv) < 3 else float(sys.argv[2])

conf.verb = 0
page = b""
arrived = threading.Event()


def ask():
    global page
    link = TCP_client.tcplink(Raw, "192.0.2.2", 80, sport=int(sys.argv[1]))
    link.send(b"GET /scapy HTTP/1.0\r\nHost: server\r\n\r\n")
    while b"for /scapy" not in page:
        part = link.recv()
        if part is None:
            return
        page += bytes(part)
    arrived.set()


threading.Thread(target=ask, daemon=True).start()
done = arrived.wait(SECONDS)
sys.stdout.write(page.decode("latin-1"))
sys.stdout.flush()
# Scapy's threads would keep the process; they hold nothing that an end of the process does not release.
os._exit(0 if done else 1)
