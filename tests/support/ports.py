"""Free loopback ports.

They lie below the range from which the system takes ports for connections, and each process has a part of its own, also
among several test runs on one machine: a port that was free a moment ago is still free when a server takes it.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from itertools import cycle
from pathlib import Path
from typing import IO, Final

_FIRST: Final = 23_000
_PORTS_EACH: Final = 400
_PARTS: Final = 24


def _claimed_part() -> tuple[int, IO[bytes]]:
    """Return the number of a part that no other process has, and the lock that holds it until this process ends."""
    for attempt in range(_PARTS):
        part = (os.getpid() + attempt) % _PARTS
        lock = (Path(tempfile.gettempdir()) / f"tertulia-test-ports-{part}.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
        else:
            return part, lock
    raise RuntimeError(f"more than {_PARTS} processes run tests on this machine")


_PART, _LOCK = _claimed_part()
_BASE: Final = _FIRST + _PART * _PORTS_EACH
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
