"""Addresses of clients."""

from __future__ import annotations

import ipaddress
from typing import Final

_MAX_KEY_LENGTH: Final = 64
_IPV6_PREFIX: Final = 64


def address_key(address: str) -> str:
    """Return what an address is counted by: in IPv6 its /64, which is what one subscriber gets."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # not an address: a proxy's name for one (RFC 7239, section 6)
        return address[:_MAX_KEY_LENGTH]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
