"""Streamed answers: what fails before the first piece, and who leaves before the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tertulia.http.kit.asgi import Message
from tertulia.http.kit.replies import Reply

from tertulia.errors import Unavailable


async def pieces(count: int, made: list[int]) -> AsyncIterator[bytes]:
    for number in range(count):
        made.append(number)
        yield b"x"


async def failing() -> AsyncIterator[bytes]:
    raise Unavailable("store_unavailable", "The database is away")
    yield b""


async def test_failure_before_the_first_piece_is_an_error_of_its_own():
    with pytest.raises(Unavailable):
        await Reply(200, failing()).begun()


@pytest.mark.parametrize("count", [0, 1, 5])
async def test_begun_loses_nothing(count: int):
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return await asyncio.Future()

    reply = await Reply(200, pieces(count, [])).begun()
    await reply.send(send, receive)
    assert b"".join(message.get("body", b"") for message in sent) == b"x" * count
    assert not sent[-1].get("more_body", False)


async def test_nothing_is_made_for_who_has_left():
    made: list[int] = []
    left = asyncio.Event()

    async def send(_message: Message) -> None:
        if len(made) == 3:
            left.set()
        await asyncio.sleep(0)

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    await Reply(200, pieces(1000, made)).send(send, receive)
    assert len(made) < 10
