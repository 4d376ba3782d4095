"""The root of HTTP: gives each request its id, logs it, and sends it to the part that serves its path."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog

from tertulia.errors import TertuliaError, Unavailable
from tertulia.http.kit.api import Elapsed, log_request
from tertulia.http.kit.asgi import App, Message, Receive, Scope, Send, header
from tertulia.http.kit.errors import error_reply, internal_error, method_not_allowed
from tertulia.http.kit.replies import Reply, json_reply
from tertulia.http.pages import Pages

_log = structlog.get_logger(__name__)
_SIGNALLING: Final = "/rtc"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class RootApp:
    """Everything that listens at our port, as one ASGI application.

    It serves `/health` from the beginning; the rest answers 503 until `open` was called, and again after `close`.
    `prefixes` maps the beginning of a path to the application that serves it.
    """

    def __init__(self) -> None:
        self._prefixes: tuple[tuple[str, App], ...] = ()
        self._pages: Pages | None = None
        self._state = "starting"
        # unique for as long as logs are kept, without asking the system for randomness at every request
        self._run = secrets.token_hex(5)
        self._count = itertools.count(1)

    def open(self, prefixes: Mapping[str, App], pages: Pages) -> None:
        """Begin to serve."""
        self._prefixes, self._pages, self._state = tuple(prefixes.items()), pages, "ok"

    def close(self) -> None:
        """Say that the server stops; requests that are being answered go on."""
        self._state = "stopping"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            app = self._app(scope["path"]) if self._state == "ok" else None
            if app is not None and scope["path"].startswith(_SIGNALLING):
                await app(scope, receive, send)
            else:
                await self._http({**scope, "type": "http", "method": "GET"}, receive, _refusing(send))

    def _app(self, path: str) -> App | None:
        for prefix, app in self._prefixes:
            if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
                return app
        return None

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        elapsed = Elapsed()
        offered = header(scope, b"x-request-id")
        request_id = offered if offered and _REQUEST_ID.match(offered) else f"{self._run}-{next(self._count):x}"
        scope["state"] = {"request_id": request_id}
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            app = self._app(scope["path"]) if self._state == "ok" else None
            if app is not None:
                await app(scope, receive, send_with_id)
            else:
                await self._own(scope).send(send_with_id, receive, without_body=scope["method"] == "HEAD")
        finally:
            log_request(scope, status, elapsed)

    def _own(self, scope: Scope) -> Reply:
        request_id = scope["state"]["request_id"]
        try:
            if scope["path"] == "/health":
                return self._health(scope)
            return self._ready_pages().answer(scope)
        except TertuliaError as error:
            return error_reply(error, request_id)
        except Exception:  # noqa: BLE001 - a defect costs one answer, and is logged
            _log.exception("page failed by a defect", request_id=request_id)
            return error_reply(internal_error(), request_id)

    def _health(self, scope: Scope) -> Reply:
        if scope["method"] not in {"GET", "HEAD"}:
            raise method_not_allowed("GET")
        status = HTTPStatus.OK if self._state == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
        return json_reply({"status": self._state}, status=status)

    def _ready_pages(self) -> Pages:
        if self._pages is None or self._state != "ok":
            raise Unavailable("not_ready", f"The server is {self._state}", retry_after_s=1)
        return self._pages


def _refusing(send: Send) -> Send:
    """Answer a handshake for a WebSocket where there is none: as the GET that it also is."""

    async def send_in_handshake(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return send_in_handshake
