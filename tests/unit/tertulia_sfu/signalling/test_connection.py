"""Signal connections: in order, bounded, and closed after the last message."""

from __future__ import annotations

import asyncio

import pytest
from livekit.protocol.rtc import SignalResponse

from tertulia_sfu.ids import ParticipantSid
from tertulia_sfu.signalling.connection import (
    MAX_QUEUED_BYTES,
    MAX_QUEUED_FRAMES,
    NORMAL_CLOSURE,
    POLICY_VIOLATION,
    SignalConnection,
    SignalConnections,
)

ANN, BOB = ParticipantSid("PA_ann"), ParticipantSid("PA_bob")


class Socket:
    """The WebSocket of a client that reads, or does not."""

    def __init__(self, *, reads: bool = True) -> None:
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.closed_with: int | None = None
        self._reads = reads

    async def send_bytes(self, frame: bytes) -> None:
        if not self._reads:
            await asyncio.Event().wait()
        self.frames.put_nowait(frame)

    async def close(self, code: int) -> None:
        self.closed_with = code


async def test_frames_are_sent_in_order_and_the_close_comes_last() -> None:
    connection, socket = SignalConnection(), Socket()
    running = asyncio.ensure_future(connection.run(socket))  # type: ignore[arg-type]
    for number in range(3):
        connection.send(bytes([number]))
        assert await socket.frames.get() == bytes([number])
    connection.send(b"last")
    connection.close()
    connection.send(b"too late")
    await running
    assert socket.frames.get_nowait() == b"last"
    assert socket.frames.empty()
    assert socket.closed_with == NORMAL_CLOSURE


@pytest.mark.parametrize(
    ("size", "allowed"), [(1, MAX_QUEUED_FRAMES), (1024 * 1024, MAX_QUEUED_BYTES // (1024 * 1024))]
)
async def test_a_client_that_does_not_read_is_disconnected(size: int, allowed: int) -> None:
    for count, code in ((allowed, NORMAL_CLOSURE), (allowed + 1, POLICY_VIOLATION)):
        connection, socket = SignalConnection(), Socket()
        for _ in range(count):
            connection.send(bytes(size))
        connection.close()
        await connection.run(socket)  # type: ignore[arg-type]
        assert socket.closed_with == code
        assert socket.frames.qsize() == (count if code == NORMAL_CLOSURE else 0)


async def test_a_client_whose_socket_is_stuck_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia_sfu.signalling.connection.SEND_TIMEOUT_S", 0.01)
    connection, socket = SignalConnection(), Socket(reads=False)
    connection.send(b"x")
    async with asyncio.timeout(5):
        await connection.run(socket)  # type: ignore[arg-type]


async def test_a_message_reaches_those_who_are_connected() -> None:
    connections, ann, socket = SignalConnections(), SignalConnection(), Socket()
    connections.attach(ANN, ann)
    connections.send([ANN, BOB], SignalResponse(pong=1))
    connections.close(BOB)
    connections.close(ANN)
    await ann.run(socket)  # type: ignore[arg-type]
    assert SignalResponse.FromString(socket.frames.get_nowait()).pong == 1
    assert not connections.detach(ANN, ann), "the server closed it"


async def test_a_newer_connection_replaces_the_older() -> None:
    connections, older, newer = SignalConnections(), SignalConnection(), SignalConnection()
    connections.attach(ANN, older)
    connections.attach(ANN, newer)
    socket = Socket()
    await older.run(socket)  # type: ignore[arg-type]
    assert socket.closed_with == NORMAL_CLOSURE
    assert not connections.detach(ANN, older), "the participant did not lose its connection"
    assert connections.detach(ANN, newer)
    assert not connections.detach(ANN, newer)
