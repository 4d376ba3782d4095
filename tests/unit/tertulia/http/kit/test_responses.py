"""Streamed responses: what fails before the first piece, and clients that leave before the last."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from support.asgi import http_scope, response_of
from tertulia.errors import Unavailable
from tertulia.http.kit.responses import JsonResponse, StreamedResponse, json_array, no_content


async def pieces(count: int, made: list[int]) -> AsyncIterator[bytes]:
    for number in range(count):
        made.append(number)
        yield b"x"


async def failing() -> AsyncIterator[bytes]:
    raise Unavailable("store_unavailable", "The database is away")
    yield b""


async def test_failure_before_the_first_piece_is_an_error_of_its_own():
    with pytest.raises(Unavailable):
        await StreamedResponse(failing()).prepare(http_scope("/"))


@pytest.mark.parametrize("count", [0, 1, 5])
async def test_prepare_loses_nothing(count: int):
    response = StreamedResponse(pieces(count, []))
    await response.prepare(http_scope("/"))
    _status, headers, body = await response_of(response)
    assert body == b"x" * count
    assert "content-length" not in headers


async def test_http_1_0_is_told_the_length():
    response = StreamedResponse(pieces(5, []))
    await response.prepare(http_scope("/", http_version="1.0"))
    _status, headers, body = await response_of(response)
    assert (headers["content-length"], body) == ("5", b"xxxxx")


async def test_head_makes_the_first_piece_only():
    made: list[int] = []
    response = StreamedResponse(pieces(1000, made))
    await response.prepare(http_scope("/", method="HEAD"))
    await response_of(response)
    assert made == [0]


async def test_nothing_is_made_for_a_client_that_has_left():
    made: list[int] = []
    left = asyncio.Event()

    async def send(_message: Message) -> None:
        if len(made) == 3:
            left.set()
        await asyncio.sleep(0)

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    await StreamedResponse(pieces(1000, made))(http_scope("/"), receive, send)
    assert len(made) < 10


@pytest.mark.parametrize("groups", [[], [[]], [[1]], [[1, 2], [], [3]]])
async def test_json_array(groups: list[list[int]]):
    async def given() -> AsyncIterator[list[int]]:
        for group in groups:
            yield group

    _status, headers, body = await response_of(json_array(given()))
    assert json.loads(body) == [one for group in groups for one in group]
    assert (headers["content-type"], headers["cache-control"]) == ("application/json", "no-store")


async def test_json_and_nothing():
    status, headers, body = await response_of(JsonResponse({"a": 1}, 201, {"x-more": "1"}))
    assert (status, body, headers["content-length"], headers["x-more"]) == (201, b'{"a":1}', "7", "1")
    status, headers, body = await response_of(no_content())
    assert (status, body, headers) == (204, b"", {"cache-control": "no-store"})
