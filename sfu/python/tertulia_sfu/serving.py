"""The uvicorn configuration that LiveKit's signalling needs, also for applications that mount the media server."""

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from tertulia_sfu.signalling.codec import MAX_FRAME_BYTES
from tertulia_sfu.signalling.websocket_protocol import SignalWebSocketProtocol

PING_INTERVAL_S: Final = 10.0
PING_TIMEOUT_S: Final = 15.0
TICK_S: Final = 1.0

_QUERY: Final = re.compile(r"\?\S*")


class _QueryStringFilter(logging.Filter):
    """Removes query strings from log records: they carry access tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_QUERY.sub("?…", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


def uvicorn_config(app: ASGIApp, **options: Any) -> uvicorn.Config:  # noqa: ANN401 – uvicorn's own settings
    """Return a uvicorn configuration for signalling; `options` are uvicorn's own and win."""
    settings: dict[str, Any] = {
        "ws": SignalWebSocketProtocol,
        "ws_max_size": MAX_FRAME_BYTES,
        "ws_ping_interval": PING_INTERVAL_S,
        "ws_ping_timeout": PING_TIMEOUT_S,
        "ws_per_message_deflate": False,
        "access_log": False,
        "interface": "asgi3",
        "lifespan": "off",
        "timeout_graceful_shutdown": 2,
        "server_header": False,
    }
    config = uvicorn.Config(app, **(settings | options))
    for name in ("uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        if not any(isinstance(each, _QueryStringFilter) for each in logger.filters):
            logger.addFilter(_QueryStringFilter())
    return config


class WaitingServer(uvicorn.Server):
    """A uvicorn server that wakes up once a second instead of ten times, and ends at once when told to.

    What is left of its ticks is the Date header. Nine more of them were a tenth of a small meeting's CPU time.
    """

    _is_told = False

    def __init__(self, config: uvicorn.Config) -> None:
        self._ending = asyncio.Event()
        self._serving_on: asyncio.AbstractEventLoop | None = None
        super().__init__(config)

    @property
    def should_exit(self) -> bool:
        """Whether it has been told to end; may be set by any thread and by a signal handler."""
        return self._is_told

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._is_told = value
        if value and self._serving_on:
            self._serving_on.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        """Tick until the end."""
        self._serving_on = asyncio.get_running_loop()
        while not await self.on_tick(0):
            try:
                async with asyncio.timeout(TICK_S):
                    await self._ending.wait()
            except TimeoutError:
                continue


class SignallingServer(WaitingServer):
    """A uvicorn server that awaits `before_shutdown` while its sockets are still open, so that clients are told."""

    def __init__(self, config: uvicorn.Config, *, before_shutdown: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at SIGINT or SIGTERM, at a second one without waiting; the process then ends with status 0."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Await `before_shutdown`, then close."""
        await self._before_shutdown()
        await super().shutdown(sockets=sockets)
