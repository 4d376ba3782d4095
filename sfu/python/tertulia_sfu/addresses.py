"""Under which addresses this machine can be reached, where nobody said so."""

import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

LOOPBACK: Final = "127.0.0.1"

# documentation addresses (RFC 5737): nothing is sent, the kernel only picks the source address of its default route
_ELSEWHERE: Final = ("192.0.2.1", 9)


def own_addresses() -> list[str]:
    """The address of the default route, and loopback for browsers on this machine."""
    found = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_ELSEWHERE)
        found.append(str(probe.getsockname()[0]))
    return [*found, LOOPBACK] if found != [LOOPBACK] else found


def bind_address(addresses: Sequence[str]) -> str:
    """Where to listen for media that comes to these addresses. Raises ValueError if one is not an IP address."""
    if all(ipaddress.ip_address(address).is_loopback for address in addresses):
        return addresses[0]
    return "0.0.0.0"  # noqa: S104 – media has to be reachable from outside
