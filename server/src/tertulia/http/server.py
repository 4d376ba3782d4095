"""The root of HTTP: one Starlette application, which gives each request its id, logs it, and routes it by prefix."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from tertulia.errors import Unavailable
from tertulia.http import health, metrics
from tertulia.http.health import Health, ServerState
from tertulia.http.kit.addresses import TrustedProxies, peer_address
from tertulia.http.kit.errors import Endpoint
from tertulia.http.kit.routing import Prefix
from tertulia.http.metrics import Metrics
from tertulia.http.pages import Pages
from tertulia.http.running_requests import CountedRequests, RunningRequests
from tertulia.services.readiness import Readiness

_log = structlog.get_logger(__name__)
_SIGNALLING: Final = "/rtc"
_MEDIA: Final = frozenset({_SIGNALLING, "/twirp"})
_MAX_LOGGED_PATH: Final = 500
_NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
"""Browsers take each response for what it says it is."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class RootApp(Starlette):
    """Everything that our port serves, as one application to which any ASGI middleware can be added.

    It serves `/health` and `/health/ready` from the beginning; the rest answers 503 until `open` was called, and again
    after `close`. In between, `drain` says that it will stop. The `client` of a scope is the one that `proxies` tell.
    """

    def __init__(self, proxies: TrustedProxies | None = None, figures: Metrics | None = None) -> None:
        self.running = RunningRequests()
        self.metrics = figures or Metrics("")
        log = Middleware(RequestLog, proxies or TrustedProxies(()), self.metrics)
        super().__init__(middleware=[log, Middleware(CountedRequests, self.running)])
        self.health = Health()
        self._prefixes: list[Prefix] = []
        self._unrouted: ASGIApp = Endpoint(Request, self._not_ready)
        self.router.redirect_slashes = False
        self.router.default = self._default
        self._own: list[BaseRoute] = [*self.health.routes(), *self.metrics.routes()]
        self.router.routes = [*self._own]

    def open(
        self, prefixes: Mapping[str, ASGIApp], pages: Pages, readiness: Callable[[], Awaitable[Readiness]]
    ) -> None:
        """Begin to serve: applications by the beginning of their paths, and pages at all other paths."""
        self.health.look = readiness
        self.health.state = ServerState.OK
        self._prefixes = [Prefix(path, app, websockets=path == _SIGNALLING) for path, app in prefixes.items()]
        self.show(pages)

    def show(self, pages: Pages) -> None:
        """Serve other pages from now on, unless nothing is served any more."""
        if self.health.state.is_serving:
            self.router.routes = [*self._prefixes, *self._own, *pages.routes()]
            self._unrouted = pages.files

    def take_no_meetings(self, has_meetings: Callable[[], bool]) -> None:
        """Say that no new meetings are taken, so that load balancers turn to another server; all is still served."""
        if self.health.state is ServerState.OK:
            self.health.has_meetings = has_meetings
            self.health.state = ServerState.DRAINING

    def drain(self) -> None:
        """Say that the server stops, so that load balancers and clients turn to another one; all is still served."""
        self.health.state = ServerState.STOPPING
        self.running.are_last = True

    def close(self) -> None:
        """Refuse requests; those that are being answered go on, and so does the media server, which they may need."""
        self.drain()
        kept = (route for route in self.router.routes if isinstance(route, Prefix) and route.path_format in _MEDIA)
        self.router.routes = [*kept, *self._own]
        self._unrouted = Endpoint(Request, self._not_ready)

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the router in the middleware alone.

        Starlette's own two, which turn errors into its texts, would never see one: an Endpoint answers with JSON.
        """
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        return app

    async def _not_ready(self, _request: Request) -> Response:
        raise Unavailable("not_ready", f"The server is {self.health.state}", retry_after_s=1)

    async def _default(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what has no route. A handshake where there is no WebSocket is answered as the GET that it also is."""
        if scope["type"] == "websocket":
            await self.router({**scope, "type": "http", "method": "GET"}, receive, _refusing(send))
        else:
            await self._unrouted(scope, receive, send)


def _refusing(send: Send) -> Send:
    async def send_in_handshake(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return send_in_handshake


class RequestLog:
    """Middleware that gives each request its id (a client's own, if it is a good one) and the address of its client,
    logs it with both and its route, and gives its id to all lines that are logged meanwhile.

    Never its query string, which may hold a secret. What only our own parts ask for is for debugging. A WebSocket is
    logged when it has ended, with 101 where it was one.
    """

    def __init__(self, app: ASGIApp, proxies: TrustedProxies, figures: Metrics) -> None:
        self._app = app
        self._metrics = figures
        self._proxies = proxies
        # unique for as long as logs are kept, without asking the system for randomness at every request
        self._run = secrets.token_hex(5)
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        offered = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        request_id = offered if _REQUEST_ID.match(offered) else f"{self._run}-{next(self._count):x}"
        state = scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        address = self._proxies.client(HTTPConnection(scope))
        if address != peer_address(scope):
            scope["client"] = (address, 0)
        bind_contextvars(request_id=request_id)  # for this request's task alone, which a server makes of each
        path, status = scope["path"], 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            kind = message["type"]
            if kind.endswith("http.response.start"):
                status = message["status"]
                own = (_NO_SNIFFING, (b"x-request-id", request_id.encode()))
                message["headers"] = [*message.get("headers", ()), *own]
            elif not status and kind.startswith("websocket."):
                status = HTTPStatus.SWITCHING_PROTOCOLS if kind == "websocket.accept" else HTTPStatus.FORBIDDEN
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            is_internal = path.startswith((health.PATH, metrics.PATH, "/twirp/"))
            seconds = time.perf_counter() - began
            self._metrics.observe(scope.get("method", "GET"), state.get("route"), int(status), seconds)
            (_log.debug if is_internal and status < HTTPStatus.BAD_REQUEST else _log.info)(
                "request",
                method=scope.get("method", "GET"),
                path=path[:_MAX_LOGGED_PATH],
                route=state.get("route"),
                address=address,
                status=int(status),
                ms=round(seconds * 1000, 1),
                request_id=request_id,
            )
