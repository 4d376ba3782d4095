"""Connections are accepted a few at a time, and refused or given up before they cost much; with TLS, too."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from support.tls import self_signed
from tertulia.http.kit.acceptor import Acceptor
from tertulia.http.kit.connections import ArrivalRate, ConnectionLimits, ConnectionTimes

QUICK: Final = ConnectionTimes(handshake_s=0.3)


class HelloProtocol(asyncio.Protocol):
    """A connection that says hello."""

    made = 0

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._abort: Callable[[], object] | None = None
        self._transport: asyncio.Transport | None = None

    def opens(self, address: str, abort: Callable[[], object]) -> bool:
        self._abort = abort
        return self._limits.admit(self, address)

    def make_room(self) -> None:
        assert self._abort
        if self._transport is None:
            self._abort()
        else:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        HelloProtocol.made += 1
        self._transport = transport
        transport.write(b"hello")


@asynccontextmanager
async def accepting(
    limits: ConnectionLimits,
    tls: ssl.SSLContext | None = None,
    take_media: Callable[[socket.socket], object] | None = None,
) -> AsyncIterator[int]:
    """A port that is accepted from."""
    with socket.create_server(("127.0.0.1", 0), backlog=500) as listener:
        listener.setblocking(False)
        acceptor = Acceptor(
            listener,
            lambda: HelloProtocol(limits),
            limits=limits,
            times=QUICK,
            tls=tls,
            take_media=take_media,
        )
        try:
            yield listener.getsockname()[1]
        finally:
            acceptor.close()


def connected(stack: ExitStack, port: int) -> socket.socket:
    return stack.enter_context(socket.create_connection(("127.0.0.1", port)))


async def ends_with(connection: socket.socket, deadline_s: float = 3.0) -> bytes | None:
    """What comes until the server ends the connection; None when it was reset."""
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        return await asyncio.wait_for(reader.read(), deadline_s)
    except ConnectionError:
        return None
    finally:
        writer.close()


@pytest.fixture
def server_side(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    return context


def client_side() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def test_a_burst_is_accepted_a_few_at_a_time():
    """Something else has its turn meanwhile."""
    HelloProtocol.made, before, turns = 0, 0, []
    with ExitStack() as stack:
        async with accepting(ConnectionLimits(total=500, for_address=500)) as port:
            for _ in range(200):
                connected(stack, port)
            while HelloProtocol.made < 200:
                await asyncio.sleep(0)
                turns.append(HelloProtocol.made - before)
                before = HelloProtocol.made
    assert max(turns) <= 20


async def test_what_is_too_much_is_reset():
    limits = ConnectionLimits(total=10, for_address=0)
    with ExitStack() as stack, capture_logs() as logs:
        async with accepting(limits) as port:
            assert await ends_with(connected(stack, port)) is None
    assert [(line["address"], line["reason"]) for line in logs] == [("127.0.0.1", "too_many_connections")]


async def test_who_connects_too_often_is_reset():
    limits = ConnectionLimits(total=10, for_address=10, arrivals=ArrivalRate(1, burst=2))
    with ExitStack() as stack:
        async with accepting(limits) as port:
            good = [connected(stack, port) for _ in range(2)]
            assert await ends_with(connected(stack, port)) is None
            loop = asyncio.get_running_loop()
            for one in good:
                one.setblocking(False)
                assert await loop.sock_recv(one, 10) == b"hello"


async def test_tls(server_side: ssl.SSLContext):
    async with accepting(ConnectionLimits(total=10, for_address=10), server_side) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side())
        assert await reader.readexactly(5) == b"hello"
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n"])
async def test_a_handshake_that_does_not_end(server_side: ssl.SSLContext, sent: bytes):
    """It ends in time, and makes room."""
    limits = ConnectionLimits(total=1, for_address=1)
    with ExitStack() as stack, capture_logs() as logs:
        async with accepting(limits, server_side) as port:
            connection = connected(stack, port)
            connection.sendall(sent)
            assert (await ends_with(connection) or b"")[:1] in {b"", b"\x15"}  # an alert (RFC 8446, section 5.1)
            _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side())
            writer.close()
    assert {"event": "connection dropped", "reason": "no_tls_handshake"}.items() <= logs[0].items()


async def test_handshakes_make_room_for_others(server_side: ssl.SSLContext):
    """The oldest goes, as with requests that are half sent."""
    limits = ConnectionLimits(total=3, for_address=3)
    with ExitStack() as stack:
        async with accepting(limits, server_side) as port:
            held = [connected(stack, port) for _ in range(3)]
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side())
            assert await reader.readexactly(5) == b"hello"
            assert await ends_with(held[0], 0.1) in {b"", None}
            writer.close()


CHECK: Final = b"\0\x20\0\1\0\x0c\x21\x12\xa4\x42" + b"transaction" + b"and more"
"""How a client for media over TCP begins: a frame's length, and a STUN binding request."""


async def test_media_and_tls_share_a_port(server_side: ssl.SSLContext):
    taken: asyncio.Queue[socket.socket] = asyncio.Queue()
    with ExitStack() as stack:
        limits = ConnectionLimits(total=10, for_address=10)
        async with accepting(limits, server_side, taken.put_nowait) as port:
            for pieces in ([CHECK], [CHECK[:1], CHECK[1:9], CHECK[9:]]):
                client = connected(stack, port)
                for piece in pieces:
                    client.sendall(piece)
                    await asyncio.sleep(0.02)
                server = stack.enter_context(await asyncio.wait_for(taken.get(), 3))
                assert server.recv(100) == CHECK, "nothing of it was read"
                assert server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == 1
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side())
            assert await asyncio.wait_for(reader.read(5), 3) == b"hello"
            writer.close()


@pytest.mark.parametrize("first", [b"\0", CHECK[:9], CHECK[:6] + b"\x21\x12\xa4\x43", b"GET / HTTP/1.1\r\n\r\n"])
async def test_what_is_neither_media_nor_tls_is_dropped(server_side: ssl.SSLContext, first: bytes):
    taken: list[socket.socket] = []
    with ExitStack() as stack, capture_logs() as logs:
        async with accepting(ConnectionLimits(total=10, for_address=10), server_side, taken.append) as port:
            client = connected(stack, port)
            client.sendall(first)
            assert not await ends_with(client)
    assert not taken
    assert {line["reason"] for line in logs} == {"no_tls_handshake"}
