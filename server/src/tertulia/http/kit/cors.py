"""Which other sites' pages may call an API (the Fetch standard's CORS protocol). Cookies never count across sites."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from tertulia.http.kit.asgi import App, Header, Message, Receive, Scope, Send, header
from tertulia.http.kit.replies import Reply

_PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key, range, x-api-key, x-request-id"),
    (b"access-control-max-age", b"7200"),
)
_EXPOSED: Final = (
    b"access-control-expose-headers",
    b"accept-ranges, content-range, etag, link, retry-after, x-next-page-token, x-request-id",
)


class CrossOrigin:
    """Wraps an API; without origins it changes nothing."""

    def __init__(self, app: App, *, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, of this site or of another."""
        origin = header(scope, b"origin")
        if origin is None or not ({"*", origin} & self._origins):
            await self._app(scope, receive, send)
            return
        allowed = [
            (b"access-control-allow-origin", b"*" if "*" in self._origins else origin.encode("latin-1")),
            (b"vary", b"origin"),
        ]
        if scope["method"] == "OPTIONS" and header(scope, b"access-control-request-method") is not None:
            await Reply(204, b"", [*allowed, *_PREFLIGHT]).send(send, receive)
            return

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *allowed, _EXPOSED]
            await send(message)

        await self._app(scope, receive, send_allowed)
