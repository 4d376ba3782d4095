"""What goes back to a client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from tertulia.http.asgi import Header, Send

JSON: Header = (b"content-type", b"application/json")
NO_STORE: Header = (b"cache-control", b"no-store")


@dataclass(slots=True)
class Reply:
    """A status, headers and a body, whole or streamed."""

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    headers: list[Header] = field(default_factory=list)

    async def send(self, send: Send, *, extra: Sequence[Header] = (), without_body: bool = False) -> None:
        """Send it by ASGI. A streamed body without a content-length goes out chunked."""
        headers = [*self.headers, *extra]
        body = self.body
        if isinstance(body, bytes):
            if self.status != HTTPStatus.NO_CONTENT:
                headers.append((b"content-length", str(len(body)).encode()))
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if without_body else body})
            return
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if not without_body:
            async for chunk in body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


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
