"""What goes back to a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

import orjson

from tertulia.http.kit.asgi import Header, Receive, Send

JSON: Header = (b"content-type", b"application/json")
NO_STORE: Header = (b"cache-control", b"no-store")


@dataclass(slots=True)
class Reply:
    """A status, headers and a body, whole or streamed."""

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    headers: list[Header] = field(default_factory=list)

    async def begun(self) -> Self:
        """Have the first piece of a streamed body ready: what fails before it is an error, not half an answer."""
        if not isinstance(self.body, bytes):
            rest = self.body
            first = await anext(rest, b"")
            self.body = _chained(first, rest)
        return self

    async def whole(self) -> Self:
        """Collect a streamed body whose length is not said: HTTP/1.0 knows no chunks (RFC 9112, section 6.1)."""
        if isinstance(self.body, bytes) or any(name == b"content-length" for name, _ in self.headers):
            return await self.begun()
        self.body = b"".join([piece async for piece in self.body])
        return self

    async def send(self, send: Send, receive: Receive, *, without_body: bool = False) -> None:
        """Send it by ASGI. A streamed body without a content-length goes out chunked."""
        headers = list(self.headers)
        body = self.body
        if isinstance(body, bytes):
            if self.status != HTTPStatus.NO_CONTENT:
                headers.append((b"content-length", str(len(body)).encode()))
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if without_body else body})
            return
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if not without_body:
            await _stream(body, send, receive)
        await send({"type": "http.response.body", "body": b""})


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _stream(body: AsyncIterator[bytes], send: Send, receive: Receive) -> None:
    """Send piece by piece, for as long as there is somebody who takes it: nothing is read for a client that left."""
    left = asyncio.Event()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch(), name="does the client still listen")
        async for piece in body:
            if left.is_set():
                break
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        watching.cancel()


def json_reply(value: object, *, status: int = 200, headers: Sequence[Header] = ()) -> Reply:
    """Answer with JSON that no cache keeps: answers may hold links."""
    return Reply(status, orjson.dumps(value), [JSON, NO_STORE, *headers])


def no_content(*headers: Header) -> Reply:
    """Answer 204."""
    return Reply(HTTPStatus.NO_CONTENT, b"", [NO_STORE, *headers])


async def json_array(pieces: AsyncIterator[list[Any]]) -> AsyncIterator[bytes]:
    """Stream a bare array, piece by piece."""
    opening = b"["
    async for piece in pieces:
        if piece:
            yield opening + orjson.dumps(piece)[1:-1]
            opening = b","
    yield b"[]" if opening == b"[" else b"]"
