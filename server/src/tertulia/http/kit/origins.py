"""Which sites' pages may send a request that changes something and that a cookie authenticates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from tertulia.errors import Forbidden

_READING: Final = {"GET", "HEAD", "OPTIONS"}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_Origin = tuple[str, str | None, int | None]


class CookieOrigins:
    """The origins whose pages may use cookies to change something.

    These are the public URL's and those that are named for embedding or CORS. `*` names no origin: it lets any page
    show the meeting or call the API with credentials of its own, not use those of a browser's user. A page that was
    loaded from the very address that it asks (127.0.0.1 in place of localhost) is ours as well. `named` returns those
    that are named now.
    """

    def __init__(self, public_url: str, named: Callable[[], tuple[str, ...]]) -> None:
        self._own = _origin(public_url)
        self._named = named
        self._read: tuple[str, ...] = ()
        self._allowed = {self._own}

    def _are_allowed(self) -> set[_Origin | None]:
        named = self._named()
        if named != self._read:
            self._read = named
            self._allowed = {self._own, *(_origin(one) for one in named if one != "*")}
        return self._allowed

    def check(self, request: Request) -> None:
        """Raise Forbidden for a changing request of another site's page. No browser sends neither header."""
        if request.method in _READING:
            return
        origins = request.headers.getlist("origin")
        if origins:
            origin = _origin(origins[0]) if len(origins) == 1 else None
            is_allowed = origin is not None and (origin in self._are_allowed() or origin == _asked(request))
        else:
            is_allowed = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        if not is_allowed:
            raise Forbidden("foreign_origin", "A page of another site may not do this by cookie")


def _asked(request: Request) -> _Origin | None:
    return _origin(f"{request.scope['scheme']}://{request.headers.get('host', '')}")


def _origin(url: str) -> _Origin | None:
    """Return an origin with its port (RFC 6454, section 4); None for what is not one, such as `null`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.scheme, parts.hostname, _DEFAULT_PORTS.get(parts.scheme) if port is None else port
