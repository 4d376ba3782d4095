"""The limit for request lines, and what it relies on in uvicorn and websockets.

When one of these fails after an update, look at `SignalWebSocketProtocol` before raising the bounds in
`sfu/pyproject.toml`.
"""

from __future__ import annotations

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
from tertulia_sfu.signalling.websocket_protocol import MAX_LINE_BYTES, SignalWebSocketProtocol, allow_long_lines

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
