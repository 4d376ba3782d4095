"""The limit for request lines, and what it relies on in uvicorn and websockets.

When one of these fails after an update, look at `SignalWebSocketProtocol` before raising the bounds in
`sfu/pyproject.toml`.
"""

from __future__ import annotations

import asyncio
import base64
import importlib.metadata
import inspect
import tomllib
from pathlib import Path

import pytest
import websockets.http11
from packaging.requirements import Requirement
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from tertulia_sfu.serving import uvicorn_config
from tertulia_sfu.signalling.websocket_protocol import (
    CLOSING_BYTES,
    CLOSING_S,
    MAX_LINE_BYTES,
    SignalWebSocketProtocol,
    allow_long_lines,
)

PYPROJECT = Path(__file__).parents[4] / "sfu" / "pyproject.toml"


async def app(scope: object, receive: object, send: object) -> None:
    """The ASGI application of a configuration that serves nothing."""


def handshake(path: str) -> bytes:
    key = base64.b64encode(bytes(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def protocol() -> SignalWebSocketProtocol:
    config = uvicorn_config(app)  # type: ignore[arg-type]
    config.load()
    assert config.ws_protocol_class is SignalWebSocketProtocol
    return SignalWebSocketProtocol(config, ServerState(), {})


@pytest.mark.parametrize("length", [10, 9_000, MAX_LINE_BYTES - 100])
async def test_long_request_lines_are_accepted(length: int) -> None:
    connection = protocol().conn
    path = "/" + "x" * length
    data = handshake(path)
    for start in range(0, len(data), 1000):
        connection.receive_data(data[start : start + 1000])
    (request,) = connection.events_received()
    assert isinstance(request, Request)
    assert request.path == path
    assert connection.accept(request).status_code == 101


async def test_longer_ones_are_refused() -> None:
    connection = protocol().conn
    connection.receive_data(handshake("/" + "x" * MAX_LINE_BYTES))
    assert connection.events_received() == []
    assert b"414" in connection.data_to_send()[0].splitlines()[0]


def test_other_users_of_websockets_keep_their_limit() -> None:
    connection = ServerProtocol()
    connection.receive_data(handshake("/" + "x" * 9_000))
    assert connection.events_received() == []
    assert websockets.http11.MAX_LINE_LENGTH == 8192


def test_what_is_relied_on_in_websockets() -> None:
    assert list(inspect.signature(StreamReader.read_line).parameters) == ["self", "m", "too_long_exc_type"]
    connection = ServerProtocol()
    assert type(connection.reader) is StreamReader
    assert inspect.isgenerator(connection.parser)
    assert "self.reader.read_line" in inspect.getsource(ServerProtocol.parse)
    allow_long_lines(connection)
    assert inspect.getgeneratorstate(connection.parser) == inspect.GEN_SUSPENDED


def test_what_is_relied_on_in_uvicorn() -> None:
    parameters = list(inspect.signature(WebSocketsSansIOProtocol.__init__).parameters)
    assert parameters == ["self", "config", "server_state", "app_state", "_loop"]
    assert "self.conn = ServerProtocol(" in inspect.getsource(WebSocketsSansIOProtocol.__init__)


@pytest.mark.parametrize("name", ["uvicorn", "websockets"])
def test_versions_are_bounded_and_tested(name: str) -> None:
    dependencies = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    (requirement,) = (found for found in map(Requirement, dependencies) if found.name == name)
    assert any(bound.operator == "<" for bound in requirement.specifier)
    assert importlib.metadata.version(name) in requirement.specifier


class Transport:
    """What was written, and whether it was closed."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = self.paused = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_extra_info(self, name: str) -> object:
        return ("192.0.2.7", 5) if name == "peername" else None


def connected(begin: bytes) -> tuple[SignalWebSocketProtocol, Transport]:
    connection, transport = protocol(), Transport()
    connection.connection_made(transport)  # type: ignore[arg-type]
    connection.data_received(begin)
    return connection, transport


@pytest.mark.parametrize("more", ["Content-Length: 4\r\n\r\nnull", "Bad Name: x\r\n\r\n"])
async def test_a_request_that_is_no_handshake_is_answered_and_closed(more: str) -> None:
    """uvicorn leaves it open for ever, and no limit of connections knows it any more."""
    _, transport = connected(handshake("/")[:-2] + more.encode())
    assert transport.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert transport.closed


async def test_a_refused_handshake_is_complete() -> None:
    """uvicorn logs an error for each one: strangers could fill the log with them."""
    connection, transport = connected(handshake("/"))
    await connection.send({"type": "websocket.http.response.start", "status": 401, "headers": []})
    await connection.send({"type": "websocket.http.response.body", "body": b"no"})
    assert transport.written.startswith(b"HTTP/1.1 401")
    assert connection.handshake_complete


FRAME_PING, FRAME_PART, FRAME_MESSAGE, FRAME_CLOSE = (
    bytes([kind, 0x80]) + bytes(4) for kind in (0x89, 0x00, 0x82, 0x88)
)


async def accepted() -> tuple[SignalWebSocketProtocol, Transport]:
    connection, transport = connected(handshake("/"))
    assert (await connection.receive())["type"] == "websocket.connect"
    await connection.send({"type": "websocket.accept"})
    connection.stop_keepalive()
    return connection, transport


@pytest.mark.parametrize("frame", [FRAME_PING, FRAME_PART])
async def test_too_many_frames_that_are_no_messages_end_the_connection(frame: bytes) -> None:
    connection, transport = await accepted()
    if frame == FRAME_PART:
        connection.data_received(b"\x02\x80" + bytes(4))
    for _ in range(5):
        connection.data_received(frame * 10)
    assert not transport.closed
    connection.data_received(frame * 10_000)
    assert transport.closed
    assert connection.frames == []
    assert (await connection.receive())["type"] == "websocket.disconnect"


async def test_messages_are_parsed_when_the_application_takes_them() -> None:
    connection, transport = await accepted()
    connection.data_received(FRAME_MESSAGE * 20_000)
    assert transport.paused
    assert connection.queue.qsize() < 2_000
    for _ in range(20_000):
        assert (await connection.receive())["type"] == "websocket.receive"
    assert connection.queue.empty()
    assert not transport.paused


async def test_the_last_messages_of_a_lost_connection_are_handed_on() -> None:
    connection, _ = await accepted()
    connection.data_received(FRAME_MESSAGE * 3_000)
    connection.connection_lost(None)
    kinds = [(await connection.receive())["type"] for _ in range(3_001)]
    assert kinds == ["websocket.receive"] * 3_000 + ["websocket.disconnect"]


@pytest.mark.parametrize("is_early", [True, False], ids=["early", "late"])
async def test_the_answer_to_a_close_ends_the_connection(is_early: bool) -> None:
    connection, transport = await accepted()
    if is_early:
        connection.data_received(FRAME_MESSAGE * 3_000 + FRAME_CLOSE)
    await connection.send({"type": "websocket.close"})
    if not is_early:
        connection.data_received(FRAME_MESSAGE * 3_000 + FRAME_CLOSE)
    assert transport.closed


async def test_a_flood_after_the_close_is_not_parsed() -> None:
    connection, transport = await accepted()
    await connection.send({"type": "websocket.close"})
    parsed: list[object] = []
    connection.handle_bytes = parsed.append  # type: ignore[method-assign, assignment]
    for _ in range(10):
        connection.data_received(FRAME_MESSAGE * 40_000)
    assert len(parsed) <= CLOSING_BYTES // len(FRAME_MESSAGE) + 1_000
    assert not transport.paused, "the client would wait for its own close frame"
    assert connection.close_timer is not None
    assert connection.close_timer.when() <= asyncio.get_running_loop().time() + CLOSING_S
    connection.close_timer.cancel()


async def test_a_text_that_is_no_unicode_is_a_text(caplog: pytest.LogCaptureFixture) -> None:
    connection, _ = await accepted()
    connection.data_received(b"\x81\x81" + bytes(4) + b"\xff")
    assert await connection.receive() == {"type": "websocket.receive", "text": ""}
    assert caplog.records == []
