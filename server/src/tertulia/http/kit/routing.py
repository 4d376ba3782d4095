"""What the contract asks of routing beyond Starlette's: refusals in JSON, escaped slashes, prefixes that stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from tertulia.http.kit.errors import Endpoint, error_response, method_not_allowed, unknown_path

_ESCAPES: Final = str.maketrans({"%": "%25", "/": "%2F", "\n": "%0A"})


class _SegmentConvertor(StringConvertor):
    def convert(self, value: str) -> str:
        return unquote(value)


register_url_convertor("segment", _SegmentConvertor())


class MethodRoute(Route):
    """One path and its application for each method; other methods are refused with JSON.

    Starlette names in `Allow` what the first path that matches has; with `also`, other paths' methods are named too.
    """

    def __init__(self, path: str, methods: Mapping[str, ASGIApp], *, also: Iterable[str] = ()) -> None:
        super().__init__(path, self, methods=methods)
        self._by_method = {**methods, "HEAD": methods["GET"]} if "GET" in methods else methods
        self._refusal = method_not_allowed(*sorted({*methods, *also}))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse the method."""
        scope["state"]["route"] = self.path_format
        app = self._by_method.get(scope["method"]) or error_response(self._refusal, scope["state"]["request_id"])
        await app(scope, receive, send)


class SegmentRouter(Router):
    """Routes by the path as it was sent: `{name:segment}` may hold an escaped slash, which Starlette takes for one."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        super().__init__(routes, redirect_slashes=False, default=Endpoint(Request, _unknown))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one request."""
        raw: bytes = scope.get("raw_path") or b""
        if b"%" not in raw:
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        segments = raw.partition(b"?")[0].decode("latin-1").split("/")
        scope["path"] = "/".join(unquote(segment).translate(_ESCAPES) for segment in segments)
        try:
            await self.app(scope, receive, send)
        finally:
            scope["path"] = path


async def _unknown(_request: Request) -> Response:
    raise unknown_path()


class Prefix(BaseRoute):
    """Everything at and below a path. Starlette's Mount cuts the path off, and leaves out the path itself."""

    def __init__(self, path: str, app: ASGIApp, *, websockets: bool = False) -> None:
        self.path_format = path
        self._below = f"{path}/"
        self._app = app
        self._types = {"http", "websocket"} if websockets else {"http"}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Compare a connection's type and path."""
        path: str = scope["path"]
        is_here = scope["type"] in self._types and (path.startswith(self._below) or path == self.path_format)
        return (Match.FULL if is_here else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the connection on."""
        await self._app(scope, receive, send)
