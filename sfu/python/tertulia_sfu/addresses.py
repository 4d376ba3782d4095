"""IP addresses under which this machine can be reached, where none are configured."""

import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

LOOPBACK: Final = "127.0.0.1"

# a documentation address (RFC 5737): connecting a UDP socket sends nothing, the kernel only picks a source address
_DOCUMENTATION: Final = ("192.0.2.1", 9)


def own_addresses() -> list[str]:
    """Return the source address of the default route, and loopback for browsers on this machine."""
    found = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_DOCUMENTATION)
        found.append(str(probe.getsockname()[0]))
    return [*found, LOOPBACK] if found != [LOOPBACK] else found


def bind_address(addresses: Sequence[str]) -> str:
    """Return the address to listen on for media to `addresses`. Raise ValueError if one is not an IP address."""
    if all(ipaddress.ip_address(address).is_loopback for address in addresses):
        return addresses[0]
    return "0.0.0.0"  # noqa: S104 – media has to be reachable from outside
