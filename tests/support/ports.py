"""Free loopback ports.

They lie below the range from which the system takes ports for connections, and each process of a parallel run has a
part of its own: a port that was free a moment ago is still free when a server takes it.
"""

from __future__ import annotations

import os
import socket
from itertools import cycle
from typing import Final

_FIRST: Final = 20_000
_PORTS_EACH: Final = 1_000
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw") or 0)
_BASE: Final = _FIRST + _WORKER % 12 * _PORTS_EACH
_CANDIDATES: Final = cycle(range(_BASE, _BASE + _PORTS_EACH))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a TCP (or with SOCK_DGRAM, UDP) port of 127.0.0.1 that is free."""
    for _ in range(_PORTS_EACH):
        port = next(_CANDIDATES)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {_BASE} to {_BASE + _PORTS_EACH}")


def free_udp_port() -> int:
    """Return a UDP port of 127.0.0.1 that is free."""
    return free_port(socket.SOCK_DGRAM)
