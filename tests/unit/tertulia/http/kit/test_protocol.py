"""The protocol is a subclass of uvicorn's, which promises nothing to subclasses: here its changes are seen."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest
import uvicorn
from packaging.requirements import Requirement
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tertulia.http.kit.connections import ConnectionLimits, ConnectionTimes
from tertulia.http.kit.protocol import MAX_HEAD_BYTES, MAX_SIGNALLING_URL_BYTES, bounded_protocol
from tertulia_sfu.serving import uvicorn_config

SERVER: Final = Path(__file__).parents[5] / "server/pyproject.toml"
KNOWN: Final = {
    "connection_made": "6efb565ff3d36b91",
    "connection_lost": "c91a4c9bf2e29c55",
    "handle_websocket_upgrade": "179c4f769386ab89",
    "data_received": "010a7ae59a5d3b1a",
    "on_message_begin": "96d377fdc7c2baef",
    "on_url": "37be44e962b04ca8",
    "on_header": "65d62c044f61fdbd",
    "on_headers_complete": "1ea8589acfad92d8",
    "on_body": "dba9c32aeba35b6a",
    "on_message_complete": "1fbad42dc31fc01f",
    "on_response_complete": "64e254f28e389e76",
    "send_400_response": "ae5a4a3782b646fd",
    "pause_writing": "17a8fd215d96a13c",
    "resume_writing": "7844bbaa8cceb1ef",
}
"""The methods that JsonHttpProtocol overrides, and the digest of their source in the version that it was read for."""


@pytest.mark.parametrize("name", KNOWN)
def test_overridden_methods_are_the_ones_we_know(name):
    """When this fails: read the new one, see that JsonHttpProtocol still fits, and note its digest."""
    source = inspect.getsource(getattr(HttpToolsProtocol, name))
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == KNOWN[name]


def test_refusals_go_through_the_overridden_method():
    assert "self.send_400_response(msg)" in inspect.getsource(HttpToolsProtocol.data_received)


@pytest.mark.parametrize("name", ["uvicorn", "starlette"])
def test_versions_have_an_upper_bound(name):
    """A release that may have moved what we build on is not installed before it was tried."""
    stated = (Requirement(line) for line in tomllib.loads(SERVER.read_text())["project"]["dependencies"])
    specifier = next(one.specifier for one in stated if one.name == name)
    assert any(bound.operator == "<" for bound in specifier)
    assert specifier.contains(version(name))


QUICK: Final = ConnectionTimes(head_s=0.3, keep_alive_s=1, body_check_s=0.2, body_rate=500, stall_s=0.3, unread_s=2.0)
LARGE: Final = bytes(32 * 1024 * 1024)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body; at /unread without reading it; at /large with much."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept" if scope["path"] == "/rtc/held" else "websocket.close"})
        while scope["path"] == "/rtc/held" and (await receive())["type"] != "websocket.disconnect":
            pass
        return
    request = Request(scope, receive)
    if scope["path"] == "/large":
        await Response(LARGE)(scope, receive, send)
        return
    length = 0 if scope["path"] == "/unread" else len(await request.body())
    await Response(json.dumps({"code": str(length)}))(scope, receive, send)


@asynccontextmanager
async def serving(limits: ConnectionLimits | None = None) -> AsyncIterator[int]:
    """A server with short times; its port."""
    protocol = bounded_protocol(
        limits or ConnectionLimits(total=100, for_address=100), ConnectionLimits(total=100, for_address=2), QUICK
    )
    config = uvicorn_config(echo, port=0, http=protocol, log_config=None)
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign]
    running = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def exchanged(port: int, *pieces: bytes, every_s: float = 0.05) -> tuple[int | None, str | None]:
    """Send pieces and read until the server closes: the status and code of the last response, None for none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every_s)

    sending = asyncio.ensure_future(send())
    try:
        answer = await asyncio.wait_for(reader.read(), 5)
    finally:
        sending.cancel()
        writer.close()
    if not answer:
        return None, None
    head, _, body = answer[answer.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)["code"] if body.startswith(b"{") else None


