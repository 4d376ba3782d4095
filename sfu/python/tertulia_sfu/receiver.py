"""Receiving only: encoded media of a meeting for programs like a recorder."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

from tertulia_sfu._core import MAX_PICTURE_PIXELS, Frame, Receiver, deny_unneeded_system_calls
from tertulia_sfu.addresses import own_addresses

__all__ = ["MAX_PICTURE_PIXELS", "Frame", "Receiver", "deny_unneeded_system_calls", "receive_from"]


def receive_from(host: str) -> Receiver:
    """Return a receiver that the media server with its signalling at `host` can reach. Blocks during the DNS lookup.

    Raise OSError when no socket can be opened.
    """
    return Receiver(addresses=list(dict.fromkeys([*_routes_to(host), *own_addresses()])))


def _routes_to(host: str) -> list[str]:
    """Return this machine's source addresses for a host; none for an unknown one, for which joining fails later."""
    found = []
    with contextlib.suppress(OSError):
        for family, kind, protocol, _, address in socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM):
            with contextlib.suppress(OSError), socket.socket(family, kind, protocol) as probe:
                # connecting a UDP socket sends nothing: it only looks up the route
                probe.connect(address)
                found.append(str(ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])))
    return found
