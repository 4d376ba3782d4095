"""The little of ASGI that the edge speaks directly: types, headers, addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


def header(scope: Scope, name: bytes) -> str | None:
    """Read a request header by its lower-case name; the first one counts."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


def headers(scope: Scope, name: bytes) -> Iterator[str]:
    """Read every request header of a name."""
    return (bytes(value).decode("latin-1") for key, value in scope["headers"] if key == name)


def cookie(scope: Scope, name: str) -> str | None:
    """Read a cookie; what cannot be parsed is no cookie."""
    for line in headers(scope, b"cookie"):
        for part in line.split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value.strip('"')
    return None


def set_cookie(name: str, value: str, *, path: str, max_age_s: int, secure: bool) -> Header:
    """Make a Set-Cookie header that scripts cannot read and other sites do not send."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar[name] = value
    except CookieError as error:  # names are ours; a value is a token
        raise ValueError(f"'{name}' cannot be a cookie") from error
    morsel = jar[name]
    morsel["path"], morsel["max-age"], morsel["httponly"], morsel["samesite"] = path, max_age_s, True, "Strict"
    if secure:
        morsel["secure"] = True
    return b"set-cookie", morsel.OutputString().encode("latin-1")


class TrustedProxies:
    """Whose `Forwarded` and `X-Forwarded-For` headers are believed; `*` means everybody's."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._everybody = "*" in networks
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks if network != "*"]

    def _trusts(self, address: str) -> bool:
        if self._everybody:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def client(self, scope: Scope) -> str:
        """Tell the address that a request came from: the last one that no trusted proxy vouches past."""
        address = str((scope.get("client") or ("unknown", 0))[0])
        if not (self._everybody or self._networks) or not self._trusts(address):
            return address
        for hop in reversed(_hops(scope)):
            address = hop
            if self._everybody or not self._trusts(hop):
                break
        return address


def _hops(scope: Scope) -> list[str]:
    forwarded = [
        pair.partition("=")[2].strip().strip('"')
        for line in headers(scope, b"forwarded")
        for element in line.split(",")
        for pair in element.split(";")
        if pair.strip().lower().startswith("for=")
    ]
    hops = forwarded or [hop for line in headers(scope, b"x-forwarded-for") for hop in line.split(",")]
    return [_without_port(hop.strip()) for hop in hops if hop.strip()]


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _port = hop.partition(":")
    return host if colon and hop.count(":") == 1 else hop
