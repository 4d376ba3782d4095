"""Free loopback ports."""

from __future__ import annotations

import socket


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a TCP (or with SOCK_DGRAM, UDP) port of 127.0.0.1 that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_udp_port() -> int:
    """Return a UDP port of 127.0.0.1 that was free a moment ago."""
    return free_port(socket.SOCK_DGRAM)
