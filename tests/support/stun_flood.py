"""Connectivity checks that prove nothing, each from another address: `python -m support.stun_flood PORT SECONDS`.

Prints how many were sent. They name workers and participants that may exist.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import sys
import time
from typing import Final

PER_SECOND: Final = 50_000
BATCH: Final = 500
COOKIE: Final = 0x2112A442
IP_PKTINFO: Final = 8
"""Of linux/in.h: the source address of one datagram alone."""


def check(ufrag: str) -> bytes:
    """Return a binding request (RFC 8489) without the integrity that only a participant can give it."""
    username = f"{ufrag}:them".encode()
    attributes = struct.pack(">HH", 0x0006, len(username)) + username + bytes(-len(username) % 4)
    attributes += struct.pack(">HHI", 0x0024, 4, 0x6E7F1EFF) + struct.pack(">HH", 0x0008, 20) + bytes(20)
    return struct.pack(">HHI", 0x0001, len(attributes), COOKIE) + os.urandom(12) + attributes


def main() -> None:
    """Send at `PER_SECOND` for the time that was asked for."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    checks = [check(f"{worker:04x}{os.urandom(14).hex()}") for worker in range(4)] + [check("0001"), check("x")]
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    began, sent = time.monotonic(), 0
    for number in itertools.count():
        source = struct.pack(">I", 0x7F100000 + number % 0xE00000)
        control = [(socket.IPPROTO_IP, IP_PKTINFO, bytes(4) + source + bytes(4))]
        sender.sendmsg([checks[number % len(checks)]], control, 0, ("127.0.0.1", port))
        sent += 1
        if number % BATCH == 0:
            early = began + sent / PER_SECOND - time.monotonic()
            if early > 0:
                time.sleep(early)
            if time.monotonic() - began > seconds:
                break
    print(sent)


if __name__ == "__main__":
    main()
