"""How uvicorn has to be set up for LiveKit's signalling: the one place, also for whoever mounts the server."""

import logging
import re
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from tertulia_sfu.signalling.websocket_protocol import SignalWebSocketProtocol
from tertulia_sfu.wire import MAX_FRAME_BYTES

PING_INTERVAL_S: Final = 10.0
PING_TIMEOUT_S: Final = 15.0

_QUERY: Final = re.compile(r"\?\S*")


class _WithoutQueries(logging.Filter):
    """Cuts query strings out of log records: tokens travel in them."""

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
        if not any(isinstance(each, _WithoutQueries) for each in logger.filters):
            logger.addFilter(_WithoutQueries())
    return config


class Server(uvicorn.Server):
    """Uvicorn that lets the application say goodbye (`before_shutdown`) while the sockets are still open."""

    def __init__(self, config: uvicorn.Config, *, before_shutdown: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at SIGINT or SIGTERM, at a second one without waiting; the process then ends with status 0."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye, then close."""
        await self._before_shutdown()
        await super().shutdown(sockets=sockets)
