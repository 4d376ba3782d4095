"""The address that a request came from, behind proxies or not."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

import structlog
from starlette.requests import HTTPConnection
from starlette.types import Scope

_log = structlog.get_logger(__name__)
_RFC_7239: Final = "forwarded"
_USUAL_HEADERS: Final = (_RFC_7239, "x-forwarded-for")


def peer_address(scope: Scope) -> str:
    """Return the address that a request came from, as it stands in its scope."""
    return str((scope.get("client") or ("unknown",))[0])


class TrustedProxies:
    """The proxies whose forwarding header is believed (`*` means all of them), and which header that is.

    Only one is: a client behind a proxy that sets the one could choose its address by the other. Uvicorn's own
    middleware for this does not know `Forwarded` (RFC 7239).
    """

    def __init__(self, networks: Sequence[str], *, header: str = "X-Forwarded-For") -> None:
        self._header = header.lower()
        self._telling = frozenset(name.encode() for name in (self._header, *_USUAL_HEADERS))
        self._has_warned = False
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

    def client(self, request: HTTPConnection) -> str:
        """Return the address that a request came from: the last one that no trusted proxy vouches past."""
        address = peer_address(request.scope)
        trusted = (self._all or bool(self._networks)) and self._trusts(address)
        if not self._has_warned:
            self._warn_of_ignored_header(request, address, trusted=trusted)
        if not trusted:
            return address
        for hop in reversed(_hops(request, self._header)):
            address = hop
            if self._all or not self._trusts(hop):
                break
        return address

    def _warn_of_ignored_header(self, request: HTTPConnection, proxy: str, *, trusted: bool) -> None:
        """Log, once, that a header that tells a client's address is not believed, and what to set."""
        sent = self._telling.intersection([name for name, _ in request.scope["headers"]])
        if not sent:
            return
        ignored = [name for name in dict.fromkeys((self._header, *_USUAL_HEADERS)) if name.encode() in sent]
        if trusted and self._header in ignored:
            return
        self._has_warned = True
        setting = f"TERTULIA_FORWARDING_HEADER={ignored[0]}" if trusted else f"TERTULIA_TRUSTED_PROXIES={proxy}"
        _log.warning(
            "a forwarding header is not believed: if it comes from a proxy of yours, set this",
            setting=setting,
            header=ignored[0],
            proxy=proxy,
        )


def _hops(request: HTTPConnection, header: str) -> list[str]:
    elements = [element for line in request.headers.getlist(header) for element in line.split(",")]
    if header == _RFC_7239:
        elements = [
            pair.partition("=")[2].strip().strip('"')
            for element in elements
            for pair in element.split(";")
            if pair.strip().lower().startswith("for=")
        ]
    return [_without_port(hop.strip()) for hop in elements if hop.strip()]


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _port = hop.partition(":")
    return host if colon and hop.count(":") == 1 else hop
