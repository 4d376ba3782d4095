"""For programs that only listen, like a recorder: encoded media out of a meeting, at little cost."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

from tertulia_sfu._core import Frame, Receiver
from tertulia_sfu.addresses import own_addresses

__all__ = ["Frame", "Receiver", "receive_from"]


def receive_from(host: str) -> Receiver:
    """A receiver that a media server can reach whose signalling is at `host`. Blocks while the name is looked up.

    Raises OSError when there is no socket to be had.
    """
    return Receiver(addresses=list(dict.fromkeys([*_routes_to(host), *own_addresses()])))


def _routes_to(host: str) -> list[str]:
    """Our own addresses on the way to a host; none when it cannot be found, as joining will tell."""
    found = []
    with contextlib.suppress(OSError):
        for family, kind, protocol, _, address in socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM):
            with contextlib.suppress(OSError), socket.socket(family, kind, protocol) as probe:
                # connecting a datagram socket sends nothing, it asks for the route
                probe.connect(address)
                found.append(str(ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])))
    return found
