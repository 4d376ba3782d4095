"""The root of HTTP: one Starlette application, which gives each request its id, logs it, and routes it by prefix."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from tertulia.errors import Unavailable
from tertulia.http.kit.errors import Endpoint
from tertulia.http.kit.responses import JsonResponse
from tertulia.http.kit.routing import MethodRoute, Prefix
from tertulia.http.pages import Pages

_log = structlog.get_logger(__name__)
_SIGNALLING: Final = "/rtc"
_MAX_LOGGED_PATH: Final = 500
_NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
"""Browsers take each response for what it says it is."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class RootApp(Starlette):
    """Everything that our port serves, as one application to which any ASGI middleware can be added.

    It serves `/health` from the beginning; the rest answers 503 until `open` was called, and again after `close`.
    """

    def __init__(self) -> None:
        super().__init__(middleware=[Middleware(RequestLog)])
        self._state = "starting"
        self._health = MethodRoute("/health", {"GET": Endpoint(Request, self._report)})
        self._unrouted: ASGIApp = Endpoint(Request, self._not_ready)
        self.router.redirect_slashes = False
        self.router.default = self._default
        self.router.routes = [self._health]

    def open(self, prefixes: Mapping[str, ASGIApp], pages: Pages) -> None:
        """Begin to serve: applications by the beginning of their paths, and pages at all other paths."""
        self._state = "ok"
        self.router.routes = [
            *(Prefix(path, app, websockets=path == _SIGNALLING) for path, app in prefixes.items()),
            self._health,
            *pages.routes(),
        ]
        self._unrouted = pages.files

    def close(self) -> None:
        """Say that the server stops; requests that are being answered go on."""
        self._state = "stopping"
        self.router.routes = [self._health]
        self._unrouted = Endpoint(Request, self._not_ready)

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the router in the middleware alone.

        Starlette's own two, which turn errors into its texts, would never see one: an Endpoint answers with JSON.
        """
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        return app

    async def _report(self, _request: Request) -> Response:
        is_ok = self._state == "ok"
        return JsonResponse({"status": self._state}, HTTPStatus.OK if is_ok else HTTPStatus.SERVICE_UNAVAILABLE)

    async def _not_ready(self, _request: Request) -> Response:
        raise Unavailable("not_ready", f"The server is {self._state}", retry_after_s=1)

    async def _default(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what has no route. A handshake where there is no WebSocket is answered as the GET that it also is."""
        if scope["type"] == "websocket":
            await self({**scope, "type": "http", "method": "GET"}, receive, _refusing(send))
        else:
            await self._unrouted(scope, receive, send)


def _refusing(send: Send) -> Send:
    async def send_in_handshake(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return send_in_handshake


class RequestLog:
    """Middleware that gives each request its id (a client's own, if it is a good one), logs it with its address and
    route, and gives its id to all lines that are logged meanwhile.

    Never its query string, which may hold a secret. What only our own parts ask for is for debugging.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # unique for as long as logs are kept, without asking the system for randomness at every request
        self._run = secrets.token_hex(5)
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        offered = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        request_id = offered if _REQUEST_ID.match(offered) else f"{self._run}-{next(self._count):x}"
        state = scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        bind_contextvars(request_id=request_id)  # for this request's task alone, which a server makes of each
        path, status = scope["path"], 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (_NO_SNIFFING, (b"x-request-id", request_id.encode()))
                message["headers"] = [*message.get("headers", ()), *own]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            is_internal = path == "/health" or path.startswith("/twirp/")
            (_log.debug if is_internal and status < HTTPStatus.BAD_REQUEST else _log.info)(
                "request",
                method=scope["method"],
                path=path[:_MAX_LOGGED_PATH],
                route=state.get("route"),
                address=state.get("client_address") or (scope.get("client") or ("unknown",))[0],
                status=int(status),
                ms=round((time.perf_counter() - began) * 1000, 1),
                request_id=request_id,
            )
