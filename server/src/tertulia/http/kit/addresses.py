"""The address that a request came from, behind proxies or not."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request


class TrustedProxies:
    """The proxies whose `Forwarded` and `X-Forwarded-For` headers are believed; `*` means all of them.

    Uvicorn's own middleware for this does not know `Forwarded` (RFC 7239).
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._all = "*" in networks
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks if network != "*"]

    def _trusts(self, address: str) -> bool:
        if self._all:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def client(self, request: Request) -> str:
        """Return the address that a request came from: the last one that no trusted proxy vouches past."""
        address = str((request.scope.get("client") or ("unknown", 0))[0])
        if not (self._all or self._networks) or not self._trusts(address):
            return address
        for hop in reversed(_hops(request)):
            address = hop
            if self._all or not self._trusts(hop):
                break
        return address


def _hops(request: Request) -> list[str]:
    forwarded = [
        pair.partition("=")[2].strip().strip('"')
        for line in request.headers.getlist("forwarded")
        for element in line.split(",")
        for pair in element.split(";")
        if pair.strip().lower().startswith("for=")
    ]
    hops = forwarded or [hop for line in request.headers.getlist("x-forwarded-for") for hop in line.split(",")]
    return [_without_port(hop.strip()) for hop in hops if hop.strip()]


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _port = hop.partition(":")
    return host if colon and hop.count(":") == 1 else hop
