"""Uvicorn's WebSocket protocol with room for a join request in the request line."""

import asyncio
from collections.abc import Generator
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

MAX_LINE_BYTES: Final = 256 * 1024


class _LongLineReader(StreamReader):
    """A stream reader whose limit for a line is MAX_LINE_BYTES, whatever its caller asks for."""

    def read_line(self, m: int, too_long_exc_type: type[Exception] = RuntimeError) -> Generator[None, None, bytearray]:
        return super().read_line(MAX_LINE_BYTES, too_long_exc_type)


class SignalWebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection whose request may have lines of 256 KiB.

    A join request travels in the URL (`join_request`): some kilobytes gzipped, more where a client does not compress.
    websockets allows 8 KiB and has no parameter for it, only a variable of its module, which every other user of
    websockets in the process shares. The internals of uvicorn and websockets that this class relies on are named in
    `tests/unit/tertulia_sfu/signalling/test_websocket_protocol.py`; `pyproject.toml` bounds their versions.

    uvicorn's wsproto implementation has no such limit, but a frame costs it three times as much (7 µs instead of 2 µs).
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        allow_long_lines(self.conn)


def allow_long_lines(connection: ServerProtocol) -> None:
    """Raise the limit for lines of a connection that has not received anything yet."""
    connection.reader = _LongLineReader()
    connection.parser = connection.parse()
    next(connection.parser)
