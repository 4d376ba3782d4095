"""Uvicorn's WebSocket protocol with room for a join request in the request line, and bounds for frames."""

import asyncio
from collections.abc import Generator
from contextlib import suppress
from typing import Any, Final

import structlog
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

_log = structlog.get_logger(__name__)

MAX_LINE_BYTES: Final = 256 * 1024
PARSED_AT_ONCE_BYTES: Final = 2 * 1024
"""asyncio reads up to 256 KiB: as 43,000 frames they would keep the event loop busy for a quarter of a second."""
LAST_BYTES: Final = 64 * 1024
"""What is still parsed of a connection that was lost: a client may close right after its last messages."""
CLOSING_BYTES: Final = 64 * 1024
"""What is still parsed after our close frame: the client's own comes behind what was on its way."""
CLOSING_S: Final = 3.0
"""How long the client's close frame is waited for."""
FRAMES_BURST: Final = 200
FRAMES_PER_S: Final = 10
"""Frames that are no message: pings, pongs and parts. Clients send one ping in some seconds and no parts."""


_REASON: Final = b"Failed to open a WebSocket connection: the request is no handshake.\n"
_BAD_REQUEST: Final = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_REASON), _REASON)
)


class _LongLineReader(StreamReader):
    """A stream reader whose limit for a line is MAX_LINE_BYTES, whatever its caller asks for."""

    def read_line(self, m: int, too_long_exc_type: type[Exception] = RuntimeError) -> Generator[None, None, bytearray]:
        return super().read_line(MAX_LINE_BYTES, too_long_exc_type)


class SignalWebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection whose request may have lines of 256 KiB, and whose frames are parsed as they are needed.

    A join request travels in the URL (`join_request`): some kilobytes gzipped, more where a client does not compress.
    websockets allows 2 KiB and has no parameter for it, only a variable of its module, which every other user of
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
        self.close_timeout = CLOSING_S
        self._unparsed = bytearray()
        self._closing_bytes_left = CLOSING_BYTES
        self._frames_left = float(FRAMES_BURST)
        self._frames_at = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Take bytes; those behind a message that the application has not taken yet wait."""
        self._unparsed += data
        self._parse_until_message()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on what came before the end."""
        rest, self._unparsed = bytes(self._unparsed[:LAST_BYTES]), bytearray()
        if rest and not self.close_sent:
            super().data_received(rest)
        super().connection_lost(exc)

    async def receive(self) -> Any:  # noqa: ANN401 - uvicorn's own
        """Wait for the next message, and parse on."""
        message = await super().receive()
        self._parse_until_message()
        return message

    def _parse_until_message(self) -> None:
        while self._unparsed and not self.read_paused:
            # after our close frame nothing pauses the reading: a client that goes on would have all of it parsed
            if self.transport.is_closing() or self._closing_bytes_left <= 0:
                self._unparsed.clear()
                return
            piece = bytes(self._unparsed[:PARSED_AT_ONCE_BYTES])
            del self._unparsed[:PARSED_AT_ONCE_BYTES]
            if self.close_sent:
                self._closing_bytes_left -= len(piece)
            super().data_received(piece)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # uvicorn would neither send what websockets answers to some of these requests, nor ever close
            self.transport.write(b"".join(self.conn.data_to_send()) or _BAD_REQUEST)
            self.transport.close()

    async def send(self, message: Any) -> None:  # noqa: ANN401 - uvicorn's own
        """Send; a handshake that was refused is complete, too (uvicorn logs an error otherwise).

        The answer to our close frame may be here already.
        """
        await super().send(message)
        if self.close_sent:
            self._parse_until_message()
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    # ── frames ──

    def send_receive_event_to_app(self) -> None:
        """Hand a message on; of a text only that it is one: uvicorn takes wrong UTF-8 for its own defect."""
        if self.curr_msg_data_type == "text":
            self.frames = []
        super().send_receive_event_to_app()

    def handle_cont(self, event: Frame) -> None:
        """Take a part of a message."""
        if self._may_send_another():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping."""
        if self._may_send_another():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take the answer to a ping, or one that nobody asked for."""
        if self._may_send_another():
            super().handle_pong(event)

    def _may_send_another(self) -> bool:
        """Charge a frame that is no message; close the connection of a client that sends too many."""
        now = self.loop.time()
        self._frames_left = min(FRAMES_BURST, self._frames_left + (now - self._frames_at) * FRAMES_PER_S) - 1
        self._frames_at = now
        if self._frames_left >= 0 and not self.close_sent:
            return True
        if not self.close_sent:
            address = self.client[0] if self.client else "unknown"
            _log.warning("signal connection closed: too many frames that are no messages", address=address)
            self._close(CloseCode.POLICY_VIOLATION)
        return False

    def _close(self, code: CloseCode) -> None:
        self._unparsed.clear()
        self.frames = []
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        with suppress(InvalidState):  # the client closes, too
            self.conn.send_close(code)
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()


def allow_long_lines(connection: ServerProtocol) -> None:
    """Raise the limit for lines of a connection that has not received anything yet."""
    connection.reader = _LongLineReader()
    connection.parser = connection.parse()
    next(connection.parser)
