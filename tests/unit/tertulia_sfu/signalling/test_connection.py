"""Signalling lines: in order, bounded, and closed after the last word."""

from __future__ import annotations

import asyncio

import pytest
from livekit.protocol.rtc import SignalResponse

from tertulia_sfu.ids import ParticipantSid
from tertulia_sfu.signalling.connection import (
    MAX_QUEUED_FRAMES,
    NORMAL,
    POLICY_VIOLATION,
    SignalConnection,
    SignalConnections,
)

ANN, BOB = ParticipantSid("PA_ann"), ParticipantSid("PA_bob")


class Socket:
    """The WebSocket of a client that reads, or does not."""

    def __init__(self, *, reads: bool = True) -> None:
        self.frames: list[bytes] = []
        self.closed_with: int | None = None
        self._reads = reads

    async def send_bytes(self, frame: bytes) -> None:
        if not self._reads:
            await asyncio.Event().wait()
        self.frames.append(frame)

    async def close(self, code: int) -> None:
        self.closed_with = code


async def test_frames_go_out_in_order_and_the_close_comes_last() -> None:
    line, socket = SignalConnection(), Socket()
    pumping = asyncio.ensure_future(line.pump(socket))  # type: ignore[arg-type]
    for number in range(3):
        line.send(bytes([number]))
        await asyncio.sleep(0)
    line.end()
    line.send(b"too late")
    await pumping
    assert socket.frames == [b"\x00", b"\x01", b"\x02"]
    assert socket.closed_with == NORMAL


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    line = SignalConnection()
    for _ in range(MAX_QUEUED_FRAMES + 2):
        line.send(b"x")
    socket = Socket()
    await line.pump(socket)  # type: ignore[arg-type]
    assert (socket.frames, socket.closed_with) == ([], POLICY_VIOLATION)


async def test_a_client_whose_socket_is_stuck_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia_sfu.signalling.connection.SEND_TIMEOUT_S", 0.01)
    line, socket = SignalConnection(), Socket(reads=False)
    line.send(b"x")
    async with asyncio.timeout(5):
        await line.pump(socket)  # type: ignore[arg-type]


def test_a_message_reaches_those_who_have_a_line() -> None:
    lines, ann = SignalConnections(), SignalConnection()
    lines.attach(ANN, ann)
    lines.send([ANN, BOB], SignalResponse(pong=1))
    lines.close(BOB)


async def test_a_newer_line_takes_the_place_of_the_older() -> None:
    lines, older, newer = SignalConnections(), SignalConnection(), SignalConnection()
    lines.attach(ANN, older)
    lines.attach(ANN, newer)
    socket = Socket()
    await older.pump(socket)  # type: ignore[arg-type]
    assert socket.closed_with == NORMAL
    assert not lines.detach(ANN, older), "the participant did not lose its line"
    assert lines.detach(ANN, newer)
    assert not lines.detach(ANN, newer)
