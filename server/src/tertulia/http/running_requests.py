"""Which requests are being answered: a server that stops finishes them first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RunningRequests:
    """The requests that are being answered. Belongs to one event loop.

    `are_last` says that connections shall be closed after them.
    """

    def __init__(self) -> None:
        self.are_last = False
        self._running: set[object] = set()
        self._ended: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self._running)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a request for as long as the block lasts."""
        request = object()
        self._running.add(request)
        try:
            yield
        finally:
            self._running.discard(request)
            if self._ended is not None:
                self._ended.set()

    async def finished(self) -> None:
        """Wait until those that run now are answered; others may begin meanwhile."""
        awaited = set(self._running)
        self._ended = asyncio.Event()
        while awaited & self._running:
            self._ended.clear()
            await self._ended.wait()


class CountedRequests:
    """Middleware that counts requests, and closes connections after the last ones. WebSockets never finish."""

    def __init__(self, app: ASGIApp, running: RunningRequests) -> None:
        self._app = app
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_and_close(message: Message) -> None:
            if self._running.are_last and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        with self._running.one():
            await self._app(scope, receive, send_and_close)