HEAD: Final = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
CHUNKED: Final = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
HANDSHAKE: Final = (
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TOO_LARGE: Final = (431, "headers_too_large")


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([HEAD + b"X: " + b"a" * (MAX_HEAD_BYTES - 100) + b"\r\n\r\n"], (200, "0")),
        ([HEAD + b"X: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n"], TOO_LARGE),
        ([HEAD + b"X: ", *[b"a" * 16384] * 6], TOO_LARGE),
        ([HEAD, *[b"X: " + b"a" * 8000 + b"\r\n"] * 10], TOO_LARGE),
        ([HEAD + b"X: 1\r\n" * 200 + b"\r\n"], TOO_LARGE),
        ([b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n"], (414, "url_too_long")),
        ([b"GET /?" + b"a" * 60_000 + b" HTTP/1.1\r\nConnection: close\r\n\r\n"], (200, "0")),
        ([b"GET /rtc?" + b"a" * 250_000 + b" HTTP/1.1\r\n" + HANDSHAKE], (403, None)),
        ([b"GET /rtc?" + b"a" * MAX_SIGNALLING_URL_BYTES + b" HTTP/1.1\r\n\r\n"], (414, "url_too_long")),
        ([b"GET /rtcs?" + b"a" * 250_000 + b" HTTP/1.1\r\n\r\n"], TOO_LARGE),
        ([CHUNKED, b"3\r\nabc\r\n0\r\nT: x\r\n\r\n"], (200, "3")),
        ([CHUNKED, b"3\r\nabc\r\n0\r\n", *[b"T: " + b"a" * 8000 + b"\r\n"] * 10], TOO_LARGE),
        ([CHUNKED, b"3\r\nabc\r\n0\r\nT: ", *[b"a" * 16384] * 6], TOO_LARGE),
        ([CHUNKED, b"3;x=", *[b"a" * 16384] * 6], TOO_LARGE),
        ([b"nonsense\r\n\r\n"], (400, "invalid_http")),
    ],
)  # fmt: skip
async def test_heads_are_bounded(pieces, expected):
    async with serving() as port:
        assert await exchanged(port, *pieces, every_s=0.001) == expected


async def test_many_small_requests_at_once_are_no_large_head():
    requests = (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 900 + b"\r\n\r\n") * 200
    async with serving() as port:
        assert await exchanged(port, requests + HEAD + b"\r\n") == (200, "0")


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], (None, None)),
        ([b"\r\n"] * 100, (None, None)),
        ([HEAD], (408, "request_timeout")),
        ([HEAD, *[b"X: a\r\n"] * 100], (408, "request_timeout")),
        ([HEAD.replace(b"close", b"keep-alive") + b"\r\n", *[b"\r\n"] * 100], (200, "0")),
        ([POST, b"a"], (408, "request_timeout")),
        ([POST, *[b"a"] * 100], (408, "request_timeout")),
        ([POST, *[b"a" * 2500] * 40], (200, "100000")),
        ([POST.replace(b"POST /", b"POST /unread").replace(b"close", b"keep-alive"), *[b"a"] * 100], (200, "0")),
        ([HEAD.replace(b"close", b"keep-alive") + b"\r\n"], (200, "0")),
    ],
)  # fmt: skip
async def test_connections_end(pieces, expected):
    """However little comes, and however often."""
    async with serving() as port:
        assert await exchanged(port, *pieces) == expected


async def test_endless_body_that_nothing_reads():
    start = b"POST /unread HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n"
    async with serving() as port:
        with pytest.raises(ConnectionError):
            await exchanged(port, start, *[b"a" * 1_000_000] * 900, every_s=0)


async def test_who_holds_connections_makes_room_for_who_asks():
    async with serving(ConnectionLimits(total=10, for_address=5)) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        assert await exchanged(port, HEAD + b"\r\n") == (200, "0")
        assert await asyncio.wait_for(held[0][0].read(), 0.2) == b""
        for _reader, writer in held:
            writer.close()


async def held_websocket(port: int) -> tuple[bytes, asyncio.StreamWriter]:
    """Open a WebSocket that stays: the status line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /rtc/held HTTP/1.1\r\n" + HANDSHAKE)
    return await asyncio.wait_for(reader.readline(), 5), writer


async def test_websockets_are_limited():
    """By address, two in this test; their connections count no longer where requests are counted."""
    limits = ConnectionLimits(total=1, for_address=1)
    async with serving(limits) as port:
        opened = [await held_websocket(port) for _ in range(3)]
        assert [line.split(b" ")[1] for line, _ in opened] == [b"101", b"101", b"503"]
        assert await exchanged(port, HEAD + b"\r\n") == (200, "0")
        for _line, writer in opened:
            writer.close()
        while (await held_websocket(port))[0].split(b" ")[1] != b"101":
            await asyncio.sleep(0.01)


async def unread(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for much, and read nothing of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    return reader, writer


async def rest_of(reader: asyncio.StreamReader) -> int:
    """How much comes until the server ends the connection."""
    size = 0
    try:
        while piece := await asyncio.wait_for(reader.read(1 << 20), 5):
            size += len(piece)
    except ConnectionError:
        pass
    return size


async def test_responses_that_are_not_read_end():
    async with serving() as port:
        reader, _writer = await unread(port)
        # nothing tells a client that reads nothing: a busy machine gets as long again
        await asyncio.sleep(2 * QUICK.unread_s)
        assert await rest_of(reader) < len(LARGE)


async def test_responses_that_are_not_read_make_room():
    async with serving(ConnectionLimits(total=2, for_address=2)) as port:
        (oldest, _writer), (newer, _other_writer) = [await unread(port) for _ in range(2)]
        await asyncio.sleep(QUICK.stall_s + 0.2)
        assert await exchanged(port, HEAD + b"\r\n") == (200, "0")
        assert await rest_of(oldest) < len(LARGE)
        assert await rest_of(newer) > len(LARGE), "it is read again in time"
